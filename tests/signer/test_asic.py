"""ASiC containers with CAdES signatures and time-stamps (ETSI EN 319 162-1), and ZIPs that are more than one."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs.errors import SealroadError
from certs.trust import TrustStore
from signer.errors import UnreadableFile
from signer.report import Report
from signer.verification.kinds import asic_zip
from tests.signer.ages import ARCHIVED, DAY, LATER, NOW, RENEWED, RENEWED_AGAIN, SIGNED, TEN, World, rebuilt
from tests.signer.asic import E, S, manifest, packed
from tests.signer.test_past import OUT, PASSED, verify, word, world

A, B = {"a.txt": b"pay 100"}, {"dir/b c.txt": b"annex"}
P7S, XML = "META-INF/signature001.p7s", "META-INF/ASiCManifest001.xml"


def container(here: World, files: dict[str, bytes] | None = None, level: str = "T", **extra: bytes) -> dict[str, bytes]:
    """ASiC-E: a manifest over all files, signed."""
    files = A | B if files is None else files
    listed = manifest(P7S, {name.replace(" ", "%20"): body for name, body in files.items()}, here.digest)
    return files | {XML: listed, P7S: here.cades(level, listed)} | extra


def judged(files: Any, here: World, at: datetime = NOW, mimetype: bytes | None = E) -> Report:
    return verify(packed(files, mimetype), here.trust(at), at)


def codes(report: Report) -> list[str]:
    return [item.code for item in report.warnings]


# -- what is good -------------------------------------------------------------------------------------


def test_a_container_with_a_manifest_in_every_suite(suite_name: str) -> None:
    here = world(suite_name, "nothing happens")
    report = judged(container(here), here)
    (one,) = report.signatures
    assert word(one) == PASSED, (one.reason, one.checks)
    assert (one.field, one.kind, one.level, one.suite) == (P7S, "signature", "B-T", suite_name)
    assert {check.detail for check in one.checks if check.id == "data-object"} == {"a.txt", "dir/b c.txt"}
    assert report.warnings == ()


def test_a_container_with_one_file_in_every_suite(suite_name: str) -> None:
    here = world(suite_name, "nothing happens")
    files = A | {"META-INF/signature.p7s": here.cades("none", A["a.txt"])}
    assert judged(files, here, mimetype=S).verdict == PASSED
    stamped = A | {"META-INF/timestamp.tst": here.token(0, SIGNED, A["a.txt"])}
    report = judged(stamped, here, mimetype=S)
    (one,) = report.signatures
    assert (one.kind, word(one)) == ("timestamp", PASSED), one.reason
    changed = stamped | {"a.txt": b"pay 900"}
    assert word(judged(changed, here, mimetype=S).signatures[0]) == "TOTAL-FAILED HASH_FAILURE"


def test_several_signatures_and_a_time_stamp_over_them(signing_suite: str) -> None:
    """ASiCArchiveManifest: what it covers is as old as it says, for ten years and longer with a renewal."""
    here = world(signing_suite, "nothing happens")
    files = container(here)
    made = SIGNED + DAY / 100
    files[P7S] = rebuilt(files[P7S], crls=[here.issuing_list(made).der, here.root_list(made).der])
    stamp = "META-INF/timestamp001.tst"
    listed = manifest(stamp, files, here.digest)
    files |= {"META-INF/ASiCArchiveManifest001.xml": listed, stamp: here.token(0, ARCHIVED, listed)}
    report = judged(files, here, LATER)
    assert [word(one) for one in report.signatures] == [PASSED, PASSED], [s.reason for s in report.signatures]
    assert [one.field for one in report.signatures] == [stamp, P7S]
    assert {word(one) for one in judged(files, here, TEN).signatures} == {OUT}
    # renewed: the lists about each unit go into its own token before the next one is made over everything
    for number, unit, at in ((2, 1, RENEWED), (3, 2, RENEWED_AGAIN)):
        last = f"META-INF/timestamp{number - 1:03}.tst"
        files[last] = rebuilt(files[last], crls=[here.root_list(at - DAY).der])
        stamp = f"META-INF/timestamp{number:03}.tst"
        listed = manifest(stamp, files, here.digest)
        files |= {f"META-INF/ASiCArchiveManifest{number:03}.xml": listed, stamp: here.token(unit, at, listed)}
    report = judged(files, here, TEN)
    assert [word(one) for one in report.signatures] == [PASSED] * 4, [one.reason for one in report.signatures]
    assert report.signatures[3].signed_at is not None
    assert report.signatures[3].signed_at.source == "timestamp"


def test_what_nobody_signed_is_named(signing_suite: str) -> None:
    here = world(signing_suite, "nothing happens")
    files = container(here) | {"later.txt": b"x", "META-INF/manifest.xml": b"<m/>"}
    report = judged(files, here)
    assert report.verdict == PASSED
    named = [item.detail for item in report.warnings if item.code == "not-covered"]
    assert named == ["no good signature covers later.txt", "no good signature covers META-INF/manifest.xml"]
    assert "later.txt" in report.signatures[0].warnings[0].detail
    # a bad signature covers nothing
    broken = container(here) | {"a.txt": b"pay 900"}
    named = [item.detail for item in judged(broken, here).warnings if item.code == "not-covered"]
    assert named == ["no good signature covers a.txt", "no good signature covers dir/b c.txt"]


def test_xml_signatures_and_evidence_records_are_listed(signing_suite: str) -> None:
    here = world(signing_suite, "nothing happens")
    more = {"META-INF/signatures0.xml": b"<x/>", "META-INF/evidencerecord1.ers": b"0", "META-INF/signatures.xml": b""}
    report = judged(container(here) | more, here)
    assert report.verdict == "INDETERMINATE"
    found = {one.field: (word(one), one.kind, one.code) for one in report.signatures}
    assert found.pop(P7S)[0] == PASSED
    assert {value[2] for value in found.values()} == {"unsupported-subfilter"}
    assert {value[1] for value in found.values()} == {"signature", "evidence-record"}
    assert len(found) == 3


def test_a_container_without_a_signature() -> None:
    here = world("ecdsa-p256", "nothing happens")
    report = judged(A, here)
    assert report.verdict == "NO-SIGNATURE"
    assert codes(report) == ["not-covered"]
    with pytest.raises(UnreadableFile):
        judged(A, here, mimetype=None)
    assert judged(container(here), here, mimetype=None).verdict == PASSED


# -- what was signed is not what is here --------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"a.txt": b"pay 900"}, "TOTAL-FAILED HASH_FAILURE"),
        ({"a.txt": None}, "SIGNED_DATA_NOT_FOUND"),
        ({XML: None}, "SIGNED_DATA_NOT_FOUND"),
        ({XML: b"<x/>"}, "SIGNED_DATA_NOT_FOUND"),
        ({XML: b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"}, "SIGNED_DATA_NOT_FOUND"),
        ({P7S: b"\x30\x00"}, "TOTAL-FAILED FORMAT_FAILURE"),
        ({P7S: b""}, "TOTAL-FAILED FORMAT_FAILURE"),
    ],
)
def test_changed_containers(signing_suite: str, change: dict[str, bytes | None], expected: str) -> None:
    here = world(signing_suite, "nothing happens")
    files = {name: body for name, body in (container(here) | change).items() if body is not None}
    (one,) = judged(files, here).signatures
    assert word(one) == expected, one.reason


def test_a_manifest_over_other_files_is_another_manifest(signing_suite: str) -> None:
    here = world(signing_suite, "nothing happens")
    files = container(here)
    files[XML] = manifest(P7S, {"a.txt": b"pay 900"}, here.digest)
    files["a.txt"] = b"pay 900"
    (one,) = judged(files, here).signatures
    assert word(one) == "TOTAL-FAILED HASH_FAILURE"
    assert one.cryptographic.result == "failed"


def test_two_manifests_for_one_signature(signing_suite: str) -> None:
    here = world(signing_suite, "nothing happens")
    other = manifest(P7S, A, here.digest)
    (one,) = judged(container(here) | {"META-INF/ASiCManifest9.xml": other}, here).signatures
    assert word(one) == "TOTAL-FAILED FORMAT_FAILURE"


def test_digests_that_are_weak_or_unknown() -> None:
    here = world("ecdsa-p256", "nothing happens")
    for digest, expected in (("sha1", "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"),):
        listed = manifest(P7S, A, digest)
        (one,) = judged(A | {XML: listed, P7S: here.cades("none", listed)}, here).signatures
        assert word(one) == expected
    listed = manifest(P7S, A).replace(b"xmlenc#sha256", b"xmlenc#whatever")
    (one,) = judged(A | {XML: listed, P7S: here.cades("none", listed)}, here).signatures
    assert (word(one), one.code) == ("GENERIC", "unsupported-algorithm")


@pytest.mark.parametrize(
    "broken",
    [
        lambda xml: xml.replace(b"</asic:SigReference>", b"").replace(b"<asic:SigReference", b"<asic:Other"),
        lambda xml: xml.replace(b"<ds:DigestValue>", b"<ds:DigestValue>!"),
        lambda xml: xml.replace(b'URI="a.txt"', b""),
        lambda xml: xml.replace(b"</asic:ASiCManifest>", b""),
        lambda xml: xml.replace(b"dir/b%20c.txt", b"a.txt"),
        lambda xml: xml.replace(b"v1.2.1", b"v9"),
    ],
)
def test_manifests_that_cannot_be_read(broken: Any) -> None:
    here = world("sm2", "nothing happens")
    files = container(here)
    files[XML] = broken(files[XML])
    report = judged(files, here)
    assert report.verdict == "INDETERMINATE"
    assert "manifest-unreadable" in codes(report)


# -- ZIPs that are more than one ----------------------------------------------------------------------


def failed(data: bytes, here: World) -> str:
    report = verify(data, here.trust(NOW), NOW)
    assert all(word(one) == "TOTAL-FAILED FORMAT_FAILURE" for one in report.signatures), report.signatures
    assert report.signatures
    return report.signatures[0].reason


def test_names_that_are_there_twice() -> None:
    here = world("ecdsa-p256", "nothing happens")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = packed([*container(here).items(), ("a.txt", b"pay 900")])
    assert "a.txt is there twice" in failed(data, here)
    assert "one file on some systems" in failed(packed(container(here) | {"A.TXT": b"pay 900"}), here)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "C:/x", "a\\b", "a//b", "./x", "x\x07"])
def test_names_that_lead_out(name: str) -> None:
    here = world("ecdsa-p256", "nothing happens")
    assert failed(packed(container(here) | {name: b"x"}), here)


def test_a_symbolic_link_is_no_file() -> None:
    here = world("ecdsa-p256", "nothing happens")
    out = io.BytesIO(packed(container(here)))
    with zipfile.ZipFile(out, "a") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert "symbolic link" in failed(out.getvalue(), here)


def test_octets_that_belong_to_no_file() -> None:
    here = world("ecdsa-p256", "nothing happens")
    data = packed(container(here))
    assert verify(data, here.trust(NOW), NOW).verdict == PASSED
    assert "behind the end" in failed(data + b"more", here)
    # a file that only a reader without the directory sees, before the directory
    hidden = b"PK\x03\x04" + struct.pack("<5H3I2H", 20, 0, 0, 0, 0, zlib.crc32(b"x"), 1, 1, 1, 0) + b"hx"
    end = data.rindex(b"PK\x05\x06")
    (start,) = struct.unpack_from("<I", data, end + 16)
    moved = data[:start] + hidden + data[start:end] + data[end : end + 16]
    moved += struct.pack("<I", start + len(hidden)) + data[end + 20 :]
    assert "before the directory" in failed(moved, here)


def test_a_local_header_that_says_something_else() -> None:
    here = world("ecdsa-p256", "nothing happens")
    data = packed(container(here))
    at = data.index(b"a.txt") - 30
    assert "two sizes" in failed(data[: at + 22] + b"\x08" + data[at + 23 :], here)
    # another name: the file cannot be unpacked
    assert "a.txt" in failed(data.replace(b"a.txt", b"b.txt", 1), here)


def zip64(change: Callable[[int, int], bytes], *, header: bytes = b"\xff" * 8) -> bytes:
    """A container whose local header of a.txt has sizes from `change`, which is given the true ones."""
    data = packed(container(world("ecdsa-p256", "nothing happens")))
    at = data.index(b"a.txt") - 30
    packed_size, size = struct.unpack_from("<2I", data, at + 18)
    extra = change(size, packed_size)
    made = data[: at + 18] + (header or data[at + 18 : at + 26]) + struct.pack("<2H", 5, len(extra)) + b"a.txt" + extra
    made += data[at + 35 :]
    end = made.rindex(b"PK\x05\x06")
    (start,) = struct.unpack_from("<I", made, end + 16)
    directory = made[start + len(extra) : end]
    place = 0
    while place < len(directory):  # what stands behind a.txt has moved
        name, more, comment = struct.unpack_from("<3H", directory, place + 28)
        (offset,) = struct.unpack_from("<I", directory, place + 42)
        moved = struct.pack("<I", offset + len(extra) if offset > at else offset)
        directory = directory[: place + 42] + moved + directory[place + 46 :]
        place += 46 + name + more + comment
    return (
        made[: start + len(extra)] + directory + made[end : end + 16] + struct.pack("<I", start + len(extra)) + b"\0\0"
    )


SIZES: list[tuple[str, Callable[[int, int], bytes], bytes, bool]] = [
    ("right", lambda size, packed: struct.pack("<2H2Q", 1, 16, size, packed), b"\xff" * 8, True),
    ("right, and not asked for", lambda size, packed: struct.pack("<2H2Q", 1, 16, size, packed), b"", True),
    ("another size", lambda size, packed: struct.pack("<2H2Q", 1, 16, size + 1, packed), b"\xff" * 8, False),
    ("another packed size", lambda size, packed: struct.pack("<2H2Q", 1, 16, size, packed + 1), b"\xff" * 8, False),
    ("another, not asked for", lambda size, packed: struct.pack("<2H2Q", 1, 16, size, packed + 1), b"", False),
    ("missing", lambda *_: b"", b"\xff" * 8, False),
    ("one only", lambda size, _: struct.pack("<2HQ", 1, 8, size), b"\xff" * 8, False),
    ("twice", lambda size, packed: 2 * struct.pack("<2H2Q", 1, 16, size, packed), b"\xff" * 8, False),
    ("cut short", lambda *_: struct.pack("<2H", 1, 16), b"\xff" * 8, False),
]


@pytest.mark.parametrize(("name", "change", "header", "fine"), SIZES, ids=[name for name, *_ in SIZES])
def test_sizes_in_the_zip64_field_of_a_local_header(name: str, change: Any, header: bytes, fine: bool) -> None:
    """A reader that goes from header to header takes its sizes from there, and would unpack something else."""
    here, data = world("ecdsa-p256", "nothing happens"), zip64(change, header=header)
    if fine:
        assert verify(data, here.trust(NOW), NOW).verdict == PASSED, name
    else:
        assert "two sizes" in failed(data, here)


def test_what_is_written_to_a_pipe_with_large_sizes_is_one_container() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.written += bytes(data)
            return len(data)

    here, pipe = world("ecdsa-p256", "nothing happens"), Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in (container(here) | {"mimetype": E}).items():
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(body)
    assert verify(bytes(pipe.written), here.trust(NOW), NOW).verdict == PASSED


def test_remarks_decide_nothing() -> None:
    here = world("ecdsa-p256", "nothing happens")
    report = verify(packed(container(here) | {"mimetype": E}, None), here.trust(NOW), NOW)
    assert report.verdict == PASSED
    assert [item.detail for item in report.warnings] == ["the mimetype is not the first file"]
    assert verify(packed(container(here), E + b"\n"), here.trust(NOW), NOW).verdict == PASSED


def test_bombs_end_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    here = world("ecdsa-p256", "nothing happens")
    monkeypatch.setattr(asic_zip, "MAX_ENTRY", 1 << 20)
    monkeypatch.setattr(asic_zip, "MAX_TOTAL", 2 << 20)
    for files in (
        container(here) | {"big": bytes(2 << 20)},
        container(here) | {f"{n}": bytes(1 << 20) for n in range(4)},
    ):
        (one,) = judged(files, here).signatures
        assert (one.verdict, one.code) == ("INDETERMINATE", "limits")
    monkeypatch.setattr(asic_zip, "MAX_ENTRIES", 5)
    (one,) = judged(container(here) | {f"{n}": b"" for n in range(4)}, here).signatures
    assert (one.verdict, one.code) == ("INDETERMINATE", "limits")


def test_a_file_is_hashed_once_however_many_manifests_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from certs import suites

    here = world("ecdsa-p256", "nothing happens")
    files = A | {"big": bytes(1 << 16)}
    listed = {f"META-INF/ASiCManifest{n}.xml": manifest(f"META-INF/signature{n}.p7s", files) for n in range(9)}
    signers = {f"META-INF/signature{n}.p7s": here.cades("none", xml) for n, xml in enumerate(listed.values())}
    counted = []
    real = suites.digest
    monkeypatch.setattr(suites, "digest", lambda name, data: counted.append(len(data)) or real(name, data))
    report = judged(files | listed | signers, here)
    assert [word(one) for one in report.signatures] == [PASSED] * 9
    assert counted.count(1 << 16) == 1


def test_a_promise_in_the_header_is_not_believed() -> None:
    """A size in the directory that is too small: the octets are counted while they are unpacked."""
    here = world("ecdsa-p256", "nothing happens")
    data = packed(container(here) | {"big": bytes(100_000)})
    directory = data.rindex(b"PK\x01\x02", 0, data.rindex(b"big"))
    lying = data[: directory + 24] + struct.pack("<I", 10) + data[directory + 28 :]
    assert failed(lying, here)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damaged_containers_are_never_good_and_never_crash(data: st.DataObject) -> None:
    here = world("ecdsa-p256", "nothing happens")
    good = _good()
    at = data.draw(st.integers(0, len(good) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "double", "drop"]))
    if kind == "flip":
        damaged = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    elif kind == "cut":
        damaged = good[:at]
    elif kind == "double":
        damaged = good[:at] + good[at : at + 40] + good[at:]
    else:
        damaged = good[:at] + good[at + 7 :]
    try:
        report = verify(damaged, here.trust(NOW), NOW)
    except SealroadError:
        return
    assert all(one.code != "internal" for one in report.signatures), report.signatures
    if report.verdict == PASSED:
        # attributes, times and comments of a ZIP are nobody's content: what is read must be what was signed
        assert asic_zip.read_container(damaged).files["a.txt"] == A["a.txt"]


_KEPT: list[bytes] = []


def _good() -> bytes:
    if not _KEPT:
        _KEPT.append(packed(container(world("ecdsa-p256", "nothing happens"), level="none")))
    return _KEPT[0]


def test_files_that_only_look_like_it() -> None:
    for data in (b"PK\x03\x04", b"PK\x03\x04" + bytes(100), packed({"x": b"y"}, None)):
        with pytest.raises(UnreadableFile):
            verify(data, TrustStore(), NOW)


def streamed(files: dict[str, bytes]) -> bytes:
    """A ZIP written as to a pipe: each file with a data descriptor behind it."""

    class Pipe(io.BytesIO):
        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name), body)
    return out.getvalue()


def test_a_data_descriptor_says_what_the_directory_says() -> None:
    """Who reads from header to header takes the size from there, or from the header."""
    here = world("ecdsa-p256", "nothing happens")
    data = streamed(container(here))
    assert b"PK\x07\x08" in data
    assert verify(data, here.trust(NOW), NOW).verdict == PASSED
    at = data.index(b"PK\x07\x08") + 8
    assert "belong to no file" in failed(data[:at] + b"\x03" + data[at + 1 :], here)
    assert "two sizes" in failed(data[:18] + b"\x03" + data[19:], here)


@pytest.mark.parametrize("other", ["a.txt.", "a.txt ", "A.TXT .", "e\u0301.txt", "d/x:y"])
def test_names_that_are_another_file_on_some_systems(other: str) -> None:
    here = world("ecdsa-p256", "nothing happens")
    assert failed(packed(container(here) | {"\u00e9.txt": b"x", other: b"pay 900"}), here)
