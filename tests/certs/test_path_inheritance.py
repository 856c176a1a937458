"""DSA in chains: until when it proves something; keys that take their parameters from their issuer (RFC 3279 2.3.2).

The anchor is an ECDSA one, except where a DSA key is meant; parameters start with the first authority below it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa

from certs import der, extensions, oids
from certs.certificate import Certificate
from certs.crl import CRL
from certs.path import Limits, PathResult, validate_path
from certs.path_algorithms import check_algorithms
from certs.path_inheritance import MAX_COMPLETED
from certs.path_result import Stop
from certs.trust import TrustStore
from tests.certs.forge import forge
from tests.certs.old_keys import OldKey, numbers, spki_of, without_parameters
from tests.conftest import keys_of

START, END = datetime(2009, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
THEN, NOW = datetime(2012, 6, 1, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
TIMES = {"not_before": START, "not_after": END}
ROOT, PLAIN, *_ = keys_of("ecdsa-p256")
ANCHOR = forge("Root", ROOT, None, ROOT, ca=True, **TIMES)


def made(name: str, key: Any, issuer: Certificate | None, issuer_key: Any, **more: Any) -> Certificate:
    return forge(name, key, issuer, issuer_key, **{**TIMES, **more})


def judge(leaf: Certificate, *pool: Certificate, anchor: Certificate = ANCHOR, at: datetime = THEN) -> PathResult:
    return validate_path(leaf, pool, TrustStore(anchors=(anchor,)), at, revocation="if-present")


def answer(result: PathResult) -> tuple[str, str | None]:
    return result.indication, result.sub_indication


PASSED = ("PASSED", None)
WEAK = ("INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE")
NO_CHAIN = ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND")

WHOLE = OldKey()
BARE, LOW, END_KEY = (OldKey(bare=True) for _ in range(3))
FIRST = made("First", WHOLE, ANCHOR, ROOT, ca=True)
SECOND = made("Second", BARE, FIRST, WHOLE, ca=True)
LEAF = made("Leaf", PLAIN, SECOND, BARE)


# The policy ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("size", "digest", "end"),
    [
        (1024, "sha1", datetime(2012, 8, 1, tzinfo=UTC)),
        (1024, "sha256", datetime(2014, 1, 1, tzinfo=UTC)),
        (2048, "sha1", datetime(2012, 8, 1, tzinfo=UTC)),
        (2048, "sha256", datetime(2024, 2, 3, tzinfo=UTC)),
    ],
)
def test_dsa_proves_something_until_its_end(size: int, digest: str, end: datetime) -> None:
    key = OldKey(size, digest)
    authority = made("Old", key, ANCHOR, ROOT, ca=True)
    leaf = made("Leaf", PLAIN, authority, key)
    before = end.replace(year=end.year - 1)
    assert answer(judge(leaf, authority, at=before)) == PASSED
    for at in (end, NOW):
        result = judge(leaf, authority, at=at)
        assert answer(result) == WEAK
        assert "DSA" in result.detail or "SHA-1" in result.detail


def test_neither_leaf_nor_anchor_of_dsa_is_good_today() -> None:
    own = made("Own", WHOLE, None, WHOLE, ca=True)
    below = made("Leaf", PLAIN, own, WHOLE)
    leaf = made("Leaf", WHOLE, ANCHOR, ROOT)
    alone = made("Alone", WHOLE, None, WHOLE)
    for certificate, anchor in ((below, own), (alone, alone), (leaf, ANCHOR)):
        assert answer(judge(certificate, anchor=anchor)) == PASSED
        assert answer(judge(certificate, anchor=anchor, at=NOW)) == WEAK


@pytest.mark.parametrize(("parameter", "good"), [("2048/160", False), ("1024/224", False), ("2048/224", True)])
def test_either_number_may_be_too_small(parameter: str, good: bool) -> None:
    key = SimpleNamespace(parameter=parameter)
    leaf: Any = SimpleNamespace(suite_name="dsa", key_algorithm=oids.DSA, subject="x", public_key=lambda: key)
    at = datetime(2014, 1, 1, tzinfo=UTC)
    if good:
        assert check_algorithms((leaf,), at, computed=True).result == "passed"
    else:
        with pytest.raises(Stop):
            check_algorithms((leaf,), at, computed=True)


# Inheritance ---------------------------------------------------------------------------------------------------------
def test_parameters_come_from_the_issuer() -> None:
    for parameters in (None, der.NULL_DER):
        key = OldKey(bare=True)
        key.public_key.spki = without_parameters(key.whole, parameters)
        middle = made("Middle", key, FIRST, WHOLE, ca=True)
        leaf = made("Leaf", PLAIN, middle, key)
        result = judge(leaf, middle, FIRST)
        assert answer(result) == PASSED
        assert result.chain == (leaf, middle, FIRST, ANCHOR)
        assert result.chain[1].spki == key.whole != middle.spki


def test_they_come_from_an_anchor_too() -> None:
    anchor = made("Own", WHOLE, None, WHOLE, ca=True)
    middle = made("Second", BARE, anchor, WHOLE, ca=True)
    assert answer(judge(made("Leaf", PLAIN, middle, BARE), middle, anchor=anchor)) == PASSED


def test_they_are_handed_down_more_than_once_in_any_order_of_the_pool() -> None:
    low = made("Low", LOW, SECOND, BARE, ca=True)
    leaf = made("Leaf", END_KEY, low, LOW)
    for pool in permutations((FIRST, SECOND, low)):
        result = judge(leaf, *pool)
        assert answer(result) == PASSED
        assert [each.spki for each in result.chain[:3]] == [END_KEY.whole, LOW.whole, BARE.whole]


def test_an_altered_signature_under_an_inherited_key_is_refused() -> None:
    octets = bytearray(LEAF.der)
    octets[-1] ^= 1
    assert answer(judge(Certificate(bytes(octets)), SECOND, FIRST)) == NO_CHAIN
    other = made("Leaf", PLAIN, SECOND, LOW)  # by another key of the same group
    assert answer(judge(other, SECOND, FIRST)) == NO_CHAIN


def test_a_key_of_another_algorithm_hands_nothing_down() -> None:
    """RFC 5280 6.1.4 (e): the parameters are dropped where the algorithm changes."""
    directly = made("Second", BARE, ANCHOR, ROOT, ca=True)
    assert answer(judge(made("Leaf", PLAIN, directly, BARE), directly)) == WEAK
    between = made("Between", PLAIN, FIRST, WHOLE, ca=True)
    below = made("Second", BARE, between, PLAIN, ca=True)
    assert answer(judge(made("Leaf", ROOT, below, BARE), below, between, FIRST)) == WEAK
    leaf = made("Leaf", BARE, between, PLAIN)
    assert answer(judge(leaf, between, FIRST)) == WEAK


def test_an_anchor_inherits_from_nobody() -> None:
    anchor = replace(SECOND)
    assert answer(judge(LEAF, FIRST, anchor=anchor)) == WEAK


def test_parameters_of_a_stranger_are_not_taken() -> None:
    """A stranger of the issuer's name, whose group makes the signature of the issuer right, is in nobody's chain."""
    stranger = OldKey(1024)
    theirs = made("First", stranger, None, stranger, ca=True)
    forged = OldKey(1024, bare=True)
    middle = made("Second", forged, theirs, stranger, ca=True)
    leaf = made("Leaf", PLAIN, middle, forged)
    assert answer(judge(leaf, middle, anchor=theirs)) == PASSED
    for pool in ((middle, theirs, FIRST), (middle, FIRST, theirs)):
        assert answer(judge(leaf, *pool)) == NO_CHAIN


def test_an_issuer_made_up_around_a_signature_hands_nothing_down() -> None:
    """Who may choose p, q, g and y can make any DSA signature right, and choose g so that the key below is his.

    With g = y2^(1/k) the private key of y2 is k. Then y = (R · g^-u1)^(1/u2), where R is what the true issuer's key
    gives for the signature on the authority below.
    """
    second = der.Reader(der.split_spki(BARE.whole)[1]).integer()
    p, q, k = numbers().p, numbers().q, 0xC0FFEE
    mine = pow(second, pow(k, -1, q), p)
    r, s = der.decode_integer_pair(SECOND.signature)
    u1, u2 = int(sha256(SECOND.tbs).hexdigest(), 16) * pow(s, -1, q) % q, r * pow(s, -1, q) % q
    issuer = der.Reader(der.split_spki(WHOLE.whole)[1]).integer()
    point = pow(numbers().g, u1, p) * pow(issuer, u2, p) % p
    fitting = pow(point * pow(mine, -u1, p), pow(u2, -1, q), p)
    made_up: Any = SimpleNamespace(public_key=SimpleNamespace(spki=spki_of(p, q, mine, fitting)))
    fields = [extensions.basic_constraints(ca=True), extensions.subject_key_identifier(FIRST.ski or b"")]
    stranger = made("First", made_up, None, ROOT, fields=fields)
    SECOND.verify_signed_by(stranger)  # so it seems
    group = dsa.DSAParameterNumbers(p, q, mine)
    forger = OldKey(private=dsa.DSAPrivateNumbers(k, dsa.DSAPublicNumbers(second, group)).private_key())
    forged = made("Leaf", PLAIN, SECOND, forger)
    forged.verify_signed_by(replace(SECOND, working_spki=forger.whole))
    for pool in permutations((SECOND, stranger, FIRST)):
        assert answer(judge(forged, *pool)) == NO_CHAIN
        assert answer(judge(LEAF, *pool)) == PASSED


def test_strangers_do_not_use_up_what_may_be_completed() -> None:
    low = made("Low", LOW, SECOND, BARE, ca=True)
    leaf = made("Leaf", END_KEY, low, LOW)
    own, strangers = numbers(), []
    for issuer in (FIRST, SECOND, low):
        fields = [extensions.basic_constraints(ca=True), extensions.subject_key_identifier(issuer.ski or b"")]
        for number in range(2, 8):
            g = pow(own.g, number, own.p)
            key: Any = SimpleNamespace(public_key=SimpleNamespace(spki=spki_of(own.p, own.q, g, pow(g, 7, own.p))))
            strangers.append(made(str(issuer.common_name), key, None, ROOT, fields=fields, serial=number))
    limits = Limits(certificates=32)
    store = TrustStore(anchors=(ANCHOR,))
    result = validate_path(leaf, (*strangers, low, SECOND, FIRST), store, THEN, revocation="if-present", limits=limits)
    assert answer(result) == PASSED
    assert len(strangers) > MAX_COMPLETED


def test_one_key_in_two_groups_counts_in_its_own_chain_only() -> None:
    """Two authorities of one name certify the same bare key; in the other group it has signed nothing."""
    other = OldKey(1024)
    twin = made("First", other, ANCHOR, ROOT, ca=True, serial=77)
    wrong = made("Second", BARE, twin, other, ca=True, serial=78)
    for pool in permutations((wrong, SECOND, twin, FIRST)):
        result = judge(LEAF, *pool)
        assert answer(result) == PASSED
        assert FIRST in result.chain
    assert answer(judge(LEAF, wrong, twin)) == NO_CHAIN


def test_the_leaf_inherits_and_its_size_counts() -> None:
    small = OldKey(1024)
    authority = made("Small", small, ANCHOR, ROOT, ca=True)
    leaf = made("Leaf", OldKey(1024, bare=True), authority, small)
    assert answer(judge(leaf, authority)) == PASSED
    assert answer(judge(leaf, authority, at=datetime(2016, 1, 1, tzinfo=UTC))) == WEAK


def test_lists_under_an_inherited_key_count() -> None:
    middle = made("Second", BARE, FIRST, WHOLE, ca=True)
    lists = [revocations(ANCHOR, ROOT), revocations(FIRST, WHOLE), revocations(middle, BARE)]
    store = TrustStore(anchors=(ANCHOR,))
    result = validate_path(LEAF, (middle, FIRST), store, THEN, crls=lists)
    assert answer(result) == PASSED
    assert set(result.crls) == set(lists)
    lists[2] = revocations(middle, BARE, LEAF.serial)
    assert answer(validate_path(LEAF, (middle, FIRST), store, THEN, crls=lists)) == ("INDETERMINATE", "REVOKED_NO_POE")
    lists[2] = revocations(middle, LOW)
    assert validate_path(LEAF, (middle, FIRST), store, THEN, crls=lists).sub_indication == "TRY_LATER"


def test_another_signer_of_lists_may_have_inherited_its_key() -> None:
    signer = made("Second", LOW, FIRST, WHOLE, usage=("crl_sign",), serial=99)
    lists = [revocations(ANCHOR, ROOT), revocations(FIRST, WHOLE), revocations(signer, LOW)]
    store = TrustStore(anchors=(ANCHOR,))
    assert answer(validate_path(LEAF, (SECOND, FIRST, signer), store, THEN, crls=lists)) == PASSED
    assert validate_path(LEAF, (SECOND, FIRST), store, THEN, crls=lists).sub_indication == "TRY_LATER"


def revocations(issuer: Certificate, key: Any, *serials: int) -> CRL:
    from certs.suites.base import Use

    algorithm = key.suite.signature_algorithm(Use.X509).der()
    entries = der.sequence(*(der.sequence(der.integer(each), time_of(2011)) for each in serials)) if serials else b""
    wrapped = der.tlv(0xA0, der.sequence(extensions.encode(extensions.authority_key_identifier(issuer.ski or b""))))
    head = (der.integer(1), algorithm, issuer.subject_name.der, time_of(2012), time_of(2013))
    tbs = der.sequence(*head, entries, wrapped)
    return CRL(extensions.signed(tbs, algorithm, key.sign(tbs)))


def time_of(year: int) -> bytes:
    from certs import ber

    return ber.encode_time(datetime(year, 1, 1, tzinfo=UTC))


def test_a_crowd_of_bare_keys_costs_little() -> None:
    """Many issuers of one name, each with its group, above many bare keys of another."""
    keys = [OldKey(1024) for _ in range(4)]
    tops = [made("First", key, ANCHOR, ROOT, ca=True, serial=number) for number, key in enumerate(keys, 1)]
    crowd = [
        made("Second", OldKey(1024, bare=True), top, key, ca=True, serial=number)
        for number in range(30)
        for top, key in zip(tops, keys, strict=True)
    ]
    result = judge(LEAF, *tops, *crowd)
    assert result.indication == "INDETERMINATE"
    assert len(crowd) > MAX_COMPLETED
