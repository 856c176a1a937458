"""The closed circles of this service: per suite a small authority of its own, made when it is first needed.

    circle = context.circles.get("sm2")
    certificate = circle.issue("person", subject, spki, days=397)
    circle.tsa.stamp("sm3", digest)              # RFC 3161 token, signed in the circle's own suite

A circle lies in `pki/<suite>/` of the data directory (see `certs.circle`), its keys encrypted under passwords derived
from the master key. It calls itself closed-circle in its names: it is
nobody's accredited authority, and only those who accept its root trust it.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api.config import Settings
from api.errors import NotFound
from api.vault import Vault

if TYPE_CHECKING:
    from certs.alt_names import AltNames
    from certs.ca import Authority, ClosedCircle
    from certs.certificate import Certificate, Subject
    from certs.keys.base import Secrets
    from certs.ledger import SQLiteLedger
    from certs.ocsp_responder import Responders
    from certs.status import ListName
    from certs.time_source import TimeSource
    from certs.trust import TrustStore
    from certs.tsa import TimeStampAuthority

log = logging.getLogger("sealroad.pki")

CRL_LIFE: Final = timedelta(hours=1)
"""A revocation list is made anew when the one at hand is older than this."""
RENEWAL_PAUSE: Final = timedelta(minutes=10)
STAMPS_PER_ENTRY: Final = 256
"""Time-stamps, or OCSP answers, announced by one entry of the audit log."""
DELTA_LIFE: Final = timedelta(days=1)
UNIT_LIFE: Final = timedelta(hours=1)
"""How often a process looks whether another key stamps now."""
UNKNOWN_COUNTRY: Final = "XX"
"""User-assigned in ISO 3166-1: for whoever does not say where they are. The service does not guess."""


@lru_cache
def _time_source(name: str) -> TimeSource | None:
    """Return the one source of this process, so that time servers are asked once for all circles."""
    from certs.time_source import time_source_named

    return time_source_named(name)


class Circle:
    """One suite's authority, its time-stamp authority, revocation lists and OCSP responders. Thread-safe."""

    def __init__(
        self,
        authority: ClosedCircle,
        directory: Path,
        secrets: Secrets,
        ledger: SQLiteLedger,
        settings: Settings,
        open_responders: Callable[[], Responders],
    ) -> None:
        self.suite = authority.suite_name
        self._open_responders = open_responders
        self._responders: tuple[datetime, Responders] | None = None
        self._authority, self._ledger, self._settings = authority, ledger, settings
        self._directory, self._secrets = directory, secrets
        self._lock = threading.Lock()
        self._units: dict[str, TimeStampAuthority] = {}
        self._units_from: datetime | None = None

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
            now = self._settings.clock.now()
            if self._units_from is None or abs(now - self._units_from) > UNIT_LIFE:
                if circle.rotation_due(self._directory, self._authority, now):
                    with _exclusive(self._directory.parent):  # of several processes one does it
                        if circle.rotation_due(self._directory, self._authority, now):
                            circle.rotate_tsa(self._directory, self._authority, self._secrets)
                self._units, self._units_from = {}, now
            if outer_oid not in self._units:
                self._units[outer_oid] = circle.timestamper(
                    self._directory,
                    self._authority,
                    self._secrets,
                    self._settings.clock,
                    time_source=_time_source(self._settings.tsa_time),
                    outer_oid=outer_oid,
                    batch=STAMPS_PER_ENTRY,
                    own_check=OwnCheck(self._settings.own_check),
                )
            return self._units[outer_oid]

    @property
    def root(self) -> Certificate:
        """The root certificate."""
        return self._authority.root

    @property
    def chain(self) -> tuple[Certificate, Certificate]:
        """Issuing and root certificate."""
        return self._authority.chain

    @property
    def authorities(self) -> tuple[Certificate, ...]:
        """Issuing and root certificate, then those of earlier generations, which still sign their lists."""
        return tuple(authority.certificate for authority in self._authority.authorities)

    def issue(
        self, profile: str, subject: Subject, spki: bytes, *, days: int | None = None, names: AltNames | None = None
    ) -> Certificate:
        """Issue a certificate, for the profile's own time where no days are given.

        Raises ProfileError, BadIdentifier or IssuanceError.
        """
        return self._authority.issue(profile, subject, spki, days=days, names=names)

    def good(self, serial: int) -> bool:
        """Tell whether a certificate is on record as issued, neither revoked nor on hold."""
        entry = self._authority.issuer_of(serial).entry(serial)
        return entry is not None and entry.state == "issued"

    def pem_with_chain(self, certificate: Certificate) -> str:
        """Return a certificate followed by its chain."""
        return "".join(each.pem for each in (certificate, *self.chain))

    def revoke(self, serial: int, reason: str = "unspecified") -> None:
        """Revoke a certificate; every list asked for from now on says so. Raises IssuanceError."""
        self._authority.revoke(serial, reason)

    def hold(self, serial: int) -> None:
        """Suspend a certificate. Raises IssuanceError."""
        self._authority.hold(serial)

    def release(self, serial: int) -> None:
        """End a suspension. Raises IssuanceError."""
        self._authority.release(serial)

    def crls(self) -> dict[str, bytes]:
        """Return the complete revocation lists, DER, by the key identifier of their issuer (hexadecimal)."""
        from certs.status import ListName

        return {authority.id: self._current(authority, ListName()) for authority in self._authority.authorities}

    def crl(self, name: str) -> bytes | None:
        """Return a list by key identifier and the end of its name, as in "ab12-3-delta"; None where it is not ours."""
        for authority in self._authority.authorities:
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

    def responders(self) -> Responders:
        """Return the OCSP responders; their certificates are made anew in time."""
        from certs.circle import renewal_due

        now = self._settings.clock.now()
        with self._lock:
            if self._responders is None or now >= self._responders[0]:
                found = self._open_responders()
                # where one could not be renewed, try again, but not at every request
                self._responders = max(renewal_due(found), now + RENEWAL_PAUSE), found
            return self._responders[1]

    def find(self, fingerprint: str) -> Certificate | None:
        """Return a certificate of the circle by its SHA-256 fingerprint."""
        from certs.certificate import Certificate

        for certificate in (*self.authorities, self.tsa.certificate):
            if certificate.fingerprint() == fingerprint:
                return certificate
        for authority in self._authority.authorities:
            for entry in authority.entries():
                if entry.certificate is not None:
                    certificate = Certificate(entry.certificate)
                    if certificate.fingerprint() == fingerprint:
                        return certificate
        return None

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()


class Circles:
    """All circles of one data directory. Several processes may share it: making one is done under a file lock."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings, self._vault = settings, vault
        self._root = settings.data / "pki"
        self._open: dict[str, Circle] = {}
        self._lock = threading.Lock()
        self._trusted: tuple[tuple[bytes, ...], TrustStore] | None = None

    def get(self, suite: str) -> Circle:
        """Return the circle of a suite; make it if there is none yet. Raises UnsupportedAlgorithm."""
        from certs import suites

        suites.get(suite)
        with self._lock:
            if suite not in self._open:
                with _exclusive(self._root):
                    if not (self._root / suite).is_dir():
                        self._create(suite)
                self._open[suite] = self._load(suite)
            return self._open[suite]

    def existing(self) -> list[Circle]:
        """Return the circles that have been made so far."""
        names = sorted(path.name for path in self._root.glob("*/") if not path.name.startswith("."))
        return [self.get(name) for name in names]

    def crl(self, issuer: str) -> bytes:
        """Return a revocation list by the key identifier of its issuer and the end of its name. Raises NotFound."""
        for circle in self.existing():
            found = circle.crl(issuer)
            if found is not None:
                return found
        raise NotFound("there is no such issuer")

    def ocsp(self, request: bytes) -> bytes:
        """Answer an OCSP request with the responders of the circle it asks about. Never raises for its content."""
        from certs.errors import CertsError, MalformedInput
        from certs.ocsp import INTERNAL_ERROR, MALFORMED_REQUEST, UNAUTHORIZED, error_response
        from certs.ocsp_responder import parse

        try:
            asked = parse(request)
        except MalformedInput:
            return error_response(MALFORMED_REQUEST)
        circles = self.existing()
        for cert_id in asked.cert_ids:
            for circle in circles:
                if any(map(cert_id.matches, circle.authorities)):
                    try:
                        return circle.responders().answer(asked)
                    except CertsError:
                        log.exception("the OCSP responder of %s cannot be opened", circle.suite)
                        return error_response(INTERNAL_ERROR)
        return error_response(UNAUTHORIZED)

    def certificate(self, name: str) -> Certificate:
        """Return a certificate by fingerprint or by the key identifier of an authority. Raises NotFound."""
        for circle in self.existing():
            for certificate in circle.authorities:
                if certificate.ski is not None and certificate.ski.hex() == name:
                    return certificate
            found = circle.find(name) if len(name) == 64 else None
            if found is not None:
                return found
        raise NotFound("there is no such certificate")

    def trust_store(self, given: tuple[bytes, ...] = ()) -> TrustStore:
        """Return a store of all our roots with current revocation lists, and what is `given`. Raises MalformedInput."""
        from certs.trust import is_anchor, parse

        store = self._own_trust()
        for data in given:
            certificates, crls, ocsps = parse(data)
            if certificates and not any(map(is_anchor, certificates)):
                store = store.trusting(certificates)  # what was named explicitly was named to be trusted
            store = store.with_(certificates, crls, ocsps)
        return store

    def _own_trust(self) -> TrustStore:
        from certs.crl import CRL
        from certs.trust import TrustStore

        circles = self.existing()
        lists = tuple(crl for circle in circles for crl in circle.crls().values())
        if self._trusted is None or self._trusted[0] != lists:
            chains = (certificate for circle in circles for certificate in circle.authorities)
            self._trusted = lists, TrustStore().with_(chains, map(CRL, lists))
        return self._trusted[1]

    def close(self) -> None:
        """Close all circles."""
        with self._lock:
            for circle in self._open.values():
                circle.close()
            self._open.clear()

    def _create(self, suite: str) -> None:
        from certs import circle
        from certs.status import ListPolicy

        settings = self._settings
        directory = self._root / f".{suite}.new"
        shutil.rmtree(directory, ignore_errors=True)
        circle.create(
            directory,
            suite,
            organisation=settings.circle_organisation,
            country=settings.circle_country or UNKNOWN_COUNTRY,
            secrets=self._secrets(suite),
            clock=settings.clock,
            crl_url=self._address("crl/{issuer}.crl"),
            issuer_url=self._address("certs/{issuer}.cer"),
            ocsp_url=self._address("ocsp"),
            lists=ListPolicy(partitions=settings.circle_partitions, delta_life=DELTA_LIFE),
        )
        directory.rename(self._root / suite)

    def _load(self, suite: str) -> Circle:
        from certs import circle
        from certs.keys.checked import OwnCheck
        from certs.ledger import SQLiteLedger

        directory, secrets, clock = self._root / suite, self._secrets(suite), self._settings.clock
        ledger = SQLiteLedger(directory / circle.LEDGER)
        authority = circle.load(directory, secrets, clock, ledger=ledger)
        return Circle(
            authority,
            directory,
            secrets,
            ledger,
            self._settings,
            lambda: circle.responders(
                *(directory, authority, secrets, clock),
                batch=STAMPS_PER_ENTRY,
                own_check=OwnCheck(self._settings.own_check),
            ),
        )

    def _secrets(self, suite: str) -> Callable[[str], bytes]:
        """Answer the questions of `certs.circle` for passwords."""
        return lambda question: self._vault.derive(f"circle {suite}: {question}").hex().encode()

    def _address(self, path: str) -> str | None:
        """Return the public address of something under /pki; the authority fills in its key identifier."""
        url = self._settings.public_url
        return None if url is None else f"{url.rstrip('/')}/pki/{path}"


@contextlib.contextmanager
def _exclusive(directory: Path) -> Iterator[None]:
    """Hold a lock that other processes on this machine respect."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
