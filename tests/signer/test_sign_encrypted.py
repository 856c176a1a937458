"""Signatures on encrypted files: made in place under the file's own key, verified like any other, MAC included."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from certs.keys.base import KeyHandle
from signer.encryption.pdf import CIPHERS, decrypt_pdf, encrypt_pdf
from signer.errors import EncryptedPDF, SigningRefused
from signer.pades.options import NationalForm, SignOptions
from signer.pades.sealing import seal_options
from signer.pades.sign import complete, prepare, sign_bytes
from signer.pades.stamps import certificate_stamp
from signer.pdf.encryption import Credentials
from signer.report import Report, Verdict
from signer.verify import VerifyOptions
from tests.certs.post import mailbox
from tests.conftest import CLOCK, NOW, SIGNING, circle_of, make_pdf
from tests.signer import locked
from tests.signer.seal_pdf.marks import seal
from tests.signer.seals.making import VERSIONS
from tests.signer.signing import byte_ranges, edited, empty_field
from tests.signer.test_encrypt_pdf import holder
from tests.signer.test_encrypted import notices
from tests.signer.test_verify import verify

READER = "sm2"


@cache
def base(cipher: str = CIPHERS[0]) -> bytes:
    """A contract for two families."""
    return encrypt_pdf(make_pdf(), [mailbox("rsa").certificate, mailbox(READER).certificate], cipher=cipher)


def reader() -> Credentials:
    return holder(mailbox(READER))


def signed(data: bytes, suite_name: str, credentials: Credentials | None = None, **options: Any) -> bytes:
    circle = circle_of(suite_name)
    who, stamper = circle.organisation, circle.timestamper if options.get("level") == "B-T" else None
    return sign_bytes(
        data,
        who.key,
        who.certificate,
        (circle.issuing,),
        SignOptions(**options),
        CLOCK,
        stamper,
        credentials=credentials or reader(),
    )


def judged(data: bytes, suite_name: str, credentials: Credentials | None = None) -> Report:
    given = credentials or reader()
    options = VerifyOptions(password=given.password, recipient=given.recipient)
    return verify(data, circle_of(suite_name), options=options)


# Every suite ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite_name", SIGNING)
@pytest.mark.parametrize("cipher", CIPHERS)
def test_every_suite_signs_a_file_for_certificates(suite_name: str, cipher: str) -> None:
    data = signed(base(cipher), suite_name, reason="I agree", location="Владивосток")
    assert data.startswith(base(cipher))
    added = data[len(base(cipher)) :]
    assert b"I agree" not in added
    assert b"Signature1" not in added
    report = judged(data, suite_name)
    (one,) = report.signatures
    assert (one.verdict, one.field) == (Verdict.TOTAL_PASSED, "Signature1"), one.reason
    assert ("reason", "I agree") in one.stated
    assert ("location", "Владивосток") in one.stated
    assert ("encryption-mac" in notices(report)) == (cipher == "aes-256-gcm")
    # the other recipient, of another family, sees the same
    assert judged(data, suite_name, holder(mailbox("rsa"))).verdict is Verdict.TOTAL_PASSED
    ((_, before, behind, _),) = byte_ranges(data)
    for at in (base(cipher).index(b"stream") + 12, before - 40, behind + 4):
        changed = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        assert judged(changed, suite_name).verdict is not Verdict.TOTAL_PASSED


@pytest.mark.parametrize("cipher", CIPHERS)
def test_parties_of_three_families_sign_one_encrypted_file(cipher: str) -> None:
    data = base(cipher)
    for suite_name in ("ecdsa-p256", "sm2", "gost2012-256"):
        data = signed(data, suite_name, level="B-T")
        report = judged(data, suite_name)
        assert report.signatures[-1].verdict is Verdict.TOTAL_PASSED
        assert report.signatures[-1].level == "B-T"
        assert ("encryption-mac" in notices(report)) == (cipher == "aes-256-gcm")
    assert judged(data, "ecdsa-p256").signatures[0].verdict is Verdict.TOTAL_PASSED
    opened = decrypt_pdf(data, reader())
    assert opened.signatures == 3
    assert opened.authenticated == (cipher == "aes-256-gcm")
    # a copy in the clear: the same form, and no signature holds in it
    with pikepdf.open(io.BytesIO(opened.data)) as pdf:
        assert len(pdf.Root.AcroForm.Fields) == 3
    assert {one.verdict for one in judged(opened.data, "sm2").signatures}.isdisjoint({Verdict.TOTAL_PASSED})


# Passwords -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("revision", "aes"), [(2, False), (3, False), (4, False), (4, True), (5, True), (6, True)])
def test_a_file_with_a_password_is_signed_with_it(revision: int, aes: bool, packed: bool) -> None:
    plain = locked.by_qpdf(revision, aes=aes, packed=packed)
    for password in (locked.USER, locked.OWNER)[revision == 2 :]:  # qpdf allows no changes there
        data = signed(plain, "ecdsa-p256", Credentials(password), reason="I agree")
        report = judged(data, "ecdsa-p256", Credentials(locked.USER))
        assert report.verdict is Verdict.TOTAL_PASSED, report.signatures[0].reason
        with pikepdf.open(io.BytesIO(data), password=locked.USER) as pdf:
            assert str(pdf.Root.AcroForm.Fields[0].V.Reason) == "I agree"


def test_a_stamp_is_drawn_into_an_encrypted_file() -> None:
    person = circle_of("sm2").organisation
    stamp = certificate_stamp(person.certificate, "sm2", time=NOW, locale="zh", name="张𠮷伟")
    data = signed(base(), "sm2", page=1, box=(60, 80, 260, 160), appearance=stamp)
    assert judged(data, "sm2").verdict is Verdict.TOTAL_PASSED
    with pikepdf.open(io.BytesIO(decrypt_pdf(data, reader()).data)) as pdf:
        assert pdf.Root.AcroForm.Fields[0].AP.N.read_bytes()


# Refusals ------------------------------------------------------------------------------------------------------------
def test_without_what_opens_it_nothing_is_signed() -> None:
    who = circle_of("ecdsa-p256").organisation
    with pytest.raises(EncryptedPDF):
        sign_bytes(base(), who.key, who.certificate, (), SignOptions(), CLOCK)
    for wrong in (Credentials(), Credentials("no"), holder(mailbox(READER, 1))):
        with pytest.raises(EncryptedPDF):
            signed(base(), "ecdsa-p256", wrong)
    with pytest.raises(EncryptedPDF, match="does not open it"):
        signed(locked.by_qpdf(6), "ecdsa-p256", Credentials("no"))


def limited(allow: pikepdf.Permissions) -> bytes:
    """A file with an empty field, and a user password that allows little."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(edited(empty_field("Here")))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner=locked.OWNER, user=locked.USER, R=6, allow=allow))
    return out.getvalue()


@pytest.mark.parametrize(
    ("allowed", "existing", "new"),
    [
        ({"modify_form": False, "modify_annotation": False, "modify_other": False}, False, False),
        ({"modify_form": True, "modify_annotation": False, "modify_other": False}, True, False),
        ({"modify_form": True, "modify_annotation": True, "modify_other": False}, True, False),
        ({"modify_form": True, "modify_annotation": True, "modify_other": True}, True, True),
    ],
)
def test_permissions_of_the_user_password_are_kept_to(allowed: dict[str, bool], existing: bool, new: bool) -> None:
    data = limited(pikepdf.Permissions(**allowed))
    for field, may in (("Here", existing), ("Another", new)):
        if may:
            assert signed(data, "ecdsa-p256", Credentials(locked.USER), field=field)
        else:
            with pytest.raises(SigningRefused, match="whoever encrypted the file") as caught:
                signed(data, "ecdsa-p256", Credentials(locked.USER), field=field)
            assert caught.value.facts["reason"] == "permissions"
        assert signed(data, "ecdsa-p256", Credentials(locked.OWNER), field=field)


def test_permissions_of_a_recipient_are_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.encryption.pdf.ALL_PERMISSIONS", 0xFFFFFFFF & ~(1 << 1 | 1 << 3))
    data = encrypt_pdf(edited(empty_field("Here")), [mailbox(READER).certificate])
    with pytest.raises(SigningRefused, match="no new signature field"):
        signed(data, "sm2")
    assert judged(signed(data, "sm2", field="Here"), "sm2").verdict is Verdict.TOTAL_PASSED


# Two steps -----------------------------------------------------------------------------------------------------------
def test_the_key_may_be_elsewhere_and_what_opens_the_file_is_not_recorded(tmp_path: Path) -> None:
    circle = circle_of("gost2012-256")
    who, source, target = circle.organisation, tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(base())
    prepared = prepare(source, target, SignOptions(), who.certificate, (circle.issuing,), CLOCK, credentials=reader())
    recipient = reader().recipient
    assert recipient is not None
    assert recipient.private_key.hex() not in prepared.to_json()
    key: KeyHandle = who.key
    complete(target, prepared, value=key.sign(prepared.dtbs))
    assert judged(target.read_bytes(), "gost2012-256").verdict is Verdict.TOTAL_PASSED


def test_a_file_with_a_mac_is_signed_in_one_step(tmp_path: Path) -> None:
    circle = circle_of("sm2")
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(base("aes-256-gcm"))
    with pytest.raises(SigningRefused, match="could not make the next one") as caught:
        prepare(source, target, SignOptions(), circle.organisation.certificate, (), CLOCK, credentials=reader())
    assert caught.value.facts["reason"] == "mac"
    assert not target.exists()


def test_a_file_that_was_changed_gets_no_new_mac() -> None:
    data = base("aes-256-gcm")
    changed = data.replace(b"595 842", b"595 843")
    assert changed != data
    stripped = data.replace(b"/KDFSalt", b"/kdfSalt").replace(b"/AuthCode", b"/authCode")
    for bad in (changed, stripped):
        with pytest.raises(SigningRefused, match="does not hold") as caught:
            signed(bad, "sm2")
        assert caught.value.facts["reason"] == "mac-broken"


def test_the_national_form_of_a_seal_has_no_place_for_a_mac() -> None:
    circle, options = circle_of("sm2"), seal_options(seal("sm2", VERSIONS[-1]), national=NationalForm())
    who = circle.organisation
    arguments = (who.key, who.certificate, (circle.issuing,), options, CLOCK)
    assert sign_bytes(base(), *arguments, credentials=reader())
    with pytest.raises(SigningRefused, match="no place") as caught:
        sign_bytes(base("aes-256-gcm"), *arguments, credentials=reader())
    assert caught.value.facts["reason"] == "mac"
