"""Fields written into a file before anybody signs it: real ones, of AcroForm, each with its picture.

    lay_out(source, target, fields, occupied=((0, (60, 80, 260, 160)),))

They are read-only for whoever opens the file: a value comes with the signature of whoever states it. A file that is
signed gets none, since a new field would break its signatures; neither does one with a form of its own, whose fields
belong to nobody here, and whose scripts and settings would reach the new ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from signer.appearance.canvas import Canvas
from signer.errors import FormRefused, OptionError, SigningRefused
from signer.forms.appearance import written
from signer.forms.fields import MAX_FIELDS, FormField, Objection, objections_to_value, shown
from signer.forms.typesetting import framed, is_multiline, ticked, typeset
from signer.pades.engine import foreign_errors, open_writer, resolved
from signer.pades.geometry import Box, PageGeometry
from signer.pades.macs import needed_mac, no_mac
from signer.pades.options import SignOptions
from signer.pades.preflight import Ground, examine
from signer.pades.sign import stream_of
from signer.pades.spots import geometry_of, leaves, page_count, page_index
from signer.pades.tagging import order_by_structure, tag_widget
from signer.pades.working import Working, open_working
from signer.pdf.boxes import rectangle
from signer.pdf.listing import walk_fields
from signer.pdf.structure import BudgetSpent, PDFFile
from signer.pdf.tokens import Dictionary, SyntaxFault

if TYPE_CHECKING:
    from signer.pades.engine import RevisionWriter
    from signer.pdf.encryption import Credentials

_READ_ONLY, _REQUIRED, _MULTILINE = 1, 2, 1 << 12
"""Bits of /Ff (Table 227, Table 231)."""
_PRINT: Final = 4
"""/F: shown on paper too (Table 167)."""
_ON: Final = "/Yes"
_DEFAULT: Final = "/Helv 0 Tf 0 g"
"""/DA, which a text field must have (12.7.4.3). No reader draws by it: each field has its picture, with its fonts."""


def lay_out(
    source: Path,
    target: Path,
    fields: Sequence[FormField],
    *,
    occupied: Sequence[tuple[int, Box]] = (),
    credentials: Credentials | None = None,
) -> None:
    """Write a copy of `source` with the fields to `target`; `credentials` open an encrypted file.

    `occupied` are places of signatures: pages counted from 1, or from the end, and boxes as the reader sees them.
    Raises FormRefused with every objection, and as `signer.pades.sign.prepare` does for the file.
    """
    with open_working(source, target) as work:
        ground = examine(work.data, SignOptions(), credentials)
        _check_file(ground)
        pages = _pages(ground, fields)
        _check_fields(fields, pages, occupied, page_count(ground.view))
        handler = ground.pdf.decryptor.handler if ground.pdf.decryptor is not None else None
        writer = open_writer(stream_of(work, ground), ground.highest, handler)
        with foreign_errors():
            _write(writer, ground, fields, pages)
            writer.identify("form", *(field.name for field in fields))
            tail, _ = writer.whole_update()
        work.append(tail.getvalue())
        _check_result(work, ground, fields, pages, credentials)
        work.commit()


# What is asked before ------------------------------------------------------------------------------------------------
def _check_file(ground: Ground) -> None:
    form = ground.view.get(ground.view.catalog, "AcroForm")
    if ground.earlier:
        raise _refuse("", "signed", "the file is signed already, and a new field would break its signatures")
    if any(item.kind != "Sig" for item in walk_fields(ground.view, []) if item.terminal):
        raise _refuse("", "has-form", "the file has a form of its own; print it to a new file, or lay out no fields")
    if isinstance(form, Dictionary) and ("XFA" in form or ground.view.get(form, "NeedAppearances") is True):
        raise _refuse("", "has-form", "the form of the file is drawn anew by readers, and so would the fields be")
    no_mac(needed_mac(ground), "a field would need another one", "encrypt it without a MAC")


def _refuse(field: str, code: str, detail: str) -> FormRefused:
    return FormRefused(detail, objections=(Objection(field, code, detail),), reason=code)


def _pages(ground: Ground, fields: Sequence[FormField]) -> dict[int, tuple[Any, PageGeometry]]:
    """Return reference and geometry of the pages that fields are on, by their number."""
    count = page_count(ground.view)
    wanted = {field.page - 1 for field in fields if 1 <= field.page <= count}
    return {
        index + 1: (located, geometry_of(ground.view, page)) for index, (located, page) in leaves(ground.view, wanted)
    }


def _check_fields(
    fields: Sequence[FormField],
    pages: dict[int, tuple[Any, PageGeometry]],
    occupied: Sequence[tuple[int, Box]],
    count: int,
) -> None:
    """Raise FormRefused with everything that is wrong with the fields."""
    found: list[Objection] = []
    if len(fields) > MAX_FIELDS:
        raise _refuse("", "too-many", f"{len(fields)} fields in one document, {MAX_FIELDS} are possible")
    taken = [(page_index(page, count) + 1, box, "a signature") for page, box in occupied]
    seen: set[str] = set()
    for field in fields:
        if field.name in seen:
            found.append(Objection(field.name, "repeated", f"there are two fields {field.name!r}"))
        seen.add(field.name)
        if field.page not in pages:
            found.append(Objection(field.name, "no-such-page", f"the document has {count} pages"))
            continue
        try:
            pages[field.page][1].place(field.box)
        except OptionError as error:
            found.append(Objection(field.name, "off-page", error.message))
            continue
        over = next((who for page, box, who in taken if page == field.page and _overlap(box, field.box)), None)
        if over is not None:
            found.append(Objection(field.name, "overlap", f"the box overlaps that of {over}"))
        taken.append((field.page, field.box, f"the field {field.name!r}"))
        if field.value is not None:
            found += objections_to_value(field, field.value)
    if found:
        raise FormRefused(found[0].detail, objections=tuple(found), reason=found[0].code)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


# What is written -----------------------------------------------------------------------------------------------------
def _write(
    writer: RevisionWriter,
    ground: Ground,
    fields: Sequence[FormField],
    pages: dict[int, tuple[Any, PageGeometry]],
) -> None:
    """Add form, fields and widgets."""
    canvases: list[Canvas] = []
    places: list[PageGeometry] = []
    for field in fields:
        value = shown(field, field.value) if field.value is not None else ""
        if field.kind == "checkbox":
            canvases += [framed(*field.size), ticked(*field.size)]
        else:
            canvases.append(typeset(str(value), *field.size) if value else framed(*field.size))
        places += [pages[field.page][1]] * (len(canvases) - len(places))
    pictures = iter(written(writer, canvases, places, cid_set=ground.pdfa_part() == 1))
    form, siblings = _form(writer)
    for field in fields:
        located, geometry = pages[field.page]
        widget = _widget(field, geometry)
        page = generic.IndirectObject(located.number, located.generation, writer)  # type: ignore[no-untyped-call]
        widget[pdf_name("/P")] = page
        if field.kind == "checkbox":
            states = {pdf_name("/Off"): next(pictures), pdf_name(_ON): next(pictures)}
            normal: Any = generic.DictionaryObject(states)  # type: ignore[no-untyped-call]
        else:
            normal = next(pictures)
        entries = {pdf_name("/N"): normal}
        widget[pdf_name("/AP")] = generic.DictionaryObject(entries)  # type: ignore[no-untyped-call]
        reference = writer.add_object(widget)
        siblings.append(reference)
        writer.register_annotation(page, reference)  # type: ignore[no-untyped-call]
        if ground.tagged:
            order_by_structure(writer, widget)
            tag_widget(writer, reference, widget, field.label or field.name, field.language or "und")
    writer.update_container(siblings)
    writer.update_container(form)


def _form(writer: RevisionWriter) -> tuple[Any, Any]:
    """Return /AcroForm and its /Fields, made where they are not there, with the font that /DA names."""
    form = resolved(writer.root, "/AcroForm")
    if form is None:
        form = generic.DictionaryObject()  # type: ignore[no-untyped-call]
        writer.root[pdf_name("/AcroForm")] = writer.add_object(form)
        writer.update_root()  # type: ignore[no-untyped-call]
    if resolved(form, "/Fields") is None:
        form[pdf_name("/Fields")] = generic.ArrayObject()
    resources = _within(form, "/DR")
    fonts = _within(resources, "/Font")
    if "/Helv" not in fonts:
        entries = {"Type": "Font", "Subtype": "Type1", "BaseFont": "Helvetica", "Encoding": "WinAnsiEncoding"}
        fonts[pdf_name("/Helv")] = writer.add_object(
            generic.DictionaryObject({pdf_name(f"/{key}"): pdf_name(f"/{name}") for key, name in entries.items()})  # type: ignore[no-untyped-call]
        )
        writer.update_container(fonts)
    return form, form["/Fields"]


def _within(holder: Any, key: str) -> Any:
    found = resolved(holder, key)
    if found is None:
        found = holder[pdf_name(key)] = generic.DictionaryObject()  # type: ignore[no-untyped-call]
    return found


def _widget(field: FormField, page: PageGeometry) -> Any:
    """Return the dictionary of a field and its widget, which are one (12.5.6.19)."""
    box = [generic.FloatObject(f"{edge:.3f}") for edge in page.place(field.box)]  # type: ignore[no-untyped-call]
    flags = _READ_ONLY | (_REQUIRED if field.required else 0)
    entries: dict[str, Any] = {
        "/Type": pdf_name("/Annot"),
        "/Subtype": pdf_name("/Widget"),
        "/T": generic.pdf_string(field.name),
        "/TU": generic.pdf_string(field.label or field.name),
        "/Rect": generic.ArrayObject(box),
        "/F": generic.NumberObject(_PRINT),  # type: ignore[no-untyped-call]
    }
    if page.rotate:
        turned = {pdf_name("/R"): generic.NumberObject(page.rotate)}  # type: ignore[no-untyped-call]
        entries["/MK"] = generic.DictionaryObject(turned)  # type: ignore[no-untyped-call]
    if field.kind == "checkbox":
        state = pdf_name(_ON if field.value is True else "/Off")
        entries |= {"/FT": pdf_name("/Btn"), "/V": state, "/AS": state}
    else:
        flags |= _MULTILINE if is_multiline(field.size[1]) else 0
        entries |= {"/FT": pdf_name("/Tx"), "/DA": generic.pdf_string(_DEFAULT)}
        if field.kind == "text" and field.max_length is not None:
            entries["/MaxLen"] = generic.NumberObject(field.max_length)  # type: ignore[no-untyped-call]
        if field.value:
            entries["/V"] = generic.pdf_string(str(shown(field, field.value)))
    entries["/Ff"] = generic.NumberObject(flags)  # type: ignore[no-untyped-call]
    return generic.DictionaryObject({pdf_name(key): value for key, value in entries.items()})  # type: ignore[no-untyped-call]


# What is asked after -------------------------------------------------------------------------------------------------
def _check_result(
    work: Working,
    ground: Ground,
    fields: Sequence[FormField],
    pages: dict[int, tuple[Any, PageGeometry]],
    credentials: Credentials | None,
) -> None:
    """Read the file as its verifier will: the fields are there, each once and in its place, and no others."""
    problem = None
    try:
        whole = work.whole()
        view = examine(whole, SignOptions(), credentials).view
        if view.sections[1:] != ground.view.sections or len(PDFFile(whole).endings) != len(ground.pdf.endings) + 1:
            problem = "the revision does not follow the file"
        found = {item.name: item for item in walk_fields(view, [])}
        if found.keys() != ground.names | {field.name for field in fields}:
            problem = "other fields are there than were to be laid out"
        for field in fields if problem is None else ():
            box, wanted = rectangle(view, found[field.name].dictionary), pages[field.page][1].place(field.box)
            if box is None or any(abs(a - b) > 0.01 for a, b in zip(box, wanted, strict=True)):
                problem = f"the field {field.name!r} is not in its place"
    except (SyntaxFault, BudgetSpent) as error:
        problem = str(error)
    if problem is not None:
        raise SigningRefused(f"the file would not be right: {problem}", reason="self-check")
