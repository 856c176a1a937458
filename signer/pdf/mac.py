"""The MAC over an encrypted PDF (ISO/TS 32004): what makes changes by somebody without the file key noticed.

    token = make_token(decryptor, digest)                    # over SHA-256 of /ByteRange
    token = make_token(decryptor, digest, value)             # and of the value of the signature that carries it
    problem = mac_problem(view, decryptor)                   # "" where it holds, None where there is and must be none

The tokens, AuthenticatedData under a key derived from the file key and /KDFSalt, are pyHanko's work. Where it stands
and what it covers is read here: a MAC counts only over the whole file.
"""

from __future__ import annotations

from typing import Any

from certs import oids, suites
from certs.errors import CertsError
from certs.signed_data import parse_signed_data
from signer.pdf.encryption import Decryptor
from signer.pdf.structure import View
from signer.pdf.tokens import Dictionary, SyntaxFault

DIGEST = "sha256"


def has_mac(decryptor: Decryptor) -> bool:
    """Tell whether whoever writes a revision must put a MAC over it."""
    return bool(decryptor.handler.pdf_mac_enabled)


def token_size(decryptor: Decryptor) -> int:
    """Return the octets of a standalone token; one for a signature has 34 more."""
    return int(_handler(decryptor).determine_token_size(include_signature_digest=False))


def make_token(decryptor: Decryptor, digest: bytes, signature: bytes | None = None) -> bytes:
    """Return the token over a document's SHA-256, DER; `signature` is the value it travels with."""
    value = None if signature is None else suites.digest(DIGEST, signature)
    token = _handler(decryptor).build_pdfmac_token(document_digest=digest, signature_digest=value)
    return bytes(token.dump())


def _handler(decryptor: Decryptor) -> Any:
    from pyhanko.pdf_utils.crypt.pdfmac import PdfMacTokenHandler

    handler = decryptor.handler
    return PdfMacTokenHandler.from_key_mat(handler.get_file_encryption_key(), handler.get_kdf_salt(), DIGEST)


# Checking ------------------------------------------------------------------------------------------------------------
def mac_problem(view: View, decryptor: Decryptor) -> str | None:
    """Return why the MAC over the whole file does not hold: "" where it does, None where there is and must be none."""
    code = view.trailer.get("AuthCode")
    if code is None:
        return "it is missing" if has_mac(decryptor) or decryptor.needs_mac else None
    if not isinstance(code, Dictionary):
        return "/AuthCode is not a dictionary"
    if not has_mac(decryptor):
        return "the encryption dictionary says nothing of one"
    try:
        return _checked(view, decryptor, code)
    except (SyntaxFault, CertsError) as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - a token that is none: whatever reading it raises
        return f"its token cannot be read ({type(error).__name__})"


def _checked(view: View, decryptor: Decryptor, code: Dictionary) -> str:
    from asn1crypto.cms import ContentInfo
    from pyhanko.pdf_utils.crypt.pdfmac import PdfMacTokenHandler, PdfMacValidationError

    holder, key = code, "MAC"
    if code.get("MACLocation") == "AttachedToSig":
        found = view.get(code, "SigObjRef")
        if not isinstance(found, Dictionary):
            raise SyntaxFault("/SigObjRef leads to no signature")
        holder, key = found, "Contents"
    elif code.get("MACLocation") != "Standalone":
        raise SyntaxFault("it is in no place that is known")
    value, data = holder.get(key), view.pdf.data
    if not isinstance(value, bytes):
        raise SyntaxFault(f"/{key} is not a string")
    start, end = holder.spans[key]
    if holder.get("ByteRange") != [0, start, end, len(data) - end]:
        raise SyntaxFault("it does not cover the whole file")
    signature = None
    if key == "Contents":
        signer = parse_signed_data(value).signers[0]
        tokens = signer.unsigned_values(oids.PDF_MAC)
        if len(tokens) != 1:
            raise SyntaxFault("the signature does not carry one token")
        value, signature = tokens[0], signer.signature
    token = ContentInfo.load(value)
    if token["content_type"].native != "authenticated_data":
        raise SyntaxFault("its token is of another type")
    handler, content = decryptor.handler, token["content"]
    name = content["digest_algorithm"]["algorithm"].native
    running = suites.new_digest(name)
    running.update(memoryview(data)[:start])
    running.update(memoryview(data)[end:])
    try:
        PdfMacTokenHandler.for_validation(
            handler.get_file_encryption_key(), handler.get_kdf_salt(), content
        ).validate_pdfmac_token_cms(
            auth_data=content,
            document_digest=running.digest(),
            signature_digest=None if signature is None else suites.digest(name, signature),
        )
    except PdfMacValidationError as error:
        raise SyntaxFault(f"it does not fit the file ({error.failure_message.rstrip('.')})") from error
    return ""


__all__ = ["DIGEST", "has_mac", "mac_problem", "make_token", "token_size"]
