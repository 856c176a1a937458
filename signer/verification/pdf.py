"""Every signature of one PDF: the numbered steps of `signer.verify`, each signature inside a `try` of its own.

    signatures, notices, empty = verify_pdf(data, setting)

An exception nobody foresaw makes that signature INDETERMINATE with the code "internal"; the others keep their verdict.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from certs import oids
from certs.errors import SealroadError
from signer.pdf.encryption import Credentials, plain_parts, unlock
from signer.pdf.guard import Finding, Guarded, guard, is_revision_end
from signer.pdf.listing import LEGACY_SUBFILTERS, SUBFILTERS, Listing, SignatureEntry, list_signatures
from signer.pdf.mac import mac_problem
from signer.pdf.permissions import Permissions, permissions_of
from signer.pdf.ranges import Hashed, Ranges
from signer.pdf.second_reading import SecondReading, prepare
from signer.pdf.structure import BudgetSpent, PDFFile, View
from signer.pdf.tokens import SyntaxFault
from signer.report import (
    ChangesReport,
    CheckResult,
    Notice,
    RevisionReport,
    SignatureReport,
    Verdict,
)
from signer.verification.draft import Draft, why
from signer.verification.encoded import begins_with_sequence
from signer.verification.later import CHANGES, Judgement, LaterRevisions, record_changes
from signer.verification.pades_form import SUBFILTER, check_form
from signer.verification.places import places_of
from signer.verification.setting import Setting

if TYPE_CHECKING:
    from signer.seals import SealSignature


MAX_NAMES = 5
"""Names of fields that are written out."""


@dataclass(frozen=True)
class _Document:
    """One PDF under verification."""

    pdf: PDFFile
    view: View | None
    fault: str
    setting: Setting
    entries: tuple[SignatureEntry, ...]
    revisions: tuple[tuple[int, int], ...]
    """Offsets behind %%EOF and behind its line end, of each revision."""
    guarded: dict[int, Guarded]
    """What the guard found, by position in `entries`, where it was asked before."""
    allowed: dict[int, Permissions]
    """What each signature allows, in the same way."""
    second: SecondReading
    later: LaterRevisions
    hashed: Hashed


def verify_pdf(data: bytes, setting: Setting) -> tuple[list[SignatureReport], list[Notice], tuple[str, ...]]:
    """Return a report for every signature, what is worth a word, and the fields still empty. Raises EncryptedPDF."""
    prepare(data)
    pdf = PDFFile(data)
    view, fault = _open(pdf, setting)
    try:
        listing = list_signatures(pdf, view)
        revisions = _revisions(pdf)
    except (SyntaxFault, BudgetSpent, RecursionError) as error:
        return [_unlisted(str(error), "limits" if isinstance(error, BudgetSpent) else "internal")], [], ()
    except Exception as error:  # noqa: BLE001 - the file's own try: a verdict, not a crash
        return [_unlisted(*why(error))], [], ()
    notices = [Notice(code, detail) for code, detail in listing.notes]
    notices += [Notice("structure-unreadable", detail) for detail in ([fault] if fault else []) + listing.faults]
    document = _Document(
        pdf,
        view,
        fault,
        _with_store(view, setting, notices),
        tuple(listing.signatures),
        revisions,
        {},
        {},
        SecondReading(pdf),
        LaterRevisions(pdf, view, revisions),
        Hashed(data),
    )
    _read_twice(document)
    document = _with_proofs(document)
    reports = [_guarded_signature(document, position) for position in range(len(document.entries))]
    reports += [_broken_field(name, detail) for name, detail in listing.broken_fields]
    _levels(document, reports)
    _places(document, reports)
    _tell(document, reports)
    notices += _encryption(document)
    notices += _shadows(document)
    return reports, notices, tuple(_really_empty(listing))


def _open(pdf: PDFFile, setting: Setting) -> tuple[View | None, str]:
    """Read the whole file; (None, reason) when it cannot be read. Raises EncryptedPDF."""
    try:
        view = pdf.view(len(pdf.data))
        decryptor = unlock(view, Credentials(setting.options.password, setting.options.recipient))
        if decryptor is not None:
            pdf.unlock(decryptor)
        view.catalog  # noqa: B018 - raises where there is none
    except (SyntaxFault, BudgetSpent) as error:
        return None, str(error)
    return view, ""


def _encryption(document: _Document) -> list[Notice]:
    """Say what encryption does not protect (PDFex, CCS 2019)."""
    view, decryptor = document.view, document.pdf.decryptor
    if view is None or decryptor is None:
        return []
    problem = mac_problem(view, decryptor)
    if problem is None:
        notices = [Notice("encryption-integrity", f"{decryptor.method}; no MAC (ISO/TS 32004)")]
    elif problem:
        notices = [Notice("encryption-mac-broken", f"{decryptor.method}; {problem}")]
    else:
        notices = [Notice("encryption-mac", decryptor.method)]
    try:
        notices += [Notice("encryption-mixed", part) for part in plain_parts(view)]
    except (SyntaxFault, BudgetSpent) as error:
        notices.append(Notice("structure-unreadable", f"parts that are not encrypted were not looked for: {error}"))
    return notices


def _with_store(view: View | None, setting: Setting, notices: list[Notice]) -> Setting:
    """Add the certificates, CRLs and OCSP answers of the document security store."""
    if view is None:
        return setting
    try:
        from signer.verification.store import document_store

        certificates, crls, ocsps, bad = document_store(view)
    except (SyntaxFault, BudgetSpent) as error:
        notices.append(Notice("dss-unreadable", f"the document security store cannot be read: {error}"))
        return setting
    except Exception as error:  # noqa: BLE001 - evidence that cannot be read is evidence missing
        notices.append(Notice("dss-unreadable", type(error).__name__))
        return setting
    if bad:
        notices.append(Notice("dss-unreadable", f"{bad} value(s) of the document security store cannot be read"))
    return replace(
        setting,
        certificates=setting.certificates + certificates,
        crls=setting.crls + crls,
        ocsps=setting.ocsps + ocsps,
        has_store=view.catalog.get("DSS") is not None,
    )


def _with_proofs(document: _Document) -> _Document:
    """Establish what document time-stamps prove, before anything is judged (EN 319 102-1 5.6.3)."""
    if not any(entry.subfilter == "ETSI.RFC3161" and entry.has_value for entry in document.entries):
        return document
    from signer.verification.pdf_times import Stamped, with_document_proofs

    stamped: list[Stamped] = []
    for position, entry in enumerate(document.entries):
        try:
            found = _guard(document, position)
        except Exception:  # noqa: BLE001, S112 - its own report will say so
            continue
        if found.byte_range is None or found.contents is None or found.broken or not entry.has_value:
            continue
        _, gap, _, _ = found.byte_range
        source = Ranges(document.hashed, found.byte_range)
        is_timestamp = entry.subfilter == "ETSI.RFC3161"
        end = found.byte_range[2] + found.byte_range[3]
        stamped.append(Stamped(found.contents, gap, end, source, found.signed_view, is_timestamp))
    try:
        return replace(document, setting=with_document_proofs(stamped, document.setting))
    except Exception:  # noqa: BLE001 - proofs that cannot be read are proofs missing
        return document


def _guard(document: _Document, position: int) -> Guarded:
    if position not in document.guarded:
        entry = document.entries[position]
        document.guarded[position] = guard(document.pdf, document.view, document.fault, entry)
    return document.guarded[position]


def _permissions(document: _Document, position: int, signed: View) -> Permissions:
    """Return what a signature allows; it is asked for again by every later one. Raises SyntaxFault."""
    if position not in document.allowed:
        document.allowed[position] = permissions_of(signed, document.entries[position])
    return document.allowed[position]


def _read_twice(document: _Document) -> None:
    """Let the second parser read every signed revision, and the file as it is now (G10)."""
    ends = []
    for position in range(len(document.entries)):
        try:
            signed = _guard(document, position).signed_view
        except Exception:  # noqa: BLE001, S112 - its own report will say so
            continue
        if signed is not None:
            ends.append(signed.end)
    if ends:
        document.second.ask([*ends, len(document.pdf.data)])


def _revisions(pdf: PDFFile) -> tuple[tuple[int, int], ...]:
    ends = [(e.marker_end, e.line_end) for e in pdf.endings if is_revision_end(pdf, e.target, e.start)]
    return tuple(ends[:500])


def _unlisted(detail: str, code: str) -> SignatureReport:
    return SignatureReport(
        field="",
        kind="signature",
        verdict=Verdict.INDETERMINATE,
        sub_indication="GENERIC",
        reason=f"the signatures of this file cannot be listed: {detail}",
        code=code,
    )


def _broken_field(name: str, detail: str) -> SignatureReport:
    """Report a signature field whose value is no signature dictionary, as in "universal signature forgery"."""
    draft = Draft(field=name, fields=(name,))
    draft.failed("signature-value-present", "ISO 32000-2 12.7.5.5", detail, Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
    return draft.report()


def _really_empty(listing: Listing) -> list[str]:
    broken = {name for name, _ in listing.broken_fields}
    return [name for name in listing.empty_fields if name not in broken]


def _named(fields: tuple[str, ...]) -> str:
    """Return the names of the fields that show a signature, shortened where a seal shows on many pages."""
    if len(fields) <= MAX_NAMES:
        return ", ".join(fields)
    return f"{fields[0]}, {fields[1]} … {fields[-1]} ({len(fields)})"


def _guarded_signature(document: _Document, position: int) -> SignatureReport:
    """Verify one signature inside the one `try` that is around each."""
    entry = document.entries[position]
    draft = Draft(field=_named(entry.fields), fields=entry.fields, subfilter=entry.subfilter)
    with draft.guarded():
        try:
            _signature(document, position, draft)
        except BudgetSpent as error:
            draft.unknown("limits", "", str(error), "GENERIC", "limits")
        except SealroadError as error:
            draft.unknown("internal", "", f"{error.code}: {error.message}", "GENERIC", "internal")
    return draft.report()


def _signature(document: _Document, position: int, draft: Draft) -> None:
    """Verify one signature of a PDF: the numbered steps of `signer.verify`."""
    # 1. Guard
    entry, found = document.entries[position], _guard(document, position)
    _record_guard((*found.findings, document.second.finding(found.signed_view, document.view)), draft)
    _describe(document, entry, found, draft)
    national = _national(entry, found)
    if _set_apart(entry, draft, known=national is not None):
        if entry.has_value and found.byte_range is not None and found.contents is not None and not found.broken:
            from signer.verification.legacy import show_unknown

            show_unknown(draft, found.contents, Ranges(document.hashed, found.byte_range), document.setting)
        return
    # 8. Later changes; what cannot be told is said here, before anything else leaves the verdict open
    judgement = None if found.broken else _later_changes(document, position, draft)
    # 2. to 7.: the CMS inside, over exactly the octets of /ByteRange
    usable = found.byte_range is not None and not {f.rule[:2] for f in found.broken} & {"G1", "G2"}
    seal = None
    if usable and found.byte_range is not None and found.contents is not None:
        from signer.verification.cms import verify_embedded

        ranges = Ranges(document.hashed, found.byte_range)
        claimed = pdf_date(entry.text("M"))
        if national is not None:
            from signer.verification.pdf_seals import judge_national

            judge_national(draft, entry, found.contents, national, ranges, document.setting, found.byte_range)
            seal = national.seal
        elif entry.subfilter in LEGACY_SUBFILTERS:
            from signer.verification.legacy import verify_legacy

            verify_legacy(draft, found.contents, entry.dictionary.get("Cert"), ranges, document.setting, claimed)
        else:
            view = verify_embedded(draft, found.contents, ranges, document.setting, claimed)
            if view is not None and entry.subfilter == SUBFILTER:
                check_form(draft, entry.dictionary, view.signers[0])
            if view is not None and any(oid == oids.SEAL_ATTRIBUTE for oid, _ in view.signers[0].attributes):
                from signer.verification.pdf_seals import judge_attribute

                seal = judge_attribute(draft, view, document.setting)
    elif draft.verdict is not Verdict.TOTAL_FAILED:
        draft.unknown("cms", "EN 319 102-1 5.2.2", "there is no signature to look at", "FORMAT_FAILURE")
    if judgement is not None:
        record_changes(judgement, draft)
    if seal is not None:
        from signer.verification.pdf_seals import judge_faces

        judge_faces(draft, seal, found.signed_view, entry.field_objects)


def _national(entry: SignatureEntry, found: Guarded) -> SealSignature | None:
    """Return the seal signature that stands in /Contents instead of a CMS, whatever the dictionary calls it."""
    if not entry.has_value or found.contents is None or entry.subfilter == "ETSI.RFC3161":
        return None
    if not begins_with_sequence(found.contents):
        return None
    from signer.verification.pdf_seals import read_national

    return read_national(found.contents)


def _record_guard(findings: tuple[Finding, ...], draft: Draft) -> None:
    for finding in findings:
        if finding.result == "not-checked" and finding.severity == "indeterminate":
            draft.unknown(finding.rule, finding.clause, finding.detail, "GENERIC", "limits")
        elif finding.result != "failed":
            draft.checks.append(CheckResult(finding.rule, finding.clause, finding.result, finding.detail))
        elif finding.severity == "failed":
            draft.failed(finding.rule, finding.clause, finding.detail, Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        elif finding.severity == "indeterminate":
            draft.failed(finding.rule, finding.clause, finding.detail, Verdict.INDETERMINATE, "FORMAT_FAILURE")
        else:
            draft.checks.append(CheckResult(finding.rule, finding.clause, "failed", finding.detail))
            draft.warn(finding.rule, finding.detail)


def _describe(document: _Document, entry: SignatureEntry, found: Guarded, draft: Draft) -> None:
    """Say what kind of signature it is, which revision it covers, what its dictionary states."""
    if entry.subfilter == "ETSI.RFC3161":
        draft.kind = "document-timestamp"
    if found.signed_view is not None:
        try:
            if permissions_of(found.signed_view, entry).certification:
                draft.kind = "certification"
        except SyntaxFault as error:
            draft.warn("permissions-unreadable", str(error))
    index = _revision_of(document, found)
    if found.byte_range is not None and index is not None:
        end = found.byte_range[2] + found.byte_range[3]
        rest = document.pdf.data[end:].strip(b"\x00\t\n\x0c\r ") if len(document.pdf.data) - end < 64 else b"more"
        draft.revision = RevisionReport(index, len(document.revisions), covers_whole_file=not rest)
    if entry.subfilter == "ETSI.CAdES.detached" and "Cert" in entry.dictionary:
        draft.warn("cert-entry", "/Cert stands beside ETSI.CAdES.detached (ISO 32000-2 12.8.3.4.2)")
    # A dictionary that a later revision replaced says nothing any more (signature dictionary spoofing).
    if not any(f.rule.startswith("G7") for f in found.broken):
        stated = [(key.lower(), entry.text(key)) for key in ("Name", "Reason", "Location", "ContactInfo")]
        draft.stated = tuple((key, value) for key, value in stated if value)


def _set_apart(entry: SignatureEntry, draft: Draft, *, known: bool) -> bool:
    """List what cannot be verified with its reason; True when there is nothing more to do.

    `known` says that /Contents is of a kind that is read whatever its name.
    """
    clause = "ISO 32000-2 12.8.1, Table 255"
    if entry.note in ("unreachable", "replaced", "unreadable"):
        words = {
            "unreachable": "no form field shows this signature",
            "replaced": "a later revision replaced this signature dictionary",
            "unreadable": "the signature dictionary cannot be read",
        }
        draft.unknown("listed-in-form", "ISO 32000-2 12.7.5.5", words[entry.note], "GENERIC", entry.note)
    if not entry.has_value:
        draft.unknown("signature-value-present", clause, "no signature value", "FORMAT_FAILURE", "no-signature-value")
        return True
    if not known and entry.subfilter not in SUBFILTERS | LEGACY_SUBFILTERS:
        what = f"/SubFilter {entry.subfilter}" if entry.subfilter else "a missing /SubFilter"
        draft.unknown(
            "subfilter", "ISO 32000-2 Table 260", f"{what} is not supported", "GENERIC", "unsupported-subfilter"
        )
        return True
    return False


def _later_changes(document: _Document, position: int, draft: Draft) -> tuple[Judgement, Permissions] | None:
    """8. Compare the signed revision with the last one, by what this and every earlier signature allows."""
    signed = _guard(document, position).signed_view
    try:
        own = _permissions(document, position, signed) if signed is not None else Permissions()
        judgement = document.later.judge(signed, own, _earlier(document, position))
    except (SyntaxFault, BudgetSpent, RecursionError) as error:
        own, judgement = Permissions(), Judgement(None, str(error))
    if judgement.changes is None:
        detail = f"what was changed cannot be established: {judgement.unknown}"
        draft.changes_after = ChangesReport("unknown", (judgement.unknown,))
        draft.unknown("later-changes", CHANGES, detail, "GENERIC", "changes-unknown")
        return None
    return judgement, own


def _earlier(document: _Document, position: int) -> tuple[tuple[str, Permissions], ...]:
    """Return what the signatures that were there before allow; one that breaks the guard says nothing."""
    mine = _guard(document, position).signed_view
    found = []
    for other, entry in enumerate(document.entries):
        signed = _guard(document, other).signed_view
        if mine is None or signed is None or signed.end >= mine.end or _guard(document, other).broken or entry.note:
            continue
        try:
            found.append((", ".join(entry.fields), _permissions(document, other, signed)))
        except SyntaxFault:
            continue  # its own verdict says so
    return tuple(found)


def _tell(document: _Document, reports: list[SignatureReport]) -> None:
    """Say revision by revision what was changed, once all verdicts stand."""
    for position, report in enumerate(reports[: len(document.entries)]):
        found = document.guarded.get(position)
        if found is not None and found.signed_view is not None:
            reports[position] = document.later.told(report, found.signed_view.end)


def _levels(document: _Document, reports: list[SignatureReport]) -> None:
    """Raise B-T to B-LT and B-LTA where the file carries what these levels need (EN 319 142-1 clause 6)."""
    stores = {_revision_of(document, found): found for found in document.guarded.values()}
    archived = [
        report.revision.index
        for report in reports
        if report.kind == "document-timestamp"
        and report.revision
        and report.verdict is Verdict.TOTAL_PASSED
        and _has_store(stores.get(report.revision.index))
    ]
    for position, report in enumerate(reports):
        if report.level != "B-T" or report.revision is None or not document.setting.has_store:
            continue
        later = any(index > report.revision.index for index in archived)
        reports[position] = replace(report, level="B-LTA" if later else "B-LT")


def _shadows(document: _Document) -> list[Notice]:
    """Warn of what a signed document hides; looked for last, with the work that is left."""
    if document.view is None or not document.entries:
        return []
    from signer.pdf.shadow import signs

    return [Notice(code, detail) for code, detail in signs(document.view)]


def _places(document: _Document, reports: list[SignatureReport]) -> None:
    """Say where each signature shows; the reports of signature dictionaries come first, in the order of entries."""
    if document.view is None:
        return
    try:
        places = places_of(document.view, [entry.field_objects for entry in document.entries])
    except Exception:  # noqa: BLE001 - a picture less, never a verdict
        return
    for position, shown in enumerate(places):
        if shown:
            reports[position] = replace(reports[position], place=shown[0], more_places=shown[1:])


def _revision_of(document: _Document, found: Guarded) -> int | None:
    """Return the number of the revision that a signature covers."""
    if found.byte_range is None:
        return None
    end = found.byte_range[2] + found.byte_range[3]
    return next((n for n, (marker, line) in enumerate(document.revisions, 1) if marker <= end <= line), None)


def _has_store(found: Guarded | None) -> bool:
    try:
        return found is not None and found.signed_view is not None and found.signed_view.catalog.get("DSS") is not None
    except SyntaxFault:
        return False


_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:Z|([+-])(\d\d)'?(\d\d)?'?)?")


def pdf_date(text: str | None) -> datetime | None:
    """Read a PDF date (7.9.4); without a time zone it is taken as UTC. None when it is none."""
    found = _DATE.match(text or "")
    if found is None:
        return None
    year, month, day, hour, minute, second = (
        int(part or default) for part, default in zip(found.groups()[:6], (0, 1, 1, 0, 0, 0), strict=True)
    )
    sign, hours, minutes = found.group(7), int(found.group(8) or 0), int(found.group(9) or 0)
    try:
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
