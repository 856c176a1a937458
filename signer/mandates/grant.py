"""What both kinds of power of attorney have in common: who lets whom act, from which day to which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta, timezone
from typing import Any, Final, Literal

from certs.mandates import Actor, Mandate

MOSCOW: Final = timezone(timedelta(hours=3), "Moscow")
"""Days of a МЧД are counted there (documentation of the Diadoc API, structure PowerOfAttorney)."""
BEIJING: Final = timezone(timedelta(hours=8), "Beijing")


@dataclass(frozen=True)
class Letter:
    """What somebody states that a signed PDF says. It is not compared with the PDF."""

    principal: Actor
    representative: Actor
    scope: str
    limit: str | None
    first: date
    last: date

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; `issued` and `expires` are named as in a МЧД."""
        return {
            "format": "stated",
            "issued": self.first.isoformat(),
            "expires": self.last.isoformat(),
            "principals": [self.principal.to_json()],
            "representatives": [self.representative.to_json()],
            "powers_text": self.scope,
            "limit": self.limit,
        }


@dataclass(frozen=True)
class Grant:
    """Who lets whom act, and when."""

    kind: Literal["mandate", "letter"]
    principals: tuple[Actor, ...]
    """Who gives it, and signs it."""
    representatives: tuple[Actor, ...]
    represented: tuple[Actor, ...]
    """For whom the representatives act: of a sub-delegation, who gave the first power of attorney."""
    first: date
    last: date
    """The last day on which it may be used."""
    zone: timezone
    """Where days begin."""
    root: str | None = None
    """Of a sub-delegation: the number of the first power of attorney, or "on paper"."""
    joint_code: str | None = None


def grant_of(source: Mandate | Letter) -> Grant:
    """Return the common part."""
    if isinstance(source, Letter):
        parties = (source.principal,), (source.representative,), (source.principal,)
        return Grant("letter", *parties, source.first, source.last, BEIJING)
    root = (source.root.number or "on paper") if source.root is not None else None
    return Grant(
        "mandate",
        source.principals,
        source.representatives,
        source.root.principals if source.root is not None else source.principals,
        source.issued,
        source.expires,
        MOSCOW,
        root,
        source.joint_code,
    )
