"""Large honest files: 100 pages with 60 signatures, and 200 MB with one, within the limits.

The clock is given more than the default, for a machine that is busy with other tests; the processor is not.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest

from signer.forked import Limits
from signer.pdf import second_reading
from signer.report import Report
from signer.sandbox import SECONDS, Sandbox
from signer.verification.setting import VerifyOptions
from tests.conftest import CLOCK, NOW, circle_of
from tests.signer import rawpdf
from tests.signer.signing import many_pages, sign

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second parser has a clock of its own."""
    monkeypatch.setattr(second_reading._child, "_seconds", 10 * second_reading.SECONDS)


def loaded() -> int:
    """Return the address space that the tests before this one have taken, octets."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def verified(data: bytes, suite: str) -> tuple[Report, float, int]:
    """Return the report, seconds of processor, and the most megabytes that were in use."""
    circle = circle_of(suite)
    sandbox = Sandbox(
        trust=circle.trust,
        clock=CLOCK,
        at=NOW,
        options=VerifyOptions("if-present"),
        limits=Limits(10 * SECONDS, loaded() + (1 << 30)),
    )
    begun = time.monotonic()
    pending = sandbox.start(data, name="large.pdf")
    report = pending.result()
    usage = pending.fork.usage
    assert usage is not None
    processor = usage.ru_utime + usage.ru_stime
    print(
        f"\n{suite}: {len(report.signatures)} signatures, {len(data) / 2**20:.1f} MB: "
        f"{time.monotonic() - begun:.2f} s, {processor:.2f} s of processor, {usage.ru_maxrss >> 10} MB"
    )
    return report, processor, usage.ru_maxrss >> 10


@pytest.mark.parametrize("suite", [pytest.param("ecdsa-p256", marks=pytest.mark.long), "sm2"])
def test_a_hundred_pages_with_sixty_signatures(suite: str) -> None:
    data = many_pages(100)
    for number in range(1, 61):
        data = sign(data, suite)
        if number in (20, 60):
            report, processor, _ = verified(data, suite)
            assert len(report.signatures) == number
            assert {s.verdict for s in report.signatures} == {"TOTAL-PASSED"}
            assert [s.changes_after.level for s in report.signatures if s.changes_after] == (
                ["form-filling"] * (number - 1) + ["none"]
            )
            assert processor < SECONDS


@pytest.mark.parametrize(
    "suite",
    [pytest.param("ecdsa-p256", marks=pytest.mark.long), pytest.param("sm2", marks=pytest.mark.long), "gost2012-256"],
)
def test_two_hundred_megabytes_with_one_signature(suite: str) -> None:
    from tests.signer.test_verify import cms

    body = rawpdf.stream(b"x" * (200 << 20))
    data = rawpdf.sign(cms(circle_of(suite)), o4=body)
    report, processor, memory = verified(data, suite)
    assert (report.verdict, report.signatures[0].reason) == ("TOTAL-PASSED", "")
    assert processor < SECONDS
    assert memory < 900 + (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10), "of which the tests' own count"
