"""Judge every signature of a report by an agreement and by policies.

    judged = judge(report, agreement, policies)
    judged.signatures[0].agreed.result, judged.signatures[0].agreed.checks

A layer is failed where one condition is, else not-checked where one could not be judged, else passed. First comes the
cryptographic verdict: nobody agreed to a broken signature, and where the verdict is INDETERMINATE the layers are not
passed either. A time-stamp is nobody's consent: its layers stay not-checked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from certs import oids
from signer.layers.agreement import Agreement
from signer.layers.conditions import LEVELS, Conditions
from signer.layers.policy import Policy
from signer.layers.standing import binding, clause_of, concerns, ended, own_signatures, party_of
from signer.report import CheckResult, LayerReport, Report, Result, SignatureReport, SignerReport, Verdict

Add = Callable[[str, Result, str], None]
"""Adds a check: condition, result, detail."""

_BITS = {"256": 256, "384": 384, "512": 512, "521": 521}


def judge(report: Report, agreement: Agreement | None = None, policies: Sequence[Policy] = ()) -> Report:
    """Return the report with the layers "agreed" and "recognised" of every signature, and the files named."""
    if agreement is None and not policies:
        return report
    signatures = tuple(
        dataclasses.replace(
            signature,
            agreed=agreed(signature, agreement) if agreement is not None else signature.agreed,
            recognised=tuple((policy.jurisdiction, _recognised(signature, policy)) for policy in policies)
            or signature.recognised,
        )
        for signature in report.signatures
    )
    bases = [agreement.described()] if agreement is not None else []
    return dataclasses.replace(
        report, signatures=signatures, bases=(*report.bases, *bases, *(policy.described() for policy in policies))
    )


def agreed(signature: SignatureReport, agreement: Agreement) -> LayerReport:
    """Return the layer "agreed" of one signature, found or foreseen."""
    basis = f"{agreement.title}, SHA-256 {agreement.sha256}"
    if not concerns(signature):
        return LayerReport("not-checked", basis)
    clauses = dict(agreement.clauses)
    checks = [own_signatures(agreement)] if agreement.signatures is not None else []
    checks.append(_verdict(signature))
    bound = binding(signature, agreement)
    party = party_of(signature.signer, agreement.parties)
    wanted, place = party.conditions if party is not None else None, clause_of("valid", clauses)
    checks.append(_in_force(signature, agreement.valid_from, agreement.valid_to, place, wanted))
    if party is None:
        who = signature.signer.subject if signature.signer else "nobody known"
        detail = f"no party of the agreement: {who}"
        result: Result = "failed" if signature.signer else "not-checked"
        checks.append(CheckResult("party", clause_of("parties", clauses), result, detail))
    else:
        checks.append(CheckResult("party", party.conditions.place("party"), "passed", party.name))
        checks += _conditions(signature, party.conditions)
    checks += [ended(signature, agreement, ending, wanted) for ending in agreement.endings]
    # a signature from before agreements were bound is judged as it always was, unless the agreement asks for more
    counted = checks if bound.result == "not-checked" and not agreement.binding else [*checks, bound]
    return LayerReport(_worst(counted), basis, (*checks, bound))


def _recognised(signature: SignatureReport, policy: Policy) -> LayerReport:
    basis = f"{policy.basis} ({policy.name} {policy.version}, SHA-256 {policy.sha256})"
    if not concerns(signature):
        return LayerReport("not-checked", basis)
    checks = [_verdict(signature)]
    if policy.valid_from or policy.valid_to:
        place = "valid_from, valid_to"
        checks.append(_in_force(signature, policy.valid_from, policy.valid_to, place, policy.conditions))
    checks += _conditions(signature, policy.conditions)
    return LayerReport(_worst(checks), basis, tuple(checks))


def _worst(checks: Sequence[CheckResult]) -> Result:
    results = {check.result for check in checks}
    return "failed" if "failed" in results else "not-checked" if "not-checked" in results else "passed"


# -- what an agreement asks besides the conditions ------------------------------------------------------


def _verdict(signature: SignatureReport) -> CheckResult:
    results: dict[Verdict, Result] = {Verdict.TOTAL_PASSED: "passed", Verdict.TOTAL_FAILED: "failed"}
    result = results.get(signature.verdict, "not-checked")
    return CheckResult("verdict", "EN 319 102-1 5.1.3", result, signature.verdict.value)


def _in_force(
    signature: SignatureReport, start: datetime | None, end: datetime | None, place: str, wanted: Conditions | None
) -> CheckResult:
    """Check that the signature was made while the file was in force.

    The signer's own clock shows that only where the file says that it is enough (`time` "claimed").
    """
    when = signature.signed_at
    if start is None and end is None:
        return CheckResult("in-force", place, "passed", "no bounds")
    if when is None:
        return CheckResult("in-force", place, "not-checked", "the time of signing is not known")
    result: Result = "passed" if when.source == "timestamp" or (wanted and wanted.time == "claimed") else "not-checked"
    if (start is not None and when.value < start) or (end is not None and when.value > end):
        result = "failed"
    return CheckResult("in-force", place, result, when.value.isoformat(), when.source)


# -- the conditions -------------------------------------------------------------------------------------


def _conditions(signature: SignatureReport, wanted: Conditions) -> list[CheckResult]:
    """Judge every condition that is demanded, in the order of `Conditions`."""
    checks: list[CheckResult] = []

    def add(name: str, result: Result, detail: str) -> None:
        checks.append(CheckResult(name, wanted.place(name.replace("-", "_")), result, detail))

    def one_of(name: str, allowed: tuple[str, ...] | None, found: str | None) -> None:
        if allowed is not None:
            if found is None:
                add(name, "not-checked", "not known")
            else:
                add(name, "passed" if found in allowed else "failed", found)

    def any_of(name: str, allowed: tuple[str, ...] | None, found: Sequence[tuple[str, str]], nothing: str) -> None:
        """Pairs of value and name to show."""
        if allowed is not None:
            hit = next((shown for value, shown in found if value in allowed), None)
            if hit is not None:
                add(name, "passed", hit)
            elif not found:
                add(name, "not-checked", nothing)
            else:
                add(name, "failed", "; ".join(shown for _, shown in found))

    signer = signature.signer
    digest = oids.name(signature.digest_algorithm) if signature.digest_algorithm else None
    one_of("suites", wanted.suites, signature.suite)
    one_of("digests", wanted.digests, digest)
    _key_size(wanted, signer, add)
    above = [(o.sha256, o.name) for o in signature.objects if o.use in ("issuer", "anchor")]
    any_of("authorities", wanted.authorities, above, "no chain was found")
    ends = [(o.sha256, o.name) for o in signature.objects if o.use == "anchor"]
    any_of("anchors", wanted.anchors, ends, "no chain to an anchor was found")
    _trust_lists(wanted, signature, add)
    if wanted.certificate_policies is not None and signer is not None and not signer.policies:
        add("certificate-policies", "failed", "the certificate states none")
    else:
        stated = [(oid, oids.name(oid)) for oid in (signer.policies if signer else ())]
        any_of("certificate-policies", wanted.certificate_policies, stated, "the certificate is not known")
    _level(wanted, signature, add)
    _time(wanted, signature, add)
    if wanted.receipts:
        add("receipts", "not-checked", "receipts are not looked at")
    if wanted.receipt_issuers is not None:
        add("receipt-issuers", "not-checked", "receipts are not looked at")
    return checks


def _key_size(wanted: Conditions, signer: SignerReport | None, add: Add) -> None:
    for suite, least in wanted.key_sizes:
        if signer is not None and signer.key_suite != suite:
            continue
        bits = _bits(signer)
        if bits is None:
            add("key-sizes", "not-checked", f"{suite}: the size of the key is not known")
        else:
            add("key-sizes", "passed" if bits >= least else "failed", f"{suite}: {bits}, at least {least}")


def _bits(signer: SignerReport | None) -> int | None:
    """Return the size of a key: its modulus, or the order of its group; None where that is no measure."""
    if signer is None or signer.key_suite is None:
        return None
    if signer.key_suite.startswith("rsa"):
        text = signer.key_parameter or ""
        return int(text) if text.isdecimal() and len(text) < 6 else None
    known = {"sm2": 256, "ed25519": 256, "ed448": 456}
    return known.get(signer.key_suite) or _BITS.get(signer.key_suite[-3:])


def _trust_lists(wanted: Conditions, signature: SignatureReport, add: Add) -> None:
    if wanted.trust_lists is None:
        return
    origins = [check.detail for check in signature.checks if check.id == "trust" and check.result == "passed"]
    if any(fnmatchcase(origin, pattern) for origin in origins for pattern in wanted.trust_lists):
        add("trust-lists", "passed", origins[0])
    elif any(o.use == "anchor" for o in signature.objects):
        add("trust-lists", "failed", "; ".join(origins) or "the anchor is of no trust list")
    else:
        add("trust-lists", "not-checked", "no chain to an anchor was found")


def _level(wanted: Conditions, signature: SignatureReport, add: Add) -> None:
    if wanted.level is None:
        return
    if signature.level is None:
        add("level", "failed", "the signature has no baseline level")
        return
    reached = LEVELS.index(signature.level) >= LEVELS.index(wanted.level)
    detail = f"{signature.level}, at least {wanted.level}"
    # the level says what is there; whoever demands a time-stamp means one that is believed
    if reached and wanted.level != "B-B" and (signature.signed_at is None or signature.signed_at.source != "timestamp"):
        reached, detail = False, f"{detail}, but no time-stamp of it is believed"
    add("level", "passed" if reached else "failed", detail)


def _time(wanted: Conditions, signature: SignatureReport, add: Add) -> None:
    when = signature.signed_at
    if wanted.time is not None:
        if when is None:
            add("time", "failed", "no time is stated")
        else:
            good = when.source == "timestamp" or wanted.time == "claimed"
            add("time", "passed" if good else "failed", f"{when.value.isoformat()}, {when.source}")
    if wanted.time_authorities is not None:
        # a time-stamp inside what was signed is older, and says nothing of when it was signed
        proven = when.value if when is not None and when.source == "timestamp" else None
        believed = [
            t
            for t in signature.timestamps
            if t.verdict is Verdict.TOTAL_PASSED and t.gen_time is not None and proven and t.gen_time >= proven
        ]
        hit = next((t for t in believed if t.fingerprint in wanted.time_authorities), None)
        if hit is not None:
            add("time-authorities", "passed", hit.authority)
        else:
            add("time-authorities", "failed", "; ".join(t.authority for t in believed) or "no time-stamp is believed")
