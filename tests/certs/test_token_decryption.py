"""Keys in tokens decrypt: SoftHSM2, and vendors' mechanisms over a stand-in."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from certs import der, oids, suites
from certs.enveloped import decrypt_bytes, encrypt_bytes
from certs.errors import (
    BackendFault,
    DecryptionFailed,
    KeyNotFound,
    KeyStoreError,
    MalformedInput,
    SealroadError,
    UnsupportedAlgorithm,
    WrongPassword,
)
from certs.keys import open_key, pkcs11, pkcs11_mechanisms, pkcs11_token
from certs.keys.pkcs11 import TokenKey
from certs.suites import content, transport_sm
from certs.suites.base import AlgorithmID, PublicKey, WrappedKey
from certs.suites.rsa_parameters import SHA256_WITH_MGF1
from tests.certs.tokens import PIN, ask_pin, fake_module, new_token, with_object
from tests.conftest import circle_of, needs_gost, subjects_of

pytest.importorskip("pkcs11", reason="the extra 'pkcs11' is not installed")
interop = pytest.mark.interop

CURVES = ("ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ecdsa-bp256", "ecdsa-bp384", "ecdsa-bp512")
IN_SOFTHSM = ("rsa", *CURVES)
KEY = bytes(range(32))
SHA1 = AlgorithmID(oids.RSA_OAEP)  # what absent parameters mean (RFC 4055 4.1)
OLD = AlgorithmID(oids.RSA, der.NULL_DER)


@pytest.fixture(scope="module")
def token() -> str:
    return new_token()


@pytest.fixture(scope="module")
def keys(token: str) -> Iterator[Callable[[str], TokenKey]]:
    """One key for decryption of each suite, made when it is first wanted."""
    made: dict[str, TokenKey] = {}

    def of(name: str) -> TokenKey:
        if name not in made:
            uri = with_object(token, f"mail-{name}")
            parameter = "2048" if name == "rsa" else None
            made[name] = pkcs11.generate(uri, name, ask_pin, parameter=parameter, decrypts=True)
        return made[name]

    yield of
    for key in made.values():
        pkcs11.destroy(str(key.uri).removeprefix("pkcs11:"), ask_pin)


def rsa_public(key: PublicKey) -> rsa.RSAPublicKey:
    public = serialization.load_der_public_key(key.spki)
    assert isinstance(public, rsa.RSAPublicKey)
    return public


def oaep(kind: type[hashes.HashAlgorithm], label: bytes | None = None) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(kind()), kind(), label)


def wrapped_for(key: TokenKey, plain: bytes = KEY) -> WrappedKey:
    """Encrypted in a way that SoftHSM2 knows."""
    if key.suite.name == "rsa":
        return WrappedKey(SHA1, rsa_public(key.public_key).encrypt(plain, oaep(hashes.SHA1)))
    return key.public_key.wrap_key(plain, content.default(key.suite.family).name)


def changed(octets: bytes, position: int) -> bytes:
    return octets[:position] + bytes((octets[position] ^ 1,)) + octets[position + 1 :]


def refusal(act: Callable[[], object]) -> tuple[object, ...]:
    """Return everything that a refusal says."""
    with pytest.raises(DecryptionFailed) as caught:
        act()
    return str(caught.value), caught.value.hint, str(caught.value.facts), caught.value.__cause__


# SoftHSM2 ------------------------------------------------------------------------------------------------------------
@interop
@pytest.mark.parametrize("name", IN_SOFTHSM)
def test_a_message_opens_with_a_key_in_a_token(name: str, keys: Callable[[str], TokenKey]) -> None:
    key = keys(name)
    assert key.unwrap_key(wrapped_for(key), 32) == KEY
    opened = open_key(str(key.uri), ask_pin)
    assert opened.unwrap_key(wrapped_for(key), 32) == KEY
    certificate = circle_of(name).ca.issue("encryption", subjects_of(name)[0], key.public_key.spki)
    message = encrypt_bytes(b"contract", [certificate])
    if name == "rsa":
        with pytest.raises(UnsupportedAlgorithm, match=r"token .* does not decrypt by RSA-OAEP with SHA-256") as caught:
            decrypt_bytes(message, key, certificate)
        assert "sender" in caught.value.hint
    else:
        assert decrypt_bytes(message, key, certificate) == b"contract"


@interop
@pytest.mark.parametrize("name", IN_SOFTHSM)
def test_whatever_is_wrong_with_a_message_is_one_error(name: str, keys: Callable[[str], TokenKey]) -> None:
    key = keys(name)
    whole = wrapped_for(key)
    octets = whole.encrypted_key
    broken = [changed(octets, position) for position in range(0, len(octets), max(1, len(octets) // 6))]
    broken += [b"", octets[:-1], octets + b"\0", octets * 40, bytes(len(octets)), b"\xff" * len(octets)]
    said = {refusal(lambda item=item: key.unwrap_key(replace(whole, encrypted_key=item), 32)) for item in broken}
    said.add(refusal(lambda: key.unwrap_key(whole, 16)))
    said.add(refusal(lambda: key.unwrap_key(wrapped_for(key, KEY[:16]), 32)))
    if whole.originator is not None:
        algorithm, point = der.split_spki(whole.originator)
        other = keys("ecdsa-p384" if name != "ecdsa-p384" else "ecdsa-p256").public_key.spki
        for originator in (
            der.subject_public_key_info(algorithm, changed(point, len(point) - 1)),  # off the curve
            der.subject_public_key_info(algorithm, b"\0"),
            der.subject_public_key_info(algorithm, b""),
            keys(name).public_key.spki,
            other,
            b"",
        ):
            said.add(refusal(lambda item=originator: key.unwrap_key(replace(whole, originator=item), 32)))
    assert len(said) == 1
    assert key.unwrap_key(whole, 32) == KEY


@interop
def test_a_wrong_pkcs1_padding_gives_a_random_key(keys: Callable[[str], TokenKey]) -> None:
    key = keys("rsa")
    public = rsa_public(key.public_key)
    assert key.unwrap_key(WrappedKey(OLD, public.encrypt(KEY, padding.PKCS1v15())), 32) == KEY
    good = public.encrypt(KEY, padding.PKCS1v15())
    for encrypted in (b"\1" * 256, b"", bytes(256), b"\xff" * 256, b"\1" * 255, changed(good, 200)):
        found = [key.unwrap_key(WrappedKey(OLD, encrypted), 32) for _ in range(2)]
        assert [len(item) for item in found] == [32, 32]
        assert found[0] != found[1]
        assert KEY not in found
    short = key.unwrap_key(WrappedKey(OLD, public.encrypt(KEY[:16], padding.PKCS1v15())), 32)
    assert len(short) == 32
    assert not short.startswith(KEY[:16])


@interop
def test_with_pkcs1_the_token_is_asked_the_same_whatever_the_padding(
    keys: Callable[[str], TokenKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keys("rsa")
    asked: list[int] = []
    real = key._opener._computed
    monkeypatch.setattr(
        key._opener,
        "_computed",
        lambda session, way, octets: (asked.append(len(octets)), real(session, way, octets))[1],
    )
    good = rsa_public(key.public_key).encrypt(KEY, padding.PKCS1v15())
    logged_in = key._connection.opened
    for encrypted in (good, changed(good, 100)):
        key.unwrap_key(WrappedKey(OLD, encrypted), 32)
    assert asked == [256] * 4  # ours and the message's, each time
    assert key._connection.opened == logged_in


@interop
@pytest.mark.parametrize(
    "name", ["OAEP with SHA-256", "OAEP with SHA-384", "OAEP with SHA-256 and MGF1 with SHA-1", "a label"]
)
def test_what_the_token_cannot_is_said_and_done_in_no_weaker_way(name: str, keys: Callable[[str], TokenKey]) -> None:
    key = keys("rsa")
    sha384 = AlgorithmID(oids.SHA384).der()
    parameters = {
        "OAEP with SHA-256": der.sequence(SHA256_WITH_MGF1),
        "OAEP with SHA-384": der.sequence(der.tlv(0xA0, sha384), der.tlv(0xA1, AlgorithmID(oids.MGF1, sha384).der())),
        "OAEP with SHA-256 and MGF1 with SHA-1": der.sequence(der.tlv(0xA0, AlgorithmID(oids.SHA256).der())),
        "a label": der.sequence(der.tlv(0xA2, AlgorithmID(oids.P_SPECIFIED, der.octet_string(b"contract")).der())),
    }[name]
    for octets in (b"\1" * 256, rsa_public(key.public_key).encrypt(KEY, oaep(hashes.SHA1))):
        with pytest.raises(UnsupportedAlgorithm, match=name) as caught:
            key.unwrap_key(WrappedKey(AlgorithmID(oids.RSA_OAEP, parameters), octets), 32)
        assert key.uri.place in str(caught.value)


@interop
@pytest.mark.parametrize("name", CURVES)
def test_a_shared_secret_that_begins_with_zeros_counts_whole(name: str, keys: Callable[[str], TokenKey]) -> None:
    key = keys(name)
    public = serialization.load_der_public_key(key.public_key.spki)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    while True:
        ephemeral = ec.generate_private_key(public.curve)
        shared = ephemeral.exchange(ec.ECDH(), public)
        # the first octet of P-521's field holds one bit
        if shared[0] == 0 and (name != "ecdsa-p521" or shared[1] < 64):
            break
    found: list[bytes] = []

    class Seen(Exception):
        pass

    def kept(value: bytes) -> None:
        found.append(value)
        raise Seen

    way_of = key._opener._shown_if_wrong
    key._opener._shown_if_wrong = lambda way, _unwrap: kept(  # type: ignore[method-assign]
        key._opener._try(way, ephemeral.public_key().public_bytes(*UNCOMPRESSED))
    )
    try:
        with pytest.raises(Seen):
            key.unwrap_key(wrapped_for(key), 32)
    finally:
        key._opener._shown_if_wrong = way_of  # type: ignore[method-assign]
    assert found == [shared]


UNCOMPRESSED = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


@interop
@pytest.mark.parametrize("name", ["rsa", "ecdsa-p256"])
def test_nothing_of_a_message_stays_in_the_token(name: str, keys: Callable[[str], TokenKey]) -> None:
    import pkcs11 as library

    key = keys(name)

    def count(session: Any) -> int:
        return len(list(session.get_objects({library.Attribute.CLASS: library.ObjectClass.SECRET_KEY})))

    before = key._connection.run(count)
    key.unwrap_key(wrapped_for(key), 32)
    with pytest.raises(DecryptionFailed):
        key.unwrap_key(replace(wrapped_for(key), encrypted_key=b"\1" * 40), 32)
    assert key._connection.run(count) == before


@interop
@pytest.mark.parametrize("name", ["rsa", "ecdsa-p256"])
def test_a_key_for_signing_does_not_decrypt_and_says_why(name: str, token: str) -> None:
    parameter = "2048" if name == "rsa" else None
    key = pkcs11.generate(with_object(token, f"signs-{name}"), name, ask_pin, parameter=parameter)
    wrapped = [wrapped_for(key)]
    if name == "rsa":
        wrapped.append(WrappedKey(OLD, rsa_public(key.public_key).encrypt(KEY, padding.PKCS1v15())))
    for item in wrapped:
        with pytest.raises(KeyStoreError, match=f"'signs-{name}' in the token .* must not") as caught:
            key.unwrap_key(item, 32)
        assert "--decrypts" in caught.value.hint
    pkcs11.destroy(with_object(token, f"signs-{name}"), ask_pin)


@interop
def test_a_key_that_may_only_unwrap_decrypts_by_that(token: str) -> None:
    import pkcs11 as library

    made = pkcs11.generate(with_object(token, "unwraps"), "rsa", ask_pin, parameter="2048")
    attribute = library.Attribute

    def allow(session: Any) -> None:
        for item in session.get_objects({attribute.LABEL: "unwraps", attribute.CLASS: library.ObjectClass.PRIVATE_KEY}):
            item[attribute.UNWRAP] = True

    made._connection.run(allow)
    key = open_key(str(made.uri), ask_pin)
    assert key.unwrap_key(wrapped_for(made), 32) == KEY
    with pytest.raises(DecryptionFailed):
        key.unwrap_key(WrappedKey(SHA1, b"\1" * 256), 32)
    old = WrappedKey(OLD, rsa_public(made.public_key).encrypt(KEY, padding.PKCS1v15()))
    assert key.unwrap_key(old, 32) == KEY
    assert key.unwrap_key(WrappedKey(OLD, b"\1" * 256), 32) != KEY
    pkcs11.destroy(with_object(token, "unwraps"), ask_pin)


@interop
@pytest.mark.parametrize("name", ["rsa", "ecdsa-p256"])
def test_a_lost_session_is_survived_and_a_wrong_pin_and_a_missing_token_are_said(
    name: str, keys: Callable[[str], TokenKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keys(name)
    assert key.unwrap_key(wrapped_for(key), 32) == KEY
    key._connection._session.close()
    assert key.unwrap_key(wrapped_for(key), 32) == KEY
    pkcs11_token._modules[key.uri.module].library.finalize()
    assert key.unwrap_key(wrapped_for(key), 32) == KEY
    opened = open_key(str(key.uri), ask_pin)
    assert isinstance(opened, TokenKey)
    connection = opened._connection
    for other in pkcs11_token._others():  # nobody else of this process is logged in
        other._drop()
    connection._secrets = lambda _name: b"000000"
    with pytest.raises(WrongPassword):
        opened.unwrap_key(wrapped_for(key), 32)
    monkeypatch.setattr(connection, "uri", replace(connection.uri, token="gone"))
    for wrapped in (wrapped_for(key), replace(wrapped_for(key), encrypted_key=b"\1" * 256)):
        with pytest.raises(KeyNotFound, match="is not there"):
            opened.unwrap_key(wrapped, 32)


@interop
def test_a_key_of_a_suite_that_signs_only_is_not_made_to_decrypt(token: str) -> None:
    from certs.keys import generate_key

    for name in ("ed25519", "rsa-pss"):
        with pytest.raises(UnsupportedAlgorithm, match="encrypted"):
            generate_key(with_object(token, f"no-{name}"), name, ask_pin, decrypts=True)
    key = pkcs11.generate(with_object(token, "no-ed448"), "ed448", ask_pin)
    with pytest.raises(UnsupportedAlgorithm, match="encrypted"):
        key.unwrap_key(WrappedKey(SHA1, bytes(256)), 32)


# Vendors' mechanisms over a stand-in ---------------------------------------------------------------------------------
VENDOR = {
    "sm2": ("ec", 0x80000101, 0x80000112, None),
    "gost2012-256": ("gost", 0x30, 0x1204, "TC26-256-A"),
    "gost2012-512": ("gost", 0xD4321003, 0xD4321008, "TC26-512-A"),
}
FORMS = (("sm2", "der", False), ("sm2", "c1c3c2", False), ("sm2", "c1c2c3", True), ("sm2", "c1c3c2", True))
CASES = [
    (*form, by)
    for form in (*FORMS, ("gost2012-256", "der", False), ("gost2012-512", "der", False))
    for by in ("decrypt", "unwrap")
]


def config(tmp_path: Path, name: str, **more: object) -> str:
    public, kind, _, _ = VENDOR[name]
    output = "der" if name == "sm2" else "value"
    values: dict[str, object] = {"key_type": kind, "generate": 1, "sign": 2, "takes": "message", "output": output}
    lines = ['schema = "sealroad.pkcs11/1"', f"[suites.{name}]"]
    for key, value in (values | {"public": public} | more).items():
        lines.append(f"{key} = {str(value).lower() if isinstance(value, bool | int) else repr(value)}")
    (tmp_path / "token.toml").write_text("\n".join(lines))
    return f"&x-config={tmp_path}/token.toml"


def decrypter(name: str, cipher: str, bare: bool) -> Callable[[Any, bytes], bytes]:
    """What a vendor's module would do: decrypt what it takes, and fail in one way."""

    def opened(key: Any, octets: bytes) -> bytes:
        if name != "sm2":
            return key.unwrap_key(WrappedKey(AlgorithmID(oids.KUZNYECHIK_KEXP15), octets), 32)
        if cipher != "der":
            raw = octets if bare else octets[1:]
            assert bare or octets[:1] == b"\x04"
            numbers = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"))
            rest = raw[64:]
            parts = (rest[:32], rest[32:]) if cipher == "c1c3c2" else (rest[-32:], rest[:-32])
            octets = transport_sm.encode(*numbers, *parts)
        found = key._backend.decrypt(key._handle, octets)
        if found is None:
            raise DecryptionFailed
        return found

    return opened


@pytest.mark.parametrize(("name", "cipher", "bare", "by"), CASES)
def test_national_suites_decrypt_by_a_vendors_mechanism(
    name: str, cipher: str, bare: bool, by: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, _, number, parameter = VENDOR[name]
    if parameter:
        needs_gost(parameter)
    fake, uri = fake_module(monkeypatch, tmp_path, name, lambda key, data: key.sign(data), parameter)
    fake.decrypter = decrypter(name, cipher, bare)
    more = {"cipher": cipher, "bare": bare, "unwrapped": 0x32} if name == "sm2" else {}
    uri += config(tmp_path, name, decrypt=number, decrypt_by=by, **more)
    made = pkcs11.generate(uri, name, ask_pin, parameter=parameter, decrypts=True)
    key = open_key(uri, ask_pin)
    wrapped = wrapped_for(made)
    assert key.unwrap_key(wrapped, 32) == KEY
    assert fake.asked[-1][0] == number
    octets = wrapped.encrypted_key
    broken = [changed(octets, len(octets) - 1), octets[:-1], b"", octets + b"\0", octets * 3]
    said = {refusal(lambda item=item: key.unwrap_key(replace(wrapped, encrypted_key=item), 32)) for item in broken}
    assert len(said) == 1
    certificate = circle_of(name).ca.issue("encryption", subjects_of(name)[0], key.public_key.spki)
    assert (
        decrypt_bytes(encrypt_bytes("合同 Договор".encode(), [certificate]), key, certificate)
        == "合同 Договор".encode()
    )


def test_an_enveloped_key_of_a_chinese_authority_opens_in_the_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: key.sign(data))
    fake.decrypter = decrypter("sm2", "c1c3c2", bare=False)
    uri += config(tmp_path, "sm2", decrypt=VENDOR["sm2"][2], cipher="c1c3c2")
    key = pkcs11.generate(uri, "sm2", ask_pin, decrypts=True)
    made = suites.get("sm2").generate()
    encoded = suites.get("sm2").envelop(made, key.public_key)
    assert encoded is not None
    opened = suites.get("sm2").open_enveloped(encoded, key.unwrap_key)
    assert opened is not None
    assert opened.public_key.spki == made.public_key.spki


@pytest.mark.parametrize("name", ["sm2", "gost2012-256"])
def test_a_wrong_line_is_told_from_a_wrong_message(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parameter = VENDOR[name][3]
    if parameter:
        needs_gost(parameter)
    fake, uri = fake_module(monkeypatch, tmp_path, name, lambda key, data: key.sign(data), parameter)
    fake.decrypter = decrypter(name, "der", bare=False)
    uri += config(tmp_path, name, decrypt=VENDOR[name][2])
    key = pkcs11.generate(uri, name, ask_pin, parameter=parameter, decrypts=True)
    wrapped = wrapped_for(key)
    assert key.unwrap_key(wrapped, 32) == KEY
    fake.decrypter = lambda _key, _octets: secrets.token_bytes(16)
    with pytest.raises(BackendFault, match="something else"):
        key.unwrap_key(wrapped, 32)

    def cannot(_key: Any, _octets: bytes) -> bytes:
        raise fake.module.error("MechanismInvalid")

    fake.decrypter = cannot
    with pytest.raises(UnsupportedAlgorithm, match=f"mechanism {VENDOR[name][2]:#x} for {name}") as caught:
        key.unwrap_key(wrapped, 32)
    assert "x-config" in caught.value.hint

    from pkcs11.exceptions import PKCS11Error

    def forbidden(_key: Any, _octets: bytes) -> bytes:
        raise PKCS11Error("Unmapped error code 0x68")  # as the library says it

    fake.decrypter = forbidden
    with pytest.raises(KeyStoreError, match="must not decrypt"):
        key.unwrap_key(wrapped, 32)

    def pulled(_key: Any, _octets: bytes) -> bytes:
        fake.module.tokens.clear()
        raise fake.module.error("DeviceRemoved")

    fake.decrypter = pulled
    with pytest.raises(KeyNotFound):
        key.unwrap_key(wrapped, 32)


def test_a_key_that_wants_its_pin_each_time_gets_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import pkcs11 as library

    fake, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: key.sign(data))
    fake.decrypter = decrypter("sm2", "der", bare=False)
    uri += config(tmp_path, "sm2", decrypt=VENDOR["sm2"][2])
    pkcs11.generate(uri, "sm2", ask_pin, decrypts=True)
    fake.objects[-1].values[int(library.Attribute.ALWAYS_AUTHENTICATE)] = True
    key = open_key(uri, ask_pin)
    assert isinstance(key, TokenKey)
    for _ in range(2):
        assert key.unwrap_key(wrapped_for(key), 32) == KEY
        assert fake.asked[-1][2] == PIN.decode()


def test_without_a_vendors_mechanism_a_national_key_only_signs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: key.sign(data))
    key = pkcs11.generate(uri + config(tmp_path, "sm2"), "sm2", ask_pin)
    with pytest.raises(UnsupportedAlgorithm, match="no standard mechanism that decrypts") as caught:
        key.unwrap_key(wrapped_for(key), 32)
    assert "decrypt = 0x" in caught.value.hint


def test_gost_key_agreement_is_not_for_tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    needs_gost("TC26-256-A")
    _, uri = fake_module(monkeypatch, tmp_path, "gost2012-256", lambda key, data: key.sign(data), "TC26-256-A")
    uri += config(tmp_path, "gost2012-256", decrypt=1)
    key = pkcs11.generate(uri, "gost2012-256", ask_pin, parameter="TC26-256-A")
    agreed = WrappedKey(AlgorithmID(oids.KUZNYECHIK_KEXP15), bytes(48), key.public_key.spki, bytes(32))
    with pytest.raises(UnsupportedAlgorithm, match="in a token"):
        key.unwrap_key(agreed, 32)


@pytest.mark.parametrize(
    "line", ["decrypt = -1", "decrypt_by = 'sign'", "cipher = 'c2'", "bare = 1", "unwrapped = 'x'"]
)
def test_a_wrong_line_about_decryption_is_refused(line: str, tmp_path: Path) -> None:
    config(tmp_path, "sm2")
    path = tmp_path / "token.toml"
    path.write_text(f"{path.read_text()}\n{line}\n")
    with pytest.raises(MalformedInput):
        pkcs11_mechanisms.read_config(str(path))


def test_every_octet_string_gives_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: key.sign(data))
    fake.decrypter = decrypter("sm2", "c1c3c2", bare=True)
    uri += config(tmp_path, "sm2", decrypt=3, cipher="c1c3c2", bare=True)
    key = pkcs11.generate(uri, "sm2", ask_pin, decrypts=True)
    for size in range(0, 200, 7):
        with pytest.raises(SealroadError):
            key.unwrap_key(WrappedKey(AlgorithmID(oids.SM2_ENCRYPTION), secrets.token_bytes(size)), 32)
