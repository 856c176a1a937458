"""One signature at B-B in this process, key and certificates loaded: against stock pyHanko, and against the floor.

    python -m benchmarks sign

Stock pyHanko signs the same file with the same key and certificate by its own `SimpleSigner` and `sign_pdf`. The floor
is what no signer can do without: one pass of the suite's digest over the file, and one raw signature. We also look at
the file before, read back what was written and check the value that the key returned; that is inside our figure.
"""

from __future__ import annotations

import io
from collections.abc import Callable

from asn1crypto import keys, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, sign_pdf
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from benchmarks.compare import Row, Table, alternate, milliseconds
from benchmarks.documents import Document, both
from certs import suites
from signer.pades.options import SignOptions
from signer.pades.sign import sign_bytes
from tests.conftest import CLOCK, SIGNING, Circle, circle_of

PEER_SUITES = ("rsa", "ecdsa-p256")
"""What stock pyHanko can sign with."""
ATTRIBUTES = bytes(200)
"""As many octets as signed attributes have."""
ROUNDS = 15


def run(*, quick: bool = False) -> list[Table]:
    """Return both tables."""
    rounds = 2 if quick else ROUNDS
    circles = [circle_of(name) for name in SIGNING if name in suites.names()]
    documents = both()
    note = "RSA keys have 2048 bits; files with object streams; the signature is invisible."
    return [
        Table(
            "sign: times as fast as stock pyHanko",
            "sealroad",
            "pyHanko",
            [_against_peer(circle, item, rounds) for circle in map(circle_of, PEER_SUITES) for item in documents],
            ratio="times as fast",
            notes=(note,),
        ),
        Table(
            "sign: against one digest pass and one raw signature",
            "sealroad",
            "floor",
            [_against_floor(circle, item, rounds) for circle in circles for item in documents],
            ratio="times the floor",
            notes=("Ours includes looking at the file, reading the revision back and checking the value.",),
        ),
    ]


def _against_peer(circle: Circle, document: Document, rounds: int) -> Row:
    pairs = alternate(our_signature(circle, document.data), stock_signature(circle, document.data), rounds)
    what = f"{circle.suite_name}, {document.name}"
    return Row(what, milliseconds(pairs.ours), milliseconds(pairs.peer), pairs.speedups)


def _against_floor(circle: Circle, document: Document, rounds: int) -> Row:
    key = circle.organisation.key

    def floor() -> None:
        suites.digest(key.suite.digest_name, document.data)
        key.sign(ATTRIBUTES)

    pairs = alternate(our_signature(circle, document.data), floor, rounds)
    what = f"{circle.suite_name}, {document.name}"
    return Row(what, milliseconds(pairs.ours), milliseconds(pairs.peer), pairs.ratios)


def our_signature(circle: Circle, data: bytes) -> Callable[[], bytes]:
    """Return what signs `data` with the circle's organisation."""
    holder, chain, options = circle.organisation, (circle.issuing,), SignOptions()
    return lambda: sign_bytes(data, holder.key, holder.certificate, chain, options, CLOCK)


def stock_signature(circle: Circle, data: bytes) -> Callable[[], bytes]:
    """Return the same by pyHanko alone."""
    store = SimpleCertificateStore()
    store.register(x509.Certificate.load(circle.issuing.der))
    signer = SimpleSigner(
        signing_cert=x509.Certificate.load(circle.organisation.certificate.der),
        signing_key=keys.PrivateKeyInfo.load(circle.organisation.key.pkcs8()),
        cert_registry=store,
    )
    metadata = PdfSignatureMetadata(
        field_name="Signature1", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, name="Hansa Fracht GmbH"
    )

    def sign() -> bytes:
        out = sign_pdf(IncrementalPdfFileWriter(io.BytesIO(data)), metadata, signer)
        signed: bytes = out.getvalue()
        return signed

    return sign
