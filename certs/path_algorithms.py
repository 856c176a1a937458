"""Whether the algorithms and keys of a chain are good enough (ETSI EN 319 102-1 5.2.8, TS 119 312).

    check_algorithms(chain, at, computed=True)     # the Check that passed, or Stop

What is weak at the moment of validation is computed and then refused: it is not forged, it proves nothing any longer.
Until when each was good enough is said in `certs.suites.policy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from certs import ber, oids, suites
from certs.certificate import Certificate
from certs.errors import CertsError, MalformedInput
from certs.path_result import Check, Stop
from certs.suites.policy import NEVER, curve_good_until, digest_good_until, dsa_good_until, rsa_good_until

CLAUSE = "EN 319 102-1 5.2.8"
_NOT_COMPUTED = {
    oids.GOST2001_SIGNATURE: "gost94",
    "1.2.840.113549.1.1.4": "md5",
    "1.2.840.113549.1.1.2": "md2",
}
"""Signature algorithms that no suite has, to their digests."""
_WORDS = {"sha1": "SHA-1", "gost94": "GOST R 34.11-94", "md5": "MD5", "md2": "MD2"}


def check_algorithms(chain: Sequence[Certificate], at: datetime, *, computed: bool) -> Check:
    """Return the check that passed. Raises Stop, CRYPTO_CONSTRAINTS_FAILURE.

    The anchor's own signature proves nothing anyway. With `computed` the key of the leaf must be one that we compute.
    """
    for certificate in chain[:-1]:
        name = _digest(certificate)
        if _is_over(digest_good_until(name), at):
            raise _stop(f"{certificate.subject} is signed over {_WORDS.get(name, name)}")
    for certificate in chain:
        end, words = _key(certificate)
        if _is_over(end, at):
            raise _stop(f"{certificate.subject} has {words}")
    leaf = chain[0]
    if computed and leaf.suite_name == leaf.key_algorithm:
        detail = f"{leaf.subject} has a key of algorithm {leaf.key_algorithm}, which is not computed"
        raise Stop(Check("algorithms", CLAUSE, "not-checked", detail), "CRYPTO_CONSTRAINTS_FAILURE")
    used = dict.fromkeys(certificate.suite_name for certificate in chain)
    return Check("algorithms", CLAUSE, "passed", ", ".join(used))


def key_good_until(certificate: Certificate) -> datetime | None:
    """Return when the subject's key ceased to be good enough, or None."""
    return _key(certificate)[0]


def _key(certificate: Certificate) -> tuple[datetime | None, str]:
    """Return that, and the key in words."""
    bits = _rsa_bits(certificate)
    if bits is not None:
        return rsa_good_until(bits), f"an RSA key of {bits} bits"
    if certificate.suite_name != "dsa":
        return curve_good_until(certificate.suite_name), f"a key of {certificate.suite_name}"
    try:
        sizes = certificate.public_key().parameter
    except CertsError as error:
        return NEVER, f"a DSA key that cannot be used: {error}"
    p_bits, q_bits = map(int, sizes.split("/"))
    return dsa_good_until(p_bits, q_bits), f"a DSA key of {p_bits} and {q_bits} bits"


def _is_over(end: datetime | None, at: datetime) -> bool:
    return end is not None and at >= end


def _stop(detail: str) -> Stop:
    return Stop(Check("algorithms", CLAUSE, "failed", detail), "CRYPTO_CONSTRAINTS_FAILURE")


def _digest(certificate: Certificate) -> str:
    """Return the name of the digest under a certificate's signature, parameters of PSS included; "" for none known."""
    oid = ber.load(certificate.signature_algorithm).members().next().oid()
    if oid in _NOT_COMPUTED:
        return _NOT_COMPUTED[oid]
    try:
        return suites.signature_digest(certificate.signature_algorithm) or ""
    except CertsError:  # parameters that cannot be read: the signature does not verify either
        return ""


def _rsa_bits(certificate: Certificate) -> int | None:
    """Return the size of an RSA modulus, or None for another key."""
    if certificate.key_algorithm not in (oids.RSA, oids.RSA_PSS):
        return None
    members = ber.load(certificate.spki).members()
    members.next()
    try:
        octets = ber.load(members.next().bit_string()).members().next().expect(ber.INTEGER).content()
        return int.from_bytes(octets, "big").bit_length()  # unsigned: some certificates lack the zero octet in front
    except MalformedInput:
        return 0
