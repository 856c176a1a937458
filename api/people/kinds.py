"""The two kinds of subjects, and the log of each (`api.audit.chain`).

    PEOPLE.get(session, tenant_id, person_id)
    PEOPLE.log.record(session, person, "person.changed", now=now, actor=actor, data={...})

organisation.created · organisation.changed · organisation.deleted · person.created · person.changed ·
person.deleted · proof.recorded · proof.revoked
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from api.audit.chain import Log
from api.people import repository
from api.people.models import Organisation, OrganisationEvent, Person, PersonEvent


@dataclass(frozen=True)
class Kind:
    """Organisations, or people: where they are found and where their logs are."""

    name: str
    path: str
    """Of their resource under /v1."""
    get: Callable[..., Organisation | Person]
    """(session, tenant, id, lock=False); raises NotFound."""
    log: Log[Any, Any]


ORGANISATIONS: Final = Kind(
    "organisation", "organisations", repository.organisation, Log("organisation", OrganisationEvent)
)
PEOPLE: Final = Kind("person", "people", repository.person, Log("person", PersonEvent))
