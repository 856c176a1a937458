"""A key-encryption key behind a program: the client of a KMS, gpg, age, systemd-creds, a script of one's own.

    provider = CommandProvider(read_config("/etc/sealroad/kms.toml"))

    schema = "sealroad.kek/1"
    id = "ops-2026"                                        # which key it is; stands in every sealed file
    wrap = ["/usr/bin/gpg", "--batch", "--encrypt", "--recipient", "ops"]
    unwrap = ["/usr/bin/gpg", "--batch", "--decrypt"]
    form = "octets"                                        # or "base64": the key travels as text (Vault's transit)
    timeout = 20                                           # seconds for one run
    environment = ["GNUPGHOME"]                            # variables that are passed on

`wrap` reads 32 octets on its standard input and writes what it makes of them; `unwrap` does the reverse. Such programs
know no associated data, so they are given a random key of our own, and that one encrypts the data key with the
associated data (AES-256-GCM). The blob is DER: SEQUENCE { made OCTET STRING, wrapped OCTET STRING }.

No shell; the arguments are those of the file; nothing secret is among them or in the environment. What a program writes
to its standard error is thrown away: it may quote what it was given.
"""

from __future__ import annotations

import base64
import os
import secrets as random
import select
import signal
import subprocess
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from certs import der
from certs.errors import KeyNotFound, KeyStoreError, KeyStoreUnavailable, MalformedInput
from certs.hardening import wipe
from certs.keys.kek import NONCE, SIZE, TAG, decrypt_key, encrypt_key

SCHEMA = "sealroad.kek/1"
MAX_MADE = 4096
"""Octets that a program may make of a key. An empty pipe takes as much at once (pipe(7)): writing never blocks."""
MAX_CONFIG = 65_536
TIMEOUT, MAX_TIMEOUT = 20, 300
_PATH = "/usr/local/bin:/usr/bin:/bin"
_FIELDS = {"schema", "id", "wrap", "unwrap", "form", "timeout", "environment"}


@dataclass(frozen=True)
class Commands:
    """What the configuration says."""

    name: str
    """For messages: the path of the configuration."""
    id: bytes
    wrap: tuple[str, ...]
    unwrap: tuple[str, ...]
    form: Literal["octets", "base64"] = "octets"
    timeout: float = TIMEOUT
    environment: tuple[str, ...] = ()


class CommandProvider:
    """A program wraps and unwraps. Every use of a key under it is one run of the program."""

    kind = "command"

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self.id = commands.id

    def __repr__(self) -> str:
        return f"<CommandProvider {self._commands.name}>"

    def wrap(self, data_key: bytes | bytearray, about: bytes) -> bytes:
        """Return the blob. Raises KeyStoreUnavailable, KeyNotFound."""
        key = bytearray(random.token_bytes(SIZE))
        try:
            made = self._run("wrap", self._commands.wrap, self._written(key))
            if self._commands.form == "base64":
                made = bytearray(made.strip())  # a line end is of the program, not of what it made
            if not made or bytes(key) in made or base64.b64encode(key) in made:
                raise self._failed("wrap", "gave back nothing, or the key itself")
            return der.sequence(der.octet_string(bytes(made)), der.octet_string(encrypt_key(key, data_key, about)))
        finally:
            wipe(key)

    def unwrap(self, blob: bytes, about: bytes) -> bytearray:
        """Return the data key. Raises KeyStoreError, KeyStoreUnavailable, KeyNotFound, MalformedInput."""
        body = der.members(blob)
        made, wrapped = body.value(der.OCTET_STRING), body.value(der.OCTET_STRING)
        body.end()
        if len(made) > MAX_MADE or len(wrapped) != NONCE + SIZE + TAG:
            raise MalformedInput("the wrapped key has a wrong length")
        key = self._read(self._run("unwrap", self._commands.unwrap, made))
        try:
            if len(key) != SIZE:
                raise self._failed("unwrap", "gave back no key")
            return decrypt_key(key, wrapped, about)
        finally:
            wipe(key)

    def _written(self, key: bytearray) -> bytes:
        return bytes(key) if self._commands.form == "octets" else base64.b64encode(key)

    def _read(self, output: bytearray) -> bytearray:
        if self._commands.form == "octets":
            return output
        try:
            return bytearray(base64.b64decode(output.strip(), validate=True))
        except ValueError:
            raise self._failed("unwrap", "gave back no base64") from None
        finally:
            wipe(output)

    def _failed(self, what: str, words: str) -> KeyStoreUnavailable:
        return KeyStoreUnavailable(
            f"the {what} program of {self._commands.name} {words}",
            hint="run it by hand to see what it says: its messages are not kept, because they may hold secrets",
        )

    def _run(self, what: str, command: tuple[str, ...], data: bytes) -> bytearray:
        """Run a program with `data` as its input and return its output, within bounds of time and size."""
        deadline = time.monotonic() + self._commands.timeout
        environment = {"PATH": _PATH, "LC_ALL": "C.UTF-8"}
        environment |= {name: os.environ[name] for name in self._commands.environment if name in os.environ}
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd="/",
                env=environment,
                start_new_session=True,  # so that its children can be ended with it
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "a word of it cannot be passed on"
            raise KeyNotFound(f"the {what} program of {self._commands.name} cannot be run: {reason}") from error
        try:
            output = _exchange(process, data, deadline)
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise self._failed(what, f"did not end within {self._commands.timeout:g} seconds") from None
        except _TooMuchError:
            raise self._failed(what, f"wrote more than {MAX_MADE} octets") from None
        finally:
            _end(process)
        if code != 0:
            wipe(output)
            raise self._failed(what, f"failed with code {code}")
        return output


class _TooMuchError(Exception):
    """A program that does not stop writing."""


def _exchange(process: subprocess.Popen[bytes], data: bytes, deadline: float) -> bytearray:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):  # it ended without reading: its code and output say why
        process.stdin.write(data)
    process.stdin.close()
    room, length = bytearray(MAX_MADE + 1), 0
    poll = select.poll()
    poll.register(process.stdout, select.POLLIN)
    try:
        while True:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise subprocess.TimeoutExpired(process.args, 0)
            count = process.stdout.readinto(memoryview(room)[length:])  # type: ignore[attr-defined]  # unbuffered: a FileIO
            if not count:
                return room[:length]
            length += count
            if length > MAX_MADE:
                raise _TooMuchError
    finally:
        wipe(room)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


# Configuration -------------------------------------------------------------------------------------------------------
def read_config(path: str | Path) -> Commands:
    """Read the TOML file that says which programs to run. Raises KeyNotFound, KeyStoreError, MalformedInput."""
    place = Path(path)
    try:
        with place.open("rb") as stream:
            if os.fstat(stream.fileno()).st_mode & 0o022:
                raise KeyStoreError(f"{place} can be written by others", hint=f"chmod go-w {place}")
            text = stream.read(MAX_CONFIG)
    except OSError as error:
        raise KeyNotFound(f"{place} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise KeyNotFound("a path holds no zero octets") from error
    try:
        values = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise MalformedInput(f"{place} is no TOML") from error
    return _checked(values, str(place))


def _checked(values: dict[str, Any], name: str) -> Commands:
    def wrong(what: str) -> MalformedInput:
        return MalformedInput(f"{name}: {what}", hint="docs/keys.md shows such a file")

    if values.get("schema") != SCHEMA or not values.keys() <= _FIELDS:
        raise wrong(f"not of schema {SCHEMA}, or with unknown names")
    key_id, form = values.get("id"), values.get("form", "octets")
    if not isinstance(key_id, str) or not 0 < len(key_id.encode()) <= 64:
        raise wrong("id is a text of 1 to 64 octets")
    if form not in ("octets", "base64"):
        raise wrong("form is octets or base64")
    commands = [_words(values.get(what)) for what in ("wrap", "unwrap")]
    for what, command in zip(("wrap", "unwrap"), commands, strict=True):
        if not command or not command[0].startswith("/"):
            raise wrong(f"{what} is a list of words; the first is the program, with its whole path")
    timeout = values.get("timeout", TIMEOUT)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= MAX_TIMEOUT:
        raise wrong(f"timeout is a number of seconds, at most {MAX_TIMEOUT}")
    environment = _words(values.get("environment", []))
    if environment is None:
        raise wrong("environment is a list of names")
    return Commands(name, key_id.encode(), commands[0] or (), commands[1] or (), form, float(timeout), environment)


def _words(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(word, str) and "\0" not in word for word in value):
        return None
    return tuple(value)
