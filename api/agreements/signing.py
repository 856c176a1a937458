"""The parties' signatures on an agreement: asked for in two steps, or made elsewhere and handed in.

    row = request(unit, agreement_id, pem)            # what the party's key is to sign, on record before it does
    row, agreement = hand_in(unit, agreement_id, row.id, value)
    agreement = take(unit, agreement_id, cms)         # as `sealroad sign --detached` makes it

Detached CAdES over the fixed octets, in any suite. Whose it is, the certificate says, by the words of the agreement
itself. Everything is verified before anything is written: a wrong, foreign, repeated or late value changes nothing.
The one who comes last makes the agreement take effect, in the same transaction.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.agreements import repository
from api.agreements.admission import (
    MAX_CHAIN,
    Signer,
    check_now,
    octets_of,
    require_signable,
    require_unsigned,
    signer_of,
    terms_of,
    verified,
)
from api.agreements.log import record
from api.agreements.models import Agreement, AgreementSignature
from api.agreements.schemas import AgreementValueIn
from api.agreements.service import REPLACED, conclude
from api.contracts.transition import actor_of
from api.errors import MalformedRequest, StateConflict
from api.kit.edge import Unit
from api.kit.ids import new_id
from certs.errors import CertsError
from signer.errors import StaleRequest, WrongValue


def request(unit: Unit, agreement_id: str, pem: str) -> tuple[AgreementSignature, Agreement]:
    """Return what a party's key is to sign. Raises NotFound, StateConflict, AgreementRefused, SigningRefused."""
    from certs.certificate import load_certificates

    context, now = unit.context, unit.context.now()
    with unit.read() as session:
        agreement = repository.get(session, unit.tenant_id, agreement_id)
        require_signable(agreement, now)
        terms = terms_of(session, agreement)
    bundle = load_certificates(pem.encode())[:MAX_CHAIN]
    signer = signer_of(terms, bundle[0], tuple(bundle[1:]), now)
    row = prepared(agreement, signer, now)
    row.expires_at = now + context.settings.signature_request_life
    session = unit.session
    agreement = repository.get(session, unit.tenant_id, agreement_id, lock=True)
    require_unsigned(unit.session, agreement, signer.index, now)
    repository.abandon(session, agreement, REPLACED, party=signer.index)
    session.add(row)
    facts = {
        "signature": row.id,
        "party": agreement.parties[row.party],
        "certificate_sha256": signer.certificate.fingerprint(),
        "sha256": agreement.sha256,
    }
    record(session, agreement, "signature.requested", now=now, actor=actor_of(unit), data=facts)
    session.flush()
    return row, agreement


def prepared(agreement: Agreement, signer: Signer, now: datetime) -> AgreementSignature:
    """Return the record of a signature that is to be made, with the octets that the key is to sign."""
    from certs import suites
    from signer.cms import cades_attributes

    suite = suites.get(signer.suite)
    digest = suites.digest(suite.digest_name, octets_of(agreement))
    return AgreementSignature(
        id=new_id("ags"),
        agreement_id=agreement.id,
        party=signer.index,
        state="prepared",
        suite=signer.suite,
        certificates=signer.pem,
        attributes=cades_attributes(suite, signer.certificate, digest, now),
        created_at=now,
    )


def hand_in(
    unit: Unit, agreement_id: str, signature_id: str, body: AgreementValueIn
) -> tuple[AgreementSignature, Agreement]:
    """Take what a party's key returned.

    Raises WrongValue, StaleRequest, StateConflict or TimeStampError; nothing has changed then.
    """
    from certs import suites
    from certs.certificate import load_certificates
    from signer.cms import accept, finish

    context = unit.context
    with unit.read() as session:
        row = repository.signature(session, unit.tenant_id, agreement_id, signature_id)
        agreement = repository.get(session, unit.tenant_id, agreement_id)
        _require_open(unit, agreement, row)
    if body.error is not None:
        return _report(unit, agreement_id, signature_id, body.error)
    bundle = load_certificates(row.certificates.encode())
    suite, octets = suites.get(row.suite), octets_of(agreement)
    check_now(bundle[0], context.now())
    timestamper = context.circles.get(row.suite).tsa
    if body.signature is not None:
        value = _decode(body.signature)
        cms = finish(suite, bundle[0], bundle[1:], row.attributes or b"", value, timestamper=timestamper)
    else:
        cms = accept(
            _decode(body.cms or ""),
            certificate=bundle[0],
            digest_name=suite.digest_name,
            digest=suites.digest(suite.digest_name, octets),
            cades=True,
            timestamper=timestamper,
        )
    verdict = verified(context, cms, octets)
    session = unit.session
    agreement = repository.get(session, unit.tenant_id, agreement_id, lock=True)
    row = repository.signature(session, unit.tenant_id, agreement_id, signature_id, lock=True)
    _require_open(unit, agreement, row)
    signed(session, agreement, row, cms, verdict, now=context.now(), actor=actor_of(unit))
    return row, agreement


def take(unit: Unit, agreement_id: str, encoded: str) -> Agreement:
    """Take a detached signature that was made elsewhere. Raises as `hand_in`, and AgreementRefused."""
    from certs import suites
    from certs.signed_data import parse_signed_data
    from signer.cms import accept

    context, now = unit.context, unit.context.now()
    given = _decode(encoded)
    with unit.read() as session:
        agreement = repository.get(session, unit.tenant_id, agreement_id)
        require_signable(agreement, now)
        terms = terms_of(session, agreement)
    octets = octets_of(agreement)
    try:
        view = parse_signed_data(given)
        first = view.signers[0] if len(view.signers) == 1 else None
        certificate = first.certificate if first is not None else None
        digest_name = first.digest_name if first is not None else ""
    except CertsError as error:
        raise WrongValue(f"this is no signature that can be read: {error}", hint="sealroad sign --detached") from error
    if certificate is None:
        raise WrongValue("not exactly one signer with a certificate", hint="sealroad sign --detached")
    others = tuple(each for each in view.certificates if each != certificate)[: MAX_CHAIN - 1]
    signer = signer_of(terms, certificate, others, now)
    cms = accept(
        given,
        certificate=certificate,
        digest_name=digest_name,
        digest=suites.digest(digest_name, octets),
        cades=True,
        timestamper=context.circles.get(signer.suite).tsa,
    )
    verdict = verified(context, cms, octets)
    agreement = repository.get(unit.session, unit.tenant_id, agreement_id, lock=True)
    require_unsigned(unit.session, agreement, signer.index, now)
    row = AgreementSignature(
        id=new_id("ags"),
        agreement_id=agreement.id,
        party=signer.index,
        suite=signer.suite,
        certificates=signer.pem,
        created_at=now,
    )
    signed(unit.session, agreement, row, cms, verdict, now=now, actor=actor_of(unit))
    return agreement


# -- inside -------------------------------------------------------------------------------------------


def signed(
    session: Session,
    agreement: Agreement,
    row: AgreementSignature,
    cms: bytes,
    verdict: tuple[str, str | None],
    *,
    now: datetime,
    actor: dict[str, Any],
) -> None:
    """Write a signature down that was verified; the last one makes the agreement take effect. The row is locked."""
    row.state, row.cms, row.signed_party, row.signed_at, row.failure = "signed", cms, row.party, now, None
    row.verdict, row.sub_indication = verdict
    session.add(row)
    session.flush()
    repository.abandon(session, agreement, REPLACED, party=row.party)
    facts = {
        "signature": row.id,
        "party": agreement.parties[row.party],
        "sha256": agreement.sha256,
        "cms_sha256": hashlib.sha256(cms).hexdigest(),
        "verdict": row.verdict,
    }
    record(session, agreement, "agreement.signed", now=now, actor=actor, data=facts)
    if len(repository.signatures_of(session, agreement)) == len(agreement.parties):
        conclude(session, agreement, now=now, actor=actor)
    repository.touch(agreement, now)
    session.flush()


def _report(unit: Unit, agreement_id: str, signature_id: str, error: str) -> tuple[AgreementSignature, Agreement]:
    agreement = repository.get(unit.session, unit.tenant_id, agreement_id, lock=True)
    row = repository.signature(unit.session, unit.tenant_id, agreement_id, signature_id, lock=True)
    _require_open(unit, agreement, row)
    row.state, row.failure = "abandoned", {"code": "reported", "detail": error}
    facts = {"signature": row.id, "party": agreement.parties[row.party], **row.failure}
    now, actor = unit.context.now(), actor_of(unit)
    record(unit.session, agreement, "signature.reported", now=now, actor=actor, data=facts)
    unit.session.flush()
    return row, agreement


def _require_open(unit: Unit, agreement: Agreement, row: AgreementSignature) -> None:
    """Raise unless a value for this request may still come in."""
    require_signable(agreement, unit.context.now())
    if row.state != "prepared":
        raise StateConflict("this signature request is over", state=row.state, allowed=[])
    if row.expires_at is None or row.expires_at <= unit.context.now():
        raise StaleRequest("the signature request has expired", hint="ask for a new signature request")


def _decode(value: str) -> bytes:
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except ValueError:  # not base64, or not ASCII
        raise MalformedRequest("the value is not base64") from None
