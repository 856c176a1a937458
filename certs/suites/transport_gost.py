"""Content keys encrypted to GOST keys (R 1323565.1.025-2019 6), by gost-engine alone.

Written is key transport by VKO and KExp15 with the block cipher of the content:

    GostR3410-KeyTransport ::= SEQUENCE { encryptedKey OCTET STRING, ephemeralPublicKey SubjectPublicKeyInfo,
                                          ukm OCTET STRING (SIZE (32)) }

Read are that, key agreement with the sender's own key, and the older transport of RFC 4490 4.2. Every length is checked
here, and that the sender's point is on the curve of the recipient's key and of order q, before the engine computes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from certs import der, oids
from certs.errors import BadKey, DecryptionFailed, MalformedInput, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, WrappedKey
from certs.suites.gost_parameters import BY_NAME

if TYPE_CHECKING:
    from certs.suites.backends.gost_encryption import GOSTEncryption
    from certs.suites.gost import GOSTPrivateKey, GOSTPublicKey, GOSTSuite

_EXPORTS = {oids.KUZNYECHIK_KEXP15: ("kuznyechik", 48), oids.MAGMA_KEXP15: ("magma", 40)}
"""keyEncryptionAlgorithm to the block cipher and the octets of an exported key."""
_BY_FAMILY = {family: oid for oid, (family, _) in _EXPORTS.items()}
_OLD_CIPHERS = frozenset({oids.GOST89_CRYPTOPRO_A, oids.GOST89_TC26_Z})
_AGREEMENT = {"gost2012-256": oids.VKO_256, "gost2012-512": oids.VKO_512}
_KEY_SIZE = 32
_UKM, _OLD_UKM = 32, 8


def wrap(key: GOSTPublicKey, content_key: bytes, cipher: str) -> WrappedKey:
    """Encrypt a content key for a content cipher of Kuznyechik or Magma."""
    from certs.suites.backends import gost_encryption

    family = cipher.partition("-")[0]
    if family not in _BY_FAMILY:
        raise UnsupportedAlgorithm(f"no key of {cipher} is encrypted to a key of {key.suite.name}")
    backend = gost_encryption.load()
    encrypted = backend.wrap(backend.load_public(_plain_spki(key.spki, key.parameter)), content_key, family)
    parameters = der.sequence(der.oid(_AGREEMENT[key.suite.name]))
    return WrappedKey(AlgorithmID(_BY_FAMILY[family], parameters), encrypted)


def unwrap(key: GOSTPrivateKey, wrapped: WrappedKey, size: int) -> bytes:
    """Decrypt a content key; see `PrivateKey.unwrap_key`."""
    from certs.suites.backends import gost_encryption

    algorithm = wrapped.algorithm.oid
    if algorithm not in (*_EXPORTS, key.suite.key_oid) or (algorithm not in _EXPORTS and wrapped.originator):
        raise UnsupportedAlgorithm(f"key encryption {oids.name(algorithm)} is not supported for GOST", oid=algorithm)
    backend = gost_encryption.load()
    try:
        content_key = _unwrapped(backend, key, wrapped)
    except (BadKey, MalformedInput, UnsupportedAlgorithm):  # of the sender's key, or of what is around it
        raise DecryptionFailed from None
    if content_key is None or len(content_key) != size:
        raise DecryptionFailed
    return content_key


def unwrap_by(decrypt: Callable[[bytes], bytes], key: GOSTPublicKey, wrapped: WrappedKey, size: int) -> bytes:
    """Decrypt a transported content key with whatever holds the private key; see `PrivateKey.unwrap_key`.

    `decrypt` is given the transport structure with its lengths and the sender's point checked. Key agreement with the
    sender's own key is for keys in this process only.
    """
    algorithm = wrapped.algorithm.oid
    if algorithm not in (*_EXPORTS, key.suite.key_oid) or wrapped.originator:
        raise UnsupportedAlgorithm(
            f"key encryption {oids.name(algorithm)} is not supported for GOST in a token", oid=algorithm
        )
    try:
        if algorithm in _EXPORTS:
            _check_transport(wrapped.encrypted_key, _EXPORTS[algorithm][1], key)
        else:
            _check_old(wrapped.encrypted_key, key)
    except (BadKey, MalformedInput, UnsupportedAlgorithm):
        raise DecryptionFailed from None
    content_key = decrypt(wrapped.encrypted_key)
    if len(content_key) != size:
        raise DecryptionFailed
    return content_key


def _unwrapped(backend: GOSTEncryption, key: GOSTPrivateKey, wrapped: WrappedKey) -> bytes | None:
    handle = backend.load_private(key.pkcs8())
    family, size = _EXPORTS.get(wrapped.algorithm.oid, (None, 0))
    if family is None:
        _check_old(wrapped.encrypted_key, key.public_key)
        return backend.unwrap(handle, wrapped.encrypted_key, None)
    if wrapped.originator is None:
        _check_transport(wrapped.encrypted_key, size, key.public_key)
        return backend.unwrap(handle, wrapped.encrypted_key, family)
    if len(wrapped.encrypted_key) != size or wrapped.ukm is None or len(wrapped.ukm) != _UKM:
        raise MalformedInput("a key or its UKM has a wrong length")
    peer = backend.load_public(_checked_spki(wrapped.originator, key.public_key))
    return backend.unwrap_agreed(handle, peer, wrapped.ukm, wrapped.encrypted_key, family)


def _check_transport(encrypted: bytes, size: int, key: GOSTPublicKey) -> None:
    body = der.members(encrypted)
    exported, ephemeral, ukm = body.value(der.OCTET_STRING), body.raw(der.SEQUENCE), body.value(der.OCTET_STRING)
    body.end()
    if (len(exported), len(ukm)) != (size, _UKM):
        raise MalformedInput("a key or its UKM has a wrong length")
    _checked_spki(ephemeral, key)


def _check_old(encrypted: bytes, key: GOSTPublicKey) -> None:
    """RFC 4490 4.2.1: SessionEncryptedKey with its MAC, and the ephemeral key, cipher parameters and UKM."""
    body = der.members(encrypted)
    session, parameters = body.enter(), body.enter(0xA0)
    body.end()
    lengths = len(session.value(der.OCTET_STRING)), len(session.value(der.OCTET_STRING))
    session.end()
    if parameters.oid() not in _OLD_CIPHERS:
        raise MalformedInput("an S-box that is not supported")
    ephemeral = parameters.raw(0xA0)
    ukm = parameters.value(der.OCTET_STRING)
    parameters.end()
    if lengths != (_KEY_SIZE, 4) or len(ukm) != _OLD_UKM:
        raise MalformedInput("a key, its MAC or its UKM has a wrong length")
    _checked_spki(b"\x30" + ephemeral[1:], key)


def _checked_spki(spki: bytes, key: GOSTPublicKey) -> bytes:
    """Return the sender's key for the engine: on the curve of the recipient's, of order q. Raises BadKey."""
    suite: GOSTSuite = key.suite
    sender = suite.load_public(spki)
    if BY_NAME[sender.parameter].curve != BY_NAME[key.parameter].curve:
        raise BadKey("the sender's key is on another curve")
    return _plain_spki(spki, sender.parameter)


def _plain_spki(spki: bytes, parameter: str) -> bytes:
    """Return a key in the one form that the engine is given."""
    return der.subject_public_key_info(BY_NAME[parameter].key_algorithm(), der.split_spki(spki)[1])
