"""Put a Drawing into a PDF that pyHanko is writing.

reference = form_xobject(writer, render(spec))
appearance = generic.DictionaryObject({generic.NameObject("/N"): reference})
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from signer.appearance.objects import Indirect, Name, Stream

if TYPE_CHECKING:
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.writer import BasePdfFileWriter

    from signer.appearance.stamp import Drawing


def form_xobject(writer: BasePdfFileWriter, drawing: Drawing) -> generic.IndirectObject:
    """Add the form XObject with its fonts and pictures to `writer` and return the reference to it."""
    return cast("generic.IndirectObject", _Writer(writer).convert(drawing.form()))


def form_xobjects(writer: BasePdfFileWriter, forms: Sequence[Stream]) -> list[generic.IndirectObject]:
    """Add several form XObjects, with what they share once, and return the references to them."""
    converter = _Writer(writer)
    return [converter.convert(form) for form in forms]


class _Writer:
    """Turns plain objects into pyHanko's; every Stream and Indirect is added once."""

    def __init__(self, writer: BasePdfFileWriter) -> None:
        self._writer = writer
        # By identity; the value is kept so that its identity stays its own.
        self._done: dict[int, tuple[object, Any]] = {}

    def convert(self, value: object) -> Any:
        """Return the pyHanko object for `value`."""
        from pyhanko.pdf_utils import generic

        if isinstance(value, Stream | Indirect):
            if id(value) not in self._done:
                self._done[id(value)] = (value, self._writer.add_object(self._indirect(value)))
            return self._done[id(value)][1]
        if isinstance(value, Name):
            return generic.NameObject("/" + value)
        if isinstance(value, bool):
            return generic.BooleanObject(value)  # type: ignore[no-untyped-call]
        if isinstance(value, int):
            return generic.NumberObject(value)  # type: ignore[no-untyped-call]
        if isinstance(value, float):
            text = f"{value:.3f}".rstrip("0").rstrip(".")
            return generic.FloatObject(text)  # type: ignore[no-untyped-call]
        if isinstance(value, bytes):
            return generic.ByteStringObject(value)
        if isinstance(value, list):
            return generic.ArrayObject([self.convert(item) for item in value])
        assert isinstance(value, dict)
        entries = {generic.NameObject("/" + key): self.convert(item) for key, item in value.items()}
        return generic.DictionaryObject(entries)  # type: ignore[no-untyped-call]

    def _indirect(self, value: Stream | Indirect) -> Any:
        from pyhanko.pdf_utils import generic

        entries = self.convert(value.entries)
        if isinstance(value, Indirect):
            return entries
        if "Filter" in value.entries:
            return generic.StreamObject(entries, encoded_data=value.data)
        stream = generic.StreamObject(entries, stream_data=value.data)
        stream.compress()  # type: ignore[no-untyped-call]
        return stream
