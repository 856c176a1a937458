"""The lists of an authority: partitions, deltas, hold and release, promises kept, numbers that only grow."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from certs import extensions, oids, profiles
from certs.ca import Authority, ClosedCircle
from certs.certificate import Certificate, Subject
from certs.crl import CRL, DistributionScope, build_crl, encode_entry
from certs.errors import (
    AlreadyRevoked,
    ClockRefused,
    IssuanceError,
    NotOnHold,
    NotOnRecord,
    ProfileError,
    RevocationRefused,
)
from certs.ledger import Entry, Ledger, MemoryLedger, SQLiteLedger
from certs.path import validate_path
from certs.status import ListName, ListPolicy
from certs.trust import TrustStore
from tests.conftest import CRL_URL, NOW, keys_of

DAY = timedelta(days=1)
POLICY = ListPolicy(life=7 * DAY, delta_life=DAY, partitions=4)
PARTY = Subject("Party", country="DE")


@dataclass
class Moving:
    """A clock that tests set."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class Scene:
    clock: Moving
    ca: ClosedCircle
    person: Certificate

    @property
    def lists(self):  # type: ignore[no-untyped-def]
        return self.ca.issuing.lists

    @property
    def partition(self) -> int:
        return self.lists.partition_of(self.person.serial)

    def judge(self, *encoded: bytes) -> str:
        """Return PASSED, or why not, with exactly these lists of the issuing authority."""
        store = TrustStore().with_((self.ca.root,), [CRL(self.ca.root_crl()), *map(CRL, encoded)])
        result = validate_path(self.person, self.ca.chain, store, self.clock.moment)
        return result.sub_indication or result.indication


def scene(suite: str, policy: ListPolicy = POLICY, ledger: Ledger | None = None) -> Scene:
    root, issuing, person, *_ = keys_of(suite)
    clock = Moving()
    ca = ClosedCircle.create(
        suite,
        organisation="Nord",
        country="DE",
        clock=clock,
        ledger=ledger or MemoryLedger(),
        crl_url=CRL_URL,
        root_key=root,
        issuing_key=issuing,
        lists=policy,
    )
    return Scene(clock, ca, ca.issue("person", PARTY, person.public_key.spki))


# Partitions -----------------------------------------------------------------------------------------------------------
def test_a_certificate_names_its_partition_and_only_that_list_speaks_of_it(signing_suite: str) -> None:
    it = scene(signing_suite)
    own = it.ca.issuing.crl(partition=it.partition)
    address = f"http://pki.example/pki/crl/{it.ca.issuing.id}-{it.partition}.crl"
    assert it.person.crl_urls == (address,)
    assert it.person.freshest_points[0].uris == (address.replace(".crl", "-delta.crl"),)
    assert CRL(own).freshest_points == it.person.freshest_points
    assert CRL(own).extension(oids.ISSUING_DISTRIBUTION_POINT).critical  # type: ignore[union-attr]
    assert it.judge(own) == "PASSED"
    others = [it.ca.issuing.crl(partition=number) for number in range(4) if number != it.partition]
    assert it.judge(*others) == "TRY_LATER"  # wrong scope proves nothing
    assert it.judge(it.ca.issuing.crl()) == "PASSED"  # the list of everything
    it.ca.revoke(it.person.serial, "keyCompromise")
    assert it.judge(it.ca.issuing.crl(partition=it.partition)) == "REVOKED_NO_POE"
    assert it.person.serial not in CRL(it.ca.issuing.crl(partition=(it.partition + 1) % 4)).entries
    assert it.person.serial in CRL(it.ca.issuing.crl()).entries


def test_the_number_of_partitions_is_fixed(tmp_path: Path) -> None:
    ledger = SQLiteLedger(tmp_path / "l")
    it = scene("ed25519", ledger=ledger)
    for other in (ListPolicy(), ListPolicy(partitions=8)):
        with pytest.raises(IssuanceError):
            Authority(it.ca.issuing.key, it.ca.issuing.certificate, ledger=ledger, clock=it.clock, lists=other)
    for partition in (4, -1):
        with pytest.raises(IssuanceError):
            it.ca.issuing.crl(partition=partition)
    for values in ({"partitions": 0}, {"partitions": 10**6}, {"overlap": 8 * DAY}, {"life": timedelta(0)}):
        with pytest.raises(IssuanceError):
            ListPolicy(**values)  # type: ignore[arg-type]


def test_lists_say_whom_they_cover_and_the_authority_keeps_to_it() -> None:
    it = scene("ed25519", ListPolicy(only_users=True))
    assert CRL(it.ca.issuing.crl()).scope == DistributionScope(only_users=True)
    assert it.judge(it.ca.issuing.crl()) == "PASSED"
    with pytest.raises(ProfileError):
        it.ca.issuing.prepare(profiles.load("issuing"), PARTY, it.person.spki)
    with pytest.raises(ProfileError):
        scene("ed25519", ListPolicy(only_authorities=True))
    wrong = build_crl(
        it.ca.issuing.certificate,
        it.ca.issuing.key,
        b"",
        number=9,
        this_update=NOW,
        next_update=NOW + DAY,
        scope=DistributionScope(only_authorities=True),
    )
    assert it.judge(wrong) == "TRY_LATER"


# Deltas ---------------------------------------------------------------------------------------------------------------
def test_base_and_delta_together_know_what_came_after_the_base(signing_suite: str) -> None:
    it = scene(signing_suite)
    part = it.partition
    base = it.ca.issuing.crl(partition=part)
    it.clock.moment += timedelta(hours=1)
    it.ca.revoke(it.person.serial, "superseded")
    delta = it.ca.issuing.crl(partition=part, delta=True)
    assert CRL(delta).base_number == CRL(base).number
    assert CRL(delta).number == CRL(base).number + 1  # type: ignore[operator]
    assert CRL(delta).freshest_points == ()
    assert it.judge(base) == "PASSED"
    assert it.judge(delta) == "TRY_LATER"  # says nothing alone
    assert it.judge(base, delta) == it.judge(delta, base) == "REVOKED_NO_POE"
    full = it.ca.issuing.crl()
    assert it.judge(full, delta) == "REVOKED_NO_POE"
    elsewhere = it.ca.issuing.crl(partition=(part + 1) % 4, delta=True)
    assert it.judge(base, elsewhere) == "PASSED"  # a delta of another scope does not fit


def test_hold_and_release_through_deltas(signing_suite: str) -> None:
    it = scene(signing_suite)
    part = it.partition
    it.ca.hold(it.person.serial)
    held = it.ca.issuing.crl(partition=part)
    assert CRL(held).entries[it.person.serial].reason == "certificateHold"
    assert it.judge(held) == "TRY_LATER"
    it.clock.moment += timedelta(hours=1)
    it.ca.release(it.person.serial)
    delta = it.ca.issuing.crl(partition=part, delta=True)
    assert CRL(delta).entries[it.person.serial].reason == "removeFromCRL"
    assert it.judge(held, delta) == "PASSED"
    free = it.ca.issuing.crl(partition=part)
    assert it.person.serial not in CRL(free).entries
    assert it.judge(free) == it.judge(held, free) == "PASSED"
    it.clock.moment += timedelta(hours=1)
    it.ca.hold(it.person.serial)
    it.clock.moment += timedelta(hours=1)
    it.ca.revoke(it.person.serial, "keyCompromise", invalid_since=NOW)
    entry = CRL(it.ca.issuing.crl(partition=part, delta=True)).entries[it.person.serial]
    assert (entry.reason, entry.at, entry.invalid_since) == ("keyCompromise", NOW + timedelta(hours=2), NOW)


def test_a_delta_serves_everybody_who_holds_a_current_list() -> None:
    it = scene("ecdsa-p256")
    part = it.partition
    bases = [it.ca.issuing.crl(partition=part)]
    for _ in range(3):
        it.clock.moment += DAY
        bases.append(it.ca.issuing.crl(partition=part))
    it.ca.revoke(it.person.serial, "superseded")
    delta = it.ca.issuing.crl(partition=part, delta=True)
    assert {it.judge(base, delta) for base in bases} == {"REVOKED_NO_POE"}
    it.clock.moment += 5 * DAY
    assert CRL(it.ca.issuing.crl(partition=part, delta=True)).base_number == CRL(bases[1]).number


def test_a_delta_that_does_not_fit_is_left_out() -> None:
    it = scene("ecdsa-p256", ListPolicy(delta_life=DAY))
    key, issuer = it.ca.issuing.key, it.ca.issuing.certificate
    entry = encode_entry(it.person.serial, NOW, "superseded")
    times = {"this_update": NOW, "next_update": NOW + DAY}
    base = build_crl(issuer, key, b"", number=5, **times)  # type: ignore[arg-type]

    def delta(number: int, base_number: int, **change: object) -> bytes:
        return build_crl(issuer, key, entry, number=number, base_number=base_number, **{**times, **change})  # type: ignore[arg-type]

    assert it.judge(base, delta(6, 5)) == it.judge(base, delta(6, 4)) == it.judge(base, delta(5, 5)) == "REVOKED_NO_POE"
    assert it.judge(base, delta(7, 6)) == "PASSED"  # starts after the base
    assert it.judge(base, delta(4, 3)) == "PASSED"  # older than the base
    assert it.judge(base, delta(6, 5, scope=DistributionScope(only_users=True))) == "PASSED"
    assert it.judge(base, delta(6, 5, this_update=NOW - 2 * DAY, next_update=NOW - DAY)) == "PASSED"
    forged = build_crl(it.ca.root, it.ca.root_authority.key, entry, number=6, base_number=5, **times)  # type: ignore[arg-type]
    assert it.judge(base, forged) == "PASSED"
    old = build_crl(issuer, key, b"", number=5, this_update=NOW - 9 * DAY, next_update=NOW - DAY)
    assert it.judge(old) == "TRY_LATER"
    assert it.judge(old, delta(6, 5)) == "REVOKED_NO_POE"  # the current delta makes it current (RFC 5280 5.2.4)


def test_without_deltas_there_is_none() -> None:
    it = scene("ed25519", ListPolicy())
    assert it.person.freshest_points == ()
    with pytest.raises(IssuanceError):
        it.ca.issuing.crl(delta=True)


# Reasons and indirect lists -------------------------------------------------------------------------------------------
def _list(it: Scene, revoked: bytes = b"", *, signer: str = "issuing", **options: object) -> bytes:
    by = it.ca.issuing if signer == "issuing" else it.ca.root_authority
    values = {"number": 50, "this_update": NOW, "next_update": NOW + DAY, **options}
    return build_crl(by.certificate, by.key, revoked, **values)  # type: ignore[arg-type]


def test_lists_of_some_reasons_answer_only_together(signing_suite: str) -> None:
    it = scene(signing_suite, ListPolicy())
    some = _list(it, scope=DistributionScope(reasons=frozenset({1, 2})))
    rest = _list(it, scope=DistributionScope(reasons=frozenset(range(3, 9))))
    assert it.judge(some) == it.judge(rest) == "TRY_LATER"
    assert it.judge(some, rest) == "PASSED"
    entry = encode_entry(it.person.serial, NOW, "keyCompromise")
    listed = _list(it, entry, scope=DistributionScope(reasons=frozenset({1, 2})))
    assert it.judge(listed) == it.judge(listed, rest) == "REVOKED_NO_POE"


def _indirect_person(it: Scene, crl_issuer: bytes) -> Certificate:
    from tests.certs.forge import forge

    points = extensions.crl_distribution_points(["http://other.example/all.crl"], crl_issuer=crl_issuer)
    key = keys_of(it.ca.suite_name)[2]
    return forge("Indirect", key, it.ca.issuing.certificate, it.ca.issuing.key, more=[points], serial=77)


def test_an_indirect_list_counts_where_the_certificate_names_its_issuer(signing_suite: str) -> None:
    it = scene(signing_suite, ListPolicy())
    it.person = _indirect_person(it, it.ca.root.subject_name.der)
    issuer = it.ca.issuing.certificate.subject_name
    scope = DistributionScope(names=(extensions.uri("http://other.example/all.crl"),), indirect=True)
    mine = encode_entry(77, NOW, "superseded", certificate_issuer=issuer)
    assert it.judge(_list(it, signer="root", scope=scope)) == "PASSED"
    assert it.judge(_list(it, mine, signer="root", scope=scope)) == "REVOKED_NO_POE"
    # the name stands for the entries after it, until the next
    sticky = encode_entry(5, NOW, "superseded", certificate_issuer=issuer) + encode_entry(77, NOW, "superseded")
    assert it.judge(_list(it, sticky, signer="root", scope=scope)) == "REVOKED_NO_POE"
    # 77 of the list's own issuer is another certificate
    assert it.judge(_list(it, encode_entry(77, NOW, "superseded"), signer="root", scope=scope)) == "PASSED"
    # not marked indirect, or of another point: proves nothing
    assert it.judge(_list(it, signer="root")) == "TRY_LATER"
    elsewhere = DistributionScope(names=(extensions.uri("http://other.example/b.crl"),), indirect=True)
    assert it.judge(_list(it, signer="root", scope=elsewhere)) == "TRY_LATER"


def test_an_indirect_list_of_somebody_the_certificate_does_not_name_proves_nothing() -> None:
    it = scene("ecdsa-p256", ListPolicy())
    assert it.judge(_list(it, signer="root", scope=DistributionScope(indirect=True))) == "TRY_LATER"
    stranger = scene("ecdsa-p384", ListPolicy())
    it.person = _indirect_person(it, stranger.ca.root.subject_name.der)
    foreign = _list(stranger, signer="root", scope=DistributionScope(indirect=True))
    assert it.judge(foreign) == "TRY_LATER"  # its signer has no chain to our anchor


def test_a_list_under_another_key_of_the_same_authority_counts() -> None:
    from tests.certs.forge import forge

    it = scene("ecdsa-p256", ListPolicy())
    key = keys_of("ecdsa-p256")[4]
    name = it.ca.issuing.certificate.subject_name
    subject = Subject("Nord Issuing CA ECDSA-P256", "Nord", "DE")
    signer = forge(subject, key, it.ca.root, it.ca.root_authority.key, usage=["crl_sign"])
    assert signer.subject_name.key == name.key
    listed = build_crl(
        signer, key, encode_entry(it.person.serial, NOW, "superseded"), number=1, this_update=NOW, next_update=NOW + DAY
    )
    store = TrustStore().with_((it.ca.root,), [CRL(it.ca.root_crl()), CRL(listed)])
    result = validate_path(it.person, (*it.ca.chain, signer), store, NOW)
    assert result.sub_indication == "REVOKED_NO_POE"
    assert validate_path(it.person, it.ca.chain, store, NOW).sub_indication == "TRY_LATER"


# Promises -------------------------------------------------------------------------------------------------------------
def test_lists_overlap_and_none_is_handed_out_after_its_promise() -> None:
    it = scene("ed25519", ListPolicy(life=7 * DAY, overlap=2 * DAY))
    first = it.lists.current()
    assert it.lists.current() == first
    it.clock.moment += 5 * DAY - timedelta(seconds=1)
    assert it.lists.current() == first
    assert it.lists.due(it.clock.moment) == []
    assert it.lists.due_at(ListName()) == NOW + 5 * DAY
    it.clock.moment += timedelta(seconds=1)
    assert it.lists.due(it.clock.moment) == [ListName()]
    second = it.lists.current()
    assert CRL(second).number == CRL(first).number + 1  # type: ignore[operator]
    assert it.judge(first) == it.judge(second) == "PASSED"


def test_a_change_makes_a_new_list_at_once_and_only_where_it_belongs() -> None:
    it = scene("ed25519")
    before = {name: it.lists.current(name) for name in it.lists.names()}
    assert len(before) == 10
    it.clock.moment += timedelta(seconds=1)
    it.ca.revoke(it.person.serial)
    changed = {name for name in it.lists.names() if it.lists.current(name) != before[name]}
    assert {(name.partition, name.kind) for name in changed} == {
        (part, kind) for part in (None, it.partition) for kind in ("base", "delta")
    }


def test_expired_certificates_stay_listed_and_the_list_says_so() -> None:
    it = scene("ed25519", ListPolicy())
    it.ca.revoke(it.person.serial)
    crl = CRL(it.ca.issuing.crl())
    assert crl.expired_since == it.ca.issuing.certificate.not_before
    it.clock.moment = it.person.not_after + DAY
    later = it.ca.issuing.crl()
    assert it.person.serial in CRL(later).entries
    store = TrustStore().with_((it.ca.root,), [CRL(it.ca.root_crl()), CRL(later)])
    assert validate_path(it.person, it.ca.chain, store, NOW).sub_indication == "REVOKED_NO_POE"
    assert CRL(scene("ed25519", ListPolicy(keep_expired=False)).ca.crl()).expired_since is None


def test_the_clock_goes_back() -> None:
    it = scene("ed25519", ListPolicy())
    first = CRL(it.ca.crl())
    it.clock.moment -= timedelta(minutes=4)
    second = CRL(it.ca.crl())
    assert (second.this_update, second.number) == (first.this_update, 2)
    it.clock.moment = NOW - DAY
    with pytest.raises(ClockRefused):
        it.ca.crl()
    assert CRL(it.ca.issuing.crl(any_clock=True)).number == 3
    it.clock.moment = NOW + 300 * DAY  # ahead by mistake …
    assert CRL(it.ca.crl()).number == 4
    it.clock.moment = NOW + DAY  # … and right again
    with pytest.raises(ClockRefused):
        it.ca.crl()
    assert CRL(it.ca.issuing.crl(any_clock=True)).number == 5


# Transitions ----------------------------------------------------------------------------------------------------------
@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    return MemoryLedger() if request.param == "memory" else SQLiteLedger(tmp_path / "ledger.sqlite")


def _issued(ledger: Ledger) -> None:
    ledger.prepare(Entry("aa", 7, "person", "CN=x", b"tbs", NOW, NOW))
    ledger.claim("aa", 7)
    ledger.issued("aa", 7, b"certificate")


def test_every_transition_that_is_not_allowed_has_its_code(ledger: Ledger) -> None:
    for action in (ledger.hold, ledger.release):
        with pytest.raises(NotOnRecord):
            action("aa", 7, NOW)
    with pytest.raises(NotOnRecord):
        ledger.revoke("aa", 7, NOW, "superseded")
    _issued(ledger)
    with pytest.raises(NotOnHold):
        ledger.release("aa", 7, NOW)
    for reason in ("removeFromCRL", "because", ""):
        with pytest.raises(RevocationRefused):
            ledger.revoke("aa", 7, NOW, reason)
    with pytest.raises(RevocationRefused):
        ledger.hold("aa", 7, NOW, until=NOW)
    assert ledger.hold("aa", 7, NOW).held
    for again in (lambda: ledger.hold("aa", 7, NOW), lambda: ledger.revoke("aa", 7, NOW, "certificateHold")):
        with pytest.raises(AlreadyRevoked):
            again()
    assert ledger.release("aa", 7, NOW).state == "issued"
    assert ledger.revoked("aa") == ()
    ledger.hold("aa", 7, NOW)
    final = ledger.revoke("aa", 7, NOW + DAY, "cessationOfOperation")
    assert (final.revoked_at, final.reason, final.held) == (NOW, "cessationOfOperation", False)
    with pytest.raises(AlreadyRevoked):
        ledger.revoke("aa", 7, NOW, "keyCompromise")
    with pytest.raises(AlreadyRevoked):
        ledger.hold("aa", 7, NOW)
    with pytest.raises(NotOnHold):
        ledger.release("aa", 7, NOW)


def test_what_was_never_signed_is_not_held(ledger: Ledger) -> None:
    ledger.prepare(Entry("aa", 7, "person", "CN=x", b"tbs", NOW, NOW))
    with pytest.raises(RevocationRefused):
        ledger.hold("aa", 7, NOW)
    ledger.claim("aa", 7)
    ledger.hold("aa", 7, NOW)  # it may exist
    with pytest.raises(AlreadyRevoked):
        ledger.issued("aa", 7, b"certificate")
    assert ledger.get("aa", 7).certificate == b"certificate"  # type: ignore[union-attr]
    assert ledger.release("aa", 7, NOW).state == "issued"


def test_the_future_is_refused_and_suspensions_end() -> None:
    it = scene("ed25519", ListPolicy())
    with pytest.raises(RevocationRefused):
        it.ca.issuing.revoke(it.person.serial, at=NOW + DAY)
    with pytest.raises(RevocationRefused):
        it.ca.issuing.revoke(it.person.serial, "keyCompromise", invalid_since=NOW + DAY)
    it.ca.hold(it.person.serial, until=NOW + DAY)
    assert it.judge(it.lists.current()) == "TRY_LATER"
    it.clock.moment += DAY - timedelta(seconds=1)
    assert it.judge(it.lists.current()) == "TRY_LATER"
    it.clock.moment += timedelta(seconds=1)
    assert it.judge(it.lists.current()) == "PASSED"


# The file -------------------------------------------------------------------------------------------------------------
OLD = """
CREATE TABLE entry (number INTEGER PRIMARY KEY, issuer TEXT NOT NULL, serial TEXT NOT NULL, profile TEXT NOT NULL,
 subject TEXT NOT NULL, tbs BLOB NOT NULL, prepared_at TEXT NOT NULL, not_after TEXT NOT NULL,
 state TEXT NOT NULL CHECK (state IN ('prepared', 'signing', 'issued', 'revoked')),
 certificate BLOB, revoked_at TEXT, reason TEXT, UNIQUE (issuer, serial));
CREATE INDEX entry_revoked ON entry (issuer) WHERE state = 'revoked';
CREATE TABLE crl_number (issuer TEXT PRIMARY KEY, number INTEGER NOT NULL);
"""


def test_a_ledger_of_the_first_form_is_upgraded_in_place(tmp_path: Path) -> None:
    path = tmp_path / "old"
    database = sqlite3.connect(path)
    database.executescript(OLD)
    moment = NOW.isoformat()
    for serial, state, reason in ((1, "issued", None), (2, "revoked", "keyCompromise"), (3, "revoked", "unspecified")):
        row = ("aa", f"{serial:x}", "person", "x", b"tbs", moment, moment, state, b"c", reason and moment, reason)
        database.execute(f"INSERT INTO entry VALUES (NULL{', ?' * 11})", row)
    database.execute("INSERT INTO crl_number VALUES ('aa', 41)")
    database.commit()
    database.close()
    ledger = SQLiteLedger(path)
    record = ledger.open_list("aa", None, "base", NOW, NOW + DAY)
    assert record.number == 42
    assert record.entries == encode_entry(2, NOW, "keyCompromise") + encode_entry(3, NOW, "unspecified")
    assert ledger.settle("aa", "partitions", "8") == "1"  # its certificates name one list
    assert ledger.settle("bb", "partitions", "8") == "8"
    assert ledger.hold("aa", 1, NOW).held
    ledger.close()
    assert len(SQLiteLedger(path).revoked("aa")) == 3


def test_a_hundred_thousand_entries_in_well_under_a_second(tmp_path: Path) -> None:
    it = scene("ecdsa-p256", ListPolicy(), SQLiteLedger(tmp_path / "l"))
    issuer, moment = it.ca.issuing.id, NOW.isoformat()
    database = sqlite3.connect(tmp_path / "l")
    database.executemany(
        "INSERT INTO entry (issuer, serial, profile, subject, tbs, prepared_at, not_after, state, revoked_at, reason, "
        "changed, crl_entry) VALUES (?, ?, 'person', 'x', x'00', ?, ?, 'revoked', ?, 'superseded', ?, ?)",
        (
            (issuer, f"{serial:x}", moment, moment, moment, number + 1, encode_entry(serial, NOW, "superseded"))
            for number, serial in enumerate(range(1 << 140, (1 << 140) + 100_000))
        ),
    )
    database.commit()
    database.close()
    started = time.process_time()
    encoded = it.ca.crl()
    seconds = time.process_time() - started
    assert len(CRL(encoded).entries) == 100_000
    assert seconds < 20, seconds
