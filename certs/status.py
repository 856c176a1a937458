"""The revocation lists of one authority: which there are, when each is due, and making them.

    lists = authority.lists
    lists.names()                        # [ListName(partition=None, kind="base"), …], what others download
    lists.current(name)                  # bytes: the list at hand, or a new one where something changed or it is due
    lists.due(now)                       # what must be made now to keep every promise
    lists.make(partition=3)              # always a new one

A list promises its successor by nextUpdate. The successor is made `overlap` earlier, so that a copy fetched at any
moment stays good for at least that long, and nothing older than its promise is ever handed out. With partitions a
certificate's CDP names the list of its serial number modulo N (RFC 5280 4.2.1.13, 5.2.5); N is fixed for ever by the
first authority that uses the ledger. A list of everything exists beside them. Deltas are to the oldest complete list
that is still current: whoever holds a good one can use any delta (RFC 5280 5.2.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from certs import extensions
from certs.certificate import Certificate
from certs.clock import Clock
from certs.crl import DistributionScope, build_crl, uri_name
from certs.errors import IssuanceError, ProfileError
from certs.extension_values import Extension
from certs.keys.base import KeyHandle
from certs.ledger import Kind, Ledger, ListRecord
from certs.profiles import Profile

MAX_PARTITIONS = 4096
STEP = timedelta(minutes=5)
"""How far the clock may have been set back since the last list; the new one then keeps the later date."""


@dataclass(frozen=True)
class ListPolicy:
    """How an authority makes its lists. Raises IssuanceError where the values contradict one another."""

    life: timedelta = timedelta(days=7)
    """From thisUpdate to nextUpdate of a complete list."""
    overlap: timedelta | None = None
    """How long before nextUpdate the next list is due; None: a seventh of its life."""
    partitions: int = 1
    """Into how many lists the certificates are divided; 1: not at all. Fixed when the authority is created."""
    delta_life: timedelta | None = None
    """From thisUpdate to nextUpdate of a delta list; None: there are no deltas, and no freshestCRL."""
    only_users: bool = False
    """The authority certifies no authorities, and its lists say so (onlyContainsUserCerts)."""
    only_authorities: bool = False
    """The authority certifies nothing but authorities, and its lists say so (onlyContainsCACerts)."""
    keep_expired: bool = True
    """Expired certificates stay listed, and the lists say since when (expiredCertsOnCRL)."""

    def __post_init__(self) -> None:
        if not 1 <= self.partitions <= MAX_PARTITIONS:
            raise IssuanceError(f"1 to {MAX_PARTITIONS} partitions, not {self.partitions}")
        if self.only_users and self.only_authorities:
            raise IssuanceError("a list for neither users nor authorities")
        for life in (self.life, self.delta_life):
            if life is None:
                continue
            if life <= timedelta(0) or (self.overlap is not None and not timedelta(0) <= self.overlap < life):
                raise IssuanceError("the overlap of lists must be shorter than their life")

    def life_of(self, kind: Kind) -> timedelta:
        """Return how long a list of a kind is good."""
        if kind == "base":
            return self.life
        if self.delta_life is None:
            raise IssuanceError("this authority makes no delta lists")
        return self.delta_life

    def overlap_of(self, life: timedelta) -> timedelta:
        """Return how long before the end of `life` the next list is due."""
        return life / 7 if self.overlap is None else self.overlap


@dataclass(frozen=True)
class ListName:
    """One list that others download; its text is the end of its file name: "", "-3", "-delta" or "-3-delta"."""

    partition: int | None = None
    kind: Kind = "base"

    def __str__(self) -> str:
        return ("" if self.partition is None else f"-{self.partition}") + ("-delta" if self.kind == "delta" else "")


class StatusLists:
    """The lists of one authority. All methods raise CertsError only."""

    def __init__(
        self,
        issuer: str,
        key: KeyHandle,
        certificate: Certificate,
        ledger: Ledger,
        clock: Clock,
        policy: ListPolicy,
        url: str | None,
    ) -> None:
        self.policy = policy
        self._issuer, self._key, self._certificate = issuer, key, certificate
        self._ledger, self._clock, self._url = ledger, clock, url
        settled = ledger.settle(issuer, "partitions", str(policy.partitions))
        if settled != str(policy.partitions):
            raise IssuanceError(
                f"the authority was created with {settled} partitions of its revocation list, not {policy.partitions}",
                hint="certificates already name their lists; the number cannot be changed",
            )

    # What goes into certificates --------------------------------------------------------------------------------------
    def partition_of(self, serial: int) -> int:
        """Return the partition of a serial number."""
        return serial % self.policy.partitions

    def extensions(self, serial: int) -> list[Extension]:
        """Return cRLDistributionPoints and freshestCRL of a certificate."""
        partition = self.partition_of(serial) if self.policy.partitions > 1 else None
        out: list[Extension] = []
        if address := self.address(ListName(partition)):
            out.append(extensions.crl_distribution_points([address]))
            out += [extensions.freshest_crl([delta]) for delta in self._freshest(partition)]
        return out

    def check_kind(self, profile: Profile) -> None:
        """Raise ProfileError where the lists would not cover a certificate of `profile`."""
        if (self.policy.only_users and profile.ca) or (self.policy.only_authorities and not profile.ca):
            raise ProfileError(f"the authority's revocation lists cover no certificates of profile {profile.name}")

    def address(self, name: ListName) -> str | None:
        """Return where a list is published: the end of its name stands before the suffix of the authority's address."""
        if self._url is None:
            return None
        head, dot, suffix = self._url.rpartition(".")
        return f"{head}{name}.{suffix}" if dot and "/" not in suffix else f"{self._url}{name}"

    def _freshest(self, partition: int | None) -> list[str]:
        address = self.address(ListName(partition, "delta"))
        return [address] if self.policy.delta_life is not None and address else []

    # Making lists -----------------------------------------------------------------------------------------------------
    def names(self) -> Iterator[ListName]:
        """Return every list of the authority."""
        partitions = range(self.policy.partitions) if self.policy.partitions > 1 else ()
        for partition in (None, *partitions):
            yield ListName(partition)
            if self.policy.delta_life is not None:
                yield ListName(partition, "delta")

    def make(
        self,
        partition: int | None = None,
        kind: Kind = "base",
        *,
        life: timedelta | None = None,
        any_clock: bool = False,
    ) -> bytes:
        """Make, record and return a new list.

        The number and the entries are on record before the key is used; numbers only grow. A clock that was set back a
        little keeps the date of the last list, one that was set back further raises ClockRefused unless `any_clock`.
        Raises IssuanceError, KeyStoreError.
        """
        return self._make(partition, kind, life, any_clock=any_clock)[1]

    def _make(
        self, partition: int | None, kind: Kind, life: timedelta | None = None, *, any_clock: bool = False
    ) -> tuple[ListRecord, bytes]:
        if partition is not None and (self.policy.partitions == 1 or not 0 <= partition < self.policy.partitions):
            raise IssuanceError(f"the authority's revocation list has no partition {partition}")
        life = life or self.policy.life_of(kind)
        if kind == "delta" and self._ledger.last_list(self._issuer, partition, "base") is None:
            self._make(partition, "base")
        now = self._clock.now().replace(microsecond=0)
        this_update = now
        if not any_clock:
            for other in ("base", "delta"):
                last = self._ledger.last_list(self._issuer, partition, other)
                if last is not None and now < last.this_update <= now + STEP:
                    this_update = max(this_update, last.this_update)
        self.release_expired()
        record = self._ledger.open_list(
            self._issuer, partition, kind, this_update, this_update + life, any_clock=any_clock
        )
        base = record.kind == "base"
        encoded = build_crl(
            self._certificate,
            self._key,
            record.entries,
            number=record.number,
            this_update=record.this_update,
            next_update=record.next_update,
            scope=self._scope(partition),
            base_number=record.base_number,
            freshest=self._freshest(partition) if base else (),  # RFC 5280 5.2.6: never in a delta
            expired_since=self._certificate.not_before if self.policy.keep_expired else None,
        )
        self._ledger.close_list(record, encoded)
        return record, encoded

    def _scope(self, partition: int | None) -> DistributionScope:
        address = self.address(ListName(partition)) if partition is not None else None
        if partition is not None and address is None:
            raise IssuanceError("a partition of the list needs an address", hint="give the authority a crl_url")
        return DistributionScope(
            names=(uri_name(address),) if address else (),
            only_users=self.policy.only_users,
            only_authorities=self.policy.only_authorities,
        )

    def release_expired(self) -> None:
        """Release what was suspended until a moment that has come."""
        now = self._clock.now().replace(microsecond=0)
        for serial in self._ledger.expired_holds(self._issuer, now):
            self._ledger.release(self._issuer, serial, now)

    # Keeping promises -------------------------------------------------------------------------------------------------
    def due_at(self, name: ListName) -> datetime | None:
        """Return when the next list of a name must be made; None: at once, for there is none."""
        last = self._ledger.last_list(self._issuer, name.partition, name.kind)
        if last is None:
            return None
        return last.next_update - self.policy.overlap_of(last.next_update - last.this_update)

    def due(self, now: datetime) -> list[ListName]:
        """Return the lists that must be made at `now`: missing, near their promise, or behind the ledger."""
        self.release_expired()
        return [name for name in self.names() if self._good(name, now) is None]

    def current(self, name: ListName | None = None) -> bytes:
        """Return a list that knows every change of status and is not due; a new one only where there is none."""
        return self.current_record(name)[1]

    def current_record(self, name: ListName | None = None) -> tuple[ListRecord, bytes]:
        """Return `current` with what the ledger says of it."""
        name = name or ListName()
        self.release_expired()
        last = self._good(name, self._clock.now())
        if last is not None and last.der is not None:
            return last, last.der
        return self._make(name.partition, name.kind)

    def _good(self, name: ListName, now: datetime) -> ListRecord | None:
        last = self._ledger.last_list(self._issuer, name.partition, name.kind)
        if last is None or last.position != self._ledger.position(self._issuer, name.partition):
            return None
        overlap = self.policy.overlap_of(last.next_update - last.this_update)
        return last if now < last.next_update - overlap else None
