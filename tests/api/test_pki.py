"""The service's own authorities: made once, kept encrypted, published over HTTP."""

from __future__ import annotations

import base64
import dataclasses
import subprocess
import sys
import urllib.parse
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from api.config import Settings
from api.errors import NotFound
from api.pki.circles import Circles
from api.vault import Vault
from certs import ocsp, ocsp_check, suites
from certs.certificate import Certificate, Subject
from certs.circle import roll_over
from certs.clock import FixedClock, SystemClock
from certs.crl import CRL
from certs.errors import WrongPassword
from certs.keys.base import KeyHandle
from certs.keys.checked import CheckedKey, OwnCheck
from certs.ledger import SQLiteLedger
from certs.ocsp_check import check_response as check_ocsp
from certs.path import validate_path
from certs.timestamp import check_response, make_request
from tests.api.conftest import User, held
from tests.conftest import SIGNING, circle_of

QUERY = {"content-type": "application/timestamp-query"}


@pytest.fixture
def circles(tmp_path: Path) -> Circles:
    return Circles(Settings(data=tmp_path, public_url="http://pki.example/"), Vault(bytes(32)))


@pytest.mark.parametrize("suite", SIGNING)
def test_a_circle_is_made_once_and_comes_back_from_disk(circles: Circles, tmp_path: Path, suite: str) -> None:
    first = circles.get(suite)
    assert circles.get(suite) is first
    assert "closed circle" in first.root.subject
    key = suites.get(suite).generate()
    issued = first.issue("person", Subject("王伟", country="CN"), key.public_key.spki, days=10)
    root = first.root
    circles.close()
    again = Circles(Settings(data=tmp_path), Vault(bytes(32)))
    assert [circle.suite for circle in again.existing()] == [suite]
    assert again.get(suite).root == root
    assert again.certificate(issued.fingerprint()) == issued
    assert issued.verify_signed_by(again.get(suite).chain[0]) == suite
    again.close()


def test_certificates_say_where_their_revocation_list_is(circles: Circles) -> None:
    circle = circles.get("ecdsa-p256")
    issued = circle.issue("person", Subject("x", country="DE"), circle.tsa.certificate.spki, days=1)
    issuer = circle.chain[0]
    assert issuer.ski is not None
    assert issued.crl_urls == (f"http://pki.example/pki/crl/{issuer.ski.hex()}.crl",)
    assert issued.ocsp_urls == ("http://pki.example/pki/ocsp",)
    CRL(circles.crl(issuer.ski.hex())).check_signed_by(issuer)
    assert circles.certificate(issuer.ski.hex()) == issuer
    circles.close()


def test_keys_of_authorities_are_encrypted_under_the_master_key(circles: Circles, tmp_path: Path) -> None:
    circles.get("ecdsa-p256")
    circles.close()
    for path in (tmp_path / "pki" / "ecdsa-p256").glob("*.key.pem"):
        assert path.stat().st_mode & 0o077 == 0
        assert path.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    with pytest.raises(WrongPassword):
        Circles(Settings(data=tmp_path), Vault(b"1" * 32)).get("ecdsa-p256").crls()


def test_two_processes_make_one_circle(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from api.config import Settings; from api.vault import Vault\n"
        "from api.pki.circles import Circles\n"
        "print(Circles(Settings(data=Path(sys.argv[1])), Vault(bytes(32))).get('ed25519').root.fingerprint())"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    found = [process.communicate(timeout=60)[0] for process in processes]
    assert found[0] == found[1] != ""


def test_revocation_lists_are_made_anew_when_they_age(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, clock=FixedClock(SystemClock().now()))
    circles = Circles(settings, Vault(bytes(32)))
    first = circles.get("ed25519").crls()
    assert circles.get("ed25519").crls() == first
    circles.close()
    later = dataclasses.replace(settings, clock=FixedClock(settings.clock.now() + timedelta(hours=2)))
    assert Circles(later, Vault(bytes(32))).get("ed25519").crls() != first


def test_base_deltas_and_partitions_are_new_at_once_after_a_revocation(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, public_url="http://pki.example/", circle_partitions=2)
    circles = Circles(settings, Vault(bytes(32)))
    circle = circles.get("ed25519")
    issued = circle.issue("person", Subject("x", country="DE"), circle.tsa.certificate.spki, days=1)
    assert circle.chain[0].ski is not None
    issuer, part = circle.chain[0].ski.hex(), issued.serial % 2
    assert issued.crl_urls == (f"http://pki.example/pki/crl/{issuer}-{part}.crl",)
    names = [f"{issuer}{end}" for end in ("", "-delta", f"-{part}", f"-{part}-delta")]
    before = [circles.crl(name) for name in names]
    assert [circles.crl(name) for name in names] == before  # not signed again for nothing
    other = Circles(settings, Vault(bytes(32)))  # another process
    assert [other.crl(name) for name in names] == before
    circle.hold(issued.serial)
    for name in names:
        assert CRL(other.crl(name)).entries[issued.serial].reason == "certificateHold"
    circle.release(issued.serial)
    assert [CRL(other.crl(name)).status(issued.serial) is None for name in names] == [True, False, True, False]
    circle.revoke(issued.serial, "superseded")
    for name in names:
        assert CRL(other.crl(name)).entries[issued.serial].reason == "superseded"
    for end in ("-2", "-2-delta", "-", "-0-", "-00", "delta"):
        with pytest.raises(NotFound):
            circles.crl(issuer + end)
    other.close()
    circles.close()


@pytest.mark.parametrize("root", [False, True])
def test_earlier_generations_still_sign_their_lists(tmp_path: Path, root: bool) -> None:
    settings = Settings(data=tmp_path, public_url="http://pki.example/")
    circles = Circles(settings, Vault(bytes(32)))
    first = circles.get("ed25519")
    issued = first.issue("person", Subject("x", country="DE"), first.tsa.certificate.spki, days=1)
    chain = first.chain
    circles.close()
    roll_over(tmp_path / "pki" / "ed25519", circles._secrets("ed25519"), settings.clock, root=root)
    circles = Circles(settings, Vault(bytes(32)))
    after = circles.get("ed25519")
    assert after.chain[0] != chain[0]
    assert (after.root != chain[-1]) is root
    assert set(after.crls()) == {each.ski.hex() for each in (*after.chain, *chain) if each.ski}
    issuer = chain[0]
    assert issuer.ski is not None
    after.revoke(issued.serial, "superseded")
    served = CRL(circles.crl(issuer.ski.hex()))
    served.check_signed_by(issuer)
    assert served.status(issued.serial) is not None
    assert circles.certificate(issuer.ski.hex()) == issuer
    assert circles.certificate(issued.fingerprint()) == issued
    found = validate_path(issued, chain, circles.trust_store(), settings.clock.now())
    assert found.sub_indication == "REVOKED_NO_POE"
    current = after.issue("person", Subject("y", country="DE"), issued.spki, days=1)
    for certificate, by, status in ((issued, issuer, "revoked"), (current, after.chain[0], "good")):
        request = ocsp.make_request([(certificate, by)])
        answer = circles.ocsp(request)
        assert check_ocsp(answer, request, by, settings.clock.now())[0].status == status
    circles.close()


def test_the_time_stamping_key_is_replaced_before_its_certificate_ends(tmp_path: Path) -> None:
    from datetime import timedelta

    from certs.clock import FixedClock, SystemClock

    settings = Settings(data=tmp_path, clock=FixedClock(SystemClock().now()))
    circles = Circles(settings, Vault(bytes(32)))
    first = circles.get("sm2").tsa.certificate
    circles.close()
    later = dataclasses.replace(settings, clock=FixedClock(first.not_after - timedelta(days=300)))
    circles = Circles(later, Vault(bytes(32)))
    second = circles.get("sm2").tsa.certificate
    assert second.not_after > first.not_after
    assert circles.get("sm2").gm_tsa.certificate == second
    assert circles.certificate(first.fingerprint()) == first
    circles.close()


def test_no_stamp_without_a_clock_that_the_kernel_vouches_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from certs.errors import TimeStampError
    from certs.time_source import KernelTime

    def unknown(*_: object) -> None:
        raise TimeStampError("the system's clock is not synchronised", reason="clock")

    monkeypatch.setattr(KernelTime, "read", unknown)
    circles = Circles(Settings(data=tmp_path, tsa_time="kernel"), Vault(bytes(32)))
    request = make_request("sm3", suites.digest("sm3", b"x"))
    with pytest.raises(TimeStampError, match="timeNotAvailable"):
        check_response(circles.get("sm2").tsa.respond(request), request)
    circles.close()


def test_the_setting_says_which_answers_and_tokens_are_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[OwnCheck] = []
    original = CheckedKey.__init__

    def watch(self: CheckedKey, key: KeyHandle, policy: OwnCheck) -> None:
        seen.append(policy)
        original(self, key, policy)

    monkeypatch.setattr(CheckedKey, "__init__", watch)
    circles = Circles(Settings(data=tmp_path, own_check=7), Vault(bytes(32)))
    circle = circles.get("ed25519")
    seen.clear()  # what was made while the circle was
    assert circle.tsa
    assert circle.responders()
    assert seen == [OwnCheck(one_in=7)] * 3
    circles.close()


def test_what_is_not_there_is_not_found(circles: Circles) -> None:
    for name in ("", "x", "0" * 40, "0" * 64, "../../master"):
        with pytest.raises(NotFound):
            circles.crl(name)
        with pytest.raises(NotFound):
            circles.certificate(name)


# over HTTP -----------------------------------------------------------------------------------------------------


def test_crls_and_certificates_are_public(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    public = user.http  # no credential
    leaf = public.get(f"/pki/certs/{contract['parties'][0]['certificate']['sha256']}.cer")
    assert leaf.headers["content-type"] == "application/pkix-cert"
    certificate = Certificate(leaf.content)
    assert certificate.aki is not None
    issuer = Certificate(public.get(f"/pki/certs/{certificate.aki.hex()}.cer").content)
    certificate.verify_signed_by(issuer)
    crl = public.get(f"/pki/crl/{certificate.aki.hex()}.crl")
    assert crl.headers["content-type"] == "application/pkix-crl"
    CRL(crl.content).check_signed_by(issuer)
    missing = public.get("/pki/crl/00.crl")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")


OCSP = {"content-type": "application/ocsp-request"}


@pytest.mark.parametrize("suite", SIGNING)
def test_ocsp_answers_in_the_suite_of_the_issuer_and_changes_with_the_revocation(user: User, suite: str) -> None:
    circle = user.context.circles.get(suite)
    issuer, root = circle.chain
    key = suites.get(suite).generate("2048" if suite == "rsa" else None)
    issued = circle.issue("person", Subject("王伟", country="CN"), key.public_key.spki, days=10)
    for certificate, by in ((issued, issuer), (issuer, root)):
        request = ocsp.make_request([(certificate, by)])
        response = user.http.post("/pki/ocsp", content=request, headers=OCSP)
        assert response.headers["content-type"] == "application/ocsp-response"
        assert response.headers["cache-control"] == "no-store"
        assert check_ocsp(response.content, request, by, now())[0].status == "good"
        assert ocsp.OCSPResponse(response.content).verify_signed_by(find_responder(response.content, by)) == suite
    plain = ocsp.make_request([(issued, issuer)], nonce=None)
    path = "/pki/ocsp/" + urllib.parse.quote(base64.b64encode(plain), safe="")
    first = user.http.get(path)
    assert first.status_code == 200
    assert first.headers["cache-control"] == "public, max-age=300, no-transform, must-revalidate"
    assert {"last-modified", "expires", "etag"} <= set(first.headers)
    assert user.http.get(path).content == first.content
    with closing(SQLiteLedger(user.context.settings.data / "pki" / suite / "ledger.sqlite")) as another_process:
        another_process.revoke(issuer.ski.hex(), issued.serial, now().replace(microsecond=0), "keyCompromise")
    for reply in (user.http.get(path), user.http.post("/pki/ocsp", content=plain, headers=OCSP)):
        (single,) = check_ocsp(reply.content, plain, issuer, now())
        assert (single.status, single.reason) == ("revoked", "keyCompromise")


def find_responder(data: bytes, issuer: Certificate) -> Certificate:
    return ocsp_check.find_responder(ocsp.OCSPResponse(data), issuer)


def now() -> datetime:
    return SystemClock().now()


def test_ocsp_by_get_takes_every_spelling_of_base64(user: User) -> None:
    issuer, root = user.context.circles.get("ed25519").chain
    request = ocsp.make_request([(issuer, root)], nonce=b"\xfb\xff\xfe" * 10)
    text = base64.b64encode(request).decode()
    assert "/" in text
    assert "+" in text
    for path in (text, urllib.parse.quote(text), urllib.parse.quote(text, safe=""), text.replace("+", "%20")):
        reply = user.http.get(f"/pki/ocsp/{path}")
        check_ocsp(reply.content, request, root, now())
        assert reply.headers["cache-control"] == "no-store"  # it has a nonce


def test_what_is_no_ocsp_request_is_answered_in_the_words_of_rfc_6960(user: User) -> None:
    for content in (b"", b"x", b"\x30\x80", b"\x00" * 5000):
        response = user.http.post("/pki/ocsp", content=content, headers=OCSP)
        assert (response.status_code, ocsp.OCSPResponse(response.content).status) == (200, "malformedRequest")
    malformed = user.http.get("/pki/ocsp/!!")
    assert ocsp.OCSPResponse(malformed.content).status == "malformedRequest"
    assert malformed.headers["cache-control"] == "no-store"
    foreign = circle_of("ed25519")
    request = ocsp.make_request([(foreign.person.certificate, foreign.issuing)])
    answer = user.http.post("/pki/ocsp", content=request, headers=OCSP).content
    assert ocsp.OCSPResponse(answer).status == "unauthorized"
    wrong = user.http.post("/pki/ocsp", content=b"x", headers={"content-type": "text/plain"})
    assert (wrong.status_code, wrong.json()["code"]) == (415, "unsupported-media-type")


def test_responders_are_renewed_while_the_service_runs(tmp_path: Path) -> None:
    @dataclasses.dataclass
    class Hand:
        moment: datetime

        def now(self) -> datetime:
            return self.moment

    clock = Hand(SystemClock().now())
    circles = Circles(Settings(data=tmp_path, clock=clock), Vault(bytes(32)))
    circle = circles.get("ed25519")
    issuer = circle.chain[0]
    request = ocsp.make_request([(circle.tsa.certificate, issuer)])
    first = circles.ocsp(request)
    clock.moment += timedelta(days=25)
    second = circles.ocsp(request)
    check_ocsp(second, request, issuer, clock.moment)
    assert find_responder(first, issuer) != find_responder(second, issuer)
    circles.close()


@pytest.mark.parametrize(
    ("digest", "suite"),
    [("sm3", "sm2"), ("streebog256", "gost2012-256"), ("streebog512", "gost2012-512"), ("sha256", "ecdsa-p256")],
)
def test_the_time_stamp_authority_answers_in_the_suite_of_the_digest(user: User, digest: str, suite: str) -> None:
    request = make_request(digest, suites.digest(digest, b"contract"))
    for path in ("/pki/tsa", f"/pki/tsa/{suite}"):
        response = user.http.post(path, content=request, headers=QUERY)
        assert response.headers["content-type"] == "application/timestamp-reply"
        check_response(response.content, request).verify(digest, suites.digest(digest, b"contract"))


def test_a_request_that_is_none_is_answered_in_the_words_of_rfc_3161(user: User) -> None:
    for content in (b"", b"x", b"\x30\x80", b"\x00" * 5000):
        response = user.http.post("/pki/tsa", content=content, headers=QUERY)
        assert response.status_code == 200
        assert response.content[:1] == b"\x30"
    assert user.http.post("/pki/tsa/rot13", content=b"x", headers=QUERY).status_code == 404
    wrong = user.http.post("/pki/tsa", content=b"x", headers={"content-type": "text/plain"})
    assert (wrong.status_code, wrong.json()["code"]) == (415, "unsupported-media-type")


def test_a_list_is_revalidated_and_a_gm_unit_stamps(user: User) -> None:
    contract = user.sent(held("sm2"))
    assert contract
    issuer = user.http.get("/pki/crl/none.crl")
    assert issuer.status_code == 404
    imprint = suites.digest("sm3", b"x")
    request = make_request("sm3", imprint)
    answer = user.http.post("/pki/tsa/sm2-gm", content=request, headers=QUERY)
    token = check_response(answer.content, request)
    assert token.outer_oid == "1.2.156.10197.6.1.4.2.2"
    assert token.ordering
    stamper = token.certificate()
    assert stamper is not None
    assert stamper.aki is not None
    name = stamper.aki.hex()
    first = user.http.get(f"/pki/crl/{name}.crl")
    assert first.headers["cache-control"] == "public, no-cache"
    again = user.http.get(f"/pki/crl/{name}.crl", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    delta = user.http.get(f"/pki/crl/{name}-delta.crl")
    assert CRL(delta.content).base_number is not None
