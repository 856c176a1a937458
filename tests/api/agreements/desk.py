"""What the tests of agreements share: organisations with keys of their own, and agreements between them."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from certs.certificate import Certificate
from certs.clock import SystemClock
from certs.suites.base import PrivateKey
from signer.cms import sign_detached
from tests.api.conftest import User, circle_today
from tests.api.seals.office import good
from tests.conftest import SIGNING, keys_of, subjects_of

QUICK = ("sm2", "gost2012-256", "ecdsa-p256")
SUITES = [suite if suite in QUICK else pytest.param(suite, marks=pytest.mark.slow) for suite in SIGNING]
V1, V2 = {"if-match": '"v1"'}, {"if-match": '"v2"'}


@dataclass(frozen=True)
class Firm:
    """An organisation somewhere, with its own key."""

    suite: str
    name: str
    key: PrivateKey
    certificate: Certificate
    chain: tuple[Certificate, ...]

    @property
    def pem(self) -> str:
        return "".join(each.pem for each in (self.certificate, *self.chain))

    def cms(self, octets: bytes) -> str:
        """Sign as `sealroad sign --detached` does."""
        made = sign_detached(io.BytesIO(octets), self.key, self.certificate, self.chain, clock=SystemClock())
        return base64.b64encode(made).decode()

    def party(self, **more: Any) -> dict[str, Any]:
        return {"name": self.name, **more}


@cache
def firm(suite: str) -> Firm:
    circle, key = circle_today(suite), keys_of(suite)[3]
    subject = subjects_of(suite)[1]
    certificate = circle.ca.issue("organisation", subject, key.public_key.spki)
    return Firm(suite, subject.organisation or "", key, certificate, circle.ca.chain)


def words(*parties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "schema": "sealroad.agreement/1",
        "title": "框架协议 · Рамочное соглашение 𠮷",
        "binding": "required",
        "parties": list(parties),
        **more,
    }


def draft(user: User, body: dict[str, Any], status: int = 201, **options: Any) -> dict[str, Any]:
    return good(user.post("/v1/agreements", json={"agreement": body}, **options), status)


def at(agreement: dict[str, Any], what: str = "") -> str:
    return f"/v1/agreements/{agreement['id']}{what}"


def offered(user: User, body: dict[str, Any]) -> dict[str, Any]:
    return good(user.post(at(draft(user, body), "/offer"), headers=V1))


def octets_of(user: User, agreement: dict[str, Any]) -> bytes:
    response = user.get(at(agreement, "/content"))
    assert response.status_code == 200, response.text
    return bytes(response.content)


def signed(user: User, agreement: dict[str, Any], *firms: Firm) -> dict[str, Any]:
    """Let firms sign, each with a detached signature."""
    octets = octets_of(user, agreement)
    for each in firms:
        agreement = good(user.post(at(agreement, "/signatures"), json={"cms": each.cms(octets)}), 201)
    return agreement


def concluded(user: User, *firms: Firm, conditions: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return an agreement that firms have signed."""
    made = signed(user, offered(user, words(*(each.party(**conditions or {}) for each in firms), **more)), *firms)
    assert made["state"] == "in_force"
    return made


def asked(user: User, agreement: dict[str, Any], pem: str, status: int = 201) -> dict[str, Any]:
    return good(user.post(at(agreement, "/signature-requests"), json={"certificate": pem}), status)


def handed(user: User, request: dict[str, Any], **body: Any) -> Any:
    return user.put(f"/v1/agreements/{request['agreement']}/signature-requests/{request['id']}", json=body)


def value(firm: Firm, request: dict[str, Any]) -> str:
    return base64.b64encode(firm.key.sign(base64.b64decode(request["dtbs"]))).decode()


def ending(agreement: dict[str, Any], moment: str, **more: Any) -> dict[str, Any]:
    return {
        "schema": "sealroad.termination/1",
        "title": "Termination 终止 прекращение",
        "terminates": agreement["sha256"],
        "effective_from": moment,
        **more,
    }


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), response.text
    return dict(body)
