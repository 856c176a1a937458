"""A closed circle kept in a directory: encrypted keys, certificates, ledger.

    circle = create("pki/sm2", "sm2", organisation="江海贸易", country="CN", secrets=ask, clock=clock)
    circle = load("pki/sm2", ask, clock)
    timestamper(directory, circle, ask, clock)

    create("pki/ca", "ecdsa-p256", …, keys="pkcs11:token=ca?module-path=…")       # keys in a token, or "sealed:?kek=…"

    circle.json    suite, addresses, keys        ledger.sqlite    everything prepared, issued, revoked
    root.pem  root.key.pem   issuing.pem  issuing.key.pem   tsa.pem  tsa.key.pem

Keys are opened when first used, so issuing never touches the root's. `secrets` is asked for "password for root.key.pem"
and so on.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from certs import files, suites
from certs.ca import CRL_DAYS, ROOT_CRL_DAYS, Authority, ClosedCircle
from certs.certificate import Certificate, Subject, load_certificate
from certs.clock import Clock
from certs.errors import KeyNotFound, KeyStoreError, MalformedInput
from certs.keys import file as key_file
from certs.keys import generate_key, open_key, pkcs11_uri, split_uri
from certs.keys.base import KeyHandle, Secrets
from certs.ledger import Ledger, SQLiteLedger
from certs.suites.base import PrivateKey, PublicKey, Suite
from certs.tsa import DEFAULT_POLICY, TimeStampAuthority

SCHEMA = "sealroad.circle/1"
LEDGER = "ledger.sqlite"


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

    def sign(self, message: bytes) -> bytes:
        """Open the key if that has not been done, and sign. Raises what `open_key` raises."""
        with self._lock:
            if self._key is None:
                key = open_key(self._uri, self._secrets)
                if key.suite.name != self._public.suite.name:
                    raise KeyStoreError("the key does not belong to its certificate")
                self._key = key
        return self._key.sign(message)


def key_uri(store: str, suite_name: str, name: str) -> str:
    """Return where key `name` of a circle is in `store`: a token's URI, or "sealed:?kek=…" for files in the directory.

    Files are named without their directory, so that it can be moved.

    Raises KeyNotFound, MalformedInput.
    """
    scheme, rest = split_uri(store)
    if scheme == "pkcs11":
        uri = pkcs11_uri.parse(rest)
        made = uri.with_key(f"{uri.object or suite_name}-{name}")
        return str(made.with_suite(suite_name) if suite_name == "rsa-pss" else made)
    if scheme == "sealed":
        _, _, query = rest.partition("?")
        kind, _, path = query.removeprefix("kek=").partition(":")
        if kind == "file":
            query = f"kek=file:{Path(path).resolve()}"
        return f"sealed:{name}.sealed" + (f"?{query}" if query else "")
    return f"file:{name}.key.pem"


def _in_place(uri: str, place: Path) -> str:
    scheme, rest = split_uri(uri)
    if scheme == "sealed":
        return f"sealed:{quote(str(place))}/{rest}"
    return f"file:{place / rest}" if scheme == "file" else uri


def save(
    circle: ClosedCircle, directory: str | Path, secrets: Secrets, *, keys: Mapping[str, str] | None = None
) -> None:
    """Write keys, certificates and addresses of a new circle; its ledger must be the directory's (see `create`).

    `keys` says where the keys are that need not be written. Raises KeyStoreError where the directory holds a circle
    already or cannot be written.
    """
    place = Path(directory)
    if (place / "circle.json").exists():
        raise KeyStoreError(f"{place} holds an authority already", hint="choose another directory")
    for name, authority in (("root", circle.root_authority), ("issuing", circle.issuing)):
        if keys is not None:
            files.write(place / f"{name}.pem", authority.certificate.pem.encode())
            continue
        key = authority.key
        if not isinstance(key, PrivateKey):
            raise KeyStoreError("only keys in this process can be written to a directory")
        _save_pair(place, name, key, authority.certificate, secrets)
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "suite": circle.suite_name,
        "crl_url": circle.crl_url,
        "issuer_url": circle.issuer_url,
    }
    if keys is not None:
        values["keys"] = dict(keys)
    files.write(place / "circle.json", (json.dumps(values, indent=1) + "\n").encode())


def _save_pair(place: Path, name: str, key: PrivateKey, certificate: Certificate, secrets: Secrets) -> None:
    path = place / f"{name}.key.pem"
    key_file.save(path, key, secrets(f"password for {path.name}") or None)
    files.write(place / f"{name}.pem", certificate.pem.encode())


def create(
    directory: str | Path,
    suite_name: str,
    *,
    organisation: str,
    country: str,
    secrets: Secrets,
    clock: Clock,
    parameter: str | None = None,
    crl_url: str | None = None,
    issuer_url: str | None = None,
    tsa: bool = True,
    keys: str | None = None,
) -> ClosedCircle:
    """Make a circle in an empty or new directory, with a time-stamping authority unless `tsa` is false.

    `keys` is a store for the keys (see `key_uri`); without it they are encrypted files in the directory.
    """
    place = Path(directory)
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyStoreError(f"{place} cannot be made: {error.strerror}") from error
    if any(place.iterdir()):
        raise KeyStoreError(f"{place} is not empty", hint="choose a new directory for an authority")
    if keys is None:
        uris: dict[str, str] | None = None
        handles: dict[str, KeyHandle] = {}
    else:
        names = ("root", "issuing", "tsa") if tsa else ("root", "issuing")
        uris = {name: key_uri(keys, suite_name, name) for name in names}
        handles = {
            name: generate_key(_in_place(uri, place), suite_name, secrets, parameter=parameter)
            for name, uri in uris.items()
        }
    circle = ClosedCircle.create(
        suite_name,
        organisation=organisation,
        country=country,
        clock=clock,
        ledger=SQLiteLedger(place / LEDGER),
        parameter=parameter,
        crl_url=crl_url,
        issuer_url=issuer_url,
        root_key=handles.get("root"),
        issuing_key=handles.get("issuing"),
    )
    if tsa:
        subject = Subject(f"{organisation} Time-Stamping {suite_name.upper()}", organisation, country)
        if "tsa" in handles:
            certificate = circle.issue("tsa", subject, handles["tsa"].public_key.spki)
            files.write(place / "tsa.pem", certificate.pem.encode())
        else:
            key = suites.get(suite_name).generate(parameter)
            _save_pair(place, "tsa", key, circle.issue("tsa", subject, key.public_key.spki), secrets)
    save(circle, place, secrets, keys=uris)
    return circle


def _read(place: Path) -> dict[str, Any]:
    try:
        values = json.loads((place / "circle.json").read_text("utf-8"))
    except OSError as error:
        raise KeyNotFound(f"{place} holds no authority", hint="make one with 'sealroad ca init'") from error
    except ValueError as error:
        raise MalformedInput(f"{place / 'circle.json'} is no JSON") from error
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise MalformedInput(f"{place / 'circle.json'} is not of schema {SCHEMA}")
    return values


def _uri_of(values: dict[str, Any], place: Path, name: str) -> str:
    """Return where a key of the circle is; circles made before tokens have none of it in circle.json."""
    named = values.get("keys")
    if isinstance(named, dict) and isinstance(named.get(name), str):
        return _in_place(str(named[name]), place)
    return _in_place(f"file:{name}.key.pem", place)


def load(directory: str | Path, secrets: Secrets, clock: Clock, *, ledger: Ledger | None = None) -> ClosedCircle:
    """Open the circle in `directory`. Raises KeyNotFound, MalformedInput, KeyStoreError."""
    place = Path(directory)
    values = _read(place)
    book = ledger or SQLiteLedger(place / LEDGER)

    def authority(name: str, crl_days: int) -> Authority:
        certificate = _load_certificate(place / f"{name}.pem")
        key: KeyHandle = LazyKey(_uri_of(values, place, name), certificate, secrets)
        return Authority(
            key,
            certificate,
            ledger=book,
            clock=clock,
            crl_days=crl_days,
            crl_url=values.get("crl_url"),
            issuer_url=values.get("issuer_url"),
        )

    return ClosedCircle(
        str(values.get("suite")),
        authority("root", ROOT_CRL_DAYS),
        authority("issuing", CRL_DAYS),
        values.get("crl_url"),
        values.get("issuer_url"),
    )


def _load_certificate(path: Path) -> Certificate:
    try:
        return load_certificate(path.read_bytes())
    except OSError as error:
        raise KeyNotFound(f"{path} cannot be read: {error.strerror}") from error


def timestamper(
    directory: str | Path, circle: ClosedCircle, secrets: Secrets, clock: Clock, *, policy_oid: str = DEFAULT_POLICY
) -> TimeStampAuthority:
    """Open the directory's time-stamping authority. Raises KeyNotFound where it has none."""
    place = Path(directory)
    certificate = _load_certificate(place / "tsa.pem")
    key = LazyKey(_uri_of(_read(place), place, "tsa"), certificate, secrets)
    return TimeStampAuthority(key, certificate, (circle.issuing.certificate,), clock, policy_oid)
