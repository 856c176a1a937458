"""EU DSS and Poppler's pdfsig beside our verdicts, on files of ours, valid and modified, and on files of others.

Where one says good and the other bad, the file stands in a table here with our verdict and the rule behind it; a new
disagreement fails the test. "Good" is: every signature is intact and nothing after it is forbidden; whom to trust is
not asked about. "Open" is: could not be established. A judge that does not know an algorithm is asked about none of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from certs.errors import SealroadError
from certs.trust import TrustStore
from signer.report import Report, Verdict
from signer.sandbox import Sandbox
from tests.conftest import CLOCK, make_pdf
from tests.interop import papers
from tests.interop.papers import MOMENT
from tests.interop.programs import Program, dss
from tests.interop.test_pdf_tools import FORMS, sign
from tests.signer import rawpdf
from tests.signer.forms import made as filled_form

pytestmark = [pytest.mark.interop]

Word = Literal["good", "bad", "open", "nothing", "unreadable"]

DSS_SUITES = (
    *("rsa", "rsa-pss", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ecdsa-bp256", "ecdsa-bp384", "ecdsa-bp512"),
    "ed25519",
)
PDFSIG_SUITES = ("rsa", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521")

DISAGREED = {
    "dss/DSS1376-rev_n-1.pdf": "good: text fields were filled in, value and picture together",
    "dss/DSS1376-rev_n-2.pdf": "good: text fields were filled in, value and picture together",
    "dss/DSS1376-rev_n.pdf": "good: text fields were filled in, value and picture together, and a signature added",
    "dss/hide.pdf": "bad: a later revision that cannot be read",
    "dss/pades-spoofing-replaced-reason.pdf": "bad: G7, a later revision redefines the signature dictionary",
    "dss/pdf-signed-added-page.pdf": "bad: a page was added after signing",
    "dss/test-with-vri.pdf": "bad: a locked field was filled in",
    "node-signpdf/incrementally_signed.pdf": "good: signed attributes are verified as they are written, also unsorted",
    "node-signpdf/signed-once.pdf": "good: signed attributes are verified as they are written, also unsorted",
    "node-signpdf/signed-twice.pdf": "good: signed attributes are verified as they are written, also unsorted",
    "node-signpdf/signed.pdf": "good: signed attributes are verified as they are written, also unsorted",
    "pyhanko/form-update-override-appearance-stream-ap-indirect-sneaky.pdf": "bad: a key of the catalog was added",
    "pyhanko/form-update-override-appearance-stream-sneaky.pdf": "bad: a key of the catalog was added",
    "pyhanko/one-byterange.pdf": "bad: G1, two numbers in /ByteRange",
    "pyhanko/signature-gap-too-big.pdf": "bad: G2, the gap is more than the value of /Contents",
    "pyhanko/tail-uncovered.pdf": "bad: G3, the range ends before its revision",
    "pyhanko/weird-byterange.pdf": "bad: G1, six numbers in /ByteRange",
    "siva-test/hellopades-lt-sha256-ec224.pdf": "good: P-224 is computed, and called weak",
    "testarea-pdfbox2/isa_A.pdf": "bad: G4, the file has another last startxref",
    "testarea-pdfbox2/isa_C.pdf": "bad: a later revision that cannot be read",
    "testarea-pdfbox2/isa_D.pdf": "bad: G4, the file has another last startxref",
    "testarea-pdfbox2/isa_F.pdf": "bad: G4, the file has another last startxref",
    "testarea-pdfbox2/isa_H.pdf": "bad: a forbidden change after signing",
    "testarea-pdfbox2/siwa_A.pdf": "bad: G1 to G3",
    "testarea-pdfbox2/siwa_B.pdf": "bad: G1 to G3",
    "testarea-pdfbox2/siwa_D.pdf": "bad: G1 to G3",
}
"""Files of which one program or another says good where another says bad, with our verdict and our rule."""
NOT_COUNTED = {"verapdf-corpus/veraPDF_test_suite_6-1-12-t01-pass-a.pdf"}
"""A usage-rights signature: a note, not a signature of a person."""


@dataclass(frozen=True)
class Answer:
    """One judge on one file."""

    word: Word
    count: int
    """Signatures and document time-stamps found."""


def ours(files: list[tuple[str, bytes]]) -> dict[str, Answer]:
    sandbox = Sandbox(trust=TrustStore(), clock=CLOCK)
    return {name: _our_word(outcome) for name, _, outcome in sandbox.verify_each(iter(files), at_once=2)}


def _our_word(outcome: Report | SealroadError) -> Answer:
    if isinstance(outcome, SealroadError):
        return Answer("unreadable", 0)
    found = outcome.signatures
    if any(s.verdict is Verdict.TOTAL_FAILED for s in found):
        return Answer("bad", len(found))
    good = [
        s.cryptographic.result == "passed"
        and s.sub_indication != "FORMAT_FAILURE"
        and (s.changes_after is None or s.changes_after.level != "unknown")
        for s in found
    ]
    return Answer(("good" if all(good) else "open") if found else "nothing", len(found))


def by_dss(paths: list[Path], directory: Path) -> dict[Path, Answer]:
    """Ask EU DSS about all files in one run."""
    jobs = directory / "dss.tsv"
    jobs.write_text("".join(f"{path}\t{MOMENT}\t\t\n" for path in paths))
    rows: dict[Path, list[list[str]]] = {path: [] for path in paths}
    for line in dss().run(jobs).check().output.decode().splitlines():
        name, *rest = line.split("\t")
        rows[Path(name)].append(rest)
    return {path: _dss_word(found) for path, found in rows.items()}


def _dss_word(rows: list[list[str]]) -> Answer:
    if len(rows[0]) < 3:
        return Answer("nothing" if rows[0][1] == "nothing" else "unreadable", 0)
    bad = any(indication.endswith("FAILED") or changes == "undefined" for *_, indication, _, changes in rows)
    good = all(valid == "true" for _, _, valid, *_ in rows)
    return Answer("bad" if bad else "good" if good else "open", len(rows))


def by_pdfsig(paths: list[Path]) -> dict[Path, Answer]:
    program = Program.find("pdfsig")
    return {path: _pdfsig_word(program.run("-nocert", path).text) for path in paths}


def _pdfsig_word(text: str) -> Answer:
    found = re.findall(r"Signature Validation: (.*)", text)
    if any(line.startswith(("Digest Mismatch", "Signature is Invalid")) for line in found):
        return Answer("bad", len(found))
    good = all(line.startswith("Signature is Valid") for line in found)
    return Answer(("good" if good else "open") if found else "nothing", len(found))


# -- our own files ------------------------------------------------------------------------------------


def _page_replaced(data: bytes) -> bytes:
    return rawpdf.update(data, {5: rawpdf.stream(b"BT /F1 24 Tf 72 720 Td (Another text) Tj ET")})


def _value_altered(data: bytes) -> bytes:
    """Change one digit in the middle of the CMS, where its signature value or a certificate is."""
    start = data.index(b"/Contents <") + 11
    end = len(data[start : data.index(b">", start)].rstrip(b"0")) + start
    at = end - 20
    return data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :]


def _one_more(found: re.Match[bytes]) -> bytes:
    return found[1] + b"%0*d" % (len(found[2]), int(found[2]) + 1)


MODIFIED: dict[str, Callable[[bytes], bytes]] = {
    "one-octet": lambda data: data.replace(b"(Sealroad)", b"(Sealroat)", 1),
    "page-replaced": _page_replaced,
    "value-altered": _value_altered,
    "range-moved": lambda data: re.sub(rb"(/ByteRange\s*\[0 )(\d+)", _one_more, data, count=1),
}


def made(desk: Path, suites: tuple[str, ...]) -> dict[str, Path]:
    """Return files of ours by name; what is behind a colon was done to them."""
    out: dict[str, Path] = {}
    for suite in suites:
        paper = papers.of(suite, desk)
        for form in FORMS:
            signed = sign(paper, make_pdf(), form)
            variants = {"": signed}
            if form == "invisible":
                variants |= {f":{name}": change(signed) for name, change in MODIFIED.items()}
                variants[":twice"] = sign(paper, signed, "visible", "Second")
            for what, data in variants.items():
                path = paper.file(f"opinion-{form}{what.replace(':', '-')}.pdf")
                path.write_bytes(data)
                out[f"{suite} {form}{what}"] = path
    return out


def expected(name: str) -> Word:
    return "bad" if name.partition(":")[2] in MODIFIED else "good"


def test_dss_agrees_on_files_of_ours(desk: Path, tmp_path: Path) -> None:
    files = made(desk, DSS_SUITES)
    theirs = by_dss(list(files.values()), tmp_path)
    mine = ours([(name, path.read_bytes()) for name, path in files.items()])
    assert {name: mine[name].word for name in files} == {name: expected(name) for name in files}
    differing = {name: theirs[path] for name, path in files.items() if theirs[path].word != expected(name)}
    unknown = {name: answer for name, answer in differing.items() if answer.word == "open" and expected(name) == "bad"}
    assert differing == unknown
    assert all(name.endswith((":range-moved", ":value-altered")) for name in unknown), unknown


def test_pdfsig_agrees_on_files_of_ours(desk: Path) -> None:
    files = made(desk, PDFSIG_SUITES)
    theirs = by_pdfsig(list(files.values()))
    mine = ours([(name, path.read_bytes()) for name, path in files.items()])
    assert {name: mine[name].word for name in files} == {name: expected(name) for name in files}
    differing = {name for name, path in files.items() if theirs[path].word != expected(name)}
    # what came after the signed octets, and how far they reach, may be no question of another program
    assert all(name.endswith((":page-replaced", ":range-moved", ":value-altered")) for name in differing), differing


def test_pdfsig_and_dss_on_what_two_parties_filled_in(desk: Path, tmp_path: Path) -> None:
    """Both signatures are intact for all; only EU DSS calls a filled text field an undefined change, as in DSS1376."""
    files = []
    for suite in ("rsa", "ecdsa-p256"):
        files.append(tmp_path / f"filled-{suite}.pdf")
        files[-1].write_bytes(filled_form.contract(suite))
    mine = ours([(path.name, path.read_bytes()) for path in files])
    assert list(mine.values()) == [Answer("good", 2)] * 2
    assert list(by_pdfsig(files).values()) == [Answer("good", 2)] * 2
    jobs = tmp_path / "dss.tsv"
    jobs.write_text("".join(f"{path}\t{MOMENT}\t\t\n" for path in files))
    rows = [line.split("\t") for line in dss().run(jobs).check().output.decode().splitlines()]
    assert [(valid, changes) for _, _, _, valid, *_, changes in rows] == [("true", "undefined"), ("true", "none")] * 2


# -- files of others ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def foreign(corpus: Path) -> dict[str, Path]:
    manifest = json.loads((corpus / "pdf" / "manifest.json").read_text())
    return {entry["file"]: corpus / "pdf" / entry["file"] for entry in manifest["files"]}


@pytest.fixture(scope="module")
def ours_on_foreign(foreign: dict[str, Path]) -> dict[str, Answer]:
    return ours([(name, path.read_bytes()) for name, path in foreign.items()])


def compare(mine: dict[str, Answer], theirs: dict[str, Answer], capsys: pytest.CaptureFixture[str]) -> None:
    conflicts = {name for name in mine if {mine[name].word, theirs[name].word} == {"good", "bad"}}
    with capsys.disabled():
        counts: dict[tuple[str, str], int] = {}
        for name, answer in mine.items():
            pair = (answer.word, theirs[name].word)
            counts[pair] = counts.get(pair, 0) + 1
        print("\n" + "\n".join(f"ours {a:10} theirs {b:10} {n}" for (a, b), n in sorted(counts.items())))
    assert conflicts <= DISAGREED.keys()
    assert {name: mine[name].word for name in DISAGREED} == {
        n: words.partition(":")[0] for n, words in DISAGREED.items()
    }
    fewer = {name for name in mine if mine[name].count < theirs[name].count and mine[name].word != "unreadable"}
    assert fewer <= NOT_COUNTED, "a signature that another program lists is not listed by us"


@pytest.mark.corpus
@pytest.mark.long
def test_dss_on_files_of_others(
    foreign: dict[str, Path], ours_on_foreign: dict[str, Answer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = by_dss(list(foreign.values()), tmp_path)
    compare(ours_on_foreign, {name: theirs[path] for name, path in foreign.items()}, capsys)


@pytest.mark.corpus
def test_pdfsig_on_files_of_others(
    foreign: dict[str, Path], ours_on_foreign: dict[str, Answer], capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = by_pdfsig(list(foreign.values()))
    compare(ours_on_foreign, {name: theirs[path] for name, path in foreign.items()}, capsys)
