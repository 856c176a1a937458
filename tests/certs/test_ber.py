"""The reader for foreign BER: tolerant in form, bounded in work, and it changes no octet."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import ber, der
from certs.errors import MalformedInput, SealroadError


def walk(value: ber.Value) -> None:
    value.raw()
    value.content()
    if value.constructed:
        for member in value:
            walk(member)


@given(st.binary(max_size=300))
def test_no_octets_raise_anything_builtin(data: bytes) -> None:
    try:
        value = ber.load(data)
        walk(value)
        value.definite()
    except SealroadError:
        pass


def test_indefinite_lengths_are_read_and_made_definite() -> None:
    data = bytes.fromhex("3080 2480 0402 0102 0401 03 0000 0201 05 0000")
    value = ber.load(data)
    text, number = list(value)
    assert text.octets() == b"\x01\x02\x03"
    assert number.integer() == 5
    assert value.raw() == data
    assert value.definite() == bytes.fromhex("300c 2407 0402 0102 0401 03 0201 05")


def test_a_length_that_is_not_minimal_is_read() -> None:
    assert ber.load(bytes.fromhex("04 82 0001 aa")).octets() == b"\xaa"


@pytest.mark.parametrize(
    "data", ["", "30", "3005", "0480", "30800000 00", "1f8101", "30800201", "04 89 0000000000000000 01"]
)
def test_broken_values_are_refused(data: str) -> None:
    with pytest.raises(MalformedInput):
        walk(ber.load(bytes.fromhex(data)))


def test_zero_octets_may_follow_only_where_allowed() -> None:
    data = der.integer(5) + bytes(10)
    assert ber.load(data, padding=True).integer() == 5
    with pytest.raises(MalformedInput):
        ber.load(data)
    with pytest.raises(MalformedInput):
        ber.load(data + b"\x01", padding=True)


@pytest.mark.parametrize("header", [b"\x30\x80", b"\x30\x84\x7f\xff\xff\xff"])
def test_deep_nesting_ends_soon(header: bytes) -> None:
    began = time.process_time()
    with pytest.raises(MalformedInput):
        walk(ber.load(header * 200_000))
    assert time.process_time() - began < 20


def test_deep_definite_nesting_ends_soon() -> None:
    data = b""
    for _ in range(500):
        data = der.tlv(0x30, data)
    with pytest.raises(MalformedInput):
        walk(ber.load(data))


@pytest.mark.parametrize(
    ("text", "generalized", "moment"),
    [
        ("261121100000Z", False, datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2611211000Z", False, datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("500101000000Z", False, datetime(1950, 1, 1, tzinfo=UTC)),
        ("490101000000Z", False, datetime(2049, 1, 1, tzinfo=UTC)),
        ("261121120000+0200", False, datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("20251217100600.876Z", True, datetime(2025, 12, 17, 10, 6, 0, 876000, tzinfo=UTC)),
        ("20500101000000Z", True, datetime(2050, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_of_real_certificates_are_read(text: str, generalized: bool, moment: datetime) -> None:
    assert ber.parse_time(text.encode(), generalized=generalized) == moment


@pytest.mark.parametrize(
    "text", ["", "Z", "261321100000Z", "2611211000", "abcdefghijklZ", "26112110000٣Z", "00000101000000Z"]
)
def test_broken_times_are_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        ber.parse_time(text.encode(), generalized=len(text) > 13)


@given(content=st.binary(max_size=24), generalized=st.booleans())
def test_no_octets_make_a_time_raise_anything_builtin(content: bytes, generalized: bool) -> None:
    try:
        ber.parse_time(content, generalized=generalized)
    except MalformedInput:
        pass


def test_times_are_written_as_rfc_5280_says() -> None:
    assert ber.encode_time(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)) == b"\x17\x0d491231235959Z"
    assert ber.encode_time(datetime(2050, 1, 1, tzinfo=UTC)) == b"\x18\x0f20500101000000Z"
