"""Certificates as files: whether the chain is good for the purpose that is asked for, at the moment (RFC 5280 6).

Of several in one file each gets a report, and each may stand in the chains of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from certs import ber
from certs.certificate import Certificate, load_certificates
from certs.errors import CertsError
from certs.path import PathResult
from certs.pem import pem_blocks
from signer.report import CheckResult, LayerReport, Verdict
from signer.verification.cms import describe
from signer.verification.draft import Draft
from signer.verification.encoded import unwrapped
from signer.verification.kinds import Found
from signer.verification.past import judge_certificate
from signer.verification.poe import proofs_of
from signer.verification.revocation import Evidence
from signer.verification.setting import Setting
from signer.verification.times import say_what_was_fetched

CLAUSE = "EN 319 102-1 5.2.6; RFC 5280 6"
LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
MAX_CERTIFICATES = 50


def looks_like(data: bytes) -> bool:
    """Tell whether the file begins with a certificate: TBSCertificate with validity behind an issuer."""
    encoded = unwrapped(data, *LABELS)
    if encoded is None:
        return False
    try:
        Certificate(encoded)
    except CertsError:
        # broken, but meant as one: PEM says so
        return any(label in LABELS for label, _ in _blocks(data))
    return True


def _blocks(data: bytes) -> Sequence[tuple[str, bytes]]:
    try:
        return pem_blocks(data)
    except CertsError:
        return ()


def verify(data: bytes, content: bytes | None, setting: Setting) -> Found:
    """Validate every certificate of the file."""
    del content
    try:
        single = unwrapped(data, *LABELS)
        certificates = load_certificates(data if _blocks(data) else single or data)
    except CertsError as error:
        draft = Draft(field="", kind="certificate")
        draft.failed("certificate-form", "RFC 5280 4.1", str(error), Verdict.INDETERMINATE, "FORMAT_FAILURE")
        return Found((draft.report(),))
    reports = []
    for number, certificate in enumerate(certificates[:MAX_CERTIFICATES], 1):
        draft = Draft(field=f"certificate {number}" if len(certificates) > 1 else "", kind="certificate")
        with draft.guarded():
            try:
                _judge(draft, certificate, certificates, setting)
            except CertsError as error:
                draft.failed("certificate-form", "RFC 5280 4.1", str(error), Verdict.INDETERMINATE, "FORMAT_FAILURE")
        reports.append(draft.report())
    if len(certificates) > MAX_CERTIFICATES:
        draft = Draft(field="", kind="certificate")
        draft.unknown("limits", "", f"more than {MAX_CERTIFICATES} certificates", "GENERIC", "limits")
        reports.append(draft.report())
    return Found(tuple(reports))


def _judge(draft: Draft, certificate: Certificate, others: Sequence[Certificate], setting: Setting) -> None:
    draft.signer = describe(certificate)
    draft.suite = certificate.suite_name
    draft.signature_algorithm = ber.load(certificate.signature_algorithm).members().next().oid()
    judge_issuer(draft, certificate, tuple(others), setting)


def judge_issuer(draft: Draft, certificate: Certificate, pool: tuple[Certificate, ...], setting: Setting) -> PathResult:
    """Validate a chain at the moment of validation and record its checks; the purpose is the setting's."""
    trusted = (*setting.trust.anchors, *setting.trust.certificates)
    evidence = Evidence((*pool, *setting.certificates, *trusted), setting.crls, setting.ocsps)
    proofs = proofs_of(setting)
    purpose = setting.options.purpose
    outcome = judge_certificate(certificate, evidence, setting, proofs, proven=None, purpose=purpose)
    result = outcome.result
    draft.keep_path(result, ("signer", "issuer", "anchor"))
    say_what_was_fetched(draft, outcome.notes, setting)
    for check in result.checks:
        draft.checks.append(CheckResult(check.id, check.clause, check.result, check.detail, check.basis))
    if any(check.id == "chain" and check.result == "passed" for check in result.checks):
        draft.cryptographic = LayerReport("passed")
    if result.passed:
        when = setting.now.isoformat()
        draft.passed("x509-validation", CLAUSE, f"at {when}, up to {result.chain[-1].subject}", purpose)
        return result
    verdict = Verdict.TOTAL_FAILED if result.indication == "FAILED" else Verdict.INDETERMINATE
    draft.lower(verdict, result.sub_indication or "CERTIFICATE_CHAIN_GENERAL_FAILURE", result.detail)
    return result


def for_any_purpose(setting: Setting) -> Setting:
    """Return the setting for issuers, of whom no purpose is asked."""
    return replace(setting, options=replace(setting.options, purpose="any"))
