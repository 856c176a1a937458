"""Copies of encryption keys that an authority keeps, and who gets one back.

    keep(directory, key, provider)                                        # directory/escrow/KEY-ID.sealed
    recovery = Recovery.new(authority.id, serial, "left the company", recipient, now, expires)
    request = RecoveryRequest(recovery).with_(approve(recovery, "anna", key, certificate, now))
    delivery = EscrowDesk(authority, directory, ra, clock).recover(request, provider)

Each copy is a sealed key (`certs.keys.envelope`) of its own, so `sealroad key rewrap` moves them under another
key-encryption key. A key is handed out once

 1. the request is for this authority, says why, and is in time
 2. the authority certified the key, and keeps a copy
 3. the certificate that it is encrypted to is for encryption, valid, and not revoked by this authority
 4. two officers, none of them the one who gets it, approved exactly that: key, reason, recipient and time (`certs.ra`)
 5. all of it is on record

and leaves encrypted to that certificate alone. A refusal is on record too.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from certs import canonical, enveloped, extensions
from certs.approvals import one_more, only_block, read_approvals, same_person
from certs.audit.log import moment_of, text_of
from certs.authority import Authority
from certs.certificate import Certificate
from certs.clock import Clock
from certs.errors import ApprovalError, CertsError, KeyStoreError, MalformedInput, NotEscrowed, RecoveryRefused
from certs.keys import sealed_files
from certs.keys.envelope import Label, unseal
from certs.keys.kek import Provider
from certs.ledger import record
from certs.pem import armor
from certs.ra import TOLERANCE, RegistrationAuthority
from certs.suites.base import PrivateKey

SCHEMA = "sealroad.recovery/1"
REQUEST = "sealroad.recovery-request/1"
ESCROW = "escrow"
"""The directory of an authority with the copies."""
PURPOSE = "escrow"
OFFICERS = 2
"""How many must approve."""
MAX_SIZE = 1 << 20
MAX_REASON = 500


def path_of(directory: Path, spki: bytes) -> Path:
    """Return where the copy of a key is, if there is one."""
    return directory / ESCROW / f"{extensions.key_id(spki).hex()}.sealed"


def keep(directory: Path, key: PrivateKey, provider: Provider) -> None:
    """Write a copy of `key`. Raises KeyStoreError."""
    path = path_of(directory, key.public_key.spki)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise KeyStoreError(f"{path.parent} cannot be made: {error.strerror}") from error
    sealed_files.save(path, key, provider, Label(path.stem, purpose=PURPOSE))


@dataclass(frozen=True)
class Recovery:
    """Which key is to be handed to whom, and why. Immutable: with another letter it is another, and nobody's."""

    id: str
    """32 hexadecimal digits, random."""
    authority: str
    """Key identifier of the authority, hexadecimal."""
    serial: str
    """Of the encryption certificate, hexadecimal."""
    reason: str
    recipient: Certificate
    """To whose holder the key is encrypted."""
    created: datetime
    expires: datetime

    profile = "key-recovery"
    """What stands in approvals where an application has its profile."""

    @classmethod
    def new(
        cls, authority: str, serial: int, reason: str, recipient: Certificate, created: datetime, expires: datetime
    ) -> Recovery:
        """Return a recovery under a new random number. Raises MalformedInput."""
        draft = cls(secrets.token_hex(16), authority, f"{serial:x}", reason, recipient, created, expires)
        return _recovery(draft.value())  # by the reader, so that what is written can be read

    def value(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "schema": SCHEMA,
            "id": self.id,
            "authority": self.authority,
            "serial": self.serial,
            "reason": self.reason,
            "recipient": self.recipient.pem,
            "created": text_of(self.created),
            "expires": text_of(self.expires),
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, hexadecimal."""
        return sha256(canonical.encode(self.value())).hexdigest()

    def conflict(self, certificate: Certificate) -> str:
        """Return why an officer with `certificate` may not approve: he gets the key; "" where he does not."""
        to = self.recipient
        names = {to.common_name} - {None}  # two without a common name are not the same for that
        same = same_person(certificate, to.spki, to.subject_name.der, names, to.identifiers)
        return "is the one who gets the key" if same else ""


@dataclass(frozen=True)
class RecoveryRequest:
    """A recovery with the approvals collected so far."""

    recovery: Recovery
    approvals: tuple[bytes, ...] = ()
    """CMS, DER."""

    def with_(self, approval: bytes) -> RecoveryRequest:
        """Return a request with one approval more. Raises ApprovalError."""
        return replace(self, approvals=one_more(self.approvals, approval))

    def encode(self) -> bytes:
        """Return the file, for people to read."""
        approvals = [armor("CMS", item) for item in self.approvals]
        value = {"schema": REQUEST, "recovery": self.recovery.value(), "approvals": approvals}
        return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def parse(data: bytes) -> RecoveryRequest:
    """Read a request. Raises MalformedInput."""
    value = canonical.read(data, limit=MAX_SIZE)
    names = {"schema", "recovery", "approvals"}
    if not isinstance(value, dict) or set(value) != names or value["schema"] != REQUEST:
        raise MalformedInput(f"not of schema {REQUEST}")
    approvals = read_approvals(value["approvals"])
    return RecoveryRequest(_recovery(value["recovery"]), approvals)


def _recovery(value: Any) -> Recovery:
    names = {"schema", "id", "authority", "serial", "reason", "recipient", "created", "expires"}
    if (
        not isinstance(value, dict)
        or set(value) != names
        or value["schema"] != SCHEMA
        or not all(isinstance(item, str) for item in value.values())
    ):
        raise MalformedInput(f"not of schema {SCHEMA}")
    reason = value["reason"]
    if not reason.strip() or len(reason) > MAX_REASON:
        raise MalformedInput(f"a recovery says why, in at most {MAX_REASON} characters")
    for name, size in (("id", 32), ("authority", 64), ("serial", 64)):
        if not 0 < len(value[name]) <= size or set(value[name]) - set("0123456789abcdef"):
            raise MalformedInput(f"the {name} of a recovery is hexadecimal")
    recovery = Recovery(
        id=value["id"],
        authority=value["authority"],
        serial=value["serial"],
        reason=reason,
        recipient=Certificate(only_block(value["recipient"], "CERTIFICATE")),
        created=moment_of(value["created"]),
        expires=moment_of(value["expires"]),
    )
    if recovery.expires <= recovery.created:
        raise MalformedInput("the recovery expires before it was asked for")
    return recovery


class EscrowDesk:
    """Hands copies of keys out, to whom two officers say."""

    def __init__(self, authority: Authority, directory: Path, ra: RegistrationAuthority, clock: Clock) -> None:
        self._authority, self._directory, self._ra, self._clock = authority, directory, ra, clock

    def recover(self, request: RecoveryRequest, provider: Provider) -> bytes:
        """Return the key that `request` asks for, encrypted to its recipient: CMS, DER (`certs.key_delivery.accept`).

        The same request may be repeated until it expires: it gives the same key to the same holder, and is on record
        every time. Raises RecoveryRefused, NotEscrowed, ApprovalError, AuditError, and what opening the copy raises.
        """
        recovery = request.recovery
        with self._refusals(recovery):
            self._check(recovery)
            certificate = self._certificate(recovery)
            officers, refused = self._ra.count(recovery, request.approvals)  # 4
            if len(officers) < OFFICERS:
                words = f"a recovery asks for {OFFICERS} approvals, {len(officers)} count"
                raise ApprovalError("; ".join((words, *refused)), counted=officers, refused=refused)
        record(  # 5
            self._authority.ledger,
            "key-recovered",
            issuer=self._authority.id,
            serial=recovery.serial,
            key=extensions.key_id(certificate.spki).hex(),
            recovery=recovery.digest,
            reason=recovery.reason,
            recipient=recovery.recipient.fingerprint(),
            officers=list(officers),
            approvals=[sha256(item).hexdigest() for item in request.approvals],
        )
        key = unseal(sealed_files.read(path_of(self._directory, certificate.spki)), provider)
        if key.public_key.spki != certificate.public_key().suite.usual_spki(certificate.spki):
            raise NotEscrowed("the copy is of another key than the certificate's")
        return enveloped.encrypt_bytes(key.pkcs8(), [recovery.recipient])

    def _check(self, recovery: Recovery) -> None:
        now, to = self._clock.now(), recovery.recipient
        # 1
        if recovery.authority != self._authority.id:
            raise RecoveryRefused("the recovery is asked of another authority")
        if not recovery.created - TOLERANCE <= now <= recovery.expires:
            raise RecoveryRefused("the request has expired, or is from the future", hint="make another")
        # 3
        if not to.encrypts:
            raise RecoveryRefused(f"the certificate of {to.subject} is not for encryption")
        if not to.not_before <= now <= to.not_after:
            raise RecoveryRefused(f"the certificate of {to.subject} is not valid now")
        if to.issuer_name.der == self._authority.certificate.subject_name.der:
            issuer = to.aki.hex() if to.aki else self._authority.id  # an earlier generation has the same name
            entry = self._authority.ledger.get(issuer, to.serial)
            if entry is None or entry.state != "issued" or entry.certificate != to.der:
                raise RecoveryRefused(f"the certificate of {to.subject} is revoked or not on record")

    def _certificate(self, recovery: Recovery) -> Certificate:
        """Return the certificate whose key is asked for."""
        entry = self._authority.entry(int(recovery.serial, 16))  # 2
        if entry is None or entry.certificate is None:
            raise RecoveryRefused(f"the authority knows no certificate {recovery.serial}")
        certificate = Certificate(entry.certificate)
        if not path_of(self._directory, certificate.spki).exists():
            raise NotEscrowed(f"the authority keeps no copy of the key of {recovery.serial}")
        return certificate

    @contextmanager
    def _refusals(self, recovery: Recovery) -> Iterator[None]:
        """Put on record why a key is not handed out."""
        try:
            yield
        except CertsError as error:
            record(
                self._authority.ledger,
                "refused",
                attempted="recover",
                issuer=self._authority.id,
                serial=recovery.serial,
                recovery=recovery.digest,
                why=error.code,
            )
            raise
