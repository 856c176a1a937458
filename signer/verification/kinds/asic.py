"""ASiC containers (ETSI EN 319 162-1): every signature and time-stamp, over what, and which files nobody signed.

ASiC-S holds one file and a signature or time-stamp over it; ASiC-E a manifest for each signature, which names files by
their digests (`kinds.asic_manifest`). The steps:

 1. the ZIP is read so that no other reader sees other files                                     kinds.asic_zip
 2. everything in META-INF that signs is listed: .p7s, .tst, XML signatures, evidence records
 3. what each is over: its manifest, or the one file; every digest in the manifest is computed
 4. time-stamps, the latest first: what they cover is proven to be as old (EN 319 102-1 5.6.2.3)
 5. signatures, as in any other file                                                             kinds.cms
 6. files that no signature or time-stamp with a good verdict covers are named

XML signatures and evidence records are not verified here; they are listed as INDETERMINATE. A signature may leave files
out: that is said, and decides nothing about the signature.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hmac import compare_digest

from certs.errors import CertsError
from certs.signed_data import parse_signed_data
from certs.suites.policy import digest_is_good
from certs.timestamp import TimeStampToken, read_token
from signer.errors import UnreadableFile
from signer.report import Notice, SignatureReport, Verdict
from signer.verification.cms import Octets
from signer.verification.draft import Draft, why
from signer.verification.kinds import Found
from signer.verification.kinds.asic_manifest import Manifest, read_manifest
from signer.verification.kinds.asic_zip import (
    ASIC_E,
    ASIC_S,
    MIMETYPE,
    Container,
    LimitExceeded,
    looks_like_zip,
    names_in,
    read_container,
)
from signer.verification.kinds.cms import verify_cms_file
from signer.verification.kinds.referenced import References
from signer.verification.kinds.timestamp import judge_file
from signer.verification.poe import covered_by, proofs_of
from signer.verification.setting import Setting

CLAUSE = "EN 319 162-1"
REFERENCES = References("data-object", f"{CLAUSE} A.4", "container")
SIGNERS = re.compile(r"META-INF/[^/]*signature[^/]*\.p7[sm]\Z", re.IGNORECASE)
STAMPS = re.compile(r"META-INF/[^/]*timestamp[^/]*\.tst\Z", re.IGNORECASE)
XML = re.compile(r"META-INF/[^/]*signatures[^/]*\.xml\Z", re.IGNORECASE)
RECORDS = re.compile(r"META-INF/[^/]*evidencerecord[^/]*\.(ers|xml)\Z", re.IGNORECASE)
MANIFESTS = re.compile(r"META-INF/[^/]*(ASiCManifest|ASiCArchiveManifest)[^/]*\.xml\Z", re.IGNORECASE)
MAX_SIGNATURES = 200
"""Of all files of a container; each file is hashed once per algorithm, however many manifests name it."""


def looks_like(data: bytes) -> bool:
    """Tell whether a ZIP says it is an ASiC container, or has signatures where such a container has them."""
    archive = looks_like_zip(data)
    if archive is None:
        return False
    names = names_in(archive)
    if any(pattern.match(name) for name in names for pattern in (SIGNERS, STAMPS, XML, RECORDS)):
        return True
    said = archive.comment[:100].removeprefix(b"mimetype=")
    where = data[30:200] if names[:1] == [MIMETYPE] else b""
    return any(kind.encode() in text for kind in (ASIC_S, ASIC_E) for text in (said, where))


def verify(data: bytes, content: bytes | None, setting: Setting) -> Found:
    """Verify everything in the container that signs. Raises UnreadableFile."""
    del content
    try:
        container = read_container(data)
        return _Asic(container, setting).found()
    except LimitExceeded as error:
        return Found((_unlisted(str(error), "limits"),))
    except UnreadableFile:
        raise
    except Exception as error:  # noqa: BLE001 - the file's own try
        return Found((_unlisted(*why(error)),))


def _unlisted(detail: str, code: str) -> SignatureReport:
    draft = Draft(field="")
    draft.unknown("container", CLAUSE, f"the container cannot be looked through: {detail}", "GENERIC", code)
    return draft.report()


@dataclass(frozen=True)
class _Subject:
    """What a signature or time-stamp is over."""

    source: Octets | None
    """None where it cannot be told."""
    covered: tuple[str, ...] = ()
    """Files that it covers, if its verdict is good."""
    record: Callable[[Draft], None] = lambda _: None
    """Records the checks of the manifest and the container."""


class _Asic:
    """One container."""

    def __init__(self, container: Container, setting: Setting) -> None:
        self.files, self.container, self.setting = container.files, container, setting
        self.notices = [Notice("container", remark) for remark in container.remarks]
        self.sources = {name: Octets(body) for name, body in self.files.items()}
        self.manifests: dict[str, list[Manifest]] = {}
        for name in filter(MANIFESTS.match, self.files):
            try:
                manifest = read_manifest(name, self.files[name])
            except CertsError as error:
                self.notices.append(Notice("manifest-unreadable", f"{name}: {error}"))
                continue
            self.manifests.setdefault(manifest.signature, []).append(manifest)
        self.data = [name for name in self.files if name != MIMETYPE and not name.startswith("META-INF/")]

    # 2 ----------------------------------------------------------------------------------------------------------------
    def found(self) -> Found:
        """Return a report for everything that signs, and the files that nothing covers."""
        listed = sorted(self.files)
        stamps = [name for name in listed if STAMPS.match(name)]
        signers = [name for name in listed if SIGNERS.match(name)]
        others = [name for name in listed if XML.match(name) or RECORDS.match(name)]
        if len(stamps) + len(signers) + len(others) > MAX_SIGNATURES:
            raise LimitExceeded(f"more than {MAX_SIGNATURES} signatures")
        covered: set[str] = set()
        reports = [self._stamp(name, covered) for name in self._latest_first(stamps)]
        reports.sort(key=lambda report: report.field)
        for name in signers:
            reports += self._signature(name, covered)
            if len(reports) > MAX_SIGNATURES:
                raise LimitExceeded(f"more than {MAX_SIGNATURES} signatures")
        reports += map(self._unsupported, others)
        if self.container.faults and not reports:
            self.notices += [Notice("container", fault) for fault in self.container.faults]
        self._not_covered(covered)
        return Found(tuple(reports), tuple(self.notices))

    def _unsupported(self, name: str) -> SignatureReport:
        record = bool(RECORDS.match(name))
        draft = Draft(field=name, kind="evidence-record" if record else "signature")
        what = "an evidence record" if record else "an XML signature"
        draft.unknown("signature-format", CLAUSE, f"{what} is not supported", "GENERIC", "unsupported-subfilter")
        return draft.report()

    # 3 ----------------------------------------------------------------------------------------------------------------
    def _subject(self, name: str) -> _Subject:
        """Say what a file in META-INF is over: its manifest (EN 319 162-1 4.4), or the one file of an ASiC-S (4.3)."""
        manifests = self.manifests.get(name, [])

        def record(draft: Draft) -> None:
            for fault in self.container.faults:
                draft.failed("container", f"{CLAUSE} A.1", fault, Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
            if len(manifests) > 1:
                detail = f"{len(manifests)} manifests for one signature"
                draft.failed("manifest", f"{CLAUSE} A.4", detail, Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
            elif manifests:
                self._references(draft, manifests[0])
            elif len(self.data) == 1:
                draft.passed("manifest", f"{CLAUSE} 4.3.3", f"over {self.data[0]}")
            else:
                detail = f"no manifest says which of {len(self.data)} files it is over"
                draft.unknown("manifest", f"{CLAUSE} A.4", detail, "SIGNED_DATA_NOT_FOUND")

        if len(manifests) == 1:
            names = tuple(reference.name for reference in manifests[0].references)
            return _Subject(self.sources[manifests[0].name], names, record)
        if manifests or len(self.data) != 1:
            return _Subject(None, (), record)
        return _Subject(self.sources[self.data[0]], (self.data[0],), record)

    def _references(self, draft: Draft, manifest: Manifest) -> None:
        """Compute every digest of a manifest (EN 319 162-1 A.4, clause 5.3 of its validation)."""
        check, clause = REFERENCES.check, REFERENCES.clause
        for reference in manifest.references:
            source = self.sources.get(reference.name)
            digest = REFERENCES.digest(draft, reference.name, source, reference.digest_name, reference.algorithm)
            if digest is None or reference.digest_name is None:
                continue
            if not compare_digest(digest, reference.digest):
                REFERENCES.differs(draft, reference.name)
            elif not digest_is_good(reference.digest_name, self.setting.now):
                detail = f"{reference.name}: the digest {reference.digest_name} is no longer good enough"
                draft.failed(check, clause, detail, Verdict.INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE")
            else:
                draft.passed(check, clause, reference.name, reference.digest_name)
        named = {reference.name for reference in manifest.references}
        left_out = [name for name in self.data if name not in named]
        if left_out and not manifest.is_archive:
            draft.warn("not-covered", f"this signature is not over {', '.join(left_out[:20])}")

    # 4 ----------------------------------------------------------------------------------------------------------------
    def _latest_first(self, names: list[str]) -> list[str]:
        moments = {name: token.gen_time for name in names if (token := self._token(name)) is not None}
        return sorted(names, key=lambda name: (name in moments, moments.get(name)), reverse=True)

    def _token(self, name: str) -> TimeStampToken | None:
        try:
            return read_token(self.files[name])
        except CertsError:
            return None

    def _stamp(self, name: str, covered: set[str]) -> SignatureReport:
        subject = self._subject(name)
        draft = Draft(field=name, kind="timestamp")
        with draft.guarded():
            try:
                subject.record(draft)
                if subject.source is not None:
                    judge_file(draft, self.files[name], subject.source, self.setting)
            except CertsError as error:
                draft.unknown("cms", CLAUSE, f"{error.code}: {error.message}", "GENERIC")
        token = self._token(name)
        if draft.verdict is Verdict.TOTAL_PASSED and token is not None:
            covered.update(subject.covered)
            proofs = proofs_of(self.setting)
            objects = [octets for inside in subject.covered for octets in self._inside(inside)]
            self.setting = replace(self.setting, proofs=proofs.with_(objects, token.gen_time))
        return draft.report()

    def _inside(self, name: str) -> Iterator[bytes]:
        """Yield the objects in a signature or time-stamp that a time-stamp of the container covers."""
        try:
            if SIGNERS.match(name) or STAMPS.match(name):
                yield from covered_by(parse_signed_data(self.files[name]))
        except CertsError:
            return

    # 5 ----------------------------------------------------------------------------------------------------------------
    def _signature(self, name: str, covered: set[str]) -> list[SignatureReport]:
        subject = self._subject(name)
        if subject.source is None:
            draft = Draft(field=name)
            subject.record(draft)
            return [draft.report()]
        reports = verify_cms_file(self.files[name], subject.source, self.setting, name=name, before=subject.record)
        if any(report.verdict is Verdict.TOTAL_PASSED and report.kind == "signature" for report in reports):
            covered.update(subject.covered)
        return reports

    # 6 ----------------------------------------------------------------------------------------------------------------
    def _not_covered(self, covered: set[str]) -> None:
        """Name what nothing good covers; what belongs to the container itself needs no cover."""
        for name in self.files:
            own = name == MIMETYPE or any(pattern.match(name) for pattern in (SIGNERS, STAMPS, XML, RECORDS, MANIFESTS))
            if not own and name not in covered:
                self.notices.append(Notice("not-covered", f"no good signature covers {name[:200]}"))
