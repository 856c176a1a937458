"""Reports and stores cross between processes whole, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

import pytest

from certs.trust import TrustStore
from certs.trust.entries import TrustEntry
from signer.report import Report
from signer.verify import verify_bytes
from signer.wire import WireError, decode, encode
from tests.conftest import CLOCK, NOW, circle_of, make_pdf
from tests.signer.signing import sign


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    number: int
    colour: Colour


@dataclass(frozen=True)
class Everything:
    text: str
    maybe: str | None
    octets: bytes
    moment: datetime
    yes: bool
    ratio: float
    word: Literal["a", "b"]
    inner: Inner
    many: tuple[Inner, ...]
    pair: tuple[str, int]
    names: frozenset[str] | None
    optional: tuple[Inner, ...] | None


VALUE = Everything(
    text="договор 合同 \u202e\x00",
    maybe=None,
    octets=bytes(range(256)),
    moment=datetime(2026, 11, 21, 10, 0, 0, 7, tzinfo=UTC),
    yes=True,
    ratio=0.1,
    word="b",
    inner=Inner(-1, Colour.RED),
    many=(Inner(1 << 70, Colour.RED), Inner(0, Colour.RED)),
    pair=("x", 2),
    names=frozenset({"p", "q"}),
    optional=None,
)


def test_every_kind_of_value_comes_back() -> None:
    assert decode(Everything, encode(VALUE)) == VALUE


@pytest.mark.parametrize("level", ["B-B", "B-T"])
def test_a_report_comes_back(signing_suite: str, level: str) -> None:
    data = sign(make_pdf(), signing_suite, level=level)
    for trust in (TrustStore(), circle_of(signing_suite).trust):
        report = verify_bytes(data, name="合同.pdf", trust=trust, at=NOW, clock=CLOCK)
        assert decode(Report, encode(report)) == report


def test_a_store_comes_back(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    entry = TrustEntry(circle.issuing, "list 7", frozenset({"signing"}), NOW, None, "service", "qualified")
    store = circle.trust.listed([entry])
    again = decode(TrustStore, encode(store))
    assert again == store
    assert again.why_not(circle.issuing, "timestamping", NOW)[0]


def altered(**changes: Any) -> bytes:
    return json.dumps({**json.loads(encode(VALUE)), **changes}).encode()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b"9" * 100_000,
        altered(text=1),
        altered(text=None),
        altered(maybe=3),
        altered(octets="=="),
        altered(octets=[1]),
        altered(moment="yesterday"),
        altered(yes=1),
        altered(ratio="0.1"),
        altered(word="c"),
        altered(word=["a"]),
        altered(inner={"number": 1}),
        altered(inner={"number": True, "colour": "red"}),
        altered(inner={"number": 1, "colour": "blue"}),
        altered(inner={"number": 1, "colour": "red", "__class__": "os.system"}),
        altered(many={"number": 1}),
        altered(many=[None]),
        altered(pair=["x"]),
        altered(pair=["x", 2, 3]),
        altered(names="pq"),
        altered(more=1),
    ],
)
def test_anything_else_is_refused(octets: bytes) -> None:
    with pytest.raises(WireError):
        decode(Everything, octets)


@pytest.mark.parametrize("value", [object(), {"a": 1}, [1], Inner])
def test_what_has_no_form_does_not_cross(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)
