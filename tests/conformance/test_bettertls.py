"""BetterTLS against our validator: 81 cases of finding a path, 9491 of name constraints.

`make test-all` brings the file with `tools/conformance_data.py`; SEALROAD_BETTERTLS may name another one, written by
`bettertls export-tests`. Judged at the moment the file was made, as its certificates are made with it. Every case must
go right, those too for which the suite itself would only warn.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest

from certs.certificate import Certificate
from certs.path import validate_path
from certs.trust import TrustStore
from tests.conformance.data import data_file, names_host

FILE = data_file("SEALROAD_BETTERTLS", "bettertls.json")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(FILE is None, reason="no bettertls.json: run tools/conformance_data.py"),
]

NUMBERS = {"pathbuilding": 81, "nameconstraints": 9491}


@dataclass(frozen=True)
class Case:
    label: str
    chain: tuple[Certificate, ...]
    host: str
    accept: bool


@cache
def content() -> dict[str, Any]:
    assert FILE is not None, "run tools/conformance_data.py"
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def anchor() -> Certificate:
    return Certificate(base64.b64decode(content()["trustRoot"]))


def moment() -> datetime:
    """Return a moment at which what should be valid is: half of the first certificate's time is over."""
    return anchor().not_before + (anchor().not_after - anchor().not_before) / 2


def cases(suite: str) -> Iterator[Case]:
    for case in content()["suites"][suite]["testCases"]:
        label = f"{suite} {case['id']} {case['requiredFeatures']}"
        chain = tuple(Certificate(base64.b64decode(item)) for item in case["certificates"])
        yield Case(label, chain, case["hostname"], case["expected"] == "ACCEPT")


@pytest.mark.parametrize("suite", NUMBERS)
def test_bettertls(suite: str) -> None:
    root, at = anchor(), moment()
    store = TrustStore(anchors=(root,))
    tally: Counter[bool] = Counter()
    wrong = []
    for case in cases(suite):
        result = validate_path(case.chain[0], case.chain[1:], store, at, purpose="tls-server", revocation="if-present")
        accepted = result.passed and names_host(case.chain[0], case.host)
        tally[accepted is case.accept] += 1
        if accepted is not case.accept:
            wrong.append(f"{case.label}: {accepted}, {result.sub_indication}: {result.detail}")
    assert not wrong, "\n".join(wrong[:50])
    assert tally[True] == NUMBERS[suite]


def test_the_moment_is_one_at_which_expired_certificates_are() -> None:
    expired = [
        certificate
        for case in cases("pathbuilding")
        for certificate in case.chain
        if certificate.not_after < certificate.not_before + timedelta(days=2)
    ]
    assert expired
    assert all(certificate.not_after < moment() for certificate in expired)
