"""Pieces of contracts and parties that several schemas share."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from api.kit.fields import Body, ContractID, Line

_DOCUMENT: Final = r"^doc_[0-9a-f]{32}$"

Locale = Literal["en", "zh", "ru"]
Level = Literal["B-B", "B-T"]
DocumentID = Annotated[str, StringConstraints(pattern=_DOCUMENT)]
PartyID = Annotated[str, StringConstraints(pattern=r"^pty_[0-9a-f]{32}$")]
FactorKind = Literal["passphrase", "totp"]
"""What a signer shows besides the API key of its program: something known, or a code of something in its hands."""
Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/\r\n]*={0,2}\s*$")]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")]
PEM = Annotated[str, StringConstraints(max_length=100_000)]
Suite = Annotated[str, StringConstraints(max_length=40)]
Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""A language tag (RFC 5646), e.g. "zh", "ru", "zh-Hant"."""


class IdentifierIn(Body):
    """A national identifier; its checksum is checked."""

    scheme: Line = Field(max_length=20, examples=["CN-USCC", "RU-INN", "KZ-BIN", "LEI"])
    value: Line = Field(max_length=60)


class SignatureArea(Body):
    """Where a visible signature stands, in points from the lower left corner of the page."""

    page: int = Field(ge=1, le=100_000, description="Counted from 1.")
    box: tuple[float, float, float, float] = Field(description="x1, y1, x2, y2", examples=[[60, 80, 260, 160]])
    document: DocumentID | None = Field(None, description="Which document; the first one if left out.")
    picture: Base64 | None = Field(None, max_length=400_000, description="A stamp picture, PNG or JPEG, in base64.")

    @field_validator("box")
    @classmethod
    def _box_has_an_area(cls, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        x1, y1, x2, y2 = box
        if not all(-14_400 <= edge <= 14_400 for edge in box) or x2 - x1 < 20 or y2 - y1 < 15:
            raise PydanticCustomError("box", "a box is at least 20 by 15 points, x1 < x2 and y1 < y2")
        return box


class DocumentEntry(Body):
    """A document of a contract, and which language version of which other one it is."""

    id: DocumentID
    language: Language | None = Field(None, description="RFC 5646.", examples=["zh", "ru", "en"])
    version_of: DocumentID | None = Field(
        None, description="The document of this contract that this one says in another language."
    )


def _entry(value: object) -> object:
    """Let a plain id stand for a document without a language."""
    if not isinstance(value, str):
        return value
    if re.fullmatch(_DOCUMENT, value) is None:
        raise PydanticCustomError("document", "the id of a document is doc_ and 32 hexadecimal digits")
    return {"id": value}


DocumentIn = Annotated[DocumentEntry, BeforeValidator(_entry, json_schema_input_type=DocumentID | DocumentEntry)]


class Reminders(Body):
    """When whoever is waited for is reminded, without anybody asking."""

    after_days: int = Field(3, ge=1, le=365, description="Days after sending.")
    every_days: int | None = Field(None, ge=1, le=365, description="Days between further reminders; none if left out.")
    before_deadline_days: int | None = Field(None, ge=1, le=365, description="Once more so many days before the end.")


class Relation(StrEnum):
    """What a contract does to an earlier one."""

    CHANGE = "change"
    RENEWAL = "renewal"
    TERMINATION = "termination"
    ANNULMENT = "annulment"


class RelatesTo(Body):
    """A completed contract, and what this one does to it."""

    contract: ContractID
    kind: Relation


class Mandate(Body):
    """A reference to the document that gives somebody authority. It is kept on record; it is not opened or checked."""

    type: Literal["ru-mchd", "cn-authorisation-letter", "other"] = Field(
        description="A machine-readable power of attorney (МЧД), a letter of authorisation (授权书), or another."
    )
    document: Line = Field(max_length=200, description="Its id, as whoever keeps it names it.")


class MandateOut(BaseModel):
    """By which authority a party acts."""

    type: Literal["ru-mchd", "cn-authorisation-letter", "other"]
    document: str = Field(description="Its number, or as it was referred to.")
    power_of_attorney: str | None = Field(None, description="The one on record.")
    check: Literal["at-signing", "reference-only"] = Field(
        "reference-only",
        description="at-signing: verified when the party acts, and what was found is on record. reference-only: it was "
        "named by words, and not checked.",
    )

    @classmethod
    def of(cls, mandate: dict[str, str] | None) -> MandateOut | None:
        """Return the outside of what a party keeps."""
        if mandate is None:
            return None
        on_record = mandate.get("power_of_attorney") is not None
        return cls.model_validate({**mandate, "check": "at-signing" if on_record else "reference-only"})


class CertificateOut(BaseModel):
    """The certificate a party signs with."""

    subject: str
    issuer: str
    serial: str = Field(description="Hexadecimal.")
    not_before: datetime
    not_after: datetime
    sha256: str
    pem: str


@lru_cache(maxsize=1024)
def certificate_out(pem: str) -> CertificateOut:
    """Return the outside of the first certificate in a PEM bundle: read once, shown with every look at the contract."""
    from certs.certificate import load_certificates

    certificate = load_certificates(pem.encode())[0]
    return CertificateOut(
        subject=certificate.subject,
        issuer=certificate.issuer,
        serial=certificate.serial_hex,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        sha256=certificate.fingerprint(),
        pem=certificate.pem,
    )
