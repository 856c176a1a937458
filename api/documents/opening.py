"""Passwords of encrypted documents: kept sealed under the master key for as long as the document is, and not longer.

    document.sealed_key = seal_password(context, document.id, password)
    prepare(source, …, credentials=credentials_of(context, document))

A password leaves the vault for the library that opens the file, and goes nowhere else: no log, no answer, no audit, no
digest of a request has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.context import Context
from api.documents.models import Document

if TYPE_CHECKING:
    from signer.pdf.encryption import Credentials

PURPOSE = "open-document"


def first_line(text: str | None) -> str | None:
    """Return what was sent as a password without the end of its line, as it comes out of a file; None for nothing."""
    return (text or "").split("\n", 1)[0].removesuffix("\r") or None


def seal_password(context: Context, document_id: str, password: str | None) -> bytes | None:
    """Return a password sealed for one document, None where there is none. Raises VaultError, ServiceUnavailable."""
    if password is None:
        return None
    return context.vault.seal_secret(password.encode(), document_id, purpose=PURPOSE)


def password_of(context: Context, document: Document) -> str | None:
    """Return the password that a document was uploaded with. Raises VaultError, ServiceUnavailable."""
    if document.sealed_key is None:
        return None
    return context.vault.open_secret(document.sealed_key, document.id, purpose=PURPOSE).decode()


def credentials_of(context: Context, document: Document) -> Credentials:
    """Return what opens a document; of one that is not encrypted, what opens nothing. Raises as `password_of`."""
    from signer.pdf.encryption import Credentials

    return Credentials(password=password_of(context, document))
