"""From what a request says to rows: the documents and the parties of a draft."""

from __future__ import annotations

from typing import Final

from api.contracts import languages, repository
from api.contracts.models import ContractDocument, Party
from api.contracts.parts import DocumentEntry
from api.contracts.people import party_facts
from api.contracts.schemas import PartyIn
from api.contracts.workflow import SIGNS, PartyState
from api.errors import NotFound, ValidationFailed
from api.kit.edge import Unit
from api.kit.ids import new_id
from api.kit.refusals import problem_at
from api.mandates import standing
from api.seals import repository as seals
from api.seals.models import Seal
from certs.errors import BadIdentifier, SealroadError

MAX_CHAIN: Final = 10
"""Certificates of a party that are kept: its own and its chain."""


def documents_of(unit: Unit, entries: list[DocumentEntry], prevailing: str | None) -> list[ContractDocument]:
    """Return the rows of documents. Raises ValidationFailed."""
    ids = [entry.id for entry in entries]
    with unit.read() as session:
        known = repository.documents_named(session, unit.tenant_id, ids)
    errors = [
        problem_at(f"/documents/{index}", "not-found", "there is no such document")
        for index, name in enumerate(ids)
        if name not in known
    ]
    errors += [
        problem_at(f"/documents/{index}", "repeated", "named twice")
        for index, name in enumerate(ids)
        if name in ids[:index]
    ]
    errors += languages.objections(entries, prevailing)
    if errors:
        raise ValidationFailed("some documents cannot be used", errors=errors)
    return [
        ContractDocument(
            document_id=entry.id,
            document=known[entry.id],
            position=position,
            language=entry.language,
            version_of=entry.version_of,
            head_number=0,
            head_sha256=known[entry.id].sha256,
            head_size=known[entry.id].size,
        )
        for position, entry in enumerate(entries)
    ]


def parties_of(unit: Unit, bodies: list[PartyIn]) -> list[Party]:
    """Return the rows of parties in the order in which they act."""
    rows = [_party(unit, index, body) for index, body in enumerate(bodies)]
    return sorted(rows, key=lambda row: (row.order, row.position))


def _party(unit: Unit, index: int, body: PartyIn) -> Party:
    pointer = f"/parties/{index}"
    suite, certificates = way_to_sign(pointer, body.suite, body.certificate)
    holder = None if body.role not in SIGNS else "party" if body.certificate is not None else "service"
    if body.seal is not None:
        seal = _seal(unit, f"{pointer}/seal", body.seal)
        suite, holder = seal.suite, seal.key_holder
    for place, identifier in enumerate(body.identifiers):
        check_identifier(f"{pointer}/identifiers/{place}", identifier.scheme, identifier.value)
    known = party_facts(unit, pointer, body)
    mandate = None
    if body.power_of_attorney is not None:
        mandate = standing.reference(unit, f"{pointer}/power_of_attorney", body.power_of_attorney)
    return Party(
        id=new_id("pty"),
        position=index,
        order=body.order,
        role=str(body.role),
        state=str(PartyState.PENDING),
        **known,
        factors=sorted(set(body.factors)),
        signature_area=body.signature_area.model_dump(mode="json") if body.signature_area else None,
        reason=body.reason,
        location=body.location,
        seal_id=body.seal,
        seal_placement=body.seal_placement.model_dump() if body.seal_placement is not None else None,
        key_holder=holder,
        suite=suite,
        certificates=certificates,
        encryption_certificates=for_encryption(f"{pointer}/encryption_certificate", body.encryption_certificate),
        mandate=mandate,
    )


def _seal(unit: Unit, pointer: str, name: str) -> Seal:
    with unit.read() as session:
        try:
            return seals.get(session, unit.tenant_id, name)
        except NotFound as error:
            problem = problem_at(pointer, error.code, error.message)
            raise ValidationFailed("a seal of a party cannot be used", errors=[problem]) from None


def way_to_sign(pointer: str, suite: str | None, certificate: str | None) -> tuple[str | None, str | None]:
    """Return a party's suite and its certificates as PEM; whatever else stood in the PEM (a key!) is dropped.

    Raises ValidationFailed.
    """
    from certs import suites
    from certs.certificate import load_certificates

    try:
        if suite is not None:
            suites.must_sign(suite)
            return suites.get(suite).name, None
        if certificate is not None:
            bundle = load_certificates(certificate.encode())[:MAX_CHAIN]
            found = bundle[0].public_key().suite.name
            suites.must_sign(found)
            return found, "".join(each.pem for each in bundle)
    except SealroadError as error:
        where = "suite" if suite is not None else "certificate"
        problem = problem_at(f"{pointer}/{where}", error.code, error.message)
        raise ValidationFailed(f"the {where} of a party cannot be used: {error}", errors=[problem]) from None
    return None, None


def for_encryption(pointer: str, pem: str | None) -> str | None:
    """Return certificates as PEM, and nothing else that stood there. Whether they are good is asked when it is sent.

    Raises ValidationFailed.
    """
    from certs.certificate import load_certificates

    if pem is None:
        return None
    try:
        return "".join(each.pem for each in load_certificates(pem.encode())[:MAX_CHAIN])
    except SealroadError as error:
        problem = problem_at(pointer, error.code, error.message)
        raise ValidationFailed(f"the certificate of a party cannot be used: {error}", errors=[problem]) from None


def check_identifier(pointer: str, scheme: str, value: str) -> None:
    """Raise ValidationFailed for a national identifier whose form or checksum is wrong."""
    from certs.identifiers import Identifier

    try:
        Identifier(scheme, value).check()
    except BadIdentifier as error:
        raise ValidationFailed(str(error), errors=[problem_at(pointer, error.code, error.message)]) from None
