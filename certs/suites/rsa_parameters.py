"""What the parameters of RSASSA-PSS and RSAES-OAEP begin with: [0] a hash, [1] a mask generation function (RFC 4055 2).

digest, mask = read_hashes(body, "RSA")          # names; SHA-1 where a member is absent
der.sequence(SHA256_WITH_MGF1, …)                # what we write
"""

from __future__ import annotations

from certs import der, oids
from certs.errors import UnsupportedAlgorithm
from certs.suites.base import AlgorithmID
from certs.suites.common import no_parameters
from certs.suites.digests import digest_name, digest_oid
from certs.suites.hashes import HASHES


def read_hashes(body: der.Reader, scheme: str) -> tuple[str, str]:
    """Read both members; return the digest and that of MGF1. `scheme` is for the error.

    Raises MalformedInput, UnsupportedAlgorithm.
    """
    digest, mask = "sha1", "sha1"
    if body.peek() == 0xA0:
        digest = _hash_of(der.decode_algorithm_identifier(body.value(0xA0)), scheme)
    if body.peek() == 0xA1:
        mgf = der.decode_algorithm_identifier(body.value(0xA1))
        if mgf.oid != oids.MGF1 or mgf.parameters is None:
            raise UnsupportedAlgorithm(f"mask generation {oids.name(mgf.oid)} is not supported", oid=mgf.oid)
        mask = _hash_of(der.decode_algorithm_identifier(mgf.parameters), scheme)
    return digest, mask


def _hash_of(algorithm: AlgorithmID, scheme: str) -> str:
    no_parameters(algorithm)
    name = digest_name(algorithm.oid)
    if name not in HASHES:
        raise UnsupportedAlgorithm(f"{scheme} over {name} is not supported", digest=name)
    return name


def with_mgf1(digest: str) -> bytes:
    """Return both members with the same digest, without the SEQUENCE around them; none for SHA-1, the default."""
    if digest == "sha1":
        return b""
    algorithm = AlgorithmID(digest_oid(digest), der.NULL_DER).der()  # NULL here: RFC 4055 2.1
    return der.tlv(0xA0, algorithm) + der.tlv(0xA1, AlgorithmID(oids.MGF1, algorithm).der())


SHA256_WITH_MGF1 = with_mgf1("sha256")
"""Both members as we write them where nobody asks for others."""
