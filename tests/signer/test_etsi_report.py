"""The XML of ETSI TS 119 102-2: the standard's URIs, every id once, every reference to something that is there.

`tests/interop/test_etsi_schema.py` holds it against the schema itself.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from certs.certificate import Certificate
from certs.crl import CRL
from certs.timestamp import read_token
from signer.etsi_report import OURS, SUB_INDICATIONS, VR, document
from signer.layers import judge, load_agreement
from signer.report import Notice, Report, Verdict
from signer.verification.draft import Draft
from tests.conftest import SIGNING, circle_of
from tests.signer.test_layers import ONE, agreement
from tests.signer.test_report import SIGNER, report, signature
from tests.signer.test_verify import signed, verify

NS = {"vr": VR, "ds": "http://www.w3.org/2000/09/xmldsig#"}


def read(*reports: Report) -> ET.Element:
    root = ET.fromstring(document(reports))
    ids = [node.get("id") for node in root.iter() if node.get("id") is not None]
    assert len(ids) == len(set(ids))
    for node in root.iter():
        for reference in (node.get("VOReference") or "").split():
            assert reference in ids, reference
    return root


def texts(root: ET.Element, path: str) -> list[str]:
    return [node.text or "" for node in root.findall(path, NS)]


@pytest.mark.parametrize("suite", SIGNING)
def test_a_good_signature(suite: str) -> None:
    circle = circle_of(suite)
    made = verify(signed(suite, timestamp=True), circle)
    root = read(made)
    one = root.find("vr:SignatureValidationReport", NS)
    assert one is not None
    status = "vr:SignatureValidationStatus/vr:"
    assert texts(one, status + "MainIndication") == ["urn:etsi:019102:mainindication:total-passed"]
    assert texts(one, status + "SubIndication") == []
    (value,) = texts(one, "vr:SignatureIdentifier/ds:SignatureValue")
    assert base64.b64decode(value) == made.signatures[0].value
    assert texts(one, "vr:ValidationTimeInfo/vr:BestSignatureTime/vr:POETime") == ["2026-11-21T10:00:00Z"]
    constraints = texts(one, ".//vr:ValidationConstraintIdentifier")
    assert constraints[:-1] == [OURS + check.id for check in made.signatures[0].checks]
    assert constraints[-1] == OURS + "layer:agreed"
    held = {}
    for node in root.iterfind("vr:SignatureValidationObjects/vr:ValidationObject", NS):
        for encoded in texts(node, "vr:ValidationObjectRepresentation/vr:base64"):
            data = base64.b64decode(encoded)
            kind = texts(node, "vr:ObjectType")[0].rpartition(":")[2]
            assert node.get("id") == f"O-{hashlib.sha256(data).hexdigest()}"
            held.setdefault(kind, []).append(data)
    certificates = [Certificate(data) for data in held["certificate"]]
    assert {circle.root, circle.issuing, circle.organisation.certificate, circle.tsa.certificate} == set(certificates)
    assert {CRL(data).issuer for data in held["CRL"]} == {circle.root.subject, circle.issuing.subject}
    assert read_token(held["timestamp"][0]).gen_time == made.signatures[0].timestamps[0].gen_time
    chain = one.find(".//vr:CertificateChain", NS)
    assert chain is not None
    assert [node.tag.rpartition("}")[2] for node in chain] == [
        *("SigningCertificate", "IntermediateCertificate", "TrustAnchor")
    ]


@pytest.mark.parametrize(
    ("more", "main", "sub"),
    [
        ({"verdict": Verdict.TOTAL_FAILED, "sub_indication": "HASH_FAILURE"}, "total-failed", ["HASH_FAILURE"]),
        ({"verdict": Verdict.INDETERMINATE, "sub_indication": "TRY_LATER"}, "indeterminate", ["TRY_LATER"]),
        # a word of ours, for which the standard has no URI
        ({"verdict": Verdict.INDETERMINATE, "sub_indication": "GENERIC", "signer": None}, "indeterminate", []),
    ],
)
def test_other_verdicts(more: dict[str, Any], main: str, sub: list[str]) -> None:
    root = read(report(signature(**more)))
    status = ".//vr:SignatureValidationStatus/vr:"
    assert texts(root, status + "MainIndication") == [f"urn:etsi:019102:mainindication:{main}"]
    assert texts(root, status + "SubIndication") == [f"urn:etsi:019102:subindication:{word}" for word in sub]


def test_several_files_and_one_without_signature() -> None:
    root = read(verify(signed("sm2"), circle_of("sm2")), report(), verify(signed("sm2"), circle_of("sm2")))
    assert [node.get("id") for node in root.findall(".//vr:SignatureIdentifier", NS)] == ["S1-1", "S3-1"]
    assert "NO-SIGNATURE" in texts(root, "vr:SignatureValidationReport/vr:OtherInformation")[0]


def test_the_layers_are_constraints() -> None:
    judged = judge(report(ONE), load_agreement(agreement(party={"suites": ["rsa"]})))
    root = read(judged)
    found = {
        texts(node, "vr:ValidationConstraintIdentifier")[0].removeprefix(OURS): node
        for node in root.findall(".//vr:ValidationConstraint", NS)
    }
    main = "vr:ValidationStatus/vr:MainIndication"
    assert texts(found["layer:agreed"], main) == ["urn:etsi:019102:mainindication:failed"]
    assert texts(found["layer:agreed:suites"], main) == ["urn:etsi:019102:mainindication:failed"]
    assert texts(found["layer:agreed:party"], main) == ["urn:etsi:019102:mainindication:passed"]
    # the verdict itself is the cryptographic one
    assert texts(root, ".//vr:SignatureValidationStatus/vr:MainIndication")[0].endswith("total-passed")


def test_names_that_xml_cannot_hold() -> None:
    evil = "a\x00b\x1b\ud800\ufffe<&>]]>\u202e"
    one = signature(
        field=evil,
        signer=dataclasses.replace(SIGNER, subject=evil),
        reason=evil,
        verdict=Verdict.TOTAL_FAILED,
        stated=(("reason", evil), ("location", evil)),
        warnings=(Notice(evil, evil),),
    )
    root = read(report(one, file=evil))
    assert texts(root, ".//vr:ReasonElement") == ["a\ufffdb\ufffd\ufffd\ufffd<&>]]>\ufffd"]


def test_every_sub_indication_of_ours_is_the_standard_s_or_left_out() -> None:
    draft = Draft(field="")
    draft.unknown("internal", "", "", "GENERIC")
    assert draft.sub_indication not in SUB_INDICATIONS
