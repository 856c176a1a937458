"""Verdicts on the corpus (SEALROAD_CORPUS): time and memory of each, beside stock pyHanko and pdfsig.

    python -m benchmarks verify

Two comparisons over the signed files of the corpus, nobody trusted, nothing fetched. In one process: `verify_bytes`
against stock pyHanko's validation with its analysis of later revisions, by processor time. As processes, as they are
used: our fork under limits against pdfsig, on the clock and by memory. Each file is judged by both in turn, several
times; the fastest of the times of each counts, and ratios are per file. A file that the peer stops at with an error is
left out of the ratio and counted in the note.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.compare import Row, Table
from certs.errors import SealroadError
from certs.trust import TrustStore
from signer.forked import Limits
from signer.sandbox import Sandbox, preload
from signer.verify import verify_bytes
from tests.conftest import CLOCK, NOW

UNSIGNED = ("conformant", "controlled", "usage-rights", "empty")
"""Classes of the corpus without a signature to judge."""
ROUNDS = 3


@dataclass(frozen=True)
class Cost:
    """What one verdict took."""

    seconds: float
    memory: int = 0
    """Most octets in use; 0 where it was not measured."""
    failed: bool = False


def run(*, quick: bool = False) -> list[Table]:
    """Return the tables, or one that says why there are none."""
    files = _signed_files()
    if not files:
        return [Table("verdicts on the corpus", "sealroad", "peer", [Row("no corpus", "", "SEALROAD_CORPUS")])]
    files = files[::15] if quick else files
    rounds = 1 if quick else ROUNDS
    processes = _processes(files, rounds)  # first: a fork of a process that has loaded the peer too is a dearer one
    return [_in_process(files, rounds), processes]


def _signed_files() -> list[Path]:
    root = Path(os.environ.get("SEALROAD_CORPUS") or Path(__file__).resolve().parents[2] / "shared" / "corpus") / "pdf"
    if not (root / "manifest.json").is_file():
        return []
    entries = json.loads((root / "manifest.json").read_text())["files"]
    return [root / entry["file"] for entry in entries if entry["expected"] not in UNSIGNED]


def _in_process(files: list[Path], rounds: int) -> Table:
    data = [path.read_bytes() for path in files]
    pairs = [_alternated(partial(_ours, octets), partial(_pyhanko, octets), rounds) for octets in data]
    title = f"verdicts on {len(files)} files of the corpus, in one process, processor time"
    return _table(title, "pyHanko", pairs, memory=False)


def _processes(files: list[Path], rounds: int) -> Table:
    program = shutil.which("pdfsig")
    if program is None:
        return Table("verdicts as processes", "sealroad", "pdfsig", [Row("", "", "pdfsig is not installed")])
    preload(several=True)
    sandbox = Sandbox(trust=TrustStore(), clock=CLOCK, at=NOW, limits=Limits())
    pairs = [
        _alternated(partial(_forked, sandbox, path), partial(_spawned, [program, "-nocert", str(path)]), rounds)
        for path in files
    ]
    title = f"verdicts on {len(files)} files of the corpus, a process for each, wall time"
    return _table(title, "pdfsig", pairs, memory=True)


def _alternated(ours: Callable[[], Cost], peer: Callable[[], Cost], rounds: int) -> tuple[Cost, Cost]:
    """Return the cheapest of several runs of each, taken in turn."""
    runs = [(ours(), peer()) for _ in range(rounds)]
    return min((a for a, _ in runs), key=lambda c: c.seconds), min((b for _, b in runs), key=lambda c: c.seconds)


def _ours(data: bytes) -> Cost:
    start = time.process_time()
    try:
        verify_bytes(data, name="x", trust=_NOBODY, at=NOW, clock=CLOCK)
    except SealroadError:
        return Cost(time.process_time() - start, failed=True)
    return Cost(time.process_time() - start)


_NOBODY = TrustStore()


def _pyhanko(data: bytes) -> Cost:
    import logging

    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
    from pyhanko_certvalidator import ValidationContext

    logging.disable(logging.CRITICAL)
    start = time.process_time()
    failed = False
    try:
        reader = PdfFileReader(io.BytesIO(data), strict=False)
        for signature in reader.embedded_signatures:
            context: Any = ValidationContext(trust_roots=[], moment=NOW, allow_fetching=False)
            try:
                stamp = signature.sig_object.get("/SubFilter") == "/ETSI.RFC3161"
                (validate_pdf_timestamp if stamp else validate_pdf_signature)(signature, context)
            except Exception:  # whatever it raises, there is no verdict
                failed = True
    except Exception:
        failed = True
    logging.disable(logging.NOTSET)
    return Cost(time.process_time() - start, failed=failed)


def _forked(sandbox: Sandbox, path: Path) -> Cost:
    start = time.perf_counter()
    pending = sandbox.start(path.read_bytes(), name=path.name)
    failed = False
    try:
        pending.result()
    except SealroadError:
        failed = True
    usage = pending.fork.usage
    return Cost(time.perf_counter() - start, usage.ru_maxrss << 10 if usage else 0, failed)


def _spawned(command: list[str]) -> Cost:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return Cost(time.perf_counter() - start, usage.ru_maxrss << 10)


def _table(title: str, peer: str, pairs: list[tuple[Cost, Cost]], *, memory: bool) -> Table:
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    answered = [(a, b) for a, b in pairs if not b.failed]
    ratios = tuple(a.seconds / b.seconds for a, b in answered)
    total = sum(a.seconds for a, _ in answered) / sum(b.seconds for _, b in answered)
    rows = [
        Row("time per verdict, median", *(_ms(median(c.seconds for c in side)) for side in (ours, theirs)), ratios),
        Row("time per verdict, 99 %", *(_ms(_most(c.seconds for c in side)) for side in (ours, theirs))),
        Row("verdicts per second", *(f"{len(side) / sum(c.seconds for c in side):.0f}" for side in (ours, theirs))),
    ]
    if memory:
        rows.append(
            Row("memory, 99 %", *(f"{_most(c.memory for c in side) / 2**20:.0f} MB" for side in (ours, theirs)))
        )
    failed = sum(c.failed for c in theirs)
    notes = (
        f"{peer} gave no verdict on {failed} of {len(pairs)}; on the others all together: {total:.2f} times its time.",
    )
    return Table(title, "sealroad", peer, rows, "times the peer's", notes)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def _most(values: Any) -> float:
    found = list(values)
    return quantiles(found, n=100)[98] if len(found) > 1 else float(found[0])
