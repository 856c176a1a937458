"""GnuTLS's certtool cross-checks GOST on the curves it supports, RSA and ECDSA; and we verify what it signs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from certs import suites
from certs.ca import ClosedCircle
from certs.certificate import Certificate, Subject, armor
from certs.clock import SystemClock
from certs.crl import CRL
from certs.errors import BadSignature
from certs.ledger import MemoryLedger
from certs.signed_data import build_signed_data, parse_signed_data
from certs.suites.base import PrivateKey
from tests.interop.papers import ALTERED, CONTENT
from tests.interop.programs import Program

pytestmark = pytest.mark.interop

CLOCK = SystemClock()
"""certtool 3.7 verifies as of now only."""

GOST_CURVES = ("gost2012-256 CryptoPro-A", "gost2012-256 XchA", "gost2012-256 TC26-256-B", "gost2012-512 TC26-512-A")
"""What GnuTLS 3.7 knows of GOST: one curve of 256 bits under its three names, one of 512 bits."""
KEYS = ("rsa 2048", "ecdsa-p256 P-256", "ecdsa-p384 P-384", "ecdsa-p521 P-521", *GOST_CURVES)


@dataclass(frozen=True)
class Desk:
    """A root and a signer of one suite and parameter, as files."""

    suite: str
    directory: Path
    key: PrivateKey
    certificate: Certificate

    def file(self, name: str) -> Path:
        return self.directory / name


@pytest.fixture(scope="module")
def certtool() -> Program:
    return Program.find("certtool")


@pytest.fixture(scope="module", params=KEYS)
def mine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    suite_name, parameter = request.param.split()
    circle = ClosedCircle.create(
        suite_name, organisation="Sealroad Test", country="RU", clock=CLOCK, ledger=MemoryLedger(), parameter=parameter
    )
    key = suites.get(suite_name).generate(parameter)
    subject = Subject("Ёлкин Пётр", country="RU", surname="Ёлкин", given_name="Пётр")
    certificate = circle.issue("person", subject, key.public_key.spki)
    desk = Desk(suite_name, tmp_path_factory.mktemp("certtool"), key, certificate)
    desk.file("root.pem").write_text(circle.root.pem)
    desk.file("issuing.pem").write_text(circle.chain[0].pem)
    desk.file("person.pem").write_text(certificate.pem)
    desk.file("chain.pem").write_text(certificate.pem + circle.chain[0].pem)
    desk.file("issuing.crl.pem").write_text(CRL(circle.crl()).pem)
    desk.file("person.key").write_text(armor("PRIVATE KEY", key.pkcs8()))
    desk.file("content").write_bytes(CONTENT)
    desk.file("altered").write_bytes(ALTERED)
    for name, detached in (("detached.p7s", True), ("attached.p7m", False)):
        data = build_signed_data(
            CONTENT, key, certificate, chain=(circle.chain[0],), detached=detached, signing_time=CLOCK.now()
        )
        desk.file(name).write_bytes(data)
    return desk


def test_it_verifies_our_chain(certtool: Program, mine: Desk) -> None:
    trust = ("--load-ca-certificate", mine.file("root.pem"))
    certtool.run("--verify", *trust, "--infile", mine.file("chain.pem")).check("Output: Verified.")
    wrong = ("--load-ca-certificate", mine.file("person.pem"))
    certtool.run("--verify", *wrong, "--infile", mine.file("chain.pem")).refused("Not verified")


def test_it_verifies_our_list(certtool: Program, mine: Desk) -> None:
    trust = ("--load-ca-certificate", mine.file("issuing.pem"))
    certtool.run("--verify-crl", *trust, "--infile", mine.file("issuing.crl.pem")).check("output: Verified.")


def test_it_verifies_our_cms(certtool: Program, mine: Desk) -> None:
    verify = ("--p7-verify", "--inder", "--load-certificate", mine.file("person.pem"))
    certtool.run(*verify, "--infile", mine.file("attached.p7m")).check("Signature status: ok")
    detached = (*verify, "--infile", mine.file("detached.p7s"), "--load-data")
    certtool.run(*detached, mine.file("content")).check("Signature status: ok")
    certtool.run(*detached, mine.file("altered")).refused("verification failed")


def test_it_reads_our_key_and_we_verify_what_it_signs(certtool: Program, mine: Desk) -> None:
    key = ("--load-certificate", mine.file("person.pem"), "--load-privkey", mine.file("person.key"))
    for sign in ("--p7-sign", "--p7-detached-sign"):
        out = mine.file(f"certtool{sign}")
        certtool.run(sign, "--p7-time", *key, "--infile", mine.file("content"), "--outder", "--outfile", out).check()
        signer = parse_signed_data(out.read_bytes()).signers[0]
        assert signer.verify(CONTENT, certificate=mine.certificate) == mine.suite
        with pytest.raises(BadSignature):
            signer.verify(ALTERED, certificate=mine.certificate)
