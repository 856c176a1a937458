"""What a circle runs besides issuing: its time-stamping authority and its OCSP responders.

    unit = timestamper(directory, circle, secrets, clock)
    if rotation_due(directory, circle, clock.now()):
        rotate_tsa(directory, circle, secrets)
    found = responders(directory, circle, secrets, clock)
    renewal_due(found)                              # when to call `responders` again

Both have keys and certificates of their own, in the circle's directory (see `certs.circle`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from certs import files, oids, profiles
from certs.audit.keys import AuditedKey
from certs.ca import ROOT_CRL_DAYS, Authority, ClosedCircle
from certs.certificate import Certificate, Subject
from certs.circle_books import log_of
from certs.circle_files import load_certificate_file, values_of
from certs.circle_keys import LazyKey, new_key, save_pair, taken, uri_of
from certs.clock import Clock
from certs.errors import KeyNotFound, KeyStoreError
from certs.keys import file as key_file
from certs.keys import open_key
from certs.keys.base import KeyHandle, Secrets
from certs.keys.checked import EVERY, OwnCheck
from certs.ocsp_responder import VALIDITY, OCSPResponder, Responders
from certs.suites.base import PrivateKey, PublicKey
from certs.time_source import TimeSource
from certs.tsa import DEFAULT_POLICY, TimeStampAuthority
from certs.tsa_counter import FileCounter

TSA_DAYS = 1095
"""Life of a time-stamping certificate: shorter than its issuer's, so that a key can be replaced before both end."""
RENEW = 3
"""A certificate is made anew when less than a third of its life is left."""
ROOT_RESPONDER_DAYS = ROOT_CRL_DAYS
"""As long as the root's list: its key need not be at hand more often for the one than for the other."""


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
    own_check: OwnCheck = EVERY,
) -> TimeStampAuthority:
    """Open the directory's time-stamping authority, with its newest key. Raises KeyNotFound where it has none.

    Its serial numbers and times go on in `tsa.counter` whatever its key: no two tokens have the same.
    `batch` is how many time-stamps share an entry of the audit log (`certs.audit.keys`), `own_check` which are verified
    before they leave (`certs.keys.checked`).
    """
    place = Path(directory)
    name = _tsa_names(place)[-1]
    certificate = load_certificate_file(place / f"{name}.pem")
    present = circle.issuing.certificate
    issuer = next((each.certificate for each in circle.authorities if each.certificate.ski == certificate.aki), present)
    key: KeyHandle = LazyKey(uri_of(values_of(place), place, name), certificate, secrets)
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
        own_check=own_check,
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
    certificate = load_certificate_file(place / f"{_tsa_names(place)[-1]}.pem")
    if circle.issuing.certificate.not_after - certificate.not_after < timedelta(days=1):
        return False
    return now > _renewal_of(certificate)


def rotate_tsa(
    directory: str | Path, circle: ClosedCircle, secrets: Secrets, *, parameter: str | None = None
) -> Certificate:
    """Give the time-stamping authority a new key and certificate, and return the certificate.

    The old files stay. The certificate is written last: until then, and if the process dies, the old key is in use.
    `timestamper` opens the new one. Raises KeyNotFound, KeyStoreError.
    """
    place = Path(directory)
    names = _tsa_names(place)
    previous = load_certificate_file(place / f"{names[-1]}.pem")
    number, reserved = int(names[-1][4:] or 1) + 1, values_of(place).get("keys", {})
    while f"tsa-{number}" in reserved:  # of a rotation that was cut short, and so is the file: nothing was certified
        number += 1
    name = f"tsa-{number}"
    (place / f"{name}.key.pem").unlink(missing_ok=True)
    public = previous.public_key()
    key = new_key(place, name, public.suite, secrets, circle.issuing.ledger, parameter or public.parameter)
    subject = Subject(
        previous.common_name or "Time-Stamping", previous.organisation, previous.subject_name.first(oids.COUNTRY)
    )
    certificate = circle.issue("tsa", subject, key.public_key.spki, days=TSA_DAYS)
    save_pair(place, name, key, certificate, secrets)
    return load_certificate_file(place / f"{name}.pem")


def responders(
    directory: str | Path,
    circle: ClosedCircle,
    secrets: Secrets,
    clock: Clock,
    *,
    validity: timedelta = VALIDITY,
    batch: int = 1,
    own_check: OwnCheck = EVERY,
) -> Responders:
    """Open the directory's OCSP responders: one for every generation of both authorities, with a key of its suite.

    What is missing (as in a directory made before there were responders) or nears its end is made now; ask again at
    `renewal_due`. An authority whose key is not at hand, and which certified no responder before, has none; the issuing
    authority must have one. `batch` and `own_check` are as in `timestamper`. Raises KeyNotFound, WrongPassword,
    KeyStoreError and what issuing raises.
    """
    place = Path(directory)
    shared = responder_key(place, "ocsp", circle.issuing, secrets)
    return open_responders(place, circle, shared, secrets, clock, validity, batch, own_check)


def open_responders(
    place: Path,
    circle: ClosedCircle,
    shared: KeyHandle,
    secrets: Secrets,
    clock: Clock,
    validity: timedelta = VALIDITY,
    batch: int = 1,
    own_check: OwnCheck = EVERY,
) -> Responders:
    """Do what `responders` does, with the key that responders of the present suite share at hand."""
    log = log_of(circle)

    def audited(key: KeyHandle) -> KeyHandle:
        return key if log is None else AuditedKey(key, log, purpose="ocsp", batch=batch)

    sharing = audited(shared)
    found, now = [], clock.now()
    for name, authority in zip(circle.names, circle.authorities, strict=True):
        own = authority.certificate
        days = ROOT_RESPONDER_DAYS if name.startswith("root") else None
        key = sharing
        if own.suite_name != shared.suite.name:  # after a rollover to another suite
            key = audited(responder_key(place, _responder_name(name), authority, secrets))
        path, certificate = place / f"{_responder_name(name)}.pem", None
        if path.exists():
            certificate = load_certificate_file(path)
        if (certificate is None or now >= _renewal_of(certificate)) and now < own.not_after:
            if _at_hand(authority.key):
                certificate = _certify_responder(path, key.public_key, authority, days)
            elif certificate is None and authority is circle.issuing:
                raise KeyNotFound(f"{place} has no key to certify its OCSP responder")
        if certificate is not None:
            ledger = authority.ledger
            found.append(OCSPResponder(key, certificate, own, ledger, clock, validity=validity, own_check=own_check))
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


def responder_key(place: Path, name: str, authority: Authority, secrets: Secrets) -> KeyHandle:
    """Return the key; by its certificate where there is one, so that the file is opened only to sign."""
    path, values = place / f"{name}.key.pem", values_of(place)
    if taken(place, values, name):
        uri = uri_of(values, place, name)
        if (place / f"{name}.pem").exists():
            return LazyKey(uri, load_certificate_file(place / f"{name}.pem"), secrets)
        return open_key(uri, secrets)
    public = authority.certificate.public_key()
    key = new_key(place, name, public.suite, secrets, authority.ledger, public.parameter)
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
