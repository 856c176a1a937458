"""Pairs, copies and their recovery from the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from certs.certificate import load_certificate
from certs.errors import (
    ApprovalError,
    BadKey,
    BadSignature,
    IssuanceError,
    KeyStoreError,
    MalformedInput,
    NotEscrowed,
    UnsupportedAlgorithm,
)
from certs.keys import file as key_files
from tests.certs.post import FAMILIES
from tests.certs.test_cli_issue import PW, make, run

__all__ = ["run"]
pytestmark = pytest.mark.usefixtures("cheap_passwords")
PASSWORD = "пароль 密码".encode()


def issue_pair(run, name: str = "wang") -> None:
    run(f"key request ca.key.pem -o {name}.csr {PW} --country CN --cn", "王𠮷")
    run(f"ca issue-pair ca --request {name}.csr -o {name}.pair {PW}")


@pytest.mark.parametrize("suite_name", FAMILIES)
def test_from_request_to_two_keys_in_files(run, suite_name: str, tmp_path: Path) -> None:
    make(run, suite_name)
    issue_pair(run)
    first = (tmp_path / "wang.pair").read_bytes()
    kinds = [item["kind"] for item in json.loads(run("inspect wang.pair --format json")[0])]
    form = "delivered-key" if suite_name == "sm2" else "content-info"
    assert kinds == ["certificate", "certificate", form, "certificate", "certificate"]
    issue_pair_again = f"ca issue-pair ca --request wang.csr -o again.pair {PW}"
    assert "王𠮷" in run(issue_pair_again)[0]
    assert (tmp_path / "again.pair").read_bytes() == first
    accept = f"key accept-pair wang.pair --key ca.key.pem -o wang.enc.key {PW} --issuer ca/issuing.pem"
    out, _ = run(f"{accept} --signing-cert wang.pem --encryption-cert wang.enc.pem")
    certificate = load_certificate((tmp_path / "wang.enc.pem").read_bytes())
    assert certificate.serial_hex in out
    assert "ENCRYPTED PRIVATE KEY" in (tmp_path / "wang.enc.key").read_text()
    key = key_files.load(tmp_path / "wang.enc.key", PASSWORD)
    assert key.public_key.spki == certificate.spki
    assert load_certificate((tmp_path / "wang.pem").read_bytes()).spki != certificate.spki
    with pytest.raises(KeyStoreError, match="exists"):
        run(accept)


def test_the_key_for_encryption_may_be_of_a_suite_that_only_encrypts(run, tmp_path: Path) -> None:
    make(run, "ecdsa-p256")
    run(f"key request ca.key.pem -o wang.csr {PW} --country CN --cn", "王𠮷")
    run(f"ca issue-pair ca --request wang.csr -o wang.pair --encryption-suite ml-kem-1024 {PW}")
    run(f"key accept-pair wang.pair --key ca.key.pem -o wang.enc.key {PW} --encryption-cert wang.enc.pem")
    assert "ml-kem-1024 1024" in run(f"key show wang.enc.key {PW}")[0]
    assert json.loads(run("inspect wang.enc.pem --format json")[0])[0]["key_usage"] == ["key_encipherment"]


def test_the_new_file_may_have_a_password_of_its_own(run, tmp_path: Path) -> None:
    make(run, "sm2")
    issue_pair(run)
    (tmp_path / "new").write_text("another\n")
    run(f"key accept-pair wang.pair --key ca.key.pem -o wang.enc.key {PW} --new-password-file new")
    assert key_files.load(tmp_path / "wang.enc.key", b"another")


def test_a_password_from_a_descriptor_opens_the_old_file_and_closes_the_new_one(run, tmp_path: Path) -> None:
    make(run, "sm2")
    issue_pair(run)
    with (tmp_path / "pw").open("rb") as stream:
        number = os.dup(stream.fileno())
    run(f"key accept-pair wang.pair --key ca.key.pem -o wang.enc.key --password-fd {number}")
    assert key_files.load(tmp_path / "wang.enc.key", PASSWORD)


def test_what_is_refused_writes_no_key(run, tmp_path: Path) -> None:
    make(run, "sm2")
    issue_pair(run)
    run(f"key generate other.key --suite sm2 {PW}")
    with pytest.raises(BadKey, match="another signing key"):
        run(f"key accept-pair wang.pair --key other.key -o enc.key {PW}")
    with pytest.raises(BadSignature):
        run(f"key accept-pair wang.pair --key ca.key.pem -o enc.key --issuer ca/root.pem {PW}")
    (tmp_path / "half.pair").write_bytes((tmp_path / "wang.pair").read_bytes()[:900])
    with pytest.raises(MalformedInput):
        run(f"key accept-pair half.pair --key ca.key.pem -o enc.key {PW}")
    assert not (tmp_path / "enc.key").exists()
    make(run, "ed25519", "ed")
    run(f"key request ed.key.pem -o ed.csr {PW} --country DE --cn Anna")
    with pytest.raises(UnsupportedAlgorithm, match="RFC 8410"):
        run(f"ca issue-pair ed --request ed.csr -o ed.pair {PW}")
    assert not (tmp_path / "ed.pair").exists()


@pytest.mark.corpus
def test_a_key_that_a_chinese_authority_delivered_is_accepted(run, corpus: Path, tmp_path: Path) -> None:
    here = f"{corpus}/china/gmsm/signed_enveloped"
    names = f"--key {here}_sign_key.pem --certificate {here}_enc_cert.pem"
    run(f"key accept-pair {here}.p7m {names} -o enc.key {PW}")
    assert key_files.load(tmp_path / "enc.key", PASSWORD)


@pytest.mark.parametrize("suite_name", FAMILIES)
def test_a_profile_that_asks_for_approvals_gives_a_pair_by_application(run, suite_name: str, tmp_path: Path) -> None:
    make(run, suite_name)
    rules = """description = "by application only"
days = 365
max_days = 730
ca = false
key_usage = ["digital_signature", "non_repudiation"]
extended_key_usage = ["1.3.6.1.5.5.7.3.36"]
required = ["country"]
approvals = 1
identity_proofing = true
"""
    (tmp_path / "person.toml").write_text(rules)
    parameter = "--parameter 2048" if suite_name == "rsa" else ""
    for who in ("anna", "wang"):
        run(f"key generate {who}.key --suite {suite_name} {parameter} {PW} --public {who}.pub")
    run(f"ca issue ca --public-key anna.pub --cn Anna --country DE -o anna.pem {PW}")
    run("ra officer ca --appoint anna --certificate anna.pem")
    run(f"key request wang.key -o wang.csr {PW} --country RU --cn", "Somebody else")
    pair = f"ca issue-pair ca --request wang.csr --profile person.toml -o wang.pair {PW}"
    with pytest.raises(ApprovalError, match="by application only"):
        run(pair)
    applied = "ra apply ca --public-key wang.pub --country CN --proofed-by anna --method in-person"
    run(f"{applied} --evidence passport:wang.pub -o application --cn", "王𠮷")
    with pytest.raises(ApprovalError, match="0 count"):
        run(f"{pair} --application application")
    assert not (tmp_path / "wang.pair").exists()
    run(f"ra approve application --officer anna --key anna.key --certificate anna.pem {PW}")
    assert "王𠮷" in run(f"{pair} --application application")[0]
    first = (tmp_path / "wang.pair").read_bytes()
    run(f"{pair} --application application")
    assert (tmp_path / "wang.pair").read_bytes() == first
    run(f"key accept-pair wang.pair --key wang.key --issuer ca/issuing.pem -o wang.enc.key {PW}")
    with pytest.raises(IssuanceError, match="used already"):
        run(f"ca issue ca --application application --profile person.toml -o wang.pem {PW}")


def test_a_copy_is_recovered_with_two_officers(run, tmp_path: Path) -> None:
    make(run, "sm2")
    assert "no copies" in run("ca escrow ca")[0]
    assert f"under file:{tmp_path}/kek" in run("ca escrow ca --kek file:kek")[0]
    issue_pair(run)
    run(f"key accept-pair wang.pair --key ca.key.pem -o wang.enc.key {PW} --encryption-cert wang.enc.pem")
    for who in ("anna", "boris", "archive"):
        run(f"key generate {who}.key --suite ecdsa-p256 {PW} --public {who}.pub")
        profile = "encryption" if who == "archive" else "person"
        run(f"ca issue ca --public-key {who}.pub --profile {profile} --cn {who} --country DE -o {who}.pem {PW}")
    for who in ("anna", "boris"):
        run(f"ra officer ca --appoint {who} --certificate {who}.pem")
    run("ca recovery apply ca wang.enc.pem --to archive.pem -o request --reason", "the holder has left")
    (described,) = json.loads(run("inspect request --format json")[0])
    assert (described["kind"], described["reason"]) == ("key-recovery", "the holder has left")
    assert "archive" in described["recipient"]
    approve = f"ca recovery approve request --officer {{0}} --key {{0}}.key --certificate {{0}}.pem {PW}"
    assert "the holder has left" in run(approve.format("anna"))[0]
    with pytest.raises(ApprovalError, match="1 count"):
        run(f"ca recovery deliver ca request -o wang.p7m {PW}")
    run(approve.format("boris"))
    run(f"ca recovery deliver ca request -o wang.p7m {PW}")
    run(f"key accept-pair wang.p7m --key archive.key --certificate wang.enc.pem -o again.key {PW}")
    spki = [key_files.load(tmp_path / name, PASSWORD).public_key.spki for name in ("again.key", "wang.enc.key")]
    assert spki[0] == spki[1]
    out, _ = run("ca audit show ca --json")
    acts = [json.loads(line)["act"] for line in out.splitlines()]
    assert {"pair-key", "refused", "key-recovered"} <= {*acts}
    run("ca audit verify ca")
    # the copies there are stay, and there are no more; without the setting none is handed out
    run("ca escrow ca --off")
    with pytest.raises(NotEscrowed):
        run(f"ca recovery deliver ca request -o wang.p7m {PW}")
    issue_pair(run, "second")
    assert len(list((tmp_path / "ca" / "escrow").iterdir())) == 1
