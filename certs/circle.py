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
    checkpoints/   signed states of the log, by the number of entries they cover
    tsa.counter    the last serial number and time of the time-stamping unit
    ocsp.key.pem   ocsp.pem  ocsp-root.pem       one key, certified by the issuing authority and by the root, and
                   ocsp-2.pem  ocsp-root-2.pem …  by their next generations; one of another suite has a key of its own

Keys are opened when first used, so issuing never touches the root's. `secrets` is asked for "password for root.key.pem"
and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from certs import files, profiles, suites
from certs.ca import ROOT_CRL_DAYS, Authority, ClosedCircle, generate, note_key
from certs.certificate import Certificate, Subject
from certs.circle_books import Books, audited, auditor, books, log_of, new_books, noted
from certs.circle_checkpoints import checkpoint, checkpoint_due, checkpoints_beside, write_checkpoint
from certs.circle_files import (
    APPLICATIONS,
    AUDIT,
    LEDGER,
    SCHEMA,
    Names,
    certificate_id,
    generations,
    lists_from_json,
    lists_to_json,
    load_certificate_file,
    names_in,
    values_of,
    write_values,
)
from certs.circle_keys import LazyKey, in_place, key_uri, lasting, new_key, next_name, save_pair, uri_of
from certs.circle_units import (
    RENEW,
    ROOT_RESPONDER_DAYS,
    TSA_DAYS,
    open_responders,
    renewal_due,
    responder_key,
    responders,
    rotate_tsa,
    rotation_due,
    timestamper,
)
from certs.clock import Clock
from certs.errors import KeyStoreError
from certs.keys import generate_key, split_uri
from certs.keys.base import KeyHandle, Secrets
from certs.ledger import Ledger, SQLiteLedger
from certs.lint_issuer import issuers_of
from certs.status import ListPolicy
from certs.suites.base import PrivateKey

__all__ = [
    "APPLICATIONS",
    "AUDIT",
    "LEDGER",
    "RENEW",
    "ROOT_RESPONDER_DAYS",
    "SCHEMA",
    "TSA_DAYS",
    "Books",
    "LazyKey",
    "Names",
    "auditor",
    "books",
    "checkpoint",
    "checkpoint_due",
    "checkpoints_beside",
    "create",
    "key_uri",
    "load",
    "log_of",
    "new_books",
    "noted",
    "renewal_due",
    "responders",
    "roll_over",
    "rotate_tsa",
    "rotation_due",
    "save",
    "timestamper",
    "write_checkpoint",
]


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
        keys = lasting(keys)
        names = ("root", "issuing", "ocsp", "tsa") if tsa else ("root", "issuing", "ocsp")
        uris = {name: key_uri(keys, suite_name, name) for name in names}
        handles = {
            name: generate_key(in_place(uri, place), suite_name, secrets, parameter=parameter)
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
        save_pair(place, "tsa", key, certificate, secrets)
    save(circle, place, secrets, keys=uris, store=keys)
    shared = handles.get("ocsp") or responder_key(place, "ocsp", circle.issuing, secrets)
    open_responders(place, circle, shared, secrets, clock)
    return circle


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
        save_pair(place, name, authority.key, authority.certificate, secrets)
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "suite": circle.suite_name,
        "crl_url": circle.crl_url,
        "issuer_url": circle.issuer_url,
        "ocsp_url": circle.ocsp_url,
        "lists": lists_to_json(circle.issuing.lists.policy),
    }
    if keys is not None:
        values |= {"store": store, "keys": dict(keys)}
    log = log_of(circle)
    write_values(place, values if log is None else noted(values, log))


def load(directory: str | Path, secrets: Secrets, clock: Clock, *, ledger: Ledger | None = None) -> ClosedCircle:
    """Open the circle in `directory`. Raises KeyNotFound, MalformedInput, KeyStoreError, AuditError."""
    place = Path(directory)
    values = values_of(place)
    names = names_in(place, values)
    certificates = {
        name: load_certificate_file(place / f"{name}.pem") for name in (names.root, names.issuing, *names.previous)
    }
    issuers = tuple(certificate_id(certificate) for certificate in certificates.values())
    book = audited(place, values, ledger or SQLiteLedger(place / LEDGER), clock, issuers)

    lists = lists_from_json(values.get("lists"), place)
    root_lists = ListPolicy(life=timedelta(days=ROOT_CRL_DAYS))

    def authority(name: str, policy: ListPolicy) -> Authority:
        certificate = certificates[name]
        key: KeyHandle = LazyKey(uri_of(values, place, name), certificate, secrets)
        return Authority(
            key,
            certificate,
            ledger=book,
            clock=clock,
            lists=policy,
            crl_url=values.get("crl_url"),
            issuer_url=values.get("issuer_url"),
            ocsp_url=values.get("ocsp_url"),
            above=issuers_of(certificate, certificates.values()),
        )

    return ClosedCircle(
        str(values.get("suite")),
        authority(names.root, root_lists),
        authority(names.issuing, lists),
        values.get("crl_url"),
        values.get("issuer_url"),
        values.get("ocsp_url"),
        tuple(authority(name, root_lists if name.startswith("root") else lists) for name in names.previous),
        (names.issuing, names.root, *names.previous),
        _links(place, generations(names, "root")),
    )


def _links(place: Path, roots: list[str]) -> tuple[Certificate, ...]:
    """Return the links between generations of the root; the first generation has none."""
    paths = [place / f"{name}.{kind}.pem" for name in roots for kind in ("new-with-old", "old-with-new")]
    return tuple(load_certificate_file(path) for path in paths if path.exists())


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
    values = values_of(place)
    names = names_in(place, values)
    now = load(place, secrets, clock)
    crl_url, issuer_url = now.crl_url, now.issuer_url
    ledger = now.issuing.ledger
    suites.must_sign(suite or now.suite_name)
    chosen = suites.get(suite or now.suite_name)
    upper = now.root_authority
    if root:
        root_name = next_name(place, "root")
        key = new_key(place, root_name, chosen, secrets, ledger)
        links = relations.next_root(upper, key, clock=clock, ledger=ledger, crl_url=crl_url, issuer_url=issuer_url)
        names = Names(root_name, names.issuing, (*names.previous, names.root))
        save_pair(place, names.root, key, links.root, secrets)
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
    issuing_name = next_name(place, "issuing")
    key = new_key(place, issuing_name, chosen, secrets, ledger)
    subject = Subject.of(now.issuing.certificate.subject_name)
    plan = upper.prepare(profiles.load("issuing"), subject, key.public_key.spki)
    names = Names(names.root, issuing_name, (*names.previous, names.issuing))
    save_pair(place, names.issuing, key, upper.issue(plan), secrets)
    values = values_of(place)
    values |= {"root": names.root, "issuing": names.issuing, "previous": list(names.previous), "suite": chosen.name}
    write_values(place, values)
    return load(place, secrets, clock)
