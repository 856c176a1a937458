"""An agreement signed with the key of an organisation's seal that the service holds: granted, counted, used once."""

from __future__ import annotations

from typing import Any

import pytest

from api.agreements import repository, tasks
from api.jobs.queue import JobRun
from tests.api.agreements.desk import SUITES, at, firm, octets_of, offered, problem, signed, words
from tests.api.conftest import Service, User
from tests.api.seals.office import Office, good, refused

SM2, EC = "sm2", "ecdsa-p256"


@pytest.fixture
def office(service: Service) -> Office:
    return Office.of(service)


def party_of(seal: dict[str, Any]) -> dict[str, Any]:
    return {"name": seal["owner"]["organisation"]} if seal.get("owner") else {"name": firm(seal["suite"]).name}


def seal_it(user: User, agreement: dict[str, Any], seal: dict[str, Any]) -> Any:
    return user.post(at(agreement, "/sign"), json={"seal": seal["id"]})


@pytest.mark.parametrize("suite", SUITES)
def test_a_seal_signs_for_its_organisation(office: Office, suite: str) -> None:
    other = firm(SM2 if suite != SM2 else EC)
    seal = office.granted(suite, grant={"kinds": ["agreement"], "count": 1})
    made = offered(office.dan, words(party_of(seal), other.party()))
    response = seal_it(office.dan, made, seal)
    job = office.dan.wait_for_job(response.headers["location"])
    assert (response.status_code, job["state"]) == (202, "succeeded"), job
    found = good(office.dan.get(at(made)))
    assert found["parties"][0]["signature"]["suite"] == suite
    assert found["parties"][0]["signature"]["verdict"] == "TOTAL-PASSED"
    assert signed(office.dan, made, other)["state"] == "in_force"
    log = office.log(seal)
    assert [entry["type"] for entry in log][-2:] == ["use.recorded", "use.done"]
    assert (log[-2]["body"]["data"]["kind"], log[-1]["body"]["data"]["agreement"]) == ("agreement", made["id"])
    assert good(office.dan.get(at(made, "/events/check")))["intact"]
    problem(seal_it(office.dan, made, seal), 409, "state-conflict")


def test_who_may_not(office: Office, service: Service) -> None:
    seal = office.filed(EC)
    made = offered(office.dan, words(party_of(seal)))
    refused(seal_it(office.dan, made, seal), "not-granted")
    office.grant(seal, kinds=["contract"])
    assert seal_it(office.dan, made, seal).json()["code"] == "seal-refused"
    foreign = offered(office.dan, words(firm(SM2).party()))
    office.grant(seal)
    assert problem(seal_it(office.dan, foreign, seal), 422, "agreement-refused")["reason"] == "agreement-party"
    assert [entry["type"] for entry in office.log(seal)].count("use.recorded") == 0  # nothing was counted
    good(office.bob.post(f"/v1/seals/{seal['id']}/suspend", json={"reason": "lost"}))
    refused(seal_it(office.dan, made, seal), "suspended")
    assert all(each["signature"] is None for each in good(office.dan.get(at(made)))["parties"])


def test_a_job_that_is_run_again_signs_nothing_twice(office: Office) -> None:
    user, seal = office.dan, office.granted(EC)
    made = offered(user, words(party_of(seal)))
    job = user.wait_for_job(seal_it(user, made, seal).headers["location"])
    before = good(user.get(at(made)))
    run = JobRun(job["id"], user.tenant_id, "sign-agreement", job_payload(user, made), 1, "x")
    assert tasks.sign_with_seal(user.context, run) == job["result"]
    assert good(user.get(at(made))) == before


def test_a_request_of_the_party_itself_takes_the_place_of_the_seals(office: Office) -> None:
    """Whoever comes first has signed; the other one changes nothing."""
    user, seal = office.dan, office.granted(EC)
    maker = firm(EC)
    made = offered(user, words(party_of(seal), firm(SM2).party()))
    location = seal_it(user, made, seal).headers["location"]
    response = user.post(at(made, "/signatures"), json={"cms": maker.cms(octets_of(user, made))})
    job = user.wait_for_job(location)
    assert (response.status_code, job["state"]) in {(201, "failed"), (409, "succeeded")}
    found = good(user.get(at(made)))
    assert found["parties"][0]["signature"] is not None
    assert [entry["type"] for entry in good(user.get(at(made, "/events")))["data"]].count("agreement.signed") == 1
    assert [entry["type"] for entry in office.log(seal)][-1] in {"use.done", "use.failed"}


def job_payload(user: User, agreement: dict[str, Any]) -> dict[str, str]:
    with user.context.database.read() as session:
        row = repository.get(session, user.tenant_id, agreement["id"])
        (found,) = repository.signatures_of(session, row)
    return {"agreement": agreement["id"], "signature": found.id}
