"""One closed circle of this service: it issues, revokes, stamps, answers, and keeps its promises.

    circle = context.circles.get("sm2")
    plan = circle.prepare("person", subject, spki, days=397)     # on record in the ledger, not signed
    certificate = circle.sign(plan)                              # once
    circle.entry(certificate.serial).state                       # what the ledger says now, whoever changed it

Other processes use the same directory: the command line, another service. What they change in the ledger is seen
because nothing of it is kept here. What they change in the directory (the next generation of an authority, a new
time-stamping key) is seen because every use looks whether the directory has changed, which costs two `stat`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api.config import Settings

if TYPE_CHECKING:
    from certs.alt_names import AltNames
    from certs.ca import Authority, ClosedCircle, Plan
    from certs.certificate import Certificate, Subject
    from certs.keys.base import Secrets
    from certs.ledger import Entry
    from certs.ocsp_responder import Responders
    from certs.pairs import PairDesk
    from certs.status import ListName
    from certs.time_source import TimeSource
    from certs.tsa import TimeStampAuthority

CRL_LIFE: Final = timedelta(hours=1)
"""A revocation list is made anew when the one at hand is older than this."""
RENEWAL_PAUSE: Final = timedelta(minutes=10)
STAMPS_PER_ENTRY: Final = 256
"""Time-stamps, or OCSP answers, announced by one entry of the audit log."""
UNIT_LIFE: Final = timedelta(hours=1)
"""How often a process looks whether the time-stamping key is due to be replaced."""


@lru_cache
def _time_source(name: str) -> TimeSource | None:
    """Return the one source of this process, so that time servers are asked once for all circles."""
    from certs.time_source import time_source_named

    return time_source_named(name)


@dataclass
class _Generation:
    """What was opened of the directory as it looked at one moment."""

    looked: tuple[int, ...]
    """What told one state of the directory from another."""
    authority: ClosedCircle
    units: dict[str, TimeStampAuthority] = field(default_factory=dict)
    units_from: datetime | None = None
    responders: tuple[datetime, Responders] | None = None
    """And until when they need no renewal."""


class Circle:
    """One suite's authority, its time-stamp authority, revocation lists and OCSP responders. Thread-safe."""

    def __init__(self, suite: str, directory: Path, secrets: Secrets, settings: Settings) -> None:
        from certs import circle
        from certs.ledger import SQLiteLedger

        self.suite = suite
        self._settings, self._directory, self._secrets = settings, directory, secrets
        self._ledger = SQLiteLedger(directory / circle.LEDGER)
        self._lock = threading.RLock()
        self._loading = threading.Lock()
        self._generation = self._load()

    def _load(self) -> _Generation:
        from certs import circle

        looked = self._look()  # before: what changes meanwhile is seen at the next look
        authority = circle.load(self._directory, self._secrets, self._settings.clock, ledger=self._ledger)
        return _Generation(looked, authority)

    def _look(self) -> tuple[int, ...]:
        """Tell one state of the directory from another: files are renamed into it, circle.json last."""
        from certs.errors import KeyNotFound

        try:
            place, values = self._directory.stat(), (self._directory / "circle.json").stat()
        except OSError as error:
            raise KeyNotFound(f"{self._directory} holds no authority any more") from error
        return place.st_mtime_ns, values.st_ino, values.st_mtime_ns

    def _now(self) -> _Generation:
        """Return the circle as the directory has it now."""
        if self._generation.looked != (looked := self._look()):
            with self._loading:
                if self._generation.looked != looked:
                    before, self._generation = self._generation, self._load()
                    _end_batches(before)
        return self._generation

    # certificates ----------------------------------------------------------------------------------------------------
    @property
    def root(self) -> Certificate:
        """The root certificate."""
        return self._now().authority.root

    @property
    def chain(self) -> tuple[Certificate, Certificate]:
        """Issuing and root certificate."""
        return self._now().authority.chain

    @property
    def authorities(self) -> tuple[Certificate, ...]:
        """Issuing and root certificate, then those of earlier generations, which still sign their lists."""
        return tuple(authority.certificate for authority in self._now().authority.authorities)

    @property
    def published(self) -> tuple[Certificate, ...]:
        """Every valid certificate of an authority, of all generations, and the links between roots (RFC 7030 4.1.3)."""
        authority, now = self._now().authority, self._settings.clock.now()
        every = (*(each.certificate for each in authority.authorities), *authority.links)
        return tuple(certificate for certificate in every if certificate.not_before <= now <= certificate.not_after)

    def find(self, fingerprint: str) -> Certificate | None:
        """Return a certificate of the circle by its SHA-256 fingerprint."""
        from certs.certificate import Certificate

        authority = self._now().authority
        own = (each.certificate for each in authority.authorities)
        for certificate in (*own, *authority.links, self.tsa.certificate):
            if certificate.fingerprint() == fingerprint:
                return certificate
        for each in authority.authorities:
            for entry in each.entries():
                if entry.certificate is not None:
                    certificate = Certificate(entry.certificate)
                    if certificate.fingerprint() == fingerprint:
                        return certificate
        return None

    # issuing ---------------------------------------------------------------------------------------------------------
    def prepare(
        self, profile: str, subject: Subject, spki: bytes, *, days: int | None = None, names: AltNames | None = None
    ) -> Plan:
        """Return a plan that is on record, for the profile's own time where no days are given.

        Raises ProfileError, BadIdentifier, IssuanceError, or ApprovalError where the profile wants an approved
        application: this service has no way round the registration authority.
        """
        return self._now().authority.prepare(profile, subject, spki, days=days, names=names)

    def prepare_renewal(self, certificate: Certificate, spki: bytes, *, days: int | None = None) -> Plan:
        """Return a plan for a certificate of the same subject and names, on record. Raises as `prepare` does."""
        from certs.relations import prepare_renewal

        authority = self._now().authority
        record = authority.issuer_of(certificate.serial)
        return prepare_renewal(authority.issuing, certificate, record=record, spki=spki, days=days)

    @contextlib.contextmanager
    def pairing(self, customer: str | None = None) -> Iterator[PairDesk]:
        """Give what makes pairs of keys for the requests of a customer; of all processes here, one request at a time.

        Copies of encryption keys are kept where `sealroad ca escrow` says so. Raises KeyStoreError.
        """
        from certs.circle_files import escrow_of, values_of
        from certs.keys.base import no_secrets
        from certs.keys.kek import open_provider
        from certs.pairs import PAIRS, PairDesk

        with exclusive(self._directory / PAIRS):
            copies = escrow_of(values_of(self._directory))
            provider = None if copies is None else open_provider(copies, no_secrets, name="the copies of keys")
            authority = self._now().authority.issuing
            yield PairDesk(authority, self._directory, self._settings.clock, escrow=provider, customer=customer)

    def sign(self, plan: Plan) -> Certificate:
        """Sign a plan, once. Raises IssuanceError, KeyStoreError."""
        return self._issuer(plan.serial).issue(plan)

    def issue(
        self, profile: str, subject: Subject, spki: bytes, *, days: int | None = None, names: AltNames | None = None
    ) -> Certificate:
        """Prepare and sign in one go, where nothing needs to be on record between the two."""
        return self.sign(self.prepare(profile, subject, spki, days=days, names=names))

    def pem_with_chain(self, certificate: Certificate) -> str:
        """Return a certificate followed by its chain, of the generation that issued it."""
        return "".join(each.pem for each in (certificate, *self._now().authority.chain_of(certificate)))

    # status ----------------------------------------------------------------------------------------------------------
    def _issuer(self, serial: int) -> Authority:
        return self._now().authority.issuer_of(serial)

    def entry(self, serial: int) -> Entry | None:
        """Return what the ledger says of a certificate at this moment; None where it is not on record."""
        return self._issuer(serial).entry(serial)

    def good(self, serial: int) -> bool:
        """Tell whether a certificate is on record as issued, neither revoked nor on hold."""
        entry = self.entry(serial)
        return entry is not None and entry.state == "issued"

    def revoke(self, serial: int, reason: str = "unspecified", *, invalid_since: datetime | None = None) -> None:
        """Revoke a certificate; every list and answer asked for from now on says so. Raises IssuanceError."""
        self._issuer(serial).revoke(serial, reason, invalid_since=invalid_since)

    def hold(self, serial: int, *, until: datetime | None = None) -> None:
        """Suspend a certificate. Raises IssuanceError."""
        self._issuer(serial).hold(serial, until=until)

    def release(self, serial: int) -> None:
        """End a suspension. Raises IssuanceError."""
        self._issuer(serial).release(serial)

    # lists -----------------------------------------------------------------------------------------------------------
    def crls(self) -> dict[str, bytes]:
        """Return the complete revocation lists, DER, by the key identifier of their issuer (hexadecimal)."""
        from certs.status import ListName

        return {each.id: self._current(each, ListName()) for each in self._now().authority.authorities}

    def crl(self, name: str) -> bytes | None:
        """Return a list by key identifier and the end of its name, as in "ab12-3-delta"; None where it is not ours."""
        for authority in self._now().authority.authorities:
            if name.startswith(authority.id):
                for known in authority.lists.names():
                    if name == f"{authority.id}{known}":
                        return self._current(authority, known)
        return None

    def _current(self, authority: Authority, name: ListName) -> bytes:
        """Return a list that knows every change on record, made at most `CRL_LIFE` ago by whichever process."""
        with self._lock:
            record, encoded = authority.lists.current_record(name)
            age = self._settings.clock.now() - record.this_update
            return authority.lists.make(name.partition, name.kind) if age >= CRL_LIFE else encoded

    def keep_promises(self) -> None:
        """Release what was suspended until now, and make the lists that near their nextUpdate.

        A list that nobody has asked for yet is made when somebody does; so is one that lacks a revocation. Raises what
        the first authority raised that could not, after all have tried.
        """
        from certs.errors import CertsError

        now, failures = self._settings.clock.now(), []
        for authority in self._now().authority.authorities:
            try:
                authority.lists.release_expired()
                ends = [(name, authority.lists.due_at(name)) for name in authority.lists.names()]
                for name in (name for name, due in ends if due is not None and due <= now):
                    self._current(authority, name)
            except CertsError as error:  # the key of one authority may be away; the others go on
                failures.append(error)
        if failures:
            raise failures[0]

    def list_ends(self) -> dict[str, datetime]:
        """Return, by issuer, the earliest nextUpdate among the lists that were made."""
        ends: dict[str, datetime] = {}
        for authority in self._now().authority.authorities:
            made = (
                authority.ledger.last_list(authority.id, name.partition, name.kind) for name in authority.lists.names()
            )
            found = [record.next_update for record in made if record is not None]
            if found:
                ends[authority.id] = min(found)
        return ends

    # units -----------------------------------------------------------------------------------------------------------
    @property
    def tsa(self) -> TimeStampAuthority:
        """The time-stamp authority; its key is replaced in good time before its certificate ends."""
        from certs import oids

        return self._unit(oids.SIGNED_DATA)

    @property
    def gm_tsa(self) -> TimeStampAuthority:
        """The same authority of SM2, whose tokens bear the outer identifier of GB/T 35275 (GM/T 0033)."""
        from certs import oids

        return self._unit(oids.GM_SIGNED_DATA)

    def _unit(self, outer_oid: str) -> TimeStampAuthority:
        from certs import circle
        from certs.keys.checked import OwnCheck

        with self._lock:
            now, opened = self._settings.clock.now(), self._now()
            if opened.units_from is None or abs(now - opened.units_from) > UNIT_LIFE:
                if circle.rotation_due(self._directory, opened.authority, now):
                    with exclusive(self._directory.parent):  # of several processes one does it
                        if circle.rotation_due(self._directory, opened.authority, now):
                            circle.rotate_tsa(self._directory, opened.authority, self._secrets)
                    opened = self._now()
                opened.units_from = now
            if outer_oid not in opened.units:
                opened.units[outer_oid] = circle.timestamper(
                    self._directory,
                    opened.authority,
                    self._secrets,
                    self._settings.clock,
                    time_source=_time_source(self._settings.tsa_time),
                    outer_oid=outer_oid,
                    batch=STAMPS_PER_ENTRY,
                    own_check=OwnCheck(self._settings.own_check),
                )
            return opened.units[outer_oid]

    def responders(self) -> Responders:
        """Return the OCSP responders; their certificates are made anew in time."""
        from certs import circle
        from certs.keys.checked import OwnCheck

        with self._lock:
            now, opened = self._settings.clock.now(), self._now()
            if opened.responders is None or now >= opened.responders[0]:
                found = circle.responders(
                    self._directory,
                    opened.authority,
                    self._secrets,
                    self._settings.clock,
                    batch=STAMPS_PER_ENTRY,
                    own_check=OwnCheck(self._settings.own_check),
                )
                # where one could not be renewed, try again, but not at every request
                due = max(circle.renewal_due(found), now + RENEWAL_PAUSE)
                before, opened.responders = opened.responders, (due, found)
                if before is not None:
                    before[1].close()
            return opened.responders[1]

    # the audit log ---------------------------------------------------------------------------------------------------
    def checkpoint(self, interval: timedelta) -> bool:
        """Make a checkpoint where something happened since the last one and that is older than `interval`.

        One that another process did not get to write beside the log is written now. Raises CertsError.
        """
        from certs import circle

        authority = self._now().authority
        log = circle.log_of(authority)
        if log is None:
            return False
        if not circle.checkpoint_due(log, self._settings.clock.now(), interval):
            if log.last_checkpoint() is not None:
                circle.write_checkpoint(self._directory, log)
            return False
        with exclusive(self._directory.parent):  # of several processes one does it
            if circle.checkpoint_due(log, self._settings.clock.now(), interval):
                circle.checkpoint(self._directory, authority, self._secrets, self._settings.clock)
                return True
        return False

    def last_checkpoint(self) -> datetime | None:
        """Return when the last checkpoint of the audit log was made."""
        from certs import circle
        from certs.audit.checkpoint import parse

        log = circle.log_of(self._now().authority)
        made = log.last_checkpoint() if log is not None else None
        return parse(made).at if made is not None else None

    def end_batches(self) -> None:
        """Count, in the audit log, the time-stamps and OCSP answers made so far. Raises AuditError."""
        _end_batches(self._generation)

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()


def _end_batches(opened: _Generation) -> None:
    for unit in opened.units.values():
        unit.close()
    if opened.responders is not None:
        opened.responders[1].close()


@contextlib.contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Hold a lock that other processes on this machine respect."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
