"""The report keeps its promise: the fields of the interface, three languages, nothing a document can steer."""

from __future__ import annotations

import ast
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest

from signer import verify
from signer.etsi_report import SUB_INDICATIONS
from signer.report import (
    ChangesReport,
    CheckResult,
    IdentifierReport,
    LayerReport,
    Notice,
    Report,
    RevisionReport,
    SignatureReport,
    SignerReport,
    TimeReport,
    Verdict,
    overall,
    stamp,
    to_text,
)
from signer.text import LANGUAGES, html, strings
from signer.text.pictures import Mark, PagePicture
from signer.text.render import notice, text

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SIGNER = SignerReport(
    subject="CN=王小明, O=山河贸易有限公司, C=CN",
    issuer="CN=Sealroad closed circle SM2, C=CN",
    serial="1f",
    not_before=NOON,
    not_after=NOON + timedelta(days=365),
    common_name="王小明",
    organisation="山河贸易有限公司",
    identifiers=(
        IdentifierReport("CN-USCC", "91350211M000100Y43", checksum_ok=True),
        IdentifierReport("RU-INN", "7707083890", checksum_ok=False),
        IdentifierReport("VAT-XX", "1", checksum_ok=None),
    ),
)


def signature(**more: object) -> SignatureReport:
    values: dict[str, object] = {
        "field": "Signature1",
        "kind": "signature",
        "verdict": Verdict.TOTAL_PASSED,
        "suite": "sm2",
        "signature_algorithm": "1.2.156.10197.1.501",
        "digest_algorithm": "1.2.156.10197.1.401",
        "subfilter": "ETSI.CAdES.detached",
        "level": "B-T",
        "signer": SIGNER,
        "signed_at": TimeReport(NOON, "timestamp"),
        "revision": RevisionReport(1, 3, covers_whole_file=False),
        "changes_after": ChangesReport("form-filling", ("signature added in new field 'Sig2'",)),
        "cryptographic": LayerReport("passed"),
        "recognised": (("CN", LayerReport("not-checked")),),
        "checks": (CheckResult("G1-byte-range-shape", "ISO 32000-2 12.8.1", "passed", "[0 1 2 3]"),),
    }
    return SignatureReport(**(values | more))  # type: ignore[arg-type]


def report(*signatures: SignatureReport, **more: object) -> Report:
    values: dict[str, object] = {
        "file": "contract.pdf",
        "sha256": "00" * 32,
        "checked_at": NOON,
        "verdict": overall(signatures),
        "signatures": signatures,
    }
    return Report(**(values | more))  # type: ignore[arg-type]


INTERFACE = {
    "": {"schema", "file", "sha256", "checked_at", "verdict", "answers", "signatures", "receipts", "warnings"},
    "signature": {
        "field", "kind", "verdict", "sub_indication", "suite", "signature_algorithm", "digest_algorithm", "subfilter",
        "level", "signer", "signed_at", "revision", "changes_after", "layers", "checks",
    },
    "signer": {"subject", "issuer", "serial", "not_before", "not_after", "identifiers"},
}  # fmt: skip


def test_json_has_every_promised_field() -> None:
    body = json.loads(report(signature()).dumps())
    assert body["schema"] == "sealroad.report/1"
    assert INTERFACE[""] <= body.keys()
    (one,) = body["signatures"]
    assert INTERFACE["signature"] <= one.keys()
    assert INTERFACE["signer"] <= one["signer"].keys()
    assert one["signer"]["identifiers"][0] == {"scheme": "CN-USCC", "value": "91350211M000100Y43", "checksum_ok": True}
    assert one["signed_at"] == {"value": "2026-11-21T12:00:00Z", "source": "timestamp"}
    assert one["revision"] == {"index": 1, "of": 3, "covers_whole_file": False}
    assert one["changes_after"]["level"] == "form-filling"
    assert one["layers"]["cryptographic"] == {"result": "passed"}
    assert one["layers"]["agreed"] == {"result": "not-checked", "basis": None}
    assert one["layers"]["recognised"] == [{"jurisdiction": "CN", "result": "not-checked", "basis": None}]
    assert one["checks"][0].keys() >= {"id", "clause", "result", "detail"}


def test_json_keeps_people_s_names_readable() -> None:
    assert "王小明" in report(signature()).dumps()


def test_moments_are_printed_in_utc() -> None:
    assert stamp(datetime(2026, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))) == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((), Verdict.NO_SIGNATURE),
        ((Verdict.TOTAL_PASSED,), Verdict.TOTAL_PASSED),
        ((Verdict.TOTAL_PASSED, Verdict.INDETERMINATE), Verdict.INDETERMINATE),
        ((Verdict.INDETERMINATE, Verdict.TOTAL_FAILED, Verdict.TOTAL_PASSED), Verdict.TOTAL_FAILED),
    ],
)
def test_a_file_is_as_good_as_its_worst_signature(verdicts: tuple[Verdict, ...], expected: Verdict) -> None:
    assert overall(tuple(signature(verdict=v) for v in verdicts)) is expected


def test_all_languages_have_the_same_words() -> None:
    tables = {lang: strings(lang) for lang in LANGUAGES}
    for lang in LANGUAGES:
        assert tables[lang].keys() == tables["en"].keys(), lang
        assert all(value.strip() for value in tables[lang].values())
        for key, value in tables[lang].items():
            assert set(re.findall(r"\{\w+\}", value)) == set(re.findall(r"\{\w+\}", tables["en"][key])), key


def test_every_sub_indication_and_code_that_is_given_has_words() -> None:
    """Read from the source: a new one cannot be forgotten in the tables."""
    from pathlib import Path

    import signer

    root = Path(signer.__file__).parent
    source = "".join(p.read_text() for p in [root / "verify.py", *(root / "verification").glob("*.py")])
    words = strings("en")
    subs = set(re.findall(r'"([A-Z][A-Z_]{5,}(?:FAILURE|FOUND|POE|LATER|REVOKED|EXPIRED|VALID|GENERIC))"', source))
    assert subs
    assert {s for s in subs if f"sub.{s}" not in words} == set()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("verbose", [False, True])
def test_text_in_every_language(lang: str, verbose: bool) -> None:
    one = report(
        signature(),
        signature(verdict=Verdict.TOTAL_FAILED, sub_indication="HASH_FAILURE", reason="digest differs", level=None),
        signature(verdict=Verdict.INDETERMINATE, sub_indication="GENERIC", code="unsupported-subfilter", signer=None),
        warnings=(Notice("usage-rights", "a usage-rights signature"),),
        empty_fields=("Buyer",),
    )
    text = to_text(one, lang, verbose=verbose)
    words = strings(lang)
    assert text.splitlines()[0].startswith("contract.pdf: TOTAL-FAILED")
    for expected in ("王小明", "山河贸易有限公司", "CN-USCC 91350211M000100Y43 ✓", "7707083890 ✗", "VAT-XX 1", "sm2"):
        assert expected in text
    assert words["sub.HASH_FAILURE"] in text
    assert words["code.unsupported-subfilter"] in text
    assert words["changes.form-filling"] in text
    assert "Buyer" in text
    assert ("G1-byte-range-shape" in text) is verbose
    assert "\x1b" not in text
    assert "\x1b[31m" in to_text(one, lang, colour=True)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_is_called_legally_valid(lang: str) -> None:
    shown = to_text(report(signature()), lang, verbose=True) + html.page((report(signature()),), lang)
    for phrase in ("legally valid", "юридически действ", "具有法律效力", "合法有效"):
        assert phrase not in shown.lower()


def test_text_from_a_document_cannot_steer_the_terminal_or_the_page() -> None:
    evil = "\x1b[2J\x07\u202egnp.exe<script>alert(1)</script>\x9b"
    one = report(
        signature(
            field=evil,
            signer=SignerReport(evil, evil, "1", NOON, NOON, common_name=evil, organisation=evil),
            stated=(("reason", evil),),
            changes_after=ChangesReport("annotations", (evil,)),
        ),
        file=evil,
        warnings=(Notice("x", evil),),
    )
    text = to_text(one, "en", verbose=True)
    for bad in ("\x1b", "\x07", "\u202e", "\x9b"):
        assert bad not in text
    page = html.page((one,), "en")
    for bad in ("\x1b", "\u202e", "<script"):
        assert bad not in page


def test_html_is_well_formed_and_loads_nothing() -> None:
    drawn = PagePicture(1, b"\x89PNG", (Mark(1, Verdict.TOTAL_PASSED, 0.1, 0.2, 0.3, 0.4),))
    page = html.page((report(signature()), report()), "ru", {0: (drawn,)})
    stack: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert not {name for name, _ in attrs} & {"href", "onload", "onclick", "srcset"}
            assert tag not in {"script", "link", "iframe", "object", "form"}
            for name, value in attrs:
                assert name != "src" or (value or "").startswith("data:image/png;base64,")
            if tag not in {"meta", "img", "br"}:
                stack.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert stack.pop() == tag

    Parser().feed(page)
    assert stack == []
    assert page.count("url(") == page.count("url(data:font/ttf;base64,") > 0
    assert "@import" not in page
    assert '<html lang="ru">' in page
    assert "left:10.00%" in page


# -- the catalogue ------------------------------------------------------------------------------------

SAYS = {"passed": 0, "failed": 0, "unknown": 0, "skipped": 0, "_passed": 0, "Check": 0, "CheckResult": 0,
        "References": 0, "well_formed": 1}  # fmt: skip
"""Who names a check, and as which argument."""
IN_LAYERS = {"add": 0, "one_of": 0, "any_of": 0}
NOTES = {"warn": 0, "Notice": 0}
FORWARDS = {"check", "self.check", "check.id", "finding.rule", "rule", "identifier", "name", "code", "certificate"}
"""Arguments that hand on an id that somebody else wrote down; any other expression fails the test."""


def literals(calls: dict[str, int]) -> set[str]:
    """Collect the strings that stand in the given calls of the verifier's source."""
    import certs
    import signer

    roots = [Path(signer.__file__).parent, Path(certs.__file__).parent]
    files = [roots[0] / "verify.py", *(roots[0] / "verification").rglob("*.py"), *(roots[0] / "layers").rglob("*.py")]
    files += [roots[0] / "pdf" / "guard.py", roots[0] / "pdf" / "listing.py", *roots[1].glob("path*.py")]
    found: set[str] = set()
    files = [file for file in files if file.name != "reading.py"]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = (calls | (IN_LAYERS if file.name == "judge.py" and calls is SAYS else {})).get(called)
            if place is None or len(node.args) <= place:
                continue
            argument = node.args[place]
            if isinstance(argument, ast.Constant):
                assert isinstance(argument.value, str), (file, node.lineno)
                found.add(argument.value)
            else:
                assert ast.unparse(argument) in FORWARDS, (file.name, node.lineno, ast.unparse(argument))
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_check_has_a_name(lang: str) -> None:
    """Read from the source: a new check cannot be forgotten in the catalogue."""
    from signer.pdf.guard import CLAUSES

    wanted = (literals(SAYS) | set(CLAUSES) | {"certificate-form"}) - {"verify"}
    assert len(wanted) > 50
    assert {f"check.{name}" for name in wanted} - strings(lang).keys() == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_remark_has_a_sentence(lang: str) -> None:
    wanted = literals(NOTES) | {"usage-rights", "perms-unreadable", "byte-range-in-stream"}
    for file in Path(verify.__file__).with_name("pdf").glob("*.py"):
        wanted |= set(re.findall(r'(?:append\(\(|yield )"([a-z-]+)", ', file.read_text("utf-8")))
    assert len(wanted) > 10
    assert {f"notice.{name}" for name in wanted} - strings(lang).keys() == set()


def strings_in(pattern: str) -> set[str]:
    root = Path(verify.__file__).parent
    files = [root / "verify.py", *(root / "verification").glob("*.py")]
    return {found for file in files for found in re.findall(pattern, file.read_text("utf-8"))}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reason_has_a_sentence(lang: str) -> None:
    """Codes stand last in `failed`, `unknown` and `lower`, after the sub-indication."""
    codes = strings_in(r'"(?:GENERIC|[A-Z]+(?:_[A-Z]+)+)",\s*"([a-z-]+)"') | {
        "unreachable",
        "replaced",
        "unreadable",
        "limits",
    }
    assert "forbidden-change" in codes
    assert {f"code.{code}" for code in codes} - strings(lang).keys() == set()


def test_every_standard_sub_indication_has_a_sentence() -> None:
    assert {f"sub.{name}" for name in SUB_INDICATIONS} - strings("en").keys() == set()


def test_no_sentence_lies_idle() -> None:
    """A key of the catalogue is used somewhere, by its whole name or by the part before its last dots."""
    root = Path(verify.__file__).parent
    source = "".join(file.read_text("utf-8") for file in root.rglob("*.py") if file.stem not in {"en", "zh", "ru"})
    families = {"verdict", "mark", "sub", "code", "stated", "result", "kind", "time", "changes", "question", "answer",
                "report", "check", "notice", "detail", "summary", "layer", "label"}  # fmt: skip
    idle = [key for key in strings("en") if f'"{key}"' not in source and f"'{key}'" not in source]
    assert [key for key in idle if key.partition(".")[0] not in families] == []
    assert [key for key in idle if key.startswith("label.") and f"label.{key[6:]}" not in source
            and f'"{key[6:]}"' not in source] == []  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "ru"])
def test_nothing_in_english_stands_outside_the_technical_part(lang: str) -> None:
    """What the program can say in English only, a person reads in the folded details alone."""
    one = signature(
        verdict=Verdict.TOTAL_FAILED,
        sub_indication="HASH_FAILURE",
        reason="ENGLISH ONLY",
        checks=(CheckResult("message-digest", "RFC 5652 5.4", "failed", "ENGLISH ONLY"),),
        warnings=(Notice("padding", "ENGLISH ONLY"), Notice("from-tomorrow", "ENGLISH ONLY")),
    )
    made = report(one, warnings=(Notice("usage-rights", "ENGLISH ONLY"),))
    assert "ENGLISH ONLY" not in to_text(made, lang)
    page = html.page((made,), lang)
    assert "ENGLISH ONLY" not in page[: page.index("<details>")]
    assert "ENGLISH ONLY" in page[page.index("<details>") :]


def test_only_english_has_english_sentences_about_later_changes() -> None:
    told = ("revision 3: field added", "revision 3: page 2: stamp drawn", "revision 4: title changed")
    changed = signature(changes_after=ChangesReport("form-filling", told))
    shown = {lang: text(report(changed), lang, verbose=False, colour=False) for lang in ("en", "zh", "ru")}
    assert all(f"– {line}" in shown["en"] for line in told)
    assert "– 第 3 版第 2 页\n      – 第 4 版\n" in shown["zh"]
    assert "– редакция 3, страница 2\n      – редакция 4\n" in shown["ru"]
    assert not any("drawn" in shown[lang] or "title" in shown[lang] for lang in ("zh", "ru"))
    assert "stamp drawn" in text(report(changed), "zh", verbose=True, colour=False)


@pytest.mark.parametrize(
    ("code", "detail", "where"),
    [
        ("covered-content", "page 7: text lies under an image", "第 7 页"),
        ("not-covered", "no good signature covers later.txt", "later.txt"),
        ("fetch", "a page 7 nobody asked for", ""),
    ],
)
def test_a_remark_names_its_page_or_file_in_every_language(code: str, detail: str, where: str) -> None:
    words = strings("zh")
    said = notice(words, Notice(code, detail))
    assert said == words[f"notice.{code}"] + (f" ({where})" if where else "")
