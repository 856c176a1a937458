"""Encrypted files, signed afterwards: the base by qpdf or pyHanko, the signature in an update written here."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import pikepdf
from asn1crypto.x509 import Certificate as ASN1Certificate
from pyhanko.pdf_utils import crypt, generic
from pyhanko.pdf_utils.crypt.api import SecurityHandlerVersion
from pyhanko.pdf_utils.crypt.pubkey import RecipientEncryptionPolicy
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter, copy_into_new_writer

from signer.pdf.encryption import Credentials, Recipient, unlock
from signer.pdf.structure import PDFFile, View
from tests.conftest import Circle
from tests.signer import rawpdf
from tests.signer.rawpdf import stream

USER, OWNER = "user secret", "owner secret"

CONTENT = stream(b"BT /F1 12 Tf 72 700 Td (pay 100) Tj ET")
NOTE = b"<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (first) >>"


def plain() -> bytes:
    """One page with a note, unsigned."""
    catalog = b"<< /Type /Catalog /Pages 2 0 R /Lang (en) >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [5 0 R] >>"
    identifier = b"/ID [<5365616c726f6164> <5365616c726f6164>] "
    return rawpdf.assemble(rawpdf.objects(o1=catalog, o3=page, o4=CONTENT, o5=NOTE, o6=b""), extra=identifier)


def by_qpdf(
    revision: int,
    *,
    aes: bool = True,
    user: str = USER,
    owner: str = OWNER,
    metadata: bool = True,
    packed: bool = False,
) -> bytes:
    """Encrypt with qpdf; `packed` puts objects into object streams."""
    out = io.BytesIO()
    mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
    with pikepdf.open(io.BytesIO(plain())) as pdf, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheme = pikepdf.Encryption(
            owner=owner, user=user, R=revision, aes=aes and revision >= 4, metadata=metadata and aes and revision >= 4
        )
        pdf.save(out, encryption=scheme, object_stream_mode=mode, static_id=True)
    return out.getvalue()


def by_pyhanko(handler: Any, identifier: bytes | None = None) -> bytes:
    """Encrypt with pyHanko and one of its security handlers."""
    writer: PdfFileWriter = copy_into_new_writer(PdfFileReader(io.BytesIO(plain())))
    writer.stream_xrefs = False
    writer._assign_security_handler(handler)
    if identifier is not None:
        halves = [generic.ByteStringObject(identifier), generic.ByteStringObject(identifier)]
        writer._document_id = generic.ArrayObject(halves)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def for_certificates(
    circle: Circle, *, version: int = 5, oaep: bool = False, aes: bool = True, s4: bool = False, mac: bool = False
) -> bytes:
    """Encrypt for the person of a circle."""
    handler = crypt.PubKeySecurityHandler.build_from_certs(
        [ASN1Certificate.load(circle.person.certificate.der)],
        version=SecurityHandlerVersion(version),
        use_aes=aes,
        use_crypt_filters=not s4,
        pdf_mac=mac,
        policy=RecipientEncryptionPolicy(ignore_key_usage=True, prefer_oaep=oaep),
    )
    return by_pyhanko(handler)


def recipient(circle: Circle) -> Recipient:
    return Recipient(circle.person.certificate.der, circle.person.key.pkcs8())


def read(data: bytes, credentials: Credentials) -> View:
    """The whole file in the clear."""
    pdf = PDFFile(data)
    view = pdf.view(len(data))
    decryptor = unlock(view, credentials)
    assert decryptor is not None
    pdf.unlock(decryptor)
    return view


def opened_by_pyhanko(data: bytes, credentials: Credentials) -> Any:
    """The security handler of a file, by pyHanko's own reading of it."""
    reader = PdfFileReader(io.BytesIO(data), strict=False)
    if credentials.recipient is not None:
        from signer.pdf.handlers import _decrypter

        reader.decrypt_pubkey(_decrypter(credentials.recipient))
    else:
        reader.decrypt(credentials.password or "")
    return reader.security_handler


def sealer(data: bytes, credentials: Credentials) -> Callable[[int, bytes], bytes]:
    """What encrypts a string of an object; as hexadecimal."""
    crypt_filter = opened_by_pyhanko(data, credentials).get_string_filter()

    def sealed(number: int, text: bytes) -> bytes:
        return b"<" + crypt_filter.encrypt(crypt_filter.derive_object_key(number, 0), text).hex().encode() + b">"

    return sealed


def stream_sealer(data: bytes, credentials: Credentials) -> Callable[[int, bytes], bytes]:
    """What encrypts the octets of a stream."""
    crypt_filter = opened_by_pyhanko(data, credentials).get_stream_filter()
    return lambda number, body: crypt_filter.encrypt(crypt_filter.derive_object_key(number, 0), body)


def trailer_of(view: View) -> bytes:
    """The keys that every trailer of an encrypted file repeats."""
    own, pair = view.trailer["Encrypt"], view.trailer.get("ID")
    identifier = b" ".join(b"<" + part.hex().encode() + b">" for part in pair) if pair else b""
    return b"/Encrypt %d %d R /ID [%s] " % (*own, identifier)


def signed(
    base: bytes,
    credentials: Credentials,
    make_cms: Callable[[bytes], bytes],
    *,
    digits: int = 16_000,
    seal: Callable[[int, bytes], bytes] | None = None,
) -> bytes:
    """Sign an encrypted file in a first field."""
    view = read(base, credentials)
    seal = seal or sealer(base, credentials)
    number = max(view.entries) + 10
    root, pages = view.trailer["Root"], view.catalog["Pages"]
    page = view.get(view.resolve(pages), "Kids")[0]
    found = view.resolve(page)
    note, content = found["Annots"][0], found["Contents"]
    field = rawpdf.SIGNATURE_FIELD.replace(b"(Sig1)", seal(number, b"Sig1"))
    field = field.replace(b"/V 6 0 R", b"/V %d 0 R" % (number + 1)).replace(b"/P 3 0 R", b"/P %d %d R" % page)
    dictionary = rawpdf.signature_dictionary(digits, extra=b"/Reason %s " % seal(number + 1, b"I agree"))
    dictionary = dictionary.replace(b"(D:20261121100000Z)", seal(number + 1, b"D:20261121100000Z"))
    bodies = {
        root.number: b"<< /Type /Catalog /Pages %d %d R /Lang %s /AcroForm << /Fields [%d 0 R] /SigFlags 3 >> >>"
        % (*pages, seal(root.number, b"en"), number),
        page.number: b"<< /Type /Page /Parent %d %d R /MediaBox [0 0 595 842] /Contents %d %d R "
        b"/Annots [%d %d R %d 0 R] >>" % (*pages, *content, *note, number),
        number: field,
        number + 1: dictionary,
    }
    root_reference = b"%d %d R" % root
    return rawpdf.fill_byte_range(rawpdf.update(base, bodies, root=root_reference, extra=trailer_of(view)), make_cms)


def signed_by_pyhanko(base: bytes, credentials: Credentials, circle: Circle, field: str = "Contract") -> bytes:
    """Sign with pyHanko and the key of a circle's organisation."""
    from asn1crypto.cms import CMSAttributeType
    from asn1crypto.keys import PrivateKeyInfo
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    from signer.pdf.handlers import _decrypter

    # its names of attributes, where asn1crypto has turned its table round before they were in it
    CMSAttributeType._reverse_map = {name: oid for oid, name in CMSAttributeType._map.items()}
    writer = IncrementalPdfFileWriter(io.BytesIO(base), strict=False)
    if credentials.recipient is not None:
        writer.encrypt_pubkey(_decrypter(credentials.recipient))
    else:
        writer.encrypt(credentials.password or "")
    holder, store = circle.organisation, SimpleCertificateStore()
    store.register(ASN1Certificate.load(circle.issuing.der))
    signer = SimpleSigner(
        ASN1Certificate.load(holder.certificate.der), PrivateKeyInfo.load(holder.key.pkcs8()), cert_registry=store
    )
    metadata = PdfSignatureMetadata(field, reason="I agree", subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256")
    out = io.BytesIO()
    PdfSigner(metadata, signer).sign_pdf(writer, output=out)
    return out.getvalue()


def changed(base: bytes, credentials: Credentials, bodies: dict[int, bytes], extra: bytes | None = None) -> bytes:
    """Append a revision with other objects, or with another trailer."""
    view = read(base, credentials)
    return rawpdf.update(
        base, bodies, root=b"%d %d R" % view.trailer["Root"], extra=trailer_of(view) if extra is None else extra
    )


__all__ = [
    "OWNER",
    "USER",
    "by_pyhanko",
    "by_qpdf",
    "changed",
    "crypt",
    "for_certificates",
    "generic",
    "read",
    "signed",
]
