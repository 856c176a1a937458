"""Contracts that change, renew, terminate or annul an earlier one.

A completed contract is never altered. What ends or changes it is a new contract that names it and is signed by the same
parties. When the new one is complete, that is written beside the earlier one (`Succession`) and into its trail; its
documents, its signatures and its state stay as they were.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.audit.service import record
from api.contracts import repository
from api.contracts.models import Contract, Party, Succession
from api.contracts.parts import RelatesTo, Relation
from api.contracts.transition import SYSTEM, touch
from api.contracts.workflow import BINDS, ContractState, PartyState, Role
from api.errors import NotFound, ValidationFailed
from api.kit.edge import Unit
from api.kit.refusals import problem_at


def relate(unit: Unit, contract: Contract, to: RelatesTo | None) -> None:
    """Make a draft refer to an earlier contract of the tenant, or to none. Raises ValidationFailed."""
    if to is None:
        contract.relates_to_id = contract.relates_to_kind = None
        return
    try:
        with unit.read() as session:
            earlier = repository.get(session, unit.tenant_id, to.contract)
    except NotFound as error:
        raise _refuse([problem_at("/relates_to/contract", error.code, error.message)]) from None
    if earlier.state != ContractState.COMPLETED:
        detail = f"the contract is {earlier.state}: only a completed one is changed or ended"
        raise _refuse([problem_at("/relates_to/contract", "not-completed", detail)])
    contract.relates_to_id, contract.relates_to_kind = earlier.id, str(to.kind)


def check(session: Session, contract: Contract) -> None:
    """Raise ValidationFailed unless a contract that is sent may do to the earlier one what it says."""
    if contract.relates_to_id is None:
        return
    earlier = repository.get(session, contract.tenant_id, contract.relates_to_id)
    kinds = {Relation(row.kind) for row in earlier.successors}
    over = Relation.ANNULMENT in kinds or (
        Relation.TERMINATION in kinds and contract.relates_to_kind != Relation.ANNULMENT
    )
    if over:
        raise _refuse([problem_at("/relates_to", "already-ended", "the earlier contract has been ended already")])
    before = [party for party in _binding(earlier) if party.state == PartyState.SIGNED]
    now = _binding(contract)
    findings = [
        problem_at("/parties", "party-missing", f"{party.name} signed the earlier contract and does not sign this one")
        for party in before
        if not _among(party, now)
    ]
    findings += [
        problem_at(f"/parties/{index}", "not-a-party-before", f"{party.name} did not sign the earlier contract")
        for index, party in enumerate(contract.parties)
        if party in now and not _among(party, before)
    ]
    if findings:
        raise _refuse(findings)


def succeed(session: Session, contract: Contract, now: datetime) -> None:
    """Write beside the earlier contract what this completed one has done to it.

    The version of the earlier one rises, for what is read of it has changed: its trail, and by what it was changed.
    """
    if contract.relates_to_id is None or contract.relates_to_kind is None:
        return
    earlier = repository.get(session, contract.tenant_id, contract.relates_to_id, lock=True)
    session.add(Succession(successor_id=contract.id, contract_id=earlier.id, kind=contract.relates_to_kind, at=now))
    facts = {"kind": contract.relates_to_kind, "by": contract.id, "audit_hash": contract.audit_hash}
    record(session, earlier, "contract.succeeded", now=now, actor=SYSTEM, data=facts)
    touch(earlier, now)


def facts_of(contract: Contract) -> dict[str, Any]:
    """Return, for the audit, what the contract refers to."""
    if contract.relates_to_id is None:
        return {}
    return {"relates_to": {"contract": contract.relates_to_id, "kind": contract.relates_to_kind}}


def same(one: Party, other: Party) -> bool:
    """Tell whether two parties are the same side of a contract, whoever signs for it.

    By a seal or a national identifier that both have; else by the name of the organisation; else, of people, by name.
    Two identifiers of one scheme that differ are two sides, whatever their names.
    """
    if one.seal_id is not None and one.seal_id == other.seal_id:
        return True
    ours, theirs = ({item["scheme"]: item["value"] for item in party.identifiers} for party in (one, other))
    shared = ours.keys() & theirs.keys()
    if shared:
        return all(ours[scheme] == theirs[scheme] for scheme in shared)
    if one.organisation is not None or other.organisation is not None:
        return plain(one.organisation or "") == plain(other.organisation or "")
    return plain(one.name) == plain(other.name)


def plain(name: str) -> str:
    """Return a name without what does not tell two names apart: case, widths of characters, numbers of spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _binding(contract: Contract) -> list[Party]:
    return [party for party in contract.parties if Role(party.role) in BINDS]


def _among(party: Party, others: Iterable[Party]) -> bool:
    return any(same(party, other) for other in others)


def _refuse(findings: list[dict[str, str]]) -> ValidationFailed:
    return ValidationFailed(f"the relation cannot be used: {findings[0]['detail']}", errors=findings)
