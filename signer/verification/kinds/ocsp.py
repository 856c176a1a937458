"""OCSP answers as files: who signed, for which authority, and whether they are current (RFC 6960 3.2, 4.2.2.2)."""

from __future__ import annotations

from certs import ber, suites
from certs.certificate import Certificate
from certs.errors import BackendUnavailable, BadSignature, CertsError, OCSPError, UnsupportedAlgorithm
from certs.ocsp import OCSPResponse, load_response
from certs.ocsp_check import critical_extension, find_responder, is_nocheck, why_not_current
from signer.report import LayerReport, Notice, Verdict
from signer.verification.cms import describe
from signer.verification.draft import Draft
from signer.verification.encoded import unwrapped
from signer.verification.kinds import Found
from signer.verification.kinds.certificate import for_any_purpose, judge_issuer
from signer.verification.setting import Setting

CLAUSE = "RFC 6960 3.2, 4.2.2.2"
LABELS = ("OCSP RESPONSE",)
MAX_ANSWERS = 100


def looks_like(data: bytes) -> bool:
    """Tell whether the file is an OCSPResponse, which begins with an ENUMERATED."""
    encoded = unwrapped(data, *LABELS)
    try:
        return encoded is not None and ber.load(encoded).members().peek() == ber.ENUMERATED
    except (CertsError, RecursionError):
        return False


def verify(data: bytes, content: bytes | None, setting: Setting) -> Found:
    """Verify the answer; one that says only that there is none is no signature, which is said."""
    del content
    draft = Draft(field="", kind="ocsp-response")
    with draft.guarded():
        try:
            response = load_response(unwrapped(data, *LABELS) or data)
            if response.status != "successful":
                return Found(notices=(Notice("no-answer", f"the responder answered {response.status}"),))
            _judge(draft, response, setting)
        except CertsError as error:
            draft.failed("ocsp-response", CLAUSE, str(error), Verdict.INDETERMINATE, "FORMAT_FAILURE")
    return Found((draft.report(),))


def _judge(draft: Draft, response: OCSPResponse, setting: Setting) -> None:
    draft.signature_algorithm = ber.load(response.signature_algorithm).members().next().oid()
    answers = response.responses[:MAX_ANSWERS]
    said = ", ".join(f"{single.cert_id.serial:x} {single.status}" for single in answers[:5])
    draft.passed("ocsp-response", CLAUSE, f"{len(response.responses)} answer(s): {said}")
    pool = tuple(dict.fromkeys((*setting.trust.anchors, *setting.trust.certificates, *setting.certificates)))
    issuers = dict.fromkeys(
        issuer
        for issuer in (*pool, *response.certificates)
        if any(single.cert_id.matches(issuer) for single in answers[:5])
    )
    if not issuers:
        detail = "the authority that the answer is about is not at hand"
        draft.unknown("signing-certificate", CLAUSE, detail, "NO_SIGNING_CERTIFICATE_FOUND")
    else:
        _signature(draft, response, next(iter(issuers)), pool, setting)
    if not all(single.cert_id.matches(next(iter(issuers))) for single in answers if issuers):
        draft.unknown("ocsp-response", CLAUSE, "it answers for several authorities", "GENERIC")
    _freshness(draft, response, setting)
    if len(response.responses) > MAX_ANSWERS:
        draft.unknown("limits", "", f"more than {MAX_ANSWERS} answers in one", "GENERIC", "limits")


def _signature(
    draft: Draft, response: OCSPResponse, issuer: Certificate, pool: tuple[Certificate, ...], setting: Setting
) -> None:
    try:
        responder = find_responder(response, issuer, pool, at=setting.now)
    except (UnsupportedAlgorithm, BackendUnavailable) as error:
        draft.unknown("signature-value", CLAUSE, str(error), "GENERIC", "unsupported-algorithm")
        return
    except BadSignature as error:
        draft.cryptographic = LayerReport("failed")
        draft.failed("signature-value", CLAUSE, str(error), Verdict.TOTAL_FAILED, "SIG_CRYPTO_FAILURE")
        return
    except OCSPError as error:
        known = error.facts.get("reason") == "delegation"
        sub_indication = "CHAIN_CONSTRAINTS_FAILURE" if known else "NO_SIGNING_CERTIFICATE_FOUND"
        draft.failed("signing-certificate", CLAUSE, str(error), Verdict.INDETERMINATE, sub_indication)
        return
    draft.cryptographic = LayerReport("passed")
    draft.passed("signature-value", CLAUSE, "", f"key of {responder.subject}")
    draft.signer = describe(responder)
    draft.suite = suites.suite_of_signature(responder.spki, response.signature_algorithm)
    # a delegate was found to be the issuer's; without nocheck it may be revoked, which its chain says
    subject = responder if responder != issuer and not is_nocheck(responder) else issuer
    judge_issuer(draft, subject, (issuer, *response.certificates), for_any_purpose(setting))


def _freshness(draft: Draft, response: OCSPResponse, setting: Setting) -> None:
    for single in response.responses[:MAX_ANSWERS]:
        serial = f"{single.cert_id.serial:x}"
        unknown = critical_extension(response, single)
        if unknown:
            detail = f"{serial}: unknown critical extension {unknown}"
            draft.failed("ocsp-response", CLAUSE, detail, Verdict.INDETERMINATE, "FORMAT_FAILURE")
        if single.this_update > setting.now:
            detail = f"{serial}: the answer is of {single.this_update.isoformat()}"
            draft.failed("freshness", CLAUSE, detail, Verdict.INDETERMINATE, "NOT_YET_VALID")
            continue
        why = why_not_current(single, None, setting.now)
        if why:
            draft.failed("freshness", CLAUSE, f"{serial}: {why}", Verdict.INDETERMINATE, "TRY_LATER")
        else:
            draft.passed("freshness", CLAUSE, f"{serial}: {single.status}, of {single.this_update.isoformat()}")
