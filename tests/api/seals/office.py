"""An organisation with people: each has an API key, and what the life of a seal needs of them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from api.auth.models import Tenant
from api.auth.service import SCOPES, create_key
from tests.api.conftest import PROOF, Service, User
from tests.signer.seals.making import raster

OWNERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sm2": (
        "江海贸易有限公司合同专用章𠮷",
        {
            "organisation": "江海贸易有限公司",
            "country": "CN",
            "identifiers": [{"scheme": "CN-USCC", "value": "91310000MA1FL5RX2W"}],
        },
    ),
    "gost": (
        "ООО «Северный путь» для договоров",
        {
            "organisation": "ООО «Северный путь»",
            "country": "RU",
            "identifiers": [
                {"scheme": "RU-INN", "value": "7707083893"},
                {"scheme": "RU-OGRN", "value": "1027700132195"},
            ],
        },
    ),
    "": (
        "Hansa Fracht GmbH",
        {
            "organisation": "Hansa Fracht GmbH",
            "country": "DE",
            "identifiers": [{"scheme": "LEI", "value": "529900T8BM49AURSDO55"}],
        },
    ),
}


def application(suite: str = "sm2", /, **more: Any) -> dict[str, Any]:
    """Return what is asked for; a value of None takes something out."""
    name, owner = next(found for start, found in OWNERS.items() if suite.startswith(start))
    owner = {**owner, "identity_proof": PROOF}
    usual: dict[str, Any] = {
        "name": name,
        "kind": "contract",
        "picture": {"data": base64.b64encode(raster()).decode(), "width": 42, "height": 42},
        "suite": suite,
        "owner": owner,
    }
    return {key: value for key, value in (usual | more).items() if value is not None}


@dataclass
class Office:
    """Four people of one tenant: Ann applies, Bob and Cat approve, Dan uses the seal."""

    ann: User
    bob: User
    cat: User
    dan: User

    @classmethod
    def of(cls, service: Service) -> Office:
        first = service.user("office")
        return cls(first, *(colleague(first) for _ in range(3)))

    def applied(self, suite: str = "sm2", /, **more: Any) -> dict[str, Any]:
        return good(self.ann.post("/v1/seals", json=application(suite, **more)), 201)

    def made(self, suite: str = "sm2", /, **more: Any) -> dict[str, Any]:
        path = f"/v1/seals/{self.applied(suite, **more)['id']}"
        for person in (self.bob, self.cat)[: more.get("approvals", 1)]:
            good(person.post(f"{path}/approve"))
        return good(self.ann.post(f"{path}/make"))

    def filed(self, suite: str = "sm2", /, **more: Any) -> dict[str, Any]:
        seal = self.made(suite, **more)
        return good(self.ann.post(f"/v1/seals/{seal['id']}/file", json={"filing_number": "31010120260001"}))

    def grant(self, seal: dict[str, Any], to: User | None = None, **more: Any) -> dict[str, Any]:
        body = {"grantee": key_id(to or self.dan), **more}
        return good(self.ann.post(f"/v1/seals/{seal['id']}/grants", json=body), 201)

    def granted(self, suite: str = "sm2", /, *, grant: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        seal = self.filed(suite, **more)
        self.grant(seal, **(grant or {}))
        return seal

    def log(self, seal: dict[str, Any]) -> list[dict[str, Any]]:
        return list(good(self.ann.get(f"/v1/seals/{seal['id']}/events"))["data"])


def colleague(user: User, scopes: tuple[str, ...] = SCOPES) -> User:
    """Return another person of the same tenant."""
    with user.context.database.write() as session:
        tenant = session.get_one(Tenant, user.tenant_id)
        token = create_key(session, tenant, name="person", now=user.context.now(), scopes=scopes)
    return User(user.http, token, user.context, user.tenant_id)


def key_id(user: User) -> str:
    return "key_" + user.token.split("_")[1]


def good(response: Any, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.text
    return dict(response.json())


def refused(response: Any, reason: str) -> None:
    body = response.json()
    assert (response.status_code, body["code"], body["reason"]) == (422, "seal-refused", reason), body
