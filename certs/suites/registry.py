"""Teaches asn1crypto our algorithms: the only place that touches its tables.

    registry.install()          # once per process; calling it again does nothing

asn1crypto has no plug-in point for identifiers: its maps are filled in place, a map that was already turned round is
filled too, and two properties and two callbacks are replaced (wbond/asn1crypto issues 228 and 291 ask for one).
Written for version 1.5; another one is refused, and what was taught is tried out at once.
"""

from __future__ import annotations

import threading
from typing import Any

from certs import oids
from certs.errors import BackendFault

SUPPORTED = "1.5."

_DIGESTS = {oids.SM3: "sm3", oids.STREEBOG256: "streebog256", oids.STREEBOG512: "streebog512", oids.GOST94: "gost94"}
_KEYS = {
    oids.GOST2012_256: "gost2012_256",
    oids.GOST2012_512: "gost2012_512",
    oids.GOST2001: "gost2001",
    oids.SM2: "sm2",
    oids.ML_DSA_44: "ml_dsa_44",
    oids.ML_DSA_65: "ml_dsa_65",
    oids.ML_DSA_87: "ml_dsa_87",
    oids.ML_KEM_768: "ml_kem_768",
    oids.ML_KEM_1024: "ml_kem_1024",
}
_SIGNATURES = {
    oids.SM2_WITH_SM3: ("sm3_sm2", "sm2", "sm3"),
    oids.SM2_SIGNATURE: ("sm2_signature", "sm2", "sm3"),
    oids.GOST2012_256_SIGNATURE: ("streebog256_gost2012_256", "gost2012_256", "streebog256"),
    oids.GOST2012_512_SIGNATURE: ("streebog512_gost2012_512", "gost2012_512", "streebog512"),
    oids.GOST2012_256: ("gost2012_256", "gost2012_256", "streebog256"),
    oids.GOST2012_512: ("gost2012_512", "gost2012_512", "streebog512"),
    oids.GOST2001_SIGNATURE: ("gost94_gost2001", "gost2001", "gost94"),
    oids.ML_DSA_44: ("ml_dsa_44", "ml_dsa_44", "sha512"),
    oids.ML_DSA_65: ("ml_dsa_65", "ml_dsa_65", "sha512"),
    oids.ML_DSA_87: ("ml_dsa_87", "ml_dsa_87", "sha512"),
}
"""OID to the name, the key algorithm and the digest, as asn1crypto calls such things."""
_NUMERIC = {oids.INN: "inn", oids.INNLE: "innle", oids.OGRN: "ogrn", oids.OGRNIP: "ogrnip", oids.SNILS: "snils"}

_lock = threading.Lock()
_installed = False


def install() -> None:
    """Teach asn1crypto. Raises BackendFault where it is not the version this was written for."""
    global _installed  # noqa: PLW0603 - the tables are global themselves
    with _lock:
        if not _installed:
            _check_version()
            _teach()
            _self_test()
            _installed = True


def _check_version() -> None:
    import asn1crypto

    if not asn1crypto.__version__.startswith(SUPPORTED):
        raise BackendFault(f"asn1crypto {asn1crypto.__version__} is installed, {SUPPORTED}* is needed")


def _add(kind: Any, dotted: str, name: str) -> None:
    kind._map.setdefault(dotted, name)  # noqa: SLF001 - there is no public way
    if kind._reverse_map is not None:  # noqa: SLF001
        kind._reverse_map.setdefault(name, dotted)  # noqa: SLF001


def _teach() -> None:
    from asn1crypto import algos, core, keys, x509

    for oid, name in _DIGESTS.items():
        _add(algos.DigestAlgorithmId, oid, name)
    for oid, name in _KEYS.items():
        _add(keys.PublicKeyAlgorithmId, oid, name)
        _add(keys.PrivateKeyAlgorithmId, oid, name)
    for oid, (name, _, _) in _SIGNATURES.items():
        _add(algos.SignedDigestAlgorithmId, oid, name)
    keys.NamedCurve.register("sm2p256v1", oids.SM2, 32)
    for oid, name in _NUMERIC.items():
        _add(x509.NameType, oid, name)
        x509.NameTypeAndValue._oid_specs.setdefault(name, core.NumericString)  # noqa: SLF001
        if name not in x509.NameType.preferred_order:
            x509.NameType.preferred_order.append(name)
    _wrap_signed_digest(algos.SignedDigestAlgorithm)
    _keep_unknown_keys_opaque(keys.PublicKeyInfo, "_public_key_spec", "public_key", core.OctetBitString)
    _keep_unknown_keys_opaque(keys.PrivateKeyInfo, "_private_key_spec", "private_key", None)


def _wrap_signed_digest(kind: Any) -> None:
    ours = {oid: (key, digest) for oid, (_, key, digest) in _SIGNATURES.items()}  # others may have named them first
    for position, attribute in enumerate(("signature_algo", "hash_algo")):
        original = getattr(kind, attribute).fget

        def read(self: Any, original: Any = original, position: int = position) -> Any:
            known = ours.get(self["algorithm"].dotted)
            return known[position] if known else original(self)

        setattr(kind, attribute, property(read))


def _keep_unknown_keys_opaque(kind: Any, name: str, field: str, opaque: Any) -> None:
    """Stop asn1crypto from raising KeyError for a key type it has no structure for."""
    original = getattr(kind, name)
    label = "algorithm" if field == "public_key" else "private_key_algorithm"

    def spec(self: Any) -> Any:
        if self[label]["algorithm"].dotted in _KEYS:
            return (opaque, None) if field == "public_key" else opaque
        try:
            return original(self)
        except KeyError:
            return (opaque, None) if field == "public_key" else opaque

    setattr(kind, name, spec)
    kind._spec_callbacks = {field: spec}  # noqa: SLF001


def _self_test() -> None:
    from asn1crypto import algos, keys

    from certs import der
    from certs.suites.base import AlgorithmID

    signed = algos.SignedDigestAlgorithm.load(AlgorithmID(oids.SM2_WITH_SM3).der())
    unknown = der.subject_public_key_info(AlgorithmID("1.2.3.4"), b"\x01")
    try:
        good = (
            signed["algorithm"].native != oids.SM2_WITH_SM3,  # it has a name now
            signed.signature_algo == "sm2",
            signed.hash_algo == "sm3",
            algos.DigestAlgorithmId("streebog256").dotted == oids.STREEBOG256,
            bytes(keys.PublicKeyInfo.load(unknown)["public_key"].native) == b"\x01",
        )
    except (ValueError, KeyError) as error:  # what it raises for names it does not know
        raise BackendFault("asn1crypto did not learn our algorithms") from error
    if not all(good):
        raise BackendFault("asn1crypto did not learn our algorithms", checks=good)
