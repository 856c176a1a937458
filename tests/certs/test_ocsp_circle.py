"""Circles in directories keep an OCSP responder, and certificates say where it is asked."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from certs import circle as circles
from certs import extensions, lint, oids, profiles
from certs.ca import Authority, ClosedCircle
from certs.certificate import Certificate, Subject
from certs.clock import FixedClock
from certs.errors import IssuanceError, KeyNotFound, WrongPassword
from certs.ledger import MemoryLedger
from certs.ocsp import OCSPResponse, make_request
from certs.ocsp_check import check_response, find_responder, is_nocheck
from certs.ocsp_responder import Responders
from tests.conftest import CLOCK, NOW, circle_of, keys_of, make_circle

PERSON = Subject("王𠮷", country="CN")
OCSP_URL = "http://pki.example/pki/ocsp"
pytestmark = pytest.mark.usefixtures("cheap_passwords")


def ask(name: str) -> bytes:
    return b"secret"


def make(place: Path, suite: str) -> ClosedCircle:
    return circles.create(
        place,
        suite,
        organisation="Nord",
        country="DE",
        secrets=ask,
        clock=CLOCK,
        parameter="2048" if suite == "rsa" else None,
        ocsp_url=OCSP_URL,
        issuer_url="http://pki.example/{issuer}.cer",
    )


def responder_of(found: Responders, circle: ClosedCircle, at: object = NOW) -> Certificate:
    """Return the responder's certificate of an answer about the time-stamping authority's, which is good."""
    tsa = next(entry for entry in circle.issuing.entries() if entry.profile == "tsa")
    assert tsa.certificate is not None
    issuer = circle.issuing.certificate
    request = make_request([(Certificate(tsa.certificate), issuer)])
    answer = found.respond(request)
    assert check_response(answer, request, issuer, at)[0].status == "good"  # type: ignore[arg-type]
    return find_responder(OCSPResponse(answer), issuer)


def test_a_circle_has_responders_for_both_authorities(tmp_path: Path, signing_suite: str) -> None:
    make(tmp_path / "c", signing_suite)
    circle = circles.load(tmp_path / "c", ask, CLOCK)
    before = len(circle.issuing.entries())
    found = circles.responders(tmp_path / "c", circle, ask, CLOCK)
    assert len(circle.issuing.entries()) == before
    certificate = responder_of(found, circle)
    assert certificate.suite_name == signing_suite
    assert certificate.extended_key_usage == {oids.OCSP_SIGNING}
    assert is_nocheck(certificate)
    assert certificate.not_after - certificate.not_before < timedelta(days=31)
    request = make_request([(circle.issuing.certificate, circle.root)])
    assert check_response(found.respond(request), request, circle.root, NOW)[0].status == "good"


def test_certificates_say_where_to_ask(tmp_path: Path) -> None:
    made = make(tmp_path / "c", "ed25519")
    loaded = circles.load(tmp_path / "c", ask, CLOCK)
    assert (made.ocsp_url, loaded.ocsp_url) == (OCSP_URL, OCSP_URL)
    for circle in (made, loaded):
        leaf = circle.issue("person", PERSON, keys_of("ed25519")[2].public_key.spki)
        assert leaf.ocsp_urls == (OCSP_URL,)
        assert dict(leaf.authority_information)[oids.CA_ISSUERS].endswith(f"/{circle.issuing.id}.cer")
    assert loaded.issuing.certificate.ocsp_urls == (OCSP_URL,)
    assert loaded.root.ocsp_urls == ()
    authority = make_circle("ed25519").ca.issuing
    only = Authority(
        authority.key, authority.certificate, ledger=MemoryLedger(), clock=CLOCK, ocsp_url="http://x.example/{issuer}"
    )
    plan = only.prepare(profiles.load("person"), PERSON, keys_of("ed25519")[2].public_key.spki)
    assert only.issue(plan).ocsp_urls == (f"http://x.example/{authority.id}",)
    assert circle_of("ed25519").person.certificate.ocsp_urls == ()


def test_an_old_directory_gets_a_responder_when_it_is_asked_for(tmp_path: Path, signing_suite: str) -> None:
    place = tmp_path / "c"
    make(place, signing_suite)
    for name in ("ocsp.key.pem", "ocsp.pem", "ocsp-root.pem"):
        (place / name).unlink()
    values = json.loads((place / "circle.json").read_text())
    del values["ocsp_url"]
    (place / "circle.json").write_text(json.dumps(values))
    circle = circles.load(place, ask, CLOCK)
    assert circle.ocsp_url is None
    responder_of(circles.responders(place, circle, ask, CLOCK), circle)
    assert (place / "ocsp.key.pem").stat().st_mode & 0o077 == 0
    assert (place / "ocsp.key.pem").read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")


def test_certificates_of_responders_are_made_anew_in_time(tmp_path: Path) -> None:
    place = tmp_path / "c"
    circle = make(place, "ed25519")
    first = circles.responders(place, circle, ask, CLOCK)
    due = circles.renewal_due(first)
    assert NOW + timedelta(days=19) < due < NOW + timedelta(days=21)
    for moment, same in ((due - timedelta(seconds=1), True), (due, False)):
        clock = FixedClock(moment)
        again = circles.load(place, ask, clock)
        found = circles.responders(place, again, ask, clock)
        assert (found.responders[0].certificate == first.responders[0].certificate) is same
        assert circles.renewal_due(found) > moment
        responder_of(found, again, moment)


def test_without_the_roots_key_its_responder_lives_until_its_certificate_ends(tmp_path: Path) -> None:
    place = tmp_path / "c"
    make(place, "ed25519")
    circle = circles.load(place, ask, CLOCK)
    (place / "root.key.pem").unlink()
    assert len(circles.responders(place, circle, ask, CLOCK).responders) == 2
    (place / "ocsp-root.pem").unlink()
    entries = len(circle.root_authority.entries())
    assert len(circles.responders(place, circle, ask, CLOCK).responders) == 1
    assert len(circle.root_authority.entries()) == entries
    (place / "issuing.key.pem").unlink()
    (place / "ocsp.pem").unlink()
    with pytest.raises(KeyNotFound):
        circles.responders(place, circle, ask, CLOCK)


def test_a_wrong_password_answers_internal_error(tmp_path: Path) -> None:
    place = tmp_path / "c"
    circle = make(place, "ed25519")
    found = circles.responders(place, circle, lambda name: b"wrong", CLOCK)
    request = make_request([(circle.issuing.certificate, circle.root)])
    assert OCSPResponse(found.respond(request)).status == "internalError"
    (place / "ocsp.pem").unlink()
    with pytest.raises(WrongPassword):
        circles.responders(place, circle, lambda name: b"wrong", CLOCK)


def test_nocheck_is_for_responders_only() -> None:
    circle, key = circle_of("ed25519"), keys_of("ed25519")[2]
    plan = make_circle("ed25519").ca.issuing.prepare(
        profiles.load("ocsp"), Subject("o", organisation="o", country="DE"), key.public_key.spki
    )
    assert extensions.encode(extensions.ocsp_nocheck()) in plan.tbs
    with pytest.raises(IssuanceError, match="ocsp-nocheck"):
        lint.check(plan.tbs, profiles.load("person"), circle.issuing)
