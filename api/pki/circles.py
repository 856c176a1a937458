"""The closed circles of this service: per suite a small authority of its own, made when it is first needed.

    circle = context.circles.get("sm2")
    certificate = circle.issue("person", subject, spki, days=397)
    circle.tsa.stamp("sm3", digest)              # RFC 3161 token, signed in the circle's own suite

A circle lies in `pki/<suite>/` of the data directory; its keys are encrypted under a password derived from the master
key. It calls itself closed-circle in its names: it is nobody's accredited authority, and only those who accept its root
trust it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api.config import Settings
from api.errors import NotFound
from api.vault import Vault

if TYPE_CHECKING:
    from certs.ca import ClosedCircle
    from certs.certificate import Certificate, Subject
    from certs.trust import TrustStore
    from certs.tsa import TimeStampAuthority

CRL_LIFE: Final = timedelta(hours=1)
"""A revocation list is made anew when the one at hand is older than this."""


class Circle:
    """One suite's authority, its time-stamp authority and its revocation lists."""

    def __init__(self, suite: str, authority: ClosedCircle, tsa: TimeStampAuthority, settings: Settings) -> None:
        self.suite = suite
        self.tsa = tsa
        self._authority, self._settings = authority, settings
        self._lock = threading.Lock()
        self._crls: tuple[bytes, ...] = ()
        self._crls_made = None

    @property
    def root_name(self) -> str:
        """The subject of the root."""
        return self._authority.root.subject

    @property
    def root_pem(self) -> str:
        """The root certificate."""
        return self._authority.root.pem

    @property
    def certificates(self) -> dict[str, Certificate]:
        """The authority's own certificates by their public name."""
        issuing, root = self._authority.chain
        return {f"{self.suite}-issuing": issuing, f"{self.suite}-root": root}

    def issue(self, profile: str, subject: Subject, spki: bytes, *, days: int) -> Certificate:
        """Issue a certificate. Raises ProfileError, BadIdentifier or IssuanceError."""
        with self._lock:
            return self._authority.issue(profile, subject, spki, days=days)

    def pem_with_chain(self, certificate: Certificate) -> str:
        """Return a certificate followed by its chain."""
        return "".join(each.pem for each in (certificate, *self._authority.chain))

    def crls(self) -> tuple[bytes, ...]:
        """Return the revocation lists of issuing authority and root, DER."""
        with self._lock:
            now = self._settings.clock.now()
            if self._crls_made is None or not timedelta(0) <= now - self._crls_made < CRL_LIFE:
                self._crls = (self._authority.crl(), self._authority.root_crl())
                self._crls_made = now
            return self._crls
