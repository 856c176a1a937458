"""Making a seal in two steps that are one path: prepare, record, use the maker's key once, complete.

    prepared = prepare_seal(spec, maker_certificate)
    record(prepared.to_json())
    value = key.sign(prepared.dtbs)                              # wherever the maker's key lives
    seal = complete_seal(prepared, value, timestamper)           # the value is checked first; seal.der is the file

    seal = make_seal(spec, key, maker_certificate, timestamper)  # the same steps in one call

The standards know SM2 with SM3 (and RSA). Here every signing suite makes seals, by the OID of its signature algorithm
as in certificates; a seal has no place for parameters, so a suite that needs them (RSA-PSS) makes none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.errors import BadKey, BadSignature, MalformedInput, TimeStampError, UnsupportedAlgorithm
from certs.keys.base import KeyHandle
from certs.names import printable
from certs.suites.base import Suite, Use
from certs.timestamp import read_token
from signer import wire
from signer.cms import Timestamper, check_certificate, check_key, time_stamp
from signer.errors import OptionError, SealRefused, WrongValue
from signer.seals import writing
from signer.seals.check import verify_value
from signer.seals.model import CertificateDigest, Seal, SealExtension, SealPicture, SealVersion
from signer.seals.picture import check_picture
from signer.seals.reading import read_seal
from signer.seals.reading_parts import MAX_ENTRIES, MAX_NUMBER

__all__ = ["PreparedSeal", "SealSpec", "complete_seal", "make_seal", "prepare_seal"]

MAX_TEXT = 200
"""Characters of a name or number."""
MAX_SIDE = 500
"""Millimetres; the largest seals in use have about 60."""
MAX_PREPARED = 24 << 20
"""Octets of a preparation as JSON."""


@dataclass(frozen=True, kw_only=True)
class SealSpec:
    """What a seal is to say. Moments are aware; fractions of a second are dropped."""

    version: SealVersion = SealVersion.V5
    vendor: str
    """Vid, ASCII."""
    seal_id: str
    """esID, ASCII: unique for the vendor."""
    type: int
    """See `signer.seals.kinds`."""
    name: str
    owners: tuple[Certificate, ...]
    """Certificates that may use the seal."""
    digests: bool = False
    """List digests of the certificates and not the certificates themselves; not in a seal of 2014."""
    picture: SealPicture
    created: datetime
    valid_from: datetime
    valid_to: datetime
    extensions: tuple[SealExtension, ...] = ()
    filing_number: str | None = None
    """The number under which the seal is on file (备案); an extension of ours."""


@dataclass(frozen=True, kw_only=True)
class PreparedSeal:
    """A seal that waits for its maker's value. Holds no secret."""

    schema: Literal["sealroad.prepared-seal/1"] = "sealroad.prepared-seal/1"
    suite: str
    """Name of the maker's suite."""
    version: SealVersion
    info: bytes
    """SES_SealInfo, DER."""
    maker_der: bytes

    @property
    def maker(self) -> Certificate:
        """The maker's certificate."""
        return Certificate(self.maker_der)

    @property
    def signature_algorithm(self) -> str:
        """Dotted OID of the signature algorithm in the seal."""
        return seal_algorithm(suites.get(self.suite))

    @property
    def dtbs(self) -> bytes:
        """The octets to sign."""
        return writing.seal_to_sign(self.version, self.info, self.maker_der, self.signature_algorithm)

    def sealed(self, value: bytes, token: bytes | None = None) -> Seal:
        """Return the seal around a value that is not looked at. Raises MalformedInput."""
        return read_seal(writing.seal(self.version, self.info, self.maker_der, self.signature_algorithm, value, token))

    def to_json(self) -> str:
        """Return the preparation as one line of JSON; octets are base64."""
        return wire.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> PreparedSeal:
        """Read what `to_json` wrote. Raises MalformedInput."""
        try:
            prepared = wire.decode_text(cls, text, MAX_PREPARED)
            if prepared.sealed(b"").version != prepared.version:
                raise wire.WireError("the version is another one")
        except (wire.WireError, UnsupportedAlgorithm, OptionError) as error:
            raise MalformedInput(f"this is no preparation of a seal: {error}") from error
        return prepared


# Steps ---------------------------------------------------------------------------------------------------------------
def prepare_seal(spec: SealSpec, maker: Certificate, suite: str | None = None) -> PreparedSeal:
    """Check what a seal is to say and who makes it, and return what is to be signed.

    `suite` is needed only where the maker's certificate does not tell. Raises OptionError for a seal that cannot be,
    AppearanceError for its picture, SealRefused for the maker's certificate (reason "certificate-not-valid",
    "key-usage") or an owner's ("owner"), UnsupportedAlgorithm.
    """
    chosen = suites.get(suite) if suite is not None else suites.for_spki(maker.spki)
    suites.must_sign(chosen.name)
    seal_algorithm(chosen)
    _check_texts(spec)
    _check_times(spec)
    _check_picture(spec.picture)
    _check_owners(spec)
    check_certificate(maker, spec.created, SealRefused)
    owners = tuple(dict.fromkeys(item.der for item in spec.owners))
    digest = chosen.stamp_digest_name
    info = writing.seal_info(
        version=spec.version,
        vendor=spec.vendor,
        seal_id=spec.seal_id,
        kind=spec.type,
        name=spec.name,
        certificates=() if spec.digests else owners,
        certificate_digests=tuple(
            CertificateDigest(suites.digest_oid(digest), suites.digest(digest, item))
            for item in (owners if spec.digests else ())
        ),
        created=spec.created,
        valid_from=spec.valid_from,
        valid_to=spec.valid_to,
        picture=spec.picture,
        extensions=_extensions(spec),
    )
    prepared = PreparedSeal(suite=chosen.name, version=spec.version, info=info, maker_der=maker.der)
    prepared.sealed(b"")  # what could not be read back must not be signed
    return prepared


def complete_seal(prepared: PreparedSeal, value: bytes, timestamper: Timestamper | None = None) -> Seal:
    """Return the seal with its maker's value, which is checked first, and a time-stamp over it where one is wanted.

    Raises WrongValue; OptionError for a time-stamp in a seal before GM/T 0031-2025; TimeStampError where no good one
    is to be had, also for one from before the seal was made, which makes the seal invalid (GM/T 0031-2025).
    """
    _check_timestamper(prepared.version, timestamper)
    check_value(prepared.maker, prepared.signature_algorithm, value, prepared.dtbs)
    if timestamper is None:
        return prepared.sealed(value)
    token = time_stamp(value, timestamper, suites.get(prepared.suite).stamp_digest_name)
    seal = prepared.sealed(value, token)
    if read_token(token).gen_time < seal.created:
        raise TimeStampError("the time-stamp is from before the seal was made", reason="before-creation")
    return seal


def make_seal(spec: SealSpec, key: KeyHandle, maker: Certificate, timestamper: Timestamper | None = None) -> Seal:
    """Make a seal with the maker's key at hand. Raises as the two steps do, and OptionError for another's key."""
    check_key(key, maker)
    _check_timestamper(spec.version, timestamper)
    prepared = prepare_seal(spec, maker, key.suite.name)
    return complete_seal(prepared, key.sign(prepared.dtbs), timestamper)


# Shared with signer.seals.sign ---------------------------------------------------------------------------------------
def seal_algorithm(suite: Suite) -> str:
    """Return the OID that a suite's values have in seals. Raises OptionError where it needs parameters."""
    algorithm = suite.signature_algorithm(Use.X509)
    if algorithm.parameters not in (None, der.NULL_DER):
        raise OptionError(
            f"seals have no place for the parameters of {suite.name}",
            hint="use a key of another suite",
            suite=suite.name,
        )
    return algorithm.oid


def check_value(certificate: Certificate, algorithm: str, value: bytes, message: bytes) -> None:
    """Raise WrongValue unless `value` is in the form of its standard and verifies."""
    try:
        if not verify_value(certificate, algorithm, value, message).variants:
            return
    except (BadSignature, BadKey, MalformedInput, UnsupportedAlgorithm) as error:
        raise WrongValue(
            "the signature value does not verify for what was prepared",
            hint="sign exactly the prepared octets with the key of the certificate",
        ) from error
    raise WrongValue("the value is raw r‖s", hint="hand in the DER SEQUENCE of both (GM/T 0009-2012 7.3)")


def check_extensions(extensions: Sequence[SealExtension]) -> None:
    """Raise OptionError for an extension that is there twice, or for too many of them."""
    if len({item.oid for item in extensions}) != len(extensions) or len(extensions) > MAX_ENTRIES:
        raise OptionError("an extension is there twice, or there are too many")


# Inside --------------------------------------------------------------------------------------------------------------
def _check_timestamper(version: SealVersion, timestamper: Timestamper | None) -> None:
    if timestamper is not None and version != SealVersion.V5:
        raise OptionError(f"a seal of {version.standard} has no time-stamp", hint="leave the authority out")


def _check_texts(spec: SealSpec) -> None:
    for label, text in (("vendor", spec.vendor), ("number", spec.seal_id), ("name", spec.name)):
        if not text or text != text.strip() or len(text) > MAX_TEXT or printable(text) != text:
            raise OptionError(f"the {label} of a seal has 1 to {MAX_TEXT} visible characters, and no space at its ends")
        if label != "name" and not text.isascii():
            raise OptionError(f"the {label} of a seal is ASCII")
    number = spec.filing_number
    if number is not None and (not number.strip() or len(number) > MAX_TEXT or printable(number) != number):
        raise OptionError(f"a filing number has 1 to {MAX_TEXT} visible characters")
    if not 0 < spec.type < MAX_NUMBER:
        raise OptionError("the type of a seal is a positive number")


def _check_times(spec: SealSpec) -> None:
    moments = (spec.created, spec.valid_from, spec.valid_to)
    if any(moment.tzinfo is None for moment in moments):
        raise OptionError("a moment without a time zone")
    if spec.valid_from > spec.valid_to:
        raise OptionError("the seal ends before it begins")
    if spec.version == SealVersion.V1 and not all(1950 <= item.astimezone(UTC).year < 2050 for item in moments):
        raise OptionError("UTCTime, which a seal of GM/T 0031-2014 has, ends with 2049", hint="make a later version")


def _check_picture(picture: SealPicture) -> None:
    if not (0 < picture.width <= MAX_SIDE and 0 < picture.height <= MAX_SIDE):
        raise OptionError(f"a seal has sides of 1 to {MAX_SIDE} mm")
    checked = check_picture(picture.data, stated=picture.type)
    if checked.mismatch:
        raise OptionError(f"the picture is {checked.kind.upper()}, not {picture.type[:20]!r}")


def _check_owners(spec: SealSpec) -> None:
    if not 0 < len(spec.owners) <= MAX_ENTRIES:
        raise OptionError(f"a seal lists 1 to {MAX_ENTRIES} certificates that may use it")
    if spec.digests and spec.version == SealVersion.V1:
        raise OptionError("a seal of GM/T 0031-2014 lists certificates, not digests", hint="make a later version")
    for owner in spec.owners:
        if not owner.allows("digital_signature", "non_repudiation"):
            raise SealRefused(
                f"the certificate of {owner.subject} is not for signatures",
                hint="list the signing certificate of the pair, not the one for encryption",
                reason="owner",
            )


def _extensions(spec: SealSpec) -> tuple[SealExtension, ...]:
    extensions = spec.extensions
    if spec.filing_number is not None:
        number = der.tlv(ber.UTF8_STRING, spec.filing_number.encode())
        extensions = (*extensions, SealExtension(oids.SEAL_FILING_NUMBER, critical=False, value=number))
    check_extensions(extensions)
    return extensions
