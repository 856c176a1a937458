"""What the trail, the verification and the evidence of a contract look like from outside."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from api.audit.models import Entry
from api.contracts.schemas import ContractOut
from api.signing.models import Intent


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


class IntentOut(BaseModel):
    """What a party agreed to, and the service's signature on it."""

    id: str = Field(examples=["int_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    party: str
    record: str = Field(description="Canonical JSON (RFC 8785); its octets in UTF-8 are what is signed.")
    sha256: str = Field(description="SHA-256 of the record.")
    signature: str | None = Field(
        description="Detached CAdES with a time-stamp, base64 of DER; not there until the job that signs begins."
    )
    created_at: datetime
    signed_at: datetime | None

    @classmethod
    def of(cls, row: Intent) -> Self:
        """Return the outside of a row."""
        return cls(
            id=row.id,
            party=row.party_id,
            record=row.record,
            sha256=row.sha256,
            signature=base64.b64encode(row.signature).decode() if row.signature is not None else None,
            created_at=row.created_at,
            signed_at=row.signed_at,
        )


class IntentList(BaseModel):
    """What the parties of a contract agreed to, oldest first."""

    data: list[IntentOut]


class AgreementEvidence(BaseModel):
    """The framework agreement of a contract, with the parties' signatures on it."""

    id: str
    state: str
    sha256: str
    file: str = Field(description="Of schema sealroad.signed-agreement/1, base64; for `sealroad verify --agreement`.")
    events: list[EventOut]


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
    intents: list[IntentOut] = Field(description="What each party agreed to, signed and time-stamped by the service.")
    envelopes: list[dict[str, Any]] = Field(description="Envelopes made of the contract, each with its log.")
    identity_proofs: list[dict[str, Any]] = Field(
        description="The proofs on record on which certificates were issued to parties. Those that came with a party "
        "stand with it."
    )
    certificates: list[str] = Field(description="PEM: every party's certificates.")
    authorities: list[str] = Field(description="PEM: the roots of the service's own closed circles in use.")
    crls: list[str] = Field(description="Certificate revocation lists of those circles, base64 of DER.")
    agreement: AgreementEvidence | None = Field(None, description="The framework agreement it is signed under.")
    powers_of_attorney: list[dict[str, Any]] = Field(
        default_factory=list,
        description="Those on record that parties act under, with their logs; of a МЧД the XML and its signature in "
        "base64. What was found when a party acted stands in its intent, and in the event of the act.",
    )
