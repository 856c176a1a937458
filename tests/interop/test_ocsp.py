"""The openssl command verifies our OCSP answers and asks our responder; we verify its answers and answer its questions.

`openssl ocsp` prints "good" even where the signature fails, so only the line "Response verify OK" counts. It has no way
to give the signer's identifier of SM2; those signatures are checked by `pkeyutl` over the very octets signed.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from certs import oids, suites
from certs.certificate import load_certificate
from certs.errors import CertsError
from certs.extensions import ocsp_nocheck
from certs.ocsp import OCSPResponse, read_request
from certs.ocsp_check import check_response
from certs.ocsp_responder import OCSPResponder
from certs.pem import armor
from tests.certs.forge import forge
from tests.conftest import CLOCK, NOW, keys_of
from tests.interop import papers
from tests.interop.papers import EPOCH, NEVER_ISSUED, Papers
from tests.interop.programs import Program
from tests.interop.test_openssl import CERTIFICATES, mine, tool  # noqa: F401 - fixtures
from tests.interop.test_openssl_sm2 import pkeyutl

pytestmark = pytest.mark.interop

AGES = ("-validity_period", "2000000000")
"""Its own clock is not the tests'."""
YEARS = timedelta(days=7000)


def serials(paper: Papers) -> list[str]:
    holders = (paper.circle.person, paper.circle.organisation)
    return [f"0x{serial:X}" for serial in (*(each.certificate.serial for each in holders), NEVER_ISSUED)]


@pytest.mark.parametrize("suite", CERTIFICATES)
@pytest.mark.parametrize("name", ["ocsp.ors", "direct.ors"])
def test_it_verifies_our_answers(suite: str, name: str, tool: Program, mine: Papers) -> None:  # noqa: F811
    asked = [part for serial in serials(mine) for part in ("-serial", serial)]
    trust = ("-issuer", mine.file("issuing.pem"), "-CAfile", mine.file("root.pem"), "-attime", EPOCH, *AGES)
    said = tool.run("ocsp", "-respin", mine.file(name), "-no_nonce", *trust, *asked).check("Response verify OK").text
    good, revoked, unknown = (said.split(f"{serial}: ")[1] for serial in serials(mine))
    assert good.startswith("good")
    assert revoked.startswith("revoked")
    assert "Reason: keyCompromise" in revoked.split(serials(mine)[2])[0]
    assert unknown.startswith("unknown")
    with_nonce = tool.run("ocsp", "-respin", mine.file(name), "-reqin", mine.file("ocsp.req"), *trust)
    assert "Nonce Verify error" not in with_nonce.check("Response verify OK").text


@pytest.mark.parametrize("suite", CERTIFICATES)
def test_it_verifies_the_roots_answer_and_refuses_the_wrong_issuer(tool: Program, mine: Papers) -> None:  # noqa: F811
    answer, common = mine.file("issuing.ors"), ("-CAfile", mine.file("root.pem"), "-attime", EPOCH, *AGES)
    right = ("-reqin", mine.file("issuing.req"), "-issuer", mine.file("root.pem"), "-cert", mine.file("issuing.pem"))
    tool.run("ocsp", "-respin", answer, "-no_nonce", *right[2:], *common).check("Response verify OK")
    tool.run("ocsp", "-respin", answer, *right[:4], *common).check("Response verify OK")
    altered = bytearray(answer.read_bytes())
    position = altered.index(OCSPResponse(bytes(altered)).tbs) + 60
    altered[position] ^= 1
    (mine.directory / "altered.ors").write_bytes(altered)
    refused = tool.run("ocsp", "-respin", mine.file("altered.ors"), "-no_nonce", *right[2:], *common)
    assert "Response verify OK" not in refused.text


@pytest.mark.parametrize("suite", CERTIFICATES)
@pytest.mark.parametrize("form", ["by name", "by key", "without certificates", "by the issuer"])
def test_we_verify_its_answers(suite: str, form: str, tool: Program, mine: Papers, tmp_path: Path) -> None:  # noqa: F811
    circle, keys = mine.circle, keys_of(suite)
    purposes = (oids.OCSP_SIGNING,)
    delegate = forge(
        "Its OCSP", keys[4], circle.issuing, keys[1], purposes=purposes, more=(ocsp_nocheck(),),
        not_before=NOW - YEARS, not_after=NOW + YEARS,
    )  # fmt: skip
    certificate, key = (circle.issuing, keys[1]) if form == "by the issuer" else (delegate, keys[4])
    (tmp_path / "signer.pem").write_text(certificate.pem)
    (tmp_path / "plain.pem").write_text(armor("PRIVATE KEY", key.pkcs8()))
    tool.run("pkey", "-in", tmp_path / "plain.pem", "-out", tmp_path / "signer.key").check()
    person, organisation = (each.certificate for each in (circle.person, circle.organisation))
    gone = f"{NOW:%y%m%d%H%M%SZ}"
    (tmp_path / "index").write_text(
        f"V\t391231235959Z\t\t{person.serial:X}\tunknown\t/CN=a\n"
        f"R\t391231235959Z\t{gone},keyCompromise\t{organisation.serial:X}\tunknown\t/CN=b\n"
    )
    options = {"by key": ("-resp_key_id",), "without certificates": ("-resp_no_certs",)}.get(form, ())
    padding = ("-rsigopt", "rsa_padding_mode:pss") if suite == "rsa-pss" else ()
    request = mine.file("ocsp.req")
    tool.run(
        *("ocsp", "-index", tmp_path / "index", "-CA", mine.file("issuing.pem"), "-ndays", "1", *options, *padding),
        *("-rsigner", tmp_path / "signer.pem", "-rkey", tmp_path / "signer.key"),
        *("-reqin", request, "-respout", tmp_path / "answer.ors"),
    ).check()
    data = (tmp_path / "answer.ors").read_bytes()
    response = OCSPResponse(data)
    assert (response.responder_key_hash is not None) is (form == "by key")
    at = response.produced_at
    good, revoked, unknown = check_response(
        data, request.read_bytes(), circle.issuing, at, others=(delegate,) if "without" in form else ()
    )
    assert (good.status, revoked.status, unknown.status) == ("good", "revoked", "unknown")
    assert (revoked.reason, revoked.revoked_at) == ("keyCompromise", NOW)
    if form == "without certificates":
        with pytest.raises(CertsError, match="not at hand"):
            check_response(data, request.read_bytes(), circle.issuing, at)


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512", "sm3"])
def test_we_answer_its_questions(openssl: Program, desk: Path, digest: str, tmp_path: Path) -> None:
    paper = papers.of("ecdsa-p256", desk)
    ask = ("-issuer", paper.file("issuing.pem"), f"-{digest}", "-cert", paper.file("person.pem"))
    openssl.run("ocsp", *ask, f"-{digest}", "-serial", serials(paper)[1], "-reqout", tmp_path / "asked").check()
    request = (tmp_path / "asked").read_bytes()
    asked = read_request(request)
    assert [each.digest_oid for each in asked.cert_ids] == [suites.digest_oid(digest)] * 2
    authority = paper.circle.ca.issuing
    certificate = load_certificate(paper.file("ocsp.cer").read_bytes())
    responder = OCSPResponder(paper.circle.tsa.key, certificate, authority.certificate, authority.ledger, CLOCK)
    (tmp_path / "answer").write_bytes(responder.respond(request))
    trust = ("-CAfile", paper.file("root.pem"), "-attime", EPOCH, *AGES)
    common = ("-respin", tmp_path / "answer", "-reqin", tmp_path / "asked")
    said = openssl.run("ocsp", *common, "-issuer", paper.file("issuing.pem"), *trust).check("Response verify OK")
    assert "Nonce Verify error" not in said.text


@pytest.mark.parametrize(("name", "signer"), [("ocsp.ors", "ocsp"), ("direct.ors", "issuing")])
def test_it_verifies_the_signature_of_our_answer_in_sm2(
    openssl: Program, desk: Path, name: str, signer: str, tmp_path: Path
) -> None:
    paper = papers.of("sm2", desk)
    response = OCSPResponse(paper.file(name).read_bytes())
    certificate = load_certificate(paper.file(f"{signer}.cer").read_bytes())
    signature = response._basic.signature
    pkeyutl(openssl, tmp_path, certificate, response.tbs, signature).check("Signature Verified Successfully")
    pkeyutl(openssl, tmp_path, certificate, response.tbs + b"\0", signature).refused()
    text = openssl.run("ocsp", "-respin", paper.file(name), "-noverify", "-resp_text").text
    assert "OCSP Response Status: successful" in text
    assert "SM2-with-SM3" in text
