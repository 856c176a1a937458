"""Kinds of certificates an authority may issue, one TOML file each in this directory.

    profile = profiles.load("person")
    profile.days, profile.key_usage

The file name is the name of the profile. Each rule is one key; an unknown key is an error, so that a misspelt rule is
not a rule left out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from certs import extensions
from certs.alt_names import KINDS
from certs.errors import ProfileError
from certs.extension_values import KEY_USAGE_BITS, Extension
from certs.suites import ALL_NAMES, ENCRYPTION_NAMES

EXTRA: dict[str, Callable[[], Extension]] = {
    "no-rev-avail": extensions.no_revocation_available,
    "ocsp-nocheck": extensions.ocsp_nocheck,
    "valassured-st-certs": extensions.validity_assured_short_term,
}
"""Extensions that a profile asks for by name and that have no contents of their own."""

MAX_APPROVALS = 5


@dataclass(frozen=True)
class Profile:
    """One kind of certificate."""

    name: str
    description: str
    ca: bool
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...]
    required: tuple[str, ...]
    """Fields of `Subject` that must be given, beside the common name."""
    days: int = 0
    """Validity where the request names none."""
    max_days: int = 0
    hours: int = 0
    """In place of days, for certificates that do not live one."""
    max_hours: int = 0
    path_length: int | None = None
    extended_key_usage_critical: bool = False
    suites: tuple[str, ...] = ()
    """Suites a subject's key may have; empty: all that sign."""
    key_usage_of: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """A table in the file: key usage by suite, where the standards of the suites differ; the rest have `key_usage`."""
    alt_names: tuple[str, ...] = ("email",)
    """Kinds of alternative names that may stand in the certificate: "email", "dns", "ip"."""
    alt_names_required: bool = False
    policies: tuple[str, ...] = ()
    """OIDs of certificatePolicies that every certificate of the profile has."""
    extra: tuple[str, ...] = ()
    """Extensions without contents of their own: keys of EXTRA."""
    revocation: bool = True
    """Whether the certificate says where its status is told; a short-lived one has none."""
    constraints: bool = False
    """Whether `certs.constraints` may limit an authority of this profile; without, it has `path_length` alone."""
    forms: tuple[str, ...] = ("plain", "china", "russia", "europe")
    """Subject forms that fit the profile: keys of `certs.forms.FORMS`."""
    issuer: str = "issuing"
    """Which authority of a circle signs it: "issuing" or "root"."""
    approvals: int = 0
    """How many officers must have approved the application (`certs.ra`)."""
    identity_proofing: bool = False
    """Whether the application must say how the applicant was identified, and by whom."""

    @property
    def lifetime(self) -> timedelta:
        """Validity where the request names none."""
        return timedelta(days=self.days, hours=self.hours)

    @property
    def max_lifetime(self) -> timedelta:
        """The longest validity."""
        return timedelta(days=self.max_days, hours=self.max_hours)

    def usage(self, suite: str) -> tuple[str, ...]:
        """Return the key usage for a key of `suite`."""
        return dict(self.key_usage_of).get(suite, self.key_usage)

    def takes(self, suite: str) -> bool:
        """Tell whether a subject's key may be of `suite`; one that only encrypts must be named by the profile."""
        return suite in (self.suites or ALL_NAMES)


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
    return read(name, (files(__name__) / f"{name}.toml").read_bytes())


def read(name: str, data: bytes) -> Profile:
    """Return the profile in a file of the operator's own. Raises ProfileError."""
    try:
        return parse(name, tomllib.loads(data.decode("utf-8")))
    except (ValueError, RecursionError) as error:  # a number of 5000 digits is none of the decoder's own errors
        raise ProfileError(f"profile {name} is no TOML: {error}", profile=name) from error


def describe(profile: Profile) -> dict[str, Any]:
    """Return what a profile allows, for people and programs."""
    unit = "days" if profile.max_days else "hours"
    usual, most = (profile.days, profile.max_days) if profile.max_days else (profile.hours, profile.max_hours)
    return {
        "name": profile.name,
        "description": profile.description,
        "authority": profile.ca,
        "signed_by": profile.issuer,
        "validity": f"{usual} {unit.removesuffix('s') if usual == 1 else unit}, at most {most}",
        "suites": ", ".join(profile.suites) or "all that sign",
        "key_usage": list(profile.key_usage),
        "key_usage_of": {suite: list(usages) for suite, usages in profile.key_usage_of},
        "extended_key_usage": list(profile.extended_key_usage),
        "required": list(profile.required),
        "alt_names": ", ".join(profile.alt_names) or "none",
        "forms": list(profile.forms),
        "policies": list(profile.policies),
        "extra": list(profile.extra),
        "revocation": profile.revocation,
        "constraints": profile.constraints,
        "approvals": profile.approvals,
        "identity_proofing": profile.identity_proofing,
    }


_TYPES: dict[str, type] = (
    dict.fromkeys(("description", "issuer"), str)
    | dict.fromkeys(("ca", "extended_key_usage_critical", "alt_names_required", "revocation", "constraints"), bool)
    | {"identity_proofing": bool}
    | dict.fromkeys(("days", "max_days", "hours", "max_hours", "path_length", "approvals"), int)
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
        elif key == "key_usage_of" and isinstance(value, dict):
            checked[key] = tuple((suite, _words(name, key, usages)) for suite, usages in value.items())
        else:
            kind = wanted.__name__ if wanted else "list of strings"
            raise ProfileError(f"profile {name}: {key} must be a {kind}", profile=name)
    try:
        profile = Profile(name=name, **checked)
    except TypeError as error:
        raise ProfileError(f"profile {name}: {error}", profile=name) from error
    for wrong, sentence in _contradictions(profile):
        if wrong:
            raise ProfileError(f"profile {name}: {sentence}", profile=name)
    return profile


def _words(name: str, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ProfileError(f"profile {name}: {key} must hold lists of strings", profile=name)
    return tuple(value)


def _contradictions(profile: Profile) -> Iterator[tuple[object, str]]:
    """Yield what must not be, and the sentence that says so."""
    from certs import oids
    from certs.forms import FORMS

    yield not timedelta(0) < profile.lifetime <= profile.max_lifetime, "days must lie between 1 and max_days"
    yield (profile.days and profile.hours) or (profile.max_days and profile.max_hours), "days or hours, not both"
    for usages in (profile.key_usage, *(usages for _, usages in profile.key_usage_of)):
        yield not usages, "an empty key usage"  # RFC 5280 4.2.1.3: at least one bit
        yield set(usages) - set(KEY_USAGE_BITS), f"no key usage is called {', '.join(usages)}"
        yield profile.ca != ("key_cert_sign" in usages), "key_cert_sign belongs to authorities, and to all of them"
    yield set(profile.suites) - {*ALL_NAMES, *ENCRYPTION_NAMES}, "an unknown suite"
    yield set(dict(profile.key_usage_of)) - set(profile.suites or ALL_NAMES), "a key usage of an unknown suite"
    yield set(profile.alt_names) - set(KINDS), "an unknown kind of alternative names"
    yield profile.alt_names_required and not profile.alt_names, "alternative names are required and none are allowed"
    yield set(profile.extra) - set(EXTRA), "an unknown extra extension"
    yield set(profile.forms) - set(FORMS), "an unknown subject form"
    yield not 0 <= profile.approvals <= MAX_APPROVALS, f"approvals must lie between 0 and {MAX_APPROVALS}"
    yield profile.issuer not in ("issuing", "root"), "the issuer is issuing or root"
    yield not profile.ca and (profile.constraints or profile.path_length is not None), "constraints are for authorities"
    # RFC 5280 4.2.1.4: anyPolicy says nothing in a leaf
    yield not profile.ca and oids.ANY_POLICY in profile.policies, "anyPolicy in the certificate of no authority"
    # RFC 9608 2: never in an authority's certificate, never beside a place where status is told
    yield "no-rev-avail" in profile.extra and (profile.ca or profile.revocation), "no-rev-avail beside revocation"
    # RFC 3161 2.3, RFC 3029 9: one purpose alone, critical
    for purpose in (oids.TIME_STAMPING, oids.DVCS_SIGNING):
        alone = profile.extended_key_usage == (purpose,) and profile.extended_key_usage_critical
        yield purpose in profile.extended_key_usage and not alone, f"{oids.name(purpose)} must stand alone, critical"
