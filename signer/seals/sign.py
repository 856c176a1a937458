"""Seal signatures (SES_Signature) in two steps that are one path: prepare, record, use the key once, complete.

    prepared = prepare_seal_signature(seal, data_hash=digest, property_info="/Doc_0/Signs/Sign_0/Signature.xml",
                                      time=clock.now(), certificate=certificate)
    record(prepared.to_json())
    value = key.sign(prepared.dtbs)                              # wherever the key lives
    signed = complete_seal_signature(prepared, value, timestamper)

    signed = sign_with_seal(seal, key, certificate, data_hash=…, property_info=…, time=…)       # in one call

The rules before the key is used are those of GM/T 0031-2014 6.2.2, 1 to 3, as far as they need no chain: whether
certificates are trusted and not revoked is for the caller (`certs.path`). The structure is that of the seal's version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from certs import ber, suites
from certs.certificate import Certificate
from certs.errors import BadSignature, MalformedInput, UnsupportedAlgorithm
from certs.keys.base import KeyHandle
from signer import wire
from signer.cms import Timestamper, check_certificate, check_key, time_stamp
from signer.errors import OptionError, SealRefused
from signer.seals import writing
from signer.seals.check import digest_beside, verify_value
from signer.seals.make import MAX_PREPARED, check_extensions, check_value, seal_algorithm
from signer.seals.model import Seal, SealExtension, SealSignature, SealVersion
from signer.seals.reading import read_seal_signature

__all__ = ["PreparedSealSignature", "check_use", "complete_seal_signature", "prepare_seal_signature", "sign_with_seal"]

MAX_PROPERTY = 4096
"""Characters of propertyInfo."""


@dataclass(frozen=True, kw_only=True)
class PreparedSealSignature:
    """A seal signature that waits for its value. Holds no secret."""

    schema: Literal["sealroad.prepared-seal-signature/1"] = "sealroad.prepared-seal-signature/1"
    suite: str
    """Name of the signer's suite."""
    version: SealVersion
    dtbs: bytes
    """TBS_Sign, DER: the octets to sign."""
    certificate_der: bytes

    @property
    def certificate(self) -> Certificate:
        """The signer's certificate."""
        return Certificate(self.certificate_der)

    @property
    def signature_algorithm(self) -> str:
        """Dotted OID of the signature algorithm in the seal signature."""
        return seal_algorithm(suites.get(self.suite))

    def signed(self, value: bytes, token: bytes | None = None) -> SealSignature:
        """Return the seal signature around a value that is not looked at. Raises MalformedInput."""
        return read_seal_signature(
            writing.signature(self.version, self.dtbs, self.certificate_der, self.signature_algorithm, value, token)
        )

    def to_json(self) -> str:
        """Return the preparation as one line of JSON; octets are base64."""
        return wire.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> PreparedSealSignature:
        """Read what `to_json` wrote. Raises MalformedInput."""
        try:
            prepared = wire.decode_text(cls, text, MAX_PREPARED)
            signed = prepared.signed(b"")
            if (signed.version, signed.certificate) != (prepared.version, prepared.certificate_der):
                raise wire.WireError("version or certificate is another one")
        except (wire.WireError, UnsupportedAlgorithm, OptionError) as error:
            raise MalformedInput(f"this is no preparation of a seal signature: {error}") from error
        return prepared


def prepare_seal_signature(
    seal: Seal,
    *,
    data_hash: bytes,
    property_info: str,
    time: datetime,
    certificate: Certificate,
    suite: str | None = None,
    extensions: Sequence[SealExtension] = (),
) -> PreparedSealSignature:
    """Check that `certificate` may use `seal` at `time`, and return what is to be signed.

    `data_hash` is the digest that goes with the signer's algorithm (`check.digest_beside`) over what `property_info`
    names; `time` is aware, its fraction of a second is dropped. `suite` is needed only where the certificate does not
    tell. Raises SealRefused with reason "seal-value" (the maker's value does not verify), "seal-not-valid" (time
    outside the seal's validity), "not-listed", "certificate-not-valid" or "key-usage"; OptionError,
    UnsupportedAlgorithm, BackendUnavailable.
    """
    chosen = suites.get(suite) if suite is not None else suites.for_spki(certificate.spki)
    suites.must_sign(chosen.name)
    algorithm = seal_algorithm(chosen)
    _check_options(seal, property_info, time, extensions)
    if len(data_hash) != suites.new_digest(digest_beside(algorithm, certificate)).digest_size:
        raise OptionError(f"a data hash of {len(data_hash)} octets does not go with {chosen.name}")
    check_use(seal, certificate, time)
    early = seal.version == SealVersion.V1
    tbs = writing.signature_to_sign(
        seal.version,
        seal=seal.der,
        time_info=ber.encode_time(time) if early else ber.encode_generalized_time(time)[2:],
        data_hash=data_hash,
        property_info=property_info,
        extensions=extensions,
        certificate=certificate.der,
        algorithm=algorithm,
    )
    prepared = PreparedSealSignature(suite=chosen.name, version=seal.version, dtbs=tbs, certificate_der=certificate.der)
    prepared.signed(b"")  # what could not be read back must not be signed
    return prepared


def check_use(seal: Seal, certificate: Certificate, time: datetime) -> None:
    """Raise SealRefused unless `certificate` may use `seal` at `time`; reasons as of `prepare_seal_signature`."""
    _check_seal(seal, time)
    if seal.lists(certificate.der) is None:
        raise SealRefused(
            "the certificate is not in the seal's list", hint="have the seal made for it", reason="not-listed"
        )
    check_certificate(certificate, time, SealRefused)


def complete_seal_signature(
    prepared: PreparedSealSignature, value: bytes, timestamper: Timestamper | None = None
) -> SealSignature:
    """Return the seal signature with its value, which is checked first, and a time-stamp over it where one is wanted.

    Raises WrongValue; OptionError for a time-stamp in the structure of 2014; TimeStampError where none is to be had.
    """
    _check_timestamper(prepared.version, timestamper)
    check_value(prepared.certificate, prepared.signature_algorithm, value, prepared.dtbs)
    token = None
    if timestamper is not None:
        token = time_stamp(value, timestamper, suites.get(prepared.suite).stamp_digest_name)
    return prepared.signed(value, token)


def sign_with_seal(
    seal: Seal,
    key: KeyHandle,
    certificate: Certificate,
    *,
    data_hash: bytes,
    property_info: str,
    time: datetime,
    extensions: Sequence[SealExtension] = (),
    timestamper: Timestamper | None = None,
) -> SealSignature:
    """Seal with the key at hand. Raises as the two steps do, and OptionError for another's key."""
    check_key(key, certificate)
    _check_timestamper(seal.version, timestamper)
    prepared = prepare_seal_signature(
        seal,
        data_hash=data_hash,
        property_info=property_info,
        time=time,
        certificate=certificate,
        suite=key.suite.name,
        extensions=extensions,
    )
    return complete_seal_signature(prepared, key.sign(prepared.dtbs), timestamper)


# Inside --------------------------------------------------------------------------------------------------------------
def _check_timestamper(version: SealVersion, timestamper: Timestamper | None) -> None:
    if timestamper is not None and version == SealVersion.V1:
        raise OptionError("a signature of GM/T 0031-2014 has no place for a time-stamp over it", hint="leave it out")


def _check_options(seal: Seal, property_info: str, time: datetime, extensions: Sequence[SealExtension]) -> None:
    if time.tzinfo is None:
        raise OptionError("a moment without a time zone")
    if not property_info.isascii() or not 0 < len(property_info) <= MAX_PROPERTY:
        raise OptionError(f"propertyInfo is ASCII, of 1 to {MAX_PROPERTY} characters")
    if extensions and seal.version == SealVersion.V1:
        raise OptionError("a signature of GM/T 0031-2014 has no extensions")
    check_extensions(extensions)


def _check_seal(seal: Seal, time: datetime) -> None:
    """Raise SealRefused for a seal that its maker did not sign so, or that is not valid at `time`."""
    try:
        verify_value(Certificate(seal.maker), seal.signature_algorithm, seal.signature, seal.tbs)
    except (BadSignature, MalformedInput, UnsupportedAlgorithm) as error:
        raise SealRefused("the value of the seal's maker does not verify", reason="seal-value") from error
    if not seal.valid_from <= time <= seal.valid_to:
        state = "is not valid yet" if time < seal.valid_from else "has expired"
        raise SealRefused(
            f"the seal {state}", reason="seal-not-valid", valid_from=seal.valid_from, valid_to=seal.valid_to
        )
