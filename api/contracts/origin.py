"""What a contract was made from, where that was not a request of its own: a template, and a row of a bulk send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from api.contracts.models import Contract


@dataclass(frozen=True)
class Origin:
    """A template as it was at a version; for a bulk send, which row."""

    template_id: str
    template_version: int
    bulk_send_id: str | None = None
    bulk_row: int | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What the trail of the contract says of it."""
        facts: dict[str, Any] = {"template": {"id": self.template_id, "version": self.template_version}}
        if self.bulk_send_id is not None:
            facts["bulk_send"] = {"id": self.bulk_send_id, "row": self.bulk_row}
        return facts

    def mark(self, contract: Contract) -> None:
        """Write it into the row of a new contract."""
        contract.template_id, contract.template_version = self.template_id, self.template_version
        contract.bulk_send_id, contract.bulk_row = self.bulk_send_id, self.bulk_row


def origin_out(contract: Contract) -> dict[str, Any] | None:
    """Return what a contract shows of it."""
    if contract.template_id is None:
        return None
    return {"id": contract.template_id, "version": contract.template_version, "bulk_send": contract.bulk_send_id}
