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

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, TypeVar

from certs import ber, oids, suites
from certs.errors import CertsError, MalformedInput
from certs.identifiers import Identifier, from_organization_identifier, to_organization_identifier
from certs.names import Name, build_name, decode_text
from certs.suites.base import PublicKey

T = TypeVar("T")

MAX_CERTIFICATES = 10_000
"""Certificates read from one file; national lists have about 2 500."""

KEY_USAGE_BITS = (
    "digital_signature",
    "non_repudiation",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
"""RFC 5280 4.2.1.3, bit 0 first."""

_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_ALWAYS = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True)
class Extension:
    """One extension as received; `value` is the contents of its OCTET STRING."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True)
class DistributionPoint:
    """One CRL distribution point: the URIs of its full name, and whether it is limited to reasons or another issuer."""

    uris: tuple[str, ...]
    names: tuple[bytes, ...]
    """DER of each GeneralName of the full name, for comparison with a CRL's own."""
    reasons: bool
    other_issuer: bool


class _Parts:
    """The members of a certificate, split once."""

    __slots__ = (
        "extensions",
        "inner_algorithm",
        "issuer",
        "not_after",
        "not_before",
        "outer_algorithm",
        "serial",
        "signature",
        "spki",
        "subject",
        "tbs",
        "version",
    )

    def __init__(self, encoded: bytes) -> None:
        outer = ber.load(encoded).members()
        tbs = outer.next(ber.SEQUENCE)
        self.outer_algorithm = outer.next(ber.SEQUENCE).raw()
        self.signature = outer.next().bit_string()
        outer.end()
        self.tbs = tbs.raw()
        members = tbs.members()
        version = members.optional(ber.context(0))
        self.version = version.only().integer() + 1 if version else 1
        self.serial = members.next().integer()
        self.inner_algorithm = members.next(ber.SEQUENCE).raw()
        self.issuer = Name(members.next(ber.SEQUENCE).raw())
        validity = members.next().members()
        self.not_before, self.not_after = validity.next(), validity.next()
        validity.end()
        self.subject = Name(members.next(ber.SEQUENCE).raw())
        self.spki = members.next(ber.SEQUENCE).raw()
        members.optional(0x81, 0xA1)  # unique identifiers, forbidden by RFC 5280 4.1.2.8 but harmless
        members.optional(0x82, 0xA2)
        wrapped = members.optional(ber.context(3))
        members.end()
        self.extensions = read_extensions(wrapped.only()) if wrapped else ()
        _ = self.issuer.attributes, self.subject.attributes  # malformed names fail here, not at display


def read_extensions(value: ber.Value) -> tuple[Extension, ...]:
    """Return the extensions of a certificate, CRL or CRL entry. Raises MalformedInput."""
    out: list[Extension] = []
    for item in value.expect(ber.SEQUENCE):
        members = item.members()
        kind = members.next().oid()
        flag = members.optional(ber.BOOLEAN)
        out.append(Extension(kind, flag is not None and flag.boolean(), members.next().octets()))
        members.end()
        if len(out) > 100:
            raise MalformedInput("more than 100 extensions")
    return tuple(out)


@dataclass(frozen=True)
class Certificate:
    """An X.509 certificate over its DER. Two are equal if their octets are. Raises MalformedInput."""

    der: bytes

    def __post_init__(self) -> None:
        object.__setattr__(self, "der", bytes(self.der))
        _ = self._parts

    @cached_property
    def _parts(self) -> _Parts:
        return _Parts(self.der)

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
            identifier = _identifier_of(attribute.oid, attribute.text)
            if identifier:
                found[identifier] = None
        for extension in self.extensions:
            if extension.oid in (oids.SHECA_USCC, oids.GM_USCC):
                found[Identifier("CN-USCC", _text_of(extension.value))] = None
        return tuple(found)

    # Key and extensions --------------------------------------------------------------------------------------------
    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER, as received."""
        return self._parts.spki

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
        return self._read(oids.KEY_USAGE, _read_key_usage, frozenset())

    def allows(self, *usages: str) -> bool:
        """Tell whether keyUsage holds one of `usages`, or is absent and so allows everything."""
        return self.extension(oids.KEY_USAGE) is None or not self.key_usage.isdisjoint(usages)

    @cached_property
    def extended_key_usage(self) -> frozenset[str]:
        """OIDs of the purposes; empty where the extension is absent."""
        return self._read(oids.EXTENDED_KEY_USAGE, _read_oids, frozenset())

    @cached_property
    def basic_constraints(self) -> tuple[bool, int | None]:
        """Whether the subject is a CA, and the path length where one is given."""
        absent: tuple[bool, int | None] = (False, None)
        return self._read(oids.BASIC_CONSTRAINTS, _read_basic_constraints, absent)

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
        return self._read(oids.AUTHORITY_KEY_IDENTIFIER, _read_aki, None)

    @cached_property
    def distribution_points(self) -> tuple[DistributionPoint, ...]:
        """The CRL distribution points."""
        return self._read(oids.CRL_DISTRIBUTION_POINTS, _read_distribution_points, ())

    @property
    def crl_urls(self) -> tuple[str, ...]:
        """The http addresses of the CRL distribution points."""
        return tuple(uri for point in self.distribution_points for uri in point.uris if uri.startswith("http"))

    @cached_property
    def policies(self) -> tuple[str, ...]:
        """OIDs of the certificate policies."""
        return self._read(oids.CERTIFICATE_POLICIES, _read_policies, ())

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """What a strict reader would refuse: twice the same extension, unreadable times or extensions."""
        out: list[str] = []
        kinds = [extension.oid for extension in self.extensions]
        out += [f"extension {oids.name(oid)} stands twice" for oid in dict.fromkeys(kinds) if kinds.count(oid) > 1]
        if self.extensions and self.version != 3:
            out.append(f"extensions in a certificate of version {self.version}")
        for label, time in (("notBefore", self._parts.not_before), ("notAfter", self._parts.not_after)):
            out += _complaint(label, time.time)
        for extension in self.extensions:
            reader = _READERS.get(extension.oid)
            if reader is not None:
                out += _complaint(oids.name(extension.oid), partial(_parse, reader, extension.value))
        if not self.algorithms_agree:
            out.append("the signature algorithm inside differs from the one outside")
        return tuple(out)

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


def _parse(reader: Callable[[ber.Value], object], encoded: bytes) -> None:
    reader(ber.load(encoded))


def _complaint(label: str, action: Callable[[], object]) -> list[str]:
    try:
        action()
    except MalformedInput as error:
        return [f"{label}: {error}"]
    return []


def _read_key_usage(value: ber.Value) -> frozenset[str]:
    return frozenset(KEY_USAGE_BITS[bit] for bit in value.named_bits() if bit < len(KEY_USAGE_BITS))


def _read_oids(value: ber.Value) -> frozenset[str]:
    return frozenset(item.oid() for item in value.expect(ber.SEQUENCE))


def _read_basic_constraints(value: ber.Value) -> tuple[bool, int | None]:
    members = value.members()
    flag = members.optional(ber.BOOLEAN)
    length = members.optional(ber.INTEGER)
    members.end()
    path_length = length.integer() if length else None
    if path_length is not None and path_length < 0:
        raise MalformedInput("a negative path length")
    return (flag is not None and flag.boolean(), path_length)


def _read_aki(value: ber.Value) -> bytes | None:
    return next((member.content() for member in value.expect(ber.SEQUENCE) if member.tag == 0x80), None)


def _read_distribution_points(value: ber.Value) -> tuple[DistributionPoint, ...]:
    out: list[DistributionPoint] = []
    for item in value.expect(ber.SEQUENCE):
        members = item.members()
        name = members.optional(ber.context(0))
        reasons = members.optional(0x81)
        issuer = members.optional(ber.context(2))
        members.end()
        names = read_full_name(name.only()) if name else ()
        out.append(DistributionPoint(uris_of(names), names, reasons is not None, issuer is not None))
    return tuple(out)


def read_full_name(value: ber.Value) -> tuple[bytes, ...]:
    """Return the DER of each GeneralName of a DistributionPointName's fullName; none for a relative name."""
    return tuple(general.raw() for general in value) if value.tag == ber.context(0) else ()


def uris_of(names: tuple[bytes, ...]) -> tuple[str, ...]:
    """Return the URIs among encoded GeneralNames."""
    values = (ber.load(name) for name in names)
    return tuple(decode_text(0x16, value.content()) for value in values if value.tag == 0x86)


def _read_policies(value: ber.Value) -> tuple[str, ...]:
    return tuple(item.members().next().oid() for item in value.expect(ber.SEQUENCE))


_READERS: dict[str, Callable[[ber.Value], object]] = {
    oids.KEY_USAGE: _read_key_usage,
    oids.EXTENDED_KEY_USAGE: _read_oids,
    oids.BASIC_CONSTRAINTS: _read_basic_constraints,
    oids.SUBJECT_KEY_IDENTIFIER: lambda value: value.octets(),
    oids.AUTHORITY_KEY_IDENTIFIER: _read_aki,
    oids.CRL_DISTRIBUTION_POINTS: _read_distribution_points,
    oids.CERTIFICATE_POLICIES: _read_policies,
}


def _text_of(value: bytes) -> str:
    """Return the text of a private extension: a string, a string in something, or bare octets."""
    try:
        inner = ber.load(value)
        while inner.constructed:
            inner = next(iter(inner))
        return decode_text(inner.tag, inner.content()).strip()
    except (MalformedInput, StopIteration):
        return decode_text(0x0C, value).strip()


_BY_ATTRIBUTE = {
    oids.INNLE: "RU-INN",
    oids.OGRN: "RU-OGRN",
    oids.OGRNIP: "RU-OGRNIP",
    oids.SNILS: "RU-SNILS",
    oids.SHECA_USCC: "CN-USCC",
    oids.GM_USCC: "CN-USCC",
}


def _identifier_of(oid: str, text: str) -> Identifier | None:
    """Return the identifier an attribute of the subject holds, or None."""
    text = text.strip()
    if oid == oids.ORGANISATION_IDENTIFIER:
        return from_organization_identifier(text)
    if oid == oids.INN:  # before 2021-09-01 an organisation's ten digits stood here behind two zeros
        return Identifier("RU-INN", text[2:] if len(text) == 12 and text.startswith("00") else text)
    if oid == oids.SERIAL_NUMBER and text.startswith(("PNOKZ-", "IIN")):
        return Identifier("KZ-IIN", text.removeprefix("PNOKZ-").removeprefix("IIN"))
    if oid == oids.ORGANISATIONAL_UNIT and re.fullmatch(r"BIN[0-9]{12}", text):
        return Identifier("KZ-BIN", text[3:])
    scheme = _BY_ATTRIBUTE.get(oid)
    return Identifier(scheme, text) if scheme else None


# Subjects of our certificates ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Subject:
    """Who a certificate is for. Every identifier is checked when the name is built."""

    common_name: str
    organisation: str | None = None
    country: str | None = None
    """Two capital letters, ISO 3166-1."""
    given_name: str | None = None
    surname: str | None = None
    locality: str | None = None
    state: str | None = None
    organisational_unit: str | None = None
    title: str | None = None
    email: str | None = None
    identifiers: tuple[Identifier, ...] = ()

    def name(self) -> bytes:
        """Return the DER of the Name. Raises BadIdentifier or MalformedInput."""
        attributes = [
            (oids.COUNTRY, self.country),
            (oids.STATE, self.state),
            (oids.LOCALITY, self.locality),
            (oids.ORGANISATION, self.organisation),
            (oids.ORGANISATIONAL_UNIT, self.organisational_unit),
        ]
        for identifier in self.identifiers:
            identifier.check()
            attributes.append(_attribute_of(identifier))
        attributes += [
            (oids.TITLE, self.title),
            (oids.SURNAME, self.surname),
            (oids.GIVEN_NAME, self.given_name),
            (oids.COMMON_NAME, self.common_name),
            (oids.EMAIL_ADDRESS, self.email),
        ]
        return build_name((oid, text) for oid, text in attributes if text is not None)


def _attribute_of(identifier: Identifier) -> tuple[str, str]:
    """Return where `identifier` stands in our subjects."""
    text = to_organization_identifier(identifier)
    if text is not None:
        return oids.ORGANISATION_IDENTIFIER, text
    if identifier.scheme == "KZ-IIN":
        return oids.SERIAL_NUMBER, f"PNOKZ-{identifier.value}"
    kind = {
        "RU-INN": oids.INNLE if len(identifier.value) == 10 else oids.INN,
        "RU-OGRN": oids.OGRN,
        "RU-OGRNIP": oids.OGRNIP,
        "RU-SNILS": oids.SNILS,
    }[identifier.scheme]
    return kind, identifier.value


# Files ---------------------------------------------------------------------------------------------------------------
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)


def armor(label: str, encoded: bytes) -> str:
    """Return PEM with lines of 64 characters and a final line feed."""
    text = base64.b64encode(encoded).decode()
    lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def pem_blocks(data: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return label and octets of every PEM block. Raises MalformedInput where the base64 is broken."""
    out: list[tuple[str, bytes]] = []
    for match in _PEM.finditer(data):
        body = match[2]
        if b":" in body:  # RFC 1421 headers, closed by an empty line
            body = re.split(rb"\r?\n[ \t]*\r?\n", body, maxsplit=1)[-1]
        try:
            out.append((match[1].decode(), base64.b64decode(b"".join(body.split()), validate=True)))
        except binascii.Error as error:
            raise MalformedInput(f"the base64 of a PEM block {match[1].decode()!r} is broken") from error
    return tuple(out)


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
