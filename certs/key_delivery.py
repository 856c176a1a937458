"""Hands a private key over: from the authority that made it to the holder of another key.

    check_deliverable(public_key)                      # UnsupportedAlgorithm, with the reason, for suites that only sign
    delivery = deliver(key, public_key)                # for whoever has the private half of public_key
    key = accept(delivery, signing_key, certificate)   # the key that the certificate certifies, or an error

SM2 keys go as SM2EnvelopedKey (GM/T 0009-2012 7.4), all others as PrivateKeyInfo in CMS EnvelopedData or
AuthEnvelopedData, whose recipient is named by key identifier. Both may stand in PEM. Read besides, for SM2: GB/T 35275
envelopedData and signedAndEnvelopedData with the bare number inside.

That a signing key decrypts once, what its own authority made for it, is what GM/T 0009 and GM/T 0014 ask for. The keys of
other suites may do both by their standards: RSA by RFC 3279 2.3.1, keys on NIST and brainpool curves by RFC 8813 3, GOST by
RFC 9215 3. Their certificates for signing still say so, and nobody encrypts anything else to them.
"""

from __future__ import annotations

from certs import enveloped
from certs.certificate import Certificate
from certs.errors import BadKey, DecryptionFailed, MalformedInput, UnsupportedAlgorithm
from certs.keys.base import DecryptionKey, KeyHandle
from certs.pem import armor, pem_blocks
from certs.suites.base import PrivateKey, PublicKey

CMS, ENVELOPED_KEY = "CMS", "SM2 ENVELOPED KEY"
LABELS = (CMS, ENVELOPED_KEY, "PKCS7")
MAX_SIZE = 1 << 17
"""Octets of a delivery; an RSA key of 16384 bits has about 9 000."""

_ONLY_SIGN = {
    "rsa-pss": "a key for RSASSA-PSS must do nothing else (RFC 4055 1.2); take suite rsa",
    "ed25519": "Ed25519 only signs (RFC 8410 3)",
    "ed448": "Ed448 only signs (RFC 8410 3)",
    "ml-dsa-44": "ML-DSA only signs (FIPS 204)",
    "ml-dsa-65": "ML-DSA only signs (FIPS 204)",
    "ml-dsa-87": "ML-DSA only signs (FIPS 204)",
}


def check_deliverable(to: PublicKey) -> None:
    """Raise UnsupportedAlgorithm where nothing can be handed over to the holder of `to`, or BackendUnavailable."""
    reason = _ONLY_SIGN.get(to.suite.name)
    if reason is not None:
        raise UnsupportedAlgorithm(
            f"no encryption key can be delivered to a key of {to.suite.name}: {reason}",
            hint="let the holder make the key, and certify it with 'sealroad ca issue --profile encryption'",
            suite=to.suite.name,
        )
    to.suite.encryption_library()


def deliver(key: PrivateKey, to: PublicKey) -> bytes:
    """Return `key`, DER, for whoever has the private half of `to`, a key of the same suite.

    Raises UnsupportedAlgorithm, BackendUnavailable.
    """
    check_deliverable(to)
    if key.suite.name != to.suite.name:
        raise UnsupportedAlgorithm("a key pair for encryption is of the suite of the signing key", suite=to.suite.name)
    return key.suite.envelop(key, to) or enveloped.encrypt_to_key(key.pkcs8(), to)


def to_pem(delivery: bytes, suite: str) -> str:
    """Return a delivery as PEM. RFC 7468 9 names CMS; the other label is ours, as there is none."""
    return armor(ENVELOPED_KEY if suite == "sm2" else CMS, delivery)


def accept(delivery: bytes, key: KeyHandle, certificate: Certificate) -> PrivateKey:
    """Return the private key in a delivery (DER or PEM), which must be the one that `certificate` certifies.

    `key` is the one it was delivered to. Raises UnsupportedAlgorithm (a key that cannot decrypt), NotARecipient,
    DecryptionFailed, MalformedInput, BadKey (another key than the certificate's), BackendUnavailable.
    """
    if not isinstance(key, DecryptionKey):
        raise UnsupportedAlgorithm("this key signs only; it cannot decrypt", hint="give a key in a file")
    public = certificate.public_key()
    encoded = _only(delivery)
    opened = public.suite.open_enveloped(encoded, key.unwrap_key)
    if opened is None:
        opened = _loaded(enveloped.decrypt_bytes(encoded, key), public)
    if opened.public_key.spki != public.suite.usual_spki(public.spki):
        raise BadKey(
            f"the key that was delivered is not the one of {certificate.subject}, {certificate.serial_hex}",
            hint="delivery and certificate belong to different pairs, or somebody changed one of them",
        )
    return opened


def _loaded(octets: bytes, public: PublicKey) -> PrivateKey:
    """Return the key in decrypted octets; what is no key at all may also be a wrong content key's (SM4-CBC)."""
    try:
        return public.suite.load_delivered(octets)
    except (BadKey, MalformedInput):
        raise DecryptionFailed from None


def _only(delivery: bytes) -> bytes:
    if len(delivery) > MAX_SIZE:
        raise MalformedInput("too large for the delivery of a key")
    blocks = [encoded for label, encoded in pem_blocks(delivery) if label in LABELS]
    if len(blocks) > 1 or (not blocks and b"-----BEGIN" in delivery):
        raise MalformedInput("one key is delivered at a time, and one must be there")
    return blocks[0] if blocks else delivery
