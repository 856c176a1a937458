"""An agreement signed with the key of a seal that the service holds; the job `sign-agreement`.

    job = ask(unit, agreement_id, seal_id)

1. What will be signed, and the use of the seal, are on record and counted when the request is answered.
2. The job uses the key once on exactly that; the value is committed.
3. The CMS around it is stamped, verified, and becomes the party's signature.

A job that is repeated after a crash goes on from what was committed.
"""

from __future__ import annotations

import hashlib
from typing import Any

from api.agreements import repository
from api.agreements.admission import octets_of, require_signable, require_unsigned, signer_of, terms_of, verified
from api.agreements.log import record
from api.agreements.models import AgreementSignature
from api.agreements.service import REPLACED
from api.agreements.signing import prepared, signed
from api.context import Context
from api.contracts.transition import actor_of
from api.errors import NotFound, StateConflict
from api.jobs import queue
from api.jobs.models import Job
from api.jobs.queue import JobRun, enqueue
from api.kit.edge import Unit
from api.seals import applying, uses
from api.seals import repository as seals
from api.seals.models import SealUse
from certs.certificate import load_certificates

KIND = "agreement"


def ask(unit: Unit, agreement_id: str, seal_id: str) -> Job:
    """Put on record what is to be signed with a seal, count its use, and enqueue the signing.

    Raises NotFound, Forbidden, StateConflict, AgreementRefused, SealRefused.
    """
    unit.principal.require("seals:use")
    context, now, session = unit.context, unit.context.now(), unit.session
    agreement = repository.get(session, unit.tenant_id, agreement_id, lock=True)
    require_signable(agreement, now)
    seal = seals.get(session, unit.tenant_id, seal_id, lock=True)
    if seal.key_holder != "service":
        raise StateConflict("the key of this seal is not held here", state=seal.state, allowed=[])
    applying.load(context, seal)
    first, *chain = load_certificates(applying.bundle_of(seal, None).encode())
    signer = signer_of(terms_of(session, agreement), first, tuple(chain), now)
    require_unsigned(session, agreement, signer.index, now)
    repository.abandon(session, agreement, REPLACED, party=signer.index)
    row = prepared(agreement, signer, now)
    wanted = uses.Use(
        who=unit.principal.who,
        kind=KIND,
        document_id=agreement.id,
        base_sha256=agreement.sha256 or "",
        prepared_sha256=hashlib.sha256(row.attributes or b"").hexdigest(),
    )
    actor = actor_of(unit)
    row.seal_id, row.seal_use_id = seal.id, uses.begin(session, seal, wanted, now=now, actor=actor).id
    session.add(row)
    facts = {
        "signature": row.id,
        "party": agreement.parties[row.party],
        "certificate_sha256": first.fingerprint(),
        "sha256": agreement.sha256,
        "seal": seal.id,
        "seal_use": row.seal_use_id,
    }
    record(session, agreement, "signature.requested", now=now, actor=actor, data=facts)
    session.flush()
    payload = {"agreement": agreement.id, "signature": row.id}
    key = f"sign-agreement:{row.id}"
    return enqueue(session, tenant_id=unit.tenant_id, kind="sign-agreement", key=key, payload=payload, now=now)


def sign_with_seal(context: Context, run: JobRun) -> dict[str, Any]:
    """Run the job. Payload: agreement, signature."""
    from certs import suites
    from signer.cms import finish

    with context.database.read() as session:
        agreement = repository.get(session, run.tenant_id, run.payload["agreement"])
        row = repository.signature(session, run.tenant_id, agreement.id, run.payload["signature"])
    if row.state == "signed":
        return {"agreement": agreement.id, "signature": row.id}
    _require_open(row)
    require_signable(agreement, context.now())
    value = row.value
    if value is None:
        value = applying.open_key(context, run.tenant_id, row.seal_id or "").sign(row.attributes or b"")
        with context.database.write() as session:
            queue.fence(session, run)
            repository.signature(session, run.tenant_id, agreement.id, row.id, lock=True).value = value
    first, *chain = load_certificates(row.certificates.encode())
    timestamper = context.circles.get(row.suite).tsa
    cms = finish(suites.get(row.suite), first, chain, row.attributes or b"", value, timestamper=timestamper)
    verdict = verified(context, cms, octets_of(agreement))
    with context.database.write() as session:
        queue.fence(session, run)
        now = context.now()
        agreement = repository.get(session, run.tenant_id, agreement.id, lock=True)
        row = repository.signature(session, run.tenant_id, agreement.id, row.id, lock=True)
        _require_open(row)
        require_unsigned(session, agreement, row.party, now)
        signed(session, agreement, row, cms, verdict, now=now, actor=run.actor)
        facts = {"agreement": agreement.id, "sha256": agreement.sha256}
        uses.done(
            session, run.tenant_id, row.seal_id or "", row.seal_use_id or "", now=now, actor=run.actor, facts=facts
        )
    return {"agreement": agreement.id, "signature": row.id}


def gave_up(context: Context, run: JobRun, failure: dict[str, Any]) -> None:
    """Let the party begin again; the use of the seal stays counted, for what was to be signed may have been."""
    with context.database.write() as session:
        queue.fence(session, run)
        try:
            agreement = repository.get(session, run.tenant_id, run.payload["agreement"], lock=True)
            row = repository.signature(session, run.tenant_id, agreement.id, run.payload["signature"], lock=True)
        except NotFound:
            return
        if row.state == "prepared":
            row.state, row.failure = "abandoned", failure
        use = session.get(SealUse, row.seal_use_id)
        if use is not None and use.state == "recorded":
            uses.failed(session, run.tenant_id, use, failure, context.now())
        facts = {"signature": row.id, "party": agreement.parties[row.party], **failure}
        record(session, agreement, "signature.reported", now=context.now(), actor=run.actor, data=facts)


def _require_open(row: AgreementSignature) -> None:
    if row.state != "prepared":
        raise StateConflict("this signature request is over", state=row.state, allowed=[])
