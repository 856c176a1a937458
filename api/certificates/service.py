"""Issue, renew and revoke certificates of the closed circles for a tenant."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from api.certificates import repository
from api.certificates.models import IssuedCertificate
from api.certificates.schemas import CertificateIn
from api.errors import Conflict, NotFound, ValidationFailed
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.pki.circles import UNKNOWN_COUNTRY
from certs.errors import IssuanceError

if TYPE_CHECKING:
    from certs.certificate import Subject
    from certs.names import Name
    from certs.request import Request

RENEWAL_DAYS = 397
"""How long a certificate is valid that a machine renews by itself."""


def issue(unit: Unit, body: CertificateIn) -> IssuedCertificate:
    """Issue the certificate that `body` asks for.

    Raises MalformedInput, BadSignature (no proof of possession), UnsupportedAlgorithm, ProfileError, BadIdentifier.
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
    return _issue(unit, request, body.profile, subject, body.days)


def enrol(unit: Unit, suite: str, request: bytes, *, renew: bool) -> IssuedCertificate:
    """Issue what a PKCS#10 request by EST asks for, subject included (RFC 7030 4.2).

    For a renewal the tenant must have a good certificate of exactly that subject. Raises what `issue` raises, and
    NotFound where the circle is none or there is nothing to renew.
    """
    from certs import suites
    from certs.request import load_request

    asked = load_request(request)
    found = suites.for_spki(asked.spki).name
    if found != suite:
        raise ValidationFailed(f"the key is one of {found}, not of {suite}")
    if renew and current(unit, suite, asked.subject_name.der) is None:
        raise NotFound("there is no good certificate of this subject to renew")
    subject = subject_of(asked.subject_name)
    profile = "organisation" if subject.organisation and subject.identifiers else "person"
    return _issue(unit, asked, profile, subject, RENEWAL_DAYS)


def current(unit: Unit, suite: str, subject: bytes) -> IssuedCertificate | None:
    """Return the tenant's newest good certificate of a subject (DER), or None."""
    with unit.read() as session:
        digest = hashlib.sha256(subject).hexdigest()
        return repository.good_for(session, unit.tenant_id, suite, digest, unit.context.now())


def _issue(
    unit: Unit, request: Request, profile: str, subject: Subject, days: int | None
) -> IssuedCertificate:
    circle = unit.context.circles.get(request.verify())
    certificate = circle.issue(profile, subject, request.spki, days=days)
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

    Raises NotFound, or Conflict where it is revoked already.
    """
    row = repository.get(unit.session, unit.tenant_id, certificate_id)
    if row.revoked_at is not None:
        raise Conflict("the certificate is revoked already")
    circle = unit.context.circles.get(row.suite)
    try:
        circle.revoke(int(row.serial, 16), reason)
    except IssuanceError as error:
        if error.facts.get("state") != "revoked":
            raise
    row.revoked_at, row.reason = unit.context.now(), reason
    return row


def subject_of(name: Name) -> Subject:
    """Return the subject that a request's name asks for; attributes our profiles do not have are refused.

    Raises ValidationFailed.
    """
    from certs import oids
    from certs.subject import Subject, identifier_of

    fields = {
        oids.COMMON_NAME: "common_name",
        oids.ORGANISATION: "organisation",
        oids.ORGANISATIONAL_UNIT: "organisational_unit",
        oids.COUNTRY: "country",
        oids.GIVEN_NAME: "given_name",
        oids.SURNAME: "surname",
        oids.LOCALITY: "locality",
        oids.STATE: "state",
        oids.TITLE: "title",
        oids.EMAIL_ADDRESS: "email",
    }
    values: dict[str, str] = {}
    identifiers = []
    for attribute in name.attributes:
        identifier = identifier_of(attribute.oid, attribute.text)
        field = fields.get(attribute.oid)
        if identifier is not None:
            identifiers.append(identifier)
        elif field is not None and field not in values:
            values[field] = attribute.text
        else:
            raise ValidationFailed(f"the subject has an attribute that is not issued: {oids.name(attribute.oid)}")
    if "common_name" not in values:
        raise ValidationFailed("the subject has no common name")
    values.setdefault("country", UNKNOWN_COUNTRY)
    return Subject(identifiers=tuple(identifiers), **values)
