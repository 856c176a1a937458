"""What a library must get right before it may compute SM2: GB/T 32918.5-2017 annexes A and C."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certs import der, oids
from certs.errors import BackendUnavailable
from certs.suites.base import AlgorithmID

if TYPE_CHECKING:
    from certs.suites.backends import SM2Backend

IDENTIFIER = b"1234567812345678"
"""The signer's identifier inside Z where nothing else was agreed (GM/T 0009-2012 clause 10)."""

_SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_POINT = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_MESSAGE = b"message digest"
_R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
_S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA

_SCALAR = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
_PLAIN = b"encryption standard"
_CIPHER = bytes.fromhex(
    "307c022004ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "022100e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    "042059983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    "041321886ca989ca9c7d58087307ca93092d651efa"
)
"""Annex C as SM2Cipher (GM/T 0009-2012 7.2)."""


def _private_key() -> bytes:
    sec1 = der.sequence(der.integer(1), der.octet_string(_SCALAR), der.tlv(0xA1, der.bit_string(_POINT)))
    return der.private_key_info(AlgorithmID(oids.EC, der.oid(oids.SM2)), sec1)


def self_test(backend: SM2Backend) -> None:
    """Raise BackendUnavailable unless the library gets the vectors right, refuses altered ones, signs and encrypts."""
    known = backend.load_public(_SPKI_HEAD + _POINT)
    good = der.encode_integer_pair(_R, _S)
    made = backend.generate("sm2p256v1")
    again = backend.load_public(backend.spki(made))
    holder = backend.load_private(_private_key())
    checks = (
        backend.verify(known, good, _MESSAGE),
        not backend.verify(known, good, _MESSAGE + b"."),
        not backend.verify(known, der.encode_integer_pair(_R, _S - 1), _MESSAGE),
        backend.verify(again, backend.sign(made, _MESSAGE), _MESSAGE),
        not backend.verify(again, good, _MESSAGE),
        backend.decrypt(holder, _CIPHER) == _PLAIN,
        backend.decrypt(holder, _CIPHER[:-1] + b"\xfb") is None,
        backend.decrypt(made, _CIPHER) is None,
        backend.decrypt(made, backend.encrypt(again, _PLAIN)) == _PLAIN,
    )
    if not all(checks):
        raise BackendUnavailable(f"{backend.library.name} failed the self-test of SM2", checks=checks)
