"""What a verification stands on: whom to trust, as of when, with which evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from certs.certificate import Certificate
    from certs.crl import CRL
    from certs.fetch import Fetcher
    from certs.ocsp import OCSPResponse
    from certs.path import Purpose
    from certs.trust import TrustStore
    from signer.pdf.encryption import Recipient
    from signer.verification.poe import Proofs
    from signer.verification.times import Judged


@dataclass(frozen=True)
class VerifyOptions:
    """What the caller may choose."""

    revocation: Literal["require", "if-present", "after"] = "require"
    """What a missing revocation answer means: INDETERMINATE / TRY_LATER, or go on.

    With "after" an answer about the signer's certificate must be newer than the proven time of signing; else one that
    was current then is enough.
    """
    fetch: Fetcher | None = None
    """Who asks for certificates and lists that are missing, at the addresses in the certificates; None: nobody."""
    purpose: Purpose = "any"
    """What a certificate that is itself the file is to be good for; signatures have their own purposes."""
    strict: bool = False
    """Whether faults of form that real authorities make without harm (decision 13) refuse a chain."""
    seconds: float = 60.0
    """For all chains of a file together; what is not begun by then is INDETERMINATE."""
    password: str | None = field(default=None, repr=False)
    """Opens an encrypted PDF, as its user or its owner password."""
    recipient: Recipient | None = field(default=None, repr=False)
    """Opens a PDF encrypted for certificates."""


@dataclass(frozen=True)
class Setting:
    """The same for every signature of a file."""

    trust: TrustStore
    now: datetime
    """The moment of validation, in UTC."""
    options: VerifyOptions
    today: datetime | None = None
    """What the clock says, where `now` is another moment (`--at`); nothing can have been made after it."""
    certificates: tuple[Certificate, ...] = ()
    """From the document security store; not trusted, only for building chains."""
    crls: tuple[CRL, ...] = ()
    """From the document security store."""
    ocsps: tuple[OCSPResponse, ...] = ()
    """From the document security store."""
    has_store: bool = False
    """Whether the document has a security store."""
    proofs: Proofs | None = None
    """What document time-stamps prove; None before they are looked at."""
    deadline: float | None = None
    """A reading of `time.monotonic`, after which no chain is begun."""
    judged: Mapping[bytes, Judged] = field(default_factory=dict)
    """Tokens of document time-stamps (DER) and what was found about them."""
