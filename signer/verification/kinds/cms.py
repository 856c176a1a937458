"""CMS and CAdES signatures in files of their own: see `signer.verification.cms`."""

from __future__ import annotations

from signer.verification.cms import looks_like_cms, verify_cms_file
from signer.verification.kinds import Found
from signer.verification.setting import Setting


def looks_like(data: bytes) -> bool:
    """Tell whether the file is a CMS: PEM, base64 or BER."""
    return looks_like_cms(data)


def verify(data: bytes, content: bytes | None, setting: Setting) -> Found:
    """Verify every signer, and every countersignature."""
    return Found(tuple(verify_cms_file(data, content, setting)))
