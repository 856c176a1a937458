"""What is written anew is read again as the same: values of every kind, and files with gaps in their numbers."""

from __future__ import annotations

from typing import Any

import pytest

from signer.pdf.structure import PDFFile
from signer.pdf.tokens import Array, Dictionary, Keyword, Name, Ref, SyntaxFault, parse
from signer.pdf.writing import assembled, made, plain, stream, written


def dictionary(**items: Any) -> Dictionary:
    return made(items)


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, -7, 1 << 40, 0.1, -0.5, 1e-12, 123456789.25, 1e22, b"", b"()\\\x00\xff", Name(""), Name("A"),
     Name("A B/#(\xe4\x00"), Ref(7, 0), Array([1, Array([]), Name("x")]),
     dictionary(A=dictionary(), B=b"x", C=Ref(1, 2))],
)  # fmt: skip
def test_every_value_is_read_again_as_it_was(value: Any) -> None:
    octets = written(value, plain)
    again, end = parse(octets + b" ", 0)
    assert end == len(octets)
    assert again == value
    assert type(again) is type(value)
    assert b"e" not in octets or not isinstance(value, float)


def test_every_string_is_sealed_and_nothing_else() -> None:
    value = dictionary(A=b"one", B=Array([b"two", dictionary(C=b"three")]), D=Name("four"))
    seen: list[bytes] = []

    def backwards(item: bytes) -> bytes:
        seen.append(item)
        return item[::-1]

    octets = written(value, backwards)
    assert seen == [b"one", b"two", b"three"]
    assert parse(octets, 0)[0]["B"][1]["C"] == b"eerht"
    assert b"/four" in octets


def test_what_means_two_things_or_nothing_is_not_written() -> None:
    twice = dictionary(A=1)
    twice.duplicates = ("A",)
    for value in (twice, Array([twice]), Keyword("obj"), float("inf"), float("nan"), object()):
        with pytest.raises(SyntaxFault):
            written(value, plain)


def test_a_file_with_gaps_in_its_numbers() -> None:
    catalog = written(dictionary(Type=Name("Catalog"), Pages=Ref(4_000_000, 3)), plain)
    objects = [
        (2, 0, catalog),
        (7, 0, stream(dictionary(Length=99), b"abc", plain)),
        (4_000_000, 3, b"<< /Kids [] >>"),
    ]
    data = assembled(objects, b"/Root 2 0 R")
    assert len(data) < 1000
    pdf = PDFFile(data)
    view = pdf.view(len(data))
    assert view.get(view.catalog, "Pages") == {"Kids": []}
    located = view.locate(7)
    assert located is not None
    assert view.stream_data(located.value) == b"abc"
    assert view.locate(1) is None
