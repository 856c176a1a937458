"""What a path validation may cost, what it answers, and how it stops early.

Kept apart from `certs.path` so that building a chain and checking revocation can share the words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from certs.certificate import Certificate
from certs.crl import CRL
from certs.ocsp import OCSPResponse

Purpose = Literal["signing", "timestamping"]
Indication = Literal["PASSED", "INDETERMINATE", "FAILED"]
Result = Literal["passed", "failed", "not-checked"]


@dataclass(frozen=True)
class Limits:
    """Budgets; to exceed one is INDETERMINATE, never FAILED."""

    certificates: int = 16
    """Foreign certificates looked at, after those that cannot be in a chain of the leaf are left out."""
    candidates: int = 3
    """Issuers tried per certificate."""
    depth: int = 8
    """Certificates in a chain, anchor included."""
    signatures: int = 64
    """Signatures checked."""
    crl_signatures: int = 32
    ocsp_signatures: int = 32
    pool: int = 4096
    """Certificates the caller may hand over at all, anchors not counted."""


@dataclass(frozen=True)
class Check:
    """One step and its result."""

    id: str
    clause: str
    result: Result
    detail: str = ""
    basis: str = ""
    """What the result rests on, for example a list and its date."""


@dataclass(frozen=True)
class PathResult:
    """The answer; `chain` is leaf to anchor, or as far as it could be built."""

    indication: Indication
    sub_indication: str | None
    chain: tuple[Certificate, ...]
    checks: tuple[Check, ...]
    revoked_at: datetime | None = None
    revocation_reason: str | None = None
    revoked: Certificate | None = None
    """Which certificate of the chain is revoked."""
    crls: tuple[CRL, ...] = field(default=(), repr=False)
    """The lists the answer rests on."""
    ocsps: tuple[OCSPResponse, ...] = field(default=(), repr=False)
    """The OCSP answers it rests on."""

    @property
    def passed(self) -> bool:
        """Whether everything held."""
        return self.indication == "PASSED"

    @property
    def detail(self) -> str:
        """The first thing that did not hold, in one sentence."""
        return next((check.detail for check in self.checks if check.result != "passed"), "")


class Stop(Exception):
    """Ends the validation with an answer that is not PASSED."""

    def __init__(
        self, check: Check, sub_indication: str, indication: Indication = "INDETERMINATE", **facts: Any
    ) -> None:
        super().__init__(check.detail)
        self.check, self.sub_indication, self.indication, self.facts = check, sub_indication, indication, facts
