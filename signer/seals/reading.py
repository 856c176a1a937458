"""Octets of anybody into a Seal or a SealSignature.

    seal = read_seal(data)
    signed = read_seal_signature(data)         # signed.seal is the seal inside

The encoding must be DER, as the standards say: what was signed is hashed as received, and one seal has one form. What
the standards' texts leave open, or vendors do otherwise, is read and named in `variants`:

    header-id                   the header does not begin with "ES"
    header-version              a seal of 2014 whose header says neither 1 nor 11
    v1-generalized-time         a seal of 2014 with GeneralizedTime
    utc-time                    a later one with UTCTime
    foreign-entry               a list of 2014 holds an IA5String where a certificate belongs
    wrapped-sign-info           signInfo stands inside a BIT STRING
    octet-string                timeInfo or dataHash is an OCTET STRING, not a BIT STRING
    time-text                   timeInfo of 2014 is text such as "2020-01-25T07:31:56.377Z"
    time-without-zone           … such as "2020-01-25 07:31:56", which is taken as Chinese time (UTC+8)
    tagged-extension-data       extDatas of a seal inside [0]
    untagged-extension-data     extDatas of a signature without [0]
    untagged-time-stamp         timeStamp without [0]
    v4-time-stamp               a seal of 2020 with the time-stamp that seals have from 2025 on
    signature-version           TBS_Sign gives another version than the seal
    explicit-default            critical FALSE is written, which DER leaves out
    text-not-ascii              an IA5String in UTF-8

A value that is raw r‖s is told by `signer.seals.check`: only the signer's key says what a value should be.
Every fault is MalformedInput.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from certs import ber, der
from certs.errors import CertsError, MalformedInput
from certs.names import IA5, PRINTABLE
from certs.signed_data import SIGNED_DATA_OIDS
from certs.timestamp import read_token
from signer.seals.model import CertificateDigest, Seal, SealExtension, SealPicture, SealSignature, SealVersion
from signer.seals.writing import CERTIFICATES, DIGESTS, HEADER_ID, TAGGED

__all__ = ["read_seal", "read_seal_signature"]

MAX_SIZE = 16 << 20
"""Octets of a seal or signature; those in use have tens of thousands."""
MAX_ENTRIES = 1000
"""Members of a list of certificates, digests or extensions."""
MAX_NUMBER = 1 << 31
"""Below this are types, sizes and versions."""

_CHINA = timezone(timedelta(hours=8))
_BARE_TIME = re.compile(rb"(\d\d)?\d{12}Z")
"""The contents of a UTCTime or GeneralizedTime without tag and length."""


class _Signed(NamedTuple):
    """What the maker of a seal did."""

    certificate: bytes
    algorithm: str
    value: bytes
    tbs: bytes
    time_stamp: bytes | None


class _Notes:
    """The variants met so far: each once, in the order met."""

    def __init__(self) -> None:
        self._met: dict[str, None] = {}

    def add(self, name: str, *, when: bool = True) -> None:
        if when:
            self._met[name] = None

    def all(self) -> tuple[str, ...]:
        return tuple(self._met)


def read_seal(data: bytes) -> Seal:
    """Return the seal that `data` is; nothing may follow it. Raises MalformedInput."""
    outer = _outer(data)
    seal = _read_seal(outer.raw(der.SEQUENCE))
    outer.end()
    return seal


def read_seal_signature(data: bytes) -> SealSignature:
    """Return the seal signature that `data` is, with its seal; nothing may follow it. Raises MalformedInput."""
    outer = _outer(data)
    body = outer.enter()
    outer.end()
    tbs = body.raw(der.SEQUENCE)
    # The top SEQUENCE has two members in 2014: TBS_Sign and the value. Later the certificate stands between them.
    if body.peek() == der.BIT_STRING:
        value = body.bit_string()
        body.end()
        return _early_signature(outer.data, tbs, value)
    return _later_signature(outer.data, tbs, body)


def _outer(data: bytes) -> der.Reader:
    if len(data) > MAX_SIZE:
        raise MalformedInput(f"more than {MAX_SIZE} octets")
    return der.Reader(bytes(data))


# Seal ----------------------------------------------------------------------------------------------------------------
def _read_seal(encoded: bytes) -> Seal:
    notes = _Notes()
    body = der.Reader(encoded).enter()
    info = body.raw(der.SEQUENCE)
    early = body.peek() in (der.SEQUENCE, der.BIT_STRING)  # signInfo; later its members stand here themselves
    signed = _sign_info(info, body, notes) if early else _sign_members(info, body, notes)
    body.end()
    reader = der.Reader(info).enter()
    header_id, header_version, vendor = _header(reader.enter(), notes)
    version = _version(header_version, notes, early=early, stamped=signed.time_stamp is not None)
    seal_id = _text(reader, IA5, notes)
    rights = reader.enter()
    kind, name = _number(rights), _text(rights, ber.UTF8_STRING, notes)
    certificates, digests, foreign = _list(rights, notes, early=early)
    created, valid_from, valid_to = (_time(rights, notes, early=early) for _ in range(3))
    rights.end()
    picture = _picture(reader.enter(), notes)
    notes.add("tagged-extension-data", when=reader.peek() == TAGGED)
    extensions = _extensions(reader, notes)
    reader.end()
    return Seal(
        der=encoded,
        version=version,
        header_id=header_id,
        header_version=header_version,
        vendor=vendor,
        seal_id=seal_id,
        type=kind,
        name=name,
        certificates=certificates,
        certificate_digests=digests,
        foreign_entries=foreign,
        created=created,
        valid_from=valid_from,
        valid_to=valid_to,
        picture=picture,
        extensions=extensions,
        maker=signed.certificate,
        signature_algorithm=signed.algorithm,
        signature=signed.value,
        tbs=signed.tbs,
        time_stamp=signed.time_stamp,
        variants=notes.all(),
    )


def _sign_members(info: bytes, body: der.Reader, notes: _Notes) -> _Signed:
    """Read what follows eSealInfo from 2020 on; the maker signed eSealInfo alone (GB/T 38540-2020 6.2)."""
    certificate, algorithm, value = body.value(der.OCTET_STRING), body.oid(), body.bit_string()
    return _Signed(certificate, algorithm, value, info, _time_stamp(body, notes))


def _sign_info(info: bytes, body: der.Reader, notes: _Notes) -> _Signed:
    """Read SES_SignInfo; the maker signed SEQUENCE { esealInfo, cert, signatureAlgorithm } (GM/T 0031-2014 6.1.2)."""
    if body.peek() == der.BIT_STRING:
        notes.add("wrapped-sign-info")
        wrapped = der.Reader(body.bit_string())
        members = wrapped.enter()
        wrapped.end()
    else:
        members = body.enter()
    start = members.position
    certificate, algorithm = members.value(der.OCTET_STRING), members.oid()
    tbs = der.sequence(info, members.data[start : members.position])
    value = members.bit_string()
    members.end()
    return _Signed(certificate, algorithm, value, tbs, None)


def _header(reader: der.Reader, notes: _Notes) -> tuple[str, int, str]:
    header_id, version, vendor = _text(reader, IA5, notes), _number(reader), _text(reader, IA5, notes)
    reader.end()
    notes.add("header-id", when=header_id != HEADER_ID)
    return header_id, version, vendor


def _version(written: int, notes: _Notes, *, early: bool, stamped: bool) -> SealVersion:
    """Return the version that structure and header agree on."""
    if early:
        if written in (SealVersion.V4, SealVersion.V5):
            raise MalformedInput(f"the header says version {written}, the members are those of version 1")
        notes.add("header-version", when=written not in (1, 11))
        return SealVersion.V1
    if written not in (SealVersion.V4, SealVersion.V5):
        raise MalformedInput(f"the header says version {written}, the members are those of version 4 or 5")
    notes.add("v4-time-stamp", when=stamped and written == SealVersion.V4)
    return SealVersion(written)


def _list(
    rights: der.Reader, notes: _Notes, *, early: bool
) -> tuple[tuple[bytes, ...], tuple[CertificateDigest, ...], tuple[str, ...]]:
    """Read who may use the seal: certificates, digests of certificates, or names of them."""
    kind = CERTIFICATES if early else _number(rights)
    if kind not in (CERTIFICATES, DIGESTS):
        raise MalformedInput(f"a list of certificates of unknown kind {kind}")
    certificates: list[bytes] = []
    digests: list[CertificateDigest] = []
    foreign: list[str] = []
    members = rights.enter()
    for _ in _members(members):
        if kind == DIGESTS:
            pair = members.enter()
            digests.append(CertificateDigest(_text(pair, PRINTABLE, notes), pair.value(der.OCTET_STRING)))
            pair.end()
        elif early and members.peek() == IA5:
            notes.add("foreign-entry")
            foreign.append(_text(members, IA5, notes))
        else:
            certificates.append(members.value(der.OCTET_STRING))
    return tuple(certificates), tuple(digests), tuple(foreign)


def _picture(reader: der.Reader, notes: _Notes) -> SealPicture:
    picture = SealPicture(_text(reader, IA5, notes), reader.value(der.OCTET_STRING), _number(reader), _number(reader))
    reader.end()
    return picture


# Signature -----------------------------------------------------------------------------------------------------------
def _early_signature(encoded: bytes, tbs: bytes, value: bytes) -> SealSignature:
    """Read the signature of 2014: certificate and algorithm stand inside TBS_Sign."""
    notes = _Notes()
    reader = der.Reader(tbs).enter()
    version, seal = _number(reader), _read_seal(reader.raw(der.SEQUENCE))
    _check_version(seal, version, notes, early=True)
    time_info = _octets(reader, notes)
    data_hash = _octets(reader, notes)
    property_info = _text(reader, IA5, notes)
    certificate, algorithm = reader.value(der.OCTET_STRING), reader.oid()
    reader.end()
    token = time_info if _is_token(time_info) else None
    return SealSignature(
        der=encoded,
        version=seal.version,
        signature_version=version,
        seal=seal,
        time=_token_time(token) if token is not None else _time_said(time_info, notes),
        time_info=time_info,
        time_token=token,
        data_hash=data_hash,
        property_info=property_info,
        extensions=(),
        certificate=certificate,
        signature_algorithm=algorithm,
        signature=value,
        tbs=tbs,
        time_stamp=None,
        variants=notes.all(),
    )


def _later_signature(encoded: bytes, tbs: bytes, body: der.Reader) -> SealSignature:
    """Read the signature from 2020 on: certificate and algorithm are not signed themselves."""
    notes = _Notes()
    certificate, algorithm, value = body.value(der.OCTET_STRING), body.oid(), body.bit_string()
    stamp = _time_stamp(body, notes)
    body.end()
    reader = der.Reader(tbs).enter()
    version, seal = _number(reader), _read_seal(reader.raw(der.SEQUENCE))
    _check_version(seal, version, notes, early=False)
    time_info = reader.value(ber.GENERALIZED_TIME)
    data_hash, property_info = reader.bit_string(), _text(reader, IA5, notes)
    notes.add("untagged-extension-data", when=reader.peek() == der.SEQUENCE)
    extensions = _extensions(reader, notes)
    reader.end()
    return SealSignature(
        der=encoded,
        version=seal.version,
        signature_version=version,
        seal=seal,
        time=ber.parse_time(time_info, generalized=True),
        time_info=time_info,
        time_token=None,
        data_hash=data_hash,
        property_info=property_info,
        extensions=extensions,
        certificate=certificate,
        signature_algorithm=algorithm,
        signature=value,
        tbs=tbs,
        time_stamp=stamp,
        variants=notes.all(),
    )


def _check_version(seal: Seal, written: int, notes: _Notes, *, early: bool) -> None:
    """Refuse a seal of one structure inside a signature of the other; the number itself is told where it differs."""
    if early != (seal.version == SealVersion.V1):
        raise MalformedInput(f"a seal of version {seal.version} inside a signature of another version")
    notes.add("signature-version", when=written != seal.header_version)


# Time of a signature of 2014 -----------------------------------------------------------------------------------------
def _is_token(octets: bytes) -> bool:
    """Tell whether timeInfo is a ContentInfo with SignedData."""
    try:
        return ber.load(octets).members().next().oid() in SIGNED_DATA_OIDS
    except MalformedInput:
        return False


def _token_time(token: bytes) -> datetime | None:
    try:
        return read_token(token).gen_time
    except CertsError:
        return None  # whoever verifies the token will say what is wrong with it


def _time_said(octets: bytes, notes: _Notes) -> datetime | None:
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


# Parts ---------------------------------------------------------------------------------------------------------------
def _text(reader: der.Reader, tag: int, notes: _Notes) -> str:
    octets = reader.value(tag)
    try:
        text = octets.decode()
    except UnicodeDecodeError as error:
        raise MalformedInput("a text that is not UTF-8") from error
    notes.add("text-not-ascii", when=tag != ber.UTF8_STRING and not text.isascii())
    return text


def _number(reader: der.Reader) -> int:
    number = reader.integer()
    if not 0 <= number < MAX_NUMBER:
        raise MalformedInput("a number out of bounds")
    return number


def _time(reader: der.Reader, notes: _Notes, *, early: bool) -> datetime:
    generalized = reader.peek() == ber.GENERALIZED_TIME
    notes.add("v1-generalized-time", when=early and generalized)
    notes.add("utc-time", when=not early and not generalized)
    return ber.parse_time(reader.value(ber.GENERALIZED_TIME if generalized else ber.UTC_TIME), generalized=generalized)


def _octets(reader: der.Reader, notes: _Notes) -> bytes:
    """Read a BIT STRING or, where vendors write that, an OCTET STRING."""
    if reader.peek() == der.OCTET_STRING:
        notes.add("octet-string")
        return reader.value(der.OCTET_STRING)
    return reader.bit_string()


def _time_stamp(body: der.Reader, notes: _Notes) -> bytes | None:
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


def _extensions(reader: der.Reader, notes: _Notes) -> tuple[SealExtension, ...]:
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
    for _ in _members(members):
        item = members.enter()
        oid = item.oid()
        critical = item.peek() == ber.BOOLEAN and _boolean(item, notes)
        found.append(SealExtension(oid, critical, item.value(der.OCTET_STRING)))
        item.end()
    return tuple(found)


def _boolean(reader: der.Reader, notes: _Notes) -> bool:
    content = reader.value(ber.BOOLEAN)
    if content not in (b"\x00", b"\xff"):
        raise MalformedInput("a BOOLEAN that is not DER")
    notes.add("explicit-default", when=content == b"\x00")
    return content == b"\xff"


def _members(reader: der.Reader) -> Iterator[int]:
    """Count the members of a SEQUENCE OF while the caller reads them. Raises MalformedInput where they are too many."""
    number = 0
    while not reader.at_end():
        if number == MAX_ENTRIES:
            raise MalformedInput(f"more than {MAX_ENTRIES} members")
        yield number
        number += 1
