"""May this file be signed, and how: looked at before anything is written.

    ground = examine(data, options)
    ground.field, ground.existing, ground.spots, ground.tagged

The file is read strictly, by the reader that verifies, because what cannot be read as written would be signed as
something the verifier sees otherwise. The checks, in order:

 1. a PDF from its first octet, whose structure is whole and whose objects are in their places; not encrypted
                                                                                UnreadablePDF, EncryptedPDF
 2. earlier signatures allow another one: DocMDP (ISO 32000-2 12.8.2.2) of the certification, FieldMDP and /Lock
    (12.8.2.4, 12.7.5.5) of all of them; a certification is the first            SigningRefused
 3. the field exists and is empty, or can be made                               FieldError
 4. what the empty field demands (/SV, 12.7.5.5) is what will be done           SigningRefused
 5. the pages exist and are pages                                               OptionError, SigningRefused
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as default
from itertools import count, islice
from typing import Any

from signer.errors import EncryptedPDF, FieldError, SigningRefused, UnreadablePDF
from signer.pades.geometry import PageGeometry
from signer.pades.options import SignOptions
from signer.pades.spots import ExistingField, Spot, geometry_of, leaves, page_count, spots_of
from signer.pdf.boxes import rectangle
from signer.pdf.encryption import Credentials, unlock
from signer.pdf.listing import Field, SignatureEntry, walk_fields
from signer.pdf.permissions import Permissions, locked_names, permissions_of
from signer.pdf.soundness import check_places
from signer.pdf.structure import BudgetSpent, NotRead, PDFFile, Stream, View
from signer.pdf.text_strings import text_string
from signer.pdf.tokens import Dictionary, Ref, SyntaxFault

REPAIR_HINT = "have the producer repair it, or rewrite it with 'qpdf IN OUT' before anybody signs"
OPENING_HINT = "give what opens it: --open-password-file FILE, or --open-key URI --open-cert FILE"
MAX_PAGES = 20_000


@dataclass(frozen=True)
class Earlier:
    """A signature that is in the file already."""

    names: tuple[str, ...]
    number: int | None
    end: int
    """End of what it covers: the last number of /ByteRange, or the end of its object."""
    permissions: Permissions


@dataclass(frozen=True)
class Ground:
    """What signing needs to know about the file."""

    pdf: PDFFile
    view: View
    earlier: tuple[Earlier, ...]
    existing: ExistingField | None
    spots: tuple[Spot, ...]
    """Where the signature will be shown: the field that is asked for, then further ones."""
    highest: int
    """Highest object number in use."""
    tagged: bool
    """Whether there is a structure tree (14.7)."""
    names: frozenset[str] = default(default=frozenset(), repr=False)

    @property
    def field(self) -> str:
        """Name of the field that is asked for."""
        return self.spots[0].field

    def pdfa_part(self) -> int | None:
        """Return the part of PDF/A the file claims in its XMP (ISO 19005-2 6.6.4), or None."""
        try:
            stream = self.view.get(self.view.catalog, "Metadata")
            text = self.view.stream_data(stream) if isinstance(stream, Stream) else b""
        except (SyntaxFault, BudgetSpent):
            return None
        found = _PDFA_PART.search(text.replace(b"\x00", b""))  # also UTF-16 and UTF-32
        return int(found.group(1)) if found else None


_PDFA_PART = re.compile(rb"pdfaid:part\s*(?:=\s*[\"']|>\s*)([1-9])")


def examine(data: bytes, options: SignOptions, credentials: Credentials | None = None) -> Ground:
    """Look at a file before it is signed; an encrypted one with what opens it.

    Raises UnreadablePDF, EncryptedPDF, SigningRefused, FieldError or OptionError.
    """
    with _readable():
        pdf, view = _open(data, credentials)
        fields = list(_fields(view))
        earlier = tuple(_earlier(view, fields))
        names = frozenset(item.name for item in fields)
        name = options.field or _new_name(names)
        further = tuple(islice(_further(name, names), max(len(options.places) - (name not in names), 0)))
        _allowed(view, earlier, (name, *further, *(item for item, _ in options.values)), options)
        existing = _existing(view, fields, name, options)
        _permitted(pdf, existing is None)
        spots = spots_of(view, options, name, existing, further)
        return Ground(
            pdf,
            view,
            earlier,
            existing,
            spots,
            highest=max(view.entries, default=0),
            tagged=isinstance(view.get(view.catalog, "StructTreeRoot"), Dictionary),
            names=names,
        )


def page_geometries(data: bytes, credentials: Credentials | None = None) -> tuple[PageGeometry, ...]:
    """Return what the reader sees of every page, to place a seal; of an encrypted file with what opens it.

    Raises UnreadablePDF, EncryptedPDF, SigningRefused.
    """
    with _readable():
        _, view = _open(data, credentials)
        pages = page_count(view)
        if pages > MAX_PAGES:
            raise BudgetSpent("too many pages")
        found = dict(leaves(view, set(range(pages))))
        return tuple(geometry_of(view, found[index][1]) for index in range(pages))


@contextmanager
def _readable() -> Iterator[None]:
    """Turn what the reader says of a file into what a signer is told."""
    try:
        yield
    except NotRead as error:
        raise UnreadablePDF(
            f"the structure of the file cannot be read: {error}", hint="have the producer save it without that"
        ) from error
    except SyntaxFault as error:
        raise UnreadablePDF(f"the file is damaged: {error}", hint=REPAIR_HINT) from error
    except (BudgetSpent, RecursionError) as error:
        raise UnreadablePDF("the file takes too much work to read", hint=REPAIR_HINT) from error


# 1. Structure --------------------------------------------------------------------------------------------------------
def _open(data: bytes, credentials: Credentials | None) -> tuple[PDFFile, View]:
    header = data[:1028].find(b"%PDF-")
    if header < 0:
        raise UnreadablePDF("this is not a PDF", hint="convert the document to PDF first")
    if header:
        # Readers count offsets from the header (ISO 32000-2 7.5.2) or from the first octet, and so a /ByteRange.
        raise UnreadablePDF(
            f"{header} octets stand before the header of the PDF: readers do not agree on what would be signed",
            hint="remove them by rewriting the file with 'qpdf IN OUT' before anybody signs",
        )
    pdf = PDFFile(data)
    view = pdf.view(len(data))
    if view.trailer.get("Encrypt") is not None:
        if credentials is None:
            raise EncryptedPDF("the PDF is encrypted", hint=OPENING_HINT)
        try:
            decryptor = unlock(view, credentials)
        except EncryptedPDF as error:
            raise EncryptedPDF(error.message, hint=OPENING_HINT) from error
        if decryptor is not None:
            pdf.unlock(decryptor)
    if view.get(view.catalog, "Pages") is None:
        raise SyntaxFault("the catalog names no pages")
    if not pdf.endings or pdf.endings[-1].target != view.start_section:
        raise SyntaxFault("the last startxref is not followed by %%EOF")
    check_places(view)
    return pdf, view


def _fields(view: View) -> Iterator[Field]:
    form = view.catalog.get("AcroForm")
    if form is not None and not isinstance(view.resolve(form), Dictionary):
        raise SyntaxFault("/AcroForm is not a dictionary")
    faults: list[str] = []
    yield from walk_fields(view, faults)
    if faults:
        raise SyntaxFault(faults[0])


_MODIFY, _ANNOTATE, _FILL = 1 << 3, 1 << 5, 1 << 8
"""Bits 4, 6 and 9 of the permissions (Table 22, Table 24)."""


def _permitted(pdf: PDFFile, new_field: bool) -> None:
    """Refuse what whoever encrypted the file does not allow to the holder of this password or key."""
    allowed = pdf.decryptor.permissions if pdf.decryptor is not None else None
    if allowed is None:
        return
    if allowed & _ANNOTATE and allowed & _MODIFY:
        return
    if new_field or not allowed & (_ANNOTATE | _FILL):
        raise SigningRefused(
            f"whoever encrypted the file allows no {'new signature field' if new_field else 'signature'}",
            hint="give the owner password, or the key of a recipient who may change it",
            reason="permissions",
        )


# 2. Earlier signatures -----------------------------------------------------------------------------------------------
def _earlier(view: View, fields: list[Field]) -> Iterator[Earlier]:
    """Yield each signature of the form, with what it allows."""
    permissions = view.get(view.catalog, "Perms")
    certification = permissions.get("DocMDP") if isinstance(permissions, Dictionary) else None
    seen: dict[Any, SignatureEntry] = {}
    for item in fields:
        if item.kind != "Sig" or item.value is None or not (item.terminal or "V" in item.dictionary):
            continue
        value = view.resolve(item.value)
        if value is None:
            continue
        if not isinstance(value, Dictionary):
            raise SyntaxFault(f"the value of signature field {item.name!r} is not a dictionary")
        number = item.value.number if isinstance(item.value, Ref) else None
        own = () if item.number is None else (item.number,)
        before = seen.get(number) if number is not None else None
        seen[number if number is not None else (item.name, value.span)] = SignatureEntry(
            value,
            number,
            0,
            *item.holder,
            fields=(*(before.fields if before else ()), item.name),
            field_objects=(*(before.field_objects if before else ()), *own),
            permissions=("DocMDP",) if certification is not None and certification == item.value else (),
        )
    for entry in seen.values():
        covered = entry.dictionary.get("ByteRange")
        end = covered[2] + covered[3] if covered is not None and _is_byte_range(covered) else entry.end
        if end > len(view.pdf.data):
            raise SigningRefused(
                f"the signature in field {', '.join(entry.fields)!r} covers more than the file: a part is missing",
                hint="ask for the whole file",
                reason="earlier-broken",
            )
        yield Earlier(entry.fields, entry.number, end, permissions_of(view, entry))


def _is_byte_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(type(number) is int for number in value)


def _allowed(view: View, earlier: tuple[Earlier, ...], names: tuple[str, ...], options: SignOptions) -> None:
    """Refuse what an earlier signature forbids; the reader would call that signature broken afterwards."""
    for signature in earlier:
        who = ", ".join(signature.names)
        if signature.permissions.level == 1:
            kind = "certification" if signature.permissions.certification else "signature"
            raise SigningRefused(
                f"the {kind} in field {who!r} forbids every later change",
                hint="ask its signer for a copy that allows further signatures",
                reason="docmdp",
                field=who,
            )
        locked = [name for name in names if signature.permissions.locks(name)]
        if locked:
            raise SigningRefused(
                f"the signature in field {who!r} has locked field {locked[0]!r}",
                hint="name a field that is not locked" if not signature.permissions.locks_all else "sign before it",
                reason="field-lock",
                field=who,
            )
    if options.certify is None:
        return
    permissions = view.get(view.catalog, "Perms")
    if earlier or (isinstance(permissions, Dictionary) and "DocMDP" in permissions):
        raise SigningRefused(
            "a certification must be the first signature", hint="sign without certifying", reason="certify-not-first"
        )


# 3. The field --------------------------------------------------------------------------------------------------------
def _new_name(names: frozenset[str]) -> str:
    return next(name for name in (f"Signature{n}" for n in range(1, len(names) + 2)) if name not in names)


def _further(name: str, names: frozenset[str]) -> Iterator[str]:
    """Yield names for further fields with the signature of `name`."""
    return (made for number in count(2) if (made := f"{name}-{number}") not in names)


def _existing(view: View, fields: list[Field], name: str, options: SignOptions) -> ExistingField | None:
    found = [item for item in fields if item.name == name]
    if not found:
        for item in fields:
            if item.terminal and item.name and name.startswith(item.name + "."):
                raise FieldError(f"the field {item.name!r} has no fields below it", hint="choose another name")
        return None
    item = found[0]
    if item.kind != "Sig" or not item.terminal:
        raise FieldError(f"the field {name!r} is not a signature field", hint="name another field, or a new one")
    if any(other.value is not None and view.resolve(other.value) is not None for other in found):
        raise FieldError(f"the field {name!r} is signed already", hint="name another field, or none")
    if len(found) > 1 or item.number is None:
        raise FieldError(f"the field {name!r} stands twice in the form", hint="name another field")
    if options.box is not None:
        raise FieldError(f"the field {name!r} has its place already", hint="leave out the box, or name a new field")
    widget = _widget(view, item)
    _seed_values(view, item, options)
    return ExistingField(item.number, rectangle(view, widget) or (0.0, 0.0, 0.0, 0.0), _lock(view, item.dictionary))


def _widget(view: View, item: Field) -> Dictionary:
    kids = view.get(item.dictionary, "Kids")
    if not isinstance(kids, list) or not kids:
        return item.dictionary
    widget = view.resolve(kids[0])
    if len(kids) > 1 or not isinstance(widget, Dictionary):
        raise FieldError(f"the field {item.name!r} is shown in several places", hint="name a field with one widget")
    return widget


def _lock(view: View, dictionary: Dictionary) -> tuple[str, tuple[str, ...], int | None] | None:
    """Return /Lock: action, fields, DocMDP level (Table 236). It becomes a FieldMDP transform (12.8.2.4)."""
    lock = view.get(dictionary, "Lock")
    if lock is None:
        return None
    action = view.get(lock, "Action") if isinstance(lock, Dictionary) else None
    if action not in ("All", "Include", "Exclude"):
        raise FieldError("the field's /Lock says nothing that is known", hint="name another field")
    level = view.get(lock, "P")
    return str(action), locked_names(view, lock), level if level in (1, 2, 3) else None


def _items(view: View, dictionary: Dictionary, key: str) -> list[Any]:
    """Return the values of an array, none where it is not one."""
    found = view.get(dictionary, key)
    return [view.resolve(item) for item in found] if isinstance(found, list) else []


_SEED_FLAGS = ("Filter", "SubFilter", "V", "Reasons", "LegalAttestation", "AddRevInfo", "DigestMethod", "LockDocument")
"""Bits 1 to 8 of /Ff in a seed value dictionary (Table 237), AppearanceFilter is bit 9."""


def _seed_values(view: View, item: Field, options: SignOptions) -> None:
    """Refuse where the author of the form demands what will not be done (Table 237, required by /Ff)."""
    seed = view.get(item.dictionary, "SV")
    if not isinstance(seed, Dictionary):
        return

    def refuse(what: str, hint: str) -> None:
        raise SigningRefused(f"the field {item.name!r} demands {what}", hint=hint, reason="seed-value", field=item.name)

    flags = view.get(seed, "Ff")
    flags = flags if type(flags) is int else 0
    demanded = {key for bit, key in enumerate(_SEED_FLAGS) if flags >> bit & 1}
    handler, subfilter = options.names
    if "Filter" in demanded and view.get(seed, "Filter") != handler:
        refuse("another signature handler", "sign a new field")
    kinds = [str(kind) for kind in _items(view, seed, "SubFilter")] if "SubFilter" in demanded else []
    if kinds and subfilter not in kinds:
        refuse(f"a signature of kind {kinds[0]}", f"choose the kind {kinds[0]}")
    if "Reasons" in demanded:
        reasons = [text_string(reason) for reason in _items(view, seed, "Reasons") if isinstance(reason, bytes)]
        if reasons in ([], ["."]):
            if options.reason:
                refuse("a signature without a reason", "leave out the reason")
        elif options.reason not in reasons:
            refuse("one of its own reasons", "give one of: " + "; ".join(reasons))
    for key in ("LegalAttestation", "AddRevInfo", "DigestMethod", "LockDocument"):
        if key in demanded:
            refuse(f"/{key}, which is not offered", "sign a new field")
    if flags >> 8 & 1:
        refuse("an appearance of its own", "sign a new field")
    certificate, stamp = view.get(seed, "Cert"), view.get(seed, "TimeStamp")
    if isinstance(certificate, Dictionary) and view.get(certificate, "Ff"):
        refuse("certain certificates, which is not checked here", "sign a new field")
    if isinstance(stamp, Dictionary) and view.get(stamp, "Ff") and options.level == "B-B":
        refuse("a time-stamp", "sign at level B-T")
