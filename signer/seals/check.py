"""The one cryptographic check of seals: a signature value by the key of a certificate.

    checked = verify_value(Certificate(seal.maker), seal.signature_algorithm, seal.signature, seal.tbs)
    checked.suite, checked.variants            # ("sm2", ()), or BadSignature

Whether the certificate is trusted is another question (`certs.path`).
"""

from __future__ import annotations

from dataclasses import dataclass

from certs import suites
from certs.certificate import Certificate
from certs.suites.base import AlgorithmID


@dataclass(frozen=True)
class CheckedValue:
    """A value that verifies."""

    suite: str
    variants: tuple[str, ...]
    """"raw-value": r‖s, where GM/T 0009-2012 7.3 wants the SEQUENCE of both."""


def verify_value(certificate: Certificate, algorithm: str, value: bytes, message: bytes) -> CheckedValue:
    """Check `value` over `message`; `algorithm` is the dotted OID that seal or signature names.

    An SM2 value may be raw r‖s. Raises BadSignature, UnsupportedAlgorithm (also for a key or an algorithm without the
    parameters it needs: a seal has no place for them), BackendUnavailable or MalformedInput.
    """
    usual = suites.usual_value(certificate.spki, value)
    suite = suites.verify(certificate.spki, AlgorithmID(algorithm).der(), usual, message)
    return CheckedValue(suite, () if usual is value else ("raw-value",))


def digest_beside(algorithm: str, certificate: Certificate) -> str:
    """Return the digest that goes with a seal's signature algorithm, in which its data hash is: sm3 with SM2.

    The one that the algorithm's OID names, else that of the key's suite. Raises UnsupportedAlgorithm, BadKey or
    MalformedInput.
    """
    named = suites.signature_digest(AlgorithmID(algorithm).der())
    return named or suites.for_spki(certificate.spki).digest_name
