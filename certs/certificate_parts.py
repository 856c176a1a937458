"""The members of a certificate (RFC 5280 4.1), as read from anybody, and what is wrong with them.

    parts = Parts(encoded)               # or MalformedInput
    parts.tbs, parts.issuer              # octets and names as received
    problems(parts)                      # ("extension keyUsage stands twice", …)

`certs.certificate` gives them their names.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from certs import ber, oids
from certs.errors import MalformedInput
from certs.extension_values import READERS, read_extensions
from certs.names import Name


class Parts:
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


def problems(parts: Parts) -> tuple[str, ...]:
    """Return what a strict reader would refuse; see `Certificate.problems`."""
    out: list[str] = []
    kinds = [extension.oid for extension in parts.extensions]
    out += [f"extension {oids.name(oid)} stands twice" for oid in dict.fromkeys(kinds) if kinds.count(oid) > 1]
    if parts.extensions and parts.version != 3:
        out.append(f"extensions in a certificate of version {parts.version}")
    for label, time in (("notBefore", parts.not_before), ("notAfter", parts.not_after)):
        out += _complaint(label, time.time)
    for extension in parts.extensions:
        reader = READERS.get(extension.oid)
        if reader is not None:
            out += _complaint(oids.name(extension.oid), partial(_parse, reader, extension.value))
    if parts.inner_algorithm != parts.outer_algorithm:
        out.append("the signature algorithm inside differs from the one outside")
    return tuple(out)


def _parse(reader: Callable[[ber.Value], object], encoded: bytes) -> None:
    reader(ber.load(encoded))


def _complaint(label: str, action: Callable[[], object]) -> list[str]:
    try:
        action()
    except MalformedInput as error:
        return [f"{label}: {error}"]
    return []
