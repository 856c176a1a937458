"""The pictures of fields as form XObjects; those of one revision share their fonts.

references = written(writer, [typeset("上海", 180, 20), ticked(12, 12)], [0, 90], cid_set=False)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from signer.appearance import objects
from signer.appearance.canvas import Canvas, compose
from signer.appearance.colour import ColourMode
from signer.appearance.embed import form_xobjects
from signer.pades.geometry import PageGeometry

if TYPE_CHECKING:
    from signer.pades.engine import RevisionWriter


def written(
    writer: RevisionWriter, canvases: Sequence[Canvas], pages: Sequence[PageGeometry], *, cid_set: bool
) -> list[Any]:
    """Add the pictures, each turned upright on its page, and return the references to them.

    `cid_set` is for PDF/A-1.
    """
    forms: list[objects.Stream] = []
    for batch in _batches(list(zip(canvases, pages, strict=True))):
        fonts, contents = compose([canvas for canvas, _ in batch])
        resources = objects.Indirect(
            {
                "Font": {font.name: objects.font(font, cid_set=cid_set) for font in fonts},
                "ColorSpace": {"CS0": objects.colour_space(ColourMode.ICC)},
            }
        )
        for (canvas, page), content in zip(batch, contents, strict=True):
            matrix = page.upright(canvas.width, canvas.height)
            entries = {
                "Type": objects.Name("XObject"),
                "Subtype": objects.Name("Form"),
                "FormType": 1,
                "BBox": [0, 0, canvas.width, canvas.height],
                **({"Matrix": list(matrix)} if matrix is not None else {}),
                "Resources": resources,
            }
            forms.append(objects.Stream(content, entries))
    return form_xobjects(writer, forms)


def _batches(items: Sequence[tuple[Canvas, PageGeometry]]) -> list[list[tuple[Canvas, PageGeometry]]]:
    """Divide what is drawn so that no glyph stands for two texts in one font: what is drawn is what is copied."""
    batches: list[list[tuple[Canvas, PageGeometry]]] = [[]]
    meant: dict[tuple[str, int], str] = {}
    for item in items:
        own = {
            (glyph.face.name, glyph.gid): glyph.text for line in item[0].texts for glyph in line.glyphs if glyph.text
        }
        if any(meant.get(glyph, text) != text for glyph, text in own.items()):
            batches.append([])
            meant = {}
        meant |= own
        batches[-1].append(item)
    return batches
