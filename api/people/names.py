"""What of an organisation or a person goes into a certificate in the plain form."""

from __future__ import annotations

from api.people.models import Organisation, Person
from certs.errors import BadIdentifier


def in_certificates(owner: Organisation | Person) -> list[dict[str, str]]:
    """Return the identifiers that a subject in the plain form has a place for.

    The number of a Chinese identity card stands nowhere in it: it stays on the record.
    """
    from certs.identifiers import Identifier
    from certs.subject import attribute_of

    found = []
    for item in owner.identifiers:
        try:
            attribute_of(Identifier(item["scheme"], item["value"]))
        except BadIdentifier:
            continue
        found.append(dict(item))
    return found
