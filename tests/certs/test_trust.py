"""Which of the given files become anchors."""

from __future__ import annotations

from pathlib import Path

import pytest

from certs import extensions
from certs.certificate import Certificate, load_certificate
from certs.errors import MalformedInput
from certs.pem import armor
from certs.signed_data import certificate_bundle
from certs.trust import TrustStore, is_anchor
from tests.certs.forge import forge
from tests.conftest import Circle, circle_of, keys_of


def test_in_a_directory_only_self_signed_authorities_are_anchors(circle: Circle, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "root.pem").write_text(circle.root.pem)
    (tmp_path / "issuing.crt").write_bytes(circle.issuing.der)
    (tmp_path / "deep" / "leaf.cer").write_bytes(circle.person.certificate.der)
    (tmp_path / "list.crl").write_bytes(circle.crls[0].der)
    (tmp_path / "notes.txt").write_text("not looked at")
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n")
    store = TrustStore.load([tmp_path])
    assert store.anchors == (circle.root,)
    assert set(store.certificates) == {circle.issuing, circle.person.certificate}
    assert store.crls == (circle.crls[0],)
    assert len(store.skipped) == 1
    assert store.skipped[0].count("broken.pem") == 1


def test_a_key_beside_its_certificate_is_no_fault_of_a_directory(circle: Circle, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text(circle.root.pem)
    for label in ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PUBLIC KEY"):
        (tmp_path / f"{label}.pem").write_text(armor(label, b"\x30\x00"))
    store = TrustStore.load([tmp_path])
    assert store.anchors == (circle.root,)
    assert store.skipped == ()


def test_a_bundle_with_a_root_trusts_the_root_only(tmp_path: Path) -> None:
    circle = circle_of("sm2")
    (tmp_path / "chain.p7b").write_bytes(certificate_bundle([circle.issuing, circle.root]))
    store = TrustStore.load([tmp_path / "chain.p7b"])
    assert (store.anchors, store.certificates) == ((circle.root,), (circle.issuing,))


def test_a_file_named_explicitly_that_holds_no_root_is_itself_trusted(tmp_path: Path) -> None:
    circle = circle_of("gost2012-256")
    (tmp_path / "partner").write_text(circle.issuing.pem)
    assert TrustStore.load([str(tmp_path / "partner")]).anchors == (circle.issuing,)
    (tmp_path / "person.pem").write_text(circle.person.certificate.pem)
    assert TrustStore.load([tmp_path / "person.pem"]).anchors == (circle.person.certificate,)


def test_certificates_and_lists_may_share_a_file(tmp_path: Path) -> None:
    circle = circle_of("ed25519")
    (tmp_path / "all.pem").write_text(circle.root.pem + circle.crls[0].pem + circle.crls[1].pem)
    store = TrustStore.load([tmp_path / "all.pem"])
    assert store.anchors == (circle.root,)
    assert store.crls == circle.crls


def test_the_same_certificate_twice_counts_once(tmp_path: Path) -> None:
    circle = circle_of("ed25519")
    (tmp_path / "a.pem").write_text(circle.root.pem * 3)
    assert TrustStore.load([tmp_path / "a.pem", tmp_path]).anchors == (circle.root,)


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x30\x03\x02\x01\x01", b"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----"]
)
def test_an_explicit_file_that_holds_nothing_is_an_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.pem").write_bytes(data)
    with pytest.raises(MalformedInput) as caught:
        TrustStore.load([tmp_path / "x.pem"])
    assert "x.pem" in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MalformedInput):
        TrustStore.load([tmp_path / "nothing.pem"])


def test_a_self_issued_certificate_with_a_foreign_signature_is_no_anchor() -> None:
    first, second = keys_of("ecdsa-p256")[:2]
    assert is_anchor(forge("Root", first, None, first, ca=True))
    assert not is_anchor(forge("Root", first, None, second, ca=True))


def test_a_self_signed_person_is_no_anchor_unless_named() -> None:
    key = keys_of("ecdsa-p256")[0]
    constraints = extensions.basic_constraints(ca=False)
    leaf = forge("Person", key, None, key, more=[constraints])
    assert not is_anchor(leaf)
    assert TrustStore().trusting([leaf]).anchors == (leaf,)


def test_every_russian_root_is_an_anchor(corpus: Path) -> None:
    folder = corpus / "russia" / "roots"
    store = TrustStore.load([folder])
    cross = load_certificate((folder / "1D13121735DD6E1F59EA58C786B8F7E8B7E6E20F.cer").read_bytes())
    old = load_certificate((folder / "8CAE88BBFD404A7A53630864F9033606E1DC45E2.cer").read_bytes())
    assert cross in store.certificates
    assert set(store.anchors + store.certificates) == {Certificate(path.read_bytes()) for path in folder.glob("*.cer")}
    # the one of 2012 needs GOST R 34.11-94, which not every backend computes
    assert len(store.anchors) == (12 if old in store.anchors else 11)
