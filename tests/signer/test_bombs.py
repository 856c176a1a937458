"""Every file made to take time or memory ends within the limits, with a verdict or a clear error, and never a pass."""

from __future__ import annotations

import time

import pytest

from certs.trust import TrustStore
from signer.errors import SignerError, UnreadableFile
from signer.forked import Limits
from signer.sandbox import Sandbox
from tests.conftest import CLOCK, circle_of
from tests.signer.bombs import BOMBS

pytestmark = pytest.mark.slow

LIMITS = Limits(seconds=20, memory=1 << 30)


LONG = {"a_container_with_fifty_files_of_ninety_megabytes", "hundred_thousand_pages", "object_stream_of_two_gigabytes"}


@pytest.mark.parametrize("name", [n if n not in LONG else pytest.param(n, marks=pytest.mark.long) for n in BOMBS])
def test_a_bomb_ends_within_the_limits(name: str) -> None:
    data = BOMBS[name]()
    sandbox = Sandbox(trust=circle_of("ecdsa-p256").trust, clock=CLOCK, limits=LIMITS)
    begun = time.monotonic()
    pending = sandbox.start(data, name=name)
    try:
        report = pending.result()
        said = f"{report.verdict} {sorted({s.code or str(s.sub_indication) for s in report.signatures})}"
        assert report.verdict in ("TOTAL-FAILED", "INDETERMINATE")
        assert "internal" not in said
        assert "crashed" not in said
    except SignerError as error:
        said = f"{type(error).__name__}: {error.message}"
    taken = time.monotonic() - begun
    usage = pending.fork.usage
    assert usage is not None
    processor = usage.ru_utime + usage.ru_stime
    print(
        f"\n{name:60} {len(data) / 2**20:7.2f} MB {taken:6.2f} s, {processor:5.2f} s of processor, "
        f"{usage.ru_maxrss >> 10:5} MB  {said}"
    )
    assert taken < LIMITS.seconds + 20


def test_an_empty_file_is_no_bomb() -> None:
    with pytest.raises(UnreadableFile):
        Sandbox(trust=TrustStore(), clock=CLOCK).verify(b"", name="empty")
