"""Verification where a file can do no harm: in a process of its own that ends within its limits, whatever is inside.

    sandbox = Sandbox(trust=store, clock=SystemClock(), limits=Limits(seconds=20, memory=1 << 30))
    report = sandbox.verify(data, name="contract.pdf")       # as `signer.verify.verify_bytes`
    for name, data, outcome in sandbox.verify_each(files, at_once=2): ...

A file that takes too long, needs too much memory or brings the process down gets a report all the same: INDETERMINATE
with the code "limits" or "crashed", never a pass. What comes back is data (`signer.wire`), checked against the types of
a report; its name, digest and time are this side's own, and its verdict must follow from its signatures.

`Sandbox` forks, so it is for processes with one thread: the commands. `signer.workers` is for services.

The child opens no connection: where the verifier may ask for certificates and lists, it asks this process, whose
fetcher decides which addresses may be reached and remembers answers for the files that follow. So it is with a
recipient's key that is not in this process: `signer.relayed_keys`.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from certs import suites
from certs.clock import Clock, FixedClock
from certs.errors import CertsError, SealroadError
from certs.names import printable
from signer.errors import EncryptedPDF, SignerError, UnreadableFile
from signer.forked import Ask, ChildFault, Fork, LimitReached, Limits, wait
from signer.relayed_keys import RelayedKey, is_request, unwrapped
from signer.report import AnchorReport, Report, SignatureReport, Verdict, overall
from signer.verification.kinds import READERS
from signer.verification.setting import VerifyOptions
from signer.wire import WireError, decode, encode

if TYPE_CHECKING:
    from certs.fetch import Fetcher
    from certs.trust import TrustStore

SECONDS = 20
MEMORY = 1 << 30
ERRORS: dict[str, type[SignerError]] = {error.code: error for error in (EncryptedPDF, UnreadableFile)}
"""What `verify_bytes` raises, by code."""
MAX_TEXT = 1000

Unfinished = Literal["limits", "crashed"]


@dataclass(frozen=True)
class About:
    """What this side knows of a file itself."""

    name: str
    sha256: str
    now: datetime
    at: datetime | None
    trust: tuple[AnchorReport, ...] = ()
    trusted: int = 0

    @classmethod
    def of(cls, data: bytes, name: str, now: datetime, at: datetime | None, trust: TrustStore) -> About:
        """Look at a file from outside."""
        from signer.verify import named_anchors

        digest = hashlib.sha256(data).hexdigest()
        return cls(name, digest, now, at, named_anchors(trust), len(trust.anchors))

    def report(self, verdict: Verdict, signatures: tuple[SignatureReport, ...]) -> Report:
        """Return a report that says only so much."""
        return Report(
            self.name,
            self.sha256,
            self.now,
            verdict,
            signatures,
            validation_time=self.at,
            trust=self.trust,
            trusted=self.trusted,
        )


@dataclass(frozen=True)
class Said:
    """What a child says about one file: a report, or the error that there is none."""

    report: Report | None
    code: str = ""
    message: str = ""
    hint: str = ""


def preload(*, several: bool = False) -> None:
    """Load what every file needs, so that forks do not each load it anew (nor compile it: they write no file).

    Much more of it where several files come.
    """
    if not _LOADED:
        for module in MODULES:
            import_module(f"signer.{module}")
        for reader in READERS:
            import_module(f"signer.verification.kinds.{reader}")
        _LOADED.append("modules")
    if not several or "everything" in _LOADED:
        return
    _LOADED.append("everything")
    import_module("pikepdf")  # the second parser's, which is a fork of the fork
    for suite in suites.ALL_NAMES:
        suites.get(suite)
    for digest in ("sha256", "sm3", "streebog256"):
        with suppress(CertsError):  # who needs it will say so
            suites.digest(digest, b"")
    nobody = Report("", "", datetime(2000, 1, 1, tzinfo=UTC), Verdict.NO_SIGNATURE)
    decode(Said, encode(Said(nobody)))


MODULES = (
    *("verify", "limited_child"),
    *("pdf.form_changes", "pdf.page_changes", "pdf.second_child", "pdf.shadow"),
    *("verification.pdf", "verification.places", "verification.store", "verification.past"),
)
_LOADED: list[str] = []


class Sandbox:
    """One setting for many files."""

    def __init__(
        self,
        *,
        trust: TrustStore,
        clock: Clock,
        at: datetime | None = None,
        options: VerifyOptions | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._trust = trust
        self._clock = clock
        self._at = at
        self._options = options or VerifyOptions()
        self._limits = limits or Limits(SECONDS, MEMORY)

    def verify(self, data: bytes, *, name: str, content: bytes | None = None) -> Report:
        """Return the report on a file. Raises EncryptedPDF and UnreadableFile, nothing else."""
        preload()
        return self.start(data, name=name, content=content).result()

    def verify_each(
        self, files: Iterable[tuple[str, bytes | SealroadError]], *, at_once: int, content: bytes | None = None
    ) -> Iterator[tuple[str, bytes, Report | SealroadError]]:
        """Yield name, octets and report (or the error) of each file, in order; so many are verified at a time.

        A file that could not be read is given as its error, which is handed on in its turn.
        """
        waiting: deque[tuple[str, bytes, Pending | SealroadError]] = deque()
        try:
            for number, (name, data) in enumerate(files):
                preload(several=number > 0)
                if isinstance(data, SealroadError):
                    waiting.append((name, b"", data))
                else:
                    waiting.append((name, data, self.start(data, name=name, content=content)))
                while len(waiting) >= max(at_once, 1):
                    yield _settled(waiting)
            while waiting:
                yield _settled(waiting)
        finally:
            for _, _, pending in waiting:
                if isinstance(pending, Pending):
                    pending.close()

    def start(self, data: bytes, *, name: str, content: bytes | None = None) -> Pending:
        """Begin with a file and return what to wait for."""
        now = self._clock.now()
        fetch, recipient = self._options.fetch, self._options.recipient
        key = None if recipient is None or isinstance(recipient.private_key, bytes) else recipient.private_key

        def work(ask: Ask) -> bytes:
            options = self._options if fetch is None else replace(self._options, fetch=Relayed(ask))
            if recipient is not None and key is not None:
                options = replace(options, recipient=replace(recipient, private_key=RelayedKey(key, ask)))
            return judge(data, name, self._trust, self._at, now, options, content)

        def serve(request: bytes) -> bytes:
            if key is not None and is_request(request):
                return unwrapped(key, request)
            return _fetched(fetch, request) if fetch is not None else b"{}"

        fork = Fork(work, self._limits, serve=None if fetch is None and key is None else serve)
        return Pending(fork, About.of(data, name, now, self._at, self._trust))


class Pending:
    """A verification under way."""

    def __init__(self, fork: Fork, about: About) -> None:
        self.fork = fork
        self._about = about

    def result(self) -> Report:
        """Return the report. Raises EncryptedPDF and UnreadableFile."""
        try:
            return believed(self.fork.result(), self._about)
        except LimitReached as error:
            return unfinished(self._about, "crashed" if error.crashed else "limits", str(error))
        except ChildFault as error:
            return unfinished(self._about, "crashed", str(error))

    def close(self) -> None:
        """End it."""
        self.fork.close()


def _settled(
    waiting: deque[tuple[str, bytes, Pending | SealroadError]],
) -> tuple[str, bytes, Report | SealroadError]:
    """Wait for the first and return it, while the others go on."""
    name, data, first = waiting[0]
    outcome: Report | SealroadError
    if isinstance(first, Pending):
        while not first.fork.done:
            wait([pending.fork for _, _, pending in waiting if isinstance(pending, Pending)])
        try:
            outcome = first.result()
        except SealroadError as error:
            outcome = error
    else:
        outcome = first
    waiting.popleft()
    return name, data, outcome


# -- on the child's side ------------------------------------------------------------------------------


def judge(
    data: bytes,
    name: str,
    trust: TrustStore,
    at: datetime | None,
    now: datetime,
    options: VerifyOptions,
    content: bytes | None,
) -> bytes:
    """Verify, and return what to say of it."""
    from signer.verify import verify_bytes

    try:
        report = verify_bytes(
            data, name=name, trust=trust, at=at, clock=FixedClock(now), options=options, content=content
        )
    except SignerError as error:
        return encode(Said(None, error.code, error.message, error.hint or ""))
    return encode(Said(report))


class Relayed:
    """The fetcher of a child: it asks its parent."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __call__(
        self, url: str, /, *, body: bytes | None = None, content_type: str | None = None, accept: str | None = None
    ) -> bytes:
        """Return the body of the answer. Raises FetchError."""
        from certs.fetch import FetchError

        sent = None if body is None else b64encode(body).decode("ascii")
        request = {"url": url, "body": sent, "content_type": content_type, "accept": accept}
        reply = json.loads(self._ask(json.dumps(request).encode()))
        if "body" not in reply:
            raise FetchError(reply["message"], reason=reply["reason"])
        return b64decode(reply["body"])


# -- on the parent's side -----------------------------------------------------------------------------


def _fetched(fetch: Fetcher, request: bytes) -> bytes:
    """Fetch what a child asks for; the child is not trusted to ask for anything sensible."""
    from certs.fetch import FetchError

    try:
        wanted = json.loads(request)
        url, sent, kind, accept = (wanted[key] for key in ("url", "body", "content_type", "accept"))
        if not isinstance(url, str) or not all(item is None or _is_header(item) for item in (kind, accept)):
            raise FetchError("no address", reason="network")
        body = fetch(
            url, body=None if sent is None else b64decode(sent, validate=True), content_type=kind, accept=accept
        )
    except FetchError as error:
        return json.dumps({"message": error.message, "reason": error.facts.get("reason", "network")}).encode()
    except (ValueError, TypeError, KeyError, RecursionError):
        return json.dumps({"message": "no request", "reason": "network"}).encode()
    return json.dumps({"body": b64encode(body).decode("ascii")}).encode()


def _is_header(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


def believed(octets: bytes, about: About) -> Report:
    """Return what a child says of a file, as far as it can be believed. Raises EncryptedPDF and UnreadableFile."""
    try:
        said = decode(Said, octets)
    except WireError as error:
        return unfinished(about, "crashed", f"its answer makes no sense: {error}")
    if said.report is None:
        kind = ERRORS.get(said.code)
        if kind is None:
            return unfinished(about, "crashed", "its answer makes no sense")
        hint = printable(said.hint[:MAX_TEXT]) or None
        raise kind(printable(said.message[:MAX_TEXT]), hint=hint)
    known = about.report(said.report.verdict, said.report.signatures)
    report = replace(known, warnings=said.report.warnings, empty_fields=said.report.empty_fields)
    if report.verdict != overall(report.signatures):
        return unfinished(about, "crashed", "its answer contradicts itself")
    return report


def unfinished(about: About, code: Unfinished, detail: str) -> Report:
    """Return the report on a file that could not be verified to the end."""
    why = "could not be verified within the limits" if code == "limits" else "brought the verification down"
    signature = SignatureReport(
        field="",
        kind="signature",
        verdict=Verdict.INDETERMINATE,
        sub_indication="GENERIC",
        reason=f"this file {why}: {printable(detail)}",
        code=code,
    )
    return about.report(Verdict.INDETERMINATE, (signature,))


__all__ = ["MEMORY", "SECONDS", "Limits", "Pending", "Sandbox", "preload"]
