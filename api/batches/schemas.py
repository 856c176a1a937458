"""What signing policies and batches look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.batches.models import Batch, BatchItem, SigningPolicy
from api.contracts.parts import DocumentID, Locale, PartyID
from api.kit.fields import AgreementID, Body, ContractID, Line, OrganisationID, PersonID, SealID, Text
from api.seals.schemas import GranteeID
from api.signing.schemas import SHA256, SignatureRequestOut, SignatureValueIn

MAX_ITEMS = 100
"""Contracts in one batch. References: a job of an engine like ours does well with 20 to 100 documents."""

PolicyID = Annotated[str, StringConstraints(pattern=r"^spl_[0-9a-f]{32}$")]
SignatureID = Annotated[str, StringConstraints(pattern=r"^sig_[0-9a-f]{32}$")]
SigningRole = Literal["signer", "seal", "witness"]


class SigningPolicyIn(Body):
    """Who may sign in batches with which keys, within which limits."""

    name: Line = Field(max_length=200, examples=["月度对账单 · ежемесячные акты сверки"])
    grantee: GranteeID = Field(description="Who may use it: somebody else than who gives it.")
    person: PersonID | None = Field(None, description="Keys of this person. Exactly one of this and the next two.")
    organisation: OrganisationID | None = Field(None, description="Keys of whoever signs for this organisation.")
    seal: SealID | None = Field(None, description="The key of this seal; a grant of the seal is needed as well.")
    agreement: AgreementID | None = Field(None, description="Only contracts under this framework agreement.")
    roles: list[SigningRole] | None = Field(None, min_length=1, description="Only in these roles; any if left out.")
    max_documents: int = Field(ge=1, le=2000, description="In one batch.")
    max_per_day: int = Field(ge=1, le=1_000_000, description="In one calendar day (UTC).")
    valid_from: AwareDatetime | None = Field(None, description="At once if left out.")
    valid_to: AwareDatetime

    @model_validator(mode="after")
    def _one_owner(self) -> SigningPolicyIn:
        if sum(value is not None for value in (self.person, self.organisation, self.seal)) != 1:
            raise PydanticCustomError("owner", "a policy is for the keys of a person, an organisation or a seal")
        return self


class SigningPolicyOut(BaseModel):
    """A signing policy, and what was used of it."""

    id: str = Field(examples=["spl_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    name: str
    grantee: str
    granter: str
    person: str | None
    organisation: str | None
    seal: str | None
    agreement: str | None
    roles: list[str] | None
    max_documents: int
    max_per_day: int
    valid_from: datetime
    valid_to: datetime
    used: int = Field(description="Documents in all batches under it, whatever became of them.")
    used_today: int
    revoked_at: datetime | None
    revoked_by: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: SigningPolicy, today: str) -> SigningPolicyOut:
        """Return the outside of a row; `today` is the day, UTC, as `api.batches.policies.day_of` has it."""
        return cls(
            id=row.id,
            name=row.name,
            grantee=row.grantee,
            granter=row.granter,
            person=row.person_id,
            organisation=row.organisation_id,
            seal=row.seal_id,
            agreement=row.agreement_id,
            roles=row.roles,
            max_documents=row.max_documents,
            max_per_day=row.max_per_day,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            used=row.used,
            used_today=row.used_today if row.day == today else 0,
            revoked_at=row.revoked_at,
            revoked_by=row.revoked_by,
            created_at=row.created_at,
        )


class SigningPolicyList(BaseModel):
    """A page of signing policies, newest first."""

    data: list[SigningPolicyOut]
    next_cursor: str | None


class BatchConsent(Body):
    """The words that were agreed to for all contracts of a batch."""

    text: Text = Field(max_length=5000, examples=["我已逐一阅读并同意签署以下合同。"])
    locale: Locale
    accepted: Literal[True] = Field(description="Anything but true is no consent.")


class BatchItemIn(Body):
    """One party of one contract."""

    contract: ContractID
    party: PartyID
    documents: dict[DocumentID, SHA256] = Field(
        min_length=1, max_length=20, description="SHA-256 of each document as it was shown: id → SHA-256."
    )


class BatchIn(Body):
    """Sign many contracts under one consent."""

    items: list[BatchItemIn] = Field(min_length=1, max_length=MAX_ITEMS)
    consent: BatchConsent
    policy: PolicyID | None = Field(
        None, description="Needed where the service holds the keys; a party with its own key decides by using it."
    )


class BatchValueIn(SignatureValueIn):
    """What came back for one signature request: exactly one of signature, cms and error."""

    request: SignatureID


class BatchValuesIn(Body):
    """What came back from the parties' keys."""

    values: list[BatchValueIn] = Field(min_length=1, max_length=2000)


class BatchItemOut(BaseModel):
    """One party of one contract, and what became of it."""

    contract: str
    party: str
    state: Literal["waiting", "begun", "prepared", "signed", "failed"]
    requests: list[SignatureRequestOut] = Field(description="Of a key that the party holds: what it is to sign.")
    failure: dict[str, Any] | None


class BatchBase(BaseModel):
    """A batch without its items."""

    id: str = Field(examples=["bat_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    state: Literal["working", "ready", "ended"] = Field(
        description="ready: the values can be handed in. ended: every item is signed or has failed."
    )
    key_holder: Literal["service", "party"]
    policy: str | None
    consent: dict[str, str]
    by: str = Field(description="The user or API key that sent it.")
    job: str = Field(description="Follow it at `/v1/jobs/{job}/events`.")
    total: int = Field(description="Items.")
    signed: int
    failed: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def facts(cls, row: Batch) -> dict[str, Any]:
        """Return the fields of a row."""
        return {
            "id": row.id,
            "state": row.state,
            "key_holder": row.key_holder,
            "policy": row.policy_id,
            "consent": {"text": row.text, "locale": row.locale},
            "by": row.user_id or row.key_id,
            "job": row.job_id,
            "total": len(row.items),
            "signed": sum(item.state == "signed" for item in row.items),
            "failed": sum(item.state == "failed" for item in row.items),
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        }


class BatchOut(BatchBase):
    """A batch."""

    items: list[BatchItemOut]

    @classmethod
    def of(cls, row: Batch, requests: dict[str, SignatureRequestOut]) -> BatchOut:
        """Return the outside of a row; `requests` are its signature requests by id."""
        items = [item_out(item, requests) for item in row.items]
        return cls.model_validate({**cls.facts(row), "items": items})


class BatchList(BaseModel):
    """A page of batches, newest first."""

    data: list[BatchBase]
    next_cursor: str | None


class BatchValueResult(BaseModel):
    """What became of one value."""

    request: str
    state: Literal["prepared", "signed", "embedded", "abandoned"] = Field(description="Of the signature request now.")
    error: dict[str, Any] | None = Field(description="Why the value was not taken: code, detail, hint.")


class BatchResult(BaseModel):
    """What became of each value, in the order they were sent, and the batch as it is now."""

    results: list[BatchValueResult]
    batch: BatchOut


def item_out(item: BatchItem, requests: dict[str, SignatureRequestOut]) -> BatchItemOut:
    """Return the outside of an item."""
    return BatchItemOut.model_validate(
        {
            "contract": item.contract_id,
            "party": item.party_id,
            "state": item.state,
            "requests": [requests[name] for name in item.signatures],
            "failure": item.failure,
        }
    )
