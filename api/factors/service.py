"""Decide about factors: offer an enrolment, enrol, confirm, change, reset; and what a tenant requires.

Nobody has a factor enrolled who was not handed a secret for it, and who has one enrolled gets another only on proof of
it, or after a reset that is on record. What that proves, and what not, is in docs/factors.md.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from api.audit.service import record
from api.auth.service import digest_of
from api.contracts import repository as contracts
from api.contracts.transition import actor_of, touch
from api.errors import Conflict, FactorRefused, PreconditionFailed, StateConflict
from api.factors import lock, otp, repository
from api.factors.log import note, owner_of
from api.factors.models import Factor, FactorEnrolment, FactorPolicy
from api.factors.proving import OTP_PURPOSE, check
from api.factors.schemas import ChangeIn, EnrolIn, EnrolmentIn, PolicyIn
from api.kit.edge import Unit, etag
from api.kit.ids import is_id, new_id
from api.kit.refusals import refuse
from api.people import repository as people

ISSUER: Final = "Sealroad"
_NOBODY: Final = bytes(32)


def offer(unit: Unit, body: EnrolmentIn) -> tuple[FactorEnrolment, str]:
    """Let a signer enrol a factor; return the secret to be handed to them, which replaces an earlier one.

    Raises NotFound, ValidationFailed for a party that is on record, StateConflict where the factor is enrolled.
    """
    session, now = unit.session, unit.context.now()
    secret = secrets.token_urlsafe(32)
    row = FactorEnrolment(
        id=new_id("enr"),
        tenant_id=unit.tenant_id,
        person_id=body.person,
        party_id=body.party,
        kind=body.kind,
        secret_sha256=digest_of(secret),
        created_by=unit.principal.who,
        created_at=now,
        expires_at=now + timedelta(hours=body.hours),
    )
    if body.party is not None:
        person_id = repository.party(session, unit.tenant_id, body.party).person_id
        if person_id is not None:
            raise refuse("/party", "on-record", "is a person on record: enrol the person")
    else:
        people.person(session, unit.tenant_id, body.person or "")
    owner_of(session, row)
    _require_none(session, row.owner_id, body.kind)
    repository.drop_unused(session, row.owner_id, body.kind)
    session.add(row)
    facts = {"enrolment": row.id, "kind": row.kind, "expires_at": row.expires_at.isoformat()}
    note(session, row, "factor.offered", now=now, actor=actor_of(unit), data=facts)
    return row, f"sre_{row.id.removeprefix('enr_')}_{secret}"


def enrol(unit: Unit, body: EnrolIn) -> tuple[Factor, str | None]:
    """Enrol a factor by the secret of an enrolment; return it and, of one for codes, the URI for the app.

    Raises FactorRefused in the same words whatever is wrong with the secret; ValidationFailed, StateConflict.
    """
    with unit.read() as session:
        found = _enrolment(session, unit, body.enrolment)
        _require_none(session, found.owner_id, found.kind)
    if (found.kind == lock.PASSPHRASE) != (body.passphrase is not None):
        raise refuse("/passphrase", "kind", f"does not go with an enrolment for {found.kind}")
    if body.passphrase is not None:
        factor, shown = _new_lock(unit, found, body.passphrase.get_secret_value()), None
    else:
        factor, shown = _new_codes(unit, found, body.algorithm)
    factor.enrolment_id = found.id

    session = unit.session
    owner_of(session, found)
    found = _enrolment(session, unit, body.enrolment, locked=True)
    _require_none(session, found.owner_id, found.kind)
    found.used_at = unit.context.now()
    session.add(factor)
    session.flush()
    if factor.kind == lock.PASSPHRASE:
        _activate(unit, session, factor, "factor.enrolled")
        _lock_keys(unit, session, factor)
    return factor, shown


def confirm(unit: Unit, factor_id: str, version: int | None, code: str) -> Factor:
    """Make a factor for codes active, by a first code.

    Raises NotFound, PreconditionFailed, StateConflict, and what `proving.check` raises.
    """
    with unit.read() as session:
        factor = _in_state(session, unit, factor_id, version, "pending")
    check(unit, factor, code)
    session = unit.session
    owner_of(session, factor)
    factor = _in_state(session, unit, factor_id, version, "pending", locked=True)
    before = repository.active(session, factor.owner_id, factor.kind, lock=True)
    if before is not None:
        if before.id != factor.replaces_id:  # it was not the proof for this one
            raise _enrolled()
        _end(before, "replaced", unit.context.now())
        session.flush()
    _activate(unit, session, factor, "factor.enrolled" if before is None else "factor.changed")
    return factor


def change(unit: Unit, factor_id: str, version: int | None, body: ChangeIn) -> tuple[Factor, str | None]:
    """Put another value in place of a factor's, on proof of the present one.

    A passphrase is changed at once, and the keys under the lock stay. Of codes there is a second secret, which replaces
    the first one when a code of it is confirmed. Raises as `confirm`, and ValidationFailed.
    """
    with unit.read() as session:
        factor = _in_state(session, unit, factor_id, version, "active")
    if (factor.kind == lock.PASSPHRASE) != (body.passphrase is not None):
        raise refuse("/passphrase", "kind", f"does not go with a factor of the kind {factor.kind}")
    _, holder = check(unit, factor, body.current.get_secret_value())
    made = None
    if body.passphrase is not None:
        made = lock.new_lock(unit.context, factor.id, body.passphrase.get_secret_value(), holder)
    seen = factor.sealed_key
    session = unit.session
    owner_of(session, factor)
    factor = _in_state(session, unit, factor_id, version, "active", locked=True)
    if factor.sealed_key != seen:
        raise Conflict("the factor was changed meanwhile", hint="begin again with the new one")
    if made is not None:
        factor.sealed_key, factor.parameters, factor.version = made.sealed_key, made.parameters, factor.version + 1
        _noted(unit, session, factor, "factor.changed")
        return factor, None
    new, shown = _new_codes(unit, factor, factor.parameters["algorithm"])
    new.replaces_id = factor.id
    repository.drop_unused(session, factor.owner_id, factor.kind)
    session.add(new)
    session.flush()
    return new, shown


def reset(unit: Unit, factor_id: str, version: int | None, reason: str) -> Factor:
    """End a factor that its signer has lost. Keys under its lock are lost with it. Raises as `confirm`."""
    session, now = unit.session, unit.context.now()
    owner_of(session, repository.get(session, unit.tenant_id, factor_id))
    factor = repository.get(session, unit.tenant_id, factor_id, lock=True)
    _check_version(factor, version)
    if factor.state not in {"active", "pending"}:
        raise StateConflict("the factor has ended", state=factor.state, allowed=[])
    _end(factor, "reset", now)
    _noted(unit, session, factor, "factor.reset", reason=reason)
    return factor


def require_of_held_keys(unit: Unit, version: int, body: PolicyIn) -> FactorPolicy:
    """Say what signers have to show whose keys the service holds. Raises PreconditionFailed, ValidationFailed."""
    session, now = unit.session, unit.context.now()
    row = repository.policy(session, unit.tenant_id, lock=True)
    if version != (row.version if row is not None else 0):
        raise PreconditionFailed(f"the policy is at {etag(row.version if row is not None else 0)} by now")
    if row is None:
        row = FactorPolicy(tenant_id=unit.tenant_id, version=0)
        session.add(row)
    row.version, row.held_keys = version + 1, sorted(set(body.held_keys))
    row.updated_at, row.updated_by = now, unit.principal.who
    session.flush()
    return row


# -- inside -------------------------------------------------------------------------------------------


def _enrolment(session: Session, unit: Unit, given: str, *, locked: bool = False) -> FactorEnrolment:
    """Return the enrolment whose secret this is. Raises FactorRefused, in the same words whatever is wrong."""
    prefix, _, rest = given.partition("_")
    name, _, secret = rest.partition("_")
    row = None
    if prefix == "sre" and is_id("enr", f"enr_{name}"):
        row = repository.enrolment(session, unit.tenant_id, f"enr_{name}", lock=locked)
    good = hmac.compare_digest(digest_of(secret), row.secret_sha256 if row is not None else _NOBODY)
    if row is None or not good or row.used_at is not None or row.expires_at <= unit.context.now():
        raise FactorRefused(
            "the secret of the enrolment is not valid, or not any more", hint="ask for a new one", reason="enrolment"
        )
    return row


def _require_none(session: Session, owner_id: str, kind: str) -> None:
    if repository.active(session, owner_id, kind) is not None:
        raise _enrolled()


def _enrolled() -> StateConflict:
    hint = "whoever has it changes it; for whoever has lost it, it is reset first"
    message = "the signer has a factor of this kind enrolled"
    return StateConflict(message, hint=hint, state="active", allowed=["change", "reset"])


def _in_state(
    session: Session, unit: Unit, factor_id: str, version: int | None, state: str, *, locked: bool = False
) -> Factor:
    factor = repository.get(session, unit.tenant_id, factor_id, lock=locked)
    _check_version(factor, version)
    if factor.state != state:
        raise StateConflict(f"the factor is {factor.state}", state=factor.state, allowed=_ALLOWED[factor.state])
    return factor


_ALLOWED: Final[dict[str, list[str]]] = {
    "pending": ["confirm", "reset"],
    "active": ["change", "reset"],
    "replaced": [],
    "reset": [],
}


def _check_version(factor: Factor, version: int | None) -> None:
    if version is not None and version != factor.version:
        raise PreconditionFailed(f"the factor is at {etag(factor.version)} by now")


def _new(unit: Unit, kind: str, owner: FactorEnrolment | Factor) -> Factor:
    return Factor(
        id=new_id("fct"),
        tenant_id=unit.tenant_id,
        person_id=owner.person_id,
        party_id=owner.party_id,
        kind=kind,
        state="pending",
        version=1,
        failures=0,
        created_at=unit.context.now(),
    )


def _new_lock(unit: Unit, owner: FactorEnrolment, passphrase: str) -> Factor:
    factor = _new(unit, lock.PASSPHRASE, owner)
    made = lock.new_lock(unit.context, factor.id, passphrase)
    factor.public_key, factor.sealed_key, factor.parameters = made.public_key, made.sealed_key, made.parameters
    return factor


def _new_codes(unit: Unit, owner: FactorEnrolment | Factor, algorithm: otp.Algorithm) -> tuple[Factor, str]:
    factor, secret = _new(unit, "totp", owner), otp.new_secret(algorithm)
    factor.sealed_key = unit.context.vault.seal_secret(secret, factor.id, purpose=OTP_PURPOSE)
    factor.parameters = {"algorithm": algorithm, "digits": otp.DIGITS, "period": otp.PERIOD}
    with unit.read() as session:
        if owner.person_id is not None:
            name = people.person(session, unit.tenant_id, owner.person_id).name
        else:
            name = repository.party(session, unit.tenant_id, owner.party_id or "").name
    return factor, otp.uri(secret, algorithm, name, ISSUER)


def _activate(unit: Unit, session: Session, factor: Factor, event: str) -> None:
    factor.state, factor.slot = "active", repository.slot_of(factor.owner_id, factor.kind)
    factor.activated_at, factor.version = unit.context.now(), factor.version + 1
    factor.failures, factor.retry_at = 0, None
    session.flush()
    _noted(unit, session, factor, event)


def _end(factor: Factor, state: str, now: datetime) -> None:
    factor.state, factor.slot, factor.sealed_key, factor.ended_at = state, None, None, now
    factor.version += 1


def _noted(unit: Unit, session: Session, factor: Factor, event: str, **more: Any) -> None:
    facts = {"factor": factor.id, "kind": factor.kind, "enrolment": factor.enrolment_id, **more}
    if factor.replaces_id is not None:
        facts["replaces"] = factor.replaces_id
    note(session, factor, event, now=unit.context.now(), actor=actor_of(unit), data=facts)


def _lock_keys(unit: Unit, session: Session, factor: Factor) -> None:
    """Put keys that the service holds already under the signer's lock. Until now the vault alone opened them."""
    now, actor = unit.context.now(), actor_of(unit)
    for contract_id, party_id in repository.unlocked(session, factor.owner_id):
        contract = contracts.get(session, unit.tenant_id, contract_id, lock=True)
        party = contracts.party_of(contract, party_id)
        if lock.lock_key(unit.context, session, party):
            facts = {"factor": factor.id}
            record(session, contract, "party.key_locked", now=now, actor=actor, party_id=party.id, data=facts)
            touch(contract, now)
    session.flush()
