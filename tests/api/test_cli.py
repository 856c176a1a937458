"""The `sealroad` entry point: quick, quiet, and one way to say what went wrong."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from api import cli, version
from certs.command import Command
from certs.errors import WrongPassword

HEAVY = (
    "fastapi",
    "sqlalchemy",
    "pyhanko",
    "alembic",
    "uvicorn",
    "pydantic",
    "reportlab",
    "pikepdf",
    "uharfbuzz",
    "asn1crypto",
    "cryptography",
)


def sealroad(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_version_is_printed() -> None:
    done = sealroad("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"sealroad {version()}\n", "")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_nothing_heavy_is_imported_for_version_and_help(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom api.cli import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.rstrip().endswith("HEAVY []")


def test_help_lists_every_command() -> None:
    done = sealroad("--help")
    assert done.returncode == 0
    for name, command in cli.commands().items():
        assert name in done.stdout
        assert command.name == name
        assert command.help == command.help.rstrip(".")


def test_without_a_command_the_help_is_shown() -> None:
    done = sealroad()
    assert done.returncode == 2
    assert "commands" in done.stdout


def test_an_unknown_command_is_answered_with_a_suggestion() -> None:
    done = sealroad("serv")
    assert done.returncode == 2
    assert done.stderr == "sealroad: there is no command 'serv'\nhint: did you mean 'sealroad serve'?\n"
    assert sealroad("frobnicate").stderr.endswith("hint: 'sealroad --help' lists the commands\n")


def test_a_wrong_option_is_a_usage_error_with_a_hint() -> None:
    done = sealroad("serve", "--port", "many")
    assert done.returncode == 2
    assert done.stderr.startswith("sealroad: ")
    assert "hint: sealroad serve --help" in done.stderr


@pytest.mark.parametrize("action", ["verify", "ra officer", "ca audit prove"])
def test_an_unknown_option_leads_to_the_help_of_that_action(action: str) -> None:
    done = sealroad(*action.split(), "x", "--frobnicate")
    assert done.returncode == 2
    assert done.stderr == f"sealroad: unrecognized arguments: --frobnicate\nhint: sealroad {action} --help\n"


@pytest.mark.parametrize("action", ["circle rollover sm2", "master-key rotate --from env:OLD --to env:NEW"])
def test_what_changes_a_service_does_not_make_one(action: str, tmp_path: Path) -> None:
    done = sealroad(*action.split(), "--data", str(tmp_path / "none"))
    assert done.returncode == 2
    assert done.stderr == (
        f"sealroad: {tmp_path}/none is no data directory of a service\nhint: --data or SEALROAD_DATA names it\n"
    )
    assert not (tmp_path / "none").exists()


def run_with(monkeypatch: pytest.MonkeyPatch, action: object) -> int:
    table = {"act": Command("act", "act", lambda parser: None, action)}  # type: ignore[arg-type]
    monkeypatch.setattr(cli, "commands", lambda: table)
    return cli.main(["act"])


def test_an_error_becomes_two_lines_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: argparse.Namespace) -> NoReturn:
        raise WrongPassword("the password does not open key.pem", hint="try again")

    assert run_with(monkeypatch, fail) == 2
    assert capsys.readouterr().err == "sealroad: the password does not open key.pem\nhint: try again\n"


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(arguments: argparse.Namespace) -> NoReturn:
        raise KeyboardInterrupt

    assert run_with(monkeypatch, interrupted) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_missing_file_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_with(monkeypatch, lambda arguments: Path("/nowhere/at/all").read_bytes()) == 2
    assert capsys.readouterr().err == "sealroad: /nowhere/at/all: No such file or directory\n"


def test_a_reader_that_has_enough_is_no_error() -> None:
    script = "import sys\nfrom api import cli\nfrom certs.command import Command\n"
    script += "def talk(a):\n    for i in range(100000): print('line', i)\n    return 0\n"
    script += (
        "cli.commands = lambda: {'talk': Command('talk', 'talk', lambda p: None, talk)}\nsys.exit(cli.main(['talk']))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "line 0\n"
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_password_on_the_command_line_is_refused(tmp_path: Path) -> None:
    done = sealroad("migrate", "--data", str(tmp_path), "--database", "postgresql://user:secret@localhost/db")
    assert done.returncode == 2
    assert "can be seen by everybody" in done.stderr
    assert "SEALROAD_DATABASE_URL" in done.stderr


def test_tenants_and_keys_from_the_command_line(tmp_path: Path) -> None:
    environment = {**os.environ, "SEALROAD_DATA": str(tmp_path / "data")}
    made = sealroad("tenant", "create", "Volga Trade", env=environment)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("srk_")
    assert made.stdout.strip() not in made.stderr
    again = sealroad("tenant", "create", "Volga Trade", env=environment)
    assert again.returncode == 2
    assert "already" in again.stderr
    key = sealroad("api-key", "create", "Volga Trade", "--scope", "documents:read", "--days", "30", env=environment)
    assert key.returncode == 0, key.stderr
    identifier = key.stdout.split("_")[1]
    assert sealroad("api-key", "revoke", identifier, env=environment).stdout == f"sealroad: revoked key_{identifier}\n"
    wrong = sealroad("api-key", "create", "Volga Trade", "--scope", "everything", env=environment)
    assert wrong.returncode == 2
    assert "documents:read" in wrong.stderr
    for path in (tmp_path / "data").rglob("*"):
        assert made.stdout.split("_", 2)[2].strip().encode() not in (path.read_bytes() if path.is_file() else b"")
