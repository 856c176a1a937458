"""The table of algorithm suites, and the one place where foreign octets meet an algorithm.

    suites.get("sm2").generate()                                     # make a key
    key = suites.load_private(pkcs8)                                 # whatever suite it belongs to
    suites.verify(spki, algorithm, signature, message)               # "gost2012-256", or BadSignature
    suites.digest("streebog256", b"contract")

A suite's module is imported when the suite is first needed, so that nobody waits for what he does not use. A new suite
is one module with `SUITES` and its rows in the tables below.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from certs import oids
from certs.errors import BackendUnavailable, BadKey, BadSignature, CertsError, MalformedInput, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, PrivateKey, PublicKey, Suite, no_signature
from certs.suites.digests import digest, digest_algorithm, digest_name, digest_oid, new_digest

__all__ = [
    "ALL_NAMES",
    "ENCRYPTION_NAMES",
    "OLD_NAMES",
    "digest",
    "digest_algorithm",
    "digest_name",
    "digest_oid",
    "for_encryption",
    "for_spki",
    "get",
    "load_private",
    "load_public",
    "must_sign",
    "names",
    "new_digest",
    "not_old",
    "signature_digest",
    "suite_of_signature",
    "usual_value",
    "verify",
]

_MODULES: dict[str, str] = {
    "rsa": "rsa",
    "rsa-pss": "rsa",
    "ecdsa-p256": "ecdsa",
    "ecdsa-p384": "ecdsa",
    "ecdsa-p521": "ecdsa",
    "ecdsa-bp256": "ecdsa",
    "ecdsa-bp384": "ecdsa",
    "ecdsa-bp512": "ecdsa",
    "ed25519": "eddsa",
    "ed448": "eddsa",
    "ml-dsa-44": "mldsa",
    "ml-dsa-65": "mldsa",
    "ml-dsa-87": "mldsa",
    "sm2": "sm",
    "gost2012-256": "gost",
    "gost2012-512": "gost",
}
"""Suite to module; the order is the one people see."""

ALL_NAMES: tuple[str, ...] = tuple(_MODULES)
"""The suites in which keys are made that sign."""

_ENCRYPTING: dict[str, str] = {"x25519": "xdh", "x448": "xdh", "ml-kem-768": "mlkem", "ml-kem-1024": "mlkem"}

ENCRYPTION_NAMES: tuple[str, ...] = tuple(_ENCRYPTING)
"""The suites in which keys are made that encrypt and do nothing else."""

_READ_ONLY: dict[str, str] = {"ecdsa-p224": "ecdsa", "dsa": "dsa"}

OLD_NAMES: frozenset[str] = frozenset(_READ_ONLY)
"""Suites of old signatures: verified and called weak, never used for new ones."""

_BESIDE: dict[str, str] = {
    "rsa-pss": "rsa",
    "ed25519": "x25519",
    "ed448": "x448",
    "ml-dsa-44": "ml-kem-768",
    "ml-dsa-65": "ml-kem-768",
    "ml-dsa-87": "ml-kem-1024",
}
"""A suite that only signs to the one of its kind and strength in which its holders receive (FIPS 203 8, FIPS 204 4)."""

_BY_KEY_ALGORITHM: dict[str, str] = {
    oids.RSA: "rsa",
    oids.RSA_PSS: "rsa-pss",
    oids.DSA: "dsa",
    oids.ED25519: "ed25519",
    oids.ED448: "ed448",
    oids.ML_DSA_44: "ml-dsa-44",
    oids.ML_DSA_65: "ml-dsa-65",
    oids.ML_DSA_87: "ml-dsa-87",
    oids.X25519: "x25519",
    oids.X448: "x448",
    oids.ML_KEM_768: "ml-kem-768",
    oids.ML_KEM_1024: "ml-kem-1024",
    oids.SM2: "sm2",  # a variant met in the field: the curve's OID as the algorithm itself
    oids.GOST2012_256: "gost2012-256",
    oids.GOST2012_512: "gost2012-512",
}
_BY_CURVE: dict[str, str] = {
    oids.P224: "ecdsa-p224",
    oids.P256: "ecdsa-p256",
    oids.P384: "ecdsa-p384",
    oids.P521: "ecdsa-p521",
    oids.BP256: "ecdsa-bp256",
    oids.BP384: "ecdsa-bp384",
    oids.BP512: "ecdsa-bp512",
    oids.SM2: "sm2",
}
"""Named curve beside id-ecPublicKey: the allow-list of curves."""


def get(name: str) -> Suite:
    """Return the suite called `name`. Raises UnsupportedAlgorithm for an unknown name."""
    module = _MODULES.get(name) or _ENCRYPTING.get(name) or _READ_ONLY.get(name)
    if module is None:
        known = ", ".join((*ALL_NAMES, *ENCRYPTION_NAMES))
        raise UnsupportedAlgorithm(f"there is no algorithm suite {name!r}", hint=f"known: {known}", suite=name)
    suite: Suite = import_module(f"certs.suites.{module}").SUITES[name]
    return suite


def names() -> tuple[str, ...]:
    """Return the suites that sign and that some library on this machine computes."""
    return tuple(name for name in ALL_NAMES if _works(name))


def not_old(name: str) -> None:
    """Raise UnsupportedAlgorithm where `name` is a suite of old signatures: no new key, certificate or signature."""
    if name in OLD_NAMES:
        raise UnsupportedAlgorithm(
            f"keys of suite {name} are for old signatures only", hint="known: " + ", ".join(ALL_NAMES), suite=name
        )


def must_sign(name: str) -> None:
    """Raise UnsupportedAlgorithm where `name` is a suite of old signatures, or one that only encrypts."""
    not_old(name)
    if name in _ENCRYPTING:
        raise no_signature(get(name), hint="known: " + ", ".join(ALL_NAMES))


def for_encryption(name: str) -> str:
    """Return the suite of the second key of somebody who signs in suite `name`: the same where that encrypts."""
    return _BESIDE.get(name, name)


def _works(name: str) -> bool:
    try:
        get(name).library()
    except BackendUnavailable:
        return False
    return True


def _suite_for(algorithm: AlgorithmID) -> Suite:
    """Return the suite of a key whose AlgorithmIdentifier this is."""
    from certs import der

    name = _BY_KEY_ALGORITHM.get(algorithm.oid)
    if algorithm.oid == oids.EC:
        parameters = algorithm.parameters or b""
        if parameters[:1] != bytes((der.OBJECT_IDENTIFIER,)):
            # RFC 5480 2.1.1: implicitCurve and specifiedCurve MUST NOT be used; the latter lets anybody choose a curve
            raise BadKey("an EC key must name its curve")
        curve = der.Reader(parameters).oid()
        name = _BY_CURVE.get(curve)
        if name is None:
            raise UnsupportedAlgorithm(f"the curve {oids.name(curve)} is not one we compute", oid=curve)
    if name is None:
        raise UnsupportedAlgorithm(f"keys of algorithm {oids.name(algorithm.oid)} are not supported", oid=algorithm.oid)
    return get(name)


def for_spki(spki: bytes) -> Suite:
    """Return the suite a SubjectPublicKeyInfo belongs to; the key itself is not looked at.

    Raises UnsupportedAlgorithm, BadKey (an unnamed curve) or MalformedInput.
    """
    from certs import der

    return _suite_for(der.split_spki(spki)[0])


@lru_cache(maxsize=256)
def load_public(spki: bytes) -> PublicKey:
    """Return the public key in a SubjectPublicKeyInfo, DER.

    Raises BadKey, UnsupportedAlgorithm, BackendUnavailable or MalformedInput.
    """
    return for_spki(spki).load_public(spki)


def load_private(pkcs8: bytes, suite: str | None = None, *, sealed: bool = False) -> PrivateKey:
    """Return the private key in PrivateKeyInfo, DER; `suite` is the one it must belong to.

    `sealed`: it was loaded before, and stored where nobody can have changed it (`Suite.load_sealed`).

    An RSA key serves "rsa" and "rsa-pss": PKCS#8 files seldom say which. Raises BadKey, UnsupportedAlgorithm,
    BackendUnavailable or MalformedInput.
    """
    from certs import der

    found = _suite_for(der.split_pkcs8(pkcs8)[0])
    if suite is None or suite == found.name:
        return found.load_sealed(pkcs8) if sealed else found.load_private(pkcs8)
    wanted = get(suite)
    if not {wanted.name, found.name} <= {"rsa", "rsa-pss"}:
        raise BadKey(f"the key is one of {found.name}, not of {wanted.name}", suite=found.name)
    return wanted.load_sealed(pkcs8) if sealed else wanted.load_private(pkcs8)


def verify(spki: bytes, algorithm: bytes, signature: bytes, message: bytes, *, digest: str | None = None) -> str:
    """Check a signature as it is met in certificates, lists, tokens and CMS; return the name of its suite.

    `algorithm` is the DER of the signature's AlgorithmIdentifier. `digest` is the one a SignerInfo names beside it; it
    counts where `algorithm` leaves the digest open. Key, curve and algorithm must fit one another. Raises BadSignature
    (also for a point that is not on its curve), UnsupportedAlgorithm, BackendUnavailable or MalformedInput.
    """
    from certs import der

    identifier = der.decode_algorithm_identifier(algorithm)
    try:
        key = load_public(spki)
    except BadKey as error:
        raise BadSignature(f"the key cannot have made a signature: {error}", reason="bad-key") from error
    try:
        return key.verify_as(identifier, signature, message, digest=digest)
    except BadSignature:
        _not_contradictory(key, algorithm, signature, message, digest)
        raise


def _not_contradictory(key: PublicKey, algorithm: bytes, signature: bytes, message: bytes, digest: str | None) -> None:
    """Raise UnsupportedAlgorithm where a signature is right by the digest beside it and wrong by its own algorithm.

    RFC 5652 5.4 knows one digest for both. Some verifiers take the one, some the other; neither good nor forged.
    """
    if digest is None:
        return
    bound = signature_digest(algorithm)
    if bound in (None, digest):
        return
    try:
        key.verify(signature, message, digest=digest)
    except (BadSignature, UnsupportedAlgorithm):
        return
    raise UnsupportedAlgorithm(
        f"the signature is over {digest}, as the message says, and names {bound} itself", reason="contradictory-digests"
    )


def usual_value(spki: bytes, signature: bytes) -> bytes:
    """Return a signature value in the form that `verify` takes.

    Vendors write SM2 values as raw r‖s, 64 octets, where GM/T 0009 7.3 wants a SEQUENCE. What belongs to a key of
    another suite, or of none, is returned as it is.
    """
    from certs import der

    try:
        if len(signature) != 64 or for_spki(spki).name != "sm2":
            return signature
    except CertsError:
        return signature
    try:
        der.decode_integer_pair(signature)
    except MalformedInput:
        return der.encode_integer_pair(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    return signature


def signature_digest(algorithm: bytes) -> str | None:
    """Return the digest that a signature's AlgorithmIdentifier names, or None where it names none we know.

    For judging whether it is still good enough; raises MalformedInput or UnsupportedAlgorithm for PSS parameters that
    cannot be read.
    """
    from certs import der

    identifier = der.decode_algorithm_identifier(algorithm)
    name = oids.name(identifier.oid)
    if name.startswith("ecdsa-with-"):
        from certs.suites.ecdsa import ALGORITHMS

        return ALGORITHMS.get(identifier.oid)
    if name.startswith("dsa-"):
        from certs.suites.dsa import ALGORITHMS as DSA

        return DSA.get(identifier.oid)
    if name.endswith("-with-rsa"):
        from certs.suites.rsa import PKCS1

        return PKCS1.get(identifier.oid)
    if identifier.oid == oids.RSA_PSS:
        from certs.suites.rsa import read_pss

        return read_pss(identifier.parameters).digest
    return None


def suite_of_signature(spki: bytes, algorithm: bytes) -> str:
    """Return the suite a signature would belong to, without checking it; for naming one that could not be checked.

    Raises what `for_spki` raises.
    """
    from certs import der

    suite = for_spki(spki)
    pss = suite.name == "rsa" and der.decode_algorithm_identifier(algorithm).oid == oids.RSA_PSS
    return "rsa-pss" if pss else suite.name
