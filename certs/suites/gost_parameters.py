"""The parameter sets of GOST R 34.10-2012: which OID is which curve (RFC 4357 11.4, RFC 7836 A, R 1323565.1.024-2019).

Three pairs and a triple of OIDs name the same curve: 256-B = CryptoPro-A = XchA, 256-C = CryptoPro-B,
256-D = CryptoPro-C = XchB. 256-A and 512-C have a twisted Edwards form and cofactor 4. The test curves are not here:
they must not be accepted (RFC 9215 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass

from certs import der, oids
from certs.suites.base import AlgorithmID

_Point = tuple[int, int] | None
"""A point, or the neutral one."""


@dataclass(frozen=True)
class Curve:
    """y² = x³ + ax + b over p; points of order q, p-sized coordinates of `size` octets."""

    size: int
    p: int
    a: int
    b: int
    q: int
    cofactor: int = 1

    def holds(self, x: int, y: int) -> bool:
        """Tell whether (x, y) is a point of the curve."""
        in_range = 0 <= x < self.p and 0 <= y < self.p
        return in_range and (y * y - (x * x + self.a) * x - self.b) % self.p == 0

    def prime_order(self, x: int, y: int) -> bool:
        """Tell whether q times a point of the curve is the neutral one: slow, for libraries that do not ask."""
        start: _Point = (x, y)
        end: _Point = None
        for bit in f"{self.q:b}":
            end = self._add(end, end)
            if bit == "1":
                end = self._add(end, start)
        return end is None

    def _add(self, one: _Point, other: _Point) -> _Point:
        if one is None or other is None:
            return one or other
        (x1, y1), (x2, y2) = one, other
        if x1 == x2:
            if (y1 + y2) % self.p == 0:
                return None
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p


@dataclass(frozen=True)
class ParameterSet:
    """One OID for a curve."""

    name: str
    oid: str
    curve: Curve
    digest_named: bool
    """Whether we write digestParamSet beside it: required for the CryptoPro OIDs, forbidden for 256-B, C, D, and what
    engine and state authorities write for 512-A and B (RFC 9215 4.3)."""

    def key_algorithm(self) -> AlgorithmID:
        """Return the AlgorithmIdentifier of a key of this set (RFC 9215 4.3)."""
        long = self.curve.size == 64
        digest = der.oid(oids.STREEBOG512 if long else oids.STREEBOG256) if self.digest_named else b""
        return AlgorithmID(oids.GOST2012_512 if long else oids.GOST2012_256, der.sequence(der.oid(self.oid), digest))


_P256 = 2**256 - 617
_A = Curve(32, _P256, _P256 - 3, 0xA6, 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF6C611070995AD10045841B09B761B893)
_B = Curve(
    32,
    2**255 + 3225,
    2**255 + 3222,
    0x3E1AF419A269A5F866A7D3C25C3DF80AE979259373FF2B182F49D4CE7E1BBC8B,
    0x800000000000000000000000000000015F700CFFF1A624E5E497161BCC8A198F,
)
_C = Curve(
    32,
    0x9B9F605F5A858107AB1EC85E6B41C8AACF846E86789051D37998F7B9022D759B,
    0x9B9F605F5A858107AB1EC85E6B41C8AACF846E86789051D37998F7B9022D7598,
    0x805A,
    0x9B9F605F5A858107AB1EC85E6B41C8AA582CA3511EDDFB74F02F3A6598980BB9,
)
_256_A = Curve(
    32,
    _P256,
    0xC2173F1513981673AF4892C23035A27CE25E2013BF95AA33B22C656F277E7335,
    0x295F9BAE7428ED9CCC20E7C359A9D41A22FCCD9108E17BF7BA9337A6F8AE9513,
    0x400000000000000000000000000000000FD8CDDFC87B6635C115AF556C360C67,
    4,
)
_P512 = 2**512 - 569
_512_A = Curve(
    64,
    _P512,
    _P512 - 3,
    0xE8C2505DEDFC86DDC1BD0B2B6667F1DA34B82574761CB0E879BD081CFD0B6265EE3CB090F30D27614CB4574010DA90DD862EF9D4EBEE4761503190785A71C760,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275,
)
_512_B = Curve(
    64,
    2**511 + 111,
    2**511 + 108,
    0x687D1B459DC841457E3E06CF6F5E2517B97C7D614AF138BCBF85DC806C4B289F3E965D2DB1416D217F8B276FAD1AB69C50F78BEE1FA3106EFB8CCBC7C5140116,
    0x800000000000000000000000000000000000000000000000000000000000000149A1EC142565A545ACFDB77BD9D40CFA8B996712101BEA0EC6346C54374F25BD,
)
_512_C = Curve(
    64,
    _P512,
    0xDC9203E514A721875485A529D2C722FB187BC8980EB866644DE41C68E143064546E861C0E2C9EDD92ADE71F46FCF50FF2AD97F951FDA9F2A2EB6546F39689BD3,
    0xB4C4EE28CEBC6C2C8AC12952CF37F16AC7EFB6A9F69F4B57FFDA2E4F0DE5ADE038CBC2FFF719D2C18DE0284B8BFEF3B52B8CC7A5F5BF0A3C8D2319A5312557E1,
    0x3FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC98CDBA46506AB004C33A9FF5147502CC8EDA9E7A769A12694623CEF47F023ED,
    4,
)

SETS: tuple[ParameterSet, ...] = (
    ParameterSet("CryptoPro-A", oids.CRYPTOPRO_A, _A, digest_named=True),
    ParameterSet("TC26-256-B", oids.TC26_256_B, _A, digest_named=False),
    ParameterSet("XchA", oids.CRYPTOPRO_XCHA, _A, digest_named=True),
    ParameterSet("TC26-256-A", oids.TC26_256_A, _256_A, digest_named=False),
    ParameterSet("TC26-256-C", oids.TC26_256_C, _B, digest_named=False),
    ParameterSet("CryptoPro-B", oids.CRYPTOPRO_B, _B, digest_named=True),
    ParameterSet("TC26-256-D", oids.TC26_256_D, _C, digest_named=False),
    ParameterSet("CryptoPro-C", oids.CRYPTOPRO_C, _C, digest_named=True),
    ParameterSet("XchB", oids.CRYPTOPRO_XCHB, _C, digest_named=True),
    ParameterSet("TC26-512-A", oids.TC26_512_A, _512_A, digest_named=True),
    ParameterSet("TC26-512-B", oids.TC26_512_B, _512_B, digest_named=True),
    ParameterSet("TC26-512-C", oids.TC26_512_C, _512_C, digest_named=False),
)
"""The first of each length is what we issue by default: the curve of nearly every Russian certificate, known to all."""
BY_OID = {item.oid: item for item in SETS}
BY_NAME = {item.name: item for item in SETS}
