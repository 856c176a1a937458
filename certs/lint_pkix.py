"""A second opinion before signing: the rules of pkilint, where it is installed.

    lint_pkix.check(tbs, algorithm, profile)        # None, or IssuanceError naming every finding that is not expected
    lint_pkix.available()                           # False: install the extra "lint"

pkilint (RFC 5280 and 3739 rules) reads the certificate that will be signed, with a placeholder for the signature, which
it does not verify. Rules are built once per process. A finding from NOTICE upwards refuses the certificate unless
EXPECTED names it: each entry says for which suites or forms it is forced, and by which clause.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from certs import der, oids
from certs.certificate import Certificate
from certs.errors import IssuanceError
from certs.profiles import Profile

SEVERITIES = ("NOTICE", "WARNING", "ERROR", "FATAL")
_PLACEHOLDER = der.bit_string(bytes(64))


@dataclass(frozen=True)
class Finding:
    """What pkilint says of one certificate."""

    severity: str
    code: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.severity} {self.code}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True)
class Expected:
    """A finding that is no fault: where it is forced, and by what."""

    code: str
    reason: str
    """Clause and one sentence."""
    applies: Callable[[Certificate, Profile], bool]
    detail: str = ""
    """What must stand in the detail of the finding."""


_NO_RULES = ("rsa-pss", "gost2012-256", "gost2012-512")
_UNSIGNED = (
    "RFC 5280 4.2.1.1: a self-signed certificate may leave it out; behind the placeholder pkilint cannot see that"
)

_PLACES = (oids.CRL_DISTRIBUTION_POINTS, oids.FRESHEST_CRL, oids.AUTHORITY_INFO_ACCESS)


def _host_without_dot(certificate: Certificate) -> bool:
    """Tell whether an address names a host of one label, "localhost" or "pki", as on a company's own network."""
    values = [item.value for item in certificate.extensions if item.oid in _PLACES]
    hosts = [host for value in values for host in re.findall(rb"https?://([A-Za-z0-9.-]+)", value)]
    return any(b"." not in host for host in hosts)


EXPECTED: tuple[Expected, ...] = (
    Expected("pkix.authority_key_identifier_extension_absent", _UNSIGNED, lambda _, profile: profile.name == "root"),
    Expected(
        "pkix.aki_absent_self_issued_and_unsupported_algorithm", _UNSIGNED, lambda _, profile: profile.name == "root"
    ),
    Expected(
        "pkix.public_key_algorithm_unsupported",
        "RFC 4055 1.2 (RSASSA-PSS keys), RFC 9215 4 (GOST keys): pkilint has no rules for the key itself",
        lambda certificate, _: certificate.suite_name in _NO_RULES,
    ),
    Expected(
        "pkix.key_usage_value_prohibited_for_ec",
        "GM/T 0015, GB/T 20518: an SM2 encryption certificate has keyEncipherment and dataEncipherment; RFC 8813 3 "
        "forbids both to id-ecPublicKey, the OID that SM2 keys share",
        lambda certificate, profile: certificate.suite_name == "sm2" and profile.name == "encryption",
    ),
    Expected(
        "pkix.invalid_uri_syntax",
        "RFC 3986 3.2.2: a host may be one label; `certs.extensions` checks the syntax itself",
        lambda certificate, _: _host_without_dot(certificate),
    ),
    Expected(
        "itu.invalid_asn1_syntax",
        "X.667 6.3: the number under 2.25 is a UUID of 128 bits; pkilint reads arcs of 32. `certs.lint` compares the "
        "purposes with the profile's",
        lambda _, profile: profile.name == "audit",
        detail='OID 2.5.29.37: Error decoding "KeyPurposeId"',
    ),
)
"""Every finding that a standard of a suite or a country forces."""


def available() -> bool:
    """Tell whether pkilint is installed."""
    return find_spec("pkilint") is not None


_lock = threading.Lock()


@cache
def _rules() -> tuple[Any, Any]:
    """Return the loader of documents and the validator; the import takes about a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pkilint import loader
        from pkilint.itu import x520_name_unbounded
        from pkilint.pkix import certificate, extension, name
        from pyasn1.type import char, univ

    # EN 319 412-2 NAT-4.2.4-18, 412-3 LEG-4.2.1-9: names of people and organisations may exceed the 64 characters of
    # RFC 5280; those of Russian and Chinese companies do. Unknown attributes are taken for a DirectoryString; those of
    # the Russian registers are NumericString (order 795).
    russian = {
        univ.ObjectIdentifier(oid): char.NumericString()
        for oid in (oids.OGRN, oids.OGRNIP, oids.SNILS, oids.INNLE, oids.INN)
    }
    validator = certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(
            {**name.ATTRIBUTE_TYPE_MAPPINGS, **x520_name_unbounded.UNBOUNDED_ATTRIBUTE_TYPE_MAPPINGS, **russian},
            extension.EXTENSION_MAPPINGS,
        ),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )
    logging.getLogger("pkilint").setLevel(logging.CRITICAL)  # what it cannot read is a finding, not a traceback
    return loader.RFC5280CertificateDocumentLoader(), validator


def findings(encoded: bytes) -> tuple[Finding, ...]:
    """Return what pkilint says of a certificate (DER), from NOTICE upwards; nothing where it is not installed."""
    if not available():
        return ()
    with _lock:  # documents share the rules
        loader, validator = _rules()
        try:
            document = loader.load_document(encoded, "certificate")
            results = validator.validate(document.root)
        except Exception as error:  # noqa: BLE001 - a linter that fails has not passed the certificate
            return (Finding("FATAL", "unreadable", f"{type(error).__name__}: {error}"),)
    found = (item for result in results for item in result.finding_descriptions)
    return tuple(
        Finding(item.finding.severity.name, item.finding.code, str(item.message or "")[:200])
        for item in found
        if item.finding.severity.name in SEVERITIES
    )


def unexpected(encoded: bytes, profile: Profile) -> tuple[Finding, ...]:
    """Return the findings that no entry of EXPECTED explains."""
    found = findings(encoded)
    if not found:
        return ()
    certificate = Certificate(encoded)
    forced = [item for item in EXPECTED if item.applies(certificate, profile)]
    return tuple(
        finding
        for finding in found
        if not any(finding.code == item.code and item.detail in finding.detail for item in forced)
    )


def check(tbs: bytes, algorithm: bytes, profile: Profile) -> None:
    """Raise IssuanceError where pkilint has something against the certificate that `tbs` would become."""
    found = unexpected(der.sequence(tbs, algorithm, _PLACEHOLDER), profile)
    if found:
        sentences = [str(finding) for finding in found]
        raise IssuanceError(
            "the certificate was not signed: pkilint finds " + "; ".join(sentences),
            profile=profile.name,
            findings=sentences,
        )
