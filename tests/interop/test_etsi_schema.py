"""Our validation reports against the XML schema of ETSI TS 119 102-2 V1.4.1.

SEALROAD_ETSI_XSD names a directory that holds the schema and those it imports (XML Signature, XAdES, trusted lists,
XML's own), under any names: each is found by its target namespace. They are not ours to copy here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from signer.etsi_report import VR, document
from signer.layers import judge, load_agreement, load_policy
from signer.report import Verdict
from tests.conftest import circle_of
from tests.signer.test_layers import ONE, agreement, policy
from tests.signer.test_report import report, signature
from tests.signer.test_report_schema import FULL
from tests.signer.test_verify import signed, verify

pytestmark = pytest.mark.interop

_TARGET = re.compile(rb'targetNamespace="([^"]+)"')
_IMPORT = re.compile(rb'<(\w+:)?import namespace="([^"]+)"[^>]*/>')


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from lxml import etree

    place = os.environ.get("SEALROAD_ETSI_XSD")
    if not place:
        pytest.skip("SEALROAD_ETSI_XSD names no directory with the schema of TS 119 102-2")
    directory = tmp_path_factory.mktemp("xsd")
    files: dict[bytes, bytes] = {}
    for file in sorted(Path(place).glob("*.xsd")):
        data = file.read_bytes()
        target = _TARGET.search(data)
        if target is not None:
            files.setdefault(target[1], data)
    names = {namespace: f"{number}.xsd".encode() for number, namespace in enumerate(files)}

    def local(found: re.Match[bytes]) -> bytes:
        where = b' schemaLocation="%s"' % names[found[2]] if found[2] in names else b""
        return b'<%simport namespace="%s"%s/>' % (found[1] or b"", found[2], where)

    for namespace, data in files.items():
        (directory / names[namespace].decode()).write_bytes(_IMPORT.sub(local, data))
    return etree.XMLSchema(etree.parse(str(directory / names[VR.encode()].decode())))


def validate(schema: Any, xml: bytes) -> None:
    from lxml import etree

    tree = etree.fromstring(xml)
    assert schema.validate(tree), [f"{error.line}: {error.message}" for error in schema.error_log][:10]


@pytest.mark.parametrize("suite", ["sm2", "gost2012-256", "ecdsa-p256", "ml-dsa-65"])
def test_real_signatures(schema: Any, suite: str) -> None:
    circle = circle_of(suite)
    good = signed(suite, timestamp=True)
    reports = [
        verify(good, circle),
        verify(good, None),
        verify(good.replace(b"pay 100", b"pay 900"), circle),
        verify(signed(suite), circle),
    ]
    for one in reports:
        validate(schema, document([one]))
    validate(schema, document(reports))


def test_everything_a_report_can_hold(schema: Any) -> None:
    validate(schema, document([FULL]))
    validate(schema, document([report()]))
    judged = judge(report(ONE), load_agreement(agreement(party={"level": "B-LT"})), [load_policy(policy())])
    validate(schema, document([judged]))
    bare = signature(
        verdict=Verdict.INDETERMINATE, signer=None, signed_at=None, subfilter=None, signature_algorithm=None, checks=()
    )
    validate(schema, document([report(bare)]))


def test_the_schema_judges(schema: Any) -> None:
    xml = document([report(signature())])
    with pytest.raises(AssertionError):
        validate(schema, xml.replace(b"MainIndication", b"OtherIndication"))
