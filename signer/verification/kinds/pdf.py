"""Signed PDFs: see `signer.verification.pdf`."""

from __future__ import annotations

from signer.verification.kinds import Found
from signer.verification.setting import Setting


def looks_like(data: bytes) -> bool:
    """Tell whether the header of a PDF is where readers look for it."""
    return b"%PDF-" in data[:1024]


def verify(data: bytes, content: bytes | None, setting: Setting) -> Found:
    """Verify every signature of the PDF. Raises EncryptedPDF."""
    del content  # what a PDF signature is over is in the PDF
    from signer.verification.pdf import verify_pdf

    signatures, notices, empty = verify_pdf(data, setting)
    return Found(tuple(signatures), tuple(notices), empty)
