"""OFD packages put together for tests, with every octet at hand."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from certs import suites
from certs.signed_data import assemble
from signer.seals import Seal
from signer.seals.sign import sign_with_seal
from tests.conftest import NOW, Holder
from tests.signer.asic import packed

XMLNS = 'xmlns:ofd="http://www.ofdspec.org/2016"'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
LIST = "Doc_0/Signs/Signatures.xml"
PAGE = "Doc_0/Pages/Page_0/Content.xml"
DOCUMENT = {
    "OFD.xml": f'{HEAD}<ofd:OFD {XMLNS} Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml'
    f"</ofd:DocRoot><ofd:Signatures>/{LIST}</ofd:Signatures></ofd:DocBody></ofd:OFD>",
    "Doc_0/Document.xml": f"{HEAD}<ofd:Document {XMLNS}><ofd:CommonData><ofd:PublicRes>PublicRes.xml</ofd:PublicRes>"
    '</ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages></ofd:Document>',
    "Doc_0/PublicRes.xml": f'{HEAD}<ofd:Res {XMLNS} BaseLoc="Res"><ofd:MultiMedias><ofd:MultiMedia ID="9">'
    "<ofd:MediaFile>a.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias></ofd:Res>",
    "Doc_0/Res/a.png": "picture",
    PAGE: f"{HEAD}<ofd:Page {XMLNS}><ofd:Content>应付 100 元</ofd:Content></ofd:Page>",
}
"""A document of one page with one picture."""
PLAIN = {name: text.encode() for name, text in DOCUMENT.items()}

Files = dict[str, bytes]
Maker = Callable[[bytes, str], bytes]
"""Returns the signed value over a signature file with its path."""


def listing(numbers: Sequence[int], highest: int | None = None, *, kind: str = "Seal") -> bytes:
    entries = "".join(
        f'<ofd:Signature ID="{n}" Type="{kind}" BaseLoc="/Doc_0/Signs/Sign_{n}/Signature.xml"/>' for n in numbers
    )
    number = max(numbers, default=0) if highest is None else highest
    return f"{HEAD}<ofd:Signatures {XMLNS}><ofd:MaxSignId>{number}</ofd:MaxSignId>{entries}</ofd:Signatures>".encode()


def signature_file(
    number: int, covered: Mapping[str, bytes], digest: str = "sm3", *, method: str = "SM3", seal: bool = True
) -> bytes:
    references = "".join(
        f'<ofd:Reference FileRef="/{name}"><ofd:CheckValue>'
        f"{base64.b64encode(suites.digest(digest, body)).decode()}</ofd:CheckValue></ofd:Reference>"
        for name, body in covered.items()
    )
    shown = f"<ofd:Seal><ofd:BaseLoc>/Doc_0/Signs/Sign_{number}/Seal.esl</ofd:BaseLoc></ofd:Seal>" if seal else ""
    return (
        f'{HEAD}<ofd:Signature {XMLNS}><ofd:SignedInfo><ofd:Provider ProviderName="t"/>'
        "<ofd:SignatureMethod>1.2.156.10197.1.501</ofd:SignatureMethod>"
        f"<ofd:SignatureDateTime>2026-11-21 18:00:00</ofd:SignatureDateTime>{shown}"
        f'<ofd:References CheckMethod="{method}">'
        f"{references}</ofd:References></ofd:SignedInfo>"
        f"<ofd:SignedValue>/Doc_0/Signs/Sign_{number}/SignedValue.dat</ofd:SignedValue></ofd:Signature>"
    ).encode()


def folder(number: int) -> str:
    return f"Doc_0/Signs/Sign_{number}"


def sign(
    files: Files, number: int, maker: Maker, seal: Seal | None = None, covered: Mapping[str, bytes] | None = None
) -> Files:
    """Return the package with one signature more, over everything that is there and the list as it is then."""
    numbers = [int(name.split("Sign_")[1].split("/")[0]) for name in files if name.endswith("/Signature.xml")]
    files = files | {LIST: listing([*numbers, number])}
    if seal is not None:
        files |= {f"{folder(number)}/Seal.esl": seal.der}
    octets = signature_file(number, files if covered is None else covered, seal=seal is not None)
    path = f"{folder(number)}/Signature.xml"
    return files | {path: octets, f"{folder(number)}/SignedValue.dat": maker(octets, path)}


def by_seal(seal: Seal, holder: Holder, time: datetime = NOW, **more: Any) -> Maker:
    """Sign as GM/T 0031 and GB/T 38540 have it: the digest of the signature file, inside SES_Signature."""
    digest = holder.key.suite.digest_name

    def make(octets: bytes, path: str) -> bytes:
        return sign_with_seal(
            seal,
            holder.key,
            holder.certificate,
            data_hash=suites.digest(digest, octets),
            property_info=f"/{path}",
            time=time,
            **more,
        ).der

    return make


def by_signed_data(holder: Holder, form: Callable[[bytes], bytes] = lambda digest: digest) -> Maker:
    """Sign as GB/T 35275 has it: SignedData around the digest, without signed attributes."""

    def make(octets: bytes, _: str) -> bytes:
        suite = holder.key.suite
        content = form(suites.digest(suite.digest_name, octets))
        return assemble(
            suite,
            holder.certificate,
            None,
            holder.key.sign(content),
            content=content,
            content_type="1.2.156.10197.6.1.4.2.1",
            outer_oid="1.2.156.10197.6.1.4.2.2",
        )

    return make


def bare(holder: Holder) -> Maker:
    return lambda octets, _: holder.key.sign(octets)


def pack(files: Mapping[str, bytes] | Sequence[tuple[str, bytes]]) -> bytes:
    return packed(files, None)
