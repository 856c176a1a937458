"""An office that signs much: the boss gives policies, the clerk's program sends batches."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from certs.suites.base import PrivateKey
from tests.api.conftest import Service, User
from tests.api.registry import made, person, prove
from tests.api.seals.office import colleague, good, key_id

WORDS = "本人已逐一阅读并同意签署以下合同𠮷。"


@dataclass
class Desk:
    """One tenant, two credentials, and a person on record whose keys are used."""

    boss: User
    clerk: User
    signer: dict[str, Any]

    @classmethod
    def of(cls, service: Service) -> Desk:
        boss = service.user("desk")
        signer = person(boss)
        prove(boss, signer)
        return cls(boss, colleague(boss), signer)

    def contract(self, suite: str = "ecdsa-p256", *others: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.boss.sent({"person": self.signer["id"], "suite": suite}, *others, **more)

    def policy(self, **more: Any) -> dict[str, Any]:
        usual = {
            "name": "每月对账单 · ежемесячные акты",
            "grantee": key_id(self.clerk),
            "person": self.signer["id"],
            "max_documents": 10,
            "max_per_day": 20,
            "valid_to": "2090-01-01T00:00:00Z",
        }
        body = {name: value for name, value in (usual | more).items() if value is not None}
        return made(self.boss, "/v1/signing-policies", body)

    def send(self, contracts: list[dict[str, Any]], policy: dict[str, Any] | None = None, **options: Any) -> Any:
        body = batch(*contracts) | ({"policy": policy["id"]} if policy is not None else {})
        return self.clerk.post("/v1/batches", json=body, **options)

    def ended(self, response: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the batch and its job, once that has ended."""
        assert response.status_code == 202, response.text
        job = self.clerk.wait_for_job(f"/v1/jobs/{response.json()['job']}")
        return good(self.clerk.get(response.headers["location"])), job

    def refused(self, response: Any, reason: str) -> dict[str, Any]:
        body = dict(response.json())
        assert (response.status_code, body["code"], body["reason"]) == (422, "signing-policy-refused", reason), body
        return body


def batch(*contracts: dict[str, Any], index: int = 0) -> dict[str, Any]:
    """Return the body of a batch: a party of each contract, and the documents as they are."""
    items = [
        {
            "contract": contract["id"],
            "party": contract["parties"][index]["id"],
            "documents": {row["id"]: row["revision_sha256"] for row in contract["documents"]},
        }
        for contract in contracts
    ]
    return {"items": items, "consent": {"text": WORDS, "locale": "zh", "accepted": True}}


def value(request: dict[str, Any], key: PrivateKey) -> dict[str, str]:
    """Return what a party's program sends back for one request."""
    return {
        "request": request["id"],
        "signature": base64.b64encode(key.sign(base64.b64decode(request["dtbs"]))).decode(),
    }
