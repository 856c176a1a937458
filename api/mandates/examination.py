"""Verify a power of attorney: when it comes in, and again whenever somebody acts under it.

    found = examine(context, letter_or_xml, signature, trust, at=None)    # Examined: grant, said, checks
    found = examine_again(context, row)                                    # the stored octets, as of the day they came

The signature is verified by the program's own verifier, in a process of its own. A power of attorney lasts longer than
many a certificate, so the signature is judged as of the moment at which the service first had it: that it existed then
is on record. What happened to the certificate before that moment counts whenever it becomes known.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from api.context import Context
from api.mandates.models import PowerOfAttorney

if TYPE_CHECKING:
    from signer.mandates import Grant, Letter, Revocation
    from signer.report import CheckResult, Report


@dataclass(frozen=True)
class Examined:
    """What a power of attorney says, and what was found."""

    grant: Grant
    said: dict[str, Any]
    checks: tuple[CheckResult, ...]
    """Of the document itself."""


def examine_mandate(
    context: Context, xml: bytes, signature: bytes, trust: Sequence[bytes], at: datetime | None = None
) -> Examined:
    """Examine a МЧД. Raises MalformedInput, UnreadableFile, VerifierBusy."""
    from certs.mandates import read_mandate
    from signer.mandates import grant_of, judge

    mandate = read_mandate(xml)
    report = _verified(context, signature, "power-of-attorney.sig", trust, at, content=xml)
    grant = grant_of(mandate)
    return Examined(grant, mandate.to_json(), judge(grant, report))


def examine_letter(
    context: Context, pdf: bytes, letter: Letter, trust: Sequence[bytes], at: datetime | None = None
) -> Examined:
    """Examine a letter and what is stated beside it. Raises as `examine_mandate`, and EncryptedPDF."""
    from signer.mandates import grant_of, judge

    report = _verified(context, pdf, "letter.pdf", trust, at)
    grant = grant_of(letter)
    return Examined(grant, letter.to_json(), judge(grant, report))


def examine_again(context: Context, row: PowerOfAttorney) -> Examined:
    """Examine what is stored, as of the moment it came in. Raises StorageError, VerifierBusy."""
    trust = [base64.b64decode(each) for each in row.trust]
    with context.storage.local(row.content_sha256) as path:
        content = path.read_bytes()
    if row.signature_sha256 is None:
        return examine_letter(context, content, letter_in(row), trust, row.created_at)
    with context.storage.local(row.signature_sha256) as path:
        signature = path.read_bytes()
    return examine_mandate(context, content, signature, trust, row.created_at)


def letter_in(row: PowerOfAttorney) -> Letter:
    """Return what was stated of a letter."""
    from certs.identifiers import Identifier
    from certs.mandates import Actor
    from signer.mandates import Letter

    def actor(value: dict[str, Any]) -> Actor:
        numbers = tuple(Identifier(each["scheme"], each["value"]) for each in value.get("identifiers", ()))
        return Actor(value["kind"], value["name"], numbers)

    said = row.said
    return Letter(
        actor(said["principals"][0]),
        actor(said["representatives"][0]),
        said["powers_text"],
        said["limit"],
        date.fromisoformat(row.first_day),
        date.fromisoformat(row.last_day),
    )


def grant_in(row: PowerOfAttorney) -> Grant:
    """Return the days of a power of attorney, without its file: who acts for whom is not in it."""
    from signer.mandates import Grant
    from signer.mandates.grant import BEIJING, MOSCOW

    first, last = date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)
    if row.kind == "ru-mchd":
        return Grant("mandate", (), (), (), first, last, MOSCOW)
    return Grant("letter", (), (), (), first, last, BEIJING)


def revocation_of(row: PowerOfAttorney) -> Revocation | None:
    """Return what was stated: that it is revoked."""
    from signer.mandates import Revocation

    return Revocation(row.revoked_at, row.revoked_reason or "") if row.revoked_at is not None else None


def _verified(
    context: Context,
    data: bytes,
    name: str,
    trust: Sequence[bytes],
    at: datetime | None,
    content: bytes | None = None,
) -> Report:
    from signer.verification.setting import VerifyOptions

    store = context.circles.trust_store(tuple(trust))
    return context.workers.verify(
        data, name=name, trust=store, at=at, clock=context.clock, options=VerifyOptions(), content=content
    )
