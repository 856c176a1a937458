"""Whether somebody may act under a power of attorney: when a contract is sent, and again when they act.

    party.mandate = reference(unit, "/parties/0/power_of_attorney", name)      # a draft, or a delegate
    findings += objections(context, contract)                                  # sending, delegating

    standing = at_signing(unit, contract, party)              # verified anew, before the transaction
    snapshot = confirm(session, party, standing, now)         # in it: MandateRefused, or what goes on record
    require_in_term(session, tenant_id, party, now)           # when a value comes in, or before a key is used

A party may also name a power of attorney by words. That is a reference, kept and not checked, and it is shown as such.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from api.audit.service import moment
from api.context import Context
from api.contracts.models import Contract, Party
from api.errors import NotFound, StateConflict, ValidationFailed
from api.kit.edge import Unit
from api.kit.refusals import problem_at
from api.mandates import repository
from api.mandates.examination import examine_again, grant_in, revocation_of
from api.mandates.models import PowerOfAttorney
from api.mandates.receiving import refusal

if TYPE_CHECKING:
    from signer.mandates import Claim
    from signer.report import CheckResult


@dataclass(frozen=True)
class Standing:
    """What was found of a power of attorney a moment ago."""

    row: PowerOfAttorney
    checks: tuple[CheckResult, ...]


def reference(unit: Unit, pointer: str, name: str) -> dict[str, Any]:
    """Return what a party keeps of a power of attorney on record. Raises ValidationFailed."""
    with unit.read() as session:
        try:
            row = repository.get(session, unit.tenant_id, name)
        except NotFound as error:
            problem = problem_at(pointer, error.code, error.message)
            raise ValidationFailed("a power of attorney cannot be used", errors=[problem]) from None
    return {"type": row.kind, "document": row.number, "power_of_attorney": row.id}


def name_of(party: Party) -> str | None:
    """Return the id of the power of attorney on record that a party acts under."""
    name: str | None = (party.mandate or {}).get("power_of_attorney")
    return name


def objections(context: Context, contract: Contract) -> list[dict[str, str]]:
    """Return what forbids parties of a draft to act under the powers of attorney they name."""
    found = []
    for index, party in enumerate(contract.parties):
        found += objections_to(context, contract, party, f"/parties/{index}/power_of_attorney")
    return found


def objections_to(context: Context, contract: Contract, party: Party, pointer: str) -> list[dict[str, str]]:
    """Return what forbids a party to act under the power of attorney it names; nothing where it names none."""
    name = name_of(party)
    if name is None:
        return []
    with context.database.read() as session:
        row = repository.get(session, contract.tenant_id, name)
    checks = _judged(context, contract, party, row)
    failed = [check for check in checks if check.result == "failed"]
    return [problem_at(pointer, f"mandate-{check.id}", check.detail or check.id) for check in failed]


def at_signing(unit: Unit, contract: Contract, party: Party) -> Standing | None:
    """Verify the power of attorney of a party anew; None where it names none on record. Raises NotFound."""
    name = name_of(party)
    if name is None:
        return None
    with unit.read() as session:
        row = repository.get(session, unit.tenant_id, name)
    return Standing(row, _judged(unit.context, contract, party, row))


def confirm(session: Session, party: Party, standing: Standing | None, now: datetime) -> dict[str, Any] | None:
    """Return what goes on record of the power of attorney that a party acts under; None where it names none.

    Days and revocation are looked at once more, in the transaction of the act. Raises MandateRefused, StateConflict.
    """
    from signer.mandates import accepted, judge_time, open_points

    name = name_of(party)
    if name is None:
        return None
    if standing is None or standing.row.id != name:
        raise StateConflict("the party changed meanwhile", state=party.state, allowed=[])
    row = repository.get(session, standing.row.tenant_id, name)
    again = {check.id: check for check in judge_time(grant_in(row), now, revocation_of(row))}
    checks = [again.get(check.id, check) for check in standing.checks]
    if not accepted(checks):
        raise refusal(checks)
    return {
        "power_of_attorney": row.id,
        "kind": row.kind,
        "number": row.number,
        "status": "accepted",
        "at": moment(now),
        "checks": [check.to_json() for check in checks],
        "open": list(open_points(checks)),
        "content_sha256": row.content_sha256,
        "signature_sha256": row.signature_sha256,
        "signature_judged_at": moment(row.created_at),
    }


def facts(snapshot: dict[str, Any] | None) -> dict[str, Any]:
    """Return what an event says of it: nothing where the party acts under none on record."""
    return {} if snapshot is None else {"mandate": snapshot}


def require_in_term(session: Session, tenant_id: str, party: Party, now: datetime) -> None:
    """Raise MandateRefused where the power of attorney of a party is over or revoked by now."""
    from signer.mandates import accepted, judge_time

    name = name_of(party)
    if name is None:
        return
    row = repository.get(session, tenant_id, name)
    checks = judge_time(grant_in(row), now, revocation_of(row))
    if not accepted(checks):
        raise refusal(checks)


def evidence_of(context: Context, session: Session, contract: Contract) -> list[dict[str, Any]]:
    """Return the powers of attorney that parties of a contract name, with their log and, of a МЧД, both files."""
    from api.contracts.evidence_schemas import EventOut
    from api.mandates.log import entries_of
    from api.mandates.schemas import PowerOfAttorneyOut

    names = dict.fromkeys(name for name in map(name_of, contract.parties) if name is not None)
    found = []
    for name in names:
        row = repository.get(session, contract.tenant_id, name)
        events = entries_of(session, row, after=0, limit=1_000_000)
        files = {}
        if row.signature_sha256 is not None:
            files = {"xml": _file(context, row.content_sha256), "signature": _file(context, row.signature_sha256)}
        found.append(
            {
                **PowerOfAttorneyOut.of(row, context.now()).model_dump(mode="json"),
                "files": files,
                "events": [
                    EventOut.model_validate(each, from_attributes=True).model_dump(mode="json") for each in events
                ],
            }
        )
    return found


def _file(context: Context, sha256: str) -> str:
    with context.storage.local(sha256) as path:
        return base64.b64encode(path.read_bytes()).decode()


def _judged(context: Context, contract: Contract, party: Party, row: PowerOfAttorney) -> tuple[CheckResult, ...]:
    from signer.mandates import judge_use

    found = examine_again(context, row)
    use = judge_use(found.grant, claim_of(contract, party), context.now(), revocation_of(row))
    return (*found.checks, *use)


def claim_of(contract: Contract, party: Party) -> Claim:
    """Return who acts and for whom: numbers of the party, of its certificate, and of the organisation it acts for.

    A delegate acts for the organisation of whoever delegated; of those, the numbers of people are not the delegate's.
    """
    from certs.certificate import load_certificates
    from certs.identifiers import Identifier
    from signer.mandates import Claim
    from signer.mandates.matching import is_personal

    def stated(rows: Iterable[dict[str, str]]) -> list[Identifier]:
        return [Identifier(each["scheme"], each["value"]) for each in rows]

    numbers = stated(party.identifiers)
    for other in contract.parties:
        if other.id == party.delegate_of:
            numbers += [each for each in stated(other.identifiers) if not is_personal(each)]
    if party.certificates is not None and party.seal_id is None:
        numbers += load_certificates(party.certificates.encode())[0].identifiers
    return Claim(party.name, party.organisation, tuple(dict.fromkeys(numbers)))
