"""Until when an algorithm or key size is good enough, one table each.

    digest_good_until("sha1")              # 2012-08-01; None where no end is known
    digest_is_good("sha1", at=moment)
    rsa_good_until(1024), dsa_good_until(2048, 256), curve_good_until("ecdsa-p224")

ETSI TS 119 312 V1.5.1 and its predecessors (TS 102 176-1); for DSA the ends that NIST set (SP 800-131A 3, FIPS 186-5);
for GOST R 34.10-2001 with GOST R 34.11-94 the end that the FSB set for making signatures, the last day of 2019. An end
means: what is proven to be older keeps its worth (EN 319 102-1 5.6.2.4). Ends that lie in the future are not in the
table: whoever verifies in 2035 has a newer one.
"""

from __future__ import annotations

from datetime import UTC, datetime

DIGESTS = {
    "md2": datetime(2004, 8, 1, tzinfo=UTC),
    "md5": datetime(2004, 8, 1, tzinfo=UTC),
    "sha1": datetime(2012, 8, 1, tzinfo=UTC),
    "gost94": datetime(2020, 1, 1, tzinfo=UTC),
}
"""Digest to the moment from which nothing new may rest on it."""
CURVES = {"ecdsa-p224": datetime(2021, 10, 1, tzinfo=UTC)}
MIN_RSA_BITS = 2048
_RSA_UNDER_1024 = datetime(2010, 8, 1, tzinfo=UTC)
_RSA_UNDER_2048 = datetime(2019, 10, 1, tzinfo=UTC)
_DSA_SMALL = datetime(2014, 1, 1, tzinfo=UTC)
_DSA = datetime(2024, 2, 3, tzinfo=UTC)
"""FIPS 186-5 withdraws DSA for new signatures; FIPS 186-4 went a year after it."""
NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""The end of what was never good enough."""


def digest_good_until(name: str) -> datetime | None:
    """Return when a digest ceased to be good enough, or None."""
    return DIGESTS.get(name)


def digest_is_good(name: str, at: datetime) -> bool:
    """Tell whether a signature made at that moment could rest on the digest."""
    end = DIGESTS.get(name)
    return end is None or at < end


def rsa_good_until(bits: int) -> datetime | None:
    """Return when RSA with a modulus of so many bits ceased to be good enough, or None."""
    if bits >= MIN_RSA_BITS:
        return None
    if bits >= 1024:
        return _RSA_UNDER_2048
    return _RSA_UNDER_1024 if bits >= 786 else NEVER


def dsa_good_until(p_bits: int, q_bits: int) -> datetime:
    """Return when DSA of these sizes ceased to be good enough."""
    return _DSA if p_bits >= 2048 and q_bits >= 224 else _DSA_SMALL


def curve_good_until(suite_name: str) -> datetime | None:
    """Return when a suite's curve ceased to be good enough, or None."""
    return CURVES.get(suite_name)
