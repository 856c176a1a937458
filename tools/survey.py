"""Sign real PDF files in three national cryptographies, verify them, and say what became of each.

    python tools/survey.py collect FOLDER --clones CLONES     copy the files of the manifest out of git repositories
    python tools/survey.py run FOLDER [--json OUT] [--keep SIGNED]      sign, verify, print a table

The manifest (tests/interop/real_pdfs.json) names public repositories, commits, paths and digests; the files stay
outside this repository. CLONES holds a clone of each repository as OWNER/NAME, made by

    git clone https://github.com/OWNER/NAME CLONES/OWNER/NAME

with its history, since the manifest names older commits. SIGNED gets the signed files, and the roots and revocation
lists of the signers, for other programs to look at.

Every file is signed three times in a row, SM2, GOST R 34.10-2012 and ECDSA, visible and invisible by turns, invisible
where the page is too small for a stamp. A file is

    signed     all three signatures pass, nothing that was signed before got worse, and neither did qpdf's opinion
    refused    with the stable code of an error of ours, the same in all three suites, at the first signature
    failed     anything else: an exception, a refusal halfway, a signature that does not pass
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from certs import suites  # noqa: E402
from certs.ca import ClosedCircle  # noqa: E402
from certs.certificate import Certificate, Subject  # noqa: E402
from certs.clock import FixedClock  # noqa: E402
from certs.crl import CRL  # noqa: E402
from certs.errors import SealroadError  # noqa: E402
from certs.ledger import MemoryLedger  # noqa: E402
from certs.suites.base import PrivateKey  # noqa: E402
from certs.trust import TrustStore  # noqa: E402
from signer.appearance import StampSpec  # noqa: E402
from signer.pades.options import SignOptions  # noqa: E402
from signer.pades.preflight import examine  # noqa: E402
from signer.pades.sign import sign_bytes  # noqa: E402
from signer.report import Report, SignatureReport  # noqa: E402
from signer.verify import verify_bytes  # noqa: E402

MANIFEST = ROOT / "tests" / "interop" / "real_pdfs.json"
CLOCK = FixedClock(datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC))
PARTIES = (
    ("sm2", Subject("王𠮷", organisation="江海贸易有限公司", country="CN"), "zh"),
    ("gost2012-256", Subject("Ёлкин Пётр", country="RU", surname="Ёлкин", given_name="Пётр"), "ru"),
    ("ecdsa-p256", Subject("Jörg Müller", country="DE", surname="Müller", given_name="Jörg"), "en"),
)


MARGIN = 20
"""Points between a stamp and the edge of the page."""
SMALLEST = (60, 24)
"""Points below which no stamp is drawn."""


@dataclass(frozen=True)
class Listed:
    """One line of the manifest."""

    repository: str
    commit: str
    path: str
    sha256: str

    def below(self, folder: Path) -> Path:
        """Return where the file lies in `folder`."""
        return folder / self.repository / self.path


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    file: str
    word: str
    """signed, refused or failed."""
    code: str = ""
    """Code of the refusal, or the kind of failure."""
    detail: str = ""
    seconds: float = 0.0
    octets: int = 0


@dataclass(frozen=True)
class Party:
    """Somebody who signs."""

    suite: str
    key: PrivateKey
    certificate: Certificate
    circle: ClosedCircle
    locale: str


def listed(manifest: Path = MANIFEST) -> list[Listed]:
    """Return the lines of the manifest."""
    repositories = json.loads(manifest.read_text())["repositories"]
    return [
        Listed(repository, entry["commit"], file["path"], file["sha256"])
        for repository, entry in repositories.items()
        for file in entry["files"]
    ]


@cache
def parties() -> tuple[Party, ...]:
    """Return the three who sign, each with an authority of the own suite."""
    out = []
    for name, subject, locale in PARTIES:
        circle = ClosedCircle.create(
            name, organisation="Survey", country=subject.country or "DE", clock=CLOCK, ledger=MemoryLedger()
        )
        key = suites.get(name).generate()
        out.append(Party(name, key, circle.issue("person", subject, key.public_key.spki), circle, locale))
    return tuple(out)


@cache
def trust() -> TrustStore:
    """Return the three roots and their lists."""
    store = TrustStore()
    for party in parties():
        lists = (CRL(party.circle.crl()), CRL(party.circle.root_crl()))
        store = store.with_((party.circle.root,), lists)
    return store


class Failure(Exception):
    """Something that must not happen; the first argument is its kind."""


def sign_all(data: bytes, turn: int) -> tuple[bytes, list[str]]:
    """Return `data` with three more signatures, and the names of their fields.

    Raises SealroadError for a refusal at the first signature, Failure for one later.
    """
    fields = []
    for number, party in enumerate(parties()):
        fields.append(f"Survey{number + 1}")
        try:
            signed = sign_once(data, party, fields[-1], number if (turn + number) % 2 == 0 else None)
        except SealroadError as error:
            if number:
                raise Failure("refused-later", f"{party.suite}: {error.code}: {error}") from error
            same_refusal(data, error)
            raise
        if not signed.startswith(data):
            raise Failure("not-incremental", party.suite)
        data = signed
    return data, fields


def sign_once(data: bytes, party: Party, field: str, place: int | None) -> bytes:
    """Return `data` with the signature of one party, visible in the `place`-th third of page 1 where that is large."""
    box = stamp_box(data, place) if place is not None else None
    stamp = StampSpec(name=party.certificate.common_name or "", time=CLOCK.now(), locale=party.locale)
    options = SignOptions(
        field=field,
        page=1 if box else None,
        box=box,
        appearance=stamp if box else None,
        locale=party.locale,
    )
    return sign_bytes(data, party.key, party.certificate, party.circle.chain, options, CLOCK)


def stamp_box(data: bytes, place: int) -> tuple[float, float, float, float] | None:
    """Return where the `place`-th stamp goes at the foot of page 1, or None where the page is too small."""
    page_width, page_height = examine(data, SignOptions()).geometry.size
    third = (page_width - 2 * MARGIN) / len(PARTIES)
    width, height = min(150, third - MARGIN / 2), min(60, page_height - 2 * MARGIN)
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return None
    left = MARGIN + place * third
    return (left, MARGIN, left + width, MARGIN + height)


def same_refusal(data: bytes, error: SealroadError) -> None:
    """Raise Failure unless the other suites refuse the file with the same code and reason."""
    for party in parties()[1:]:
        try:
            sign_once(data, party, "Survey1", None)
        except SealroadError as other:
            if (other.code, str(other)) == (error.code, str(error)):
                continue
        raise Failure("refused-by-one-suite", f"{party.suite} does not say: {error.code}: {error}")


def verdicts(report: Report) -> dict[str, SignatureReport]:
    """Return the signatures of a report by field."""
    return {str(signature.field): signature for signature in report.signatures}


def check(before: bytes, after: bytes, fields: list[str]) -> None:
    """Raise Failure unless the three new signatures pass and no old one got worse."""
    report = verify_bytes(after, name="after.pdf", trust=trust(), clock=CLOCK)
    found = verdicts(report)
    for field, party in zip(fields, parties(), strict=True):
        signature = found.get(field)
        if signature is None:
            raise Failure("not-listed", field)
        if signature.verdict != "TOTAL-PASSED" or signature.suite != party.suite:
            first = next((item for item in signature.checks if item.result != "passed"), None)
            raise Failure("does-not-pass", f"{party.suite} {signature.verdict} {signature.sub_indication} {first}")
    old = verdicts(verify_bytes(before, name="before.pdf", trust=trust(), clock=CLOCK))
    for field, signature in old.items():
        now = found.get(field)
        if now is None or (now.verdict, now.sub_indication) != (signature.verdict, signature.sub_indication):
            raise Failure("old-signature", f"{field}: {signature.verdict} became {now and now.verdict}")


def qpdf(data: bytes) -> tuple[int, str]:
    """Return what qpdf --check says: 0 clean, 3 warnings, 2 errors."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(data)
        file.flush()
        done = subprocess.run(["qpdf", "--check", file.name], capture_output=True, check=False)
        return {0: 0, 3: 1}.get(done.returncode, 2), (done.stdout + done.stderr).decode(errors="replace")


def survey_one(name: str, data: bytes, turn: int, keep: Path | None = None) -> Outcome:
    """Sign and verify one file; write what was signed below `keep`."""
    start = time.perf_counter()

    def outcome(word: str, code: str = "", detail: str = "") -> Outcome:
        return Outcome(name, word, code, detail, round(time.perf_counter() - start, 3), len(data))

    try:
        signed, fields = sign_all(data, turn)
        if keep is not None:
            (keep / name).parent.mkdir(parents=True, exist_ok=True)
            (keep / name).write_bytes(signed)
        check(data, signed, fields)
        before, after = qpdf(data), qpdf(signed)
        if after[0] > before[0]:
            raise Failure("qpdf-worse", after[1][-400:])
    except SealroadError as error:
        return outcome("refused", error.code, str(error))
    except Failure as failure:
        return outcome("failed", failure.args[0], str(failure.args[1]))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return outcome("failed", "exception", f"{type(error).__name__}: {error} ({place})")
    return outcome("signed")


def survey(folder: Path, files: list[Listed], first: int = 0, keep: Path | None = None) -> Iterator[Outcome]:
    """Sign and verify `files` of the manifest; a missing or changed file is a failure. `first` sets who is visible."""
    for turn, entry in enumerate(files, first):
        try:
            data = entry.below(folder).read_bytes()
        except OSError as error:
            yield Outcome(f"{entry.repository}/{entry.path}", "failed", "missing", str(error))
            continue
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            yield Outcome(f"{entry.repository}/{entry.path}", "failed", "changed", "not the file of the manifest")
            continue
        yield survey_one(f"{entry.repository}/{entry.path}", data, turn, keep)


def table(outcomes: list[Outcome]) -> str:
    """Return how many files met which end, with codes and reasons counted; numbers and names of one file left out."""
    lines = [f"{len(outcomes)} files, {sum(item.seconds for item in outcomes):.0f} s"]
    words = collections.Counter(item.word for item in outcomes)
    for word in ("signed", "refused", "failed"):
        what = f"  each in {', '.join(name for name, _, _ in PARTIES)}" if word == "signed" else ""
        lines.append(f"{word:8} {words[word]:4}{what}")
        mine = [item for item in outcomes if item.word == word and item.code]
        for code, number in collections.Counter(item.code for item in mine).most_common():
            lines.append(f"    {number:4}  {code}")
            reasons = collections.Counter(_kind(item.detail) for item in mine if item.code == code)
            lines += [f"          {count:4}  {reason}" for reason, count in reasons.most_common()]
    return "\n".join(lines)


def _kind(detail: str) -> str:
    """Return a reason without what is peculiar to one file."""
    return re.sub(r"\b\d+\b", "N", re.sub(r"'[^']*'", "…", detail))[:110]


def collect(folder: Path, clones: Path, files: list[Listed]) -> int:
    """Copy every file out of the clones; return how many could not be had."""
    missed = 0
    for entry in files:
        owner, name = entry.repository.split("/")[-2:]
        place = clones / owner / name
        command = ["git", "-C", str(place), "show", f"{entry.commit}:{entry.path}"]
        done = subprocess.run(command, capture_output=True, check=False) if place.is_dir() else None
        why = ""
        if done is None:
            why = f"there is no clone in {place}"
        elif done.returncode:
            why = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        elif hashlib.sha256(done.stdout).hexdigest() != entry.sha256:
            why = "its digest is not the manifest's"
        if done is None or why:
            print(f"not found: {entry.repository} {entry.commit} {entry.path}: {why}", file=sys.stderr)
            missed += 1
            continue
        target = entry.below(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(done.stdout)
    return missed


def keep_trust(folder: Path) -> None:
    """Write the root and the two revocation lists of every signer to `folder`/trust."""
    (folder / "trust").mkdir(parents=True, exist_ok=True)
    for party in parties():
        circle = party.circle
        (folder / "trust" / f"{party.suite}.pem").write_text(circle.root.pem)
        for name, encoded in (("issuing", circle.crl()), ("root", circle.root_crl())):
            (folder / "trust" / f"{party.suite}-{name}.crl").write_bytes(encoded)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("action", choices=["collect", "run"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clones", type=Path, help="holds OWNER/NAME, a clone of each repository")
    parser.add_argument("--manifest", type=Path, default=MANIFEST)
    parser.add_argument("--json", type=Path, help="write every outcome to this file")
    parser.add_argument("--keep", type=Path, help="write the signed files, roots and lists below this folder")
    arguments = parser.parse_args()
    files = listed(arguments.manifest)
    if arguments.action == "collect":
        if arguments.clones is None:
            parser.error("collect needs --clones")
        return 1 if collect(arguments.folder, arguments.clones, files) else 0
    if shutil.which("qpdf") is None:
        parser.error("qpdf is missing: apt-get install qpdf")
    if arguments.keep:
        keep_trust(arguments.keep)
    outcomes = []
    for outcome in survey(arguments.folder, files, keep=arguments.keep):
        outcomes.append(outcome)
        if outcome.word == "failed":
            print(f"failed: {outcome.file}: {outcome.code}: {outcome.detail}", file=sys.stderr)
    print(table(outcomes))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(item) for item in outcomes], indent=1, ensure_ascii=False) + "\n")
    return 1 if any(item.word == "failed" for item in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
