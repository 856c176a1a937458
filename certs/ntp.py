"""Asks a time server over the network: SNTP (RFC 4330, RFC 5905), one careful question and one careful answer.

    reference = NTPReference("ntp.example")
    reference.sample()                              # Sample(moment, uncertainty, leap_pending), or TimeStampError

    origin = secrets.token_bytes(8)
    socket.send(question(origin))                   # octets out, octets in
    read_answer(socket.recv(MAX_ANSWER), origin, round_trip=0.021)

The answers are not authenticated (no NTS, RFC 8915): whoever stands on the way can forge or delay them (RFC 7384 3.2).
So one reference proves little, and `certs.time_source.ComparedTime` wants several, run by different people and reached
on different ways, to agree. What is checked here keeps out those who are not on the way, and servers that say
themselves that they do not know.
"""

from __future__ import annotations

import hmac
import secrets
import socket
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NoReturn, Protocol

from certs.errors import TimeStampError
from certs.time_source import Sample

PORT = 123
SIZE = 48
"""Octets of the header; extension fields and authenticators behind it are not read."""
MAX_ANSWER = 1024
MAX_STRAY = 16
"""Answers to somebody else that are passed over before the server is given up."""
VERSION, CLIENT, SERVER = 4, 3, 4
NOT_SYNCHRONISED = 3
"""Leap indicator."""
MAX_STRATUM = 15
MAX_DISTANCE = 1.0
"""Seconds between the server and its own source of time that we listen to; RFC 5905 takes 16."""
MAX_ROUND_TRIP = 1.0
"""Seconds; half of it is uncertain."""
SLACK = 0.001
"""Seconds that a server may seem to need longer than the whole round trip, since clocks tick in steps."""
RATE_PAUSE = 3600.0
"""Seconds for which a server that says RATE is left alone (RFC 5905 7.4)."""
_FIELDS = struct.Struct("!BBbbII4sQ8sQQ")
_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
_PIVOT = datetime(2020, 1, 1, tzinfo=UTC)
"""The 32 bits of seconds begin anew in 2036 (RFC 4330 3): what lies before this moment is of the next era."""
_ERA = timedelta(seconds=1 << 32)


class Datagrams(Protocol):
    """What is needed of a connected UDP socket: it hears the one address it was connected to."""

    def send(self, data: bytes, /) -> int:
        """Send one datagram."""
        ...

    def recv(self, size: int, /) -> bytes:
        """Wait for one, no longer than `settimeout` said; TimeoutError, OSError."""
        ...

    def settimeout(self, seconds: float, /) -> None:
        """Say how long `recv` waits."""
        ...

    def close(self) -> None:
        """Let it go."""
        ...


def connect(host: str, port: int) -> Datagrams:
    """Return a UDP socket connected to the first address of `host`, from a port that nobody can guess. OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made


def question(origin: bytes) -> bytes:
    """Return a client's packet: all zero but the mode and, as transmit timestamp, eight random octets.

    Nothing in it tells what time we believe it is; the answer has to repeat `origin`.
    """
    return bytes([VERSION << 3 | CLIENT]) + bytes(SIZE - 1 - len(origin)) + origin


def is_answer_to(data: bytes, origin: bytes) -> bool:
    """Tell whether a packet repeats what only the server was told (RFC 5905 8: the origin timestamp)."""
    return len(data) >= SIZE and hmac.compare_digest(data[24:32], origin)


def read_answer(data: bytes, origin: bytes, *, round_trip: float) -> Sample:
    """Return the time at which `data` arrived.

    `round_trip` is in seconds, by a clock that nobody sets. Raises TimeStampError with reason "clock", and with `kiss`
    where the server asks to be left alone. The steps are those of RFC 4330 5, RFC 5905 A.5.1 and 7.4:

    1. It is an answer of a server, in our version, to this very question.
    2. It is no kiss-o'-death, and the server is synchronised.
    3. Its own distance from the true time is small, and it was set before it answered.
    4. It came soon, and the server does not claim to have needed longer than that.
    """
    if not SIZE <= len(data) <= MAX_ANSWER:
        _refuse(f"an answer of {len(data)} octets")
    first, stratum, _, _, delay, dispersion, identifier, reference, repeated, received, sent = _FIELDS.unpack(
        data[:SIZE]
    )
    leap, version, mode = first >> 6, first >> 3 & 7, first & 7
    if mode != SERVER or version != VERSION:  # 1
        _refuse(f"an answer of mode {mode} and version {version}")
    if not hmac.compare_digest(repeated, origin):
        _refuse("an answer to another question")
    if stratum == 0:  # 2
        kiss = identifier.decode("ascii", "replace") if identifier.isalnum() else "?"
        raise TimeStampError(f"the server wants to be left alone: {kiss}", hint=None, reason="clock", kiss=kiss)
    if leap == NOT_SYNCHRONISED or stratum > MAX_STRATUM:
        _refuse("the server is not synchronised")
    distance = delay / (1 << 17) + dispersion / (1 << 16)  # 3
    if distance > MAX_DISTANCE:
        _refuse(f"the server may itself be {distance:.1f} s wrong")
    if not received or not sent or not reference:
        _refuse("an answer without a time")
    if _moment(reference) > _moment(sent) + timedelta(seconds=SLACK):
        _refuse("the server was set after it answered")
    inside = (_moment(sent) - _moment(received)).total_seconds()
    if not 0 <= round_trip <= MAX_ROUND_TRIP:  # 4
        _refuse(f"the answer took {round_trip:.3f} s")
    if not 0 <= inside <= round_trip + SLACK:
        _refuse("the server claims to have thought longer than the answer took")
    way = max(0.0, round_trip - inside)
    return Sample(
        _moment(sent) + timedelta(seconds=way / 2), timedelta(seconds=way / 2 + distance), leap_pending=leap in (1, 2)
    )


def _moment(stamp: int) -> datetime:
    """Return an NTP timestamp, 32 bits of seconds and 32 of their fraction, in the era that is not long past."""
    moment = _EPOCH + timedelta(seconds=stamp >> 32, microseconds=((stamp & 0xFFFFFFFF) * 1_000_000) >> 32)
    return moment if moment >= _PIVOT else moment + _ERA


def _refuse(text: str) -> NoReturn:
    raise TimeStampError(text, hint=None, reason="clock")


class NTPReference:
    """One server, asked anew by every `sample`. Satisfies `certs.time_source.Reference`."""

    def __init__(
        self,
        host: str,
        port: int = PORT,
        *,
        timeout: float = MAX_ROUND_TRIP,
        connect: Callable[[str, int], Datagrams] = connect,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """`timeout` is in seconds, name resolution excepted."""
        self.host, self.port = host, port
        self._timeout, self._connect, self._monotonic, self._random = timeout, connect, monotonic, random
        self._silent_until = 0.0
        """By `monotonic`: when a server that wants to be left alone is asked again."""

    def sample(self) -> Sample:
        """Return the time now. Raises TimeStampError."""
        if self._monotonic() < self._silent_until:
            _refuse(f"{self.host} wants to be left alone")
        try:
            datagrams = self._connect(self.host, self.port)
        except OSError as error:
            raise self._unreachable(error) from error
        try:
            return self._ask(datagrams)
        except OSError as error:
            raise self._unreachable(error) from error
        except TimeStampError as error:
            kiss = error.facts.get("kiss")
            if kiss is not None:  # DENY and RSTR are for good (RFC 5905 7.4)
                pause = float("inf") if kiss in ("DENY", "RSTR") else RATE_PAUSE
                self._silent_until = self._monotonic() + pause
            raise
        finally:
            datagrams.close()

    def _ask(self, datagrams: Datagrams) -> Sample:
        origin = self._random(8)
        began = self._monotonic()
        datagrams.send(question(origin))
        for _ in range(MAX_STRAY):
            left = began + self._timeout - self._monotonic()
            if left <= 0:
                break
            datagrams.settimeout(left)
            data = datagrams.recv(MAX_ANSWER + 1)
            ended = self._monotonic()
            if is_answer_to(data, origin):  # else a stranger's, or one that comes late
                return read_answer(data, origin, round_trip=ended - began)
        raise TimeoutError

    def _unreachable(self, error: OSError) -> TimeStampError:
        reason = "no answer" if isinstance(error, TimeoutError) else str(error)
        return TimeStampError(f"{self.host}: {reason}", hint=None, reason="clock")
