"""Who may use a seal: grants are given, approved and taken back."""

from __future__ import annotations

from typing import Any

from api.audit.service import moment
from api.auth import repository as keys
from api.contracts import repository as contracts
from api.contracts.transition import actor_of
from api.errors import NotFound, ValidationFailed
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.kit.refusals import problem_at, refuse, utc
from api.seals import repository
from api.seals.life import grant_of, touch
from api.seals.log import record
from api.seals.models import Seal, SealGrant
from api.seals.schemas import GrantIn
from signer.errors import SealStateConflict
from signer.seals import lifecycle
from signer.seals.lifecycle import SealState


def give(unit: Unit, seal_id: str, body: GrantIn) -> SealGrant:
    """Grant the use of a seal. Raises NotFound, SealStateConflict where the seal is over, ValidationFailed."""
    session, now = unit.session, unit.context.now()
    seal = repository.get(session, unit.tenant_id, seal_id, lock=True)
    if SealState(seal.state) in lifecycle.OVER:
        raise SealStateConflict(f"a seal that is {seal.state} is not granted", state=seal.state, allowed=[])
    grantee = _check_grant(unit, body)
    grant = SealGrant(
        id=new_id("grt"),
        seal_id=seal.id,
        grantee=grantee,
        granter=unit.principal.who,
        contracts=sorted(set(body.contracts)) if body.contracts is not None else None,
        kinds=sorted(set(body.kinds)) if body.kinds is not None else None,
        valid_from=utc(body.valid_from, "/valid_from") if body.valid_from is not None else now,
        valid_to=utc(body.valid_to, "/valid_to") if body.valid_to is not None else seal.valid_to,
        count=body.count,
        used=0,
        approvals_needed=seal.approvals_needed - 1,
        approvals=[],
        created_at=now,
    )
    if grant.valid_from > grant.valid_to:
        raise refuse("/valid_to", "order", "is before valid_from")
    session.add(grant)
    facts = {
        "grant": grant.id,
        "grantee": grant.grantee,
        "contracts": grant.contracts,
        "kinds": grant.kinds,
        "valid_from": moment(grant.valid_from),
        "valid_to": moment(grant.valid_to),
        "count": grant.count,
    }
    _note(unit, seal, "grant.made", facts)
    return grant


def approve_grant(unit: Unit, seal_id: str, grant_id: str) -> SealGrant:
    """Approve a grant, as a third person. Raises NotFound, SealRefused."""
    seal = repository.get(unit.session, unit.tenant_id, seal_id, lock=True)
    grant, who = repository.grant(unit.session, seal, grant_id), unit.principal.who
    lifecycle.approve_grant(grant_of(grant), who)
    grant.approvals = [*grant.approvals, {"by": who, "at": moment(unit.context.now())}]
    _note(unit, seal, "grant.approved", {"grant": grant.id, "by": who})
    return grant


def revoke_grant(unit: Unit, seal_id: str, grant_id: str) -> SealGrant:
    """Take a grant back; to do it again changes nothing. Raises NotFound."""
    seal = repository.get(unit.session, unit.tenant_id, seal_id, lock=True)
    grant = repository.grant(unit.session, seal, grant_id)
    if grant.revoked_at is None:
        grant.revoked_at = unit.context.now()
        _note(unit, seal, "grant.revoked", {"grant": grant.id, "used": grant.used})
    return grant


def _check_grant(unit: Unit, body: GrantIn) -> str:
    """Return who gets the grant: the user whose key it is, where it is one's. Raises ValidationFailed."""
    grantee, errors = grantee_named(unit, body.grantee), []
    if grantee is None:
        errors.append(problem_at("/grantee", "not-found", "there is no such user or API key"))
    for index, name in enumerate(body.contracts or ()):
        try:
            contracts.get(unit.session, unit.tenant_id, name)
        except NotFound as error:
            errors.append(problem_at(f"/contracts/{index}", error.code, error.message))
    if errors or grantee is None:
        raise ValidationFailed("the grant cannot be made", errors=errors)
    return grantee


def grantee_named(unit: Unit, name: str) -> str | None:
    """Return the user or API key of that name, for a user's key the user; None where it is not there or is over."""
    try:
        if name.startswith("usr_"):
            user = keys.user(unit.session, unit.tenant_id, name)
            return user.id if user.deactivated_at is None else None
        key = keys.key_of(unit.session, unit.tenant_id, name)
        return (key.user_id or key.id) if key.revoked_at is None else None
    except NotFound:
        return None


def _note(unit: Unit, seal: Seal, event: str, facts: dict[str, Any]) -> None:
    """Record something about a seal whose state stays; its version rises all the same: the log is part of it."""
    now = unit.context.now()
    record(unit.session, seal, event, now=now, actor=actor_of(unit), data=facts)
    touch(seal, now)
    unit.session.flush()
