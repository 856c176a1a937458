"""What people and programs are shown of a seal: text, JSON, HTML, PDF and XML, and on the command line."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from api.cli import main
from certs.clock import FixedClock
from signer.etsi_report import document as etsi
from signer.report import Report, Verdict, to_text
from signer.sandbox import Limits, Sandbox
from signer.seals import Seal, SealPicture, SealVersion
from signer.text import LANGUAGES
from signer.text.html import page
from signer.text.pdf import document as pdf
from signer.verification.setting import VerifyOptions
from tests.conftest import NOW, circle_of
from tests.signer.ofd import PLAIN, by_seal, pack, sign
from tests.signer.seals.forging import forged_seal, forged_signature
from tests.signer.seals.making import SVG, raster, seal_of
from tests.signer.seals.test_judging import CONTENT, report, trusting

NAME = "江海贸易有限公司 合同专用章 𠮷"
SUITE = "sm2"


def judged(seal: Seal | None = None) -> Report:
    circle = circle_of(SUITE)
    signed = forged_signature(seal or seal_of(SUITE, SealVersion.V4), circle.organisation)
    return report(signed, trusting(circle))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_text_names_the_seal_in_every_language(lang: str) -> None:
    from signer.text import strings

    words = strings(lang)
    for verbose in (False, True):
        text = to_text(judged(), lang, verbose=verbose)
        assert NAME in text
        assert "31010000000042" in text
        for label in (
            "label.seal",
            "label.seal-maker",
            "label.seal-validity",
            "label.seal-filing",
            "label.seal-picture",
        ):
            assert words[label] in text
    assert words["check.seal-owner-listed"] in text


def test_json_has_the_facts_and_not_the_picture() -> None:
    (one,) = json.loads(judged().dumps())["signatures"]
    seal = one["seal"]
    assert (seal["name"], seal["standard"], seal["filing_number"]) == (NAME, "GB/T 38540-2020", "沪公备 3101-42")
    assert set(seal["picture"]) == {"type", "sha256", "width_mm", "height_mm"}
    assert {item["use"] for item in one["objects"]} >= {"signer", "seal-maker", "seal-maker-anchor"}


IMAGE = re.compile(r'<img class="seal"[^>]*src="data:image/png;base64,[A-Za-z0-9+/=]+"')


@pytest.mark.parametrize(
    ("seal", "shown"),
    [
        (lambda: seal_of(SUITE, SealVersion.V4), True),
        (lambda: forged_seal(SUITE, SealVersion.V4, picture=SealPicture("JPG", raster("JPEG"), 40, 40)), True),
        (lambda: forged_seal(SUITE, SealVersion.V4, picture=SealPicture("SVG", SVG, 40, 40)), False),
        (lambda: forged_seal(SUITE, SealVersion.V4, picture=SealPicture("PNG", SVG, 40, 40)), False),
        (lambda: forged_seal(SUITE, SealVersion.V4, value=seal_of(SUITE, SealVersion.V4).signature), False),
    ],
)
def test_the_picture_is_on_the_page_only_where_it_is_safe_and_the_maker_s(seal: Any, shown: bool) -> None:
    found = judged(seal())
    html = page((found,), "zh")
    assert bool(IMAGE.search(html)) is shown
    assert "<svg" not in html
    with pikepdf.open(io.BytesIO(pdf([(found, ())], "zh"))) as made:
        assert any(page.get_images() for page in made.pages) is shown


def test_a_seal_cannot_steer_the_page_or_the_terminal() -> None:
    import dataclasses

    found = judged()
    (one,) = found.signatures
    assert one.seal is not None
    evil = dataclasses.replace(one.seal, name="\x1b[31m<script>alert(1)</script>", id="\u202e", width=10**6)
    changed = dataclasses.replace(found, signatures=(dataclasses.replace(one, seal=evil),))
    assert "\x1b" not in to_text(changed, "en", verbose=True)
    html = page((changed,), "en")
    assert "<script>" not in html
    assert "width:60mm" in html
    pdf([(changed, ())], "ru")


def test_xml_names_the_seal() -> None:
    xml = etsi([judged()]).decode()
    assert f"seal 31010000000042, {NAME}, GB/T 38540-2020" in xml
    assert "urn:sealroad:check:seal-owner-listed" in xml


def test_a_report_with_a_seal_crosses_from_the_process_that_verified() -> None:
    circle = circle_of(SUITE)
    seal = seal_of(SUITE, SealVersion.V5)
    data = pack(sign(PLAIN, 1, by_seal(seal, circle.organisation), seal))
    sandbox = Sandbox(
        trust=trusting(circle), clock=FixedClock(NOW), options=VerifyOptions(), limits=Limits(20.0, 1 << 30)
    )
    found = sandbox.verify(data, name="contract.ofd")
    assert found.verdict is Verdict.TOTAL_PASSED
    (one,) = found.signatures
    assert one.seal is not None
    assert one.seal.picture[:4] == b"\x89PNG"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("certs.clock.SystemClock.now", lambda self: NOW)
    circle = circle_of(SUITE)
    trust = tmp_path / "ca"
    trust.mkdir()
    (trust / "ca.pem").write_text(circle.root.pem + circle.issuing.pem)
    for number, crl in enumerate(circle.crls):
        (trust / f"{number}.crl").write_bytes(crl.der)
    seal = forged_seal(SUITE, SealVersion.V4, valid_to=NOW + timedelta(days=1))
    (tmp_path / "seal.esl").write_bytes(seal.der)
    (tmp_path / "value.dat").write_bytes(forged_signature(seal, circle.organisation).der)
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "contract.ofd").write_bytes(pack(sign(PLAIN, 1, by_seal(seal, circle.organisation), seal)))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("seal.esl", "--trust", "ca"), 0),
        (("contract.ofd", "--trust", "ca"), 0),
        (("value.dat", "--content", "content", "--trust", "ca"), 0),
        (("value.dat", "--content", "other", "--trust", "ca"), 1),
        (("value.dat", "--trust", "ca"), 3),
        (("contract.ofd",), 3),
        (("seal.esl", "--trust", "ca", "--at", "2026-11-23"), 1),
        (("missing.esl",), 2),
    ],
)
def test_seal_verify_is_verify(
    desk: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int
) -> None:
    del desk
    assert main(["verify", *arguments]) == code
    said = capsys.readouterr()
    assert main(["seal", "verify", *arguments]) == code
    assert capsys.readouterr() == said
