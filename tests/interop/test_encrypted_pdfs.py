"""Encrypted PDF as others see it: PDFBox, pyHanko and openssl open ours, qpdf and Poppler read what is signed in it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from certs.certificate import armor
from signer.encryption.pdf import CIPHERS, decrypt_pdf, encrypt_pdf
from signer.pdf.encryption import Credentials
from signer.pdf.handlers import _decrypter
from tests.certs.post import WAYS, Mailbox, mailbox
from tests.interop.programs import BOUNCY_CASTLE, Program, jars, java_program
from tests.signer import locked
from tests.signer.test_encrypt_pdf import TITLE, contract, holder
from tests.signer.test_sign_encrypted import signed

pytestmark = pytest.mark.interop

PDFBOX = {
    "pdfbox2.jar": "libpdfbox2-java",
    "fontbox2.jar": "libfontbox2-java",
    "commons-logging.jar": "libcommons-logging-java",
}
INTERNATIONAL = ("rsa", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ecdsa-bp256")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return tmp_path


def laid_out(desk: Path, box: Mailbox, data: bytes) -> None:
    (desk / "in.pdf").write_bytes(data)
    (desk / "key.p8").write_bytes(box.key.pkcs8())
    (desk / "cert.cer").write_bytes(box.certificate.der)


@pytest.mark.parametrize("others", [(), ("ecdsa-p256", "sm2", "gost2012-256")])
def test_pdfbox_opens_a_file_for_rsa_recipients_whoever_else_may_read_it(desk: Path, others: tuple[str, ...]) -> None:
    """PDFBox 2 knows key transport only, and AES-256 in CBC."""
    box = mailbox("rsa")
    recipients = [*(mailbox(name).certificate for name in others), box.certificate]
    laid_out(desk, box, encrypt_pdf(contract(), recipients))
    program = java_program("PdfOpener", jars(PDFBOX | BOUNCY_CASTLE))
    outcome = program.run("in.pdf", "key.p8", "cert.cer", "RSA", cwd=desk).check()
    assert outcome.output.decode().splitlines()[:2] == [TITLE, "Sealroad"]
    laid_out(desk, mailbox("rsa", 1), (desk / "in.pdf").read_bytes())
    program.run("in.pdf", "key.p8", "cert.cer", "RSA", cwd=desk).refused()


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("suite_name", INTERNATIONAL)
@pytest.mark.parametrize("signer", [None, "ecdsa-p256", "sm2", "gost2012-512"])
def test_pyhanko_opens_ours_and_finds_its_mac(suite_name: str, cipher: str, signer: str | None) -> None:
    from pyhanko.pdf_utils.crypt.api import AuthStatus, PdfMacStatus
    from pyhanko.pdf_utils.reader import PdfFileReader

    recipients = [mailbox("sm2").certificate, mailbox(suite_name).certificate]
    data = encrypt_pdf(contract(), recipients, cipher=cipher)
    if signer is not None:
        data = signed(data, signer)
    credentials = holder(mailbox(suite_name))
    assert credentials.recipient is not None
    reader = PdfFileReader(io.BytesIO(data))
    result = reader.decrypt_pubkey(_decrypter(credentials.recipient))
    assert result.status is AuthStatus.USER
    expected = PdfMacStatus.SUCCESSFUL if cipher == "aes-256-gcm" else PdfMacStatus.NOT_APPLICABLE
    assert result.mac_status is expected, result.mac_failure_reason
    assert reader.root["/Pages"]["/Kids"][0]["/Contents"].data.endswith(b"ET")
    assert str(reader.trailer["/Info"]["/Title"]) == TITLE


@pytest.mark.parametrize("suite_name", ["x25519", "x448", "ecdsa-p384"])
def test_we_open_what_pyhanko_encrypts(suite_name: str) -> None:
    """It agrees on keys of X25519 and X448 with the X9.63 KDF (RFC 8418 2.1)."""
    from asn1crypto.x509 import Certificate
    from pyhanko.pdf_utils.crypt.pubkey import RecipientEncryptionPolicy
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    box = mailbox(suite_name)
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(contract())))
    policy = RecipientEncryptionPolicy(
        ignore_key_usage=True
    )  # a key that agrees does not encipher (RFC 9295, RFC 8813)
    writer.encrypt_pubkey([Certificate.load(box.certificate.der)], policy=policy)
    out = io.BytesIO()
    writer.write(out)
    assert TITLE.encode() not in out.getvalue()
    opened = PdfFileReader(io.BytesIO(decrypt_pdf(out.getvalue(), holder(box)).data))
    assert str(opened.trailer["/Info"]["/Title"]) == TITLE


@pytest.mark.parametrize("suite_name", INTERNATIONAL)
def test_openssl_opens_the_seed(desk: Path, openssl: Program, suite_name: str) -> None:
    box = mailbox(suite_name)
    view = locked.read(encrypt_pdf(contract(), [mailbox("sm2").certificate, box.certificate]), holder(box))
    assert view.encryption is not None
    (envelope,) = view.encryption["CF"]["DefaultCryptFilter"]["Recipients"]
    (desk / "envelope").write_bytes(envelope)
    (desk / "key.pem").write_text(armor("PRIVATE KEY", box.key.pkcs8()))
    (desk / "cert.pem").write_text(box.certificate.pem)
    where = ("-inform", "DER", "-in", "envelope", "-recip", "cert.pem", "-inkey", "key.pem", "-out", "seed")
    openssl.run("cms", "-decrypt", "-binary", *where, cwd=desk).check()
    seed = (desk / "seed").read_bytes()
    assert len(seed) == 24
    assert seed[20:] == b"\xff\xff\xff\xff"


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("suite_name", WAYS)
def test_what_is_decrypted_is_a_sound_file(desk: Path, suite_name: str, cipher: str) -> None:
    box = mailbox(suite_name)
    opened = decrypt_pdf(encrypt_pdf(contract(), [box.certificate], cipher=cipher), holder(box))
    (desk / "out.pdf").write_bytes(opened.data)
    Program.find("qpdf").run("--check", "out.pdf", cwd=desk).check("No syntax or stream encoding errors")
    Program.find("pdfinfo").run("out.pdf", cwd=desk).check(TITLE)
    Program.find("mutool").run("draw", "-F", "txt", "out.pdf", cwd=desk).check("Sealroad")


@pytest.mark.parametrize(("revision", "aes"), [(3, False), (4, True), (6, True)])
def test_poppler_and_qpdf_read_a_signature_in_a_file_with_a_password(desk: Path, revision: int, aes: bool) -> None:
    data = signed(locked.by_qpdf(revision, aes=aes), "rsa", Credentials(locked.USER), reason="I agree")
    (desk / "signed.pdf").write_bytes(data)
    Program.find("qpdf").run("--check", f"--password={locked.USER}", "signed.pdf", cwd=desk).check("No syntax")
    said = Program.find("pdfsig").run("-nocert", "-upw", locked.USER, "signed.pdf", cwd=desk)
    assert "Signature is Valid" in said.text, said
    assert "Total document signed" in said.text, said
