"""Deltas, partitions, indirect lists and ordered time-stamps, judged by openssl and Bouncy Castle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from certs import extensions, suites
from certs.certificate import Certificate
from certs.crl import CRL, DistributionScope, build_crl, encode_entry
from certs.ledger import MemoryLedger
from certs.status import ListPolicy
from certs.timestamp import make_request
from certs.tsa import TimeStampAuthority
from certs.tsa_counter import FileCounter
from tests.certs.forge import forge
from tests.certs.test_status import PARTY, Scene, scene
from tests.conftest import ALL_SUITES, NOW, circle_of, keys_of
from tests.interop.papers import CONTENT, EPOCH, MOMENT
from tests.interop.programs import BOUNCY_CASTLE, Docket, Opinion, Program, jars

pytestmark = pytest.mark.interop

OPENSSL = tuple(name for name in ALL_SUITES if name != "sm2" and not name.startswith("ml-dsa"))
"""OpenSSL 3.0 has no ML-DSA, and its `verify` no way to give the SM2 identifier to a list."""
STAMPS = tuple(name for name in OPENSSL if not name.startswith("ed") and name != "rsa-pss")
KNOWN = tuple(name for name in ALL_SUITES if not name.startswith("ml-dsa"))
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Files:
    """Everything as files: DER, and PEM with the further suffix .pem."""

    directory: Path

    def __call__(self, *names: str) -> list[Path]:
        return [self.directory / name for name in names]


def _write(directory: Path, name: str, item: Certificate | bytes) -> None:
    encoded, pem = (item.der, item.pem) if isinstance(item, Certificate) else (item, CRL(item).pem)
    (directory / name).write_bytes(encoded)
    (directory / f"{name}.pem").write_text(pem)


@cache
def files_of(suite: str, desk: Path) -> Files:
    """Write the story of four people: never touched, held and released, revoked after the base, held after it."""
    directory = desk / f"status-{suite}"
    directory.mkdir()
    for partitions in (1, 4):
        it = scene(suite, ListPolicy(partitions=partitions, delta_life=timedelta(days=1)), MemoryLedger())
        place = directory / str(partitions)
        place.mkdir()
        spki = keys_of(suite)[2].public_key.spki
        wanted = it.partition if partitions > 1 else None
        people = {"good": it.person}
        while len(people) < 4:  # all in one partition
            made = it.ca.issue("person", PARTY, spki)
            if partitions == 1 or it.lists.partition_of(made.serial) == wanted:
                people[("released", "revoked", "held")[len(people) - 1]] = made
        it.ca.hold(people["released"].serial)
        it.clock.moment = NOW - 2 * timedelta(minutes=1)
        base = it.ca.issuing.crl(partition=wanted, any_clock=True)
        it.clock.moment = NOW - timedelta(minutes=1)
        it.ca.release(people["released"].serial)
        it.ca.issuing.revoke(people["revoked"].serial, "keyCompromise", invalid_since=NOW - HOUR)
        it.ca.hold(people["held"].serial)
        delta = it.ca.issuing.crl(partition=wanted, delta=True)
        full = it.ca.issuing.crl(partition=wanted)
        for name, item in {
            **people,
            "root": it.ca.root,
            "issuing": it.ca.issuing.certificate,
            "base.crl": base,
            "delta.crl": delta,
            "full.crl": full,
            "root.crl": it.ca.root_crl(),
        }.items():
            _write(place, name, item)
        if partitions > 1:
            _write(place, "other.crl", it.ca.issuing.crl(partition=((wanted or 0) + 1) % 4))
        else:
            _write_indirect(place, it)
    return Files(directory)


def _write_indirect(place: Path, it: Scene) -> None:
    """Two people whose certificates name another authority, certified by the root, as the issuer of their list."""
    key, lister_key = keys_of(it.ca.suite_name)[2:4]
    root, issuing = it.ca.root_authority, it.ca.issuing
    lister = forge("Status service", lister_key, it.ca.root, root.key, usage=["crl_sign"], serial=55)
    address = "http://other.example/all.crl"
    points = extensions.crl_distribution_points([address], crl_issuer=lister.subject_name.der)
    for serial, name in ((77, "indirect-good"), (78, "indirect-revoked")):
        _write(place, name, forge(name, key, issuing.certificate, issuing.key, more=[points], serial=serial))
    scope = DistributionScope(names=(extensions.uri(address),), indirect=True)
    issuer = issuing.certificate.subject_name
    entries = encode_entry(77, NOW - HOUR, "superseded") + encode_entry(
        78, NOW - HOUR, "superseded", certificate_issuer=issuer
    )
    times = {"this_update": NOW - HOUR, "next_update": NOW + HOUR}
    _write(place, "lister", lister)
    _write(place, "indirect.crl", build_crl(lister, lister_key, entries, number=9, scope=scope, **times))  # type: ignore[arg-type]


# openssl --------------------------------------------------------------------------------------------------------------
@pytest.fixture
def tool(suite: str, request: pytest.FixtureRequest) -> Program:
    return request.getfixturevalue("gost_openssl" if suite.startswith("gost") else "openssl")


def _verify(tool: Program, place: Path, leaf: str, *lists: str, check: str = "-crl_check"):  # type: ignore[no-untyped-def]
    bundle = place / f"{'+'.join(lists)}.bundle"
    bundle.write_text("".join((place / f"{name}.pem").read_text() for name in lists))
    links = place / "links.pem"
    names = [name for name in ("issuing", "lister") if (place / name).exists()]
    links.write_text("".join((place / f"{name}.pem").read_text() for name in names))
    trust = ("-CAfile", place / "root.pem", "-untrusted", links, "-attime", EPOCH)
    options = (check, "-use_deltas", "-extended_crl", "-CRLfile", bundle)
    return tool.run("verify", *trust, *options, place / f"{leaf}.pem")


@pytest.mark.parametrize("partitions", ["1", "4"])
@pytest.mark.parametrize("suite", OPENSSL)
def test_openssl_joins_base_and_delta(suite: str, partitions: str, tool: Program, desk: Path) -> None:
    (place,) = files_of(suite, desk)(partitions)
    for lists in (("base.crl", "delta.crl"), ("full.crl",)):
        for leaf in ("good", "released"):
            _verify(tool, place, leaf, *lists).check("OK")
        for leaf in ("revoked", "held"):
            _verify(tool, place, leaf, *lists).refused("certificate revoked")
    _verify(tool, place, "released", "base.crl").refused("certificate revoked")
    _verify(tool, place, "revoked", "base.crl").check("OK")
    _verify(tool, place, "good", "full.crl", "root.crl", check="-crl_check_all").check("OK")
    if partitions == "4":
        _verify(tool, place, "good", "other.crl").refused("different CRL scope")


@pytest.mark.parametrize("suite", OPENSSL)
def test_openssl_reads_and_verifies_every_list(suite: str, tool: Program, desk: Path) -> None:
    for place in files_of(suite, desk)("1", "4"):
        for name in ("base.crl", "delta.crl", "full.crl"):
            text = tool.run(
                "crl", "-noout", "-text", "-CAfile", place / "issuing.pem", "-in", place / f"{name}.pem"
            ).check("verify OK")
            assert ("Delta CRL Indicator: critical" in text.text) == (name == "delta.crl")
            assert ("Freshest CRL" in text.text) == (name != "delta.crl")
            assert "Invalidity Date" in text.text or name == "base.crl"
            assert ("Remove From CRL" in text.text) == (name == "delta.crl")


@pytest.mark.parametrize("suite", OPENSSL)
def test_openssl_follows_our_indirect_list(suite: str, tool: Program, desk: Path) -> None:
    (place,) = files_of(suite, desk)("1")
    _verify(tool, place, "indirect-good", "indirect.crl").check("OK")
    _verify(tool, place, "indirect-revoked", "indirect.crl").refused("certificate revoked")


@pytest.mark.parametrize("suite", STAMPS)
def test_openssl_verifies_ordered_time_stamps(suite: str, tool: Program, desk: Path, tmp_path: Path) -> None:
    circle = circle_of(suite)
    unit = TimeStampAuthority(
        circle.tsa.key,
        circle.tsa.certificate,
        circle.chain[:1],
        circle.ca.issuing._clock,
        counter=FileCounter(tmp_path / "c"),
        ordering=True,
        accuracy=timedelta(seconds=1, milliseconds=20, microseconds=3),
    )
    digest = suites.get(suite).stamp_digest_name
    (tmp_path / "content").write_bytes(CONTENT)
    for name in ("root", "issuing"):
        (tmp_path / f"{name}.pem").write_text(getattr(circle, name).pem)
    trust = ("-CAfile", tmp_path / "root.pem", "-untrusted", tmp_path / "issuing.pem", "-attime", EPOCH)
    for number in range(2):
        request = make_request(digest, suites.digest(digest, CONTENT))
        (tmp_path / "q").write_bytes(request)
        (tmp_path / "r").write_bytes(unit.respond(request))
        tool.run("ts", "-verify", "-in", tmp_path / "r", "-queryfile", tmp_path / "q", *trust).check("Verification: OK")
        tool.run("ts", "-verify", "-in", tmp_path / "r", "-data", tmp_path / "content", *trust).check("OK")
        text = tool.run("ts", "-reply", "-in", tmp_path / "r", "-text").check().text
        assert "Ordering: yes" in text
        assert "0x01 seconds, 0x14 millis, 0x03 micros" in text
        assert ("10:00:00 2026" in text) == (number == 0)  # the second one is a microsecond later


# Bouncy Castle --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def opinions(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Opinion]:
    jars(BOUNCY_CASTLE)
    docket = Docket(tmp_path_factory.mktemp("docket"))
    for suite in KNOWN:
        for partitions in ("1", "4"):
            (place,) = files_of(suite, desk)(partitions)
            common = {"anchor": place / "root", "link": place / "issuing", "at": MOMENT, "deltas": "yes"}
            for leaf in ("good", "released", "revoked", "held"):
                for label, lists in (("joined", ("base.crl", "delta.crl")), ("full", ("full.crl",))):
                    crls = [place / name for name in (*lists, "root.crl")]
                    docket.add(f"{suite} {partitions} {label} {leaf}", "chain", leaf=place / leaf, crl=crls, **common)
        (place,) = files_of(suite, desk)("1")
        common = {"anchor": place / "root", "link": [place / "issuing", place / "lister"], "at": MOMENT}
        for leaf in ("indirect-good", "indirect-revoked"):
            crls = [place / "indirect.crl", place / "root.crl"]
            docket.add(f"{suite} {leaf}", "chain", leaf=place / leaf, crl=crls, **common)
    return docket.judge()


@pytest.mark.parametrize("partitions", ["1", "4"])
@pytest.mark.parametrize("label", ["joined", "full"])
@pytest.mark.parametrize("suite", KNOWN)
def test_bouncy_castle_joins_base_and_delta(
    suite: str, label: str, partitions: str, opinions: dict[str, Opinion]
) -> None:
    answers = {
        leaf: opinions[f"{suite} {partitions} {label} {leaf}"] for leaf in ("good", "released", "revoked", "held")
    }
    assert answers["good"].good, answers["good"]
    assert answers["released"].good, answers["released"]
    assert "keyCompromise" in answers["revoked"].detail
    assert "certificateHold" in answers["held"].detail


@pytest.mark.parametrize("suite", KNOWN)
def test_bouncy_castle_follows_our_indirect_list(suite: str, opinions: dict[str, Opinion]) -> None:
    assert opinions[f"{suite} indirect-good"].good, opinions[f"{suite} indirect-good"]
    # the same list and the same links; it goes on to look for other lists and names only that in its answer
    assert not opinions[f"{suite} indirect-revoked"].good
