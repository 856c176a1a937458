"""What an authority wants to see before it certifies under a profile that asks for proofing or approvals.

    clearance = Clearance(application="9f…", issuer=authority.id, profile="seal", …)     # made by certs.ra only
    authority.prepare(profile, subject, spki, clearance=clearance)

It says that one application, of this digest, was proofed and approved for exactly this profile, subject and key. The
authority compares, and writes the digest into its ledger, which takes every digest once.
"""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from certs.errors import ApprovalError
from certs.profiles import Profile


@dataclass(frozen=True)
class Clearance:
    """An application that may be issued."""

    application: str
    """SHA-256 of the canonical application, hexadecimal."""
    issuer: str
    """Key identifier of the authority it was made to, hexadecimal."""
    profile: str
    subject: bytes
    """DER of the Name applied for."""
    spki: bytes
    proofing: str | None
    """SHA-256 of the canonical identity-proofing record."""
    officers: tuple[str, ...] = ()
    """Who approved; no two are the same person."""
    days: int | None = None
    hours: int | None = None
    """Validity in hours, from now, for one-time signers."""


def check_clearance(clearance: Clearance | None, issuer: str, profile: Profile, subject: bytes, spki: bytes) -> None:
    """Raise ApprovalError where `profile` asks for more than `clearance` gives, or it is for something else.

    `subject` and `spki` are DER.
    """
    if clearance is None:
        if profile.approvals or profile.identity_proofing:
            raise ApprovalError(
                f"profile {profile.name} issues by application only",
                hint="make one with 'sealroad ra apply'",
                profile=profile.name,
            )
        return
    if len(clearance.officers) < profile.approvals:
        raise ApprovalError(
            f"profile {profile.name} asks for {profile.approvals} approvals; {len(clearance.officers)} count",
            profile=profile.name,
        )
    if profile.identity_proofing and clearance.proofing is None:
        raise ApprovalError(f"profile {profile.name} asks for identity proofing", profile=profile.name)
    if (clearance.issuer, clearance.profile) != (issuer, profile.name):
        raise ApprovalError("the application is for another authority or profile", profile=profile.name)
    if not compare_digest(clearance.subject, subject) or not compare_digest(clearance.spki, spki):
        raise ApprovalError("the application is for another subject or key", profile=profile.name)
