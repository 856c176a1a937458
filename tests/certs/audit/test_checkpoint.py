"""Checkpoints and proofs: signed in every suite, in several at once, checked without the log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs import circle as circles
from certs.audit import checkpoint, proof
from certs.audit.checkpoint import Signer, make, parse
from certs.audit.log import AuditLog
from certs.errors import AuditError, BadSignature, CertsError, MalformedInput
from certs.keys.base import no_secrets
from certs.pem import pem_blocks
from certs.trust import TrustStore
from tests.certs.audit import desk
from tests.conftest import CLOCK, NOW, circle_of, keys_of, make_circle


def signer_of(suite: str) -> tuple[Signer, TrustStore]:
    circle = make_circle(suite)
    key = keys_of(suite)[3]
    from certs.certificate import Subject

    certificate = circle.ca.issue("audit", Subject("Audit", organisation="O", country="DE"), key.public_key.spki)
    return Signer(key, certificate, circle.chain), TrustStore().with_((circle.root,))


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    log = AuditLog(tmp_path / "audit.sqlite", CLOCK)
    for number in range(7):
        log.append("configuration", value=number)
    return log


def test_a_checkpoint_in_every_suite(suite_name: str, log: AuditLog) -> None:
    signer, store = signer_of(suite_name)
    made = parse(make(log, [signer], NOW, stamp=circle_of(suite_name).timestamper.stamp))
    assert (made.size, made.log, made.previous, made.at) == (7, log.id, None, NOW)
    assert made.verify() == (suite_name,)
    assert made.signers(store) == (signer.certificate,)
    assert made.stamped_at == NOW
    with pytest.raises(BadSignature):
        made.signers(TrustStore().with_((circle_of("ed25519" if suite_name != "ed25519" else "sm2").root,)))
    again = parse(make(log, [signer], NOW))
    assert (again.size, again.previous) == (9, made.digest)


def test_one_statement_in_several_suites(log: AuditLog) -> None:
    names = ("rsa", "sm2", "gost2012-256", "ml-dsa-65")
    pairs = [signer_of(name) for name in names]
    encoded = make(log, [signer for signer, _ in pairs], NOW)
    assert [label for label, _ in pem_blocks(encoded)] == ["CMS"] * 4
    made = parse(encoded)
    assert made.verify() == names
    store = TrustStore().with_([anchor for _, store in pairs for anchor in store.anchors])
    assert len(made.signers(store)) == 4
    with pytest.raises(BadSignature):
        made.signers(pairs[0][1])  # every signer must be trusted, not one


def test_a_block_over_another_statement_is_refused(log: AuditLog) -> None:
    signer, _ = signer_of("ecdsa-p256")
    first, second = make(log, [signer], NOW), make(log, [signer], NOW)
    with pytest.raises(MalformedInput):
        parse(first + second)
    with pytest.raises(AuditError):
        make(log, [], NOW)


def test_the_use_of_the_audit_key_is_on_record_first(log: AuditLog) -> None:
    signer, _ = signer_of("ecdsa-p256")

    class Broken:
        suite, public_key = signer.key.suite, signer.key.public_key

        def sign(self, message: bytes) -> bytes:
            assert [entry.act for entry in log.entries()][-1] == "checkpoint-intent"
            return b"\x30\x06\x02\x01\x01\x02\x01\x01"

    with pytest.raises(CertsError):
        make(log, [Signer(Broken(), signer.certificate)], NOW)
    assert log.checkpoints() == []


def test_the_audit_key_is_made_once(tmp_path: Path) -> None:
    directory = desk.copy_of("ecdsa-p256", tmp_path)
    circle = desk.open_circle(directory)
    before = len(circle.issuing.entries())
    assert circles.auditor(directory, circle, no_secrets).certificate.common_name
    assert len(circle.issuing.entries()) == before
    (directory / "audit.pem").unlink()  # killed before the certificate was written
    again = circles.auditor(directory, circle, desk.ask)
    assert again.key.public_key.spki == again.certificate.spki
    assert len(circle.issuing.entries()) == before + 1


# proofs --------------------------------------------------------------------------------------------------------------
def test_a_certificate_is_proven_without_the_log(signing_suite: str) -> None:
    books = circles.books(desk.original(signing_suite), CLOCK)
    first, last = map(parse, books.log.checkpoints())
    gone = next(entry for entry in books.ledger.entries(books.issuers[1]) if entry.state == "revoked")
    data = proof.prove_inclusion(books.log, gone.serial)
    lines = proof.check(data, last)
    assert [line.split()[2] for line in lines] == ["prepare", "claim", "issued", "revoke"]
    with pytest.raises(AuditError):
        proof.check(data, first)
    grown = proof.prove_consistency(books.log, first.size)
    assert "is the beginning" in proof.check(grown, last, [first])[0]
    with pytest.raises(AuditError):
        proof.check(grown, last)


def test_a_proof_about_another_act_does_not_hold() -> None:
    books = circles.books(desk.original("ecdsa-p256"), CLOCK)
    last = parse(books.log.checkpoints()[-1])
    gone = next(entry for entry in books.ledger.entries(books.issuers[1]) if entry.state == "revoked")
    value = json.loads(proof.prove_inclusion(books.log, gone.serial))
    value["entries"][-1]["entry"] = value["entries"][-1]["entry"].replace("keyCompromise", "superseded")
    with pytest.raises(AuditError):
        proof.check(json.dumps(value).encode(), last)


def test_what_no_checkpoint_covers_is_not_proven(log: AuditLog) -> None:
    with pytest.raises(AuditError, match="no checkpoint"):
        proof.prove_inclusion(log, 7)
    make(log, [signer_of("ecdsa-p256")[0]], NOW)
    log.append("issued", issuer="aa", serial="7", certificate="00")
    with pytest.raises(AuditError, match="covered"):
        proof.prove_inclusion(log, 7)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100), st.integers(0, 10_000), st.integers(0, 255))
def test_any_bytes_are_a_checkpoint_or_a_clear_error(data: bytes, place: int, octet: int) -> None:
    good = circles.books(desk.original("ecdsa-p256"), CLOCK).log.checkpoints()[0]
    block = pem_blocks(good)[0][1]
    for source in (good, block):
        mutated = bytearray(source)
        mutated[place % len(source)] = octet
        for candidate in (bytes(mutated), data, source[: place % len(source)], data + source):
            try:
                parse(candidate).verify()
            except CertsError:
                continue


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100), st.integers(0, 10_000), st.integers(0, 255))
def test_any_bytes_are_a_proof_or_a_clear_error(data: bytes, place: int, octet: int) -> None:
    books = circles.books(desk.original("ecdsa-p256"), CLOCK)
    last = parse(books.log.checkpoints()[-1])
    good = proof.prove_inclusion(books.log, books.ledger.entries(books.issuers[1])[0].serial)
    mutated = bytearray(good)
    mutated[place % len(good)] = octet
    for candidate in (bytes(mutated), data, good[: place % len(good)]):
        try:
            proof.check(candidate, last)
        except CertsError:
            continue


def test_a_checkpoint_can_be_inspected() -> None:
    from certs.describe import as_text, describe

    books = circles.books(desk.original("sm2"), CLOCK)
    data = books.log.checkpoints()[-1]
    assert "sealroad.audit.checkpoint/1" in as_text(describe(data))
    assert checkpoint.parse(data).root.hex() in as_text(describe(data))
    serial = books.ledger.entries(books.issuers[1])[0].serial
    assert "issued" in as_text(describe(proof.prove_inclusion(books.log, serial)))
