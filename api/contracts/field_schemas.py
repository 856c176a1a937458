"""What form fields look like from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, Field, StrictBool, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from api.contracts import fields
from api.contracts.parts import DocumentID, PartyID
from api.kit.fields import Body, Line, Text

if TYPE_CHECKING:
    from api.contracts.models import Contract

Kind = Literal["text", "date", "checkbox"]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
FieldValues = dict[FieldName, StrictBool | Annotated[str, StringConstraints(max_length=4000)]]
"""Name → text, ISO 8601 date, or whether a box is ticked."""

VALUES: Final = (
    "What the party fills into its form fields: name → text, date (YYYY-MM-DD), or whether a box is ticked. A field "
    "that is left out keeps what the sender put there."
)


class FieldPlace(Body):
    """Where a field stands, in points from the lower left corner of the page."""

    document: DocumentID | None = Field(None, description="Which document; the first one if left out.")
    page: int = Field(ge=1, le=100_000, description="Counted from 1.")
    box: tuple[float, float, float, float] = Field(description="x1, y1, x2, y2", examples=[[60, 300, 260, 320]])

    @field_validator("box")
    @classmethod
    def _box_is_one(cls, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        x1, y1, x2, y2 = box
        if not all(-14_400 <= edge <= 14_400 for edge in box) or x2 <= x1 or y2 <= y1:
            raise PydanticCustomError("box", "a box has x1 < x2 and y1 < y2")
        return box


class FieldIn(Body):
    """A form field that a party fills when it signs."""

    name: FieldName = Field(description="Unique in the contract; also its name in the PDF.")
    party: Annotated[int, Field(strict=True, ge=0, le=49)] | PartyID = Field(
        description="Who fills it: a place in `parties` of this request, or of the one that set them, from 0; or an id."
    )
    kind: Kind
    places: list[FieldPlace] = Field(
        min_length=1, max_length=20, description="Where it stands; the same value everywhere, in every document."
    )
    label: Line | None = Field(None, max_length=200, description="What it asks, also for who does not see the page.")
    required: bool = Field(False, description="Whether the party cannot sign without it; of a box: without a tick.")
    max_length: int | None = Field(None, ge=1, le=4000, description="Characters of a text.")
    value: StrictBool | Annotated[Text, Field(max_length=4000)] | None = Field(
        None, description="What stands there already; the party may replace it."
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.value is not None and isinstance(self.value, bool) != (self.kind == "checkbox"):
            raise PydanticCustomError("value", "a checkbox holds true or false, other fields hold text")
        if self.max_length is not None and self.kind != "text":
            raise PydanticCustomError("max_length", "only a text has a length")
        from signer.forms.fields import MIN_CHECKBOX, MIN_TEXT

        least = MIN_CHECKBOX if self.kind == "checkbox" else MIN_TEXT
        for place in self.places:
            x1, y1, x2, y2 = place.box
            if x2 - x1 < least[0] or y2 - y1 < least[1]:
                raise PydanticCustomError("box", "a box is at least 20 by 12 points, 6 by 6 to be ticked")
        return self


class FieldOut(BaseModel):
    """A form field and what stands in it."""

    name: str
    party: str = Field(description="Id of the party that fills it, or filled it.")
    kind: Kind
    label: str | None
    required: bool
    max_length: int | None
    value: bool | str | None = Field(description="What the party stated; before that, what the sender put there.")
    places: list[dict[str, Any]]

    @classmethod
    def all_of(cls, contract: Contract) -> list[FieldOut]:
        """Return the fields of a contract."""
        found = []
        for definition in contract.fields or ():
            party = fields.filler_of(contract, definition)
            places = [{**place, "document": fields.document_of(contract, place)} for place in definition["places"]]
            value = (party.field_values or {}).get(definition["name"], definition["value"])
            found.append(cls.model_validate({**definition, "party": party.id, "places": places, "value": value}))
        return found
