"""Makes certificates that the authority would refuse to sign, to see them refused by others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from certs import ber, der, extensions, oids
from certs.certificate import Certificate, Extension, Subject
from certs.keys.base import KeyHandle
from certs.suites.base import Use
from tests.conftest import NOW

CA_USAGE = ("key_cert_sign", "crl_sign")
SIGN_USAGE = ("digital_signature", "non_repudiation")


def standard_extensions(
    key: KeyHandle,
    issuer: Certificate | None,
    *,
    ca: bool = False,
    path_length: int | None = None,
    usage: Sequence[str] | None = None,
    purposes: Sequence[str] = (),
) -> list[Extension]:
    """Return what a decent certificate has."""
    out = [extensions.key_usage(usage or (CA_USAGE if ca else SIGN_USAGE))]
    if ca:
        out.append(extensions.basic_constraints(ca=True, path_length=path_length))
    if purposes:
        out.append(extensions.extended_key_usage(purposes, critical=oids.TIME_STAMPING in purposes))
    out.append(extensions.subject_key_identifier(extensions.key_id(key.public_key.spki)))
    if issuer is not None and issuer.ski:
        out.append(extensions.authority_key_identifier(issuer.ski))
    return out


def forge(
    name: str | Subject,
    key: KeyHandle,
    issuer: Certificate | None,
    issuer_key: KeyHandle,
    *,
    fields: list[Extension] | None = None,
    more: Sequence[Extension] = (),
    not_before: datetime = NOW - timedelta(days=1),
    not_after: datetime = NOW + timedelta(days=300),
    inner_algorithm: bytes | None = None,
    outer_algorithm: bytes | None = None,
    serial: int = 0x1234567890,
    raw_times: bytes | None = None,
    **standard: object,
) -> Certificate:
    """Return a certificate of `key`, signed by `issuer_key` whatever it says."""
    subject = (Subject(name, country="DE") if isinstance(name, str) else name).name()
    algorithm = issuer_key.suite.signature_algorithm(Use.X509).der()
    tbs = extensions.certificate_tbs(
        serial=serial,
        algorithm=inner_algorithm or algorithm,
        issuer=issuer.subject_name.der if issuer else subject,
        not_before=not_before,
        not_after=not_after,
        subject=subject,
        spki=key.public_key.spki,
        extensions=[*(standard_extensions(key, issuer, **standard) if fields is None else fields), *more],  # type: ignore[arg-type]
    )
    if raw_times is not None:
        valid = der.sequence(ber.encode_time(not_before), ber.encode_time(not_after))
        body = der.Reader(tbs).value(der.SEQUENCE).replace(valid, raw_times)
        tbs = der.tlv(der.SEQUENCE, body)
    return Certificate(extensions.signed(tbs, outer_algorithm or algorithm, issuer_key.sign(tbs)))
