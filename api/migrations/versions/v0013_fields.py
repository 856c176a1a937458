"""Form fields of contracts, and what parties fill into them.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("contracts", sa.Column("fields", sa.JSON(), nullable=True))
    op.add_column("parties", sa.Column("field_values", sa.JSON(), nullable=True))
