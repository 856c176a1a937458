"""What is wrong with a field of a request, as a problem document lists it."""

from __future__ import annotations

from datetime import UTC, datetime

from api.errors import ValidationFailed


def refuse(pointer: str, code: str, detail: str) -> ValidationFailed:
    """Return the error about one field."""
    return ValidationFailed(f"{pointer.removeprefix('/')} {detail}", errors=[problem_at(pointer, code, detail)])


def problem_at(pointer: str, code: str, detail: str) -> dict[str, str]:
    """Return one entry of `errors`; `pointer` is a JSON Pointer into the body, or `query/name`."""
    return {"pointer": pointer, "code": code, "detail": detail}


def utc(value: datetime, pointer: str) -> datetime:
    """Return a moment in UTC, in whole seconds. Raises ValidationFailed where it has none."""
    try:
        return value.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise refuse(pointer, "overflow", "is no moment in UTC") from None
