"""Queries over hand-overs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from api.errors import NotFound
from api.handover.models import Handover
from api.kit.owned import locked

ACTIVE = ("open", "shown")


def by_token(session: Session, token_sha256: bytes) -> Handover:
    """Return the hand-over that has this token. Raises NotFound."""
    row = session.scalars(select(Handover).where(Handover.token_sha256 == token_sha256)).one_or_none()
    if row is None:
        raise NotFound("there is nothing at this address")
    return row


def get(session: Session, handover_id: str, *, lock: bool = False) -> Handover:
    """Return a hand-over that is known to exist; with `lock`, nobody else changes it until the transaction ends."""
    query = select(Handover).where(Handover.id == handover_id)
    if lock:
        query = locked(query)
    return session.scalars(query).one()


def newest(session: Session, signature_id: str, *, lock: bool = False) -> Handover:
    """Return the newest hand-over of a signature request. Raises NotFound."""
    query = select(Handover).where(Handover.signature_id == signature_id).order_by(Handover.id.desc()).limit(1)
    if lock:
        query = locked(query)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound("the signature request was not handed over")
    return row


def replace(session: Session, signature_id: str, now: datetime) -> None:
    """End the hand-over of a signature request that is still good, because a newer one takes its place."""
    statement = update(Handover).where(Handover.signature_id == signature_id, Handover.state.in_(ACTIVE))
    session.execute(statement.values(state="replaced", ended_at=now).execution_options(synchronize_session="fetch"))
