"""Pages as pictures: drawn in a child process, within limits, or refused with a reason."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from signer import rendering
from signer.errors import RenderingFailed
from signer.rendering import Renderer, render
from tests.signer import rawpdf

FONT = b"<< /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
PAGE = rawpdf.PAGE.replace(b"/MediaBox", b"/Resources << /Font " + FONT + b" >> /MediaBox")


def picture(data: bytes, page: int = 1, dpi: float = 36) -> Image.Image:
    return Image.open(io.BytesIO(render(data, page, dpi)))


def test_a_page_is_drawn_at_its_size() -> None:
    drawn = picture(rawpdf.signed_pdf(o3=PAGE), dpi=72)
    assert (drawn.format, drawn.size) == ("PNG", (595, 842))
    assert len(drawn.convert("L").getcolors() or ()) > 1, "there is text on it"


def test_the_same_page_is_the_same_picture_and_another_is_another() -> None:
    one = rawpdf.signed_pdf(o3=PAGE)
    two = rawpdf.signed_pdf(o3=PAGE, o4=rawpdf.stream(b"BT /F1 12 Tf 72 700 Td (pay 900) Tj ET"))
    assert render(one, 1, 72) == render(one, 1, 72) != render(two, 1, 72)


def test_form_fields_are_drawn() -> None:
    looks = rawpdf.stream(b"1 0 0 rg 0 0 100 50 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 100 50] ")
    field = rawpdf.SIGNATURE_FIELD.replace(b"[0 0 0 0]", b"[100 100 200 150] /AP << /N 8 0 R >>")
    drawn = picture(rawpdf.signed_pdf(o3=PAGE, o5=field, o8=looks)).convert("RGB")
    assert any(colour == (255, 0, 0) for _, colour in drawn.getcolors(1 << 20) or ())


@pytest.mark.parametrize("page", [0, -1, 2, 10**9])
def test_a_page_that_is_not_there(page: int) -> None:
    with pytest.raises(RenderingFailed) as caught:
        render(rawpdf.signed_pdf(), page, 36)
    assert caught.value.hint


@pytest.mark.parametrize("dpi", [0, -72, 601, 10**9])
def test_a_resolution_out_of_bounds(dpi: float) -> None:
    with pytest.raises(RenderingFailed):
        render(rawpdf.signed_pdf(), 1, dpi)


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7\n%%EOF\n"])
def test_what_is_no_pdf(data: bytes) -> None:
    with pytest.raises(RenderingFailed):
        render(data, 1, 36)


def test_an_enormous_page_is_drawn_smaller() -> None:
    data = rawpdf.signed_pdf(o3=PAGE.replace(b"595 842", b"14400 14400"))
    drawn = picture(data, dpi=600)
    assert drawn.width * drawn.height <= rendering.MAX_PIXELS * 1.01


def test_a_child_beyond_its_limits_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from signer.limited import Child

    with Renderer() as renderer:
        slow = Child("tests.signer.limited_tasks:answer", seconds=1)
        ask = slow.ask
        monkeypatch.setattr(slow, "ask", lambda header, body: ask({"act": "sleep"}, body))
        monkeypatch.setattr(renderer, "_child", slow)
        with pytest.raises(RenderingFailed, match="limits"):
            renderer.render(rawpdf.signed_pdf(), 1, 36)
