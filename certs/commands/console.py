"""Terminal, files and passwords for the sub-commands.

    secrets = secrets_of(args)                 # --password-file, --password-fd, or a prompt
    write_output(args.output, data, inputs=[args.file])

Secrets come by prompt, file or file descriptor, never as an argument: everybody on the machine can see arguments.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certs import files
from certs.errors import CertsError, KeyStoreError, MalformedInput, WrongPassword
from certs.keys.base import Secrets

if TYPE_CHECKING:
    from certs.fetch import Fetcher

MAX_INPUT = 64 * 1024 * 1024


class UsageError(CertsError):
    """The command was called in a way that cannot work."""

    code = "usage-error"


def read_input(name: str) -> bytes:
    """Return the contents of file `name`, or of standard input for "-"."""
    if name == "-":
        data = sys.stdin.buffer.read(MAX_INPUT + 1)
    else:
        try:
            with Path(name).open("rb") as stream:
                data = stream.read(MAX_INPUT + 1)
        except OSError as error:
            raise MalformedInput(f"{name} cannot be read: {error.strerror}", hint="check the path") from error
    if len(data) > MAX_INPUT:
        raise MalformedInput(f"{name} is too large")
    return data


def write_output(name: str | None, data: bytes, *, inputs: Sequence[str] = ()) -> None:
    """Write `data` to file `name`, or to standard output for "-" and None; never over an input."""
    if name is None or name == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    not_over(name, inputs)
    try:
        files.write(name, data)
    except OSError as error:
        raise KeyStoreError(f"{name} cannot be written: {error.strerror}") from error


def not_over(name: str, inputs: Sequence[str | None]) -> None:
    """Raise UsageError where the output `name` is one of the inputs; standard input and output never are."""
    target = Path(name).resolve()
    if name != "-" and any(item not in (None, "-") and Path(str(item)).resolve() == target for item in inputs):
        raise UsageError(f"{name} is an input, it will not be overwritten", hint="choose another output file")


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM end the work as Ctrl-C does, so that nothing half done stays behind; the main thread alone can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def fetcher_of(args: argparse.Namespace) -> Fetcher | None:
    """Return what asks for missing certificates, lists and answers, once for each; None without --online."""
    if not args.online:
        return None
    from certs.fetch import HTTPFetcher, Remembering

    return Remembering(HTTPFetcher(timeout=5))


def print_json(value: Any) -> None:
    """Print `value` as JSON for people and programs."""
    print(json.dumps(value, ensure_ascii=False, indent=1))


def moment_of(text: str | None) -> datetime | None:
    """Return a moment given in ISO 8601; without an offset it is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text} is no time", hint="for example 2026-11-21T10:00:00Z") from error


def secrets_of(args: argparse.Namespace, *, confirm: bool = False) -> Secrets:
    """Return the callback that answers with --password-file, --password-fd, or what is typed twice if `confirm`."""
    given: bytes | None = None
    if getattr(args, "no_password", False):
        given = b""
    elif args.password_file is not None:
        given = first_line(read_input(args.password_file))
    elif args.password_fd is not None:
        given = first_line(_read_descriptor(args.password_fd))
    typed: list[bytes] = []

    def ask(name: str) -> bytes:
        if given is not None:
            return given
        if typed and confirm:
            return typed[0]  # one new password for all keys of an authority
        if not sys.stdin.isatty():
            raise WrongPassword(
                f"the {name} is needed and there is no terminal to ask", hint="use --password-file or --password-fd"
            )
        password = getpass.getpass(f"{name}: ").encode()
        if confirm and getpass.getpass(f"{name} again: ").encode() != password:
            raise WrongPassword("the two passwords differ")
        if confirm and not password:
            raise WrongPassword("an empty password protects nothing", hint="use --no-password if that is meant")
        typed.append(password)
        return password

    return ask


def first_line(data: bytes) -> bytes:
    """Return the first line without its end, as `openssl -pass file:` takes it."""
    return data.split(b"\n", 1)[0].rstrip(b"\r")


def _read_descriptor(number: int) -> bytes:
    try:
        with os.fdopen(number, "rb") as stream:
            return stream.read(65536)
    except OSError as error:
        raise WrongPassword(f"file descriptor {number} cannot be read: {error.strerror}") from error
