"""One signing authority: prepare a certificate, put the plan on record, sign it exactly once.

    plan = authority.prepare(profiles.load("person"), subject, spki)          # stored, readable, not yet signed
    certificate = authority.issue(plan)                                       # once; again raises IssuanceError
    authority.revoke(certificate.serial, "keyCompromise")
    authority.crl()                                                           # DER, signed in the authority's suite

`certs.ca` makes two of them into a circle.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from certs import extensions, lint, lint_pkix, template
from certs.alt_names import AltNames
from certs.certificate import Certificate, Subject
from certs.clearance import Clearance, check_clearance
from certs.clock import Clock
from certs.constraints import Constraints
from certs.errors import CertsError, IssuanceError, ProfileError, RevocationRefused
from certs.extension_values import Extension
from certs.forms import Facts
from certs.keys.base import KeyHandle
from certs.ledger import Entry, Kind, Ledger, record
from certs.names import Name
from certs.profiles import Profile
from certs.status import ListPolicy, StatusLists
from certs.suites.base import Use
from certs.template import Wanted

BACKDATE = timedelta(minutes=5)
"""How far notBefore lies in the past, so that a party whose clock is slow can use a new certificate at once."""

CRL_DAYS = 7
"""Days from one list of the issuing authority to the next."""

SECOND = timedelta(seconds=1)
"""notAfter is inclusive (RFC 5280 4.1.2.5): a period ends one second before the next begins."""
_NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

_INSTANCE = b"\x5a"
"""First octet of every serial number, top bit 0: positive, and of a constant length of 18 octets."""


def new_serial() -> int:
    """Return a serial number with 136 random bits (the CA/B Forum asks for 64)."""
    return int.from_bytes(_INSTANCE + random.token_bytes(17), "big")


@dataclass(frozen=True)
class Plan:
    """A certificate that is on record and not yet signed."""

    issuer: str
    """Key identifier of the issuer, hexadecimal; the issuer's name in the ledger."""
    serial: int
    profile: str
    tbs: bytes
    """The octets that will be signed."""


class Authority:
    """One signing authority: a key, its certificate, a ledger. All methods raise CertsError only."""

    def __init__(
        self,
        key: KeyHandle,
        certificate: Certificate,
        *,
        ledger: Ledger,
        clock: Clock,
        crl_url: str | None = None,
        issuer_url: str | None = None,
        ocsp_url: str | None = None,
        crl_days: int = CRL_DAYS,
        lists: ListPolicy | None = None,
        above: Sequence[Certificate] = (),
    ) -> None:
        """`crl_url`, `issuer_url` and `ocsp_url` go into certificates.

        "{issuer}" in them becomes the authority's key identifier. `lists` says how revocation lists are made (by
        default one list, no deltas); the number of partitions is fixed by the first authority over the ledger. `above`
        is who certified this authority, up to the root: nothing is signed that they would not let pass.
        """
        self.key = key
        self.certificate = certificate
        self.above = tuple(above)
        self.crl_days = crl_days
        self._ledger = ledger
        self._clock = clock
        identifier = certificate.ski or extensions.key_id(certificate.spki)
        self.id = identifier.hex()
        self.crl_url = crl_url.format(issuer=self.id) if crl_url else None
        self.issuer_url = issuer_url.format(issuer=self.id) if issuer_url else None
        self.ocsp_url = ocsp_url.format(issuer=self.id) if ocsp_url else None
        self._algorithm = key.suite.signature_algorithm(Use.X509).der()
        self.lists = StatusLists(
            self.id, key, certificate, ledger, clock, lists or ListPolicy(life=timedelta(days=crl_days)), self.crl_url
        )

    def _tail(self, serial: int, *, status: bool) -> list[Extension]:
        """Return the extensions that say who issued a certificate and, with `status`, where its status is told."""
        tail = [extensions.authority_key_identifier(bytes.fromhex(self.id))]
        if status:
            tail += self.lists.extensions(serial)
        ocsp_url = self.ocsp_url if status else None
        if ocsp_url or self.issuer_url:
            tail.append(extensions.authority_information(ocsp=ocsp_url, issuer=self.issuer_url))
        return tail

    def prepare(
        self,
        profile: Profile,
        subject: Subject,
        spki: bytes,
        *,
        days: int | None = None,
        not_before: datetime | None = None,
        names: AltNames | None = None,
        constraints: Constraints | None = None,
        form: str = "plain",
        facts: Facts | None = None,
        lifetime: timedelta | None = None,
        clearance: Clearance | None = None,
        application: str | None = None,
    ) -> Plan:
        """Return a checked plan that is on record; nothing is signed.

        `names` stand beside the subject, `constraints` limit an authority, `form` and `facts` say how a country
        writes the subject (`certs.forms`). Subject, key and names of a request come from `certs.request.accept`.
        `clearance` is what `certs.ra` gives for an application that was proofed and approved; a profile that asks for
        either is refused without it. `application` names, where there is no clearance, for what there may be one
        certificate only (see `Entry.application`). Raises ProfileError, BadIdentifier, MalformedInput, BadKey,
        IssuanceError or ApprovalError; a refusal is put on record.
        """
        with self._refusals(profile, clearance):
            wanted = template.wanted(profile, subject, spki, names, constraints, form, facts)
        return self.prepare_wanted(
            wanted,
            lifetime=timedelta(days=days) if days is not None else lifetime,
            not_before=not_before,
            clearance=clearance,
            application=application,
        )

    def prepare_wanted(
        self,
        wanted: Wanted,
        *,
        lifetime: timedelta | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        clearance: Clearance | None = None,
        application: str | None = None,
    ) -> Plan:
        """Return a checked plan for what `certs.template` or `certs.relations` describes; see `prepare`.

        `not_after` is a last moment that must not be passed, as the issuer's own is.
        """
        with self._refusals(wanted.profile, clearance):
            return self._prepare(wanted, lifetime, not_before, not_after, clearance, application)

    @contextmanager
    def _refusals(self, profile: Profile, clearance: Clearance | None) -> Iterator[None]:
        """Put on record why a certificate is refused."""
        try:
            yield
        except CertsError as error:
            record(
                self._ledger,
                "refused",
                attempted="prepare",
                issuer=self.id,
                profile=profile.name,
                why=error.code,
                findings=[ascii(str(item))[1:-1][:300] for item in error.facts.get("findings", ())[:20]] or None,
                application=clearance.application if clearance else None,
            )
            raise

    def _prepare(
        self,
        wanted: Wanted,
        lifetime: timedelta | None,
        not_before: datetime | None,
        not_after: datetime | None,
        clearance: Clearance | None,
        application: str | None,
    ) -> Plan:
        profile = wanted.profile
        check_clearance(clearance, self.id, profile, wanted.subject, wanted.spki)
        check_lifetime(profile, lifetime)
        self.lists.check_kind(profile)
        now = self._clock.now().replace(microsecond=0)
        start = (not_before or now - BACKDATE).replace(microsecond=0)
        end = min(start + (lifetime or profile.lifetime) - SECOND, self.certificate.not_after, not_after or _NEVER)
        if clearance is not None and clearance.hours is not None:
            end = min(end, now + timedelta(hours=clearance.hours) - SECOND)
        serial = new_serial()
        tail = self._tail(serial, status=profile.revocation)
        tbs = template.tbs(wanted, serial, self._algorithm, self.certificate.subject_name.der, (start, end), tail)
        lint.check(tbs, profile, self.certificate, above=self.above, key_identifier=wanted.key_identifier)
        lint_pkix.check(tbs, self._algorithm, profile)
        entry = Entry(
            self.id,
            serial,
            profile.name,
            str(Name(wanted.subject)),
            tbs,
            now,
            end,
            partition=self.lists.partition_of(serial),
            application=clearance.application if clearance else application,
        )
        self._ledger.prepare(entry)
        return Plan(self.id, serial, profile.name, tbs)

    def issue(self, plan: Plan) -> Certificate:
        """Sign what was prepared, once. Raises IssuanceError where the plan is unknown, changed or used."""
        entry = self._ledger.claim(self.id, plan.serial)
        if entry.tbs != plan.tbs:
            raise IssuanceError("the plan is not the one on record", serial=f"{plan.serial:x}")
        certificate = sign_certificate(self.key, self._algorithm, entry.tbs, self.certificate)
        self._ledger.issued(self.id, plan.serial, certificate.der)
        return certificate

    def revoke(
        self,
        serial: int,
        reason: str = "unspecified",
        *,
        at: datetime | None = None,
        invalid_since: datetime | None = None,
    ) -> Entry:
        """Put `serial` on the next list, for good unless the reason is certificateHold.

        `invalid_since` is when the key is thought to have been lost (RFC 5280 5.3.2). What is on hold is revoked from
        the beginning of the hold. Raises NotOnRecord, AlreadyRevoked, RevocationRefused.
        """
        since = None if invalid_since is None else self._past(invalid_since)
        return self._ledger.revoke(self.id, serial, self._past(at), reason, invalid_since=since)

    def hold(self, serial: int, *, at: datetime | None = None, until: datetime | None = None) -> Entry:
        """Suspend `serial`, until `release`, `revoke` or the moment `until`.

        Raises NotOnRecord, AlreadyRevoked, RevocationRefused.
        """
        return self._ledger.hold(self.id, serial, self._past(at), until=until)

    def release(self, serial: int) -> Entry:
        """End the suspension of `serial`; delta lists say removeFromCRL. Raises NotOnRecord, NotOnHold."""
        return self._ledger.release(self.id, serial, self._clock.now().replace(microsecond=0))

    def _past(self, moment: datetime | None) -> datetime:
        """Return `moment`, or now, in whole seconds; refuse the future."""
        now = self._clock.now().replace(microsecond=0)
        if moment is not None and moment > now:
            raise RevocationRefused(f"{moment.isoformat()} has not come yet")
        return (moment or now).replace(microsecond=0)

    def crl(
        self,
        *,
        days: int | None = None,
        partition: int | None = None,
        delta: bool = False,
        any_clock: bool = False,
    ) -> bytes:
        """Return a new revocation list (DER): number one higher than the last, valid from now.

        See `certs.status.StatusLists.make`; `self.lists.current` returns the list at hand while it is good enough.
        """
        kind: Kind = "delta" if delta else "base"
        life = timedelta(days=days) if days else None
        return self.lists.make(partition, kind, life=life, any_clock=any_clock)

    def entry(self, serial: int) -> Entry | None:
        """Return what is on record for `serial`, or None."""
        return self._ledger.get(self.id, serial)

    @property
    def ledger(self) -> Ledger:
        """Where everything is on record."""
        return self._ledger

    def entries(self) -> tuple[Entry, ...]:
        """Return everything on record, in the order of preparation."""
        return self._ledger.entries(self.id)


def check_lifetime(profile: Profile, lifetime: timedelta | None) -> None:
    """Raise ProfileError unless the profile allows a certificate to live that long."""
    if lifetime is not None and not timedelta(0) < lifetime <= profile.max_lifetime:
        most = f"{profile.max_days} days" if profile.max_days else f"{profile.max_hours} hours"
        raise ProfileError(f"profile {profile.name} allows at most {most}", profile=profile.name)


def sign_certificate(key: KeyHandle, algorithm: bytes, tbs: bytes, issuer: Certificate | None) -> Certificate:
    """Sign, read back, compare and verify; a certificate that fails does not leave."""
    certificate = Certificate(extensions.signed(tbs, algorithm, key.sign(tbs)))
    if certificate.tbs != tbs:
        raise IssuanceError("the certificate read back is not what was signed")
    try:
        certificate.verify_signed_by(issuer or certificate)
    except CertsError as error:
        raise IssuanceError(f"the new certificate does not verify: {error}") from error
    return certificate
