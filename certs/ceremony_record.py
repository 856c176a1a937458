"""Whether the record of a ceremony holds.

    verified = verify(Path("root.transcript").read_bytes(), base=".")
    verified.state, verified.approved_by, verified.signed_by, verified.missing

The numbers below stand again at the code:

1. the transcript is in its one form, and names the hash of the script inside it
2. as many officers as the script asks for approved that script and no other
3. as many officers signed the record, each with the key whose certificate the script names
4. steps follow one another, and each that was done was confirmed by officers who approved
5. where files are given: each output is the one that was recorded
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certs.ceremony import Script, canonical, count_approvals, parse_script, read
from certs.errors import CeremonyError, CertsError
from certs.signed_data import parse_signed_data


@dataclass(frozen=True)
class Verified:
    """A record that holds."""

    act: str
    title: str
    state: str
    """"done", "failed" or "refused": how the ceremony ended; all three are recorded."""
    script_sha256: str
    approved_by: tuple[str, ...]
    signed_by: tuple[str, ...]
    outputs: tuple[tuple[str, str], ...]
    """File and SHA-256."""
    missing: tuple[str, ...]
    """Outputs that were looked for and are not there any more."""


def verify(transcript: bytes, *, script_sha256: str | None = None, base: str | Path | None = None) -> Verified:
    """Check a transcript; `script_sha256` is the script it must be of, `base` where relative outputs are looked for.

    Raises CeremonyError and MalformedInput, whatever is wrong with it.
    """
    record, signatures = read(transcript)  # 1
    script = parse_script(record["script"])
    if record.get("script_sha256") != script.digest or (record.get("act"), record.get("title")) != (
        script.act,
        script.title,
    ):
        raise CeremonyError("the transcript does not belong to the script inside it")
    if script_sha256 is not None and script_sha256.lower() != script.digest:
        raise CeremonyError(f"the transcript is of another script: {script.digest}")
    approvals = record.get("approvals")
    if not isinstance(approvals, list):
        raise CeremonyError("the transcript has no approvals")
    approved = count_approvals(script, [_decode(item) for item in approvals])  # 2
    if record.get("approved_by") != approved:
        raise CeremonyError("the transcript names other officers than those who approved")
    signed = _signed_by(script, record, signatures)  # 3
    outputs = _steps(record, set(approved))  # 4
    missing = () if base is None else _compare(outputs, Path(base))  # 5
    return Verified(
        script.act,
        script.title,
        record["state"],
        script.digest,
        tuple(sorted(approved)),
        tuple(sorted(signed)),
        tuple(outputs),
        tuple(missing),
    )


def _decode(item: Any) -> bytes:
    try:
        return base64.b64decode(item, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise CeremonyError("the transcript has a signature that is none") from error


def _signed_by(script: Script, record: dict[str, Any], signatures: list[str]) -> set[str]:
    content = canonical(record)
    found: set[str] = set()
    keys: set[bytes] = set()
    for item in signatures:
        try:
            view = parse_signed_data(_decode(item))
            if len(view.signers) != 1 or view.content is not None or view.signers[0].certificate is None:
                raise CeremonyError("a signature of the transcript is not of one officer over the record")
            view.signers[0].verify(content)
        except CeremonyError:
            raise
        except CertsError as error:
            raise CeremonyError(f"the transcript was changed, or not signed by its officers: {error}") from error
        found.add(script.seat_of(view.signers[0].certificate).name)
        keys.add(view.signers[0].certificate.spki)
    if min(len(found), len(keys)) < script.threshold:
        raise CeremonyError(
            f"{script.threshold} officers must sign the transcript, {len(found)} did",
            hint="sealroad ca ceremony sign",
        )
    return found


def _steps(record: dict[str, Any], approved: set[str]) -> list[tuple[str, str]]:
    steps, state = record.get("steps"), record.get("state")
    if state not in ("done", "failed", "refused") or not isinstance(steps, list) or not steps:
        raise CeremonyError("the transcript has no steps, or no end")
    outputs: list[tuple[str, str]] = []
    for number, step in enumerate(steps, 1):
        if not isinstance(step, dict) or step.get("number") != number:
            raise CeremonyError("the steps of the transcript do not follow one another")
        ended = "error" in step
        if ended != (state != "done" and number == len(steps)):
            raise CeremonyError(f"step {number} does not fit the end of the ceremony")
        confirmed = step.get("confirmed_by")
        if not isinstance(confirmed, list) or not set(confirmed) <= approved or not (confirmed or ended):
            raise CeremonyError(f"step {number} was not confirmed by officers who approved")
        for item in step.get("outputs", []):
            if not isinstance(item, dict) or not all(isinstance(item.get(name), str) for name in ("file", "sha256")):
                raise CeremonyError(f"step {number} has an output that is none")
            outputs.append((item["file"], item["sha256"]))
    return outputs


def _compare(outputs: list[tuple[str, str]], base: Path) -> list[str]:
    missing = []
    for name, expected in outputs:
        try:
            data = (base / name).read_bytes()
        except OSError:
            missing.append(name)
            continue
        if hashlib.sha256(data).hexdigest() != expected:
            raise CeremonyError(f"{name} is not the file that the ceremony made", file=name)
    return missing
