"""Files made to take time or memory, small themselves where that is possible. Each is named by what it does."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import IO

from tests.signer import rawpdf

BOMBS: dict[str, Callable[[], bytes]] = {}
"""Name to the function that makes the file."""


def bomb(make: Callable[[], bytes]) -> Callable[[], bytes]:
    BOMBS[make.__name__] = make
    return make


def deflated(size: int, times: int = 1) -> bytes:
    """So many zeros, deflated, and that deflated again."""
    engine = zlib.compressobj(9)
    piece = bytes(1 << 20)
    body = b"".join(engine.compress(piece) for _ in range(size >> 20)) + engine.flush()
    for _ in range(times - 1):
        body = zlib.compress(body, 9)
    return body


def stream(body: bytes, extra: bytes) -> bytes:
    return rawpdf.stream(body, extra)


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


# -- decompression ------------------------------------------------------------------------------------


@bomb
def object_stream_of_two_gigabytes() -> bytes:
    extra = b"/Type /ObjStm /N 1 /First 4 /Filter [/FlateDecode /FlateDecode] "
    body = rawpdf.signed_pdf(o7=stream(deflated(2 << 30, 2), extra))
    return xref_stream(body, {8: (2, 7, 0)})


@bomb
def forty_object_streams_of_ninety_megabytes() -> bytes:
    packed = deflated(90 << 20)
    extra = b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode "
    more = {f"o{number}": stream(packed, extra) for number in range(7, 47)}
    return xref_stream(rawpdf.signed_pdf(**more), {50 + number: (2, number, 0) for number in range(7, 47)})


@bomb
def cross_reference_stream_of_one_gigabyte() -> bytes:
    base = rawpdf.signed_pdf()
    extra = b"/Type /XRef /Size 9 /W [1 4 1] /Root 1 0 R /Filter /FlateDecode "
    at = len(base)
    return base + b"9 0 obj\n" + stream(deflated(1 << 30), extra) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % at


@bomb
def cross_reference_stream_with_a_million_sections() -> bytes:
    base = rawpdf.signed_pdf()
    index = b"0 1 " * 1_000_000
    extra = b"/Type /XRef /Size 9 /W [1 4 1] /Root 1 0 R /Index [" + index + b"] "
    at = len(base)
    return base + b"9 0 obj\n" + stream(bytes(6), extra) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % at


def xref_stream(base: bytes, entries: dict[int, tuple[int, int, int]]) -> bytes:
    """Append a revision that is nothing but a cross-reference stream with `entries`."""
    last = int(re.findall(rb"startxref\s+(\d+)", base)[-1])
    rows = b"".join(
        bytes([kind]) + second.to_bytes(4, "big") + bytes([third]) for kind, second, third in entries.values()
    )
    index = b" ".join(b"%d 1" % number for number in entries)
    size = max(entries) + 2
    extra = b"/Type /XRef /Size %d /W [1 4 1] /Root 1 0 R /Index [%s] /Prev %d " % (size, index, last)
    at = len(base)
    return base + b"%d 0 obj\n" % (size - 1) + stream(rows, extra) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % at


# -- structure ----------------------------------------------------------------------------------------


@bomb
def a_million_nested_arrays() -> bytes:
    return rawpdf.signed_pdf(o4=b"[" * 1_000_000)


@bomb
def a_million_nested_dictionaries_in_the_signature() -> bytes:
    return rawpdf.sign(lambda _: b"\x30\x80", extra=b"/Prop_Build " + b"<< /A " * 1_000_000)


@bomb
def nested_strings() -> bytes:
    return rawpdf.signed_pdf(o4=b"(" * 5_000_000)


@bomb
def object_streams_inside_one_another() -> bytes:
    inner = b"7 0 << /Type /ObjStm /N 1 /First 4 /Length 0 >>"
    base = rawpdf.signed_pdf(o8=stream(inner, b"/Type /ObjStm /N 1 /First 4 "))
    return xref_stream(base, {7: (2, 8, 0), 8: (2, 7, 0), 1: (2, 8, 0)})


@bomb
def previous_section_is_this_one() -> bytes:
    base = rawpdf.signed_pdf()
    at = int(re.findall(rb"startxref\s+(\d+)", base)[-1])
    return base.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % at)


@bomb
def two_sections_name_each_other() -> bytes:
    base = rawpdf.signed_pdf()
    first = int(re.findall(rb"startxref\s+(\d+)", base)[-1])
    base = base.replace(b"/Root 1 0 R  >>", b"/Root 1 0 R /Prev %d >>" % (len(base) + 11))
    return rawpdf.update(base, {9: b"null"}).replace(b"/Prev %d" % first, b"/Prev %d" % first)


@bomb
def five_thousand_revisions() -> bytes:
    data = bytearray(rawpdf.signed_pdf())
    last = int(re.findall(rb"startxref\s+(\d+)", data)[-1])
    for _ in range(5000):
        at = len(data)
        data += b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 10 /Root 1 0 R /Prev %d >>\n" % last
        data += b"startxref\n%d\n%%%%EOF\n" % at
        last = at
    return bytes(data)


@bomb
def a_million_objects() -> bytes:
    base = rawpdf.signed_pdf()
    last = int(re.findall(rb"startxref\s+(\d+)", base)[-1])
    at = len(base)
    out = bytearray(base + b"xref\n10 1000000\n" + b"%010d 00000 n \n" % 15 * 1_000_000)
    out += b"trailer\n<< /Size 1000010 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (last, at)
    return bytes(out)


@bomb
def hundred_thousand_pages() -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(10, 100_010))
    pages = {f"o{number}": b"<< /Type /Page /Parent 2 0 R >>" for number in range(10, 100_010)}
    data = rawpdf.signed_pdf(o2=b"<< /Type /Pages /Count 100000 /Kids [%s] >>" % kids, **pages)
    return rawpdf.update(data, {9: b"null"})


@bomb
def a_page_tree_that_is_its_own_child() -> bytes:
    data = rawpdf.signed_pdf(o2=b"<< /Type /Pages /Count 1 /Kids [2 0 R 2 0 R 2 0 R] >>")
    return rawpdf.update(data, {2: b"<< /Type /Pages /Count 2 /Kids [2 0 R 2 0 R 3 0 R] >>"})


@bomb
def a_page_tree_that_doubles_forty_times() -> bytes:
    nodes = {
        f"o{number}": b"<< /Type /Pages /Count 2 /Kids [%d 0 R %d 0 R] >>" % (number + 1, number + 1)
        for number in range(10, 50)
    }
    data = rawpdf.signed_pdf(o2=b"<< /Type /Pages /Count 1 /Kids [10 0 R 3 0 R] >>", o50=rawpdf.PAGE, **nodes)
    return rawpdf.update(data, {9: b"null"})


@bomb
def a_field_tree_a_hundred_thousand_deep() -> bytes:
    fields = {f"o{number}": b"<< /T (a) /Kids [%d 0 R] /FT /Sig >>" % (number + 1) for number in range(10, 100_010)}
    form = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R 10 0 R] >> >>"
    return rawpdf.signed_pdf(o1=form, **fields)


# -- signatures ---------------------------------------------------------------------------------------


@bomb
def hundred_thousand_signature_dictionaries() -> bytes:
    one = b"%d 0 obj\n<< /Type /Sig /SubFilter /ETSI.CAdES.detached /ByteRange [0 1 2 3] /Contents <00> >>\nendobj\n"
    return rawpdf.signed_pdf() + b"".join(one % number for number in range(10, 100_010))


@bomb
def hundred_thousand_signature_fields() -> bytes:
    numbers = range(10, 100_010)
    fields = {f"o{number}": b"<< /FT /Sig /T (f%d) /V 6 0 R >>" % number for number in numbers}
    names = b" ".join(b"%d 0 R" % number for number in numbers)
    form = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R %s] >> >>" % names
    return rawpdf.signed_pdf(o1=form, **fields)


@bomb
def sixty_signatures_over_ten_megabytes() -> bytes:
    """Nobody's signatures, but each with a gap and a range of its own: over half a gigabyte to hash."""
    contents = signed_data(certificate(), signer_info())
    digits = 2 * len(contents) + 64
    data = rawpdf.sign(lambda _: contents, digits=digits, o4=stream(bytes(10 << 20), b""))
    for _ in range(59):
        data = rawpdf.sign(lambda _: contents, data, digits=digits)
    return data


def in_cms(contents: bytes) -> bytes:
    return rawpdf.sign(lambda _: contents, digits=2 * len(contents) + 64)


@bomb
def asn1_a_hundred_thousand_deep() -> bytes:
    return in_cms(b"\x30\x80" * 100_000 + bytes(200_000))


@bomb
def asn1_of_definite_lengths_deep() -> bytes:
    body = b""
    for _ in range(3000):
        body = der(0x30, body)
    return in_cms(body)


def certificate(*extensions: bytes) -> bytes:
    """A certificate of nobody, signed by nothing."""
    algorithm = der(0x30, bytes.fromhex("06082a8648ce3d040302"))
    name = der(0x30, der(0x31, der(0x30, bytes.fromhex("0603550403"), der(0x0C, b"x"))))
    validity = der(0x30, der(0x17, b"200101000000Z"), der(0x17, b"400101000000Z"))
    key = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\x04" + bytes(range(64))
    tbs = der(
        0x30,
        der(0xA0, der(0x02, b"\x02")),
        der(0x02, b"\x01"),
        algorithm,
        name,
        validity,
        name,
        key,
        der(0xA3, der(0x30, *extensions)),
    )
    return der(0x30, tbs, algorithm, der(0x03, b"\x00\x30\x06\x02\x01\x01\x02\x01\x01"))


def signed_data(certificates: bytes, signers: bytes = b"") -> bytes:
    """A SignedData that carries `certificates`."""
    content = der(0x30, bytes.fromhex("06092a864886f70d010701"))
    inner = der(0x30, der(0x02, b"\x01"), der(0x31), content, der(0xA0, certificates), der(0x31, signers))
    return der(0x30, bytes.fromhex("06092a864886f70d010702"), der(0xA0, inner))


def signer_info() -> bytes:
    name = der(0x30, der(0x31, der(0x30, bytes.fromhex("0603550403"), der(0x0C, b"x"))))
    digest = der(0x30, bytes.fromhex("0609608648016503040201"))
    algorithm = der(0x30, bytes.fromhex("06082a8648ce3d040302"))
    value = der(0x04, bytes.fromhex("3006020101020101"))
    return der(0x30, der(0x02, b"\x01"), der(0x30, name, der(0x02, b"\x01")), digest, algorithm, value)


@bomb
def a_certificate_with_a_hundred_thousand_extensions() -> bytes:
    extensions = [
        der(0x30, der(0x06, b"\x2a\x03" + bytes([0x81 + n // 16384 % 64, 0x80 | n // 128 % 128, n % 128])), der(0x04))
        for n in range(100_000)
    ]
    return in_cms(signed_data(certificate(*extensions), signer_info()))


@bomb
def fifty_thousand_certificates() -> bytes:
    return in_cms(signed_data(certificate() * 50_000, signer_info()))


@bomb
def fifty_thousand_signers() -> bytes:
    return in_cms(signed_data(certificate(), signer_info() * 50_000))


@bomb
def a_subject_of_two_megabytes() -> bytes:
    names = der(0x31, *[der(0x30, bytes.fromhex("0603550403"), der(0x0C, b"x" * 20)) for _ in range(60_000)])
    raw = certificate().replace(bytes.fromhex("300c310a300806035504030c0178"), b"")
    return in_cms(signed_data(der(0x30, raw, names), signer_info()))


@bomb
def a_revocation_list_of_fifty_megabytes_in_the_store() -> bytes:
    entry = der(0x30, der(0x02, b"\x01" * 8), der(0x17, b"250101000000Z"))
    name = der(0x30, der(0x31, der(0x30, bytes.fromhex("0603550403"), der(0x0C, b"x"))))
    algorithm = der(0x30, bytes.fromhex("06082a8648ce3d040302"))
    revoked = der(0x30, entry * ((50 << 20) // len(entry)))
    moment = der(0x17, b"260101000000Z")
    tbs = der(0x30, der(0x02, b"\x01"), algorithm, name, moment, der(0x17, b"270101000000Z"), revoked)
    crl = der(0x30, tbs, algorithm, der(0x03, b"\x00\x30\x06\x02\x01\x01\x02\x01\x01"))
    packed = zlib.compress(crl, 1)
    catalog = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] >> /DSS << /CRLs [7 0 R] >> >>"
    base = rawpdf.signed_pdf()
    return rawpdf.update(base, {1: catalog, 7: stream(packed, b"/Filter /FlateDecode ")})


@bomb
def a_store_of_a_thousand_copies_of_ninety_megabytes() -> bytes:
    catalog = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] >> /DSS << /Certs [%s] >> >>"
    base = rawpdf.signed_pdf()
    packed = stream(deflated(90 << 20), b"/Filter /FlateDecode ")
    return rawpdf.update(base, {1: catalog % (b"7 0 R " * 1000), 7: packed})


# -- containers ---------------------------------------------------------------------------------------


def container(*members: tuple[str, bytes | int]) -> bytes:
    """An ASiC container of CMS signatures; a number stands for so many megabytes of zeros."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", b"application/vnd.etsi.asic-s+zip")
        for name, content in members:
            with (
                archive.open(zipfile.ZipInfo(name), "w")
                if isinstance(content, bytes)
                else _deflating(archive, name) as f
            ):
                if isinstance(content, bytes):
                    f.write(content)
                else:
                    for _ in range(content):
                        f.write(bytes(1 << 20))
    return out.getvalue()


def _deflating(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return archive.open(info, "w")


SIGNATURE = "META-INF/signature.p7s"


@bomb
def a_container_with_a_gigabyte_in_one_file() -> bytes:
    return container(("content.bin", 1 << 10), (SIGNATURE, signed_data(certificate(), signer_info())))


@bomb
def a_container_with_fifty_files_of_ninety_megabytes() -> bytes:
    files = [(f"content{number}.bin", 90) for number in range(50)]
    return container(*files, (SIGNATURE, signed_data(certificate(), signer_info())))


@bomb
def a_container_with_a_hundred_thousand_files() -> bytes:
    files = [(f"{number}", b"") for number in range(100_000)]
    return container(*files, (SIGNATURE, signed_data(certificate(), signer_info())))


@bomb
def a_container_that_says_less_than_it_holds() -> bytes:
    data = container(("content.bin", 600), (SIGNATURE, signed_data(certificate(), signer_info())))
    return data.replace((600 << 20).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
