"""OFD packages: what their signatures cover, and packages that are not what they seem."""

from __future__ import annotations

import base64
import io
import struct
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs.certificate import Certificate
from certs.clock import FixedClock
from certs.errors import SealroadError
from certs.trust import TrustStore
from signer.errors import UnreadableFile
from signer.report import Report, SignatureReport
from signer.seals import SealVersion
from signer.verification.kinds import asic_zip
from signer.verify import VerifyOptions, verify_bytes
from tests.certs.forge import forge
from tests.conftest import CLOCK, SIGNING, Circle, Holder, circle_of
from tests.signer import ofd
from tests.signer.ofd import LIST, PAGE, PLAIN, Files, by_seal, by_signed_data, pack, sign
from tests.signer.seals.making import seal_of

PASSED = "TOTAL-PASSED"


def trusting(circle: Circle, *more: Certificate) -> TrustStore:
    """The circle's root; a seal carries no chain, so the issuing certificate comes from here too."""
    return replace(circle.trust, certificates=(circle.issuing, *more))


def judged(files: Any, circle: Circle, *, trust: TrustStore | None = None, **more: Any) -> Report:
    data = files if isinstance(files, bytes) else pack(files)
    usual: dict[str, Any] = {"name": "contract.ofd", "trust": trust or trusting(circle), "clock": CLOCK}
    return verify_bytes(data, **usual | more)


def one(files: Any, circle: Circle, **more: Any) -> SignatureReport:
    (report,) = judged(files, circle, **more).signatures
    return report


def word(report: SignatureReport) -> str:
    return " ".join(filter(None, (report.verdict.value, report.sub_indication, report.code)))


def result(report: SignatureReport, check: str) -> set[str]:
    return {item.result for item in report.checks if item.id == check}


def sealed(circle: Circle, version: SealVersion = SealVersion.V4, files: Files = PLAIN, number: int = 1) -> Files:
    """A package that the organisation has sealed."""
    seal = seal_of(circle.suite_name, version)
    return sign(files, number, by_seal(seal, circle.organisation), seal)


SM2 = "sm2"
UNSIGNED = PLAIN | {"OFD.xml": PLAIN["OFD.xml"].replace(b"ofd:Signatures", b"ofd:Other")}


@cache
def fixed() -> Files:
    """One package of always the same octets."""
    return sealed(circle_of("ecdsa-p256"))


# -- what is good ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", SealVersion)
@pytest.mark.parametrize("suite", SIGNING)
def test_a_sealed_package_in_every_suite_and_version(suite: str, version: SealVersion) -> None:
    circle = circle_of(suite)
    files = sealed(circle, version)
    report = one(files, circle)
    assert word(report) == PASSED, (report.reason, report.checks)
    assert (report.kind, report.field, report.suite) == ("seal", "Doc_0/Signs/Sign_1/Signature.xml", suite)
    assert report.seal is not None
    assert (report.seal.version, report.seal.name) == (int(version), "江海贸易有限公司 合同专用章 𠮷")
    assert {item.detail for item in report.checks if item.id == "ofd-reference"} == set(PLAIN) | {
        LIST,
        "Doc_0/Signs/Sign_1/Seal.esl",
    }
    assert not [item for item in report.checks if item.result == "failed"]
    changed = files | {PAGE: files[PAGE].replace(b"100", b"900")}
    assert word(one(changed, circle)) == "TOTAL-FAILED HASH_FAILURE"


@pytest.mark.parametrize("suite", SIGNING)
def test_signed_data_over_the_digest_of_the_signature_file(suite: str) -> None:
    circle = circle_of(suite)
    for form in (lambda digest: digest, base64.b64encode):
        files = sign(PLAIN, 1, by_signed_data(circle.organisation, form))
        report = one(files, circle)
        assert (word(report), report.kind) == (PASSED, "signature"), (report.reason, report.checks)
        moved = files | {"Doc_0/Signs/Sign_1/Signature.xml": files["Doc_0/Signs/Sign_1/Signature.xml"] + b"\n"}
        assert word(one(moved, circle)) == "TOTAL-FAILED HASH_FAILURE"
        assert word(one(files | {PAGE: b"<x/>"}, circle)) == "TOTAL-FAILED HASH_FAILURE"


def test_a_bare_value_needs_the_certificate_from_elsewhere() -> None:
    circle = circle_of(SM2)
    files = sign(PLAIN, 1, ofd.bare(circle.organisation))
    assert word(one(files, circle)) == "INDETERMINATE NO_SIGNING_CERTIFICATE_FOUND"
    trust = trusting(circle, circle.organisation.certificate)
    report = one(files, circle, trust=trust)
    assert word(report) == PASSED, report.reason
    assert report.signer is not None
    assert report.signer.subject == circle.organisation.certificate.subject
    assert word(one(files | {PAGE: b"<x/>"}, circle, trust=trust)) == "TOTAL-FAILED HASH_FAILURE"


def test_two_seals_of_two_organisations() -> None:
    """The first names a list of one entry, which the second has changed: nothing else may have changed it."""
    circle = circle_of(SM2)
    first = sealed(circle)
    both = sealed(circle, files=first, number=2)
    reports = judged(both, circle).signatures
    assert [word(report) for report in reports] == [PASSED, PASSED], [report.reason for report in reports]
    assert result(reports[0], "ofd-signature-list") == {"passed"}
    assert result(reports[1], "ofd-signature-list") == set()
    # the second covers the first: it cannot be taken away or changed
    broken = both | {"Doc_0/Signs/Sign_1/SignedValue.dat": first["Doc_0/Signs/Sign_1/SignedValue.dat"] + b"\x00"}
    assert [report.sub_indication for report in judged(broken, circle).signatures] == ["HASH_FAILURE", "HASH_FAILURE"]


# -- the list of signatures -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda octets: octets.replace(b"</ofd:Signatures>", b"<ofd:Note>x</ofd:Note></ofd:Signatures>"), "changed"),
        (lambda octets: octets + b"\n", "covered"),
        (lambda octets: octets.replace(b'ID="1"', b'ID="7"'), "covered"),
    ],
)
def test_a_list_that_a_later_signature_does_not_explain(change: Callable[[bytes], bytes], expected: str) -> None:
    """A second seal over a list that was changed otherwise: it must at least cover the first one's file."""
    circle = circle_of(SM2)
    first = sealed(circle)
    files = sealed(circle, files=first, number=2)
    altered = files | {LIST: change(files[LIST])}
    seal = seal_of(SM2, SealVersion.V4)
    covered = {name: body for name, body in altered.items() if "Sign_2" not in name}
    octets = ofd.signature_file(2, covered, seal=False)
    path = "Doc_0/Signs/Sign_2/Signature.xml"
    altered |= {path: octets, "Doc_0/Signs/Sign_2/SignedValue.dat": by_seal(seal, circle.organisation)(octets, path)}
    early, late = judged(altered, circle).signatures
    assert late.cryptographic.result == "passed"
    if expected == "changed":
        assert word(early) == "TOTAL-FAILED HASH_FAILURE signature-list-changed"
    else:
        assert word(early) == PASSED
        assert "ofd-signature-list" in {item.code for item in early.warnings}


def test_a_list_that_was_changed_alone() -> None:
    circle = circle_of(SM2)
    files = sealed(circle)
    altered = files | {LIST: files[LIST] + b"\n"}
    assert word(one(altered, circle)) == "TOTAL-FAILED HASH_FAILURE signature-list-changed"


def test_an_entry_that_was_added_without_a_signature_explains_nothing() -> None:
    circle = circle_of(SM2)
    files = sealed(circle)
    forged = files | {
        LIST: ofd.listing([1, 2]),
        "Doc_0/Signs/Sign_2/Signature.xml": ofd.signature_file(2, PLAIN),
        "Doc_0/Signs/Sign_2/SignedValue.dat": b"\x30\x03\x02\x01\x01",
    }
    early, late = judged(forged, circle).signatures
    assert late.verdict == "TOTAL-FAILED"
    assert word(early) == "TOTAL-FAILED HASH_FAILURE signature-list-changed"


# -- what nobody covers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("left_out", [PAGE, "Doc_0/Document.xml", "Doc_0/PublicRes.xml", "Doc_0/Res/a.png"])
def test_a_file_of_the_document_that_the_seal_leaves_out(left_out: str) -> None:
    """The signed value is right and so is every digest; the page may still be anybody's."""
    circle = circle_of(SM2)
    seal = seal_of(SM2, SealVersion.V4)
    covered = {name: body for name, body in PLAIN.items() if name != left_out}
    files = sign(PLAIN, 1, by_seal(seal, circle.organisation), seal, covered)
    report = one(files, circle)
    assert word(report) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE not-covered"
    assert left_out in report.reason
    named = [item.detail for item in judged(files, circle).warnings if item.code == "not-covered"]
    assert f"no signature covers {left_out}" in named


def test_a_signature_without_any_reference() -> None:
    circle = circle_of(SM2)
    seal = seal_of(SM2, SealVersion.V4)
    files = sign(PLAIN, 1, by_seal(seal, circle.organisation), seal, {})
    assert word(one(files, circle)) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE not-covered"


def test_a_page_that_is_smuggled_in_through_another_document() -> None:
    """OFD.xml is not covered here: it is made to lead to a second document beside the sealed one."""
    circle = circle_of(SM2)
    seal = seal_of(SM2, SealVersion.V4)
    covered = {name: body for name, body in PLAIN.items() if name != "OFD.xml"}
    files = sign(PLAIN, 1, by_seal(seal, circle.organisation), seal, covered)
    assert word(one(files, circle)) == PASSED
    files |= {
        "OFD.xml": files["OFD.xml"].replace(b"Doc_0/Document.xml", b"Doc_1/Document.xml"),
        "Doc_1/Document.xml": PLAIN["Doc_0/Document.xml"],
        "Doc_1/Pages/Page_0/Content.xml": PLAIN[PAGE].replace(b"100", b"900"),
    }
    assert word(one(files, circle)) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE not-covered"


def test_a_version_of_the_document_that_the_seal_does_not_cover() -> None:
    """A reader that knows versions shows the current one (GB/T 33190-2016 19)."""
    circle = circle_of(SM2)
    seal = seal_of(SM2)
    covered = {name: body for name, body in PLAIN.items() if name != "OFD.xml"}
    files = sign(PLAIN, 1, by_seal(seal, circle.organisation), seal, covered)
    assert word(one(files, circle)) == PASSED
    version = b'<ofd:Versions><ofd:Version ID="1" Index="1" Current="true" BaseLoc="Doc_0/V.xml"/></ofd:Versions>'
    more = {
        "OFD.xml": PLAIN["OFD.xml"].replace(b"</ofd:DocBody>", version + b"</ofd:DocBody>"),
        "Doc_0/V.xml": b"<DocVersion><DocRoot>/Doc_1/Document.xml</DocRoot></DocVersion>",
        "Doc_1/Document.xml": PLAIN["Doc_0/Document.xml"],
    }
    report = one(files | more, circle)
    assert word(report) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE not-covered"
    assert "Doc_0/V.xml, Doc_1/Document.xml" in report.reason


def test_an_annotation_that_a_stranger_added() -> None:
    circle, stranger = circle_of(SM2), circle_of("ecdsa-p256").person
    root = PLAIN["Doc_0/Document.xml"].replace(
        b"</ofd:Document>", b"<ofd:Annotations>A.xml</ofd:Annotations></ofd:Document>"
    )
    first = sealed(circle, files=PLAIN | {"Doc_0/Document.xml": root})
    added = sign(first | {"Doc_0/A.xml": b"<a/>"}, 2, by_signed_data(stranger))
    assert word(judged(added, circle).signatures[0]) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE not-covered"


def test_a_seal_taken_off_the_list_is_told() -> None:
    circle = circle_of(SM2)
    seal, first = seal_of(SM2), sealed(circle)
    covered = {name: body for name, body in first.items() if name != LIST}
    both = sign(first, 2, by_seal(seal, circle.organisation), seal, covered)
    assert "signature-not-listed" not in [item.code for item in judged(both, circle).warnings]
    report = judged(both | {LIST: ofd.listing([2])}, circle)
    assert [item.detail for item in report.warnings if item.code == "signature-not-listed"] == [
        "Doc_0/Signs/Sign_1/Signature.xml is a signature file that no list names"
    ]


@pytest.mark.parametrize(
    "written",
    [
        *(b"pages/page_0/CONTENT.xml", b"Pages\\Page_0\\Content.xml", b"/Doc_0/Pages/../Pages/Page_0/Content.xml"),
        *(b"Pages/Page_0/Content%2Exml", b"Pages%2FPage_0%2FContent.xml", b"Pages/Page_0/Content.xml."),
        b'x"><ofd:x/>Pages/Page_0/Content.xml</ofd:Page><ofd:Page BaseLoc="y',
    ],
)
def test_a_page_that_only_some_readers_find(written: bytes) -> None:
    circle = circle_of(SM2)
    seal = seal_of(SM2, SealVersion.V4)
    root = PLAIN["Doc_0/Document.xml"].replace(b"Pages/Page_0/Content.xml", written)
    covered = {name: body for name, body in PLAIN.items() if name != PAGE} | {"Doc_0/Document.xml": root}
    files = sign(covered | {PAGE: PLAIN[PAGE]}, 1, by_seal(seal, circle.organisation), seal, covered)
    assert word(one(files, circle)) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE not-covered"


def test_a_page_whose_name_has_no_ending() -> None:
    circle = circle_of(SM2)
    seal = seal_of(SM2)
    root = PLAIN["Doc_0/Document.xml"].replace(b"Content.xml", b"Content")
    covered = {name: body for name, body in PLAIN.items() if name != PAGE} | {"Doc_0/Document.xml": root}
    page = {"Doc_0/Pages/Page_0/Content": PLAIN[PAGE]}
    files = sign(covered | page, 1, by_seal(seal, circle.organisation), seal, covered)
    assert word(one(files, circle)) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE not-covered"


@pytest.mark.parametrize(
    "root",
    [
        b"<!DOCTYPE x>" + PLAIN["Doc_0/Document.xml"].removeprefix(ofd.HEAD.encode()),
        PLAIN["Doc_0/Document.xml"].replace(b"UTF-8", b"UTF-7"),
        b"not XML at all",
    ],
)
def test_a_document_whose_files_are_not_known(root: bytes) -> None:
    circle = circle_of(SM2)
    report = one(sealed(circle, files=PLAIN | {"Doc_0/Document.xml": root}), circle)
    assert word(report) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE not-covered"
    assert "Doc_0/Document.xml" in report.reason


@pytest.mark.parametrize("encoding", [b"UTF-8", b"GB18030", b"gbk"])
@pytest.mark.parametrize("written", [b"Pages/Page_0/Content.xml", b"Pages/Page_0/C&#x6f;ntent.xml"])
def test_a_document_that_is_nearly_xml_is_looked_through(written: bytes, encoding: bytes) -> None:
    """As real tax documents are, whose files use prefixes that nothing declares."""
    circle = circle_of(SM2)
    root = PLAIN["Doc_0/Document.xml"].replace(ofd.XMLNS.encode(), b"").replace(b"Pages/Page_0/Content.xml", written)
    files = PLAIN | {"Doc_0/Document.xml": root.replace(b"UTF-8", encoding)}
    assert word(one(sealed(circle, files=files), circle)) == PASSED
    seal = seal_of(SM2, SealVersion.V4)
    covered = {name: body for name, body in files.items() if name != PAGE}
    left_out = sign(files, 1, by_seal(seal, circle.organisation), seal, covered)
    assert word(one(left_out, circle)) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE not-covered"


def test_a_document_in_utf16_is_looked_through() -> None:
    circle = circle_of(SM2)
    text = PLAIN["Doc_0/Document.xml"].decode().replace("UTF-8", "UTF-16")
    files = PLAIN | {"Doc_0/Document.xml": text.encode("utf-16")}
    assert word(one(sealed(circle, files=files), circle)) == PASSED
    seal = seal_of(SM2, SealVersion.V4)
    covered = {name: body for name, body in files.items() if name != PAGE}
    left_out = sign(files, 1, by_seal(seal, circle.organisation), seal, covered)
    assert word(one(left_out, circle)) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE not-covered"


def test_files_beside_the_document_are_told_and_decide_nothing() -> None:
    circle = circle_of(SM2)
    report = judged(sealed(circle) | {"notes.txt": b"x"}, circle)
    assert report.verdict == PASSED
    assert [item.detail for item in report.warnings] == ["no signature covers notes.txt"]


def test_an_annotation_that_was_added_under_a_later_seal() -> None:
    circle = circle_of(SM2)
    root = PLAIN["Doc_0/Document.xml"].replace(
        b"</ofd:Document>", b"<ofd:Annotations>Annots/Annotations.xml</ofd:Annotations></ofd:Document>"
    )
    first = sealed(circle, files=PLAIN | {"Doc_0/Document.xml": root})
    assert word(one(first, circle)) == PASSED
    more = first | {"Doc_0/Annots/Annotations.xml": b"<x/>"}
    assert word(one(more, circle)) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE not-covered"
    early, late = judged(sealed(circle, files=more, number=2), circle).signatures
    assert (word(early), word(late)) == (PASSED, PASSED)
    assert [item.detail for item in early.warnings if item.code == "not-covered"] == [
        "this signature is not over Doc_0/Annots/Annotations.xml"
    ]


# -- seals in the wrong place ---------------------------------------------------------------------------


def test_a_seal_taken_from_another_document() -> None:
    circle = circle_of(SM2)
    other = sealed(circle, files=PLAIN | {PAGE: PLAIN[PAGE].replace(b"100", b"900")})
    files = sealed(circle)
    value = "Doc_0/Signs/Sign_1/SignedValue.dat"
    assert word(one(files | {value: other[value]}, circle)) == "TOTAL-FAILED HASH_FAILURE"
    # the whole signature, moved into this package: its digests are those of the other one's page
    whole = files | {name: body for name, body in other.items() if "Sign_1" in name}
    assert word(one(whole, circle)) == "TOTAL-FAILED HASH_FAILURE"


def test_a_seal_shown_that_is_not_the_one_that_was_used() -> None:
    circle = circle_of(SM2)
    seal, other = seal_of(SM2, SealVersion.V4), seal_of(SM2, SealVersion.V4, name="another")
    files = sign(PLAIN, 1, by_seal(seal, circle.organisation), other)
    assert word(one(files, circle)) == "TOTAL-FAILED FORMAT_FAILURE seal-swapped"


@pytest.mark.parametrize("maker", [by_signed_data, ofd.bare])
def test_the_seal_of_another_shown_beside_a_signature_without_one(maker: Callable[[Holder], ofd.Maker]) -> None:
    circle = circle_of(SM2)
    files = sign(PLAIN, 1, maker(circle.person), seal_of(SM2))
    report = one(files, circle, trust=trusting(circle, circle.person.certificate))
    assert (report.kind, word(report)) == ("signature", "INDETERMINATE SIG_CONSTRAINTS_FAILURE seal-not-used")


def test_a_seal_file_that_is_not_there() -> None:
    circle = circle_of(SM2)
    files = sealed(circle)
    del files["Doc_0/Signs/Sign_1/Seal.esl"]
    assert one(files, circle).sub_indication == "SIGNED_DATA_NOT_FOUND"


def test_the_seal_of_another_owner() -> None:
    """The seal lists the organisation; its maker, who has the same authority behind him, signs with it."""
    circle = circle_of(SM2)
    seal = seal_of(SM2, SealVersion.V4)
    own = seal_of(SM2, SealVersion.V4, owners=(circle.person.certificate,))
    value = by_seal(own, circle.person)(b"x", "p")
    # TBS_Sign of the person over a seal that lists him, with the organisation's seal put in its place
    swapped = value.replace(own.der[4:], seal.der[4:])
    files = sealed(circle)
    report = one(files | {"Doc_0/Signs/Sign_1/SignedValue.dat": swapped}, circle)
    assert report.verdict == "TOTAL-FAILED"
    assert {"seal-owner-listed", "seal-signer-value"} <= {c.id for c in report.checks if c.result == "failed"} or (
        report.sub_indication == "FORMAT_FAILURE"
    )


def test_a_signature_moved_to_another_folder_is_told() -> None:
    circle = circle_of(SM2)
    seal = seal_of(SM2, SealVersion.V4)
    files = sign(PLAIN, 1, lambda octets, _: by_seal(seal, circle.organisation)(octets, "elsewhere.xml"), seal)
    report = one(files, circle)
    assert word(report) == PASSED
    assert "ofd-protection-range" in {item.code for item in report.warnings}


def test_a_seal_that_has_expired_since() -> None:
    circle = circle_of(SM2)
    short = seal_of(SM2, SealVersion.V4, valid_to=CLOCK.now() + timedelta(hours=1))
    files = sign(PLAIN, 1, by_seal(short, circle.organisation), short)
    assert word(one(files, circle)) == PASSED
    report = one(files, circle, clock=FixedClock(CLOCK.now() + timedelta(hours=2)))
    assert word(report) == "INDETERMINATE OUT_OF_BOUNDS_NO_POE seal-expired-since"
    assert result(report, "seal-validity-now") == {"failed"}


# -- OFDEntries.xml -------------------------------------------------------------------------------------


def entries(files: Files, holder: Holder, listed: Files | None = None) -> Files:
    names = "".join(f'<ofd:File ID="1" FileLoc="/{name}"/>' for name in (files if listed is None else listed))
    octets = (
        f'{ofd.HEAD}<ofd:DocEntries {ofd.XMLNS} ID="1"><ofd:SignedValueLoc>/signedvalue.dat</ofd:SignedValueLoc>'
        f"<ofd:FileList>{names}</ofd:FileList></ofd:DocEntries>"
    ).encode()
    return files | {"OFDEntries.xml": octets, "signedvalue.dat": by_signed_data(holder)(octets, "")}


@pytest.mark.parametrize("suite", SIGNING)
def test_a_signed_list_of_files(suite: str) -> None:
    """It has names and no digests, so alone it protects no page; with a seal that does, it keeps others out."""
    circle = circle_of(suite)
    alone = entries(UNSIGNED, circle.organisation)
    assert word(one(alone, circle)) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE names-only"
    together = entries(sealed(circle), circle.organisation)
    reports = judged(together, circle).signatures
    assert [word(report) for report in reports] == [PASSED, PASSED], [report.reason for report in reports]
    added = judged(together | {"Doc_0/more.xml": b"<x/>"}, circle).signatures
    assert [word(report) for report in added] == [PASSED, "TOTAL-FAILED FORMAT_FAILURE file-added"]
    changed = together | {"OFDEntries.xml": together["OFDEntries.xml"].replace(b'ID="1"', b'ID="2"')}
    assert word(judged(changed, circle).signatures[1]) == "TOTAL-FAILED HASH_FAILURE"
    missing = {name: body for name, body in together.items() if name != "Doc_0/Res/a.png"}
    assert judged(missing, circle).signatures[1].sub_indication == "SIGNED_DATA_NOT_FOUND"
    without = {name: body for name, body in together.items() if name != "signedvalue.dat"}
    assert word(judged(without, circle).signatures[1]) == "INDETERMINATE FORMAT_FAILURE no-signature-value"


def test_a_list_of_files_does_not_say_that_its_signer_saw_the_contents() -> None:
    """Others could sign other contents under the same names."""
    circle, stranger = circle_of(SM2), circle_of("ecdsa-p256").person
    for holder, expected in ((circle.person, PASSED), (stranger, "INDETERMINATE NO_CERTIFICATE_CHAIN_FOUND")):
        contents, listed = judged(
            entries(sign(PLAIN, 1, by_signed_data(holder)), circle.organisation), circle
        ).signatures
        assert word(contents) == expected
        assert word(listed) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE names-only"


# -- packages that are broken ---------------------------------------------------------------------------

VALUE, FILE = "Doc_0/Signs/Sign_1/SignedValue.dat", "Doc_0/Signs/Sign_1/Signature.xml"
DOCTYPE = b'<!DOCTYPE a [<!ENTITY b "c">]>'


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({VALUE: None}, "INDETERMINATE FORMAT_FAILURE no-signature-value"),
        ({VALUE: b""}, "INDETERMINATE FORMAT_FAILURE no-signature-value"),
        ({VALUE: b"0\x00"}, "TOTAL-FAILED FORMAT_FAILURE seal-malformed"),
        ({VALUE: b"not a value"}, "TOTAL-FAILED FORMAT_FAILURE seal-malformed"),
        ({FILE: None}, "INDETERMINATE SIGNED_DATA_NOT_FOUND"),
        ({FILE: b"<x/>"}, "TOTAL-FAILED FORMAT_FAILURE"),
        ({FILE: b""}, "TOTAL-FAILED FORMAT_FAILURE"),
        ({FILE: b"<a>" * 5000}, "TOTAL-FAILED FORMAT_FAILURE"),
        ({FILE: DOCTYPE + b"<Signature>&b;</Signature>"}, "TOTAL-FAILED FORMAT_FAILURE"),
        ({LIST: None}, "INDETERMINATE FORMAT_FAILURE unreadable-list"),
        ({LIST: DOCTYPE + b"<Signatures/>"}, "INDETERMINATE FORMAT_FAILURE unreadable-list"),
        ({"OFD.xml": DOCTYPE + b"<OFD/>"}, "INDETERMINATE FORMAT_FAILURE unreadable-list"),
        ({"OFD.xml": b"<OFD/>"}, "INDETERMINATE FORMAT_FAILURE unreadable-list"),
        ({PAGE: None}, "INDETERMINATE SIGNED_DATA_NOT_FOUND"),
        ({PAGE: b""}, "TOTAL-FAILED HASH_FAILURE"),
    ],
)
def test_broken_packages(change: dict[str, bytes | None], expected: str) -> None:
    circle = circle_of(SM2)
    files = {name: body for name, body in (sealed(circle) | change).items() if body is not None}
    assert word(one(files, circle)) == expected


@pytest.mark.parametrize("location", ["../../../../etc/passwd", "/../x", "/", "", "a\\..\\b", "a" * 2000, "\x00" * 3])
def test_locations_that_lead_out_of_the_package(location: str) -> None:
    circle = circle_of(SM2)
    files = sealed(circle)
    octets = files[FILE].replace(b"/Doc_0/Signs/Sign_1/SignedValue.dat", location.encode())
    assert word(one(files | {FILE: octets}, circle)) == "TOTAL-FAILED FORMAT_FAILURE"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<ofd:SignedValue>", b"<ofd:SignedValue>a</ofd:SignedValue><ofd:SignedValue>"),
        (b"<ofd:SignedInfo>", b"<x:SignedInfo xmlns:x='y'/><ofd:SignedInfo>"),
        (b'FileRef="/OFD.xml"', b'FileRef="/Doc_0/../OFD.xml"/><ofd:Reference FileRef="/OFD.xml"'),
        (b"<ofd:CheckValue>", b"<ofd:CheckValue>!"),
    ],
)
def test_signature_files_that_two_readers_would_read_differently(old: bytes, new: bytes) -> None:
    circle = circle_of(SM2)
    files = sealed(circle)
    assert old in files[FILE]
    assert word(one(files | {FILE: files[FILE].replace(old, new, 1)}, circle)) == "TOTAL-FAILED FORMAT_FAILURE"


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (b"", "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE_NO_POE"),  # MD5, the default of the schema
        (b"MD5", "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE_NO_POE"),
        (b"SHA1", "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE_NO_POE"),
        (b"1.2.3.4", "INDETERMINATE GENERIC unsupported-algorithm"),
        (b"1.2.156.10197.1.401", PASSED),
        (b"sm3", PASSED),
        (b"2.16.840.1.101.3.4.2.1", PASSED),
        (b"SHA256", PASSED),
    ],
)
def test_the_digest_of_the_references(method: bytes, expected: str) -> None:
    circle = circle_of(SM2)
    seal = seal_of(SM2, SealVersion.V4)
    digest = {b"SHA1": "sha1", b"SHA256": "sha256", b"2.16.840.1.101.3.4.2.1": "sha256"}.get(method, "sm3")
    files = PLAIN | {LIST: ofd.listing([1])}
    octets = ofd.signature_file(1, files, digest, method=method.decode(), seal=False)
    files |= {FILE: octets, VALUE: by_seal(seal, circle.organisation)(octets, FILE)}
    report = one(files, circle)
    if method in (b"", b"MD5"):
        assert report.verdict != PASSED  # nothing here computes MD5, or it is too weak
    else:
        assert word(report) == expected, report.reason


def test_a_name_that_is_there_twice() -> None:
    circle = circle_of(SM2)
    files = sealed(circle)
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = pack([*files.items(), (PAGE, files[PAGE].replace(b"100", b"900"))])
    report = one(twice, circle)
    assert word(report) == "TOTAL-FAILED FORMAT_FAILURE"
    assert "twice" in report.reason


@pytest.mark.parametrize("name", ["../evil.xml", "/etc/passwd", "a\\b", "doc_0/document.xml", "Doc_0/\x01"])
def test_names_that_are_dangerous_to_unpack(name: str) -> None:
    circle = circle_of(SM2)
    assert word(one([*sealed(circle).items(), (name, b"x")], circle)) == "TOTAL-FAILED FORMAT_FAILURE"


def test_a_zip_that_is_two() -> None:
    circle = circle_of(SM2)
    data = pack(sealed(circle))
    assert word(one(data + b"more", circle)) == "TOTAL-FAILED FORMAT_FAILURE"


def test_bombs_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    circle = circle_of(SM2)
    monkeypatch.setattr(asic_zip, "MAX_TOTAL", 100_000)
    bomb = pack(sealed(circle) | {"Doc_0/zeros": bytes(2_000_000)})
    assert word(one(bomb, circle)) == "INDETERMINATE FORMAT_FAILURE limits"
    many = pack([("OFD.xml", PLAIN["OFD.xml"])] + [(f"Doc_0/{n}", b"") for n in range(1001)])
    assert word(one(many, circle)) == "INDETERMINATE FORMAT_FAILURE limits"


def test_a_document_that_leads_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    from signer.verification.kinds import ofd_content

    monkeypatch.setattr(ofd_content, "MAX_LOOKED_THROUGH", 100)
    circle = circle_of(SM2)
    assert word(one(sealed(circle), circle)) == "INDETERMINATE FORMAT_FAILURE limits"


def test_too_many_signatures() -> None:
    circle = circle_of(SM2)
    files = PLAIN | {LIST: ofd.listing(range(201))}
    assert word(one(files, circle)) == "INDETERMINATE FORMAT_FAILURE unreadable-list"


def test_one_signature_file_under_two_entries() -> None:
    circle = circle_of(SM2)
    files = sealed(circle) | {LIST: ofd.listing([1, 1])}
    assert word(one(files, circle)) == "INDETERMINATE FORMAT_FAILURE unreadable-list"


def test_a_package_without_a_signature() -> None:
    report = judged(UNSIGNED, circle_of(SM2))
    assert report.verdict == "NO-SIGNATURE"
    assert {item.code for item in report.warnings} == {"not-covered"}
    with pytest.raises(UnreadableFile):
        judged({"a.txt": b"x"}, circle_of(SM2))


def test_signatures_of_an_asic_container_in_the_same_zip_are_listed_too() -> None:
    circle = circle_of(SM2)
    both = judged(sealed(circle) | {"META-INF/signature.p7s": b"\x30\x00"}, circle)
    assert {report.field: report.verdict for report in both.signatures} == {
        FILE: PASSED,
        "META-INF/signature.p7s": "INDETERMINATE",  # it does not say what it is over
    }


def test_a_certificate_of_nobody_is_no_authority() -> None:
    """The same seal and signature under a root that nobody trusts."""
    circle = circle_of(SM2)
    key = circle.organisation.key
    own = Holder(key, forge("Nobody", key, None, key))
    seal = seal_of(SM2, SealVersion.V4, owners=(own.certificate,))
    report = one(sign(PLAIN, 1, by_seal(seal, own), seal), circle)
    assert report.verdict == "INDETERMINATE"
    assert report.sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"


# -- anything at all ------------------------------------------------------------------------------------


def test_no_change_of_an_octet_passes() -> None:
    """Every 211th octet of the whole package, and of every file in it."""
    circle = circle_of("ecdsa-p256")
    files = fixed()
    began = time.process_time()
    for name, body in files.items():
        for at in range(0, len(body), max(1, len(body) // 12)):
            changed = files | {name: body[:at] + bytes((body[at] ^ 1,)) + body[at + 1 :]}
            report = judged(changed, circle)
            assert report.verdict != PASSED, (name, at)
    assert time.process_time() - began < 60


def test_no_truncation_passes() -> None:
    circle = circle_of("ecdsa-p256")
    data = pack(fixed())
    for end in range(0, len(data), len(data) // 25):
        try:
            report = judged(data[:end], circle)
        except UnreadableFile:
            continue
        assert report.verdict != PASSED


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_package_has_a_verdict(data: st.DataObject) -> None:
    circle = circle_of("ecdsa-p256")
    files = dict(fixed())
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(sorted(files)))
        body = bytearray(files[name])
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
        files[name] = bytes(body)
    try:
        report = judged(files, circle, options=VerifyOptions(seconds=5))
    except SealroadError:
        return
    assert report.verdict != PASSED or files == fixed()


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300))
def test_any_octets_behind_the_head_of_a_zip(tail: bytes) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("OFD.xml", PLAIN["OFD.xml"])
    body = bytearray(out.getvalue())
    at = struct.unpack("<I", body[-6:-2])[0]
    body[at : at + len(tail)] = tail
    try:
        judged(bytes(body), circle_of("ecdsa-p256"))
    except SealroadError:
        return
