"""Whether one certificate of a chain is revoked, by what is at hand (RFC 5280 6.3, RFC 6960, EN 319 102-1 5.2.5).

    checker = RevocationChecker(at, limits, crls, ocsps, pool)
    check = checker.check(certificate, issuer, leaf=True)      # passed, or not-checked; revoked raises Stop

A list counts only if it is signed by the issuer of the certificate, in scope, and current at the moment; a list made
after the moment counts too, since it knows more, unless the certificate may have been dropped from it by then. The same
holds for OCSP answers (`certs.path_ocsp`). Of everything that counts the newest is believed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from certs import oids
from certs.certificate import Certificate
from certs.crl import CRL
from certs.errors import BadSignature, CertsError
from certs.ocsp import OCSPResponse
from certs.path_ocsp import OCSPAnswer, OCSPEvidence
from certs.path_result import Check, Limits, Stop


@dataclass(frozen=True)
class _Answer:
    """What a list or an OCSP response says."""

    made: datetime
    basis: str
    source: CRL | OCSPResponse
    revoked_at: datetime | None = None
    reason: str = "unspecified"


class RevocationChecker:
    """The lists and answers of one validation."""

    def __init__(
        self,
        at: datetime,
        limits: Limits,
        crls: Iterable[CRL],
        ocsps: Iterable[OCSPResponse] = (),
        pool: Iterable[Certificate] = (),
    ) -> None:
        self.at, self.limits = at, limits
        self.lists = tuple(dict.fromkeys(crls))
        self.used: list[CRL] = []
        """The lists that answers rest on."""
        self.used_ocsps: list[OCSPResponse] = []
        self._ocsps = OCSPEvidence(at, limits, ocsps, pool)
        self._signatures = 0

    def check(self, certificate: Certificate, issuer: Certificate, *, leaf: bool) -> Check:
        """Return the answer for `certificate`, issued by `issuer`; raises Stop where it is revoked."""
        clause = "EN 319 102-1 5.2.5; RFC 5280 6.3"
        by_list = self._by_lists(certificate, issuer)
        by_ocsp = self._by_ocsp(certificate, issuer)
        answers = [item for item in (by_ocsp, by_list) if isinstance(item, _Answer)]
        if not answers:
            why = "no revocation list or OCSP answer"
            reasons = [item for item in (by_list, by_ocsp) if isinstance(item, str) and item not in _NOTHING]
            return Check("revocation", clause, "not-checked", f"{certificate.subject}: {'; '.join(reasons) or why}")
        # the newest; of two of the same moment the one that knows of a revocation
        answer = max(answers, key=lambda item: (item.made, item.revoked_at is not None))
        self._use(answer)
        if answer.revoked_at is not None and answer.revoked_at <= self.at:
            detail = f"{certificate.subject} was revoked on {answer.revoked_at.isoformat()} ({answer.reason})"
            raise Stop(
                Check("revocation", clause, "failed", detail, answer.basis),
                "REVOKED_NO_POE" if leaf else "REVOKED_CA_NO_POE",
                revoked_at=answer.revoked_at,
                revocation_reason=answer.reason,
                revoked=certificate,
            )
        later = f", revoked later, on {answer.revoked_at.isoformat()}" if answer.revoked_at is not None else ""
        return Check("revocation", clause, "passed", f"{certificate.subject} not revoked{later}", answer.basis)

    def _use(self, answer: _Answer) -> None:
        if isinstance(answer.source, CRL):
            self.used.append(answer.source)
        else:
            self.used_ocsps.append(answer.source)

    def _by_ocsp(self, certificate: Certificate, issuer: Certificate) -> _Answer | str:
        found = self._ocsps.about(certificate, issuer, lambda responder: self._why_not_good(responder, issuer))
        if not isinstance(found, OCSPAnswer):
            return found
        single = found.single
        basis = f"OCSP answer of {single.this_update.isoformat()}"
        return _Answer(single.this_update, basis, found.response, single.revoked_at, single.reason or "unspecified")

    def _why_not_good(self, responder: Certificate, issuer: Certificate) -> str | None:
        """Return why a responder without nocheck is not known to be good, by lists of its issuer."""
        answer = self._by_lists(responder, issuer)
        if not isinstance(answer, _Answer):
            return f"whether the OCSP responder {responder.subject} is revoked is not known: {answer}"
        if answer.revoked_at is not None:  # whenever: who has its key may have put any date into an answer
            return f"the OCSP responder {responder.subject} is revoked"
        self._use(answer)
        return None

    def _by_lists(self, certificate: Certificate, issuer: Certificate) -> _Answer | str:
        why = _NO_LIST
        best: CRL | None = None
        for crl in self.lists:
            if crl.issuer_name.key != issuer.subject_name.key or (crl.aki and issuer.ski and crl.aki != issuer.ski):
                continue
            reason = self._why_not(crl, certificate, issuer)
            if reason:
                why = reason
            elif best is None or crl.this_update > best.this_update:
                best = crl
        if best is None:
            return why
        basis = f"CRL {best.number if best.number is not None else '?'} of {best.this_update.isoformat()}"
        entry = best.status(certificate.serial)
        if entry is None or entry.reason == "removeFromCRL":
            return _Answer(best.this_update, basis, best)
        return _Answer(best.this_update, basis, best, entry.at, entry.reason)

    def _why_not(self, crl: CRL, certificate: Certificate, issuer: Certificate) -> str | None:
        """Return why `crl` says nothing about `certificate` at the moment, or None where it does (RFC 5280 6.3.3)."""
        try:
            if crl.unusable:
                return f"the revocation list cannot be used: {crl.unusable}"
            scope = crl.scope
            if scope.only_attributes or (scope.only_users and certificate.is_ca):
                return "the revocation list is for other certificates"
            if scope.only_authorities and not certificate.is_ca:
                return "the revocation list is for authorities only"
            points = [point for point in certificate.distribution_points if not point.other_issuer]
            if scope.names and not any(set(point.names) & set(scope.names) for point in points if not point.reasons):
                return "the revocation list is of another distribution point"
            if self.at >= crl.this_update:
                # 6.3.3 (a): current at the moment
                if crl.next_update is None or self.at > crl.next_update:
                    return f"the revocation list of {crl.this_update.isoformat()} is out of date"
            elif certificate.not_after < crl.this_update and crl.extension(oids.EXPIRED_CERTS_ON_CRL) is None:
                # a later list is the better witness, unless the certificate may have been dropped from it
                return "the revocation list was made after the certificate had expired"
            if self._signatures >= self.limits.crl_signatures:
                return f"more than {self.limits.crl_signatures} revocation lists"
            self._signatures += 1
            crl.check_signed_by(issuer)
            crl.status(certificate.serial)
        except BadSignature as error:
            return f"the revocation list is not signed by {issuer.subject}: {error}"
        except CertsError as error:
            return f"the revocation list cannot be read: {error}"
        return None


_NO_LIST = "no revocation list"
_NOTHING = frozenset({_NO_LIST, "no OCSP answer"})
