"""Delivery of completed contracts in envelopes: to which certificates, and keys with which the service signs.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("contracts", sa.Column("delivery", sa.JSON(), nullable=True))
    op.add_column("parties", sa.Column("encryption_certificates", sa.Text(), nullable=True))
    with op.batch_alter_table("envelope_keys") as table:
        table.alter_column("party_id", existing_type=sa.String(length=40), nullable=True)
