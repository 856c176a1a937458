"""PDF signatures that openssl made, in every kind and algorithm it knows, judged by us.

The octets of /ByteRange go to the command, its CMS goes into /Contents; nothing of ours computes anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from signer.report import SignatureReport, Verdict
from tests.interop.programs import Program
from tests.signer import rawpdf
from tests.signer.test_verify import verify

pytestmark = pytest.mark.interop

GOST = ("gost2001", "gost2012_256", "gost2012_512")
KEYS = {
    "rsa": ("-newkey", "rsa:2048"),
    "rsa-1024": ("-newkey", "rsa:1024"),
    "p256": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "p521": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "p224": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-224"),
    "secp256k1": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
    "brainpool256": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"),
    "brainpool384": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1"),
    "brainpool512": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP512r1"),
    "dsa": (),
    **{name: ("-newkey", name, "-pkeyopt", "paramset:A") for name in GOST},
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kinds")


def papers(tool: Program, bench: Path, kind: str) -> tuple[Path, Path]:
    """Return key and self-signed certificate."""
    key, certificate = bench / f"{kind}.key", bench / f"{kind}.pem"
    if not certificate.exists():
        if kind == "dsa":
            tool.run("dsaparam", "-genkey", "-out", key, "2048").check()
            source: tuple[object, ...] = ("-key", key)
        else:
            source = (*KEYS[kind], "-nodes", "-keyout", key)
        tool.run("req", "-x509", *source, "-subj", f"/CN={kind}", "-days", "30", "-out", certificate).check()
    return key, certificate


def by_openssl(tool: Program, bench: Path, kind: str, *options: str, sha1: bool = False) -> Callable[[bytes], bytes]:
    key, certificate = papers(tool, bench, kind)

    def make(content: bytes) -> bytes:
        source, out = bench / "content", bench / "cms"
        source.write_bytes(hashlib.sha1(content).digest() if sha1 else content)
        who = ("-signer", certificate, "-inkey", key, "-in", source, "-out", out)
        tool.run("cms", "-sign", "-binary", "-outform", "DER", *who, *options).check()
        return out.read_bytes()

    return make


def judge(data: bytes) -> SignatureReport:
    (one,) = verify(data, None).signatures
    return one


@pytest.fixture
def tool(kind: str, request: pytest.FixtureRequest) -> Program:
    found: Program = request.getfixturevalue("gost_openssl" if kind in GOST else "openssl")
    return found


@pytest.mark.parametrize(
    ("kind", "options", "suite"),
    [
        ("rsa", ("-md", "sha256"), "rsa"),
        ("rsa", ("-md", "sha512"), "rsa"),
        ("rsa", ("-md", "sha1"), "rsa"),
        ("rsa", ("-md", "sha3-256"), "rsa"),
        ("rsa", ("-md", "sha3-512"), "rsa"),
        ("rsa", ("-md", "sha256", "-noattr"), "rsa"),
        ("rsa", ("-md", "sha256", "-keyid"), "rsa"),
        ("rsa", ("-md", "sha256", "-stream", "-indef"), "rsa"),
        ("rsa", ("-md", "sha256", "-cades"), "rsa"),
        ("rsa", ("-md", "sha256", "-keyopt", "rsa_padding_mode:pss"), "rsa-pss"),
        ("rsa", ("-md", "sha512", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:20"), "rsa-pss"),
        ("rsa-1024", ("-md", "sha256"), "rsa"),
        ("p256", ("-md", "sha256"), "ecdsa-p256"),
        ("p521", ("-md", "sha512"), "ecdsa-p521"),
        ("p224", ("-md", "sha256"), "ecdsa-p224"),
        ("dsa", ("-md", "sha256"), "dsa"),
        ("dsa", ("-md", "sha1", "-noattr"), "dsa"),
        ("brainpool256", ("-md", "sha256"), None),
        ("brainpool384", ("-md", "sha384"), None),
        ("brainpool512", ("-md", "sha512", "-noattr"), None),
        ("gost2012_256", (), "gost2012-256"),
        ("gost2012_512", ("-noattr",), "gost2012-512"),
    ],
)
def test_what_openssl_signed_is_right(
    tool: Program, bench: Path, kind: str, options: tuple[str, ...], suite: str | None
) -> None:
    data = rawpdf.sign(by_openssl(tool, bench, kind, *options), subfilter=b"adbe.pkcs7.detached", digits=20_000)
    one = judge(data)
    assert one.cryptographic.result == "passed", (one.reason, one.checks)
    assert one.suite is not None
    assert suite in (None, one.suite)
    assert one.verdict is Verdict.INDETERMINATE, "a self-signed certificate is nobody's"
    broken = judge(data.replace(b"pay 100", b"pay 900"))
    assert (broken.verdict, broken.cryptographic.result) == (Verdict.TOTAL_FAILED, "failed")


@pytest.mark.parametrize(("kind", "word"), [("gost2001", "gost2001"), ("secp256k1", "")])
def test_what_we_do_not_compute_is_named_and_open(tool: Program, bench: Path, kind: str, word: str) -> None:
    data = rawpdf.sign(by_openssl(tool, bench, kind), subfilter=b"adbe.pkcs7.detached", digits=20_000)
    one = judge(data)
    assert (one.verdict, one.code, one.cryptographic.result) == (
        *(Verdict.INDETERMINATE, "unsupported-algorithm"),
        "not-checked",
    ), one.reason
    assert word in one.reason.lower()


@pytest.mark.parametrize("kind", ["rsa", "p256", "gost2012_256"])
def test_digest_inside_the_cms(tool: Program, bench: Path, kind: str) -> None:
    make = by_openssl(tool, bench, kind, "-nodetach", sha1=True)
    data = rawpdf.sign(make, subfilter=b"adbe.pkcs7.sha1", digits=20_000)
    one = judge(data)
    assert (one.verdict, one.code, one.cryptographic.result) == (Verdict.INDETERMINATE, "deprecated-kind", "passed")
    assert judge(data.replace(b"pay 100", b"pay 900")).sub_indication == "HASH_FAILURE"


@pytest.mark.parametrize(("kind", "digest"), [("rsa", "sha1"), ("rsa", "sha256"), ("rsa", "sha512")])
def test_bare_rsa_value(tool: Program, bench: Path, kind: str, digest: str) -> None:
    key, certificate = papers(tool, bench, kind)
    encoded = bench / "cert.der"
    tool.run("x509", "-in", certificate, "-outform", "DER", "-out", encoded).check()

    def make(content: bytes) -> bytes:
        (bench / "content").write_bytes(content)
        tool.run("dgst", f"-{digest}", "-sign", key, "-out", bench / "value", bench / "content").check()
        return b"\x04\x82\x01\x00" + (bench / "value").read_bytes()

    cert = b"/Cert <" + encoded.read_bytes().hex().encode() + b"> "
    data = rawpdf.sign(make, subfilter=b"adbe.x509.rsa_sha1", extra=cert)
    one = judge(data)
    assert (one.verdict, one.code, one.cryptographic.result) == (Verdict.INDETERMINATE, "deprecated-kind", "passed")
    assert judge(data.replace(b"pay 100", b"pay 900")).verdict is Verdict.TOTAL_FAILED
