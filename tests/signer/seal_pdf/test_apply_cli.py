"""`sealroad seal apply` as people and scripts use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli import main
from certs.keys import file as key_file
from signer.encryption.pdf import CIPHERS, decrypt_pdf, encrypt_pdf
from signer.pdf.encryption import Credentials
from signer.report import Verdict
from signer.verify import VerifyOptions, verify_bytes
from tests.certs.post import mailbox
from tests.conftest import CLOCK, NOW, circle_of
from tests.signer.locked import USER, by_qpdf
from tests.signer.seal_pdf.marks import rectangles, seal
from tests.signer.seals.making import seal_of
from tests.signer.signing import edited, empty_field, many_pages, signature_fields
from tests.signer.test_encrypt_pdf import holder

SUITE = "sm2"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cheap_passwords: None) -> Path:
    """A directory with a contract, a seal, the organisation's key under a password, and the clock of the circle."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("certs.clock.SystemClock.now", lambda self: NOW)
    circle = circle_of(SUITE)
    key_file.save(tmp_path / "org.key.pem", circle.organisation.key, b"correct horse")
    (tmp_path / "password").write_bytes(b"correct horse\n")
    (tmp_path / "org.pem").write_text(circle.organisation.certificate.pem + circle.issuing.pem)
    (tmp_path / "in.pdf").write_bytes(many_pages(3))
    (tmp_path / "seal.esl").write_bytes(seal(SUITE).der)
    return tmp_path


WHO = ("--key", "org.key.pem", "--cert", "org.pem", "--password-file", "password", "--seal", "seal.esl")
APPLY = ("seal", "apply", "in.pdf", "out.pdf", *WHO)


def verified(path: Path) -> list[tuple[str, Verdict]]:
    report = verify_bytes(path.read_bytes(), name="x.pdf", trust=circle_of(SUITE).trust, clock=CLOCK)
    return [(item.kind, item.verdict) for item in report.signatures]


@pytest.mark.parametrize(
    ("where", "places"),
    [
        (("--cross-page", "right"), 3),
        (("--cross-page", "left", "--keyword", "Sealroad:2"), 4),
        (("--every-page",), 3),
        (("--every-page", "--at", "100,400"), 3),
        (("--at", "100 400"), 1),
        (("--at", "100,400", "--page", "2", "--cross-page", "right"), 4),
        (("--keyword", "Sealroad:-1", "--offset", "10,-20"), 1),
    ],
)
def test_a_seal_goes_where_it_is_told_to(
    desk: Path, capsys: pytest.CaptureFixture[str], where: tuple[str, ...], places: int
) -> None:
    assert main([*APPLY, *where]) == 0
    out = capsys.readouterr().out
    assert out.startswith("out.pdf: sealed with 江海贸易有限公司 合同专用章 𠮷 by ")
    assert out.endswith(f" (sm2), B-B, {places} place{'s' if places > 1 else ''}\n")
    assert len(rectangles((desk / "out.pdf").read_bytes())) == places
    assert verified(desk / "out.pdf") == [("seal", Verdict.TOTAL_PASSED)]


def test_a_seal_goes_on_a_signature_line(desk: Path) -> None:
    (desk / "in.pdf").write_bytes(edited(empty_field("Buyer", (60, 60, 260, 200))))
    assert main([*APPLY, "--field", "Buyer"]) == 0
    assert list(rectangles((desk / "out.pdf").read_bytes())) == ["Buyer"]
    assert verified(desk / "out.pdf") == [("seal", Verdict.TOTAL_PASSED)]


def test_the_national_form_and_its_names(desk: Path) -> None:
    assert main([*APPLY, "--keyword", "Sealroad", "--form", "national"]) == 0
    assert verified(desk / "out.pdf") == [("seal", Verdict.TOTAL_PASSED)]
    names = ("--filter", "Vendor.Seal", "--subfilter", "Vendor.SES")
    assert main(["seal", "apply", "in.pdf", "other.pdf", *WHO, "--every-page", "--form", "national", *names]) == 0
    fields = signature_fields((desk / "other.pdf").read_bytes())
    value = fields["Signature1"].V
    assert (str(value.Filter), str(value.SubFilter)) == ("/Vendor.Seal", "/Vendor.SES")
    assert verified(desk / "other.pdf") == [("seal", Verdict.INDETERMINATE)]


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--page", "1"),
        ("--at", "1,2", "--page", "1", "--every-page"),
        ("--at", "1"),
        ("--at", "a,b"),
        ("--offset", "1,2", "--every-page"),
        ("--keyword", "盖章"),
        ("--keyword", "Sealroad:9"),
        ("--keyword", ":"),
        ("--every-page", "--filter", "X"),
        ("--every-page", "--form", "national", "--subfilter", "ETSI.CAdES.detached"),
        ("--every-page", "--level", "B-T"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    desk: Path, capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...]
) -> None:
    assert main([*APPLY, *wrong]) == 2
    assert capsys.readouterr().err.startswith("sealroad: ")
    assert not (desk / "out.pdf").exists()


def test_a_seal_that_lists_another_certificate_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "seal.esl").write_bytes(seal_of("ecdsa-p256").der)
    assert main([*APPLY, "--every-page"]) == 2
    assert "not in the seal's list" in capsys.readouterr().err
    assert not (desk / "out.pdf").exists()


def test_an_input_is_not_overwritten(desk: Path) -> None:
    for name in ("in.pdf", "seal.esl", "org.key.pem", "org.pem"):
        before = (desk / name).read_bytes()
        assert main(["seal", "apply", "in.pdf", name, *WHO, "--every-page"]) == 2
        assert (desk / name).read_bytes() == before


# Encrypted files -----------------------------------------------------------------------------------------------------
READER = "gost2012-256"
OPEN = ("--open-key", "reader.key", "--open-cert", "reader.pem")


def locked(desk: Path, cipher: str) -> bytes:
    """Encrypt in.pdf for a recipient, whose key and certificate are put on the desk."""
    box = mailbox(READER)
    key_file.save(desk / "reader.key", box.key, None)
    (desk / "reader.pem").write_text(box.certificate.pem)
    data = encrypt_pdf(many_pages(3), [box.certificate], cipher=cipher)
    (desk / "in.pdf").write_bytes(data)
    return data


def judged(data: bytes, credentials: Credentials) -> list[tuple[str, Verdict]]:
    options = VerifyOptions(password=credentials.password, recipient=credentials.recipient)
    report = verify_bytes(data, name="x.pdf", trust=circle_of(SUITE).trust, clock=CLOCK, options=options)
    return [(item.kind, item.verdict) for item in report.signatures]


@pytest.mark.parametrize(
    "where",
    [
        ("--keyword", "Sealroad:2"),
        ("--cross-page", "right", "--at", "100,400", "--page", "2"),
        ("--every-page", "--reason", "同意"),
        ("--field", "Buyer"),
    ],
)
@pytest.mark.parametrize("cipher", CIPHERS)
def test_an_encrypted_file_is_sealed_by_who_can_open_it(
    desk: Path, cipher: str, where: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    before = locked(desk, cipher)
    if "--field" in where:
        box = mailbox(READER)
        before = encrypt_pdf(edited(empty_field("Buyer", (60, 60, 260, 200))), [box.certificate], cipher=cipher)
        (desk / "in.pdf").write_bytes(before)
    assert main([*APPLY, *where]) == 2
    assert "--open-key" in capsys.readouterr().err
    assert not (desk / "out.pdf").exists()
    assert main([*APPLY, *where, *OPEN]) == 0
    data = (desk / "out.pdf").read_bytes()
    assert data.startswith(before)
    assert judged(data, holder(mailbox(READER))) == [("seal", Verdict.TOTAL_PASSED)]
    # the picture, the name of the seal and the reason are as hidden as everything else
    added = data[len(before) :]
    assert "同意".encode("utf-16-be") not in added
    plain = decrypt_pdf(data, holder(mailbox(READER))).data
    assert len(rectangles(plain)) == {"--keyword": 1, "--cross-page": 4, "--every-page": 3, "--field": 1}[where[0]]


def test_a_seal_stands_where_it_would_stand_in_the_clear(desk: Path) -> None:
    assert main([*APPLY, "--keyword", "Sealroad:2"]) == 0
    expected = rectangles((desk / "out.pdf").read_bytes())
    (desk / "out.pdf").unlink()
    locked(desk, CIPHERS[0])
    assert main([*APPLY, "--keyword", "Sealroad:2", *OPEN]) == 0
    plain = decrypt_pdf((desk / "out.pdf").read_bytes(), holder(mailbox(READER))).data
    assert rectangles(plain) == expected


def test_a_file_with_a_password_is_sealed_with_it(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "in.pdf").write_bytes(by_qpdf(6))
    (desk / "open").write_text(USER)
    (desk / "wrong").write_text("no")
    assert main([*APPLY, "--every-page", "--open-password-file", "wrong"]) == 2
    assert "does not open it" in capsys.readouterr().err
    assert main([*APPLY, "--every-page", "--open-password-file", "open"]) == 0
    data = (desk / "out.pdf").read_bytes()
    assert judged(data, Credentials(USER)) == [("seal", Verdict.TOTAL_PASSED)]


def test_the_national_form_in_an_encrypted_file(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    locked(desk, "aes-256")
    assert main([*APPLY, "--every-page", "--form", "national", *OPEN]) == 0
    assert judged((desk / "out.pdf").read_bytes(), holder(mailbox(READER))) == [("seal", Verdict.TOTAL_PASSED)]
    (desk / "out.pdf").unlink()
    locked_with_mac = encrypt_pdf(many_pages(3), [mailbox(READER).certificate], cipher="aes-256-gcm")
    (desk / "in.pdf").write_bytes(locked_with_mac)
    capsys.readouterr()
    assert main([*APPLY, "--every-page", "--form", "national", *OPEN]) == 2
    assert capsys.readouterr().err.startswith("sealroad: ")
    assert not (desk / "out.pdf").exists()


def test_what_opens_a_file_is_no_output_and_a_certificate_needs_its_key(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked(desk, CIPHERS[0])
    for name in ("reader.key", "reader.pem"):
        before = (desk / name).read_bytes()
        assert main(["seal", "apply", "in.pdf", name, *WHO, "--every-page", *OPEN]) == 2
        assert (desk / name).read_bytes() == before
    capsys.readouterr()
    assert main([*APPLY, "--every-page", "--open-cert", "reader.pem"]) == 2
    assert "--open-cert says whose key --open-key is" in capsys.readouterr().err
