"""Contracts whose fields parties filled, as others see them: qpdf, pdfsig, pyHanko, Poppler and MuPDF."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from asn1crypto import x509
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel, SuspiciousModification
from pyhanko.sign.validation.pdf_embedded import async_validate_pdf_signature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext

from tests.conftest import NOW, circle_of
from tests.interop.programs import Program
from tests.signer.forms.made import AGREED, EXTRA, ONE, contract, laid_out, refilled, signed

pytestmark = pytest.mark.interop

SUITES = ("rsa", "ecdsa-p256", "sm2", "gost2012-256")
KNOWN = ("rsa", "ecdsa-p256")
"""Suites that NSS, and so Poppler, verifies too; and pyHanko without help."""


def put(tmp_path: Path, pdf: bytes) -> Path:
    path = tmp_path / "x.pdf"
    path.write_bytes(pdf)
    return path


@pytest.mark.parametrize("suite", SUITES)
def test_qpdf_finds_nothing_wrong(suite: str, tmp_path: Path) -> None:
    path = put(tmp_path, contract(suite))
    outcome = Program.find("qpdf").run("--check", path).check("No syntax or stream encoding errors")
    assert "WARNING" not in outcome.text


@pytest.mark.parametrize("suite", KNOWN)
def test_pdfsig_sees_both_signatures_valid(suite: str, tmp_path: Path) -> None:
    text = Program.find("pdfsig").run("-nocert", put(tmp_path, contract(suite))).check().text
    assert text.count("Signature Validation: Signature is Valid.") == 2


def judged(pdf: bytes, suite: str) -> list[tuple[bool, DiffResult | SuspiciousModification | None, bool | None]]:
    """Return, of each signature, whether pyHanko finds it valid, what changed since, and whether that is allowed."""
    root = x509.Certificate.load(circle_of(suite).root.der)
    context = ValidationContext(trust_roots=[root], moment=NOW, allow_fetching=False, revocation_mode="soft-fail")
    usage = KeyUsageConstraints(key_usage={"digital_signature"}, match_all_key_usages=False)
    found = []
    for embedded in PdfFileReader(io.BytesIO(pdf)).embedded_signatures:
        status = asyncio.run(
            async_validate_pdf_signature(embedded, signer_validation_context=context, key_usage_settings=usage)
        )
        found.append((status.intact and status.valid and status.trusted, status.diff_result, status.docmdp_ok))
    return found


@pytest.mark.parametrize("suite", KNOWN)
def test_pyhanko_sees_a_form_that_was_filled_in(suite: str) -> None:
    (one, changed, allowed), (two, _, _) = judged(contract(suite), suite)
    assert one
    assert two
    assert allowed
    assert isinstance(changed, DiffResult), changed
    assert changed.modification_level is ModificationLevel.FORM_FILLING
    assert changed.changed_form_fields == {"day", "name", "extra", "Two"}


@pytest.mark.parametrize("suite", KNOWN)
def test_pyhanko_sees_that_a_locked_value_was_changed(suite: str) -> None:
    one = signed(laid_out(), suite, **ONE)
    for change in (("price", "1"), ("agreed", False)):
        ((_, changed, allowed),) = judged(refilled(one, change), suite)
        assert isinstance(changed, SuspiciousModification)
        assert not allowed
    ((_, changed, allowed),) = judged(refilled(one, ("name", "王")), suite)
    assert isinstance(changed, DiffResult)
    assert allowed


def test_poppler_reads_what_was_filled_in(tmp_path: Path) -> None:
    text = Program.find("pdftotext").run("-layout", put(tmp_path, contract("ecdsa-p256")), "-").check().text
    for part in ("1 200 000 ¥ — 一百二十万元", "2027年1月2日", "𠮷䶮 ➀ Ё", "上海市浦东新区", "ул. Тверская"):
        assert part in text


@pytest.mark.parametrize("program", ["pdftoppm", "mutool"])
def test_a_tick_is_seen_and_an_empty_box_is_empty(program: str, tmp_path: Path) -> None:
    path, made = put(tmp_path, contract("ecdsa-p256")), tmp_path / "page.png"
    if program == "pdftoppm":
        Program.find(program).run("-r", 144, "-png", "-singlefile", path, made.with_suffix("")).check()
    else:
        Program.find(program).run("draw", "-q", "-r", 144, "-o", made, path).check()
    page = Image.open(made).convert("L")
    for field, ticked in ((AGREED, True), (EXTRA, False)):
        x1, y1, x2, y2 = field.box
        inside = page.crop(tuple(round(2 * edge) for edge in (x1 + 2, 842 - y2 + 2, x2 - 2, 842 - y1 - 2)))
        darkest, _ = inside.getextrema()
        assert (darkest < 100) is ticked
