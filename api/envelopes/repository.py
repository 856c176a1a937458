"""Queries over envelopes and held keys; who may read is part of every one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, exists, select
from sqlalchemy.orm import Session

from api.certificates.models import CertificateIntent, IssuedCertificate
from api.envelopes.models import Envelope, EnvelopeKey
from api.errors import NotFound
from api.kit.owned import one

_CERTIFIED = and_(
    IssuedCertificate.tenant_id == EnvelopeKey.tenant_id,
    IssuedCertificate.suite == EnvelopeKey.suite,
    IssuedCertificate.serial == EnvelopeKey.serial,
)


def get(session: Session, tenant_id: str, envelope_id: str, *, lock: bool = False) -> Envelope:
    """Return a tenant's envelope; with `lock`, nobody else changes it until the transaction ends. Raises NotFound."""
    query = select(Envelope).where(Envelope.tenant_id == tenant_id, Envelope.id == envelope_id)
    return one(session, query, "envelope", lock=lock)


def recipient_of(envelope: Envelope, recipient_id: str) -> dict[str, Any]:
    """Return a recipient of an envelope. Raises NotFound."""
    for recipient in envelope.recipients:
        if recipient["id"] == recipient_id:
            return recipient
    raise NotFound("the envelope has no such recipient")


def all_of(tenant_id: str, *, contract_id: str | None) -> Select[Envelope]:
    """Return the query for a tenant's envelopes."""
    query = select(Envelope).where(Envelope.tenant_id == tenant_id)
    return query if contract_id is None else query.where(Envelope.contract_id == contract_id)


def keys_of(
    session: Session, tenant_id: str, party_id: str | None, suite: str, now: datetime
) -> Sequence[tuple[EnvelopeKey, IssuedCertificate]]:
    """Return the held keys of a party, or of the service itself, whose certificates have not expired; newest first."""
    query = (
        select(EnvelopeKey, IssuedCertificate)
        .join(IssuedCertificate, _CERTIFIED)
        .where(EnvelopeKey.tenant_id == tenant_id, EnvelopeKey.party_id == party_id, EnvelopeKey.suite == suite)
        .where(IssuedCertificate.not_after > now)
        .order_by(EnvelopeKey.id.desc())
    )
    return [(key, certificate) for key, certificate in session.execute(query)]


def key(session: Session, tenant_id: str, key_id: str) -> EnvelopeKey:
    """Return a held key. Raises NotFound."""
    found = session.scalars(
        select(EnvelopeKey).where(EnvelopeKey.tenant_id == tenant_id, EnvelopeKey.id == key_id)
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such key")
    return found


def needed_files(session: Session) -> set[str]:
    """Return the stored files that envelopes need: what is handed out, and what one in the making is made of."""
    needed: set[str | None] = set()
    columns = (Envelope.state, Envelope.source_sha256, Envelope.prepared_sha256, Envelope.content_sha256)
    for state, source, prepared, content, parts in session.execute(select(*columns, Envelope.parts)):
        needed |= {source, prepared} if state == "queued" else {content, *parts.values()}
    return {name for name in needed if name is not None}


def forget_keys_without_certificate(session: Session, before: datetime) -> None:
    """Delete keys made before a moment for which no certificate came about: a process died, or the authority refused.

    What is still in the making, or waits to be settled, has an intent of its suite and tenant.
    """
    certified = exists().where(_CERTIFIED)
    awaited = exists().where(
        CertificateIntent.tenant_id == EnvelopeKey.tenant_id, CertificateIntent.suite == EnvelopeKey.suite
    )
    session.execute(
        delete(EnvelopeKey)
        .where(EnvelopeKey.created_at < before, ~certified, ~awaited)
        .execution_options(synchronize_session=False)
    )
