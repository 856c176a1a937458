"""OFD packages (GB/T 33190-2016): every signature and seal in them, over what, and which files nobody covers.

 1. the ZIP is read so that no other reader sees other files                                     kinds.asic_zip
 2. OFD.xml names the documents and their lists of signatures; each signature is read            kinds.ofd_package
 3. every reference of a signature is computed: the signed value covers the signature file only, so without this the
    pages are not protected at all
 4. a list of signatures that has changed since must be explained by later signatures            kinds.ofd_content
 5. every file that the document leads to is covered, or was added under a later signature       kinds.ofd_content
 6. the signed value: made with a seal, or a SignedData of GB/T 35275, or bare                   kinds.ofd_value
 7. the seal that is shown is the one that was used, and names this signature file               kinds.ofd_value
 8. OFDEntries.xml, where there is one: the package holds the files on the list and no others    kinds.ofd_entries
 9. files that no signature names are told, and signatures that no list names

Pages are not drawn. Signatures are judged from the last of a list to the first, since the later ones explain changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest

from certs.errors import MalformedInput
from certs.suites.policy import digest_is_good
from signer.errors import UnreadableFile
from signer.report import Notice, SignatureReport, Verdict
from signer.verification.cms import Octets
from signer.verification.draft import Draft, why
from signer.verification.kinds import Found, asic
from signer.verification.kinds.asic_zip import Container, LimitExceeded, looks_like_zip, names_in, read_container
from signer.verification.kinds.ofd_content import content_files, was_before
from signer.verification.kinds.ofd_entries import ENTRIES, judge_entries, value_of
from signer.verification.kinds.ofd_package import (
    ENTRY,
    MAX_SIGNATURES,
    Package,
    Reference,
    SignatureFile,
    SignatureList,
    read_package,
    read_signature,
)
from signer.verification.kinds.ofd_value import judge_value
from signer.verification.kinds.referenced import References
from signer.verification.setting import Setting

CLAUSE = "GB/T 33190-2016 18"
REFERENCES = References("ofd-reference", f"{CLAUSE}.2.2", "package")
SHOWN = 20
"""Names in one remark."""


def looks_like(data: bytes) -> bool:
    """Tell whether a ZIP has the file that OFD packages begin with."""
    archive = looks_like_zip(data)
    return archive is not None and ENTRY in names_in(archive)


def verify(data: bytes, content: bytes | None, setting: Setting) -> Found:
    """Verify everything in the package that signs. Raises UnreadableFile."""
    try:
        container = read_container(data)
        found = _OFD(container, read_package(container.files), setting).found()
    except LimitExceeded as error:
        return Found((_unlisted(str(error), "limits"),))
    except MalformedInput as error:
        return Found((_unlisted(str(error), "unreadable-list"),))
    except UnreadableFile:
        raise
    except Exception as error:  # noqa: BLE001 - the file's own try
        return Found((_unlisted(*why(error)),))
    if not asic.looks_like(data):
        return found
    other = asic.verify(data, content, setting)  # signatures that only another reader of ZIPs would look for
    return Found((*found.signatures, *other.signatures), (*found.notices, *other.notices))


def _unlisted(detail: str, code: str, path: str = "") -> SignatureReport:
    draft = Draft(field=path)
    draft.unknown("ofd-package", CLAUSE, f"the signatures cannot be listed: {detail}", "FORMAT_FAILURE", code)
    return draft.report()


@dataclass
class _Listed:
    """One signature of a list while it is being judged."""

    listed: SignatureList
    position: int
    file: SignatureFile | None = None
    reports: list[SignatureReport] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether it does not hold, whoever made it."""
        return any(report.verdict is Verdict.TOTAL_FAILED for report in self.reports)

    @property
    def computed(self) -> bool:
        """Whether its value was computed and fits."""
        return not self.broken and all(report.cryptographic.result == "passed" for report in self.reports)

    @property
    def good(self) -> bool:
        """Whether it is that of somebody who is trusted."""
        return bool(self.reports) and all(report.verdict is Verdict.TOTAL_PASSED for report in self.reports)

    @property
    def covers(self) -> frozenset[str]:
        """The files it is over."""
        return frozenset() if self.file is None else frozenset(item.path for item in self.file.references)


class _OFD:
    """One package."""

    def __init__(self, container: Container, package: Package, setting: Setting) -> None:
        self.container, self.package, self.setting = container, package, setting
        self.files = package.files
        self.sources = {name: Octets(body) for name, body in self.files.items()}
        self.content = content_files(package)
        self.signatures = [
            _Listed(listed, position) for listed in package.lists for position in range(len(listed.entries))
        ]
        if len(self.signatures) > MAX_SIGNATURES:
            raise LimitExceeded(f"more than {MAX_SIGNATURES} signatures")

    def found(self) -> Found:
        """Return a report for everything that signs, and the files that nothing covers."""
        for one in reversed(self.signatures):
            self._judge(one)
        reports = [_unlisted(problem, "unreadable-list") for problem in self.package.problems]
        reports += [report for one in self.signatures for report in one.reports]
        machinery = self._machinery()
        if ENTRIES in self.files:
            reports += judge_entries(self.files, machinery, self._covered(), self._faults, self.setting)
        return Found(tuple(reports), tuple(self._notices(machinery, bool(reports))))

    def _faults(self, draft: Draft) -> None:
        for fault in self.container.faults:
            draft.failed("container", "APPNOTE 4.3; GB/T 33190-2016 6", fault, Verdict.TOTAL_FAILED, "FORMAT_FAILURE")

    # 2 ----------------------------------------------------------------------------------------------------------------
    def _judge(self, one: _Listed) -> None:
        """Judge one signature; its own try."""
        entry = one.listed.entries[one.position]
        draft = Draft(field=entry.path, kind="seal" if entry.type == "Seal" else "signature")
        with draft.guarded():
            try:
                self._faults(draft)
                octets = self.files.get(entry.path)
                if octets is not None:
                    one.file = read_signature(entry.path, octets)
                    draft.passed("ofd-signature-file", f"{CLAUSE}.2.1", f"{len(one.file.references)} references")
                    self._references(draft, one, one.file)
                    self._coverage(draft, one)
                    one.reports = judge_value(draft, one.file, self.files, self.sources[entry.path], self.setting)
                    return
                detail = f"{entry.path} is not in the package"
                draft.unknown("ofd-signature-file", f"{CLAUSE}.1", detail, "SIGNED_DATA_NOT_FOUND")
            except MalformedInput as error:
                draft.failed("ofd-signature-file", f"{CLAUSE}.2.1", str(error), Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        one.reports = [draft.report()]

    # 3 ----------------------------------------------------------------------------------------------------------------
    def _references(self, draft: Draft, one: _Listed, file: SignatureFile) -> None:
        check, where = REFERENCES.check, REFERENCES.clause
        for reference in file.references:
            source = self.sources.get(reference.path)
            digest = REFERENCES.digest(draft, reference.path, source, file.digest_name, file.check_method)
            if digest is None or file.digest_name is None:
                continue
            if compare_digest(digest, reference.digest):
                draft.passed(check, where, reference.path, file.digest_name)
            elif reference.path == one.listed.path:
                self._list_changed(draft, one, file, reference)
            else:
                REFERENCES.differs(draft, reference.path)
        if file.digest_name is not None and not digest_is_good(file.digest_name, self.setting.now):
            detail = f"the digest {file.digest_name} of the references is no longer good enough"
            sub_indication = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
            draft.failed("algorithm-policy", where, detail, Verdict.INDETERMINATE, sub_indication)

    # 4 ----------------------------------------------------------------------------------------------------------------
    def _list_changed(self, draft: Draft, one: _Listed, file: SignatureFile, reference: Reference) -> None:
        """Accept a list that is another one only where later signatures, and nothing else, made it so."""
        later = self._later(one)
        broken = not later or any(item.broken for item in later) or not one.listed.plain
        path, number = one.listed.path, one.position + 1
        if not broken and was_before(one.listed, number, file.digest_name or "", reference.digest):
            detail = f"{path} without the {len(later)} later signature(s) is what was signed"
            draft.passed("ofd-signature-list", f"{CLAUSE}.1", detail)
        elif not broken and any(item.computed and file.path in item.covers for item in later):
            detail = f"{path} has changed; a later signature covers {file.path}"
            draft.passed("ofd-signature-list", f"{CLAUSE}.1", detail)
            draft.warn("ofd-signature-list", detail)
        else:
            detail = f"{path} is not what was signed, and no later signature explains it"
            verdict, code = Verdict.TOTAL_FAILED, "signature-list-changed"
            draft.failed("ofd-signature-list", f"{CLAUSE}.1", detail, verdict, "HASH_FAILURE", code)

    def _later(self, one: _Listed) -> list[_Listed]:
        return [item for item in self.signatures if item.listed is one.listed and item.position > one.position]

    # 5 ----------------------------------------------------------------------------------------------------------------
    def _coverage(self, draft: Draft, one: _Listed) -> None:
        where = f"{CLAUSE}.2.2"
        own = frozenset((one.listed.entries[one.position].path, one.file.value if one.file else ""))
        unreadable = ", ".join(sorted(self.content.unreadable)[:SHOWN])
        if unreadable:
            detail = f"which files the document has is not known: {unreadable} cannot be read"
            draft.unknown("ofd-coverage", where, detail, "SIG_CONSTRAINTS_FAILURE", "not-covered")
        open_files = self.content.files - one.covers - own
        if not open_files:
            if not unreadable:
                draft.passed("ofd-coverage", where, f"{len(self.content.files)} files of the document")
            return
        added = frozenset().union(*(item.covers for item in self._later(one) if item.good))
        names = ", ".join(sorted(open_files)[:SHOWN])
        if open_files <= added:
            draft.passed("ofd-coverage", where, f"a later signature is over {names}")
            draft.warn("not-covered", f"this signature is not over {names}")
        else:
            detail = f"this signature is not over {names}"
            draft.failed("ofd-coverage", where, detail, Verdict.INDETERMINATE, "SIG_CONSTRAINTS_FAILURE", "not-covered")

    def _covered(self) -> dict[str, frozenset[str]]:
        """Return what good signatures are over, by the fingerprint of the signer's certificate."""
        found: dict[str, frozenset[str]] = {}
        for one in self.signatures:
            # a countersignature is over a value, not over files
            for report in (item for item in one.reports if one.good and item.kind != "countersignature"):
                signer = report.signer.fingerprint if report.signer is not None else ""
                found[signer] = found.get(signer, frozenset()) | one.covers
        return found

    def _machinery(self) -> frozenset[str]:
        """Return the files that signatures themselves are made of."""
        found = {listed.path for listed in self.package.lists} | {ENTRIES} | value_of(self.files)
        for one in self.signatures:
            found.add(one.listed.entries[one.position].path)
            if one.file is not None:
                found |= {one.file.value, one.file.seal or one.file.value}
        return frozenset(found)

    # 9 ----------------------------------------------------------------------------------------------------------------
    def _notices(self, machinery: frozenset[str], judged: bool) -> list[Notice]:
        notices = [] if judged else [Notice("container", fault) for fault in self.container.faults]
        named = frozenset().union(*(one.covers for one in self.signatures)) | machinery
        notices += [
            Notice("not-covered", f"no signature covers {name[:200]}")
            for name in sorted(self.files)
            if name not in named
        ]
        listed = {one.listed.entries[one.position].path for one in self.signatures}
        return notices + [
            Notice("signature-not-listed", f"{name[:200]} is a signature file that no list names")
            for name, body in sorted(self.files.items())
            if name not in listed and _is_signature(name, body)
        ]


def _is_signature(name: str, body: bytes) -> bool:
    """Tell whether a file is one of a signature: taken off the list, it is not seen any more."""
    try:
        return b"SignedInfo" in body and bool(read_signature(name, body))
    except MalformedInput:
        return False
