"""PDF files encrypted for certificates: every family opens them, nobody else does, and nothing in them is changed."""

from __future__ import annotations

import io
import random
import re
from dataclasses import replace
from functools import cache
from typing import Any

import pikepdf
import pytest

from certs.errors import BadKey, SealroadError, UnsupportedAlgorithm
from signer.encryption import pdf as encryption
from signer.encryption.pdf import CIPHERS, DecryptedPDF, decrypt_pdf, encrypt_pdf
from signer.errors import EncryptedPDF, SignedPDF, UnreadablePDF
from signer.pdf.encryption import Credentials, Recipient
from signer.pdf.structure import Stream
from tests.certs.post import ENCRYPTING, WAYS, Mailbox, mailbox
from tests.conftest import circle_of, make_pdf
from tests.signer import locked
from tests.signer.signing import edited, sign

TITLE = "合同 𠮷 Договор"


def holder(box: Mailbox) -> Credentials:
    return Credentials(recipient=Recipient(box.certificate.der, box.key.pkcs8()))


@cache
def contract(*, packed: bool = False) -> bytes:
    """A page, a title, metadata, an attachment, numbers and names of every kind."""

    def change(pdf: pikepdf.Pdf) -> None:
        pdf.docinfo["/Title"] = TITLE
        pdf.Root.Metadata = pdf.make_stream(b"<x:xmpmeta/>", Type=pikepdf.Name.Metadata, Subtype=pikepdf.Name.XML)
        pdf.attachments["a.txt"] = b"attached" * 100
        pdf.Root["/Odd#20 Name"] = pikepdf.Array([0.1, -3, 1e-7, True, None, pikepdf.Name("/A#2FB"), b"\x00)(\\"])
        pdf.pages[0].CropBox = pikepdf.Array([0, 0, 594.96, 841.92])

    mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
    return edited(change, object_stream_mode=mode)


@cache
def locked_for(*names: str, cipher: str = CIPHERS[0]) -> bytes:
    return encrypt_pdf(contract(), [mailbox(name).certificate for name in names], cipher=cipher)


def content_of(data: bytes) -> tuple[Any, ...]:
    """What another library reads in a file."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        odd = [repr(item) for item in pdf.Root["/Odd#20 Name"]]
        attached = pdf.attachments["a.txt"].get_file().read_bytes()
        box = [float(edge) for edge in pdf.pages[0].CropBox]
        text, metadata = pdf.pages[0].Contents.read_bytes(), pdf.Root.Metadata.read_bytes()
        return str(pdf.docinfo["/Title"]), metadata, attached, odd, text, box


# Who opens it --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_a_recipient_of_every_suite_opens_it(suite_name: str, cipher: str) -> None:
    data = locked_for(suite_name, cipher=cipher)
    for readable in (b"Sealroad", b"attached", b"xmpmeta", TITLE.encode("utf-16-be"), b"Tj ET"):
        assert readable not in data
    opened = decrypt_pdf(data, holder(mailbox(suite_name)))
    assert opened.authenticated == (cipher == "aes-256-gcm")
    assert opened.method.startswith("AES-256-GCM" if opened.authenticated else "AES-256,")
    assert content_of(opened.data) == content_of(contract())


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("suite_name", WAYS)
def test_one_file_for_all_families(suite_name: str, cipher: str) -> None:
    opened = decrypt_pdf(locked_for(*WAYS, cipher=cipher), holder(mailbox(suite_name)))
    assert content_of(opened.data) == content_of(contract())


@pytest.mark.parametrize("packed", [False, True])
def test_objects_in_streams_are_written_out(packed: bool) -> None:
    box = mailbox("sm2")
    data = encrypt_pdf(contract(packed=packed), [box.certificate])
    assert b"/ObjStm" not in data
    assert content_of(decrypt_pdf(data, holder(box)).data) == content_of(contract())


def test_the_identifier_stays_and_the_file_is_another_one() -> None:
    data = contract()
    with pikepdf.open(io.BytesIO(data)) as before:
        first, second = (bytes(part) for part in before.trailer.ID)
    view = locked.read(locked_for("rsa"), holder(mailbox("rsa")))
    assert view.trailer["ID"][0] == first
    assert view.trailer["ID"][1] != second


def test_every_string_and_stream_has_a_nonce_of_its_own() -> None:
    view = locked.read(locked_for("rsa", cipher="aes-256-gcm"), holder(mailbox("rsa")))
    nonces = []
    for number in view.entries:
        found = view.locate(number)
        if found is not None and isinstance(found.value, Stream):
            nonces.append(view.pdf.data[found.value.start :][:12])
    assert len(nonces) > 2
    assert len(set(nonces)) == len(nonces)
    # no counter: another process writes the next revision under the same key
    assert len({nonce[4:11] for nonce in nonces}) == len(nonces)


# Who does not --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite_name", WAYS)
def test_somebody_else_does_not_open_it(suite_name: str) -> None:
    data, other = locked_for(suite_name), mailbox(suite_name, 1)
    with pytest.raises(EncryptedPDF, match="other certificates"):
        decrypt_pdf(data, holder(other))
    for credentials in (Credentials(), Credentials("password")):
        with pytest.raises(EncryptedPDF, match="holders of certificates"):
            decrypt_pdf(data, credentials)


@pytest.mark.parametrize("suite_name", WAYS)
def test_a_wrong_key_and_a_tampered_key_are_one_error(suite_name: str) -> None:
    box, data = mailbox(suite_name), locked_for(suite_name)
    said = set()
    with pytest.raises(EncryptedPDF) as wrong:
        decrypt_pdf(data, Credentials(recipient=Recipient(box.certificate.der, mailbox(suite_name, 1).key.pkcs8())))
    said.add(str(wrong.value))
    view = locked.read(data, holder(box))
    assert view.encryption is not None
    envelope = view.encryption["CF"]["DefaultCryptFilter"]["Recipients"][0]
    written = envelope.hex().encode()
    start = data.index(written)
    # the ciphertext of the seed, two blocks, stands at the end; the encrypted key before it
    for back in (20, 30):
        changed = bytearray(data)
        at = start + len(written) - 2 * back
        changed[at] = ord("0") if changed[at] != ord("0") else ord("1")
        with pytest.raises(SealroadError) as tampered:
            decrypt_pdf(bytes(changed), holder(box))
        if isinstance(tampered.value, EncryptedPDF):
            said.add(str(tampered.value))
    assert len(said) == 1


@pytest.mark.parametrize("suite_name", WAYS)
def test_no_bit_of_the_recipients_can_be_changed(suite_name: str) -> None:
    """The file key is derived from all of them (7.6.5.3), so the MAC fails where the seed still opens."""
    data, box = locked_for(*WAYS, cipher="aes-256-gcm"), mailbox(suite_name)
    start = data.index(b"/Recipients [<") + 14
    end = data.index(b">", start)
    for at in random.Random(suite_name).sample(range(start, end), 12):
        changed = bytearray(data)
        changed[at] = ord("0") if changed[at] != ord("0") else ord("1")
        with pytest.raises((EncryptedPDF, UnreadablePDF)):
            decrypt_pdf(bytes(changed), holder(box))


def test_no_octet_of_a_file_with_a_mac_can_be_changed() -> None:
    data, box = locked_for("sm2", cipher="aes-256-gcm"), mailbox("sm2")
    assert decrypt_pdf(data, holder(box)).authenticated
    for at in random.Random(1).sample(range(10, len(data) - 10), 60):
        changed = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        with pytest.raises((EncryptedPDF, UnreadablePDF)):
            decrypt_pdf(changed, holder(box))


def test_a_mac_that_was_left_out_is_missed() -> None:
    data, box = locked_for("rsa", cipher="aes-256-gcm"), mailbox("rsa")
    start = data.rindex(b"/AuthCode")
    stripped = data[:start] + b"/Authcode" + data[start + 9 :]
    without_salt = stripped.replace(b"/KDFSalt", b"/kdfSalt")
    for data in (stripped, without_salt):  # the permissions beside the seed ask for it
        with pytest.raises(UnreadablePDF, match="MAC over the file does not hold: it is missing"):
            decrypt_pdf(data, holder(box))
    with pytest.raises(UnreadablePDF, match="says nothing of one"):
        decrypt_pdf(without_salt.replace(b"/Authcode", b"/AuthCode"), holder(box))


@pytest.mark.parametrize("cipher", CIPHERS)
def test_a_truncated_file_gives_nothing(cipher: str) -> None:
    data, box = locked_for("sm2", cipher=cipher), mailbox("sm2")
    for end in random.Random(2).sample(range(len(data) - 8), 25):
        with pytest.raises((EncryptedPDF, UnreadablePDF)):
            decrypt_pdf(data[:end], holder(box))


# What is not encrypted -----------------------------------------------------------------------------------------------
def test_a_signed_file_is_refused_with_a_hint_to_the_envelope() -> None:
    with pytest.raises(SignedPDF, match="would break its signatures") as caught:
        encrypt_pdf(sign(contract()), [mailbox("rsa").certificate])
    assert "envelope" in str(caught.value.hint)


def test_what_is_encrypted_already_or_no_pdf_is_refused() -> None:
    recipients = [mailbox("rsa").certificate]
    with pytest.raises(EncryptedPDF, match="already"):
        encrypt_pdf(locked_for("sm2"), recipients)
    for bad in (b"", b"contract", b"%PDF-1.7\n", make_pdf()[:-300]):
        with pytest.raises(UnreadablePDF):
            encrypt_pdf(bad, recipients)
    with pytest.raises(UnreadablePDF, match="not encrypted"):
        decrypt_pdf(make_pdf(), holder(mailbox("rsa")))


def test_only_encryption_certificates_and_known_ciphers() -> None:
    with pytest.raises(BadKey, match="not for encryption"):
        encrypt_pdf(make_pdf(), [circle_of("sm2").person.certificate])
    with pytest.raises(UnsupportedAlgorithm):
        encrypt_pdf(make_pdf(), [circle_of("ed25519").person.certificate])
    with pytest.raises(UnsupportedAlgorithm, match="rc4"):
        encrypt_pdf(make_pdf(), [mailbox("rsa").certificate], cipher="rc4")


def test_a_dictionary_that_says_something_twice_is_not_written_as_if_it_said_it_once() -> None:
    data = make_pdf().replace(b"/Type /Catalog /Pages 2 0 R", b"/Type /Catalog/Pages 2 0 R/A 1/A 2")
    with pytest.raises(UnreadablePDF):
        encrypt_pdf(data, [mailbox("rsa").certificate])


def test_what_is_written_is_read_back_and_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = encryption.stream
    monkeypatch.setattr(encryption, "stream", lambda items, body, sealed: honest(items, body[:-16], sealed))
    with pytest.raises(UnreadablePDF):
        encrypt_pdf(contract(), [mailbox("rsa").certificate])


# Passwords, and signed files in the clear ----------------------------------------------------------------------------
@pytest.mark.parametrize("revision", [3, 4, 6])
def test_a_file_with_a_password_is_decrypted_too(revision: int) -> None:
    opened = decrypt_pdf(locked.by_qpdf(revision, packed=True), Credentials(locked.USER))
    with pikepdf.open(io.BytesIO(opened.data)) as pdf:
        assert b"pay 100" in pdf.pages[0].Contents.read_bytes()
        assert not pdf.is_encrypted


# Hostile -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["copied", "missing"])
def test_a_revision_by_somebody_without_the_file_key_is_noticed(kind: str) -> None:
    data, credentials = locked_for("rsa", cipher="aes-256-gcm"), holder(mailbox("rsa"))
    view = locked.read(data, credentials)
    code = view.trailer.spans["AuthCode"]
    extra = locked.trailer_of(view) + (b"/AuthCode " + data[slice(*code)] if kind == "copied" else b"")
    longer = locked.changed(data, credentials, {90: b"<< /Harm true >>"}, extra=extra)
    assert longer.startswith(data)
    with pytest.raises(UnreadablePDF, match="does not cover the whole file" if kind == "copied" else "it is missing"):
        decrypt_pdf(longer, credentials)


PIECES = (
    b"<<",
    b">>",
    b"[",
    b"(",
    b"/Encrypt",
    b"9999999999",
    b" R ",
    b"stream",
    b"/AuthCode << >>",
    b"/ByteRange[0 1]",
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(out))
        match chance.randrange(3):
            case 0:
                out[at] = chance.randrange(256)
            case 1:
                del out[at : at + chance.randrange(1, 20)]
            case _:
                out[at:at] = chance.choice(PIECES)
    return bytes(out)


def but_its_id(opened: DecryptedPDF) -> DecryptedPDF:
    """Leave out the second file identifier, which is a new one in every copy (ISO 32000-2 14.4)."""
    data, count = re.subn(rb"(/ID \[<[0-9a-f]+>) <[0-9a-f]{32}>", rb"\1", opened.data)
    assert count == 1
    return replace(opened, data=data)


@pytest.mark.parametrize("cipher", CIPHERS)
def test_whatever_the_octets_are_there_is_an_answer(cipher: str) -> None:
    data, box, chance = locked_for("sm2", cipher=cipher), mailbox("sm2"), random.Random(cipher)
    original = decrypt_pdf(data, holder(box))
    answers = set()
    for _ in range(150):
        changed = mutated(data, chance)
        try:
            opened = decrypt_pdf(changed, holder(box))
        except (EncryptedPDF, UnreadablePDF) as error:
            answers.add(error.code)
            continue
        # with a MAC: an octet was replaced by itself, or a digit of the MAC by its capital
        assert cipher != "aes-256-gcm" or but_its_id(opened) == but_its_id(original)
    assert {"encrypted-pdf", "unreadable-pdf"} <= answers
