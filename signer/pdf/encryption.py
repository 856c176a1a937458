"""Encrypted PDFs in the clear (ISO 32000-2 7.6): which octets are ciphertext, and under which crypt filter.

    decryptor = unlock(view, Credentials(password="…"))      # EncryptedPDF; keys and ciphers: signer.pdf.handlers
    pdf.unlock(decryptor)                                    # from now on objects are read in the clear
    same_encryption(signed_view, view)                       # no later revision may change how everything is read

Strings and streams of an object are decrypted when it is read; never those inside of object streams, cross-reference
streams, the encryption dictionary, and /Contents of signatures (7.6.2). Every other rule looks at the octets of the
file as they are: a signature covers the ciphertext. Decrypting reaches for nothing outside of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from signer.pdf.structure import Filters, Stream, View, filters_of
from signer.pdf.tokens import Array, Dictionary, Ref, SyntaxFault

if TYPE_CHECKING:
    from certs.keys.base import DecryptionKey

Cipher = Callable[[Ref, bytes], bytes]
"""Decrypts octets of an object. Raises SyntaxFault."""

STEPS = 12
"""Of the budget for each decrypted string: a key and a cipher are set up."""


@dataclass(frozen=True)
class Recipient:
    """Who opens a file that is encrypted for certificates."""

    certificate: bytes
    """DER."""
    private_key: bytes | DecryptionKey = field(repr=False)
    """PKCS#8, DER; or a key elsewhere, as in a token: it opens what `certs.enveloped` reads, and no older ciphers."""


@dataclass(frozen=True)
class Credentials:
    """What the caller has to open a file with; the empty user password is tried without asking."""

    password: str | None = field(default=None, repr=False)
    """Octets that are not UTF-8 as surrogates (PEP 383)."""
    recipient: Recipient | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Decryptor:
    """One opened file. A crypt filter that is the identity is None."""

    strings: Cipher | None
    streams: Cipher | None
    files: Cipher | None
    """For embedded files (/EFF)."""
    named: Mapping[str, Cipher | None] = field(repr=False)
    """Crypt filters a stream may name itself (7.4.10)."""
    metadata: bool
    """/EncryptMetadata."""
    dictionary: int | None
    """Object number of the encryption dictionary."""
    method: str
    """Words for the report: "AES-256, opened with the user password"."""
    file_key: bytes | None = field(repr=False)
    """What another parser needs; None where each crypt filter has its own (certificates), and with AES-GCM."""
    permissions: int | None = None
    """What a reader with user access may do, as bits (Table 22, Table 24); None with owner access: everything."""
    needs_mac: bool = False
    """Whether a file without a MAC is not to be taken: bit 13 of the permissions is 0 (ISO/TS 32004)."""
    handler: Any = field(default=None, repr=False)
    """pyHanko's security handler, opened: for whoever writes objects."""

    def sealed(self, owner: Ref, octets: bytes) -> bytes:
        """Return a string of an object, encrypted."""
        return _seal(self.handler.get_string_filter(), owner, octets)

    def sealed_stream(self, owner: Ref, octets: bytes) -> bytes:
        """Return the octets of a stream, encrypted."""
        return _seal(self.handler.get_stream_filter(), owner, octets)

    def opened(self, value: Any, number: int, generation: int, spend: Callable[[int], None]) -> Any:
        """Return an object as just parsed, its strings decrypted in place. Raises SyntaxFault, BudgetSpent."""
        owner = Ref(number, generation)
        if number == self.dictionary:
            return value
        if isinstance(value, Stream):
            if value.dictionary.get("Type") == "XRef":
                return value
            self._open(value.dictionary, owner, spend)
            return value._replace(owner=owner)
        return self._open(value, owner, spend)

    def _open(self, value: Any, owner: Ref, spend: Callable[[int], None]) -> Any:
        if self.strings is None:
            return value
        holder = [value]
        waiting: list[Any] = [holder]
        while waiting:
            item = waiting.pop()
            pairs = list(item.items() if isinstance(item, dict) else enumerate(item))
            kept = "Contents" if isinstance(item, Dictionary) and _is_signature(item) else None
            for key, inner in pairs:
                if isinstance(inner, bytes):
                    if key != kept and inner:
                        spend(STEPS + len(inner) // 256)
                        item[key] = self.strings(owner, inner)
                elif isinstance(inner, Dictionary | Array):
                    waiting.append(inner)
        return holder[0]

    def stream(self, body: bytes, dictionary: Dictionary, owner: Ref, filters: Filters) -> tuple[bytes, Filters]:
        """Return the octets of a stream in the clear, and the filters that remain. Raises SyntaxFault."""
        if filters and filters[0][0] == "Crypt":
            name = _filter_name(filters)
            if name != "Identity" and name not in self.named:
                raise SyntaxFault(f"no crypt filter is called {name!r}")
            cipher, filters = (None if name == "Identity" else self.named[name]), filters[1:]
        elif dictionary.get("Type") == "Metadata" and not self.metadata:
            cipher = None
        elif dictionary.get("Type") == "EmbeddedFile":
            cipher = self.files
        else:
            cipher = self.streams
        return (cipher(owner, body) if cipher is not None and body else body), filters


def _seal(crypt_filter: Any, owner: Ref, octets: bytes) -> bytes:
    return bytes(crypt_filter.encrypt(crypt_filter.derive_object_key(*owner), octets))


def _filter_name(filters: Filters) -> Any:
    """Return the name of the crypt filter that the parameters of the first filter give (Table 14)."""
    parameters = filters[0][1]
    return "Identity" if parameters is None else parameters.get("Name", "Identity")


def _is_signature(dictionary: Dictionary) -> bool:
    return "ByteRange" in dictionary or dictionary.get("Type") in ("Sig", "DocTimeStamp")


def unlock(view: View, credentials: Credentials) -> Decryptor | None:
    """Return what decrypts the file, None where it is not encrypted. Raises EncryptedPDF."""
    from signer.errors import EncryptedPDF

    try:
        dictionary = view.encryption
        if dictionary is None:
            return None
    except SyntaxFault as error:
        raise EncryptedPDF(
            f"the PDF is encrypted, in a way that cannot be read: {error}", hint="ask for a copy without encryption"
        ) from error
    from signer.pdf.handlers import open_with

    own = view.trailer.get("Encrypt")
    return open_with(dictionary, _identifier(view), credentials, own.number if isinstance(own, Ref) else None)


def same_encryption(old: View, new: View) -> bool:
    """Whether two revisions say the same about how they are encrypted. Raises SyntaxFault.

    Keys of revisions 2 to 4 come from /ID too (7.6.4.3): under another one /U would be another.
    """
    named = old.trailer.get("Encrypt") == new.trailer.get("Encrypt")
    return old is new or (named and old.encryption == new.encryption)


def _identifier(view: View) -> bytes:
    """Return the first half of the file identifier (14.4), empty where there is none."""
    pair = view.trailer.get("ID")
    first = pair[0] if isinstance(pair, list) and pair else None
    return first if isinstance(first, bytes) else b""


# -- plain beside encrypted ---------------------------------------------------------------------------


def plain_parts(view: View) -> Iterator[str]:
    """Say what of an encrypted file is not encrypted, but for what never is. Raises SyntaxFault, BudgetSpent."""
    decryptor = view.pdf.decryptor
    if decryptor is None:
        return
    kinds = {"strings": decryptor.strings, "streams": decryptor.streams, "embedded files": decryptor.files}
    plain = [words for words, cipher in kinds.items() if cipher is None]
    if plain:
        yield f"{' and '.join(plain)} are not encrypted"
    sections = {section.offset for section in view.sections}
    for entry in view.entries.values():
        view.pdf.budget.spend(2)
        if entry.compressed or not entry.offset or entry.offset in sections:
            continue
        try:
            found = view.pdf.written_at(entry.offset, view)
            if not isinstance(found.value, Stream) or found.value.dictionary.get("Type") == "Metadata":
                continue
            if found.value.dictionary.get("Type") == "XRef":
                yield f"object {found.number} is plain, a cross-reference stream that the file does not use as one"
                return
            filters = filters_of(found.value, view)
            if filters and filters[0][0] == "Crypt" and _filter_name(filters) == "Identity":
                yield f"the stream object {found.number} is not encrypted"
                return
        except SyntaxFault:
            continue


__all__ = ["Cipher", "Credentials", "Decryptor", "Recipient", "plain_parts", "same_encryption", "unlock"]
