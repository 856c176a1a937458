"""Hand-over of signature requests; batches, and the policies they are signed under.

Revision ID: 0017
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "handovers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("contract_id", sa.String(length=40), nullable=False),
        sa.Column("party_id", sa.String(length=40), nullable=False),
        sa.Column("signature_id", sa.String(length=40), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("digests", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shown_to", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_handovers_tenant_id"),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name="fk_handovers_contract_id"),
        sa.ForeignKeyConstraint(["party_id"], ["parties.id"], name="fk_handovers_party_id"),
        sa.ForeignKeyConstraint(["signature_id"], ["signatures.id"], name="fk_handovers_signature_id"),
        sa.PrimaryKeyConstraint("id", name="pk_handovers"),
        sa.UniqueConstraint("token_sha256", name="uq_handovers_token_sha256"),
    )
    for column in ("tenant_id", "signature_id"):
        op.create_index(f"ix_handovers_{column}", "handovers", [column], unique=False)
