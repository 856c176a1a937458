"""The one room where pyHanko is bent: its incremental writer makes a revision, and nothing else.

    writer = open_writer(stream, highest=17)
    with foreign_errors():
        revision = write_revision(writer, request)
    revision.data                       # the octets to append to the file, /ByteRange filled in, /Contents all zero

Two classes of pyHanko 0.38 are extended here, none is patched:

- `RevisionWriter` writes only the update section, behind a line break where the file has none at its end
  (ISO 19005-2 6.1.9), leaves /Info and XMP alone (both or neither: ISO 19005-1 6.7.3; and pyHanko cannot update XMP
  that is not UTF-8), does not raise the version of the file, and never gives a new object a number that is taken.
- `Placeholder` hands the update section out instead of hashing the file with algorithms of `cryptography` only, and
  through its own CMS machinery, which is most of the time a small signature takes.

Both rest on names that pyHanko does not promise to keep; `check_version` refuses any other version than the one
this was written for, and `self_test` writes and reads back a revision.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import IO, Any, cast

import pyhanko
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import FormFillingError, PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import (
    FieldMDPSpec,
    InvisSigSettings,
    MDPPerm,
    SigFieldSpec,
    SignatureFormField,
    SigSeedSubFilter,
)
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from certs.errors import SealroadError
from signer.errors import FieldError, SignerError, UnreadablePDF
from signer.pades.options import ADOBE

SUPPORTED = "0.38."
"""Prefix of the pyHanko versions this module was written for."""


class EngineMismatch(SignerError):
    """The installed PDF library is not the one this program was made for."""

    code = "engine-mismatch"
    default_hint = "install pyhanko 0.38 as the requirements say"


@cache
def check_version() -> None:
    """Raise EngineMismatch unless pyHanko is a version whose inner names are known."""
    version = _installed_version()
    if not version.startswith(SUPPORTED):
        raise EngineMismatch(f"pyHanko {version} is installed, {SUPPORTED}* is needed", version=version)
    wanted = {
        IncrementalPdfFileWriter: ("_update_meta", "_write_updated_section", "_prep_dom_for_writing", "_handle_id"),
        SignatureObject: ("fill",),
        PdfFileReader: ("security_handler",),
    }
    for holder, names in wanted.items():
        for name in names:
            if not hasattr(holder, name):
                raise EngineMismatch(f"pyHanko {version} has no {holder.__name__}.{name}", version=version)


def _installed_version() -> str:
    from importlib.metadata import version

    return version(pyhanko.__name__)


@contextmanager
def foreign_errors() -> Iterator[None]:
    """Turn whatever pyHanko raises into an error of ours: the only place that does."""
    try:
        yield
    except SealroadError:
        raise
    except (SigningError, FormFillingError) as error:
        raise FieldError(f"the form does not allow it: {_sentence(error)}", hint="name another field") from error
    except (PdfError, OSError) as error:
        raise UnreadablePDF(
            f"the structure of the file cannot be followed: {_sentence(error)}", hint=REPAIR_HINT
        ) from error
    except Exception as error:
        # A reader that meets damage raises anything: KeyError, ValueError, AssertionError, RecursionError …
        raise UnreadablePDF(
            f"the structure of the file cannot be followed ({type(error).__name__})", hint=REPAIR_HINT
        ) from error


REPAIR_HINT = "have the producer repair it, or rewrite it with 'qpdf IN OUT' before anybody signs"


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return text[:1].lower() + text[1:200]


class _Tail(io.BytesIO):
    """What is appended to a file: counts its offsets from the file's first octet."""

    def __init__(self, base: int) -> None:
        super().__init__()
        self._base = base

    def tell(self) -> int:
        return super().tell() + self._base

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        at = offset - self._base if whence == os.SEEK_SET else offset
        return super().seek(at, whence) + self._base


class RevisionWriter(IncrementalPdfFileWriter):
    """An incremental writer that touches only what a signature needs."""

    output_version = (1, 4)
    """Nothing written here needs more; pyHanko's own default would raise PDF/A-1 files from 1.4 to 1.7."""

    def _update_meta(self) -> None:
        """Leave the metadata as they are."""

    def begin_after(self, highest: int) -> None:
        """Begin numbering new objects behind `highest`, where /Size understates."""
        self._lastobj_id = max(self._lastobj_id, highest)

    def identify(self, *facts: str) -> None:
        """Give this revision its identifier: from the one before and what is done (ISO 32000-2 14.4), not by chance."""
        try:
            before = list(self.prev.trailer["/ID"])
        except KeyError:
            before = []
        octets = b"".join(bytes(item.original_bytes) for item in before)
        made = hashlib.sha256("\0".join((*facts, str(self._lastobj_id))).encode() + octets).digest()[:16]
        first = self._document_id[0] if before else generic.ByteStringObject(made)
        self._document_id = generic.ArrayObject([first, generic.ByteStringObject(made)])

    def whole_update(self) -> tuple[_Tail, int]:
        """Return what is to be appended, a line break first where there is none, and the size of the file before."""
        stream = self.prev.stream
        stream.seek(-1, os.SEEK_END)
        last = stream.read(1)
        size = stream.tell()
        tail = _Tail(size)
        if last not in (b"\n", b"\r"):
            tail.write(b"\n")
        self._prep_dom_for_writing()  # type: ignore[no-untyped-call]
        self._write_updated_section(tail)  # type: ignore[no-untyped-call]
        return tail, size


@dataclass(frozen=True)
class Revision:
    """An update section with an empty signature."""

    data: bytes
    """To be appended to the file."""
    start: int
    """Size of the file before."""
    contents_start: int
    """Offset of the `<` of /Contents in the whole file."""
    contents_end: int
    """Offset behind its `>`."""

    @property
    def end(self) -> int:
        """Size of the file after."""
        return self.start + len(self.data)

    @property
    def byte_range(self) -> tuple[int, int, int, int]:
        """/ByteRange, as written in the dictionary."""
        return (0, self.contents_start, self.contents_end, self.end - self.contents_end)


class Placeholder(SignatureObject):
    """A signature dictionary whose last step yields the Revision; the CMS is put in elsewhere."""

    def fill(  # type: ignore[no-untyped-def]
        self,
        writer,
        md_algorithm,
        in_place=False,
        output=None,
        chunk_size=0,
    ) -> Generator[Revision, None, None]:
        """Write the update section and yield it."""
        tail, size = writer.whole_update()
        start, end = self.contents.offsets
        self.byte_range.fill_offsets(tail, start, end, tail.tell())  # type: ignore[no-untyped-call]
        yield Revision(tail.getvalue(), size, start, end)


@dataclass(frozen=True)
class NewField:
    """A further field that shows the signature, with its one widget."""

    name: str
    page: tuple[int, int]
    """Number and generation of the page's object."""
    rectangle: tuple[float, float, float, float]
    """/Rect in user space."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What goes into the revision."""

    field: str
    page: int
    """Counted from 0; of a new field."""
    rectangle: tuple[float, float, float, float] | None
    """/Rect of a new visible field in user space."""
    size: int
    """Octets reserved for the value of /Contents."""
    subfilter: str
    time: datetime
    filter: str = ADOBE
    more: tuple[NewField, ...] = ()
    """Further fields with the same signature. A signature field has one widget and no more (ISO 32000-2 12.7.5.5), so
    a signature that shows in several places is the value of as many fields."""
    certificates: tuple[bytes, ...] = ()
    """/Cert: the chain, where the value of /Contents has no place for it (ISO 32000-2 Table 255)."""
    name: str | None = None
    reason: str | None = None
    location: str | None = None
    contact: str | None = None
    certify: int | None = None
    lock: tuple[str, tuple[str, ...], int | None] | None = None
    """/Lock of an existing field, or of the new one: action, fields, DocMDP level."""
    fill: Callable[[RevisionWriter], None] | None = None
    """Called with the writer, to fill in form fields in the same revision."""
    mac: bool = False
    """Whether the signature carries the MAC over the file (ISO/TS 32004)."""
    dress: Callable[[RevisionWriter, int, Any, Any], None] | None = None
    """Called with the writer, the number of the field (0, then those of `more`), its reference and its widget, to draw
    and tag it."""


def open_writer(stream: IO[bytes], highest: int, handler: Any = None) -> RevisionWriter:
    """Open a file for one revision; `highest` is the highest object number in use.

    `handler` is the opened security handler of an encrypted file (`Decryptor.handler`), made from the dictionary that
    our own reader found.
    """
    check_version()
    with foreign_errors():
        # Not strict: a hybrid file and a free entry of generation 0 are no damage. The caller has read the structure
        # strictly with `signer.pdf` before, and reads it again afterwards.
        reader = PdfFileReader(stream, strict=False)
        if handler is not None:
            if not hasattr(reader, "_security_handler"):
                raise EngineMismatch("pyHanko keeps its security handler elsewhere")
            reader._security_handler = handler  # noqa: SLF001 - there is no public way to give it one
            reader.resolved_objects.clear()  # what was read before, by a handler that is not opened
        writer = RevisionWriter.from_reader(reader)
        assert isinstance(writer, RevisionWriter)
        writer.begin_after(highest)
    return writer


def write_revision(writer: RevisionWriter, request: Request) -> Revision:
    """Add field, widget and signature dictionary and return the update section.

    Raises FieldError, UnreadablePDF, AppearanceError.
    """
    with foreign_errors():
        _drop_nulls(writer, request)
        spec = SigFieldSpec(
            request.field,
            on_page=request.page,
            box=cast("Any", request.rectangle),
            field_mdp_spec=_field_lock(request),
            invis_sig_settings=InvisSigSettings(set_print_flag=True),
        )
        steps = PdfCMSEmbedder(new_field_spec=spec).write_cms(request.field, writer)
        reference = next(steps)
        widget = _widget(writer, reference)
        fields = [reference, *(_new_field(writer, reference, item) for item in request.more)]
        if request.dress is not None:
            for number, field in enumerate(fields):
                request.dress(writer, number, field, widget if number == 0 else field.get_object())
        if request.fill is not None:
            request.fill(writer)
        writer.identify(request.field, request.time.isoformat(), str(request.name))
        placeholder = Placeholder(
            timestamp=request.time,
            subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
            name=request.name,
            reason=request.reason,
            location=request.location,
            contact_info=request.contact,
            bytes_reserved=2 * request.size,
        )
        placeholder[pdf_name("/SubFilter")] = pdf_name("/" + request.subfilter)
        placeholder[pdf_name("/Filter")] = pdf_name("/" + request.filter)
        if request.certificates:
            chain = [generic.ByteStringObject(item) for item in request.certificates]
            placeholder[pdf_name("/Cert")] = generic.ArrayObject(chain)
        signature = steps.send(SigObjSetup(sig_placeholder=placeholder, mdp_setup=_permissions(request)))
        for field in fields[1:]:
            field.get_object()[pdf_name("/V")] = signature
        if request.mac:
            place = {pdf_name("/MACLocation"): pdf_name("/AttachedToSig"), pdf_name("/SigObjRef"): signature}
            writer.set_custom_trailer_entry(pdf_name("/AuthCode"), generic.DictionaryObject(place))  # type: ignore[no-untyped-call]
        revision = steps.send(SigIOSetup(md_algorithm="none"))
    assert isinstance(revision, Revision)
    return revision


def _new_field(writer: RevisionWriter, beside: Any, new: NewField) -> Any:
    """Add a field with its widget beside another one, and to its page; return the reference to it."""
    page = generic.IndirectObject(*new.page, writer)  # type: ignore[no-untyped-call]
    field = SignatureFormField(new.name.rpartition(".")[2], box=new.rectangle, include_on_page=page)
    reference = writer.add_object(field)
    parent = resolved(beside.get_object(), "/Parent")
    if parent is None:
        siblings = writer.root["/AcroForm"]["/Fields"]
    else:
        siblings = parent["/Kids"]
        field[pdf_name("/Parent")] = beside.get_object().raw_get("/Parent")
    siblings.append(reference)
    writer.update_container(siblings)
    field.register_widget_annotation(writer, reference)
    return reference


def _drop_nulls(writer: RevisionWriter, request: Request) -> None:
    """Forget optional entries whose value is null, which is the same as absent (ISO 32000-2 7.3.9)."""
    page = writer.find_page_for_modification(request.page)[0].get_object()  # type: ignore[no-untyped-call]
    others = [writer.get_object(generic.Reference(*new.page, writer)) for new in request.more]
    for dictionary, key in ((writer.root, "/AcroForm"), *((item, "/Annots") for item in (page, *others))):
        if key in dictionary and resolved(dictionary, key) is None:
            del dictionary[key]
    form = resolved(writer.root, "/AcroForm")
    if form is not None and "/Fields" in form and resolved(form, "/Fields") is None:
        del form["/Fields"]


def resolved(dictionary: Any, key: str) -> Any:
    """Return the value of a key, or None where it is absent or null; `get` does not follow references."""
    try:
        return dictionary[key]
    except KeyError:
        return None


def items(array: Any) -> list[Any]:
    """Return the values of an array; unlike iteration, which does not follow references."""
    return [array[index] for index in range(len(array))]


def _widget(writer: RevisionWriter, reference: Any) -> Any:
    """Return the one widget of a field, marked for update."""
    field = reference.get_object()
    kids = resolved(field, "/Kids")
    if kids is None:
        return field
    if len(kids) != 1:
        raise FieldError("the field is shown in several places", hint="name a field with one widget")
    writer.mark_update(kids.raw_get(0))
    return kids[0]


def _permissions(request: Request) -> SigMDPSetup | None:
    if request.certify is None and request.lock is None:
        return None
    level = request.certify
    if request.lock is not None:
        level = level or request.lock[2]
    return SigMDPSetup(
        md_algorithm="none",
        certify=request.certify is not None,
        field_lock=_field_lock(request),
        docmdp_perms=MDPPerm(level) if level else None,
    )


def _field_lock(request: Request) -> FieldMDPSpec | None:
    """Return the lock of the field as the transform (12.8.2.4), and as /Lock of a new one."""
    if request.lock is None:
        return None
    action, fields, _ = request.lock
    entries = generic.DictionaryObject({pdf_name("/Action"): pdf_name("/" + action)})  # type: ignore[no-untyped-call]
    if action != "All":
        entries[pdf_name("/Fields")] = generic.ArrayObject([generic.pdf_string(name) for name in fields])
    return FieldMDPSpec.from_pdf_object(entries)
