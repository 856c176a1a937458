"""What the tests of contracts say to the service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import CONSENT, PROOF, User
from tests.conftest import SIGNING

QUICK = ("ecdsa-p256", "sm2", "gost2012-256")
SUITES = [suite if suite in QUICK else pytest.param(suite, marks=pytest.mark.slow) for suite in SIGNING]
"""Every suite; those of the same kind as a quick one, or slow to make keys, where all tests run."""
MANDATE = {"type": "ru-mchd", "document": "6f1d9a4e-0c52-4f0a-9c1e-2b7d0f6f5b11"}


def act(user: User, contract: dict[str, Any], party: dict[str, Any], what: str, **more: Any) -> Any:
    """Let a party approve or acknowledge."""
    path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/{what}"
    return user.post(path, json={"consent": consent(user, contract, party)}, **more)


def consent(user: User, contract: dict[str, Any], party: dict[str, Any]) -> dict[str, Any]:
    """Return a consent to what the party is shown."""
    rows = {row["id"]: row["revision_sha256"] for row in user.contract(contract)["documents"]}
    documents = {name: rows[name] for name in party["shown"]}
    return {"text": CONSENT[party["locale"]], "locale": party["locale"], "accepted": True, "documents": documents}


def delegate(user: User, contract: dict[str, Any], party: dict[str, Any], **body: Any) -> Any:
    """Let a party delegate."""
    path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/delegate"
    proof = {"identity_proof": PROOF} if "suite" in body else {}
    return user.post(path, json={"name": "Ольга Смирнова", "mandate": MANDATE, **proof, **body})


def events(user: User, contract: dict[str, Any]) -> list[dict[str, Any]]:
    return list(user.get(f"/v1/contracts/{contract['id']}/events").json()["data"])


def types(user: User, contract: dict[str, Any]) -> list[str]:
    return [event["type"] for event in events(user, contract)]


def good(response: Any, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.text
    return dict(response.json())


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    return dict(body)


def completed(user: User, contract: dict[str, Any]) -> dict[str, Any]:
    found = user.wait_for_state(contract, "completed", "failed")
    assert found["state"] == "completed", found["failure"]
    return found


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def verdict(user: User, contract: dict[str, Any]) -> list[dict[str, Any]]:
    return [row["report"] for row in user.get(f"/v1/contracts/{contract['id']}/verification").json()["documents"]]
