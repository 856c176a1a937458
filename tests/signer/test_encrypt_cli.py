"""`sealroad encrypt` and `sealroad decrypt` as people and scripts use them."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from api.cli import main
from certs import files
from certs.enveloped_view import EnvelopeView
from certs.keys import file as key_file
from certs.pem import armor
from certs.suites import ENCRYPTION_NAMES
from tests.certs.post import circle_for, mailbox, misused
from tests.conftest import NOW, circle_of, make_pdf
from tests.signer import locked

TEXT = "合同 𠮷 Договор".encode() * 1000
SUITES = ("ecdsa-p256", "sm2", "gost2012-256")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a contract, and for each suite a sender, a recipient and an authority to trust."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("certs.clock.SystemClock.now", lambda self: NOW)
    (tmp_path / "contract.pdf").write_bytes(TEXT)
    for name in SUITES:
        circle, box = circle_of(name), mailbox(name)
        key_file.save(tmp_path / f"{name}.me.key", circle.person.key, None)
        key_file.save(tmp_path / f"{name}.you.key", box.key, None)
        (tmp_path / f"{name}.me.pem").write_text(circle.person.certificate.pem + circle.issuing.pem)
        (tmp_path / f"{name}.you.pem").write_text(box.certificate.pem + circle.issuing.pem)
        (tmp_path / name).mkdir()
        (tmp_path / name / "root.pem").write_text(circle.root.pem)
        for number, crl in enumerate(circle.crls):
            (tmp_path / name / f"{number}.crl").write_bytes(crl.der)
    return tmp_path


def encrypting(target: str, *names: str, source: str = "contract.pdf") -> list[str]:
    trust = [word for name in names for word in ("--trust", name)]
    return ["encrypt", source, target, "--to", *(f"{name}.you.pem" for name in names), *trust]


def signing(*names: str) -> list[str]:
    return [word for name in names for word in ("--sign-key", f"{name}.me.key", "--cert", f"{name}.me.pem")]


def decrypting(source: str, name: str, *more: str, target: str = "out.pdf") -> list[str]:
    return ["decrypt", source, target, "--key", f"{name}.you.key", *more]


def only(desk: Path, *made: str) -> None:
    """Check that nothing but `made` came into being, hidden files included."""
    before = {"contract.pdf", *SUITES, *(f"{name}.{who}" for name in SUITES for who in WHO)}
    assert {item.name for item in desk.iterdir()} == before | set(made)


WHO = ("me.key", "me.pem", "you.key", "you.pem")


# Envelopes -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SUITES)
def test_an_envelope_for_three_families(desk: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*encrypting("contract.zip", *SUITES), *signing(*SUITES)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("contract.zip: encrypted to ")
    assert said.count("\n") == 1
    assert main(decrypting("contract.zip", name, "--cert", f"{name}.you.pem", "--trust", name)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "contract.pdf" in captured.out
    named = circle_of(name).person.certificate.subject  # of the others nobody here knows whether they are who they say
    others = {circle_of(sender).person.certificate.subject for sender in SUITES} - {named}
    assert captured.out.count(named) == 1
    assert not any(subject in captured.out for subject in others)
    assert captured.out.rstrip().endswith("TOTAL-PASSED")
    assert (desk / "out.pdf").read_bytes() == TEXT
    assert (desk / "out.pdf").stat().st_mode & 0o777 == 0o600
    only(desk, "contract.zip", "out.pdf")


def test_an_envelope_of_an_unknown_sender_is_opened_and_said_to_be_one(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*encrypting("contract.zip", "sm2"), *signing("ecdsa-p256")]) == 0
    assert main(decrypting("contract.zip", "sm2")) == 3
    captured = capsys.readouterr()
    assert "INDETERMINATE" in captured.out
    assert "who the sender is could not be told" in captured.err
    assert (desk / "out.pdf").read_bytes() == TEXT


def test_one_part_alone_opens_and_it_is_said_that_the_others_were_not_there(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*encrypting("contract.zip", "sm2", "gost2012-256"), *signing("sm2")]) == 0
    with zipfile.ZipFile("contract.zip") as whole, zipfile.ZipFile("part.zip", "w") as part:
        for name in whole.namelist():
            if not name.startswith("russia"):
                part.writestr(name, whole.read(name))
    capsys.readouterr()
    assert main(decrypting("part.zip", "sm2", "--trust", "sm2")) == 0
    assert Path("out.pdf").read_bytes() == TEXT
    assert "the parts of the other recipients were not there" in capsys.readouterr().err
    assert main(decrypting("contract.zip", "sm2", "--trust", "sm2", target="again.pdf")) == 0
    assert capsys.readouterr().err == ""
    assert main(decrypting("part.zip", "gost2012-256", "--trust", "gost2012-256", target="theirs.pdf")) == 2


@pytest.mark.parametrize("name", SUITES)
def test_a_directory_is_an_envelope_too(desk: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "empty").mkdir()
    for target in ("contract/", "empty"):
        assert main([*encrypting(target, *SUITES), *signing(*SUITES)]) == 0
        assert main(decrypting(target, name, "--trust", name, target=f"{target.rstrip('/')}.out")) == 0
        assert capsys.readouterr().out.rstrip().endswith("TOTAL-PASSED")
        assert (desk / f"{target.rstrip('/')}.out").read_bytes() == TEXT
    only(desk, "contract", "empty", "contract.out", "empty.out")
    whole = {item.name for item in (desk / "contract").iterdir()}
    assert {item.name for item in (desk / "empty").iterdir()} == whole
    for item in (desk / "contract").iterdir():  # what one family needs
        if not item.name.startswith(("manifest", mailbox(name).key.suite.family.value)):
            item.unlink()
    assert main(decrypting("contract", name, "--trust", name, target="contract.out")) == 0
    assert "the parts of the other recipients were not there" in capsys.readouterr().err


def test_a_directory_that_is_taken_or_holds_the_output_is_refused(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    envelope = [*encrypting("contract/", "sm2"), *signing("sm2")]
    assert main(envelope) == 0
    before = {item.name: item.read_bytes() for item in (desk / "contract").iterdir()}
    cases = {
        "no empty directory": envelope,
        "a directory holds an envelope": encrypting("new/", "sm2"),
        "is none of an envelope's": decrypting(".", "sm2", target="contract/out.pdf"),
        "a part of the envelope": decrypting("contract", "sm2", target="contract/manifest.json"),
        "is missing": decrypting("sm2/none", "sm2"),
    }
    (desk / "sm2" / "none").mkdir()
    for words, arguments in cases.items():
        capsys.readouterr()
        assert main(arguments) == 2, words
        captured = capsys.readouterr()
        assert words in captured.err
        assert "hint: " in captured.err
    (desk / "sm2" / "none").rmdir()
    only(desk, "contract")
    assert {item.name: item.read_bytes() for item in (desk / "contract").iterdir()} == before


def test_a_tampered_envelope_gives_nothing(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*encrypting("contract.zip", "sm2", "gost2012-256"), *signing("sm2")]) == 0
    data = bytearray((desk / "contract.zip").read_bytes())
    data[data.index(b"russia.p7m") + 2000] ^= 1
    (desk / "contract.zip").write_bytes(data)
    assert main(decrypting("contract.zip", "sm2", "--trust", "sm2")) == 2
    captured = capsys.readouterr()
    assert "russia.p7m" in captured.err
    assert "hint: " in captured.err
    only(desk, "contract.zip")


def test_the_name_of_the_content_is_the_senders_choice_and_harmless_on_a_terminal(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*encrypting("contract.zip", "sm2"), *signing("sm2"), "--name", "a\x1b[2Jb\u202efdp.exe"]) == 0
    capsys.readouterr()
    assert main(decrypting("contract.zip", "sm2", "--trust", "sm2")) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\u202e" not in said


# One message ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SUITES)
def test_a_single_message_for_one_family(desk: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(encrypting("contract.p7m", name)) == 0
    assert main(decrypting("contract.p7m", name)) == 0
    assert (desk / "out.pdf").read_bytes() == TEXT
    assert ("anybody may have changed" in capsys.readouterr().err) == (name == "sm2")
    only(desk, "contract.p7m", "out.pdf")


def test_a_cipher_that_notices_changes_can_be_asked_for(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*encrypting("contract.p7m", "sm2"), "--cipher", "sm4-gcm"]) == 0
    assert main(decrypting("contract.p7m", "sm2")) == 0
    assert capsys.readouterr().err == ""
    assert main([*encrypting("contract.p7m", "sm2"), "--cipher", "magma-ctr-acpkm-omac"]) == 2
    assert "no recipient reads magma" in capsys.readouterr().err


def test_several_families_without_a_sender_are_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(encrypting("contract.p7m", "sm2", "ecdsa-p256")) == 2
    assert "package" in capsys.readouterr().err
    only(desk)


def test_pem_is_read(desk: Path) -> None:
    assert main(encrypting("contract.p7m", "gost2012-256")) == 0
    (desk / "contract.pem").write_text(armor("CMS", (desk / "contract.p7m").read_bytes()))
    assert main(decrypting("contract.pem", "gost2012-256")) == 0
    assert (desk / "out.pdf").read_bytes() == TEXT


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise OSError("Illegal seek")


class Standard:
    """Standard streams that are pipes."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BufferedReader(Pipe(data))

    def isatty(self) -> bool:
        return False


@pytest.mark.parametrize("sender", [(), ("sm2",)])
def test_standard_streams(
    desk: Path, sender: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(sys, "stdin", Standard(TEXT))
    assert main([*encrypting("-", "sm2", source="-"), *signing(*sender)]) == 0
    message = capfdbinary.readouterr().out
    assert message[:2] == (b"PK" if sender else b"\x30\x80")
    monkeypatch.setattr(sys, "stdin", Standard(message))
    assert main(decrypting("-", "sm2", *(["--trust", "sm2"] if sender else []), target="-")) == 0
    assert capfdbinary.readouterr().out == TEXT
    monkeypatch.setattr(sys, "stdin", Standard(message[:-1]))
    assert main(decrypting("-", "sm2", target="-")) == 2
    assert capfdbinary.readouterr().out == b""
    only(desk)


# Refusals ------------------------------------------------------------------------------------------------------------
def test_a_recipient_who_only_signs_is_named_with_the_reason(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["encrypt", "contract.pdf", "out.p7m", "--to", "sm2.me.pem", "--trust", "sm2"]) == 2
    said = capsys.readouterr().err
    assert "王𠮷" in said
    assert "not for encryption" in said
    assert "second certificate" in said
    only(desk)


def test_without_trust_the_hint_says_what_is_missing(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["encrypt", "contract.pdf", "out.p7m", "--to", "sm2.you.pem"]) == 2
    assert "--trust" in capsys.readouterr().err
    assert main(["encrypt", "contract.pdf", "out.p7m", "--to", "sm2.you.pem", "--trust", "sm2/root.pem"]) == 2
    assert "revocation lists" in capsys.readouterr().err
    options = ["--trust", "sm2/root.pem", "--revocation", "if-present"]
    assert main(["encrypt", "contract.pdf", "out.p7m", "--to", "sm2.you.pem", *options]) == 0
    assert main(["encrypt", "contract.pdf", "out.p7m", "--to", "sm2.you.pem", "--trust", "sm2.you.pem"]) == 0


@pytest.mark.parametrize("target", ["contract.pdf", "./contract.pdf", "sm2.you.pem", "sm2.me.pem"])
def test_an_input_is_never_overwritten(desk: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = (desk / target).read_bytes()
    assert main([*encrypting(target, "sm2"), *signing("sm2")]) == 2
    assert "is an input" in capsys.readouterr().err
    assert (desk / target).read_bytes() == before


def test_decrypting_over_the_message_or_the_key_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(encrypting("contract.p7m", "sm2")) == 0
    for target in ("contract.p7m", "sm2.you.key"):
        assert main(decrypting("contract.p7m", "sm2", target=target)) == 2
        assert "is an input" in capsys.readouterr().err


def test_wrong_words_are_explained(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(encrypting("contract.p7m", "sm2")) == 0
    cases = {
        "only an envelope": [*encrypting("x", "sm2"), "--name", "a"],
        "more --cert": [*encrypting("x", "sm2"), *signing("sm2"), "--cert", "sm2.me.pem"],
        "no sender": decrypting("contract.p7m", "sm2", "--trust", "sm2"),
        "cannot be read": encrypting("x", "sm2", source="nothing.pdf"),
        "no recipient has an RSA key": [*encrypting("x", "sm2"), "--oaep", "sha1"],
        "no content cipher": [*encrypting("x", "sm2"), "--cipher", "rot13"],
        "not encrypted to": decrypting("contract.p7m", "ecdsa-p256"),
        "belongs": decrypting("sm2/0.crl", "sm2"),
    }
    for words, arguments in cases.items():
        capsys.readouterr()
        assert main(arguments) == 2, words
        assert words in capsys.readouterr().err


# While it runs -------------------------------------------------------------------------------------------------------
def test_progress_is_shown_on_a_terminal_after_a_second(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(1_000_000))
    (desk / "contract.pdf").write_bytes(bytes(3 << 20))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    assert main(encrypting("contract.p7m", "ecdsa-p256")) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(encrypting("contract.p7m", "ecdsa-p256")) == 0
    said = capsys.readouterr().err
    assert "2 MiB, 83 %" in said
    assert said.endswith("\r\x1b[K")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_nothing_stays_behind(desk: Path, number: int) -> None:
    """A pipe that stays open keeps it waiting until the signal comes."""
    code = (
        "import sys; from datetime import datetime; from certs.clock import SystemClock; from api.cli import main;"
        f"SystemClock.now = lambda self: datetime.fromisoformat({NOW.isoformat()!r}); sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *encrypting("contract.p7m", "sm2", source="-")]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    running = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=desk, env=environment, stderr=subprocess.PIPE)
    assert running.stdin is not None
    running.stdin.write(bytes(1 << 20))
    running.stdin.flush()
    deadline = time.monotonic() + 60
    while not [item for item in desk.iterdir() if item.name.startswith(".contract.p7m")]:
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (130, b"sealroad: interrupted\n")
    only(desk)


def test_killed_outright_a_decryption_leaves_no_octet_of_the_content_behind(desk: Path) -> None:
    """A pipe keeps it waiting in the middle of the content, with some of it written already."""
    probe = files.nameless(desk / "probe")
    probe.discard()
    if isinstance(probe, files.WholeFile):
        pytest.skip("the file system of the test has no files without a name")
    (desk / "contract.pdf").write_bytes(bytes(range(256)) * 8192)
    assert main(encrypting("contract.p7m", "ecdsa-p256")) == 0
    message = (desk / "contract.p7m").read_bytes()
    (desk / "contract.p7m").unlink()
    command = [sys.executable, "-m", "api.cli", *decrypting("-", "ecdsa-p256")]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    running = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=desk, env=environment, stderr=subprocess.PIPE)
    assert running.stdin is not None
    running.stdin.write(message[:-1000])
    running.stdin.flush()
    deadline = time.monotonic() + 120
    while not any("(deleted)" in str(item.readlink()) for item in Path(f"/proc/{running.pid}/fd").iterdir()):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.05)
    running.kill()
    running.communicate(timeout=60)
    only(desk)


def test_a_message_from_a_pipe_has_no_size_and_one_from_a_file_is_der(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(encrypting("contract.p7m", "sm2")) == 0
    data = (desk / "contract.p7m").read_bytes()
    assert data[1] != 0x80
    assert EnvelopeView(io.BytesIO(data)).recipients


# PDF -----------------------------------------------------------------------------------------------------------------
def signing_locked(source: str, target: str, reader: str, signer: str) -> list[str]:
    who = ["--key", f"{signer}.me.key", "--cert", f"{signer}.me.pem"]
    return ["sign", source, target, *who, "--open-key", f"{reader}.you.key", "--open-cert", f"{reader}.you.pem"]


@pytest.mark.parametrize("cipher", ["aes-256", "aes-256-gcm"])
def test_a_pdf_is_encrypted_signed_verified_and_decrypted(
    desk: Path, capsys: pytest.CaptureFixture[str], cipher: str
) -> None:
    (desk / "contract.pdf").write_bytes(make_pdf())
    assert main([*encrypting("locked.pdf", *SUITES), "--pdf", "--cipher", cipher]) == 0
    said = capsys.readouterr().out
    assert said.startswith("locked.pdf: encrypted to ")
    assert said.endswith(f", {cipher}\n")
    source = "locked.pdf"
    for number, (reader, signer) in enumerate(zip(SUITES, reversed(SUITES), strict=True)):
        assert main(signing_locked(source, f"{number}.pdf", reader, signer)) == 0, capsys.readouterr().err
        source = f"{number}.pdf"
    capsys.readouterr()
    trust = [word for name in SUITES for word in ("--trust", name)]
    assert main(["verify", source, *trust, "--key", "sm2.you.key", "--cert", "sm2.you.pem"]) == 0
    assert "TOTAL-PASSED: every signature checked out" in capsys.readouterr().out
    assert main(decrypting(source, "gost2012-256", "--cert", "gost2012-256.you.pem")) == 0
    captured = capsys.readouterr()
    assert ("no MAC" in captured.err) == (cipher == "aes-256")
    assert "signatures hold in the encrypted file only" in captured.err
    assert (desk / "out.pdf").read_bytes().startswith(b"%PDF-")
    assert (desk / "out.pdf").stat().st_mode & 0o777 == 0o600
    assert main(["encrypt", source, "again.pdf", "--pdf", "--to", "sm2.you.pem", "--trust", "sm2"]) == 2
    assert not (desk / "again.pdf").exists()


def test_a_password_opens_what_is_signed(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "contract.pdf").write_bytes(locked.by_qpdf(6))
    (desk / "password").write_text(locked.USER + "\n")
    who = ["sign", "contract.pdf", "out.pdf", "--key", "sm2.me.key", "--cert", "sm2.me.pem"]
    assert main(who) == 2
    assert "--open-password-file" in capsys.readouterr().err
    assert main([*who, "--open-password-file", "password"]) == 0
    assert main(["verify", "out.pdf", "--trust", "sm2", "--password-file", "password"]) == 0


def test_what_makes_no_sense_with_an_encrypted_pdf(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "contract.pdf").write_bytes(make_pdf())
    assert main([*encrypting("locked.pdf", "sm2"), "--pdf"]) == 0
    assert main(signing_locked("locked.pdf", "signed.pdf", "sm2", "sm2")) == 0
    locked_pdf = [*encrypting("x", "sm2", source="locked.pdf"), "--pdf"]
    cases = {
        "has one cipher of its own": [*encrypting("x", "sm2"), "--pdf", "--cipher", "sm4-gcm"],
        "no envelope to sign": [*encrypting("x", "sm2"), *signing("sm2"), "--pdf"],
        "encrypted already": locked_pdf,
        "asks nobody who wrote it": decrypting("locked.pdf", "sm2", "--cert", "sm2.you.pem", "--trust", "sm2"),
        "no certificate beside the key": decrypting("locked.pdf", "sm2"),
        "not a PDF": [*encrypting("x", "sm2", source="sm2.me.pem"), "--pdf"],
        "other certificates": decrypting("locked.pdf", "gost2012-256", "--cert", "gost2012-256.you.pem"),
        "--open-cert says whose": [*signing_locked("locked.pdf", "x", "sm2", "sm2")[:-4], "--open-cert", "sm2.me.pem"],
        "--open-key has no meaning": [*signing_locked("locked.pdf", "x", "sm2", "sm2"), "--detached"],
        "nothing is encrypted to": ["encrypt", "contract.pdf", "x", "--pdf", "--to", "sm2.me.pem", "--trust", "sm2"],
    }
    for words, arguments in cases.items():
        capsys.readouterr()
        assert main(arguments) == 2, words
        captured = capsys.readouterr()
        assert words in captured.err
        assert "hint: " in captured.err
    only(desk, "locked.pdf", "signed.pdf")


# Keys that only encrypt ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ENCRYPTION_NAMES)
@pytest.mark.parametrize("target", ["contract.p7m", "contract.zip", "locked.pdf"])
def test_a_key_that_cannot_sign_receives(
    desk: Path, name: str, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    circle, box = circle_for(name), mailbox(name)
    key_file.save(desk / "you.key", box.key, None)
    (desk / "you.pem").write_text(box.certificate.pem + circle.issuing.pem)
    (desk / "theirs").mkdir()
    (desk / "theirs" / "root.pem").write_text(circle.root.pem)
    for number, crl in enumerate(circle.crls):
        (desk / "theirs" / f"{number}.crl").write_bytes(crl.der)
    pdf, envelope = target.endswith(".pdf"), target.endswith(".zip")
    if pdf:
        (desk / "contract.pdf").write_bytes(make_pdf())
    to = ["encrypt", "contract.pdf", target, "--to", "you.pem", "ecdsa-p256.you.pem"]
    more = ["--pdf"] if pdf else signing("ecdsa-p256", "sm2") if envelope else []
    assert main([*to, *more, "--trust", "theirs", "--trust", "ecdsa-p256"]) == 0
    trust = ["--trust", "ecdsa-p256"] if envelope else []
    assert main(["decrypt", target, "out.pdf", "--key", "you.key", "--cert", "you.pem", *trust]) == 0
    assert (desk / "out.pdf").stat().st_mode & 0o777 == 0o600
    if not pdf:
        assert (desk / "out.pdf").read_bytes() == TEXT
    capsys.readouterr()
    (desk / "signs.pem").write_text(misused(name).pem)
    assert main(["encrypt", "contract.pdf", "no.p7m", "--to", "signs.pem", "--trust", "theirs"]) == 2
    assert "not for encryption" in capsys.readouterr().err
    assert not (desk / "no.p7m").exists()
