"""The keys of a circle: where they are, how they are made, and opened when first used.

    uri = uri_of(values, place, "issuing")          # a file unless circle.json says otherwise
    key = LazyKey(uri, certificate, secrets)        # nothing is opened before it signs
    key = new_key(place, "tsa-2", suite, secrets, ledger)
    save_pair(place, "tsa-2", key, certificate, secrets)
    key_uri("sealed:?kek=file:/run/kek", "sm2", "root")

`certs.circle` says what lies in the directory.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

from certs import files
from certs.ca import generate, note_key
from certs.certificate import Certificate
from certs.circle_files import values_of, write_values
from certs.errors import KeyStoreError
from certs.keys import file as key_file
from certs.keys import generate_key, open_key, pkcs11_uri, split_uri
from certs.keys.base import KeyHandle, Secrets, in_process
from certs.ledger import Ledger
from certs.suites.base import PrivateKey, PublicKey, Suite


class LazyKey:
    """A key that is opened when it first signs. Satisfies KeyHandle."""

    def __init__(self, uri: str, certificate: Certificate, secrets: Secrets) -> None:
        self._uri, self._secrets = uri, secrets
        self._public = certificate.public_key()
        self._key: KeyHandle | None = None
        self._lock = threading.Lock()

    @property
    def suite(self) -> Suite:
        """The suite of the certificate's key."""
        return self._public.suite

    @property
    def public_key(self) -> PublicKey:
        """The key in the certificate."""
        return self._public

    def open(self) -> KeyHandle:
        """Open the key if that has not been done, and return it. Raises what `open_key` raises."""
        with self._lock:
            if self._key is None:
                key = open_key(self._uri, self._secrets)
                if key.suite.name != self._public.suite.name:
                    raise KeyStoreError("the key does not belong to its certificate")
                self._key = key
        return self._key

    @property
    def in_process(self) -> bool:
        """Whether the key was opened and computes in this process."""
        return in_process(self._key)

    def sign(self, message: bytes) -> bytes:
        """Open the key if that has not been done, and sign. Raises what `open_key` raises."""
        return self.open().sign(message)


def key_uri(store: str, suite_name: str, name: str) -> str:
    """Return where key `name` of a circle is in `store`: a token's URI, or "sealed:?kek=…" for files in the directory.

    Files are named without their directory, so that it can be moved.

    Raises KeyNotFound, MalformedInput.
    """
    scheme, rest = split_uri(lasting(store))
    if scheme == "pkcs11":
        uri = pkcs11_uri.parse(rest)
        made = uri.with_key(f"{uri.object or suite_name}-{name}")
        return str(made.with_suite(suite_name) if suite_name == "rsa-pss" else made)
    if scheme == "sealed":
        _, _, query = rest.partition("?")
        return f"sealed:{name}.sealed" + (f"?{query}" if query else "")
    return f"file:{name}.key.pem"


def lasting(store: str) -> str:
    """Return the URI of a store as it goes into circle.json: it means the same in another working directory."""
    scheme, rest = split_uri(store)
    if scheme == "pkcs11":
        return str(pkcs11_uri.parse(rest))
    _, _, query = rest.partition("?")
    kind, _, path = query.removeprefix("kek=").partition(":")
    if kind in ("file", "command"):
        query = f"kek={kind}:{Path(path).resolve()}"
    return f"{scheme}:" + (f"?{query}" if query else "")


def in_place(uri: str, place: Path) -> str:
    """Return the URI of a key of the circle in `place`, whose files are named without their directory."""
    scheme, rest = split_uri(uri)
    if scheme == "sealed":
        return f"sealed:{quote(str(place))}/{rest}"
    return f"file:{place / rest}" if scheme == "file" else uri


def uri_of(values: dict[str, Any], place: Path, name: str) -> str:
    """Return where a key of the circle is: a file unless circle.json says otherwise."""
    named = values.get("keys")
    if isinstance(named, dict) and isinstance(named.get(name), str):
        return in_place(str(named[name]), place)
    return in_place(f"file:{name}.key.pem", place)


def new_key(
    place: Path, name: str, suite: Suite, secrets: Secrets, ledger: Ledger, parameter: str | None = None
) -> KeyHandle:
    """Make key `name` where the circle's keys go; one in this process is written by `save_pair`.

    One in a store is on record in circle.json first: if this is cut short, `taken` passes its name over.
    """
    values = values_of(place)
    store = values.get("store")
    role = name.partition("-")[0]
    if not isinstance(store, str):
        return generate(suite, parameter, role, ledger)
    uri = key_uri(store, suite.name, name)
    write_values(place, values | {"keys": {**values.get("keys", {}), name: uri}})
    key = generate_key(in_place(uri, place), suite.name, secrets, parameter=parameter)
    note_key(key, role, ledger)
    return key


def taken(place: Path, values: dict[str, Any], name: str) -> bool:
    """Tell whether a key `name` exists or is reserved in circle.json."""
    return name in values.get("keys", {}) or (place / f"{name}.key.pem").exists()


def next_name(place: Path, kind: str) -> str:
    """Return the first name of root-2, root-3 … (or issuing-2 …) that is not taken."""
    values = values_of(place)
    return next(name for name in (f"{kind}-{n}" for n in range(2, 10_000)) if not taken(place, values, name))


def save_pair(place: Path, name: str, key: KeyHandle, certificate: Certificate, secrets: Secrets) -> None:
    """Write a certificate, and its key where that is not in a store already."""
    if isinstance(key, PrivateKey):
        path = place / f"{name}.key.pem"
        key_file.save(path, key, secrets(f"password for {path.name}") or None)
    files.write(place / f"{name}.pem", certificate.pem.encode())
