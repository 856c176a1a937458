"""The security handlers of encrypted PDFs (ISO 32000-2 7.6.4, 7.6.5): keys and ciphers are pyHanko's.

    decryptor = open_with(dictionary, identifier, Credentials(password="…"), 7)      # EncryptedPDF
    decryptor = open_with_seed(dictionary, seed, 7)                                  # for whoever made both

The dictionary is what our own reader found, with nothing behind a reference in it. Passwords: revisions 2 to 6 and
AES-GCM (ISO/TS 32003). Certificates: whatever `certs.enveloped` opens, and the old ciphers that pyHanko opens. A
password is tried as user and as owner password, the empty one last. Whatever is wrong with the dictionary is
EncryptedPDF: nothing can be said of a file that cannot be read.

Two things are set inside of pyHanko's crypt filters, each looked for before: the seed, and how nonces are made.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from signer.errors import EncryptedPDF
from signer.pdf.encryption import Cipher, Credentials, Decryptor, Recipient
from signer.pdf.tokens import Array, Dictionary, Name, Ref, SyntaxFault

if TYPE_CHECKING:
    from certs.errors import CertsError
    from certs.keys.base import DecryptionKey

MAX_VALUES = 1000
MAX_OCTETS = 1 << 20
MAX_RECIPIENTS = 200
KEYS = (
    *("Filter", "SubFilter", "V", "R", "Length", "O", "U", "OE", "UE", "P", "Perms", "EncryptMetadata"),
    *("CF", "StmF", "StrF", "EFF", "Recipients", "KDFSalt"),
)
SEED = 20
"""Octets that the file key is derived from (7.6.5.3)."""
ALL_PERMISSIONS = 0xFFFFFFFF
WITHOUT_MAC = 1 << 12
"""Bit 13 of the permissions: the file is taken without a MAC too (ISO/TS 32004)."""
CHANGE_ENCRYPTION = 2
"""Bit 2 of the permissions of a recipient: all else is allowed too (Table 24)."""
PUBLIC_KEY = ("adbe.pkcs7.s3", "adbe.pkcs7.s4", "adbe.pkcs7.s5")
METHODS = {"/V2": "RC4", "/AESV2": "AES-128", "/AESV3": "AES-256", "/AESV4": "AES-256-GCM"}
NOT_UNDERSTOOD = "the PDF is encrypted in a way that is not understood"
ASK_ELSEWHERE = "ask for a copy without encryption, or encrypted as ISO 32000-2 says"


def open_with(dictionary: Dictionary, identifier: bytes, credentials: Credentials, number: int | None) -> Decryptor:
    """Return what decrypts a file with that encryption dictionary and first half of /ID. Raises EncryptedPDF."""
    try:
        handed = _Handover().dictionary(_usual(dictionary))
        by_password = dictionary.get("Filter") == "Standard"
        handler = _standard(handed, dictionary.get("R") == 5) if by_password else _public_key(handed, dictionary)
    except SyntaxFault as error:
        raise EncryptedPDF(f"{NOT_UNDERSTOOD}: {error}", hint=ASK_ELSEWHERE) from error
    except Exception as error:
        raise EncryptedPDF(NOT_UNDERSTOOD, hint=ASK_ELSEWHERE) from error
    if by_password:
        who, is_owner = _with_password(handler, identifier, credentials)
        permissions = dictionary["P"] & ALL_PERMISSIONS
    else:
        who, permissions = _as_recipient(handler, credentials)
        is_owner = bool(permissions & CHANGE_ENCRYPTION)
    try:
        return _decryptor(handler, who, number, handed, permissions, is_owner=is_owner)
    except Exception as error:
        raise EncryptedPDF(NOT_UNDERSTOOD, hint=ASK_ELSEWHERE) from error


def open_with_seed(dictionary: Dictionary, seed: bytes, number: int) -> Decryptor:
    """Return what decrypts a file for certificates, for whoever made its encryption dictionary and its seed."""
    handed = _Handover().dictionary(_usual(dictionary))
    handler = _public_key(handed, dictionary)
    for crypt_filter in _filters(handler):
        _set_seed(crypt_filter, seed)
    return _decryptor(handler, "its seed", number, handed, ALL_PERMISSIONS, is_owner=True)


# -- handing over -------------------------------------------------------------------------------------


def _usual(dictionary: Dictionary) -> dict[str, Any]:
    """Return what matters of the dictionary, in the forms that ISO 32000-2 Tables 20, 21 and 25 name."""
    if dictionary.duplicates:
        raise SyntaxFault("a key stands twice")
    found = {key: dictionary[key] for key in KEYS if key in dictionary}
    version, revision = found.get("V"), found.get("R")
    if version not in (1, 2, 4, 5, 6) or isinstance(version, bool):
        raise SyntaxFault(f"/V {version!r}")
    if version < 4:  # crypt filters came with 4
        for key in ("CF", "StmF", "StrF", "EFF", "EncryptMetadata"):
            found.pop(key, None)
    length = found.get("Length", 40 if version < 4 else 128)
    if type(length) is not int or length % 8 or not 40 <= length <= 256:
        if version in (1, 2):
            raise SyntaxFault("/Length")
        length = 128  # of no meaning where crypt filters say it
    found["Length"] = min(length, 128) if version < 5 else 256
    if found.get("Filter") == "Standard":
        if revision not in (2, 3, 4, 5, 6, 7):
            raise SyntaxFault(f"/R {revision!r}")
        octets = 32 if revision < 5 else 48
        for key in ("O", "U"):  # some writers fill them up
            if not isinstance(found.get(key), bytes):
                raise SyntaxFault(f"/{key}")
            found[key] = found[key][:octets]
        if type(found.get("P")) is not int:
            raise SyntaxFault("/P")
    return found


class _Handover:
    """Our values as pyHanko's; so many, so large, no reference."""

    def __init__(self) -> None:
        self.values = 0
        self.octets = 0

    def dictionary(self, value: dict[str, Any]) -> Any:
        generic = _generic()
        if getattr(value, "duplicates", ()):
            raise SyntaxFault("a key stands twice")
        return generic.DictionaryObject({generic.NameObject(f"/{key}"): self.of(item) for key, item in value.items()})

    def of(self, value: Any) -> Any:
        generic = _generic()
        self.values += 1
        if self.values > MAX_VALUES:
            raise SyntaxFault("too many values")
        if isinstance(value, Dictionary):
            return self.dictionary(value)
        if isinstance(value, Array):
            return generic.ArrayObject([self.of(item) for item in value])
        if isinstance(value, bytes):
            self.octets += len(value)
            if self.octets > MAX_OCTETS:
                raise SyntaxFault("too many octets")
            return generic.ByteStringObject(value)
        if isinstance(value, Name):
            return generic.NameObject(f"/{value}")
        if isinstance(value, bool):
            return generic.BooleanObject(value)
        if type(value) is int:
            return generic.NumberObject(value)
        raise SyntaxFault(f"a {'reference' if isinstance(value, Ref) else type(value).__name__} in it")


def _generic() -> Any:
    from pyhanko.pdf_utils import generic

    return generic


# -- by password --------------------------------------------------------------------------------------


def _standard(handed: Any, revision_5: bool) -> Any:
    from pyhanko.pdf_utils.crypt import StandardSecurityHandler

    if not revision_5:
        return StandardSecurityHandler.instantiate_from_pdf_object(handed)
    return _revision_5()(handed)


def _revision_5() -> Any:
    """Revision 5 (Adobe Supplement to ISO 32000, extension level 3): 6 with SHA-256 in the place of its long hash."""
    from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
    from cryptography.hazmat.primitives.ciphers import algorithms, modes
    from pyhanko.pdf_utils.crypt import AuthResult, AuthStatus, StandardSecurityHandler
    from pyhanko.pdf_utils.crypt.api import SecurityHandlerVersion
    from pyhanko.pdf_utils.crypt.standard import StandardSecuritySettingsRevision

    class Revision5(StandardSecurityHandler):  # type: ignore[no-untyped-call]  # its __init_subclass__ has no types
        def __init__(self, handed: Any) -> None:
            super().__init__(
                version=SecurityHandlerVersion.AES256,
                revision=StandardSecuritySettingsRevision.AES256,
                crypt_filter_config=self.process_crypt_filters(handed),
                **self.gather_encryption_metadata(handed),
            )

        def authenticate(self, credential: str | bytes, id1: bytes | None = None) -> Any:
            password = (credential.encode() if isinstance(credential, str) else credential)[:127]
            user, owner = self.udata, self.odata
            for status, entry, wrapped, more in (
                (AuthStatus.OWNER, owner, self.oeseed, user),
                (AuthStatus.USER, user, self.ueseed, b""),
            ):
                if sha256(password + entry[32:40] + more).digest() == entry[:32]:
                    key = sha256(password + entry[40:48] + more).digest()
                    engine = BlockCipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
                    self._shared_key = engine.update(wrapped) + engine.finalize()
                    return AuthResult(status)
            return AuthResult(AuthStatus.FAILED)

    return Revision5


def _with_password(handler: Any, identifier: bytes, credentials: Credentials) -> tuple[str, bool]:
    """Open with the password given, else the empty one; return how, and whether as owner. Raises EncryptedPDF."""
    from pyhanko.pdf_utils.crypt import AuthStatus

    tried: list[str | bytes] = []
    if credentials.password:
        # as the handler's revision says (PDFDocEncoding, SASLprep), else the octets as they were given
        tried = [credentials.password]
        with suppress(UnicodeEncodeError):
            tried.append(credentials.password.encode("utf-8", "surrogateescape"))
    for password in (*tried, b""):
        try:
            status = handler.authenticate(password, identifier).status
        except Exception:  # noqa: BLE001, S112 - no text of that encoding, or keys that do not fit together
            continue
        if status is not AuthStatus.FAILED:
            kind = "owner" if status is AuthStatus.OWNER else "user"
            return f"{'the' if password else 'the empty'} {kind} password", kind == "owner"
    if tried:
        raise EncryptedPDF(
            "the PDF is encrypted, and the password does not open it", hint="give its user or its owner password"
        )
    raise EncryptedPDF(
        "the PDF is encrypted", hint="give its password: --password-file FILE, or the form field `password`"
    )


# -- for certificates ---------------------------------------------------------------------------------


def _public_key(handed: Any, dictionary: Dictionary) -> Any:
    from pyhanko.pdf_utils.crypt import PubKeySecurityHandler

    if dictionary.get("Filter") != "Adobe.PubSec" and dictionary.get("SubFilter") not in PUBLIC_KEY:
        raise SyntaxFault(f"/Filter {dictionary.get('Filter')!r}")
    handler = PubKeySecurityHandler.instantiate_from_pdf_object(handed)
    for crypt_filter in handler.crypt_filter_config.filters():
        if len(getattr(crypt_filter, "recipients", None) or ()) > MAX_RECIPIENTS:
            raise SyntaxFault("too many recipients")
    return handler


def _filters(handler: Any) -> list[Any]:
    """Return the crypt filters for strings, streams and embedded files that have recipients."""
    return [item for item in handler.crypt_filter_config.standard_filters() if hasattr(item, "recipients")]


def _set_seed(crypt_filter: Any, seed: bytes) -> None:
    if not hasattr(crypt_filter, "_recp_key_seed"):
        raise SyntaxFault("the PDF library keeps seeds elsewhere")
    crypt_filter._recp_key_seed = seed  # noqa: SLF001 - its own way to one goes through its own CMS, without SM2 and GOST


def _as_recipient(handler: Any, credentials: Credentials) -> tuple[str, int]:
    """Open with the key of a recipient; return how, and his permissions. Raises EncryptedPDF."""
    if credentials.recipient is None:
        raise EncryptedPDF(
            "the PDF is encrypted for the holders of certificates", hint="give the key of one: --key URI --cert FILE"
        )
    permissions = ALL_PERMISSIONS
    for crypt_filter in _filters(handler):
        try:
            content = _content(crypt_filter.recipients, credentials.recipient)
        except _KeyFault as error:
            fault = error.fault
            raise EncryptedPDF(
                f"the PDF is encrypted for the holders of certificates, and the key given cannot be used: {fault}",
                hint=fault.hint or "give the key and the certificate of a recipient",
            ) from fault
        except Exception as error:
            raise EncryptedPDF(
                "the PDF is encrypted for the holders of certificates, and the key given does not open it",
                hint="give the key and the certificate of a recipient",
            ) from error
        if content is None:
            raise EncryptedPDF(
                "the PDF is encrypted for the holders of other certificates", hint="give the certificate of a recipient"
            )
        _set_seed(crypt_filter, content[:SEED])
        # 7.6.5.2: the permissions follow the seed
        permissions &= int.from_bytes(content[SEED:], "big") if len(content) == SEED + 4 else ALL_PERMISSIONS
    return "the key of a recipient", permissions


class _KeyFault(Exception):
    """What the store of a key says, whatever message it is asked to open."""

    def __init__(self, fault: CertsError) -> None:
        super().__init__()
        self.fault = fault


def _content(objects: list[Any], recipient: Recipient) -> bytes | None:
    """Return the seed, and permissions, from the first object that has the recipient; None where none has."""
    from certs import suites
    from certs.certificate import Certificate
    from certs.enveloped import decrypt_bytes
    from certs.errors import CertsError, DecryptionFailed, MalformedInput, NotARecipient

    given = recipient.private_key
    key: DecryptionKey | None
    try:
        key = suites.load_private(given) if isinstance(given, bytes) else given
    except CertsError:  # keys of suites that are not ours
        key = None
    for item in objects:
        try:
            if key is not None:
                return decrypt_bytes(item.dump(), key, Certificate(recipient.certificate))
        except NotARecipient:
            continue
        except DecryptionFailed:
            raise
        except CertsError as error:  # Triple DES, RC2 and RC4 of old files, keys of suites that only sign here
            if not isinstance(given, bytes) and isinstance(error, MalformedInput):
                raise
            if not isinstance(given, bytes):
                raise _KeyFault(error) from error
        content = _old_content(item, recipient)
        if content is not None:
            return content
    return None


def _old_content(item: Any, recipient: Recipient) -> bytes | None:
    from pyhanko.pdf_utils.crypt.pubkey import read_seed_from_recipient_cms

    seed, permissions = read_seed_from_recipient_cms(item, _decrypter(recipient))
    if seed is None:
        return None
    return seed + (permissions.as_bytes() if permissions is not None else b"")


def _decrypter(recipient: Recipient) -> Any:
    from asn1crypto.keys import PrivateKeyInfo
    from asn1crypto.x509 import Certificate
    from pyhanko.pdf_utils.crypt import SimpleEnvelopeKeyDecrypter

    assert isinstance(recipient.private_key, bytes)
    return SimpleEnvelopeKeyDecrypter(
        cert=Certificate.load(recipient.certificate), private_key=PrivateKeyInfo.load(recipient.private_key)
    )


# -- what came of it ----------------------------------------------------------------------------------


def _decryptor(
    handler: Any, who: str, number: int | None, handed: Any, permissions: int, *, is_owner: bool
) -> Decryptor:
    config = handler.crypt_filter_config
    by_password = handed.get("/Filter") == "/Standard"
    for crypt_filter in config.filters():
        if crypt_filter.method == "/AESV4":
            if not hasattr(crypt_filter, "_get_nonce"):
                raise SyntaxFault("the PDF library makes nonces elsewhere")
            # NIST SP 800-38D 8.2.2: a revision is encrypted by another process under the same key
            crypt_filter._get_nonce = lambda: token_bytes(12)  # noqa: SLF001
    streams = handler.get_stream_filter()
    methods = {streams.method, handler.get_string_filter().method, handler.get_embedded_file_filter().method}
    method = " and ".join(sorted(METHODS[str(name)] for name in methods - {"/None"})) or "no cipher"
    return Decryptor(
        strings=_cipher(handler.get_string_filter()),
        streams=_cipher(streams),
        files=_cipher(handler.get_embedded_file_filter()),
        named={name[1:]: _cipher(config[name]) for name in handed.get("/CF", ())},
        metadata=bool(handler.encrypt_metadata and getattr(streams, "encrypt_metadata", True)),
        dictionary=number,
        method=f"{method}, opened with {who}",
        file_key=handler.get_file_encryption_key() if by_password and handler.version.value <= 5 else None,
        permissions=None if is_owner else permissions,
        needs_mac=handler.version.value >= 5 and not permissions & WITHOUT_MAC,
        handler=handler,
    )


def _cipher(crypt_filter: Any) -> Cipher | None:
    """Return a crypt filter as a function; None for the identity."""
    if crypt_filter.method == "/None":
        return None

    def decrypt(owner: Ref, data: bytes) -> bytes:
        try:
            return bytes(crypt_filter.decrypt(crypt_filter.derive_object_key(*owner), data))
        except Exception as error:
            raise SyntaxFault(f"object {owner.number} cannot be decrypted") from error

    return decrypt


__all__ = ["ALL_PERMISSIONS", "MAX_OCTETS", "SEED", "WITHOUT_MAC", "open_with", "open_with_seed"]
