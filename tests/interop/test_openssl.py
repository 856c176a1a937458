"""The openssl command, with the gost engine for GOST, verifies what we make, and we verify what it makes.

SM2 has a module of its own, because only parts of the command take the signer's identifier.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from certs import suites, timestamp
from certs.clock import FixedClock
from certs.crl import CRL
from certs.errors import BadSignature, TimeStampError
from certs.signed_data import parse_signed_data
from certs.trust import TrustStore
from signer.verify import verify_bytes
from tests.conftest import ALL_SUITES, CLOCK
from tests.interop import papers, programs
from tests.interop.papers import ALTERED, CONTENT, EPOCH, Papers
from tests.interop.programs import Program

pytestmark = pytest.mark.interop

CERTIFICATES = tuple(name for name in ALL_SUITES if name != "sm2" and not name.startswith("ml-dsa"))
"""OpenSSL 3.0 has no ML-DSA."""
CMS = tuple(name for name in CERTIFICATES if not name.startswith("ed"))
"""OpenSSL 3.0 knows no EdDSA in CMS (RFC 8419)."""
STAMPS = tuple(name for name in CMS if name != "rsa-pss")
"""Its time-stamps go by PKCS #7, which knows neither EdDSA nor PSS."""
TIMES = ("-attime", EPOCH)

MESSAGE_DIGEST = {"gost2012-256": "md_gost12_256", "gost2012-512": "md_gost12_512"}


@pytest.fixture
def tool(suite: str, request: pytest.FixtureRequest) -> Program:
    """openssl for the suite under test."""
    return request.getfixturevalue("gost_openssl" if suite.startswith("gost") else "openssl")


@pytest.fixture
def mine(suite: str, desk: Path) -> Papers:
    return papers.of(suite, desk)


@pytest.mark.parametrize("suite", CERTIFICATES)
def test_it_verifies_our_chain_with_revocation(tool: Program, mine: Papers) -> None:
    arguments = ("-CAfile", mine.file("root.pem"), "-untrusted", mine.file("issuing.pem"))
    lists = ("-crl_check_all", "-CRLfile", mine.file("crls.pem"))
    for leaf in ("person", "tsa"):
        tool.run("verify", "-x509_strict", *TIMES, *arguments, *lists, mine.file(f"{leaf}.pem")).check("OK")
    tool.run("verify", *TIMES, *arguments, *lists, mine.file("organisation.pem")).refused("certificate revoked")


@pytest.mark.parametrize("suite", CERTIFICATES)
def test_it_verifies_our_lists(tool: Program, mine: Papers) -> None:
    for issuer in ("root", "issuing"):
        tool.run("crl", "-noout", "-CAfile", mine.file(f"{issuer}.pem"), "-in", mine.file(f"{issuer}.crl.pem")).check(
            "verify OK"
        )
    wrong = tool.run("crl", "-noout", "-CAfile", mine.file("root.pem"), "-in", mine.file("issuing.crl.pem"))
    assert "verify OK" not in wrong.text


@pytest.mark.parametrize("suite", CMS)
@pytest.mark.parametrize("name", ["detached.p7s", "attached.p7m"])
def test_it_verifies_our_cms_as_cades(tool: Program, mine: Papers, name: str, tmp_path: Path) -> None:
    arguments = ("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", mine.file(name), *TIMES)
    trust = ("-CAfile", mine.file("root.pem"), "-purpose", "any", "-out", tmp_path / "out")
    content = ("-content", mine.file("content.bin")) if name == "detached.p7s" else ()
    tool.run(*arguments, *trust, *content).check("CAdES Verification successful")
    assert (tmp_path / "out").read_bytes() == CONTENT
    if content:
        tool.run(*arguments, *trust, "-content", mine.file("altered.bin")).refused("CAdES Verification failure")


@pytest.mark.parametrize("suite", STAMPS)
def test_it_verifies_our_time_stamps(tool: Program, mine: Papers) -> None:
    trust = ("-CAfile", mine.file("root.pem"), "-untrusted", mine.file("issuing.pem"), *TIMES)
    answer = ("ts", "-verify", "-in", mine.file("answer.tsr"))
    tool.run(*answer, "-queryfile", mine.file("request.tsq"), *trust).check("Verification: OK")
    tool.run(*answer, "-data", mine.file("content.bin"), *trust).check("Verification: OK")
    tool.run(*answer, "-data", mine.file("altered.bin"), *trust).refused("message imprint mismatch")
    token = ("ts", "-verify", "-token_in", "-in", mine.file("token.tst"))
    tool.run(*token, "-data", mine.file("content.bin"), *trust).check("Verification: OK")


@pytest.mark.parametrize("suite", CERTIFICATES)
def test_it_reads_our_key(tool: Program, mine: Papers, tmp_path: Path) -> None:
    spki = tmp_path / "spki"
    tool.run("pkey", "-in", mine.file("person.key.pem"), "-pubout", "-outform", "DER", "-out", spki).check()
    ours = suites.load_public(mine.circle.person.certificate.spki)
    assert suites.load_public(spki.read_bytes()).spki == ours.spki


@pytest.mark.parametrize("suite", CMS)
@pytest.mark.parametrize("form", [("-nodetach",), (), ("-noattr",), ("-keyid",), ("-stream", "-nodetach")])
def test_we_verify_its_cms(suite: str, form: tuple[str, ...], tool: Program, mine: Papers, tmp_path: Path) -> None:
    if suite == "rsa-pss" and "-stream" in form:
        pytest.skip("openssl 3.0 cannot stream a signature with parameters")
    digest = ("-md", MESSAGE_DIGEST[suite]) if suite in MESSAGE_DIGEST else ()
    padding = ("-keyopt", "rsa_padding_mode:pss") if suite == "rsa-pss" else ()
    cades = () if "-noattr" in form else ("-cades",)
    arguments = ("cms", "-sign", "-binary", "-outform", "DER", "-in", mine.file("content.bin"), *form, *cades, *digest)
    key = ("-signer", mine.file("person.pem"), "-inkey", mine.file("person.key.pem"), *padding)
    tool.run(*arguments, *key, "-out", tmp_path / "signed").check()
    signer = parse_signed_data((tmp_path / "signed").read_bytes()).signers[0]
    assert signer.verify(CONTENT) == suite
    with pytest.raises(BadSignature):
        signer.verify(ALTERED)


@pytest.mark.parametrize("suite", [name for name in CMS if name != "rsa-pss"])  # openssl 3.0 cannot resign with PSS
def test_we_list_and_verify_each_of_its_signers(suite: str, tool: Program, mine: Papers, tmp_path: Path) -> None:
    """One message signed by two, the second time by `cms -resign`; each gets a verdict of its own."""
    digest = ("-md", MESSAGE_DIGEST[suite]) if suite in MESSAGE_DIGEST else ()
    padding = ("-keyopt", "rsa_padding_mode:pss") if suite == "rsa-pss" else ()
    key = ("-signer", mine.file("person.pem"), "-inkey", mine.file("person.key.pem"), *padding)
    once, twice = tmp_path / "once", tmp_path / "twice"
    source = ("-in", mine.file("content.bin"), "-certfile", mine.file("issuing.pem"))
    tool.run("cms", "-sign", "-binary", "-outform", "DER", *source, "-nocerts", *digest, *key, "-out", once).check()
    again = ("-inform", "DER", "-outform", "DER", "-in", once)
    tool.run("cms", "-resign", "-binary", *again, *digest, *key, "-out", twice).check()
    trust = TrustStore().with_((mine.circle.root,), mine.circle.crls)
    for content, expected in ((CONTENT, "TOTAL-PASSED"), (ALTERED, "TOTAL-FAILED")):
        report = verify_bytes(twice.read_bytes(), name="twice", trust=trust, clock=CLOCK, content=content)
        assert [one.field for one in report.signatures] == ["signer 1", "signer 2"]
        assert {one.verdict for one in report.signatures} == {expected}, report.dumps()


TSA_CONFIGURATION = """
[tsa]
default_tsa = one
[one]
serial = {directory}/serial
crypto_device = builtin
signer_digest = {digest}
default_policy = 1.2.3.4.1
digests = {digest}
accuracy = secs:1, millisecs:20
ordering = yes
tsa_name = yes
ess_cert_id_alg = {digest}
"""


@pytest.mark.parametrize("suite", STAMPS)
def test_we_verify_its_time_stamps(suite: str, mine: Papers, tmp_path: Path) -> None:
    digest = MESSAGE_DIGEST.get(suite, mine.digest_name)
    more = TSA_CONFIGURATION.format(directory=tmp_path, digest=digest)
    if suite in MESSAGE_DIGEST:
        tool = programs.gost_openssl(tmp_path, more)
    else:
        (tmp_path / "tsa.cnf").write_text(more)
        tool = Program.find("openssl", OPENSSL_CONF=str(tmp_path / "tsa.cnf"))
    (tmp_path / "serial").write_text("01\n")
    holder = mine.circle.tsa
    (tmp_path / "tsa.p8").write_bytes(holder.key.pkcs8())
    tool.run("pkey", "-inform", "DER", "-in", tmp_path / "tsa.p8", "-out", tmp_path / "tsa.key").check()
    query = tmp_path / "request.tsq"
    tool.run("ts", "-query", f"-{digest}", "-data", mine.file("content.bin"), "-cert", "-out", query).check()
    signer = ("-signer", mine.file("tsa.pem"), "-inkey", tmp_path / "tsa.key", "-chain", mine.file("issuing.pem"))
    tool.run("ts", "-reply", "-queryfile", query, *signer, "-out", tmp_path / "answer.tsr").check()
    token = timestamp.check_response((tmp_path / "answer.tsr").read_bytes(), query.read_bytes())
    assert token.imprint == suites.digest(mine.digest_name, CONTENT)
    trust = TrustStore().with_((mine.circle.root,), mine.circle.crls)
    later = FixedClock(token.gen_time + timedelta(seconds=1))
    answer = (tmp_path / "answer.tsr").read_bytes()
    report = verify_bytes(answer, name="a", trust=trust, clock=later, content=CONTENT)
    # its clock is that of today, for which our lists are too old
    assert (report.verdict, report.signatures[0].sub_indication) in (
        ("TOTAL-PASSED", None),
        ("INDETERMINATE", "TRY_LATER"),
    )
    assert report.signatures[0].cryptographic.result == "passed"
    with pytest.raises(TimeStampError):
        token.verify(mine.digest_name, suites.digest(mine.digest_name, ALTERED))
    # our request, its answer
    tool.run("ts", "-reply", "-queryfile", mine.file("request.tsq"), *signer, "-out", tmp_path / "second.tsr").check()
    timestamp.check_response((tmp_path / "second.tsr").read_bytes(), mine.file("request.tsq").read_bytes())


def test_it_prints_our_national_identifiers(openssl: Program, desk: Path) -> None:
    certificate = papers.of("gost2012-256", desk).file("person.pem")
    text = openssl.run("x509", "-noout", "-subject", "-nameopt", "utf8,oneline", "-in", certificate)
    assert "INN = 500100732259" in text.check().text
    assert "SNILS = 11223344595" in text.text


def test_its_list_reader_shows_the_revoked_serial(openssl: Program, desk: Path) -> None:
    paper = papers.of("ecdsa-p256", desk)
    text = openssl.run("crl", "-noout", "-text", "-in", paper.file("issuing.crl.pem")).check().text
    serial = paper.circle.organisation.certificate.serial
    assert f"Serial Number: {serial:X}" in text
    assert CRL(paper.file("issuing.crl").read_bytes()).status(serial)
