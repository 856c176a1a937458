"""What seals and seal signatures are made of: texts, numbers, times, extensions, with the variants met in each.

    notes = Notes()
    name = read_text(reader, ber.UTF8_STRING, notes)
    notes.all()                                # ("text-not-ascii",): the names are listed in `signer.seals.reading`

Every fault is MalformedInput.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from certs import ber, der
from certs.errors import CertsError, MalformedInput
from certs.signed_data import SIGNED_DATA_OIDS
from certs.timestamp import read_token
from signer.seals.model import SealExtension
from signer.seals.writing import TAGGED

MAX_ENTRIES = 1000
"""Members of a list of certificates, digests or extensions."""
MAX_NUMBER = 1 << 31
"""Below this are types, sizes and versions."""

_CHINA = timezone(timedelta(hours=8))
_BARE_TIME = re.compile(rb"(\d\d)?\d{12}Z")
"""The contents of a UTCTime or GeneralizedTime without tag and length."""


class Notes:
    """The variants met so far: each once, in the order met."""

    def __init__(self) -> None:
        self._met: dict[str, None] = {}

    def add(self, name: str, *, when: bool = True) -> None:
        """Note a variant, where it was met."""
        if when:
            self._met[name] = None

    def all(self) -> tuple[str, ...]:
        """Return their names."""
        return tuple(self._met)


def read_text(reader: der.Reader, tag: int, notes: Notes) -> str:
    """Read a text of the type `tag`; in UTF-8, whatever the type allows."""
    octets = reader.value(tag)
    try:
        text = octets.decode()
    except UnicodeDecodeError as error:
        raise MalformedInput("a text that is not UTF-8") from error
    notes.add("text-not-ascii", when=tag != ber.UTF8_STRING and not text.isascii())
    return text


def read_number(reader: der.Reader) -> int:
    """Read an INTEGER that is not negative and below MAX_NUMBER."""
    number = reader.integer()
    if not 0 <= number < MAX_NUMBER:
        raise MalformedInput("a number out of bounds")
    return number


def read_time(reader: der.Reader, notes: Notes, *, early: bool) -> datetime:
    """Read a date of a seal; `early`: of 2014, where it is a UTCTime."""
    generalized = reader.peek() == ber.GENERALIZED_TIME
    notes.add("v1-generalized-time", when=early and generalized)
    notes.add("utc-time", when=not early and not generalized)
    return ber.parse_time(reader.value(ber.GENERALIZED_TIME if generalized else ber.UTC_TIME), generalized=generalized)


def read_octets(reader: der.Reader, notes: Notes) -> bytes:
    """Read a BIT STRING or, where vendors write that, an OCTET STRING."""
    if reader.peek() == der.OCTET_STRING:
        notes.add("octet-string")
        return reader.value(der.OCTET_STRING)
    return reader.bit_string()


def read_time_stamp(body: der.Reader, notes: Notes) -> bytes | None:
    """Read timeStamp [0] EXPLICIT BIT STRING OPTIONAL, also without its tag."""
    if body.at_end():
        return None
    if body.peek() == der.BIT_STRING:
        notes.add("untagged-time-stamp")
        return body.bit_string()
    wrapped = body.enter(TAGGED)
    token = wrapped.bit_string()
    wrapped.end()
    return token


def read_extensions(reader: der.Reader, notes: Notes) -> tuple[SealExtension, ...]:
    """Read ExtensionDatas where they are, with or without [0]."""
    if reader.at_end():
        return ()
    if reader.peek() == TAGGED:
        wrapped = reader.enter(TAGGED)
        members = wrapped.enter()
        wrapped.end()
    else:
        members = reader.enter()
    found = []
    for _ in count_members(members):
        item = members.enter()
        oid = item.oid()
        critical = item.peek() == ber.BOOLEAN and _boolean(item, notes)
        found.append(SealExtension(oid, critical, item.value(der.OCTET_STRING)))
        item.end()
    return tuple(found)


def _boolean(reader: der.Reader, notes: Notes) -> bool:
    content = reader.value(ber.BOOLEAN)
    if content not in (b"\x00", b"\xff"):
        raise MalformedInput("a BOOLEAN that is not DER")
    notes.add("explicit-default", when=content == b"\x00")
    return content == b"\xff"


def count_members(reader: der.Reader) -> Iterator[int]:
    """Count the members of a SEQUENCE OF while the caller reads them. Raises MalformedInput where they are too many."""
    number = 0
    while not reader.at_end():
        if number == MAX_ENTRIES:
            raise MalformedInput(f"more than {MAX_ENTRIES} members")
        yield number
        number += 1


# Time of a signature of 2014 -----------------------------------------------------------------------------------------
def is_token(octets: bytes) -> bool:
    """Tell whether timeInfo is a ContentInfo with SignedData."""
    try:
        return ber.load(octets).members().next().oid() in SIGNED_DATA_OIDS
    except MalformedInput:
        return False


def token_time(token: bytes) -> datetime | None:
    """Return what a time-stamp token says; None for one that cannot be read."""
    try:
        return read_token(token).gen_time
    except CertsError:
        return None  # whoever verifies the token will say what is wrong with it


def said_time(octets: bytes, notes: Notes) -> datetime | None:
    """Read a UTCTime or GeneralizedTime in DER, or text in one of the forms met; None for anything else."""
    try:
        return ber.load(octets).time()
    except MalformedInput:
        pass
    try:
        if _BARE_TIME.fullmatch(octets):
            moment = ber.parse_time(octets, generalized=len(octets) == 15)
        else:
            moment = datetime.fromisoformat(octets.decode("ascii"))
    except (ValueError, MalformedInput):
        return None
    notes.add("time-text")
    if moment.tzinfo is None:
        notes.add("time-without-zone")
        moment = moment.replace(tzinfo=_CHINA)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None
