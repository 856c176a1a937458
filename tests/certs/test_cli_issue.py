"""Requests, profiles, renewal, cross-certificates and generations, on the command line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

from certs import lint_pkix, oids
from certs.certificate import load_certificate, load_certificates
from certs.cli import COMMANDS
from certs.commands.console import UsageError
from certs.crl import CRL
from certs.errors import ApprovalError, BadSignature, CertsError, ProfileError, WrongPassword
from certs.identifiers import Identifier

pytestmark = pytest.mark.usefixtures("cheap_passwords")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs one command line and returns output and errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pw").write_text("пароль 密码\n", encoding="utf-8")

    def call(line: str, *more: str) -> tuple[str, str]:
        words = [*line.split(), *more]
        command = COMMANDS[words[0]]
        parser = argparse.ArgumentParser()
        command.configure(parser)
        assert command.run(parser.parse_args(words[1:])) == 0
        sys.stdout.flush()
        captured = capfd.readouterr()
        return captured.out, captured.err

    return call


PW = "--password-file pw"


def make(run, suite: str, name: str = "ca") -> None:
    parameter = "--parameter 2048" if suite == "rsa" else ""
    run(
        f"ca init {name} --suite {suite} --organisation Nord --country DE {parameter} {PW} --crl-url http://p/{{issuer}}"
    )
    run(f"key generate {name}.key.pem --suite {suite} {parameter} {PW} --public {name}.pub.pem")


def test_from_request_to_renewal_and_rollover(run, signing_suite: str, tmp_path: Path) -> None:
    make(run, signing_suite)
    out, _ = run(f"key request ca.key.pem --cn Anna --country DE --email a@example.com --dns h.example -o a.csr {PW}")
    assert signing_suite in out
    out, _ = run("inspect a.csr --format json")
    assert json.loads(out)[0]["possession"] == f"good ({signing_suite})"
    out, err = run(f"ca issue ca --request a.csr --chain -o a.pem {PW}")
    assert "alternative names of kind dns" in err
    certificate, issuing, _ = load_certificates((tmp_path / "a.pem").read_bytes())
    assert certificate.subject == "C=DE, CN=Anna, emailAddress=a@example.com"
    # renewed with the same key, then with a new one
    run(f"ca renew ca a.pem -o b.pem --days 20 {PW}")
    renewed = load_certificate((tmp_path / "b.pem").read_bytes())
    assert (renewed.subject, renewed.spki) == (certificate.subject, certificate.spki)
    parameter = "--parameter 2048" if signing_suite == "rsa" else ""
    run(f"key generate new.key.pem --suite {signing_suite} {parameter} {PW}")
    run(f"key request new.key.pem --cn whoever -o new.csr {PW}")
    run(f"ca renew ca a.pem --request new.csr -o c.pem {PW}")
    rekeyed = load_certificate((tmp_path / "c.pem").read_bytes())
    assert rekeyed.subject == certificate.subject
    assert rekeyed.spki != certificate.spki
    # a new generation; what the earlier one issued is renewed by the new one and revoked by the earlier one
    out, _ = run(f"ca rollover ca {PW}")
    assert "1 earlier" in out
    run(f"ca renew ca a.pem -o d.pem {PW}")
    assert load_certificate((tmp_path / "d.pem").read_bytes()).aki != certificate.aki
    run(f"ca revoke ca a.pem --reason superseded --crl old.crl {PW}")
    crl = CRL((tmp_path / "old.crl").read_bytes())
    crl.check_signed_by(issuing)
    assert certificate.serial in crl.entries
    assert issuing.ski is not None
    run(f"ca crl ca --issuer {issuing.ski.hex()[:12]} -o again.crl {PW}")
    assert CRL((tmp_path / "again.crl").read_bytes()).entries.keys() == crl.entries.keys()
    with pytest.raises(UsageError):
        run(f"ca crl ca --issuer ffffffffffffffffffffffff {PW}")
    out, _ = run(f"ca rollover ca --root {PW}")
    assert "root SHA-256" in out
    assert (tmp_path / "ca" / "root-2.new-with-old.pem").exists()
    listed = json.loads(run(f"ca list ca --json {PW}")[0])
    assert {"cross", "root", "issuing", "person", "tsa"} <= {entry["profile"] for entry in listed}


def test_a_cross_certificate_with_limits(run, tmp_path: Path) -> None:
    make(run, "ecdsa-p256")
    make(run, "sm2", "cn")
    run(
        f"ca cross ca cn/root.pem --path-length 1 --permit dns:example.cn --permit dn:cn/root.pem "
        f"--exclude email:.example.cn --policy 1.2.3.4 --map-policy 1.2.3.4=1.2.3.5 --require-policy 0 -o x.pem {PW}"
    )
    certificate = load_certificate((tmp_path / "x.pem").read_bytes())
    other = load_certificate((tmp_path / "cn" / "root.pem").read_bytes())
    assert certificate.subject_name == other.subject_name
    assert certificate.suite_name == "sm2"
    assert certificate.path_length == 1
    assert certificate.extension(oids.NAME_CONSTRAINTS) is not None
    assert certificate.extension(oids.POLICY_CONSTRAINTS) is not None
    for wrong in ("--permit mars:x", "--permit dns:*", "--map-policy x", "--path-length -1"):
        with pytest.raises(CertsError):
            run(f"ca cross ca cn/root.pem {wrong} {PW}")


def test_an_intermediate_authority_by_request(run, tmp_path: Path) -> None:
    make(run, "ed25519")
    run(f"key request ca.key.pem --cn Middle --organisation O --country DE -o m.csr {PW}")
    run(f"ca issue ca --request m.csr --profile intermediate --path-length 1 --chain -o m.pem {PW}")
    middle, root = load_certificates((tmp_path / "m.pem").read_bytes())
    assert middle.is_ca
    assert middle.path_length == 1
    middle.verify_signed_by(root)


def test_national_forms(run, tmp_path: Path) -> None:
    make(run, "gost2012-256")
    run(
        f"ca issue ca --public-key ca.pub.pem --form russia --cn Ёлкин --surname Ёлкин --given-name Пётр --country RU "
        f"--identifier RU-INN:500100732259 --identifier RU-SNILS:112-233-445-95 --subject-sign-tool CSP "
        f"--issuer-sign-tool a b c d --identification-kind 0 --tool-class KC1 -o ru.pem {PW}"
    )
    certificate = load_certificate((tmp_path / "ru.pem").read_bytes())
    assert Identifier("RU-SNILS", "11223344595") in certificate.identifiers
    assert certificate.extension(oids.ISSUER_SIGN_TOOL) is not None
    run(
        f"ca issue ca --public-key ca.pub.pem --form china --cn 江海 --country CN --sheca-arc "
        f"--identifier CN-USCC:91310000MA1FL5RX2W -o cn.pem {PW}"
    )
    assert load_certificate((tmp_path / "cn.pem").read_bytes()).extension(oids.SHECA_USCC) is not None


def test_a_server_and_a_one_time_signer(run, tmp_path: Path) -> None:
    make(run, "ecdsa-p256")
    run(f"ca issue ca --public-key ca.pub.pem --profile tls --cn h --dns h.example --ip 192.0.2.1 -o tls.pem {PW}")
    run(f"ca issue ca --public-key ca.pub.pem --profile one-time --cn A --country DE --hours 2 -o once.pem {PW}")
    once = load_certificate((tmp_path / "once.pem").read_bytes())
    assert (once.not_after - once.not_before).total_seconds() == 2 * 3600 - 1
    with pytest.raises(ProfileError):
        run(f"ca issue ca --public-key ca.pub.pem --profile one-time --cn A --country DE --hours 25 {PW}")


def test_a_profile_in_a_file(run, tmp_path: Path) -> None:
    make(run, "ed25519")
    (tmp_path / "own.toml").write_text(
        'description="x"\ndays=5\nmax_days=6\nca=false\nkey_usage=["non_repudiation"]\n'
        'extended_key_usage=[]\nrequired=[]\npolicies=["1.2.3.4"]\n'
    )
    run(f"ca issue ca --public-key ca.pub.pem --profile own.toml --cn A -o own.pem {PW}")
    assert load_certificate((tmp_path / "own.pem").read_bytes()).policies == ("1.2.3.4",)
    with pytest.raises(CertsError):
        run(f"ca issue ca --public-key ca.pub.pem --profile missing.toml --cn A {PW}")


def test_what_is_refused(run, tmp_path: Path) -> None:
    make(run, "sm2")
    run(f"key request ca.key.pem --cn Anna --country DE -o a.csr {PW}")
    from certs.request import load_request

    broken = bytearray(load_request((tmp_path / "a.csr").read_bytes()).der)
    broken[-1] ^= 1
    (tmp_path / "bad.csr").write_bytes(broken)
    with pytest.raises(BadSignature):
        run(f"ca issue ca --request bad.csr {PW}")
    with pytest.raises(UsageError):
        run(f"ca issue ca --public-key ca.pub.pem {PW}")
    for given, option in (("", "--organisation"), ("--organisation Nord --country DE", "--identifier SCHEME:VALUE")):
        with pytest.raises(ProfileError) as caught:
            run(f"ca issue ca --profile seal --public-key ca.pub.pem --cn Anna {given} {PW}")
        assert caught.value.hint.startswith(f"give it with {option}")
    before = run(f"ca list ca {PW}")[0]
    with pytest.raises(CertsError):
        run(f"ca renew ca ca/issuing.pem {PW}")
    assert run(f"ca list ca {PW}")[0] == before


def test_profiles_are_listed(run) -> None:
    out, _ = run("ca profiles")
    assert "one-time" in out
    assert "1 hour, at most 24" in out
    assert {item["name"] for item in json.loads(run("ca profiles --json")[0])} >= {"seal", "encryption", "dvcs", "tls"}


def test_it_says_when_pkilint_is_missing(run, monkeypatch: pytest.MonkeyPatch) -> None:
    make(run, "ed25519")
    _, err = run(f"ca issue ca --public-key ca.pub.pem --cn A --country DE {PW}")
    assert "pkilint" not in err
    monkeypatch.setattr(lint_pkix, "available", lambda: False)
    _, err = run(f"ca issue ca --public-key ca.pub.pem --cn A --country DE {PW}")
    assert "pkilint is not installed" in err
    assert "'.[lint]'" in err


def test_an_officer_of_an_earlier_generation_still_approves(run, signing_suite: str) -> None:
    make(run, signing_suite)
    for who in ("anna", "wang"):
        parameter = "--parameter 2048" if signing_suite == "rsa" else ""
        run(f"key generate {who}.key --suite {signing_suite} {parameter} {PW} --public {who}.pub")
    run(f"ca issue ca --public-key anna.pub --cn Anna --country DE -o anna.pem {PW}")
    run("ra officer ca --appoint anna --certificate anna.pem")
    run(f"ca rollover ca {PW}")
    applied = "ra apply ca --public-key wang.pub --cn Wang --country CN --proofed-by anna --method in-person"
    run(f"{applied} --evidence passport:wang.pub -o application")
    run(f"ra approve application --officer anna --key anna.key --certificate anna.pem {PW}")
    out, _ = run(f"ca issue ca --application application -o wang.pem {PW}")
    assert "CN=Wang" in out
    run(f"ca revoke ca anna.pem --reason cessationOfOperation {PW}")
    run(f"{applied} --evidence passport:wang.pub -o again")
    run(f"ra approve again --officer anna --key anna.key --certificate anna.pem {PW}")
    with pytest.raises(ApprovalError, match="revoked"):
        run(f"ca issue ca --application again -o wang.pem {PW}")


def test_without_a_password_nothing_is_made(run, tmp_path: Path) -> None:
    with pytest.raises(WrongPassword):
        run("ca init new --suite ecdsa-p256 --organisation Nord --country DE")
    assert not (tmp_path / "new").exists()
