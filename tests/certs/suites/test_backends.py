"""The libraries behind SM2 and GOST: chosen in order, refused where they fail a vector, agreeing with one another.

RFC 6986 10, RFC 7091 7.1 and GB/T 32918.5-2017 annex A are in the self-tests; here libraries are made to lie.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from certs import der, suites
from certs.errors import BackendFault, BackendUnavailable, BadKey, BadSignature
from certs.suites import backends
from certs.suites.base import Library, Use
from certs.suites.gost_parameters import BY_NAME, SETS
from tests.certs.suites.libraries import GOST, SM2, in_a_process, installed

CLASSES = {
    "libcrypto_sm2": "LibCryptoSM2",
    "gmssl": "GmSSL",
    "gost_engine": "GOSTEngine",
    "gnutls": "GnuTLS",
    "gostcrypto": "GOSTCrypto",
}
LAST_RESORT = ("gmssl", "gostcrypto")
MESSAGE = b"contract"


@pytest.fixture
def fresh() -> Iterator[None]:
    """Start and end with nothing loaded, and with no key of one library kept for the next."""
    kept = dict(backends._loaded)
    backends.reset()
    suites.load_public.cache_clear()
    yield
    suites.load_public.cache_clear()
    backends.reset()
    backends._loaded.update(kept)


def only(*modules: str) -> None:
    """Leave these libraries only; after `fresh`."""
    for name in (*SM2, *GOST):
        if name in modules:
            installed(name)
        else:
            backends._loaded[name] = BackendUnavailable(f"{name} is taken away")


# Self-tests ----------------------------------------------------------------------------------------------------------
def lie(method: str) -> Callable[..., Any]:
    return {
        "says yes": lambda *_: True,
        "says no": lambda *_: False,
        "signs zeros": lambda self, key, data: bytes(128 if len(data) == 64 else 64),
        "cannot sign": raising(BackendFault("no entropy")),
        "knows no key": raising(BadKey("no")),
        "hashes wrongly": lambda self, name: suites.new_digest("sha512" if "512" in name else "sha256"),
        "decrypts everything": lambda self, key, ciphertext: b"encryption standard",
        "decrypts nothing": lambda *_: None,
        "digests wrongly": lambda self, name, data: bytes(64 if "512" in name else 32),
    }[method]


def raising(error: Exception) -> Callable[..., Any]:
    def act(*_: object) -> None:
        raise error

    return act


LIES = {"says yes": "verify", "says no": "verify", "knows no key": "load_public"}
SIGNING_LIES = {"signs zeros": "sign", "cannot sign": "sign"}
DECRYPTING_LIES = {"decrypts everything": "decrypt", "decrypts nothing": "decrypt"}
HASHING_LIES = {"hashes wrongly": "new_digest", "digests wrongly": "digest"}
CASES = [
    (module, words, method)
    for module in CLASSES
    for words, method in (
        LIES | (SIGNING_LIES if module != "gostcrypto" else {}) | (HASHING_LIES if module in GOST else DECRYPTING_LIES)
    ).items()
]


@pytest.mark.parametrize(("module", "words", "method"), CASES)
def test_a_library_that_lies_is_not_used(monkeypatch: pytest.MonkeyPatch, module: str, words: str, method: str) -> None:
    installed(module)
    code = import_module(f"certs.suites.backends.{module}")
    monkeypatch.setattr(getattr(code, CLASSES[module]), method, lie(words))
    with pytest.raises(BackendUnavailable):
        code.load()


@pytest.mark.parametrize("module", CLASSES)
def test_a_library_can_be_loaded_again(module: str) -> None:
    installed(module)
    again = import_module(f"certs.suites.backends.{module}").load()
    assert again.library == installed(module).library


@pytest.mark.parametrize("module", CLASSES)
def test_a_library_says_its_name_version_and_vectors(module: str) -> None:
    library = installed(module).library
    assert isinstance(library, Library)
    assert library.name
    assert library.version[-1].isalnum()
    assert any(standard in library.self_test for standard in ("GB/T 32918.5", "RFC 6986"))
    assert (library.warning is not None) == (module in LAST_RESORT)


# Choice --------------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("fresh")
def test_the_best_library_is_chosen_and_no_other_loaded() -> None:
    installed("libcrypto_sm2"), installed("gost_engine")
    backends.reset()
    assert backends.sm2().library.name == "libcrypto"
    for chosen in SETS:
        assert backends.gost(chosen.name, sign=True).library.name == "gost-engine"
    assert set(backends._loaded) == {"libcrypto_sm2", "gost_engine"}


@pytest.mark.usefixtures("fresh")
def test_one_that_fails_gives_way_to_the_next_and_the_reason_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    installed("gnutls")
    backends.reset()
    from certs.suites.backends import gost_engine, libcrypto_sm2

    monkeypatch.setattr(libcrypto_sm2, "load", raising(BackendUnavailable("failed RFC X")))
    monkeypatch.setattr(gost_engine, "load", raising(BackendUnavailable("failed RFC Y")))
    assert backends.gost("CryptoPro-A").library.name == "GnuTLS"
    tried = backends.tried()
    assert (tried["libcrypto_sm2"], tried["gost_engine"], tried["gnutls"]) == ("failed RFC X", "failed RFC Y", "works")
    assert set(tried) == {*SM2, *GOST}


@pytest.mark.usefixtures("fresh")
def test_a_last_resort_is_not_loaded_while_there_is_better() -> None:
    installed("libcrypto_sm2"), installed("gost_engine")
    tried = backends.tried()
    assert [tried[name] for name in LAST_RESORT] == ["not needed"] * 2
    assert not set(LAST_RESORT) & set(backends._loaded)


@pytest.mark.usefixtures("fresh")
def test_with_nothing_there_everybody_is_told_what_was_tried() -> None:
    only()
    for ask in (
        backends.sm2,
        lambda: backends.gost("CryptoPro-A"),
        lambda: backends.gost_digests("streebog256"),
        lambda: suites.get("sm2").generate(),
        lambda: suites.get("gost2012-512").library(),
        lambda: suites.digest("gost94", b""),
    ):
        with pytest.raises(BackendUnavailable) as caught:
            ask()
        assert all(reason.endswith("is taken away") for reason in caught.value.facts["tried"].values())
        assert len(caught.value.facts["tried"]) in (2, 3)
    assert not {"sm2", "gost2012-256", "gost2012-512"} & set(suites.names())
    assert "ed25519" in suites.names()


@pytest.mark.usefixtures("fresh")
def test_gmssl_is_a_last_resort_that_says_so_and_does_the_whole_suite() -> None:
    only("gmssl")
    with pytest.warns(backends.LastResortWarning, match="gmssl_pyx"):
        backends.sm2()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", backends.LastResortWarning)
        key = suites.get("sm2").generate()
        again = suites.load_private(key.pkcs8())
        value = again.sign(MESSAGE)
        algorithm, point = der.split_spki(key.public_key.spki)
        compressed = der.subject_public_key_info(algorithm, bytes((2 + point[-1] % 2,)) + point[1:33])
        for spki in (key.public_key.spki, compressed):
            assert suites.verify(spki, suites.get("sm2").signature_algorithm(Use.X509).der(), value, MESSAGE) == "sm2"
        with pytest.raises(BadSignature):
            key.public_key.verify(value, MESSAGE + b".")
        for bad in (point[:-1] + bytes((point[-1] ^ 1,)), b"\x02" + bytes(31) + b"\x04"):
            with pytest.raises(BadKey):
                suites.load_public(der.subject_public_key_info(algorithm, bad))


@pytest.mark.usefixtures("fresh")
def test_gostcrypto_verifies_loudly_and_gets_no_private_key() -> None:
    signer = installed("gost_engine")
    key = signer.generate("TC26-256-C")
    value = signer.sign(key, suites.digest("streebog256", MESSAGE))
    spki, pkcs8 = signer.spki(key), signer.pkcs8(key)
    only("gostcrypto")
    with pytest.warns(backends.LastResortWarning, match="gostcrypto"):
        suites.load_public(spki).verify(value, MESSAGE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", backends.LastResortWarning)
        with pytest.raises(BadSignature):
            suites.load_public(spki).verify(value, MESSAGE + b".")
        for act in (lambda: suites.load_private(pkcs8), lambda: suites.get("gost2012-256").generate()):
            with pytest.raises(BackendUnavailable):
                act()
    for call in ("generate", "load_private", "spki", "pkcs8"):
        with pytest.raises(BackendUnavailable):
            getattr(installed("gostcrypto"), call)(b"")
    with pytest.raises(BackendUnavailable):
        installed("gostcrypto").sign(b"", b"")


@pytest.mark.usefixtures("fresh")
def test_gnutls_alone_does_the_curves_of_nearly_every_certificate_and_no_other() -> None:
    only("gnutls")
    for name, parameter in (("gost2012-256", "CryptoPro-A"), ("gost2012-256", "XchA"), ("gost2012-512", "TC26-512-A")):
        key = suites.get(name).generate(parameter)
        again = suites.load_private(key.pkcs8())
        assert again.public_key.spki == key.public_key.spki
        suites.load_public(key.public_key.spki).verify(again.sign(MESSAGE), MESSAGE)
        short = BY_NAME[parameter]  # d = 1 and x = 1 or 3: mostly zeros, which the library leaves out
        pkcs8 = der.private_key_info(short.key_algorithm(), b"\x01" + bytes(short.curve.size - 1))
        again = suites.load_private(pkcs8)
        assert again.pkcs8() == pkcs8
        suites.load_public(again.public_key.spki).verify(again.sign(MESSAGE), MESSAGE)
    for name, parameter in (("gost2012-256", "TC26-256-A"), ("gost2012-512", "TC26-512-C")):
        with pytest.raises(BackendUnavailable):
            suites.get(name).generate(parameter)
    assert {"gost2012-256", "gost2012-512"} < set(suites.names())  # the defaults are among them


# Libraries that are not there --------------------------------------------------------------------------------------
def test_a_libcrypto_that_is_not_there_is_said_to_be_missing() -> None:
    code = """
from certs.errors import BackendUnavailable
from certs.suites import backends
from certs.suites.backends import libcrypto
try:
    libcrypto.load()
except BackendUnavailable as error:
    print(error)
tried = backends.tried()
print(tried["libcrypto_sm2"] == tried["gost_engine"] != "works")
"""
    first, second = in_a_process(code, SEALROAD_LIBCRYPTO="/nonexistent/libcrypto.so.3").splitlines()
    assert "/nonexistent/libcrypto.so.3" in first
    assert second == "True"


def test_an_engine_that_is_not_there_is_said_to_be_missing() -> None:
    code = "from certs.suites import backends; print(backends.tried()['gost_engine'])"
    assert "not installed" in in_a_process(code, SEALROAD_GOST_ENGINE="/nonexistent/gost.so")


def test_a_file_that_is_no_engine_is_not_loaded(tmp_path: Any) -> None:
    path = tmp_path / "gost.so"
    path.write_bytes(b"no library")
    code = "from certs.suites import backends; print(backends.tried()['gost_engine'])"
    assert "could not be loaded" in in_a_process(code, SEALROAD_GOST_ENGINE=str(path))


def test_names_of_parameter_sets_are_known_to_the_suites() -> None:
    for module in GOST:
        assert installed(module).parameters <= set(BY_NAME)
