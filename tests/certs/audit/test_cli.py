"""`sealroad ca audit` and `sealroad ra`, run as an auditor and as officers run them."""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from certs import profiles
from certs.certificate import load_certificate
from certs.cli import COMMANDS
from certs.errors import SealroadError
from tests.certs.test_ra import TWO_APPROVALS

pytestmark = pytest.mark.usefixtures("cheap_passwords")

Run = Callable[..., tuple[int, str]]
PW = ("--password-file", "pw")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pw").write_text("secret\n")

    def call(*words: str) -> tuple[int, str]:
        command = COMMANDS[words[0]]
        parser = argparse.ArgumentParser()
        command.configure(parser)
        code = command.run(parser.parse_args(list(words[1:])))
        sys.stdout.flush()
        return code, capfd.readouterr().out

    return call


def test_an_auditor_in_every_suite(run: Run, signing_suite: str, tmp_path: Path) -> None:
    parameter = ("--parameter", "2048") if signing_suite == "rsa" else ()
    run("ca", "init", "ca", "--suite", signing_suite, "--organisation", "Nord", "--country", "DE", *parameter, *PW)
    code, out = run("ca", "audit", "checkpoint", "ca", "-o", "first.pem", *PW)
    assert code == 0
    assert signing_suite in out
    assert "time-stamped" in out
    serial = load_certificate((tmp_path / "ca" / "tsa.pem").read_bytes()).serial_hex
    run("ca", "revoke", "ca", serial, "--crl", "ca.crl", *PW)
    run("ca", "audit", "checkpoint", "ca", "-o", "second.pem", "--no-time-stamp", *PW)
    code, out = run("ca", "audit", "verify", "ca", "--checkpoint", "first.pem", "--checkpoint", "second.pem")
    assert (code, "the log is whole" in out) == (0, True), out
    code, out = run("ca", "audit", "show", "ca", "--serial", serial)
    assert [line.split()[2] for line in out.splitlines()] == ["prepare", "claim", "issued", "revoke"]
    code, out = run("ca", "audit", "show", "ca", "--act", "crl", "--json")
    assert json.loads(out)["act"] == "crl"
    assert run("ca", "audit", "prove", "ca", serial, "-o", "proof.json")[0] == 0
    code, out = run("ca", "audit", "check", "proof.json", "--checkpoint", "second.pem", "--trust", "ca/root.pem")
    assert code == 0
    assert "revoke" in out
    assert "nobody vouches" not in out
    code, out = run("ca", "audit", "check", "proof.json", "--checkpoint", "second.pem")
    assert "nobody vouches" in out
    with pytest.raises(SealroadError):
        run("ca", "audit", "check", "proof.json", "--checkpoint", "first.pem")
    run("ca", "audit", "prove", "ca", "--since", "first.pem", "-o", "grown.json")
    code, out = run("ca", "audit", "check", "grown.json", "--checkpoint", "second.pem", "--since", "first.pem")
    assert "is the beginning" in out
    for name in ("first.pem", "proof.json", "grown.json"):
        code, out = run("inspect", name)
        assert "sealroad.audit" in out


def test_verify_says_which_entry_and_ends_with_1(run: Run, tmp_path: Path) -> None:
    run("ca", "init", "ca", "--suite", "ed25519", "--organisation", "Nord", "--country", "DE", "--no-tsa", *PW)
    run("ca", "audit", "checkpoint", "ca", "-o", "checkpoint.pem", *PW)
    assert run("ca", "audit", "verify", "ca")[0] == 0
    database = sqlite3.connect(tmp_path / "ca" / "audit.sqlite")
    database.execute("DROP TRIGGER entry_is_kept")
    database.execute("DELETE FROM entry WHERE number = 4")
    database.commit()
    database.close()
    code, out = run("ca", "audit", "verify", "ca", "--checkpoint", "checkpoint.pem")
    assert code == 1
    assert "entry 4 missing" in out
    assert "NOT whole" in out
    code, out = run("ca", "audit", "verify", "ca", "--json")
    found = json.loads(out)
    assert (code, found["good"]) == (1, False)
    assert {"removed"} <= {item["kind"] for item in found["findings"]}


def test_two_authorities_sign_one_checkpoint(run: Run) -> None:
    for name, suite in (("china", "sm2"), ("world", "ecdsa-p256")):
        run("ca", "init", name, "--suite", suite, "--organisation", "Nord", "--country", "DE", "--no-tsa", *PW)
    code, out = run("ca", "audit", "checkpoint", "china", "--also", "world", "-o", "both.pem", *PW)
    assert "sm2, ecdsa-p256, without a time-stamp" in out
    code, out = run("ca", "audit", "verify", "china", "--checkpoint", "both.pem")
    assert code == 1  # the second signer is a stranger here
    code, out = run("ca", "audit", "verify", "china", "--checkpoint", "both.pem", "--trust", "world/root.pem")
    assert code == 0, out


def test_usage(run: Run) -> None:
    run("ca", "init", "ca", "--suite", "ed25519", "--organisation", "Nord", "--country", "DE", "--no-tsa", *PW)
    for words in (
        ("ca", "audit", "prove", "ca"),
        ("ca", "audit", "prove", "ca", "xyz"),
        ("ca", "audit", "prove", "ca", "77"),
        ("ca", "audit", "verify", "nowhere"),
        ("ca", "issue", "ca", "--application", "nowhere", *PW),
        ("ra", "officer", "ca", "--appoint", "anna"),
    ):
        with pytest.raises(SealroadError):
            run(*words)


def test_from_application_to_certificate(
    run: Run, signing_suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = profiles.load
    monkeypatch.setattr(profiles, "load", lambda name: TWO_APPROVALS if name == "person" else load(name))
    parameter = ("--parameter", "2048") if signing_suite == "rsa" else ()
    run("ca", "init", "ca", "--suite", signing_suite, "--organisation", "Nord", "--country", "DE", *parameter, *PW)
    monkeypatch.setattr(profiles, "load", load)
    for name, suite in (("anna", "ecdsa-p256"), ("boris", "sm2"), ("me", signing_suite)):
        more = parameter if suite == signing_suite else ()
        run("key", "generate", f"{name}.key", "--suite", suite, "--public", f"{name}.pub", *more, *PW)
    for name in ("anna", "boris"):
        issue = ("--public-key", f"{name}.pub", "--cn", f"Officer {name}", "--country", "DE", "-o", f"{name}.pem")
        run("ca", "issue", "ca", *issue, *PW)
        code, out = run("ra", "officer", "ca", "--appoint", name, "--certificate", f"{name}.pem")
        assert name in out
    monkeypatch.setattr(profiles, "load", lambda name: TWO_APPROVALS if name == "person" else load(name))
    (tmp_path / "scan.jpg").write_bytes(b"a passport")
    (tmp_path / "number").write_text("C01X00T47\n")
    proofing = ("--proofed-by", "anna", "--method", "document", "--evidence", "passport:scan.jpg")
    number = ("--number", "passport-number:number")
    who = ("--public-key", "me.pub", "--cn", "Jörg Müller", "--country", "DE")
    run("ra", "apply", "ca", *who, *proofing, *number, "-o", "application.json")
    assert len((tmp_path / "number.salt").read_text()) == 65
    text = (tmp_path / "application.json").read_text()
    assert "C01X00T47" not in text
    assert "Jörg Müller" in text
    issue_it = ("ca", "issue", "ca", "--application", "application.json", "-o", "me.pem", *PW)
    with pytest.raises(SealroadError, match="0 count"):
        run(*issue_it)
    for name in ("anna", "boris"):
        signing = ("--officer", name, "--key", f"{name}.key", "--certificate", f"{name}.pem")
        assert run("ra", "approve", "application.json", *signing, *PW)[0] == 0
    code, out = run("ra", "show", "application.json", "--ca", "ca")
    assert "approved by" in out
    code, out = run("ra", "show", "application.json", "--json")
    assert json.loads(out)[0]["kind"] == "application"
    assert run(*issue_it)[0] == 0
    assert load_certificate((tmp_path / "me.pem").read_bytes()).common_name == "Jörg Müller"
    with pytest.raises(SealroadError):
        run(*issue_it)
    code, out = run("ca", "audit", "verify", "ca")
    assert code == 0, out
    next((tmp_path / "ca" / "applications").iterdir()).unlink()
    code, out = run("ca", "audit", "verify", "ca")
    assert code == 1
    assert "the dossier of application" in out
    code, out = run("ra", "officer", "ca", "--dismiss", "boris")
    assert "dismissed" in out
    with pytest.raises(SealroadError):
        run("ra", "apply", "ca", *who, "--method", "document")
