"""Files to sign, and a small verifier that shares nothing with the signer but the reader of CMS."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pikepdf

from certs import suites
from certs.signed_data import parse_signed_data
from certs.timestamp import read_token
from signer.pades.options import SignOptions
from signer.pades.sign import sign_bytes
from tests.conftest import CLOCK, Circle, circle_of, make_pdf

TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"


def sign(pdf: bytes, suite_name: str = "ecdsa-p256", **options: Any) -> bytes:
    """Sign with the organisation of a suite's circle."""
    circle = circle_of(suite_name)
    stamper = circle.timestamper if options.get("level") == "B-T" else None
    holder = circle.organisation
    return sign_bytes(
        pdf, holder.key, holder.certificate, (circle.issuing,), SignOptions(**options), CLOCK, timestamper=stamper
    )


def byte_ranges(pdf: bytes) -> list[tuple[int, int, int, int]]:
    found = re.findall(rb"/ByteRange\s*\[(\d+) (\d+) (\d+) (\d+)\]", pdf)
    return sorted((tuple(int(n) for n in item) for item in found), key=lambda r: r[2] + r[3])  # type: ignore[misc,return-value]


def check_all(pdf: bytes) -> list[str]:
    """Check every signature over its own octets; return the suites, oldest first."""
    out = []
    for start, before, behind, length in byte_ranges(pdf):
        assert start == 0
        gap = pdf[before:behind]
        assert re.fullmatch(rb"<[0-9A-F]+>", gap)
        assert pdf[: behind + length].endswith(b"%%EOF\n")
        view = parse_signed_data(bytes.fromhex(gap[1:-1].decode()))
        (signer,) = view.signers
        octets = pdf[:before] + pdf[behind : behind + length]
        out.append(signer.verify(digest=suites.digest(signer.digest_name, octets)))
        assert signer.signing_time is None
        assert signer.signing_certificates
        for token in signer.unsigned_values(TIME_STAMP):
            stamp = read_token(token)
            stamp.verify(stamp.digest_name, suites.digest(stamp.digest_name, signer.signature))
    return out


def levels(pdf: bytes) -> list[bool]:
    """Whether each signature is time-stamped, oldest first."""
    out = []
    for _, before, behind, _ in byte_ranges(pdf):
        view = parse_signed_data(bytes.fromhex(pdf[before + 1 : behind - 1].decode()))
        out.append(bool(view.signers[0].unsigned_values(TIME_STAMP)))
    return out


class Fields(dict[str, Any]):
    """Signature fields by name; keeps the document that they live in."""

    document: pikepdf.Pdf


def signature_fields(pdf: bytes) -> Fields:
    """Return the signature fields by name, as pikepdf reads them."""
    document = pikepdf.open(io.BytesIO(pdf))
    found = Fields({str(f.T): f for f in document.Root.AcroForm.Fields if f.get("/FT") == "/Sig"})
    found.document = document
    return found


def edited(change: Callable[[pikepdf.Pdf], None], base: bytes | None = None, **save: Any) -> bytes:
    """Return a PDF changed with pikepdf."""
    document = pikepdf.open(io.BytesIO(base or make_pdf()))
    change(document)
    out = io.BytesIO()
    document.save(out, **save)
    return out.getvalue()


def many_pages(count: int, **keys: Any) -> bytes:
    def change(pdf: pikepdf.Pdf) -> None:
        for _ in range(count - 1):
            pdf.pages.append(pdf.pages[0])
        for page in pdf.pages:
            for key, value in keys.items():
                page.obj[f"/{key}"] = value

    return edited(change)


def empty_field(
    name: str = "Here", rect: tuple[float, ...] = (50, 50, 250, 130), **keys: Any
) -> Callable[[pikepdf.Pdf], None]:
    """Return a change that adds an empty signature field to the first page."""

    def change(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0].obj
        field = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                FT=pikepdf.Name.Sig,
                T=name,
                Rect=list(rect),
                P=page,
                F=4,
                **keys,
            )
        )
        page.Annots = pikepdf.Array([*page.get("/Annots", []), field])
        form = pdf.Root.get("/AcroForm")
        if form is None:
            pdf.Root.AcroForm = form = pikepdf.Dictionary(Fields=pikepdf.Array(), SigFlags=1)
        form.Fields.append(field)

    return change


def circle(suite_name: str = "ecdsa-p256") -> Circle:
    return circle_of(suite_name)
