"""Chains: every good one passes in every suite, every broken one is named in the words of EN 319 102-1."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from certs import der, extensions, oids, suites
from certs.certificate import Certificate, Extension
from certs.crl import CRL, build_crl
from certs.errors import SealroadError
from certs.path import Limits, PathResult, validate_path
from certs.suites.base import PrivateKey, Use
from certs.trust import TrustStore
from tests.certs.forge import forge
from tests.conftest import ALL_SUITES, NOW, Circle, circle_of, keys_of, make_circle

ROOT, MIDDLE, LOW, LEAF, OTHER = keys_of("ecdsa-p256") if "ecdsa-p256" in ALL_SUITES else ()


def answer(result: PathResult) -> tuple[str, str | None]:
    return result.indication, result.sub_indication


PASSED = ("PASSED", None)
SHA1_WITH_RSA = der.sequence(der.oid(oids.SHA1_WITH_RSA), der.NULL_DER)


def test_a_good_chain_passes(circle: Circle) -> None:
    for holder in (circle.person, circle.organisation):
        result = validate_path(holder.certificate, circle.chain, circle.trust, NOW)
        assert answer(result) == PASSED
        assert result.chain == (holder.certificate, *circle.chain)
        assert all(check.result == "passed" for check in result.checks)
        assert set(result.crls) == set(circle.crls)


def test_a_time_stamping_certificate_passes_for_that_only(circle: Circle) -> None:
    tsa = circle.tsa.certificate
    assert answer(validate_path(tsa, circle.chain, circle.trust, NOW, purpose="timestamping")) == PASSED
    assert validate_path(tsa, circle.chain, circle.trust, NOW).sub_indication == "CHAIN_CONSTRAINTS_FAILURE"
    person = circle.person.certificate
    result = validate_path(person, circle.chain, circle.trust, NOW, purpose="timestamping")
    assert result.sub_indication == "CHAIN_CONSTRAINTS_FAILURE"


def test_no_flipped_bit_in_leaf_or_issuer_passes(circle: Circle) -> None:
    step = 37 if len(circle.person.certificate.der) < 2500 else 211
    for original in (circle.person.certificate, circle.issuing):
        for position in range(0, len(original.der), step):
            mutated = bytearray(original.der)
            mutated[position] ^= 1 << position % 8
            try:
                changed = Certificate(bytes(mutated))
            except SealroadError:
                continue
            leaf = changed if original is circle.person.certificate else circle.person.certificate
            pool = (changed,) if original is circle.issuing else (circle.issuing,)
            result = validate_path(leaf, pool, circle.trust, NOW, revocation="if-present")
            assert result.indication != "PASSED", position


def test_an_issuer_nobody_trusts(circle: Circle) -> None:
    other = circle_of("ed25519" if circle.suite_name != "ed25519" else "ecdsa-p256")
    for store in (TrustStore(), other.trust):
        result = validate_path(circle.person.certificate, circle.chain, store, NOW)
        assert answer(result) == ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND")


def test_an_issuer_that_is_not_at_hand(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    result = validate_path(circle.person.certificate, (), circle.trust, NOW)
    assert result.sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"


def test_a_second_before_and_after_validity(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    leaf = circle.person.certificate

    def at(moment: object) -> str | None:
        return validate_path(leaf, circle.chain, circle.trust, moment, revocation="if-present").sub_indication  # type: ignore[arg-type]

    assert at(leaf.not_before) is None
    assert at(leaf.not_after) is None
    assert at(leaf.not_after + timedelta(milliseconds=900)) is None  # whole seconds
    assert at(leaf.not_before - timedelta(seconds=1)) == "NOT_YET_VALID"
    assert at(leaf.not_after + timedelta(seconds=1)) == "OUT_OF_BOUNDS_NO_POE"


def test_revoked_from_that_second_on(circle: Circle) -> None:
    mine = make_circle(circle.suite_name)
    leaf = mine.person.certificate
    mine.ca.issuing.revoke(leaf.serial, "keyCompromise", at=NOW - timedelta(hours=1))
    crls = [CRL(mine.ca.crl()), CRL(mine.ca.root_crl())]
    store = TrustStore().with_((mine.root,))
    result = validate_path(leaf, mine.chain, store, NOW, crls=crls)
    assert answer(result) == ("INDETERMINATE", "REVOKED_NO_POE")
    assert result.revoked_at == NOW - timedelta(hours=1)
    assert result.revocation_reason == "keyCompromise"
    assert result.revoked == leaf
    # the same list, made later, tells that it was still good before
    before = validate_path(
        leaf, mine.chain, store, NOW - timedelta(hours=1, seconds=1), crls=crls, revocation="require"
    )
    assert before.sub_indication == "NOT_YET_VALID"  # issued with the circle, minutes ago


def test_good_before_a_revocation_that_came_later(signing_suite: str) -> None:
    mine = make_circle(signing_suite)
    later = CRL(
        build_crl(
            mine.issuing,
            mine.ca.issuing.key,
            [(mine.person.certificate.serial, NOW + timedelta(days=2), "superseded")],
            number=9,
            this_update=NOW + timedelta(days=3),
            next_update=NOW + timedelta(days=4),
        )
    )
    store = TrustStore().with_((mine.root,), (later, mine.crls[1]))
    assert answer(validate_path(mine.person.certificate, mine.chain, store, NOW)) == PASSED
    result = validate_path(mine.person.certificate, mine.chain, store, NOW + timedelta(days=3))
    assert result.sub_indication == "REVOKED_NO_POE"


def test_a_revoked_authority_takes_its_people_with_it(signing_suite: str) -> None:
    mine = make_circle(signing_suite)
    mine.ca.revoke(mine.issuing.serial, "cACompromise")
    crls = [CRL(mine.ca.crl()), CRL(mine.ca.root_crl())]
    result = validate_path(mine.person.certificate, mine.chain, TrustStore().with_((mine.root,)), NOW, crls=crls)
    assert answer(result) == ("INDETERMINATE", "REVOKED_CA_NO_POE")
    assert result.revoked == mine.issuing


def test_without_a_usable_list_the_answer_is_try_later(circle: Circle) -> None:
    bare = TrustStore().with_((circle.root,))
    leaf = circle.person.certificate
    for crls in ((), circle.crls[:1], circle.crls[1:]):
        assert validate_path(leaf, circle.chain, bare, NOW, crls=crls).sub_indication == "TRY_LATER"
    assert answer(validate_path(leaf, circle.chain, bare, NOW, revocation="if-present")) == PASSED


def _crl(issuer: Certificate, key: object, **change: object) -> CRL:
    values: dict[str, object] = {"number": 1, "this_update": NOW, "next_update": NOW + timedelta(days=1)} | change
    return CRL(build_crl(issuer, key, [], **values))  # type: ignore[arg-type]


def test_a_list_that_is_out_of_date_or_forged_proves_nothing(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    store = TrustStore().with_((circle.root,), (circle.crls[1],))
    leaf, key = circle.person.certificate, circle.ca.issuing.key
    old = _crl(circle.issuing, key, this_update=NOW - timedelta(days=9), next_update=NOW - timedelta(seconds=1))
    assert validate_path(leaf, circle.chain, store, NOW, crls=[old]).sub_indication == "TRY_LATER"
    last = _crl(circle.issuing, key, this_update=NOW - timedelta(days=9), next_update=NOW)
    assert answer(validate_path(leaf, circle.chain, store, NOW, crls=[last])) == PASSED
    forged = bytearray(circle.crls[0].der)
    forged[-3] ^= 4
    assert validate_path(leaf, circle.chain, store, NOW, crls=[CRL(bytes(forged))]).sub_indication == "TRY_LATER"


def test_the_newest_of_several_lists_counts() -> None:
    mine = make_circle("ed25519")
    leaf = mine.person.certificate
    mine.ca.issuing.revoke(leaf.serial, "superseded", at=NOW - timedelta(minutes=1))
    new = CRL(mine.ca.crl())
    old = _crl(mine.issuing, mine.ca.issuing.key, this_update=NOW - timedelta(hours=2))
    for order in ([old, new], [new, old]):
        result = validate_path(leaf, mine.chain, TrustStore().with_((mine.root,), mine.crls[1:]), NOW, crls=order)
        assert result.sub_indication == "REVOKED_NO_POE"


# Broken chains, in one suite -----------------------------------------------------------------------------------------
ANCHOR = forge("Root", ROOT, None, ROOT, ca=True)
STORE = TrustStore(anchors=(ANCHOR,))
GOOD_CA = forge("Middle", MIDDLE, ANCHOR, ROOT, ca=True)


def judge(leaf: Certificate, *pool: Certificate, store: TrustStore = STORE, **options: object) -> PathResult:
    return validate_path(leaf, pool, store, NOW, revocation="if-present", **options)  # type: ignore[arg-type]


def leaf_under(issuer: Certificate = GOOD_CA, key: object = MIDDLE, **options: object) -> Certificate:
    return forge("Leaf", LEAF, issuer, key, **options)  # type: ignore[arg-type]


def test_the_forged_chain_itself_is_good() -> None:
    assert answer(judge(leaf_under(), GOOD_CA)) == PASSED


NOISE = Extension("1.2.3.4.5", True, b"\x05\x00")
OTHER_ALGORITHM = suites.get("ecdsa-p384").signature_algorithm(Use.X509).der()

BROKEN_LEAVES = {
    "unknown_critical_extension": ({"more": [NOISE]}, "CERTIFICATE_CHAIN_GENERAL_FAILURE"),
    "extension_twice": ({"more": [extensions.key_usage(["digital_signature"])]}, "CERTIFICATE_CHAIN_GENERAL_FAILURE"),
    "inner_algorithm_differs": ({"inner_algorithm": OTHER_ALGORITHM}, "CERTIFICATE_CHAIN_GENERAL_FAILURE"),
    "outer_algorithm_differs": ({"outer_algorithm": OTHER_ALGORITHM}, "CERTIFICATE_CHAIN_GENERAL_FAILURE"),
    "name_constraints_in_a_leaf": (
        {"more": [Extension(oids.NAME_CONSTRAINTS, False, der.sequence())]},
        "CERTIFICATE_CHAIN_GENERAL_FAILURE",
    ),
    "explicit_policy_required": (
        {"more": [Extension(oids.POLICY_CONSTRAINTS, True, der.sequence(b"\x80\x01\x00"))]},
        "CHAIN_CONSTRAINTS_FAILURE",
    ),
    "key_usage_without_signature": ({"usage": ["key_encipherment"]}, "CHAIN_CONSTRAINTS_FAILURE"),
    "for_tls_servers_only": ({"purposes": [oids.SERVER_AUTH]}, "CHAIN_CONSTRAINTS_FAILURE"),
    "expired": ({"not_after": NOW - timedelta(seconds=1)}, "OUT_OF_BOUNDS_NO_POE"),
    "not_yet_valid": ({"not_before": NOW + timedelta(seconds=1)}, "NOT_YET_VALID"),
    "unreadable_time": (
        {"raw_times": der.sequence(der.tlv(0x17, b"x"), der.tlv(0x17, b"991231235959Z"))},
        "CERTIFICATE_CHAIN_GENERAL_FAILURE",
    ),
}


@pytest.mark.parametrize("case", BROKEN_LEAVES)
def test_a_broken_leaf(case: str) -> None:
    options, expected = BROKEN_LEAVES[case]
    assert judge(leaf_under(**options), GOOD_CA).sub_indication == expected  # type: ignore[arg-type]


BROKEN_AUTHORITIES = {
    "a_person_who_issues": ({"ca": False}, "CHAIN_CONSTRAINTS_FAILURE"),
    "may_not_sign_certificates": ({"ca": True, "usage": ["crl_sign"]}, "CHAIN_CONSTRAINTS_FAILURE"),
    "unknown_critical_extension": ({"ca": True, "more": [NOISE]}, "CERTIFICATE_CHAIN_GENERAL_FAILURE"),
    "name_constraints": (
        {"ca": True, "more": [Extension(oids.NAME_CONSTRAINTS, True, der.sequence())]},
        "CERTIFICATE_CHAIN_GENERAL_FAILURE",
    ),
    "excludes_the_purpose": ({"ca": True, "purposes": [oids.SERVER_AUTH]}, "CHAIN_CONSTRAINTS_FAILURE"),
    "expired": ({"ca": True, "not_after": NOW - timedelta(seconds=1)}, "OUT_OF_BOUNDS_NO_POE"),
    "not_yet_valid": ({"ca": True, "not_before": NOW + timedelta(seconds=1)}, "OUT_OF_BOUNDS_NO_POE"),
    "extension_twice": (
        {"ca": True, "more": [extensions.basic_constraints(ca=True)]},
        "CERTIFICATE_CHAIN_GENERAL_FAILURE",
    ),
}


@pytest.mark.parametrize("case", BROKEN_AUTHORITIES)
def test_a_broken_authority(case: str) -> None:
    options, expected = BROKEN_AUTHORITIES[case]
    authority = forge("Middle", MIDDLE, ANCHOR, ROOT, **options)  # type: ignore[arg-type]
    assert judge(leaf_under(authority), authority).sub_indication == expected


def test_the_path_length_is_kept() -> None:
    for length, expected in ((0, "CHAIN_CONSTRAINTS_FAILURE"), (1, None)):
        top = forge("Top", OTHER, ANCHOR, ROOT, ca=True, path_length=length)
        middle = forge("Middle", MIDDLE, top, OTHER, ca=True)
        assert judge(leaf_under(middle), middle, top).sub_indication == expected
    root = forge("Root", ROOT, None, ROOT, ca=True, path_length=0)
    result = judge(leaf_under(), GOOD_CA, store=TrustStore(anchors=(root,)))
    assert result.sub_indication == "CHAIN_CONSTRAINTS_FAILURE"


def test_a_signature_by_another_key_under_the_right_name() -> None:
    impostor = forge("Middle", OTHER, ANCHOR, ROOT, ca=True, fields=None)
    leaf = leaf_under(GOOD_CA, OTHER)
    assert judge(leaf, GOOD_CA).sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"
    assert (
        judge(leaf, GOOD_CA, impostor).sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"
    )  # the key identifier is GOOD_CA's


def test_a_critical_policy_without_a_requirement_is_no_obstacle() -> None:
    policy = Extension(oids.CERTIFICATE_POLICIES, True, der.sequence(der.sequence(der.oid("1.2.3"))))
    assert answer(judge(leaf_under(more=[policy]), GOOD_CA)) == PASSED


@pytest.mark.parametrize("purpose", [oids.CLIENT_AUTH, oids.EMAIL_PROTECTION, "1.2.643.2.2.34.6", oids.ANY_PURPOSE])
def test_purposes_of_national_certificates_do_not_speak_against_signing(purpose: str) -> None:
    assert answer(judge(leaf_under(purposes=[purpose]), GOOD_CA)) == PASSED


def test_a_certificate_for_encryption_is_not_for_signing_and_the_other_way_round() -> None:
    for usage, purpose, other in (
        ("key_agreement", "encryption", "signing"),
        ("non_repudiation", "signing", "encryption"),
    ):
        leaf = leaf_under(usage=[usage], purposes=[oids.EMAIL_PROTECTION])
        assert answer(judge(leaf, GOOD_CA, purpose=purpose)) == PASSED
        refused = judge(leaf, GOOD_CA, purpose=other)
        assert refused.sub_indication == "CHAIN_CONSTRAINTS_FAILURE"
        assert f"does not allow {'signatures' if other == 'signing' else 'encryption'}" in refused.detail


def test_time_stamping_must_be_the_only_purpose_and_critical() -> None:
    def stamp(*purposes: str, critical: bool = True) -> str | None:
        key_usage = extensions.key_usage(["digital_signature"])
        fields = [key_usage, extensions.extended_key_usage(purposes, critical=critical)]
        leaf = forge("Leaf", LEAF, GOOD_CA, MIDDLE, fields=fields)
        return judge(leaf, GOOD_CA, purpose="timestamping").sub_indication

    assert stamp(oids.TIME_STAMPING) is None
    for wrong in (
        stamp(oids.TIME_STAMPING, critical=False),
        stamp(oids.TIME_STAMPING, oids.EMAIL_PROTECTION),
        stamp(oids.ANY_PURPOSE),
        stamp(oids.CODE_SIGNING),
    ):
        assert wrong == "CHAIN_CONSTRAINTS_FAILURE"


def test_an_anchor_that_is_the_leaf_is_trusted_as_it_is() -> None:
    leaf = leaf_under()
    result = judge(leaf, store=TrustStore(anchors=(leaf,)))
    assert answer(result) == PASSED
    assert result.chain == (leaf,)
    expired = leaf_under(not_after=NOW - timedelta(days=1))
    assert judge(expired, store=TrustStore(anchors=(expired,))).sub_indication == "OUT_OF_BOUNDS_NO_POE"


def test_a_cross_certificate_of_the_anchors_own_name_and_key_does_not_confuse() -> None:
    elder = forge("Elder", OTHER, None, OTHER, ca=True)
    crossed = forge("Root", ROOT, elder, OTHER, ca=True)
    for store in (STORE, TrustStore(anchors=(elder,)), TrustStore(anchors=(ANCHOR, elder))):
        assert answer(judge(leaf_under(), GOOD_CA, crossed, store=store)) == PASSED


def test_of_two_issuers_of_one_name_the_right_one_is_found_where_no_key_identifier_points_at_it() -> None:
    def plain(key: PrivateKey) -> list[Extension]:
        own = extensions.subject_key_identifier(extensions.key_id(key.public_key.spki))
        return [extensions.key_usage(["key_cert_sign"]), extensions.basic_constraints(ca=True), own]

    wrong = forge("Middle", OTHER, ANCHOR, ROOT, fields=plain(OTHER))
    right = forge("Middle", MIDDLE, ANCHOR, ROOT, fields=plain(MIDDLE))
    leaf = forge("Leaf", LEAF, right, MIDDLE, fields=[])
    for pool in ((wrong, right), (right, wrong)):
        assert answer(judge(leaf, *pool)) == PASSED


def test_a_weak_signature_algorithm_or_key_is_not_good_enough() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(65537, 1024)
    spki = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    algorithm = ROOT.suite.signature_algorithm(Use.X509).der()
    tbs = extensions.certificate_tbs(
        serial=5,
        algorithm=algorithm,
        issuer=ANCHOR.subject_name.der,
        not_before=NOW,
        not_after=NOW,
        subject=leaf_under().subject_name.der,
        spki=spki,
        extensions=[],
    )
    weak = Certificate(extensions.signed(tbs, algorithm, ROOT.sign(tbs)))
    assert judge(weak).sub_indication == "CRYPTO_CONSTRAINTS_FAILURE"


@pytest.mark.parametrize("pss", [False, True], ids=["pkcs1", "pss"])
def test_a_digest_that_is_weak_refuses_however_rsa_pads_it(pss: bool) -> None:
    """RSASSA-PSS without parameters means SHA-1 (RFC 4055 3.1): the digest is not in the object identifier."""
    top, low = keys_of("rsa")[:2]
    root = forge("Root", top, None, top, ca=True)
    good = forge("Leaf", low, root, top)
    old = top.suite.signature_algorithm(Use.X509).der()
    algorithm = der.sequence(der.oid(oids.RSA_PSS), der.sequence()) if pss else SHA1_WITH_RSA
    tbs = der.tlv(der.SEQUENCE, der.Reader(good.tbs).value(der.SEQUENCE).replace(old, algorithm, 1))
    private = serialization.load_der_private_key(top.pkcs8(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    scheme = padding.PSS(padding.MGF1(hashes.SHA1()), 20) if pss else padding.PKCS1v15()
    weak = Certificate(extensions.signed(tbs, algorithm, private.sign(tbs, scheme, hashes.SHA1())))
    store = TrustStore((root,))
    assert answer(validate_path(good, (), store, NOW, revocation="if-present")) == PASSED
    result = validate_path(weak, (), store, NOW, revocation="if-present")
    assert result.sub_indication == "CRYPTO_CONSTRAINTS_FAILURE"
    assert "SHA-1" in result.detail


def test_an_algorithm_we_cannot_compute_is_not_called_wrong() -> None:
    unknown = der.sequence(der.oid("1.2.3.4.5"))
    leaf = leaf_under(inner_algorithm=unknown, outer_algorithm=unknown)
    assert answer(judge(leaf, GOOD_CA)) == ("INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE")


# Attacks on the builder ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("identifiers", ["none", "equal"])
def test_certificates_that_issue_each_other_in_circles_end_soon(identifiers: str) -> None:
    fields = [extensions.key_usage(["key_cert_sign"]), extensions.basic_constraints(ca=True)]
    if identifiers == "equal":
        fields += [extensions.subject_key_identifier(b"x" * 20), extensions.authority_key_identifier(b"x" * 20)]
    same = [forge("Loop", OTHER, None, OTHER, fields=fields, serial=n + 1) for n in range(12)]
    leaf = forge("Leaf", LEAF, same[0], OTHER, fields=[])
    began = time.process_time()
    result = judge(leaf, *same)
    assert time.process_time() - began < 20
    assert result.indication == "INDETERMINATE"


def test_a_great_many_certificates_end_soon() -> None:
    crowd = [forge("Middle", OTHER, ANCHOR, ROOT, ca=True, serial=n + 1) for n in range(60)]
    began = time.process_time()
    result = judge(leaf_under(), *crowd)
    assert time.process_time() - began < 20
    assert result.sub_indication == "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    unrelated = [forge(f"Nobody {n}", OTHER, ANCHOR, ROOT, ca=True) for n in range(60)]
    assert answer(judge(leaf_under(), *unrelated, GOOD_CA)) == PASSED


def test_a_chain_too_deep_is_not_followed() -> None:
    chain = [GOOD_CA]
    for number in range(10):
        chain.append(forge(f"Sub {number}", MIDDLE, chain[-1], MIDDLE, ca=True))
    leaf = leaf_under(chain[-1])
    result = judge(leaf, *chain)
    assert answer(result) == ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE")
    assert answer(judge(leaf, *chain, limits=Limits(depth=13))) == PASSED


def test_a_leaf_that_is_its_own_issuer_goes_nowhere() -> None:
    leaf = forge("Leaf", LEAF, None, LEAF)
    assert judge(leaf, leaf).sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"


SAMPLE = leaf_under().der


@given(st.data())
def test_no_mutated_certificate_makes_it_raise(data: st.DataObject) -> None:
    mutated = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 3))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    try:
        leaf = Certificate(bytes(mutated))
    except SealroadError:
        return
    store = TrustStore(anchors=(ANCHOR, leaf)) if data.draw(st.booleans()) else STORE
    result = judge(leaf, GOOD_CA, store=store)
    assert result.indication in ("PASSED", "INDETERMINATE", "FAILED")
    if store is STORE and leaf.der != SAMPLE:
        assert result.indication != "PASSED"
