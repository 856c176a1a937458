"""The seam between the rows of a seal and the signer: the seal itself, its key, and the options it is applied with.

seal = load(context, row)
options = options_of(seal, data, placement, field="pty_…", level="B-T", locale="zh")
key = open_key(context, tenant_id, seal_id)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from api.context import Context
from api.seals import repository
from api.seals.life import life_of
from api.seals.models import Seal as SealRow
from api.seals.placement import AtPointIn, PlacementIn
from certs.certificate import load_certificates
from signer.errors import SealRefused
from signer.seals.lifecycle import check_usable

if TYPE_CHECKING:
    from certs.suites.base import PrivateKey
    from signer.pades.options import NationalForm, SignOptions
    from signer.pdf.encryption import Credentials
    from signer.seals import Seal

_PLACEMENT: TypeAdapter[Any] = TypeAdapter(PlacementIn)


def row_of(context: Context, tenant_id: str, seal_id: str) -> SealRow:
    """Return the row of a tenant's seal as it is now. Raises NotFound."""
    with context.database.read() as session:
        return repository.get(session, tenant_id, seal_id)


def load(context: Context, row: SealRow) -> Seal:
    """Return the seal itself. Raises SealRefused where it may not be used by anybody at this moment."""
    from signer.seals import read_seal

    _check(context, row)
    assert row.content_sha256 is not None
    with context.storage.local(row.content_sha256) as path:
        return read_seal(path.read_bytes())


def bundle_of(row: SealRow, wanted: str | None) -> str:
    """Return the certificate that a seal is used with, and its chain, PEM: the one that is wanted, or the first.

    Raises SealRefused where the seal does not list it.
    """
    bundles = {load_certificates(pem.encode())[0].der: pem for pem in row.certificates or ()}
    if wanted is None:
        return next(iter(bundles.values()))
    found = bundles.get(load_certificates(wanted.encode())[0].der)
    if found is None:
        raise SealRefused("the certificate of the party is not in the seal's list", reason="not-listed")
    return found


def open_key(context: Context, tenant_id: str, seal_id: str) -> PrivateKey:
    """Return the key of a seal that the service holds, unless the seal was stopped since the use was recorded.

    Raises SealRefused, VaultError, ServiceUnavailable.
    """
    row = row_of(context, tenant_id, seal_id)
    _check(context, row)
    return context.vault.open_key(row.sealed_key or b"", row.id, row.suite)


def _check(context: Context, row: SealRow) -> None:
    """Raise SealRefused unless the seal is in use, and its certificate good where it is one of our circle."""
    check_usable(life_of(row), context.now())
    if row.key_holder == "service":
        certificate = load_certificates(bundle_of(row, None).encode())[0]
        if not context.circles.get(row.suite).good(certificate.serial):
            raise SealRefused("the certificate of the seal is revoked or on hold", reason="certificate-revoked")


def options_of(
    seal: Seal,
    source: Path,
    placement: dict[str, Any] | None,
    *,
    credentials: Credentials,
    national: NationalForm | None = None,
    **others: Any,
) -> SignOptions:
    """Return the options of one sealing of the file at `source`; `placement` is one as a client said it.

    `credentials` open an encrypted file.

    Without one the seal is applied and does not show. Raises OptionError where the seal has no such place, and what
    reading the file raises.
    """
    from signer.pades.options import SignOptions
    from signer.pades.placement import place
    from signer.pades.sealing import seal_options, seal_size

    if placement is None:
        return SignOptions(seal=seal, national=national, **others)
    asked = _PLACEMENT.validate_python(placement).placement()
    places = place(source.read_bytes(), asked, *seal_size(seal), credentials)
    return seal_options(seal, places=places, national=national, **others)


def middle_of(area: dict[str, Any]) -> dict[str, Any]:
    """Return the placement of a seal in the middle of a signature area."""
    x1, y1, x2, y2 = area["box"]
    return AtPointIn(at="point", page=area["page"], x=(x1 + x2) / 2, y=(y1 + y2) / 2).model_dump()
