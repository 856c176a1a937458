"""Time servers: what they may answer, who else may answer, and what a time-stamp authority makes of several."""

from __future__ import annotations

import argparse
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.config import from_environment
from api.errors import ConfigurationError
from certs.cli import COMMANDS
from certs.errors import TimeStampError
from certs.ntp import MAX_STRAY, SIZE, NTPReference, is_answer_to, question, read_answer
from certs.time_source import ClockPolicy, ComparedTime, KernelTime, Sample, time_source_named
from tests.conftest import NOW

ORIGIN = b"random!!"
MILLI = timedelta(milliseconds=1)
EPOCH = datetime(1900, 1, 1, tzinfo=UTC)


def stamp(moment: datetime) -> int:
    passed = moment - EPOCH
    return (passed // timedelta(seconds=1) << 32) % (1 << 64) | (passed.microseconds << 32) // 1_000_000


@dataclass(frozen=True)
class Reply:
    """The fields of an answer (RFC 5905 7.3); as they are, a good one."""

    leap: int = 0
    version: int = 4
    mode: int = 4
    stratum: int = 2
    delay: float = 0.01
    dispersion: float = 0.005
    identifier: bytes = b"GPS\0"
    reference: datetime | None = NOW - timedelta(minutes=3)
    origin: bytes = ORIGIN
    received: datetime | None = NOW
    sent: datetime | None = NOW + MILLI

    def encode(self) -> bytes:
        times = [0 if moment is None else stamp(moment) for moment in (self.reference, self.received, self.sent)]
        return struct.pack(
            "!BBbbII4sQ8sQQ",
            self.leap << 6 | self.version << 3 | self.mode,
            self.stratum,
            6,
            -20,
            round(self.delay * 65536),
            round(self.dispersion * 65536),
            self.identifier,
            times[0],
            self.origin,
            *times[1:],
        )


GOOD = Reply()


# One answer -----------------------------------------------------------------------------------------------------------
def test_the_question_tells_nothing_but_a_random_number() -> None:
    data = question(ORIGIN)
    assert len(data) == SIZE
    assert data[0] == 0b00_100_011  # no leap indicator, version 4, client
    assert data[1:40] == bytes(39)
    assert data[40:] == ORIGIN


def test_a_good_answer_gives_the_time_of_its_arrival() -> None:
    sample = read_answer(GOOD.encode(), ORIGIN, round_trip=0.021)
    assert abs(sample.moment - (NOW + 11 * MILLI)) < timedelta(microseconds=2)
    assert abs(sample.uncertainty - 20 * MILLI) < timedelta(microseconds=50)
    assert not sample.leap_pending
    # extension fields and an authenticator may follow
    assert read_answer(GOOD.encode() + bytes(20), ORIGIN, round_trip=0.021) == sample
    for leap in (1, 2):
        assert read_answer(replace(GOOD, leap=leap).encode(), ORIGIN, round_trip=0.021).leap_pending


@pytest.mark.parametrize(
    "moment", [datetime(2036, 2, 7, 6, 28, 15, 500_000, UTC), datetime(2036, 2, 7, 6, 28, 16, 500_000, UTC), NOW]
)
def test_the_era_ends_in_2036_and_the_time_goes_on(moment: datetime) -> None:
    reply = replace(GOOD, reference=moment, received=moment, sent=moment)
    at = read_answer(reply.encode(), ORIGIN, round_trip=0.0).moment
    assert abs(at - moment) < timedelta(microseconds=2)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (replace(GOOD, mode=3), "mode 3"),
        (replace(GOOD, mode=5), "mode 5"),
        (replace(GOOD, mode=6), "mode 6"),
        (replace(GOOD, version=3), "version 3"),
        (replace(GOOD, version=7), "version 7"),
        (replace(GOOD, origin=bytes(8)), "another question"),
        (replace(GOOD, origin=b"random!?"), "another question"),
        (replace(GOOD, leap=3), "not synchronised"),
        (replace(GOOD, stratum=16), "not synchronised"),
        (replace(GOOD, stratum=255), "not synchronised"),
        (replace(GOOD, stratum=0, identifier=b"RATE"), "left alone: RATE"),
        (replace(GOOD, stratum=0, identifier=b"DENY"), "left alone: DENY"),
        (replace(GOOD, stratum=0, identifier=b"\x1b[2J"), r"left alone: \?"),
        (replace(GOOD, dispersion=16.0), r"16\.0 s wrong"),
        (replace(GOOD, delay=2.1), r"1\.1 s wrong"),
        (replace(GOOD, dispersion=65535.9), "s wrong"),
        (replace(GOOD, sent=None), "without a time"),
        (replace(GOOD, received=None), "without a time"),
        (replace(GOOD, reference=None), "without a time"),
        (replace(GOOD, reference=NOW + timedelta(seconds=2)), "after it answered"),
        (replace(GOOD, received=NOW + 2 * MILLI, reference=None), "without a time"),
        (replace(GOOD, received=NOW + 2 * MILLI), "thought longer"),
        (replace(GOOD, sent=NOW + 30 * MILLI), "thought longer"),
    ],
)
def test_an_answer_that_is_not_good_says_nothing(reply: Reply, why: str) -> None:
    with pytest.raises(TimeStampError, match=why) as caught:
        read_answer(reply.encode(), ORIGIN, round_trip=0.021)
    assert caught.value.facts["reason"] == "clock"


@pytest.mark.parametrize("data", [b"", bytes(47), bytes(48), bytes(5000), GOOD.encode()[:-1]])
def test_an_answer_of_another_size_says_nothing(data: bytes) -> None:
    with pytest.raises(TimeStampError):
        read_answer(data, ORIGIN, round_trip=0.021)
    assert not is_answer_to(data[:47], ORIGIN)


def test_an_answer_that_took_too_long_says_nothing() -> None:
    for round_trip in (1.01, -0.01):
        with pytest.raises(TimeStampError, match="took"):
            read_answer(GOOD.encode(), ORIGIN, round_trip=round_trip)


@given(st.binary(min_size=40, max_size=60), st.floats(0, 2))
def test_no_octets_make_it_raise_anything_else(data: bytes, round_trip: float) -> None:
    data = data[:24] + ORIGIN + data[32:]
    try:
        sample = read_answer(data, ORIGIN, round_trip=round_trip)
    except TimeStampError:
        return
    assert timedelta(0) <= sample.uncertainty < timedelta(seconds=2)


# A server on this machine ---------------------------------------------------------------------------------------------
Answers = Callable[[bytes, datetime], list[bytes]]
"""A question and the time, to the datagrams that are sent back."""


def honest(data: bytes, now: datetime) -> list[bytes]:
    return [replace(GOOD, reference=now, origin=data[40:48], received=now, sent=now).encode()]


def shifted(by: timedelta) -> Answers:
    return lambda data, now: honest(data, now + by)


@dataclass
class Server:
    """A time server at a loopback address."""

    answers: Answers
    asked: int = 0
    socket: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def __enter__(self) -> Self:
        self.socket.bind(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def serve(self) -> None:
        while True:
            data, address = self.socket.recvfrom(2048)
            if data == b"end":
                return
            self.asked += 1
            for each in self.answers(data, datetime.now(UTC)):
                self.socket.sendto(each, address)

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"end", self.socket.getsockname())
        self.thread.join(5)
        self.socket.close()

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def reference(self, **more: Any) -> NTPReference:
        return NTPReference("127.0.0.1", self.port, **{"timeout": 0.5, **more})


@pytest.fixture
def running() -> Iterator[Callable[[Answers], Server]]:
    with ExitStack() as stack:
        yield lambda answers: stack.enter_context(Server(answers))


Running = Callable[[Answers], Server]


def test_a_server_is_asked_and_believed(running: Running) -> None:
    server = running(honest)
    sample = server.reference().sample()
    assert abs(datetime.now(UTC) - sample.moment) < sample.uncertainty + timedelta(seconds=0.2)


def test_whoever_does_not_know_the_question_is_not_heard(running: Running) -> None:
    """Packets to the right port with a wrong origin, before the true answer; then only those."""
    lie = replace(GOOD, origin=bytes(8), sent=NOW + timedelta(days=1))

    def crowd(data: bytes, now: datetime) -> list[bytes]:
        return [lie.encode(), b"", b"x", replace(lie, stratum=0, identifier=b"DENY").encode(), *honest(data, now)]

    server = running(crowd)
    reference = server.reference()
    for _ in range(2):
        assert abs(datetime.now(UTC) - reference.sample().moment) < timedelta(seconds=1)
    flood = running(lambda *_: [lie.encode()] * (MAX_STRAY + 4))
    with pytest.raises(TimeStampError, match="no answer"):
        flood.reference().sample()


def test_an_answer_from_another_address_is_not_heard(running: Running) -> None:
    """Even one that knows the question."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        client: list[tuple[str, int]] = []

        class Listening(Server):
            def serve(self) -> None:
                data, address = self.socket.recvfrom(2048)
                client.append(address)
                other.sendto(honest(data, datetime.now(UTC))[0], address)
                self.socket.recvfrom(2048)

        with Listening(honest) as server, pytest.raises(TimeStampError, match="no answer"):
            server.reference(timeout=0.2).sample()
        assert client


def test_a_silent_and_a_missing_server_are_not_waited_for(running: Running) -> None:
    server = running(lambda *_: [])
    with pytest.raises(TimeStampError, match="no answer"):
        server.reference(timeout=0.1).sample()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(TimeStampError) as caught:
        NTPReference("127.0.0.1", port, timeout=0.1).sample()
    assert caught.value.facts["reason"] == "clock"

    def nowhere(host: str, port: int) -> socket.socket:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(TimeStampError, match="not known"):
        NTPReference("nobody.example", connect=nowhere).sample()


@pytest.mark.parametrize(("kiss", "again"), [(b"DENY", False), (b"RSTR", False), (b"RATE", True), (b"XKOD", True)])
def test_a_server_that_wants_to_be_left_alone_is(running: Running, kiss: bytes, again: bool) -> None:
    def deny(data: bytes, now: datetime) -> list[bytes]:
        return [replace(GOOD, stratum=0, identifier=kiss, origin=data[40:48]).encode()]

    passed = [0.0]
    server = running(deny)
    reference = server.reference(monotonic=lambda: passed[0])
    for _ in range(3):
        with pytest.raises(TimeStampError, match="left alone"):
            reference.sample()
    assert server.asked == 1
    server.answers = honest
    passed[0] = 3601.0
    if again:
        reference.sample()
    else:
        with pytest.raises(TimeStampError, match="left alone"):
            reference.sample()


def test_every_question_is_another(running: Running) -> None:
    seen = []

    def record(data: bytes, now: datetime) -> list[bytes]:
        seen.append(data)
        return honest(data, now)

    reference = running(record).reference()
    for _ in range(3):
        reference.sample()
    assert len(set(seen)) == 3


# Several servers ------------------------------------------------------------------------------------------------------
def compared(*servers: Server) -> ComparedTime:
    return ComparedTime([server.reference() for server in servers])


def test_servers_that_agree_vouch_for_the_clock(running: Running) -> None:
    source = compared(running(honest), running(honest), running(shifted(timedelta(days=400))))
    now = datetime.now(UTC)
    reading = source.read(now)
    ClockPolicy().check(reading, now)
    assert abs(reading.offset) < timedelta(seconds=0.2)
    wrong = now + timedelta(seconds=30)
    with pytest.raises(TimeStampError, match="s wrong"):
        ClockPolicy().check(source.read(wrong), wrong)


def test_two_that_disagree_vouch_for_nothing(running: Running) -> None:
    for by in (timedelta(seconds=1), timedelta(days=-400)):
        with pytest.raises(TimeStampError, match="no references agree"):
            compared(running(honest), running(shifted(by))).read(datetime.now(UTC))


def test_one_of_two_that_is_silent_or_lies_about_itself_is_one_too_few(running: Running) -> None:
    def unsynchronised(data: bytes, now: datetime) -> list[bytes]:
        return [replace(GOOD, leap=3, origin=data[40:48]).encode()]

    for other in (unsynchronised, lambda *_: []):
        with pytest.raises(TimeStampError, match="no references agree"):
            compared(running(honest), running(other)).read(datetime.now(UTC))


def test_what_a_server_says_of_itself_counts() -> None:
    """A doubt of 0.6 s does not go into a token; a leap second that is announced is passed on."""

    @dataclass
    class Said:
        sample_: Sample

        def sample(self) -> Sample:
            return self.sample_

    for doubt, leap, good in ((0.1, False, True), (0.6, False, False), (0.1, True, True)):
        said = Said(Sample(NOW, timedelta(seconds=doubt), leap_pending=leap))
        reading = ComparedTime([said, said], monotonic=lambda: 7.0).read(NOW)
        assert reading.leap_pending is leap
        assert reading.uncertainty == timedelta(seconds=doubt)
        if good:
            ClockPolicy().check(reading, NOW)
        else:
            with pytest.raises(TimeStampError):
                ClockPolicy().check(reading, NOW)


def test_references_that_were_no_help_are_not_asked_at_once_again(running: Running) -> None:
    server = running(lambda *_: [])
    source = ComparedTime([server.reference(timeout=0.1), server.reference(timeout=0.1)])
    for _ in range(3):
        with pytest.raises(TimeStampError):
            source.read(datetime.now(UTC))
    assert server.asked == 2


# By name --------------------------------------------------------------------------------------------------------------
def test_sources_by_name() -> None:
    assert time_source_named("unchecked") is None
    assert isinstance(time_source_named("kernel"), KernelTime)
    source = time_source_named("ntp:a.example, b.example:1123,[2001:db8::1]:124")
    assert isinstance(source, ComparedTime)
    named = [(each.host, each.port) for each in source._references if isinstance(each, NTPReference)]
    assert named == [("a.example", 123), ("b.example", 1123), ("2001:db8::1", 124)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ntp",
        "ntp:",
        "ntp:a.example",
        "ntp:a.example,a.example",
        "ntp:a.example,",
        "ntp:a.example,b.example:x",
        "ntp:a.example,b.example:99999",
        "ntp:a.example,me@b.example",
        "ntp:a.example,b.example/x",
        "ntp:" + ",".join(f"s{number}.example" for number in range(17)),
        "gps:a,b",
        "Kernel",
    ],
)
def test_what_names_no_source_is_refused(text: str) -> None:
    with pytest.raises(TimeStampError) as caught:
        time_source_named(text)
    assert caught.value.facts["reason"] == "configuration"
    if text:
        with pytest.raises(ConfigurationError, match="SEALROAD_TSA_TIME"):
            from_environment({"SEALROAD_TSA_TIME": text})


def test_the_service_takes_time_servers(tmp_path: Path) -> None:
    settings = from_environment({"SEALROAD_DATA": str(tmp_path), "SEALROAD_TSA_TIME": "ntp:a.example,b.example"})
    assert settings.tsa_time == "ntp:a.example,b.example"


@pytest.mark.usefixtures("cheap_passwords")
def test_the_command_stamps_only_while_servers_agree(
    running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from certs import circle, suites
    from certs.clock import SystemClock
    from certs.timestamp import check_response, make_request

    place = tmp_path / "ca"
    (tmp_path / "password").write_text("secret")
    circle.create(place, "ed25519", organisation="N", country="DE", secrets=lambda _: b"secret", clock=SystemClock())
    request = make_request("sha256", suites.digest("sha256", b"x"))
    (tmp_path / "in.tsq").write_bytes(request)
    good, bad = running(honest), running(shifted(timedelta(seconds=5)))

    def stamped(*servers: Server) -> bytes:
        named = "ntp:" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
        parser = argparse.ArgumentParser()
        COMMANDS["tsa"].configure(parser)
        words = (place, tmp_path / "in.tsq", "--time", named, "-o", tmp_path / "out.tsr", "--password-file")
        assert COMMANDS["tsa"].run(parser.parse_args([*map(str, words), str(tmp_path / "password")])) == 0
        return (tmp_path / "out.tsr").read_bytes()

    check_response(stamped(good, running(honest)), request)
    with pytest.raises(TimeStampError, match="timeNotAvailable"):
        check_response(stamped(good, bad), request)
