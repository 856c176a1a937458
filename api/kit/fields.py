"""Field types that several domains use; what may not get into a PDF, a certificate or a database is refused here."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

_REFUSED = {"Cc", "Cs", "Co", "Zl", "Zp"}
# Unicode TR 36: characters that turn the direction of text make a name look like another one.
_BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def _composed(value: object) -> object:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


COMPOSED = BeforeValidator(_composed)
"""Text in NFC before its length is looked at: of some characters it makes three, and columns have a length too.

In an annotation it stands behind the constraints: the last that is to run before the others runs first.
"""


def _printable(value: str) -> str:
    for char in value:
        if char in _BIDI or unicodedata.category(char) in _REFUSED:
            raise PydanticCustomError("characters", "control and direction characters are not accepted")
    return value


def _text(value: str) -> str:
    for char in value:
        if char in _BIDI or (unicodedata.category(char) in _REFUSED and char not in "\n\r\t"):
            raise PydanticCustomError("characters", "control and direction characters are not accepted")
    return value


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), COMPOSED, AfterValidator(_printable)]
"""One line of text in any script, NFC, without control or direction characters."""

Text = Annotated[str, StringConstraints(min_length=1), AfterValidator(_text)]
"""Several lines of text, kept exactly as they are."""


ContractID = Annotated[str, StringConstraints(pattern=r"^ctr_[0-9a-f]{32}$")]
AgreementID = Annotated[str, StringConstraints(pattern=r"^agr_[0-9a-f]{32}$")]
PowerOfAttorneyID = Annotated[str, StringConstraints(pattern=r"^poa_[0-9a-f]{32}$")]
SealID = Annotated[str, StringConstraints(pattern=r"^seal_[0-9a-f]{32}$")]
OrganisationID = Annotated[str, StringConstraints(pattern=r"^org_[0-9a-f]{32}$")]
PersonID = Annotated[str, StringConstraints(pattern=r"^per_[0-9a-f]{32}$")]
UserID = Annotated[str, StringConstraints(pattern=r"^usr_[0-9a-f]{32}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1, two capital letters."""
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")]


class Body(BaseModel):
    """A request body: a field nobody knows is an error, not a wish that is silently ignored."""

    model_config = ConfigDict(extra="forbid")
