"""Where private keys live: one table, scheme to opener.

    key = open_key("file:seller.key.pem", secrets)
    key = open_key("seller.key.pem", secrets)          # a bare path is a file
    key = open_key("sealed:seller.sealed?kek=file:/etc/sealroad/kek", secrets)
    key = open_key("pkcs11:token=ca;object=seller?module-path=/usr/lib/softhsm/libsofthsm2.so", secrets)
    key = generate_key("pkcs11:token=ca;object=buyer?module-path=…", "ecdsa-p256", secrets)

A new kind of store is one module with `open_uri(rest, secrets) -> KeyHandle`, `generate(rest, suite, secrets,
parameter=…, decrypts=…) -> KeyHandle`, and one row here.
"""

from __future__ import annotations

import re
from importlib import import_module

from certs import suites
from certs.errors import KeyNotFound
from certs.keys.base import KeyHandle, Secrets, no_secrets
from certs.suites.base import no_encryption

__all__ = ["SCHEMES", "KeyHandle", "Secrets", "generate_key", "no_secrets", "open_key", "split_uri"]

SCHEMES = {"file": "certs.keys.file", "pkcs11": "certs.keys.pkcs11", "sealed": "certs.keys.sealed_files"}
"""Scheme of the URI to the module that opens it."""


def open_key(uri: str, secrets: Secrets = no_secrets) -> KeyHandle:
    """Return the key that `uri` names.

    Raises KeyNotFound, WrongPassword, BadKey, MalformedInput, UnsupportedAlgorithm.
    """
    scheme, rest = split_uri(uri)
    handle: KeyHandle = import_module(SCHEMES[scheme]).open_uri(rest, secrets)
    return handle


def generate_key(
    uri: str,
    suite_name: str,
    secrets: Secrets = no_secrets,
    *,
    parameter: str | None = None,
    decrypts: bool = False,
) -> KeyHandle:
    """Make a new key where `uri` says and return it; with `decrypts` one that may decrypt, where the store tells.

    Raises KeyStoreError where the name is taken, UnsupportedAlgorithm where the store cannot hold the suite, and what
    `open_key` raises.
    """
    scheme, rest = split_uri(uri)
    if decrypts and not suites.get(suite_name).recipient_usages:
        raise no_encryption(suites.get(suite_name))
    store = import_module(SCHEMES[scheme])
    handle: KeyHandle = store.generate(rest, suite_name, secrets, parameter=parameter, decrypts=decrypts)
    return handle


def split_uri(uri: str) -> tuple[str, str]:
    """Return scheme and rest; what has no scheme is a file. Raises KeyNotFound for an unknown scheme."""
    match = re.fullmatch(r"([a-z][a-z0-9+-]+):(.*)", uri, re.DOTALL)
    scheme, rest = (match[1], match[2]) if match else ("file", uri)
    if scheme not in SCHEMES:
        raise KeyNotFound(f"no key store is called {scheme!r}", hint="known: " + ", ".join(SCHEMES))
    return scheme, rest
