"""Encrypted CMS of every family: there and back, what strangers write, and everything that is broken."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from certs import ber, der, enveloped, files, oids, suites
from certs.certificate import load_certificate
from certs.enveloped import decrypt, decrypt_bytes, encrypt, encrypt_bytes, encrypt_seed
from certs.enveloped_view import EnvelopeView
from certs.errors import (
    BadKey,
    CertsError,
    DecryptionFailed,
    MalformedInput,
    NotARecipient,
    UnsupportedAlgorithm,
)
from certs.keys import file as key_files
from certs.keys.sealed_files import open_uri
from certs.pem import pem_blocks
from certs.recipient_info import encode
from certs.signed_data import parse_signed_data
from certs.sink import MemorySink
from certs.suites import content
from certs.suites.base import AlgorithmID, WrappedKey
from tests.certs.post import BOTH, ENCRYPTING, FAMILIES, WAYS, mailbox, misused
from tests.conftest import circle_of, keys_of

TEXT = "合同 𠮷 Договор, price 100 000".encode()
SAFE = {"sm2": "sm4-gcm"}
"""A cipher that authenticates, where the family's own does not."""


def message_for(suite_name: str, text: bytes = TEXT) -> bytes:
    return encrypt_bytes(text, [mailbox(suite_name).certificate], cipher=SAFE.get(suite_name))


class Watching(MemorySink):
    """A sink that remembers what happened to it."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    def commit(self) -> None:
        self.events.append("commit")
        super().commit()

    def discard(self) -> None:
        self.events.append("discard")
        super().discard()


def opened(message: bytes, suite_name: str, sink: MemorySink | None = None) -> bytes:
    sink = sink or MemorySink()
    box = mailbox(suite_name)
    decrypt(io.BytesIO(message), sink, box.key, box.certificate)
    assert sink.data is not None
    return sink.data


# There and back ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite_name", ENCRYPTING)
@pytest.mark.parametrize("size", [0, 1, 16, 300_000])
def test_content_comes_through_with_and_without_a_known_size(suite_name: str, size: int) -> None:
    box, text = mailbox(suite_name), (TEXT * (size // len(TEXT) + 1))[:size]
    known = encrypt_bytes(text, [box.certificate])
    unknown = MemorySink()
    encrypt(io.BytesIO(text), unknown, [box.certificate])
    assert unknown.data is not None
    assert unknown.data[1] == 0x80  # of indefinite length
    der.Reader(known).raw(der.SEQUENCE)  # of definite lengths
    for message in (known, unknown.data):
        assert text not in message or size < 2
        assert decrypt_bytes(message, box.key, box.certificate) == text
        assert decrypt_bytes(message, box.key) == text


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_what_is_written_is_what_the_standard_of_the_family_says(suite_name: str) -> None:
    suite = suites.get(suite_name)
    view = EnvelopeView(io.BytesIO(encrypt_bytes(TEXT, [mailbox(suite_name).certificate])))
    expected = {
        "international": (oids.AUTH_ENVELOPED_DATA, oids.DATA, oids.AES256_GCM),
        "china": (oids.GM_ENVELOPED_DATA, oids.GM_DATA, oids.SM4_CBC),
        "russia": (oids.ENVELOPED_DATA, oids.DATA, oids.KUZNYECHIK_ACPKM_OMAC),
    }[suite.family]
    assert (view.kind, view.content_type, view.algorithm.oid) == expected


@pytest.mark.parametrize("name", content.WRITTEN)
def test_every_cipher_can_be_asked_for(name: str) -> None:
    suite_name = {"international": "rsa", "china": "sm2", "russia": "gost2012-512"}[content.for_name(name).family]
    box, sink = mailbox(suite_name), MemorySink()
    message = encrypt_bytes(TEXT, [box.certificate], cipher=name)
    said = decrypt(io.BytesIO(message), sink, box.key, box.certificate)
    assert (sink.data, said.cipher, said.size) == (TEXT, name, len(TEXT))
    assert said.authenticated == (name != "sm4-cbc")
    others = {"rsa": "sm2", "sm2": "gost2012-512", "gost2012-512": "rsa"}[suite_name]
    with pytest.raises(UnsupportedAlgorithm) as caught:
        encrypt_bytes(TEXT, [mailbox(others).certificate], cipher=name)
    assert "known: " in caught.value.hint


@pytest.mark.parametrize(
    "names",
    [
        ("rsa", "ecdsa-p256", "ecdsa-bp384", "x25519", "x448", "ml-kem-768", "ml-kem-1024"),
        ("gost2012-256", "gost2012-512"),
    ],
)
def test_several_recipients_of_one_family_each_open_it(names: tuple[str, ...]) -> None:
    boxes = [mailbox(name, number) for name in names for number in (0, 1)]
    message = encrypt_bytes(TEXT, [box.certificate for box in boxes] * 2)
    assert len(EnvelopeView(io.BytesIO(message)).recipients) == len(boxes)  # nobody twice
    for box in boxes:
        assert decrypt_bytes(message, box.key, box.certificate) == TEXT
        assert decrypt_bytes(message, box.key) == TEXT


def test_recipients_of_several_families_need_a_message_each() -> None:
    certificates = [mailbox(name).certificate for name in ("rsa", "sm2")]
    for some in (certificates, []):
        with pytest.raises(UnsupportedAlgorithm, match="one family"):
            encrypt_bytes(TEXT, some)


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_nothing_is_encrypted_to_a_certificate_for_signing(suite_name: str) -> None:
    sink = Watching()
    signer = circle_of(suite_name).person.certificate if suite_name in BOTH else misused(suite_name)
    with pytest.raises(BadKey, match="not for encryption"):
        encrypt(io.BytesIO(TEXT), sink, [signer])
    assert sink.events == ["discard"]


def test_nothing_is_encrypted_to_a_suite_that_only_signs() -> None:
    with pytest.raises(UnsupportedAlgorithm):
        encrypt_bytes(TEXT, [circle_of("ed25519").person.certificate])


def test_a_wrong_size_is_noticed() -> None:
    box = mailbox("rsa")
    for size in (len(TEXT) - 1, len(TEXT) + 1):
        sink = Watching()
        with pytest.raises(MalformedInput, match="content"):
            encrypt(io.BytesIO(TEXT), sink, [box.certificate], size=size)
        assert sink.events == ["discard"]


def test_more_than_a_cipher_takes_under_one_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content.default(suites.get("rsa").family), "max_size", 10)
    with pytest.raises(MalformedInput, match="more content"):
        encrypt_bytes(TEXT, [mailbox("rsa").certificate])


def test_keys_in_sealed_files_decrypt_and_those_that_only_sign_say_so(tmp_path: Path) -> None:
    from certs.keys.envelope import Label
    from certs.keys.kek import open_provider
    from certs.keys.sealed_files import save

    box = mailbox("sm2")
    provider = open_provider(f"file:{tmp_path}/kek", lambda _: b"", name="x", make=True)
    save(tmp_path / "box.sealed", box.key, provider, Label("box"))
    sealed = open_uri(f"{tmp_path}/box.sealed?kek=file:{tmp_path}/kek", lambda _: b"")
    message = message_for("sm2")
    assert decrypt_bytes(message, sealed, box.certificate) == TEXT

    class Token:
        suite, public_key = box.key.suite, box.key.public_key

        def sign(self, message: bytes) -> bytes:
            raise AssertionError

    with pytest.raises(UnsupportedAlgorithm, match="signs only"):
        decrypt_bytes(message, Token(), box.certificate)


# Strangers and broken messages ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_a_stranger_is_no_recipient_and_a_wrong_key_decrypts_nothing(suite_name: str) -> None:
    message, box, stranger = message_for(suite_name), mailbox(suite_name), mailbox(suite_name, 1)
    with pytest.raises(NotARecipient):
        decrypt_bytes(message, stranger.key, stranger.certificate)
    for certificate in (box.certificate, None):
        with pytest.raises(DecryptionFailed):
            decrypt_bytes(message, stranger.key, certificate)
    other = mailbox("rsa" if suite_name != "rsa" else "sm2")
    with pytest.raises(NotARecipient):
        decrypt_bytes(message, other.key)


def refusal(message: bytes, suite_name: str) -> CertsError | None:
    """Return the error; None where exactly the content comes out. Anything else fails the test."""
    sink = Watching()
    try:
        assert opened(message, suite_name, sink) == TEXT
    except CertsError as error:
        assert sink.events == ["discard"]
        assert sink.data is None
        return error
    assert sink.events == ["commit"]
    return None


@pytest.mark.parametrize("suite_name", WAYS)
def test_a_changed_bit_anywhere_gives_an_error_or_the_very_content(suite_name: str) -> None:
    message = message_for(suite_name)
    found = set()
    for position in range(len(message)):
        bit = 1 << (position % 8)
        error = refusal(message[:position] + bytes((message[position] ^ bit,)) + message[position + 1 :], suite_name)
        found.add(type(error))
    assert found <= {type(None), DecryptionFailed, MalformedInput, NotARecipient, UnsupportedAlgorithm}
    assert DecryptionFailed in found


@pytest.mark.parametrize("suite_name", WAYS)
@pytest.mark.parametrize("known", [True, False])
def test_a_message_cut_short_or_with_something_behind_it_gives_nothing(suite_name: str, known: bool) -> None:
    sink = MemorySink()
    encrypt(io.BytesIO(TEXT), sink, [mailbox(suite_name).certificate], size=len(TEXT) if known else None)
    assert sink.data is not None
    for size in range(0, len(sink.data), 3):
        assert isinstance(refusal(sink.data[:size], suite_name), MalformedInput | DecryptionFailed)
    for more in (b"\0", sink.data):
        assert isinstance(refusal(sink.data + more, suite_name), MalformedInput)


@pytest.mark.parametrize("suite_name", WAYS)
def test_encrypted_keys_that_were_swapped_give_the_one_error(suite_name: str) -> None:
    boxes = [mailbox(suite_name, number) for number in (0, 1)]
    one = two = b""
    while not one or len(one) != len(two):  # the integers of an SM2Cipher have 31 to 33 octets
        message = encrypt_bytes(TEXT, [box.certificate for box in boxes], cipher=SAFE.get(suite_name))
        one, two = (info.wrapped.encrypted_key for info in EnvelopeView(io.BytesIO(message)).recipients)
    swapped = message.replace(one, b"\xaa" * len(one)).replace(two, one).replace(b"\xaa" * len(one), two)
    error = refusal(swapped, suite_name)
    assert isinstance(error, DecryptionFailed)
    assert (str(error), error.hint) == (str(DecryptionFailed()), DecryptionFailed().hint)


def with_kind(message: bytes, kind: str) -> bytes:
    """Return a message under another content type."""
    return der.sequence(der.oid(kind), list(ber.load(message))[1].raw())


def rebuilt(message: bytes, change: Callable[[list[bytes]], None]) -> bytes:
    """Return a message whose members of the inner SEQUENCE were changed."""
    kind, inner = ber.load(message)
    members = [member.raw() for member in inner.only()]
    change(members)
    return der.sequence(kind.raw(), der.tlv(0xA0, der.sequence(*members)))


def test_a_cipher_under_another_content_type_or_name_is_refused() -> None:
    """GCM without its tag, or its ciphertext presented as that of CBC, must decrypt to nothing."""
    message = message_for("rsa", bytes(15))
    assert isinstance(refusal(with_kind(message, oids.ENVELOPED_DATA), "rsa"), UnsupportedAlgorithm)

    def as_cbc(members: list[bytes]) -> None:
        info = [member.raw() for member in ber.load(members[2])]
        info[1] = der.sequence(der.oid(oids.AES256_CBC), der.octet_string(bytes(16)))
        members[2] = der.sequence(*info)

    def without_tag(members: list[bytes]) -> None:
        as_cbc(members)
        del members[3]

    assert isinstance(refusal(rebuilt(message, as_cbc), "rsa"), UnsupportedAlgorithm)
    downgraded = with_kind(rebuilt(message, without_tag), oids.ENVELOPED_DATA)
    assert isinstance(refusal(downgraded, "rsa"), DecryptionFailed)  # 15 octets are no block


@pytest.mark.parametrize("suite_name", ["gost2012-256"])
def test_the_omac_cannot_be_left_out_doubled_or_named_away(suite_name: str) -> None:
    message = message_for(suite_name)

    def without(members: list[bytes]) -> None:
        del members[3]

    def doubled(members: list[bytes]) -> None:
        members[3] = der.tlv(0xA1, ber.load(members[3]).content() * 2)

    assert isinstance(refusal(rebuilt(message, without), suite_name), DecryptionFailed)
    assert isinstance(refusal(rebuilt(message, doubled), suite_name), MalformedInput)
    weaker = message.replace(der.oid(oids.KUZNYECHIK_ACPKM_OMAC), der.oid(oids.KUZNYECHIK_ACPKM))
    box, sink = mailbox(suite_name), MemorySink()
    said = decrypt(io.BytesIO(weaker), sink, box.key, box.certificate)
    assert not said.authenticated
    assert sink.data != TEXT  # another key: nothing of the content is told


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30\x80",
        b"\x30" * 100,
        b"\x30\x80" * 50_000,
        b"\xa0\x80" * 50_000,
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x89" + b"\xff" * 9,
        b"\x1f\x81\x01\x00",
        b"%PDF-1.7",
        b"-----BEGIN CMS-----",
        bytes(1000),
    ],
)
def test_octets_that_are_no_message_are_malformed(octets: bytes) -> None:
    for junk in (octets, octets + bytes(70_000)):
        with pytest.raises(MalformedInput):
            decrypt_bytes(junk, mailbox("sm2").key)


@pytest.mark.parametrize("suite_name", FAMILIES)
@pytest.mark.parametrize("length", [1 << 31, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_a_length_that_no_file_has_is_malformed(suite_name: str, length: int, tmp_path: Path) -> None:
    box, sink = mailbox(suite_name), MemorySink()
    encrypt(io.BytesIO(TEXT), sink, [box.certificate], cipher=SAFE.get(suite_name))
    head, _, tail = (sink.data or b"").partition(b"\xa0\x80\x04")
    message = head + b"\x80\x88" + length.to_bytes(8, "big") + tail
    (tmp_path / "message").write_bytes(message)
    with (tmp_path / "message").open("rb") as file:
        for reader in (io.BytesIO(message), file):
            with pytest.raises(MalformedInput):
                decrypt(reader, MemorySink(), box.key, box.certificate)


def test_millions_of_tiny_values_are_not_looked_at() -> None:
    box = mailbox("rsa")
    started = time.process_time()
    for infos in (b"\x05\x00", b"\x30\x80\x02\x01\x00\x30\x80" + b"\x05\x00" * 20 + b"\0\0\0\0"):

        def flood(members: list[bytes], infos: bytes = infos) -> None:
            members[1] = b"\x31\x80" + infos * ((12 << 20) // len(infos)) + b"\0\0"

        with pytest.raises(MalformedInput, match="too many"):
            decrypt_bytes(rebuilt(message_for("rsa"), flood), box.key, box.certificate)
    assert time.process_time() - started < 12


def test_values_nested_deep_inside_are_refused() -> None:
    message = message_for("sm2")

    def deep(members: list[bytes]) -> None:
        members[1] = b"\x31\x80" * 20_000 + b"\0\0" * 20_000

    def deep_string(members: list[bytes]) -> None:
        info = [member.raw() for member in ber.load(members[2])]
        members[2] = der.sequence(info[0], info[1], b"\xa0\x80" + b"\x24\x80" * 5000 + b"\0\0" * 5001)

    for change in (deep, deep_string):
        assert isinstance(refusal(rebuilt(message, change), "sm2"), MalformedInput)


def assembled(infos: list[bytes], key: bytes, cipher: content.ContentCipher) -> bytes:
    """Return a message with TEXT and whatever recipients."""
    out = io.BytesIO()
    enveloped._write(io.BytesIO(TEXT), out.write, infos, key, cipher, cipher.new_parameters(), len(TEXT))
    return out.getvalue()


def crowd(suite_name: str, count: int, *, last: bool) -> bytes:
    """Return a message with `count` recipients whom nobody knows, and ours at the end if `last`."""
    box = mailbox(suite_name)
    key = bytes(32)
    wrapped = box.key.public_key.wrap_key(key, content.default(box.key.suite.family).name)
    strangers: list[Any] = [SimpleNamespace(issuer_name=box.certificate.issuer_name, serial=i) for i in range(count)]
    infos = [encode(stranger, wrapped) for stranger in strangers]
    infos += [encode(box.certificate, wrapped)] if last else []
    return assembled(infos, key, content.default(box.key.suite.family))


@pytest.mark.parametrize("suite_name", ["rsa", "ecdsa-p256"])
def test_ten_thousand_recipients_are_read_and_none_of_them_tried(
    suite_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = mailbox(suite_name)
    message = crowd(suite_name, 10_000, last=True)
    started = time.process_time()
    assert decrypt_bytes(message, box.key, box.certificate) == TEXT
    assert time.process_time() - started < 20
    asked: list[WrappedKey] = []
    monkeypatch.setattr(type(box.key), "unwrap_key", lambda self, wrapped, size: asked.append(wrapped))
    with pytest.raises(NotARecipient):
        decrypt_bytes(message, box.key)  # without a certificate nobody can tell which one is ours
    with pytest.raises(NotARecipient):
        decrypt_bytes(crowd(suite_name, 10_000, last=False), box.key, box.certificate)
    assert asked == []


def test_more_recipients_than_anybody_writes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from certs import recipient_info

    monkeypatch.setattr(recipient_info, "MAX_RECIPIENTS", 20)
    with pytest.raises(MalformedInput, match="recipients"):
        decrypt_bytes(crowd("rsa", 21, last=True), mailbox("rsa").key)


# Authenticated attributes --------------------------------------------------------------------------------------------
def with_attributes(suite_name: str, attribute: bytes) -> bytes:
    box = mailbox(suite_name)
    cipher, key = content.for_name(SAFE.get(suite_name, "aes-256-gcm")), bytes(16)
    key = bytes(cipher.key_size)
    nonce = bytes(12)
    parameters = der.sequence(der.octet_string(nonce), der.integer(16))
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    kind = algorithms.SM4 if suite_name == "sm2" else algorithms.AES
    running = Cipher(kind(key), modes.GCM(nonce)).encryptor()
    running.authenticate_additional_data(der.tlv(der.SET, attribute))
    ciphertext = running.update(TEXT) + running.finalize()
    info = encode(box.certificate, box.key.public_key.wrap_key(key, cipher.name))
    body = der.sequence(
        der.integer(0),
        der.tlv(der.SET, info),
        der.sequence(der.oid(oids.DATA), der.sequence(der.oid(cipher.oid), parameters), der.tlv(0x80, ciphertext)),
        der.tlv(0xA1, attribute),
        der.octet_string(running.tag),
    )
    return der.sequence(der.oid(oids.AUTH_ENVELOPED_DATA), der.tlv(0xA0, body))


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


@pytest.mark.parametrize("suite_name", ["rsa", "sm2"])
def test_authenticated_attributes_are_authenticated_though_they_stand_behind_the_content(suite_name: str) -> None:
    attribute = der.sequence(der.oid(oids.CONTENT_TYPE), der.tlv(der.SET, der.oid(oids.DATA)))
    message = with_attributes(suite_name, attribute)
    assert opened(message, suite_name) == TEXT
    other = attribute.replace(der.oid(oids.DATA), der.oid(oids.SIGNED_DATA))
    assert isinstance(refusal(message.replace(attribute, other), suite_name), DecryptionFailed)
    box, sink = mailbox(suite_name), Watching()
    with pytest.raises(UnsupportedAlgorithm, match="behind the content") as caught:
        decrypt(Pipe(message), sink, box.key, box.certificate)
    assert "file" in caught.value.hint
    assert sink.events == ["discard"]


@pytest.mark.parametrize("suite_name", WAYS)
def test_a_pipe_is_read_once_from_front_to_back(suite_name: str) -> None:
    sink, box = MemorySink(), mailbox(suite_name)
    decrypt(Pipe(message_for(suite_name)), sink, box.key, box.certificate)
    assert sink.data == TEXT


# Streams -------------------------------------------------------------------------------------------------------------
class Endless(io.BytesIO):
    """So many octets, made as they are read."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._left, self._block = size, bytes(1 << 16)

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        taken = min(size, self._left, len(self._block))
        self._left -= taken
        return self._block[:taken]


@pytest.mark.parametrize("suite_name", WAYS)
def test_memory_does_not_grow_with_the_content(suite_name: str, tmp_path: Path) -> None:
    box, size = mailbox(suite_name), 12 << 20
    message = tmp_path / "message"
    encrypt_bytes(TEXT, [box.certificate])  # load what is loaded once
    tracemalloc.start()
    try:
        encrypt(Endless(size), files.WholeFile(message), [box.certificate], size=size)
        with message.open("rb") as stream:
            said = decrypt(stream, files.WholeFile(tmp_path / "content"), box.key, box.certificate)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert said.size == size
    assert (tmp_path / "content").stat().st_size == size
    assert peak < 6 << 20


@pytest.mark.parametrize("suite_name", WAYS)
def test_strings_in_tiny_pieces_are_read(suite_name: str) -> None:
    message = message_for(suite_name)

    def split(members: list[bytes]) -> None:
        info = list(ber.load(members[2]))
        pieces = b"".join(der.octet_string(bytes((octet,))) for octet in info[2].content())
        nested = b"\x24\x80" + pieces + b"\0\0"
        members[2] = der.sequence(info[0].raw(), info[1].raw(), b"\xa0\x80" + nested + b"\x04\x00\0\0")

    assert opened(rebuilt(message, split), suite_name) == TEXT


class Stopped(Exception):
    pass


@pytest.mark.parametrize("suite_name", WAYS)
def test_who_stops_half_way_leaves_nothing_behind(suite_name: str, tmp_path: Path) -> None:
    box, seen = mailbox(suite_name), list[int]()

    def stop(done: int) -> None:
        seen.append(done)
        if done > 600_000:
            raise Stopped

    text = bytes(1_000_000)
    message = encrypt_bytes(text, [box.certificate])
    with pytest.raises(Stopped):
        encrypt(io.BytesIO(text), files.WholeFile(tmp_path / "one"), [box.certificate], progress=stop)
    sink = files.WholeFile(tmp_path / "two", mode=0o600)
    with pytest.raises(Stopped):
        decrypt(io.BytesIO(message), sink, box.key, box.certificate, progress=stop)
    assert seen
    assert list(tmp_path.iterdir()) == []


def test_plaintext_has_its_name_only_when_it_is_authenticated(tmp_path: Path) -> None:
    box = mailbox("gost2012-256")
    text = bytes(1_000_000)
    message = bytearray(encrypt_bytes(text, [box.certificate]))
    message[-1] ^= 1  # the OMAC
    names: list[list[str]] = []

    def look(_: int) -> None:
        names.append([item.name for item in tmp_path.iterdir()])
        assert all((tmp_path / name).stat().st_mode & 0o077 == 0 for name in names[-1])

    target = files.WholeFile(tmp_path / "contract.pdf", mode=0o600)
    with pytest.raises(DecryptionFailed):
        decrypt(io.BytesIO(bytes(message)), target, box.key, box.certificate, progress=look)
    assert names
    assert all(name != "contract.pdf" for some in names for name in some)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_get_its_name_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError("no")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="no"):
        encrypt(io.BytesIO(TEXT), files.WholeFile(tmp_path / "one"), [mailbox("sm2").certificate])
    assert list(tmp_path.iterdir()) == []


# What others write ---------------------------------------------------------------------------------------------------
def pem(path: Path) -> bytes:
    return pem_blocks(path.read_bytes())[0][1]


def scalar_key(scalar: bytes) -> Any:
    sec1 = der.sequence(der.integer(1), der.octet_string(scalar), der.tlv(0xA0, der.oid(oids.SM2)))
    return suites.load_private(der.private_key_info(AlgorithmID(oids.EC, der.oid(oids.SM2)), sec1))


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["enveloped_ski_extension", "enveloped_ski_computed"])
@pytest.mark.parametrize("with_certificate", [True, False])
def test_chinese_envelopes_to_a_key_identifier_open(corpus: Path, name: str, with_certificate: bool) -> None:
    folder = corpus / "china" / "gmsm"
    key = scalar_key(bytes.fromhex((folder / f"{name}_key.hex").read_text().strip()))
    certificate = load_certificate((folder / f"{name}_cert.pem").read_bytes()) if with_certificate else None
    sink = MemorySink()
    said = decrypt(io.BytesIO(pem(folder / f"{name}.p7m")), sink, key, certificate)
    assert sink.data == b"Hello World!"
    assert (said.cipher, said.authenticated) == ("sm4", False)


@pytest.mark.corpus
def test_a_chinese_signed_envelope_delivers_a_key_and_its_signature(corpus: Path) -> None:
    folder = corpus / "china" / "gmsm"
    key = key_files.load(folder / "signed_enveloped_sign_key.pem")
    sink = MemorySink()
    said = decrypt(io.BytesIO(pem(folder / "signed_enveloped.p7m")), sink, key)
    assert sink.data is not None
    assert sink.data[:32] == bytes(32)
    expected = load_certificate((folder / "signed_enveloped_enc_cert.pem").read_bytes())
    assert scalar_key(sink.data[32:]).public_key.spki == expected.spki
    signer = parse_signed_data(said.signed_data or b"").signers[0]
    assert signer.verify(content=sink.data) == "sm2"
    with pytest.raises(CertsError):
        signer.verify(content=sink.data + b"\0")


TC26 = {
    "keytrans_a231": ("256", "kuznyechik-ctr-acpkm"),
    "keytrans_a241": ("512", "magma-ctr-acpkm-omac"),
    "keyagree_a211": ("512", "kuznyechik-ctr-acpkm-omac"),
    "keyagree_a221": ("256", "magma-ctr-acpkm"),
}


@pytest.mark.corpus
@pytest.mark.parametrize("name", TC26)
@pytest.mark.parametrize("with_certificate", [True, False])
def test_the_examples_of_the_russian_standard_open(corpus: Path, name: str, with_certificate: bool) -> None:
    folder, (size, cipher) = corpus / "russia" / "tc26-cms", TC26[name]
    key = key_files.load(folder / f"recipient{size}_key.pem")
    certificate = load_certificate((folder / f"recipient{size}_cert.pem").read_bytes()) if with_certificate else None
    message, sink = pem(folder / f"encrypted_{name}.pem"), MemorySink()
    if name == "keyagree_a221":  # it names the sender's certificate
        with pytest.raises(UnsupportedAlgorithm, match="its sender"):
            decrypt_bytes(message, key, certificate)
    senders = [load_certificate((folder / f"sender{length}_cert.pem").read_bytes()) for length in (256, 512)]
    said = decrypt(io.BytesIO(message), sink, key, certificate, senders=senders)
    assert sink.data == (folder / "text_decrypted.plain").read_bytes().rstrip(b"\n")
    assert (said.cipher, said.authenticated) == (cipher, cipher.endswith("omac"))
    if said.authenticated:
        with pytest.raises(DecryptionFailed):
            decrypt_bytes(message[:-1] + bytes((message[-1] ^ 1,)), key, certificate)


def test_another_recipients_broken_parameters_do_not_keep_us_out() -> None:
    box, other = mailbox("rsa"), mailbox("ecdsa-p256")
    cipher, key = content.for_name("aes-256-gcm"), bytes(32)
    broken = WrappedKey(AlgorithmID(oids.RSA_OAEP, der.sequence(der.integer(1))), bytes(256))
    infos = [encode(other.certificate, broken), encode(box.certificate, box.key.public_key.wrap_key(key, cipher.name))]
    message = assembled(infos, key, cipher)
    assert decrypt_bytes(message, box.key) == TEXT
    with pytest.raises(MalformedInput):
        decrypt_bytes(message, box.key, other.certificate)


def test_old_rsa_recipients_are_found_by_certificate_and_not_guessed() -> None:
    """A wrong key is not noticed with PKCS #1 v1.5, so of several such recipients none is tried without a name."""
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    boxes = [mailbox("rsa", number) for number in (0, 1)]
    cipher, key = content.for_name("aes-256-gcm"), bytes(32)
    infos = []
    for box in boxes:
        public: Any = load_der_public_key(box.certificate.spki)
        old = WrappedKey(AlgorithmID(oids.RSA, der.NULL_DER), public.encrypt(key, padding.PKCS1v15()))
        infos.append(encode(box.certificate, old))

    def message(some: list[bytes]) -> bytes:
        return assembled(some, key, cipher)

    for box in boxes:
        assert decrypt_bytes(message(infos), box.key, box.certificate) == TEXT
        with pytest.raises(NotARecipient) as caught:
            decrypt_bytes(message(infos), box.key)
        assert "certificate" in caught.value.hint
    assert decrypt_bytes(message(infos[:1]), boxes[0].key) == TEXT
    assert decrypt_bytes(message(infos[:1] * 2), boxes[0].key, boxes[0].certificate) == TEXT
    for certificate in (boxes[0].certificate, None):  # a wrong key gives the one error, from the tag
        with pytest.raises(DecryptionFailed):
            decrypt_bytes(message(infos[:1]), keys_of("rsa")[0], certificate)


def test_recipients_of_one_agreement_are_counted_as_they_are_read() -> None:
    """Millions of them fit into the octets that are kept, each an object of some hundred octets."""
    sender = der.tlv(0xA0, der.tlv(0xA1, der.sequence(der.oid(oids.EC)) + der.bit_string(b"\x04")))
    key = der.sequence(der.tlv(0xA0, der.octet_string(b"a")), der.octet_string(b""))
    keys = der.tlv(der.SEQUENCE, key * 300_000)
    info = der.tlv(0xA1, der.integer(3) + sender + der.sequence(der.oid(oids.ECDH_SHA256)) + keys)

    def flood(members: list[bytes]) -> None:
        members[1] = der.tlv(der.SET, info)

    message = rebuilt(message_for("rsa"), flood)
    tracemalloc.start()
    try:
        with pytest.raises(MalformedInput, match="more than 20000 recipients"):
            decrypt_bytes(message, mailbox("ecdsa-p256").key)
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()


# Recipients who have a mechanism for their key (RFC 9629) and those of RFC 8418 --------------------------------------
KEYED = ("x25519", "x448", "ml-kem-768", "ml-kem-1024")


def infos_of(message: bytes) -> list[bytes]:
    """Return the RecipientInfos of a message."""
    members = ber.load(message).members()
    members.next()
    inner = members.next(ber.context(0)).only().members()
    inner.next()
    return [info.raw() for info in inner.next(ber.SET)]


def with_infos(message: bytes, infos: list[bytes]) -> bytes:
    def change(members: list[bytes]) -> None:
        members[1] = der.tlv(der.SET, b"".join(infos))

    return rebuilt(message, change)


def test_an_ml_kem_recipient_stands_as_rfc_9629_says() -> None:
    box = mailbox("ml-kem-768")
    (info,) = infos_of(encrypt_bytes(TEXT, [box.certificate]))
    assert info[:1] == b"\xa4"  # [4] OtherRecipientInfo
    kind, value = ber.load(info)
    assert kind.oid() == oids.KEM_RECIPIENT
    version, identifier, kem, ciphertext, kdf, size, wrap, encrypted = list(value)
    assert version.integer() == 0
    assert identifier.raw() == der.sequence(box.certificate.issuer_name.der, der.integer(box.certificate.serial))
    assert kem.raw() == der.sequence(der.oid(oids.ML_KEM_768))
    assert len(ciphertext.octets()) == 1088
    assert kdf.raw() == der.sequence(der.oid(oids.HKDF_SHA256))
    assert size.integer() == 32
    assert wrap.raw() == der.sequence(der.oid(oids.AES256_WRAP))
    assert len(encrypted.octets()) == 40


def test_the_version_of_enveloped_data_says_which_kinds_of_recipients_there_are() -> None:
    """RFC 5652 6.1."""
    for names, version in ((("rsa",), 0), (("rsa", "x25519"), 2), (("rsa", "x448", "ml-kem-1024"), 3)):
        message = encrypt_seed(bytes(24), [mailbox(name).certificate for name in names])
        assert next(iter(list(ber.load(message))[1].only())).integer() == version
        for name in names:
            assert decrypt_bytes(message, mailbox(name).key, mailbox(name).certificate) == bytes(24)


@pytest.mark.parametrize("suite_name", KEYED)
def test_every_bit_of_a_recipient_that_is_changed_gives_the_errors_of_all_others(suite_name: str) -> None:
    message = message_for(suite_name)
    (info,) = infos_of(message)
    found = set()
    for position in range(0, len(info), 1 if len(info) < 400 else 3):
        for bit in (1, 0x80):
            broken = info[:position] + bytes((info[position] ^ bit,)) + info[position + 1 :]
            error = refusal(with_infos(message, [broken]), suite_name)
            found.add(type(error))
    assert found <= {DecryptionFailed, MalformedInput, NotARecipient, UnsupportedAlgorithm, type(None)}
    assert DecryptionFailed in found


@pytest.mark.parametrize("suite_name", ["x25519", "ml-kem-768", "ecdsa-p256"])
def test_huge_keying_material_is_refused_before_anything_is_computed(suite_name: str) -> None:
    message = message_for(suite_name)
    (info,) = infos_of(message)
    for size, expected in ((4096, DecryptionFailed), (4097, MalformedInput), (3 << 20, MalformedInput)):
        ukm = der.octet_string(bytes(size))
        if suite_name.startswith("ml-kem"):
            kind, value = ber.load(info)
            members = [member.raw() for member in value]
            members.insert(6, der.tlv(0xA0, ukm))
            changed = der.tlv(0xA4, kind.raw() + der.sequence(*members))
        else:
            members = [member.raw() for member in ber.load(info)]
            members.insert(2, der.tlv(0xA1, ukm))
            changed = der.tlv(0xA1, b"".join(members))
        assert type(refusal(with_infos(message, [changed]), suite_name)) is expected


def test_other_kinds_of_other_recipients_are_passed_over() -> None:
    message, box = message_for("ml-kem-768"), mailbox("ml-kem-768")
    (info,) = infos_of(message)
    other = der.tlv(0xA4, der.oid("1.2.3.4") + der.octet_string(b"a kind of tomorrow"))
    assert decrypt_bytes(with_infos(message, [other, info]), box.key, box.certificate) == TEXT
    assert isinstance(refusal(with_infos(message, [other]), "ml-kem-768"), NotARecipient)
    cut = der.tlv(0xA4, der.oid(oids.KEM_RECIPIENT) + der.sequence(der.integer(0)))
    assert isinstance(refusal(with_infos(message, [cut, info]), "ml-kem-768"), MalformedInput)


def test_a_recipient_of_one_mechanism_is_no_recipient_of_another() -> None:
    """The kem identifier swapped, the larger ciphertext under the smaller name: never another error than for others."""
    small, large = mailbox("ml-kem-768"), mailbox("ml-kem-1024")
    message = encrypt_bytes(TEXT, [small.certificate, large.certificate])
    assert decrypt_bytes(message, small.key) == decrypt_bytes(message, large.key) == TEXT
    one, two = der.oid(oids.ML_KEM_768), der.oid(oids.ML_KEM_1024)
    crossed = message.replace(one, b"\xaa" * len(one)).replace(two, one).replace(b"\xaa" * len(one), two)
    for box in (small, large):
        with pytest.raises(UnsupportedAlgorithm):
            decrypt_bytes(crossed, box.key, box.certificate)
        with pytest.raises(NotARecipient):
            decrypt_bytes(encrypt_bytes(TEXT, [mailbox("rsa").certificate]), box.key)
