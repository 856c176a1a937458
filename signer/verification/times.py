"""Step 6 of `signer.verify`: time-stamps on a signature, and document time-stamps (EN 319 102-1 5.4).

A time-stamp is believed when its imprint is right, its own signature verifies, and the authority's chain leads to
trust. One that is broken, or was copied from elsewhere, is refused by itself: the signature keeps its verdict and
loses the proof of time.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from certs import oids, suites
from certs.certificate import Certificate
from certs.crl import CRL
from certs.errors import BackendUnavailable, BadSignature, CertsError, TimeStampError, UnsupportedAlgorithm
from certs.path import validate_path
from certs.signed_data import SignerView
from certs.timestamp import TimeStampToken, read_token
from signer.report import CheckResult, LayerReport, ObjectUse, TimeReport, TimestampReport, Verdict
from signer.verification.draft import Draft
from signer.verification.revocation import Evidence, evidence_of
from signer.verification.setting import Setting

if TYPE_CHECKING:
    from signer.verification.cms import Source

SIGNATURE_TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
CLAUSE = "EN 319 102-1 5.4"
MAX_TOKENS = 20


def signature_timestamps(draft: Draft, signer: SignerView, evidence: Evidence, setting: Setting) -> datetime | None:
    """Judge every signature time-stamp; return the earliest time that is believed, or None."""
    best: datetime | None = None
    for encoded in signer.unsigned_values(SIGNATURE_TIME_STAMP)[:MAX_TOKENS]:
        report = _one(draft, encoded, signer.signature, evidence, setting)
        draft.timestamps.append(report)
        if report.verdict is Verdict.TOTAL_PASSED and report.gen_time is not None:
            best = report.gen_time if best is None else min(best, report.gen_time)
    return best


def _one(draft: Draft, encoded: bytes, signed: bytes, evidence: Evidence, setting: Setting) -> TimestampReport:
    """Judge one token over the signature value (RFC 3161 appendix A)."""
    token: TimeStampToken | None = None
    suite: str | None = None
    authority = ""
    try:
        token = read_token(encoded)
        suite = token.verify(token.digest_name, suites.digest(token.digest_name, signed), others=evidence.certificates)
        certificate = token.certificate(evidence.certificates)
        authority = certificate.common_name or certificate.subject
    except (UnsupportedAlgorithm, BackendUnavailable) as error:
        return _refused(draft, token, Verdict.INDETERMINATE, "GENERIC", str(error))
    except TimeStampError as error:
        if error.facts.get("reason") == "no-certificate":
            return _refused(draft, token, Verdict.INDETERMINATE, "NO_SIGNING_CERTIFICATE_FOUND", str(error))
        sub = "HASH_FAILURE" if error.facts.get("reason") == "imprint" else "FORMAT_FAILURE"
        return _refused(draft, token, Verdict.TOTAL_FAILED, sub, str(error))
    except BadSignature as error:
        sub = "HASH_FAILURE" if error.facts.get("reason") == "message-digest" else "SIG_CRYPTO_FAILURE"
        return _refused(draft, token, Verdict.TOTAL_FAILED, sub, str(error))
    except CertsError as error:
        return _refused(draft, token, Verdict.TOTAL_FAILED, "FORMAT_FAILURE", str(error))
    draft.keep("timestamp", "timestamp", authority, encoded)
    verdict, sub_indication, detail = _trusted(draft, token, certificate, evidence, setting)
    if verdict is Verdict.TOTAL_PASSED:
        draft.passed("time-stamp", CLAUSE, f"{token.gen_time.isoformat()} by {authority}", f"{suite}, {detail}")
    else:
        draft.checks.append(CheckResult("time-stamp", CLAUSE, "not-checked", f"{authority}: {detail}"))
        draft.warn("time-stamp", f"the time-stamp of {authority} proves nothing: {detail}")
    return TimestampReport(verdict, sub_indication, token.gen_time, authority, suite, certificate.fingerprint())


def _refused(
    draft: Draft, token: TimeStampToken | None, verdict: Verdict, sub_indication: str, detail: str
) -> TimestampReport:
    result = "failed" if verdict is Verdict.TOTAL_FAILED else "not-checked"
    draft.checks.append(CheckResult("time-stamp", CLAUSE, result, detail))  # type: ignore[arg-type]
    draft.warn("time-stamp", f"a time-stamp is refused: {detail}")
    return TimestampReport(verdict, sub_indication, token.gen_time if token else None, "", None)


def _trusted(
    draft: Draft, token: TimeStampToken, certificate: Certificate, evidence: Evidence, setting: Setting
) -> tuple[Verdict, str | None, str]:
    """Validate the authority's chain now; a token from the future is not believed."""
    if token.gen_time > setting.now:
        return Verdict.INDETERMINATE, "TIMESTAMP_ORDER_FAILURE", "it is later than the moment of validation"
    path = validate_path(
        certificate,
        (*token.certificates, *evidence.certificates),
        setting.trust,
        setting.now,
        purpose="timestamping",
        crls=(*evidence.crls, *_crls_in(token)),
        ocsps=evidence.ocsps,
        revocation=setting.options.revocation,
        fetch=setting.options.fetch,
    )
    uses: tuple[ObjectUse, ObjectUse, ObjectUse] = ("tsa", "tsa-issuer", "tsa-anchor")
    draft.keep_path(path, ("signer", "issuer", "anchor") if draft.kind == "document-timestamp" else uses)
    if path.passed:
        return Verdict.TOTAL_PASSED, None, f"chain to {path.chain[-1].subject}"
    verdict = Verdict.TOTAL_FAILED if path.indication == "FAILED" else Verdict.INDETERMINATE
    return verdict, path.sub_indication, path.detail


def _crls_in(token: TimeStampToken) -> tuple[CRL, ...]:
    found: list[CRL] = []
    for raw in token.signed_data.crls:
        try:
            found.append(CRL(raw))
        except CertsError:
            continue
    return tuple(found)


# -- document time-stamps -----------------------------------------------------------------------------


def judge_document_timestamp(draft: Draft, contents: bytes, source: Source, setting: Setting) -> None:
    """Verify a document time-stamp (ISO 32000-2 12.8.5): the token is over the signed octets of the file."""
    from signer.verification.cms import WEAK_DIGESTS, describe

    clause = "ISO 32000-2 12.8.5; EN 319 102-1 5.4"
    try:
        token = read_token(contents)
    except TimeStampError as error:
        draft.failed("cms", clause, str(error), Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        return
    except CertsError as error:
        draft.failed("cms", clause, f"no time-stamp token: {error}", Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        return
    draft.passed("cms", clause, "time-stamp token")
    draft.signature_algorithm = token.signer.signature_algorithm.oid
    draft.digest_algorithm = token.digest_oid
    evidence = evidence_of(draft, token.signed_data, token.signer, setting)
    try:
        name = token.digest_name
        draft.suite = token.verify(name, source.digest(name), others=evidence.certificates)
        certificate = token.certificate(evidence.certificates)
    except (UnsupportedAlgorithm, BackendUnavailable) as error:
        algorithm = oids.name(token.signer.signature_algorithm.oid)
        draft.unknown("signature-value", clause, f"{algorithm}: {error}", "GENERIC", "unsupported-algorithm")
        return
    except CertsError as error:
        _broken_token(draft, clause, error)
        return
    draft.cryptographic = LayerReport("passed")
    draft.passed("message-imprint", clause, oids.name(token.digest_oid))
    draft.passed("signature-value", clause, draft.suite, f"key of {certificate.subject}")
    draft.signer = describe(certificate)
    draft.signed_at = TimeReport(token.gen_time, "timestamp")
    if name in WEAK_DIGESTS:
        detail = f"the digest {name} is no longer good enough"
        draft.failed("algorithm-policy", clause, detail, Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE")
    draft.value = token.signer.signature
    verdict, sub_indication, detail = _trusted(draft, token, certificate, evidence, setting)
    if verdict is Verdict.TOTAL_PASSED:
        draft.passed("chain", "EN 319 102-1 5.2.6", detail)
    else:
        draft.failed("chain", "EN 319 102-1 5.2.6", detail, verdict, sub_indication or "GENERIC")


def _broken_token(draft: Draft, clause: str, error: CertsError) -> None:
    reason = error.facts.get("reason")
    if reason == "no-certificate":
        draft.unknown("signing-certificate", clause, str(error), "NO_SIGNING_CERTIFICATE_FOUND")
        return
    draft.cryptographic = LayerReport("failed")
    if reason in ("imprint", "message-digest"):
        draft.failed("message-imprint", clause, str(error), Verdict.TOTAL_FAILED, "HASH_FAILURE")
    elif isinstance(error, BadSignature):
        draft.failed("signature-value", clause, str(error), Verdict.TOTAL_FAILED, "SIG_CRYPTO_FAILURE")
    else:
        draft.failed("cms", clause, str(error), Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
