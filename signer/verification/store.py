"""Certificates, revocation lists and OCSP answers from the document security store, /DSS (ISO 32000-2 12.8.4.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from certs.errors import SealroadError
from signer.pdf.structure import Stream, View
from signer.pdf.tokens import Dictionary

if TYPE_CHECKING:
    from certs.certificate import Certificate
    from certs.crl import CRL
    from certs.ocsp import OCSPResponse

MAX_VALUES = 1000


def document_store(
    view: View,
) -> tuple[tuple[Certificate, ...], tuple[CRL, ...], tuple[OCSPResponse, ...], int]:
    """Return certificates, CRLs, OCSP responses and the number of values that cannot be read.

    Raises SyntaxFault and BudgetSpent for a store whose structure cannot be read.
    """
    store = view.get(view.catalog, "DSS")
    if not isinstance(store, Dictionary):
        return (), (), (), 0
    from certs.certificate import load_certificate
    from certs.crl import load_crls
    from certs.ocsp import load_response

    certificates: list[Certificate] = []
    crls: list[CRL] = []
    ocsps: list[OCSPResponse] = []
    bad = 0
    for value in _streams(view, store, "Certs"):
        try:
            certificates.append(load_certificate(value))
        except SealroadError:
            bad += 1
    for value in _streams(view, store, "CRLs"):
        try:
            crls.extend(load_crls(value))
        except SealroadError:
            bad += 1
    for value in _streams(view, store, "OCSPs"):
        try:
            ocsps.append(load_response(value))
        except SealroadError:
            bad += 1
    return tuple(certificates), tuple(crls), tuple(ocsps), bad


def _streams(view: View, store: Dictionary, key: str) -> Iterator[bytes]:
    """Yield the decoded values, one at a time, and each stream once however often it is named."""
    items = view.get(store, key)
    if not isinstance(items, list):
        return
    seen: set[int] = set()
    for item in items[:MAX_VALUES]:
        value = view.resolve(item)
        if isinstance(value, Stream) and value.start not in seen:
            seen.add(value.start)
            yield view.stream_data(value)
