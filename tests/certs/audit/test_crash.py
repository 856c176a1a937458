"""Killed at every step from application to signature: log and ledger agree afterwards, nothing is signed unrecorded."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from certs import circle as circles
from certs import files
from certs.application import Dossier
from certs.audit.ledger import AuditedLedger
from certs.audit.log import AuditLog
from certs.errors import AuditError, CertsError, IssuanceError
from certs.ledger import MemoryLedger, SQLiteLedger
from certs.ra import RegistrationAuthority
from tests.certs.audit import desk
from tests.certs.dying import Hooks, die_at
from tests.certs.test_ledger import ENTRY
from tests.certs.test_ra import TWO_APPROVALS, appoint, dossier_of
from tests.conftest import CLOCK, NOW, SIGNING

HOOKS: Hooks = (
    (AuditLog, ("_insert", "append", "begin", "settle", "append_all", "keep_checkpoint")),
    (SQLiteLedger, ("prepare", "claim", "issued", "revoke", "next_crl_number")),
    (circles.LazyKey, ("sign",)),
    (files, ("write",)),
)
"""Before and after each of these the process may die; `_insert` lies inside a transaction."""


def registration(directory: Path, circle: Any) -> RegistrationAuthority:
    log = desk.log_of(circle)
    return RegistrationAuthority(circle.issuing, log, CLOCK, archive=directory / circles.APPLICATIONS)


def story(directory: Path, dossier: Dossier) -> None:
    """Everything an authority does, from an approved application on."""
    circle = desk.open_circle(directory)
    certificate = registration(directory, circle).issue(dossier, TWO_APPROVALS)
    circle.revoke(certificate.serial, "superseded")
    circle.crl()
    desk.stamp(directory, circle)
    desk.sign(directory, circle)


def live_until(limit: int, directory: Path, dossier: Dossier, signed: Path) -> None:
    """Run the story in this process and kill it at step `limit`; every message signed is noted before the signature."""

    def note(function: Callable[..., Any], given: tuple[Any, ...]) -> None:
        if function.__qualname__ == "LazyKey.sign":
            with signed.open("a") as stream:
                stream.write(sha256(given[1]).hexdigest() + "\n")

    die_at(limit, HOOKS, note)
    story(directory, dossier)


QUICK = "ecdsa-p256"


@pytest.mark.parametrize(
    "suite",
    [
        QUICK,
        pytest.param("sm2", marks=pytest.mark.slow),
        *(pytest.param(name, marks=pytest.mark.long) for name in SIGNING if name not in {QUICK, "sm2"}),
    ],
)
def test_killed_at_every_step(tmp_path: Path, suite: str) -> None:
    base = desk.copy_of(suite, tmp_path)
    circle = desk.open_circle(base)
    ra = registration(base, circle)
    appoint(ra, suite)
    dossier = dossier_of(circle.issuing.id, suite, approvals=("anna", "boris"))
    context = multiprocessing.get_context("fork")
    deaths, step = 0, 0
    while True:
        step += 1
        directory = tmp_path / f"step-{step}"
        shutil.copytree(base, directory)
        signed = tmp_path / f"signed-{step}"
        process = context.Process(target=live_until, args=(step, directory, dossier, signed))
        process.start()
        process.join(120)
        assert not process.is_alive(), "it hangs"
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        deaths += 1
        check_after_death(directory, dossier, signed)
        shutil.rmtree(directory)
        assert step < 200
    assert deaths > 40


def check_after_death(directory: Path, dossier: Dossier, signed: Path) -> None:
    circle = desk.open_circle(directory)  # settles what was under way
    report = desk.look(directory)
    assert report.good, report.findings
    log = desk.log_of(circle)
    intents = {entry.facts["tbs"] for entry in log.entries("claim")}
    intents |= {entry.facts["message"] for entry in log.entries("key-use")}
    lists, announced = len(log.entries("crl-intent")), len(log.entries("checkpoint-intent"))
    if signed.exists():
        unknown = [line for line in signed.read_text().split() if line not in intents]
        # a list and a checkpoint are announced before they are signed, by kind and not by digest
        assert len(unknown) <= lists - 2 + announced - 2
    found = circle.issuing.ledger.by_application(dossier.application.digest)
    ra = registration(directory, circle)
    if found is None or found.state == "prepared":
        certificate = ra.issue(dossier, TWO_APPROVALS)
        assert circle.issuing.ledger.by_application(dossier.application.digest) is not None
        circle.revoke(certificate.serial, "superseded")
    else:
        with pytest.raises(IssuanceError):
            ra.issue(dossier, TWO_APPROVALS)
        if found.state != "revoked":
            circle.revoke(found.serial, "superseded")
    assert desk.look(directory, desk.sign(directory, circle)).good


# the log or the ledger refuses ---------------------------------------------------------------------------------------
@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.sqlite", CLOCK)


def test_no_act_without_its_entry(log: AuditLog) -> None:
    inner = MemoryLedger()
    ledger = AuditedLedger(inner, log)
    ledger.prepare(ENTRY)
    log.close()
    for act in (
        lambda: ledger.claim("aa", 7),
        lambda: ledger.revoke("aa", 7, NOW, "superseded"),
        lambda: ledger.next_crl_number("aa"),
        lambda: ledger.record("crl"),
    ):
        with pytest.raises(AuditError):
            act()
    assert inner.get("aa", 7) is not None
    assert inner.entries("aa")[0].state == "prepared"
    assert inner.next_crl_number("aa") == 1


def test_what_the_ledger_refuses_is_taken_back(log: AuditLog) -> None:
    ledger = AuditedLedger(MemoryLedger(), log)
    ledger.prepare(ENTRY)
    ledger.claim("aa", 7)
    for act in (
        lambda: ledger.prepare(ENTRY),
        lambda: ledger.claim("aa", 7),
        lambda: ledger.issued("aa", 8, b"x"),
        lambda: ledger.revoke("aa", 9, NOW, "superseded"),
    ):
        with pytest.raises(IssuanceError):
            act()
    ledger.issued("aa", 7, b"x")
    from certs.audit.verify import verify

    report = verify(log, ledger=ledger, issuers=("aa",))
    assert report.good, report.findings
    assert len(report.notes) == 4


class _Dead(BaseException):
    """What a killed process does not get to handle."""


@pytest.mark.parametrize("act", ["prepare", "claim", "issued", "hold", "release", "revoke"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupted_act_is_settled_by_the_next(log: AuditLog, act: str, when: str) -> None:
    inner = MemoryLedger()

    class Dying(MemoryLedger):
        """Shares what it knows with `inner`, and dies before or after one act."""

        def __getattribute__(self, name: str) -> Any:
            method = getattr(inner, name)
            if name != act:
                return method

            def dying(*args: Any, **more: Any) -> None:
                if when == "after":
                    method(*args, **more)
                raise _Dead

            return dying

    ledger = AuditedLedger(Dying(), log)
    acts: list[Callable[[], object]] = [
        lambda: ledger.prepare(ENTRY),
        lambda: ledger.claim("aa", 7),
        lambda: ledger.issued("aa", 7, b"x"),
        lambda: ledger.hold("aa", 7, NOW),
        lambda: ledger.release("aa", 7, NOW),
        lambda: ledger.revoke("aa", 7, NOW, "superseded"),
    ]
    with pytest.raises(_Dead):
        [each() for each in acts]
    assert log.pending() is not None
    after = AuditedLedger(inner, log)
    assert log.pending() is None
    entry = after.get("aa", 7)
    finished = when == "after" or act in ("issued", "hold", "revoke")
    expected = {
        "prepare": "prepared",
        "claim": "signing",
        "issued": "issued",
        "hold": "revoked",
        "release": "issued",
        "revoke": "revoked",
    }[act]
    assert (entry is not None and entry.state == expected) == finished
    if act in ("issued", "hold", "release", "revoke"):
        assert entry is not None
        assert entry.certificate == b"x"
    from certs.audit.verify import verify

    report = verify(log, ledger=after, issuers=("aa",))
    assert report.good, report.findings


def test_a_ledger_that_cannot_be_settled_stops_everything(log: AuditLog) -> None:
    """The certificate that was signed waits beside the log until the ledger can be written."""
    import sqlite3

    inner = MemoryLedger()
    ledger = AuditedLedger(inner, log)
    ledger.prepare(ENTRY)
    ledger.claim("aa", 7)

    def full(*args: object) -> None:
        raise IssuanceError("the ledger refused: disk full") from sqlite3.OperationalError("disk full")

    broken: Any = inner
    keep, broken.issued = inner.issued, full
    with log.turn():
        log.begin(
            "issued",
            {"issuer": "aa", "serial": "7", "certificate": sha256(b"x").hexdigest()},
            desk.fingerprint(inner.get("aa", 7)),
            b"x",
        )
    with pytest.raises(CertsError):
        ledger.prepare(ENTRY)
    broken.issued = keep
    with pytest.raises(IssuanceError):
        ledger.prepare(ENTRY)
    assert inner.entries("aa")[0].certificate == b"x"
