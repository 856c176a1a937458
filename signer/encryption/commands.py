"""The bodies of `sealroad encrypt` and `sealroad decrypt`; imported when one of them runs."""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self, cast

from certs import enveloped, suites
from certs.certificate import Certificate, load_certificates
from certs.clock import SystemClock
from certs.commands.console import MAX_INPUT, fetcher_of, not_over, read_input, secrets_of, stoppable
from certs.errors import CertsError, MalformedInput
from certs.files import WholeFile, nameless
from certs.keys import open_key
from certs.keys.base import KeyHandle
from certs.pem import pem_blocks
from certs.sink import Sink, filling
from certs.suites import content
from certs.suites.base import Family
from certs.trust import TrustStore
from signer.commands import certificates_of
from signer.encryption import pdf_commands
from signer.encryption.container import Package
from signer.encryption.envelope import Sender, by_family, seal
from signer.encryption.folder import Folder, WholeFolder
from signer.encryption.opening import OpenedEnvelope, open_envelope
from signer.encryption.recipients import check_recipients
from signer.errors import OptionError, UnreadableFile
from signer.report import Verdict
from signer.text.cleaning import clean
from signer.verify import VerifyOptions

SENDER_UNKNOWN = 3
"""Exit code of `decrypt` where the content was written and no sender's certificate could be traced to a trusted one."""
SPOOLED = 16 << 20
"""Octets for standard output that are kept in memory until they count; more go to a temporary file without a name."""
ZIP = b"PK\x03\x04"


# Encrypting ----------------------------------------------------------------------------------------------------------
def encrypt(args: argparse.Namespace) -> int:
    """Check the recipients, then make an envelope, a message where nobody signs, or a PDF."""
    not_over(args.target, [args.source, *args.to, *args.cert])
    if args.pdf:
        pdf_commands.check_options(args)
    if _means_folder(args.target) and (args.pdf or not args.sign_key):
        raise OptionError("a directory holds an envelope", hint="give --sign-key, or name a file")
    if args.name and not args.sign_key:
        raise OptionError("only an envelope says what its content is called", hint="give --sign-key too")
    recipients, helpers = [], list[Certificate]()
    for name in args.to:
        first, *others = load_certificates(read_input(name))
        recipients.append(first)
        helpers += others
    clock = SystemClock()
    store = TrustStore.load(args.trust, now=clock.now())
    checked = check_recipients(
        recipients, store, clock.now(), pool=helpers, revocation=args.revocation, fetch=fetcher_of(args)
    )
    if args.oaep != enveloped.OAEP and not any(suites.for_spki(item.spki).name == "rsa" for item in checked):
        raise OptionError("no recipient has an RSA key", hint="leave out --oaep")
    if args.pdf:
        data, how = pdf_commands.encrypt(args, checked)
        _put(data, _sink(args.target, mode=0o644))
        _say(args.target, f"encrypted to {_people(checked)}, {how}")
        return 0
    ciphers = _ciphers(args.cipher, checked)
    with _reader(args.source, whole=bool(args.sign_key)) as (reader, size), stoppable():
        if not args.sign_key:
            family = enveloped.family_of(checked)
            cipher = ciphers.get(family) or content.default(family).name
            with _Meter(size) as meter:
                sink = _sink(args.target, mode=0o644)
                enveloped.encrypt(reader, sink, checked, cipher=cipher, size=size, progress=meter.at, oaep=args.oaep)
            how = cipher
        else:
            senders = _senders(args)
            name = args.name or ("" if args.source == "-" else Path(args.source).name)
            with _Meter(None if size is None else size * len(by_family(checked))) as meter:
                target = args.target
                made = WholeFolder(target) if _means_folder(target) else _sink(target, mode=0o644)
                manifest = seal(
                    reader,
                    made,
                    checked,
                    senders,
                    clock=clock,
                    name=name,
                    ciphers=ciphers,
                    progress=meter.at,
                    oaep=args.oaep,
                )
            how = ", ".join(part.cipher for part in manifest.parts)
    _say(args.target, f"encrypted to {_people(checked)}, {how}")
    return 0


def _senders(args: argparse.Namespace) -> list[Sender]:
    if len(args.cert) > len(args.sign_key):
        raise OptionError("more --cert than --sign-key", hint="one certificate for each key, in the same order")
    secrets, out = secrets_of(args), []
    for number, uri in enumerate(args.sign_key):
        key = open_key(uri, secrets)
        given = args.cert[number] if number < len(args.cert) else None
        out.append(Sender(key, *certificates_of(argparse.Namespace(key=uri, cert=given, chain=None), key)))
    return out


def _ciphers(names: Sequence[str], recipients: Sequence[Certificate]) -> dict[Family, str]:
    """Return the cipher chosen for each family."""
    chosen = {content.for_name(name).family: name for name in names}
    for family, name in chosen.items():
        if family not in by_family(recipients):
            raise OptionError(f"no recipient reads {name}", hint="leave out --cipher, or name one of their family")
    return chosen


# Decrypting ----------------------------------------------------------------------------------------------------------
def decrypt(args: argparse.Namespace) -> int:
    """Open an envelope or a message."""
    not_over(args.target, [args.source, args.key.removeprefix("file:"), args.cert])
    folder = args.source if args.source != "-" and Path(args.source).is_dir() else None
    if folder is not None and Path(args.target).resolve().parent == Path(folder).resolve():
        raise OptionError(f"{args.target} would become a part of the envelope", hint="write it to another directory")
    key = open_key(args.key, secrets_of(args))
    certificate = _certificate(args, key)
    if folder is not None:
        with Folder(folder) as package, stoppable():
            meter = _Meter(sum(map(package.size, package.names)))
            return _decrypt_envelope(args, package, key, certificate, meter)
    with _reader(args.source) as (given, size), stoppable():
        reader = _rewindable(given)
        meter = _Meter(size)
        start = _peek(reader)
        if start == ZIP:
            return _decrypt_envelope(args, reader, key, certificate, meter)
        if start == pdf_commands.PDF:
            return _decrypt_pdf(args, reader, key, certificate)
        if args.trust:
            raise OptionError("a single message has no sender who could be trusted", hint="leave out --trust")
        senders = [load_certificates(read_input(name))[0] for name in args.sender]
        sink = _sink(args.target, mode=0o600)
        with meter:
            opened = enveloped.decrypt(reader, sink, key, certificate, senders=senders, progress=meter.at)
    _say(args.target, f"{opened.size} octets, {opened.cipher}")
    if not opened.authenticated:
        _warn(f"the cipher {opened.cipher} does not notice changes: anybody may have changed the content")
    if opened.signed_data is not None:
        _warn("the signatures that came with the content were not verified")
    return 0


def _decrypt_envelope(
    args: argparse.Namespace,
    source: BinaryIO | Package,
    key: KeyHandle,
    certificate: Certificate | None,
    meter: _Meter,
) -> int:
    clock = SystemClock()
    store = TrustStore.load(args.trust, now=clock.now())
    options = VerifyOptions(revocation=args.revocation, fetch=fetcher_of(args))
    sink = _sink(args.target, mode=0o600)
    with meter:
        opened = open_envelope(
            source, sink, key, certificate, trust=store, clock=clock, options=options, progress=meter.at
        )
    size = opened.about.content.size
    _say(args.target, f"{size} octets, {clean(opened.about.name)}, from {_signers(opened)}, {opened.sender}")
    if not opened.whole:
        _warn("the parts of the other recipients were not there, and not compared with the manifest")
    if opened.sender is Verdict.TOTAL_PASSED:
        return 0
    _warn("who the sender is could not be told: " + _why(opened))
    return SENDER_UNKNOWN


def _decrypt_pdf(args: argparse.Namespace, reader: BinaryIO, key: KeyHandle, certificate: Certificate | None) -> int:
    opened = pdf_commands.decrypt(args, _bounded(reader), key, certificate)
    _put(opened.data, _sink(args.target, mode=0o600))
    _say(args.target, f"{len(opened.data)} octets, {opened.method}")
    if not opened.authenticated:
        _warn("the file has no MAC: anybody may have changed it, but for what signatures cover")
    for part in opened.plain:
        _warn(f"{part}: do not open the copy in a viewer that follows links, unless you know why")
    if opened.signatures:
        _warn(f"signatures hold in the encrypted file only: keep it ({opened.signatures} of them)")
    return 0


def _signers(opened: OpenedEnvelope) -> str:
    return clean(", ".join(dict.fromkeys(opened.sender_names)))  # one person may have several keys


def _why(opened: OpenedEnvelope) -> str:
    reasons = dict.fromkeys(report.signatures[0].reason for _, report in opened.signatures)
    return clean("; ".join(reasons)) + " (name trusted authorities and lists with --trust)"


def _certificate(args: argparse.Namespace, key: KeyHandle) -> Certificate | None:
    """Return the recipient's certificate, if one is given or stands beside the key."""
    try:
        return certificates_of(argparse.Namespace(key=args.key, cert=args.cert, chain=None), key)[0]
    except (CertsError, OptionError):
        if args.cert is not None:
            raise
        return None


def _means_folder(target: str) -> bool:
    return target != "-" and (target.endswith("/") or Path(target).is_dir())


# Files ---------------------------------------------------------------------------------------------------------------
@contextmanager
def _reader(name: str, *, whole: bool = False) -> Iterator[tuple[BinaryIO, int | None]]:
    """Yield what is read, and its size where that is known; `whole`: it must be able to go back."""
    if name == "-":
        stream = cast("BinaryIO", sys.stdin.buffer)
    else:
        try:
            stream = Path(name).open("rb")  # noqa: SIM115 - closed below
        except OSError as error:
            raise UnreadableFile(f"{name} cannot be read: {error.strerror}", hint="check the path") from error
    with stream:
        if stream.seekable():
            size = stream.seek(0, 2)
            stream.seek(0)
            yield stream, size
        elif whole:
            data = _bounded(stream)
            yield io.BytesIO(data), len(data)
        else:
            yield stream, None


def _rewindable(given: BinaryIO) -> BinaryIO:
    """Return a stream from its beginning: of an envelope on standard input, or of PEM, a copy in memory."""
    start = _peek(given)
    if start == ZIP and not given.seekable():
        return io.BytesIO(_bounded(given))
    if start != b"----":
        return given
    blocks = pem_blocks(_bounded(given))
    if not blocks:
        raise MalformedInput("the file holds no message")
    return io.BytesIO(blocks[0][1])


def _peek(stream: BinaryIO) -> bytes:
    """Return the first four octets without taking them."""
    peek = getattr(stream, "peek", None)
    if peek is not None:
        return bytes(peek(4)[:4])
    octets = stream.read(4)
    stream.seek(0)
    return octets


def _bounded(stream: BinaryIO) -> bytes:
    data = stream.read(MAX_INPUT + 1)
    if len(data) > MAX_INPUT:
        raise MalformedInput("too large for standard input or PEM", hint="save it to a file, as DER")
    return data


def _put(data: bytes, sink: Sink) -> None:
    """Write all of it, or nothing."""
    with filling(sink):
        sink.write(data)


def _sink(name: str, *, mode: int) -> Sink:
    if name == "-":
        return _Standard()
    return nameless(name) if mode == 0o600 else WholeFile(name, mode=mode)


class _Standard:
    """Standard output, which gets everything once it counts."""

    def __init__(self) -> None:
        self._spool = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 - closed by commit and discard

    def write(self, data: bytes, /) -> None:
        """Keep octets."""
        self._spool.write(data)

    def commit(self) -> None:
        """Write all of them."""
        self._spool.seek(0)
        shutil.copyfileobj(self._spool, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        self._spool.close()

    def discard(self) -> None:
        """Write none of them."""
        self._spool.close()


# Words ---------------------------------------------------------------------------------------------------------------
class _Meter:
    """How far the work is, on standard error, where it takes more than a second and a person is looking."""

    def __init__(self, size: int | None) -> None:
        self._size, self._began, self._said = size, time.monotonic(), 0.0

    def at(self, done: int) -> None:
        """Take note of octets done; a line at most ten times a second."""
        now = time.monotonic()
        if now - self._began > 1 and now - self._said > 0.1 and sys.stderr.isatty():
            share = f", {100 * done // self._size} %" if self._size else ""
            sys.stderr.write(f"\r\x1b[K{done >> 20} MiB{share}")
            sys.stderr.flush()
            self._said = now

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the line away."""
        if self._said:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _people(certificates: Sequence[Certificate]) -> str:
    named = [clean(item.common_name or item.subject) for item in certificates[:5]]
    more = f" and {len(certificates) - 5} more" if len(certificates) > 5 else ""
    return ", ".join(named) + more


def _say(target: str, words: str) -> None:
    if target != "-":
        sys.stdout.write(f"{target}: {words}\n")


def _warn(words: str) -> None:
    sys.stderr.write(f"sealroad: {words}\n")
