"""Records of what parties agreed to, signed by the service.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# A record never changes, except that it gets its signature once.
SQLITE_TRIGGERS = (
    """CREATE TRIGGER intents_no_update BEFORE UPDATE ON intents
       WHEN OLD.signature IS NOT NULL OR NEW.record <> OLD.record OR NEW.id <> OLD.id
       BEGIN SELECT RAISE(ABORT, 'the record of an intent does not change'); END""",
    """CREATE TRIGGER intents_no_delete BEFORE DELETE ON intents
       BEGIN SELECT RAISE(ABORT, 'the record of an intent is not deleted'); END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION intents_refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'the record of an intent does not change'; END $$""",
    """CREATE TRIGGER intents_no_update BEFORE UPDATE ON intents FOR EACH ROW
       WHEN (OLD.signature IS NOT NULL OR NEW.record <> OLD.record OR NEW.id <> OLD.id)
       EXECUTE FUNCTION intents_refuse()""",
    """CREATE TRIGGER intents_no_delete BEFORE DELETE OR TRUNCATE ON intents
       FOR EACH STATEMENT EXECUTE FUNCTION intents_refuse()""",
)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "intents",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("contract_id", sa.String(length=40), nullable=False),
        sa.Column("party_id", sa.String(length=40), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_intents_tenant_id"),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name="fk_intents_contract_id"),
        sa.ForeignKeyConstraint(["party_id"], ["parties.id"], name="fk_intents_party_id"),
        sa.PrimaryKeyConstraint("id", name="pk_intents"),
    )
    for column in ("tenant_id", "contract_id"):
        op.create_index(f"ix_intents_{column}", "intents", [column], unique=False)
    triggers = SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_TRIGGERS
    for trigger in triggers:
        op.execute(trigger)
