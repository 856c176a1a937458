"""C2SP x509-limbo against our validator: SEALROAD_LIMBO names the file `limbo.json`, made from a checkout of the suite.

Run with `strict`, for what a signature of a contract needs: the cases about TLS host names and the rules of the web's
authorities are skipped by class. `ANOMALIES` is frozen: an id leaves it when our answer becomes right, none may enter.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from certs.certificate import load_certificate
from certs.crl import load_crls
from certs.errors import CertsError
from certs.path import Limits, PathResult, validate_path
from certs.trust import TrustStore

pytestmark = pytest.mark.slow

SECONDS = 2.0
HOST_NAME = "the host name is for the TLS client to check; a signer has none"
WEB = "a rule of the CA/Browser Forum for servers of the web"

SKIPPED = {
    "webpki::cn::": HOST_NAME,
    "webpki::san::": HOST_NAME,
    "rfc5280::ca-as-leaf-wrong-san": HOST_NAME,
    "webpki::aki::root-with-aki-": WEB,
    "webpki::eku::": WEB,
    "webpki::ca-as-leaf": WEB,
    "webpki::ee-basicconstraints-ca": WEB,
    "webpki::forbidden-rsa-not-divisible-by-8-in-root": WEB,
    "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf": WEB,
    "webpki::nc::permitted-dns-match-noncritical": "contradicts rfc5280::nc::permitted-dns-match-noncritical",
}
"""Beginning of the id to the reason."""

ANOMALIES = {
    "pathlen::max-chain-depth-1-self-issued": "refused: our budget counts every certificate, self-issued ones too",
    "rfc5280::aki::cross-signed-root-missing-aki": "accepted: an anchor needs no key identifier of its issuer, and"
    " cve::cve-2024-0567 wants it accepted",
}
"""Cases where our answer differs from the suite's: id to our answer and why."""


@cache
def cases() -> dict[str, dict[str, Any]]:
    name = os.environ.get("SEALROAD_LIMBO")
    if not name:
        return {}
    return {case["id"]: case for case in json.loads(Path(name).read_text(encoding="utf-8"))["testcases"]}


def judge(case: dict[str, Any]) -> PathResult | CertsError:
    """Return our answer, or why something could not even be read."""
    depth = case["max_chain_depth"]
    moment = case["validation_time"]
    try:
        anchors = tuple(load_certificate(text.encode()) for text in case["trusted_certs"])
        leaf = load_certificate(case["peer_certificate"].encode())
    except CertsError as error:
        return error
    pool = []
    for text in case["untrusted_intermediates"]:
        try:
            pool.append(load_certificate(text.encode()))
        except CertsError:  # of no use to anybody
            continue
    lists = [crl for text in case["crls"] for crl in load_crls(text.encode())]
    return validate_path(
        leaf,
        pool,
        TrustStore(anchors=anchors),
        datetime.fromisoformat(moment) if moment else datetime.now(UTC),
        purpose="tls-server" if case["validation_kind"] == "SERVER" else "tls-client",
        crls=lists,
        revocation="require" if lists else "if-present",
        strict=True,
        limits=Limits() if depth is None else Limits(depth=depth + 2),
    )


@pytest.mark.skipif(not os.environ.get("SEALROAD_LIMBO"), reason="SEALROAD_LIMBO names no limbo.json")
@pytest.mark.parametrize("name", cases())
def test_limbo(name: str) -> None:
    reason = next((reason for prefix, reason in SKIPPED.items() if name.startswith(prefix)), None)
    if reason:
        pytest.skip(reason)
    case = cases()[name]
    began = time.monotonic()
    result = judge(case)
    assert time.monotonic() - began < SECONDS
    passed = isinstance(result, PathResult) and result.passed
    right = passed is (case["expected_result"] == "SUCCESS")
    if name in ANOMALIES:
        assert not right, f"{name} goes right: take it out of ANOMALIES"
        pytest.skip(ANOMALIES[name])
    assert right, str(result) if isinstance(result, CertsError) else f"{result.sub_indication}: {result.detail}"
