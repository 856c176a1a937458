"""The format a request wants, out of those we have (RFC 9110 clause 12.5.1).

form = choose(request, {"application/json": "json", "text/html": "html"})
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request

from api.errors import NotAcceptable


def choose(request: Request, formats: Mapping[str, str]) -> str:
    """Return the format with the highest weight, of equals the one we name first. Raises NotAcceptable."""
    header = ", ".join(request.headers.getlist("accept"))[:2000] or "*/*"
    ranges = [weighed for item in header.split(",") if (weighed := _range(item)) is not None]
    best, form = 0.0, None
    for media, name in formats.items():
        weight = _weight(media, ranges)
        if weight > best:
            best, form = weight, name
    if form is None:
        raise NotAcceptable("none of the formats asked for can be given", hint=f"known: {', '.join(formats)}")
    return form


def _range(item: str) -> tuple[str, float] | None:
    media, *parameters = (part.strip().lower() for part in item.split(";"))
    weight = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = min(max(float(value), 0.0), 1.0)
            except ValueError:
                return None
    return (media, weight) if media and weight == weight else None  # noqa: PLR0124 - not a number


def _weight(media: str, ranges: list[tuple[str, float]]) -> float:
    """Return the weight of the most specific range that covers a media type."""
    for pattern in (media, f"{media.partition('/')[0]}/*", "*/*"):
        found = [weight for name, weight in ranges if name == pattern]
        if found:
            return max(found)
    return 0.0
