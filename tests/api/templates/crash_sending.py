"""Kill the whole service at every instant of a bulk send (`tests.api.crash`), start it again, and count the contracts.

python -m tests.api.templates.crash_sending 1      # every point; 5: every fifth
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from api.bulk import tasks
from api.config import Settings
from api.server import running
from tests.api.conftest import circle_today, make_pdf
from tests.api.crash import SECONDS, Bomb, State, client, two_people, walk
from tests.api.templates.post import slot, table

ROWS = 4


def prepare(data: Path) -> State:
    """Make a template, and a table for it."""
    settings = Settings(data=data, port=0, worker=False)
    state: State = {"token": two_people(settings)[0]}
    with running(settings) as address, client(address, state) as http:
        document = http.post("/v1/documents", files={"file": ("c.pdf", make_pdf())}).json()["id"]
        own = slot("seller", name="Anna Becker", certificate=circle_today("ecdsa-p256").bundle)
        body = {"title": "t", "documents": [document], "level": "B-B", "parties": [own, slot("copy", role="cc")]}
        made = http.post("/v1/templates", json=body)
        assert made.status_code == 201, made.text
        return state | {"template": made.json()["id"]}


def act(data: Path, state: State) -> dict[str, Any]:
    """Send a table, or find out what became of it; return what there is in the end."""
    tasks.BATCH = 3
    rows = table(*({"copy.name": f"N{number}", "external_id": f"A-{number}"} for number in range(ROWS)))
    with running(Settings(data=data, port=0)) as address, client(address, state) as http:
        form, files = {"template": state["template"]}, {"file": ("people.csv", rows, "text/csv")}
        limit = time.monotonic() + SECONDS
        while True:  # the same key again: the same bulk send, or the first one if none was begun
            sent = http.post("/v1/bulk-sends", data=form, files=files, headers={"idempotency-key": "send"})
            if sent.status_code == 202:
                break
            assert time.monotonic() < limit, sent.text
            time.sleep(0.1)
        path = f"/v1/bulk-sends/{sent.json()['id']}"
        while (bulk := http.get(path).json())["state"] == "running":
            assert time.monotonic() < limit, bulk
            time.sleep(0.05)
        contracts = http.get("/v1/contracts", params={"limit": 200}).json()["data"]
        trails = [http.get(f"/v1/contracts/{each['id']}/events").json()["data"] for each in contracts]
        results = http.get(f"{path}/results").text.splitlines()
        return {
            "state": bulk["state"],
            "sent": bulk["sent"],
            "bulks": len(http.get("/v1/bulk-sends").json()["data"]),
            "contracts": sorted(each["external_id"] for each in contracts),
            "states": sorted({each["state"] for each in contracts}),
            "once": [[event["type"] for event in trail].count("contract.sent") for trail in trails],
            "named": sum(each["id"] in line for each in contracts for line in results),
        }


def main(step: int) -> None:

    def strike(data: Path, state: State, point: int) -> dict[str, Any]:
        Bomb(point).arm()
        return act(data, state)

    walk(prepare, strike, act, step)


if __name__ == "__main__":
    main(int(sys.argv[1]))
