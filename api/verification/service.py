"""Verify a file against the service's own closed circles and whatever else the caller trusts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from api.context import Context


def verify_path(context: Context, path: Path, *, name: str, trust: tuple[bytes, ...] = ()) -> dict[str, Any]:
    """Return the report on a file, of schema sealroad.report/1; what the service itself trusts is named in `trust`."""
    from signer.verify import verify_file

    report = verify_file(path, name=name, trust=context.circles.trust_store(trust), clock=context.clock)
    body: dict[str, Any] = report.to_json()
    body["trust"] = {
        "service_roots": [circle.root.subject for circle in context.circles.existing()],
        "given_files": len(trust),
    }
    return body
