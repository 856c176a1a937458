"""What a credential may do, and the roles of people that are made of it.

    scopes_of(["signer", "auditor"])         # what somebody with these roles may do at most

An operation asks for one scope. A role is a list of scopes; a key of a user never has more than the user's roles have.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

SCOPES: Final = (
    "documents:read",
    "documents:write",
    "contracts:read",
    "contracts:write",
    "contracts:sign",
    "templates:write",
    "verifications:write",
    "people:read",
    "people:write",
    "identities:write",
    "factors:write",
    "certificates:read",
    "certificates:write",
    "seals:read",
    "seals:use",
    "seals:write",
    "seals:approve",
    "envelopes:read",
    "envelopes:write",
    "envelopes:open",
    "agreements:read",
    "agreements:write",
    "agreements:sign",
    "mandates:read",
    "mandates:write",
    "signing-policies:read",
    "signing-policies:write",
    "users:read",
    "users:write",
    "api-keys:read",
    "api-keys:write",
)
NAMED_SCOPES: Final = frozenset(
    {
        *("certificates:write", "seals:write", "seals:approve", "signing-policies:write", "factors:write"),
        *("users:write", "api-keys:write"),
    }
)
USUAL_SCOPES: Final = tuple(scope for scope in SCOPES if scope not in NAMED_SCOPES)
"""Of a key that is made without naming any: least privilege. Whoever may issue certificates, or have seals made, gets
any name into them that is proven; who approves, or lets others sign or come in, must not be whoever comes along. To use
a seal takes a grant as well."""

RoleName = Literal[
    "admin", "manager", "signer", "identity-officer", "seal-keeper", "seal-approver", "auditor", "integrator"
]

_READS = tuple(scope for scope in SCOPES if scope.endswith(":read"))

ROLES: Final[dict[str, tuple[str, ...]]] = {
    "admin": SCOPES,
    "manager": (
        "documents:read",
        "documents:write",
        "contracts:read",
        "contracts:write",
        "templates:write",
        "verifications:write",
        "people:read",
        "people:write",
        "certificates:read",
        "seals:read",
        "envelopes:read",
        "envelopes:write",
        "agreements:read",
        "agreements:write",
        "mandates:read",
        "mandates:write",
        "signing-policies:read",
    ),
    "signer": (
        "documents:read",
        "contracts:read",
        "contracts:sign",
        "verifications:write",
        "seals:read",
        "seals:use",
        "envelopes:read",
        "envelopes:open",
        "agreements:read",
        "agreements:sign",
        "mandates:read",
        "signing-policies:read",
    ),
    "identity-officer": (
        "people:read",
        "people:write",
        "identities:write",
        "factors:write",
        "certificates:read",
        "mandates:read",
        "mandates:write",
    ),
    "seal-keeper": ("documents:read", "contracts:read", "people:read", "seals:read", "seals:write", "seals:use"),
    "seal-approver": ("people:read", "seals:read", "seals:approve"),
    "auditor": (*_READS, "verifications:write"),
    "integrator": USUAL_SCOPES,
}
"""What each role may do. Who keeps seals does not approve them, and who identifies people sends no contracts."""


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """Return what somebody with these roles may do; a role that nobody knows gives nothing."""
    return frozenset(scope for role in roles for scope in ROLES.get(role, ()))
