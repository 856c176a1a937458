"""The contract of every key store, with every suite it can hold."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from certs import oids, suites
from certs.errors import (
    DecryptionFailed,
    KeyNotFound,
    KeyStoreError,
    SealroadError,
    UnsupportedAlgorithm,
    WrongPassword,
)
from certs.keys import SCHEMES, KeyHandle, generate_key, open_key
from certs.keys.base import decrypting
from certs.keys.destruction import destroy
from certs.suites import content, transport_rsa
from certs.suites.base import AlgorithmID, WrappedKey
from tests.certs.post import ENCRYPTING
from tests.certs.tokens import TOKEN_SUITES, ask_pin, new_token, with_object
from tests.conftest import ALL_SUITES

pytestmark = pytest.mark.usefixtures("cheap_passwords")


@dataclass(frozen=True)
class Store:
    """A place and how a key in it is named."""

    name: str
    uri: Callable[[Path, str, str], str]
    """Directory, name and suite to URI."""
    suites: tuple[str, ...]


_TOKENS: list[str] = []


def _token(_place: Path, name: str, suite: str) -> str:
    if not _TOKENS:
        _TOKENS.append(new_token())
    label = f"{name}-{suite}-{len(str(_place))}-{_place.name}"
    return with_object(_TOKENS[0], label, "&x-suite=rsa-pss" if suite == "rsa-pss" else "")


STORES = (
    Store("file", lambda place, name, _suite: f"file:{place / name}.key.pem", ALL_SUITES),
    Store("sealed", lambda place, name, _suite: f"sealed:{place / name}.sealed?kek=file:{place}/kek", ALL_SUITES),
    Store("pkcs11", _token, TOKEN_SUITES),
)
CASES = [
    pytest.param(
        store, suite, id=f"{store.name}-{suite}", marks=[pytest.mark.interop] if store.name == "pkcs11" else []
    )
    for store in STORES
    for suite in store.suites
]


def test_every_scheme_has_a_store_here() -> None:
    assert {store.name for store in STORES} == set(SCHEMES)


@pytest.mark.parametrize(("store", "suite"), CASES)
def test_the_contract(store: Store, suite: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    uri = store.uri(tmp_path, "seller", suite)
    parameter = "2048" if suite.startswith("rsa") else None
    # what is not there is not found
    with pytest.raises(KeyNotFound):
        open_key(uri, ask_pin)
    # made once, and a name is never taken over
    made = generate_key(uri, suite, ask_pin, parameter=parameter)
    with pytest.raises(KeyStoreError):
        generate_key(uri, suite, ask_pin, parameter=parameter)
    # opened again it is the same key, of the suite, and signs what everybody can verify
    key = open_key(uri, ask_pin)
    assert isinstance(key, KeyHandle)
    assert (key.suite.name, key.public_key.spki) == (suite, made.public_key.spki)
    public = suites.load_public(key.public_key.spki)
    for message in (b"", b"contract", bytes(70_000)):
        public.verify(key.sign(message), message)
    assert key.public_key.parameter in key.suite.parameters
    # it says nothing of its secret
    words = f"{key!r} {made!r} {key} {caplog.text}"
    assert "5678" not in words
    assert "PRIVATE" not in words
    # and is gone when it is destroyed
    done = destroy(uri, ask_pin)
    assert (done.store, done.suite) == (store.name, suite)
    with pytest.raises(KeyNotFound):
        open_key(uri, ask_pin)


@pytest.mark.parametrize(
    ("store", "suite"),
    [case for case in CASES if case.values[1] in ENCRYPTING],
)
def test_the_contract_of_keys_that_decrypt(store: Store, suite: str, tmp_path: Path) -> None:
    uri = store.uri(tmp_path, "reader", suite)
    made = generate_key(uri, suite, ask_pin, parameter="2048" if suite == "rsa" else None, decrypts=True)
    key = decrypting(open_key(uri, ask_pin))
    # it signs, so that a certificate can be asked for
    made.public_key.verify(key.sign(b"request"), b"request")
    content_key = bytes(range(32))
    wrapped = made.public_key.wrap_key(content_key, content.default(key.suite.family).name)
    if (store.name, suite) == ("pkcs11", "rsa"):  # SoftHSM2 has OAEP with SHA-1 only
        with pytest.raises(UnsupportedAlgorithm, match="does not decrypt by RSA-OAEP with SHA-256"):
            key.unwrap_key(wrapped, 32)
        encrypted = transport_rsa.sample(made.public_key.spki, content_key, transport_rsa.OAEP("sha1", "sha1"))
        wrapped = WrappedKey(AlgorithmID(oids.RSA_OAEP), encrypted)
    assert key.unwrap_key(wrapped, 32) == content_key
    # whatever is wrong is one error that says nothing
    octets = wrapped.encrypted_key
    said = set()
    for broken in (octets[:-1], octets + b"\0", b"", octets[:-1] + bytes((octets[-1] ^ 1,)), bytes(len(octets))):
        with pytest.raises(DecryptionFailed) as caught:
            key.unwrap_key(replace(wrapped, encrypted_key=broken), 32)
        said.add((str(caught.value), caught.value.hint, str(caught.value.facts), caught.value.__cause__))
    assert len(said) == 1
    destroy(uri, ask_pin)


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.name)
def test_a_key_that_could_never_decrypt_is_not_made_for_it(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedAlgorithm, match="encrypted"):
        generate_key(f"{store.name}:token=x;object=y", "ed25519", ask_pin, decrypts=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.name)
def test_names_that_are_none_are_refused(store: Store, tmp_path: Path) -> None:
    for rest in ("", "?", "\0", "?kek=", ";;", "a" * 5000):
        with pytest.raises(SealroadError):
            open_key(f"{store.name}:{rest}", ask_pin)


# No octets of a key anywhere ----------------------------------------------------------------------------------------
def _told(error: BaseException) -> str:
    """Everything that a program prints of an error, and everything an error carries."""
    out = io.StringIO()
    traceback.print_exception(error, file=out)
    parts: list[object] = [out.getvalue(), repr(error)]
    while error is not None:
        parts += [error.args, getattr(error, "facts", None), getattr(error, "hint", None)]
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return " ".join(map(repr, parts))


def _leaks(text: str, secret: bytes, public: bytes = b"") -> bool:
    """Tell whether 8 octets in a row of a secret stand in `text`, in one of the ways people print octets.

    What is `public` may stand there: PKCS#8 of an EC key holds its point, too.
    """
    from base64 import b64encode

    for start in range(0, len(secret) - 8, 4):
        part = secret[start : start + 8]
        if part in public:
            continue
        forms = (part.hex(), part.hex().upper(), part.hex(":"), repr(part)[2:-1], b64encode(part).decode()[:9])
        forms += (", ".join(map(str, part)), str(int.from_bytes(part, "big")))
        if any(form in text for form in forms if len(form) > 7):
            return True
    return False


def test_the_search_for_leaks_finds_them() -> None:
    secret = bytes(range(60, 100))
    for text in (secret.hex(), repr(secret), str(list(secret)), secret[8:16].hex().upper()):
        assert _leaks(text, secret)
    assert not _leaks("nothing", secret)


def test_no_octets_of_a_key_in_reprs_errors_tracebacks_and_logs(
    suite_name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from certs.keys import envelope, file, sealed_files
    from certs.keys.kek import KeyProvider
    from tests.conftest import keys_of

    caplog.set_level(logging.DEBUG)
    key = keys_of(suite_name)[1]
    pkcs8 = key.pkcs8()
    tail = pkcs8[-max(24, len(pkcs8) // 2) :]  # the head is an algorithm identifier, which is public
    public = key.public_key.spki
    kek = KeyProvider(bytes(range(1, 33)))
    data = envelope.seal(key, kek, envelope.Label("seller"))
    sealed = sealed_files.SealedKey(envelope.parse(data), kek)
    sealed.sign(b"x")
    right, wrong = (f"{word} horse {len(word)} battery".encode() for word in ("correct", "wrong"))
    file.save(tmp_path / "k", key, right)
    told = [repr(item) for item in (key, sealed, kek, vars(sealed), envelope.parse(data))]
    told += [str(key), f"{key}", str(vars(key))]

    def fails(action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:
            told.append(_told(error))
        else:
            pytest.fail("was to fail")

    def broken(*_args: object, **_kwargs: object) -> bytes:
        raise RuntimeError("library")

    fails(lambda: file.load(tmp_path / "k", wrong))
    fails(lambda: file.save(tmp_path / "k", key, None))
    fails(lambda: file.save(tmp_path / "none" / "k", key, None))
    fails(lambda: suites.load_private(pkcs8[:-1]))
    fails(lambda: suites.load_private(pkcs8 + b"\0"))
    fails(lambda: suites.load_private(pkcs8, "ed448" if suite_name != "ed448" else "sm2"))
    fails(lambda: file.parse(pkcs8[: len(pkcs8) - 2]))
    fails(lambda: envelope.unseal(envelope.parse(data), KeyProvider(bytes(32))))
    monkeypatch.setattr(suites, "load_private", broken)
    fails(lambda: envelope.unseal(envelope.parse(data), kek))
    text = " ".join((*told, caplog.text))
    assert not _leaks(text, tail, public)
    assert not any(_leaks(text, word) for word in (right, wrong))
    assert not _leaks(text, bytes(range(1, 33)))


def test_a_wrong_pin_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(WrongPassword) as caught:
        generate_key(f"sealed:{tmp_path}/k", "ed25519", lambda _name: b"")
    assert "passphrase" in str(caught.value)
