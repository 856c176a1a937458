"""A closed circle kept in a directory: encrypted keys, certificates, ledger.

    circle = create("pki/sm2", "sm2", organisation="江海贸易", country="CN", secrets=ask, clock=clock)
    circle = load("pki/sm2", ask, clock)
    timestamper(directory, circle, ask, clock)
    responders(directory, circle, ask, clock)

    circle.json    suite, addresses, log         ledger.sqlite    everything prepared, issued, revoked
    audit.sqlite   the audit log (`certs.audit`), from creation on; an older circle gets one when it is next opened
    root.pem  root.key.pem   issuing.pem  issuing.key.pem   tsa.pem  tsa.key.pem   tsa-2.pem  tsa-2.key.pem …
    audit.pem  audit.key.pem
    tsa.counter    the last serial number and time of the time-stamping unit
    ocsp.key.pem   ocsp.pem  ocsp-root.pem       one key, certified by the issuing authority and by the root

Keys are opened when first used, so issuing never touches the root's. `secrets` is asked for "password for root.key.pem"
and so on.
"""

from __future__ import annotations

import json
import re
import secrets as random
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from certs import extensions, files, oids, profiles, suites
from certs.audit.checkpoint import Signer
from certs.audit.keys import AuditedKey
from certs.audit.ledger import AuditedLedger, snapshot
from certs.audit.log import AuditLog
from certs.ca import CRL_DAYS, ROOT_CRL_DAYS, Authority, ClosedCircle, generate
from certs.certificate import Certificate, Subject, load_certificate
from certs.clock import Clock
from certs.errors import AuditError, IssuanceError, KeyNotFound, KeyStoreError, MalformedInput
from certs.keys import file as key_file
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
    """A key in a file that is opened when it first signs. Satisfies KeyHandle."""

    def __init__(self, path: Path, certificate: Certificate, secrets: Secrets) -> None:
        self._path, self._secrets = path, secrets
        self._public = certificate.public_key()
        self._key: PrivateKey | None = None
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
        """Open the file if that has not been done, and sign."""
        with self._lock:
            if self._key is None:
                key = key_file.open_uri(str(self._path), self._secrets)
                if key.suite.name != self._public.suite.name:
                    raise KeyStoreError(f"{self._path.name} does not belong to its certificate")
                self._key = key
        return self._key.sign(message)


def save(circle: ClosedCircle, directory: str | Path, secrets: Secrets) -> None:
    """Write keys, certificates and addresses of a new circle; its ledger must be the directory's (see `create`).

    Raises KeyStoreError where the directory holds a circle already or cannot be written.
    """
    place = Path(directory)
    if (place / "circle.json").exists():
        raise KeyStoreError(f"{place} holds an authority already", hint="choose another directory")
    for name, authority in (("root", circle.root_authority), ("issuing", circle.issuing)):
        key = authority.key
        if not isinstance(key, PrivateKey):
            raise KeyStoreError("only keys in this process can be written to a directory")
        _save_pair(place, name, key, authority.certificate, secrets)
    values = {
        "schema": SCHEMA,
        "suite": circle.suite_name,
        "crl_url": circle.crl_url,
        "issuer_url": circle.issuer_url,
        "ocsp_url": circle.ocsp_url,
        "lists": _lists_to_json(circle.issuing.lists.policy),
    }
    log = log_of(circle)
    if log is not None:
        _note_configuration(log, values)
        values["log"] = log.id
    _write_values(place, values)


def _write_values(place: Path, values: dict[str, Any]) -> None:
    files.write(place / "circle.json", (json.dumps(values, indent=1) + "\n").encode())


def log_of(circle: ClosedCircle) -> AuditLog | None:
    """Return the audit log of a circle, None where its ledger keeps none."""
    ledger = circle.issuing.ledger
    return ledger.log if isinstance(ledger, AuditedLedger) else None


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
    ocsp_url: str | None = None,
    tsa: bool = True,
    lists: ListPolicy | None = None,
) -> ClosedCircle:
    """Make a circle in an empty or new directory, with a time-stamping authority unless `tsa` is false."""
    place = Path(directory)
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyStoreError(f"{place} cannot be made: {error.strerror}") from error
    if any(place.iterdir()):
        raise KeyStoreError(f"{place} is not empty", hint="choose a new directory for an authority")
    log = AuditLog(place / AUDIT, clock)
    _begin(log, [])
    ledger = AuditedLedger(SQLiteLedger(place / LEDGER), log)
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
        lists=lists,
    )
    if tsa:
        key = generate(circle.issuing.key.suite, parameter, "tsa", ledger)
        subject = Subject(f"{organisation} Time-Stamping {suite_name.upper()}", organisation, country)
        _save_pair(place, "tsa", key, circle.issue("tsa", subject, key.public_key.spki, days=TSA_DAYS), secrets)
    save(circle, place, secrets)
    responders(place, circle, secrets, clock)
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
        key: KeyHandle = LazyKey(place / f"{name}.key.pem", certificate, secrets)
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
    key: KeyHandle = LazyKey(place / f"{name}.key.pem", certificate, secrets)
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
    name = f"tsa-{int(names[-1][4:] or 1) + 1}"
    (place / f"{name}.key.pem").unlink(missing_ok=True)  # of a rotation that was cut short; nothing was certified
    public = previous.public_key()
    key = generate(public.suite, parameter or public.parameter, "tsa", circle.issuing.ledger)
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
        key = generate(chosen, None, "root", ledger)
        links = relations.next_root(upper, key, clock=clock, ledger=ledger, crl_url=crl_url, issuer_url=issuer_url)
        names = Names(_next_name(place, "root"), names.issuing, (*names.previous, names.root))
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
    key = generate(chosen, None, "issuing", ledger)
    subject = Subject.of(now.issuing.certificate.subject_name)
    plan = upper.prepare(profiles.load("issuing"), subject, key.public_key.spki)
    names = Names(names.root, _next_name(place, "issuing"), (*names.previous, names.issuing))
    _save_pair(place, names.issuing, key, upper.issue(plan), secrets)
    values |= {"root": names.root, "issuing": names.issuing, "previous": list(names.previous), "suite": chosen.name}
    _write_values(place, values)
    return load(place, secrets, clock)


def _next_name(place: Path, kind: str) -> str:
    return next(name for name in (f"{kind}-{n}" for n in range(2, 10_000)) if not (place / f"{name}.key.pem").exists())


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
    """Open the directory's OCSP responders, of the issuing authority and of the root: one key, two certificates.

    What is missing (as in a directory made before there were responders) or nears its end is made now; ask again at
    `renewal_due`. Where the root's key is not at hand and its responder has no certificate, the root has no responder.
    `batch` is as in `timestamper`. Raises KeyNotFound, WrongPassword, KeyStoreError and what issuing raises.
    """
    place = Path(directory)
    key = _responder_key(place, circle, secrets)
    log = log_of(circle)
    signing: KeyHandle = key if log is None else AuditedKey(key, log, purpose="ocsp", batch=batch)
    found = []
    for name, tier, authority, days in (
        ("ocsp", "issuing", circle.issuing, None),
        ("ocsp-root", "root", circle.root_authority, ROOT_RESPONDER_DAYS),
    ):
        path, certificate = place / f"{name}.pem", None
        if path.exists():
            certificate = _load_certificate(path)
        if certificate is None or clock.now() >= _renewal_of(certificate):
            if (place / f"{tier}.key.pem").exists():
                certificate = _certify_responder(path, key.public_key, authority, days)
            elif certificate is None and authority is circle.issuing:
                raise KeyNotFound(f"{place} has no key to certify its OCSP responder")
        if certificate is not None:
            own = authority.certificate
            found.append(OCSPResponder(signing, certificate, own, authority.ledger, clock, validity=validity))
    return Responders(found)


def renewal_due(found: Responders) -> datetime:
    """Return when `responders` should be called again."""
    return min(_renewal_of(each.certificate) for each in found.responders)


def _renewal_of(certificate: Certificate) -> datetime:
    return certificate.not_after - (certificate.not_after - certificate.not_before) / RENEW


def _responder_key(place: Path, circle: ClosedCircle, secrets: Secrets) -> KeyHandle:
    """Return the key; by its certificate where there is one, so that the file is opened only to sign."""
    path = place / "ocsp.key.pem"
    if path.exists():
        if (place / "ocsp.pem").exists():
            return LazyKey(path, _load_certificate(place / "ocsp.pem"), secrets)
        return key_file.open_uri(str(path), secrets)
    parameter = circle.issuing.certificate.public_key().parameter
    key = generate(suites.get(circle.suite_name), parameter, "ocsp", circle.issuing.ledger)
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
    path = place / "audit.key.pem"
    if not (place / "audit.pem").exists():
        own = circle.issuing.certificate
        if path.exists():  # made by a process that did not get to the certificate
            key = key_file.open_uri(str(path), secrets)
        else:
            parameter = own.public_key().parameter
            key = generate(circle.issuing.key.suite, parameter, "audit", circle.issuing.ledger)
            key_file.save(path, key, secrets(f"password for {path.name}") or None)
        subject = Subject(
            f"{own.organisation} Audit Log {circle.suite_name.upper()}",
            own.organisation,
            own.subject_name.first(oids.COUNTRY),
        )
        certificate = circle.issue("audit", subject, key.public_key.spki)
        files.write(place / "audit.pem", certificate.pem.encode())
    certificate = _load_certificate(place / "audit.pem")
    return Signer(LazyKey(path, certificate, secrets), certificate, circle.chain)


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
