"""Certificates of anybody, over their original octets; and the subjects of ours.

    certificate = load_certificate(data)              # PEM or DER
    certificate.subject                               # "C=CN, O=UniTrust, CN=SHECA SM2"
    certificate.verify_signed_by(issuer)              # None, or BadSignature / UnsupportedAlgorithm
    certificate.identifiers                           # (Identifier("CN-USCC", "9131…"),)

What was received is kept and never encoded again: some real certificates change when decoded and re-encoded. Reading
for display does not raise: an attribute or extension that cannot be read is empty here and named by `problems`, which
a path validator must look at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from certs import ber, oids, suites
from certs.certificate_parts import Parts, problems
from certs.encoded import Encoded
from certs.errors import CertsError, MalformedInput
from certs.extension_values import (
    KEY_USAGE_BITS,
    DistributionPoint,
    Extension,
    read_access,
    read_aki,
    read_basic_constraints,
    read_distribution_points,
    read_extensions,
    read_key_usage,
    read_oids,
    read_policies,
    text_of,
)
from certs.identifiers import Identifier
from certs.names import Name
from certs.pem import armor, pem_blocks
from certs.subject import Subject, identifier_of
from certs.suites.base import PublicKey

__all__ = [
    "KEY_USAGE_BITS",
    "Certificate",
    "DistributionPoint",
    "Extension",
    "Subject",
    "armor",
    "load_certificate",
    "load_certificates",
    "pem_blocks",
    "read_extensions",
]

T = TypeVar("T")

MAX_CERTIFICATES = 10_000
"""Certificates read from one file; national lists have about 2 500."""

_IN_EXTENSIONS = {oids.SHECA_USCC: "CN-USCC", oids.GM_USCC: "CN-USCC", oids.GM_IDENTITY: "CN-ID"}
"""Extensions that hold an identifier."""

_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_ALWAYS = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

_KEPT_OCTETS = 16 * 1024
"""The largest certificate whose members are kept; one with ML-DSA-87 has 7,500 octets."""


@lru_cache(maxsize=512)
def _parts_of(encoded: bytes) -> Parts:
    """Return the members of a certificate, kept: one signature or verification meets the same few a dozen times.

    Members do not change and depend on nothing but the octets, so nobody learns whose certificate was read before.
    """
    return Parts(encoded)


@dataclass(frozen=True)
class Certificate(Encoded[Parts]):
    """An X.509 certificate over its DER. Two are equal if their octets are. Raises MalformedInput."""

    working_spki: bytes | None = field(default=None, compare=False, repr=False)
    """The key with the parameters that its issuer hands down; only `certs.path_inheritance` sets it."""

    def _split(self, encoded: bytes) -> Parts:
        return _parts_of(encoded) if len(encoded) <= _KEPT_OCTETS else Parts(encoded)

    # What was signed ----------------------------------------------------------------------------------------------
    @property
    def tbs(self) -> bytes:
        """The to-be-signed octets, as received."""
        return self._parts.tbs

    @property
    def signature(self) -> bytes:
        """The signature value."""
        return self._parts.signature

    @property
    def signature_algorithm(self) -> bytes:
        """DER of the outer AlgorithmIdentifier."""
        return self._parts.outer_algorithm

    @property
    def algorithms_agree(self) -> bool:
        """Whether the inner and the outer AlgorithmIdentifier are equal to the octet (RFC 5280 4.1.1.2)."""
        return self._parts.inner_algorithm == self._parts.outer_algorithm

    def verify_signed_by(self, issuer: Certificate) -> str:
        """Check the signature with the key of `issuer` and return the suite; names and dates are not looked at.

        Raises BadSignature, UnsupportedAlgorithm, BadKey or MalformedInput.
        """
        return suites.verify(issuer.spki, self._parts.outer_algorithm, self.signature, self.tbs)

    @cached_property
    def suite_name(self) -> str:
        """The suite of the subject's key, or the OID of its algorithm where we do not know it."""
        try:
            return suites.for_spki(self.spki).name
        except CertsError:
            return self.key_algorithm

    @cached_property
    def key_algorithm(self) -> str:
        """The OID of the subject's key algorithm."""
        return ber.load(self.spki).members().next(ber.SEQUENCE).members().next().oid()

    # Who and when --------------------------------------------------------------------------------------------------
    @property
    def version(self) -> int:
        """1, 2 or 3."""
        return self._parts.version

    @property
    def serial(self) -> int:
        """The serial number; foreign ones may be negative or zero."""
        return self._parts.serial

    @property
    def serial_hex(self) -> str:
        """The serial number in lower-case hexadecimal, an even number of digits."""
        digits = f"{abs(self.serial):x}"
        return ("-" if self.serial < 0 else "") + digits.rjust(len(digits) + len(digits) % 2, "0")

    @property
    def subject_name(self) -> Name:
        """The subject."""
        return self._parts.subject

    @property
    def issuer_name(self) -> Name:
        """The issuer."""
        return self._parts.issuer

    @cached_property
    def subject(self) -> str:
        """The subject, readable, in the order of the encoding."""
        return str(self._parts.subject)

    @cached_property
    def issuer(self) -> str:
        """The issuer, readable, in the order of the encoding."""
        return str(self._parts.issuer)

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name; says nothing about the signature."""
        return self._parts.subject.key == self._parts.issuer.key

    @cached_property
    def not_before(self) -> datetime:
        """The first moment of validity, UTC. A time that cannot be read makes the certificate never valid."""
        try:
            return self._parts.not_before.time()
        except MalformedInput:
            return _ALWAYS

    @cached_property
    def not_after(self) -> datetime:
        """The last moment of validity, inclusive, UTC. A time that cannot be read makes it never valid."""
        try:
            return self._parts.not_after.time()
        except MalformedInput:
            return _NEVER

    @property
    def common_name(self) -> str | None:
        """The last common name of the subject."""
        return next(reversed(self.subject_name.all(oids.COMMON_NAME)), None)

    @property
    def organisation(self) -> str | None:
        """The first organisation of the subject."""
        return self.subject_name.first(oids.ORGANISATION)

    @cached_property
    def identifiers(self) -> tuple[Identifier, ...]:
        """National identifiers in subject and extensions, without repetition; see `certs.identifiers`."""
        found: dict[Identifier, None] = {}
        for attribute in self.subject_name.attributes:
            identifier = identifier_of(attribute.oid, attribute.text)
            if identifier:
                found[identifier] = None
        for extension in self.extensions:
            if scheme := _IN_EXTENSIONS.get(extension.oid):
                found[Identifier(scheme, text_of(extension.value))] = None
        return tuple(found)

    # Key and extensions --------------------------------------------------------------------------------------------
    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER, as received; in the chain of a path validation with inherited parameters."""
        return self.working_spki or self._parts.spki

    def public_key(self) -> PublicKey:
        """Return the subject's key. Raises BadKey, UnsupportedAlgorithm or MalformedInput."""
        return suites.load_public(self.spki)

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """The extensions in their order."""
        return self._parts.extensions

    def extension(self, oid: str) -> Extension | None:
        """Return extension `oid`, or None; of two the first (`problems` names the second)."""
        return next((extension for extension in self.extensions if extension.oid == oid), None)

    def _read(self, oid: str, reader: Callable[[ber.Value], T], default: T) -> T:
        extension = self.extension(oid)
        if extension is None:
            return default
        try:
            return reader(ber.load(extension.value))
        except MalformedInput:
            return default

    @cached_property
    def key_usage(self) -> frozenset[str]:
        """Names of RFC 5280 4.2.1.3 in snake case; empty where the extension is absent (see `allows`)."""
        return self._read(oids.KEY_USAGE, read_key_usage, frozenset())

    def allows(self, *usages: str) -> bool:
        """Tell whether keyUsage holds one of `usages`, or is absent and so allows everything."""
        return self.extension(oids.KEY_USAGE) is None or not self.key_usage.isdisjoint(usages)

    @property
    def encrypts(self) -> bool:
        """Whether others may encrypt to its key: the suite can, and keyUsage allows it in the way the suite does it.

        Raises what `public_key` raises.
        """
        usages = self.public_key().suite.recipient_usages
        return bool(usages) and self.allows(*usages)

    @cached_property
    def extended_key_usage(self) -> frozenset[str]:
        """OIDs of the purposes; empty where the extension is absent."""
        return self._read(oids.EXTENDED_KEY_USAGE, read_oids, frozenset())

    @cached_property
    def basic_constraints(self) -> tuple[bool, int | None]:
        """Whether the subject is a CA, and the path length where one is given."""
        absent: tuple[bool, int | None] = (False, None)
        return self._read(oids.BASIC_CONSTRAINTS, read_basic_constraints, absent)

    @property
    def is_ca(self) -> bool:
        """Whether basicConstraints says CA."""
        return self.basic_constraints[0]

    @property
    def path_length(self) -> int | None:
        """The path length constraint, or None."""
        return self.basic_constraints[1]

    @cached_property
    def ski(self) -> bytes | None:
        """The subject key identifier."""
        return self._read(oids.SUBJECT_KEY_IDENTIFIER, lambda value: value.octets(), None)

    @cached_property
    def aki(self) -> bytes | None:
        """The key identifier inside the authority key identifier."""
        return self._read(oids.AUTHORITY_KEY_IDENTIFIER, read_aki, None)

    @cached_property
    def distribution_points(self) -> tuple[DistributionPoint, ...]:
        """The CRL distribution points."""
        return self._read(oids.CRL_DISTRIBUTION_POINTS, read_distribution_points, ())

    @cached_property
    def freshest_points(self) -> tuple[DistributionPoint, ...]:
        """Where delta lists are (freshestCRL)."""
        return self._read(oids.FRESHEST_CRL, read_distribution_points, ())

    @property
    def crl_urls(self) -> tuple[str, ...]:
        """The http addresses of the CRL distribution points."""
        return tuple(uri for point in self.distribution_points for uri in point.uris if uri.startswith("http"))

    @cached_property
    def authority_information(self) -> tuple[tuple[str, str], ...]:
        """Access method (an OID) and address of each URI in authorityInfoAccess."""
        return self._read(oids.AUTHORITY_INFO_ACCESS, read_access, ())

    @property
    def ocsp_urls(self) -> tuple[str, ...]:
        """The http addresses of the OCSP responders."""
        return tuple(uri for method, uri in self.authority_information if method == oids.OCSP and uri[:4] == "http")

    @cached_property
    def policies(self) -> tuple[str, ...]:
        """OIDs of the certificate policies."""
        return self._read(oids.CERTIFICATE_POLICIES, read_policies, ())

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """What a strict reader would refuse: twice the same extension, unreadable times or extensions."""
        return problems(self._parts)

    # Other forms ----------------------------------------------------------------------------------------------------
    def fingerprint(self, digest: str = "sha256") -> str:
        """Return the digest of the DER in lower-case hexadecimal."""
        return suites.digest(digest, self.der).hex()

    @cached_property
    def asn1(self) -> Any:
        """The same certificate as asn1crypto.x509.Certificate."""
        from asn1crypto import x509

        from certs.suites import registry

        registry.install()
        return x509.Certificate.load(self.der)

    @cached_property
    def pem(self) -> str:
        """PEM, with a final line feed."""
        return armor("CERTIFICATE", self.der)

    def __repr__(self) -> str:
        return f"<Certificate {self.subject!r} serial {self.serial_hex}>"


def load_certificates(data: bytes) -> tuple[Certificate, ...]:
    """Return the certificates in PEM, DER or a PKCS#7 bundle, in their order.

    Raises MalformedInput where there is none.
    """
    blocks = pem_blocks(data)
    encoded = [block for label, block in blocks if label in ("CERTIFICATE", "X509 CERTIFICATE")]
    bundles = [block for label, block in blocks if label in ("PKCS7", "PKCS #7 SIGNED DATA", "CMS")]
    if not blocks:
        value = ber.load(data)
        first = value.members().peek()
        (bundles if first == ber.OBJECT_IDENTIFIER else encoded).append(data)
    if len(encoded) > MAX_CERTIFICATES:
        raise MalformedInput(f"more than {MAX_CERTIFICATES} certificates in one file")
    out = [Certificate(item) for item in encoded]
    if bundles:
        from certs.signed_data import parse_signed_data

        for bundle in bundles:
            out += parse_signed_data(bundle).certificates
    if not out:
        raise MalformedInput("no certificate in the file")
    return tuple(out)


def load_certificate(data: bytes) -> Certificate:
    """Return the first certificate of PEM, DER or a bundle. Raises MalformedInput."""
    return load_certificates(data)[0]
