"""The picture of a seal that is applied for: one that the client has, or one that is drawn here."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from api.kit.refusals import refuse
from api.seals.schemas import DrawingIn, PictureIn, SealIn

if TYPE_CHECKING:
    from signer.seals import SealPicture

TYPES: Final = {"png": "PNG", "jpeg": "JPG", "svg": "SVG"}
"""As the texts of the standards and the seals in use write them."""
DPI: Final = 600
"""A drawn seal looks right beside a printed one."""


def picture_of(body: SealIn) -> SealPicture:
    """Return the picture. Raises ValidationFailed; AppearanceError where it cannot be used or drawn."""
    if body.picture is not None:
        return _given(body.picture)
    assert body.drawing is not None
    organisation = body.owner.organisation if body.owner is not None else None
    return _drawn(body.drawing, body.drawing.name or organisation or body.name)


def _given(body: PictureIn) -> SealPicture:
    from signer.seals import SealPicture
    from signer.seals.picture import check_picture
    from signer.seals.size import size_of

    try:
        data = base64.b64decode("".join(body.data.split()), validate=True)
    except binascii.Error:
        raise refuse("/picture/data", "base64", "is not base64") from None
    checked = check_picture(data)
    if checked.kind not in TYPES:
        raise refuse("/picture/data", "kind", "is neither PNG, JPEG nor SVG")
    width, height = size_of(checked, (body.width, body.height))
    return SealPicture(TYPES[checked.kind], data, width, height)


def _drawn(body: DrawingIn, name: str) -> SealPicture:
    from signer.seals import SealPicture
    from signer.seals.drawing import SealDrawing, SealKind, draw, parse_colour

    drawn = draw(
        SealDrawing(
            kind=SealKind(body.form),
            name=name,
            title=body.title,
            code=body.code,
            lines=tuple(body.lines),
            width=body.width,
            height=body.height,
            colour=parse_colour(body.colour) if body.colour is not None else None,
        )
    )
    return SealPicture("PNG", drawn.png(DPI), round(drawn.width), round(drawn.height))
