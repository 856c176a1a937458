"""An agreement with the signatures on it, and with what ended it, as one file that a verifier reads offline.

    data = write(Signed(octets, signatures), endings=(Signed(termination, others),))
    bundle = read(data)                          # None where the file is something else; BasisError where it is broken
    bundle.agreement.octets, bundle.endings

JSON of schema "sealroad.signed-agreement/1", in the spelling of RFC 8785: octets and detached CMS signatures in base64.
An ending is a termination ("sealroad.termination/1") or the agreement that supersedes this one, both signed as it was;
which it is, and from when, stands in its own octets.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

from certs import canonical
from certs.errors import MalformedInput
from signer.errors import BasisError
from signer.layers.reading import MAX_FILE

SCHEMA: Final = "sealroad.signed-agreement/1"
MAX_SIGNATURES: Final = 50
MAX_ENDINGS: Final = 2
"""An agreement ends once; every signature in a file is verified, so there are not many."""
MAX_BUNDLE: Final = 16 * MAX_FILE
_MARK: Final = b'"' + SCHEMA.encode() + b'"'


@dataclass(frozen=True)
class Signed:
    """Octets and the detached CMS signatures over them."""

    octets: bytes
    signatures: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Bundle:
    """What the file holds."""

    agreement: Signed
    endings: tuple[Signed, ...] = ()


def write(agreement: Signed, endings: tuple[Signed, ...] = ()) -> bytes:
    """Return the file. Raises MalformedInput for what no file can hold."""
    return canonical.encode({"schema": SCHEMA, **_out(agreement), "ended_by": [_out(each) for each in endings]})


def is_bundle(data: bytes) -> bool:
    """Tell whether a file calls itself one."""
    if data[:1] != b"{" or _MARK not in data:  # which may stand in a text of an agreement too
        return False
    try:
        value = canonical.read(data, limit=MAX_BUNDLE)
    except MalformedInput:
        return False
    return isinstance(value, dict) and value.get("schema") == SCHEMA


def read(data: bytes) -> Bundle:
    """Read the file. Raises BasisError."""
    try:
        value = canonical.read(data, limit=MAX_BUNDLE)
    except MalformedInput as error:
        raise BasisError(f"the signed agreement cannot be read: {error}") from error
    if not isinstance(value, dict) or value.pop("schema", None) != SCHEMA:
        raise BasisError(f"this is not {SCHEMA}")
    endings = value.pop("ended_by", [])
    if not isinstance(endings, list) or len(endings) > MAX_ENDINGS:
        raise BasisError(f"ended_by: this is no list, or longer than {MAX_ENDINGS}")
    return Bundle(_in(value, ""), tuple(_in(each, f"ended_by[{index}].") for index, each in enumerate(endings)))


def _out(signed: Signed) -> dict[str, Any]:
    return {"octets": _text(signed.octets), "signatures": [_text(each) for each in signed.signatures]}


def _in(value: Any, path: str) -> Signed:
    if not isinstance(value, dict) or set(value) != {"octets", "signatures"}:
        raise BasisError(f"{path or 'the file'}: octets and signatures are needed, and nothing else")
    signatures = value["signatures"]
    if not isinstance(signatures, list) or len(signatures) > MAX_SIGNATURES:
        raise BasisError(f"{path}signatures: this is no list, or longer than {MAX_SIGNATURES}")
    return Signed(
        _octets(value["octets"], f"{path}octets"),
        tuple(_octets(each, f"{path}signatures[{index}]") for index, each in enumerate(signatures)),
    )


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _octets(value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise BasisError(f"{path}: this is not base64") from None
