"""An envelope: the same content for parties of several families of algorithms, each in its own, and all knowing it.

    seal(reader, sink, certificates, [Sender(key, certificate)], clock=clock, name="contract.pdf")
    open_envelope(reader, sink, key, certificate, trust=store, clock=clock)         # signer.encryption.opening

A ZIP of stored entries (`signer.encryption.container`), or a directory of the same (`signer.encryption.folder`): for
each family `<family>.p7m`, CMS with the content, and `<family>.about.p7m`, CMS with about.json: name, size and digests
of the content, and a nonce. `manifest.json` has digests of all of them and of about.json, and the recipients; each
sender signs it (`manifest.<family>.p7s`, CAdES).

Where a key is used only on what is on record, the same in three steps:

    octets = prepare(reader, sink, certificates, [certificate_of_sender], clock=clock, name="contract.pdf")
    value = sign_manifest(octets, Sender(key, certificate))
    assemble(package, sink, {sender.family: value})             # or with only=Family.CHINA: what one recipient needs

`signer.encryption.opening` says what is checked when it is opened.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from certs import suites
from certs.certificate import Certificate
from certs.clock import Clock, FixedClock
from certs.enveloped import OAEP, Progress, encrypt_bytes, write_enveloped
from certs.errors import MalformedInput, UnsupportedAlgorithm
from certs.keys.base import KeyHandle
from certs.sink import Sink, filling
from certs.suites import content
from certs.suites.base import Family
from signer.cms import check_certificate, check_key, sign_detached
from signer.encryption.container import (
    MANIFEST,
    Container,
    OpenEntry,
    Package,
    Packing,
    about_name,
    content_name,
    packing,
    read,
    signature_name,
)
from signer.encryption.manifest import MAX_MANIFEST, About, Manifest, Named, Part, read_manifest
from signer.encryption.measured import Measure, Measured, Measuring, measured, tee
from signer.errors import OptionError, SigningRefused

CHUNK = 1 << 20


@dataclass(frozen=True)
class Sender:
    """Who signs the manifest."""

    key: KeyHandle
    certificate: Certificate
    chain: tuple[Certificate, ...] = ()

    @property
    def family(self) -> Family:
        """The family of the key."""
        return self.key.suite.family


# Sealing -------------------------------------------------------------------------------------------------------------
def seal(
    reader: BinaryIO,
    sink: Sink | Packing,
    recipients: Sequence[Certificate],
    senders: Sequence[Sender],
    *,
    clock: Clock,
    name: str,
    ciphers: Mapping[Family, str] | None = None,
    progress: Progress | None = None,
    oaep: str = OAEP,
) -> Manifest:
    """Encrypt everything in `reader` to each family of `recipients`, sign the manifest, and commit the sink.

    A sink of octets gets the ZIP, a `Packing` the entries. The reader is read once for each family, so it must be able
    to go back. Whether the recipients are good is asked before, by `check_recipients`. `ciphers` chooses another
    content cipher for a family than its own, `oaep` another digest of OAEP for RSA keys than SHA-256. Raises
    OptionError (no sender, two of one family, a certificate that is not the key's), SigningRefused (a sender's
    certificate that is not valid now or not for signatures), UnsupportedAlgorithm, BadKey, MalformedInput (the content
    changed meanwhile), and what the key raises; the sink is discarded then.
    """
    with filling(sink):
        _check_senders(senders, clock)
        certificates = [sender.certificate for sender in senders]
        with packing(sink) as entry:
            manifest = _written(entry, reader, recipients, certificates, clock, name, ciphers, progress, oaep)
            octets = manifest.encode()
            for sender in senders:
                _put(entry, signature_name(sender.family), sign_manifest(octets, sender))
    return manifest


def prepare(
    reader: BinaryIO,
    sink: Sink | Packing,
    recipients: Sequence[Certificate],
    senders: Sequence[Certificate],
    *,
    clock: Clock,
    name: str,
    ciphers: Mapping[Family, str] | None = None,
    progress: Progress | None = None,
) -> bytes:
    """Write everything but the signatures, and return the manifest, which the keys of `senders` are to sign.

    Raises as `seal` does; the sink is discarded then.
    """
    with filling(sink):
        _check_families([suites.for_spki(certificate.spki).family for certificate in senders])
        with packing(sink) as entry:
            manifest = _written(entry, reader, recipients, senders, clock, name, ciphers, progress)
    return manifest.encode()


def sign_manifest(octets: bytes, sender: Sender) -> bytes:
    """Return a sender's signature, DER. The moment it claims is the manifest's: the same is signed however often."""
    check_key(sender.key, sender.certificate)
    clock = FixedClock(read_manifest(octets).created)
    return sign_detached(io.BytesIO(octets), sender.key, sender.certificate, sender.chain, clock=clock)


def assemble(
    prepared: BinaryIO | Package,
    sink: Sink | Packing,
    signatures: Mapping[Family, bytes],
    *,
    only: Family | None = None,
) -> Manifest:
    """Put what `prepare` wrote and the signatures together; with `only`, for the recipients of one family alone.

    Raises EnvelopeRefused where `prepared` is no envelope, OptionError where a signature is missing; the sink is
    discarded then.
    """
    with filling(sink):
        container = prepared if isinstance(prepared, Package) else Container(prepared)
        octets = read(container, MANIFEST, MAX_MANIFEST)
        manifest = read_manifest(octets)
        if {family for family, _ in manifest.senders} != set(signatures):
            raise OptionError("not exactly the signatures that the manifest names")
        families = [part.family for part in manifest.parts if only in (None, part.family)]
        with packing(sink) as entry:
            for family in families:
                for name in (content_name(family), about_name(family)):
                    with container.open(name) as stream, entry(name) as write:
                        while piece := stream.read(CHUNK):
                            write(piece)
            _put(entry, MANIFEST, octets)
            for family, value in signatures.items():
                _put(entry, signature_name(family), value)
    return manifest


def _check_senders(senders: Sequence[Sender], clock: Clock) -> None:
    _check_families([sender.family for sender in senders])
    for sender in senders:
        check_key(sender.key, sender.certificate)
        check_certificate(sender.certificate, clock.now(), SigningRefused)


def _check_families(families: Sequence[Family]) -> None:
    if not families:
        raise OptionError("an envelope has at least one sender who signs", hint="give the key of the sender")
    if len(set(families)) != len(families):
        raise OptionError("two senders of one family of algorithms", hint="give one key of each family at most")


def by_family(recipients: Sequence[Certificate]) -> dict[Family, list[Certificate]]:
    """Return the certificates of each family, in the order of `Family`. Raises UnsupportedAlgorithm, BadKey."""
    out: dict[Family, list[Certificate]] = {family: [] for family in Family}
    for certificate in dict.fromkeys(recipients):
        out[suites.for_spki(certificate.spki).family].append(certificate)
    return {family: some for family, some in out.items() if some}


def _written(
    entry: OpenEntry,
    reader: BinaryIO,
    recipients: Sequence[Certificate],
    senders: Sequence[Certificate],
    clock: Clock,
    name: str,
    ciphers: Mapping[Family, str] | None,
    progress: Progress | None,
    oaep: str = OAEP,
) -> Manifest:
    """Write the messages and the manifest: everything but the signatures."""
    groups = by_family(recipients)
    if not groups:
        raise UnsupportedAlgorithm("an envelope has at least one recipient")
    chosen = {family: (ciphers or {}).get(family) or content.default(family).name for family in groups}
    whole, messages = _contents(entry, reader, groups, chosen, progress, oaep)
    about = About.of(name, whole).encode()
    parts = []
    for family, group in groups.items():
        message = encrypt_bytes(about, group, cipher=chosen[family], oaep=oaep)
        _put(entry, about_name(family), message)
        named = tuple(map(Named.of, group))
        parts.append(Part(family, chosen[family], named, messages[family], measured(message)))
    signed_by = tuple((suites.for_spki(sender.spki).family, Named.of(sender)) for sender in senders)
    manifest = Manifest(clock.now(), measured(about), tuple(parts), signed_by)
    _put(entry, MANIFEST, manifest.encode())
    return manifest


def _put(entry: OpenEntry, name: str, octets: bytes) -> None:
    with entry(name) as write:
        write(octets)


def _contents(
    entry: OpenEntry,
    reader: BinaryIO,
    groups: Mapping[Family, Sequence[Certificate]],
    ciphers: Mapping[Family, str],
    progress: Progress | None,
    oaep: str,
) -> tuple[Measured, dict[Family, Measured]]:
    """Encrypt the content to each family; return what the content is, and what each message is."""
    start = reader.tell()
    size = reader.seek(0, 2) - start
    whole: Measured | None = None
    messages: dict[Family, Measured] = {}
    for number, (family, group) in enumerate(groups.items()):
        reader.seek(start)
        # all digests once; then one, to see that it is still the same content
        measure, message = Measure(*([] if whole is None else [Family.INTERNATIONAL])), Measure()
        with entry(content_name(family)) as write:
            write_enveloped(
                cast("BinaryIO", Measuring(reader, measure)),
                tee(write, message.write),
                group,
                cipher=ciphers[family],
                size=size,
                progress=_offset(progress, number * size),
                oaep=oaep,
            )
        messages[family] = message.result()
        again = measure.result()
        if whole is not None and not whole.matches(again, Family.INTERNATIONAL):
            raise MalformedInput("the content changed while it was encrypted")
        whole = whole or again
    assert whole is not None
    return whole, messages


def _offset(progress: Progress | None, done: int) -> Progress | None:
    """Return the progress of one of several passes."""
    return None if progress is None else lambda octets: progress(done + octets)
