"""A small customer of the HTTP API, on the standard library alone.

    with Client(address, token) as client:
        document = client.upload("contract.pdf", data)
        contract = client.post("/v1/contracts", {…})

What the service refuses becomes an APIError with the service's own sentence and hint.
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from api.errors import APIError

TIMEOUT = 60.0
"""Seconds that one answer, or one job, may take."""
POLL = 0.03
"""Seconds between two looks at a contract."""


class Client:
    """One connection with one API key."""

    def __init__(self, address: str, token: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
        self._token = token

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def get(self, path: str, **headers: str) -> Any:
        """Return a JSON object of the service."""
        return json.loads(self._call("GET", path, headers=headers))

    def fetch(self, path: str) -> bytes:
        """Return a file of the service."""
        return self._call("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Create or do something; return the service's answer."""
        return self._send("POST", path, body, headers)

    def put(self, path: str, body: Any) -> Any:
        """Hand something in; return the service's answer."""
        return self._send("PUT", path, body, {})

    def upload(self, name: str, data: bytes) -> Any:
        """Upload a document (multipart/form-data, RFC 7578); return what the service says of it."""
        boundary = secrets.token_hex(16)
        shown = "".join(c for c in name if c.isprintable()).replace('"', "%22")
        head = f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{shown}"\r\n'
        head += "content-type: application/pdf\r\n\r\n"
        body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        return json.loads(self._call("POST", "/v1/documents", body, headers))

    def wait_for_job(self, job: Any) -> None:
        """Wait until a job has ended. Raises APIError where it failed."""
        limit = time.monotonic() + TIMEOUT
        while job["state"] in {"queued", "running"}:
            if time.monotonic() > limit:
                raise APIError("the service did not finish signing in time")
            job = self.get(f"/v1/jobs/{job['id']}", prefer="wait=30")
        if job["state"] != "succeeded":
            detail = (job["error"] or {}).get("detail", f"the job is {job['state']}")
            raise APIError(f"the service could not sign: {detail}")

    def wait_for_contract(self, contract_id: str) -> Any:
        """Wait until a contract is completed and return it. Raises APIError where the service finds it wanting."""
        limit = time.monotonic() + TIMEOUT
        while True:
            contract = self.get(f"/v1/contracts/{contract_id}")
            if contract["state"] == "completed":
                return contract
            if contract["state"] == "failed" or time.monotonic() > limit:
                detail = (contract["failure"] or {}).get("detail", f"it is {contract['state']}")
                raise APIError(f"the service did not complete the contract: {detail}")
            time.sleep(POLL)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        encoded = b"" if body is None else json.dumps(body).encode()
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if encoded:
            fields["content-type"] = "application/json"
        return json.loads(self._call(method, path, encoded, fields))

    def _call(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
        fields = {"authorization": f"Bearer {self._token}", "user-agent": "sealroad-demo", **(headers or {})}
        try:
            self._connection.request(method, path, body or None, fields)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise APIError(f"the service does not answer: {error}") from error
        if response.status >= 400:
            raise _refusal(response.status, answer)
        return answer


def _refusal(status: int, answer: bytes) -> APIError:
    """Return the error that an RFC 9457 problem document describes."""
    try:
        problem = json.loads(answer)
        return APIError(problem["detail"], hint=problem.get("hint"), status=status, code=problem.get("code"))
    except (ValueError, TypeError, KeyError):
        return APIError(f"the service answered with status {status}", status=status)
