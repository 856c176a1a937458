"""What a signature's widgets look like and how they are announced: appearance, rotation, alternative text.

    wardrobe = Wardrobe(ground, drawing, "Sealed by …", "en")
    wardrobe.dress(writer, 0, reference, widget)          # once for each field

Every widget gets a normal appearance, an empty one where nothing is drawn (ISO 19005-1 6.9). On a rotated page the
appearance is turned against the rotation, so that it reads upright. A visible one has an alternative text (/TU,
ISO 14289-1 7.18.1) and, in a tagged file, its place in the structure tree (`signer.pades.tagging`). The picture of a
seal is written once, however often and in however many slices it is shown.
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
    from signer.pades.spots import Spot


class Wardrobe:
    """Dresses the widgets of one signature."""

    def __init__(
        self, ground: Ground, drawing: Drawing | None, alternative: str, language: str, *, framed: bool = False
    ) -> None:
        """`alternative` is what readers who do not see it are told, in `language`; a seal's drawing is `framed`."""
        self._ground = ground
        self._drawing = drawing
        self._alternative = alternative
        self._language = language
        self._framed = framed
        self._picture: Any = None

    def dress(self, writer: RevisionWriter, number: int, reference: Any, widget: Any) -> None:
        """Give the widget of field `number` its appearance."""
        spot = self._ground.spots[number]
        visible = _visible(widget)
        if self._drawing is not None and visible:
            form, size = self._form(writer, self._drawing, spot)
            matrix = spot.geometry.upright(*size)
            if matrix is not None:
                form.get_object()[pdf_name("/Matrix")] = _numbers(matrix)
                widget[pdf_name("/MK")] = generic.DictionaryObject(  # type: ignore[no-untyped-call]
                    {pdf_name("/R"): generic.NumberObject(spot.geometry.rotate)}  # type: ignore[no-untyped-call]
                )
            _show(widget, form)
        elif "/AP" not in widget:
            _show(widget, writer.add_object(_empty(widget)))
        if self._ground.tagged:
            order_by_structure(writer, widget)
        if not visible:
            return
        field = reference.get_object()
        if "/TU" not in field:
            field[pdf_name("/TU")] = generic.pdf_string(self._alternative)
        if self._ground.tagged:
            tag_widget(writer, reference, widget, self._alternative, self._language)

    def _form(self, writer: RevisionWriter, drawing: Drawing, spot: Spot) -> tuple[Any, tuple[float, float]]:
        """Return the form XObject of a field, and its size."""
        if self._picture is None:
            self._picture = form_xobject(writer, drawing)
        if not self._framed:
            return self._picture, (drawing.width, drawing.height)
        from signer.appearance.seal import frame_of

        frame = frame_of(drawing, spot.size, spot.part)
        resources = _dictionary(XObject=_dictionary(Seal=self._picture))
        form = generic.StreamObject(
            _dictionary(
                Type=pdf_name("/XObject"),
                Subtype=pdf_name("/Form"),
                BBox=_numbers((0, 0, frame.width, frame.height)),
                Resources=resources,
            ),
            stream_data=frame.content,
        )
        return writer.add_object(form), (frame.width, frame.height)


def _dictionary(**entries: Any) -> Any:
    return generic.DictionaryObject(  # type: ignore[no-untyped-call]
        {pdf_name("/" + key): value for key, value in entries.items()}
    )


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
