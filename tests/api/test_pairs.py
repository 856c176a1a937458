"""Dual certificates over HTTP: a request by the signing key gives two certificates and the key of the second."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from api.auth.models import Tenant
from api.auth.service import create_key
from api.certificates import issuing, repository
from api.pki.circle import Circle
from certs.certificate import load_certificates
from certs.clock import SystemClock
from certs.errors import BadKey, KeyStoreError
from certs.pairs import accept_pair, read_pair
from certs.path import validate_path
from tests.api.conftest import User
from tests.api.crash import points_of
from tests.api.test_certificates import asked, verdict
from tests.certs.post import BOTH, FAMILIES, secret_of
from tests.conftest import ALL_SUITES, keys_of


def new_request(suite: str, **more: Any) -> tuple[Any, dict[str, Any]]:
    key = keys_of(suite)[0].suite.generate(keys_of(suite)[0].public_key.parameter)
    return key, asked(key, pair=True, **more)


def issued(user: User, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    response = user.post("/v1/certificates", json=body, headers=headers)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def intents(user: User) -> int:
    with user.context.database.read() as session:
        return len([each for each in repository.intents(session) if each.tenant_id == user.tenant_id])


def usually(some: Iterable[str], quick: Iterable[str]) -> list[Any]:
    return [pytest.param(name, marks=[] if name in {*quick} else pytest.mark.slow) for name in some]


@pytest.mark.parametrize("suite", usually(BOTH, FAMILIES))
def test_a_request_by_the_signing_key_gives_two_certificates_and_the_key_of_the_second(user: User, suite: str) -> None:
    key, body = new_request(suite)
    found = issued(user, body)
    signing, encryption = (user.get(f"/v1/certificates/{found['pair'][name]}").json() for name in found["pair"])
    assert signing == found
    assert (signing["profile"], encryption["profile"]) == ("person", "encryption")
    assert encryption["pair"] == found["pair"] == {"signing": signing["id"], "encryption": encryption["id"]}
    listed = user.get("/v1/certificates").json()["data"]
    assert {row["id"]: row["pair"] for row in listed} == dict.fromkeys(found["pair"].values(), found["pair"])
    assert verdict(user, signing["chain"]) is None
    below, *above = load_certificates(encryption["chain"].encode())
    store = user.context.circles.trust_store()
    assert validate_path(below, above, store, SystemClock().now(), purpose="encryption").passed
    files = [user.get(f"/v1/certificates/{one['id']}/pair") for one in (signing, encryption)]
    assert files[0].content == files[1].content
    assert files[0].headers["content-type"] == "application/x-pem-file"
    pair = read_pair(files[0].content)
    assert [pair.signing.pem, pair.encryption.pem] == [one["certificate"]["pem"] for one in (signing, encryption)]
    issuer = load_certificates(signing["chain"].encode())[1]
    opened = accept_pair(pair, key, issuer)
    assert opened.public_key.spki == pair.encryption.spki
    with pytest.raises(BadKey):
        accept_pair(pair, keys_of(suite)[0], issuer)
    # the service has forgotten the key
    place = user.context.settings.data
    secret = secret_of(opened)
    where = slice(-200, -160) if suite == "rsa" else slice(60, 100)  # of RSA, the modulus comes first
    for path in place.rglob("*"):
        if path.is_file():
            kept = path.read_bytes()
            assert secret not in kept, path
            assert base64.b64encode(opened.pkcs8())[where] not in kept, path


@pytest.mark.parametrize("suite", FAMILIES)
def test_the_same_request_gives_the_same_pair_and_to_another_tenant_another(
    user: User, stranger: User, suite: str
) -> None:
    _key, body = new_request(suite)
    first = issued(user, body)
    for headers in ({}, {"idempotency-key": "a"}, {"idempotency-key": "a"}, {"idempotency-key": "b"}):
        assert issued(user, body, **headers) == first
    theirs = issued(stranger, body)
    assert not {*theirs["pair"].values()} & {*first["pair"].values()}
    assert theirs["certificate"]["serial"] != first["certificate"]["serial"]
    for name in first["pair"].values():
        assert stranger.get(f"/v1/certificates/{name}").status_code == 404
        assert stranger.get(f"/v1/certificates/{name}/pair").status_code == 404
    assert len(user.get("/v1/certificates").json()["data"]) == 2


@pytest.mark.parametrize("suite", usually(sorted({*ALL_SUITES} - {*BOTH}), ["ed25519"]))
def test_a_suite_that_only_signs_gets_no_pair(user: User, suite: str) -> None:
    refused = user.post("/v1/certificates", json=new_request(suite)[1])
    assert (refused.status_code, refused.json()["code"]) == (422, "unsupported-algorithm")
    assert "key for encryption" in refused.json()["hint"]
    assert user.get("/v1/certificates").json()["data"] == []


def test_what_cannot_be_had_is_said(user: User, stranger: User) -> None:
    _key, body = new_request("sm2")
    found = issued(user, body)
    cases: list[tuple[dict[str, Any], int, str]] = [
        (body | {"name": "Somebody else"}, 409, "request-used"),
        (body | {"pair": "yes, please"}, 422, "validation-failed"),
        (new_request("sm2", profile="seal")[1], 422, "validation-failed"),
    ]
    for asks, status, code in cases:
        refused = user.post("/v1/certificates", json=asks)
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    reader = user.post("/v1/certificates", json=body, headers={"authorization": "Bearer srk_none"})
    assert reader.status_code == 401
    single = issued(user, asked(keys_of("sm2")[0]))
    assert single["pair"] is None
    none = user.get(f"/v1/certificates/{single['id']}/pair")
    assert (none.status_code, none.json()["code"]) == (404, "not-found")
    assert len(user.get("/v1/certificates").json()["data"]) == 3
    for name, reason in zip(found["pair"].values(), ("superseded", "keyCompromise"), strict=True):
        assert user.post(f"/v1/certificates/{name}/revoke", json={"reason": reason}).status_code == 200
    refused = user.post("/v1/certificates", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "already-revoked")
    assert user.get(f"/v1/certificates/{found['id']}/pair").status_code == 200  # what was delivered can be read


def test_reading_and_asking_need_their_scopes(user: User) -> None:
    _key, body = new_request("sm2")
    with user.context.database.write() as session:
        tenant = session.get(Tenant, user.tenant_id)
        assert tenant is not None
        tokens = {
            scope: create_key(session, tenant, name=scope, now=user.context.now(), scopes=(scope, "identities:write"))
            for scope in ("certificates:read", "certificates:write")
        }
    heads = {scope: {"authorization": f"Bearer {token}"} for scope, token in tokens.items()}
    assert user.post("/v1/certificates", json=body, headers=heads["certificates:read"]).status_code == 403
    made = user.post("/v1/certificates", json=body, headers=heads["certificates:write"])
    assert made.status_code == 201, made.text
    path = f"/v1/certificates/{made.json()['id']}/pair"
    assert user.get(path, headers=heads["certificates:write"]).status_code == 403
    assert user.get(path, headers=heads["certificates:read"]).status_code == 200


def test_two_sendings_at_the_same_moment_give_one_pair(user: User) -> None:
    _key, body = new_request("ecdsa-p256")
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(user.post("/v1/certificates", json=body))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 6, [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(user.get("/v1/certificates").json()["data"]) == 2
    assert intents(user) == 0


# Killed, or failing --------------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize(
    "suite", [name if name == "sm2" else pytest.param(name, marks=pytest.mark.long) for name in FAMILIES]
)
def test_a_service_killed_at_any_effect_ends_with_one_pair_for_one_request(suite: str) -> None:
    points = points_of("tests.api.crash_issuing", suite, "3" if suite == "sm2" else "6", "pair")
    assert len(points) > 3
    assert all(point["killed"] for point in points[:-1])
    for point in points:
        assert point["answer"] == point["pair"]["signing"], point
        assert sorted(point["listed"]) == sorted(point["pair"].values()), point
        assert sorted(point["issued"]) == sorted(point["rows"]), point
        assert set(point["states"]) <= {"issued", "revoked"}, point
        assert point["certificates"] == 2, point


HOW = ("the same key", "no key", "settled first")
STAGES = ("nothing signed", "perhaps signed", "signed")
DEATHS = [(which, stage, how) for which in (1, 2) for stage in STAGES for how in HOW]


@pytest.mark.parametrize(
    ("suite", "which", "stage", "how"),
    [
        pytest.param(suite, *death, marks=[] if (turn + number) % len(FAMILIES) == 0 else pytest.mark.slow)
        for turn, suite in enumerate(FAMILIES)
        for number, death in enumerate(DEATHS)
    ],
)
def test_what_a_dead_sending_left_is_taken_up(
    user: User, suite: str, which: int, stage: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, body = new_request(suite)
    sign, signed = Circle.sign, []

    def failing(circle: Circle, plan: Any) -> Any:
        signed.append(plan.serial)
        if len(signed) < which:
            return sign(circle, plan)
        if stage == "perhaps signed":
            circle._ledger.claim(plan.issuer, plan.serial)
        elif stage == "signed":
            sign(circle, plan)
        raise KeyStoreError("the token was removed")

    headers = {"idempotency-key": "k"} if how == "the same key" else {}
    with monkeypatch.context() as patch:
        patch.setattr(Circle, "sign", failing)
        assert user.post("/v1/certificates", json=body, headers=headers).status_code == 500
    assert len(signed) == which
    assert intents(user) == 2
    assert user.get("/v1/certificates").json()["data"] == []
    monkeypatch.setattr(type(user.context.presence), "is_dead", lambda *_: True)
    if how == "settled first":
        issuing.settle(user.context)
        assert intents(user) == 0
    found = issued(user, body, **headers)
    issuing.settle(user.context)
    assert intents(user) == 0
    rows = user.get("/v1/certificates").json()["data"]
    assert {row["id"] for row in rows} == {*found["pair"].values()}
    assert {row["state"] for row in rows} == {"issued"}
    pair = read_pair(user.get(f"/v1/certificates/{found['id']}/pair").content)
    assert accept_pair(pair, key).public_key.spki == pair.encryption.spki
    circle = user.context.circles.get(suite)
    fate = circle.entry(signed[-1])
    assert fate is not None
    assert fate.state == ("revoked" if stage == "perhaps signed" else "issued")
    assert issued(user, body) == found


# Copies --------------------------------------------------------------------------------------------------------------
def test_copies_are_kept_and_recovered_beside_the_running_service(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Officers are appointed, and copies handed out, on the command line; the service only keeps them."""
    from api.cli import main
    from certs import circle as circles
    from certs.circle_files import values_of, write_values
    from certs.clock import SystemClock
    from certs.escrow import path_of
    from certs.keys import file as key_files
    from certs.keys.base import no_secrets

    circle = user.context.circles.get("sm2")
    place = user.context.settings.data / "pki" / "sm2"
    monkeypatch.chdir(tmp_path)
    assert main(["ca", "escrow", str(place), "--kek", f"file:{tmp_path}/kek"]) == 0
    try:
        key, body = new_request("sm2")
        found = issued(user, body)
        pair = read_pair(user.get(f"/v1/certificates/{found['id']}/pair").content)
        assert path_of(place, pair.encryption.spki).exists()
        (tmp_path / "enc.pem").write_text(pair.encryption.pem)
        _mine, archive = new_request("ecdsa-p256")
        theirs = read_pair(user.get(f"/v1/certificates/{issued(user, archive)['id']}/pair").content)
        (tmp_path / "archive.pem").write_text(theirs.encryption.pem)
        key_files.save(tmp_path / "archive.key", accept_pair(theirs, _mine), None)
        apply = ["ca", "recovery", "apply", str(place), "enc.pem", "--to", "archive.pem", "--reason", "left"]
        assert main([*apply, "-o", "request"]) == 0
        for name in ("anna", "boris"):
            officer = keys_of("ecdsa-p256")[3 if name == "anna" else 4]
            key_files.save(tmp_path / f"{name}.key", officer, None)
            named = issued(user, asked(officer) | {"name": name})
            (tmp_path / f"{name}.pem").write_text(named["certificate"]["pem"])
            assert main(["ra", "officer", str(place), "--appoint", name, "--certificate", f"{name}.pem"]) == 0
        deliver = ["ca", "recovery", "deliver", str(place), "request", "-o", "out.p7m"]
        assert main(deliver) == 2
        for name in ("anna", "boris"):
            who = ["--officer", name, "--key", f"{name}.key", "--certificate", f"{name}.pem"]
            assert main(["ca", "recovery", "approve", "request", *who]) == 0
        assert main(deliver) == 0
        accept = [
            "key",
            "accept-pair",
            "out.p7m",
            "--key",
            "archive.key",
            "--certificate",
            "enc.pem",
            "-o",
            "again.key",
        ]
        (tmp_path / "password").write_text("")
        assert main([*accept, "--new-password-file", "password"]) == 0
        assert key_files.load(tmp_path / "again.key", b"").public_key.spki == accept_pair(pair, key).public_key.spki
        assert circle.good(pair.encryption.serial)
    finally:
        values = values_of(place)
        values.pop("escrow", None)
        write_values(place, values)
        circles.load(place, no_secrets, SystemClock())


def test_where_copies_must_be_kept_and_cannot_no_pair_is_made(user: User) -> None:
    from certs import circle as circles
    from certs.circle_files import values_of, write_values
    from certs.clock import SystemClock
    from certs.keys.base import no_secrets

    user.context.circles.get("gost2012-256")
    place = user.context.settings.data / "pki" / "gost2012-256"
    write_values(place, values_of(place) | {"escrow": "file:/none/at/all"})
    try:
        refused = user.post("/v1/certificates", json=new_request("gost2012-256")[1])
        assert (refused.status_code, refused.json()["code"]) == (500, "internal-error")
        assert user.get("/v1/certificates").json()["data"] == []
    finally:
        values = values_of(place)
        del values["escrow"]
        write_values(place, values)
        circles.load(place, no_secrets, SystemClock())
