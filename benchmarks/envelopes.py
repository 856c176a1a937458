"""Encrypting and decrypting a file: against the bare cipher over the same octets, and against `openssl cms`.

    python -m benchmarks envelopes

The floor reads the file, has the cipher that is inside it computed in pieces of the same size by the same library (with
its tag or OMAC), and writes the result: what no program can do without. `openssl cms` is a whole process, and so is
ours beside it; both are given the time on the wall, and the memory they had at most.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from benchmarks.compare import Pairs, Row, Table, alternate
from certs import suites
from certs.certificate import armor
from certs.enveloped import CHUNK, decrypt, encrypt
from certs.files import WholeFile
from certs.suites import content
from tests.certs.post import Mailbox, mailbox

CIPHERS = (
    ("rsa", "aes-256-gcm"),
    ("ecdsa-p256", "aes-256-gcm"),
    ("sm2", "sm4-cbc"),
    ("sm2", "sm4-gcm"),
    ("gost2012-256", "kuznyechik-ctr-acpkm-omac"),
    ("gost2012-256", "magma-ctr-acpkm-omac"),
)
PEER_SUITES = ("rsa", "ecdsa-p256")
SIZE, QUICK_SIZE = 100_000_000, 2_000_000
ROUNDS = 3


def run(*, quick: bool = False) -> list[Table]:
    """Return both tables."""
    size, rounds = (QUICK_SIZE, 1) if quick else (SIZE, ROUNDS)
    with tempfile.TemporaryDirectory() as directory:
        desk = Path(directory)
        with (desk / "content").open("wb") as stream:
            for _ in range(0, size, 1_000_000):
                stream.write(os.urandom(min(size, 1_000_000)))
        floors = [
            row
            for name, cipher in CIPHERS
            if name in suites.names()
            for row in _against_floor(desk, mailbox(name), cipher, size, rounds)
        ]
        peers = [row for name in PEER_SUITES for row in _against_openssl(desk, mailbox(name), name, size, rounds)]
    return [
        Table(
            f"envelopes: {size // 1_000_000} MB, as a share of the bare cipher's rate",
            "sealroad",
            "cipher",
            floors,
            ratio="share",
            notes=("Of one core; file to file; one recipient.",),
        ),
        Table(
            f"envelopes: {size // 1_000_000} MB, times as fast as openssl cms",
            "sealroad",
            "openssl cms",
            peers,
            ratio="times as fast",
            notes=("Whole processes, time on the wall, and the most memory they had.",),
        ),
    ]


# Against the cipher ---------------------------------------------------------------------------------------------------
def _against_floor(desk: Path, box: Mailbox, cipher: str, size: int, rounds: int) -> list[Row]:
    chosen = content.for_name(cipher)
    key, parameters = bytes(chosen.key_size), chosen.new_parameters()
    source, message, opened = desk / "content", desk / "message", desk / "opened"

    def ours_encrypts() -> None:
        with source.open("rb") as stream:
            encrypt(stream, WholeFile(message), [box.certificate], cipher=cipher, size=size)

    def ours_decrypts() -> None:
        with message.open("rb") as stream:
            decrypt(stream, WholeFile(opened), box.key, box.certificate)

    sealed: list[bytes] = []

    def floor_encrypts() -> None:
        sealing = chosen.seal(key, parameters)
        _through(source, desk / "ciphertext", sealing.update)
        sealed[:] = [sealing.finish(), sealing.tag]

    def floor_decrypts() -> None:
        opening = chosen.open(key, parameters)
        _through(desk / "ciphertext", opened, opening.update)
        opening.update(sealed[0])
        opening.finish(sealed[1])

    rows = []
    for words, ours, floor in (("encrypt", ours_encrypts, floor_encrypts), ("decrypt", ours_decrypts, floor_decrypts)):
        pairs = alternate(ours, floor, rounds)
        name = f"{words}, {box.key.suite.name}, {cipher}"
        rows.append(Row(name, _rate(size, pairs.ours), _rate(size, pairs.peer), pairs.speedups))
    return rows


def _through(source: Path, target: Path, update: Callable[[bytes], bytes]) -> None:
    with source.open("rb") as reader, target.open("wb") as writer:
        while piece := reader.read(CHUNK):
            writer.write(update(piece))
        writer.flush()
        os.fsync(writer.fileno())


def _rate(size: int, times: Sequence[float]) -> str:
    return f"{size / median(times) / 1e6:.0f} MB/s"


# Against openssl ------------------------------------------------------------------------------------------------------
def _against_openssl(desk: Path, box: Mailbox, name: str, size: int, rounds: int) -> list[Row]:
    (desk / "key.pem").write_text(armor("PRIVATE KEY", box.key.pkcs8()))
    (desk / "cert.pem").write_text(box.certificate.pem)
    mine = (sys.executable, "-m", "api.cli")
    peer = ("openssl", "cms", "-binary")
    to = ("--to", "cert.pem", "--trust", "cert.pem")
    commands = {
        "encrypt": (
            (*mine, "encrypt", "content", "message", *to),
            (*peer, "-encrypt", "-aes-256-gcm", "-in", "content", "-outform", "DER", "-out", "theirs", "cert.pem"),
        ),
        "decrypt": (
            (*mine, "decrypt", "message", "opened", "--key", "key.pem", "--cert", "cert.pem"),
            (*peer, "-decrypt", "-in", "message", "-inform", "DER", "-inkey", "key.pem", "-out", "opened2"),
        ),
    }
    rows = []
    for words, (ours, theirs) in commands.items():
        made = [(_timed(desk, ours), _timed(desk, theirs)) for _ in range(rounds)]
        pairs = Pairs(tuple(one[0] for one, _ in made), tuple(two[0] for _, two in made))
        texts = [
            f"{_rate(size, times)}, {max(pair[side][1] for pair in made)} MiB"
            for side, times in ((0, pairs.ours), (1, pairs.peer))
        ]
        rows.append(Row(f"{words}, {name}, aes-256-gcm", texts[0], texts[1], pairs.speedups))
    return rows


def _timed(desk: Path, command: Sequence[str]) -> tuple[float, int]:
    """Run a command; return seconds on the wall and MiB of memory at most.

    The memory is looked up while it runs: what the system says at the end counts the process that started it.
    """
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    most, start = 0, perf_counter()
    with subprocess.Popen(command, cwd=desk, env=environment, stdout=subprocess.DEVNULL) as running:
        status = Path(f"/proc/{running.pid}/status")
        while running.poll() is None:
            found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)
            most = max(most, int(found[1]) if found else 0)
            sleep(0.01)
    assert running.returncode == 0, command
    return perf_counter() - start, most >> 10
