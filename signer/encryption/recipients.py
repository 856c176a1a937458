"""Whether anything may be encrypted to a certificate's holder at a moment; what must be asked before, for each of them.

    certificates = check_recipients(given, store, clock.now())      # or RecipientRefused, with a reason for each

The steps, numbered at the code:

 1. the key is of a suite that encrypts, and whole; a library here computes it
 2. key usage allows it as the suite encrypts: an ECDH key agrees, an RSA key enciphers; a certificate for signing never
 3. chain, validity, purposes and revocation at the moment of encrypting                            certs.path

A certificate that is itself trusted by name is taken without a chain: whoever named it vouches for it. But where the
lists at hand say that its authority revoked it or put it on hold, it is refused all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from certs.certificate import Certificate
from certs.errors import CertsError
from certs.path import validate_path
from certs.trust import TrustStore
from signer.errors import RecipientRefused

if TYPE_CHECKING:
    from certs.fetch import Fetcher


def check_recipients(
    certificates: Iterable[Certificate],
    store: TrustStore,
    at: datetime,
    *,
    pool: Iterable[Certificate] = (),
    revocation: Literal["require", "if-present"] = "require",
    fetch: Fetcher | None = None,
) -> tuple[Certificate, ...]:
    """Return the certificates, none twice.

    `pool` holds certificates of their authorities, trusted for nothing. With `fetch`, lists and issuers that are
    missing are asked for.

    Raises BackendUnavailable where no library here encrypts in a recipient's algorithms: whoever promises an envelope
    learns it before, not when it is due.

    Raises RecipientRefused where there is none, or one to whose holder nothing may be encrypted: `facts["refused"]` has
    subject, SHA-256 of the certificate, reason and sub-indication of each such one.
    """
    given = tuple(dict.fromkeys(certificates))
    if not given:
        raise RecipientRefused("there is no recipient", hint="give the certificate of at least one", refused=[])
    helpers = tuple(pool)
    refused: list[dict[str, str | None]] = []
    for certificate in given:
        reason, sub_indication = _reason(certificate, helpers, store, at, revocation, fetch)
        if reason:
            facts = {"subject": certificate.subject, "certificate": certificate.fingerprint(), "reason": reason}
            refused.append({**facts, "sub_indication": sub_indication})
    if refused:
        first = refused[0]
        others = f", nor to {len(refused) - 1} more" if len(refused) > 1 else ""
        raise RecipientRefused(
            f"nothing is encrypted to {first['subject']}: {first['reason']}{others}",
            hint=_hint(str(first["sub_indication"])),
            refused=refused,
        )
    return given


def _reason(
    certificate: Certificate,
    pool: tuple[Certificate, ...],
    store: TrustStore,
    at: datetime,
    revocation: Literal["require", "if-present"],
    fetch: Fetcher | None,
) -> tuple[str, str | None]:
    """Return why nothing may be encrypted, and the sub-indication of a path; "" where it may.

    Raises BackendUnavailable.
    """
    # 1
    try:
        suite = certificate.public_key().suite
    except CertsError as error:
        return str(error), None
    if not suite.recipient_usages:
        return f"a key of {suite.name} signs only", None
    suite.encryption_library()
    # 2
    if not certificate.encrypts:
        wanted = " or ".join(usage.replace("_", " ") for usage in suite.recipient_usages)
        return f"the certificate is not for encryption: its key usage does not allow {wanted}", None
    # 3
    result = validate_path(certificate, pool, store, at, purpose="encryption", revocation=revocation, fetch=fetch)
    if result.passed and certificate in store.anchors:
        others = replace(store, anchors=tuple(item for item in store.anchors if item != certificate))
        chained = validate_path(certificate, pool, others, at, purpose="encryption", revocation="if-present")
        result = chained if chained.revoked == certificate else result
    return ("", None) if result.passed else (result.detail, result.sub_indication)


def _hint(sub_indication: str) -> str:
    return {
        "NO_CERTIFICATE_CHAIN_FOUND": "name the authority with --trust, or this very certificate if you know it",
        "TRY_LATER": "give the revocation lists of its authorities with --trust, or ask for them with --online",
        "None": "many holders have a second certificate, for encryption; ask for that one",
    }.get(sub_indication, "ask the recipient for a certificate that is good today")
