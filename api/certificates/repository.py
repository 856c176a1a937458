"""Queries over certificates; who may read is part of every one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.certificates.models import IssuedCertificate
from api.errors import NotFound


def get(session: Session, tenant_id: str, certificate_id: str) -> IssuedCertificate:
    """Return a tenant's certificate. Raises NotFound."""
    query = all_of(tenant_id).where(IssuedCertificate.id == certificate_id)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound("there is no such certificate")
    return found


def all_of(tenant_id: str) -> Select[IssuedCertificate]:
    """Return the query for a tenant's certificates."""
    return select(IssuedCertificate).where(IssuedCertificate.tenant_id == tenant_id)


def good_for(
    session: Session, tenant_id: str, suite: str, subject_sha256: str, now: datetime
) -> Sequence[IssuedCertificate]:
    """Return the newest certificates of a subject that are neither revoked nor expired, newest first."""
    query = (
        all_of(tenant_id)
        .where(
            IssuedCertificate.suite == suite,
            IssuedCertificate.subject_sha256 == subject_sha256,
            IssuedCertificate.revoked_at.is_(None),
            IssuedCertificate.not_after > now,
        )
        .order_by(IssuedCertificate.id.desc())
        .limit(20)
    )
    return session.scalars(query).all()
