"""`sealroad verify`: the verdict on files; offline unless it is told otherwise.

    sealroad verify contract.pdf --trust ca/ --lang zh
    sealroad verify data.p7s --content data.bin --format json
    sealroad verify contracts/ '*.pdf' --recursive --summary
    sealroad verify contract.pdf --agreement framework.toml --policy cn.toml --format pdf --out report.pdf
    sealroad verify invoice.ofd --trust ca/
    sealroad verify SignedValue.dat --content Signature.xml
    sealroad verify partner.cer --trust ca/ --purpose signing
    sealroad verify locked.pdf --password-file password.txt
    sealroad verify contract.pdf --revision 2 --out as-signed.pdf
    sealroad verify contract.pdf --diff --out changes/

Exit codes: 0 every signature TOTAL-PASSED; 1 at least one TOTAL-FAILED; 2 usage or unreadable file; 3 at least one
INDETERMINATE, none failed; 4 no signature. Of several files the gravest code is returned, in the order
1, 2, 3, 4, 0; every file is looked at, whatever happened to the one before. The layers above the cryptographic one
count only where `--require` names them: a layer that failed is 1, one that was not checked is 3, also where the file
holds nothing that the layer could be about. Each file is verified in a process of its own within --timeout and
--memory; one that is not done by then is INDETERMINATE.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from certs.command import Command
from signer.cli_opening import configure as configure_opening

if TYPE_CHECKING:
    from datetime import datetime

    from certs.errors import SealroadError
    from signer.cli_reports import Progress
    from signer.report import Report

EXIT_CODES = {"TOTAL-PASSED": 0, "TOTAL-FAILED": 1, "INDETERMINATE": 3, "NO-SIGNATURE": 4}
UNREADABLE = 2
GRAVEST_FIRST = (1, 2, 3, 4, 0)
LAYER_CODES = {"passed": 0, "failed": 1, "not-checked": 3}
"""Exit codes of a layer that `--require` names."""

T = TypeVar("T")


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="PDF, OFD, ASiC container, CMS signature (.p7s), seal (.esl), signature made with one (.dat), time-stamp "
        "(.tst, .tsr), certificate, revocation list or OCSP answer; a folder of them, a pattern; - for standard input",
    )
    parser.add_argument(
        "--recursive", action="store_true", help="look into the folders of a folder too; ** in patterns"
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
    parser.add_argument(
        "--content",
        metavar="FILE",
        help="what a detached signature, a signature made with a seal, or a time-stamp was made over",
    )
    parser.add_argument(
        "--revocation",
        choices=("require", "if-present", "after"),
        default="require",
        help="what to do where no CRL or OCSP answer is at hand: say so (require, the default) or go on (if-present); "
        "after: it must be newer than the time-stamp of the signature",
    )
    parser.add_argument(
        "--purpose",
        choices=("any", "signing", "seal-making", "encryption", "timestamping", "ocsp", "tls-server", "tls-client"),
        default="any",
        help="what a certificate that is itself the file is to be good for",
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse certificates with faults of form that are else only said"
    )
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--offline", action="store_true", help="never open a connection (the default)")
    network.add_argument(
        "--online",
        action="store_true",
        help="ask for certificates, lists and OCSP answers that are missing, at public addresses in the certificates",
    )
    bounds = parser.add_argument_group("limits for each file")
    bounds.add_argument("--timeout", type=_seconds, default=20.0, metavar="SECONDS", help="default: 20")
    bounds.add_argument("--memory", type=_megabytes, default=1024, metavar="MB", help="default: 1024")
    bounds.add_argument(
        "--jobs", type=_jobs, default=0, metavar="N", help="files at a time; default: one per processor"
    )
    configure_opening(parser)
    layers = parser.add_argument_group("layers above the cryptographic one")
    layers.add_argument(
        "--agreement", metavar="FILE", help="framework agreement of the parties (JSON or TOML, or signed)"
    )
    layers.add_argument(
        "--agreement-signature",
        action="append",
        default=[],
        metavar="FILE",
        help="a detached CMS signature over the agreement file (.p7s)",
    )
    layers.add_argument(
        "--policy", action="append", default=[], metavar="FILE", help="what a jurisdiction asks for (TOML or JSON)"
    )
    layers.add_argument(
        "--require",
        action="append",
        default=[],
        metavar="LAYER",
        help="let a layer decide the exit code too: agreed, or recognised:CN for the policy of CN",
    )
    parser.add_argument("--format", choices=("text", "json", "html", "pdf", "xml"), default="text")
    parser.add_argument("--summary", action="store_true", help="print a table with one line for each file instead")
    parser.add_argument("--no-pictures", action="store_true", help="leave the signed pages out of HTML and PDF")
    parser.add_argument("--lang", choices=("en", "zh", "ru"), default="en")
    parser.add_argument(
        "--out", "-o", "--output", metavar="FILE", help="write the report there instead of to standard output"
    )
    then = parser.add_argument_group("what a signer saw")
    then.add_argument(
        "--revision",
        type=int,
        metavar="N",
        help="write revision N to --out, octet for octet; the report says which one a signature covers",
    )
    then.add_argument(
        "--diff", action="store_true", help="draw the pages that look different since then, into the directory --out"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show every check with its clause")


def run(args: argparse.Namespace) -> int:
    """Verify each file and print the report; returns the exit code. Raises SealroadError for wrong usage."""
    from certs.clock import SystemClock
    from certs.commands.console import fetcher_of
    from certs.errors import SealroadError
    from certs.names import printable
    from certs.trust import TrustStore
    from signer.cli_files import expand
    from signer.cli_opening import opening_of
    from signer.cli_reports import Output, Progress, sink_for
    from signer.errors import OptionError
    from signer.sandbox import Limits, Sandbox
    from signer.verification.setting import VerifyOptions

    if args.revision is not None or args.diff:
        from signer import cli_revisions

        return cli_revisions.run(args, _read)
    wanted = expand(args.files, recursive=args.recursive)
    if args.out and any(Path(args.out).resolve() == Path(name).resolve() for name in wanted.names if name != "-"):
        raise OptionError("the report would overwrite a file it is about", hint="give --out another name")
    if args.summary and args.format != "text":
        raise OptionError("--summary is a format of its own", hint="leave out --format")
    clock = SystemClock()
    at = _moment(args.at) if args.at else None
    trust = TrustStore.load([Path(path) for path in args.trust], now=clock.now())
    for reason in trust.skipped:
        print(f"sealroad: not used: {printable(reason)}", file=sys.stderr)
    content = _read(args.content) if args.content else None
    password, recipient = opening_of(args)
    options = VerifyOptions(
        revocation=args.revocation,
        fetch=fetcher_of(args),
        purpose=args.purpose,
        strict=args.strict,
        password=password,
        recipient=recipient,
    )
    sandbox = Sandbox(
        trust=trust, clock=clock, at=at, options=options, limits=Limits(args.timeout, int(args.memory) << 20)
    )
    judged = _layers(args, lambda data, name, content: sandbox.verify(data, name=name, content=content))
    jobs = 1 if args.online else args.jobs or os.cpu_count() or 1  # what is fetched for one file serves the next
    codes: set[int] = set()
    progress = Progress(len(wanted.names))
    with Output(args.out) as out:
        form = "summary" if args.summary else args.format
        pictures = not args.no_pictures
        sink = sink_for(form, out, lang=args.lang, several=wanted.several, verbose=args.verbose, pictures=pictures)
        opened = (_opened(name, number, progress) for number, name in enumerate(wanted.names, 1))
        for name, data, outcome in sandbox.verify_each(opened, at_once=jobs, content=content):
            progress.clear()
            if isinstance(outcome, SealroadError):
                if not wanted.several:
                    raise outcome
                print(f"sealroad: {printable(name)}: {outcome.message}", file=sys.stderr)
                if outcome.hint:
                    print(f"hint: {outcome.hint}", file=sys.stderr)
                sink.failed(name, outcome)
                codes.add(UNREADABLE)
                continue
            report = judged(outcome)
            sink.report(report, data)
            codes |= {EXIT_CODES[report.verdict], *_required(report, args.require)}
        sink.end()
    code = next(code for code in GRAVEST_FIRST if code in codes)
    if code == EXIT_CODES["INDETERMINATE"] and not args.trust:
        print("hint: nobody is trusted unless --trust names their root certificate", file=sys.stderr)
    return code


def _layers(
    args: argparse.Namespace, verify: Callable[[bytes, str, bytes | None], Report]
) -> Callable[[Report], Report]:
    """Return what fills in the upper layers. Raises OptionError, BasisError."""
    from signer.errors import BasisError, OptionError

    if args.agreement_signature and not args.agreement:
        raise OptionError("a signature needs the agreement it is on", hint="give --agreement")
    if not args.agreement and not args.policy:
        if args.require:
            raise OptionError("--require asks for a layer without a file", hint="give --agreement or --policy")
        return lambda report: report
    from signer.layers import judge, load_agreement, load_policy

    def loaded(name: str, load: Callable[[bytes], T]) -> T:
        try:
            return load(_read(name))
        except BasisError as error:
            raise BasisError(f"{name}: {error.message}", hint=error.hint) from error

    agreement = None
    if args.agreement:
        agreement = loaded(
            args.agreement,
            lambda data: load_agreement(
                data,
                verify=lambda cms, content: verify(cms, args.agreement, content).signatures,
                detached=[_read(name) for name in args.agreement_signature],
            ),
        )
    policies = tuple(loaded(name, load_policy) for name in args.policy)
    known = {f"recognised:{policy.jurisdiction}" for policy in policies} | ({"agreed"} if agreement else set())
    for layer in args.require:
        if layer not in known:
            raise OptionError(
                f"nothing here is about {layer!r}", hint=f"the files given know: {', '.join(sorted(known))}"
            )
    return lambda report: judge(report, agreement, policies)


def _required(report: Report, layers: list[str]) -> set[int]:
    """Return the exit codes that the required layers ask for."""
    if not layers:
        return set()
    from signer.layers.standing import concerns

    results = set()
    if report.signatures and not any(map(concerns, report.signatures)):
        results.add("not-checked")  # time-stamps and certificates alone are nobody's consent
    for signature in report.signatures:
        if concerns(signature):
            if "agreed" in layers:
                results.add(signature.agreed.result)
            results |= {layer.result for name, layer in signature.recognised if f"recognised:{name}" in layers}
    return {LAYER_CODES[result] for result in results}


def _number(text: str, of: Callable[[str], T]) -> T:
    try:
        return of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not {'a' if of is float else 'a whole'} number") from None


def _seconds(text: str) -> float:
    value = _number(text, float)
    if not 0.1 <= value <= 86_400:
        raise argparse.ArgumentTypeError("between 0.1 and 86400 seconds")
    return value


def _megabytes(text: str) -> int:
    value = _number(text, int)
    if not 128 <= value <= 1 << 20:
        raise argparse.ArgumentTypeError("between 128 and 1048576 megabytes")
    return value


def _jobs(text: str) -> int:
    value = _number(text, int)
    if not 1 <= value <= 64:
        raise argparse.ArgumentTypeError("between 1 and 64")
    return value


def _opened(name: str, number: int, progress: Progress) -> tuple[str, bytes | SealroadError]:
    from certs.errors import SealroadError

    progress.at(number, name)
    try:
        return (name if name != "-" else "standard input"), _read(name)
    except SealroadError as error:
        return name, error


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


COMMANDS: dict[str, Command] = {
    "verify": Command("verify", "say what the signatures in a file are worth", configure, run),
}
