"""What a library must get right before it may compute GOST encryption.

Sections: R 1323565.1.017-2018 A; OMAC: GOST R 34.13-2015 A.1.6, A.2.6; KDF_TREE: RFC 7836 B.10; key transport and both
content ciphers: the examples of R 1323565.1.025-2019 annex A.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from certs import der
from certs.errors import BackendUnavailable
from certs.suites.gost_parameters import BY_NAME

if TYPE_CHECKING:
    from certs.suites.backends.gost_encryption import GOSTEncryption

_KEY = bytes.fromhex("8899aabbccddeeff0011223344556677fedcba98765432100123456789abcdef")
_PLAIN = bytes.fromhex(
    "1122334455667700ffeeddccbbaa998800112233445566778899aabbcceeff0a112233445566778899aabbcceeff0a00"
    "2233445566778899aabbcceeff0a0011"
)
_SECTIONS = bytes.fromhex(
    "f195d8bec10ed1dbd57b5fa240bda1b885eee733f6a13e5df33ce4b33c45dee44bceeb8f646f4c55001706275e85e800"
    "587c4df568d094393e4834afd0805046"
)
"""_PLAIN by Kuznyechik, IV 1234567890abcef0, sections of 32 octets."""
_MAGMA_KEY = bytes.fromhex("ffeeddccbbaa99887766554433221100f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
_MAGMA_PLAIN = bytes.fromhex("92def06b3c130a59db54c704f8189d204a98fb2e67a8024c8912409b17b57e41")
_TREE = bytes.fromhex(
    "22b6837845c6bef65ea71672b265831086d3c76aebe6dae91cad51d83f79d16b"
    "074c9330599d7f8d712fca54392f4ddde93751206b3584c8f43f9e6dc51531f9"
)
_TEXT = "Контрольный пример для структуры EnvelopedData.".encode("cp1251")


@dataclass(frozen=True)
class _Example:
    """A message of annex A: key transport by Kuznyechik to a key, and the content."""

    parameter: str
    scalar: bytes
    transport: bytes
    family: str
    ukm: bytes
    ciphertext: bytes
    """With the encrypted OMAC behind it, where there is one."""


_WITHOUT_OMAC = _Example(
    "TC26-256-A",
    bytes.fromhex("ceb7bf8ce54ababd2f1c7b197e421086f5e4518ccaf1c3ab4b11bcf21fdcc80d"),
    bytes.fromhex(
        "3081b40430588cade74547732fde0db0ab2557467ae160404c3456aaaa00691f03d08776c5f7cb6df4764fc510c2c30d"
        "0e3dfc5eb9305e301706082a85030701010101300b06092a8503070102010101034300044074527dc30fb7a6dbd089a4"
        "298b30a574d6219780c1d6b97c171ff6148827c2cb026d8450f94b91b1393d75f2cb4c6246dc92045ca1715d60603ab2"
        "bdeb9039a40420f5fdbf107c460df7adc027b56bab940c2583fb0a797583a97e4af2f184431098"
    ),
    "kuznyechik",
    bytes.fromhex("d41cdc6655c94efefdce698f4fee3c4e"),
    bytes.fromhex("ac0fd0871a510c454a5f1a7eb27c50cc13199879bcbc2f374f25ed4c918574a9081d0b5cc8de743bff8b5a7fee3344"),
)
_WITH_OMAC = _Example(
    "TC26-512-A",
    bytes.fromhex(
        "dc75c5f9f14ae9520992f1ce1217db72ef19150fdbcd24bf8cb3a5ad56c05787f1d188f39c7c0adfcecf8a51fdd64bf8"
        "b1621a59b94e5bc07f7c0a1f981503a5"
    ),
    bytes.fromhex(
        "3081f70430fbc0722b4eddf608e2ca53ae5b8c58990c3f485824a7873d709dd7642eb2ee5a8c5bdf1bca822c614a1482"
        "53785a22523081a0301706082a85030701010102300b06092a850307010201020103818400048180a8f373f8f77c99d7"
        "63bbcd25ce85dbe991557f3f06d9fb5cfb8fdacf6057c4df69ecef0c82d22f9259d78b5ba06180f18097c62d30769213"
        "de21090139ca33ce71bf79a3764e7c145f7bb2fc412cbb73a1d4bd2c3c705c84c53cea96bf25ce820978fdb7fc2e3aeb"
        "d625ec5f74ffee662ca07eac1265d81d260f115952cf1a0e042078b3f5d5676fe1898aec49ccb0dd4088b9ebe80dcb75"
        "e444dc0c7d1729c19f94"
    ),
    "magma",
    bytes.fromhex("8333ed93b82fdcf93e35812e"),
    bytes.fromhex(
        "8fc4ffc7c8e42d6fc472fdf705210cdc8cd1f31fc2647ccf7010505fa65fd1d52c8ee50839e5571f01ce044e3d36e3557fe8e15959b427"
    ),
)


def self_test(backend: GOSTEncryption) -> None:
    """Raise BackendUnavailable unless the library gets all of them right, and its own transport back."""
    iv = bytes.fromhex("1234567890abcef0") + bytes(8)
    omac, magma = backend.omac("kuznyechik", _KEY), backend.omac("magma", _MAGMA_KEY)
    omac.update(_PLAIN)
    magma.update(_MAGMA_PLAIN)
    label, seed = bytes.fromhex("26bdb878"), bytes.fromhex("af21434145656378")
    pieces = backend.acpkm("kuznyechik", _KEY, iv, 32, encrypt=True)
    checks = (
        backend.acpkm("kuznyechik", _KEY, iv, 32, encrypt=True).update(_PLAIN) == _SECTIONS,
        b"".join(pieces.update(_PLAIN[at : at + 5]) for at in range(0, len(_PLAIN), 5)) == _SECTIONS,
        omac.digest().hex().startswith("336f4d296059fbe3"),
        magma.digest().hex().startswith("154e7210"),
        backend.kdf_tree(bytes(range(32)), label, seed) == _TREE,
        _decrypted(backend, _WITHOUT_OMAC) == _TEXT,
        _decrypted(backend, _WITH_OMAC) == _TEXT,
        *(_transports(backend, family) for family in ("kuznyechik", "magma")),
    )
    if not all(checks):
        raise BackendUnavailable("gost-engine failed the self-test of GOST encryption", checks=checks)


def _decrypted(backend: GOSTEncryption, example: _Example) -> bytes:
    """Return the content of an example, checked against its OMAC (R 1323565.1.025-2019 7)."""
    algorithm = BY_NAME[example.parameter].key_algorithm()
    key = backend.load_private(der.private_key_info(algorithm, example.scalar))
    content_key = backend.unwrap(key, example.transport, "kuznyechik") or b""
    half = len(example.ukm) - 8
    iv, seed = example.ukm[:half] + bytes(half), example.ukm[half:]
    section = 262_144 if example.family == "kuznyechik" else 8_192
    if example is _WITHOUT_OMAC:
        return backend.acpkm(example.family, content_key, iv, section, encrypt=False).update(example.ciphertext)
    keys = backend.kdf_tree(content_key, b"kdf tree", seed)
    plain = backend.acpkm(example.family, keys[:32], iv, section, encrypt=False).update(example.ciphertext)
    omac = backend.omac(example.family, keys[32:])
    omac.update(plain[: -2 * half])
    return plain[: -2 * half] if omac.digest() == plain[-2 * half :] else b""


def _transports(backend: GOSTEncryption, family: str) -> bool:
    """Tell whether a content key comes through, and not where an octet of the transport is changed."""
    key = backend.load_private(der.private_key_info(BY_NAME["TC26-256-A"].key_algorithm(), _WITHOUT_OMAC.scalar))
    wrapped = backend.wrap(key, _KEY, family)
    changed = wrapped[:8] + bytes((wrapped[8] ^ 1,)) + wrapped[9:]
    return backend.unwrap(key, wrapped, family) == _KEY and backend.unwrap(key, changed, family) is None
