"""Signing takes no conformance away: PDF/A and PDF/UA files pass veraPDF after every signature of ours.

Every conformant file is signed invisibly and visibly with ECDSA, and one file of each profile in SM2 and GOST as well,
at B-T, as a certification and by three parties. One start of the Java machine judges all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from certs.errors import SealroadError
from signer.appearance import StampSpec
from signer.errors import OptionError
from signer.pades.options import SignOptions
from signer.pades.sign import sign_bytes
from tests.conftest import CLOCK, NOW, circle_of
from tests.interop.programs import verapdf

pytestmark = [pytest.mark.interop, pytest.mark.corpus]

NO_ROOM = frozenset({"2b_6-1-13-t09-pass-a"})
"""Files whose page has 4 × 4 points: a stamp beside it is refused, as a test here says."""
LOCALES = {"sm2": "zh", "gost2012-256": "ru", "ecdsa-p256": "en"}


@dataclass(frozen=True)
class Case:
    """One conformant file signed in one way."""

    source: Path
    suite: str
    visible: bool
    more: str = ""

    @property
    def flavour(self) -> str:
        """The profile, which the files' names begin with."""
        return self.source.name.partition("_")[0]

    @property
    def name(self) -> str:
        return "-".join(
            filter(None, (self.source.stem, self.suite, "visible" if self.visible else "invisible", self.more))
        )


def cases(folder: Path) -> Iterator[Case]:
    """Return what is signed and how."""
    seen: set[str] = set()
    for source in sorted(folder.glob("*.pdf")):
        for visible in (False, True) if source.stem not in NO_ROOM else (False,):
            yield Case(source, "ecdsa-p256", visible)
            if source.name.partition("_")[0] in seen:
                continue
            yield Case(source, "sm2", visible)
            yield Case(source, "gost2012-256", visible, "B-T")
            yield Case(source, "ecdsa-p256", visible, "certified")
            yield Case(source, "ecdsa-p256", visible, "three")
        seen.add(source.name.partition("_")[0])


def options_of(case: Case, number: int) -> SignOptions:
    holder = circle_of(case.suite).person
    stamp = StampSpec(name=holder.certificate.common_name or "", time=NOW, locale=LOCALES[case.suite])
    return SignOptions(
        field=f"Party{number}",
        page=1 if case.visible else None,
        box=(40, 40 + 70 * number, 220, 100 + 70 * number) if case.visible else None,
        appearance=stamp if case.visible else None,
        level="B-T" if case.more == "B-T" else "B-B",
        certify=2 if case.more == "certified" else None,
        locale=LOCALES[case.suite],
    )


def sign(case: Case) -> bytes:
    """Return the file, signed; "three" means by three parties one after the other."""
    data = case.source.read_bytes()
    for number, suite in enumerate(LOCALES if case.more == "three" else (case.suite,)):
        turn = Case(case.source, suite, case.visible, case.more)
        circle = circle_of(suite)
        person, options = circle.person, options_of(turn, number)
        stamper = circle.timestamper if case.more == "B-T" else None
        data = sign_bytes(data, person.key, person.certificate, (circle.issuing,), options, CLOCK, timestamper=stamper)
    return data


@pytest.fixture(scope="module")
def broken(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Signed file, or source, to what is wrong with it; the empty string where nothing is."""
    vera = verapdf()
    folder = tmp_path_factory.mktemp("verapdf")
    out: dict[str, str] = {}
    sources = sorted((corpus / "pdf" / "conformant").glob("*.pdf"))
    lines = [f"{source.name.partition('_')[0]}\t{source}\n" for source in sources]
    for case in cases(corpus / "pdf" / "conformant"):
        try:
            signed = sign(case)
        except SealroadError as error:
            out[case.name] = f"refused: {error.code}: {error}"
            continue
        target = folder / f"{case.name}.pdf"
        target.write_bytes(signed)
        lines.append(f"{case.flavour}\t{target}\n")
    jobs = folder / "jobs.tsv"
    jobs.write_text("".join(lines))
    for line in vera.run(jobs).check().output.decode().splitlines():
        word, _, file, *rules = line.split("\t")
        out[Path(file).stem] = "" if word == "ok" else f"breaks {' '.join(rules)}"
    return out


def test_a_stamp_beside_a_tiny_page_is_refused(corpus: Path) -> None:
    for name in NO_ROOM:
        source = corpus / "pdf" / "conformant" / f"{name}.pdf"
        with pytest.raises(OptionError, match="not on the page"):
            sign(Case(source, "ecdsa-p256", visible=True))


def test_the_files_conform_before_signing(broken: dict[str, str], corpus: Path) -> None:
    sources = [source.stem for source in (corpus / "pdf" / "conformant").glob("*.pdf")]
    assert sources
    assert {name: broken[name] for name in sources if broken[name]} == {}


@pytest.mark.parametrize("visible", [False, True], ids=["invisible", "visible"])
@pytest.mark.parametrize("profile", ["1b", "2a", "2b", "2u", "3b", "4", "ua1", "ua2"])
def test_every_conformant_file_still_conforms_after_signing(
    profile: str, visible: bool, broken: dict[str, str], corpus: Path
) -> None:
    mine = [case for case in cases(corpus / "pdf" / "conformant") if (case.flavour, case.visible) == (profile, visible)]
    assert mine
    assert {case.name: broken[case.name] for case in mine if broken[case.name]} == {}


def test_our_reports_are_made_for_keeping(tmp_path: Path) -> None:
    """A report as PDF is PDF/A-2u, in every language, with pictures and letters no font has."""
    from signer.text import LANGUAGES, pdf
    from signer.text.pictures import pictures_of
    from tests.signer.test_report_pages import visible

    data, made = visible(page=1)
    odd = replace(made, file="عقد 𠮷.pdf")
    jobs = []
    for lang in LANGUAGES:
        target = tmp_path / f"{lang}.pdf"
        target.write_bytes(pdf.document([(made, pictures_of(made, data)), (odd, ())], lang, checks=True))
        jobs.append(f"2u\t{target}\n")
    (tmp_path / "jobs.tsv").write_text("".join(jobs))
    lines = verapdf().run(tmp_path / "jobs.tsv").check().output.decode().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["ok"] * len(LANGUAGES), lines
