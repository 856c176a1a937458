"""Attacks on encrypted PDFs: what stays in the clear, parts that a stranger mixes in, an oracle for somebody's mail."""

from __future__ import annotations

from typing import Any

import pytest

from certs import enveloped
from certs.errors import DecryptionFailed
from signer.encryption import pdf as encryption
from signer.encryption.pdf import CIPHERS, decrypt_pdf, encrypt_pdf
from signer.errors import EncryptedPDF, UnreadablePDF
from signer.pdf.encryption import Credentials
from tests.certs.post import mailbox
from tests.conftest import make_pdf
from tests.signer import locked, rawpdf
from tests.signer.attacks.test_envelope_attacks import in_cbc
from tests.signer.test_encrypt_pdf import holder
from tests.signer.test_encrypted import half_encrypted

SECRET = b"the price is 900 000"


def paper(**more: bytes) -> dict[int, bytes]:
    """A page, unsigned."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"
    return rawpdf.objects(o1=b"<< /Type /Catalog /Pages 2 0 R >>", o3=page, o5=b"", o6=b"", **more)


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("info", [b"<< /Title (%b) >>", b"[(%b)]", b"(%b)"])
def test_a_title_in_the_trailer_is_not_left_in_the_clear(cipher: str, info: bytes) -> None:
    """ISO 32000-2 7.6.2: strings of the trailer are not encrypted, and /Info has to be a reference (Table 15)."""
    data = rawpdf.assemble(paper(), extra=b"/Info " + info % SECRET)
    with pytest.raises(UnreadablePDF, match="in the trailer"):
        encrypt_pdf(data, [mailbox("rsa").certificate], cipher=cipher)


@pytest.mark.parametrize("cipher", CIPHERS)
def test_nothing_else_of_a_file_stays_in_the_clear(cipher: str) -> None:
    text = rawpdf.stream(SECRET)
    more = {
        "o7": b"<< /A (%b) /B [(%b) << /C (%b) >>] >>" % (SECRET, SECRET, SECRET),
        "o8": rawpdf.stream(SECRET, b"/Type /Metadata /Subtype /XML /Private (%b) " % SECRET),
        "o9": rawpdf.stream(SECRET, b"/Type /EmbeddedFile "),
        "o10": rawpdf.stream(SECRET, b"/Type /XRef "),
        "o11": b"(%b)" % SECRET,
    }
    base = rawpdf.assemble(paper(o4=text, **more), extra=b"/Private (%b) " % SECRET) + b"% " + SECRET
    data = encrypt_pdf(base, [mailbox("sm2").certificate], cipher=cipher)
    assert SECRET in base
    assert SECRET not in data
    assert SECRET.hex().encode() not in data.lower()


@pytest.mark.parametrize("suite_name", ["rsa", "ecdsa-p256", "sm2"])
def test_a_file_is_no_oracle_for_the_padding_of_a_message_of_somebody_else(
    suite_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, message = mailbox(suite_name), in_cbc(suite_name, b"a secret, and ten")
    answers: set[Any] = set()
    for octet in (0, *range(32, 256, 32), 14):  # 14 makes the last octet of padding 01
        changed = message[:-17] + bytes((message[-17] ^ octet,)) + message[-16:]
        try:
            enveloped.decrypt_bytes(changed, box.key, box.certificate)
        except DecryptionFailed:
            answers.add("bad padding")
        else:
            answers.add("good padding")
        monkeypatch.setattr(encryption, "encrypt_seed", lambda *_, changed=changed, **__: changed)
        data = encrypt_pdf(make_pdf(), [box.certificate])
        with pytest.raises(EncryptedPDF) as caught:
            decrypt_pdf(data, holder(box))
        answers.add((str(caught.value), caught.value.hint))
    assert {"bad padding", "good padding"} < answers
    assert len(answers) == 3, answers


def test_what_a_stranger_mixed_in_is_said_when_the_copy_is_written() -> None:
    """PDFex: parts that are not encrypted send off what the reader decrypts beside them."""
    credentials = Credentials(locked.USER)
    data = locked.by_qpdf(6)
    assert decrypt_pdf(data, credentials).plain == ()
    harm = rawpdf.stream(b"q Q", b"/Filter [/Crypt] /DecodeParms [<< /Name /Identity >>] ")
    (said,) = decrypt_pdf(locked.changed(data, credentials, {90: harm}), credentials).plain
    assert said == "the stream object 90 is not encrypted"
    assert decrypt_pdf(half_encrypted(), credentials).plain == ("strings are not encrypted",)
