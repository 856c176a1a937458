"""Any document in, one Report out; never an exception for what is inside the document.

    store = TrustStore.load([Path("ca/")])
    report = verify_file(Path("contract.pdf"), trust=store, clock=SystemClock())
    report.verdict                                  # TOTAL-PASSED, TOTAL-FAILED, INDETERMINATE or NO-SIGNATURE

The steps, as in ETSI EN 319 102-1 (basic building blocks of clause 5.2, time-stamps of 5.4, long-term of 5.5), with
the guard before them because a PDF can lie about what was signed. For every signature in the file:

 1. Guard: rules G1 to G9 on the raw octets, G10 by a second parser                      signer.pdf.guard
 2. Format checking (5.2.2): a kind we know, CMS SignedData, one SignerInfo              signer.verification.cms
 3. Identification of the signing certificate (5.2.3)                                    signer.verification.cms
 4. Cryptographic verification (5.2.7): message digest, signature value                  signer.verification.cms
 5. Signing-certificate attribute and signature acceptance (5.2.8)                       signer.verification.cms
 6. Time-stamps (5.4), the latest first: each proves the age of what it covers (5.6.2.3) signer.verification.times
 7. X.509 validation (5.2.6) with revocation (5.2.5), now, else at the proven time (5.6) signer.verification.chain
 8. Later changes: what the revisions after the signed one did (DocMDP, FieldMDP)        signer.pdf.changes
 9. Verdict: any failure is TOTAL-FAILED, else anything unknown is INDETERMINATE         signer.verification.draft

One `try` around each signature, one around the listing, one around the file: an exception nobody foresaw makes that
signature INDETERMINATE with the code "internal", never a pass and never a crash. Work is counted (`Budget`), so no
file runs on without end.

What the parties agreed and what a jurisdiction's policy asks for is judged from the report: `signer.layers`.
Steps 2 to 7 are the same for CMS in files of their own and in ASiC containers; certificates, revocation lists, OCSP
answers and time-stamps have the steps that fit (`signer.verification.kinds`); so have electronic seals, signatures made
with them and OFD packages (`signer.verification.seals`, `signer.verification.kinds.ofd`).

What is not done here: XML signatures.
"""

from __future__ import annotations

import hashlib
import heapq
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from certs.clock import Clock
from signer.errors import UnreadableFile
from signer.report import MAX_ANCHORS, AnchorReport, Report, overall
from signer.verification.kinds import WORDS, reader_of, shown_as_pdf
from signer.verification.setting import Setting, VerifyOptions

if TYPE_CHECKING:
    from certs.trust import TrustStore

MAX_FILE = 512 * 1024 * 1024
"""Octets of a file that is looked at."""


def verify_file(
    path: Path,
    *,
    name: str | None = None,
    trust: TrustStore,
    at: datetime | None = None,
    clock: Clock,
    options: VerifyOptions | None = None,
    content: bytes | None = None,
) -> Report:
    """Verify a file; see `verify_bytes`. Raises UnreadableFile when it cannot be read."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise UnreadableFile(f"{path.name} is larger than {MAX_FILE >> 20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot read {path.name}", hint="check the name and the permissions") from error
    return verify_bytes(data, name=name or path.name, trust=trust, at=at, clock=clock, options=options, content=content)


def verify_bytes(
    data: bytes,
    *,
    name: str,
    trust: TrustStore,
    at: datetime | None = None,
    clock: Clock,
    options: VerifyOptions | None = None,
    content: bytes | None = None,
) -> Report:
    """Verify a file of any kind in `signer.verification.kinds` and return the report.

    `at` judges as of another moment than the clock's; `content` is what a detached signature or a time-stamp was made
    over. Raises EncryptedPDF (a password is needed first) and UnreadableFile (of no kind we know, or named
    as a PDF that a viewer would open and we would not), nothing else.
    """
    now = clock.now()
    options = options or VerifyOptions()
    deadline = time.monotonic() + options.seconds
    setting = Setting(trust=_made_by(now, trust), now=at or now, options=options, today=now, deadline=deadline)
    digest = hashlib.sha256(data).hexdigest()
    reader = reader_of(data)
    if reader is None:
        raise UnreadableFile(f"{name} is not {WORDS}", hint="give the signed file, or a .p7s or .tst with --content")
    if shown_as_pdf(data, reader, name):
        hint = "a PDF viewer would show something else than what was signed; name it for what it is, as .p7m or .asice"
        raise UnreadableFile(f"{name} is named as a PDF and is none", hint=hint)
    found = reader.verify(data, content, setting)
    return Report(
        file=name,
        sha256=digest,
        checked_at=now,
        verdict=overall(found.signatures),
        signatures=found.signatures,
        warnings=found.notices,
        validation_time=at,
        empty_fields=found.empty_fields,
        trust=named_anchors(trust),
        trusted=len(trust.anchors),
    )


def _made_by(now: datetime, trust: TrustStore) -> TrustStore:
    """Return the store without lists and answers that are of the future."""
    if not trust.crls and not trust.ocsps:
        return trust
    from signer.verification.revocation import Evidence

    known = Evidence((), trust.crls, trust.ocsps).until(now)
    if (known.crls, known.ocsps) == (trust.crls, trust.ocsps):
        return trust  # with all that it remembers
    return replace(trust, crls=known.crls, ocsps=known.ocsps)


def named_anchors(trust: TrustStore) -> tuple[AnchorReport, ...]:
    """Return the anchors a report names, in the same order whatever order they were given in."""
    first = heapq.nsmallest(MAX_ANCHORS, trust.anchors, key=lambda anchor: anchor.der)
    named = [AnchorReport(anchor.subject, anchor.fingerprint()) for anchor in first]
    return tuple(sorted(named, key=lambda anchor: (anchor.subject, anchor.sha256)))


__all__ = ["MAX_FILE", "VerifyOptions", "named_anchors", "verify_bytes", "verify_file"]
