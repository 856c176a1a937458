"""Pairs of certificates, and passwords of encrypted documents.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say which certificates belong together, and keep the deliveries and the passwords."""
    for table in ("certificates", "certificate_intents"):
        op.add_column(table, sa.Column("pair_id", sa.String(length=40), nullable=True))
        op.add_column(table, sa.Column("delivery", sa.Text(), nullable=True))
    op.create_index("ix_certificates_pair_id", "certificates", ["pair_id"], unique=False)
    op.add_column("documents", sa.Column("encryption", sa.String(length=80), nullable=True))
    op.add_column("documents", sa.Column("sealed_key", sa.LargeBinary(), nullable=True))
