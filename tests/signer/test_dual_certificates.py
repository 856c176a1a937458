"""Of a pair of certificates each does its own: nothing is encrypted to the first, nothing is signed with the second."""

from __future__ import annotations

import io
from typing import Any

import pytest

from certs import suites
from certs.application import Application
from certs.enveloped import encrypt_bytes
from certs.errors import ApprovalError, BadKey
from certs.ra import RegistrationAuthority, approve
from certs.signed_data import assemble, build_signed_data, signed_attributes
from certs.sink import MemorySink
from certs.suites.base import PrivateKey
from signer.cms import sign_detached
from signer.encryption.envelope import Sender, seal
from signer.encryption.recipients import check_recipients
from signer.errors import RecipientRefused, SigningRefused
from signer.pades.options import SignOptions
from signer.pades.sign import sign_bytes
from signer.verify import verify_bytes
from tests.certs.forge import forge
from tests.certs.post import BOTH, FAMILIES, mailbox
from tests.certs.test_ra import application_of
from tests.conftest import ALL_SUITES, CLOCK, NOW, Circle, circle_of, keys_of, make_pdf


class Unused:
    """A key that must not be used."""

    def __init__(self, key: PrivateKey) -> None:
        self.suite, self.public_key = key.suite, key.public_key

    def sign(self, message: bytes) -> bytes:
        raise AssertionError("the key was used")


@pytest.mark.parametrize("suite_name", BOTH)
def test_nothing_is_encrypted_to_the_signing_certificate(suite_name: str) -> None:
    circle = circle_of(suite_name)
    for signing in (circle.person.certificate, circle.organisation.certificate):
        with pytest.raises(BadKey, match="not for encryption"):
            encrypt_bytes(b"contract", [signing])
        with pytest.raises(RecipientRefused, match="not for encryption"):
            check_recipients([mailbox(suite_name).certificate, signing], circle.trust.with_(circle.chain), NOW)


@pytest.mark.parametrize("suite_name", BOTH)
def test_nothing_is_signed_with_the_encryption_certificate(suite_name: str) -> None:
    box, circle = mailbox(suite_name), circle_of(suite_name)
    key: Any = Unused(box.key)
    with pytest.raises(SigningRefused, match="not for signatures") as caught:
        sign_bytes(make_pdf(), key, box.certificate, circle.chain, SignOptions(), CLOCK)
    assert caught.value.facts["reason"] == "key-usage"
    with pytest.raises(SigningRefused, match="not for signatures"):
        sign_detached(io.BytesIO(b"contract"), key, box.certificate, circle.chain, clock=CLOCK)
    sink = MemorySink()
    with pytest.raises(SigningRefused, match="not for signatures"):
        seal(io.BytesIO(b"x"), sink, [box.certificate], [Sender(key, box.certificate)], clock=CLOCK, name="contract")
    assert sink.data is None
    with pytest.raises(BadKey, match="not for signatures"):
        build_signed_data(b"content", key, box.certificate)


@pytest.mark.parametrize("suite_name", ALL_SUITES)
def test_no_suite_signs_with_a_certificate_that_only_encrypts(suite_name: str) -> None:
    own = keys_of(suite_name)[0]
    certificate = forge("Leaf", own, None, own, usage=["key_encipherment", "key_agreement"])
    key: Any = Unused(own)
    with pytest.raises(SigningRefused, match="not for signatures"):
        sign_detached(io.BytesIO(b"contract"), key, certificate, clock=CLOCK)


@pytest.mark.parametrize("suite_name", BOTH)
def test_a_signature_made_with_the_encryption_key_all_the_same_does_not_pass(suite_name: str) -> None:
    box, circle = mailbox(suite_name), circle_of(suite_name)
    suite = box.key.suite
    attributes = signed_attributes(suite, box.certificate, suites.digest(suite.digest_name, b"contract"))
    cms = assemble(suite, box.certificate, attributes, box.key.sign(attributes), chain=circle.chain)
    assert _verdict(cms, circle) == ("INDETERMINATE", "CHAIN_CONSTRAINTS_FAILURE")
    good = build_signed_data(b"contract", circle.person.key, circle.person.certificate, detached=True)
    assert _verdict(good, circle)[0] == "TOTAL-PASSED"


def _verdict(cms: bytes, circle: Circle) -> tuple[str, str | None]:
    trust = circle.trust.with_(circle.chain)
    report = verify_bytes(cms, name="contract.p7s", trust=trust, clock=CLOCK, content=b"contract")
    (signature,) = report.signatures
    return str(signature.verdict), signature.sub_indication


@pytest.mark.parametrize("suite_name", FAMILIES)
def test_an_officer_does_not_approve_with_an_encryption_certificate(suite_name: str) -> None:
    box, authority = mailbox(suite_name), circle_of(suite_name).ca.issuing
    log: Any = None  # refused before it is asked
    ra = RegistrationAuthority(authority, log, CLOCK)
    with pytest.raises(ApprovalError, match="not for signatures"):
        ra.appoint("anna", box.certificate)
    application: Application = application_of(authority.id, suite_name)
    key: Any = Unused(box.key)
    with pytest.raises(BadKey, match="not for signatures"):
        approve(application, "anna", key, box.certificate, NOW)
