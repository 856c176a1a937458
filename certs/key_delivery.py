"""Hands a private key over: from the authority that made it to the holder of another key.

    check_deliverable(public_key)                      # UnsupportedAlgorithm, and why, for suites that only sign
    delivery = deliver(key, public_key)                # for whoever has the private half of public_key
    key = accept(delivery, signing_key, certificate)   # the key that the certificate certifies, or an error

Once it was delivered, a key is worth no more than the one it was delivered to: ML-KEM under RSA does not outlive RSA.

SM2 keys go as SM2EnvelopedKey (GM/T 0009-2012 7.4), all others as PrivateKeyInfo in CMS EnvelopedData or
AuthEnvelopedData, whose recipient is named by key identifier. Both may stand in PEM. Read besides, for SM2: GB/T 35275
envelopedData and signedAndEnvelopedData with the bare number inside.

That a signing key decrypts once, what its own authority made for it, is how GM/T 0009 delivers. Keys of other suites
may do both by their standards: RSA by RFC 3279 2.3.1, keys on NIST and brainpool curves by RFC 8813 3, GOST by RFC 9215
3. Their certificates are for signing all the same, and nobody encrypts anything else to them.
"""

from __future__ import annotations

from certs import enveloped
from certs.certificate import Certificate
from certs.errors import BadKey, DecryptionFailed, MalformedInput, UnsupportedAlgorithm
from certs.keys.base import KeyHandle, decrypting
from certs.pem import armor, pem_blocks
from certs.suites.base import Family, PrivateKey, PublicKey, Suite

LABELS = ("CMS", "PKCS7", "SM2 ENVELOPED KEY")
MAX_SIZE = 1 << 17
"""Octets of a delivery; an RSA key of 16384 bits has about 9 000."""


def check_deliverable(to: PublicKey) -> None:
    """Raise UnsupportedAlgorithm where nothing can be handed over to the holder of `to`, or BackendUnavailable."""
    try:
        to.suite.encryption_library()
    except UnsupportedAlgorithm as error:
        raise UnsupportedAlgorithm(
            f"a key for encryption cannot be delivered: {error}",
            hint="let the holder make a key for encryption, and sign the request for it: 'key request --by-key'",
            suite=to.suite.name,
        ) from error


def check_pair(suite: Suite, to: PublicKey) -> None:
    """Raise what `check_deliverable` does, and UnsupportedAlgorithm where a key of `suite` does not go with `to`."""
    check_deliverable(to)
    if suite.name != to.suite.name and not (suite.encrypts_only and suite.family is to.suite.family):
        raise UnsupportedAlgorithm(
            f"the key for encryption beside one of {to.suite.name} is of the same suite, or only encrypts",
            hint=f"keys that only encrypt are of the {Family.INTERNATIONAL} suites",
            suite=to.suite.name,
        )


def deliver(key: PrivateKey, to: PublicKey) -> bytes:
    """Return `key`, DER, for whoever has the private half of `to`: a key of the same suite, or one that only encrypts.

    Raises UnsupportedAlgorithm, BackendUnavailable.
    """
    check_pair(key.suite, to)
    return key.suite.envelop(key, to) or enveloped.encrypt_to_key(key.pkcs8(), to)


def to_pem(delivery: bytes, to: PublicKey) -> str:
    """Return a delivery to the holder of `to` as PEM."""
    return armor(to.suite.enveloped_label, delivery)


def accept(delivery: bytes, key: KeyHandle, certificate: Certificate) -> PrivateKey:
    """Return the private key in a delivery (DER or PEM), which must be the one that `certificate` certifies.

    `key` is the one it was delivered to. Raises UnsupportedAlgorithm (a key that cannot decrypt), NotARecipient,
    DecryptionFailed, MalformedInput, BadKey (another key than the certificate's), BackendUnavailable.
    """
    ours = decrypting(key)
    public = certificate.public_key()
    encoded = _only(delivery)
    opened = public.suite.open_enveloped(encoded, ours.unwrap_key)
    if opened is None:
        opened = _loaded(enveloped.decrypt_bytes(encoded, ours), public)
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
