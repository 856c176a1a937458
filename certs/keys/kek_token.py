"""A key-encryption key that never leaves its token or HSM: AES-256-GCM computed there.

    provider = TokenProvider("pkcs11:token=ca;object=kek?module-path=…", secrets)
    provider = make_token_kek("pkcs11:token=ca;object=kek?module-path=…", secrets)

See `certs.keys.kek` for what a provider is.
"""

from __future__ import annotations

import secrets as random
from typing import Any

from certs.errors import KeyNotFound, KeyStoreError, MalformedInput, WrongPassword
from certs.keys.base import Secrets
from certs.keys.kek import NONCE, SIZE, TAG
from certs.keys.pkcs11 import find
from certs.keys.pkcs11_token import connect, library
from certs.keys.pkcs11_uri import parse


class TokenProvider:
    """An AES key in a token or HSM: AES-256-GCM there, the nonce from here."""

    kind = "pkcs11"

    def __init__(self, uri: str, secrets: Secrets) -> None:
        self._uri = parse(uri)
        if self._uri.object is None and self._uri.id is None:
            raise KeyNotFound("the PKCS#11 URI names no key", hint="add object=LABEL")
        self._connection = connect(self._uri, secrets)
        self.id = self._connection.run(self._key_id)

    def __repr__(self) -> str:
        return f"<TokenProvider {self._uri.name}, {self._uri.place}>"

    def _key(self, session: Any) -> Any:
        found = find(session, self._uri, "SECRET_KEY")
        if len(found) != 1:
            many = "several" if found else "no"
            raise KeyNotFound(f"the {self._uri.place} has {many} secret keys called {self._uri.object!r}")
        if int(found[0][library().Attribute.KEY_TYPE]) != 0x1F:
            raise KeyStoreError(f"the secret {self._uri.name} is not for AES")
        return found[0]

    def _key_id(self, session: Any) -> bytes:
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
        pkcs11 = library()

        def act(session: Any) -> bytes:
            parameters = pkcs11.GCMParams(nonce=nonce, aad=about, tag_bits=8 * TAG)
            method = getattr(self._key(session), what)
            return bytes(method(data, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=parameters))

        return self._connection.run(act)


def make_token_kek(uri: str, secrets: Secrets) -> TokenProvider:
    """Make an AES-256 key in a token, never to leave it. Raises KeyStoreError where the name is taken."""
    where, pkcs11 = parse(uri), library()
    if where.object is None:
        raise KeyNotFound("a new key needs a name", hint="add object=LABEL to the URI")
    connection = connect(where, secrets)
    if connection.run(lambda session: find(session, where, "SECRET_KEY")):
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
