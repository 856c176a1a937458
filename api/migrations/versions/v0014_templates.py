"""Templates with their logs; bulk sends; what contracts were made of.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# The log of a template is append-only for everybody who comes through the database, our own defects included.
SQLITE_TRIGGERS = (
    """CREATE TRIGGER template_events_no_update BEFORE UPDATE ON template_events
       BEGIN SELECT RAISE(ABORT, 'the log of a template does not change'); END""",
    """CREATE TRIGGER template_events_no_delete BEFORE DELETE ON template_events
       BEGIN SELECT RAISE(ABORT, 'the log of a template is not deleted'); END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION template_events_refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'the log of a template is append-only'; END $$""",
    """CREATE TRIGGER template_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON template_events
       FOR EACH STATEMENT EXECUTE FUNCTION template_events_refuse()""",
)


def upgrade() -> None:
    """Make the tables and columns."""
    _templates()
    _bulk_sends()
    _contracts()
    triggers = SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_TRIGGERS
    for trigger in triggers:
        op.execute(trigger)


def _templates() -> None:
    op.create_table(
        "templates",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_sequence", sa.Integer(), nullable=False),
        sa.Column("log_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_templates_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_templates"),
    )
    op.create_index("ix_templates_tenant_id", "templates", ["tenant_id"], unique=False)
    _holders("template_documents", "template_id", "templates")
    op.create_table(
        "template_events",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("template_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_template_events_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_template_events"),
        sa.UniqueConstraint("template_id", "sequence", name="uq_template_events_template_id_sequence"),
    )


def _bulk_sends() -> None:
    op.create_table(
        "bulk_sends",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("template_id", sa.String(length=40), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("sender", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_bulk_sends_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_sends"),
    )
    op.create_index("ix_bulk_sends_tenant_id", "bulk_sends", ["tenant_id"], unique=False)
    op.create_table(
        "bulk_rows",
        sa.Column("bulk_send_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("filled", sa.JSON(), nullable=True),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("contract_id", sa.String(length=40), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["bulk_send_id"], ["bulk_sends.id"], name="fk_bulk_rows_bulk_send_id"),
        sa.PrimaryKeyConstraint("bulk_send_id", "number", name="pk_bulk_rows"),
        sa.UniqueConstraint("contract_id", name="uq_bulk_rows_contract_id"),
    )
    op.create_index("ix_bulk_rows_bulk_send_id_state", "bulk_rows", ["bulk_send_id", "state"], unique=False)
    _holders("bulk_documents", "bulk_send_id", "bulk_sends")


def _holders(table: str, column: str, owner: str) -> None:
    op.create_table(
        table,
        sa.Column(column, sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint([column], [f"{owner}.id"], name=f"fk_{table}_{column}"),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name=f"fk_{table}_document_id"),
        sa.PrimaryKeyConstraint(column, "document_id", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_document_id", table, ["document_id"], unique=False)


def _contracts() -> None:
    op.add_column("contracts", sa.Column("template_id", sa.String(length=40), nullable=True))
    op.add_column("contracts", sa.Column("template_version", sa.Integer(), nullable=True))
    op.add_column("contracts", sa.Column("bulk_send_id", sa.String(length=40), nullable=True))
    op.add_column("contracts", sa.Column("bulk_row", sa.Integer(), nullable=True))
    columns = ["bulk_send_id", "bulk_row"]
    op.create_index("ix_contracts_bulk_send_id_bulk_row", "contracts", columns, unique=True)
