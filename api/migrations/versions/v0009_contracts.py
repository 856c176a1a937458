"""Contracts: languages, reminders, delegation, and what later contracts did to earlier ones.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table."""
    columns: dict[str, tuple[sa.Column[object], ...]] = {
        "contracts": (
            sa.Column("prevailing_language", sa.String(length=35), nullable=True),
            sa.Column("relates_to_id", sa.String(length=40), nullable=True),
            sa.Column("relates_to_kind", sa.String(length=20), nullable=True),
            sa.Column("reminders", sa.JSON(), nullable=True),
            sa.Column("next_reminder_at", sa.DateTime(timezone=True), nullable=True),
        ),
        "contract_documents": (
            sa.Column("language", sa.String(length=35), nullable=True),
            sa.Column("version_of", sa.String(length=40), nullable=True),
        ),
        "parties": (
            sa.Column("delegate_of", sa.String(length=40), nullable=True),
            sa.Column("mandate", sa.JSON(), nullable=True),
            sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        ),
    }
    for table, added in columns.items():
        for column in added:
            op.add_column(table, column)
    for name in ("relates_to_id", "next_reminder_at"):
        op.create_index(f"ix_contracts_{name}", "contracts", [name], unique=False)
    op.create_table(
        "contract_successions",
        sa.Column("successor_id", sa.String(length=40), nullable=False),
        sa.Column("contract_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["successor_id"], ["contracts.id"], name="fk_contract_successions_successor_id"),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name="fk_contract_successions_contract_id"),
        sa.PrimaryKeyConstraint("successor_id", name="pk_contract_successions"),
    )
    op.create_index("ix_contract_successions_contract_id", "contract_successions", ["contract_id"], unique=False)
