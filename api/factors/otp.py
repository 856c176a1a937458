"""One-time codes by time (TOTP, RFC 6238), computed by `cryptography`.

    secret = new_secret("SHA1")
    uri(secret, "SHA1", "王伟", "Sealroad")                      # otpauth://totp/…, for an authenticator app
    matching_step(secret, "SHA1", "492039", now, after=None)     # 59123456, or None

A code counts for one time step: that of now, the one before or the one after (RFC 6238 5.2, for clocks that differ and
for the time it takes to type). `after` is the newest step of which a code was taken: none up to it is taken again.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from typing import Final, Literal

from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.twofactor.totp import TOTP

Algorithm = Literal["SHA1", "SHA256"]

DIGITS: Final = 6
PERIOD: Final = 30
"""Seconds of a time step: what every app knows (RFC 6238 5.2)."""
DRIFT: Final = 1
"""Steps before and after the present one."""
SIZES: Final[dict[Algorithm, int]] = {"SHA1": 20, "SHA256": 32}
"""Octets of a secret: as long as the output of the hash (RFC 6238 5.1, RFC 4226 4 R6)."""


def new_secret(algorithm: Algorithm) -> bytes:
    """Return a new shared secret."""
    return secrets.token_bytes(SIZES[algorithm])


def uri(secret: bytes, algorithm: Algorithm, account: str, issuer: str) -> str:
    """Return the otpauth URI that authenticator apps read, as a rule out of a QR code. It has the secret in it."""
    return _totp(secret, algorithm).get_provisioning_uri(account, issuer)


def matching_step(secret: bytes, algorithm: Algorithm, code: str, now: datetime, *, after: int | None) -> int | None:
    """Return the time step that a code is of, None where it is of none that may be taken now."""
    totp, present = _totp(secret, algorithm), int(now.timestamp()) // PERIOD
    found = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        same = hmac.compare_digest(totp.generate(step * PERIOD), code.encode("utf-8", "surrogatepass"))
        if same and (after is None or step > after):
            found = step
    return found


def _totp(secret: bytes, algorithm: Algorithm, digits: int = DIGITS) -> TOTP:
    return TOTP(secret, digits, SHA1() if algorithm == "SHA1" else SHA256(), PERIOD)  # noqa: S303 - as RFC 6238 has it
