"""The methods by which somebody is identified, and what each is in the certificates of other worlds.

    METHODS["in-person"].kind          # 0, identificationKind "personal" (RFC 9215 5.1)
    METHODS["video"].kind              # None: no exact counterpart

identificationKind of RFC 9215 5.1 (order 795 of the FSB) knows four values: personal(0), remote-cert(1): by a valid
qualified certificate of the subject, remote-passport(2): by the chip of a biometric passport, remote-system(3): by the
state's information system and its biometric register. A method that is not exactly one of these has no number, and
none is made up for it. `application` is the nearest word of our own applications for certificates
(`certs.application.METHODS`, after ETSI TS 119 461), and again nothing where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

MethodName = Literal[
    "in-person",
    "counter",
    "video",
    "face",
    "document",
    "qualified-signature",
    "passport-chip",
    "state-system",
    "bulk-voucher",
    "register-lookup",
]


@dataclass(frozen=True)
class Method:
    """One way of identifying somebody."""

    meaning: str
    kind: int | None
    """identificationKind; None where there is no exact counterpart."""
    application: str | None
    """The word of `certs.application.METHODS`; None where there is none."""


METHODS: Final[dict[str, Method]] = {
    "in-person": Method("An operator met them and compared them with an identity document.", 0, "in-person"),
    "counter": Method("They came to the counter of an authority or its agent with a document.", 0, "in-person"),
    "video": Method("An operator saw them and their document in a video call.", None, "remote-video"),
    "face": Method("A program compared their face with a document or a register.", None, None),
    "document": Method("An operator looked at copies of documents; nobody saw the person.", None, "document"),
    "qualified-signature": Method("They signed with a qualified certificate of theirs.", 1, "qualified-signature"),
    "passport-chip": Method("The chip of their biometric passport was read and compared.", 2, None),
    "state-system": Method("The state's information system and its biometric register knew them.", 3, None),
    "bulk-voucher": Method("Their organisation vouched for them, in a list it signed.", None, None),
    "register-lookup": Method(
        "An official register was asked for the organisation or person.", None, "registry-extract"
    ),
}
assert set(METHODS) == set(get_args(MethodName))
