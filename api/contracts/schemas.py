"""What contracts and parties look like from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from api.audit.models import Entry
from api.contracts.models import Contract, ContractDocument, Party
from api.contracts.workflow import ContractState, PartyState, Role
from api.identity.schemas import IdentityProofIn, StatedProofOut, stated_out
from api.kit.fields import Body, Country, Email, Line, OrganisationID, PersonID, SealID
from api.seals.placement import PlacementIn

Locale = Literal["en", "zh", "ru"]
Level = Literal["B-B", "B-T"]
DocumentID = Annotated[str, StringConstraints(pattern=r"^doc_[0-9a-f]{32}$")]
Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/\r\n]*={0,2}\s*$")]


class IdentifierIn(Body):
    """A national identifier; its checksum is checked."""

    scheme: Line = Field(max_length=20, examples=["CN-USCC", "RU-INN", "KZ-BIN", "LEI"])
    value: Line = Field(max_length=60)


class SignatureArea(Body):
    """Where a visible signature stands, in points from the lower left corner of the page."""

    page: int = Field(ge=1, le=100_000, description="Counted from 1.")
    box: tuple[float, float, float, float] = Field(description="x1, y1, x2, y2", examples=[[60, 80, 260, 160]])
    document: DocumentID | None = Field(None, description="Which document; the first one if left out.")
    picture: Base64 | None = Field(None, max_length=400_000, description="A stamp picture, PNG or JPEG, in base64.")

    @field_validator("box")
    @classmethod
    def _box_has_an_area(cls, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        x1, y1, x2, y2 = box
        if not all(-14_400 <= edge <= 14_400 for edge in box) or x2 - x1 < 20 or y2 - y1 < 15:
            raise PydanticCustomError("box", "a box is at least 20 by 15 points, x1 < x2 and y1 < y2")
        return box


class PartyIn(Body):
    """Somebody who signs, witnesses, or receives a copy."""

    person: PersonID | None = Field(
        None,
        description="A person on record: name, identifiers, country, e-mail and locale are theirs, as they are now.",
    )
    organisation_id: OrganisationID | None = Field(
        None, description="An organisation of that person, for which they act; name and identifiers are its own."
    )
    name: Line | None = Field(
        None,
        max_length=200,
        description="The person, in their own script; left out where `person` is named.",
        examples=["王伟"],
    )
    organisation: Line | None = Field(None, max_length=200, examples=["上海远东机械有限公司"])
    email: Email | None = None
    country: Country | None = Field(None, examples=["CN"])
    order: int = Field(1, ge=1, le=1000, description="Lower acts first; equal numbers act in any order.")
    role: Role = Role.SIGNER
    locale: Locale = "en"
    certificate: Annotated[str, StringConstraints(max_length=100_000)] | None = Field(
        None,
        description="PEM: the party's own signing certificate, then its chain. The party holds the key.",
    )
    suite: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        None,
        description="An algorithm suite: the service issues a closed-circle certificate and holds the key.",
        examples=["sm2", "gost2012-256", "ecdsa-p256"],
    )
    seal: SealID | None = Field(
        None,
        description="A seal of the tenant's that the party signs with, as whoever it is granted to. Suite and key are "
        "the seal's; of a seal for keys held elsewhere, `certificate` says which one.",
    )
    seal_placement: PlacementIn | None = Field(
        None, description="Where the seal shows on every document; in the middle of the signature area if left out."
    )
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=10)
    identity_proof: IdentityProofIn | None = Field(
        None,
        description="How a party that is not on record was identified. A party with a `suite` needs one, or a `person` "
        "that has one. Takes the scope identities:write.",
    )
    signature_area: SignatureArea | None = None
    reason: Line | None = Field(None, max_length=300)
    location: Line | None = Field(None, max_length=200)

    @model_validator(mode="after")
    def _one_way_to_be_known(self) -> PartyIn:
        if (self.person is None) == (self.name is None):
            raise PydanticCustomError("name", "a party has either a name or a person")
        if self.organisation_id is not None and self.person is None:
            raise PydanticCustomError("organisation_id", "an organisation on record acts by a person on record")
        stated = {"organisation", "country", "email", "identifiers", "identity_proof"} & self.model_fields_set
        if self.person is not None and stated:
            raise PydanticCustomError(min(stated), "these are taken from the record of the person")
        return self

    @model_validator(mode="after")
    def _one_way_to_sign(self) -> PartyIn:
        given = [name for name in ("certificate", "suite") if getattr(self, name) is not None]
        if self.role is Role.CC and given:
            raise PydanticCustomError("certificate", "whoever receives a copy has no certificate and no suite")
        if (self.role is Role.SEAL and self.seal is None) or (self.role is Role.CC and self.seal is not None):
            raise PydanticCustomError("seal", "a party that seals names a seal, and whoever receives a copy has none")
        if self.seal_placement is not None and (self.seal is None or self.signature_area is not None):
            raise PydanticCustomError("seal_placement", "a placement needs a seal, and excludes a signature area")
        if self.seal is not None and "suite" in given:
            raise PydanticCustomError("suite", "the suite of a party that seals is the seal's")
        if self.role is not Role.CC and self.seal is None and len(given) != 1:
            raise PydanticCustomError("certificate", "a party that signs has either a certificate, a suite or a seal")
        return self


class ContractIn(Body):
    """A new contract."""

    title: Line = Field(max_length=300, examples=["Supply contract 2026-117"])
    documents: list[DocumentID] = Field(min_length=1, max_length=20, description="Ids of uploaded documents.")
    parties: list[PartyIn] = Field(default_factory=list, max_length=50)
    level: Level = Field("B-T", description="PAdES level of every signature; B-T adds an RFC 3161 time-stamp.")
    expires_at: datetime | None = Field(
        None, description="After this nobody can sign; 90 days after sending by default."
    )
    external_id: Line | None = Field(None, max_length=200, description="Your own identifier; unique.")


class ContractPatch(Body):
    """What of a draft is to change; `documents` and `parties` replace the whole list."""

    title: Line | None = Field(None, max_length=300)
    documents: list[DocumentID] | None = Field(None, min_length=1, max_length=20)
    parties: list[PartyIn] | None = Field(None, max_length=50)
    level: Level | None = None
    expires_at: datetime | None = None
    external_id: Line | None = Field(None, max_length=200)


class ReasonIn(Body):
    """Why."""

    reason: Line | None = Field(None, max_length=1000)


class CertificateOut(BaseModel):
    """The certificate a party signs with."""

    subject: str
    issuer: str
    serial: str = Field(description="Hexadecimal.")
    not_before: datetime
    not_after: datetime
    sha256: str
    pem: str


class PartyOut(BaseModel):
    """A party of a contract."""

    id: str
    person: str | None
    organisation_id: str | None
    name: str
    organisation: str | None
    email: str | None
    country: str | None
    order: int
    role: Role
    state: PartyState
    locale: Locale
    identifiers: list[dict[str, str]]
    identity_proof: StatedProofOut | None = Field(description="The one that came with the party.")
    seal: str | None
    seal_placement: dict[str, Any] | None
    suite: str | None
    key_holder: Literal["service", "party"] | None
    certificate: CertificateOut | None
    signature_area: dict[str, Any] | None
    reason: str | None
    location: str | None
    signed_at: datetime | None
    declined_reason: str | None

    @classmethod
    def of(cls, party: Party) -> PartyOut:
        """Return the outside of a row."""
        area = party.signature_area
        return cls.model_validate(
            {
                "id": party.id,
                "person": party.person_id,
                "organisation_id": party.organisation_id,
                "name": party.name,
                "organisation": party.organisation,
                "email": party.email,
                "country": party.country,
                "order": party.order,
                "role": Role(party.role),
                "state": PartyState(party.state),
                "locale": party.locale,
                "identifiers": party.identifiers,
                "identity_proof": stated_out((party.identity or {}).get("stated")),
                "seal": party.seal_id,
                "seal_placement": party.seal_placement,
                "suite": party.suite,
                "key_holder": party.key_holder,
                "certificate": certificate_out(party.certificates) if party.certificates else None,
                "signature_area": {key: value for key, value in area.items() if key != "picture"} if area else None,
                "reason": party.reason,
                "location": party.location,
                "signed_at": party.signed_at,
                "declined_reason": party.declined_reason,
            }
        )


def certificate_out(pem: str) -> CertificateOut:
    """Return the outside of the first certificate in a PEM bundle."""
    from certs.certificate import load_certificates

    certificate = load_certificates(pem.encode())[0]
    return CertificateOut(
        subject=certificate.subject,
        issuer=certificate.issuer,
        serial=certificate.serial_hex,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        sha256=certificate.fingerprint(),
        pem=certificate.pem,
    )


class ContractDocumentOut(BaseModel):
    """A document of a contract: what was uploaded, and its newest revision."""

    id: str
    name: str
    sha256: str = Field(description="SHA-256 of the upload.")
    revision: int = Field(description="0 before the first signature.")
    revision_sha256: str = Field(description="SHA-256 of the newest revision, which is what a party is shown.")
    revision_size: int

    @classmethod
    def of(cls, row: ContractDocument) -> ContractDocumentOut:
        """Return the outside of a row."""
        return cls.model_validate(
            {
                "id": row.document_id,
                "name": row.document.name,
                "sha256": row.document.sha256,
                "revision": row.head_number,
                "revision_sha256": row.head_sha256,
                "revision_size": row.head_size,
            }
        )


class ContractOut(BaseModel):
    """A contract."""

    id: str = Field(examples=["ctr_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    title: str
    state: ContractState
    version: int = Field(description='Rises with every change; `"v{version}"` is the ETag.')
    level: Level
    external_id: str | None
    documents: list[ContractDocumentOut]
    parties: list[PartyOut]
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime | None
    audit_sequence: int = Field(description="Number of the newest audit event.")
    audit_hash: str = Field(description="Its hash.")
    failure: dict[str, Any] | None

    @classmethod
    def of(cls, contract: Contract) -> ContractOut:
        """Return the outside of a row."""
        return cls.model_validate(
            {
                "id": contract.id,
                "title": contract.title,
                "state": ContractState(contract.state),
                "version": contract.version,
                "level": contract.level,
                "external_id": contract.external_id,
                "documents": [ContractDocumentOut.of(row) for row in contract.documents],
                "parties": [PartyOut.of(row) for row in contract.parties],
                "created_at": contract.created_at,
                "updated_at": contract.updated_at,
                "sent_at": contract.sent_at,
                "completed_at": contract.completed_at,
                "expires_at": contract.expires_at,
                "audit_sequence": contract.audit_sequence,
                "audit_hash": contract.audit_hash,
                "failure": contract.failure,
            }
        )


class ContractList(BaseModel):
    """A page of contracts, newest first."""

    data: list[ContractOut]
    next_cursor: str | None


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
    revisions: list[dict[str, Any]]
    signatures: list[dict[str, Any]]
    identity_proofs: list[dict[str, Any]] = Field(
        description="The proofs on record on which certificates were issued to parties. Those that came with a party "
        "stand with it."
    )
    events: list[EventOut]
    reports: list[DocumentReport]
    certificates: list[str] = Field(description="PEM: every party's certificates.")
    authorities: list[str] = Field(description="PEM: the roots of the service's own closed circles in use.")
    crls: list[str] = Field(description="Certificate revocation lists of those circles, base64 of DER.")
