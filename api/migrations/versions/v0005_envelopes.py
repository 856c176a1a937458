"""Digital envelopes, keys for decryption that the service holds, and the log of each envelope.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The log of an envelope is append-only for everybody who comes through the database, our own defects included.
SQLITE_TRIGGERS = (
    """CREATE TRIGGER envelope_events_no_update BEFORE UPDATE ON envelope_events
       BEGIN SELECT RAISE(ABORT, 'the log of an envelope does not change'); END""",
    """CREATE TRIGGER envelope_events_no_delete BEFORE DELETE ON envelope_events
       BEGIN SELECT RAISE(ABORT, 'the log of an envelope is not deleted'); END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION envelope_events_refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'the log of an envelope is append-only'; END $$""",
    """CREATE TRIGGER envelope_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON envelope_events
       FOR EACH STATEMENT EXECUTE FUNCTION envelope_events_refuse()""",
)


def upgrade() -> None:
    """Make the tables."""
    _envelopes()
    _keys()
    _events()
    triggers = SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_TRIGGERS
    for trigger in triggers:
        op.execute(trigger)


def _envelopes() -> None:
    op.create_table(
        "envelopes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("contract_id", sa.String(length=40), nullable=True),
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.Column("source_sha256", sa.String(length=64), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("recipients", sa.JSON(), nullable=False),
        sa.Column("senders", sa.JSON(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=True),
        sa.Column("prepared_sha256", sa.String(length=64), nullable=True),
        sa.Column("signatures", sa.JSON(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("failure", sa.JSON(), nullable=True),
        sa.Column("log_sequence", sa.Integer(), nullable=False),
        sa.Column("log_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_envelopes_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_envelopes"),
    )
    for column in ("tenant_id", "contract_id", "source_sha256", "prepared_sha256", "content_sha256"):
        op.create_index(f"ix_envelopes_{column}", "envelopes", [column], unique=False)


def _keys() -> None:
    op.create_table(
        "envelope_keys",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("party_id", sa.String(length=40), nullable=False),
        sa.Column("suite", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_envelope_keys_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_envelope_keys"),
    )
    for column in ("tenant_id", "party_id"):
        op.create_index(f"ix_envelope_keys_{column}", "envelope_keys", [column], unique=False)


def _events() -> None:
    op.create_table(
        "envelope_events",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("envelope_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_envelope_events_tenant_id"),
        sa.ForeignKeyConstraint(["envelope_id"], ["envelopes.id"], name="fk_envelope_events_envelope_id"),
        sa.PrimaryKeyConstraint("id", name="pk_envelope_events"),
        sa.UniqueConstraint("envelope_id", "sequence", name="uq_envelope_events_envelope_id_sequence"),
    )
