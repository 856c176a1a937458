"""Dual certificates for a tenant: a signing key of the holder's own, and one for decryption that the authority makes.

 1. possession of the signing key is proved; what cannot take a delivery is refused
 2. the second key is made, wrapped to the first, and forgotten; both plans are on record (`certs.pairs`)
 3. the intents are on record here, in a transaction of their own, the delivery with them
 4. the authority signs what is not signed yet
 5. both certificates get their rows and the intents go, in the transaction of the request

A request (its octets, and whose it is) names its pair: repeated, with an Idempotency-Key or without, it gives the same
one, and goes on from wherever a process died. One request of a circle is at it at a time; settling what others left
waits for it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from api.certificates import issuing, repository
from api.certificates.models import CertificateIntent, IssuedCertificate
from api.errors import NotFound
from api.kit.edge import Unit

if TYPE_CHECKING:
    from api.pki.circle import Circle
    from certs.request import Request
    from certs.subject import Subject


def issue(
    unit: Unit,
    circle: Circle,
    request: Request,
    profile: str,
    subject: Subject,
    days: int | None,
    identity: dict[str, Any],
) -> IssuedCertificate:
    """Return the signing certificate of the pair for a request; `identity` says on which proofs.

    Raises UnsupportedAlgorithm (a suite that only signs), ProfileError, AlreadyRevoked, RequestUsed, ApprovalError, and
    what else `PairDesk.prepare` and `Circle.sign` raise.
    """
    from certs import profiles
    from certs.ca import Plan
    from certs.key_delivery import to_pem
    from certs.suites import load_public

    context = unit.context
    issuing.settle_repetition(unit)
    pair_id = f"pair_{hashlib.sha256(f'{unit.tenant_id}/'.encode() + request.der).hexdigest()[:32]}"
    with circle.pairing(unit.tenant_id) as desk:
        draft = desk.prepare(request, profiles.load(profile), subject=subject, days=days)  # 1, 2
        delivery = to_pem(draft.delivery, load_public(request.spki))
        drafted = ((draft.signing, None), (draft.encryption, delivery))
        made: list[CertificateIntent] = []
        for item, enclosed in drafted:
            intent = issuing.intent_of(context, unit.tenant_id, circle.suite, item, identity, unit.repetition)
            intent.pair_id, intent.delivery = pair_id, enclosed
            made.append(intent)
        planned = [intent for intent, (item, _) in zip(made, drafted, strict=True) if isinstance(item, Plan)]
        issuing.intend(context, *planned)  # 3
        pair = draft.signed_by(circle.sign)  # 4
    rows = [  # 5
        issuing.taken(unit.session, context, intent, certificate)
        for intent, certificate in zip(made, (pair.signing, pair.encryption), strict=True)
    ]
    return rows[0]


def file_of(unit: Unit, certificate_id: str) -> bytes:
    """Return the file for the holder of a pair, by either certificate. Raises NotFound."""
    from certs.certificate import load_certificates
    from certs.key_delivery import LABELS
    from certs.pairs import Pair
    from certs.pem import pem_blocks

    with unit.read() as session:
        row = repository.get(session, unit.tenant_id, certificate_id)
        pair = repository.pair_of(session, unit.tenant_id, row.pair_id)
    if pair is None or pair[1].delivery is None:
        raise NotFound("this certificate is none of a pair", hint='ask for one with "pair": true')
    signing, encryption = pair
    blocks = pem_blocks(pair[1].delivery.encode())
    delivery = next(encoded for label, encoded in blocks if label in LABELS)
    first, *above = load_certificates(signing.pem.encode())
    return Pair(first, load_certificates(encryption.pem.encode())[0], delivery).encode(above)
