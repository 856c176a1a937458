"""Records of ceremonies and statements of destruction, judged by OpenSSL: CMS over one JSON form."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from certs.ceremony import canonical, parse_script, read
from certs.keys.destruction import Destroyed, state
from tests.certs.test_ceremony import hold, officer, script_of
from tests.conftest import NOW, circle_of
from tests.interop.programs import Program

pytestmark = pytest.mark.interop


@pytest.mark.parametrize("name", ["rsa", "ecdsa-p256"])
def test_openssl_verifies_what_officers_signed(name: str, tmp_path: Path) -> None:
    circle = circle_of(name)
    people = [officer(circle.person), officer(circle.organisation)]
    parameters = {"key": str(tmp_path / "k"), "suite": "sm2", "output": str(tmp_path / "k.pub")}
    transcript = hold(parse_script(script_of("key", parameters, people)), people, tmp_path / "t")
    record, signatures = read(transcript)
    (tmp_path / "record.json").write_bytes(canonical(record))
    trust = "".join(item.pem for item in circle.chain)
    (tmp_path / "ca.pem").write_text(trust)
    items = [base64.b64decode(item) for item in (*record["approvals"], *signatures)]
    openssl = Program.find("openssl")
    for number, data in enumerate(items):
        (tmp_path / "s.p7s").write_bytes(data)
        words = ["cms", "-verify", "-binary", "-inform", "DER", "-in", "s.p7s", "-CAfile", "ca.pem", "-purpose", "any"]
        words += ["-content", "record.json"] if number >= len(record["approvals"]) else []
        words += ["-no_check_time", "-out", "content"]
        openssl.run(*words, cwd=tmp_path).check("successful")
        content = json.loads((tmp_path / "content").read_bytes())
        assert content["script_sha256"] == record["script_sha256"]


def test_openssl_verifies_a_statement_of_destruction(tmp_path: Path) -> None:
    circle = circle_of("ecdsa-p256")
    facts = Destroyed("file", "sm2", "aa" * 20, "overwritten", "")
    statement = state(facts, circle.person.key, circle.person.certificate, at=NOW, reason="superseded")
    (tmp_path / "s").write_bytes(statement)
    words = ("cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", "s")
    Program.find("openssl").run(*words, cwd=tmp_path).check("superseded")
