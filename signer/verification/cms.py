"""Steps 2 to 7 of `signer.verify` for one CMS signature, in a PDF or in a file of its own.

    verify_embedded(draft, contents, source, setting, claimed)     # /Contents of a PDF signature
    judge_signer(draft, view, signer, source, setting, claimed)    # one SignerInfo, wherever it stands

*Wrong* and *could not check* stay apart: only a computed mismatch is HASH_FAILURE or SIG_CRYPTO_FAILURE; an algorithm
that cannot be computed here is INDETERMINATE and named.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from certs import ber, oids, signature_policy, suites
from certs.certificate import Certificate
from certs.errors import (
    BackendUnavailable,
    BadKey,
    BadSignature,
    CertsError,
    MalformedInput,
    UnsupportedAlgorithm,
)
from certs.signed_data import (
    SignedDataView,
    SignerView,
    check_signing_certificate,
    parse_signed_data,
)
from certs.suites.rsa import has_negative_modulus
from signer.report import IdentifierReport, LayerReport, SignaturePolicyReport, SignerReport, TimeReport, Verdict
from signer.verification.chain import judge_chain
from signer.verification.draft import Draft
from signer.verification.poe import proofs_of
from signer.verification.revocation import Evidence, evidence_of, read_evidence
from signer.verification.setting import Setting
from signer.verification.times import content_time, judge_document_timestamp, signature_times, weak_since

FORMAT, IDENTIFY, CRYPTO, ACCEPT = (f"EN 319 102-1 5.2.{n}" for n in (2, 3, 7, 8))


class Source(Protocol):
    """What was signed."""

    def digest(self, name: str) -> bytes:
        """Return its digest by name; raises UnsupportedAlgorithm."""
        ...

    def content(self) -> bytes:
        """Return the octets themselves."""
        ...


class Octets:
    """A `Source` in memory; each digest is computed once, however many signers there are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._digests: dict[str, bytes] = {}

    def digest(self, name: str) -> bytes:
        """Return the digest by name; raises UnsupportedAlgorithm."""
        if name not in self._digests:
            self._digests[name] = suites.digest(name, self._data)
        return self._digests[name]

    def content(self) -> bytes:
        """Return the octets."""
        return self._data


# -- in a PDF -----------------------------------------------------------------------------------------


def verify_embedded(
    draft: Draft, contents: bytes, source: Source, setting: Setting, claimed: datetime | None = None
) -> SignedDataView | None:
    """Verify what stands in /Contents over the signed octets; `claimed` is /M of the dictionary.

    Returns the CMS where there is one with a signer.
    """
    structure = without_padding(draft, contents)
    if structure is None:
        return None
    if draft.kind == "document-timestamp":
        judge_document_timestamp(draft, structure, source, setting)
        return None
    view = parse(draft, structure)
    if view is None:
        return None
    # 2. Format checking
    if len(view.signers) != 1:
        detail = f"the CMS has {len(view.signers)} SignerInfo, not one"
        kind = Verdict.INDETERMINATE if view.signers else Verdict.TOTAL_FAILED
        draft.failed("one-signer", "EN 319 142-1 4.1 a", detail, kind, "FORMAT_FAILURE")
        if not view.signers:
            return None
    else:
        draft.passed("one-signer", "EN 319 142-1 4.1 a")
    if view.content is not None:
        detail = "the CMS of a detached signature carries content"
        draft.failed("detached", "EN 319 142-1 6.3 h", detail, Verdict.INDETERMINATE, "FORMAT_FAILURE")
    results = []
    if any(signer.unsigned_values(oids.COUNTERSIGNATURE) for signer in view.signers):
        draft.warn("countersignature", "a countersignature inside a PDF signature is not looked at")
    for position, found in enumerate(view.signers):
        signer = replace(found, content=None)  # what was signed is the file, not what the CMS carries
        if position == 0:
            judge_signer(draft, view, signer, source, setting, claimed)
            results.append(draft.cryptographic.result)
        else:
            other = Draft(field=draft.field)
            judge_signer(other, view, signer, source, setting, claimed)
            draft.checks += other.checks
            draft.lower(other.verdict, other.sub_indication or "GENERIC", other.reason, other.code)
            results.append(other.cryptographic.result)
    if "failed" in results:
        draft.cryptographic = LayerReport("failed")
    elif "not-checked" in results:
        draft.cryptographic = LayerReport("not-checked")
    return view


def without_padding(draft: Draft, contents: bytes) -> bytes | None:
    """Cut off what fills the placeholder behind the structure; its end is read from the structure itself."""
    try:
        end = ber.Value(contents, 0, len(contents)).end
    except CertsError as error:
        draft.failed("cms", FORMAT, f"no CMS in /Contents: {error}", Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        return None
    if contents[end:].strip(b"\x00"):
        draft.warn("padding", "octets other than zero stand behind the CMS in /Contents")
    return contents[:end]


def parse(draft: Draft, data: bytes) -> SignedDataView | None:
    """Read a CMS and record whether that was possible; None where it was not."""
    try:
        view = parse_signed_data(data)
    except MalformedInput as error:
        kind = error.facts.get("content_type")
        if kind is not None:
            detail = f"a CMS of type {oids.name(kind)} is not supported"
            draft.unknown("cms", FORMAT, detail, "GENERIC", "unsupported-subfilter")
        else:
            detail = f"the CMS cannot be read: {error}"
            draft.failed("cms", FORMAT, detail, Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        return None
    draft.passed("cms", FORMAT, f"SignedData version {view.version}, {oids.name(view.outer_oid)}")
    return view


# -- one SignerInfo -----------------------------------------------------------------------------------


def judge_signer(
    draft: Draft,
    view: SignedDataView,
    signer: SignerView,
    source: Source,
    setting: Setting,
    claimed: datetime | None,
) -> None:
    """Verify one SignerInfo over what was signed."""
    draft.signature_algorithm = signer.signature_algorithm.oid
    draft.digest_algorithm = signer.digest_algorithm.oid
    draft.value = signer.signature
    draft.policy = _policy(signer)
    # 3. Identification of the signing certificate
    evidence = evidence_of(draft, view, signer, setting)
    certificate, named = _signing_certificate(draft, signer, evidence)
    if certificate is None:
        return
    draft.signer = describe(certificate)
    # 4. Cryptographic verification
    _cryptography(draft, signer, certificate, source)
    draft.level = "B-B" if named and draft.subfilter in (None, "ETSI.CAdES.detached") else None
    # 6. Time-stamps: of the signature, over the signature (archive), over the document
    proofs = proofs_of(setting)
    after: datetime | None = None
    best: datetime | None = None
    stamped = False
    if draft.cryptographic.result == "passed":
        proofs = signature_times(draft, view, signer, certificate, evidence, source, setting)
        stamped = any(t.suite and t.verdict is not Verdict.TOTAL_FAILED for t in draft.timestamps)
        after = content_time(draft, signer, evidence, source, setting, proofs)
        best = proofs.proven(signer.signature)
    if draft.level == "B-B" and (best or stamped):
        draft.level = "B-T"
    if draft.level == "B-T" and draft.subfilter is None and _has_evidence(view, signer):
        draft.level = "B-LT"
    stated = _claimed_time(draft, signer) or claimed
    if best is not None:
        draft.signed_at = TimeReport(best, "timestamp")
    elif stated is not None:
        draft.signed_at = TimeReport(stated, "claimed")
    # 5. Signature acceptance, as of the time that is proven
    _acceptance(draft, signer, best or setting.now, named=named)
    # 7. X.509 validation
    judge_chain(draft, certificate, evidence, setting, proofs, best=best, after=after, claimed=stated)


def _policy(signer: SignerView) -> SignaturePolicyReport | None:
    """Return what the signature says it was made under; `signer.layers` says what it was."""
    try:
        values = signer.values(oids.SIGNATURE_POLICY)
        found = signature_policy.of_attributes(values)
    except MalformedInput:
        return SignaturePolicyReport("", None, "", readable=False)
    if found is None:
        return SignaturePolicyReport("", None, "") if values else None
    return SignaturePolicyReport(found.oid, found.digest_oid, found.digest.hex())


def _has_evidence(view: SignedDataView, signer: SignerView) -> bool:
    """Tell whether lists or answers came with the signature itself (EN 319 122-1 6.3, level B-LT)."""
    found, _ = read_evidence(view, signer)
    return bool(found.crls or found.ocsps)


def describe(certificate: Certificate) -> SignerReport:
    """Say who a certificate is for."""
    return SignerReport(
        subject=certificate.subject,
        issuer=certificate.issuer,
        serial=certificate.serial_hex,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        common_name=certificate.common_name,
        organisation=certificate.organisation,
        identifiers=tuple(IdentifierReport(i.scheme, i.value, i.checksum_ok) for i in certificate.identifiers),
        fingerprint=certificate.fingerprint("sha256"),
        key_suite=certificate.suite_name,
        key_parameter=_parameter(certificate),
        policies=certificate.policies,
    )


def _parameter(certificate: Certificate) -> str | None:
    try:
        return certificate.public_key().parameter
    except CertsError:
        return None


def _signing_certificate(draft: Draft, signer: SignerView, evidence: Evidence) -> tuple[Certificate | None, bool]:
    """3. Return the certificate, and whether the signed attributes name it (RFC 5035 5.4)."""
    candidates = signer.candidates(evidence.certificates)
    if not candidates:
        detail = "the signer's certificate is neither in the signature nor among those at hand"
        draft.unknown("signing-certificate", IDENTIFY, detail, "NO_SIGNING_CERTIFICATE_FOUND")
        return None, False
    try:
        if not signer.signing_certificates:
            detail = "no signing-certificate attribute: the certificate is found by name and number only"
            draft.warn("signing-certificate-attribute", detail)
            draft.passed("signing-certificate", IDENTIFY, candidates[0].subject, "issuer and serial number")
            return candidates[0], False
        for candidate in candidates:
            try:
                check_signing_certificate(signer, candidate)
            except BadSignature:
                continue
            draft.passed("signing-certificate", IDENTIFY, candidate.subject, "signing-certificate attribute")
            return candidate, True
    except UnsupportedAlgorithm as error:
        draft.warn("signing-certificate-attribute", f"its digest cannot be computed: {error}")
        return candidates[0], False
    except MalformedInput as error:
        draft.warn("signing-certificate-attribute", f"it cannot be read: {error}")
        return candidates[0], False
    draft.failed(
        "signing-certificate",
        IDENTIFY,
        "the signed attributes name another certificate than the one that is here",
        Verdict.INDETERMINATE,
        "NO_SIGNING_CERTIFICATE_FOUND",
    )
    return candidates[0], False


def _cryptography(draft: Draft, signer: SignerView, certificate: Certificate, source: Source) -> None:
    """4. Message digest and signature value."""
    try:
        if signer.signed_attributes is None and signer.content is None:
            suite = signer.verify(source.content(), certificate=certificate)
        else:
            suite = signer.verify(digest=source.digest(signer.digest_name), certificate=certificate)
    except BadSignature as error:
        draft.cryptographic = LayerReport("failed")
        reason = error.facts.get("reason")
        if reason in ("message-digest", "content"):
            detail = "the signed content is not what was signed: another digest"
            draft.failed("message-digest", CRYPTO, detail, Verdict.TOTAL_FAILED, "HASH_FAILURE")
        elif reason in ("content-type", "ambiguous"):
            draft.failed("content-type", FORMAT, str(error), Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        else:
            draft.failed("signature-value", CRYPTO, str(error), Verdict.TOTAL_FAILED, "SIG_CRYPTO_FAILURE")
    except (UnsupportedAlgorithm, BackendUnavailable) as error:
        draft.unknown("signature-value", CRYPTO, _unsupported(signer, error), "GENERIC", "unsupported-algorithm")
    except BadKey as error:
        draft.failed("signature-value", CRYPTO, str(error), Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE")
    except MalformedInput as error:
        draft.cryptographic = LayerReport("failed")
        draft.failed("signature-value", FORMAT, str(error), Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
    else:
        draft.cryptographic = LayerReport("passed")
        draft.suite = suite
        if suite in suites.OLD_NAMES:
            draft.warn("old-algorithm", f"{suite} is verified for old signatures only; nothing new is signed with it")
        if signer.signed_attributes is not None:
            draft.passed("message-digest", CRYPTO, oids.name(signer.digest_oid))
        draft.passed("signature-value", CRYPTO, suite, f"key of {certificate.subject}")
        if has_negative_modulus(certificate.spki):
            draft.warn("negative-modulus", "the RSA modulus in the certificate is encoded as a negative number")
        return
    try:
        draft.suite = suites.suite_of_signature(certificate.spki, signer.signature_algorithm.der())
    except CertsError:
        draft.suite = None


def _unsupported(signer: SignerView, error: CertsError) -> str:
    algorithm, digest = signer.signature_algorithm.oid, signer.digest_algorithm.oid
    return f"signature algorithm {oids.name(algorithm)} with digest {oids.name(digest)}: {error}"


def _acceptance(draft: Draft, signer: SignerView, moment: datetime, *, named: bool) -> None:
    """5. What the signature must have, and whether its algorithms were good enough at `moment` (`suites.policy`)."""
    # the digest of the content, and the one inside the signature where its algorithm names another
    weak = weak_since(moment, filter(None, (_digest(signer), _signature_digest(signer))))
    if weak:
        draft.failed("algorithm-policy", ACCEPT, weak, Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE")
    elif draft.cryptographic.result == "passed":
        draft.passed("algorithm-policy", ACCEPT, f"{draft.suite}, {oids.name(signer.digest_oid)}")
    if not named and draft.subfilter == "ETSI.CAdES.detached":
        draft.warn("not-pades", "ETSI.CAdES.detached without a usable signing-certificate attribute (EN 319 142-1 6.3)")


def _digest(signer: SignerView) -> str | None:
    try:
        return signer.digest_name
    except UnsupportedAlgorithm:
        return None


def _signature_digest(signer: SignerView) -> str | None:
    try:
        return suites.signature_digest(signer.signature_algorithm.der())
    except (UnsupportedAlgorithm, MalformedInput):
        return None


def _claimed_time(draft: Draft, signer: SignerView) -> datetime | None:
    try:
        return signer.signing_time
    except CertsError as error:
        draft.warn("signing-time", f"the signing-time attribute cannot be read: {error}")
        return None
