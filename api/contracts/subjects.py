"""Whose name stands in the certificates that the service issues to parties, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from api.contracts.models import Party
from api.pki.circles import UNKNOWN_COUNTRY
from certs.certificate import Subject
from certs.identifiers import Identifier

CERTIFICATE_LIFE: Final = timedelta(days=397)
"""How long an issued party certificate is valid: somewhat more than a year."""


def subject_of(party: Party) -> Subject:
    """Return the subject of the certificates that the service issues to a party."""
    return Subject(
        common_name=party.name,
        organisation=party.organisation,
        country=party.country or UNKNOWN_COUNTRY,
        identifiers=tuple(Identifier(item["scheme"], item["value"]) for item in party.identifiers),
    )
