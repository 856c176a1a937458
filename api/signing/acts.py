"""What parties do besides signing: look, approve, acknowledge."""

from __future__ import annotations

from collections.abc import Callable

from api.contracts import repository as contracts
from api.contracts import workflow
from api.contracts.models import Contract
from api.contracts.transition import actor_of, agreement_of, apply, check_version, require_time
from api.contracts.workflow import Agreement, Change
from api.kit.edge import Unit
from api.mandates import standing as mandates
from api.signing.consent import consent_of
from api.signing.grounds import examine
from api.signing.schemas import ConsentIn


def view(unit: Unit, contract_id: str, party_id: str, version: int | None) -> Contract:
    """Note that a party has looked at the contract; a second look changes nothing.

    Raises NotFound, PreconditionFailed, StateConflict.
    """
    contract = contracts.get(unit.session, unit.tenant_id, contract_id, lock=True)
    party = contracts.party_of(contract, party_id)
    check_version(contract, version)
    change = workflow.viewed(agreement_of(contract), party.id)
    require_time(contract, unit.context.now())
    if change.events:
        facts = {"revisions": {row.document_id: row.head_sha256 for row in contract.documents}}
        apply(unit.session, contract, change, now=unit.context.now(), actor=actor_of(unit), data=facts)
    return contract


def approve(unit: Unit, contract_id: str, party_id: str, version: int | None, body: ConsentIn) -> Contract:
    """Take an approver's approval.

    Raises NotFound, PreconditionFailed, StateConflict, ConsentRefused, and what `factors.proving.prove` raises.
    """
    return _do_part(unit, contract_id, party_id, version, body, workflow.approved)


def acknowledge(unit: Unit, contract_id: str, party_id: str, version: int | None, body: ConsentIn) -> Contract:
    """Take a viewer's word that it has read the contract. Raises as `approve`."""
    return _do_part(unit, contract_id, party_id, version, body, workflow.acknowledged)


def _do_part(
    unit: Unit,
    contract_id: str,
    party_id: str,
    version: int | None,
    body: ConsentIn,
    command: Callable[[Agreement, str], Change],
) -> Contract:
    grounds = examine(unit, contract_id, party_id, version, body.consent, body.factors)
    session, now = unit.session, unit.context.now()
    contract = contracts.again(session, grounds.contract)
    party = contracts.party_of(contract, party_id)
    check_version(contract, version)
    change = command(agreement_of(contract), party.id)
    require_time(contract, now)
    agreed = consent_of(session, unit, contract, party, body.consent)
    authority = grounds.confirm(session, contract, party, now)
    facts = {"consent": agreed, "factors": list(grounds.proven.facts), **mandates.facts(authority)}
    apply(session, contract, change, now=now, actor=actor_of(unit), data=facts)
    return contract
