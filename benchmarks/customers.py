"""The main job over HTTP, and how long each call of it takes.

calls = Calls()
with Customer(address, token, calls) as customer:
    contract = customer.send(pdf, held_parties())
    customer.sign(contract, 0)
    customer.wait_for(contract, "completed")
calls.percentile("POST sign", 99)
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit

from api.demo import cast
from tests.api.conftest import Circle, circle_today

SUITES = tuple(company.suite for company in cast.CAST)
WAIT = "wait=30"
"""How long one request waits for a job or a contract (RFC 7240)."""
PATIENCE = 600.0
"""Seconds that one answer may take, and one job: the machine may be busy with other things."""


class Calls:
    """Seconds of every call, by what it was. Thread-safe."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self._lock = threading.Lock()

    def add(self, what: str, seconds: float) -> None:
        with self._lock:
            self.times[what].append(seconds)

    def percentile(self, what: str, percent: int) -> float:
        """Return the smallest time that so many of a hundred calls do not exceed."""
        times = sorted(self.times[what])
        return times[min(len(times) - 1, -(-len(times) * percent // 100) - 1)]


class Customer:
    """One connection with one API key."""

    def __init__(self, address: str, token: str, calls: Calls) -> None:
        self._host, self._token, self._calls = urlsplit(address).netloc, token, calls
        self._connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        self._tag: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, what: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the answer, JSON read, or None for one that is there already; `what` is what the call counts as."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        start = time.perf_counter()
        self._connection.request(method, path, content, sent)
        answer = self._connection.getresponse()
        data = answer.read()
        self._tag = answer.headers.get("etag")
        if answer.status == 304:
            return None
        self._calls.add(what, time.perf_counter() - start)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:500].decode(errors='replace')}")
        return json.loads(data) if answer.headers.get_content_type() == "application/json" else data

    def draft(self, pdf: bytes, parties: Sequence[dict[str, Any]]) -> Any:
        """Upload a document and make a contract of it."""
        mark = secrets.token_hex(16)
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="contract.pdf"\r\n'
        form = head.encode() + b"Content-Type: application/pdf\r\n\r\n" + pdf + f"\r\n--{mark}--\r\n".encode()
        kind = f"multipart/form-data; boundary={mark}"
        document = self.call("POST documents", "POST", "/v1/documents", form, content_type=kind)
        body = {"title": "Supply contract", "documents": [document["id"]], "parties": list(parties)}
        return self.call("POST contracts", "POST", "/v1/contracts", body)

    def send(self, draft: Any) -> Any:
        """Send a draft to its parties."""
        return self.call("POST send", "POST", f"/v1/contracts/{draft['id']}/send", if_match=f'"v{draft["version"]}"')

    def sign(self, contract: Any, number: int) -> None:
        """Let a party read the contract, agree and sign; return when its signature is there."""
        path, company = f"/v1/contracts/{contract['id']}", cast.CAST[number]
        party = contract["parties"][number]
        shown = self.call("GET content", "GET", f"{path}/documents/{contract['documents'][0]['id']}/content")
        consent = {
            "text": company.consent,
            "locale": company.locale,
            "accepted": True,
            "document_sha256": hashlib.sha256(shown).hexdigest(),
        }
        path += f"/parties/{party['id']}"
        if party["key_holder"] == "service":
            start = time.perf_counter()
            job = self.call("POST sign", "POST", f"{path}/sign", {"consent": consent})
            self._wait("GET job, waiting", f"/v1/jobs/{job['id']}", "succeeded")
            self._calls.add("POST sign, until the signature is there", time.perf_counter() - start)
            return
        asked = self.call("POST signature-requests", "POST", f"{path}/signature-requests", {"consent": consent})
        value = _own(company.suite).key.sign(base64.b64decode(asked["dtbs"]))
        body = {"signature": base64.b64encode(value).decode()}
        self.call("PUT signature-requests", "PUT", f"{path}/signature-requests/{asked['id']}", body)

    def approve(self, contract: Any, number: int) -> None:
        """Let an approver approve, who has read the contract with all signatures."""
        path = f"/v1/contracts/{contract['id']}"
        shown = self.call("GET content", "GET", f"{path}/documents/{contract['documents'][0]['id']}/content")
        digest = hashlib.sha256(shown).hexdigest()
        consent = {"text": "Approved.", "locale": "en", "accepted": True, "document_sha256": digest}
        party = contract["parties"][number]["id"]
        self.call("POST approve", "POST", f"{path}/parties/{party}/approve", {"consent": consent})

    def wait_for(self, contract: Any, state: str) -> Any:
        """Return a contract when it has come to a state."""
        return self._wait("GET contract, waiting", f"/v1/contracts/{contract['id']}", state)

    def _wait(self, what: str, path: str, state: str) -> Any:
        limit, found, seen = time.monotonic() + PATIENCE, None, {}
        while time.monotonic() < limit:
            found = self.call(what, "GET", path, prefer=WAIT, **seen) or found
            if found["state"] in {state, "failed"}:
                break
            seen = {"if_none_match": self._tag} if self._tag is not None else {}
        if found is None or found["state"] != state:
            raise RuntimeError(f"{path} is not {state}: {found}")
        return found


def parties(*, held: bool, approver: bool = False) -> list[dict[str, Any]]:
    """Return three parties that sign in turn, with keys that the service holds or their own; one may approve then."""
    found = [
        company.party(order, None, None if held else _own(company.suite).bundle)
        for order, company in enumerate(cast.CAST, start=1)
    ]
    if approver:
        found.append({"name": "Erika Mustermann", "role": "approver", "order": len(found) + 1})
    return found


def in_turns(clients: int, work: Sequence[Any], act: Callable[[Customer, Any], Any], *to: Any) -> list[Any]:
    """Let so many customers do the work between them, each over one connection (`to`: address, key, calls)."""
    local = threading.local()
    open_: list[Customer] = []

    def one(item: Any) -> Any:
        if not hasattr(local, "customer"):
            local.customer = Customer(*to)
            open_.append(local.customer)
        return act(local.customer, item)

    with ThreadPoolExecutor(clients) as pool:
        try:
            return list(pool.map(one, work))
        finally:
            for customer in open_:
                customer.__exit__()


@cache
def _own(suite: str) -> Circle:
    return circle_today(suite)
