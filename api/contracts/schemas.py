"""What contracts and parties look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.contracts.field_schemas import FieldIn, FieldOut
from api.contracts.fields import MAX_FIELDS
from api.contracts.languages import shown_to
from api.contracts.models import Contract, ContractDocument, Party
from api.contracts.origin import origin_out
from api.contracts.parts import (
    PEM,
    CertificateOut,
    DocumentIn,
    Email,
    FactorKind,
    IdentifierIn,
    Language,
    Level,
    Locale,
    MandateOut,
    RelatesTo,
    Relation,
    Reminders,
    SignatureArea,
    Suite,
    certificate_out,
)
from api.contracts.workflow import SIGNS, ContractState, PartyState, Role
from api.identity.schemas import IdentityProofIn, StatedProofOut, stated_out
from api.kit.fields import AgreementID, Body, Country, Line, OrganisationID, PersonID, PowerOfAttorneyID, SealID
from api.seals.placement import PlacementIn


class PartyIn(Body):
    """Somebody who signs, seals, approves, witnesses, reads, or receives a copy."""

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
    role: Role = Field(
        Role.SIGNER,
        description="signer, seal and witness sign; approver approves; viewer acknowledges having read; cc is told "
        "at the end. The contract waits for everybody but cc.",
    )
    locale: Locale = Field("en", description="The language the party is shown the contract in, where there is one.")
    certificate: PEM | None = Field(
        None,
        description="PEM: the party's own signing certificate, then its chain. The party holds the key.",
    )
    encryption_certificate: PEM | None = Field(
        None,
        description="PEM: the certificate to which envelopes for the party are encrypted, then its chain. Needed where "
        "the contract is delivered in envelopes and the party holds its own key.",
    )
    suite: Suite | None = Field(
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
    factors: list[FactorKind] = Field(
        default_factory=list,
        max_length=2,
        description="What the party has to show, each time, besides the API key of its program. A passphrase releases "
        "the key that the service holds for a party with a `suite`. Enrolled at /v1/factors.",
    )
    identity_proof: IdentityProofIn | None = Field(
        None,
        description="How a party that is not on record was identified. A party with a `suite` needs one, or a `person` "
        "that has one. Takes the scope identities:write.",
    )
    power_of_attorney: PowerOfAttorneyID | None = Field(
        None, description="On record: the party acts under it, and only while it stands."
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
        signs = self.role in SIGNS
        if self.factors and (self.role is Role.CC or ("passphrase" in self.factors and self.suite is None)):
            raise PydanticCustomError("factors", "a passphrase is of a party with a suite; who gets a copy has none")
        if not signs and (given or self.seal is not None or self.signature_area is not None):
            raise PydanticCustomError(
                "certificate", "only a party that signs has a certificate, a suite, a seal or an area"
            )
        if self.role is Role.CC and self.power_of_attorney is not None:
            raise PydanticCustomError("power_of_attorney", "a party that is sent a copy does not act")
        if self.role is Role.SEAL and self.seal is None:
            raise PydanticCustomError("seal", "a party that seals names a seal")
        if self.seal_placement is not None and (self.seal is None or self.signature_area is not None):
            raise PydanticCustomError("seal_placement", "a placement needs a seal, and excludes a signature area")
        if self.seal is not None and "suite" in given:
            raise PydanticCustomError("suite", "the suite of a party that seals is the seal's")
        if signs and self.seal is None and len(given) != 1:
            raise PydanticCustomError("certificate", "a party that signs has either a certificate, a suite or a seal")
        return self


class DeliveryIn(Body):
    """How the completed contract goes to its parties."""

    form: Literal["envelope"] = Field(
        description="One envelope for each document, in which each party reads with its own algorithms."
    )
    trust: list[Annotated[str, StringConstraints(max_length=100_000)]] = Field(
        default_factory=list,
        max_length=20,
        description="PEM: authorities and revocation lists that certificates from elsewhere are checked against.",
    )
    revocation: Literal["require", "if-present"] = Field(
        "require", description="Whether a certificate without a revocation list is refused."
    )


class ContractIn(Body):
    """A new contract."""

    title: Line = Field(max_length=300, examples=["Supply contract 2026-117"])
    documents: list[DocumentIn] = Field(
        min_length=1, max_length=20, description="Uploaded documents: ids, or entries that say their language."
    )
    prevailing_language: Language | None = Field(
        None, description="Which language version prevails; all are equal if left out.", examples=["en"]
    )
    parties: list[PartyIn] = Field(default_factory=list, max_length=50)
    fields: list[FieldIn] = Field(
        default_factory=list, max_length=MAX_FIELDS, description="Form fields that parties fill when they sign."
    )
    level: Level = Field("B-T", description="PAdES level of every signature; B-T adds an RFC 3161 time-stamp.")
    expires_at: datetime | None = Field(
        None, description="After this nobody can sign; 90 days after sending by default."
    )
    reminders: Reminders | None = Field(None, description="Nobody is reminded unasked if left out.")
    consent: Literal["free", "standard"] = Field(
        "free",
        description="standard: parties consent in the service's own words and in their own language, or not at all.",
    )
    relates_to: RelatesTo | None = Field(
        None, description="The completed contract that this one changes, renews, terminates or annuls."
    )
    external_id: Line | None = Field(None, max_length=200, description="Your own identifier; unique.")
    delivery: DeliveryIn | None = Field(None, description="Left out: whoever may read the contract downloads it.")
    agreement: AgreementID | None = Field(
        None, description="The framework agreement it is signed under; every signature names it by its hash."
    )


class ContractPatch(Body):
    """What of a draft is to change; `documents`, `parties` and `fields` replace the whole list."""

    title: Line | None = Field(None, max_length=300)
    documents: list[DocumentIn] | None = Field(None, min_length=1, max_length=20)
    prevailing_language: Language | None = None
    parties: list[PartyIn] | None = Field(None, max_length=50)
    fields: list[FieldIn] | None = Field(None, max_length=MAX_FIELDS)
    level: Level | None = None
    expires_at: datetime | None = None
    consent: Literal["free", "standard"] | None = None
    reminders: Reminders | None = None
    relates_to: RelatesTo | None = None
    external_id: Line | None = Field(None, max_length=200)
    delivery: DeliveryIn | None = None
    agreement: AgreementID | None = None


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
    factors: list[FactorKind] = Field(description="What the party has to show; the tenant's own are added at send.")
    key_locked: bool = Field(description="Whether the key held for the party is under the signer's passphrase.")
    certificate: CertificateOut | None
    encryption_certificate: CertificateOut | None
    signature_area: dict[str, Any] | None
    reason: str | None
    location: str | None
    shown: list[str] = Field(
        description="Ids of the documents that the party is shown, in its language if there is one."
    )
    values: dict[str, bool | str] = Field(description="What the party stated for its form fields.")
    delegate_of: str | None = Field(description="The party whose part this one has taken over.")
    mandate: MandateOut | None = Field(description="By which authority.")
    reminded_at: datetime | None
    signed_at: datetime | None
    declined_reason: str | None

    @classmethod
    def of(cls, contract: Contract, party: Party) -> PartyOut:
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
                "factors": party.factors,
                "key_locked": party.sealed_key is not None and party.key_factor_id is not None,
                "certificate": certificate_out(party.certificates) if party.certificates else None,
                "encryption_certificate": (
                    certificate_out(party.encryption_certificates) if party.encryption_certificates else None
                ),
                "signature_area": {key: value for key, value in area.items() if key != "picture"} if area else None,
                "reason": party.reason,
                "location": party.location,
                "shown": shown_to(contract, party.locale),
                "values": party.field_values or {},
                "delegate_of": party.delegate_of,
                "mandate": MandateOut.of(party.mandate),
                "reminded_at": party.reminded_at,
                "signed_at": party.signed_at,
                "declined_reason": party.declined_reason,
            }
        )


class ContractDocumentOut(BaseModel):
    """A document of a contract: what was uploaded, and its newest revision."""

    id: str
    name: str
    language: str | None
    version_of: str | None
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
                "language": row.language,
                "version_of": row.version_of,
                "sha256": row.document.sha256,
                "revision": row.head_number,
                "revision_sha256": row.head_sha256,
                "revision_size": row.head_size,
            }
        )


class TemplateUseOut(BaseModel):
    """The template that a contract was made from, as it was then."""

    id: str = Field(examples=["tpl_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    version: int
    bulk_send: str | None = Field(description="The bulk send that made it, if one did.")


class ContractOut(BaseModel):
    """A contract."""

    id: str = Field(examples=["ctr_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    title: str
    state: ContractState
    version: int = Field(description='Rises with every change; `"v{version}"` is the ETag.')
    level: Level
    external_id: str | None
    agreement: str | None = Field(description="The framework agreement it is signed under.")
    documents: list[ContractDocumentOut]
    prevailing_language: str | None
    parties: list[PartyOut]
    fields: list[FieldOut]
    relates_to: RelatesTo | None
    changed_by: list[str] = Field(description="Completed contracts that changed this one, oldest first.")
    renewed_by: list[str]
    terminated_by: list[str]
    annulled_by: list[str]
    consent: Literal["free", "standard"]
    reminders: Reminders | None
    next_reminder_at: datetime | None
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime | None
    audit_sequence: int = Field(description="Number of the newest audit event.")
    audit_hash: str = Field(description="Its hash.")
    delivery: dict[str, Any] | None
    failure: dict[str, Any] | None
    template: TemplateUseOut | None

    @classmethod
    def of(cls, contract: Contract) -> ContractOut:
        """Return the outside of a row."""
        relation = {"contract": contract.relates_to_id, "kind": contract.relates_to_kind}
        by: dict[str, list[str]] = {kind: [] for kind in Relation}
        for row in contract.successors:
            by[row.kind].append(row.successor_id)
        return cls.model_validate(
            {
                "id": contract.id,
                "title": contract.title,
                "state": ContractState(contract.state),
                "version": contract.version,
                "level": contract.level,
                "external_id": contract.external_id,
                "agreement": contract.agreement_id,
                "documents": [ContractDocumentOut.of(row) for row in contract.documents],
                "prevailing_language": contract.prevailing_language,
                "parties": [PartyOut.of(contract, row) for row in contract.parties],
                "fields": FieldOut.all_of(contract),
                "relates_to": relation if contract.relates_to_id is not None else None,
                "changed_by": by[Relation.CHANGE],
                "renewed_by": by[Relation.RENEWAL],
                "terminated_by": by[Relation.TERMINATION],
                "annulled_by": by[Relation.ANNULMENT],
                "consent": contract.consent,
                "reminders": contract.reminders,
                "next_reminder_at": contract.next_reminder_at,
                "created_at": contract.created_at,
                "updated_at": contract.updated_at,
                "sent_at": contract.sent_at,
                "completed_at": contract.completed_at,
                "expires_at": contract.expires_at,
                "audit_sequence": contract.audit_sequence,
                "audit_hash": contract.audit_hash,
                "delivery": contract.delivery,
                "failure": contract.failure,
                "template": origin_out(contract),
            }
        )


class ContractList(BaseModel):
    """A page of contracts, newest first."""

    data: list[ContractOut]
    next_cursor: str | None
