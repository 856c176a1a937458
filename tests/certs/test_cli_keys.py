"""`key destroy|split|recover|rewrap`, `ca ceremony`, keys in sealed files and tokens, as a user runs them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

from certs import suites
from certs.certificate import load_certificates
from certs.cli import COMMANDS
from certs.commands.console import UsageError
from certs.crl import CRL
from certs.errors import CeremonyError, KeyNotFound, KeyStoreError
from certs.keys import file as key_file
from certs.keys.destruction import read_statement
from certs.suites.base import PrivateKey
from tests.certs.test_ceremony import script_of, seats
from tests.certs.tokens import PIN, new_token, with_object
from tests.conftest import make_pdf

pytestmark = pytest.mark.usefixtures("cheap_passwords")
PW = ("--password-file", "pw")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pw").write_bytes(PIN + b"\n")

    def call(*words: str) -> str:
        if words[0] == "sign":
            from signer.cli import COMMANDS as SIGN

            command = SIGN["sign"]
        else:
            command = COMMANDS[words[0]]
        parser = argparse.ArgumentParser()
        command.configure(parser)
        assert command.run(parser.parse_args(list(words[1:]))) == 0
        sys.stdout.flush()
        return capfd.readouterr().out

    return call


def test_a_sealed_key_from_making_to_destruction(run, signing_suite: str, tmp_path: Path) -> None:
    uri = "sealed:seller.sealed?kek=file:kek"
    size = ("--parameter", "2048") if signing_suite == "rsa" else ()
    made = run("key", "generate", "--key", uri, "--suite", signing_suite, *size, "--public", "pub.pem", *PW)
    assert run("key", "show", uri, "--json", *PW).count(made.split()[-1]) == 1
    run("key", "rewrap", "seller.sealed", "--from", "file:kek", "--to", "file:kek2")
    with pytest.raises(KeyStoreError):
        run("key", "destroy", uri, "--yes", *PW)
    run("ca", "init", "ca", "--suite", "ed25519", "--organisation", "Nord", "--country", "DE", *PW)
    run("key", "generate", "officer.key", "--suite", "ed25519", "--public", "officer.pub", *PW)
    issue = ("--public-key", "officer.pub", "--cn", "Anna", "--country", "DE", "-o", "officer.pem")
    run("ca", "issue", "ca", *issue, *PW)
    statement = ("--statement", "s.p7m", "--officer", "officer.key", "--officer-cert", "officer.pem")
    uri = "sealed:seller.sealed?kek=file:kek2"
    out = run("key", "destroy", uri, "--reason", "superseded", "--yes", *statement, *PW)
    assert "overwritten" in out
    assert "note: copies" in out
    content, certificate = read_statement((tmp_path / "s.p7m").read_bytes())
    assert (content["state"], content["reason"], content["suite"]) == ("done", "superseded", signing_suite)
    assert certificate.common_name == "Anna"
    with pytest.raises(KeyNotFound):
        run("key", "show", uri, *PW)


@pytest.mark.parametrize("where", ["of the circle", "elsewhere", "a link", "sealed"])
def test_destruction_is_on_record_in_the_log_of_an_authority(run, tmp_path: Path, where: str) -> None:
    keys = ("--keys", "sealed:?kek=file:kek") if where == "sealed" else ()
    run("ca", "init", "ca", "--suite", "ed25519", "--organisation", "Nord", "--country", "DE", *keys, *PW)
    key, more = {
        "of the circle": ("ca/tsa.key.pem", ()),
        "elsewhere": ("k", ("--audit", "ca")),
        "a link": ("link", ()),
        "sealed": ("sealed:ca/tsa.sealed?kek=file:kek", ()),
    }[where]
    if where == "elsewhere":
        run("key", "generate", key, "--suite", "sm2", *PW)
    if where == "a link":
        (tmp_path / key).symlink_to("ca/tsa.key.pem")
    identifier = json.loads(run("key", "show", key, "--json", *PW))["key_identifier"]
    out = run("key", "destroy", key, "--reason", "superseded", "--yes", *more, *PW)
    assert "no record" not in out
    shown = [json.loads(line) for line in run("ca", "audit", "show", "ca", "--json").splitlines()]
    before, after = shown[-2:]
    assert (before["act"], after["act"]) == ("key-destroy-intent", "key-destroyed")
    assert before["facts"]["key"] == after["facts"]["key"] == identifier
    assert before["facts"]["why"] == "superseded"
    assert "the log is whole" in run("ca", "audit", "verify", "ca")


def test_a_destruction_without_a_record_says_so(run, tmp_path: Path) -> None:
    run("key", "generate", "k", "--suite", "ed25519", *PW)
    with pytest.raises(KeyNotFound):
        run("key", "destroy", "k", "--yes", "--audit", "none", *PW)
    assert (tmp_path / "k").exists()
    assert "note: no record was kept" in run("key", "destroy", "k", "--yes", *PW)


def test_destroying_is_confirmed_and_a_statement_has_a_signer(run, tmp_path: Path) -> None:
    run("key", "generate", "k", "--suite", "ed25519", *PW)
    for words in ((), ("--statement", "s", "--yes"), ("--officer", "k", "--yes")):
        with pytest.raises(UsageError):
            run("key", "destroy", "k", *words, *PW)
    assert (tmp_path / "k").exists()
    for words in ((), ("k2", "--key", "sealed:k3")):
        with pytest.raises(UsageError):
            run("key", "generate", *words, "--suite", "ed25519", *PW)


def test_a_key_encryption_key_is_split_and_comes_back(run, tmp_path: Path) -> None:
    uri = "sealed:seller.sealed?kek=file:kek"
    run("key", "generate", "--key", uri, "--suite", "sm2", *PW)
    out = run("key", "split", "file:kek", "-m", "2", "-n", "3", "--output-dir", "shares")
    name = out.split("key ")[1].split(",")[0]
    assert {item.stat().st_mode & 0o777 for item in (tmp_path / "shares").iterdir()} == {0o600}
    (tmp_path / "kek").rename(tmp_path / "lost")
    with pytest.raises(KeyStoreError):
        run("key", "recover", "kek", "--share", "shares/share-1.txt")
    shares = ("--share", "shares/share-3.txt", "--share", "shares/share-1.txt")
    with pytest.raises(KeyStoreError, match="not of"):
        run("key", "recover", "kek", *shares, "--expect", "00" * 8)
    assert name in run("key", "recover", "kek", *shares, "--expect", name)
    assert (tmp_path / "kek").read_bytes() == (tmp_path / "lost").read_bytes()
    run("key", "show", uri, *PW)


def test_a_ceremony_from_script_to_verification(run, tmp_path: Path) -> None:
    one, two, three = seats()
    for number, item in enumerate((one, two, three), 1):
        assert isinstance(item.key, PrivateKey)
        key_file.save(tmp_path / f"o{number}.key", item.key, None)
        (tmp_path / f"o{number}.pem").write_text(item.certificate.pem)
    text = script_of("root", {"directory": "ca", "suite": "sm2", "organisation": "N", "country": "CN"}, seats())
    text = text.replace("2026-12-31", "2099-12-31")
    (tmp_path / "root.toml").write_text(text)
    digest = run("ca", "ceremony", "check", "root.toml").split("SHA-256 ")[1].split()[0]
    first = ("--officer", "o1.key", "--officer-cert", "o1.pem")
    with pytest.raises(CeremonyError, match="2 officers must approve"):
        run("ca", "ceremony", "run", "root.toml", *first, "--yes", *PW)
    with pytest.raises(UsageError, match="no terminal"):
        run("ca", "ceremony", "run", "root.toml", *first, *PW)
    second = ("--officer", "o2.key", "--officer-cert", "o2.pem")
    assert digest in run("ca", "ceremony", "approve", "root.toml", "-o", "two.p7m", *second, "--yes", *PW)
    out = run("ca", "ceremony", "run", "root.toml", *first, "--approval", "two.p7m", "--yes", *PW)
    assert digest in out
    with pytest.raises(CeremonyError, match="must sign"):
        run("ca", "ceremony", "verify", "root.toml.transcript")
    run("ca", "ceremony", "sign", "root.toml.transcript", *second, *PW)
    out = run("ca", "ceremony", "verify", "root.toml.transcript", "--script", "root.toml", "--json")
    assert json.loads(out)["signed_by"] == ["officer 1", "officer 2"]
    assert "ca/root.pem" in run("ca", "ceremony", "verify", "root.toml.transcript")


@pytest.mark.interop
@pytest.mark.parametrize("suite", ["rsa", "ecdsa-p384", "ed25519"])
def test_a_circle_and_a_signature_with_keys_in_a_token(run, suite: str, tmp_path: Path) -> None:
    token = new_token()
    size = ("--parameter", "2048") if suite == "rsa" else ()
    who = ("--organisation", "Nord", "--country", "DE")
    run("ca", "init", "ca", "--suite", suite, *who, "--keys", token, *size, *PW)
    assert not list((tmp_path / "ca").glob("*.key*"))
    seller = with_object(token, "seller")
    run("key", "generate", "--key", seller, "--suite", suite, *size, "--public", "seller.pub", *PW)
    assert suite in run("key", "show", seller, *PW)
    issue = ("--public-key", "seller.pub", "--cn", "Jörg Müller", "--country", "DE", "--chain", "-o", "seller.pem")
    run("ca", "issue", "ca", *issue, *PW)
    run("ca", "crl", "ca", "-o", "i.crl", *PW)
    CRL((tmp_path / "i.crl").read_bytes())
    (tmp_path / "in.pdf").write_bytes(make_pdf())
    run("sign", "in.pdf", "out.pdf", "--key", seller, "--cert", "seller.pem", *PW)
    run("sign", "in.pdf", "out.p7s", "--detached", "--key", seller, "--cert", "seller.pem", *PW)
    from certs.signed_data import parse_signed_data

    certificate = load_certificates((tmp_path / "seller.pem").read_bytes())[0]
    view = parse_signed_data((tmp_path / "out.p7s").read_bytes())
    assert view.signers[0].verify(make_pdf(), certificate=certificate) == suite
    assert suites.for_spki(certificate.spki).name == suite
    from signer.errors import OptionError

    with pytest.raises(OptionError, match="no certificate beside"):
        run("sign", "in.pdf", "out2.pdf", "--key", seller, *PW)
    with pytest.raises(KeyStoreError, match="PIN must not"):
        run("sign", "in.pdf", "out2.pdf", "--key", seller + "&pin-value=5678", "--cert", "seller.pem")
    assert "destroyed in the token" in run("key", "destroy", seller, "--yes", *PW)


def test_a_destruction_that_was_cut_short_says_started(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from certs.commands import keys as body

    run("ca", "init", "ca", "--suite", "ed25519", "--organisation", "Nord", "--country", "DE", *PW)
    run("key", "generate", "k", "--suite", "sm2", *PW)
    officer = ("--officer", "ca/issuing.key.pem", "--officer-cert", "ca/issuing.pem")

    def killed(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(body, "destroy", killed)
    with pytest.raises(KeyboardInterrupt):
        run("key", "destroy", "k", "--yes", "--statement", "s.p7m", *officer, *PW)
    content, _ = read_statement((tmp_path / "s.p7m").read_bytes())
    assert content["state"] == "started"
    assert (tmp_path / "k").exists()
