"""`sealroad verify`: the verdict on files; offline unless it is told otherwise.

    sealroad verify contract.pdf --trust ca/ --lang zh
    sealroad verify data.p7s --content data.bin --format json
    sealroad verify partner.cer --trust ca/ --purpose signing

Exit codes: 0 every signature TOTAL-PASSED; 1 at least one TOTAL-FAILED; 2 usage or unreadable file; 3 at least one
INDETERMINATE, none failed; 4 no signature. Of several files the gravest code is returned, in the order
1, 2, 3, 4, 0; every file is looked at, whatever happened to the one before.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certs.command import Command

if TYPE_CHECKING:
    from datetime import datetime

    from certs.fetch import Fetcher
    from signer.report import Report

EXIT_CODES = {"TOTAL-PASSED": 0, "TOTAL-FAILED": 1, "INDETERMINATE": 3, "NO-SIGNATURE": 4}
UNREADABLE = 2
GRAVEST_FIRST = (1, 2, 3, 4, 0)


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="PDF, ASiC container, CMS signature (.p7s), time-stamp (.tst, .tsr), certificate, revocation list or OCSP "
        "answer; - for standard input",
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PATH",
        help="trusted authorities and CRLs: a file, a directory or a trust list (list.xml#sha256=…, list.json)",
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        help="judge as of this moment (ISO 8601, UTC unless it says otherwise), as if the file had been there then",
    )
    parser.add_argument("--content", metavar="FILE", help="what a detached signature or a time-stamp was made over")
    parser.add_argument(
        "--revocation",
        choices=("require", "if-present", "after"),
        default="require",
        help="what to do where no CRL or OCSP answer is at hand: say so (require, the default) or go on (if-present); "
        "after: it must be newer than the time-stamp of the signature",
    )
    parser.add_argument(
        "--purpose",
        choices=("any", "signing", "timestamping", "ocsp", "tls-server", "tls-client"),
        default="any",
        help="what a certificate that is itself the file is to be good for",
    )
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--offline", action="store_true", help="never open a connection (the default)")
    network.add_argument(
        "--online",
        action="store_true",
        help="ask for certificates, lists and OCSP answers that are missing, at public addresses in the certificates",
    )
    parser.add_argument("--format", choices=("text", "json", "html", "xml"), default="text")
    parser.add_argument("--lang", choices=("en", "zh", "ru"), default="en")
    parser.add_argument("--out", metavar="FILE", help="write the report there instead of to standard output")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every check with its clause")


def run(args: argparse.Namespace) -> int:
    """Verify each file and print the report; returns the exit code. Raises SealroadError for wrong usage."""
    from certs.clock import SystemClock
    from certs.errors import SealroadError
    from certs.names import printable
    from certs.trust import TrustStore
    from signer.errors import OptionError
    from signer.verify import VerifyOptions, verify_bytes

    if args.format == "xml":
        raise OptionError("reports in XML are not written yet", hint="use --format json")
    if args.out and any(Path(args.out).resolve() == Path(name).resolve() for name in args.files if name != "-"):
        raise OptionError("the report would overwrite a file it is about", hint="give --out another name")
    clock = SystemClock()
    at = _moment(args.at) if args.at else None
    trust = TrustStore.load([Path(path) for path in args.trust], now=clock.now())
    for reason in trust.skipped:
        print(f"sealroad: not used: {printable(reason)}", file=sys.stderr)
    content = _read(args.content) if args.content else None
    options = VerifyOptions(revocation=args.revocation, fetch=_fetcher() if args.online else None, purpose=args.purpose)
    outcomes: list[Report | dict[str, Any]] = []
    codes: list[int] = []
    for name in args.files:
        try:
            report = verify_bytes(
                _read(name),
                name=name if name != "-" else "standard input",
                trust=trust,
                at=at,
                clock=clock,
                options=options,
                content=content,
            )
        except SealroadError as error:
            if len(args.files) == 1:
                raise
            print(f"sealroad: {name}: {error.message}", file=sys.stderr)
            if error.hint:
                print(f"hint: {error.hint}", file=sys.stderr)
            outcomes.append({"file": name, "error": {"code": error.code, "message": error.message, "hint": error.hint}})
            codes.append(UNREADABLE)
            continue
        outcomes.append(report)
        codes.append(EXIT_CODES[report.verdict])
    _write(args, _rendered(args, outcomes))
    return next(code for code in GRAVEST_FIRST if code in codes)


def _fetcher() -> Fetcher:
    from certs.fetch import HTTPFetcher, Remembering

    return Remembering(HTTPFetcher(timeout=5))


def _moment(text: str) -> datetime:
    from datetime import UTC, datetime

    from signer.errors import OptionError

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise OptionError(
            f"--at {text!r} is not a moment", hint="write it as 2026-11-21 or 2026-11-21T10:00:00Z"
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _read(name: str) -> bytes:
    from signer.errors import UnreadableFile
    from signer.verify import MAX_FILE

    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_FILE + 1)
        else:
            path = Path(name)
            if path.stat().st_size > MAX_FILE:
                raise UnreadableFile(f"{name} is larger than {MAX_FILE >> 20} MiB", hint="split it or raise the limit")
            data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableFile(
            f"cannot read {name}: {reason.lower()}", hint="check the name and the permissions"
        ) from error
    if len(data) > MAX_FILE:
        raise UnreadableFile(f"{name} is larger than {MAX_FILE >> 20} MiB", hint="split it or raise the limit")
    return data


def _rendered(args: argparse.Namespace, outcomes: list[Report | dict[str, Any]]) -> str:
    """Return what is printed: JSON is one object for one file and an array for several."""
    reports = tuple(o for o in outcomes if not isinstance(o, dict))
    if args.format == "json":
        import json

        objects = [o if isinstance(o, dict) else o.to_json() for o in outcomes]
        return json.dumps(objects if len(objects) > 1 else objects[0], ensure_ascii=False, indent=1) + "\n"
    if args.format == "html":
        from signer.report import to_html

        return to_html(reports, args.lang)
    from signer.report import to_text

    colour = args.out is None and sys.stdout.isatty()
    return "\n".join(to_text(r, args.lang, verbose=args.verbose, colour=colour) for r in reports)


def _write(args: argparse.Namespace, text: str) -> None:
    """Write to standard output, or to a file by way of a temporary name."""
    if args.out is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read the report has enough of it; the exit code still has to tell the verdict.
            sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - lives until the end
        return
    import tempfile

    from signer.errors import UnreadableFile

    target = Path(args.out)
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableFile(f"cannot write {args.out}: {reason.lower()}", hint="check the directory") from error


COMMANDS: dict[str, Command] = {
    "verify": Command("verify", "say what the signatures in a file are worth", configure, run),
}
