"""Seals, signatures and OFD packages of other people: the verdicts that the provenance of the files states."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certs.clock import FixedClock
from certs.trust import TrustStore
from signer.report import Report, SignatureReport
from signer.verify import VerifyOptions, verify_file
from tests.signer.ofd import pack
from tests.signer.seals.corpus import folder

TODAY = FixedClock(datetime(2026, 11, 27, tzinfo=UTC))
NO_LISTS = VerifyOptions(revocation="if-present")
"""The test authority behind these files publishes no revocation list."""


def judged(corpus: Path, name: str, at: str | None = None, *more: str, content: str | None = None) -> Report:
    here = folder(corpus)
    return verify_file(
        here / name,
        trust=TrustStore.load([here / file for file in ("root_cert.pem", *more)]),
        clock=TODAY,
        at=datetime.fromisoformat(at).replace(tzinfo=UTC) if at else None,
        options=NO_LISTS,
        content=(here / content).read_bytes() if content else None,
    )


def word(found: SignatureReport) -> str:
    return " ".join(filter(None, (found.verdict.value, found.sub_indication, found.code)))


def checks(found: SignatureReport) -> dict[str, str]:
    return {check.id: check.result for check in found.checks}


GOOD = "TOTAL-PASSED"
UNPROVEN = "INDETERMINATE OUT_OF_BOUNDS_NO_POE seal-expired-since"


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("UserV1.esl", "2021-01-01", GOOD),
        ("UserV4.esl", "2021-01-01", GOOD),
        ("UserV1.esl", None, "TOTAL-FAILED EXPIRED seal-expired"),
        ("UserV4.esl", None, "TOTAL-FAILED EXPIRED seal-expired"),
        # the maker's certificate had expired when the seal was made
        ("UserV5.esl", None, "TOTAL-FAILED EXPIRED seal-made-outside-maker"),
        # and the time-stamp is no token
        ("UserV5_ts.esl", None, "TOTAL-FAILED FORMAT_FAILURE seal-time-stamp-wrong"),
        # good when they were sealed; today nothing proves that they were
        ("allprotected.ofd", "2020-10-24", GOOD),
        ("allprotected.ofd", None, UNPROVEN),
        ("V4RideRight.ofd", "2021-05-20", GOOD),
        ("V4RideRight.ofd", None, UNPROVEN),
        # signed four years after seal and certificate ended
        ("SESV4SignDoc.ofd", None, "TOTAL-FAILED EXPIRED signed-after-seal-expiry"),
    ],
)
def test_the_verdict_that_is_stated(corpus: Path, name: str, at: str | None, expected: str) -> None:
    (found,) = judged(corpus, name, at).signatures
    assert word(found) == expected, found.reason
    assert checks(found)["seal-maker-value"] == "passed"
    assert found.seal is not None
    assert (found.seal.width, found.seal.height) == (40, 40)
    assert bool(found.seal.picture)


def test_two_seals_of_which_the_second_changed_the_list(corpus: Path) -> None:
    first, second = judged(corpus, "h.ofd", "2020-10-24").signatures
    assert (word(first), word(second)) == (GOOD, GOOD)
    assert checks(first)["ofd-signature-list"] == "passed"
    with zipfile.ZipFile(folder(corpus) / "h.ofd") as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    del files["Doc_0/Signs/Sign_1/SignedValue.dat"]  # without the later signature nothing explains the list
    from signer.verify import verify_bytes

    trust = TrustStore.load([folder(corpus) / "root_cert.pem"])
    at = datetime(2020, 10, 24, tzinfo=UTC)
    broken = verify_bytes(pack(files), name="h.ofd", trust=trust, clock=TODAY, at=at, options=NO_LISTS)
    assert [one.verdict for one in broken.signatures] != [GOOD, GOOD]


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("SignedValueV4.dat", "2020-10-13", "TOTAL-FAILED HASH_FAILURE"),  # over 32 zero octets
        ("SignedValueV5.dat", None, "TOTAL-FAILED EXPIRED seal-made-outside-maker"),
    ],
)
def test_signatures_over_no_document(corpus: Path, name: str, at: str | None, expected: str) -> None:
    (found,) = judged(corpus, name, at, content="Signature.xml").signatures
    assert word(found) == expected
    told = checks(found)
    assert (told["seal-document"], told["seal-signer-value"]) == ("failed", "passed")
    assert (told["seal-maker-value"], told["seal-owner-listed"]) == ("passed", "passed")
    (alone,) = judged(corpus, "SignedValueV4.dat", "2020-10-13").signatures
    assert word(alone) == "INDETERMINATE SIGNED_DATA_NOT_FOUND"


def test_a_bare_value(corpus: Path) -> None:
    (found,) = judged(corpus, "DigitalSign.ofd", "2020-04-23").signatures
    assert word(found) == "INDETERMINATE NO_SIGNING_CERTIFICATE_FOUND"
    (found,) = judged(corpus, "DigitalSign.ofd", "2020-04-23", "user_cert.pem").signatures
    assert (word(found), found.kind) == (GOOD, "signature")


def test_a_signed_list_of_files(corpus: Path) -> None:
    """Any contents fit it: the list has names only."""
    here = folder(corpus)
    listed = (here / "hello-integrity.OFDEntries.xml").read_bytes()
    names = (
        "Doc_0/Document.xml",
        "Doc_0/Pages/Page_0/Content.xml",
        "Doc_0/Pages/Page_1/Content.xml",
        "Doc_0/PublicRes.xml",
    )
    files = dict.fromkeys(names, b"<x/>") | {
        "OFD.xml": b"<OFD><DocBody><DocRoot>Doc_0/Document.xml</DocRoot></DocBody></OFD>",
        "OFDEntries.xml": listed,
        "signedvalue.dat": (here / "hello-integrity.signedvalue.dat").read_bytes(),
    }
    from signer.verify import verify_bytes

    trust = TrustStore.load([here / "root_cert.pem"])
    at = datetime(2023, 3, 21, tzinfo=UTC)
    (found,) = verify_bytes(pack(files), name="x.ofd", trust=trust, clock=TODAY, at=at, options=NO_LISTS).signatures
    assert word(found) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE names-only"
    told = checks(found)
    assert (told["ofd-entries"], told["signature-value"], told["x509-validation"]) == ("passed", "passed", "passed")
