"""A seal or a seal signature as one plain object, for people and programs.

    print(as_text([describe(read_any(data))]))             # certs.describe.as_text

What can be checked alone is said: values with the certificates inside, the time-stamp, the picture. No trust is looked
at, no document, no moment; that is what `sealroad verify` does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from certs import suites
from certs.certificate import Certificate
from certs.describe_kinds import readable_oid
from certs.errors import CertsError, MalformedInput, SealroadError
from certs.timestamp import read_token
from signer.seals.check import verify_value
from signer.seals.kinds import word_of
from signer.seals.model import Seal, SealExtension, SealSignature
from signer.seals.picture import check_picture
from signer.seals.reading import read_seal, read_seal_signature
from signer.text.cleaning import clean

MAX_SHOWN = 50
"""Certificates, digests and extensions that are shown of each list."""


def read_any(data: bytes) -> Seal | SealSignature:
    """Return the seal or the seal signature that `data` is. Raises MalformedInput."""
    try:
        return read_seal(data)
    except MalformedInput as neither:
        try:
            return read_seal_signature(data)
        except MalformedInput as error:
            raise MalformedInput(
                f"neither a seal ({neither}) nor a seal signature ({error})",
                hint="GM/T 0031-2014, GB/T 38540-2020 and GM/T 0031-2025 are read, in DER",
            ) from error


def describe(found: Seal | SealSignature) -> dict[str, Any]:
    """Return what it says; texts are cleaned of what steers a terminal."""
    return of_seal(found) if isinstance(found, Seal) else of_seal_signature(found)


def of_seal(seal: Seal) -> dict[str, Any]:
    """Describe a seal."""
    return {
        "kind": "seal",
        "standard": seal.version.standard,
        "number": clean(seal.seal_id),
        "name": clean(seal.name),
        "type": seal.type,
        "usual_meaning": word_of(seal.type, seal.version),
        "vendor": clean(seal.vendor),
        "filing_number": clean(seal.filing_number) if seal.filing_number is not None else None,
        "created": _time(seal.created),
        "valid_from": _time(seal.valid_from),
        "valid_to": _time(seal.valid_to),
        "picture": _picture(seal),
        "certificates": [_certificate(item) for item in seal.certificates[:MAX_SHOWN]],
        "certificate_digests": [
            {"type": clean(item.type), "value": item.value.hex()} for item in seal.certificate_digests[:MAX_SHOWN]
        ],
        "foreign_entries": [clean(item) for item in seal.foreign_entries[:MAX_SHOWN]],
        "listed": len(seal.certificates) + len(seal.certificate_digests) + len(seal.foreign_entries),
        "extensions": _extensions(seal.extensions),
        "maker": _certificate(seal.maker),
        "signature_algorithm": readable_oid(seal.signature_algorithm),
        "signature": _value(seal.maker, seal.signature_algorithm, seal.signature, seal.tbs),
        "time_stamp": _time_stamp(seal.time_stamp, seal.signature),
        "variants": list(seal.variants),
    }


def of_seal_signature(signed: SealSignature) -> dict[str, Any]:
    """Describe a seal signature and the seal inside."""
    return {
        "kind": "seal-signature",
        "standard": signed.version.standard,
        "time": _time(signed.time),
        "property": clean(signed.property_info),
        "data_hash": signed.data_hash.hex(),
        "extensions": _extensions(signed.extensions),
        "signer": _certificate(signed.certificate),
        "listed_by": _attempt(lambda: signed.seal.lists(signed.certificate) or "nothing: not in the seal's list"),
        "signature_algorithm": readable_oid(signed.signature_algorithm),
        "signature": _value(signed.certificate, signed.signature_algorithm, signed.signature, signed.tbs),
        "time_stamp": _time_stamp(signed.time_stamp, signed.signature),
        "variants": list(signed.variants),
        "seal": of_seal(signed.seal),
    }


def _picture(seal: Seal) -> dict[str, Any]:
    picture = seal.picture
    out: dict[str, Any] = {
        "type": clean(picture.type),
        "width_mm": picture.width,
        "height_mm": picture.height,
        "octets": len(picture.data),
        "sha256": suites.digest("sha256", picture.data).hex(),
    }
    try:
        checked = check_picture(picture.data, stated=picture.type)
    except SealroadError as error:
        return out | {"problem": str(error)}
    if checked.width_px is not None:
        out |= {"width_px": checked.width_px, "height_px": checked.height_px}
    return out | ({"problem": f"it is {checked.type_name}"} if checked.mismatch else {})


def _certificate(encoded: bytes) -> dict[str, Any]:
    try:
        certificate = Certificate(encoded)
    except CertsError as error:
        return {"problem": f"no certificate: {error}"}
    return {
        "subject": certificate.subject,
        "serial": certificate.serial_hex,
        "not_before": _time(certificate.not_before),
        "not_after": _time(certificate.not_after),
        "suite": certificate.suite_name,
    }


def _extensions(extensions: tuple[SealExtension, ...]) -> list[dict[str, Any]]:
    return [
        {"oid": readable_oid(item.oid), "critical": item.critical, "octets": len(item.value)}
        for item in extensions[:MAX_SHOWN]
    ]


def _value(certificate: bytes, algorithm: str, value: bytes, message: bytes) -> str:
    def check() -> str:
        checked = verify_value(Certificate(certificate), algorithm, value, message)
        return f"good ({', '.join((checked.suite, *checked.variants))})"

    return _attempt(check)


def _time_stamp(token: bytes | None, value: bytes) -> dict[str, Any] | None:
    """Describe a time-stamp, which is over a signature value."""
    if token is None:
        return None
    try:
        read = read_token(token)
    except CertsError as error:
        return {"problem": f"{error.code}: {error}"}

    def check() -> str:
        return f"good ({read.verify(read.digest_name, suites.digest(read.digest_name, value))})"

    return {"time": _time(read.gen_time), "signature": _attempt(check)}


def _attempt(action: Callable[[], str]) -> str:
    """Return what `action` returns, or a short sentence of why it could not."""
    try:
        return action()
    except CertsError as error:
        return f"{error.code}: {error}"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
