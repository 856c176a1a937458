"""A contract that was read before is taken as it was, unless something has happened to it since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from api.contracts import repository
from api.contracts.models import Contract, ContractDocument
from api.errors import NotFound
from tests.api.conftest import User, held


def read(user: User, contract: dict[str, Any]) -> Contract:
    with user.context.database.read() as session:
        return repository.get(session, user.tenant_id, contract["id"])


def statements(user: User, act: Callable[[], Any]) -> tuple[Any, list[str]]:
    """Return what `act` returns, and what it asked the database."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(user.context.database.engine, "before_cursor_execute", note)
    try:
        return act(), [text for text in asked if not text.startswith("BEGIN")]
    finally:
        event.remove(user.context.database.engine, "before_cursor_execute", note)


def test_where_nothing_has_happened_it_is_not_read_again(user: User) -> None:
    seen = read(user, user.sent(held("ecdsa-p256")))
    with user.context.database.write() as session:
        found, asked = statements(user, lambda: repository.again(session, seen))
        assert found is seen
        assert seen in session
        assert all(party in session for party in seen.parties)
        assert all(row in session for row in seen.documents)
    assert len(asked) == 1


@pytest.mark.parametrize("act", ["sign", "void", "view"])
def test_where_something_has_it_is_read_again(user: User, act: str) -> None:
    contract = user.sent(held("ecdsa-p256"))
    seen, party = read(user, contract), contract["parties"][0]
    if act == "sign":
        user.sign(contract, party)
        user.wait_for_state(contract, "completed")
    elif act == "void":
        answer = user.post(f"/v1/contracts/{contract['id']}/void", headers={"if-match": f'"v{contract["version"]}"'})
        assert answer.status_code == 200, answer.text
    else:
        answer = user.post(f"/v1/contracts/{contract['id']}/parties/{party['id']}/view")
        assert answer.status_code == 200, answer.text
    with user.context.database.write() as session:
        found = repository.again(session, seen)
        assert found is not seen
        assert seen not in session
        assert found.audit_sequence > seen.audit_sequence
    now = user.contract(contract)
    assert (found.state, found.parties[0].state) == (now["state"], now["parties"][0]["state"])


def test_a_draft_that_is_gone_is_not_found(user: User) -> None:
    contract = user.draft([held("ecdsa-p256")])
    seen = read(user, contract)
    answer = user.request("DELETE", f"/v1/contracts/{contract['id']}", headers={"if-match": '"v1"'})
    assert answer.status_code == 204, answer.text
    with user.context.database.write() as session, pytest.raises(NotFound):
        repository.again(session, seen)


@pytest.mark.parametrize("how", ["a party", "a document", "a statement"])
def test_a_change_that_counts_nothing_would_be_noticed_in_every_test(user: User, how: str) -> None:
    contract = read(user, user.sent(held("ecdsa-p256")))

    def change(session: Session) -> None:
        row = repository.get(session, user.tenant_id, contract.id, lock=True)
        if how == "a party":
            row.parties[0].name = "Somebody else"
        elif how == "a document":
            row.documents[0].head_size += 1
        else:
            session.execute(update(ContractDocument).values(head_size=1))

    with pytest.raises(AssertionError, match="changed and not counted"), user.context.database.write() as session:
        change(session)
    assert read(user, {"id": contract.id}).parties[0].name == contract.parties[0].name
