"""PAdES signatures in two steps that are one path: prepare, record, use the key once, complete.

    prepared = prepare(source, target, SignOptions(), certificate, chain, clock)      # target has an empty signature
    record(prepared.to_json())
    value = token.sign(prepared.dtbs)                                                 # wherever the key lives
    complete(target, prepared, value=value)                                           # checked, then put in

    sign_file(source, target, key, certificate, chain, SignOptions(), clock)          # the same steps in one call
    signed = sign_bytes(pdf, key, certificate, chain, SignOptions(), clock)           # in memory

A seal is applied the same way (`signer.pades.sealing`). The new signature is an incremental revision: the octets of the
file before are its untouched beginning, so every earlier signature stays valid. Nothing is written where anything is
wrong.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from hmac import compare_digest
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from certs import suites
from certs.certificate import Certificate
from certs.clock import Clock
from certs.keys.base import KeyHandle
from certs.suites.base import Suite
from signer.cms import (
    Timestamper,
    accept,
    check_certificate,
    check_key,
    estimated_size,
    finish,
    needed_timestamper,
    pades_attributes,
    policy_of,
)
from signer.errors import FieldError, OptionError, SigningRefused, StaleRequest
from signer.pades.macs import FileMAC, needed_mac, no_mac
from signer.pades.options import CADES_DETACHED, COMMITMENTS, SignOptions
from signer.pades.preflight import Ground, examine
from signer.pades.prepared import Prepared
from signer.pades.working import CHUNK, Working, open_working

if TYPE_CHECKING:
    from signer.appearance import Drawing
    from signer.pades.engine import NewField, Revision, RevisionWriter
    from signer.pades.spots import Spot
    from signer.pdf.encryption import Credentials

    Dresser = Callable[[RevisionWriter, int, Any, Any], None]

__all__ = ["Prepared", "SignOptions", "Timestamper", "complete", "prepare", "sign_bytes", "sign_file"]

SLACK = 1024
"""Octets reserved beyond the estimate, for a CMS that another program makes."""
TIME_STAMP_SIZE = 12_288
"""Octets reserved for a time-stamp token beyond the size of our own CMS: the largest seen of public authorities have
about 9 KB, and an authority of the signer's own suite sends certificates as large as the signer's."""


# Two steps -----------------------------------------------------------------------------------------------------------
def prepare(
    source: Path,
    target: Path,
    options: SignOptions,
    certificate: Certificate,
    chain: Sequence[Certificate],
    clock: Clock,
    *,
    digest: str | None = None,
    suite: str | None = None,
    credentials: Credentials | None = None,
) -> Prepared:
    """Write a copy of `source` with an empty signature to `target`, and return what is to be signed.

    `suite` is needed only for RSA keys that sign by PSS; `digest` only confirms the suite's own; `credentials` open an
    encrypted file. Raises UnreadableFile,
    UnreadablePDF, EncryptedPDF, SigningRefused, FieldError, AppearanceError, OptionError, and UnsupportedAlgorithm for
    a suite of old signatures.
    """
    chosen = suites.get(suite) if suite is not None else suites.for_spki(certificate.spki)
    suites.must_sign(chosen.name)
    if digest not in (None, chosen.digest_name):
        raise OptionError(f"the suite {chosen.name} uses {chosen.digest_name}, not {digest}")
    with open_working(source, target, (chosen.digest_name, "sha256")) as work:
        prepared, mac = _draft(work, options, chosen, certificate, chain, clock, credentials)
        # it is over the value, so the key of the file would be needed again
        no_mac(mac, "whoever completes the signature could not make the next one", "sign it in one step")
        prepared = replace(prepared, file_sha256=work.digests[1].digest().hex())
        work.commit()
    return prepared


def complete(
    path: Path,
    prepared: Prepared,
    *,
    value: bytes | None = None,
    cms: bytes | None = None,
    timestamper: Timestamper | None = None,
    target: Path | None = None,
) -> None:
    """Put a signature value, or the CMS another program made, into the prepared file at `path`.

    The file is replaced as a whole or stays as it was; with `target` the signed file is written there instead. Raises
    StaleRequest where it is not the prepared one, WrongValue where value or CMS does not verify for it, TimeStampError
    where no good time-stamp is to be had.
    """
    if (value is None) == (cms is None):
        raise OptionError("give either a signature value or a CMS")
    if cms is not None and prepared.seal_signature is not None:
        raise OptionError("the national form of a seal is no CMS", hint="give the signature value")
    timestamper = needed_timestamper(prepared.level, timestamper)
    with open_working(path, target) as work:
        _check_prepared(work, prepared)
        if value is not None:
            encoded = _finish(prepared, value, prepared.certificate, prepared.chain, timestamper)
        else:
            assert cms is not None
            encoded = accept(
                cms,
                certificate=prepared.certificate,
                digest_name=prepared.digest_name,
                digest=prepared.document_digest,
                cades=prepared.subfilter == CADES_DETACHED,
                seal=prepared.seal_der,
                policy=prepared.policy_der,
                timestamper=timestamper,
                time_stamp_digest=prepared.time_stamp_digest,
            )
        work.open_window(prepared.contents_offset + 1, prepared.byte_range[2] - 1)
        _fill(work, prepared, encoded)
        work.commit()


# One call ------------------------------------------------------------------------------------------------------------
def sign_file(
    source: Path,
    target: Path,
    key: KeyHandle,
    certificate: Certificate,
    chain: Sequence[Certificate],
    options: SignOptions,
    clock: Clock,
    timestamper: Timestamper | None = None,
    *,
    credentials: Credentials | None = None,
) -> Prepared:
    """Sign `source` into `target`; nothing is left there where anything fails. Raises as the two steps do."""
    with open_working(source, target, (key.suite.digest_name,)) as work:
        prepared = _sign(work, key, certificate, chain, options, clock, timestamper, credentials)
        work.commit()
    return prepared


def sign_bytes(
    pdf: bytes,
    key: KeyHandle,
    certificate: Certificate,
    chain: Sequence[Certificate],
    options: SignOptions,
    clock: Clock,
    timestamper: Timestamper | None = None,
    *,
    credentials: Credentials | None = None,
) -> bytes:
    """Return `pdf` with one more signature. Raises as the two steps do."""
    work = Working(bytes(pdf), (key.suite.digest_name,))
    _sign(work, key, certificate, chain, options, clock, timestamper, credentials)
    return work.whole()


def _sign(
    work: Working,
    key: KeyHandle,
    certificate: Certificate,
    chain: Sequence[Certificate],
    options: SignOptions,
    clock: Clock,
    timestamper: Timestamper | None,
    credentials: Credentials | None,
) -> Prepared:
    check_key(key, certificate)
    timestamper = needed_timestamper(options.level, timestamper)
    prepared, mac = _draft(work, options, key.suite, certificate, chain, clock, credentials)
    value = key.sign(prepared.dtbs)
    more = [mac.attribute(work, prepared.byte_range, value)] if mac is not None else []
    _fill(work, prepared, _finish(prepared, value, certificate, chain, timestamper, more))
    return prepared


# Inside --------------------------------------------------------------------------------------------------------------
def _draft(
    work: Working,
    options: SignOptions,
    suite: Suite,
    certificate: Certificate,
    chain: Sequence[Certificate],
    clock: Clock,
    credentials: Credentials | None,
) -> tuple[Prepared, FileMAC | None]:
    """Append the revision with the empty signature, which may have to carry a MAC. Nothing leaves yet.

    work.digests[0] is the suite's.
    """
    from signer.pades.engine import Request, open_writer, write_revision
    from signer.pades.selfcheck import check_revision

    now = clock.now()
    if options.seal is not None:
        from signer.pades.sealing import check_seal

        check_seal(options.seal, certificate, clock)
    else:
        check_certificate(certificate, now, SigningRefused)
    ground = examine(work.data, options, credentials)
    mac = needed_mac(ground)
    if options.national is not None:
        no_mac(mac, "the national form has no place for the next one", "seal by PAdES")
    drawing = _drawing(ground, options)
    name = options.name or certificate.common_name or certificate.organisation
    handler_name, subfilter = options.names
    request = Request(
        field=ground.field,
        page=ground.spots[0].page,
        rectangle=ground.spots[0].rectangle,
        more=tuple(_new_field(spot) for spot in ground.spots[1:]),
        size=_reserved(options, suite, certificate, chain, work.digests[0].digest_size)
        + (mac.size if mac is not None else 0),
        filter=handler_name,
        subfilter=subfilter,
        certificates=tuple(item.der for item in (certificate, *chain)) if options.national is not None else (),
        time=now,
        name=name,
        reason=options.reason,
        location=options.location,
        contact=options.contact,
        certify=options.certify,
        lock=_lock(ground, options),
        fill=_filler(ground, options),
        mac=mac is not None,
        dress=_dresser(ground, drawing, options, name),
    )
    handler = ground.pdf.decryptor.handler if ground.pdf.decryptor is not None else None
    revision = write_revision(open_writer(stream_of(work, ground), ground.highest, handler), request)
    work.append(revision.data)
    check_revision(ground, work.whole(), revision)
    document_digest = _digest(work, revision)
    seal_signature = None
    if options.national is None:
        dtbs = _attributes(options, suite, certificate, document_digest)
    else:
        from signer.pades.sealing import prepare_national

        assert options.seal is not None
        waiting = prepare_national(options.seal, suite, certificate, document_digest, revision.byte_range, clock)
        dtbs, seal_signature = waiting.dtbs, waiting.to_json()
    prepared = Prepared(
        suite=suite.name,
        field=ground.field,
        subfilter=subfilter,
        level=options.level,
        time_stamp_digest=options.time_stamp_digest,
        signed_at=now.isoformat(timespec="seconds"),
        source_size=work.size,
        file_size=revision.end,
        file_sha256=None,
        byte_range=revision.byte_range,
        contents_offset=revision.contents_start,
        contents_size=request.size,
        digest_name=suite.digest_name,
        document_digest=document_digest,
        dtbs=dtbs,
        certificate_der=certificate.der,
        chain_der=tuple(item.der for item in chain),
        seal_der=options.seal.der if options.seal is not None else None,
        seal_signature=seal_signature,
        policy_der=policy_of(suite, options.agreement),
        further_fields=tuple(spot.field for spot in ground.spots[1:]),
    )
    return prepared, mac


def _attributes(options: SignOptions, suite: Suite, certificate: Certificate, document_digest: bytes) -> bytes:
    return pades_attributes(
        suite,
        certificate,
        document_digest,
        commitment=COMMITMENTS[options.commitment] if options.commitment is not None else None,
        seal=options.seal.der if options.seal is not None else None,
        policy=policy_of(suite, options.agreement),
    )


def stream_of(work: Working, ground: Ground) -> IO[bytes]:
    """Return the file for the writer, without a /Prev 0 that says "none": its reader would look there."""
    spans = [
        section.trailer.spans["Prev"]
        for section in ground.view.sections
        if section.trailer.get("Prev") == 0 and "Linearized" not in section.trailer
    ]
    if not spans:
        return work.stream()
    octets = bytearray(work.data)
    for start, end in spans:
        key = octets.rindex(b"/", 0, start)
        octets[key:end] = b" " * (end - key)
    return io.BytesIO(octets)


def _lock(ground: Ground, options: SignOptions) -> tuple[str, tuple[str, ...], int | None] | None:
    """Return what the signature locks: what the author of its field says, or what its signer asks for."""
    own = ground.existing.lock if ground.existing is not None else None
    if own is not None and options.locks:
        raise FieldError(f"the field {ground.field!r} says itself what it locks", hint="sign a new field")
    return ("Include", options.locks, None) if options.locks else own


def _filler(ground: Ground, options: SignOptions) -> Callable[[RevisionWriter], None] | None:
    if not options.values:
        return None
    from signer.forms.filling import Filling

    return Filling(ground, options.values).write


def _new_field(spot: Spot) -> NewField:
    from signer.pades.engine import NewField

    assert spot.rectangle is not None
    return NewField(spot.field, (spot.page_object.number, spot.page_object.generation), spot.rectangle)


def _drawing(ground: Ground, options: SignOptions) -> Drawing | None:
    """Draw a stamp at the size of its field, as the reader sees it, or a seal at its own."""
    if options.appearance is None:
        return None
    spot = ground.spots[0]
    width, height = spot.size
    if ground.existing is not None and not (width and height):
        raise OptionError(f"the field {ground.field!r} is invisible", hint="sign it without an appearance")
    if not (width and height):
        raise OptionError("a visible signature needs a place", hint="give a box on the page")
    from signer.appearance import StampSpec, render
    from signer.appearance.seal import render_seal

    part = ground.pdfa_part()
    if not isinstance(options.appearance, StampSpec):
        return render_seal(options.appearance, pdfa_part=part)
    if options.places:
        raise OptionError("a stamp shows in one place", hint="give a page and a box")
    if options.box is not None:
        x1, y1, x2, y2 = options.box
        width, height = x2 - x1, y2 - y1
    return render(replace(options.appearance, width=width, height=height), pdfa_part=part)


def _dresser(ground: Ground, drawing: Drawing | None, options: SignOptions, name: str | None) -> Dresser:
    from signer.appearance import StampSpec
    from signer.pades.widget import Wardrobe

    alternative = drawing.alternative if drawing is not None else _spoken(options, name)
    language = options.appearance.locale if options.appearance is not None else options.locale
    framed = options.appearance is not None and not isinstance(options.appearance, StampSpec)
    return Wardrobe(ground, drawing, alternative, language, framed=framed).dress


def _spoken(options: SignOptions, name: str | None) -> str:
    """Return the alternative text of a visible field that shows nothing."""
    if options.box is None:
        return ""
    from signer.appearance import StampSpec
    from signer.appearance.stamp import alternative

    return alternative(StampSpec(name=name or "?", locale=options.locale))


def _reserved(
    options: SignOptions, suite: Suite, certificate: Certificate, chain: Sequence[Certificate], digest_size: int
) -> int:
    """Return how many octets to leave for the value of /Contents."""
    if options.national is not None:
        from signer.pades.sealing import national_size

        assert options.seal is not None
        size = national_size(options.seal, suite, certificate)
    else:
        sample = _attributes(options, suite, certificate, bytes(digest_size))
        size = estimated_size(suite, certificate, chain, len(sample))
    reserved = max(size + SLACK, options.reserve)
    if options.level == "B-B":
        return reserved
    # as large as the signature may be without the seal in it
    seal = len(options.seal.der) if options.seal is not None else 0
    return reserved + size - seal + TIME_STAMP_SIZE


def _digest(work: Working, revision: Revision) -> bytes:
    """Return the digest over /ByteRange; the digest of the file before runs on over the revision."""
    gap_start, gap_end = revision.contents_start - revision.start, revision.contents_end - revision.start
    document, *others = work.digests
    document.update(revision.data[:gap_start])
    document.update(revision.data[gap_end:])
    for everything in others:
        everything.update(revision.data)
    return document.digest()


def _check_prepared(work: Working, prepared: Prepared) -> None:
    """Raise StaleRequest unless the file is the prepared one, its signature still empty."""
    _, before, behind, length = prepared.byte_range
    fresh = work.size == prepared.file_size
    if fresh:
        empty = b"<" + b"0" * (behind - before - 2) + b">"
        digest = suites.new_digest(prepared.digest_name)
        for start, end in ((0, before), (behind, behind + length)):
            for at in range(start, end, CHUNK):
                digest.update(work.data[at : min(at + CHUNK, end)])
        fresh = work.data[before:behind] == empty and compare_digest(digest.digest(), prepared.document_digest)
    if not fresh:
        raise StaleRequest(
            "the file is not the one that was prepared, or it is signed already", hint="prepare it again"
        )


def _finish(
    prepared: Prepared,
    value: bytes,
    certificate: Certificate,
    chain: Sequence[Certificate],
    timestamper: Timestamper | None,
    unsigned: Sequence[bytes] = (),
) -> bytes:
    if prepared.seal_signature is not None:
        from signer.pades.sealing import finish_national

        return finish_national(prepared, value, timestamper)
    return finish(
        prepared.suite_object,
        certificate,
        chain,
        prepared.dtbs,
        value,
        timestamper=timestamper,
        time_stamp_digest=prepared.time_stamp_digest,
        unsigned=unsigned,
    )


def _fill(work: Working, prepared: Prepared, cms: bytes) -> None:
    if len(cms) > prepared.contents_size:
        raise SigningRefused(
            f"the signature has {len(cms)} octets, {prepared.contents_size} were reserved",
            hint="prepare again and reserve more",
            reason="reserved-size",
            needed=len(cms),
            reserved=prepared.contents_size,
        )
    work.patch(prepared.contents_offset + 1, cms.hex().upper().encode("ascii"))
