"""Names are written by the rules of their attributes and read whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import der, oids
from certs.errors import MalformedInput, SealroadError
from certs.names import Name, build_name, decode_text


def name_of(oid: str, tag: int, content: bytes) -> Name:
    return Name(der.sequence(der.tlv(der.SET, der.sequence(der.oid(oid), der.tlv(tag, content)))))


@pytest.mark.parametrize("text", ["王𠮷", "𪚥龘龍", "㐂", "Ёлкин Пётр", "Әлия Қазақ", "Jörg Müller", "शर्मा"])
def test_any_script_comes_back_as_it_went_in(text: str) -> None:
    name = Name(build_name([(oids.COUNTRY, "CN"), (oids.COMMON_NAME, text)]))
    assert name.first(oids.COMMON_NAME) == text
    assert str(name) == f"C=CN, CN={text}"


def test_string_types_are_those_of_the_attributes() -> None:
    name = Name(
        build_name(
            [
                (oids.COUNTRY, "RU"),
                (oids.INN, "500100732259"),
                (oids.OGRN, "1027700132195"),
                (oids.SERIAL_NUMBER, "PNOKZ-120340005670"),
                (oids.EMAIL_ADDRESS, "a@example.org"),
                (oids.ORGANISATION, "Орг"),
            ]
        )
    )
    assert [attribute.tag for attribute in name.attributes] == [0x13, 0x12, 0x12, 0x13, 0x16, 0x0C]


@pytest.mark.parametrize(
    ("oid", "text"),
    [
        (oids.COUNTRY, "China"),
        (oids.COUNTRY, "cn"),
        (oids.INN, "12a"),
        (oids.COMMON_NAME, ""),
        (oids.COMMON_NAME, " padded"),
        (oids.COMMON_NAME, "x" * 257),
        (oids.COMMON_NAME, "Bank\u202egnp.exe"),
        (oids.COMMON_NAME, "zero\u200bwidth"),
        (oids.COMMON_NAME, "line\nfeed"),
        (oids.EMAIL_ADDRESS, "пётр@example.org"),
        (oids.SERIAL_NUMBER, "under_score"),
    ],
)
def test_what_must_not_stand_in_a_name_is_refused(oid: str, text: str) -> None:
    with pytest.raises(MalformedInput):
        build_name([(oid, text)])


def test_gbk_in_a_teletex_string_is_read() -> None:
    assert name_of(oids.ORGANISATION, 0x14, "国家税务局".encode("gbk")).first(oids.ORGANISATION) == "国家税务局"


def test_broken_octets_are_shown_not_raised() -> None:
    for tag in (0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A, 0x1C, 0x1E):
        assert isinstance(str(name_of(oids.ORGANISATION, tag, b"\xff\xfe\x81")), str)


def test_a_postal_address_that_is_a_sequence_is_shown_in_hexadecimal() -> None:
    shown = str(name_of("2.5.4.16", 0x30, der.tlv(0x0C, b"Moscow")))
    assert shown == "2.5.4.16=#30080c064d6f73636f77"


def test_an_override_character_in_a_foreign_name_is_shown_escaped() -> None:
    assert "\\u202E" in str(name_of(oids.COMMON_NAME, 0x0C, "a\u202eb".encode()))


def test_names_match_as_rfc_5280_says() -> None:
    first = name_of(oids.COMMON_NAME, 0x13, b"Root  CA")
    assert first.key == name_of(oids.COMMON_NAME, 0x0C, b"root ca").key
    assert first.key != name_of(oids.COMMON_NAME, 0x0C, b"root cb").key
    assert first.key != name_of(oids.ORGANISATION, 0x0C, b"root ca").key


@given(tag=st.integers(0, 255), content=st.binary(max_size=40))
def test_no_octets_make_text_raise(tag: int, content: bytes) -> None:
    assert isinstance(decode_text(tag, content), str)


@given(st.binary(max_size=120))
def test_no_octets_make_a_name_raise_anything_builtin(data: bytes) -> None:
    try:
        name = Name(data)
        str(name), name.key
    except SealroadError:
        pass
