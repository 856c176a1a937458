"""Every signature in a PDF, whether anything points at it or not.

Three searches, then one list without doubles:

1. every terminal field with (inherited) /FT /Sig and a /V, kids included (ISO 32000-2 12.7.5.5);
2. every value of the catalog's /Perms (12.8.6);
3. a scan of the raw octets and of all object streams of all revisions for a /ByteRange key, however it is spelt.

    for entry in list_signatures(pdf).signatures:
        entry.fields, entry.subfilter, entry.unsupported

A signature no field points at any more, a dictionary that a later revision replaced, or one of an unknown kind is
still listed. Usage rights (/UR, /UR3) and the MAC tokens of ISO/TS 32004 are not signatures of a document by a
person: they are notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sized
from dataclasses import dataclass, field, replace
from typing import Any

from signer.pdf.structure import BudgetSpent, PDFFile, Stream, View
from signer.pdf.text_strings import exact_string, text_string
from signer.pdf.tokens import Array, Dictionary, Ref, SyntaxFault, object_header, parse

MAX_SIGNATURES = 200
MAX_SHOWN = 2000
"""Fields that show one signature: a seal on every page has as many."""
MAX_FIELDS = 20_000
MAX_DEPTH = 100

SUBFILTERS = frozenset({"adbe.pkcs7.detached", "ETSI.CAdES.detached", "ETSI.RFC3161"})
"""ISO 32000-2 Table 260 without the deprecated ones."""
LEGACY_SUBFILTERS = frozenset({"adbe.pkcs7.sha1", "adbe.x509.rsa_sha1"})
"""The deprecated ones."""


def _spelt(name: str) -> str:
    """Return a pattern for a name in any of its #xx spellings."""
    return "".join(f"(?:{c}|#{ord(c):02x}|#{ord(c):02X})" for c in name)


_BYTE_RANGE = re.compile(("/" + _spelt("ByteRange") + r"(?=[\x00\t\n\x0c\r ()<>\[\]{}/%])").encode())
_OBJECT_HEAD = re.compile(rb"(?<!\d)\d{1,10}[\x00\t\n\x0c\r ]+\d{1,5}[\x00\t\n\x0c\r ]+obj\Z")


@dataclass(frozen=True)
class SignatureEntry:
    """One signature dictionary and everything that points at it."""

    dictionary: Dictionary
    """As written, nothing resolved."""
    number: int | None
    """Object number; None when the dictionary is a direct value of its field."""
    generation: int
    start: int
    end: int
    """Span of the indirect object that holds the dictionary."""
    fields: tuple[str, ...] = ()
    """Fully qualified names of the fields whose value it is."""
    field_objects: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    """Out of "field", "perms", "scan"."""
    permissions: tuple[str, ...] = ()
    """Keys of /Perms that point at it, "DocMDP" for a certification."""
    compressed: bool = False
    note: str = ""
    """Why it stands apart: "replaced", "unreachable", "compressed"; empty for the ordinary case."""

    @property
    def subfilter(self) -> str | None:
        """The /SubFilter as written, or None when missing or not a name."""
        value = self.dictionary.get("SubFilter")
        return str(value) if isinstance(value, str) else None

    @property
    def has_value(self) -> bool:
        """Whether /Contents holds anything but zeros."""
        contents = self.dictionary.get("Contents")
        return isinstance(contents, bytes) and contents.strip(b"\x00") != b""

    def text(self, key: str) -> str | None:
        """Return a text string of the dictionary (7.9.2.2): UTF-16, UTF-8 or PDFDocEncoding."""
        value = self.dictionary.get(key)
        return text_string(value) if isinstance(value, bytes) else None


@dataclass
class Listing:
    """What was found."""

    signatures: list[SignatureEntry] = field(default_factory=list)
    empty_fields: list[str] = field(default_factory=list)
    """Signature fields without /V: places to sign, not signatures."""
    broken_fields: list[tuple[str, str]] = field(default_factory=list)
    """Signature fields whose /V is not a dictionary: name and what is wrong."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Stable code and detail of what is no signature but worth a word."""
    faults: list[str] = field(default_factory=list)
    """Parts of the structure that could not be read."""
    usage_rights: set[int] = field(default_factory=set)
    """Offsets of the objects that /Perms /UR or /UR3 name."""


def list_signatures(pdf: PDFFile, view: View | None) -> Listing:
    """List every signature of the file; `view` is the whole file as read, None when it cannot be read."""
    listing = Listing()
    found: dict[tuple[int, int], SignatureEntry] = {}
    if view is not None:
        try:
            _from_fields(view, listing, found)
        except SyntaxFault as error:
            listing.faults.append(f"form fields: {error}")
        try:
            _from_permissions(view, listing, found)
        except SyntaxFault as error:
            listing.faults.append(f"permissions: {error}")
    _count(found)
    for entry in _scan(pdf, view, listing):
        key = (entry.start, entry.dictionary.span[0])
        if key in found:
            found[key] = replace(found[key], sources=(*found[key].sources, "scan"))
        elif entry.start not in listing.usage_rights and not _is_usage_rights(entry.dictionary):
            found[key] = _explain(entry, found.values())
        else:
            listing.notes.append(("usage-rights", "a usage-rights signature of the producing software"))
        _count(found)
    listing.notes = list(dict.fromkeys(listing.notes))
    listing.signatures = sorted(found.values(), key=_order)
    return listing


def _count(found: Sized) -> None:
    """Stop as soon as there are too many: looking at all of them is the work that is to be spared."""
    if len(found) > MAX_SIGNATURES:
        raise BudgetSpent(f"more than {MAX_SIGNATURES} signatures")


def _order(entry: SignatureEntry) -> tuple[int, int]:
    """Signatures in the order of their revisions: by the end of what they cover, then by place."""
    covered = entry.dictionary.get("ByteRange")
    if isinstance(covered, list) and len(covered) == 4 and all(type(n) is int for n in covered):
        return (covered[2] + covered[3], entry.start)
    return (entry.end, entry.start)


def _explain(entry: SignatureEntry, others: Any) -> SignatureEntry:
    if entry.note:
        return entry
    if any(other.number == entry.number and entry.number is not None for other in others):
        return replace(entry, note="replaced")
    return replace(entry, note="unreachable")


def _is_usage_rights(dictionary: Dictionary) -> bool:
    """Whether /Reference names the transform method UR or UR3 (12.8.2.3)."""
    references = dictionary.get("Reference")
    if not isinstance(references, list):
        return False
    methods = [r.get("TransformMethod") for r in references if isinstance(r, Dictionary)]
    return bool(methods) and all(method in ("UR", "UR3") for method in methods)


# -- fields -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """One terminal or inner field met on the walk through the form."""

    name: str
    """Fully qualified (12.7.4.2), as it is compared: it may hold what does not print."""
    number: int | None
    generation: int
    dictionary: Dictionary
    kind: str | None
    """/FT, inherited."""
    value: Any
    """/V, inherited, not resolved."""
    holder: tuple[int, int]
    """Span of the object that holds a directly written value."""
    terminal: bool


def walk_fields(view: View, faults: list[str]) -> Iterator[Field]:
    """Yield every field of the form; a field that cannot be read is put into `faults`. Raises SyntaxFault."""
    form = view.get(view.catalog, "AcroForm")
    if not isinstance(form, Dictionary):
        return
    roots = view.get(form, "Fields")
    if not isinstance(roots, list):
        return
    seen: set[int] = set()
    count = 0
    stack: list[tuple[Any, str, str | None, Any, tuple[int, int], int]] = [
        (item, "", None, None, (0, 0), 0) for item in reversed(roots)
    ]
    while stack:
        item, prefix, kind, value, holder, depth = stack.pop()
        count += 1
        if count > MAX_FIELDS or depth > MAX_DEPTH:
            raise BudgetSpent("too many form fields")
        number, generation = (item.number, item.generation) if isinstance(item, Ref) else (None, 0)
        if number is not None:
            if number in seen:
                continue
            seen.add(number)
            try:
                located = view.locate(number)
            except SyntaxFault as error:
                faults.append(f"form field: {error}")
                continue
            dictionary = located.value if located is not None else None
            holder = (located.start, located.end) if located is not None else holder
        else:
            dictionary = item
        if not isinstance(dictionary, Dictionary):
            continue
        try:
            partial, own_kind, kids = (view.get(dictionary, key) for key in ("T", "FT", "Kids"))
            inner = [k for k in kids if _has_name(view, k)] if isinstance(kids, list) else []
            chosen = inner or [k for k in kids if _is_field_kid(view, k)] if isinstance(kids, list) else []
        except SyntaxFault as error:
            faults.append(f"form field: {error}")
            continue
        name = prefix
        if isinstance(partial, bytes):
            own = exact_string(partial)
            name = f"{prefix}.{own}" if prefix else own
        kind = own_kind if isinstance(own_kind, str) else kind
        value = dictionary.get("V", value)
        yield Field(name, number, generation, dictionary, kind, value, holder, terminal=not inner)
        stack.extend((kid, name, kind, value, holder, depth + 1) for kid in reversed(chosen))


def _has_name(view: View, kid: Any) -> bool:
    value = view.resolve(kid)
    return isinstance(value, Dictionary) and ("T" in value or "Kids" in value)


def _is_field_kid(view: View, kid: Any) -> bool:
    """Tell a widget that carries a value or type of its own: not regular, but a place to hide one."""
    value = view.resolve(kid)
    return isinstance(value, Dictionary) and ("V" in value or "FT" in value)


def _from_fields(view: View, listing: Listing, found: dict[tuple[int, int], SignatureEntry]) -> None:
    shown: dict[tuple[int, int], dict[tuple[str, int | None], None]] = {}
    try:
        for item in walk_fields(view, listing.faults):
            _from_field(view, item, listing, found, shown)
    finally:
        for key, fields in shown.items():
            found[key] = replace(
                found[key],
                fields=tuple(dict.fromkeys(name for name, _ in fields)),
                field_objects=tuple(number for _, number in fields if number is not None),
                sources=("field",),
            )


def _from_field(
    view: View,
    item: Field,
    listing: Listing,
    found: dict[tuple[int, int], SignatureEntry],
    shown: dict[tuple[int, int], dict[tuple[str, int | None], None]],
) -> None:
    """Enter one field; `shown` collects the names and numbers of all fields of each signature."""
    if item.kind != "Sig" or not (item.terminal or "V" in item.dictionary):
        return
    if item.value is None:
        listing.empty_fields.append(item.name)
        return
    try:
        entry = _entry(view, item.value, item.holder)
    except SyntaxFault as error:
        entry = str(error)
    if isinstance(entry, str):
        listing.broken_fields.append((item.name, entry))
        return
    key = (entry.start, entry.dictionary.span[0])
    found.setdefault(key, entry)
    _count(found)
    fields = shown.setdefault(key, {})
    fields[item.name, item.number] = None
    if len(fields) > MAX_SHOWN:
        raise BudgetSpent(f"more than {MAX_SHOWN} fields with one signature")


def _entry(view: View, value: Any, holder: tuple[int, int]) -> SignatureEntry | str:
    """Return the signature dictionary a /V or /Perms value leads to, or what is wrong with it."""
    if isinstance(value, Dictionary):
        return SignatureEntry(value, None, 0, *holder)
    if not isinstance(value, Ref):
        return f"the value is not a dictionary but {type(value).__name__}"
    located = view.locate(value.number)
    if located is None:
        return f"the value, object {value.number}, does not exist"
    if not isinstance(located.value, Dictionary):
        return f"the value, object {value.number}, is not a dictionary"
    compressed = located.container is not None
    return SignatureEntry(
        located.value,
        located.number,
        located.generation,
        located.start,
        located.end,
        compressed=compressed,
        note="compressed" if compressed else "",
    )


def _from_permissions(view: View, listing: Listing, found: dict[tuple[int, int], SignatureEntry]) -> None:
    catalog = view.catalog
    permissions = view.get(catalog, "Perms")
    if not isinstance(permissions, Dictionary):
        return
    for key, value in permissions.items():
        if key in ("UR", "UR3"):
            listing.notes.append(("usage-rights", "a usage-rights signature of the producing software"))
            rights = _entry(view, value, (0, 0))
            if isinstance(rights, SignatureEntry) and rights.number is not None:
                listing.usage_rights.add(rights.start)
            continue
        if key == "Type":
            continue
        entry = _entry(view, value, (0, 0))
        if isinstance(entry, str):
            listing.notes.append(("perms-unreadable", f"/Perms /{key}: {entry}"))
            continue
        place = (entry.start, entry.dictionary.span[0])
        known = found.get(place)
        if known is None:
            known = replace(entry, note=entry.note or "unreachable", sources=("perms",))
        found[place] = replace(known, permissions=(*known.permissions, str(key)))


# -- raw scan ---------------------------------------------------------------------------------------


def _scan(pdf: PDFFile, view: View | None, listing: Listing) -> Iterator[SignatureEntry]:
    yield from _scan_octets(pdf, listing, _of_macs(view))
    yield from _scan_object_streams(pdf, view, listing)


def _of_macs(view: View | None) -> frozenset[int]:
    """Offsets of the keys of MACs in trailers: they have a /ByteRange too (ISO/TS 32004), and no /Contents."""
    values = [section.trailer.get("AuthCode") for section in view.sections] if view is not None else []
    macs = [value for value in values if isinstance(value, Dictionary) and "Contents" not in value]
    return frozenset(offset for value in macs for offset in value.key_offsets)


def _scan_octets(pdf: PDFFile, listing: Listing, macs: frozenset[int]) -> Iterator[SignatureEntry]:
    """Every dictionary with /ByteRange and /Contents in an uncompressed object, referenced or not."""
    data = pdf.data
    done = -1
    hits = 0
    for hit in _BYTE_RANGE.finditer(data):
        if hit.start() < done or hit.start() in macs:
            continue
        hits += 1
        if hits > 50 * MAX_SIGNATURES:
            raise BudgetSpent("too many /ByteRange keys")
        outcome = _enclosing(pdf, hit.start())
        if outcome is None or (not outcome[5] and outcome[4] <= hit.start()):
            # Something that once was, or pretends to be, a signature: said, never dropped.
            nothing = Dictionary()
            nothing.span, nothing.spans, nothing.key_offsets, nothing.duplicates = (hit.start(),) * 2, {}, (), ()
            yield SignatureEntry(nothing, None, 0, hit.start(), hit.end(), sources=("scan",), note="unreadable")
            continue
        number, generation, start, value, end, is_stream = outcome
        held = list(_with_byte_range(value, 0))
        if not held and is_stream:
            listing.notes.append(("byte-range-in-stream", f"the stream object {number} contains a /ByteRange"))
        if held:
            done = end
        for dictionary in held:
            yield SignatureEntry(
                dictionary, number if dictionary is value else None, generation, start, end, sources=("scan",)
            )


def _enclosing(pdf: PDFFile, at: int) -> tuple[int, int, int, Any, int, bool] | None:
    """Return the nearest indirect object that begins before an offset, or None when it cannot be read.

    Number, generation, start, value, end of the value, and whether the offset is inside its stream.
    """
    data = pdf.data
    position = at
    for _ in range(8):
        position = data.rfind(b"obj", 0, position)
        if position < 0:
            return None
        head = _OBJECT_HEAD.search(data[max(0, position - 30) : position + 3])
        if head is None:
            continue
        start = max(0, position - 30) + head.start()
        pdf.budget.spend(100)
        try:
            number, generation, behind = object_header(data, start)
            value, end = parse(data, behind, spend=pdf.budget.spend)
            if pdf.decryptor is not None:
                value = pdf.decryptor.opened(value, number, generation, pdf.budget.spend)
        except SyntaxFault:
            return None
        following = data[end : end + 20].lstrip(b"\x00\t\n\x0c\r ")
        is_stream = following.startswith(b"stream") and data.find(b"endstream", end, at) < 0
        return number, generation, start, value, end, is_stream
    return None


def _with_byte_range(value: Any, depth: int) -> Iterator[Dictionary]:
    """Yield the dictionaries inside a value that have both keys of a signature."""
    if isinstance(value, Dictionary):
        if "ByteRange" in value and "Contents" in value:
            yield value
        for item in value.values():
            yield from _with_byte_range(item, depth + 1)
    elif isinstance(value, Array):
        for item in value:
            yield from _with_byte_range(item, depth + 1)


def _scan_object_streams(pdf: PDFFile, view: View | None, listing: Listing) -> Iterator[SignatureEntry]:
    """List what stands in an object stream too, though no signature can live there: offsets mean nothing in it."""
    if view is None:
        return
    containers = {entry.offset for section in view.sections for entry in section.entries.values() if entry.compressed}
    places = {
        holder.offset
        for section in view.sections
        for number in containers & section.entries.keys()
        if not (holder := section.entries[number]).compressed
    }
    for place in sorted(places):
        try:
            located = pdf.object_at(place, view)
            if not isinstance(located.value, Stream):
                continue
            if _BYTE_RANGE.search(pdf.decode(located.value, view)) is None:
                continue
            items = pdf.object_stream(located, view)
        except SyntaxFault as error:
            listing.faults.append(f"object stream at {place}: {error}")
            continue
        for number, value in items:
            for dictionary in _with_byte_range(value, 0):
                yield SignatureEntry(
                    dictionary, number, 0, located.start, located.end, sources=("scan",), compressed=True
                )
