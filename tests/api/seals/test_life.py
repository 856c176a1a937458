"""From the application to the end of a seal, over HTTP."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import CursorResult, text
from sqlalchemy.exc import DatabaseError

from api.context import Context
from api.contracts.tasks import sweep_storage
from api.seals import log, repository
from api.seals import service as seals
from api.seals.models import Seal, SealMaker
from certs.certificate import Certificate, load_certificates
from signer.seals import SealVersion, read_seal
from signer.seals.check import verify_value
from tests.api.conftest import Service, User, circle_today
from tests.api.seals.office import Office, application, colleague, good, key_id, refused
from tests.conftest import SIGNING
from tests.signer.seals.making import SVG, raster


@pytest.fixture
def office(service: Service) -> Office:
    return Office.of(service)


@pytest.mark.parametrize("suite", SIGNING)
def test_a_seal_of_every_suite_is_applied_for_approved_made_and_filed(office: Office, suite: str) -> None:
    standard = {"sm2": "v4", "rsa": "v1"}.get(suite, "v5")
    applied = office.applied(suite, standard=standard)
    path = f"/v1/seals/{applied['id']}"
    assert (applied["state"], applied["key_holder"], applied["certificates"]) == ("applied", "service", [])
    good(office.bob.post(f"{path}/approve"))
    made = good(office.ann.post(f"{path}/make"))
    assert made["state"] == "made"
    filed = good(office.ann.post(f"{path}/file", json={"filing_number": "31010120260001"}))
    assert (filed["state"], filed["filing_number"]) == ("filed", "31010120260001")
    assert filed["sha256"] == made["sha256"]

    response = office.ann.get(f"{path}/content")
    assert response.headers["etag"] == f'"{filed["sha256"]}"'
    seal = read_seal(response.content)
    assert seal.version == {"v1": SealVersion.V1, "v4": SealVersion.V4, "v5": SealVersion.V5}[standard]
    assert (seal.name, seal.picture.data, seal.variants) == (applied["name"], raster(), ())
    assert (seal.time_stamp is not None) == (standard == "v5")
    verify_value(Certificate(seal.maker), seal.signature_algorithm, seal.signature, seal.tbs)
    owner = load_certificates(filed["certificates"][0]["pem"].encode())[0]
    assert seal.lists(owner.der) == "certificate"
    assert Certificate(seal.maker).not_after >= seal.valid_to
    assert owner.not_after >= seal.valid_to
    assert Certificate(seal.maker).fingerprint() == filed["maker"]["sha256"]
    assert office.ann.get(f"{path}/picture").content == raster()
    assert office.ann.get(f"{path}/picture").headers["content-type"] == "image/png"
    types = [entry["type"] for entry in office.log(filed)]
    assert types == ["seal.applied", "seal.approved", "seal.prepared", "seal.made", "seal.filed"]


def test_the_key_of_a_seal_belongs_to_its_certificate(office: Office) -> None:
    seal, context = office.filed(), office.ann.context
    with context.database.read() as session:
        row = session.get_one(Seal, seal["id"])
    key = context.vault.open_key(row.sealed_key or b"", seal["id"], "sm2")
    assert key.public_key.spki == load_certificates((row.certificates or [""])[0].encode())[0].spki


def test_a_seal_for_keys_that_others_hold_lists_their_certificates(office: Office) -> None:
    circle = circle_today("sm2")
    seal = office.filed("sm2", suite=None, owner=None, certificates=[circle.bundle], standard="v5")
    assert (seal["key_holder"], seal["suite"]) == ("party", "sm2")
    found = read_seal(office.ann.get(f"/v1/seals/{seal['id']}/content").content)
    assert found.lists(circle.certificate.der) == "certificate"
    with office.ann.context.database.read() as session:
        assert session.get_one(Seal, seal["id"]).sealed_key is None


def test_a_number_assigned_beforehand_stands_in_the_seal_and_no_other_is_filed(office: Office) -> None:
    seal = office.made(filing_number="沪公备 3101-42")
    path = f"/v1/seals/{seal['id']}"
    assert read_seal(office.ann.get(f"{path}/content").content).filing_number == "沪公备 3101-42"
    response = office.ann.post(f"{path}/file", json={"filing_number": "3"})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/filing_number")
    assert good(office.ann.post(f"{path}/file", json={"filing_number": "沪公备 3101-42"}))["state"] == "filed"


def test_an_svg_is_a_picture_and_a_script_in_one_is_not(office: Office) -> None:
    import base64

    def picture(data: bytes) -> dict[str, Any]:
        return {"data": base64.b64encode(data).decode(), "width": 42, "height": 42}

    seal = office.applied(picture=picture(SVG))
    assert seal["picture_type"] == "SVG"
    shown = office.ann.get(f"/v1/seals/{seal['id']}/picture")
    assert (shown.content, shown.headers["content-type"]) == (SVG, "image/svg+xml")
    hostile = SVG.replace(b"<circle", b"<script>alert(1)</script><circle")
    for data in (hostile, b"GIF89a", b"", raster("GIF")):
        response = office.ann.post("/v1/seals", json=application(picture=picture(data)))
        assert (response.status_code, response.json()["code"]) in {
            (422, "appearance-error"),
            (422, "validation-failed"),
        }, data


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"suite": "rsa-pss"}, "/suite"),
        ({"suite": "nonesuch"}, "/suite"),
        ({"suite": None, "owner": None, "certificates": ["-----BEGIN"]}, "/certificates"),
        ({"valid_to": "2020-01-01T00:00:00Z"}, "/valid_to"),
        ({"valid_to": "2099-01-01T00:00:00Z"}, "/valid_to"),
        ({"valid_from": "2099-01-01T00:00:00Z"}, "/valid_from"),
        ({"valid_to": "9999-12-31T23:59:59-23:59"}, "/valid_to"),
        ({"name": "x" * 101}, "/name"),
        ({"owner": {"identifiers": [{"scheme": "LEI", "value": "1"}]}}, "/suite"),
        ({"suite": None}, ""),
        ({"owner": None}, ""),
        ({"certificates": ["x"]}, ""),
    ],
)
def test_an_application_that_cannot_become_a_seal_is_refused(
    office: Office, change: dict[str, Any], pointer: str
) -> None:
    response = office.ann.post("/v1/seals", json=application("ecdsa-p256", **change))
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["pointer"] == pointer, response.text


# two people ----------------------------------------------------------------------------------------------------------
def test_a_seal_of_two_takes_two_others_before_it_is_made(office: Office) -> None:
    path = f"/v1/seals/{office.applied(approvals=2)['id']}"
    refused(office.ann.post(f"{path}/approve"), "needs-approval")
    good(office.bob.post(f"{path}/approve"))
    refused(office.bob.post(f"{path}/approve"), "needs-approval")
    refused(office.ann.post(f"{path}/make"), "needs-approval")
    seal = good(office.cat.post(f"{path}/approve"))
    assert [each["by"] for each in seal["approvals"]] == [key_id(office.bob), key_id(office.cat)]
    assert good(office.ann.post(f"{path}/make"))["state"] == "made"
    assert office.dan.post(f"{path}/approve").json()["code"] == "seal-state-conflict"


def test_a_grant_of_such_a_seal_takes_a_third_person(office: Office) -> None:
    seal = office.filed(approvals=2)
    grant = office.grant(seal)
    path = f"/v1/seals/{seal['id']}/grants/{grant['id']}"
    assert (grant["approvals_needed"], grant["approvals"]) == (1, [])
    refused(office.ann.post(f"{path}/approve"), "needs-approval")
    refused(office.dan.post(f"{path}/approve"), "needs-approval")
    assert [each["by"] for each in good(office.bob.post(f"{path}/approve"))["approvals"]] == [key_id(office.bob)]


def test_who_may_write_seals_may_not_approve_them(office: Office) -> None:
    writer = colleague(office.ann, ("seals:write", "seals:read"))
    path = f"/v1/seals/{office.applied()['id']}"
    assert writer.post(f"{path}/approve").json()["code"] == "forbidden"


def test_two_approvals_at_once_are_both_counted(office: Office) -> None:
    path = f"/v1/seals/{office.applied(approvals=2)['id']}"
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda who=who: codes.append(who.post(f"{path}/approve").status_code))
        for who in (office.bob, office.cat)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200, 200]
    assert len(good(office.ann.get(path))["approvals"]) == 2


# states --------------------------------------------------------------------------------------------------------------
def test_a_step_out_of_turn_says_which_ones_there_are(office: Office) -> None:
    path = f"/v1/seals/{office.applied()['id']}"
    for step in ("file", "suspend", "resume"):
        body = {"filing_number": "1"} if step == "file" else None
        found = office.ann.post(f"{path}/{step}", json=body)
        assert (found.status_code, found.json()["state"]) == (409, "applied")
        assert found.json()["allowed"] == ["approve", "cancel", "expire", "make"]
    assert office.ann.get(f"{path}/content").json()["code"] == "state-conflict"


def test_a_suspended_seal_comes_back_and_a_cancelled_one_does_not(office: Office) -> None:
    seal = office.filed()
    path = f"/v1/seals/{seal['id']}"
    suspended = good(office.ann.post(f"{path}/suspend", json={"reason": "审计"}))
    assert (suspended["state"], suspended["reason"]) == ("suspended", "审计")
    assert good(office.ann.post(f"{path}/resume"))["state"] == "filed"
    cancelled = good(office.ann.post(f"{path}/cancel", json={"reason": "改名"}))
    assert (cancelled["state"], cancelled["reason"]) == ("cancelled", "改名")
    assert cancelled["ended_at"] is not None
    assert office.ann.post(f"{path}/resume").status_code == 409
    with office.ann.context.database.read() as session:
        assert session.get_one(Seal, seal["id"]).sealed_key is None


def test_if_match_of_an_older_version_changes_nothing(office: Office) -> None:
    seal = office.filed()
    path = f"/v1/seals/{seal['id']}"
    response = office.ann.get(path)
    assert response.headers["etag"] == f'"v{seal["version"]}"'
    stale = office.ann.post(f"{path}/cancel", headers={"if-match": '"v1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    fresh = office.ann.post(f"{path}/suspend", headers={"if-match": response.headers["etag"]})
    assert good(fresh)["version"] == seal["version"] + 1
    assert good(office.ann.get(path))["state"] == "suspended"


def test_an_application_sent_twice_is_one_seal(office: Office) -> None:
    headers = {"idempotency-key": "once"}
    first, second = (office.ann.post("/v1/seals", json=application(), headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert len(good(office.ann.get("/v1/seals"))["data"]) == 1


def test_the_clock_ends_a_seal_whose_time_is_over(office: Office) -> None:
    seal, context = office.filed(), office.ann.context
    _let_expire(context, seal["id"])
    seals.expire_overdue(context)
    found = good(office.ann.get(f"/v1/seals/{seal['id']}"))
    assert found["state"] == "expired"
    assert office.log(seal)[-1]["type"] == "seal.expired"
    seals.expire_overdue(context)
    assert good(office.ann.get(f"/v1/seals/{seal['id']}"))["version"] == found["version"]


def _let_expire(context: Context, seal_id: str) -> None:
    with context.database.write() as session:
        row = session.get_one(Seal, seal_id)
        row.valid_from = context.now() - timedelta(days=2)
        row.valid_to = context.now() - timedelta(days=1)


def test_seals_are_listed_by_state_in_pages(office: Office) -> None:
    made = [office.applied("ed25519")["id"] for _ in range(3)]
    good(office.ann.post(f"/v1/seals/{made[1]}/cancel"))
    assert [row["id"] for row in good(office.ann.get("/v1/seals?state=applied"))["data"]] == [made[2], made[0]]
    first = office.ann.get("/v1/seals?limit=2")
    assert [row["id"] for row in first.json()["data"]] == [made[2], made[1]]
    following = first.headers["link"].split(">")[0].removeprefix("<")
    assert [row["id"] for row in good(office.ann.get(following))["data"]] == [made[0]]


# making --------------------------------------------------------------------------------------------------------------
def test_two_who_make_a_seal_at_once_make_one(office: Office) -> None:
    path = f"/v1/seals/{office.applied('ecdsa-p256')['id']}"
    good(office.bob.post(f"{path}/approve"))
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(office.ann.post(f"{path}/make"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    types = [entry["type"] for entry in office.log(good(office.ann.get(path)))]
    assert (types.count("seal.prepared"), types.count("seal.made")) == (1, 1)


def test_a_maker_whose_certificate_was_revoked_makes_no_more_seals(office: Office) -> None:
    first, context = office.made("ed448"), office.ann.context
    with context.database.read() as session:
        maker = repository.makers(session, "ed448")[0]
    serial = load_certificates(maker.certificates.encode())[0].serial
    assert office.made("ed448")["maker"] == first["maker"]
    context.circles.get("ed448").revoke(serial, "keyCompromise")
    assert office.made("ed448")["maker"] != first["maker"]


def test_a_maker_that_would_end_before_the_seal_makes_none(office: Office) -> None:
    made, context = office.made("ed448"), office.ann.context
    with context.database.write() as session:
        for maker in repository.makers(session, "ed448"):
            maker.not_after = context.now() + timedelta(days=30)
    assert office.made("ed448")["maker"] != made["maker"]


def test_a_seal_that_outlives_the_authority_itself_is_not_made(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.seals import maker

    real = maker._made

    def short(context: Context, suite: str) -> SealMaker:
        row = real(context, suite)
        row.not_after = context.now() + timedelta(days=30)
        return row

    monkeypatch.setattr(maker, "_made", short)
    path = f"/v1/seals/{office.applied('ecdsa-p384')['id']}"
    good(office.bob.post(f"{path}/approve"))
    refused(office.ann.post(f"{path}/make"), "maker")


def test_cleaning_up_leaves_the_picture_and_the_seal_where_they_are(office: Office) -> None:
    seal, context = office.made("ed25519", picture=None, drawing={"form": "eu-block"}), office.ann.context
    with context.storage.receive([b"nobody needs this"]) as received:
        context.storage.keep(received)
    assert sweep_storage(context, before=context.now() + timedelta(days=1)) >= 1
    for what in ("picture", "content"):
        assert office.ann.get(f"/v1/seals/{seal['id']}/{what}").status_code == 200


# grants --------------------------------------------------------------------------------------------------------------
def test_a_grant_goes_to_a_person_of_the_tenant_for_its_own_contracts(office: Office, stranger: User) -> None:
    path = f"/v1/seals/{office.filed()['id']}/grants"
    theirs = stranger.draft([])["id"]
    for body, pointer in (
        ({"grantee": key_id(stranger)}, "/grantee"),
        ({"grantee": "key_" + "0" * 32}, "/grantee"),
        ({"grantee": key_id(office.dan), "contracts": [theirs]}, "/contracts/0"),
        (
            {
                "grantee": key_id(office.dan),
                "valid_from": "2030-01-02T00:00:00Z",
                "valid_to": "2030-01-01T00:00:00Z",
            },
            "/valid_to",
        ),
    ):
        response = office.ann.post(path, json=body)
        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, pointer)


def test_grants_are_listed_and_revoked_once(office: Office) -> None:
    seal = office.filed()
    grant = office.grant(seal, count=3, kinds=["document"])
    path = f"/v1/seals/{seal['id']}/grants"
    assert good(office.ann.get(path))["data"] == [grant]
    revoked = good(office.ann.post(f"{path}/{grant['id']}/revoke"))
    assert revoked["revoked_at"] is not None
    assert good(office.ann.post(f"{path}/{grant['id']}/revoke")) == revoked
    assert [entry["type"] for entry in office.log(seal)].count("grant.revoked") == 1


def test_one_seals_grant_is_not_found_under_another_seal(office: Office) -> None:
    first, second = office.filed("ed25519"), office.filed("ed25519")
    grant = office.grant(first)
    assert office.ann.post(f"/v1/seals/{second['id']}/grants/{grant['id']}/revoke").status_code == 404
    assert good(office.ann.get(f"/v1/seals/{first['id']}/grants"))["data"] == [grant]


def test_an_ended_seal_is_not_granted(office: Office) -> None:
    seal = office.filed()
    good(office.ann.post(f"/v1/seals/{seal['id']}/cancel"))
    response = office.ann.post(f"/v1/seals/{seal['id']}/grants", json={"grantee": key_id(office.dan)})
    assert (response.status_code, response.json()["code"]) == (409, "seal-state-conflict")


# the log -------------------------------------------------------------------------------------------------------------
TAMPERING = {
    "an entry is changed": "UPDATE seal_events SET body = replace(body, '\"kind\":', '\"Kind\":') WHERE sequence = 1",
    "an entry gets another time": "UPDATE seal_events SET at = '2020-01-01 00:00:00' WHERE sequence = 2",
    "an entry gets another type": "UPDATE seal_events SET type = 'seal.applied' WHERE sequence = 3",
    "an entry is removed": "DELETE FROM seal_events WHERE sequence = 2",
    "the end is cut off": "DELETE FROM seal_events WHERE sequence = 5",
    "two entries change places": "UPDATE seal_events SET sequence = CASE sequence WHEN 2 THEN 9 ELSE 8 END "
    "WHERE sequence IN (2, 3)",
    "an entry is moved to the end": "UPDATE seal_events SET sequence = 6 WHERE sequence = 2",
    "everything is removed": "DELETE FROM seal_events",
}
"""What somebody with the database file at hand could do to the log of a seal, by SQL."""


@pytest.mark.parametrize("attack", TAMPERING)
def test_a_log_that_was_tampered_with_is_found_out(office: Office, attack: str) -> None:
    seal, context = office.filed("ed25519"), office.ann.context
    path = f"/v1/seals/{seal['id']}/events/check"
    whole = good(office.ann.get(path))
    assert whole == {"entries": 5, "head": seal["log_hash"], "intact": True, "broken_at": None}
    statement = f"{TAMPERING[attack]}{' AND' if 'WHERE' in TAMPERING[attack] else ' WHERE'} seal_id = :seal"
    with context.database.write() as session:
        for name in ("seal_events_no_update", "seal_events_no_delete"):
            session.execute(text(f"DROP TRIGGER {name}"))
        try:
            done = session.execute(text(statement), {"seal": seal["id"]})
            assert cast("CursorResult[Any]", done).rowcount >= 1
            session.expire_all()
            row = session.get_one(Seal, seal["id"])
            broken = log.check(session, row)
            assert broken is not None
            assert broken.at == {
                "an entry is changed": 1,
                "an entry gets another type": 3,
                "the end is cut off": 5,
            }.get(attack, 1 if "everything" in attack else 2)
        finally:
            session.rollback()
    assert good(office.ann.get(path)) == whole


def test_the_database_refuses_to_change_or_delete_an_entry(office: Office) -> None:
    office.applied("ed25519")
    for statement in ("UPDATE seal_events SET hash = '1'", "DELETE FROM seal_events"):
        with pytest.raises(DatabaseError, match="log of a seal"), office.ann.context.database.write() as session:
            session.execute(text(statement))


def test_the_log_is_read_in_pieces(office: Office) -> None:
    path = f"/v1/seals/{office.filed('ed25519')['id']}/events"
    first = good(office.ann.get(f"{path}?limit=2"))
    assert [entry["sequence"] for entry in first["data"]] == [1, 2]
    rest = good(office.ann.get(f"{path}?after={first['next_after']}"))
    assert ([entry["sequence"] for entry in rest["data"]], rest["next_after"]) == ([3, 4, 5], None)
