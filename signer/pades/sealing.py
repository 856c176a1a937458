"""An electronic seal on a PDF, in one of two forms, each on the one path of `signer.pades.sign`.

    options = seal_options(seal, places=place(data, CrossPage(), *seal_size(seal)))     # PAdES, for every reader
    options = seal_options(seal, places=…, national=NationalForm())                     # SES_Signature in /Contents
    prepared = prepare(source, target, options, certificate, chain, clock)              # record, sign, complete

PAdES: a signature by the organisation's certificate as any other, with the seal (SESeal) in a signed attribute; readers
that know no seals see a signature with a picture, our verifier sees the seal. National: /Contents is the SES_Signature
of GM/T 0031 or GB/T 38540 over the digest of /ByteRange; propertyInfo names the range. In both, what shows is the
picture in the seal, in its own size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certs.certificate import Certificate
from certs.clock import Clock
from certs.suites.base import Suite
from signer.cms import Timestamper
from signer.errors import AppearanceError, SealRefused, StaleRequest
from signer.pades.geometry import POINTS_PER_MM
from signer.pades.options import NationalForm, Place, SignOptions
from signer.pades.prepared import Prepared
from signer.seals import Seal
from signer.seals.picture import check_picture
from signer.seals.sign import (
    PreparedSealSignature,
    check_use,
    complete_seal_signature,
    prepare_seal_signature,
)

if TYPE_CHECKING:
    from signer.appearance.seal import SealFace

MAX_SEAL = 1 << 20
"""Octets of a seal that goes into a PDF, where it is written in hexadecimal: twice that."""
SIZE_BESIDE = 512
"""Octets of an SES_Signature beyond TBS_Sign, certificate, value and time-stamp."""


def seal_size(seal: Seal) -> tuple[float, float]:
    """Return width and height of a seal's picture in points."""
    return seal.picture.width * POINTS_PER_MM, seal.picture.height * POINTS_PER_MM


def seal_options(
    seal: Seal, *, places: tuple[Place, ...] = (), national: NationalForm | None = None, **others: Any
) -> SignOptions:
    """Return options that apply `seal`; `others` are options as of `SignOptions`.

    Without places and without a field the seal is applied but does not show. Raises OptionError.
    """
    shows = bool(places) or others.get("field") is not None
    return SignOptions(
        places=places,
        seal=seal,
        national=national,
        appearance=seal_face(seal, others.get("locale", "en")) if shows else None,
        **others,
    )


def seal_face(seal: Seal, locale: str) -> SealFace:
    """Return what a seal looks like."""
    from signer.appearance.seal import SealFace

    width, height = seal_size(seal)
    return SealFace(picture=seal.picture.data, width=width, height=height, name=seal.name, locale=locale)


def check_seal(seal: Seal, certificate: Certificate, clock: Clock) -> None:
    """Refuse a seal that nobody would accept, before anything is written. Raises SealRefused.

    Reasons: those of `signer.seals.sign` ("seal-value", "seal-not-valid", "not-listed", "certificate-not-valid",
    "key-usage"), "picture" and "size".
    """
    if len(seal.der) > MAX_SEAL:
        raise SealRefused(
            f"the seal has {len(seal.der)} octets, more than {MAX_SEAL}",
            hint="have it made with a smaller picture",
            reason="size",
        )
    check_use(seal, certificate, clock.now())
    try:
        checked = check_picture(seal.picture.data, stated=seal.picture.type)
    except AppearanceError as error:
        raise SealRefused(
            f"the seal's picture cannot be used: {error.message}", hint=error.hint, reason="picture"
        ) from error
    if checked.mismatch:
        raise SealRefused(
            f"the seal calls its picture {seal.picture.type!r}, and it is {checked.kind}",
            hint="have the seal made with the right type",
            reason="picture",
        )


# The national form ---------------------------------------------------------------------------------------------------
def property_info(byte_range: tuple[int, int, int, int]) -> str:
    """Return propertyInfo of a seal signature over a /ByteRange."""
    return "/ByteRange [{} {} {} {}]".format(*byte_range)


def national_size(seal: Seal, suite: Suite, certificate: Certificate) -> int:
    """Return an upper bound, in octets, of the SES_Signature without a time-stamp over it."""
    # TBS_Sign holds the seal and, in the structure of 2014, the certificate too
    return len(seal.der) + 2 * len(certificate.der) + suite.max_signature_size + SIZE_BESIDE


def prepare_national(
    seal: Seal,
    suite: Suite,
    certificate: Certificate,
    digest: bytes,
    byte_range: tuple[int, int, int, int],
    clock: Clock,
) -> PreparedSealSignature:
    """Return the seal signature that waits for its value. Raises as `prepare_seal_signature`."""
    return prepare_seal_signature(
        seal,
        data_hash=digest,
        property_info=property_info(byte_range),
        time=clock.now(),
        certificate=certificate,
        suite=suite.name,
    )


def finish_national(prepared: Prepared, value: bytes, timestamper: Timestamper | None) -> bytes:
    """Return the SES_Signature (DER) around a value that is checked first. Raises WrongValue, TimeStampError."""
    assert prepared.seal_signature is not None
    waiting = PreparedSealSignature.from_json(prepared.seal_signature)
    if waiting.dtbs != prepared.dtbs or waiting.certificate_der != prepared.certificate_der:
        raise StaleRequest("the preparation contradicts itself", hint="prepare it again")
    return complete_seal_signature(waiting, value, timestamper).der
