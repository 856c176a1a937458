"""CMS SignedData of every suite: written, read, mutated, and as strangers write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.errors import BadSignature, CertsError, MalformedInput, SealroadError, UnsupportedAlgorithm
from certs.signed_data import (
    SignedDataView,
    assemble,
    attribute,
    build_signed_data,
    check_signing_certificate,
    parse_signed_data,
    set_of,
    signed_attributes,
)
from certs.suites.base import AlgorithmID, Suite
from tests.conftest import NOW, Circle, circle_of, needs_gost

CONTENT = "合同 Договор contract".encode()


def signed(circle: Circle, **options: object) -> bytes:
    person = circle.person
    return build_signed_data(CONTENT, person.key, person.certificate, chain=circle.chain[:1], **options)  # type: ignore[arg-type]


def only(data: bytes | SignedDataView):
    view = parse_signed_data(data) if isinstance(data, bytes) else data
    return view.signers[0]


def test_what_we_sign_verifies_attached_and_detached(circle: Circle, suite_name: str) -> None:
    attached = parse_signed_data(signed(circle, signing_time=NOW))
    assert attached.content == CONTENT
    assert attached.signers[0].verify() == suite_name
    assert attached.signers[0].verify(CONTENT) == suite_name
    assert attached.signers[0].signing_time == NOW
    assert attached.signers[0].certificate == circle.person.certificate
    assert set(attached.certificates) == {circle.person.certificate, circle.issuing}
    detached = parse_signed_data(signed(circle, detached=True))
    assert detached.content is None
    signer = detached.signers[0]
    assert signer.verify(CONTENT) == suite_name
    assert signer.verify(digest=suites.digest(signer.digest_name, CONTENT)) == suite_name
    check_signing_certificate(signer, circle.person.certificate)


def test_two_steps_give_the_same_as_one(circle: Circle, suite_name: str) -> None:
    person, suite = circle.person, suites.get(suite_name)
    attributes = signed_attributes(
        suite, person.certificate, suites.digest(suite.digest_name, CONTENT), signing_time=NOW
    )
    value = person.key.sign(attributes)  # elsewhere
    encoded = assemble(suite, person.certificate, attributes, value, chain=circle.chain[:1])
    assert only(encoded).signed_attributes == attributes
    assert only(encoded).verify(CONTENT) == suite_name


def test_what_we_write_is_der_and_reads_back_in_asn1crypto(circle: Circle) -> None:
    from asn1crypto import cms

    from certs.suites import registry

    registry.install()
    encoded = signed(circle, signing_time=NOW)
    assert ber.load(encoded).definite() == encoded
    info = cms.ContentInfo.load(encoded, strict=True)
    signer = info["content"]["signer_infos"][0]
    assert signer["sid"].chosen["serial_number"].native == circle.person.certificate.serial
    assert [a["type"].dotted for a in signer["signed_attrs"]] == [kind for kind, _ in only(encoded).attributes]


def test_other_content_is_refused(circle: Circle) -> None:
    signer = only(signed(circle, detached=True))
    for content in (b"", CONTENT + b" ", CONTENT[:-1]):
        with pytest.raises(BadSignature):
            signer.verify(content)
    with pytest.raises(BadSignature):
        signer.verify(digest=bytes(suites.new_digest(signer.digest_name).digest_size))
    with pytest.raises(MalformedInput):
        signer.verify()


def test_content_inside_must_be_the_content_meant(circle: Circle) -> None:
    signer = only(signed(circle))
    with pytest.raises(BadSignature):
        signer.verify(b"something else")
    with pytest.raises(BadSignature):  # a signed file whose CMS carries its own, other content
        signer.verify(digest=suites.digest(signer.digest_name, b"something else"))


def test_another_persons_certificate_is_refused(circle: Circle) -> None:
    signer = only(signed(circle))
    with pytest.raises(CertsError):
        signer.verify(certificate=circle.organisation.certificate)
    with pytest.raises(BadSignature):
        check_signing_certificate(signer, circle.organisation.certificate)


def _mutations(data: bytes, start: int, length: int) -> list[bytes]:
    out = []
    for position in range(start, start + length, max(1, length // 12)):
        mutated = bytearray(data)
        mutated[position] ^= 1 << position % 8
        out.append(bytes(mutated))
    return out


def _judge(data: bytes) -> None:
    signer = only(data)
    if signer.certificate is None:
        raise BadSignature("no certificate")
    check_signing_certificate(signer, signer.certificate)
    signer.verify()


@pytest.mark.parametrize("region", ["content", "signed attributes", "signature", "certificate", "signer identifier"])
def test_no_flipped_bit_in_any_region_goes_unnoticed(circle: Circle, region: str) -> None:
    data = signed(circle, signing_time=NOW)
    view = parse_signed_data(data)
    signer = view.signers[0]
    octets = {
        "content": CONTENT,
        "signed attributes": (signer.signed_attributes or b"")[1:],
        "signature": signer.signature,
        "certificate": circle.person.certificate.der,
        "signer identifier": der.integer(signer.serial or 0),
    }[region]
    start = data.rindex(octets)
    for mutated in _mutations(data, start, len(octets)):
        with pytest.raises(CertsError):
            _judge(mutated)


def test_the_digest_algorithm_cannot_be_exchanged(circle: Circle) -> None:
    signer = only(signed(circle))
    other = "sha512" if signer.digest_name != "sha512" else "sha384"
    changed = replace(signer, digest_algorithm=AlgorithmID(suites.digest_oid(other)))
    with pytest.raises(CertsError):
        changed.verify()


def test_the_signature_algorithm_cannot_be_exchanged(circle: Circle) -> None:
    for name in ("rsa", "ecdsa-p256", "ed25519", "sm2", "gost2012-256"):
        if name == circle.suite_name or (name[:5] == circle.suite_name[:5] in ("ecdsa", "rsa")):
            continue
        from certs.suites.base import Use

        other = suites.get(name).signature_algorithm(Use.X509)
        with pytest.raises(CertsError):
            replace(only(signed(circle)), signature_algorithm=other).verify()


def test_a_message_without_the_signers_certificate_takes_it_from_elsewhere(circle: Circle, suite_name: str) -> None:
    person, suite = circle.person, suites.get(suite_name)
    attributes = signed_attributes(suite, person.certificate, suites.digest(suite.digest_name, CONTENT))
    value = person.key.sign(attributes)
    signer = only(assemble(suite, person.certificate, attributes, value, include_certificate=False))
    assert signer.certificate is None
    with pytest.raises(BadSignature):
        signer.verify(CONTENT)
    others = (circle.organisation.certificate, person.certificate)
    assert signer.candidates(others) == (person.certificate,)
    assert signer.verify(CONTENT, certificate=person.certificate) == suite_name


# As strangers write it -----------------------------------------------------------------------------------------------
def foreign(
    circle: Circle,
    *,
    outer: str = oids.SIGNED_DATA,
    inner: str = oids.DATA,
    digest: AlgorithmID | None = None,
    signature: AlgorithmID | None = None,
    value: Callable[[bytes], bytes] = lambda signature: signature,
    attributes: bytes | None = None,
    ski: bool = False,
    wrap: Callable[[bytes], bytes] = lambda content: der.tlv(0xA0, der.octet_string(content)),
    sign: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """Return a SignedData in a variant; `attributes` None means a signature over the content itself."""
    person = circle.person
    suite: Suite = person.key.suite
    from certs.suites.base import Use

    digest_algorithm = (digest or suite.digest_algorithm).der()
    message = CONTENT if attributes is None else attributes
    certificate = person.certificate
    sid = (
        der.tlv(0x80, certificate.ski or b"")
        if ski
        else der.sequence(certificate.issuer_name.der, der.integer(certificate.serial))
    )
    info = der.sequence(
        der.integer(3 if ski else 1),
        sid,
        digest_algorithm,
        b"" if attributes is None else b"\xa0" + attributes[1:],
        (signature or suite.signature_algorithm(Use.CMS)).der(),
        der.octet_string(value((sign or person.key.sign)(message))),
    )
    body = der.sequence(
        der.integer(1),
        der.tlv(0x31, digest_algorithm),
        der.sequence(der.oid(inner), wrap(CONTENT)),
        der.tlv(0xA0, certificate.der),
        der.tlv(0x31, info),
    )
    return der.sequence(der.oid(outer), der.tlv(0xA0, body))


def attributes_of(circle: Circle, *, reverse: bool = False, content_type: str = oids.DATA) -> bytes:
    digest = suites.digest(circle.person.key.suite.digest_name, CONTENT)
    members = sorted(
        (
            attribute(oids.CONTENT_TYPE, der.oid(content_type)),
            attribute(oids.MESSAGE_DIGEST, der.octet_string(digest)),
            attribute("1.2.840.113549.1.9.98", der.octet_string(b"unknown")),
        ),
        reverse=reverse,
    )
    return der.tlv(0x31, b"".join(members))


def test_without_signed_attributes(circle: Circle, suite_name: str) -> None:
    assert only(foreign(circle)).verify() == suite_name


def test_attributes_out_of_order_are_hashed_as_received(circle: Circle, suite_name: str) -> None:
    attributes = attributes_of(circle, reverse=True)
    assert attributes != set_of([raw.raw() for raw in ber.load(attributes)])
    assert only(foreign(circle, attributes=attributes)).verify() == suite_name


def test_attributes_put_out_of_order_afterwards_are_put_in_order(circle: Circle, suite_name: str) -> None:
    """RFC 5652 5.4: what is signed is their DER, however they are sent."""
    good, turned = attributes_of(circle), attributes_of(circle, reverse=True)
    encoded = foreign(circle, attributes=good)
    body = lambda raw: ber.load(raw).content()  # noqa: E731
    assert only(encoded.replace(body(good), body(turned))).verify() == suite_name
    changed = body(turned).replace(b"unknown", b"unknowm")
    with pytest.raises(BadSignature):
        only(encoded.replace(body(good), changed)).verify()


def test_a_signer_named_by_key_identifier(circle: Circle, suite_name: str) -> None:
    assert only(foreign(circle, ski=True, attributes=attributes_of(circle))).verify() == suite_name


def _indefinite(value: ber.Value) -> bytes:
    """Return `value` in BER with indefinite lengths and strings in pieces."""
    if value.constructed:
        return bytes((value.tag, 0x80)) + b"".join(map(_indefinite, value)) + b"\0\0"
    if value.tag == ber.OCTET_STRING and len(value.content()) > 4:
        content = value.content()
        return b"\x24\x80" + der.octet_string(content[:3]) + der.octet_string(content[3:]) + b"\0\0"
    return value.raw()


def test_ber_of_indefinite_length_around_it(circle: Circle, suite_name: str) -> None:
    outer, wrapped = list(ber.load(foreign(circle, attributes=attributes_of(circle))))
    members = list(wrapped.only())
    body = b"".join(_indefinite(member) if number == 2 else member.raw() for number, member in enumerate(members))
    data = b"\x30\x80" + outer.raw() + b"\xa0\x80" + b"\x30\x80" + body + b"\0\0" * 3
    view = parse_signed_data(data + bytes(100))
    assert view.content == CONTENT
    assert view.encoded_length == len(data)
    assert view.signers[0].verify() == suite_name
    with pytest.raises(MalformedInput):
        parse_signed_data(data + b"\0\1")


def test_gb_t_35275_identifiers() -> None:
    circle = circle_of("sm2")
    for inner in (oids.GM_DATA, oids.DATA):
        for attributes in (None, attributes_of(circle, content_type=inner)):
            view = parse_signed_data(foreign(circle, outer=oids.GM_SIGNED_DATA, inner=inner, attributes=attributes))
            assert view.outer_oid == oids.GM_SIGNED_DATA
            assert view.signers[0].verify() == "sm2"


@pytest.mark.parametrize("oid", [oids.SM2_WITH_SM3, oids.SM2_SIGNATURE])
@pytest.mark.parametrize("parameters", [None, der.NULL_DER])
@pytest.mark.parametrize("digest", [oids.SM3, oids.SM2_WITH_SM3])
def test_sm2_algorithm_identifiers_of_the_field(oid: str, parameters: bytes | None, digest: str) -> None:
    data = foreign(circle_of("sm2"), signature=AlgorithmID(oid, parameters), digest=AlgorithmID(digest, parameters))
    assert only(data).verify() == "sm2"


def _raw(signature: bytes) -> bytes:
    r, s = der.decode_integer_pair(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_a_bare_sm2_value_is_read() -> None:
    circle = circle_of("sm2")
    assert only(foreign(circle, value=_raw)).verify() == "sm2"
    for length in (63, 65):
        with pytest.raises(BadSignature):
            only(foreign(circle, value=lambda signature, n=length: (_raw(signature) + b"\0")[:n])).verify()


def test_a_bare_value_is_read_for_sm2_only() -> None:
    with pytest.raises(BadSignature):
        only(foreign(circle_of("ecdsa-p256"), value=_raw)).verify()


@pytest.mark.parametrize("name", ["gost2012-256", "gost2012-512"])
def test_gost_algorithm_identifiers_of_the_field(name: str) -> None:
    circle = circle_of(name)
    key_parameters = der.split_spki(circle.person.certificate.spki)[0]
    signature_oid = oids.GOST2012_256_SIGNATURE if name.endswith("256") else oids.GOST2012_512_SIGNATURE
    digest_oid = circle.person.key.suite.digest_algorithm.oid
    for oid in (key_parameters.oid, signature_oid):
        for parameters in (None, der.NULL_DER):
            data = foreign(circle, signature=AlgorithmID(oid, parameters), digest=AlgorithmID(digest_oid, parameters))
            assert only(data).verify() == name
    assert only(foreign(circle, signature=key_parameters)).verify() == name  # the whole key parameters
    other = oids.GOST2012_512_SIGNATURE if name.endswith("256") else oids.GOST2012_256_SIGNATURE
    with pytest.raises(BadSignature):
        only(foreign(circle, signature=AlgorithmID(other))).verify()


def test_signed_attributes_passed_off_as_content_are_refused(circle: Circle) -> None:
    """The signature over attributes must not verify as one over a document that happens to be those octets."""
    data = signed(circle)
    attributes = only(data).signed_attributes
    assert attributes is not None
    person = circle.person
    swapped = assemble(person.key.suite, person.certificate, None, only(data).signature, content=attributes)
    with pytest.raises(BadSignature):
        only(swapped).verify()


def test_content_type_in_the_attributes_must_be_the_contents() -> None:
    circle = circle_of("ecdsa-p256")
    with pytest.raises(BadSignature):
        only(foreign(circle, attributes=attributes_of(circle, content_type=oids.TST_INFO))).verify()


@pytest.mark.parametrize("missing", [oids.CONTENT_TYPE, oids.MESSAGE_DIGEST])
def test_an_attribute_that_must_be_there_is_missed(missing: str) -> None:
    circle = circle_of("ecdsa-p256")
    kept = [raw.raw() for raw in ber.load(attributes_of(circle)) if raw.members().next().oid() != missing]
    with pytest.raises(MalformedInput):
        only(foreign(circle, attributes=set_of(kept))).verify()


def test_an_attribute_that_stands_twice_is_refused() -> None:
    circle = circle_of("ecdsa-p256")
    digest = attribute(oids.MESSAGE_DIGEST, der.octet_string(bytes(32)))
    members = [raw.raw() for raw in ber.load(attributes_of(circle))]
    with pytest.raises(MalformedInput):
        only(foreign(circle, attributes=set_of([*members, digest]))).verify()


def test_an_unknown_algorithm_is_unsupported_not_wrong() -> None:
    circle = circle_of("ecdsa-p256")
    for change in ({"digest": AlgorithmID("1.2.3.4")}, {"signature": AlgorithmID("1.2.3.4")}):
        with pytest.raises(UnsupportedAlgorithm):
            only(foreign(circle, attributes=attributes_of(circle), **change)).verify()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data", [b"", b"-----BEGIN CMS-----\n-----END CMS-----", b"\x30\x00", der.sequence(der.oid(oids.DATA))]
)
def test_what_is_no_signed_data_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        parse_signed_data(data)


@given(data=st.binary(max_size=300), wrap=st.booleans())
def test_no_octets_raise_anything_builtin(data: bytes, wrap: bool) -> None:
    if wrap:
        data = der.sequence(der.oid(oids.SIGNED_DATA), der.tlv(0xA0, der.sequence(data)))
    try:
        parse_signed_data(data)
    except SealroadError:
        pass


@given(st.data())
def test_no_mutated_message_raises_anything_builtin(data: st.DataObject) -> None:
    mutated = bytearray(_SAMPLE or _sample())
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    try:
        view = parse_signed_data(bytes(mutated))
        for signer in view.signers:
            signer.verify(CONTENT)
            _ = signer.signing_time, signer.signing_certificates, signer.message_digest
    except SealroadError:
        pass


_SAMPLE = b""


def _sample() -> bytes:
    global _SAMPLE
    _SAMPLE = signed(circle_of("ed25519"), signing_time=NOW + timedelta(seconds=1))
    return _SAMPLE


# Made by others ------------------------------------------------------------------------------------------------------
def content_of(path: Path) -> bytes:
    return path.read_bytes()


RUSSIAN = [
    ("tc26-cms/signed_a111.pem", None, "gost2012-512"),
    ("tc26-cms/signed_a121.pem", None, "gost2012-256"),
    ("rutoken/detached.p7s", "rutoken/content.bin", "gost2012-256"),
    ("cryptopro/bes.p7s", None, None),
    ("cryptopro/detached.p7s", "cryptopro/content-utf16le.bin", None),
    ("cryptopro/testgost-response.p7b", None, None),
]


@pytest.mark.parametrize(("name", "content", "suite"), RUSSIAN)
def test_russian_messages_verify(corpus: Path, name: str, content: str | None, suite: str | None) -> None:
    if "a121" in name:
        needs_gost("TC26-256-A")
    folder = corpus / "russia"
    view = parse_signed_data((folder / name).read_bytes())
    extra = [Certificate(path.read_bytes()) for path in (folder / "rutoken").glob("*.cer")]
    for signer in view.signers:
        certificate = next(iter(signer.candidates(_pem_certificates(folder / "tc26-cms") + extra)))
        body = (folder / content).read_bytes() if content else None
        found = signer.verify(body, certificate=certificate)
        assert found == (suite or found)
        assert found.startswith("gost2012")
        with pytest.raises(BadSignature):
            signer.verify((view.content or body or b"") + b"x", certificate=certificate)


def _pem_certificates(folder: Path) -> list[Certificate]:
    from certs.certificate import load_certificate

    return [load_certificate(path.read_bytes()) for path in sorted(folder.glob("*_cert.pem"))]


def test_a_russian_message_over_a_ready_hash_verifies(corpus: Path) -> None:
    """digestAlgorithm with NULL, signatureAlgorithm with the whole key parameters; the hash is of "abc" in UTF-16LE."""
    signer = only((corpus / "russia" / "cryptopro" / "hash-abc.p7s").read_bytes())
    assert signer.verify("abc".encode("utf-16-le")).startswith("gost2012")


def test_a_chinese_message_of_gb_t_35275_verifies(corpus: Path) -> None:
    folder = corpus / "china" / "ofdrw"
    view = parse_signed_data((folder / "hello-integrity.signedvalue.dat").read_bytes())
    assert view.outer_oid == oids.GM_SIGNED_DATA
    assert view.signers[0].verify() == "sm2"
    assert view.content == suites.digest("sm3", (folder / "hello-integrity.OFDEntries.xml").read_bytes())


def test_gmssl_signs_without_z_and_is_refused(corpus: Path) -> None:
    with pytest.raises(BadSignature):
        only((corpus / "china" / "gmssl" / "signed.cms").read_bytes()).verify()


def test_a_chinese_bundle_holds_its_chain(corpus: Path) -> None:
    from certs.certificate import load_certificates

    first, second = load_certificates((corpus / "china" / "gmsm" / "gmssl_cn_chain.p7b").read_bytes())
    child, parent = (first, second) if second.self_issued else (second, first)
    assert child.verify_signed_by(parent) == parent.verify_signed_by(parent) == "sm2"
