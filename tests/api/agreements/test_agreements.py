"""The life of an agreement: drafted, offered, signed by every party in its own suite, in force, ended by another."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from api.agreements import repository
from certs import canonical, der, oids, signature_policy, suites
from certs.clock import SystemClock
from certs.signed_data import attribute, set_of, signed_attributes, signing_certificate_v2
from certs.suites.base import Use
from certs.trust import TrustStore
from signer.cms import finish
from signer.layers import load_agreement
from signer.verify import verify_bytes
from tests.api.agreements.desk import (
    SUITES,
    V1,
    V2,
    Firm,
    asked,
    at,
    concluded,
    draft,
    ending,
    firm,
    handed,
    octets_of,
    offered,
    problem,
    signed,
    value,
    words,
)
from tests.api.conftest import Service, User
from tests.api.seals.office import good
from tests.conftest import subjects_of

SM2, GOST, EC = "sm2", "gost2012-256", "ecdsa-p256"


def other_than(suite: str) -> Firm:
    return firm(SM2 if suite != SM2 else EC)


# -- the life -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SUITES)
def test_from_a_draft_to_force_in_every_suite(user: User, suite: str) -> None:
    first, second = firm(suite), other_than(suite)
    body = words(first.party(suites=[suite]), second.party())
    made = draft(user, body)
    assert (made["state"], made["sha256"], made["agreement"]) == ("draft", None, body)
    assert user.get(at(made, "/content")).status_code == 409
    made = good(user.post(at(made, "/offer"), headers=V1))
    octets = octets_of(user, made)
    assert octets == canonical.encode(body)
    assert made["sha256"] == hashlib.sha256(octets).hexdigest()
    assert made["policy"] == signature_policy.name_of(octets)

    request = asked(user, made, first.pem)
    assert (request["state"], request["party"], request["suite"]) == ("prepared", first.name, suite)
    dtbs = base64.b64decode(request["dtbs"])
    assert base64.b64decode(request["digest"]) == suites.digest(first.key.suite.digest_name, dtbs)
    result = good(handed(user, request, signature=value(first, request)))
    assert result["request"]["state"] == "signed"
    assert result["agreement"]["state"] == "offered"
    assert result["agreement"]["parties"][1]["signature"] is None

    request = asked(user, made, second.pem)
    made = good(handed(user, request, cms=second.cms(octets)))["agreement"]
    assert made["state"] == "in_force"
    assert [each["signature"]["suite"] for each in made["parties"]] == [suite, second.suite]
    log = good(user.get(at(made, "/events")))["data"]
    assert [entry["type"] for entry in log] == [
        *("agreement.created", "agreement.offered", "signature.requested"),
        *("agreement.signed", "signature.requested", "agreement.signed", "agreement.concluded"),
    ]
    assert good(user.get(at(made, "/events/check")))["intact"]


@pytest.mark.parametrize("suite", SUITES)
def test_the_file_is_verified_offline_by_whoever_trusts_the_authorities(user: User, suite: str) -> None:
    firms = (firm(suite), other_than(suite))
    made = concluded(user, *firms)
    data = user.get(at(made, "/file")).content
    trust = TrustStore(anchors=tuple(each.chain[-1] for each in firms))

    def verify(cms: bytes, content: bytes | None) -> Any:
        return verify_bytes(cms, name="a", trust=trust, clock=SystemClock(), content=content).signatures

    found = load_agreement(data, verify=verify)
    assert found.sha256 == made["sha256"]
    assert found.by_all
    assert [one.suite for one in found.signatures or ()] == [suite, firms[1].suite]
    assert all(one.cryptographic.result == "passed" for one in found.signatures or ())
    assert all(one.timestamps for one in found.signatures or ())  # of the service's own circle


def test_drafts_change_and_go(user: User) -> None:
    made = draft(user, words(firm(EC).party()))
    other = words(firm(EC).party(), title="Other")
    problem(user.request("PATCH", at(made), json={"agreement": other}), 428, "precondition-required")
    patched = user.request("PATCH", at(made), json={"agreement": other}, headers=V1)
    assert patched.headers["etag"] == '"v2"'
    assert good(patched)["title"] == "Other"
    problem(user.request("PATCH", at(made), json={"agreement": other}, headers=V1), 412, "precondition-failed")
    problem(user.request("DELETE", at(made), headers=V1), 412, "precondition-failed")
    assert user.request("DELETE", at(made), headers=V2).status_code == 204
    assert user.get(at(made)).status_code == 404


def test_what_was_offered_is_not_changed_nor_deleted_nor_offered_again(user: User) -> None:
    made = offered(user, words(firm(EC).party()))
    for verb in ("PATCH", "DELETE"):
        body = {"json": {"agreement": words(firm(EC).party())}} if verb == "PATCH" else {}
        problem(user.request(verb, at(made), headers=V2, **body), 409, "state-conflict")
    problem(user.post(at(made, "/offer"), headers=V2), 409, "state-conflict")
    again = draft(user, words(firm(EC).party()))
    problem(user.post(at(again, "/offer"), headers=V1), 409, "conflict")
    assert good(user.post(at(made, "/withdraw"), json={"reason": "typo"}))["state"] == "withdrawn"
    assert good(user.post(at(again, "/offer"), headers=V1))["state"] == "offered"


def test_the_same_post_twice_has_one_effect(user: User) -> None:
    key = {"headers": {"idempotency-key": "once"}}
    body = words(firm(EC).party())
    assert draft(user, body, **key)["id"] == draft(user, body, **key)["id"]
    made = offered(user, words(firm(EC).party(), firm(SM2).party(), number="7"))
    cms = {"cms": firm(EC).cms(octets_of(user, made))}
    first, second = (user.post(at(made, "/signatures"), json=cms, **key_of("sign")) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"


def key_of(name: str) -> dict[str, Any]:
    return {"headers": {"idempotency-key": name}}


def test_lists_go_by_pages(user: User) -> None:
    for number in range(3):
        draft(user, words(firm(EC).party(), number=str(number)))
    first = good(user.get("/v1/agreements?limit=2"))
    rest = good(user.get(f"/v1/agreements?limit=2&cursor={first['next_cursor']}"))
    assert len(first["data"]) == 2
    assert len(rest["data"]) == 1
    assert good(user.get("/v1/agreements?state=offered"))["data"] == []


# -- values that change nothing -----------------------------------------------------------------------


def test_a_wrong_value_changes_nothing(user: User) -> None:
    maker = firm(SM2)
    made = offered(user, words(maker.party(), firm(EC).party()))
    request = asked(user, made, maker.pem)
    before = good(user.get(at(made)))
    wrong = base64.b64encode(maker.key.sign(b"something else")).decode()
    foreign = base64.b64encode(firm(EC).key.sign(base64.b64decode(request["dtbs"]))).decode()
    for each in (wrong, foreign, "AAAA", ""):
        problem(handed(user, request, signature=each), 422, "wrong-value")
    problem(handed(user, request, signature="%"), 422, "validation-failed")
    problem(handed(user, request, cms=maker.cms(b"another agreement")), 422, "wrong-value")
    problem(handed(user, request, cms=firm(EC).cms(octets_of(user, made))), 422, "wrong-value")
    assert good(user.get(at(made))) == before
    assert good(handed(user, request, signature=value(maker, request)))["request"]["state"] == "signed"


def test_nobody_signs_twice(user: User) -> None:
    maker = firm(SM2)
    made = offered(user, words(maker.party(), firm(EC).party()))
    first, second = asked(user, made, maker.pem), asked(user, made, maker.pem)
    problem(handed(user, first, signature=value(maker, first)), 409, "state-conflict")  # replaced
    good(handed(user, second, signature=value(maker, second)))
    problem(handed(user, second, signature=value(maker, second)), 409, "state-conflict")
    octets = octets_of(user, made)
    problem(user.post(at(made, "/signatures"), json={"cms": maker.cms(octets)}), 409, "state-conflict")
    response = user.post(at(made, "/signature-requests"), json={"certificate": maker.pem})
    problem(response, 409, "state-conflict")


def test_a_late_value_changes_nothing(user: User) -> None:
    maker = firm(SM2)
    made = offered(user, words(maker.party()))
    request = asked(user, made, maker.pem)
    with user.context.database.write() as session:
        moment = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(
            text("UPDATE agreement_signatures SET expires_at = :at WHERE id = :id"),
            {"at": moment.replace(tzinfo=None).isoformat(" "), "id": request["id"]},
        )
    problem(handed(user, request, signature=value(maker, request)), 409, "stale-request")
    request = asked(user, made, maker.pem)
    good(user.post(at(made, "/withdraw")))
    problem(handed(user, request, signature=value(maker, request)), 409, "state-conflict")
    problem(user.post(at(made, "/signatures"), json={"cms": maker.cms(octets_of(user, made))}), 409, "state-conflict")


def test_a_key_that_reports_an_error_can_try_again(user: User) -> None:
    maker = firm(SM2)
    made = offered(user, words(maker.party()))
    request = asked(user, made, maker.pem)
    result = good(handed(user, request, error="the token was taken out"))
    assert (result["request"]["state"], result["request"]["failure"]["code"]) == ("abandoned", "reported")
    again = asked(user, made, maker.pem)
    assert good(handed(user, again, signature=value(maker, again)))["agreement"]["state"] == "in_force"


def test_a_stranger_signs_nothing(user: User) -> None:
    made = offered(user, words(firm(SM2).party(), firm(GOST).party()))
    octets = octets_of(user, made)
    body = problem(user.post(at(made, "/signatures"), json={"cms": firm(EC).cms(octets)}), 422, "agreement-refused")
    assert body["reason"] == "agreement-party"
    response = user.post(at(made, "/signature-requests"), json={"certificate": firm(EC).pem})
    assert problem(response, 422, "agreement-refused")["reason"] == "agreement-party"
    assert all(each["signature"] is None for each in good(user.get(at(made)))["parties"])


def test_a_party_signs_with_what_the_agreement_accepts_of_it(user: User) -> None:
    maker = firm(EC)
    for conditions, reason in (
        ({"suites": [SM2]}, "agreement-suites"),
        ({"authorities": ["0" * 64]}, "agreement-authorities"),
        ({"certificates": ["0" * 64]}, "agreement-party"),
    ):
        made = offered(user, words(maker.party(**conditions)))
        response = user.post(at(made, "/signatures"), json={"cms": maker.cms(octets_of(user, made))})
        assert problem(response, 422, "agreement-refused")["reason"] == reason


@pytest.mark.parametrize("junk", ["", "AAAA", "MIIB", base64.b64encode(b"\x30\x80" * 300).decode()])
def test_junk_for_a_signature(user: User, junk: str) -> None:
    made = offered(user, words(firm(EC).party()))
    problem(user.post(at(made, "/signatures"), json={"cms": junk}), 422, "wrong-value")


def test_a_signature_without_its_certificate_attribute_or_with_the_content_inside(user: User) -> None:
    from certs.signed_data import build_signed_data

    maker = firm(EC)
    made = offered(user, words(maker.party()))
    octets = octets_of(user, made)
    inside = build_signed_data(octets, maker.key, maker.certificate)
    asked_for = signed_attributes(maker.key.suite, maker.certificate, suites.digest("sha256", octets))
    two = finish(maker.key.suite, maker.certificate, (), asked_for, maker.key.sign(asked_for))
    problem(user.post(at(made, "/signatures"), json={"cms": base64.b64encode(inside).decode()}), 422, "wrong-value")
    broken = bytearray(two)
    broken[-5] ^= 1
    response = user.post(at(made, "/signatures"), json={"cms": base64.b64encode(bytes(broken)).decode()})
    problem(response, 422, "wrong-value")


def test_what_others_added_to_a_signature_does_not_matter(user: User) -> None:
    maker = firm(EC)
    made = offered(user, words(maker.party()))
    octets = octets_of(user, made)
    chosen = signed_attributes(maker.key.suite, maker.certificate, suites.digest("sha256", octets))
    more = [attribute(oids.COUNTERSIGNATURE, der.sequence(der.integer(1))), attribute("2.25.7", der.integer(1))]
    cms = finish(maker.key.suite, maker.certificate, maker.chain, chosen, maker.key.sign(chosen), unsigned=more)
    made = good(user.post(at(made, "/signatures"), json={"cms": base64.b64encode(cms).decode()}), 201)
    assert made["state"] == "in_force"


def by_sha1(firm: Firm, octets: bytes) -> bytes:
    """Sign with SHA-1 as the digest of the content, which nothing of ours would do."""
    algorithm = der.encode_algorithm_identifier(suites.digest_algorithm("sha1"))
    digest = attribute(oids.MESSAGE_DIGEST, der.octet_string(suites.digest("sha1", octets)))
    kind = attribute(oids.CONTENT_TYPE, der.oid(oids.DATA))
    chosen = set_of([kind, digest, signing_certificate_v2(firm.certificate)])
    signer = der.sequence(
        der.integer(1),
        der.sequence(firm.certificate.issuer_name.der, der.integer(firm.certificate.serial)),
        algorithm,
        b"\xa0" + chosen[1:],
        firm.key.suite.signature_algorithm(Use.CMS).der(),
        der.octet_string(firm.key.sign(chosen)),
    )
    body = der.sequence(
        der.integer(1),
        set_of([algorithm]),
        der.sequence(der.oid(oids.DATA)),
        der.tlv(0xA0, b"".join(sorted(each.der for each in (firm.certificate, *firm.chain)))),
        set_of([signer]),
    )
    return der.sequence(der.oid(oids.SIGNED_DATA), der.tlv(0xA0, body))


def test_a_revoked_certificate_or_a_weak_digest_signs_nothing(user: User) -> None:
    circle, key = user.context.circles.get(EC), firm(EC).key
    certificate = circle.issue("organisation", subjects_of(EC)[1], key.public_key.spki)
    known = Firm(EC, firm(EC).name, key, certificate, circle.chain)
    made = offered(user, words(known.party(), firm(SM2).party()))
    octets = octets_of(user, made)
    weakened = base64.b64encode(by_sha1(known, octets)).decode()
    refused = problem(user.post(at(made, "/signatures"), json={"cms": weakened}), 422, "wrong-value")
    circle.revoke(certificate.serial)
    revoked = problem(user.post(at(made, "/signatures"), json={"cms": known.cms(octets)}), 422, "wrong-value")
    assert ("sha1" in refused["detail"], "revoked" in revoked["detail"]) == (True, True), (refused, revoked)
    assert good(user.get(at(made)))["parties"][0]["signature"] is None


# -- words with a trick -------------------------------------------------------------------------------

TRICKS = [
    ({"title": "x\u202etxt"}, "validation-failed"),
    ({"title": "x\x00"}, "validation-failed"),
    ({"title": 7}, "basis-error"),
    ({"retention_years": 1.5}, "malformed-request"),
    ({"retention_years": 2**60}, "malformed-request"),
    ({"retention_years": 0}, "basis-error"),
    ({"notices": [{"of": "rain", "within_hours": 1}]}, "basis-error"),
    ({"more": 1}, "basis-error"),
    ({"schema": "sealroad.agreement/2"}, "basis-error"),
    ({"parties": []}, "basis-error"),
    ({"parties": [{"name": "A"}, {"name": " a "}]}, "validation-failed"),
    ({"parties": [{"name": "A", "naïve": "x"}]}, "malformed-request"),
    ({"supersedes": "0" * 64, "valid_from": "2099-01-01"}, "validation-failed"),
    ({"supersedes": "0" * 64}, "basis-error"),
]


@pytest.mark.parametrize(("change", "code"), TRICKS)
def test_words_that_are_none(user: User, change: dict[str, Any], code: str) -> None:
    response = user.post("/v1/agreements", json={"agreement": {**words(firm(EC).party()), **change}})
    assert response.json()["code"] == code, response.text
    assert response.status_code in {400, 422}


@pytest.mark.parametrize(
    "text",
    [
        '{"agreement": {"schema": "sealroad.agreement/1", "title": "A", "title": "B", "parties": [{"name": "A"}]}}',
        '{"agreement": {"schema": "sealroad.agreement/1", "title": "A", "parties": [{"name": "A", "name": "B"}]}}',
        '{"agreement": {}, "agreement": {"schema": "sealroad.agreement/1", "title": "A", "parties": [{"name": "A"}]}}',
        '{"agreement": {"schema": "sealroad.agreement/1", "title": "\\ud800", "parties": [{"name": "A"}]}}',
        '{"agreement": {"schema": "sealroad.agreement/1", "title": "A", "parties": [{"name": "A"}], "x": NaN}}',
        '{"agreement": ' + '{"a":' * 40 + "1" + "}" * 40 + "}",
    ],
)
def test_json_that_can_be_read_in_two_ways(user: User, text: str) -> None:
    headers = {"content-type": "application/json"}
    response = user.post("/v1/agreements", content=text.encode(), headers=headers)
    assert response.status_code in {400, 422}, response.text


def test_the_same_letters_in_another_form_are_another_agreement(user: User) -> None:
    composed, decomposed = (
        offered(user, words(firm(EC).party(), number=number)) for number in ("\u0439", "\u0438\u0306")
    )
    assert composed["sha256"] != decomposed["sha256"]


def test_the_order_of_names_and_the_spelling_are_the_services(user: User) -> None:
    body = words(firm(EC).party())
    backwards = dict(reversed(body.items()))
    first = offered(user, body)
    second = draft(user, json.loads(json.dumps(backwards, indent=3)))
    problem(user.post(at(second, "/offer"), headers=V1), 409, "conflict")
    assert octets_of(user, first) == canonical.encode(backwards)


# -- the end ------------------------------------------------------------------------------------------


def soon() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")


def test_the_parties_end_an_agreement_by_another_signed_object(user: User) -> None:
    firms = (firm(SM2), firm(GOST))
    made = concluded(user, *firms)
    data = user.get(at(made, "/file")).content
    end = offered(user, ending(made, soon(), reason="as agreed"))
    assert (end["kind"], [each["name"] for each in end["parties"]]) == ("termination", [each.name for each in firms])
    end = signed(user, end, firms[0])
    assert good(user.get(at(made)))["state"] == "in_force"
    end = signed(user, end, firms[1])
    after = good(user.get(at(made)))
    assert (end["state"], after["state"], after["ended_by"]) == ("in_force", "terminated", end["id"])
    assert (after["sha256"], after["agreement"]) == (made["sha256"], made["agreement"])
    ended = user.get(at(made, "/file")).content
    assert data != ended
    assert json.loads(ended)["octets"] == json.loads(data)["octets"]
    assert load_agreement(ended, verify=lambda cms, content: ()).endings[0].sha256 == end["sha256"]
    assert [entry["type"] for entry in good(user.get(at(made, "/events")))["data"]][-1] == "agreement.ended"
    assert good(user.get(at(made, "/events/check")))["intact"]
    problem(
        user.post(at(draft(user, ending(made, soon(), title="Again")), "/offer"), headers=V1), 409, "state-conflict"
    )


def test_a_new_version_supersedes_the_old_one(user: User) -> None:
    firms = (firm(SM2), firm(GOST))
    old = concluded(user, *firms)
    newer = {"supersedes": old["sha256"], "valid_from": soon(), "number": "2"}
    missing = draft(user, words(firms[0].party(), **newer))
    problem(user.post(at(missing, "/offer"), headers=V1), 422, "validation-failed")
    past = draft(user, words(*(each.party() for each in firms), **{**newer, "valid_from": "2020-01-01"}))
    problem(user.post(at(past, "/offer"), headers=V1), 422, "validation-failed")
    made = signed(user, offered(user, words(*(each.party() for each in firms), **newer)), *firms)
    assert (made["state"], made["ends"]) == ("in_force", old["id"])
    assert good(user.get(at(old)))["state"] == "superseded"


def test_of_two_ends_one_takes_effect(user: User) -> None:
    maker = firm(EC)
    made = concluded(user, maker)
    first, second = (offered(user, ending(made, soon(), title=name)) for name in ("A", "B"))
    signed(user, first, maker)
    response = user.post(at(second, "/signatures"), json={"cms": maker.cms(octets_of(user, second))})
    problem(response, 409, "state-conflict")
    assert good(user.get(at(second)))["parties"][0]["signature"] is None
    assert good(user.get(at(made)))["ended_by"] == first["id"]


def test_an_end_is_not_signed_after_the_moment_it_names(user: User) -> None:
    maker = firm(EC)
    made = concluded(user, maker, number="late end")
    end = offered(user, ending(made, soon()))
    request = asked(user, end, maker.pem)
    with user.context.database.write() as session:
        repository.get(session, user.tenant_id, end["id"], lock=True).valid_from = datetime.now(UTC)
    problem(handed(user, request, signature=value(maker, request)), 409, "stale-request")
    problem(user.post(at(end, "/signatures"), json={"cms": maker.cms(octets_of(user, end))}), 409, "stale-request")
    assert good(user.get(at(made)))["state"] == "in_force"


# -- at once, and on record ---------------------------------------------------------------------------


def test_all_parties_at_once_make_it_take_effect_once(user: User) -> None:
    firms = [firm(each) for each in (SM2, GOST, EC)]
    made = offered(user, words(*(each.party() for each in firms)))
    octets = octets_of(user, made)
    answers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda cms=cms: answers.append(user.post(at(made, "/signatures"), json={"cms": cms}).status_code)
        )
        for each in firms
        for cms in (each.cms(octets), each.cms(octets))  # and each of them twice
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201] * 3 + [409] * 3
    log = [entry["type"] for entry in good(user.get(at(made, "/events")))["data"]]
    assert (log.count("agreement.signed"), log.count("agreement.concluded")) == (3, 1)
    assert good(user.get(at(made, "/events/check")))["intact"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE agreement_events SET hash = '1'",
        "DELETE FROM agreement_events",
        "UPDATE agreements SET octets = x'00' WHERE octets IS NOT NULL",
        "UPDATE agreements SET sha256 = '1' WHERE octets IS NOT NULL",
    ],
)
def test_the_database_itself_refuses_to_rewrite(user: User, statement: str) -> None:
    concluded(user, firm(EC))
    with pytest.raises(DatabaseError), user.context.database.write() as session:
        session.execute(text(statement))


def test_scopes(service: Service) -> None:
    reader = service.user(scopes=("agreements:read",))
    problem(reader.post("/v1/agreements", json={"agreement": {}}), 403, "forbidden")
    writer = service.user(scopes=("agreements:read", "agreements:write"))
    made = offered(writer, words(firm(EC).party()))
    response = writer.post(at(made, "/signatures"), json={"cms": firm(EC).cms(octets_of(writer, made))})
    problem(response, 403, "forbidden")


def test_the_attribute_of_another_agreement_does_not_matter_for_a_signature_on_this_one(user: User) -> None:
    """What a party signs is the octets; under which rules it does so is its own affair."""
    maker = firm(EC)
    made = offered(user, words(maker.party()))
    octets = octets_of(user, made)
    extra = [attribute(oids.SIGNATURE_POLICY, signature_policy.encode(b"mine", "sha256"))]
    chosen = signed_attributes(maker.key.suite, maker.certificate, suites.digest("sha256", octets), extra=extra)
    cms = finish(maker.key.suite, maker.certificate, (), chosen, maker.key.sign(chosen))
    assert good(user.post(at(made, "/signatures"), json={"cms": base64.b64encode(cms).decode()}), 201)
