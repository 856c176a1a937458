"""What `ca audit verify` must find. Each test is named by the attack and starts from a directory that is whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from certs import circle as circles
from certs.audit.log import AuditLog, encode_entry, parse_entry
from certs.audit.verify import Report
from certs.errors import AuditError, IssuanceError
from tests.certs.audit import desk
from tests.conftest import CLOCK


@contextmanager
def burglary(directory: Path, name: str = "audit.sqlite") -> Iterator[sqlite3.Connection]:
    """Open a database past its guards, as somebody who may write the file."""
    database = sqlite3.connect(directory / name)
    for trigger in ("entry_stays", "entry_is_kept"):
        database.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    yield database
    database.commit()
    database.close()


def rewrite(directory: Path, change: Callable[[list[tuple[str, dict[str, object]]]], object]) -> None:
    """Change the list of acts and facts, then write the whole log anew: every number, hash and column is right."""
    with burglary(directory) as database:
        entries = [parse_entry(row[0]) for row in database.execute("SELECT data FROM entry ORDER BY number")]
        acts = [(entry.act, dict(entry.facts)) for entry in entries]
        change(acts)
        database.execute("DELETE FROM entry")
        previous = "0" * 64
        for number, (act, facts) in enumerate(acts):
            entry = parse_entry(encode_entry(number, act, entries[0].at, facts, previous))
            database.execute(
                "INSERT INTO entry VALUES (?, ?, ?, ?, ?)", (number, act, entry.serial, entry.data, entry.leaf)
            )
            previous = entry.leaf.hex()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return desk.copy_of("ecdsa-p256", tmp_path)


def kinds(report: Report) -> set[str]:
    return {finding.kind for finding in report.findings}


def numbers(report: Report) -> set[int | None]:
    return {finding.number for finding in report.findings}


def checkpoints(directory: Path) -> list[bytes]:
    return circles.books(directory, CLOCK).log.checkpoints()


def test_a_log_nobody_touched_is_whole(signing_suite: str) -> None:
    report = desk.look(desk.original(signing_suite), *checkpoints(desk.original(signing_suite)))
    assert report.good, report.findings
    assert report.checkpoints == 4
    assert not report.notes


# the log alone -------------------------------------------------------------------------------------------------------
def test_an_entry_removed(directory: Path) -> None:
    with burglary(directory) as database:
        database.execute("DELETE FROM entry WHERE number = 7")
    report = desk.look(directory)
    assert "removed" in kinds(report)
    assert any("entry 7 missing" in str(finding) for finding in report.findings)


def test_an_entry_removed_and_the_rest_moved_up(directory: Path) -> None:
    with burglary(directory) as database:
        database.execute("DELETE FROM entry WHERE number = 7")
        database.execute("UPDATE entry SET number = number - 1 WHERE number > 7")
    report = desk.look(directory)
    assert "reordered" in kinds(report)
    assert min(finding.number or 0 for finding in report.findings if finding.kind == "reordered") == 7


def test_an_entry_altered(directory: Path) -> None:
    with burglary(directory) as database:
        data = database.execute("SELECT data FROM entry WHERE act = 'revoke'").fetchone()[0]
        database.execute(
            "UPDATE entry SET data = ? WHERE act = 'revoke'", (data.replace(b"keyCompromise", b"superseded"),)
        )
        number = database.execute("SELECT number FROM entry WHERE act = 'revoke'").fetchone()[0]
    report = desk.look(directory)
    assert "altered" in kinds(report)
    assert {number, number + 1} <= numbers(report)


def test_two_entries_exchanged(directory: Path) -> None:
    with burglary(directory) as database:
        database.execute("UPDATE entry SET number = -1 WHERE number = 9")
        database.execute("UPDATE entry SET number = 9 WHERE number = 10")
        database.execute("UPDATE entry SET number = 10 WHERE number = -1")
    report = desk.look(directory)
    assert "reordered" in kinds(report)
    assert {9, 10} <= numbers(report)


def test_an_entry_inserted(directory: Path) -> None:
    with burglary(directory) as database:
        database.execute("UPDATE entry SET number = -number - 1 WHERE number >= 12")
        database.execute("UPDATE entry SET number = -number WHERE number < 0")
        previous = parse_entry(database.execute("SELECT data FROM entry WHERE number = 11").fetchone()[0])
        forged = parse_entry(encode_entry(12, "crl-intent", previous.at, {}, previous.leaf.hex()))
        database.execute("INSERT INTO entry VALUES (12, 'crl-intent', NULL, ?, ?)", (forged.data, forged.leaf))
    report = desk.look(directory)
    assert not report.good
    assert 13 in numbers(report)


def test_an_index_column_altered(directory: Path) -> None:
    with burglary(directory) as database:
        database.execute("UPDATE entry SET act = 'crl-intent' WHERE number = 3")
        database.execute("UPDATE entry SET leaf = zeroblob(32) WHERE number = 5")
    assert {3, 5} <= numbers(desk.look(directory))


def test_rubbish_in_place_of_an_entry(directory: Path) -> None:
    with burglary(directory) as database:
        database.execute("UPDATE entry SET data = x'00ff' WHERE number = 4")
    assert 4 in numbers(desk.look(directory))


def test_everything_removed(directory: Path) -> None:
    with burglary(directory) as database:
        database.execute("DELETE FROM entry")
    assert "truncated" in kinds(desk.look(directory))


# the log rewritten by somebody who knows how -------------------------------------------------------------------------
def test_a_rewritten_log_is_not_the_one_of_the_checkpoints(directory: Path) -> None:
    def change(acts: list[tuple[str, dict[str, object]]]) -> None:
        revoke = next(facts for act, facts in acts if act == "revoke")
        revoke["reason"] = "superseded"

    with burglary(directory, "ledger.sqlite") as database:
        database.execute("UPDATE entry SET reason = 'superseded' WHERE state = 'revoked'")
    first, second = checkpoints(directory)
    rewrite(directory, change)
    report = desk.look(directory)
    (finding,) = [item for item in report.findings if item.kind == "fork"]
    place = next(
        entry.number for entry in circles.books(directory, CLOCK).log.entries("revoke")
    )  # between the two checkpoints
    assert finding.number is not None
    assert finding.number <= place
    assert "stored checkpoint 2" in finding.message
    with burglary(directory) as database:  # the burglar takes the stored one away too
        database.execute("DELETE FROM checkpoint WHERE number = 2")
    assert "removed" in kinds(desk.look(directory))
    assert "fork" in kinds(desk.look(directory, second))
    assert "fork" not in kinds(desk.look(directory, first))


def test_a_tail_cut_off_is_seen_with_a_later_checkpoint(directory: Path) -> None:
    _, second = checkpoints(directory)
    size = circles.books(directory, CLOCK).log.checkpoints()
    assert len(size) == 2
    cut = circles.books(directory, CLOCK).log.entries("revoke")[0].number
    with burglary(directory) as database:
        database.execute("DELETE FROM entry WHERE number >= ?", (cut,))
        assert cut > 0
        database.execute("DELETE FROM checkpoint WHERE number = 2")
    with burglary(directory, "ledger.sqlite") as database:
        database.execute("UPDATE entry SET state = 'issued', revoked_at = NULL, reason = NULL WHERE state = 'revoked'")
    assert desk.look(directory).good  # from inside nobody can see it
    report = desk.look(directory, second)
    assert kinds(report) == {"truncated"}
    assert numbers(report) == {cut}


def test_a_log_that_went_two_ways(directory: Path, tmp_path: Path) -> None:
    """Two copies of a directory go on apart, and each signs a checkpoint of the same size."""
    other = desk.copy_of("ecdsa-p256", tmp_path / "other")
    signed = []
    for place, reason in ((directory, "superseded"), (other, "cessationOfOperation")):
        circle = desk.open_circle(place)
        person = next(entry for entry in circle.issuing.entries() if entry.profile == "person")
        circle.revoke(person.serial, reason)
        signed.append(desk.sign(place, circle))
    assert desk.look(directory, signed[0]).good
    report = desk.look(directory, *signed)
    assert kinds(report) == {"fork"}
    assert "two different logs" in report.findings[0].message


def test_a_checkpoint_of_another_authority(directory: Path) -> None:
    (theirs, *_) = checkpoints(desk.original("sm2"))
    report = desk.look(directory, theirs)
    assert kinds(report) == {"signature"}  # its signer does not lead to our root


def test_a_checkpoint_signed_by_somebody_else_of_the_circle(directory: Path) -> None:
    """A person's certificate is for contracts, and signs no checkpoints."""
    from certs.audit import checkpoint
    from certs.errors import BadSignature
    from certs.suites import get

    circle = desk.open_circle(directory)
    key = get("ecdsa-p256").generate(None)
    certificate = circle.issue("person", desk.subjects_of("ecdsa-p256")[0], key.public_key.spki)
    signer = checkpoint.Signer(key, certificate, circle.chain)
    with pytest.raises(BadSignature):
        checkpoint.make(desk.log_of(circle), [signer], desk.NOW)
    assert len(checkpoints(directory)) == 2


def test_a_stored_checkpoint_damaged(directory: Path) -> None:
    with burglary(directory) as database:
        data = bytearray(database.execute("SELECT data FROM checkpoint WHERE number = 1").fetchone()[0])
        data[700] = ord("A") if data[700] != ord("A") else ord("B")
        database.execute("UPDATE checkpoint SET data = ? WHERE number = 1", (bytes(data),))
    assert "removed" in kinds(desk.look(directory))


# the ledger ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM entry WHERE profile = 'person'", "is not in the ledger"),
        ("UPDATE entry SET state = 'issued', revoked_at = NULL, reason = NULL WHERE state = 'revoked'", "is issued"),
        ("UPDATE entry SET revoked_at = '2026-11-22T00:00:00+00:00' WHERE state = 'revoked'", "was revoked at"),
        ("UPDATE entry SET reason = 'superseded' WHERE state = 'revoked'", "was revoked for"),
        ("UPDATE entry SET certificate = x'3000' WHERE profile = 'person'", "has a certificate with digest"),
        ("UPDATE entry SET tbs = x'3000' WHERE profile = 'person'", "to-be-signed part"),
        ("UPDATE entry SET serial = serial || '0' WHERE profile = 'person'", "has no entry in the log"),
    ],
)
def test_a_ledger_that_says_something_else(directory: Path, statement: str, words: str) -> None:
    with burglary(directory, "ledger.sqlite") as database:
        assert database.execute(statement).rowcount == 1
    report = desk.look(directory)
    assert "ledger" in kinds(report)
    assert any(words in finding.message for finding in report.findings)


def test_a_certificate_issued_past_the_log(directory: Path) -> None:
    from certs.ca import Authority
    from certs.ledger import SQLiteLedger
    from certs.profiles import load

    circle = desk.open_circle(directory)
    secretly = Authority(
        circle.issuing.key, circle.issuing.certificate, ledger=SQLiteLedger(directory / "ledger.sqlite"), clock=CLOCK
    )
    plan = secretly.prepare(load("person"), desk.subjects_of("ecdsa-p256")[0], circle.issuing.certificate.spki)
    secretly.issue(plan)
    (finding,) = desk.look(directory).findings
    assert f"{plan.serial:x}" in finding.message
    assert "has no entry in the log" in finding.message


def test_holds_releases_and_revocations_are_followed(directory: Path) -> None:
    circle = desk.open_circle(directory)
    serial = next(entry.serial for entry in circle.issuing.entries() if entry.profile == "person")
    for act in (
        lambda: circle.hold(serial, until=desk.NOW + timedelta(days=1)),
        lambda: circle.release(serial),
        lambda: circle.revoke(serial, "certificateHold"),
        lambda: circle.revoke(serial, "keyCompromise", invalid_since=desk.NOW - timedelta(days=1)),
        lambda: circle.issuing.crl(),
    ):
        act()
        report = desk.look(directory)
        assert report.good, report.findings
    with pytest.raises(IssuanceError):
        circle.release(serial)
    assert desk.look(directory).good
    acts = [entry.act for entry in desk.log_of(circle).entries(serial=f"{serial:x}")]
    assert acts[3:] == ["hold", "release", "revoke", "revoke", "release"]
    with burglary(directory, "ledger.sqlite") as database:
        database.execute("UPDATE entry SET reason = 'certificateHold' WHERE reason = 'keyCompromise'")
    assert "ledger" in kinds(desk.look(directory))


def test_acts_that_cannot_follow_one_another(directory: Path) -> None:
    log = circles.books(directory, CLOCK).log
    claim = log.entries("claim")[0]
    log.append("claim", **claim.facts)
    log.append("issued", issuer="aa", serial="bb", certificate="00")
    log.append("not-done", of=3, why="interrupted")
    log.append("claim")
    found = [finding for finding in desk.look(directory).findings if finding.kind == "act"]
    assert [finding.number for finding in found] == [log.size - 4, log.size - 3, log.size - 2, log.size - 1]


# opening -------------------------------------------------------------------------------------------------------------
def test_an_authority_whose_log_is_gone_does_nothing(directory: Path, tmp_path: Path) -> None:
    for file in directory.glob("audit.sqlite*"):
        file.unlink()
    with pytest.raises(AuditError, match="is gone"):
        desk.open_circle(directory)
    with pytest.raises(AuditError):
        desk.look(directory)
    AuditLog(directory / "audit.sqlite", CLOCK).append("created", nonce="another")
    with pytest.raises(AuditError, match="not the log"):
        desk.open_circle(directory)
    assert "fork" in kinds(desk.look(directory))


def test_a_circle_older_than_its_log_gets_one_with_a_snapshot(directory: Path) -> None:
    import json

    for file in directory.glob("audit.sqlite*"):
        file.unlink()
    values = json.loads((directory / "circle.json").read_text())
    del values["log"]
    (directory / "circle.json").write_text(json.dumps(values))
    circle = desk.open_circle(directory)
    log = desk.log_of(circle)
    assert [entry.act for entry in log.entries()][:3] == ["created", "snapshot", "configuration"]
    assert desk.look(directory).good
    person = next(entry for entry in circle.issuing.entries() if entry.profile == "person")
    circle.revoke(person.serial, "superseded")
    assert desk.look(directory).good
    assert json.loads((directory / "circle.json").read_text())["log"] == log.id
    with burglary(directory, "ledger.sqlite") as database:
        database.execute("DELETE FROM entry WHERE profile = 'tsa'")
    assert "ledger" in kinds(desk.look(directory))


def test_settings_edited_by_hand_are_noted(directory: Path) -> None:
    text = (directory / "circle.json").read_text().replace('"crl_url": null', '"crl_url": "http://x.example/{issuer}"')
    (directory / "circle.json").write_text(text)
    log = desk.log_of(desk.open_circle(directory))
    assert log.entries("configuration")[-1].facts["crl_url"] == "http://x.example/{issuer}"
    desk.open_circle(directory)
    assert len(log.entries("configuration")) == 2
