"""A circle in a directory with a short history, made once per suite and copied for every test that breaks something."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from certs import circle as circles
from certs.audit import checkpoint
from certs.audit.ledger import fingerprint
from certs.audit.log import AuditLog
from certs.audit.verify import Report, verify
from certs.ca import ClosedCircle
from certs.keys import pbes2
from tests.conftest import CLOCK, NOW, keys_of, own_directory, subjects_of

__all__ = [
    "CLOCK",
    "NOW",
    "ask",
    "copy_of",
    "fingerprint",
    "log_of",
    "look",
    "open_circle",
    "original",
    "sign",
    "stamp",
    "subjects_of",
]


def ask(name: str) -> bytes:
    return b"password"


def stamp(directory: Path, circle: ClosedCircle) -> bytes:
    """Make one time-stamp."""
    return circles.timestamper(directory, circle, ask, CLOCK).stamp("sha256", bytes(32))


@cache
def original(suite: str) -> Path:
    """Return a circle: two certificates, one revoked, lists, a time-stamp, two checkpoints, an entry behind them."""
    directory = own_directory(f"audit-{suite}-") / "circle"
    before = pbes2.SCRYPT_N, pbes2.PBKDF2_ROUNDS
    pbes2.SCRYPT_N, pbes2.PBKDF2_ROUNDS = 2**4, 10
    try:
        parameter = "2048" if suite == "rsa" else None
        circles.create(
            directory, suite, organisation="Nord", country="DE", secrets=ask, clock=CLOCK, parameter=parameter
        )
        circle = open_circle(directory)
        person, organisation = subjects_of(suite)
        spki = keys_of(suite)[0].public_key.spki
        circle.issue("person", person, spki)
        sign(directory, circle)
        gone = circle.issue("organisation", organisation, spki)
        circle.revoke(gone.serial, "keyCompromise")
        circle.crl()
        stamp(directory, circle)
        sign(directory, circle)
        circle.root_crl()
    finally:
        pbes2.SCRYPT_N, pbes2.PBKDF2_ROUNDS = before
    return directory


def copy_of(suite: str, place: Path) -> Path:
    """Return a copy to break."""
    shutil.copytree(original(suite), place / "circle")
    return place / "circle"


def open_circle(directory: Path) -> ClosedCircle:
    return circles.load(directory, ask, CLOCK)


def log_of(circle: ClosedCircle) -> AuditLog:
    log = circles.log_of(circle)
    assert log is not None
    return log


def sign(directory: Path, circle: ClosedCircle) -> bytes:
    """Make a checkpoint."""
    return checkpoint.make(log_of(circle), [circles.auditor(directory, circle, ask)], NOW)


def look(directory: Path, *files: bytes) -> Report:
    """Verify a directory with checkpoints kept elsewhere."""
    books = circles.books(directory, CLOCK)
    return verify(
        books.log,
        ledger=books.ledger,
        issuers=books.issuers,
        checkpoints=[(f"file {number}", data) for number, data in enumerate(files)],
        store=books.store,
        expected_log=books.expected_log,
        archive=directory / circles.APPLICATIONS,
    )
