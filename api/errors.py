"""Everything that can go wrong in `api`, and the one table that turns a code into an HTTP status.

    APIError
    ├── Unauthenticated          no credential, or one that is not valid (any longer)
    ├── Forbidden                the credential lacks the scope
    ├── NotFound                 no such object for this tenant (another tenant's object looks the same)
    ├── StateConflict            the object is in a state that does not allow this; facts: state, allowed
    ├── Conflict                 something else got there first
    ├── PreconditionFailed       If-Match names another version
    ├── PreconditionRequired     If-Match is missing
    ├── MalformedRequest         not HTTP, JSON or multipart as it should be
    ├── ValidationFailed         well-formed, but a field is not acceptable; facts: errors
    ├── PayloadTooLarge          the body is larger than the service takes
    ├── UnsupportedMedia         a body of a type this resource does not take
    ├── NotAcceptable            none of the formats that Accept names can be given
    ├── AgreementRefused         the framework agreement is not in force, or does not accept this; facts: reason, errors
    ├── DocumentRefused          the upload is not a document that can be signed
    ├── ConsentRefused           the consent is not for what would be signed
    ├── MandateRefused           a check of a power of attorney failed; facts: reason, errors
    ├── FactorRequired           the party has to show a factor that is missing or not enrolled; facts: reason
    ├── FactorRefused            a passphrase, a code or a secret of an enrolment that does not fit; facts: reason
    ├── FactorLocked             so many wrong values that a factor is not looked at any more
    ├── IdentityNotProven        nobody has a valid record of who the subject of a certificate is
    ├── TokenRefused             the token endpoint gives no token; facts: error (RFC 6749 5.2)
    ├── TooManyRequests          too many failures from one address
    ├── RateLimited              too many requests of one key or tenant
    ├── HandoverOver             a one-time address that was used, is locked, too old or replaced; facts: reason
    ├── IdempotencyMismatch      the Idempotency-Key was used for another request
    ├── IdempotencyInProgress    the first request with this Idempotency-Key is still running
    ├── LeaseLost                another worker has taken a job over
    ├── JobCancelled             somebody asked to cancel a job; it stops before its next step
    ├── RangeNotSatisfiable      a range outside the file
    ├── MethodNotAllowed         the resource does not know this method
    ├── SigningPolicyRefused     no signing policy lets this batch be signed; facts: reason, errors
    ├── ServiceUnavailable       a part of the service is not ready
    ├── ConfigurationError       settings, data directory or database that cannot be used
    ├── VaultError               a secret at rest that cannot be opened
    ├── StorageError             a stored file that is missing or damaged
    └── InternalError            a defect of ours; details are in the log only

HTTP appears here and nowhere else in the decisions: services raise errors with a `code`, this table says
which status that is. A class without a row fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from certs.errors import SealroadError

PROBLEM_TYPE: Final = "application/problem+json"
DOCUMENTATION: Final = "/docs/errors"


class APIError(SealroadError):
    """Root of the errors of `api`."""

    code = "api-error"


class Unauthenticated(APIError):
    """No credential, or one that is not valid (any longer). One answer for every reason."""

    code = "unauthenticated"
    default_hint = (
        "send 'Authorization: Bearer srk_…' with a key that is neither expired nor revoked, from an address it is for"
    )


class Forbidden(APIError):
    """The credential is valid but lacks the scope."""

    code = "forbidden"


class NotFound(APIError):
    """No such object for this tenant."""

    code = "not-found"


class StateConflict(APIError):
    """The object's state does not allow this; `state` and `allowed` are in the facts."""

    code = "state-conflict"


class Conflict(APIError):
    """Something else got there first."""

    code = "conflict"


class PreconditionFailed(APIError):
    """If-Match names another version than the current one."""

    code = "precondition-failed"
    default_hint = "read the object again and send its ETag as If-Match"


class PreconditionRequired(APIError):
    """A change without If-Match."""

    code = "precondition-required"
    default_hint = "send the ETag of the object as If-Match"


class MalformedRequest(APIError):
    """A request that cannot be read."""

    code = "malformed-request"


class ValidationFailed(APIError):
    """A request whose fields are not acceptable; `errors` lists pointer, code and detail."""

    code = "validation-failed"


class PayloadTooLarge(APIError):
    """The body is larger than the service takes."""

    code = "payload-too-large"


class UnsupportedMedia(APIError):
    """A body of a media type this resource does not take."""

    code = "unsupported-media-type"


class NotAcceptable(APIError):
    """None of the formats that Accept names can be given."""

    code = "not-acceptable"


class DocumentRefused(APIError):
    """The upload is not a document that can be signed here."""

    code = "document-refused"


class AgreementRefused(APIError):
    """The framework agreement is not in force, or does not accept the party, its key, its certificate or the level.

    `reason` is the first finding, `errors` lists all of them.
    """

    code = "agreement-refused"


class ConsentRefused(APIError):
    """The consent is missing or is not for what would be signed."""

    code = "consent-refused"


class MandateRefused(APIError):
    """A power of attorney with which something is wrong, or which is not in force now; nobody acts under it.

    `reason` is the first check that failed, such as mandate-term or mandate-revocation, `errors` lists all of them.
    """

    code = "mandate-refused"


class FactorRequired(APIError):
    """The party has to show a factor that is missing or not enrolled; `reason` says which of the two."""

    code = "factor-required"


class FactorRefused(APIError):
    """A passphrase, a code or the secret of an enrolment that does not fit. One answer for every reason."""

    code = "factor-refused"


class FactorLocked(APIError):
    """So many wrong values in a row that the factor is not looked at any more until it is reset."""

    code = "factor-locked"


class IdentityNotProven(APIError):
    """Nobody has a valid record of who the subject is, and without one no certificate is issued."""

    code = "identity-not-proven"


class TokenRefused(APIError):
    """The token endpoint gives no token. It answers as RFC 6749 5.2 says, with `error` in place of a code."""

    code = "token-refused"


class TooManyRequests(APIError):
    """Too many failures from one address."""

    code = "too-many-requests"
    default_hint = "repeat the request later, with a credential that is valid"


class RateLimited(APIError):
    """More requests of this key, or of all keys of the tenant, than the service takes in a minute."""

    code = "rate-limited"
    default_hint = "wait as long as Retry-After says; RateLimit tells with every answer how many are left"


class HandoverOver(APIError):
    """A one-time address that was used, refused, replaced, withdrawn or locked, or has expired: `reason` says which."""

    code = "handover-over"
    default_hint = "ask for a new QR code"


class IdempotencyMismatch(APIError):
    """The Idempotency-Key was used before, for a different request."""

    code = "idempotency-mismatch"
    default_hint = "use a new Idempotency-Key for a new request"


class IdempotencyInProgress(APIError):
    """The first request with this Idempotency-Key has not ended yet."""

    code = "idempotency-in-progress"
    default_hint = "repeat the request after a moment"


class LeaseLost(APIError):
    """Another worker has taken the job over; whatever this one was about to record does not count."""

    code = "lease-lost"


class JobCancelled(APIError):
    """The job was cancelled before it was done; what it had begun is undone as after a failure."""

    code = "job-cancelled"


class RangeNotSatisfiable(APIError):
    """The range asked for lies outside the file."""

    code = "range-not-satisfiable"


class MethodNotAllowed(APIError):
    """The resource does not know this method."""

    code = "method-not-allowed"


class SigningPolicyRefused(APIError):
    """No signing policy lets this batch be signed: `reason` says why, `errors` lists what is not covered."""

    code = "signing-policy-refused"


class ServiceUnavailable(APIError):
    """A part of the service is not ready."""

    code = "service-unavailable"
    default_hint = "repeat the request after a moment"


class ConfigurationError(APIError):
    """Settings, a data directory or a database that cannot be used."""

    code = "configuration-error"


class VaultError(APIError):
    """A secret at rest that cannot be opened with this master key."""

    code = "vault-error"


class StorageError(APIError):
    """A stored file that is missing, or is not what was stored."""

    code = "storage-error"


class InternalError(APIError):
    """A defect of ours."""

    code = "internal-error"


@dataclass(frozen=True)
class Row:
    """How one code looks from outside."""

    status: int
    title: str
    private: bool = False
    """The message may speak of the inside of the service: it is logged, not sent."""


CODES: Final[dict[str, Row]] = {
    # api
    "unauthenticated": Row(401, "No valid credential"),
    "forbidden": Row(403, "Not allowed with this credential"),
    "not-found": Row(404, "No such object"),
    "method-not-allowed": Row(405, "Method not allowed"),
    "not-acceptable": Row(406, "No such format"),
    "state-conflict": Row(409, "The state does not allow this"),
    "conflict": Row(409, "Something else got there first"),
    "lease-lost": Row(409, "Another worker has taken over"),
    "job-cancelled": Row(409, "The job was cancelled"),
    "idempotency-in-progress": Row(409, "The first request with this key is still running"),
    "precondition-failed": Row(412, "The object has changed"),
    "payload-too-large": Row(413, "Too large"),
    "range-not-satisfiable": Row(416, "No such range"),
    "unsupported-media-type": Row(415, "Unsupported media type"),
    "malformed-request": Row(400, "The request cannot be read"),
    "validation-failed": Row(422, "A field is not acceptable"),
    "document-refused": Row(422, "Not a document that can be signed"),
    "agreement-refused": Row(422, "Not as the framework agreement has it"),
    "consent-refused": Row(422, "The consent does not fit"),
    "mandate-refused": Row(422, "The power of attorney cannot be used"),
    "factor-required": Row(422, "A factor is missing"),
    "factor-refused": Row(422, "The factor does not fit"),
    "factor-locked": Row(409, "The factor is locked"),
    "identity-not-proven": Row(422, "The identity is not proven"),
    "token-refused": Row(400, "No access token"),
    "too-many-requests": Row(429, "Too many failures"),
    "rate-limited": Row(429, "Too many requests"),
    "handover-over": Row(410, "The one-time address is over"),
    "idempotency-mismatch": Row(422, "The Idempotency-Key belongs to another request"),
    "precondition-required": Row(428, "If-Match is required"),
    "service-unavailable": Row(503, "Not ready"),
    "api-error": Row(500, "Internal error", private=True),
    "configuration-error": Row(500, "Internal error", private=True),
    "vault-error": Row(500, "Internal error", private=True),
    "storage-error": Row(500, "Internal error", private=True),
    "internal-error": Row(500, "Internal error", private=True),
    # signer
    "unreadable-file": Row(422, "Not a readable file"),
    "rendering-failed": Row(422, "A page that cannot be drawn"),
    "search-failed": Row(422, "Text of a page that cannot be read"),
    "unreadable-pdf": Row(422, "Not a readable PDF"),
    "encrypted-pdf": Row(422, "The PDF is encrypted"),
    "signed-pdf": Row(422, "It would break the signatures"),
    "signing-refused": Row(422, "Signing would break the document"),
    "seal-refused": Row(422, "The seal must not be used so"),
    "seal-state-conflict": Row(409, "The state of the seal does not allow this"),
    "field-error": Row(422, "The signature field cannot be used"),
    "form-refused": Row(422, "The form fields cannot be laid out"),
    "appearance-error": Row(422, "The signature cannot be drawn"),
    "signing-policy-refused": Row(422, "The signing policy does not allow this"),
    "stale-request": Row(409, "The document has changed since"),
    "wrong-value": Row(422, "The signature value does not fit"),
    "usage-error": Row(500, "Internal error", private=True),  # of the command line only
    "option-error": Row(422, "Options contradict one another"),
    "recipient-refused": Row(422, "Nothing is encrypted to this recipient"),
    "envelope-refused": Row(422, "The envelope does not hold together"),
    "basis-error": Row(422, "The agreement or policy file cannot be used"),
    "fetch-error": Row(502, "Nothing could be fetched"),
    "engine-mismatch": Row(500, "Internal error", private=True),
    "signer-error": Row(500, "Internal error", private=True),
    # certs
    "bad-signature": Row(422, "The signature does not verify"),
    "unsupported-algorithm": Row(422, "Unknown algorithm"),
    "bad-key": Row(422, "A key that must not be used"),
    "verifier-busy": Row(503, "Verifying other files"),
    "backend-unavailable": Row(503, "No library for this algorithm here"),
    "backend-fault": Row(500, "Internal error", private=True),
    "decryption-failed": Row(422, "Not decrypted"),
    "not-a-recipient": Row(422, "Encrypted to somebody else"),
    "suite-error": Row(500, "Internal error", private=True),
    "malformed-input": Row(422, "Not what it should be"),
    "key-store-error": Row(500, "Internal error", private=True),
    "wrong-password": Row(500, "Internal error", private=True),
    "key-not-found": Row(500, "Internal error", private=True),
    "key-store-unavailable": Row(500, "Internal error", private=True),
    "bad-identifier": Row(422, "The identifier is wrong"),
    "profile-error": Row(422, "The certificate profile does not allow this"),
    "not-on-record": Row(404, "No such certificate"),
    "already-revoked": Row(409, "The certificate is revoked"),
    "not-on-hold": Row(409, "The certificate is not on hold"),
    "revocation-refused": Row(422, "The revocation is not acceptable"),
    "clock-refused": Row(500, "Internal error", private=True),
    "issuance-error": Row(500, "Internal error", private=True),
    "request-used": Row(409, "The certificate request was used"),
    "approval-error": Row(422, "The application is not approved"),
    "audit-error": Row(500, "Internal error", private=True),
    "recovery-refused": Row(500, "Internal error", private=True),  # of the command line only
    "not-escrowed": Row(500, "Internal error", private=True),
    "ceremony-error": Row(500, "Internal error", private=True),  # of the command line only
    "time-stamp-error": Row(502, "No usable time-stamp"),
    "ocsp-error": Row(502, "No usable OCSP answer"),
    "path-error": Row(422, "The certificate chain does not hold"),
    "trust-list-error": Row(422, "The trust list cannot be used"),
    "certs-error": Row(500, "Internal error", private=True),
    "error": Row(500, "Internal error", private=True),
}

UNMAPPED: Final = Row(500, "Internal error", private=True)

RETRY_AFTER: Final = {
    "idempotency-in-progress": 1,
    "service-unavailable": 5,
    "too-many-requests": 60,
    "time-stamp-error": 30,
    "verifier-busy": 10,
}
"""Seconds a client waits before it repeats a request that ended with this code."""


def wait_of(error: SealroadError) -> int | None:
    """Return how many seconds a client waits before it repeats the request, where that helps."""
    said = error.facts.get("retry_after")
    return said if isinstance(said, int) else RETRY_AFTER.get(error.code)


def row_of(code: str) -> Row:
    """Return the row of a code; an unknown code is an internal error, never an open one."""
    return CODES.get(code, UNMAPPED)


def problem(error: SealroadError, *, instance: str, request_id: str) -> dict[str, Any]:
    """Return the RFC 9457 problem document of an error; private messages are left out."""
    row = row_of(error.code)
    code = "internal-error" if row.private else error.code
    body: dict[str, Any] = {
        "type": f"{DOCUMENTATION}#{code}",
        "title": row.title,
        "status": row.status,
        "detail": "The request could not be completed; the log has the details." if row.private else error.message,
        "instance": instance,
        "code": code,
        "request_id": request_id,
    }
    if row.private:
        return body
    if error.hint:
        body["hint"] = error.hint
    for name in ("errors", "state", "allowed", "reason"):  # the only facts that are part of the interface
        if name in error.facts:
            body[name] = error.facts[name]
    if (wait := wait_of(error)) is not None:
        body["retry_after"] = wait
    return body


def oauth_answer(error: SealroadError) -> tuple[int, dict[str, Any]]:
    """Return status and body of an error of the token endpoint, whose form is RFC 6749 5.2 and not RFC 9457."""
    row = row_of(error.code)
    word = str(error.facts.get("error", "invalid_client" if row.status == 429 else "invalid_request"))
    status = 401 if word == "invalid_client" and row.status != 429 else row.status
    if row.private or status >= 500:
        return status, {"error": "server_error", "error_description": row.title}
    return status, {"error": word, "error_description": error.message}
