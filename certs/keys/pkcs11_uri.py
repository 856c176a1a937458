"""PKCS#11 URIs (RFC 7512): which key in which token behind which module, and never a PIN.

    uri = parse("token=ca;object=issuing?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/ca.pin")
    uri.token, uri.object, uri.module, uri.pin_file

`pin-value` is refused: a URI stands in process lists, configuration and logs. Beside the standard's attributes two of
our own are read: `x-suite` (an RSA key serves two suites, and a token does not say which is meant) and `x-config`
(vendor mechanisms, see `certs.keys.pkcs11_mechanisms`). A URI names a shared library that is loaded into the process:
it is configuration, and never comes from a request.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from certs.errors import KeyNotFound, KeyStoreError, MalformedInput

MODULE_VARIABLE = "SEALROAD_PKCS11_MODULE"
CONFIG_VARIABLE = "SEALROAD_PKCS11_CONFIG"
MAX_LENGTH = 4096

_PATH = ("token", "manufacturer", "serial", "model", "object", "id", "type", "slot-id")
_QUERY = ("module-path", "module-name", "pin-source", "pin-value", "x-suite", "x-config")
_ALLOWED = re.compile(r"[A-Za-z0-9\-._~:\[\]@!$'()*+,=&/|%?;]*")
"""pk11-pchar and pk11-qchar (RFC 7512 2.3), and the separators."""
_KEPT = "-._~:[]@!$'()*+,="


@dataclass(frozen=True)
class TokenURI:
    """What a URI says; None where it says nothing."""

    token: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    slot_id: int | None = None
    object: str | None = None
    """CKA_LABEL of the key."""
    id: bytes | None = None
    """CKA_ID of the key."""
    module_path: str | None = None
    pin_file: str | None = None
    suite: str | None = None
    config: str | None = None

    @property
    def module(self) -> str:
        """The shared library. Raises KeyNotFound where neither the URI nor the environment names one."""
        found = self.module_path or os.environ.get(MODULE_VARIABLE)
        if not found:
            raise KeyNotFound(
                "the URI names no PKCS#11 module", hint=f"add ?module-path=/path/of/module.so, or set {MODULE_VARIABLE}"
            )
        return found

    @property
    def config_file(self) -> str | None:
        """The file with the vendor's mechanisms, from the URI or the environment."""
        return self.config or os.environ.get(CONFIG_VARIABLE) or None

    @property
    def place(self) -> str:
        """The token in words, for messages."""
        if self.token is not None:
            return f"token {self.token!r}"
        if self.serial is not None:
            return f"token with serial number {self.serial!r}"
        return "token" if self.slot_id is None else f"token in slot {self.slot_id}"

    @property
    def name(self) -> str:
        """The key in words, for messages."""
        if self.object is not None:
            return f"key {self.object!r}"
        return f"key with id {self.id.hex()}" if self.id is not None else "key"

    def with_key(self, label: str | None, key_id: bytes | None = None) -> TokenURI:
        """Return the URI of a key in the same token."""
        return replace(self, object=label, id=key_id)

    def with_suite(self, suite: str) -> TokenURI:
        """Return the URI with a suite; only RSA keys need it said."""
        return replace(self, suite=suite)

    def __str__(self) -> str:
        path = [("token", self.token), ("manufacturer", self.manufacturer), ("model", self.model)]
        path += [("serial", self.serial), ("slot-id", None if self.slot_id is None else str(self.slot_id))]
        path += [("object", self.object)]
        parts = [f"{name}={quote(value, safe=_KEPT)}" for name, value in path if value is not None]
        if self.id is not None:
            parts.append("id=" + "".join(f"%{octet:02X}" for octet in self.id))
        query = [("module-path", self.module_path), ("pin-source", self.pin_file and f"file:{self.pin_file}")]
        query += [("x-suite", self.suite), ("x-config", self.config)]
        said = "&".join(f"{name}={quote(value, safe=_KEPT.replace('&', '') + '/')}" for name, value in query if value)
        return "pkcs11:" + ";".join(parts) + (f"?{said}" if said else "")


def parse(text: str) -> TokenURI:
    """Return what a URI, with or without its scheme, says.

    Raises MalformedInput where it is none, KeyStoreError where it holds a PIN. Neither repeats the URI.
    """
    rest = text.removeprefix("pkcs11:")
    path, _, query = rest.partition("?")
    if "pin-value" in unquote_to_bytes(rest.encode("utf-8", "surrogatepass")).decode("latin-1").lower():
        raise KeyStoreError(
            "a PIN must not stand in a URI: everybody on the machine can see it",
            hint="leave pin-value out; use ?pin-source=file:/path, --password-file or a prompt, and change the PIN",
        )
    if len(rest) > MAX_LENGTH or not _ALLOWED.fullmatch(rest) or re.search(r"%(?![0-9A-Fa-f]{2})", rest):
        raise MalformedInput("not a PKCS#11 URI", hint="RFC 7512: pkcs11:token=NAME;object=KEY?module-path=FILE")
    values = _attributes(path, ";", _PATH) | _attributes(query, "&", _QUERY)
    words = {name: _text(name, value) for name, value in values.items() if name != "id"}
    if words.get("type", "private") not in ("private", "public", "secret-key"):
        raise MalformedInput("the PKCS#11 URI names no key")
    if "module-name" in words:
        raise MalformedInput("module-name is not looked for", hint="give the file with module-path")
    slot = words.get("slot-id")
    if slot is not None and not re.fullmatch(r"[0-9]{1,19}", slot):
        raise MalformedInput("the PKCS#11 URI has a slot-id that is no number")
    return TokenURI(
        token=words.get("token"),
        manufacturer=words.get("manufacturer"),
        model=words.get("model"),
        serial=words.get("serial"),
        slot_id=None if slot is None else int(slot),
        object=words.get("object"),
        id=values.get("id"),
        module_path=words.get("module-path"),
        pin_file=_pin_file(words.get("pin-source")),
        suite=words.get("x-suite"),
        config=words.get("x-config"),
    )


def _attributes(text: str, separator: str, known: tuple[str, ...]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if not equals or name in found:
            raise MalformedInput("the PKCS#11 URI has an attribute without a value, or one twice (RFC 7512 2.3)")
        if name in known:
            found[name] = unquote_to_bytes(value)
        elif not (separator == "&" and name.startswith("x-")):  # RFC 7512 2.3: vendors' query attributes may be others'
            raise MalformedInput(f"the PKCS#11 URI has an attribute {name[:40]!r} that is not used here")
    return found


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise MalformedInput(f"{name} of the PKCS#11 URI is not UTF-8") from error
    if "\0" in text:
        raise MalformedInput(f"{name} of the PKCS#11 URI holds a zero octet")
    return text


def _pin_file(source: str | None) -> str | None:
    """Return the file of pin-source; a program to run (RFC 7512 2.4 leaves it open) is refused."""
    if source is None:
        return None
    name = source.removeprefix("file:")
    if name.startswith("//"):
        name = name.removeprefix("//")
    if not Path(name).is_absolute():
        raise MalformedInput("pin-source must be the absolute path of a file", hint="?pin-source=file:/path/of/pin")
    return name
