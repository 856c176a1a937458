"""Every PDF we sign, in every suite, as others see it: qpdf, pdfsig, openssl, Bouncy Castle, MuPDF, Poppler."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from signer.appearance import StampSpec
from signer.pades.options import SignOptions
from signer.pades.sign import sign_bytes
from tests.conftest import ALL_SUITES, CLOCK, NOW, SIGNING, make_pdf
from tests.interop import papers
from tests.interop.papers import EPOCH, MOMENT, Papers
from tests.interop.programs import Docket, Opinion, Program

pytestmark = pytest.mark.interop

BOX = (80.0, 100.0, 300.0, 190.0)
FORMS = ("invisible", "visible", "stamped", "certified")
PDFSIG = ("rsa", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521")
"""Poppler verifies with NSS, which knows no SM2, GOST, brainpool, EdDSA in CMS or ML-DSA."""
OPENSSL = tuple(name for name in ALL_SUITES if not name.startswith(("sm2", "ed", "ml-dsa")))
JAVA = tuple(name for name in ALL_SUITES if not name.startswith("ml-dsa"))
LOCALES = {"sm2": "zh", "gost2012-256": "ru", "gost2012-512": "ru"}
CONSECUTIVE = ("sm2", "gost2012-256", "ecdsa-p256")


def options_of(paper: Papers, form: str, field: str = "Signature1", shift: float = 0) -> SignOptions:
    """Return the options of one form of signature."""
    locale = LOCALES.get(paper.suite_name, "en")
    if form == "invisible":
        return SignOptions(field=field, reason="Contract No 7", locale=locale)
    if form == "certified":
        return SignOptions(field=field, certify=2, locale=locale)
    name = paper.circle.person.certificate.common_name or ""
    stamp = StampSpec(name=name, time=NOW, reason="Contract No 7", locale=locale)
    box = (BOX[0] + shift, BOX[1], BOX[2] + shift, BOX[3])
    level = "B-T" if form == "stamped" else "B-B"
    return SignOptions(field=field, page=1, box=box, appearance=stamp, level=level, locale=locale)


def sign(paper: Papers, source: bytes, form: str, field: str = "Signature1", shift: float = 0) -> bytes:
    circle = paper.circle
    stamper = circle.timestamper if form == "stamped" else None
    options = options_of(paper, form, field, shift)
    return sign_bytes(
        source, circle.person.key, circle.person.certificate, (circle.issuing,), options, CLOCK, timestamper=stamper
    )


@cache
def pdf(paper: Papers, form: str) -> Path:
    """Return a signed file, made once per process."""
    path = paper.file(f"{form}.pdf")
    path.write_bytes(sign(paper, make_pdf(), form))
    return path


@cache
def consecutive(desk: Path) -> Path:
    """Return one contract signed by three parties, each in the own cryptography."""
    data = make_pdf("Contract")
    for number, suite in enumerate(CONSECUTIVE):
        form = "invisible" if number == 1 else "stamped"
        data = sign(papers.of(suite, desk), data, form, f"Party{number + 1}", 230.0 * (number // 2))
    path = desk / "consecutive.pdf"
    path.write_bytes(data)
    return path


# structure ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", FORMS)
def test_qpdf_finds_nothing_wrong(paper: Papers, form: str) -> None:
    outcome = Program.find("qpdf").run("--check", pdf(paper, form)).check("No syntax or stream encoding errors")
    assert "WARNING" not in outcome.text


def test_qpdf_finds_nothing_wrong_after_three_parties(desk: Path) -> None:
    outcome = Program.find("qpdf").run("--check", consecutive(desk)).check("No syntax or stream encoding errors")
    assert "WARNING" not in outcome.text


def test_mutool_sees_nothing_repaired(paper: Papers) -> None:
    outcome = Program.find("mutool").run("info", pdf(paper, "visible")).check()
    assert "warning" not in outcome.text, outcome
    assert "error" not in outcome.text, outcome


# pdfsig ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("suite", PDFSIG)
def test_pdfsig_verifies(suite: str, form: str, desk: Path) -> None:
    outcome = Program.find("pdfsig").run("-nocert", pdf(papers.of(suite, desk), form)).check()
    assert "Signature Validation: Signature is Valid." in outcome.text, outcome
    assert "Total document signed" in outcome.text, outcome
    assert "Not total document signed" not in outcome.text


@pytest.mark.parametrize("suite", PDFSIG)
def test_pdfsig_sees_one_octet_changed(suite: str, desk: Path, tmp_path: Path) -> None:
    data = pdf(papers.of(suite, desk), "invisible").read_bytes()
    (tmp_path / "altered.pdf").write_bytes(data.replace(b"(Sealroad)", b"(Sealroat)", 1))
    outcome = Program.find("pdfsig").run("-nocert", tmp_path / "altered.pdf")
    assert "Signature Validation: Digest Mismatch." in outcome.text, outcome


def test_pdfsig_reads_three_parties_and_verifies_the_one_it_knows(desk: Path) -> None:
    text = Program.find("pdfsig").run("-nocert", consecutive(desk)).text
    assert text.count("Signature #") == len(CONSECUTIVE)
    last = text.rpartition("Signature #")[2]
    assert "Signature Validation: Signature is Valid." in last
    assert "Total document signed" in last
    assert text.count("Not total document signed") == len(CONSECUTIVE) - 1


# openssl --------------------------------------------------------------------------------------------------------------
def cut(data: bytes, number: int = 0) -> tuple[bytes, bytes]:
    """Return content and CMS of a signature, by position alone."""
    ranges = re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", data)
    _, length, second, rest = map(int, ranges[number])
    padded = bytes.fromhex(data[length + 1 : second - 1].decode())
    octets = padded[1] & 0x7F
    size = 2 + octets + int.from_bytes(padded[2 : 2 + octets], "big")
    return data[:length] + data[second : second + rest], padded[:size]


@pytest.mark.parametrize("form", ["invisible", "stamped"])
@pytest.mark.parametrize("suite", OPENSSL)
def test_openssl_verifies_the_cms_cut_out_as_cades(
    suite: str, form: str, desk: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tool: Program = request.getfixturevalue("gost_openssl" if suite.startswith("gost") else "openssl")
    paper = papers.of(suite, desk)
    content, cms = cut(pdf(paper, form).read_bytes())
    (tmp_path / "content").write_bytes(content)
    (tmp_path / "cms").write_bytes(cms)
    arguments = ("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", tmp_path / "cms", "-attime", EPOCH)
    trust = ("-CAfile", paper.file("root.pem"), "-purpose", "any", "-out", tmp_path / "out")
    tool.run(*arguments, *trust, "-content", tmp_path / "content").check("CAdES Verification successful")
    (tmp_path / "content").write_bytes(content[:-1] + b"\r")
    tool.run(*arguments, *trust, "-content", tmp_path / "content").refused()


# Bouncy Castle --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def opinions(desk: Path) -> dict[str, Opinion]:
    docket = Docket(desk)
    for suite in JAVA:
        paper = papers.of(suite, desk)
        trust = {"anchor": paper.files("root.cer"), "crl": paper.files("root.crl", "issuing.crl"), "at": MOMENT}
        for form in FORMS:
            docket.add(f"{suite} {form}", "pdf", pdf=pdf(paper, form), signatures="1", **trust)
        altered = paper.file("altered.pdf")
        altered.write_bytes(pdf(paper, "visible").read_bytes().replace(b"(Sealroad)", b"(Sealroat)", 1))
        docket.add(f"{suite} altered", "pdf", pdf=altered, signatures="1", **trust)
    trust = {
        "anchor": [papers.of(suite, desk).file("root.cer") for suite in CONSECUTIVE],
        "crl": [papers.of(suite, desk).file(f"{name}.crl") for suite in CONSECUTIVE for name in ("root", "issuing")],
        "at": MOMENT,
    }
    docket.add("consecutive", "pdf", pdf=consecutive(desk), signatures=str(len(CONSECUTIVE)), **trust)
    return docket.judge()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("suite", JAVA)
def test_bouncy_castle_verifies_by_byte_range(suite: str, form: str, opinions: dict[str, Opinion]) -> None:
    opinion = opinions[f"{suite} {form}"]
    assert opinion.good, opinion
    assert "path of 2" in opinion.detail
    assert "not revoked" in opinion.detail
    assert ("stamped" in opinion.detail) == (form == "stamped")


@pytest.mark.parametrize("suite", JAVA)
def test_bouncy_castle_sees_one_octet_changed(suite: str, opinions: dict[str, Opinion]) -> None:
    assert "message-digest attribute value does not match" in opinions[f"{suite} altered"].detail


def test_bouncy_castle_verifies_three_parties_in_one_file(opinions: dict[str, Opinion]) -> None:
    opinion = opinions["consecutive"]
    assert opinion.good, opinion
    assert opinion.detail.count("not revoked") == 3 + 2, opinion
    assert opinion.detail.count("stamped") == 2


# what the reader sees -------------------------------------------------------------------------------------------------
def poppler(path: Path, directory: Path) -> Image.Image:
    Program.find("pdftoppm").run("-r", "72", "-png", "-singlefile", path, directory / path.stem).check()
    return Image.open(BytesIO((directory / f"{path.stem}.png").read_bytes())).convert("L")


def mupdf(path: Path, directory: Path) -> Image.Image:
    outcome = Program.find("mutool").run("draw", "-r", "72", "-o", directory / "page.png", path, "1").check()
    complaints = [line for line in outcome.text.splitlines() if "warning" in line and "ICC support" not in line]
    assert not complaints, outcome
    return Image.open(BytesIO((directory / "page.png").read_bytes())).convert("L")


@pytest.mark.parametrize("render", [poppler, mupdf])
@pytest.mark.parametrize("suite", SIGNING)
def test_the_stamp_shows_in_its_box_and_nowhere_else(
    suite: str, render: Callable[[Path, Path], Image.Image], desk: Path, tmp_path: Path
) -> None:
    (tmp_path / "plain.pdf").write_bytes(make_pdf())
    plain = render(tmp_path / "plain.pdf", tmp_path)
    paper = papers.of(suite, desk)
    assert ImageChops.difference(plain, render(pdf(paper, "invisible"), tmp_path)).getbbox() is None
    changed = ImageChops.difference(plain, render(pdf(paper, "visible"), tmp_path))
    changed = changed.point(lambda value: 255 * (value > 40))
    left, top, right, bottom = changed.getbbox() or (0, 0, 0, 0)
    height = plain.size[1]
    assert left >= BOX[0] - 2
    assert right <= BOX[2] + 2
    assert height - bottom >= BOX[1] - 2
    assert height - top <= BOX[3] + 2
    ink = changed.histogram()[255]
    area = (BOX[2] - BOX[0]) * (BOX[3] - BOX[1])
    assert area * 0.01 < ink < area * 0.8, "a stamp is neither empty nor one black box"


def test_poppler_reads_the_name_in_the_stamp(desk: Path) -> None:
    for suite in ("sm2", "gost2012-256", "ecdsa-p256"):
        paper = papers.of(suite, desk)
        text = Program.find("pdftotext").run(pdf(paper, "visible"), "-").check().text
        name = paper.circle.person.certificate.common_name or ""
        assert "".join(name.split()) in "".join(text.split()), (suite, text)
