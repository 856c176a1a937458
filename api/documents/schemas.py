"""What documents look like from outside."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.documents.models import Document


class DocumentOut(BaseModel):
    """An uploaded PDF."""

    id: str = Field(examples=["doc_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    name: str
    size: int = Field(description="Octets.")
    pages: int
    sha256: str = Field(description="SHA-256 of the file, hexadecimal; also the ETag of its content.")
    sm3: str | None = Field(description="SM3 (GB/T 32905) of the file, hexadecimal.")
    streebog256: str | None = Field(description="GOST R 34.11-2012, 256 bits, of the file, hexadecimal.")
    encryption: str | None = Field(
        description="By which cipher the file is encrypted, and stays so; null where it is not.", examples=["AES-256"]
    )
    created_at: datetime

    @classmethod
    def of(cls, document: Document) -> DocumentOut:
        """Return the outside of a row."""
        return cls(
            id=document.id,
            name=document.name,
            size=document.size,
            pages=document.pages,
            sha256=document.sha256,
            sm3=document.sm3,
            streebog256=document.streebog256,
            encryption=document.encryption,
            created_at=document.created_at,
        )


class DocumentList(BaseModel):
    """A page of documents, newest first."""

    data: list[DocumentOut]
    next_cursor: str | None
