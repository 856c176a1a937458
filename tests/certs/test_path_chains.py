"""Which chain is taken where there are several, mixed suites, budgets, and what is fetched on the way."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from certs import der, extensions, oids
from certs.ca import ClosedCircle
from certs.certificate import Certificate, Extension, Subject
from certs.crl import CRL, build_crl
from certs.fetch import FetchError, HTTPFetcher
from certs.ledger import MemoryLedger
from certs.ocsp import make_request
from certs.ocsp_responder import OCSPResponder, Responders
from certs.path import Limits, PathResult, validate_path
from certs.signed_data import certificate_bundle
from certs.trust import TrustStore
from tests.certs.forge import CA_USAGE, forge
from tests.conftest import CLOCK, CRL_URL, NOW, circle_of, keys_of

ROOT, MIDDLE, LOW, LEAF, OTHER = keys_of("ecdsa-p256")
ANCHOR = forge("Root", ROOT, None, ROOT, ca=True)
STORE = TrustStore(anchors=(ANCHOR,))
GOOD = forge("Middle", MIDDLE, ANCHOR, ROOT, ca=True)
PLAIN_LEAF = forge("Leaf", LEAF, GOOD, MIDDLE)


def judge(leaf: Certificate, *pool: Certificate, store: TrustStore = STORE, **options: object) -> PathResult:
    options = {"revocation": "if-present"} | options
    return validate_path(leaf, pool, store, NOW, **options)  # type: ignore[arg-type]


# Several chains -----------------------------------------------------------------------------------------------------
def same_key(**change: object) -> Certificate:
    return forge("Middle", MIDDLE, ANCHOR, ROOT, **({"ca": True} | change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        {"not_after": NOW - timedelta(days=1)},
        {"ca": False},
        {"usage": ["crl_sign"]},
        {"purposes": [oids.TIME_STAMPING]},
        {"more": [Extension("1.2.3.4.5", True, b"\x05\x00")]},
    ],
)
def test_a_chain_that_does_not_hold_does_not_hide_one_that_does(bad: dict[str, object]) -> None:
    wrong = same_key(**bad)
    assert not judge(PLAIN_LEAF, wrong).passed
    for pool in ((wrong, GOOD), (GOOD, wrong)):
        result = judge(PLAIN_LEAF, *pool)
        assert result.passed
        assert result.chain == (PLAIN_LEAF, GOOD, ANCHOR)


def test_of_chains_that_all_fail_the_first_is_reported() -> None:
    result = judge(PLAIN_LEAF, same_key(ca=False), same_key(ca=False, serial=7))
    assert result.sub_indication == "CHAIN_CONSTRAINTS_FAILURE"


def test_a_revoked_leaf_is_revoked_on_every_way() -> None:
    again = same_key(serial=99)
    revoked = [(PLAIN_LEAF.serial, NOW - timedelta(hours=1), "keyCompromise")]
    crl = CRL(build_crl(GOOD, MIDDLE, revoked, number=1, this_update=NOW, next_update=NOW + timedelta(days=1)))
    result = judge(PLAIN_LEAF, GOOD, again, crls=[crl])
    assert result.sub_indication == "REVOKED_NO_POE"


def test_a_bridge_between_suites(signing_suite: str) -> None:
    """A root of one country certifies the issuing authority of another; people are reached over it."""
    circle = circle_of(signing_suite)
    bridge_key = keys_of("ecdsa-p256" if signing_suite != "ecdsa-p256" else "sm2")[0]
    bridge = forge("Bridge", bridge_key, None, bridge_key, ca=True)
    standard = [extensions.key_usage(CA_USAGE), extensions.basic_constraints(ca=True)]
    ids = [
        extensions.subject_key_identifier(circle.issuing.ski or b""),
        extensions.authority_key_identifier(bridge.ski or b""),
    ]
    tbs = extensions.certificate_tbs(
        serial=11,
        algorithm=(algorithm := bridge.signature_algorithm),
        issuer=bridge.subject_name.der,
        not_before=NOW - timedelta(days=1),
        not_after=NOW + timedelta(days=1),
        subject=circle.issuing.subject_name.der,
        spki=circle.issuing.spki,
        extensions=[*standard, *ids],
    )
    crossed = Certificate(extensions.signed(tbs, algorithm, bridge_key.sign(tbs)))
    store = TrustStore(anchors=(bridge,))
    result = judge(circle.person.certificate, circle.issuing, circle.root, crossed, store=store)
    assert result.passed, result.detail
    assert result.chain == (circle.person.certificate, crossed, bridge)


# Budgets ------------------------------------------------------------------------------------------------------------
def test_every_budget_is_a_doubt_and_no_verdict() -> None:
    for limits in (
        Limits(octets=len(GOOD.der) - 1),
        Limits(steps=1),
        Limits(signatures=1),
        Limits(certificates=0),
        Limits(depth=2),
    ):
        result = judge(PLAIN_LEAF, GOOD, limits=limits)
        assert result.indication == "INDETERMINATE"
        assert result.sub_indication == "CERTIFICATE_CHAIN_GENERAL_FAILURE"


def test_after_the_deadline_nothing_is_begun() -> None:
    result = judge(PLAIN_LEAF, GOOD, deadline=time.monotonic() - 1)
    assert result.sub_indication == "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    assert "time" in result.detail
    assert judge(PLAIN_LEAF, GOOD, deadline=time.monotonic() + 60).passed


@pytest.mark.parametrize("count", [9, 100])
@pytest.mark.parametrize("identifiers", [True, False])
def test_certificates_of_one_name_that_all_sign_each_other(count: int, identifiers: bool) -> None:
    """Genuine signatures in every direction: only budgets end this."""
    fields = [extensions.key_usage(CA_USAGE), extensions.basic_constraints(ca=True)]
    if identifiers:
        fields += [extensions.subject_key_identifier(b"x" * 20), extensions.authority_key_identifier(b"x" * 20)]
    keys = [OTHER, LOW, MIDDLE]
    crowd = [
        forge("Same", keys[n % 3], None, keys[(n + n // 3) % 3], fields=fields, serial=n + 1) for n in range(count)
    ]
    leaf = forge("Leaf", LEAF, crowd[0], OTHER, fields=[])
    began = time.process_time()
    assert judge(leaf, *crowd).indication == "INDETERMINATE"
    assert time.process_time() - began < 20


# Fetching -----------------------------------------------------------------------------------------------------------
ISSUER_URL = "http://pki.example/middle.p7c"


class Web:
    """Addresses that answer; whoever asks for another one gets an error."""

    def __init__(self, **pages: bytes) -> None:
        self.pages, self.asked = pages, list[str]()

    def __call__(
        self, url: str, /, *, body: bytes | None = None, content_type: str | None = None, accept: str | None = None
    ) -> bytes:
        assert body is None
        self.asked.append(url)
        for part, page in self.pages.items():
            if part in url:
                return page
        raise FetchError("it is at a private address", reason="private-address")


def points(*names: bytes) -> Extension:
    value = der.sequence(*(der.sequence(der.tlv(0xA0, der.tlv(0xA0, item))) for item in names))
    return Extension(oids.CRL_DISTRIBUTION_POINTS, False, value)


def test_a_missing_issuer_is_fetched_and_still_has_to_be_genuine() -> None:
    leaf = forge("Leaf", LEAF, GOOD, MIDDLE, more=[extensions.authority_information(ocsp=None, issuer=ISSUER_URL)])
    for page in (GOOD.der, GOOD.pem.encode(), certificate_bundle([GOOD, ANCHOR])):
        web = Web(middle=page)
        result = judge(leaf, fetch=web)
        assert result.passed
        assert web.asked == [ISSUER_URL]
        assert result.notes == (f"{ISSUER_URL} was fetched",)
    impostor = forge("Middle", OTHER, None, OTHER, ca=True)
    for page in (impostor.der, ANCHOR.der, b"<html>", b""):
        result = judge(leaf, fetch=Web(middle=page))
        assert result.sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"


def test_nothing_is_fetched_where_nothing_is_missing_or_nobody_may() -> None:
    leaf = forge("Leaf", LEAF, GOOD, MIDDLE, more=[extensions.authority_information(ocsp=None, issuer=ISSUER_URL)])
    assert judge(leaf).sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"
    web = Web()
    assert judge(leaf, GOOD, fetch=web, crls=[]).passed
    assert web.asked == []


def test_missing_lists_are_fetched(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    issuing_url = CRL_URL.format(issuer=(circle.issuing.ski or b"").hex())
    web = Web(**{issuing_url.rpartition("/")[2]: circle.crls[0].der, "crl/": circle.crls[1].der})
    store = TrustStore().with_((circle.root,))
    leaf = circle.person.certificate
    result = validate_path(leaf, circle.chain, store, NOW, fetch=web)
    assert result.passed, (result.detail, web.asked)
    assert set(result.crls) == set(circle.crls)
    assert validate_path(leaf, circle.chain, store, NOW, fetch=Web()).sub_indication == "TRY_LATER"


def test_a_responder_is_asked_where_no_list_can_be_had(signing_suite: str) -> None:
    keys = keys_of(signing_suite)
    circle = ClosedCircle.create(
        signing_suite,
        organisation="Nord",
        country="DE",
        clock=CLOCK,
        ledger=MemoryLedger(),
        ocsp_url="http://ocsp.example/",
        root_key=keys[0],
        issuing_key=keys[1],
    )
    leaf, other = (circle.issue("person", Subject(name, country="DE"), keys[2].public_key.spki) for name in "xy")
    desk = Responders(
        [OCSPResponder(each.key, each.certificate, each.certificate, each.ledger, CLOCK) for each in circle.authorities]
    )
    asked = []

    def web(url: str, /, *, body: bytes | None = None, content_type: str | None = None, **_: Any) -> bytes:
        assert (url, content_type) == ("http://ocsp.example/", "application/ocsp-request")
        asked.append(body or b"")
        return desk.respond(body or b"")

    store = TrustStore().with_((circle.root,))
    result = validate_path(leaf, circle.chain, store, NOW, fetch=web)
    assert result.passed, (result.detail, result.notes)
    assert (len(asked), len(result.ocsps)) == (2, 2)
    circle.revoke(leaf.serial, "keyCompromise")
    assert validate_path(leaf, circle.chain, store, NOW, fetch=web).sub_indication == "REVOKED_NO_POE"
    about_another = desk.respond(make_request([(other, circle.issuing.certificate)], nonce=None))
    for page in (b"", b"<html>", b"\x30\x03\x0a\x01\x06", about_another, about_another[:-1] + b"x"):
        wrong = validate_path(leaf, circle.chain, store, NOW, fetch=lambda url, /, page=page, **_: page)
        assert wrong.sub_indication == "TRY_LATER"


def test_what_cannot_be_fetched_is_reported_and_harmless() -> None:
    ldap = der.tlv(0x86, b"ldap://ldap.example/CN=crl?certificateRevocationList")
    file = der.tlv(0x86, b"file:///etc/passwd")
    inner = der.tlv(0x86, b"http://10.0.0.1/crl")
    directory = der.tlv(0xA4, ANCHOR.subject_name.der)
    leaf = forge("Leaf", LEAF, GOOD, MIDDLE, more=[points(ldap, directory, file, inner)])
    web = Web()
    result = judge(leaf, GOOD, fetch=web, revocation="require")
    assert result.sub_indication == "TRY_LATER"
    assert web.asked == ["http://10.0.0.1/crl"]
    text = " ".join(result.notes)
    for word in ("ldap:", "directory name", "file:", "private address"):
        assert word in text


def test_the_real_fetcher_refuses_private_addresses() -> None:
    leaf = forge(
        "Leaf", LEAF, GOOD, MIDDLE, more=[extensions.authority_information(ocsp=None, issuer="http://127.0.0.1:1/x")]
    )
    result = judge(leaf, fetch=HTTPFetcher())
    assert result.sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"
    assert any("private" in note for note in result.notes)


def test_no_chain_makes_us_ask_for_ever() -> None:
    """Every issuer that comes names another address."""
    made = [ANCHOR]
    key = OTHER
    leaf = forge(
        "Leaf",
        LEAF,
        forge("Up 0", key, None, key, ca=True),
        key,
        more=[extensions.authority_information(ocsp=None, issuer="http://x/0.cer")],
    )
    pages = {}
    for n in range(20):
        above = forge(f"Up {n + 1}", key, None, key, ca=True)
        more = [extensions.authority_information(ocsp=None, issuer=f"http://x/{n + 1}.cer")]
        pages[f"/{n}.cer"] = forge(f"Up {n}", key, above, key, ca=True, more=more).der
    web = Web(**pages)
    result = judge(leaf, *made, fetch=web, limits=Limits(fetches=3))
    assert result.indication == "INDETERMINATE"
    assert len(web.asked) == 3
    assert "budget" in " ".join(result.notes)


# Time ---------------------------------------------------------------------------------------------------------------
def test_a_moment_of_the_past_with_what_is_known_since() -> None:
    """A time-stamp proves the signature older than the revocation: good then, revoked now, whichever list is asked."""
    leaf = forge("Leaf", LEAF, GOOD, MIDDLE, not_before=NOW - timedelta(days=40))
    revoked_at = NOW - timedelta(days=10)

    def crl(days: int, *, since: int) -> CRL:
        entries = [(leaf.serial, revoked_at, "keyCompromise")] if days <= 10 else []
        made = NOW - timedelta(days=days)
        return CRL(
            build_crl(GOOD, MIDDLE, entries, number=since, this_update=made, next_update=made + timedelta(days=7))
        )

    old = forge("Middle", MIDDLE, ANCHOR, ROOT, ca=True, not_before=NOW - timedelta(days=99))
    anchor = forge("Root", ROOT, None, ROOT, ca=True, not_before=NOW - timedelta(days=99))
    store = TrustStore(anchors=(anchor,))

    def at(days: float, *lists: CRL) -> str | None:
        moment = NOW - timedelta(days=days)
        return validate_path(leaf, [old], store, moment, revocation="if-present", crls=lists).sub_indication

    before, after = crl(20, since=1), crl(0, since=9)
    assert at(20, before) is None
    assert at(20, after) is None
    assert at(20, before, after) is None
    assert at(10.001, after) is None
    assert at(10, after) == "REVOKED_NO_POE"
    assert at(0, before, after) == "REVOKED_NO_POE"
