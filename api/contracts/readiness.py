"""Everything that is checked, issued and laid out before a contract is sent.

Whatever would make a signature fail later is found here, while it can still be mended:

1. Somebody signs (the state machine), and the deadline lies ahead.
2. Every party's certificate is one that may sign, now and until the deadline (RFC 5280 clauses 4.1.2.5 and 4.2.1.3);
   so is every party's seal.
3. Every visible signature fits its page, and its text can be drawn with the fonts at hand.
4. Who the parties are whose keys the service holds is proven (`api.identity.gate`); then keys and certificates for
   them; each key is tried once.
5. Every document can be prepared for every party's signature, and no signature it came with is broken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from api.context import Context
from api.contracts.models import Contract, Party
from api.contracts.people import proven
from api.contracts.workflow import Role
from api.errors import ValidationFailed
from api.kit.refusals import problem_at
from api.pki.circles import UNKNOWN_COUNTRY
from api.seals import applying
from api.seals.models import Seal
from api.signing import pdf
from api.verification.service import verify_path
from certs.certificate import Certificate, Subject
from certs.errors import SealroadError
from certs.identifiers import Identifier
from signer.errors import SealRefused

CERTIFICATE_LIFE: Final = timedelta(days=397)
"""How long an issued party certificate is valid: somewhat more than a year."""
TRIAL: Final = b"Sealroad: trial of a new key"


@dataclass(frozen=True)
class IssuedKey:
    """A key that the service holds for a party."""

    certificates: str
    sealed_key: bytes | None
    """None for a seal, which has its own."""
    identity: dict[str, Any] | None = None
    """On which proofs the certificate was issued."""


@dataclass(frozen=True)
class Layout:
    """A document as it is sent."""

    sha256: str
    size: int


@dataclass
class Ready:
    """What sending writes down."""

    expires_at: datetime
    keys: dict[str, IssuedKey] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)


def make_ready(context: Context, contract: Contract) -> Ready:
    """Check a draft and make what it needs. Raises ValidationFailed with every finding, or IdentityNotProven."""
    now = context.now()
    deadline = contract.expires_at
    if deadline is not None and deadline <= now:
        raise _refuse([problem_at("/expires_at", "past", "the deadline is past")])
    signers = [(index, party) for index, party in enumerate(contract.parties) if party.role != Role.CC]
    findings: list[dict[str, str]] = []
    ends = [now + context.settings.contract_life]
    keys: dict[str, IssuedKey] = {}
    for index, party in signers:
        if party.seal_id is not None:
            try:
                seal, keys[party.id] = _sealing(context, contract.tenant_id, party, deadline)
            except SealRefused as error:
                findings.append(problem_at(f"/parties/{index}/seal", str(error.facts["reason"]), error.message))
                continue
            ends.append(seal.valid_to)
            party.certificates = keys[party.id].certificates  # of the detached copy, like those below
        if party.seal_id is not None or party.key_holder == "party":
            certificate = pdf.certificates_of(party)[0]
            ends.append(certificate.not_after)
            findings += _certificate_findings(f"/parties/{index}/certificate", certificate, now, deadline)
    if findings:
        raise _refuse(findings)
    proofs = {
        party.id: proven(context, contract.tenant_id, party, f"/parties/{index}")
        for index, party in signers
        if party.key_holder == "service" and party.seal_id is None
    }

    ready = Ready(expires_at=deadline or min(ends), keys=keys)
    for index, party in signers:
        if party.key_holder == "service" and party.seal_id is None:
            try:
                ready.keys[party.id] = _issue(context, party, proofs[party.id])
            except SealroadError as error:
                if error.code in {"profile-error", "bad-identifier", "backend-unavailable", "unsupported-algorithm"}:
                    raise _refuse([problem_at(f"/parties/{index}", error.code, error.message)]) from None
                raise
            party.certificates = ready.keys[party.id].certificates  # of the detached copy, for the trial below
    for index, row in enumerate(contract.documents):
        ready.layouts[row.document_id] = Layout(row.document.sha256, row.document.size)
        with context.storage.local(row.document.sha256) as path:
            if verify_path(context, path, name=row.document.name)["verdict"] == "TOTAL-FAILED":
                detail = "a signature that the document came with is broken"
                findings.append(problem_at(f"/documents/{index}", "broken-signature", detail))
    for index, party in signers:
        findings += _trial(context, contract, party, f"/parties/{index}")
    if findings:
        raise _refuse(findings)
    return ready


def _sealing(context: Context, tenant_id: str, party: Party, deadline: datetime | None) -> tuple[Seal, IssuedKey]:
    """Return the seal of a party and the certificate it is used with. Raises SealRefused.

    Who may use it is not asked yet: that is decided for whoever signs, when they do.
    """
    assert party.seal_id is not None
    seal = applying.row_of(context, tenant_id, party.seal_id)
    applying.load(context, seal)
    if deadline is not None and seal.valid_to < deadline:
        raise SealRefused("the seal expires before the contract's deadline", reason="expires-too-early")
    return seal, IssuedKey(applying.bundle_of(seal, party.certificates), None)


def _certificate_findings(
    pointer: str, certificate: Certificate, now: datetime, deadline: datetime | None
) -> list[dict[str, str]]:
    """Return what forbids signing a contract with this certificate."""
    found = []
    if certificate.not_before > now:
        found.append(problem_at(pointer, "not-yet-valid", f"valid only from {certificate.not_before:%Y-%m-%d}"))
    if certificate.not_after <= now:
        found.append(problem_at(pointer, "expired", f"expired on {certificate.not_after:%Y-%m-%d}"))
    elif deadline is not None and certificate.not_after < deadline:
        found.append(problem_at(pointer, "expires-too-early", "expires before the contract's deadline"))
    if not certificate.allows("digital_signature", "non_repudiation"):
        found.append(problem_at(pointer, "key-usage", "the certificate is not one for signatures"))
    if certificate.is_ca:
        found.append(problem_at(pointer, "is-ca", "the certificate is an authority's"))
    return found


def _issue(context: Context, party: Party, identity: dict[str, Any]) -> IssuedKey:
    """Make a key and a closed-circle certificate for a party, and try the key."""
    from certs import suites

    assert party.suite is not None
    key = suites.get(party.suite).generate()
    key.public_key.verify(key.sign(TRIAL), TRIAL)
    subject = subject_of(party)
    circle = context.circles.get(party.suite)
    profile = "organisation" if party.organisation and party.identifiers else "person"
    certificate = circle.issue(profile, subject, key.public_key.spki, days=CERTIFICATE_LIFE.days)
    return IssuedKey(circle.pem_with_chain(certificate), context.vault.seal(key, party.id), identity)


def subject_of(party: Party) -> Subject:
    """Return the subject of the certificates that the service issues to a party."""
    return Subject(
        common_name=party.name,
        organisation=party.organisation,
        country=party.country or UNKNOWN_COUNTRY,
        identifiers=tuple(Identifier(item["scheme"], item["value"]) for item in party.identifiers),
    )


def _trial(context: Context, contract: Contract, party: Party, pointer: str) -> list[dict[str, str]]:
    """Prepare every document for a party's signature, and throw the result away."""
    found = []
    with context.storage.scratch() as directory:
        for row in contract.documents:
            with context.storage.local(row.document.sha256) as source:
                try:
                    pdf.prepare(context, contract, party, row.document_id, source, directory / "trial.pdf")
                except SealroadError as error:
                    place = "/signature_area" if error.code in {"appearance-error", "option-error"} else ""
                    found.append(problem_at(pointer + place, error.code, error.message))
            (directory / "trial.pdf").unlink(missing_ok=True)
    return found


def _refuse(findings: list[dict[str, str]]) -> ValidationFailed:
    return ValidationFailed(f"the contract cannot be sent: {findings[0]['detail']}", errors=findings)
