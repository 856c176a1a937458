"""A signer's lock: keys are closed to its public half, and opened by whoever knows the passphrase.

    lock = new_lock(context, "fct_…", passphrase)         # public half; the private one under passphrase and vault
    lock_key(context, session, party)                     # from now on the vault alone does not open the party's key
    holder = opened(context, factor, passphrase)          # WrongPassword; costs 128 MiB and about half a second
    key = key_of(context, party, holder)

The passphrase opens the private half (scrypt, `certs.keys.kek_passphrase`), the private half opens the keys (HPKE,
`certs.keys.kek_recipient`): so a key that is made while its signer is elsewhere is under their passphrase from the
beginning, and who changes a passphrase keeps their keys. The vault is around both: a copy of the database without the
master key does not even let anybody guess.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from api.context import Context
from api.contracts.models import Party
from api.errors import ServiceUnavailable, VaultError
from api.factors import repository
from api.factors.models import Factor
from certs.errors import CertsError, WrongPassword
from certs.keys import kek_passphrase
from certs.keys.envelope import Label, parse, seal, seal_secret, unseal, unseal_secret
from certs.keys.kek_passphrase import PassphraseProvider
from certs.keys.kek_recipient import RecipientProvider, new_holder, public_of
from certs.suites.base import PrivateKey

PASSPHRASE: Final = "passphrase"  # noqa: S105 - the name of a kind
LOCK: Final = "signer-lock"
LOCKED: Final = "locked-key"
"""What a secret in the vault is, so that none opens as the other."""
AT_ONCE: Final = 2
"""Derivations that run at a time in one process: each takes 128 MiB."""
PATIENCE: Final = 20.0
"""Seconds that one waits for its turn."""
_turns = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class NewLock:
    """The two halves of a lock, as they are stored."""

    public_key: bytes
    sealed_key: bytes
    parameters: dict[str, Any]


def normalised(passphrase: str) -> bytes:
    """Return the octets of a passphrase, the same on every keyboard (RFC 8265 4.2.2: spaces, then NFC)."""
    spaced = "".join(" " if unicodedata.category(char) == "Zs" else char for char in passphrase)
    return unicodedata.normalize("NFC", spaced).encode()


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a place among those who derive keys. Raises ServiceUnavailable."""
    if not _turns.acquire(timeout=PATIENCE):
        raise ServiceUnavailable("too many passphrases are being checked at this moment")
    try:
        yield
    finally:
        _turns.release()


def new_lock(context: Context, factor_id: str, passphrase: str, holder: bytes | None = None) -> NewLock:
    """Return a lock under a passphrase; with `holder` the lock there was, under another one. Raises VaultError."""
    holder = holder or new_holder()
    with turn():
        inner = seal_secret(holder, _provider(passphrase), Label(factor_id, purpose=LOCK))
    return NewLock(
        public_of(holder),
        context.vault.seal_secret(inner, factor_id, purpose=LOCK),
        {"function": "scrypt", **kek_passphrase.SCRYPT},
    )


def opened(context: Context, factor: Factor, passphrase: str) -> bytes:
    """Return the private half of a lock. Raises WrongPassword, VaultError. In a `turn`."""
    inner = context.vault.open_secret(factor.sealed_key or b"", factor.id, purpose=LOCK)
    try:
        return bytes(unseal_secret(parse(inner), _provider(passphrase)))
    except WrongPassword:
        raise
    except CertsError as error:
        raise VaultError(f"the lock of a signer does not open: {error}") from error


def lock_key(context: Context, session: Session, party: Party) -> bool:
    """Put the key of a party under its signer's lock, if that is asked for and there is one; tell whether it was done.

    The contract's row is locked by the caller.
    """
    if PASSPHRASE not in party.factors or party.sealed_key is None or party.key_factor_id is not None:
        return False
    factor = repository.active(session, party.person_id or party.id, PASSPHRASE, lock=True)
    if factor is None or factor.public_key is None:
        return False
    key = context.vault.open_key(party.sealed_key, party.id, party.suite or "")
    inner = seal(key, RecipientProvider.of(factor.public_key), Label(party.id))
    party.sealed_key = context.vault.seal_secret(inner, party.id, purpose=LOCKED)
    party.key_factor_id = factor.id
    return True


def key_of(context: Context, party: Party, holder: bytes) -> PrivateKey:
    """Return the key of a party, opened by its signer's lock. Raises VaultError."""
    inner = context.vault.open_secret(party.sealed_key or b"", party.id, purpose=LOCKED)
    try:
        sealed = parse(inner)
        if (sealed.label.key_id, sealed.label.suite) != (party.id, party.suite):
            raise VaultError("the locked key belongs to something else")
        return unseal(sealed, RecipientProvider.holding(holder))
    except CertsError as error:
        raise VaultError(f"the key of a party does not open: {error}") from error


def _provider(passphrase: str) -> PassphraseProvider:
    return PassphraseProvider(lambda _: normalised(passphrase), "the signer's lock")
