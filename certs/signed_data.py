"""CMS SignedData of every suite: written fast, read as strangers write it.

    encoded = build_signed_data(b"contract", key, certificate, chain=[issuing])            # content inside
    encoded = build_signed_data(b"contract", key, certificate, detached=True)

    attributes = signed_attributes(suite, certificate, digest, signing_time=now)           # two steps: what is signed …
    encoded = assemble(suite, certificate, attributes, key.sign(attributes), chain=[…])    # … and the rest, elsewhere

    view = parse_signed_data(received)
    view.signers[0].verify(content=b"contract")                                            # suite name, or BadSignature

Written as RFC 5652 and RFC 5035 say. Read with what is met in the field: BER of indefinite length, the object
identifiers of GB/T 35275-2017, signature OIDs where a digest belongs, parameters absent, NULL or complete, SM2 values
as bare r‖s, no signed attributes, attributes not in DER order. Signed attributes are hashed as received, only
re-tagged to SET OF. Trust is not looked at here (see `certs.path`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.errors import BadKey
from certs.keys.base import KeyHandle
from certs.signed_view import (
    SIGNED_DATA_OIDS,
    SignedDataView,
    SignerView,
    SigningCertificate,
    check_signing_certificate,
    digest_name,
    parse_signed_data,
)
from certs.suites.base import Suite, Use

__all__ = [
    "SIGNED_DATA_OIDS",
    "SignedDataView",
    "SignerView",
    "SigningCertificate",
    "assemble",
    "attribute",
    "build_signed_data",
    "certificate_bundle",
    "check_signing_certificate",
    "digest_name",
    "parse_signed_data",
    "set_of",
    "signed_attributes",
    "signing_certificate_v2",
]


def attribute(oid: str, *values: bytes) -> bytes:
    """Return an Attribute; `values` are DER."""
    return der.sequence(der.oid(oid), set_of(values))


def set_of(values: Iterable[bytes]) -> bytes:
    """Return a SET OF in DER order (X.690 11.6)."""
    return der.tlv(der.SET, b"".join(sorted(values)))


def signing_certificate_v2(certificate: Certificate, digest: str = "sha256") -> bytes:
    """Return the signing-certificate-v2 attribute (RFC 5035 3): digest of the certificate, issuer and serial.

    The hash algorithm is written only where it is not the DEFAULT, SHA-256.
    """
    algorithm = b"" if digest == "sha256" else _digest_algorithm(digest)
    issuer_serial = der.sequence(
        der.sequence(der.tlv(0xA4, certificate.issuer_name.der)), der.integer(certificate.serial)
    )
    identifier = der.sequence(algorithm, der.octet_string(suites.digest(digest, certificate.der)), issuer_serial)
    return attribute(oids.SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(identifier)))


def _digest_algorithm(digest: str) -> bytes:
    return suites.digest_algorithm(digest).der()


def signed_attributes(
    suite: Suite,
    certificate: Certificate,
    message_digest: bytes,
    *,
    content_type: str = oids.DATA,
    signing_time: datetime | None = None,
    extra: Sequence[bytes] = (),
) -> bytes:
    """Return the signed attributes as DER SET OF: exactly the octets to sign.

    `message_digest` is over the content with the suite's own digest. content-type, message-digest, signing-time where
    given, signing-certificate-v2, and the attributes in `extra` (DER).
    """
    attributes = [
        attribute(oids.CONTENT_TYPE, der.oid(content_type)),
        attribute(oids.MESSAGE_DIGEST, der.octet_string(message_digest)),
        signing_certificate_v2(certificate, suite.digest_name),
        *extra,
    ]
    if signing_time is not None:
        attributes.append(attribute(oids.SIGNING_TIME, ber.encode_time(signing_time)))
    return set_of(attributes)


def assemble(
    suite: Suite,
    certificate: Certificate,
    attributes: bytes | None,
    signature: bytes,
    *,
    content: bytes | None = None,
    content_type: str = oids.DATA,
    chain: Sequence[Certificate] = (),
    crls: Sequence[bytes] = (),
    unsigned_attributes: Sequence[bytes] = (),
    include_certificate: bool = True,
    outer_oid: str = oids.SIGNED_DATA,
) -> bytes:
    """Return ContentInfo (DER) around a signature that was made over `attributes`, or over the content without them.

    `content` is None for a detached signature; `chain` follows the signer's certificate. `outer_oid` is id-signedData
    or that of GB/T 35275-2017.
    """
    digest_algorithm = suite.digest_algorithm.der()
    signer = [
        der.integer(1),
        der.sequence(certificate.issuer_name.der, der.integer(certificate.serial)),
        digest_algorithm,
        b"\xa0" + attributes[1:] if attributes is not None else b"",
        suite.signature_algorithm(Use.CMS).der(),
        der.octet_string(signature),
    ]
    if unsigned_attributes:
        signer.append(b"\xa1" + set_of(unsigned_attributes)[1:])
    bag = [certificate.der] if include_certificate else []
    bag += [item.der for item in chain if item.der not in bag]
    inside = b"" if content is None else der.tlv(0xA0, der.octet_string(content))
    # RFC 5652 5.1: version 3 where the content is not id-data, else 1
    version = 1 if content_type == oids.DATA else 3
    body = der.sequence(
        der.integer(version),
        der.tlv(der.SET, digest_algorithm),
        der.sequence(der.oid(content_type), inside),
        der.tlv(0xA0, b"".join(sorted(bag))) if bag else b"",
        der.tlv(0xA1, b"".join(sorted(crls))) if crls else b"",
        der.tlv(der.SET, der.sequence(*signer)),
    )
    return der.sequence(der.oid(outer_oid), der.tlv(0xA0, body))


def build_signed_data(
    content: bytes,
    key: KeyHandle,
    certificate: Certificate,
    *,
    chain: Sequence[Certificate] = (),
    detached: bool = False,
    content_type: str = oids.DATA,
    signing_time: datetime | None = None,
    extra: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
    unsigned_attributes: Sequence[bytes] = (),
) -> bytes:
    """Sign `content` and return ContentInfo (DER); the two steps in one go.

    Raises BadKey for a certificate that is not for signatures, before the key is used, and what the key raises. That of
    an authority will do: it signs statements on its own keys.
    """
    if not certificate.allows("digital_signature", "non_repudiation", "key_cert_sign"):
        raise BadKey(
            f"the certificate of {certificate.subject} is not for signatures, by its key usage",
            hint="of a pair, take the signing certificate",
        )
    suite = key.suite
    attributes = signed_attributes(
        suite,
        certificate,
        suites.digest(suite.digest_name, content),
        content_type=content_type,
        signing_time=signing_time,
        extra=extra,
    )
    return assemble(
        suite,
        certificate,
        attributes,
        key.sign(attributes),
        content=None if detached else content,
        content_type=content_type,
        chain=chain,
        crls=crls,
        unsigned_attributes=unsigned_attributes,
    )


def certificate_bundle(certificates: Sequence[Certificate]) -> bytes:
    """Return a certificates-only SignedData (RFC 5652 5; the usual .p7b)."""
    body = der.sequence(
        der.integer(1),
        der.tlv(der.SET, b""),
        der.sequence(der.oid(oids.DATA)),
        der.tlv(0xA0, b"".join(sorted(item.der for item in certificates))),
        der.tlv(der.SET, b""),
    )
    return der.sequence(der.oid(oids.SIGNED_DATA), der.tlv(0xA0, body))
