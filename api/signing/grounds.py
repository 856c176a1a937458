"""What an act of a party stands on, looked at before anything is written.

    grounds = examine(unit, contract_id, party_id, version, consent, factors, values)    # holds nothing meanwhile
    authority = grounds.confirm(session, contract, party, now)                           # in the transaction that acts

Values of form fields, the power of attorney, the signer's factors: in this order, since a code that was taken is used
up. In the transaction all three are looked at once more, as far as they may have changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from api.contracts import repository as contracts
from api.contracts.fields import Value
from api.contracts.models import Contract, Party
from api.factors.proving import Proven, prove
from api.kit.edge import Unit
from api.mandates import standing as mandates
from api.mandates.standing import Standing
from api.signing import values

if TYPE_CHECKING:
    from api.factors.schemas import FactorIn
    from api.signing.schemas import Consent


@dataclass(frozen=True)
class Grounds:
    """What was found a moment ago."""

    contract: Contract
    """As it was then: `contracts.again` takes it where nothing has happened since."""
    stated: dict[str, Value] | None
    """What the party's form fields are to hold; None where it has none."""
    standing: Standing | None
    """Of the power of attorney that it acts under, if any is on record."""
    proven: Proven
    """What its factors proved."""

    def confirm(self, session: Session, contract: Contract, party: Party, now: datetime) -> dict[str, Any] | None:
        """Take the values, and return what goes on record of the power of attorney.

        Raises FactorRequired, ValidationFailed, MandateRefused, StateConflict.
        """
        self.proven.cover(session, party)
        values.take(session, contract, party, self.stated, now)
        return mandates.confirm(session, party, self.standing, now)


def examine(
    unit: Unit,
    contract_id: str,
    party_id: str,
    version: int | None,
    consent: Consent,
    factors: Sequence[FactorIn] = (),
    filled: Mapping[str, Value] | None = None,
) -> Grounds:
    """Return what an act stands on.

    Raises NotFound and ValidationFailed; where the party has to show factors, as `api.factors.proving.prove`.
    """
    with unit.read() as session:
        contract = contracts.get(session, unit.tenant_id, contract_id)
        party = contracts.party_of(contract, party_id)
        stated = values.checked(session, contract, party, filled)
    standing = mandates.at_signing(unit, contract, party)
    return Grounds(contract, stated, standing, prove(unit, contract, party, version, consent, factors))
