"""Dual certificates: a holder signs with a key of his own, and decrypts with one that the authority made for him.

    desk = PairDesk(circle.issuing, Path("ca"), clock, escrow=provider)
    pair = desk.issue(request, profiles.load("person"))       # the same pair for the same request, however often
    draft = desk.prepare(request, profiles.load("person"))    # or the two steps apart: 1 to 3, nothing signed yet
    pair = draft.signed_by(authority.issue)
    data = pair.encode(chain)                                 # PEM: both certificates, the encrypted key, what is above
    pair = read_pair(data)
    key = accept_pair(pair, signing_key)                      # the private key for encryption

How one comes about, each step on record before the next:

 1. the request proves possession of the signing key, and its suite can take a delivery
 2. the key pair for encryption is made, wrapped to the signing key and, where the authority keeps a copy, sealed under
    its key-encryption key; both lie in the directory before anything is certified, and the clear key is forgotten
 3. both certificates are planned, each under a name that the ledger takes once, and signed
 4. the pair is handed over

Killed anywhere, the same request goes on from there: with the same key, and with the certificate that is on record. One
that was perhaps signed when the process died is revoked, and another is signed for the same key.

    pairs/SHA-256.json      one for each request          escrow/KEY-ID.sealed      copies (see `certs.escrow`)
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certs import canonical, extensions, files, key_delivery, profiles, suites, template
from certs.alt_names import AltNames
from certs.ca import Authority, Plan
from certs.certificate import Certificate, Subject
from certs.clearance import Clearance, check_clearance
from certs.clock import Clock
from certs.errors import AlreadyRevoked, BadKey, IssuanceError, KeyStoreError, MalformedInput, ProfileError, RequestUsed
from certs.escrow import keep, path_of
from certs.forms import Facts
from certs.keys.base import KeyHandle
from certs.keys.kek import Provider
from certs.ledger import Entry, record
from certs.names import Name
from certs.pem import pem_blocks
from certs.profiles import Profile
from certs.request import Request, accept
from certs.suites.base import PrivateKey, PublicKey, Suite

SCHEMA = "sealroad.pair/1"
PAIRS = "pairs"
"""The directory of an authority with what it made for whom."""
MAX_SIZE = 1 << 20
MAX_ATTEMPTS = 100
"""Certificates of one place in a pair: each but the last was being signed when a process died."""


@dataclass(frozen=True)
class Pair:
    """Two certificates of one holder, and the private key of the second, encrypted to the key of the first."""

    signing: Certificate
    encryption: Certificate
    delivery: bytes
    """See `certs.key_delivery`; DER."""

    def encode(self, chain: Sequence[Certificate] = ()) -> bytes:
        """Return the file for the holder: PEM, with the certificates above."""
        delivery = key_delivery.to_pem(self.delivery, self.signing.public_key())
        return "".join((self.signing.pem, self.encryption.pem, delivery, *(item.pem for item in chain))).encode()


@dataclass(frozen=True)
class Draft:
    """A pair on its way: each certificate as it is on record, or a plan for it that is; and the delivery."""

    signing: Certificate | Plan
    encryption: Certificate | Plan
    delivery: bytes

    def signed_by(self, sign: Callable[[Plan], Certificate]) -> Pair:
        """Return the pair, its plans signed. Raises what `sign` raises."""
        signing, encryption = (
            sign(item) if isinstance(item, Plan) else item for item in (self.signing, self.encryption)
        )
        return Pair(signing, encryption, self.delivery)


def read_pair(data: bytes) -> Pair:
    """Read what `Pair.encode` wrote. Raises MalformedInput."""
    if len(data) > MAX_SIZE:
        raise MalformedInput("too large for a pair of certificates")
    blocks = pem_blocks(data)
    certificates = [Certificate(encoded) for label, encoded in blocks if label == "CERTIFICATE"]
    deliveries = [encoded for label, encoded in blocks if label in key_delivery.LABELS]
    if len(certificates) < 2 or len(deliveries) != 1:
        raise MalformedInput("a pair is two certificates and one encrypted key, in PEM")
    return Pair(certificates[0], certificates[1], deliveries[0])


def accept_pair(pair: Pair, key: KeyHandle, issuer: Certificate | None = None) -> PrivateKey:
    """Return the private key of the encryption certificate; `key` is the signing key.

    With `issuer` both certificates must be signed by it. Raises BadKey where the pair is for another signing key or
    does not hold together, BadSignature, and what `certs.key_delivery.accept` raises.
    """
    if pair.signing.public_key().spki != key.public_key.spki:
        raise BadKey("the pair was issued to another signing key", hint="give the key that signed the request")
    if pair.signing.issuer_name.der != pair.encryption.issuer_name.der:
        raise BadKey("the two certificates of a pair have one issuer")
    if pair.signing.subject_name.der != pair.encryption.subject_name.der:
        raise BadKey(
            "the two certificates of a pair are of two holders", hint="somebody put another one's second key there"
        )
    if not pair.encryption.encrypts:
        raise BadKey("the second certificate of the pair is not for encryption, by its key usage")
    if issuer is not None:
        for certificate in (pair.signing, pair.encryption):
            certificate.verify_signed_by(issuer)
    return key_delivery.accept(pair.delivery, key, pair.encryption)


@dataclass(frozen=True)
class _Made:
    """What was made for one request: which key, and where it went."""

    profile: str
    subject: bytes
    spki: bytes
    delivery: bytes

    def encode(self) -> bytes:
        parts = {"subject": self.subject, "public_key": self.spki, "delivery": self.delivery}
        texts = {name: base64.b64encode(value).decode() for name, value in parts.items()}
        return canonical.encode({"schema": SCHEMA, "profile": self.profile, **texts})

    @classmethod
    def decode(cls, data: bytes) -> _Made:
        """Read a file of ours. Raises MalformedInput."""
        value: Any = canonical.decode(data, limit=MAX_SIZE)
        names = {"schema", "profile", "subject", "public_key", "delivery"}
        if not isinstance(value, dict) or set(value) != names or value["schema"] != SCHEMA:
            raise MalformedInput(f"not of schema {SCHEMA}")
        try:
            octets = (base64.b64decode(value[name], validate=True) for name in ("subject", "public_key", "delivery"))
            return cls(str(value["profile"]), *octets)
        except (ValueError, TypeError) as error:
            raise MalformedInput(f"not of schema {SCHEMA}") from error


class PairDesk:
    """Makes encryption keys for holders, and certifies them beside their signing keys."""

    def __init__(
        self,
        authority: Authority,
        directory: Path,
        clock: Clock,
        *,
        escrow: Provider | None = None,
        customer: str | None = None,
    ) -> None:
        """`directory` is the authority's; with `escrow` a copy of every key is kept under that key-encryption key.

        `customer` is whose requests these are, where an authority has several: the same request by another of them is
        another request, and gets a pair of its own.
        """
        self._authority, self._directory, self._clock, self._escrow = authority, directory, clock, escrow
        self._customer = [] if customer is None else [customer]

    def issue(
        self,
        request: Request,
        profile: Profile,
        *,
        subject: Subject | None = None,
        form: str = "plain",
        facts: Facts | None = None,
        days: int | None = None,
        suite: str | None = None,
        clearance: Clearance | None = None,
    ) -> Pair:
        """Return the pair for a request: by `profile` for its key, by profile encryption for a new one.

        `suite` is that of the new key, where it is not the suite of the request: one that only encrypts.
        `subject` is who was vetted, in place of the name asked for; `clearance` says that the signing certificate was
        approved (`certs.ra`). Raises BadSignature, UnsupportedAlgorithm (a suite that only signs), AlreadyRevoked (one
        of the two certificates), RequestUsed, KeyStoreError, IssuanceError, and what `Authority.prepare` raises.
        """
        options: dict[str, Any] = {"subject": subject, "form": form, "facts": facts, "days": days}
        return self.prepare(request, profile, suite=suite, clearance=clearance, **options).signed_by(
            self._authority.issue
        )

    def prepare(
        self,
        request: Request,
        profile: Profile,
        *,
        subject: Subject | None = None,
        form: str = "plain",
        facts: Facts | None = None,
        days: int | None = None,
        suite: str | None = None,
        clearance: Clearance | None = None,
    ) -> Draft:
        """Return the pair for a request as far as it goes without the authority's key. Raises as `issue` does."""
        accepted = accept(request, profile, subject=subject)  # 1
        public = suites.load_public(accepted.spki)
        chosen = suites.get(suite or public.suite.name)
        key_delivery.check_pair(chosen, public)
        if not {"digital_signature", "non_repudiation"} & {*profile.usage(public.suite.name)} or profile.ca:
            raise ProfileError(f"profile {profile.name} is not for the signing key of a pair", profile=profile.name)
        if clearance is not None:  # where there is none, the authority refuses and puts it on record
            check_clearance(clearance, self._authority.id, profile, accepted.subject.name(), accepted.spki)
        second = profiles.load("encryption")
        first_names = AltNames() if clearance else accepted.names  # names are no part of what was approved
        names = first_names.only(second.alt_names)
        template.wanted(second, accepted.subject, accepted.spki, names, None, form, facts)  # refused before all others

        def plan(kind: Profile, spki: bytes, alt_names: AltNames) -> Certificate | Plan:
            options = {"names": alt_names, "form": form, "facts": facts, "days": days}
            if clearance is not None and kind is profile:
                return self._approved(profile, accepted.subject, spki, options, clearance)
            return self._plan(request, kind, accepted.subject, spki, options)

        path = self._directory / PAIRS / f"{self._name(request)}.json"
        made = self._read(path, profile, accepted.subject, chosen)
        signing = plan(profile, accepted.spki, first_names)
        if made is None:
            self._make(path, request, profile, accepted.subject, public, chosen)  # 2
            made = self._read(path, profile, accepted.subject, chosen)
            assert made is not None
        return Draft(signing, plan(second, made.spki, names), made.delivery)  # 3, and 4 once both are signed

    def _name(self, request: Request) -> str:
        """Return what a request is called on record."""
        return _digest(canonical.encode([SCHEMA, *self._customer]) + request.der if self._customer else request.der)

    def _read(self, path: Path, profile: Profile, subject: Subject, suite: Suite) -> _Made | None:
        """Return what was made for the request, None where nothing was; RequestUsed where it was for something else."""
        try:
            made = _Made.decode(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyStoreError(f"{path} cannot be read: {error.strerror}") from error
        if (made.profile, made.subject) != (profile.name, subject.name()):
            raise RequestUsed(
                f"the request was used for profile {made.profile} and {Name(made.subject)}",
                hint="ask with a new request",
            )
        found = suites.for_spki(made.spki).name
        if found != suite.name:
            raise RequestUsed(
                f"the request was used for a key of {found}, not of {suite.name}", hint="ask with a new request"
            )
        return made

    def _make(
        self, path: Path, request: Request, profile: Profile, subject: Subject, to: PublicKey, suite: Suite
    ) -> None:
        key = suite.generate(to.parameter if to.parameter in suite.parameters else None)
        delivery = key_delivery.deliver(key, to)
        record(
            self._authority.ledger,
            "pair-key",
            issuer=self._authority.id,
            request=self._name(request),
            key=extensions.key_id(key.public_key.spki).hex(),
            delivered_to=extensions.key_id(to.spki).hex(),
            escrow=None if self._escrow is None else f"{self._escrow.kind}:{self._escrow.id.hex()}",
        )
        made = _Made(profile.name, subject.name(), key.public_key.spki, delivery)
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if self._escrow is not None:
                keep(self._directory, key, self._escrow)
            files.write(path, made.encode(), mode=0o600, replace=False)
        except FileExistsError:  # another process was quicker, and its key counts
            path_of(self._directory, key.public_key.spki).unlink(missing_ok=True)
        except OSError as error:
            raise KeyStoreError(f"{path} cannot be written: {error.strerror}") from error

    def _plan(
        self, request: Request, profile: Profile, subject: Subject, spki: bytes, options: dict[str, Any]
    ) -> Certificate | Plan:
        """Return the one certificate of its place in the pair, or the plan for it."""
        found: Entry | None = None
        for attempt in range(MAX_ATTEMPTS):
            place = _digest(
                canonical.encode([SCHEMA, extensions.key_id(spki).hex(), attempt, *self._customer]) + request.der
            )
            entry = self._authority.ledger.by_application(place)
            if entry is None:
                break
            found = entry
            if entry.state == "signing":  # by a process that died; one that still does it is told so by the ledger
                found = self._authority.revoke(entry.serial, "superseded")
        else:
            raise RequestUsed("this request was begun too often", hint="ask with a new request")
        if found is not None and (found.certificate is not None or found.state == "prepared"):
            return self._still_good(found)
        return self._authority.prepare(profile, subject, spki, application=place, **options)

    def _approved(
        self, profile: Profile, subject: Subject, spki: bytes, options: dict[str, Any], clearance: Clearance
    ) -> Certificate | Plan:
        """Return the one certificate of an application, or the plan for it."""
        entry = self._authority.ledger.by_application(clearance.application)
        if entry is None:
            return self._authority.prepare(profile, subject, spki, clearance=clearance, **options)
        if entry.state == "signing":
            raise IssuanceError(
                f"the application was used already: serial {entry.serial:x} may have been signed",
                hint="revoke it, and make another application with 'sealroad ra apply'",
                serial=f"{entry.serial:x}",
                state=entry.state,
            )
        return self._still_good(entry)

    def _still_good(self, entry: Entry) -> Certificate | Plan:
        if entry.state == "revoked":
            raise AlreadyRevoked(
                f"the certificate {entry.serial:x} of this request is revoked or on hold",
                hint="ask with a new request, of another key where this one was lost",
                serial=f"{entry.serial:x}",
                state=entry.state,
                reason=entry.reason,
            )
        if entry.not_after < self._clock.now():
            raise RequestUsed(
                f"the certificate {entry.serial:x} of this request has expired", hint="ask with a new request"
            )
        if entry.certificate is None:
            return Plan(entry.issuer, entry.serial, entry.profile, entry.tbs)
        return Certificate(entry.certificate)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
