"""Authorities that certify each other, follow each other, and certificates that are renewed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import permutations
from pathlib import Path

import pytest

from certs import circle as circles
from certs import profiles, relations
from certs.ca import Authority, ClosedCircle
from certs.certificate import Certificate, Subject, load_certificate
from certs.clock import FixedClock
from certs.constraints import Constraints
from certs.crl import CRL
from certs.errors import IssuanceError, ProfileError
from certs.ledger import MemoryLedger
from certs.path import validate_path
from certs.path_result import PathResult
from certs.relations import Generations
from certs.timestamp import read_token
from certs.trust import TrustStore
from tests.conftest import ALL_SUITES, CLOCK, CRL_URL, NOW, SIGNING, Circle, circle_of, keys_of, make_circle

PAIRS = [*permutations(SIGNING, 2), *((suite, "ecdsa-p256") for suite in ALL_SUITES if suite not in SIGNING)]


@cache
def signer_of_others(suite: str) -> Circle:
    """A circle whose root certifies others' authorities."""
    return make_circle(suite)


@cache
def crossed(over: str, under: str, *, root: bool = True) -> Certificate:
    """The root (or the issuing authority) of `under`, certified by the root of `over`."""
    authority = signer_of_others(over).ca.root_authority
    other = circle_of(under)
    return authority.issue(relations.prepare_cross(authority, other.root if root else other.issuing))


def judged(over: str, under: str, *, root: bool = True) -> PathResult:
    circle, other = signer_of_others(over), circle_of(under)
    crls = (*other.crls, CRL(circle.ca.root_crl()))
    pool = (other.issuing, crossed(over, under, root=root))
    return validate_path(other.person.certificate, pool, TrustStore().with_((circle.root,)), NOW, crls=crls)


@pytest.mark.parametrize(("over", "under"), PAIRS)
@pytest.mark.parametrize("root", [True, False], ids=["root", "issuing"])
def test_every_suite_certifies_authorities_of_every_other(over: str, under: str, root: bool) -> None:
    certificate = crossed(over, under, root=root)
    subject = circle_of(under).root if root else circle_of(under).issuing
    assert certificate.subject_name == subject.subject_name
    assert certificate.spki == subject.spki
    assert certificate.ski == subject.ski
    assert certificate.path_length == (1 if root else 0)
    result = judged(over, under, root=root)
    assert result.passed, result
    assert [item.suite_name for item in result.chain] == [under] * (3 if root else 2) + [over]


def test_without_the_cross_certificate_nothing_is_trusted() -> None:
    other = circle_of("sm2")
    store = TrustStore().with_((circle_of("gost2012-256").root,), other.crls)
    assert not validate_path(other.person.certificate, (other.issuing, other.root), store, NOW).passed


@cache
def bridge() -> tuple[Circle, dict[str, tuple[Certificate, Certificate]]]:
    """A bridge of P-256, and for each suite: the root certified by the bridge, the bridge certified by the root."""
    middle = make_circle("ecdsa-p384")
    authority = middle.ca.root_authority
    both = {}
    for suite in ("rsa", "sm2", "gost2012-256", "ed25519"):
        circle = signer_of_others(suite)
        to = authority.issue(relations.prepare_cross(authority, circle.root))
        upper = circle.ca.root_authority
        # 2: the other root and its issuing authority follow the bridge
        back = upper.issue(relations.prepare_cross(upper, authority.certificate, Constraints(path_length=2)))
        both[suite] = (to, back)
    return middle, both


@pytest.mark.parametrize(("mine", "theirs"), list(permutations(("rsa", "sm2", "gost2012-256", "ed25519"), 2)))
def test_over_a_bridge_everybody_reaches_everybody(mine: str, theirs: str) -> None:
    middle, links = bridge()
    other = signer_of_others(theirs)
    crls = (*other.crls, CRL(middle.ca.root_crl()), CRL(signer_of_others(mine).ca.root_crl()))
    pool = (other.issuing, links[theirs][0], links[mine][1])
    store = TrustStore().with_((signer_of_others(mine).root,))
    result = validate_path(other.person.certificate, pool, store, NOW, crls=crls)
    assert result.passed, result
    assert len(result.chain) == 5


def test_a_path_length_stops_at_the_bridge() -> None:
    middle, links = bridge()
    other = signer_of_others("sm2")
    upper = make_circle("rsa")
    root = upper.ca.root_authority
    short = root.issue(relations.prepare_cross(root, middle.root, Constraints(path_length=1)))
    pool = (other.issuing, links["sm2"][0], short)
    crls = (*other.crls, CRL(middle.ca.root_crl()), CRL(upper.ca.root_crl()))
    store = TrustStore().with_((upper.root,))
    result = validate_path(other.person.certificate, pool, store, NOW, crls=crls)
    assert result.sub_indication == "CHAIN_CONSTRAINTS_FAILURE", result


def test_a_revoked_cross_certificate_ends_the_relation() -> None:
    circle, other = make_circle("ecdsa-p256"), circle_of("sm2")
    authority = circle.ca.root_authority
    cross = authority.issue(relations.prepare_cross(authority, other.root))
    authority.revoke(cross.serial, "cessationOfOperation")
    crls = (*other.crls, CRL(circle.ca.root_crl()))
    store = TrustStore().with_((circle.root,))
    result = validate_path(other.person.certificate, (other.issuing, cross), store, NOW, crls=crls)
    assert not result.passed
    assert result.revocation_reason == "cessationOfOperation"


def test_who_is_not_cross_certified() -> None:
    circle, other = circle_of("ecdsa-p256"), circle_of("sm2")
    authority = circle.ca.root_authority
    broken = bytearray(other.root.der)
    broken[-1] ^= 1
    for refused in (other.person.certificate, other.tsa.certificate, circle.root, Certificate(bytes(broken))):
        with pytest.raises(IssuanceError):
            relations.prepare_cross(authority, refused)
    with pytest.raises(ProfileError):
        relations.prepare_cross(authority, other.root, days=100_000)


def test_a_cross_certificate_ends_with_what_it_certifies() -> None:
    circle, other = make_circle("ed25519"), circle_of("sm2")
    authority = circle.ca.root_authority
    cross = authority.issue(relations.prepare_cross(authority, other.issuing, days=7000))
    assert cross.not_after == min(other.issuing.not_after, circle.root.not_after)


# Generations ---------------------------------------------------------------------------------------------------------
@cache
def generations(suite: str) -> tuple[Circle, Generations, Authority]:
    circle = make_circle(suite)
    key = keys_of(suite)[4]
    ledger = MemoryLedger()
    later = FixedClock(NOW + timedelta(days=1000))
    links = relations.next_root(circle.ca.root_authority, key, clock=later, ledger=ledger)
    return circle, links, Authority(key, links.root, ledger=ledger, clock=later)


def test_a_root_is_followed_and_both_generations_reach_each_other(suite_name: str) -> None:
    circle, links, new = generations(suite_name)
    at = NOW + timedelta(days=1001)
    for certificate in (links.root, links.new_with_old, links.old_with_new):
        assert certificate.subject_name == circle.root.subject_name == certificate.issuer_name
        assert certificate.problems == ()
    assert links.new_with_old.spki == links.root.spki
    assert links.old_with_new.spki == circle.root.spki
    assert links.new_with_old.verify_signed_by(circle.root) == suite_name
    assert links.old_with_new.verify_signed_by(links.root) == suite_name
    # RFC 4210 4.4: the old key under the new root lives as long as the old root, from its beginning
    assert (links.old_with_new.not_before, links.old_with_new.not_after) == (
        circle.root.not_before,
        circle.root.not_after,
    )
    assert links.new_with_old.not_after == circle.root.not_after
    # who trusts one root only accepts what the other's issuing authority makes
    issuing_key = keys_of(suite_name)[2]
    name = Subject.of(circle.issuing.subject_name)
    fresh = new.issue(new.prepare(profiles.load("issuing"), name, issuing_key.public_key.spki))
    for key, issuing, link, anchor in (
        (circle.ca.issuing.key, circle.issuing, links.old_with_new, links.root),
        (issuing_key, fresh, links.new_with_old, circle.root),
    ):
        authority = Authority(key, issuing, ledger=MemoryLedger(), clock=FixedClock(at))
        person = authority.issue(
            authority.prepare(
                profiles.load("person"), Subject("Anna", country="DE"), keys_of(suite_name)[3].public_key.spki
            )
        )
        result = validate_path(person, (issuing, link), TrustStore().with_((anchor,)), at, revocation="if-present")
        assert result.passed, result
        assert len(result.chain) == 4
        alone = validate_path(person, (issuing,), TrustStore().with_((anchor,)), at, revocation="if-present")
        assert not alone.passed


def test_only_a_root_has_a_next_root_and_with_a_new_key() -> None:
    circle = make_circle("ed25519")
    with pytest.raises(IssuanceError):
        relations.next_root(circle.ca.issuing, keys_of("ed25519")[4], clock=CLOCK, ledger=MemoryLedger())
    with pytest.raises(IssuanceError):
        relations.next_root(circle.ca.root_authority, circle.ca.root_authority.key, clock=CLOCK, ledger=MemoryLedger())


def test_the_next_root_may_be_of_another_suite() -> None:
    circle = make_circle("rsa")
    links = relations.next_root(circle.ca.root_authority, keys_of("ml-dsa-65")[0], clock=CLOCK, ledger=MemoryLedger())
    assert links.new_with_old.verify_signed_by(circle.root) == "rsa"
    assert links.old_with_new.verify_signed_by(links.root) == "ml-dsa-65"


def ask(name: str) -> bytes:
    return b"secret"


@pytest.mark.parametrize("root", [False, True])
def test_a_directory_changes_its_generation(
    signing_suite: str, root: bool, tmp_path: Path, cheap_passwords: None
) -> None:
    place = tmp_path / "c"
    parameter = "2048" if signing_suite == "rsa" else None
    old = circles.create(
        place, signing_suite, organisation="O", country="DE", secrets=ask, clock=CLOCK, crl_url=CRL_URL,
        parameter=parameter,
    )  # fmt: skip
    spki = keys_of(signing_suite)[0].public_key.spki
    before = old.issue("person", Subject("Anna", country="DE"), spki)
    new = circles.roll_over(place, ask, CLOCK, root=root)
    assert new.issuing.id != old.issuing.id
    assert new.issuing.certificate.subject_name == old.issuing.certificate.subject_name
    assert (new.root != old.root) == root
    assert [each.id for each in new.previous] == [old.root_authority.id] * root + [old.issuing.id]
    after = new.issue("person", Subject("Boris", country="DE"), spki)
    lists = tuple(CRL(each.crl()) for each in new.authorities)
    pool = (old.issuing.certificate, new.issuing.certificate)
    if root:
        pool = (*pool, load_certificate((place / "root-2.old-with-new.pem").read_bytes()))
        assert (place / "root-2.new-with-old.pem").exists()
    for certificate in (before, after):
        store = TrustStore().with_((new.root,))
        result = validate_path(certificate, pool, store, NOW, crls=lists)
        assert result.passed, result
    new.revoke(before.serial, "superseded")
    assert before.serial in CRL(new.issuer_of(before.serial).crl()).entries
    imprint = bytes(32)
    token = read_token(circles.timestamper(place, new, ask, CLOCK).stamp("sha256", imprint))
    assert old.issuing.certificate in token.certificates
    again = circles.roll_over(place, ask, CLOCK, root=root)
    assert len(again.previous) == (4 if root else 2)
    assert ClosedCircle.load(place, ask, CLOCK).chain == again.chain


def test_a_rollover_that_was_killed_leaves_the_old_generation(
    tmp_path: Path, cheap_passwords: None, monkeypatch
) -> None:
    place = tmp_path / "c"
    old = circles.create(place, "ed25519", organisation="O", country="DE", secrets=ask, clock=CLOCK)
    original = circles.files.write

    class Killed(BaseException):
        pass

    def write(path: Path, data: bytes, *rest: object, **more: object) -> None:
        if path.name == "circle.json":
            raise Killed
        original(path, data, *rest, **more)

    monkeypatch.setattr(circles.files, "write", write)
    with pytest.raises(Killed):
        circles.roll_over(place, ask, CLOCK, root=True)
    monkeypatch.undo()
    assert ClosedCircle.load(place, ask, CLOCK).chain == old.chain
    assert circles.roll_over(place, ask, CLOCK, root=True).issuing.id != old.issuing.id


@pytest.mark.parametrize("value", ["../root", "tsa", 7, None, ["root"]])
def test_names_of_generations_stay_in_the_directory(value: object, tmp_path: Path, cheap_passwords: None) -> None:
    import json

    from certs.errors import MalformedInput

    place = tmp_path / "c"
    circles.create(place, "ed25519", organisation="O", country="DE", secrets=ask, clock=CLOCK, tsa=False)
    values = json.loads((place / "circle.json").read_text())
    for change in ({"issuing": value}, {"previous": [value]}, {"previous": "root"}, {"root": value}):
        (place / "circle.json").write_text(json.dumps(values | change))
        with pytest.raises(MalformedInput):
            ClosedCircle.load(place, ask, CLOCK)


# Renewal -------------------------------------------------------------------------------------------------------------
def test_renewal_keeps_the_holder_and_changes_dates_and_maybe_the_key(suite_name: str) -> None:
    from tests.certs.test_profiles import FACTS, RUSSIAN_FIRM

    circle = make_circle(suite_name)
    old = circle.ca.issue(
        "organisation", replace(RUSSIAN_FIRM, email="a@example.com"), circle.person.key.public_key.spki, form="plain"
    )
    russian = circle.ca.issue(
        "organisation", RUSSIAN_FIRM, circle.person.key.public_key.spki, form="russia", facts=FACTS
    )
    for certificate in (old, russian):
        for spki in (None, circle.organisation.key.public_key.spki):
            new = relations.renew(circle.ca.issuing, certificate, spki=spki, days=30)
            assert new.serial != certificate.serial
            assert new.subject_name == certificate.subject_name
            assert new.spki == (spki or certificate.spki)
            assert new.not_after - new.not_before == timedelta(days=30, seconds=-1)
            assert [item.oid for item in new.extensions] == [item.oid for item in certificate.extensions]
            assert new.policies == certificate.policies


def test_what_is_not_renewed() -> None:
    circle = make_circle("ed25519")
    issuing = circle.ca.issuing
    certificate = circle.person.certificate
    stranger = make_circle("ed25519").person.certificate
    for refused in (stranger, circle.issuing, circle.root):
        with pytest.raises(IssuanceError):
            relations.renew(issuing, refused)
    with pytest.raises(IssuanceError):
        relations.renew(circle.ca.root_authority, circle.issuing)
    with pytest.raises(ProfileError):
        relations.renew(issuing, certificate, profile=profiles.load("organisation"))
    with pytest.raises(ProfileError):
        relations.renew(issuing, certificate, days=5000)
    issuing.revoke(certificate.serial, "keyCompromise")
    with pytest.raises(IssuanceError):
        relations.renew(issuing, certificate)
