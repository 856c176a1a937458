"""Approvals in the file of what they approve, and whether an officer is somebody that it concerns.

approvals = read_approvals(value["approvals"])
approvals = one_more(approvals, approval)
same_person(certificate, spki, name, common_names, identifiers)
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from certs.certificate import Certificate
from certs.errors import ApprovalError, MalformedInput
from certs.identifiers import Identifier
from certs.pem import pem_blocks

MAX_APPROVALS = 20


def one_more(approvals: tuple[bytes, ...], approval: bytes) -> tuple[bytes, ...]:
    """Return the approvals and one behind them. Raises ApprovalError where there are too many."""
    if len(approvals) >= MAX_APPROVALS:
        raise ApprovalError(f"more than {MAX_APPROVALS} approvals")
    return (*approvals, approval)


def read_approvals(value: Any) -> tuple[bytes, ...]:
    """Read a list of CMS in PEM as DER; nobody verified them. Raises MalformedInput."""
    if not isinstance(value, list) or len(value) > MAX_APPROVALS:
        raise MalformedInput("approvals that are no list, or too many")
    return tuple(only_block(item, "CMS") for item in value)


def only_block(item: Any, label: str) -> bytes:
    """Return the octets of a text that is one PEM block. Raises MalformedInput."""
    blocks = pem_blocks(item.encode()) if isinstance(item, str) else ()
    if len(blocks) != 1 or blocks[0][0] != label:
        raise MalformedInput(f"where a {label} stands in PEM is something else")
    return blocks[0][1]


def same_person(
    certificate: Certificate,
    spki: bytes,
    name: bytes,
    common_names: Container[str | None],
    identifiers: Iterable[Identifier],
) -> bool:
    """Tell whether a certificate is somebody's: same key, same name (all of it, or the common one), same identifier."""
    mine = [(item.scheme, item.value) for item in certificate.identifiers]
    return (
        certificate.spki == spki
        or certificate.subject_name.der == name
        or certificate.common_name in common_names
        or any((item.scheme, item.value) in mine for item in identifiers)
    )
