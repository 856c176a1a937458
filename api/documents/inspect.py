"""Look at an upload before it is kept: it has to be a PDF that people can sign."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pikepdf

from api.errors import DocumentRefused
from signer.errors import EncryptedPDF, SigningRefused, UnreadablePDF

NO_PASSWORD = "send its user or owner password with it, in the form field 'password'"  # noqa: S105 - a sentence
FOR_CERTIFICATES = (
    "the service opens PDFs by password only: upload a copy without encryption, or one with a password, or verify and "
    "sign it with 'sealroad', which takes a key (--key, --open-key)"
)
NOT_ALLOWED = "send the owner password in the form field 'password', or a copy whose permissions allow signatures"


@dataclass(frozen=True)
class Inspected:
    """What is known of an upload that is taken."""

    pages: int
    encryption: str | None
    """The cipher, None where it is not encrypted."""


def inspect_pdf(path: Path, *, max_pages: int, password: str | None = None) -> Inspected:
    """Return what the file is; an encrypted one is opened with the password, or the empty one.

    Raises DocumentRefused (not a PDF, no pages, too many), EncryptedPDF (no or another password, or for certificates),
    UnreadablePDF (what the strict reader that signs and verifies cannot read) or SigningRefused (an earlier signature
    forbids further ones, or the permissions do that the password gives).
    """
    from signer.pades.options import SignOptions
    from signer.pades.preflight import examine

    data = path.read_bytes()
    if not data.startswith(b"%PDF-"):
        raise DocumentRefused("the file is not a PDF", hint="upload a PDF")
    if (by_password := _encrypted(data)) is not None:
        return _opened(data, max_pages, password, by_password=by_password)
    try:
        with pikepdf.open(path, attempt_recovery=False) as pdf:
            pages = len(pdf.pages)
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
        raise UnreadablePDF(
            "the PDF is damaged", hint="open it in the program that made it and save it again"
        ) from None
    _check_pages(pages, max_pages)
    examine(data, SignOptions())
    return Inspected(pages, None)


def _encrypted(data: bytes) -> bool | None:
    """Tell whether an encrypted file asks for a password; None where it is not encrypted, or cannot be read at all."""
    from signer.pdf.structure import BudgetSpent, PDFFile
    from signer.pdf.tokens import SyntaxFault

    try:
        view = PDFFile(data).view(len(data))
        if view.trailer.get("Encrypt") is None:
            return None
        dictionary = view.encryption
        return dictionary is None or dictionary.get("Filter") == "Standard"
    except (SyntaxFault, BudgetSpent, RecursionError):
        return None


def _opened(data: bytes, max_pages: int, password: str | None, *, by_password: bool) -> Inspected:
    from signer.pades.options import SignOptions
    from signer.pades.preflight import examine, page_geometries
    from signer.pdf.encryption import Credentials

    credentials = Credentials(password=password or None)
    try:
        pages = len(page_geometries(data, credentials))
        _check_pages(pages, max_pages)
        decryptor = examine(data, SignOptions(), credentials).pdf.decryptor
    except EncryptedPDF as error:
        raise EncryptedPDF(error.message, hint=NO_PASSWORD if by_password else FOR_CERTIFICATES) from error
    except SigningRefused as error:
        if error.facts.get("reason") != "permissions":
            raise
        raise SigningRefused(error.message, hint=NOT_ALLOWED, **error.facts) from error
    return Inspected(pages, None if decryptor is None else decryptor.method.partition(",")[0])


def _check_pages(pages: int, max_pages: int) -> None:
    if not 1 <= pages <= max_pages:
        raise DocumentRefused(f"the PDF has {pages} pages; 1 to {max_pages} are taken")
