"""Powers of attorney, and the log of each.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# The log is append-only for everybody who comes through the database; of a power of attorney nothing changes but that
# it is revoked, once.
_STAYS = (
    "id",
    "tenant_id",
    "kind",
    "number",
    "first_day",
    "last_day",
    "content_sha256",
    "signature_sha256",
    "created_at",
)
_CHANGED = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _STAYS)
_DISTINCT = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in _STAYS)
SQLITE_TRIGGERS = (
    """CREATE TRIGGER power_of_attorney_events_no_update BEFORE UPDATE ON power_of_attorney_events
       BEGIN SELECT RAISE(ABORT, 'the log of a power of attorney does not change'); END""",
    """CREATE TRIGGER power_of_attorney_events_no_delete BEFORE DELETE ON power_of_attorney_events
       BEGIN SELECT RAISE(ABORT, 'the log of a power of attorney is not deleted'); END""",
    f"""CREATE TRIGGER powers_of_attorney_stay BEFORE UPDATE ON powers_of_attorney
       WHEN OLD.revoked_at IS NOT NULL OR {_CHANGED}
       BEGIN SELECT RAISE(ABORT, 'a power of attorney does not change'); END""",
    """CREATE TRIGGER powers_of_attorney_no_delete BEFORE DELETE ON powers_of_attorney
       BEGIN SELECT RAISE(ABORT, 'a power of attorney is not deleted'); END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION powers_of_attorney_refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'a power of attorney and its log do not change'; END $$""",
    """CREATE TRIGGER power_of_attorney_events_append_only
       BEFORE UPDATE OR DELETE OR TRUNCATE ON power_of_attorney_events
       FOR EACH STATEMENT EXECUTE FUNCTION powers_of_attorney_refuse()""",
    f"""CREATE TRIGGER powers_of_attorney_stay BEFORE UPDATE ON powers_of_attorney FOR EACH ROW
       WHEN (OLD.revoked_at IS NOT NULL OR {_DISTINCT})
       EXECUTE FUNCTION powers_of_attorney_refuse()""",
    """CREATE TRIGGER powers_of_attorney_no_delete BEFORE DELETE OR TRUNCATE ON powers_of_attorney
       FOR EACH STATEMENT EXECUTE FUNCTION powers_of_attorney_refuse()""",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "powers_of_attorney",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=False),
        sa.Column("last_day", sa.String(length=10), nullable=False),
        sa.Column("content_name", sa.String(length=255), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("content_size", sa.BigInteger(), nullable=False),
        sa.Column("signature_sha256", sa.String(length=64), nullable=True),
        sa.Column("trust", sa.JSON(), nullable=False),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.Column("log_sequence", sa.Integer(), nullable=False),
        sa.Column("log_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=True),
        sa.Column("revocation_stated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_powers_of_attorney_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_powers_of_attorney"),
        sa.UniqueConstraint("tenant_id", "kind", "number", name="uq_powers_of_attorney_tenant_id_kind_number"),
    )
    for column in ("tenant_id", "content_sha256", "signature_sha256"):
        op.create_index(f"ix_powers_of_attorney_{column}", "powers_of_attorney", [column], unique=False)
    op.create_table(
        "power_of_attorney_events",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("power_of_attorney_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_power_of_attorney_events_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_power_of_attorney_events"),
        sa.UniqueConstraint(
            "power_of_attorney_id", "sequence", name="uq_power_of_attorney_events_power_of_attorney_id_sequence"
        ),
    )
    triggers = SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_TRIGGERS
    for trigger in triggers:
        op.execute(trigger)
