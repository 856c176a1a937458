"""What a hand-over looks like: to the tenant's program, and to the device that was given the address."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.contracts.models import Contract, ContractDocument, Party
from api.contracts.parts import Base64
from api.handover.models import Handover
from api.kit.fields import Body, Line
from api.signing.models import Signature
from api.signing.schemas import SignatureRequestOut, SignatureValueIn

HandoverState = Literal["open", "shown", "used", "refused", "replaced", "withdrawn", "locked", "expired"]


class QRCode(BaseModel):
    """The address as a picture."""

    svg: str
    png: str = Field(description="Base64.")


class Device(BaseModel):
    """Who asked first what is to be signed."""

    address: str
    user_agent: str


class Refusal(BaseModel):
    """Why the holder of the key did not sign."""

    code: str
    message: str


class HandoverOut(BaseModel):
    """A one-time address, and what became of it."""

    id: str = Field(examples=["hnd_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    state: HandoverState
    request: str = Field(description="The signature request.")
    address: str | None = Field(
        description="For the device; null in every later answer: the service keeps only a digest of it.",
        examples=["https://sign.example/h/4fzJ0Zb2…"],
    )
    qr: QRCode | None = Field(description="The address as a QR code.")
    created_by: str
    created_at: datetime
    expires_at: datetime | None = Field(description="When the signature request ends.")
    shown_at: datetime | None = Field(description="When a device first asked what is to be signed.")
    shown_to: Device | None
    attempts: int = Field(description="Values that were not taken.")
    ended_at: datetime | None
    refusal: Refusal | None

    @classmethod
    def of(
        cls, row: Handover, signature: Signature, now: datetime, address: str | None = None, qr: QRCode | None = None
    ) -> HandoverOut:
        """Return the outside of a row; the address is known only to whoever has just made it."""
        ended = row.ended_at is not None
        expired = not ended and signature.expires_at is not None and signature.expires_at <= now
        return cls.model_validate(
            {
                "id": row.id,
                "state": "expired" if expired else row.state,
                "request": row.signature_id,
                "address": address,
                "qr": qr,
                "created_by": row.created_by,
                "created_at": row.created_at,
                "expires_at": signature.expires_at,
                "shown_at": row.shown_at,
                "shown_to": row.shown_to,
                "attempts": row.attempts,
                "ended_at": row.ended_at,
                "refusal": row.refusal,
            }
        )


class PartyShown(BaseModel):
    """A party of the contract, as others see it."""

    name: str
    organisation: str | None
    role: str
    you: bool = Field(description="Whether this is the party that is to sign.")


class DocumentShown(BaseModel):
    """The document as it is to be signed; the file is at `/h/{token}/content`."""

    name: str
    language: str | None
    size: int
    sha256: str
    sm3: str | None = Field(description="Null where the service cannot compute it; like the next one.")
    streebog256: str | None


class ConsentShown(BaseModel):
    """The words that the party has agreed to, and that are on record."""

    text: str
    locale: str
    at: str


class HandoverShown(BaseModel):
    """What is to be signed."""

    title: str = Field(description="Of the contract.")
    parties: list[PartyShown]
    document: DocumentShown
    consent: ConsentShown
    suite: str
    certificate: str = Field(description="Of the key that is to sign, PEM.")
    dtbs: str = Field(description="The octets to be signed (DER of the signed attributes), base64.")
    digest: str = Field(description="Their digest, base64; for SM2 without Z, which the key adds.")
    digest_algorithm: str = Field(description="OID.")
    signature_algorithm: str = Field(description="OID.")
    document_digest: str = Field(description="Digest of the document's signed octets, base64.")
    policy: str | None = Field(description="The signature policy that a complete CMS has to carry, base64 of DER.")
    expires_at: datetime | None
    attempts_left: int = Field(description="How many values that do not fit are taken before the address is locked.")

    @classmethod
    def of(cls, row: Handover, contract: Contract, party: Party, signature: Signature, *, most: int) -> HandoverShown:
        """Return what the device is shown."""
        asked = SignatureRequestOut.of(signature, party.suite)
        document = next(each for each in contract.documents if each.document_id == signature.document_id)
        return cls(
            title=contract.title,
            parties=[
                PartyShown(name=each.name, organisation=each.organisation, role=each.role, you=each.id == party.id)
                for each in contract.parties
            ],
            document=_document(document, row.digests),
            consent=ConsentShown(**{name: signature.consent[name] for name in ("text", "locale", "at")}),
            suite=party.suite or "",
            certificate=(party.certificates or "").partition("-----END CERTIFICATE-----")[0]
            + "-----END CERTIFICATE-----\n",
            dtbs=asked.dtbs,
            digest=asked.digest,
            digest_algorithm=asked.digest_algorithm,
            signature_algorithm=asked.signature_algorithm,
            document_digest=asked.document_digest,
            policy=asked.policy,
            expires_at=signature.expires_at,
            attempts_left=max(most - row.attempts, 0),
        )


def _document(row: ContractDocument, digests: dict[str, str]) -> DocumentShown:
    return DocumentShown(
        name=row.document.name,
        language=row.language,
        size=row.head_size,
        sha256=digests["sha256"],
        sm3=digests.get("sm3"),
        streebog256=digests.get("streebog256"),
    )


class RefusalIn(Body):
    """Why there is no value."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,40}$")] = Field(
        examples=["user-refused", "no-such-key"], description="The device's own."
    )
    message: Line = Field(max_length=400)


class HandoverValueIn(Body):
    """What the device returns: exactly one of the three."""

    signature: Base64 | None = Field(None, max_length=20_000, description="The raw value over `dtbs`, base64.")
    cms: Base64 | None = Field(None, max_length=400_000, description="A complete CMS SignedData, base64 of DER.")
    error: RefusalIn | None = Field(None, description="Why there is no value: a result like the others.")

    @model_validator(mode="after")
    def _exactly_one(self) -> HandoverValueIn:
        if sum(value is not None for value in (self.signature, self.cms, self.error)) != 1:
            raise PydanticCustomError("value", "send exactly one of signature, cms and error")
        return self

    def as_value(self) -> SignatureValueIn:
        """Return the same as whoever has a credential hands it in."""
        error = f"{self.error.code}: {self.error.message}"[:500] if self.error is not None else None
        return SignatureValueIn(signature=self.signature, cms=self.cms, error=error)


class HandoverResult(BaseModel):
    """What the device is told in the end."""

    state: Literal["used", "refused"]


def picture(svg: str, png: bytes) -> QRCode:
    """Return a QR code as it is answered."""
    return QRCode(svg=svg, png=base64.b64encode(png).decode())
