"""How a seal is made, so that a process killed at any instant makes it once.

 1. what the seal will say is on record, in a transaction of its own: with it the owner's key and certificate, where the
    service makes them
 2. the maker's key signs exactly that; the value is on record
 3. the seal is completed and kept; its state changes, in the transaction of the request

A request that died between is repeated by its client, or by another: it goes on from what is on record. Of two at once
the one whose preparation is on record first wins, and the other goes on with that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from api.context import Context
from api.contracts.transition import actor_of
from api.kit.edge import Unit
from api.seals import repository
from api.seals.application import VERSIONS, subject_of
from api.seals.life import check_version, life_of, put, touch
from api.seals.log import record
from api.seals.maker import certificate_of, maker_for, open_maker
from api.seals.models import Seal, SealMaker
from api.seals.owner import proven
from signer.errors import SealRefused
from signer.seals import lifecycle

if TYPE_CHECKING:
    from certs.certificate import Certificate
    from certs.suites.base import PrivateKey
    from signer.seals.make import PreparedSeal

VENDOR: Final = "SEALROAD"
"""Vid, in the seals of this service."""
TRIAL: Final = b"Sealroad: trial of a new key"


def make(unit: Unit, seal_id: str, version: int | None) -> Seal:
    """Make an approved seal.

    Raises NotFound, PreconditionFailed, SealStateConflict, SealRefused, IdentityNotProven, IssuanceError.
    """
    from signer.seals.make import PreparedSeal, complete_seal

    context = unit.context
    with unit.read() as session:
        seal = repository.get(session, unit.tenant_id, seal_id)
        check_version(seal, version)
    _may_be_made(context, seal)
    if seal.prepared is None:
        seal = _prepare(unit, seal)
    if seal.value is None:
        seal = _sign(unit, seal)
    assert seal.prepared is not None
    assert seal.value is not None
    timestamper = context.circles.get(seal.suite).tsa if seal.standard == "v5" else None
    made = complete_seal(PreparedSeal.from_json(seal.prepared), seal.value, timestamper)
    with context.storage.receive([made.der]) as received:
        context.storage.keep(received)

    session, now = unit.session, context.now()
    seal = repository.get(session, unit.tenant_id, seal_id, lock=True)
    life = lifecycle.make(life_of(seal))
    seal.content_sha256, seal.made_at = received.sha256, now
    record(session, seal, "seal.made", now=now, actor=actor_of(unit), data={"sha256": received.sha256})
    put(seal, life, now)
    session.flush()
    return seal


def _may_be_made(context: Context, seal: Seal) -> None:
    lifecycle.make(life_of(seal))
    if context.now() > seal.valid_to:
        raise SealRefused("the time of the seal is over before it was made", reason="expired")


def _prepare(unit: Unit, seal: Seal) -> Seal:
    """Step 1. The seal's row is changed only if nobody else has prepared it."""
    from certs.certificate import load_certificates

    context = unit.context
    key: PrivateKey | None = None
    certificates, identity = seal.certificates or [], seal.identity
    if seal.key_holder == "service":
        identity = proven(context, seal)
    maker = maker_for(context, seal.suite, until=seal.valid_to)
    if seal.key_holder == "service":
        key, pem = _issue(context, seal)
        certificates = [pem]
    owners = tuple(load_certificates(pem.encode())[0] for pem in certificates)
    prepared = _prepared(context, seal, maker, owners)
    with context.database.write() as session:
        row = repository.get(session, unit.tenant_id, seal.id, lock=True)
        if row.prepared is not None:
            return row
        _may_be_made(context, row)
        now = context.now()
        row.prepared, row.maker_id, row.certificates = prepared.to_json(), maker.id, certificates
        row.identity = identity
        row.sealed_key = context.vault.seal(key, seal.id) if key is not None else None
        facts = {
            "maker_sha256": certificate_of(maker).fingerprint(),
            "certificates_sha256": [owner.fingerprint() for owner in owners],
            "identity": identity,
        }
        record(session, row, "seal.prepared", now=now, actor=actor_of(unit), data=facts)
        touch(row, now)
        return row


def _prepared(context: Context, seal: Seal, maker: SealMaker, owners: tuple[Certificate, ...]) -> PreparedSeal:
    from signer.seals.make import SealSpec, prepare_seal
    from signer.seals.model import SealPicture

    with context.storage.local(seal.picture_sha256) as path:
        picture = path.read_bytes()
    spec = SealSpec(
        version=VERSIONS[seal.standard],
        vendor=VENDOR,
        seal_id=seal.id.removeprefix("seal_"),
        type=seal.type,
        name=seal.name,
        owners=owners,
        picture=SealPicture(seal.picture_type, picture, seal.width, seal.height),
        created=context.now(),
        valid_from=seal.valid_from,
        valid_to=seal.valid_to,
        filing_number=seal.assigned_number,
    )
    return prepare_seal(spec, certificate_of(maker), seal.suite)


def _issue(context: Context, seal: Seal) -> tuple[PrivateKey, str]:
    """Make a key and a closed-circle certificate for the owner of a seal, and try the key."""
    from certs import suites

    subject = subject_of(seal.name, seal.owner or {})
    key = suites.get(seal.suite).generate()
    key.public_key.verify(key.sign(TRIAL), TRIAL)
    circle = context.circles.get(seal.suite)
    profile = "seal" if subject.organisation and subject.identifiers else "person"
    days = (seal.valid_to - context.now()).days + 2
    certificate = circle.issue(profile, subject, key.public_key.spki, days=days)
    return key, circle.pem_with_chain(certificate)


def _sign(unit: Unit, seal: Seal) -> Seal:
    """Step 2. The key signs what is on record, and nothing else."""
    from signer.seals.make import PreparedSeal

    context = unit.context
    assert seal.prepared is not None
    with context.database.read() as session:
        maker = session.get_one(SealMaker, seal.maker_id)
    value = open_maker(context, maker).sign(PreparedSeal.from_json(seal.prepared).dtbs)
    with context.database.write() as session:
        row = repository.get(session, unit.tenant_id, seal.id, lock=True)
        if row.value is None:
            row.value = value
        return row
