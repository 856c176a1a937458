"""Everything that can go wrong in `signer`, as one tree.

    SignerError
    ├── UnreadableFile           cannot be opened, too large, or of no kind we know
    ├── UnreadablePDF            not a PDF, or damaged beyond what may be signed
    ├── EncryptedPDF             needs a password or key first
    ├── SignedPDF                signed, and what was asked for would break its signatures
    ├── SigningRefused           signing would break the file or an earlier signature, or is not allowed
    ├── SealRefused              a seal that may not be made so, or not be used by this person or certificate, now
    ├── FieldError               the named field is missing, filled, or of the wrong kind
    ├── FormRefused              form fields that cannot be laid out in this file; facts: objections
    ├── AppearanceError          text no font of ours can draw, a picture that cannot be read
    ├── StaleRequest             a value for a preparation that no longer fits the file
    ├── WrongValue               the value handed back does not verify for what was prepared
    ├── RenderingFailed          a page that cannot be drawn, or not within the limits
    ├── SearchFailed             text of a page that cannot be read, or not within the limits
    ├── BasisError               an agreement or policy file that cannot be used
    ├── SealStateConflict        a step that the life of a seal does not have at this point; facts: state, allowed
    ├── RecipientRefused         somebody to whom nothing may be encrypted, and why
    ├── EnvelopeRefused          an envelope whose parts, manifest or sender do not hold together
    ├── VerifierBusy             every process that verifies has been at work for too long
    └── OptionError              options that contradict one another

What is found *inside* a document that is being verified is never one of these: it is in the Report.
"""

from __future__ import annotations

from certs.errors import SealroadError


class SignerError(SealroadError):
    """Root of the errors of `signer`."""

    code = "signer-error"


class UnreadablePDF(SignerError):
    """Not a PDF, or damaged beyond what may be signed."""

    code = "unreadable-pdf"


class EncryptedPDF(SignerError):
    """The file needs a password or key first."""

    code = "encrypted-pdf"


class SignedPDF(SignerError):
    """The file is signed, and what was asked for would break its signatures."""

    code = "signed-pdf"


class SigningRefused(SignerError):
    """Signing would break the file or an earlier signature, or an earlier signature forbids it."""

    code = "signing-refused"


class SealRefused(SignerError):
    """A seal that must not be made so, or not be used by this certificate at this time; `reason` says which rule."""

    code = "seal-refused"


class FieldError(SignerError):
    """The named signature field is missing, already signed, or not a signature field."""

    code = "field-error"


class FormRefused(SignerError):
    """Form fields that cannot be laid out in this file, or not there; `objections` in the facts has all of them."""

    code = "form-refused"


class AppearanceError(SignerError):
    """Text that no vendored font can draw, or a picture that cannot be read."""

    code = "appearance-error"


class StaleRequest(SignerError):
    """The prepared file is not the one this signature request was made for."""

    code = "stale-request"


class WrongValue(SignerError):
    """The signature value or CMS handed back does not verify for what was prepared."""

    code = "wrong-value"


class OptionError(SignerError):
    """Options that contradict one another or the suite."""

    code = "option-error"


class UnreadableFile(SignerError):
    """A file that cannot be opened, is too large, or is of no kind we know."""

    code = "unreadable-file"


class BasisError(SignerError):
    """A framework agreement or a recognition policy that cannot be used; `message` says where the fault stands."""

    code = "basis-error"


class RenderingFailed(SignerError):
    """A page that cannot be drawn, or not within the limits."""

    code = "rendering-failed"


class VerifierBusy(SignerError):
    """Every process that verifies has been at work for too long; nothing was said about the file."""

    code = "verifier-busy"
    default_hint = "try again in a little while"


class SealStateConflict(SignerError):
    """The state of a seal does not allow this step; `state` and `allowed` are in the facts."""

    code = "seal-state-conflict"


class SearchFailed(SignerError):
    """Text of a page that cannot be read, or not within the limits."""

    code = "search-failed"


class RecipientRefused(SignerError):
    """A certificate to whose holder nothing is encrypted; the facts name each such recipient and the reason."""

    code = "recipient-refused"


class EnvelopeRefused(SignerError):
    """An envelope whose parts, manifest or sender do not hold together; nothing of it is given out."""

    code = "envelope-refused"
