"""Everything that can go wrong in `certs`, as one tree.

    CertsError                       root; `code` is stable, `hint` says what to do next
    ├── SuiteError
    │   ├── BadSignature             the value does not verify (wrong bytes, form, range or curve)
    │   ├── UnsupportedAlgorithm     we cannot compute this algorithm: neither good nor bad
    │   ├── BadKey                   a key that must not be used (off curve, out of range, wrong length)
    │   ├── BackendUnavailable       no library on this machine passed its self-test for the suite
    │   ├── BackendFault             a library failed where it must not
    │   └── DecryptionFailed         a key or content that does not decrypt, whatever the reason
    ├── NotARecipient                nothing in the message is encrypted to this key
    ├── MalformedInput               bytes that are not what they should be (DER, PEM, token, CRL)
    ├── KeyStoreError
    │   ├── WrongPassword
    │   ├── KeyNotFound
    │   └── KeyStoreUnavailable      a token, program or service that keeps keys did not answer; it may later
    ├── BadIdentifier                a national identifier whose form or checksum is wrong
    ├── ProfileError                 the certificate asked for is not one the profile allows
    ├── IssuanceError                the authority may not or could not sign
    │   ├── NotOnRecord              the authority knows no certificate with this serial number
    │   ├── AlreadyRevoked           it is revoked for good, or on hold and held again
    │   ├── NotOnHold                only what is on hold can be released
    │   ├── RevocationRefused        a reason, moment or state that RFC 5280 5.3 does not allow
    │   ├── ClockRefused             the clock contradicts what is on record
    │   ├── RequestUsed              a certificate request that was used for something else, or is over
    │   └── ApprovalError            an application without the proofing or the approvals its profile asks for
    ├── RecoveryRefused              a copy of a key that is not handed out: not so, not to this holder, not now
    │   └── NotEscrowed              the authority keeps no copy of the key
    ├── AuditError                   the audit log cannot be written, or a proof from it does not hold
    ├── OCSPError                    an OCSP answer that is missing, wrong, too old or not for this question
    ├── CeremonyError                a key ceremony that may not go on, or a record of one that does not hold
    ├── TimeStampError               a time-stamp that is missing, wrong or not for this data
    ├── PathError                    a chain that could not be built or does not hold
    └── TrustListError               a trust list that is unsigned, out of date, older than one seen, or not confirmed

Errors know nothing of HTTP or exit codes; `api/errors.py` and the command line map `code`.
"""

from __future__ import annotations

from typing import Any, ClassVar


class SealroadError(Exception):
    """Root of every error that leaves a public function of this project.

    `code` is a stable identifier in kebab-case, `message` one sentence for people, `hint` what they
    can do about it, `facts` the machine-readable circumstances.
    """

    code: ClassVar[str] = "error"
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str | None = None, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        self.facts: dict[str, Any] = facts

    def __str__(self) -> str:
        return self.message


class CertsError(SealroadError):
    """Root of the errors of `certs`."""

    code = "certs-error"


class SuiteError(CertsError):
    """Something about an algorithm suite."""

    code = "suite-error"


class BadSignature(SuiteError):
    """The signature value does not verify. One error for every reason, on purpose."""

    code = "bad-signature"


class UnsupportedAlgorithm(SuiteError):
    """An algorithm, curve or parameter we cannot compute; the answer is unknown, not "wrong"."""

    code = "unsupported-algorithm"


class BadKey(SuiteError):
    """A key that must not be used: off the curve, out of range, of a wrong length or type."""

    code = "bad-key"


class BackendUnavailable(SuiteError):
    """No library on this machine passed its self-test for the suite."""

    code = "backend-unavailable"
    default_hint = "run 'sealroad doctor' to see which libraries were tried"


class BackendFault(SuiteError):
    """A cryptographic library failed where it must not."""

    code = "backend-fault"


class DecryptionFailed(SuiteError):
    """Wrong key, altered octets, wrong tag, code or padding: one error for every reason, so that it tells nothing."""

    code = "decryption-failed"

    def __init__(self) -> None:
        super().__init__("the message cannot be decrypted", hint="it was altered, or is encrypted to another key")


class NotARecipient(CertsError):
    """Nothing in the message is encrypted to this key or certificate."""

    code = "not-a-recipient"


class MalformedInput(CertsError):
    """Bytes that are not what they claim to be."""

    code = "malformed-input"


class KeyStoreError(CertsError):
    """A key store could not do what was asked."""

    code = "key-store-error"


class WrongPassword(KeyStoreError):
    """The password does not open the key."""

    code = "wrong-password"


class KeyNotFound(KeyStoreError):
    """There is no such key, or the URI has no known scheme."""

    code = "key-not-found"


class KeyStoreUnavailable(KeyStoreError):
    """A token, program or service that keeps keys did not answer; the same request may succeed later."""

    code = "key-store-unavailable"


class BadIdentifier(CertsError):
    """A national identifier whose form or checksum is wrong."""

    code = "bad-identifier"


class ProfileError(CertsError):
    """The certificate asked for is not one the profile allows."""

    code = "profile-error"


class IssuanceError(CertsError):
    """The authority may not, or could not, sign what was asked."""

    code = "issuance-error"


class RequestUsed(IssuanceError):
    """A certificate request for a pair that was used for another name, or whose pair has come to its end."""

    code = "request-used"


class ApprovalError(IssuanceError):
    """An application without the identity proofing or the approvals that its profile asks for."""

    code = "approval-error"


class RecoveryRefused(CertsError):
    """A copy of a key that the authority does not hand out: not so, not to this holder, not now."""

    code = "recovery-refused"


class NotEscrowed(RecoveryRefused):
    """The authority keeps no copy of this certificate's key."""

    code = "not-escrowed"


class AuditError(CertsError):
    """The audit log cannot be written or read, or a proof from it does not hold."""

    code = "audit-error"


class NotOnRecord(IssuanceError):
    """The authority knows no certificate with this serial number."""

    code = "not-on-record"


class AlreadyRevoked(IssuanceError):
    """The certificate is revoked for good, or is on hold already; the facts say since when and why."""

    code = "already-revoked"


class NotOnHold(IssuanceError):
    """Only a certificate on hold can be released; a revocation for any other reason is final."""

    code = "not-on-hold"


class RevocationRefused(IssuanceError):
    """A reason, a moment or a state that RFC 5280 5.3 does not allow."""

    code = "revocation-refused"


class ClockRefused(IssuanceError):
    """The clock stands before something that is on record already."""

    code = "clock-refused"
    default_hint = "set the clock right"


class CeremonyError(CertsError):
    """A key ceremony that may not go on, or a record of one that does not hold."""

    code = "ceremony-error"


class TimeStampError(CertsError):
    """A time-stamp that is missing, wrong, or not for this data."""

    code = "time-stamp-error"


class OCSPError(CertsError):
    """An OCSP answer that is missing, wrong, too old, or not for this question."""

    code = "ocsp-error"


class PathError(CertsError):
    """A certificate chain that could not be built, or does not hold."""

    code = "path-error"


class TrustListError(CertsError):
    """A trust list that must not be trusted: signature, date, sequence number or confirmation are wrong or missing."""

    code = "trust-list-error"
