"""Decrypts CMS of every family as a stream; the reading half of `certs.enveloped`, which says what is read."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from certs import oids
from certs.certificate import Certificate
from certs.enveloped_view import EnvelopeView
from certs.errors import DecryptionFailed, MalformedInput, NotARecipient, UnsupportedAlgorithm
from certs.keys.base import DecryptionKey, KeyHandle, decrypting
from certs.recipient_info import RecipientInfo, key_identifiers
from certs.sink import MemorySink, Sink, filling
from certs.suites import content
from certs.suites.content import Authentication

MAX_TRIES = 64
"""Recipients that are tried where it is not known which one we are: each costs a computation with the private key."""

Progress = Callable[[int], object]
"""Told how many octets of content are done; it may raise to stop."""


@dataclass(frozen=True)
class Opened:
    """What is known of a message that was decrypted."""

    cipher: str
    authenticated: bool
    """Whether a change of the ciphertext would have been noticed. Where not, anybody may have changed the content, and
    something around the message must vouch for it."""
    size: int
    """Octets of content."""
    signed_data: bytes | None = None
    """Signatures that came with the content, as a detached SignedData for `certs.signed_data`; nobody verified them."""


def decrypt(
    reader: BinaryIO,
    sink: Sink,
    key: KeyHandle,
    certificate: Certificate | None = None,
    *,
    senders: Sequence[Certificate] = (),
    progress: Progress | None = None,
) -> Opened:
    """Decrypt the message in `reader`; commit the sink once it is authenticated and read to its end.

    `certificate` is the one that was encrypted to; without it the recipients that the key fits are tried. `senders` are
    certificates of which a sender may have used the key to agree on one, and only named it. Raises
    NotARecipient, DecryptionFailed, MalformedInput, UnsupportedAlgorithm, BackendUnavailable; the sink is discarded
    then.
    """
    with filling(sink):
        return _decrypted(reader, sink, key, certificate, senders, progress)


def decrypt_bytes(message: bytes, key: KeyHandle, certificate: Certificate | None = None) -> bytes:
    """Return the content of `message`; see `decrypt`."""
    sink = MemorySink()
    decrypt(io.BytesIO(message), sink, key, certificate)
    assert sink.data is not None
    return sink.data


def _decrypted(
    reader: BinaryIO,
    sink: Sink,
    key: KeyHandle,
    certificate: Certificate | None,
    senders: Sequence[Certificate],
    progress: Progress | None,
) -> Opened:
    ours = decrypting(key)
    attributes = _attributes_behind(reader)
    view = EnvelopeView(reader)
    cipher = content.for_algorithm(view.algorithm)
    if (cipher.authentication is Authentication.TAG) != (view.kind == oids.AUTH_ENVELOPED_DATA):
        raise UnsupportedAlgorithm(f"{cipher.name} has no place in {oids.name(view.kind)}")
    recipients = [_with_sender(info, senders) for info in _ours(view.recipients, ours, certificate)]
    content_key = _content_key(recipients, ours, certificate, cipher.key_size)
    opening = cipher.open(content_key, view.algorithm.parameters, attributes)
    size = 0
    for piece in view.pieces():
        plain = opening.update(piece)
        size += len(plain)
        sink.write(plain)
        if progress is not None:
            progress(size)
    tail = view.tail()
    if tail.attributes != attributes:
        raise UnsupportedAlgorithm(
            "the message has authenticated attributes, which stand behind the content", hint="save it to a file first"
        )
    rest = opening.finish(tail.tag)
    sink.write(rest)
    authenticated = cipher.authentication is not Authentication.NONE
    return Opened(cipher.name, authenticated, size + len(rest), tail.signed_data)


def _attributes_behind(reader: BinaryIO) -> bytes:
    """Return the authenticated attributes of AuthEnvelopedData: the cipher needs them first, and they come last.

    Hardly anybody writes them. A stream that cannot go back is read as if there were none, and refused at its end.
    """
    if not reader.seekable():
        return b""
    start = reader.tell()
    view = EnvelopeView(reader)
    attributes = b""
    if view.kind == oids.AUTH_ENVELOPED_DATA:
        view.skip()
        attributes = view.tail().attributes
    reader.seek(start)
    return attributes


def _with_sender(info: RecipientInfo, senders: Sequence[Certificate]) -> RecipientInfo:
    """Return a recipient with the key of the sender's certificate, where the message only names that."""
    sender = info.sender
    found = None if sender is None else next((item for item in senders if sender.is_of(item)), None)
    if found is None:
        return info
    return replace(info, wrapped=replace(info.wrapped, originator=found.spki), sender=None)


def _content_key(
    ours: Sequence[RecipientInfo], key: DecryptionKey, certificate: Certificate | None, size: int
) -> bytes:
    """Return the content key that is encrypted to us."""
    failed = False
    unknown: UnsupportedAlgorithm | MalformedInput | None = None
    for info in ours:
        if info.sender is not None:
            raise UnsupportedAlgorithm("the message names a certificate of its sender and does not hold it")
        if not info.wrapped.tells and certificate is None and len(ours) > 1:
            continue  # a wrong key would not be noticed, and so the right one not found
        try:
            return key.unwrap_key(info.wrapped, size)
        except (UnsupportedAlgorithm, MalformedInput) as error:  # of parameters that everybody can read
            unknown = error
        except DecryptionFailed:
            failed = True
    if failed:
        raise DecryptionFailed
    if unknown is not None and certificate is not None:
        raise unknown
    raise _not_for(certificate)


def _ours(
    recipients: Sequence[RecipientInfo], key: DecryptionKey, certificate: Certificate | None
) -> list[RecipientInfo]:
    if certificate is not None:
        ours = [info for info in recipients if info.is_for(certificate)]
    else:
        identifiers = key_identifiers(key.public_key.spki)
        ours = [info for info in recipients if info.recipient.key_id in identifiers] or list(recipients)
    if not ours or len(ours) > MAX_TRIES:
        raise _not_for(certificate)
    return ours


def _not_for(certificate: Certificate | None) -> NotARecipient:
    if certificate is not None:
        return NotARecipient(f"the message is not encrypted to {certificate.subject}, {certificate.serial_hex}")
    return NotARecipient(
        "the message is not encrypted to this key, or it cannot be told which recipient this is",
        hint="give the certificate too",
    )
