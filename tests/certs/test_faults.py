"""Processes that die, disks that are full, keys that fail, ledgers that are locked.

Whatever happens: every signature an authority's key made has its intent on record and can be revoked; no serial number
is used twice; a CRL number never goes back; nothing half-written is left.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certs import authority as module
from certs import files
from certs.ca import Authority
from certs.certificate import Certificate, Subject
from certs.crl import CRL
from certs.errors import BackendFault, CertsError, IssuanceError, KeyStoreError
from certs.ledger import SQLiteLedger
from certs.profiles import load
from certs.status import ListName, ListPolicy
from certs.timestamp import check_response, make_request
from certs.tsa import TimeStampAuthority
from certs.tsa_counter import FileCounter
from tests.conftest import CLOCK, CRL_URL, circle_of

FORK = multiprocessing.get_context("fork")
POLICY = ListPolicy(partitions=2, delta_life=timedelta(days=1))
PARTY = Subject("Party", country="DE")


@pytest.fixture(autouse=True)
def made_before() -> None:
    """The circle must be the same in every process."""
    circle_of("ecdsa-p256")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Key:
    """A key that tells what it signed, and does something before and after."""

    def __init__(
        self,
        pipe: Any = None,
        before: Callable[[], None] = lambda: None,
        after: Callable[[], None] = lambda: None,
        suite: str = "ecdsa-p256",
    ) -> None:
        self._key = circle_of(suite).ca.issuing.key
        self.suite, self.public_key = self._key.suite, self._key.public_key
        self._pipe, self.before, self.after = pipe, before, after

    def sign(self, message: bytes) -> bytes:
        self.before()
        signature = self._key.sign(message)
        if self._pipe is not None:
            self._pipe.send(message)
        self.after()
        return signature


def authority(path: Path, key: Key | None = None, suite: str = "ecdsa-p256", **options: Any) -> Authority:
    return Authority(
        key or Key(suite=suite),
        circle_of(suite).issuing,
        ledger=SQLiteLedger(path, **options),
        clock=CLOCK,
        crl_url=CRL_URL,
        lists=POLICY,
    )


def in_child(work: Callable[[Any], None]) -> tuple[int | None, list[Any]]:
    """Run `work(pipe)` in a process of its own; return how it ended and what it sent."""
    ours, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=work, args=(theirs,))
    process.start()
    theirs.close()
    out = []
    while True:
        try:
            out.append(ours.recv())
        except EOFError:
            break
    process.join(120)
    return process.exitcode, out


def check(path: Path, signed: list[bytes]) -> None:
    """Check what must hold after any fault. `signed` is what the key signed."""
    again = authority(path)
    entries = {entry.tbs: entry for entry in again.entries()}
    serials = [entry.serial for entry in again.entries()]
    assert len(set(serials)) == len(serials)
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    numbers = dict(database.execute("SELECT scope, MAX(number) FROM revocation_list GROUP BY scope").fetchall())
    for message in signed:
        if message in entries:  # a certificate: on record before, and it can be revoked
            entry = entries[message]
            if entry.state != "revoked":
                again.revoke(entry.serial)
        else:  # a list: its number is on record and will not be used again
            assert _list_number(message) <= numbers[_list_scope(message)]
    crl = CRL(again.crl())
    assert crl.number > numbers.get("", 0)  # type: ignore[operator]
    for message in signed:
        if message in entries:
            assert entries[message].serial in crl.entries
    for part in range(2):
        assert CRL(again.crl(partition=part)).number > numbers.get(str(part), 0)  # type: ignore[operator]
    database.close()


def _as_list(tbs: bytes) -> CRL:
    from certs import der

    algorithm = circle_of("ecdsa-p256").ca.issuing.key.suite.signature_algorithm("x509").der()
    return CRL(der.sequence(tbs, algorithm, der.bit_string(b"")))


def _list_number(tbs: bytes) -> int:
    return _as_list(tbs).number or 0


def _list_scope(tbs: bytes) -> str:
    names = _as_list(tbs).scope.names
    return names[0].rpartition(b"-")[2].removesuffix(b".crl").decode() if names else ""


def issue(at: Authority) -> Certificate:
    return at.issue(at.prepare(load("person"), PARTY, at.key.public_key.spki))


# Killed ---------------------------------------------------------------------------------------------------------------
class _DyingLedger(SQLiteLedger):
    """Dies where a method is called, or right after it."""

    def __init__(self, path: Path, method: str, *, after: bool) -> None:
        super().__init__(path)
        real = getattr(self, method)

        def call(*arguments: Any, **options: Any) -> Any:
            if not after:
                die()
            real(*arguments, **options)
            die()

        setattr(self, method, call)


MOMENTS = [
    (method, after)
    for method in ("prepare", "claim", "issued", "open_list", "close_list", "revoke", "hold", "release")
    for after in (False, True)
]


@pytest.mark.parametrize(("method", "after"), MOMENTS)
def test_killed_around_every_step_of_the_ledger(tmp_path: Path, method: str, after: bool) -> None:
    path = tmp_path / "l"

    def work(pipe: Any) -> None:
        key = Key(pipe)
        before = Authority(
            key, circle_of("ecdsa-p256").issuing, ledger=SQLiteLedger(path), clock=CLOCK, crl_url=CRL_URL, lists=POLICY
        )
        first = issue(before)
        before.crl()
        ledger = _DyingLedger(path, method, after=after)
        dying = Authority(
            key, circle_of("ecdsa-p256").issuing, ledger=ledger, clock=CLOCK, crl_url=CRL_URL, lists=POLICY
        )
        if method == "revoke":
            dying.revoke(first.serial, "superseded")
        elif method == "hold":
            dying.hold(first.serial)
        elif method == "release":
            before.hold(first.serial)
            dying.release(first.serial)
        elif method.endswith("list"):
            dying.crl(partition=0, delta=True)
        else:
            issue(dying)

    code, signed = in_child(work)
    assert code == -signal.SIGKILL
    check(path, signed)


@pytest.mark.parametrize("point", ["before", "after"])
@pytest.mark.parametrize("what", ["certificate", "list", "delta"])
def test_killed_before_and_after_the_signature(tmp_path: Path, point: str, what: str) -> None:
    path = tmp_path / "l"

    def work(pipe: Any) -> None:
        key = Key(pipe)
        dying = authority(path, key)
        issue(dying)
        dying.crl()
        setattr(key, point, die)
        if what == "certificate":
            issue(dying)
        else:
            dying.crl(delta=what == "delta")

    code, signed = in_child(work)
    assert code == -signal.SIGKILL
    assert len(signed) == (3 if point == "after" else 2)
    check(path, signed)


def test_killed_while_a_list_is_written_the_old_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "issuing.crl"
    at = authority(tmp_path / "l")
    old = at.crl()
    files.write(target, old)

    def work(_: Any) -> None:
        monkeypatch.setattr(os, "fsync", lambda _: die())
        files.write(target, at.crl())

    code, _ = in_child(work)
    assert code == -signal.SIGKILL
    assert target.read_bytes() == old
    assert CRL(at.crl()).number > CRL(old).number  # type: ignore[operator]


def test_killed_at_random_moments(tmp_path: Path) -> None:
    path = tmp_path / "l"
    everything: list[bytes] = []
    for delay in (0.02, 0.05, 0.09, 0.14):

        def work(pipe: Any, delay: float = delay) -> None:
            signal.setitimer(signal.ITIMER_REAL, delay)
            signal.signal(signal.SIGALRM, lambda *_: die())
            at = authority(path, Key(pipe))
            while True:
                at.revoke(issue(at).serial)
                at.crl()
                at.crl(partition=1, delta=True)

        code, signed = in_child(work)
        assert code == -signal.SIGKILL
        everything += signed
    check(path, everything)


# The disk -------------------------------------------------------------------------------------------------------------
def _limit(octets: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, octets))


@pytest.mark.parametrize("room", [2_000, 10_000, 50_000, 120_000])
def test_a_full_disk(tmp_path: Path, room: int) -> None:
    path = tmp_path / "l"
    authority(path)._ledger.close()  # type: ignore[attr-defined]

    def work(pipe: Any) -> None:
        at = authority(path, Key(pipe))
        size = max(each.stat().st_size for each in tmp_path.iterdir())
        _limit(size + room)
        failures = 0
        for _ in range(200):
            try:
                at.revoke(issue(at).serial)
                at.crl()
            except CertsError:
                failures += 1
        os._exit(0 if failures else 7)

    code, signed = in_child(work)
    assert code == 0  # nothing but our own errors, and some of those
    check(path, signed)


def test_a_file_that_does_not_fit_leaves_the_old_one_and_no_rest(tmp_path: Path) -> None:
    target = tmp_path / "x.crl"
    target.write_bytes(b"old")

    def work(_: Any) -> None:
        _limit(1000)
        try:
            files.write(target, bytes(5000))
        except OSError:
            os._exit(0)

    assert in_child(work)[0] == 0
    assert target.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["x.crl"]


def test_a_counter_that_cannot_be_kept_stamps_nothing(tmp_path: Path) -> None:
    circle = circle_of("ecdsa-p256")
    request = make_request("sha256", bytes(32))

    def work(pipe: Any) -> None:
        tsa = TimeStampAuthority(
            circle.tsa.key, circle.tsa.certificate, (), CLOCK, counter=FileCounter(tmp_path / "c"), ordering=True
        )
        pipe.send(tsa.respond(request))
        _limit(10)
        pipe.send(tsa.respond(request))

    code, (good, bad) = in_child(work)
    assert code == 0
    token = check_response(good, request)
    with pytest.raises(CertsError, match="systemFailure"):
        check_response(bad, request)
    assert FileCounter(tmp_path / "c").next(CLOCK.now(), strict=True).serial > token.serial


# Keys and locks -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("error", [BackendFault("gone"), KeyStoreError("token removed")])
def test_a_key_that_fails_while_signing(tmp_path: Path, signing_suite: str, error: CertsError) -> None:
    def fail() -> None:
        raise error

    key = Key(suite=signing_suite)
    at = authority(tmp_path / "l", key, signing_suite)
    key.before = fail
    plan = at.prepare(load("person"), PARTY, key.public_key.spki)
    with pytest.raises(type(error)):
        at.issue(plan)
    with pytest.raises(type(error)):
        at.crl()
    key.before = lambda: None
    with pytest.raises(IssuanceError):
        at.issue(plan)  # it may have been signed; never twice
    at.revoke(plan.serial)
    crl = CRL(at.lists.current())
    assert (crl.number, list(crl.entries)) == (2, [plan.serial])


def test_a_signature_that_does_not_verify_does_not_leave(tmp_path: Path) -> None:
    class Faulty(Key):
        def sign(self, message: bytes) -> bytes:
            return super().sign(message + b"x")

    at = authority(tmp_path / "l", Faulty())
    with pytest.raises(IssuanceError):
        issue(at)
    with pytest.raises(IssuanceError):
        at.crl()
    assert SQLiteLedger(tmp_path / "l").last_list(at.id, None, "base") is None
    (entry,) = at.entries()
    at.revoke(entry.serial)


def test_two_issuers_race_for_one_serial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "l"
    authority(path)
    monkeypatch.setattr(module, "new_serial", lambda: 0x5A << 136 | 1)
    gate = FORK.Barrier(4)

    def work(pipe: Any) -> None:
        at = authority(path)
        gate.wait()
        try:
            pipe.send(issue(at).der)
        except IssuanceError as error:
            pipe.send(str(error))

    pipes, processes = [], []
    for _ in range(4):
        ours, theirs = FORK.Pipe(duplex=False)
        processes.append(FORK.Process(target=work, args=(theirs,)))
        processes[-1].start()
        theirs.close()
        pipes.append(ours)
    answers = [pipe.recv() for pipe in pipes]
    for process in processes:
        process.join(120)
    issued = [answer for answer in answers if isinstance(answer, bytes)]
    assert len(issued) == 1
    assert all("taken" in answer for answer in answers if isinstance(answer, str))
    assert [entry.certificate for entry in authority(path).entries()] == issued


def test_lists_made_by_many_processes_have_each_its_number(tmp_path: Path) -> None:
    path = tmp_path / "l"
    authority(path).crl()

    def work(pipe: Any) -> None:
        at = authority(path)
        for _ in range(10):
            pipe.send(CRL(at.crl()).number)

    started = []
    for _ in range(3):
        ours, theirs = FORK.Pipe(duplex=False)
        process = FORK.Process(target=work, args=(theirs,))
        process.start()
        theirs.close()
        started.append((process, ours))
    numbers = [[pipe.recv() for _ in range(10)] for _, pipe in started]
    for process, _ in started:
        process.join(120)
    assert all(own == sorted(own) for own in numbers)
    assert sorted(number for own in numbers for number in own) == list(range(2, 32))
    last = SQLiteLedger(path).last_list(authority(path).id, None, "base")
    assert last is not None
    assert last.number == 31


def test_a_locked_ledger_refuses_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "l"
    at = authority(path, timeout=0.1)
    certificate = issue(at)
    plan = at.prepare(load("person"), PARTY, at.key.public_key.spki)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for action in (
        lambda: at.prepare(load("person"), PARTY, at.key.public_key.spki),
        lambda: at.issue(plan),
        lambda: at.revoke(certificate.serial),
        lambda: at.hold(certificate.serial),
        lambda: at.crl(),
        lambda: at.lists.current(ListName(1, "delta")),
    ):
        with pytest.raises(IssuanceError, match="locked"):
            action()
    assert len(at.entries()) == 2  # reading goes on
    other.execute("ROLLBACK")
    at.issue(plan)
    at.revoke(certificate.serial)
    assert list(CRL(at.crl()).entries) == [certificate.serial]
