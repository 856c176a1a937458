"""Kill the whole service with SIGKILL at every instant of issuing a certificate, start it again, and see what is left.

    python -m tests.api.crash_issuing ecdsa-p256 1           # every point; 5: every fifth
    python -m tests.api.crash_issuing ecdsa-p256 1 pair      # of a pair

As `tests.api.crash` does with a signature: a child serves a copy of a prepared data directory, asks for a certificate
with an Idempotency-Key, and kills itself right before or after the n-th effect: a commit of the database, a step of
the ledger, a use of the key. A second child serves the same directory and repeats the request.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from api.auth.service import SCOPES, create_key, create_tenant
from api.certificates import repository
from api.config import Settings
from api.context import open_context
from api.migrations import upgrade
from api.server import running
from certs import circle, files, suites
from certs.certificate import Subject
from certs.circle_keys import LazyKey
from certs.ledger import SQLiteLedger
from certs.pem import armor
from certs.request import make_request
from tests.api.conftest import PROOF
from tests.api.crash import SECONDS, Bomb, client, walk

EFFECTS = (
    (files, "write"),
    (SQLiteLedger, "prepare"),
    (SQLiteLedger, "claim"),
    (SQLiteLedger, "issued"),
    (LazyKey, "sign"),
)

PROFILES = ("person", "encryption")


def arm(point: int) -> None:
    bomb = Bomb(point)
    bomb.arm()
    for place, name in EFFECTS:
        setattr(place, name, bomb.around(getattr(place, name)))


def prepare(data: Path, suite: str, *, pair: bool = False) -> dict[str, Any]:
    context = open_context(Settings(data=data))
    upgrade(context.database)
    with context.database.write() as session:
        tenant = create_tenant(session, "crash", now=context.now())
        token = create_key(session, tenant, name="crash", now=context.now(), scopes=SCOPES)
    context.circles.get(suite)
    context.close()
    request = make_request(suites.get(suite).generate(), Subject("Party", country="DE"))
    return {"token": token, "request": armor("CERTIFICATE REQUEST", request), "suite": suite, "pair": pair}


def act(data: Path, state: dict[str, Any], *, bomb: int = 0) -> dict[str, Any]:
    """Ask, or ask again with the same key, until there is an answer; return what is on record afterwards."""
    settings = Settings(data=data, port=0, checkpoint_interval=None)
    with running(settings) as address, client(address, state) as http:
        if bomb:
            arm(bomb)
        body = {"request": state["request"], "name": "Party", "country": "DE", "pair": state["pair"]}
        body, headers = body | {"identity_proof": PROOF}, {"idempotency-key": "once"}
        limit = time.monotonic() + SECONDS
        while (answer := http.post("/v1/certificates", json=body, headers=headers)).status_code != 201:
            assert time.monotonic() < limit, answer.text
            time.sleep(0.05)
        listed = http.get("/v1/certificates").json()["data"]
        while _intents(settings):  # the worker settles what was left
            assert time.monotonic() < limit
            time.sleep(0.05)
        return {
            "answer": answer.json()["id"],
            "pair": answer.json()["pair"],
            "listed": [row["id"] for row in listed],
            "rows": [int(row["certificate"]["serial"], 16) for row in listed],
            **_ledger(data, state["suite"]),
        }


def _intents(settings: Settings) -> int:
    context = open_context(settings)
    try:
        with context.database.read() as session:
            return len(repository.intents(session))
    finally:
        context.close()


def _ledger(data: Path, suite: str) -> dict[str, Any]:
    from certs.clock import SystemClock

    books = circle.books(data / "pki" / suite, SystemClock())
    entries = [entry for issuer in books.issuers for entry in books.ledger.entries(issuer) if entry.profile in PROFILES]
    return {
        "issued": [entry.serial for entry in entries if entry.state == "issued"],
        "states": sorted(entry.state for entry in entries),
        "certificates": sum(entry.certificate is not None for entry in entries),
    }


def main(suite: str, step: int, *, pair: bool = False) -> None:
    """Walk through the points of an issuing."""
    walk(
        lambda data: prepare(data, suite, pair=pair), lambda data, state, point: act(data, state, bomb=point), act, step
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), pair=sys.argv[3:] == ["pair"])
