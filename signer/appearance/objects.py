"""PDF objects as plain data, so that one description serves pyHanko, pikepdf and tests.

Numbers, booleans, `bytes` (strings), lists and dictionaries stand for themselves; `Name` and `Stream` for the rest. A
Stream is always an indirect object; the same Stream in two places is written once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from signer.appearance.colour import ColourMode, srgb_profile
from signer.appearance.picture import EmbeddedImage
from signer.appearance.subset import EmbeddedFont


class Name(str):
    """A PDF name, without its slash."""

    __slots__ = ()


@dataclass(frozen=True, eq=False)
class Stream:
    """A stream: its dictionary without Length, and its data, encoded already if the dictionary has a Filter."""

    data: bytes
    entries: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Indirect:
    """A dictionary that is an object of its own."""

    entries: dict[str, Any]


def font(font: EmbeddedFont, *, cid_set: bool = False) -> Indirect:
    """Type 0 font dictionary with its descendant (ISO 32000-1, 9.7.6). `cid_set` is for PDF/A-1."""
    metrics = font.metrics
    descriptor: dict[str, Any] = {
        "Type": Name("FontDescriptor"),
        "FontName": Name(font.base_font),
        "Flags": font.flags,
        "FontBBox": list(metrics.box),
        "ItalicAngle": 0,
        "Ascent": metrics.ascent,
        "Descent": metrics.descent,
        "CapHeight": metrics.cap_height,
        "StemV": font.stem,
        "FontFile2": Stream(font.program, {"Length1": len(font.program)}),
    }
    if cid_set:
        descriptor["CIDSet"] = Stream(font.cid_set)
    descendant: dict[str, Any] = {
        "Type": Name("Font"),
        "Subtype": Name("CIDFontType2"),
        "BaseFont": Name(font.base_font),
        "CIDSystemInfo": {"Registry": b"Adobe", "Ordering": b"Identity", "Supplement": 0},
        "FontDescriptor": Indirect(descriptor),
        "DW": 1000,
        "W": [0, list(font.widths)],
        "CIDToGIDMap": Name("Identity"),
    }
    return Indirect(
        {
            "Type": Name("Font"),
            "Subtype": Name("Type0"),
            "BaseFont": Name(font.base_font),
            "Encoding": Name("Identity-H"),
            "DescendantFonts": [Indirect(descendant)],
            "ToUnicode": Stream(font.to_unicode),
        }
    )


def colour_space(mode: ColourMode) -> list[Any] | Name:
    """Colour space of a mode: an array for ICCBased (ISO 32000-1, 8.6.5.5), a name for a device space."""
    if mode is ColourMode.GRAY:
        return Name("DeviceGray")
    if mode is ColourMode.RGB:
        return Name("DeviceRGB")
    profile = Stream(srgb_profile(), {"N": 3, "Alternate": Name("DeviceRGB"), "Range": [0, 1, 0, 1, 0, 1]})
    return [Name("ICCBased"), profile]


def image(picture: EmbeddedImage, space: list[Any] | Name) -> Stream:
    """Image XObject (ISO 32000-1, 8.9.5), with its soft mask if it has one."""
    entries: dict[str, Any] = {
        "Type": Name("XObject"),
        "Subtype": Name("Image"),
        "Width": picture.width,
        "Height": picture.height,
        "BitsPerComponent": 8,
        "ColorSpace": Name("DeviceGray") if picture.components == 1 else space,
        "Filter": Name(picture.filter),
        "Interpolate": False,
    }
    if picture.filter == "FlateDecode" and picture.predictor != 1:
        entries["DecodeParms"] = {
            "Predictor": picture.predictor,
            "Colors": picture.components,
            "BitsPerComponent": 8,
            "Columns": picture.width,
        }
    if picture.mask is not None and picture.mask.bits == 1:
        entries["Mask"] = _stencil(picture.mask)
    elif picture.mask is not None:
        entries["SMask"] = image(picture.mask, space)
    return Stream(picture.data, entries)


def _stencil(mask: EmbeddedImage) -> Stream:
    """Stencil mask (ISO 32000-1, 8.9.6.2), which is no transparency: every part of PDF/A allows it."""
    entries = {
        "Type": Name("XObject"),
        "Subtype": Name("Image"),
        "Width": mask.width,
        "Height": mask.height,
        "ImageMask": True,
        "BitsPerComponent": 1,
        "Interpolate": False,
        "Filter": Name(mask.filter),
    }
    return Stream(mask.data, entries)
