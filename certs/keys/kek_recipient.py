"""A key-encryption key that is half public: everybody can close, only the holder of the private half can open.

    holder = new_holder()                                  # 32 octets: the private half, to be kept sealed
    provider = RecipientProvider.of(public_of(holder))     # wraps, and opens nothing
    provider = RecipientProvider.holding(holder)           # wraps and opens

So a key can be put under the lock of somebody who is not there. HPKE in base mode (RFC 9180): DHKEM(X25519,
HKDF-SHA256), HKDF-SHA256, AES-256-GCM; `info` is what the wrap is bound to. Whoever has the public half can lock a key
of their own choice: that a sealed key is the right one has to be told by its label and by where it lies.

See `certs.keys.kek` for what a provider is.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from certs.errors import KeyStoreError, MalformedInput, WrongPassword
from certs.keys.kek import SIZE, key_check

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def new_holder() -> bytes:
    """Return a new private half (X25519, RFC 7748), 32 octets."""
    return X25519PrivateKey.generate().private_bytes_raw()


def public_of(holder: bytes | bytearray) -> bytes:
    """Return the public half, 32 octets. Raises MalformedInput."""
    return _private(holder).public_key().public_bytes_raw()


class RecipientProvider:
    """The public half of somebody's key-encryption key, and the private one where it is at hand."""

    kind = "recipient"

    def __init__(self, public: bytes, holder: bytes | bytearray | None = None) -> None:
        try:
            self._public = X25519PublicKey.from_public_bytes(public)
        except ValueError as error:
            raise MalformedInput("the public half of a key-encryption key has 32 octets") from error
        self._private = _private(holder) if holder is not None else None
        self.id = key_check(public)

    def __repr__(self) -> str:
        return f"<RecipientProvider {self.id.hex()}>"

    @classmethod
    def of(cls, public: bytes) -> RecipientProvider:
        """Return what wraps to somebody. Raises MalformedInput."""
        return cls(public)

    @classmethod
    def holding(cls, holder: bytes | bytearray) -> RecipientProvider:
        """Return what wraps to the holder of this private half, and opens. Raises MalformedInput."""
        return cls(public_of(holder), holder)

    def wrap(self, data_key: bytes | bytearray, about: bytes) -> bytes:
        """Return enc ‖ ciphertext ‖ tag. Raises MalformedInput for a public half that is no key (RFC 7748 6.1)."""
        try:
            return _SUITE.encrypt(bytes(data_key), self._public, info=about)
        except ValueError as error:
            raise MalformedInput("the public half of a key-encryption key is none") from error

    def unwrap(self, blob: bytes, about: bytes) -> bytearray:
        """Return the data key. Raises WrongPassword without the private half, KeyStoreError where it does not fit."""
        if self._private is None:
            raise WrongPassword("this key is locked, and nobody who can open it is here")
        try:
            data_key = bytearray(_SUITE.decrypt(blob, self._private, info=about))
        except (InvalidTag, ValueError) as error:
            raise KeyStoreError("the sealed key was changed, or belongs to something else") from error
        if len(data_key) != SIZE:
            raise MalformedInput("the wrapped key has a wrong length")
        return data_key


def _private(holder: bytes | bytearray) -> X25519PrivateKey:
    try:
        return X25519PrivateKey.from_private_bytes(bytes(holder))
    except ValueError as error:
        raise MalformedInput("the private half of a key-encryption key has 32 octets") from error
