"""RecipientInfo of CMS: one content key for one recipient (RFC 5652 6.2), and which certificate it is for.

    encode(certificate, wrapped)                     # KeyTrans-, KeyAgree- or KEMRecipientInfo, DER
    encode_for_key(key_id, wrapped)                  # likewise, for a key that is named by its identifier
    for info in read_recipients(value): info.is_for(certificate), info.wrapped

Passwords, keys known to both sides and other kinds are passed over: they are nobody's certificate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from certs import ber, der, oids
from certs.certificate import Certificate
from certs.errors import MalformedInput
from certs.extensions import key_id
from certs.names import Name
from certs.signed_attributes import read_algorithm
from certs.suites.base import Encapsulated, WrappedKey

MAX_RECIPIENTS = 20_000
"""Recipients of one message."""
MAX_ENCRYPTED_KEY = 8192
"""Octets of one encrypted key: that of an RSA key of 16384 bits has 2048, what ML-KEM-1024 encapsulates has 1568."""
MAX_UKM = 4096
"""Octets of user keying material: it goes into the derivation of a key for every recipient that is tried."""


@dataclass(frozen=True)
class Holder:
    """A certificate's holder as a message names him: by issuer and serial number, or by the key."""

    issuer: bytes | None = None
    """Name of the issuer, as received; with `serial`, or both None."""
    serial: int | None = None
    key_id: bytes | None = None
    """Subject key identifier."""

    def is_of(self, certificate: Certificate) -> bool:
        """Tell whether `certificate` is his."""
        if self.key_id is not None:
            return self.key_id == certificate.ski or self.key_id in key_identifiers(certificate.spki)
        if self.serial != certificate.serial or self.issuer is None:
            return False
        if self.issuer == certificate.issuer_name.der:
            return True
        try:
            return Name(self.issuer).key == certificate.issuer_name.key
        except MalformedInput:
            return False


@dataclass(frozen=True)
class RecipientInfo:
    """A content key and who can use it."""

    wrapped: WrappedKey
    recipient: Holder
    sender: Holder | None = None
    """Where the key was agreed with one of the sender's that the message names and does not hold."""

    def is_for(self, certificate: Certificate) -> bool:
        """Tell whether the recipient is the holder of `certificate`."""
        return self.recipient.is_of(certificate)


def key_identifiers(spki: bytes) -> frozenset[bytes]:
    """Return what a key may be named by where no certificate says: SHA-1 (RFC 5280 4.2.1.2 (1)), and RFC 7093."""
    return frozenset((hashlib.sha1(der.split_spki(spki)[1], usedforsecurity=False).digest(), key_id(spki)))


# Writing -------------------------------------------------------------------------------------------------------------
def encode(certificate: Certificate, wrapped: WrappedKey, *, version: int = 0) -> bytes:
    """Return the RecipientInfo of a certificate, named by issuer and serial number.

    `version` is that of key transport: 0 (RFC 5652 6.2.1), or 1 in GB/T 35275-2017.
    """
    identifier = der.sequence(certificate.issuer_name.der, der.integer(certificate.serial))
    return _encode(identifier, identifier, wrapped, version)


def encode_for_key(identifier: bytes, wrapped: WrappedKey) -> bytes:
    """Return the RecipientInfo of a key, named by the subject key identifier that its certificates have."""
    # RFC 5652 6.2.1: then the version is 2, and rid is [0] SubjectKeyIdentifier; 6.2.2: [0] RecipientKeyIdentifier
    return _encode(der.tlv(0x80, identifier), der.tlv(0xA0, der.octet_string(identifier)), wrapped, 2)


def _encode(transport: bytes, agreement: bytes, wrapped: WrappedKey, version: int) -> bytes:
    """Return a RecipientInfo; `transport` and `agreement` are how each kind names the recipient."""
    encrypted = der.octet_string(wrapped.encrypted_key)
    if wrapped.encapsulated is not None:
        return _encode_kem(transport, wrapped, wrapped.encapsulated)
    if wrapped.originator is None:
        return der.sequence(der.integer(version), transport, wrapped.algorithm.der(), encrypted)
    algorithm, point = der.split_spki(wrapped.originator)
    body = (
        der.integer(3)
        + der.tlv(0xA0, der.tlv(0xA1, algorithm.der() + der.bit_string(point)))
        + (b"" if wrapped.ukm is None else der.tlv(0xA1, der.octet_string(wrapped.ukm)))
        + wrapped.algorithm.der()
        + der.sequence(der.sequence(agreement, encrypted))
    )
    return der.tlv(0xA1, body)


def _encode_kem(identifier: bytes, wrapped: WrappedKey, secret: Encapsulated) -> bytes:
    """Return OtherRecipientInfo with KEMRecipientInfo (RFC 9629 3), whose version is always 0."""
    info = der.sequence(
        der.integer(0),
        identifier,
        wrapped.algorithm.der(),
        der.octet_string(secret.ciphertext),
        secret.kdf.der(),
        der.integer(secret.kek_size),
        b"" if wrapped.ukm is None else der.tlv(0xA0, der.octet_string(wrapped.ukm)),
        secret.wrap.der(),
        der.octet_string(wrapped.encrypted_key),
    )
    return der.tlv(0xA4, der.oid(oids.KEM_RECIPIENT) + info)


# Reading -------------------------------------------------------------------------------------------------------------
def read_recipients(infos: ber.Value) -> tuple[RecipientInfo, ...]:
    """Return everybody that RecipientInfos names. Raises MalformedInput."""
    out: list[RecipientInfo] = []
    for number, info in enumerate(infos.expect(ber.SET)):
        if number >= MAX_RECIPIENTS:
            raise MalformedInput(f"more than {MAX_RECIPIENTS} recipients")
        found: Iterable[RecipientInfo] = ()
        if info.tag == ber.SEQUENCE:
            found = (_transport(info),)
        elif info.tag == ber.context(1):
            found = _agreement(info)
        elif info.tag == ber.context(4):
            found = _other(info)
        for each in found:
            if len(out) >= MAX_RECIPIENTS:
                raise MalformedInput(f"more than {MAX_RECIPIENTS} recipients")
            out.append(each)
    return tuple(out)


def _transport(info: ber.Value) -> RecipientInfo:
    members = info.members()
    members.next().integer()
    identifier = members.next()
    algorithm = read_algorithm(members.next(ber.SEQUENCE))
    wrapped = WrappedKey(algorithm, _encrypted_key(members.next()))
    members.end()
    return RecipientInfo(wrapped, _holder(identifier))


def _agreement(info: ber.Value) -> Iterator[RecipientInfo]:
    members = info.members(ber.context(1))
    members.next().integer()
    named = members.next(ber.context(0)).only()
    originator, sender = (_spki(named), None) if named.tag == ber.context(1) else (b"", _holder(named))
    ukm = members.optional(ber.context(1))
    algorithm = read_algorithm(members.next(ber.SEQUENCE))
    keys = members.next(ber.SEQUENCE)
    members.end()
    material = _material(ukm)
    for key in keys:
        pair = key.members()
        identifier = pair.next()
        wrapped = WrappedKey(algorithm, _encrypted_key(pair.next()), originator, material)
        pair.end()
        yield RecipientInfo(wrapped, _holder(identifier), sender)


def _other(info: ber.Value) -> Iterator[RecipientInfo]:
    """Yield what OtherRecipientInfo says, where it is of a kind we know (RFC 5652 6.2.5, RFC 9629 3)."""
    other = info.members(ber.context(4))
    if other.next().oid() != oids.KEM_RECIPIENT:
        return
    members = other.next(ber.SEQUENCE).members()
    other.end()
    members.next().integer()
    identifier = members.next()
    algorithm = read_algorithm(members.next(ber.SEQUENCE))
    ciphertext = _encrypted_key(members.next())
    kdf = read_algorithm(members.next(ber.SEQUENCE))
    size = members.next().integer()
    ukm = members.optional(ber.context(0))
    wrap = read_algorithm(members.next(ber.SEQUENCE))
    encrypted_key = _encrypted_key(members.next())
    members.end()
    secret = Encapsulated(ciphertext, kdf, size, wrap)
    yield RecipientInfo(WrappedKey(algorithm, encrypted_key, None, _material(ukm), secret), _holder(identifier))


def _material(ukm: ber.Value | None) -> bytes | None:
    """Return user keying material, of a length that anybody can want."""
    if ukm is None:
        return None
    octets = ukm.only().octets()
    if len(octets) > MAX_UKM:
        raise MalformedInput(f"more than {MAX_UKM} octets of user keying material")
    return octets


def _spki(originator: ber.Value) -> bytes:
    """Return OriginatorPublicKey as SubjectPublicKeyInfo, whose members it has."""
    return der.tlv(der.SEQUENCE, originator.content())


def _holder(identifier: ber.Value) -> Holder:
    if identifier.tag == ber.SEQUENCE:
        members = identifier.members()
        issuer, serial = members.next().raw(), members.next().integer()
        members.end()
        return Holder(issuer, serial)
    if identifier.tag == ber.context(0):  # RecipientKeyIdentifier; a date and other things may follow
        return Holder(key_id=next(iter(identifier)).octets())
    return Holder(key_id=identifier.octets(ber.context(0, constructed=False)))


def _encrypted_key(value: ber.Value) -> bytes:
    octets = value.octets()
    if len(octets) > MAX_ENCRYPTED_KEY:
        raise MalformedInput("an encrypted key is too large")
    return octets
