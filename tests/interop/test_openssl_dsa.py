"""Certificates, lists and CMS that the openssl command made with DSA, verified by us; we make none.

An authority of its own is run with dates of 2011, when such signatures proved something.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certs.certificate import Certificate, load_certificate
from certs.crl import load_crls
from certs.errors import BadSignature
from certs.path import PathResult, validate_path
from certs.signed_data import parse_signed_data
from certs.trust import TrustStore
from tests.interop.programs import Program

pytestmark = pytest.mark.interop

CONTENT, ALTERED = b"pay 100", b"pay 900"
THEN, NOW = datetime(2012, 6, 1, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
LIFE = ("-startdate", "20110101000000Z", "-enddate", "20350101000000Z")
CONFIGURATION = """\
[ca]
default_ca = old
[old]
dir = {directory}
database = $dir/index
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir
policy = any
x509_extensions = leaf
crl_extensions = list
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
keyUsage = critical,digitalSignature,nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[list]
authorityKeyIdentifier = keyid
"""
CASES = {"1024-sha1": ("1024", "sha1"), "2048-sha1": ("2048", "sha1"), "2048-sha256": ("2048", "sha256")}
CASES["3072-sha256"] = ("3072", "sha256")


@dataclass(frozen=True)
class Office:
    """An old authority, and one certificate of it."""

    directory: Path
    tool: Program
    digest: str

    def file(self, name: str) -> Path:
        return self.directory / name

    def ca(self, *arguments: str | Path) -> None:
        self.tool.run("ca", "-batch", "-config", self.file("ca.cnf"), "-md", self.digest, *arguments).check()

    def certificate(self, name: str) -> Certificate:
        return load_certificate(self.file(f"{name}.pem").read_bytes())

    def validate(self, at: datetime, leaf: Certificate | None = None) -> PathResult:
        store = TrustStore(anchors=(self.certificate("root"),))
        lists = load_crls(self.file("list.pem").read_bytes())
        return validate_path(leaf or self.certificate("leaf"), (), store, at, crls=lists)


@pytest.fixture(scope="module", params=CASES)
def office(request: pytest.FixtureRequest, openssl: Program, tmp_path_factory: pytest.TempPathFactory) -> Office:
    size, digest = CASES[request.param]
    made = Office(tmp_path_factory.mktemp("old"), openssl, digest)
    made.file("ca.cnf").write_text(CONFIGURATION.format(directory=made.directory))
    made.file("index").write_text("")
    for name in ("serial", "crlnumber"):
        made.file(name).write_text("01\n")
    openssl.run("dsaparam", "-out", made.file("parameters"), size).check()
    for name in ("root", "leaf"):
        openssl.run("gendsa", "-out", made.file(f"{name}.key"), made.file("parameters")).check()
        request_of = ("-new", "-key", made.file(f"{name}.key"), "-subj", f"/CN=Old {name}")
        openssl.run("req", *request_of, "-out", made.file(f"{name}.csr")).check()
    root = ("-keyfile", made.file("root.key"))
    selfsign = ("-selfsign", "-extensions", "authority", "-in", made.file("root.csr"), "-out", made.file("root.pem"))
    made.ca(*root, *selfsign, *LIFE)
    issuer = (*root, "-cert", made.file("root.pem"))
    made.ca(*issuer, "-in", made.file("leaf.csr"), "-out", made.file("leaf.pem"), *LIFE)
    dates = ("-crl_lastupdate", "20120101000000Z", "-crl_nextupdate", "20350101000000Z")
    made.ca(*issuer, "-gencrl", *dates, "-out", made.file("list.pem"))
    return made


def test_its_chain_was_good_then_and_proves_nothing_today(office: Office) -> None:
    result = office.validate(THEN)
    assert result.passed, result.detail
    assert len(result.crls) == 1
    assert office.certificate("leaf").verify_signed_by(office.certificate("root")) == "dsa"
    assert office.validate(NOW).sub_indication == "CRYPTO_CONSTRAINTS_FAILURE"


def test_no_altered_certificate_or_list_passes(office: Office) -> None:
    whole = office.certificate("leaf").der
    for position in range(len(whole) - 60, len(whole), 7):
        octets = bytearray(whole)
        octets[position] ^= 1
        assert not office.validate(THEN, Certificate(bytes(octets))).passed
    (crl,) = load_crls(office.file("list.pem").read_bytes())
    octets = bytearray(crl.der)
    octets[-1] ^= 1
    with pytest.raises(BadSignature):
        type(crl)(bytes(octets)).check_signed_by(office.certificate("root"))


@pytest.mark.parametrize("form", [("-nodetach",), (), ("-noattr",), ("-keyid",), ("-stream", "-nodetach"), ("-cades",)])
def test_we_verify_its_cms(office: Office, form: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(CONTENT)
    who = ("-signer", office.file("leaf.pem"), "-inkey", office.file("leaf.key"), "-md", office.digest)
    what = ("-binary", "-outform", "DER", "-in", tmp_path / "content", "-out", tmp_path / "signed")
    office.tool.run("cms", "-sign", *what, *who, *form).check()
    signer = parse_signed_data((tmp_path / "signed").read_bytes()).signers[0]
    assert signer.verify(CONTENT) == "dsa"
    with pytest.raises(BadSignature):
        signer.verify(ALTERED)
