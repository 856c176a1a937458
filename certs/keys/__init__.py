"""Where private keys live: one table, scheme to opener.

    key = open_key("file:seller.key.pem", secrets)
    key = open_key("seller.key.pem", secrets)          # a bare path is a file

A new kind of store is one module with `open_uri(rest, secrets) -> KeyHandle` and one row here.
"""

from __future__ import annotations

import re
from importlib import import_module

from certs.errors import KeyNotFound
from certs.keys.base import KeyHandle, Secrets, no_secrets

__all__ = ["SCHEMES", "KeyHandle", "Secrets", "no_secrets", "open_key"]

SCHEMES = {"file": "certs.keys.file", "pkcs11": "certs.keys.pkcs11", "sealed": "certs.keys.envelope"}
"""Scheme of the URI to the module that opens it."""


def open_key(uri: str, secrets: Secrets = no_secrets) -> KeyHandle:
    """Return the key that `uri` names.

    Raises KeyNotFound, WrongPassword, BadKey, MalformedInput, UnsupportedAlgorithm.
    """
    match = re.fullmatch(r"([a-z][a-z0-9+-]+):(.*)", uri, re.DOTALL)
    scheme, rest = (match[1], match[2]) if match else ("file", uri)
    if scheme not in SCHEMES:
        raise KeyNotFound(f"no key store is called {scheme!r}", hint="known: " + ", ".join(SCHEMES), uri=uri)
    handle: KeyHandle = import_module(SCHEMES[scheme]).open_uri(rest, secrets)
    return handle
