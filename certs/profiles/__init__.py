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


def parse(name: str, values: dict[str, Any]) -> Profile:
    """Return the profile that `values` describe; ProfileError for a key that is missing, unknown or of a wrong type."""
    known = {field.name for field in fields(Profile)} - {"name"}
    if unknown := set(values) - known:
        raise ProfileError(f"profile {name} has an unknown rule {min(unknown)!r}", profile=name)
    try:
        profile = Profile(
            name=name, **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        )
    except TypeError as error:
        raise ProfileError(f"profile {name}: {error}", profile=name) from error
    if not 0 < profile.days <= profile.max_days:
        raise ProfileError(f"profile {name}: days must lie between 1 and max_days", profile=name)
    if profile.ca != ("key_cert_sign" in profile.key_usage):
        raise ProfileError(f"profile {name}: key_cert_sign belongs to authorities, and to all of them", profile=name)
    return profile
