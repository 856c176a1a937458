"""Content ciphers: official vectors, every length and cut, every changed bit."""

from __future__ import annotations

import secrets

import pytest

from certs import der, oids
from certs.errors import BackendUnavailable, DecryptionFailed, MalformedInput, UnsupportedAlgorithm
from certs.suites import content, content_blocks, encryption_vectors
from certs.suites.base import AlgorithmID, Family
from certs.suites.content import Authentication, ContentCipher, Opening

WRITTEN = content.WRITTEN
AUTHENTICATED = tuple(name for name in WRITTEN if content.for_name(name).authentication is not Authentication.NONE)


def key_of(cipher: ContentCipher) -> bytes:
    return bytes(range(cipher.key_size))


def opened(opening: Opening, ciphertext: bytes, tag: bytes, piece: int = 1 << 20) -> bytes:
    parts = [opening.update(ciphertext[at : at + piece]) for at in range(0, len(ciphertext), piece)]
    return b"".join(parts) + opening.finish(tag)


def sealed(cipher: ContentCipher, plain: bytes, piece: int = 1 << 20) -> tuple[bytes, bytes, bytes]:
    parameters = cipher.new_parameters()
    sealing = cipher.seal(key_of(cipher), parameters)
    parts = [sealing.update(plain[at : at + piece]) for at in range(0, len(plain), piece)]
    return parameters, b"".join(parts) + sealing.finish(), sealing.tag


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4096, 8191, 8193, 262_143, 262_161, 600_000])
def test_content_of_any_length_comes_through_in_any_pieces(name: str, size: int) -> None:
    cipher, plain = content.for_name(name), secrets.token_bytes(size)
    parameters, ciphertext, tag = sealed(cipher, plain, 7777)
    assert len(ciphertext) == cipher.ciphertext_size(size)
    assert len(tag) == cipher.tag_size
    for piece in (1 << 20, 5000, 1) if size < 5000 else (1 << 20, 5000):
        assert opened(cipher.open(key_of(cipher), parameters), ciphertext, tag, piece) == plain


@pytest.mark.parametrize("name", AUTHENTICATED)
def test_one_changed_bit_of_ciphertext_tag_or_key_is_noticed(name: str) -> None:
    cipher = content.for_name(name)
    parameters, ciphertext, tag = sealed(cipher, b"price: 100 000")
    for position in range(len(ciphertext)):
        broken = ciphertext[:position] + bytes((ciphertext[position] ^ 1,)) + ciphertext[position + 1 :]
        with pytest.raises(DecryptionFailed):
            opened(cipher.open(key_of(cipher), parameters), broken, tag)
    for other in (bytes((tag[0] ^ 128,)) + tag[1:], tag[:-1], tag + b"\0", b""):
        with pytest.raises(DecryptionFailed):
            opened(cipher.open(key_of(cipher), parameters), ciphertext, other)
    with pytest.raises(DecryptionFailed):
        opened(cipher.open(bytes(cipher.key_size), parameters), ciphertext, tag)
    with pytest.raises(DecryptionFailed):
        cipher.open(key_of(cipher), parameters).finish(None)


def test_parameters_are_fresh_each_time() -> None:
    for name in WRITTEN:
        cipher = content.for_name(name)
        assert len({cipher.new_parameters() for _ in range(10)}) == 10


@pytest.mark.parametrize("name", ["aes-256-gcm", "sm4-gcm"])
def test_a_short_tag_counts_only_where_the_parameters_ask_for_it(name: str) -> None:
    cipher = content.for_name(name)
    nonce = der.octet_string(bytes(12))
    sealing = cipher.seal(key_of(cipher), der.sequence(nonce, der.integer(16)))
    ciphertext = sealing.update(b"contract") + sealing.finish()
    short, long = der.sequence(nonce), der.sequence(nonce, der.integer(16))
    assert opened(cipher.open(key_of(cipher), short), ciphertext, sealing.tag[:12]) == b"contract"
    with pytest.raises(DecryptionFailed):
        opened(cipher.open(key_of(cipher), long), ciphertext, sealing.tag[:12])
    for size in (0, 4, 11, 17):
        with pytest.raises(MalformedInput):
            cipher.open(key_of(cipher), der.sequence(nonce, der.integer(size)))


def test_associated_octets_are_authenticated() -> None:
    cipher = content.for_name("sm4-gcm")  # RFC 8998 A.1
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    nonce = bytes.fromhex("00001234567800000000abcd")
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = bytes.fromhex("aa" * 8 + "bb" * 8 + "cc" * 8 + "dd" * 8 + "ee" * 8 + "ff" * 8 + "ee" * 8 + "aa" * 8)
    ciphertext = bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    )
    tag = bytes.fromhex("83de3541e4c2b58177e065a9bf7b62ec")
    parameters = der.sequence(der.octet_string(nonce), der.integer(16))
    assert opened(cipher.open(key, parameters, associated), ciphertext, tag) == plain
    with pytest.raises(DecryptionFailed):
        opened(cipher.open(key, parameters), ciphertext, tag)


def test_sm4_cbc_decrypts_the_standards_block() -> None:
    key = plain = bytes.fromhex("0123456789abcdeffedcba9876543210")  # GB/T 32907 A.1: one block, so ECB
    block = bytes.fromhex("681edf34d206965e86b3e94f536e4246")
    bare = content.for_name("sm4")
    assert opened(bare.open(key, None), block, b"") == plain
    assert opened(bare.open(key, der.NULL_DER), block, b"") == plain


def test_the_bare_oid_of_sm4_means_cbc_where_there_is_a_vector() -> None:
    cipher = content.for_name("sm4-cbc")
    parameters, ciphertext, _ = sealed(cipher, b"Hello World!")
    bare = content.for_algorithm(AlgorithmID(oids.SM4, parameters))
    assert opened(bare.open(key_of(cipher), parameters), ciphertext, b"") == b"Hello World!"


@pytest.mark.parametrize("name", ["sm4-cbc", "aes-256-cbc"])
def test_a_wrong_padding_and_half_a_block_give_the_one_error(name: str) -> None:
    cipher = content.for_name(name)
    iv = der.octet_string(bytes(16))
    said = set()
    for ciphertext in (bytes(16), b"\1" * 32, bytes(15), b"", bytes(17)):
        with pytest.raises(DecryptionFailed) as caught:
            opened(cipher.open(key_of(cipher), iv), ciphertext, b"")
        said.add((str(caught.value), caught.value.hint))
    assert len(said) == 1


@pytest.mark.parametrize("name", [cipher.name for cipher in content._CIPHERS if cipher.name != "sm4"])
@pytest.mark.parametrize("parameters", [None, b"", b"\x05\x00", b"\x04\x01a", b"\x30\x00", b"\x30\x03\x04\x01a"])
def test_wrong_parameters_are_malformed(name: str, parameters: bytes | None) -> None:
    cipher = content.for_name(name)
    with pytest.raises(MalformedInput):
        cipher.open(key_of(cipher), parameters)


@pytest.mark.parametrize("name", [cipher.name for cipher in content._CIPHERS if not cipher.written])
def test_what_is_only_read_is_not_written(name: str) -> None:
    cipher = content.for_name(name)
    with pytest.raises(UnsupportedAlgorithm):
        cipher.new_parameters()


def test_each_family_has_a_cipher_of_its_own() -> None:
    names = {family: content.default(family).name for family in Family}
    assert names == {
        Family.INTERNATIONAL: "aes-256-gcm",
        Family.CHINA: "sm4-cbc",
        Family.RUSSIA: "kuznyechik-ctr-acpkm-omac",
    }
    assert all(content.for_name(name).family is family for family, name in names.items())
    with pytest.raises(UnsupportedAlgorithm):
        content.for_name("rc4")
    with pytest.raises(UnsupportedAlgorithm):
        content.for_algorithm(AlgorithmID("1.2.840.113549.3.4"))


CHECKS = {
    "check_rsa": "_OAEP_PLAIN",
    "check_agreement": "_WRAPPED",
    "check_aes": "_AES_TAG",
    "check_sm4": "_SM4_BLOCK",
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_library_that_fails_a_vector_encrypts_nothing(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function = getattr(encryption_vectors, check)
    function()
    monkeypatch.setattr(encryption_vectors, CHECKS[check], b"something else")
    with pytest.raises(BackendUnavailable, match="self-test"):
        function.__wrapped__()


@pytest.mark.parametrize("name", ["aes-256-gcm", "sm4-gcm", "sm4-cbc", "sm4", "aes-128-cbc"])
def test_no_cipher_is_used_before_its_vectors(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise BackendUnavailable("cryptography failed the self-test")

    for check in ("check_aes", "check_sm4"):
        monkeypatch.setattr(content_blocks, check, fail)
    cipher = content.for_name(name)
    parameters = {"sm4": None}.get(name, der.octet_string(bytes(16)))
    if "gcm" in name:
        parameters = der.sequence(der.octet_string(bytes(12)), der.integer(16))
    with pytest.raises(BackendUnavailable):
        cipher.open(key_of(cipher), parameters)
