"""The README says what is: its commands exist, its scripts run, its output is what the program prints."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli import commands, main
from certs.clock import SystemClock
from certs.trust import TrustStore
from signer.verify import verify_bytes
from tests.conftest import make_pdf

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(after: str, language: str = "") -> str:
    """Return the first fenced block of `language` behind the words `after`."""
    match = re.search(rf"^```{language}\n(.*?)^```$", README[README.index(after) :], re.DOTALL | re.MULTILINE)
    assert match is not None
    return match[1]


def test_every_command_is_in_the_table_and_every_row_is_a_command() -> None:
    rows = re.findall(r"^\| `sealroad ([a-z-]+)` \|", README, re.MULTILINE)
    assert rows == list(commands())


def test_every_suite_is_named() -> None:
    from certs import suites

    table = README[README.index("## Algorithm suites") :]
    for name in (*suites.ALL_NAMES, *suites.ENCRYPTION_NAMES):
        stem, _, rest = name.rpartition("-")
        assert f"`{name}`" in table or (f"`{stem}-" in table and f"`-{rest}`" in table), name


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_exit_codes_are_the_programs() -> None:
    from signer.cli_verify import EXIT_CODES, UNREADABLE

    rows = dict(re.findall(r"^\| ([0-4]) \| (.*) \|$", README, re.MULTILINE))
    assert set(rows) == {str(code) for code in (*EXIT_CODES.values(), UNREADABLE)}
    for verdict in ("TOTAL-PASSED", "TOTAL-FAILED", "INDETERMINATE"):
        assert verdict in rows[str(EXIT_CODES[verdict])]


def test_the_command_line_tour_signs_a_pdf_that_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cheap_passwords: None
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("contract.pdf").write_bytes(make_pdf())
    Path("password").write_text("a password\n")
    lines = block("## Sign a PDF from the command line").splitlines()
    for line in lines:
        words = shlex.split(line, comments=True)
        assert words[0] == "sealroad"
        password = [] if words[1] == "verify" else ["--password-file", "password"]
        assert main([*words[1:], *password]) == 0, line
    assert lines[-1].startswith("sealroad verify")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A service of its own process; the environment for the script."""
    arguments = [sys.executable, "-m", "api.cli", "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                match = re.search(r"listening on (http://\S+),", line)
                if match:
                    yield {"SERVICE": match[1], "KEYFILE": str(tmp_path / "data" / "admin.key")}
                    break
            else:
                pytest.fail("the service did not start")
        finally:
            process.terminate()


def run_script(script: str, directory: Path, service: dict[str, str]) -> str:
    """Run a script of the documentation against the service and return what it prints; `sealroad` is this program."""
    if shutil.which("curl") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("curl is not installed")
        pytest.skip("curl is not installed")
    done = subprocess.run(
        ["bash", "-c", f'set -eu\nsealroad() {{ "{sys.executable}" -m api.cli "$@"; }}\n{script}'],
        cwd=directory,
        env={**os.environ, **service, "DATA": str(Path(service["KEYFILE"]).parent), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_five_calls_end_with_a_signed_pdf(tmp_path: Path, service: dict[str, str]) -> None:
    (tmp_path / "contract.pdf").write_bytes(make_pdf())
    run_script(block("## Integrate: five HTTP calls", "sh"), tmp_path, service)
    report = verify_bytes(
        (tmp_path / "signed.pdf").read_bytes(), name="signed.pdf", trust=TrustStore(), clock=SystemClock()
    )
    (signature,) = report.signatures
    assert signature.suite == "sm2"
    assert signature.cryptographic.result == "passed"


def _plain(text: str) -> list[str]:
    """Return the lines without what differs from run to run: numbers of ports, dates and sizes."""
    return [re.sub(r"\d+", "0", line).rstrip() for line in text.splitlines()]


@pytest.mark.slow
def test_the_story_of_the_demo_is_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--dir", str(tmp_path / "demo")]) == 0
    printed = _plain(capsys.readouterr().out)
    told = _plain(block("## The demo in a minute"))
    assert printed[: len(told)] == told
