"""Checks on a to-be-signed certificate before the authority's key touches it.

    lint.check(tbs, profile, issuer)      # returns None, or IssuanceError naming every rule broken

The octets are read back by the reader for foreign certificates, so what is checked is what will be signed. Rules are
ETSI- and RFC-numbered beside each `if`. A certificate that fails is not signed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from certs import ber, der, extensions, oids, suites
from certs.certificate import Certificate
from certs.errors import CertsError, IssuanceError
from certs.profiles import Profile

_PLACEHOLDER = der.bit_string(b"\x00")


def check(tbs: bytes, profile: Profile, issuer: Certificate | None) -> None:
    """Raise IssuanceError where `tbs` breaks a rule. `issuer` is None for a root."""
    findings = list(findings_of(tbs, profile, issuer))
    if findings:
        raise IssuanceError(
            "the certificate was not signed: " + "; ".join(findings), profile=profile.name, findings=findings
        )


def findings_of(tbs: bytes, profile: Profile, issuer: Certificate | None) -> Iterator[str]:
    """Yield one sentence per rule broken."""
    try:
        reader = der.Reader(tbs)
        body = reader.enter(der.SEQUENCE)
        reader.end()
        body.raw()  # version
        body.integer()  # strict: minimal
        algorithm = body.raw(der.SEQUENCE)
        certificate = Certificate(der.sequence(tbs, algorithm, _PLACEHOLDER))
    except CertsError as error:
        yield f"the to-be-signed octets are not DER: {error}"
        return
    yield from certificate.problems
    if ber.load(tbs).definite() != tbs:
        yield "the to-be-signed octets are not DER: a length is not minimal"
    # RFC 5280 4.1.2.2: positive, at most 20 octets; CA/B Forum 7.1: 64 random bits, ours 136
    if certificate.serial <= 0 or len(der.integer(certificate.serial)) - 2 > 20:
        yield "the serial number is not positive or longer than 20 octets"
    if certificate.serial.bit_length() < 128:
        yield "the serial number is too short to be random"
    # RFC 5280 4.1.2.5
    if certificate.not_after <= certificate.not_before:
        yield "notAfter is not after notBefore"
    if certificate.not_after - certificate.not_before > timedelta(days=profile.max_days):
        yield f"valid for longer than the {profile.max_days} days of profile {profile.name}"
    if issuer is not None and certificate.not_after > issuer.not_after:
        yield "valid for longer than its issuer"
    try:
        suite = suites.load_public(certificate.spki).suite.name
    except CertsError as error:
        yield f"the subject's key is not usable: {error}"
        return
    if profile.suites and suite not in profile.suites:
        yield f"profile {profile.name} does not allow keys of suite {suite}"
    yield from _extensions(certificate, profile, issuer)


def _extensions(certificate: Certificate, profile: Profile, issuer: Certificate | None) -> Iterator[str]:
    # RFC 5280 4.2.1.2: the subject key identifier is there and fits the key
    if certificate.ski != extensions.key_id(certificate.spki):
        yield "the subject key identifier does not fit the key"
    # RFC 5280 4.2.1.1: the authority key identifier is the issuer's
    if issuer is not None and certificate.aki != issuer.ski:
        yield "the authority key identifier is not the issuer's"
    if issuer is not None and certificate.issuer_name.der != issuer.subject_name.der:
        yield "the issuer name is not the issuer's subject, to the octet"
    if issuer is None and certificate.issuer_name.der != certificate.subject_name.der:
        yield "a root must be its own issuer"
    if not certificate.subject_name.attributes:
        yield "the subject is empty"
    # RFC 5280 4.2.1.3 and 4.2.1.9: keyUsage critical and as the profile says; CA and key_cert_sign go together
    usage = certificate.extension(oids.KEY_USAGE)
    if usage is None or not usage.critical or certificate.key_usage != frozenset(profile.key_usage):
        yield "keyUsage is absent, not critical or not the profile's"
    if certificate.is_ca != profile.ca or certificate.is_ca != ("key_cert_sign" in certificate.key_usage):
        yield "basicConstraints and keyUsage do not agree with the profile"
    constraints = certificate.extension(oids.BASIC_CONSTRAINTS)
    if profile.ca and (constraints is None or not constraints.critical):
        yield "basicConstraints of an authority must be critical"
    if certificate.path_length != profile.path_length:
        yield "the path length is not the profile's"
    if issuer is not None and (not issuer.is_ca or not issuer.allows("key_cert_sign")):
        yield "the issuer is no authority"
    if issuer is not None and certificate.is_ca and issuer.path_length == 0:
        yield "the issuer's path length forbids another authority"
    # RFC 6960 4.2.2.2.1: nocheck where the profile says so, and nowhere else
    if (certificate.extension(oids.OCSP_NOCHECK) is not None) != profile.ocsp_nocheck:
        yield "ocsp-nocheck is not as the profile says"
    # RFC 5280 4.2.1.12; RFC 3161 2.3 for time-stamping
    purposes = certificate.extension(oids.EXTENDED_KEY_USAGE)
    if certificate.extended_key_usage != frozenset(profile.extended_key_usage):
        yield "extendedKeyUsage is not the profile's"
    if purposes is not None and purposes.critical != profile.extended_key_usage_critical:
        yield "extendedKeyUsage is critical where the profile does not say so, or the reverse"
