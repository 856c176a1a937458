"""`sealroad verify` against `pyhanko sign validate`: wall time of the whole process on the same file; then the corpus.

    python -m benchmarks verify

Both are told the same trust root and judge the same moment without revocation (pyHanko's command line takes no CRL
file); both analyse later revisions; both find their modules compiled, as installed programs do.

pyHanko's command line is the package pyhanko-cli, which we do not need: where it is not beside our own,
SEALROAD_BENCH_PYHANKO names it. Without it a short script validates with the library, as that command does.
`benchmarks.verdicts` has the tables about the corpus.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import verdicts
from benchmarks.compare import Row, Table, alternate, milliseconds
from benchmarks.documents import Document, both
from signer.pades.options import SignOptions
from signer.pades.sign import sign_bytes
from tests.conftest import CLOCK, NOW, Circle, circle_of, make_pdf

ROUNDS = 9
SUITE = "ecdsa-p256"
"""A suite both programs know."""
VARIABLE = "SEALROAD_BENCH_PYHANKO"

_SUBSTITUTE = """
import sys
from datetime import datetime
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

root, moment, name = sys.argv[1:]
moment = datetime.fromisoformat(moment)
with open(name, "rb") as file:
    for signature in PdfFileReader(file).embedded_signatures:
        context = ValidationContext(trust_roots=[load_cert_from_pemder(root)], moment=moment)
        status = validate_pdf_signature(signature, context)
        print(signature.field_name, status.summary())
        if not status.bottom_line:
            sys.exit(1)
"""


def run(*, quick: bool = False) -> list[Table]:
    """Return the tables."""
    circle = circle_of(SUITE)
    command, peer, note = _peer()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root.pem"
        root.write_text(circle.root.pem)
        rows = []
        for document in _signed(circle):
            path = Path(folder) / "contract.pdf"
            path.write_bytes(document.data)
            rows.append(_row(document.name, path, root, command, rounds=2 if quick else ROUNDS))
        path.write_bytes(sign_bytes(make_pdf(), circle.person.key, circle.person.certificate, (), SignOptions(), CLOCK))
        cold = _cold(path, _environment(Path(folder)), rounds=2 if quick else ROUNDS)
    return [
        Table("verify: wall time of the whole process", "sealroad", peer, rows, "times the peer's", (note,)),
        Table("verify: cold start", "sealroad", "bare interpreter", [cold], "times the peer's"),
        *verdicts.run(quick=quick),
    ]


def _signed(circle: Circle) -> list[Document]:
    """Return both contracts, with one and with three signatures."""
    out = []
    holder = circle.organisation
    for document in both():
        data = document.data
        for count in (1, 2, 3):
            data = sign_bytes(data, holder.key, holder.certificate, (circle.issuing,), SignOptions(), CLOCK)
            if count == 1:
                out.append(Document(f"{document.name}, 1 signature", data))
        out.append(Document(f"{document.name}, 3 signatures", data))
    return out


def _row(what: str, path: Path, root: Path, command: list[str], rounds: int) -> Row:
    moment = NOW.isoformat()
    environment = _environment(root.parent)

    def finish(arguments: list[str]) -> int:
        return _finish(arguments, environment)

    mine = [str(Path(sys.executable).with_name("sealroad")), "verify", "--trust", str(root), "--at", moment]
    mine += ["--revocation", "if-present", str(path)]
    theirs = [*command, str(root), moment, str(path)]
    if command[-1] == "validate":
        options = ["--trust", str(root), "--trust-replace", "--no-revocation-check", "--validation-time", moment]
        theirs = [*command, *options, str(path)]
    for arguments in (mine, theirs):
        code = finish(arguments)
        if code != 0:
            return Row(what, "", f"{Path(arguments[0]).name}: exit code {code}")
    pairs = alternate(lambda: finish(mine), lambda: finish(theirs), rounds, processes=True)
    return Row(what, milliseconds(pairs.ours), milliseconds(pairs.peer), pairs.ratios)


def _cold(path: Path, environment: dict[str, str], rounds: int) -> Row:
    """Return `sealroad verify` on a small file beside an interpreter that does nothing."""
    mine = [str(Path(sys.executable).with_name("sealroad")), "verify", "--revocation", "if-present", str(path)]
    bare = [sys.executable, "-c", "pass"]
    pairs = alternate(lambda: _finish(mine, environment), lambda: _finish(bare, environment), rounds, processes=True)
    return Row("cold start, small file", milliseconds(pairs.ours), milliseconds(pairs.peer), pairs.ratios)


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment in which modules are compiled, as those of installed programs are."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    if not (folder / "bytecode").is_dir():
        compiled = [sys.executable, "-m", "compileall", "-q", "certs", "signer", "api"]
        subprocess.run(compiled, env=environment, cwd=Path(__file__).parent.parent, check=True)
    return environment


def _finish(command: list[str], environment: dict[str, str]) -> int:
    """Run a command to its end and return its exit code."""
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False
    ).returncode


def _peer() -> tuple[list[str], str, str]:
    """Return how the other program starts, what to call it, and a word about it."""
    wanted = os.environ.get(VARIABLE)
    beside = shutil.which("pyhanko", path=str(Path(sys.executable).parent))
    found = shutil.which(wanted) if wanted else beside or shutil.which("pyhanko")
    if found:
        return [found, "sign", "validate"], "pyhanko", _version(found)
    missing = f"{VARIABLE} names nothing that can be run" if wanted else "pyhanko-cli is not installed"
    note = f"{missing}: its validation library is used by a short script instead; {VARIABLE} names the command."
    return [sys.executable, "-c", _SUBSTITUTE], "its library", note


def _version(command: str) -> str:
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return f"The peer is {done.stdout.strip() or 'of an unknown version'}."
