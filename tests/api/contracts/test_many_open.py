"""What is asked for every second, or at every look, does not read every open contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from api.contracts import repository
from api.contracts.models import Contract
from api.db import Database
from api.documents.models import Document
from api.envelopes.repository import keys_of
from api.jobs.models import Job
from api.migrations import upgrade

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def newest(model: Any, *where: Any) -> Callable[[Session], Any]:
    return lambda session: session.scalars(
        select(model).where(model.tenant_id == "ten_1", *where).order_by(model.id.desc()).limit(21)
    ).all()


def own_key(session: Session) -> Any:
    return keys_of(session, "ten_1", None, "sm2", NOW)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path_factory.mktemp('many') / 'db.sqlite3'}")
    upgrade(found)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("ask", "plan"),
    [
        (lambda session: repository.overdue(session, NOW), "(state=? AND expires_at<?)"),
        (lambda session: repository.to_remind(session, NOW), "(state=? AND next_reminder_at<?)"),
        (newest(Contract), "(tenant_id=?)"),
        (newest(Contract, Contract.state == "completed"), "(tenant_id=? AND state=?)"),
        (newest(Document), "(tenant_id=?)"),
        (newest(Job), "(tenant_id=?)"),
        (own_key, "(tenant_id=? AND party_id=?)"),
    ],
    ids=["overdue", "to remind", "contracts", "contracts in a state", "documents", "jobs", "own key"],
)
def test_an_index_finds_them_in_order(database: Database, ask: Callable[[Session], Any], plan: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.read() as session:
            ask(session)
            statement, parameters = next(row for row in asked if row[0].startswith("SELECT"))
            found = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)

    assert found[0][3].endswith(plan), found
    assert ask is own_key or len(found) == 1, found  # no sorting, where there may be many
