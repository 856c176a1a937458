"""OFDEntries.xml: the list of the files of a package, signed so that none can be added (GM/T 0099-2020 annex D).

    reports = judge_entries(files, covered, record, setting)

The list has names and no digests: whoever changes a page changes nothing in it. So what it proves is that no file was
added; it protects contents only as far as other signatures cover them, and alone it is INDETERMINATE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element

from certs.errors import MalformedInput
from certs.trust.xml import parse_xml
from signer.report import SignatureReport, Verdict
from signer.verification.cms import Octets
from signer.verification.draft import Draft
from signer.verification.kinds.ofd_package import MAX_REFERENCES, MAX_XML, child, children, local_name, resolve, text_of
from signer.verification.kinds.ofd_value import judge_signed_data
from signer.verification.setting import Setting

ENTRIES = "OFDEntries.xml"
CLAUSE = "GM/T 0099-2020 D.1"
SHOWN = 20


def judge_entries(
    files: Mapping[str, bytes], covered: frozenset[str], record: Callable[[Draft], None], setting: Setting
) -> list[SignatureReport]:
    """Judge the signed list; `covered` are the files whose contents other signatures cover. Never raises."""
    draft = Draft(field=ENTRIES)
    try:
        record(draft)
        value, names = _read(files[ENTRIES])
        _same_files(draft, frozenset(files) - {ENTRIES, value}, names)
        open_names = names - covered
        if open_names:
            detail = f"the contents of {', '.join(sorted(open_names)[:SHOWN])} are not covered"
            draft.failed("ofd-coverage", CLAUSE, detail, Verdict.INDETERMINATE, "SIG_CONSTRAINTS_FAILURE", "names-only")
        if value not in files:
            detail = f"{value} is not in the package"
            draft.unknown("signature-value-present", CLAUSE, detail, "FORMAT_FAILURE", "no-signature-value")
            return [draft.report()]
        return judge_signed_data(draft, files[value], Octets(files[ENTRIES]), setting)
    except MalformedInput as error:
        draft.failed("ofd-entries", CLAUSE, str(error), Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
    except Exception as error:  # noqa: BLE001 - its own try
        draft.unknown("internal", "", type(error).__name__, "GENERIC", "internal")
    return [draft.report()]


def value_of(files: Mapping[str, bytes]) -> frozenset[str]:
    """Return the path of the signed value of the list, where there is one."""
    try:
        return frozenset({_read(files[ENTRIES])[0]}) if ENTRIES in files else frozenset()
    except MalformedInput:
        return frozenset()


def _read(octets: bytes) -> tuple[str, frozenset[str]]:
    """Return the path of the signed value, and the files on the list."""
    if len(octets) > MAX_XML:
        raise MalformedInput("the list of files is too large")
    root: Element = parse_xml(octets)
    if local_name(root) != "DocEntries":
        raise MalformedInput("no list of files")
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
