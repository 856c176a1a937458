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

Purpose = Literal["signing", "seal-making", "encryption", "timestamping", "ocsp", "tls-server", "tls-client", "any"]
"""What the leaf is used for; "any" asks nothing of it. See `certs.path_purpose`."""
Indication = Literal["PASSED", "INDETERMINATE", "FAILED"]
Result = Literal["passed", "failed", "not-checked"]


@dataclass(frozen=True)
class Limits:
    """Budgets; to exceed one is INDETERMINATE, never FAILED."""

    certificates: int = 16
    """Foreign certificates looked at, after those that cannot be in a chain of the leaf are left out."""
    candidates: int = 8
    """Issuers tried per certificate; where authorities certify each other through a bridge, one has four and more."""
    depth: int = 8
    """Certificates in a chain, anchor included."""
    signatures: int = 64
    """Signatures checked."""
    crl_signatures: int = 32
    ocsp_signatures: int = 32
    pool: int = 4096
    """Certificates the caller may hand over at all, anchors not counted."""
    octets: int = 1 << 20
    """Octets of the foreign certificates that are looked at."""
    steps: int = 2000
    """Certificates put onto a chain during the search, dead ends included."""
    chains: int = 8
    """Chains to an anchor that are tried, where the first does not hold."""
    names: int = 16_384
    """Comparisons of a name with a constraint, per chain."""
    fetches: int = 8
    """Addresses asked for missing certificates and lists, where a fetcher is given."""
    seconds: float = 10.0
    """For the whole, where the caller sets no deadline; the other budgets should end it long before."""


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
    policies: frozenset[str] = frozenset()
    """The certificate policies that the chain is valid for and the caller takes (RFC 5280 6.1.6)."""
    notes: tuple[str, ...] = ()
    """Remarks that change nothing: what was fetched, addresses that cannot be, oddities of a foreign certificate."""

    @property
    def passed(self) -> bool:
        """Whether everything held."""
        return self.indication == "PASSED"

    @property
    def detail(self) -> str:
        """The first thing that did not hold, in one sentence."""
        return next((check.detail for check in self.checks if check.result != "passed"), "")


class BudgetExceeded(Exception):
    """Something would take more work than `Limits` allows."""


class Stop(Exception):
    """Ends the validation with an answer that is not PASSED."""

    def __init__(
        self, check: Check, sub_indication: str, indication: Indication = "INDETERMINATE", **facts: Any
    ) -> None:
        super().__init__(check.detail)
        self.check, self.sub_indication, self.indication, self.facts = check, sub_indication, indication, facts
