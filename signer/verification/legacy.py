"""Signatures of kinds that ISO 32000-2 Table 260 deprecates, and of kinds it does not know.

- adbe.pkcs7.sha1: a CMS that encapsulates the SHA-1 digest of the signed octets and signs that
- adbe.x509.rsa_sha1: no CMS at all, a bare RSA value (PKCS #1 v1.5) in /Contents and the certificates in /Cert
- any other /SubFilter (GM.SM2, PBAD.PAdES …): where /Contents is a CMS over the signed octets after all, it is shown
  who signed; where not, nothing is said against it

They are computed and judged like the others, so that a forged one is found; none of them is ever TOTAL-PASSED.
"""

from __future__ import annotations

from datetime import datetime

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.errors import BadKey, BadSignature, CertsError
from certs.signed_data import SignedDataView, SignerView, parse_signed_data
from certs.suites.base import AlgorithmID
from signer.report import LayerReport, Verdict
from signer.verification.cms import Octets, Source, judge_signer, verify_embedded, without_padding
from signer.verification.draft import Draft
from signer.verification.setting import Setting

PKCS7_SHA1 = "adbe.pkcs7.sha1"
CLAUSE = "ISO 32000-2 12.8.3.2, 12.8.3.3, Table 260"
DIGESTS = ("sha1", "sha256", "sha384", "sha512")
"""What adbe.x509.rsa_sha1 may be over, its name notwithstanding (ISO 32000-1 Table 257)."""
MAX_CERTIFICATES = 20


def verify_legacy(
    draft: Draft, contents: bytes, cert: object, source: Source, setting: Setting, claimed: datetime | None
) -> None:
    """Verify a signature of one of the two deprecated kinds; `cert` is the value of /Cert."""
    detail = f"/SubFilter {draft.subfilter} is deprecated: it protects neither certificate nor algorithm"
    draft.failed("subfilter", CLAUSE, detail, Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE", "deprecated-kind")
    if draft.subfilter == PKCS7_SHA1:
        _pkcs7_sha1(draft, contents, source, setting, claimed)
    else:
        _x509_rsa_sha1(draft, contents, cert, source, setting, claimed)


def _pkcs7_sha1(draft: Draft, contents: bytes, source: Source, setting: Setting, claimed: datetime | None) -> None:
    structure = without_padding(draft, contents)
    if structure is None:
        return
    try:
        view = parse_signed_data(structure)
    except CertsError as error:
        draft.failed("cms", CLAUSE, f"the CMS cannot be read: {error}", Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        return
    if view.content is None or len(view.signers) != 1:
        detail = "adbe.pkcs7.sha1 needs one signer and a digest inside"
        draft.failed("cms", CLAUSE, detail, Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        return
    if view.content != source.digest("sha1"):
        draft.cryptographic = LayerReport("failed")
        detail = "the digest inside the CMS is not that of the signed octets"
        draft.failed("message-digest", CLAUSE, detail, Verdict.TOTAL_FAILED, "HASH_FAILURE")
        return
    draft.passed("message-digest", CLAUSE, "sha1 of the signed octets")
    judge_signer(draft, view, view.signers[0], Octets(view.content), setting, claimed)


def _x509_rsa_sha1(
    draft: Draft, contents: bytes, cert: object, source: Source, setting: Setting, claimed: datetime | None
) -> None:
    certificates = certificates_in(cert)
    if not certificates:
        detail = "there is no certificate in /Cert"
        draft.unknown("signing-certificate", CLAUSE, detail, "NO_SIGNING_CERTIFICATE_FOUND")
        return
    try:
        value = ber.Value(contents, 0, len(contents))
        signature = value.octets()
    except CertsError as error:
        detail = f"no RSA value in /Contents: {error}"
        draft.failed("signature-value", CLAUSE, detail, Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        return
    signer = certificates[0]
    digest = AlgorithmID(suites.digest_oid(_digest_of(signer, signature, source)), der.NULL_DER)
    info = SignerView(
        version=1,
        issuer=signer.issuer_name.der,
        serial=signer.serial,
        ski=None,
        digest_algorithm=digest,
        signature_algorithm=AlgorithmID(oids.RSA, der.NULL_DER),
        signature=signature,
        signed_attributes=None,
        attributes=(),
        unsigned_attributes=(),
        content_type=oids.DATA,
        content=None,
        certificates=certificates,
    )
    view = SignedDataView(
        oids.SIGNED_DATA, oids.DATA, None, 1, (digest,), certificates, 0, (), (info,), encoded_length=value.end
    )
    judge_signer(draft, view, info, source, setting, claimed)


def certificates_in(cert: object) -> tuple[Certificate, ...]:
    """Read /Cert: a byte string, or an array of them with the signer's first (Table 255)."""
    items = cert if isinstance(cert, list) else [cert]
    found = []
    for item in items[:MAX_CERTIFICATES]:
        if isinstance(item, bytes):
            try:
                found.append(Certificate(item))
            except CertsError:
                continue
    return tuple(found)


def _digest_of(signer: Certificate, signature: bytes, source: Source) -> str:
    """Return the digest the value verifies with; the first of them where none does."""
    algorithm = AlgorithmID(oids.RSA, der.NULL_DER).der()
    for name in DIGESTS:
        try:
            suites.verify(signer.spki, algorithm, signature, source.content(), digest=name)
        except (BadSignature, BadKey):
            continue
        except CertsError:
            break
        return name
    return DIGESTS[0]


def show_unknown(
    draft: Draft, contents: bytes, source: Source, setting: Setting, claimed: datetime | None = None
) -> None:
    """Say who signed in a kind we do not know, where it is a right CMS over the signed octets; else nothing."""
    trial = draft.copy()
    verify_embedded(trial, contents, source, setting, claimed)
    if trial.cryptographic.result == "passed":
        vars(draft).update(vars(trial))
