"""SM2 by the optional package gmssl_pyx (GmSSL inside), where the system's libcrypto was built without SM2.

About ten times slower than libcrypto. It takes raw keys and messages; the DER around them is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from certs import der, oids
from certs.errors import BackendFault, BackendUnavailable, BadKey, MalformedInput
from certs.suites.backends.sm2_vectors import IDENTIFIER, self_test
from certs.suites.base import AlgorithmID, Library

_ALGORITHM = AlgorithmID(oids.EC, der.oid(oids.SM2))
_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
"""The recommended curve y² = x³ − 3x + b over p (GB/T 32918.5-2017)."""


@dataclass(frozen=True)
class _Key:
    point: bytes
    """X ‖ Y, 64 octets."""
    scalar: bytes | None = None
    """32 octets."""


class GmSSL:
    """SM2 keys and signatures."""

    def __init__(self, package: Any) -> None:
        self._package = package
        self.library = Library(
            "GmSSL (gmssl_pyx)",
            str(package.version),
            "GB/T 32918.5 annexes A, C; signs, verifies, decrypts, refuses",
            warning="SM2 is computed by gmssl_pyx, slowly: the system's libcrypto was built without it",
        )

    def generate(self, parameter: str) -> _Key:
        """Return a new key."""
        point, scalar = self._package.sm2_key_generate()
        return _Key(point, scalar)

    def load_public(self, spki: bytes) -> _Key:
        """Return a handle. The package checks the point when it is used, so it is used once here."""
        _, point = der.split_spki(spki)
        if len(point) == 33:
            point = _uncompressed(point)
        try:
            self._package.sm2_encrypt(point[1:], b"on the curve?")
        except self._package.GmsslInnerError as error:
            raise BadKey("not a point on the SM2 curve") from error
        return _Key(point[1:])

    def load_private(self, pkcs8: bytes) -> _Key:
        """Return a handle; the file must hold the public half, and both must belong together."""
        _, encoded = der.split_pkcs8(pkcs8)
        reader = der.Reader(encoded).enter()
        reader.integer()
        scalar, point = reader.value(der.OCTET_STRING), b""
        while not reader.at_end():
            tag = reader.peek()
            content = reader.value(tag or 0)
            if tag == 0xA1:
                point = der.Reader(content).bit_string()
        if len(point) != 65 or len(scalar) != 32:
            raise BadKey("the SM2 key file does not hold its public half")
        key = _Key(point[1:], scalar)
        if not self.verify(key, self.sign(key, b"pair?"), b"pair?"):
            raise BadKey("the SM2 private key and its public half do not belong together")
        return key

    def spki(self, key: _Key) -> bytes:
        """Return the public half."""
        return der.subject_public_key_info(_ALGORITHM, b"\x04" + key.point)

    def pkcs8(self, key: _Key) -> bytes:
        """Return the private key."""
        public = der.tlv(0xA1, der.bit_string(b"\x04" + key.point))
        return der.private_key_info(
            _ALGORITHM, der.sequence(der.integer(1), der.octet_string(key.scalar or b""), public)
        )

    def sign(self, key: _Key, data: bytes) -> bytes:
        """Return DER SEQUENCE { r, s } over SM3(Z ‖ message)."""
        try:
            value: bytes = self._package.sm2_sign(key.scalar, key.point, data, IDENTIFIER)
        except Exception as error:
            raise BackendFault("GmSSL failed to sign with SM2") from error
        return value

    def verify(self, key: _Key, signature: bytes, data: bytes) -> bool:
        """Tell whether the signature over the message is right."""
        try:
            return bool(self._package.sm2_verify(key.point, data, signature, IDENTIFIER))
        except Exception:  # noqa: BLE001 - it raises for a wrong form
            return False

    def encrypt(self, key: _Key, data: bytes) -> bytes:
        """Return SM2Cipher."""
        try:
            value: bytes = self._package.sm2_encrypt(key.point, data)
        except Exception as error:
            raise BackendFault("GmSSL failed to encrypt with SM2") from error
        return value

    def decrypt(self, key: _Key, ciphertext: bytes) -> bytes | None:
        """Return the plaintext, or None."""
        try:
            value: bytes = self._package.sm2_decrypt(key.scalar, ciphertext)
        except Exception:  # noqa: BLE001 - it raises for what does not decrypt
            return None
        return value


def _uncompressed(point: bytes) -> bytes:
    """Return 04 ‖ X ‖ Y of a compressed point, which the package does not read (GB/T 32918.1-2016 4.2.9)."""
    x = int.from_bytes(point[1:], "big")
    y = pow(x**3 - 3 * x + _B, (_P + 1) // 4, _P)
    if y % 2 != point[0] % 2:
        y = (_P - y) % _P
    return b"\x04" + point[1:] + y.to_bytes(32, "big")  # the caller finds out whether it lies on the curve


def load() -> GmSSL:
    """Load the package and let it pass the vectors. Raises BackendUnavailable."""
    try:
        package = import_module("gmssl_pyx")
    except ImportError as error:
        raise BackendUnavailable("the optional package gmssl_pyx is not installed") from error
    backend = GmSSL(package)
    try:
        self_test(backend)
    except (BackendFault, BadKey, MalformedInput) as error:
        raise BackendUnavailable(f"gmssl_pyx failed the self-test of SM2: {error}") from error
    return backend
