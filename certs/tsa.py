"""A time-stamping authority by RFC 3161 and RFC 5816, in any suite: bytes in, bytes out.

    authority = TimeStampAuthority(key, certificate, chain, clock)
    response = authority.respond(request)          # always a TimeStampResp; bad requests are answered, not raised
    token = authority.stamp("sm3", digest)         # the token alone, for signing in one process

Every token is verified before it leaves. Times never go back: a clock that was set back is refused (timeNotAvailable).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.clock import Clock
from certs.errors import BackendUnavailable, CertsError, MalformedInput, TimeStampError, UnsupportedAlgorithm
from certs.keys.base import KeyHandle
from certs.signed_data import assemble, signed_attributes
from certs.timestamp import (
    BAD_ALG,
    BAD_DATA_FORMAT,
    GRANTED,
    REJECTION,
    SYSTEM_FAILURE,
    TIME_NOT_AVAILABLE,
    UNACCEPTED_EXTENSION,
    UNACCEPTED_POLICY,
    Request,
    message_imprint,
    read_request,
    supported_digest,
)

MAX_REQUEST = 4096
"""Octets; a request with a 512-bit imprint, policy and nonce has about 120."""

DEFAULT_POLICY = "2.25.295692249159555160294244189160058752461"
"""A policy of our own under the UUID arc (X.667); it promises what this module does and no more."""
ACCURACY = timedelta(seconds=1)


def random_serial() -> int:
    """Return a serial of 20 octets with 158 random bits (RFC 3161: unique, at most 160 bits)."""
    return secrets.randbits(158) | 1 << 158


class TimeStampAuthority:
    """One key that stamps. Thread-safe."""

    def __init__(
        self,
        key: KeyHandle,
        certificate: Certificate,
        chain: Sequence[Certificate],
        clock: Clock,
        policy_oid: str = DEFAULT_POLICY,
        serials: Callable[[], int] = random_serial,
        *,
        accuracy: timedelta = ACCURACY,
        policies: Sequence[str] = (),
    ) -> None:
        """`chain` is sent along where the request asks for certificates; `policies` are accepted beside `policy_oid`.

        Raises TimeStampError where the certificate is not one of a time-stamping authority (RFC 3161 2.3).
        """
        purposes = certificate.extension(oids.EXTENDED_KEY_USAGE)
        if certificate.extended_key_usage != {oids.TIME_STAMPING} or purposes is None or not purposes.critical:
            raise TimeStampError("the certificate must have the one purpose timeStamping, critical", reason="purpose")
        if certificate.spki != key.public_key.spki and certificate.public_key().spki != key.public_key.spki:
            raise TimeStampError("the certificate does not belong to the key", reason="key")
        self.certificate = certificate
        self.policy_oid = policy_oid
        self._key = key
        self._chain = tuple(chain)
        self._clock = clock
        self._serials = serials
        self._policies = frozenset((policy_oid, *policies))
        self._accuracy = _encode_accuracy(accuracy)
        self._lock = threading.Lock()
        self._last: datetime | None = None

    def respond(self, request: bytes) -> bytes:
        """Answer TimeStampReq with TimeStampResp, both DER. Never raises for what is in the request."""
        try:
            asked = _parse(request)
        except MalformedInput as error:
            return _rejection(BAD_DATA_FORMAT, str(error))
        try:
            name = supported_digest(asked.digest.oid)
            size = suites.new_digest(name).digest_size
        except (UnsupportedAlgorithm, BackendUnavailable) as error:
            return _rejection(BAD_ALG, str(error))
        if len(asked.imprint) != size:
            return _rejection(BAD_DATA_FORMAT, f"the imprint is no {name} value")
        if asked.policy is not None and asked.policy not in self._policies:
            return _rejection(UNACCEPTED_POLICY, f"policy {asked.policy} is not offered")
        if asked.extensions:
            return _rejection(UNACCEPTED_EXTENSION, "extensions are not supported")
        try:
            token = self._token(asked.imprint_der, asked.policy or self.policy_oid, asked.nonce, asked.cert_req)
        except TimeStampError as error:
            return _rejection(TIME_NOT_AVAILABLE, str(error))
        except CertsError:
            return _rejection(SYSTEM_FAILURE, "the token could not be made")
        return der.sequence(der.sequence(der.integer(GRANTED)), token)

    def stamp(self, digest_name: str, digest: bytes) -> bytes:
        """Return a token (DER) with the certificates inside. Raises UnsupportedAlgorithm or TimeStampError."""
        if len(digest) != suites.new_digest(digest_name).digest_size:
            raise TimeStampError(f"the imprint is no {digest_name} value", reason="imprint")
        return self._token(message_imprint(digest_name, digest), self.policy_oid, None, certificates=True)

    def _now(self) -> datetime:
        now = self._clock.now()
        with self._lock:
            if self._last is not None and now < self._last:
                raise TimeStampError("the clock went back", reason="clock")
            self._last = now
        certificate = self.certificate
        if not certificate.not_before <= now <= certificate.not_after:
            raise TimeStampError("the authority's certificate is not valid now", reason="certificate")
        return now

    def _token(self, imprint: bytes, policy: str, nonce: int | None, certificates: bool) -> bytes:
        suite = self._key.suite
        info = der.sequence(
            der.integer(1),
            der.oid(policy),
            imprint,
            der.integer(self._serials()),
            _encode_moment(self._now()),
            self._accuracy,
            der.integer(nonce) if nonce is not None else b"",
        )
        attributes = signed_attributes(
            suite, self.certificate, suites.digest(suite.digest_name, info), content_type=oids.TST_INFO
        )
        signature = self._key.sign(attributes)
        self._key.public_key.verify(signature, attributes)  # a faulty signature must not leave
        return assemble(
            suite,
            self.certificate,
            attributes,
            signature,
            content=info,
            content_type=oids.TST_INFO,
            chain=self._chain if certificates else (),
            include_certificate=certificates,
        )


def _parse(request: bytes) -> Request:
    if len(request) > MAX_REQUEST:
        raise MalformedInput("the request is too large")
    return read_request(request)


def _encode_moment(moment: datetime) -> bytes:
    """Return GeneralizedTime with milliseconds, no trailing zeros (RFC 3161 2.4.2)."""
    text = f"{moment:%Y%m%d%H%M%S}"
    fraction = f"{moment.microsecond // 1000:03d}".rstrip("0")
    return der.tlv(ber.GENERALIZED_TIME, (text + ("." + fraction if fraction else "") + "Z").encode())


def _encode_accuracy(accuracy: timedelta) -> bytes:
    seconds, millis = int(accuracy.total_seconds()), accuracy.microseconds // 1000
    return der.sequence(
        der.integer(seconds) if seconds else b"",
        b"\x80" + der.integer(millis)[1:] if millis else b"",
    )


def _rejection(failure: int, text: str) -> bytes:
    """Return TimeStampResp with status rejection, a text and one failure bit."""
    bits = bytearray(failure // 8 + 1)
    bits[failure // 8] = 0x80 >> failure % 8
    return der.sequence(
        der.sequence(
            der.integer(REJECTION),
            der.sequence(der.tlv(ber.UTF8_STRING, text.encode())),
            der.tlv(der.BIT_STRING, bytes((7 - failure % 8,)) + bits),
        )
    )
