"""Secrets at rest: envelope encryption under one master key.

    vault = Vault.open(Path("/var/lib/sealroad/master.key"))     # made at the first start, mode 0600
    sealed = vault.seal(pkcs8, about="pty_0193…")
    vault.open_sealed(sealed, about="pty_0193…")

Each secret has its own random data key; the data key is encrypted under the master key. Both layers are AES-256-GCM
(NIST SP 800-38D) with random 96-bit nonces, and both name what the secret belongs to as associated data: a row copied
over another row does not open.

Layout: `SRV1` ‖ key id (8) ‖ nonce (12) ‖ data key (32+16) ‖ nonce (12) ‖ secret (n+16).
"""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.errors import ConfigurationError, VaultError
from certs.errors import KeyStoreError
from certs.keys.kek import read_key_file

MAGIC = b"SRV1"
_HEAD = len(MAGIC) + 8 + 12 + 48 + 12


class Vault:
    """Seals and opens secrets, and derives keys, under one master key of 32 octets."""

    def __init__(self, master: bytes) -> None:
        if len(master) != 32:
            raise ConfigurationError("the master key is not 32 octets long")
        self._master = master
        self._key_id = self.derive("key id")[:8]

    @classmethod
    def open(cls, path: Path) -> Vault:
        """Read the master key from `path` (64 hexadecimal digits); make it, mode 0600, where there is none.

        Raises ConfigurationError where the file is readable by others or is not a key.
        """
        try:
            return cls(bytes(read_key_file(path, make=True)))
        except KeyStoreError as error:
            raise ConfigurationError(f"the master key cannot be used: {error}", hint=error.hint) from None

    def derive(self, purpose: str) -> bytes:
        """Return 32 octets for one purpose (HKDF-SHA256, RFC 5869); the same purpose gives the same octets."""
        return HKDF(SHA256(), 32, None, b"sealroad " + purpose.encode()).derive(self._master)

    def seal(self, secret: bytes, *, about: str) -> bytes:
        """Encrypt `secret`; it opens only with the same `about`."""
        data_key, outer, inner = secrets.token_bytes(32), secrets.token_bytes(12), secrets.token_bytes(12)
        label = about.encode()
        wrapped = AESGCM(self._master).encrypt(outer, data_key, MAGIC + self._key_id + label)
        return MAGIC + self._key_id + outer + wrapped + inner + AESGCM(data_key).encrypt(inner, secret, label)

    def open_sealed(self, sealed: bytes, *, about: str) -> bytes:
        """Decrypt what `seal` returned. Raises VaultError."""
        if len(sealed) < _HEAD + 16 or sealed[:4] != MAGIC:
            raise VaultError("not a sealed secret")
        key_id, outer, wrapped, inner = sealed[4:12], sealed[12:24], sealed[24:72], sealed[72:84]
        if key_id != self._key_id:
            raise VaultError("the secret was sealed under another master key")
        label = about.encode()
        try:
            data_key = AESGCM(self._master).decrypt(outer, wrapped, MAGIC + key_id + label)
            return AESGCM(data_key).decrypt(inner, sealed[84:], label)
        except InvalidTag:
            raise VaultError("the sealed secret was changed, or belongs to something else") from None
