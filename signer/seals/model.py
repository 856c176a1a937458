"""A seal and a seal signature as plain data, with the octets they were read from.

    seal.version.standard                     # "GB/T 38540-2020"
    seal.lists(certificate.der)               # "certificate", "digest" or None
    signed.seal.picture.data

Names follow the ASN.1 of the standards: `seal_id` is esID, `vendor` Vid, `picture` SES_ESPictrueInfo.
Nothing here is verified; `variants` tells where the octets deviate from the text of their standard.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from hmac import compare_digest

from certs import ber, der, oids, suites
from certs.errors import MalformedInput, UnsupportedAlgorithm

_USUAL = ("sm3", "sha256", "streebog256", "sha384", "sha512", "streebog512")
"""Digests that are tried where a list does not say which one it holds."""
_WEAK = frozenset({"sha1", "gost94"})
"""Digests that stand for no certificate: somebody could make two with the same one."""


class SealVersion(IntEnum):
    """The three structures in use, by the number in their header."""

    V1 = 1
    V4 = 4
    V5 = 5

    @property
    def standard(self) -> str:
        """The standard that defines the structure."""
        return _STANDARDS[self]


_STANDARDS = {
    SealVersion.V1: "GM/T 0031-2014",
    SealVersion.V4: "GB/T 38540-2020",
    SealVersion.V5: "GM/T 0031-2025",
}


@dataclass(frozen=True)
class SealPicture:
    """SES_ESPictrueInfo; the standard misspells the name."""

    type: str
    """As the seal writes it: "PNG", "SVG", "jpg" …; what the octets are, `signer.seals.picture` finds out."""
    data: bytes = field(repr=False)
    width: int
    """Millimetres."""
    height: int
    """Millimetres."""


@dataclass(frozen=True)
class SealExtension:
    """ExtData."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True)
class CertificateDigest:
    """CertDigestObj: stands for the certificate of somebody who may use the seal."""

    type: str
    """The text calls it "self-defined"; we write the dotted OID of the digest."""
    value: bytes

    def of(self, certificate: bytes) -> bool:
        """Tell whether this is the digest of `certificate` (DER).

        By the digest that `type` names, as OID or by name; where it names none, by each usual one of that length: to
        be equal to one of them is proof enough. A digest that is weak stands for nothing. Raises BackendUnavailable
        where no library here computes a digest that is needed.
        """
        named = _digest_named(self.type)
        names = _USUAL if named is None else (named,)
        return any(
            name not in _WEAK
            and suites.new_digest(name).digest_size == len(self.value)
            and compare_digest(suites.digest(name, certificate), self.value)
            for name in names
        )


def _digest_named(text: str) -> str | None:
    """Return our name of the digest that a CertDigestObj names as "1.2.156.10197.1.401", "SM3" or "SHA-256"."""
    plain = text.strip().lower()
    try:
        return suites.digest_name(plain)
    except UnsupportedAlgorithm:
        pass
    for name in (plain, plain.replace("-", "").replace("_", "")):
        try:
            suites.digest_oid(name)
        except UnsupportedAlgorithm:
            continue
        return name
    return None


@dataclass(frozen=True)
class Seal:
    """SESeal as received."""

    der: bytes = field(repr=False)
    version: SealVersion
    header_id: str
    """"ES"."""
    header_version: int
    """As written; in seals of 2014 also 11, the example of the text."""
    vendor: str
    """Vid: who defined the seal's numbers and extensions."""
    seal_id: str
    """esID."""
    type: int
    """An open number; see `signer.seals.kinds`."""
    name: str
    certificates: tuple[bytes, ...] = field(repr=False)
    """Certificates (DER) of those who may use the seal."""
    certificate_digests: tuple[CertificateDigest, ...]
    """In place of certificates, from 2020 on."""
    foreign_entries: tuple[str, ...]
    """Entries of a list of 2014 that are names of certificates and not certificates."""
    created: datetime
    valid_from: datetime
    valid_to: datetime
    picture: SealPicture
    extensions: tuple[SealExtension, ...]
    maker: bytes = field(repr=False)
    """Certificate (DER) of the seal maker."""
    signature_algorithm: str
    """Dotted OID."""
    signature: bytes = field(repr=False)
    """The value as written."""
    tbs: bytes = field(repr=False)
    """The octets that the maker signed: from 2020 on eSealInfo as received, in 2014 the SEQUENCE of esealInfo, cert and
    signatureAlgorithm as received."""
    time_stamp: bytes | None = field(repr=False)
    """From 2025 on: a time-stamp token over the maker's signature value."""
    variants: tuple[str, ...]
    """How the octets deviate from the text of the standard; the names are listed in `signer.seals.reading`."""

    def lists(self, certificate: bytes) -> str | None:
        """Tell how the seal lists `certificate` (DER) as one that may use it: "certificate", "digest" or None.

        Raises BackendUnavailable where a digest in the list cannot be computed here.
        """
        if certificate in self.certificates:
            return "certificate"
        if any(item.of(certificate) for item in self.certificate_digests):
            return "digest"
        return None

    @property
    def filing_number(self) -> str | None:
        """The number under which the seal is on file, where our extension says it: a UTF8String; else None."""
        for extension in self.extensions:
            if extension.oid == oids.SEAL_FILING_NUMBER:
                try:
                    reader = der.Reader(extension.value)
                    text = reader.value(ber.UTF8_STRING)
                    reader.end()
                    return text.decode()
                except (MalformedInput, UnicodeDecodeError):
                    return None
        return None


@dataclass(frozen=True)
class SealSignature:
    """SES_Signature as received."""

    der: bytes = field(repr=False)
    version: SealVersion
    signature_version: int
    """TBS_Sign's own version number, as written."""
    seal: Seal
    time: datetime | None
    """What timeInfo says: claimed by the signer, not proven. None where it cannot be read."""
    time_info: bytes = field(repr=False)
    """The contents of timeInfo as written."""
    time_token: bytes | None = field(repr=False)
    """In signatures of 2014: the time-stamp token that timeInfo is."""
    data_hash: bytes
    property_info: str
    """Which octets `data_hash` is over: in an OFD the path of Signature.xml."""
    extensions: tuple[SealExtension, ...]
    certificate: bytes = field(repr=False)
    """Certificate (DER) of the signer."""
    signature_algorithm: str
    """Dotted OID."""
    signature: bytes = field(repr=False)
    """The value as written."""
    tbs: bytes = field(repr=False)
    """TBS_Sign as received: the octets that the signer signed."""
    time_stamp: bytes | None = field(repr=False)
    """From 2020 on: a time-stamp token over the signature value."""
    variants: tuple[str, ...]
    """Deviations of the signature itself; those of its seal are in `seal.variants`."""
