"""Copies of keys: who gets one, who does not, and that all of it is on record. Attacks name the tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import escrow, key_delivery, profiles
from certs.audit.ledger import AuditedLedger
from certs.audit.log import AuditLog
from certs.ca import ClosedCircle
from certs.certificate import Certificate
from certs.clock import FixedClock
from certs.errors import ApprovalError, CertsError, KeyStoreError, MalformedInput, NotEscrowed, RecoveryRefused
from certs.escrow import EscrowDesk, Recovery, RecoveryRequest, parse
from certs.keys import sealed_files
from certs.keys.kek import KeyProvider
from certs.ledger import MemoryLedger
from certs.pairs import Pair, PairDesk
from certs.ra import RegistrationAuthority, approve
from certs.request import Request, make_request
from certs.suites.base import PrivateKey
from tests.certs.post import FAMILIES, WAYS, mailbox, secret_of
from tests.certs.test_ra import application_of, appoint, officer_holder
from tests.conftest import CLOCK, NOW, keys_of, subjects_of

DAY = timedelta(days=1)
KEK = KeyProvider(bytes(range(32)))


@dataclass(frozen=True)
class House:
    """An authority that keeps copies, its officers, and a pair that it issued."""

    place: Path
    ca: ClosedCircle
    log: AuditLog
    ra: RegistrationAuthority
    pair: Pair

    @property
    def desk(self) -> EscrowDesk:
        return EscrowDesk(self.ca.issuing, self.place, self.ra, CLOCK)

    def recovery(self, to: Certificate | None = None, serial: int | None = None, **more: Any) -> Recovery:
        values = {"reason": "the holder has left", "created": NOW, "expires": NOW + DAY} | more
        recipient = to or mailbox("rsa").certificate
        return Recovery.new(self.ca.issuing.id, serial or self.pair.encryption.serial, recipient=recipient, **values)

    def acts(self, act: str) -> list[dict[str, Any]]:
        return [entry.facts for entry in self.log.entries(act)]


def house(suite_name: str, place: Path, *, copies: bool = True) -> House:
    log = AuditLog(place / "audit.sqlite", CLOCK)
    keys = keys_of(suite_name)
    ca = ClosedCircle.create(
        suite_name,
        organisation="Sealroad Escrow",
        country="DE",
        clock=CLOCK,
        ledger=AuditedLedger(MemoryLedger(), log),
        root_key=keys[0],
        issuing_key=keys[1],
    )
    ra = RegistrationAuthority(ca.issuing, log, CLOCK)
    appoint(ra, suite_name)
    desk = PairDesk(ca.issuing, place, CLOCK, escrow=KEK if copies else None)
    request = Request(make_request(keys[2], subjects_of(suite_name)[0]))
    return House(place, ca, log, ra, desk.issue(request, profiles.load("person")))


def approved(recovery: Recovery, *officers: str) -> RecoveryRequest:
    request = RecoveryRequest(recovery)
    for name in officers:
        key, certificate = officer_holder(name)
        request = request.with_(approve(recovery, name, key, certificate, NOW))
    return request


def refused(house: House, request: RecoveryRequest, kind: type[CertsError], code: str, match: str) -> None:
    """Check that nothing is handed out, with a stable code, and that it is on record."""
    before = len(house.acts("refused"))
    with pytest.raises(kind, match=match) as caught:
        house.desk.recover(request, KEK)
    assert caught.value.code == code
    entry = house.acts("refused")[-1]
    assert len(house.acts("refused")) == before + 1
    assert (entry["attempted"], entry["why"]) == ("recover", code)
    assert entry["recovery"] == request.recovery.digest
    assert house.acts("key-recovered") == []


@pytest.mark.parametrize("suite_name", FAMILIES)
@pytest.mark.parametrize("to", WAYS)
def test_two_officers_give_a_key_to_the_certificate_they_approved(suite_name: str, to: str, tmp_path: Path) -> None:
    own = house(suite_name, tmp_path)
    box = mailbox(to)
    request = parse(approved(own.recovery(box.certificate), "anna", "boris").encode())
    delivery = own.desk.recover(request, KEK)
    key = key_delivery.accept(delivery, box.key, own.pair.encryption)
    assert key.public_key.spki == own.pair.encryption.spki
    assert secret_of(key) not in delivery
    with pytest.raises(CertsError) as caught:
        key_delivery.accept(delivery, mailbox(to, 1).key, own.pair.encryption)
    assert caught.value.code == "decryption-failed"
    (entry,) = own.acts("key-recovered")
    assert entry["officers"] == ["anna", "boris"]
    assert entry["reason"] == "the holder has left"
    assert entry["recipient"] == box.certificate.fingerprint()
    assert entry["serial"] == f"{own.pair.encryption.serial:x}"


def test_the_copy_is_sealed_and_the_clear_key_lies_nowhere(tmp_path: Path) -> None:
    own = house("ecdsa-p256", tmp_path)
    path = escrow.path_of(tmp_path, own.pair.encryption.spki)
    key = sealed_files.SealedKey(sealed_files.read(path), KEK).private()
    assert key.public_key.spki == own.pair.encryption.spki
    assert path.stat().st_mode & 0o777 == 0o600
    kept = b"".join(item.read_bytes() for item in tmp_path.rglob("*") if item.is_file())
    assert secret_of(key) not in kept
    (entry,) = own.acts("pair-key")
    assert entry["escrow"] == f"file:{KEK.id.hex()}"


def test_copies_move_under_another_key(tmp_path: Path) -> None:
    own = house("sm2", tmp_path)
    other = KeyProvider(bytes(32))
    assert sealed_files.rewrap(escrow.path_of(tmp_path, own.pair.encryption.spki), KEK, other)
    box = mailbox("sm2")
    delivery = own.desk.recover(approved(own.recovery(box.certificate), "anna", "wei"), other)
    assert key_delivery.accept(delivery, box.key, own.pair.encryption)
    with pytest.raises(KeyStoreError):
        own.desk.recover(approved(own.recovery(box.certificate), "anna", "wei"), KEK)


def test_a_request_may_be_repeated_and_is_on_record_every_time(tmp_path: Path) -> None:
    own = house("sm2", tmp_path)
    request = approved(own.recovery(), "anna", "boris")
    for _ in range(2):
        assert key_delivery.accept(own.desk.recover(request, KEK), mailbox("rsa").key, own.pair.encryption)
    assert len(own.acts("key-recovered")) == 2


def test_the_log_comes_before_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = house("sm2", tmp_path)

    def dies(*_: Any) -> PrivateKey:
        raise KeyboardInterrupt

    monkeypatch.setattr(escrow, "unseal", dies)
    with pytest.raises(KeyboardInterrupt):
        own.desk.recover(approved(own.recovery(), "anna", "boris"), KEK)
    assert len(own.acts("key-recovered")) == 1


# Refusals ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> House:
    return house("sm2", tmp_path)


APPROVALS: dict[str, Callable[[House, Recovery], RecoveryRequest]] = {
    "nobody": lambda own, recovery: RecoveryRequest(recovery),
    "one officer": lambda own, recovery: approved(recovery, "anna"),
    "one officer twice": lambda own, recovery: approved(recovery, "anna", "anna"),
    "approvals of another recovery": lambda own, recovery: RecoveryRequest(
        recovery, approved(own.recovery(), "anna", "boris").approvals
    ),
    "another reason than approved": lambda own, recovery: RecoveryRequest(
        replace(recovery, reason="other"), approved(recovery, "anna", "boris").approvals
    ),
    "another recipient than approved": lambda own, recovery: RecoveryRequest(
        replace(recovery, recipient=mailbox("rsa", 1).certificate), approved(recovery, "anna", "boris").approvals
    ),
    "a longer time than approved": lambda own, recovery: RecoveryRequest(
        replace(recovery, expires=NOW + 9 * DAY), approved(recovery, "anna", "boris").approvals
    ),
    "an approval signed by somebody else": lambda own, recovery: RecoveryRequest(
        recovery, (*approved(recovery, "anna").approvals, approve(recovery, "boris", *officer_holder("wei"), NOW))
    ),
}


@pytest.mark.parametrize("attack", APPROVALS)
def test_without_two_officers_nothing_is_handed_out(attack: str, own: House) -> None:
    request = APPROVALS[attack](own, own.recovery())
    refused(own, request, ApprovalError, "approval-error", "asks for 2 approvals")


def test_an_approval_of_an_application_is_none_of_a_recovery(own: House) -> None:
    application = application_of(own.ca.issuing.id, "sm2")
    approvals = tuple(approve(application, name, *officer_holder(name), NOW) for name in ("anna", "boris"))
    refused(own, RecoveryRequest(own.recovery(), approvals), ApprovalError, "approval-error", "another application")


def test_a_dismissed_officer_does_not_count(own: House) -> None:
    request = approved(own.recovery(), "anna", "boris")
    own.ra.dismiss("boris")
    refused(own, request, ApprovalError, "approval-error", "boris is no officer")


def test_the_one_who_gets_the_key_does_not_approve_it(own: House) -> None:
    key = keys_of("sm2")[4]
    name = officer_holder("wei")[1].common_name
    to = own.ca.issue("encryption", replace(subjects_of("sm2")[0], common_name=name), key.public_key.spki)
    refused(own, approved(own.recovery(to), "anna", "wei"), ApprovalError, "approval-error", "the one who gets the key")


def test_a_key_is_never_encrypted_to_a_signing_certificate(own: House) -> None:
    request = approved(own.recovery(own.pair.signing), "anna", "boris")
    refused(own, request, RecoveryRefused, "recovery-refused", "not for encryption")


def test_a_revoked_or_expired_recipient_gets_nothing(own: House) -> None:
    key = keys_of("sm2")[3]
    to = own.ca.issue("encryption", replace(subjects_of("sm2")[0], common_name="Archive"), key.public_key.spki)
    request = approved(own.recovery(to), "anna", "boris")
    assert key_delivery.accept(own.desk.recover(request, KEK), key, own.pair.encryption)
    own.ca.revoke(to.serial, "keyCompromise")
    with pytest.raises(RecoveryRefused, match="revoked"):
        own.desk.recover(request, KEK)
    late = EscrowDesk(own.ca.issuing, own.place, own.ra, FixedClock(NOW + 500 * DAY))
    with pytest.raises(RecoveryRefused, match="not valid now"):
        late.recover(approved(own.recovery(mailbox("rsa").certificate, expires=NOW + 600 * DAY), "anna", "boris"), KEK)


def test_a_request_that_expired_or_was_made_to_another_authority_is_refused(own: House) -> None:
    late = EscrowDesk(own.ca.issuing, own.place, own.ra, FixedClock(NOW + 2 * DAY))
    with pytest.raises(RecoveryRefused, match="expired"):
        late.recover(approved(own.recovery(), "anna", "boris"), KEK)
    stranger = replace(own.recovery(), authority="ab" * 20)
    refused(own, approved(stranger, "anna", "boris"), RecoveryRefused, "recovery-refused", "another authority")


def test_a_certificate_that_is_not_on_record_or_has_no_copy_is_refused(own: House) -> None:
    unknown = approved(own.recovery(serial=0x1234), "anna", "boris")
    refused(own, unknown, RecoveryRefused, "recovery-refused", "knows no certificate")
    signing = approved(own.recovery(serial=own.pair.signing.serial), "anna", "boris")
    refused(own, signing, NotEscrowed, "not-escrowed", "keeps no copy")


def test_where_the_policy_says_so_no_copy_is_kept(tmp_path: Path) -> None:
    own = house("sm2", tmp_path, copies=False)
    assert not (tmp_path / escrow.ESCROW).exists()
    assert "escrow" not in own.acts("pair-key")[0]
    refused(own, approved(own.recovery(), "anna", "boris"), NotEscrowed, "not-escrowed", "keeps no copy")


def test_a_copy_put_in_the_place_of_another_is_not_handed_out(own: House) -> None:
    desk = PairDesk(own.ca.issuing, own.place, CLOCK, escrow=KEK)
    other = desk.issue(Request(make_request(keys_of("sm2")[3], subjects_of("sm2")[1])), profiles.load("person"))
    target = escrow.path_of(own.place, own.pair.encryption.spki)
    target.write_bytes(escrow.path_of(own.place, other.encryption.spki).read_bytes())
    with pytest.raises(NotEscrowed, match="of another key"):
        own.desk.recover(approved(own.recovery(), "anna", "boris"), KEK)


# Reading -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["schema", "id", "authority", "serial", "reason", "recipient", "created", "expires"])
@pytest.mark.parametrize("value", [None, "", 7, "x" * 5000, []])
def test_a_request_with_a_wrong_member_is_malformed(name: str, value: object, own_request: bytes) -> None:
    parsed = json.loads(own_request)
    parsed["recovery"][name] = value
    with pytest.raises(MalformedInput):
        parse(json.dumps(parsed).encode())


@pytest.fixture(scope="module")
def own_request() -> bytes:
    made = Recovery.new("ab" * 20, 7, "reason", mailbox("sm2").certificate, NOW, NOW + DAY)
    return RecoveryRequest(made, (b"0",)).encode()


def test_a_reason_is_stated(own: House) -> None:
    with pytest.raises(MalformedInput, match="says why"):
        own.recovery(reason=" ")


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200))
def test_any_octets_are_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        parse(data)
