"""The signed value of an OFD signature: what it is, and whether it fits the signature file (GB/T 33190-2016 18.2.1).

    reports = judge_value(draft, file, files, source, setting)

| the octets | what they are | over |
| --- | --- | --- |
| SES_Signature | made with a seal, GM/T 0031 or GB/T 38540 | the digest of the signature file |
| SignedData | GB/T 35275 or CMS, without a seal | the digest of the signature file, or the file |
| SEQUENCE of two INTEGER, or 64 octets | a bare SM2 value, no longer to be made | the signature file |

`draft` holds what was found before. A bare value does not say whose it is: the certificates at hand are tried.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from certs import der, suites
from certs.certificate import Certificate
from certs.errors import CertsError, MalformedInput
from certs.signed_data import SignedDataView, parse_signed_data
from signer.report import LayerReport, SignatureReport, Verdict
from signer.seals import SealSignature, read_seal_signature
from signer.seals.check import digest_beside, verify_value
from signer.verification.chain import judge_chain
from signer.verification.cms import ACCEPT, CRYPTO, IDENTIFY, Octets, describe
from signer.verification.draft import Draft
from signer.verification.kinds.cms import inner, verify_cms_file
from signer.verification.kinds.ofd_package import ENTRY, SignatureFile, resolve
from signer.verification.poe import proofs_of
from signer.verification.revocation import Evidence
from signer.verification.seals import judge_seal_signature
from signer.verification.setting import Setting
from signer.verification.times import weak_since

CLAUSE = "GB/T 33190-2016 18.2.1"
MAX_CANDIDATES = 50
"""Certificates tried for a bare value."""
RAW_PAIR = 64


def judge_value(
    draft: Draft, file: SignatureFile, files: Mapping[str, bytes], source: Octets, setting: Setting
) -> list[SignatureReport]:
    """Judge the signed value and return the reports: several where a SignedData has several signers."""
    value = files.get(file.value)
    if not value:
        detail = f"{file.value} is not in the package"
        draft.unknown("signature-value-present", CLAUSE, detail, "FORMAT_FAILURE", "no-signature-value")
        return [draft.report()]
    sealed = inner(value) is None and not _is_bare(value)
    if not sealed and file.seal is not None:
        # whoever copies the seal of another beside his own signature has it drawn on the page
        detail = f"{file.seal} is shown, and the signed value was not made with a seal"
        verdict, sub_indication = Verdict.INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"
        draft.failed("ofd-seal-file", CLAUSE, detail, verdict, sub_indication, "seal-not-used")
    if inner(value) is not None:
        return judge_signed_data(draft, value, source, setting)
    if not sealed:
        draft.kind = "signature"
        _judge_bare(draft, file, value, source, setting)
        return [draft.report()]
    draft.kind = "seal"
    try:
        signed = read_seal_signature(value)
    except MalformedInput as error:
        verdict, sub_indication = Verdict.TOTAL_FAILED, "FORMAT_FAILURE"
        draft.failed("seal-signature-format", CLAUSE, str(error), verdict, sub_indication, "seal-malformed")
        return [draft.report()]
    judge_seal_signature(draft, signed, source, setting)
    _seal_shown(draft, file, files, signed)
    return [draft.report()]


def _seal_shown(draft: Draft, file: SignatureFile, files: Mapping[str, bytes], signed: SealSignature) -> None:
    """Compare the seal of Seal/BaseLoc, whose picture a reader draws, with the one that was used."""
    if file.seal is not None:
        shown = files.get(file.seal)
        if shown is None:
            detail = f"{file.seal} is not in the package"
            draft.failed("ofd-seal-file", CLAUSE, detail, Verdict.INDETERMINATE, "SIGNED_DATA_NOT_FOUND")
        elif shown != signed.seal.der:
            detail = f"{file.seal} is another seal than the one in the signed value"
            draft.failed("ofd-seal-file", CLAUSE, detail, Verdict.TOTAL_FAILED, "FORMAT_FAILURE", "seal-swapped")
        else:
            draft.passed("ofd-seal-file", CLAUSE, file.seal)
    try:
        named = resolve(ENTRY, signed.property_info)
    except MalformedInput:
        named = ""
    if named == file.path:
        draft.passed("ofd-protection-range", CLAUSE, file.path)
    else:
        # its digest is compared all the same, so nothing else can have been meant
        detail = f"propertyInfo is {signed.property_info[:200]!r}, the signature file {file.path}"
        draft.skipped("ofd-protection-range", CLAUSE, detail)
        draft.warn("ofd-protection-range", detail)


# -- SignedData -----------------------------------------------------------------------------------------


def judge_signed_data(draft: Draft, value: bytes, source: Octets, setting: Setting) -> list[SignatureReport]:
    """Judge a SignedData over a file, or over its digest; `draft` holds what was found before."""
    before = draft.copy()

    def record(started: Draft) -> None:
        started.checks += before.checks
        started.warnings += before.warnings
        started.lower(before.verdict, before.sub_indication or "GENERIC", before.reason, before.code)

    try:
        signed = _signed_octets(parse_signed_data(inner(value) or value), source)
    except CertsError:
        signed = source  # what is wrong with it is said where it is judged
    return verify_cms_file(value, signed, setting, name=draft.field, before=record)


def _signed_octets(view: SignedDataView, source: Octets) -> Octets:
    """Return what the signers signed if this is the right file: the file, its digest, or that as base64.

    Anything else inside is compared with the digest, so that it is told as another content.
    """
    digest = source.digest(view.signers[0].digest_name if view.signers else "sm3")
    forms = (source.content(), digest, base64.b64encode(digest))
    if view.content is not None:
        return Octets(view.content if view.content in forms else digest)
    stated = view.signers[0].message_digest if view.signers else None
    for form in forms:
        if stated is not None and suites.digest(view.signers[0].digest_name, form) == stated:
            return Octets(form)
    return source


# -- bare values ----------------------------------------------------------------------------------------


def _is_bare(value: bytes) -> bool:
    if len(value) == RAW_PAIR:
        return True
    try:
        der.decode_integer_pair(value)
    except MalformedInput:
        return False
    return True


def _judge_bare(draft: Draft, file: SignatureFile, value: bytes, source: Octets, setting: Setting) -> None:
    draft.value, draft.signature_algorithm = value, file.method or None
    certificates = dict.fromkeys((*setting.certificates, *setting.trust.certificates, *setting.trust.anchors))
    found = _whose(list(certificates), file.method, value, source)
    if found is None:
        detail = "a bare value names no certificate, and it is the value of none that is at hand"
        draft.unknown("signing-certificate", IDENTIFY, detail, "NO_SIGNING_CERTIFICATE_FOUND")
        return
    certificate, suite = found
    draft.signer, draft.suite, draft.cryptographic = describe(certificate), suite, LayerReport("passed")
    draft.passed("signing-certificate", IDENTIFY, certificate.subject, "its key verifies the value")
    draft.passed("signature-value", CRYPTO, suite, f"key of {certificate.subject}")
    proofs = proofs_of(setting)
    weak = weak_since(proofs.moment(value), (digest_beside(file.method, certificate),))
    if weak:
        draft.failed("algorithm-policy", ACCEPT, weak, Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE")
    evidence = Evidence(tuple(certificates), setting.crls, setting.ocsps)
    judge_chain(draft, certificate, evidence, setting, proofs, best=None, after=None, claimed=None)


def _whose(
    certificates: list[Certificate], method: str, value: bytes, source: Octets
) -> tuple[Certificate, str] | None:
    for certificate in certificates[:MAX_CANDIDATES]:
        try:
            return certificate, verify_value(certificate, method, value, source.content()).suite
        except CertsError:  # not this one's
            continue
    return None
