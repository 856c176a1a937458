"""How large a seal is on paper follows from its picture, and nobody bends it."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from signer.errors import AppearanceError
from signer.seals.drawing import SealDrawing, SealKind, draw
from signer.seals.picture import check_picture
from signer.seals.size import USUAL, size_of


def png(width: int, height: int, dpi: float | None = None) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (width, height), (200, 0, 0, 255)).save(out, "PNG", **({"dpi": (dpi, dpi)} if dpi else {}))
    return out.getvalue()


def svg(attributes: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}><path d="M0 0h1v1z"/></svg>'.encode()


@pytest.mark.parametrize("kind", list(SealKind))
def test_a_drawn_seal_is_as_large_as_it_was_drawn(kind: SealKind) -> None:
    drawn = draw(SealDrawing(kind=kind, name="王𠮷伟"))
    size = (round(drawn.width), round(drawn.height))
    assert size_of(check_picture(drawn.svg().encode()), None) == size
    assert size_of(check_picture(drawn.png(300)), None) == size


@pytest.mark.parametrize(
    ("data", "wanted", "size"),
    [
        (png(600, 400), None, (USUAL, 27)),
        (png(600, 400), (30,), (30, 20)),
        (png(400, 600), (30,), (20, 30)),
        (png(600, 400), (45, 30), (45, 30)),
        (png(600, 400, 300), None, (51, 34)),
        (png(600, 400, 72), None, (USUAL, 27)),  # of a screen: that says nothing of paper
        (png(6000, 4000, 150), None, (USUAL, 27)),  # a metre
        (svg('width="42mm" height="42mm" viewBox="0 0 100 100"'), None, (42, 42)),
        (svg('viewBox="0 0 300 200"'), None, (USUAL, 27)),
        (svg('viewBox="-5,-5,200,300"'), (60,), (40, 60)),
        (svg('width="300px" height="200px"'), None, (USUAL, 27)),
        (svg('width="4cm" height="4cm"'), None, (USUAL, USUAL)),
        (svg('viewBox="0 0 0 200"'), (45, 30), (45, 30)),
        (svg('viewBox="0 0 . ."'), None, (USUAL, USUAL)),
        (svg(""), (45, 30), (45, 30)),
    ],
)
def test_the_size_of_a_picture(data: bytes, wanted: tuple[int, ...] | None, size: tuple[int, int]) -> None:
    assert size_of(check_picture(data), wanted) == size


@pytest.mark.parametrize("data", [png(400, 400), svg('viewBox="0 0 10 10"'), svg('width="42mm" height="42mm"')])
def test_no_picture_is_bent(data: bytes) -> None:
    with pytest.raises(AppearanceError, match="would bend"):
        size_of(check_picture(data), (45, 30))
