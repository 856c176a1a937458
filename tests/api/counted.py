"""Hold every transaction of every test to this: what changes a contract, a party or a document of it is counted.

`api.contracts.repository.again` takes a contract that was read before as it is where neither its version nor the number
of its events has changed. So a change that counts neither would go unseen.

One is left out: a rotation puts keys under another master key, and whoever has the old octets in hand opens them too.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import ORMExecuteState, Session

from api.contracts.models import Contract, ContractDocument, Party

COUNTS = {"version", "audit_sequence"}
CHANGED, COUNTED, MEDDLED = "contracts changed", "contracts counted", "a test meddles"


def install() -> None:
    """Look at all sessions of this process from now on."""
    event.listen(Session, "after_flush", _note)
    event.listen(Session, "do_orm_execute", _note_statement)
    event.listen(Session, "before_commit", _check)


def meddle(session: Session) -> None:
    """Let a test change in this transaction what nobody else may."""
    session.info[MEDDLED] = True


def _note(session: Session, *_: Any) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, Contract):
            names = {name for name, state in inspect(row).attrs.items() if state.history.has_changes()}
            if names:
                _add(session, CHANGED, row.id)
            if names & COUNTS or row in session.deleted:
                _add(session, COUNTED, row.id)
        elif isinstance(row, Party | ContractDocument) and (
            row in session.new or row in session.deleted or session.is_modified(row)
        ):
            _add(session, CHANGED, row.contract_id)


def _note_statement(state: ORMExecuteState) -> None:
    writes = (state.is_update or state.is_delete) and state.bind_mapper is not None
    if writes and state.is_update and {str(name) for name in state.statement._values} == {"parties.sealed_key"}:
        return
    if writes and state.bind_mapper.class_ in {Contract, Party, ContractDocument}:
        _add(state.session, CHANGED, "some contract")


def _add(session: Session, what: str, contract: str) -> None:
    session.info.setdefault(what, set()).add(contract)


def _check(session: Session) -> None:
    if session.in_nested_transaction() or session.info.get(MEDDLED):
        return
    session.flush()
    changed, counted = (session.info.pop(name, set()) for name in (CHANGED, COUNTED))
    if "some contract" in changed and counted:
        changed.discard("some contract")
    assert changed <= counted, f"changed and not counted: {changed - counted}"
