"""What the layer "agreed" will say of a signature that is still to be made; what it would refuse fails before signing.

    intent = Intent(certificate, chain, "sm2", "B-T", now, stamper=authority)
    for check in objections(intent, octets):         # CheckResult of what will fail; empty: nothing is known to
        ...

One judge decides before and after: a report is made up of what is known now and judged as any report
(`signer.layers.judge`). What cannot be known yet, such as the anchor of an incomplete chain, is no objection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from certs import suites
from certs.certificate import Certificate
from signer.cms import policy_of
from signer.layers.agreement import read_agreement
from signer.layers.judge import agreed
from signer.report import (
    CheckResult,
    SignaturePolicyReport,
    SignatureReport,
    SignerReport,
    TimeReport,
    TimestampReport,
    ValidationObject,
    Verdict,
)


@dataclass(frozen=True)
class Intent:
    """A signature that somebody is about to make."""

    signer: Certificate | SignerReport
    """The certificate; or what it will say, where it is still to be issued."""
    chain: Sequence[Certificate]
    """The authorities above it, as far as they are known."""
    suite: str
    level: str
    moment: datetime
    stamper: Certificate | None = None
    """The certificate of the time-stamping authority, where it is known."""


def objections(intent: Intent, octets: bytes) -> tuple[CheckResult, ...]:
    """Return what an agreement will refuse of a signature under it. Raises BasisError."""
    layer = agreed(_report(intent, octets), read_agreement(octets))
    unknown = {"time-authorities"} if intent.stamper is None else set()
    return tuple(check for check in layer.checks if check.result == "failed" and check.id not in unknown)


def _report(intent: Intent, octets: bytes) -> SignatureReport:
    suite = suites.get(intent.suite)
    stamped = intent.level != "B-B"
    policy = policy_of(suite, octets)
    stamps: tuple[TimestampReport, ...] = ()
    if stamped:
        name = intent.stamper.subject if intent.stamper is not None else ""
        print_of = intent.stamper.fingerprint() if intent.stamper is not None else ""
        stamps = (TimestampReport(Verdict.TOTAL_PASSED, None, intent.moment, name, suite.name, print_of),)
    return replace(
        SignatureReport("", "signature", Verdict.TOTAL_PASSED),
        suite=suite.name,
        digest_algorithm=suites.digest_oid(suite.digest_name),
        level=intent.level,
        signer=_signer(intent.signer),
        signed_at=TimeReport(intent.moment, "timestamp" if stamped else "claimed"),
        timestamps=stamps,
        objects=_objects(_ordered(intent)),
        policy=_policy(policy),
    )


def _signer(signer: Certificate | SignerReport) -> SignerReport:
    from signer.verification.cms import describe

    return describe(signer) if isinstance(signer, Certificate) else signer


def _policy(value: bytes | None) -> SignaturePolicyReport | None:
    from certs.signature_policy import read

    found = read(value) if value is not None else None
    return SignaturePolicyReport(found.oid, found.digest_oid, found.digest.hex()) if found is not None else None


def _ordered(intent: Intent) -> tuple[Certificate, ...]:
    """Return the chain from the signer up; in a CMS certificates stand in no order, and others may stand among them."""
    if not isinstance(intent.signer, Certificate):
        return tuple(intent.chain)
    found: list[Certificate] = []
    below, left = intent.signer, [each for each in intent.chain if each != intent.signer]
    while not below.self_issued:
        above = next((each for each in left if each.subject_name.key == below.issuer_name.key), None)
        if above is None:
            break
        left.remove(above)
        found.append(above)
        below = above
    return tuple(found)


def _objects(chain: Sequence[Certificate]) -> tuple[ValidationObject, ...]:
    """Return the authorities; none where the chain is not known to its end, and so cannot be judged."""
    if not chain or not chain[-1].self_issued:
        return ()
    uses = ["issuer"] * (len(chain) - 1) + ["anchor"]
    return tuple(
        ValidationObject(
            "certificate", "anchor" if use == "anchor" else "issuer", each.subject, each.fingerprint(), b""
        )
        for use, each in zip(uses, chain, strict=True)
    )
