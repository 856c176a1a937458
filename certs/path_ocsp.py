"""OCSP answers as evidence in a path validation: which one speaks, and whether it may (RFC 6960 3.2, 4.2.2.2).

    evidence = OCSPEvidence(at, limits, responses, pool)
    found = evidence.about(certificate, issuer, good)      # OCSPAnswer, or a sentence that says why there is none

`good(responder)` says by lists whether a responder without nocheck is not revoked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from certs import oids, suites
from certs.certificate import Certificate
from certs.errors import CertsError
from certs.ocsp import OCSPResponse, SingleResponse
from certs.ocsp_check import critical_extension, find_responder, is_nocheck, why_not_current
from certs.path_result import Limits
from certs.suites.policy import digest_is_good


@dataclass(frozen=True)
class OCSPAnswer:
    """An answer that may be believed."""

    single: SingleResponse
    response: OCSPResponse


def why_weak(algorithm: bytes, at: datetime) -> str | None:
    """Return why a signature of that algorithm (DER) on a list or an answer proves nothing at the moment, or None.

    As of certificates (`certs.path_algorithms`): who asks a responder chooses part of what it signs, the nonce. Raises
    MalformedInput, UnsupportedAlgorithm.
    """
    name = suites.signature_digest(algorithm)
    if name is None or digest_is_good(name, at):
        return None
    return f"the list or answer is signed over {name}, which is no longer good enough"


class OCSPEvidence:
    """The responses of one validation."""

    def __init__(
        self, at: datetime, limits: Limits, responses: Iterable[OCSPResponse], pool: Iterable[Certificate] = ()
    ) -> None:
        self.at, self.limits = at, limits
        self.responses = tuple(dict.fromkeys(item for item in responses if item.status == "successful"))
        # who may have signed them, where a response came without its responder's certificate
        self.pool = tuple(item for item in pool if oids.OCSP_SIGNING in item.extended_key_usage)
        self._checked = 0

    def about(
        self, certificate: Certificate, issuer: Certificate, good: Callable[[Certificate], str | None]
    ) -> OCSPAnswer | str:
        """Return the newest usable answer about a certificate of `issuer`, or why there is none."""
        why = "no OCSP answer"
        found: list[tuple[datetime, OCSPAnswer]] = []
        for response in self.responses:
            try:
                single = response.about(certificate, issuer)
                if single is None:
                    continue
                reason = self._why_not(response, single, certificate, issuer, good)
            except CertsError as error:
                why = f"the OCSP answer cannot be used: {error}"
                continue
            if reason:
                why = reason
            else:
                found.append((single.this_update, OCSPAnswer(single, response)))
        return max(found, key=lambda pair: pair[0])[1] if found else why

    def _why_not(
        self,
        response: OCSPResponse,
        single: SingleResponse,
        certificate: Certificate,
        issuer: Certificate,
        good: Callable[[Certificate], str | None],
    ) -> str | None:
        if single.status == "unknown":
            return "the OCSP responder does not know the certificate"
        unknown = critical_extension(response, single)
        if unknown:
            return f"the OCSP answer has the unknown critical extension {unknown}"
        why = why_not_current(single, certificate, self.at)
        if why:
            return why
        if self._checked >= self.limits.ocsp_signatures:
            return f"more than {self.limits.ocsp_signatures} OCSP answers"
        self._checked += 1
        weak = why_weak(response.signature_algorithm, self.at)
        if weak:
            return weak
        responder = find_responder(response, issuer, self.pool, at=self.at)
        if responder != issuer and not is_nocheck(responder):
            return good(responder)
        return None
