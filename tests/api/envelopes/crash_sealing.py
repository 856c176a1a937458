"""Kill the service with SIGKILL at every instant of sealing or opening an envelope, start it again, see what is left.

    python -m tests.api.envelopes.crash_sealing seal sm2 1      # every point; 5: every fifth

As `tests.api.crash` does with a signature. Routes: `seal`, an envelope of a contract for a party that has no key for
decryption yet, signed with that party's key and a seal of another family; `open`, with the held key.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api.config import Settings
from api.context import open_context
from api.envelopes import addressing, keys, tasks
from api.server import running
from certs.ledger import SQLiteLedger
from signer.encryption import envelope, opening
from tests.api.conftest import PROOF, make_pdf
from tests.api.crash import Act, Bomb, State, client, two_people, until, walk
from tests.api.seals.office import application

EFFECTS = (
    (SQLiteLedger, "prepare"),
    (SQLiteLedger, "claim"),
    (SQLiteLedger, "issued"),
    (addressing, "recipients_of"),
    (envelope, "prepare"),
    (envelope, "sign_manifest"),
    (envelope, "assemble"),
    (opening, "open_envelope"),
    (keys, "open_held"),
    (tasks, "_key_of"),
)


def arm(point: int) -> None:
    bomb = Bomb(point)
    bomb.arm()
    for place, name in EFFECTS:
        setattr(place, name, bomb.around(getattr(place, name)))


def prepare(data: Path, route: str, suite: str) -> State:
    """Make what the route begins with: a contract that is sent and a seal that is granted; or an envelope."""
    settings = Settings(data=data, port=0)
    token, other = two_people(settings)
    state: State = {"token": token}
    with running(settings) as address, client(address, state) as http, client(address, {"token": other}) as approver:
        seal = http.post("/v1/seals", json=application("ecdsa-p256" if suite == "sm2" else "sm2")).json()["id"]
        assert approver.post(f"/v1/seals/{seal}/approve").status_code == 200
        assert http.post(f"/v1/seals/{seal}/make").status_code == 200
        assert http.post(f"/v1/seals/{seal}/file", json={"filing_number": "3101"}).status_code == 200
        key = "key_" + token.split("_")[1]
        grant = {"grantee": key, "count": 1, "kinds": ["envelope"]}
        assert http.post(f"/v1/seals/{seal}/grants", json=grant).status_code == 201
        document = http.post("/v1/documents", files={"file": ("c.pdf", make_pdf())}).json()["id"]
        body = {
            "title": "c",
            "documents": [document],
            "parties": [{"name": "Party", "suite": suite, "identity_proof": PROOF}],
        }
        contract = http.post("/v1/contracts", json=body).json()["id"]
        sent = http.post(f"/v1/contracts/{contract}/send", headers={"if-match": '"v1"'}).json()
        state |= {"seal": seal, "contract": contract, "sha256": sent["documents"][0]["revision_sha256"]}
        state["senders"] = [{"party": sent["parties"][0]["id"]}, {"seal": seal}]
        if route == "open":
            _seal(http, state)
    return state


def act(route: str) -> Callable[..., dict[str, Any]]:
    """Return what a client does until it has what it wants, whatever happened before, and then looks at."""

    def run(data: Path, state: State, *, bomb: int = 0) -> dict[str, Any]:
        settings = Settings(data=data, port=0, checkpoint_interval=None)
        with running(settings) as address, client(address, state) as http:
            if bomb:
                arm(bomb)
            found = ROUTES[route](http, state)
            (row,) = http.get("/v1/envelopes").json()["data"]
            path = f"/v1/envelopes/{row['id']}"
            log = [entry["type"] for entry in http.get(f"{path}/events").json()["data"]]
            trail = [entry["type"] for entry in http.get(f"/v1/contracts/{state['contract']}/events").json()["data"]]
            until(lambda: _settled(settings))
            certificates = http.get("/v1/certificates").json()["data"]
            good = [item["certificate"]["sha256"] for item in certificates if item["state"] == "issued"]
            return {
                **found,
                "state": row["state"],
                "log": log,
                "intact": http.get(f"{path}/events/check").json()["intact"],
                "sent": trail.count("party.sends-envelope"),
                "used": [grant["used"] for grant in http.get(f"/v1/seals/{state['seal']}/grants").json()["data"]],
                "uses": [item["type"] for item in http.get(f"/v1/seals/{state['seal']}/uses").json()["data"]],
                "known": row["recipients"][0]["certificate"]["sha256"] in good,
            }

    return run


def _seal(http: Any, state: State) -> dict[str, Any]:
    body = {"contract": state["contract"], "senders": state["senders"]}
    return {"envelope": _job(http, "/v1/envelopes", body)["envelope"] is not None}


def _open(http: Any, state: State) -> dict[str, Any]:
    (row,) = http.get("/v1/envelopes").json()["data"]
    result = _job(http, f"/v1/envelopes/{row['id']}/open", {"recipient": row["recipients"][0]["id"]})
    listed = http.get("/v1/documents").json()["data"]
    return {"documents": [item["sha256"] == state["sha256"] for item in listed], "sender": result["sender"]}


ROUTES = {"seal": _seal, "open": _open}


def _job(http: Any, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask with an Idempotency-Key until the job has ended; return its result."""
    job: dict[str, Any] = {}

    def done() -> bool:
        answer = http.post(path, json=body, headers={"idempotency-key": path})
        if answer.status_code != 202:
            assert answer.status_code == 409, answer.text  # the first request is still held to be running
            return False
        job.update(http.get(f"/v1/jobs/{answer.json()['id']}").json())
        assert job["state"] != "failed", job
        return bool(job["state"] == "succeeded")

    until(done)
    return dict(job["result"])


def _settled(settings: Settings) -> bool:
    """Tell whether nothing is left of certificates in the making."""
    from api.certificates import repository

    context = open_context(settings)
    try:
        with context.database.read() as session:
            return not repository.intents(session)
    finally:
        context.close()


def main(route: str, suite: str, step: int) -> None:
    """Walk through the points of one route."""
    recover: Act = act(route)
    walk(
        lambda data: prepare(data, route, suite),
        lambda data, state, point: act(route)(data, state, bomb=point),
        recover,
        step,
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
