"""A trust list of our own: JSON with a signature in any suite, for countries that publish no signed list.

    text = build_list("cn", "Nord GmbH", entries, key, certificate, sequence=4, issued=now, next_update=then)
    trust_list = read_list(text, signers=[fingerprint], now=now, previous=older)

    {"format": "sealroad-trust-list/1", "list": "cn", "issuer": "Nord GmbH", "sequence": 4,
     "issued": "2026-11-21T10:00:00Z", "next_update": "2027-02-19T10:00:00Z",
     "entries": [{"certificate": "MII…", "purposes": ["signing"], "from": null, "until": null,
                  "service": "SHECA SM2", "assurance": "national root of 2012"}],
     "signature": "MII…"}

The signature is a detached CMS SignedData over the list without its member "signature", written with sorted keys, no
spaces and in UTF-8. There is one writing per content: a name that stands twice, or a number that is no integer, is
refused. The sequence number never goes back.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from certs.certificate import Certificate
from certs.errors import CertsError, MalformedInput, TrustListError
from certs.keys.base import KeyHandle
from certs.signed_data import build_signed_data, parse_signed_data
from certs.trust.entries import KNOWN_PURPOSES, TrustEntry, TrustList, certificate_in, read_moment

FORM = "sealroad-trust-list/1"
MAX_SIZE = 16 * 1024 * 1024
MAX_SEQUENCE = 2**53
_MEMBERS = frozenset({"format", "list", "issuer", "sequence", "issued", "next_update", "entries", "signature"})


def build_list(
    name: str,
    issuer: str,
    entries: Iterable[TrustEntry],
    key: KeyHandle,
    certificate: Certificate,
    *,
    sequence: int,
    issued: datetime,
    next_update: datetime,
) -> bytes:
    """Return a signed list. Raises TrustListError where it would not be read back as it was meant."""
    body: dict[str, Any] = {
        "format": FORM,
        "list": name,
        "issuer": issuer,
        "sequence": sequence,
        "issued": _written(issued),
        "next_update": _written(next_update),
        "entries": [_entry(entry) for entry in entries],
    }
    signature = build_signed_data(_canonical(body), key, certificate, detached=True, signing_time=issued)
    body["signature"] = b64encode(signature).decode()
    text = (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()
    try:
        read_list(text)
    except MalformedInput as error:
        raise TrustListError(f"the list cannot be written: {error}") from error
    return text


def read_list(
    data: bytes,
    *,
    signers: Collection[str] = (),
    now: datetime | None = None,
    previous: TrustList | None = None,
) -> TrustList:
    """Return the list after its signature was verified.

    `signers` are the SHA-256 fingerprints of certificates that may have signed it; none: anybody, and the caller shows
    `signer` to somebody who knows. With `now` a list after its next_update, or of the future, is refused. `previous` is
    the list that was used before: its sequence number must not be greater, and its signer must be the same unless
    `signers` names the new one. Raises MalformedInput, TrustListError.
    """
    body = _load(data)
    signature = body.pop("signature")
    signer = _signer(_canonical(body), signature)
    issued, next_update = _moment(body, "issued"), _moment(body, "next_update")
    sequence, entries = body["sequence"], body["entries"]
    if not isinstance(sequence, int) or not 0 < sequence < MAX_SEQUENCE or not isinstance(entries, list):
        raise MalformedInput("a trust list without a sequence number or entries")
    if not signer.not_before <= issued <= signer.not_after:
        raise TrustListError("the list was issued when the certificate of its signer was not valid")
    origin = f"list {_text(body, 'list')} no. {sequence} of {_text(body, 'issuer')}"
    made = TrustList(
        FORM,
        _text(body, "list"),
        _text(body, "issuer"),
        sequence,
        issued,
        next_update,
        tuple(_read_entry(item, origin) for item in entries),
        hashlib.sha256(data).hexdigest(),
        signer,
    )
    wanted = {item.lower().replace(":", "") for item in signers}
    if wanted and signer.fingerprint() not in wanted:
        raise TrustListError(
            f"the list is signed by {signer.subject}, who may not sign it", reason="signer", signer=signer.fingerprint()
        )
    if now is not None and not issued <= now <= next_update:
        raise TrustListError(
            f"the list is for the time from {issued.isoformat()} to {next_update.isoformat()}",
            hint="ask its issuer for the current one",
            reason="out-of-date",
        )
    if previous is not None:
        _follows(made, previous, replaced_signer=bool(wanted))
    return made


def _follows(made: TrustList, previous: TrustList, *, replaced_signer: bool) -> None:
    assert made.sequence is not None
    if previous.name != made.name:
        raise TrustListError(f"this is list {made.name}, not {previous.name}", reason="name")
    if made.sequence < (previous.sequence or 0):
        raise TrustListError(
            f"list no. {made.sequence} is older than no. {previous.sequence}, which was used before", reason="sequence"
        )
    if made.sequence == previous.sequence and made.entries != previous.entries:
        raise TrustListError(f"two different lists have the number {made.sequence}", reason="sequence")
    if made.signer != previous.signer and not replaced_signer:
        raise TrustListError("the list has another signer than before", reason="signer")


def _load(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_SIZE:
        raise MalformedInput("the trust list is too large")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(items)
        if len(out) != len(items):
            raise MalformedInput("a name stands twice in the trust list")
        return out

    def refuse(_: str) -> Any:
        raise MalformedInput("a number in the trust list is no integer")

    try:
        body = json.loads(data.decode("utf-8"), object_pairs_hook=pairs, parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise MalformedInput("the trust list is no JSON") from error
    if not isinstance(body, dict) or body.get("format") != FORM:
        raise MalformedInput(f"this is no {FORM}")
    if body.keys() != _MEMBERS:
        raise MalformedInput("the trust list lacks a member or has an unknown one")
    return body


def _canonical(body: dict[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise MalformedInput("the trust list has text that cannot be encoded") from error


def _signer(content: bytes, signature: Any) -> Certificate:
    """Return the certificate whose key signed `content`."""
    try:
        view = parse_signed_data(b64decode(signature if isinstance(signature, str) else "", validate=True))
        (signer,) = view.signers
        certificate = signer.certificate
        if certificate is None:
            raise TrustListError("the trust list lacks the certificate of its signer")
        signer.verify(content=content)
        return certificate
    except TrustListError:
        raise
    except (CertsError, ValueError) as error:
        raise TrustListError(f"the signature of the trust list does not hold: {error}", reason="signature") from error


def _entry(entry: TrustEntry) -> dict[str, Any]:
    return {
        "certificate": b64encode(entry.certificate.der).decode(),
        "purposes": None if entry.purposes is None else sorted(entry.purposes),
        "from": entry.since and _written(entry.since),
        "until": entry.until and _written(entry.until),
        "service": entry.service or entry.certificate.subject,
        "assurance": entry.assurance,
    }


def _read_entry(item: Any, origin: str) -> TrustEntry:
    if not isinstance(item, dict) or item.keys() != {
        "certificate", "purposes", "from", "until", "service", "assurance"
    }:  # fmt: skip
        raise MalformedInput("an entry of the trust list lacks a member or has an unknown one")
    purposes = item["purposes"]
    if purposes is not None and not (isinstance(purposes, list) and set(map(str, purposes)) <= KNOWN_PURPOSES):
        raise MalformedInput("an entry of the trust list has an unknown purpose")
    return TrustEntry(
        certificate_in(_text(item, "certificate")),
        origin,
        None if purposes is None else frozenset(map(str, purposes)),
        None if item["from"] is None else _moment(item, "from"),
        None if item["until"] is None else _moment(item, "until"),
        _text(item, "service"),
        _text(item, "assurance"),
    )


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _text(body: dict[str, Any], name: str) -> str:
    value = body[name]
    if not isinstance(value, str):
        raise MalformedInput(f"{name} in the trust list is no text")
    return value


def _moment(body: dict[str, Any], name: str) -> datetime:
    moment = read_moment(_text(body, name))
    if moment is None:
        raise MalformedInput(f"{name} in the trust list is no moment")
    return moment
