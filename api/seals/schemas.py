"""What seals, grants and uses look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.contracts.evidence_schemas import EventList
from api.contracts.parts import Base64, CertificateOut, DocumentID, IdentifierIn, Level, Locale, certificate_out
from api.identity.schemas import IdentityProofIn
from api.kit.fields import Body, ContractID, Country, Line, OrganisationID, PersonID
from api.seals.models import Seal, SealGrant
from api.seals.placement import PlacementIn
from signer.seals.lifecycle import SealState

GranteeID = Annotated[str, StringConstraints(pattern=r"^(key|usr)_[0-9a-f]{32}$")]
Kind = Literal["legal-name", "contract", "finance", "invoice", "department", "personal"]
Standard = Literal["v1", "v4", "v5"]
Purpose = Literal["contract", "document", "envelope", "agreement"]
Millimetres = Annotated[int, Field(ge=5, le=200)]


class PictureIn(Body):
    """A picture of the seal that exists already."""

    data: Base64 = Field(max_length=1_000_000, description="PNG, JPEG or SVG, base64.")
    width: Millimetres = Field(description="Millimetres, like the height.")
    height: Millimetres


class DrawingIn(Body):
    """A picture that the service draws: name, title and code as `signer.seals.drawing` places them."""

    form: Literal["round", "oval", "square", "ru-round", "eu-block"]
    name: Line | None = Field(None, max_length=120, description="Whose seal it is; the organisation if left out.")
    title: Line | None = Field(None, max_length=120, examples=["合同专用章"])
    code: Line | None = Field(None, max_length=60, description="A number on the ring or in the middle.")
    lines: list[Annotated[Line, StringConstraints(max_length=120)]] = Field(default_factory=list, max_length=6)
    width: Annotated[int, Field(ge=10, le=120)] | None = Field(None, description="Millimetres; the usual if left out.")
    height: Annotated[int, Field(ge=10, le=120)] | None = None
    colour: Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")] | None = None


class OwnerIn(Body):
    """Whose seal it is, where the service makes key and certificate: somebody on record, or as written here."""

    person: PersonID | None = Field(None, description="On record: whose personal seal it is.")
    organisation_id: OrganisationID | None = Field(None, description="On record: whose seal it is.")
    organisation: Line | None = Field(None, max_length=200, examples=["上海远东机械有限公司"])
    country: Country | None = Field(None, examples=["CN"])
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=10)
    identity_proof: IdentityProofIn | None = Field(
        None,
        description="How an owner that is not on record was identified. No certificate is made for a seal without a "
        "proof. Takes the scope identities:write.",
    )

    @model_validator(mode="after")
    def _one_owner(self) -> OwnerIn:
        on_record = {"person", "organisation_id"} & self.model_fields_set
        stated = {"organisation", "country", "identifiers", "identity_proof"} & self.model_fields_set
        if len(on_record) > 1 or (on_record and stated):
            raise PydanticCustomError("owner", "an owner is a person or an organisation on record, or is written here")
        return self


class SealIn(Body):
    """An application for a seal."""

    name: Line = Field(max_length=100, description="The name of the seal.", examples=["上海远东机械有限公司合同专用章"])
    kind: Kind = "contract"
    standard: Standard = Field(
        "v4", description="v1: GM/T 0031-2014. v4: GB/T 38540-2020. v5: GM/T 0031-2025, with a time-stamp in the seal."
    )
    picture: PictureIn | None = None
    drawing: DrawingIn | None = None
    suite: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        None,
        description="An algorithm suite: the service issues a closed-circle certificate and holds the key.",
        examples=["sm2", "gost2012-256", "ecdsa-p256"],
    )
    owner: OwnerIn | None = Field(None, description="The subject of that certificate.")
    certificates: list[Annotated[str, StringConstraints(max_length=100_000)]] | None = Field(
        None,
        min_length=1,
        max_length=10,
        description="PEM, each with its chain: who may sign with the seal. They hold their keys.",
    )
    valid_from: AwareDatetime | None = Field(None, description="At once if left out.")
    valid_to: AwareDatetime | None = Field(None, description="One year later if left out; at most three.")
    filing_required: bool = Field(True, description="Whether the seal has to be filed before it may be used.")
    filing_number: Line | None = Field(
        None, max_length=60, description="A number assigned beforehand; it is written into the seal."
    )
    approvals: Literal[1, 2] = Field(
        1, description="How many people approve the application. With 2, a grant takes a second person as well."
    )

    @model_validator(mode="after")
    def _one_picture(self) -> SealIn:
        if (self.picture is None) == (self.drawing is None):
            raise PydanticCustomError("picture", "a seal has either a picture or a drawing")
        return self

    @model_validator(mode="after")
    def _one_holder(self) -> SealIn:
        if (self.certificates is None) == (self.suite is None):
            raise PydanticCustomError("certificates", "a seal has either certificates, or a suite and an owner")
        if (self.suite is None) != (self.owner is None):
            raise PydanticCustomError("owner", "suite and owner go together")
        return self


class FilingIn(Body):
    """The seal is on file with the authority."""

    filing_number: Line = Field(max_length=60, examples=["31010120260001"])


class GrantIn(Body):
    """Who may use the seal, for what, when and how often."""

    grantee: GranteeID = Field(
        description="Who may use it: a user, or an API key that is no user's. A user's key stands for the user."
    )
    contracts: list[ContractID] | None = Field(
        None, min_length=1, max_length=100, description="In these contracts only; anywhere if left out."
    )
    kinds: list[Purpose] | None = Field(
        None,
        min_length=1,
        description="contract: documents inside contracts. document: by themselves. envelope: as a sender.",
    )
    valid_from: AwareDatetime | None = Field(None, description="At once if left out.")
    valid_to: AwareDatetime | None = Field(None, description="As long as the seal if left out.")
    count: int | None = Field(
        None, ge=1, le=1_000_000, description="How many documents at most; as many as needed if left out."
    )


class SealDocumentIn(Body):
    """Seal a stored document by itself."""

    document: DocumentID
    placement: PlacementIn | None = Field(None, description="Where the seal shows; nowhere if left out.")
    form: Literal["pades", "national"] = Field(
        "pades",
        description="pades: a signature for every reader, with the seal in a signed attribute. national: the "
        "SES_Signature of the seal's standard, which ordinary readers do not know.",
    )
    level: Level = Field("B-T", description="B-T adds an RFC 3161 time-stamp; not in the national form of v1.")
    reason: Line | None = Field(None, max_length=300)
    location: Line | None = Field(None, max_length=200)
    locale: Locale = "en"


class Approval(BaseModel):
    """Somebody approved."""

    by: str = Field(description="A user or an API key.")
    at: datetime


class SealOut(BaseModel):
    """A seal."""

    id: str = Field(examples=["seal_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    version: int = Field(description='Rises with every change; `"v{version}"` is the ETag.')
    state: SealState
    name: str
    kind: Kind
    type: int = Field(description="The number that the seal itself says.")
    standard: Standard
    suite: str
    key_holder: Literal["service", "party"]
    certificates: list[CertificateOut] = Field(description="Who may sign with it.")
    picture_type: str
    picture_sha256: str
    width: int = Field(description="Millimetres, like the height.")
    height: int
    valid_from: datetime
    valid_to: datetime
    applicant: str = Field(description="The user or API key that applied.")
    approvals_needed: int
    approvals: list[Approval]
    filing_required: bool
    filing_number: str | None
    maker: CertificateOut | None = Field(description="Who made it.")
    sha256: str | None = Field(description="SHA-256 of the seal object, once it is made.")
    reason: str | None
    log_sequence: int = Field(description="Number of the newest entry of its log.")
    log_hash: str = Field(description="Its hash.")
    created_at: datetime
    updated_at: datetime
    made_at: datetime | None
    filed_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, seal: Seal, maker: str | None) -> SealOut:
        """Return the outside of a row, and of its maker's certificate (PEM)."""
        return cls.model_validate(
            {
                "id": seal.id,
                "version": seal.version,
                "state": SealState(seal.state),
                "name": seal.name,
                "kind": seal.kind,
                "type": seal.type,
                "standard": seal.standard,
                "suite": seal.suite,
                "key_holder": seal.key_holder,
                "certificates": [certificate_out(pem) for pem in seal.certificates or ()],
                "picture_type": seal.picture_type,
                "picture_sha256": seal.picture_sha256,
                "width": seal.width,
                "height": seal.height,
                "valid_from": seal.valid_from,
                "valid_to": seal.valid_to,
                "applicant": seal.applicant,
                "approvals_needed": seal.approvals_needed,
                "approvals": seal.approvals,
                "filing_required": seal.filing_required,
                "filing_number": seal.filing_number or seal.assigned_number,
                "maker": certificate_out(maker) if maker is not None else None,
                "sha256": seal.content_sha256,
                "reason": seal.reason,
                "log_sequence": seal.log_sequence,
                "log_hash": seal.log_hash,
                "created_at": seal.created_at,
                "updated_at": seal.updated_at,
                "made_at": seal.made_at,
                "filed_at": seal.filed_at,
                "ended_at": seal.ended_at,
            }
        )


class SealList(BaseModel):
    """A page of seals, newest first."""

    data: list[SealOut]
    next_cursor: str | None


class GrantOut(BaseModel):
    """A permission to use a seal."""

    id: str = Field(examples=["grt_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    seal: str
    grantee: str
    granter: str
    contracts: list[str] | None
    kinds: list[Purpose] | None
    valid_from: datetime
    valid_to: datetime
    count: int | None
    used: int = Field(description="Documents on which it was used, or on which a use was begun.")
    approvals_needed: int
    approvals: list[Approval]
    revoked_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, grant: SealGrant) -> GrantOut:
        """Return the outside of a row."""
        return cls.model_validate(
            {
                "id": grant.id,
                "seal": grant.seal_id,
                "grantee": grant.grantee,
                "granter": grant.granter,
                "contracts": grant.contracts,
                "kinds": grant.kinds,
                "valid_from": grant.valid_from,
                "valid_to": grant.valid_to,
                "count": grant.count,
                "used": grant.used,
                "approvals_needed": grant.approvals_needed,
                "approvals": grant.approvals,
                "revoked_at": grant.revoked_at,
                "created_at": grant.created_at,
            }
        )


class GrantList(BaseModel):
    """A page of grants, newest first."""

    data: list[GrantOut]
    next_cursor: str | None


class LogList(EventList):
    """Entries of a seal's log in order; `next_after` continues."""
