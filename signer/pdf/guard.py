"""The guard: what must be true of the octets before anybody believes a signature.

Rules G1 to G9, each for every signature, each one entry in the report's `checks`. They run on the raw file with the
tokenizer of this package and do not depend on any PDF library; G10 asks one (`signer.pdf.second_reading`).

    for finding in guard(pdf, view, entry):
        finding.rule, finding.result, finding.detail

A broken rule makes the signature TOTAL-FAILED / FORMAT_FAILURE; `severity` "indeterminate" marks the few that only
make it INDETERMINATE, "warning" those that only warn. ISO 32000-2 12.8.1: the range runs from the first octet of
the file to the %%EOF of the update that adds the signature dictionary, leaving out exactly the value of /Contents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from signer.pdf.gap import read_from_gap
from signer.pdf.listing import MAX_DEPTH, SignatureEntry
from signer.pdf.structure import BudgetSpent, PDFFile, View
from signer.pdf.tokens import Array, Dictionary, Ref, SyntaxFault, decode_hex

Severity = Literal["failed", "indeterminate", "warning"]


@dataclass(frozen=True)
class Finding:
    """The outcome of one rule."""

    rule: str
    clause: str
    result: Literal["passed", "failed", "not-checked"]
    detail: str
    severity: Severity = "failed"
    """What a failure means for the verdict."""


@dataclass(frozen=True)
class Guarded:
    """What the guard established about one signature."""

    findings: tuple[Finding, ...]
    byte_range: tuple[int, int, int, int] | None
    """[0 a b c], when G1 holds."""
    contents: bytes | None
    """The decoded value of /Contents, when it is a string."""
    signed_view: View | None
    """The signed revision, when it can be read by itself."""

    @property
    def broken(self) -> tuple[Finding, ...]:
        """Every rule that fails the signature."""
        return tuple(f for f in self.findings if f.result == "failed" and f.severity == "failed")


CLAUSES = {
    "G1-byte-range-shape": "ISO 32000-2 12.8.1, Table 255; EN 319 142-1 6.3 k",
    "G2-gap-is-contents": "ISO 32000-2 12.8.3; 12.8.1",
    "G3-range-ends-with-revision": "ISO 32000-2 12.8.1",
    "G4-one-reading": "ISO 32000-2 7.5.5",
    "G5-nothing-after-eof": "ISO 32000-2 7.5.5",
    "G6-revisions-in-order": "ISO 32000-2 7.5.6, 7.5.8, Annex F",
    "G7-dictionary-from-signed-bytes": "ISO 32000-2 12.8.1, 12.7.5.5",
    "G8-direct-values": "ISO 32000-2 12.8.1, Table 256",
    "G9-no-duplicate-keys": "ISO 32000-2 7.3.7",
    "G10-two-parsers": "ISO 32000-2 7.7.3, 12.7.3",
}
FATAL_DUPLICATES = frozenset({"Contents", "ByteRange", "SubFilter", "Filter", "Reference", "Cert"})

_HEX_STRING = re.compile(rb"<[0-9A-Fa-f\x00\t\n\x0c\r ]*>\Z")
_REVISION_END = re.compile(rb"%%EOF(?:\r\n|\r|\n)?\Z")


def guard(pdf: PDFFile, view: View | None, fault: str, entry: SignatureEntry) -> Guarded:
    """Check one signature; `view` is the whole file, or None with `fault` saying why it cannot be read."""
    findings: list[Finding] = []

    def add(rule: str, broken: str | None, passed: str = "", severity: Severity = "failed") -> bool:
        """Record a rule: `broken` says what is wrong, None that it holds."""
        outcome: Literal["passed", "failed"] = "passed" if broken is None else "failed"
        findings.append(Finding(rule, CLAUSES[rule], outcome, passed if broken is None else broken, severity))
        return broken is None

    def skipped(rule: str, why: str) -> None:
        findings.append(Finding(rule, CLAUSES[rule], "not-checked", why))

    outcome = _byte_range(pdf, entry)
    byte_range: tuple[int, int, int, int] | None = None
    if isinstance(outcome, str):
        add("G1-byte-range-shape", outcome)
    else:
        byte_range = outcome
        add("G1-byte-range-shape", None, f"[{byte_range[0]} {byte_range[1]} {byte_range[2]} {byte_range[3]}]")

    contents = entry.dictionary.get("Contents")
    contents = contents if isinstance(contents, bytes) else None
    signed_view: View | None = None
    trouble: str | None = None
    if byte_range is None:
        for rule in ("G2-gap-is-contents", "G3-range-ends-with-revision"):
            skipped(rule, "there is no usable /ByteRange")
    else:
        signed_view, trouble = _signed_view(pdf, byte_range)
        problem = _gap(pdf, entry, byte_range)
        if problem is None and signed_view is not None:
            problem = read_from_gap(signed_view, entry.start, byte_range[1:3])
        add("G2-gap-is-contents", problem, f"octets {byte_range[1]} to {byte_range[2]}")
        add(
            "G3-range-ends-with-revision",
            _range_end(pdf, entry, byte_range, signed_view),
            f"%%EOF at {byte_range[2] + byte_range[3]}",
        )
    reading = _one_reading(pdf, view, fault)
    if reading is None and not pdf.data.startswith(b"%PDF-"):
        # 7.5.2: some readers count offsets from the header, some from the first octet
        add("G4-one-reading", "octets stand before the header (%PDF-)", severity="indeterminate")
    else:
        add("G4-one-reading", reading, "the last startxref points at a cross-reference section")
    add("G5-nothing-after-eof", _after_eof(pdf))
    if view is None:
        add("G6-revisions-in-order", fault)
    elif byte_range is None:
        add("G6-revisions-in-order", _order(pdf, view), f"{len(view.sections)} cross-reference sections")
    else:
        problem = _order(pdf, view) or trouble or _nested_sections(view, signed_view)
        add("G6-revisions-in-order", problem, f"{len(view.sections)} cross-reference sections")
    if byte_range is None or view is None or signed_view is None:
        skipped("G7-dictionary-from-signed-bytes", "the signed revision cannot be read")
    else:
        # a signed revision that cannot be read by itself was not made so by somebody later
        problem, severity = _from_signed_bytes(view, signed_view, entry, byte_range)
        add("G7-dictionary-from-signed-bytes", problem, severity=severity)
    for problem, severity in _direct_values(entry.dictionary) or [(None, "failed")]:
        add("G8-direct-values", problem, severity=severity)
    for problem, severity in _duplicates(entry.dictionary) or [(None, "failed")]:
        add("G9-no-duplicate-keys", problem, severity=severity)
    return Guarded(tuple(findings), byte_range, contents, signed_view)


def _byte_range(pdf: PDFFile, entry: SignatureEntry) -> tuple[int, int, int, int] | str:
    """G1. Return the four numbers, or what is wrong."""
    if entry.compressed:
        return "the signature dictionary is inside an object stream"
    value = entry.dictionary.get("ByteRange")
    if "ByteRange" not in entry.dictionary:
        return "there is no /ByteRange"
    if not isinstance(value, Array):
        return "/ByteRange is not a direct array"
    if len(value) != 4:
        return f"/ByteRange has {len(value)} elements, not four"
    if not all(type(n) is int and n >= 0 for n in value):
        return "/ByteRange holds something else than non-negative integers"
    start, a, b, c = value
    if start != 0:
        return f"/ByteRange starts at {start}, not at 0"
    if a >= b:
        return f"/ByteRange leaves no gap ({a} to {b})"
    if b + c > len(pdf.data):
        return f"/ByteRange ends at {b + c}, the file at {len(pdf.data)}"
    return start, a, b, c


def _gap(pdf: PDFFile, entry: SignatureEntry, byte_range: tuple[int, int, int, int]) -> str | None:
    """G2. The gap is one hexadecimal string, and it is the very token of /Contents."""
    _, a, b, _ = byte_range
    gap = pdf.data[a:b]
    if _HEX_STRING.match(gap) is None:
        return "what /ByteRange leaves out is not exactly one hexadecimal string"
    span = entry.dictionary.spans.get("Contents")
    if span is None:
        return "there is no /Contents"
    if span != (a, b):
        return f"/Contents stands at {span[0]} to {span[1]}, the gap at {a} to {b}"
    if decode_hex(gap[1:-1]) != entry.dictionary["Contents"]:
        return "the gap decodes to something else than /Contents"
    return None


def _signed_view(pdf: PDFFile, byte_range: tuple[int, int, int, int]) -> tuple[View | None, str | None]:
    """Read the signed revision as a file of its own."""
    end = byte_range[2] + byte_range[3]
    try:
        view = pdf.view(end)
        view.catalog  # noqa: B018 - raises where there is none
    except SyntaxFault as error:
        return None, f"the signed revision is not a complete PDF: {error}"
    return view, None


def _range_end(
    pdf: PDFFile, entry: SignatureEntry, byte_range: tuple[int, int, int, int], signed: View | None
) -> str | None:
    """G3. The range ends behind %%EOF, and the revision that ends there is the one that holds the dictionary."""
    _, a, b, c = byte_range
    end = b + c
    if _REVISION_END.search(pdf.data[max(b, end - 7) : end]) is None:
        return f"the range ends at {end}, which is not the end of a revision (%%EOF)"
    if not entry.start < a < b < entry.end:
        return "the signature dictionary does not enclose the gap"
    for ending in pdf.endings:
        if entry.end <= ending.start and ending.line_end < b + c and is_revision_end(pdf, ending.target, ending.start):
            return f"the revision that holds the dictionary ends at {ending.marker_end}, the range at {end}"
    if signed is not None and entry.number is not None and not _defined_in_newest(signed, entry):
        return "the signature dictionary belongs to an earlier revision than the range"
    return None


def is_revision_end(pdf: PDFFile, target: int, before: int) -> bool:
    """Whether a `startxref` names a cross-reference section before itself (the first of a linearized file does not)."""
    if not 0 < target < before:
        return False
    try:
        return pdf.section(target).end <= before
    except SyntaxFault:
        return False


def _defined_in_newest(signed: View, entry: SignatureEntry) -> bool:
    """Whether the newest section (both of a linearized or hybrid revision) defines the dictionary's object."""
    newest = [signed.sections[0]]
    for section in signed.sections[1:]:
        hybrid = section.offset == newest[0].trailer.get("XRefStm")
        linearized = section.offset > newest[0].offset
        if not hybrid and not linearized:
            break
        newest.append(section)
    return any(entry.number in section.entries for section in newest)


def _one_reading(pdf: PDFFile, view: View | None, fault: str) -> str | None:
    """G4. The last startxref is where reading started, and a section stands there."""
    if view is None:
        return fault
    if not pdf.endings:
        return "no startxref is followed by a number and %%EOF"
    if pdf.endings[-1].target != view.start_section:
        return "the last startxref is not followed by %%EOF"
    return None


def _after_eof(pdf: PDFFile) -> str | None:
    """G5. Behind the last %%EOF stands only white space."""
    at = pdf.data.rfind(b"%%EOF")
    if at < 0:
        return "there is no %%EOF"
    behind = pdf.data[at + 5 :].strip(b"\x00\t\n\x0c\r ")
    return f"{len(behind)} octets stand behind the last %%EOF" if behind else None


def _order(pdf: PDFFile, view: View) -> str | None:
    """G6. /Prev goes backwards; one step forward only from the first-page section of a linearized file."""
    if view.forward_steps > 1:
        return f"/Prev goes forward {view.forward_steps} times"
    if view.forward_steps == 1:
        main = [s for s in view.sections if s.trailer.get("Prev") is not None]
        if not pdf.linearized:
            return "/Prev goes forward in a file that is not linearized"
        steps = [s for s in main if s.trailer["Prev"] > s.offset]
        if any(s.offset > 4096 + _first_object_end(pdf) for s in steps):
            return "/Prev goes forward from a section that is not the first page's"
    if len(pdf.endings) > 1:
        # What is appended without a section of its own is found by readers that search the file for objects.
        before, last = pdf.endings[-2:]
        if last.target < before.marker_end and is_revision_end(pdf, before.target, before.start):
            return f"the last revision has no cross-reference section of its own, startxref says {last.target}"
    return None


def _first_object_end(pdf: PDFFile) -> int:
    """Offset behind the linearization dictionary; the first-page section follows it (Annex F.3)."""
    at = pdf.data.find(b"endobj")
    return max(at, 0)


def _nested_sections(view: View, signed: View | None) -> str | None:
    """G6. What the signed revision was built from is still what the whole file is built from."""
    if signed is None:
        return None
    now = {section.offset for section in view.sections}
    lost = [section.offset for section in signed.sections if section.offset not in now]
    if lost:
        return f"the file no longer uses the signed cross-reference section at {lost[0]}"
    inside = [s for s in view.sections if s.offset < signed.end and s.offset not in {t.offset for t in signed.sections}]
    if inside:
        return f"the file uses a cross-reference section at {inside[0].offset} that the signed revision does not"
    return None


def _from_signed_bytes(
    view: View, signed: View, entry: SignatureEntry, byte_range: tuple[int, int, int, int]
) -> tuple[str | None, Severity]:
    """G7. The dictionary stands in the signed octets, is the signed revision's, and still is the file's."""
    end = byte_range[2] + byte_range[3]
    if entry.end > end:
        return "the signature dictionary reaches beyond the signed octets", "failed"
    if entry.note == "replaced":
        return "a later revision defines the signature dictionary anew", "failed"
    try:
        if entry.number is not None:
            then, now = signed.entries.get(entry.number), view.entries.get(entry.number)
            located = signed.locate(entry.number)
            if located is None or located.start != entry.start:
                return "the signed revision has another dictionary under this object number", "failed"
            if then != now:
                return "a later revision defines the signature dictionary anew", "failed"
        return _fields_agree(view, signed, entry), "failed"
    except (SyntaxFault, BudgetSpent) as error:
        unchanged = view.start_section == signed.start_section or isinstance(error, BudgetSpent)
        return f"the signed revision cannot be compared: {error}", "indeterminate" if unchanged else "failed"


def _fields_agree(view: View, signed: View, entry: SignatureEntry) -> str | None:
    """Each field that shows this signature now showed it in the signed revision."""
    for number in entry.field_objects:
        then, now = signed.locate(number), view.locate(number)
        if then is None or now is None or not isinstance(then.value, Dictionary):
            return f"field object {number} was not there when the signature was made"
        if entry.number is None:
            if then.start != now.start:
                return f"field object {number} was rewritten after the signature"
            continue
        if signed.inherited(then.value, "V", MAX_DEPTH) != Ref(entry.number, entry.generation):
            return f"field object {number} held another value when the signature was made"
    return None


def _direct_values(dictionary: Dictionary) -> list[tuple[str | None, Severity]]:
    """G8. No value of the dictionary is an indirect reference."""
    problems: list[tuple[str | None, Severity]] = []
    for key, value in dictionary.items():
        if isinstance(value, Ref):
            severity: Severity = "failed" if key in ("Contents", "ByteRange") else "warning"
            problems.append((f"/{key} is an indirect reference", severity))
    return problems


def _duplicates(dictionary: Dictionary) -> list[tuple[str | None, Severity]]:
    """G9. No key stands twice."""
    return [
        (f"/{key} stands twice", "failed" if key in FATAL_DUPLICATES else "indeterminate")
        for key in dict.fromkeys(dictionary.duplicates)
    ]
