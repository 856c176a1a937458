"""The XAdES signature of a trusted list, computed by signxml; what it must look like is decided here.

    verified = verify_list(data, {fingerprint})        # TrustListError, MalformedInput
    verified.octets                                    # what was signed, canonical: read this and nothing else
    verified.signer                                    # Certificate, one of those named

ETSI TS 119 612 annex B wants one enveloped signature over the whole list. The steps, numbered again at the code:

1. The octets are XML within our bounds, without a document type (`certs.trust.xml`).
2. There is one signature, a child of the document element. Nobody can hide a second one, or wrap the first.
3. Every algorithm is of the short lists below: no SHA-1, no HMAC, no DSA, no transform but "enveloped" and
   canonicalization without comments.
4. One reference is to the whole list, one to the signed properties inside the signature; others may be to parts of the
   signature itself. Nothing is outside the file.
5. The certificate in KeyInfo is one of those that the caller names. What it says of itself counts for nothing.
6. signxml computes the digests and the signature with that certificate's key.
7. The canonical octets of the whole list are what is returned.

XML signatures in SM2 or GOST R 34.10 are computed by no library that we use; such a list is confirmed by its digest.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certs.certificate import Certificate
from certs.errors import CertsError, MalformedInput, TrustListError
from certs.suites.policy import MIN_RSA_BITS
from certs.trust.entries import certificate_in
from certs.trust.xml import parse_xml

if TYPE_CHECKING:
    from cryptography.x509 import Certificate as X509Certificate
    from lxml.etree import _Element

MAX_SIGNED = 16 * 1024 * 1024
"""The largest lists of the European Union have some 2 MiB; canonicalization holds several copies in memory."""
DS = "http://www.w3.org/2000/09/xmldsig#"
ENVELOPED = DS + "enveloped-signature"
SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"
CANONICAL = frozenset(
    {
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
    }
)
"""Annex B.1 names the first; all are without comments."""
DIGESTS = frozenset(
    {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2001/04/xmldsig-more#sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)
SIGNATURES = frozenset(
    "http://www.w3.org/" + name
    for name in (
        "2001/04/xmldsig-more#rsa-sha256",
        "2001/04/xmldsig-more#rsa-sha384",
        "2001/04/xmldsig-more#rsa-sha512",
        "2007/05/xmldsig-more#sha256-rsa-MGF1",
        "2007/05/xmldsig-more#sha384-rsa-MGF1",
        "2007/05/xmldsig-more#sha512-rsa-MGF1",
        "2001/04/xmldsig-more#ecdsa-sha256",
        "2001/04/xmldsig-more#ecdsa-sha384",
        "2001/04/xmldsig-more#ecdsa-sha512",
    )
)
MIN_EC_BITS = 256
"""ETSI TS 119 312, as MIN_RSA_BITS; no curve below 256 bits is listed."""
MAX_REFERENCES = 4
MAX_SIGNATURE = 5_000
"""Elements of the signature, which anybody can add to; those of published lists have fewer than a hundred."""
_NS = {"ds": DS}
_IDS = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")


@dataclass(frozen=True)
class VerifiedList:
    """What a signature covers, and whose it is."""

    octets: bytes
    """The whole list without its signature, canonical XML in UTF-8."""
    signer: Certificate


def verify_list(data: bytes, signers: Collection[str]) -> VerifiedList:
    """Return the signed octets of a list, after its signature was verified with the certificate of a named signer.

    `signers` are SHA-256 fingerprints of certificates, in lower-case hexadecimal. Whether the certificate is valid at
    a moment is for the caller. Raises MalformedInput for what is no list, TrustListError with reason "signature",
    "algorithm" or "signer".
    """
    if len(data) > MAX_SIGNED:
        raise MalformedInput("the signed list is too large")
    parse_xml(data)  # 1
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedInput("this is no well-formed XML") from error
    signature = _only_signature(root)  # 2
    place, count = _check_form(root, signature)  # 3, 4
    signer = _named_signer(signature, signers)  # 5
    octets = _compute(data, parser, signer, place, count, root.tag)  # 6, 7
    return VerifiedList(octets, signer)


def _only_signature(root: _Element) -> _Element:
    found = list(root.iter(f"{{{DS}}}Signature"))
    if not found:
        raise _wrong("the list has no signature")
    if len(found) > 1:
        raise _wrong("the list has more than one signature")
    if found[0].getparent() is not root:
        raise _wrong("the signature is not a child of the list")
    if sum(1 for _ in found[0].iter()) > MAX_SIGNATURE:
        raise _wrong("the signature is too long")
    return found[0]


def _check_form(root: _Element, signature: _Element) -> tuple[int, int]:
    """Check algorithms and references; return where the reference to the list stands, and how many there are."""
    _allow(signature, "ds:SignedInfo/ds:CanonicalizationMethod", CANONICAL)
    _allow(signature, "ds:SignedInfo/ds:SignatureMethod", SIGNATURES)
    references = signature.findall("ds:SignedInfo/ds:Reference", _NS)
    if len(references) > MAX_REFERENCES:
        raise _wrong("the signature has too many references")
    whole: list[int] = []
    properties = 0
    for place, reference in enumerate(references):
        _allow(reference, "ds:DigestMethod", DIGESTS)
        transforms = [item.get("Algorithm", "") for item in reference.iterfind("ds:Transforms/ds:Transform", _NS)]
        if any(len(item) for item in reference.iterfind("ds:Transforms/ds:Transform", _NS)):
            raise _weak("a transform with parameters")
        target = _target(root, reference.get("URI"))
        if target is root:
            if transforms[:1] != [ENVELOPED] or len(transforms) != 2 or transforms[1] not in CANONICAL:
                raise _weak("the list is not signed by the transforms of TS 119 612 annex B")
            whole.append(place)
        else:
            if not any(above is signature for above in target.iterancestors()):
                raise _wrong("the signature covers something else than the list")
            if len(transforms) > 1 or not CANONICAL.issuperset(transforms):
                raise _weak("a transform that is not allowed")
            properties += reference.get("Type") == SIGNED_PROPERTIES
    if len(whole) != 1:
        raise _wrong("the signature does not cover the list once")
    if properties != 1:
        raise _wrong("the signature is no XAdES signature: it covers no signed properties")
    return whole[0], len(references)


def _allow(element: _Element, path: str, allowed: Collection[str]) -> None:
    found = element.findall(path, _NS)
    if len(found) != 1:
        raise _wrong("the signature lacks an algorithm or has two")
    if found[0].get("Algorithm") not in allowed or len(found[0]):
        raise _weak(str(found[0].get("Algorithm")))


def _target(root: _Element, uri: str | None) -> _Element:
    """Return the element that a reference names: the root, or the one element of the file with that identifier."""
    if uri == "":
        return root
    if uri is None or not uri.startswith("#") or len(uri) > 200:
        raise _wrong("a reference to something outside of the list")
    found = [item for item in root.iter("*") if any(item.get(name) == uri[1:] for name in _IDS)]
    if len(found) != 1:
        raise _wrong("an identifier in the list stands for nothing, or for more than one element")
    return found[0]


def _named_signer(signature: _Element, signers: Collection[str]) -> Certificate:
    """Return the certificate in KeyInfo that the caller named. Annex B.1: KeyInfo has it."""
    given = []
    for item in signature.findall("ds:KeyInfo/ds:X509Data/ds:X509Certificate", _NS)[:8]:
        try:
            given.append(certificate_in(item.text))
        except CertsError:
            continue
    named = [item for item in given if item.fingerprint() in signers]
    if not given:
        raise TrustListError("the list lacks the certificate of its signer", reason="signer")
    if not named:
        raise TrustListError(
            f"the list is signed by {given[0].subject}, who may not sign it",
            hint=f"if its publisher names the certificate with SHA-256 {given[0].fingerprint()}, name it as a signer",
            reason="signer",
            signer=given[0].fingerprint(),
        )
    return named[0]


def _compute(data: bytes, parser: object, signer: Certificate, place: int, count: int, tag: str) -> bytes:
    """Let signxml compute the signature; return the octets of the reference that stands at `place`."""
    from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
    from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

    certificate = _strong(signer)
    try:
        results = XAdESVerifier().verify(
            data,
            x509_cert=certificate,
            parser=parser,
            expect_config=XAdESSignatureConfiguration(
                location="./",
                expect_references=count,
                signature_methods=frozenset(map(SignatureMethod, SIGNATURES)),
                digest_algorithms=frozenset(map(DigestAlgorithm, DIGESTS)),
                # the moments that count are the list's own and the reader's, both checked by the caller
                verification_time=certificate.not_valid_before_utc,
                default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
            ),
        )
        signed = results[place]
        octets = bytes(signed.signed_data)
        whole = signed.signed_xml is not None and signed.signed_xml.tag == tag
    except Exception as error:
        raise _wrong(f"the signature of the list does not hold: {str(error)[:200]}") from error
    if not whole:
        raise _wrong("the signature covers something else than the list")
    return octets


def _strong(signer: Certificate) -> X509Certificate:
    """Return the certificate for signxml, if its key is one that may sign a list."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.x509 import load_der_x509_certificate

    try:
        certificate = load_der_x509_certificate(signer.der)
        key = certificate.public_key()
    except Exception as error:
        raise _weak(f"a key of {signer.suite_name}") from error
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        raise _weak(f"an RSA key of {key.key_size} bits")
    if not isinstance(key, rsa.RSAPublicKey) and not (
        isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= MIN_EC_BITS
    ):
        raise _weak(f"a key of {signer.suite_name}")
    return certificate


def _wrong(text: str) -> TrustListError:
    return TrustListError(text, reason="signature")


def _weak(text: str) -> TrustListError:
    return TrustListError(
        f"{text[:100]}: not accepted in the signature of a list",
        hint="compare the digest of the file with what its publisher says, and name it with #sha256=",
        reason="algorithm",
    )
