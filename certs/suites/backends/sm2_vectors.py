"""What a library must get right before it may compute SM2: GB/T 32918.5-2017 annex A."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certs import der
from certs.errors import BackendUnavailable

if TYPE_CHECKING:
    from certs.suites.backends import Backend

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


def self_test(backend: Backend) -> None:
    """Raise BackendUnavailable unless the library verifies the vector, refuses altered ones, and signs."""
    known = backend.load_public(_SPKI_HEAD + _POINT)
    good = der.encode_integer_pair(_R, _S)
    made = backend.generate("sm2p256v1")
    again = backend.load_public(backend.spki(made))
    checks = (
        backend.verify(known, good, _MESSAGE),
        not backend.verify(known, good, _MESSAGE + b"."),
        not backend.verify(known, der.encode_integer_pair(_R, _S - 1), _MESSAGE),
        backend.verify(again, backend.sign(made, _MESSAGE), _MESSAGE),
        not backend.verify(again, good, _MESSAGE),
    )
    if not all(checks):
        raise BackendUnavailable(f"{backend.library.name} failed the self-test of SM2", checks=checks)
