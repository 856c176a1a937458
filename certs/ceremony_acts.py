"""What a ceremony can do: one list of steps for each act.

    parameters = check("root", {"directory": "ca", "suite": "sm2", "organisation": "…", "country": "CN"})
    for step in steps("root", parameters, secrets, clock):
        step.title, step.action()                        # facts and outputs; CertsError where it fails

    root                directory suite organisation country [common_name key parameter days]
    intermediate        directory suite organisation country [common_name key parameter days root_key crl_url
                         issuer_url]
    cross-certificate   directory authority certificate certificate_sha256 output [key days]
    key                 key suite output [parameter]
    crl                 directory authority output [key days]

`directory` is that of a circle (see `certs.circle`): after "root" and "intermediate" every other command works with it.
Keys are URIs; left out, they are files in the directory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from certs import ca, circle, extensions, files, profiles, relations, suites
from certs.audit.ledger import AuditedLedger
from certs.ca import Authority
from certs.certificate import Certificate, Subject, load_certificate
from certs.clock import Clock
from certs.errors import CeremonyError, KeyNotFound
from certs.keys import generate_key
from certs.keys.base import KeyHandle, Secrets
from certs.ledger import Ledger
from certs.pem import armor

Parameters = dict[str, str | int]

_NAMES = ("organisation", "country")
_ACTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "root": (("directory", "suite", *_NAMES), ("common_name", "key", "parameter", "days")),
    "intermediate": (
        ("directory", "suite", *_NAMES),
        ("common_name", "key", "parameter", "days", "root_key", "crl_url", "issuer_url"),
    ),
    "cross-certificate": (
        ("directory", "authority", "certificate", "certificate_sha256", "output"),
        ("key", "days"),
    ),
    "key": (("key", "suite", "output"), ("parameter",)),
    "crl": (("directory", "authority", "output"), ("key", "days")),
}
"""Act to parameters that must and that may be there."""

ACTS = tuple(_ACTS)


@dataclass(frozen=True)
class Done:
    """What a step did."""

    facts: dict[str, str] = field(default_factory=dict)
    outputs: tuple[tuple[Path, bytes], ...] = ()
    """Files that were written, with their octets."""


@dataclass(frozen=True)
class Step:
    """One thing that is confirmed and done."""

    title: str
    action: Callable[[], Done]


def check(act: str, values: dict[str, Any]) -> Parameters:
    """Return the parameters of an act. Raises CeremonyError for one that is missing, unknown or of a wrong type."""
    if act not in _ACTS:
        raise CeremonyError(f"no act is called {act!r}", hint="known: " + ", ".join(ACTS))
    needed, allowed = _ACTS[act]
    if missing := [name for name in needed if name not in values]:
        raise CeremonyError(f"{act} lacks the parameter {missing[0]}")
    for name, value in values.items():
        if name not in (*needed, *allowed):
            raise CeremonyError(f"{act} has no parameter {name!r}")
        if type(value) is not (int if name == "days" else str) or value in ("", 0):
            raise CeremonyError(f"{act}: {name} is not a {'number' if name == 'days' else 'text'}")
    if values.get("suite", "rsa") not in suites.ALL_NAMES:
        raise CeremonyError(f"there is no algorithm suite {values['suite']!r}")
    if values.get("authority", "root") not in ("root", "issuing"):
        raise CeremonyError("authority is root or issuing")
    return dict(values)


def steps(act: str, parameters: Parameters, secrets: Secrets, clock: Clock) -> Iterator[Step]:
    """Return the steps of an act; each is to be done before the next is asked for."""
    made: Iterator[Step] = _STEPS[act](_Room(parameters, secrets, clock))
    return made


class _Room:
    """What the steps of one ceremony share."""

    def __init__(self, parameters: Parameters, secrets: Secrets, clock: Clock) -> None:
        self.parameters, self.secrets, self.clock = parameters, secrets, clock
        self.key: KeyHandle | None = None
        self.certificate: Certificate | None = None

    def text(self, name: str, default: str | None = None) -> str:
        value = self.parameters.get(name, default)
        if value is None:
            raise CeremonyError(f"the parameter {name} is missing")
        return str(value)

    def optional(self, name: str) -> str | None:
        value = self.parameters.get(name)
        return None if value is None else str(value)

    @property
    def days(self) -> int | None:
        value = self.parameters.get("days")
        return value if isinstance(value, int) else None

    @property
    def place(self) -> Path:
        return Path(self.text("directory"))

    def key_uri(self, name: str) -> str:
        return self.optional("key") or str(self.place / f"{name}.key.pem")

    def ledger(self) -> AuditedLedger:
        return circle.new_books(self.place, self.clock)

    def subject(self, role: str) -> Subject:
        organisation = self.text("organisation")
        name = self.text("common_name", f"{organisation} {role} CA {self.text('suite').upper()}")
        return Subject(name, organisation, self.text("country"))

    def load(self, name: str) -> Certificate:
        path = self.place / f"{name}.pem"
        try:
            return load_certificate(path.read_bytes())
        except OSError as error:
            raise KeyNotFound(f"{path} cannot be read: {error.strerror}") from error

    def authority(self, name: str, uri: str | None) -> Authority:
        """Return the present authority of the circle, with its lists and addresses; before there is one, the root."""
        lists, crl_url, issuer_url, ocsp_url = None, None, None, None
        above: tuple[Certificate, ...] = ()
        ledger: Ledger
        if (self.place / "circle.json").exists():
            opened = circle.load(self.place, self.secrets, self.clock)
            own = opened.root_authority if name == "root" else opened.issuing
            if uri is None:
                return own
            certificate, lists, ledger = own.certificate, own.lists.policy, own.ledger
            crl_url, issuer_url, ocsp_url, above = own.crl_url, own.issuer_url, own.ocsp_url, own.above
        else:
            certificate, ledger = self.load(name), self.ledger()
        return Authority(
            circle.LazyKey(uri or f"file:{self.place / f'{name}.key.pem'}", certificate, self.secrets),
            certificate,
            ledger=ledger,
            clock=self.clock,
            crl_url=crl_url,
            issuer_url=issuer_url,
            ocsp_url=ocsp_url,
            crl_days=ca.ROOT_CRL_DAYS if name == "root" else ca.CRL_DAYS,
            lists=lists,
            above=above,
        )

    def test_suite(self) -> Done:
        library = suites.get(self.text("suite")).library()
        return Done({"library": library.name, "version": library.version, "self_test": library.self_test})

    def make_key(self, name: str) -> Done:
        suite = self.text("suite")
        self.key = generate_key(self.key_uri(name), suite, self.secrets, parameter=self.optional("parameter"))
        public = self.key.public_key
        probe = b"sealroad ceremony"
        public.verify(self.key.sign(probe), probe)
        identifier = extensions.key_id(public.spki).hex()
        if "directory" in self.parameters:
            with closing(self.ledger()) as ledger:
                ca.note_key(self.key, name, ledger)
        return Done({"suite": suite, "parameter": public.parameter, "key_identifier": identifier})

    def new_key(self) -> KeyHandle:
        if self.key is None:
            raise CeremonyError("the step that makes the key was left out")
        return self.key


def _new_file(path: Path, data: bytes) -> tuple[Path, bytes]:
    try:
        files.write(path, data, replace=False)
    except FileExistsError as error:
        raise CeremonyError(f"{path} exists", hint="a ceremony overwrites nothing") from error
    except OSError as error:
        raise CeremonyError(f"{path} cannot be written: {error.strerror}") from error
    return path, data


def _facts(certificate: Certificate) -> dict[str, str]:
    return {
        "subject": str(certificate.subject),
        "issuer": str(certificate.issuer),
        "serial": certificate.serial_hex,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "sha256": certificate.fingerprint(),
    }


def _root(room: _Room) -> Iterator[Step]:
    def prepare() -> Done:
        try:
            room.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CeremonyError(f"{room.place} cannot be made: {error.strerror}") from error
        if any(room.place.iterdir()):
            raise CeremonyError(f"{room.place} is not empty", hint="choose a new directory for an authority")
        return room.test_suite()

    def sign() -> Done:
        with closing(room.ledger()) as ledger:
            certificate = ca.self_sign(
                room.new_key(), room.subject("Root"), clock=room.clock, ledger=ledger, days=room.days
            )
        return Done(_facts(certificate), (_new_file(room.place / "root.pem", certificate.pem.encode()),))

    yield Step(f"make the directory {room.place} and run the self-test of {room.text('suite')}", prepare)
    yield Step(f"make the root's key in {room.key_uri('root')}", lambda: room.make_key("root"))
    yield Step("lint and sign the root certificate, once, and write it", sign)


def _intermediate(room: _Room) -> Iterator[Step]:
    def sign() -> Done:
        authority = room.authority("root", room.optional("root_key"))
        plan = authority.prepare(
            profiles.load("issuing"), room.subject("Issuing"), room.new_key().public_key.spki, days=room.days
        )
        certificate = authority.issue(plan)
        return Done(_facts(certificate), (_new_file(room.place / "issuing.pem", certificate.pem.encode()),))

    def finish() -> Done:
        values: dict[str, Any] = {"schema": circle.SCHEMA, "suite": room.text("suite")}
        values |= {name: room.optional(name) for name in ("crl_url", "issuer_url")}
        keys = {"root": room.optional("root_key"), "issuing": room.optional("key")}
        if any(keys.values()):
            values["keys"] = {name: uri or f"file:{name}.key.pem" for name, uri in keys.items()}
        with closing(room.ledger()) as ledger:
            values = circle.noted(values, ledger.log)
        data = (json.dumps(values, indent=1) + "\n").encode()
        return Done({}, (_new_file(room.place / "circle.json", data),))

    yield Step(f"run the self-test of {room.text('suite')}", room.test_suite)
    yield Step(f"make the issuing key in {room.key_uri('issuing')}", lambda: room.make_key("issuing"))
    yield Step("prepare, lint and sign the issuing certificate with the root's key, once, and write it", sign)
    yield Step("write what the directory holds", finish)


def _cross(room: _Room) -> Iterator[Step]:
    def look() -> Done:
        path = Path(room.text("certificate"))
        try:
            certificate = load_certificate(path.read_bytes())
        except OSError as error:
            raise KeyNotFound(f"{path} cannot be read: {error.strerror}") from error
        if certificate.fingerprint() != room.text("certificate_sha256").lower().replace(":", ""):
            raise CeremonyError(f"{path} is not the certificate that was approved", sha256=certificate.fingerprint())
        room.certificate = certificate
        return Done(_facts(certificate))

    def sign() -> Done:
        theirs = room.certificate
        if theirs is None:
            raise CeremonyError("the step that reads the certificate was left out")
        authority = room.authority(room.text("authority"), room.optional("key"))
        certificate = authority.issue(relations.prepare_cross(authority, theirs, days=room.days))
        output = _new_file(Path(room.text("output")), certificate.pem.encode())
        return Done(_facts(certificate), (output,))

    yield Step(f"read {room.text('certificate')} and compare its hash with the script's", look)
    yield Step(f"sign a certificate over its name and key with the {room.text('authority')} key, once", sign)


def _key(room: _Room) -> Iterator[Step]:
    def write() -> Done:
        text = armor("PUBLIC KEY", room.new_key().public_key.spki)
        return Done({}, (_new_file(Path(room.text("output")), text.encode()),))

    yield Step(f"run the self-test of {room.text('suite')}", room.test_suite)
    yield Step(f"make the key in {room.text('key')}", lambda: room.make_key("key"))
    yield Step(f"write its public half to {room.text('output')}", write)


def _crl(room: _Room) -> Iterator[Step]:
    def sign() -> Done:
        encoded = room.authority(room.text("authority"), room.optional("key")).crl(days=room.days)
        from certs.crl import CRL

        crl = CRL(encoded)
        output = _new_file(Path(room.text("output")), encoded)
        return Done({"number": str(crl.number), "entries": str(len(crl.entries))}, (output,))

    yield Step(f"sign a new list with the {room.text('authority')} key and write {room.text('output')}", sign)


_STEPS: dict[str, Callable[[_Room], Iterator[Step]]] = {
    "root": _root,
    "intermediate": _intermediate,
    "cross-certificate": _cross,
    "key": _key,
    "crl": _crl,
}
