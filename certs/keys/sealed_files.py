"""Sealed keys in files: the store behind "sealed:" URIs.

    save("seller.sealed", key, provider, Label("seller", purpose="sign"))
    key = open_key("sealed:seller.sealed?kek=file:/etc/sealroad/kek", secrets)
    rewrap("seller.sealed", old, new)                                        # the key itself is not touched

`certs.keys.envelope` says what stands in such a file.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from certs import suites
from certs.errors import KeyNotFound, KeyStoreError, MalformedInput
from certs.keys.base import Secrets
from certs.keys.envelope import MAX_SIZE, Label, Sealed, parse, rewrapped, seal, unseal
from certs.keys.file import write_key
from certs.keys.kek import Provider, open_provider
from certs.suites.base import PrivateKey, PublicKey, Suite, WrappedKey


class SealedKey:
    """A key in a sealed file that is opened when it first signs. Satisfies KeyHandle."""

    def __init__(self, sealed: Sealed, provider: Provider) -> None:
        self.label = sealed.label
        self._sealed, self._provider = sealed, provider
        self._public = suites.get(sealed.label.suite).load_public(sealed.label.public_key)
        self._key: PrivateKey | None = None

    def __repr__(self) -> str:
        return f"<SealedKey {self.label.suite}: {self.label.key_id}>"

    @property
    def suite(self) -> Suite:
        """The suite that the label names."""
        return self._public.suite

    @property
    def public_key(self) -> PublicKey:
        """The public half, as the label has it; checked against the private one when that is opened."""
        return self._public

    def private(self) -> PrivateKey:
        """Open the file if that has not been done. Raises what `unseal` raises."""
        if self._key is None:
            self._key = unseal(self._sealed, self._provider)
        return self._key

    def sign(self, message: bytes) -> bytes:
        """Open the file if that has not been done, and sign."""
        return self.private().sign(message)

    def unwrap_key(self, wrapped: WrappedKey, size: int) -> bytes:
        """Open the file if that has not been done, and decrypt a content key. Satisfies DecryptionKey."""
        return self.private().unwrap_key(wrapped, size)


# Files ---------------------------------------------------------------------------------------------------------------
def save(path: str | Path, key: PrivateKey, provider: Provider, label: Label, *, replace: bool = False) -> None:
    """Write a sealed key, mode 0600. Raises KeyStoreError where the file exists (unless `replace`)."""
    write_key(path, seal(key, provider, label), replace=replace)


def read(path: str | Path) -> Sealed:
    """Read a sealed file without opening the key. Raises KeyNotFound, MalformedInput."""
    try:
        with Path(path).open("rb") as stream:
            return parse(stream.read(MAX_SIZE + 1))
    except OSError as error:
        raise KeyNotFound(f"{path} cannot be read: {error.strerror}", hint="check the path of the key") from error
    except ValueError as error:
        raise KeyNotFound("a path holds no zero octets") from error


def rewrap(path: str | Path, old: Provider, new: Provider) -> bool:
    """Put the data key of a file under another key-encryption key; False where that was done already.

    The file is replaced whole, so a run that was killed is taken up by running it again. Raises KeyStoreError,
    WrongPassword, KeyNotFound, MalformedInput.
    """
    made = rewrapped(read(path), old, new)
    if made is None:
        return False
    write_key(path, made.der(), replace=True)
    return True


def split_rest(rest: str) -> tuple[Path, str]:
    """Return path and provider of "PATH?kek=PROVIDER"; without the query, a passphrase. Raises MalformedInput."""
    path, mark, query = rest.partition("?")
    if not path or (mark and not query.startswith("kek=")):
        raise MalformedInput("not the name of a sealed key", hint="sealed:PATH?kek=file:/path, env:NAME or pkcs11:…")
    return Path(unquote(path)), query.removeprefix("kek=") or "passphrase"


def open_uri(rest: str, secrets: Secrets) -> SealedKey:
    """Open "sealed:PATH?kek=PROVIDER". Raises KeyNotFound, KeyStoreError, WrongPassword, MalformedInput."""
    path, provider = split_rest(rest)
    sealed = read(path)
    return SealedKey(sealed, open_provider(provider, secrets, name=path.name))


def generate(
    rest: str, suite_name: str, secrets: Secrets, *, parameter: str | None = None, decrypts: bool = False
) -> SealedKey:
    """Make a key and write it sealed; a missing key file of "kek=file:" is made. Raises KeyStoreError."""
    path, provider = split_rest(rest)
    if path.exists():
        raise KeyStoreError(f"{path} exists", hint="choose another name or remove the file yourself")
    opened = open_provider(provider, secrets, name=path.name, make=True)
    key = suites.get(suite_name).generate(parameter)
    label = Label(path.name.removesuffix(".sealed"), purpose="decrypt" if decrypts else "sign")
    save(path, key, opened, label)
    return SealedKey(read(path), opened)
