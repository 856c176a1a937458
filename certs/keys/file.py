"""Private keys in files: PEM or DER; encrypted PKCS#8, plain PKCS#8, SEC1.

    save("seller.key.pem", key, b"password")       # scrypt + AES-256-CBC, mode 0600, temporary name then rename
    key = load("seller.key.pem", b"password")

`load` takes a callback in place of the password, so that it is asked only if the file is encrypted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from certs import ber, der, files, oids, suites
from certs.errors import BadKey, KeyNotFound, KeyStoreError, MalformedInput, WrongPassword
from certs.keys.base import Secrets
from certs.keys.pbes2 import decrypt_pkcs8, encrypt_pkcs8
from certs.pem import armor, pem_blocks
from certs.suites.base import AlgorithmID, PrivateKey

MAX_SIZE = 1 << 20
"""Octets of a key file; an ML-DSA-87 key in PEM has about 7 000."""

_LABELS = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "SM2 PRIVATE KEY", "RSA PRIVATE KEY")


def save(
    path: str | Path,
    key: PrivateKey,
    password: bytes | None,
    *,
    kdf: Literal["scrypt", "pbkdf2"] = "scrypt",
    replace: bool = False,
) -> None:
    """Write `key` to `path`, readable by the owner only; without a password unencrypted.

    Raises KeyStoreError where the file exists (unless `replace`) or cannot be written.
    """
    pkcs8 = key.pkcs8()
    if password is None:
        text = armor("PRIVATE KEY", pkcs8)
    else:
        text = armor("ENCRYPTED PRIVATE KEY", encrypt_pkcs8(pkcs8, password, kdf=kdf))
    write_key(path, text.encode(), replace=replace)


def write_key(path: str | Path, data: bytes, *, replace: bool) -> None:
    """Write a file with a key in it, mode 0600. Raises KeyStoreError as `save` does."""
    try:
        files.write(path, data, mode=0o600, replace=replace)
    except FileExistsError as error:
        raise KeyStoreError(f"{path} exists", hint="choose another name or remove the file yourself") from error
    except OSError as error:
        raise KeyStoreError(f"{path} cannot be written: {error.strerror}") from error


def load(path: str | Path, password: bytes | Callable[[], bytes] | None = None) -> PrivateKey:
    """Return the private key in `path`.

    Raises KeyNotFound, WrongPassword (also where one is needed and none was given), BadKey, MalformedInput,
    UnsupportedAlgorithm.
    """
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_SIZE + 1)
    except OSError as error:
        raise KeyNotFound(f"{path} cannot be read: {error.strerror}", hint="check the path of the key") from error
    except ValueError as error:
        raise KeyNotFound("a path holds no zero octets") from error
    if len(data) > MAX_SIZE:
        raise MalformedInput(f"{path} is too large for a private key")
    return parse(data, password)


def parse(data: bytes, password: bytes | Callable[[], bytes] | None = None) -> PrivateKey:
    """Return the private key in PEM or DER `data`; see `load`."""
    blocks = [(label, block) for label, block in pem_blocks(data) if label in _LABELS]
    if blocks:
        label, encoded = blocks[0]
    elif b"-----BEGIN" in data:
        raise MalformedInput("the file holds no private key", hint="it may be a certificate")
    else:
        label, encoded = _guess(data), data
    if label == "ENCRYPTED PRIVATE KEY":
        if password is None:
            raise WrongPassword("the key is encrypted and no password was given")
        encoded = decrypt_pkcs8(encoded, password() if callable(password) else password)
    elif label in ("EC PRIVATE KEY", "SM2 PRIVATE KEY"):
        encoded = _from_sec1(encoded)
    elif label == "RSA PRIVATE KEY":
        encoded = der.private_key_info(AlgorithmID(oids.RSA, der.NULL_DER), encoded)
    return suites.load_private(encoded)


def _guess(data: bytes) -> str:
    """Return the label that DER `data` would carry in PEM."""
    members = ber.load(data).members()
    first = members.next()
    if first.tag == ber.SEQUENCE:
        return "ENCRYPTED PRIVATE KEY"
    second = members.peek()
    if second == ber.SEQUENCE:
        return "PRIVATE KEY"
    if second == ber.OCTET_STRING:
        return "EC PRIVATE KEY"
    if second == ber.INTEGER:
        return "RSA PRIVATE KEY"
    raise MalformedInput("the file holds no private key")


def _from_sec1(encoded: bytes) -> bytes:
    """Return PrivateKeyInfo of ECPrivateKey (RFC 5915 3), which must name its curve."""
    members = ber.load(encoded).members()
    if members.next().integer() != 1:
        raise MalformedInput("ECPrivateKey of an unknown version")
    members.next(ber.OCTET_STRING)
    curve = members.optional(ber.context(0))
    if curve is None or curve.only().tag != ber.OBJECT_IDENTIFIER:
        raise BadKey("the key names no curve", hint="convert it with 'openssl pkcs8 -topk8'")
    return der.private_key_info(AlgorithmID(oids.EC, curve.only().raw()), encoded)


def generate(
    rest: str,
    suite_name: str,
    secrets: Secrets,
    *,
    parameter: str | None = None,
    decrypts: bool = False,  # noqa: ARG001 - nothing in a file says what a key is for
) -> PrivateKey:
    """Make a key in a file; an empty password leaves it unencrypted. Raises KeyStoreError where the file exists.

    It does whatever keys of its suite do, with `decrypts` and without.
    """
    if Path(rest).exists():
        raise KeyStoreError(f"{rest} exists", hint="choose another name or remove the file yourself")
    key = suites.get(suite_name).generate(parameter)
    save(rest, key, secrets(f"password for {Path(rest).name}") or None)
    return key


def open_uri(rest: str, secrets: Secrets) -> PrivateKey:
    """Open "file:PATH"; the password is asked for only where the file is encrypted."""
    return load(rest, lambda: secrets(f"password for {Path(rest).name}"))
