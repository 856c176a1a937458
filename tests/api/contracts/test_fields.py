"""Form fields of a contract: drafted, laid out, filled with the consent, covered and locked by the signature."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import Any

import pikepdf
import pytest

from api.contracts.fields import MAX_FIELDS
from tests.api.conftest import User, at_home, circle_today, held, make_pdf
from tests.api.contracts.talk import completed, consent, delegate, events, good, refused, verdict
from tests.api.contracts.test_languages import versions
from tests.signer.forms.made import refilled
from tests.signer.locked import OWNER, USER, by_qpdf
from tests.signer.signing import edited, empty_field

SUITES = ("ecdsa-p256", "sm2", "gost2012-256", pytest.param("rsa", marks=pytest.mark.slow))


def field(name: str, party: int | str = 0, kind: str = "text", row: int = 0, **more: Any) -> dict[str, Any]:
    """Return a field in its row of the first page."""
    width = 14 if kind == "checkbox" else 200
    place = {"page": 1, "box": [60, 700 - 30 * row, 60 + width, 716 - 30 * row]}
    return {"name": name, "party": party, "kind": kind, "places": [place], **more}


PRICE = field("price", 0, required=True, label="价格")
AGREED = field("agreed", 0, "checkbox", 1, required=True)
DAY = field("day", 1, "date", 2)
TOWN = field("town", 1, row=3, value="Москва", max_length=20)
FIELDS = [PRICE, AGREED, DAY, TOWN]
ONE = {"price": "1 200 000 ¥ 𠮷", "agreed": True}


def start(user: User, contract: dict[str, Any], number: int, values: Any, **more: Any) -> Any:
    """Begin to sign with a key that the service holds."""
    party = contract["parties"][number]
    body = {"consent": consent(user, contract, party), "values": values, **more}
    return user.post(f"/v1/contracts/{contract['id']}/parties/{party['id']}/sign", json=body)


def sign(user: User, contract: dict[str, Any], number: int, values: Any) -> None:
    job = user.wait_for_job(good(start(user, contract, number, values), 202) and f"/v1/jobs/{_newest(user)}")
    assert job["state"] == "succeeded", job


def _newest(user: User) -> str:
    return str(user.get("/v1/jobs").json()["data"][0]["id"])


def in_file(pdf: bytes, password: str = "") -> dict[str, Any]:
    with pikepdf.open(io.BytesIO(pdf), password=password) as document:
        fields = [item for item in document.Root.AcroForm.Fields if str(item.FT) != "/Sig"]
        return {str(item.T): str(item.V) if "/V" in item else None for item in fields}


@pytest.mark.parametrize("suite", SUITES)
def test_two_parties_fill_and_sign(user: User, suite: str) -> None:
    circle = circle_today(suite)
    parties = [held(suite), at_home(circle, order=2)]
    contract = user.send(user.draft(parties, fields=FIELDS))
    assert contract["documents"][0]["revision_sha256"] != contract["documents"][0]["sha256"]
    assert in_file(user.content(contract)) == {"price": None, "agreed": "/Off", "day": None, "town": "Москва"}
    one, two = contract["parties"]
    assert [(each["name"], each["party"], each["value"]) for each in contract["fields"]] == [
        ("price", one["id"], None),
        ("agreed", one["id"], None),
        ("day", two["id"], None),
        ("town", two["id"], "Москва"),
    ]
    sign(user, contract, 0, ONE)
    request = user.ask(contract, two, values={"day": "2026-12-31"})
    value = circle.key.sign(base64.b64decode(request["dtbs"]))
    good(user.hand_in(request, signature=base64.b64encode(value).decode()))
    contract = completed(user, contract)

    (report,) = verdict(user, contract)
    first, second = report["signatures"]
    assert [row["layers"]["cryptographic"]["result"] for row in (first, second)] == ["passed", "passed"]
    assert (first["changes_after"]["level"], second["changes_after"]["level"]) == ("form-filling", "none")
    assert first["verdict"] == "TOTAL-PASSED"  # the other is of a circle that the service does not know
    stated = {"day": "2026-12-31", "town": "Москва"}
    assert [party["values"] for party in contract["parties"]] == [ONE, stated]
    assert {each["name"]: each["value"] for each in contract["fields"]} == ONE | stated
    pdf = user.content(contract)
    assert in_file(pdf) == {"price": ONE["price"], "agreed": "/Yes", "day": "2026-12-31", "town": "Москва"}
    evidence = good(user.get(f"/v1/contracts/{contract['id']}/evidence"))
    assert evidence["contract"]["fields"] == contract["fields"]
    records = [json.loads(row["record"]) for row in evidence["intents"]]
    assert records[0]["fields"] == [
        {"name": "price", "label": "价格", "kind": "text", "value": ONE["price"]},
        {"name": "agreed", "label": None, "kind": "checkbox", "value": True},
    ]
    assert [item["value"] for item in records[1]["fields"]] == ["2026-12-31", "Москва"]
    sent = next(event for event in events(user, contract) if event["type"] == "contract.sent")
    assert sent["body"]["data"]["fields"].keys() == {"sha256", "sm3", "streebog256"}
    assert "1 200 000" not in json.dumps(events(user, contract), ensure_ascii=False), "the trail has its hash only"

    for name in ("price", "day"):
        changed = user.upload(refilled(pdf, (name, "2")))
        again = user.post("/v1/verifications", files={"file": ("x.pdf", refilled(pdf, (name, "3")), "application/pdf")})
        assert changed["id"]
        assert good(again, again.status_code)["verdict"] == "TOTAL-FAILED"


def test_one_value_in_every_language_version(user: User) -> None:
    zh, ru = versions(user, "zh", "ru")
    where = [{"document": name, "page": 1, "box": [60, 300, 200, 320]} for name in (zh["id"], ru["id"])]
    where.append({"page": 1, "box": [60, 200, 200, 220]})
    contract = user.draft([held("ecdsa-p256")], [zh, ru], fields=[{**DAY, "party": 0, "places": where[:1]}])
    response = user.post(f"/v1/contracts/{contract['id']}/send", headers={"if-match": '"v1"'})
    assert refused(response, 422, "validation-failed")["errors"][0]["code"] == "missing-version"
    contract = user.draft([held("ecdsa-p256")], [zh, ru], fields=[{**DAY, "party": 0, "places": where}])
    contract = user.send(contract)
    sign(user, contract, 0, {"day": "2027-02-03"})
    contract = completed(user, contract)
    assert in_file(user.content(contract, 0)) == {"day": "2027年2月3日", "day:2": "2027年2月3日"}
    assert in_file(user.content(contract, 1)) == {"day": "03.02.2027"}


def test_values_are_the_same_in_all_documents_of_a_party_that_signs_them_one_by_one(user: User) -> None:
    circle = circle_today("ecdsa-p256")
    first, second = (user.upload()["id"] for _ in range(2))
    where = [{"document": name, "page": 1, "box": [60, 300, 200, 320]} for name in (first, second)]
    contract = user.draft([at_home(circle)], [first, second], fields=[{**PRICE, "places": where}])
    contract = user.send(contract)
    (party,) = contract["parties"]
    one = user.ask(contract, party, document=first, values={"price": "1"})
    two = user.ask(contract, party, document=second, values={"price": "2"})
    value = base64.b64encode(circle.key.sign(base64.b64decode(one["dtbs"]))).decode()
    refused(user.hand_in(one, signature=value), 409, "state-conflict")  # it would have the other value
    value = base64.b64encode(circle.key.sign(base64.b64decode(two["dtbs"]))).decode()
    good(user.hand_in(two, signature=value))
    path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/signature-requests"
    body = {"consent": consent(user, contract, party), "values": {"price": "3"}}
    problem = refused(user.post(path, json=body), 422, "validation-failed")
    assert problem["errors"] == [{"pointer": "/values", "code": "fixed", "detail": problem["detail"]}]
    user.sign_at_home(contract, party, circle.key)  # what is left out is as it was
    contract = completed(user, contract)
    assert [in_file(user.content(contract, n)) for n in (0, 1)] == [{"price": "2"}, {"price": "2"}]


@pytest.mark.parametrize(
    ("values", "pointer", "code"),
    [
        (None, "/values/price", "required"),
        ({"price": " ", "agreed": True}, "/values/price", "required"),
        ({"price": "1", "agreed": False}, "/values/agreed", "required"),
        ({**ONE, "agreed": "yes"}, "/values/agreed", "wrong-kind"),
        ({**ONE, "day": "2026-01-01"}, "/values/day", "foreign"),
        ({**ONE, "nothing": "x"}, "/values/nothing", "not-found"),
        ({**ONE, "price": "слово " * 60}, "/values/price", "does-not-fit"),
        ({**ONE, "price": "\U00030000"}, "/values/price", "no-glyph"),
        ({**ONE, "price": "1\u202e0"}, "/values/price", "characters"),
        ({**ONE, "price": 7}, "/values/price/bool", None),
        ({**ONE, "bad name": "x"}, "/values/bad name/[key]", None),
        ({**ONE, "price": "x" * 4001}, "/values/price/constrained-str", None),
    ],
)
def test_values_that_are_not_taken(
    user: User, drafted: dict[str, Any], values: Any, pointer: str, code: str | None
) -> None:
    problem = refused(start(drafted["user"], drafted["contract"], 0, values), 422, "validation-failed")
    found = {(item["pointer"], item["code"]) for item in problem["errors"]}
    if code is not None:
        assert (pointer, code) in found
    assert drafted["user"].contract(drafted["contract"]) == drafted["contract"]


@pytest.fixture(scope="module")
def drafted(service: Any) -> dict[str, Any]:
    """One contract that was sent, and stays as it is whatever is tried."""
    user = service.user()
    return {"user": user, "contract": user.send(user.draft([held("ecdsa-p256"), held("ecdsa-p256")], fields=FIELDS))}


def test_length_and_date_are_those_of_the_field(drafted: dict[str, Any]) -> None:
    for values, code in (({"day": "31.12.2026"}, "not-a-date"), ({"town": "x" * 21}, "too-long")):
        problem = refused(start(drafted["user"], drafted["contract"], 1, values), 422, "validation-failed")
        assert problem["errors"][0]["code"] == code


def test_the_work_of_drawing_is_bounded(user: User) -> None:
    body: dict[str, Any] = {"title": "x", "documents": [user.upload()["id"]], "parties": [held("ecdsa-p256")]}
    many = [{**field(f"f{n}"), "places": PRICE["places"] * 20} for n in range(20)]
    problem = refused(
        user.post("/v1/contracts", json={**body, "fields": [{**each, "value": "x" * 200} for each in many]}),
        *(422, "validation-failed"),
    )
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == ("/fields", "too-long")
    draft = good(user.post("/v1/contracts", json={**body, "fields": many}), 201)  # where they stand is asked at `send`
    problem = refused(start(user, draft, 0, {f"f{n}": "x" * 200 for n in range(20)}), 422, "validation-failed")
    assert problem["errors"][0] | {"detail": ""} == {"pointer": "/values", "code": "too-long", "detail": ""}


def test_an_encrypted_document_gets_its_fields_and_keeps_them_to_itself(user: User) -> None:
    form = {"password": OWNER}
    upload = user.post("/v1/documents", files={"file": ("x.pdf", by_qpdf(6), "application/pdf")}, data=form)
    contract = user.draft([held("sm2")], [good(upload, 201)["id"]], fields=[{**PRICE, "value": "1"}])
    contract = user.send(contract)
    sign(user, contract, 0, {"price": "Цена 2"})
    contract = completed(user, contract)
    pdf = user.content(contract)
    assert in_file(pdf, USER) == {"price": "Цена 2"}
    assert "Цена".encode("utf-16-be") not in pdf
    (report,) = verdict(user, contract)
    assert report["signatures"][0]["verdict"] == "TOTAL-PASSED"


def test_whoever_does_not_sign_fills_nothing(user: User) -> None:
    approver = {"name": "Li", "role": "approver"}
    body = {"title": "x", "documents": [user.upload()["id"]], "parties": [held("ecdsa-p256"), approver]}
    problem = refused(user.post("/v1/contracts", json={**body, "fields": [field("a", 1)]}), 422, "validation-failed")
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == ("/fields/0/party", "does-not-sign")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ([PRICE, PRICE], "/fields/1/name"),
        ([{**PRICE, "party": 2}], "/fields/0/party"),
        ([{**PRICE, "party": "pty_" + "0" * 32}], "/fields/0/party"),
        ([{**PRICE, "party": -1}], "/fields/0/party"),
        ([{**PRICE, "places": []}], "/fields/0/places"),
        ([{**PRICE, "places": [{"page": 1, "box": [60, 300, 70, 320]}]}], "/fields/0"),
        ([{**PRICE, "places": [{"page": 1, "box": [60, 300, 50, 320]}]}], "/fields/0/places/0/box"),
        ([{**PRICE, "places": [{**PRICE["places"][0], "document": "doc_" + "0" * 32}]}], "/fields/0/places/0/document"),
        ([{**PRICE, "value": True}], "/fields/0"),
        ([{**AGREED, "value": "x"}], "/fields/0"),
        ([{**AGREED, "max_length": 3}], "/fields/0"),
        ([{**PRICE, "value": "a\x00"}], "/fields/0/value"),
        ([{**PRICE, "name": "цена"}], "/fields/0/name"),
        ([field(f"f{n}") for n in range(MAX_FIELDS + 1)], "/fields"),
        ([{**field(f"f{n}"), "places": PRICE["places"] * 20} for n in range(21)], "/fields"),
    ],
)
def test_fields_that_contradict_the_draft(drafted: dict[str, Any], fields: Any, pointer: str) -> None:
    user = drafted["user"]
    documents = [drafted["contract"]["documents"][0]["id"]]
    body = {"title": "x", "documents": documents, "parties": [held("ecdsa-p256"), held("ecdsa-p256")]}
    problem = refused(user.post("/v1/contracts", json={**body, "fields": fields}), 422, "validation-failed")
    assert problem["errors"][0]["pointer"].startswith(pointer)


def test_fields_of_a_draft_change_and_those_of_a_sent_one_do_not(user: User) -> None:
    draft = user.draft([held("ecdsa-p256", order=2), held("ecdsa-p256", order=1)], fields=[PRICE])
    late, early = draft["parties"][1], draft["parties"][0]
    assert draft["fields"][0]["party"] == late["id"], "places count as they were given, not as parties act"
    path = f"/v1/contracts/{draft['id']}"

    def patch(version: int, **body: Any) -> Any:
        return user.request("PATCH", path, json=body, headers={"if-match": f'"v{version}"'})

    changed = good(patch(1, fields=[field("a", early["id"]), field("b", late["id"], row=1)]))
    assert [each["party"] for each in changed["fields"]] == [early["id"], late["id"]]
    problem = refused(patch(2, parties=[held("ecdsa-p256")]), 422, "validation-failed")
    assert problem["errors"][0]["pointer"] == "/fields/0/party"
    changed = good(patch(2, parties=[held("ecdsa-p256"), held("ecdsa-p256")]))
    assert [each["party"] for each in changed["fields"]] == [changed["parties"][n]["id"] for n in (1, 0)]
    assert good(patch(3, fields=None))["fields"] == []
    good(patch(4, fields=[PRICE]))
    sent = user.send({**draft, "version": 5})
    refused(patch(sent["version"], fields=[]), 409, "state-conflict")


def test_what_is_wrong_with_the_layout_is_found_at_send(user: User) -> None:
    area = {"page": 1, "box": [60, 100, 260, 160]}
    wrong = [
        {**PRICE, "places": [{"page": 2, "box": [60, 300, 200, 320]}]},
        {**AGREED, "places": [{"page": 1, "box": [590, 300, 610, 320]}]},
        {**DAY, "places": [{"page": 1, "box": [100, 150, 200, 170]}], "value": "soon"},
        {**TOWN, "value": "\U00030000", "places": [{"page": 1, "box": [60, 300, 200, 320]}]},
        {**field("last"), "places": [{"page": 1, "box": [100, 310, 180, 330]}]},
    ]
    draft = user.draft([held("ecdsa-p256"), held("ecdsa-p256", signature_area=area)], fields=wrong)
    response = user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": '"v1"'})
    problem = refused(response, 422, "validation-failed")
    assert [(item["pointer"], item["code"]) for item in problem["errors"]] == [
        ("/fields/0/places/0", "no-such-page"),
        ("/fields/1/places/0", "off-page"),
        ("/fields/2/places/0", "overlap"),
        ("/fields/2/places/0", "not-a-date"),
        ("/fields/3/places/0", "no-glyph"),
        ("/fields/4/places/0", "overlap"),
    ]
    assert user.contract(draft) == draft


def test_a_document_with_a_form_of_its_own_gets_no_fields(user: User) -> None:
    def text_field(pdf: pikepdf.Pdf) -> None:
        empty_field("own")(pdf)
        pdf.Root.AcroForm.Fields[0].FT = pikepdf.Name.Tx

    document = user.upload(edited(text_field, make_pdf()))["id"]
    draft = user.draft([held("ecdsa-p256")], [document], fields=[PRICE])
    response = user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": '"v1"'})
    problem = refused(response, 422, "validation-failed")
    assert [(item["pointer"], item["code"]) for item in problem["errors"]] == [("/documents/0", "has-form")]
    sent = user.sent(held("ecdsa-p256"), documents=[document])  # without fields of ours its form is left as it is
    assert sent["documents"][0]["revision_sha256"] == sent["documents"][0]["sha256"]


def test_a_delegate_fills_in_the_place_of_the_party(user: User) -> None:
    contract = user.send(user.draft([held("ecdsa-p256")], fields=[PRICE]))
    old = contract["parties"][0]
    contract = good(delegate(user, contract, old, suite="sm2"))
    new = next(party for party in contract["parties"] if party["delegate_of"] == old["id"])
    assert contract["fields"][0]["party"] == new["id"]
    sign(user, contract, contract["parties"].index(new), {"price": "1"})
    contract = completed(user, contract)
    assert in_file(user.content(contract)) == {"price": "1"}
    assert [party["values"] for party in contract["parties"]] == [{}, {"price": "1"}]


def test_a_contract_without_fields_takes_no_values(user: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    problem = refused(start(user, contract, 0, {"price": "1"}), 422, "validation-failed")
    assert problem["errors"][0]["code"] == "not-found"
    sign(user, contract, 0, {})
    row = completed(user, contract)["documents"][0]
    (record,) = good(user.get(f"/v1/contracts/{contract['id']}/intents"))["data"]
    assert "fields" not in json.loads(record["record"])
    assert record["sha256"] == hashlib.sha256(record["record"].encode()).hexdigest()
    assert row["revision"] == 1
