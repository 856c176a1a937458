"""SignedData as received: the reading half of `certs.signed_data`, which says what is tolerated.

view = parse_signed_data(received)
view.signers[0].verify(content=b"contract")            # the suite's name, or BadSignature
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from hmac import compare_digest
from typing import NoReturn

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.errors import BadSignature, MalformedInput
from certs.pem import pem_blocks
from certs.signed_attributes import (
    SigningCertificate,
    digest_name,
    looks_like_attributes,
    read_algorithm,
    read_attributes,
    read_ess,
    values_of,
)
from certs.suites.base import AlgorithmID

__all__ = [
    "SIGNED_DATA_OIDS",
    "SignedDataView",
    "SignerView",
    "SigningCertificate",
    "check_signing_certificate",
    "digest_name",
    "parse_signed_data",
]

MAX_SIGNERS = 100
MAX_CERTIFICATES = 1000
SIGNED_DATA_OIDS = frozenset({oids.SIGNED_DATA, oids.GM_SIGNED_DATA})
_GM_DATA = frozenset({oids.DATA, oids.GM_DATA})


@dataclass(frozen=True)
class SignerView:
    """One SignerInfo as received."""

    version: int
    issuer: bytes | None
    """DER of the issuer's Name, or None where the signer is named by key identifier."""
    serial: int | None
    ski: bytes | None
    digest_algorithm: AlgorithmID
    signature_algorithm: AlgorithmID
    signature: bytes
    signed_attributes: bytes | None
    """As SET OF: exactly the octets that were signed; None where there are none."""
    attributes: tuple[tuple[str, tuple[bytes, ...]], ...]
    """Signed attributes: OID and encoded values, in the order received."""
    unsigned_attributes: tuple[tuple[str, tuple[bytes, ...]], ...]
    content_type: str
    content: bytes | None = field(repr=False)
    certificates: tuple[Certificate, ...] = field(repr=False)
    encoded: bytes = field(default=b"", repr=False)
    """The SignerInfo as received."""
    countersigns: bool = False
    """Whether it is over the signature of another signer; such a one has no content type (RFC 5652 11.4)."""

    @property
    def digest_oid(self) -> str:
        """The OID in digestAlgorithm, as received."""
        return self.digest_algorithm.oid

    @cached_property
    def digest_name(self) -> str:
        """The digest. Raises UnsupportedAlgorithm."""
        return digest_name(self.digest_algorithm.oid)

    def values(self, oid: str) -> tuple[bytes, ...]:
        """Return the encoded values of signed attribute `oid`.

        None where it is absent. Raises MalformedInput if twice.
        """
        return values_of(self.attributes, oid)

    def unsigned_values(self, oid: str) -> tuple[bytes, ...]:
        """Return the encoded values of all unsigned attributes `oid`."""
        return tuple(value for kind, values in self.unsigned_attributes if kind == oid for value in values)

    def countersignatures(self) -> tuple[SignerView, ...]:
        """Return those who signed this signature's value (RFC 5652 11.4). Raises MalformedInput."""
        values = self.unsigned_values(oids.COUNTERSIGNATURE)
        if len(values) > MAX_SIGNERS:
            raise MalformedInput(f"more than {MAX_SIGNERS} countersignatures")
        read = (_read_signer(ber.load(value), self.content_type, self.signature, self.certificates) for value in values)
        return tuple(replace(signer, countersigns=True) for signer in read)

    def _single(self, oid: str) -> ber.Value | None:
        values = self.values(oid)
        if not values:
            return None
        if len(values) > 1:
            raise MalformedInput(f"attribute {oids.name(oid)} has several values")
        return ber.load(values[0])

    @property
    def message_digest(self) -> bytes | None:
        """The message-digest attribute. Raises MalformedInput."""
        value = self._single(oids.MESSAGE_DIGEST)
        return value.octets() if value else None

    @property
    def signing_time(self) -> datetime | None:
        """The signing-time attribute: claimed, not proven. Raises MalformedInput."""
        value = self._single(oids.SIGNING_TIME)
        return value.time() if value else None

    @property
    def signing_certificates(self) -> tuple[SigningCertificate, ...]:
        """What signing-certificate-v2, or signing-certificate, names.

        The first is the signer. Raises MalformedInput.
        """
        for oid in (oids.SIGNING_CERTIFICATE_V2, oids.SIGNING_CERTIFICATE):
            value = self._single(oid)
            if value is not None:
                default = oids.SHA256 if oid == oids.SIGNING_CERTIFICATE_V2 else oids.SHA1
                return tuple(read_ess(item, default) for item in value.members().next())
        return ()

    def candidates(self, others: Iterable[Certificate] = ()) -> tuple[Certificate, ...]:
        """Return the certificates, here and among `others`, that the signer identifier fits."""
        found: dict[bytes, Certificate] = {}
        for certificate in (*self.certificates, *others):
            if self.ski is not None:
                fits = certificate.ski == self.ski or (certificate.ski is None and _sha1_id(certificate) == self.ski)
            else:
                fits = certificate.serial == self.serial and certificate.issuer_name.der == self.issuer
            if fits:
                found[certificate.der] = certificate
        return tuple(found.values())

    @cached_property
    def certificate(self) -> Certificate | None:
        """The signer's certificate among those in the message, or None."""
        return next(iter(self.candidates()), None)

    def verify(
        self,
        content: bytes | None = None,
        *,
        digest: bytes | None = None,
        certificate: Certificate | None = None,
    ) -> str:
        """Check message digest, content type and signature; return the suite's name.

        `content`, or its `digest` with `digest_name`, for a detached signature; without signed attributes the content
        itself is needed. `certificate` is taken where the message holds none. Raises BadSignature,
        UnsupportedAlgorithm, BadKey or MalformedInput.
        """
        certificate = certificate or self.certificate
        if certificate is None:
            raise BadSignature("the signer's certificate is not in the message", reason="no-certificate")
        body = self.content if self.content is not None else content
        if content is not None and self.content is not None and content != self.content:
            raise BadSignature("the content inside the message is another one", reason="content")
        # content carried along must be the content the caller means, not something else that was signed
        if body is not None and digest is not None and suites.digest(self.digest_name, body) != digest:
            if self.signed_attributes is not None and self.message_digest == digest:
                # ISO 32000-2 12.8.3.3.1: no data shall be encapsulated; this one signs the file and carries others
                raise MalformedInput("content is inside although it was the file that was signed")
            raise BadSignature("the content inside the message is another one", reason="content")
        if self.signed_attributes is None:
            if body is None:
                raise MalformedInput("a signature without signed attributes needs the content itself")
            if looks_like_attributes(body):
                raise BadSignature("the content could be the signed attributes of another message", reason="ambiguous")
            message = body
        else:
            self._check_attributes(body, digest)
            message = self.signed_attributes
        algorithm = self.signature_algorithm.der()
        signature = suites.usual_value(certificate.spki, self.signature)
        try:
            return suites.verify(certificate.spki, algorithm, signature, message, digest=self.digest_name)
        except BadSignature:
            # RFC 5652 5.4: what is signed is the DER of the attributes, in whatever order they came
            in_order = _in_order(message) if message is self.signed_attributes else message
            if in_order == message:
                raise
            return suites.verify(certificate.spki, algorithm, signature, in_order, digest=self.digest_name)

    def _check_attributes(self, body: bytes | None, digest: bytes | None) -> None:
        declared = self.message_digest
        if declared is None:
            raise MalformedInput("signed attributes without message-digest")
        if body is not None:
            digest = suites.digest(self.digest_name, body)
        if digest is None:
            raise MalformedInput("a detached signature needs the content")
        if not compare_digest(declared, digest):
            raise BadSignature("the message digest is another one", reason="message-digest")
        kind = self._single(oids.CONTENT_TYPE)
        if self.countersigns:
            return
        if kind is None:
            raise MalformedInput("signed attributes without content-type")
        found = kind.oid()
        if found != self.content_type and not {found, self.content_type} <= _GM_DATA:
            raise BadSignature("the content type in the signed attributes is another one", reason="content-type")


def _in_order(attributes: bytes) -> bytes:
    """Return a SET OF Attribute with its members, and the values of each, in DER order (X.690 11.6)."""
    out = []
    for item in ber.load(attributes):
        members = item.members()
        kind, values = members.next().definite(), sorted(value.definite() for value in members.next(ber.SET))
        out.append(der.sequence(kind, der.tlv(der.SET, b"".join(values))))
    return der.tlv(der.SET, b"".join(sorted(out)))


def _sha1_id(certificate: Certificate) -> bytes:
    return suites.digest("sha1", der.split_spki(certificate.spki)[1])


@dataclass(frozen=True)
class SignedDataView:
    """A SignedData as received."""

    outer_oid: str
    content_type: str
    content: bytes | None
    """The content inside, or None for a detached signature."""
    version: int
    digest_algorithms: tuple[AlgorithmID, ...]
    certificates: tuple[Certificate, ...]
    other_certificates: int
    """How many members of the certificate bag are no X.509 certificates, or cannot be read."""
    crls: tuple[bytes, ...]
    """Encoded members of the CRL bag: revocation lists, and OtherRevocationInfoFormat under tag [1]."""
    signers: tuple[SignerView, ...]
    encoded_length: int
    """Octets of the structure itself, without padding behind it."""
    certificate_choices: tuple[bytes, ...] = field(default=(), repr=False)
    """Encoded members of the certificate bag, whatever they are."""


def parse_signed_data(data: bytes) -> SignedDataView:
    """Read ContentInfo with SignedData, DER or BER or PEM; zero octets may follow, as in a PDF's /Contents.

    Raises MalformedInput, UnsupportedAlgorithm never: algorithms are looked at when a signer is verified.
    """
    if data[:1] == b"-":
        blocks = pem_blocks(data)
        if not blocks:
            raise MalformedInput("no PEM block")
        data = blocks[0][1]
    outermost = ber.load(data, padding=True)
    outer = outermost.members()
    outer_oid = outer.next().oid()
    if outer_oid not in SIGNED_DATA_OIDS:
        raise MalformedInput(f"not SignedData but {oids.name(outer_oid)}", content_type=outer_oid)
    members = outer.next(ber.context(0)).only().members()
    outer.end()
    version = members.next().integer()
    digests = tuple(read_algorithm(item) for item in members.next(ber.SET))
    content_type, content = _read_content(members.next(ber.SEQUENCE))
    bag = members.optional(ber.context(0))
    certificates, others = _read_bag(bag) if bag else ((), 0)
    crl_bag = members.optional(ber.context(1))
    crls = tuple(item.raw() for item in crl_bag) if crl_bag else ()
    infos = list(members.next(ber.SET))
    members.end()
    if len(infos) > MAX_SIGNERS:
        raise MalformedInput(f"more than {MAX_SIGNERS} signers")
    signers = tuple(_read_signer(info, content_type, content, certificates) for info in infos)
    return SignedDataView(
        outer_oid,
        content_type,
        content,
        version,
        digests,
        certificates,
        others,
        crls,
        signers,
        outermost.end,
        tuple(item.raw() for item in bag) if bag else (),
    )


def _read_content(value: ber.Value) -> tuple[str, bytes | None]:
    """Return content type and the octets the digest is over."""
    members = value.members()
    kind = members.next().oid()
    wrapped = members.optional(ber.context(0))
    members.end()
    if wrapped is None:
        return kind, None
    inner = wrapped.only()
    if inner.tag in (ber.OCTET_STRING, ber.OCTET_STRING | ber.CONSTRUCTED):
        return kind, inner.octets()
    return kind, inner.content()  # PKCS#7 v1.5 content of another type: the contents octets (RFC 2315 9.3)


def _read_bag(value: ber.Value) -> tuple[tuple[Certificate, ...], int]:
    certificates: list[Certificate] = []
    others = 0
    for number, item in enumerate(value):
        if number >= MAX_CERTIFICATES:
            raise MalformedInput(f"more than {MAX_CERTIFICATES} certificates")
        if item.tag == ber.SEQUENCE:
            try:
                certificates.append(Certificate(item.raw()))
                continue
            except MalformedInput:
                pass
        others += 1  # attribute certificates and broken ones do not matter until a signer needs them
    return tuple(certificates), others


def _read_signer(
    value: ber.Value, content_type: str, content: bytes | None, certificates: tuple[Certificate, ...]
) -> SignerView:
    members = value.members()
    version = members.next().integer()
    identifier = members.next()
    issuer: bytes | None = None
    serial: int | None = None
    ski: bytes | None = None
    if identifier.tag == ber.SEQUENCE:
        pair = identifier.members()
        issuer, serial = pair.next(ber.SEQUENCE).raw(), pair.next().integer()
        pair.end()
    elif identifier.tag & ~ber.CONSTRUCTED == 0x80:
        ski = identifier.octets(0x80)
    else:
        _malformed("a signer identifier of an unknown kind")
    digest_algorithm = read_algorithm(members.next())
    signed = members.optional(ber.context(0))
    signature_algorithm = read_algorithm(members.next())
    signature = members.next().octets()
    unsigned = members.optional(ber.context(1))
    members.end()
    attributes = None
    if signed is not None:
        # as received, only re-tagged; an indefinite length cannot have been hashed and is made definite (RFC 5652 5.4)
        attributes = b"\x31" + (signed.definite() if signed.indefinite else signed.raw())[1:]
    return SignerView(
        version=version,
        issuer=issuer,
        serial=serial,
        ski=ski,
        digest_algorithm=digest_algorithm,
        signature_algorithm=signature_algorithm,
        signature=signature,
        signed_attributes=attributes,
        attributes=read_attributes(signed) if signed else (),
        unsigned_attributes=read_attributes(unsigned) if unsigned else (),
        content_type=content_type,
        content=content,
        certificates=certificates,
        encoded=value.raw(),
    )


def _malformed(message: str) -> NoReturn:
    raise MalformedInput(message)


def check_signing_certificate(signer: SignerView, certificate: Certificate) -> None:
    """Raise BadSignature where the signed attributes name another certificate than `certificate` (RFC 5035 5.4).

    UnsupportedAlgorithm where the digest cannot be computed; MalformedInput where there is no such attribute.
    """
    named = signer.signing_certificates
    if not named:
        raise MalformedInput("no signing-certificate attribute")
    if not named[0].matches(certificate):
        raise BadSignature("the signing-certificate attribute names another certificate", reason="signing-certificate")
