"""Keys that encrypt and never sign: X25519, X448, ML-KEM-768 and -1024."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import mlkem, x448, x25519
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from certs import der, oids, profiles, suites
from certs.errors import (
    BackendUnavailable,
    BadKey,
    BadSignature,
    DecryptionFailed,
    MalformedInput,
    ProfileError,
    UnsupportedAlgorithm,
)
from certs.keys import file as key_file
from certs.pem import armor
from certs.suites import ALL_NAMES, ENCRYPTION_NAMES, encryption_vectors, transport_kem, xdh
from certs.suites import mlkem as our_mlkem
from certs.suites.base import AlgorithmID, Encapsulated, PrivateKey, Use, WrappedKey
from tests.certs.post import CERTIFIED_BY, mailbox
from tests.conftest import circle_of, keys_of, subjects_of

KEY = bytes(range(32))
XDH = ("x25519", "x448")
ML_KEM = ("ml-kem-768", "ml-kem-1024")
SEED = bytes(range(64))
EXPANDED = {"ml-kem-768": 2400, "ml-kem-1024": 3168}
"""Octets (FIPS 203 table 3)."""


# What they are -------------------------------------------------------------------------------------------------------
def test_the_suites_that_only_encrypt_are_not_among_those_that_sign() -> None:
    assert (*XDH, *ML_KEM) == ENCRYPTION_NAMES
    assert not {*ENCRYPTION_NAMES} & {*ALL_NAMES, *suites.OLD_NAMES, *suites.names()}
    with pytest.raises(UnsupportedAlgorithm) as caught:
        suites.get("ml-kem-512")
    assert "ml-kem-768" in str(caught.value.hint)


@pytest.mark.parametrize("suite_name", ENCRYPTION_NAMES)
def test_a_key_is_made_kept_and_loaded_and_never_signs(suite_name: str) -> None:
    suite, key = suites.get(suite_name), keys_of(suite_name)[0]
    assert suites.load_private(key.pkcs8()).public_key.spki == key.public_key.spki
    public = suites.load_public(key.public_key.spki)
    assert (public.suite, public.spki) == (suite, key.public_key.spki)
    for protected in (None, b"password"):
        text = armor("PRIVATE KEY", key.pkcs8()).encode()
        if protected:
            text = armor("ENCRYPTED PRIVATE KEY", key_file.encrypt_pkcs8(key.pkcs8(), protected)).encode()
            assert key.pkcs8()[-32:] not in text
        assert key_file.parse(text, protected).pkcs8() == key.pkcs8()
    for act in (lambda: key.sign(b"contract"), lambda: suite.signature_algorithm(Use.CMS)):
        with pytest.raises(UnsupportedAlgorithm, match="makes no signatures"):
            act()
    with pytest.raises(UnsupportedAlgorithm, match="makes no signatures"):
        suites.must_sign(suite_name)
    with pytest.raises(UnsupportedAlgorithm, match="has no parameter"):
        suite.generate("3072")


@pytest.mark.parametrize("suite_name", ENCRYPTION_NAMES)
def test_no_signature_is_ever_theirs(suite_name: str) -> None:
    spki = keys_of(suite_name)[0].public_key.spki
    for oid in (oids.ED25519, oids.ML_DSA_65, oids.ECDSA_SHA256, oids.EC):
        with pytest.raises(BadSignature):
            suites.verify(spki, AlgorithmID(oid).der(), bytes(64), b"contract")
    with pytest.raises(BadSignature):
        suites.load_public(spki).verify(bytes(64), b"contract")
    with pytest.raises(UnsupportedAlgorithm):
        suites.verify(spki, AlgorithmID("1.2.3.4").der(), bytes(64), b"contract")


@pytest.mark.parametrize("suite_name", ENCRYPTION_NAMES)
def test_keys_with_parameters_or_of_a_wrong_length_are_refused(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    algorithm, octets = der.split_spki(key.public_key.spki)
    with pytest.raises(MalformedInput):
        suites.load_public(der.subject_public_key_info(replace(algorithm, parameters=der.NULL_DER), octets))
    for wrong in (b"", octets[:-1], octets + b"\0"):
        with pytest.raises(BadKey):
            suites.load_public(der.subject_public_key_info(algorithm, wrong))
    for wrong in (b"", b"\x04\x00", der.octet_string(bytes(31)), der.tlv(0x80, bytes(63)), b"\x30\x00"):
        with pytest.raises((BadKey, MalformedInput, UnsupportedAlgorithm)):
            suites.load_private(der.private_key_info(algorithm, wrong))


@pytest.mark.parametrize("suite_name", ENCRYPTION_NAMES)
def test_they_are_certified_for_encryption_only(suite_name: str) -> None:
    assert [name for name in profiles.names() if profiles.load(name).takes(suite_name)] == ["encryption"]
    circle, spki = circle_of(CERTIFIED_BY[suite_name]), keys_of(suite_name)[0].public_key.spki
    for profile, subject in (("person", 0), ("organisation", 1)):
        with pytest.raises(ProfileError, match="does not allow keys of suite"):
            circle.ca.issue(profile, subjects_of("ed25519")[subject], spki)


@pytest.mark.parametrize("suite_name", ENCRYPTION_NAMES)
def test_their_certificates_have_the_one_usage_of_the_standard(suite_name: str) -> None:
    expected = {"key_agreement"} if suite_name in XDH else {"key_encipherment"}  # RFC 9295 3, RFC 9935 5
    assert mailbox(suite_name).certificate.key_usage == expected


# X25519 and X448 -----------------------------------------------------------------------------------------------------
LOW_ORDER = [
    # RFC 7748 6.1, and the other points of order 1, 2, 4 and 8, as p and p + 1 too
    ("x25519", 0),
    ("x25519", 1),
    ("x25519", 325606250916557431795983626356110631294008115727848805560023387167927233504),
    ("x25519", 39382357235489614581723060781553021112529911719440698176882885853963445705823),
    ("x25519", 2**255 - 20),
    ("x25519", 2**255 - 19),
    ("x25519", 2**255 - 18),
    ("x448", 0),
    ("x448", 1),
    ("x448", 2**448 - 2**224 - 2),
    ("x448", 2**448 - 2**224 - 1),
]


@pytest.mark.parametrize(("suite_name", "point"), LOW_ORDER)
def test_a_shared_secret_of_zeros_is_refused_on_both_sides(suite_name: str, point: int) -> None:
    key = keys_of(suite_name)[0]
    algorithm, octets = der.split_spki(key.public_key.spki)
    spki = der.subject_public_key_info(algorithm, point.to_bytes(len(octets), "little"))
    with pytest.raises(BadKey, match="small order"):
        suites.load_public(spki)
    with pytest.raises(DecryptionFailed):
        key.unwrap_key(replace(key.public_key.wrap_key(KEY, ""), originator=spki), 32)


def agreed(suite_name: str, scheme: str, wrap: str, ukm: bytes | None) -> tuple[PrivateKey, WrappedKey]:
    """Return a content key agreed as RFC 8418 2 says, put together here."""
    key = keys_of(suite_name)[0]
    kind: Any = x25519.X25519PrivateKey if suite_name == "x25519" else x448.X448PrivateKey
    public: Any = x25519.X25519PublicKey if suite_name == "x25519" else x448.X448PublicKey
    algorithm, octets = der.split_spki(key.public_key.spki)
    ephemeral = kind.generate()
    shared = ephemeral.exchange(public.from_public_bytes(octets))
    size = {oids.AES128_WRAP: 16, oids.AES192_WRAP: 24, oids.AES256_WRAP: 32}[wrap]
    info = der.sequence(
        AlgorithmID(wrap).der(),
        b"" if ukm is None else der.tlv(0xA0, der.octet_string(ukm)),
        der.tlv(0xA2, der.octet_string((8 * size).to_bytes(4, "big"))),
    )
    digest = {"56": hashes.SHA256, "84": hashes.SHA384, "12": hashes.SHA512}[oids.name(scheme)[-2:]]()
    if "hkdf" in oids.name(scheme):
        kek = HKDF(digest, size, ukm, info).derive(shared)
    else:
        kek = X963KDF(digest, size, info).derive(shared)
    originator = der.subject_public_key_info(algorithm, ephemeral.public_key().public_bytes_raw())
    return key, WrappedKey(AlgorithmID(scheme, AlgorithmID(wrap).der()), aes_key_wrap(kek, KEY), originator, ukm)


SCHEMES = [
    *(oids.ECDH_HKDF_SHA256, oids.ECDH_HKDF_SHA384, oids.ECDH_HKDF_SHA512),
    *(oids.ECDH_SHA256, oids.ECDH_SHA384, oids.ECDH_SHA512),
]


@pytest.mark.parametrize("suite_name", XDH)
@pytest.mark.parametrize("scheme", SCHEMES, ids=oids.name)
@pytest.mark.parametrize("ukm", [None, b"", b"keying material"])
def test_every_scheme_of_rfc_8418_is_read(suite_name: str, scheme: str, ukm: bytes | None) -> None:
    for wrap in (oids.AES128_WRAP, oids.AES192_WRAP, oids.AES256_WRAP):
        key, wrapped = agreed(suite_name, scheme, wrap, ukm)
        assert key.unwrap_key(wrapped, 32) == KEY
        for other in set(SCHEMES) - {scheme}:
            named = replace(wrapped, algorithm=replace(wrapped.algorithm, oid=other))
            with pytest.raises(DecryptionFailed):
                key.unwrap_key(named, 32)
        with pytest.raises(DecryptionFailed):
            key.unwrap_key(replace(wrapped, ukm=b"other"), 32)


@pytest.mark.parametrize("suite_name", XDH)
def test_an_agreement_with_another_kind_of_key_scheme_or_wrap_is_refused(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    whole = key.public_key.wrap_key(KEY, "")
    others = [name for name in (*XDH, "ml-kem-768", "ecdsa-p256", "ed25519") if name != suite_name]
    for originator in (b"", b"\x30\x00", *(keys_of(name)[0].public_key.spki for name in others)):
        with pytest.raises(DecryptionFailed):
            key.unwrap_key(replace(whole, originator=originator), 32)
    wrong_wrap = AlgorithmID(whole.algorithm.oid, AlgorithmID(oids.AES256_GCM).der())
    for algorithm in (AlgorithmID(whole.algorithm.oid), AlgorithmID(oids.ECDH_SHA1, wrong_wrap.parameters), wrong_wrap):
        with pytest.raises(UnsupportedAlgorithm):
            key.unwrap_key(replace(whole, algorithm=algorithm), 32)
    with pytest.raises(UnsupportedAlgorithm):
        key.unwrap_key(replace(whole, originator=None), 32)


# ML-KEM --------------------------------------------------------------------------------------------------------------
def private_of(suite_name: str, seed: bytes) -> Any:
    kind: Any = mlkem.MLKEM768PrivateKey if suite_name == "ml-kem-768" else mlkem.MLKEM1024PrivateKey
    return kind.from_seed_bytes(seed)


def expanded_of(suite_name: str, seed: bytes) -> bytes:
    """Return dk of FIPS 203 algorithm 16 as far as it can be told from the seed; s is zeros here."""
    public = private_of(suite_name, seed).public_key().public_bytes_raw()
    tail = bytes(public + hashlib.sha3_256(public).digest() + seed[32:])
    return bytes(EXPANDED[suite_name] - len(tail)) + tail


def pkcs8_of(suite_name: str, encoded: bytes) -> bytes:
    oid = {"ml-kem-768": oids.ML_KEM_768, "ml-kem-1024": oids.ML_KEM_1024}[suite_name]
    return der.private_key_info(AlgorithmID(oid), encoded)


@pytest.mark.parametrize("suite_name", ML_KEM)
def test_a_private_key_is_read_as_a_seed_and_as_both_and_needs_the_seed(suite_name: str) -> None:
    expanded = expanded_of(suite_name, SEED)
    both = der.sequence(der.octet_string(SEED), der.octet_string(expanded))
    for encoded in (der.tlv(0x80, SEED), both):
        key = suites.load_private(pkcs8_of(suite_name, encoded))
        assert der.split_pkcs8(key.pkcs8())[1] == der.tlv(0x80, SEED)  # what we write
        assert key.public_key.spki == suites.get(suite_name).load_private(key.pkcs8()).public_key.spki
    with pytest.raises(UnsupportedAlgorithm, match="without its seed"):
        suites.load_private(pkcs8_of(suite_name, der.octet_string(expanded)))


@pytest.mark.parametrize("suite_name", ML_KEM)
def test_an_expanded_key_that_is_not_the_seeds_is_refused(suite_name: str) -> None:
    whole = expanded_of(suite_name, SEED)
    size = len(private_of(suite_name, SEED).public_key().public_bytes_raw())
    places = (len(whole) - 1, len(whole) - 33, len(whole) - 65, len(whole) - 64 - size)  # z, H(ek), ek at both ends
    for position in places:
        broken = whole[:position] + bytes((whole[position] ^ 1,)) + whole[position + 1 :]
        with pytest.raises(BadKey, match="another one"):
            suites.load_private(pkcs8_of(suite_name, der.sequence(der.octet_string(SEED), der.octet_string(broken))))
    for seed, expanded in ((SEED, whole[1:]), (SEED, b"\0" + whole), (SEED[1:], whole), (b"", b"")):
        with pytest.raises(BadKey):
            suites.load_private(pkcs8_of(suite_name, der.sequence(der.octet_string(seed), der.octet_string(expanded))))


@pytest.mark.parametrize("suite_name", ML_KEM)
def test_a_public_key_beyond_the_modulus_is_refused(suite_name: str) -> None:
    """FIPS 203 7.2: whoever encrypts checks that every coefficient is below q."""
    algorithm, octets = der.split_spki(keys_of(suite_name)[0].public_key.spki)
    for first in (3329, 4095):
        broken = bytes((first & 0xFF, (octets[1] & 0xF0) | first >> 8)) + octets[2:]
        with pytest.raises(BadKey):
            suites.load_public(der.subject_public_key_info(algorithm, broken))


def encapsulated(suite_name: str, kdf: str, wrap: str, ukm: bytes | None) -> tuple[PrivateKey, WrappedKey]:
    """Return a content key under an encapsulated secret as RFC 9629 5 says, put together here."""
    key = keys_of(suite_name)[0]
    algorithm, _ = der.split_spki(key.public_key.spki)
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    public: Any = load_der_public_key(key.public_key.spki)
    secret, ciphertext = public.encapsulate()
    size = {oids.AES128_WRAP: 16, oids.AES192_WRAP: 24, oids.AES256_WRAP: 32}[wrap]
    digest = {oids.HKDF_SHA256: hashes.SHA256, oids.HKDF_SHA384: hashes.SHA384, oids.HKDF_SHA512: hashes.SHA512}[kdf]()
    info = der.sequence(
        AlgorithmID(wrap).der(),
        der.integer(size),
        b"" if ukm is None else der.tlv(0xA0, der.octet_string(ukm)),
    )
    kek = HKDF(digest, size, None, info).derive(secret)
    inside = Encapsulated(ciphertext, AlgorithmID(kdf), size, AlgorithmID(wrap))
    return key, WrappedKey(algorithm, aes_key_wrap(kek, KEY), None, ukm, inside)


@pytest.mark.parametrize("suite_name", ML_KEM)
@pytest.mark.parametrize("kdf", [oids.HKDF_SHA256, oids.HKDF_SHA384, oids.HKDF_SHA512], ids=oids.name)
@pytest.mark.parametrize("ukm", [None, b"", b"keying material"])
def test_every_derivation_and_key_wrap_is_read(suite_name: str, kdf: str, ukm: bytes | None) -> None:
    for wrap in (oids.AES128_WRAP, oids.AES192_WRAP, oids.AES256_WRAP):
        key, wrapped = encapsulated(suite_name, kdf, wrap, ukm)
        assert key.unwrap_key(wrapped, 32) == KEY
        with pytest.raises(DecryptionFailed):
            key.unwrap_key(replace(wrapped, ukm=b"other"), 32)


@pytest.mark.parametrize("suite_name", ML_KEM)
def test_a_ciphertext_of_a_wrong_length_or_with_a_changed_bit_gives_the_one_error(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    whole = key.public_key.wrap_key(KEY, "")
    inside = whole.encapsulated
    assert inside is not None
    octets = inside.ciphertext
    broken = [octets[:-1], octets + b"\0", b"", octets[: len(octets) // 2], bytes(len(octets)), b"\xff" * len(octets)]
    broken += [octets[:i] + bytes((octets[i] ^ 1,)) + octets[i + 1 :] for i in range(0, len(octets), 97)]
    said = set()
    for ciphertext in broken:
        with pytest.raises(DecryptionFailed) as caught:
            key.unwrap_key(replace(whole, encapsulated=replace(inside, ciphertext=ciphertext)), 32)
        said.add((str(caught.value), caught.value.hint, str(caught.value.facts), caught.value.__cause__))
    assert len(said) == 1


@pytest.mark.parametrize("suite_name", ML_KEM)
def test_a_mechanism_derivation_wrap_or_length_that_does_not_fit_is_said(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    whole = key.public_key.wrap_key(KEY, "")
    inside = whole.encapsulated
    assert inside is not None
    other = AlgorithmID(oids.ML_KEM_1024 if suite_name == "ml-kem-768" else oids.ML_KEM_768)
    for broken in (
        replace(whole, encapsulated=None),
        replace(whole, algorithm=other),
        replace(whole, algorithm=AlgorithmID(oids.RSA_OAEP)),
        replace(whole, encapsulated=replace(inside, kdf=AlgorithmID("1.2.3.4"))),
        replace(whole, encapsulated=replace(inside, wrap=AlgorithmID(oids.AES256_GCM))),
    ):
        with pytest.raises(UnsupportedAlgorithm):
            key.unwrap_key(broken, 32)
    for broken in (
        replace(whole, algorithm=replace(whole.algorithm, parameters=der.NULL_DER)),
        replace(whole, encapsulated=replace(inside, kdf=replace(inside.kdf, parameters=der.NULL_DER))),
        *(replace(whole, encapsulated=replace(inside, kek_size=size)) for size in (-1, 0, 16, 33, 65_535, 1 << 70)),
    ):
        with pytest.raises(MalformedInput):
            key.unwrap_key(broken, 32)


# A library that computes something else ------------------------------------------------------------------------------
def test_a_library_with_a_wrong_answer_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xdh, "_X25519", (xdh._X25519[0], xdh._X25519[1], "00" * 32))
    monkeypatch.setattr(xdh, "_X448", (xdh._X448[0], xdh._X448[1], "00" * 56))
    monkeypatch.setattr(our_mlkem, "_PUBLIC_KEYS", dict.fromkeys(our_mlkem._PUBLIC_KEYS, "00"))
    for name in ENCRYPTION_NAMES:
        suite = suites.get(name)
        monkeypatch.setattr(suite, "_library", None)
        with pytest.raises(BackendUnavailable, match="self-test"):
            suite.generate()
        with pytest.raises(BackendUnavailable):
            suite.encryption_library()


def test_a_library_that_takes_any_ciphertext_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Same:
        def public_key(self) -> Same:
            return self

        def encapsulate(self) -> tuple[bytes, bytes]:
            return KEY, bytes(1088)

        def decapsulate(self, ciphertext: bytes) -> bytes:
            return KEY

    suite = suites.get("ml-kem-768")
    assert isinstance(suite, our_mlkem.EncryptingSuite)
    monkeypatch.setattr(suite, "_library", None)
    monkeypatch.setattr(suite, "_algorithm", replace(suite._algorithm, generate=Same))
    with pytest.raises(BackendUnavailable, match="self-test"):
        suite.library()


def test_hkdf_is_tried_on_the_standards_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption_vectors, "_HKDF_KEY", bytes(42))
    with pytest.raises(BackendUnavailable, match="HKDF"):
        encryption_vectors.check_hkdf.__wrapped__()
    assert transport_kem._KDF.parameters is None  # RFC 8619 2: MUST be absent
