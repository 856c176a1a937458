"""A directory of trusted lists that remembers: whose signatures count, and which number of each list came last.

    pin(place, fingerprints, source="https://lists.example/lotl.xml")
    outcomes = update(place, fetch, now)            # the list of lists, and every list it leads to
    outcomes = accept(place, [data], now)           # the same for files that were brought by hand
    lists, skipped = load(place, now)               # what `TrustStore.load` takes from such a directory

The operator pins certificates: those that sign the list of lists (the Official Journal names them for the European
Union), or the signers of single lists. A list counts if a pinned certificate signed it, or if one did that a list of
lists, so signed, names for its territory. That leads one step and no further. Per territory the number never goes back,
and two different lists cannot have one number.

`trust.json` holds the pins and what was accepted; it is written last and whole, so that whatever interrupts an update,
the directory is as before it or as after it. Whoever can write to the directory decides who is trusted.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from certs import files
from certs.errors import CertsError, MalformedInput, TrustListError
from certs.fetch import Fetcher, FetchError
from certs.trust.entries import TrustList
from certs.trust.etsi import read_etsi
from certs.trust.load import check_current
from certs.trust.xades import MAX_SIGNED

STATE = "trust.json"
FORMAT = "sealroad-list-directory/1"
_TERRITORY = re.compile(r"[A-Z]{2}")
"""5.3.10: ISO 3166-1, with EU, EL and UK; also the file's name, so nothing else is taken."""
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
MAX_STATE = 1 << 20
MAX_SEQUENCE = 10**9


@dataclass(frozen=True)
class Accepted:
    """What is remembered of a list."""

    sequence: int
    sha256: str
    """Digest of the file."""
    signed_sha256: str
    """Digest of what its signature covers."""
    signer: str
    """Fingerprint of the certificate that signed it; which lists to read first, never whether they hold."""

    def file(self, territory: str) -> str:
        """Return the name of its file in the directory."""
        return f"{territory}-{self.sequence}-{self.sha256[:8]}.xml"


@dataclass(frozen=True)
class State:
    """The contents of `trust.json`."""

    signers: frozenset[str]
    """SHA-256 fingerprints of the certificates that the operator pinned."""
    source: str = ""
    """Where the list of lists is fetched; "": nowhere."""
    lists: dict[str, Accepted] = field(default_factory=dict)
    """By territory."""


@dataclass(frozen=True)
class Outcome:
    """What became of one list."""

    territory: str
    sequence: int | None
    status: str
    """"accepted", "unchanged", "refused" or "not fetched"."""
    detail: str = ""


def is_directory_of_lists(place: Path) -> bool:
    """Tell whether somebody pinned signers there."""
    return (place / STATE).is_file()


def pin(place: str | Path, signers: Collection[str], *, source: str | None = None) -> State:
    """Make the directory, or replace its signers and where they are fetched; the numbers that were seen stay.

    Raises TrustListError, MalformedInput.
    """
    plain = frozenset(signers)
    if not plain or not all(map(_FINGERPRINT.fullmatch, plain)):
        raise TrustListError("pin the certificate of a signer", reason="signer")
    directory = Path(place)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrustListError(f"{directory} cannot be made: {error.strerror}") from error
    with _locked(directory):
        old = read_state(directory) if is_directory_of_lists(directory) else State(plain)
        state = State(plain, old.source if source is None else source, old.lists)
        _write_state(directory, state)
    return state


def update(
    place: str | Path, fetch: Fetcher, now: datetime, *, territories: Collection[str] | None = None
) -> list[Outcome]:
    """Fetch the list of lists, then every list it leads to, or those of `territories`; accept what holds.

    A list that cannot be fetched or does not hold leaves the one before in place. Raises FetchError and TrustListError
    where the list of lists itself fails.
    """
    directory = Path(place)
    state = read_state(directory)
    if not state.source:
        raise TrustListError("this directory has no address", hint="give one: sealroad trust pin DIR --source URL")
    verified: Verified = {}
    outcomes = _accept(directory, [fetch(state.source)], now, verified)
    if outcomes[0].status == "refused":
        raise TrustListError(f"the list at {state.source} is refused: {outcomes[0].detail}", reason="refused")
    tried: dict[str, Outcome] = {}
    for pointer in [item for made in _pinned(directory, now, verified) for item in made.pointers]:
        known = tried.get(pointer.territory)
        if (territories is not None and pointer.territory not in territories) or (
            known is not None and known.status in ("accepted", "unchanged")
        ):
            continue
        try:
            (tried[pointer.territory],) = _accept(directory, [fetch(pointer.location)], now, verified)
        except FetchError as error:
            tried[pointer.territory] = Outcome(pointer.territory, None, "not fetched", str(error))
    return [*outcomes, *tried.values()]


def accept(place: str | Path, documents: Iterable[bytes], now: datetime) -> list[Outcome]:
    """Take lists into the directory that a pinned signer, or one that a list of lists names, has signed.

    Lists that a pinned signer signed come first, whatever their order. Raises TrustListError and MalformedInput for the
    directory; what is wrong with a list is its outcome.
    """
    return _accept(Path(place), documents, now, {})


def _accept(directory: Path, documents: Iterable[bytes], now: datetime, verified: Verified) -> list[Outcome]:
    out: list[Outcome] = []
    with _locked(directory):
        state = read_state(directory)
        later = []
        for data in documents:
            try:
                made = read_etsi(data, signers=state.signers, now=now)
            except CertsError:
                later.append(data)
            else:
                out.append(_take(directory, state, data, made, now))
        allowed = _named_by(_pinned(directory, now, verified)) if later else {}
        for data in later:
            try:
                made = _read_allowed(data, state.signers, allowed, now)
            except CertsError as error:
                out.append(Outcome(_claimed(data), None, "refused", str(error)))
            else:
                out.append(_take(directory, state, data, made, now))
    return out


def load(place: str | Path, now: datetime | None) -> tuple[list[TrustList], list[str]]:
    """Return the lists of the directory, each verified again, and why others are not used.

    With `now` lists that are out of date are not used; where that is one that the operator's own signers signed, or
    where it does not hold, TrustListError.
    """
    directory = Path(place)
    state = read_state(directory)
    made = _pinned(directory, now, {})
    if state.lists and not made:
        raise TrustListError(f"{directory} has no list that a pinned signer signed", reason="signer")
    own = {item.name for item in made}
    allowed = _named_by(made)
    skipped = []
    for territory, known in state.lists.items():
        if territory in own:
            continue
        try:
            data = _read_known(directory, territory, known)
            one = _read_allowed(data, frozenset(), allowed, now)
            check_current(one, f"the list of {territory}", now)
            made.append(one)
        except CertsError as error:
            skipped.append(f"{directory / known.file(territory)}: {error}")
    return made, skipped


# Whose signature counts -----------------------------------------------------------------------------------------------
Allowed = dict[str, frozenset[str]]
"""Fingerprint of a certificate to the territories whose lists it may sign."""


Verified = dict[Accepted, TrustList]
"""Lists of the directory whose signatures were verified in this very act, at one moment."""


def _pinned(directory: Path, now: datetime | None, verified: Verified) -> list[TrustList]:
    """Return the accepted lists that a pinned signer signed; what is in `verified` is not verified again."""
    state, out = read_state(directory), []
    for territory, known in state.lists.items():
        if known.signer not in state.signers:
            continue  # a list of lists has to name him
        data = _read_known(directory, territory, known)
        made = verified.get(known) or read_etsi(data, signers=state.signers, now=now)
        check_current(made, f"the list of {territory}", now)
        verified[known] = made
        out.append(made)
    return out


def _named_by(lists: Iterable[TrustList]) -> Allowed:
    out: dict[str, frozenset[str]] = {}
    for pointer in (item for made in lists for item in made.pointers):
        for fingerprint in pointer.signers:
            out[fingerprint] = out.get(fingerprint, frozenset()) | {pointer.territory}
    return out


def _read_allowed(data: bytes, pinned: frozenset[str], allowed: Allowed, now: datetime | None) -> TrustList:
    made = read_etsi(data, signers=pinned | allowed.keys(), now=now)
    assert made.signer is not None
    fingerprint = made.signer.fingerprint()
    if fingerprint not in pinned and made.name not in allowed[fingerprint]:
        raise TrustListError(
            f"{made.signer.subject} may sign lists of {', '.join(sorted(allowed[fingerprint]))}, not of {made.name}",
            reason="signer",
        )
    return made


def _claimed(data: bytes) -> str:
    """Return whose list it says it is, for the report only."""
    try:
        name = read_etsi(data).name
    except CertsError:
        return "?"
    return name if _TERRITORY.fullmatch(name) else "?"


# What is remembered ---------------------------------------------------------------------------------------------------
def _take(directory: Path, state: State, data: bytes, made: TrustList, now: datetime) -> Outcome:
    """Write the list and remember it, if it may follow on the one before."""
    known = state.lists.get(made.name)
    try:
        check_current(made, f"the list of {made.name}", now)
        if not _TERRITORY.fullmatch(made.name):
            raise TrustListError("the list does not say whose it is")
        if made.sequence is None or not 0 < made.sequence < MAX_SEQUENCE:
            raise TrustListError("the list has no number")
        if known is not None and made.sequence < known.sequence:
            raise TrustListError(
                f"list no. {made.sequence} is older than no. {known.sequence}, which was accepted before",
                reason="sequence",
            )
        if known is not None and made.sequence == known.sequence and made.signed_sha256 != known.signed_sha256:
            raise TrustListError(f"two different lists have the number {made.sequence}", reason="sequence")
    except TrustListError as error:
        return Outcome(made.name[:40], made.sequence, "refused", str(error))
    assert made.signer is not None
    new = Accepted(made.sequence, made.sha256, made.signed_sha256, made.signer.fingerprint())
    detail = f"replaces it on {made.next_update.isoformat()}" if made.next_update else "says of no next one"
    detail = f"{len(made.entries)} services, {len(made.pointers)} other lists; {detail}"
    if known == new and _holds(directory, made.name, new):
        return Outcome(made.name, made.sequence, "unchanged", detail)
    state.lists[made.name] = new
    try:
        files.write(directory / new.file(made.name), data)
    except OSError as error:
        raise TrustListError(f"{directory} cannot be written: {error.strerror}") from error
    _write_state(directory, state)
    if known is not None and known != new:
        with contextlib.suppress(OSError):  # an old file that nobody reads does no harm
            (directory / known.file(made.name)).unlink()
    return Outcome(made.name, made.sequence, "accepted", detail)


def read_state(place: str | Path) -> State:
    """Return what the directory remembers. Raises TrustListError where it is none, MalformedInput."""
    path = Path(place) / STATE
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_STATE + 1)
    except OSError as error:
        raise TrustListError(
            f"{place} is no directory of lists", hint="make one: sealroad trust pin DIR --signer FILE"
        ) from error
    try:
        body: dict[str, Any] = json.loads(data) if len(data) <= MAX_STATE else {}
        if body["format"] != FORMAT:
            raise MalformedInput(f"{path} is no {FORMAT}")
        state = State(
            frozenset(map(str, body["signers"])),
            str(body["source"]),
            {
                str(name): Accepted(
                    int(item["sequence"]), str(item["sha256"]), str(item["signed_sha256"]), str(item["signer"])
                )
                for name, item in body["lists"].items()
            },
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise MalformedInput(f"{path} cannot be read", hint="pin the signers again in a new directory") from error
    digests = [*state.signers, *(item.sha256 for item in state.lists.values())]
    if not all(map(_TERRITORY.fullmatch, state.lists)) or not all(map(_FINGERPRINT.fullmatch, digests)):
        raise MalformedInput(f"{path} has a name that is no territory, or a digest that is none")
    return state


def _write_state(directory: Path, state: State) -> None:
    body = {
        "format": FORMAT,
        "source": state.source,
        "signers": sorted(state.signers),
        "lists": {name: asdict(item) for name, item in state.lists.items()},
    }
    try:
        files.write(directory / STATE, (json.dumps(body, indent=1, sort_keys=True) + "\n").encode())
    except OSError as error:
        raise TrustListError(f"{directory} cannot be written: {error.strerror}") from error


def _read_known(directory: Path, territory: str, known: Accepted) -> bytes:
    path = directory / known.file(territory)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_SIGNED + 1)
    except OSError as error:
        raise TrustListError(f"{path} cannot be read: {error.strerror}", hint="accept the list again") from error
    if hashlib.sha256(data).hexdigest() != known.sha256:
        raise TrustListError(f"{path} is not the file that was accepted", reason="digest")
    return data


def _holds(directory: Path, territory: str, known: Accepted) -> bool:
    try:
        _read_known(directory, territory, known)
    except TrustListError:
        return False
    return True


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Let one process at a time change the directory."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise TrustListError(f"{directory} cannot be read: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
