"""A time-stamping authority by RFC 3161 and RFC 5816, in any suite: bytes in, bytes out.

    authority = TimeStampAuthority(key, certificate, chain, clock)
    response = authority.respond(request)          # always a TimeStampResp; bad requests are answered, not raised
    token = authority.stamp("sm3", digest)         # the token alone, for signing in one process

Every token is verified before it leaves, unless `own_check` says otherwise (decision 16). Serial numbers and times
come from a counter (`certs.tsa_counter`) and never go back, whatever the process does; a clock that was set back, is
too far off, was not compared lately or stands in a leap second is refused (timeNotAvailable; `certs.time_source`).
With `ordering` no two tokens bear the same time, so that any two can be put in order (RFC 3161 2.4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache, partial

from certs import ber, der, oids, regular, suites
from certs.audit.keys import end_batch
from certs.certificate import Certificate
from certs.clock import Clock
from certs.errors import BackendUnavailable, CertsError, MalformedInput, TimeStampError, UnsupportedAlgorithm
from certs.extensions import TRUE
from certs.frame import Framed
from certs.keys.base import KeyHandle
from certs.keys.checked import EVERY, CheckedKey, OwnCheck
from certs.signed_data import assemble, signed_attributes
from certs.time_source import ClockPolicy, TimeSource
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
from certs.tsa_counter import Counter, MemoryCounter, Stamp

MAX_REQUEST = 4096
"""Octets; a request with a 512-bit imprint, policy and nonce has about 120."""

DEFAULT_POLICY = "2.25.295692249159555160294244189160058752461"
"""A policy of our own under the UUID arc (X.667); it promises what this module does and no more."""
ACCURACY = timedelta(seconds=1)
_GRANTED = der.sequence(der.integer(GRANTED))
"""PKIStatusInfo of every token."""


class TimeStampAuthority:
    """One key that stamps. Thread-safe."""

    def __init__(
        self,
        key: KeyHandle,
        certificate: Certificate,
        chain: Sequence[Certificate],
        clock: Clock,
        policy_oid: str = DEFAULT_POLICY,
        counter: Counter | None = None,
        *,
        accuracy: timedelta = ACCURACY,
        policies: Sequence[str] = (),
        ordering: bool = False,
        time_source: TimeSource | None = None,
        clock_policy: ClockPolicy | None = None,
        outer_oid: str = oids.SIGNED_DATA,
        own_check: OwnCheck = EVERY,
    ) -> None:
        """`chain` is sent along where the request asks for certificates; `policies` are accepted beside `policy_oid`.

        `counter` keeps serial numbers and times; without it they are this object's own. `time_source` is asked before
        every token; without it the clock is believed. `outer_oid` may be that of GB/T 35275 where the key is of SM2
        (GM/T 0033). `own_check` says which tokens are verified before they leave. Raises TimeStampError where the
        certificate is not one of a time-stamping authority (RFC 3161 2.3) or the choices contradict one another.
        """
        purposes = certificate.extension(oids.EXTENDED_KEY_USAGE)
        if certificate.extended_key_usage != {oids.TIME_STAMPING} or purposes is None or not purposes.critical:
            raise TimeStampError("the certificate must have the one purpose timeStamping, critical", reason="purpose")
        if certificate.spki != key.public_key.spki and certificate.public_key().spki != key.public_key.spki:
            raise TimeStampError("the certificate does not belong to the key", reason="key")
        if outer_oid not in (oids.SIGNED_DATA, oids.GM_SIGNED_DATA) or (
            outer_oid == oids.GM_SIGNED_DATA and key.suite.name != "sm2"
        ):
            raise TimeStampError("the outer identifier does not fit the suite", reason="outer")
        policy = clock_policy or ClockPolicy(max_error=min(ClockPolicy.max_error, accuracy))
        if policy.max_error > accuracy:
            raise TimeStampError("the clock may be further off than the accuracy stated", reason="accuracy")
        self._given = key
        self.certificate = certificate
        self.policy_oid = policy_oid
        self._key = CheckedKey(key, own_check)
        self._not_before, self._not_after = certificate.not_before, certificate.not_after
        self._chain = tuple(chain)
        self._clock = clock
        self._counter = counter or MemoryCounter()
        self._source, self._clock_policy = time_source, policy
        self._ordering, self._outer = ordering, outer_oid
        self._policies = frozenset((policy_oid, *policies))
        self._accuracy = _encode_accuracy(accuracy)
        self._info, self._attributes = Framed(self._encode_info), Framed(self._encode_attributes)
        self._with_certificates = Framed(partial(self._assemble, certificates=True))
        self._without_certificates = Framed(partial(self._assemble, certificates=False))

    def close(self) -> None:
        """Say in the audit log how many stamps the key has made. Raises AuditError."""
        end_batch(self._given)

    def respond(self, request: bytes) -> bytes:
        """Answer TimeStampReq with TimeStampResp, both DER. Never raises for what is in the request."""
        try:
            asked = _parse(request)
        except MalformedInput as error:
            return _rejection(BAD_DATA_FORMAT, str(error))
        try:
            name = supported_digest(asked.digest.oid)
            size = _digest_size(name)
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
        return der.sequence(_GRANTED, token)

    def stamp(self, digest_name: str, digest: bytes) -> bytes:
        """Return a token (DER) with the certificates inside. Raises UnsupportedAlgorithm or TimeStampError."""
        if len(digest) != _digest_size(digest_name):
            raise TimeStampError(f"the imprint is no {digest_name} value", reason="imprint")
        # into a signature goes what nobody has checked as the client of `respond` must (RFC 3161 2.2)
        imprint = message_imprint(digest_name, digest)
        return self._token(imprint, self.policy_oid, None, certificates=True, always_check=True)

    def _stamp(self) -> Stamp:
        """Return serial number and time for one token. Raises TimeStampError where time is not to be trusted."""
        now = self._clock.now()
        if self._source is not None:
            self._clock_policy.check(self._source.read(now), now)
        if not self._not_before <= now <= self._not_after:
            raise TimeStampError("the authority's certificate is not valid now", reason="certificate")
        return self._counter.next(now, strict=self._ordering)

    def _token(
        self, imprint: bytes, policy: str, nonce: int | None, certificates: bool, *, always_check: bool = False
    ) -> bytes:
        stamp = self._stamp()
        info = self._info(
            der.oid(policy),
            imprint,
            der.integer(stamp.serial),
            _encode_moment(stamp.moment),
            der.integer(nonce) if nonce is not None else b"",
        )
        attributes = self._attributes(suites.digest(self._key.suite.digest_name, info))
        signature = self._key.sign(attributes, always=always_check)
        token = self._with_certificates if certificates else self._without_certificates
        return token(info, attributes[1:], signature)

    def _encode_info(self, policy: bytes, imprint: bytes, serial: bytes, moment: bytes, nonce: bytes) -> bytes:
        """Return TSTInfo (RFC 3161 2.4.2); every value is DER."""
        ordering = TRUE if self._ordering else b""
        return der.sequence(der.integer(1), policy, imprint, serial, moment, self._accuracy, ordering, nonce)

    def _encode_attributes(self, digest: bytes) -> bytes:
        return signed_attributes(self._key.suite, self.certificate, digest, content_type=oids.TST_INFO)

    def _assemble(self, info: bytes, attributes: bytes, signature: bytes, *, certificates: bool) -> bytes:
        """Return the token; `attributes` without their tag, which is another one in there."""
        return assemble(
            self._key.suite,
            self.certificate,
            bytes((der.SET,)) + attributes,
            signature,
            content=info,
            content_type=oids.TST_INFO,
            chain=self._chain if certificates else (),
            include_certificate=certificates,
            outer_oid=self._outer,
        )


def _parse(request: bytes) -> Request:
    if len(request) > MAX_REQUEST:
        raise MalformedInput("the request is too large")
    return regular.stamp_request(request) or read_request(request)


@cache
def _digest_size(name: str) -> int:
    """Return how many octets a digest has. Raises UnsupportedAlgorithm, BackendUnavailable."""
    return suites.new_digest(name).digest_size


def _encode_moment(moment: datetime) -> bytes:
    """Return GeneralizedTime of a moment in UTC with microseconds, no trailing zeros (RFC 3161 2.4.2)."""
    text = b"%04d%02d%02d%02d%02d%02d" % moment.timetuple()[:6]
    if moment.microsecond:
        text += (b".%06d" % moment.microsecond).rstrip(b"0")
    return der.tlv(ber.GENERALIZED_TIME, text + b"Z")


def _encode_accuracy(accuracy: timedelta) -> bytes:
    """Return Accuracy: seconds, and milliseconds and microseconds from 1 to 999 (RFC 3161 2.4.2)."""
    if accuracy < timedelta(microseconds=1):
        raise TimeStampError("an accuracy must be positive", reason="accuracy")
    seconds = accuracy // timedelta(seconds=1)
    millis, micros = divmod(accuracy.microseconds, 1000)
    return der.sequence(
        der.integer(seconds) if seconds else b"",
        b"\x80" + der.integer(millis)[1:] if millis else b"",
        b"\x81" + der.integer(micros)[1:] if micros else b"",
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
