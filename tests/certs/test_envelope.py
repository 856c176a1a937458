"""Sealed keys: bound to what they are, under keys from everywhere, rewrapped and never re-encrypted."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import der
from certs.errors import BadKey, KeyNotFound, KeyStoreError, MalformedInput, SealroadError, WrongPassword
from certs.keys import envelope, kek, open_key, sealed_files
from certs.keys.envelope import Label, parse, seal, seal_secret, unseal, unseal_secret
from certs.keys.kek import KeyProvider, Provider, open_provider
from certs.keys.kek_passphrase import PassphraseProvider
from certs.keys.kek_token import make_token_kek
from certs.keys.sealed_files import rewrap
from tests.certs.tokens import ask_pin, new_token, with_object
from tests.conftest import keys_of

pytestmark = pytest.mark.usefixtures("cheap_passwords")
KEK = KeyProvider(bytes(range(32)))


def test_a_key_comes_back_and_signs(suite_name: str) -> None:
    key = keys_of(suite_name)[0]
    data = seal(key, KEK, Label("seller"))
    sealed = parse(data)
    assert sealed.der() == data
    assert (sealed.label.suite, sealed.label.public_key) == (suite_name, key.public_key.spki)
    opened = unseal(sealed, KEK)
    key.public_key.verify(opened.sign(b"contract"), b"contract")
    assert key.pkcs8() not in data


def test_the_octets_are_where_the_format_says() -> None:
    key = keys_of("ed25519")[0]
    data = seal(key, KEK, Label("k", purpose="sign", generation=3))
    assert data[:2] == b"\x30\x81"
    assert data[3:9] == bytes.fromhex("04 04 53 52 4B 31")
    label = bytes.fromhex("30 43 0C 01 6B 0C 07") + b"ed25519" + bytes.fromhex("0C 04") + b"sign"
    label += bytes.fromhex("02 01 03 04 2C") + key.public_key.spki
    assert data[9 : 9 + len(label)] == label
    rest = data[9 + len(label) :]
    assert rest[:2] == b"\x30\x4e"  # wrap
    assert rest[2:8] == b"\x0c\x04file"
    assert rest[8:18] == b"\x04\x08" + KEK.id
    assert rest[18:20] == b"\x04\x3c"  # 12 + 32 + 16
    assert rest[80:82] == b"\x04\x0c"  # nonce
    assert len(rest[96:]) == len(key.pkcs8()) + 16


def test_nothing_in_a_sealed_key_can_be_changed(signing_suite: str) -> None:
    key = keys_of(signing_suite)[0]
    data = seal(key, KEK, Label("seller"))
    step = max(1, len(data) // 200)
    for position in range(0, len(data), step):
        changed = bytearray(data)
        changed[position] ^= 1
        with pytest.raises(SealroadError):
            unseal(parse(bytes(changed)), KEK)


@pytest.mark.parametrize(
    "change", [{"key_id": "buyer"}, {"purpose": "encrypt"}, {"generation": 2}, {"suite": "ed448"}, {"public_key": b""}]
)
def test_a_label_of_another_key_does_not_open(change: dict[str, object]) -> None:
    sealed = parse(seal(keys_of("ed25519")[0], KEK, Label("seller")))
    with pytest.raises(KeyStoreError):
        unseal(dataclasses.replace(sealed, label=dataclasses.replace(sealed.label, **change)), KEK)


def test_a_data_key_of_another_file_does_not_open() -> None:
    first, second = (parse(seal(keys_of("ed25519")[n], KEK, Label("seller"))) for n in (0, 1))
    with pytest.raises(KeyStoreError):
        unseal(dataclasses.replace(first, blob=second.blob), KEK)
    with pytest.raises(KeyStoreError):
        unseal(dataclasses.replace(first, nonce=second.nonce, secret=second.secret), KEK)
    with pytest.raises(KeyStoreError, match="another key-encryption key"):
        unseal(first, KeyProvider(bytes(32)))


def test_a_private_key_that_does_not_fit_its_label_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = keys_of("ed25519")[:2]
    monkeypatch.setattr(first, "public_key", second.public_key)
    data = seal(first, KEK, Label("seller"))
    with pytest.raises(BadKey):
        unseal(parse(data), KEK)


@pytest.mark.parametrize("function", ["scrypt", "argon2id"])
def test_passphrases(function: str, tmp_path: Path) -> None:
    uri = f"sealed:{tmp_path}/k.sealed?kek=passphrase:{function}"
    sealed_files.generate(uri.removeprefix("sealed:"), "ed25519", lambda _name: "密码".encode())
    asked: list[str] = []

    def ask(name: str) -> bytes:
        asked.append(name)
        return "密码".encode()

    key = open_key(f"sealed:{tmp_path}/k.sealed", ask)  # the file says how the key is derived
    key.public_key.verify(key.sign(b"x"), b"x")
    assert asked == ["passphrase for k.sealed"]
    with pytest.raises(WrongPassword):
        open_key(uri, lambda _name: b"other").sign(b"x")
    with pytest.raises(WrongPassword):
        PassphraseProvider(lambda _name: b"", "k").wrap(bytes(32), b"")


@pytest.mark.parametrize(
    "costs", [("scrypt", 1 << 30, 8, 1), ("scrypt", 3, 8, 1), ("argon2id", 1, 1 << 30, 1), ("none", 2, 1, 1)]
)
def test_costs_that_would_never_end_are_refused(costs: tuple[str, int, int, int]) -> None:
    parts = [der.tlv(0x0C, costs[0].encode()), der.octet_string(bytes(16)), *map(der.integer, costs[1:])]
    with pytest.raises(MalformedInput):
        PassphraseProvider(lambda _name: b"x", "k").unwrap(der.sequence(*parts, der.octet_string(bytes(60))), b"")


def test_key_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kek"
    with pytest.raises(KeyNotFound):
        open_provider(f"file:{path}")
    first = open_provider(f"file:{path}", make=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_provider(f"file:{path}", make=True).id == first.id
    monkeypatch.setenv("SEALROAD_KEK", path.read_text())
    moved = open_provider("env:SEALROAD_KEK")
    assert moved.id == first.id
    sealed = parse(seal(keys_of("ed25519")[0], first, Label("k")))
    unseal(sealed, moved)
    path.chmod(0o640)
    with pytest.raises(KeyStoreError, match="open to others"):
        open_provider(f"file:{path}")
    path.chmod(0o600)
    for text in ("", "zz" * 32, "00" * 31, "00" * 33):
        path.write_text(text)
        with pytest.raises(KeyStoreError):
            open_provider(f"file:{path}")
    for text in ("env:NOT_THERE", "kms:x", ""):
        with pytest.raises(KeyNotFound):
            open_provider(text)


@pytest.mark.interop
def test_a_key_in_a_token_wraps(tmp_path: Path) -> None:
    uri = with_object(new_token(), "kek")
    made = make_token_kek(uri, ask_pin)
    assert isinstance(made, Provider)
    with pytest.raises(KeyStoreError, match="already"):
        make_token_kek(uri, ask_pin)
    other = uri.replace("object=kek", "object=made-when-missing")
    assert open_provider(other, ask_pin, make=True).id == open_provider(other, ask_pin).id
    sealed_files.generate(f"{tmp_path}/k.sealed?kek={uri}", "sm2", ask_pin)
    key = open_key(f"sealed:{tmp_path}/k.sealed?kek={uri}", ask_pin)
    key.public_key.verify(key.sign(b"x"), b"x")
    sealed = sealed_files.read(tmp_path / "k.sealed")
    with pytest.raises(KeyStoreError):
        unseal(dataclasses.replace(sealed, label=dataclasses.replace(sealed.label, key_id="other")), made)
    with pytest.raises(KeyNotFound):
        open_provider(with_object(new_token(), "none"), ask_pin)


def test_a_secret_that_is_no_key_pair_is_never_taken_for_one() -> None:
    data = seal_secret(b"root secret", KEK, Label("root", purpose="derive"))
    sealed = parse(data)
    assert sealed.der() == data
    assert b"root secret" not in data
    assert unseal_secret(sealed, KEK) == b"root secret"
    with pytest.raises(KeyStoreError, match="not a key pair"):
        unseal(sealed, KEK)
    with pytest.raises(KeyStoreError, match="not a secret"):
        unseal_secret(parse(seal(keys_of("ed25519")[0], KEK, Label("root"))), KEK)
    with pytest.raises(KeyStoreError, match="belongs to something else"):
        unseal_secret(dataclasses.replace(sealed, label=Label("other", purpose="derive")), KEK)


class _KMS:
    """A service that wraps, as small as one can be."""

    kind, id = "kms-example", b"arn:1"

    def wrap(self, data_key: bytes | bytearray, about: bytes) -> bytes:
        return KEK.wrap(data_key, about)

    def unwrap(self, blob: bytes, about: bytes) -> bytearray:
        return KEK.unwrap(blob, about)


def test_a_service_can_wrap(tmp_path: Path) -> None:
    assert isinstance(_KMS(), Provider)
    key = keys_of("gost2012-256")[0]
    opened = unseal(parse(seal(key, _KMS(), Label("k"))), _KMS())
    key.public_key.verify(opened.sign(b"x"), b"x")


def test_rewrapping_touches_the_wrap_only_and_can_be_taken_up(tmp_path: Path) -> None:
    new = KeyProvider(b"n" * 32)
    paths = [tmp_path / f"{number}.sealed" for number in range(3)]
    for number, path in enumerate(paths):
        sealed_files.save(path, keys_of("ed25519")[number], KEK, Label(path.name))
    before = [sealed_files.read(path) for path in paths]
    assert rewrap(paths[0], KEK, new)  # … and the process was killed here
    assert [rewrap(path, KEK, new) for path in paths] == [False, True, True]
    for path, old in zip(paths, before, strict=True):
        sealed = sealed_files.read(path)
        assert (sealed.label, sealed.nonce, sealed.secret) == (old.label, old.nonce, old.secret)
        unseal(sealed, new)
        with pytest.raises(KeyStoreError):
            unseal(sealed, KEK)
        assert path.stat().st_mode & 0o777 == 0o600
    by_word, other = (PassphraseProvider(lambda _name, word=word: word, "k") for word in (b"one", b"two"))
    assert rewrap(paths[0], new, by_word)
    assert not rewrap(paths[0], new, by_word)
    assert rewrap(paths[0], by_word, other)
    assert not rewrap(paths[0], by_word, other)


def test_a_provider_that_loses_keys_is_noticed_before_the_file_is_replaced(tmp_path: Path) -> None:
    class Liar(_KMS):
        def unwrap(self, blob: bytes, about: bytes) -> bytearray:
            return bytearray(32)

    path = tmp_path / "k.sealed"
    sealed_files.save(path, keys_of("ed25519")[0], KEK, Label("k"))
    data = path.read_bytes()
    with pytest.raises(KeyStoreError):
        rewrap(path, KEK, Liar())
    assert path.read_bytes() == data


@pytest.mark.slow
def test_a_rotation_killed_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    old, new = (tmp_path / name for name in ("old", "new"))
    for path in (old, new):
        open_provider(f"file:{path}", make=True)
    paths = [tmp_path / f"{number:03}.sealed" for number in range(60)]
    for path in paths:
        sealed_files.save(path, keys_of("ed25519")[0], open_provider(f"file:{old}"), Label("k"))
    words = ["key", "rewrap", *map(str, paths), "--from", f"file:{old}", "--to", f"file:{new}"]
    command = [sys.executable, "-m", "api.cli", *words]
    for delay in (0.25, 0.3, 0.35, 0.4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
        providers = [open_provider(f"file:{name}") for name in (old, new)]
        for path in paths:
            sealed = sealed_files.read(path)
            unseal(sealed, next(item for item in providers if item.id == sealed.kek))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "of 60 rewrapped" in done.stdout
    for path in paths:
        unseal(sealed_files.read(path), open_provider(f"file:{new}"))


@settings(max_examples=100)
@given(st.binary(max_size=120), st.booleans())
def test_no_octets_raise_anything_builtin(data: bytes, wrapped: bool) -> None:
    try:
        unseal(parse(der.sequence(der.octet_string(envelope.MAGIC), data) if wrapped else data), KEK)
    except SealroadError:
        pass


def test_names_of_sealed_keys(tmp_path: Path) -> None:
    with pytest.raises(KeyNotFound):
        open_key(f"sealed:{tmp_path}/none?kek=env:X")
    for text in ("", "?kek=env:X", "a?b=c"):
        with pytest.raises(MalformedInput):
            sealed_files.split_rest(text)
    assert sealed_files.split_rest("a%3Fb?kek=pkcs11:token=x;object=y?module-path=/m")[0] == Path("a?b")
    key = keys_of("ed25519")[0]
    sealed_files.save(tmp_path / "k", key, KEK, Label("k"))
    with pytest.raises(KeyStoreError, match="exists"):
        sealed_files.save(tmp_path / "k", key, KEK, Label("k"))
    assert [item.name for item in tmp_path.iterdir()] == ["k"]
    for label in (Label("x" * 256), Label("x", generation=1 << 31)):
        with pytest.raises(MalformedInput):
            seal(key, KEK, label)
    assert kek.key_check(bytes(32)) != kek.key_check(b"\1" + bytes(31))
