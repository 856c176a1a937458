"""Revocation lists of anybody, over their original octets.

    crl = CRL(encoded)
    crl.check_signed_by(issuer)          # None, or BadSignature; over the octets as received
    crl.status(serial)                   # None: not listed; else Revoked(at, reason)
    crl.base_number                      # a number for a delta list, else None
    crl.scope                            # what the list is limited to

RFC 5280 section 5. What a list proves for a certificate is decided in `certs.path_revocation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from certs import ber, oids, suites
from certs.certificate import Certificate
from certs.encoded import Encoded
from certs.errors import BadSignature, MalformedInput
from certs.extension_values import (
    DistributionPoint,
    Extension,
    read_distribution_points,
    read_extensions,
    read_full_name,
    read_reason_flags,
    read_relative_name,
)
from certs.names import Name
from certs.pem import armor, pem_blocks

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

ALL_REASONS = frozenset(range(1, 9))
"""The bits of ReasonFlags (RFC 5280 4.2.1.13); a list without onlySomeReasons covers them all."""

KNOWN_CRITICAL = frozenset(
    {oids.ISSUING_DISTRIBUTION_POINT, oids.AUTHORITY_KEY_IDENTIFIER, oids.CRL_NUMBER, oids.DELTA_CRL_INDICATOR}
)
"""Critical extensions of a list that we process; a list with another one proves nothing (RFC 5280 5.2)."""


@dataclass(frozen=True)
class Revoked:
    """One entry of a list."""

    at: datetime
    reason: str
    """Name by RFC 5280 5.3.1; "unspecified" where the entry gives none."""
    invalid_since: datetime | None = None
    """When the key is thought to have been compromised (invalidityDate)."""


@dataclass(frozen=True)
class DistributionScope:
    """What an issuingDistributionPoint limits a list to (RFC 5280 5.2.5)."""

    names: tuple[bytes, ...] = ()
    """DER of the GeneralNames of the point."""
    only_users: bool = False
    only_authorities: bool = False
    only_attributes: bool = False
    reasons: frozenset[int] = ALL_REASONS
    """Bits of ReasonFlags the list covers."""
    indirect: bool = False
    relative: bytes | None = None
    """The contents of nameRelativeToCRLIssuer, where the point has such a name."""

    @property
    def has_name(self) -> bool:
        """Whether the list is of a named distribution point."""
        return bool(self.names) or self.relative is not None


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
    relative: bytes | None = None
    flags = dict.fromkeys((1, 2, 4, 5), False)
    reasons = ALL_REASONS
    for member in value.expect(ber.SEQUENCE):
        number = member.tag & 0x1F
        if member.tag == ber.context(0):
            names, relative = read_full_name(member.only()), read_relative_name(member.only())
        elif member.tag == ber.context(3, constructed=False):
            reasons = read_reason_flags(member)
        elif number in flags and not member.constructed:
            flags[number] = any(member.content())
        else:
            raise MalformedInput("an issuing distribution point with an unknown member")
    return DistributionScope(names, flags[1], flags[2], flags[5], reasons, flags[4], relative)


@dataclass(frozen=True)
class CRL(Encoded[_Parts]):
    """A CertificateList over its DER. Raises MalformedInput. Entries are read when first asked for."""

    def _split(self, encoded: bytes) -> _Parts:
        return _Parts(encoded)

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
    def base_number(self) -> int | None:
        """BaseCRLNumber of a delta list (RFC 5280 5.2.4); None for a complete list."""
        extension = self.extension(oids.DELTA_CRL_INDICATOR)
        return ber.load(extension.value).integer() if extension else None

    @cached_property
    def freshest_points(self) -> tuple[DistributionPoint, ...]:
        """Where delta lists to this one are (freshestCRL)."""
        extension = self.extension(oids.FRESHEST_CRL)
        return read_distribution_points(ber.load(extension.value)) if extension else ()

    @cached_property
    def expired_since(self) -> datetime | None:
        """The list keeps certificates that expired at this moment or later (expiredCertsOnCRL, X.509 9.5.2.8)."""
        extension = self.extension(oids.EXPIRED_CERTS_ON_CRL)
        return ber.load(extension.value).time() if extension else None

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

        An extension twice, a critical extension we do not know, a critical number (RFC 5280 5.2.3), two signature
        algorithms.
        """
        kinds = [extension.oid for extension in self.extensions]
        if len(kinds) != len(set(kinds)):
            return "an extension stands twice"
        for extension in self.extensions:
            if extension.critical and extension.oid not in KNOWN_CRITICAL:
                return f"unknown critical extension {oids.name(extension.oid)}"
            if extension.critical and extension.oid == oids.CRL_NUMBER:
                return "the number of the list is critical"
        if not self._parts.algorithms_agree:
            return "the signature algorithm inside differs from the one outside"
        return None

    @cached_property
    def _listed(self) -> dict[Any, Revoked]:
        """Serial, or (key of the issuer's name, serial) where an indirect list names another issuer, to entry."""
        return dict(_read_entries(self._parts.revoked, self.issuer_name, indirect=self.scope.indirect))

    @property
    def entries(self) -> dict[int, Revoked]:
        """Serial number to entry, of the list issuer's own certificates.

        Raises MalformedInput where an entry is broken or has an unknown critical extension.
        """
        if not self.scope.indirect:
            return self._listed
        return {key: entry for key, entry in self._listed.items() if isinstance(key, int)}

    def status(self, serial: int, issuer: Name | None = None) -> Revoked | None:
        """Return the entry of `serial`, or None where it is not listed. Raises MalformedInput.

        `issuer` is the issuer of the certificate; an indirect list may hold entries of several.
        """
        if issuer is None or issuer.key == self.issuer_name.key:
            return self._listed.get(serial)
        return self._listed.get((issuer.key, serial))

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


def _read_entries(revoked: ber.Value | None, owner: Name, *, indirect: bool) -> Iterator[tuple[Any, Revoked]]:
    issuer: Any = None  # key of the name certificateIssuer gave last; it stands until the next (RFC 5280 5.3.3)
    for item in revoked if revoked is not None else ():
        members = item.members()
        serial, at = members.next().integer(), members.next().time()
        wrapped = members.optional(ber.SEQUENCE)
        members.end()
        reason, invalid_since = "unspecified", None
        for extension in read_extensions(wrapped) if wrapped else ():
            if extension.oid == oids.CRL_REASON:
                number = ber.load(extension.value).integer(ber.ENUMERATED)
                reason = REASON_NAMES.get(number, "unspecified")
            elif extension.oid == oids.INVALIDITY_DATE:
                invalid_since = ber.load(extension.value).time()
            elif extension.oid == oids.CERTIFICATE_ISSUER and indirect:
                name = _directory_name(extension.value)
                issuer = None if name.key == owner.key else name.key
            elif extension.critical:
                raise MalformedInput(f"entry with unknown critical extension {oids.name(extension.oid)}")
        yield serial if issuer is None else (issuer, serial), Revoked(at, reason, invalid_since)


def _directory_name(value: bytes) -> Name:
    """Return the directory name in GeneralNames (RFC 5280 5.3.3: the issuer's distinguished name)."""
    for general in ber.load(value).expect(ber.SEQUENCE):
        if general.tag == ber.context(4):
            name = Name(general.only().raw())
            _ = name.attributes
            return name
    raise MalformedInput("an entry whose issuer has no directory name")


def load_crls(data: bytes) -> tuple[CRL, ...]:
    """Return the lists in PEM or DER `data`. Raises MalformedInput where there is none."""
    blocks = pem_blocks(data)
    encoded = [block for label, block in blocks if label == "X509 CRL"] if blocks else [data]
    if not encoded:
        raise MalformedInput("no revocation list in the file")
    return tuple(CRL(item) for item in encoded)
