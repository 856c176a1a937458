"""Name constraints: every type that is compared, what is never accepted, and certificates made to be expensive."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import der, oids
from certs.certificate import Extension
from certs.names import build_name
from certs.path import PathResult, validate_path
from certs.trust import TrustStore
from tests.certs.forge import forge
from tests.conftest import NOW, keys_of

ROOT, MIDDLE, LEAF, *_ = keys_of("ecdsa-p256")
DNS, EMAIL, URI = 0x82, 0x81, 0x86


def name(tag: int, value: str | bytes) -> bytes:
    return der.tlv(tag, value.encode() if isinstance(value, str) else value)


def directory(*attributes: tuple[str, str]) -> bytes:
    return der.tlv(0xA4, build_name(attributes))


def other(kind: str) -> bytes:
    return der.tlv(0xA0, der.oid(kind) + der.tlv(0xA0, der.tlv(0x0C, b"x")))


def constraints(permitted: list[bytes] | None = None, excluded: list[bytes] | None = None) -> Extension:
    parts = b"".join(
        der.tlv(tag, b"".join(map(der.sequence, bases)))
        for tag, bases in ((0xA0, permitted), (0xA1, excluded))
        if bases is not None
    )
    return Extension(oids.NAME_CONSTRAINTS, True, der.sequence(parts))


def alternative(*names: bytes) -> list[Extension]:
    return [Extension(oids.SUBJECT_ALT_NAME, False, der.sequence(*names))] if names else []


def judge(constraint: Extension, *names: bytes, in_anchor: bool = False) -> PathResult:
    anchor = forge("Root", ROOT, None, ROOT, ca=True, more=[constraint] if in_anchor else [])
    authority = forge("Middle", MIDDLE, anchor, ROOT, ca=True, more=[] if in_anchor else [constraint])
    leaf = forge("Leaf", LEAF, authority, MIDDLE, more=alternative(*names))
    return validate_path(leaf, [authority], TrustStore(anchors=(anchor,)), NOW, revocation="if-present")


V4, V6 = bytes.fromhex("c0a80000ffff0000"), bytes.fromhex("20010db8" + "00" * 12 + "ffffffff" + "00" * 12)

WITHIN = [  # base, name, is the name within it
    (name(DNS, "example.com"), name(DNS, "example.com"), True),
    (name(DNS, "example.com"), name(DNS, "a.b.EXAMPLE.com"), True),
    (name(DNS, "example.com"), name(DNS, "notexample.com"), False),
    (name(DNS, "example.com"), name(DNS, "*.example.com"), True),
    (name(DNS, ""), name(DNS, "anything.example"), True),
    (name(EMAIL, "me@example.com"), name(EMAIL, "me@EXAMPLE.com"), True),
    (name(EMAIL, "me@example.com"), name(EMAIL, "Me@example.com"), False),
    (name(EMAIL, "example.com"), name(EMAIL, "anybody@example.com"), True),
    (name(EMAIL, "example.com"), name(EMAIL, "anybody@mail.example.com"), False),
    (name(EMAIL, ".example.com"), name(EMAIL, "anybody@mail.example.com"), True),
    (name(EMAIL, ".example.com"), name(EMAIL, "anybody@example.com"), False),
    (name(URI, "example.com"), name(URI, "https://example.com:8443/x"), True),
    (name(URI, "example.com"), name(URI, "https://www.example.com/"), False),
    (name(URI, ".example.com"), name(URI, "https://user@www.example.com/"), True),
    (name(URI, ".example.com"), name(URI, "https://www.example.com@evil.example/"), False),
    (name(0x87, V4), name(0x87, bytes([192, 168, 7, 7])), True),
    (name(0x87, V4), name(0x87, bytes([192, 169, 7, 7])), False),
    (name(0x87, V6), name(0x87, bytes.fromhex("20010db8" + "11" * 12)), True),
    (name(0x87, V6), name(0x87, bytes.fromhex("20010db9" + "11" * 12)), False),
    (name(0x87, V4), name(0x87, bytes.fromhex("20010db8" + "11" * 12)), False),
    (directory((oids.COUNTRY, "DE")), directory((oids.COUNTRY, "DE"), (oids.ORGANISATION, "X")), True),
    (directory((oids.COUNTRY, "DE"), (oids.ORGANISATION, "x  y")),
     directory((oids.COUNTRY, "DE"), (oids.ORGANISATION, "X Y"), (oids.COMMON_NAME, "Z")), True),
]  # fmt: skip


@pytest.mark.parametrize("row", range(len(WITHIN)))
def test_within_is_permitted_and_excluded(row: int) -> None:
    base, inside, within = WITHIN[row]
    permitted = [base] if base[0] != 0xA4 else [base, directory((oids.COUNTRY, "DE"))]
    for in_anchor in (False, True):
        if base[0] != 0xA4:  # the subject is a directory name as well
            assert judge(constraints(permitted), inside, in_anchor=in_anchor).passed is within
        assert judge(constraints(excluded=[base]), inside, in_anchor=in_anchor).passed is not within


def test_a_wildcard_could_be_the_host_that_is_excluded() -> None:
    assert not judge(constraints(excluded=[name(DNS, "www.example.com")]), name(DNS, "*.example.com")).passed
    assert not judge(constraints([name(DNS, "www.example.com")]), name(DNS, "*.example.com")).passed
    assert judge(constraints(excluded=[name(DNS, "a.b.example.com")]), name(DNS, "*.example.com")).passed


def test_the_subject_is_a_name_too() -> None:
    assert judge(constraints([directory((oids.COUNTRY, "DE"))])).passed
    refused = judge(constraints([directory((oids.COUNTRY, "CN"))]))
    assert refused.sub_indication == "CHAIN_CONSTRAINTS_FAILURE"
    assert not judge(constraints(excluded=[directory((oids.COUNTRY, "DE"), (oids.COMMON_NAME, "LEAF"))])).passed
    assert not judge(constraints([directory((oids.COUNTRY, "DE"), (oids.ORGANISATION, "X"))])).passed


def test_names_of_a_type_without_a_constraint_are_free() -> None:
    assert judge(constraints([name(DNS, "example.com")]), name(EMAIL, "me@other.example")).passed


@pytest.mark.parametrize(
    ("base", "leaf_name"),
    [(other("1.2.3"), other("1.2.3")), (name(0x88, b"\x2a\x03"), name(0x88, b"\x2a\x03"))],
)
def test_a_type_we_cannot_compare_is_not_accepted(base: bytes, leaf_name: bytes) -> None:
    assert not judge(constraints([base]), leaf_name).passed
    assert not judge(constraints(excluded=[base]), leaf_name).passed
    assert judge(constraints(excluded=[base])).passed
    assert judge(constraints(excluded=[other("1.2.9")]), other("1.2.3")).passed


@pytest.mark.parametrize(
    "broken",
    [
        Extension(oids.NAME_CONSTRAINTS, True, der.sequence()),
        Extension(oids.NAME_CONSTRAINTS, True, b"\x05\x00"),
        constraints([]),
        constraints([name(DNS, "*.example.com")]),
        constraints([name(DNS, ".example.com")]),
        constraints([name(0x87, b"\x01\x02\x03\x04")]),
        constraints([name(0x87, bytes.fromhex("c0a80000ff00ff00"))]),
        constraints([name(EMAIL, "a b@example.com")]),
        constraints([name(DNS, "exämple.com")]),
        constraints([name(DNS, "example.com") + b"\x80\x01\x01"]),
        constraints([name(DNS, "example.com") + b"\x81\x01\x01"]),
    ],
)
def test_constraints_that_cannot_be_read_refuse_the_chain(broken: Extension) -> None:
    for in_anchor in (False, True):
        assert judge(broken, in_anchor=in_anchor).sub_indication == "CERTIFICATE_CHAIN_GENERAL_FAILURE"


def test_a_name_that_cannot_be_read_is_not_within_anything() -> None:
    for bad in (name(DNS, "exa mple.com"), name(EMAIL, "nobody"), name(0x87, b"\x01"), name(URI, "urn:x")):
        base = {DNS: name(DNS, "x"), EMAIL: name(EMAIL, "x"), 0x87: name(0x87, V4), URI: name(URI, "x")}[bad[0]]
        assert not judge(constraints([base]), bad).passed
        assert not judge(constraints(excluded=[base]), bad).passed


def test_an_other_name_of_no_type() -> None:
    for base in (other("1.2.3"), b"\xa0\x00"):
        assert not judge(constraints(excluded=[base]), b"\xa0\x00").passed


def test_names_times_constraints_are_bounded() -> None:
    bases = [name(DNS, f"x{n}.example.com") for n in range(2048)]
    names = [name(DNS, f"y{n}.example.com") for n in range(2048)]
    began = time.process_time()
    result = judge(constraints(excluded=bases), *names)
    assert time.process_time() - began < 20
    assert (result.indication, result.checks[-1].result) == ("INDETERMINATE", "not-checked")


def test_constraints_hold_in_every_suite(signing_suite: str) -> None:
    """An issuing authority for one country certifies nobody of another, in whatever cryptography."""
    root_key, key, leaf_key, *_ = keys_of(signing_suite)
    for country, passed in (("DE", True), ("CN", False)):
        limit = constraints([directory((oids.COUNTRY, country))])
        anchor = forge("Root", root_key, None, root_key, ca=True)
        authority = forge("Middle", key, anchor, root_key, ca=True, more=[limit])
        leaf = forge("Leaf", leaf_key, authority, key)
        result = validate_path(leaf, [authority], TrustStore(anchors=(anchor,)), NOW, revocation="if-present")
        assert result.passed is passed


@given(st.data())
def test_no_octets_in_names_or_constraints_make_it_raise(data: st.DataObject) -> None:
    samples = [name(DNS, "a.example.com"), name(EMAIL, "a@example.com"), name(URI, "http://a/"), name(0x87, V4)]
    samples += [directory((oids.COUNTRY, "DE")), other("1.2.3"), b"\xa0\x00", b"\xa4\x00", b"\x86\x00", b"\x89\x00"]
    names = st.lists(st.sampled_from(samples) | st.binary(max_size=6), max_size=3)
    permitted, excluded, held = (data.draw(names) for _ in range(3))
    fields = [constraints(permitted or None, excluded or None), *alternative(*held)]
    authority = forge("Middle", MIDDLE, FUZZ_ANCHOR, ROOT, ca=True, more=fields[:1])
    leaf = forge("Leaf", LEAF, authority, MIDDLE, more=fields[1:])
    result = validate_path(leaf, [authority], TrustStore(anchors=(FUZZ_ANCHOR,)), NOW, revocation="if-present")
    assert result.indication in ("PASSED", "INDETERMINATE")


FUZZ_ANCHOR = forge("Root", ROOT, None, ROOT, ca=True)
