"""Envelopes over HTTP: sealed for every family, handed out part by part, opened with held keys; all of it on record."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from api.auth.service import SCOPES
from api.certificates.models import IssuedCertificate
from api.contracts.tasks import sweep_storage
from api.envelopes import log, repository, tasks
from api.envelopes.models import Envelope, EnvelopeKey
from api.jobs.queue import JobRun
from certs import suites
from certs.certificate import load_certificates
from certs.clock import SystemClock
from certs.sink import MemorySink
from certs.suites.base import PrivateKey
from signer.encryption.opening import OpenedEnvelope, open_envelope
from signer.errors import RecipientRefused
from signer.report import Verdict
from tests.api.conftest import Service, User, at_home, circle_today, held, make_pdf
from tests.api.envelopes.post import (
    anchors,
    asked,
    between,
    elsewhere,
    events,
    from_first_party,
    mailbox_today,
    open_as,
    sealed,
)
from tests.api.seals.office import Office, colleague, good, key_id, refused
from tests.certs.post import FAMILIES, WAYS


def opened(user: User, data: bytes, key: PrivateKey, certificate: Any) -> tuple[bytes | None, OpenedEnvelope]:
    sink, trust = MemorySink(), user.context.circles.trust_store()
    found = open_envelope(io.BytesIO(data), sink, key, certificate, trust=trust, clock=SystemClock())
    return sink.data, found


def names(data: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return set(archive.namelist())


# There and back ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "suite",
    [
        "sm2",
        "ed25519",
        "ml-dsa-65",
        *(pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES if name != "sm2"),
    ],
)
def test_a_contract_is_sealed_for_its_parties_and_opened_with_a_key_that_is_held(user: User, suite: str) -> None:
    contract = between(user, suite)
    envelope = sealed(user, from_first_party(contract))
    (recipient,), (sender,) = envelope["recipients"], envelope["senders"]
    assert (recipient["party"], recipient["key_holder"], recipient["suite"]) == (
        *(sender["party"], "service"),
        suites.for_encryption(suite),
    )
    assert recipient["certificate"]["sha256"] != sender["certificate"]["sha256"]  # a second one, for encryption
    assert envelope["state"] == "sealed"

    job = open_as(user, envelope, recipient)
    assert (job["state"], job["result"]["sender"]) == ("succeeded", "TOTAL-PASSED"), job
    document = good(user.get(f"/v1/documents/{job['result']['document']}"))
    assert (document["sha256"], document["pages"]) == (contract["documents"][0]["revision_sha256"], 1)
    assert document["name"] == "contract.pdf"
    assert [entry["type"] for entry in events(user, envelope)] == [
        "envelope.requested",
        "envelope.prepared",
        "envelope.sealed",
        "open.recorded",
        "open.done",
    ]
    assert good(user.get(f"/v1/envelopes/{envelope['id']}/events/check"))["intact"]
    trail = good(user.get(f"/v1/contracts/{contract['id']}/events"))["data"]
    assert trail[-1]["type"] == "party.sends-envelope"
    assert trail[-1]["body"]["data"]["manifest_sha256"] == envelope["manifest_sha256"]


def test_each_recipient_elsewhere_opens_the_part_of_its_family_and_nobody_elses(user: User) -> None:
    contract = between(user, "ecdsa-p256")
    body = from_first_party(contract, recipients=[elsewhere(suite) for suite in WAYS], trust=anchors(*WAYS))
    envelope = sealed(user, body | {"revocation": "if-present"})
    whole = user.get(f"/v1/envelopes/{envelope['id']}/content")
    assert whole.headers["etag"] == f'"{envelope["sha256"]}"'
    assert len(whole.content) == envelope["size"]
    for suite, recipient in zip(WAYS, envelope["recipients"], strict=True):
        part = user.get(f"/v1/envelopes/{envelope['id']}/parts/{recipient['id']}")
        assert part.headers["content-type"] == "application/zip"
        assert hashlib.sha256(part.content).hexdigest() == recipient["part_sha256"]
        family = recipient["family"]
        assert names(part.content) == {
            f"{family}.p7m", f"{family}.about.p7m", "manifest.json", "manifest.international.p7s",
        }  # fmt: skip
        for data, is_whole in ((part.content, False), (whole.content, True)):
            content, found = opened(user, data, *mailbox_today(suite))
            assert content == user.content(contract)
            assert (found.whole, found.sender) == (is_whole, Verdict.TOTAL_PASSED)
            assert hashlib.sha256(found.manifest.encode()).hexdigest() == envelope["manifest_sha256"]


def test_a_document_is_sealed_from_a_seal_and_the_use_is_counted_once(service: Service) -> None:
    office = Office.of(service)
    seal = office.granted("sm2", grant={"kinds": ["envelope"], "count": 1})
    pdf = make_pdf()
    document = office.dan.upload(pdf, name="合同-договор.pdf")["id"]
    body = {
        "document": document,
        "recipients": [elsewhere("gost2012-256")],
        "senders": [{"seal": seal["id"]}],
        "trust": anchors("gost2012-256"),
        "revocation": "if-present",
    }
    envelope = sealed(office.dan, body)
    assert envelope["senders"][0]["seal"] == seal["id"]
    data = office.dan.get(f"/v1/envelopes/{envelope['id']}/content").content
    content, found = opened(office.dan, data, *mailbox_today("gost2012-256"))
    assert (content, found.about.name, found.sender) == (pdf, "合同-договор.pdf", Verdict.TOTAL_PASSED)
    assert [entry["type"] for entry in office.log(seal)][-2:] == ["use.recorded", "use.done"]
    refused(office.dan.post("/v1/envelopes", json=body), "grant-used-up")
    refused(office.bob.post("/v1/envelopes", json=body), "not-granted")


def test_senders_of_several_families_sign_one_manifest(user: User) -> None:
    contract = between(user, "ecdsa-p256", "sm2")
    body = {"contract": contract["id"], "senders": [{"party": party["id"]} for party in contract["parties"]]}
    envelope = sealed(user, body)
    assert {"manifest.international.p7s", "manifest.china.p7s"} < names(
        user.get(f"/v1/envelopes/{envelope['id']}/content").content
    )
    assert [open_as(user, envelope, each)["state"] for each in envelope["recipients"]] == ["succeeded"] * 2


# Keys that the service holds -----------------------------------------------------------------------------------------
def test_a_party_gets_one_key_for_decryption_and_keeps_it(user: User) -> None:
    contract = between(user, "ecdsa-p256")
    first, second = (sealed(user, from_first_party(contract))["recipients"][0] for _ in range(2))
    assert first["certificate"]["sha256"] == second["certificate"]["sha256"]
    listed = good(user.get("/v1/certificates"))["data"]
    assert [(row["profile"], row["certificate"]["sha256"]) for row in listed] == [
        ("encryption", first["certificate"]["sha256"])
    ]
    (certificate,) = load_certificates(listed[0]["certificate"]["pem"].encode())
    assert not certificate.allows("digital_signature", "non_repudiation")


def test_a_key_whose_certificate_is_revoked_or_on_hold_opens_nothing_and_another_is_made(user: User) -> None:
    contract = between(user, "ecdsa-p256")
    envelope = sealed(user, from_first_party(contract))
    recipient = envelope["recipients"][0]
    path = f"/v1/certificates/{good(user.get('/v1/certificates'))['data'][0]['id']}"
    opening = {"json": {"recipient": recipient["id"]}}
    good(user.post(f"{path}/hold"))
    answer = user.post(f"/v1/envelopes/{envelope['id']}/open", **opening)
    assert (answer.status_code, answer.json()["code"]) == (409, "state-conflict")
    good(user.post(f"{path}/release"))
    assert open_as(user, envelope, recipient)["state"] == "succeeded"
    good(user.post(f"{path}/revoke"))
    assert user.post(f"/v1/envelopes/{envelope['id']}/open", **opening).status_code == 409
    again = sealed(user, from_first_party(contract))["recipients"][0]
    assert again["certificate"]["sha256"] != recipient["certificate"]["sha256"]


def test_a_key_that_is_held_elsewhere_is_not_opened_with(user: User) -> None:
    contract = between(user, "ecdsa-p256")
    body = from_first_party(contract, recipients=[elsewhere("rsa")], trust=anchors("rsa"), revocation="if-present")
    envelope = sealed(user, body)
    answer = user.post(f"/v1/envelopes/{envelope['id']}/open", json={"recipient": envelope["recipients"][0]["id"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "state-conflict")
    assert "part" in answer.json()["hint"]


def test_a_key_that_never_got_its_certificate_is_deleted_and_no_other(user: User) -> None:
    sealed(user, from_first_party(between(user, "ecdsa-p256")))
    context = user.context
    with context.database.write() as session:
        (kept,) = session.scalars(select(EnvelopeKey).where(EnvelopeKey.tenant_id == user.tenant_id))
        session.add(
            EnvelopeKey(
                id="enk_left", tenant_id=user.tenant_id, party_id=kept.party_id, suite=kept.suite, serial="01",
                sealed_key=b"x", created_at=kept.created_at,
            )
        )  # fmt: skip
    for before, left in ((kept.created_at, {"enk_left", kept.id}), (context.now() + timedelta(days=1), {kept.id})):
        with context.database.write() as session:
            repository.forget_keys_without_certificate(session, before)
            query = select(EnvelopeKey.id).where(EnvelopeKey.tenant_id == user.tenant_id)
            assert set(session.scalars(query)) == left


# Who is refused ------------------------------------------------------------------------------------------------------
def refusal(user: User, body: dict[str, Any]) -> dict[str, str]:
    answer = user.post("/v1/envelopes", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "recipient-refused"), answer.text
    return {item["pointer"]: item["detail"] for item in answer.json()["errors"]}


def test_each_recipient_to_whom_nothing_is_encrypted_is_named_with_the_reason(user: User) -> None:
    signs_only = at_home(circle_today("ecdsa-p256"))
    contract = user.sent(held("sm2"), at_home(circle_today("ed25519")))
    found = refusal(user, from_first_party(contract))
    assert found == {"/recipients/1": "a key of ed25519 signs only"}

    strangers = [elsewhere("rsa"), {"certificate": signs_only["certificate"]}, elsewhere("sm2")]
    body = from_first_party(contract, recipients=strangers, trust=anchors("sm2", "ecdsa-p256"))
    found = refusal(user, body | {"revocation": "if-present"})
    assert set(found) == {"/recipients/0", "/recipients/1"}
    assert "trusted" in found["/recipients/0"]
    assert "not for encryption" in found["/recipients/1"]
    assert user.get("/v1/envelopes").json()["data"] == []


def test_a_party_with_a_key_of_its_own_is_encrypted_to_by_a_certificate_for_that_only(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"), at_home(circle_today("rsa")))
    assert "not for encryption" in refusal(user, from_first_party(contract))["/recipients/1"]
    party = contract["parties"][1]["id"]
    recipients = [{"party": contract["parties"][0]["id"]}, {"party": party, **elsewhere("rsa")}]
    body = from_first_party(contract, recipients=recipients, trust=anchors("rsa"), revocation="if-present")
    envelope = sealed(user, body)
    assert [each["key_holder"] for each in envelope["recipients"]] == ["service", "recipient"]
    assert envelope["recipients"][1]["party"] == party


def test_without_a_revocation_list_a_certificate_from_elsewhere_is_refused_unless_that_is_asked_for(user: User) -> None:
    contract = between(user, "ecdsa-p256")
    body = from_first_party(contract, recipients=[elsewhere("rsa")], trust=anchors("rsa"))
    assert refusal(user, body)
    assert asked(user, body | {"revocation": "if-present"})["state"] == "queued"


def test_a_recipient_revoked_between_request_and_sealing_fails_the_job(user: User) -> None:
    """The job asks again: the check of the request may be old by then."""
    contract = between(user, "ecdsa-p256")
    envelope = sealed(user, from_first_party(contract))
    good(user.post(f"/v1/certificates/{good(user.get('/v1/certificates'))['data'][0]['id']}/revoke"))
    with user.context.database.read() as session:
        row = repository.get(session, user.tenant_id, envelope["id"])
    payload = {"envelope": row.id, "who": "", "trust": [], "revocation": "require"}
    run = JobRun("job", user.tenant_id, "seal-envelope", payload, 1, "")
    with pytest.raises(RecipientRefused):
        tasks._prepare(user.context, run, row)


def test_a_party_that_has_signed_sends_nothing_any_more(user: User) -> None:
    contract = between(user, "ecdsa-p256", "sm2")
    user.sign(contract, contract["parties"][0])
    answer = user.post("/v1/envelopes", json=from_first_party(contract))
    assert (answer.status_code, answer.json()["code"]) == (409, "state-conflict")
    envelope = sealed(user, {"contract": contract["id"], "senders": [{"party": contract["parties"][1]["id"]}]})
    assert open_as(user, envelope, envelope["recipients"][0])["state"] == "succeeded"  # its key for decryption stays


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"contract": None}, 422, "/recipients"),
        ({"recipients": [{}]}, 422, "/recipients/0"),
        ({"senders": []}, 422, "/senders"),
        ({"senders": [{}]}, 422, "/senders/0"),
        ({"recipients": [{"certificate": "x"}]}, 422, None),
        ({"trust": ["x"]}, 422, None),
        ({"document": "doc_" + "0" * 32}, 404, None),
        ({"recipients": [{"party": "pty_" + "0" * 32}]}, 404, None),
        ({"senders": [{"party": "pty_" + "0" * 32}]}, 404, None),
        ({"senders": [{"seal": "seal_" + "0" * 32}]}, 404, None),
    ],
)
def test_what_cannot_be_an_envelope_is_refused_and_leaves_nothing(
    user: User, change: dict[str, Any], status: int, pointer: str | None
) -> None:
    contract = between(user, "ecdsa-p256")
    body = from_first_party(contract, document=contract["documents"][0]["id"]) | change
    answer = user.post("/v1/envelopes", json={key: value for key, value in body.items() if value is not None})
    assert answer.status_code == status, answer.text
    if pointer is not None:
        assert [item["pointer"] for item in answer.json()["errors"]] == [pointer], answer.text
    assert user.get("/v1/envelopes").json()["data"] == []


def test_two_senders_of_one_family_are_refused(user: User) -> None:
    contract = between(user, "ecdsa-p256", "ecdsa-p256")
    body = {"contract": contract["id"], "senders": [{"party": party["id"]} for party in contract["parties"]]}
    answer = user.post("/v1/envelopes", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/senders")


@pytest.mark.parametrize("missing", ["contracts:read", "contracts:sign"])
def test_who_may_not_read_the_content_or_use_the_key_makes_no_envelope(user: User, missing: str) -> None:
    contract = between(user, "ecdsa-p256")
    limited = colleague(user, tuple(scope for scope in SCOPES if scope != missing))
    answer = limited.post("/v1/envelopes", json=from_first_party(contract))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert missing in answer.json()["detail"]


# On record -----------------------------------------------------------------------------------------------------------
def test_every_download_is_on_record_with_who_and_which_part(user: User) -> None:
    envelope = sealed(user, from_first_party(between(user, "ecdsa-p256", "sm2")))
    path, recipient = f"/v1/envelopes/{envelope['id']}", envelope["recipients"][1]
    user.get(f"{path}/content")
    part = user.get(f"{path}/parts/{recipient['id']}", headers={"range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)
    unchanged = user.get(f"{path}/content", headers={"if-none-match": f'"{envelope["sha256"]}"'})
    assert unchanged.status_code == 304  # nothing was given out
    assert user.get(f"{path}/parts/{recipient['id']}", headers={"range": "bytes=99999999-"}).status_code == 416
    first, second = events(user, envelope, "deliveries")
    assert (first["type"], first["body"]["data"]["sha256"]) == ("content.delivered", envelope["sha256"])
    assert first["body"]["actor"]["id"] == key_id(user)
    assert second["type"] == "part.delivered"
    assert second["body"]["data"] == {
        "sha256": recipient["part_sha256"],
        "octets": second["body"]["data"]["octets"],
        "party": recipient["party"],
        "family": "china",
        "recipient": recipient["id"],
    }
    assert second["body"]["data"]["octets"].startswith("bytes 0-9/")


def test_the_log_does_not_change_and_a_change_by_other_ways_is_found(user: User) -> None:
    envelope = sealed(user, from_first_party(between(user, "ecdsa-p256")))
    for statement in ("UPDATE envelope_events SET type = 'x'", "DELETE FROM envelope_events"):
        with pytest.raises(DatabaseError, match="log of an envelope"), user.context.database.write() as session:
            session.execute(text(f"{statement} WHERE envelope_id = :id"), {"id": envelope["id"]})
    with user.context.database.read() as session:
        row = repository.get(session, user.tenant_id, envelope["id"])
        assert log.check(session, row) is None
        row.log_hash = "0" * 64
        found = log.check(session, row)
        assert found is not None
        assert found.at == 4


def test_what_is_handed_out_survives_the_sweep_and_what_was_prepared_does_not(user: User) -> None:
    envelope = sealed(user, from_first_party(between(user, "ecdsa-p256", "sm2")))
    context = user.context
    with context.database.read() as session:
        prepared = session.get_one(Envelope, envelope["id"]).prepared_sha256
        needed = repository.needed_files(session)
    assert prepared not in needed
    sweep_storage(context, before=context.now() + timedelta(seconds=5))
    assert user.get(f"/v1/envelopes/{envelope['id']}/content").status_code == 200
    for recipient in envelope["recipients"]:
        assert user.get(f"/v1/envelopes/{envelope['id']}/parts/{recipient['id']}").status_code == 200


def test_a_failed_opening_gives_out_nothing_and_is_on_record(user: User) -> None:
    envelope = sealed(user, from_first_party(between(user, "ecdsa-p256")))
    with user.context.database.write() as session:  # another key under the same certificate: somebody moved rows
        row = session.get_one(Envelope, envelope["id"])
        held_key = session.get_one(EnvelopeKey, row.recipients[0]["key"])
        held_key.sealed_key = user.context.vault.seal(suites.get("ecdsa-p256").generate(), held_key.id)
    before = len(user.get("/v1/documents").json()["data"])
    job = open_as(user, envelope, envelope["recipients"][0])
    assert (job["state"], job["error"]["code"]) == ("failed", "envelope-refused"), job
    assert [entry["type"] for entry in events(user, envelope, "deliveries")] == ["open.recorded", "open.failed"]
    assert len(user.get("/v1/documents").json()["data"]) == before


def test_a_repeated_request_makes_one_envelope_and_pages_go_on_by_signed_cursors(user: User) -> None:
    contract = between(user, "ecdsa-p256")
    headers = {"idempotency-key": "once"}
    first, again = (asked(user, from_first_party(contract), headers=headers) for _ in range(2))
    assert first["id"] == again["id"]
    user.wait_for_job(f"/v1/jobs/{first['id']}")
    other = sealed(user, from_first_party(between(user, "ecdsa-p256")))
    page = good(user.get("/v1/envelopes", params={"limit": 1}))
    assert [row["id"] for row in page["data"]] == [other["id"]]
    rest = good(user.get("/v1/envelopes", params={"cursor": page["next_cursor"]}))["data"]
    assert [row["contract"] for row in rest] == [contract["id"]]
    assert good(user.get("/v1/envelopes", params={"contract": contract["id"]}))["data"] == rest
    changed = user.get("/v1/envelopes", params={"cursor": "A" + page["next_cursor"][1:]})
    assert changed.status_code == 422


def test_nothing_is_handed_out_before_it_is_sealed(user: User) -> None:
    envelope = sealed(user, from_first_party(between(user, "ecdsa-p256")))
    recipient = envelope["recipients"][0]["id"]
    with user.context.database.write() as session:
        session.get_one(Envelope, envelope["id"]).state = "failed"
    path = f"/v1/envelopes/{envelope['id']}"
    answers = [
        user.get(f"{path}/content"),
        user.get(f"{path}/parts/{recipient}"),
        user.post(f"{path}/open", json={"recipient": recipient}),
    ]
    assert [(each.status_code, each.json()["state"]) for each in answers] == [(409, "failed")] * 3
    assert events(user, envelope, "deliveries") == []


def test_the_certificate_of_a_held_key_belongs_to_its_tenant(user: User, stranger: User) -> None:
    sealed(user, from_first_party(between(user, "sm2")))
    with user.context.database.read() as session:
        query = select(IssuedCertificate.tenant_id).where(IssuedCertificate.tenant_id.in_([user.tenant_id]))
        assert list(session.scalars(query)) == [user.tenant_id]
    assert good(stranger.get("/v1/certificates"))["data"] == []
