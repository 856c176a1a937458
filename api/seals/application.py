"""An application for a seal: what is asked for, and whether it can become a seal at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from api.audit.service import GENESIS, moment
from api.contracts.transition import actor_of
from api.errors import ValidationFailed
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.kit.refusals import problem_at, refuse, utc
from api.pki.circles import UNKNOWN_COUNTRY
from api.seals.log import record
from api.seals.models import Seal
from api.seals.owner import owner_facts
from api.seals.pictures import picture_of
from api.seals.schemas import SealIn
from certs.errors import SealroadError
from signer.seals.lifecycle import SealState
from signer.seals.model import SealVersion

if TYPE_CHECKING:
    from certs.subject import Subject

USUAL_LIFE: Final = timedelta(days=365)
LONGEST_LIFE: Final = timedelta(days=1095)
"""A day less than a certificate of the profile `seal` may be valid."""
MAX_CHAIN: Final = 10
VERSIONS: Final = {"v1": SealVersion.V1, "v4": SealVersion.V4, "v5": SealVersion.V5}


def apply_for(unit: Unit, body: SealIn) -> Seal:
    """Take an application. Raises ValidationFailed; AppearanceError for a picture that cannot be used."""
    from signer.seals.kinds import number_of

    now, context = unit.context.now(), unit.context
    suite, certificates = _suite_of(body)
    valid_from, valid_to = _period(body, now)
    owner = owner_facts(unit, body)
    picture = picture_of(body)
    with context.storage.receive([picture.data]) as received:
        context.storage.keep(received)
    seal = Seal(
        id=new_id("seal"),
        tenant_id=unit.tenant_id,
        version=1,
        state=str(SealState.APPLIED),
        name=body.name,
        kind=body.kind,
        type=number_of(body.kind, VERSIONS[body.standard]),
        standard=body.standard,
        suite=suite,
        **owner,
        key_holder="service" if body.certificates is None else "party",
        certificates=certificates,
        picture_sha256=received.sha256,
        picture_type=picture.type,
        width=picture.width,
        height=picture.height,
        valid_from=valid_from,
        valid_to=valid_to,
        applicant=unit.principal.who,
        approvals_needed=body.approvals,
        approvals=[],
        filing_required=body.filing_required,
        assigned_number=body.filing_number,
        was_used=False,
        log_sequence=0,
        log_hash=GENESIS,
        created_at=now,
        updated_at=now,
    )
    unit.session.add(seal)
    unit.session.flush()
    facts = {
        "name": seal.name,
        "kind": seal.kind,
        "standard": seal.standard,
        "suite": suite,
        "picture_sha256": received.sha256,
        "valid_from": moment(valid_from),
        "valid_to": moment(valid_to),
        "filing_required": seal.filing_required,
        "approvals": seal.approvals_needed,
    }
    record(unit.session, seal, "seal.applied", now=now, actor=actor_of(unit), data=facts)
    unit.session.flush()
    return seal


def _suite_of(body: SealIn) -> tuple[str, list[str] | None]:
    """Return the suite of a seal, and the certificates of those who hold their keys, as PEM with chain."""
    from certs import suites
    from certs.certificate import load_certificates
    from signer.seals.make import seal_algorithm

    try:
        if body.suite is not None and body.owner is not None:
            suites.must_sign(body.suite)
            seal_algorithm(suites.get(body.suite))
            written = {"organisation", "country", "identifiers"}
            owner = subject_of(body.name, body.owner.model_dump(mode="json", include=written))
            for identifier in owner.identifiers:
                identifier.check()
            owner.name()
            return suites.get(body.suite).name, None
        bundles = [load_certificates(pem.encode())[:MAX_CHAIN] for pem in body.certificates or ()]
        found = {bundle[0].public_key().suite.name for bundle in bundles}
        for name in found:
            suites.must_sign(name)
            seal_algorithm(suites.get(name))
    except SealroadError as error:
        where = "suite" if body.suite is not None else "certificates"
        problem = problem_at(f"/{where}", error.code, error.message)
        raise ValidationFailed(f"the {where} cannot be used: {error}", errors=[problem]) from None
    if len(found) != 1:
        raise refuse("/certificates", "mixed", "are of several suites: " + ", ".join(sorted(found)))
    for index, (certificate, *_) in enumerate(bundles):
        if certificate.is_ca or not certificate.allows("digital_signature", "non_repudiation"):
            raise refuse(f"/certificates/{index}", "key-usage", "is not one for signatures")
    return found.pop(), ["".join(each.pem for each in bundle) for bundle in bundles]


def subject_of(name: str, owner: dict[str, Any]) -> Subject:
    """Return the subject of the certificate of a seal whose key the service holds."""
    from certs.identifiers import Identifier
    from certs.subject import Subject

    return Subject(
        name,
        organisation=owner["organisation"],
        country=owner["country"] or UNKNOWN_COUNTRY,
        identifiers=tuple(Identifier(item["scheme"], item["value"]) for item in owner["identifiers"]),
    )


def _period(body: SealIn, now: datetime) -> tuple[datetime, datetime]:
    """Return the validity, in whole seconds: seals have no finer ones."""
    valid_from = utc(body.valid_from or now, "/valid_from")
    if valid_from - now > LONGEST_LIFE:
        raise refuse("/valid_from", "too-late", "lies too far in the future")
    valid_to = utc(body.valid_to, "/valid_to") if body.valid_to is not None else valid_from + USUAL_LIFE
    if valid_to <= max(valid_from, now):
        raise refuse("/valid_to", "past", "is not after valid_from and in the future")
    if valid_to - min(valid_from, now) > LONGEST_LIFE:
        raise refuse("/valid_to", "too-long", f"a seal is valid for {LONGEST_LIFE.days} days at most")
    return valid_from, valid_to
