"""`sealroad sign` as people and scripts use it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from api.cli import main
from certs.keys import file as key_file
from certs.signed_data import parse_signed_data
from tests.conftest import circle_of, make_pdf
from tests.signer.signing import check_all, levels, signature_fields

SUITE = "ecdsa-p256"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a contract, a key under a password, its certificate and the clock of the circle."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("certs.clock.SystemClock.now", lambda self: circle_of(SUITE).person.certificate.not_before)
    circle = circle_of(SUITE)
    (tmp_path / "in.pdf").write_bytes(make_pdf())
    (tmp_path / "password").write_bytes(b"correct horse\n")
    key_file.save(tmp_path / "key.pem", circle.person.key, b"correct horse")
    (tmp_path / "cert.pem").write_text(circle.person.certificate.pem)
    (tmp_path / "chain.pem").write_text(circle.issuing.pem)
    return tmp_path


KEY = ("--key", "key.pem", "--cert", "cert.pem", "--password-file", "password")


def test_a_signature(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", "in.pdf", "out.pdf", *KEY, "--chain", "chain.pem", "--reason", "Testing"]) == 0
    assert check_all((desk / "out.pdf").read_bytes()) == [SUITE]
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.startswith("out.pdf: signed by ")
    assert "B-B" in out
    assert "Signature1" in out


def test_a_visible_signature(desk: Path) -> None:
    arguments = ["--page", "-1", "--box", "60,80,260,160", "--locale", "ru", "--field", "Buyer", "--location", "Moscow"]
    assert main(["sign", "in.pdf", "out.pdf", *KEY, *arguments]) == 0
    fields = signature_fields((desk / "out.pdf").read_bytes())
    assert "/Font" in fields["Buyer"].AP.N.Resources


def test_a_certification_and_a_picture(desk: Path) -> None:
    from PIL import Image

    Image.new("RGB", (20, 20), "red").save(desk / "stamp.png")
    assert (
        main(["sign", "in.pdf", "out.pdf", *KEY, "--certify", "2", "--box", "9 9 200 90", "--picture", "stamp.png"])
        == 0
    )
    fields = signature_fields((desk / "out.pdf").read_bytes())
    assert "/DocMDP" in fields.document.Root.Perms
    assert "/XObject" in fields["Signature1"].AP.N.Resources


def test_the_certificate_may_stand_in_the_keys_file(desk: Path) -> None:
    with (desk / "key.pem").open("a") as stream:
        stream.write(circle_of(SUITE).person.certificate.pem + circle_of(SUITE).issuing.pem)
    assert main(["sign", "in.pdf", "out.pdf", "--key", "file:key.pem", "--password-file", "password"]) == 0
    check_all((desk / "out.pdf").read_bytes())


def test_two_steps(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare = ["sign", "prepare", "in.pdf", "prepared.pdf", "--cert", "cert.pem", "--request", "request.json"]
    assert main([*prepare, "--dtbs", "dtbs.bin"]) == 0
    request = json.loads((desk / "request.json").read_text())
    assert request["schema"] == "sealroad.prepared/1"
    (desk / "value.bin").write_bytes(circle_of(SUITE).person.key.sign((desk / "dtbs.bin").read_bytes()))
    complete = ["sign", "complete", "prepared.pdf", "out.pdf", "--request", "request.json", "--value", "value.bin"]
    assert main(complete) == 0
    assert check_all((desk / "out.pdf").read_bytes()) == [SUITE]
    assert "to be signed by" in capsys.readouterr().out
    (desk / "value.bin").write_bytes(bytes(70))
    complete[3] = "other.pdf"
    assert main(complete) == 2
    assert not (desk / "other.pdf").exists()
    assert "hint:" in capsys.readouterr().err


def test_beside_any_file(desk: Path) -> None:
    (desk / "data.bin").write_bytes(b"data")
    assert main(["sign", "data.bin", "data.p7s", "--detached", *KEY]) == 0
    assert parse_signed_data((desk / "data.p7s").read_bytes()).signers[0].verify(b"data") == SUITE


def test_standard_streams(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        def __init__(self, data: bytes = b"") -> None:
            self.buffer = io.BytesIO(data)

        def write(self, text: str) -> int:
            raise AssertionError("nothing but the file goes to standard output")

        def flush(self) -> None:
            pass

        def isatty(self) -> bool:
            return False

    out = Stream()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", Stream(make_pdf()))
        patch.setattr(sys, "stdout", out)
        assert main(["sign", "-", "-", *KEY]) == 0
    check_all(out.buffer.getvalue())


def test_an_authority_in_a_directory(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "empty").write_bytes(b"\n")
    made = ["ca", "init", "circle", "--suite", SUITE, "--organisation", "Test", "--country", "DE"]
    assert main([*made, "--password-file", "password"]) == 0
    assert main(["sign", "in.pdf", "out.pdf", *KEY, "--tsa", "circle"]) == 0
    assert levels((desk / "out.pdf").read_bytes()) == [True]
    check_all((desk / "out.pdf").read_bytes())
    assert "B-T" in capsys.readouterr().out


WRONG: list[tuple[list[str], str]] = [
    (["in.pdf"], "a file to sign and a file to write are needed"),
    (["in.pdf", "out.pdf"], "a key is needed"),
    (["in.pdf", "in.pdf", *KEY], "overwrite its source"),
    (["none.pdf", "out.pdf", *KEY], "none.pdf"),
    (["in.pdf", "out.pdf", *KEY, "--level", "B-LT"], "not yet offered"),
    (["in.pdf", "out.pdf", *KEY, "--level", "B-T"], "needs a time-stamping authority"),
    (["in.pdf", "out.pdf", *KEY, "--level", "B-B", "--tsa", "https://x/"], "no time-stamp"),
    (["in.pdf", "out.pdf", *KEY, "--tsa", "http://127.0.0.1:9/"], "private address"),
    (["in.pdf", "out.pdf", *KEY, "--box", "1,2,3"], "is no box"),
    (["in.pdf", "out.pdf", *KEY, "--page", "7"], "there is no page 7"),
    (["in.pdf", "out.pdf", *KEY, "--picture", "x.png"], "the picture has no place"),
    (["in.pdf", "out.pdf", *KEY, "--value", "x"], "--value has no meaning here"),
    (["cert.pem", "out.pdf", *KEY], "not a PDF"),
    (
        ["in.pdf", "out.pdf", "--key", "key.pem", "--cert", "chain.pem", "--password-file", "password"],
        "does not belong",
    ),
    (["in.pdf", "out.pdf", "--key", "key.pem", "--password-file", "password"], "no certificate beside the key"),
    (["in.pdf", "out.pdf", *KEY[:-1], "cert.pem"], "password"),
    (["prepare", "in.pdf", "out.pdf"], "needs --cert and --request"),
    (["complete", "in.pdf", "out.pdf"], "needs --request"),
]


@pytest.mark.parametrize(("arguments", "says"), WRONG)
def test_what_goes_wrong_is_said_and_nothing_is_left(
    desk: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    before = sorted(path.name for path in desk.iterdir())
    assert main(["sign", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("sealroad: ")
    assert says in error
    assert sorted(path.name for path in desk.iterdir()) == before
    assert (desk / "in.pdf").read_bytes() == make_pdf()


def test_describing_the_command_imports_nothing_heavy() -> None:
    import subprocess

    code = (
        "import sys, argparse, signer.cli\n"
        "signer.cli.configure(argparse.ArgumentParser())\n"
        "assert not {'pyhanko', 'cryptography', 'asn1crypto', 'PIL'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def framework(desk: Path, **party: object) -> None:
    name = circle_of(SUITE).person.certificate.common_name
    body = {
        "schema": "sealroad.agreement/1",
        "title": "FA",
        "binding": "required",
        "parties": [{"name": name, **party}],
    }
    (desk / "framework.json").write_text(json.dumps(body, ensure_ascii=False))


def verified(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    capsys.readouterr()
    main(["verify", *arguments, "--revocation", "if-present", "--trust", "root.pem", "--format", "json"])
    found: dict[str, list[dict[str, str]]] = json.loads(capsys.readouterr().out)["signatures"][0]["layers"]["agreed"]
    return {check["id"]: check["result"] for check in found["checks"]}


def test_under_an_agreement(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    framework(desk, suites=[SUITE])
    (desk / "root.pem").write_text(circle_of(SUITE).ca.root.pem)
    under = ["--chain", "chain.pem", "--agreement", "framework.json"]
    assert main(["sign", "in.pdf", "out.pdf", *KEY, *under]) == 0
    assert verified(capsys, "out.pdf", "--agreement", "framework.json")["agreement-binding"] == "passed"
    assert main(["sign", "in.pdf", "out.p7s", "--detached", *KEY, *under]) == 0
    arguments = ("out.p7s", "--content", "in.pdf", "--agreement", "framework.json")
    assert verified(capsys, *arguments)["agreement-binding"] == "passed"
    assert main(["inspect", "out.p7s"]) == 0
    assert "policy" in capsys.readouterr().out
    request = ["--cert", "cert.pem", "--request", "r.json", "--dtbs", "dtbs"]
    assert main(["sign", "prepare", "in.pdf", "p.pdf", *request, *under]) == 0
    value = circle_of(SUITE).person.key.sign((desk / "dtbs").read_bytes())
    (desk / "value").write_bytes(value)
    assert main(["sign", "complete", "p.pdf", "two.pdf", "--request", "r.json", "--value", "value"]) == 0
    assert verified(capsys, "two.pdf", "--agreement", "framework.json")["agreement-binding"] == "passed"
    (desk / "framework.json").write_bytes((desk / "framework.json").read_bytes() + b"\n")  # another file, another hash
    assert verified(capsys, "two.pdf", "--agreement", "framework.json")["agreement-binding"] == "failed"


@pytest.mark.parametrize(
    "party", [{"suites": ["sm2"]}, {"level": "B-T"}, {"certificates": ["0" * 64]}, {"suites": ["none"]}]
)
def test_what_the_agreement_does_not_accept_is_not_signed(
    desk: Path, capsys: pytest.CaptureFixture[str], party: dict[str, object]
) -> None:
    framework(desk, **party)
    assert main(["sign", "in.pdf", "out.pdf", *KEY, "--agreement", "framework.json"]) == 2
    assert "sealroad: " in capsys.readouterr().err
    assert not (desk / "out.pdf").exists()
    assert main(["sign", "in.pdf", "out.p7s", "--detached", *KEY, "--agreement", "framework.json"]) == 2
    assert not (desk / "out.p7s").exists()
