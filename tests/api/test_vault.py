"""Keys that the service holds: under which master key, for how long, and what happens while that one is changed."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from api import rotation
from api.auth.models import Tenant
from api.cli import main
from api.config import Settings, from_environment
from api.context import Context, open_context
from api.contracts.models import Contract, Party
from api.documents.models import Document
from api.documents.opening import password_of, seal_password
from api.envelopes.models import EnvelopeKey
from api.errors import ConfigurationError, ServiceUnavailable, VaultError
from api.migrations import upgrade
from api.rotation import rotate
from api.seals.models import Seal, SealMaker
from api.vault import Vault
from certs.keys import envelope
from certs.keys.kek import KeyProvider
from tests.api import counted
from tests.api.conftest import held, serving
from tests.certs.tokens import PIN, new_token, with_object
from tests.conftest import keys_of

ROOT = bytes(32)
KEK = KeyProvider(bytes(range(32)))
VAULT = Vault(ROOT, [KEK])
TURN = "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(bytes(255 - octet for octet in data))"


def program(directory: Path, code: str = TURN) -> str:
    """Write the configuration of a program that wraps, and return the provider's name."""
    path, script = directory / "kms.toml", directory / "kms.py"
    script.write_text(code)
    words = f"[{sys.executable!r}, '-I', '-S', {str(script)!r}]"
    path.write_text(f'schema = "sealroad.kek/1"\nid = "k1"\nwrap = {words}\nunwrap = {words}\n')
    path.chmod(0o600)
    return f"command:{path}"


# The vault -----------------------------------------------------------------------------------------------------------
def test_the_master_key_and_the_root_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    service = Settings(data=tmp_path)
    first = Vault.open(service)
    sealed = first.seal(keys_of("ed25519")[0], "pty_1")
    for name in ("master.key", "vault.sealed"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    again = Vault.open(service)
    assert again.derive("cursor") == first.derive("cursor") != first.derive("other")
    assert again.open_key(sealed, "pty_1", "ed25519").public_key.spki == keys_of("ed25519")[0].public_key.spki
    assert again.derive("cursor").hex() not in repr(again)
    (tmp_path / "master.key").chmod(0o640)
    with pytest.raises(ConfigurationError, match="open to others"):
        Vault.open(service)


@pytest.mark.parametrize("content", ["", "zz", "00" * 31, "é", "11" * 32])
def test_a_master_key_that_is_none_or_another_is_refused(tmp_path: Path, content: str) -> None:
    Vault.open(Settings(data=tmp_path))
    (tmp_path / "master.key").write_text(content)
    with pytest.raises(ConfigurationError):
        Vault.open(Settings(data=tmp_path))


def test_what_is_lost_is_not_made_anew_in_silence(tmp_path: Path) -> None:
    Vault.open(Settings(data=tmp_path))
    (tmp_path / "master.key").rename(tmp_path / "kept")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Vault.open(Settings(data=tmp_path))
    assert not (tmp_path / "master.key").exists()
    (tmp_path / "kept").rename(tmp_path / "master.key")
    (tmp_path / "pki").mkdir()
    (tmp_path / "vault.sealed").unlink()
    with pytest.raises(ConfigurationError, match=r"vault\.sealed is missing"):
        Vault.open(Settings(data=tmp_path))


def test_a_sealed_key_opens_only_in_its_place(suite_name: str) -> None:
    key, other = keys_of(suite_name)[:2]
    sealed = VAULT.seal(key, "pty_1")
    assert VAULT.open_key(sealed, "pty_1", suite_name).public_key.spki == key.public_key.spki
    assert key.pkcs8() not in sealed
    another = "sm2" if suite_name != "sm2" else "ed25519"
    for data, about, suite, generation in (
        (sealed, "pty_2", suite_name, 1),
        (sealed, "pty_1", another, 1),
        (sealed, "pty_1", suite_name, 2),
        (VAULT.seal(other, "pty_2"), "pty_1", suite_name, 1),
        (envelope.seal(key, KEK, envelope.Label("pty_1", purpose="other")), "pty_1", suite_name, 1),
        (envelope.seal_secret(b"x", KEK, envelope.Label("pty_1")), "pty_1", suite_name, 1),
        (b"", "pty_1", suite_name, 1),
    ):
        with pytest.raises(VaultError):
            VAULT.open_key(data, about, suite, generation=generation)
    with pytest.raises(VaultError, match="another master key"):
        Vault(ROOT, [KeyProvider(b"1" * 32)]).open_key(sealed, "pty_1", suite_name)
    with pytest.raises(VaultError, match="no master key"):
        Vault(ROOT).seal(key, "pty_1")


@settings(max_examples=60, deadline=None)
@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_no_bit_of_a_sealed_key_can_be_changed(position: int, bit: int) -> None:
    changed = bytearray(VAULT.seal(keys_of("ed25519")[0], "pty_1"))
    changed[position % len(changed)] ^= 1 << bit
    with pytest.raises(VaultError):
        VAULT.open_key(bytes(changed), "pty_1", "ed25519")


# Where the master key may be ----------------------------------------------------------------------------------------
def test_the_master_key_in_the_environment_or_behind_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEK", "ab" * 32)
    for number, name in enumerate(("env:MY_KEK", program(tmp_path))):
        service = Settings(data=tmp_path / str(number), master_key_provider=name)
        service.data.mkdir()
        sealed = Vault.open(service).seal(keys_of("sm2")[0], "pty_1")
        Vault.open(service).open_key(sealed, "pty_1", "sm2")
        assert not (service.data / "master.key").exists()
    with pytest.raises(ConfigurationError, match="cannot be asked"):
        Vault.open(Settings(data=tmp_path / "2", master_key_provider="passphrase"))


@pytest.mark.interop
def test_the_master_key_in_a_token(tmp_path: Path) -> None:
    (tmp_path / "pin").write_bytes(PIN)
    name = with_object(new_token(), "master", f"&pin-source=file:{tmp_path}/pin")
    service = Settings(data=tmp_path, master_key_provider=name)
    sealed = Vault.open(service).seal(keys_of("gost2012-256")[0], "pty_1")
    Vault.open(service).open_key(sealed, "pty_1", "gost2012-256")


def test_settings_name_one_master_key(tmp_path: Path) -> None:
    assert from_environment({"SEALROAD_DATA": str(tmp_path)}).master_key == f"file:{tmp_path}/master.key"
    both = {"SEALROAD_MASTER_KEY": "env:X", "SEALROAD_MASTER_KEY_PREVIOUS": "file:/old"}
    found = from_environment(both)
    assert (found.master_key, found.previous_master_key) == ("env:X", "file:/old")
    assert from_environment({"SEALROAD_MASTER_KEY_FILE": "/k"}).master_key == "file:/k"
    with pytest.raises(ConfigurationError, match="both set"):
        from_environment(both | {"SEALROAD_MASTER_KEY_FILE": "/k"})


def test_a_program_that_fails_is_another_thing_than_a_key_that_was_changed(tmp_path: Path) -> None:
    service = Settings(data=tmp_path, master_key_provider=program(tmp_path))
    vault = Vault.open(service)
    sealed = vault.seal(keys_of("ed25519")[0], "pty_1")
    program(tmp_path, "raise SystemExit('the network is away')")
    for act in (lambda: vault.open_key(sealed, "pty_1", "ed25519"), lambda: vault.seal(keys_of("sm2")[0], "pty_2")):
        with pytest.raises(ServiceUnavailable) as caught:
            act()
        assert "kms" not in str(caught.value)
    program(tmp_path, "import sys; sys.stdout.buffer.write(bytes(32))")
    with pytest.raises(VaultError):
        vault.open_key(sealed, "pty_1", "ed25519")


def test_a_service_whose_master_key_is_behind_a_program_signs_waits_and_forgets(tmp_path: Path) -> None:
    service = Settings(data=tmp_path / "data", port=0, master_key_provider=program(tmp_path))
    with serving(service) as found:
        user = found.user()
        contract = user.sent(held("ecdsa-p256"), held("sm2", order=1))
        first, second = contract["parties"]
        assert [bool(key) for key in _keys(found.context, contract["id"])] == [True, True]
        program(tmp_path, "raise SystemExit(1)")
        path = f"/v1/contracts/{contract['id']}/parties/{first['id']}/sign"
        job = user.post(path, json={"consent": user.consent(contract)}).headers["location"]
        assert _waits(user, job)["code"] == "service-unavailable"
        program(tmp_path)
        assert user.wait_for_job(job)["state"] == "succeeded"
        assert sorted(bool(key) for key in _keys(found.context, contract["id"])) == [False, True]
        assert user.sign(contract, second)["state"] == "succeeded"
        assert _keys(found.context, contract["id"]) == [None, None]
        assert user.wait_for_state(contract, "completed")
        voided = user.sent(held("ed25519"))
        done = user.post(f"/v1/contracts/{voided['id']}/void", headers={"if-match": f'"v{voided["version"]}"'}, json={})
        assert done.status_code == 200, done.text
        assert _keys(found.context, voided["id"]) == [None]


def _waits(user, job: str) -> dict[str, str]:
    import time

    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        row = user.get(job).json()
        assert row["state"] != "failed", row
        if row.get("error"):
            return row["error"]
        time.sleep(0.02)
    raise AssertionError(row)


def _keys(context: Context, contract: str) -> list[bytes | None]:
    with context.database.read() as session:
        return list(session.scalars(select(Party.sealed_key).where(Party.contract_id == contract)))


# Rotation ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def old(tmp_path: Path) -> Settings:
    """Five parties whose keys the service holds, one that has none."""
    service = Settings(data=tmp_path / "data", worker=False)
    context = open_context(service)
    upgrade(context.database)
    now = datetime.now(UTC)
    with context.database.write() as session:
        session.add(Tenant(id="ten_1", name="t", created_at=now))
        session.flush()
        facts = {"title": "c", "state": "sent", "version": 1, "level": "B-B", "audit_sequence": 0, "audit_hash": ""}
        session.add(Contract(id="ctr_1", tenant_id="ten_1", created_at=now, updated_at=now, **facts))
        session.flush()
        for number in range(6):
            name = f"pty_{number}"
            sealed = context.vault.seal(keys_of("ed25519")[number % 3], name) if number else None
            more = {"state": "notified", "name": "n", "locale": "en", "identifiers": [], "suite": "ed25519"}
            place = {"position": number, "order": 1, "role": "signer", "sealed_key": sealed}
            session.add(Party(id=name, contract_id="ctr_1", **place, **more))
    context.close()
    return service


def _moving(service: Settings, new: str) -> Settings:
    return Settings(
        data=service.data, worker=False, master_key_provider=new, previous_master_key=f"file:{service.data}/master.key"
    )


def _all_open(context: Context) -> None:
    with context.database.read() as session:
        for name, sealed in session.execute(select(Party.id, Party.sealed_key)):
            if sealed is not None:
                key = context.vault.open_key(sealed, name, "ed25519")
                assert key.public_key.spki == keys_of("ed25519")[int(name[-1]) % 3].public_key.spki


def test_another_master_key_takes_over_and_no_key_is_touched(old: Settings, tmp_path: Path) -> None:
    before = open_context(old)
    derived = before.vault.derive("cursor")
    was = [envelope.parse(key) for key in _keys(before, "ctr_1") if key]
    before.close()
    context = open_context(_moving(old, program(tmp_path)))
    late = context.vault.seal(keys_of("ed25519")[0], "pty_0")  # made while the rotation is about to begin
    with context.database.write() as session:
        counted.meddle(session)
        session.get_one(Party, "pty_0").sealed_key = late
    assert rotate(context) == (6, 7)
    assert rotate(context) == (0, 7)
    context.close()
    (old.data / "master.key").unlink()
    after = open_context(Settings(data=old.data, worker=False, master_key_provider=program(tmp_path)))
    assert after.vault.derive("cursor") == derived
    _all_open(after)
    now = [envelope.parse(key) for key in _keys(after, "ctr_1") if key]
    assert [(key.label, key.nonce, key.secret) for key in was] == [(k.label, k.nonce, k.secret) for k in now[1:]]
    assert {key.provider for key in now} == {"command"}
    after.close()


def test_keys_of_seals_of_makers_and_for_decryption_and_passwords_move_too(old: Settings, tmp_path: Path) -> None:
    context, now = open_context(old), datetime.now(UTC)
    made = context.vault.seal(keys_of("ed25519")[0], "mkr_1")
    held_key = context.vault.seal(keys_of("ed25519")[1], "seal_1")
    reading = context.vault.seal(keys_of("ed25519")[2], "enk_1")
    dates = {"created_at": now, "updated_at": now, "valid_from": now, "valid_to": now}
    words = {"state": "active", "name": "n", "kind": "contract", "standard": "v4", "suite": "ed25519"}
    more = {"key_holder": "service", "picture_sha256": "", "picture_type": "PNG", "applicant": "key_1", "log_hash": ""}
    numbers = {"version": 1, "type": 4, "width": 40, "height": 40, "approvals_needed": 1, "log_sequence": 0}
    flags = {"filing_required": True, "was_used": True, "approvals": []}
    with context.database.write() as session:
        session.add(
            SealMaker(id="mkr_1", suite="ed25519", certificates="", sealed_key=made, not_after=now, created_at=now)
        )
        session.flush()
        facts = {**dates, **words, **more, **numbers, **flags}
        session.add(Seal(id="seal_1", tenant_id="ten_1", maker_id="mkr_1", sealed_key=held_key, **facts))
        owner = {"tenant_id": "ten_1", "party_id": "pty_1", "suite": "ed25519", "serial": "01", "created_at": now}
        session.add(EnvelopeKey(id="enk_1", sealed_key=reading, **owner))
        file = {"name": "n", "size": 1, "pages": 1, "sha256": "ab" * 32, "encryption": "AES-256", "created_at": now}
        password = seal_password(context, "doc_1", "密码")
        session.add(Document(id="doc_1", tenant_id="ten_1", sealed_key=password, **file))
    context.close()
    moved = open_context(_moving(old, program(tmp_path)))
    assert rotate(moved) == (10, 10)
    assert rotate(moved) == (0, 10)
    moved.close()
    (old.data / "master.key").unlink()
    after = open_context(Settings(data=old.data, worker=False, master_key_provider=program(tmp_path)))
    with after.database.read() as session:
        tables: tuple[Any, ...] = (SealMaker, Seal, EnvelopeKey)
        for table, name in zip(tables, ("mkr_1", "seal_1", "enk_1"), strict=True):
            sealed = session.scalars(select(table.sealed_key)).one()
            assert sealed is not None
            after.vault.open_key(sealed, name, "ed25519")
        assert password_of(after, session.get_one(Document, "doc_1")) == "密码"
    after.close()


@pytest.mark.parametrize("point", [3, 8, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 4, 5, 6, 7, 9, 10))])
def test_a_rotation_that_is_killed_is_taken_up(old: Settings, tmp_path: Path, point: int) -> None:
    new = f"file:{tmp_path}/new.key"
    code = (
        "import sys; from api import rotation; from api.cli import main; from tests.api.crash import Bomb\n"
        "from certs import files\n"
        "rotation.BATCH = 2; bomb = Bomb(int(sys.argv[1])); bomb.arm()\n"
        "files.write = bomb.around(files.write)\nsys.exit(main(sys.argv[2:]))"
    )
    words = ("master-key", "rotate", "--data", str(old.data), "--from", f"file:{old.data}/master.key", "--to", new)
    killed = subprocess.run([sys.executable, "-c", code, str(point), *words], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    context = open_context(_moving(old, new))
    _all_open(context)  # whatever was moved and whatever was not
    done, total = rotate(context)
    assert total == 6
    assert 0 <= done <= 6
    context.close()
    (old.data / "master.key").unlink()
    after = open_context(Settings(data=old.data, worker=False, master_key_provider=new))
    _all_open(after)
    after.close()


def test_a_row_that_changed_meanwhile_is_left_to_the_next_run(old: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    new = f"file:{old.data}/new.key"
    context = open_context(_moving(old, new))
    real = rotation._rows

    def rows(context: Context, table: Any, after: str) -> list[tuple[str, bytes]]:
        found = real(context, table, after)
        if found:
            with context.database.write() as session:
                counted.meddle(session)
                session.get_one(Party, "pty_1").sealed_key = None  # its owner has just signed
        return found

    monkeypatch.setattr(rotation, "_rows", rows)
    assert rotate(context) == (5, 6)
    assert sum(key is None for key in _keys(context, "ctr_1")) == 2
    context.close()


def test_the_command_says_what_it_did(old: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["master-key", "rotate", "--data", str(old.data), "--to", f"file:{tmp_path}/new.key"]
    assert main(words) == 2
    assert "the old master key is not named" in capsys.readouterr().err
    assert main([*words, "--from", f"file:{old.data}/master.key"]) == 0
    assert "6 of 6 secrets" in capsys.readouterr().out
    assert main([*words, "--from", f"file:{old.data}/master.key"]) == 0
    assert "0 of 6 secrets" in capsys.readouterr().out
