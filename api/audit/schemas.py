"""What the check of a log looks like from outside."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.audit.chain import Broken
from api.audit.models import Logged


class LogCheckOut(BaseModel):
    """Whether the log of a seal or an envelope is as it was written."""

    entries: int = Field(description="How many the log should have.")
    head: str = Field(description="The hash of the newest. Keep it elsewhere: it proves the log up to here.")
    intact: bool
    broken_at: int | None = Field(description="The first entry that was changed, moved or removed.")

    @classmethod
    def of(cls, owner: Logged, broken: Broken | None) -> LogCheckOut:
        """Return what a check of the log found."""
        at = broken.at if broken is not None else None
        return cls(entries=owner.log_sequence, head=owner.log_hash, intact=broken is None, broken_at=at)
