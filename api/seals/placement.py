"""Where a seal goes, as a client says it; see `signer.pades.placement`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from api.kit.fields import Body, Line

if TYPE_CHECKING:
    from signer.pades.placement import Placement

Points = Annotated[float, Field(ge=-14_400, le=14_400, allow_inf_nan=False)]


class AtPointIn(Body):
    """The middle of the seal at a point of one page."""

    at: Literal["point"]
    page: int = Field(ge=-100_000, le=100_000, description="Counted from 1; -1 is the last.")
    x: Points = Field(description="Points from the left edge, as the page is shown.")
    y: Points = Field(description="Points from the lower edge.")

    def placement(self) -> Placement:
        """Return it for the signer."""
        from signer.pades.placement import AtPoint

        return AtPoint(self.page, self.x, self.y)


class AtKeywordIn(Body):
    """The middle of the seal on a text of the document."""

    at: Literal["keyword"]
    text: Line = Field(max_length=200, examples=["（盖章）", "М.П."])
    occurrence: int = Field(1, ge=-1000, le=1000, description="Counted from 1 in reading order; -1 is the last.")
    dx: Points = Field(0.0, description="Points by which it is moved.")
    dy: Points = 0.0

    def placement(self) -> Placement:
        """Return it for the signer. Raises OptionError."""
        from signer.pades.placement import AtKeyword

        return AtKeyword(self.text, self.occurrence, self.dx, self.dy)


class EveryPageIn(Body):
    """The middle of the seal at the same point of every page; the lower right corner if left out."""

    at: Literal["every-page"]
    x: Points | None = None
    y: Points | None = None

    def placement(self) -> Placement:
        """Return it for the signer."""
        from signer.pades.placement import EveryPage

        return EveryPage(self.x, self.y)


class CrossPageIn(Body):
    """A slice of the seal at the edge of every page (骑缝章)."""

    at: Literal["edges"]
    side: Literal["left", "right"] = "right"
    height: float = Field(0.5, ge=0, le=1, description="Of its middle: 0 at the bottom of each page, 1 at the top.")

    def placement(self) -> Placement:
        """Return it for the signer."""
        from signer.pades.placement import CrossPage

        return CrossPage(self.side, self.height)


PlacementIn = Annotated[AtPointIn | AtKeywordIn | EveryPageIn | CrossPageIn, Field(discriminator="at")]
