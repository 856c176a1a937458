"""What a party fills into its form fields, taken together with its consent.

    stated = values.checked(session, contract, party, body.values)         # ValidationFailed
    values.take(session, contract, party, stated, now)                     # in the transaction that takes the consent

All documents of a contract get the same values. So whoever signs them one by one may state others until the first is
signed, and none after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from api.contracts import fields
from api.contracts import repository as contracts
from api.contracts.models import Contract, Party
from api.errors import ValidationFailed
from api.kit.refusals import problem_at
from api.signing import repository
from api.signing.embedding import REPLACED


def checked(
    session: Session, contract: Contract, party: Party, given: Mapping[str, fields.Value] | None
) -> dict[str, fields.Value] | None:
    """Return what a party's form fields are to hold; None where it has none. Raises ValidationFailed."""
    if given is None and contract.fields and contracts.signed_documents(session, contract, party.id):
        return party.field_values
    return fields.stated(contract, party, given)


def take(
    session: Session, contract: Contract, party: Party, stated: dict[str, fields.Value] | None, now: datetime
) -> None:
    """Write the values down. The contract's row is locked by the caller.

    Whatever the party began with other values is over. Raises ValidationFailed where it has signed with others.
    """
    if party.field_values == stated:
        return
    if contracts.signed_documents(session, contract, party.id):
        detail = "the party has signed another document of the contract with other values"
        raise ValidationFailed(detail, errors=[problem_at("/values", "fixed", detail)])
    repository.abandon(session, party.id, now, REPLACED)
    party.field_values = stated
