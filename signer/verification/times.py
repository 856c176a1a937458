"""Step 6 of `signer.verify`: time-stamps, and what they prove (EN 319 102-1 5.4, 5.6.2.3, 5.6.3).

A time-stamp is believed when its imprint is right, its own signature verifies, and the authority's chain leads to
trust: now, or at a moment that a *later* time-stamp proves for it. So the latest are judged first, and each proves the
existence of what it covers for the ones before it. One that is broken, or was copied from elsewhere, is refused by
itself: the signature keeps its verdict and loses the proof of time.

    judged = judge_token(token, certificate, evidence, setting, proofs)       # Judged
    proofs = signature_times(draft, view, signer, certificate, evidence, source, setting)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from certs import oids, suites
from certs.certificate import Certificate
from certs.errors import BackendUnavailable, BadSignature, CertsError, TimeStampError, UnsupportedAlgorithm
from certs.path_result import PathResult
from certs.signed_data import SignedDataView, SignerView
from certs.suites.policy import digest_good_until
from certs.timestamp import TimeStampToken, read_token
from signer.report import CheckResult, LayerReport, TimeReport, TimestampReport, Verdict
from signer.verification.archive import Claim, claims_of
from signer.verification.draft import Draft
from signer.verification.past import TOLERANCE, judge_certificate
from signer.verification.poe import Proofs, proofs_of
from signer.verification.revocation import Evidence, evidence_of, read_evidence
from signer.verification.setting import Setting

if TYPE_CHECKING:
    from signer.verification.cms import Source

CLAUSE = "EN 319 102-1 5.4"
ORDER = "EN 319 102-1 5.5.4, 5.6.3"
MAX_ACCURACY = TOLERANCE
"""Of a token that proves a time (RFC 3161 2.4.2); EN 319 421 asks for a second. Within it, genTime counts as it is."""


@dataclass(frozen=True)
class Judged:
    """What was found about a token whose signature verifies."""

    verdict: Verdict
    sub_indication: str | None
    detail: str
    notes: tuple[str, ...] = ()
    """What was fetched for the authority's chain."""
    path: PathResult | None = None
    """The authority's chain, where one was looked for."""

    @property
    def believed(self) -> bool:
        """Whether the token proves something."""
        return self.verdict is Verdict.TOTAL_PASSED


def judge_token(
    token: TimeStampToken, certificate: Certificate, evidence: Evidence, setting: Setting, proofs: Proofs
) -> Judged:
    """Say whether a token with a good signature is believed; `proofs` come from later time-stamps."""
    if token.der in setting.judged:
        return setting.judged[token.der]
    if token.gen_time > setting.now:
        detail = "it is later than the moment of validation"
        return Judged(Verdict.INDETERMINATE, "TIMESTAMP_ORDER_FAILURE", detail)
    if token.accuracy is not None and token.accuracy > MAX_ACCURACY:
        detail = f"it is accurate to {token.accuracy.total_seconds():g} s only, more than {MAX_ACCURACY.seconds} s"
        return Judged(Verdict.INDETERMINATE, "SIG_CONSTRAINTS_FAILURE", detail)
    proven = proofs.proven(token.signer.signature)
    # 5.5.4, 5.6.3: what a time-stamp covers cannot be later than it
    if proven is not None and token.gen_time > proven + TOLERANCE:
        detail = f"it says {token.gen_time.isoformat()}, but a time-stamp over it says {proven.isoformat()}"
        return Judged(Verdict.INDETERMINATE, "TIMESTAMP_ORDER_FAILURE", detail)
    weak = weak_since(proofs.moment(token.signer.signature), _digests(token))
    if weak:
        return Judged(Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE", weak)
    own, _ = read_evidence(token.signed_data, token.signer)
    everything = Evidence(
        (*own.certificates, *evidence.certificates), (*own.crls, *evidence.crls), (*own.ocsps, *evidence.ocsps)
    )
    outcome = judge_certificate(certificate, everything, setting, proofs, proven=proven, purpose="timestamping")
    result = outcome.result
    if result.passed:
        when = "" if outcome.moment == setting.now else f" at {outcome.moment.isoformat()}"
        return Judged(Verdict.TOTAL_PASSED, None, f"chain to {result.chain[-1].subject}{when}", outcome.notes, result)
    verdict = Verdict.TOTAL_FAILED if result.indication == "FAILED" else Verdict.INDETERMINATE
    return Judged(verdict, result.sub_indication, result.detail, outcome.notes, result)


def weak_since(moment: datetime, digests: Iterable[str]) -> str:
    """Return which of the digests was no longer good enough at `moment`, in a sentence, or nothing."""
    over = {name for name in digests if (end := digest_good_until(name)) is not None and moment >= end}
    if not over:
        return ""
    until = min(filter(None, map(digest_good_until, over)))
    return f"the digest {', '.join(sorted(over))} is no longer good enough, since {until:%Y-%m-%d}"


def _digests(token: TimeStampToken) -> tuple[str, ...]:
    """Return the digests a token rests on: of the imprint, of its content, of its signature."""
    readers: tuple[Callable[[], str | None], ...] = (
        lambda: token.digest_name,
        lambda: token.signer.digest_name,
        lambda: suites.signature_digest(token.signer.signature_algorithm.der()),
    )
    found: list[str] = []
    for read in readers:
        try:
            found.append(read() or "")
        except CertsError:
            continue
    return tuple(found)


# -- time-stamps of one signature ---------------------------------------------------------------------


def signature_times(
    draft: Draft,
    view: SignedDataView,
    signer: SignerView,
    certificate: Certificate,
    evidence: Evidence,
    source: Source,
    setting: Setting,
) -> Proofs:
    """Judge every time-stamp in the unsigned attributes, the latest first; return what is proven then."""
    proofs = proofs_of(setting)
    claims = claims_of(view, signer, certificate, source)
    for reason in claims.unreadable:
        _refuse(draft, None, Verdict.TOTAL_FAILED, "FORMAT_FAILURE", reason)
    for claim in sorted(claims.readable, key=lambda item: item.token.gen_time, reverse=True):
        report = _claim(draft, claim, evidence, setting, proofs)
        draft.timestamps.append(report)
        if report.verdict is Verdict.TOTAL_PASSED:
            proofs = proofs.with_(claim.covers(), claim.token.gen_time)
            if claim.kind == "archive-time-stamp-v3" and draft.level:
                draft.level = "B-LTA"
        elif report.sub_indication == "TIMESTAMP_ORDER_FAILURE" and claim.token.gen_time <= setting.now:
            detail = f"the time-stamps contradict each other: {claim.kind} of {claim.token.gen_time.isoformat()}"
            draft.unknown("time-stamp-order", ORDER, detail, "TIMESTAMP_ORDER_FAILURE")
    return proofs


def judge_stamp(
    draft: Draft,
    kind: str,
    encoded: bytes,
    stamped: bytes,
    covers: tuple[bytes, ...],
    evidence: Evidence,
    setting: Setting,
    proofs: Proofs,
) -> tuple[TimestampReport, Proofs]:
    """Judge one token over octets, as formats without attributes carry it; return its report and what is proven then.

    `covers` are the objects whose existence it proves if it is believed.
    """
    try:
        token = read_token(encoded)
    except CertsError as error:
        return _refuse(draft, None, Verdict.TOTAL_FAILED, "FORMAT_FAILURE", f"{kind}: {error}"), proofs
    claim = Claim(kind, token, lambda name: suites.digest(name, stamped), lambda: covers)
    report = _claim(draft, claim, evidence, setting, proofs)
    draft.timestamps.append(report)
    if report.verdict is Verdict.TOTAL_PASSED:
        proofs = proofs.with_(covers, token.gen_time)
    return report, proofs


def _claim(draft: Draft, claim: Claim, evidence: Evidence, setting: Setting, proofs: Proofs) -> TimestampReport:
    """Judge one token over its part of the signature."""
    token, kind = claim.token, claim.kind
    try:
        suite = _verified(token, claim.imprint, evidence)
        certificate = token.certificate(evidence.certificates)
    except CertsError as error:
        verdict, sub_indication = _why(error)
        return _refuse(draft, token, verdict, sub_indication, f"{kind}: {error}")
    authority = certificate.common_name or certificate.subject
    draft.keep("timestamp", "timestamp", authority, token.der)
    judged = judge_token(token, certificate, evidence, setting, proofs)
    weak = weak_since(proofs.moment(token.signer.signature), claim.digests())
    if judged.believed and weak:
        judged = Judged(Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE", weak)
    if judged.path is not None:
        draft.keep_path(judged.path, ("tsa", "tsa-issuer", "tsa-anchor"))
    say_what_was_fetched(draft, judged.notes, setting)
    if judged.believed:
        detail = f"{token.gen_time.isoformat()} by {authority}"
        draft.passed("time-stamp", CLAUSE, detail, f"{kind}, {suite}, {judged.detail}")
    else:
        draft.checks.append(CheckResult("time-stamp", CLAUSE, "not-checked", f"{kind} of {authority}: {judged.detail}"))
        draft.warn("time-stamp", f"the {kind} of {authority} proves nothing: {judged.detail}")
    return TimestampReport(
        judged.verdict, judged.sub_indication, token.gen_time, authority, suite, certificate.fingerprint()
    )


def _verified(token: TimeStampToken, imprint: Callable[[str], bytes], evidence: Evidence) -> str:
    return token.verify(token.digest_name, imprint(token.digest_name), others=evidence.certificates)


def _why(error: CertsError) -> tuple[Verdict, str]:
    """Return what an error about a token means: could not be checked, or wrong."""
    reason = error.facts.get("reason")
    if isinstance(error, UnsupportedAlgorithm | BackendUnavailable):
        return Verdict.INDETERMINATE, "GENERIC"
    if reason == "no-certificate":
        return Verdict.INDETERMINATE, "NO_SIGNING_CERTIFICATE_FOUND"
    if reason in ("imprint", "message-digest"):
        return Verdict.TOTAL_FAILED, "HASH_FAILURE"
    return Verdict.TOTAL_FAILED, "SIG_CRYPTO_FAILURE" if isinstance(error, BadSignature) else "FORMAT_FAILURE"


def _refuse(
    draft: Draft, token: TimeStampToken | None, verdict: Verdict, sub_indication: str, detail: str
) -> TimestampReport:
    result = "failed" if verdict is Verdict.TOTAL_FAILED else "not-checked"
    draft.checks.append(CheckResult("time-stamp", CLAUSE, result, detail))  # type: ignore[arg-type]
    draft.warn("time-stamp", f"a time-stamp is refused: {detail}")
    report = TimestampReport(verdict, sub_indication, token.gen_time if token else None, "", None)
    if token is None:
        draft.timestamps.append(report)
    return report


def say_what_was_fetched(draft: Draft, notes: Iterable[str], setting: Setting) -> None:
    """Say which addresses were asked, and with what success; each once."""
    if setting.options.fetch is None:
        return
    said = {item.detail for item in draft.warnings if item.code == "fetch"}
    for note in notes:
        if note not in said:
            draft.warn("fetch", note)


def content_time(
    draft: Draft, signer: SignerView, evidence: Evidence, source: Source, setting: Setting, proofs: Proofs
) -> datetime | None:
    """Return the latest believed content-time-stamp: the signature was made after it (EN 319 122-1 5.2.8)."""
    latest: datetime | None = None
    try:
        values = signer.values(oids.CONTENT_TIME_STAMP)
    except CertsError:
        return None
    for encoded in values[:10]:
        try:
            token = read_token(encoded)
        except CertsError as error:
            draft.warn("time-stamp", f"a content-time-stamp cannot be read: {error}")
            continue
        # it is inside what was signed, so it is as old as the signature
        own = proofs.proven(signer.signature)
        known = proofs.with_([token.signer.signature], own) if own is not None else proofs
        report = _claim(draft, Claim("content-time-stamp", token, source.digest, lambda: ()), evidence, setting, known)
        draft.timestamps.append(report)
        if report.verdict is Verdict.TOTAL_PASSED:
            latest = token.gen_time if latest is None else max(latest, token.gen_time)
    return latest


# -- document time-stamps and tokens in files of their own --------------------------------------------


def judge_document_timestamp(draft: Draft, contents: bytes, source: Source, setting: Setting) -> None:
    """Verify a document time-stamp (ISO 32000-2 12.8.5): the token is over the signed octets of the file."""
    judge_timestamp(draft, contents, source, setting, "ISO 32000-2 12.8.5; EN 319 102-1 5.4")


def judge_timestamp(draft: Draft, encoded: bytes, source: Source, setting: Setting, clause: str = CLAUSE) -> Proofs:
    """Verify a time-stamp token over `source`; return what is proven."""
    from signer.verification.cms import Octets, describe

    proofs = proofs_of(setting)
    try:
        token = read_token(encoded)
    except CertsError as error:
        detail = str(error) if isinstance(error, TimeStampError) else f"no time-stamp token: {error}"
        draft.failed("cms", clause, detail, Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        return proofs
    draft.passed("cms", clause, "time-stamp token")
    draft.signature_algorithm = token.signer.signature_algorithm.oid
    draft.digest_algorithm = token.digest_oid
    evidence = evidence_of(draft, token.signed_data, token.signer, setting)
    try:
        draft.suite = _verified(token, source.digest, evidence)
        certificate = token.certificate(evidence.certificates)
    except (UnsupportedAlgorithm, BackendUnavailable) as error:
        algorithm = oids.name(token.signer.signature_algorithm.oid)
        draft.unknown("signature-value", clause, f"{algorithm}: {error}", "GENERIC", "unsupported-algorithm")
        return proofs
    except CertsError as error:
        _broken_token(draft, clause, error)
        return proofs
    draft.cryptographic = LayerReport("passed")
    draft.passed("message-imprint", clause, oids.name(token.digest_oid))
    draft.passed("signature-value", clause, draft.suite, f"key of {certificate.subject}")
    draft.signer = describe(certificate)
    draft.signed_at = TimeReport(token.gen_time, "timestamp")
    # archive time-stamps on the token itself (EN 319 122-1 5.5.3): later ones prove the age of this one
    if token.signer.unsigned_attributes:
        info = Octets(token.signed_data.content or b"")
        proofs = signature_times(draft, token.signed_data, token.signer, certificate, evidence, info, setting)
    draft.value = token.signer.signature
    judged = judge_token(token, certificate, evidence, setting, proofs)
    if judged.path is not None:
        draft.keep_path(judged.path, ("signer", "issuer", "anchor"))
    say_what_was_fetched(draft, judged.notes, setting)
    if judged.believed:
        draft.passed("chain", "EN 319 102-1 5.2.6", judged.detail)
        return proofs
    draft.failed("chain", "EN 319 102-1 5.2.6", judged.detail, judged.verdict, judged.sub_indication or "GENERIC")
    return proofs


def _broken_token(draft: Draft, clause: str, error: CertsError) -> None:
    reason = error.facts.get("reason")
    if reason == "no-certificate":
        draft.unknown("signing-certificate", clause, str(error), "NO_SIGNING_CERTIFICATE_FOUND")
        return
    draft.cryptographic = LayerReport("failed")
    verdict, sub_indication = _why(error)
    check = {"HASH_FAILURE": "message-imprint", "SIG_CRYPTO_FAILURE": "signature-value"}.get(sub_indication, "cms")
    draft.failed(check, clause, str(error), verdict, sub_indication)
