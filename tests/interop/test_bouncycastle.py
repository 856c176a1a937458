"""Bouncy Castle verifies what we make, in every suite it knows, and we verify what it makes.

One start of the Java machine judges all jobs of this module, another makes all foreign files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from certs import ocsp_check, suites, timestamp
from certs.certificate import load_certificate
from certs.crl import CRL
from certs.errors import BadSignature
from certs.ocsp import OCSPResponse
from certs.path import validate_path
from certs.signed_data import parse_signed_data
from certs.trust import TrustStore
from tests.conftest import ALL_SUITES, CLOCK, NOW
from tests.interop import papers
from tests.interop.papers import ALTERED, CONTENT, MOMENT
from tests.interop.programs import BOUNCY_CASTLE, Docket, Opinion, jars, java_program

pytestmark = pytest.mark.interop

KNOWN = tuple(name for name in ALL_SUITES if not name.startswith("ml-dsa"))
"""Bouncy Castle 1.72 has Dilithium as it was before FIPS 204, so it cannot judge ML-DSA."""


@pytest.fixture(scope="module", params=KNOWN)
def suite(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# ours, judged by Bouncy Castle ----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def opinions(desk: Path) -> dict[str, Opinion]:
    docket = Docket(desk)
    for suite in KNOWN:
        paper = papers.of(suite, desk)
        file, files = paper.file, paper.files
        trust = {"anchor": files("root.cer"), "crl": files("root.crl", "issuing.crl"), "at": MOMENT}
        for leaf in ("person", "organisation", "tsa"):
            docket.add(f"{suite} chain {leaf}", "chain", leaf=file(f"{leaf}.cer"), link=file("issuing.cer"), **trust)
        docket.add(f"{suite} root.crl", "crl", crl=file("root.crl"), issuer=file("root.cer"), good=file("issuing.cer"))
        docket.add(
            f"{suite} issuing.crl",
            "crl",
            crl=file("issuing.crl"),
            issuer=file("issuing.cer"),
            good=files("person.cer", "tsa.cer"),
            revoked=file("organisation.cer"),
        )
        docket.add(f"{suite} wrong issuer", "crl", crl=file("issuing.crl"), issuer=file("root.cer"))
        docket.add(f"{suite} detached", "cms", cms=file("detached.p7s"), content=file("content.bin"), **trust)
        docket.add(f"{suite} attached", "cms", cms=file("attached.p7m"), **trust)
        docket.add(f"{suite} altered", "cms", cms=file("detached.p7s"), content=file("altered.bin"), **trust)
        docket.add(f"{suite} token", "token", token=file("token.tst"), content=file("content.bin"), **trust)
        docket.add(f"{suite} altered token", "token", token=file("token.tst"), content=file("altered.bin"), **trust)
        docket.add(
            f"{suite} answer",
            "answer",
            response=file("answer.tsr"),
            request=file("request.tsq"),
            content=file("content.bin"),
            **trust,
        )
        for name in ("ocsp", "direct"):
            docket.add(
                f"{suite} {name}",
                "ocsp",
                response=file(f"{name}.ors"),
                request=file("ocsp.req"),
                issuer=file("issuing.cer"),
                good=file("person.cer"),
                revoked=file("organisation.cer"),
                unknown="1",
            )
            for leaf in ("person", "organisation"):
                docket.add(
                    f"{suite} {name} {leaf}",
                    "status",
                    leaf=file(f"{leaf}.cer"),
                    link=file("issuing.cer"),
                    anchor=file("root.cer"),
                    response=file(f"{name}.ors"),
                    upper=file("issuing.ors"),
                    at=MOMENT,
                )
    return docket.judge()


@pytest.mark.parametrize("what", ["chain person", "chain tsa", "root.crl", "issuing.crl"])
def test_it_accepts_our_certificates_and_lists(suite: str, what: str, opinions: dict[str, Opinion]) -> None:
    assert opinions[f"{suite} {what}"].good, opinions[f"{suite} {what}"]


def test_it_sees_that_our_certificate_is_revoked(suite: str, opinions: dict[str, Opinion]) -> None:
    opinion = opinions[f"{suite} chain organisation"]
    assert not opinion.good
    assert "keyCompromise" in opinion.detail


def test_it_refuses_our_list_under_another_key(suite: str, opinions: dict[str, Opinion]) -> None:
    assert not opinions[f"{suite} wrong issuer"].good


@pytest.mark.parametrize("what", ["ocsp", "direct"])
def test_it_believes_our_ocsp_answers(suite: str, what: str, opinions: dict[str, Opinion]) -> None:
    assert opinions[f"{suite} {what}"].good, opinions[f"{suite} {what}"]
    assert "not revoked by OCSP" in opinions[f"{suite} {what} person"].detail, opinions[f"{suite} {what} person"]
    refused = opinions[f"{suite} {what} organisation"]
    assert not refused.good
    assert "keyCompromise" in refused.detail


@pytest.mark.parametrize("what", ["detached", "attached"])
def test_it_verifies_our_cms(suite: str, what: str, opinions: dict[str, Opinion]) -> None:
    opinion = opinions[f"{suite} {what}"]
    assert opinion.good, opinion
    assert "path of 2" in opinion.detail
    assert "not revoked" in opinion.detail


@pytest.mark.parametrize("what", ["token", "answer"])
def test_it_verifies_our_time_stamps(suite: str, what: str, opinions: dict[str, Opinion]) -> None:
    opinion = opinions[f"{suite} {what}"]
    assert opinion.good, opinion
    assert f"stamped {MOMENT}" in opinion.detail


def test_it_sees_that_the_content_was_altered(suite: str, opinions: dict[str, Opinion]) -> None:
    assert "message-digest attribute value does not match" in opinions[f"{suite} altered"].detail
    assert "the imprint is of other data" in opinions[f"{suite} altered token"].detail


# made by Bouncy Castle, verified by us --------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def foreign(desk: Path) -> Path:
    """A directory of foreign files per suite; and below own/ a CMS that Bouncy Castle made with our key."""
    directory = desk / "foreign"
    lines = []
    for suite in KNOWN:
        paper = papers.of(suite, desk)
        for folder in (directory / suite, directory / "own" / suite):
            folder.mkdir(parents=True)
            (folder / "content.bin").write_bytes(CONTENT)
            (folder / "request.tsq").write_bytes(paper.file("request.tsq").read_bytes())
        lines.append(f"{directory / suite}\t{suite}\t{MOMENT}\n")
        own = directory / "own" / suite
        key, certificate = paper.file("person.p8"), paper.file("person.cer")
        lines.append(f"{own}\t{suite}\t{MOMENT}\t{key}\t{certificate}\n")
    jobs = directory / "jobs.tsv"
    jobs.write_text("".join(lines))
    java_program("Maker", jars(BOUNCY_CASTLE)).run(jobs).check()
    return directory


def test_we_validate_its_chain_and_list(suite: str, foreign: Path) -> None:
    root, leaf, gone = (
        load_certificate((foreign / suite / f"{name}.cer").read_bytes()) for name in ("root", "leaf", "gone")
    )
    crl = CRL((foreign / suite / "root.crl").read_bytes())
    crl.check_signed_by(root)
    store = TrustStore().with_((root,), (crl,))
    assert validate_path(leaf, (), store, NOW).passed
    answer = validate_path(gone, (), store, NOW)
    assert answer.sub_indication == "REVOKED_NO_POE" or answer.sub_indication == "REVOKED", answer
    assert answer.revocation_reason == "keyCompromise"


@pytest.mark.parametrize("name", ["key.ors", "name.ors"])
def test_we_believe_its_ocsp_answers(suite: str, name: str, foreign: Path) -> None:
    folder = foreign / suite
    root, leaf, gone = (load_certificate((folder / f"{each}.cer").read_bytes()) for each in ("root", "leaf", "gone"))
    data, request = ((folder / each).read_bytes() for each in (name, "ocsp.req"))
    good, revoked, unknown = ocsp_check.check_response(data, request, root, NOW)
    assert (good.status, revoked.status, revoked.reason, unknown.status) == (
        "good", "revoked", "keyCompromise", "unknown",
    )  # fmt: skip
    store = TrustStore().with_((root,), (), (OCSPResponse(data),))
    assert validate_path(leaf, (), store, NOW).passed
    assert validate_path(gone, (), store, NOW).sub_indication == "REVOKED_NO_POE"


@pytest.mark.parametrize("name", ["detached.p7s", "attached.p7m", "bare.p7s"])
def test_we_verify_its_cms(suite: str, name: str, foreign: Path) -> None:
    view = parse_signed_data((foreign / suite / name).read_bytes())
    assert view.signers[0].verify(CONTENT) == suite
    with pytest.raises(BadSignature):
        view.signers[0].verify(ALTERED)


def test_we_verify_its_time_stamps(suite: str, foreign: Path) -> None:
    digest = suites.get(suite).digest_name
    imprint = suites.digest(digest, CONTENT)
    token = timestamp.read_token((foreign / suite / "token.tst").read_bytes())
    assert token.verify(digest, imprint) == suite
    assert token.gen_time == NOW
    answer, request = ((foreign / suite / name).read_bytes() for name in ("answer.tsr", "request.tsq"))
    assert timestamp.check_response(answer, request).gen_time == NOW


def test_our_verifier_passes_its_detached_cms(suite: str, foreign: Path) -> None:
    from signer.verify import verify_bytes

    folder = foreign / suite
    store = TrustStore.load([folder / "root.cer", folder / "root.crl"])
    data = (folder / "detached.p7s").read_bytes()
    report = verify_bytes(data, name="detached.p7s", trust=store, clock=CLOCK, content=CONTENT)
    assert report.verdict == "TOTAL-PASSED", report.dumps()
    assert report.signatures[0].suite == suite
    altered = verify_bytes(data, name="detached.p7s", trust=store, clock=CLOCK, content=ALTERED)
    assert altered.signatures[0].sub_indication == "HASH_FAILURE"


@pytest.mark.parametrize(
    ("name", "kind", "content"),
    [
        ("attached.p7m", "signature", None),
        ("token.tst", "timestamp", CONTENT),
        ("answer.tsr", "timestamp", CONTENT),
        ("root.crl", "revocation-list", None),
        ("leaf.cer", "certificate", None),
        ("key.ors", "ocsp-response", None),
        ("name.ors", "ocsp-response", None),
    ],
)
def test_our_verifier_passes_its_other_files(
    suite: str, name: str, kind: str, content: bytes | None, foreign: Path
) -> None:
    from signer.verify import verify_bytes

    folder = foreign / suite
    store = TrustStore.load([folder / "root.cer", folder / "root.crl"])
    data = (folder / name).read_bytes()
    report = verify_bytes(data, name=name, trust=store, clock=CLOCK, content=content)
    assert report.verdict == "TOTAL-PASSED", report.dumps()
    assert report.signatures[0].kind == kind
    # of a certificate the suite is its key's, which does not say PSS here
    assert report.signatures[0].suite == ("rsa" if (suite, kind) == ("rsa-pss", "certificate") else suite)
    if content is not None:
        altered = verify_bytes(data, name=name, trust=store, clock=CLOCK, content=ALTERED)
        assert altered.signatures[0].sub_indication == "HASH_FAILURE"


def test_it_reads_our_private_key(suite: str, foreign: Path) -> None:
    view = parse_signed_data((foreign / "own" / suite / "detached.p7s").read_bytes())
    assert view.signers[0].verify(CONTENT) == suite


def test_we_read_its_private_key(suite: str, foreign: Path) -> None:
    key = suites.load_private((foreign / suite / "leaf.p8").read_bytes(), suite)
    certificate = load_certificate((foreign / suite / "leaf.cer").read_bytes())
    suites.verify(certificate.spki, key.suite.signature_algorithm("x509").der(), key.sign(CONTENT), CONTENT)
