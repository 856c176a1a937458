"""Whether the certificates of a chain have the form that RFC 5280 asks for, beyond being readable.

    check_form(chain, strict=False)            # remarks, or Stop

A fault refuses the chain, unless certificates that are in use have it and it does no harm (no key identifier,
basicConstraints not critical, …): that is a remark, and refuses with `strict`. docs/conformance.md counts who needs
which remark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from certs import ber, oids
from certs.certificate import Certificate
from certs.errors import MalformedInput
from certs.path_names import DNS, EMAIL, IP, general_name, general_names
from certs.path_result import Check, Stop

MAX_SERIAL = 20
"""Octets of a serial number (RFC 5280 4.1.2.2)."""

CLAUSE = "RFC 5280 4.1, 4.2"


def check_form(chain: Sequence[Certificate], *, strict: bool) -> tuple[str, ...]:
    """Return remarks. Raises Stop, CERTIFICATE_CHAIN_GENERAL_FAILURE."""
    remarks: list[str] = []
    for position, certificate in enumerate(chain):
        anchor = position == len(chain) - 1
        issuer = position > 0
        for grave, text in _faults(certificate, issuer=issuer, anchor=anchor):
            detail = f"{certificate.subject or 'a certificate without subject'}: {text}"
            if grave or strict:
                raise Stop(Check("form", CLAUSE, "failed", detail), "CERTIFICATE_CHAIN_GENERAL_FAILURE")
            remarks.append(detail)
    return tuple(remarks)


def _faults(certificate: Certificate, *, issuer: bool, anchor: bool) -> Iterator[tuple[bool, str]]:
    """Yield (whether it refuses in any case, what is wrong)."""
    has = {extension.oid: extension for extension in certificate.extensions}
    constraints = has.get(oids.BASIC_CONSTRAINTS)
    # 4.1.2.2
    if certificate.serial < 0:
        yield False, "the serial number is negative"
    elif certificate.serial == 0 and not anchor:
        yield True, "the serial number is zero"
    if (certificate.serial.bit_length() + 8) // 8 > MAX_SERIAL:
        yield False, f"the serial number has more than {MAX_SERIAL} octets"
    # 4.1.2.4 and 4.1.2.6: whose certificate is it, and who says so
    if not certificate.issuer_name.attributes:
        yield True, "the issuer has no name"
    if issuer and not certificate.subject_name.attributes:
        yield True, "an authority has no name"
    # 4.2.1.1 and 4.2.1.2
    for oid in (oids.AUTHORITY_KEY_IDENTIFIER, oids.SUBJECT_KEY_IDENTIFIER):
        if oid in has and has[oid].critical:
            yield True, f"{oids.name(oid)} is critical"
    if oids.AUTHORITY_KEY_IDENTIFIER not in has and not anchor:
        yield False, "no authority key identifier"
    if issuer and oids.SUBJECT_KEY_IDENTIFIER not in has and certificate.version == 3:
        yield not anchor, "no subject key identifier"
    # 4.2.1.3 and 4.2.1.9
    if issuer and constraints is None:
        yield False, "an authority without basicConstraints"
    if issuer and constraints is not None and not constraints.critical:
        yield False, "basicConstraints of an authority is not critical"
    if anchor and issuer and constraints is not None and not certificate.is_ca:
        yield True, "an anchor that is no authority has issued"
    if anchor and issuer and not certificate.allows("key_cert_sign"):
        yield constraints is None, "an anchor that may not sign certificates has issued"
    if "key_cert_sign" in certificate.key_usage and not certificate.is_ca and not anchor:
        yield False, "may sign certificates and is no authority"
    # 4.2.1.10, 4.2.1.11, 4.2.1.14
    if oids.NAME_CONSTRAINTS in has:
        if not certificate.is_ca:
            yield True, "name constraints where nothing is issued"
        elif not has[oids.NAME_CONSTRAINTS].critical:
            yield False, "name constraints are not critical"
    for oid in (oids.POLICY_CONSTRAINTS, oids.INHIBIT_ANY_POLICY):
        if oid in has and not has[oid].critical:
            # RFC 3280 4.2.1.12 left the first to the issuer
            yield oid == oids.INHIBIT_ANY_POLICY, f"{oids.name(oid)} is not critical"
    yield from _alternative_names(certificate)
    yield from _information_access(certificate)


def _alternative_names(certificate: Certificate) -> Iterator[tuple[bool, str]]:
    """4.2.1.6."""
    extension = certificate.extension(oids.SUBJECT_ALT_NAME)
    if extension is None:
        return
    if not extension.critical and not certificate.subject_name.attributes:
        yield True, "no subject, and the alternative name is not critical"
    try:
        names = general_names(ber.load(extension.value))
        for name in names:
            if name.kind == IP and len(name.value.content()) not in (4, 16):
                yield True, "an IP address of a wrong length"
            elif name.kind == DNS and not _decent_host(name.text):
                yield True, "a DNS name that is none"
            elif name.kind == EMAIL and not _decent_host(name.text.rpartition("@")[2]):
                yield False, "an e-mail address that is none"
    except MalformedInput as error:
        yield True, f"the alternative name cannot be read: {error}"


def _information_access(certificate: Certificate) -> Iterator[tuple[bool, str]]:
    """4.2.2.1."""
    extension = certificate.extension(oids.AUTHORITY_INFO_ACCESS)
    if extension is None:
        return
    try:
        for item in ber.load(extension.value).expect(ber.SEQUENCE):
            members = item.members()
            members.next().oid()
            general_name(members.next())
            members.end()
    except MalformedInput as error:
        yield True, f"authorityInfoAccess cannot be read: {error}"


def _decent_host(text: str) -> bool:
    """Letters, digits and hyphens (RFC 1034 3.5); a wildcard may lead; digits alone are an IP address."""
    labels = text.removeprefix("*.").split(".")
    return (
        len(text) <= 253
        and not all(label.isdigit() for label in labels)
        and all(
            0 < len(label) < 64 and label.replace("-", "a").isalnum() and label.isascii() and label.strip("-") == label
            for label in labels
        )
    )
