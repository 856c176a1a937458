"""A contract under a framework agreement: refused before anybody signs, or bound to it by every signature."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.cli import main
from certs import oids, signature_policy, suites
from certs.signed_data import attribute, signed_attributes
from signer.cms import finish
from tests.api.agreements.desk import (
    SUITES,
    V1,
    at,
    concluded,
    draft,
    ending,
    firm,
    offered,
    problem,
    signed,
    words,
)
from tests.api.conftest import Service, User, held
from tests.api.seals.office import Office, good

SM2, GOST, EC = "sm2", "gost2012-256", "ecdsa-p256"


def elsewhere(suite: str, **more: Any) -> dict[str, Any]:
    """Return a party with the firm's own key."""
    return {"name": "Anna Becker", "organisation": firm(suite).name, "certificate": firm(suite).pem, **more}


def here(suite: str, **more: Any) -> dict[str, Any]:
    """Return a party of the firm whose key the service holds."""
    return held(suite, organisation=firm(suite).name, **more)


def sending(user: User, contract: dict[str, Any]) -> Any:
    return user.post(f"/v1/contracts/{contract['id']}/send", headers={"if-match": f'"v{contract["version"]}"'})


def layer_of(report: dict[str, Any], field: str) -> tuple[str, dict[str, str]]:
    (found,) = [one for one in report["signatures"] if field in one["fields"]]
    agreed = found["layers"]["agreed"]
    return agreed["result"], {check["id"]: check["result"] for check in agreed["checks"]}


# -- bound --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SUITES)
def test_every_signature_names_the_agreement(user: User, suite: str, tmp_path: Any) -> None:
    other = firm(SM2 if suite != SM2 else EC)
    made = concluded(user, firm(suite), other, conditions={"level": "B-T"})
    parties = [here(suite, order=1, reason="Approved"), elsewhere(other.suite, order=2)]
    contract = user.sent(*parties, agreement=made["id"])
    assert contract["agreement"] == made["id"]
    first, second = contract["parties"]
    assert user.sign(contract, first)["state"] == "succeeded"
    user.sign_at_home(contract, second, other.key)
    contract = user.wait_for_state(contract, "completed")
    (entry,) = good(user.get(f"/v1/contracts/{contract['id']}/verification"))["documents"]
    for party, expected in ((first, suite), (second, other.suite)):
        _, checks = layer_of(entry["report"], party["id"])
        assert (checks["agreement-binding"], checks["party"], checks["level"]) == ("passed", "passed", "passed")
        (one,) = [each for each in entry["report"]["signatures"] if party["id"] in each["fields"]]
        assert one["policy"]["oid"] == made["policy"]
        assert one["policy"]["digest_algorithm"] == suites.digest_oid(suites.get(expected).digest_name)
        assert "reason" not in one["stated"]

    evidence = good(user.get(f"/v1/contracts/{contract['id']}/evidence"))
    data = base64.b64decode(evidence["agreement"]["file"])
    assert data == user.get(at(made, "/file")).content
    assert evidence["agreement"]["events"][-1]["type"] == "agreement.concluded"
    # and a stranger with the two files alone
    (tmp_path / "agreement.json").write_bytes(data)
    (tmp_path / "contract.pdf").write_bytes(user.content(contract))
    anchors = [*evidence["authorities"], firm(suite).chain[-1].pem, other.chain[-1].pem]
    (tmp_path / "trust.pem").write_text("".join(anchors))
    arguments = ["--agreement", str(tmp_path / "agreement.json"), "--trust", str(tmp_path / "trust.pem")]
    arguments += ["--revocation", "if-present", "--format", "json", "--out", str(tmp_path / "report.json")]
    assert main(["verify", str(tmp_path / "contract.pdf"), "--require", "agreed", *arguments]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert [one["layers"]["agreed"]["result"] for one in report["signatures"]] == ["passed", "passed"]
    assert report["bases"][0]["sha256"] == made["sha256"]


@pytest.mark.parametrize("suite", [SM2, EC])
def test_a_seal_names_it_too(service: Service, suite: str) -> None:
    office = Office.of(service)
    user, seal = office.dan, office.filed(suite)
    office.grant(seal, user)
    certificate = seal["certificates"][0]
    maker = firm(suite)
    made = concluded(user, maker)
    assert certificate
    contract = user.sent({"name": "Seal keeper", "role": "seal", "seal": seal["id"]}, agreement=made["id"])
    assert user.sign(contract, contract["parties"][0])["state"] == "succeeded"
    contract = user.wait_for_state(contract, "completed")
    (entry,) = good(user.get(f"/v1/contracts/{contract['id']}/verification"))["documents"]
    (one,) = entry["report"]["signatures"]
    assert one["kind"] == "seal"
    assert layer_of(entry["report"], contract["parties"][0]["id"])[1]["agreement-binding"] == "passed"


def test_a_cms_from_elsewhere_names_it_or_is_refused(user: User) -> None:
    maker = firm(EC)
    made = concluded(user, maker)
    contract = user.sent(elsewhere(EC), agreement=made["id"])
    request = user.ask(contract, contract["parties"][0])
    digest = base64.b64decode(request["document_digest"])
    octets = user.get(at(made, "/content")).content
    assert base64.b64decode(request["policy"]) == signature_policy.encode(octets, "sha256")

    def cms(*named: bytes) -> str:
        extra = [attribute(oids.SIGNATURE_POLICY, signature_policy.encode(each, "sha256")) for each in named]
        chosen = signed_attributes(maker.key.suite, maker.certificate, digest, extra=extra)
        return base64.b64encode(
            finish(maker.key.suite, maker.certificate, maker.chain, chosen, maker.key.sign(chosen))
        ).decode()

    for wrong in ((), (b"an older version",)):
        problem(user.hand_in(request, cms=cms(*wrong)), 422, "wrong-value")
    assert good(user.hand_in(request, cms=cms(octets)))["request"]["state"] == "embedded"


# -- refused before anybody signs ---------------------------------------------------------------------


def test_an_agreement_that_is_not_in_force(user: User) -> None:
    maker = firm(EC)
    body = words(maker.party(), number="not yet")
    made = draft(user, body)
    contract = user.draft([here(EC)], agreement=made["id"])
    for step in (lambda: None, lambda: user.post(at(made, "/offer"), headers=V1)):
        step()
        found = problem(sending(user, contract), 422, "agreement-refused")
        assert found["reason"] == "agreement-not-in-force"
        assert found["errors"][0]["pointer"] == "/agreement"
    signed(user, good(user.get(at(made))), maker)
    assert sending(user, contract).status_code == 200
    later = concluded(user, maker, valid_from="2099-01-01", number="later")
    contract = user.draft([here(EC)], agreement=later["id"])
    assert problem(sending(user, contract), 422, "agreement-refused")["reason"] == "agreement-not-in-force"


@pytest.mark.parametrize(
    ("conditions", "party", "code"),
    [
        ({"suites": [EC]}, here(GOST), "agreement-party"),
        ({"suites": [SM2]}, here(EC), "agreement-suites"),
        ({"suites": [SM2]}, elsewhere(EC), "agreement-suites"),
        ({"level": "B-LT"}, here(EC), "agreement-level"),
        ({"digests": ["sha512"]}, here(EC), "agreement-digests"),
        ({"authorities": ["0" * 64]}, here(EC), "agreement-authorities"),
        ({"authorities": ["0" * 64]}, elsewhere(EC), "agreement-authorities"),
        ({"anchors": ["0" * 64]}, elsewhere(EC), "agreement-anchors"),
        ({"time_authorities": ["0" * 64]}, here(EC), "agreement-time-authorities"),
        ({"certificate_policies": ["1.2.3"]}, here(EC), "agreement-certificate-policies"),
        ({"certificate_policies": ["1.2.3"]}, elsewhere(EC), "agreement-certificate-policies"),
    ],
)
def test_what_the_agreement_does_not_accept(
    user: User, conditions: dict[str, Any], party: dict[str, Any], code: str
) -> None:
    """The agreement is signed by others than its conditions let sign: it is put in force from inside."""
    made = offered(user, words(firm(EC).party(**conditions)))
    with user.context.database.write() as session:
        from api.agreements import repository

        repository.get(session, user.tenant_id, made["id"], lock=True).state = "in_force"
    contract = user.draft([party], agreement=made["id"])
    found = problem(sending(user, contract), 422, "agreement-refused")
    assert (found["reason"], found["errors"][0]["pointer"], found["errors"][0]["code"]) == (code, "/parties/0", code)
    assert user.contract(contract)["state"] == "draft"


def test_a_deadline_behind_the_end_of_the_agreement(user: User) -> None:
    maker = firm(EC)
    end = datetime.now(UTC) + timedelta(days=10)
    made = concluded(user, maker, valid_to=end.isoformat())
    later = (end + timedelta(days=1)).isoformat()
    contract = user.draft([here(EC)], agreement=made["id"], expires_at=later)
    assert problem(sending(user, contract), 422, "agreement-refused")["errors"][0]["code"] == "agreement-ends-earlier"
    contract = user.send(user.draft([here(EC)], agreement=made["id"]))
    assert datetime.fromisoformat(contract["expires_at"]) <= end


def test_somebody_elses_agreement_cannot_be_named(user: User, stranger: User) -> None:
    made = concluded(stranger, firm(EC))
    for name in (made["id"], "agr_" + "0" * 32):
        body = {"title": "x", "documents": [user.upload()["id"]], "agreement": name}
        found = problem(user.post("/v1/contracts", json=body), 422, "validation-failed")
        assert found["errors"] == [
            {"pointer": "/agreement", "code": "not-found", "detail": "there is no such agreement"}
        ]


def test_a_draft_changes_its_agreement_and_an_agreement_that_is_named_stays(user: User) -> None:
    made = draft(user, words(firm(EC).party()))
    contract = user.draft([here(EC)])
    path, match = f"/v1/contracts/{contract['id']}", {"if-match": '"v1"'}
    changed = good(user.request("PATCH", path, json={"agreement": made["id"]}, headers=match))
    assert changed["agreement"] == made["id"]
    problem(user.request("DELETE", at(made), headers=V1), 409, "conflict")
    good(user.request("PATCH", path, json={"agreement": None}, headers={"if-match": '"v2"'}))
    assert user.request("DELETE", at(made), headers=V1).status_code == 204


# -- ended while a contract is being signed -----------------------------------------------------------


def test_nothing_is_signed_under_an_agreement_that_has_ended_meanwhile(user: User) -> None:
    maker = firm(EC)
    made = concluded(user, maker, number=str(datetime.now(UTC)))
    contract = user.sent(elsewhere(EC, order=1), here(EC, order=1), agreement=made["id"])
    party, second = contract["parties"]
    request = user.ask(contract, party)
    end = signed(user, offered(user, ending(made, (datetime.now(UTC) + timedelta(hours=1)).isoformat())), maker)
    assert end["state"] == "in_force"
    with user.context.database.write() as session:  # the hour has passed
        from api.agreements import repository

        row = repository.get(session, user.tenant_id, made["id"], lock=True)
        row.ended_at = datetime.now(UTC) - timedelta(seconds=1)
    value = base64.b64encode(maker.key.sign(base64.b64decode(request["dtbs"]))).decode()
    found = problem(user.hand_in(request, signature=value), 422, "agreement-refused")
    assert found["reason"] == "agreement-not-in-force"
    path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/signature-requests"
    problem(user.post(path, json={"consent": user.consent(contract)}), 422, "agreement-refused")
    job = user.sign(contract, second)
    assert (job["state"], job["error"]["code"]) == ("failed", "agreement-refused")
    assert user.contract(contract)["state"] == "sent"
    assert [row["revision"] for row in user.contract(contract)["documents"]] == [0]


def test_without_an_agreement_all_is_as_it_was(user: User) -> None:
    contract = user.sent(here(EC))
    assert contract["agreement"] is None
    assert user.sign(contract, contract["parties"][0])["state"] == "succeeded"
    contract = user.wait_for_state(contract, "completed")
    (entry,) = good(user.get(f"/v1/contracts/{contract['id']}/verification"))["documents"]
    assert entry["report"]["signatures"][0]["policy"] is None
    assert entry["report"]["signatures"][0]["layers"]["agreed"]["result"] == "not-checked"
    assert good(user.get(f"/v1/contracts/{contract['id']}/evidence"))["agreement"] is None
