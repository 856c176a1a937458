"""What can be verified: one reader per kind of document, and the one table that names them.

    reader = reader_of(data)                                  # None: of no kind we know
    found = reader.verify(data, content, setting)             # Found; never an exception for what is inside

A new kind (receipts, evidence bundles) is a module here with `looks_like` and `verify`, and its name in
`READERS`. The first whose `looks_like` says yes reads the file, so the narrower stand before the wider: a PDF may begin
a little behind the start of a file, so that a CMS around a PDF would be taken for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from signer.report import Notice, SignatureReport
from signer.verification.setting import Setting

READERS = ("ofd", "asic", "seal", "timestamp", "cms", "ocsp", "revocation_list", "certificate", "pdf")
WORDS = (
    "a PDF, an OFD, an ASiC container, a CMS signature, an electronic seal, a time-stamp, a certificate, a revocation "
    "list or an OCSP answer"
)
"""What the table reads, for people."""


@dataclass(frozen=True)
class Found:
    """What was found in one file."""

    signatures: tuple[SignatureReport, ...] = ()
    notices: tuple[Notice, ...] = ()
    empty_fields: tuple[str, ...] = ()


class Reader(Protocol):
    """A module of this package."""

    def looks_like(self, data: bytes, /) -> bool:
        """Tell, cheaply and without raising, whether the file is of this kind."""
        ...

    def verify(self, data: bytes, content: bytes | None, setting: Setting, /) -> Found:
        """Return what was found; `content` is what a detached signature was made over.

        Raises EncryptedPDF or UnreadableFile where the file cannot be opened at all, nothing else.
        """
        ...


def shown_as_pdf(data: bytes, reader: Reader, name: str) -> bool:
    """Tell whether a file that is no PDF to us would be opened as one, for its name and for a header inside.

    A CMS with a PDF among its certificates is right about its own content, and a viewer shows the PDF.
    """
    pdf = cast("Reader", import_module(f"{__name__}.pdf"))
    return reader is not pdf and name.lower().endswith(".pdf") and pdf.looks_like(data)


def reader_of(data: bytes) -> Reader | None:
    """Return the reader for a file, or None; a module is imported when it is asked."""
    for name in READERS:
        reader = cast("Reader", import_module(f"{__name__}.{name}"))
        if reader.looks_like(data):
            return reader
    return None
