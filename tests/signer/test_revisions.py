"""`verify --revision` and `--diff`: what a signer saw, octet for octet, and which pages look different since."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from api.cli import main
from signer import cli_revisions
from signer.cli_revisions import WORDS
from signer.errors import OptionError, RenderingFailed, UnreadablePDF
from signer.rendering import Renderer
from signer.report import Verdict
from signer.revisions import Revisions
from tests.conftest import circle_of
from tests.signer import rawpdf
from tests.signer.test_verify import SIZES, cms, signed, verify

FONT = b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> /MediaBox"
PAGE = rawpdf.PAGE.replace(b"/MediaBox", FONT)
TEXT = rawpdf.stream(b"BT /F1 12 Tf 72 700 Td (pay 100) Tj ET")


@pytest.fixture(scope="module")
def contract() -> bytes:
    """Two pages, two signatures, then the first page replaced by somebody else."""
    circle = circle_of("ecdsa-p256")
    pages = b"<< /Type /Pages /Kids [3 0 R 9 0 R] /Count 2 >>"
    second = PAGE.replace(b"/Annots [5 0 R]", b"").replace(b"4 0 R", b"10 0 R")
    data = rawpdf.sign(cms(circle), o2=pages, o3=PAGE, o4=TEXT, o9=second, o10=TEXT, digits=20_000)
    data = rawpdf.sign(cms(circle), data, digits=20_000, o3=PAGE)
    return rawpdf.update(data, {4: TEXT.replace(b"pay 100", b"pay 900")})


def test_each_revision_is_extracted_octet_for_octet(contract: bytes) -> None:
    found = Revisions(contract)
    assert (found.count, sorted(found.signed)) == (3, [1, 2])
    for number in (1, 2):
        cut = found.extract(number)
        assert contract.startswith(cut)
        report = verify(cut, circle_of("ecdsa-p256"))
        assert report.verdict is Verdict.TOTAL_PASSED
        assert report.signatures[-1].revision is not None
        assert report.signatures[-1].revision.covers_whole_file
    assert found.extract(3) == contract
    assert verify(contract, circle_of("ecdsa-p256")).verdict is Verdict.TOTAL_FAILED


def test_extraction_in_every_suite(suite_name: str) -> None:
    data = signed(suite_name)
    later = rawpdf.sign(cms(circle_of(suite_name)), data, digits=SIZES.get(suite_name, 40_000))
    assert Revisions(later).extract(1) == data


@pytest.mark.parametrize("ending", [b"", b"\r", b"\n", b"\r\n"])
def test_a_signed_revision_ends_where_its_byte_range_does(ending: bytes) -> None:
    """The line end behind %%EOF may or may not be signed; what is extracted is what was."""
    base = rawpdf.fill_byte_range(rawpdf.assemble(rawpdf.objects()).rstrip(b"\n"))
    later = rawpdf.update(base + ending, {7: b"null"})
    assert Revisions(later).extract(1) == base


@pytest.mark.parametrize("number", [0, -1, 4])
def test_a_revision_that_is_not_there(contract: bytes, number: int) -> None:
    with pytest.raises(OptionError) as caught:
        Revisions(contract).extract(number)
    assert caught.value.hint


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.7\nstartxref\n9\n%%EOF"])
def test_a_file_whose_revisions_cannot_be_read(data: bytes) -> None:
    with pytest.raises(UnreadablePDF):
        Revisions(data)


def test_the_pages_that_differ_are_drawn_side_by_side(contract: bytes) -> None:
    found = Revisions(contract)
    (page,) = found.differing(1, 36)
    assert page.number == 1
    assert page.picture is not None
    drawn = Image.open(io.BytesIO(page.picture)).convert("RGB")
    assert drawn.width > 2 * 297
    assert any(colour == (208, 0, 0) for _, colour in drawn.getcolors(1 << 20) or ()), "what differs is framed"
    assert list(found.differing(3, 36)) == []
    assert any(c.startswith("page 1 /Contents (object 4)") for c in found.changes(1))


def test_an_added_page_has_an_empty_neighbour() -> None:
    base = rawpdf.signed_pdf(o3=PAGE)
    added = {2: b"<< /Type /Pages /Kids [3 0 R 9 0 R] /Count 2 >>", 9: PAGE}
    (page,) = Revisions(rawpdf.update(base, added)).differing(1, 36)
    assert (page.number, page.picture is not None) == (2, True)
    removed = rawpdf.update(rawpdf.update(base, added), {2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"})
    (page,) = Revisions(removed).differing(2, 36)
    assert page.number == 2


def test_what_was_signed_comes_out_of_a_file_that_cannot_be_read_any_more() -> None:
    """The files that need it most: something broken, or unreadable, was appended to what was signed."""
    base = rawpdf.signed_pdf(o3=PAGE, o4=TEXT)
    changed = rawpdf.update(base, {4: TEXT.replace(b"pay 100", b"pay 900"), 9: b"null"})
    at = changed.rindex(b"4 0 obj")
    displaced = changed.replace(b"%010d 00000 n" % at, b"%010d 00000 n" % (at + 3))
    for data in (base + b"startxref\n12\n%%EOF\n", displaced):
        found = Revisions(data)
        assert found.extract(1) == base
        assert found.signed == {1: ("Sig1",) if data is displaced else ("?",)}
        assert "cannot be" in found.changes(1)[0]
        assert all(page.number == 1 for page in found.differing(1, 36))
    (page,) = Revisions(displaced).differing(1, 36)
    assert page.picture is not None


def test_a_page_that_cannot_be_drawn_is_said(contract: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Renderer, data: bytes, page: int, dpi: float) -> bytes:
        raise RenderingFailed("too much", hint="none")

    monkeypatch.setattr(Renderer, "render", refuse)
    assert [(page.picture, page.fault) for page in Revisions(contract).differing(1)] == [(None, "too much")] * 2


# -- the command --------------------------------------------------------------------------------------


@pytest.fixture
def path(contract: bytes, tmp_path: Path) -> Path:
    (tmp_path / "contract.pdf").write_bytes(contract)
    return tmp_path / "contract.pdf"


def run(*arguments: object) -> int:
    return main(["verify", *map(str, arguments)])


def test_the_command_extracts(path: Path, contract: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    out = path.parent / "one.pdf"
    assert run(path, "--revision", 1, "--out", out) == 0
    assert contract.startswith(out.read_bytes())
    assert "revision 1 of 3" in capsys.readouterr().out
    assert sorted(p.name for p in path.parent.iterdir()) == ["contract.pdf", "one.pdf"]


@pytest.mark.parametrize("other", ["contract.pdf", "./contract.pdf", "link.pdf"])
def test_the_command_never_writes_over_its_input(path: Path, contract: bytes, other: str) -> None:
    (path.parent / "link.pdf").symlink_to(path)
    assert run(path, "--revision", 1, "--out", path.parent / other) == 2
    assert run(path, "--diff", "--out", path.parent / other) == 2
    assert path.read_bytes() == contract


@pytest.mark.parametrize("options", [("--revision", 1), ("--diff",), ("--revision", 9, "--out", "x")])
def test_wrong_usage_is_two(path: Path, options: tuple[object, ...]) -> None:
    assert run(path, *options) == 2
    assert [p.name for p in path.parent.iterdir()] == ["contract.pdf"]


def test_the_command_takes_one_file(path: Path) -> None:
    assert run(path, path, "--revision", 1, "--out", path.parent / "x") == 2


@pytest.mark.parametrize("lang", ["en", "zh", "ru"])
def test_the_command_draws_what_changed(path: Path, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = path.parent / "changes"
    assert run(path, "--diff", "--out", out, "--lang", lang) == 0
    assert sorted(p.name for p in out.iterdir()) == ["index.html", "page-1.png"]
    text = (out / "index.html").read_text()
    assert "Sig1" in text
    assert "page 1 /Contents" in text
    assert ": 1: " in capsys.readouterr().out
    assert sorted(p.name for p in path.parent.iterdir()) == ["changes", "contract.pdf"]
    assert run(path, "--diff", "--out", out) == 2, "there is something in it"


def test_a_failing_disk_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for options, broken in ((("--diff",), "rename"), (("--revision", 1), "replace")):
        monkeypatch.setattr(Path, broken, fail)
        assert run(path, *options, "--out", path.parent / "out") == 2
        monkeypatch.undo()
        assert [p.name for p in path.parent.iterdir()] == ["contract.pdf"]
    assert run(path, "--revision", 1, "--out", path.parent / "none" / "out") == 2


def test_names_in_the_file_are_text_in_the_page() -> None:
    found = Revisions(rawpdf.signed_pdf(o5=rawpdf.SIGNATURE_FIELD.replace(b"(Sig1)", b"(<script>x</script>)")))
    text = cli_revisions.page_text(found, 1, ("<b>",), [])
    assert "<script>" not in text
    assert "<b>" not in text


def test_words_are_complete() -> None:
    assert {frozenset(words) for words in WORDS.values()} == {frozenset(WORDS["en"])}
    for key in WORDS["en"]:
        fields = {tuple(sorted(part.split("}")[0] for part in words[key].split("{")[1:])) for words in WORDS.values()}
        assert len(fields) == 1, key
