"""Jobs that an engine carries: rounds instead of leases, progress, events, workers.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the table of jobs, make the others. Jobs that wait or ran are handed over when a worker starts."""
    with op.batch_alter_table("jobs") as table:
        table.alter_column("lease_owner", new_column_name="owner", existing_type=sa.String(length=200))
        table.alter_column("lease_token", new_column_name="token", existing_type=sa.String(length=40))
        table.drop_column("lease_until")
        table.add_column(sa.Column("round", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("cancel", sa.JSON(), nullable=True))
        table.add_column(sa.Column("total", sa.Integer(), nullable=True))
        table.add_column(sa.Column("done", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("failed", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("sequence", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "job_events",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=10), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_events_job_id"),
        sa.PrimaryKeyConstraint("job_id", "sequence", name="pk_job_events"),
    )
    op.create_index("ix_job_events_at", "job_events", ["at"], unique=False)
    op.create_table(
        "job_workers",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("process", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("beats", sa.Integer(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job_workers"),
    )
