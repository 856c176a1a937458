"""Whether a chain may be used for a purpose (RFC 5280 4.2.1.3 and 4.2.1.12, RFC 3161 2.3, RFC 6960 4.2.2.2).

    check_purpose(chain, "timestamping")       # the Check that passed, or Stop

A new purpose is a row of `PURPOSES`. Purposes nest: an issuer that excludes ours excludes the leaf, though RFC
5280 does not ask for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from certs import oids
from certs.certificate import Certificate
from certs.path_result import Check, Purpose, Stop

_SIGNING_PURPOSES = frozenset(
    {
        oids.ANY_PURPOSE,
        oids.DOCUMENT_SIGNING,
        oids.EMAIL_PROTECTION,
        oids.CLIENT_AUTH,
        "1.3.6.1.4.1.311.10.3.12",  # Microsoft document signing
        "1.2.840.113583.1.1.5",  # Adobe authentic documents trust
    }
)
"""Purposes that do not speak against signing a document.

Russian and Chinese certificates often carry clientAuth alone.
"""
_ENCRYPTION_PURPOSES = frozenset(
    {
        oids.ANY_PURPOSE,
        oids.EMAIL_PROTECTION,
        oids.CLIENT_AUTH,
        "1.3.6.1.4.1.311.80.1",  # Microsoft document encryption
    }
)
"""Purposes that do not speak against encrypting to the holder."""
_OTHER_PURPOSES = frozenset({oids.SERVER_AUTH, oids.CODE_SIGNING, oids.TIME_STAMPING, oids.OCSP_SIGNING})
"""A certificate with none but these was issued for something else."""


@dataclass(frozen=True)
class Rule:
    """What a purpose asks of the chain."""

    clause: str
    usages: tuple[str, ...] = ()
    """The leaf must allow one of these; none: nothing is asked."""
    allowed: str = "signatures"
    """What these usages allow, in words."""
    accepted: frozenset[str] | None = None
    """Extended key usages that an issuer may be limited to, and the leaf too; None: all."""
    private: bool = False
    """Whether purposes we do not know are good enough."""
    required: bool = False
    """The leaf must state the purpose."""
    alone: bool = False
    """The leaf must state it critically and no other beside it."""


_SIGNING = ("digital_signature", "non_repudiation")
PURPOSES: dict[Purpose, Rule] = {
    "signing": Rule("RFC 5280 4.2.1.3, 4.2.1.12", _SIGNING, accepted=_SIGNING_PURPOSES, private=True),
    # no extended key usage for it is known; who may make seals is said by trust lists
    "seal-making": Rule("RFC 5280 4.2.1.3, 4.2.1.12", _SIGNING, accepted=_SIGNING_PURPOSES, private=True),
    "encryption": Rule(
        "RFC 5280 4.2.1.3, 4.2.1.12",
        ("key_encipherment", "data_encipherment", "key_agreement"),
        allowed="encryption",
        accepted=_ENCRYPTION_PURPOSES,
        private=True,
    ),
    "timestamping": Rule("RFC 3161 2.3", _SIGNING, accepted=frozenset({oids.TIME_STAMPING}), required=True, alone=True),
    "ocsp": Rule("RFC 6960 4.2.2.2", _SIGNING, accepted=frozenset({oids.OCSP_SIGNING}), required=True),
    "tls-server": Rule("RFC 5280 4.2.1.12", accepted=frozenset({oids.SERVER_AUTH})),
    "tls-client": Rule("RFC 5280 4.2.1.12", accepted=frozenset({oids.CLIENT_AUTH})),
    "any": Rule("RFC 5280 4.2.1.12"),
}


def check_purpose(chain: Sequence[Certificate], purpose: Purpose) -> Check:
    """Return the check that passed. Raises Stop, CHAIN_CONSTRAINTS_FAILURE."""
    rule, leaf = PURPOSES[purpose], chain[0]

    def refuse(detail: str) -> Stop:
        return Stop(Check("purpose", rule.clause, "failed", detail), "CHAIN_CONSTRAINTS_FAILURE")

    if rule.usages and not leaf.allows(*rule.usages):
        raise refuse(f"the key usage of {leaf.subject} does not allow {rule.allowed}")
    for certificate in chain[:-1] or chain:
        extension = certificate.extension(oids.EXTENDED_KEY_USAGE)
        if extension is None:
            if rule.required and certificate is leaf:
                raise refuse(f"{leaf.subject} is not a certificate for {purpose}")
            continue
        if not _suits(rule, certificate.extended_key_usage, leaf=certificate is leaf):
            names = ", ".join(sorted(map(oids.name, certificate.extended_key_usage)))
            raise refuse(f"{certificate.subject} is for {names or 'nothing'}, not for {purpose}")
        if rule.alone and certificate is leaf and not extension.critical:
            raise refuse(f"extendedKeyUsage of {leaf.subject} is not critical")
    return Check("purpose", rule.clause, "passed", purpose)


def may_issue_for(issuer: Certificate, purpose: Purpose) -> bool:
    """Tell whether the extended key usage of an issuer leaves the purpose open. Raises MalformedInput."""
    if issuer.extension(oids.EXTENDED_KEY_USAGE) is None:
        return True
    return _suits(PURPOSES[purpose], issuer.extended_key_usage, leaf=False)


def _suits(rule: Rule, purposes: frozenset[str], *, leaf: bool) -> bool:
    if rule.accepted is None:
        return True
    if leaf and rule.alone:
        return purposes == rule.accepted
    if leaf and rule.required:
        return bool(purposes & rule.accepted)
    # private purposes of national authorities are common and say nothing against signing
    return bool(purposes & (rule.accepted | {oids.ANY_PURPOSE})) or (rule.private and bool(purposes - _OTHER_PURPOSES))
