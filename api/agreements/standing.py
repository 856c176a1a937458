"""What a contract is signed under: whether the agreement stands, and whether it accepts who is to sign, and with what.

    octets = under(context, contract)           # to be named in the signature; AgreementRefused where it stands no more
    check(context, contract)                    # everything that the agreement will refuse, before anybody signs
    data = file_of(session, agreement)          # with all signatures, as `sealroad verify --agreement` reads it

The check is the verifier's own (`signer.layers.foresight`): what it lets through, `verify` will not refuse later for a
reason that was known now.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from api.agreements import repository
from api.agreements.models import Agreement
from api.agreements.states import Kind, in_force_at
from api.context import Context
from api.contracts.models import Contract, Party
from api.contracts.workflow import Role
from api.errors import AgreementRefused
from api.kit.refusals import problem_at
from signer.report import IdentifierReport, SignerReport

if TYPE_CHECKING:
    from signer.layers.foresight import Intent

NOT_IN_FORCE = "agreement-not-in-force"


def under(context: Context, contract: Contract) -> bytes | None:
    """Return the octets that signatures of a contract name; None where it names no agreement.

    Raises AgreementRefused where the agreement is not in force at this moment.
    """
    if contract.agreement_id is None:
        return None
    with context.database.read() as session:
        agreement = repository.get(session, contract.tenant_id, contract.agreement_id)
    require_in_force(agreement, context.now())
    return agreement.octets


def require_in_force(agreement: Agreement, moment: datetime) -> None:
    """Raise AgreementRefused unless something may be signed under an agreement at a moment."""
    if agreement.kind == Kind.AGREEMENT and in_force_at(
        agreement.state,
        moment,
        start=agreement.valid_from,
        end=agreement.valid_to,
        ended=agreement.ended_at,
    ):
        return
    problem = problem_at("/agreement", NOT_IN_FORCE, f"the agreement is {agreement.state}, and not in force now")
    raise AgreementRefused(
        "the framework agreement is not in force",
        hint="name one that every party has signed, that has begun and not ended",
        reason=NOT_IN_FORCE,
        errors=[problem],
    )


def end_of(context: Context, contract: Contract) -> datetime | None:
    """Return the last moment at which something can be signed under the agreement of a contract, if it has one."""
    if contract.agreement_id is None:
        return None
    with context.database.read() as session:
        agreement = repository.get(session, contract.tenant_id, contract.agreement_id)
    ends = [each for each in (agreement.valid_to, agreement.ended_at) if each is not None]
    return min(ends) if ends else None


def check(context: Context, contract: Contract, delegate: Party | None = None) -> None:
    """Raise AgreementRefused with everything that the agreement of a contract will refuse of its signatures.

    With `delegate`, of the signature of this one, who is to take over a part. A key that is still to be made is judged
    by what its certificate will say.
    """
    from signer.layers.foresight import objections

    octets = under(context, contract)
    if octets is None:
        return
    problems = []
    end, deadline = end_of(context, contract), contract.expires_at
    if end is not None and deadline is not None and deadline > end:
        problems.append(problem_at("/expires_at", "agreement-ends-earlier", f"the agreement ends on {end:%Y-%m-%d}"))
    parties = [(f"/parties/{index}", party) for index, party in enumerate(contract.parties)]
    for pointer, party in parties if delegate is None else [("", delegate)]:
        if party.role == Role.CC or party.suite is None:
            continue
        found = objections(_intent(context, contract, party), octets)
        if party.certificates is None:  # what it will state is known when it is issued, and asked again then
            found = tuple(each for each in found if each.id != "certificate-policies")
        problems += [problem_at(pointer, f"agreement-{each.id}", f"{each.detail} ({each.clause})") for each in found]
    if problems:
        raise AgreementRefused(
            f"the framework agreement does not accept it: {problems[0]['detail']}",
            hint="each entry of errors names the party and the condition",
            reason=problems[0]["code"],
            errors=problems,
        )


def _intent(context: Context, contract: Contract, party: Party) -> Intent:
    from certs.certificate import load_certificates
    from signer.layers.foresight import Intent

    now, suite = context.now(), party.suite or ""
    circle = context.circles.get(suite)
    stamper = circle.tsa.certificate if contract.level != "B-B" else None
    if party.certificates is not None:
        first, *chain = load_certificates(party.certificates.encode())
        return Intent(first, chain, suite, contract.level, now, stamper)
    return Intent(_subject(party, now), circle.chain, suite, contract.level, now, stamper)


def _subject(party: Party, now: datetime) -> SignerReport:
    """Return what a certificate that is still to be issued will say."""
    return SignerReport(
        subject=party.name,
        issuer="",
        serial="",
        not_before=now,
        not_after=now,
        common_name=party.name,
        organisation=party.organisation,
        identifiers=tuple(IdentifierReport(each["scheme"], each["value"], True) for each in party.identifiers),
        key_suite=party.suite,
    )


def file_of(session: Session, agreement: Agreement) -> bytes:
    """Return an agreement with the signatures on it and what ended it, as one file."""
    from signer.layers import bundle

    def signed(row: Agreement) -> bundle.Signed:
        found = repository.signatures_of(session, row)
        return bundle.Signed(row.octets or b"", tuple(each.cms for each in found if each.cms is not None))

    return bundle.write(signed(agreement), tuple(map(signed, repository.endings_of(session, agreement))))
