"""A closed circle over twelve years: who was valid when, which lists there were, and signatures of every level.

world = World("sm2", Scenario(revoked=SIGNED + 30 * DAY))
world.signature("LTA")                    # a PDF signed at SIGNED
world.trust(SIGNED + 3 * YEAR)            # the anchor, and the lists that were to be had then

2026-11  SIGNED, signature time-stamp by the first unit; an hour later the archive time-stamp over the evidence
2027-01  NOW     the signer's certificate is still valid, unless the scenario says otherwise
2029-11  LATER   it has expired; the first unit and the issuing authority have not
2030-05          renewal: the second unit stamps the document and the evidence about the first
2033-11          renewal: the third unit stamps again
2036-11  TEN     of all certificates only the root's and the third unit's are still valid
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.clock import FixedClock
from certs.crl import CRL, build_crl, encode_entry
from certs.keys.base import KeyHandle
from certs.signed_data import attribute, build_signed_data, parse_signed_data
from certs.trust import TrustStore
from certs.tsa import TimeStampAuthority
from signer.cms import with_time_stamp
from tests.certs.forge import forge
from tests.conftest import NOW as SIGNED
from tests.conftest import keys_of
from tests.signer import rawpdf

DAY, YEAR = timedelta(days=1), timedelta(days=365)
NOW, LATER, TEN = SIGNED + 60 * DAY, SIGNED + 3 * YEAR, SIGNED + 10 * YEAR
ARCHIVED, RENEWED, RENEWED_AGAIN = SIGNED + timedelta(hours=1), SIGNED + 3.5 * YEAR, SIGNED + 7 * YEAR
TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
SIZES = {"ml-dsa-44": 60_000, "ml-dsa-65": 80_000, "ml-dsa-87": 110_000}
LEVELS = ("none", "T", "LTA", "renewed")


@dataclass(frozen=True)
class Scenario:
    """What happens to the signer's certificate."""

    revoked: datetime | None = None
    reason: str = "superseded"
    invalid_since: datetime | None = None
    not_before: datetime = SIGNED - 300 * DAY
    not_after: datetime = SIGNED + 2 * YEAR


class World:
    """One circle in one suite under one scenario."""

    def __init__(self, suite_name: str, scenario: Scenario | None = None, *, root_ends: datetime | None = None) -> None:
        """With `root_ends` the signer has another root than the units, which ends then."""
        self.suite_name, self.scenario = suite_name, scenario or Scenario()
        self.digest = suites.get(suite_name).digest_name
        self.root_key, self.issuing_key, self.signer_key, self.unit_key, _ = keys_of(suite_name)
        self.root = forge(
            "Root", self.root_key, None, self.root_key, ca=True, not_before=SIGNED - 6 * YEAR, not_after=TEN + 9 * YEAR
        )
        self.signers_root = self.root
        if root_ends is not None:
            begins = SIGNED - 6 * YEAR
            self.signers_root = forge(
                "Old Root", self.root_key, None, self.root_key, ca=True, not_before=begins, not_after=root_ends
            )
        self.issuing = forge(
            "Issuing",
            self.issuing_key,
            self.signers_root,
            self.root_key,
            serial=2,
            not_before=SIGNED - 2 * YEAR,
            not_after=SIGNED + 5 * YEAR,
            ca=True,
            path_length=0,
        )
        self.signer = forge(
            "Signer",
            self.signer_key,
            self.issuing,
            self.issuing_key,
            serial=99,
            not_before=self.scenario.not_before,
            not_after=self.scenario.not_after,
        )
        stamping = {"purposes": (oids.TIME_STAMPING,)}
        self.units = (
            self._under_root("Unit 1", self.unit_key, 11, SIGNED - YEAR, SIGNED + 4 * YEAR, **stamping),
            self._under_root("Unit 2", self.unit_key, 12, SIGNED + 3 * YEAR, SIGNED + 8 * YEAR, **stamping),
            self._under_root("Unit 3", self.unit_key, 13, SIGNED + 6 * YEAR, SIGNED + 12 * YEAR, **stamping),
        )

    def _under_root(
        self, name: str, key: KeyHandle, serial: int, begins: datetime, ends: datetime, **more: object
    ) -> Certificate:
        return forge(
            name,
            key,
            self.root,
            self.root_key,
            serial=serial,
            not_before=begins,
            not_after=ends,
            **more,
        )

    # Lists ------------------------------------------------------------------------------------------------------------
    def signers_list(self, at: datetime) -> CRL:
        """The list about the issuing authority, of the signer's root."""
        more = {"number": int(at.timestamp()), "this_update": at, "next_update": at + 7 * DAY}
        return CRL(build_crl(self.signers_root, self.root_key, (), **more))

    def root_list(self, at: datetime, *revoked: tuple[int, datetime, str]) -> CRL:
        return CRL(
            build_crl(
                self.root, self.root_key, revoked, number=int(at.timestamp()), this_update=at, next_update=at + 7 * DAY
            )
        )

    def issuing_list(self, at: datetime) -> CRL:
        """A list as it was at a moment: what has expired by then is no longer on it."""
        entries, case = b"", self.scenario
        if case.revoked is not None and case.revoked <= at <= case.not_after:
            entries = encode_entry(self.signer.serial, case.revoked, case.reason, invalid_since=case.invalid_since)
        return CRL(
            build_crl(
                self.issuing,
                self.issuing_key,
                entries,
                number=int(at.timestamp()),
                this_update=at,
                next_update=at + 7 * DAY,
            )
        )

    def trust(self, at: datetime, *kept: CRL) -> TrustStore:
        """What a verifier has at a moment: the anchor and the lists of that day."""
        made = at - timedelta(hours=2)
        lists = [self.root_list(made)] + ([self.issuing_list(made)] if at <= self.issuing.not_after else [])
        return TrustStore().with_((self.root, self.signers_root), (*lists, *kept))

    # Signatures -------------------------------------------------------------------------------------------------------
    def token(self, unit: int, at: datetime, octets: bytes) -> bytes:
        authority = TimeStampAuthority(self.unit_key, self.units[unit], (), FixedClock(at))
        return authority.stamp(self.digest, suites.digest(self.digest, octets))

    def cms(self, content: bytes, *, stamped: bool, signing_time: datetime | None = None, **more: object) -> bytes:
        encoded = build_signed_data(
            content,
            self.signer_key,
            self.signer,
            chain=(self.issuing,),
            detached=True,
            signing_time=signing_time,
            **more,
        )
        if not stamped:
            return encoded
        return with_time_stamp(encoded, self.token(0, SIGNED, parse_signed_data(encoded).signers[0].signature))

    @property
    def digits(self) -> int:
        return SIZES.get(self.suite_name, 40_000)

    def signature(self, level: str) -> bytes:
        if level == "none":
            return self.plain
        return {"T": self.stamped, "LTA": self.archived, "renewed": self.renewed}[level]

    @cached_property
    def plain(self) -> bytes:
        return rawpdf.sign(lambda content: self.cms(content, stamped=False), digits=self.digits)

    @cached_property
    def stamped(self) -> bytes:
        return rawpdf.sign(lambda content: self.cms(content, stamped=True), digits=self.digits)

    @cached_property
    def archived(self) -> bytes:
        """B-LTA: the lists of ten minutes later, and a document time-stamp."""
        made = SIGNED + timedelta(minutes=10)
        store = [self.issuing_list(made), self.root_list(made), self.signers_list(made)]
        return self.archive(self.stamped, 0, ARCHIVED, store)

    @cached_property
    def renewed(self) -> bytes:
        once = self.archive(self.archived, 1, RENEWED, [self.root_list(RENEWED - timedelta(hours=1))])
        return self.archive(once, 2, RENEWED_AGAIN, [self.root_list(RENEWED_AGAIN - timedelta(hours=1))])

    def cades(self, level: str, content: bytes, **more: object) -> bytes:
        """The same levels for a detached CMS; its lists are in `crls`, its archive time-stamps are of version 3."""
        encoded = self.cms(content, stamped=level != "none", **more)
        if level in ("none", "T"):
            return encoded
        made = SIGNED + timedelta(minutes=10)
        encoded = rebuilt(encoded, crls=[self.issuing_list(made).der, self.root_list(made).der])
        encoded = self.cades_archive(encoded, content, 0, ARCHIVED)
        if level == "renewed":
            for unit, at in ((1, RENEWED), (2, RENEWED_AGAIN)):
                encoded = rebuilt(encoded, crls=[self.root_list(at - timedelta(hours=1)).der])
                encoded = self.cades_archive(encoded, content, unit, at)
        return encoded

    def cades_archive(self, encoded: bytes, content: bytes, unit: int, at: datetime, version: int = 3) -> bytes:
        attribute_ = archive_time_stamp(
            encoded, content, lambda _, octets: self.token(unit, at, octets), self.digest, version=version
        )
        return rebuilt(encoded, unsigned=[attribute_])

    def archive(self, base: bytes, unit: int, at: datetime, lists: list[CRL]) -> bytes:
        """Add lists to the security store and a document time-stamp over everything, in one revision."""
        first = 500 + 20 * len(re.findall(rb"startxref", base))
        known = re.findall(rb"/DSS << /CRLs \[([^\]]*)\]", base)
        numbers = (known[-1] if known else b"") + b"".join(b" %d 0 R" % (first + n) for n in range(len(lists)))
        objects = {f"o{first + n}": rawpdf.stream(crl.der) for n, crl in enumerate(lists)}
        return rawpdf.sign(
            lambda content: self.token(unit, at, content),
            base,
            digits=self.digits,
            subfilter=b"ETSI.RFC3161",
            o1=catalog_with(b"/DSS << /CRLs [%s] >>" % numbers),
            **objects,
        )


def catalog_with(store: bytes) -> bytes:
    """Return the catalog of a raw PDF with a security store."""
    return rawpdf.objects()[1].replace(b"/Pages", store + b" /Pages", 1)


def rebuilt(encoded: bytes, *, crls: Sequence[bytes] = (), unsigned: Sequence[bytes] = ()) -> bytes:
    """Return a CMS of one signer with more lists and more unsigned attributes behind those it has."""
    kind, wrapped = ber.load(encoded)
    *members, signers = wrapped.only()
    present = [item.raw() for member in members if member.tag == 0xA1 for item in member]
    kept = [member.raw() for member in members if member.tag != 0xA1]
    parts = list(next(iter(signers)))
    old = [item.raw() for item in parts[-1]] if parts[-1].tag == 0xA1 else []
    fields = b"".join(part.raw() for part in (parts[:-1] if old else parts))
    more = der.tlv(0xA1, b"".join((*old, *unsigned))) if old or unsigned else b""
    bag = der.tlv(0xA1, b"".join((*present, *crls))) if present or crls else b""
    body = der.sequence(*kept, bag, der.tlv(der.SET, der.sequence(fields, more)))
    return der.sequence(kind.raw(), der.tlv(0xA0, body))


def archive_time_stamp(
    encoded: bytes,
    content: bytes,
    stamp: Callable[[str, bytes], bytes],
    digest: str,
    *,
    version: int = 3,
    index: str = "",
) -> bytes:
    """Return archive-time-stamp-v3 (DER attribute) by EN 319 122-1 5.5.3, over the CMS as it is."""
    view = parse_signed_data(encoded)
    signer = view.signers[0]
    parts = list(ber.load(signer.encoded))
    attributes = list(parts[-1]) if parts[-1].tag == 0xA1 else []
    hashed: list[bytes] = []
    for item in attributes:
        members = item.members()
        oid, values = members.next(), list(members.next(ber.SET))
        hashed += [oid.raw() + value.raw() for value in values] if version == 3 else [item.raw()]
    inside = index or digest
    lists = (view.certificate_choices, view.crls, hashed)
    written = der.sequence(
        suites.digest_algorithm(inside).der(),
        *(der.sequence(*(der.octet_string(suites.digest(inside, item)) for item in items)) for items in lists),
    )
    fields = b"".join(part.raw() for part in (parts[:-1] if attributes else parts))
    octets = der.oid(view.content_type) + suites.digest(digest, content) + fields + written
    token = stamp(digest, octets)
    oid = "0.4.0.19122.1.5" if version == 3 else "0.4.0.1733.2.5"
    return attribute("0.4.0.1733.2.4", rebuilt(token, unsigned=[attribute(oid, written)]))
