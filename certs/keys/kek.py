"""Key-encryption keys: what wraps the data keys of `certs.keys.envelope`, and where it comes from.

    provider = open_provider("file:/etc/sealroad/kek")           # 64 hexadecimal digits, mode 0600
    provider = open_provider("env:SEALROAD_KEK")
    provider = open_provider("passphrase", secrets)              # scrypt;  "passphrase:argon2id"
    provider = open_provider("pkcs11:token=ca;object=kek?module-path=…", secrets)     # an AES key in a token

    blob = provider.wrap(data_key, about)
    provider.unwrap(blob, about)                                 # bytearray; WrongPassword, KeyStoreError

A service like a KMS is one more class with `kind`, `id`, `wrap` and `unwrap` (see `Provider`), given to the functions
of the envelope as it is.
"""

from __future__ import annotations

import os
import secrets as random
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from certs import der
from certs.errors import BackendUnavailable, KeyNotFound, KeyStoreError, MalformedInput, WrongPassword
from certs.hardening import wipe
from certs.keys.base import Secrets, no_secrets

SIZE = 32
"""Octets of a key-encryption key and of a data key: AES-256."""
NONCE, TAG = 12, 16
SCRYPT = {"n": 1 << 17, "r": 8, "p": 1}
"""OWASP password storage, 2023: 128 MiB."""
ARGON2ID = {"n": 3, "r": 1 << 16, "p": 4}
"""Passes, KiB of memory, lanes: RFC 9106 4, second recommended option (64 MiB)."""
MAX_MEMORY = 1 << 30
"""Octets that a stranger's file may make a derivation use."""


@runtime_checkable
class Provider(Protocol):
    """A key-encryption key somewhere: a file, a token, a service."""

    @property
    def kind(self) -> str:
        """The word that stands in the sealed file: "file", "env", "passphrase", "pkcs11", "kms-…"."""
        ...

    @property
    def id(self) -> bytes:
        """Which key it is, in at most 64 octets; nothing secret."""
        ...

    def wrap(self, data_key: bytes | bytearray, about: bytes) -> bytes:
        """Encrypt a data key, bound to `about`."""
        ...

    def unwrap(self, blob: bytes, about: bytes) -> bytearray:
        """Decrypt what `wrap` returned. Raises KeyStoreError, WrongPassword."""
        ...


class KeyProvider:
    """A key-encryption key in this process, from a file or the environment."""

    def __init__(self, key: bytes | bytearray, kind: str = "file") -> None:
        if len(key) != SIZE:
            raise KeyStoreError(f"the key-encryption key is not {SIZE} octets long")
        self._key = bytearray(key)
        self.kind = kind
        self.id = key_check(key)

    def __repr__(self) -> str:
        return f"<KeyProvider {self.kind} {self.id.hex()}>"

    def wrap(self, data_key: bytes | bytearray, about: bytes) -> bytes:
        """Return nonce ‖ ciphertext ‖ tag (AES-256-GCM, NIST SP 800-38D)."""
        nonce = random.token_bytes(NONCE)
        return nonce + AESGCM(self._key).encrypt(nonce, bytes(data_key), about)

    def unwrap(self, blob: bytes, about: bytes) -> bytearray:
        """Return the data key. Raises KeyStoreError where another key wrapped it or anything was changed."""
        return _open(self._key, blob, about)

    def secret(self) -> bytearray:
        """Return the key itself, for splitting into shares."""
        return bytearray(self._key)

    def close(self) -> None:
        """Wipe the key."""
        wipe(self._key)


def key_check(key: bytes | bytearray) -> bytes:
    """Return eight octets that name a key-encryption key and tell nothing of it."""
    digest = Hash(SHA256())
    digest.update(b"sealroad kek " + bytes(key))
    return digest.finalize()[:8]


def _open(key: bytes | bytearray, blob: bytes, about: bytes) -> bytearray:
    if len(blob) != NONCE + SIZE + TAG:
        raise MalformedInput("the wrapped key has a wrong length")
    try:
        return bytearray(AESGCM(key).decrypt(blob[:NONCE], blob[NONCE:], about))
    except InvalidTag as error:
        raise KeyStoreError("the sealed key was changed, or belongs to something else") from error


class PassphraseProvider:
    """A key derived from a passphrase, anew for each file, with a salt of its own.

    The blob is DER: SEQUENCE { function UTF8String, salt OCTET STRING, n INTEGER, r INTEGER, p INTEGER, wrapped OCTET
    STRING }; n, r, p are those of scrypt, or passes, KiB and lanes of Argon2id.
    """

    kind = "passphrase"
    id = b""

    def __init__(self, secrets: Secrets, name: str, function: Literal["scrypt", "argon2id"] = "scrypt") -> None:
        self._secrets, self._name, self._function = secrets, name, function

    def wrap(self, data_key: bytes | bytearray, about: bytes) -> bytes:
        """Derive a key and encrypt. Raises WrongPassword for an empty passphrase."""
        passphrase = self._secrets(f"passphrase for {self._name}")
        if not passphrase:
            raise WrongPassword("an empty passphrase protects nothing")
        salt = random.token_bytes(16)
        costs = SCRYPT if self._function == "scrypt" else ARGON2ID
        key = _derive(self._function, passphrase, salt, costs["n"], costs["r"], costs["p"])
        inner = KeyProvider(key, self.kind)
        try:
            return der.sequence(
                der.tlv(0x0C, self._function.encode()),
                der.octet_string(salt),
                *(der.integer(costs[name]) for name in ("n", "r", "p")),
                der.octet_string(inner.wrap(data_key, about)),
            )
        finally:
            wipe(key)
            inner.close()

    def unwrap(self, blob: bytes, about: bytes) -> bytearray:
        """Derive the key as the blob says, within bounds, and decrypt. Raises WrongPassword."""
        reader = der.Reader(blob)
        body = reader.enter()
        reader.end()
        function, salt = body.value(0x0C).decode("latin-1"), body.value(der.OCTET_STRING)
        n, r, p = body.integer(), body.integer(), body.integer()
        wrapped = body.value(der.OCTET_STRING)
        body.end()
        _check_costs(function, n, r, p)
        if len(wrapped) != NONCE + SIZE + TAG or not 8 <= len(salt) <= 64:
            raise MalformedInput("the wrapped key has a wrong length")
        key = _derive(function, self._secrets(f"passphrase for {self._name}"), salt, n, r, p)
        try:
            return _open(key, wrapped, about)
        except KeyStoreError as error:
            raise WrongPassword("the passphrase does not open the key") from error
        finally:
            wipe(key)


def _check_costs(function: str, n: int, r: int, p: int) -> None:
    if function == "scrypt":
        good = n >= 2 and not n & (n - 1) and 0 < r <= 1024 and 0 < p <= 16 and 128 * n * r <= MAX_MEMORY
    elif function == "argon2id":
        good = 0 < n <= 64 and 0 < p <= 64 and 8 * p <= r <= MAX_MEMORY >> 10 and n * r <= 1 << 23
    else:
        raise MalformedInput("the key was derived by a function that is not known here")
    if not good:
        raise MalformedInput(f"{function} parameters out of bounds")


def _derive(function: str, passphrase: bytes, salt: bytes, n: int, r: int, p: int) -> bytearray:
    try:
        if function == "scrypt":
            return bytearray(Scrypt(salt=salt, length=SIZE, n=n, r=r, p=p).derive(passphrase))
        argon2 = Argon2id(salt=salt, length=SIZE, iterations=n, lanes=p, memory_cost=r)
        return bytearray(argon2.derive(passphrase))
    except (ValueError, MemoryError) as error:
        raise MalformedInput(f"{function} parameters out of bounds") from error
    except UnsupportedAlgorithm as error:
        raise BackendUnavailable(f"{function} is not in this build of cryptography") from error


class TokenProvider:
    """An AES key in a token or HSM: AES-256-GCM there, the nonce from here."""

    kind = "pkcs11"

    def __init__(self, uri: str, secrets: Secrets) -> None:
        from certs.keys.pkcs11_token import connect
        from certs.keys.pkcs11_uri import parse

        self._uri = parse(uri)
        if self._uri.object is None and self._uri.id is None:
            raise KeyNotFound("the PKCS#11 URI names no key", hint="add object=LABEL")
        self._connection = connect(self._uri, secrets)
        self.id = self._connection.run(self._key_id)

    def __repr__(self) -> str:
        return f"<TokenProvider {self._uri.name}, {self._uri.place}>"

    def _key(self, session: Any) -> Any:
        from certs.keys.pkcs11 import _find
        from certs.keys.pkcs11_token import library

        found = _find(session, self._uri, "SECRET_KEY")
        if len(found) != 1:
            many = "several" if found else "no"
            raise KeyNotFound(f"the {self._uri.place} has {many} secret keys called {self._uri.object!r}")
        if int(found[0][library().Attribute.KEY_TYPE]) != 0x1F:
            raise KeyStoreError(f"the secret {self._uri.name} is not for AES")
        return found[0]

    def _key_id(self, session: Any) -> bytes:
        from certs.keys.pkcs11_token import library

        key = self._key(session)
        return bytes(key[library().Attribute.ID])[:64] or (self._uri.object or "").encode()[:64]

    def wrap(self, data_key: bytes | bytearray, about: bytes) -> bytes:
        """Return nonce ‖ ciphertext ‖ tag, computed in the token."""
        nonce = random.token_bytes(NONCE)
        return nonce + self._gcm("encrypt", nonce, bytes(data_key), about)

    def unwrap(self, blob: bytes, about: bytes) -> bytearray:
        """Return the data key, decrypted in the token. Raises KeyStoreError."""
        if len(blob) != NONCE + SIZE + TAG:
            raise MalformedInput("the wrapped key has a wrong length")
        try:
            return bytearray(self._gcm("decrypt", blob[:NONCE], blob[NONCE:], about))
        except (KeyNotFound, WrongPassword):
            raise
        except Exception as error:
            # modules give a wrong tag many names (SoftHSM2: GeneralError); the key itself was found
            raise KeyStoreError(
                "the token does not open the sealed key: it was changed, or belongs to something else"
            ) from error

    def _gcm(self, what: str, nonce: bytes, data: bytes, about: bytes) -> bytes:
        from certs.keys.pkcs11_token import library

        pkcs11 = library()

        def act(session: Any) -> bytes:
            parameters = pkcs11.GCMParams(nonce=nonce, aad=about, tag_bits=8 * TAG)
            method = getattr(self._key(session), what)
            return bytes(method(data, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=parameters))

        return self._connection.run(act)


def make_token_kek(uri: str, secrets: Secrets) -> TokenProvider:
    """Make an AES-256 key in a token, never to leave it. Raises KeyStoreError where the name is taken."""
    from certs.keys.pkcs11 import _find
    from certs.keys.pkcs11_token import connect, library
    from certs.keys.pkcs11_uri import parse

    where, pkcs11 = parse(uri), library()
    if where.object is None:
        raise KeyNotFound("a new key needs a name", hint="add object=LABEL to the URI")
    connection = connect(where, secrets)
    if connection.run(lambda session: _find(session, where, "SECRET_KEY")):
        raise KeyStoreError(f"the {where.place} has a {where.name} already", hint="choose another name")
    attribute = pkcs11.Attribute
    connection.run(
        lambda session: session.generate_key(
            pkcs11.KeyType.AES,
            8 * SIZE,
            id=where.id or random.token_bytes(8),
            label=where.object,
            store=True,
            capabilities=pkcs11.MechanismFlag.ENCRYPT | pkcs11.MechanismFlag.DECRYPT,
            template={attribute.SENSITIVE: True, attribute.EXTRACTABLE: False, attribute.PRIVATE: True},
        ),
        again=False,
    )
    return TokenProvider(uri, secrets)


# Where keys come from -----------------------------------------------------------------------------------------------
def read_key_file(path: str | Path, *, make: bool = False) -> bytearray:
    """Return the key in a file of 64 hexadecimal digits and mode 0600; with `make`, make it where there is none.

    Raises KeyNotFound, KeyStoreError (readable by others, no key).
    """
    place = Path(path)
    if make:
        _make_file(place)
    try:
        if place.stat().st_mode & 0o077:
            raise KeyStoreError(f"the key file {place} is open to others", hint=f"chmod 600 {place}")
        with place.open("rb") as stream:
            text = stream.read(4096)
    except OSError as error:
        raise KeyNotFound(f"the key file {place} cannot be read: {error.strerror}") from error
    return _from_hex(text, f"the key file {place}")


def _make_file(place: Path) -> None:
    from certs import files

    if place.exists():
        return
    try:
        files.write(place, random.token_hex(SIZE).encode() + b"\n", mode=0o600, replace=False)
    except FileExistsError:
        return  # another process made it
    except OSError as error:
        raise KeyStoreError(f"the key file {place} cannot be made: {error.strerror}") from error


def _from_hex(text: bytes, name: str) -> bytearray:
    try:
        key = bytearray.fromhex(text.strip().decode("ascii"))
    except ValueError:
        raise KeyStoreError(f"{name} holds no key: {2 * SIZE} hexadecimal digits belong there") from None
    if len(key) != SIZE:
        raise KeyStoreError(f"{name} holds no key of {SIZE} octets")
    return key


def open_provider(text: str, secrets: Secrets = no_secrets, *, name: str = "the key", make: bool = False) -> Provider:
    """Return the provider that "file:PATH", "env:NAME", "passphrase[:argon2id]" or "pkcs11:…" names.

    `make` makes a missing file, or a missing key in a token. Raises KeyNotFound, KeyStoreError, WrongPassword.
    """
    kind, _, rest = text.partition(":")
    if kind == "file":
        return KeyProvider(read_key_file(rest, make=make), "file")
    if kind == "env":
        value = os.environ.get(rest)
        if value is None:
            raise KeyNotFound(f"the environment has no {rest}", hint="it holds 64 hexadecimal digits")
        return KeyProvider(_from_hex(value.encode(), f"the variable {rest}"), "env")
    if text in ("passphrase", "passphrase:scrypt", "passphrase:argon2id"):
        return PassphraseProvider(secrets, name, "argon2id" if rest == "argon2id" else "scrypt")
    if kind == "pkcs11":
        try:
            return TokenProvider(text, secrets)
        except KeyNotFound:
            if not make:
                raise
            return make_token_kek(text, secrets)
    raise KeyNotFound(
        f"no key-encryption key is called {kind!r}", hint="known: file:PATH, env:NAME, passphrase, pkcs11:…"
    )
