"""The device of a party: it sees a QR code, has a key and no credential, and knows nothing else of the service."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from certs.suites.base import PrivateKey
from tests.api.conftest import User
from tests.api.handover.scanner import read

AGENT = "Phone/1.0"


@dataclass
class Phone:
    """A separate small client."""

    address: str
    key: PrivateKey
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(headers={"user-agent": AGENT}, trust_env=False, timeout=60)
    )

    @classmethod
    def scanning(cls, handover: dict[str, Any], key: PrivateKey) -> Phone:
        return cls(read(base64.b64decode(handover["qr"]["png"])), key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def look(self) -> Any:
        return self.http.get(self.address)

    def content(self) -> bytes:
        return self.http.get(f"{self.address}/content").raise_for_status().content

    def sign(self) -> str:
        """Show what is to be signed, and sign it: the octets are all that the key needs."""
        return base64.b64encode(self.key.sign(base64.b64decode(self.look().json()["dtbs"]))).decode()

    def send(self, **body: Any) -> Any:
        return self.http.put(self.address, json=body)


def path_of(request: dict[str, Any]) -> str:
    return f"/v1/contracts/{request['contract']}/parties/{request['party']}/signature-requests/{request['id']}/handover"


def hand_over(user: User, request: dict[str, Any]) -> dict[str, Any]:
    response = user.post(path_of(request))
    assert response.status_code == 201, response.text
    return dict(response.json())
