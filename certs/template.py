"""From what is wanted to the octets that will be signed.

    wanted = template.wanted(profile, subject, spki, names=AltNames(emails=("anna@example.com",)))
    template.tbs(wanted, serial, algorithm, issuer, (not_before, not_after), tail)

The profile decides; what it does not allow is refused with ProfileError, never dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from certs import extensions, forms, suites
from certs.alt_names import AltNames
from certs.constraints import Constraints
from certs.errors import CertsError, IssuanceError, ProfileError
from certs.extension_values import Extension
from certs.forms import Facts
from certs.profiles import EXTRA, Profile
from certs.subject import Subject

_OPTIONS = {
    "common_name": "--cn",
    "organisational_unit": "--unit",
    "identifiers": "--identifier SCHEME:VALUE, for example CN-USCC:91310000MA1FL5RX2W",
}
"""How the command line is told what a subject has, where the option is not called as the field is."""


@dataclass(frozen=True)
class Wanted:
    """One certificate, but for what the issuer adds: serial number, validity, issuer."""

    profile: Profile
    subject: bytes
    """DER of the Name."""
    spki: bytes
    names: AltNames = field(default_factory=AltNames)
    constraints: Constraints | None = None
    policies: tuple[str, ...] = ()
    own: tuple[Extension, ...] = ()
    """Extensions of the subject's form."""
    key_identifier: bytes | None = None
    """The identifier that the key goes by already, for a cross-certificate; None: made from the key."""


def wanted(
    profile: Profile,
    subject: Subject,
    spki: bytes,
    names: AltNames | None = None,
    constraints: Constraints | None = None,
    form: str = "plain",
    facts: Facts | None = None,
) -> Wanted:
    """Return what `profile` makes of a request. Raises ProfileError, BadIdentifier or MalformedInput.

    An e-mail address of the subject stands in subjectAltName as well (RFC 5280 4.1.2.6).
    """
    for required in profile.required:
        if not getattr(subject, required, None):
            raise ProfileError(
                f"profile {profile.name} requires the subject's {required.replace('_', ' ')}",
                hint=f"give it with {_OPTIONS.get(required, '--' + required.replace('_', '-'))}",
                profile=profile.name,
                field=required,
            )
    writing = forms.get(form)
    if form not in profile.forms:
        raise ProfileError(f"profile {profile.name} has no subject form {form}", profile=profile.name, form=form)
    names = (names or AltNames()).with_email(subject.email)
    if refused := set(names.kinds) - set(profile.alt_names):
        raise ProfileError(
            f"profile {profile.name} allows no alternative names of kind {min(refused)}", profile=profile.name
        )
    if profile.alt_names_required and not names:
        raise ProfileError(
            f"profile {profile.name} requires an alternative name: {' or '.join(profile.alt_names)}",
            profile=profile.name,
        )
    if constraints is not None and not profile.constraints:
        raise ProfileError(f"profile {profile.name} takes no constraints", profile=profile.name)
    facts = facts or Facts()
    policies = (*profile.policies, *writing.policies(facts))
    own = writing.extensions(subject, facts)
    return Wanted(profile, writing.name(subject), spki, names, constraints, tuple(dict.fromkeys(policies)), own)


def tbs(
    wanted: Wanted,
    serial: int,
    algorithm: bytes,
    issuer: bytes,
    validity: tuple[datetime, datetime],
    tail: Sequence[Extension],
) -> bytes:
    """Return TBSCertificate. `tail` are the extensions that speak of the issuer; `issuer` and `algorithm` are DER.

    Raises IssuanceError where the key is not usable or not of the profile's suites.
    """
    profile = wanted.profile
    try:
        suite = suites.load_public(wanted.spki).suite.name
        suites.not_old(suite)
        identifier = wanted.key_identifier or extensions.key_id(wanted.spki)
    except CertsError as error:
        raise IssuanceError(f"the subject's key is not usable: {error}") from error
    if not profile.takes(suite):
        raise ProfileError(
            f"profile {profile.name} does not allow keys of suite {suite}", profile=profile.name, suite=suite
        )
    limits = wanted.constraints or Constraints()
    out = [extensions.key_usage(profile.usage(suite))]
    if profile.ca:
        length = profile.path_length if limits.path_length is None else limits.path_length
        out.insert(0, extensions.basic_constraints(ca=True, path_length=length))
    if profile.extended_key_usage:
        out.append(
            extensions.extended_key_usage(profile.extended_key_usage, critical=profile.extended_key_usage_critical)
        )
    out.append(extensions.subject_key_identifier(identifier))
    out += tail
    if policies := limits.policies or wanted.policies:
        out.append(extensions.certificate_policies(policies))
    if wanted.names:  # RFC 5280 4.2.1.6: not critical beside a subject, and there always is one
        out.append(wanted.names.extension())
    out += limits.extensions()
    out += wanted.own
    out += (EXTRA[label]() for label in profile.extra)
    return extensions.certificate_tbs(
        serial=serial,
        algorithm=algorithm,
        issuer=issuer,
        not_before=validity[0],
        not_after=validity[1],
        subject=wanted.subject,
        spki=wanted.spki,
        extensions=out,
    )
