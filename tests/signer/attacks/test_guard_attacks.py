"""Rules G1 to G10, each broken on purpose in every suite; where it can be, with a CMS that is right for what it covers."""

# ruff: noqa: E501 - one attack in one line

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from signer.report import Verdict
from tests.conftest import Circle, circle_of
from tests.signer import rawpdf
from tests.signer.attacks.victim import (
    CATALOG,
    CONTENT,
    OTHER_CONTENT,
    PAGE,
    PARTS,
    contract,
    countersigned,
    digits,
    forged,
    last_startxref,
)
from tests.signer.test_verify import cms, verify

FAILED, OPEN, PASSED = Verdict.TOTAL_FAILED, Verdict.INDETERMINATE, Verdict.TOTAL_PASSED


@dataclass(frozen=True)
class Attack:
    name: str
    rule: str
    """The rule that must be reported as broken."""
    make: Callable[[Circle], bytes]
    verdict: Verdict = FAILED
    """Of the file."""


def honest(a: int, b: int, size: int) -> tuple[int, ...]:
    return 0, a, b, size - b


def over(make: Callable[[bytes], bytes]) -> Callable[[Circle], bytes]:
    """Attack a file that was signed honestly."""
    return lambda circle: make(contract(circle.suite_name))


def shaped(text: str) -> Callable[[Circle], bytes]:
    return lambda circle: forged(circle, honest, text=text)


def ranged(ranges: Callable[[int, int, int], tuple[int, ...]]) -> Callable[[Circle], bytes]:
    return lambda circle: forged(circle, ranges)


def renamed(old: bytes, new: bytes) -> Callable[[Circle], bytes]:
    """Sign with one name in the dictionary written otherwise."""
    return lambda circle: forged(circle, honest, change=lambda data: data.replace(old, new, 1))


def in_dictionary(more: bytes) -> Callable[[Circle], bytes]:
    return lambda circle: forged(circle, honest, change=lambda data: data.replace(b"/M (D:", more + b" /M (D:", 1))


def dictionary(data: bytes) -> bytes:
    start = data.index(b"6 0 obj\n") + 8
    return data[start : data.index(b"\nendobj", start)]


def without_prev(data: bytes) -> bytes:
    later = rawpdf.update(data, {**{int(k[1:]): v for k, v in PARTS.items()}, 4: OTHER_CONTENT})
    at = later.rindex(b" /Prev ")
    return later[:at] + re.sub(rb" /Prev \d+", lambda m: b" " * len(m.group()), later[at:])


def prev_loop(data: bytes) -> bytes:
    later = rawpdf.update(data, {77: b"null"})
    own = b"/Prev %d" % last_startxref(later)
    at = later.rindex(b"/Prev ")
    return later[:at] + re.sub(rb"/Prev \d+", own, later[at:])


def without_section(data: bytes) -> bytes:
    """Append objects with the old startxref again: only a reader that searches the file finds them."""
    return data + b"4 0 obj\n" + OTHER_CONTENT + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % last_startxref(data)


def without_trailer(data: bytes) -> bytes:
    at = len(data)
    return (
        data
        + b"4 0 obj\n"
        + OTHER_CONTENT
        + b"\nendobj\nxref\n4 1\n%010d 00000 n \nstartxref\n%d\n%%%%EOF\n"
        % (
            at,
            at + len(OTHER_CONTENT) + 17,
        )
    )


def copied_signature(data: bytes) -> bytes:
    """The body and the signature once more, with a change, behind the signed file."""
    return rawpdf.update(data, {4: OTHER_CONTENT, 6: dictionary(data)})


def skipped(data: bytes) -> bytes:
    """A third revision that leads back to the first, past the second and its signature."""
    later = rawpdf.sign(lambda _: b"\x30\x00", data, digits=20)
    past = b"/Prev %d" % last_startxref(later)
    return rawpdf.update(later, {78: b"null"}).replace(past, b"/Prev %d" % last_startxref(data))


def swapped(circle: Circle) -> bytes:
    """Two signatures, each shown by the field of the other."""
    both = countersigned(circle.suite_name, contract(circle.suite_name))
    other = rawpdf.SIGNATURE_FIELD.replace(b"6 0 R", b"42 0 R")
    return rawpdf.update(both, {5: other, 41: rawpdf.SIGNATURE_FIELD.replace(b"Sig1", b"Sig41")})


def two_readings(circle: Circle) -> bytes:
    """A page tree that names its kids twice: one parser takes the first, another the last."""
    twice = b"<< /Type /Pages /Kids [3 0 R 30 0 R] /Count 2 /Kids [30 0 R 3 0 R] >>"
    bodies = rawpdf.objects(**PARTS) | {2: twice, 6: rawpdf.signature_dictionary(digits(circle.suite_name))}
    return rawpdf.fill_byte_range(rawpdf.assemble(bodies), cms(circle))


def two_places_to_count_from(circle: Circle) -> bytes:
    """Offsets from the first octet lead to one cross-reference table, those from the header to another."""
    shift = 1000
    out = bytearray(b"%" + b"-" * (shift - 2) + b"\n%PDF-1.7\n")
    bodies = rawpdf.objects(o3=rawpdf.PAGE) | {6: rawpdf.signature_dictionary(digits(circle.suite_name))}
    offsets = {}
    for number, body in (*sorted(bodies.items()), (40, OTHER_CONTENT)):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (4 if number == 40 else number, body)
    start = len(out)
    for moved, content in ((0, offsets[4]), (shift, offsets[40])):
        rows = offsets | {4: content}
        table = b"xref\n0 7\n0000000000 65535 f \n"
        table += b"".join(b"%010d 00000 n \n" % (rows[number] - moved) for number in range(1, 7))
        out += (table + b"trailer\n<< /Size 7 /Root 1 0 R >>\n").ljust(0 if moved else shift, b"\n")
    return rawpdf.fill_byte_range(bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start, cms(circle))


def two_forms(circle: Circle) -> bytes:
    twice = CATALOG.replace(b"/SigFlags 3", b"/SigFlags 3 /Fields [5 0 R]")
    bodies = rawpdf.objects(**PARTS) | {1: twice, 6: rawpdf.signature_dictionary(digits(circle.suite_name))}
    return rawpdf.fill_byte_range(rawpdf.assemble(bodies), cms(circle))


def two_counts(circle: Circle) -> bytes:
    twice = b"<< /Type /Pages /Kids [3 0 R 30 0 R] /Count 2 /Count 1 >>"
    bodies = rawpdf.objects(**PARTS) | {2: twice, 6: rawpdf.signature_dictionary(digits(circle.suite_name))}
    return rawpdf.fill_byte_range(rawpdf.assemble(bodies), cms(circle))


# fmt: off
ATTACKS = [
    Attack("two-places-to-count-from", "G4", two_places_to_count_from, OPEN),
    # G1: another shape of /ByteRange
    Attack("range-starts-behind-the-header", "G1", ranged(lambda a, b, n: (9, a - 9, b, n - b))),
    Attack("range-of-one-piece", "G1", shaped("[{0} {1}]")),
    Attack("range-of-three-pieces", "G1", ranged(lambda a, b, n: (0, a, b, 10, b + 10, n - b - 10))),
    Attack("range-with-a-fifth-number", "G1", shaped("[{0} {1} {2} {3} 0]")),
    Attack("range-in-reals", "G1", shaped("[{0}. {1} {2} {3}]")),
    Attack("range-negative", "G1", shaped("[{0} {1} {2} -{3}]")),
    Attack("range-beyond-the-file", "G1", shaped("[{0} {1} {2} {3}0]")),
    Attack("range-without-a-gap", "G1", ranged(lambda a, b, n: (0, b, b, n - b))),
    Attack("range-backwards", "G1", shaped("[{0} {2} {1} {3}]")),
    Attack("range-null", "G1", shaped("null")),
    Attack("range-empty", "G1", shaped("[]")),
    Attack("range-as-text", "G1", shaped("(0 {1} {2} {3})")),
    Attack("range-with-a-reference", "G1", shaped("[{0} {1} {2} 9 0 R]")),
    Attack("range-by-reference", "G8", shaped("99 0 R")),
    Attack("range-missing", "G1", renamed(b"/ByteRange", b"/ByteRanje")),
    # G2: the gap is something else than /Contents
    Attack("gap-wider-at-the-end", "G2", ranged(lambda a, b, n: (0, a, b + 20, n - b - 20))),
    Attack("gap-wider-at-the-beginning", "G2", ranged(lambda a, b, n: (0, a - 20, b, n - b))),
    Attack("gap-narrower", "G2", ranged(lambda a, b, n: (0, a, b - 1, n - b + 1))),
    Attack("gap-without-its-brackets", "G2", ranged(lambda a, b, n: (0, a + 1, b - 1, n - b + 1))),
    Attack("gap-over-the-rest-of-the-file", "G2", ranged(lambda a, b, n: (0, a, n - 6, 6))),
    Attack("gap-in-another-string", "G2", lambda c: forged(c, lambda a, b, n: (0, n - 200, n - 100, 100))),
    Attack("wrapped-contents", "G2", lambda c: forged(c, honest, change=lambda d: d.replace(b"/ByteRange", b"/Contents (x) /ByteRange", 1))),
    # G3: the range ends elsewhere than the revision
    Attack("tail-uncovered", "G3", ranged(lambda a, b, n: (0, a, b, n - b - 30))),
    Attack("tail-before-the-marker", "G3", ranged(lambda a, b, n: (0, a, b, n - b - 6))),
    Attack("tail-of-two-lines", "G3", lambda c: forged(c, honest, tail=b"\n")),
    Attack("range-into-a-later-revision", "G3", lambda c: rawpdf.fill_byte_range(rawpdf.update(
        rawpdf.assemble(rawpdf.objects(**PARTS) | {6: rawpdf.signature_dictionary(digits(c.suite_name))}), {77: b"(x)"}), cms(c))),
    # G4: two readers start at two places
    Attack("startxref-into-nothing", "G4", over(lambda d: d + b"startxref\n12\n%%EOF\n")),
    Attack("startxref-beyond-the-file", "G4", over(lambda d: d + b"startxref\n99999999\n%%EOF\n")),
    Attack("startxref-without-a-number", "G4", over(lambda d: d + b"startxref\n%%EOF\n")),
    Attack("startxref-without-a-marker", "G4", over(lambda d: rawpdf.update(d, {4: OTHER_CONTENT})[: -len(b"%%EOF\n")])),
    # G5: something behind the end
    Attack("objects-behind-the-end", "G5", over(lambda d: d + b"4 0 obj\n" + OTHER_CONTENT + b"\nendobj\n")),
    Attack("startxref-behind-the-end", "G5", over(lambda d: d + b"startxref\n%d\n" % last_startxref(d))),
    Attack("one-octet-behind-the-end", "G5", over(lambda d: d + b"x")),
    # G6: revisions out of order
    Attack("revision-without-prev", "G6", over(without_prev)),
    Attack("revisions-in-a-loop", "G6", over(prev_loop)),
    Attack("revision-without-a-section", "G6", over(without_section)),
    Attack("revision-without-a-trailer", "G6", over(without_trailer)),
    Attack("section-of-a-revision-skipped", "G6", over(skipped)),
    # G7: the dictionary is another one
    Attack("reason-spoofed", "G7", over(lambda d: rawpdf.update(d, {6: dictionary(d).replace(b"/M (D:2026", b"/M (D:2020")}))),
    Attack("dictionary-rewritten-as-it-was", "G7", over(lambda d: rawpdf.update(d, {6: dictionary(d)}))),
    Attack("dictionary-freed", "G7", over(lambda d: rawpdf.update(d, {6: b"null"}))),
    Attack("field-led-elsewhere", "G7", over(lambda d: rawpdf.update(d, {5: rawpdf.SIGNATURE_FIELD.replace(b"6 0 R", b"50 0 R"), 50: dictionary(d)}))),
    Attack("field-added-later", "G7", over(lambda d: rawpdf.update(d, {1: CATALOG.replace(b"13 0 R]", b"13 0 R 50 0 R]"), 50: rawpdf.SIGNATURE_FIELD.replace(b"Sig1", b"Boss")}))),
    Attack("signature-copied-behind", "G7", over(copied_signature)),
    Attack("two-signatures-swapped", "G7", swapped),
    # G8: values by reference
    Attack("contents-by-reference", "G8", lambda c: contract(c.suite_name).replace(b"/Contents <", b"/Contents 77 0 R /X <", 1)),
    # G9: a key twice
    Attack("contents-twice", "G9", in_dictionary(b"/Contents <30>")),
    Attack("contents-twice-in-another-spelling", "G9", in_dictionary(b"/Content#73 <30>")),
    Attack("range-twice", "G9", in_dictionary(b"/ByteRange [0 1 2 3]")),
    Attack("subfilter-twice", "G9", in_dictionary(b"/SubFilter /adbe.x509.rsa_sha1")),
    Attack("certificate-twice", "G9", in_dictionary(b"/Cert <30> /Cert <31>")),
    Attack("type-twice", "G9", in_dictionary(b"/Type /Sig"), OPEN),
    Attack("reason-twice", "G9", in_dictionary(b"/Reason (yes) /Reason (no)"), OPEN),
    # G10: two parsers, two documents
    Attack("pages-named-twice", "G10", two_readings, OPEN),
    Attack("fields-named-twice", "G10", two_forms, OPEN),
    Attack("count-named-twice", "G10", two_counts, OPEN),
]
# fmt: on


def test_the_victim_itself_is_whole(suite_name: str, circle: Circle) -> None:
    report = verify(contract(suite_name), circle)
    assert report.verdict is PASSED, report.signatures[0].reason
    rules = [check.id.split("-")[0] for check in report.signatures[0].checks if re.match(r"G\d", check.id)]
    assert rules == [f"G{n}" for n in range(1, 11)]
    assert {warning.code for warning in report.warnings} <= {"covered-content"}
    again = verify(forged(circle, honest), circle)
    assert again.verdict is PASSED, "the forger's tools make an honest file where nothing is forged"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.rule}-{attack.name}")
def test_the_guard_finds_it(attack: Attack, kind_suite: str) -> None:
    circle = circle_of(kind_suite)
    report = verify(attack.make(circle), circle)
    assert report.signatures, "the signature is listed"
    assert report.verdict is attack.verdict, [(s.verdict, s.reason) for s in report.signatures]
    broken = {c.id.split("-")[0] for s in report.signatures for c in s.checks if c.result == "failed"}
    assert attack.rule in broken, broken
    touched = [
        s
        for s in report.signatures
        if any(c.id.startswith(attack.rule + "-") and c.result == "failed" for c in s.checks)
    ]
    assert all(s.verdict is not PASSED for s in touched)
    if attack.verdict is FAILED:
        assert any(s.sub_indication == "FORMAT_FAILURE" for s in report.signatures if s.verdict is FAILED)


# -- universal signature forgery: listed, never good ---------------------------------------------------

USELESS = [
    b"",
    b"<>",
    b"null",
    b"()",
    b"0",
    b"99 0 R",
    b"[]",
    b"/Name",
    b"<<>>",
    b"true",
    b"<00>",
    b"(" + b"\\000" * 20 + b")",
]


@pytest.mark.parametrize("value", USELESS)
@pytest.mark.parametrize("key", [b"Contents", b"ByteRange"])
def test_usf_a_useless_value_is_listed_and_never_good(key: bytes, value: bytes, signing_suite: str) -> None:
    data = contract(signing_suite)
    own = dictionary(data)
    pattern = rb"/Contents <[0-9a-f]*>" if key == b"Contents" else rb"/ByteRange \[[^\]]*\]"
    entry = b"/" + key + b" " + value if value else b""
    bodies = rawpdf.objects(**PARTS) | {6: re.sub(pattern, lambda _: entry, own)}
    report = verify(rawpdf.assemble(bodies), None)
    assert report.signatures
    assert report.verdict in (FAILED, OPEN)
    assert all(s.cryptographic.result != "passed" for s in report.signatures)


def test_a_pages_content_is_what_the_attacks_change() -> None:
    """The attacks would be worthless if the other content were the same."""
    assert CONTENT != OTHER_CONTENT
    assert b"4 0 R" in PAGE
