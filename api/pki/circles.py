"""The closed circles of this service: per suite a small authority of its own, made when it is first needed.

    circle = context.circles.get("sm2")
    certificate = circle.issue("person", subject, spki, days=397)
    circle.tsa.stamp("sm3", digest)              # RFC 3161 token, signed in the circle's own suite

A circle lies in `pki/<suite>/` of the data directory (see `certs.circle`), its keys encrypted under passwords derived
from the master key. It calls itself closed-circle in its names: it is
nobody's accredited authority, and only those who accept its root trust it.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from api.config import Settings
from api.errors import NotFound
from api.pki.circle import Circle, exclusive
from api.vault import Vault

if TYPE_CHECKING:
    from certs.certificate import Certificate
    from certs.trust import TrustStore

log = logging.getLogger("sealroad.pki")

DELTA_LIFE: Final = timedelta(days=1)
UNKNOWN_COUNTRY: Final = "XX"
"""User-assigned in ISO 3166-1: for whoever does not say where they are. The service does not guess."""


class Circles:
    """All circles of one data directory. Several processes may share it: making one is done under a file lock."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings, self._vault = settings, vault
        self._root = settings.data / "pki"
        self._open: dict[str, Circle] = {}
        self._lock = threading.Lock()
        self._trusted: tuple[tuple[bytes, ...], TrustStore] | None = None

    def get(self, suite: str) -> Circle:
        """Return the circle of a suite; make it if there is none yet. Raises UnsupportedAlgorithm."""
        from certs import suites

        suites.must_sign(suite)
        suites.get(suite)
        with self._lock:
            if suite not in self._open:
                with exclusive(self._root):
                    if not (self._root / suite).is_dir():
                        self._create(suite)
                self._open[suite] = Circle(suite, self._root / suite, self._secrets(suite), self._settings)
            return self._open[suite]

    def existing(self) -> list[Circle]:
        """Return the circles that have been made so far."""
        names = sorted(path.name for path in self._root.glob("*/") if not path.name.startswith("."))
        return [self.get(name) for name in names]

    def crl(self, issuer: str) -> bytes:
        """Return a revocation list by the key identifier of its issuer and the end of its name. Raises NotFound."""
        for circle in self.existing():
            found = circle.crl(issuer)
            if found is not None:
                return found
        raise NotFound("there is no such issuer")

    def ocsp(self, request: bytes) -> bytes:
        """Answer an OCSP request with the responders of the circle it asks about. Never raises for its content."""
        from certs.errors import CertsError, MalformedInput
        from certs.ocsp import INTERNAL_ERROR, MALFORMED_REQUEST, UNAUTHORIZED, error_response
        from certs.ocsp_responder import parse

        try:
            asked = parse(request)
        except MalformedInput:
            return error_response(MALFORMED_REQUEST)
        circles = self.existing()
        for cert_id in asked.cert_ids:
            for circle in circles:
                if any(map(cert_id.matches, circle.authorities)):
                    try:
                        return circle.responders().answer(asked)
                    except CertsError:
                        log.exception("the OCSP responder of %s cannot be opened", circle.suite)
                        return error_response(INTERNAL_ERROR)
        return error_response(UNAUTHORIZED)

    def certificate(self, name: str) -> Certificate:
        """Return a certificate by fingerprint or by the key identifier of an authority. Raises NotFound."""
        for circle in self.existing():
            for certificate in circle.authorities:
                if certificate.ski is not None and certificate.ski.hex() == name:
                    return certificate
            found = circle.find(name) if len(name) == 64 else None
            if found is not None:
                return found
        raise NotFound("there is no such certificate")

    def trust_store(self, given: tuple[bytes, ...] = ()) -> TrustStore:
        """Return a store of all our roots with current revocation lists, and what is `given`. Raises MalformedInput."""
        from certs.trust import is_anchor, parse

        store = self._own_trust()
        for data in given:
            certificates, crls, ocsps = parse(data)
            if certificates and not any(map(is_anchor, certificates)):
                store = store.trusting(certificates)  # what was named explicitly was named to be trusted
            store = store.with_(certificates, crls, ocsps)
        return store

    def _own_trust(self) -> TrustStore:
        from certs.crl import CRL
        from certs.trust import TrustStore

        circles = self.existing()
        lists = tuple(crl for circle in circles for crl in circle.crls().values())
        if self._trusted is None or self._trusted[0] != lists:
            chains = (certificate for circle in circles for certificate in circle.authorities)
            self._trusted = lists, TrustStore().with_(chains, map(CRL, lists))
        return self._trusted[1]

    def close(self) -> None:
        """Close all circles."""
        from certs.errors import CertsError

        with self._lock:
            for circle in self._open.values():
                try:
                    circle.end_batches()
                except CertsError:
                    log.exception("what the keys of %s have signed could not be counted", circle.suite)
                circle.close()
            self._open.clear()

    def roll_over(self, suite: str, *, root: bool = False) -> tuple[Certificate, Certificate]:
        """Begin the next generation of a circle that exists; return its issuing and root certificates.

        Every running process of the service sees it at its next use of the circle. Raises NotFound, CertsError.
        """
        from certs import circle, suites

        directory = self._root / suite
        if suite not in suites.ALL_NAMES or not directory.is_dir():
            raise NotFound(f"there is no circle of {suite}", hint="the service makes one when it first needs it")
        with exclusive(self._root):
            made = circle.roll_over(directory, self._secrets(suite), self._settings.clock, root=root)
            made.close()
            return made.chain

    def _create(self, suite: str) -> None:
        from certs import circle
        from certs.status import ListPolicy

        settings = self._settings
        directory = self._root / f".{suite}.new"
        shutil.rmtree(directory, ignore_errors=True)
        made = circle.create(
            directory,
            suite,
            organisation=settings.circle_organisation,
            country=settings.circle_country or UNKNOWN_COUNTRY,
            secrets=self._secrets(suite),
            clock=settings.clock,
            crl_url=self._address("crl/{issuer}.crl"),
            issuer_url=self._address("certs/{issuer}.cer"),
            ocsp_url=self._address("ocsp"),
            lists=ListPolicy(partitions=settings.circle_partitions, delta_life=DELTA_LIFE),
        )
        made.close()  # before the files get other names
        directory.rename(self._root / suite)

    def _secrets(self, suite: str) -> Callable[[str], bytes]:
        """Answer the questions of `certs.circle` for passwords."""
        from certs.keys.base import StrongSecret

        return lambda question: StrongSecret(self._vault.derive(f"circle {suite}: {question}").hex().encode())

    def _address(self, path: str) -> str | None:
        """Return the public address of something under /pki; the authority fills in its key identifier."""
        url = self._settings.public_url
        return None if url is None else f"{url.rstrip('/')}/pki/{path}"
