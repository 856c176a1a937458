"""`/v1/contracts/{id}/parties/{pid}/sign` and `…/signature-requests`."""

from __future__ import annotations

from typing import Annotated

from api.contracts import repository as contracts
from api.contracts.models import Contract
from api.contracts.schemas import ContractOut
from api.jobs.schemas import JobOut
from api.kit.edge import OptionalVersion, Reply, Router, Unit, changes, etag, reads, writes
from api.signing import acts, service
from api.signing.consent import offered
from api.signing.schemas import (
    ConsentIn,
    ConsentOut,
    SignatureRequestIn,
    SignatureRequestOut,
    SignatureRequestResult,
    SignatureValueIn,
    SignIn,
)

router = Router(prefix="/v1/contracts/{contract_id}/parties/{party_id}", tags=["signing"])


def _reply(contract: Contract) -> Reply:
    return Reply(ContractOut.of(contract), etag=etag(contract.version))


@router.post("/view", response_model=ContractOut)
def view_contract(
    unit: Annotated[Unit, writes("contracts:sign")], contract_id: str, party_id: str, version: OptionalVersion
) -> Reply:
    """Say that the party has looked at the contract. The first time is an event of the trail."""
    return _reply(acts.view(unit, contract_id, party_id, version))


@router.get("/consent", response_model=ConsentOut)
def get_consent(unit: Annotated[Unit, reads("contracts:read")], contract_id: str, party_id: str) -> Reply:
    """Read the service's own words of consent for this party, in its language, and what it is to be shown with them."""
    with unit.read() as session:
        contract = contracts.get(session, unit.tenant_id, contract_id)
        return Reply(offered(contract, contracts.party_of(contract, party_id)))


@router.post("/approve", response_model=ContractOut)
def approve_contract(
    unit: Annotated[Unit, writes("contracts:sign")],
    contract_id: str,
    party_id: str,
    version: OptionalVersion,
    body: ConsentIn,
) -> Reply:
    """Approve, as a party with the role approver. The consent is recorded; nothing is signed."""
    return _reply(acts.approve(unit, contract_id, party_id, version, body))


@router.post("/acknowledge", response_model=ContractOut)
def acknowledge_contract(
    unit: Annotated[Unit, writes("contracts:sign")],
    contract_id: str,
    party_id: str,
    version: OptionalVersion,
    body: ConsentIn,
) -> Reply:
    """Say that one has read the contract, as a party with the role viewer. The consent is recorded."""
    return _reply(acts.acknowledge(unit, contract_id, party_id, version, body))


@router.post("/sign", status_code=202, response_model=JobOut)
def sign(
    unit: Annotated[Unit, writes("contracts:sign")],
    contract_id: str,
    party_id: str,
    version: OptionalVersion,
    body: SignIn,
) -> Reply:
    """Sign with the key that the service holds for this party.

    The consent is recorded, and a job signs every document of the contract; follow it at `Location`.
    """
    job = service.sign(unit, contract_id, party_id, version, body)
    return Reply(JobOut.of(job), headers={"location": f"/v1/jobs/{job.id}"})


@router.post("/signature-requests", status_code=201, response_model=SignatureRequestOut)
def create_signature_request(
    unit: Annotated[Unit, writes("contracts:sign")],
    contract_id: str,
    party_id: str,
    version: OptionalVersion,
    body: SignatureRequestIn,
) -> Reply:
    """Get the data that the party's own key is to sign.

    Sign `dtbs` (or its `digest`, with a key that takes digests) and PUT the value. A newer request for the same
    document replaces an older one; a signature of somebody else on the document makes the request stale.
    """
    signature, party = service.request_signature(unit, contract_id, party_id, version, body)
    location = f"/v1/contracts/{contract_id}/parties/{party_id}/signature-requests/{signature.id}"
    return Reply(SignatureRequestOut.of(signature, party.suite), headers={"location": location})


@router.get("/signature-requests/{signature_id}", response_model=SignatureRequestOut)
def get_signature_request(
    unit: Annotated[Unit, reads("contracts:read")], contract_id: str, party_id: str, signature_id: str
) -> Reply:
    """Read a signature request."""
    signature, party = service.get_request(unit, contract_id, party_id, signature_id)
    return Reply(SignatureRequestOut.of(signature, party.suite))


@router.put("/signature-requests/{signature_id}", response_model=SignatureRequestResult)
def hand_in_signature(
    unit: Annotated[Unit, changes("contracts:sign")],
    contract_id: str,
    party_id: str,
    signature_id: str,
    body: SignatureValueIn,
) -> Reply:
    """Hand in the value (or a complete CMS, or why there is none).

    It is verified before anything changes: a wrong, late, repeated or foreign value leaves the contract as it was.
    """
    signature, party, contract = service.hand_in(unit, contract_id, party_id, signature_id, body)
    request = SignatureRequestOut.of(signature, party.suite)
    result = SignatureRequestResult(request=request, contract=ContractOut.of(contract))
    return Reply(result, etag=etag(contract.version))
