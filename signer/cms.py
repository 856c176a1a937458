"""CMS SignedData for PAdES (EN 319 142-1) and CAdES (EN 319 122-1), in any suite, in two steps.

    attributes = pades_attributes(suite, certificate, document_digest)            # exactly the octets to sign
    cms = finish(suite, certificate, chain, attributes, value, timestamper=tsa)   # the value is checked first
    cms = accept(foreign_cms, …)                                                  # made by another program

    sign_detached(stream, key, certificate, chain, clock=clock)                   # CAdES over any file, not inside it

In PAdES there is no signing-time attribute; the claimed time is /M of the signature dictionary (EN 319 142-1 6.3 i).
GOST signatures carry the key's OID without parameters as signatureAlgorithm (R 1323565.1.025-2019), which is what the
suite says of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO, Protocol

from certs import ber, der, oids, signature_policy, suites
from certs.certificate import Certificate, pem_blocks
from certs.clock import Clock
from certs.errors import BadKey, BadSignature, CertsError, MalformedInput, TimeStampError, UnsupportedAlgorithm
from certs.keys.base import KeyHandle
from certs.signed_data import (
    SignerView,
    assemble,
    attribute,
    check_signing_certificate,
    parse_signed_data,
    signed_attributes,
)
from certs.suites.base import Suite, Use
from certs.timestamp import read_token
from signer.errors import OptionError, SignerError, SigningRefused, WrongValue

COMMITMENT_TYPE_INDICATION = "1.2.840.113549.1.9.16.2.16"
"""RFC 5126 5.11.1."""

CHUNK = 1 << 20


class Timestamper(Protocol):
    """Whoever stamps: `certs.tsa.TimeStampAuthority` in this process, `signer.tsp.HTTPTimestamper` elsewhere."""

    def stamp(self, digest_name: str, digest: bytes, /) -> bytes:
        """Return a time-stamp token (DER) over `digest`. Raises TimeStampError."""
        ...


def pades_attributes(
    suite: Suite,
    certificate: Certificate,
    document_digest: bytes,
    *,
    commitment: str | None = None,
    seal: bytes | None = None,
    policy: bytes | None = None,
) -> bytes:
    """Return the signed attributes of a PAdES signature as DER SET OF: the octets to sign.

    content-type, message-digest, signing-certificate-v2 with the suite's digest, commitment-type-indication where an
    OID is given, the electronic seal (SESeal, as received) where one is used, signature-policy-identifier with value
    `policy` (`certs.signature_policy`). `document_digest` is over /ByteRange with the suite's digest.
    """
    extra = [] if commitment is None else [attribute(COMMITMENT_TYPE_INDICATION, der.sequence(der.oid(commitment)))]
    if seal is not None:
        extra.append(attribute(oids.SEAL_ATTRIBUTE, seal))
    if policy is not None:
        extra.append(attribute(oids.SIGNATURE_POLICY, policy))
    return signed_attributes(suite, certificate, document_digest, extra=extra)


def cades_attributes(
    suite: Suite, certificate: Certificate, digest: bytes, signing_time: datetime, agreement: bytes | None = None
) -> bytes:
    """Return the signed attributes of a CAdES signature as DER SET OF: the octets to sign (EN 319 122-1 6.3)."""
    policy = policy_of(suite, agreement)
    extra = [attribute(oids.SIGNATURE_POLICY, policy)] if policy is not None else []
    return signed_attributes(suite, certificate, digest, signing_time=signing_time, extra=extra)


def policy_of(suite: Suite, agreement: bytes | None) -> bytes | None:
    """Return the value of signature-policy-identifier that binds a signature to a framework agreement."""
    # SHAKE256, the digest of Ed448, is known to few: as for time-stamps
    return signature_policy.encode(agreement, suite.stamp_digest_name) if agreement is not None else None


def estimated_size(suite: Suite, certificate: Certificate, chain: Sequence[Certificate], attributes: int) -> int:
    """Return an upper bound, in octets, of the CMS around `attributes` octets of attributes, without time-stamp."""
    certificates = sum(len(item.der) for item in (certificate, *chain))
    # issuer and serial, algorithms and headers: the largest seen is under 300 octets beyond the issuer's name
    return certificates + attributes + suite.max_signature_size + len(certificate.issuer_name.der) + 320


def finish(
    suite: Suite,
    certificate: Certificate,
    chain: Sequence[Certificate],
    attributes: bytes,
    value: bytes,
    *,
    timestamper: Timestamper | None = None,
    time_stamp_digest: str | None = None,
    unsigned: Sequence[bytes] = (),
) -> bytes:
    """Return the CMS around `value`, which must verify over `attributes` with the certificate's key.

    `unsigned` are further unsigned attributes, DER.

    Raises WrongValue where it does not, TimeStampError where no good time-stamp is to be had: no signature is better
    than one that claims a level it has not got.
    """
    try:
        # by the algorithm that will be written: an RSA key signs by PSS as well as by PKCS #1 v1.5
        algorithm = suite.signature_algorithm(Use.CMS).der()
        suites.verify(certificate.spki, algorithm, value, attributes, digest=suite.digest_name)
    except (BadSignature, BadKey, MalformedInput, UnsupportedAlgorithm) as error:
        raise WrongValue(
            "the signature value does not verify for what was prepared",
            hint="sign exactly the prepared octets with the key of the certificate",
        ) from error
    further = list(unsigned)
    if timestamper is not None:
        token = time_stamp(value, timestamper, time_stamp_digest or suite.stamp_digest_name)
        further.append(attribute(oids.TIME_STAMP_TOKEN, token))
    return assemble(suite, certificate, attributes, value, chain=chain, unsigned_attributes=further)


def time_stamp(value: bytes, timestamper: Timestamper, digest: str) -> bytes:
    """Return a checked token over a signature value. Raises TimeStampError."""
    imprint = suites.digest(digest, value)
    try:
        token = timestamper.stamp(digest, imprint)
        read_token(token).verify(digest, imprint)
    except TimeStampError:
        raise
    except CertsError as error:
        raise TimeStampError(f"the time-stamp cannot be used: {error}", reason="token") from error
    except Exception as error:  # a timestamper is anybody's code
        raise TimeStampError(f"the time-stamp could not be made ({type(error).__name__})", reason="failure") from error
    return token


def accept(
    cms: bytes,
    *,
    certificate: Certificate,
    digest_name: str,
    digest: bytes,
    cades: bool,
    seal: bytes | None = None,
    policy: bytes | None = None,
    timestamper: Timestamper | None = None,
    time_stamp_digest: str | None = None,
) -> bytes:
    """Check a CMS that another program made for what was prepared, and return it, time-stamped where asked.

    Exactly one signer, the certificate prepared for, detached, the same digest, a signature that verifies; for CAdES
    (`cades`) also the signing-certificate attribute (EN 319 142-1 6.3); exactly the `seal` that was prepared, or none;
    the `policy` that was prepared, where one was.
    Raises WrongValue, TimeStampError.
    """
    try:
        cms = _binary(cms)
        view = parse_signed_data(cms)
        if len(view.signers) != 1:
            raise BadSignature("not exactly one signer")
        signer = view.signers[0]
        if signer.content is not None:
            raise BadSignature("the content is inside, a detached signature is needed")
        if signer.digest_name != digest_name:
            raise BadSignature(f"the digest is {signer.digest_name}, {digest_name} was prepared")
        if certificate not in signer.candidates((certificate,)):
            raise BadSignature("it names another certificate than was prepared for")
        if signer.values(oids.SEAL_ATTRIBUTE) != (() if seal is None else (seal,)):
            raise BadSignature("it does not carry the seal that was prepared, and no other")
        if policy is not None and signer.values(oids.SIGNATURE_POLICY) != (policy,):
            raise BadSignature("it does not name the framework agreement that was prepared")
        if cades:
            _check_cades(view.outer_oid, signer, certificate)
        signer.verify(digest=digest, certificate=certificate)
        encoded = ber.load(cms, padding=True).definite()  # readers of PDF expect no indefinite lengths
        if not cms.startswith(encoded):
            parse_signed_data(encoded).signers[0].verify(digest=digest, certificate=certificate)
    except (BadSignature, MalformedInput, UnsupportedAlgorithm, BadKey) as error:
        raise WrongValue(
            f"the CMS does not fit what was prepared: {error}", hint="make it over the prepared document digest"
        ) from error
    if timestamper is None or signer.unsigned_values(oids.TIME_STAMP_TOKEN):
        return encoded
    stamp_digest = time_stamp_digest or suites.for_spki(certificate.spki).stamp_digest_name
    return with_time_stamp(encoded, time_stamp(signer.signature, timestamper, stamp_digest))


def _binary(cms: bytes) -> bytes:
    """Return DER or BER where PEM was given."""
    if not cms.startswith(b"-"):
        return cms
    blocks = pem_blocks(cms)
    if not blocks:
        raise MalformedInput("no PEM block")
    return blocks[0][1]


def _check_cades(outer: str, signer: SignerView, certificate: Certificate) -> None:
    if outer != oids.SIGNED_DATA:
        raise BadSignature("the content type is that of GB/T 35275, not of RFC 5652")
    if signer.signed_attributes is None or not signer.signing_certificates:
        raise BadSignature("the signing-certificate attribute is missing, which CAdES requires")
    check_signing_certificate(signer, certificate)


def with_time_stamp(cms: bytes, token: bytes) -> bytes:
    """Return the CMS with `token` added to the unsigned attributes of its one signer. Raises MalformedInput."""
    content_info = ber.load(cms).members()
    kind = content_info.next().raw()
    body = list(content_info.next(ber.context(0)).only())
    signer = list(body[-1].expect(ber.SET).only())
    new = attribute(oids.TIME_STAMP_TOKEN, token)
    present = [item.definite() for item in signer[-1]] if signer[-1].tag == ber.context(1) else []
    kept = signer[:-1] if present else signer
    unsigned = der.tlv(0xA1, b"".join(sorted([*present, new])))
    rebuilt = der.tlv(der.SET, der.sequence(*(item.definite() for item in kept), unsigned))
    return der.sequence(kind, der.tlv(0xA0, der.sequence(*(item.definite() for item in body[:-1]), rebuilt)))


def sign_detached(
    stream: BinaryIO,
    key: KeyHandle,
    certificate: Certificate,
    chain: Sequence[Certificate] = (),
    *,
    clock: Clock,
    level: str = "B-B",
    timestamper: Timestamper | None = None,
    time_stamp_digest: str | None = None,
    agreement: bytes | None = None,
) -> bytes:
    """Return a detached CAdES signature (ContentInfo, DER) over everything in `stream`.

    With signing-time, which EN 319 122-1 requires at level B-B; `agreement` are the octets of a framework agreement
    that the signature is made under. Raises OptionError, SigningRefused (a certificate that
    is not valid now or not for signatures), WrongValue, TimeStampError.
    """
    check_key(key, certificate)
    check_certificate(certificate, clock.now(), SigningRefused)
    timestamper = needed_timestamper(level, timestamper)
    suite = key.suite
    digest = suites.new_digest(suite.digest_name)
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    attributes = cades_attributes(suite, certificate, digest.digest(), clock.now(), agreement)
    value = key.sign(attributes)
    return finish(
        suite, certificate, chain, attributes, value, timestamper=timestamper, time_stamp_digest=time_stamp_digest
    )


def check_key(key: KeyHandle, certificate: Certificate) -> None:
    """Raise OptionError where the certificate is not the key's."""
    if certificate.spki != key.public_key.spki and certificate.public_key().spki != key.public_key.spki:
        raise OptionError(
            "the certificate does not belong to the key", hint="give the certificate of this key with --cert"
        )


def check_certificate(certificate: Certificate, moment: datetime, refused: type[SignerError]) -> None:
    """Raise `refused` for a certificate whose signature at `moment` nobody would accept."""
    if not certificate.not_before <= moment <= certificate.not_after:
        state = "is not valid yet" if moment < certificate.not_before else "has expired"
        raise refused(
            f"the certificate {state}",
            hint="sign with a certificate that is valid now",
            reason="certificate-not-valid",
            not_before=certificate.not_before,
            not_after=certificate.not_after,
        )
    if not certificate.allows("digital_signature", "non_repudiation"):
        raise refused("the certificate is not for signatures", hint="its key usage says so", reason="key-usage")


def needed_timestamper(level: str, timestamper: Timestamper | None) -> Timestamper | None:
    """Return the timestamper a level needs. Raises OptionError where it is missing; B-B takes none."""
    if level == "B-B":
        return None
    if timestamper is None:
        raise OptionError(f"level {level} needs a time-stamping authority", hint="give --tsa URL")
    return timestamper
