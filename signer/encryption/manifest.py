"""What an envelope says of itself: the manifest that everybody can read, and what only recipients can.

    manifest = read_manifest(octets)                 # canonical JSON (RFC 8785), strict
    manifest.part("china").about.matches(measured)

Digests of the content would let a stranger try out what a contract says: its price, its parties. So the manifest holds
digests of `about.json` only, which is encrypted to each family and has a nonce beside the digests of the content; they
are the same for all, so all got the same content.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certs import canonical
from certs.certificate import Certificate
from certs.errors import MalformedInput
from certs.suites.base import Family
from certs.trust.entries import read_moment
from signer.encryption.measured import DIGESTS, Measured
from signer.report import stamp

SCHEMA, ABOUT_SCHEMA = "sealroad.envelope/1", "sealroad.envelope-content/1"
MAX_MANIFEST = 4 << 20
"""Octets of a manifest: about 20 000 recipients."""


@dataclass(frozen=True)
class Named:
    """A certificate that a manifest names."""

    certificate: str
    """SHA-256 of the certificate, in hexadecimal."""
    subject: str
    """For people only."""

    @classmethod
    def of(cls, certificate: Certificate) -> Named:
        """Return the name of a certificate."""
        return cls(certificate.fingerprint(), certificate.subject)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"certificate": self.certificate, "subject": self.subject}


@dataclass(frozen=True)
class Part:
    """What one family gets."""

    family: Family
    cipher: str
    recipients: tuple[Named, ...]
    content: Measured
    """The message with the content, `<family>.p7m`."""
    about: Measured
    """The message with about.json, `<family>.about.p7m`."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "family": self.family.value,
            "cipher": self.cipher,
            "recipients": [item.to_json() for item in self.recipients],
            "content": self.content.to_json(),
            "about": self.about.to_json(),
        }


@dataclass(frozen=True)
class Manifest:
    """What everybody can read, and each sender signs."""

    created: datetime
    about: Measured
    """about.json, in the clear: the same for every family."""
    parts: tuple[Part, ...]
    senders: tuple[tuple[Family, Named], ...]
    """Whose signatures belong to it, so that none can be left out."""

    def part(self, family: Family) -> Part | None:
        """Return the part of a family, or None."""
        return next((part for part in self.parts if part.family is family), None)

    def encode(self) -> bytes:
        """Return the canonical octets."""
        return canonical.encode(
            {
                "schema": SCHEMA,
                "created": stamp(self.created),
                "about": self.about.to_json(),
                "parts": [part.to_json() for part in self.parts],
                "senders": [{"family": family.value, **named.to_json()} for family, named in self.senders],
            }
        )


@dataclass(frozen=True)
class About:
    """What only recipients can read of the content."""

    name: str
    """What the sender calls it."""
    content: Measured
    nonce: str
    """256 random bits in hexadecimal: without them nobody can try out contents against the manifest."""

    @classmethod
    def of(cls, name: str, content: Measured) -> About:
        """Return it with a fresh nonce."""
        return cls(name, content, secrets.token_hex(32))

    def encode(self) -> bytes:
        """Return the canonical octets."""
        content = self.content.to_json()
        return canonical.encode({"schema": ABOUT_SCHEMA, "name": self.name, "nonce": self.nonce, **content})


# Reading -------------------------------------------------------------------------------------------------------------
def read_manifest(data: bytes) -> Manifest:
    """Read a manifest. Raises MalformedInput for anything that is not exactly as we write it."""
    value = _object(canonical.decode(data, limit=MAX_MANIFEST), "schema", "created", "about", "parts", "senders")
    if value["schema"] != SCHEMA:
        raise MalformedInput(f"not a manifest of schema {SCHEMA}")
    parts = tuple(_part(item) for item in _list(value["parts"]))
    senders = tuple(_sender(item) for item in _list(value["senders"]))
    for families in ([part.family for part in parts], [family for family, _ in senders]):
        if not families or len(set(families)) != len(families):
            raise MalformedInput("a manifest needs parts and senders, one at most of each family")
    return Manifest(_moment(value["created"]), _measured(value["about"]), parts, senders)


def read_about(data: bytes) -> About:
    """Read about.json. Raises MalformedInput."""
    value = _object(canonical.decode(data, limit=1 << 16), "schema", "name", "nonce", "size", "digests")
    if value["schema"] != ABOUT_SCHEMA:
        raise MalformedInput(f"not of schema {ABOUT_SCHEMA}")
    content = _measured({"size": value["size"], "digests": value["digests"]})
    return About(_text(value["name"]), content, _hexadecimal(value["nonce"]))


def _part(item: Any) -> Part:
    value = _object(item, "family", "cipher", "recipients", "content", "about")
    recipients = tuple(_named(_object(each, "certificate", "subject")) for each in _list(value["recipients"]))
    content, about = _measured(value["content"]), _measured(value["about"])
    return Part(_family(value["family"]), _text(value["cipher"]), recipients, content, about)


def _sender(item: Any) -> tuple[Family, Named]:
    value = _object(item, "family", "certificate", "subject")
    return _family(value["family"]), _named(value)


def _named(value: dict[str, Any]) -> Named:
    return Named(_hexadecimal(value["certificate"]), _text(value["subject"]))


def _measured(item: Any) -> Measured:
    value = _object(item, "size", "digests")
    size, digests = value["size"], _object(value["digests"], *DIGESTS.values())
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise MalformedInput("a size that is no number")
    return Measured(size, {name: _hexadecimal(digest) for name, digest in digests.items()})


def _object(value: Any, *names: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise MalformedInput(f"an object with {', '.join(names)} is expected")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise MalformedInput("a list is expected")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 4096:
        raise MalformedInput("a short text is expected")
    return value


def _hexadecimal(value: Any) -> str:
    text = _text(value)
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise MalformedInput("256 bits in hexadecimal are expected")
    return text


def _family(value: Any) -> Family:
    try:
        return Family(value)
    except ValueError as error:
        raise MalformedInput("a family of algorithms that is not known") from error


def _moment(value: Any) -> datetime:
    moment = read_moment(_text(value))
    if moment is None:
        raise MalformedInput("a moment that cannot be read")
    return moment
