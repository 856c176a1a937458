"""ASiC containers put together for tests, with every octet at hand."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping, Sequence

from certs import suites
from signer.verification.kinds.asic_manifest import DIGESTS, DS, NAMESPACE

URIS = {name: uri for uri, name in DIGESTS.items()} | {"sm3": "urn:oid:1.2.156.10197.1.401"}
E, S = b"application/vnd.etsi.asic-e+zip", b"application/vnd.etsi.asic-s+zip"


def manifest(signature: str, files: Mapping[str, bytes], digest: str = "sha256") -> bytes:
    digest = "sha512" if digest == "shake256" else digest  # no identifier in RFC 9231
    references = "".join(
        f'<asic:DataObjectReference URI="{name}"><ds:DigestMethod Algorithm="{URIS.get(digest, digest)}"/>'
        f"<ds:DigestValue>{base64.b64encode(suites.digest(digest, body)).decode()}</ds:DigestValue>"
        "</asic:DataObjectReference>"
        for name, body in files.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<asic:ASiCManifest xmlns:asic="{NAMESPACE[1:-1]}" xmlns:ds="{DS[1:-1]}">'
        f'<asic:SigReference URI="{signature}" MimeType="application/x-pkcs7-signature"/>'
        f"{references}</asic:ASiCManifest>"
    ).encode()


def packed(files: Mapping[str, bytes] | Sequence[tuple[str, bytes]], mimetype: bytes | None = E) -> bytes:
    """Return a ZIP; the mimetype is first and stored."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        if mimetype is not None:
            archive.writestr(zipfile.ZipInfo("mimetype"), mimetype, zipfile.ZIP_STORED)
        for name, body in files.items() if isinstance(files, Mapping) else files:
            archive.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()
