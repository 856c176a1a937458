"""What a verification stands on: whom to trust, as of when, with which evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from certs.certificate import Certificate
    from certs.crl import CRL
    from certs.fetch import Fetcher
    from certs.ocsp import OCSPResponse
    from certs.trust import TrustStore


@dataclass(frozen=True)
class VerifyOptions:
    """What the caller may choose."""

    revocation: Literal["require", "if-present"] = "require"
    """What a missing revocation answer means: INDETERMINATE / TRY_LATER, or go on."""
    fetch: Fetcher | None = None
    """Who asks for certificates and lists that are missing, at the addresses in the certificates; None: nobody."""


@dataclass(frozen=True)
class Setting:
    """The same for every signature of a file."""

    trust: TrustStore
    now: datetime
    """The moment of validation, in UTC."""
    options: VerifyOptions
    certificates: tuple[Certificate, ...] = ()
    """From the document security store; not trusted, only for building chains."""
    crls: tuple[CRL, ...] = ()
    """From the document security store."""
    ocsps: tuple[OCSPResponse, ...] = ()
    """From the document security store."""
    has_store: bool = False
    """Whether the document has a security store."""
