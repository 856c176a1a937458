"""What the document time-stamps of a PDF prove, before its signatures are judged (EN 319 102-1 5.6.3).

A document time-stamp (EN 319 142-1 5.4.3) is over a whole revision: every earlier signature with all that is in it,
earlier time-stamps, and the certificates, lists and answers in the security store as of that revision. The latest is
judged first, so that each proves the age of the evidence for the ones before it.

    setting = with_document_proofs(stamped, signatures, setting)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from certs import ber
from certs.errors import CertsError
from certs.signed_data import parse_signed_data
from certs.timestamp import TimeStampToken, read_token
from signer.pdf.structure import BudgetSpent, View
from signer.pdf.tokens import SyntaxFault
from signer.verification.cms import Source
from signer.verification.draft import Draft
from signer.verification.encoded import begins_with_sequence
from signer.verification.poe import covered_by, octets_of, proofs_of
from signer.verification.revocation import evidence_of
from signer.verification.setting import Setting
from signer.verification.store import document_store
from signer.verification.times import judge_token


@dataclass(frozen=True)
class Stamped:
    """One signature, or document time-stamp, that passed the guard."""

    contents: bytes
    """The value of /Contents."""
    gap: int
    """Where the gap begins: what ends before it is covered."""
    end: int
    """Where the signed octets end."""
    source: Source
    view: View | None
    """The revision that is covered."""
    is_timestamp: bool


def with_document_proofs(signatures: Sequence[Stamped], setting: Setting) -> Setting:
    """Return the setting with what the document time-stamps prove, and what was found about each of them."""
    stamps = sorted((item for item in signatures if item.is_timestamp), key=lambda item: item.end, reverse=True)
    for stamp in stamps:
        try:
            token, objects = _read(stamp, signatures)
            evidence = evidence_of(Draft(field=""), token.signed_data, token.signer, setting)
            name = token.digest_name
            token.verify(name, stamp.source.digest(name), others=evidence.certificates)
            certificate = token.certificate(evidence.certificates)
        except (CertsError, SyntaxFault, BudgetSpent):
            continue  # its own report says why
        proofs = proofs_of(setting)
        judged = judge_token(token, certificate, evidence, setting, proofs)
        if judged.believed:
            proofs = proofs.with_(objects, token.gen_time)
        setting = replace(setting, proofs=proofs, judged={**setting.judged, token.der: judged})
    return setting


def _read(stamp: Stamped, signatures: Iterable[Stamped]) -> tuple[TimeStampToken, list[bytes]]:
    token = read_token(_structure(stamp.contents))
    objects = [octets for item in signatures if item.end <= stamp.gap for octets in _inside(item)]
    if stamp.view is not None:
        certificates, crls, ocsps, _ = document_store(stamp.view)
        objects += octets_of(certificates, crls, ocsps)
    return token, objects


def _structure(contents: bytes) -> bytes:
    return contents[: ber.Value(contents, 0, len(contents)).end]


def _inside(item: Stamped) -> Iterator[bytes]:
    if begins_with_sequence(item.contents):
        from signer.verification.pdf_seals import covered_by_seal, read_national

        sealed = read_national(item.contents)
        yield from covered_by_seal(sealed) if sealed is not None else ()
        return
    try:
        yield from covered_by(parse_signed_data(_structure(item.contents)))
    except CertsError:
        return
