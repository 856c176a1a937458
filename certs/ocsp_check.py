"""Whether an OCSP answer may be believed (RFC 6960 3.2 and 4.2.2.2).

    answers = check_response(received, request, issuer, at)        # one SingleResponse per question, or OCSPError
    answers[0].status                                              # "good", "revoked" or "unknown"

    responder = find_responder(response, issuer)                   # who signed, and was allowed to
    why_not_current(single, certificate, at)                       # None, or a sentence

Two may sign: the issuer of the certificate in question, and who has a certificate for OCSP made by that very issuer and
key. A responder's certificate counts while it is valid; whether it is revoked is not asked where it says nocheck, and
otherwise must be said by a list (`certs.path_revocation`). Nobody is trusted by configuration.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hmac import compare_digest

from certs import oids, suites
from certs.certificate import Certificate
from certs.errors import BadSignature, CertsError, OCSPError
from certs.ocsp import OCSPResponse, SingleResponse, read_request
from certs.suites.policy import MIN_RSA_BITS

TOLERANCE = timedelta(minutes=5)
"""How far the clock of a responder may be ahead of ours."""
LIFE_WITHOUT_NEXT_UPDATE = timedelta(days=1)
"""An answer that promises no next one counts for so long: RFC 6960 2.4 says only that newer news is always there."""
MAX_CANDIDATES = 4
"""Certificates of a response that are tried as its signer's."""

_KNOWN_CRITICAL = frozenset(
    {
        oids.KEY_USAGE,
        oids.EXTENDED_KEY_USAGE,
        oids.BASIC_CONSTRAINTS,
        oids.SUBJECT_ALT_NAME,
        oids.CERTIFICATE_POLICIES,
        oids.CRL_DISTRIBUTION_POINTS,
        oids.OCSP_NOCHECK,
    }
)


def find_responder(
    response: OCSPResponse, issuer: Certificate, others: Iterable[Certificate] = (), *, at: datetime | None = None
) -> Certificate:
    """Return the certificate of who signed `response` about certificates of `issuer`, and may do so.

    `others` are certificates that may be the responder's, beside those in the response. `at` is the moment of
    validation, at which the responder's certificate must not have expired; that it was valid when the response was made
    is always asked. Raises OCSPError (nobody fits, or who signed may not), BadSignature, UnsupportedAlgorithm,
    BadKey, MalformedInput.
    """
    error: CertsError | None = None
    if response.is_named(issuer):
        try:
            response.verify_signed_by(issuer)
            return issuer
        except BadSignature as caught:  # a delegate may bear the issuer's name
            error = caught
    candidates = [each for each in dict.fromkeys((*response.certificates, *others)) if response.is_named(each)]
    for candidate in candidates[:MAX_CANDIDATES]:
        if candidate == issuer:
            continue
        try:
            response.verify_signed_by(candidate)
        except BadSignature as caught:
            error = error or caught
            continue
        _check_delegation(candidate, issuer, response.produced_at, at)
        return candidate
    if error is not None:
        raise error
    raise OCSPError("the certificate of the OCSP responder is not at hand", reason="no-responder")


def _check_delegation(responder: Certificate, issuer: Certificate, made: datetime, at: datetime | None) -> None:
    """RFC 6960 4.2.2.2: issued directly by the issuer, with the purpose OCSPSigning, and good at that time."""

    def refuse(why: str) -> OCSPError:
        return OCSPError(f"the OCSP responder {responder.subject} may not answer: {why}", reason="delegation")

    if responder.problems:
        raise refuse(responder.problems[0])
    if responder.issuer_name.key != issuer.subject_name.key:
        raise refuse(f"its certificate is not of {issuer.subject}")
    if oids.OCSP_SIGNING not in responder.extended_key_usage:  # any purpose is not enough: it must be delegated
        raise refuse("its certificate is not for OCSP")
    if not responder.allows("digital_signature", "non_repudiation"):
        raise refuse("its key usage does not allow signatures")
    for extension in responder.extensions:
        if extension.critical and extension.oid not in _KNOWN_CRITICAL:
            raise refuse(f"unknown critical extension {oids.name(extension.oid)}")
    if not responder.not_before.replace(microsecond=0) <= made <= responder.not_after:
        raise refuse("its certificate was not valid when it answered")
    if at is not None and at > responder.not_after:  # a nocheck certificate is good for its short life only
        raise refuse(f"its certificate was valid until {responder.not_after.isoformat()}")
    if suites.signature_digest(responder.signature_algorithm) == "sha1":
        raise refuse("its certificate is signed over SHA-1")
    key = responder.public_key()
    if key.suite.name in suites.OLD_NAMES or (key.suite.name.startswith("rsa") and int(key.parameter) < MIN_RSA_BITS):
        raise refuse(f"its key of {key.suite.name} {key.parameter} is too weak")
    try:
        responder.verify_signed_by(issuer)
    except BadSignature as error:
        raise refuse(f"its certificate is not signed by {issuer.subject}") from error


def is_nocheck(responder: Certificate) -> bool:
    """Tell whether the issuer says that nobody need ask if `responder` is revoked (RFC 6960 4.2.2.2.1)."""
    return responder.extension(oids.OCSP_NOCHECK) is not None


def why_not_current(single: SingleResponse, certificate: Certificate | None, at: datetime) -> str | None:
    """Return why an answer says nothing about the moment `at`, or None where it does.

    An answer made later than `at` knows more, unless the certificate had expired by then and the responder does not
    say that it remembers (archiveCutoff). Raises MalformedInput.
    """
    if single.next_update is not None and single.next_update < single.this_update:
        return "the OCSP answer ends before it begins"
    if at >= single.this_update:
        end = single.next_update or single.this_update + LIFE_WITHOUT_NEXT_UPDATE
        if at > end:
            return f"the OCSP answer of {single.this_update.isoformat()} is out of date"
    elif certificate is not None and certificate.not_after < single.this_update:
        cutoff = single.archive_cutoff
        if cutoff is None or cutoff > certificate.not_after:
            return "the OCSP answer was made after the certificate had expired"
    return None


def critical_extension(response: OCSPResponse, single: SingleResponse) -> str | None:
    """Return the name of a critical extension that we do not process, or None."""
    known = (oids.OCSP_NONCE, oids.OCSP_ARCHIVE_CUTOFF)
    unknown = (item for item in (*response.extensions, *single.extensions) if item.critical and item.oid not in known)
    return next((oids.name(item.oid) for item in unknown), None)


def check_response(
    data: bytes,
    request: bytes,
    issuer: Certificate,
    at: datetime,
    *,
    others: Iterable[Certificate] = (),
    nonce: bool = True,
) -> tuple[SingleResponse, ...]:
    """Check the answer to `request` as RFC 6960 3.2 says; return what it says to each question, in their order.

    1. The status is successful; 2. the nonce is the one sent (a responder that answers without one is refused unless
    `nonce` is false: RFC 5019 responders have none); 3. every question is answered and is about `issuer`; 4. the
    signer is the issuer or was delegated by it, by a nocheck certificate; 5. no answer is older than promised or from
    the future. Raises OCSPError with a `reason`, BadSignature, UnsupportedAlgorithm, BadKey, MalformedInput.
    """
    asked, response = read_request(request), OCSPResponse(data)
    at = at.astimezone(UTC).replace(microsecond=0)
    _ = response.responses  # raises where the status is another than successful
    if asked.nonce is not None and (response.nonce is not None or nonce):
        if response.nonce is None:
            raise OCSPError("the OCSP answer has no nonce", reason="nonce", hint="it may be older than the question")
        if not compare_digest(response.nonce, asked.nonce):
            raise OCSPError("the OCSP answer is to another request", reason="nonce")
    found: list[SingleResponse] = []
    for cert_id in asked.cert_ids:
        if not cert_id.matches(issuer):
            raise OCSPError(f"the request is not about certificates of {issuer.subject}", reason="issuer")
        answers = [item for item in response.responses if item.cert_id == cert_id]
        if not answers:
            raise OCSPError(f"nothing is said about serial {cert_id.serial:x}", reason="unanswered")
        found.append(max(answers, key=lambda single: single.this_update))
    responder = find_responder(response, issuer, others, at=at)
    if responder != issuer and not is_nocheck(responder):
        raise OCSPError(f"whether {responder.subject} is revoked is not known", reason="responder-status")
    for single in found:
        if single.this_update > at + TOLERANCE:
            raise OCSPError("the OCSP answer is from the future", reason="time")
        why = why_not_current(single, None, max(at, single.this_update))
        unknown = critical_extension(response, single)
        if why or unknown:
            raise OCSPError(why or f"unknown critical extension {unknown}", reason="time" if why else "extension")
    return tuple(found)
