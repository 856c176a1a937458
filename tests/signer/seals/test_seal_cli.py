"""`sealroad seal make` and `seal show` as people and scripts use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.cli import main
from certs.keys import file as key_file
from signer.seals import SealVersion, read_seal
from signer.seals.sign import sign_with_seal
from tests.conftest import NOW, circle_of
from tests.signer.seals.making import SVG, raster, seal_of

SUITE = "sm2"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cheap_passwords: None) -> Path:
    """A directory with the maker's key under a password, certificates, pictures, and the clock of the circle."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("certs.clock.SystemClock.now", lambda self: NOW)
    circle = circle_of(SUITE)
    key_file.save(tmp_path / "maker.key.pem", circle.person.key, b"correct horse")
    (tmp_path / "password").write_bytes(b"correct horse\n")
    (tmp_path / "maker.pem").write_text(circle.person.certificate.pem)
    (tmp_path / "owner.pem").write_text(circle.organisation.certificate.pem + circle.issuing.pem)
    (tmp_path / "seal.png").write_bytes(raster())
    (tmp_path / "seal.svg").write_bytes(SVG)
    (tmp_path / "seal.jpg").write_bytes(raster("JPEG"))
    return tmp_path


MAKE = (
    *("seal", "make", "out.esl", "--key", "maker.key.pem", "--cert", "maker.pem", "--password-file", "password"),
    *("--owner", "owner.pem", "--name", "江海贸易有限公司 合同专用章 𠮷"),
)


def test_a_seal_is_made_and_shown(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--picture", "seal.png", "--type", "contract", "--filing-number", "沪公备-42", "--id", "42")
    assert main([*MAKE, *more]) == 0
    out = capsys.readouterr().out
    assert out.startswith("out.esl: 江海贸易有限公司 合同专用章 𠮷, GM/T 0031-2025, number 42, made by ")
    assert out.count("\n") == 1
    circle = circle_of(SUITE)
    seal = read_seal((desk / "out.esl").read_bytes())
    assert (seal.version, seal.type, seal.filing_number, seal.vendor) == (SealVersion.V5, 4, "沪公备-42", "SEALROAD")
    assert seal.certificates == (circle.organisation.certificate.der,)
    assert (seal.created, seal.valid_from, seal.valid_to) == (NOW, NOW, circle.organisation.certificate.not_after)
    assert (seal.picture.type, seal.picture.width, seal.picture.height) == ("PNG", 40, 40)

    assert main(["seal", "show", "out.esl"]) == 0
    shown = capsys.readouterr().out
    assert "signature: good (sm2)" in shown
    assert "usual meaning: contract" in shown
    assert "沪公备-42" in shown


@pytest.mark.parametrize(
    ("picture", "kind", "standard", "version", "size"),
    [("seal.svg", "SVG", "2020", 4, "45x30"), ("seal.jpg", "JPG", "2014", 1, "20")],
)
def test_every_standard_and_picture(
    desk: Path, picture: str, kind: str, standard: str, version: int, size: str
) -> None:
    arguments = ["--picture", picture, "--standard", standard, "--size", size, "--valid-to", "2027-01-01"]
    assert main([*MAKE, *arguments, "--valid-from", "2026-11-22T00:00:00+08:00"]) == 0
    seal = read_seal((desk / "out.esl").read_bytes())
    assert (seal.version, seal.picture.type) == (version, kind)
    width, _, height = size.partition("x")
    assert (seal.picture.width, seal.picture.height) == (int(width), int(height or width))
    assert seal.valid_from.isoformat() == "2026-11-21T16:00:00+00:00"
    assert seal.valid_to.isoformat() == "2027-01-01T00:00:00+00:00"
    assert len(seal.seal_id) == 32


def test_a_list_of_digests(desk: Path) -> None:
    assert main([*MAKE, "--picture", "seal.png", "--digests"]) == 0
    seal = read_seal((desk / "out.esl").read_bytes())
    assert seal.lists(circle_of(SUITE).organisation.certificate.der) == "digest"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--picture", "seal.png", "--type", "round"], "no type of seal"),
        (["--picture", "seal.png", "--size", "4x"], "no size"),
        (["--picture", "seal.png", "--size", "0"], "1 to 500 mm"),
        (["--picture", "seal.png", "--valid-to", "soon"], "is no time"),
        (["--picture", "owner.pem"], "of no kind"),
        (["--picture", "seal.png", "--owner", "seal.png"], "seal.png holds no certificate"),
    ],
)
def test_nothing_is_written_where_anything_is_wrong(
    desk: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*MAKE, *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (desk / "out.esl").exists()


@pytest.mark.parametrize("name", ["maker.key.pem", "maker.pem", "owner.pem", "seal.png", "password"])
def test_an_input_is_never_overwritten(desk: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = (desk / name).read_bytes()
    assert main(["seal", "make", name, *MAKE[3:], "--picture", "seal.png"]) == 2
    assert "is an input" in capsys.readouterr().err
    assert (desk / name).read_bytes() == before


def test_a_seal_signature_is_shown_as_json_and_its_picture_written(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    circle = circle_of(SUITE)
    signed = sign_with_seal(
        seal_of(SUITE, SealVersion.V4),
        circle.organisation.key,
        circle.organisation.certificate,
        data_hash=bytes(32),
        property_info="/Doc_0/Signs/Sign_0/Signature.xml",
        time=NOW,
        timestamper=circle.timestamper,
    )
    (desk / "SignedValue.dat").write_bytes(signed.der)
    assert main(["seal", "show", "SignedValue.dat", "--json", "--picture", "out.png"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["kind"], shown["standard"], shown["listed_by"]) == (
        "seal-signature",
        "GB/T 38540-2020",
        "certificate",
    )
    assert (shown["signature"], shown["time_stamp"]["signature"]) == ("good (sm2)", "good (sm2)")
    assert shown["seal"]["filing_number"] == "沪公备 3101-42"
    assert shown["seal"]["picture"]["width_px"] == 40
    assert (desk / "out.png").read_bytes() == raster()


def test_a_seal_that_was_altered_is_shown_as_such(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seal = seal_of(SUITE)
    altered = seal.der.replace(b"31010000000042", b"\x1b[2J0000000042")
    (desk / "altered.esl").write_bytes(altered)
    assert main(["seal", "show", "altered.esl"]) == 0
    out = capsys.readouterr().out
    assert "signature: bad-signature" in out
    assert "\x1b" not in out


def test_a_harmful_picture_is_told_and_not_written(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seal = seal_of(SUITE)
    octets = seal.picture.data
    (desk / "harmful.esl").write_bytes(seal.der.replace(octets, b"<svg onload=''/>".ljust(len(octets))))
    assert main(["seal", "show", "harmful.esl"]) == 0
    assert "problem: the SVG is none" in capsys.readouterr().out
    assert main(["seal", "show", "harmful.esl", "--picture", "out.svg"]) == 2
    assert not (desk / "out.svg").exists()


def test_inspect_names_a_seal(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "a.esl").write_bytes(seal_of(SUITE).der)
    assert main(["inspect", "a.esl"]) == 2
    assert "sealroad: an electronic seal\nhint: use 'sealroad seal show'" in capsys.readouterr().err


def test_an_authority_that_the_standard_has_no_place_for_is_never_asked(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--picture", "seal.png", "--standard", "2020", "--tsa", "http://tsa.invalid/")
    assert main([*MAKE, *more]) == 2
    assert "a seal of GB/T 38540-2020 has no time-stamp" in capsys.readouterr().err
    assert not (desk / "out.esl").exists()
