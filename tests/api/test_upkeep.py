"""What the service does for its circles without being asked: checkpoints of the audit log, lists before their end."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.config import Settings, from_environment
from api.errors import ConfigurationError
from api.pki.circle import Circle
from api.pki.circles import Circles
from api.pki.upkeep import Upkeep
from api.server import running
from api.vault import Vault
from certs import circle as directories
from certs import files, suites
from certs.audit import checkpoint as checkpoints
from certs.certificate import Subject
from certs.clock import SystemClock
from certs.crl import CRL
from certs.errors import AuditError, KeyStoreError, TimeStampError
from certs.timestamp import check_response, make_request
from certs.tsa import TimeStampAuthority
from tests.api.conftest import serving
from tests.api.test_certificates import issued
from tests.conftest import keys_of

HOUR = timedelta(hours=1)


@dataclasses.dataclass
class Hand:
    """A clock that is moved by hand."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclasses.dataclass
class Desk:
    """The circles of a data directory, and who looks after them."""

    settings: Settings
    circles: Circles
    upkeep: Upkeep
    clock: Hand

    def place(self, suite: str) -> Path:
        return self.settings.data / "pki" / suite

    def files(self, suite: str) -> list[Path]:
        return directories.checkpoints_beside(self.place(suite))

    def later(self, **by: float) -> None:
        self.clock.moment += timedelta(**by)

    def issue(self, suite: str) -> Any:
        spki = keys_of(suite)[0].public_key.spki
        return self.circles.get(suite).issue("person", Subject("x", country="DE"), spki)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Hand(SystemClock().now() - timedelta(days=40))
    settings = Settings(data=tmp_path, clock=clock)
    circles = Circles(settings, Vault(bytes(32)))
    yield Desk(settings, circles, Upkeep(circles, settings), clock)
    circles.close()


def verified(place: Path) -> str:
    """Return what `sealroad ca audit verify` says, told nothing but the directory."""
    command = [sys.executable, "-m", "api.cli", "ca", "audit", "verify", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


# checkpoints ---------------------------------------------------------------------------------------------------------
def test_a_checkpoint_is_made_when_it_is_due_and_something_happened(desk: Desk, signing_suite: str) -> None:
    desk.issue(signing_suite)
    desk.upkeep()
    assert desk.files(signing_suite) == []  # the log is not an hour old
    desk.later(hours=1)
    desk.upkeep()
    (path,) = desk.files(signing_suite)
    made = checkpoints.parse(path.read_bytes())
    circle = desk.circles.get(signing_suite)
    assert made.verify() == (signing_suite,)
    assert made.signers(directories.books(desk.place(signing_suite), desk.clock).store)
    assert made.stamped_at is not None
    assert abs(made.stamped_at - desk.clock.now()) < timedelta(seconds=5)
    assert path.name == f"{made.size:010}.checkpoint"
    assert circle.last_checkpoint() == made.at
    desk.later(days=1)
    desk.upkeep()  # nothing happened but lists
    known = len(desk.files(signing_suite))
    desk.later(days=1)
    desk.issue(signing_suite)
    desk.upkeep()
    assert len(desk.files(signing_suite)) == known + 1
    desk.issue(signing_suite)
    desk.upkeep()
    assert len(desk.files(signing_suite)) == known + 1  # it happened, but the last one is young
    desk.upkeep.finish()
    assert len(desk.files(signing_suite)) == known + 2
    desk.upkeep.finish()
    assert len(desk.files(signing_suite)) == known + 2
    assert desk.upkeep.failures == {}


def test_verification_finds_the_checkpoints_beside_the_log(desk: Desk) -> None:
    for _ in range(2):
        desk.issue("ed25519")
        desk.later(hours=2)
        desk.upkeep()
    place = desk.place("ed25519")
    first, second = desk.files("ed25519")
    said = verified(place)
    assert "the log is whole" in said
    assert "4 checkpoints" in said  # two in the log, and the files
    files.write(first, second.read_bytes().replace(b"M", b"N", 1))
    assert f"WRONG  {first}" in verified(place)
    first.unlink()
    assert "the log is whole" in verified(place)


def test_a_time_stamp_that_cannot_be_had_is_told_and_stops_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk.issue("sm2")
    desk.later(hours=2)

    def away(*_: object) -> bytes:
        raise TimeStampError("the unit does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(TimeStampAuthority, "stamp", away)
        for _ in range(3):
            desk.upkeep()
    assert desk.upkeep.failures == {("sm2", "checkpoint"): "time-stamp-error"}
    assert sum("checkpoint of the circle of sm2" in record.message for record in caplog.records) == 1
    assert desk.files("sm2") == []
    desk.issue("sm2")
    desk.upkeep()
    assert desk.upkeep.failures == {}
    assert len(desk.files("sm2")) == 1
    assert "the log is whole" in verified(desk.place("sm2"))


def test_a_checkpoint_that_could_not_be_written_is_written_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.issue("ed25519")
    desk.later(hours=2)
    write = files.write

    def full(path: Any, *arguments: Any, **options: Any) -> None:
        if str(path).endswith(".checkpoint"):
            raise OSError(28, "No space left on device")
        write(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(files, "write", full)
        desk.upkeep()
    assert desk.upkeep.failures == {("ed25519", "checkpoint"): "key-store-error"}
    assert desk.files("ed25519") == []
    desk.upkeep()  # not made again: the log has it
    (path,) = desk.files("ed25519")
    log = directories.books(desk.place("ed25519"), desk.clock).log
    assert log.checkpoints() == [path.read_bytes()]
    assert desk.upkeep.failures == {}


def test_of_several_processes_one_makes_the_checkpoint(desk: Desk) -> None:
    desk.issue("ed25519")
    others = [Circles(desk.settings, Vault(bytes(32))) for _ in range(3)]
    desk.later(hours=2)
    for circles in others:
        Upkeep(circles, desk.settings)()
        circles.close()
    assert len(desk.files("ed25519")) == 1


def test_a_log_that_refuses_is_told_and_the_other_circles_are_looked_after(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.issue("ed25519")
    desk.issue("sm2")
    desk.later(hours=2)
    checkpoint = Circle.checkpoint

    def refusing(circle: Circle, interval: timedelta) -> bool:
        if circle.suite == "ed25519":
            raise AuditError("the audit log refused: disk I/O error")
        return checkpoint(circle, interval)

    monkeypatch.setattr(Circle, "checkpoint", refusing)
    desk.upkeep()
    assert desk.upkeep.failures == {("ed25519", "checkpoint"): "audit-error"}
    assert len(desk.files("sm2")) == 1
    desk.issue("ed25519")  # which goes on


def test_without_an_interval_there_are_none(tmp_path: Path) -> None:
    clock = Hand(SystemClock().now())
    settings = Settings(data=tmp_path, clock=clock, checkpoint_interval=None)
    circles = Circles(settings, Vault(bytes(32)))
    circles.get("ed25519")
    clock.moment += timedelta(days=1)
    upkeep = Upkeep(circles, settings)
    upkeep()
    upkeep.finish()
    assert directories.checkpoints_beside(tmp_path / "pki" / "ed25519") == []
    circles.close()


@pytest.mark.parametrize(("text", "found"), [("5", timedelta(minutes=5)), ("0", None), ("", HOUR)])
def test_the_interval_is_a_setting(text: str, found: timedelta | None) -> None:
    assert from_environment({"SEALROAD_CHECKPOINT_MINUTES": text}).checkpoint_interval == found


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "9" * 7])
def test_an_interval_that_is_none(text: str) -> None:
    with pytest.raises(ConfigurationError):
        from_environment({"SEALROAD_CHECKPOINT_MINUTES": text})


def test_the_service_makes_a_checkpoint_when_it_stops(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", port=0)
    place = settings.data / "pki" / "sm2"
    with serving(settings) as service:
        user = service.user()
        issued(user, "sm2")
        imprint = suites.digest("sm3", b"x")
        query = {"content-type": "application/timestamp-query"}
        for _ in range(2):  # the first makes the counter's file, which ends its batch
            answer = service.http.post("/pki/tsa", content=make_request("sm3", imprint), headers=query)
            assert answer.status_code == 200
    (path,) = directories.checkpoints_beside(place)
    said = verified(place)
    assert "the log is whole" in said
    assert "note" not in said  # the batch of time-stamps was counted
    log = directories.books(place, SystemClock()).log
    assert checkpoints.parse(path.read_bytes()).size >= log.entries("key-used")[-1].number
    with running(settings):
        pass
    assert directories.checkpoints_beside(place) == [path]  # nothing happened


# promises ------------------------------------------------------------------------------------------------------------
def test_lists_are_renewed_before_their_end_without_anybody_asking(desk: Desk, signing_suite: str) -> None:
    circle = desk.circles.get(signing_suite)
    circle.crls()
    ends = circle.list_ends()
    assert set(ends) == {each.ski.hex() for each in circle.authorities if each.ski}
    for _ in range(15):
        desk.later(days=2)
        desk.upkeep()
        made = circle.list_ends()
        assert min(made.values()) > desk.clock.now()
    issuing = (circle.chain[0].ski or b"").hex()
    assert circle.list_ends()[issuing] > ends[issuing]
    assert desk.upkeep.failures == {}


def test_deltas_and_partitions_are_renewed_too(tmp_path: Path) -> None:
    clock = Hand(SystemClock().now())
    settings = Settings(data=tmp_path, clock=clock, public_url="http://pki.example", circle_partitions=2)
    circles = Circles(settings, Vault(bytes(32)))
    circle, upkeep = circles.get("ed25519"), Upkeep(circles, settings)
    issuer = circle.chain[0].ski
    assert issuer is not None
    names = [f"{issuer.hex()}{end}" for end in ("", "-delta", "-0", "-0-delta", "-1", "-1-delta")]
    for name in names:
        circle.crl(name)
    for _ in range(5):
        clock.moment += timedelta(hours=23)
        upkeep()
        lists = circle._now().authority.issuing.lists
        for name in lists.names():
            record, _ = lists.current_record(name)
            assert record.next_update > clock.now()
    assert upkeep.failures == {}
    circles.close()


def test_a_key_that_is_away_is_told_and_the_other_lists_are_made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    circle = desk.circles.get("ed25519")
    circle.crls()
    root, present = circle.root, Circle._current

    def without_root(self: Circle, authority: Any, name: Any) -> bytes:
        if authority.certificate == root:
            raise KeyStoreError("the token of the root is away")
        return present(self, authority, name)

    monkeypatch.setattr(Circle, "_current", without_root)
    desk.later(days=85)
    desk.upkeep()
    assert desk.upkeep.failures == {("ed25519", "promises"): "key-store-error"}
    issuing = (circle.chain[0].ski or b"").hex()
    assert circle.list_ends()[issuing] > desk.clock.now()


# what is told --------------------------------------------------------------------------------------------------------
def test_readyz_and_metrics_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> bool:
        raise AuditError("the audit log refused: disk I/O error")

    monkeypatch.setattr(Circle, "checkpoint", failing)
    settings = Settings(data=tmp_path / "data", port=0)
    with serving(settings) as service:
        user = service.user()
        found = issued(user, "ed25519")
        user.post(f"/v1/certificates/{found['id']}/revoke")
        circle = service.context.circles.get("ed25519")
        crl = CRL(next(iter(circle.crls().values())))
        limit = time.monotonic() + 10
        while (ready := service.http.get("/readyz").json()) == {"status": "ready"}:
            assert time.monotonic() < limit
            time.sleep(0.1)
        assert ready == {"status": "ready", "warnings": ["checkpoint of the circle of ed25519: audit-error"]}
        text = service.http.get("/metrics").text
        assert 'sealroad_upkeep_failed{suite="ed25519",task="checkpoint"} 1' in text
        assert 'sealroad_upkeep_failed{suite="ed25519",task="promises"} 0' in text
        assert crl.next_update is not None
        assert f"}} {crl.next_update.timestamp():.0f}\n" in text
        assert issued(user, "ed25519")["state"] == "issued"
        monkeypatch.undo()
        circle.checkpoint(timedelta(0))
        made = circle.last_checkpoint()
        assert made is not None
        shown = httpx.get(f"{service.http.base_url}/metrics", trust_env=False).text
        assert f'sealroad_audit_checkpoint_timestamp_seconds{{suite="ed25519"}} {made.timestamp():.0f}' in shown


def test_stamps_and_checkpoints_at_once_do_not_wait_for_each_other_for_ever(desk: Desk) -> None:
    """Both need the log and a key: whoever takes them in another order than the other would stop both."""
    import threading

    circle = desk.circles.get("ed25519")
    request = make_request("sha256", suites.digest("sha256", b"x"))
    stop, failures = threading.Event(), []

    def work(action: Any) -> None:
        try:
            while not stop.is_set():
                action()
        except Exception as error:
            failures.append(error)

    def stamp() -> None:
        check_response(circle.tsa.respond(request), request)
        circle.end_batches()

    actions = (stamp, stamp, lambda: desk.issue("ed25519"), lambda: circle.checkpoint(timedelta(0)), circle.crls)
    threads = [threading.Thread(target=work, args=(action,), daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    time.sleep(2)
    stop.set()
    for thread in threads:
        thread.join(timeout=20)
        assert not thread.is_alive()
    assert failures == []
    assert desk.files("ed25519")
    assert "the log is whole" in verified(desk.place("ed25519"))
