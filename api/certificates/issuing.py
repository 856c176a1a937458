"""How a tenant's certificate comes into being, so that a process killed at any instant leaves nothing unaccounted.

 1. the plan is on record in the ledger: nothing is signed yet
 2. the intent is on record here, in a transaction of its own: whose the certificate will be
 3. the authority signs, once, and its ledger has the certificate
 4. the certificate gets its row and the intent goes, in the transaction of the request

What a process that died left between 2 and 4 is settled by `settle`: at the start of a worker, every minute, and when
the request is repeated with the same Idempotency-Key. A certificate that was signed becomes the tenant's, as if the
answer had been lost on its way. Where the key may have been used and no certificate is on record, the serial number is
revoked, so that whatever was signed is good for nothing. What was only planned is forgotten with its process, the only
one that could have signed it.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.certificates import repository
from api.certificates.models import CertificateIntent, IssuedCertificate
from api.context import Context
from api.kit.edge import Unit
from api.kit.ids import new_id
from certs.errors import AlreadyRevoked, SealroadError

if TYPE_CHECKING:
    from certs.ca import Plan
    from certs.certificate import Certificate

log = logging.getLogger("sealroad.certificates")

ABANDONED: Final = timedelta(minutes=10)
"""After this an intent is settled whose process is not known to be dead: it may have run on another machine."""


def issue(unit: Unit, suite: str, plan: Plan, identity: dict[str, Any]) -> IssuedCertificate:
    """Sign a plan for a tenant (2, 3, 4), on the proofs that `api.identity.gate` returned.

    Raises IssuanceError, KeyStoreError and what else `Circle.sign` raises.
    """
    intent, certificate = _signed(unit.context, unit.tenant_id, suite, plan, identity, unit.repetition)
    return taken(unit.session, unit.context, intent, certificate)


def issue_for_service(
    context: Context, tenant_id: str, suite: str, plan: Plan, identity: dict[str, Any] | None
) -> IssuedCertificate:
    """Sign a plan for a key that the service holds for a tenant; 4 is a transaction of its own. Raises as `issue`."""
    intent, certificate = _signed(context, tenant_id, suite, plan, identity, None)
    with context.database.write() as session:
        return taken(session, context, intent, certificate)


def _signed(
    context: Context, tenant_id: str, suite: str, plan: Plan, identity: dict[str, Any] | None, repetition: str | None
) -> tuple[CertificateIntent, Certificate]:
    intent = intent_of(context, tenant_id, suite, plan, identity, repetition)
    intend(context, intent)
    return intent, context.circles.get(suite).sign(plan)


def intent_of(
    context: Context,
    tenant_id: str,
    suite: str,
    plan: Plan | Certificate,
    identity: dict[str, Any] | None,
    repetition: str | None,
) -> CertificateIntent:
    """Return what would be put on record of a plan; of a certificate that is signed, what its row is made of.

    `identity` says on which proofs it is issued; None for the service's own.
    """
    circle = context.circles.get(suite)
    entry = circle.entry(plan.serial)
    return CertificateIntent(
        id=new_id("crt"),
        tenant_id=tenant_id,
        suite=suite,
        profile=entry.profile if entry is not None else "",
        serial=f"{plan.serial:x}",
        owner=context.presence.name,
        created_at=context.now(),
        identity=identity,
        repetition=repetition,
    )


def intend(context: Context, *intents: CertificateIntent) -> None:
    """Put intents on record, in a transaction of their own (2)."""
    with context.database.write() as session:
        session.add_all(intents)


def taken(session: Session, context: Context, intent: CertificateIntent, certificate: Certificate) -> IssuedCertificate:
    """Give a certificate its row, and let its intent go (4)."""
    row = _row(context, intent, certificate)
    found = session.get(CertificateIntent, intent.id, with_for_update=True)
    if found is not None:
        session.delete(found)
    else:  # settled by somebody who took us for dead
        adopted = session.get(IssuedCertificate, intent.id)
        if adopted is not None:
            return adopted
    known = repository.by_digest(session, row.sha256)  # of a pair: asked for again, or adopted from somebody who died
    if known is not None:
        return known
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # PostgreSQL: another sending of a request for a pair committed meanwhile
        known = repository.by_digest(session, row.sha256)
        if known is None:
            raise
        return known
    return row


def settle_repetition(unit: Unit) -> None:
    """Settle what an earlier sending of the same request left, which did not live to answer."""
    if unit.repetition is None:
        return
    with unit.context.database.read() as session:
        left = repository.intents(session, unit.repetition)
    for intent in left:  # nobody is at it: of two requests with one Idempotency-Key only one runs
        _settle_one(unit.context, intent)


def done_before(unit: Unit) -> IssuedCertificate | None:
    """Return what an earlier sending of the same request got, which did not live to answer."""
    repetition, context = unit.repetition, unit.context
    if repetition is None:
        return None
    settle_repetition(unit)
    with unit.read() as session:
        return repository.repeated(
            session, unit.tenant_id, repetition, context.now() - context.settings.idempotency_life
        )


def settle(context: Context) -> int:
    """Settle what processes left behind that are dead, or silent for long; return how many certificates that were."""
    with context.database.read() as session:
        left = repository.intents(session)
    before = context.now() - ABANDONED
    left = [each for each in left if each.created_at < before or context.presence.is_dead(each.owner)]
    for intent in left:
        try:
            _settle_one(context, intent)
        except (SealroadError, IntegrityError):  # it stays, and is tried again
            log.exception("certificate %s of %s cannot be settled", intent.serial, intent.suite)
    return len(left)


def _settle_one(context: Context, intent: CertificateIntent) -> None:
    if intent.pair_id is None:
        _settle_now(context, intent)
        return
    with context.circles.get(intent.suite).pairing():  # the same plan may be just being signed for another sending
        _settle_now(context, intent)


def _settle_now(context: Context, intent: CertificateIntent) -> None:
    circle, serial = context.circles.get(intent.suite), int(intent.serial, 16)
    entry = circle.entry(serial)
    if entry is not None and entry.state == "signing":
        try:
            circle.revoke(serial)
        except AlreadyRevoked:
            pass
        entry = circle.entry(serial)
        log.warning("certificate %s of %s may have been signed and is revoked", intent.serial, intent.suite)
    with context.database.write() as session:
        found = session.get(CertificateIntent, intent.id, with_for_update=True)
        if found is None:
            return
        session.delete(found)
        if entry is not None and entry.certificate is not None:
            from certs.certificate import Certificate

            row = _row(context, found, Certificate(entry.certificate))
            if repository.by_digest(session, row.sha256) is not None:  # of a pair, by a later sending of its request
                return
            session.add(row)
            log.warning("certificate %s of %s was signed for a request that did not end", intent.serial, intent.suite)


def _row(context: Context, intent: CertificateIntent, certificate: Certificate) -> IssuedCertificate:
    return IssuedCertificate(
        id=intent.id,
        tenant_id=intent.tenant_id,
        suite=intent.suite,
        profile=intent.profile,
        serial=certificate.serial_hex,
        sha256=certificate.fingerprint(),
        subject_sha256=hashlib.sha256(certificate.subject_name.der).hexdigest(),
        pem=context.circles.get(intent.suite).pem_with_chain(certificate),
        not_after=certificate.not_after,
        created_at=intent.created_at,
        person_id=(intent.identity or {}).get("person"),
        organisation_id=(intent.identity or {}).get("organisation"),
        identity=intent.identity,
        repetition=intent.repetition,
        pair_id=intent.pair_id,
        delivery=intent.delivery,
    )
