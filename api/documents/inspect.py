"""Look at an upload before it is kept: it has to be a PDF that people can sign."""

from __future__ import annotations

from pathlib import Path

import pikepdf

from api.errors import DocumentRefused
from signer.errors import EncryptedPDF, UnreadablePDF


def inspect_pdf(path: Path, *, max_pages: int) -> int:
    """Return the number of pages.

    Raises DocumentRefused (not a PDF, no pages, too many), EncryptedPDF, UnreadablePDF (what the strict reader that
    signs and verifies cannot read) or SigningRefused (an earlier signature forbids further ones).
    """
    from signer.pades.options import SignOptions
    from signer.pades.preflight import examine

    data = path.read_bytes()
    if not data.startswith(b"%PDF-"):
        raise DocumentRefused("the file is not a PDF", hint="upload a PDF")
    try:
        with pikepdf.open(path, attempt_recovery=False) as pdf:
            if pdf.is_encrypted:
                raise EncryptedPDF("the PDF is encrypted", hint="remove the encryption before uploading it")
            pages = len(pdf.pages)
    except pikepdf.PasswordError:
        raise EncryptedPDF("the PDF is encrypted", hint="remove the encryption before uploading it") from None
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
        raise UnreadablePDF(
            "the PDF is damaged", hint="open it in the program that made it and save it again"
        ) from None
    if not 1 <= pages <= max_pages:
        raise DocumentRefused(f"the PDF has {pages} pages; 1 to {max_pages} are taken")
    examine(data, SignOptions())
    return pages
