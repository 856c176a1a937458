"""The bodies of `sealroad encrypt --pdf`, and of `sealroad decrypt` for an encrypted PDF."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from certs.certificate import Certificate
from certs.commands.console import read_input
from certs.keys.base import KeyHandle, decrypting
from signer.cli_opening import recipient_of
from signer.encryption.pdf import CIPHERS, DecryptedPDF, decrypt_pdf, encrypt_pdf
from signer.errors import OptionError
from signer.pdf.encryption import Credentials

PDF = b"%PDF"


def encrypt(args: argparse.Namespace, recipients: Sequence[Certificate]) -> tuple[bytes, str]:
    """Return the PDF encrypted, and the name of the cipher."""
    cipher = args.cipher[0] if args.cipher else CIPHERS[0]
    return encrypt_pdf(read_input(args.source), recipients, cipher=cipher, oaep=args.oaep), cipher


def check_options(args: argparse.Namespace) -> None:
    """Raise OptionError for what has no meaning with --pdf."""
    if args.sign_key or args.cert or args.name:
        raise OptionError(
            "an encrypted PDF has no envelope to sign", hint="sign it afterwards with 'sealroad sign --open-key URI'"
        )
    if len(args.cipher) > 1 or any(name not in CIPHERS for name in args.cipher):
        raise OptionError("a PDF has one cipher of its own", hint="--cipher " + " or ".join(CIPHERS))


def decrypt(args: argparse.Namespace, data: bytes, key: KeyHandle, certificate: Certificate | None) -> DecryptedPDF:
    """Return a PDF in the clear."""
    if args.trust or args.sender:
        raise OptionError(
            "decrypting a PDF asks nobody who wrote it", hint="verify its signatures with 'sealroad verify --key URI'"
        )
    ours = decrypting(key)
    if certificate is None:
        raise OptionError("there is no certificate beside the key", hint="give it with --cert FILE")
    return decrypt_pdf(data, Credentials(recipient=recipient_of(certificate, ours)))


__all__ = ["PDF", "check_options", "decrypt", "encrypt"]
