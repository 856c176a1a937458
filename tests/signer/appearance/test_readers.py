"""What programs that we did not write make of the contract and the stamps."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from signer.appearance.contract import make_contract
from tests.signer.appearance.test_contract import SPEC
from tests.signer.appearance.test_embed import SPEC as STAMP
from tests.signer.appearance.test_embed import written

pytestmark = pytest.mark.interop


def program(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is missing: apt-get install {package}")
    return path


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    path = tmp_path / "contract.pdf"
    path.write_bytes(make_contract(SPEC).pdf)
    return path


@pytest.fixture
def stamp(tmp_path: Path) -> Path:
    path = tmp_path / "stamp.pdf"
    with written(STAMP) as pdf:
        pdf.save(path)
    return path


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not any(word in done.stderr for word in ("Error", "error:", "Syntax", "Couldn't find a font")), done.stderr
    return done.stdout


def test_poppler_copies_the_names_out_of_the_contract(contract):
    text = run(program("pdftotext", "poppler-utils"), "-layout", contract, "-")
    for name in (
        "张𠮷䶮",
        "杭州远航国际贸易有限公司",
        "ООО «Сибирские технологии»",
        "Әбенова Әйгерім",
        "CNY 1 057 200.00",
    ):
        assert name in text


def test_poppler_copies_the_names_out_of_a_stamp(stamp):
    text = run(program("pdftotext", "poppler-utils"), stamp, "-")
    assert "张𠮷䶮 𠀁" in text
    assert "ООО «Вектор»" in text


def test_poppler_finds_every_font_embedded_subset_and_mapped(contract):
    rows = run(program("pdffonts", "poppler-utils"), contract).splitlines()[2:]
    assert len(rows) == 3
    assert all("CID TrueType" in row and row.split()[-5:-2] == ["yes", "yes", "yes"] for row in rows)


def test_qpdf_finds_nothing_wrong(contract, stamp):
    for path in (contract, stamp):
        run(program("qpdf", "qpdf"), "--check", path)


@pytest.mark.parametrize("viewer", ["poppler", "mupdf"])
def test_a_rare_hanzi_leaves_ink_on_the_page(stamp, tmp_path, viewer):
    from PIL import Image

    out = tmp_path / "page.png"
    if viewer == "poppler":
        run(program("pdftoppm", "poppler-utils"), "-r", "144", "-png", "-singlefile", stamp, out.with_suffix(""))
    else:
        run(program("mutool", "mupdf-tools"), "draw", "-q", "-r", "144", "-o", out, stamp)
    with Image.open(out) as image:
        # The stamp stands at (50, 500); its right edge of text, beside the picture, is where the rare hanzi is.
        area = image.convert("L").crop((100, 2 * (842 - 592), 2 * 280, 2 * (842 - 500)))
        dark = sum(area.histogram()[:100])
    assert dark > 400


def test_the_contract_has_no_hidden_updates():
    pdf = make_contract(SPEC).pdf
    assert PdfFileReader(io.BytesIO(pdf)).xrefs.total_revisions == 1
