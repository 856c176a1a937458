"""Ceremonies: who may start one, what is recorded, and that the record cannot be changed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import circle as circles
from certs import files
from certs.ceremony import Officer, Script, add_signature, approve, canonical, parse_script, read, run
from certs.ceremony_record import verify
from certs.certificate import Subject, load_certificate
from certs.clock import FixedClock
from certs.crl import CRL
from certs.errors import CeremonyError, SealroadError
from certs.keys import file as key_file
from certs.suites.base import PrivateKey
from tests.certs.tokens import ask_pin, new_token
from tests.conftest import CLOCK, NOW, Holder, circle_of, make_circle

pytestmark = pytest.mark.usefixtures("cheap_passwords")


def officer(holder: Holder) -> Officer:
    return Officer(holder.key, holder.certificate)


def seats(count: int = 3) -> list[Officer]:
    """Officers of three countries: each signs in the suite of their own certificate."""
    people = [circle_of(name).person for name in ("sm2", "ecdsa-p256", "ed25519", "rsa")]
    return [officer(person) for person in people[:count]]


def script_of(act: str, parameters: dict[str, object], officers: list[Officer], threshold: int = 2) -> str:
    lines = ['schema = "sealroad.ceremony/1"', f'act = "{act}"', 'title = "根 2026"', f"threshold = {threshold}"]
    lines.append("not_after = 2026-12-31T00:00:00Z")
    for number, item in enumerate(officers, 1):
        lines += ["[[officers]]", f'name = "officer {number}"', f'certificate = "{item.certificate.fingerprint()}"']
    lines.append("[parameters]")
    lines += [f"{name} = {json.dumps(value)}" for name, value in parameters.items()]
    return "\n".join(lines) + "\n"


def hold(
    script: Script,
    officers: list[Officer],
    path: Path,
    approvals: tuple[bytes, ...] = (),
    confirm: Callable[[str, str], bool] = lambda _name, _what: True,
) -> bytes:
    return run(script, officers, approvals, secrets=ask_pin, clock=CLOCK, confirm=confirm, path=path)


def root_script(place: Path, suite: str, **more: object) -> Script:
    parameters = {"directory": str(place), "suite": suite, "organisation": "Nord", "country": "DE"}
    if suite.startswith("rsa"):
        parameters["parameter"] = "2048"
    return parse_script(script_of("root", parameters | more, seats()))


def test_root_issuing_and_list_by_ceremony_make_a_circle(signing_suite: str, tmp_path: Path) -> None:
    place, present = tmp_path / "ca", seats()[:2]
    transcripts = [hold(root_script(place, signing_suite), present, tmp_path / "root.transcript")]
    parameters = {"directory": str(place), "suite": signing_suite, "organisation": "Nord", "country": "DE"}
    if signing_suite == "rsa":
        parameters["parameter"] = "2048"
    script = parse_script(script_of("intermediate", parameters, seats()))
    transcripts.append(hold(script, present, tmp_path / "issuing.transcript"))
    parameters = {"directory": str(place), "authority": "issuing", "output": str(tmp_path / "i.crl")}
    script = parse_script(script_of("crl", parameters, seats()))
    transcripts.append(hold(script, present, tmp_path / "crl.transcript"))
    circle = circles.load(place, ask_pin, CLOCK)
    circle.issuing.certificate.verify_signed_by(circle.root)
    CRL((tmp_path / "i.crl").read_bytes())
    person = circle_of(signing_suite).person
    circle.issue("person", Subject("Jörg Müller", country="DE"), person.key.public_key.spki)
    for transcript in transcripts:
        found = verify(transcript, base=tmp_path)
        assert (found.state, found.approved_by, found.missing) == ("done", ("officer 1", "officer 2"), ())
        assert found.signed_by == found.approved_by
        record, _ = read(transcript)
        assert record["doctor"]["suites"]
        assert all(step["confirmed_by"] == ["officer 1", "officer 2"] for step in record["steps"])
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.interop
def test_a_ceremony_with_the_keys_in_a_token(tmp_path: Path) -> None:
    token = new_token()
    uris = {name: circles.key_uri(token, "ecdsa-p384", name) for name in ("root", "issuing")}
    hold(root_script(tmp_path / "ca", "ecdsa-p384", key=uris["root"]), seats()[:2], tmp_path / "1")
    parameters = {"directory": str(tmp_path / "ca"), "suite": "ecdsa-p384", "organisation": "Nord", "country": "DE"}
    parameters |= {"key": uris["issuing"], "root_key": uris["root"]}
    hold(parse_script(script_of("intermediate", parameters, seats())), seats()[:2], tmp_path / "2")
    circle = circles.load(tmp_path / "ca", ask_pin, CLOCK)
    CRL(circle.crl())
    CRL(circle.root_crl())
    assert not list((tmp_path / "ca").glob("*key*"))


def test_a_cross_certificate_keeps_name_and_key_to_the_octet(tmp_path: Path) -> None:
    hold(root_script(tmp_path / "ca", "ecdsa-p256"), seats()[:2], tmp_path / "1")
    theirs = circle_of("sm2").root
    (tmp_path / "theirs.pem").write_text(theirs.pem)
    parameters = {"directory": str(tmp_path / "ca"), "authority": "root", "output": str(tmp_path / "cross.pem")}
    parameters |= {"certificate": str(tmp_path / "theirs.pem"), "certificate_sha256": theirs.fingerprint()}
    hold(parse_script(script_of("cross-certificate", parameters, seats())), seats()[:2], tmp_path / "2")
    cross = load_certificate((tmp_path / "cross.pem").read_bytes())
    assert (cross.subject_name.der, cross.spki) == (theirs.subject_name.der, theirs.spki)
    cross.verify_signed_by(load_certificate((tmp_path / "ca" / "root.pem").read_bytes()))
    parameters |= {"certificate_sha256": "00" * 32, "output": str(tmp_path / "other.pem")}
    with pytest.raises(CeremonyError, match="not the certificate that was approved"):
        hold(parse_script(script_of("cross-certificate", parameters, seats())), seats()[:2], tmp_path / "3")
    assert not (tmp_path / "other.pem").exists()
    assert verify((tmp_path / "3").read_bytes()).state == "failed"


def test_a_key_by_ceremony(suite_name: str, tmp_path: Path) -> None:
    parameters = {"key": str(tmp_path / "k"), "suite": suite_name, "output": str(tmp_path / "k.pub")}
    if suite_name.startswith("rsa"):
        parameters["parameter"] = "2048"
    script = parse_script(script_of("key", parameters, seats()))
    hold(script, seats()[:2], tmp_path / "t")
    assert key_file.load(tmp_path / "k", ask_pin("")).suite.name == suite_name
    with pytest.raises(CeremonyError, match="ended early"):
        hold(script, seats()[:2], tmp_path / "again")


# Who may -------------------------------------------------------------------------------------------------------------
def test_m_minus_one_officers_cannot_act(tmp_path: Path) -> None:
    script = root_script(tmp_path / "ca", "ed25519")
    one, two, three = seats()
    with pytest.raises(CeremonyError, match="2 officers must approve, 1 did"):
        hold(script, [one], tmp_path / "t")
    with pytest.raises(CeremonyError, match="2 officers must approve, 1 did"):
        hold(script, [one], tmp_path / "t", (approve(script, one, NOW),) * 3)
    assert not list(tmp_path.iterdir())
    transcript = hold(script, [one], tmp_path / "t", (approve(script, two, NOW),))
    with pytest.raises(CeremonyError, match="2 officers must sign the transcript, 1 did"):
        verify(transcript)
    assert verify(add_signature(transcript, three, NOW)).signed_by == ("officer 1", "officer 3")


def test_an_approval_of_another_script_does_not_count(tmp_path: Path) -> None:
    script = root_script(tmp_path / "ca", "ed25519")
    other = parse_script(script.text.replace("Nord", "Süd"))
    one, two, _ = seats()
    with pytest.raises(CeremonyError, match="officer 2 approved another script"):
        hold(script, [one], tmp_path / "t", (approve(other, two, NOW),))


def test_a_strangers_and_a_forged_approval_do_not_count(tmp_path: Path) -> None:
    script = root_script(tmp_path / "ca", "ed25519")
    one, two, three, stranger = seats(4)
    with pytest.raises(CeremonyError, match="is no officer"):
        approve(script, stranger, NOW)
    with pytest.raises(CeremonyError, match="is no officer"):
        hold(script, [one, stranger], tmp_path / "t")
    good = approve(script, two, NOW)
    for bad in (b"", good[:-1], good[:-3] + b"\0\0\0", good.replace(script.digest.encode(), b"0" * 64)):
        with pytest.raises(CeremonyError):
            hold(script, [one], tmp_path / "t", (bad,))
    from certs.signed_data import build_signed_data

    # somebody else's certificate in front of the stranger's signature
    lent = build_signed_data(canonical({"schema": "sealroad.approval/1"}), stranger.key, three.certificate)
    with pytest.raises(CeremonyError):
        hold(script, [one], tmp_path / "t", (lent,))
    # a record of something else that an officer signed is no approval
    letter = build_signed_data(b'{"script_sha256": "%s"}' % script.digest.encode(), two.key, two.certificate)
    with pytest.raises(CeremonyError, match="no approval"):
        hold(script, [one], tmp_path / "t", (letter,))


def test_two_certificates_of_one_key_are_one_officer(tmp_path: Path) -> None:
    circle = circle_of("ed25519")
    twice = make_circle("ed25519").ca.issue("person", Subject("Other", country="DE"), circle.person.key.public_key.spki)
    pair = [officer(circle.person), Officer(circle.person.key, twice)]
    parameters = {"key": str(tmp_path / "k"), "suite": "ed25519", "output": str(tmp_path / "k.pub")}
    with pytest.raises(CeremonyError, match="one key"):
        hold(parse_script(script_of("key", parameters, pair)), pair, tmp_path / "t")


def test_nobody_acts_after_the_scripts_date(tmp_path: Path) -> None:
    late = FixedClock(NOW + timedelta(days=400))
    with pytest.raises(CeremonyError, match="was good until"):
        run(
            root_script(tmp_path / "ca", "ed25519"),
            seats()[:2],
            secrets=ask_pin,
            clock=late,
            confirm=lambda *_: True,
            path=tmp_path / "t",
        )


def test_a_step_that_is_not_confirmed_ends_it_and_is_on_record(tmp_path: Path) -> None:
    def confirm(name: str, what: str) -> bool:
        return not (name == "officer 2" and what.startswith("lint"))

    with pytest.raises(CeremonyError, match="officer 2 did not confirm"):
        hold(root_script(tmp_path / "ca", "ed25519"), seats()[:2], tmp_path / "t", confirm=confirm)
    assert not (tmp_path / "ca" / "root.pem").exists()
    assert verify((tmp_path / "t").read_bytes()).state == "refused"
    with pytest.raises(CeremonyError, match="exists"):
        hold(root_script(tmp_path / "ca", "ed25519"), seats()[:2], tmp_path / "t")


def test_a_disk_that_is_full_ends_it_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write", full)
    with pytest.raises(CeremonyError, match="No space left"):
        hold(root_script(tmp_path / "ca", "ed25519"), seats()[:2], tmp_path / "t")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_ceremony_that_was_killed_leaves_a_trail_and_is_not_repeated_by_itself(tmp_path: Path) -> None:
    one, two, _ = seats()
    for number, item in enumerate((one, two)):
        assert isinstance(item.key, PrivateKey)
        key_file.save(tmp_path / f"o{number}.key", item.key, None)
        (tmp_path / f"o{number}.pem").write_text(item.certificate.pem)
    text = script_of("root", {"directory": "ca", "suite": "rsa", "organisation": "N", "country": "DE"}, seats())
    (tmp_path / "s.toml").write_text(text.replace("2026-12-31", "2099-12-31"))
    root = str(Path(__file__).resolve().parents[2])
    words = ["ca", "ceremony", "run", "s.toml", "--yes", "--password-file", "pw"]
    for number in (0, 1):
        words += ["--officer", f"o{number}.key", "--officer-cert", f"o{number}.pem"]
    (tmp_path / "pw").write_text("x\n")
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r}); from api.cli import main; main()"]
    process = subprocess.Popen([*command, *words], cwd=tmp_path, stdout=subprocess.PIPE)
    deadline = time.time() + 60
    while not (tmp_path / "s.toml.transcript.part").exists() and time.time() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert json.loads((tmp_path / "s.toml.transcript.part").read_text())["state"] == "started"
    again = subprocess.run([*command, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "exists" in again.stderr


# The record ----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    place = tmp_path_factory.mktemp("held")
    return place, hold(root_script(place / "ca", "ed25519"), seats()[:2], place / "t")


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.update(title="another"),
        lambda record: record.update(script=record["script"].replace("Nord", "Süd")),
        lambda record: record.update(state="failed"),
        lambda record: record["steps"].pop(),
        lambda record: record["steps"].reverse(),
        lambda record: record["steps"][0]["confirmed_by"].append("officer 3"),
        lambda record: record["steps"][2]["outputs"].clear(),
        lambda record: record["approvals"].pop(),
        lambda record: record.update(doctor={}),
        lambda record: record.update(more=1),
    ],
)
def test_no_change_of_a_record_is_accepted(held: tuple[Path, bytes], change: Callable[[dict], object]) -> None:
    values = json.loads(held[1])
    change(values["record"])
    with pytest.raises(SealroadError):
        verify(canonical(values))


def test_signatures_of_another_record_do_not_count(held: tuple[Path, bytes], tmp_path: Path) -> None:
    other = hold(root_script(tmp_path / "ca", "ed25519"), seats()[:2], tmp_path / "t")
    record, signatures = read(held[1])
    _, theirs = read(other)
    for mixed in (theirs, [], signatures[:1] * 2, [signatures[0], theirs[1]], ["?"], ["AAAA"]):
        with pytest.raises(SealroadError):
            verify(canonical({"record": record, "signatures": mixed}))


def test_the_form_is_the_one_that_was_signed(held: tuple[Path, bytes]) -> None:
    for data in (
        held[1] + b" ",
        held[1].replace(b"\n", b""),
        b"{}",
        b"[",
        b"[" * 100_000,
        b'{"record": 1, "record": 2}',
    ):
        with pytest.raises(SealroadError):
            verify(data)
    assert verify(held[1]).state == "done"


def test_an_output_that_was_changed_or_is_gone(held: tuple[Path, bytes], tmp_path: Path) -> None:
    record, _ = read(held[1])
    with pytest.raises(CeremonyError, match="another script"):
        verify(held[1], script_sha256="00" * 32)
    assert verify(held[1], script_sha256=record["script_sha256"], base=held[0]).missing == ()
    path = held[0] / "ca" / "root.pem"
    text = path.read_text()
    try:
        path.write_text(text + "\n")
        with pytest.raises(CeremonyError, match="not the file"):
            verify(held[1], base=held[0])
        path.unlink()
        assert verify(held[1], base=held[0]).missing == (str(path),)
    finally:
        path.write_text(text)


def test_no_secret_is_in_a_record(tmp_path: Path) -> None:
    uri = f"sealed:{tmp_path}/k.sealed?kek=file:{tmp_path}/kek"
    parameters = {"key": uri, "suite": "sm2", "output": str(tmp_path / "k.pub")}
    transcript = hold(parse_script(script_of("key", parameters, seats())), seats()[:2], tmp_path / "t")
    assert (tmp_path / "kek").read_bytes().strip() not in transcript
    script = json.loads(transcript)["record"]["script"]
    assert re.search("(?<![0-9a-f])5678(?![0-9a-f])", script) is None  # a fingerprint may have these digits


# Scripts -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('schema = "sealroad.ceremony/1"', 'schema = "x"'),
        ('act = "root"', 'act = "burn"'),
        ("threshold = 2", "threshold = 4"),
        ("threshold = 2", "threshold = 0"),
        ("threshold = 2", "threshold = true"),
        ("threshold = 2", ""),
        ("threshold = 2", "threshold = 2\nforce = true"),
        ("2026-12-31T00:00:00Z", "2026-12-31T00:00:00"),
        ("2026-12-31T00:00:00Z", '"tomorrow"'),
        ('name = "officer 2"', 'name = "officer 1"'),
        ('name = "officer 2"', 'name = ""'),
        ('suite = "ed25519"', 'suite = "none"'),
        ('suite = "ed25519"', "suite = 1"),
        ('suite = "ed25519"', 'suite = "ed25519"\ndays = "9"'),
        ('suite = "ed25519"', 'suite = "ed25519"\npath = "x"'),
        ('country = "DE"', ""),
        ("[parameters]", "[parameters"),
    ],
)
def test_a_script_that_is_wrong_in_any_line_is_refused(old: str, new: str, tmp_path: Path) -> None:
    text = root_script(tmp_path, "ed25519").text
    assert old in text
    with pytest.raises(CeremonyError):
        parse_script(text.replace(old, new, 1))


@settings(max_examples=60)
@given(st.text(max_size=200))
def test_no_script_raises_anything_builtin(text: str) -> None:
    with pytest.raises(SealroadError):
        parse_script(text)
