"""`sealroad demo`: what it prints and leaves when it works, and that it leaves nothing when it does not."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from api.demo import cast
from api.demo.directory import AUTHORITIES, MARKER, NAMES, Directory
from api.demo.story import Story, width
from api.errors import ConfigurationError
from certs.identifiers import Identifier
from tests.conftest import make_pdf

SUITES = ["sm2", "gost2012-256", "ecdsa-p256"]


def sealroad(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "api.cli", *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(cwd), **more},
    )


@dataclass(frozen=True)
class Played:
    """A demo that was played once for all tests that only look at it."""

    cwd: Path
    done: subprocess.CompletedProcess[str]

    @property
    def directory(self) -> Path:
        return self.cwd / "demo"

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.directory / "report.json").read_text("utf-8"))
        return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    cwd = tmp_path_factory.mktemp("played")
    return Played(cwd, sealroad("demo", cwd=cwd))


def files_in(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir())


# a demo that works ---------------------------------------------------------------------------------------------


def test_it_ends_well_and_leaves_its_files_and_nothing_else(played: Played) -> None:
    assert (played.done.returncode, played.done.stderr) == (0, "")
    assert files_in(played.cwd) == sorted(f"demo/{name}" for name in (*NAMES, MARKER))
    assert (played.directory / "carrier" / "key.pem").stat().st_mode & 0o777 == 0o600


def test_the_report_has_the_three_signatures_in_order(played: Played) -> None:
    report = played.report
    assert (report["schema"], report["file"], report["verdict"]) == (
        "sealroad.report/1",
        "contract.signed.pdf",
        "TOTAL-PASSED",
    )
    signatures = report["signatures"]
    assert [signature["suite"] for signature in signatures] == SUITES
    assert [signature["signer"]["common_name"] for signature in signatures] == [each.signatory for each in cast.CAST]
    assert {signature["level"] for signature in signatures} == {"B-T"}
    assert {signature["signed_at"]["source"] for signature in signatures} == {"timestamp"}
    assert [signature["revision"]["covers_whole_file"] for signature in signatures] == [False, False, True]
    for signature in signatures:
        assert {identifier["checksum_ok"] for identifier in signature["signer"]["identifiers"]} == {True}


def test_every_party_has_a_root_of_its_own(played: Played) -> None:
    from certs.trust import TrustStore

    issuers = [signature["signer"]["issuer"] for signature in played.report["signatures"]]
    roots = [TrustStore.load([played.directory / name]).anchors[0] for name in AUTHORITIES.values()]
    assert [root.suite_name for root in roots] == [*SUITES, "ecdsa-p256"]
    for issuer, root in zip(issuers, roots, strict=False):
        assert root.subject.replace("Root", "Issuing") == issuer
    assert "(demo)" in issuers[2]  # the carrier's own, not the service's


def test_the_signed_file_is_the_contract_with_three_visible_signatures(played: Played) -> None:
    before = (played.directory / "contract.pdf").read_bytes()
    signed = (played.directory / "contract.signed.pdf").read_bytes()
    assert signed.startswith(before)
    with pikepdf.open(io.BytesIO(signed)) as pdf:
        fields = list(pdf.Root.AcroForm.Fields)
        assert len(fields) == 3
        last = pdf.pages[-1]
        boxes = [[float(edge) for edge in annotation.Rect] for annotation in last.Annots]
        assert all(x2 - x1 > 200 and y2 - y1 > 80 for x1, y1, x2, y2 in boxes)
        assert all("/N" in annotation.AP for annotation in last.Annots)
        assert len({tuple(box) for box in boxes}) == 3


def test_the_story_is_short_plain_and_honest(played: Played) -> None:
    story = played.done.stdout
    lines = story.splitlines()
    assert len(lines) <= 26
    assert max(map(width, lines)) <= 100
    assert all(char.isprintable() for line in lines for char in line)
    for company in cast.CAST:
        assert company.organisation in story
        assert company.signatory in story
    assert "not qualified" in story
    assert "legally" not in story


def test_the_command_of_the_story_verifies_again(played: Played) -> None:
    command = next(line for line in played.done.stdout.splitlines() if line.startswith("Verify it again"))
    words = command.partition(":")[2].split()
    assert words[0] == "sealroad"
    done = sealroad(*words[1:], cwd=played.cwd)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("✓ passed") == 3


def test_the_moment_of_the_story_still_verifies_when_the_lists_have_run_out(played: Played) -> None:
    line = next(line for line in played.done.stdout.splitlines() if "--at" in line)
    words = ["verify", "demo/contract.signed.pdf", "--trust", "demo", "--at"]
    assert sealroad(*words, line.split()[-1], cwd=played.cwd).returncode == 0
    assert sealroad(*words, f"{line.split()[1]}T23:59:59Z", cwd=played.cwd).returncode == 3


@pytest.mark.parametrize("which", range(3))
def test_one_root_less_is_one_signature_less(played: Played, tmp_path: Path, which: int) -> None:
    name = [*AUTHORITIES.values()][which]
    trust = [played.directory / other for other in AUTHORITIES.values() if other != name]
    words = [word for path in (*trust, played.directory / "crl") for word in ("--trust", str(path))]
    done = sealroad("verify", str(played.directory / "contract.signed.pdf"), *words, "--format", "json", cwd=tmp_path)
    assert done.returncode == 3
    verdicts = [signature["verdict"] for signature in json.loads(done.stdout)["signatures"]]
    assert [index for index, verdict in enumerate(verdicts) if verdict != "TOTAL-PASSED"] == [which]


def test_a_changed_octet_is_found(played: Played, tmp_path: Path) -> None:
    data = bytearray((played.directory / "contract.signed.pdf").read_bytes())
    data[data.index(b"stream") + 30] ^= 1
    (tmp_path / "forged.pdf").write_bytes(data)
    done = sealroad("verify", "forged.pdf", "--trust", str(played.directory), "--offline", cwd=tmp_path)
    assert done.returncode == 1
    assert "TOTAL-FAILED" in done.stdout


def test_the_evidence_tells_who_agreed_to_what(played: Played) -> None:
    evidence = json.loads((played.directory / "evidence.json").read_text("utf-8"))
    assert evidence["contract"]["state"] == "completed"
    assert [item["consent"]["text"] for item in evidence["signatures"]] == [each.consent for each in cast.CAST]
    assert [party["key_holder"] for party in evidence["contract"]["parties"]] == ["service", "service", "party"]
    key = (played.directory / "carrier" / "key.pem").read_text("ascii").splitlines()[1]
    assert key not in (played.directory / "evidence.json").read_text("utf-8")


def test_again_with_json_and_other_files_in_the_directory(played: Played, tmp_path: Path) -> None:
    """A second demo replaces the first one's files, spoilt or not, and leaves others alone."""
    shutil.copytree(played.directory, tmp_path / "demo")
    signed = tmp_path / "demo" / "contract.signed.pdf"
    signed.write_bytes(b"spoilt")
    (tmp_path / "demo" / "notes.txt").write_text("mine")
    (tmp_path / "demo" / "crl" / "other.crl").write_text("mine too")
    again = sealroad("demo", "--json", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert (tmp_path / "demo" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "demo" / "crl" / "other.crl").read_text() == "mine too"
    facts = json.loads(again.stdout)
    assert (facts["schema"], facts["verdict"], facts["exit_code"]) == ("sealroad.demo/1", "TOTAL-PASSED", 0)
    assert [party["suite"] for party in facts["parties"]] == SUITES
    assert [party["key_holder"] for party in facts["parties"]] == ["service", "service", "party"]
    for name in (*facts["files"].values(), *facts["authorities"].values()):
        assert (tmp_path / name).is_file()
    assert (tmp_path / facts["files"]["signed_contract"]).read_bytes().startswith(b"%PDF-")
    assert "not qualified" in facts["notice"]


def test_a_contract_of_your_own_stays_as_it_is(tmp_path: Path) -> None:
    given = tmp_path / "Договор 合同.pdf"
    given.write_bytes(make_pdf("Our own contract"))
    done = sealroad("demo", "--dir", "out/here", "--contract", given.name, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    directory = tmp_path / "out" / "here"
    assert (directory / "contract.pdf").read_bytes() == given.read_bytes()
    assert (directory / "contract.signed.pdf").read_bytes().startswith(given.read_bytes())
    assert "without visible stamps" in done.stdout
    report = json.loads((directory / "report.json").read_text("utf-8"))
    assert [signature["suite"] for signature in report["signatures"]] == SUITES


# a demo that does not ------------------------------------------------------------------------------------------


def encrypted_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(make_pdf())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(encrypted_pdf(), "encrypted", id="encrypted"),
        pytest.param(b"not a PDF", "not a PDF", id="not a PDF", marks=pytest.mark.long),
        pytest.param(make_pdf()[:-200], "damaged", id="cut", marks=pytest.mark.long),
        pytest.param(None, "read", id="missing"),
    ],
)
def test_a_contract_that_cannot_be_signed_leaves_nothing(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "given.pdf").write_bytes(content)
    before = sorted(tmp_path.iterdir())
    done = sealroad("demo", "--dir", "new/demo", "--contract", "given.pdf", cwd=tmp_path)
    assert done.returncode == 2
    message, hint = done.stderr.splitlines()
    assert message.startswith("sealroad: ")
    assert "given.pdf" in message
    assert said in message
    assert hint.startswith("hint: ")
    assert sorted(tmp_path.iterdir()) == before


def test_a_failure_leaves_an_earlier_demo_as_it_was(played: Played) -> None:
    before = {name: (played.cwd / name).read_bytes() for name in files_in(played.cwd)}
    assert sealroad("demo", "--contract", str(Path(__file__)), cwd=played.cwd).returncode == 2
    assert {name: (played.cwd / name).read_bytes() for name in files_in(played.cwd)} == before


@pytest.mark.parametrize("name", ["contract.signed.pdf", "crl", "crl/seller-root.crl", "report.json/"])
def test_what_is_not_ours_is_not_overwritten(tmp_path: Path, name: str) -> None:
    path = tmp_path / "demo" / name
    if name.endswith("/"):
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(parents=True)
        path.write_text("mine")
    before = files_in(tmp_path)
    done = sealroad("demo", cwd=tmp_path)
    assert done.returncode == 2
    assert str(Path("demo") / name) in done.stderr
    assert "hint: choose another directory with --dir" in done.stderr
    assert files_in(tmp_path) == before


def test_an_input_is_not_overwritten(tmp_path: Path) -> None:
    contract = tmp_path / "contract.pdf"
    contract.write_bytes(b"%PDF-")
    with pytest.raises(ConfigurationError, match="would overwrite"):
        Directory(tmp_path).check(contract)
    with pytest.raises(ConfigurationError, match="is a file"):
        Directory(contract).check()


@pytest.mark.parametrize("record", ["[]", "{", '{"schema": "sealroad.demo-files/1", "files": ["../x", 7, "notes"]}'])
def test_a_strange_marker_makes_nothing_ours(tmp_path: Path, record: str) -> None:
    (tmp_path / MARKER).write_text(record)
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"report\.html is there already"):
        Directory(tmp_path).check()


def fail_halfway(directory: Path) -> None:
    with Directory(directory).filling() as staging:
        (staging / "contract.pdf").write_bytes(b"half")
        raise RuntimeError


def test_nothing_is_published_when_filling_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        fail_halfway(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_the_service_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Service started" in line:
            break
    began = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    # Where SIGINT comes while the interpreter runs exec() of a text, as dataclasses do, it ends by that signal after
    # everything else; a shell shows 130 for both.
    assert process.returncode in ((130, -signal.SIGINT) if number == signal.SIGINT else (130,))
    assert errors == "sealroad: interrupted\n"
    assert time.monotonic() - began < 50
    assert list(tmp_path.iterdir()) == []


# parts -----------------------------------------------------------------------------------------------------------


def test_the_cast_has_identifiers_with_right_checksums() -> None:
    for company in cast.CAST:
        assert company.identifiers
        for _, scheme, value in company.identifiers:
            assert Identifier(scheme, value).checksum_ok is True
    assert "𠮷" in cast.SELLER.signatory


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_step_while_it_runs() -> None:
    out = Terminal()
    story = Story(out)
    with story.step("Signing", "Signed") as say:
        assert out.getvalue() == " 1. Signing ..."
        say("沈𠮷明")
        say("more")
    assert out.getvalue().partition("\x1b[2K")[2] == f" 1. Signed{' ' * 14}沈𠮷明\n{' ' * 24}more\n"
    with pytest.raises(RuntimeError), story.step("Failing", "Failed"):
        raise RuntimeError
    assert out.getvalue().endswith(" 2. Failing ...\n")


def test_a_table_is_aligned_whatever_the_script() -> None:
    out = io.StringIO()
    Story(out).table([("合同.pdf", "x"), ("a.pdf", "y")])
    assert [width(line) for line in out.getvalue().splitlines()] == [14, 14]


def test_the_chinese_company_has_a_seal_that_a_stamp_takes_and_the_others_have_none() -> None:
    from signer.appearance.contract import SignatureArea
    from signer.appearance.picture import load

    area = SignatureArea(party_index=0, page=1, box=(0, 0, 100, 50))
    pictures = {company.country: company.party(1, area)["signature_area"].get("picture") for company in cast.CAST}
    seal = load(base64.b64decode(pictures.pop("CN")))
    assert (seal.width, seal.height) == (497, 497)
    assert seal.mask is not None, "transparent"
    assert set(pictures.values()) == {None}
