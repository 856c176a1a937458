"""Time-stamps by RFC 3161 and RFC 5816, from the asking and the reading side.

    request = make_request("sm3", digest, nonce=…)
    token = check_response(response, request)              # TimeStampToken, or TimeStampError
    token = read_token(der)
    token.verify("sm3", digest)                            # cryptography only: imprint, signature, certificate named
    token.gen_time                                         # trust in the authority: certs.path, purpose "timestamping"

Both outer identifiers are read, id-signedData and that of GB/T 35275-2017, which GM/T 0033-2014 uses.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.errors import BadSignature, MalformedInput, TimeStampError, UnsupportedAlgorithm
from certs.extension_values import Extension, read_extensions
from certs.extensions import TRUE
from certs.signed_data import SignedDataView, SignerView, check_signing_certificate, digest_name, parse_signed_data
from certs.suites.base import AlgorithmID

GRANTED, GRANTED_WITH_MODS, REJECTION = 0, 1, 2
_STATUS_NAMES = ("granted", "grantedWithMods", "rejection", "waiting", "revocationWarning", "revocationNotification")

BAD_ALG, BAD_REQUEST, BAD_DATA_FORMAT, TIME_NOT_AVAILABLE = 0, 2, 5, 14
UNACCEPTED_POLICY, UNACCEPTED_EXTENSION, ADD_INFO_NOT_AVAILABLE, SYSTEM_FAILURE = 15, 16, 17, 25
FAILURES = {
    BAD_ALG: "badAlg",
    BAD_REQUEST: "badRequest",
    BAD_DATA_FORMAT: "badDataFormat",
    TIME_NOT_AVAILABLE: "timeNotAvailable",
    UNACCEPTED_POLICY: "unacceptedPolicy",
    UNACCEPTED_EXTENSION: "unacceptedExtension",
    ADD_INFO_NOT_AVAILABLE: "addInfoNotAvailable",
    SYSTEM_FAILURE: "systemFailure",
}
"""PKIFailureInfo bits by RFC 3161 2.4.2."""


@dataclass(frozen=True)
class Request:
    """A TimeStampReq as received."""

    digest: AlgorithmID
    imprint: bytes
    policy: str | None
    nonce: int | None
    cert_req: bool
    extensions: tuple[Extension, ...]
    imprint_der: bytes
    """MessageImprint as received, to be copied into the token."""


def make_request(
    digest: str, imprint: bytes, *, nonce: int | None = None, policy: str | None = None, certificates: bool = True
) -> bytes:
    """Return TimeStampReq (DER) for `imprint`, which is the `digest` of the data.

    A nonce is made up where none is given.
    """
    nonce = secrets.randbits(63) | 1 << 63 if nonce is None else nonce
    return der.sequence(
        der.integer(1),
        message_imprint(digest, imprint),
        der.oid(policy) if policy else b"",
        der.integer(nonce),
        TRUE if certificates else b"",
    )


def message_imprint(digest: str, imprint: bytes) -> bytes:
    """Return MessageImprint (DER); parameters absent (RFC 5754 2)."""
    return der.sequence(AlgorithmID(suites.digest_oid(digest)).der(), der.octet_string(imprint))


def read_request(data: bytes) -> Request:
    """Read TimeStampReq. Raises MalformedInput."""
    members = ber.load(data).members()
    version = members.next().integer()
    imprint = members.next(ber.SEQUENCE)
    policy = members.optional(ber.OBJECT_IDENTIFIER)
    nonce = members.optional(ber.INTEGER)
    cert_req = members.optional(ber.BOOLEAN)
    wrapped = members.optional(ber.context(0))
    members.end()
    if version != 1:
        raise MalformedInput("a time-stamp request of an unknown version")
    algorithm, octets = _read_imprint(imprint)
    # [0] IMPLICIT Extensions: the members themselves
    extensions = read_extensions(ber.load(b"\x30" + wrapped.definite()[1:])) if wrapped else ()
    return Request(
        algorithm,
        octets,
        policy.oid() if policy else None,
        nonce.integer() if nonce else None,
        cert_req is not None and cert_req.boolean(),
        extensions,
        imprint.raw(),
    )


def _read_imprint(value: ber.Value) -> tuple[AlgorithmID, bytes]:
    members = value.members()
    algorithm = der.decode_algorithm_identifier(members.next(ber.SEQUENCE).definite())
    octets = members.next().octets()
    members.end()
    return algorithm, octets


@dataclass(frozen=True)
class TimeStampToken:
    """A token as received. `verify` is cryptography only; whether the authority is trusted is another question."""

    der: bytes
    gen_time: datetime
    """UTC, with the fractions of a second the token gives."""
    accuracy: timedelta | None
    digest_oid: str
    imprint: bytes
    serial: int
    policy: str
    nonce: int | None
    ordering: bool
    tsa_name: bytes | None
    """DER of the GeneralName in `tsa`."""
    signed_data: SignedDataView = field(repr=False)

    @property
    def digest_name(self) -> str:
        """The digest of the imprint. Raises UnsupportedAlgorithm."""
        return digest_name(self.digest_oid)

    @property
    def signer(self) -> SignerView:
        """The one signer."""
        return self.signed_data.signers[0]

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates in the token."""
        return self.signed_data.certificates

    @property
    def outer_oid(self) -> str:
        """id-signedData or that of GB/T 35275."""
        return self.signed_data.outer_oid

    def certificate(self, others: Iterable[Certificate] = ()) -> Certificate:
        """Return the authority's certificate: among those that fit the signer identifier the one the signer names.

        Raises TimeStampError where there is none, UnsupportedAlgorithm where that cannot be computed.
        """
        for candidate in self.signer.candidates(others):
            try:
                check_signing_certificate(self.signer, candidate)
            except BadSignature:
                continue
            return candidate
        raise TimeStampError("the authority's certificate is not in the token", reason="no-certificate")

    def verify(self, digest: str, imprint: bytes, *, others: Iterable[Certificate] = ()) -> str:
        """Check imprint, message digest, signing certificate and signature; return the suite's name.

        Raises TimeStampError where the token is for other data or names no certificate, BadSignature,
        UnsupportedAlgorithm, BadKey, MalformedInput.
        """
        if self.digest_name != digest or not compare_digest(self.imprint, imprint):
            raise TimeStampError("the time-stamp is for other data", reason="imprint")
        if self.signer.signed_attributes is None:
            raise MalformedInput("a time-stamp must have signed attributes")
        return self.signer.verify(certificate=self.certificate(others))


def read_token(data: bytes) -> TimeStampToken:
    """Read a TimeStampToken (ContentInfo). Raises MalformedInput or TimeStampError."""
    view = parse_signed_data(data)
    if view.content_type != oids.TST_INFO or view.content is None:
        raise TimeStampError(f"not a time-stamp but {oids.name(view.content_type)}", reason="content-type")
    if len(view.signers) != 1:
        raise TimeStampError("a time-stamp has exactly one signer (RFC 3161 2.4.2)", reason="signers")
    members = ber.load(view.content).members()
    if members.next().integer() not in (1, 2):
        raise TimeStampError("a time-stamp of an unknown version", reason="version")
    policy = members.next().oid()
    algorithm, imprint = _read_imprint(members.next(ber.SEQUENCE))
    serial, gen_time = members.next().integer(), members.next(ber.GENERALIZED_TIME).time()
    accuracy = members.optional(ber.SEQUENCE)
    ordering = members.optional(ber.BOOLEAN)
    nonce = members.optional(ber.INTEGER)
    tsa = members.optional(ber.context(0))
    extensions = members.optional(ber.context(1))
    members.end()
    if extensions is not None:
        for extension in read_extensions(ber.load(b"\x30" + extensions.definite()[1:])):
            if extension.critical:
                raise TimeStampError(f"unknown critical extension {extension.oid}", reason="extension")
    return TimeStampToken(
        der=bytes(data),
        gen_time=gen_time,
        accuracy=_read_accuracy(accuracy) if accuracy else None,
        digest_oid=algorithm.oid,
        imprint=imprint,
        serial=serial,
        policy=policy,
        nonce=nonce.integer() if nonce else None,
        ordering=ordering is not None and ordering.boolean(),
        tsa_name=tsa.only().raw() if tsa else None,
        signed_data=view,
    )


def _read_accuracy(value: ber.Value) -> timedelta:
    """Read Accuracy; also millis and micros without their tags, as GM/T 0033-2014 prints them."""
    units = {"seconds": 0, "milliseconds": 0, "microseconds": 0}
    order = iter(units)
    for member in value:
        number = member.integer(member.tag)
        if member.tag == ber.INTEGER:
            unit = next(order, None)
            if unit is None:
                raise MalformedInput("an accuracy with too many members")
        elif member.tag in (0x80, 0x81):
            unit = "milliseconds" if member.tag == 0x80 else "microseconds"
        else:
            raise MalformedInput("an accuracy with an unknown member")
        if not 0 <= number <= 10**9:
            raise MalformedInput("an accuracy out of bounds")
        units[unit] = number
    return timedelta(**units)


def token_in(response: bytes) -> tuple[bytes | None, str]:
    """Return the token in a TimeStampResp, or None, and the status in words. Raises MalformedInput."""
    status, text, failure, token = _read_response(response)
    return token, _in_words(status, text, failure)


def check_response(
    data: bytes, request: bytes, *, others: Iterable[Certificate] = (), verify: bool = True
) -> TimeStampToken:
    """Read TimeStampResp to `request` and check it as RFC 3161 2.2 says; trust is not looked at.

    1. status granted or grantedWithMods; 2. the imprint is the one sent; 3. the nonce is the one sent; 4. the policy
    is the one asked for; 5. imprint, signature and named certificate hold (`TimeStampToken.verify`). Raises
    TimeStampError, BadSignature, UnsupportedAlgorithm, BadKey, MalformedInput.
    """
    sent = read_request(request)
    status, text, failure, encoded = _read_response(data)
    if status not in (GRANTED, GRANTED_WITH_MODS):
        raise TimeStampError(
            f"the time-stamping authority answered {_in_words(status, text, failure)}",
            reason="status",
            status=_status_name(status),
            failure=failure,
        )
    if encoded is None:
        raise TimeStampError("the answer holds no time-stamp", reason="no-token")
    token = read_token(encoded)
    if token.digest_oid != sent.digest.oid or not compare_digest(token.imprint, sent.imprint):
        raise TimeStampError("the time-stamp is for other data", reason="imprint")
    if sent.nonce is not None and token.nonce != sent.nonce:
        raise TimeStampError("the time-stamp is the answer to another request", reason="nonce")
    if sent.policy is not None and token.policy != sent.policy:
        raise TimeStampError("the time-stamp is under another policy", reason="policy")
    if verify:
        token.verify(token.digest_name, sent.imprint, others=others)
    return token


def _read_response(data: bytes) -> tuple[int, str, str | None, bytes | None]:
    """Read TimeStampResp: status, text, name of the failure, token."""
    members = ber.load(data).members()
    status, text, failure = _read_status(members.next(ber.SEQUENCE))
    body = members.optional(ber.SEQUENCE)
    members.end()
    return status, text, failure, body.raw() if body else None


def _status_name(status: int) -> str:
    return _STATUS_NAMES[status] if 0 <= status < len(_STATUS_NAMES) else str(status)


def _in_words(status: int, text: str, failure: str | None) -> str:
    detail = ", ".join(filter(None, (failure, text)))
    return _status_name(status) + (f" ({detail})" if detail else "")


def _read_status(value: ber.Value) -> tuple[int, str, str | None]:
    """Read PKIStatusInfo: status, text, name of the failure."""
    members = value.members()
    status = members.next().integer()
    texts = members.optional(ber.SEQUENCE)
    bits = members.optional(ber.BIT_STRING)
    members.end()
    text = "; ".join(item.octets(ber.UTF8_STRING).decode("utf-8", "replace") for item in texts) if texts else ""
    numbers = sorted(bits.named_bits()) if bits else []
    return status, text, ", ".join(FAILURES.get(number, f"bit {number}") for number in numbers) or None


def supported_digest(oid: str) -> str:
    """Return the digest of `oid` if it is still good enough to be stamped. Raises UnsupportedAlgorithm."""
    name = digest_name(oid)
    if name in ("sha1", "gost94", "md5"):
        raise UnsupportedAlgorithm(f"{name} is too weak to be time-stamped")
    return name
