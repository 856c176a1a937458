"""Answers OCSP requests about the certificates of one issuer, in the issuer's suite: bytes in, bytes out.

    responder = OCSPResponder(key, certificate, issuer, ledger, clock)
    response = responder.respond(request)          # always an OCSPResponse; nothing in a request is raised
    responder.write_answers("answers/")            # one file for every certificate on record
    Responders([of_issuing, of_root]).respond(request)

The ledger is asked at every request, so an answer changes with the revocation. An answer without a nonce is kept and
given again until half its life is over or the ledger says something else. Good is said only of what was issued
(RFC 6960 2.2); every signature is checked before it leaves, unless `own_check` says otherwise (decision 16).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from certs import ber, der, extensions, files, oids, regular
from certs.audit.keys import end_batch
from certs.certificate import Certificate
from certs.clock import Clock
from certs.crl import REASONS
from certs.errors import CertsError, KeyStoreError, MalformedInput, OCSPError
from certs.extension_values import Extension
from certs.frame import Framed
from certs.keys.base import KeyHandle
from certs.keys.checked import EVERY, CheckedKey, OwnCheck
from certs.ledger import Entry, Ledger, Standing
from certs.ocsp import (
    INTERNAL_ERROR,
    MALFORMED_REQUEST,
    MAX_NONCE,
    TRY_LATER,
    UNAUTHORIZED,
    CertID,
    OCSPRequest,
    OCSPResponse,
    error_response,
    make_cert_id,
    read_request,
    request_for,
    successful_response,
)
from certs.suites.base import Use

MAX_REQUEST = 4096
"""Octets; a question has 65 to 180."""
MAX_QUESTIONS = 50
VALIDITY = timedelta(hours=1)
"""From thisUpdate to nextUpdate: how long a revocation may stay unknown to whoever keeps answers."""
SHELF = 20_000
"""Answers kept in memory."""
SUFFIX = ".ors"
"""Files with an answer, as OpenSSL calls them."""

KNOWN_EXTENSIONS = frozenset({oids.OCSP_NONCE})
"""Critical extensions of a request that are understood; any may be there if it is not critical (RFC 6960 4.4)."""


class _Standing(NamedTuple):
    """What the ledger says about one certificate."""

    status: str
    not_after: datetime | None = None
    revoked_at: datetime | None = None
    reason: str | None = None


_UNKNOWN = _Standing("unknown")


class _Times(NamedTuple):
    """The times of the answers of one second."""

    now: datetime
    moment: bytes
    updates: bytes
    """thisUpdate and nextUpdate."""


class _Kept(NamedTuple):
    """An answer on the shelf."""

    standing: _Standing
    until: datetime
    response: bytes


class OCSPResponder:
    """One key that answers for one issuer. Thread-safe."""

    def __init__(
        self,
        key: KeyHandle,
        certificate: Certificate,
        issuer: Certificate,
        ledger: Ledger,
        clock: Clock,
        *,
        validity: timedelta = VALIDITY,
        own_check: OwnCheck = EVERY,
    ) -> None:
        """`certificate` is the issuer's own, or one that the issuer made for OCSP (RFC 6960 4.2.2.2).

        `own_check` says which signatures are verified before they leave.

        Raises OCSPError where it is neither or does not belong to the key.
        """
        if certificate.spki != key.public_key.spki and certificate.public_key().spki != key.public_key.spki:
            raise OCSPError("the certificate does not belong to the key", reason="key")
        if certificate != issuer:
            _check_delegation(certificate, issuer)
        self._given = key
        self.certificate, self.issuer = certificate, issuer
        self._issuer_keys: set[tuple[str, bytes, bytes]] = set()
        self._issuer_id = (issuer.ski or extensions.key_id(issuer.spki)).hex()
        self._key, self._ledger, self._clock, self._validity = CheckedKey(key, own_check), ledger, clock, validity
        self._algorithm = key.suite.signature_algorithm(Use.X509).der()
        self._responder_id = der.tlv(0xA1, certificate.subject_name.der)
        self._certificates = b"" if certificate == issuer else der.tlv(0xA0, der.sequence(certificate.der))
        self._not_before, self._not_after = certificate.not_before, certificate.not_after
        self._cutoff = _extensions([Extension(oids.OCSP_ARCHIVE_CUTOFF, False, _time(issuer.not_before))])
        self._shelf: dict[bytes, _Kept] = {}
        self._lock = threading.Lock()
        self._times = _Times(datetime.min.replace(tzinfo=UTC), b"", b"")
        self._response = Framed(self._encode_response)
        self._data = Framed(self._encode_regular_data)

    def knows(self, cert_id: CertID) -> bool:
        """Tell whether a question is about a certificate of our issuer."""
        if cert_id.issuer_key in self._issuer_keys:
            return True
        if not cert_id.matches(self.issuer):
            return False
        self._issuer_keys.add(cert_id.issuer_key)  # one for every digest, no more
        return True

    def close(self) -> None:
        """Say in the audit log how many answers the key has signed. Raises AuditError."""
        end_batch(self._given)

    def respond(self, request: bytes) -> bytes:
        """Answer OCSPRequest with OCSPResponse, both DER. Never raises for what is in the request."""
        try:
            asked = parse(request)
        except MalformedInput:
            return error_response(MALFORMED_REQUEST)
        return self.answer(asked)

    def answer(self, asked: OCSPRequest) -> bytes:
        """Answer a request that was read by `parse`. Never raises.

        tryLater: the ledger cannot be asked. unauthorized: our certificate is not valid now, so nobody may believe us.
        internalError: the key does not sign.
        """
        try:
            now = self._clock.now().replace(microsecond=0)
            standings = [self._standing(cert_id) for cert_id in asked.cert_ids]
        except Exception:  # noqa: BLE001 - whatever a ledger raises, a responder answers
            return error_response(TRY_LATER)
        if not self._not_before <= now <= self._not_after:
            return error_response(UNAUTHORIZED)
        try:
            nonce = asked.nonce_extension
            if nonce is None and len(standings) == 1:
                return self._from_shelf(asked.cert_ids[0], standings[0], now)
            return self._sign(list(zip(asked.cert_ids, standings, strict=True)), now, nonce)
        except Exception:  # noqa: BLE001 - a key store may fail in its own words
            return error_response(INTERNAL_ERROR)

    def produce(self, digests: Sequence[str] = ("sha1", "sha256")) -> Iterator[tuple[int, str, bytes]]:
        """Yield serial, digest and a new answer for everything on record; they are on the shelf from then on.

        Raises what the ledger and the key raise.
        """
        for entry in self._ledger.entries(self._issuer_id):
            standing = _standing_of(entry)
            if standing is _UNKNOWN:
                continue
            for digest in digests:
                asked = read_request(request_for([make_cert_id(self.issuer, entry.serial, digest)]))
                now = self._clock.now().replace(microsecond=0)
                yield entry.serial, digest, self._to_shelf(asked.cert_ids[0], standing, now)

    def write_answers(self, directory: str | Path, digests: Sequence[str] = ("sha1", "sha256")) -> int:
        """Write what `produce` yields to `serial.digest.ors` in `directory`; return how many. See `Answers`.

        Raises KeyStoreError where the directory cannot be written.
        """
        place, count = Path(directory), 0
        try:
            place.mkdir(parents=True, exist_ok=True)
            for serial, digest, response in self.produce(digests):
                files.write(place / f"{serial:x}.{digest}{SUFFIX}", response)
                count += 1
        except OSError as error:
            raise KeyStoreError(f"answers cannot be written to {place}: {error.strerror}") from error
        return count

    def _standing(self, cert_id: CertID) -> _Standing:
        if not self.knows(cert_id):
            return _UNKNOWN
        return _standing_of(self._ledger.standing(self._issuer_id, cert_id.serial))

    def _from_shelf(self, cert_id: CertID, standing: _Standing, now: datetime) -> bytes:
        kept = self._shelf.get(cert_id.der)
        if kept is not None and kept.standing == standing and now < kept.until:
            return kept.response
        return self._to_shelf(cert_id, standing, now)

    def _to_shelf(self, cert_id: CertID, standing: _Standing, now: datetime) -> bytes:
        response = self._sign([(cert_id, standing)], now, None, kept=True)
        if standing is not _UNKNOWN:  # what nobody issued anybody can ask for, without end
            with self._lock:
                self._shelf.pop(cert_id.der, None)
                while len(self._shelf) >= SHELF:
                    del self._shelf[next(iter(self._shelf))]
                self._shelf[cert_id.der] = _Kept(standing, now + self._validity / 2, response)
        return response

    def _sign(
        self,
        answers: Sequence[tuple[CertID, _Standing]],
        now: datetime,
        nonce: Extension | None,
        *,
        kept: bool = False,
    ) -> bytes:
        times = self._times
        if times.now != now:
            following = _time(min(now + self._validity, self._not_after))
            self._times = times = _Times(now, _time(now), _time(now) + der.tlv(0xA0, following))
        singles = [
            (
                cert_id.der,
                _encode_status(standing)
                + times.updates
                + (self._cutoff if standing.not_after is not None and standing.not_after < now else b""),
            )
            for cert_id, standing in answers
        ]
        if len(singles) == 1 and nonce is not None and not nonce.critical:
            tbs = self._data(times.moment, *singles[0], nonce.value)
        else:
            tbs = self._encode_data(times.moment, singles, nonce)
        # what will be given again and again is verified whatever the policy
        return self._response(tbs, self._key.sign(tbs, always=kept))

    def _encode_data(self, moment: bytes, singles: Sequence[tuple[bytes, bytes]], nonce: Extension | None) -> bytes:
        """Return ResponseData; a single answer is a CertID and the rest."""
        return der.sequence(
            self._responder_id,
            moment,
            der.sequence(*(der.sequence(cert_id, rest) for cert_id, rest in singles)),
            _extensions([nonce]) if nonce is not None else b"",
        )

    def _encode_regular_data(self, moment: bytes, cert_id: bytes, rest: bytes, nonce: bytes) -> bytes:
        """Return ResponseData with one answer, to a request with a nonce."""
        return self._encode_data(moment, [(cert_id, rest)], Extension(oids.OCSP_NONCE, False, nonce))

    def _encode_response(self, tbs: bytes, signature: bytes) -> bytes:
        return successful_response(tbs, self._algorithm, signature, self._certificates)


def parse(request: bytes) -> OCSPRequest:
    """Read a request that may be answered. Raises MalformedInput, also for what RFC 9654 2.1 tells us to refuse."""
    if len(request) > MAX_REQUEST:
        raise MalformedInput("the request is too large")
    asked = regular.ocsp_request(request)
    if asked is not None:
        return asked
    asked = read_request(request)
    if len(asked.cert_ids) > MAX_QUESTIONS:
        raise MalformedInput(f"more than {MAX_QUESTIONS} certificates in one request")
    for extension in asked.extensions:
        if extension.critical and extension.oid not in KNOWN_EXTENSIONS:
            raise MalformedInput(f"unknown critical extension {extension.oid}")
    nonce = asked.nonce
    if nonce is not None and not 1 <= len(nonce) <= MAX_NONCE:
        raise MalformedInput(f"a nonce has 1 to {MAX_NONCE} octets")
    return asked


class Responders:
    """Several issuers behind one address. The first certificate asked for that one of them knows decides who answers.

    An answer has one signature, so what another issuer made is unknown in it. Where nobody knows anything of the
    request the answer is unauthorized: nobody here could answer with authority (RFC 6960 2.3).
    """

    def __init__(self, responders: Sequence[OCSPResponder]) -> None:
        self.responders = tuple(responders)

    def close(self) -> None:
        """Close every responder; they can be used on."""
        for responder in self.responders:
            responder.close()

    def respond(self, request: bytes) -> bytes:
        """Answer OCSPRequest with OCSPResponse, both DER. Never raises for what is in the request."""
        try:
            asked = parse(request)
        except MalformedInput:
            return error_response(MALFORMED_REQUEST)
        return self.answer(asked)

    def answer(self, asked: OCSPRequest) -> bytes:
        """Answer a request that was read by `parse`. Never raises."""
        for cert_id in asked.cert_ids:
            for responder in self.responders:
                if responder.knows(cert_id):
                    return responder.answer(asked)
        return error_response(UNAUTHORIZED)


class Answers:
    """Serves answers that `write_answers` wrote, without a key: for an issuer whose keys are not on line.

    answers = Answers("answers/", clock)
    answers.respond(request)       # nonces are not answered (RFC 5019 2.1.1); who insists on one refuses the answer
    """

    def __init__(self, directory: str | Path, clock: Clock) -> None:
        """Read the files. Raises KeyStoreError, and MalformedInput for a file that is no answer."""
        self._clock = clock
        self._answers: dict[tuple[tuple[str, bytes, bytes], int], tuple[datetime | None, bytes]] = {}
        try:
            for path in sorted(Path(directory).glob(f"*{SUFFIX}")):
                response = OCSPResponse(path.read_bytes())
                for single in response.responses:
                    self._answers[single.cert_id.issuer_key, single.cert_id.serial] = single.next_update, response.der
        except OSError as error:
            raise KeyStoreError(f"{directory} cannot be read: {error.strerror}") from error

    def respond(self, request: bytes) -> bytes:
        """Answer a request about one certificate; unauthorized for any other, tryLater where the answer is too old."""
        try:
            asked = parse(request)
        except MalformedInput:
            return error_response(MALFORMED_REQUEST)
        cert_id = asked.cert_ids[0]
        found = self._answers.get((cert_id.issuer_key, cert_id.serial))
        if found is None or len(asked.cert_ids) > 1:
            return error_response(UNAUTHORIZED)
        until, response = found
        return response if until is None or self._clock.now() <= until else error_response(TRY_LATER)


def _check_delegation(certificate: Certificate, issuer: Certificate) -> None:
    if oids.OCSP_SIGNING not in certificate.extended_key_usage:
        raise OCSPError("the certificate is not one for OCSP", reason="purpose")
    try:
        if certificate.issuer_name.key != issuer.subject_name.key:
            raise OCSPError("the certificate names another issuer", reason="issuer")
        certificate.verify_signed_by(issuer)
    except OCSPError:
        raise
    except CertsError as error:
        raise OCSPError(f"the certificate is not signed by {issuer.subject}: {error}", reason="issuer") from error


def _standing_of(entry: Entry | Standing | None) -> _Standing:
    """Say what an entry means. Prepared is not issued; what was interrupted while signing is not known to be."""
    if entry is None:
        return _UNKNOWN
    if entry.state == "issued":
        return _Standing("good", entry.not_after)
    if entry.revoked_at is not None:
        return _Standing("revoked", entry.not_after, entry.revoked_at, entry.reason)
    return _UNKNOWN


def _encode_status(standing: _Standing) -> bytes:
    """Return CertStatus; the reason is left out where it is "unspecified", as in lists (RFC 5280 5.3.1)."""
    if standing.status == "good":
        return b"\x80\x00"
    if standing.revoked_at is None:
        return b"\x82\x00"
    number = REASONS.get(standing.reason or "unspecified", 0)
    reason = der.tlv(0xA0, der.tlv(ber.ENUMERATED, bytes((number,)))) if number else b""
    return der.tlv(0xA1, _time(standing.revoked_at) + reason)


@lru_cache(maxsize=256)
def _time(moment: datetime) -> bytes:
    return ber.encode_generalized_time(moment)


def _extensions(items: Sequence[Extension]) -> bytes:
    """Return [1] EXPLICIT Extensions."""
    return der.tlv(0xA1, der.sequence(*map(extensions.encode, items)))
