"""Sealed PDFs as others see them: qpdf, pdfsig, pyHanko, Poppler and MuPDF."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from asn1crypto import x509
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.validation import SignatureCoverageLevel
from pyhanko.sign.validation.pdf_embedded import async_validate_pdf_signature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext

from certs import oids
from signer.pades.options import NationalForm
from signer.pades.placement import AtKeyword, CrossPage, EveryPage, Placement
from signer.seals import SealVersion
from tests.conftest import NOW, SIGNING, circle_of
from tests.interop.programs import Program
from tests.signer.seal_pdf.marks import WIDTH, applied, red_box
from tests.signer.signing import many_pages, sign

pytestmark = pytest.mark.interop

PAGES = 4
PLACED: tuple[Placement, ...] = (AtKeyword("Sealroad", 2), EveryPage(), CrossPage(), CrossPage("left"))
KNOWN = ("rsa", "ecdsa-p256")
"""Suites that NSS, and so Poppler, verifies too."""
PARTIES = ("ecdsa-p256", "sm2", "rsa")
NATIONAL = NationalForm()


@cache
def made(suite: str, how: Placement, national: NationalForm | None = None) -> bytes:
    return applied(many_pages(PAGES), suite, how, national=national, field="Seal")


@cache
def contract(order: tuple[int, ...]) -> bytes:
    """Return one contract with the seals of three organisations, in any order, and a signature between them."""
    data = many_pages(PAGES)
    forms = (CrossPage(), EveryPage(), AtKeyword("Sealroad"))
    for number in order:
        data = applied(data, PARTIES[number], forms[number], field=f"Party{number}")
        if number == order[0]:
            data = sign(data, "ecdsa-p256", field="Director")
    return data


# Structure -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("national", [None, NATIONAL], ids=["pades", "national"])
@pytest.mark.parametrize("how", PLACED)
@pytest.mark.parametrize("suite", SIGNING)
def test_qpdf_finds_nothing_wrong(suite: str, how: Placement, national: NationalForm | None, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(made(suite, how, national))
    outcome = Program.find("qpdf").run("--check", tmp_path / "x.pdf").check("No syntax or stream encoding errors")
    assert "WARNING" not in outcome.text


# pdfsig --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", [SealVersion.V1, SealVersion.V4, SealVersion.V5])
@pytest.mark.parametrize("suite", KNOWN)
def test_pdfsig_sees_a_valid_signature(suite: str, version: SealVersion, tmp_path: Path) -> None:
    data = applied(many_pages(PAGES), suite, CrossPage(), version=version)
    (tmp_path / "x.pdf").write_bytes(data)
    text = Program.find("pdfsig").run("-nocert", tmp_path / "x.pdf").check().text
    assert text.count("Signature Validation: Signature is Valid.") == PAGES, "one for each field that shows it"
    assert text.count("- Total document signed") == PAGES
    (tmp_path / "x.pdf").write_bytes(data[:11] + bytes([data[11] ^ 1]) + data[12:])  # in the comment behind %PDF
    text = Program.find("pdfsig").run("-nocert", tmp_path / "x.pdf").text
    assert text.count("Signature Validation: Digest Mismatch.") == PAGES


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_pdfsig_sees_earlier_seals_valid_after_later_ones(order: tuple[int, ...], tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(contract(order))
    text = Program.find("pdfsig").run("-nocert", tmp_path / "x.pdf").text
    assert text.count("Signature #") == PAGES + PAGES + 1 + 1
    # the first and the third party, and the director; Poppler knows no SM2
    assert text.count("Signature Validation: Signature is Valid.") == PAGES + 1 + 1
    assert "Digest Mismatch" not in text


# pyHanko -------------------------------------------------------------------------------------------------------------
def judged(data: bytes, suites: tuple[str, ...]) -> dict[str, tuple[bool, SignatureCoverageLevel, DiffResult | None]]:
    """Return, of each field, whether pyHanko finds it valid and trusted, its coverage, and what changed since."""
    roots = [x509.Certificate.load(circle_of(suite).root.der) for suite in suites]
    context = ValidationContext(trust_roots=roots, moment=NOW, allow_fetching=False, revocation_mode="soft-fail")
    found = {}
    for embedded in PdfFileReader(io.BytesIO(data)).embedded_signatures:
        if str(embedded.sig_object["/SubFilter"]) != "/ETSI.CAdES.detached":
            continue
        (signer,) = embedded.signed_data["signer_infos"]
        if signer["digest_algorithm"]["algorithm"].dotted == oids.SM3:
            continue  # unknown there
        usage = KeyUsageConstraints(key_usage={"digital_signature"}, match_all_key_usages=False)
        status = asyncio.run(
            async_validate_pdf_signature(embedded, signer_validation_context=context, key_usage_settings=usage)
        )
        good = status.intact and status.valid and status.trusted
        difference = status.diff_result
        assert difference is None or isinstance(difference, DiffResult), difference
        found[embedded.field_name] = (good, status.coverage, difference)
    return found


@pytest.mark.parametrize("how", PLACED)
@pytest.mark.parametrize("suite", ["rsa", "ecdsa-p256", "ed25519"])
def test_pyhanko_sees_a_valid_signature(suite: str, how: Placement) -> None:
    found = judged(made(suite, how), (suite,))
    assert len(found) == (1 if isinstance(how, AtKeyword) else PAGES)
    for good, coverage, _ in found.values():
        assert good
        assert coverage is SignatureCoverageLevel.ENTIRE_FILE


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_pyhanko_sees_earlier_seals_valid_after_later_ones(order: tuple[int, ...]) -> None:
    found = judged(contract(order), ("ecdsa-p256", "rsa"))
    assert len(found) == PAGES + 1 + 1
    for good, coverage, difference in found.values():
        assert good
        assert coverage in (SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION)
        assert difference is None or difference.modification_level <= ModificationLevel.FORM_FILLING


# What a reader sees --------------------------------------------------------------------------------------------------
def poppler(data: bytes, page: int, directory: Path) -> Image.Image:
    (directory / "x.pdf").write_bytes(data)
    arguments = ("-r", "72", "-f", str(page), "-l", str(page), "-png", "-singlefile")
    Program.find("pdftoppm").run(*arguments, directory / "x.pdf", directory / "page").check()
    return Image.open(directory / "page.png")


def mupdf(data: bytes, page: int, directory: Path) -> Image.Image:
    (directory / "x.pdf").write_bytes(data)
    arguments = ("draw", "-r", "72", "-o", directory / "page.png", directory / "x.pdf", str(page))
    Program.find("mutool").run(*arguments).check()
    return Image.open(directory / "page.png")


@pytest.mark.parametrize("render", [poppler, mupdf])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_every_reader_shows_each_slice_at_the_edge_of_its_page(
    turn: int, render: Callable[[bytes, int, Path], Image.Image], tmp_path: Path
) -> None:
    data = applied(many_pages(PAGES, Rotate=turn), "ecdsa-p256", CrossPage())
    for page in range(1, PAGES + 1):
        image = render(data, page, tmp_path)
        box = red_box(image)
        assert box is not None
        assert box[0] >= image.width - WIDTH / PAGES - 2
        assert (box[1] + box[3]) / 2 == pytest.approx(image.height / 2, abs=WIDTH / 3)
