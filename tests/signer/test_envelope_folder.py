"""The directory of an envelope: the same entries as in the ZIP, opened and refused by the same rules."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certs.errors import SealroadError
from certs.sink import MemorySink
from signer.encryption import folder
from signer.encryption.envelope import assemble, prepare, seal, sign_manifest
from signer.encryption.folder import Folder, WholeFolder
from signer.encryption.opening import OpenedEnvelope, open_envelope
from signer.errors import EnvelopeRefused, OptionError, UnreadableFile
from signer.report import Verdict
from tests.certs.post import mailbox
from tests.conftest import CLOCK
from tests.signer.test_envelope import NAME, RECIPIENTS, SENDERS, TEXT, entries, package, packed, sender, trust
from tests.signer.test_envelope import opened as as_zip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory of an envelope for all families."""
    where = tmp_path / "envelope"
    spread(package(), where)
    return where


def spread(data: bytes, where: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(where)


def opened(where: Path, suite_name: str) -> tuple[bytes, OpenedEnvelope]:
    box, sink = mailbox(suite_name), MemorySink()
    store = trust(SENDERS[box.key.suite.family.value])
    try:
        with Folder(where) as found:
            result = open_envelope(found, sink, box.key, box.certificate, trust=store, clock=CLOCK)
    except SealroadError:
        assert sink.data is None
        raise
    assert sink.data is not None
    return sink.data, result


def reason(where: Path, suite_name: str = "sm2") -> str:
    with pytest.raises(EnvelopeRefused) as caught:
        opened(where, suite_name)
    assert caught.value.code == "envelope-refused"
    assert caught.value.hint
    return str(caught.value.facts["reason"])


# There and back ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite_name", RECIPIENTS)
def test_every_recipient_opens_the_directory_as_he_opens_the_zip(suite_name: str, tmp_path: Path) -> None:
    where = tmp_path / "合同"
    sink = WholeFolder(where)
    boxes = [mailbox(name).certificate for name in RECIPIENTS]
    seal(io.BytesIO(TEXT), sink, boxes, [sender(name) for name in SENDERS.values()], clock=CLOCK, name=NAME)
    assert {item.name for item in tmp_path.iterdir()} == {"合同"}
    assert {item.name for item in where.iterdir()} == set(entries(package()))
    text, found = opened(where, suite_name)
    assert (text, found.about.name, found.sender, found.whole) == (TEXT, NAME, Verdict.TOTAL_PASSED, True)


@pytest.mark.parametrize("suite_name", RECIPIENTS)
def test_directory_and_zip_are_one_thing(suite_name: str, place: Path) -> None:
    assert opened(place, suite_name)[0] == TEXT
    repacked = packed({item.name: item.read_bytes() for item in place.iterdir()})
    box, sink = mailbox(suite_name), MemorySink()
    open_envelope(io.BytesIO(repacked), sink, box.key, trust=trust("sm2"), clock=CLOCK)
    assert sink.data == TEXT


@pytest.mark.parametrize("family", ["international", "china", "russia"])
def test_what_one_family_needs_is_cut_out_by_copying(family: str, place: Path) -> None:
    for item in place.iterdir():
        if not item.name.startswith(("manifest", family)):
            item.unlink()
    text, found = opened(place, SENDERS[family])
    assert (text, found.whole) == (TEXT, False)


def test_a_directory_is_assembled_in_three_steps_too(tmp_path: Path) -> None:
    certificates = [mailbox(name).certificate for name in ("sm2", "gost2012-256")]
    me = sender("sm2")
    prepared = WholeFolder(tmp_path / "prepared")
    octets = prepare(io.BytesIO(TEXT), prepared, certificates, [me.certificate], clock=CLOCK, name=NAME)
    with Folder(tmp_path / "prepared") as found:
        assemble(found, WholeFolder(tmp_path / "part"), {me.family: sign_manifest(octets, me)}, only=me.family)
    text, result = opened(tmp_path / "part", "sm2")
    assert (text, result.whole) == (TEXT, False)


# Whole, or not there -------------------------------------------------------------------------------------------------
def fill(where: Path, reader: Any = None) -> None:
    box = mailbox("sm2").certificate
    seal(reader or io.BytesIO(TEXT), WholeFolder(where), [box], [sender("sm2")], clock=CLOCK, name=NAME)


def test_an_empty_directory_is_taken_and_no_other_name_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    fill(tmp_path / "empty")
    assert opened(tmp_path / "empty", "sm2")[0] == TEXT
    before = {item.name: item.read_bytes() for item in (tmp_path / "empty").iterdir()}
    (tmp_path / "file").write_bytes(b"mine")
    for taken in ("empty", "file"):
        with pytest.raises(OptionError, match="no empty directory"):
            fill(tmp_path / taken)
    assert {item.name: item.read_bytes() for item in (tmp_path / "empty").iterdir()} == before
    assert {item.name for item in tmp_path.iterdir()} == {"empty", "file"}


def test_the_directory_one_is_in_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError):
        fill(Path())
    assert not [*tmp_path.parent.glob(f".{tmp_path.name}.*")]


class Interrupting(io.BytesIO):
    """Somebody presses Ctrl-C while it is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise KeyboardInterrupt


def test_cancelled_or_failed_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "out", Interrupting(TEXT))
    assert not [*tmp_path.iterdir()]

    def failing(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for where in ("os.fsync", "pathlib.Path.rename"):
        with monkeypatch.context() as patch:
            patch.setattr(where, failing)
            with pytest.raises(OSError, match="No space"):
                fill(tmp_path / "out")
        assert not [*tmp_path.iterdir()]


def test_what_came_to_be_in_its_place_meanwhile_stays(tmp_path: Path) -> None:
    class Meanwhile(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            (tmp_path / "out").mkdir(exist_ok=True)
            (tmp_path / "out" / "theirs").write_bytes(b"theirs")
            return super().read(size)

    with pytest.raises(OSError, match="not empty"):
        fill(tmp_path / "out", Meanwhile(TEXT))
    assert [item.name for item in tmp_path.iterdir()] == ["out"]
    assert [item.name for item in (tmp_path / "out").iterdir()] == ["theirs"]


# Hostile -------------------------------------------------------------------------------------------------------------
def outcome(opening: Callable[[Any, str], object], given: Path | bytes) -> str:
    try:
        opening(given, "sm2")
    except EnvelopeRefused as error:
        return str(error.facts["reason"])
    return "opened"


def test_what_was_done_to_entries_is_refused_as_in_a_zip(tmp_path: Path) -> None:
    def flip(data: bytes) -> bytes:
        return data[: len(data) // 2] + bytes((data[len(data) // 2] ^ 1,)) + data[len(data) // 2 + 1 :]

    changes: list[dict[str, bytes | None]] = [
        {name: changed}
        for name, octets in entries(package()).items()
        for changed in (None, b"", octets[:-1], octets + b"\0", flip(octets))
    ]
    outcomes = []
    for number, change in enumerate(changes):
        some = {name: octets for name, octets in {**entries(package()), **change}.items() if octets is not None}
        where = tmp_path / str(number)
        spread(packed(some), where)
        assert outcome(opened, where) == outcome(as_zip, packed(some)), change.keys()
        outcomes.append(outcome(opened, where))
    assert len({*outcomes}) > 3
    assert outcomes.count("opened") <= len(SENDERS)  # a signature with padding behind it is what it was


@pytest.mark.parametrize(
    "name",
    [".DS_Store", "China.p7m", "china.P7M", "china.p7m ", "chinа.p7m", "contract.pdf", "..data", "a\nb", "\udcff"],
)
def test_an_extra_file_is_refused(name: str, place: Path) -> None:
    """Also one whose name differs in case only, or in a letter of another script."""
    (place / name).write_bytes(b"")
    assert reason(place) == "container"


def test_an_entry_that_is_no_regular_file_is_refused_and_not_opened(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = place.parent / "kept"
    (place / "russia.p7m").rename(kept)
    entry = place / "russia.p7m"
    makers = {
        "a link to what would be right": lambda: entry.symlink_to(kept),
        "a link to a device": lambda: entry.symlink_to("/dev/zero"),
        "a link to itself": lambda: entry.symlink_to(entry.name),
        "a pipe that nobody writes to": lambda: os.mkfifo(entry),
        "a directory": entry.mkdir,
    }
    for what, make in makers.items():
        make()
        with pytest.raises(EnvelopeRefused, match="no regular file"):
            opened(place, "sm2")
        entry.rmdir() if what == "a directory" else entry.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(place)
        listener.bind(entry.name)
        with pytest.raises(EnvelopeRefused, match="no regular file"):
            opened(place, "sm2")
        entry.unlink()
    # put there between the look and the opening: neither followed nor waited for
    regular = kept.stat()
    for what in ("a link to what would be right", "a pipe that nobody writes to"):
        makers[what]()
        with monkeypatch.context() as patch:
            patch.setattr(folder.os, "stat", lambda *_, **__: regular)
            assert reason(place) == "container"
        entry.unlink()


def test_of_a_huge_directory_only_the_beginning_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class Endless:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def __iter__(self) -> Any:
            while True:
                seen.append(1)
                yield type("Item", (), {"name": "china.p7m"})

    monkeypatch.setattr(folder.os, "scandir", lambda _: Endless())
    with pytest.raises(EnvelopeRefused, match="more entries"):
        Folder(tmp_path)
    assert len(seen) < 20


def test_a_manifest_without_end_is_not_read(place: Path) -> None:
    os.truncate(place / "manifest.json", 1 << 40)  # a hole; no octet of it is stored
    assert reason(place) == "container"
    os.truncate(place / "manifest.json", 0)
    assert reason(place) == "manifest"


def test_a_part_without_end_is_not_read(place: Path) -> None:
    os.truncate(place / "russia.p7m", 1 << 40)
    assert reason(place) == "part"


def test_no_descriptor_stays_open(place: Path) -> None:
    before = len([*Path("/proc/self/fd").iterdir()])
    opened(place, "sm2")
    (place / "extra").write_bytes(b"")
    assert reason(place) == "container"
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_a_directory_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none", Path(__file__)):
        with pytest.raises(UnreadableFile):
            Folder(path)


GROWTH = """
import pathlib, sys
from certs.clock import FixedClock
from signer.encryption.envelope import seal
from signer.encryption.folder import Folder, WholeFolder
from signer.encryption.opening import open_envelope
from tests.certs.post import mailbox
from tests.conftest import CLOCK
from tests.signer.test_envelope import sender, trust

class Nowhere:
    write = commit = discard = lambda *_: None

def peak(size):
    where = pathlib.Path(sys.argv[1]) / str(size)
    with where.with_suffix(".source").open("w+b") as source:
        source.truncate(size)
        seal(source, WholeFolder(where), [mailbox("sm2").certificate], [sender("sm2")], clock=CLOCK, name="")
    with Folder(where) as package:
        open_envelope(package, Nowhere(), mailbox("sm2").key, trust=trust("sm2"), clock=CLOCK)
    status = pathlib.Path("/proc/self/status").read_text().split()
    return int(status[status.index("VmHWM:") + 1])

print(-peak(4 << 20) + peak(64 << 20))
"""


def test_memory_does_not_grow_with_the_content(tmp_path: Path) -> None:
    """In a process of its own, where nothing else has been in memory."""
    words = [sys.executable, "-W", "ignore", "-c", GROWTH, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, check=True, text=True, env=os.environ)
    assert int(done.stdout) < 16 << 10  # KiB
