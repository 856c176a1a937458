"""What stands where in an OFD package: documents, lists of signatures, signature files (GB/T 33190-2016 7.4, 18).

    package = read_package(container.files)
    for listed in package.lists:                        # Doc_0/Signs/Signatures.xml
        for entry in listed.entries:
            signature = read_signature(entry.path, package.files[entry.path])
            signature.value, signature.seal, signature.references

Elements are told by their local names: the namespace is written in several ways in the field. Whatever may stand once
and stands twice is refused, since two readers would take two different ones. Paths (ST_Loc, 7.2 table 2) are relative
to the file they stand in, or absolute from the root of the package; none leads out of it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from certs.errors import CertsError, MalformedInput
from certs.signed_data import digest_name
from certs.trust.xml import parse_xml

ENTRY = "OFD.xml"
"""The file that a reader of the package begins with (7.4)."""
MAX_XML = 16 * 1024 * 1024
MAX_DOCUMENTS = 100
MAX_SIGNATURES = 200
"""Of all documents of a package; each file is hashed once per algorithm, however many signatures name it."""
MAX_REFERENCES = 5000
MAX_PATH = 1000
CHECK_METHODS = {
    "": "md5",
    "md5": "md5",
    "sha1": "sha1",
    "sha-1": "sha1",
    "sha256": "sha256",
    "sha-256": "sha256",
    "sm3": "sm3",
}
"""CheckMethod to digest; MD5 is the default of the schema (18.2.2, table 68). Others are dotted OIDs."""


@dataclass(frozen=True)
class Entry:
    """One Signature of a Signatures.xml."""

    id: str
    type: str
    """"Seal" or "Sign"; "Seal" where nothing is said (18.1, table 66)."""
    path: str
    """Of the signature file, from the root of the package."""


@dataclass(frozen=True)
class SignatureList:
    """One Signatures.xml (18.1), in the order it stands there."""

    path: str
    octets: bytes = field(repr=False)
    entries: tuple[Entry, ...]
    plain: bool
    """Whether nothing but signatures and the highest number is in it."""


@dataclass(frozen=True)
class Document:
    """One DocBody of OFD.xml."""

    root: str | None
    signatures: str | None
    """Path of its Signatures.xml, where it has one."""


@dataclass(frozen=True)
class Package:
    """The files of a package by their paths, and what OFD.xml says of them."""

    files: Mapping[str, bytes] = field(repr=False)
    documents: tuple[Document, ...]
    lists: tuple[SignatureList, ...]
    problems: tuple[str, ...]
    """Lists of signatures that are named and cannot be read."""


@dataclass(frozen=True)
class Reference:
    """One file that a signature covers (18.2.2)."""

    path: str
    digest: bytes


@dataclass(frozen=True)
class SignatureFile:
    """One Signature.xml (18.2.1)."""

    path: str
    value: str
    """Path of the signed value."""
    seal: str | None
    """Path of the file that shows the seal, where one is named."""
    method: str
    """SignatureMethod as written: an OID."""
    check_method: str
    digest_name: str | None
    """None for a CheckMethod that we do not know."""
    references: tuple[Reference, ...]
    stated_time: str
    """SignatureDateTime: local time in many forms, covered by the signature and proven by nothing."""


def read_package(files: Mapping[str, bytes]) -> Package:
    """Read OFD.xml and the lists of signatures it names. Raises MalformedInput where OFD.xml cannot be read."""
    root = parsed(files[ENTRY], "OFD")
    documents = tuple(_documents(root))
    lists: dict[str, SignatureList] = {}
    problems: list[str] = []
    for document in documents:
        path = document.signatures
        if path is None or path in lists:
            continue
        if path not in files:
            problems.append(f"{path} is not in the package")
            continue
        try:
            lists[path] = read_list(path, files[path])
        except MalformedInput as error:
            problems.append(f"{path}: {error}")
    return Package(files, documents, tuple(lists.values()), tuple(problems))


def _documents(root: Element) -> Iterator[Document]:
    bodies = list(children(root, "DocBody"))
    if not bodies or len(bodies) > MAX_DOCUMENTS:
        raise MalformedInput(f"OFD.xml with {len(bodies)} DocBody")
    for body in bodies:
        document, signatures = text_of(body, "DocRoot"), text_of(body, "Signatures")
        yield Document(
            resolve(ENTRY, document) if document else None, resolve(ENTRY, signatures) if signatures else None
        )


def read_list(path: str, octets: bytes) -> SignatureList:
    """Read a Signatures.xml. Raises MalformedInput."""
    root = parsed(octets, "Signatures")
    entries: list[Entry] = []
    for item in children(root, "Signature"):
        if len(entries) >= MAX_SIGNATURES:
            raise MalformedInput(f"more than {MAX_SIGNATURES} signatures")
        entries.append(Entry(item.get("ID", ""), item.get("Type", "Seal"), resolve(path, item.get("BaseLoc", ""))))
    paths = [entry.path for entry in entries]
    if len(set(paths)) != len(paths):
        raise MalformedInput("one signature file is listed twice")
    plain = all(local_name(item) in ("Signature", "MaxSignId") and not len(item) for item in root)
    return SignatureList(path, octets, tuple(entries), plain)


def read_signature(path: str, octets: bytes) -> SignatureFile:
    """Read a Signature.xml. Raises MalformedInput."""
    root = parsed(octets, "Signature")
    info = child(root, "SignedInfo")
    if info is None:
        raise MalformedInput("a signature file without SignedInfo")
    value = text_of(root, "SignedValue")
    if not value:
        raise MalformedInput("a signature file without SignedValue")
    shown = child(info, "Seal")
    base = text_of(shown, "BaseLoc") if shown is not None else ""
    named = child(info, "References")
    if named is None:
        raise MalformedInput("a signature file without References")
    method = named.get("CheckMethod", "")
    return SignatureFile(
        path,
        resolve(path, value),
        resolve(path, base) if base else None,
        text_of(info, "SignatureMethod")[:100],
        method[:100],
        _check_method(method),
        tuple(_references(path, named)),
        text_of(info, "SignatureDateTime")[:100],
    )


def _references(path: str, named: Element) -> Iterator[Reference]:
    found = list(children(named, "Reference"))
    if len(found) > MAX_REFERENCES:
        raise MalformedInput(f"more than {MAX_REFERENCES} references")
    seen: set[str] = set()
    for item in found:
        target = resolve(path, item.get("FileRef", ""))
        if target in seen:
            raise MalformedInput(f"two references to {target}")
        seen.add(target)
        try:
            digest = base64.b64decode("".join(text_of(item, "CheckValue").split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise MalformedInput("a check value that is not base64") from error
        yield Reference(target, digest)


def _check_method(method: str) -> str | None:
    known = CHECK_METHODS.get(method.strip().lower())
    if known is not None:
        return known
    try:
        return digest_name(method.strip())
    except CertsError:
        return None


def resolve(base: str, location: str) -> str:
    """Return the path that a location in the file `base` means, from the root, without a slash before it.

    Raises MalformedInput where it leads out of the package or names nothing.
    """
    location = location.strip()
    if not location or len(location) > MAX_PATH or "\\" in location or "\x00" in location:
        raise MalformedInput("a location that names no file")
    parts = [] if location.startswith("/") else base.split("/")[:-1]
    for part in location.split("/"):
        if part == "..":
            if not parts:
                raise MalformedInput(f"{location[:100]} leads out of the package")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if not parts:
        raise MalformedInput(f"{location[:100]} names no file")
    return "/".join(parts)


# -- elements ---------------------------------------------------------------------------------------------


def parsed(octets: bytes, name: str) -> Element:
    """Return the first element of a file, which has that name. Raises MalformedInput."""
    if len(octets) > MAX_XML:
        raise MalformedInput("the XML document is too large")
    root = parse_xml(octets)
    if local_name(root) != name:
        raise MalformedInput(f"{local_name(root)[:100]} where {name} belongs")
    return root


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element, name: str) -> Iterator[Element]:
    """Yield the members of one name."""
    return (item for item in element if local_name(item) == name)


def child(element: Element, name: str) -> Element | None:
    """Return the one member of a name, or None. Raises MalformedInput where there are several."""
    found = list(children(element, name))
    if len(found) > 1:
        raise MalformedInput(f"{name} stands {len(found)} times")
    return found[0] if found else None


def text_of(element: Element, name: str) -> str:
    """Return the text of the one member of a name, "" where there is none. Raises MalformedInput."""
    found = child(element, name)
    if found is None:
        return ""
    if len(found):
        raise MalformedInput(f"{name} has elements inside")
    return (found.text or "").strip()
