"""People who can be written to: a key and a certificate for encryption, in every suite that encrypts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from certs import der
from certs.certificate import Certificate
from certs.suites.base import PrivateKey
from tests.conftest import ALL_SUITES, circle_of, keys_of, subjects_of

ENCRYPTING: tuple[str, ...] = (
    "rsa",
    *(name for name in ALL_SUITES if name.startswith("ecdsa")),
    *("sm2", "gost2012-256", "gost2012-512"),
)
"""Suites whose keys encrypt."""
FAMILIES = ("rsa", "ecdsa-p256", "sm2", "gost2012-256")
"""One suite of each way, for heavier tests."""


@dataclass(frozen=True)
class Mailbox:
    """Somebody with an encryption key."""

    key: PrivateKey
    certificate: Certificate


def secret_of(key: PrivateKey) -> bytes:
    """Return octets that nobody but the holder of a key may have."""
    encoded = der.split_pkcs8(key.pkcs8())[1]
    if key.suite.name.startswith(("ecdsa", "sm2")):  # the public half stands at the end
        body = der.Reader(encoded).enter()
        body.integer()
        return body.value(der.OCTET_STRING)
    return encoded[-32:]


def mailbox(suite_name: str, number: int = 0) -> Mailbox:
    """Return one of two mailboxes of the suite's circle, the same every time."""
    return _mailbox(suite_name, number)


@cache
def _mailbox(suite_name: str, number: int) -> Mailbox:
    key = keys_of(suite_name)[2 + number]
    subject = subjects_of(suite_name)[number]
    return Mailbox(key, circle_of(suite_name).ca.issue("encryption", subject, key.public_key.spki))
