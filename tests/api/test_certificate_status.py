"""The state of a certificate is what the ledger says, whoever changed it: hold, release, revoke, renew; every suite."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.certificates.models import IssuedCertificate
from api.kit import pagination
from certs import ocsp, profiles
from certs.alt_names import AltNames
from certs.certificate import Certificate, load_certificates
from certs.clock import SystemClock
from certs.crl import CRL
from certs.ocsp_check import check_response
from certs.pem import armor
from certs.request import make_request
from tests.api.conftest import User
from tests.api.registry import known
from tests.api.test_certificates import PERSON, asked, est, issued, pkcs10, verdict
from tests.conftest import keys_of

REASONS = (
    *("unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation"),
    "privilegeWithdrawn",
)


def directory(user: User, suite: str) -> Path:
    return user.context.settings.data / "pki" / suite


def by_command(*words: str) -> str:
    """Run `sealroad ca …`, another process over the same ledger."""
    command = [sys.executable, "-m", "api.cli", "ca", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def state(user: User, found: dict[str, Any]) -> tuple[str, str | None]:
    """Return what the object says, after checking that list and filter say the same."""
    shown = user.get(f"/v1/certificates/{found['id']}").json()
    assert next(row for row in user.get("/v1/certificates").json()["data"] if row["id"] == found["id"]) == shown
    for name in ("issued", "held", "revoked"):
        listed = user.get(f"/v1/certificates?state={name}").json()["data"]
        assert (found["id"] in [row["id"] for row in listed]) is (shown["state"] == name), name
    return shown["state"], shown["reason"]


def on_the_list(user: User, found: dict[str, Any]) -> Any:
    certificate, issuer, *_ = load_certificates(found["chain"].encode())
    assert issuer.ski is not None
    return CRL(user.http.get(f"/pki/crl/{issuer.ski.hex()}.crl").content).status(certificate.serial)


def told(user: User, found: dict[str, Any]) -> tuple[str | None, str]:
    """Return what the revocation list and the OCSP responder say."""
    certificate, issuer, *_ = load_certificates(found["chain"].encode())
    entry = on_the_list(user, found)
    return entry.reason if entry else None, asked_ocsp(user, certificate, issuer)


def asked_ocsp(user: User, certificate: Certificate, issuer: Certificate) -> str:
    request = ocsp.make_request([(certificate, issuer)])
    response = user.http.post("/pki/ocsp", content=request, headers={"content-type": "application/ocsp-request"})
    (single,) = check_response(response.content, request, issuer, SystemClock().now())
    return single.status


def test_hold_release_and_revoke(user: User, signing_suite: str) -> None:
    found = issued(user, signing_suite)
    path = f"/v1/certificates/{found['id']}"
    held = user.post(f"{path}/hold").json()
    assert (held["state"], held["reason"], held["held_until"]) == ("held", "certificateHold", None)
    assert held["revoked_at"] is not None
    assert state(user, found) == ("held", "certificateHold")
    assert told(user, found) == ("certificateHold", "revoked")
    assert verdict(user, found["chain"]) == "TRY_LATER"
    again = user.post(f"{path}/hold").json()
    assert (again["status"], again["code"]) == (409, "already-revoked")
    assert user.post(f"{path}/release").json() == found
    assert state(user, found) == ("issued", None)
    assert told(user, found) == (None, "good")
    assert verdict(user, found["chain"]) is None
    assert user.post(f"{path}/release").json()["code"] == "not-on-hold"
    since = user.post(f"{path}/hold").json()["revoked_at"]
    revoked = user.post(f"{path}/revoke", json={"reason": "superseded"}).json()
    assert (revoked["state"], revoked["revoked_at"]) == ("revoked", since)  # nothing signed meanwhile becomes good
    assert told(user, found) == ("superseded", "revoked")
    assert user.post(f"{path}/release").json()["code"] == "not-on-hold"
    assert user.post(f"{path}/hold").json()["code"] == "already-revoked"


def test_what_the_command_line_does_shows_at_once(user: User, signing_suite: str) -> None:
    found = issued(user, signing_suite)
    place, serial = str(directory(user, signing_suite)), found["certificate"]["serial"]
    assert told(user, found) == (None, "good")  # list and answer are at hand, and out of date from now on
    for words, shown, listed in (
        (("hold",), ("held", "certificateHold"), ("certificateHold", "revoked")),
        (("release",), ("issued", None), (None, "good")),
        (("revoke", "--reason", "keyCompromise"), ("revoked", "keyCompromise"), ("keyCompromise", "revoked")),
    ):
        by_command(words[0], place, serial, *words[1:])
        began = time.monotonic()
        assert told(user, found) == listed
        assert state(user, found) == shown
        assert time.monotonic() - began < 30  # a busy machine may be slow


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_a_holder_can_have(user: User, reason: str) -> None:
    found = issued(user, "ed25519")
    revoked = user.post(f"/v1/certificates/{found['id']}/revoke", json={"reason": reason}).json()
    assert (revoked["state"], revoked["reason"]) == ("revoked", reason)
    assert told(user, found) == (reason, "revoked")


@pytest.mark.parametrize("reason", ["cACompromise", "aACompromise", "removeFromCRL", "certificateHold", "x", ""])
def test_reasons_that_are_not_a_holders(user: User, reason: str) -> None:
    found = issued(user, "ed25519")
    refused = user.post(f"/v1/certificates/{found['id']}/revoke", json={"reason": reason})
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")
    assert state(user, found) == ("issued", None)


def test_since_when_the_key_is_lost(user: User) -> None:
    found = issued(user, "sm2")
    path = f"/v1/certificates/{found['id']}/revoke"
    now = datetime.now(UTC).replace(microsecond=0)
    future = user.post(path, json={"invalid_since": (now + timedelta(hours=1)).isoformat()}).json()
    assert (future["status"], future["code"]) == (422, "revocation-refused")
    assert user.post(path, json={"invalid_since": "2026-11-21T10:00:00"}).json()["code"] == "validation-failed"
    since = now - timedelta(minutes=2)
    body = {"reason": "keyCompromise", "invalid_since": since.isoformat()}
    revoked = user.post(path, json=body).json()
    assert datetime.fromisoformat(revoked["invalid_since"]) == since
    assert user.post(path, json=body).status_code == 200
    other = {"reason": "keyCompromise", "invalid_since": (now - timedelta(minutes=5)).isoformat()}
    assert user.post(path, json=other).json()["code"] == "already-revoked"  # never dropped in silence
    assert on_the_list(user, found).invalid_since == since


def test_a_hold_ends_by_itself(user: User) -> None:
    found = issued(user, "ed25519")
    path = f"/v1/certificates/{found['id']}"
    past = user.post(f"{path}/hold", json={"until": "2020-01-01T00:00:00Z"}).json()
    assert (past["status"], past["code"]) == (422, "revocation-refused")
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    held = user.post(f"{path}/hold", json={"until": until.isoformat()}).json()
    assert datetime.fromisoformat(held["held_until"]) == until
    limit = time.monotonic() + 15
    while user.get(path).json()["state"] != "issued":  # the worker looks every two seconds
        assert time.monotonic() < limit
        time.sleep(0.2)
    assert datetime.now(UTC) >= until
    assert told(user, found) == (None, "good")


def test_if_match_and_idempotency_key(user: User) -> None:
    found = issued(user, "ed25519")
    path = f"/v1/certificates/{found['id']}"
    first = user.get(path).headers["etag"]
    held = user.post(f"{path}/hold", headers={"if-match": first, "idempotency-key": "h"})
    assert held.status_code == 200
    assert held.headers["etag"] == user.get(path).headers["etag"] != first
    again = user.post(f"{path}/hold", headers={"if-match": first, "idempotency-key": "h"})
    assert (again.json(), again.headers["etag"]) == (held.json(), held.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true"
    for action in ("release", "revoke", "hold"):
        stale = user.post(f"{path}/{action}", headers={"if-match": first})
        assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    tags = f'"x", {held.headers["etag"]}'
    assert user.post(f"{path}/release", headers={"if-match": tags}).status_code == 200
    assert user.get(path).headers["etag"] == first
    assert user.post(f"{path}/revoke", headers={"if-match": "*"}).status_code == 200


# renewal -------------------------------------------------------------------------------------------------------------
def renewal(key: Any, names: AltNames | None = None, **more: Any) -> dict[str, Any]:
    return {"request": armor("CERTIFICATE REQUEST", make_request(key, PERSON, names)), **more}


def test_renewal_and_rekeying(user: User, signing_suite: str) -> None:
    first, second = keys_of(signing_suite)[:2]
    found = issued(user, signing_suite)
    path = f"/v1/certificates/{found['id']}/renew"
    before = load_certificates(found["chain"].encode())[0]
    for number, key in enumerate((first, second)):
        body, headers = renewal(key, days=30), {"idempotency-key": str(number)}
        response = user.post(path, json=body, headers=headers)
        assert response.status_code == 201, response.text
        assert user.post(path, json=body, headers=headers).json() == response.json()
        renewed = response.json()
        assert response.headers["location"] == f"/v1/certificates/{renewed['id']}"
        certificate = load_certificates(renewed["chain"].encode())[0]
        assert certificate.subject_name.der == before.subject_name.der
        assert (certificate.spki, certificate.serial != before.serial) == (key.public_key.spki, True)
        assert verdict(user, renewed["chain"]) is None
        assert user.get(response.headers["location"]).json() == renewed
    assert state(user, found) == ("issued", None)  # the holder says when it is superseded
    stolen = armor("CERTIFICATE REQUEST", pkcs10(first, signer=second))
    assert user.post(path, json={"request": stolen}).json()["code"] == "bad-signature"
    assert user.post(path, json=renewal(keys_of("ed448")[0])).json()["code"] == "validation-failed"
    user.post(f"/v1/certificates/{found['id']}/hold")
    assert user.post(path, json=renewal(second)).json()["code"] == "state-conflict"
    assert len(user.get("/v1/certificates").json()["data"]) == 3


def test_a_renewal_keeps_the_names_and_takes_no_others(user: User) -> None:
    key, mail = keys_of("ed25519")[0], AltNames(emails=("joerg@example.com",))
    found = user.post("/v1/certificates", json=asked(key) | renewal(key, mail)).json()
    path = f"/v1/certificates/{found['id']}/renew"
    for names in (None, mail):
        renewed = user.post(path, json=renewal(keys_of("ed25519")[1], names))
        assert renewed.status_code == 201, renewed.text
        certificate = load_certificates(renewed.json()["chain"].encode())[0]
        assert b"joerg@example.com" in certificate.der
    other = AltNames(emails=("other@example.com",))
    assert user.post(path, json=renewal(key, other)).json()["code"] == "validation-failed"


# lists ---------------------------------------------------------------------------------------------------------------
def test_a_filtered_list_has_pages(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [issued(user, "ed25519")["id"] for _ in range(7)]
    revoked = [made[0], made[3], made[6]]
    for certificate in revoked:
        user.post(f"/v1/certificates/{certificate}/revoke")

    def ids(query: str) -> list[str]:
        return [each for page in pages(query) for each in page]

    def pages(query: str) -> list[list[str]]:
        out, address = [], f"/v1/certificates?{query}"
        while address:
            response = user.get(address)
            assert response.status_code == 200, response.text
            out.append([row["id"] for row in response.json()["data"]])
            address = response.links.get("next", {}).get("url", "")
            assert bool(address) is (response.json()["next_cursor"] is not None)
        return out

    assert pages("state=revoked&limit=2") == [[made[6], made[3]], [made[0]]]
    assert ids("state=issued&limit=3") == [each for each in reversed(made) if each not in revoked]
    assert ids("limit=3") == list(reversed(made))
    monkeypatch.setattr(pagination, "SCAN", 2)  # a page looks at so many, and may be short
    assert ids("state=revoked&limit=50") == list(reversed(revoked))
    assert len(pages("state=held&limit=50")) == 4
    assert user.get("/v1/certificates?state=expired").status_code == 422


def test_without_a_record_the_state_is_unknown(user: User) -> None:
    found = issued(user, "ed25519")
    with user.context.database.write() as session:
        session.get_one(IssuedCertificate, found["id"]).serial = "5a" + "00" * 17
    assert user.get(f"/v1/certificates/{found['id']}").json()["state"] == "unknown"
    refused = user.post(f"/v1/certificates/{found['id']}/revoke").json()
    assert (refused["status"], refused["code"]) == (404, "not-on-record")


# the registration authority ------------------------------------------------------------------------------------------
def test_there_is_no_way_round_approved_applications(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    key = keys_of("ecdsa-p256")[0]
    found = issued(user, "ecdsa-p256")
    known(user, PERSON)
    assert est(user, "ecdsa-p256", "simpleenroll", pkcs10(key)).status_code == 200
    issuing = user.context.circles.get("ecdsa-p256")._now().authority.issuing
    before, load = len(issuing.entries()), profiles.load

    def strict(name: Any) -> Any:
        return dataclasses.replace(load(name), **({"approvals": 2} if name == "person" else {}))

    monkeypatch.setattr(profiles, "load", strict)
    refused = [
        user.post("/v1/certificates", json=asked(key)),
        user.post(f"/v1/certificates/{found['id']}/renew", json=renewal(key)),
        est(user, "ecdsa-p256", "simpleenroll", pkcs10(key)),
        est(user, "ecdsa-p256", "simplereenroll", pkcs10(key)),
    ]
    assert [(each.status_code, each.json()["code"]) for each in refused] == [(422, "approval-error")] * 4
    assert len(issuing.entries()) == before
    assert len(user.get("/v1/certificates").json()["data"]) == 2
