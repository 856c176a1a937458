"""Every report that a test of the verifier makes is held against the published schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from signer import verify
from signer.report import Report
from signer.report_schema import report_schema

AT_MOST = 25
"""Reports checked per test; some tests make thousands, alike."""


def closed(schema: Any) -> Any:
    """Return a schema that refuses every field it does not name; the published one is open."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "required" in schema:
        made["additionalProperties"] = False
    return made


VALIDATOR = Draft202012Validator(closed(report_schema()))


def check(body: dict[str, Any]) -> None:
    """Fail with the first place where a report is not of the schema."""
    for error in VALIDATOR.iter_errors(body):
        raise AssertionError(f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}")


@pytest.fixture(autouse=True)
def _reports_fit_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0

    def checked(**values: Any) -> Report:
        nonlocal count
        made = Report(**values)
        count += 1
        if count <= AT_MOST:
            check(made.to_json())
        return made

    stand_in: Callable[..., Report] = checked
    monkeypatch.setattr(verify, "Report", stand_in)
