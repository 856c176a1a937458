"""What identity proofs look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from api.identity.methods import METHODS, MethodName
from api.identity.models import IdentityProof
from api.kit.fields import Body, Line

SHA256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class IdentityEvidence(Body):
    """Something that was looked at; it stays where it is, its digest is kept."""

    sha256: SHA256 = Field(
        description="Of the file. The number of a document is short enough to be guessed from its digest: take the "
        "digest of the scan, or an HMAC under a salt that is kept with the document."
    )
    what: Line = Field(max_length=200, examples=["passport, page with the photograph"])


class IdentityProofIn(Body):
    """How somebody was identified, by whom and when."""

    method: MethodName = Field(description="docs/people.md says what each is, and what it is in other worlds.")
    evidence: list[IdentityEvidence] = Field(min_length=1, max_length=20)
    operator: Line = Field(max_length=200, description="Who identified them.", examples=["李敏"])
    at: AwareDatetime = Field(description="When; not in the future.")
    valid_until: AwareDatetime | None = Field(None, description="Afterwards it proves nothing; open if left out.")
    source: Line | None = Field(
        None, max_length=300, description="Where it comes from.", examples=["national enterprise register"]
    )


class ProofRevocationIn(Body):
    """Why a proof is to count no longer."""

    reason: Line = Field(max_length=1000)


ProofState = Literal["valid", "expired", "revoked", "outdated"]


class StatedProofOut(BaseModel):
    """An identity proof that came with a party of a contract, an application for a seal or a certificate request."""

    method: MethodName
    identification_kind: int | None
    evidence: list[IdentityEvidence]
    operator: str
    at: datetime
    valid_until: datetime | None
    source: str | None
    subject: dict[str, Any] = Field(description="Who was identified, as the party or the request had it.")
    recorded_by: str
    recorded_at: datetime


def stated_out(stated: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the outside of a proof as `api.identity.service.state_proof` made it."""
    return None if stated is None else stated | {"identification_kind": METHODS[stated["method"]].kind}


class IdentityProofOut(BaseModel):
    """An identity proof on record."""

    id: str = Field(examples=["idp_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    organisation: str | None
    person: str | None
    method: MethodName
    identification_kind: int | None = Field(
        description="identificationKind of RFC 9215 5.1; null: this method has no exact counterpart there."
    )
    evidence: list[IdentityEvidence]
    operator: str
    at: datetime
    valid_until: datetime | None
    source: str | None
    subject: dict[str, Any] = Field(description="What was proven: name, country, identifiers, as they were on record.")
    state: ProofState = Field(description="outdated: what is on record now is not what was proven.")
    recorded_by: str = Field(description="The user or API key that put it on record.")
    created_at: datetime
    revoked_at: datetime | None
    revoked_reason: str | None

    @classmethod
    def of(cls, row: IdentityProof, state: ProofState) -> IdentityProofOut:
        """Return the outside of a row."""
        return cls.model_validate(
            {
                "id": row.id,
                "organisation": row.organisation_id,
                "person": row.person_id,
                "method": row.method,
                "identification_kind": METHODS[row.method].kind,
                "evidence": row.evidence,
                "operator": row.operator,
                "at": row.at,
                "valid_until": row.valid_until,
                "source": row.source,
                "subject": row.subject,
                "state": state,
                "recorded_by": row.recorded_by,
                "created_at": row.created_at,
                "revoked_at": row.revoked_at,
                "revoked_reason": row.revoked_reason,
            }
        )


def evidence_of(row: IdentityProof) -> dict[str, Any]:
    """Return a proof as the evidence of a contract has it: what was put on record, and whether it was revoked since."""
    return IdentityProofOut.of(row, "valid").model_dump(mode="json", exclude={"state"})


class IdentityProofList(BaseModel):
    """A page of identity proofs, newest first."""

    data: list[IdentityProofOut]
    next_cursor: str | None
