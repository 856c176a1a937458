"""What is said when something is done with a contract that was sent."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.contracts.parts import PEM, Email, IdentifierIn, Locale, Mandate, PartyID, Suite
from api.factors.schemas import Factors
from api.identity.schemas import IdentityProofIn
from api.kit.fields import Body, Line, PowerOfAttorneyID


class ReasonIn(Body):
    """Why."""

    reason: Line | None = Field(None, max_length=1000)


class RemindIn(Body):
    """Whom to remind."""

    parties: list[PartyID] | None = Field(
        None, min_length=1, max_length=50, description="Everybody whose turn it is if left out."
    )
    message: Line | None = Field(None, max_length=1000)


class ExtendIn(Body):
    """The new end of the time to sign."""

    expires_at: datetime


class DelegateIn(Body):
    """Somebody of the same organisation, who does a party's part in its place."""

    name: Line = Field(max_length=200, description="The person, in their own script.", examples=["李娜"])
    email: Email | None = None
    locale: Locale | None = Field(None, description="As the party's if left out.")
    certificate: PEM | None = Field(None, description="PEM: the delegate's own certificate, then its chain.")
    suite: Suite | None = Field(None, description="The service issues a certificate and holds the key.")
    encryption_certificate: PEM | None = Field(
        None, description="PEM: to which the completed contract is encrypted, where it is delivered in envelopes."
    )
    identifiers: list[IdentifierIn] = Field(
        default_factory=list, max_length=10, description="The delegate's and the organisation's."
    )
    identity_proof: IdentityProofIn | None = Field(
        None,
        description="How the delegate was identified; needed with a `suite`. Takes the scope identities:write.",
    )
    factors: Factors = Field(default_factory=list)
    mandate: Mandate | None = Field(None, description="By reference, which nobody checks.")
    power_of_attorney: PowerOfAttorneyID | None = Field(
        None, description="On record: checked now, and again whenever the delegate acts."
    )
    reason: Line | None = Field(None, max_length=300, description="Why it is delegated.")

    @model_validator(mode="after")
    def _one_authority(self) -> DelegateIn:
        if (self.mandate is None) == (self.power_of_attorney is None):
            raise PydanticCustomError("mandate", "a delegate acts under a mandate or a power_of_attorney: name one")
        return self
