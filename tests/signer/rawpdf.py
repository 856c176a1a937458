"""PDFs written octet by octet, so that a test can break exactly one thing.

`signed_pdf()` has the shape of a signed file; its /Contents is no CMS unless one is given. `update()` appends an
incremental revision of whatever objects are wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable

PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [5 0 R] >>"
SIGNATURE_FIELD = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Sig1) /Rect [0 0 0 0] /P 3 0 R /F 132 /V 6 0 R >>"
CONTENTS_DIGITS = 64


def stream(body: bytes, extra: bytes = b"") -> bytes:
    return b"<< /Length %d %s>>\nstream\n%s\nendstream" % (len(body), extra, body)


def objects(**replaced: bytes) -> dict[int, bytes]:
    """The six objects of the file; `o3=b"…"` replaces one, `o7=b"…"` adds one."""
    found = {
        1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] /SigFlags 3 >> >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: PAGE,
        4: stream(b"BT /F1 12 Tf 72 700 Td (pay 100) Tj ET"),
        5: SIGNATURE_FIELD,
        6: b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 AAAAAAAAAA BBBBBBBBBB "
        b"CCCCCCCCCC] /Contents <" + b"0" * CONTENTS_DIGITS + b"> /M (D:20260101000000Z) >>",
    }
    for name, body in replaced.items():
        found[int(name[1:])] = body
    return {number: body for number, body in found.items() if body}


def assemble(bodies: dict[int, bytes], base: bytes = b"", *, root: bytes = b"1 0 R", extra: bytes = b"") -> bytes:
    """Write objects, cross-reference table and trailer, behind `base` when given."""
    out = bytearray(base or b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets: dict[int, int] = {}
    for number, body in sorted(bodies.items()):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, offset in sorted(offsets.items()):
        out += b"%d 1\n%010d 00000 n \n" % (number, offset)
    previous = b""
    size = max(offsets, default=0) + 1
    if base:
        last = int(re.findall(rb"startxref\s+(\d+)", base)[-1])
        previous = b" /Prev %d" % last
        sizes = [int(n) for n in re.findall(rb"/Size (\d+)", base)]
        size = max([size, *sizes])
    out += b"trailer\n<< /Size %d /Root %s%s %s>>\nstartxref\n%d\n%%%%EOF\n" % (size, root, previous, extra, start)
    return bytes(out)


def fill_byte_range(data: bytes, contents: bytes | Callable[[bytes], bytes] | None = None) -> bytes:
    """Put the right numbers into the placeholder; keeps every offset.

    `contents` is the CMS, or makes it from the signed octets.
    """
    place = data.rindex(b"AAAAAAAAAA")
    gap = data.index(b"/Contents <", place) + len(b"/Contents ")
    end = data.index(b">", gap) + 1
    for word, number in ((b"AAAAAAAAAA", gap), (b"BBBBBBBBBB", end), (b"CCCCCCCCCC", len(data) - end)):
        at = data.index(word, place)
        data = data[:at] + b"%-10d" % number + data[at + 10 :]
    if callable(contents):
        contents = contents(data[:gap] + data[end:])
    digits = contents.hex().encode() if contents is not None else b"30800000"
    assert len(digits) <= end - gap - 2, "the placeholder is too small"
    inside = digits + b"0" * (end - gap - 2 - len(digits))
    return data[: gap + 1] + inside + data[end - 1 :]


def signed_pdf(change: Callable[[bytes], bytes] | None = None, **replaced: bytes) -> bytes:
    """A one-page file with one signature; `change` edits the finished octets."""
    data = fill_byte_range(assemble(objects(**replaced)))
    return change(data) if change else data


def signature_dictionary(digits: int, subfilter: bytes = b"ETSI.CAdES.detached", extra: bytes = b"") -> bytes:
    """A placeholder for `fill_byte_range`."""
    return (
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /"
        + subfilter
        + b" /ByteRange [0 AAAAAAAAAA BBBBBBBBBB CCCCCCCCCC] /Contents <"
        + b"0" * digits
        + b"> /M (D:20261121100000Z) "
        + extra
        + b">>"
    )


def sign(
    make_cms: Callable[[bytes], bytes],
    base: bytes | None = None,
    *,
    digits: int = 60_000,
    subfilter: bytes = b"ETSI.CAdES.detached",
    extra: bytes = b"",
    **replaced: bytes,
) -> bytes:
    """Sign a new file, or an existing one with a new field in a further revision; the signature is the file's last.

    Of an existing file `o1` and `o3` are its catalog and its page, where they are not the usual ones; further objects
    are written too.
    """
    if base is None:
        bodies = objects(**replaced)
        bodies[6] = signature_dictionary(digits, subfilter, extra)
        return fill_byte_range(assemble(bodies), make_cms)
    sizes = [int(n) for n in re.findall(rb"/Size (\d+)", base)]
    number = max([*sizes, 20])
    fields = re.findall(rb"/AcroForm << /Fields \[([^\]]*)\]", base)[-1]
    annots = re.findall(rb"/Annots \[([^\]]*)\]", base)[-1]
    catalog, page = replaced.pop("o1", objects()[1]), replaced.pop("o3", PAGE)
    catalog = re.sub(rb"/Fields \[[^\]]*\]", b"/Fields [%s %d 0 R]" % (fields, number), catalog)
    page = re.sub(rb"/Annots \[[^\]]*\]", b"/Annots [%s %d 0 R]" % (annots, number), page)
    name = b"Sig%d" % number
    field = SIGNATURE_FIELD.replace(b"Sig1", name).replace(b"6 0 R", b"%d 0 R" % (number + 1))
    dictionary = signature_dictionary(digits, subfilter, extra)
    more = {int(key[1:]): body for key, body in replaced.items()}
    data = update(base, more | {1: catalog, 3: page, number: field, number + 1: dictionary})
    return fill_byte_range(data, make_cms)


def update(base: bytes, bodies: dict[int, bytes], **more: bytes) -> bytes:
    """Append an incremental revision."""
    return assemble(bodies, base, **more)
