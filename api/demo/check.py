"""Verify the signed contract as anybody would: `sealroad verify`, in a process of its own, without a network.

result = verify(directory)
result.code                 # 0: every signature TOTAL-PASSED
result.report               # what report.json says, schema sealroad.report/1
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from api.demo.directory import REPORT, REPORT_PAGE, SIGNED
from api.errors import APIError

JUDGED: Final = frozenset({0, 1, 3})
"""Exit codes of `sealroad verify` that come with a verdict on signatures."""
TIMEOUT: Final = 120.0


@dataclass(frozen=True)
class Result:
    """What the verifier said."""

    code: int
    report: dict[str, Any]


def verify(directory: Path) -> Result:
    """Verify `contract.signed.pdf` in `directory` with nothing but the files beside it; leave the reports there.

    Raises APIError where the verifier gives no verdict on signatures.
    """
    process = _start(directory)
    try:
        _write_page(directory)  # the other process computes meanwhile
        _, complaint = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise APIError("the verifier did not finish in time") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if process.returncode not in JUDGED:
        raise APIError(
            f"the verifier gave no verdict: {complaint.strip() or f'exit code {process.returncode}'}",
            hint="'sealroad doctor' says what works on this machine",
        )
    return Result(process.returncode, json.loads((directory / REPORT).read_text("utf-8")))


def _write_page(directory: Path) -> None:
    """Write the report as a page to read."""
    from certs.clock import SystemClock
    from certs.trust import TrustStore
    from signer.text.html import page
    from signer.text.pictures import pictures_of
    from signer.verify import verify_bytes

    data = (directory / SIGNED).read_bytes()
    report = verify_bytes(data, name=SIGNED, trust=TrustStore.load([directory]), clock=SystemClock())
    (directory / REPORT_PAGE).write_text(page((report,), "en", {0: pictures_of(report, data)}), "utf-8")


def command(signed: str, trust: str) -> list[str]:
    """Return the words after `sealroad` that verify a signed contract."""
    return ["verify", signed, "--trust", trust, "--offline"]


def _start(directory: Path) -> subprocess.Popen[str]:
    words = [*command(SIGNED, "."), "--format", "json", "--out", REPORT]
    # The program that runs is the one that was started, and no file of the directory can take the place of a module.
    ours = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (ours, os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "api.cli", *words],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
