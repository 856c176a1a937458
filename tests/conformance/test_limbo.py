"""C2SP x509-limbo against our validator: SEALROAD_LIMBO names the file `limbo.json`, made from a checkout of the suite.

Where it names none, the file is looked for in the folder `x509-limbo` of the corpus. Run with `strict`; `REMARKS` pins
what is accepted without it. A host name is looked for by the test itself: a signer has none. The rules of the web's
authorities are skipped by class. `ANOMALIES` is frozen: an id leaves it when our answer becomes right, none may enter.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from certs.certificate import load_certificate
from certs.crl import load_crls
from certs.errors import CertsError
from certs.path import Limits, PathResult, validate_path
from certs.trust import TrustStore
from tests.conformance.data import data_file, names_host

pytestmark = pytest.mark.slow

SECONDS = 20.0
WEB = "a rule of the CA/Browser Forum for servers of the web"

SKIPPED = {
    "webpki::cn::": WEB,
    "webpki::san::public-suffix-": WEB,
    "webpki::san::san-critical-with-nonempty-subject": WEB,
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


REMARKS = {
    "crl::crlnumber-missing",
    "rfc5280::aki::leaf-missing-aki",
    "rfc5280::aki::intermediate-missing-aki",
    "rfc5280::nc::permitted-dns-match-noncritical",
    "rfc5280::pc::ica-noncritical-pc",
    "rfc5280::ski::root-missing-ski",
    "rfc5280::root-missing-basic-constraints",
    "rfc5280::root-non-critical-basic-constraints",
    "rfc5280::root-inconsistent-ca-extensions",
    "rfc5280::leaf-ku-keycertsign",
}
"""Core cases that must be refused and are accepted without `strict`, because chains in use need it: frozen as well."""


FILE = data_file("SEALROAD_LIMBO", "limbo.json", corpus="x509-limbo")


@cache
def cases() -> dict[str, dict[str, Any]]:
    if FILE is None:
        return {}
    return {case["id"]: case for case in json.loads(FILE.read_text(encoding="utf-8"))["testcases"]}


def judge(case: dict[str, Any], *, strict: bool = True) -> PathResult | str:
    """Return our answer, or why it is no even without a path."""
    depth = case["max_chain_depth"]
    moment = case["validation_time"]
    try:
        anchors = tuple(load_certificate(text.encode()) for text in case["trusted_certs"])
        leaf = load_certificate(case["peer_certificate"].encode())
    except CertsError as error:
        return str(error)
    server, peer = case["validation_kind"] == "SERVER", case["expected_peer_name"]
    if server and peer and not names_host(leaf, peer["value"]):
        return f"{peer['value']} is another host"
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
        purpose="tls-server" if server else "tls-client",
        crls=lists,
        revocation="require" if lists else "if-present",
        strict=strict,
        limits=Limits() if depth is None else Limits(depth=depth + 2),
    )


@pytest.mark.skipif(FILE is None, reason="no limbo.json: neither SEALROAD_LIMBO nor the corpus has it")
@pytest.mark.parametrize("name", cases())
def test_limbo(name: str) -> None:
    reason = next((reason for prefix, reason in SKIPPED.items() if name.startswith(prefix)), None)
    if reason:
        pytest.skip(reason)
    case = cases()[name]
    began = time.process_time()
    result = judge(case)
    assert time.process_time() - began < SECONDS
    passed = isinstance(result, PathResult) and result.passed
    right = passed is (case["expected_result"] == "SUCCESS")
    if name in ANOMALIES:
        assert not right, f"{name} goes right: take it out of ANOMALIES"
        pytest.skip(ANOMALIES[name])
    assert right, result if isinstance(result, str) else f"{result.sub_indication}: {result.detail}"


@pytest.mark.skipif(FILE is None, reason="no limbo.json: neither SEALROAD_LIMBO nor the corpus has it")
def test_the_core_has_no_wrong_answer() -> None:
    """143 cases: neither of the web, nor pedantic, nor with a limit of the depth; those skipped above included."""
    cases_of_the_core = core()
    assert len(cases_of_the_core) == 143
    assert wrong(cases_of_the_core, strict=True) == set()


@pytest.mark.skipif(FILE is None, reason="no limbo.json: neither SEALROAD_LIMBO nor the corpus has it")
def test_what_of_the_core_is_accepted_without_strict_and_should_not_be() -> None:
    assert wrong(core(), strict=False) == REMARKS


def core() -> dict[str, dict[str, Any]]:
    return {
        name: case
        for name, case in cases().items()
        if not name.startswith("webpki::")
        and "max-chain-depth" not in case["features"]
        and not any("pedantic" in feature for feature in case["features"])
    }


def wrong(some: dict[str, dict[str, Any]], *, strict: bool) -> set[str]:
    found = {name: judge(case, strict=strict) for name, case in some.items()}
    return {
        name
        for name, result in found.items()
        if (isinstance(result, PathResult) and result.passed) is not (some[name]["expected_result"] == "SUCCESS")
    }
