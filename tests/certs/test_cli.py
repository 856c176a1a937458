"""The sub-commands of certs, run as a user runs them."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from certs import suites
from certs.certificate import load_certificate, load_certificates
from certs.cli import COMMANDS
from certs.crl import CRL
from certs.errors import SealroadError
from certs.timestamp import check_response, make_request
from tests.conftest import circle_of

pytestmark = pytest.mark.usefixtures("cheap_passwords")

Outcome = tuple[int, str]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs one command line and returns exit code and output."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pw").write_text("секрет 密码\n", encoding="utf-8")

    def call(*words: str) -> Outcome:
        command = COMMANDS[words[0]]
        parser = argparse.ArgumentParser()
        command.configure(parser)
        code = command.run(parser.parse_args(list(words[1:])))
        sys.stdout.flush()
        return code, capfd.readouterr().out

    return call


PW = ("--password-file", "pw")


def test_the_whole_story_from_key_to_revocation(run, signing_suite: str, tmp_path: Path) -> None:
    parameter = ("--parameter", "2048") if signing_suite == "rsa" else ()
    code, out = run(
        "ca", "init", "ca", "--suite", signing_suite, "--organisation", "Nord", "--country", "DE", *parameter, *PW
    )
    assert code == 0
    assert "root SHA-256" in out
    code, out = run(
        "key", "generate", "me.key.pem", "--suite", signing_suite, *parameter, "--public", "me.pub.pem", *PW
    )
    assert code == 0
    assert signing_suite in out
    code, out = run("key", "show", "me.key.pem", "--json", *PW)
    shown = json.loads(out)
    assert shown["suite"] == signing_suite
    issue = (
        "ca",
        "issue",
        "ca",
        "--public-key",
        "me.pub.pem",
        "--cn",
        "王𠮷",
        "--country",
        "CN",
        "--chain",
        "-o",
        "me.pem",
    )
    code, out = run(*issue, *PW)
    assert code == 0
    certificate, issuing, root = load_certificates((tmp_path / "me.pem").read_bytes())
    assert certificate.common_name == "王𠮷"
    assert certificate.verify_signed_by(issuing) == signing_suite
    code, out = run("ca", "list", "ca", "--json", *PW)
    assert [entry["state"] for entry in json.loads(out)] == ["issued"] * 4
    code, out = run("ca", "revoke", "ca", "me.pem", "--reason", "keyCompromise", "--crl", "ca.crl", *PW)
    assert code == 0
    crl = CRL((tmp_path / "ca.crl").read_bytes())
    crl.check_signed_by(issuing)
    assert crl.entries[certificate.serial].reason == "keyCompromise"
    code, out = run("ca", "crl", "ca", "--root", "-o", "root.crl", *PW)
    CRL((tmp_path / "root.crl").read_bytes()).check_signed_by(root)
    request = make_request("sha256", suites.digest("sha256", b"x"))
    (tmp_path / "x.tsq").write_bytes(request)
    code, out = run("tsa", "ca", "x.tsq", "-o", "x.tsr", *PW)
    assert code == 0
    check_response((tmp_path / "x.tsr").read_bytes(), request)
    for name in ("me.pem", "ca.crl", "x.tsq", "x.tsr", "me.pub.pem", "ca/root.key.pem"):
        code, out = run("inspect", name)
        assert code == 0
        assert out.strip()
        code, out = run("inspect", name, "--format", "json")
        assert isinstance(json.loads(out), list)


@pytest.mark.parametrize("form", ["pem", "p7b"])
def test_export_writes_the_chain(run, tmp_path: Path, form: str) -> None:
    run("ca", "init", "ca", "--suite", "ed25519", "--organisation", "Nord", "--country", "DE", "--no-tsa", *PW)
    run("ca", "export", "ca", "--format", form, "-o", "chain", *PW)
    assert len(load_certificates((tmp_path / "chain").read_bytes())) == 2
    run("ca", "export", "ca", "--root", "--format", "der", "-o", "root.cer")
    assert load_certificate((tmp_path / "root.cer").read_bytes()).self_issued
    with pytest.raises(SealroadError):
        run("ca", "export", "ca", "--format", "der")


def test_revoke_by_serial_number(run, tmp_path: Path) -> None:
    run("ca", "init", "ca", "--suite", "ed25519", "--organisation", "Nord", "--country", "DE", *PW)
    serial = load_certificate((tmp_path / "ca" / "tsa.pem").read_bytes()).serial_hex
    assert run("ca", "revoke", "ca", serial, *PW)[0] == 0
    for again in (serial, "ff", "not-a-serial"):
        with pytest.raises(SealroadError):
            run("ca", "revoke", "ca", again, *PW)


def test_hold_release_and_every_list_that_is_due(run, tmp_path: Path) -> None:
    init = ("ca", "init", "ca", "--suite", "sm2", "--organisation", "Nord", "--country", "DE", *PW)
    url = (
        "--crl-url",
        "http://pki.example/{issuer}.crl",
        "--partitions",
        "2",
        "--delta-hours",
        "24",
        "--crl-days",
        "3",
    )
    assert run(*init, *url)[0] == 0
    certificate = load_certificate((tmp_path / "ca" / "tsa.pem").read_bytes())
    serial, part = certificate.serial_hex, certificate.serial % 2
    assert certificate.crl_urls[0].endswith(f"-{part}.crl")
    code, out = run("ca", "crl", "ca", "--all", "lists", *PW)
    assert (code, out.splitlines()[-1]) == (0, "7 lists written to lists")
    assert run("ca", "crl", "ca", "--all", "lists", *PW)[1] == "0 lists written to lists\n"
    before = {path.name: path.read_bytes() for path in (tmp_path / "lists").iterdir()}
    assert "on hold until 2100" in run("ca", "hold", "ca", serial, "--until", "2100-01-01", *PW)[1]
    assert "on hold" in run("ca", "list", "ca")[1]
    assert "4 lists written" in run("ca", "crl", "ca", "--all", "lists", *PW)[1]  # base and delta: of all, of its part
    changed = {path.name for path in (tmp_path / "lists").iterdir() if path.read_bytes() != before[path.name]}
    assert sum(f"-{part}" in name for name in changed) == 2
    run("ca", "crl", "ca", "--partition", str(part), "-o", "base.crl", *PW)
    assert run("ca", "release", "ca", serial, *PW)[0] == 0
    run("ca", "crl", "ca", "--partition", str(part), "--delta", "-o", "delta.crl", *PW)
    delta = CRL((tmp_path / "delta.crl").read_bytes())
    assert delta.entries[certificate.serial].reason == "removeFromCRL"
    assert CRL((tmp_path / "base.crl").read_bytes()).entries[certificate.serial].reason == "certificateHold"
    since = ("--reason", "keyCompromise", "--invalid-since", "2020-02-03T04:05:06+03:00")
    run("ca", "revoke", "ca", serial, *since, "--crl", "all.crl", *PW)
    entry = CRL((tmp_path / "all.crl").read_bytes()).entries[certificate.serial]
    assert (entry.reason, f"{entry.invalid_since:%Y-%m-%d %H:%M:%S}") == ("keyCompromise", "2020-02-03 01:05:06")
    for action, code in (("release", "not-on-hold"), ("hold", "already-revoked"), ("revoke", "already-revoked")):
        with pytest.raises(SealroadError) as caught:
            run("ca", action, "ca", serial, *PW)
        assert caught.value.code == code
    with pytest.raises(SealroadError) as caught:
        run("ca", "hold", "ca", "ff", *PW)
    assert caught.value.code == "not-on-record"
    for words in (("--partition", "2"), ("--all", "lists", "--delta")):
        with pytest.raises(SealroadError):
            run("ca", "crl", "ca", *words, *PW)
    for words in (("--invalid-since", "yesterday"), ("--reason", "removeFromCRL")):
        with pytest.raises(SealroadError):
            run("ca", "revoke", "ca", serial, *words, *PW)


def test_the_time_stamping_key_is_replaced(run, tmp_path: Path) -> None:
    run("ca", "init", "ca", "--suite", "sm2", "--organisation", "Nord", "--country", "DE", *PW)
    assert "not due" in run("ca", "rotate-tsa", "ca", "--if-due", *PW)[1]
    assert run("ca", "rotate-tsa", "ca", *PW)[0] == 0
    request = make_request("sm3", suites.digest("sm3", b"x"))
    (tmp_path / "x.tsq").write_bytes(request)
    run("tsa", "ca", "x.tsq", "--gm", "-o", "x.tsr", *PW)
    token = check_response((tmp_path / "x.tsr").read_bytes(), request)
    assert token.outer_oid == "1.2.156.10197.6.1.4.2.2"
    assert token.certificate() == load_certificate((tmp_path / "ca" / "tsa-2.pem").read_bytes())


def test_no_file_is_overwritten_by_a_key_and_no_input_by_an_output(run, tmp_path: Path) -> None:
    run("key", "generate", "k.pem", "--suite", "ed25519", *PW)
    before = (tmp_path / "k.pem").read_bytes()
    with pytest.raises(SealroadError) as caught:
        run("key", "generate", "k.pem", "--suite", "ed25519", *PW)
    assert caught.value.hint
    assert (tmp_path / "k.pem").read_bytes() == before
    run("ca", "init", "ca", "--suite", "ed25519", "--organisation", "Nord", "--country", "DE", *PW)
    (tmp_path / "x.tsq").write_bytes(make_request("sha256", bytes(32)))
    with pytest.raises(SealroadError):
        run("tsa", "ca", "x.tsq", "-o", "./x.tsq", *PW)


def test_a_wrong_password_and_nobody_to_ask(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("key", "generate", "k.pem", "--suite", "sm2", *PW)
    (tmp_path / "wrong").write_text("wrong")
    with pytest.raises(SealroadError) as caught:
        run("key", "show", "k.pem", "--password-file", "wrong")
    assert caught.value.code == "wrong-password"
    with open(os.devnull) as nothing:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(SealroadError) as caught:
            run("key", "show", "k.pem")
    assert "--password-fd" in caught.value.hint


def test_a_password_by_file_descriptor(run, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, "секрет 密码\n".encode())
    os.close(writing)
    run("key", "generate", "k.pem", "--suite", "ed25519", "--password-fd", str(reading))
    assert run("key", "show", "k.pem", "--pem", *PW)[1].startswith("-----BEGIN PUBLIC KEY-----")


def test_no_option_takes_a_secret() -> None:
    for command in COMMANDS.values():
        parser = argparse.ArgumentParser()
        command.configure(parser)
        assert "--password " not in parser.format_help()
        assert "PASSWORD" not in parser.format_help()


def test_inspect_says_what_it_cannot_read(run, tmp_path: Path) -> None:
    for number, data in enumerate((b"", b"hello", b"%PDF-1.7", b"\x30\x00")):
        (tmp_path / f"f{number}").write_bytes(data)
        with pytest.raises(SealroadError):
            run("inspect", f"f{number}")
    with pytest.raises(SealroadError):
        run("inspect", "missing")


def test_inspect_tells_a_broken_signature(run, tmp_path: Path) -> None:
    from certs.signed_data import build_signed_data

    person = circle_of("ecdsa-p256").person
    data = bytearray(build_signed_data(b"contract", person.key, person.certificate))
    data[-4] ^= 1
    (tmp_path / "x.p7m").write_bytes(data)
    assert "bad-signature" in run("inspect", "x.p7m")[1]


def test_a_wrong_identifier_is_not_certified(run) -> None:
    run("ca", "init", "ca", "--suite", "ed25519", "--organisation", "Nord", "--country", "DE", *PW)
    run("key", "generate", "k.pem", "--suite", "ed25519", "--public", "p.pem", *PW)
    issue = ("ca", "issue", "ca", "--public-key", "p.pem", "--cn", "x", "--organisation", "o", "--country", "CN")
    with pytest.raises(SealroadError) as caught:
        run(*issue, "--profile", "organisation", "--identifier", "CN-USCC:9144030071526726XA", *PW)
    assert caught.value.code == "bad-identifier"
    code, out = run(*issue, "--profile", "organisation", "--identifier", "cn-uscc:9144030071526726XG", *PW)
    assert code == 0
    assert "BEGIN CERTIFICATE" in out


def test_describing_the_commands_imports_nothing_heavy() -> None:
    program = (
        "import sys, argparse, certs.cli\n"
        "for c in certs.cli.COMMANDS.values(): c.configure(argparse.ArgumentParser())\n"
        "heavy = {'cryptography', 'asn1crypto', 'sqlite3', 'certs.suites'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
