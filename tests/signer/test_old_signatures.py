"""A contract signed with DSA is judged: right or forged, and whether anything proves that it is old enough."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from certs import suites
from certs.certificate import Certificate
from certs.clock import FixedClock
from certs.signed_data import assemble, signed_attributes
from certs.suites.base import Suite
from certs.trust import TrustStore
from certs.tsa import TimeStampAuthority
from signer.report import SignatureReport, Verdict
from signer.verify import VerifyOptions, verify_bytes
from tests.certs.forge import forge
from tests.certs.old_keys import SUITE, OldKey
from tests.conftest import CLOCK, keys_of
from tests.signer import rawpdf
from tests.signer.test_verify import add_token

TIMES = {"not_before": datetime(2009, 1, 1, tzinfo=UTC), "not_after": datetime(2040, 1, 1, tzinfo=UTC)}
ROOT, STAMPER, *_ = keys_of("ecdsa-p256")
ANCHOR = forge("Root", ROOT, None, ROOT, ca=True, **TIMES)
TSA = forge("Stamps", STAMPER, ANCHOR, ROOT, usage=("digital_signature",), purposes=("1.3.6.1.5.5.7.3.8",), **TIMES)
THEN = datetime(2012, 6, 1, tzinfo=UTC)


def cms(key: Any, stamped: datetime | None = None) -> Callable[[bytes], bytes]:
    return made(SUITE, key, forge("Signer", key, ANCHOR, ROOT, **TIMES), stamped)


def made(
    suite: Suite, key: Any, certificate: Certificate, stamped: datetime | None, *chain: Certificate
) -> Callable[[bytes], bytes]:
    def make(content: bytes) -> bytes:
        attributes = signed_attributes(suite, certificate, suites.digest("sha256", content))
        encoded = assemble(suite, certificate, attributes, key.sign(attributes), chain=(*chain, ANCHOR))
        if stamped is None:
            return encoded
        circle: Any = SimpleNamespace(suite_name="ecdsa-p256", timestamper=stamps(stamped))
        return add_token(encoded, circle)

    return make


def stamps(at: datetime) -> TimeStampAuthority:
    return TimeStampAuthority(STAMPER, TSA, (ANCHOR,), FixedClock(at))


def judge(data: bytes) -> SignatureReport:
    options = VerifyOptions(revocation="if-present")
    report = verify_bytes(data, name="c", trust=TrustStore(anchors=(ANCHOR,)), clock=CLOCK, options=options)
    return report.signatures[0]


def verdict(one: SignatureReport) -> tuple[Verdict, str | None, str]:
    return one.verdict, one.sub_indication, one.cryptographic.result


@pytest.mark.parametrize(
    ("size", "stamped", "expected", "sub_indication"),
    [
        (2048, None, Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE"),
        (2048, THEN, Verdict.TOTAL_PASSED, None),
        (2048, datetime(2024, 2, 2, tzinfo=UTC), Verdict.TOTAL_PASSED, None),
        (2048, datetime(2024, 2, 3, tzinfo=UTC), Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE"),
        (1024, THEN, Verdict.TOTAL_PASSED, None),
        (1024, datetime(2015, 1, 1, tzinfo=UTC), Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE"),
    ],
)
def test_a_proof_of_time_decides(
    size: int, stamped: datetime | None, expected: Verdict, sub_indication: str | None
) -> None:
    data = rawpdf.sign(cms(OldKey(size), stamped))
    one = judge(data)
    assert verdict(one) == (expected, sub_indication, "passed"), one.reason
    assert one.suite == "dsa"
    assert "old-algorithm" in {warning.code for warning in one.warnings}
    broken = judge(data.replace(b"pay 100", b"pay 900"))
    assert verdict(broken) == (Verdict.TOTAL_FAILED, "HASH_FAILURE", "failed")


def test_the_word_of_an_authority_ends_with_its_key() -> None:
    """5.6.2.4.4 step 1: whoever breaks its key makes an authority of 2012 today, so that has to be proven older."""
    old = OldKey()
    authority = forge("Old Authority", old, ANCHOR, ROOT, ca=True, **TIMES)
    signer: Any = keys_of("ecdsa-p256")[2]
    middle = forge("Middle", STAMPER, authority, old, ca=True, **TIMES)
    certificate = forge("Signer", signer, middle, STAMPER, **TIMES)
    data = rawpdf.sign(made(signer.suite, signer, certificate, THEN, middle, authority))
    one = judge(data)
    assert verdict(one) == (Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE", "passed"), one.reason
    for at, expected in ((THEN, Verdict.TOTAL_PASSED), (datetime(2025, 1, 1, tzinfo=UTC), Verdict.INDETERMINATE)):

        def stamp(content: bytes, at: datetime = at) -> bytes:
            return stamps(at).stamp("sha256", suites.digest("sha256", content))

        one = judge(rawpdf.sign(stamp, data, subfilter=b"ETSI.RFC3161"))  # over certificate and all
        assert one.verdict is expected, one.reason


def test_a_value_of_another_key_is_forged() -> None:
    key, other = OldKey(), OldKey()
    key.sign = other.sign
    assert verdict(judge(rawpdf.sign(cms(key, THEN)))) == (Verdict.TOTAL_FAILED, "SIG_CRYPTO_FAILURE", "failed")


def test_a_key_without_parameters_of_its_own_is_not_forged() -> None:
    """Only a path validation knows what its issuer hands down; here the issuer has none."""
    one = judge(rawpdf.sign(cms(OldKey(bare=True), THEN)))
    assert verdict(one) == (Verdict.INDETERMINATE, "GENERIC", "not-checked")
    assert one.code == "unsupported-algorithm"
    assert "dsa-sha256" in one.reason
