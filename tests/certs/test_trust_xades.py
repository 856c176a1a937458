"""The XAdES signature of trusted lists: who may have signed, what it must cover, and what is tried against it."""

from __future__ import annotations

import copy
import re
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from certs.errors import CertsError, MalformedInput, TrustListError
from certs.trust.etsi import read_etsi
from certs.trust.load import load_list, signers_named
from certs.trust.xades import MAX_SIGNED, verify_list
from tests.certs.trusted_lists import (
    DAY,
    DS,
    GRANTED,
    QC,
    XML_SUITES,
    etsi,
    list_of_lists,
    list_signer,
    pointer,
    service,
    sign,
)
from tests.conftest import NOW, circle_of

SIGNER, STRANGER = list_signer(), list_signer(place=1)
NAMED = frozenset({SIGNER.fingerprint})
ROOT = circle_of("ecdsa-p256").root
OTHER = circle_of("sm2").root
PLAIN = etsi(service(ROOT, QC, GRANTED, NOW - DAY))
GOOD = SIGNER.sign(PLAIN)
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"


def reason(data: bytes, signers: frozenset[str] = NAMED) -> str:
    with pytest.raises(TrustListError) as caught:
        verify_list(data, signers)
    return str(caught.value.facts["reason"])


@pytest.mark.parametrize("suite", XML_SUITES)
@pytest.mark.parametrize("whole", ["", "#L"])
def test_a_signed_list_is_read_from_what_was_signed(suite: str, whole: str) -> None:
    signer, stranger = list_signer(suite), list_signer(suite, 1)
    data = signer.sign(PLAIN, whole=whole)
    verified = verify_list(data, {signer.fingerprint, stranger.fingerprint})
    assert verified.signer == signer.certificate
    assert b"Signature" not in verified.octets
    made = read_etsi(data, signers={signer.fingerprint}, now=NOW)
    assert made.signer == signer.certificate
    assert [entry.certificate for entry in made.entries] == [ROOT]
    assert reason(data, frozenset({stranger.fingerprint})) == "signer"
    assert reason(data, frozenset()) == "signer"


def test_comments_and_other_layout_change_nothing() -> None:
    """Canonical XML has neither comments nor a choice of quotes; an entry must not be cut in two by a comment."""
    text = b64encode(ROOT.der)
    noisy = GOOD.replace(text[:40], text[:20] + b"<!-- -->" + text[20:40]).replace(b"'", b'"')
    assert noisy != GOOD
    made = read_etsi(noisy, signers=NAMED)
    assert [entry.certificate for entry in made.entries] == [ROOT]


def test_no_octet_of_the_list_can_be_changed() -> None:
    for old, new in ((b">42<", b">43<"), (b"granted", b"Granted"), (b">EE<", b">LV<"), (b"Office", b"office")):
        assert old in GOOD
        assert reason(GOOD.replace(old, new)) == "signature"
    value = re.search(rb"<ds:SignatureValue>(.)", GOOD)
    assert value is not None
    at = value.start(1)
    assert reason(GOOD[:at] + (b"B" if GOOD[at : at + 1] == b"A" else b"A") + GOOD[at + 1 :]) == "signature"
    # the signed properties too
    assert reason(GOOD.replace(b"text/xml", b"text/png")) == "signature"


SAMPLES = [GOOD, SIGNER.sign(list_of_lists(pointer("EE", "https://ee.example/", STRANGER.certificate)))]


@settings(max_examples=150)
@given(st.data())
def test_whatever_is_changed_the_same_is_read_or_nothing(data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(SAMPLES))
    mutated = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    try:
        made = read_etsi(bytes(mutated), signers=NAMED, now=NOW)
    except CertsError:
        return
    good = read_etsi(sample, signers=NAMED, now=NOW)
    assert (made.entries, made.pointers, made.sequence) == (good.entries, good.pointers, good.sequence)


# Who signed -----------------------------------------------------------------------------------------------------------
def test_the_key_in_the_signature_counts_for_nothing() -> None:
    """A stranger signs and puts the certificate of the right signer into KeyInfo, or behind his own."""
    item = f"<ds:X509Certificate>{b64encode(STRANGER.certificate.der).decode()}</ds:X509Certificate>"
    named = item.replace(b64encode(STRANGER.certificate.der).decode(), b64encode(SIGNER.certificate.der).decode())
    assert reason(STRANGER.sign(PLAIN, change=lambda text: text.replace(item, named))) == "signature"
    assert reason(STRANGER.sign(PLAIN, change=lambda text: text.replace(item, item + named))) == "signature"
    assert reason(STRANGER.sign(PLAIN, change=lambda text: text.replace(item, ""))) == "signer"
    both = SIGNER.sign(PLAIN, change=lambda text: text.replace("</ds:X509Data>", item + "</ds:X509Data>"))
    assert verify_list(both, NAMED).signer == SIGNER.certificate  # others, as a chain, may stand beside it


def test_a_key_value_beside_the_certificate_is_no_other_way() -> None:
    numbers = (
        "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>"
    )
    other = SIGNER.sign(PLAIN, change=lambda text: text.replace("<ds:KeyInfo>", f"<ds:KeyInfo>{numbers}</ds:KeyValue>"))
    assert reason(other) == "signature"


def test_the_certificate_of_the_signer_must_be_valid_when_issued_and_now() -> None:
    signer = list_signer(not_before=NOW - 10 * DAY, not_after=NOW + 10 * DAY)
    named = {signer.fingerprint}
    for issued, now, good in (
        (NOW - 10 * DAY, NOW, True),
        (NOW - 10 * DAY, NOW + 10 * DAY, True),
        (NOW - 11 * DAY, NOW, False),
        (NOW - DAY, NOW + 11 * DAY, False),
        (NOW + 11 * DAY, None, False),
    ):
        data = signer.sign(etsi(service(ROOT, QC, GRANTED, NOW - DAY), issued=issued))
        if good:
            assert read_etsi(data, signers=named, now=now).entries
        else:
            with pytest.raises(TrustListError) as caught:
                read_etsi(data, signers=named, now=now)
            assert caught.value.facts["reason"] == "signer"
    undated = re.sub(rb"<ListIssueDateTime>.*</ListIssueDateTime>", b"", PLAIN)
    with pytest.raises(TrustListError, match="when it was issued"):
        read_etsi(signer.sign(undated), signers=named)


@pytest.mark.parametrize("suite", ["rsa-pss", "ed25519", "ml-dsa-65", "sm2", "gost2012-256", "gost2012-512"])
def test_suites_that_no_library_computes_in_xml_are_refused_in_words(suite: str) -> None:
    """For rsa-pss: a key that is for PSS only must not sign by PKCS#1, whatever the method says."""
    signer = list_signer(suite)
    assert reason(signer.sign(PLAIN), frozenset({signer.fingerprint})) in ("algorithm", "signature")


# What it covers -------------------------------------------------------------------------------------------------------
def wrapped_beside() -> bytes:
    """The signed list moved into an extension of a forged one; the signature, now of the forged one, points at it."""
    signed = etree.fromstring(SIGNER.sign(PLAIN, whole="#L"))
    signature = signed.find(f"{{{DS}}}Signature")
    signed.remove(signature)
    forged = etree.fromstring(etsi(service(OTHER, QC, GRANTED, NOW - DAY)).replace(b'Id="L"', b'Id="F"'))
    forged.append(signed)
    forged.append(signature)
    return etree.tostring(forged)


def wrapped_within() -> bytes:
    """The whole signed list, with its signature, as a child of a forged one without."""
    forged = etree.fromstring(etsi(service(OTHER, QC, GRANTED, NOW - DAY)).replace(b'Id="L"', b'Id="F"'))
    forged.append(etree.fromstring(GOOD))
    return etree.tostring(forged)


def wrapped_in_the_signature() -> bytes:
    """The signed list hidden in an Object of the signature, where enveloped removal takes it away."""
    signed = etree.fromstring(SIGNER.sign(PLAIN, whole="#L"))
    signature = signed.find(f"{{{DS}}}Signature")
    signed.remove(signature)
    forged = etree.fromstring(etsi(service(OTHER, QC, GRANTED, NOW - DAY)).replace(b'Id="L"', b'Id="F"'))
    etree.SubElement(signature, f"{{{DS}}}Object").append(signed)
    forged.append(signature)
    return etree.tostring(forged)


def one_name_for_two() -> bytes:
    """Forged list and signed one bear the same Id."""
    return wrapped_beside().replace(b'Id="F"', b'Id="L"')


def one_name_in_two_spellings() -> bytes:
    """The forged list bears the name as Id, the signed one as ID, which some look for and some do not."""
    return wrapped_beside().replace(b'Id="L"', b'ID="L"').replace(b'Id="F"', b'Id="L"')


def signed_properties_only() -> bytes:
    """Both references are to the properties; the list is not covered."""
    return SIGNER.sign(PLAIN, whole="#P")


def signed_twice_over() -> bytes:
    return SIGNER.sign(
        PLAIN, change=lambda text: text.replace("</ds:SignedInfo>", reference(text) + "</ds:SignedInfo>")
    )


def reference(text: str) -> str:
    found = re.search(r'<ds:Reference Id="R".*?</ds:Reference>', text)
    assert found is not None
    return found[0].replace('Id="R"', "")


def another_place() -> bytes:
    """A reference to a piece of the list beside the one to all of it."""
    piece = PLAIN.replace(b"<TSPServices>", b'<TSPServices Id="T">')
    return SIGNER.sign(
        piece,
        change=lambda text: text.replace(
            "</ds:SignedInfo>", reference(text).replace('URI=""', 'URI="#T"') + "</ds:SignedInfo>"
        ),
    )


def two_signatures() -> bytes:
    return STRANGER.sign(SIGNER.sign(PLAIN))


def deeper_signature() -> bytes:
    root = etree.fromstring(GOOD)
    root[0].append(root.find(f"{{{DS}}}Signature"))
    return etree.tostring(root)


def no_signed_properties() -> bytes:
    return SIGNER.sign(PLAIN, change=lambda text: text.replace('Type="http://uri.etsi.org/01903#SignedProperties"', ""))


def certificate_of_another_in_the_properties() -> bytes:
    from hashlib import sha256

    old, new = (b64encode(sha256(item.certificate.der).digest()).decode() for item in (SIGNER, STRANGER))
    return SIGNER.sign(PLAIN, change=lambda text: text.replace(old, new))


def outside(uri: str) -> Callable[[], bytes]:
    return lambda: SIGNER.sign(PLAIN, whole=uri)


@pytest.mark.parametrize(
    ("attack", "why"),
    [
        (wrapped_beside, "covers something else"),
        (wrapped_within, "not a child of the list"),
        (wrapped_in_the_signature, "transform"),
        (one_name_for_two, "more than one element"),
        (one_name_in_two_spellings, "more than one element"),
        (signed_properties_only, "transform"),
        (signed_twice_over, "does not cover the list once"),
        (another_place, "covers something else"),
        (two_signatures, "more than one signature"),
        (deeper_signature, "not a child of the list"),
        (no_signed_properties, "covers no signed properties"),
        (certificate_of_another_in_the_properties, "does not hold"),
        (outside("http://evil.example/list.xml"), "outside of the list"),
        (outside("file:///etc/passwd"), "outside of the list"),
        (outside("list.xml"), "outside of the list"),
        (outside("#xpointer(/)"), "stands for nothing"),
        (outside("#xpointer(id('L'))"), "stands for nothing"),
        (outside("#nothing"), "stands for nothing"),
        (outside("#"), "stands for nothing"),
        (lambda: PLAIN, "has no signature"),
    ],
)
def test_the_signature_must_cover_the_whole_list_and_nothing_else(attack: Callable[[], bytes], why: str) -> None:
    with pytest.raises(TrustListError, match=why):
        read_etsi(attack(), signers=NAMED)


def test_what_stands_in_the_signature_is_never_read() -> None:
    """A service in an unsigned property, or in an Object, is not covered, and so it is not there."""
    more = service(OTHER, QC, GRANTED, NOW - DAY)
    inside = etsi(more).split(b"?>", 1)[1].replace(b'Id="L"', b"").decode()
    unsigned = (
        f"<xades:UnsignedProperties><xades:UnsignedSignatureProperties>{inside}</xades:UnsignedSignatureProperties>"
    )
    data = SIGNER.sign(PLAIN, properties=unsigned + "</xades:UnsignedProperties>")
    try:
        made = read_etsi(data, signers=NAMED)
    except TrustListError:  # the schema of XAdES does not have it, which is as well
        return
    assert [entry.certificate for entry in made.entries] == [ROOT]


# Algorithms -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2001/04/xmldsig-more#ecdsa-sha256", "2001/04/xmldsig-more#ecdsa-sha1"),
        ("2001/04/xmldsig-more#ecdsa-sha256", "2000/09/xmldsig#rsa-sha1"),
        ("2001/04/xmldsig-more#ecdsa-sha256", "2001/04/xmldsig-more#hmac-sha256"),
        ("2001/04/xmldsig-more#ecdsa-sha256", "2000/09/xmldsig#hmac-sha1"),
        ("2001/04/xmldsig-more#ecdsa-sha256", "2009/xmldsig11#dsa-sha256"),
        ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "none"),
        ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", ""),
        (
            'xmlenc#sha256"/><ds:DigestValue/></ds:Reference><ds:Ref',
            'xmldsig#sha1"/><ds:DigestValue/></ds:Reference><ds:Ref',
        ),
        ("http://www.w3.org/2001/04/xmlenc#sha256", SHA1),
        ("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#md5"),
        ("xmldsig#enveloped-signature", "xmldsig#base64"),
        ("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116"),
        ("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xpath-19991116"),
        ("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/2002/06/xmldsig-filter2"),
        ("2001/10/xml-exc-c14n#", "2001/10/xml-exc-c14n#WithComments"),
        (
            '"http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureM',
            '"http://www.w3.org/2010/xml-c14n2"/><ds:SignatureM',
        ),
        ('xml-exc-c14n#"/></ds:Transforms>', 'xml-exc-c14n#"><x/></ds:Transform></ds:Transforms>'),
        (
            'xmldsig-more#ecdsa-sha256"/>',
            'xmldsig-more#ecdsa-sha256"><ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>',
        ),
        ('<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>', "</ds:Transforms>"),
    ],
)
def test_only_strong_algorithms_and_harmless_transforms(old: str, new: str) -> None:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    assert reason(SIGNER.sign(PLAIN, change=change)) == "algorithm"


def test_a_weak_key_is_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from certs import suites
    from tests.certs.forge import forge

    weak = rsa.generate_private_key(65537, 1024)
    spki = suites.load_public(_spki(weak)).spki

    key: Any = SimpleNamespace(suite=list_signer("rsa").key.suite, public_key=suites.load_public(spki))
    certificate = forge("Weak", key, None, list_signer("rsa").key)
    data = sign(PLAIN, list_signer("rsa").key, certificate)
    assert reason(data, frozenset({certificate.fingerprint()})) == "algorithm"


def _spki(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


# XML that wants something else ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "head",
    [
        b'<!DOCTYPE x SYSTEM "http://evil.example/x.dtd">',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        b"<!DOCTYPE x [<!ATTLIST TrustServiceStatusList Id ID #IMPLIED>]>",
    ],
)
def test_a_document_type_is_refused_before_the_signature_is_looked_at(head: bytes) -> None:
    with pytest.raises(MalformedInput):
        verify_list(GOOD.replace(b"?>", b"?>" + head, 1), NAMED)


def test_what_is_too_much_is_refused_at_once() -> None:
    began = time.process_time()
    with pytest.raises(MalformedInput):
        verify_list(GOOD + b" " * MAX_SIGNED, NAMED)
    many = SIGNER.sign(
        PLAIN, change=lambda text: text.replace("</ds:SignedInfo>", reference(text) * 50 + "</ds:SignedInfo>")
    )
    with pytest.raises(TrustListError, match="too many references"):
        verify_list(many, NAMED)
    crowd = etree.fromstring(GOOD)
    data = crowd.find(f".//{{{DS}}}X509Data")
    for _ in range(2000):
        data.insert(0, copy.deepcopy(data[-1]))
        data[0].text = "AAAA"
    assert reason(etree.tostring(crowd)) == "signer"
    names = b" ".join(b'xmlns:n%d="u:%d"' % (number, number) for number in range(10_000))
    for place in (b"<ds:SignedInfo", b"<TrustServiceStatusList"):
        with pytest.raises(MalformedInput, match="namespaces"):
            verify_list(GOOD.replace(place, place + b" " + names, 1), NAMED)
    with pytest.raises(MalformedInput, match="attributes"):
        verify_list(GOOD.replace(b'Id="L"', b'Id="L" ' + names.replace(b"xmlns:", b""), 1), NAMED)
    hidden = b"<ds:Object>" + b"<a/>" * 300_000 + b"</ds:Object></ds:Signature>"  # where no digest looks
    with pytest.raises(TrustListError, match="too long"):
        verify_list(GOOD.replace(b"</ds:Signature>", hidden), NAMED)
    assert time.process_time() - began < 20


def test_a_large_list_takes_no_time_to_speak_of() -> None:
    data = SIGNER.sign(etsi(*[service(ROOT, QC, GRANTED, NOW - DAY)] * 2000))
    assert len(data) > 2_000_000
    began = time.process_time()
    assert len(read_etsi(data, signers=NAMED).entries) == 1
    assert time.process_time() - began < 20


# By name --------------------------------------------------------------------------------------------------------------
def test_a_list_is_loaded_by_the_certificates_of_its_signer(tmp_path: Path) -> None:
    place = tmp_path
    (place / "ee.xml").write_bytes(GOOD)
    (place / "signers.pem").write_text(STRANGER.certificate.pem + SIGNER.certificate.pem)
    (place / "stranger.pem").write_text(STRANGER.certificate.pem)
    for name in (f"{place}/signers.pem", SIGNER.fingerprint, SIGNER.fingerprint.upper()):
        made = load_list(f"{place}/ee.xml#signer={name}", now=NOW)
        assert (made.signer, made.sequence) == (SIGNER.certificate, 42)
    assert signers_named(f"{place}/signers.pem") == {SIGNER.fingerprint, STRANGER.fingerprint}
    with pytest.raises(TrustListError, match="may not sign"):
        load_list(f"{place}/ee.xml#signer={place}/stranger.pem", now=NOW)
    with pytest.raises(TrustListError, match="to be replaced"):
        load_list(f"{place}/ee.xml#signer={place}/signers.pem", now=NOW + 91 * DAY)
    (place / "early.xml").write_bytes(SIGNER.sign(etsi(issued=NOW + DAY)))
    with pytest.raises(TrustListError, match="of the future"):
        load_list(f"{place}/early.xml#signer={place}/signers.pem", now=NOW)
    with pytest.raises(MalformedInput):
        load_list(f"{place}/ee.xml#signer={place}/none.pem", now=NOW)
    (place / "lotl.xml").write_bytes(SAMPLES[1])
    with pytest.raises(TrustListError, match="only other lists"):
        load_list(f"{place}/lotl.xml#signer={SIGNER.fingerprint}", now=NOW)


def test_pointers_lead_from_lists_of_lists_only() -> None:
    one = pointer("EE", "https://ee.example/", STRANGER.certificate)
    made = read_etsi(SIGNER.sign(list_of_lists(one)), signers=NAMED)
    assert [(item.territory, item.location, item.signers) for item in made.pointers] == [
        ("EE", "https://ee.example/", {STRANGER.fingerprint})
    ]
    assert read_etsi(SIGNER.sign(etsi(pointers=(one,))), signers=NAMED).pointers == ()
    for other in (
        pointer("EU", "https://eu.example/", STRANGER.certificate, kind="EUlistofthelists"),
        pointer("EE", "https://ee.example/x.pdf", STRANGER.certificate, mime="tsl+pdf"),
    ):
        assert read_etsi(SIGNER.sign(list_of_lists(other)), signers=NAMED).pointers == ()
    broken = one.replace(b64encode(STRANGER.certificate.der).decode()[:40], "!" * 40)
    (kept,) = read_etsi(SIGNER.sign(list_of_lists(broken)), signers=NAMED).pointers
    assert kept.signers == frozenset()
