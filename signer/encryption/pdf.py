"""PDF files encrypted to the holders of certificates (ISO 32000-2 7.6.5), and in the clear again.

    locked = encrypt_pdf(data, certificates)                          # AES-256
    locked = encrypt_pdf(data, certificates, cipher="aes-256-gcm")    # ISO/TS 32003, with the MAC of ISO/TS 32004
    plain = decrypt_pdf(locked, Credentials(recipient=…)).data

Recipients may be of several families: every one gets the same seed, by the transport of his own. RSA and ECDH are what
the standard knows; SM2 and GOST are an extension of ours (docs/encryption.md). Whether a certificate is good is asked
before (`signer.encryption.recipients`).

Every object is written anew under its number, so a signed file is refused: /ByteRange would cover other octets. What
was written is read back and compared, object by object, before it is given out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from certs import suites
from certs.certificate import Certificate
from certs.enveloped import encrypt_seed
from certs.errors import UnsupportedAlgorithm
from signer.errors import EncryptedPDF, SignedPDF, UnreadablePDF
from signer.pdf.encryption import Credentials, Decryptor, unlock
from signer.pdf.handlers import ALL_PERMISSIONS, MAX_OCTETS, SEED, WITHOUT_MAC, open_with_seed
from signer.pdf.listing import list_signatures
from signer.pdf.mac import DIGEST, has_mac, mac_problem, make_token, token_size
from signer.pdf.soundness import check_places
from signer.pdf.structure import BudgetSpent, PDFFile, Stream, View, filters_of
from signer.pdf.tokens import Array, Dictionary, Name, Ref, SyntaxFault
from signer.pdf.writing import assembled, made, plain, stream, written

CIPHERS = ("aes-256", "aes-256-gcm")
"""By their names; the first is what readers of today know."""
FILTER = "DefaultCryptFilter"
REPAIR_HINT = "have the producer repair it, or rewrite it with 'qpdf IN OUT'"


@dataclass(frozen=True)
class DecryptedPDF:
    """A file in the clear, and what is to be known of the one it came from."""

    data: bytes
    method: str
    """Words: "AES-256, opened with the key of a recipient"."""
    authenticated: bool
    """Whether a MAC over the whole file held: nobody without the file key has changed it."""
    signatures: int
    """How many there were: they hold in the encrypted file only."""


def encrypt_pdf(data: bytes, recipients: Sequence[Certificate], *, cipher: str = "aes-256") -> bytes:
    """Return the file encrypted to the holders of `recipients`, who may do everything with it.

    Raises UnreadablePDF, EncryptedPDF (it is already), SignedPDF, UnsupportedAlgorithm (no such cipher, a key that only
    signs, too many recipients), BadKey (a certificate that is not for encryption), BackendUnavailable.
    """
    if cipher not in CIPHERS:
        raise UnsupportedAlgorithm(f"no PDF is encrypted by {cipher!r}", hint="one of " + ", ".join(CIPHERS))
    with _readable():
        view = _opened(data, None)
        if _signatures(view):
            raise SignedPDF(
                "the PDF is signed, and encrypting it would break its signatures",
                hint="encrypt it as it is, in an envelope (OUT.zip or OUT.p7m); or encrypt first and then sign",
            )
        gcm = cipher == "aes-256-gcm"
        seed, permissions = secrets.token_bytes(SEED), ALL_PERMISSIONS & ~WITHOUT_MAC if gcm else ALL_PERMISSIONS
        envelope = encrypt_seed(seed + permissions.to_bytes(4, "big"), recipients)
        if len(envelope) > MAX_OCTETS - 1024:
            raise UnsupportedAlgorithm("too many recipients for one PDF", hint="make an envelope: OUT.zip")
        number = max(view.entries) + 1
        dictionary = _dictionary(envelope, gcm=gcm)
        decryptor = open_with_seed(dictionary, seed, number)
        locked = _rewritten(view, decryptor, dictionary)
        _compare(view, locked, decryptor)
    return locked


def decrypt_pdf(data: bytes, credentials: Credentials) -> DecryptedPDF:
    """Return the file in the clear. A signed file becomes a copy whose signatures do not hold any more.

    Raises EncryptedPDF where the credentials do not open it, UnreadablePDF where it is damaged or not encrypted, or its
    MAC does not hold.
    """
    with _readable():
        view = _opened(data, credentials)
        decryptor = view.pdf.decryptor
        if decryptor is None:
            raise UnreadablePDF("the PDF is not encrypted", hint="take it as it is")
        problem = mac_problem(view, decryptor)
        if problem:
            raise UnreadablePDF(f"the MAC over the file does not hold: {problem}", hint="ask the sender for it again")
        copy = _rewritten(view, None, None)
        _compare(view, copy, None)
    return DecryptedPDF(copy, decryptor.method, problem == "", _signatures(view))


def in_clear(data: bytes, credentials: Credentials) -> bytes:
    """Return a file that others can read: itself, or a copy where it is encrypted. Raises as `decrypt_pdf`."""
    with _readable():
        encrypted = PDFFile(data).view(len(data)).trailer.get("Encrypt") is not None
    return decrypt_pdf(data, credentials).data if encrypted else data


# Reading -------------------------------------------------------------------------------------------------------------
@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except SyntaxFault as error:
        raise UnreadablePDF(f"the file is damaged: {error}", hint=REPAIR_HINT) from error
    except (BudgetSpent, RecursionError) as error:
        raise UnreadablePDF("the file takes too much work to read", hint=REPAIR_HINT) from error


def _opened(data: bytes, credentials: Credentials | None) -> View:
    """Return the whole file as read; without credentials it must not be encrypted."""
    if not data.startswith(b"%PDF-"):
        raise UnreadablePDF("this is not a PDF", hint="encrypt it as any other file: OUT.zip or OUT.p7m")
    pdf = PDFFile(data)
    view = pdf.view(len(data))
    if credentials is not None:
        decryptor = unlock(view, credentials)
        if decryptor is not None:
            pdf.unlock(decryptor)
    elif view.trailer.get("Encrypt") is not None:
        raise EncryptedPDF("the PDF is encrypted already", hint="decrypt it first")
    if view.get(view.catalog, "Pages") is None:
        raise SyntaxFault("the catalog names no pages")
    check_places(view)
    return view


def _signatures(view: View) -> int:
    listing = list_signatures(view.pdf, view)
    return len(listing.signatures) + len(listing.broken_fields)


def _objects(view: View) -> Iterator[tuple[Ref, Any]]:
    """Yield every object in use but those that say where and how the others are written."""
    own = view.trailer.get("Encrypt")
    for number in sorted(view.entries):
        located = view.locate(number)
        if located is None or (isinstance(own, Ref) and number == own.number):
            continue
        value = located.value
        kind = value.dictionary.get("Type") if isinstance(value, Stream) else None
        linearization = isinstance(value, Dictionary) and "Linearized" in value
        if kind not in ("XRef", "ObjStm") and not linearization:
            yield Ref(number, located.generation), value


# Writing -------------------------------------------------------------------------------------------------------------
def _dictionary(envelope: bytes, *, gcm: bool) -> Dictionary:
    """Return the encryption dictionary (Tables 20, 23, 25, 27)."""
    method = "AESV4" if gcm else "AESV3"
    crypt_filter = _dict(Type=Name("CryptFilter"), CFM=Name(method), AuthEvent=Name("DocOpen"), Length=256)
    crypt_filter |= _dict(Recipients=Array([envelope]), EncryptMetadata=True)
    out = _dict(Filter=Name("Adobe.PubSec"), SubFilter=Name("adbe.pkcs7.s5"), V=6 if gcm else 5, Length=256)
    out |= _dict(CF=_dict(**{FILTER: crypt_filter}), StmF=Name(FILTER), StrF=Name(FILTER), EncryptMetadata=True)
    if gcm:
        out |= _dict(KDFSalt=secrets.token_bytes(32))
    return out


def _dict(**items: Any) -> Dictionary:
    return made(items)


def _rewritten(view: View, decryptor: Decryptor | None, dictionary: Dictionary | None) -> bytes:
    """Return all objects in a new file, encrypted or not."""
    objects = [(*owner, _object(view, owner, value, decryptor)) for owner, value in _objects(view)]
    trailer = {key: view.trailer[key] for key in ("Root", "Info") if key in view.trailer}
    pair = view.trailer.get("ID")
    first = pair[0] if isinstance(pair, list) and pair and isinstance(pair[0], bytes) else secrets.token_bytes(16)
    trailer["ID"] = Array([first, secrets.token_bytes(16)])  # 14.4: the same document, another file
    if decryptor is None or dictionary is None:
        return assembled(objects, _entries(trailer))
    assert decryptor.dictionary is not None
    objects.append((decryptor.dictionary, 0, written(dictionary, plain)))
    trailer["Encrypt"] = Ref(decryptor.dictionary, 0)
    if not has_mac(decryptor):
        return assembled(objects, _entries(trailer))
    return _with_mac(objects, _entries(trailer), decryptor)


def _entries(trailer: dict[str, Any]) -> bytes:
    return written(made(trailer), plain)[2:-2]


def _object(view: View, owner: Ref, value: Any, decryptor: Decryptor | None) -> bytes:
    if decryptor is not None and owner == view.trailer.get("Root") and has_mac(decryptor):
        value = _extended(view, value)

    def sealed(octets: bytes) -> bytes:
        return octets if decryptor is None else decryptor.sealed(owner, octets)

    if not isinstance(value, Stream):
        return written(value, sealed)
    body, filters = view.pdf.encoded(value, view)
    if filters and filters[0][0] == "Crypt":
        raise SyntaxFault(f"the stream object {owner.number} names a crypt filter, and the file is not encrypted")
    kept = value.dictionary
    if len(filters) < len(filters_of(value, view)):
        kept = _without_crypt(kept, view)
    return stream(kept, body if decryptor is None else decryptor.sealed_stream(owner, body), sealed)


def _without_crypt(dictionary: Dictionary, view: View) -> Dictionary:
    """Return the dictionary of a stream without its first filter, which was a crypt filter."""
    kept = {key: value for key, value in dictionary.items() if key not in ("Filter", "DecodeParms")}
    out = made(kept, dictionary.duplicates)
    for key in ("Filter", "DecodeParms"):
        value = view.get(dictionary, key)
        if isinstance(value, list) and len(value) > 1:
            out[key] = Array(value[1:])
    return out


def _extended(view: View, catalog: Dictionary) -> Dictionary:
    """Return the catalog with what ISO/TS 32003 and 32004 want to be named in it (7.12)."""
    before = view.get(catalog, "Extensions")
    extensions = _dict(**before) if isinstance(before, Dictionary) else _dict()
    ours = [
        _dict(
            Type=Name("DeveloperExtensions"),
            BaseVersion=Name("2.0"),
            ExtensionLevel=level,
            ExtensionRevision=revision,
            URL=b"https://www.iso.org/standard/%d.html" % page,
        )
        for level, revision, page in ((32003, b":2023", 45876), (32004, b":2024", 45877))
    ]
    known = view.get(extensions, "ISO_")
    extensions["ISO_"] = Array([*(known if isinstance(known, list) else ()), *ours])
    return made({**catalog, "Extensions": extensions})


def _with_mac(objects: list[tuple[int, int, bytes]], trailer: bytes, decryptor: Decryptor) -> bytes:
    """Return a file with a standalone MAC in its trailer."""
    size = 2 * token_size(decryptor)
    empty, numbers = b"/MAC <%b>" % (b"0" * size), b"/ByteRange [%b]" % (b" " * 44)
    code = b"/AuthCode << /MACLocation /Standalone %b %b >>" % (numbers, empty)
    data = bytearray(assembled(objects, trailer + code))
    start = data.rindex(empty) + len(b"/MAC ")
    end = start + size + 2
    at = data.rindex(numbers) + len(b"/ByteRange [")
    data[at : at + 44] = (b"0 %d %d %d" % (start, end, len(data) - end)).ljust(44)
    digest = suites.digest(DIGEST, bytes(data[:start]) + bytes(data[end:]))
    data[start + 1 : end - 1] = make_token(decryptor, digest).hex().encode("ascii")
    return bytes(data)


# Afterwards ----------------------------------------------------------------------------------------------------------
def _compare(before: View, data: bytes, decryptor: Decryptor | None) -> None:
    """Raise SyntaxFault unless our reader finds in the new file what it found in the other one."""
    pdf = PDFFile(data)
    view = pdf.view(len(data))
    if decryptor is not None:
        pdf.unlock(decryptor)
        if mac_problem(view, decryptor):
            raise SyntaxFault("its MAC does not hold")
    expected = dict(_objects(before))
    if {owner for owner, _ in _objects(view)} != set(expected):
        raise SyntaxFault("objects are missing from what was written")
    changed = {"Extensions"} if decryptor is not None and has_mac(decryptor) else set()
    for owner, value in _objects(view):
        old = expected[owner]
        ignored = changed if owner == view.trailer.get("Root") else set()
        if not _same(before, old, view, value, ignored):
            raise SyntaxFault(f"object {owner.number} is not what it was")


def _same(before: View, old: Any, after: View, new: Any, ignored: set[str]) -> bool:
    """Tell whether two values are the same, but for some keys of dictionaries."""
    if isinstance(old, Stream) and isinstance(new, Stream):
        framing = {"Length", "Filter", "DecodeParms"}  # a crypt filter goes with the encryption
        kept = [name for name, _ in filters_of(old, before) if name != "Crypt"]
        if kept != [name for name, _ in filters_of(new, after)] or before.encoded(old) != after.encoded(new):
            return False
        return _same(before, old.dictionary, after, new.dictionary, framing)
    if isinstance(old, Dictionary) and isinstance(new, Dictionary):
        return {k: v for k, v in old.items() if k not in ignored} == {k: v for k, v in new.items() if k not in ignored}
    return type(old) is type(new) and bool(old == new)


__all__ = ["CIPHERS", "DecryptedPDF", "decrypt_pdf", "encrypt_pdf"]
