"""What envelopes look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.contracts.evidence_schemas import EventList
from api.contracts.parts import CertificateOut, DocumentID, certificate_out
from api.envelopes.models import Envelope
from api.kit.fields import Body, ContractID, SealID

PartyID = Annotated[str, StringConstraints(pattern=r"^pty_[0-9a-f]{32}$")]
RecipientID = Annotated[str, StringConstraints(pattern=r"^rcp_[0-9a-f]{32}$")]
PEM = Annotated[str, StringConstraints(max_length=100_000)]
Family = Literal["international", "china", "russia"]


class RecipientIn(Body):
    """Somebody who is to read the content."""

    party: PartyID | None = Field(
        None,
        description="A party of the contract. Where the service holds its key, it gets a key and a certificate for "
        "decryption at the first envelope.",
    )
    certificate: PEM | None = Field(
        None, description="PEM: a certificate for encryption, with its chain; needed of whoever holds their own key."
    )

    @model_validator(mode="after")
    def _somebody(self) -> RecipientIn:
        if self.party is None and self.certificate is None:
            raise PydanticCustomError("recipient", "a recipient is a party, a certificate, or both")
        return self


class SenderIn(Body):
    """Whose key, held by the service, signs the manifest."""

    party: PartyID | None = Field(None, description="A party of the contract that has not signed yet.")
    seal: SealID | None = Field(None, description="A seal that the caller is granted for the kind `envelope`.")

    @model_validator(mode="after")
    def _one(self) -> SenderIn:
        if (self.party is None) == (self.seal is None):
            raise PydanticCustomError("sender", "a sender is either a party or a seal")
        return self


class EnvelopeIn(Body):
    """What is to be sealed, for whom, and from whom."""

    document: DocumentID | None = Field(None, description="An uploaded document, or which document of the contract.")
    contract: ContractID | None = Field(None, description="Its document as it is now, with the signatures so far.")
    recipients: list[RecipientIn] | None = Field(
        None, min_length=1, max_length=500, description="All parties of the contract if left out."
    )
    senders: list[SenderIn] = Field(min_length=1, max_length=3, description="One of each family of algorithms at most.")
    trust: list[PEM] = Field(
        default_factory=list,
        max_length=20,
        description="PEM: authorities and revocation lists by which recipients' certificates from elsewhere are "
        "checked, beside the service's own; or such a certificate itself, if it is known.",
    )
    revocation: Literal["require", "if-present"] = Field(
        "require", description="if-present: a certificate is good where there is no list that could say otherwise."
    )

    @model_validator(mode="after")
    def _content(self) -> EnvelopeIn:
        if self.document is None and self.contract is None:
            raise PydanticCustomError("content", "an envelope has a document or a contract")
        return self


class OpeningIn(Body):
    """With whose key an envelope is to be opened."""

    recipient: RecipientID


class RecipientOut(BaseModel):
    """A recipient of an envelope."""

    id: str = Field(examples=["rcp_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    party: str | None
    family: Family
    suite: str
    key_holder: Literal["service", "recipient"]
    certificate: CertificateOut
    part_sha256: str | None = Field(description="SHA-256 of what this recipient needs, once it is sealed.")


class SenderOut(BaseModel):
    """A sender of an envelope."""

    party: str | None
    seal: str | None
    service: bool = Field(description="Whether the service itself sends.")
    family: Family
    suite: str
    certificate: CertificateOut


class EnvelopeOut(BaseModel):
    """A digital envelope: the same content for every recipient, each in the algorithms of its family."""

    id: str = Field(examples=["env_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    state: Literal["queued", "sealed", "failed"]
    name: str = Field(description="What the content is called; only recipients can read it in the envelope.")
    contract: str | None
    document: str
    recipients: list[RecipientOut]
    senders: list[SenderOut]
    sha256: str | None = Field(description="SHA-256 of the whole package, once it is sealed.")
    size: int | None = Field(description="Octets of the whole package.")
    manifest_sha256: str | None = Field(description="SHA-256 of manifest.json: what recipients may compare.")
    failure: dict[str, Any] | None
    log_sequence: int = Field(description="Number of the newest entry of its log.")
    log_hash: str = Field(description="Hash of that entry.")
    created_at: datetime
    sealed_at: datetime | None

    @classmethod
    def of(cls, row: Envelope) -> EnvelopeOut:
        """Return the outside of a row."""
        return cls.model_validate(
            {
                "id": row.id,
                "state": row.state,
                "name": row.name,
                "contract": row.contract_id,
                "document": row.document_id,
                "recipients": [
                    {
                        **{name: item[name] for name in ("id", "party", "family", "suite")},
                        "key_holder": "service" if item["key"] is not None else "recipient",
                        "certificate": certificate_out(item["certificates"]),
                        "part_sha256": row.parts.get(item["family"]),
                    }
                    for item in row.recipients
                ],
                "senders": [
                    {
                        **{name: item[name] for name in ("party", "seal", "family", "suite")},
                        "service": item.get("key") is not None,
                        "certificate": certificate_out(item["certificates"]),
                    }
                    for item in row.senders
                ],
                "sha256": row.content_sha256,
                "size": row.size,
                "manifest_sha256": row.manifest_sha256,
                "failure": row.failure,
                "log_sequence": row.log_sequence,
                "log_hash": row.log_hash,
                "created_at": row.created_at,
                "sealed_at": row.sealed_at,
            }
        )


class EnvelopeList(BaseModel):
    """A page of envelopes, newest first."""

    data: list[EnvelopeOut]
    next_cursor: str | None


class EnvelopeLogList(EventList):
    """Entries of an envelope's log in order; `next_after` continues."""
