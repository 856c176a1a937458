"""Steps 1, 4, 5 and 6 of `certs.path`: what every certificate of a chain must be, whatever stands above it.

check_well_formed(leaf)                    # Stop, where it is not
check_validity(chain, at)                  # a Check that passed, or Stop
is_sound(issuer, at, "signing")            # whether a chain with it could hold at all
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from certs import oids
from certs.certificate import Certificate
from certs.errors import CertsError
from certs.path_purpose import may_issue_for
from certs.path_result import Check, Purpose, Stop

KNOWN_CRITICAL = frozenset(
    {
        oids.KEY_USAGE,
        oids.BASIC_CONSTRAINTS,
        oids.EXTENDED_KEY_USAGE,
        oids.SUBJECT_ALT_NAME,
        oids.CERTIFICATE_POLICIES,
        oids.CRL_DISTRIBUTION_POINTS,
        oids.AUTHORITY_KEY_IDENTIFIER,
        oids.SUBJECT_KEY_IDENTIFIER,
        oids.POLICY_MAPPINGS,
        oids.INHIBIT_ANY_POLICY,
        oids.PRIVATE_KEY_USAGE_PERIOD,
        oids.QC_STATEMENTS,
        oids.NAME_CONSTRAINTS,
        oids.POLICY_CONSTRAINTS,
    }
)
"""Critical extensions whose meaning is processed, or cannot refuse a chain."""


def check_well_formed(certificate: Certificate, identifier: str = "certificate-form") -> None:
    """RFC 5280 4.1 and 4.2: what cannot be read unambiguously is not used. Raises Stop."""
    if certificate.problems:
        detail = f"{certificate.subject}: {certificate.problems[0]}"
        raise Stop(Check(identifier, "RFC 5280 4.1", "failed", detail), "CERTIFICATE_CHAIN_GENERAL_FAILURE")


def check_validity(chain: Sequence[Certificate], at: datetime) -> Check:
    """RFC 5280 6.1.3 (a)(2), inclusive bounds. The anchor's own dates count too: its owner meant them. Raises Stop."""
    clause = "RFC 5280 6.1.3 (a)(2)"
    for certificate in chain:
        if at < certificate.not_before.replace(microsecond=0):
            detail = f"{certificate.subject} is valid only from {certificate.not_before.isoformat()}"
            early = "NOT_YET_VALID" if certificate is chain[0] else "OUT_OF_BOUNDS_NO_POE"
            raise Stop(Check("validity", clause, "failed", detail), early)
        if at > certificate.not_after:
            detail = f"{certificate.subject} was valid until {certificate.not_after.isoformat()}"
            raise Stop(Check("validity", clause, "failed", detail), "OUT_OF_BOUNDS_NO_POE")
    return Check("validity", clause, "passed", f"all valid at {at.isoformat()}")


def check_authorities(chain: Sequence[Certificate]) -> Check:
    """RFC 5280 6.1.4 (k) to (n). An anchor is trusted as it is, but a path length it states is kept. Raises Stop."""
    clause = "RFC 5280 6.1.4 (k)-(n)"

    def refuse(detail: str) -> Stop:
        return Stop(Check("authority", clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")

    intermediates = 0  # authorities between this one and the leaf that are not self-issued
    for issuer in chain[1:]:
        if issuer is not chain[-1]:
            check_well_formed(issuer, "issuer-form")
            if not issuer.is_ca:
                raise refuse(f"{issuer.subject} is no authority")
            if not issuer.allows("key_cert_sign"):
                raise refuse(f"{issuer.subject} may not sign certificates")
        if issuer.path_length is not None and intermediates > issuer.path_length:
            raise refuse(
                f"{issuer.subject} allows {issuer.path_length} authorities below it, there are {intermediates}"
            )
        if not issuer.self_issued:
            intermediates += 1
    return Check("authority", clause, "passed")


def check_critical_extensions(chain: Sequence[Certificate]) -> Check:
    """RFC 5280 4.2, 6.1.4 (o): an unknown critical extension decides nothing, be it the anchor's own. Raises Stop."""
    clause = "RFC 5280 6.1.4 (o)"
    for certificate in chain:
        for oid in _unprocessed(certificate):
            detail = f"{certificate.subject}: extension {oids.name(oid)} is not processed"
            raise Stop(Check("extensions", clause, "not-checked", detail), "CERTIFICATE_CHAIN_GENERAL_FAILURE")
    return Check("extensions", clause, "passed")


def is_sound(issuer: Certificate, at: datetime, purpose: Purpose) -> bool:
    """Whether no chain fails for a fault of this issuer alone; steps 4, 5, 6 and 10 give the reasons."""
    try:
        return (
            not issuer.problems
            and issuer.not_before.replace(microsecond=0) <= at <= issuer.not_after
            and issuer.is_ca
            and issuer.allows("key_cert_sign")
            and not _unprocessed(issuer)
            and may_issue_for(issuer, purpose)
        )
    except (CertsError, OverflowError):
        return False


def _unprocessed(certificate: Certificate) -> list[str]:
    """Return the critical extensions that nobody here knows."""
    return [item.oid for item in certificate.extensions if item.critical and item.oid not in KNOWN_CRITICAL]
