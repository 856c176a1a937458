"""How a private key in a token decrypts content keys.

    opener = Opener(connection, uri, how, public, find)
    content_key = opener.unwrap(wrapped, 32)              # DecryptionFailed, UnsupportedAlgorithm, KeyStoreError …

RSA goes by CKM_RSA_PKCS_OAEP, with the digests of the message, and by CKM_RSA_PKCS; the curves by CKM_ECDH1_DERIVE with
CKD_NULL, after which KDF and key wrap are computed here; SM2 and GOST by a vendor's mechanism. The private key never
leaves; the shared secret and the content key do, or nothing could be decrypted here.

Modules have no common word for octets that do not decrypt, and the same words for what they cannot do at all. Whoever
sends messages must learn nothing of it, the owner of the token should learn the second. So nothing is concluded from
what a module says of somebody's octets. It is given octets of our own, encrypted in the same way: where these come
back, the message was wrong, whatever it was (DecryptionFailed); where not, the token cannot, and that is said.

With PKCS #1 v1.5 even "wrong" must not be seen (RFC 3218): there our own octets come first, always, and what happens to
the message's gives the right key or a random one. What time the token takes for either is the token's.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs.errors import BackendFault, DecryptionFailed, KeyStoreError, UnsupportedAlgorithm
from certs.keys.pkcs11_mechanisms import CKG_MGF1, CKM_HASHES, How
from certs.keys.pkcs11_token import Connection, is_forbidden, key_type, library, mechanism, says_nothing_of_octets
from certs.keys.pkcs11_uri import TokenURI
from certs.suites import content, transport_ec, transport_gost, transport_rsa, transport_sm
from certs.suites.base import PublicKey, WrappedKey, no_encryption
from certs.suites.transport_rsa import OAEP

if TYPE_CHECKING:
    from certs.suites.gost import GOSTPublicKey

_SAMPLE = 32
"""Octets of a content key of our own."""
_ASK_SENDER = "ask the sender for a message to another key, or encrypted in another way: 'sealroad encrypt --oaep sha1'"


@dataclass(frozen=True)
class _Way:
    """One way to decrypt in the token."""

    words: str
    compute: Callable[[Any, bytes, dict[str, Any]], bytes]
    """Object of the private key, octets, options for C_Decrypt. Raises whatever the library raises."""
    sample: Callable[[], tuple[bytes, bytes]]
    """Returns octets of our own and what must come of them."""
    hint: str = "list what it can: pkcs11-tool --module … -M"


class Opener:
    """Decrypts content keys with one private key in a token."""

    def __init__(
        self,
        connection: Connection,
        uri: TokenURI,
        how: How,
        public: PublicKey,
        find: Callable[[Any], tuple[Any, bool]],
    ) -> None:
        """Prepare; `find` returns the key's object in a session, and whether it wants the PIN each time."""
        self._connection, self._uri, self._how, self._public, self._find = connection, uri, how, public, find

    def unwrap(self, wrapped: WrappedKey, size: int) -> bytes:
        """Return a content key of `size` octets; see `certs.suites.base.PrivateKey.unwrap_key`.

        Raises also KeyNotFound (token pulled), WrongPassword, KeyStoreError (the key must not decrypt), and
        UnsupportedAlgorithm for what the token cannot.
        """
        suite = self._public.suite
        if not suite.recipient_usages:
            raise no_encryption(suite)
        if self._how.decrypt is not None:
            return self._by_vendor(self._how.decrypt, wrapped, size)
        if self._how.public == "rsa":
            return transport_rsa.unwrap_by(self._rsa, wrapped, size)
        if suite.name.startswith("ecdsa"):
            return self._agreed(wrapped, size)
        raise UnsupportedAlgorithm(
            f"PKCS#11 has no standard mechanism that decrypts by {suite.name}",
            hint="name the vendor's in the file of x-config: decrypt = 0x…",
            suite=suite.name,
        )

    # The three ways ---------------------------------------------------------------------------------------------------
    def _rsa(self, octets: bytes, scheme: OAEP | None) -> bytes:
        way = self._rsa_way(scheme)
        if scheme is None or scheme.label:  # a token that overlooks the label opens what it must not
            self._show(way)
        if len(octets) != (int(self._public.parameter) + 7) // 8:
            raise DecryptionFailed
        if scheme is not None:
            return self._shown_if_wrong(way, lambda: self._try(way, octets))
        return self._try(way, octets)

    def _rsa_way(self, scheme: OAEP | None) -> _Way:
        pkcs11 = library()
        how, parameters = pkcs11.Mechanism.RSA_PKCS, None
        if scheme is not None:
            if scheme.digest not in CKM_HASHES or scheme.mask not in CKG_MGF1:
                raise UnsupportedAlgorithm(f"PKCS#11 has no {scheme}", hint=_ASK_SENDER)
            how = pkcs11.Mechanism.RSA_PKCS_OAEP
            parameters = (mechanism(CKM_HASHES[scheme.digest]), pkcs11.MGF(CKG_MGF1[scheme.mask]), scheme.label)

        def compute(key: Any, octets: bytes, options: dict[str, Any]) -> bytes:
            given = {"mechanism": how, "mechanism_param": parameters}
            if hasattr(key, "decrypt"):  # the library gives an object what its attributes allow
                return bytes(key.decrypt(octets, **given, **options))
            return self._unwrapped(key, octets, pkcs11.KeyType.GENERIC_SECRET, given)

        def sample() -> tuple[bytes, bytes]:
            plain = secrets.token_bytes(_SAMPLE)
            return transport_rsa.sample(self._public.spki, plain, scheme), plain

        return _Way("RSA PKCS #1 v1.5" if scheme is None else str(scheme), compute, sample, _ASK_SENDER)

    def _agreed(self, wrapped: WrappedKey, size: int) -> bytes:
        public = serialization.load_der_public_key(self._public.spki)
        assert isinstance(public, ec.EllipticCurvePublicKey)
        curve, octets = public.curve, (public.curve.key_size + 7) // 8

        def compute(key: Any, point: bytes, _options: dict[str, Any]) -> bytes:
            pkcs11 = library()
            if not hasattr(key, "derive_key"):
                raise self._forbidden("derive", "CKA_DERIVE")
            derived = key.derive_key(
                pkcs11.KeyType.GENERIC_SECRET,
                8 * octets,
                store=False,
                mechanism=pkcs11.Mechanism.ECDH1_DERIVE,
                mechanism_param=(pkcs11.KDF.NULL, None, point),
                template=_leaves(),
            )
            # SEC 1, 6.1: x as an octet string as long as the field; some tokens leave zeros in front out
            return _taken(derived).rjust(octets, b"\0")

        def sample() -> tuple[bytes, bytes]:
            ephemeral = ec.generate_private_key(curve)
            return _point(ephemeral.public_key()), ephemeral.exchange(ec.ECDH(), public)

        way = _Way("ECDH with CKD_NULL", compute, sample)
        return self._shown_if_wrong(
            way, lambda: transport_ec.unwrap_by(lambda point: self._try(way, _point(point)), curve, wrapped, size)
        )

    def _by_vendor(self, number: int, wrapped: WrappedKey, size: int) -> bytes:
        how, public = self._how, self._public

        def compute(key: Any, octets: bytes, options: dict[str, Any]) -> bytes:
            given: dict[str, Any] = {"mechanism": mechanism(number)}
            if how.decrypt_by == "unwrap":
                return self._unwrapped(key, octets, key_type(how.unwrapped), given)
            if not hasattr(key, "decrypt"):
                raise self._forbidden("decrypt", "CKA_DECRYPT")
            return bytes(key.decrypt(octets, **given, **options))

        def as_taken(cipher: bytes) -> bytes:
            if how.public == "gost" or how.cipher == "der":
                return cipher
            octets = transport_sm.raw(cipher, how.cipher)
            return octets[1:] if how.bare else octets

        def sample() -> tuple[bytes, bytes]:
            plain = secrets.token_bytes(_SAMPLE)
            cipher = content.default(public.suite.family).name
            return as_taken(public.wrap_key(plain, cipher).encrypted_key), plain

        way = _Way(
            f"mechanism {number:#x} for {public.suite.name}", compute, sample, "check the lines of its x-config file"
        )

        def try_form(form: bytes) -> bytes | None:
            try:
                return self._try(way, as_taken(form))
            except DecryptionFailed:
                return None

        def unwrap() -> bytes:
            if how.public == "gost":
                ours = cast("GOSTPublicKey", public)
                return transport_gost.unwrap_by(lambda octets: self._try(way, octets), ours, wrapped, size)
            return transport_sm.unwrap_by(try_form, wrapped, size)

        return self._shown_if_wrong(way, unwrap)

    # Trying and showing -----------------------------------------------------------------------------------------------
    def _shown_if_wrong(self, way: _Way, unwrap: Callable[[], bytes]) -> bytes:
        """Return what `unwrap` does; where the message is wrong, only once the token has shown that it can."""
        sessions = self._connection.opened
        try:
            return unwrap()
        except DecryptionFailed:
            self._show(way)
            if self._connection.opened == sessions:
                raise
        return unwrap()  # it was the session that was gone

    def _try(self, way: _Way, octets: bytes) -> bytes:
        """Decrypt octets of a message. Raises DecryptionFailed for all that may come of the octets themselves."""

        def act(session: Any) -> bytes | None:
            try:
                return self._computed(session, way, octets)
            except Exception as error:
                if says_nothing_of_octets(error):
                    raise
                return None

        found = self._connection.run(act)
        if found is None:
            raise DecryptionFailed
        return found

    def _show(self, way: _Way) -> None:
        """Have the token decrypt octets of our own. Raises UnsupportedAlgorithm, KeyStoreError, BackendFault.

        One refusal may be about one sample: only two of them say that the token cannot.
        """
        try:
            self._show_once(way)
        except UnsupportedAlgorithm:
            self._show_once(way)

    def _show_once(self, way: _Way) -> None:
        octets, expected = way.sample()
        place = self._uri.place
        try:
            found = self._connection.run(lambda session: self._computed(session, way, octets))
        except (BackendFault, UnsupportedAlgorithm) as error:
            name = type(error.__cause__).__name__
            if is_forbidden(error.__cause__):
                raise self._forbidden("decrypt", "CKA_DECRYPT, CKA_DERIVE") from error
            raise UnsupportedAlgorithm(
                f"the {place} does not decrypt by {way.words} ({name})", hint=way.hint
            ) from error
        if found != expected:
            raise BackendFault(
                f"the {place} decrypts something else than was encrypted to the key's public half",
                hint="the token may have been changed for another, or its configuration (x-config) is wrong",
            )

    def _computed(self, session: Any, way: _Way, octets: bytes) -> bytes:
        key, each_time = self._find(session)
        return way.compute(key, octets, {"pin": self._connection.pin()} if each_time else {})

    def _unwrapped(self, key: Any, octets: bytes, kind: Any, given: dict[str, Any]) -> bytes:
        """Have a key unwrapped in the token, and take it from there: some keys may do that, and not decrypt."""
        if not hasattr(key, "unwrap_key"):
            raise self._forbidden("decrypt or unwrap", "CKA_DECRYPT, CKA_UNWRAP")
        secret = library().ObjectClass.SECRET_KEY
        return _taken(key.unwrap_key(secret, kind, octets, store=False, template=_leaves(), **given))

    def _forbidden(self, verb: str, attribute: str) -> KeyStoreError:
        return KeyStoreError(
            f"the {self._uri.name} in the {self._uri.place} must not {verb} ({attribute})",
            hint="make a key for it: sealroad key generate --decrypts",
        )


def _leaves() -> dict[Any, Any]:
    """Return the attributes of a secret of one message, which is to leave the token and is not kept there."""
    attribute = library().Attribute
    return {attribute.SENSITIVE: False, attribute.EXTRACTABLE: True, attribute.TOKEN: False}


def _taken(item: Any) -> bytes:
    """Return the octets of such a secret, and destroy it."""
    try:
        return bytes(item[library().Attribute.VALUE])
    finally:
        item.destroy()


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a point as every token takes it: with both coordinates, bare (PKCS#11 v3.1, 6.3.10)."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
