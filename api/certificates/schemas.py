"""What certificates look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from api.certificates.models import IssuedCertificate
from api.contracts.schemas import CertificateOut, IdentifierIn, certificate_out
from api.kit.fields import Body, Line

Profile = Literal["person", "organisation"]
Reason = Literal[
    "unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn"
]
"""Reasons a holder can give (RFC 5280 5.3.1); the others are an authority's."""


class CertificateIn(Body):
    """A request for a certificate. Key and proof of possession come from the PKCS#10 request, the name from here."""

    request: Annotated[str, StringConstraints(max_length=100_000)] = Field(
        description="PKCS#10 (RFC 2986), PEM, signed with the key to be certified, in any suite."
    )
    profile: Profile = "person"
    name: Line = Field(max_length=200, examples=["王伟"])
    organisation: Line | None = Field(None, max_length=200)
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = Field(None, examples=["CN"])
    given_name: Line | None = Field(None, max_length=100)
    surname: Line | None = Field(None, max_length=100)
    locality: Line | None = Field(None, max_length=100)
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=10)
    days: int | None = Field(None, ge=1, le=1096, description="How long it is valid; the profile's own if left out.")


class RevocationIn(Body):
    """Why a certificate is to be revoked."""

    reason: Reason = "unspecified"


class IssuedCertificateOut(BaseModel):
    """A certificate of a closed circle of this service."""

    id: str = Field(examples=["crt_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    suite: str
    profile: str
    state: Literal["issued", "revoked"]
    certificate: CertificateOut
    chain: str = Field(description="PEM: the certificate, then its chain up to the circle's root.")
    created_at: datetime
    revoked_at: datetime | None
    reason: str | None

    @classmethod
    def of(cls, row: IssuedCertificate) -> IssuedCertificateOut:
        """Return the outside of a row."""
        return cls(
            id=row.id,
            suite=row.suite,
            profile=row.profile,
            state="issued" if row.revoked_at is None else "revoked",
            certificate=certificate_out(row.pem),
            chain=row.pem,
            created_at=row.created_at,
            revoked_at=row.revoked_at,
            reason=row.reason,
        )


class IssuedCertificateList(BaseModel):
    """A page of certificates, newest first."""

    data: list[IssuedCertificateOut]
    next_cursor: str | None
