"""Kinds of certificates an authority may issue, one TOML file each in this directory.

    profile = profiles.load("person")
    profile.days, profile.key_usage

The file name is the name of the profile. Each rule is one key; an unknown key is an error, so that a misspelt rule is
not a rule left out.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

from certs.errors import ProfileError
from certs.extension_values import KEY_USAGE_BITS

MAX_APPROVALS = 5


@dataclass(frozen=True)
class Profile:
    """One kind of certificate."""

    name: str
    description: str
    days: int
    """Validity where the request names none."""
    max_days: int
    ca: bool
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...]
    required: tuple[str, ...]
    """Fields of `Subject` that must be given, beside the common name."""
    path_length: int | None = None
    extended_key_usage_critical: bool = False
    suites: tuple[str, ...] = ()
    """Suites a subject's key may have; empty: all."""
    approvals: int = 0
    """How many officers must have approved the application (`certs.ra`)."""
    identity_proofing: bool = False
    """Whether the application must say how the applicant was identified, and by whom."""


def names() -> tuple[str, ...]:
    """Return the names of all profiles."""
    return tuple(
        sorted(item.name.removesuffix(".toml") for item in files(__name__).iterdir() if _is_profile(item.name))
    )


def _is_profile(name: str) -> bool:
    return name.endswith(".toml")


@cache
def load(name: str) -> Profile:
    """Return profile `name`. Raises ProfileError where there is none or its file is wrong."""
    if name not in names():
        raise ProfileError(f"no profile is called {name!r}", hint="known: " + ", ".join(names()), profile=name)
    try:
        return parse(name, tomllib.loads((files(__name__) / f"{name}.toml").read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"profile {name} is no TOML: {error}", profile=name) from error


_TYPES: dict[str, type] = {"description": str, "ca": bool, "extended_key_usage_critical": bool} | (
    dict.fromkeys(("days", "max_days", "path_length", "approvals"), int) | {"identity_proofing": bool}
)
"""Types of the values in a file; what is not listed is a list of strings."""


def parse(name: str, values: dict[str, Any]) -> Profile:
    """Return the profile that `values` describe.

    Raises ProfileError for a key that is missing, unknown or of a wrong type, and for rules that contradict each other.
    """
    known = {field.name for field in fields(Profile)} - {"name"}
    if unknown := set(values) - known:
        raise ProfileError(f"profile {name} has an unknown rule {min(unknown)!r}", profile=name)
    checked: dict[str, Any] = {}
    for key, value in values.items():
        wanted = _TYPES.get(key)
        if wanted is None and isinstance(value, list) and all(isinstance(item, str) for item in value):
            checked[key] = tuple(value)
        elif wanted is not None and type(value) is wanted:
            checked[key] = value
        else:
            kind = wanted.__name__ if wanted else "list of strings"
            raise ProfileError(f"profile {name}: {key} must be a {kind}", profile=name)
    try:
        profile = Profile(name=name, **checked)
    except TypeError as error:
        raise ProfileError(f"profile {name}: {error}", profile=name) from error
    if not 0 < profile.days <= profile.max_days:
        raise ProfileError(f"profile {name}: days must lie between 1 and max_days", profile=name)
    if not 0 <= profile.approvals <= MAX_APPROVALS:
        raise ProfileError(f"profile {name}: approvals must lie between 0 and {MAX_APPROVALS}", profile=name)
    if unknown := set(profile.key_usage) - set(KEY_USAGE_BITS):
        raise ProfileError(f"profile {name}: no key usage is called {min(unknown)!r}", profile=name)
    if profile.ca != ("key_cert_sign" in profile.key_usage):
        raise ProfileError(f"profile {name}: key_cert_sign belongs to authorities, and to all of them", profile=name)
    return profile
