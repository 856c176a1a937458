"""Revocation lists as files: who signed, up to which anchor, and whether they are current (RFC 5280 5, 6.3.3)."""

from __future__ import annotations

from certs import ber, suites
from certs.certificate import Certificate
from certs.crl import CRL, load_crls
from certs.errors import BackendUnavailable, BadSignature, CertsError, UnsupportedAlgorithm
from signer.report import LayerReport, Verdict
from signer.verification.cms import describe
from signer.verification.draft import Draft
from signer.verification.encoded import is_pem, unwrapped
from signer.verification.kinds import Found
from signer.verification.kinds.certificate import for_any_purpose, judge_issuer
from signer.verification.setting import Setting

CLAUSE = "RFC 5280 5, 6.3.3"
LABELS = ("X509 CRL",)
MAX_LISTS = 50


def looks_like(data: bytes) -> bool:
    """Tell whether the file is a CertificateList."""
    encoded = unwrapped(data, *LABELS)
    try:
        return encoded is not None and bool(CRL(encoded).der)
    except CertsError:
        return False


def verify(data: bytes, content: bytes | None, setting: Setting) -> Found:
    """Verify every list of the file."""
    del content
    reports = []
    try:
        lists = load_crls(data if is_pem(data) else unwrapped(data, *LABELS) or data)
    except CertsError as error:
        draft = Draft(field="", kind="revocation-list")
        draft.failed("revocation-list", CLAUSE, str(error), Verdict.INDETERMINATE, "FORMAT_FAILURE")
        return Found((draft.report(),))
    for number, crl in enumerate(lists[:MAX_LISTS], 1):
        draft = Draft(field=f"list {number}" if len(lists) > 1 else "", kind="revocation-list")
        with draft.guarded():
            try:
                _judge(draft, crl, setting)
            except CertsError as error:
                draft.failed("revocation-list", CLAUSE, str(error), Verdict.INDETERMINATE, "FORMAT_FAILURE")
        reports.append(draft.report())
    if len(lists) > MAX_LISTS:
        draft = Draft(field="", kind="revocation-list")
        draft.unknown("limits", "", f"more than {MAX_LISTS} revocation lists", "GENERIC", "limits")
        reports.append(draft.report())
    return Found(tuple(reports))


def _judge(draft: Draft, crl: CRL, setting: Setting) -> None:
    draft.signature_algorithm = ber.load(crl.signature_algorithm).members().next().oid()
    _form(draft, crl)
    issuer = _signer(draft, crl, setting)
    if issuer is not None:
        draft.signer = describe(issuer)
        draft.suite = suites.suite_of_signature(issuer.spki, crl.signature_algorithm)
        judge_issuer(draft, issuer, (), for_any_purpose(setting))
    _freshness(draft, crl, setting)


def _form(draft: Draft, crl: CRL) -> None:
    """Every entry is read, since one that cannot be makes the list say nothing (RFC 5280 5.3)."""
    count = len(crl.entries)
    kind = "a delta" if crl.base_number is not None else "a complete list"
    number = crl.number if crl.number is not None else "without a number"
    if crl.unusable:
        draft.failed("revocation-list", CLAUSE, crl.unusable, Verdict.INDETERMINATE, "FORMAT_FAILURE")
        return
    draft.passed("revocation-list", CLAUSE, f"{kind}, {number}, {count} entries", crl.issuer)


def _signer(draft: Draft, crl: CRL, setting: Setting) -> Certificate | None:
    """Return whose key verifies the list; several certificates of one name may be at hand."""
    pool = dict.fromkeys((*setting.trust.anchors, *setting.trust.certificates, *setting.certificates))
    candidates = [item for item in pool if item.subject_name.key == crl.issuer_name.key]
    named = [item for item in candidates if crl.aki is None or item.ski is None or item.ski == crl.aki]
    wrong = ""
    for candidate in named[:8]:
        try:
            crl.check_signed_by(candidate)
        except (UnsupportedAlgorithm, BackendUnavailable) as error:
            draft.unknown("signature-value", CLAUSE, str(error), "GENERIC", "unsupported-algorithm")
            return None
        except BadSignature as error:
            wrong = str(error)
            continue
        draft.cryptographic = LayerReport("passed")
        draft.passed("signature-value", CLAUSE, "", f"key of {candidate.subject}")
        return candidate
    if wrong and any(item.ski == crl.aki for item in named if item.ski):
        # the very key that the list names
        draft.cryptographic = LayerReport("failed")
        draft.failed("signature-value", CLAUSE, wrong, Verdict.TOTAL_FAILED, "SIG_CRYPTO_FAILURE")
    else:
        detail = f"the certificate of {crl.issuer} is not at hand"
        draft.unknown("signing-certificate", CLAUSE, wrong or detail, "NO_SIGNING_CERTIFICATE_FOUND")
    return None


def _freshness(draft: Draft, crl: CRL, setting: Setting) -> None:
    """Record whether the list speaks about the moment: from thisUpdate to nextUpdate (RFC 5280 6.3.3 a)."""
    clause = "RFC 5280 5.1.2.4, 5.1.2.5"
    if crl.this_update > setting.now:
        detail = f"the list is of {crl.this_update.isoformat()}"
        draft.failed("freshness", clause, detail, Verdict.INDETERMINATE, "NOT_YET_VALID")
    elif crl.next_update is None:
        draft.unknown("freshness", clause, "the list does not say until when it is current", "TRY_LATER")
    elif setting.now > crl.next_update:
        detail = f"the list was current until {crl.next_update.isoformat()}"
        draft.failed("freshness", clause, detail, Verdict.INDETERMINATE, "TRY_LATER")
    else:
        draft.passed("freshness", clause, f"{crl.this_update.isoformat()} to {crl.next_update.isoformat()}")
