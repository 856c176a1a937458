"""What many signatures of one file cover is hashed about once."""

from __future__ import annotations

from itertools import pairwise

import pytest

from certs import suites
from certs.errors import UnsupportedAlgorithm
from signer.pdf import ranges
from signer.pdf.ranges import Hashed, Ranges
from tests.certs.suites.libraries import installed
from tests.certs.suites.test_digests import every_digest

DATA = bytes(range(256)) * 40
RANGES = [
    (0, 100, 120, 30),
    (0, 300, 300, 0),
    (0, 150, 200, 800),
    (0, 0, 50, 10),
    (0, 9000, 9100, 1140),
    (0, 100, 105, 5),
]


@every_digest
def test_the_digest_is_that_of_the_content(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "gost94":  # GnuTLS does not compute it
        installed("gost_engine")
    monkeypatch.setattr(ranges, "PIECE", 64)
    hashed = Hashed(DATA)
    for each in RANGES:
        one = Ranges(hashed, each)
        assert one.content() == DATA[: each[1]] + DATA[each[2] : each[2] + each[3]]
        assert one.digest(name) == one.digest(name) == suites.digest(name, one.content())


def test_a_file_is_hashed_once_for_all_its_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = 0
    feed = ranges.feed

    def counting(running: object, data: bytes, start: int, end: int) -> None:
        nonlocal fed
        fed += end - start
        feed(running, data, start, end)

    monkeypatch.setattr(ranges, "feed", counting)
    data = bytes(100_000)
    hashed = Hashed(data)
    ends = range(50_000, 100_001, 500)
    for revision, end in pairwise(ends):
        Ranges(hashed, (0, revision + 100, revision + 200, end - revision - 200)).digest("sm3")
    assert fed < 2 * len(data)


def test_an_unknown_digest_is_said_each_time() -> None:
    one = Ranges(Hashed(DATA), (0, 10, 20, 30))
    for _ in range(2):
        with pytest.raises(UnsupportedAlgorithm):
            one.digest("md6")
