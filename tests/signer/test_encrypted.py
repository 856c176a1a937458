"""Encrypted PDFs: opened with a password or a recipient's key, judged like any other; never more open than they are."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from certs import suites
from signer.errors import EncryptedPDF
from signer.forked import Limits
from signer.pdf.encryption import Credentials, Decryptor, Recipient, unlock
from signer.pdf.structure import BudgetSpent, PDFFile, Stream, filters_of
from signer.pdf.tokens import Ref, SyntaxFault, parse
from signer.report import Report, SignatureReport, Verdict
from signer.revisions import Revisions
from signer.sandbox import Sandbox
from signer.verify import VerifyOptions
from signer.workers import Workers
from tests.conftest import CLOCK, circle_of
from tests.signer import locked, rawpdf
from tests.signer.locked import OWNER, USER, crypt
from tests.signer.test_verify import SIZES, cms, verify

CIRCLE = "ecdsa-p256"
BY_USER = Credentials(USER)


def opened(data: bytes, password: str | None = USER, recipient: Recipient | None = None, suite: str = CIRCLE) -> Report:
    return verify(data, circle_of(suite), options=VerifyOptions(password=password, recipient=recipient))


def only(report: Report) -> SignatureReport:
    (one,) = report.signatures
    return one


def notices(report: Report) -> dict[str, str]:
    return {notice.code: notice.detail for notice in report.warnings}


def result(one: SignatureReport, rule: str) -> str:
    return next(check.result for check in one.checks if check.id.startswith(rule))


@cache
def contract(
    revision: int = 6, *, suite: str = CIRCLE, user: str = USER, aes: bool = True, packed: bool = False
) -> bytes:
    base = locked.by_qpdf(revision, aes=aes, user=user, packed=packed)
    seal = None
    if revision == 5:  # pyHanko does not open it: its strings are encrypted as those of revision 6
        key = locked.read(base, Credentials(user)).pdf.decryptor
        assert key is not None
        assert key.file_key is not None
        seal = aes_256(key.file_key)
    digits = SIZES.get(suite, 16_000)
    return locked.signed(base, Credentials(user), cms(circle_of(suite)), digits=digits, seal=seal)


def aes_256(key: bytes) -> Callable[[int, bytes], bytes]:
    handler = crypt.StandardSecurityHandler.build_from_pw("", pdf_mac=False)
    return lambda _, text: b"<" + handler.get_string_filter().encrypt(key, text).hex().encode() + b">"


# -- what opens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("revision", "aes", "method"),
    [(2, False, "RC4"), (3, False, "RC4"), (4, False, "RC4"), (4, True, "AES-128"), (5, True, "AES-256"),
     (6, True, "AES-256")],
)  # fmt: skip
def test_every_revision_opens_with_either_password(revision: int, aes: bool, method: str, packed: bool) -> None:
    data = contract(revision, aes=aes, packed=packed)
    for password, kind in ((USER, "user"), (OWNER, "owner")):
        report = opened(data, password)
        one = only(report)
        assert (one.verdict, one.field, one.level) == (Verdict.TOTAL_PASSED, "Sig1", "B-B"), one.reason
        assert ("reason", "I agree") in one.stated
        assert result(one, "G10") == "passed"
        assert notices(report) == {
            "encryption-integrity": f"{method}, opened with the {kind} password; no MAC (ISO/TS 32004)"
        }


@pytest.mark.parametrize("suite", suites.ALL_NAMES)
def test_every_suite_signs_what_is_encrypted(suite: str) -> None:
    assert only(opened(contract(suite=suite), suite=suite)).verdict is Verdict.TOTAL_PASSED
    data = contract(suite=suite)
    at = data.index(b"stream") + 10
    changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    one = only(opened(changed, suite=suite))
    assert (one.verdict, one.sub_indication) == (Verdict.TOTAL_FAILED, "HASH_FAILURE")


@pytest.mark.parametrize("revision", [3, 4, 6])
def test_the_empty_user_password_is_tried_without_asking(revision: int) -> None:
    data = contract(revision, user="")
    for given in (None, "", "not it"):
        report = opened(data, given)
        assert report.verdict is Verdict.TOTAL_PASSED
        assert "the empty user password" in notices(report)["encryption-integrity"]
    assert "the owner password" in notices(opened(data, OWNER))["encryption-integrity"]


@pytest.mark.parametrize("revision", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("password", [None, "", "not it", "x" * 5000, "\ud800", "\udcff\udc80", "\x00", "密码"])
def test_another_password_is_an_error_with_a_hint(revision: int, password: str | None) -> None:
    with pytest.raises(EncryptedPDF) as caught:
        opened(contract(revision), password)
    assert caught.value.hint
    assert ("does not open" in caught.value.message) == bool(password)


@pytest.mark.parametrize(("revision", "password"), [(3, "café"), (4, "café"), (6, "密码 пароль"), (6, "x" * 127)])
def test_passwords_in_any_alphabet(revision: int, password: str) -> None:
    assert notices(opened(locked.by_qpdf(revision, user=password), password))


def test_clear_metadata_and_aes_gcm() -> None:
    assert opened(locked.by_qpdf(4, metadata=False)).verdict is Verdict.NO_SIGNATURE
    for use_gcm, mac in ((True, True), (True, False), (False, True)):
        handler = crypt.StandardSecurityHandler.build_from_pw(OWNER, USER, use_gcm=use_gcm, pdf_mac=mac)
        base = locked.by_pyhanko(handler)
        report = opened(locked.signed(base, BY_USER, cms(circle_of(CIRCLE))))
        assert report.verdict is Verdict.TOTAL_PASSED
        code = "encryption-mac-broken" if mac else "encryption-integrity"
        assert ("AES-256-GCM" in notices(report)[code]) == use_gcm
        assert ("it is missing" in notices(report)[code]) == mac  # the revision with the signature has none
        assert ("encryption-mac" in notices(opened(base))) == mac
        assert result(only(report), "G10") == ("not-checked" if use_gcm else "passed")


@pytest.mark.parametrize("kind", ["rc4", "aes-128", "aes-256", "aes-256 mac", "certificates", "certificates mac"])
def test_what_pyhanko_signs_in_an_encrypted_file(kind: str) -> None:
    """Base, strings, cross-reference and signature by another writer."""
    circle, holder = circle_of(CIRCLE), circle_of("rsa")
    if kind.startswith("certificates"):
        base = locked.for_certificates(holder, mac="mac" in kind)
        credentials = Credentials(recipient=locked.recipient(holder))
    else:
        credentials = BY_USER
        revision, aes = {"rc4": (3, False), "aes-128": (4, True), "aes-256": (6, True)}.get(kind, (0, True))
        handler = crypt.StandardSecurityHandler.build_from_pw(OWNER, USER)
        base = locked.by_qpdf(revision, aes=aes, packed=True) if revision else locked.by_pyhanko(handler)
    data = locked.signed_by_pyhanko(base, credentials, circle)
    report = opened(data, credentials.password, credentials.recipient)
    one = only(report)
    assert (one.verdict, one.field) == (Verdict.TOTAL_PASSED, "Contract"), one.reason
    assert ("reason", "I agree") in one.stated
    assert ("encryption-mac" in notices(report)) == ("mac" in kind)
    twice = locked.signed_by_pyhanko(data, credentials, circle, field="Second")
    verdicts = [s.verdict for s in opened(twice, credentials.password, credentials.recipient).signatures]
    assert verdicts == [Verdict.TOTAL_PASSED] * 2


# -- for certificates ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suite", "how"),
    [("rsa", {}), ("rsa", {"oaep": True}), ("rsa", {"version": 4}), ("rsa", {"version": 4, "aes": False}),
     ("rsa", {"version": 2, "s4": True}), ("ecdsa-p256", {})],
)  # fmt: skip
def test_a_recipient_opens_with_its_key(suite: str, how: dict[str, Any]) -> None:
    holder = locked.recipient(circle_of(suite))
    base = locked.for_certificates(circle_of(suite), **how)
    data = locked.signed(base, Credentials(recipient=holder), cms(circle_of(CIRCLE)))
    report = opened(data, None, holder)
    one = only(report)
    assert one.verdict is Verdict.TOTAL_PASSED, one.reason
    assert result(one, "G10") == "not-checked"
    assert "the key of a recipient" in notices(report)["encryption-integrity"]
    stranger = circle_of("rsa").organisation
    foreign = Recipient(stranger.certificate.der, stranger.key.pkcs8())
    for credentials in (
        {"password": USER},
        {"password": None},
        {"recipient": foreign},
        {"recipient": Recipient(holder.certificate, foreign.private_key)},
        {"recipient": Recipient(b"", b"")},
        {"recipient": locked.recipient(circle_of("sm2"))},
    ):
        with pytest.raises(EncryptedPDF) as caught:
            opened(data, **({"password": None} | credentials))
        assert caught.value.hint
    assert holder.private_key.hex() not in repr(VerifyOptions(recipient=holder, password="hidden"))
    assert "hidden" not in repr(VerifyOptions(password="hidden")) + repr(Credentials("hidden"))


# -- what is ciphertext -------------------------------------------------------------------------------


def test_which_strings_and_streams_are_ciphertext() -> None:
    """7.6.2: what never is; 7.4.10: filters a stream names; Table 20: /EFF and /EncryptMetadata."""

    def marked(mark: bytes) -> Callable[[Ref, bytes], bytes]:
        return lambda owner, data: mark + data + b"%d" % owner.number

    ours = Decryptor(
        marked(b"string "), marked(b"stream "), marked(b"file "), {"Own": marked(b"own "), "Off": None},
        metadata=False, dictionary=7, method="", file_key=None,
    )  # fmt: skip

    def value(text: bytes, number: int = 4) -> Any:
        return ours.opened(parse(text, 0)[0], number, 0, lambda _: None)

    assert value(b"(a)") == b"string a4"
    assert value(b"[() [<< /A (b) >>] /c 1 null]") == [b"", [{"A": b"string b4"}], "c", 1, None]
    assert value(b"<< /Contents <00> /ByteRange [0] /M (m) >>") == {
        "Contents": b"\0",
        "ByteRange": [0],
        "M": b"string m4",
    }
    for kind in (b"Sig", b"DocTimeStamp"):
        assert value(b"<< /Type /" + kind + b" /Contents (x) >>")["Contents"] == b"x"
    assert value(b"<< /Contents (note) >>")["Contents"] == b"string note4"
    assert value(b"<< /O (x) >>", 7) == {"O": b"x"}

    def octets(text: bytes) -> bytes:
        stream = ours.opened(Stream(parse(text, 0)[0], 0, 1), 4, 0, lambda _: None)
        if stream.owner is None:
            return b"as it is"
        return ours.stream(b"x", stream.dictionary, stream.owner, filters_of(stream, None))[0]

    assert octets(b"<< >>") == b"stream x4"
    assert octets(b"<< /Type /EmbeddedFile >>") == b"file x4"
    assert octets(b"<< /Type /Metadata >>") == b"x"
    assert octets(b"<< /Type /XRef /X (x) >>") == b"as it is"
    assert octets(b"<< /Filter /Crypt >>") == b"x"
    assert octets(b"<< /Filter [/Crypt /FlateDecode] /DecodeParms [<< /Name /Own >> null] >>") == b"own x4"
    assert octets(b"<< /Type /Metadata /Filter /Crypt /DecodeParms << /Name /Own >> >>") == b"own x4"
    assert octets(b"<< /Filter /Crypt /DecodeParms << /Name /Off >> >>") == b"x"
    with pytest.raises(SyntaxFault):
        octets(b"<< /Filter /Crypt /DecodeParms << /Name /Missing >> >>")
    assert octets(b"<< /Filter [/FlateDecode /Crypt] >>") == b"stream x4"  # it must come first: not read further


def dictionary_of(data: bytes) -> tuple[int, bytes]:
    """Number and octets of the encryption dictionary."""
    view = locked.read(data, BY_USER)
    number = view.trailer["Encrypt"].number
    located = view.pdf.written_at(view.entries[number].offset, None)
    return number, data[located.start : located.end].split(b"obj", 1)[1].rsplit(b"endobj", 1)[0].strip()


@pytest.mark.parametrize(
    ("revision", "change", "opens"),
    [
        (6, lambda d: d, True),
        (6, lambda d: re.sub(rb"/P -(\d+)", lambda m: b"/P %d" % (2**32 - int(m[1])), d), True),
        (3, lambda d: re.sub(rb"/P -(\d+)", lambda m: b"/P %d" % (2**32 - int(m[1])), d), True),
        (6, lambda d: d.replace(b"<<", b"<< /R 6 ", 1), False),
        (6, lambda d: d.replace(b"/CFM", b"/CFM /AESV3 /CFM"), False),
        (6, lambda d: re.sub(rb"/P -\d+", b"/P -44", d), False),
        (3, lambda d: d.replace(b"<<", b"<< /CF << /A << /CFM /ROT13 >> >> /StmF /A ", 1), True),
        (4, lambda d: re.sub(rb"/Length 128", b"", d), True),
        (4, lambda d: re.sub(rb"/Length 128", b"/Length 16", d), True),
    ],
)
def test_forms_of_the_dictionary(revision: int, change: Callable[[bytes], bytes], opens: bool) -> None:
    base = locked.by_qpdf(revision)
    number, written = dictionary_of(base)
    data = locked.changed(base, BY_USER, {number: change(written)})
    if opens:
        assert opened(data).verdict is Verdict.NO_SIGNATURE
        assert locked.read(data, BY_USER).catalog["Lang"] == b"en"
    else:
        with pytest.raises(EncryptedPDF):
            opened(data)


# -- what later revisions do --------------------------------------------------------------------------


@pytest.mark.parametrize("revision", [2, 4, 5, 6])
def test_what_a_later_revision_may_do_and_what_not(revision: int) -> None:
    data = contract(revision)
    view = locked.read(data, BY_USER)
    page = view.get(view.catalog, "Pages")["Kids"][0]
    note = view.resolve(page)["Annots"][0]
    new_note = b"<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] >>"
    one = only(opened(locked.changed(data, BY_USER, {note.number: new_note})))
    assert one.verdict is Verdict.TOTAL_PASSED
    assert one.changes_after is not None
    assert one.changes_after.level == "annotations"
    content = view.resolve(page)["Contents"]
    one = only(opened(locked.changed(data, BY_USER, {content.number: rawpdf.stream(b"0" * 32)})))
    assert (one.verdict, one.code) == (Verdict.TOTAL_FAILED, "forbidden-change")


@pytest.mark.parametrize("revision", [4, 6])
def test_the_same_plaintext_under_another_nonce_is_no_change(revision: int) -> None:
    """An image that a later revision writes once more, encrypted anew: the filter on it is none that we read."""
    base = locked.by_qpdf(revision)
    view = locked.read(base, BY_USER)
    content = view.get(view.get(view.catalog, "Pages"), "Kids")[0]
    number = view.resolve(content)["Contents"].number
    filters = b"/Filter /DCTDecode "
    bodies = [{number: rawpdf.stream(locked.stream_sealer(base, BY_USER)(number, b"\xff\xd8"), filters)} for _ in "12"]
    assert bodies[0] != bodies[1]
    before = locked.changed(base, BY_USER, bodies[0])
    data = locked.signed(before, BY_USER, cms(circle_of(CIRCLE)))
    assert only(opened(locked.changed(data, BY_USER, bodies[1]))).verdict is Verdict.TOTAL_PASSED
    other = {number: rawpdf.stream(locked.stream_sealer(base, BY_USER)(number, b"\xff\xd9"), filters)}
    assert only(opened(locked.changed(data, BY_USER, other))).code == "forbidden-change"


def test_one_ciphertext_in_two_objects_is_two_contents() -> None:
    """The key of an object depends on its number: moving ciphertext changes what is read."""
    data = contract(4, aes=False)
    view = locked.read(data, BY_USER)
    page_reference = view.get(view.catalog, "Pages")["Kids"][0]
    content = view.resolve(page_reference)["Contents"]
    stream = view.resolve(content)
    octets = data[stream.start : stream.end]
    number = max(view.entries) + 5
    located = view.locate(page_reference.number)
    assert located is not None
    written = data[located.start : located.end].split(b"obj", 1)[1].rsplit(b"endobj", 1)[0].strip()
    page = written.replace(b"/Contents %d 0 R" % content.number, b"/Contents %d 0 R" % number)
    assert page != written
    filters = b"/Filter /FlateDecode " if "Filter" in stream.dictionary else b""
    moved = {page_reference.number: page, number: rawpdf.stream(octets, filters)}
    assert only(opened(locked.changed(data, BY_USER, moved))).code == "forbidden-change"


@pytest.mark.parametrize("revision", [4, 6])
def test_no_later_revision_changes_how_everything_is_read(revision: int) -> None:
    data = contract(revision)
    view = locked.read(data, BY_USER)
    own = view.trailer["Encrypt"]
    located = view.pdf.written_at(view.entries[own.number].offset, None)
    written = data[located.start : located.end].split(b"obj", 1)[1].rsplit(b"endobj", 1)[0].strip()
    trailer = locked.trailer_of(view)
    again = only(opened(locked.changed(data, BY_USER, {own.number: written})))
    assert again.verdict is Verdict.TOTAL_PASSED  # said once more, word for word
    other = locked.by_qpdf(revision)
    other_view = locked.read(other, BY_USER)
    place = other_view.trailer["Encrypt"]
    theirs = other_view.pdf.written_at(other_view.entries[place.number].offset, None)
    foreign = other[theirs.start : theirs.end].split(b"obj", 1)[1].rsplit(b"endobj", 1)[0].strip()
    number = max(view.entries) + 5
    elsewhere = trailer.replace(b"/Encrypt %d 0 R" % own.number, b"/Encrypt %d 0 R" % number)
    permissions = re.sub(rb"/P -?\d+", b"/P -44", written)
    attempts: list[tuple[dict[int, bytes], bytes]] = [
        ({number: written}, elsewhere),  # the same under another number
        ({number: b"<< >>"}, trailer.split(b"/ID")[1].join([b"/ID", b""])),  # encrypted no more
        ({number: foreign}, elsewhere) if revision == 6 else ({number: permissions}, elsewhere),
        ({own.number: permissions + b" "}, trailer),
        ({own.number: written.replace(b"/StrF /StdCF", b"/StrF /Identity")}, trailer),
    ]
    if revision == 4:
        attempts.append(({number: b"<< >>"}, re.sub(rb"/ID \[<..", b"/ID [<00", trailer)))
    for bodies, extra in attempts:
        changed = locked.changed(data, BY_USER, bodies, extra)
        try:
            one = only(opened(changed))
        except EncryptedPDF:
            continue  # the password does not open what it says now
        assert one.verdict is Verdict.TOTAL_FAILED, (bodies, extra)


def test_encryption_that_came_after_the_signature_is_a_forbidden_change() -> None:
    data = rawpdf.sign(cms(circle_of(CIRCLE)))
    base = locked.by_qpdf(6)
    view = locked.read(base, BY_USER)
    located = view.pdf.written_at(view.entries[view.trailer["Encrypt"].number].offset, None)
    dictionary = base[located.start : located.end].split(b"obj", 1)[1].rsplit(b"endobj", 1)[0].strip()
    one = only(opened(rawpdf.update(data, {90: dictionary}, extra=b"/Encrypt 90 0 R ")))
    assert one.verdict is not Verdict.TOTAL_PASSED


def test_what_a_signer_saw_of_an_encrypted_file() -> None:
    """Extracted whatever it takes to read it; what changed, where the empty user password opens it."""
    found = Revisions(contract(6))
    assert found.extract(found.count) == contract(6)
    with pytest.raises(EncryptedPDF) as caught:
        found.changes(1)
    assert caught.value.hint
    without = Revisions(contract(6, user=""))
    assert without.signed == {without.count: ("Sig1",)}
    assert any("Sig1" in change for change in without.changes(1))
    assert list(without.differing(without.count)) == []


# -- plain beside encrypted ---------------------------------------------------------------------------


def test_what_is_plain_beside_what_is_encrypted_is_said() -> None:
    data = contract(6)
    spelt = {
        "stream": rawpdf.stream(b"q Q", b"/Filter [/Crypt] /DecodeParms [<< /Name /Identity >>] "),
        "by default": rawpdf.stream(b"q Q", b"/Filter /#43rypt "),
        "cross-reference": rawpdf.stream(b"q Q", b"/Type /XRef "),
    }
    for words, body in spelt.items():
        report = opened(locked.changed(data, BY_USER, {90: body}))
        assert "encryption-mixed" in notices(report), words
    assert "encryption-mixed" not in notices(opened(data))
    half = half_encrypted()
    report = opened(half)
    assert notices(report)["encryption-mixed"] == "strings are not encrypted"


def half_encrypted() -> bytes:
    handler = crypt.StandardSecurityHandler.build_from_pw_legacy(
        crypt.StandardSecuritySettingsRevision.RC4_OR_AES128,
        b"Sealroad",
        OWNER,
        USER,
        crypt_filter_config=crypt.CryptFilterConfiguration(
            {crypt.STD_CF: crypt.StandardAESCryptFilter(keylen=16)}, default_stream_filter=crypt.STD_CF
        ),
    )
    return locked.by_pyhanko(handler, identifier=b"Sealroad")


# -- hostile ------------------------------------------------------------------------------------------

O32, U32 = b"/O <" + b"41" * 32 + b">", b" /U <" + b"42" * 32 + b"> /P -4 "
CF = b"/CF << /StdCF << /CFM /%s /Length 16 >> >> /StmF /StdCF /StrF /StdCF "
HOSTILE = {
    "empty": b"<< >>",
    "array": b"[1 2 3]",
    "loop": b"7 0 R",
    "no handler": b"<< /V 1 /R 2 " + O32 + U32 + b">>",
    "unknown handler": b"<< /Filter /Acme.Security /V 1 /R 2 " + O32 + U32 + b">>",
    "unknown version": b"<< /Filter /Standard /V 3 /R 3 " + O32 + U32 + b">>",
    "version is true": b"<< /Filter /Standard /V true /R 2 " + O32 + U32 + b">>",
    "huge version": b"<< /Filter /Standard /V 99999999999999999999 /R 2 " + O32 + U32 + b">>",
    "unknown revision": b"<< /Filter /Standard /V 1 /R 9 " + O32 + U32 + b">>",
    "mixed revision": b"<< /Filter /Standard /V 5 /R 3 " + O32 + U32 + b">>",
    "aes key for rc4": b"<< /Filter /Standard /V 1 /R 6 " + O32 + U32 + b">>",
    "huge length": b"<< /Filter /Standard /V 2 /R 3 /Length 99999999999999999999 " + O32 + U32 + b">>",
    "negative length": b"<< /Filter /Standard /V 2 /R 3 /Length -128 " + O32 + U32 + b">>",
    "odd length": b"<< /Filter /Standard /V 2 /R 3 /Length 41 " + O32 + U32 + b">>",
    "name as length": b"<< /Filter /Standard /V 2 /R 3 /Length /x " + O32 + U32 + b">>",
    "short O": b"<< /Filter /Standard /V 1 /R 2 /O <41>" + U32 + b">>",
    "no O": b"<< /Filter /Standard /V 1 /R 2 " + U32 + b">>",
    "O is a number": b"<< /Filter /Standard /V 1 /R 2 /O 5 " + U32 + b">>",
    "O behind a reference": b"<< /Filter /Standard /V 1 /R 2 /O 8 0 R " + U32 + b">>",
    "huge O": b"<< /Filter /Standard /V 1 /R 2 /O <" + b"41" * 3_000_000 + b">" + U32 + b">>",
    "huge Perms": b"<< /Filter /Standard /V 1 /R 2 /Perms <" + b"41" * 3_000_000 + b">" + O32 + U32 + b">>",
    "P is a name": b"<< /Filter /Standard /V 1 /R 2 " + O32 + b" /U <" + b"42" * 32 + b"> /P /x >>",
    "huge P": b"<< /Filter /Standard /V 1 /R 2 " + O32 + b" /U <" + b"42" * 32 + b"> /P 99999999999999999999999 >>",
    "key twice": b"<< /Filter /Standard /V 1 /V 2 /R 2 " + O32 + U32 + b">>",
    "unknown cipher": b"<< /Filter /Standard /V 4 /R 4 " + CF % b"ROT13" + O32 + U32 + b">>",
    "no cipher": b"<< /Filter /Standard /V 4 /R 4 " + CF % b"None" + O32 + U32 + b">>",
    "missing filter": b"<< /Filter /Standard /V 4 /R 4 /CF << >> /StmF /A /StrF /B " + O32 + U32 + b">>",
    "no filters": b"<< /Filter /Standard /V 4 /R 4 " + O32 + U32 + b">>",
    "filters are a number": b"<< /Filter /Standard /V 4 /R 4 /CF 5 /StmF 6 /StrF [] " + O32 + U32 + b">>",
    "filter is a name": b"<< /Filter /Standard /V 4 /R 4 /CF << /StdCF /x >> /StmF /StdCF " + O32 + U32 + b">>",
    "many filters": b"<< /Filter /Standard /V 4 /R 4 /CF << "
    + b" ".join(b"/F%d << /CFM /AESV2 >>" % n for n in range(5000)) + b" >> " + O32 + U32 + b">>",
    "deep": b"<< /Filter /Standard /V 4 /R 4 /CF " + b"<< /A " * 90 + b"1" + b" >>" * 90 + O32 + U32 + b">>",
    "no recipients": b"<< /Filter /Adobe.PubSec /SubFilter /adbe.pkcs7.s4 /V 2 >>",
    "bad recipients": b"<< /Filter /Adobe.PubSec /SubFilter /adbe.pkcs7.s4 /V 2 /Recipients [(x) 5 <3000>] >>",
    "recipients are no list": b"<< /Filter /Adobe.PubSec /SubFilter /adbe.pkcs7.s4 /V 2 /Recipients 5 >>",
    "many recipients": b"<< /Filter /Adobe.PubSec /SubFilter /adbe.pkcs7.s4 /V 2 /Recipients ["
    + b"<3000>" * 900 + b"] >>",
    "unknown subfilter": b"<< /Filter /Adobe.PubSec /SubFilter /x /V 2 /Recipients [<3000>] >>",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("direct", [False, True])
def test_a_hostile_dictionary_is_an_error_and_nothing_worse(name: str, direct: bool) -> None:
    body = HOSTILE[name]
    if direct and name != "loop":
        data = rawpdf.assemble(rawpdf.objects(), extra=b"/Encrypt " + body + b" /ID [(a) (b)] ")
    else:
        data = rawpdf.assemble(rawpdf.objects(o7=body, o8=b"<41>"), extra=b"/Encrypt 7 0 R /ID [(a) (b)] ")
    if direct and name == "huge P":
        assert "structure-unreadable" in notices(opened(data))  # no number of a PDF is so long: there is no trailer
        return
    for options in ({}, {"password": "x"}, {"password": None, "recipient": locked.recipient(circle_of("rsa"))}):
        with pytest.raises(EncryptedPDF) as caught:
            opened(data, **options)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("many filters", "too many values"),
        ("many recipients", "too many recipients"),
        ("huge Perms", "too many octets"),
    ],
)
def test_how_much_a_dictionary_may_hold(name: str, words: str) -> None:
    data = rawpdf.assemble(rawpdf.objects(), extra=b"/Encrypt " + HOSTILE[name] + b" /ID [(a) (b)] ")
    with pytest.raises(EncryptedPDF, match=words):
        opened(data)


@pytest.mark.parametrize("where", [b"9 0 R", b"1 0 R", b"99999 0 R", b"(x)", b"5"])
def test_an_encryption_dictionary_that_is_none(where: bytes) -> None:
    data = rawpdf.assemble(rawpdf.objects(), extra=b"/Encrypt " + where + b" ")
    with pytest.raises(EncryptedPDF) as caught:
        opened(data)
    assert caught.value.hint


@pytest.mark.parametrize("revision", [3, 4, 6])
def test_a_damaged_encrypted_file_has_a_verdict_or_an_error(revision: int) -> None:
    """Octets anywhere but in /Contents are changed at random; nothing passes, nothing crashes."""
    data = contract(revision)
    gap = re.search(rb"/Contents <[0-9a-f]{1000,}", data)
    assert gap is not None
    pick = random.Random(revision)
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(pick.choice((1, 1, 3))):
            at = pick.randrange(len(data))
            if not gap.start() < at < gap.end():
                broken[at] = pick.randrange(256)
        if bytes(broken) == data:
            continue
        try:
            report = opened(bytes(broken))
        except EncryptedPDF:
            continue
        assert report.verdict is not Verdict.TOTAL_PASSED
        assert all(one.code != "internal" for one in report.signatures)


def test_strings_that_cannot_be_decrypted_leave_no_pass() -> None:
    data = contract(6)
    view = locked.read(data, BY_USER)
    bad = {view.trailer["Root"].number: b"<< /Type /Catalog /Lang (short) >>"}
    report = opened(locked.changed(data, BY_USER, bad))
    assert report.verdict is not Verdict.TOTAL_PASSED


def test_reading_is_bounded() -> None:
    base = locked.by_qpdf(4, aes=False)
    strings = b"[" + b"(a) " * 400_000 + b"]"
    view = locked.read(base, BY_USER)
    root = view.trailer["Root"]
    catalog = b"<< /Type /Catalog /Pages %d %d R /X %s >>" % (*view.catalog["Pages"], strings)
    data = locked.changed(base, BY_USER, {root.number: catalog})
    pdf = PDFFile(data)
    pdf.budget.steps = 2_000_000
    whole = pdf.view(len(data))
    decryptor = unlock(whole, BY_USER)
    assert isinstance(decryptor, Decryptor)
    pdf.unlock(decryptor)
    with pytest.raises(BudgetSpent):
        whole.catalog  # noqa: B018 - reading it is the work


# -- the secret's way ---------------------------------------------------------------------------------


def test_the_password_reaches_a_fork_and_a_worker() -> None:
    circle, data = circle_of(CIRCLE), contract(6)
    options = VerifyOptions(password=USER)
    sandbox = Sandbox(trust=circle.trust, clock=CLOCK, options=options, limits=Limits(60, 1 << 30))
    assert sandbox.verify(data, name="a.pdf").verdict is Verdict.TOTAL_PASSED
    with pytest.raises(EncryptedPDF):
        Sandbox(trust=circle.trust, clock=CLOCK, limits=Limits(60, 1 << 30)).verify(data, name="a.pdf")
    with Workers(size=1, limits=Limits(60, 1 << 30)) as workers:
        found = workers.verify(data, name="a.pdf", trust=circle.trust, clock=CLOCK, options=options)
        assert found.verdict is Verdict.TOTAL_PASSED
        assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if USER.encode() in read_quietly(path)]
        holder = VerifyOptions(recipient=locked.recipient(circle))
        with pytest.raises(ValueError, match="no keys"):
            workers.verify(data, name="a.pdf", trust=circle.trust, clock=CLOCK, options=holder)


def read_quietly(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
