"""The published schemas are those of the program, and say exactly what it writes."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from signer import report as r
from signer.report import Report, Verdict
from signer.report_schema import report_schema
from signer.text import LANGUAGES
from tests.signer.conftest import check
from tests.signer.test_report import NOON
from tools.schemas import schemas

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_published_files_are_current() -> None:
    """`python tools/schemas.py` writes them."""
    for name, content in schemas().items():
        assert (DOCS / name).read_text("utf-8") == content, name


def full(kind: Any, name: str = "") -> Any:
    """Make a value of a type with nothing left out, so that every key of the JSON appears."""
    if kind is Any or kind is object:
        return "x"
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{f.name: full(hints[f.name], f.name) for f in dataclasses.fields(kind)})
    if name in ("sha256", "fingerprint", "picture_sha256"):
        return "0" * 64
    simple = {str: "x", int: 1, bool: True, float: 1.0, bytes: b"x", datetime: NOON, Verdict: Verdict.INDETERMINATE}
    if kind in simple:
        return simple[kind]
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return args[0]
    if origin in (types.UnionType, typing.Union):
        return full(next(arg for arg in args if arg is not type(None)), name)
    if origin is tuple:
        return (full(args[0], name),) if args[-1] is Ellipsis else tuple(full(arg, name) for arg in args)
    raise AssertionError(kind)


FULL: Report = dataclasses.replace(full(Report), sha256="0" * 64)


def keys(value: Any, at: str = "") -> set[str]:
    if isinstance(value, dict):
        return {f"{at}.{key}" for key in value}.union(*(keys(item, f"{at}.{key}") for key, item in value.items()))
    if isinstance(value, list):
        return set().union(*(keys(item, at + "[]") for item in value))
    return set()


def promised(schema: Any, root: dict[str, Any], at: str = "") -> set[str]:
    """Return the same from a schema."""
    if "$ref" in schema:
        return promised(root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
    found: set[str] = set()
    for inner in schema.get("anyOf", []):
        found |= promised(inner, root, at)
    for key, inner in schema.get("properties", {}).items():
        found |= {f"{at}.{key}"} | promised(inner, root, f"{at}.{key}")
    if "items" in schema:
        found |= promised(schema["items"], root, at + "[]")
    return found


def test_a_report_with_nothing_left_out_has_the_fields_of_the_schema_and_no_others() -> None:
    body = json.loads(FULL.dumps())
    check(body)
    open_ended = ("parameters", "stated", "details")
    written = {
        key for key in keys(body) if not any(f".{name}." in f"{key}." and not key.endswith(name) for name in open_ended)
    }
    assert written == promised(report_schema(), report_schema())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_schema_refuses_what_is_none(lang: str) -> None:
    body = FULL.to_json(lang)
    validator = Draft202012Validator(report_schema())
    Draft202012Validator.check_schema(report_schema())
    assert not list(validator.iter_errors(body))
    assert not list(validator.iter_errors(body | {"added_later": 1}))
    for name in ("schema", "verdict", "answers", "signatures", "trust"):
        assert list(validator.iter_errors({key: value for key, value in body.items() if key != name})), name
    assert list(validator.iter_errors(body | {"verdict": "VALID"}))


def test_every_word_of_the_types_is_in_the_schema() -> None:
    text = json.dumps(report_schema())
    for words in (r.ObjectUse, r.ObjectKind, r.Result):
        assert all(f'"{word}"' in text for word in typing.get_args(words))
