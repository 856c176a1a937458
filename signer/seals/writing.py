"""The exact DER of a seal and a seal signature, in the members of their standard.

    info = seal_info(version=SealVersion.V4, vendor=…, …)           # SES_SealInfo
    octets = seal_to_sign(SealVersion.V4, info, maker, algorithm)   # what the maker signs
    encoded = seal(SealVersion.V4, info, maker, algorithm, value)   # SESeal

Clauses: GM/T 0031-2014 6.1 and 6.2, GB/T 38540-2020 6 and 7. Texts and numbers are as they are given; who calls has
checked them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from certs import ber, der
from certs.extensions import TRUE
from certs.names import IA5, PRINTABLE
from signer.seals.model import CertificateDigest, SealExtension, SealPicture, SealVersion

TAGGED = ber.context(0)
CERTIFICATES, DIGESTS = 1, 2
"""certListType."""
HEADER_ID = "ES"


def seal_info(
    *,
    version: SealVersion,
    vendor: str,
    seal_id: str,
    kind: int,
    name: str,
    certificates: Sequence[bytes],
    certificate_digests: Sequence[CertificateDigest],
    created: datetime,
    valid_from: datetime,
    valid_to: datetime,
    picture: SealPicture,
    extensions: Sequence[SealExtension],
) -> bytes:
    """Return SES_SealInfo. In a seal of 2014 there are certificates only."""
    entries = [der.octet_string(item) for item in certificates]
    entries += [
        der.sequence(der.tlv(PRINTABLE, item.type.encode()), der.octet_string(item.value))
        for item in certificate_digests
    ]
    list_kind = b"" if version == SealVersion.V1 else der.integer(DIGESTS if certificate_digests else CERTIFICATES)
    time = ber.encode_time if version == SealVersion.V1 else ber.encode_generalized_time
    return der.sequence(
        der.sequence(_ia5_string(HEADER_ID), der.integer(version), _ia5_string(vendor)),
        _ia5_string(seal_id),
        der.sequence(
            der.integer(kind),
            der.tlv(ber.UTF8_STRING, name.encode()),
            list_kind,
            der.sequence(*entries),
            time(created),
            time(valid_from),
            time(valid_to),
        ),
        der.sequence(
            _ia5_string(picture.type),
            der.octet_string(picture.data),
            der.integer(picture.width),
            der.integer(picture.height),
        ),
        _extension_datas(extensions) if extensions else b"",
    )


def seal_to_sign(version: SealVersion, info: bytes, maker: bytes, algorithm: str) -> bytes:
    """Return the octets that the seal maker signs: in 2014 with certificate and algorithm, later eSealInfo alone."""
    if version == SealVersion.V1:
        return der.sequence(info, der.octet_string(maker), der.oid(algorithm))
    return info


def seal(
    version: SealVersion, info: bytes, maker: bytes, algorithm: str, value: bytes, time_stamp: bytes | None = None
) -> bytes:
    """Return SESeal."""
    signed = (der.octet_string(maker), der.oid(algorithm), der.bit_string(value))
    if version == SealVersion.V1:
        return der.sequence(info, der.sequence(*signed))
    return der.sequence(info, *signed, _time_stamp(time_stamp))


def signature_to_sign(
    version: SealVersion,
    *,
    seal: bytes,
    time_info: bytes,
    data_hash: bytes,
    property_info: str,
    extensions: Sequence[SealExtension],
    certificate: bytes,
    algorithm: str,
) -> bytes:
    """Return TBS_Sign, which the signer signs; `time_info` are the contents of timeInfo."""
    early = version == SealVersion.V1
    return der.sequence(
        der.integer(version),
        seal,
        der.bit_string(time_info) if early else der.tlv(ber.GENERALIZED_TIME, time_info),
        der.bit_string(data_hash),
        _ia5_string(property_info),
        der.octet_string(certificate) + der.oid(algorithm) if early else b"",
        der.tlv(TAGGED, _extension_datas(extensions)) if extensions else b"",
    )


def signature(
    version: SealVersion, tbs: bytes, certificate: bytes, algorithm: str, value: bytes, time_stamp: bytes | None = None
) -> bytes:
    """Return SES_Signature."""
    if version == SealVersion.V1:
        return der.sequence(tbs, der.bit_string(value))
    return der.sequence(
        tbs, der.octet_string(certificate), der.oid(algorithm), der.bit_string(value), _time_stamp(time_stamp)
    )


def _extension_datas(extensions: Sequence[SealExtension]) -> bytes:
    """Return ExtensionDatas; critical is written only where it is not the DEFAULT, FALSE."""
    return der.sequence(
        *(
            der.sequence(der.oid(item.oid), TRUE if item.critical else b"", der.octet_string(item.value))
            for item in extensions
        )
    )


def _time_stamp(token: bytes | None) -> bytes:
    return b"" if token is None else der.tlv(TAGGED, der.bit_string(token))


def _ia5_string(text: str) -> bytes:
    return der.tlv(IA5, text.encode())
