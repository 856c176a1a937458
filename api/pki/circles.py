"""The closed circles of this service: per suite a small authority of its own, made when it is first needed.

    circle = context.circles.get("sm2")
    certificate = circle.issue("person", subject, spki, days=397)
    circle.tsa.stamp("sm3", digest)              # RFC 3161 token, signed in the circle's own suite

A circle lies in `pki/<suite>/` of the data directory; its keys are encrypted under a password derived from the master
key. It calls itself closed-circle in its names: it is nobody's accredited authority, and only those who accept its root
trust it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from api.config import Settings
from api.vault import Vault

CRL_FRESH: Final = timedelta(hours=1)
"""A revocation list is made anew when the one at hand is older than this."""


class Circles:
    """Placeholder."""

    def __init__(self, settings: Settings, vault: Vault) -> None: ...

    def close(self) -> None: ...
