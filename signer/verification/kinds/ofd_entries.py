"""OFDEntries.xml: the list of the files of a package, signed so that none can be added (GM/T 0099-2020 annex D).

    reports = judge_entries(files, machinery, covered, record, setting)

The list has names and no digests: whoever changes a page changes nothing in it. So what it proves is that no file was
added. Else somebody could sign other contents, and the list would say that its signer had been there: it is
INDETERMINATE unless a good signature with the same certificate covers the contents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from certs.errors import MalformedInput
from signer.report import CheckResult, SignatureReport, Verdict
from signer.verification.cms import Octets
from signer.verification.draft import Draft
from signer.verification.kinds.ofd_package import MAX_REFERENCES, child, children, parsed, resolve, text_of
from signer.verification.kinds.ofd_value import judge_signed_data
from signer.verification.setting import Setting

ENTRIES = "OFDEntries.xml"
CLAUSE = "GM/T 0099-2020 D.1"
SHOWN = 20


def judge_entries(
    files: Mapping[str, bytes],
    machinery: frozenset[str],
    covered: Mapping[str, frozenset[str]],
    record: Callable[[Draft], None],
    setting: Setting,
) -> list[SignatureReport]:
    """Judge the signed list. Never raises.

    `machinery` are the files that signatures are made of, `covered` those whose contents good signatures cover, by the
    fingerprint of the signer's certificate.
    """
    draft = Draft(field=ENTRIES)
    with draft.guarded():
        try:
            record(draft)
            value, names = _read(files[ENTRIES])
            _same_files(draft, frozenset(files) - {ENTRIES, value}, names)
            if value not in files:
                detail = f"{value} is not in the package"
                draft.unknown("signature-value-present", CLAUSE, detail, "FORMAT_FAILURE", "no-signature-value")
                return [draft.report()]
            reports = judge_signed_data(draft, files[value], Octets(files[ENTRIES]), setting)
            return [_with_contents(report, names - machinery, covered) for report in reports]
        except MalformedInput as error:
            draft.failed("ofd-entries", CLAUSE, str(error), Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
    return [draft.report()]


def _with_contents(
    report: SignatureReport, names: frozenset[str], covered: Mapping[str, frozenset[str]]
) -> SignatureReport:
    """Lower the verdict on a signer of the list who does not cover the contents of the files himself."""
    signer = report.signer.fingerprint if report.signer is not None else ""
    open_names = names - covered.get(signer, frozenset())
    if not open_names:
        return report
    detail = f"the signer covers the names, not the contents, of {', '.join(sorted(open_names)[:SHOWN])}"
    report = replace(report, checks=(*report.checks, CheckResult("ofd-coverage", CLAUSE, "failed", detail)))
    if report.verdict is not Verdict.TOTAL_PASSED:
        return report
    verdict, sub_indication = Verdict.INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"
    return replace(report, verdict=verdict, sub_indication=sub_indication, reason=detail, code="names-only")


def value_of(files: Mapping[str, bytes]) -> frozenset[str]:
    """Return the path of the signed value of the list, where there is one."""
    try:
        return frozenset({_read(files[ENTRIES])[0]}) if ENTRIES in files else frozenset()
    except MalformedInput:
        return frozenset()


def _read(octets: bytes) -> tuple[str, frozenset[str]]:
    """Return the path of the signed value, and the files on the list."""
    root = parsed(octets, "DocEntries")
    value, listed = text_of(root, "SignedValueLoc"), child(root, "FileList")
    if not value or listed is None:
        raise MalformedInput("a list of files without SignedValueLoc or FileList")
    found = list(children(listed, "File"))
    if len(found) > MAX_REFERENCES:
        raise MalformedInput(f"more than {MAX_REFERENCES} files")
    return resolve(ENTRIES, value), frozenset(resolve(ENTRIES, item.get("FileLoc", "")) for item in found)


def _same_files(draft: Draft, present: frozenset[str], names: frozenset[str]) -> None:
    added, missing = sorted(present - names), sorted(names - present)
    if added:
        detail = f"not on the list: {', '.join(added[:SHOWN])}"
        draft.failed("ofd-entries", CLAUSE, detail, Verdict.TOTAL_FAILED, "FORMAT_FAILURE", "file-added")
    if missing:
        detail = f"on the list and not in the package: {', '.join(missing[:SHOWN])}"
        draft.failed("ofd-entries", CLAUSE, detail, Verdict.INDETERMINATE, "SIGNED_DATA_NOT_FOUND")
    if not added and not missing:
        draft.passed("ofd-entries", CLAUSE, f"{len(names)} files")
