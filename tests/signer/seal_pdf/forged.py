"""Seals that our own maker would not make."""

from __future__ import annotations

from certs import suites
from certs.keys.base import KeyHandle
from signer.seals import Seal, SealPicture, SealVersion, read_seal, writing
from signer.seals.make import seal_algorithm
from tests.conftest import circle_of
from tests.signer.seals.making import spec_of


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
