"""What an authority may be limited to: path length, names, policies (RFC 5280 4.2.1.9 to 4.2.1.14).

    limits = Constraints(path_length=0, permitted=(Subtree("dns", "example.cn"), Subtree("email", ".example.cn")))
    limits.extensions()                 # the extensions after basicConstraints, each critical as the RFC wants it

A constraint that is written is one that others enforce: our own path validation, Bouncy Castle, openssl.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from certs import der, oids
from certs.alt_names import check_email, check_host
from certs.errors import MalformedInput, ProfileError
from certs.extension_values import Extension


@dataclass(frozen=True)
class Subtree:
    """One subtree of names: kind "dns", "email", "ip" or "dn", and where it begins.

    "example.cn" and below for dns; "a@example.cn", "example.cn" (the host) or ".example.cn" (hosts below) for email;
    "192.0.2.0/24" for ip; for dn the DER of a Name in hexadecimal, or see `Subtree.directory`.
    """

    kind: str
    base: str

    @classmethod
    def directory(cls, name: bytes) -> Subtree:
        """Return the subtree of all names that begin with `name` (DER)."""
        return cls("dn", name.hex())

    @classmethod
    def parse(cls, text: str) -> Subtree:
        """Return the subtree that "kind:base" names, checked."""
        kind, _, base = text.partition(":")
        subtree = cls(kind.strip().lower(), base.strip())
        subtree.der()
        return subtree

    def der(self) -> bytes:
        """Return GeneralSubtree with minimum 0, left out as DER wants it. Raises MalformedInput."""
        if self.kind == "dns":
            return der.sequence(der.tlv(0x82, check_host(self.base).encode()))
        if self.kind == "email":
            base = check_email(self.base) if "@" in self.base else self.base
            if "@" not in base:
                check_host(base.removeprefix("."))
            return der.sequence(der.tlv(0x81, base.encode()))
        if self.kind == "ip":
            try:
                network = ipaddress.ip_network(self.base)
            except ValueError as error:
                raise MalformedInput(f"no network: {error}") from error
            return der.sequence(der.tlv(0x87, network.network_address.packed + network.netmask.packed))
        if self.kind == "dn":
            try:
                name = bytes.fromhex(self.base)
            except ValueError as error:
                raise MalformedInput("a directory name is given as the hexadecimal of its DER") from error
            der.Reader(name).enter()
            return der.sequence(der.tlv(0xA4, name))
        raise MalformedInput(f"no kind of names is called {self.kind!r}", hint="known: dns, email, ip, dn")


@dataclass(frozen=True)
class Constraints:
    """The limits of one authority; nothing is limited by default."""

    path_length: int | None = None
    """Authorities that may follow below; None: no limit."""
    permitted: tuple[Subtree, ...] = ()
    """Names of these kinds must lie in one of these subtrees."""
    excluded: tuple[Subtree, ...] = ()
    """No name may lie in one of these."""
    policies: tuple[str, ...] = ()
    """Policies the authority may certify under; empty: those of the profile."""
    mappings: tuple[tuple[str, str], ...] = ()
    """Pairs of an issuer's policy and the subject's that counts as equal to it: for cross-certificates."""
    require_explicit_policy: int | None = None
    """Certificates that may follow before a policy is required."""
    inhibit_mapping: int | None = None
    inhibit_any_policy: int | None = None

    def extensions(self) -> Iterator[Extension]:
        """Yield the extensions. Raises MalformedInput or ProfileError for what no certificate may say."""
        numbers = (self.path_length, self.require_explicit_policy, self.inhibit_mapping, self.inhibit_any_policy)
        if any(number is not None and not 0 <= number <= 255 for number in numbers):
            raise ProfileError("a constraint counts from 0 to 255")
        if self.permitted or self.excluded:  # RFC 5280 4.2.1.10: critical, and not empty
            parts = (
                der.tlv(tag, b"".join(subtree.der() for subtree in subtrees))
                for tag, subtrees in ((0xA0, self.permitted), (0xA1, self.excluded))
                if subtrees
            )
            yield Extension(oids.NAME_CONSTRAINTS, True, der.sequence(*parts))
        if self.mappings:  # RFC 5280 4.2.1.5: anyPolicy is never mapped; should be critical
            if any(oids.ANY_POLICY in pair for pair in self.mappings):
                raise ProfileError("anyPolicy cannot be mapped")
            if not {issuers for issuers, _ in self.mappings} <= set(self.policies):
                raise ProfileError(
                    "a policy that is mapped must be among the policies of the certificate (RFC 5280 4.2.1.5)"
                )
            pairs = (der.sequence(der.oid(issuers), der.oid(subjects)) for issuers, subjects in self.mappings)
            yield Extension(oids.POLICY_MAPPINGS, True, der.sequence(*pairs))
        members = b"".join(
            der.tlv(tag, der.integer(number)[2:])
            for tag, number in ((0x80, self.require_explicit_policy), (0x81, self.inhibit_mapping))
            if number is not None
        )
        if members:  # RFC 5280 4.2.1.11: critical
            yield Extension(oids.POLICY_CONSTRAINTS, True, der.sequence(members))
        if self.inhibit_any_policy is not None:  # RFC 5280 4.2.1.14: critical
            yield Extension(oids.INHIBIT_ANY_POLICY, True, der.integer(self.inhibit_any_policy))
