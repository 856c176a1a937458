"""xmlsec1 signs trusted lists that we verify, and verifies those that our tests make."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from certs.errors import TrustListError
from certs.keys import file as key_file
from certs.trust.etsi import read_etsi
from tests.certs.trusted_lists import (
    DAY,
    GRANTED,
    QC,
    XML_SUITES,
    ListSigner,
    etsi,
    list_signer,
    service,
    template,
)
from tests.conftest import NOW, circle_of
from tests.interop.programs import Program

pytestmark = pytest.mark.interop

IDS = (
    *("--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"),
    *("--id-attr:Id", "http://uri.etsi.org/02231/v2#:TrustServiceStatusList"),
)
WHOLE = pytest.mark.parametrize("whole", ["", "#L"])
SUITES = pytest.mark.parametrize("suite", XML_SUITES)


@pytest.fixture(scope="session")
def xmlsec1() -> Program:
    return Program.find("xmlsec1")


def document() -> bytes:
    return etsi(service(circle_of("gost2012-256").root, QC, GRANTED, NOW - DAY))


def unsigned(signer: ListSigner, whole: str) -> bytes:
    """Return the list with a signature that has no values yet."""
    root = etree.fromstring(document())
    root.append(etree.fromstring(template(signer.key, signer.certificate, whole, "")))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


@WHOLE
@SUITES
def test_we_read_a_list_that_it_signs(xmlsec1: Program, suite: str, whole: str, tmp_path: Path) -> None:
    signer = list_signer(suite)
    key_file.save(tmp_path / "key.pem", signer.key, None)
    (tmp_path / "in.xml").write_bytes(unsigned(signer, whole))
    out = tmp_path / "out.xml"
    xmlsec1.run("--sign", "--privkey-pem", tmp_path / "key.pem", *IDS, "--output", out, tmp_path / "in.xml").check()
    data = out.read_bytes()
    made = read_etsi(data, signers={signer.fingerprint}, now=NOW)
    assert made.signer == signer.certificate
    assert [entry.certificate for entry in made.entries] == [circle_of("gost2012-256").root]
    with pytest.raises(TrustListError):
        read_etsi(data.replace(b"granted", b"Granted"), signers={signer.fingerprint}, now=NOW)


@WHOLE
@SUITES
def test_it_verifies_a_list_of_our_tests(xmlsec1: Program, suite: str, whole: str, tmp_path: Path) -> None:
    signer = list_signer(suite)
    (tmp_path / "signer.pem").write_text(signer.certificate.pem)
    arguments = ("--verify", "--enabled-key-data", "key-name", "--pubkey-cert-pem", tmp_path / "signer.pem", *IDS)
    data = signer.sign(document(), whole=whole)
    (tmp_path / "list.xml").write_bytes(data)
    xmlsec1.run(*arguments, tmp_path / "list.xml").check("OK")
    (tmp_path / "list.xml").write_bytes(data.replace(b"granted", b"Granted"))
    xmlsec1.run(*arguments, tmp_path / "list.xml").refused()
