"""SM2 and GOST signatures per second, ours against the native library's own.

    python -m benchmarks suites

Ours is `key.sign(message)` and `public_key.verify(value, message)` over a short message, with all checks. For SM2 the
peer is `openssl speed`. The GOST engine has no speed command, so the peer is a bare loop of EVP_PKEY_sign and
EVP_PKEY_verify over a ready digest, on the same key in the same library, with one context for all: it hashes nothing,
checks nothing and keeps nothing. All rates are per second of the processor's time, as `openssl speed` counts.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

from benchmarks.compare import Row, Table
from certs import suites
from certs.errors import BackendUnavailable
from certs.suites import backends
from certs.suites.base import PrivateKey
from certs.suites.digests import digest

MESSAGE = b"The carrier shall deliver the goods to the consignee."
GOST = (
    ("gost2012-256", "CryptoPro-A"),
    ("gost2012-256", "TC26-256-B"),
    ("gost2012-512", "TC26-512-A"),
    ("gost2012-512", "TC26-512-C"),
)
ROUNDS = 5
SECONDS = 1.0


def run(*, quick: bool = False) -> list[Table]:
    """Return one table for each of the two families."""
    rounds = 1 if quick else ROUNDS
    seconds = 0.1 if quick else SECONDS
    return [_sm2(rounds, seconds), _gost(rounds, seconds / 2)]


def _sm2(rounds: int, seconds: float) -> Table:
    title = "suites: SM2 against openssl speed"
    try:
        key = suites.get("sm2").generate()
    except BackendUnavailable as error:
        return Table(title, "sealroad", "openssl", [Row("sm2", "", str(error))])
    library = key.suite.library()
    notes = [f"{library.name}, {library.version}; the peer is {_openssl_version()}."]
    ours, peer = [], []
    for _ in range(rounds):
        ours.append(tuple(rate(action, seconds) for action in _ours(key)))
        figures = _openssl_speed()
        if figures is None:
            row = Row("sm2", "", "openssl is not installed, or gives no figure for SM2")
            return Table(title, "sealroad", "openssl", [row])
        peer.append(figures)
    return Table(title, "sealroad", "openssl", _rows("sm2", ours, peer), "ours / peer's", notes)


def _gost(rounds: int, seconds: float) -> Table:
    title = "suites: GOST against the bare library"
    rows: list[Row] = []
    notes: list[str] = []
    for name, parameter in GOST:
        what = f"{name}, {parameter}"
        try:
            key = suites.get(name).generate(parameter)
        except BackendUnavailable as error:
            rows.append(Row(what, "", str(error)))
            continue
        library = backends.gost(parameter).library
        notes = [f"{library.name}, {library.version}."]
        if library.name != "gost-engine":
            rows.append(Row(what, "", "only gost-engine is looked at"))
            continue
        ours, peer = [], []
        with_library = Bare(key)
        for _ in range(rounds):
            ours.append(tuple(rate(action, seconds) for action in _ours(key)))
            peer.append(tuple(rate(action, seconds) for action in (with_library.sign, with_library.verify)))
        rows += _rows(what, ours, peer)
    return Table(title, "sealroad", "bare library", rows, "ours / peer's", notes)


def _ours(key: PrivateKey) -> tuple[Callable[[], Any], Callable[[], Any]]:
    value, public = key.sign(MESSAGE), key.public_key
    return lambda: key.sign(MESSAGE), lambda: public.verify(value, MESSAGE)


def _rows(what: str, ours: list[tuple[float, ...]], peer: list[tuple[float, ...]]) -> list[Row]:
    rows = []
    for position, verb in enumerate(("sign", "verify")):
        a, b = [rates[position] for rates in ours], [rates[position] for rates in peer]
        ratios = tuple(x / y for x, y in zip(a, b, strict=True))
        rows.append(Row(f"{what}, {verb}", f"{median(a):.0f}/s", f"{median(b):.0f}/s", ratios))
    return rows


def rate(action: Callable[[], Any], seconds: float) -> float:
    """Return how often an action runs per second of the processor's time."""
    count = 0
    start = now = process_time()
    while now - start < seconds:
        for _ in range(20):
            action()
        count += 20
        now = process_time()
    return count / (now - start)


# openssl speed -------------------------------------------------------------------------------------------------------
_RESULT = re.compile(r"^\+R1[01]:(\d+):256:CurveSM2:([0-9.]+)", re.MULTILINE)
"""Machine-readable: operations and seconds, R10 of signing, R11 of verifying."""


def _openssl_speed() -> tuple[float, float] | None:
    """Return signatures and verifications per second as openssl counts them."""
    command = shutil.which("openssl")
    if command is None:
        return None
    done = subprocess.run(
        [command, "speed", "-mr", "-seconds", "1", "sm2"], capture_output=True, text=True, check=False
    )
    found = [int(count) / float(seconds) for count, seconds in _RESULT.findall(done.stdout + done.stderr)]
    return (found[0], found[1]) if len(found) == 2 else None


def _openssl_version() -> str:
    command = shutil.which("openssl")
    if command is None:
        return "missing"
    done = subprocess.run([command, "version"], capture_output=True, text=True, check=False)
    return " ".join(done.stdout.split()[:2])


# The engine by itself ------------------------------------------------------------------------------------------------
class Bare:
    """EVP_PKEY_sign and EVP_PKEY_verify of the library behind a key, and nothing around them."""

    def __init__(self, key: Any) -> None:
        lib: Any = key._backend._lib
        self._digest = digest(key.suite.digest_name, MESSAGE)
        self._out, self._length = ctypes.create_string_buffer(128), ctypes.c_size_t(128)
        self._key, self._lib = key, lib
        self._signing = lib.EVP_PKEY_CTX_new(key._handle.pointer, None)
        self._verifying = lib.EVP_PKEY_CTX_new(key.public_key._handle.pointer, None)
        assert lib.EVP_PKEY_sign_init(self._signing) == 1
        assert lib.EVP_PKEY_verify_init(self._verifying) == 1
        self.sign()
        self._value = self._out.raw[: self._length.value]
        self.verify()

    def __del__(self) -> None:
        self._lib.EVP_PKEY_CTX_free(self._signing)
        self._lib.EVP_PKEY_CTX_free(self._verifying)

    def sign(self) -> None:
        """Sign the digest."""
        length = ctypes.byref(self._length)
        assert self._lib.EVP_PKEY_sign(self._signing, self._out, length, self._digest, len(self._digest)) == 1

    def verify(self) -> None:
        """Verify the signature made first."""
        value, data = self._value, self._digest
        assert self._lib.EVP_PKEY_verify(self._verifying, value, len(value), data, len(data)) == 1
