"""A power of attorney as one plain object, for `certs.describe`."""

from __future__ import annotations

from typing import Any

from certs.mandates.emchd import read_mandate
from certs.mandates.model import Actor, Root


def of_mandate(data: bytes) -> dict[str, Any]:
    """Describe a machine-readable power of attorney; its signature is a file of its own. Raises MalformedInput."""
    mandate = read_mandate(data)
    return {
        "kind": "power-of-attorney",
        "format": mandate.format,
        "number": mandate.number,
        "inner_number": mandate.inner_number,
        "file": mandate.file_id,
        "file_for_the_tax_service": mandate.tax_file_id,
        "issued": mandate.issued.isoformat(),
        "expires": mandate.expires.isoformat(),
        "principals": [_actor(each) for each in mandate.principals],
        "heads": [_actor(head) for each in mandate.principals for head in each.heads],
        "representatives": [_actor(each) for each in mandate.representatives],
        "powers": [{"code": each.code, "name": each.name, "limits": list(each.limits)} for each in mandate.powers],
        "powers_text": mandate.powers_text,
        "sub_delegation": mandate.sub_delegation,
        "irrevocable": mandate.irrevocable,
        "notarised": mandate.notarised,
        "root": _root(mandate.root),
        "parent": _root(mandate.parent),
        "register": mandate.register,
    }


def _actor(actor: Actor) -> dict[str, Any]:
    wrong = " (checksum is wrong)"
    numbers = {each.scheme: f"{each.value}{wrong if each.checksum_ok is False else ''}" for each in actor.identifiers}
    extra = {"KPP": actor.kpp, "position": actor.position, "country": actor.country, "number": actor.register_number}
    return {"name": actor.name, **numbers, **{key: value for key, value in extra.items() if value}}


def _root(root: Root | None) -> dict[str, Any] | None:
    if root is None:
        return None
    return {
        "number": root.number or root.inner_number,
        "issued": root.issued.isoformat(),
        "expires": root.expires.isoformat(),
        "principals": [_actor(each) for each in root.principals],
    }
