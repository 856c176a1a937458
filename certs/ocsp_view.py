"""OCSP responses of anybody, over their original octets (RFC 6960 4.2).

    answer = OCSPResponse(received)                          # BER of anybody; raises MalformedInput
    answer.status, answer.responses[0].status                # "successful", "good" / "revoked" / "unknown"

Whether an answer may be believed is said by `certs.ocsp_check`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.crl_view import REASON_NAMES
from certs.encoded import Encoded
from certs.errors import MalformedInput, OCSPError
from certs.extension_values import Extension, read_extensions
from certs.names import Name
from certs.ocsp_id import CertID, key_hash, nonce_of, read_cert_id

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

MAX_ENTRIES = 1000
"""Questions in a request and answers in a response that are read."""
MAX_CERTIFICATES = 50


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
        return nonce_of(self._basic.extensions)

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


def load_response(encoded: bytes) -> OCSPResponse:
    """Return an OCSPResponse, or the BasicOCSPResponse that CAdES keeps of it (RFC 5126 6.3.4) as one. Both DER.

    Raises MalformedInput.
    """
    if ber.load(encoded).members().next().tag == ber.ENUMERATED:
        return OCSPResponse(encoded)
    return OCSPResponse(enclosed(encoded))


def enclosed(basic: bytes) -> bytes:
    """Return OCSPResponse around a BasicOCSPResponse, both DER."""
    body = der.sequence(der.oid(oids.OCSP_BASIC), der.octet_string(basic))
    return der.sequence(der.tlv(ber.ENUMERATED, bytes((SUCCESSFUL,))), der.tlv(ber.context(0), body))
