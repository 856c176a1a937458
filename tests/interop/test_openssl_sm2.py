"""The openssl command verifies every SM2 signature we make, one by one, with the signer's identifier given.

`openssl verify -vfyopt distid:…` hands the identifier to the leaf only, and `crl`, `cms` and `ts` have no way to give
it at all, so chains are verified link by link and the other signatures by `pkeyutl` over the very octets signed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from certs import ber, timestamp
from certs.certificate import Certificate, armor, load_certificate
from certs.keys.file import parse
from certs.signed_data import parse_signed_data
from certs.suites import get, verify
from certs.suites.base import Use
from tests.interop import papers
from tests.interop.papers import CONTENT, EPOCH, Papers
from tests.interop.programs import Outcome, Program

pytestmark = pytest.mark.interop

IDENTIFIER = "distid:1234567812345678"
"""The default identifier of GM/T 0009-2012 clause 10."""


@pytest.fixture
def paper(desk: Path) -> Papers:
    return papers.of("sm2", desk)


def pkeyutl(
    openssl: Program,
    directory: Path,
    signer: Certificate,
    message: bytes,
    signature: bytes,
    identifier: str = IDENTIFIER,
) -> Outcome:
    (directory / "key.pem").write_text(armor("PUBLIC KEY", signer.spki))
    (directory / "message").write_bytes(message)
    (directory / "signature").write_bytes(signature)
    key = ("-pubin", "-inkey", directory / "key.pem")
    digest = ("-rawin", "-digest", "sm3", "-pkeyopt", identifier)
    files = ("-in", directory / "message", "-sigfile", directory / "signature")
    return openssl.run("pkeyutl", "-verify", *key, *digest, *files)


def signed_parts(encoded: bytes) -> tuple[bytes, bytes]:
    """Return the to-be-signed part and the signature value of a certificate or list, by position alone."""
    members = ber.load(encoded).members()
    tbs = members.next().raw()
    members.next()
    return tbs, members.next().bit_string()


ISSUERS = {
    "root.cer": "root",
    "issuing.cer": "root",
    "person.cer": "issuing",
    "organisation.cer": "issuing",
    "tsa.cer": "issuing",
    "root.crl": "root",
    "issuing.crl": "issuing",
}


@pytest.mark.parametrize(("name", "issuer"), ISSUERS.items())
def test_it_verifies_our_certificates_and_lists(
    openssl: Program, paper: Papers, name: str, issuer: str, tmp_path: Path
) -> None:
    signer = {"root": paper.circle.root, "issuing": paper.circle.issuing}[issuer]
    tbs, signature = signed_parts(paper.file(name).read_bytes())
    pkeyutl(openssl, tmp_path, signer, tbs, signature).check("Signature Verified Successfully")
    pkeyutl(openssl, tmp_path, signer, tbs + b"\0", signature).refused()
    pkeyutl(openssl, tmp_path, signer, tbs, signature, "distid:another").refused()


@pytest.mark.parametrize(("leaf", "issuer"), [("person", "issuing"), ("tsa", "issuing"), ("issuing", "root")])
def test_it_verifies_each_link_of_our_chain(openssl: Program, paper: Papers, leaf: str, issuer: str) -> None:
    arguments = ("-partial_chain", "-attime", EPOCH, "-trusted", paper.file(f"{issuer}.pem"), paper.file(f"{leaf}.pem"))
    openssl.run("verify", "-vfyopt", IDENTIFIER, *arguments).check("OK")
    openssl.run("verify", *arguments).refused("certificate signature failure")


@pytest.mark.parametrize("name", ["detached.p7s", "attached.p7m", "token.tst"])
def test_it_verifies_our_signer_infos(openssl: Program, paper: Papers, name: str, tmp_path: Path) -> None:
    signer = parse_signed_data(paper.file(name).read_bytes()).signers[0]
    assert signer.certificate is not None
    assert signer.signed_attributes is not None
    # the octets of the message digest, computed by openssl as well
    body = CONTENT if signer.content is None else signer.content
    (tmp_path / "body").write_bytes(body)
    digest = openssl.run("dgst", "-sm3", "-binary", tmp_path / "body").check().output
    assert signer.message_digest == digest
    outcome = pkeyutl(openssl, tmp_path, signer.certificate, signer.signed_attributes, signer.signature)
    outcome.check("Signature Verified Successfully")


def test_our_stamped_imprint_is_openssls_digest(openssl: Program, paper: Papers) -> None:
    digest = openssl.run("dgst", "-sm3", "-binary", paper.file("content.bin")).check().output
    assert timestamp.read_token(paper.file("token.tst").read_bytes()).imprint == digest


def test_we_verify_its_signature_and_read_its_key(openssl: Program, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    openssl.run("genpkey", "-algorithm", "SM2", "-out", key).check()
    openssl.run("pkey", "-in", key, "-outform", "DER", "-out", tmp_path / "key.p8").check()
    openssl.run("pkey", "-in", key, "-pubout", "-outform", "DER", "-out", tmp_path / "spki").check()
    (tmp_path / "content").write_bytes(CONTENT)
    digest = ("-rawin", "-digest", "sm3", "-pkeyopt", IDENTIFIER)
    openssl.run(
        "pkeyutl", "-sign", "-inkey", key, *digest, "-in", tmp_path / "content", "-out", tmp_path / "sig"
    ).check()
    suite = get("sm2")
    algorithm = suite.signature_algorithm(Use.CMS).der()
    assert verify((tmp_path / "spki").read_bytes(), algorithm, (tmp_path / "sig").read_bytes(), CONTENT) == "sm2"
    ours = parse((tmp_path / "key.p8").read_bytes())  # openssl 3.0 writes SEC1 where PKCS#8 was asked for
    assert ours.public_key.spki == suite.load_public((tmp_path / "spki").read_bytes()).spki


def test_we_verify_its_certificate(openssl: Program, tmp_path: Path) -> None:
    configuration = tmp_path / "ca.cnf"
    configuration.write_text(CA_CONFIGURATION)
    tool = Program.find("openssl", OPENSSL_CONF=str(configuration))
    key, certificate = tmp_path / "ca.key", tmp_path / "ca.pem"
    tool.run("genpkey", "-algorithm", "SM2", "-out", key).check()
    request = ("req", "-x509", "-new", "-key", key, "-sm3", "-sigopt", IDENTIFIER, "-subj", "/CN=Foreign SM2 root")
    tool.run(*request, "-days", "30", "-out", certificate).check()
    root = load_certificate(certificate.read_bytes())
    assert root.verify_signed_by(root) == "sm2"


CA_CONFIGURATION = """\
[req]
distinguished_name = name
x509_extensions = ca
[name]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
