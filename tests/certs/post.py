"""People who can be written to: a key and a certificate for encryption, in every suite that encrypts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from certs import der
from certs.certificate import Certificate
from certs.suites import ENCRYPTION_NAMES
from certs.suites.base import PrivateKey
from tests.certs.forge import forge
from tests.conftest import ALL_SUITES, Circle, circle_of, keys_of, subjects_of

BOTH: tuple[str, ...] = (
    "rsa",
    *(name for name in ALL_SUITES if name.startswith("ecdsa")),
    *("sm2", "gost2012-256", "gost2012-512"),
)
"""Suites whose keys sign or encrypt, as their certificates say."""
ENCRYPTING: tuple[str, ...] = (*BOTH, *ENCRYPTION_NAMES)
"""Suites whose keys encrypt."""
FAMILIES = ("rsa", "ecdsa-p256", "sm2", "gost2012-256")
"""One suite of each family and way of those, for heavier tests."""
WAYS = (*FAMILIES, "x25519", "ml-kem-768")
"""One suite of each way."""
CERTIFIED_BY = {"x25519": "ed25519", "x448": "ed448", "ml-kem-768": "ml-dsa-65", "ml-kem-1024": "ml-dsa-87"}
"""The circle that certifies keys which cannot sign; all others are certified by one of their own suite."""


@dataclass(frozen=True)
class Mailbox:
    """Somebody with an encryption key."""

    key: PrivateKey
    certificate: Certificate


def secret_of(key: PrivateKey) -> bytes:
    """Return octets that nobody but the holder of a key may have."""
    encoded = der.split_pkcs8(key.pkcs8())[1]  # of those that only encrypt: a seed or a scalar, at the end
    if key.suite.name.startswith(("ecdsa", "sm2")):  # the public half stands at the end
        body = der.Reader(encoded).enter()
        body.integer()
        return body.value(der.OCTET_STRING)
    return encoded[-32:]


def circle_for(suite_name: str) -> Circle:
    """Return the circle that certifies keys of a suite."""
    return circle_of(CERTIFIED_BY.get(suite_name, suite_name))


def misused(suite_name: str) -> Certificate:
    """Return a certificate of a key that cannot sign, whose key usage says that it does nothing else."""
    key, circle = keys_of(suite_name)[0], circle_for(suite_name)
    return forge("Anna Becker", key, circle.issuing, circle.person.key)


def mailbox(suite_name: str, number: int = 0) -> Mailbox:
    """Return one of two mailboxes of the suite's circle, the same every time."""
    return _mailbox(suite_name, number)


@cache
def _mailbox(suite_name: str, number: int) -> Mailbox:
    key = keys_of(suite_name)[2 + number]
    subject = subjects_of(suite_name)[number]
    return Mailbox(key, circle_for(suite_name).ca.issue("encryption", subject, key.public_key.spki))
