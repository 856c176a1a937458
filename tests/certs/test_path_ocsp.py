"""OCSP answers in a path validation: they count beside lists, and only from who may give them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certs import ber, der, extensions, oids, suites
from certs.clock import FixedClock
from certs.crl import CRL, build_crl
from certs.extension_values import Extension
from certs.ocsp import OCSPResponse, make_request
from certs.ocsp_responder import OCSPResponder
from certs.path import Limits, PathResult, validate_path
from certs.suites.base import PrivateKey, Use
from certs.trust import TrustStore
from tests.certs.forge import forge
from tests.certs.test_ocsp import DAY, NOCHECK, Desk, answer_by, desk_of, make_desk
from tests.conftest import NOW, keys_of


def answers(desk: Desk) -> tuple[OCSPResponse, OCSPResponse]:
    """Answers about the person's and the issuing authority's certificate."""
    leaf = desk.issuing.respond(make_request([(desk.person, desk.issuer)]))
    issuer = desk.root.respond(make_request([(desk.issuer, desk.circle.root)]))
    return OCSPResponse(leaf), OCSPResponse(issuer)


def validate(
    desk: Desk, *ocsps: OCSPResponse, at: object = NOW, crls: tuple[CRL, ...] = (), **more: object
) -> PathResult:
    store = TrustStore().with_((desk.circle.root,), crls)
    return validate_path(desk.person, desk.circle.chain, store, at, ocsps=ocsps, **more)  # type: ignore[arg-type]


def test_answers_do_without_lists(desk: Desk) -> None:
    found = answers(desk)
    result = validate(desk, *found)
    assert result.passed, result
    assert set(result.ocsps) == set(found)
    assert result.crls == ()
    assert any(check.basis.startswith("OCSP answer of") for check in result.checks)
    assert validate(desk, found[0]).sub_indication == "TRY_LATER"  # the issuer's status is missing


@pytest.fixture
def desk(suite_name: str) -> Desk:
    return desk_of(suite_name)


def test_a_revoked_certificate_fails(desk: Desk) -> None:
    gone = desk.circle.organisation.certificate
    answer = OCSPResponse(desk.issuing.respond(make_request([(gone, desk.issuer)])))
    store = TrustStore().with_((desk.circle.root,), (), (answer, answers(desk)[1]))
    result = validate_path(gone, desk.circle.chain, store, NOW)
    assert (result.sub_indication, result.revocation_reason) == ("REVOKED_NO_POE", "keyCompromise")
    assert result.revoked_at == NOW
    earlier = validate_path(gone, desk.circle.chain, store, NOW - timedelta(minutes=1))
    assert earlier.passed  # an answer made later knows more
    assert "revoked later" in next(check.detail for check in reversed(earlier.checks) if check.id == "revocation")


def test_the_newest_of_list_and_answer_is_believed(signing_suite: str) -> None:
    desk = make_desk(signing_suite)
    good, issuer = answers(desk)
    desk.circle.ca.revoke(desk.person.serial, "keyCompromise")
    authority = desk.circle.ca.issuing
    revoked = authority.ledger.revoked(authority.id)

    def listed(minutes: int, entries: tuple[object, ...]) -> CRL:
        made = NOW + timedelta(minutes=minutes)
        return CRL(
            build_crl(desk.issuer, authority.key, entries, number=1, this_update=made, next_update=made + DAY)  # type: ignore[arg-type]
        )

    at = NOW + timedelta(minutes=30)
    assert validate(desk, good, issuer, at=at, crls=(listed(-5, ()),)).passed
    for minutes in (0, 5):  # newer, or as old and knowing more
        result = validate(desk, good, issuer, at=at, crls=(listed(minutes, revoked),))
        assert result.sub_indication == "REVOKED_NO_POE", minutes
    later = OCSPResponder(
        keys_of(signing_suite)[4], desk.issuing.certificate, desk.issuer, authority.ledger, FixedClock(at)
    )
    newest = OCSPResponse(later.respond(make_request([(desk.person, desk.issuer)])))
    assert validate(desk, newest, issuer, at=at, crls=(listed(5, ()),)).sub_indication == "REVOKED_NO_POE"


def test_a_newer_answer_does_not_undo_a_revocation_for_good(suite_name: str) -> None:
    """A responder that has not heard of it yet; what was on hold may be released."""
    desk = make_desk(suite_name)
    good, issuer = answers(desk)
    authority = desk.circle.ca.issuing
    for reason, expected in (("certificateHold", None), ("keyCompromise", "REVOKED_NO_POE")):
        made = NOW - timedelta(minutes=5)
        entry = (desk.person.serial, made, reason)
        crl = CRL(build_crl(desk.issuer, authority.key, [entry], number=1, this_update=made, next_update=made + DAY))
        assert validate(desk, good, issuer, crls=(crl,)).sub_indication == expected


def over_sha1(encoded: bytes, key: PrivateKey) -> bytes:
    """Sign a list anew over SHA-1."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    algorithm = der.sequence(der.oid(oids.SHA1_WITH_RSA), der.NULL_DER)
    old = suites.get("rsa").signature_algorithm(Use.X509).der()
    tbs = ber.load(encoded).members().next().raw().replace(old, algorithm, 1)
    private = serialization.load_der_private_key(key.pkcs8(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return extensions.signed(tbs, algorithm, private.sign(tbs, padding.PKCS1v15(), hashes.SHA1()))


def test_a_list_over_a_weak_digest_says_nothing_today() -> None:
    desk = make_desk("rsa")
    authority = desk.circle.ca.issuing
    issuer = answers(desk)[1]
    made: Any = {"this_update": NOW, "next_update": NOW + DAY}
    good = build_crl(desk.issuer, authority.key, [], number=1, **made)
    assert validate(desk, issuer, crls=(CRL(good),)).passed
    weak = CRL(over_sha1(good, authority.key))
    weak.check_signed_by(desk.issuer)
    result = validate(desk, issuer, crls=(weak,))
    assert result.sub_indication == "TRY_LATER"
    assert "sha1" in result.detail


def test_old_answers_say_nothing(signing_suite: str) -> None:
    desk = desk_of(signing_suite)
    found = answers(desk)
    assert validate(desk, *found, at=NOW + timedelta(hours=1)).passed
    result = validate(desk, *found, at=NOW + timedelta(hours=1, seconds=1))
    assert result.sub_indication == "TRY_LATER"
    assert "out of date" in result.detail
    assert validate(desk, *found, at=NOW + timedelta(hours=2), revocation="if-present").passed


def test_answers_made_after_the_certificate_expired_need_an_archive_cutoff(signing_suite: str) -> None:
    desk = desk_of(signing_suite)
    authority = desk.circle.ca.issuing
    late = FixedClock(desk.person.not_after + DAY)
    responder = OCSPResponder(authority.key, desk.issuer, desk.issuer, authority.ledger, late)
    answer = OCSPResponse(responder.respond(make_request([(desk.person, desk.issuer)])))
    root = answers(desk)[1]
    assert validate(desk, answer, root).passed
    without = responder
    without._cutoff = b""
    answer = OCSPResponse(without.respond(make_request([(desk.person, desk.issuer)])))
    assert "after the certificate had expired" in validate(desk, answer, root).detail


def test_unknown_says_nothing(signing_suite: str) -> None:
    desk = desk_of(signing_suite)
    key = keys_of(signing_suite)[2]
    stranger = forge("nobody issued this", key, desk.issuer, keys_of(signing_suite)[1])
    answer = OCSPResponse(desk.issuing.respond(make_request([(stranger, desk.issuer)])))
    store = TrustStore().with_((desk.circle.root,), (), (answer, answers(desk)[1]))
    result = validate_path(stranger, desk.circle.chain, store, NOW)
    assert (result.sub_indication, "does not know" in result.detail) == ("TRY_LATER", True)


@pytest.mark.parametrize("where", ["nobody's key", "another authority", "no purpose"])
def test_answers_of_who_may_not_give_them_say_nothing(where: str, signing_suite: str) -> None:
    desk, keys = desk_of(signing_suite), keys_of(signing_suite)
    request = make_request([(desk.person, desk.issuer)])
    purposes = () if where == "no purpose" else (oids.OCSP_SIGNING,)
    issuer, issuer_key = (desk.circle.root, keys[0]) if where == "another authority" else (desk.issuer, keys[1])
    delegate = forge("d", keys[3], issuer, issuer_key, purposes=purposes, more=(NOCHECK,))
    signer = keys[2] if where == "nobody's key" else keys[3]
    answer = OCSPResponse(answer_by(desk, delegate, signer, request))
    assert validate(desk, answer, answers(desk)[1]).sub_indication == "TRY_LATER"
    good = OCSPResponse(
        answer_by(
            desk,
            forge("d", keys[3], desk.issuer, keys[1], purposes=(oids.OCSP_SIGNING,), more=(NOCHECK,)),
            keys[3],
            request,
        )
    )
    assert validate(desk, good, answers(desk)[1]).passed


def test_a_responder_without_nocheck_needs_a_list(signing_suite: str) -> None:
    desk, keys = desk_of(signing_suite), keys_of(signing_suite)
    request = make_request([(desk.person, desk.issuer)])
    delegate = forge("d", keys[3], desk.issuer, keys[1], purposes=(oids.OCSP_SIGNING,))
    answer, root = OCSPResponse(answer_by(desk, delegate, keys[3], request)), answers(desk)[1]
    result = validate(desk, answer, root)
    assert (result.sub_indication, "revoked is not known" in result.detail) == ("TRY_LATER", True)

    def listed(*entries: tuple[int, object, str]) -> CRL:
        # an older list than the answer, so that the answer is what counts
        made = NOW - timedelta(minutes=5)
        key = desk.circle.ca.issuing.key
        return CRL(build_crl(desk.issuer, key, entries, number=1, this_update=made, next_update=made + DAY))  # type: ignore[arg-type]

    result = validate(desk, answer, root, crls=(listed(),))
    assert result.passed
    assert answer in result.ocsps
    gone = listed((delegate.serial, NOW - timedelta(minutes=6), "keyCompromise"))
    assert answer not in validate(desk, answer, root, crls=(gone,)).ocsps


def test_an_answer_without_its_responders_certificate_finds_it_in_the_pool() -> None:
    desk = desk_of("ecdsa-p256")
    responder = OCSPResponder(
        keys_of("ecdsa-p256")[4],
        desk.issuing.certificate,
        desk.issuer,
        desk.circle.ca.issuing.ledger,
        desk.issuing._clock,
    )
    responder._certificates = b""
    answer = OCSPResponse(responder.respond(make_request([(desk.person, desk.issuer)])))
    root = answers(desk)[1]
    assert "not at hand" in validate(desk, answer, root).detail
    store = TrustStore().with_((desk.circle.root, desk.issuing.certificate), (), (answer, root))
    assert validate_path(desk.person, desk.circle.chain, store, NOW).passed


def test_an_answer_with_an_unknown_critical_extension_says_nothing() -> None:
    desk, key = desk_of("ed25519"), keys_of("ed25519")[4]
    request = make_request([(desk.person, desk.issuer)])
    extension = Extension("1.2.3.4", True, b"\x05\x00")
    answer = OCSPResponse(answer_by(desk, desk.issuing.certificate, key, request, extension))
    assert "critical extension" in validate(desk, answer, answers(desk)[1]).detail


def test_many_answers_do_not_cost_many_signatures() -> None:
    desk = desk_of("ed25519")
    request = make_request([(desk.person, desk.issuer)])
    bad = [bytearray(desk.issuing.respond(request)) for _ in range(40)]
    for number, answer in enumerate(bad):
        where = bytes(answer).index(OCSPResponse(bytes(answer)).certificates[0].der) - 20
        answer[where] ^= number + 1
    result = validate(desk, *map(OCSPResponse, map(bytes, bad)), answers(desk)[1], limits=Limits(ocsp_signatures=5))
    assert result.sub_indication == "TRY_LATER"
    assert "more than 5" in result.detail


def test_trust_directories_hold_answers(tmp_path: Path, signing_suite: str) -> None:
    desk = desk_of(signing_suite)
    (tmp_path / "root.pem").write_text(desk.circle.root.pem)
    for name, answer in zip(("leaf.ors", "issuing.ocsp"), answers(desk), strict=True):
        (tmp_path / name).write_bytes(answer.der)
    (tmp_path / "later.ors").write_bytes(b"\x30\x03\x0a\x01\x03")
    (tmp_path / "broken.ors").write_bytes(b"\x30\x03\x0a\x01")
    store = TrustStore.load([tmp_path])
    assert len(store.ocsps) == 2
    assert [Path(text.split(":")[0]).name for text in store.skipped] == ["broken.ors", "later.ors"]
    assert validate_path(desk.person, desk.circle.chain, store, NOW).passed
    named = TrustStore.load([tmp_path / "root.pem", tmp_path / "leaf.ors"])
    assert (len(named.anchors), len(named.ocsps)) == (1, 1)
    assert named.trusting([desk.person]).ocsps == named.ocsps
