"""What powers of attorney look like from outside."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from api.contracts.parts import IdentifierIn
from api.kit.fields import Body, Line, Text
from api.mandates.examination import grant_in, revocation_of
from api.mandates.models import PowerOfAttorney

State = Literal["not-yet-valid", "in-term", "expired", "revoked"]


class LetterIn(Body):
    """What a signed letter of authorisation (授权书) says, as whoever hands it in states it."""

    organisation: Line = Field(max_length=200, description="Who gives the power.", examples=["江海贸易有限公司"])
    uscc: Line = Field(
        max_length=18, description="Its Unified Social Credit Code (GB 32100-2015); the checksum is checked."
    )
    representative: Line = Field(max_length=200, examples=["李娜"])
    representative_id: IdentifierIn | None = Field(None, description="A number of the person, e.g. CN-ID or PAS-CN.")
    scope: Text = Field(max_length=2000, description="What may be done.")
    limit: Line | None = Field(None, max_length=200, description="Up to which amount, or which other bound.")
    first_day: date
    last_day: date = Field(description="The last day on which it may be used; days are those of Beijing.")

    @model_validator(mode="after")
    def _in_order(self) -> LetterIn:
        if self.last_day < self.first_day:
            raise PydanticCustomError("last_day", "it ends before it begins")
        return self


class RevocationIn(Body):
    """The statement that a power of attorney is revoked."""

    reason: Line = Field(max_length=1000)
    at: datetime | None = Field(None, description="From when; from now if left out. Not later than now.")


class RevocationOut(BaseModel):
    """The statement that a power of attorney is revoked."""

    at: datetime = Field(description="From when.")
    reason: str
    stated_at: datetime


class CheckOut(BaseModel):
    """One check; what nobody could check is "not-checked"."""

    id: str = Field(examples=["principal"])
    clause: str
    result: Literal["passed", "failed", "not-checked"]
    detail: str
    basis: str = ""


class PowerOfAttorneyOut(BaseModel):
    """A power of attorney: what it says, and what was found when it came in."""

    id: str = Field(examples=["poa_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    kind: Literal["ru-mchd", "cn-authorisation-letter"]
    number: str = Field(description="GUID of a МЧД; SHA-256 of the PDF of a letter.")
    state: State = Field(description="By its days and by what was stated here. No register is asked.")
    version: int = Field(description='Rises with every change; `"v{version}"` is the ETag.')
    stated: bool = Field(
        description="Whether `said` is the statement of whoever handed it in, and not read from the file."
    )
    said: dict[str, Any] = Field(description="What it says. Powers and limits are shown, and judged by nobody here.")
    checks: list[CheckOut] = Field(description="Of the document itself, when it came in.")
    open: list[str] = Field(description="What of that nobody checked.")
    content_name: str
    content_sha256: str
    content_size: int
    signature_sha256: str | None
    created_at: datetime
    revocation: RevocationOut | None

    @classmethod
    def of(cls, row: PowerOfAttorney, now: datetime) -> PowerOfAttorneyOut:
        """Return the outside of a row, as it is at a moment."""
        revocation = None
        if row.revoked_at is not None and row.revocation_stated_at is not None:
            revocation = RevocationOut(
                at=row.revoked_at, reason=row.revoked_reason or "", stated_at=row.revocation_stated_at
            )
        return cls.model_validate(
            {
                "id": row.id,
                "kind": row.kind,
                "number": row.number,
                "state": _state(row, now),
                "version": row.version,
                "stated": row.kind == "cn-authorisation-letter",
                "said": row.said,
                "checks": row.checks,
                "open": [each["id"] for each in row.checks if each["result"] == "not-checked"],
                "content_name": row.content_name,
                "content_sha256": row.content_sha256,
                "content_size": row.content_size,
                "signature_sha256": row.signature_sha256,
                "created_at": row.created_at,
                "revocation": revocation,
            }
        )


class PowerOfAttorneyList(BaseModel):
    """A page of powers of attorney, newest first."""

    data: list[PowerOfAttorneyOut]
    next_cursor: str | None


def _state(row: PowerOfAttorney, now: datetime) -> State:
    if revocation_of(row) is not None:
        return "revoked"
    grant = grant_in(row)
    day = now.astimezone(grant.zone).date()
    return "not-yet-valid" if day < grant.first else "expired" if day > grant.last else "in-term"
