"""Authorities and their circle: a root in one suite, and what it certifies.

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

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from certs import extensions, lint, lint_pkix, profiles, suites, template
from certs.alt_names import AltNames
from certs.authority import BACKDATE, CRL_DAYS, SECOND, Authority, Plan, check_lifetime, new_serial, sign_certificate
from certs.certificate import Certificate, Subject
from certs.clearance import Clearance
from certs.clock import Clock
from certs.errors import ProfileError
from certs.forms import Facts
from certs.keys.base import KeyHandle, Secrets
from certs.ledger import Entry, Ledger, record
from certs.lint_issuer import issuers_of
from certs.names import Name
from certs.profiles import Profile
from certs.status import ListPolicy
from certs.suites.base import PrivateKey, Suite, Use
from certs.template import Wanted

__all__ = [
    "CRL_DAYS",
    "ROOT_CRL_DAYS",
    "Authority",
    "ClosedCircle",
    "Plan",
    "generate",
    "new_serial",
    "note_key",
    "self_sign",
]

ROOT_CRL_DAYS = 90
"""Days from one list of a root to the next."""


def self_sign(
    key: KeyHandle,
    subject: Subject | Name,
    *,
    clock: Clock,
    ledger: Ledger,
    days: int | None = None,
) -> Certificate:
    """Return a root certificate for `key`, on record in `ledger` like any other.

    A `Name` in place of a subject is that of an earlier root, for the next key of the same authority.
    """
    profile = profiles.load("root")
    spki = key.public_key.spki
    if isinstance(subject, Name):
        wanted = Wanted(profile, subject.der, spki)
    else:
        wanted = template.wanted(profile, subject, spki)
    lifetime = timedelta(days=days) if days is not None else profile.lifetime
    check_lifetime(profile, lifetime)
    identifier = extensions.key_id(spki).hex()
    now = clock.now().replace(microsecond=0)
    start = now - BACKDATE
    end = start + lifetime - SECOND
    serial, algorithm = new_serial(), key.suite.signature_algorithm(Use.X509).der()
    tbs = template.tbs(wanted, serial, algorithm, wanted.subject, (start, end), [])
    lint.check(tbs, profile, None)
    lint_pkix.check(tbs, algorithm, profile)
    ledger.prepare(Entry(identifier, serial, profile.name, str(Name(wanted.subject)), tbs, now, end))
    ledger.claim(identifier, serial)
    certificate = sign_certificate(key, algorithm, tbs, None)
    ledger.issued(identifier, serial, certificate.der)
    return certificate


def generate(suite: Suite, parameter: str | None, role: str, ledger: Ledger) -> PrivateKey:
    """Return a new key of an authority; that it was made is put on record. Raises UnsupportedAlgorithm, AuditError."""
    key = suite.generate(parameter)
    note_key(key, role, ledger)
    return key


def note_key(key: KeyHandle, role: str, ledger: Ledger) -> None:
    """Put on record that a key was made, wherever it is. Raises AuditError."""
    public = key.public_key
    identifier = extensions.key_id(public.spki).hex()
    record(ledger, "key-generated", role=role, suite=key.suite.name, parameter=public.parameter, key=identifier)


@dataclass
class ClosedCircle:
    """Root and issuing authority of one suite."""

    suite_name: str
    root_authority: Authority
    issuing: Authority
    crl_url: str | None = None
    issuer_url: str | None = None
    ocsp_url: str | None = None
    previous: tuple[Authority, ...] = ()
    """Earlier generations: they certify nothing more, and still revoke and sign lists (see `certs.circle`)."""
    names: tuple[str, ...] = ("issuing", "root")
    """What the files of `authorities` are called, in the same order."""
    links: tuple[Certificate, ...] = ()
    """By which those who trust one generation of the root reach another (RFC 4210 4.4)."""

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
        ocsp_url: str | None = None,
        root_key: KeyHandle | None = None,
        issuing_key: KeyHandle | None = None,
        lists: ListPolicy | None = None,
    ) -> ClosedCircle:
        """Make both keys (unless given) and both certificates.

        `crl_url` may contain "{issuer}", for which each authority puts its own key identifier, as in
        "http://pki.example/pki/crl/{issuer}.crl". `parameter` is a key size or parameter set of the suite.
        `lists` is for the issuing authority; the root makes one list of everything.
        """
        suites.must_sign(suite_name)
        suite = suites.get(suite_name)
        root_key = root_key or generate(suite, parameter, "root", ledger)
        issuing_key = issuing_key or generate(suite, parameter, "issuing", ledger)
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
            ocsp_url=ocsp_url,
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
            ocsp_url=ocsp_url,
            lists=lists,
            above=(root,),
        )
        return cls(suite_name, root_authority, issuing, crl_url, issuer_url, ocsp_url)

    def close(self) -> None:
        """Close the books, where they are files."""
        close = getattr(self.issuing.ledger, "close", None)
        if close is not None:
            close()

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

    def issue(
        self,
        profile_name: str | Profile,
        subject: Subject,
        spki: bytes,
        *,
        days: int | None = None,
        names: AltNames | None = None,
        form: str = "plain",
        facts: Facts | None = None,
        lifetime: timedelta | None = None,
        clearance: Clearance | None = None,
    ) -> Certificate:
        """Prepare and issue in one go. Raises what `Authority.prepare` and `Authority.issue` raise."""
        plan = self.prepare(
            profile_name,
            subject,
            spki,
            days=days,
            names=names,
            form=form,
            facts=facts,
            lifetime=lifetime,
            clearance=clearance,
        )
        return self.issuing.issue(plan)

    def prepare(
        self,
        profile_name: str | Profile,
        subject: Subject,
        spki: bytes,
        *,
        days: int | None = None,
        names: AltNames | None = None,
        form: str = "plain",
        facts: Facts | None = None,
        lifetime: timedelta | None = None,
        clearance: Clearance | None = None,
    ) -> Plan:
        """Return a plan of the issuing authority, on record. Raises what `Authority.prepare` raises."""
        profile = profiles.load(profile_name) if isinstance(profile_name, str) else profile_name
        if profile.ca:
            raise ProfileError(f"the issuing authority issues no certificates of profile {profile.name}")
        return self.issuing.prepare(
            profile,
            subject,
            spki,
            days=days,
            names=names,
            form=form,
            facts=facts,
            lifetime=lifetime,
            clearance=clearance,
        )

    @property
    def authorities(self) -> tuple[Authority, ...]:
        """Issuing authority, root, and the earlier generations of both."""
        return (self.issuing, self.root_authority, *self.previous)

    def chain_of(self, certificate: Certificate) -> tuple[Certificate, ...]:
        """Return what stands above a certificate of this circle, of whatever generation: its issuer, then the root."""
        return issuers_of(certificate, (each.certificate for each in self.authorities))

    def issuer_of(self, serial: int) -> Authority:
        """Return the authority that has `serial` on record; the issuing authority where none has."""
        return next((each for each in self.authorities if each.entry(serial) is not None), self.issuing)

    def revoke(self, serial: int, reason: str = "unspecified", *, invalid_since: datetime | None = None) -> None:
        """Revoke a certificate of any authority of the circle, the issuing authority's own included."""
        self.issuer_of(serial).revoke(serial, reason, invalid_since=invalid_since)

    def hold(self, serial: int, *, until: datetime | None = None) -> None:
        """Suspend a certificate; see `Authority.hold`."""
        self.issuer_of(serial).hold(serial, until=until)

    def release(self, serial: int) -> None:
        """End a suspension; see `Authority.release`."""
        self.issuer_of(serial).release(serial)

    def crl(self) -> bytes:
        """Return a new list of the issuing authority."""
        return self.issuing.crl()

    def root_crl(self) -> bytes:
        """Return a new list of the root."""
        return self.root_authority.crl()
