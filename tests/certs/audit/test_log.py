"""The log itself: a chain on disk, one writer at a time, nothing half-written."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs.audit import tree
from certs.audit.keys import AuditedKey
from certs.audit.log import NOTHING, AuditLog, parse_entry
from certs.audit.verify import verify
from certs.errors import AuditError, MalformedInput
from tests.conftest import CLOCK, NOW, keys_of


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.sqlite", CLOCK)


def test_every_entry_names_the_one_before(log: AuditLog) -> None:
    for number in range(5):
        log.append("configuration", value=number)
    entries = log.entries()
    assert [entry.number for entry in entries] == [0, 1, 2, 3, 4]
    assert [entry.previous for entry in entries] == [NOTHING, *(entry.leaf.hex() for entry in entries[:-1])]
    assert all(parse_entry(entry.data) == entry and entry.at == NOW for entry in entries)
    assert log.leaves() == [tree.leaf_hash(entry.data) for entry in entries]
    assert log.id == entries[0].leaf.hex()
    assert verify(log).good


def test_the_table_takes_no_change(log: AuditLog, tmp_path: Path) -> None:
    log.append("created")
    database = sqlite3.connect(tmp_path / "audit.sqlite")
    for statement in ("UPDATE entry SET act = 'x'", "DELETE FROM entry"):
        with pytest.raises(sqlite3.IntegrityError):
            database.execute(statement)
    database.close()


def test_what_cannot_be_written_is_not_written(log: AuditLog) -> None:
    log.append("created")
    with pytest.raises(MalformedInput):
        log.append("configuration", value=1.5)
    with pytest.raises(MalformedInput):
        log.append_all([("configuration", {"value": 1}), ("configuration", {"value": "\ud800"})])
    assert log.size == 1


def test_a_full_disk_stops_the_entry(log: AuditLog) -> None:
    log.append("created")
    pages = log._connection.execute("PRAGMA page_count").fetchone()[0]
    log._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(AuditError):
        [log.append("configuration", value="x" * 3000) for _ in range(100)]
    log._connection.execute("PRAGMA max_page_count = 100000")
    log.append("configuration", value="room again")
    assert verify(log).good


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"not a database, surely" * 100)
    with pytest.raises(AuditError):
        AuditLog(tmp_path / "x.sqlite", CLOCK)
    with pytest.raises(AuditError):
        AuditLog(tmp_path / "missing" / "x.sqlite", CLOCK)
    with pytest.raises(AuditError):
        _ = AuditLog(tmp_path / "empty.sqlite", CLOCK).id


def _write(path: Path) -> None:
    log = AuditLog(path, CLOCK)
    for number in range(25):
        log.append("configuration", value=number)


def test_threads_and_processes_write_one_chain(log: AuditLog, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write, args=(tmp_path / "audit.sqlite",)) for _ in range(2)]
    threads = [threading.Thread(target=_write, args=(tmp_path / "audit.sqlite",)) for _ in range(2)]
    threads += [threading.Thread(target=lambda: [log.append("crl-intent") for _ in range(25)]) for _ in range(2)]
    for each in (*processes, *threads):
        each.start()
    for each in (*processes, *threads):
        each.join()
    assert log.size == 150
    assert verify(log).good


def test_key_use_one_by_one_and_in_batches(log: AuditLog) -> None:
    key = keys_of("ecdsa-p256")[0]
    single = AuditedKey(key, log, purpose="time-stamp")
    key.public_key.verify(single.sign(b"one"), b"one")
    assert [entry.act for entry in log.entries()] == ["key-use"]
    batched = AuditedKey(key, log, purpose="ocsp", batch=3)
    for number in range(4):
        key.public_key.verify(batched.sign(bytes([number])), bytes([number]))
    batched.close()
    batched.close()
    first, used, second, rest = log.entries()[1:]
    assert [item.act for item in (first, used, second, rest)] == ["key-use-intent", "key-used"] * 2
    assert (used.facts["of"], used.facts["signatures"], rest.facts["signatures"]) == (first.number, 3, 1)
    assert used.facts["root"] == tree.root([tree.leaf_hash(bytes([number])) for number in range(3)]).hex()
    assert not verify(log).notes
    batched.sign(b"x")  # and then the process dies
    assert "at most 3 signatures (ocsp)" in verify(log).notes[0]
    log.append("key-used", of=0, signatures=1)
    assert [finding.kind for finding in verify(log).findings] == ["act"]
    with pytest.raises(AuditError):
        AuditedKey(key, log, purpose="ocsp", batch=0)


def test_a_key_does_not_sign_where_the_log_refuses(log: AuditLog) -> None:
    signed: list[bytes] = []

    class Key:
        suite, public_key = keys_of("ecdsa-p256")[0].suite, keys_of("ecdsa-p256")[0].public_key

        def sign(self, message: bytes) -> bytes:
            signed.append(message)
            return message

    log.close()
    for batch in (1, 10):
        with pytest.raises(AuditError):
            AuditedKey(Key(), log, purpose="ocsp", batch=batch).sign(b"x")
    assert not signed


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_any_bytes_are_an_entry_or_a_clear_error(data: bytes, place: int, octet: int) -> None:
    good = parse_entry(
        b'{"act":"created","at":"2026-11-21T10:00:00Z","facts":{},"number":0,"previous":"'
        + b"0" * 64
        + b'","schema":"sealroad.audit/1"}'
    ).data
    mutated = bytearray(good)
    mutated[place % len(good)] = octet
    for candidate in (data, bytes(mutated), good[:place], good + data):
        try:
            assert parse_entry(candidate).data == candidate
        except MalformedInput:
            continue
