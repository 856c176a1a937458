"""m-of-n shares of a key-encryption key, and destroyed keys."""

from __future__ import annotations

import itertools
import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs.errors import BadSignature, KeyNotFound, KeyStoreError, MalformedInput, SealroadError
from certs.keys import destruction, file, generate_key, open_key, shares
from certs.keys.destruction import destroy, erase, read_statement, state
from tests.certs.tokens import ask_pin, new_token, with_object
from tests.conftest import NOW, circle_of, keys_of

pytest.importorskip("shamir_mnemonic", reason="the extra 'ceremony' is not installed")
KEY = bytes(range(32))


def test_any_m_shares_give_the_key_and_m_minus_one_do_not() -> None:
    made = shares.split(KEY, threshold=3, count=5)
    assert [len(share.split()) for share in made] == [33] * 5
    for chosen in itertools.combinations(made, 3):
        assert shares.recover(chosen) == KEY
    for chosen in itertools.combinations(made, 2):
        with pytest.raises(KeyStoreError):
            shares.recover(chosen)
    with pytest.raises(KeyStoreError):
        shares.recover([made[0], made[0], made[1]])
    assert shares.recover([" " + made[0].upper() + "\n", *made[1:3]]) == KEY


def test_shares_of_two_keys_and_misread_words_are_noticed() -> None:
    first, second = shares.split(KEY, threshold=2, count=3), shares.split(bytes(32), threshold=2, count=3)
    with pytest.raises(KeyStoreError):
        shares.recover([first[0], second[1]])
    words = first[0].split()
    words[7] = "academic" if words[7] != "academic" else "acid"
    with pytest.raises(MalformedInput, match="share 1 was misread"):
        shares.recover([" ".join(words), first[1]])
    for bad in ([], [""], ["hello world"], ["a" * 5000]):
        with pytest.raises(SealroadError):
            shares.recover(bad)


@pytest.mark.parametrize(("threshold", "count"), [(1, 3), (4, 3), (2, 17), (0, 0), (-1, 2)])
def test_numbers_that_cannot_be(threshold: int, count: int) -> None:
    with pytest.raises(KeyStoreError):
        shares.split(KEY, threshold=threshold, count=count)
    with pytest.raises(KeyStoreError):
        shares.split(KEY[:16], threshold=2, count=3)


@settings(max_examples=30)
@given(st.lists(st.text(max_size=40), max_size=4))
def test_no_words_raise_anything_builtin(words: list[str]) -> None:
    with pytest.raises(SealroadError):
        shares.recover(words)


# Destruction ---------------------------------------------------------------------------------------------------------
def test_a_file_is_overwritten_before_it_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = keys_of("sm2")[0]
    path = tmp_path / "seller.key.pem"
    file.save(path, key, None)
    os.link(path, tmp_path / "second")
    with pytest.raises(KeyStoreError, match="hard links"):
        erase(path)
    (tmp_path / "second").unlink()
    watched = os.open(path, os.O_RDONLY)
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (synced.append(number), real(number))[1])
    done = destroy(str(path), ask_pin)
    assert not path.exists()
    data = os.pread(watched, 1 << 16, 0)
    os.close(watched)
    assert data
    assert not any(data)
    assert len(synced) >= 3
    assert "journals" in done.limits
    with pytest.raises(KeyNotFound):
        open_key(str(path))


def test_a_link_is_followed_and_removed(tmp_path: Path) -> None:
    file.save(tmp_path / "k", keys_of("ed25519")[0], None)
    (tmp_path / "link").symlink_to(tmp_path / "k")
    destroy(str(tmp_path / "link"), ask_pin)
    assert not list(tmp_path.iterdir())


def test_the_wrong_key_is_not_destroyed(tmp_path: Path) -> None:
    file.save(tmp_path / "k", keys_of("ed25519")[0], None)
    with pytest.raises(KeyStoreError, match="not the one to destroy"):
        destroy(str(tmp_path / "k"), ask_pin, expect="00" * 20)
    assert (tmp_path / "k").exists()
    for name in ("none", "."):
        with pytest.raises(SealroadError):
            destroy(str(tmp_path / name), ask_pin)


def test_a_sealed_key_is_destroyed_with_its_data_key(tmp_path: Path) -> None:
    uri = f"sealed:{tmp_path}/k.sealed?kek=file:{tmp_path}/kek"
    generate_key(uri, "gost2012-256", ask_pin)
    done = destroy(uri, ask_pin)
    assert (done.store, done.suite) == ("sealed", "gost2012-256")
    assert [item.name for item in tmp_path.iterdir()] == ["kek"]


@pytest.mark.interop
def test_a_tokens_key_is_destroyed() -> None:
    uri = with_object(new_token(), "k")
    generate_key(uri, "ecdsa-p256", ask_pin)
    done = destroy(uri, ask_pin)
    assert (done.store, done.limits) == ("pkcs11", "")
    with pytest.raises(KeyNotFound):
        open_key(uri, ask_pin)


def test_a_statement_is_signed_and_read(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    facts = destruction.Destroyed("file", "sm2", "aa" * 20, "overwritten", "copies")
    at = NOW + timedelta(hours=1)
    signed = state(facts, circle.person.key, circle.person.certificate, at=at, reason="superseded")
    content, certificate = read_statement(signed)
    assert certificate == circle.person.certificate
    assert (content["state"], content["key_identifier"], content["reason"]) == ("done", "aa" * 20, "superseded")
    with pytest.raises(BadSignature):
        read_statement(signed.replace(b"superseded", b"supersedea"))
    with pytest.raises(SealroadError):
        read_statement(b"\x30\x00")
