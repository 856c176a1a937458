"""What signing looks like from outside."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.contracts.field_schemas import VALUES, FieldValues
from api.contracts.fields import MAX_FIELDS
from api.contracts.parts import Base64, DocumentID, FactorKind, Locale
from api.contracts.schemas import ContractOut
from api.factors.schemas import Factors
from api.kit.fields import Body, Line, Text
from api.signing.models import Signature

SHA256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Consent(Body):
    """What the party was shown and agreed to."""

    text: Text | None = Field(
        None,
        max_length=5000,
        description="The words of consent, verbatim, in the party's language.",
        examples=["我已阅读并同意签署本合同。"],
    )
    text_id: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}/[0-9]{1,4}$")] | None = Field(
        None, description="Or the id of the service's own words, as `…/consent` of the party has them."
    )
    text_sha256: SHA256 | None = Field(None, description="SHA-256 of the words as they were shown, to be sure.")
    locale: Locale
    accepted: Literal[True] = Field(description="Anything but true is no consent.")
    document_sha256: SHA256 | None = Field(
        None, description="SHA-256 of the document as it was shown, where the contract has one document."
    )
    documents: dict[DocumentID, SHA256] | None = Field(
        None, max_length=20, description="The same for several documents: id → SHA-256."
    )

    @model_validator(mode="after")
    def _one_form(self) -> Consent:
        if (self.text is None) == (self.text_id is None):
            raise PydanticCustomError("text", "state either text or text_id")
        if (self.document_sha256 is None) == (self.documents is None):
            raise PydanticCustomError("consent", "state either document_sha256 or documents")
        return self


class ConsentIn(Body):
    """Approve, or acknowledge having read."""

    consent: Consent
    factors: Factors = Field(default_factory=list)


class SignIn(Body):
    """Sign with the key that the service holds for the party."""

    consent: Consent
    factors: Factors = Field(default_factory=list)
    values: FieldValues | None = Field(None, max_length=MAX_FIELDS, description=VALUES)


class ShownDocument(BaseModel):
    """A document as the party is to be shown it."""

    id: str
    name: str
    language: str | None
    sha256: str = Field(description="SHA-256 of the newest revision: of what …/documents/{id}/content gives.")


class ConsentOut(BaseModel):
    """The service's own words of consent for a party, and what it is to be shown with them."""

    text_id: str = Field(examples=["sign/1"])
    locale: Locale
    text: str = Field(description="To be shown verbatim.")
    text_sha256: str
    required: bool = Field(description="Whether the contract takes no other words.")
    factors: list[FactorKind] = Field(description="What the party has to show.")
    documents: list[ShownDocument]


class SignatureRequestIn(Body):
    """Ask for the data that the party's own key is to sign."""

    consent: Consent
    factors: Factors = Field(default_factory=list)
    document: DocumentID | None = Field(None, description="Which document; the first one not yet signed if left out.")
    values: FieldValues | None = Field(
        None,
        max_length=MAX_FIELDS,
        description=VALUES + " Once the party has signed a document of the contract, the others have the same values.",
    )


class SignatureValueIn(Body):
    """What came back from the party's key: exactly one of the three."""

    signature: Base64 | None = Field(
        None,
        max_length=20_000,
        description="The raw signature value over `dtbs`, base64 (ECDSA, SM2: DER SEQUENCE{r, s}; GOST: BE(s)‖BE(r)).",
    )
    cms: Base64 | None = Field(None, max_length=400_000, description="A complete CMS SignedData, base64 of DER.")
    error: Line | None = Field(None, max_length=500, description="Why there is no value.")

    @model_validator(mode="after")
    def _exactly_one(self) -> SignatureValueIn:
        if sum(value is not None for value in (self.signature, self.cms, self.error)) != 1:
            raise PydanticCustomError("value", "send exactly one of signature, cms and error")
        return self


class SignatureRequestOut(BaseModel):
    """Data to be signed, and what became of it."""

    id: str = Field(examples=["sig_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    state: Literal["prepared", "signed", "embedded", "abandoned"]
    contract: str
    party: str
    document: str
    suite: str | None
    dtbs: str = Field(description="The octets to be signed (DER of the signed attributes), base64.")
    digest: str = Field(
        description="Their digest, base64, for a key that takes digests; for SM2 without Z, which the key adds."
    )
    digest_algorithm: str = Field(description="OID of the digest algorithm.")
    signature_algorithm: str = Field(description="OID of the signature algorithm.")
    document_digest: str = Field(description="Digest of the document's signed octets, base64.")
    document_sha256: str = Field(description="SHA-256 of the revision that is being signed.")
    policy: str | None = Field(
        description="Where the contract is under a framework agreement: the value of signature-policy-identifier "
        "that a complete CMS must carry, base64 of DER. `dtbs` has it already."
    )
    created_at: datetime
    expires_at: datetime | None
    failure: dict[str, Any] | None

    @classmethod
    def of(cls, row: Signature, suite: str | None) -> SignatureRequestOut:
        """Return the outside of a row."""
        from signer.pades.sign import Prepared

        prepared = Prepared.from_json(row.prepared)
        return cls.model_validate(
            {
                "id": row.id,
                "state": row.state,
                "contract": row.contract_id,
                "party": row.party_id,
                "document": row.document_id,
                "suite": suite,
                "dtbs": _base64(prepared.dtbs),
                "digest": _base64(prepared.dtbs_digest),
                "digest_algorithm": prepared.digest_algorithm,
                "signature_algorithm": prepared.signature_algorithm,
                "document_digest": _base64(prepared.document_digest),
                "document_sha256": row.base_sha256,
                "policy": _base64(prepared.policy_der) if prepared.policy_der is not None else None,
                "created_at": row.created_at,
                "expires_at": row.expires_at,
                "failure": row.failure,
            }
        )


class SignatureRequestResult(BaseModel):
    """A signature request after its value came in, and the contract as it is now."""

    request: SignatureRequestOut
    contract: ContractOut


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def as_text(prepared: Any) -> str:
    """Return a preparation as stored text."""
    value = prepared.to_json()
    return value if isinstance(value, str) else json.dumps(value)
