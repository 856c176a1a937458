"""Content keys to public keys and back, in every suite; and every way of it that is only read."""

from __future__ import annotations

import ctypes
import re
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from certs import der, oids, suites
from certs.errors import BackendFault, BackendUnavailable, CertsError, DecryptionFailed, UnsupportedAlgorithm
from certs.pem import pem_blocks
from certs.suites import content, transport_rsa, transport_sm
from certs.suites.backends import gost_encryption
from certs.suites.backends.sm2_vectors import _CIPHER, _PLAIN, _private_key
from certs.suites.base import AlgorithmID, PrivateKey, WrappedKey
from certs.suites.gost_parameters import BY_NAME, SETS, ParameterSet
from tests.certs.post import BOTH, ENCRYPTING
from tests.certs.suites.libraries import installed
from tests.conftest import ALL_SUITES, keys_of

SIGNING_ONLY = tuple(name for name in ALL_SUITES if name not in BOTH)
KEY = bytes(range(32))


def cipher_of(suite_name: str) -> str:
    return content.default(suites.get(suite_name).family).name


def wrapped_for(key: PrivateKey) -> WrappedKey:
    return key.public_key.wrap_key(KEY, cipher_of(key.suite.name))


def changed(octets: bytes, position: int) -> bytes:
    return octets[:position] + bytes((octets[position] ^ 1,)) + octets[position + 1 :]


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_a_content_key_comes_through(suite_name: str) -> None:
    key, stranger = keys_of(suite_name)[:2]
    first, second = wrapped_for(key), wrapped_for(key)
    assert first.encrypted_key != second.encrypted_key
    assert KEY not in first.encrypted_key
    assert key.unwrap_key(first, 32) == KEY
    with pytest.raises(DecryptionFailed):
        stranger.unwrap_key(first, 32)
    with pytest.raises(DecryptionFailed):
        key.unwrap_key(first, 16)


def refusal(key: PrivateKey, wrapped: WrappedKey) -> tuple[object, ...] | None:
    """Return everything that a refusal says; None where the very key comes out."""
    try:
        assert key.unwrap_key(wrapped, 32) == KEY
    except DecryptionFailed as error:
        return str(error), error.hint, str(error.facts), error.__cause__
    return None


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_every_changed_octet_of_an_encrypted_key_gives_the_one_error(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    whole = wrapped_for(key)
    octets = whole.encrypted_key
    broken = [changed(octets, position) for position in range(0, len(octets), max(1, len(octets) // 40))]
    said = {refusal(key, replace(whole, encrypted_key=item)) for item in broken}
    said |= {refusal(key, replace(whole, encrypted_key=octets[:size])) for size in range(0, len(octets), 9)}
    if suite_name.startswith("gost"):
        said.discard(None)  # the digest named beside the sender's curve means nothing here, and so changes nothing
    assert len(said) == 1
    assert said != {None}


@pytest.mark.parametrize("suite_name", SIGNING_ONLY)
def test_keys_of_a_signing_suite_encrypt_nothing(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    assert key.suite.recipient_usages == ()
    with pytest.raises(UnsupportedAlgorithm, match="encrypted"):
        wrapped_for(key)
    with pytest.raises(UnsupportedAlgorithm):
        key.unwrap_key(WrappedKey(AlgorithmID(oids.RSA_OAEP), bytes(256)), 32)


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_an_unknown_way_to_encrypt_a_key_is_said_to_be_unknown(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    with pytest.raises(UnsupportedAlgorithm):
        key.unwrap_key(replace(wrapped_for(key), algorithm=AlgorithmID("1.2.3.4", der.NULL_DER)), 32)


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_a_certificate_for_encryption_allows_a_usage_of_the_suite(suite_name: str) -> None:
    assert set(suites.get(suite_name).recipient_usages) & {"key_encipherment", "key_agreement"}


# RSA -----------------------------------------------------------------------------------------------------------------
def rsa_key() -> tuple[PrivateKey, rsa.RSAPublicKey]:
    key = keys_of("rsa")[0]
    public = serialization.load_der_public_key(key.public_key.spki)
    assert isinstance(public, rsa.RSAPublicKey)
    return key, public


def old_padding(plain: bytes) -> WrappedKey:
    return WrappedKey(AlgorithmID(oids.RSA, der.NULL_DER), rsa_key()[1].encrypt(plain, padding.PKCS1v15()))


def test_pkcs1_v15_is_read() -> None:
    assert rsa_key()[0].unwrap_key(old_padding(KEY), 32) == KEY


@pytest.mark.parametrize("encrypted", [b"\x01" * 256, b"", bytes(256), b"\xff" * 256, b"\x01" * 255])
def test_a_wrong_pkcs1_padding_gives_a_random_key_and_no_error(encrypted: bytes) -> None:
    key = rsa_key()[0]
    wrapped = WrappedKey(AlgorithmID(oids.RSA, der.NULL_DER), encrypted)
    assert len(key.unwrap_key(wrapped, 32)) == 32
    assert key.unwrap_key(wrapped, 32) != KEY


def test_a_key_of_a_wrong_length_in_good_pkcs1_padding_gives_a_random_one() -> None:
    found = rsa_key()[0].unwrap_key(old_padding(KEY[:16]), 32)
    assert len(found) == 32
    assert not found.startswith(KEY[:16])


@pytest.mark.parametrize("name", ["sha1", "sha384"])
def test_oaep_over_other_digests_and_with_a_label_is_read(name: str) -> None:
    key, public = rsa_key()
    kind = {"sha1": hashes.SHA1, "sha384": hashes.SHA384}[name]()
    encrypted = public.encrypt(KEY, padding.OAEP(padding.MGF1(kind), kind, b"contract" if name == "sha384" else None))
    parameters: bytes | None = None  # SHA-1 is what absent parameters mean
    if name == "sha384":
        digest = AlgorithmID(oids.SHA384).der()
        label = AlgorithmID(oids.P_SPECIFIED, der.octet_string(b"contract")).der()
        mask = AlgorithmID(oids.MGF1, digest).der()
        parameters = der.sequence(der.tlv(0xA0, digest), der.tlv(0xA1, mask), der.tlv(0xA2, label))
    assert key.unwrap_key(WrappedKey(AlgorithmID(oids.RSA_OAEP, parameters), encrypted), 32) == KEY


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512", "sha1"])
def test_oaep_is_written_over_the_digest_that_is_asked_for(digest: str) -> None:
    key, _ = rsa_key()
    other = key.public_key.with_oaep(digest)
    wrapped = other.wrap_key(KEY, "aes-256-gcm")
    assert key.unwrap_key(wrapped, 32) == KEY
    assert transport_rsa._read_oaep(wrapped.algorithm.parameters) == transport_rsa.OAEP(digest, digest)
    usual = key.public_key.wrap_key(KEY, "aes-256-gcm").algorithm  # the key itself stays as it was
    assert transport_rsa._read_oaep(usual.parameters).digest == "sha256"


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_only_rsa_minds_the_digest_of_oaep(suite_name: str) -> None:
    public = keys_of(suite_name)[0].public_key
    if suite_name != "rsa":
        assert public.with_oaep("sha1") is public
        return
    for digest in ("md5", "sha3-256", ""):
        with pytest.raises(UnsupportedAlgorithm, match="OAEP"):
            public.with_oaep(digest)


# Elliptic curves -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ukm", [None, b"keying material"])
@pytest.mark.parametrize(("wrap", "size"), [(oids.AES128_WRAP, 16), (oids.AES192_WRAP, 24), (oids.AES256_WRAP, 32)])
def test_agreement_with_the_parameters_of_other_programs_is_read(wrap: str, size: int, ukm: bytes | None) -> None:
    key = keys_of("ecdsa-p256")[0]
    public = serialization.load_der_public_key(key.public_key.spki)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    algorithm = AlgorithmID(wrap, der.NULL_DER)  # some write NULL, which then counts in the shared information
    info = der.sequence(
        algorithm.der(),
        b"" if ukm is None else der.tlv(0xA0, der.octet_string(ukm)),
        der.tlv(0xA2, der.octet_string((8 * size).to_bytes(4, "big"))),
    )
    kek = X963KDF(hashes.SHA1(), size, info).derive(ephemeral.exchange(ec.ECDH(), public))
    encoding, form = serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    point = ephemeral.public_key().public_bytes(encoding, form)
    wrapped = WrappedKey(
        AlgorithmID(oids.ECDH_SHA1, algorithm.der()),
        aes_key_wrap(kek, KEY),
        der.subject_public_key_info(AlgorithmID(oids.EC, der.oid(oids.P256)), point),
        ukm,
    )
    assert key.unwrap_key(wrapped, 32) == KEY
    with pytest.raises(DecryptionFailed):
        key.unwrap_key(replace(wrapped, ukm=b"other"), 32)


@pytest.mark.parametrize("suite_name", [name for name in ENCRYPTING if name.startswith("ecdsa")])
def test_a_senders_point_off_the_curve_is_refused(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    wrapped = wrapped_for(key)
    algorithm, point = der.split_spki(wrapped.originator or b"")
    other = keys_of("ecdsa-p384" if suite_name != "ecdsa-p384" else "ecdsa-p256")[0].public_key.spki
    neutral = der.subject_public_key_info(algorithm, b"\x00")
    for originator in (der.subject_public_key_info(algorithm, changed(point, len(point) - 1)), other, neutral):
        with pytest.raises(DecryptionFailed):
            key.unwrap_key(replace(wrapped, originator=originator), 32)


# SM2 -----------------------------------------------------------------------------------------------------------------
def raw_forms(cipher: bytes) -> dict[str, bytes]:
    body = der.Reader(cipher).enter()
    point = b"".join(body.integer().to_bytes(32, "big") for _ in range(2))
    digest, text = body.value(der.OCTET_STRING), body.value(der.OCTET_STRING)
    return {
        "04 C1 C3 C2": b"\x04" + point + digest + text,
        "C1 C3 C2": point + digest + text,
        "04 C1 C2 C3": b"\x04" + point + text + digest,
        "C1 C2 C3": point + text + digest,
    }


def as_sm2(encrypted: bytes) -> WrappedKey:
    return WrappedKey(AlgorithmID(oids.SM2_ENCRYPTION), encrypted)


@pytest.mark.parametrize("form", raw_forms(_CIPHER))
def test_the_standards_vector_opens_in_every_form(form: str) -> None:
    key = suites.load_private(_private_key())
    assert key.unwrap_key(as_sm2(_CIPHER), len(_PLAIN)) == _PLAIN
    raw = raw_forms(_CIPHER)[form]
    assert key.unwrap_key(as_sm2(raw), len(_PLAIN)) == _PLAIN
    for position in (5, 40, 70, len(raw) - 1):
        with pytest.raises(DecryptionFailed):
            key.unwrap_key(as_sm2(changed(raw, position)), len(_PLAIN))


def test_a_raw_form_whose_point_begins_with_04_is_read_as_it_stands() -> None:
    key = suites.load_private(_private_key())
    raw = raw_forms(_CIPHER)["C1 C3 C2"]
    assert raw[:1] == b"\x04"  # the vector's x begins with 04: nothing may be cut off
    assert key.unwrap_key(as_sm2(raw), len(_PLAIN)) == _PLAIN


@pytest.mark.parametrize("module", ["libcrypto_sm2", "gmssl"])
def test_the_libraries_for_sm2_open_what_the_other_one_encrypted(module: str) -> None:
    one, other = installed(module), installed("gmssl" if module == "libcrypto_sm2" else "libcrypto_sm2")
    made = one.generate("sm2p256v1")
    holder = other.load_public(one.spki(made))
    assert one.decrypt(made, other.encrypt(holder, KEY)) == KEY
    assert one.decrypt(made, b"\x30\x00") is None


@pytest.mark.corpus
def test_the_vectors_of_a_chinese_library_decrypt(corpus: Path) -> None:
    text = (corpus / "china" / "tongsuo" / "evppkey_sm2.txt").read_text()
    key = suites.load_private(pem_blocks(text.encode())[0][1])
    cases = re.findall(r"^Decrypt = SM2_key1\n((?:\w+ = .*\n)+)", text, re.MULTILINE)
    done = 0
    for case in cases:
        fields = dict(line.split(" = ") for line in case.splitlines())
        if "Output" in fields and "Result" not in fields and fields.get("Ctrl", "digest:SM3") == "digest:SM3":
            plain = fields["Output"].strip('"').encode()
            assert key.unwrap_key(as_sm2(bytes.fromhex(fields["Input"])), len(plain)) == plain
            done += 1
    assert done == 4


def test_an_sm2_cipher_of_a_wrong_shape_never_reaches_the_library() -> None:
    point = (1, 2)
    for octets in (
        transport_sm.encode(*point, bytes(31), KEY),
        transport_sm.encode(-1, 2, bytes(32), KEY),
        transport_sm.encode(*point, bytes(32), KEY) + b"\0",
        transport_sm.encode(1 << 256, 2, bytes(32), KEY),
    ):
        assert list(transport_sm._readings(octets, 32)) == []


# GOST ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("chosen", SETS, ids=lambda chosen: chosen.name)
@pytest.mark.parametrize("cipher", ["kuznyechik-ctr-acpkm-omac", "magma-ctr-acpkm-omac"])
def test_every_parameter_set_transports_keys_for_both_ciphers(chosen: ParameterSet, cipher: str) -> None:
    name = chosen.name
    suite = suites.get("gost2012-512" if "512" in name else "gost2012-256")
    key = suite.generate(name)
    wrapped = key.public_key.wrap_key(KEY, cipher)
    assert wrapped.algorithm.oid == (oids.KUZNYECHIK_KEXP15 if cipher[0] == "k" else oids.MAGMA_KEXP15)
    assert key.unwrap_key(wrapped, 32) == KEY


def split_transport(encrypted: bytes) -> tuple[bytes, bytes, bytes]:
    body = der.Reader(encrypted).enter()
    return body.value(der.OCTET_STRING), body.raw(), body.value(der.OCTET_STRING)


def joined(exported: bytes, ephemeral: bytes, ukm: bytes) -> bytes:
    return der.sequence(der.octet_string(exported), ephemeral, der.octet_string(ukm))


def test_a_transport_with_a_wrong_length_anywhere_never_reaches_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    key = keys_of("gost2012-256")[0]
    whole = wrapped_for(key)
    exported, ephemeral, ukm = split_transport(whole.encrypted_key)
    asked = []
    monkeypatch.setattr(gost_encryption.GOSTEncryption, "unwrap", lambda *args: asked.append(args))
    for broken in (
        joined(exported[:-1], ephemeral, ukm),
        joined(exported + b"\0", ephemeral, ukm),
        joined(exported, ephemeral, ukm[:-1]),
        joined(exported, ephemeral, ukm * 9),
        joined(exported, ephemeral, ukm) + b"\0",
        joined(exported, keys_of("gost2012-512")[0].public_key.spki, ukm),
        joined(exported, suites.get("gost2012-256").generate("TC26-256-C").public_key.spki, ukm),
    ):
        with pytest.raises(DecryptionFailed):
            key.unwrap_key(replace(whole, encrypted_key=broken), 32)
    assert asked == []


def test_a_senders_gost_point_off_the_curve_or_of_small_order_is_refused() -> None:
    key = suites.get("gost2012-256").generate("TC26-256-A")  # cofactor 4
    whole = key.public_key.wrap_key(KEY, "kuznyechik-ctr-acpkm-omac")
    exported, ephemeral, ukm = split_transport(whole.encrypted_key)
    algorithm, point = der.split_spki(ephemeral)
    small = b"\x04\x40" + order_two().to_bytes(32, "little") + bytes(32)
    for octets in (changed(point, 2), small):
        spki = der.subject_public_key_info(algorithm, octets)
        with pytest.raises(DecryptionFailed):
            key.unwrap_key(replace(whole, encrypted_key=joined(exported, spki, ukm)), 32)


def order_two() -> int:
    """Return x of the point of order 2 of TC26-256-A, whose y is 0."""
    curve = BY_NAME["TC26-256-A"].curve
    d = 0x0605F6B7C183FA81578BC39CFAD518132B9DF62897009AF7E522C32D6DC7BFFB  # of its Edwards form
    x = (1 + d) * pow(6, -1, curve.p) % curve.p  # R 1323565.1.024-2019: x = s(1 + v)/(1 - v) + t, here v = -1
    assert curve.holds(x, 0)
    return x


def old_transport(key: PrivateKey) -> bytes:
    """Return what the engine writes where it is told no cipher."""
    backend = gost_encryption.load()
    lib, handle = backend._lib, backend.load_public(key.public_key.spki)
    context = lib.EVP_PKEY_CTX_new(handle.pointer, None)
    out, length = ctypes.create_string_buffer(512), ctypes.c_size_t(512)
    assert lib.EVP_PKEY_encrypt_init(context) > 0
    assert lib.EVP_PKEY_encrypt(context, out, ctypes.byref(length), KEY, 32) > 0
    lib.EVP_PKEY_CTX_free(context)
    return out.raw[: length.value]


@pytest.mark.parametrize("suite_name", ["gost2012-256", "gost2012-512"])
def test_the_older_transport_is_read_and_its_lengths_are_checked(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    old = WrappedKey(AlgorithmID(der.split_spki(key.public_key.spki)[0].oid), old_transport(key))
    assert key.unwrap_key(old, 32) == KEY
    said = {
        refusal(key, replace(old, encrypted_key=changed(old.encrypted_key, position)))
        for position in range(0, len(old.encrypted_key), 5)
    }
    assert len(said - {None}) == 1
    body = der.Reader(old.encrypted_key).enter()
    session, rest = body.enter(), body.raw()
    exported, mac = session.value(der.OCTET_STRING), session.value(der.OCTET_STRING)
    for one, two in ((exported + b"\0", mac), (exported, mac[:-1]), (b"", b"")):
        short = der.sequence(der.sequence(der.octet_string(one), der.octet_string(two)), rest)
        with pytest.raises(DecryptionFailed):
            key.unwrap_key(replace(old, encrypted_key=short), 32)


def test_without_the_engine_gost_keys_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    key = keys_of("gost2012-256")[0]
    wrapped = wrapped_for(key)

    def nothing() -> None:
        raise BackendUnavailable("gost-engine is not installed")

    monkeypatch.setattr(gost_encryption, "load", nothing)
    for act in (lambda: wrapped_for(key), lambda: key.unwrap_key(wrapped, 32)):
        with pytest.raises(BackendUnavailable):
            act()


@pytest.mark.parametrize("method", ["acpkm", "omac", "kdf_tree", "unwrap", "wrap"])
def test_an_engine_that_lies_about_encryption_is_not_used(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    true = getattr(gost_encryption.GOSTEncryption, method)

    class Zeros:
        def update(self, data: bytes) -> bytes:
            return bytes(len(data))

        def digest(self) -> bytes:
            return bytes(16)

    lies = {
        "acpkm": lambda *_, **__: Zeros(),
        "omac": lambda *_: Zeros(),
        "kdf_tree": lambda *_: bytes(64),
        "unwrap": lambda self, *args: true(self, *args) or bytes(32),
        "wrap": lambda *_: (_ for _ in ()).throw(BackendFault("no entropy")),
    }
    monkeypatch.setattr(gost_encryption.GOSTEncryption, method, lies[method])
    with pytest.raises(BackendUnavailable):
        gost_encryption.load.__wrapped__()


def test_decryption_failed_says_nothing_of_the_reason() -> None:
    error = DecryptionFailed()
    assert isinstance(error, CertsError)
    assert error.code == "decryption-failed"
    assert error.facts == {}
