"""What factors look like from outside."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from api.contracts.parts import FactorKind, PartyID
from api.factors.models import MOST, Factor, FactorEnrolment, FactorPolicy
from api.kit.fields import Body, Line, PersonID

MOST_FACTORS: Final = 2
SHORTEST: Final = 12
"""Characters of a passphrase: whoever has database and master key can guess, at 128 MiB and half a second each."""
LONGEST: Final = 256


def _passphrase(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not SHORTEST <= len(text) <= LONGEST:
        raise PydanticCustomError("length", f"a passphrase has {SHORTEST} to {LONGEST} characters")
    if any(unicodedata.category(char) in {"Cc", "Cs", "Cn"} for char in text):
        raise PydanticCustomError("characters", "control characters are not accepted")  # RFC 8265 4.2.1
    if len(set(text)) < 5:
        raise PydanticCustomError("guessable", "a passphrase of so few different characters is guessed")
    return value


Passphrase = Annotated[SecretStr, AfterValidator(_passphrase)]
Value = Annotated[SecretStr, Field(min_length=1, max_length=LONGEST)]


class FactorIn(Body):
    """What a signer shows: a passphrase, or a one-time code."""

    kind: FactorKind
    value: Value


Factors = Annotated[
    list[FactorIn], Field(max_length=MOST_FACTORS, description="What the party has to show, as its `factors` say.")
]


class EnrolmentIn(Body):
    """Let a signer enrol a factor."""

    person: PersonID | None = None
    party: PartyID | None = Field(None, description="A party that is on no record; for others name the person.")
    kind: FactorKind
    hours: int = Field(168, ge=1, le=720, description="How long the secret is good.")

    @model_validator(mode="after")
    def _one_signer(self) -> Self:
        if (self.person is None) == (self.party is None):
            raise PydanticCustomError("person", "state either person or party")
        return self


class EnrolmentOut(BaseModel):
    """A permission to enrol one factor, once."""

    id: str = Field(examples=["enr_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    person: str | None
    party: str | None
    kind: FactorKind
    secret: str | None = Field(
        description="For the signer alone, by a way on which nobody else reads. Shown once, and null when repeated."
    )
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, row: FactorEnrolment, secret: str | None = None) -> Self:
        """Return the outside of a row."""
        return cls(
            id=row.id,
            person=row.person_id,
            party=row.party_id,
            kind=row.kind,  # type: ignore[arg-type]
            secret=secret,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )


class EnrolIn(Body):
    """Enrol the factor that an enrolment is for."""

    enrolment: Line = Field(max_length=200, description="The secret of the enrolment.")
    passphrase: Passphrase | None = Field(None, description="Where the enrolment is for a passphrase.")
    algorithm: Literal["SHA1", "SHA256"] = Field(
        "SHA1", description="Of one-time codes; few apps know another than SHA1."
    )


class ConfirmIn(Body):
    """The first code of an authenticator app."""

    code: Value


class ChangeIn(Body):
    """Another value for a factor, on proof of the present one."""

    current: Value = Field(description="The present passphrase, or a code.")
    passphrase: Passphrase | None = Field(None, description="The new passphrase.")


class ResetIn(Body):
    """End a factor whose signer has lost it."""

    reason: Line = Field(max_length=1000, description="How it was made sure that the signer asks for it.")


class FactorOut(BaseModel):
    """A factor of a signer."""

    id: str = Field(examples=["fct_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    person: str | None
    party: str | None
    kind: FactorKind
    state: Literal["pending", "active", "replaced", "reset"] = Field(
        description="pending: not confirmed by a first code."
    )
    version: int = Field(description='`"v{version}"` is the ETag.')
    parameters: dict[str, Any] = Field(description="How it is computed.")
    failures: int = Field(description="Wrong values since the last right one.")
    locked: bool = Field(description="So many that nothing is looked at until it is reset.")
    retry_at: datetime | None = Field(description="Before this nothing is looked at.")
    otpauth: str | None = Field(
        None, description="Of a new factor for codes: the URI for the app. It has the secret in it; shown once."
    )
    created_at: datetime
    activated_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, row: Factor, otpauth: str | None = None) -> Self:
        """Return the outside of a row."""
        return cls(
            id=row.id,
            person=row.person_id,
            party=row.party_id,
            kind=row.kind,  # type: ignore[arg-type]
            state=row.state,  # type: ignore[arg-type]
            version=row.version,
            parameters=row.parameters,
            failures=row.failures,
            locked=row.failures >= MOST,
            retry_at=row.retry_at,
            otpauth=otpauth,
            created_at=row.created_at,
            activated_at=row.activated_at,
            ended_at=row.ended_at,
        )


class FactorList(BaseModel):
    """A page of factors, newest first."""

    data: list[FactorOut]
    next_cursor: str | None


class PolicyIn(Body):
    """What every signer has to show whose key the service holds."""

    held_keys: list[FactorKind] = Field(
        max_length=MOST_FACTORS, description="Counts from the next contract that is sent."
    )


class PolicyOut(BaseModel):
    """What a tenant requires."""

    held_keys: list[FactorKind]
    version: int
    updated_at: datetime | None
    updated_by: str | None

    @classmethod
    def of(cls, row: FactorPolicy | None) -> Self:
        """Return the outside of a row, or of none."""
        if row is None:
            return cls(held_keys=[], version=0, updated_at=None, updated_by=None)
        return cls(
            held_keys=row.held_keys,  # type: ignore[arg-type]
            version=row.version,
            updated_at=row.updated_at,
            updated_by=row.updated_by,
        )
