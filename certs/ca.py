"""Authorities: prepare a certificate, put the plan on record, sign it exactly once.

    circle = ClosedCircle.create("sm2", organisation="江海贸易", country="CN", clock=clock, ledger=MemoryLedger())
    certificate = circle.issue("person", Subject("王𠮷", country="CN"), spki)
    circle.revoke(certificate.serial, "keyCompromise")
    circle.crl()                                       # DER, signed in SM2

    plan = circle.issuing.prepare(profiles.load("person"), subject, spki)     # stored, readable, not yet signed
    certificate = circle.issuing.issue(plan)                                  # once; again raises IssuanceError

A closed circle has two tiers in one suite: a root that certifies one issuing authority, and that one certifies people,
organisations and the time-stamping authority. `certs.circle` keeps a circle in a directory.
"""

from __future__ import annotations

import secrets as random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from certs import extensions, lint, profiles, suites
from certs.certificate import Certificate, Subject
from certs.clock import Clock
from certs.crl import build_crl
from certs.errors import CertsError, IssuanceError, ProfileError
from certs.extension_values import Extension
from certs.keys.base import KeyHandle, Secrets
from certs.ledger import Entry, Ledger
from certs.names import Name
from certs.profiles import Profile
from certs.suites.base import Use

BACKDATE = timedelta(minutes=5)
"""How far notBefore lies in the past, so that a party whose clock is slow can use a new certificate at once."""

CRL_DAYS = 7
"""Days from one list of the issuing authority to the next."""
ROOT_CRL_DAYS = 90

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
        crl_days: int = CRL_DAYS,
    ) -> None:
        """`crl_url` and `issuer_url` go into certificates.

        "{issuer}" in them becomes the authority's key identifier.
        """
        self.key = key
        self.certificate = certificate
        self.crl_days = crl_days
        self._ledger = ledger
        self._clock = clock
        identifier = certificate.ski or extensions.key_id(certificate.spki)
        self.id = identifier.hex()
        self.crl_url = crl_url.format(issuer=self.id) if crl_url else None
        self.issuer_url = issuer_url.format(issuer=self.id) if issuer_url else None
        self._algorithm = key.suite.signature_algorithm(Use.X509).der()
        self._tail = [extensions.authority_key_identifier(identifier)]
        if self.crl_url:
            self._tail.append(extensions.crl_distribution_points([self.crl_url]))
        if self.issuer_url:
            self._tail.append(extensions.ca_issuers(self.issuer_url))

    def prepare(
        self,
        profile: Profile,
        subject: Subject,
        spki: bytes,
        *,
        days: int | None = None,
        not_before: datetime | None = None,
    ) -> Plan:
        """Return a checked plan that is on record; nothing is signed.

        Raises ProfileError, BadIdentifier, MalformedInput, BadKey or IssuanceError.
        """
        _check_request(profile, subject, days)
        return self.prepare_for(profile, subject.name(), spki, days=days, not_before=not_before)

    def prepare_for(
        self,
        profile: Profile,
        name: bytes,
        spki: bytes,
        *,
        days: int | None = None,
        not_before: datetime | None = None,
    ) -> Plan:
        """Like `prepare`, for a subject name that is DER already: another authority's, to the octet."""
        now = self._clock.now().replace(microsecond=0)
        start = (not_before or now - BACKDATE).replace(microsecond=0)
        end = min(start + timedelta(days=days or profile.days, seconds=-1), self.certificate.not_after)
        serial = new_serial()
        tbs = _tbs(
            profile, serial, self._algorithm, self.certificate.subject_name.der, (start, end), name, spki, self._tail
        )
        lint.check(tbs, profile, self.certificate)
        self._ledger.prepare(Entry(self.id, serial, profile.name, str(Name(name)), tbs, now, end))
        return Plan(self.id, serial, profile.name, tbs)

    def issue(self, plan: Plan) -> Certificate:
        """Sign what was prepared, once. Raises IssuanceError where the plan is unknown, changed or used."""
        entry = self._ledger.claim(self.id, plan.serial)
        if entry.tbs != plan.tbs:
            raise IssuanceError("the plan is not the one on record", serial=f"{plan.serial:x}")
        certificate = _sign(self.key, self._algorithm, entry.tbs, self.certificate)
        self._ledger.issued(self.id, plan.serial, certificate.der)
        return certificate

    def revoke(self, serial: int, reason: str = "unspecified", *, at: datetime | None = None) -> Entry:
        """Put `serial` on the next list. Raises IssuanceError where it is unknown or revoked already."""
        return self._ledger.revoke(self.id, serial, (at or self._clock.now()).replace(microsecond=0), reason)

    def crl(self, *, days: int | None = None) -> bytes:
        """Return a new revocation list (DER): number one higher than the last, valid from now."""
        now = self._clock.now().replace(microsecond=0)
        return build_crl(
            self.certificate,
            self.key,
            self._ledger.revoked(self.id),
            number=self._ledger.next_crl_number(self.id),
            this_update=now,
            next_update=now + timedelta(days=days or self.crl_days),
        )

    def entries(self) -> tuple[Entry, ...]:
        """Return everything on record, in the order of preparation."""
        return self._ledger.entries(self.id)


def _check_request(profile: Profile, subject: Subject, days: int | None) -> None:
    for field in profile.required:
        if not getattr(subject, field, None):
            raise ProfileError(
                f"profile {profile.name} requires the subject's {field.replace('_', ' ')}",
                profile=profile.name,
                field=field,
            )
    if days is not None and not 0 < days <= profile.max_days:
        raise ProfileError(f"profile {profile.name} allows 1 to {profile.max_days} days", profile=profile.name)


def _tbs(
    profile: Profile,
    serial: int,
    algorithm: bytes,
    issuer: bytes,
    validity: tuple[datetime, datetime],
    subject: bytes,
    spki: bytes,
    tail: list[Extension],
) -> bytes:
    """Return the to-be-signed certificate of `profile`."""
    try:
        suites.load_public(spki)
        identifier = extensions.key_id(spki)
    except CertsError as error:
        raise IssuanceError(f"the subject's key is not usable: {error}") from error
    out = [extensions.key_usage(profile.key_usage)]
    if profile.ca:
        out.insert(0, extensions.basic_constraints(ca=True, path_length=profile.path_length))
    if profile.extended_key_usage:
        out.append(
            extensions.extended_key_usage(profile.extended_key_usage, critical=profile.extended_key_usage_critical)
        )
    out.append(extensions.subject_key_identifier(identifier))
    out += tail
    return extensions.certificate_tbs(
        serial=serial,
        algorithm=algorithm,
        issuer=issuer,
        not_before=validity[0],
        not_after=validity[1],
        subject=subject,
        spki=spki,
        extensions=out,
    )


def _sign(key: KeyHandle, algorithm: bytes, tbs: bytes, issuer: Certificate | None) -> Certificate:
    """Sign, read back, compare and verify; a certificate that fails does not leave."""
    certificate = Certificate(extensions.signed(tbs, algorithm, key.sign(tbs)))
    if certificate.tbs != tbs:
        raise IssuanceError("the certificate read back is not what was signed")
    try:
        certificate.verify_signed_by(issuer or certificate)
    except CertsError as error:
        raise IssuanceError(f"the new certificate does not verify: {error}") from error
    return certificate


def self_sign(
    key: KeyHandle, subject: Subject, *, clock: Clock, ledger: Ledger, days: int | None = None
) -> Certificate:
    """Return a root certificate for `key`, on record in `ledger` like any other."""
    profile = profiles.load("root")
    _check_request(profile, subject, days)
    spki = key.public_key.spki
    identifier = extensions.key_id(spki).hex()
    now = clock.now().replace(microsecond=0)
    start = now - BACKDATE
    end = start + timedelta(days=days or profile.days, seconds=-1)
    name, serial, algorithm = subject.name(), new_serial(), key.suite.signature_algorithm(Use.X509).der()
    tbs = _tbs(profile, serial, algorithm, name, (start, end), name, spki, [])
    lint.check(tbs, profile, None)
    ledger.prepare(Entry(identifier, serial, profile.name, str(Name(name)), tbs, now, end))
    ledger.claim(identifier, serial)
    certificate = _sign(key, algorithm, tbs, None)
    ledger.issued(identifier, serial, certificate.der)
    return certificate


@dataclass
class ClosedCircle:
    """Root and issuing authority of one suite."""

    suite_name: str
    root_authority: Authority
    issuing: Authority
    crl_url: str | None = None
    issuer_url: str | None = None

    @classmethod
    def create(
        cls,
        suite_name: str,
        *,
        organisation: str,
        country: str,
        clock: Clock,
        ledger: Ledger,
        parameter: str | None = None,
        crl_url: str | None = None,
        issuer_url: str | None = None,
        root_key: KeyHandle | None = None,
        issuing_key: KeyHandle | None = None,
    ) -> ClosedCircle:
        """Make both keys (unless given) and both certificates.

        `crl_url` may contain "{issuer}", for which each authority puts its own key identifier, as in
        "http://pki.example/pki/crl/{issuer}.crl". `parameter` is a key size or parameter set of the suite.
        """
        suite = suites.get(suite_name)
        root_key = root_key or suite.generate(parameter)
        issuing_key = issuing_key or suite.generate(parameter)
        tag = suite_name.upper()
        root = self_sign(
            root_key, Subject(f"{organisation} Root CA {tag}", organisation, country), clock=clock, ledger=ledger
        )
        root_authority = Authority(
            root_key,
            root,
            ledger=ledger,
            clock=clock,
            crl_url=crl_url,
            issuer_url=issuer_url,
            crl_days=ROOT_CRL_DAYS,
        )
        subject = Subject(f"{organisation} Issuing CA {tag}", organisation, country)
        plan = root_authority.prepare(profiles.load("issuing"), subject, issuing_key.public_key.spki)
        issuing = Authority(
            issuing_key,
            root_authority.issue(plan),
            ledger=ledger,
            clock=clock,
            crl_url=crl_url,
            issuer_url=issuer_url,
        )
        return cls(suite_name, root_authority, issuing, crl_url, issuer_url)

    def save(self, directory: str | Path, secrets: Secrets) -> None:
        """Write a new circle to `directory`; see `certs.circle`, whose `create` also keeps the ledger there."""
        from certs import circle

        circle.save(self, directory, secrets)

    @classmethod
    def load(
        cls, directory: str | Path, secrets: Secrets, clock: Clock, *, ledger: Ledger | None = None
    ) -> ClosedCircle:
        """Open the circle in `directory`; its ledger is the directory's own unless one is given."""
        from certs import circle

        return circle.load(directory, secrets, clock, ledger=ledger)

    @property
    def root(self) -> Certificate:
        """The root certificate: what the other side must trust."""
        return self.root_authority.certificate

    @property
    def chain(self) -> tuple[Certificate, Certificate]:
        """Issuing certificate and root certificate."""
        return (self.issuing.certificate, self.root)

    def issue(self, profile_name: str, subject: Subject, spki: bytes, *, days: int | None = None) -> Certificate:
        """Prepare and issue in one go. Raises what `Authority.prepare` and `Authority.issue` raise."""
        profile = profiles.load(profile_name)
        if profile.ca:
            raise ProfileError(f"the issuing authority issues no certificates of profile {profile_name}")
        return self.issuing.issue(self.issuing.prepare(profile, subject, spki, days=days))

    def revoke(self, serial: int, reason: str = "unspecified") -> None:
        """Revoke a certificate of the issuing authority, or the issuing authority itself."""
        authority = self.root_authority if serial == self.issuing.certificate.serial else self.issuing
        authority.revoke(serial, reason)

    def crl(self) -> bytes:
        """Return a new list of the issuing authority."""
        return self.issuing.crl()

    def root_crl(self) -> bytes:
        """Return a new list of the root."""
        return self.root_authority.crl()
