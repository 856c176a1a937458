"""What a party agreed to is on record, signed and time-stamped by the service before the party's key is used."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from api.cli import main
from api.signing import intent
from certs.errors import TimeStampError
from tests.api.conftest import CONSENT, User, at_home, circle_today, held
from tests.api.seals.office import good
from tests.conftest import SIGNING


def intents(user: User, contract: dict[str, Any]) -> list[dict[str, Any]]:
    return list(good(user.get(f"/v1/contracts/{contract['id']}/intents"))["data"])


def saved(user: User, found: dict[str, Any], directory: Path, suite: str) -> list[str]:
    """Write a record, its signature and what to trust into files; return the arguments of `sealroad verify`."""
    (directory / "intent.json").write_text(found["record"], "utf-8")
    (directory / "intent.p7s").write_bytes(base64.b64decode(found["signature"]))
    trust = directory / "trust"
    trust.mkdir(exist_ok=True)
    circle = user.context.circles.get(suite)
    (trust / "root.pem").write_text(circle.root.pem)
    for number, crl in enumerate(circle.crls().values()):
        (trust / f"{number}.crl").write_bytes(crl)
    return [
        "verify", str(directory / "intent.p7s"), "--content", str(directory / "intent.json"), "--trust", str(trust),
        "--format", "json",
    ]  # fmt: skip


def judged(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(arguments)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("suite", SIGNING)
def test_the_words_and_what_was_shown_are_signed_by_the_service(
    user: User, suite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = user.sent(held(suite, name="王𠮷", locale="zh"))
    (party,) = contract["parties"]
    shown = contract["documents"][0]
    assert intents(user, contract) == []
    assert user.sign(contract, party)["state"] == "succeeded"
    (found,) = intents(user, contract)
    record = json.loads(found["record"])
    assert hashlib.sha256(found["record"].encode()).hexdigest() == found["sha256"]
    assert (record["schema"], record["id"], found["party"]) == ("sealroad.intent/1", found["id"], party["id"])
    assert record["contract"] == {"id": contract["id"], "title": contract["title"]}
    assert (record["party"]["name"], record["party"]["suite"]) == ("王𠮷", suite)
    consent = record["consent"]
    assert (consent["text"], consent["locale"]) == (CONSENT["zh"], "zh")
    assert consent["text_sha256"] == hashlib.sha256(CONSENT["zh"].encode()).hexdigest()
    assert consent["documents"] == {shown["id"]: shown["revision_sha256"]}
    assert consent["address"] == "127.0.0.1"
    assert consent["api_key"].startswith("key_")

    arguments = saved(user, found, tmp_path, suite)
    code, report = judged(capsys, arguments)
    assert (code, report["verdict"]) == (0, "TOTAL-PASSED"), report
    (signature,) = report["signatures"]
    assert (signature["suite"], signature["level"]) == (suite, "B-T")
    assert "Contract service" in signature["signer"]["subject"]
    changed = found["record"].replace("同意", "不同意")
    (tmp_path / "intent.json").write_text(changed, "utf-8")
    code, report = judged(capsys, arguments)
    assert (code, report["verdict"], report["signatures"][0]["sub_indication"]) == (1, "TOTAL-FAILED", "HASH_FAILURE")

    events = good(user.get(f"/v1/contracts/{contract['id']}/events"))["data"]
    (begun,) = (entry["body"]["data"] for entry in events if entry["type"] == "party.signing")
    assert (begun["intent"], begun["intent_sha256"]) == (found["id"], found["sha256"])
    assert good(user.get(f"/v1/contracts/{contract['id']}/evidence"))["intents"] == [found]


@pytest.mark.parametrize("suite", ["ecdsa-p256", "sm2", "gost2012-256"])
def test_it_is_signed_before_a_party_gets_what_its_own_key_is_to_sign(user: User, suite: str) -> None:
    circle = circle_today(suite)
    contract = user.sent(at_home(circle))
    (party,) = contract["parties"]
    user.ask(contract, party)
    (first,) = intents(user, contract)
    assert first["signature"] is not None
    user.sign_at_home(contract, party, circle.key)  # asks once more: that is another consent
    again, second = intents(user, contract)
    assert again == first
    assert second["signed_at"] > first["signed_at"]
    events = [entry["type"] for entry in good(user.get(f"/v1/contracts/{contract['id']}/events"))["data"]]
    assert events.index("party.signing") < events.index("signature.prepared")


def test_without_a_time_stamp_nobody_gets_anything_to_sign(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = user.sent(at_home(circle_today("ecdsa-p256")))
    (party,) = contract["parties"]

    def down(*_: Any) -> bytes:
        raise TimeStampError("the authority does not answer", reason="unreachable")

    with monkeypatch.context() as patch:
        patch.setattr(intent, "certify", down)
        path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/signature-requests"
        answer = user.post(path, json={"consent": user.consent(contract)})
        assert answer.json()["code"] == "time-stamp-error"
    assert user.contract(contract) == contract, "nothing has changed"
    assert intents(user, contract) == []
    assert user.ask(contract, party)["state"] == "prepared"


def test_a_job_waits_for_the_time_stamp_and_uses_no_key_before(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = user.sent(held("ecdsa-p256"))
    (party,) = contract["parties"]
    tried = threading.Event()

    def down(*_: Any) -> bytes:
        tried.set()
        raise TimeStampError("the authority does not answer", reason="unreachable")

    with monkeypatch.context() as patch:
        patch.setattr(intent, "certify", down)
        path = f"/v1/contracts/{contract['id']}/parties/{party['id']}/sign"
        job = good(user.post(path, json={"consent": user.consent(contract)}), 202)
        assert tried.wait(60)
        (waiting,) = intents(user, contract)
        assert waiting["signature"] is None
        types = [entry["type"] for entry in good(user.get(f"/v1/contracts/{contract['id']}/events"))["data"]]
        assert "signature.prepared" not in types
    assert user.wait_for_job(f"/v1/jobs/{job['id']}")["state"] == "succeeded"
    assert user.wait_for_state(contract, "completed")
    (signed,) = intents(user, contract)
    assert signed["record"] == waiting["record"]
    assert signed["signature"] is not None


@pytest.mark.parametrize(
    "statement",
    ["UPDATE intents SET record = 'x'", "UPDATE intents SET signature = NULL", "DELETE FROM intents"],
)
def test_a_record_does_not_change_any_more(user: User, statement: str) -> None:
    contract = user.sent(held("ecdsa-p256"))
    user.sign(contract, contract["parties"][0])
    words = r"does not change|is not deleted"
    with pytest.raises(DatabaseError, match=words), user.context.database.write() as session:
        session.execute(text(f"{statement} WHERE contract_id = '{contract['id']}'"))
    assert len(intents(user, contract)) == 1


def test_others_see_nothing_of_it(user: User, stranger: User) -> None:
    contract = user.sent(held("ecdsa-p256"))
    user.sign(contract, contract["parties"][0])
    assert stranger.get(f"/v1/contracts/{contract['id']}/intents").status_code == 404


@pytest.mark.interop
@pytest.mark.parametrize("suite", ["rsa", "ecdsa-p256", "ecdsa-p384"])
def test_another_program_says_the_same(user: User, suite: str, tmp_path: Path) -> None:
    contract = user.sent(held(suite, locale="ru"))
    user.sign(contract, contract["parties"][0])
    (found,) = intents(user, contract)
    saved(user, found, tmp_path, suite)
    openssl = shutil.which("openssl")
    assert openssl is not None, "apt-get install openssl"
    command = [
        openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", "intent.p7s", "-content", "intent.json",
        "-CAfile", "trust/root.pem", "-purpose", "any",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == found["record"]
    (tmp_path / "intent.json").write_text(found["record"].replace("договор", "рассказ"), "utf-8")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60).returncode != 0
