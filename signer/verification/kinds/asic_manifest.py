"""ASiCManifest: which files a signature or time-stamp in an ASiC-E container is over (ETSI EN 319 162-1 A.4).

    manifest = read_manifest("META-INF/ASiCManifest.xml", octets)
    manifest.signature                       # "META-INF/signature.p7s"
    for reference in manifest.references:
        reference.name, reference.digest_name, reference.digest

The signature is over the octets of the manifest; the manifest holds the digests of the files.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote

from certs.errors import CertsError, MalformedInput
from certs.signed_data import digest_name
from certs.trust.xml import parse_xml

NAMESPACE = "{http://uri.etsi.org/02918/v1.2.1#}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
DIGESTS = {
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
    "http://www.w3.org/2001/04/xmldsig-more#sha224": "sha224",
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-256": "sha3-256",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-384": "sha3-384",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-512": "sha3-512",
    "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34112012-256": "streebog256",
    "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34112012-512": "streebog512",
}
"""DigestMethod to digest (RFC 9231, draft-chudov-cryptopro-cpxmldsig); others as urn:oid:."""
MAX_REFERENCES = 5000
MAX_MANIFEST = 16 * 1024 * 1024


@dataclass(frozen=True)
class Reference:
    """One DataObjectReference."""

    name: str
    digest_name: str | None
    """None for a digest that we do not know."""
    algorithm: str
    digest: bytes


@dataclass(frozen=True)
class Manifest:
    """One manifest."""

    name: str
    signature: str
    references: tuple[Reference, ...]
    is_archive: bool
    """Whether it is an ASiCArchiveManifest (A.7): references signatures and time-stamps too."""


def read_manifest(name: str, octets: bytes) -> Manifest:
    """Read a manifest. Raises MalformedInput."""
    if len(octets) > MAX_MANIFEST:
        raise MalformedInput("the manifest is too large")
    root = parse_xml(octets)
    if root.tag != f"{NAMESPACE}ASiCManifest":
        raise MalformedInput(f"not a manifest but {root.tag[:100]}")
    signatures = root.findall(f"{NAMESPACE}SigReference")
    if len(signatures) != 1:
        raise MalformedInput(f"a manifest with {len(signatures)} SigReference")
    found = root.findall(f"{NAMESPACE}DataObjectReference")
    if not found or len(found) > MAX_REFERENCES:
        raise MalformedInput(f"a manifest with {len(found)} DataObjectReference")
    references = []
    for item in found:
        methods, values = item.findall(f"{DS}DigestMethod"), item.findall(f"{DS}DigestValue")
        if len(methods) != 1 or len(values) != 1:
            raise MalformedInput("a reference without one digest")
        algorithm = methods[0].get("Algorithm", "")
        try:
            digest = base64.b64decode("".join((values[0].text or "").split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise MalformedInput("a digest that is not base64") from error
        references.append(Reference(_name(item.get("URI")), _digest(algorithm), algorithm[:200], digest))
    names = [reference.name for reference in references]
    if len(set(names)) != len(names):
        raise MalformedInput("two references to one file")
    signature = _name(signatures[0].get("URI"))
    is_archive = name.rpartition("/")[2].lower().startswith("asicarchivemanifest")
    return Manifest(name, signature, tuple(references), is_archive)


def _name(uri: str | None) -> str:
    """Return the file that a relative reference names, seen from the root of the container (A.4 note)."""
    if not uri:
        raise MalformedInput("a reference without a name")
    name = unquote(uri, errors="replace")
    return name.removeprefix("./").removeprefix("/")


def _digest(algorithm: str) -> str | None:
    if algorithm.startswith("urn:oid:"):
        try:
            return digest_name(algorithm.removeprefix("urn:oid:"))
        except CertsError:
            return None
    return DIGESTS.get(algorithm)
