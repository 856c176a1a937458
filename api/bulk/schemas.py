"""What bulk sends look like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.bulk.models import BulkRow, BulkSend
from api.kit.fields import Body
from api.templates.schemas import SlotIn

BulkState = Literal["running", "ended", "cancelled", "failed"]
RowState = Literal["waiting", "made", "sent", "failed", "cancelled", "invalid"]


class Common(Body):
    """What all rows have in common."""

    parties: list[SlotIn] = Field(default_factory=list, max_length=50)


class BulkSendOut(BaseModel):
    """A bulk send and how far it has come."""

    id: str = Field(examples=["blk_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    template: str
    template_version: int
    state: BulkState
    job: str = Field(description="Follow it at /v1/jobs/{job}/events; cancel it at /v1/jobs/{job}/cancel.")
    total: int = Field(description="Rows of the table.")
    sent: int
    failed: int
    invalid: int = Field(description="Rows that `skip_invalid` left out.")
    cancelled: int
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: BulkSend, counts: dict[str, int]) -> BulkSendOut:
        """Return the outside of a row."""
        return cls.model_validate(
            {
                "id": row.id,
                "template": row.template_id,
                "template_version": row.template_version,
                "state": row.state,
                "job": row.job_id,
                "total": row.total,
                **{state: counts.get(state, 0) for state in ("sent", "failed", "invalid", "cancelled")},
                "created_at": row.created_at,
                "finished_at": row.finished_at,
            }
        )


class BulkSendList(BaseModel):
    """A page of bulk sends, newest first."""

    data: list[BulkSendOut]
    next_cursor: str | None


class RowOut(BaseModel):
    """What became of a row."""

    row: int
    state: RowState
    external_id: str | None
    contract: str | None
    error: dict[str, Any] | None

    @classmethod
    def of(cls, row: BulkRow) -> RowOut:
        """Return the outside of a row."""
        return cls.model_validate(
            {
                "row": row.number,
                "state": row.state,
                "external_id": row.external_id,
                "contract": row.contract_id,
                "error": row.error,
            }
        )
