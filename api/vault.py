"""Secrets of the service at rest: sealed under its master key, in the one form of `certs.keys.envelope`.

    vault = Vault.open(settings)                       # the master key is made at the first start
    sealed = vault.seal(key, "pty_0193…")              # octets for the database
    key = vault.open_key(sealed, "pty_0193…", "sm2")
    vault.derive("cursor")                             # 32 octets for one purpose

The master key is a key-encryption key (`certs.keys.kek`): a file, a variable, a key in a token, a program. What it
wraps are the data keys of sealed keys, and of one root secret in `vault.sealed`, from which `derive` starts: so nothing
but the wraps changes when another master key takes its place (`api.rotation`). While that goes on, the service knows
both, and seals under the new one.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.errors import ConfigurationError, ServiceUnavailable, VaultError
from certs import files
from certs.errors import CertsError, KeyNotFound, KeyStoreError, KeyStoreUnavailable
from certs.hardening import lock
from certs.keys import sealed_files
from certs.keys.envelope import Label, Sealed, parse, provider_fits, rewrapped, seal, seal_secret, unseal, unseal_secret
from certs.keys.kek import SIZE, Provider, open_provider
from certs.suites.base import PrivateKey

if TYPE_CHECKING:
    from api.config import Settings

T = TypeVar("T")
ROOT = Label("vault", purpose="derive")
log = logging.getLogger(__name__)


class Vault:
    """Seals and opens keys under the first of its providers, opens those under any, and derives from a root secret."""

    def __init__(self, root: bytes | bytearray, providers: Sequence[Provider] = ()) -> None:
        if len(root) != SIZE:
            raise ConfigurationError(f"the root secret is not {SIZE} octets long")
        self._root = bytearray(root)
        lock(self._root)
        self._providers = tuple(providers)

    def __repr__(self) -> str:
        return f"<Vault {list(self._providers)}>"

    @classmethod
    def open(cls, settings: Settings) -> Vault:
        """Open the master key and the root secret; both are made at the first start.

        Raises ConfigurationError where either cannot be used.
        """
        path, fresh = settings.vault, not settings.vault.exists()
        previous = settings.previous_master_key
        try:
            providers = [_provider(settings.master_key, make=fresh or previous is not None)]
            if previous is not None:
                providers.append(_provider(previous, make=False))
            if fresh and (settings.data / "pki").exists():
                raise KeyStoreError(f"{path} is missing", hint="restore it: keys of the authorities here depend on it")
            if fresh:
                _make_root(path, providers[0])
            sealed = _expect(sealed_files.read(path), ROOT)
            return cls(unseal_secret(sealed, _fitting(sealed, providers)), providers)
        except (CertsError, VaultError) as error:
            raise ConfigurationError(f"the master key cannot be used: {error}", hint=error.hint) from None

    def derive(self, purpose: str) -> bytes:
        """Return 32 octets for one purpose (HKDF-SHA256, RFC 5869); the same purpose gives the same octets."""
        return HKDF(SHA256(), 32, None, b"sealroad " + purpose.encode()).derive(bytes(self._root))

    def seal(self, key: PrivateKey, about: str, *, generation: int = 1) -> bytes:
        """Return a signing key sealed; it opens only with the same `about`. Raises VaultError, ServiceUnavailable."""
        if not self._providers:
            raise VaultError("this vault has no master key")
        return _told(lambda: seal(key, self._providers[0], Label(about, generation=generation)))

    def open_key(self, data: bytes, about: str, suite: str, *, generation: int = 1) -> PrivateKey:
        """Open what `seal` returned. Raises VaultError; ServiceUnavailable where the master key cannot be reached."""

        def act() -> PrivateKey:
            sealed = _expect(parse(data), Label(about, suite, generation=generation))
            return unseal(sealed, _fitting(sealed, self._providers))

        return _told(act)

    def seal_secret(self, secret: bytes, about: str, *, purpose: str) -> bytes:
        """Return octets that are no key sealed; they open only for the same. Raises VaultError, ServiceUnavailable."""
        if not self._providers:
            raise VaultError("this vault has no master key")
        return _told(lambda: seal_secret(secret, self._providers[0], Label(about, purpose=purpose)))

    def open_secret(self, data: bytes, about: str, *, purpose: str) -> bytes:
        """Open what `seal_secret` returned. Raises like `open_key`."""

        def act() -> bytes:
            sealed = _expect(parse(data), Label(about, purpose=purpose))
            return bytes(unseal_secret(sealed, _fitting(sealed, self._providers)))

        return _told(act)

    def rewrap(self, data: bytes) -> bytes | None:
        """Return sealed octets under the first provider; None where they are already. Raises like `open_key`."""

        def act() -> bytes | None:
            sealed = parse(data)
            made = rewrapped(sealed, _fitting(sealed, self._providers), self._providers[0])
            return None if made is None else made.der()

        return _told(act)

    def rewrap_root(self, path: Path) -> bool:
        """Put the root secret under the first provider; False where it is already. Raises like `open_key`."""

        def act() -> bool:
            old = _fitting(sealed_files.read(path), self._providers)
            return sealed_files.rewrap(path, old, self._providers[0])

        return _told(act)


def _provider(text: str, *, make: bool) -> Provider:
    if text.startswith("passphrase"):
        raise KeyStoreError("a service cannot be asked for a passphrase", hint="file:, env:, pkcs11: or command:")
    return open_provider(text, name="the service", make=make)


def _make_root(path: Path, provider: Provider) -> None:
    try:
        files.write(path, seal_secret(secrets.token_bytes(SIZE), provider, ROOT), mode=0o600, replace=False)
    except FileExistsError:
        return  # another process made it
    except OSError as error:
        raise KeyStoreError(f"{path} cannot be written: {error.strerror}") from error


def _expect(sealed: Sealed, label: Label) -> Sealed:
    """Return `sealed` if it is what belongs there: the label is inside, and somebody may have moved all of it."""
    found, wanted = sealed.label, (label.key_id, label.suite, label.purpose, label.generation)
    if (found.key_id, found.suite, found.purpose, found.generation) != wanted:
        raise VaultError("the sealed secret belongs to something else")
    return sealed


def _fitting(sealed: Sealed, providers: Sequence[Provider]) -> Provider:
    for provider in providers:
        if provider_fits(sealed, provider):
            return provider
    raise VaultError("the secret was sealed under another master key")


def _told(act: Callable[[], T]) -> T:
    """Return what `act` returns; of its errors, tell those that pass from those that stay."""
    try:
        return act()
    except (KeyNotFound, KeyStoreUnavailable) as error:  # a token that was pulled, a program that did not answer
        log.warning("the master key cannot be reached: %s", error)
        raise ServiceUnavailable("the keys that this service holds cannot be opened at this moment") from error
    except CertsError as error:
        raise VaultError(f"a sealed secret does not open: {error}") from error
