"""Enrolling factors and showing them, as a signer's program does."""

from __future__ import annotations

import base64
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api.factors import otp
from certs.keys import kek_passphrase
from tests.api.conftest import User
from tests.api.contracts.talk import consent, good

WORDS = "卧龙凤雏 белая ворона 42"
"""A passphrase in three scripts."""
OTHER = "correct horse battery staple"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive keys at a thousandth of the cost."""
    monkeypatch.setattr(kek_passphrase, "SCRYPT", {"n": 1 << 7, "r": 8, "p": 1})


def offered(user: User, kind: str, **signer: str) -> str:
    """Let a signer (person=… or party=…) enrol; return the secret."""
    return str(good(user.post("/v1/factor-enrolments", json={"kind": kind, **signer}), 201)["secret"])


def with_passphrase(user: User, words: str = WORDS, **signer: str) -> dict[str, Any]:
    body = {"enrolment": offered(user, "passphrase", **signer), "passphrase": words}
    return good(user.post("/v1/factors", json=body), 201)


def with_codes(user: User, algorithm: str = "SHA1", **signer: str) -> tuple[dict[str, Any], bytes]:
    """Enrol codes and confirm them; return the factor and the app's secret."""
    body = {"enrolment": offered(user, "totp", **signer), "algorithm": algorithm}
    factor = good(user.post("/v1/factors", json=body), 201)
    secret = secret_in(factor)
    path = f"/v1/factors/{factor['id']}"
    confirmed = good(user.post(f"{path}/confirm", json={"code": code(secret, algorithm)}))
    fresh(user, confirmed)
    return confirmed, secret


def secret_in(factor: dict[str, Any]) -> bytes:
    """Return what an app reads out of the URI."""
    text = parse_qs(urlsplit(factor["otpauth"]).query)["secret"][0]
    return base64.b32decode(text + "=" * (-len(text) % 8))


def code(secret: bytes, algorithm: str = "SHA1", steps: int = 0) -> str:
    """Return what an app shows now, or so many steps later."""
    moment = (int(time.time()) // otp.PERIOD + steps) * otp.PERIOD
    return otp._totp(secret, algorithm).generate(moment).decode()


def fresh(user: User, factor: dict[str, Any]) -> None:
    """Let codes of the present step be taken again, and forget failures, as time would do."""
    from api.factors.models import Factor

    with user.context.database.write() as session:
        row = session.get_one(Factor, factor["id"])
        row.last_step, row.retry_at, row.failures = None, None, 0


def shown(kind: str, value: str) -> dict[str, str]:
    return {"kind": kind, "value": value}


def do(user: User, contract: dict[str, Any], party: dict[str, Any], what: str, *factors: Any, **more: Any) -> Any:
    """Let a party sign, approve or acknowledge with factors."""
    body = {"consent": consent(user, contract, party), "factors": list(factors)}
    return user.post(f"/v1/contracts/{contract['id']}/parties/{party['id']}/{what}", json=body, **more)


def signed(user: User, response: Any) -> dict[str, Any]:
    """Wait for the job of a signing."""
    assert response.status_code == 202, response.text
    job = user.wait_for_job(response.headers["location"])
    assert job["state"] == "succeeded", job
    return job
