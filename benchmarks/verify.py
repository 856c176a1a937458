"""`sealroad verify` against `pyhanko sign validate`: wall time of the whole process on the same file.

    python -m benchmarks verify

Both are told the same trust root and validate the same moment without revocation (pyHanko's command line takes no CRL
file); both analyse later revisions. pyhanko-cli is not needed by the product: install it beside it to compare
(`pip install pyhanko-cli`). The best of the runs is shown: the least disturbed one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import circle_of
from tests.signer import rawpdf
from tests.signer.test_verify import cms

RUNS = 7


def files() -> dict[str, bytes]:
    """Contracts of two sizes, with one and with three ECDSA signatures (the suite both programs know)."""
    circle = circle_of("ecdsa-p256")
    body = b"".join(b"BT /F1 10 Tf 72 %d Td (clause %d of the contract) Tj ET\n" % (n % 800, n) for n in range(900))
    made: dict[str, bytes] = {}
    for label, extra in (("50 KB", 0), ("2 MB", 2_000_000)):
        parts = {"o4": rawpdf.stream(body)}
        if extra:
            parts["o7"] = rawpdf.stream(b"\x00" * extra)
        data: bytes | None = None
        for count in (1, 2, 3):
            replaced = parts if data is None else {}
            data = rawpdf.sign(cms(circle), data, digits=16_384, **replaced)
            if count != 2:
                made[f"{label}, {count} signature{'s' if count > 1 else ''}"] = data
    return made


def best(command: list[str]) -> tuple[float, int]:
    """Return the shortest wall time in seconds and the exit code."""
    times = []
    code = 0
    for _ in range(RUNS):
        start = time.perf_counter()
        code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
        times.append(time.perf_counter() - start)
    return min(times), code


def main() -> None:
    """Print the table."""
    circle = circle_of("ecdsa-p256")
    here = Path(sys.executable).parent
    ours = here / "sealroad"
    peer = shutil.which("pyhanko", path=f"{here}:/usr/local/bin:/usr/bin")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root.pem"
        root.write_text(circle.root.pem)
        print(f"{'file':24} {'sealroad verify':>16} {'pyhanko validate':>17} {'ratio':>7}")
        for label, data in files().items():
            path = Path(folder) / "contract.pdf"
            path.write_bytes(data)
            moment = "2026-11-21T10:00:00+00:00"
            mine, code = best(
                [str(ours), "verify", str(path), "--trust", str(root), "--at", moment, "--revocation", "if-present"]
            )
            assert code == 0, f"sealroad verify: exit code {code}"
            if peer is None:
                print(f"{label:24} {mine * 1000:13.0f} ms {'not installed':>17}")
                continue
            command = [peer, "sign", "validate", "--trust", str(root), "--trust-replace", "--no-revocation-check"]
            theirs, code = best([*command, "--validation-time", moment, str(path)])
            note = "" if code == 0 else f"  (pyhanko: exit code {code})"
            print(f"{label:24} {mine * 1000:13.0f} ms {theirs * 1000:14.0f} ms {mine / theirs:7.2f}{note}")


if __name__ == "__main__":
    main()
