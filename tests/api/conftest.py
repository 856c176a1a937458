"""One service per session; every test is a tenant of its own in it, and so meets the others' objects as foreign."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import itertools
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pikepdf
import pytest

from api.auth.service import SCOPES, create_key, create_tenant
from api.config import Settings
from api.context import Context, open_context
from api.migrations import upgrade
from api.pki.circles import Circles
from api.server import running
from certs.ca import ClosedCircle
from certs.certificate import Certificate, Subject
from certs.clock import SystemClock
from certs.ledger import MemoryLedger
from certs.suites.base import PrivateKey
from tests.api import counted
from tests.conftest import keys_of

CONSENT = {
    "en": "I have read the contract and sign it.",
    "zh": "我已阅读并同意签署本合同。",
    "ru": "Я прочитал договор и подписываю его.",
}
PAUSE = 0.05
"""Seconds between two looks: every look takes 10 ms from what is waited for."""
_numbers = itertools.count(1)
counted.install()


def make_pdf(pages: int = 1, text: str = "contract") -> bytes:
    """Return a small PDF that differs from every other one."""
    pdf = pikepdf.new()
    for _ in range(pages):
        pdf.add_blank_page(page_size=(595, 842))
    pdf.docinfo["/Title"] = f"{text} {next(_numbers)} {time.time_ns()}"
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


@dataclass
class User:
    """A tenant's program that talks to the service."""

    http: httpx.Client
    token: str
    context: Context
    tenant_id: str

    def request(self, method: str, path: str, **options: Any) -> Any:
        headers = {"authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Any:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Any:
        return self.request("PUT", path, **options)

    def upload(self, pdf: bytes | None = None, name: str = "contract.pdf") -> dict[str, Any]:
        response = self.post("/v1/documents", files={"file": (name, pdf or make_pdf(), "application/pdf")})
        assert response.status_code == 201, response.text
        return response.json()

    def draft(self, parties: list[dict[str, Any]], documents: list[str] | None = None, **more: Any) -> dict[str, Any]:
        body = {"title": "Supply contract", "documents": documents or [self.upload()["id"]], "parties": parties, **more}
        response = self.post("/v1/contracts", json=body)
        assert response.status_code == 201, response.text
        return response.json()

    def send(self, contract: dict[str, Any]) -> dict[str, Any]:
        response = self.post(f"/v1/contracts/{contract['id']}/send", headers={"if-match": f'"v{contract["version"]}"'})
        assert response.status_code == 200, response.text
        return response.json()

    def sent(self, *parties: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.send(self.draft(list(parties), **more))

    def contract(self, contract: dict[str, Any]) -> dict[str, Any]:
        response = self.get(f"/v1/contracts/{contract['id']}")
        assert response.status_code == 200, response.text
        return response.json()

    def consent(self, contract: dict[str, Any], locale: str = "en") -> dict[str, Any]:
        documents = {row["id"]: row["revision_sha256"] for row in self.contract(contract)["documents"]}
        stated = (
            {"document_sha256": next(iter(documents.values()))} if len(documents) == 1 else {"documents": documents}
        )
        return {"text": CONSENT[locale], "locale": locale, "accepted": True, **stated}

    def sign(self, contract: dict[str, Any], party: dict[str, Any]) -> dict[str, Any]:
        """Sign with a key that the service holds, and wait for the job."""
        path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/sign"
        response = self.post(path, json={"consent": self.consent(contract, party["locale"])})
        assert response.status_code == 202, response.text
        return self.wait_for_job(response.headers["location"])

    def wait_for_job(self, location: str) -> dict[str, Any]:
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            job = self.get(location).json()
            if job["state"] in {"succeeded", "failed", "cancelled"}:
                return job
            time.sleep(PAUSE)
        raise AssertionError(f"the job did not end: {job}")

    def wait_for_state(self, contract: dict[str, Any], *states: str) -> dict[str, Any]:
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            found = self.contract(contract)
            if found["state"] in states:
                return found
            time.sleep(PAUSE)
        raise AssertionError(f"the contract is {found['state']}, not {states}: {found['failure']}")

    def ask(self, contract: dict[str, Any], party: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Ask for the data that the party's own key is to sign."""
        path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/signature-requests"
        response = self.post(path, json={"consent": self.consent(contract, party["locale"]), **more})
        assert response.status_code == 201, response.text
        return response.json()

    def hand_in(self, request: dict[str, Any], **body: Any) -> Any:
        path = f"/v1/contracts/{request['contract']}/parties/{request['party']}/signature-requests/{request['id']}"
        return self.put(path, json=body)

    def sign_at_home(self, contract: dict[str, Any], party: dict[str, Any], key: Any) -> dict[str, Any]:
        """Sign with the party's own key, as its program would."""
        request = self.ask(contract, party)
        value = key.sign(base64.b64decode(request["dtbs"]))
        response = self.hand_in(request, signature=base64.b64encode(value).decode())
        assert response.status_code == 200, response.text
        return response.json()

    def content(self, contract: dict[str, Any], index: int = 0) -> bytes:
        row = contract["documents"][index]
        response = self.get(f"/v1/contracts/{contract['id']}/documents/{row['id']}/content")
        assert response.status_code == 200, response.text
        assert response.headers["etag"] == f'"{hashlib.sha256(response.content).hexdigest()}"'
        return response.content


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with keys and tables and nothing else: to make one takes a second, to copy it none."""
    data = tmp_path_factory.mktemp("ground")
    context = open_context(Settings(data=data))
    upgrade(context.database)
    context.close()
    return data


@pytest.fixture(scope="session", autouse=True)
def _circles_are_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let services that stand on the same ground begin with copies of the same circles."""
    make, kept = Circles._create, tmp_path_factory.mktemp("circles")

    def copied(self: Circles, suite: str) -> None:
        given = self._settings
        if not isinstance(given.clock, SystemClock):
            make(self, suite)
            return
        sort = (self._vault.derive("ground"), given.circle_organisation, given.circle_country, given.public_url)
        place = kept / hashlib.sha256(repr((*sort, given.circle_partitions, suite)).encode()).hexdigest()
        if place.is_dir():
            shutil.copytree(place, self._root / f".{suite}.new")
            (self._root / f".{suite}.new").rename(self._root / suite)
        else:
            make(self, suite)
            shutil.copytree(self._root / suite, place)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Circles, "_create", copied)
        yield


# Of a module, not of the session: tests elsewhere fork, and a fork inherits what the threads of a service hold.
@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, ground: Path) -> Settings:
    data = tmp_path_factory.mktemp("service")
    shutil.copytree(ground, data, dirs_exist_ok=True)
    return Settings(data=data, max_upload=3 * 2**20, port=0)


@dataclass
class Service:
    """A real server on a free loopback port, over a real SQLite file; and the same data seen from inside."""

    http: httpx.Client
    context: Context

    def user(self, name: str = "user", scopes: tuple[str, ...] = SCOPES) -> User:
        """Make a tenant."""
        with self.context.database.write() as session:
            tenant = create_tenant(session, f"{name} {next(_numbers)}", now=self.context.now())
            token = create_key(session, tenant, name="test", now=self.context.now(), scopes=scopes)
            return User(self.http, token, self.context, tenant.id)


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[Service]:
    """Run a service while the block runs."""
    with running(settings) as address, httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        context = open_context(settings)
        try:
            yield Service(client, context)
        finally:
            context.close()


@pytest.fixture(scope="module")
def service(settings: Settings) -> Iterator[Service]:
    with serving(settings) as found:
        yield found


@pytest.fixture
def user(service: Service) -> User:
    return service.user()


@pytest.fixture
def stranger(service: Service) -> User:
    return service.user("stranger")


@cache
def circle_today(suite: str) -> Circle:
    """Return a circle that is not the service's, over the cached test keys and the real clock."""
    root_key, issuing_key, person_key, *_ = keys_of(suite)
    ca = ClosedCircle.create(
        suite,
        organisation="Elsewhere",
        country="DE",
        clock=SystemClock(),
        ledger=MemoryLedger(),
        root_key=root_key,
        issuing_key=issuing_key,
    )
    certificate = ca.issue("person", Subject("Anna Becker", country="DE"), person_key.public_key.spki)
    return Circle(ca, person_key, certificate)


@dataclass(frozen=True)
class Circle:
    """Somebody else's circle, and one person in it who holds a key."""

    ca: ClosedCircle
    key: PrivateKey
    certificate: Certificate

    @property
    def bundle(self) -> str:
        """The person's certificate and its chain, PEM."""
        return "".join(certificate.pem for certificate in (self.certificate, *self.ca.chain))


def at_home(circle: Circle, **more: Any) -> dict[str, Any]:
    """Return a party that holds its own key, with a certificate from elsewhere."""
    return {"name": "Anna Becker", "certificate": circle.bundle, **more}


PROOF: dict[str, Any] = {
    "method": "in-person",
    "evidence": [{"sha256": hashlib.sha256(b"a passport").hexdigest(), "what": "passport"}],
    "operator": "Otto Schalter",
    "at": "2025-03-01T09:00:00Z",
}
"""How somebody was identified; no certificate is issued without."""


def held(suite: str, **more: Any) -> dict[str, Any]:
    """Return a party whose key the service holds; a value of None takes something out."""
    usual = {"name": "Erika Mustermann", "organisation": "Muster GmbH", "country": "DE", "identity_proof": PROOF}
    return {key: value for key, value in ({**usual, "suite": suite} | more).items() if value is not None}
