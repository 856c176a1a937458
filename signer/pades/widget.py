"""What a signature's widget looks like and how it is announced: appearance, rotation, alternative text.

    dress(writer, reference, widget, ground, drawing, alternative, "en")

Every widget gets a normal appearance, an empty one where nothing is drawn (ISO 19005-1 6.9). On a rotated page the
appearance is turned against the rotation, so that it reads upright. A visible one has an alternative text (/TU,
ISO 14289-1 7.18.1) and, in a tagged file, its place in the structure tree (`signer.pades.tagging`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from signer.appearance.embed import form_xobject
from signer.pades.engine import items
from signer.pades.tagging import order_by_structure, tag_widget

if TYPE_CHECKING:
    from signer.appearance import Drawing
    from signer.pades.engine import RevisionWriter
    from signer.pades.preflight import Ground


def dress(
    writer: RevisionWriter,
    reference: Any,
    widget: Any,
    ground: Ground,
    drawing: Drawing | None,
    alternative: str,
    language: str,
) -> None:
    """Give the widget its appearance; `alternative` is what readers who do not see it are told, in `language`."""
    visible = _visible(widget)
    if drawing is not None and visible:
        form = form_xobject(writer, drawing)
        matrix = ground.geometry.upright(drawing.width, drawing.height)
        if matrix is not None:
            form.get_object()[pdf_name("/Matrix")] = _numbers(matrix)  # type: ignore[no-untyped-call]
            widget[pdf_name("/MK")] = generic.DictionaryObject(  # type: ignore[no-untyped-call]
                {pdf_name("/R"): generic.NumberObject(ground.geometry.rotate)}  # type: ignore[no-untyped-call]
            )
        _show(widget, form)
    elif "/AP" not in widget:
        _show(widget, writer.add_object(_empty(widget)))
    if ground.tagged:
        order_by_structure(writer, widget)
    if not visible:
        return
    field = reference.get_object()
    if "/TU" not in field:
        field[pdf_name("/TU")] = generic.pdf_string(alternative)
    if ground.tagged:
        tag_widget(writer, reference, widget, alternative, language)


def _visible(widget: Any) -> bool:
    x1, y1, x2, y2 = (float(edge) for edge in items(widget["/Rect"]))
    return x1 != x2 and y1 != y2


def _show(widget: Any, form: Any) -> None:
    entries = {pdf_name("/N"): form}
    widget[pdf_name("/AP")] = generic.DictionaryObject(entries)  # type: ignore[no-untyped-call]


def _empty(widget: Any) -> Any:
    """Return a form XObject that draws nothing, as large as the widget."""
    x1, y1, x2, y2 = (float(edge) for edge in items(widget["/Rect"]))
    return generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): _numbers((0, 0, abs(x2 - x1), abs(y2 - y1))),
            pdf_name("/Resources"): generic.DictionaryObject(),  # type: ignore[no-untyped-call]
        },
        stream_data=b"",
    )


def _numbers(values: tuple[float, ...]) -> Any:
    return generic.ArrayObject(
        [
            generic.NumberObject(int(value))  # type: ignore[no-untyped-call]
            if value == int(value)
            else generic.FloatObject(f"{value:.4f}")  # type: ignore[no-untyped-call]
            for value in values
        ]
    )
