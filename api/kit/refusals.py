"""What is wrong with a field of a request, as a problem document lists it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from api.errors import ValidationFailed

M = TypeVar("M", bound=BaseModel)


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


def validated(model: type[M], data: object) -> M:
    """Return what data say, as a model has it. Raises ValidationFailed with every finding."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = problems_of(error)
        raise ValidationFailed(found[0]["detail"], errors=found) from None


def problems_of(error: ValidationError, pointer: str = "") -> list[dict[str, str]]:
    """Return what a model finds wrong as entries of `errors`, below a pointer; never what was sent."""
    return [
        problem_at(pointer + pointer_to(item["loc"]), str(item["type"]), str(item["msg"]))
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def pointer_to(steps: Iterable[int | str]) -> str:
    """Return a JSON Pointer, each step escaped (RFC 6901 clause 3)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
