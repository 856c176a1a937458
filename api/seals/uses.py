"""Uses of seals: permitted and counted before the key is used, noted as done with the revision they made.

    use = begin(session, seal, Use(who="key_…", kind="contract", document_id="doc_…", …), now=now, actor=actor)
    done(session, tenant_id, use.seal_id, use.id, now=now, actor=actor, facts={...})

`begin` stands in the transaction that records what will be signed: so a grant is counted exactly once for what may have
been signed, wherever the process dies. A document that is prepared again for the same party (because somebody else
signed first, or a request ran out) is the same use, as long as the same person does it under a grant still in force.
What was counted is not given back: the octets to be signed were out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.contracts.transition import SYSTEM
from api.kit.ids import new_id
from api.seals import repository
from api.seals.life import grant_of, life_of, put, touch
from api.seals.log import record
from api.seals.models import Seal, SealGrant, SealUse
from signer.errors import SealRefused
from signer.seals import lifecycle
from signer.seals.lifecycle import Grant, Purpose


@dataclass(frozen=True, kw_only=True)
class Use:
    """What somebody is about to seal."""

    who: str
    kind: str
    document_id: str
    base_sha256: str
    prepared_sha256: str
    prepared: str | None = None
    """Of a document by itself; inside a contract the signature's row has it."""
    contract_id: str | None = None
    party_id: str | None = None
    id: str | None = None
    """Where it was chosen before: by the job of a document by itself."""

    @property
    def purpose(self) -> Purpose:
        """What the grants are asked for."""
        return Purpose(self.kind, contract=self.contract_id)


def check(session: Session, seal: Seal, who: str, what: Purpose, now: datetime) -> None:
    """Raise SealRefused where somebody may not use the seal as they ask; nothing is counted yet."""
    lifecycle.permit_use(life_of(seal), map(grant_of, repository.grants_to(session, seal, who)), now, who, what)


def begin(session: Session, seal: Seal, wanted: Use, *, now: datetime, actor: dict[str, Any]) -> SealUse:
    """Permit a use, count it, and put it on record. The seal's row is locked by the caller. Raises SealRefused."""
    before = repository.use_by(session, wanted.party_id, wanted.document_id) if wanted.party_id is not None else None
    grants = repository.grants_to(session, seal, wanted.who)
    grant, counted = _permitted(seal, grants, before, wanted, now)
    if counted:
        row = next(row for row in grants if row.id == grant.id)
        row.used = lifecycle.consume(grant).used
    use = before or SealUse(
        id=wanted.id or new_id("use"),
        seal_id=seal.id,
        kind=wanted.kind,
        contract_id=wanted.contract_id,
        party_id=wanted.party_id,
        document_id=wanted.document_id,
        created_at=now,
    )
    use.grant_id, use.who, use.state, use.failure = grant.id, wanted.who, "recorded", None
    use.base_sha256, use.prepared_sha256, use.prepared = wanted.base_sha256, wanted.prepared_sha256, wanted.prepared
    use.updated_at = now
    session.add(use)
    facts = {
        "use": use.id,
        "grant": grant.id,
        "counted": counted,
        "who": wanted.who,
        "kind": wanted.kind,
        "contract": wanted.contract_id,
        "party": wanted.party_id,
        "document": wanted.document_id,
        "revision_sha256": wanted.base_sha256,
        "prepared_sha256": wanted.prepared_sha256,
    }
    record(session, seal, "use.recorded", now=now, actor=actor, data=facts)
    put(seal, lifecycle.used(life_of(seal)), now)
    session.flush()
    return use


def _permitted(
    seal: Seal, grants: Sequence[SealGrant], before: SealUse | None, wanted: Use, now: datetime
) -> tuple[Grant, bool]:
    """Return the grant of a use, and whether it has to be counted."""
    life, views = life_of(seal), [grant_of(row) for row in grants]
    if before is not None and before.who == wanted.who:
        same = [replace(view, used=view.used - 1) for view in views if view.id == before.grant_id]
        try:
            return lifecycle.permit_use(life, same, now, wanted.who, wanted.purpose), False
        except SealRefused:  # revoked or ended meanwhile; another grant may do
            pass
    return lifecycle.permit_use(life, views, now, wanted.who, wanted.purpose), True


def done(
    session: Session,
    tenant_id: str,
    seal_id: str,
    use_id: str,
    *,
    now: datetime,
    actor: dict[str, Any],
    facts: dict[str, Any],
) -> None:
    """Note that what was to be sealed is sealed."""
    seal = repository.get(session, tenant_id, seal_id, lock=True)
    use = repository.use(session, seal, use_id)
    use.state, use.updated_at = "done", now
    record(session, seal, "use.done", now=now, actor=actor, data={"use": use.id, **facts})
    touch(seal, now)


def failed(session: Session, tenant_id: str, use: SealUse, failure: dict[str, Any], now: datetime) -> None:
    """Note that a use came to nothing. It stays counted: what was to be signed may have been."""
    seal = repository.get(session, tenant_id, use.seal_id, lock=True)
    use.state, use.failure, use.updated_at = "failed", failure, now
    record(session, seal, "use.failed", now=now, actor=SYSTEM, data={"use": use.id, **failure})
    touch(seal, now)


def open_uses(session: Session, party_id: str) -> Sequence[SealUse]:
    """Return the uses that a party of a contract has begun and not ended."""
    return session.scalars(select(SealUse).where(SealUse.party_id == party_id, SealUse.state == "recorded")).all()
