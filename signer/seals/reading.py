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

from typing import NamedTuple

from certs import ber, der
from certs.errors import MalformedInput
from certs.names import IA5, PRINTABLE
from signer.seals.model import CertificateDigest, Seal, SealPicture, SealSignature, SealVersion
from signer.seals.reading_parts import (
    Notes,
    count_members,
    is_token,
    read_extensions,
    read_number,
    read_octets,
    read_text,
    read_time,
    read_time_stamp,
    said_time,
    token_time,
)
from signer.seals.writing import CERTIFICATES, DIGESTS, HEADER_ID, TAGGED

__all__ = ["read_seal", "read_seal_signature"]

MAX_SIZE = 16 << 20
"""Octets of a seal or signature; those in use have tens of thousands."""


class _Signed(NamedTuple):
    """What the maker of a seal did."""

    certificate: bytes
    algorithm: str
    value: bytes
    tbs: bytes
    time_stamp: bytes | None


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
    notes = Notes()
    body = der.Reader(encoded).enter()
    info = body.raw(der.SEQUENCE)
    early = body.peek() in (der.SEQUENCE, der.BIT_STRING)  # signInfo; later its members stand here themselves
    signed = _sign_info(info, body, notes) if early else _sign_members(info, body, notes)
    body.end()
    reader = der.Reader(info).enter()
    header_id, header_version, vendor = _header(reader.enter(), notes)
    version = _version(header_version, notes, early=early, stamped=signed.time_stamp is not None)
    seal_id = read_text(reader, IA5, notes)
    rights = reader.enter()
    kind, name = read_number(rights), read_text(rights, ber.UTF8_STRING, notes)
    certificates, digests, foreign = _list(rights, notes, early=early)
    created, valid_from, valid_to = (read_time(rights, notes, early=early) for _ in range(3))
    rights.end()
    picture = _picture(reader.enter(), notes)
    notes.add("tagged-extension-data", when=reader.peek() == TAGGED)
    extensions = read_extensions(reader, notes)
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


def _sign_members(info: bytes, body: der.Reader, notes: Notes) -> _Signed:
    """Read what follows eSealInfo from 2020 on; the maker signed eSealInfo alone (GB/T 38540-2020 6.2)."""
    certificate, algorithm, value = body.value(der.OCTET_STRING), body.oid(), body.bit_string()
    return _Signed(certificate, algorithm, value, info, read_time_stamp(body, notes))


def _sign_info(info: bytes, body: der.Reader, notes: Notes) -> _Signed:
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


def _header(reader: der.Reader, notes: Notes) -> tuple[str, int, str]:
    header_id, version, vendor = read_text(reader, IA5, notes), read_number(reader), read_text(reader, IA5, notes)
    reader.end()
    notes.add("header-id", when=header_id != HEADER_ID)
    return header_id, version, vendor


def _version(written: int, notes: Notes, *, early: bool, stamped: bool) -> SealVersion:
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
    rights: der.Reader, notes: Notes, *, early: bool
) -> tuple[tuple[bytes, ...], tuple[CertificateDigest, ...], tuple[str, ...]]:
    """Read who may use the seal: certificates, digests of certificates, or names of them."""
    kind = CERTIFICATES if early else read_number(rights)
    if kind not in (CERTIFICATES, DIGESTS):
        raise MalformedInput(f"a list of certificates of unknown kind {kind}")
    certificates: list[bytes] = []
    digests: list[CertificateDigest] = []
    foreign: list[str] = []
    members = rights.enter()
    for _ in count_members(members):
        if kind == DIGESTS:
            pair = members.enter()
            digests.append(CertificateDigest(read_text(pair, PRINTABLE, notes), pair.value(der.OCTET_STRING)))
            pair.end()
        elif early and members.peek() == IA5:
            notes.add("foreign-entry")
            foreign.append(read_text(members, IA5, notes))
        else:
            certificates.append(members.value(der.OCTET_STRING))
    return tuple(certificates), tuple(digests), tuple(foreign)


def _picture(reader: der.Reader, notes: Notes) -> SealPicture:
    picture = SealPicture(
        read_text(reader, IA5, notes), reader.value(der.OCTET_STRING), read_number(reader), read_number(reader)
    )
    reader.end()
    return picture


# Signature -----------------------------------------------------------------------------------------------------------
def _early_signature(encoded: bytes, tbs: bytes, value: bytes) -> SealSignature:
    """Read the signature of 2014: certificate and algorithm stand inside TBS_Sign."""
    notes = Notes()
    reader = der.Reader(tbs).enter()
    version, seal = read_number(reader), _read_seal(reader.raw(der.SEQUENCE))
    _check_version(seal, version, notes, early=True)
    time_info = read_octets(reader, notes)
    data_hash = read_octets(reader, notes)
    property_info = read_text(reader, IA5, notes)
    certificate, algorithm = reader.value(der.OCTET_STRING), reader.oid()
    reader.end()
    token = time_info if is_token(time_info) else None
    return SealSignature(
        der=encoded,
        version=seal.version,
        signature_version=version,
        seal=seal,
        time=token_time(token) if token is not None else said_time(time_info, notes),
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
    notes = Notes()
    certificate, algorithm, value = body.value(der.OCTET_STRING), body.oid(), body.bit_string()
    stamp = read_time_stamp(body, notes)
    body.end()
    reader = der.Reader(tbs).enter()
    version, seal = read_number(reader), _read_seal(reader.raw(der.SEQUENCE))
    _check_version(seal, version, notes, early=False)
    time_info = reader.value(ber.GENERALIZED_TIME)
    data_hash, property_info = reader.bit_string(), read_text(reader, IA5, notes)
    notes.add("untagged-extension-data", when=reader.peek() == der.SEQUENCE)
    extensions = read_extensions(reader, notes)
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


def _check_version(seal: Seal, written: int, notes: Notes, *, early: bool) -> None:
    """Refuse a seal of one structure inside a signature of the other; the number itself is told where it differs."""
    if early != (seal.version == SealVersion.V1):
        raise MalformedInput(f"a seal of version {seal.version} inside a signature of another version")
    notes.add("signature-version", when=written != seal.header_version)
