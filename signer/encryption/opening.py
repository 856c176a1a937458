"""Opens an envelope with one recipient's key (see `signer.encryption.envelope`).

    opened = open_envelope(reader, sink, key, certificate, trust=store, clock=clock)
    opened.about.name, opened.sender, opened.manifest.parts

The steps, numbered at the code:

 1. the container is one of ours, within bounds
 2. the manifest is canonical and names a part of our family, and us
 3. every sender's signature is there, and is a detached CMS on the manifest by the certificate that it names; none
    failed, and the value of each is right
 4. every part, also those of other families, is what the manifest says, by the digest of our family; the parts of all
    others may be missing together, where somebody cut out what we need (`assemble` with `only`)
 5. about.json decrypts and is what the manifest says, by the digest of every family
 6. the content decrypts, and is what about.json says, by the digest of every family that has a part; only now it counts

So a recipient who can read one part alone knows that all parts were in the package that the senders signed, that their
owners got the same about.json, and what it says of the content. Where the other parts are missing, he knows what they
have to be: their digests stand in the manifest.

In 5 and 6 the digests of the others count too: each of them checks by his own, so a sender whose digests are of
different octets would give each family something else. And octets that do not decrypt are refused in the same words as
octets that decrypt to something else: whoever makes envelopes of messages of other people must not learn which it is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from certs.certificate import Certificate
from certs.clock import Clock
from certs.enveloped import Opened, Progress, decrypt, decrypt_bytes
from certs.errors import DecryptionFailed, MalformedInput, NotARecipient, SealroadError
from certs.keys.base import KeyHandle
from certs.signed_data import parse_signed_data
from certs.sink import Sink, filling
from certs.suites.base import Family
from certs.trust import TrustStore
from signer.encryption.container import (
    MANIFEST,
    Container,
    Package,
    about_name,
    content_name,
    read,
    signature_name,
)
from signer.encryption.manifest import MAX_MANIFEST, About, Manifest, Named, Part, read_about, read_manifest
from signer.encryption.measured import Measure, measured, tee
from signer.errors import EnvelopeRefused
from signer.report import Report, Verdict
from signer.verify import VerifyOptions, verify_bytes

MAX_SIGNATURE = 1 << 20
"""Octets of one sender's signature, with the certificates in it."""
MAX_ABOUT = 16 << 20
"""Octets of the message with about.json: nearly all of it are the keys of its recipients."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class OpenedEnvelope:
    """An envelope that was opened: everything held together."""

    manifest: Manifest
    about: About
    message: Opened
    """Our own message with the content."""
    signatures: tuple[tuple[Family, Report], ...]
    """A report on each sender's signature on the manifest; none of them failed."""
    whole: bool
    """Whether the parts of the other families were there, to be compared with the manifest."""

    @property
    def sender(self) -> Verdict:
        """TOTAL-PASSED where at least one signature is; INDETERMINATE where whose they are could not be told."""
        passed = any(report.verdict is Verdict.TOTAL_PASSED for _, report in self.signatures)
        return Verdict.TOTAL_PASSED if passed else Verdict.INDETERMINATE

    @property
    def sender_names(self) -> tuple[str, ...]:
        """Subjects of the certificates with the verdict of `sender`, as they stand in those certificates."""
        found = (report.signatures[0] for _, report in self.signatures if report.verdict is self.sender)
        return tuple(item.signer.subject for item in found if item.signer is not None)


def open_envelope(
    source: BinaryIO | Package,
    sink: Sink,
    key: KeyHandle,
    certificate: Certificate | None = None,
    *,
    trust: TrustStore,
    clock: Clock,
    options: VerifyOptions | None = None,
    progress: Progress | None = None,
) -> OpenedEnvelope:
    """Open an envelope with one recipient's key; commit the sink once everything holds together.

    `source` is the ZIP, a reader that can go back, or a `Package`. Raises EnvelopeRefused (also where something does
    not decrypt), NotARecipient, MalformedInput, UnsupportedAlgorithm, BackendUnavailable; the sink is discarded then.
    """
    with filling(sink):
        return _opened(source, sink, key, certificate, trust, clock, options, progress)


def _opened(
    source: BinaryIO | Package,
    sink: Sink,
    key: KeyHandle,
    certificate: Certificate | None,
    trust: TrustStore,
    clock: Clock,
    options: VerifyOptions | None,
    progress: Progress | None,
) -> OpenedEnvelope:
    container = source if isinstance(source, Package) else Container(source)  # 1
    octets = read(container, MANIFEST, MAX_MANIFEST)
    manifest, part = _manifest(container, octets, key, certificate)  # 2
    signatures = tuple(  # 3
        (family, _signature(container, octets, family, named, trust, clock, options))
        for family, named in manifest.senders
    )
    present = [each for each in manifest.parts if content_name(each.family) in container.names]  # 4
    for each in present:
        _check_part(container, each, by=part.family)
    about = _about(container, manifest, part, key, certificate)  # 5
    families = [each.family for each in manifest.parts]  # 6
    measure = Measure(*families)
    message: Opened | None = None
    with container.open(content_name(part.family)) as stream, suppress(DecryptionFailed):
        message = decrypt(stream, _Held(sink, measure), key, certificate, progress=progress)
    if message is None or not about.content.matches(measure.result(), *families):
        raise _refused("the content is not what the sender says of it", "content")
    return OpenedEnvelope(manifest, about, message, signatures, len(present) == len(manifest.parts))


class _Held:
    """A sink whose octets are measured, and which is committed by somebody else."""

    def __init__(self, sink: Sink, measure: Measure) -> None:
        self.write: Callable[[bytes], object] = tee(sink.write, measure.write)

    def commit(self) -> None:
        """Wait for more checks."""

    def discard(self) -> None:
        """Whoever made the sink does it."""


# 2 --------------------------------------------------------------------------------------------------------------------
def _manifest(
    container: Package, octets: bytes, key: KeyHandle, certificate: Certificate | None
) -> tuple[Manifest, Part]:
    try:
        manifest = read_manifest(octets)
    except MalformedInput as error:
        raise _refused(f"its manifest cannot be read: {error}", "manifest") from error
    part = manifest.part(key.suite.family)
    whole = _names(manifest, manifest.parts)
    if container.names != whole and (part is None or container.names != _names(manifest, (part,))):
        raise _refused("it holds other entries than its manifest names", "container")
    if part is None:
        raise NotARecipient(f"the envelope has no part for keys of {key.suite.name}")
    if certificate is not None and certificate.fingerprint() not in {item.certificate for item in part.recipients}:
        raise NotARecipient(f"the envelope is not for {certificate.subject}, {certificate.serial_hex}")
    return manifest, part


def _names(manifest: Manifest, parts: tuple[Part, ...]) -> set[str]:
    """Return the entries of an envelope with these parts."""
    names = {name for part in parts for name in (content_name(part.family), about_name(part.family))}
    return names | {MANIFEST, *(signature_name(family) for family, _ in manifest.senders)}


# 3 --------------------------------------------------------------------------------------------------------------------
def _signature(
    container: Package,
    octets: bytes,
    family: Family,
    named: Named,
    trust: TrustStore,
    clock: Clock,
    options: VerifyOptions | None,
) -> Report:
    name = signature_name(family)
    data = read(container, name, MAX_SIGNATURE)
    try:
        view = parse_signed_data(data)  # a list or a signed file would be judged too, for what it is itself
        report = verify_bytes(data, name=name, trust=trust, clock=clock, options=options, content=octets)
    except SealroadError as error:
        raise _refused(f"the signature of {named.subject} cannot be read: {error}", "signature") from error
    if len(report.signatures) != 1 or report.verdict not in (Verdict.TOTAL_PASSED, Verdict.INDETERMINATE):
        raise _refused(f"the signature of {named.subject} on the manifest does not hold", "signature")
    signature = report.signatures[0]
    if view.content is not None or signature.kind != "signature":
        raise _refused(f"what stands for the signature of {named.subject} is none on the manifest", "signature")
    if not any(check.id == "signature-value" and check.result == "passed" for check in signature.checks):
        raise _refused(f"the signature of {named.subject} cannot be checked", "signature")
    if signature.signer is None or signature.signer.fingerprint != named.certificate:
        raise _refused(f"the manifest is signed by somebody else than {named.subject}", "signature")
    return report


# 4 --------------------------------------------------------------------------------------------------------------------
def _check_part(container: Package, part: Part, *, by: Family) -> None:
    for name, expected in ((content_name(part.family), part.content), (about_name(part.family), part.about)):
        if container.size(name) != expected.size:
            raise _refused(f"{name} is not what the sender put there", "part")
        measure = Measure(by)
        with container.open(name) as stream:
            while piece := stream.read(CHUNK):
                measure.write(piece)
        if not expected.matches(measure.result(), by):
            raise _refused(f"{name} is not what the sender put there", "part")


# 5 --------------------------------------------------------------------------------------------------------------------
def _about(
    container: Package, manifest: Manifest, part: Part, key: KeyHandle, certificate: Certificate | None
) -> About:
    message = read(container, about_name(part.family), MAX_ABOUT)
    octets = b""
    with suppress(DecryptionFailed):
        octets = decrypt_bytes(message, key, certificate)
    if not manifest.about.matches(measured(octets)):
        raise _refused("what it says of its content does not decrypt, or is not the same for all", "about")
    try:
        return read_about(octets)
    except MalformedInput as error:
        raise _refused(f"what it says of its content cannot be read: {error}", "about") from error


def _refused(what: str, reason: str) -> EnvelopeRefused:
    return EnvelopeRefused(
        f"the envelope does not hold together: {what}", hint="nothing of it was given out", reason=reason
    )
