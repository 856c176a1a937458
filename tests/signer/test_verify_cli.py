"""`sealroad verify`: exit codes, formats, and nothing half-written."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from api.cli import main
from certs.keys.file import save
from certs.trust.directory import accept, pin
from certs.trust.entries import TrustEntry
from certs.trust.signed_list import build_list
from signer.pdf.encryption import Credentials
from signer.text import LANGUAGES, strings
from tests.certs.trusted_lists import DAY, GRANTED, QC, etsi, list_signer, service
from tests.conftest import NOW, circle_of
from tests.signer import locked, rawpdf
from tests.signer.test_verify import cms, signed


@pytest.fixture
def files(tmp_path: Path, sample_pdf: bytes) -> SimpleNamespace:
    """One file for each exit code, and the trust to get there."""
    circle = circle_of("ecdsa-p256")
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "root.pem").write_text(circle.root.pem)
    for number, crl in enumerate(circle.crls):
        (trust / f"{number}.crl").write_bytes(crl.der)
    good = signed("ecdsa-p256")
    contents = {
        "good.pdf": good,
        "changed.pdf": good.replace(b"pay 100", b"pay 900"),
        "unsigned.pdf": sample_pdf,
        "unknown.pdf": rawpdf.sign(cms(circle), subfilter=b"GM.SM2"),
        "text.pdf": b"not a PDF at all",
        "encrypted.pdf": rawpdf.assemble(rawpdf.objects(o7=b"<<>>"), extra=b"/Encrypt 7 0 R "),
        "data.bin": b"the contract",
        "data.p7s": cms(circle)(b"the contract"),
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    return SimpleNamespace(**{n.replace(".", "_"): str(tmp_path / n) for n in contents}, trust=str(trust), dir=tmp_path)


AT = ["--at", "2026-11-21T10:00:00Z"]


def test_a_trusted_list_and_what_of_a_directory_is_not_used(
    files: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certs.clock.SystemClock.now", lambda _: NOW)
    circle, signer = circle_of("ecdsa-p256"), list_signer()
    authority = service(circle.issuing, QC, GRANTED, NOW - DAY)
    lists = files.dir / "lists"
    pin(lists, {signer.fingerprint})
    assert accept(lists, [signer.sign(etsi(authority))], NOW)[0].status == "accepted"
    (lists / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n")
    for number, crl in enumerate(circle.crls):
        (lists / f"{number}.crl").write_bytes(crl.der)
    assert main(["verify", files.good_pdf, "--trust", str(lists), "-v", *AT]) == 0
    said = capsys.readouterr()
    assert re.search(r"not used: .*broken\.pem", said.err)
    assert "trusted list of EE no. 42" in said.out


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("good_pdf", 0),
        ("changed_pdf", 1),
        ("text_pdf", 2),
        ("encrypted_pdf", 2),
        ("unknown_pdf", 3),
        ("unsigned_pdf", 4),
    ],
)
def test_exit_codes(files: SimpleNamespace, name: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", getattr(files, name), "--trust", files.trust, *AT]) == code
    captured = capsys.readouterr()
    if code == 2:
        assert captured.err.startswith("sealroad: ")
        assert "hint: " in captured.err
        assert not captured.out
    else:
        assert not captured.err


def test_trust_lists(
    files: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    circle, publisher = circle_of("ecdsa-p256"), circle_of("sm2").organisation
    monkeypatch.setattr("certs.clock.SystemClock.now", lambda _: NOW)
    for purpose, code in (("signing", 0), ("timestamping", 3)):
        entry = TrustEntry(circle.root, "", frozenset({purpose}))
        later = NOW + timedelta(days=90)
        made = build_list(
            "eu", "Nord", [entry], publisher.key, publisher.certificate, sequence=1, issued=NOW, next_update=later
        )
        (files.dir / "list.json").write_bytes(made)
        crls = [option for number in (0, 1) for option in ("--trust", f"{files.trust}/{number}.crl")]
        by = f"{files.dir}/list.json#signer={publisher.certificate.fingerprint()}"
        assert main(["verify", files.good_pdf, "--trust", by, *crls, *AT]) == code
    monkeypatch.setattr("certs.clock.SystemClock.now", lambda _: later + timedelta(seconds=1))
    capsys.readouterr()
    assert main(["verify", files.good_pdf, "--trust", by, *AT]) == 2
    assert "ask its issuer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("good_pdf", "good_pdf"), 0),
        (("good_pdf", "unsigned_pdf"), 4),
        (("unsigned_pdf", "unknown_pdf"), 3),
        (("unknown_pdf", "text_pdf", "good_pdf"), 2),
        (("text_pdf", "changed_pdf", "good_pdf"), 1),
    ],
)
def test_the_gravest_of_several_files_counts_and_every_file_is_reported(
    files: SimpleNamespace, names: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [getattr(files, name) for name in names]
    assert main(["verify", *paths, "--trust", files.trust, "--format", "json", *AT]) == code
    body = json.loads(capsys.readouterr().out)
    assert [entry["file"] for entry in body] == paths
    assert [("error" in entry) for entry in body] == [name == "text_pdf" for name in names]


def test_without_trust_it_is_indeterminate(files: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", files.good_pdf, *AT]) == 3
    assert "NO_CERTIFICATE_CHAIN_FOUND" in capsys.readouterr().out


def test_json_of_one_file_is_one_object(files: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", files.good_pdf, "--trust", files.trust, "--format", "json", *AT]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["schema"] == "sealroad.report/1"
    assert body["verdict"] == "TOTAL-PASSED"
    assert body["validation_time"] == "2026-11-21T10:00:00Z"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_languages(files: SimpleNamespace, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["verify", files.good_pdf, "--trust", files.trust, "--lang", lang, *AT])
    assert strings(lang)["verdict.TOTAL-PASSED"] in capsys.readouterr().out


def test_verbose_shows_every_check(files: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    main(["verify", "-v", files.good_pdf, "--trust", files.trust, *AT])
    out = capsys.readouterr().out
    for number in range(1, 10):
        assert f"G{number}-" in out
    assert "signature-value" in out
    assert "revocation" in out


def test_detached_cms(files: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    trusting = ["--trust", files.trust, *AT]
    assert main(["verify", files.data_p7s, "--content", files.data_bin, *trusting]) == 0
    assert main(["verify", files.data_p7s, "--content", files.good_pdf, *trusting]) == 1
    assert main(["verify", files.data_p7s, *trusting]) == 3


def test_revocation_may_be_relaxed(files: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(Path(files.trust) / "root.pem")
    assert main(["verify", files.good_pdf, "--trust", root, *AT]) == 3
    assert "TRY_LATER" in capsys.readouterr().out
    assert main(["verify", files.good_pdf, "--trust", root, "--revocation", "if-present", *AT]) == 0


def test_report_into_a_file(files: SimpleNamespace) -> None:
    target = files.dir / "report.html"
    assert main(["verify", files.good_pdf, "--trust", files.trust, "--format", "html", "--out", str(target), *AT]) == 0
    assert target.read_text().startswith("<!DOCTYPE html>")
    assert not list(files.dir.glob(".report*"))


def test_report_never_overwrites_what_it_is_about(files: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(files.good_pdf).read_bytes()
    assert main(["verify", files.good_pdf, "--out", files.good_pdf]) == 2
    assert Path(files.good_pdf).read_bytes() == before


def test_nothing_half_written_is_left_when_the_disk_fails(
    files: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    target = files.dir / "report.txt"
    assert main(["verify", files.good_pdf, "--out", str(target)]) == 2
    assert not target.exists()
    assert not list(files.dir.glob(".report*"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--at", "yesterday"],
        ["--require", "agreed"],
        ["--summary", "--format", "json"],
        ["--trust", "/nonexistent.pem"],
        ["--out", "/nonexistent/report"],
        ["--content", "/nonexistent"],
    ],
)
def test_wrong_usage_is_exit_code_2_with_a_hint(
    files: SimpleNamespace, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", files.good_pdf, *arguments]) == 2
    assert "hint: " in capsys.readouterr().err


def test_standard_input(
    files: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Path(files.good_pdf).read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert main(["verify", "-", "--trust", files.trust, *AT]) == 0
    assert "standard input" in capsys.readouterr().out


def test_verdict_survives_a_reader_that_leaves(files: SimpleNamespace) -> None:
    """`sealroad verify bad.pdf | head -0` under pipefail must not say 0."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "api.cli", "verify", files.changed_pdf, *AT]
    code = "import sys; from api.cli import main; sys.exit(main(sys.argv[1:]))"
    command[1:3] = ["-c", code]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(write)
    assert done.returncode == 1, done.stderr


def test_heavy_libraries_are_not_loaded_to_verify(files: SimpleNamespace) -> None:
    """What makes the command quick to start."""
    code = (
        "import sys; from api.cli import main; main(sys.argv[1:]);"
        "heavy = {'pyhanko', 'fastapi', 'sqlalchemy', 'pikepdf', 'asn1crypto', 'pyhanko_certvalidator', 'lxml'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "verify", files.good_pdf, "--trust", files.trust, *AT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.strip() == "[]"
    assert "TOTAL-PASSED" in done.stdout


# -- limits -------------------------------------------------------------------------------------------


def test_a_file_that_takes_too_long_is_indeterminate_and_the_next_is_judged(
    files: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from signer import verify

    real = verify.verify_bytes

    def slow(data: bytes, **more: object) -> object:
        while data.startswith(b"%PDF-") and b"pay 900" in data:
            pass
        return real(data, **more)

    monkeypatch.setattr(verify, "verify_bytes", slow)
    words = [files.changed_pdf, files.good_pdf, "--trust", files.trust, "--timeout", "1.5", "--format", "json", *AT]
    assert main(["verify", *words]) == 3
    first, second = json.loads(capsys.readouterr().out)
    assert (first["verdict"], first["signatures"][0]["code"]) == ("INDETERMINATE", "limits")
    assert "longer than 1.5 s" in first["signatures"][0]["reason"]
    assert second["verdict"] == "TOTAL-PASSED"


def test_a_crash_is_a_verdict_in_every_language(
    files: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signer.verify.verify_bytes", lambda *_, **__: os.abort())
    for language in LANGUAGES:
        assert main(["verify", files.good_pdf, "--lang", language, *AT]) == 3
        assert strings(language)["code.crashed"] in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("--timeout", "0"),
        ("--timeout", "nan"),
        ("--timeout", "x"),
        ("--memory", "10"),
        ("--memory", "1e3"),
        ("--jobs", "0"),
    ],
)
def test_limits_that_make_no_sense_are_usage_errors(files: SimpleNamespace, words: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["verify", files.good_pdf, *words])
    assert caught.value.code == 2


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_files_at_a_time_change_nothing(files: SimpleNamespace, capsys: pytest.CaptureFixture[str], jobs: str) -> None:
    names = [files.good_pdf, files.changed_pdf, files.unsigned_pdf, files.good_pdf]
    assert main(["verify", *names, "--trust", files.trust, "--jobs", jobs, "--format", "json", *AT]) == 1
    verdicts = [one["verdict"] for one in json.loads(capsys.readouterr().out)]
    assert verdicts == ["TOTAL-PASSED", "TOTAL-FAILED", "NO-SIGNATURE", "TOTAL-PASSED"]


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A contract under a password, one for a recipient, the key, and files of passwords."""
    directory = tmp_path_factory.mktemp("encrypted")
    circle, holder = circle_of("ecdsa-p256"), circle_of("rsa")
    credentials = Credentials(recipient=locked.recipient(holder))
    contents = {
        "password.pdf": locked.signed(locked.by_qpdf(6), Credentials(locked.USER), cms(circle)),
        "recipient.pdf": locked.signed(locked.for_certificates(holder), credentials, cms(circle)),
        "password": locked.USER.encode() + b"\nsecond line",
        "wrong": b"not it",
        "long": b"x" * 2000,
        "cert.pem": holder.person.certificate.pem.encode(),
        "other.pem": holder.organisation.certificate.pem.encode(),
    }
    for name, data in contents.items():
        (directory / name).write_bytes(data)
    save(directory / "key.pem", holder.person.key, b"of the key")
    (directory / "key-password").write_bytes(b"of the key")
    both = directory / "both.pem"
    save(both, holder.person.key, None)
    both.write_bytes(both.read_bytes() + contents["cert.pem"])
    return SimpleNamespace(dir=directory)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("password.pdf --password-file password", 0, ""),
        ("password.pdf", 2, "give its password"),
        ("password.pdf --password-file wrong", 2, "does not open it"),
        ("password.pdf --password-file long", 2, "so long a password"),
        ("password.pdf --ask-password", 2, "no terminal"),
        ("password.pdf --cert cert.pem", 2, "give --key"),
        ("password.pdf --key both.pem", 2, "give its password"),
        ("recipient.pdf --key both.pem", 0, ""),
        ("recipient.pdf --key key.pem --cert cert.pem --password-file key-password", 0, ""),
        ("recipient.pdf --key key.pem --password-file key-password", 2, "no certificate beside"),
        ("recipient.pdf --key key.pem --cert other.pem --password-file key-password", 2, "not that of the key"),
        ("recipient.pdf --key key.pem --cert missing.pem --password-file key-password", 2, "missing.pem"),
        ("recipient.pdf --password-file password", 2, "holders of certificates"),
        ("recipient.pdf password.pdf --key both.pem", 2, "give its password"),
    ],
)
def test_encrypted_files(
    files: SimpleNamespace,
    encrypted: SimpleNamespace,
    words: str,
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(encrypted.dir)
    assert main(["verify", *words.split(), "--trust", files.trust, *AT]) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert locked.USER not in captured.out + captured.err
    if code == 0:
        assert "encrypt" in captured.out
    else:
        assert "hint: " in captured.err


def test_a_password_from_a_descriptor_and_from_the_terminal(
    files: SimpleNamespace, encrypted: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(encrypted.dir / "password.pdf")
    with (encrypted.dir / "password").open("rb") as stream:
        descriptor = str(os.dup(stream.fileno()))
        assert main(["verify", name, "--password-fd", descriptor, "--trust", files.trust, *AT]) == 0
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _: locked.USER)
    assert main(["verify", name, "--ask-password", "--trust", files.trust, *AT]) == 0
