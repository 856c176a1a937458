"""Which files an OFD document is made of, and what a list of signatures was before later ones were added.

    content_files(package).files                        # what a reader of the document sees or can open
    was_before(listed, 1, "sm3", digest)                # whether the list had that digest when it had one entry

A seal covers the signature file, and that covers what it references: a page that no reference names may be replaced by
anybody (GB/T 33190-2016 18.2.2). So every file is looked for that the document leads to: from Document.xml over pages,
templates, resources, annotations and attachments. Any value in the XML that names a file of the package counts, so one
file too many may be found, never one too few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hmac import compare_digest
from html import unescape

from certs import suites
from certs.errors import CertsError, MalformedInput
from certs.trust.xml import parse_xml
from signer.verification.kinds.asic_zip import LimitExceeded
from signer.verification.kinds.ofd_package import MAX_PATH, Package, SignatureList, resolve

MAX_LOOKED_THROUGH = 64 * 1024 * 1024
"""Octets of XML that are read to find the files of a document."""
MAX_LIST = 256 * 1024
"""Octets of a list of signatures that is put back to an earlier state."""
MAX_NUMBERS = 1000
"""Highest numbers that are tried for an earlier state of a list."""

_ENCODING = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([\w.-]+)""")
_CODECS = {b"utf-8": "utf-8-sig", b"gb2312": "gb18030", b"gbk": "gb18030", b"gb18030": "gb18030"}
_VALUE = re.compile(r"""=\s*"([^"]*)"|=\s*'([^']*)'|>([^<]*)<""")
_ENTRY = re.compile(rb"\s*<(?:[\w.-]+:)?Signature\b[^<>]*?(?:/>|>\s*</(?:[\w.-]+:)?Signature\s*>)")
_NUMBER = re.compile(rb"\s*<(?:[\w.-]+:)?MaxSignId\s*>([^<]*)</(?:[\w.-]+:)?MaxSignId\s*>")


@dataclass(frozen=True)
class Content:
    """The files that the documents of a package lead to."""

    files: frozenset[str]
    unreadable: frozenset[str]
    """Those of them that should lead further and cannot be read here: what they lead to is not known."""


def content_files(package: Package) -> Content:
    """Return the paths of the files that the documents lead to. Raises LimitExceeded."""
    spelled = {name.casefold(): name for name in package.files}  # some readers do not tell cases apart
    roots = [document.root for document in package.documents if document.root is not None]
    waiting = [spelled[root.casefold()] for root in roots if root.casefold() in spelled]
    found: set[str] = set()
    unreadable: set[str] = set()
    octets = 0
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        body = package.files[path]
        said = path in roots or path.lower().endswith(".xml")
        if not said and not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            continue
        octets += len(body)
        if octets > MAX_LOOKED_THROUGH:
            raise LimitExceeded(f"more than {MAX_LOOKED_THROUGH >> 20} MiB of XML in the document")
        try:
            base, values = _values(body)
        except MalformedInput:
            if said:
                unreadable.add(path)
            continue
        named = {name.casefold() for name in _named(path, base, values)}
        waiting += [spelled[name] for name in named & spelled.keys() if spelled[name] not in found]
    return Content(frozenset(found), frozenset(unreadable))


def _values(body: bytes) -> tuple[str, list[str]]:
    """Return BaseLoc of the first element, and every value of the file: of attributes, and text.

    What is nearly XML (real files have prefixes that nothing declares), or in a Chinese encoding, is searched as text.
    Raises MalformedInput for a document type, whose entities could hide any value, and for other encodings.
    """
    try:
        root = parse_xml(body)
    except MalformedInput:
        if b"<!" in body.replace(b"<!--", b"").replace(b"<![CDATA[", b"") or b"<" not in body:
            raise
        said = _ENCODING.match(body)
        try:
            text = body.decode(_CODECS[said[1].lower() if said else b"utf-8"])
        except (KeyError, UnicodeDecodeError) as error:
            raise MalformedInput("the XML document is in another encoding") from error
        plain = text.replace("<![CDATA[", "").replace("]]>", "")
        base = re.search(r"""\sBaseLoc\s*=\s*["']([^"']*)""", plain)
        found = (unescape(value) for match in _VALUE.finditer(plain) for value in match.groups() if value)
        return unescape(base[1]) if base else "", list(found)
    values = [value for item in root.iter() for value in (*item.attrib.values(), item.text or "")]
    return root.get("BaseLoc", ""), values


def _named(path: str, base: str, values: list[str]) -> Iterator[str]:
    """Yield every path that a value of the file may mean: from its own folder, from the root, from its BaseLoc."""
    bases = [path, ""]
    if base:
        try:
            bases.append(resolve(path, base) + "/")
        except MalformedInput:
            pass
    for value in values:
        if not value or len(value) > MAX_PATH or "." not in value:
            continue
        for start in bases:
            try:
                yield resolve(start, value.replace("\\", "/"))
            except MalformedInput:
                continue


def was_before(listed: SignatureList, kept: int, digest_name: str, digest: bytes) -> bool:
    """Tell whether the list, with its first `kept` entries alone, had this digest.

    The entries behind them are cut out of the octets as they stand. The highest number (MaxSignId) was smaller then,
    or was not there yet: whichever of the few ways to write it gives the digest is proof that it was so.
    """
    octets = listed.octets
    if len(octets) > MAX_LIST or b"<!--" in octets or b"<![CDATA[" in octets:
        return False
    entries = list(_ENTRY.finditer(octets))
    if len(entries) != len(listed.entries) or not 0 <= kept < len(entries):
        return False
    try:
        return any(
            compare_digest(suites.digest(digest_name, earlier), digest) for earlier in _earlier(octets, entries, kept)
        )
    except CertsError:
        return False


def _earlier(octets: bytes, entries: list[re.Match[bytes]], kept: int) -> Iterator[bytes]:
    """Yield what the list may have been before its entries from `kept` on were added."""
    first = entries[kept].start()
    cut = [match.span() for match in entries[kept:]]
    numbers = list(_NUMBER.finditer(octets))
    yield _without(octets, cut)
    yield _without(octets, [*cut, *(match.span() for match in numbers if match.start() > first)])
    for match in numbers[-1:]:
        before, text, after = octets[: match.start(1)], match[1], octets[match.end(1) :]
        digits = re.search(rb"\d{1,9}\Z", text)
        if digits is None:
            continue
        highest = int(digits[0])
        for number in range(highest - 1, max(-1, highest - 1 - MAX_NUMBERS), -1):
            written = text[: digits.start()] + str(number).encode().rjust(len(digits[0]), b"0")
            yield _rewritten(before, written, after, cut, len(text))
            if len(str(number)) < len(digits[0]):
                yield _rewritten(before, text[: digits.start()] + str(number).encode(), after, cut, len(text))


def _rewritten(before: bytes, written: bytes, after: bytes, cut: list[tuple[int, int]], length: int) -> bytes:
    """Return the octets with another number; the cuts behind it move by the difference."""
    shift = len(written) - length
    moved = [(a, b) if a < len(before) else (a + shift, b + shift) for a, b in cut]
    return _without(before + written + after, moved)


def _without(octets: bytes, cut: list[tuple[int, int]]) -> bytes:
    out, position = [], 0
    for start, end in sorted(cut):
        out.append(octets[position:start])
        position = end
    return b"".join((*out, octets[position:]))
