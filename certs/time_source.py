"""How far the clock is from the true time, and how one knows: what a time-stamping authority asks before it stamps.

    source = KernelTime()                             # what the kernel's clock discipline (NTP, PTP) says of itself
    source = ComparedTime([first, second, third])     # our own comparison with several references (`certs.ntp`)
    source = time_source_named("ntp:a.example,b.example,c.example")      # or "kernel", or "unchecked": None
    source.read(now)                                  # Reading(offset, uncertainty, age, leap), or TimeStampError

    ClockPolicy().check(reading, now)                 # None, or TimeStampError with reason "clock": do not stamp

ETSI EN 319 421 7.7.2: a token is issued only while the clock is within the stated accuracy of UTC, not while its
calibration is lost, and a leap second is not stamped over.
"""

from __future__ import annotations

import ctypes
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from certs.clock import Clock
from certs.errors import TimeStampError

ZERO = timedelta(0)
PAUSE = 5.0
"""Seconds before references that were no help are asked again; meanwhile the last comparison ages."""
MIN_SERVERS, MAX_SERVERS = 2, 16


@dataclass(frozen=True)
class Reading:
    """What a source knows at a moment."""

    offset: timedelta
    """The clock minus the true time, as far as known."""
    uncertainty: timedelta
    """The true offset is within this of `offset`."""
    age: timedelta = ZERO
    """Since the last comparison with something outside."""
    leap_pending: bool = False
    """A leap second will be inserted or deleted at the end of the UTC day."""
    leap_now: bool = False
    """A leap second is being inserted or has just been: a second is ambiguous."""


class TimeSource(Protocol):
    """Anything that can say how far a clock is from the true time."""

    def read(self, now: datetime) -> Reading:
        """Return what is known at `now`, the clock's own moment. Raises TimeStampError where nothing is."""
        ...


@dataclass(frozen=True)
class ClockPolicy:
    """When time is trustworthy enough to be stamped."""

    max_error: timedelta = timedelta(milliseconds=500)
    """Offset and uncertainty together; must be below the accuracy that tokens state."""
    max_age: timedelta = timedelta(minutes=30)
    """How old the last comparison may be."""
    leap_margin: timedelta = timedelta(seconds=2)
    """Around a midnight with a leap second nothing is stamped."""

    def check(self, reading: Reading, now: datetime) -> None:
        """Raise TimeStampError where `now` must not go into a token."""
        error = abs(reading.offset) + reading.uncertainty
        if error > self.max_error:
            raise _unknown(f"the clock may be {error.total_seconds():.3f} s wrong", error=error.total_seconds())
        if not ZERO <= reading.age <= self.max_age:
            raise _unknown("the clock was not compared lately", age=reading.age.total_seconds())
        if reading.leap_now:
            raise _unknown("a leap second is passing")
        if reading.leap_pending:
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            if min(now - midnight, midnight + timedelta(days=1) - now) <= self.leap_margin:
                raise _unknown("a leap second is near")


def _unknown(text: str, **facts: float) -> TimeStampError:
    return TimeStampError(text, hint=None, reason="clock", **facts)


# The kernel -----------------------------------------------------------------------------------------------------------
class _Timeval(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("fraction", ctypes.c_long))


class Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>, Linux."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", _Timeval),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    )


STA_UNSYNC, STA_NANO = 0x0040, 0x2000
TIME_OK, TIME_INS, TIME_DEL, TIME_OOP, TIME_WAIT, TIME_ERROR = range(6)
"""Return values of adjtimex(2): no leap second, insert or delete one today, in it, just after it, not synchronised."""


def _adjtimex() -> tuple[int, Timex]:
    """Ask the kernel; with modes = 0 it changes nothing and needs no privilege."""
    state = Timex()
    try:
        library = ctypes.CDLL(None, use_errno=True)
        result = library.adjtimex(ctypes.byref(state))
    except (OSError, AttributeError) as error:
        raise _unknown("this system has no adjtimex") from error
    if result < 0:
        raise _unknown(f"adjtimex: {os.strerror(ctypes.get_errno())}")
    return int(result), state


class KernelTime:
    """What the kernel says of its own clock: ntpd, chronyd, timesyncd and ptp4l keep it told.

    After a step the kernel calls itself unsynchronised until it is told anew. Its maximum error grows with the time
    since the last correction, so that the age is inside the uncertainty.
    """

    def __init__(self, ask: Callable[[], tuple[int, Timex]] = _adjtimex) -> None:
        self._ask = ask

    def read(self, now: datetime) -> Reading:
        """See TimeSource."""
        result, state = self._ask()
        if result == TIME_ERROR or state.status & STA_UNSYNC:
            raise _unknown("the system's clock is not synchronised")
        unit = 1000 if state.status & STA_NANO else 1
        return Reading(
            offset=timedelta(microseconds=state.offset / unit),
            uncertainty=timedelta(microseconds=state.maxerror),
            leap_pending=result in (TIME_INS, TIME_DEL),
            leap_now=result in (TIME_OOP, TIME_WAIT),
        )


# Several references ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Sample:
    """One answer of a reference."""

    moment: datetime
    """The true time when the answer was there."""
    uncertainty: timedelta
    """The true time was within this of `moment`."""
    leap_pending: bool = False
    """As in Reading."""


@runtime_checkable
class Reference(Protocol):
    """Something outside that knows the time, and how well."""

    def sample(self) -> Sample:
        """Ask it. Raises TimeStampError."""
        ...


class ComparedTime:
    """Compares the clock with references given, and goes on by a clock that nobody can set.

    A reference is a `Reference`, or a Clock: a GNSS receiver, another server. All are asked at once. The median of
    those that answer counts, if at least `quorum` of them lie within `spread` of it. Between two comparisons the true
    time is that of the last one plus what `monotonic` has counted since, so that a step of the clock is seen at once.
    Thread-safe.
    """

    def __init__(
        self,
        references: Sequence[Clock | Reference],
        *,
        quorum: int | None = None,
        spread: timedelta = timedelta(milliseconds=100),
        every: timedelta = timedelta(minutes=5),
        drift: float = 100e-6,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`quorum` is by default more than half of the references; `drift` bounds the error of `monotonic`."""
        self._references = tuple(references)
        self._quorum = quorum or len(self._references) // 2 + 1
        self._spread, self._every, self._drift, self._monotonic = spread, every, drift, monotonic
        self._lock = threading.Lock()
        self._anchor: tuple[datetime, float, timedelta, bool] | None = None
        """The true time, the monotonic clock then, the uncertainty then, and whether a leap second was announced."""
        self._tried: float | None = None

    def read(self, now: datetime) -> Reading:
        """See TimeSource."""
        with self._lock:
            started = self._monotonic()
            stale = self._anchor is None or started - self._anchor[1] >= self._every.total_seconds()
            if stale and (self._tried is None or started - self._tried >= PAUSE):
                self._tried = started
                self._compare()
            ended = self._monotonic()
            if self._anchor is None:
                raise _unknown("no references agree on the time")
            true, counter, uncertainty, leap = self._anchor
        age = started - counter
        if age < 0:  # compared during this very call: `now` is older than the comparison
            now, age = now + timedelta(seconds=ended - started), ended - counter
        true += timedelta(seconds=age)
        doubt = uncertainty + timedelta(seconds=age * self._drift)
        return Reading(now - true, doubt, timedelta(seconds=age), leap_pending=leap)

    def _compare(self) -> None:
        """Ask every reference; keep the last comparison where too few agree."""
        if not self._references:
            return
        begun = self._monotonic()
        with ThreadPoolExecutor(len(self._references)) as pool:
            samples = [item for item in pool.map(lambda each: self._ask(each, begun), self._references) if item]
        if not samples:
            return
        origin = samples[0].moment
        answers = [((item.moment - origin).total_seconds(), item) for item in samples]
        median = statistics.median(value for value, _ in answers)
        agreeing = [pair for pair in answers if abs(pair[0] - median) <= self._spread.total_seconds()]
        if len(agreeing) < self._quorum:
            return
        doubt = max(abs(value - median) + item.uncertainty.total_seconds() for value, item in agreeing)
        leap = any(item.leap_pending for _, item in agreeing)
        self._anchor = origin + timedelta(seconds=median), begun, timedelta(seconds=doubt), leap

    def _ask(self, reference: Clock | Reference, begun: float) -> Sample | None:
        """Return what the true time was when `begun` was read, as this reference has it; None: it has no vote."""
        before = self._monotonic()
        try:
            if isinstance(reference, Reference):
                sample = reference.sample()
                return replace(sample, moment=sample.moment - timedelta(seconds=self._monotonic() - begun))
            moment = reference.now()
        except Exception:  # noqa: BLE001 - whatever a reference does, it only has no vote
            return None
        after = self._monotonic()
        # the answer is from somewhere in between: half of the round trip is uncertain
        middle = timedelta(seconds=(before + after) / 2 - begun)
        return Sample(moment - middle, timedelta(seconds=(after - before) / 2))


# By name --------------------------------------------------------------------------------------------------------------
def time_source_named(text: str) -> TimeSource | None:
    """Return what a setting names: "unchecked" (None), "kernel", or "ntp:" and time servers with commas between.

    A server is HOST, HOST:PORT or [ADDRESS]:PORT. Their answers are not authenticated, so at least two are wanted, and
    more than half have to agree; with four, one may be wrong and one silent. Raises TimeStampError for another text.
    """
    if text == "unchecked":
        return None
    if text == "kernel":
        return KernelTime()
    from certs.ntp import NTPReference

    kind, _, rest = text.partition(":")
    servers = list(dict.fromkeys(map(_server, rest.split(",")))) if kind == "ntp" and rest else []
    if not MIN_SERVERS <= len(servers) <= MAX_SERVERS:
        raise TimeStampError(
            f"{text!r} names no source of time",
            hint=f"unchecked, kernel, or {MIN_SERVERS} to {MAX_SERVERS} servers as in ntp:a.example,b.example",
            reason="configuration",
        )
    return ComparedTime([NTPReference(host, port) for host, port in servers])


def _server(text: str) -> tuple[str, int]:
    from certs.ntp import PORT

    try:
        parts = urlsplit(f"//{text.strip()}")
        if parts.hostname and parts.netloc == text.strip() and "@" not in text:
            return parts.hostname, PORT if parts.port is None else parts.port
    except ValueError:
        pass
    raise TimeStampError(f"{text!r} is no time server", hint="HOST or HOST:PORT", reason="configuration")
