"""The checks of one use of a power of attorney: somebody acts for an organisation at a moment.

 1. term            the moment lies in its days, the last one included                     EMCHD_1 СрокДейст
 2. revocation      nobody has stated here that it is revoked                              –
 3. represented     the principal is the organisation that is acted for; of a sub-delegation, the first principal
 4. representative  whoever acts is among those it empowers
 5. alone           nobody else has to act with them                                       EMCHD_1 ПрСовмПолн

What may be done under it, and up to which amount, is for people to read: it is shown, and not judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from certs.identifiers import Identifier
from certs.mandates import Actor
from signer.mandates.grant import Grant
from signer.mandates.matching import compare, is_personal, same_organisation_name, same_person_name
from signer.report import CheckResult, stamp


@dataclass(frozen=True)
class Claim:
    """Who acts, and for which organisation."""

    name: str
    organisation: str | None
    identifiers: tuple[Identifier, ...] = ()
    """Those of the person and those of the organisation."""


@dataclass(frozen=True)
class Revocation:
    """What somebody stated: that a power of attorney ended early."""

    at: datetime
    reason: str


def judge_use(
    grant: Grant, claim: Claim, moment: datetime, revocation: Revocation | None = None
) -> tuple[CheckResult, ...]:
    """Return what is found of one use."""
    return (
        *judge_time(grant, moment, revocation),
        _represented(grant, claim),
        _representative(grant, claim),
        _alone(grant),
    )


def judge_time(grant: Grant, moment: datetime, revocation: Revocation | None = None) -> tuple[CheckResult, ...]:
    """Return whether a moment lies in the term, before a revocation that was stated."""
    day, span = (
        moment.astimezone(grant.zone).date(),
        f"{grant.first} to {grant.last}, days of {grant.zone.tzname(None)}",
    )
    clause = "EMCHD_1 ДатаВыдДовер, СрокДейст" if grant.kind == "mandate" else ""
    if day < grant.first:
        term = CheckResult("term", clause, "failed", f"not yet valid: {span}")
    elif day > grant.last:
        term = CheckResult("term", clause, "failed", f"expired: {span}")
    else:
        term = CheckResult("term", clause, "passed", span)
    basis = "statements made to this service"
    if revocation is not None and revocation.at <= moment:
        detail = f"revoked at {stamp(revocation.at)}: {revocation.reason}"
        return term, CheckResult("revocation", "", "failed", detail, basis)
    return term, CheckResult("revocation", "", "passed", "nobody has stated that it is revoked", basis)


def _represented(grant: Grant, claim: Claim) -> CheckResult:
    numbers = [each for each in claim.identifiers if not is_personal(each)]
    by_name, contradicted = False, ""
    for principal in grant.represented:
        same, different = compare(principal.identifiers, numbers)
        if same and not different:
            return CheckResult("represented", "", "passed", f"{principal.name}, by {_kinds(same)}")
        if different:
            contradicted = f"it lets somebody act for {principal.name}, with another {_kinds(different)}"
        elif same_organisation_name(principal.name, claim.organisation or ""):
            by_name = True
    if by_name:
        detail = "the name is the same, and there is no number of the organisation to compare"
        return CheckResult("represented", "", "not-checked", detail)
    names = _names(grant.represented) or "nobody that it names"
    detail = contradicted or f"it lets somebody act for {names}, and {claim.organisation or 'nobody'} is acted for"
    return CheckResult("represented", "", "failed", detail)


def _representative(grant: Grant, claim: Claim) -> CheckResult:
    numbers = [each for each in claim.identifiers if is_personal(each)]
    by_name, contradicted = False, ""
    for each in filter(_is_somebody, grant.representatives):
        same, different = compare([one for one in each.identifiers if is_personal(one)], numbers)
        if not same_person_name(each.name, claim.name):
            continue
        if different:
            contradicted = f"{each.name} has another {_kinds(different)}"
        elif same:
            return CheckResult("representative", "", "passed", f"{each.name}, by {_kinds(same)}")
        else:
            by_name = True
    if by_name:
        detail = "the name is the same, and there is no number of the person to compare"
        return CheckResult("representative", "", "not-checked", detail)
    names = _names(grant.representatives)
    detail = contradicted or f"it empowers {names}, and {claim.name} acts"
    return CheckResult("representative", "", "failed", detail)


def _is_somebody(actor: Actor) -> bool:
    """Tell whether a representative is a human being: an organisation acts by others, whom its own papers empower."""
    return actor.kind in {"person", "sole-trader"}


def _alone(grant: Grant) -> CheckResult:
    clause = "EMCHD_1 ПрСовмПолн" if grant.kind == "mandate" else ""
    if len(grant.representatives) == 1:
        return CheckResult("alone", clause, "passed", "it empowers one only")
    detail = (
        f"it empowers {len(grant.representatives)}, and whether each may act alone is for people to read "
        f"(code {grant.joint_code or 'not given'})"
    )
    return CheckResult("alone", clause, "not-checked", detail)


def _names(actors: tuple[Actor, ...]) -> str:
    """Return the names of a few."""
    return ", ".join(each.name for each in actors[:3]) + (" …" if len(actors) > 3 else "")


def _kinds(kinds: list[str]) -> str:
    return ", ".join(kind.partition("/")[0] for kind in kinds)
