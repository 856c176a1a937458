"""Kill the whole service with SIGKILL at every instant of a batch, start it again, and see what is left.

    python -m tests.api.batches.crash_batch held ecdsa-p256 1        # every point; 5: every fifth
    python -m tests.api.batches.crash_batch party ecdsa-p256 1

As `tests.api.crash` does with one signature. The batch has two contracts, and its policy allows two documents.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any, cast

from api.config import Settings
from api.server import running
from certs import suites
from certs.ca import ClosedCircle
from certs.certificate import Subject
from certs.clock import SystemClock
from certs.ledger import MemoryLedger
from tests.api.batches.desk import batch, value
from tests.api.conftest import User, make_pdf
from tests.api.crash import Bomb, State, client, summary, two_people, until, walk
from tests.api.registry import made, person, prove


def prepare(data: Path, route: str, suite: str) -> State:
    """Make two contracts that wait for one party each, and a policy for the keys that are here."""
    settings = Settings(data=data, port=0, worker=False)
    token, other = two_people(settings)
    state: State = {"token": token, "key": None, "policy": None}
    with running(settings) as address, client(address, {"token": other}) as http:
        boss = cast("User", http)
        if route == "held":
            signer = person(boss)
            prove(boss, signer)
            party: dict[str, Any] = {"person": signer["id"], "suite": suite}
            limits = {"max_documents": 2, "max_per_day": 2, "valid_to": "2090-01-01T00:00:00Z"}
            body = {"name": "p", "grantee": "key_" + token.split("_")[1], "person": signer["id"], **limits}
            state["policy"] = made(boss, "/v1/signing-policies", body)["id"]
        else:
            circle = ClosedCircle.create(
                suite, organisation="Home", country="DE", clock=SystemClock(), ledger=MemoryLedger()
            )
            key = suites.get(suite).generate()
            certificate = circle.issue("person", Subject("Party", country="DE"), key.public_key.spki)
            bundle = "".join(each.pem for each in (certificate, *circle.chain))
            party = {"name": "Party", "certificate": bundle}
            state["key"] = base64.b64encode(key.pkcs8()).decode()
        sent = []
        for _ in range(2):
            document = http.post("/v1/documents", files={"file": ("c.pdf", make_pdf())}).json()["id"]
            draft = made(boss, "/v1/contracts", {"title": "c", "documents": [document], "parties": [party]})
            sent.append(http.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": '"v1"'}).json())
    state["contracts"] = [contract["id"] for contract in sent]
    state["body"] = batch(*sent) | ({"policy": state["policy"]} if state["policy"] else {})
    return state


def act(data: Path, state: State, *, bomb: int = 0) -> dict[str, Any]:
    """Do what a client does until both contracts are complete, whatever happened before; return what there is then."""
    key = suites.load_private(base64.b64decode(state["key"])) if state["key"] else None
    with running(Settings(data=data, port=0, checkpoint_interval=None)) as address, client(address, state) as http:
        if bomb:
            Bomb(bomb).arm()

        def done() -> bool:
            answer = http.post("/v1/batches", json=state["body"], headers={"idempotency-key": "once"})
            if answer.status_code != 202:
                return False
            found = http.get(answer.headers["location"]).json()
            assert found["failed"] == 0, found
            requests = [each for item in found["items"] for each in item["requests"] if each["state"] == "prepared"]
            if key is not None and found["state"] == "ready" and requests:
                http.put(answer.headers["location"], json={"values": [value(each, key) for each in requests]})
            ends = [http.get(f"/v1/contracts/{name}").json()["state"] for name in state["contracts"]]
            return ends == ["completed", "completed"] and found["state"] == "ended"

        until(done)
        policy = http.get(f"/v1/signing-policies/{state['policy']}").json() if state["policy"] else {"used": None}
        batches = http.get("/v1/batches").json()["data"]
        evidence = [http.get(f"/v1/contracts/{name}/evidence").json() for name in state["contracts"]]
    return {
        "used": policy["used"],
        "batches": [(each["state"], each["signed"]) for each in batches],
        "contracts": [summary(each) for each in evidence],
    }


def main(route: str, suite: str, step: int) -> None:
    """Walk through the points of one route."""
    walk(
        lambda data: prepare(data, route, suite),
        lambda data, state, point: act(data, state, bomb=point),
        act,
        step,
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
