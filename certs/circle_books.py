"""The books of a circle: its ledger, its audit log, and the key that signs the log's checkpoints.

    ledger = new_books(place, clock)                # of a directory that holds no circle yet
    ledger = audited(place, values, ledger, clock, issuers)
    log, signer = log_of(circle), auditor(directory, circle, secrets)
    found = books(directory, clock)                 # what an auditor needs: no key and no password

`certs.audit` says what the log holds and how it is signed.
"""

from __future__ import annotations

import json
import secrets as random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certs import files, oids
from certs.audit.checkpoint import Signer
from certs.audit.ledger import AuditedLedger, snapshot
from certs.audit.log import AuditLog
from certs.ca import ClosedCircle
from certs.certificate import Subject
from certs.circle_files import (
    AUDIT,
    LEDGER,
    certificate_id,
    generations,
    load_certificate_file,
    names_in,
    values_of,
    write_values,
)
from certs.circle_keys import LazyKey, new_key, taken, uri_of
from certs.clock import Clock
from certs.errors import AuditError, KeyNotFound
from certs.keys import file as key_file
from certs.keys import open_key
from certs.keys.base import KeyHandle, Secrets
from certs.ledger import Ledger, SQLiteLedger
from certs.suites.base import PrivateKey
from certs.trust import TrustStore


def log_of(circle: ClosedCircle) -> AuditLog | None:
    """Return the audit log of a circle, None where its ledger keeps none."""
    ledger = circle.issuing.ledger
    return ledger.log if isinstance(ledger, AuditedLedger) else None


def new_books(place: Path, clock: Clock) -> AuditedLedger:
    """Return the ledger of a directory that holds no circle yet, with its log, which begins now where it has not."""
    log = AuditLog(place / AUDIT, clock)
    if not log.size:
        _begin(log, [])
    return AuditedLedger(SQLiteLedger(place / LEDGER), log)


def noted(values: dict[str, Any], log: AuditLog) -> dict[str, Any]:
    """Return the settings of circle.json with the name of the log, in which they are noted."""
    _note_configuration(log, values)
    return values | {"log": log.id}


def _begin(log: AuditLog, entries: list[tuple[str, dict[str, Any]]]) -> None:
    """Write the first entry, which names the log, and what follows it."""
    log.append_all([("created", {"nonce": random.token_hex(16)}), *entries])


def _note_configuration(log: AuditLog, values: dict[str, Any]) -> None:
    """Write an entry where the circle's settings are not those of the last one: they may have been edited by hand."""
    settings = {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for name, value in values.items()
        if name not in ("schema", "log") and value is not None
    }
    last = log.entries("configuration")
    if not last or last[-1].facts != settings:
        log.append("configuration", **settings)


def audited(place: Path, values: dict[str, Any], ledger: Ledger, clock: Clock, issuers: tuple[str, ...]) -> Ledger:
    """Return `ledger` with the directory's log. Raises AuditError where the log is gone or another circle's."""
    known = values.get("log")
    if known is not None and not (place / AUDIT).exists():
        raise AuditError(
            f"the audit log {place / AUDIT} is gone", hint="restore it from a copy; nothing is done without"
        )
    log = AuditLog(place / AUDIT, clock)
    with log.turn():
        if not log.size and known is None:
            _begin(log, snapshot(ledger, issuers))
        if known is None:
            known = values["log"] = log.id
            write_values(place, values)
        if log.id != known:
            raise AuditError(f"{place / AUDIT} is not the log this authority began with", hint="restore it from a copy")
        _note_configuration(log, values)
    return AuditedLedger(ledger, log)


def auditor(directory: str | Path, circle: ClosedCircle, secrets: Secrets) -> Signer:
    """Open the key that signs checkpoints of the audit log; it is made and certified when it is first wanted.

    Raises KeyStoreError, WrongPassword and what issuing raises.
    """
    place = Path(directory)
    if not (place / "audit.pem").exists():
        own = circle.issuing.certificate
        key = _audit_key(place, circle, secrets)
        subject = Subject(
            f"{own.organisation} Audit Log {circle.suite_name.upper()}",
            own.organisation,
            own.subject_name.first(oids.COUNTRY),
        )
        certificate = circle.issue("audit", subject, key.public_key.spki)
        files.write(place / "audit.pem", certificate.pem.encode())
    certificate = load_certificate_file(place / "audit.pem")
    key = LazyKey(uri_of(values_of(place), place, "audit"), certificate, secrets)
    return Signer(key, certificate, tuple(each.certificate for each in circle.authorities))


def _audit_key(place: Path, circle: ClosedCircle, secrets: Secrets) -> KeyHandle:
    values = values_of(place)
    if taken(place, values, "audit"):  # made by a process that did not get to the certificate
        try:
            return open_key(uri_of(values, place, "audit"), secrets)
        except KeyNotFound:
            pass
    parameter = circle.issuing.certificate.public_key().parameter
    key = new_key(place, "audit", circle.issuing.key.suite, secrets, circle.issuing.ledger, parameter)
    if isinstance(key, PrivateKey):
        key_file.save(place / "audit.key.pem", key, secrets("password for audit.key.pem") or None)
    return key


@dataclass(frozen=True)
class Books:
    """What an auditor needs of a directory: no key and no password."""

    log: AuditLog
    ledger: Ledger
    issuers: tuple[str, ...]
    store: TrustStore
    """The directory's roots, of every generation."""
    expected_log: str | None
    """The log that the circle says it has."""


def books(directory: str | Path, clock: Clock) -> Books:
    """Open the books of the circle in `directory` and change nothing in them.

    Raises KeyNotFound, MalformedInput, KeyStoreError or AuditError.
    """
    place = Path(directory)
    values = values_of(place)
    for name in (AUDIT, LEDGER):
        if not (place / name).exists():
            raise AuditError(f"{place / name} is missing")
    names = names_in(place, values)
    roots = [load_certificate_file(place / f"{name}.pem") for name in generations(names, "root")]
    issuing = [load_certificate_file(place / f"{name}.pem") for name in generations(names, "issuing")]
    return Books(
        AuditLog(place / AUDIT, clock),
        SQLiteLedger(place / LEDGER),
        tuple(certificate_id(certificate) for certificate in (*roots, *issuing)),
        TrustStore().with_(tuple(roots)),
        values.get("log"),
    )
