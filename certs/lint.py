"""Checks on a to-be-signed certificate before the authority's key touches it.

    lint.check(tbs, profile, issuer)      # returns None, or IssuanceError naming every rule broken

The octets are read back by the reader for foreign certificates, so what is checked is what will be signed. Rules are
ETSI- and RFC-numbered beside each `if`; those about the issuer are in `certs.lint_issuer`. A certificate that fails is
not signed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from certs import ber, der, extensions, forms, lint_issuer, oids, suites
from certs.alt_names import AltNames, read_alt_names
from certs.certificate import Certificate
from certs.errors import CertsError, IssuanceError, MalformedInput
from certs.profiles import EXTRA, Profile
from certs.suites.rsa import has_negative_modulus

KNOWN = frozenset(
    {
        oids.BASIC_CONSTRAINTS,
        oids.KEY_USAGE,
        oids.EXTENDED_KEY_USAGE,
        oids.SUBJECT_KEY_IDENTIFIER,
        oids.AUTHORITY_KEY_IDENTIFIER,
        oids.CRL_DISTRIBUTION_POINTS,
        oids.FRESHEST_CRL,
        oids.AUTHORITY_INFO_ACCESS,
        oids.CERTIFICATE_POLICIES,
        oids.POLICY_MAPPINGS,
        oids.NAME_CONSTRAINTS,
        oids.POLICY_CONSTRAINTS,
        oids.INHIBIT_ANY_POLICY,
        oids.SUBJECT_ALT_NAME,
    }
)
"""Extensions our certificates may have, beside those of forms and profiles."""
NEVER_CRITICAL = frozenset(
    {oids.SUBJECT_KEY_IDENTIFIER, oids.AUTHORITY_KEY_IDENTIFIER, oids.AUTHORITY_INFO_ACCESS, oids.FRESHEST_CRL}
)
"""RFC 5280 4.2.1.1, 4.2.1.2, 4.2.1.15, 4.2.2.1."""

_PLACEHOLDER = der.bit_string(b"\x00")


def check(
    tbs: bytes,
    profile: Profile,
    issuer: Certificate | None,
    *,
    above: Sequence[Certificate] = (),
    key_identifier: bytes | None = None,
) -> None:
    """Raise IssuanceError where `tbs` breaks a rule.

    `issuer` is None for a root, `above` its own issuers as far as they are known; `key_identifier` is the one that a
    key goes by already (cross-certificates).
    """
    findings = list(findings_of(tbs, profile, issuer, above=above, key_identifier=key_identifier))
    if findings:
        raise IssuanceError(
            "the certificate was not signed: " + "; ".join(findings), profile=profile.name, findings=findings
        )


def findings_of(
    tbs: bytes,
    profile: Profile,
    issuer: Certificate | None,
    *,
    above: Sequence[Certificate] = (),
    key_identifier: bytes | None = None,
) -> Iterator[str]:
    """Yield one sentence per rule broken."""
    try:
        body = der.members(tbs)
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
    if certificate.not_after - certificate.not_before > profile.max_lifetime:
        yield f"valid for longer than profile {profile.name} allows"
    try:
        suite = suites.load_public(certificate.spki).suite.name
        suites.not_old(suite)
    except CertsError as error:
        yield f"the subject's key is not usable: {error}"
        return
    if has_negative_modulus(certificate.spki):
        yield "the subject's RSA modulus is encoded as a negative number (X.690 8.3.3)"
    if not profile.takes(suite):
        yield f"profile {profile.name} does not allow keys of suite {suite}"
    if issuer is not None:
        yield from lint_issuer.against(certificate, (issuer, *above))
    elif certificate.issuer_name.der != certificate.subject_name.der:
        yield "a root must be its own issuer"
    yield from _extensions(certificate, profile, profile.usage(suite), key_identifier)
    yield from _constraints(certificate, profile)
    yield from _names_and_policies(certificate, profile)
    yield from _status(certificate, profile)


def _extensions(
    certificate: Certificate,
    profile: Profile,
    usages: tuple[str, ...],
    key_identifier: bytes | None,
) -> Iterator[str]:
    allowed = {oid for extension in EXTRA.values() for oid in [extension().oid]} | KNOWN | forms.OWN_EXTENSIONS
    for extension in certificate.extensions:
        if extension.oid not in allowed:
            yield f"extension {oids.name(extension.oid)} is none that we write"
        if extension.critical and extension.oid in forms.OWN_EXTENSIONS | NEVER_CRITICAL:
            yield f"extension {oids.name(extension.oid)} must not be critical"
    # RFC 5280 4.2.1.2: the subject key identifier is there and fits the key, or is the one in use
    if certificate.ski != (key_identifier or extensions.key_id(certificate.spki)):
        yield "the subject key identifier does not fit the key"
    if not certificate.subject_name.attributes:
        yield "the subject is empty"
    # RFC 5280 4.2.1.3 and 4.2.1.9: keyUsage critical and as the profile says; CA and key_cert_sign go together
    usage = certificate.extension(oids.KEY_USAGE)
    if usage is None or not usage.critical or certificate.key_usage != frozenset(usages):
        yield "keyUsage is absent, not critical or not the profile's"
    if certificate.is_ca != profile.ca or certificate.is_ca != ("key_cert_sign" in certificate.key_usage):
        yield "basicConstraints and keyUsage do not agree with the profile"
    constraints = certificate.extension(oids.BASIC_CONSTRAINTS)
    if profile.ca and (constraints is None or not constraints.critical):
        yield "basicConstraints of an authority must be critical"
    # RFC 5280 4.2.1.12; RFC 3161 2.3 for time-stamping
    purposes = certificate.extension(oids.EXTENDED_KEY_USAGE)
    if certificate.extended_key_usage != frozenset(profile.extended_key_usage):
        yield "extendedKeyUsage is not the profile's"
    if purposes is not None and purposes.critical != profile.extended_key_usage_critical:
        yield "extendedKeyUsage is critical where the profile does not say so, or the reverse"


def _constraints(certificate: Certificate, profile: Profile) -> Iterator[str]:
    if not profile.constraints and certificate.path_length != profile.path_length:
        yield "the path length is not the profile's"
    # RFC 5280 4.2.1.10, .11, .14: only in authorities' certificates, critical
    for kind in (oids.NAME_CONSTRAINTS, oids.POLICY_CONSTRAINTS, oids.INHIBIT_ANY_POLICY, oids.POLICY_MAPPINGS):
        extension = certificate.extension(kind)
        if extension is not None and not profile.constraints:
            yield f"{oids.name(kind)} in a certificate that takes no constraints"
        if extension is not None and not extension.critical:
            yield f"{oids.name(kind)} must be critical"


def _names_and_policies(certificate: Certificate, profile: Profile) -> Iterator[str]:
    extension = certificate.extension(oids.SUBJECT_ALT_NAME)
    try:
        names = read_alt_names(extension.value) if extension else AltNames()
    except MalformedInput as error:
        yield f"an alternative name is none: {error}"
        return
    if set(names.kinds) - set(profile.alt_names):
        yield "an alternative name of a kind that the profile does not allow"
    if profile.alt_names_required and not names:
        yield "no alternative name where the profile requires one"
    # RFC 5280 4.1.2.6: an address in the subject stands in subjectAltName too
    if set(certificate.subject_name.all(oids.EMAIL_ADDRESS)) - set(names.emails):
        yield "an e-mail address stands in the subject alone"
    if not profile.ca and oids.ANY_POLICY in certificate.policies:
        yield "anyPolicy in the certificate of no authority"
    if not profile.constraints and set(profile.policies) - set(certificate.policies):
        yield "a policy of the profile is missing"
    # EN 319 412-5: a statement that the certificate is qualified is not ours to make
    statements = certificate.extension(oids.QC_STATEMENTS)
    if statements is not None and _claims(statements.value):
        yield "a statement of EN 319 412-5: no certificate of ours is a qualified one"


def _claims(value: bytes) -> bool:
    kinds = (item.members().next().oid() for item in ber.load(value).expect(ber.SEQUENCE))
    return any(not kind.startswith("1.3.6.1.5.5.7.11.") for kind in kinds)


def _status(certificate: Certificate, profile: Profile) -> Iterator[str]:
    for label, extension in EXTRA.items():
        expected = extension()
        found = certificate.extension(expected.oid)
        if (label in profile.extra) != (found is not None):
            yield f"{label} where the profile does not say so, or the reverse"
        elif found is not None and found != expected:  # pkilint passes any contents
            yield f"{label} has contents of its own"
    if not profile.revocation:
        # RFC 9608 2: no place where status is told beside noRevAvail
        if certificate.extension(oids.CRL_DISTRIBUTION_POINTS) or certificate.extension(oids.FRESHEST_CRL):
            yield "a place for revocation lists in a certificate that has no status"
        access = certificate.extension(oids.AUTHORITY_INFO_ACCESS)
        if access is not None and der.oid(oids.OCSP) in access.value:
            yield "a place for OCSP in a certificate that has no status"
