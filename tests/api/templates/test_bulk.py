"""Bulk sends: a table is looked at as a whole, then every row is one contract; nothing of one row touches another."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any

import pytest
from sqlalchemy import select

from api.auth.service import revoke_key
from api.bulk import tasks
from api.bulk.models import BulkDocument, BulkRow
from api.contracts import service as contracts
from certs.errors import TimeStampError
from tests.api.conftest import PROOF, User, circle_today
from tests.api.contracts.talk import good, refused
from tests.api.registry import person as recorded
from tests.api.registry import prove
from tests.api.seals.office import colleague, key_id
from tests.api.templates.post import SUITES, VOUCHED, bulk, ended, results, slot, table, taken, template, told
from tests.api.test_jobs import events

NAMES = ("沈𠮷明", "Иван Петров", "Әбенова Әйгерім")


@pytest.mark.parametrize("suite", SUITES)
def test_every_row_is_one_contract_that_was_sent(user: User, suite: str) -> None:
    made = template(user, slot(suite=suite), expires_after_days=30)
    rows = [
        {"buyer.name": name, "buyer.email": "a@example.com", "external_id": f"A-{number}", "title": f"№ {number}"}
        for number, name in enumerate(NAMES)
    ]
    sent = taken(bulk(user, made, table(*rows, delimiter=";", bom=True), slot(identity_proof=VOUCHED)))
    assert (sent["template"], sent["template_version"], sent["total"]) == (made["id"], 1, 3)
    done = ended(user, sent)
    assert (done["state"], done["sent"], done["failed"], done["invalid"]) == ("ended", 3, 0, 0)
    found = results(user, sent)
    assert [(row["row"], row["state"], row["external_id"]) for row in found] == [
        (number + 2, "sent", f"A-{number}") for number in range(3)
    ]
    for row, name in zip(found, NAMES, strict=True):
        contract = user.contract({"id": row["contract"]})
        assert (contract["state"], contract["title"]) == ("sent", f"№ {row['row'] - 2}")
        assert (contract["parties"][0]["name"], contract["parties"][0]["suite"]) == (name, suite)
        assert contract["template"] == {"id": made["id"], "version": 1, "bulk_send": sent["id"]}
    assert len(user.get("/v1/contracts", params={"limit": 200}).json()["data"]) == 3
    first = user.get(f"/v1/contracts/{found[0]['contract']}/events").json()["data"][0]["body"]
    assert first["data"]["bulk_send"] == {"id": sent["id"], "row": 2}
    assert first["actor"]["type"] == "api-key"
    signed = user.contract({"id": found[1]["contract"]})
    assert user.sign(signed, signed["parties"][0])["state"] == "succeeded"


def test_progress_is_told_as_it_goes(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "BATCH", 2)
    sent = taken(bulk(user, of_cc(user), table(*({"copy.name": f"N{n}"} for n in range(5)))))
    found = events(user.get(f"/v1/jobs/{sent['job']}/events").text)
    assert [body for _, kind, body in found if kind == "progress"] == [
        {"total": 5, "done": done, "failed": 0} for done in (2, 4, 5)
    ]
    assert found[-1][2]["result"] == {"bulk_send": sent["id"], "sent": 5, "failed": 0}
    job = user.get(f"/v1/jobs/{sent['job']}").json()
    assert (job["kind"], job["total"], job["done"], job["attempts"]) == ("bulk-send", 5, 5, 1)


def of_cc(user: User, **more: Any) -> dict[str, Any]:
    """Return a template whose signer is known and holds its own key; what is open is cheap to fill in."""
    own = slot("seller", order=2, name="Anna Becker", certificate=circle_today("ecdsa-p256").bundle)
    return template(user, own, slot("copy", role="cc"), level="B-B", **more)


def test_recipients_hold_their_keys_are_on_record_or_are_vouched_for(user: User) -> None:
    made = template(user, slot())
    human = recorded(user, identifiers=[])
    prove(user, human)
    alone = {"buyer.identity_proof.method": "counter", "buyer.identity_proof.operator": "Anna",
             "buyer.identity_proof.at": "2026-01-15T09:00:00+08:00", "buyer.identity_proof.what": "паспорт",
             "buyer.identity_proof.sha256": PROOF["evidence"][0]["sha256"]}  # fmt: skip
    rows: list[dict[str, str]] = [
        {"buyer.name": "Anna Becker", "buyer.certificate": circle_today("sm2").bundle, "buyer.suite": ""},
        {"buyer.person": human["id"], "buyer.suite": "sm2"},
        {"buyer.name": "Иван Петров", "buyer.suite": "gost2012-256", "buyer.inn": "500100732259",
         "buyer.identifiers.RU-SNILS": "11223344595", "buyer.country": "RU", **alone},
    ]  # fmt: skip
    names = list(dict.fromkeys(name for row in rows for name in row))
    data = table({name: rows[0].get(name, "") for name in names}, *rows[1:])
    sent = taken(bulk(user, made, data))
    assert ended(user, sent)["sent"] == 3, results(user, sent)
    parties = [user.contract({"id": row["contract"]})["parties"][0] for row in results(user, sent)]
    assert [(each["key_holder"], each["suite"]) for each in parties] == [
        *(("party", "sm2"), ("service", "sm2"), ("service", "gost2012-256")),
    ]
    assert (parties[1]["person"], parties[1]["name"]) == (human["id"], human["name"])
    assert parties[2]["identifiers"] == [
        {"scheme": "RU-INN", "value": "500100732259"},
        {"scheme": "RU-SNILS", "value": "11223344595"},
    ]
    assert parties[2]["identity_proof"]["evidence"][0]["what"] == "паспорт"


def test_json_rows_say_whatever_a_slot_may_say(user: User) -> None:
    made = template(user, slot())
    value = slot(name="Anna", suite="ed25519", identity_proof=PROOF, identifiers=[{"scheme": "LEI", "value": "x"}])
    lines = [
        json.dumps({"external_id": "A", "parties": [value]}),
        "",
        json.dumps({"parties": [{**value, "role": "cc"}]}),
    ]
    assert told(bulk(user, made, "\n".join(lines).encode())) == {
        "/rows/1/buyer.identifiers.0": "bad-identifier",
        "/rows/3/buyer.role": "fixed",
    }
    assert told(bulk(user, made, b'[1, {"parties": 5}, {"parties": [7]}, {"partys": []}]')) == {
        "/rows/1": "model_type",
        "/rows/2/parties": "list_type",
        "/rows/3/parties": "model_type",
        "/rows/4/partys": "extra_forbidden",
    }
    assert told(bulk(user, made, b'{"parties": []}\n{\n{"title": "' + b"x" * 2**20 + b'"}')) == {
        "/rows/1/buyer": "name",
        "/rows/2": "json",
        "/rows/3": "too-long",
    }
    del value["identifiers"]
    sent = taken(bulk(user, made, json.dumps([{"parties": [value]}]).encode()))
    assert ended(user, sent)["sent"] == 1


def test_every_finding_is_told_and_nothing_is_made(user: User) -> None:
    taken_id = user.draft([], external_id="TAKEN")["external_id"]
    made = template(user, slot(suite="sm2"))
    rows = [
        {"external_id": "A", "buyer.name": "王伟", "buyer.inn": "7707083893", "buyer.person": "", "title": ""},
        {"external_id": "A", "buyer.name": "x", "buyer.inn": "7707083894"},
        {"external_id": taken_id, "buyer.name": "x"},
        {"buyer.name": "x", "title": "t" * 301},
        {"buyer.name": "\u0378"},
        {"buyer.person": "per_" + "0" * 32},
        {"buyer.name": "a\u202eb"},
        {"title": "nobody"},
    ]
    vouched = slot(identity_proof=VOUCHED)
    response = bulk(user, made, table(*rows), vouched)
    assert told(response) == {
        "/rows/3/external_id": "repeated",
        "/rows/3/buyer.inn": "bad-identifier",
        "/rows/4/external_id": "conflict",
        "/rows/5/title": "too_long",
        "/rows/6/buyer.name": "no-glyph",
        "/rows/7/buyer": "identity_proof",
        "/rows/8/buyer.name": "characters",
        "/rows/9/buyer": "name",
    }
    assert "7 of 8 rows" in response.json()["detail"]
    assert [row["external_id"] for row in user.get("/v1/contracts").json()["data"]] == ["TAKEN"]
    assert user.get("/v1/bulk-sends").json()["data"] == user.get("/v1/jobs").json()["data"] == []
    sent = taken(bulk(user, made, table(*rows), vouched, skip_invalid="true"))
    done = ended(user, sent)
    assert (done["total"], done["sent"], done["invalid"], done["failed"]) == (8, 1, 7, 0)
    assert user.get(f"/v1/jobs/{sent['job']}").json()["total"] == 1
    row = results(user, sent)[2]
    assert (row["state"], row["contract"], row["error"]["code"]) == ("invalid", None, "validation-failed")
    assert row["error"]["errors"][0]["pointer"] == "/rows/4/external_id"


def test_without_a_proof_of_identity_nothing_is_begun(user: User) -> None:
    made = template(user, slot(suite="sm2"))
    response = bulk(user, made, table({"buyer.name": "王伟"}))
    assert told(response) == {"/rows/2/buyer": "identity-not-proven"}
    sender = colleague(user, ("contracts:write", "contracts:read"))
    refused(bulk(sender, made, table({"buyer.name": "王伟"}), slot(identity_proof=VOUCHED)), 403, "forbidden")


@pytest.mark.parametrize(
    ("data", "code", "hint"),
    [
        (b"", "empty", ""),
        (b"copy.name\r\n", "empty", ""),
        (b"copy.name\r\nA\0B\r\n", "nul", "UTF-8"),
        ("copy.name\n王伟与沈明".encode("gb18030"), "encoding", "it looks like GB18030"),
        ("copy.name\nИван Петров\nАнна Ким\n".encode("cp1251"), "encoding", "it looks like Windows-1251"),
        ("copy.name\nИван Петров\nАнна Ким\n".encode("koi8-r"), "encoding", "it looks like KOI8-R"),
        ("copy.name\nx".encode("utf-16"), "encoding", "UTF-8"),
        (b"copy.name\nA\xff\n", "encoding", "UTF-8"),
        ("copy.name\nJörg Müller".encode("latin-1"), "encoding", "save it as CSV in UTF-8"),
        (b'copy.name\n"A"B\n', "quotes", "quotation marks"),
        (b'copy.name\n"A\n', "quotes", "quotation marks"),
        (b"copy.name\n" + b"A" * 10_000_000, "too-long", ""),
        (b"copy.name\n" + b"A\n" * 10_001, "too-many-rows", "several parts"),
        (b"copy.name," * 501 + b"x\n", "too-many-columns", ""),
        (b"[" + b"{}," * 400_000 + b"{}]", "too-long", "one object on each line"),
        (b"[" * 100_000, "json", ""),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_table_that_cannot_be_read_is_refused_with_the_reason(data: bytes, code: str, hint: str) -> None:
    from api.bulk.reading import read
    from api.errors import ValidationFailed

    begun = time.process_time()
    with pytest.raises(ValidationFailed) as caught:
        read(data)
    assert [each["code"] for each in caught.value.facts["errors"]] == [code]
    assert caught.value.hint.startswith(hint) if hint.startswith(("it", "save")) else hint in caught.value.hint
    assert time.process_time() - begun < 2


def test_columns_are_known_by_name(user: User) -> None:
    made = of_cc(user)
    head = b"copy.name,copy.name,buyer.name,copy.role,copy.shoe,seller.name,=1+1,,copy.identifiers.XX\nA\n"
    assert told(bulk(user, made, head)) == {
        "/rows/1/copy.name": "repeated",
        "/rows/1/buyer.name": "unknown-column",
        "/rows/1/copy.role": "unknown-column",
        "/rows/1/copy.shoe": "unknown-column",
        "/rows/1/=1+1": "unknown-column",
        "/rows/1/copy.identifiers.XX": "unknown-column",
    }
    found = told(bulk(user, made, b'copy.name\tseller.name\t\r\n"A ""B"""\t\t\r\nB\tX\t\r\nC\t\tZ\tmore\r\n'))
    assert found == {"/rows/3/seller.name": "fixed", "/rows/4": "too-many-cells"}


def test_results_are_not_computed_by_a_spreadsheet(user: User) -> None:
    rows = [{"external_id": name, "copy.name": "A"} for name in ("=1+1", "+1", "-1", "@SUM(A1)", "＝1", 'plain;,"')]
    sent = taken(bulk(user, of_cc(user), table(*rows)))
    ended(user, sent)
    response = user.get(f"/v1/bulk-sends/{sent['id']}/results", headers={"accept": "text/csv"})
    assert response.headers["content-type"].startswith("text/csv")
    assert response.text.startswith("\ufeffrow,state,external_id,contract,code,detail\r\n")
    cells = [row["external_id"] for row in csv.DictReader(io.StringIO(response.text[1:], newline=""))]
    assert cells == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'＝1", 'plain;,"']
    assert [row["external_id"] for row in results(user, sent)] == [row["external_id"] for row in rows]
    refused(user.get(f"/v1/bulk-sends/{sent['id']}/results", headers={"accept": "image/png"}), 406, "not-acceptable")


def test_a_row_that_fails_stops_no_other_and_leaves_no_draft(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    send, calls = contracts.send, []

    def sometimes(unit: Any, contract_id: str, version: int) -> Any:
        calls.append(contract_id)
        if len(calls) in (2, 3, 4):
            raise [ZeroDivisionError("secret"), refusal(), TimeStampError("the authority is away")][len(calls) - 2]
        return send(unit, contract_id, version)

    monkeypatch.setattr(contracts, "send", sometimes)
    monkeypatch.setattr(tasks, "BATCH", 3)
    sent = taken(bulk(user, of_cc(user), table(*({"copy.name": f"N{n}"} for n in range(5)))))
    done = ended(user, sent)
    assert (done["state"], done["sent"], done["failed"]) == ("ended", 3, 2)
    found = results(user, sent)
    assert [row["state"] for row in found] == ["sent", "failed", "failed", "sent", "sent"]
    assert (found[1]["error"]["code"], found[1]["contract"]) == ("internal-error", None)
    assert "secret" not in json.dumps(found)
    assert found[2]["error"]["errors"][0]["pointer"] == "/rows/4/copy.name"
    assert calls[3] == calls[4]  # the authority was away: the same contract, a moment later
    listed = user.get("/v1/contracts").json()["data"]
    assert [row["state"] for row in listed] == ["sent"] * 3
    assert user.get(f"/v1/jobs/{sent['job']}").json()["failed"] == 2


def refusal() -> Exception:
    from api.errors import ValidationFailed
    from api.kit.refusals import problem_at

    return ValidationFailed("no", errors=[problem_at("/parties/0/name", "no-glyph", "no font has it")])


def test_cancelling_stops_between_rows(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    made, sent = of_cc(user), {}
    send, calls = contracts.send, []

    def cancel_at_third(unit: Any, contract_id: str, version: int) -> Any:
        calls.append(contract_id)
        if len(calls) == 3:
            while not sent:
                time.sleep(0.01)
            good(user.post(f"/v1/jobs/{sent['job']}/cancel"), 202)
        return send(unit, contract_id, version)

    monkeypatch.setattr(contracts, "send", cancel_at_third)
    sent |= taken(bulk(user, made, table(*({"copy.name": f"N{n}"} for n in range(6)))))
    done = ended(user, sent)
    assert (done["state"], done["sent"], done["cancelled"], done["failed"]) == ("cancelled", 2, 4, 0)
    assert len(calls) == 3
    assert [row["state"] for row in user.get("/v1/contracts").json()["data"]] == ["sent"] * 2
    assert [row["state"] for row in results(user, sent)] == ["sent"] * 2 + ["cancelled"] * 4
    assert user.get(f"/v1/jobs/{sent['job']}").json()["state"] == "cancelled"
    reader = colleague(user, ("contracts:read",))
    refused(reader.post(f"/v1/jobs/{sent['job']}/cancel"), 403, "forbidden")


def test_nothing_more_is_sent_for_a_key_that_was_revoked(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    made, clerk, send, calls = of_cc(user), colleague(user), contracts.send, []

    def revoked_at_third(unit: Any, contract_id: str, version: int) -> Any:
        calls.append(contract_id)
        done = send(unit, contract_id, version)
        if len(calls) == 3:
            revoke_key(unit.session, key_id(clerk), now=user.context.now())
        return done

    monkeypatch.setattr(contracts, "send", revoked_at_third)
    done = ended(user, sent := taken(bulk(clerk, made, table(*({"copy.name": f"N{n}"} for n in range(5))))))
    assert (done["state"], done["sent"], done["cancelled"], done["failed"]) == ("failed", 3, 2, 0)
    assert [row["state"] for row in results(user, sent)] == ["sent"] * 3 + ["cancelled"] * 2
    assert user.get(f"/v1/jobs/{sent['job']}").json()["error"]["code"] == "forbidden"


def test_a_bulk_send_holds_its_documents_and_its_template_until_it_is_over(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, send, seen = of_cc(user), contracts.send, []
    document = made["documents"][0]["id"]

    def look(unit: Any, contract_id: str, version: int) -> Any:
        if not seen:
            gone = user.request("DELETE", f"/v1/templates/{made['id']}", headers={"if-match": '"v1"'})
            seen.extend([gone.status_code, user.request("DELETE", f"/v1/documents/{document}").status_code])
        return send(unit, contract_id, version)

    monkeypatch.setattr(contracts, "send", look)
    sent = taken(bulk(user, made, table({"copy.name": "A"}, {"copy.name": "B"})))
    assert ended(user, sent)["sent"] == 2
    assert seen == [204, 409]
    with user.context.database.read() as session:
        assert session.scalars(select(BulkDocument).where(BulkDocument.bulk_send_id == sent["id"])).all() == []
        rows = session.scalars(select(BulkRow).where(BulkRow.bulk_send_id == sent["id"])).all()
    assert [row.filled for row in rows] == [None, None], "what a row said is not kept twice"


def test_the_same_request_twice_is_one_bulk_send(user: User) -> None:
    made, data = of_cc(user), table({"copy.name": "A"})
    key = {"idempotency-key": "bulk"}
    files = {"file": ("people.csv", data, "text/csv")}
    first, second = (
        user.post("/v1/bulk-sends", data={"template": made["id"]}, files=files, headers=key).json() for _ in range(2)
    )
    assert first["id"] == second["id"]
    ended(user, first)
    assert len(user.get("/v1/contracts").json()["data"]) == 1


def test_nobody_uses_the_template_or_reads_the_results_of_somebody_else(user: User, stranger: User) -> None:
    made, data = of_cc(user), table({"copy.name": "A"})
    for name in (made["id"], "tpl_" + "0" * 32, "doc_" + "0" * 32, "x"):
        refused(bulk(stranger, {"id": name}, data), 404, "not-found")
    sent = taken(bulk(user, made, data))
    ended(user, sent)
    assert stranger.get("/v1/bulk-sends").json()["data"] == []
    for path in (f"/v1/bulk-sends/{sent['id']}", f"/v1/bulk-sends/{sent['id']}/results", f"/v1/jobs/{sent['job']}"):
        refused(stranger.get(path), 404, "not-found")
    human = recorded(user, identifiers=[])
    prove(user, human)
    own = template(stranger, slot(suite="sm2"))
    answers = [told(bulk(stranger, own, table({"buyer.person": name}))) for name in (human["id"], "per_" + "0" * 32)]
    assert answers == [{"/rows/2/buyer.person": "not-found"}] * 2
