"""Private keys at rest: each under a data key of its own, the data key under a key-encryption key.

    provider = open_provider("file:/etc/sealroad/kek")                              # see certs.keys.kek
    data = seal(key, provider, Label("seller", purpose="sign"))
    key = unseal(parse(data), provider)
    moved = rewrapped(parse(data), old, new)                                        # the key itself is not touched
    data = seal_secret(octets, provider, Label("root", purpose="derive"))           # what is no key pair

`certs.keys.sealed_files` keeps them in files, `api.vault` in the database of the service.

A sealed key is DER, so that it says itself what it is and where each octet belongs:

    SealedKey ::= SEQUENCE {
        magic       OCTET STRING,           -- "SRK1": 04 04 53 52 4B 31
        label       Label,
        wrap        SEQUENCE {
            provider    UTF8String,         -- "file", "env", "passphrase", "pkcs11", …: where to look for the KEK
            kek         OCTET STRING,       -- which KEK; empty for a passphrase (its blob: certs.keys.kek)
            blob        OCTET STRING },     -- the data key: nonce (12) ‖ ciphertext (32) ‖ tag (16)
        nonce       OCTET STRING,           -- 12 octets
        secret      OCTET STRING }          -- PrivateKeyInfo (or octets) under the data key, AES-256-GCM, tag (16) last
    Label ::= SEQUENCE {
        keyId       UTF8String,
        suite       UTF8String,             -- empty for a secret that is no key pair; publicKey is then empty too
        purpose     UTF8String,
        generation  INTEGER,                -- which key of that name it is: 1, after a rollover 2, …
        publicKey   OCTET STRING }          -- SubjectPublicKeyInfo

Associated data of `secret` is "sealroad key 1" ‖ DER of Label; of `blob` it is "sealroad wrap 1" ‖ DER of SEQUENCE {
label, provider, kek }. So a file copied over another, an older generation renamed, or a changed word does not open.
Both nonces are random (NIST SP 800-38D 8.2.2): a data key encrypts once, a KEK far fewer than 2^32 times.
"""

from __future__ import annotations

import secrets as random
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from certs import der, suites
from certs.errors import BadKey, KeyStoreError, MalformedInput, WrongPassword
from certs.hardening import wipe
from certs.keys.kek import NONCE, SIZE, TAG, Provider
from certs.suites.base import PrivateKey

MAGIC = b"SRK1"
MAX_SIZE = 1 << 17
MAX_WORD = 255
_UTF8 = 0x0C


@dataclass(frozen=True)
class Label:
    """What a sealed key is; bound to it by associated data."""

    key_id: str
    """The name its owner gives it."""
    suite: str = ""
    """Filled in when a key is sealed."""
    purpose: str = "sign"
    generation: int = 1
    public_key: bytes = b""
    """SubjectPublicKeyInfo; filled in when a key is sealed."""

    def der(self) -> bytes:
        """Return the DER."""
        for word in (self.key_id, self.suite, self.purpose):
            if len(word.encode()) > MAX_WORD:
                raise MalformedInput(f"the label of a sealed key has a word of more than {MAX_WORD} octets")
        if not 0 <= self.generation < 1 << 31:
            raise MalformedInput("the label of a sealed key has an impossible generation")
        words = (der.tlv(_UTF8, word.encode()) for word in (self.key_id, self.suite, self.purpose))
        return der.sequence(*words, der.integer(self.generation), der.octet_string(self.public_key))


@dataclass(frozen=True)
class Sealed:
    """A sealed key, read and not opened."""

    label: Label
    provider: str
    kek: bytes
    blob: bytes
    nonce: bytes
    secret: bytes

    def der(self) -> bytes:
        """Return the octets of the file."""
        wrapped = der.sequence(
            der.tlv(_UTF8, self.provider.encode()), der.octet_string(self.kek), der.octet_string(self.blob)
        )
        return der.sequence(
            *(der.octet_string(MAGIC), self.label.der(), wrapped),
            *(der.octet_string(self.nonce), der.octet_string(self.secret)),
        )


def parse(data: bytes) -> Sealed:
    """Read a sealed key. Raises MalformedInput."""
    if len(data) > MAX_SIZE:
        raise MalformedInput("too large for a sealed key")
    body = der.members(data)
    if body.value(der.OCTET_STRING) != MAGIC:
        raise MalformedInput("not a sealed key, or one of a later version")
    label = body.enter()
    words = [_word(label) for _ in range(3)]
    generation, public = label.integer(), label.value(der.OCTET_STRING)
    label.end()
    wrapped = body.enter()
    provider, kek, blob = _word(wrapped), wrapped.value(der.OCTET_STRING), wrapped.value(der.OCTET_STRING)
    wrapped.end()
    nonce, secret = body.value(der.OCTET_STRING), body.value(der.OCTET_STRING)
    body.end()
    if len(nonce) != NONCE or len(secret) < TAG or len(kek) > 64:
        raise MalformedInput("the sealed key has a member of a wrong length")
    sealed = Sealed(Label(words[0], words[1], words[2], generation, public), provider, kek, blob, nonce, secret)
    if sealed.der() != data:
        raise MalformedInput("the sealed key is not in the one form it may have")
    return sealed


def _word(reader: der.Reader) -> str:
    try:
        return reader.value(_UTF8).decode()
    except UnicodeDecodeError as error:
        raise MalformedInput("the sealed key has a word that is not UTF-8") from error


def seal(key: PrivateKey, provider: Provider, label: Label) -> bytes:
    """Return the sealed form of `key`; suite and public key of the label are filled in. Raises KeyStoreError."""
    pkcs8 = bytearray(key.pkcs8())
    try:
        return _sealed(pkcs8, provider, replace(label, suite=key.suite.name, public_key=key.public_key.spki))
    finally:
        wipe(pkcs8)


def seal_secret(secret: bytes | bytearray, provider: Provider, label: Label) -> bytes:
    """Return the sealed form of octets that are no key pair. Raises KeyStoreError."""
    return _sealed(secret, provider, replace(label, suite="", public_key=b""))


def _sealed(secret: bytes | bytearray, provider: Provider, label: Label) -> bytes:
    data_key = bytearray(random.token_bytes(SIZE))
    nonce = random.token_bytes(NONCE)
    try:
        encrypted = AESGCM(data_key).encrypt(nonce, secret, _about_secret(label))
        return _wrapped(Sealed(label, "", b"", b"", nonce, encrypted), provider, data_key).der()
    finally:
        wipe(data_key)


def _about_secret(label: Label) -> bytes:
    return b"sealroad key 1" + label.der()


def _about_wrap(label: Label, provider: str, kek: bytes) -> bytes:
    return b"sealroad wrap 1" + der.sequence(label.der(), der.tlv(_UTF8, provider.encode()), der.octet_string(kek))


def _wrapped(sealed: Sealed, provider: Provider, data_key: bytearray) -> Sealed:
    blob = provider.wrap(data_key, _about_wrap(sealed.label, provider.kind, provider.id))
    return replace(sealed, provider=provider.kind, kek=provider.id, blob=blob)


def _data_key(sealed: Sealed, provider: Provider) -> bytearray:
    if not provider_fits(sealed, provider):
        raise KeyStoreError(
            f"the sealed key {sealed.label.key_id!r} is under another key-encryption key",
            hint=f"it asks for {sealed.provider} {sealed.kek.hex()}".rstrip(),
        )
    return provider.unwrap(sealed.blob, _about_wrap(sealed.label, sealed.provider, sealed.kek))


def provider_fits(sealed: Sealed, provider: Provider) -> bool:
    """Tell whether `provider` is what the file names. A key in a file may since have moved to the environment."""
    movable = {"file", "env"}
    same = sealed.provider == provider.kind or {sealed.provider, provider.kind} <= movable
    return same and sealed.kek == provider.id


def unseal(sealed: Sealed, provider: Provider) -> PrivateKey:
    """Open a sealed key. Raises KeyStoreError, WrongPassword, BadKey."""
    if not sealed.label.suite:
        raise KeyStoreError("what is sealed is a secret, not a key pair")
    pkcs8 = _opened(sealed, provider)
    try:
        key = suites.load_private(bytes(pkcs8), sealed.label.suite, sealed=True)  # AES-GCM says that it is what it was
    finally:
        wipe(pkcs8)
    if key.public_key.spki != sealed.label.public_key:
        raise BadKey("the sealed private key does not belong to its public key")
    return key


def unseal_secret(sealed: Sealed, provider: Provider) -> bytearray:
    """Open what `seal_secret` sealed. Raises KeyStoreError, WrongPassword."""
    if sealed.label.suite:
        raise KeyStoreError("what is sealed is a key pair, not a secret")
    return _opened(sealed, provider)


def _opened(sealed: Sealed, provider: Provider) -> bytearray:
    data_key = _data_key(sealed, provider)
    try:
        return bytearray(AESGCM(data_key).decrypt(sealed.nonce, sealed.secret, _about_secret(sealed.label)))
    except (InvalidTag, ValueError) as error:
        raise KeyStoreError("the sealed key was changed, or belongs to something else") from error
    finally:
        wipe(data_key)


def rewrapped(sealed: Sealed, old: Provider, new: Provider) -> Sealed | None:
    """Return `sealed` with its data key under another key-encryption key; None where it is under `new` already.

    The new wrap is opened once before it is returned. Raises KeyStoreError, WrongPassword, KeyNotFound, MalformedInput.
    """
    if (new.id and provider_fits(sealed, new)) or _is_under_passphrase(sealed, new):
        return None
    data_key = _data_key(sealed, old)
    try:
        made = _wrapped(sealed, new, data_key)
        check = _data_key(made, new)
        same = check == data_key
        wipe(check)
        if not same:
            raise KeyStoreError("the new key-encryption key does not give back what it was given")
    finally:
        wipe(data_key)
    return made


def _is_under_passphrase(sealed: Sealed, new: Provider) -> bool:
    """Tell whether a file is under the new passphrase already: passphrases have no name to compare."""
    if new.kind != sealed.provider or new.id:
        return False
    try:
        wipe(_data_key(sealed, new))
    except WrongPassword:
        return False
    return True
