"""The ledger: no serial twice, nothing signed twice, nothing that may exist cannot be revoked."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from certs.ca import Authority, Plan, new_serial
from certs.certificate import Subject
from certs.crl import CRL
from certs.errors import IssuanceError
from certs.ledger import Entry, Ledger, MemoryLedger, SQLiteLedger, Standing
from certs.profiles import load
from tests.conftest import CLOCK, NOW, circle_of

Make = Callable[[], Ledger]


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    return MemoryLedger() if request.param == "memory" else SQLiteLedger(tmp_path / "ledger.sqlite")


ENTRY = Entry("aa", 7, "person", "CN=x", b"tbs", NOW, NOW)


def test_a_serial_is_taken_once(ledger: Ledger) -> None:
    ledger.prepare(ENTRY)
    with pytest.raises(IssuanceError):
        ledger.prepare(replace(ENTRY, subject="CN=y"))
    ledger.prepare(replace(ENTRY, issuer="bb"))


def test_a_plan_is_claimed_once(ledger: Ledger) -> None:
    ledger.prepare(ENTRY)
    assert ledger.claim("aa", 7).state == "signing"
    with pytest.raises(IssuanceError):
        ledger.claim("aa", 7)


def test_the_standing_is_that_of_the_entry(ledger: Ledger) -> None:
    def both() -> tuple[Standing | None, Standing | None]:
        entry = ledger.get("aa", 7)
        whole = entry and Standing(entry.state, entry.not_after, entry.revoked_at, entry.reason)
        return ledger.standing("aa", 7), whole

    states = []
    for step in (
        lambda: None,
        lambda: ledger.prepare(ENTRY),
        lambda: ledger.claim("aa", 7),
        lambda: ledger.issued("aa", 7, b"certificate"),
        lambda: ledger.hold("aa", 7, NOW),
        lambda: ledger.release("aa", 7, NOW),
        lambda: ledger.revoke("aa", 7, NOW, "keyCompromise"),
    ):
        step()
        found, whole = both()
        assert found == whole
        states.append(found and (found.state, found.reason))
    assert states == [
        None,
        *(("prepared", None), ("signing", None), ("issued", None)),
        *(("revoked", "certificateHold"), ("issued", None), ("revoked", "keyCompromise")),
    ]
    assert ledger.standing("bb", 7) is None


def test_what_was_not_prepared_cannot_be_claimed_issued_or_revoked(ledger: Ledger) -> None:
    for action in (
        lambda: ledger.claim("aa", 7),
        lambda: ledger.issued("aa", 7, b"x"),
        lambda: ledger.revoke("aa", 7, NOW, "superseded"),
    ):
        with pytest.raises(IssuanceError):
            action()
    ledger.prepare(ENTRY)
    with pytest.raises(IssuanceError):
        ledger.issued("aa", 7, b"x")  # not claimed


def test_revoked_once_with_a_known_reason(ledger: Ledger) -> None:
    ledger.prepare(ENTRY)
    with pytest.raises(IssuanceError):
        ledger.revoke("aa", 7, NOW, "because")
    assert ledger.revoke("aa", 7, NOW, "superseded").revoked_at == NOW
    with pytest.raises(IssuanceError):
        ledger.revoke("aa", 7, NOW, "keyCompromise")
    assert ledger.revoked("aa") == ((7, NOW, "superseded"),)
    with pytest.raises(IssuanceError):
        ledger.claim("aa", 7)  # a revoked plan is not signed


def test_everything_on_record_comes_back(ledger: Ledger) -> None:
    ledger.prepare(ENTRY)
    ledger.claim("aa", 7)
    ledger.issued("aa", 7, b"certificate")
    expected = replace(ENTRY, state="issued", certificate=b"certificate")
    assert ledger.get("aa", 7) == expected
    assert ledger.entries("aa") == (expected,)
    assert ledger.entries("bb") == ()
    assert ledger.get("aa", 8) is None


def test_crl_numbers_only_grow(ledger: Ledger) -> None:
    assert [ledger.next_crl_number("aa") for _ in range(3)] == [1, 2, 3]
    assert ledger.next_crl_number("bb") == 1


def test_serials_of_20_octets_survive(ledger: Ledger) -> None:
    serial = (1 << 159) - 1
    ledger.prepare(replace(ENTRY, serial=serial))
    ledger.revoke("aa", serial, NOW, "unspecified")
    assert ledger.revoked("aa")[0][0] == serial


def test_of_many_threads_one_wins(ledger: Ledger) -> None:
    ledger.prepare(ENTRY)
    outcomes: list[bool] = []

    def attempt() -> None:
        try:
            ledger.claim("aa", 7)
            outcomes.append(True)
        except IssuanceError:
            outcomes.append(False)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 7 + [True]


def test_two_processes_share_one_file(tmp_path: Path) -> None:
    first, second = SQLiteLedger(tmp_path / "l"), SQLiteLedger(tmp_path / "l")
    first.prepare(ENTRY)
    second.claim("aa", 7)
    with pytest.raises(IssuanceError):
        first.claim("aa", 7)
    assert [first.next_crl_number("aa"), second.next_crl_number("aa")] == [1, 2]


def test_serial_numbers_are_random_positive_and_of_one_length() -> None:
    serials = {new_serial() for _ in range(500)}
    assert len(serials) == 500
    assert all(serial > 0 and len(f"{serial:x}") == 36 for serial in serials)


class _DyingKey:
    """A key that kills its process when asked to sign."""

    def __init__(self) -> None:
        key = circle_of("ecdsa-p256").ca.issuing.key
        self.suite, self.public_key = key.suite, key.public_key

    def sign(self, message: bytes) -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        return message


def _issue_and_die(path: Path, pipe: object) -> None:
    authority = Authority(_DyingKey(), circle_of("ecdsa-p256").issuing, ledger=SQLiteLedger(path), clock=CLOCK)
    plan = authority.prepare(load("person"), Subject("x", country="DE"), authority.key.public_key.spki)
    pipe.send(plan)  # type: ignore[attr-defined]
    authority.issue(plan)


def test_killed_while_signing_the_certificate_is_on_record_and_can_be_revoked(tmp_path: Path) -> None:
    circle = circle_of("ecdsa-p256")
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_issue_and_die, args=(tmp_path / "l", theirs))
    process.start()
    plan: Plan = ours.recv()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL

    authority = Authority(circle.ca.issuing.key, circle.issuing, ledger=SQLiteLedger(tmp_path / "l"), clock=CLOCK)
    (entry,) = authority.entries()
    assert (entry.serial, entry.state, entry.tbs) == (plan.serial, "signing", plan.tbs)
    with pytest.raises(IssuanceError):
        authority.issue(plan)  # nobody signs it a second time
    authority.revoke(plan.serial, "unspecified")
    assert CRL(authority.crl()).status(plan.serial) is not None


class _ForgetfulLedger(MemoryLedger):
    """Fails where the certificate should be stored after signing."""

    def issued(self, issuer: str, serial: int, certificate: bytes) -> None:
        raise IssuanceError("disk full")


def test_a_certificate_that_could_not_be_stored_can_be_revoked() -> None:
    circle = circle_of("ecdsa-p256")
    authority = Authority(circle.ca.issuing.key, circle.issuing, ledger=_ForgetfulLedger(), clock=CLOCK)
    plan = authority.prepare(load("person"), Subject("x", country="DE"), circle.person.key.public_key.spki)
    with pytest.raises(IssuanceError):
        authority.issue(plan)
    authority.revoke(plan.serial, "keyCompromise")
    assert CRL(authority.crl()).entries[plan.serial].reason == "keyCompromise"
