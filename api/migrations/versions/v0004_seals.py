"""Electronic seals: their makers, grants, uses and logs; parties that seal.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The log of a seal is append-only for everybody who comes through the database, our own defects included.
SQLITE_TRIGGERS = (
    """CREATE TRIGGER seal_events_no_update BEFORE UPDATE ON seal_events
       BEGIN SELECT RAISE(ABORT, 'the log of a seal does not change'); END""",
    """CREATE TRIGGER seal_events_no_delete BEFORE DELETE ON seal_events
       BEGIN SELECT RAISE(ABORT, 'the log of a seal is not deleted'); END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION seal_events_refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'the log of a seal is append-only'; END $$""",
    """CREATE TRIGGER seal_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON seal_events
       FOR EACH STATEMENT EXECUTE FUNCTION seal_events_refuse()""",
)


def upgrade() -> None:
    """Make the tables."""
    _makers()
    _seals()
    _grants()
    _uses()
    _events()
    # No foreign keys on these two: SQLite adds none to a table, and to copy one that others refer to is worse.
    op.add_column("parties", sa.Column("seal_id", sa.String(length=40), nullable=True))
    op.add_column("parties", sa.Column("seal_placement", sa.JSON(), nullable=True))
    op.add_column("signatures", sa.Column("seal_use_id", sa.String(length=40), nullable=True))
    triggers = SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_TRIGGERS
    for trigger in triggers:
        op.execute(trigger)


def _makers() -> None:
    op.create_table(
        "seal_makers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("suite", sa.String(length=40), nullable=False),
        sa.Column("certificates", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_seal_makers"),
    )
    op.create_index("ix_seal_makers_suite", "seal_makers", ["suite"], unique=False)


def _seals() -> None:
    op.create_table(
        "seals",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("standard", sa.String(length=2), nullable=False),
        sa.Column("suite", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.JSON(), nullable=True),
        sa.Column("key_holder", sa.String(length=10), nullable=False),
        sa.Column("certificates", sa.JSON(), nullable=True),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("picture_sha256", sa.String(length=64), nullable=False),
        sa.Column("picture_type", sa.String(length=8), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applicant", sa.String(length=40), nullable=False),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("approvals", sa.JSON(), nullable=False),
        sa.Column("filing_required", sa.Boolean(), nullable=False),
        sa.Column("assigned_number", sa.String(length=60), nullable=True),
        sa.Column("filing_number", sa.String(length=60), nullable=True),
        sa.Column("was_used", sa.Boolean(), nullable=False),
        sa.Column("maker_id", sa.String(length=40), nullable=True),
        sa.Column("prepared", sa.Text(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("content_sha256", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.Column("log_sequence", sa.Integer(), nullable=False),
        sa.Column("log_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_seals_tenant_id"),
        sa.ForeignKeyConstraint(["maker_id"], ["seal_makers.id"], name="fk_seals_maker_id"),
        sa.PrimaryKeyConstraint("id", name="pk_seals"),
    )
    for column in ("tenant_id", "state", "picture_sha256", "content_sha256"):
        op.create_index(f"ix_seals_{column}", "seals", [column], unique=False)


def _grants() -> None:
    op.create_table(
        "seal_grants",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("seal_id", sa.String(length=40), nullable=False),
        sa.Column("grantee", sa.String(length=40), nullable=False),
        sa.Column("granter", sa.String(length=40), nullable=False),
        sa.Column("contracts", sa.JSON(), nullable=True),
        sa.Column("kinds", sa.JSON(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("approvals", sa.JSON(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["seal_id"], ["seals.id"], name="fk_seal_grants_seal_id"),
        sa.PrimaryKeyConstraint("id", name="pk_seal_grants"),
    )
    op.create_index("ix_seal_grants_seal_id", "seal_grants", ["seal_id"], unique=False)


def _uses() -> None:
    op.create_table(
        "seal_uses",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("seal_id", sa.String(length=40), nullable=False),
        sa.Column("grant_id", sa.String(length=40), nullable=False),
        sa.Column("who", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("contract_id", sa.String(length=40), nullable=True),
        sa.Column("party_id", sa.String(length=40), nullable=True),
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("base_sha256", sa.String(length=64), nullable=False),
        sa.Column("prepared", sa.Text(), nullable=True),
        sa.Column("prepared_sha256", sa.String(length=64), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("result", sa.String(length=40), nullable=True),
        sa.Column("failure", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["seal_id"], ["seals.id"], name="fk_seal_uses_seal_id"),
        sa.ForeignKeyConstraint(["grant_id"], ["seal_grants.id"], name="fk_seal_uses_grant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_seal_uses"),
        sa.UniqueConstraint("party_id", "document_id", name="uq_seal_uses_party_id_document_id"),
    )
    for column in ("seal_id", "contract_id", "prepared_sha256"):
        op.create_index(f"ix_seal_uses_{column}", "seal_uses", [column], unique=False)


def _events() -> None:
    op.create_table(
        "seal_events",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("seal_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_seal_events_tenant_id"),
        sa.ForeignKeyConstraint(["seal_id"], ["seals.id"], name="fk_seal_events_seal_id"),
        sa.PrimaryKeyConstraint("id", name="pk_seal_events"),
        sa.UniqueConstraint("seal_id", "sequence", name="uq_seal_events_seal_id_sequence"),
    )
