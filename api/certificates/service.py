"""Issue, renew, suspend and revoke certificates of the closed circles for a tenant.

Whose a certificate is stands in the database, what state it is in in the ledger of its authority: whoever changes it
there, by this service or beside it, everybody sees it at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from api.certificates import issuing, pairing, repository
from api.certificates.identity import again, on_record, subject_of
from api.certificates.models import IssuedCertificate
from api.certificates.schemas import (
    CertificateIn,
    HoldIn,
    IssuedCertificateOut,
    PairOut,
    RenewalIn,
    RevocationIn,
    State,
    state_of,
)
from api.context import Context
from api.errors import NotFound, StateConflict, ValidationFailed
from api.kit.edge import Unit, check_match
from api.kit.pagination import Page, paginate
from api.pki.circles import UNKNOWN_COUNTRY
from certs import oids
from certs.errors import AlreadyRevoked

if TYPE_CHECKING:
    from api.pki.circle import Circle
    from certs.ledger import Entry
    from certs.request import Accepted, Request
    from certs.subject import Subject

RENEWAL_DAYS = 397
"""How long a certificate is valid that a machine renews by itself."""


def issue(unit: Unit, body: CertificateIn) -> IssuedCertificate:
    """Issue the certificate that `body` asks for.

    Raises MalformedInput, BadSignature (no proof of possession), UnsupportedAlgorithm, ProfileError, BadIdentifier,
    ValidationFailed for an alternative name that the profile does not have, IdentityNotProven, and ApprovalError where
    the profile issues by approved application only.
    """
    from certs.request import load_request

    request = load_request(body.request.encode())
    subject, identity = subject_of(unit, body)
    accepted = _accepted(request, body.profile, subject)
    if body.pair:
        circle = unit.context.circles.get(accepted.suite)
        return pairing.issue(unit, circle, request, body.profile, subject, body.days, identity)
    return _issue(unit, accepted, body.profile, body.days, identity)


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
    if not renew:
        return _issue(unit, accepted, profile, RENEWAL_DAYS, on_record(unit, subject))
    before = _renewable(unit, suite, subject)
    if before is None:
        raise NotFound("there is no good certificate of this subject to renew")
    return _issue(unit, accepted, profile, RENEWAL_DAYS, again(unit, before, subject, None))


def _accepted(request: Request, profile: str, subject: Subject) -> Accepted:
    """Check possession; refuse alternative names that the profile does not have. Usages are the profile's to say."""
    from certs import profiles
    from certs.request import accept

    accepted = accept(request, profiles.load(profile), subject=subject)
    refused = [what for what in accepted.passed_over if what.startswith("alternative names")]
    if refused:
        raise ValidationFailed(f"the profile {profile} has no {', no '.join(refused)}")
    return accepted


def _renewable(unit: Unit, suite: str, subject: Subject) -> IssuedCertificate | None:
    """Return the tenant's good certificate of a subject, as we would write it: here and on the record."""
    digest = hashlib.sha256(subject.name()).hexdigest()
    with unit.read() as session:
        rows = repository.unexpired(session, unit.tenant_id, suite, digest, unit.context.now())
    circle = unit.context.circles.get(suite)
    return next((row for row in rows if circle.good(int(row.serial, 16))), None)


def _issue(
    unit: Unit, accepted: Accepted, profile: str, days: int | None, identity: dict[str, Any]
) -> IssuedCertificate:
    before = issuing.done_before(unit)
    if before is not None:
        return before
    circle = unit.context.circles.get(accepted.suite)
    plan = circle.prepare(profile, accepted.subject, accepted.spki, days=days, names=accepted.names)
    return issuing.issue(unit, circle.suite, plan, identity)


def renew(unit: Unit, certificate_id: str, body: RenewalIn, if_match: str | None) -> IssuedCertificate:
    """Issue the next certificate of the same subject and names, for the key that signed the request.

    The one before stays as it is: whoever wants it gone revokes it as superseded. Raises NotFound, PreconditionFailed,
    StateConflict where it is not good, ValidationFailed for a key of another suite or other names, and what `issue`
    raises.
    """
    from certs.alt_names import AltNames, read_alt_names
    from certs.certificate import load_certificates
    from certs.request import load_request
    from certs.subject import Subject

    before = issuing.done_before(unit)
    if before is not None:
        return before
    row, entry = _found(unit, certificate_id, if_match)
    state = "expired" if row.not_after <= unit.context.now() else state_of(entry)
    if state != "issued":
        raise StateConflict(f"the certificate is {state} and is not renewed", state=state, allowed=["issued"])
    certificate = load_certificates(row.pem.encode())[0]
    subject = Subject.of(certificate.subject_name)
    accepted = _accepted(load_request(body.request.encode()), row.profile, subject)
    if accepted.suite != row.suite:
        raise ValidationFailed(f"the key is one of {accepted.suite}, not of {row.suite}")
    extension = certificate.extension(oids.SUBJECT_ALT_NAME)
    names = read_alt_names(extension.value) if extension else AltNames()
    if accepted.names and accepted.names != names:
        raise ValidationFailed("the request asks for other alternative names than the certificate has")
    circle = unit.context.circles.get(row.suite)
    identity = again(unit, row, subject, body.identity_proof)
    return issuing.issue(unit, row.suite, circle.prepare_renewal(certificate, accepted.spki, days=body.days), identity)


def present(unit: Unit, row: IssuedCertificate) -> IssuedCertificateOut:
    """Return the outside of a certificate, in the state that the authority's ledger has it in at this moment."""
    return IssuedCertificateOut.of(row, _entry(unit.context, row), _pair(unit, row))


def _pair(unit: Unit, row: IssuedCertificate) -> PairOut | None:
    if row.pair_id is None:
        return None
    with unit.read() as session:
        found = repository.pair_of(session, row.tenant_id, row.pair_id)
    return None if found is None else PairOut(signing=found[0].id, encryption=found[1].id)


def page_of(
    unit: Unit, state: State | None, cursor: str | None, limit: int
) -> tuple[list[IssuedCertificateOut], Page[IssuedCertificate]]:
    """Return a page of the tenant's certificates, of those in one state where that is given."""
    context = unit.context
    found: dict[str, Entry | None] = {}

    def keep(row: IssuedCertificate) -> bool:
        found[row.id] = _entry(context, row)
        return state_of(found[row.id]) == state

    with unit.read() as session:
        page = paginate(
            session,
            repository.all_of(unit.tenant_id),
            IssuedCertificate,
            unit,
            cursor=cursor,
            limit=limit,
            keep=None if state is None else keep,
        )
    return [
        IssuedCertificateOut.of(row, found[row.id] if state is not None else _entry(context, row), _pair(unit, row))
        for row in page.rows
    ], page


def revoke(unit: Unit, certificate_id: str, body: RevocationIn, if_match: str | None) -> IssuedCertificateOut:
    """Revoke a certificate for good, on the authority's record, which everybody asks. One on hold can be revoked.

    To do it again for the same reason changes nothing. Raises NotFound, PreconditionFailed, AlreadyRevoked (for another
    reason), RevocationRefused.
    """
    row, entry = _found(unit, certificate_id, if_match)
    try:
        _circle(unit.context, row).revoke(int(row.serial, 16), body.reason, invalid_since=body.invalid_since)
    except AlreadyRevoked as error:
        if error.facts["reason"] != body.reason or body.invalid_since not in (None, entry and entry.invalid_since):
            raise
    return present(unit, row)


def hold(unit: Unit, certificate_id: str, body: HoldIn, if_match: str | None) -> IssuedCertificateOut:
    """Suspend a certificate. Raises NotFound, PreconditionFailed, AlreadyRevoked (held too), RevocationRefused."""
    row, _ = _found(unit, certificate_id, if_match)
    _circle(unit.context, row).hold(int(row.serial, 16), until=body.until)
    return present(unit, row)


def release(unit: Unit, certificate_id: str, if_match: str | None) -> IssuedCertificateOut:
    """End a suspension. Raises NotFound, PreconditionFailed, NotOnHold."""
    row, _ = _found(unit, certificate_id, if_match)
    _circle(unit.context, row).release(int(row.serial, 16))
    return present(unit, row)


def _circle(context: Context, row: IssuedCertificate) -> Circle:
    return context.circles.get(row.suite)


def _entry(context: Context, row: IssuedCertificate) -> Entry | None:
    return _circle(context, row).entry(int(row.serial, 16))


def _found(unit: Unit, certificate_id: str, if_match: str | None) -> tuple[IssuedCertificate, Entry | None]:
    """Return a tenant's certificate, in a state that If-Match names. Raises NotFound, PreconditionFailed."""
    with unit.read() as session:
        row = repository.get(session, unit.tenant_id, certificate_id)
    entry = _entry(unit.context, row)
    if if_match is not None:
        check_match(if_match, IssuedCertificateOut.of(row, entry).etag)
    return row, entry
