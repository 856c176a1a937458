"""What the trail, the verification and the evidence of a contract look like from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from api.audit.models import Entry
from api.contracts.schemas import ContractOut


class EventOut(BaseModel):
    """An event of the audit trail; `hash` is SHA-256 over the canonical JSON of `body`."""

    id: str
    sequence: int
    type: str
    at: datetime
    body: dict[str, Any]
    hash: str


class EventList(BaseModel):
    """Events in order; `next_after` continues."""

    data: list[EventOut]
    next_after: int | None

    @classmethod
    def of(cls, found: Sequence[Entry], limit: int) -> Self:
        """Return the first entries of what was found; one more than `limit` says that there are others."""
        rows = [EventOut.model_validate(entry, from_attributes=True) for entry in found[:limit]]
        return cls(data=rows, next_after=rows[-1].sequence if len(found) > limit else None)


class DocumentReport(BaseModel):
    """What verification said about one document."""

    document: str
    revision: int
    report: dict[str, Any] = Field(description="A report of schema sealroad.report/1.")


class VerificationOut(BaseModel):
    """What verification says about a contract's documents now."""

    contract: str
    documents: list[DocumentReport]


class EvidenceOut(BaseModel):
    """Everything needed to check a contract without this service, except the documents themselves."""

    schema_: Literal["sealroad.evidence/1"] = Field("sealroad.evidence/1", alias="schema")
    created_at: datetime
    contract: ContractOut
    manifest: dict[str, Any] = Field(
        description="The documents as uploaded, in all their languages, with their digests (sealroad.documents/1)."
    )
    manifest_digests: dict[str, str] = Field(
        description="SHA-256, SM3 and Streebog-256 of the manifest: of its JSON with sorted keys and no spaces, UTF-8."
    )
    revisions: list[dict[str, Any]]
    signatures: list[dict[str, Any]]
    events: list[EventOut]
    reports: list[DocumentReport]
    certificates: list[str] = Field(description="PEM: every party's certificates.")
    authorities: list[str] = Field(description="PEM: the roots of the service's own closed circles in use.")
    crls: list[str] = Field(description="Certificate revocation lists of those circles, base64 of DER.")
