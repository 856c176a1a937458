"""What certificates look like from outside."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.certificates.models import IssuedCertificate
from api.contracts.parts import CertificateOut, IdentifierIn, certificate_out
from api.identity.schemas import IdentityProofIn
from api.kit.fields import Body, Country, Line, OrganisationID, PersonID
from certs.ledger_base import Entry

Profile = Literal["person", "organisation"]
Reason = Literal[
    "unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn"
]
"""Reasons a holder can give (RFC 5280 5.3.1). cACompromise and aACompromise are of authorities, removeFromCRL is said
by delta lists only, and certificateHold is `/hold`."""
State = Literal["issued", "held", "revoked"]


class CertificateIn(Body):
    """A request for a certificate. Key and proof of possession come from the PKCS#10 request, the name from here.

    The name is that of a `person` or `organisation_id` on record, or is written here with an `identity_proof`.
    """

    request: Annotated[str, StringConstraints(max_length=100_000)] = Field(
        description="PKCS#10 (RFC 2986), PEM, signed with the key to be certified, in any suite."
    )
    profile: Profile = "person"
    person: PersonID | None = Field(None, description="On record, with a valid identity proof.")
    organisation_id: OrganisationID | None = Field(
        None, description="Likewise; together with a `person` it is one of theirs, by itself the subject."
    )
    name: Line | None = Field(None, max_length=200, examples=["王伟"])
    organisation: Line | None = Field(None, max_length=200)
    country: Country | None = Field(None, examples=["CN"])
    given_name: Line | None = Field(None, max_length=100)
    surname: Line | None = Field(None, max_length=100)
    locality: Line | None = Field(None, max_length=100)
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=10)
    identity_proof: IdentityProofIn | None = Field(
        None, description="How a subject that is not on record was identified. Takes the scope identities:write."
    )
    days: int | None = Field(None, ge=1, le=1096, description="How long it is valid; the profile's own if left out.")
    pair: bool = Field(
        False,
        description="Besides, a key pair for decryption that the authority makes, certified for the same subject; its "
        "private key is delivered encrypted to the key that signed the request (`GET …/pair`).",
    )

    @model_validator(mode="after")
    def _one_subject(self) -> CertificateIn:
        on_record = self.person is not None or self.organisation_id is not None
        if on_record == (self.name is not None):
            raise PydanticCustomError("name", "a certificate names somebody on record, or has a name of its own")
        stated = {
            "organisation",
            "country",
            "given_name",
            "surname",
            "locality",
            "identifiers",
            "identity_proof",
        } & self.model_fields_set
        if on_record and stated:
            raise PydanticCustomError(min(stated), "these are taken from the record")
        return self


class RenewalIn(Body):
    """A request for the next certificate of the same subject."""

    request: Annotated[str, StringConstraints(max_length=100_000)] = Field(
        description="PKCS#10 (RFC 2986), PEM, signed with the key to be certified: a new one, or the same again. "
        "Subject and names are those of the certificate that is renewed; other names are refused."
    )
    identity_proof: IdentityProofIn | None = Field(
        None, description="A new one, where the one before has expired. Takes the scope identities:write."
    )
    days: int | None = Field(None, ge=1, le=1096, description="How long it is valid; the profile's own if left out.")


class RevocationIn(Body):
    """Why a certificate is to be revoked."""

    reason: Reason = "unspecified"
    invalid_since: AwareDatetime | None = Field(
        default=None, description="When the key is thought to have been lost (RFC 5280 5.3.2); not in the future."
    )


class HoldIn(Body):
    """How long a certificate is to be suspended."""

    until: AwareDatetime | None = Field(
        default=None, description="When the suspension ends by itself; open if left out."
    )


class PairOut(BaseModel):
    """The two certificates of one holder."""

    signing: str = Field(description="Id of the certificate for signing.")
    encryption: str = Field(description="Id of the certificate that others encrypt to.")


class IssuedCertificateOut(BaseModel):
    """A certificate of a closed circle of this service, in the state that the authority's record has it in now."""

    id: str = Field(examples=["crt_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    suite: str
    profile: str
    state: State | Literal["unknown"] = Field(
        description="held: suspended, and to be taken for revoked. unknown: the authority has no record of it."
    )
    person: str | None
    organisation: str | None
    identity_proofs: list[str] = Field(description="The proofs on record on which it was issued.")
    certificate: CertificateOut
    chain: str = Field(description="PEM: the certificate, then its chain up to the circle's root.")
    created_at: datetime
    revoked_at: datetime | None = Field(description="Since when it is revoked, or suspended.")
    reason: str | None = Field(description="As RFC 5280 5.3.1 calls it; certificateHold where it is suspended.")
    invalid_since: datetime | None
    held_until: datetime | None
    pair: PairOut | None = Field(description="Where it is one of a pair: both of them.")

    @classmethod
    def of(cls, row: IssuedCertificate, entry: Entry | None, pair: PairOut | None = None) -> IssuedCertificateOut:
        """Return the outside of a row, and of what the ledger says."""
        return cls(
            id=row.id,
            suite=row.suite,
            profile=row.profile,
            state=state_of(entry),
            person=row.person_id,
            organisation=row.organisation_id,
            identity_proofs=(row.identity or {}).get("proofs", []),
            certificate=certificate_out(row.pem),
            chain=row.pem,
            created_at=row.created_at,
            revoked_at=entry.revoked_at if entry else None,
            reason=entry.reason if entry else None,
            invalid_since=entry.invalid_since if entry else None,
            held_until=entry.held_until if entry else None,
            pair=pair,
        )

    @property
    def etag(self) -> str:
        """The strong ETag: nothing but the state of a certificate changes."""
        told = (self.id, self.state, self.revoked_at, self.reason, self.invalid_since, self.held_until)
        return f'"{hashlib.sha256(repr(told).encode()).hexdigest()[:32]}"'


def state_of(entry: Entry | None) -> State | Literal["unknown"]:
    """Return the word for what the ledger says."""
    if entry is None:
        return "unknown"
    if entry.state == "revoked":
        return "held" if entry.held else "revoked"
    return "issued"


class IssuedCertificateList(BaseModel):
    """A page of certificates, newest first."""

    data: list[IssuedCertificateOut]
    next_cursor: str | None
