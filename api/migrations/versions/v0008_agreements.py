"""Framework agreements, the parties' signatures on them, the log of each, and the agreement of a contract.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The log of an agreement is append-only for everybody who comes through the database, our own defects included; and
# what was offered does not change, for somebody may have signed it.
SQLITE_TRIGGERS = (
    """CREATE TRIGGER agreement_events_no_update BEFORE UPDATE ON agreement_events
       BEGIN SELECT RAISE(ABORT, 'the log of an agreement does not change'); END""",
    """CREATE TRIGGER agreement_events_no_delete BEFORE DELETE ON agreement_events
       BEGIN SELECT RAISE(ABORT, 'the log of an agreement is not deleted'); END""",
    """CREATE TRIGGER agreements_octets_stay BEFORE UPDATE ON agreements
       WHEN OLD.octets IS NOT NULL AND (OLD.octets IS NOT NEW.octets OR OLD.sha256 IS NOT NEW.sha256)
       BEGIN SELECT RAISE(ABORT, 'what was offered does not change'); END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION agreement_events_refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'the log of an agreement is append-only'; END $$""",
    """CREATE TRIGGER agreement_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agreement_events
       FOR EACH STATEMENT EXECUTE FUNCTION agreement_events_refuse()""",
    """CREATE FUNCTION agreements_refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'what was offered does not change'; END $$""",
    """CREATE TRIGGER agreements_octets_stay BEFORE UPDATE ON agreements FOR EACH ROW
       WHEN (OLD.octets IS NOT NULL AND (OLD.octets, OLD.sha256) IS DISTINCT FROM (NEW.octets, NEW.sha256))
       EXECUTE FUNCTION agreements_refuse()""",
)


def upgrade() -> None:
    """Make the tables."""
    _agreements()
    _signatures()
    _events()
    op.add_column("contracts", sa.Column("agreement_id", sa.String(length=40), nullable=True))
    triggers = SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_TRIGGERS
    for trigger in triggers:
        op.execute(trigger)


def _agreements() -> None:
    op.create_table(
        "agreements",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("parties", sa.JSON(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_id", sa.String(length=40), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.String(length=40), nullable=True),
        sa.Column("log_sequence", sa.Integer(), nullable=False),
        sa.Column("log_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_agreements_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_agreements"),
    )
    for column in ("tenant_id", "state", "sha256", "ends_id"):
        op.create_index(f"ix_agreements_{column}", "agreements", [column], unique=False)


def _signatures() -> None:
    op.create_table(
        "agreement_signatures",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("agreement_id", sa.String(length=40), nullable=False),
        sa.Column("party", sa.Integer(), nullable=False),
        sa.Column("signed_party", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("suite", sa.String(length=40), nullable=False),
        sa.Column("certificates", sa.Text(), nullable=False),
        sa.Column("attributes", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("seal_id", sa.String(length=40), nullable=True),
        sa.Column("seal_use_id", sa.String(length=40), nullable=True),
        sa.Column("cms", sa.LargeBinary(), nullable=True),
        sa.Column("verdict", sa.String(length=20), nullable=True),
        sa.Column("sub_indication", sa.String(length=60), nullable=True),
        sa.Column("failure", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreements.id"], name="fk_agreement_signatures_agreement_id"),
        sa.PrimaryKeyConstraint("id", name="pk_agreement_signatures"),
        sa.UniqueConstraint("agreement_id", "signed_party", name="uq_agreement_signatures_agreement_id_signed_party"),
    )
    op.create_index("ix_agreement_signatures_agreement_id", "agreement_signatures", ["agreement_id"], unique=False)


def _events() -> None:
    op.create_table(
        "agreement_events",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("agreement_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_agreement_events_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_agreement_events"),
        sa.UniqueConstraint("agreement_id", "sequence", name="uq_agreement_events_agreement_id_sequence"),
    )
