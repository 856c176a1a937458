"""Issue, renew and revoke certificates of the closed circles for a tenant."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from api.certificates import repository
from api.certificates.models import IssuedCertificate
from api.certificates.schemas import CertificateIn
from api.errors import Conflict, NotFound, ValidationFailed
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.pki.circles import UNKNOWN_COUNTRY
from certs.errors import AlreadyRevoked

if TYPE_CHECKING:
    from certs.request import Accepted, Request
    from certs.subject import Subject

RENEWAL_DAYS = 397
"""How long a certificate is valid that a machine renews by itself."""


def issue(unit: Unit, body: CertificateIn) -> IssuedCertificate:
    """Issue the certificate that `body` asks for.

    Raises MalformedInput, BadSignature (no proof of possession), UnsupportedAlgorithm, ProfileError, BadIdentifier,
    and ValidationFailed for an alternative name that the profile does not have.
    """
    from certs.identifiers import Identifier
    from certs.request import load_request
    from certs.subject import Subject

    request = load_request(body.request.encode())
    subject = Subject(
        body.name,
        organisation=body.organisation,
        country=body.country or UNKNOWN_COUNTRY,
        given_name=body.given_name,
        surname=body.surname,
        locality=body.locality,
        identifiers=tuple(Identifier(item.scheme, item.value) for item in body.identifiers),
    )
    return _issue(unit, _accepted(request, body.profile, subject), body.profile, body.days)


def enrol(unit: Unit, suite: str, request: bytes, *, renew: bool) -> IssuedCertificate:
    """Issue what a PKCS#10 request by EST asks for, subject included (RFC 7030 4.2).

    For a renewal the tenant must have a good certificate of exactly that subject. Raises what `issue` raises, and
    NotFound where the circle is none or there is nothing to renew.
    """
    from certs import suites
    from certs.request import load_request
    from certs.subject import Subject

    asked = load_request(request)
    found = suites.for_spki(asked.spki).name
    if found != suite:
        raise ValidationFailed(f"the key is one of {found}, not of {suite}")
    subject = Subject.of(asked.subject_name)
    subject = replace(subject, country=subject.country or UNKNOWN_COUNTRY)
    profile = "organisation" if subject.organisation and subject.identifiers else "person"
    accepted = _accepted(asked, profile, subject)
    if renew and not _renewable(unit, suite, subject):
        raise NotFound("there is no good certificate of this subject to renew")
    return _issue(unit, accepted, profile, RENEWAL_DAYS)


def _accepted(request: Request, profile: str, subject: Subject) -> Accepted:
    """Check possession; refuse alternative names that the profile does not have. Usages are the profile's to say."""
    from certs import profiles
    from certs.request import accept

    accepted = accept(request, profiles.load(profile), subject=subject)
    refused = [what for what in accepted.passed_over if what.startswith("alternative names")]
    if refused:
        raise ValidationFailed(f"the profile {profile} has no {', no '.join(refused)}")
    return accepted


def _renewable(unit: Unit, suite: str, subject: Subject) -> bool:
    """Tell whether the tenant has a good certificate of a subject, as we would write it: here and on the record."""
    digest = hashlib.sha256(subject.name()).hexdigest()
    with unit.read() as session:
        rows = repository.good_for(session, unit.tenant_id, suite, digest, unit.context.now())
    circle = unit.context.circles.get(suite)
    return any(circle.good(int(row.serial, 16)) for row in rows)


def _issue(unit: Unit, accepted: Accepted, profile: str, days: int | None) -> IssuedCertificate:
    circle = unit.context.circles.get(accepted.suite)
    certificate = circle.issue(profile, accepted.subject, accepted.spki, days=days, names=accepted.names)
    row = IssuedCertificate(
        id=new_id("crt"),
        tenant_id=unit.tenant_id,
        suite=circle.suite,
        profile=profile,
        serial=certificate.serial_hex,
        sha256=certificate.fingerprint(),
        subject_sha256=hashlib.sha256(certificate.subject_name.der).hexdigest(),
        pem=circle.pem_with_chain(certificate),
        not_after=certificate.not_after,
        created_at=unit.context.now(),
        revoked_at=None,
        reason=None,
    )
    unit.session.add(row)
    unit.session.flush()
    return row


def revoke(unit: Unit, certificate_id: str, reason: str) -> IssuedCertificate:
    """Revoke a certificate: first on the authority's record, which everybody asks, then here.

    Raises NotFound, or Conflict where it is revoked already. Where only the record says so, as after a crash between
    the two, what the record says is taken over.
    """
    row = repository.get(unit.session, unit.tenant_id, certificate_id)
    if row.revoked_at is not None:
        raise Conflict("the certificate is revoked already")
    circle = unit.context.circles.get(row.suite)
    row.revoked_at, row.reason = unit.context.now(), reason
    try:
        circle.revoke(int(row.serial, 16), reason)
    except AlreadyRevoked as error:
        row.revoked_at, row.reason = datetime.fromisoformat(error.facts["revoked_at"]), error.facts["reason"]
    return row
