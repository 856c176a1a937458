"""How a token signs in each suite: PKCS#11 mechanisms, what they take, what they give.

    how = for_suite("ecdsa-p384")                       # the standard's own mechanisms
    table = read_config("/etc/sealroad/token.toml")     # a vendor's, for SM2 and GOST
    how = table["gost2012-256"]

PKCS#11 (OASIS, v3.1) has RSA, ECDSA and EdDSA. SM2 and GOST R 34.10-2012 come by numbers of vendors, which differ from
one to the next; they are read from a small TOML file per module:

    schema = "sealroad.pkcs11/1"

    [suites.gost2012-256]
    key_type = 0x30            # CKA_KEY_TYPE of both keys
    generate = 0x1200          # mechanism that makes a pair; leave out where keys are made elsewhere
    sign = 0x1201              # mechanism that signs
    takes = "digest"           # "message", or "digest" where this program hashes (SM2: SM3 over Z and message)
    output = "rs"              # "rs", "sr" (two halves of equal length), "der", or "value" (already as we write it)
    reversed = false           # octets of the digest in reverse order: some tokens read a little-endian number
    public = "gost"            # "ec" (CKA_EC_PARAMS, CKA_EC_POINT), "gost" (CKA_VALUE, CKA_GOSTR3410_PARAMS)

    decrypt = 0x1204           # mechanism that decrypts a content key; leave out where the keys only sign
    decrypt_by = "decrypt"     # "decrypt" (C_Decrypt), "unwrap" (C_UnwrapKey; the key is then taken out of the token)
    unwrapped = 0x10           # with "unwrap": CKA_KEY_TYPE of the key that comes out
    cipher = "der"             # SM2: "der" (SM2Cipher), "c1c3c2", "c1c2c3"; GOST: always the transport structure
    bare = false               # SM2: C1 without the octet 04

A wrong line cannot give a wrong signature: every value is verified with the public key before it leaves. Nor a wrong
content: before a message is called wrong, the token decrypts octets of our own.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from certs import der, oids, suites
from certs.errors import BackendFault, MalformedInput, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID, PublicKey

SCHEMA = "sealroad.pkcs11/1"
MAX_CONFIG = 1 << 16

CKK_RSA, CKK_EC, CKK_GOSTR3410, CKK_EC_EDWARDS = 0x00, 0x03, 0x30, 0x40
CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN, CKM_EC_EDWARDS_KEY_PAIR_GEN = 0x0000, 0x1040, 0x1055
CKM_RSA_PKCS, CKM_RSA_PKCS_PSS = 0x0001, 0x000D
CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS = 0x0040, 0x0043
CKM_ECDSA, CKM_EDDSA = 0x1041, 0x1057
CKM_SHA256, CKG_MGF1_SHA256 = 0x0250, 0x0002
CKM_HASHES = {"sha1": 0x0220, "sha224": 0x0255, "sha256": CKM_SHA256, "sha384": 0x0260, "sha512": 0x0270}
CKG_MGF1 = {"sha1": 0x0001, "sha224": 0x0005, "sha256": CKG_MGF1_SHA256, "sha384": 0x0003, "sha512": 0x0004}
CKK_GENERIC_SECRET = 0x10

Takes = Literal["message", "digest", "digest-info"]
Output = Literal["rs", "sr", "der", "value"]
Public = Literal["ec", "edwards", "rsa", "gost"]
DecryptBy = Literal["decrypt", "unwrap"]
Cipher = Literal["der", "c1c3c2", "c1c2c3"]


@dataclass(frozen=True)
class How:
    """How one suite is done in a token."""

    suite: str
    key_type: int
    """CKA_KEY_TYPE."""
    sign: int
    """Mechanism that signs."""
    generate: int | None
    """Mechanism that makes a key pair, or None where the token's keys are made by other means."""
    takes: Takes
    """What is handed to the token."""
    output: Output
    """What comes back."""
    public: Public
    """Where the token keeps the public key."""
    reversed: bool = False
    """Whether the digest goes in backwards."""
    decrypt: int | None = None
    """A vendor's mechanism that decrypts content keys; None: the standard's, where there is one."""
    decrypt_by: DecryptBy = "decrypt"
    """C_Decrypt, or C_UnwrapKey with the key taken out of the token afterwards."""
    unwrapped: int = CKK_GENERIC_SECRET
    """CKA_KEY_TYPE of a key that is unwrapped."""
    cipher: Cipher = "der"
    """SM2: SM2Cipher, or its members one after the other."""
    bare: bool = False
    """SM2: C1 without the octet 04, where `cipher` is not "der"."""
    instead: How | None = None
    """What to use where the token has not the mechanism of `sign`."""

    @property
    def parameters(self) -> tuple[int, int, int] | None:
        """Hash, mask generation and salt length of PSS (RFC 4055 3.1); None for all others."""
        return (CKM_SHA256, CKG_MGF1_SHA256, 32) if self.suite == "rsa-pss" else None

    @property
    def decrypting(self) -> str:
        """What a key must be allowed so that it decrypts: the attribute's name without CKA_."""
        if self.decrypt is not None:
            return self.decrypt_by.upper()
        return "DECRYPT" if self.public == "rsa" else "DERIVE"

    def prepare(self, public: PublicKey, message: bytes) -> bytes:
        """Return what the token is to be given for `message`."""
        if self.takes == "message":
            return message
        name = public.suite.digest_name
        if public.suite.name == "sm2":
            message = _sm2_z(public.spki) + message
        value = suites.digest(name, message)
        if self.takes == "digest-info":  # RFC 8017 9.2, note 1
            algorithm = AlgorithmID(suites.digest_oid(name), der.NULL_DER)
            return der.sequence(algorithm.der(), der.octet_string(value))
        return value[::-1] if self.reversed else value

    def finish(self, value: bytes) -> bytes:
        """Return the signature value as X.509 and CMS want it. Raises BackendFault for octets of a wrong length."""
        if self.output == "value":
            return value
        is_gost = self.suite.startswith("gost")
        if self.output == "der":
            try:
                r, s = der.decode_integer_pair(value)
            except MalformedInput as error:
                raise BackendFault("the token's signature is not DER") from error
        else:
            if not value or len(value) % 2:
                raise BackendFault("the token's signature has a wrong length")
            half = len(value) // 2
            first, second = (int.from_bytes(part, "big") for part in (value[:half], value[half:]))
            r, s = (first, second) if self.output == "rs" else (second, first)
        if not is_gost:
            return der.encode_integer_pair(r, s)
        size = suites.get(self.suite).max_signature_size // 2
        if max(r, s) >> (8 * size) or min(r, s) < 0:
            raise BackendFault("the token's signature is out of range")
        return s.to_bytes(size, "big") + r.to_bytes(size, "big")


def _rsa(name: str, whole: int, padding: int, takes: Takes) -> How:
    bare = How(name, CKK_RSA, padding, CKM_RSA_PKCS_KEY_PAIR_GEN, takes, "value", "rsa")
    return How(name, CKK_RSA, whole, CKM_RSA_PKCS_KEY_PAIR_GEN, "message", "value", "rsa", instead=bare)


_STANDARD: dict[str, How] = {
    "rsa": _rsa("rsa", CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS, "digest-info"),
    "rsa-pss": _rsa("rsa-pss", CKM_SHA256_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, "digest"),
}
for _name in ("p256", "p384", "p521", "bp256", "bp384", "bp512"):
    # CKM_ECDSA over a digest made here: not every token has the mechanisms that hash
    _STANDARD[f"ecdsa-{_name}"] = How(f"ecdsa-{_name}", CKK_EC, CKM_ECDSA, CKM_EC_KEY_PAIR_GEN, "digest", "rs", "ec")
for _name in ("ed25519", "ed448"):
    _STANDARD[_name] = How(_name, CKK_EC_EDWARDS, CKM_EDDSA, CKM_EC_EDWARDS_KEY_PAIR_GEN, "message", "value", "edwards")


def for_suite(name: str, config: str | None = None) -> How:
    """Return how `name` is done. Raises UnsupportedAlgorithm where neither the standard nor the configuration says."""
    table = _STANDARD | (read_config(config) if config else {})
    if name in table:
        return table[name]
    raise UnsupportedAlgorithm(
        f"PKCS#11 has no standard mechanism for {name}",
        hint="describe the vendor's in a file and name it: &x-config=/path/of/token.toml",
        suite=name,
    )


def read_config(path: str) -> dict[str, How]:
    """Return the vendor's mechanisms by suite. Raises MalformedInput for a file that is wrong in any line."""
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_CONFIG + 1)
        if len(data) > MAX_CONFIG:
            raise MalformedInput(f"{path} is too large")
        values = tomllib.loads(data.decode())
    except OSError as error:
        raise MalformedInput(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # a number of 5000 digits is none of the decoder's own errors
        raise MalformedInput(f"{path} is no TOML") from error
    if values.get("schema") != SCHEMA or set(values) != {"schema", "suites"} or not isinstance(values["suites"], dict):
        raise MalformedInput(f"{path} is not of schema {SCHEMA}")
    return {name: _row(path, name, row) for name, row in values["suites"].items()}


_REQUIRED = {"key_type": int, "sign": int, "takes": Takes, "output": Output, "public": Public}
_OPTIONAL = {"generate": int, "reversed": bool, "decrypt": int, "decrypt_by": DecryptBy, "unwrapped": int}
_OPTIONAL |= {"cipher": Cipher, "bare": bool}


def _row(path: str, name: str, row: Any) -> How:
    where = f"{path}, suite {name}"
    if name not in suites.ALL_NAMES or not isinstance(row, dict):
        raise MalformedInput(f"{where}: there is no such suite")
    wanted = _REQUIRED | _OPTIONAL
    if unknown := set(row) - set(wanted):
        raise MalformedInput(f"{where}: unknown line {min(unknown)!r}")
    if missing := set(_REQUIRED) - set(row):
        raise MalformedInput(f"{where}: {min(missing)} is missing")
    for key, value in row.items():
        kind = wanted[key]
        if kind in (int, bool):
            good = type(value) is kind and (kind is bool or 0 <= value < 1 << 32)
        else:
            good = value in get_args(kind)
        if not good:
            raise MalformedInput(f"{where}: {key} has a value that cannot be")
    assert {field.name for field in fields(How)} >= set(wanted)
    values: dict[str, Any] = {"suite": name, "generate": None} | row
    return How(**values)


# Public keys ---------------------------------------------------------------------------------------------------------
EDWARDS_CURVES = {"ed25519": (oids.ED25519, "edwards25519", 32), "ed448": (oids.ED448, "edwards448", 57)}
"""OID (RFC 8410), PKCS#11's name for the curve, octets of a point."""


def edwards_suite(parameters: bytes) -> str | None:
    """Return the suite of CKA_EC_PARAMS of an Edwards key: an OID, or the curve's name as a PrintableString."""
    for name, (oid, word, _) in EDWARDS_CURVES.items():
        if parameters in (der.oid(oid), der.tlv(0x13, word.encode())):
            return name
    return None


def unwrap_point(value: bytes, sizes: tuple[int, ...]) -> bytes:
    """Return the point of CKA_EC_POINT: an OCTET STRING around it (PKCS#11 v2.40), or bare as some tokens give it.

    Told apart by length: a bare point begins with the octet of the tag, too.
    """
    if len(value) in sizes:
        return value
    reader = der.Reader(value)
    inner = reader.value(der.OCTET_STRING)
    reader.end()
    return inner


def ec_spki(parameters: bytes, point: bytes) -> bytes:
    """Return SubjectPublicKeyInfo of CKA_EC_PARAMS and CKA_EC_POINT."""
    bare = unwrap_point(point, (65, 97, 129, 133))
    algorithm = AlgorithmID(oids.EC, parameters)
    return der.subject_public_key_info(algorithm, bare)


def edwards_spki(suite: str, point: bytes) -> bytes:
    """Return SubjectPublicKeyInfo of an Edwards key (RFC 8410 4)."""
    oid, _, size = EDWARDS_CURVES[suite]
    return der.subject_public_key_info(AlgorithmID(oid), unwrap_point(point, (size,)))


def rsa_spki(suite: str, modulus: bytes, exponent: bytes) -> bytes:
    """Return SubjectPublicKeyInfo of CKA_MODULUS and CKA_PUBLIC_EXPONENT; for "rsa-pss" it says so (RFC 4055 1.2)."""
    numbers = (int.from_bytes(part, "big") for part in (modulus, exponent))
    algorithm = AlgorithmID(oids.RSA_PSS) if suite == "rsa-pss" else AlgorithmID(oids.RSA, der.NULL_DER)
    return der.subject_public_key_info(algorithm, der.sequence(*map(der.integer, numbers)))


def gost_spki(suite: str, value: bytes, parameters: bytes) -> bytes:
    """Return SubjectPublicKeyInfo of CKA_VALUE (LE(x) ‖ LE(y), perhaps in an OCTET STRING) and CKA_GOSTR3410_PARAMS."""
    size = suites.get(suite).max_signature_size
    point = unwrap_point(value, (size,))
    oid = der.decode_oid(der.Reader(parameters).value(der.OBJECT_IDENTIFIER))
    from certs.suites.gost_parameters import BY_OID

    if oid not in BY_OID:
        raise UnsupportedAlgorithm(f"the GOST parameter set {oids.name(oid)} is not one we compute", oid=oid)
    algorithm = BY_OID[oid].key_algorithm()
    return der.subject_public_key_info(algorithm, der.octet_string(point))


_SM2_ID = b"1234567812345678"
_SM2_CURVE = bytes.fromhex(  # a, b, x and y of the base point (GB/T 32918.5-2017)
    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
    "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
    "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
    "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
)


def _sm2_z(spki: bytes) -> bytes:
    """Return Z (GB/T 32918.2-2016 5.5): what a token that takes a digest leaves to us to hash first."""
    _, point = der.split_spki(spki)
    if len(point) != 65:
        raise UnsupportedAlgorithm("the SM2 point is compressed; the token needs it whole")
    return suites.digest("sm3", (8 * len(_SM2_ID)).to_bytes(2, "big") + _SM2_ID + _SM2_CURVE + point[1:])
