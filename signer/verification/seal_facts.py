"""What a report says of the seal itself."""

from __future__ import annotations

import hashlib

from certs.certificate import Certificate
from signer.report import SealReport
from signer.seals.model import Seal
from signer.verification.draft import Draft


def seal_report(draft: Draft, seal: Seal, maker: Certificate | None) -> SealReport:
    """Return the facts of a seal; its picture only where it is safe to show."""
    del draft
    return SealReport(
        version=int(seal.version),
        standard=seal.version.standard,
        id=seal.seal_id,
        name=seal.name,
        type=seal.type,
        vendor=seal.vendor,
        maker=maker.subject if maker is not None else "",
        created=seal.created,
        valid_from=seal.valid_from,
        valid_to=seal.valid_to,
        filing_number=seal.filing_number,
        picture_type=seal.picture.type,
        picture_sha256=hashlib.sha256(seal.picture.data).hexdigest(),
        width=seal.picture.width,
        height=seal.picture.height,
        variants=seal.variants,
    )
