"""Identifiers, the vault, the database, the schema, the error table."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

import api
import certs
import signer
from api.auth.models import Tenant
from api.auth.service import create_key, create_tenant
from api.certificates.models import IssuedCertificate
from api.config import from_environment
from api.db import Database
from api.errors import CODES, APIError, ConfigurationError, problem, row_of
from api.jobs import engine
from api.kit.ids import PREFIXES, is_id, new_id
from api.migrations import check_or_upgrade, current, newest, upgrade
from api.models import Base
from certs.errors import SealroadError

# identifiers ---------------------------------------------------------------------------------------------------


def test_identifiers_sort_by_time_and_are_unique_across_threads() -> None:
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append([new_id("ctr") for _ in range(2000)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(batch == sorted(batch) for batch in found)
    assert len({name for batch in found for name in batch}) == 8000
    assert all(is_id("ctr", name) for name in found[0])


def test_an_identifier_of_another_kind_is_not_one() -> None:
    assert not is_id("doc", new_id("ctr"))
    for wrong in ("", "ctr_", "ctr_xyz", "ctr_" + "0" * 32, new_id("ctr").upper(), new_id("ctr") + "0"):
        assert not is_id("ctr", wrong)
    assert len(set(PREFIXES)) == len(PREFIXES)


# database ------------------------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'db.sqlite3'}")
    upgrade(database)
    return database


def test_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        options = {"compare_type": True, "include_name": lambda name, *_: name not in engine.TABLES}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []
    assert current(database) == newest()


def test_certificates_from_before_the_ledger_told_their_state_stay(tmp_path: Path) -> None:
    from alembic import command

    from api import migrations

    with closing(Database(f"sqlite:///{tmp_path / 'old'}")) as old:
        config = migrations._config()
        with old.engine.execution_options(sealroad_write=True).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0002")
            connection.execute(
                text("INSERT INTO tenants (id, name, created_at) VALUES ('t', 't', '2026-01-01 00:00:00')")
            )
            connection.execute(
                text(
                    "INSERT INTO certificates VALUES ('c', 't', 'sm2', 'person', '5a', 'x', 'y', 'pem', "
                    "'2027-01-01 00:00:00', '2026-01-01 00:00:00', '2026-02-01 00:00:00', 'superseded')"
                )
            )
        migrations.check_or_upgrade(old)
        with old.read() as session:
            row = session.get_one(IssuedCertificate, "c")
            assert (row.serial, row.pem, row.repetition) == ("5a", "pem", None)


def test_several_processes_may_migrate_at_once(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def migrate() -> None:
        try:
            check_or_upgrade(Database(f"sqlite:///{tmp_path / 'db.sqlite3'}"))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="newer version"):
        check_or_upgrade(database)


def test_sqlite_runs_with_wal_foreign_keys_and_full_sync(database: Database) -> None:
    with database.read() as session:
        pragmas = {
            name: session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2}


def test_writers_queue_up_instead_of_failing(database: Database) -> None:
    """Read-then-write transactions of eight threads: none is refused with SQLITE_BUSY, none is lost."""
    now = datetime(2026, 11, 21, tzinfo=UTC)
    with database.write() as session:
        tenant = create_tenant(session, "t", now=now)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(10):
                with database.write() as session:
                    row = session.get(Tenant, tenant.id)
                    assert row is not None
                    row.name = str(int(row.name.removeprefix("t") or 0) + 1)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.read() as session:
        assert session.scalar(text("SELECT name FROM tenants")) == "80"


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as session:
            create_tenant(session, "gone", now=datetime.now(UTC))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM tenants")) == 0


def test_the_audit_trail_cannot_be_changed_or_deleted_even_with_sql(database: Database) -> None:
    with database.write() as session:
        tenant = create_tenant(session, "t", now=datetime.now(UTC))
        session.execute(
            text(
                "INSERT INTO audit_events (id, tenant_id, contract_id, sequence, type, at, body, hash)"
                " VALUES ('evt_1', :tenant, 'ctr_1', 1, 'x', '2026-01-01', '{}', '0')"
            ),
            {"tenant": tenant.id},
        )
    for statement in ("UPDATE audit_events SET hash = '1'", "DELETE FROM audit_events"):
        with pytest.raises(DatabaseError, match="audit events"), database.write() as session:
            session.execute(text(statement))


def test_a_naive_time_is_never_stored(database: Database) -> None:
    with pytest.raises(Exception, match="naive"), database.write() as session:
        create_tenant(session, "t", now=datetime(2026, 1, 1))  # noqa: DTZ001


def test_secrets_of_api_keys_are_not_in_the_database(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        now = datetime.now(UTC)
        token = create_key(
            session, create_tenant(session, "t", now=now), name="k", now=now, expires_at=now + timedelta(1)
        )
    database.close()
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.split("_", 2)[2].encode() not in everything


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://localhost/x", "oracle://x"])
def test_a_database_url_that_cannot_be_used_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Database(url)


@pytest.mark.parametrize(
    "name", ["MAX_UPLOAD", "VERIFY_SECONDS", "VERIFY_MEMORY", "VERIFY_WORKERS", "CIRCLE_PARTITIONS"]
)
def test_a_number_that_leaves_nothing_is_refused(name: str) -> None:
    for wrong in ("0", "-5"):
        with pytest.raises(ConfigurationError, match=f"SEALROAD_{name} is too small"):
            from_environment({f"SEALROAD_{name}": wrong})
    assert from_environment({"SEALROAD_PORT": "0"}).port == 0


def test_settings_come_from_the_environment_and_arguments_win(tmp_path: Path) -> None:
    environment = {"SEALROAD_DATA": str(tmp_path), "SEALROAD_PORT": "9000", "SEALROAD_MAX_UPLOAD": "1000"}
    found = from_environment(environment, port=0, host=None)
    assert (found.data, found.port, found.max_upload, found.host) == (tmp_path, 0, 1000, "127.0.0.1")
    with pytest.raises(ConfigurationError):
        from_environment({"SEALROAD_PORT": "many"})
    assert (found.own_check, from_environment({"SEALROAD_OWN_CHECK": "256"}).own_check) == (1, 256)
    for wrong in ("0", "-1", "10001", "often"):
        with pytest.raises(ConfigurationError, match="SEALROAD_OWN_CHECK"):
            from_environment({"SEALROAD_OWN_CHECK": wrong})


# errors --------------------------------------------------------------------------------------------------------


def every_error() -> list[type[SealroadError]]:
    for package in (certs, signer, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." not in module.name:
                importlib.import_module(module.name)
    found: list[type[SealroadError]] = []
    queue: list[type[SealroadError]] = [SealroadError]
    while queue:
        kind = queue.pop()
        found.append(kind)
        queue.extend(kind.__subclasses__())
    return [kind for kind in found if kind.__module__.split(".")[0] in {"certs", "signer", "api"}]


def test_every_error_code_is_mapped_once() -> None:
    kinds = every_error()
    codes = [kind.code for kind in kinds]
    assert {code for code in codes if code not in CODES} == set()
    assert {code for code in CODES if code not in codes} == set()
    assert len(codes) == len(set(codes)), "two classes share a code"
    assert all(kind.__doc__ for kind in kinds)


def test_internal_errors_tell_nothing() -> None:
    for code, row in CODES.items():
        assert 400 <= row.status < 600
        assert row.private == (row.status == 500)
        error = type("E", (APIError,), {"code": code})("path /srv/secret", hint="see /srv/secret", state="/srv/secret")
        body = problem(error, instance="/v1/x", request_id="r")
        assert ("secret" in str(body)) == (not row.private)
        assert body["status"] == row.status
    assert row_of("never-heard-of").private
