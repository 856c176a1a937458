"""The key of a recipient that stays with its owner: a child that reads a hostile file asks for content keys one by one.

    recipient = replace(recipient, private_key=RelayedKey(recipient.private_key, ask))      # in the child
    reply = unwrapped(recipient.private_key, request)                                      # in the parent

A token is logged in by the process that asked for the PIN, and a child that a file took over must not get more of it
than answers, as many as `signer.forked` lets it have. Octets go both ways as JSON; neither side believes the other.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

from certs.errors import (
    BackendFault,
    BackendUnavailable,
    CertsError,
    DecryptionFailed,
    KeyNotFound,
    KeyStoreError,
    MalformedInput,
    UnsupportedAlgorithm,
    WrongPassword,
)
from certs.keys.base import DecryptionKey
from certs.suites.base import AlgorithmID, PublicKey, Suite, WrappedKey
from signer.forked import Ask

MAX_SIZE = 255
"""Octets of a content key."""
_SAID: dict[str, type[CertsError]] = {
    error.code: error
    for error in (
        *(BackendFault, BackendUnavailable, DecryptionFailed, KeyNotFound, KeyStoreError, MalformedInput),
        *(UnsupportedAlgorithm, WrongPassword),
    )
}


class RelayedKey:
    """What a child has of a key. Satisfies DecryptionKey, and does not sign."""

    def __init__(self, key: DecryptionKey, ask: Ask) -> None:
        self._public, self._ask = key.public_key, ask

    @property
    def suite(self) -> Suite:
        """The suite of the key."""
        return self._public.suite

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Refuse: whoever reads a file signs nothing."""
        raise UnsupportedAlgorithm("this key only decrypts")

    def unwrap_key(self, wrapped: WrappedKey, size: int) -> bytes:
        """Have the owner of the key decrypt a content key. Raises what the key raises."""
        algorithm = wrapped.algorithm
        parts = (algorithm.parameters, wrapped.encrypted_key, wrapped.originator, wrapped.ukm)
        request = {"unwrap": [_text(part) for part in parts], "oid": algorithm.oid, "size": size}
        reply = json.loads(self._ask(json.dumps(request).encode()))
        if "key" in reply:
            return b64decode(reply["key"])
        kind = _SAID[reply["code"]]
        raise kind() if kind is DecryptionFailed else kind(reply["message"], hint=reply["hint"])


def is_request(request: bytes) -> bool:
    """Tell whether a child asks for a content key, and not for something else."""
    return request.startswith(b'{"unwrap":')


def unwrapped(key: DecryptionKey, request: bytes) -> bytes:
    """Answer a child, which is not trusted to ask for anything sensible."""
    try:
        asked = json.loads(request)
        parameters, encrypted, originator, ukm = (_octets(part) for part in asked["unwrap"])
        oid, size = asked["oid"], asked["size"]
        if not isinstance(oid, str) or type(size) is not int or not 0 < size <= MAX_SIZE or encrypted is None:
            raise MalformedInput("no request")
        found = key.unwrap_key(WrappedKey(AlgorithmID(oid, parameters), encrypted, originator, ukm), size)
    except CertsError as error:
        code = next((code for code, kind in _SAID.items() if type(error) is kind), KeyStoreError.code)
        return json.dumps({"code": code, "message": error.message, "hint": error.hint}).encode()
    except (ValueError, TypeError, KeyError, RecursionError):
        return json.dumps({"code": MalformedInput.code, "message": "no request", "hint": None}).encode()
    return json.dumps({"key": b64encode(found).decode("ascii")}).encode()


def _text(octets: bytes | None) -> str | None:
    return None if octets is None else b64encode(octets).decode("ascii")


def _octets(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)


__all__ = ["RelayedKey", "is_request", "unwrapped"]
