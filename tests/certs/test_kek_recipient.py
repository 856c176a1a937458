"""Keys closed to somebody who is not there."""

from __future__ import annotations

import pytest

from certs.errors import KeyStoreError, MalformedInput, WrongPassword
from certs.keys.envelope import Label, parse, seal, seal_secret, unseal, unseal_secret
from certs.keys.kek_recipient import RecipientProvider, new_holder, public_of
from tests.conftest import SIGNING, keys_of

HOLDER, STRANGER = bytes(range(32)), bytes(range(1, 33))


@pytest.mark.parametrize("suite", SIGNING)
def test_whoever_has_the_public_half_closes_and_the_holder_opens(suite: str) -> None:
    key = keys_of(suite)[0]
    sealed = parse(seal(key, RecipientProvider.of(public_of(HOLDER)), Label("pty_1")))
    assert unseal(sealed, RecipientProvider.holding(HOLDER)).public_key.spki == key.public_key.spki
    with pytest.raises(WrongPassword):
        unseal(sealed, RecipientProvider.of(public_of(HOLDER)))
    with pytest.raises(KeyStoreError):
        unseal(sealed, RecipientProvider.holding(STRANGER))


def test_any_change_of_any_octet_is_noticed() -> None:
    data = seal_secret(b"secret", RecipientProvider.of(public_of(HOLDER)), Label("a", purpose="b"))
    provider = RecipientProvider.holding(HOLDER)
    assert bytes(unseal_secret(parse(data), provider)) == b"secret"
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises((KeyStoreError, MalformedInput)):
            unseal_secret(parse(bytes(changed)), provider)


def test_another_label_does_not_open() -> None:
    provider = RecipientProvider.holding(HOLDER)
    blob = provider.wrap(bytes(32), b"one")
    assert provider.unwrap(blob, b"one") == bytes(32)
    for wrong, about in ((blob, b"two"), (blob[:-1], b"one"), (b"", b"one"), (provider.wrap(b"short", b"one"), b"one")):
        with pytest.raises((KeyStoreError, MalformedInput)):
            provider.unwrap(wrong, about)


@pytest.mark.parametrize("octets", [b"", bytes(31), bytes(33)])
def test_what_is_no_key_is_said_so(octets: bytes) -> None:
    with pytest.raises(MalformedInput):
        RecipientProvider.of(octets)
    with pytest.raises(MalformedInput):
        RecipientProvider.holding(octets)
    with pytest.raises(MalformedInput):
        RecipientProvider.of(bytes(32)).wrap(bytes(32), b"")  # a point of low order


def test_its_name_tells_nothing_and_differs() -> None:
    first, second = (RecipientProvider.holding(new_holder()) for _ in range(2))
    assert first.id != second.id
    assert first.id.hex() in repr(first)
    assert RecipientProvider.of(public_of(HOLDER)).id == RecipientProvider.holding(HOLDER).id
