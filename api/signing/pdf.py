"""The seam between a contract's rows and `signer.pades`: which options a party signs with, and with which helpers."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.agreements import standing as agreements
from api.context import Context
from api.contracts import fields
from api.contracts import repository as contracts
from api.contracts.models import Contract, ContractDocument, Party
from api.documents.opening import credentials_of
from api.errors import ValidationFailed
from api.kit.files import copy_file, file_chunks
from api.seals import applying
from api.signing.models import Signature
from api.storage import Received
from certs.errors import SealroadError

if TYPE_CHECKING:
    from certs.certificate import Certificate
    from signer.pades.options import SignOptions
    from signer.pades.sign import Prepared
    from signer.pdf.encryption import Credentials


def certificates_of(party: Party) -> tuple[Certificate, tuple[Certificate, ...]]:
    """Return a party's signing certificate and its chain."""
    from certs.certificate import load_certificates

    bundle = load_certificates((party.certificates or "").encode())
    return bundle[0], tuple(bundle[1:])


def options_for(contract: Contract, party: Party, document_id: str, context: Context) -> SignOptions:
    """Return the options of one party's signature on one document."""
    from certs import oids, suites
    from certs.suites.base import Family
    from signer.appearance import StampSpec, algorithm_label
    from signer.pades.options import SignOptions

    plain: dict[str, Any] = {
        "name": party.name,
        "reason": party.reason,
        "location": party.location,
        "level": contract.level,
        "locale": party.locale,
        "field": party.id,  # unique in whatever contracts the document has been through, and leads back to the evidence
    }
    area = party.signature_area
    if area is None or (area.get("document") or contract.documents[0].document_id) != document_id:
        return SignOptions(**plain)
    x1, y1, x2, y2 = area["box"]
    certificate = certificates_of(party)[0]
    stamp = StampSpec(
        name=party.name,
        organisation=party.organisation,
        time=context.now(),
        reason=party.reason,
        location=party.location,
        serial=certificate.serial_hex,
        issuer=certificate.issuer_name.first(oids.COMMON_NAME),
        algorithm=algorithm_label(party.suite or "", party.locale),
        locale=party.locale,
        family={Family.CHINA: "cn", Family.RUSSIA: "ru"}.get(suites.get(party.suite or "").family, ""),
        picture=picture_of(area),
        width=x2 - x1,
        height=y2 - y1,
    )
    return SignOptions(**plain, page=area["page"], box=(x1, y1, x2, y2), appearance=stamp)


def picture_of(area: dict[str, Any]) -> bytes | None:
    """Return the stamp picture of a signature area. Raises ValidationFailed where it is not base64."""
    if not area.get("picture"):
        return None
    try:
        return base64.b64decode(area["picture"], validate=False)
    except binascii.Error:
        raise ValidationFailed("the stamp picture is not base64") from None


def seal_options_for(contract: Contract, party: Party, document_id: str, context: Context, source: Path) -> SignOptions:
    """Return the options of a party that seals one document, the file at `source`. Raises SealRefused, OptionError."""
    assert party.seal_id is not None
    seal = applying.load(context, applying.row_of(context, contract.tenant_id, party.seal_id))
    placement, area = party.seal_placement, party.signature_area
    if area is not None and (area.get("document") or contract.documents[0].document_id) == document_id:
        placement = applying.middle_of(area)
    return applying.options_of(
        seal,
        source,
        placement,
        credentials=_credentials(context, contract, document_id),
        field=party.id,
        reason=party.reason,
        location=party.location,
        level=contract.level,
        locale=party.locale,
    )


def places_of(
    context: Context, contract: Contract, party: Party, row: ContractDocument, source: Path
) -> list[tuple[int, tuple[float, float, float, float]]]:
    """Return where a party's signature or seal will show on a document: page and box, as the reader sees it."""
    area = party.signature_area
    if party.seal_id is not None:
        with suppress(SealroadError):  # whatever is wrong with the seal or its place is told when it is tried
            options = seal_options_for(contract, party, row.document_id, context, source)
            return [(place.page, place.box) for place in options.places]
    elif area is not None and (area.get("document") or contract.documents[0].document_id) == row.document_id:
        x1, y1, x2, y2 = area["box"]
        return [(area["page"], (x1, y1, x2, y2))]
    return []


def prepare(
    context: Context, contract: Contract, party: Party, document_id: str, source: Path, target: Path
) -> Prepared:
    """Write a copy of `source` with an empty signature to `target`; return what is to be signed."""
    from signer.pades.sign import prepare as prepare_file

    certificate, chain = certificates_of(party)
    if party.seal_id is not None:
        options = seal_options_for(contract, party, document_id, context, source)
    else:
        options = options_for(contract, party, document_id, context)
    if (octets := agreements.under(context, contract)) is not None:
        # the reason may show in the stamp, but not in the dictionary beside a policy (EN 319 142-1 6.3 m)
        options = replace(options, agreement=octets, reason=None)
    options = replace(options, **fields.options(contract, party, document_id))
    credentials = _credentials(context, contract, document_id)
    return prepare_file(
        source, target, options, certificate, chain, context.clock, suite=party.suite, credentials=credentials
    )


def prepare_kept(
    context: Context, contract: Contract, party: Party, document_id: str, base: str
) -> tuple[Prepared, Received]:
    """Prepare the revision `base` of a document, and keep the prepared file. Raises as `prepare`."""
    with context.storage.scratch() as directory, context.storage.local(base) as source:
        path = directory / "prepared.pdf"
        prepared = prepare(context, contract, party, document_id, source, path)
        with context.storage.receive(file_chunks(path)) as received:
            context.storage.keep(received)
    return prepared, received


def _credentials(context: Context, contract: Contract, document_id: str) -> Credentials:
    """Return what opens a document of the contract, if it is encrypted. Raises VaultError, ServiceUnavailable."""
    return credentials_of(context, contracts.document_of(contract, document_id).document)


def complete(
    context: Context,
    contract: Contract,
    party: Party,
    prepared: Prepared,
    path: Path,
    *,
    value: bytes | None,
    cms: bytes | None,
) -> None:
    """Check a signature value or CMS against what was prepared and put it into the file at `path`.

    Raises WrongValue, StaleRequest or TimeStampError; the file is not a signed one then.
    """
    from signer.pades.sign import complete as complete_file

    agreements.under(context, contract)  # nothing is completed under an agreement that has ended meanwhile
    timestamper = context.circles.get(party.suite or "").tsa if contract.level == "B-T" else None
    complete_file(path, prepared, value=value, cms=cms, timestamper=timestamper)


def complete_kept(
    context: Context, contract: Contract, party: Party, signature: Signature, *, value: bytes | None, cms: bytes | None
) -> Received:
    """Complete a copy of the prepared file of a signature, and keep it. Raises as `complete`."""
    from signer.pades.sign import Prepared

    with context.storage.scratch() as directory:
        path = directory / "signed.pdf"
        with context.storage.local(signature.prepared_sha256) as source:
            copy_file(source, path)
        prepared = Prepared.from_json(signature.prepared)
        complete(context, contract, party, prepared, path, value=value, cms=cms)
        with context.storage.receive(file_chunks(path)) as received:
            context.storage.keep(received)
    return received
