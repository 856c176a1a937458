"""Whose signature on an agreement a certificate makes, whether it may come in now, and whether it holds.

terms = terms_of(session, agreement)                # who signs, and what the agreement accepts of them
signer = signer_of(terms, certificate, chain, now)  # AgreementRefused where it is nobody's, or not accepted
verdict = verified(context, cms, octets)            # by the program's own verifier; WrongValue
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from api.agreements import repository
from api.agreements.models import Agreement
from api.agreements.reading import index_of
from api.agreements.states import Kind, move
from api.context import Context
from api.errors import AgreementRefused, StateConflict
from signer.errors import SigningRefused, StaleRequest, WrongValue

if TYPE_CHECKING:
    from certs.certificate import Certificate
    from signer.layers import Party

MAX_CHAIN = 10
NOT_OF_THE_MOMENT = frozenset({"in-force", "agreement-binding", "level", "time", "time-authorities", "agreement-ended"})
"""What an agreement asks of signatures under it, and not of those on itself."""
OPEN_TRUST = frozenset({"NO_CERTIFICATE_CHAIN_FOUND", "TRY_LATER"})
"""Sub-indications of a certificate from elsewhere: the authority, or its lists, are not known to this service."""


@dataclass(frozen=True)
class Signer:
    """Who signs: one of the parties, with a certificate."""

    index: int
    certificate: Certificate
    chain: tuple[Certificate, ...]
    suite: str

    @property
    def pem(self) -> str:
        """The certificate and its chain."""
        return "".join(each.pem for each in (self.certificate, *self.chain))


@dataclass(frozen=True)
class Terms:
    """Whose signatures are wanted, and the agreement that says what they must be."""

    accepted: bytes
    parties: tuple[Party, ...]


def terms_of(session: Session, agreement: Agreement) -> Terms:
    """Return who signs and with what: for a termination as the agreement that it ends has it."""
    from signer.layers.agreement import read_agreement

    if agreement.kind == Kind.TERMINATION and agreement.ends_id is not None:
        agreement = repository.get(session, agreement.tenant_id, agreement.ends_id)
    octets = octets_of(agreement)
    return Terms(octets, read_agreement(octets).parties)


def octets_of(agreement: Agreement) -> bytes:
    """Return what is signed."""
    assert agreement.octets is not None  # there are some from offering on
    return agreement.octets


def signer_of(terms: Terms, certificate: Certificate, chain: tuple[Certificate, ...], moment: datetime) -> Signer:
    """Return whose signature a certificate makes. Raises AgreementRefused, SigningRefused, UnsupportedAlgorithm."""
    from certs import suites
    from signer.layers.foresight import Intent, objections

    suite = certificate.public_key().suite.name
    suites.not_old(suite)
    check_now(certificate, moment)
    index = index_of(terms.parties, certificate)
    intent = Intent(certificate, chain, suite, "B-T", moment)
    for check in objections(intent, terms.accepted):
        if check.id not in NOT_OF_THE_MOMENT:
            raise AgreementRefused(
                f"the agreement does not accept this signature: {check.id}: {check.detail} ({check.clause})",
                hint="sign with a key and a certificate that the agreement names for this party",
                reason=f"agreement-{check.id}",
            )
    return Signer(index, certificate, chain, suite)


def check_now(certificate: Certificate, moment: datetime) -> None:
    """Raise SigningRefused for a certificate that is not valid now, or not for signatures."""
    from signer.cms import check_certificate

    check_certificate(certificate, moment, SigningRefused)


def verified(context: Context, cms: bytes, octets: bytes) -> tuple[str, str | None]:
    """Return what the verifier says of a signature.

    Raises WrongValue where it says anything but TOTAL-PASSED, or that somebody else has to say whom to trust: a weak
    algorithm or a certificate that is revoked now does not become better by waiting.
    """
    from signer.verification.setting import VerifyOptions

    report = context.workers.verify(
        cms,
        name="agreement.p7s",
        trust=context.circles.trust_store(),
        at=None,
        clock=context.clock,
        options=VerifyOptions(),
        content=octets,
    )
    if not report.signatures:
        raise WrongValue("nothing in it is a signature", hint="sealroad sign --detached")
    found = report.signatures[0]  # of one signer; a countersignature that somebody added stands behind it
    if found.verdict.value != "TOTAL-PASSED" and found.sub_indication not in OPEN_TRUST:
        raise WrongValue(f"the signature does not hold: {found.reason}", hint="sign with a good certificate")
    return found.verdict.value, found.sub_indication


def require_signable(agreement: Agreement, moment: datetime) -> None:
    """Raise unless the parties may sign now; what ends another agreement is not signed after the moment it names."""
    move(agreement.state, "sign")
    if agreement.ends_id is not None and agreement.valid_from is not None and agreement.valid_from <= moment:
        raise StaleRequest(
            "the moment is past from which it would end the other agreement", hint="withdraw it, and offer a new one"
        )


def require_unsigned(session: Session, agreement: Agreement, party: int, moment: datetime) -> None:
    """Raise unless this party may still sign."""
    require_signable(agreement, moment)
    if any(each.party == party for each in repository.signatures_of(session, agreement)):
        raise StateConflict(f"{agreement.parties[party]} has signed already", state=agreement.state, allowed=[])
