"""Whether a signer's factors fit: attempts are counted before a value is looked at, and a code is taken once.

    proven = prove(unit, contract, party, version, consent, factors)           # before the transaction that acts
    proven.cover(session, party)                                               # in it

An attempt is counted by compare-and-set in a transaction of its own, so that neither a process that dies nor many
requests at once get one for nothing; a right value sets the count back. After a few wrong ones in a row there is a
wait, after `MOST` of them nothing is looked at any more until the factor is reset (NIST SP 800-63B-4 3.2.2 allows 100).
While one waits a right value gets the same answer as a wrong one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from api.audit.service import moment
from api.context import Context
from api.contracts.models import Contract, Party
from api.contracts.transition import actor_of, agreement_of, check_version, require_time
from api.contracts.workflow import whose_turn
from api.errors import FactorLocked, FactorRefused, FactorRequired, StateConflict, TooManyRequests
from api.factors import lock, otp, repository
from api.factors.log import note
from api.factors.models import MOST, WAITS, Factor
from api.factors.schemas import FactorIn
from api.kit.edge import Unit
from api.signing.consent import consent_of
from api.signing.schemas import Consent
from certs.errors import WrongPassword

OTP_PURPOSE: Final = "totp"
ORDER: Final = (lock.PASSPHRASE, "totp")
"""In which factors are checked: a code that was taken is used up, so it comes last."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Proven:
    """What a signer's factors proved."""

    facts: tuple[dict[str, Any], ...] = ()
    """For the record: which factor, when and how it was checked; never its value."""
    holder: bytes | None = field(default=None, repr=False)
    """The private half of the signer's lock, where a passphrase opened it."""

    def cover(self, session: Session, party: Party) -> None:
        """Raise FactorRequired unless this is all that a party has to show, and still good."""
        given = {fact["kind"]: fact["factor"] for fact in self.facts}
        for kind in party.factors:
            factor = repository.active(session, party.person_id or party.id, kind)
            if factor is None or given.get(kind) != factor.id:
                raise _required(kind, "missing")


def prove(
    unit: Unit,
    contract: Contract,
    party: Party,
    version: int | None,
    consent: Consent | None,
    given: Sequence[FactorIn],
) -> Proven:
    """Check the factors that came with an act of a party, if it is one that could be done now.

    Without a consent it is one that does not use the party's key, nor wait for its turn.

    Raises FactorRequired, FactorRefused, FactorLocked, TooManyRequests; PreconditionFailed, StateConflict and
    ConsentRefused where no factor was looked at; ServiceUnavailable, VaultError.
    """
    check_version(contract, version)
    if not party.factors and not given:
        return Proven()
    with unit.read() as session:
        if consent is not None:
            _require_turn(unit, contract, party)
            consent_of(session, unit, contract, party, consent)
            _require_lock(session, party)
        chosen = _chosen(session, party, given)
    facts, holder = [], None
    for factor, value in chosen:
        row, opened = check(unit, factor, value)
        holder = opened or holder
        facts.append(
            {
                "kind": row.kind,
                "factor": row.id,
                "enrolled_at": moment(row.activated_at or row.created_at),
                "checked_at": moment(unit.context.now()),
                "how": row.parameters,
            }
        )
    return Proven(tuple(facts), holder)


def check(unit: Unit, factor: Factor, value: str) -> tuple[Factor, bytes | None]:
    """Check one value of one factor; return its row and, of a passphrase, what it opened. Raises like `prove`."""
    context = unit.context
    if factor.kind == lock.PASSPHRASE:
        with lock.turn():
            row = _counted(context, factor)
            try:
                holder = lock.opened(context, row, value)
            except WrongPassword:
                raise _refused(unit, row) from None
        step = None
    else:
        row, holder = _counted(context, factor), None
        secret = context.vault.open_secret(row.sealed_key or b"", row.id, purpose=OTP_PURPOSE)
        step = otp.matching_step(secret, row.parameters["algorithm"], value, context.now(), after=row.last_step)
        if step is None:
            raise _refused(unit, row)
    with context.database.write() as session:
        if not repository.settle(session, row, step):  # the same code at the same moment, or the factor has ended
            raise _wrong()
    return row, holder


def _counted(context: Context, factor: Factor) -> Factor:
    """Count an attempt and return the row as it was before. Raises FactorLocked, TooManyRequests, FactorRefused."""
    now = context.now()
    for _ in range(2 * MOST):
        with context.database.write() as session:
            row = repository.get(session, factor.tenant_id, factor.id)
            if row.state != factor.state:
                raise _wrong()
            if row.failures >= MOST:
                raise FactorLocked("too many wrong values: the factor is locked", hint="have it reset, and enrol anew")
            if row.retry_at is not None and row.retry_at > now:
                when = f"{row.retry_at:%Y-%m-%dT%H:%M:%SZ}"
                raise TooManyRequests("several wrong values in a row", hint=f"try again after {when}")
            wait = WAITS[row.failures]
            if repository.count(session, row, now + timedelta(seconds=wait) if wait else None):
                return row
    raise TooManyRequests("too many attempts at once")


def _refused(unit: Unit, row: Factor) -> FactorRefused:
    """Return the refusal of a wrong value; the one that locks the factor goes on record."""
    log.warning("a %s of %s did not fit, %d in a row", row.kind, row.owner_id, row.failures + 1)
    if row.failures + 1 == MOST:
        with unit.context.database.write() as session:
            facts = {"factor": row.id, "kind": row.kind, "failures": MOST}
            note(session, row, "factor.locked", now=unit.context.now(), actor=actor_of(unit), data=facts)
    return _wrong()


def _wrong() -> FactorRefused:
    # One answer: it tells neither which of two factors was wrong nor whether a code was one that had been taken.
    return FactorRefused("a factor does not fit", hint="a code is good once, for a minute at most", reason="wrong")


def _required(kind: str, reason: str) -> FactorRequired:
    hints = {"missing": f'send "factors": [{{"kind": "{kind}", "value": "…"}}]', "not-enrolled": "docs/factors.md"}
    return FactorRequired(f"this party has to show its {kind}", hint=hints[reason], reason=reason)


def _require_turn(unit: Unit, contract: Contract, party: Party) -> None:
    require_time(contract, unit.context.now())
    if party.id not in whose_turn(agreement_of(contract)):
        raise StateConflict("it is not this party's turn", state=party.state, allowed=[])


def _require_lock(session: Session, party: Party) -> None:
    """Raise StateConflict where the key of a party is under a lock that has ended since."""
    factor = repository.active(session, party.person_id or party.id, lock.PASSPHRASE)
    if party.key_factor_id is not None and factor is not None and party.key_factor_id != factor.id:
        raise StateConflict(
            "the key of this party is under a lock that was reset: nobody can use it",
            hint="delegate the part, or send the contract anew",
            state=party.state,
            allowed=["decline", "delegate"],
        )


def _chosen(session: Session, party: Party, given: Sequence[FactorIn]) -> list[tuple[Factor, str]]:
    """Return each factor that is required and the value for it, in the order in which they are checked."""
    values = {each.kind: each.value.get_secret_value() for each in given}
    if len(values) != len(given) or not set(values) <= set(party.factors):
        raise FactorRefused("a factor was sent that is not asked for", reason="not-required")
    chosen = []
    for kind in sorted(party.factors, key=ORDER.index):
        factor = repository.active(session, party.person_id or party.id, kind)
        if factor is None:
            raise _required(kind, "not-enrolled")
        if kind not in values:
            raise _required(kind, "missing")
        chosen.append((factor, values[kind]))
    return chosen
