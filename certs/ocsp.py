"""OCSP requests and responses of every suite, as written and as read (RFC 6960, nonces by RFC 9654).

    request = make_request([(certificate, issuer)])          # DER; a nonce of 32 octets unless nonce=None
    asked = read_request(request)                            # cert_ids, nonce, extensions
    answer = OCSPResponse(received)                          # BER of anybody; raises MalformedInput
    answer.status, answer.responses[0].status                # "successful", "good" / "revoked" / "unknown"

Whether an answer may be believed is said by `certs.ocsp_check`; who gives ours is `certs.ocsp_responder`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from certs import ber, der, oids
from certs.certificate import Certificate
from certs.errors import MalformedInput
from certs.extension_values import Extension, read_extensions
from certs.extensions import encode
from certs.ocsp_id import CertID, key_hash, make_cert_id, nonce_of, read_cert_id
from certs.ocsp_view import (
    INTERNAL_ERROR,
    MALFORMED_REQUEST,
    MAX_ENTRIES,
    TRY_LATER,
    UNAUTHORIZED,
    OCSPResponse,
    SingleResponse,
    enclosed,
    load_response,
)

__all__ = [
    "INTERNAL_ERROR",
    "MALFORMED_REQUEST",
    "TRY_LATER",
    "UNAUTHORIZED",
    "CertID",
    "OCSPRequest",
    "OCSPResponse",
    "SingleResponse",
    "error_response",
    "key_hash",
    "load_response",
    "make_cert_id",
    "make_request",
    "read_cert_id",
    "read_request",
    "request_for",
    "successful_response",
]

NONCE_OCTETS = 32
"""What RFC 9654 2.1 asks of a client."""
MAX_NONCE = 128


# Requests ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class OCSPRequest:
    """An OCSPRequest as received. The signature that may be around it is not looked at: we serve everybody."""

    cert_ids: tuple[CertID, ...]
    extensions: tuple[Extension, ...] = ()
    """Of the request, and of its single questions."""
    signed: bool = False

    @property
    def nonce_extension(self) -> Extension | None:
        """The nonce extension, to be copied into the answer."""
        for item in self.extensions:
            if item.oid == oids.OCSP_NONCE:
                return item
        return None

    @property
    def nonce(self) -> bytes | None:
        """The nonce, or None."""
        return nonce_of(self.extensions)


def make_request(
    certificates: Sequence[tuple[Certificate, Certificate]],
    *,
    digest: str = "sha1",
    nonce: bytes | None = b"",
) -> bytes:
    """Return OCSPRequest (DER) about pairs of certificate and issuer.

    An empty nonce stands for a new one of 32 octets, None for none at all. Raises MalformedInput for a longer one
    than 128 octets, UnsupportedAlgorithm for an unknown digest.
    """
    questions = [make_cert_id(issuer, certificate.serial, digest) for certificate, issuer in certificates]
    return request_for(questions, nonce=secrets.token_bytes(NONCE_OCTETS) if nonce == b"" else nonce)


def request_for(cert_ids: Iterable[bytes], *, nonce: bytes | None = None) -> bytes:
    """Return OCSPRequest (DER) about encoded CertIDs. Raises MalformedInput for a nonce of 0 or over 128 octets."""
    tail = b""
    if nonce is not None:
        if not 1 <= len(nonce) <= MAX_NONCE:
            raise MalformedInput(f"a nonce has 1 to {MAX_NONCE} octets (RFC 9654 2.1)")
        extension = Extension(oids.OCSP_NONCE, False, der.octet_string(nonce))
        tail = der.tlv(0xA2, der.sequence(encode(extension)))
    return der.sequence(der.sequence(der.sequence(*map(der.sequence, cert_ids)), tail))


def read_request(data: bytes) -> OCSPRequest:
    """Read OCSPRequest. Raises MalformedInput."""
    outer = ber.load(data).members()
    tbs = outer.next().members()
    signature = outer.optional(ber.context(0))
    outer.end()
    version = tbs.optional(ber.context(0))
    if version is not None and version.only().integer() != 0:
        raise MalformedInput("an OCSP request of an unknown version")
    tbs.optional(ber.context(1))  # requestorName
    cert_ids: list[CertID] = []
    extensions: list[Extension] = []
    for item in tbs.next().expect(ber.SEQUENCE):
        members = item.members()
        cert_ids.append(read_cert_id(members.next(ber.SEQUENCE).raw()))
        single = members.optional(ber.context(0))
        members.end()
        if single is not None:
            extensions += read_extensions(single.only())
        if len(cert_ids) > MAX_ENTRIES:
            raise MalformedInput(f"more than {MAX_ENTRIES} certificates in one request")
    wrapped = tbs.optional(ber.context(2))
    tbs.end()
    if not cert_ids:
        raise MalformedInput("an OCSP request about nothing")
    if wrapped is not None:
        extensions += read_extensions(wrapped.only())
    return OCSPRequest(tuple(cert_ids), tuple(extensions), signature is not None)


# Writing -------------------------------------------------------------------------------------------------------------
def error_response(status: int) -> bytes:
    """Return an answer that is only a status (RFC 6960 2.3); it is not signed."""
    return der.sequence(der.tlv(ber.ENUMERATED, bytes((status,))))


def successful_response(tbs: bytes, algorithm: bytes, signature: bytes, certificates: bytes) -> bytes:
    """Return OCSPResponse around signed ResponseData; `certificates` is the encoded member, or empty."""
    return enclosed(der.sequence(tbs, algorithm, der.bit_string(signature), certificates))
