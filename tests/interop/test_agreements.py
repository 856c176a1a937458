"""A signature that names a framework agreement, as others see it: EU DSS, pdfsig, openssl, pyHanko's ASN.1."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from certs import oids, signature_policy, suites
from certs.signed_data import parse_signed_data
from signer.cms import sign_detached
from signer.pades.options import SignOptions
from signer.pades.sign import sign_bytes
from tests.conftest import CLOCK, make_pdf
from tests.interop import papers
from tests.interop.papers import CONTENT, EPOCH, MOMENT, Papers
from tests.interop.programs import Program, dss_policies

pytestmark = [pytest.mark.interop]

PARTIES = '[{"name":"山河贸易有限公司"}]'
FRAMEWORK = f'{{"parties":{PARTIES},"schema":"sealroad.agreement/1","title":"Рамочное соглашение"}}'.encode()
JUDGED = ("rsa", "rsa-pss", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521")
PDFSIG = ("rsa", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521")


def bound_pdf(paper: Papers) -> Path:
    circle = paper.circle
    options = SignOptions(agreement=FRAMEWORK, level="B-T")
    data = sign_bytes(
        *(make_pdf(), circle.person.key, circle.person.certificate, (circle.issuing,)),
        *(options, CLOCK, circle.timestamper),
    )
    paper.file("bound.pdf").write_bytes(data)
    return paper.file("bound.pdf")


def bound_cms(paper: Papers) -> Path:
    person = paper.circle.person
    cms = sign_detached(
        io.BytesIO(CONTENT), person.key, person.certificate, (paper.circle.issuing,), clock=CLOCK, agreement=FRAMEWORK
    )
    paper.file("bound.p7s").write_bytes(cms)
    return paper.file("bound.p7s")


def test_dss_finds_the_very_agreement_and_no_other(desk: Path) -> None:
    right, wrong, jobs = desk / "framework.json", desk / "older.json", desk / "policies.tsv"
    right.write_bytes(FRAMEWORK)
    wrong.write_bytes(FRAMEWORK + b"\n")
    rows, name = [], signature_policy.name_of(FRAMEWORK)
    for suite in JUDGED:
        paper = papers.of(suite, desk)
        basis = [MOMENT, paper.file("root.cer"), f"{paper.file('root.crl')},{paper.file('issuing.crl')}", name]
        rows += [[bound_pdf(paper), "-", *basis, policy] for policy in ("-", right, wrong)]
        rows += [[bound_cms(paper), paper.file("content.bin"), *basis, policy] for policy in ("-", right, wrong)]
    jobs.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    lines = [line.split("\t") for line in dss_policies().run(jobs).check().output.decode().splitlines()]
    assert len(lines) == len(rows)
    for row, (_, indication, sub, oid, matches) in zip(rows, lines, strict=True):
        assert oid == name
        assert matches == ("true" if row[-1] == right else "false"), row
        if row[-1] != wrong:  # also where nobody gives it the agreement
            assert (indication, sub) == ("TOTAL_PASSED", "null"), row


@pytest.mark.parametrize("suite", PDFSIG)
def test_pdfsig_says_valid(suite: str, desk: Path) -> None:
    text = Program.find("pdfsig").run("-nocert", bound_pdf(papers.of(suite, desk))).text
    assert "Signature is Valid" in text


@pytest.mark.parametrize("suite", ["rsa", "ecdsa-p256", "ecdsa-bp256"])
def test_openssl_verifies_it_and_names_the_attribute(suite: str, desk: Path) -> None:
    paper = papers.of(suite, desk)
    cms, openssl = bound_cms(paper), Program.find("openssl")
    arguments = ("-inform", "DER", "-in", cms, "-content", paper.file("content.bin"), "-binary", "-attime", EPOCH)
    openssl.run("cms", "-verify", *arguments, "-CAfile", paper.file("root.pem"), "-out", desk / "out").check()
    printed = openssl.run("cms", "-cmsout", "-print", "-inform", "DER", "-in", cms).check().text
    assert "id-smime-aa-ets-sigPolicyId" in printed


def test_pyhanko_reads_the_same_in_every_suite(paper: Papers) -> None:
    from pyhanko.sign.ades.cades_asn1 import SignaturePolicyIdentifier

    (signer,) = parse_signed_data(bound_cms(paper).read_bytes()).signers
    (value,) = signer.values(oids.SIGNATURE_POLICY)
    read = SignaturePolicyIdentifier.load(value, strict=True).chosen
    digest = suites.get(paper.suite_name).stamp_digest_name
    assert read["sig_policy_id"].dotted == signature_policy.name_of(FRAMEWORK)
    assert read["sig_policy_hash"]["digest"].native == suites.digest(digest, FRAMEWORK)
    assert read["sig_policy_hash"]["digest_algorithm"]["algorithm"].dotted == suites.digest_oid(digest)
    assert value == SignaturePolicyIdentifier.load(value).dump(force=True)
