"""Key ceremonies: a script several officers approve, executed step by step, and a record they sign.

    script = parse_script(text)                          # one act: root, intermediate, cross-certificate, key, crl
    script.digest                                        # the hash that is read aloud and approved
    transcript = run(script, officers, approvals, secrets=ask, clock=clock, confirm=confirm, path="root.transcript")
    verified = verify(transcript)                        # later, by anybody; see certs.ceremony_record

A script is TOML, every line of it checked:

    schema = "sealroad.ceremony/1"
    act = "root"
    title = "Root of the 2026 hierarchy"
    threshold = 2                                        # of the officers below
    not_after = 2026-12-31T00:00:00Z                     # approvals are of no use afterwards
    [[officers]]
    name = "Anna"
    certificate = "9f86d081…"                            # SHA-256 of the officer's certificate
    [parameters]                                         # of the act, see certs.ceremony_acts
    directory = "ca"

Order: (1) approvals are counted, each a CMS signature of an officer over the hash of this script; (2) every step is
confirmed by each officer who is present, then done, then written to PATH.part; (3) the record is signed by each of
them. A step that fails ends the ceremony, and the record says so and is signed as well.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certs import ceremony_acts, doctor, files
from certs.certificate import Certificate
from certs.clock import Clock
from certs.errors import CeremonyError, CertsError, MalformedInput
from certs.keys.base import KeyHandle, Secrets
from certs.signed_data import build_signed_data, parse_signed_data

SCHEMA = "sealroad.ceremony/1"
APPROVAL = "sealroad.approval/1"
TRANSCRIPT = "sealroad.transcript/1"
MAX_SCRIPT = 1 << 18
MAX_OFFICERS = 32

Confirm = Callable[[str, str], bool]
"""Asked with an officer's name and what is about to be done; answers whether the officer agrees."""


@dataclass(frozen=True)
class Seat:
    """An officer as the script names one."""

    name: str
    certificate: str
    """SHA-256 of the certificate, hexadecimal."""


@dataclass(frozen=True)
class Officer:
    """Somebody present, with key and certificate."""

    key: KeyHandle
    certificate: Certificate


@dataclass(frozen=True)
class Script:
    """What is to be done, and who may say so."""

    text: str
    act: str
    title: str
    threshold: int
    """How many officers must approve, and sign the record."""
    not_after: datetime
    officers: tuple[Seat, ...]
    parameters: ceremony_acts.Parameters

    @property
    def digest(self) -> str:
        """SHA-256 of the script's octets, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def seat_of(self, certificate: Certificate) -> Seat:
        """Return the seat that a certificate has. Raises CeremonyError for a stranger's."""
        fingerprint = certificate.fingerprint()
        for seat in self.officers:
            if seat.certificate == fingerprint:
                return seat
        raise CeremonyError(f"{certificate.subject} is no officer of this ceremony", certificate=fingerprint)


def parse_script(text: str) -> Script:
    """Read a script. Raises CeremonyError for a line that is missing, unknown or wrong."""
    try:
        if len(text.encode()) > MAX_SCRIPT:
            raise CeremonyError("too large for a ceremony script")
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # half a surrogate, or a number of 5000 digits, too
        raise CeremonyError("the ceremony script is no TOML") from error
    kinds: dict[str, type] = {"schema": str, "act": str, "title": str, "threshold": int, "not_after": datetime}
    kinds |= {"officers": list, "parameters": dict}
    _check_lines("the script", values, kinds)
    if values["schema"] != SCHEMA:
        raise CeremonyError(f"the script is not of schema {SCHEMA}")
    until: datetime = values["not_after"]
    if until.tzinfo is None:
        raise CeremonyError("not_after lacks its time zone", hint="not_after = 2026-12-31T00:00:00Z")
    seats = tuple(_seat(item) for item in values["officers"])
    distinct = {seat.certificate for seat in seats}
    if len(distinct) != len(seats) or len({seat.name for seat in seats}) != len(seats) or len(seats) > MAX_OFFICERS:
        raise CeremonyError("an officer is named twice, or there are too many")
    if not 1 <= values["threshold"] <= len(seats):
        raise CeremonyError(f"threshold {values['threshold']} of {len(seats)} officers cannot be")
    parameters = ceremony_acts.check(values["act"], values["parameters"])
    return Script(text, values["act"], values["title"], values["threshold"], until.astimezone(UTC), seats, parameters)


def _check_lines(where: str, values: dict[str, Any], kinds: dict[str, type]) -> None:
    if unknown := set(values) - set(kinds):
        raise CeremonyError(f"{where} has an unknown line {min(unknown)!r}")
    for name, kind in kinds.items():
        if name not in values:
            raise CeremonyError(f"{where} lacks {name}")
        if type(values[name]) is not kind:
            raise CeremonyError(f"{where}: {name} is not a {kind.__name__}")


def _seat(item: Any) -> Seat:
    if not isinstance(item, dict):
        raise CeremonyError("an officer is a table of name and certificate")
    _check_lines("an officer", item, {"name": str, "certificate": str})
    fingerprint = item["certificate"].lower().replace(":", "")
    if len(fingerprint) != 64 or not set(fingerprint) <= set("0123456789abcdef") or not item["name"].strip():
        raise CeremonyError(
            "an officer has a name and the SHA-256 of a certificate", hint="'sealroad inspect' shows it"
        )
    return Seat(item["name"], fingerprint)


def canonical(value: Any) -> bytes:
    """Return the one JSON form that is hashed and signed here."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


# Approvals -----------------------------------------------------------------------------------------------------------
def approve(script: Script, officer: Officer, at: datetime) -> bytes:
    """Return an officer's approval of this script and no other (CMS SignedData, DER). Raises CeremonyError."""
    script.seat_of(officer.certificate)
    content = {"schema": APPROVAL, "act": script.act, "title": script.title, "at": at.isoformat()}
    content["script_sha256"] = script.digest
    return build_signed_data(canonical(content), officer.key, officer.certificate, signing_time=at)


def check_approval(script: Script, data: bytes) -> tuple[Seat, Certificate]:
    """Return who approved this script by `data`. Raises CeremonyError where the approval does not count."""
    try:
        view = parse_signed_data(data)
        if len(view.signers) != 1 or view.content is None or view.signers[0].certificate is None:
            raise CeremonyError("an approval has one signer, its certificate and its content inside")
        view.signers[0].verify()
        content = json.loads(view.content)
    except CeremonyError:
        raise
    except (CertsError, ValueError, RecursionError) as error:
        raise CeremonyError(f"an approval does not hold: {error}") from error
    certificate = view.signers[0].certificate
    seat = script.seat_of(certificate)
    if not isinstance(content, dict) or content.get("schema") != APPROVAL:
        raise CeremonyError(f"what {seat.name} signed is no approval")
    if content.get("script_sha256") != script.digest:
        raise CeremonyError(
            f"{seat.name} approved another script",
            hint=f"this one is {script.digest}",
            approved=str(content.get("script_sha256"))[:64],
        )
    return seat, certificate


def count_approvals(script: Script, approvals: Sequence[bytes]) -> dict[str, str]:
    """Return names and keys of officers who approved. Raises CeremonyError where one does not count, or too few do."""
    found: dict[str, str] = {}
    keys: set[bytes] = set()
    for data in approvals:
        seat, certificate = check_approval(script, data)
        found[seat.name] = seat.certificate
        keys.add(certificate.spki)
    if len(keys) < len(found):
        raise CeremonyError("two officers have one key")
    if len(found) < script.threshold:
        raise CeremonyError(
            f"{script.threshold} officers must approve, {len(found)} did", hint="sealroad ca ceremony approve"
        )
    return found


# Execution -----------------------------------------------------------------------------------------------------------
def run(
    script: Script,
    officers: Sequence[Officer],
    approvals: Sequence[bytes] = (),
    *,
    secrets: Secrets,
    clock: Clock,
    confirm: Confirm,
    path: str | Path,
) -> bytes:
    """Execute `script` with the officers present and the approvals of others; write the transcript and return it.

    Raises CeremonyError where too few approved, somebody did not confirm, or a step failed; of the last two there is a
    signed transcript, too. Nothing is overwritten.
    """
    target = Path(path)
    part = target.with_name(target.name + ".part")
    if not officers:
        raise CeremonyError("no officer is present")
    for place in (target, part):
        if place.exists():
            raise CeremonyError(f"{place} exists", hint="a ceremony was held, or cut short; look, then name another")
    started = clock.now()
    if started > script.not_after:
        raise CeremonyError(f"the script was good until {script.not_after.isoformat()}")
    present = {script.seat_of(officer.certificate).name: officer for officer in officers}
    made = list(approvals)
    for name, officer in present.items():
        if not confirm(name, f"approve {script.act} {script.title!r}, script SHA-256 {script.digest}"):
            raise CeremonyError(f"{name} did not approve")
        made.append(approve(script, officer, started))
    approved = count_approvals(script, made)
    record: dict[str, Any] = {
        "schema": TRANSCRIPT,
        "script": script.text,
        "script_sha256": script.digest,
        "act": script.act,
        "title": script.title,
        "started_at": started.isoformat(),
        "ended_at": None,
        "state": "started",
        "approved_by": approved,
        "approvals": [base64.b64encode(item).decode() for item in made],
        "present": sorted(present),
        "doctor": doctor.report(measure=False).to_json(),
        "steps": [],
    }
    _write(part, canonical(record), replace=False)
    error = _steps(script, record, sorted(present), part, secrets, clock, confirm)
    record["ended_at"] = clock.now().isoformat()
    signatures = [_sign(record, officer, clock.now()) for officer in present.values()]
    transcript = canonical({"record": record, "signatures": signatures})
    _write(target, transcript, replace=False)
    part.unlink(missing_ok=True)
    if error is not None:
        raise CeremonyError(f"the ceremony ended early: {error}", hint=f"the signed record is {target}") from error
    return transcript


def _steps(
    script: Script,
    record: dict[str, Any],
    present: Sequence[str],
    part: Path,
    secrets: Secrets,
    clock: Clock,
    confirm: Confirm,
) -> CertsError | None:
    for number, step in enumerate(ceremony_acts.steps(script.act, script.parameters, secrets, clock), 1):
        entry: dict[str, Any] = {"number": number, "title": step.title, "at": clock.now().isoformat()}
        record["steps"].append(entry)
        refused = [name for name in present if not confirm(name, step.title)]
        entry["confirmed_by"] = [name for name in present if name not in refused]
        if refused:
            record["state"] = "refused"
            entry["error"] = f"not confirmed by {', '.join(refused)}"
            return CeremonyError(f"{', '.join(refused)} did not confirm: {step.title}")
        try:
            done = step.action()
        except CertsError as error:
            record["state"] = "failed"
            entry["error"] = f"{error.code}: {error}"
            return error
        entry["facts"] = done.facts
        entry["outputs"] = [
            {"file": str(name), "sha256": hashlib.sha256(data).hexdigest()} for name, data in done.outputs
        ]
        _write(part, canonical(record), replace=True)
    record["state"] = "done"
    return None


def _sign(record: dict[str, Any], officer: Officer, at: datetime) -> str:
    signed = build_signed_data(canonical(record), officer.key, officer.certificate, detached=True, signing_time=at)
    return base64.b64encode(signed).decode()


def add_signature(transcript: bytes, officer: Officer, at: datetime) -> bytes:
    """Return the transcript with one more officer's signature: of somebody who approved from elsewhere.

    Raises CeremonyError, MalformedInput.
    """
    record, signatures = read(transcript)
    parse_script(record["script"]).seat_of(officer.certificate)
    return canonical({"record": record, "signatures": [*signatures, _sign(record, officer, at)]})


def read(transcript: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return record and signatures of a transcript in its one form; nothing is verified. Raises MalformedInput."""
    try:
        values = json.loads(transcript)
        same = canonical(values) == transcript
    except (ValueError, RecursionError) as error:  # half a surrogate, written with an escape, is no text either
        raise MalformedInput("the transcript is no JSON") from error
    if not isinstance(values, dict) or set(values) != {"record", "signatures"} or not same:
        raise MalformedInput(f"the transcript is not of schema {TRANSCRIPT}, or was written by something else")
    record, signatures = values["record"], values["signatures"]
    if not isinstance(record, dict) or record.get("schema") != TRANSCRIPT or not isinstance(record.get("script"), str):
        raise MalformedInput(f"the transcript is not of schema {TRANSCRIPT}")
    if not isinstance(signatures, list) or not all(isinstance(item, str) for item in signatures):
        raise MalformedInput("the transcript has signatures that are none")
    return record, signatures


def _write(path: Path, data: bytes, *, replace: bool) -> None:
    try:
        files.write(path, data, replace=replace)
    except OSError as error:
        raise CeremonyError(f"{path} cannot be written: {error.strerror}") from error
