"""Queries over certificates; who may read is part of every one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.certificates.models import CertificateIntent, IssuedCertificate
from api.kit.owned import one


def get(session: Session, tenant_id: str, certificate_id: str) -> IssuedCertificate:
    """Return a tenant's certificate. Raises NotFound."""
    query = all_of(tenant_id).where(IssuedCertificate.id == certificate_id)
    return one(session, query, "certificate")


def all_of(tenant_id: str) -> Select[IssuedCertificate]:
    """Return the query for a tenant's certificates."""
    return select(IssuedCertificate).where(IssuedCertificate.tenant_id == tenant_id)


def by_digest(session: Session, sha256: str) -> IssuedCertificate | None:
    """Return a certificate by its SHA-256, whosever it is."""
    return session.scalars(select(IssuedCertificate).where(IssuedCertificate.sha256 == sha256)).one_or_none()


def pair_of(
    session: Session, tenant_id: str, pair_id: str | None
) -> tuple[IssuedCertificate, IssuedCertificate] | None:
    """Return signing and encryption certificate of a pair; None where it is none, or not complete yet."""
    if pair_id is None:
        return None
    rows = session.scalars(all_of(tenant_id).where(IssuedCertificate.pair_id == pair_id)).all()
    signing = [row for row in rows if row.delivery is None]
    encryption = [row for row in rows if row.delivery is not None]
    if not signing or not encryption:
        return None
    newest = [max(found, key=lambda row: (row.created_at, row.id)) for found in (signing, encryption)]
    return newest[0], newest[1]


def unexpired(
    session: Session, tenant_id: str, suite: str, subject_sha256: str, now: datetime
) -> Sequence[IssuedCertificate]:
    """Return a subject's newest certificates that have not expired, newest first; the ledger says which are good."""
    query = (
        all_of(tenant_id)
        .where(
            IssuedCertificate.suite == suite,
            IssuedCertificate.subject_sha256 == subject_sha256,
            IssuedCertificate.not_after > now,
        )
        .order_by(IssuedCertificate.id.desc())
        .limit(20)
    )
    return session.scalars(query).all()


def repeated(session: Session, tenant_id: str, repetition: str, since: datetime) -> IssuedCertificate | None:
    """Return the certificate that an earlier sending of the same request got."""
    query = all_of(tenant_id).where(IssuedCertificate.repetition == repetition, IssuedCertificate.created_at > since)
    return session.scalars(query.order_by(IssuedCertificate.id.desc()).limit(1)).one_or_none()


def intents(session: Session, repetition: str | None = None) -> Sequence[CertificateIntent]:
    """Return certificates in the making, oldest first: all of them, or those of one request."""
    query = select(CertificateIntent).order_by(CertificateIntent.id).limit(200)
    if repetition is not None:
        query = query.where(CertificateIntent.repetition == repetition)
    return session.scalars(query).all()
