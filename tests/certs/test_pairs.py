"""Dual certificates: one pair for one request, whatever happens on the way."""

from __future__ import annotations

import base64
import multiprocessing
import os
import shutil
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certs import circle as circles
from certs import extensions, files, oids, pairs, profiles
from certs.alt_names import AltNames
from certs.audit.log import AuditLog
from certs.ca import Authority, Plan
from certs.certificate import Certificate, Subject
from certs.clock import FixedClock
from certs.enveloped import decrypt_bytes, encrypt_bytes
from certs.errors import (
    AlreadyRevoked,
    ApprovalError,
    BadKey,
    BadSignature,
    CertsError,
    IssuanceError,
    MalformedInput,
    ProfileError,
    UnsupportedAlgorithm,
)
from certs.escrow import path_of
from certs.keys import sealed_files
from certs.keys.envelope import unseal
from certs.keys.kek import KeyProvider
from certs.ledger import SQLiteLedger
from certs.pairs import Pair, PairDesk, accept_pair, read_pair
from certs.request import Request, make_request
from certs.suites import ENCRYPTION_NAMES
from tests.certs.audit import desk
from tests.certs.dying import Hooks, die_at
from tests.certs.post import BOTH, FAMILIES, secret_of
from tests.certs.test_ra import TWO_APPROVALS, Office
from tests.conftest import ALL_SUITES, CLOCK, NOW, keys_of, make_circle, subjects_of

PERSON = profiles.load("person")
KEK = KeyProvider(bytes(32))


def request_of(suite_name: str, number: int = 2, subject: Subject | None = None) -> Request:
    return Request(make_request(keys_of(suite_name)[number], subject or subjects_of(suite_name)[0]))


def new_desk(suite_name: str, place: Path) -> tuple[PairDesk, Authority]:
    authority = make_circle(suite_name).ca.issuing
    return PairDesk(authority, place, CLOCK), authority


@pytest.mark.parametrize("suite_name", BOTH)
def test_a_holder_gets_a_signing_and_an_encryption_certificate_and_the_key_of_the_second(
    suite_name: str, tmp_path: Path
) -> None:
    desk_, authority = new_desk(suite_name, tmp_path)
    request, signing = request_of(suite_name), keys_of(suite_name)[2]
    pair = read_pair(desk_.issue(request, PERSON).encode((authority.certificate,)))
    assert pair.signing.spki == signing.public_key.spki
    assert pair.signing.key_usage == {"digital_signature", "non_repudiation"}
    assert pair.encryption.key_usage == {*profiles.load("encryption").usage(suite_name)}
    assert pair.signing.subject_name.der == pair.encryption.subject_name.der
    assert pair.signing.spki != pair.encryption.spki
    key = accept_pair(pair, signing, authority.certificate)
    assert key.public_key.spki == pair.encryption.spki
    assert key.public_key.parameter == signing.public_key.parameter
    entries = authority.entries()
    assert [entry.state for entry in entries][-2:] == ["issued", "issued"]
    # nothing of the clear key stays with the authority
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert secret_of(key) not in kept
    assert base64.b64encode(key.pkcs8())[60:100] not in kept


@pytest.mark.parametrize("suite_name", FAMILIES)
def test_the_same_request_gets_the_same_pair(suite_name: str, tmp_path: Path) -> None:
    desk_, authority = new_desk(suite_name, tmp_path)
    request = request_of(suite_name)
    first, before = desk_.issue(request, PERSON), len(authority.entries())
    assert desk_.issue(request, PERSON) == first
    assert len(authority.entries()) == before


@pytest.mark.parametrize("suite_name", sorted({*ALL_SUITES} - {*BOTH}))
def test_a_suite_that_only_signs_gets_no_pair_and_nothing_is_made(suite_name: str, tmp_path: Path) -> None:
    desk_, authority = new_desk(suite_name, tmp_path)
    before = len(authority.entries())
    with pytest.raises(UnsupportedAlgorithm, match="cannot be delivered"):
        desk_.issue(request_of(suite_name), PERSON)
    assert len(authority.entries()) == before
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_leaves_no_key(tmp_path: Path) -> None:
    desk_, authority = new_desk("sm2", tmp_path)
    before = len(authority.entries())
    broken = bytearray(request_of("sm2").der)
    broken[-1] ^= 1
    with pytest.raises(BadSignature):
        desk_.issue(Request(bytes(broken)), PERSON)
    with pytest.raises(ProfileError, match="not for the signing key"):
        desk_.issue(request_of("sm2"), profiles.load("encryption"))
    with pytest.raises(ProfileError, match="not for the signing key"):
        desk_.issue(request_of("sm2"), profiles.load("issuing"))
    with pytest.raises(ProfileError, match="country"):
        desk_.issue(request_of("sm2", subject=Subject("王𠮷")), PERSON)
    with pytest.raises(ApprovalError):
        desk_.issue(request_of("sm2"), TWO_APPROVALS)
    assert len(authority.entries()) == before
    assert list(tmp_path.iterdir()) == []


def test_a_request_is_for_one_name_and_one_profile(tmp_path: Path) -> None:
    desk_, _ = new_desk("sm2", tmp_path)
    request = request_of("sm2")
    desk_.issue(request, PERSON)
    with pytest.raises(IssuanceError, match="was used for profile person"):
        desk_.issue(request, PERSON, subject=Subject("Another", country="CN"))
    with pytest.raises(IssuanceError, match="was used for profile person"):
        desk_.issue(request, profiles.load("organisation"), subject=subjects_of("sm2")[1])


@pytest.mark.parametrize("which", ["signing", "encryption"])
def test_a_pair_that_was_revoked_is_not_given_out_again(which: str, tmp_path: Path) -> None:
    desk_, authority = new_desk("ecdsa-p256", tmp_path)
    request = request_of("ecdsa-p256")
    authority.revoke(getattr(desk_.issue(request, PERSON), which).serial, "keyCompromise")
    before = len(authority.entries())
    with pytest.raises(AlreadyRevoked, match="revoked or on hold"):
        desk_.issue(request, PERSON)
    assert len(authority.entries()) == before


def test_a_pair_that_has_expired_is_not_given_out_again(tmp_path: Path) -> None:
    desk_, authority = new_desk("ecdsa-p256", tmp_path)
    request = request_of("ecdsa-p256")
    desk_.issue(request, PERSON)
    later = PairDesk(authority, tmp_path, FixedClock(NOW + timedelta(days=400)))
    with pytest.raises(IssuanceError, match="expired"):
        later.issue(request, PERSON)


def test_a_pair_for_another_key_or_put_together_from_two_is_refused(tmp_path: Path) -> None:
    desk_, authority = new_desk("sm2", tmp_path)
    mine, yours = desk_.issue(request_of("sm2", 2), PERSON), desk_.issue(request_of("sm2", 3), PERSON)
    key = keys_of("sm2")[2]
    with pytest.raises(BadKey, match="another signing key"):
        accept_pair(yours, key)
    with pytest.raises(BadKey, match="not the one of"):
        accept_pair(Pair(mine.signing, yours.encryption, mine.delivery), key)
    with pytest.raises(BadKey, match="not for encryption"):
        accept_pair(Pair(mine.signing, mine.signing, mine.delivery), key)
    with pytest.raises(CertsError, match="decrypted"):
        accept_pair(Pair(mine.signing, mine.encryption, yours.delivery), key)
    stranger = PairDesk(make_circle("ecdsa-p256").ca.issuing, tmp_path, CLOCK).issue(request_of("ecdsa-p256"), PERSON)
    with pytest.raises(BadKey, match="one issuer"):
        accept_pair(Pair(mine.signing, stranger.encryption, mine.delivery), key)
    with pytest.raises(BadSignature):
        accept_pair(mine, key, make_circle("rsa").issuing)
    assert accept_pair(mine, key, authority.certificate)


def test_a_pair_issued_by_somebody_else_is_not_taken_for_the_authoritys(tmp_path: Path) -> None:
    """Whoever knows a public key can make a pair for it, and would read what is encrypted to its second certificate."""
    from certs.ca import ClosedCircle
    from certs.ledger import MemoryLedger

    mallory = ClosedCircle.create("sm2", organisation="Sealroad Test", country="CN", clock=CLOCK, ledger=MemoryLedger())
    pair = PairDesk(mallory.issuing, tmp_path, CLOCK).issue(request_of("sm2"), PERSON)
    with pytest.raises(BadSignature):
        accept_pair(pair, keys_of("sm2")[2], make_circle("sm2").issuing)


@pytest.mark.parametrize("suite_name", FAMILIES)
def test_another_holder_of_the_same_authority_cannot_put_his_encryption_key_into_a_pair(
    suite_name: str, tmp_path: Path
) -> None:
    """He delivers his own key to the victim's signing key, and would read what is sent to the victim's second one."""
    from certs import key_delivery

    desk_, authority = new_desk(suite_name, tmp_path)
    victim = desk_.issue(request_of(suite_name), PERSON)
    request = request_of(suite_name, 3, subjects_of(suite_name)[1])
    mallory = desk_.issue(request, PERSON)
    stolen = accept_pair(mallory, keys_of(suite_name)[3], authority.certificate)
    delivery = key_delivery.deliver(stolen, victim.signing.public_key())
    with pytest.raises(BadKey, match="two holders"):
        accept_pair(Pair(victim.signing, mallory.encryption, delivery), keys_of(suite_name)[2], authority.certificate)


@pytest.mark.parametrize("data", [b"", b"{}", b"-----BEGIN CERTIFICATE-----\n", bytes(2_000_000)])
def test_what_is_no_pair_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        read_pair(data)


def test_a_damaged_record_is_an_error_and_makes_no_second_key(tmp_path: Path) -> None:
    desk_, authority = new_desk("sm2", tmp_path)
    request = request_of("sm2")
    desk_.issue(request, PERSON)
    (path,) = (tmp_path / pairs.PAIRS).iterdir()
    before = len(authority.entries())
    for data in (b"", b"{}", path.read_bytes()[:-20], path.read_bytes().replace(b'"delivery":"', b'"delivery":"*')):
        path.write_bytes(data)
        with pytest.raises(MalformedInput):
            desk_.issue(request, PERSON)
    assert len(authority.entries()) == before


# Killed --------------------------------------------------------------------------------------------------------------
def test_a_certificate_that_was_perhaps_signed_is_revoked_and_another_signed_for_the_same_key(tmp_path: Path) -> None:
    desk_, authority = new_desk("ecdsa-p256", tmp_path)
    request = request_of("ecdsa-p256")

    def dies(self: Any, plan: Any) -> Certificate:
        authority.ledger.claim(authority.id, plan.serial)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Authority, "issue", dies)
        with pytest.raises(KeyboardInterrupt):
            desk_.issue(request, PERSON)
    pair = desk_.issue(request, PERSON)
    assert accept_pair(pair, keys_of("ecdsa-p256")[2])
    states = [entry.state for entry in authority.entries()][-3:]
    assert sorted(states) == ["issued", "issued", "revoked"]


def test_two_processes_with_one_request_make_one_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second asks while the first is at work: it sees neither key nor certificates yet."""
    authority = make_circle("sm2").ca.issuing
    first, second = (PairDesk(authority, tmp_path, CLOCK, escrow=KEK) for _ in range(2))
    request, make = request_of("sm2"), PairDesk._make
    before = len(authority.entries())

    def overtaken(self: PairDesk, *args: Any) -> None:
        monkeypatch.setattr(PairDesk, "_make", make)
        second.issue(request, PERSON)
        make(self, *args)

    monkeypatch.setattr(PairDesk, "_make", overtaken)
    with pytest.raises(IssuanceError):  # the certificate it planned was signed by the other
        first.issue(request, PERSON)
    pair = first.issue(request, PERSON)
    assert accept_pair(pair, keys_of("sm2")[2])
    assert [entry.state for entry in authority.entries()[before:]] == ["issued", "issued"]
    assert [path.name for path in (tmp_path / "escrow").iterdir()] == [
        f"{extensions.key_id(pair.encryption.spki).hex()}.sealed"
    ]


HOOKS: Hooks = (
    (AuditLog, ("append", "begin", "settle")),
    (SQLiteLedger, ("prepare", "claim", "issued", "revoke")),
    (circles.LazyKey, ("sign",)),
    (files, ("write",)),
)
"""Before and after each of these the process may die."""


def ask_for_a_pair(directory: Path, request: Request) -> Pair:
    circle = desk.open_circle(directory)
    return PairDesk(circle.issuing, directory, CLOCK, escrow=KEK).issue(request, PERSON)


def live_until(limit: int, directory: Path, request: Request) -> None:
    die_at(limit, HOOKS)
    ask_for_a_pair(directory, request)
    os._exit(0)


def killed_at(limit: int, directory: Path, request: Request) -> bool:
    """Tell whether the process died at step `limit`; False: it had fewer steps."""
    process = multiprocessing.get_context("fork").Process(target=live_until, args=(limit, directory, request))
    process.start()
    process.join()
    return process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("suite_name", "stride"), [("sm2", 4), *(pytest.param(name, 1, marks=pytest.mark.long) for name in FAMILIES)]
)
def test_killed_anywhere_the_request_ends_with_one_good_pair(suite_name: str, stride: int, tmp_path: Path) -> None:
    request, key = request_of(suite_name), keys_of(suite_name)[2]
    limit = died = 0
    while True:
        limit += stride
        directory = tmp_path / str(limit)
        shutil.copytree(desk.original(suite_name), directory)
        before = {entry.serial for entry in desk.open_circle(directory).issuing.entries()}
        if not killed_at(limit, directory, request):
            break
        died += 1
        pair = ask_for_a_pair(directory, request)
        assert accept_pair(pair, key).public_key.spki == pair.encryption.spki
        assert ask_for_a_pair(directory, request) == pair
        entries = [entry for entry in desk.open_circle(directory).issuing.entries() if entry.serial not in before]
        good = [entry for entry in entries if entry.state == "issued"]
        assert {entry.serial for entry in good} == {pair.signing.serial, pair.encryption.serial}, limit
        assert all(entry.state == "revoked" for entry in entries if entry not in good), limit
        copy = sealed_files.read(path_of(directory, pair.encryption.spki))
        assert unseal(copy, KEK).public_key.spki == pair.encryption.spki
        assert len(list((directory / pairs.PAIRS).glob("[!.]*"))) == 1
        assert desk.look(directory).good, limit
        shutil.rmtree(directory)
    assert died > 20 / stride


# A key for encryption of another suite --------------------------------------------------------------------------------
@pytest.mark.parametrize("suite_name", ["rsa", "ecdsa-p256", "ecdsa-bp512"])
@pytest.mark.parametrize("encryption", ENCRYPTION_NAMES)
def test_a_key_that_only_encrypts_is_made_and_delivered_to_one_that_signs(
    suite_name: str, encryption: str, tmp_path: Path
) -> None:
    authority = make_circle(suite_name).ca.issuing
    desk_ = PairDesk(authority, tmp_path, CLOCK, escrow=KEK)
    request, signing = request_of(suite_name), keys_of(suite_name)[2]
    pair = read_pair(desk_.issue(request, PERSON, suite=encryption).encode((authority.certificate,)))
    key = accept_pair(pair, signing, authority.certificate)
    assert key.suite.name == encryption
    assert pair.encryption.key_usage == {*key.suite.recipient_usages}
    assert decrypt_bytes(encrypt_bytes(b"contract", [pair.encryption]), key, pair.encryption) == b"contract"
    copy = unseal(sealed_files.read(path_of(tmp_path, pair.encryption.spki)), KEK)
    assert copy.pkcs8() == key.pkcs8()
    assert desk_.issue(request, PERSON, suite=encryption) == pair
    with pytest.raises(IssuanceError, match=f"used for a key of {encryption}"):
        desk_.issue(request, PERSON)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert secret_of(key) not in kept


def test_only_what_encrypts_and_is_of_the_family_is_made_beside_a_key(tmp_path: Path) -> None:
    for suite_name, other in (("sm2", "x25519"), ("rsa", "ecdsa-p256"), ("ed25519", "x25519"), ("gost2012-256", "sm2")):
        desk_, authority = new_desk(suite_name, tmp_path)
        before = len(authority.entries())
        with pytest.raises(UnsupportedAlgorithm):
            desk_.issue(request_of(suite_name), PERSON, suite=other)
        assert len(authority.entries()) == before
    assert list(tmp_path.iterdir()) == []


# Customers -----------------------------------------------------------------------------------------------------------
def test_the_same_request_of_another_customer_is_another_request(tmp_path: Path) -> None:
    authority = make_circle("sm2").ca.issuing
    request, key = request_of("sm2"), keys_of("sm2")[2]
    desks = [PairDesk(authority, tmp_path, CLOCK, customer=name) for name in ("one", "two", None)]
    first = [item.issue(request, PERSON) for item in desks]
    assert [item.issue(request, PERSON) for item in desks] == first
    assert len({pair.signing.serial for pair in first}) == len({pair.encryption.spki for pair in first}) == 3
    assert all(accept_pair(pair, key).public_key.spki == pair.encryption.spki for pair in first)


# Approvals -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite_name", FAMILIES)
def test_what_two_officers_approved_gives_one_pair(suite_name: str, tmp_path: Path) -> None:
    office = Office(suite_name, tmp_path)
    desk_ = PairDesk(office.authority, tmp_path, CLOCK)
    key = keys_of(suite_name)[2]
    request = Request(make_request(key, Subject("Somebody else", country="DE")))
    dossier = office.dossier("anna", "boris")
    pair = office.ra.issue_pair(dossier, request, desk_, TWO_APPROVALS)
    assert pair.signing.subject_name.der == pair.encryption.subject_name.der == subjects_of(suite_name)[0].name()
    assert accept_pair(pair, key, office.authority.certificate).public_key.spki == pair.encryption.spki
    entry = office.authority.entry(pair.signing.serial)
    assert entry is not None
    assert entry.application == dossier.application.digest
    before = len(office.authority.entries())
    assert office.ra.issue_pair(dossier, request, desk_, TWO_APPROVALS) == pair
    assert len(office.authority.entries()) == before
    # the same officers for the same holder: another application, and the request is one of another pair
    with pytest.raises(IssuanceError, match="used already"):
        office.ra.issue(dossier, TWO_APPROVALS)


def test_too_few_approvals_another_key_or_another_request_give_no_pair(tmp_path: Path) -> None:
    office = Office("sm2", tmp_path)
    desk_ = PairDesk(office.authority, tmp_path, CLOCK)
    request = request_of("sm2")
    enough = ("anna", "boris")
    good = office.dossier(*enough)
    broken = bytearray(request.der)
    broken[-1] ^= 1
    cases: list[tuple[Any, Request, type[CertsError], str]] = [
        (office.dossier("anna"), request, ApprovalError, "asks for 2 approvals"),
        (good, request_of("sm2", 3), ApprovalError, "another subject or key"),
        (office.dossier(*enough, request="ab" * 32), request, ApprovalError, "another request"),
        (office.dossier(*enough, contract="ab" * 32, hours=1), request, ApprovalError, "for one contract"),
        (good, Request(bytes(broken)), BadSignature, "."),
    ]
    for dossier, asked, error, words in cases:
        with pytest.raises(error, match=words):
            office.ra.issue_pair(dossier, asked, desk_, TWO_APPROVALS)
    assert not (tmp_path / pairs.PAIRS).exists()
    assert not [entry for entry in office.authority.entries() if entry.profile in ("person", "encryption")]


def test_alternative_names_of_the_request_were_not_approved(tmp_path: Path) -> None:
    office = Office("ecdsa-p256", tmp_path)
    names = AltNames(emails=("ceo@example.com",))
    request = Request(make_request(keys_of("ecdsa-p256")[2], subjects_of("ecdsa-p256")[0], names))
    assert request.names == names
    dossier = office.dossier("anna", "boris")
    pair = office.ra.issue_pair(dossier, request, PairDesk(office.authority, tmp_path, CLOCK), TWO_APPROVALS)
    for certificate in (pair.signing, pair.encryption):
        assert certificate.extension(oids.SUBJECT_ALT_NAME) is None


def test_an_approved_certificate_that_may_have_been_signed_gives_no_pair(tmp_path: Path) -> None:
    office = Office("sm2", tmp_path)
    desk_ = PairDesk(office.authority, tmp_path, CLOCK)
    dossier, request = office.dossier("anna", "boris"), request_of("sm2")
    clearance = office.ra.clear(dossier, TWO_APPROVALS)
    draft = desk_.prepare(request, TWO_APPROVALS, subject=dossier.application.subject, clearance=clearance)
    assert isinstance(draft.signing, Plan)
    office.authority.ledger.claim(office.authority.id, draft.signing.serial)  # and then the process died
    with pytest.raises(IssuanceError, match="may have been signed"):
        office.ra.issue_pair(dossier, request, desk_, TWO_APPROVALS)
