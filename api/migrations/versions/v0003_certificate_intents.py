"""Certificates in the making; the state of a certificate is told by the ledger alone.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of intents; drop the copies of what the ledger says."""
    op.create_table(
        "certificate_intents",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("suite", sa.String(length=40), nullable=False),
        sa.Column("profile", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("repetition", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_certificate_intents_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_certificate_intents"),
    )
    op.create_index("ix_certificate_intents_tenant_id", "certificate_intents", ["tenant_id"], unique=False)
    op.create_index("ix_certificate_intents_repetition", "certificate_intents", ["repetition"], unique=False)
    op.add_column("certificates", sa.Column("repetition", sa.String(length=64), nullable=True))
    op.create_index("ix_certificates_repetition", "certificates", ["repetition"], unique=False)
    op.drop_column("certificates", "revoked_at")
    op.drop_column("certificates", "reason")
