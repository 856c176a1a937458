"""A closed circle kept in a directory: encrypted keys, certificates, ledger.

    circle = create("pki/sm2", "sm2", organisation="江海贸易", country="CN", secrets=ask, clock=clock)
    circle = load("pki/sm2", ask, clock)
    timestamper(directory, circle, ask, clock)
    responders(directory, circle, ask, clock)

    create("pki/ca", "ecdsa-p256", …, keys="pkcs11:token=ca?module-path=…")       # keys in a token, or "sealed:?kek=…"

    circle.json    suite, addresses, keys, log   ledger.sqlite    everything prepared, issued, revoked
    audit.sqlite   the audit log (`certs.audit`), from creation on; an older circle gets one when it is next opened
    root.pem  root.key.pem   issuing.pem  issuing.key.pem   tsa.pem  tsa.key.pem   tsa-2.pem  tsa-2.key.pem …
    audit.pem  audit.key.pem
    tsa.counter    the last serial number and time of the time-stamping unit
    ocsp.key.pem   ocsp.pem  ocsp-root.pem       one key, certified by the issuing authority and by the root, and
                   ocsp-2.pem  ocsp-root-2.pem …  by their next generations; one of another suite has a key of its own

Keys are opened when first used, so issuing never touches the root's. `secrets` is asked for "password for root.key.pem"
and so on.
"""

from __future__ import annotations

import json
import re
import secrets as random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from certs import extensions, files, oids, profiles, suites
from certs.audit.checkpoint import Signer
from certs.audit.keys import AuditedKey
from certs.audit.ledger import AuditedLedger, snapshot
from certs.audit.log import AuditLog
from certs.ca import CRL_DAYS, ROOT_CRL_DAYS, Authority, ClosedCircle, generate, note_key
from certs.certificate import Certificate, Subject, load_certificate
from certs.clock import Clock
from certs.errors import AuditError, IssuanceError, KeyNotFound, KeyStoreError, MalformedInput
from certs.keys import file as key_file
from certs.keys import generate_key, open_key, pkcs11_uri, split_uri
from certs.keys.base import KeyHandle, Secrets
from certs.ledger import Ledger, SQLiteLedger
from certs.ocsp_responder import VALIDITY, OCSPResponder, Responders
from certs.status import ListPolicy
from certs.suites.base import PrivateKey, PublicKey, Suite
from certs.time_source import TimeSource
from certs.trust import TrustStore
from certs.tsa import DEFAULT_POLICY, TimeStampAuthority
from certs.tsa_counter import FileCounter

SCHEMA = "sealroad.circle/1"
LEDGER = "ledger.sqlite"
AUDIT = "audit.sqlite"
APPLICATIONS = "applications"
TSA_DAYS = 1095
"""Life of a time-stamping certificate: shorter than its issuer's, so that a key can be replaced before both end."""


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

    def sign(self, message: bytes) -> bytes:
        """Open the key if that has not been done, and sign. Raises what `open_key` raises."""
        return self.open().sign(message)


def key_uri(store: str, suite_name: str, name: str) -> str:
    """Return where key `name` of a circle is in `store`: a token's URI, or "sealed:?kek=…" for files in the directory.

    Files are named without their directory, so that it can be moved.

    Raises KeyNotFound, MalformedInput.
    """
    scheme, rest = split_uri(_lasting(store))
    if scheme == "pkcs11":
        uri = pkcs11_uri.parse(rest)
        made = uri.with_key(f"{uri.object or suite_name}-{name}")
        return str(made.with_suite(suite_name) if suite_name == "rsa-pss" else made)
    if scheme == "sealed":
        _, _, query = rest.partition("?")
        return f"sealed:{name}.sealed" + (f"?{query}" if query else "")
    return f"file:{name}.key.pem"


def _lasting(store: str) -> str:
    """Return the URI of a store as it goes into circle.json: it means the same in another working directory."""
    scheme, rest = split_uri(store)
    if scheme == "pkcs11":
        return str(pkcs11_uri.parse(rest))
    _, _, query = rest.partition("?")
    kind, _, path = query.removeprefix("kek=").partition(":")
    if kind == "file":
        query = f"kek=file:{Path(path).resolve()}"
    return f"{scheme}:" + (f"?{query}" if query else "")


def _in_place(uri: str, place: Path) -> str:
    scheme, rest = split_uri(uri)
    if scheme == "sealed":
        return f"sealed:{quote(str(place))}/{rest}"
    return f"file:{place / rest}" if scheme == "file" else uri


def save(
    circle: ClosedCircle,
    directory: str | Path,
    secrets: Secrets,
    *,
    keys: Mapping[str, str] | None = None,
    store: str | None = None,
) -> None:
    """Write keys, certificates and addresses of a new circle; its ledger must be the directory's (see `create`).

    `keys` says where the keys are that need not be written, `store` where later ones go. Raises KeyStoreError where
    the directory holds a circle already or cannot be written.
    """
    place = Path(directory)
    if (place / "circle.json").exists():
        raise KeyStoreError(f"{place} holds an authority already", hint="choose another directory")
    for name, authority in (("root", circle.root_authority), ("issuing", circle.issuing)):
        if keys is None and not isinstance(authority.key, PrivateKey):
            raise KeyStoreError("only keys in this process can be written to a directory")
        _save_pair(place, name, authority.key, authority.certificate, secrets)
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "suite": circle.suite_name,
        "crl_url": circle.crl_url,
        "issuer_url": circle.issuer_url,
        "ocsp_url": circle.ocsp_url,
        "lists": _lists_to_json(circle.issuing.lists.policy),
    }
    if keys is not None:
        values |= {"store": store, "keys": dict(keys)}
    log = log_of(circle)
    _write_values(place, values if log is None else noted(values, log))


def log_of(circle: ClosedCircle) -> AuditLog | None:
    """Return the audit log of a circle, None where its ledger keeps none."""
    ledger = circle.issuing.ledger
    return ledger.log if isinstance(ledger, AuditedLedger) else None


def new_books(place: Path, clock: Clock) -> AuditedLedger:
    """Return the ledger of a directory that holds no circle yet, with its log, which begins now where it has not."""
    log = AuditLog(place / AUDIT, clock)
    if not log.size:
        _begin(log, [])
    return AuditedLedger(SQLiteLedger(place / LEDGER), log)


def noted(values: dict[str, Any], log: AuditLog) -> dict[str, Any]:
    """Return the settings of circle.json with the name of the log, in which they are noted."""
    _note_configuration(log, values)
    return values | {"log": log.id}


def _begin(log: AuditLog, entries: list[tuple[str, dict[str, Any]]]) -> None:
    """Write the first entry, which names the log, and what follows it."""
    log.append_all([("created", {"nonce": random.token_hex(16)}), *entries])


def _note_configuration(log: AuditLog, values: dict[str, Any]) -> None:
    """Write an entry where the circle's settings are not those of the last one: they may have been edited by hand."""
    settings = {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for name, value in values.items()
        if name not in ("schema", "log") and value is not None
    }
    last = log.entries("configuration")
    if not last or last[-1].facts != settings:
        log.append("configuration", **settings)


def _audited(place: Path, values: dict[str, Any], ledger: Ledger, clock: Clock, issuers: tuple[str, ...]) -> Ledger:
    """Return `ledger` with the directory's log. Raises AuditError where the log is gone or another circle's."""
    known = values.get("log")
    if known is not None and not (place / AUDIT).exists():
        raise AuditError(
            f"the audit log {place / AUDIT} is gone", hint="restore it from a copy; nothing is done without"
        )
    log = AuditLog(place / AUDIT, clock)
    with log.turn():
        if not log.size and known is None:
            _begin(log, snapshot(ledger, issuers))
        if known is None:
            known = values["log"] = log.id
            _write_values(place, values)
        if log.id != known:
            raise AuditError(f"{place / AUDIT} is not the log this authority began with", hint="restore it from a copy")
        _note_configuration(log, values)
    return AuditedLedger(ledger, log)


def _save_pair(place: Path, name: str, key: KeyHandle, certificate: Certificate, secrets: Secrets) -> None:
    """Write a certificate, and its key where that is not in a store already."""
    if isinstance(key, PrivateKey):
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
    ocsp_url: str | None = None,
    tsa: bool = True,
    lists: ListPolicy | None = None,
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
    ledger = new_books(place, clock)
    if keys is None or split_uri(keys)[0] == "file":
        keys = None
        uris: dict[str, str] | None = None
        handles: dict[str, KeyHandle] = {}
    else:
        keys = _lasting(keys)
        names = ("root", "issuing", "ocsp", "tsa") if tsa else ("root", "issuing", "ocsp")
        uris = {name: key_uri(keys, suite_name, name) for name in names}
        handles = {
            name: generate_key(_in_place(uri, place), suite_name, secrets, parameter=parameter)
            for name, uri in uris.items()
        }
    for name, handle in handles.items():
        note_key(handle, name, ledger)
    circle = ClosedCircle.create(
        suite_name,
        organisation=organisation,
        country=country,
        clock=clock,
        ledger=ledger,
        parameter=parameter,
        crl_url=crl_url,
        issuer_url=issuer_url,
        ocsp_url=ocsp_url,
        root_key=handles.get("root"),
        issuing_key=handles.get("issuing"),
        lists=lists,
    )
    if tsa:
        subject = Subject(f"{organisation} Time-Stamping {suite_name.upper()}", organisation, country)
        key = handles.get("tsa") or generate(suites.get(suite_name), parameter, "tsa", ledger)
        certificate = circle.issue("tsa", subject, key.public_key.spki, days=TSA_DAYS)
        _save_pair(place, "tsa", key, certificate, secrets)
    save(circle, place, secrets, keys=uris, store=keys)
    shared = handles.get("ocsp") or _responder_key(place, "ocsp", circle.issuing, secrets)
    _responders(place, circle, shared, secrets, clock)
    return circle


def _values(place: Path) -> dict[str, Any]:
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
    """Return where a key of the circle is: a file unless circle.json says otherwise."""
    named = values.get("keys")
    if isinstance(named, dict) and isinstance(named.get(name), str):
        return _in_place(str(named[name]), place)
    return _in_place(f"file:{name}.key.pem", place)


def _new_key(
    place: Path, name: str, suite: Suite, secrets: Secrets, ledger: Ledger, parameter: str | None = None
) -> KeyHandle:
    """Make key `name` where the circle's keys go; one in this process is written by `_save_pair`.

    One in a store is on record in circle.json first: if this is cut short, `_taken` passes its name over.
    """
    values = _values(place)
    store = values.get("store")
    role = name.partition("-")[0]
    if not isinstance(store, str):
        return generate(suite, parameter, role, ledger)
    uri = key_uri(store, suite.name, name)
    _write_values(place, values | {"keys": {**values.get("keys", {}), name: uri}})
    key = generate_key(_in_place(uri, place), suite.name, secrets, parameter=parameter)
    note_key(key, role, ledger)
    return key


def _taken(place: Path, values: dict[str, Any], name: str) -> bool:
    return name in values.get("keys", {}) or (place / f"{name}.key.pem").exists()


def _write_values(place: Path, values: dict[str, Any]) -> None:
    files.write(place / "circle.json", (json.dumps(values, indent=1) + "\n").encode())


def load(directory: str | Path, secrets: Secrets, clock: Clock, *, ledger: Ledger | None = None) -> ClosedCircle:
    """Open the circle in `directory`. Raises KeyNotFound, MalformedInput, KeyStoreError, AuditError."""
    place = Path(directory)
    values = _values(place)
    names = _names(place, values)
    certificates = {
        name: _load_certificate(place / f"{name}.pem") for name in (names.root, names.issuing, *names.previous)
    }
    issuers = tuple(_id(certificate) for certificate in certificates.values())
    book = _audited(place, values, ledger or SQLiteLedger(place / LEDGER), clock, issuers)

    lists = _lists_from_json(values.get("lists"), place)
    root_lists = ListPolicy(life=timedelta(days=ROOT_CRL_DAYS))

    def authority(name: str, policy: ListPolicy) -> Authority:
        certificate = certificates[name]
        key: KeyHandle = LazyKey(_uri_of(values, place, name), certificate, secrets)
        return Authority(
            key,
            certificate,
            ledger=book,
            clock=clock,
            lists=policy,
            crl_url=values.get("crl_url"),
            issuer_url=values.get("issuer_url"),
            ocsp_url=values.get("ocsp_url"),
        )

    names = _names(place, values)
    return ClosedCircle(
        str(values.get("suite")),
        authority(names.root, root_lists),
        authority(names.issuing, lists),
        values.get("crl_url"),
        values.get("issuer_url"),
        values.get("ocsp_url"),
        tuple(authority(name, root_lists if name.startswith("root") else lists) for name in names.previous),
    )


@dataclass(frozen=True)
class Names:
    """Which files hold the present generation, and which the earlier ones: circle.json says it after a rollover."""

    root: str
    issuing: str
    previous: tuple[str, ...]


def _names(place: Path, values: dict[str, Any]) -> Names:
    previous = values.get("previous", [])
    if not isinstance(previous, list):
        raise MalformedInput(f"{place / 'circle.json'}: previous is a list")
    found = (values.get("root", "root"), values.get("issuing", "issuing"), *previous)
    if not all(isinstance(name, str) and re.fullmatch(r"(root|issuing)(-[0-9]{1,4})?", name) for name in found):
        raise MalformedInput(f"{place / 'circle.json'} names files that are none of a circle's")
    return Names(found[0], found[1], tuple(found[2:]))


def _id(certificate: Certificate) -> str:
    return (certificate.ski or extensions.key_id(certificate.spki)).hex()


def _lists_to_json(policy: ListPolicy) -> dict[str, object]:
    return {
        "life": policy.life.total_seconds(),
        "overlap": None if policy.overlap is None else policy.overlap.total_seconds(),
        "delta_life": None if policy.delta_life is None else policy.delta_life.total_seconds(),
        "partitions": policy.partitions,
    }


def _lists_from_json(values: object, place: Path) -> ListPolicy:
    """Return the policy in circle.json; one of an earlier version has none."""
    if values is None:
        return ListPolicy(life=timedelta(days=CRL_DAYS))
    try:
        assert isinstance(values, dict)
        life, overlap, delta = (
            None if values[name] is None else timedelta(seconds=values[name])
            for name in ("life", "overlap", "delta_life")
        )
        assert life is not None
        return ListPolicy(life, overlap, int(values["partitions"]), delta)
    except (AssertionError, KeyError, TypeError, ValueError, OverflowError, IssuanceError) as error:
        raise MalformedInput(f"{place / 'circle.json'} says nothing sensible about lists") from error


def _load_certificate(path: Path) -> Certificate:
    try:
        return load_certificate(path.read_bytes())
    except OSError as error:
        raise KeyNotFound(f"{path} cannot be read: {error.strerror}") from error


def timestamper(
    directory: str | Path,
    circle: ClosedCircle,
    secrets: Secrets,
    clock: Clock,
    *,
    policy_oid: str = DEFAULT_POLICY,
    time_source: TimeSource | None = None,
    outer_oid: str = oids.SIGNED_DATA,
    batch: int = 1,
) -> TimeStampAuthority:
    """Open the directory's time-stamping authority, with its newest key. Raises KeyNotFound where it has none.

    Its serial numbers and times go on in `tsa.counter` whatever its key: no two tokens have the same.
    `batch` is how many time-stamps share an entry of the audit log (`certs.audit.keys`).
    """
    place = Path(directory)
    name = _tsa_names(place)[-1]
    certificate = _load_certificate(place / f"{name}.pem")
    present = circle.issuing.certificate
    issuer = next((each.certificate for each in circle.authorities if each.certificate.ski == certificate.aki), present)
    key: KeyHandle = LazyKey(_uri_of(_values(place), place, name), certificate, secrets)
    log = log_of(circle)
    if log is not None:
        key = AuditedKey(key, log, purpose="time-stamp", batch=batch)
    return TimeStampAuthority(
        key,
        certificate,
        (issuer,),
        clock,
        policy_oid,
        FileCounter(place / "tsa.counter"),
        ordering=True,
        time_source=time_source,
        outer_oid=outer_oid,
    )


def _tsa_names(place: Path) -> list[str]:
    """Return tsa, tsa-2, tsa-3 …: those whose certificate is written. A key without one was never used."""
    numbered = ((int(path.stem[4:]), path.stem) for path in place.glob("tsa-*.pem") if path.stem[4:].isdigit())
    return ["tsa", *(name for _, name in sorted(numbered))]


def rotation_due(directory: str | Path, circle: ClosedCircle, now: datetime) -> bool:
    """Tell whether the time-stamping key should be replaced: less than a third of its certificate's life is left.

    What it stamps last can then be verified, and stamped again, long before the certificate ends. Never where a new
    certificate would end no later, because the issuing authority itself does.
    """
    place = Path(directory)
    certificate = _load_certificate(place / f"{_tsa_names(place)[-1]}.pem")
    if circle.issuing.certificate.not_after - certificate.not_after < timedelta(days=1):
        return False
    return now > certificate.not_after - (certificate.not_after - certificate.not_before) / 3


def rotate_tsa(
    directory: str | Path, circle: ClosedCircle, secrets: Secrets, *, parameter: str | None = None
) -> Certificate:
    """Give the time-stamping authority a new key and certificate, and return the certificate.

    The old files stay. The certificate is written last: until then, and if the process dies, the old key is in use.
    `timestamper` opens the new one. Raises KeyNotFound, KeyStoreError.
    """
    place = Path(directory)
    names = _tsa_names(place)
    previous = _load_certificate(place / f"{names[-1]}.pem")
    number, reserved = int(names[-1][4:] or 1) + 1, _values(place).get("keys", {})
    while f"tsa-{number}" in reserved:  # of a rotation that was cut short, and so is the file: nothing was certified
        number += 1
    name = f"tsa-{number}"
    (place / f"{name}.key.pem").unlink(missing_ok=True)
    public = previous.public_key()
    key = _new_key(place, name, public.suite, secrets, circle.issuing.ledger, parameter or public.parameter)
    subject = Subject(
        previous.common_name or "Time-Stamping", previous.organisation, previous.subject_name.first(oids.COUNTRY)
    )
    certificate = circle.issue("tsa", subject, key.public_key.spki, days=TSA_DAYS)
    _save_pair(place, name, key, certificate, secrets)
    return _load_certificate(place / f"{name}.pem")


def roll_over(
    directory: str | Path, secrets: Secrets, clock: Clock, *, root: bool = False, suite: str | None = None
) -> ClosedCircle:
    """Begin the next generation of the issuing authority, with `root` of the root too, and return the circle.

    New keys are written under new names first, circle.json last: killed in between, the old generation stays in use.
    Nothing is overwritten. A new root leaves root-N.new-with-old.pem and root-N.old-with-new.pem, by which those who
    trust one generation reach the other (RFC 4210 4.4). The earlier generation still revokes and signs its lists.
    """
    from certs import relations

    place = Path(directory)
    values = _values(place)
    names = _names(place, values)
    now = load(place, secrets, clock)
    crl_url, issuer_url = now.crl_url, now.issuer_url
    ledger = now.issuing.ledger
    chosen = suites.get(suite or now.suite_name)
    upper = now.root_authority
    if root:
        root_name = _next_name(place, "root")
        key = _new_key(place, root_name, chosen, secrets, ledger)
        links = relations.next_root(upper, key, clock=clock, ledger=ledger, crl_url=crl_url, issuer_url=issuer_url)
        names = Names(root_name, names.issuing, (*names.previous, names.root))
        _save_pair(place, names.root, key, links.root, secrets)
        files.write(place / f"{names.root}.new-with-old.pem", links.new_with_old.pem.encode())
        files.write(place / f"{names.root}.old-with-new.pem", links.old_with_new.pem.encode())
        upper = Authority(
            key,
            links.root,
            ledger=ledger,
            clock=clock,
            crl_url=crl_url,
            issuer_url=issuer_url,
            ocsp_url=now.ocsp_url,
        )
    issuing_name = _next_name(place, "issuing")
    key = _new_key(place, issuing_name, chosen, secrets, ledger)
    subject = Subject.of(now.issuing.certificate.subject_name)
    plan = upper.prepare(profiles.load("issuing"), subject, key.public_key.spki)
    names = Names(names.root, issuing_name, (*names.previous, names.issuing))
    _save_pair(place, names.issuing, key, upper.issue(plan), secrets)
    values = _values(place)
    values |= {"root": names.root, "issuing": names.issuing, "previous": list(names.previous), "suite": chosen.name}
    _write_values(place, values)
    return load(place, secrets, clock)


def _next_name(place: Path, kind: str) -> str:
    values = _values(place)
    return next(name for name in (f"{kind}-{n}" for n in range(2, 10_000)) if not _taken(place, values, name))


RENEW = 3
"""A responder's certificate is made anew when less than a third of its life is left."""
ROOT_RESPONDER_DAYS = ROOT_CRL_DAYS
"""As long as the root's list: its key need not be at hand more often for the one than for the other."""


def responders(
    directory: str | Path,
    circle: ClosedCircle,
    secrets: Secrets,
    clock: Clock,
    *,
    validity: timedelta = VALIDITY,
    batch: int = 1,
) -> Responders:
    """Open the directory's OCSP responders: one for every generation of both authorities, with a key of its suite.

    What is missing (as in a directory made before there were responders) or nears its end is made now; ask again at
    `renewal_due`. An authority whose key is not at hand, and which certified no responder before, has none; the issuing
    authority must have one. `batch` is as in `timestamper`. Raises KeyNotFound, WrongPassword, KeyStoreError and what
    issuing raises.
    """
    place = Path(directory)
    shared = _responder_key(place, "ocsp", circle.issuing, secrets)
    return _responders(place, circle, shared, secrets, clock, validity, batch)


def _responders(
    place: Path,
    circle: ClosedCircle,
    shared: KeyHandle,
    secrets: Secrets,
    clock: Clock,
    validity: timedelta = VALIDITY,
    batch: int = 1,
) -> Responders:
    log = log_of(circle)

    def audited(key: KeyHandle) -> KeyHandle:
        return key if log is None else AuditedKey(key, log, purpose="ocsp", batch=batch)

    sharing = audited(shared)
    found, now = [], clock.now()
    names = _names(place, _values(place))
    known = {
        _load_certificate(place / f"{name}.pem").spki: name for name in (names.root, names.issuing, *names.previous)
    }
    for authority in circle.authorities:
        own = authority.certificate
        name = known[own.spki]
        days = ROOT_RESPONDER_DAYS if name.startswith("root") else None
        key = sharing
        if own.suite_name != shared.suite.name:  # after a rollover to another suite
            key = audited(_responder_key(place, _responder_name(name), authority, secrets))
        path, certificate = place / f"{_responder_name(name)}.pem", None
        if path.exists():
            certificate = _load_certificate(path)
        if (certificate is None or now >= _renewal_of(certificate)) and now < own.not_after:
            if _at_hand(authority.key):
                certificate = _certify_responder(path, key.public_key, authority, days)
            elif certificate is None and authority is circle.issuing:
                raise KeyNotFound(f"{place} has no key to certify its OCSP responder")
        if certificate is not None:
            found.append(OCSPResponder(key, certificate, own, authority.ledger, clock, validity=validity))
    return Responders(found)


def _responder_name(authority: str) -> str:
    """Return ocsp-2 for issuing-2, ocsp-root-2 for root-2, and so on."""
    return authority.replace("issuing", "ocsp") if authority.startswith("issuing") else f"ocsp-{authority}"


def _at_hand(key: KeyHandle) -> bool:
    """Tell whether a key can sign, by opening it: a file may be gone, a token unplugged."""
    if isinstance(key, LazyKey):
        try:
            key.open()
        except KeyNotFound:
            return False
    return True


def renewal_due(found: Responders) -> datetime:
    """Return when `responders` should be called again."""
    return min(_renewal_of(each.certificate) for each in found.responders)


def _renewal_of(certificate: Certificate) -> datetime:
    return certificate.not_after - (certificate.not_after - certificate.not_before) / RENEW


def _responder_key(place: Path, name: str, authority: Authority, secrets: Secrets) -> KeyHandle:
    """Return the key; by its certificate where there is one, so that the file is opened only to sign."""
    path, values = place / f"{name}.key.pem", _values(place)
    if _taken(place, values, name):
        uri = _uri_of(values, place, name)
        if (place / f"{name}.pem").exists():
            return LazyKey(uri, _load_certificate(place / f"{name}.pem"), secrets)
        return open_key(uri, secrets)
    public = authority.certificate.public_key()
    key = _new_key(place, name, public.suite, secrets, authority.ledger, public.parameter)
    if not isinstance(key, PrivateKey):
        return key
    try:
        key_file.save(path, key, secrets(f"password for {path.name}") or None)
    except KeyStoreError:
        if path.exists():  # another process was quicker
            return key_file.open_uri(str(path), secrets)
        raise
    return key


def _certify_responder(path: Path, key: PublicKey, authority: Authority, days: int | None) -> Certificate:
    own = authority.certificate
    subject = Subject(f"OCSP {own.common_name or ''}".strip(), own.organisation, own.subject_name.first(oids.COUNTRY))
    certificate = authority.issue(authority.prepare(profiles.load("ocsp"), subject, key.spki, days=days))
    try:
        files.write(path, certificate.pem.encode())
    except OSError as error:
        raise KeyStoreError(f"{path} cannot be written: {error.strerror}") from error
    return certificate


def auditor(directory: str | Path, circle: ClosedCircle, secrets: Secrets) -> Signer:
    """Open the key that signs checkpoints of the audit log; it is made and certified when it is first wanted.

    Raises KeyStoreError, WrongPassword and what issuing raises.
    """
    place = Path(directory)
    if not (place / "audit.pem").exists():
        own = circle.issuing.certificate
        key = _audit_key(place, circle, secrets)
        subject = Subject(
            f"{own.organisation} Audit Log {circle.suite_name.upper()}",
            own.organisation,
            own.subject_name.first(oids.COUNTRY),
        )
        certificate = circle.issue("audit", subject, key.public_key.spki)
        files.write(place / "audit.pem", certificate.pem.encode())
    certificate = _load_certificate(place / "audit.pem")
    key = LazyKey(_uri_of(_values(place), place, "audit"), certificate, secrets)
    return Signer(key, certificate, tuple(each.certificate for each in circle.authorities))


def _audit_key(place: Path, circle: ClosedCircle, secrets: Secrets) -> KeyHandle:
    values = _values(place)
    if _taken(place, values, "audit"):  # made by a process that did not get to the certificate
        try:
            return open_key(_uri_of(values, place, "audit"), secrets)
        except KeyNotFound:
            pass
    parameter = circle.issuing.certificate.public_key().parameter
    key = _new_key(place, "audit", circle.issuing.key.suite, secrets, circle.issuing.ledger, parameter)
    if isinstance(key, PrivateKey):
        key_file.save(place / "audit.key.pem", key, secrets("password for audit.key.pem") or None)
    return key


@dataclass(frozen=True)
class Books:
    """What an auditor needs of a directory: no key and no password."""

    log: AuditLog
    ledger: Ledger
    issuers: tuple[str, ...]
    store: TrustStore
    """The directory's roots, of every generation."""
    expected_log: str | None
    """The log that the circle says it has."""


def books(directory: str | Path, clock: Clock) -> Books:
    """Open the books of the circle in `directory` and change nothing in them.

    Raises KeyNotFound, MalformedInput, KeyStoreError or AuditError.
    """
    place = Path(directory)
    values = _values(place)
    for name in (AUDIT, LEDGER):
        if not (place / name).exists():
            raise AuditError(f"{place / name} is missing")
    names = _names(place, values)
    roots = [_load_certificate(place / f"{name}.pem") for name in _generations(names, "root")]
    issuing = [_load_certificate(place / f"{name}.pem") for name in _generations(names, "issuing")]
    return Books(
        AuditLog(place / AUDIT, clock),
        SQLiteLedger(place / LEDGER),
        tuple(_id(certificate) for certificate in (*roots, *issuing)),
        TrustStore().with_(tuple(roots)),
        values.get("log"),
    )


def _generations(names: Names, kind: str) -> list[str]:
    return [name for name in (names.root, names.issuing, *names.previous) if name.partition("-")[0] == kind]
