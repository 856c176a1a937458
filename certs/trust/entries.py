"""One line of a trust list, and the list itself, whatever form it came in.

entry = TrustEntry(certificate, "EE: trusted list no. 71", frozenset({"signing"}), since, until)
entry.why_not("signing", at)          # "" or the reason
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime

from certs.certificate import Certificate
from certs.errors import MalformedInput

KNOWN_PURPOSES = frozenset({"signing", "seal-making", "timestamping"})
"""What an entry can be limited to; the words of `certs.path_result.Purpose`."""


@dataclass(frozen=True)
class TrustEntry:
    """A certificate that somebody vouches for: for what, from when, until when."""

    certificate: Certificate
    origin: str
    """Who says so: list and number, for the report."""
    purposes: frozenset[str] | None = None
    """Of `KNOWN_PURPOSES`; None: all."""
    since: datetime | None = None
    """First moment, inclusive; None: always."""
    until: datetime | None = None
    """End, exclusive; None: still."""
    service: str = ""
    """What the list calls it."""
    assurance: str = ""
    """What the list says about its level, in the list's own words."""

    def why_not(self, purpose: str, at: datetime) -> str:
        """Return why the certificate is not trusted for `purpose` at the moment, or "".

        Who answers for revocation ("ocsp") is trusted with the certificates it is about.
        """
        name = self.certificate.subject
        if self.purposes is not None and purpose in KNOWN_PURPOSES and purpose not in self.purposes:
            return f"{name} is trusted for {', '.join(sorted(self.purposes)) or 'nothing'}, not for {purpose}"
        if self.since is not None and at < self.since:
            return f"{name} is trusted only from {self.since.isoformat()}"
        if self.until is not None and at >= self.until:
            return f"{name} was trusted until {self.until.isoformat()}"
        return ""


@dataclass(frozen=True)
class ListPointer:
    """What a list of lists says of another list: whose it is, where it is, who may sign it."""

    territory: str
    location: str
    """URL; of a stranger until the list of lists was verified, and fetched from public addresses only."""
    signers: frozenset[str]
    """SHA-256 fingerprints of certificates, lower-case hexadecimal."""


@dataclass(frozen=True)
class TrustList:
    """What a list holds, and how far it may be believed."""

    form: str
    """"ETSI TS 119 612", "Russian accredited authorities" or "sealroad-trust-list/1"."""
    name: str
    """Territory, or the list's own identifier."""
    issuer: str
    sequence: int | None
    issued: datetime | None
    next_update: datetime | None
    entries: tuple[TrustEntry, ...]
    sha256: str
    """Digest of the file."""
    signer: Certificate | None = None
    """Whose signature was verified; None: none was, the operator must confirm the digest."""
    notes: tuple[str, ...] = field(default=())
    """What was passed over, and why."""
    signed_sha256: str = ""
    """Digest of what the signature covers, in XML: the same list may be written or signed anew."""
    pointers: tuple[ListPointer, ...] = ()
    """Other lists that this one, a list of lists, leads to."""


def read_moment(text: str | None) -> datetime | None:
    """Return an ISO 8601 moment in UTC; None for nothing and for what cannot be read."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def certificate_in(text: str | None) -> Certificate:
    """Return the certificate in base64 text, which may be wrapped. Raises MalformedInput."""
    try:
        return Certificate(b64decode("".join((text or "").split()), validate=True))
    except ValueError as error:
        raise MalformedInput("a certificate that is no base64") from error
