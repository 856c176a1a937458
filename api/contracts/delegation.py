"""Somebody else of the same organisation does a party's part.

The delegate is a party of its own, in the same place: with its own name, its own key and its own certificate, and a
reference to the mandate that it acts under. Whoever delegated stays on record and is not waited for any more. What is
asked of a certificate at `send` is asked of the delegate's now.
"""

from __future__ import annotations

from typing import Any

from api.contracts import repository, workflow
from api.contracts.act_schemas import DelegateIn
from api.contracts.models import Contract, Party
from api.contracts.readiness import IssuedKey, ready_delegate
from api.contracts.relations import plain
from api.contracts.rows import check_identifier, for_encryption, way_to_sign
from api.contracts.transition import actor_of, agreement_of, apply, check_version, require_time
from api.contracts.workflow import SIGNS, PartyState
from api.errors import ValidationFailed
from api.factors import policy as factors
from api.factors.proving import prove
from api.identity import gate
from api.identity.service import state_proof
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.kit.refusals import problem_at
from api.mandates import standing
from certs.certificate import load_certificates


def delegate(unit: Unit, contract_id: str, party_id: str, version: int | None, body: DelegateIn) -> Contract:
    """Let a delegate take a party's part.

    1. Read the contract and ask the state machine.
    2. Without holding the database: check the delegate, issue a certificate where the service is to hold the key.
    3. Write, if the party may still delegate.

    Whoever delegates shows the factors that they would sign with: a part is not given away by others.

    Raises NotFound, PreconditionFailed, StateConflict; ValidationFailed where the delegate could not do the part; and
    what `prove` raises.
    """
    context, name = unit.context, new_id("pty")
    with unit.read() as session:
        contract = repository.get(session, unit.tenant_id, contract_id)
        party = repository.party_of(contract, party_id)
    proven = prove(unit, contract, party, version, None, body.factors)
    workflow.delegate(agreement_of(contract), party.id, name)
    require_time(contract, context.now())
    before = contract.version
    stated, mandate = _stated(unit, party, body), _mandate(unit, body)
    key = ready_delegate(context, contract, _row(name, party, body, stated, mandate))

    session, now = unit.session, context.now()
    contract = repository.get(session, unit.tenant_id, contract_id, lock=True)
    party = repository.party_of(contract, party_id)
    check_version(contract, version)
    change = workflow.delegate(agreement_of(contract), party.id, name)
    require_time(contract, now)
    proven.cover(session, party)
    if contract.version != before and contract.expires_at is not None and key is not None:
        _still_long_enough(contract, key)
    row = _row(name, party, body, stated, mandate)
    standing.require_in_term(session, unit.tenant_id, row, now)
    if key is not None:
        row.certificates, row.sealed_key, row.identity = key.certificates, key.sealed_key, key.identity or stated
    factors.apply_to(context, session, contract.tenant_id, row)
    contract.parties.append(row)
    session.flush()
    apply(
        session,
        contract,
        change,
        now=now,
        actor=actor_of(unit),
        data=_facts(row, body) | {"factors": list(proven.facts)},
    )
    session.refresh(contract, ["parties"])
    return contract


def _stated(unit: Unit, party: Party, body: DelegateIn) -> dict[str, Any] | None:
    """Return the proof of identity that came with a delegate. Raises ValidationFailed, Forbidden."""
    if body.identity_proof is None:
        return None
    identifiers = [{"scheme": item.scheme, "value": item.value} for item in body.identifiers]
    subject = gate.subject_facts(body.name, party.organisation, party.country, identifiers)
    return {"stated": state_proof(unit, body.identity_proof, subject, "/identity_proof")}


def _mandate(unit: Unit, body: DelegateIn) -> dict[str, Any]:
    """Return by which authority the delegate acts. Raises ValidationFailed."""
    if body.power_of_attorney is not None:
        return standing.reference(unit, "/power_of_attorney", body.power_of_attorney)
    assert body.mandate is not None
    return body.mandate.model_dump()


def _row(name: str, party: Party, body: DelegateIn, identity: dict[str, Any] | None, mandate: dict[str, Any]) -> Party:
    """Return the row of a delegate. Raises ValidationFailed."""
    if party.organisation is None:
        detail = "the party names no organisation, and nobody but somebody of the same one can act for it"
        raise ValidationFailed(detail, errors=[problem_at("", "no-organisation", detail)])
    given = [field for field in ("certificate", "suite") if getattr(body, field) is not None]
    signs, seals = party.role in SIGNS, party.seal_id is not None
    if (given and not signs) or (signs and not seals and len(given) != 1) or (seals and "suite" in given):
        detail = (
            "a delegate who signs has either a certificate or a suite, and one who seals or does not sign has no suite"
        )
        raise ValidationFailed(detail, errors=[problem_at("", "certificate", detail)])
    for place, identifier in enumerate(body.identifiers):
        check_identifier(f"/identifiers/{place}", identifier.scheme, identifier.value)
    suite, certificates = way_to_sign("", body.suite, body.certificate)
    if certificates is not None:
        _of_the_organisation(party, certificates)
    holder = party.key_holder if seals or not signs else "party" if body.certificate is not None else "service"
    return Party(
        id=name,
        position=party.position,
        order=party.order,
        role=party.role,
        state=str(PartyState.PENDING),
        name=body.name,
        organisation=party.organisation,
        email=body.email,
        country=party.country,
        locale=body.locale or party.locale,
        identifiers=[{"scheme": item.scheme, "value": item.value} for item in body.identifiers],
        signature_area=party.signature_area,
        reason=party.reason,
        location=party.location,
        seal_id=party.seal_id,
        seal_placement=party.seal_placement,
        key_holder=holder,
        factors=party.factors,
        suite=party.suite if seals else suite,
        certificates=certificates,
        encryption_certificates=for_encryption("/encryption_certificate", body.encryption_certificate),
        identity=identity,
        delegate_of=party.id,
        mandate=mandate,
    )


def _of_the_organisation(party: Party, certificates: str) -> None:
    """Raise ValidationFailed where a delegate's certificate names another organisation than the party's."""
    named = load_certificates(certificates.encode())[0].organisation
    ours = {plain(party.organisation or "")}
    if party.certificates is not None:
        own = load_certificates(party.certificates.encode())[0].organisation
        ours |= {plain(own)} if own else set()
    if named is not None and plain(named) not in ours:
        detail = "the certificate names another organisation than the party's"
        raise ValidationFailed(detail, errors=[problem_at("/certificate", "other-organisation", detail)])


def _still_long_enough(contract: Contract, key: IssuedKey) -> None:
    """Raise ValidationFailed where the deadline was moved meanwhile, behind the end of the certificate."""
    certificate = load_certificates(key.certificates.encode())[0]
    if contract.expires_at is not None and certificate.not_after < contract.expires_at:
        detail = "expires before the contract's deadline"
        raise ValidationFailed(detail, errors=[problem_at("/certificate", "expires-too-early", detail)])


def _facts(row: Party, body: DelegateIn) -> dict[str, Any]:
    """Return, for the audit, who takes over and by which authority."""
    certificates = load_certificates(row.certificates.encode()) if row.certificates else []
    return {
        "to": row.id,
        "name": row.name,
        "organisation": row.organisation,
        "mandate": row.mandate,
        "reason": body.reason,
        "suite": row.suite,
        "certificate_sha256": certificates[0].fingerprint() if certificates else None,
    }
