"""Everything that is checked, issued and laid out before a contract is sent.

Whatever would make a signature fail later is found here, while it can still be mended:

 1. Somebody signs (the state machine), and the deadline lies ahead.
 2. The names of all parties can be drawn with the fonts at hand: they stand in stamps and in reports.
 3. Every party's certificate is one that may sign, now and until the deadline (RFC 5280 clauses 4.1.2.5 and 4.2.1.3),
    and one of the service's own circles is neither revoked nor on hold; so is every party's seal, and the key that the
    service holds for it is the one in its certificate.
 4. The time-stamp authority of every suite in use gives time-stamps, where the contract wants them.
 5. Who the parties are whose keys the service holds is proven (`api.identity.gate`); then keys and certificates for
    them; each key is tried once, as it will be opened.
 6. The framework agreement, if the contract names one, is in force and accepts every party's key and certificate.
 7. Every form field has a place, and what stands in it already can be written (`api.contracts.layout`).
 8. Every document can be prepared for every party's signature, and no signature it came with is broken.
 9. Where the contract is to be delivered encrypted, something can be encrypted to every party.
10. A power of attorney on record that a party names is its organisation's, names the party, and stands now.

The same is asked about a delegate (`ready_delegate`), who comes when the contract is on its way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from api.agreements import standing as agreements
from api.context import Context
from api.contracts.layout import Layout, lay_out
from api.contracts.models import Contract, Party
from api.contracts.people import proven
from api.contracts.subjects import CERTIFICATE_LIFE, subject_of
from api.contracts.workflow import SIGNS
from api.documents.opening import password_of
from api.envelopes import delivery
from api.errors import AgreementRefused, IdentityNotProven, ValidationFailed
from api.kit.refusals import problem_at
from api.mandates import standing
from api.seals import applying
from api.seals.models import Seal
from api.signing import pdf
from api.verification.service import verify_path
from certs.certificate import Certificate, load_certificates
from certs.errors import SealroadError
from signer.errors import SealRefused

TRIAL: Final = b"Sealroad: trial of a new key"


@dataclass(frozen=True)
class IssuedKey:
    """A key that the service holds for a party."""

    certificates: str
    sealed_key: bytes | None
    """None for a seal, which has its own."""
    identity: dict[str, Any] | None = None
    """On which proofs the certificate was issued."""


@dataclass
class Ready:
    """What sending writes down."""

    expires_at: datetime
    keys: dict[str, IssuedKey] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)


def make_ready(context: Context, contract: Contract) -> Ready:
    """Check a draft and make what it needs.

    Raises ValidationFailed with every finding, AgreementRefused, IdentityNotProven, TimeStampError.
    """
    now = context.now()
    deadline = contract.expires_at
    if deadline is not None and deadline <= now:
        raise _refuse([problem_at("/expires_at", "past", "the deadline is past")])
    findings: list[dict[str, str]] = []
    ends = [now + context.settings.contract_life]
    keys: dict[str, IssuedKey] = {}
    signers = [(f"/parties/{index}", party) for index, party in enumerate(contract.parties) if party.role in SIGNS]
    for index, party in enumerate(contract.parties):
        findings += _name_findings(f"/parties/{index}", party)
    findings += standing.objections(context, contract)
    for pointer, party in signers:
        means = _means(context, contract, party, pointer, deadline)
        findings += means.findings
        ends += means.ends
        if means.key is not None:
            keys[party.id] = means.key
    if findings:
        raise _refuse(findings)
    layouts, findings = lay_out(context, contract)
    if findings:
        raise _refuse(findings)
    agreements.check(context, contract)
    if (end := agreements.end_of(context, contract)) is not None:
        ends.append(end)
    proofs = {
        party.id: proven(context, contract.tenant_id, party, pointer)
        for pointer, party in signers
        if party.key_holder == "service" and party.seal_id is None
    }

    try_time_stamps(context, contract, [party for _, party in signers])
    ready = Ready(expires_at=deadline or min(ends), keys=keys, layouts=layouts)
    for pointer, party in signers:
        if party.key_holder == "service" and party.seal_id is None:
            ready.keys[party.id] = _issue(context, party, pointer, proofs[party.id])
    agreements.check(context, contract)  # again: now every certificate is there
    for index, row in enumerate(contract.documents):
        row.head_sha256 = layouts[row.document_id].sha256  # of the detached copy, for what is tried later
        with context.storage.local(row.document.sha256) as path:
            password = password_of(context, row.document)
            if verify_path(context, path, name=row.document.name, password=password)["verdict"] == "TOTAL-FAILED":
                detail = "a signature that the document came with is broken"
                findings.append(problem_at(f"/documents/{index}", "broken-signature", detail))
    for pointer, party in signers:
        findings += _trial(context, contract, party, pointer)
    findings += delivery.objections(context, contract)
    if findings:
        raise _refuse(findings)
    return ready


def foreseen(context: Context, contract: Contract) -> list[dict[str, str]]:
    """Return what is already known to forbid sending a draft, of 2, 3, 5 and 6; nothing is made, nothing is issued."""
    findings: list[dict[str, str]] = []
    for index, party in enumerate(contract.parties):
        pointer = f"/parties/{index}"
        findings += _name_findings(pointer, party)
        if party.role in SIGNS:
            findings += _means(context, contract, party, pointer, contract.expires_at).findings
            if party.key_holder == "service" and party.seal_id is None:
                try:
                    proven(context, contract.tenant_id, party, pointer)
                except IdentityNotProven as error:
                    findings += error.facts["errors"]
    try:
        agreements.check(context, contract)
    except AgreementRefused as error:
        findings += error.facts.get("errors") or [problem_at("/agreement", error.code, error.message)]
    return findings


def ready_delegate(context: Context, contract: Contract, party: Party) -> IssuedKey | None:
    """Check somebody who takes over a part in a contract that was sent; make what they need to sign with, if they do.

    Raises ValidationFailed with every finding.
    """
    findings = _name_findings("", party) + delivery.objections(context, contract, party)
    findings += standing.objections_to(context, contract, party, "/power_of_attorney")
    if party.role not in SIGNS:
        if findings:
            raise _refuse(findings, "this party cannot be the delegate")
        return None
    means = _means(context, contract, party, "", contract.expires_at)
    findings += means.findings
    key = means.key
    if not findings and party.key_holder == "service" and party.seal_id is None:
        key = _issue(context, party, "", proven(context, contract.tenant_id, party, ""))
    agreements.check(context, contract, party)
    findings = findings or _trial(context, contract, party, "")
    if findings:
        raise _refuse(findings, "this party cannot be the delegate")
    return key


@dataclass(frozen=True)
class _Means:
    """What a party will sign with, as far as it is there before sending."""

    findings: list[dict[str, str]]
    ends: list[datetime]
    """When its certificate and its seal expire."""
    key: IssuedKey | None = None


def _means(context: Context, contract: Contract, party: Party, pointer: str, deadline: datetime | None) -> _Means:
    now, ends, key = context.now(), [], None
    if party.seal_id is not None:
        try:
            seal, key = _sealing(context, contract.tenant_id, party, deadline)
        except SealRefused as error:
            return _Means([problem_at(f"{pointer}/seal", str(error.facts["reason"]), error.message)], [])
        ends.append(seal.valid_to)
        party.certificates = key.certificates  # of the detached copy, for what is tried later
    elif party.key_holder == "service":
        found = []
        if deadline is not None and deadline > now + CERTIFICATE_LIFE:
            detail = f"the certificate that the service would issue to {party.name} lasts {CERTIFICATE_LIFE.days} days"
            found.append(problem_at(pointer, "expires-too-early", detail))
        return _Means(found, [])
    certificate = pdf.certificates_of(party)[0]
    ends.append(certificate.not_after)
    found = _certificate_findings(f"{pointer}/certificate", certificate, now, deadline)
    if _revoked_here(context, certificate):
        found.append(problem_at(f"{pointer}/certificate", "revoked", "the certificate is revoked or on hold"))
    return _Means(found, ends, key)


def _revoked_here(context: Context, certificate: Certificate) -> bool:
    """Tell whether a certificate is one of the service's own circles, and not good any more.

    Others are not asked here: what is known of them by lists and answers is said by the verification.
    """
    entries = (circle.entry(certificate.serial) for circle in context.circles.existing())
    return any(entry and entry.certificate == certificate.der and entry.state != "issued" for entry in entries)


def _name_findings(pointer: str, party: Party) -> list[dict[str, str]]:
    """Return what of a party cannot be written: a box in place of a letter would be another name."""
    from signer.appearance.fonts import FontSet, describe
    from signer.appearance.text import clean

    found, fonts = [], FontSet.default()
    for name in ("name", "organisation", "reason", "location"):
        missing = fonts.missing(clean(getattr(party, name) or ""))
        if missing:
            detail = f"no font here has {', '.join(describe(char) for char in missing[:5])}"
            found.append(problem_at(f"{pointer}/{name}", "no-glyph", detail))
    return found


def try_time_stamps(context: Context, contract: Contract, parties: Iterable[Party]) -> None:
    """Get one time-stamp from the authority of each suite, and throw it away. Raises TimeStampError."""
    if contract.level != "B-T":
        return
    for suite in sorted({party.suite for party in parties if party.suite}):
        context.circles.get(suite).tsa.stamp("sha256", hashlib.sha256(TRIAL).digest())


def _sealing(context: Context, tenant_id: str, party: Party, deadline: datetime | None) -> tuple[Seal, IssuedKey]:
    """Return the seal of a party and the certificate it is used with. Raises SealRefused.

    Who may use it is not asked yet: that is decided for whoever signs, when they do.
    """
    assert party.seal_id is not None
    seal = applying.row_of(context, tenant_id, party.seal_id)
    applying.load(context, seal)
    if deadline is not None and seal.valid_to < deadline:
        raise SealRefused("the seal expires before the contract's deadline", reason="expires-too-early")
    bundle = applying.bundle_of(seal, party.certificates)
    if seal.key_holder == "service":  # looked at, not tried: every use of a seal's key is counted
        key, certificate = applying.open_key(context, tenant_id, seal.id), load_certificates(bundle.encode())[0]
        if key.public_key.spki != certificate.public_key().spki:
            raise SealRefused("the key of the seal is not the one in its certificate", reason="not-listed")
    return seal, IssuedKey(bundle, None)


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


def _issue(context: Context, party: Party, pointer: str, identity: dict[str, Any]) -> IssuedKey:
    """Make a key and a closed-circle certificate for a party, and try the key as it will be opened to sign."""
    from certs import suites

    assert party.suite is not None
    try:
        key = suites.get(party.suite).generate()
        subject = subject_of(party)
        circle = context.circles.get(party.suite)
        profile = "organisation" if party.organisation and party.identifiers else "person"
        certificate = circle.issue(profile, subject, key.public_key.spki, days=CERTIFICATE_LIFE.days)
    except SealroadError as error:
        if error.code in {"profile-error", "bad-identifier", "backend-unavailable", "unsupported-algorithm"}:
            raise _refuse([problem_at(pointer, error.code, error.message)]) from None
        raise
    sealed = context.vault.seal(key, party.id)
    certificate.public_key().verify(context.vault.open_key(sealed, party.id, party.suite).sign(TRIAL), TRIAL)
    issued = IssuedKey(circle.pem_with_chain(certificate), sealed, identity)
    party.certificates = issued.certificates  # of the detached copy, for the trial of the documents
    return issued


def _trial(context: Context, contract: Contract, party: Party, pointer: str) -> list[dict[str, str]]:
    """Prepare every document for a party's signature, and throw the result away."""
    found = []
    with context.storage.scratch() as directory:
        for row in contract.documents:
            with context.storage.local(row.head_sha256) as source:
                try:
                    pdf.prepare(context, contract, party, row.document_id, source, directory / "trial.pdf")
                except SealroadError as error:
                    place = "/signature_area" if error.code in {"appearance-error", "option-error"} else ""
                    found.append(problem_at(pointer + place, error.code, error.message))
            (directory / "trial.pdf").unlink(missing_ok=True)
    return found


def _refuse(findings: list[dict[str, str]], what: str = "the contract cannot be sent") -> ValidationFailed:
    return ValidationFailed(f"{what}: {findings[0]['detail']}", errors=findings)
