"""Seals that our own maker would not make, and files that our own signer would not write."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any
from unittest.mock import patch

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from certs import suites
from certs.clock import FixedClock
from certs.keys.base import KeyHandle
from signer.pades.placement import Placement, place
from signer.pades.sealing import seal_options, seal_size
from signer.pades.sign import sign_bytes
from signer.seals import Seal, SealPicture, SealVersion, read_seal, writing
from signer.seals.make import seal_algorithm
from tests.conftest import NOW, Holder, circle_of
from tests.signer.seals.making import spec_of
from tests.signer.signing import byte_ranges


def seal_with(picture: SealPicture, suite: str = "sm2", version: SealVersion = SealVersion.V4) -> Seal:
    """Return a seal with any picture, signed by the circle's person as all seals of the tests."""
    spec, maker = spec_of(suite, version), circle_of(suite).person
    info = writing.seal_info(
        version=version,
        vendor=spec.vendor,
        seal_id=spec.seal_id,
        kind=spec.type,
        name=spec.name,
        certificates=[owner.der for owner in spec.owners],
        certificate_digests=(),
        created=spec.created,
        valid_from=spec.valid_from,
        valid_to=spec.valid_to,
        picture=picture,
        extensions=(),
    )
    key: KeyHandle = maker.key
    algorithm = seal_algorithm(suites.get(suite))
    value = key.sign(writing.seal_to_sign(version, info, maker.certificate.der, algorithm))
    return read_seal(writing.seal(version, info, maker.certificate.der, algorithm, value))


def anyway(
    pdf: bytes, made: Seal, *, by: Holder, how: Placement | None = None, at: datetime = NOW, **options: Any
) -> bytes:
    """Apply a seal where our own program would refuse: what another program, or a thief, can do."""
    places = place(pdf, how, *seal_size(made)) if how is not None else ()
    chosen = seal_options(made, places=places, **options)
    with patch("signer.pades.sealing.check_seal"), patch("signer.seals.sign.check_use"):
        return sign_bytes(pdf, by.key, by.certificate, (), chosen, FixedClock(at))


def later(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """Append a revision with any change."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def field_named(writer: IncrementalPdfFileWriter, name: str) -> Any:
    """Return a field of the form, marked for update."""
    for reference in writer.root["/AcroForm"]["/Fields"]:
        field = reference.get_object()
        if field["/T"] == name:
            writer.mark_update(reference)
            return field
    raise KeyError(name)


def refilled(pdf: bytes, octets: bytes) -> bytes:
    """Put other octets into /Contents of the last signature."""
    _, before, behind, _ = byte_ranges(pdf)[-1]
    digits = octets.hex().upper().encode()
    room = behind - before - 2
    assert len(digits) <= room
    return pdf[: before + 1] + digits + b"0" * (room - len(digits)) + pdf[behind - 1 :]
