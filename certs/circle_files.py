"""The files of a circle's directory that are no keys: circle.json, certificates, and the names of the rest.

    values = values_of(place)                       # circle.json, of schema SCHEMA
    names = names_in(place, values)                 # Names("root-2", "issuing-3", ("issuing", …))
    certificate = load_certificate_file(place / f"{names.root}.pem")
    write_values(place, values | {"lists": lists_to_json(policy)})
    policy = lists_from_json(values.get("lists"), place)

`certs.circle` says what lies in the directory.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from certs import extensions, files
from certs.ca import CRL_DAYS
from certs.certificate import Certificate, load_certificate
from certs.errors import IssuanceError, KeyNotFound, MalformedInput
from certs.status import ListPolicy

SCHEMA = "sealroad.circle/1"
LEDGER = "ledger.sqlite"
AUDIT = "audit.sqlite"
APPLICATIONS = "applications"
CHECKPOINTS = "checkpoints"
"""The directory beside the log where its checkpoints are."""
CHECKPOINT = ".checkpoint"
"""The end of their names."""


def values_of(place: Path) -> dict[str, Any]:
    """Return what circle.json says. Raises KeyNotFound, MalformedInput."""
    try:
        values = json.loads((place / "circle.json").read_text("utf-8"))
    except OSError as error:
        raise KeyNotFound(f"{place} holds no authority", hint="make one with 'sealroad ca init'") from error
    except ValueError as error:
        raise MalformedInput(f"{place / 'circle.json'} is no JSON") from error
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise MalformedInput(f"{place / 'circle.json'} is not of schema {SCHEMA}")
    return values


def write_values(place: Path, values: dict[str, Any]) -> None:
    """Write circle.json."""
    files.write(place / "circle.json", (json.dumps(values, indent=1) + "\n").encode())


@dataclass(frozen=True)
class Names:
    """Which files hold the present generation, and which the earlier ones: circle.json says it after a rollover."""

    root: str
    issuing: str
    previous: tuple[str, ...]


def names_in(place: Path, values: dict[str, Any]) -> Names:
    """Return the names in circle.json; before the first rollover it has none. Raises MalformedInput."""
    previous = values.get("previous", [])
    if not isinstance(previous, list):
        raise MalformedInput(f"{place / 'circle.json'}: previous is a list")
    found = (values.get("root", "root"), values.get("issuing", "issuing"), *previous)
    if not all(isinstance(name, str) and re.fullmatch(r"(root|issuing)(-[0-9]{1,4})?", name) for name in found):
        raise MalformedInput(f"{place / 'circle.json'} names files that are none of a circle's")
    return Names(found[0], found[1], tuple(found[2:]))


def generations(names: Names, kind: str) -> list[str]:
    """Return those names that are of `kind`: "root" or "issuing", the present one first."""
    return [name for name in (names.root, names.issuing, *names.previous) if name.partition("-")[0] == kind]


def lists_to_json(policy: ListPolicy) -> dict[str, object]:
    """Return a policy as it goes into circle.json."""
    return {
        "life": policy.life.total_seconds(),
        "overlap": None if policy.overlap is None else policy.overlap.total_seconds(),
        "delta_life": None if policy.delta_life is None else policy.delta_life.total_seconds(),
        "partitions": policy.partitions,
    }


def lists_from_json(values: object, place: Path) -> ListPolicy:
    """Return the policy in circle.json; one of an earlier version has none."""
    if values is None:
        return ListPolicy(life=timedelta(days=CRL_DAYS))
    try:
        assert isinstance(values, dict)
        life, overlap, delta = (
            None if values[name] is None else timedelta(seconds=values[name])
            for name in ("life", "overlap", "delta_life")
        )
        assert life is not None
        return ListPolicy(life, overlap, int(values["partitions"]), delta)
    except (AssertionError, KeyError, TypeError, ValueError, OverflowError, IssuanceError) as error:
        raise MalformedInput(f"{place / 'circle.json'} says nothing sensible about lists") from error


def escrow_of(values: dict[str, Any]) -> str | None:
    """Return the key-encryption key under which copies of holders' encryption keys are kept; None: none are."""
    found = values.get("escrow")
    return found if isinstance(found, str) else None


def load_certificate_file(path: Path) -> Certificate:
    """Read a certificate. Raises KeyNotFound, MalformedInput."""
    try:
        return load_certificate(path.read_bytes())
    except OSError as error:
        raise KeyNotFound(f"{path} cannot be read: {error.strerror}") from error


def certificate_id(certificate: Certificate) -> str:
    """Return the key identifier by which the ledger knows an issuer."""
    return (certificate.ski or extensions.key_id(certificate.spki)).hex()
