"""What an authority must remember, as an interface: entries, revocation lists, and the acts upon them.

`certs.ledger` keeps it in SQLite.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

HOLD = "certificateHold"
Kind = Literal["base", "delta"]


@dataclass(frozen=True)
class Entry:
    """One certificate in the making, issued, or revoked."""

    issuer: str
    """Key identifier of the issuer, hexadecimal."""
    serial: int
    profile: str
    subject: str
    tbs: bytes
    """The octets that will be, or were, signed."""
    prepared_at: datetime
    not_after: datetime
    state: str = "prepared"
    """prepared, signing, issued or revoked."""
    certificate: bytes | None = None
    revoked_at: datetime | None = None
    reason: str | None = None
    partition: int = 0
    """Which partition of the revocation list the certificate names; fixed when it was prepared."""
    invalid_since: datetime | None = None
    """When the key is thought to have been compromised."""
    held_until: datetime | None = None
    """When a suspension ends by itself."""
    application: str | None = None
    """SHA-256 of the application it was issued for (`certs.ra`), or of its place in a pair of certificates
    (`certs.pairs`), hexadecimal; no two entries have the same."""

    @property
    def held(self) -> bool:
        """Whether the certificate is on hold: revoked for now, not for good."""
        return self.state == "revoked" and self.reason == HOLD


class Standing(NamedTuple):
    """What an OCSP responder must know of an entry, and no more; see Entry."""

    state: str
    not_after: datetime
    revoked_at: datetime | None
    reason: str | None


@dataclass(frozen=True)
class ListRecord:
    """One revocation list that was begun: first the intent, later the octets."""

    issuer: str
    partition: int | None
    """None: a list of everything."""
    number: int
    kind: Kind
    base_number: int | None
    position: int
    """How many changes of status the list knows; see `Ledger.position`."""
    this_update: datetime
    next_update: datetime
    entries: bytes = b""
    """The concatenated entries, where the list is about to be signed."""
    der: bytes | None = None
    """The signed list; kept for the newest of its kind."""


class Ledger(Protocol):
    """What an authority needs to remember. Every method is atomic; all raise IssuanceError where the state forbids."""

    def prepare(self, entry: Entry) -> None:
        """Take the serial and store the intent."""
        ...

    def claim(self, issuer: str, serial: int) -> Entry:
        """Move "prepared" to "signing" and return the entry; a second claim is refused."""
        ...

    def issued(self, issuer: str, serial: int, certificate: bytes) -> None:
        """Move "signing" to "issued".

        Raises AlreadyRevoked where it was revoked while being signed; the certificate is stored all the same.
        """
        ...

    def revoke(
        self, issuer: str, serial: int, at: datetime, reason: str, *, invalid_since: datetime | None = None
    ) -> Entry:
        """Mark as revoked, for good unless the reason is certificateHold; what is on hold can be revoked.

        Raises NotOnRecord, AlreadyRevoked or RevocationRefused.
        """
        ...

    def hold(self, issuer: str, serial: int, at: datetime, *, until: datetime | None = None) -> Entry:
        """Put on hold. Raises NotOnRecord, AlreadyRevoked or RevocationRefused."""
        ...

    def release(self, issuer: str, serial: int, at: datetime) -> Entry:
        """End a hold. Raises NotOnRecord or NotOnHold."""
        ...

    def get(self, issuer: str, serial: int) -> Entry | None:
        """Return the entry, or None."""
        ...

    def standing(self, issuer: str, serial: int) -> Standing | None:
        """Return what `get` would say of the status alone, or None; it is asked at every OCSP request."""
        ...

    def entries(self, issuer: str) -> tuple[Entry, ...]:
        """Return all entries of an issuer in the order of preparation."""
        ...

    def revoked(self, issuer: str) -> tuple[tuple[int, datetime, str], ...]:
        """Return serial, moment and reason of everything revoked, in the order of serials."""
        ...

    def position(self, issuer: str, partition: int | None = None) -> int:
        """Return a number that grows with every change of status of the issuer's certificates, or of a partition's."""
        ...

    def expired_holds(self, issuer: str, at: datetime) -> tuple[int, ...]:
        """Return the serials whose suspension has ended by `at` and that are still on hold."""
        ...

    def next_crl_number(self, issuer: str, partition: int | None = None) -> int:
        """Return the next CRL number; it never goes back. Complete and delta lists share one row (RFC 5280 5.2.3)."""
        ...

    def open_list(
        self,
        issuer: str,
        partition: int | None,
        kind: Kind,
        this_update: datetime,
        next_update: datetime,
        *,
        any_clock: bool = False,
    ) -> ListRecord:
        """Take a number, record the intent and return it with the entries as they are at this moment.

        A delta is to the oldest complete list that is still current, so it serves everybody who holds a current one.
        Raises ClockRefused where the last list is dated later, unless `any_clock`; IssuanceError where a delta has no
        complete list.
        """
        ...

    def close_list(self, record: ListRecord, encoded: bytes) -> None:
        """Store the signed list; the octets of earlier ones of its kind are dropped."""
        ...

    def last_list(self, issuer: str, partition: int | None, kind: Kind) -> ListRecord | None:
        """Return the newest signed list of a kind, with its octets."""
        ...

    def settle(self, issuer: str, name: str, value: str) -> str:
        """Fix a property of an issuer for ever: the first value given stays. Returns the one that holds."""
        ...

    def by_application(self, application: str) -> Entry | None:
        """Return the entry that was prepared for an application, or None."""
        ...


@runtime_checkable
class Recorder(Protocol):
    """A ledger that also keeps a log of what is no entry: refusals, keys, lists (`certs.audit`)."""

    def record(self, act: str, **facts: Any) -> object:
        """Put an act on record; raise, and so stop the act, where that fails."""
        ...


def record(ledger: object, act: str, **facts: Any) -> None:
    """Put an act on record where `ledger` keeps a log. Raises AuditError."""
    if isinstance(ledger, Recorder):
        ledger.record(act, **facts)
