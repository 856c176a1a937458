"""`sealroad verify` on folders and patterns, with layers, in every format."""

from __future__ import annotations

import json
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

from api.cli import main
from signer import cli_reports
from signer.cli_files import expand
from signer.errors import OptionError
from signer.report import Verdict
from signer.text import LANGUAGES, strings
from signer.text.summary import Row, columns_of, row_of, table
from tests.conftest import circle_of
from tests.signer import rawpdf
from tests.signer.conftest import check
from tests.signer.test_layers import agreement, policy
from tests.signer.test_report import report, signature
from tests.signer.test_verify import cms, document_stamp
from tests.signer.test_verify_cli import AT, files

__all__ = ["files"]
ORGANISATION = "Hansa Fracht GmbH"


def verify(files: SimpleNamespace, *arguments: str) -> int:
    return main(["verify", *arguments, "--trust", files.trust, *AT])


@pytest.fixture
def folder(files: SimpleNamespace) -> Path:
    """Two good files, one changed in a folder below, and what is to be passed over."""
    root: Path = files.dir / "contracts"
    (root / "2026" / "q4").mkdir(parents=True)
    (root / ".hidden").mkdir()
    good, bad = Path(files.good_pdf).read_bytes(), Path(files.changed_pdf).read_bytes()
    for name, data in (
        ("b.pdf", good),
        ("a.PDF", good),
        ("notes.txt", b"x"),
        (".secret.pdf", bad),
        ("2026/c.pdf", good),
        ("2026/q4/d.pdf", bad),
        (".hidden/e.pdf", bad),
    ):
        (root / name).write_bytes(data)
    return root


def test_a_folder_and_the_folders_in_it(
    files: SimpleNamespace, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(files, str(folder), "--format", "json") == 0
    assert [one["file"] for one in json.loads(capsys.readouterr().out)] == [str(folder / n) for n in ("a.PDF", "b.pdf")]
    assert verify(files, str(folder), "--format", "json", "--recursive") == 1
    body = json.loads(capsys.readouterr().out)
    assert [Path(one["file"]).name for one in body] == ["a.PDF", "b.pdf", "c.pdf", "d.pdf"]
    assert [one["verdict"] for one in body] == ["TOTAL-PASSED"] * 3 + ["TOTAL-FAILED"]
    for one in body:
        check(one)


def test_patterns(files: SimpleNamespace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert expand(["*.pdf"], recursive=False).names == ("b.pdf",)
    assert expand(["**/*.pdf"], recursive=True).names == ("2026/c.pdf", "2026/q4/d.pdf", "b.pdf")
    assert expand(["b.pdf", "*.pdf", "."], recursive=False).names == ("b.pdf", "a.PDF")
    assert expand([str(folder / "2026" / "?.pdf")], recursive=False).names == (str(folder / "2026" / "c.pdf"),)
    # a file that is really called so is that file
    Path("[x].pdf").write_bytes(b"")
    assert expand(["[x].pdf"], recursive=False).names == ("[x].pdf",)
    for nothing in (["*.doc"], ["2026/q4/none*"]):
        with pytest.raises(OptionError):
            expand(nothing, recursive=False)
    (folder / "empty").mkdir()
    with pytest.raises(OptionError, match="nothing to verify in empty"):
        expand(["empty"], recursive=True)


def test_links_to_folders_are_not_followed(files: SimpleNamespace, folder: Path) -> None:
    (folder / "2026" / "loop").symlink_to(folder)
    assert len(expand([str(folder)], recursive=True).names) == 4


def test_a_folder_of_one_file_is_an_array_still(
    files: SimpleNamespace, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(files, str(folder / "2026"), "--format", "json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 1


def test_a_file_that_cannot_be_read_does_not_end_the_rest(
    files: SimpleNamespace, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "aa.pdf").write_bytes(b"nothing")
    for form in ("json", "text", "html"):
        assert verify(files, str(folder), "--format", form, "--no-pictures") == 2
        captured = capsys.readouterr()
        assert "b.pdf" in captured.out
        assert "aa.pdf" in captured.err
    assert verify(files, str(folder), "--summary") == 2
    assert "aa.pdf" in capsys.readouterr().out


def test_nothing_readable_makes_no_pdf_and_no_xml(files: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    target = files.dir / "out"
    for form in ("pdf", "xml"):
        assert verify(files, files.text_pdf, files.text_pdf, "--format", form, "--out", str(target)) == 2
        assert "none of the files could be read" in capsys.readouterr().err
        assert not target.exists()
        assert not list(files.dir.glob(".out*"))


def test_the_files_are_not_kept(
    files: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Thirty files of a megabyte each: less than a third of them is ever held."""
    root = tmp_path / "many"
    root.mkdir()
    data = Path(files.good_pdf).read_bytes()
    monkeypatch.setattr("certs.trust.MAX_FILE", 1 << 20)  # what reading a trust file reserves
    for number in range(30):
        (root / f"{number:02}.pdf").write_bytes(data + b"\n" * 2**20)
    for form in ("json", "html", "xml", "summary"):
        arguments = ["--summary"] if form == "summary" else ["--format", form, "--no-pictures"]
        tracemalloc.start()
        verify(files, str(root), *arguments, "--out", str(tmp_path / "out"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 10 * 2**20, form


# -- formats ------------------------------------------------------------------------------------------


def test_xml(files: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(files, files.good_pdf, files.changed_pdf, files.unsigned_pdf, "--format", "xml") == 1
    root = ET.fromstring(capsys.readouterr().out.encode())
    found = [node.text for node in root.iter("{http://uri.etsi.org/19102/v1.4.1#}MainIndication")]
    assert [text.rpartition(":")[2] for text in found if text and "total" in text] == ["total-passed", "total-failed"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_html_and_pdf_with_pictures(files: SimpleNamespace, lang: str) -> None:
    page, paper = files.dir / "r.html", files.dir / "r.pdf"
    assert verify(files, files.good_pdf, "--format", "html", "--lang", lang, "--out", str(page)) == 0
    text = page.read_text("utf-8")
    assert strings(lang)["question.who"] in text
    assert "data:image/png;base64," in text
    assert verify(files, files.good_pdf, "--format", "pdf", "--lang", lang, "--out", str(paper)) == 0
    assert paper.read_bytes().startswith(b"%PDF-1.7")
    assert verify(files, files.good_pdf, "--format", "html", "--no-pictures", "--out", str(page)) == 0
    assert "<img" not in page.read_text("utf-8")


def test_a_pdf_is_not_thrown_at_a_terminal(files: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_reports.Output, "terminal", True)
    assert verify(files, files.good_pdf, "--format", "pdf") == 2


def test_a_pdf_on_standard_output(files: SimpleNamespace, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert verify(files, files.good_pdf, "--format", "pdf") == 0
    assert capfdbinary.readouterr().out.startswith(b"%PDF-")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_json_speaks_the_language(files: SimpleNamespace, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(files, files.good_pdf, "--format", "json", "--lang", lang) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["answers"][3]["sentence"] == strings(lang)["report.unchanged.none"]
    check(body)


def test_progress_only_on_a_terminal_and_only_for_long_work(
    files: SimpleNamespace, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(files, str(folder), "--summary")
    assert capsys.readouterr().err == ""
    clock = iter(range(1000))
    monkeypatch.setattr(cli_reports.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: True, raising=False)
    verify(files, str(folder), "--summary")
    err = capsys.readouterr().err
    assert "[2/2] b.pdf" in err
    assert err.endswith("\r\x1b[K")


# -- the table ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_columns_are_aligned_for_wide_letters(lang: str) -> None:
    rows = [
        Row("合同.pdf", Verdict.TOTAL_PASSED, 3, "王小明; Ёлкин", "2026-11-21 12:00:00 UTC"),
        Row("contract-with-a-long-name.pdf", Verdict.TOTAL_FAILED, 12, "", "2026-11-21 12:00:00 UTC"),
        Row("x", None),
    ]
    lines = table(rows, lang).splitlines()
    assert len(lines) == 6
    ends = [columns_of(line[: line.index("2026-11-21")]) for line in lines[1:3]]
    assert ends[0] == ends[1]
    starts = {
        columns_of(line[: line.index(word)]) for line, word in zip(lines[1:3], ("TOTAL-P", "TOTAL-F"), strict=True)
    }
    assert len(starts) == 1
    assert strings(lang)["summary.unreadable"] in lines[3]


def test_columns_of_marks_and_wide_letters() -> None:
    assert [columns_of(text) for text in ("abc", "合同", "é", "e\u0301", "ｗ", "\u200b", "𠮷")] == [3, 4, 1, 1, 2, 0, 2]


def test_a_name_nothing_bears_out_is_marked() -> None:
    bad = signature(verdict=Verdict.INDETERMINATE, sub_indication="NO_CERTIFICATE_CHAIN_FOUND")
    row = row_of(report(signature(), bad, signature(kind="document-timestamp")))
    assert row.signers == "王小明 (山河贸易有限公司); ? 王小明 (山河贸易有限公司)"
    assert row.signatures == 3


def test_a_long_list_of_names_is_cut_by_columns() -> None:
    from dataclasses import replace

    from tests.signer.test_report import SIGNER

    row = row_of(report(signature(signer=replace(SIGNER, common_name="王" * 500))))
    assert columns_of(row.signers) <= 60
    assert row.signers.endswith("…")


# -- layers -------------------------------------------------------------------------------------------


@pytest.fixture
def bases(files: SimpleNamespace) -> SimpleNamespace:
    """An agreement and policies that the good file keeps, breaks, or leaves open."""
    party = {"name": ORGANISATION}
    made = {
        "keeps": agreement(party={**party, "suites": ["ecdsa-p256"]}),
        "breaks": agreement(party={**party, "suites": ["sm2"]}),
        "open": agreement(party={**party, "receipts": True}),
        "xa": policy({"level": "B-B"}),
        "eu": policy({"level": "B-LTA"}, jurisdiction="EU"),
        "wrong": b"schema = 1",
    }
    made["signature"] = cms(circle_of("ecdsa-p256"))(made["keeps"])
    for name, data in made.items():
        (files.dir / name).write_bytes(data)
    return SimpleNamespace(**{name: str(files.dir / name) for name in made})


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--agreement", "keeps"], 0),
        (["--agreement", "breaks"], 0),
        (["--agreement", "keeps", "--require", "agreed"], 0),
        (["--agreement", "breaks", "--require", "agreed"], 1),
        (["--agreement", "open", "--require", "agreed"], 3),
        (["--policy", "xa", "--policy", "eu"], 0),
        (["--policy", "xa", "--policy", "eu", "--require", "recognised:XA"], 0),
        (["--policy", "xa", "--policy", "eu", "--require", "recognised:EU"], 1),
        (["--policy", "xa", "--require", "recognised:EU"], 2),
        (["--policy", "xa", "--require", "agreed"], 2),
        (["--agreement", "keeps", "--agreement-signature", "signature", "--require", "agreed"], 0),
        (["--agreement", "open", "--agreement-signature", "signature", "--require", "agreed"], 1),
        (["--agreement-signature", "signature"], 2),
        (["--agreement", "keeps", "--agreement-signature", "missing"], 2),
        (["--agreement", "wrong"], 2),
        (["--agreement", "missing"], 2),
        (["--policy", "wrong"], 2),
    ],
)
def test_layers_decide_only_where_they_are_required(
    files: SimpleNamespace,
    bases: SimpleNamespace,
    arguments: list[str],
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    named = [getattr(bases, word, word) for word in arguments]
    assert verify(files, files.good_pdf, *named, "--format", "json") == code
    captured = capsys.readouterr()
    if code == 2:
        assert "hint: " in captured.err
        return
    body = json.loads(captured.out)
    check(body)
    assert body["verdict"] == "TOTAL-PASSED"


def test_the_gravest_stays_the_gravest(files: SimpleNamespace, bases: SimpleNamespace) -> None:
    required = ["--agreement", bases.keeps, "--require", "agreed"]
    assert verify(files, files.unknown_pdf, *required) == 3
    assert verify(files, files.changed_pdf, *required) == 1
    assert verify(files, files.unsigned_pdf, *required) == 4


def test_a_required_layer_that_nothing_in_the_file_is_about_is_not_passed(
    files: SimpleNamespace, bases: SimpleNamespace
) -> None:
    """A time-stamp is nobody's consent."""
    stamp = document_stamp(circle_of("ecdsa-p256"))
    stamped = files.dir / "stamped.pdf"
    stamped.write_bytes(rawpdf.sign(stamp, digits=40_000, subfilter=b"ETSI.RFC3161"))
    assert verify(files, str(stamped)) == 0
    assert verify(files, str(stamped), "--agreement", bases.keeps) == 0
    assert verify(files, str(stamped), "--agreement", bases.keeps, "--require", "agreed") == 3
    assert verify(files, str(stamped), "--policy", bases.xa, "--require", "recognised:XA") == 3


@pytest.mark.parametrize("lang", LANGUAGES)
def test_layers_are_told_in_every_language(
    files: SimpleNamespace, bases: SimpleNamespace, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = strings(lang)
    arguments = ["--agreement", bases.breaks, "--policy", bases.xa, "--lang", lang]
    for more in ([], ["-v"], ["--format", "html", "--no-pictures"]):
        verify(files, files.good_pdf, *arguments, *more)
        out = capsys.readouterr().out
        colon = words["punctuation.colon"]
        assert (
            f"{words['layer.agreed']}{colon}{words['result.failed']} ({words['check.suites']} [parties[0].suites])"
            in out
        )
        assert "Nobody says so." in out
        assert words["label.not-signed"] in out


def test_trust_is_named(files: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    verify(files, files.good_pdf, "--format", "json")
    body = json.loads(capsys.readouterr().out)
    assert body["trust"]["count"] == len(body["trust"]["anchors"]) == 1
    assert body["signatures"][0]["objects"][-1]["use"] == "revocation"
    anchors = [one["sha256"] for one in body["signatures"][0]["objects"] if one["use"] == "anchor"]
    assert anchors == [body["trust"]["anchors"][0]["sha256"]]
