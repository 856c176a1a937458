"""Kill the whole service with SIGKILL at every instant of a signing, start it again, and see what is left.

    python -m tests.api.crash held ecdsa-p256 1                  # every point; 5: every fifth
    python -m tests.api.crash held ecdsa-p256 1 postgresql       # the same on a server of one's own

For point 1, 2, 3 … a child process copies a prepared data directory, serves it and signs; right before or after the
n-th effect (a commit, a file kept, a key used) it kills itself. A second child serves the same directory and lets the
client do what a client does after a broken connection: look, and repeat if need be. One line of JSON per point goes to
standard output.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import os
import pkgutil
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

import certs
import signer
from api.auth.service import SCOPES, create_key, create_tenant
from api.config import Settings
from api.context import open_context
from api.db import Database
from api.factors import lock
from api.migrations import upgrade
from api.server import running
from api.signing import pdf
from api.storage import FilesystemStorage
from certs import suites
from certs.ca import ClosedCircle
from certs.certificate import Subject
from certs.clock import SystemClock
from certs.keys import kek_passphrase, pbes2
from certs.ledger import MemoryLedger
from tests.api.conftest import PROOF, make_pdf
from tests.api.postgres import Cluster, cluster

SECONDS = 60
PASSPHRASE = "nobody writes this down"
State = dict[str, Any]
"""What a client has to know to go on."""
SERVERS: list[Cluster] = []
"""The PostgreSQL in which every point has a database, where there is one."""
Act = Callable[[Path, State], dict[str, Any]]


class Bomb:
    """Counts effects and kills the process at the n-th."""

    def __init__(self, point: int) -> None:
        self.count, self.point = 0, point

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.point:
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self) -> None:
        """Put itself around everything that leaves a trace."""
        write = Database.write

        @contextlib.contextmanager
        def bombed_write(database: Database) -> Iterator[Any]:
            with write(database) as session:
                yield session
                if session.new or session.dirty or session.deleted or session.in_transaction():
                    self()
            self()

        Database.write = bombed_write  # type: ignore[method-assign, assignment]
        places = (FilesystemStorage, "keep"), (pdf, "prepare"), (pdf, "complete"), (lock, "key_of")
        for place, name in places:
            setattr(place, name, self.around(getattr(place, name)))

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with a strike before and after."""

        def bombed(*arguments: Any, **options: Any) -> Any:
            self()
            result = function(*arguments, **options)
            self()
            return result

        return bombed


def settings_of(data: Path, **more: Any) -> Settings:
    """Return the settings of a data directory, whose database on a server has its name."""
    if SERVERS:  # there a worker is known to be dead by its silence
        more |= {"database": SERVERS[0].url(data.name), "job_lease": timedelta(seconds=3)}
    return Settings(data=data, port=0, **more)


def client(address: str, state: dict[str, Any]) -> httpx.Client:
    headers = {"authorization": f"Bearer {state['token']}"}
    return httpx.Client(base_url=address, headers=headers, timeout=SECONDS, trust_env=False)


def prepare(data: Path, route: str, suite: str) -> dict[str, Any]:
    """Make a contract that is sent and waits for one party."""
    settings = settings_of(data, worker=False)
    context = open_context(settings)
    upgrade(context.database)
    with context.database.write() as session:
        tenant = create_tenant(session, "crash", now=context.now())
        token = create_key(session, tenant, name="crash", now=context.now(), scopes=SCOPES)
    context.close()
    state: dict[str, Any] = {"token": token, "key": None}
    party: dict[str, Any] = {"name": "Party", "country": "DE"}
    if route in {"held", "locked"}:
        party |= {"suite": suite, "identity_proof": PROOF, "factors": ["passphrase"] if route == "locked" else []}
    else:
        circle = ClosedCircle.create(
            suite, organisation="Home", country="DE", clock=SystemClock(), ledger=MemoryLedger()
        )
        key = suites.get(suite).generate()
        certificate = circle.issue("person", Subject("Party", country="DE"), key.public_key.spki)
        party["certificate"] = "".join(each.pem for each in (certificate, *circle.chain))
        state["key"] = base64.b64encode(key.pkcs8()).decode()
    with running(settings) as address, client(address, state) as http:
        document = http.post("/v1/documents", files={"file": ("c.pdf", make_pdf())}).json()
        body = {"title": "c", "documents": [document["id"]], "parties": [party]}
        contract = http.post("/v1/contracts", json=body).json()
        sent = http.post(f"/v1/contracts/{contract['id']}/send", headers={"if-match": '"v1"'})
        assert sent.status_code == 200, sent.text
        state["contract"], state["party"] = contract["id"], sent.json()["parties"][0]["id"]
        state["sha256"] = sent.json()["documents"][0]["revision_sha256"]
        state["factors"] = []
        if route == "locked":
            enrolment = {"kind": "passphrase", "party": state["party"]}
            secret = http.post("/v1/factor-enrolments", json=enrolment).json()["secret"]
            enrolled = http.post("/v1/factors", json={"enrolment": secret, "passphrase": PASSPHRASE})
            assert enrolled.status_code == 201, enrolled.text
            state["factors"] = [{"kind": "passphrase", "value": PASSPHRASE}]
    return state


def act(data: Path, state: dict[str, Any]) -> dict[str, Any]:
    """Do what a client does until its contract is complete, whatever happened before; return what there is then."""
    with running(settings_of(data)) as address, client(address, state) as http:
        path = f"/v1/contracts/{state['contract']}"
        base = f"{path}/parties/{state['party']}"
        consent = {"text": "yes", "locale": "en", "accepted": True, "document_sha256": state["sha256"]}
        key = suites.load_private(base64.b64decode(state["key"])) if state["key"] else None
        limit = time.monotonic() + SECONDS
        while (contract := http.get(path).json())["state"] != "completed":
            assert time.monotonic() < limit, contract
            if contract["parties"][0]["state"] in {"notified", "signing"} and contract["state"] == "sent":
                if key is None:  # the same key again: the same job, or the first one if none was made
                    body = {"consent": consent, "factors": state["factors"]}
                    http.post(f"{base}/sign", json=body, headers={"idempotency-key": "sign"})
                else:
                    request = http.post(f"{base}/signature-requests", json={"consent": consent}).json()
                    value = base64.b64encode(key.sign(base64.b64decode(request["dtbs"]))).decode()
                    http.put(f"{base}/signature-requests/{request['id']}", json={"signature": value})
            time.sleep(0.02)
        return summary(http.get(f"{path}/evidence").json())


def summary(evidence: dict[str, Any]) -> dict[str, Any]:
    """Return of the evidence what the test looks at."""
    types = [event["type"] for event in evidence["events"]]
    return {
        "state": evidence["contract"]["state"],
        "revisions": [row["number"] for row in evidence["revisions"]],
        "embedded": sum(row["state"] == "embedded" for row in evidence["signatures"]),
        "completed": types.count("contract.completed"),
        "signed": types.count("party.signed"),
        "verdicts": [
            [item["layers"]["cryptographic"]["result"] for item in entry["report"]["signatures"]]
            for entry in evidence["reports"]
        ],
    }


def in_child(action: Callable[[], Any]) -> tuple[int, Any]:
    """Run in a forked process; return its wait status and what the action returned."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            os.write(writer, json.dumps(action()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        text = file.read()
    return os.waitpid(child, 0)[1], json.loads(text) if text else None


def preload() -> None:
    """Import everything once here, and not in every child; some of it is imported when a certificate is made."""
    for package in (certs, signer):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    importlib.import_module("api.jobs.engine")
    ClosedCircle.create("ecdsa-p256", organisation="Nobody", country="DE", clock=SystemClock(), ledger=MemoryLedger())


def walk(make: Callable[[Path], State], strike: Callable[[Path, State, int], Any], act: Act, step: int) -> None:
    """Walk through the points: `strike` acts on a copy of what `make` made and dies at one; then `act` is to recover.

    One line of JSON for each point, the last one for that at which nothing died. SEALROAD_STEP stands in for `step`.
    """
    step = int(os.environ.get("SEALROAD_STEP", step))
    preload()
    pbes2.SCRYPT_N = 2**4  # every child opens keys: what that costs is not looked at here
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for server in SERVERS:
            server.create("template")
        status, state = in_child(lambda: make(root / "template"))
        assert status == 0
        point = 1
        while True:
            data = root / f"point-{point}"
            shutil.copytree(root / "template", data)
            for server in SERVERS:
                server.create(data.name, "template")
            status, found = in_child(lambda data=data, point=point: strike(data, state, point))
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            if killed:
                status, found = in_child(lambda data=data: act(data, state))
            assert status == 0, f"point {point}: the service did not recover"
            print(json.dumps({"point": point, "killed": killed, **found}), flush=True)
            shutil.rmtree(data)
            if not killed:
                return
            point += step


def points_of(module: str, *words: str) -> list[dict[str, Any]]:
    """Run such a walk in a process of its own and return what it found."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def until(done: Callable[[], bool]) -> None:
    """Ask again and again until it is done."""
    limit = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < limit
        time.sleep(0.05)


def two_people(settings: Settings) -> tuple[str, str]:
    """Make the database and a tenant in it; return the API keys, with every scope, of who works and who approves."""
    context = open_context(settings)
    upgrade(context.database)
    with context.database.write() as session:
        tenant = create_tenant(session, "crash", now=context.now())
        keeper, approver = (
            create_key(session, tenant, name=name, now=context.now(), scopes=SCOPES) for name in ("keeper", "approver")
        )
    context.close()
    return keeper, approver


def main(route: str, suite: str, step: int, database: str = "sqlite") -> None:
    """Walk through the points of a signing."""
    kek_passphrase.SCRYPT["n"] = 1 << 7

    def strike(data: Path, state: State, point: int) -> dict[str, Any]:
        Bomb(point).arm()
        return act(data, state)

    with contextlib.ExitStack() as stack:
        if database == "postgresql":
            SERVERS.append(stack.enter_context(cluster()))
        walk(lambda data: prepare(data, route, suite), strike, act, step)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
