"""Whether one certificate of a chain is revoked, by lists at hand (RFC 5280 6.3, EN 319 102-1 5.2.5).

    checker = RevocationChecker(at, limits, crls)
    check = checker.check(certificate, issuer, leaf=True)      # passed, or not-checked; revoked raises Stop

A list counts only if it is signed by the issuer of the certificate, in scope, and current at the moment; a list made
after the moment counts too, since it knows more, unless the certificate may have been dropped from it by then.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from certs import oids
from certs.certificate import Certificate
from certs.crl import CRL
from certs.errors import BadSignature, CertsError
from certs.path_result import Check, Limits, Stop


class RevocationChecker:
    """The lists of one validation."""

    def __init__(self, at: datetime, limits: Limits, crls: Iterable[CRL]) -> None:
        self.at, self.limits = at, limits
        self.lists = tuple(dict.fromkeys(crls))
        self.used: list[CRL] = []
        """The lists that answers rest on."""
        self._signatures = 0

    def check(self, certificate: Certificate, issuer: Certificate, *, leaf: bool) -> Check:
        """Return the answer for `certificate`, issued by `issuer`; raises Stop where it is revoked."""
        clause = "EN 319 102-1 5.2.5; RFC 5280 6.3"
        why = "no revocation list"
        best: tuple[datetime, CRL] | None = None
        for crl in self.lists:
            if crl.issuer_name.key != issuer.subject_name.key or (crl.aki and issuer.ski and crl.aki != issuer.ski):
                continue
            reason = self._why_not(crl, certificate, issuer)
            if reason:
                why = reason
            elif best is None or crl.this_update > best[0]:
                best = (crl.this_update, crl)
        if best is None:
            return Check("revocation", clause, "not-checked", f"{certificate.subject}: {why}")
        crl = best[1]
        basis = f"CRL {crl.number if crl.number is not None else '?'} of {crl.this_update.isoformat()}"
        self.used.append(crl)
        entry = crl.status(certificate.serial)
        if entry is not None and entry.reason != "removeFromCRL" and entry.at <= self.at:
            detail = f"{certificate.subject} was revoked on {entry.at.isoformat()} ({entry.reason})"
            raise Stop(
                Check("revocation", clause, "failed", detail, basis),
                "REVOKED_NO_POE" if leaf else "REVOKED_CA_NO_POE",
                revoked_at=entry.at,
                revocation_reason=entry.reason,
                revoked=certificate,
            )
        later = f", revoked later, on {entry.at.isoformat()}" if entry is not None else ""
        return Check("revocation", clause, "passed", f"{certificate.subject} not revoked{later}", basis)

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
