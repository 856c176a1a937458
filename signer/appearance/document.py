"""Pages drawn on canvases, put into a PDF file for keeping: PDF/A-2u (ISO 19005-2), every font embedded, deterministic.

pdf = build([page_one, page_two], Info(title="…", language="zh", created=datetime(…)))
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import pikepdf

from signer.appearance import objects
from signer.appearance.canvas import Canvas, compose
from signer.appearance.colour import ColourMode, srgb_profile
from signer.appearance.picture import EmbeddedImage


@dataclass(frozen=True)
class Info:
    """What the file says about itself."""

    title: str
    language: str
    """Main language, BCP 47."""
    created: datetime
    author: str = ""
    subject: str = ""


def build(pages: Sequence[Canvas], info: Info, images: Mapping[str, EmbeddedImage] | None = None) -> bytes:
    """Write the pages, in order, into a PDF 1.7 file. All canvases use the ICC colour mode.

    `images` are the pictures that `Canvas.image` names, without transparency.
    """
    pdf = pikepdf.new()
    writer = _Writer(pdf)
    fonts, contents = compose(pages)
    space = objects.colour_space(ColourMode.ICC)
    resources = writer.convert(
        {
            "Font": {font.name: objects.font(font) for font in fonts},
            "ColorSpace": {"CS0": space},
            **(
                {"XObject": {name: objects.image(picture, space) for name, picture in images.items()}} if images else {}
            ),
        }
    )
    shared = pdf.make_indirect(resources)
    for canvas, content in zip(pages, contents, strict=True):
        pdf.add_blank_page(page_size=(canvas.width, canvas.height))
        page = pdf.pages[-1].obj
        page.Contents = pdf.make_stream(content)
        page.Resources = shared
    _describe(pdf, writer, info)
    out = io.BytesIO()
    pdf.save(
        out,
        min_version="1.7",
        deterministic_id=True,
        compress_streams=True,
        object_stream_mode=pikepdf.ObjectStreamMode.disable,
        fix_metadata_version=False,
    )
    return out.getvalue()


def _describe(pdf: pikepdf.Pdf, writer: _Writer, info: Info) -> None:
    """Write title, dates and language, the XMP packet that agrees with them, and the output intent."""
    created = info.created.astimezone(UTC).replace(microsecond=0)
    stamp = created.strftime("D:%Y%m%d%H%M%S+00'00'")
    pdf.docinfo = pdf.make_indirect(
        pikepdf.Dictionary(
            Title=pikepdf.String(info.title),
            Author=pikepdf.String(info.author),
            Subject=pikepdf.String(info.subject),
            Producer=pikepdf.String("Sealroad"),
            CreationDate=pikepdf.String(stamp),
            ModDate=pikepdf.String(stamp),
        )
    )
    metadata = pdf.make_stream(_xmp(info, created).encode("utf-8"))
    metadata.Type = pikepdf.Name.Metadata
    metadata.Subtype = pikepdf.Name.XML
    root = pdf.Root
    root.Metadata = metadata
    root.Lang = pikepdf.String(info.language)
    root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
    intent = {
        "Type": objects.Name("OutputIntent"),
        "S": objects.Name("GTS_PDFA1"),
        "OutputConditionIdentifier": b"sRGB",
        "Info": b"sRGB IEC61966-2.1",
        "DestOutputProfile": objects.Stream(srgb_profile(), {"N": 3}),
    }
    root.OutputIntents = pikepdf.Array([writer.convert(intent)])


def _xmp(info: Info, created: datetime) -> str:
    """Return the XMP packet (ISO 16684-1) of a PDF/A-2u file; its values are those of the Info dictionary."""
    moment = created.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    title, author, subject = (escape(text) for text in (info.title, info.author, info.subject))
    begin = "\ufeff"
    return f"""<?xpacket begin="{begin}" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>zh</rdf:li><rdf:li>ru</rdf:li><rdf:li>en</rdf:li></rdf:Bag></dc:language>
<xmp:CreateDate>{moment}</xmp:CreateDate><xmp:ModifyDate>{moment}</xmp:ModifyDate>
<pdf:Producer>Sealroad</pdf:Producer>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


class _Writer:
    """Turns plain objects into pikepdf's; every Stream and Indirect is added once."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        # By identity; the value is kept so that its identity stays its own.
        self._done: dict[int, tuple[object, Any]] = {}

    def convert(self, value: object) -> Any:
        """Return the pikepdf object for `value`."""
        if isinstance(value, objects.Stream | objects.Indirect):
            if id(value) not in self._done:
                self._done[id(value)] = (value, self._pdf.make_indirect(self._indirect(value)))
            return self._done[id(value)][1]
        if isinstance(value, objects.Name):
            return pikepdf.Name("/" + value)
        if isinstance(value, bytes):
            return pikepdf.String(value)
        if isinstance(value, list):
            return pikepdf.Array([self.convert(item) for item in value])
        if isinstance(value, dict):
            return pikepdf.Dictionary({"/" + key: self.convert(item) for key, item in value.items()})
        if isinstance(value, float):
            return value if value != int(value) else int(value)
        return value

    def _indirect(self, value: objects.Stream | objects.Indirect) -> Any:
        if isinstance(value, objects.Indirect):
            return self.convert(value.entries)
        return pikepdf.Stream(self._pdf, value.data, self.convert(value.entries))
