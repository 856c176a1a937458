"""Seals and signatures that the program would refuse to make, to see them refused by its verifier."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from certs import ber, suites
from signer.seals import (
    Seal,
    SealExtension,
    SealPicture,
    SealSignature,
    SealVersion,
    read_seal,
    read_seal_signature,
    writing,
)
from signer.seals.check import digest_beside
from signer.seals.make import seal_algorithm
from tests.conftest import NOW, Holder, circle_of
from tests.signer.seals.making import PROPERTY, raster


def algorithm_of(holder: Holder) -> str:
    return seal_algorithm(holder.key.suite)


def forged_seal(
    suite: str,
    version: SealVersion,
    *,
    maker: Holder | None = None,
    owners: tuple[bytes, ...] | None = None,
    picture: SealPicture | None = None,
    created: datetime = NOW,
    valid_from: datetime = NOW - timedelta(days=1),
    valid_to: datetime = NOW + timedelta(days=365),
    extensions: tuple[SealExtension, ...] = (),
    algorithm: str | None = None,
    value: bytes | None = None,
    stamp: Any = None,
) -> Seal:
    """Sign whatever it says; `stamp` is a time-stamper or a token."""
    maker = maker or circle_of(suite).person
    info = writing.seal_info(
        version=version,
        vendor="FORGER",
        seal_id="1",
        kind=1,
        name="伪造章",
        certificates=owners or (circle_of(suite).organisation.certificate.der,),
        certificate_digests=(),
        created=created,
        valid_from=valid_from,
        valid_to=valid_to,
        picture=picture or SealPicture("PNG", raster(), 40, 40),
        extensions=extensions,
    )
    named = algorithm or algorithm_of(maker)
    signed = value or maker.key.sign(writing.seal_to_sign(version, info, maker.certificate.der, named))
    return read_seal(
        writing.seal(version, info, maker.certificate.der, named, signed, token_over(signed, stamp, maker))
    )


def forged_signature(
    seal: Seal,
    holder: Holder,
    content: bytes = b"content",
    *,
    time: datetime = NOW,
    time_info: bytes | None = None,
    data_hash: bytes | None = None,
    algorithm: str | None = None,
    value: bytes | None = None,
    key: Holder | None = None,
    extensions: tuple[SealExtension, ...] = (),
    stamp: Any = None,
) -> SealSignature:
    """Sign with a seal that need not be good, at any time; `key` is who really signs."""
    named = algorithm or algorithm_of(holder)
    early = seal.version is SealVersion.V1
    digest = data_hash or suites.digest(digest_beside(algorithm_of(holder), holder.certificate), content)
    tbs = writing.signature_to_sign(
        seal.version,
        seal=seal.der,
        time_info=time_info or (ber.encode_time(time) if early else ber.encode_generalized_time(time)[2:]),
        data_hash=digest,
        property_info=PROPERTY,
        extensions=extensions,
        certificate=holder.certificate.der,
        algorithm=named,
    )
    signed = value or (key or holder).key.sign(tbs)
    return read_seal_signature(
        writing.signature(seal.version, tbs, holder.certificate.der, named, signed, token_over(signed, stamp, holder))
    )


def token_over(value: bytes, stamp: Any, holder: Holder) -> bytes | None:
    if stamp is None or isinstance(stamp, bytes):
        return stamp
    name = holder.key.suite.stamp_digest_name
    token: bytes = stamp.stamp(name, suites.digest(name, value))
    return token
