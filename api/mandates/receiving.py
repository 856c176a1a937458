"""Take in a power of attorney, and the statement that it is revoked."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from fastapi import UploadFile
from pydantic import ValidationError

from api.audit.service import GENESIS, moment
from api.contracts.rows import check_identifier
from api.contracts.transition import actor_of
from api.documents.service import clean_name
from api.errors import Conflict, MandateRefused, PayloadTooLarge, PreconditionFailed, StateConflict, ValidationFailed
from api.kit.edge import Unit, etag
from api.kit.files import upload_chunks
from api.kit.ids import new_id
from api.kit.refusals import problem_at, problems_of, refuse, utc
from api.mandates import repository
from api.mandates.examination import Examined, examine_letter, examine_mandate
from api.mandates.log import record
from api.mandates.models import PowerOfAttorney
from api.mandates.schemas import LetterIn, RevocationIn
from api.storage import Received

if TYPE_CHECKING:
    from signer.mandates import Letter
    from signer.report import CheckResult

MAX_SIGNATURE: Final = 1 << 20
MAX_TRUST: Final = 256 * 1024
"""Octets of everything that a power of attorney is verified against: it is kept with it."""


def receive_mandate(unit: Unit, xml: UploadFile, signature: UploadFile, trust: Sequence[UploadFile]) -> PowerOfAttorney:
    """Take in a МЧД with its detached signature.

    Nothing is kept where it raises PayloadTooLarge, MalformedInput, UnreadableFile, MandateRefused, Conflict or
    VerifierBusy.
    """
    from certs.mandates.emchd import MAX_SIZE

    storage, known = unit.context.storage, _read(trust)
    with (
        storage.receive(upload_chunks(xml), limit=MAX_SIZE) as content,
        storage.receive(upload_chunks(signature), limit=MAX_SIGNATURE) as beside,
    ):
        found = examine_mandate(unit.context, content.path.read_bytes(), beside.path.read_bytes(), known)
        _require(found.checks)
        storage.keep(content)
        storage.keep(beside)
    return _keep(unit, "ru-mchd", found.said["number"], found, content, clean_name(xml.filename), known, beside.sha256)


def receive_letter(unit: Unit, pdf: UploadFile, data: str, trust: Sequence[UploadFile]) -> PowerOfAttorney:
    """Take in a signed letter, and what is stated beside it.

    Raises as `receive_mandate`, and ValidationFailed, EncryptedPDF.
    """
    storage, letter, known = unit.context.storage, _letter(data), _read(trust)
    with storage.receive(upload_chunks(pdf), limit=unit.context.settings.max_upload) as content:
        octets = content.path.read_bytes()
        if not octets.startswith(b"%PDF-"):
            raise refuse("/pdf", "not-a-pdf", "is no PDF")
        found = examine_letter(unit.context, octets, letter, known)
        _require(found.checks)
        storage.keep(content)
    return _keep(unit, "cn-authorisation-letter", content.sha256, found, content, clean_name(pdf.filename), known, None)


def revoke(unit: Unit, name: str, version: int | None, body: RevocationIn) -> PowerOfAttorney:
    """Note that a power of attorney is revoked.

    Raises NotFound, PreconditionFailed, StateConflict, ValidationFailed.
    """
    now = unit.context.now()
    row = repository.get(unit.session, unit.tenant_id, name, lock=True)
    if version is not None and row.version != version:
        raise PreconditionFailed(f"the power of attorney is at {etag(row.version)} by now")
    if row.revoked_at is not None:
        raise StateConflict("it is revoked already", state="revoked", allowed=[])
    at = utc(body.at, "/at") if body.at is not None else now
    if at > now:
        raise refuse("/at", "future", "is later than now: state it when it has come")
    row.revoked_at, row.revoked_reason, row.revocation_stated_at = at, body.reason, now
    row.version, row.updated_at = row.version + 1, now
    facts = {"number": row.number, "at": moment(at), "reason": body.reason}
    record(unit.session, row, "power-of-attorney.revoked", now=now, actor=actor_of(unit), data=facts)
    unit.session.flush()
    return row


def refusal(checks: Sequence[CheckResult], pointer: str = "") -> MandateRefused:
    """Return the error about checks that failed, the first of them in front."""
    failed = [check for check in checks if check.result == "failed"]
    errors = [problem_at(pointer, f"mandate-{check.id}", check.detail or check.id) for check in failed]
    return MandateRefused(
        f"the power of attorney cannot be used: {errors[0]['detail']}", reason=errors[0]["code"], errors=errors
    )


def _require(checks: Sequence[CheckResult]) -> None:
    from signer.mandates import accepted

    if not accepted(checks):
        raise refusal(checks)


def _keep(
    unit: Unit,
    kind: str,
    number: str,
    found: Examined,
    content: Received,
    name: str,
    trust: Sequence[bytes],
    signature_sha256: str | None,
) -> PowerOfAttorney:
    now = unit.context.now()
    if repository.numbered(unit.session, unit.tenant_id, kind, number) is not None:
        raise Conflict("this power of attorney is on record", hint=f"GET /v1/powers-of-attorney has it: {number}")
    row = PowerOfAttorney(
        id=new_id("poa"),
        tenant_id=unit.tenant_id,
        kind=kind,
        number=number,
        version=1,
        said=found.said,
        first_day=found.grant.first.isoformat(),
        last_day=found.grant.last.isoformat(),
        content_name=name,
        content_sha256=content.sha256,
        content_size=content.size,
        signature_sha256=signature_sha256,
        trust=[base64.b64encode(each).decode() for each in trust],
        checks=[check.to_json() for check in found.checks],
        log_sequence=0,
        log_hash=GENESIS,
        created_at=now,
        updated_at=now,
    )
    unit.session.add(row)
    facts = {
        "kind": kind,
        "number": number,
        "sha256": content.sha256,
        "signature_sha256": signature_sha256,
        "checks": row.checks,
    }
    record(unit.session, row, "power-of-attorney.received", now=now, actor=actor_of(unit), data=facts)
    unit.session.flush()
    return row


def _read(trust: Sequence[UploadFile]) -> list[bytes]:
    """Return the files to trust. Raises PayloadTooLarge."""
    found = [each.file.read(MAX_TRUST + 1) for each in trust]
    if sum(map(len, found)) > MAX_TRUST:
        raise PayloadTooLarge(f"what is to be trusted has at most {MAX_TRUST >> 10} KiB")
    return found


def _letter(data: str) -> Letter:
    """Return what is stated. Raises ValidationFailed."""
    from certs.identifiers import Identifier
    from certs.mandates import Actor
    from signer.mandates import Letter

    try:
        body = LetterIn.model_validate_json(data)
    except ValidationError as error:
        errors = problems_of(error, "/data")[:20]
        raise ValidationFailed("what is stated of the letter is not acceptable", errors=errors) from None
    check_identifier("/data/uscc", "CN-USCC", body.uscc)
    numbers: tuple[Identifier, ...] = ()
    if body.representative_id is not None:
        check_identifier("/data/representative_id", body.representative_id.scheme, body.representative_id.value)
        numbers = (Identifier(body.representative_id.scheme, body.representative_id.value),)
    return Letter(
        Actor("organisation", body.organisation, (Identifier("CN-USCC", body.uscc),)),
        Actor("person", body.representative, numbers),
        body.scope,
        body.limit,
        body.first_day,
        body.last_day,
    )
