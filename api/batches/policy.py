"""What a signing policy permits. Pure: values in, values out; no clock, no database.

    permit(policy, "key_1", [Part(person="per_1", documents=2)], now)      # or SigningPolicyRefused

A policy lets one user or API key have keys that the service holds used on many contracts at once, with nobody there who
looks at each. It says whose keys, within which limits, until when. It adds to what else is needed: a seal wants its
grant as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.errors import SigningPolicyRefused
from api.kit.refusals import problem_at


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Who may have which keys used, how often and until when. Both ends of the period belong to it."""

    id: str
    grantee: str
    """A user, or an API key that is no user's."""
    valid_from: datetime
    valid_to: datetime
    person: str | None = None
    """Exactly one of this and the next two: keys of this person,"""
    organisation: str | None = None
    """of whoever signs for this organisation,"""
    seal: str | None = None
    """or of this seal."""
    agreement: str | None = None
    """Only contracts under this framework agreement; None: any."""
    roles: frozenset[str] | None = None
    """Only parties in these roles; None: in any that signs."""
    max_documents: int
    """In one batch."""
    max_per_day: int
    """In one calendar day, UTC."""
    used_today: int = 0
    revoked: bool = False

    def covers(self, part: Part) -> bool:
        """Tell whether the policy is for a party of a contract."""
        keys = (self.person, self.organisation, self.seal)
        owner = any(
            wanted is not None and wanted == found
            for wanted, found in zip(keys, (part.person, part.organisation, part.seal), strict=True)
        )
        under = self.agreement is None or part.agreement == self.agreement
        return owner and under and (self.roles is None or part.role in self.roles)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one party of a contract is to sign."""

    role: str
    documents: int
    person: str | None = None
    organisation: str | None = None
    seal: str | None = None
    agreement: str | None = None


def permit(policy: Policy, who: str, parts: Sequence[Part], now: datetime) -> int:
    """Return how many documents a batch is counted as. Raises SigningPolicyRefused, whose `reason` says why not.

    1. The policy is in force, and for who asks.
    2. It covers every part.
    3. The batch is within its limit, and within what is left of the day.
    """
    check_in_force(policy, who, now)
    errors = [
        problem_at(f"/items/{index}", "policy-scope", "is not covered by the policy")
        for index, part in enumerate(parts)
        if not policy.covers(part)
    ]
    if errors:
        raise SigningPolicyRefused("the policy is for something else", reason="policy-scope", errors=errors)
    count = sum(part.documents for part in parts)
    if count > policy.max_documents:
        message = f"the policy allows {policy.max_documents} documents in a batch, and these are {count}"
        raise SigningPolicyRefused(message, reason="batch-too-large")
    if policy.used_today + count > policy.max_per_day:
        left = max(policy.max_per_day - policy.used_today, 0)
        message = f"of {policy.max_per_day} documents a day {left} are left today, and these are {count}"
        raise SigningPolicyRefused(message, reason="daily-limit")
    return count


def check_in_force(policy: Policy, who: str, now: datetime) -> None:
    """Raise SigningPolicyRefused unless somebody may use the policy at a moment."""
    if policy.grantee != who:
        raise SigningPolicyRefused("the policy is for somebody else", reason="not-granted")
    if policy.revoked:
        raise SigningPolicyRefused("the policy was revoked", reason="not-granted")
    if now < policy.valid_from:
        raise SigningPolicyRefused(f"the policy begins on {policy.valid_from:%Y-%m-%d}", reason="not-granted")
    if now > policy.valid_to:
        raise SigningPolicyRefused(f"the policy ended on {policy.valid_to:%Y-%m-%d}", reason="policy-expired")
