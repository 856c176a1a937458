"""Canonical JSON: one spelling, nothing else read as canonical."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import canonical
from certs.errors import MalformedInput

# RFC 8785 3.2.2.2: how strings are spelt
STRING = '€$\u000f\nA\'B"\\\\"/'
SPELT = '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcXYZ_09", max_size=5), inner, max_size=4),
    max_leaves=12,
)


def test_strings_are_spelt_as_the_rfc_says() -> None:
    assert canonical.encode(STRING) == SPELT


def test_members_are_sorted_and_nothing_stands_between() -> None:
    assert canonical.encode({"b": [1, None, True], "a": "ж"}) == '{"a":"ж","b":[1,null,true]}'.encode()


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_what_is_written_is_read(value: Any) -> None:
    encoded = canonical.encode(value)
    assert canonical.decode(encoded) == value
    assert json.loads(encoded) == value
    assert canonical.read(json.dumps(value, indent=2).encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        *('{"b":1,"a":2}', '{ "a":1}', '{"a":1}\n', '"\\u0041"', '"\\/"', "1.0", "1e3", "-0", "01", "NaN", "Infinity"),
        *('{"a":1,"a":1}', '{"ж":1}', "9007199254740992", '"\\ud800"', "", "{", "[" * 50 + "]" * 50, "[" * 100_000),
        "1" * 5000,
    ],
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        canonical.decode(text.encode())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80) | st.text('{}[]",:0129.eE-+ntrufalse\\ ', max_size=40).map(str.encode))
def test_any_bytes_give_a_value_or_a_clear_error(data: bytes) -> None:
    for reader in (canonical.decode, canonical.read):
        try:
            value = reader(data)
        except MalformedInput:
            continue
        assert canonical.decode(canonical.encode(value)) == value


@pytest.mark.parametrize("value", [1.5, 2**53, {"ж": 1}, {1: 2}, "\ud800", b"x", object()])
def test_what_has_no_canonical_form_is_not_written(value: Any) -> None:
    with pytest.raises(MalformedInput):
        canonical.encode(value)


def test_too_much_is_not_read() -> None:
    with pytest.raises(MalformedInput):
        canonical.read(b'"' + b"x" * 50 + b'"', limit=40)
