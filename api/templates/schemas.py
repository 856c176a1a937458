"""What templates look like from outside.

A template is a contract draft: its schema is that of one, so that whatever a draft may say, a template may say too. In
place of parties it has slots, each a party as far as it is known; what is left open is filled in for each contract.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.contracts.parts import RelatesTo
from api.contracts.schemas import ContractIn, ContractPatch, PartyIn
from api.kit.fields import COMPOSED, Body, Line
from api.templates.models import Template

NOT_HERE = "Of the contracts, not of the template."


def _word(value: str) -> str:
    """Let a word in any script be the name of a slot: a column of a table is named after it."""
    if not value.isidentifier():
        raise PydanticCustomError("slot", "the name of a slot is one word of letters, digits and underscores")
    return value


SlotName = Annotated[str, StringConstraints(min_length=1, max_length=40), COMPOSED, AfterValidator(_word)]


class SlotIn(PartyIn):
    """A party by its part: what is said of it here, and left open is what is not."""

    slot: SlotName = Field(description="One word, in any script.", examples=["buyer", "买方", "покупатель"])

    # A slot need not be complete: the contract that is made from it is a `ContractIn`, where these are asked.
    @model_validator(mode="after")
    def _one_way_to_be_known(self) -> SlotIn:
        return self

    @model_validator(mode="after")
    def _one_way_to_sign(self) -> SlotIn:
        return self


def _once(slots: list[SlotIn]) -> list[SlotIn]:
    names = [each.slot for each in slots]
    if len(set(names)) < len(names):
        raise PydanticCustomError("slot", "every slot has a name of its own")
    return slots


Slots = Annotated[list[SlotIn], Field(min_length=1, max_length=50), AfterValidator(_once)]
ExpiresAfter = Annotated[
    int | None,
    Field(ge=1, le=3650, description="The deadline of a contract, in days from when it is made."),
]


class TemplateIn(ContractIn):
    """A new template: a contract draft with slots in place of parties."""

    title: Line = Field(
        max_length=300,
        description="Of the contracts too, unless one has its own.",
        examples=["Supply contract"],
    )
    parties: Slots  # type: ignore[assignment] # a list of slots is written where one of parties is
    expires_after_days: ExpiresAfter = None
    expires_at: None = Field(None, description=NOT_HERE)
    relates_to: None = Field(None, description=NOT_HERE)
    external_id: None = Field(None, description=NOT_HERE)


class TemplatePatch(ContractPatch):
    """What of a template is to change; null takes something out, `documents` and `parties` replace the whole list."""

    parties: Slots | None = None  # type: ignore[assignment]
    expires_after_days: ExpiresAfter = None
    expires_at: None = Field(None, description=NOT_HERE)
    relates_to: None = Field(None, description=NOT_HERE)
    external_id: None = Field(None, description=NOT_HERE)


class FilledIn(Body):
    """What makes a contract of a template."""

    title: Line | None = Field(None, max_length=300, description="The template's if left out.")
    parties: list[SlotIn] = Field(
        default_factory=list,
        max_length=50,
        description="What the slots leave open. Role, order and place are the template's; what a slot says is not "
        "said again.",
    )
    expires_at: datetime | None = Field(None, description="By `expires_after_days` of the template if left out.")
    relates_to: RelatesTo | None = None
    external_id: Line | None = Field(None, max_length=200, description="Your own identifier; unique.")


class TemplateOut(BaseModel):
    """A template: beside these, everything that it says, as it was said."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(examples=["tpl_0193f1d2c5a87c1e9a2f6d4b8e0c7a35"])
    version: int = Field(description='Rises with every change; `"v{version}"` is the ETag.')
    title: str
    documents: list[dict[str, Any]]
    parties: list[dict[str, Any]] = Field(description="The slots.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Template) -> TemplateOut:
        """Return the outside of a row."""
        about = {"id": row.id, "version": row.version, "created_at": row.created_at, "updated_at": row.updated_at}
        return cls.model_validate(row.draft | about)


class TemplateItem(BaseModel):
    """A template in a list."""

    id: str
    version: int
    title: str
    created_at: datetime
    updated_at: datetime


class TemplateList(BaseModel):
    """A page of templates, newest first."""

    data: list[TemplateItem]
    next_cursor: str | None
