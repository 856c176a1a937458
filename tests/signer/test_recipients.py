"""Nothing is encrypted to whom it must not be: every reason to refuse, in every suite that encrypts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from certs import oids
from certs.ca import ClosedCircle
from certs.certificate import Certificate
from certs.crl import CRL
from certs.errors import BackendUnavailable, BadKey
from certs.trust import TrustStore
from signer.encryption.recipients import check_recipients
from signer.errors import RecipientRefused
from tests.certs.forge import forge
from tests.certs.post import BOTH, ENCRYPTING, circle_for, mailbox, misused
from tests.conftest import NOW, circle_of, keys_of, make_circle, subjects_of


def refused(certificate: Certificate, store: TrustStore, at: datetime = NOW, **options: Any) -> tuple[str, str]:
    """Return reason and sub-indication."""
    with pytest.raises(RecipientRefused) as caught:
        check_recipients([certificate], store, at, **options)
    error = caught.value
    (facts,) = error.facts["refused"]
    assert error.code == "recipient-refused"
    assert certificate.subject in str(error)
    assert facts["reason"] in str(error)
    assert error.hint
    assert facts["certificate"] == certificate.fingerprint()
    return facts["reason"], facts["sub_indication"]


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_a_good_encryption_certificate_is_taken_once(suite_name: str) -> None:
    certificate = mailbox(suite_name).certificate
    store = circle_for(suite_name).trust.with_(circle_for(suite_name).chain)
    assert check_recipients([certificate, certificate], store, NOW) == (certificate,)


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_a_certificate_for_signing_is_refused(suite_name: str) -> None:
    circle = circle_for(suite_name)
    signer = circle.person.certificate if suite_name in BOTH else misused(suite_name)
    reason, sub = refused(signer, circle.trust.with_(circle.chain))
    assert "not for encryption" in reason
    assert sub is None


@pytest.mark.parametrize("suite_name", ["ed25519", "rsa-pss", "ml-dsa-65"])
def test_a_suite_that_only_signs_is_refused(suite_name: str) -> None:
    circle = circle_of(suite_name)
    assert "signs only" in refused(circle.person.certificate, circle.trust.with_(circle.chain))[0]


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_where_no_library_encrypts_that_is_said_before_it_is_due(
    suite_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(self: object) -> None:
        raise BackendUnavailable("taken away", hint="install it")

    certificate = mailbox(suite_name).certificate
    monkeypatch.setattr(type(certificate.public_key().suite), "encryption_library", nothing)
    with pytest.raises(BackendUnavailable, match="taken away"):
        check_recipients([certificate], circle_for(suite_name).trust.with_(circle_for(suite_name).chain), NOW)


@pytest.mark.parametrize("suite_name", ENCRYPTING)
def test_without_a_trusted_chain_or_a_list_nothing_is_encrypted(suite_name: str) -> None:
    circle, certificate = circle_for(suite_name), mailbox(suite_name).certificate
    assert refused(certificate, TrustStore())[1] == "NO_CERTIFICATE_CHAIN_FOUND"
    without_lists = TrustStore().with_(circle.chain)
    assert refused(certificate, without_lists)[1] == "TRY_LATER"
    assert check_recipients([certificate], without_lists, NOW, revocation="if-present") == (certificate,)
    by_name = TrustStore().trusting([certificate])
    assert check_recipients([certificate], by_name, NOW) == (certificate,)


@pytest.mark.parametrize("suite_name", ["rsa", "sm2", "gost2012-256"])
def test_validity_counts_at_the_moment_of_encrypting(suite_name: str) -> None:
    circle, certificate = circle_for(suite_name), mailbox(suite_name).certificate
    store = circle.trust.with_(circle.chain)
    assert refused(certificate, store, certificate.not_before - timedelta(seconds=1))[1] == "NOT_YET_VALID"
    assert refused(certificate, store, certificate.not_after + timedelta(seconds=1))[1] == "OUT_OF_BOUNDS_NO_POE"
    # a certificate trusted by name is not good for ever either
    reason, _ = refused(certificate, TrustStore().trusting([certificate]), certificate.not_after + timedelta(days=1))
    assert "valid until" in reason


@pytest.mark.parametrize("suite_name", ["ecdsa-p256", "sm2", "gost2012-256"])
def test_a_revoked_certificate_is_refused(suite_name: str) -> None:
    circle = make_circle(suite_name)
    ca: ClosedCircle = circle.ca
    certificate = ca.issue("encryption", subjects_of(suite_name)[0], keys_of(suite_name)[2].public_key.spki)
    ca.revoke(certificate.serial, "keyCompromise")
    store = TrustStore().with_(circle.chain, [CRL(ca.crl()), CRL(ca.root_crl())])
    reason, sub = refused(certificate, store)
    assert sub in ("REVOKED", "REVOKED_NO_POE")
    assert "revoked" in reason


@pytest.mark.parametrize("reason", ["keyCompromise", "certificateHold"])
@pytest.mark.parametrize("suite_name", ["ecdsa-p256", "sm2", "gost2012-256"])
def test_a_certificate_trusted_by_name_is_refused_where_a_list_of_its_authority_has_it(
    suite_name: str, reason: str
) -> None:
    circle = make_circle(suite_name)
    certificate = circle.ca.issue("encryption", subjects_of(suite_name)[0], keys_of(suite_name)[2].public_key.spki)
    before = TrustStore().with_(circle.chain, [CRL(circle.ca.crl()), CRL(circle.ca.root_crl())])
    assert check_recipients([certificate], before.trusting([certificate]), NOW) == (certificate,)
    circle.ca.revoke(certificate.serial, reason)
    store = TrustStore().with_(circle.chain, [CRL(circle.ca.crl()), CRL(circle.ca.root_crl())])
    said = refused(certificate, store.trusting([certificate]))
    assert said == refused(certificate, store)
    assert said == refused(certificate, store.trusting([certificate]), revocation="if-present")
    assert ("revoked" if reason == "keyCompromise" else "on hold") in said[0]


def test_every_recipient_that_is_refused_is_named() -> None:
    circle = circle_of("sm2")
    good, bad = mailbox("sm2").certificate, [circle.person.certificate, circle.organisation.certificate]
    with pytest.raises(RecipientRefused, match="nor to 1 more") as caught:
        check_recipients([good, *bad], circle.trust.with_(circle.chain), NOW)
    assert [item["subject"] for item in caught.value.facts["refused"]] == [item.subject for item in bad]


def test_nobody_is_no_recipient() -> None:
    with pytest.raises(RecipientRefused, match="no recipient"):
        check_recipients([], TrustStore(), NOW)


def test_an_rsa_key_that_only_agrees_and_an_ecdh_key_that_only_enciphers_are_not_for_their_suites() -> None:
    """Key usage is judged as the suite encrypts: RFC 8813 3 forbids encipherment with an EC key."""
    for suite_name, usage in (("rsa", "key_agreement"), ("ecdsa-p256", "key_encipherment")):
        key = keys_of(suite_name)[0]
        certificate = forge("Leaf", key, None, key, usage=[usage])
        assert "not for encryption" in refused(certificate, TrustStore().trusting([certificate]))[0]


def test_a_certificate_for_servers_alone_is_refused() -> None:
    key = keys_of("ecdsa-p256")[0]
    certificate = forge("Leaf", key, None, key, usage=["key_agreement"], purposes=[oids.SERVER_AUTH])
    reason, sub = refused(certificate, TrustStore().trusting([certificate]))
    assert "server-auth" in reason
    assert sub == "CHAIN_CONSTRAINTS_FAILURE"


def test_a_broken_key_is_a_reason_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = mailbox("sm2").certificate

    def broken(self: Certificate) -> None:
        raise BadKey("not a point on the SM2 curve")

    monkeypatch.setattr(Certificate, "public_key", broken)
    assert "not a point" in refused(certificate, TrustStore())[0]
