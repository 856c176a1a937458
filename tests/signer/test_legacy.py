"""Deprecated kinds, odd dictionaries and odd CMS: read and judged, and never the reason that another one is not.

Values are computed with `cryptography` directly, or in `tests.interop.test_pdf_kinds` by openssl.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa as theirs

from certs import ber, der, oids, suites
from certs.signed_data import assemble, build_signed_data, parse_signed_data, signed_attributes
from certs.suites.base import AlgorithmID
from signer.report import SignatureReport, Verdict
from tests.certs.forge import forge
from tests.conftest import Circle, circle_of
from tests.signer import rawpdf
from tests.signer.test_verify import SIZES, cms, document_stamp, verify

INDETERMINATE, FAILED, PASSED = Verdict.INDETERMINATE, Verdict.TOTAL_FAILED, Verdict.TOTAL_PASSED


def judge(data: bytes, circle: Circle | None) -> SignatureReport:
    (one,) = verify(data, circle).signatures
    return one


def changed(data: bytes) -> bytes:
    return data.replace(b"pay 100", b"pay 900")


# -- adbe.pkcs7.sha1 ----------------------------------------------------------------------------------


def pkcs7_sha1(circle: Circle, *, of: bytes | None = None, **more: Any) -> Callable[[bytes], bytes]:
    holder = circle.organisation

    def make(content: bytes) -> bytes:
        inside = suites.digest("sha1", content) if of is None else of
        return build_signed_data(inside, holder.key, holder.certificate, chain=(circle.issuing,), **more)

    return make


def test_digest_inside_the_cms_in_every_suite(suite_name: str, circle: Circle) -> None:
    data = rawpdf.sign(pkcs7_sha1(circle), subfilter=b"adbe.pkcs7.sha1", digits=SIZES.get(suite_name, 40_000))
    one = judge(data, circle)
    assert (one.verdict, one.sub_indication, one.code) == (
        *(INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE"),
        "deprecated-kind",
    ), one.reason
    assert (one.cryptographic.result, one.suite) == ("passed", suite_name)
    assert one.signer is not None
    broken = judge(changed(data), circle)
    assert (broken.verdict, broken.sub_indication) == (FAILED, "HASH_FAILURE")
    assert broken.cryptographic.result == "failed"


def test_digest_of_something_else_inside_the_cms() -> None:
    circle = circle_of("ecdsa-p256")
    for inside in (bytes(20), b"", b"text"):
        data = rawpdf.sign(pkcs7_sha1(circle, of=inside), subfilter=b"adbe.pkcs7.sha1")
        assert (judge(data, circle).verdict, judge(data, circle).sub_indication) == (FAILED, "HASH_FAILURE")


def test_no_digest_inside_the_cms() -> None:
    circle = circle_of("ecdsa-p256")
    for wrong in (cms(circle), lambda _: b"\x30\x03\x02\x01\x00", lambda _: b"\x04\x02ab"):
        one = judge(rawpdf.sign(wrong, subfilter=b"adbe.pkcs7.sha1"), circle)
        assert (one.verdict, one.sub_indication) == (FAILED, "FORMAT_FAILURE")


# -- adbe.x509.rsa_sha1 -------------------------------------------------------------------------------

DIGESTS = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


def bare_rsa(digest: str = "sha1", *, wrapped: bool = True) -> Callable[[bytes], bytes]:
    _, encoded = der.split_pkcs8(circle_of("rsa").organisation.key.pkcs8())
    key = serialization.load_der_private_key(encoded, None)
    assert isinstance(key, theirs.RSAPrivateKey)

    def make(content: bytes) -> bytes:
        value = key.sign(content, padding.PKCS1v15(), DIGESTS[digest])
        return der.octet_string(value) if wrapped else value

    return make


def with_cert(*certificates: bytes, array: bool = False) -> bytes:
    strings = b" ".join(b"<" + item.hex().encode() + b">" for item in certificates)
    return b"/Cert " + (b"[" + strings + b"]" if array or len(certificates) != 1 else strings) + b" "


def x509(make: Callable[[bytes], bytes], cert: bytes | None = None) -> bytes:
    cert = with_cert(circle_of("rsa").organisation.certificate.der) if cert is None else cert
    return rawpdf.sign(make, subfilter=b"adbe.x509.rsa_sha1", extra=cert)


@pytest.mark.parametrize("digest", sorted(DIGESTS))
def test_bare_rsa_value(digest: str) -> None:
    circle = circle_of("rsa")
    data = x509(bare_rsa(digest))
    one = judge(data, circle)
    assert (one.verdict, one.sub_indication) == (INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE"), one.reason
    assert (one.cryptographic.result, one.suite) == ("passed", "rsa")
    assert one.signer is not None
    assert one.signer.common_name == circle.organisation.certificate.common_name
    assert one.changes_after is not None
    broken = judge(changed(data), circle)
    assert (broken.verdict, broken.sub_indication) == (FAILED, "SIG_CRYPTO_FAILURE")


def test_certificates_in_an_array_the_first_is_the_signers() -> None:
    circle = circle_of("rsa")
    chain = (circle.organisation.certificate.der, circle.issuing.der)
    assert judge(x509(bare_rsa(), with_cert(*chain)), circle).cryptographic.result == "passed"
    assert judge(x509(bare_rsa(), with_cert(*chain[:1], array=True)), circle).cryptographic.result == "passed"
    assert judge(x509(bare_rsa(), with_cert(*reversed(chain))), circle).verdict is FAILED


@pytest.mark.parametrize(
    "cert", [b" ", b"/Cert [] ", b"/Cert <00> ", b"/Cert 7 0 R ", b"/Cert (x) ", b"/Cert [[<30>]] "]
)
def test_without_a_certificate_it_stays_open(cert: bytes) -> None:
    one = judge(x509(bare_rsa(), cert), circle_of("rsa"))
    assert one.verdict is INDETERMINATE
    assert ("signing-certificate", "not-checked") in {(check.id, check.result) for check in one.checks}


def test_a_key_of_another_kind_cannot_have_made_it() -> None:
    cert = with_cert(circle_of("ecdsa-p256").organisation.certificate.der)
    assert judge(x509(bare_rsa(), cert), circle_of("ecdsa-p256")).verdict is FAILED


@pytest.mark.parametrize("value", [b"", b"\x04", b"\x30\x00", b"\x04\x05ab", b"\x04\x02ab", b"\xff" * 256])
def test_no_rsa_value(value: bytes) -> None:
    one = judge(x509(lambda _: value), circle_of("rsa"))
    assert one.verdict is not PASSED
    assert one.cryptographic.result != "passed"


# -- dictionaries that say odd things ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suite", "handler"),
    [("gost2012-256", b"CryptoPro#20PDF"), ("sm2", b"GM.PKILite"), ("rsa", b"Entrust.PPKEF"), ("sm2", b"X#23Y")],
)
def test_the_name_of_the_handler_decides_nothing(suite: str, handler: bytes) -> None:
    circle = circle_of(suite)
    bodies = rawpdf.objects()
    named = rawpdf.signature_dictionary(40_000, b"adbe.pkcs7.detached").replace(b"Adobe.PPKLite", handler)
    data = rawpdf.fill_byte_range(rawpdf.assemble(bodies | {6: named}), cms(circle))
    assert judge(data, circle).verdict is PASSED
    assert judge(changed(data), circle).verdict is FAILED


def test_certificate_in_the_dictionary_of_a_cades_signature_is_a_warning() -> None:
    circle = circle_of("sm2")
    one = judge(rawpdf.sign(cms(circle), extra=b"/Cert <3000> "), circle)
    assert (one.verdict, [w.code for w in one.warnings]) == (PASSED, ["cert-entry"])


@pytest.mark.parametrize("kind", [b"/Type /DocTimeStamp ", b"/Type /Sig ", b"", b"/Type /Type /Odd /Nonsense "])
def test_document_time_stamp_whatever_its_type_says(kind: bytes, signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    bodies = rawpdf.objects()
    body = rawpdf.signature_dictionary(SIZES.get(signing_suite, 40_000), b"ETSI.RFC3161").replace(b"/Type /Sig ", kind)
    data = rawpdf.fill_byte_range(rawpdf.assemble(bodies | {6: body}), document_stamp(circle))
    one = judge(data, circle)
    assert (one.kind, one.verdict) == ("document-timestamp", PASSED), one.reason
    assert judge(changed(data), circle).verdict is FAILED


def test_token_where_a_signature_belongs_and_the_other_way_round() -> None:
    circle = circle_of("ecdsa-p256")
    token = judge(rawpdf.sign(document_stamp(circle)), circle)
    assert token.verdict is not PASSED
    signature = judge(rawpdf.sign(cms(circle), subfilter=b"ETSI.RFC3161"), circle)
    assert (signature.verdict, signature.sub_indication) == (FAILED, "FORMAT_FAILURE")


# -- CMS that says odd things --------------------------------------------------------------------------


def test_content_types_of_gb_t_35275() -> None:
    circle = circle_of("sm2")
    holder = circle.organisation

    def make(content: bytes) -> bytes:
        suite = holder.key.suite
        digest = suites.digest(suite.digest_name, content)
        attributes = signed_attributes(suite, holder.certificate, digest, content_type=oids.GM_DATA)
        value = holder.key.sign(attributes)
        outer = {"content_type": oids.GM_DATA, "outer_oid": oids.GM_SIGNED_DATA, "chain": (circle.issuing,)}
        return assemble(suite, holder.certificate, attributes, value, **outer)

    data = rawpdf.sign(make, subfilter=b"adbe.pkcs7.detached")
    assert judge(data, circle).verdict is PASSED
    assert judge(changed(data), circle).sub_indication == "HASH_FAILURE"


def test_without_signed_attributes_in_every_suite(suite_name: str, circle: Circle) -> None:
    holder = circle.organisation

    def make(content: bytes) -> bytes:
        value = holder.key.sign(content)
        return assemble(holder.key.suite, holder.certificate, None, value, chain=(circle.issuing,))

    digits = SIZES.get(suite_name, 40_000)
    data = rawpdf.sign(make, subfilter=b"adbe.pkcs7.detached", digits=digits)
    one = judge(data, circle)
    assert (one.verdict, one.suite) == (PASSED, suite_name), one.reason
    broken = judge(changed(data), circle)
    assert (broken.verdict, broken.sub_indication) == (FAILED, "SIG_CRYPTO_FAILURE")


def test_content_inside_a_detached_signature_is_never_a_pass(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    holder = circle.organisation

    def make(content: bytes, inside: bytes) -> bytes:
        suite = holder.key.suite
        attributes = signed_attributes(suite, holder.certificate, suites.digest(suite.digest_name, content))
        value = holder.key.sign(attributes)
        return assemble(suite, holder.certificate, attributes, value, content=inside, chain=(circle.issuing,))

    size = SIZES.get(signing_suite, 40_000)
    for inside in (b"", b"something else"):
        data = rawpdf.sign(lambda content, inside=inside: make(content, inside), digits=size)
        one = judge(data, circle)
        assert (one.verdict, one.sub_indication) == (INDETERMINATE, "FORMAT_FAILURE"), one.reason
        assert one.cryptographic.result == "passed", "what was signed is the file"
        assert judge(changed(data), circle).sub_indication == "HASH_FAILURE"
    carried = rawpdf.sign(lambda _: make(b"something else", b"something else"), digits=size)
    assert judge(carried, circle).sub_indication == "HASH_FAILURE", "the file is not what was signed"


def test_two_signers_are_never_a_pass() -> None:
    circle = circle_of("ecdsa-p256")

    def make(content: bytes) -> bytes:
        outer = list(ber.load(cms(circle)(content)))
        body = list(outer[1].only())
        (info,) = body[-1]
        parts = b"".join(part.raw() for part in body[:-1]) + der.tlv(0x31, info.raw() * 2)
        return der.sequence(outer[0].raw(), der.tlv(0xA0, der.tlv(0x30, parts)))

    one = judge(rawpdf.sign(make), circle)
    assert (one.verdict, one.sub_indication) == (INDETERMINATE, "FORMAT_FAILURE")


def test_certificate_with_a_modulus_without_its_zero_octet() -> None:
    circle = circle_of("rsa")
    holder = circle.organisation
    numbers = der.Reader(der.split_spki(holder.key.public_key.spki)[1]).enter(der.SEQUENCE)
    pair = der.sequence(der.integer(numbers.integer() - (1 << 2048)), der.integer(numbers.integer()))
    spki = der.subject_public_key_info(AlgorithmID(oids.RSA, der.NULL_DER), pair)
    key: Any = SimpleNamespace(public_key=SimpleNamespace(spki=spki))
    old = forge("Old card", key, circle.issuing, circle.ca.issuing.key)

    def make(content: bytes) -> bytes:
        suite = holder.key.suite
        attributes = signed_attributes(suite, old, suites.digest(suite.digest_name, content))
        return assemble(suite, old, attributes, holder.key.sign(attributes), chain=(circle.issuing,))

    data = rawpdf.sign(make)
    one = judge(data, circle)
    assert (one.verdict, one.suite) == (PASSED, "rsa"), one.reason
    assert "negative-modulus" in {warning.code for warning in one.warnings}
    assert judge(changed(data), circle).sub_indication == "HASH_FAILURE"


@pytest.mark.parametrize(
    ("oid", "word"),
    [
        (oids.GOST2001_SIGNATURE, "gost2001"),
        ("2.16.840.1.101.3.4.3.13", "sha3"),
        (oids.PLAIN_ECDSA_SHA256, "ecdsa-plain-sha256"),
        ("2.16.840.1.101.3.4.3.5", "2.16.840.1.101.3.4.3.5"),  # DSA over SHA3-224
        ("1.2.3.4.5", "1.2.3.4.5"),
    ],
)
def test_an_algorithm_that_is_not_computed_is_named(oid: str, word: str) -> None:
    """Unsupported is not forged: INDETERMINATE, and the reader learns what it was."""
    circle = circle_of("ecdsa-p256")

    def make(content: bytes) -> bytes:
        encoded = cms(circle)(content)
        theirs = parse_signed_data(encoded).signers[0].signature_algorithm.der()
        other = AlgorithmID(oid).der()
        outer = list(ber.load(encoded))
        body = list(outer[1].only())
        info = list(next(iter(body[-1])))
        changed = b"".join(other if part.raw() == theirs else part.raw() for part in info)
        parts = b"".join(part.raw() for part in body[:-1]) + der.tlv(0x31, der.tlv(0x30, changed))
        return der.sequence(outer[0].raw(), der.tlv(0xA0, der.tlv(0x30, parts)))

    one = judge(rawpdf.sign(make), circle)
    assert one.verdict is not PASSED
    if one.verdict is INDETERMINATE:
        assert one.code == "unsupported-algorithm"
    assert word in one.reason.lower(), one.reason


def test_hostile_neighbours_change_nothing_for_a_good_signature() -> None:
    """Every odd kind beside a good one, in one file: each keeps its own verdict."""
    circle = circle_of("ecdsa-p256")
    odd: list[tuple[bytes, Callable[[bytes], bytes], bytes]] = [
        (b"adbe.pkcs7.sha1", pkcs7_sha1(circle), b""),
        (b"adbe.x509.rsa_sha1", lambda _: b"\x04\x02ab", b"/Cert <3000> "),
        (b"ETSI.RFC3161", lambda _: b"\x30\x03\x02\x01\x00", b""),
        (b"ETSI.CAdES.detached", lambda _: b"\x30\x84\xff\xff\xff\xff", b""),
        (b"Unknown.Kind", lambda _: b"\x00", b""),
        (b"GM.SM2", cms(circle_of("sm2")), b""),
        (b"adbe.pkcs7.detached", cms(circle_of("gost2012-256")), b""),
    ]
    data: bytes | None = None
    for subfilter, make, extra in odd:
        data = rawpdf.sign(make, data, subfilter=subfilter, digits=20_000, extra=extra)
    data = rawpdf.sign(cms(circle), data, digits=20_000)
    reports = verify(data, circle).signatures
    assert len(reports) == len(odd) + 1
    assert reports[-1].verdict is PASSED, reports[-1].reason
    assert [r.subfilter for r in reports[:-1]] == [name.decode() for name, _, _ in odd]
    assert all(r.verdict is not PASSED for r in reports[:-1])
    assert all(r.code != "internal" for r in reports)
