"""Organisations, people and how they were identified; users, access tokens, and what API keys are limited to.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_PROVEN = (
    "id, tenant_id, organisation_id, person_id, method, evidence, operator, source, at, valid_until, subject, "
    "recorded_by, created_at"
)
"""Columns of an identity proof that never change; what is left says that it was revoked."""
_LOGS = ("organisation_events", "person_events")


def _sqlite() -> list[str]:
    return [
        f"""CREATE TRIGGER identity_proofs_no_update BEFORE UPDATE OF {_PROVEN} ON identity_proofs
            BEGIN SELECT RAISE(ABORT, 'identity proofs do not change'); END""",
        """CREATE TRIGGER identity_proofs_revoked_once BEFORE UPDATE ON identity_proofs
           WHEN OLD.revoked_at IS NOT NULL
           BEGIN SELECT RAISE(ABORT, 'a revocation stays'); END""",
        """CREATE TRIGGER identity_proofs_no_delete BEFORE DELETE ON identity_proofs
           BEGIN SELECT RAISE(ABORT, 'identity proofs are not deleted'); END""",
        *(
            f"""CREATE TRIGGER {log}_no_{what.lower()} BEFORE {what} ON {log}
                BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"""
            for log in _LOGS
            for what in ("UPDATE", "DELETE")
        ),
    ]


def _postgresql() -> list[str]:
    return [
        """CREATE FUNCTION identity_refuse() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'records of identity are append-only'; END $$""",
        f"""CREATE TRIGGER identity_proofs_no_update BEFORE UPDATE OF {_PROVEN} ON identity_proofs
            FOR EACH STATEMENT EXECUTE FUNCTION identity_refuse()""",
        """CREATE TRIGGER identity_proofs_revoked_once BEFORE UPDATE ON identity_proofs
           FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL) EXECUTE FUNCTION identity_refuse()""",
        """CREATE TRIGGER identity_proofs_no_delete BEFORE DELETE OR TRUNCATE ON identity_proofs
           FOR EACH STATEMENT EXECUTE FUNCTION identity_refuse()""",
        *(
            f"""CREATE TRIGGER {log}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {log}
                FOR EACH STATEMENT EXECUTE FUNCTION identity_refuse()"""
            for log in _LOGS
        ),
    ]


def upgrade() -> None:
    """Make the tables, and the columns that refer to them."""
    _subjects("organisations")
    _subjects("people", sa.Column("given_name", sa.String(100)), sa.Column("surname", sa.String(100)))
    _memberships()
    _events("organisation")
    _events("person")
    _proofs()
    _users()
    _keys()
    # No foreign keys on these: SQLite adds none to a table, and to copy one that others refer to is worse.
    for table in ("parties", "certificates", "seals"):
        for column in ("person_id", "organisation_id"):
            op.add_column(table, sa.Column(column, sa.String(length=40), nullable=True))
            op.create_index(f"ix_{table}_{column}", table, [column], unique=False)
        op.add_column(table, sa.Column("identity", sa.JSON(), nullable=True))
    op.add_column("certificate_intents", sa.Column("identity", sa.JSON(), nullable=True))
    for trigger in _sqlite() if op.get_bind().dialect.name == "sqlite" else _postgresql():
        op.execute(trigger)


def _subjects(table: str, *more: sa.Column[str]) -> None:
    op.create_table(
        table,
        *more,
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("identifiers", sa.JSON(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("locale", sa.String(length=5), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("log_sequence", sa.Integer(), nullable=False),
        sa.Column("log_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=f"fk_{table}_tenant_id"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_tenant_id", table, ["tenant_id"], unique=False)


def _memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.String(length=200), nullable=True),
        sa.Column("legal_representative", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_memberships_person_id"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name="fk_memberships_organisation_id"),
        sa.PrimaryKeyConstraint("person_id", "number", name="pk_memberships"),
        sa.UniqueConstraint("person_id", "organisation_id", name="uq_memberships_person_id_organisation_id"),
    )
    op.create_index("ix_memberships_organisation_id", "memberships", ["organisation_id"], unique=False)


def _events(kind: str) -> None:
    table, column = f"{kind}_events", f"{kind}_id"
    op.create_table(
        table,
        sa.Column(column, sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=f"fk_{table}_tenant_id"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint(column, "sequence", name=f"uq_{table}_{column}_sequence"),
    )


def _proofs() -> None:
    op.create_table(
        "identity_proofs",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=True),
        sa.Column("person_id", sa.String(length=40), nullable=True),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("operator", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subject", sa.JSON(), nullable=False),
        sa.Column("recorded_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_identity_proofs_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_proofs"),
    )
    for column in ("tenant_id", "organisation_id", "person_id"):
        op.create_index(f"ix_identity_proofs_{column}", "identity_proofs", [column], unique=False)


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("locale", sa.String(length=5), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_users_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("tenant_id", "email", name="uq_users_tenant_id_email"),
    )
    op.create_index("ix_users_tenant_id", "users", ["tenant_id"], unique=False)


def _keys() -> None:
    for column in (
        sa.Column("user_id", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("previous_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("networks", sa.JSON(), nullable=True),
        sa.Column("created_by", sa.String(length=40), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("api_keys", column)
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"], unique=False)
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_access_tokens_key_id"),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
    )
    op.create_index("ix_access_tokens_key_id", "access_tokens", ["key_id"], unique=False)
    op.create_table(
        "auth_failures",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_auth_failures"),
    )
    op.create_index("ix_auth_failures_since", "auth_failures", ["since"], unique=False)
