"""Verify a file in a child process; the answer is its verdict, or the code of the error that was foreseen."""

from __future__ import annotations

from typing import Any

from certs.errors import SealroadError
from certs.trust import TrustStore
from signer.verify import verify_bytes
from tests.conftest import CLOCK


def answer(header: dict[str, Any], body: bytes) -> bytes:
    try:
        report = verify_bytes(body, name=header["name"], trust=TrustStore.load([]), clock=CLOCK)
    except SealroadError as error:
        return f"error {error.code}".encode()
    unforeseen = [s.reason for s in report.signatures if s.code == "internal"]
    return f"internal {unforeseen}".encode() if unforeseen else report.verdict.encode()
