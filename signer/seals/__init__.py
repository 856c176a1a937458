"""Electronic seals of the Chinese standards: GM/T 0031-2014, GB/T 38540-2020 and GM/T 0031-2025.

    seal = read_seal(data)                          # what a seal says; nothing is verified
    signed = read_seal_signature(data)              # what was sealed, by whom, with which seal

    seal = make.make_seal(spec, maker_key, maker_certificate)             # signer.seals.make
    signed = sign.sign_with_seal(seal, key, certificate, …)               # signer.seals.sign
    check.verify_value(certificate, oid, value, message)                  # signer.seals.check

A seal is a picture and a list of certificates, signed by a seal maker. A seal signature is a seal, a digest and a time,
signed by the key of a certificate in that list. Octets are kept as they came: what was signed is verified as received.
"""

from __future__ import annotations

from signer.seals.model import (
    CertificateDigest,
    Seal,
    SealExtension,
    SealPicture,
    SealSignature,
    SealVersion,
)
from signer.seals.reading import read_seal, read_seal_signature

__all__ = [
    "CertificateDigest",
    "Seal",
    "SealExtension",
    "SealPicture",
    "SealSignature",
    "SealVersion",
    "read_seal",
    "read_seal_signature",
]
