"""OCSP requests and responses of every suite, as written and as read (RFC 6960, nonces by RFC 9654).

    request = make_request([(certificate, issuer)])          # DER; a nonce of 32 octets unless nonce=None
    asked = read_request(request)                            # cert_ids, nonce, extensions
    answer = OCSPResponse(received)                          # BER of anybody; raises MalformedInput
    answer.status, answer.responses[0].status                # "successful", "good" / "revoked" / "unknown"

Whether an answer may be believed is said by `certs.ocsp_check`; who gives ours is `certs.ocsp_responder`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.crl_view import REASON_NAMES
from certs.encoded import Encoded
from certs.errors import CertsError, MalformedInput, OCSPError
from certs.extension_values import Extension, read_extensions
from certs.extensions import encode
from certs.names import Name
from certs.suites.base import AlgorithmID

SUCCESSFUL, MALFORMED_REQUEST, INTERNAL_ERROR, TRY_LATER, SIG_REQUIRED, UNAUTHORIZED = 0, 1, 2, 3, 5, 6
STATUS_NAMES = {
    SUCCESSFUL: "successful",
    MALFORMED_REQUEST: "malformedRequest",
    INTERNAL_ERROR: "internalError",
    TRY_LATER: "tryLater",
    SIG_REQUIRED: "sigRequired",
    UNAUTHORIZED: "unauthorized",
}
"""OCSPResponseStatus by RFC 6960 4.2.1."""

NONCE_OCTETS = 32
"""What RFC 9654 2.1 asks of a client."""
MAX_NONCE = 128
MAX_ENTRIES = 1000
"""Questions in a request and answers in a response that are read."""
MAX_CERTIFICATES = 50
MAX_CERT_ID = 1024
"""Octets of one CertID; with digests of 64 octets it has about 180."""
_WITH_NULL = frozenset({"sha1", "sha224", "sha256", "sha384", "sha512"})


@dataclass(frozen=True)
class CertID:
    """Which certificate is meant: digests of its issuer's name and key, and its serial number (RFC 6960 4.1.1)."""

    digest_oid: str
    name_hash: bytes
    key_hash: bytes
    serial: int
    der: bytes = field(default=b"", compare=False, repr=False)
    """As received, in definite lengths: copied into the answer, for readers who compare octets."""

    @property
    def issuer_key(self) -> tuple[str, bytes, bytes]:
        """What identifies the issuer, under one digest."""
        return self.digest_oid, self.name_hash, self.key_hash

    def matches(self, issuer: Certificate) -> bool:
        """Tell whether the certificate meant is one of `issuer`'s; false where the digest cannot be computed."""
        try:
            return self.issuer_key == issuer_key(issuer, self.digest_oid)
        except CertsError:
            return False


@lru_cache(maxsize=256)
def issuer_key(issuer: Certificate, digest_oid: str) -> tuple[str, bytes, bytes]:
    """Return how CertIDs under a digest name `issuer`. Raises UnsupportedAlgorithm, BackendUnavailable."""
    digest = suites.digest_name(digest_oid)
    name, key = issuer.subject_name.der, der.split_spki(issuer.spki)[1]
    return digest_oid, suites.digest(digest, name), suites.digest(digest, key)


def make_cert_id(issuer: Certificate, serial: int, digest: str = "sha1") -> bytes:
    """Return CertID (DER) for a serial number of `issuer`.

    SHA-1 is what every responder understands (RFC 6960 4.3) and is no protection of anything here. Parameters are NULL
    for the SHA family, as nearly everybody writes them, and absent for others. Raises UnsupportedAlgorithm.
    """
    oid, name_hash, key_hash = issuer_key(issuer, suites.digest_oid(digest))
    algorithm = AlgorithmID(oid, der.NULL_DER if digest in _WITH_NULL else None).der()
    return der.sequence(algorithm, der.octet_string(name_hash), der.octet_string(key_hash), der.integer(serial))


@lru_cache(maxsize=4096)
def read_cert_id(encoded: bytes) -> CertID:
    """Read CertID; cached, since the same certificates are asked for again and again. Raises MalformedInput."""
    if len(encoded) > MAX_CERT_ID:
        raise MalformedInput("a CertID that is too large")
    value = ber.load(encoded)
    members = value.members()
    algorithm = members.next(ber.SEQUENCE).members()
    oid = algorithm.next().oid()
    if algorithm.peek() is not None:
        algorithm.next()
    algorithm.end()
    name_hash, key_hash, serial = members.next().octets(), members.next().octets(), members.next().integer()
    members.end()
    return CertID(oid, name_hash, key_hash, serial, value.definite())


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
        return _nonce(self.extensions)


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


def _nonce(extensions: Iterable[Extension]) -> bytes | None:
    """Return the octets of the nonce; old clients put them into the extension without an OCTET STRING around."""
    for extension in extensions:
        if extension.oid == oids.OCSP_NONCE:
            try:
                return ber.load(extension.value).octets()
            except MalformedInput:
                return extension.value
    return None


# Responses -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class SingleResponse:
    """What a response says about one certificate."""

    cert_id: CertID
    status: str
    """good, revoked or unknown."""
    this_update: datetime
    next_update: datetime | None
    revoked_at: datetime | None = None
    reason: str | None = None
    """Name by RFC 5280 5.3.1, where the response gives one."""
    extensions: tuple[Extension, ...] = ()

    @cached_property
    def archive_cutoff(self) -> datetime | None:
        """Since when certificates that have expired are still answered for (RFC 6960 4.4.4). Raises MalformedInput."""
        found = next((item for item in self.extensions if item.oid == oids.OCSP_ARCHIVE_CUTOFF), None)
        return ber.load(found.value).time() if found else None


class _Basic:
    """The members of a BasicOCSPResponse, split once."""

    __slots__ = (
        "algorithm",
        "certificates",
        "extensions",
        "produced_at",
        "responder_key_hash",
        "responder_name",
        "responses",
        "signature",
        "tbs",
    )

    def __init__(self, encoded: bytes) -> None:
        outer = ber.load(encoded).members()
        tbs = outer.next(ber.SEQUENCE)
        self.tbs = tbs.raw()
        self.algorithm = outer.next(ber.SEQUENCE).definite()
        self.signature = outer.next().bit_string()
        wrapped = outer.optional(ber.context(0))
        outer.end()
        self.certificates = [item.raw() for item in wrapped.only().expect(ber.SEQUENCE)] if wrapped else []
        if len(self.certificates) > MAX_CERTIFICATES:
            raise MalformedInput(f"more than {MAX_CERTIFICATES} certificates with one OCSP response")
        members = tbs.members()
        version = members.optional(ber.context(0))
        if version is not None and version.only().integer() != 0:
            raise MalformedInput("an OCSP response of an unknown version")
        self.responder_name: Name | None = None
        self.responder_key_hash: bytes | None = None
        responder = members.next()
        if responder.tag == ber.context(1):
            self.responder_name = Name(responder.only().raw())
            _ = self.responder_name.attributes
        elif responder.tag == ber.context(2):
            self.responder_key_hash = responder.only().octets()
        else:
            raise MalformedInput("an OCSP response that names no responder")
        self.produced_at = members.next(ber.GENERALIZED_TIME).time()
        singles = members.next().expect(ber.SEQUENCE)
        extensions = members.optional(ber.context(1))
        members.end()
        self.extensions = read_extensions(extensions.only()) if extensions else ()
        out: list[SingleResponse] = []
        for item in singles:
            out.append(_read_single(item))
            if len(out) > MAX_ENTRIES:
                raise MalformedInput(f"more than {MAX_ENTRIES} answers in one response")
        self.responses = tuple(out)


def _read_single(value: ber.Value) -> SingleResponse:
    members = value.members()
    cert_id = read_cert_id(members.next(ber.SEQUENCE).raw())
    status = members.next()
    revoked_at: datetime | None = None
    reason: str | None = None
    number = status.tag & ~ber.CONSTRUCTED
    if number == 0x81:
        inner = status.members(ber.context(1))
        revoked_at = inner.next(ber.GENERALIZED_TIME).time()
        given = inner.optional(ber.context(0))
        inner.end()
        reason = REASON_NAMES.get(given.only().integer(ber.ENUMERATED)) if given else None
    elif number not in (0x80, 0x82):
        raise MalformedInput("an OCSP answer that is neither good, revoked nor unknown")
    this_update = members.next(ber.GENERALIZED_TIME).time()
    following = members.optional(ber.context(0))
    extensions = members.optional(ber.context(1))
    members.end()
    return SingleResponse(
        cert_id,
        ("good", "revoked", "unknown")[number - 0x80],
        this_update,
        following.only().time() if following else None,
        revoked_at,
        reason,
        read_extensions(extensions.only()) if extensions else (),
    )


@dataclass(frozen=True)
class OCSPResponse(Encoded[tuple[int, _Basic | None]]):
    """An OCSPResponse over its octets. Raises MalformedInput, also for an answer of a type we do not know.

    Two are equal if their octets are. Everything but `der` and `status` raises OCSPError where the answer is no
    successful one.
    """

    def _split(self, encoded: bytes) -> tuple[int, _Basic | None]:
        members = ber.load(encoded).members()
        status = members.next().integer(ber.ENUMERATED)
        wrapped = members.optional(ber.context(0))
        members.end()
        if status != SUCCESSFUL:
            return status, None
        if wrapped is None:
            raise MalformedInput("a successful OCSP response without an answer")
        body = wrapped.only().members()
        kind, answer = body.next().oid(), body.next().octets()
        body.end()
        if kind != oids.OCSP_BASIC:
            raise MalformedInput(f"an OCSP response of the unknown type {oids.name(kind)}")
        return status, _Basic(answer)

    @property
    def status(self) -> str:
        """Name of the OCSPResponseStatus; a number where it has none."""
        return STATUS_NAMES.get(self._parts[0], str(self._parts[0]))

    @property
    def _basic(self) -> _Basic:
        basic = self._parts[1]
        if basic is None:
            raise OCSPError(f"the OCSP responder answered {self.status}", reason="status", status=self.status)
        return basic

    @property
    def responses(self) -> tuple[SingleResponse, ...]:
        """The answers."""
        return self._basic.responses

    @property
    def produced_at(self) -> datetime:
        """When the response was signed."""
        return self._basic.produced_at

    @property
    def responder_name(self) -> Name | None:
        """The responder by name, or None where it is named by key."""
        return self._basic.responder_name

    @property
    def responder_key_hash(self) -> bytes | None:
        """SHA-1 of the responder's key, or None where it is named by name."""
        return self._basic.responder_key_hash

    def is_named(self, certificate: Certificate) -> bool:
        """Tell whether the responder id fits a certificate (RFC 6960 4.2.2.3)."""
        name = self._basic.responder_name
        if name is not None:
            return name.key == certificate.subject_name.key
        return self._basic.responder_key_hash == key_hash(certificate)

    @cached_property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates that came with the response; those that cannot be read are left out."""
        out: list[Certificate] = []
        for encoded in self._basic.certificates:
            try:
                out.append(Certificate(encoded))
            except MalformedInput:
                continue
        return tuple(out)

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """The extensions of the whole response."""
        return self._basic.extensions

    @property
    def nonce(self) -> bytes | None:
        """The nonce, or None."""
        return _nonce(self._basic.extensions)

    @property
    def signature_algorithm(self) -> bytes:
        """DER of the AlgorithmIdentifier."""
        return self._basic.algorithm

    @property
    def tbs(self) -> bytes:
        """The signed octets, as received."""
        return self._basic.tbs

    def verify_signed_by(self, certificate: Certificate) -> str:
        """Check the signature with the key of `certificate` and return the suite; nothing else is looked at.

        Raises BadSignature, UnsupportedAlgorithm, BadKey, MalformedInput or OCSPError.
        """
        basic = self._basic
        return suites.verify(certificate.spki, basic.algorithm, basic.signature, basic.tbs)

    def about(self, certificate: Certificate, issuer: Certificate) -> SingleResponse | None:
        """Return what the response says about a certificate of `issuer`, the newest first; or None."""
        found = (
            single
            for single in self.responses
            if single.cert_id.serial == certificate.serial and single.cert_id.matches(issuer)
        )
        return max(found, key=lambda single: single.this_update, default=None)


def key_hash(certificate: Certificate) -> bytes:
    """Return KeyHash: SHA-1 of the bits of the key, whatever the suite (RFC 6960 4.2.1)."""
    key = der.split_spki(ber.load(certificate.spki).definite())[1]
    return hashlib.sha1(key, usedforsecurity=False).digest()


# Writing -------------------------------------------------------------------------------------------------------------
def error_response(status: int) -> bytes:
    """Return an answer that is only a status (RFC 6960 2.3); it is not signed."""
    return der.sequence(der.tlv(ber.ENUMERATED, bytes((status,))))


def successful_response(tbs: bytes, algorithm: bytes, signature: bytes, certificates: bytes) -> bytes:
    """Return OCSPResponse around signed ResponseData; `certificates` is the encoded member, or empty."""
    basic = der.sequence(tbs, algorithm, der.bit_string(signature), certificates)
    body = der.sequence(der.oid(oids.OCSP_BASIC), der.octet_string(basic))
    return der.sequence(b"\x0a\x01\x00", der.tlv(0xA0, body))


def load_response(encoded: bytes) -> OCSPResponse:
    """Return an OCSPResponse, or the BasicOCSPResponse that CAdES keeps of it (RFC 5126 6.3.4) as one. Both DER.

    Raises MalformedInput.
    """
    if ber.load(encoded).members().next().tag == ber.ENUMERATED:
        return OCSPResponse(encoded)
    basic = der.sequence(der.oid(oids.OCSP_BASIC), der.octet_string(encoded))
    return OCSPResponse(der.sequence(der.tlv(ber.ENUMERATED, bytes([SUCCESSFUL])), der.tlv(ber.context(0), basic)))
