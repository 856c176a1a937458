"""How `sealroad verify` writes its reports: one format, one sink; each report is written as it comes.

    with Output(args.out) as out:
        sink = sink_for("json", out, lang="zh", several=True)
        sink.report(report, data)
        sink.end()

What is kept until the end is small: rows of a table, validation objects of an XML report, pictures of pages in a PDF;
never the files.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, Self

from signer.errors import OptionError, UnreadableFile

if TYPE_CHECKING:
    from types import TracebackType

    from certs.errors import SealroadError
    from signer.report import Report
    from signer.text.pictures import PagePicture
    from signer.text.summary import Row

FORMATS = ("text", "json", "html", "pdf", "xml")


class Output:
    """Standard output, or a file that appears whole or not at all."""

    def __init__(self, target: str | None) -> None:
        self._target = Path(target) if target is not None else None
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Open it. Raises UnreadableFile."""
        if self._target is not None:
            try:
                handle, name = tempfile.mkstemp(dir=self._target.parent, prefix=f".{self._target.name}.")
            except OSError as error:
                raise self._fault(error) from error
            self._file, self._temporary = os.fdopen(handle, "wb"), Path(name)
        elif hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        return self

    @property
    def terminal(self) -> bool:
        """Whether a person is looking."""
        return self._target is None and sys.stdout.isatty()

    def write(self, content: str | bytes) -> None:
        """Write text, or octets where the format has no other form. Raises UnreadableFile."""
        if self._file is not None:
            try:
                self._file.write(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
            except OSError as error:
                raise self._fault(error) from error
            return
        try:
            if isinstance(content, str):
                sys.stdout.write(content)
            else:
                sys.stdout.flush()
                sys.stdout.buffer.write(content)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read the report has enough of it; the exit code still has to tell the verdict.
            sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - lives until the end

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Put the file in its place, or leave nothing of it. Raises UnreadableFile."""
        if self._file is None or self._target is None:
            return
        try:
            try:
                self._file.close()
                if kind is None:
                    self._temporary.chmod(0o644)
                    self._temporary.replace(self._target)
            finally:
                self._temporary.unlink(missing_ok=True)
        except OSError as fault:
            if kind is None:
                raise self._fault(fault) from fault

    def _fault(self, error: OSError) -> UnreadableFile:
        reason = error.strerror or type(error).__name__
        return UnreadableFile(f"cannot write {self._target}: {reason.lower()}", hint="check the directory")


class Sink(Protocol):
    """Takes reports one by one."""

    def report(self, report: Report, data: bytes) -> None:
        """Take a report and the file it is about, which is not kept."""

    def failed(self, name: str, error: SealroadError) -> None:
        """Take note of a file that could not be read."""

    def end(self) -> None:
        """Write what is left."""


def sink_for(form: str, out: Output, *, lang: str, several: bool, verbose: bool = False, pictures: bool = True) -> Sink:
    """Return the sink of a format, or the table for "summary". Raises OptionError."""
    if form == "summary":
        return _Summary(out, lang)
    if form == "json":
        return _JSON(out, lang, several)
    if form == "html":
        return _HTML(out, lang, pictures)
    if form == "xml":
        return _XML(out)
    if form == "pdf":
        if out.terminal:
            raise OptionError("a PDF is nothing for a terminal", hint="give --out FILE")
        return _PDF(out, lang, verbose, pictures)
    return _Text(out, lang, verbose)


class _Text:
    def __init__(self, out: Output, lang: str, verbose: bool) -> None:
        self._out, self._lang, self._verbose, self._first = out, lang, verbose, True

    def report(self, report: Report, data: bytes) -> None:
        from signer.report import to_text

        text = to_text(report, self._lang, verbose=self._verbose, colour=self._out.terminal)
        self._out.write(text if self._first else "\n" + text)
        self._first = False

    def failed(self, name: str, error: SealroadError) -> None:
        """Leave it to standard error."""

    def end(self) -> None:
        if self._first:
            self._out.write("")


class _Summary:
    def __init__(self, out: Output, lang: str) -> None:
        self._out, self._lang = out, lang
        self._rows: list[Row] = []

    def report(self, report: Report, data: bytes) -> None:
        from signer.text.summary import row_of

        self._rows.append(row_of(report))

    def failed(self, name: str, error: SealroadError) -> None:
        from signer.text.cleaning import clean
        from signer.text.summary import Row

        self._rows.append(Row(clean(name), None))

    def end(self) -> None:
        from signer.text.summary import table

        self._out.write(table(self._rows, self._lang))


class _JSON:
    """One object for one file, an array for several."""

    def __init__(self, out: Output, lang: str, several: bool) -> None:
        self._out, self._lang, self._several, self._count = out, lang, several, 0

    def report(self, report: Report, data: bytes) -> None:
        self._object(report.to_json(self._lang))

    def failed(self, name: str, error: SealroadError) -> None:
        self._object({"file": name, "error": {"code": error.code, "message": error.message, "hint": error.hint}})

    def _object(self, value: dict[str, Any]) -> None:
        text = json.dumps(value, ensure_ascii=False, indent=1)
        if self._several:
            text = (",\n" if self._count else "[\n") + textwrap.indent(text, " ")
        self._out.write(text)
        self._count += 1

    def end(self) -> None:
        self._out.write("\n]\n" if self._several else "\n")


class _HTML:
    def __init__(self, out: Output, lang: str, pictures: bool) -> None:
        self._out, self._lang, self._pictures, self._started = out, lang, pictures, False

    def _start(self) -> None:
        from signer.text.html import head

        if not self._started:
            self._out.write(head(self._lang))
            self._started = True

    def report(self, report: Report, data: bytes) -> None:
        from signer.text.html import report_part

        self._start()
        self._out.write(report_part(report, self._lang, _pictures(report, data, self._pictures)))

    def failed(self, name: str, error: SealroadError) -> None:
        """Leave it to standard error."""

    def end(self) -> None:
        from signer.text.html import tail

        self._start()
        self._out.write(tail())


class _PDF:
    def __init__(self, out: Output, lang: str, verbose: bool, pictures: bool) -> None:
        self._out, self._lang, self._verbose, self._pictures = out, lang, verbose, pictures
        self._reports: list[tuple[Report, tuple[PagePicture, ...]]] = []

    def report(self, report: Report, data: bytes) -> None:
        self._reports.append((report, _pictures(report, data, self._pictures)))

    def failed(self, name: str, error: SealroadError) -> None:
        """Leave it to standard error."""

    def end(self) -> None:
        from signer.text.pdf import document

        if not self._reports:
            raise UnreadableFile("none of the files could be read: there is nothing to report on")
        self._out.write(document(self._reports, self._lang, checks=self._verbose))


class _XML:
    def __init__(self, out: Output) -> None:
        from signer.etsi_report import ETSIReport

        self._out, self._report, self._count = out, ETSIReport(), 0

    def report(self, report: Report, data: bytes) -> None:
        self._report.add(report)
        self._count += 1

    def failed(self, name: str, error: SealroadError) -> None:
        """Leave it to standard error."""

    def end(self) -> None:
        if not self._count:
            raise UnreadableFile("none of the files could be read: there is nothing to report on")
        self._out.write(self._report.encode())


def _pictures(report: Report, data: bytes, wanted: bool) -> tuple[PagePicture, ...]:
    from signer.text.pictures import pictures_of

    return pictures_of(report, data) if wanted else ()


class Progress:
    """A line on standard error for work of more than a second, on a terminal only."""

    def __init__(self, total: int) -> None:
        self._total, self._began, self._shown = total, time.monotonic(), False

    def at(self, number: int, name: str) -> None:
        """Say which file is looked at, from 1."""
        if self._total > 1 and time.monotonic() - self._began > 1 and sys.stderr.isatty():
            from signer.text.cleaning import clean

            sys.stderr.write(f"\r\x1b[K[{number}/{self._total}] {clean(Path(name).name)[:60]}")
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Take the line away, before anything else is written."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
