"""The half of `signer.rendering` that runs in a child process: PDFium, and PNG by Pillow."""

from __future__ import annotations

import io
from typing import Any


def answer(header: dict[str, Any], data: bytes) -> bytes:
    """Return a page as PNG."""
    import pypdfium2

    with pypdfium2.PdfDocument(data) as document:
        document.init_forms()
        if not 1 <= header["page"] <= len(document):
            raise IndexError("no such page")
        page = document[header["page"] - 1]
        width, height = page.get_size()
        scale = min(header["scale"], (header["pixels"] / max(width * height, 1.0)) ** 0.5)
        scale = max(scale, 0.01)
        ground = (255, 255, 255, 0 if header["transparent"] else 255)
        picture = page.render(scale=scale, may_draw_forms=True, fill_color=ground).to_pil()
        out = io.BytesIO()
        picture.save(out, "PNG", dpi=(scale * 72, scale * 72))
        return out.getvalue()
