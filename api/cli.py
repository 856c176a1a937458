"""The `sealroad` command: finds the sub-command, runs it, says what went wrong.

    sealroad verify contract.pdf --trust ca.pem

Sub-commands come from tables (`COMMANDS`, see `certs.command`); describing them imports nothing heavy. This is the one
place where an error becomes text on a terminal: `sealroad: what happened`, `hint: what to do`, exit code 2.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from certs.command import Command
from certs.errors import SealroadError

TABLES: Final = (
    "api.demo.cli",
    "signer.cli",
    "signer.cli_verify",
    "signer.cli_seal",
    "signer.cli_encrypt",
    "certs.cli",
    "api.commands",
)
"""Modules that offer `COMMANDS`, in the order `sealroad --help` shows them."""

USAGE_ERROR: Final = 2
INTERRUPTED: Final = 130


class _Parser(argparse.ArgumentParser):
    """A parser whose errors look like all others of this program."""

    def error(self, message: str) -> None:  # type: ignore[override]
        _complain(message, f"{self.prog} --help")
        raise SystemExit(USAGE_ERROR)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Refuse what is unknown where it stands: the hint names the help of that very action."""
        parsed, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return parsed, rest


def commands() -> dict[str, Command]:
    """Return every sub-command there is."""
    found: dict[str, Command] = {}
    for name in TABLES:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
            continue  # a distribution without that part
        found |= module.COMMANDS
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments))
    except SealroadError as error:
        _complain(str(error), error.hint)
        return USAGE_ERROR
    except KeyboardInterrupt:
        _complain("interrupted", "")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough. Python would complain again when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _complain(f"{where}{error.strerror or error}", "")
        return USAGE_ERROR


def _run(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        from api import version

        print(f"sealroad {version()}")
        return 0
    table = commands()
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    if wanted is not None and wanted not in table and arguments[0] == wanted:
        _complain(f"there is no command {wanted!r}", _suggest(wanted, table))
        return USAGE_ERROR
    # The one command that was asked for: describing all of them takes longer than some need to run.
    parser = _parser({wanted: table[wanted]} if wanted in table and arguments[0] == wanted else table)
    parsed = parser.parse_args(arguments)
    if parsed.command is None:
        parser.print_help()
        return USAGE_ERROR
    code = table[parsed.command].run(parsed)
    sys.stdout.flush()
    return code


def _parser(table: dict[str, Command]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="sealroad",
        description="Digital signatures for contracts that cross a border: "
        "each party signs one PDF with its own national cryptography.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    places = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=_Parser)
    for command in table.values():
        command.configure(places.add_parser(command.name, help=command.help, description=_sentence(command.help)))
    return parser


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _suggest(word: str, table: dict[str, Command]) -> str:
    import difflib

    close = difflib.get_close_matches(word, table, n=1)
    return f"did you mean 'sealroad {close[0]}'?" if close else "'sealroad --help' lists the commands"


def _complain(message: str, hint: str) -> None:
    print(f"sealroad: {message}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
