"""Between the rows of a seal and `signer.seals.lifecycle`: rows as the state machine sees them, changes carried out.

seal = repository.get(session, tenant_id, seal_id, lock=True)
put(seal, lifecycle.suspend(life_of(seal)), now)
"""

from __future__ import annotations

from datetime import datetime

from api.errors import PreconditionFailed
from api.kit.edge import etag
from api.seals.models import Seal, SealGrant
from signer.seals.lifecycle import OVER, Grant, Life, SealState


def life_of(seal: Seal) -> Life:
    """Return a seal as the state machine sees it."""
    return Life(
        state=SealState(seal.state),
        valid_from=seal.valid_from,
        valid_to=seal.valid_to,
        applicant=seal.applicant,
        approvals_needed=seal.approvals_needed,
        approvals=tuple(each["by"] for each in seal.approvals),
        filing_required=seal.filing_required,
        filing_number=seal.filing_number,
        was_used=seal.was_used,
    )


def grant_of(row: SealGrant) -> Grant:
    """Return a grant as the state machine sees it."""
    return Grant(
        id=row.id,
        grantee=row.grantee,
        granter=row.granter,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        contracts=frozenset(row.contracts) if row.contracts is not None else None,
        kinds=frozenset(row.kinds) if row.kinds is not None else None,
        count=row.count,
        used=row.used,
        approvals_needed=row.approvals_needed,
        approvals=tuple(each["by"] for each in row.approvals),
        revoked=row.revoked_at is not None,
    )


def check_version(seal: Seal, expected: int | None) -> None:
    """Raise PreconditionFailed unless the seal has the version that If-Match named."""
    if expected is not None and seal.version != expected:
        raise PreconditionFailed(f"the seal is at {etag(seal.version)} by now")


def put(seal: Seal, life: Life, now: datetime) -> None:
    """Write a change of the state machine, and count one more version. The seal's row is locked by the caller."""
    seal.state, seal.was_used, seal.filing_number = str(life.state), life.was_used, life.filing_number
    if life.state in OVER and seal.ended_at is None:
        seal.ended_at = now
        seal.sealed_key = None  # nobody signs with it again: what is not there is not stolen
    touch(seal, now)


def touch(seal: Seal, now: datetime) -> None:
    """Count one more version of a seal whose state stays: its log, its uses and its grants are part of it."""
    seal.version += 1
    seal.updated_at = now
