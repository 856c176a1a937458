"""Which factors a party has to show: what it says itself, and what the tenant requires of keys held here.

apply(context, session, contract)      # when a contract is sent: fixed from then on, keys put under their locks
apply_to(context, session, tenant_id, party)      # the same for a delegate
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from api.context import Context
from api.contracts.models import Contract, Party
from api.factors import lock, repository


def apply(context: Context, session: Session, contract: Contract) -> None:
    """Fix what the parties of a contract have to show. The contract's row is locked, its keys are not stored yet."""
    for party in contract.parties:
        apply_to(context, session, contract.tenant_id, party)


def apply_to(context: Context, session: Session, tenant_id: str, party: Party) -> None:
    """Fix what a party has to show, and put its key under its signer's lock before it is stored, where there is one."""
    wanted = set(party.factors)
    if party.key_holder == "service":
        row = repository.policy(session, tenant_id)
        wanted |= set(row.held_keys) if row is not None else set()
    if party.key_holder != "service" or party.seal_id is not None:
        wanted.discard(lock.PASSPHRASE)  # there is no key of the party's own here that it could release
    party.factors = sorted(wanted)
    lock.lock_key(context, session, party)
