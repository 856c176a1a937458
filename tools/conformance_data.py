"""Brings what `make test-all` takes from others as data or as a judge: BetterTLS and zlint, at one version each.

    python tools/conformance_data.py           # writes .work/conformance/bettertls.json and .work/conformance/zlint

Both are Go modules, brought by the Go command: the one on the PATH, or else the one of requirements/go.txt. The archive
of each module must have the SHA-256 below, and the go.sum inside it pins what it imports. BetterTLS makes its keys anew
each time, with certificates valid for a year, so its file is made again after a month. Modules come over a network that
no machine owes us: where one cannot be had its tests are skipped with that reason. One that is not what it was fails.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".work" / "conformance"
LEAST = (1, 25)
"""What zlint's go.mod asks for."""
MONTH = 30 * 24 * 3600


@dataclass(frozen=True)
class Module:
    """A Go module, and the command in it."""

    path: str
    version: str
    sha256: str
    command: str


BETTERTLS = Module(
    "github.com/Netflix/bettertls",
    "v0.0.0-20250909192348-e1e99e353074",
    "735a3a25cae52ada8a2d63b74f4a6a955145d814358c3c35ff0d5c621172ecb2",
    "./test-suites/cmd/bettertls",
)
ZLINT = Module(
    "github.com/zmap/zlint/v3",
    "v3.7.3",
    "272cef485d084232567e095c9b9a1d7e1b79630400e020bcb5644e89f2a235f5",
    "./cmd/zlint",
)


class NotToBeHadError(Exception):
    """Something could not be brought; the message says what."""


class ChangedError(Exception):
    """What came is not what it was; the message says what."""


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """Return the output. Raises NotToBeHadError with the last line of what the program says."""
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0"}
    try:
        done = subprocess.run(
            list(map(str, command)),
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotToBeHadError(f"{Path(command[0]).name}: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no word"]
        raise NotToBeHadError(f"{Path(command[0]).name} {command[1]}: {said[-1]}")
    return done.stdout


def new_enough(go: str) -> bool:
    """Tell whether a Go command is one, and not too old."""
    try:
        found = re.search(r"go(\d+)\.(\d+)", run(go, "version"))
    except NotToBeHadError:
        return False
    return found is not None and (int(found[1]), int(found[2])) >= LEAST


def go_command() -> str:
    """Return a Go command, installed beside this Python where the machine has none."""
    own = Path(sys.executable).parent / "go"
    for candidate in (shutil.which("go"), str(own)):
        if candidate and new_enough(candidate):
            return candidate
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "install", "--require-hashes", "-r", ROOT / "requirements" / "go.txt")
    return str(own)


def source(go: str, module: Module) -> Path:
    """Return the folder of the module's source, its archive compared with the digest. Raises ChangedError."""
    answer = json.loads(run(go, "mod", "download", "-json", f"{module.path}@{module.version}"))
    with Path(answer["Zip"]).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != module.sha256:
        raise ChangedError(f"{module.path} {module.version} has SHA-256 {digest}, not {module.sha256}")
    return Path(answer["Dir"])


def build(module: Module) -> Path:
    """Return the command of a module, built where it is not there yet."""
    target = FOLDER / f"{Path(module.command).name}-{module.version}"
    if not target.exists():
        go = go_command()
        run(go, "build", "-o", target, module.command, folder=source(go, module))
    return target


def bettertls() -> None:
    """Write bettertls.json."""
    target = FOLDER / "bettertls.json"
    if target.exists() and time.time() - target.stat().st_mtime < MONTH:
        return
    half = target.with_suffix(".half")
    run(build(BETTERTLS), "export-tests", "--out", half)
    half.replace(target)


def zlint() -> None:
    """Build zlint."""
    built = build(ZLINT)
    link = FOLDER / "zlint"
    link.unlink(missing_ok=True)
    link.symlink_to(built.name)


def main() -> int:
    """Bring what is missing, and say what cannot be had. Returns 1 where something is not what it was."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    changed = 0
    for bring in (bettertls, zlint):
        try:
            bring()
        except NotToBeHadError as error:
            print(f"make test-all: no {bring.__name__}, its tests are skipped: {error}", file=sys.stderr)
        except ChangedError as error:
            changed = 1
            print(f"make test-all: {bring.__name__}: {error}", file=sys.stderr)
    return changed


if __name__ == "__main__":
    sys.exit(main())
