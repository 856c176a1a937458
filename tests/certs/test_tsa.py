"""The time-stamping unit: serial numbers and times that only grow, trusted time only, forms, keys that are replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from certs import circle as circles
from certs import oids, suites
from certs.clock import Clock, FixedClock
from certs.errors import KeyStoreError, TimeStampError
from certs.path import validate_path
from certs.time_source import (
    STA_NANO,
    STA_UNSYNC,
    TIME_ERROR,
    TIME_INS,
    TIME_OK,
    TIME_OOP,
    TIME_WAIT,
    ClockPolicy,
    ComparedTime,
    KernelTime,
    Reading,
    Timex,
)
from certs.timestamp import TimeStampToken, check_response, make_request, read_token
from certs.trust import TrustStore
from certs.tsa import TimeStampAuthority
from certs.tsa_counter import AHEAD, BLOCK, FileCounter, MemoryCounter, first_serial
from tests.certs.test_status import Moving
from tests.conftest import CLOCK as STANDING
from tests.conftest import NOW, circle_of

SECOND, MILLI, MICRO = timedelta(seconds=1), timedelta(milliseconds=1), timedelta(microseconds=1)
DIGEST = bytes(range(32))


def unit(clock: Clock, suite: str = "ed25519", **options: object) -> TimeStampAuthority:
    circle = circle_of(suite)
    return TimeStampAuthority(circle.tsa.key, circle.tsa.certificate, circle.chain[:1], clock, **options)  # type: ignore[arg-type]


def token_of(authority: TimeStampAuthority) -> TimeStampToken:
    request = make_request("sha256", DIGEST)
    return check_response(authority.respond(request), request)


def refusal_of(authority: TimeStampAuthority) -> str:
    with pytest.raises(TimeStampError) as caught:
        token_of(authority)
    return f"{caught.value.facts.get('failure')}: {caught.value}"


# Order ----------------------------------------------------------------------------------------------------------------
def test_ordered_tokens_never_bear_one_time(signing_suite: str, tmp_path: Path) -> None:
    authority = unit(STANDING, signing_suite, counter=FileCounter(tmp_path / "c"), ordering=True)
    tokens = [token_of(authority) for _ in range(20)]
    assert all(token.ordering for token in tokens)
    for before, after in pairwise(tokens):
        assert before.gen_time < after.gen_time
        assert before.serial < after.serial
    assert tokens[0].gen_time == NOW
    assert tokens[-1].gen_time - NOW < MILLI
    assert not token_of(unit(STANDING)).ordering


def test_a_restart_goes_on_where_the_last_run_stopped(tmp_path: Path) -> None:
    clock = Moving()
    first = token_of(unit(clock, counter=FileCounter(tmp_path / "c"), ordering=True))
    second = token_of(unit(clock, counter=FileCounter(tmp_path / "c"), ordering=True))
    assert (second.serial, second.gen_time) == (first.serial + 1, first.gen_time + MICRO)
    clock.moment -= SECOND
    assert "timeNotAvailable" in refusal_of(unit(clock, counter=FileCounter(tmp_path / "c"), ordering=True))
    clock.moment += 2 * SECOND
    assert token_of(unit(clock, counter=FileCounter(tmp_path / "c"), ordering=True)).serial == second.serial + 1


def test_after_the_machine_went_down_counting_goes_on_behind_what_was_reserved(tmp_path: Path) -> None:
    before = FileCounter(tmp_path / "c", boot=b"one").next(NOW, strict=True)
    with pytest.raises(TimeStampError):
        FileCounter(tmp_path / "c", boot=b"two").next(NOW + SECOND, strict=True)  # may have been used
    after = FileCounter(tmp_path / "c", boot=b"three").next(NOW + AHEAD + SECOND, strict=True)
    assert after.serial == before.serial + BLOCK + 1


def test_a_lost_counter_repeats_nothing_and_a_damaged_one_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "c"
    last = [FileCounter(path).next(NOW, strict=True).serial for _ in range(5)][-1]
    data = bytearray(path.read_bytes())
    path.unlink()
    assert FileCounter(path).next(NOW + MILLI, strict=True).serial > last
    assert last.bit_length() < 160
    for position in (0, 20, 40, 60, len(data) - 1):
        damaged = bytearray(data)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(KeyStoreError):
            FileCounter(path).next(NOW + SECOND, strict=True)
    for cut in (1, 30, len(data) - 1):
        path.write_bytes(data[:cut])
        with pytest.raises(KeyStoreError):
            FileCounter(path).next(NOW + SECOND, strict=True)
    with pytest.raises(KeyStoreError):
        FileCounter(tmp_path / "no" / "c").next(NOW, strict=True)


def test_a_counter_in_memory_grows_too() -> None:
    counter = MemoryCounter()
    stamps = [counter.next(NOW, strict=True) for _ in range(2)]
    assert stamps[0].serial == first_serial(NOW) + 1
    assert stamps[1].moment == NOW + MICRO


def _stamp_many(path: Path, pipe: object, count: int) -> None:
    counter = FileCounter(path)
    for _ in range(count):
        stamp = counter.next(datetime.now(UTC), strict=True)
        pipe.send((stamp.serial, stamp.moment))  # type: ignore[attr-defined]
    pipe.close()  # type: ignore[attr-defined]


def test_processes_on_one_unit_never_share_a_serial_or_a_time_even_if_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    seen: list[tuple[int, datetime]] = []
    started = []
    for number in range(4):
        ours, theirs = context.Pipe(duplex=False)
        count = 300 if number < 3 else 10**9
        process = context.Process(target=_stamp_many, args=(tmp_path / "c", theirs, count))
        process.start()
        theirs.close()
        started.append((process, ours))
    endless, pipe = started.pop()
    seen += [pipe.recv() for _ in range(100)]
    os.kill(endless.pid or 0, signal.SIGKILL)
    for process, ours in [*started, (endless, pipe)]:
        while True:
            try:
                seen.append(ours.recv())
            except (EOFError, ConnectionError, OSError):
                break
        process.join(120)
    assert len({serial for serial, _ in seen}) == len({moment for _, moment in seen}) == len(seen) >= 1000
    assert [serial for serial, _ in sorted(seen)] == [serial for serial, _ in sorted(seen, key=lambda pair: pair[1])]
    assert FileCounter(tmp_path / "c").next(datetime.now(UTC), strict=True).serial > max(seen)[0]


# Fields ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("accuracy", [MICRO * 7, MILLI * 20, SECOND, SECOND * 2 + MILLI * 5 + MICRO * 9])
def test_accuracy_is_written_as_it_is_meant(accuracy: timedelta) -> None:
    assert token_of(unit(STANDING, accuracy=accuracy)).accuracy == accuracy


def test_choices_that_contradict_one_another_are_refused() -> None:
    for options in (
        {"accuracy": timedelta(0)},
        {"accuracy": MILLI, "clock_policy": ClockPolicy(max_error=SECOND)},
        {"outer_oid": oids.GM_SIGNED_DATA},
        {"outer_oid": oids.DATA},
    ):
        with pytest.raises(TimeStampError):
            unit(STANDING, **options)


def test_sm2_tokens_in_the_outer_form_of_gm_t_0033() -> None:
    imprint = suites.digest("sm3", b"x")
    token = read_token(unit(STANDING, "sm2", outer_oid=oids.GM_SIGNED_DATA).stamp("sm3", imprint))
    assert token.outer_oid == oids.GM_SIGNED_DATA
    assert token.verify("sm3", imprint) == "sm2"
    assert token.signer.signing_certificates[0].digest_oid == oids.SM3  # ESSCertIDv2


# Time -----------------------------------------------------------------------------------------------------------------
@dataclass
class Told:
    """A source that says what it is told."""

    reading: Reading | None

    def read(self, now: datetime) -> Reading:
        if self.reading is None:
            raise TimeStampError("nobody knows the time", reason="clock")
        return self.reading


@pytest.mark.parametrize(
    ("reading", "at", "good"),
    [
        (Reading(timedelta(0), MILLI), NOW, True),
        (Reading(-400 * MILLI, 100 * MILLI), NOW, True),
        (None, NOW, False),
        (Reading(501 * MILLI, timedelta(0)), NOW, False),
        (Reading(-501 * MILLI, timedelta(0)), NOW, False),
        (Reading(400 * MILLI, 101 * MILLI), NOW, False),
        (Reading(timedelta(0), MILLI, age=timedelta(minutes=31)), NOW, False),
        (Reading(timedelta(0), MILLI, age=-SECOND), NOW, False),
        (Reading(timedelta(0), MILLI, leap_pending=True), NOW, True),
        (Reading(timedelta(0), MILLI, leap_pending=True), NOW.replace(hour=23, minute=59, second=59), False),
        (Reading(timedelta(0), MILLI, leap_pending=True), NOW.replace(hour=0) + timedelta(days=1, seconds=1), False),
        (Reading(timedelta(0), MILLI, leap_now=True), NOW, False),
    ],
)
def test_only_trusted_time_is_stamped(reading: Reading | None, at: datetime, good: bool) -> None:
    authority = unit(FixedClock(at), time_source=Told(reading))
    if good:
        assert token_of(authority).gen_time == at
    else:
        assert refusal_of(authority).startswith("timeNotAvailable")
        with pytest.raises(TimeStampError):
            authority.stamp("sha256", DIGEST)


def _kernel(result: int = TIME_OK, **fields: int) -> KernelTime:
    state = Timex()
    for name, value in {"maxerror": 2000, **fields}.items():
        setattr(state, name, value)
    return KernelTime(lambda: (result, state))


def test_what_the_kernel_says() -> None:
    assert _kernel(offset=-1500).read(NOW) == Reading(-1500 * MICRO, 2 * MILLI)
    assert _kernel(offset=1_500_000, status=STA_NANO).read(NOW).offset == 1500 * MICRO
    assert _kernel(TIME_INS).read(NOW).leap_pending
    assert _kernel(TIME_OOP).read(NOW).leap_now
    assert _kernel(TIME_WAIT).read(NOW).leap_now
    for source in (_kernel(TIME_ERROR), _kernel(status=STA_UNSYNC)):
        with pytest.raises(TimeStampError):
            source.read(NOW)
    assert refusal_of(unit(STANDING, time_source=_kernel(maxerror=16_000_000))).startswith("timeNotAvailable")


def test_the_kernel_of_this_machine_answers() -> None:
    try:
        assert KernelTime().read(NOW).uncertainty >= timedelta(0)
    except TimeStampError as error:
        if error.facts["reason"] != "clock":  # not synchronised is an answer too
            raise


@dataclass
class World:
    """The true time, a clock that may be wrong, a counter that nobody can set."""

    true: datetime = NOW
    wrong: timedelta = timedelta(0)
    asked: int = 0

    def now(self) -> datetime:
        return self.true + self.wrong

    def monotonic(self) -> float:
        return (self.true - NOW).total_seconds()

    def reference(self, off: timedelta = timedelta(0)) -> Clock:
        world = self

        class Reference:
            def now(self) -> datetime:
                world.asked += 1
                return world.true + off

        return Reference()


class Dead:
    def now(self) -> datetime:
        raise TimeoutError


def test_several_references_outvote_a_false_one() -> None:
    world = World()
    references = [world.reference(), world.reference(2 * MILLI), world.reference(timedelta(days=1)), Dead()]
    source = ComparedTime(references, quorum=2, monotonic=world.monotonic)
    reading = source.read(world.now())
    assert abs(reading.offset) <= 2 * MILLI
    world.true += timedelta(minutes=1)
    world.wrong = 3 * SECOND  # somebody set the clock; no reference is asked for that
    asked = world.asked
    assert abs(source.read(world.now()).offset - 3 * SECOND) <= 2 * MILLI
    assert world.asked == asked
    world.wrong = -3 * SECOND
    assert abs(source.read(world.now()).offset + 3 * SECOND) <= 2 * MILLI
    authority = unit(world, time_source=source)
    assert refusal_of(authority).startswith("timeNotAvailable")
    world.wrong = timedelta(0)
    assert token_of(authority).gen_time == world.true


def test_without_agreement_or_answers_nothing_is_known() -> None:
    world = World()
    for references in (
        [],
        [Dead()],
        [world.reference(), world.reference(SECOND)],
        [world.reference(), Dead(), Dead()],
    ):
        with pytest.raises(TimeStampError):
            ComparedTime(references, monotonic=world.monotonic).read(world.now())
    source = ComparedTime([world.reference()], monotonic=world.monotonic)
    source.read(world.now())
    source._references = (Dead(),)  # it falls silent
    world.true += timedelta(minutes=31)
    assert refusal_of(unit(world, time_source=source)).startswith("timeNotAvailable")


# Keys -----------------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("cheap_passwords")
def test_a_unit_gets_a_new_key_and_its_numbers_go_on(signing_suite: str, tmp_path: Path) -> None:
    def ask(_: str) -> bytes:
        return b"secret"

    clock, place = Moving(), tmp_path / "ca"
    parameter = "2048" if signing_suite == "rsa" else None
    ca = circles.create(
        place, signing_suite, organisation="N", country="DE", secrets=ask, clock=clock, parameter=parameter
    )
    first = token_of(circles.timestamper(place, ca, ask, clock))
    assert not circles.rotation_due(place, ca, clock.moment)
    clock.moment = first.certificate().not_after - timedelta(days=200)
    assert circles.rotation_due(place, ca, clock.moment)
    (place / "tsa-2.key.pem").write_text("cut short")
    made = circles.rotate_tsa(place, ca, ask)
    assert not circles.rotation_due(place, ca, clock.moment)
    second = token_of(circles.timestamper(place, circles.load(place, ask, clock), ask, clock))
    assert second.certificate() == made != first.certificate()
    assert made.subject == first.certificate().subject
    assert second.serial > first.serial
    store = TrustStore().with_((ca.root,))
    for token in (first, second):
        assert validate_path(
            token.certificate(),
            token.certificates,
            store,
            token.gen_time,
            purpose="timestamping",
            revocation="if-present",
        ).passed
    assert circles.rotate_tsa(place, ca, ask) != made
    assert (place / "tsa-3.pem").exists()
