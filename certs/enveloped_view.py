"""Reads encrypted CMS of strangers as a stream: who it is for, the ciphertext, and what stands behind it.

    view = EnvelopeView(file)
    view.recipients, view.algorithm                  # what is before the ciphertext, checked and bounded
    for piece in view.pieces(): …                    # then the ciphertext; or view.skip()
    view.tail()                                      # then what authenticates it; nothing may follow

EnvelopedData (RFC 5652 6.1), AuthEnvelopedData (RFC 5083 2.1), and GB/T 35275-2017 envelopedData and
signedAndEnvelopedData. Versions decide nothing: TC26's own examples state wrong ones. Raises MalformedInput.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

from certs import ber, der, oids
from certs.ber_stream import BERStream, Frame
from certs.errors import MalformedInput
from certs.recipient_info import RecipientInfo, read_recipients
from certs.signed_attributes import read_algorithm

MAX_HEAD = 16 << 20
"""Octets of all RecipientInfos: 20 000 of them for RSA keys of 4096 bits have about 14 MiB."""
MAX_TAIL = 1 << 20
"""Octets of each set of attributes, certificates or signatures behind the ciphertext."""
KINDS = frozenset(
    {oids.ENVELOPED_DATA, oids.AUTH_ENVELOPED_DATA, oids.GM_ENVELOPED_DATA, oids.GM_SIGNED_AND_ENVELOPED_DATA}
)


@dataclass(frozen=True)
class Tail:
    """What stands behind the ciphertext."""

    tag: bytes | None = None
    """The mac of AuthEnvelopedData, or the encrypted OMAC among the unprotected attributes."""
    attributes: bytes = b""
    """The authenticated attributes as DER SET OF, as they are authenticated; empty where there are none."""
    signed_data: bytes | None = None
    """Of signedAndEnvelopedData: its signatures as a detached SignedData over the content."""


class EnvelopeView:
    """One encrypted message; what is before the ciphertext is read at once."""

    def __init__(self, reader: BinaryIO) -> None:
        self._stream = stream = BERStream(reader)
        outer = stream.enter(ber.SEQUENCE)
        self.kind = ber.load(stream.raw(outer)).oid()
        if self.kind not in KINDS:
            raise MalformedInput(f"not an encrypted message but {oids.name(self.kind)}")
        content = stream.enter(ber.context(0), outer)
        self._body = body = stream.enter(ber.SEQUENCE, content)
        if not 0 <= ber.load(stream.raw(body)).integer() <= 4:
            raise MalformedInput("an encrypted message of an unknown version")
        if stream.next_tag(body) == ber.context(0):
            stream.raw(body, MAX_TAIL)  # certificates and lists that the sender thought useful
        self._recipients = stream.raw(body, MAX_HEAD)
        signed = self.kind == oids.GM_SIGNED_AND_ENVELOPED_DATA
        self._digests = stream.raw(body, MAX_TAIL) if signed else b""
        self._info = stream.enter(ber.SEQUENCE, body)
        self.content_type = ber.load(stream.raw(self._info)).oid()
        self.algorithm = read_algorithm(ber.load(stream.raw(self._info)))
        self._frames: tuple[Frame, ...] = (content, outer)

    @cached_property
    def recipients(self) -> tuple[RecipientInfo, ...]:
        """Everybody who can read it."""
        return read_recipients(ber.load(self._recipients))

    def pieces(self) -> Iterator[bytes]:
        """Yield the ciphertext."""
        yield from self._stream.pieces(self._info, ber.context(0, constructed=False))

    def skip(self) -> None:
        """Pass over the ciphertext, in a stream that can go forward."""
        self._stream.skip(self._info, ber.context(0, constructed=False))

    def tail(self) -> Tail:
        """Read what is left, to the end of the stream."""
        stream, body = self._stream, self._body
        stream.leave(self._info)
        if self.kind == oids.AUTH_ENVELOPED_DATA:
            tail = self._authenticated()
        elif self.kind == oids.GM_SIGNED_AND_ENVELOPED_DATA:
            tail = self._signed()
        else:
            tail = Tail(tag=_omac(self._optional(1)))
        for frame in (body, *self._frames):
            stream.leave(frame)
        stream.end()
        return tail

    def _optional(self, number: int) -> bytes:
        """Take [number], raw; empty where it is not there."""
        present = self._stream.next_tag(self._body) == ber.context(number)
        return self._stream.raw(self._body, MAX_TAIL) if present else b""

    def _authenticated(self) -> Tail:
        attributes = self._optional(1)
        tag = ber.load(self._stream.raw(self._body)).octets()
        self._optional(2)
        # RFC 5083 2.2: authenticated is the DER of the SET OF, not of [1]
        return Tail(tag, der.tlv(der.SET, ber.load(attributes).content()) if attributes else b"")

    def _signed(self) -> Tail:
        certificates, lists = self._optional(0), self._optional(1)
        signers = self._stream.raw(self._body, MAX_TAIL)
        info = der.sequence(der.oid(self.content_type))
        body = der.sequence(der.integer(1), self._digests, info, certificates, lists, signers)
        return Tail(signed_data=der.sequence(der.oid(oids.GM_SIGNED_DATA), der.tlv(0xA0, body)))


def _omac(attributes: bytes) -> bytes | None:
    """Return the encrypted OMAC among unprotected attributes (R 1323565.1.025-2019 7); None where there is none."""
    found = None
    for attribute in ber.load(attributes) if attributes else ():
        members = attribute.members()
        if members.next().oid() == oids.OMAC_ATTRIBUTE:
            if found is not None:
                raise MalformedInput("two values for the integrity of one content")
            found = members.next(ber.SET).only().octets()
    return found
