"""Encrypts to the holders of certificates, and decrypts, as CMS of each family and as a stream in constant memory.

    encrypt(reader, sink, [certificate, …])                # all of one family of suites
    opened = decrypt(reader, sink, key, certificate)       # commits the sink only once everything has been checked

    message = encrypt_bytes(b"contract", [certificate])
    decrypt_bytes(message, key, certificate)
    encrypt_seed(octets, [certificate, …])                 # a few octets, to recipients of any families: for PDF

Written: AuthEnvelopedData with AES-256-GCM (RFC 5083, RFC 5084), GB/T 35275-2017 envelopedData with SM4-CBC,
EnvelopedData with Kuznyechik-CTR-ACPKM-OMAC (R 1323565.1.025-2019); by their names also SM4-GCM and Magma. DER where
the size is known before, else BER of indefinite length. Read: all of that in the forms others write, the older ciphers
of each family, and GB/T 35275 signedAndEnvelopedData.

Whoever only asks whether a message decrypts learns nothing else: a wrong key, tag, code or padding is DecryptionFailed,
whatever it was. Whether a recipient's certificate is good is not looked at here (see `signer.encryption.recipients`).
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import BinaryIO

from certs import der, oids, suites
from certs.certificate import Certificate
from certs.enveloped_opening import Opened, Progress, decrypt, decrypt_bytes
from certs.errors import BadKey, MalformedInput, UnsupportedAlgorithm
from certs.extensions import key_id
from certs.recipient_info import MAX_RECIPIENTS, encode, encode_for_key
from certs.sink import Sink, filling
from certs.suites import content
from certs.suites.base import Family, PublicKey, WrappedKey
from certs.suites.content import Authentication, ContentCipher

CHUNK = 1 << 18
"""Octets that are encrypted at a time."""
OAEP = "sha256"
"""Digest of OAEP for RSA keys, where nobody asks for another."""

__all__ = [
    "OAEP",
    "Opened",
    "Progress",
    "decrypt",
    "decrypt_bytes",
    "encrypt",
    "encrypt_bytes",
    "encrypt_seed",
    "encrypt_to_key",
    "family_of",
    "write_enveloped",
]


def encrypt(
    reader: BinaryIO,
    sink: Sink,
    recipients: Sequence[Certificate],
    *,
    cipher: str | None = None,
    size: int | None = None,
    progress: Progress | None = None,
    oaep: str = OAEP,
) -> None:
    """Encrypt everything in `reader` to the holders of `recipients`, and commit the sink.

    `cipher` is one of `certs.suites.content.WRITTEN`, of the recipients' family; None: the family's own. `size` is how
    many octets the reader has, if that is known: the message is DER then. `oaep` is the digest of OAEP for RSA keys
    (`certs.suites.transport_rsa.DIGESTS`). Raises UnsupportedAlgorithm (recipients of
    several families, suites that do not encrypt, a cipher of another family), BadKey (a certificate that is not for
    encryption), MalformedInput (another size), BackendUnavailable; the sink is discarded then.
    """
    with filling(sink):
        write_enveloped(reader, sink.write, recipients, cipher=cipher, size=size, progress=progress, oaep=oaep)


def write_enveloped(
    reader: BinaryIO,
    write: Callable[[bytes], object],
    recipients: Sequence[Certificate],
    *,
    cipher: str | None = None,
    size: int | None = None,
    progress: Progress | None = None,
    oaep: str = OAEP,
) -> None:
    """Do what `encrypt` does, with nothing but a function that takes octets; the caller discards them on an error."""
    chosen = _cipher_for(recipients, cipher)
    key, parameters = secrets.token_bytes(chosen.key_size), chosen.new_parameters()
    _write(reader, write, _recipient_infos(recipients, key, chosen, oaep), key, chosen, parameters, size, progress)


def _write(
    reader: BinaryIO,
    write: Callable[[bytes], object],
    infos: list[bytes],
    key: bytes,
    cipher: ContentCipher,
    parameters: bytes,
    size: int | None,
    progress: Progress | None = None,
) -> None:
    """Write the message whose content key is `key`, as `infos` tell each recipient."""
    sealing = cipher.seal(key, parameters)
    frame = _Frame(cipher, parameters, infos, size)
    write(frame.head())
    done = 0
    while piece := reader.read(CHUNK):
        done += len(piece)
        if done > cipher.max_size or (size is not None and done > size):
            raise MalformedInput("there is more content than was said, or than the cipher takes")
        write(frame.wrapped(sealing.update(piece)))
        if progress is not None:
            progress(done)
    if size is not None and done != size:
        raise MalformedInput("there is less content than was said")
    write(frame.wrapped(sealing.finish()))
    write(frame.foot(sealing.tag))


def encrypt_bytes(
    data: bytes, recipients: Sequence[Certificate], *, cipher: str | None = None, oaep: str = OAEP
) -> bytes:
    """Return the message for `data`, DER; see `encrypt`."""
    out = io.BytesIO()
    write_enveloped(io.BytesIO(data), out.write, recipients, cipher=cipher, size=len(data), oaep=oaep)
    return out.getvalue()


def encrypt_seed(seed: bytes, recipients: Sequence[Certificate], *, oaep: str = OAEP) -> bytes:
    """Return the EnvelopedData (RFC 5652 6.1) of AES-256-CBC that ISO 32000-2 7.6.5.3 asks for, DER.

    It is one object for all recipients with the same permissions, and no standard of PDF has ciphers of China or
    Russia: the key of AES is encrypted to each by his own family's transport. Nothing authenticates the seed; what is
    derived from it must. Raises as `encrypt`.
    """
    cipher = content.for_name("aes-256-cbc")
    key, parameters = secrets.token_bytes(cipher.key_size), der.octet_string(secrets.token_bytes(16))
    infos = []
    for certificate in dict.fromkeys(recipients):
        cipher_name = content.default(family_of([certificate])).name
        wrapped = _public_key(certificate).with_oaep(oaep).wrap_key(key, cipher_name)
        infos.append(encode(certificate, _with_curve(wrapped, certificate)))
    out = io.BytesIO()
    _write(io.BytesIO(seed), out.write, infos, key, cipher, parameters, len(seed))
    return out.getvalue()


def _with_curve(wrapped: WrappedKey, certificate: Certificate) -> WrappedKey:
    """Return a key of ECDH whose originator names the curve: RFC 5753 3.1.1 leaves it open, readers of PDF need it."""
    if wrapped.originator is None:
        return wrapped
    algorithm, point = der.split_spki(certificate.spki)[0], der.split_spki(wrapped.originator)[1]
    return replace(wrapped, originator=der.subject_public_key_info(algorithm, point))


def encrypt_to_key(data: bytes, public: PublicKey) -> bytes:
    """Return the message for `data`, DER, to the holder of a key, who is named by the key's identifier.

    For a key that has no certificate yet, or one that says nothing of encryption: so an authority hands over what it
    made for somebody (`certs.key_delivery`). Raises UnsupportedAlgorithm for a suite that only signs,
    BackendUnavailable.
    """
    cipher = content.default(public.suite.family)
    key = secrets.token_bytes(cipher.key_size)
    info = encode_for_key(key_id(public.spki), public.wrap_key(key, cipher.name))
    out = io.BytesIO()
    _write(io.BytesIO(data), out.write, [info], key, cipher, cipher.new_parameters(), len(data))
    return out.getvalue()


def family_of(certificates: Iterable[Certificate]) -> Family:
    """Return the family of suites that all the keys belong to. Raises UnsupportedAlgorithm, BadKey."""
    families = {suites.for_spki(certificate.spki).family for certificate in certificates}
    if len(families) != 1:
        raise UnsupportedAlgorithm(
            "one message has recipients of one family of algorithms, and at least one",
            hint="make a package: it holds a message for each family",
        )
    return families.pop()


def _cipher_for(recipients: Sequence[Certificate], name: str | None) -> ContentCipher:
    family = family_of(recipients)
    if len(recipients) > MAX_RECIPIENTS:
        raise UnsupportedAlgorithm(f"a message has at most {MAX_RECIPIENTS} recipients")
    chosen = content.default(family) if name is None else content.for_name(name)
    if not chosen.written or chosen.family is not family:
        known = [item for item in content.WRITTEN if content.for_name(item).family is family]
        raise UnsupportedAlgorithm(
            f"nothing is encrypted to these recipients by {chosen.name}", hint="known: " + ", ".join(known)
        )
    return chosen


def _recipient_infos(recipients: Sequence[Certificate], key: bytes, cipher: ContentCipher, oaep: str) -> list[bytes]:
    version = 1 if _kind(cipher) == oids.GM_ENVELOPED_DATA else 0
    return [
        encode(certificate, _public_key(certificate).with_oaep(oaep).wrap_key(key, cipher.name), version=version)
        for certificate in dict.fromkeys(recipients)
    ]


def _public_key(certificate: Certificate) -> PublicKey:
    """Return the key of a recipient, whose certificate must allow to encrypt to it."""
    public = certificate.public_key()
    if public.suite.recipient_usages and not certificate.encrypts:
        raise BadKey(
            f"the key of {certificate.subject} is not for encryption, by its certificate",
            hint="many holders have a second certificate for it",
        )
    return public


def _kind(cipher: ContentCipher) -> str:
    """Return the content type that a cipher's messages have."""
    if cipher.authentication is Authentication.TAG:
        return oids.AUTH_ENVELOPED_DATA
    return oids.GM_ENVELOPED_DATA if cipher.family is Family.CHINA else oids.ENVELOPED_DATA


class _Frame:
    """What stands around the ciphertext: with definite lengths where the size is known, else indefinite."""

    def __init__(self, cipher: ContentCipher, parameters: bytes, infos: list[bytes], size: int | None) -> None:
        kind = _kind(cipher)
        self._cipher, self._kind, self._size = cipher, der.oid(kind), size
        gm = kind == oids.GM_ENVELOPED_DATA
        kinds = {info[:1] for info in infos}
        # RFC 5652 6.1: 3 with other kinds of recipients, 2 with unprotected attributes or key agreement;
        # RFC 5083 2.1: 0; GB/T 35275-2017: 1
        version = 1 if gm else 0
        if cipher.authentication is not Authentication.TAG:
            if b"\xa4" in kinds:
                version = 3
            elif b"\xa1" in kinds or cipher.authentication is Authentication.MAC:
                version = 2
        self._start = der.integer(version) + der.tlv(der.SET, b"".join(sorted(infos)))
        self._info = der.oid(oids.GM_DATA if gm else oids.DATA) + der.sequence(der.oid(cipher.oid), parameters)

    def head(self) -> bytes:
        """Return everything before the ciphertext."""
        if self._size is None:
            body = b"\xa0\x80\x30\x80" + self._start + b"\x30\x80" + self._info + b"\xa0\x80"
            return b"\x30\x80" + self._kind + body
        length = self._cipher.ciphertext_size(self._size)
        string = der.header(0x80, length)
        info = der.header(der.SEQUENCE, len(self._info) + len(string) + length) + self._info + string
        tail = len(self._tail(bytes(self._cipher.tag_size)))
        inner = len(self._start) + len(info) + length + tail
        body = der.header(der.SEQUENCE, inner)
        outer = der.header(0xA0, len(body) + inner)
        whole = len(self._kind) + len(outer) + len(body) + inner
        return der.header(der.SEQUENCE, whole) + self._kind + outer + body + self._start + info

    def wrapped(self, ciphertext: bytes) -> bytes:
        """Return a piece of the ciphertext as it stands in the message."""
        return ciphertext if self._size is not None or not ciphertext else der.octet_string(ciphertext)

    def foot(self, tag: bytes) -> bytes:
        """Return everything behind the ciphertext."""
        return self._tail(tag) if self._size is not None else bytes(4) + self._tail(tag) + bytes(6)

    def _tail(self, tag: bytes) -> bytes:
        if self._cipher.authentication is Authentication.TAG:
            return der.octet_string(tag)
        if self._cipher.authentication is Authentication.MAC:
            value = der.tlv(der.SET, der.octet_string(tag))
            return der.tlv(0xA1, der.sequence(der.oid(oids.OMAC_ATTRIBUTE), value))
        return b""
