"""Certificate revocation lists of every suite: written by us, read from anybody.

    encoded = build_crl(issuer, key, entries, number=7, this_update=now, next_update=now + timedelta(days=7))
    crl = CRL(encoded)
    crl.check_signed_by(issuer)          # None, or BadSignature; over the octets as received
    crl.status(serial)                   # None: not listed; else Revoked(at, reason)

RFC 5280 section 5. A list is signed in its issuer's own suite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from certs import ber, der, extensions, oids, suites
from certs.certificate import Certificate
from certs.errors import BadSignature, IssuanceError, MalformedInput
from certs.extension_values import Extension, read_extensions, read_full_name
from certs.keys.base import KeyHandle
from certs.names import Name
from certs.pem import armor, pem_blocks
from certs.suites.base import Use

REASONS = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}
"""CRLReason by RFC 5280 5.3.1; removeFromCRL (8) belongs to delta CRLs only."""
REASON_NAMES = {number: name for name, number in REASONS.items()} | {8: "removeFromCRL"}

KNOWN_CRITICAL = frozenset({oids.ISSUING_DISTRIBUTION_POINT, oids.AUTHORITY_KEY_IDENTIFIER, oids.CRL_NUMBER})
"""Critical extensions of a list that we process; a list with another one proves nothing (RFC 5280 5.2)."""


@dataclass(frozen=True)
class Revoked:
    """One entry of a list."""

    at: datetime
    reason: str
    """Name by RFC 5280 5.3.1; "unspecified" where the entry gives none."""


@dataclass(frozen=True)
class DistributionScope:
    """What an issuingDistributionPoint limits a list to (RFC 5280 5.2.5)."""

    names: tuple[bytes, ...] = ()
    """DER of the GeneralNames of the point."""
    only_users: bool = False
    only_authorities: bool = False
    only_attributes: bool = False
    some_reasons: bool = False
    indirect: bool = False


@dataclass(frozen=True)
class CRL:
    """A CertificateList over its DER. Raises MalformedInput. Entries are read when first asked for."""

    der: bytes

    def __post_init__(self) -> None:
        object.__setattr__(self, "der", bytes(self.der))
        _ = self._parts

    @cached_property
    def _parts(self) -> _Parts:
        return _Parts(self.der)

    @property
    def issuer_name(self) -> Name:
        """The issuer."""
        return self._parts.issuer

    @property
    def issuer(self) -> str:
        """The issuer, readable."""
        return str(self._parts.issuer)

    @property
    def this_update(self) -> datetime:
        """When the list was made."""
        return self._parts.this_update

    @property
    def next_update(self) -> datetime | None:
        """When the next one is promised; RFC 5280 requires it, some lists lack it."""
        return self._parts.next_update

    @property
    def signature_algorithm(self) -> bytes:
        """DER of the outer AlgorithmIdentifier."""
        return self._parts.outer_algorithm

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """The extensions of the list."""
        return self._parts.extensions

    def extension(self, oid: str) -> Extension | None:
        """Return extension `oid`, or None."""
        return next((extension for extension in self.extensions if extension.oid == oid), None)

    @cached_property
    def number(self) -> int | None:
        """The CRL number."""
        extension = self.extension(oids.CRL_NUMBER)
        return ber.load(extension.value).integer() if extension else None

    @cached_property
    def aki(self) -> bytes | None:
        """The key identifier of the issuer."""
        extension = self.extension(oids.AUTHORITY_KEY_IDENTIFIER)
        members = ber.load(extension.value).expect(ber.SEQUENCE) if extension else ()
        return next((member.content() for member in members if member.tag == 0x80), None)

    @cached_property
    def scope(self) -> DistributionScope:
        """What the list is limited to."""
        extension = self.extension(oids.ISSUING_DISTRIBUTION_POINT)
        return _read_scope(ber.load(extension.value)) if extension else DistributionScope()

    @cached_property
    def unusable(self) -> str | None:
        """Why this list proves nothing to us, or None.

        A delta, an indirect one, a critical extension we do not know.
        """
        kinds = [extension.oid for extension in self.extensions]
        if len(kinds) != len(set(kinds)):
            return "an extension stands twice"
        if oids.DELTA_CRL_INDICATOR in kinds:
            return "a delta list says nothing alone"
        for extension in self.extensions:
            if extension.critical and extension.oid not in KNOWN_CRITICAL:
                return f"unknown critical extension {oids.name(extension.oid)}"
        if self.scope.indirect:
            return "an indirect list"
        if self.scope.some_reasons:
            return "limited to some reasons"
        if not self._parts.algorithms_agree:
            return "the signature algorithm inside differs from the one outside"
        return None

    @cached_property
    def entries(self) -> dict[int, Revoked]:
        """Serial number to entry.

        Raises MalformedInput where an entry is broken or has an unknown critical extension.
        """
        return dict(_read_entries(self._parts.revoked))

    def status(self, serial: int) -> Revoked | None:
        """Return the entry of `serial`, or None where it is not listed. Raises MalformedInput."""
        return self.entries.get(serial)

    def check_signed_by(self, issuer: Certificate) -> None:
        """Raise unless `issuer` may sign lists, bears the list's issuer name, and its key verifies the octets received.

        BadSignature, UnsupportedAlgorithm, BadKey or MalformedInput.
        """
        if issuer.subject_name.key != self.issuer_name.key:
            raise BadSignature("the revocation list names another issuer")
        if not issuer.allows("crl_sign"):
            raise BadSignature("the key usage of the issuer does not allow revocation lists")
        parts = self._parts
        suites.verify(issuer.spki, parts.outer_algorithm, parts.signature, parts.tbs)

    @property
    def pem(self) -> str:
        """PEM, with a final line feed."""
        return armor("X509 CRL", self.der)


class _Parts:
    """The members of a list, split once."""

    __slots__ = (
        "algorithms_agree",
        "extensions",
        "issuer",
        "next_update",
        "outer_algorithm",
        "revoked",
        "signature",
        "tbs",
        "this_update",
    )

    def __init__(self, encoded: bytes) -> None:
        outer = ber.load(encoded).members()
        tbs = outer.next(ber.SEQUENCE)
        self.outer_algorithm = outer.next(ber.SEQUENCE).raw()
        self.signature = outer.next().bit_string()
        outer.end()
        self.tbs = tbs.raw()
        members = tbs.members()
        version = members.optional(ber.INTEGER)
        if version is not None and version.integer() != 1:
            raise MalformedInput("a revocation list of an unknown version")
        self.algorithms_agree = members.next(ber.SEQUENCE).raw() == self.outer_algorithm
        self.issuer = Name(members.next(ber.SEQUENCE).raw())
        self.this_update = members.next().time()
        following = members.optional(ber.UTC_TIME, ber.GENERALIZED_TIME)
        self.next_update = following.time() if following else None
        self.revoked = members.optional(ber.SEQUENCE)
        wrapped = members.optional(ber.context(0))
        members.end()
        self.extensions = read_extensions(wrapped.only()) if wrapped else ()
        _ = self.issuer.attributes


def _read_scope(value: ber.Value) -> DistributionScope:
    names: tuple[bytes, ...] = ()
    flags = dict.fromkeys((1, 2, 4, 5), False)
    some_reasons = False
    for member in value.expect(ber.SEQUENCE):
        number = member.tag & 0x1F
        if member.tag == ber.context(0):
            names = read_full_name(member.only())
        elif number == 3:
            some_reasons = True
        elif number in flags and not member.constructed:
            flags[number] = any(member.content())
        else:
            raise MalformedInput("an issuing distribution point with an unknown member")
    return DistributionScope(names, flags[1], flags[2], flags[5], some_reasons, flags[4])


def _read_entries(revoked: ber.Value | None) -> list[tuple[int, Revoked]]:
    out: list[tuple[int, Revoked]] = []
    for item in revoked if revoked is not None else ():
        members = item.members()
        serial, at = members.next().integer(), members.next().time()
        wrapped = members.optional(ber.SEQUENCE)
        members.end()
        reason = "unspecified"
        for extension in read_extensions(wrapped) if wrapped else ():
            if extension.oid == oids.CRL_REASON:
                number = ber.load(extension.value).integer(ber.ENUMERATED)
                reason = REASON_NAMES.get(number, "unspecified")
            elif extension.critical and extension.oid != oids.INVALIDITY_DATE:
                raise MalformedInput(f"entry with unknown critical extension {oids.name(extension.oid)}")
        out.append((serial, Revoked(at, reason)))
    return out


def load_crls(data: bytes) -> tuple[CRL, ...]:
    """Return the lists in PEM or DER `data`. Raises MalformedInput where there is none."""
    blocks = pem_blocks(data)
    encoded = [block for label, block in blocks if label == "X509 CRL"] if blocks else [data]
    if not encoded:
        raise MalformedInput("no revocation list in the file")
    return tuple(CRL(item) for item in encoded)


def build_crl(
    issuer: Certificate,
    key: KeyHandle,
    revoked: Sequence[tuple[int, datetime, str]],
    *,
    number: int,
    this_update: datetime,
    next_update: datetime,
    issuer_key_id: bytes | None = None,
) -> bytes:
    """Return a list (DER) signed by `key` in its own suite.

    `revoked` holds serial, moment and reason (a name of RFC 5280 5.3.1). The list is read back and verified before it
    is returned. Raises IssuanceError.
    """
    algorithm = key.suite.signature_algorithm(Use.X509).der()
    entries = b"".join(_encode_entry(serial, at, reason) for serial, at, reason in revoked)
    identifier = issuer_key_id or issuer.ski or extensions.key_id(issuer.spki)
    crl_number = Extension(oids.CRL_NUMBER, False, der.integer(number))
    tbs = der.sequence(
        der.integer(1),
        algorithm,
        issuer.subject_name.der,
        ber.encode_time(this_update),
        ber.encode_time(next_update),
        der.tlv(der.SEQUENCE, entries) if entries else b"",
        der.tlv(
            0xA0,
            der.sequence(
                extensions.encode(extensions.authority_key_identifier(identifier)), extensions.encode(crl_number)
            ),
        ),
    )
    encoded = extensions.signed(tbs, algorithm, key.sign(tbs))
    made = CRL(encoded)
    try:
        made.check_signed_by(issuer)
    except BadSignature as error:
        raise IssuanceError("the revocation list does not verify with the issuer's certificate") from error
    return encoded


def _encode_entry(serial: int, at: datetime, reason: str) -> bytes:
    """Return one entry; the reason is left out where it is "unspecified" (RFC 5280 5.3.1)."""
    number = REASONS[reason]
    tail = b""
    if number:
        extension = Extension(oids.CRL_REASON, False, der.tlv(ber.ENUMERATED, bytes((number,))))
        tail = der.sequence(extensions.encode(extension))
    return der.sequence(der.integer(serial), ber.encode_time(at), tail)
