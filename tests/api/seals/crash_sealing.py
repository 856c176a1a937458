"""Kill the whole service with SIGKILL at every instant of making or using a seal, start it again, and see what is left.

    python -m tests.api.seals.crash_sealing make ecdsa-p256 1        # every point; 5: every fifth
    python -m tests.api.seals.crash_sealing document ecdsa-p256 1
    python -m tests.api.seals.crash_sealing contract ecdsa-p256 1

As `tests.api.crash` does with a signature. A grant of one use is there: what is left must have used it once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api.config import Settings
from api.seals import applying, making
from api.server import running
from signer.pades import sign
from signer.seals import make
from tests.api.conftest import make_pdf
from tests.api.crash import Act, Bomb, State, client, two_people, until, walk
from tests.api.seals.office import application

EFFECTS = (
    (sign, "prepare"),
    (sign, "complete"),
    (applying, "open_key"),
    (make, "prepare_seal"),
    (make, "complete_seal"),
    (making, "open_maker"),
    (making, "maker_for"),
)


def arm(point: int) -> None:
    bomb = Bomb(point)
    bomb.arm()
    for place, name in EFFECTS:
        setattr(place, name, bomb.around(getattr(place, name)))


def prepare(data: Path, route: str, suite: str) -> State:
    """Make what the route begins with: an approved application, or a seal that is granted for one use."""
    settings = Settings(data=data, port=0, worker=False)
    token, other = two_people(settings)
    state: State = {"token": token, "suite": suite}
    with running(settings) as address, client(address, state) as http, client(address, {"token": other}) as approver:
        path = f"/v1/seals/{http.post('/v1/seals', json=application(suite)).json()['id']}"
        assert approver.post(f"{path}/approve").status_code == 200
        state["seal"] = path
        if route == "make":
            return state
        assert http.post(f"{path}/make").status_code == 200
        assert http.post(f"{path}/file", json={"filing_number": "3101"}).status_code == 200
        key = "key_" + token.split("_")[1]
        assert http.post(f"{path}/grants", json={"grantee": key, "count": 1}).status_code == 201
        state["document"] = http.post("/v1/documents", files={"file": ("c.pdf", make_pdf())}).json()["id"]
        if route == "contract":
            party = {"name": "Party", "role": "seal", "seal": path.rpartition("/")[2]}
            body = {"title": "c", "documents": [state["document"]], "parties": [party]}
            contract = http.post("/v1/contracts", json=body).json()
            sent = http.post(f"/v1/contracts/{contract['id']}/send", headers={"if-match": '"v1"'}).json()
            state["contract"], state["party"] = sent["id"], sent["parties"][0]["id"]
            state["sha256"] = sent["documents"][0]["revision_sha256"]
    return state


def act(route: str) -> Callable[..., dict[str, Any]]:
    """Return what a client does until it has what it wants, whatever happened before, and then looks at."""

    def run(data: Path, state: State, *, bomb: int = 0) -> dict[str, Any]:
        settings = Settings(data=data, port=0, checkpoint_interval=None)
        with running(settings) as address, client(address, state) as http:
            if bomb:
                arm(bomb)
            found = ROUTES[route](http, state)
            log = http.get(f"{state['seal']}/events").json()["data"]
            return {
                **found,
                "state": http.get(state["seal"]).json()["state"],
                "used": [row["used"] for row in http.get(f"{state['seal']}/grants").json()["data"]],
                "log": sorted(entry["type"] for entry in log if entry["type"] not in {"seal.applied", "seal.filed"}),
                "intact": http.get(f"{state['seal']}/events/check").json()["intact"],
            }

    return run


def _make(http: Any, state: State) -> dict[str, Any]:
    until(lambda: http.post(f"{state['seal']}/make").status_code in {200, 409})
    content = http.get(f"{state['seal']}/content")
    return {"sealed": content.status_code}


def _document(http: Any, state: State) -> dict[str, Any]:
    headers = {"idempotency-key": "once"}

    def done() -> bool:
        answer = http.post(f"{state['seal']}/apply", json={"document": state["document"]}, headers=headers)
        if answer.status_code != 202:
            return False
        job = http.get(f"/v1/jobs/{answer.json()['id']}").json()
        assert job["state"] != "failed", job
        return bool(job["state"] == "succeeded")

    until(done)
    listed = http.get("/v1/documents").json()["data"]
    content = http.get(f"/v1/documents/{listed[0]['id']}/content").content
    report = http.post("/v1/verifications", files={"file": ("x.pdf", content)}).json()
    return {"documents": len(listed), "verdicts": [item["verdict"] for item in report["signatures"]]}


def _contract(http: Any, state: State) -> dict[str, Any]:
    path = f"/v1/contracts/{state['contract']}"
    consent = {"text": "yes", "locale": "en", "accepted": True, "document_sha256": state["sha256"]}

    def done() -> bool:
        contract = http.get(path).json()
        assert contract["state"] != "failed", contract
        if contract["state"] == "completed":
            return True
        if contract["parties"][0]["state"] == "notified":
            headers = {"idempotency-key": "sign"}
            http.post(f"{path}/parties/{state['party']}/sign", json={"consent": consent}, headers=headers)
        return False

    until(done)
    evidence = http.get(f"{path}/evidence").json()
    return {
        "documents": len(evidence["revisions"]),
        "verdicts": [item["verdict"] for entry in evidence["reports"] for item in entry["report"]["signatures"]],
    }


ROUTES = {"make": _make, "document": _document, "contract": _contract}


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
