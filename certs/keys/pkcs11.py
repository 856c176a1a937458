"""Keys in tokens and HSMs behind a PKCS#11 module.

    key = open_key("pkcs11:token=ca;object=issuing?module-path=/usr/lib/softhsm/libsofthsm2.so", secrets)
    key.sign(b"octets to sign")                       # computed in the token, verified here before it leaves
    key.unwrap_key(wrapped, 32)                       # certs.keys.pkcs11_opening

    key = generate("pkcs11:token=ca;object=seller", "ecdsa-p256", secrets)
    key = generate("pkcs11:token=ca;object=mail", "ecdsa-p256", secrets, decrypts=True)
    destroy("pkcs11:token=ca;object=seller", secrets)

RSA, ECDSA and EdDSA go by the standard's mechanisms, SM2 and GOST by a vendor's (see `certs.keys.pkcs11_mechanisms`).
The public key comes from the token's public key object, else from a certificate beside the key, else from the RSA key
itself. Every value is verified before it leaves: a token that was swapped, or described wrongly, gives an error.
"""

from __future__ import annotations

import os
from typing import Any

from certs import suites
from certs.certificate import Certificate
from certs.errors import (
    BackendFault,
    BadKey,
    CertsError,
    KeyNotFound,
    KeyStoreError,
    MalformedInput,
    UnsupportedAlgorithm,
)
from certs.keys import pkcs11_mechanisms as table
from certs.keys.base import Secrets
from certs.keys.pkcs11_mechanisms import How
from certs.keys.pkcs11_opening import Opener
from certs.keys.pkcs11_token import Connection, connect, key_type, library, mechanism
from certs.keys.pkcs11_uri import TokenURI, parse
from certs.suites.base import PublicKey, Suite, WrappedKey

_PROBE = b"sealroad: does the key in the token sign?"


class TokenKey:
    """A private key in a token. Satisfies DecryptionKey; may be used by several threads."""

    def __init__(self, uri: TokenURI, connection: Connection, how: How, public_key: PublicKey) -> None:
        self.uri = uri
        self._connection, self._how, self._public = connection, how, public_key
        self._handle: tuple[int, tuple[Any, bool]] | None = None
        self._chosen: How | None = None
        self._opener = Opener(connection, uri, how, public_key, self._object)

    def __repr__(self) -> str:
        return f"<TokenKey {self._public.suite.name}: {self.uri.name}, {self.uri.place}>"

    @property
    def suite(self) -> Suite:
        """The suite of the key."""
        return self._public.suite

    @property
    def public_key(self) -> PublicKey:
        """The public half, as the token had it when the key was opened."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Sign in the token. Raises KeyNotFound (token pulled), WrongPassword, KeyStoreError, BackendFault."""
        how = self._choose()
        data = how.prepare(self._public, message)

        def act(session: Any) -> bytes:
            key, each_time = self._object(session)
            options: dict[str, Any] = {"mechanism": mechanism(how.sign)}
            if how.parameters is not None:
                pkcs11 = library()
                digest, mask, salt = how.parameters
                options["mechanism_param"] = (mechanism(digest), pkcs11.MGF(mask), salt)
            if each_time:
                options["pin"] = self._connection.pin()  # such a key wants the PIN for each signature
            return bytes(key.sign(data, **options))

        value = how.finish(self._connection.run(act))
        try:
            self._public.verify(value, message)
        except CertsError as error:
            raise BackendFault(
                f"the signature made by the {self.uri.place} does not verify with the key's public half",
                hint="the token may have been changed for another, or its configuration (x-config) is wrong",
            ) from error
        return value

    def unwrap_key(self, wrapped: WrappedKey, size: int) -> bytes:
        """Decrypt a content key in the token; see `certs.keys.pkcs11_opening.Opener.unwrap`."""
        return self._opener.unwrap(wrapped, size)

    def _choose(self) -> How:
        if self._chosen is None:
            how = self._how
            if how.instead is not None and how.sign not in self._connection.mechanisms():
                how = how.instead
            self._chosen = how
        return self._chosen

    def _object(self, session: Any) -> tuple[Any, bool]:
        """Return the object in this session, and whether it wants the PIN for each signature."""
        if self._handle is None or self._handle[0] != self._connection.opened:
            key = _private(session, self.uri)
            self._handle = (self._connection.opened, (key, _flag(key, "ALWAYS_AUTHENTICATE")))
        return self._handle[1]


def open_uri(rest: str, secrets: Secrets) -> TokenKey:
    """Open "pkcs11:…"; raises KeyNotFound, WrongPassword, KeyStoreError, UnsupportedAlgorithm, BackendFault."""
    uri = parse(rest)
    if uri.object is None and uri.id is None:
        raise KeyNotFound("the PKCS#11 URI names no key", hint="add object=LABEL or id=%01")
    vendor = table.read_config(uri.config_file) if uri.config_file else {}
    connection = connect(uri, secrets)
    spki = connection.run(lambda session: _public_key(session, uri, vendor))
    public = suites.get(uri.suite).load_public(spki) if uri.suite else suites.load_public(spki)
    return TokenKey(uri, connection, table.for_suite(public.suite.name, uri.config_file), public)


def generate(
    rest: str, suite_name: str, secrets: Secrets, *, parameter: str | None = None, decrypts: bool = False
) -> TokenKey:
    """Make a key pair in the token, never to leave it; an object of that name must not be there yet.

    It signs, if only the request for its certificate; with `decrypts` it is allowed to decrypt, or to agree, as well.
    Raises UnsupportedAlgorithm where the token cannot, KeyStoreError where the name is taken, and what `open_uri`
    raises.
    """
    uri = parse(rest)
    suite = suites.get(suite_name)
    how = table.for_suite(suite_name, uri.config_file)
    if how.generate is None:
        raise UnsupportedAlgorithm(f"no mechanism is given that makes keys of {suite_name}", suite=suite_name)
    if parameter is not None and parameter not in suite.parameters:
        raise UnsupportedAlgorithm(f"{suite_name} has no parameter {parameter!r}")
    if uri.object is None:
        raise KeyNotFound("a new key needs a name", hint="add object=LABEL to the URI")
    if suite_name == "rsa-pss":
        uri = uri.with_suite(suite_name)
    connection = connect(uri, secrets)
    if connection.run(lambda session: list(find(session, uri, "PRIVATE_KEY"))):
        raise KeyStoreError(f"the {uri.place} has a {uri.name} already", hint="choose another name")
    identifier = uri.id or os.urandom(16)
    label = uri.object
    named = uri.with_key(label, identifier)
    connection.run(
        lambda session: _make(session, how, suite, parameter, str(label), identifier, decrypts=decrypts),
        again=False,
    )
    try:
        key = open_uri(str(named), secrets)
        key.sign(_PROBE)
    except CertsError:
        destroy(str(named), secrets)
        raise
    return key


def _make(
    session: Any,
    how: How,
    suite: Suite,
    parameter: str | None,
    label: str,
    identifier: bytes,
    *,
    decrypts: bool,
) -> None:
    pkcs11 = library()
    attribute = pkcs11.Attribute
    chosen = parameter or suite.parameters[0]
    public: dict[Any, Any] = {attribute.VERIFY: True}
    private: dict[Any, Any] = {
        attribute.SIGN: True,
        attribute.SENSITIVE: True,
        attribute.EXTRACTABLE: False,
        attribute.PRIVATE: True,
    }
    # what is not among the capabilities is forbidden by the library's templates
    capabilities = pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY
    if decrypts:
        capabilities |= getattr(pkcs11.MechanismFlag, how.decrypting)
    options: dict[str, Any] = {
        "id": identifier,
        "label": label,
        "store": True,
        "capabilities": capabilities,
        "mechanism": mechanism(how.generate or 0),
    }
    kind = key_type(how.key_type)
    if how.public == "rsa":
        session.generate_keypair(kind, int(chosen), public_template=public, private_template=private, **options)
        return
    parameters, name = _domain(how, suite, chosen)
    attributes = {getattr(attribute, name): parameters}
    if how.public == "gost":
        attributes[attribute.GOSTR3411_PARAMS] = _streebog(suite)
    session.create_domain_parameters(kind, attributes, local=True).generate_keypair(
        public_template=public, private_template=private | (attributes if how.public == "gost" else {}), **options
    )


def _domain(how: How, suite: Suite, parameter: str) -> tuple[bytes, str]:
    """Return the curve as the token wants it, and the attribute's name."""
    from certs import der, oids

    if how.public == "edwards":
        return der.oid(table.EDWARDS_CURVES[suite.name][0]), "EC_PARAMS"
    if how.public == "gost":
        from certs.suites.gost_parameters import BY_NAME

        algorithm = BY_NAME[parameter].key_algorithm()
        return der.Reader(algorithm.parameters or b"").enter().raw(der.OBJECT_IDENTIFIER), "GOSTR3410_PARAMS"
    curves = {"sm2": oids.SM2, "ecdsa-p256": oids.P256, "ecdsa-p384": oids.P384, "ecdsa-p521": oids.P521}
    curves |= {"ecdsa-bp256": oids.BP256, "ecdsa-bp384": oids.BP384, "ecdsa-bp512": oids.BP512}
    return der.oid(curves[suite.name]), "EC_PARAMS"


def _streebog(suite: Suite) -> bytes:
    from certs import der

    return der.oid(suites.digest_oid(suite.digest_name))


def destroy(rest: str, secrets: Secrets) -> tuple[PublicKey | None, int]:
    """Destroy the private key and the public key beside it; return the public half and how many objects went.

    Raises KeyNotFound where there is no such key, and what `Connection.run` raises.
    """
    uri = parse(rest)
    connection = connect(uri, secrets)
    vendor = table.read_config(uri.config_file) if uri.config_file else {}

    def act(session: Any) -> tuple[PublicKey | None, int]:
        private = _private(session, uri)
        identifier, label = private[library().Attribute.ID], private[library().Attribute.LABEL]
        try:
            spki = _public_key(session, uri, vendor)
            public: PublicKey | None = suites.load_public(spki)
        except CertsError:
            public = None
        private.destroy()
        count = 1
        if identifier:
            for item in find(session, uri.with_key(label or None, identifier), "PUBLIC_KEY"):
                item.destroy()
                count += 1
        return public, count

    result = connection.run(act, again=False)
    if connection.run(lambda session: list(find(session, uri, "PRIVATE_KEY"))):
        raise KeyStoreError(f"the {uri.place} still has the {uri.name} after it was destroyed")
    return result


def keys(rest: str, secrets: Secrets) -> list[TokenURI]:
    """Return the URIs of all private keys in the token."""
    uri = parse(rest)
    attribute = library().Attribute

    def act(session: Any) -> list[TokenURI]:
        found = find(session, uri.with_key(None, None), "PRIVATE_KEY")
        return [uri.with_key(item[attribute.LABEL] or None, item[attribute.ID] or None) for item in found]

    return connect(uri, secrets).run(act)


# Objects -------------------------------------------------------------------------------------------------------------
def find(session: Any, uri: TokenURI, kind: str) -> Any:
    """Return the objects of class `kind` ("PRIVATE_KEY", "SECRET_KEY", …) that the URI names."""
    pkcs11 = library()
    wanted: dict[Any, Any] = {pkcs11.Attribute.CLASS: getattr(pkcs11.ObjectClass, kind)}
    if uri.object is not None:
        wanted[pkcs11.Attribute.LABEL] = uri.object
    if uri.id is not None:
        wanted[pkcs11.Attribute.ID] = uri.id
    return list(session.get_objects(wanted))


def _private(session: Any, uri: TokenURI) -> Any:
    found = find(session, uri, "PRIVATE_KEY")
    if not found:
        raise KeyNotFound(f"the {uri.place} has no {uri.name}", hint="'pkcs11-tool --module … -O' lists what it has")
    if len(found) > 1:
        raise KeyStoreError(f"the {uri.place} has several of {uri.name}", hint="name one by id=%…")
    return found[0]


def _public_key(session: Any, uri: TokenURI, vendor: dict[str, How]) -> bytes:
    """Return the SPKI of a key, from whatever the token has beside it."""
    attribute = library().Attribute
    private = _private(session, uri)
    identifier = private[attribute.ID]
    beside = uri.with_key(None, identifier) if identifier else uri.with_key(uri.object)
    number = int(private[attribute.KEY_TYPE])
    try:
        found = find(session, beside, "PUBLIC_KEY")
        label = private[attribute.LABEL]
        # identifiers are not unique by themselves: the object of the same name and type comes first
        found.sort(key=lambda item: (int(item[attribute.KEY_TYPE]) != number, item[attribute.LABEL] != label))
        for item in found:
            return _spki_of(item, number, uri, vendor)
        for item in find(session, beside, "CERTIFICATE"):
            return Certificate(bytes(item[attribute.VALUE])).spki
        if number == table.CKK_RSA:
            return _spki_of(private, number, uri, vendor)
    except (BadKey, MalformedInput) as error:
        raise BackendFault(f"the {uri.place} gives a public key that is none: {error}") from error
    raise KeyNotFound(
        f"the {uri.place} has no public key or certificate beside the {uri.name}",
        hint="put one there: pkcs11-tool --write-object, with the key's --id",
    )


def _spki_of(item: Any, number: int, uri: TokenURI, vendor: dict[str, How]) -> bytes:
    attribute = library().Attribute
    if number == table.CKK_RSA:
        suite = uri.suite or "rsa"
        return table.rsa_spki(suite, bytes(item[attribute.MODULUS]), bytes(item[attribute.PUBLIC_EXPONENT]))
    if number == table.CKK_EC_EDWARDS:
        name = table.edwards_suite(bytes(item[attribute.EC_PARAMS]))
        if name is None:
            raise UnsupportedAlgorithm(f"the {uri.name} is on an Edwards curve that is not one we compute")
        return table.edwards_spki(name, bytes(item[attribute.EC_POINT]))
    rows = [how for how in vendor.values() if how.key_type == number]
    if any(how.public == "gost" for how in rows):
        return _gost(item, rows)
    if number == table.CKK_EC or rows:
        return table.ec_spki(bytes(item[attribute.EC_PARAMS]), bytes(item[attribute.EC_POINT]))
    raise UnsupportedAlgorithm(
        f"the {uri.name} is of a type that PKCS#11 leaves to vendors ({number:#x})",
        hint="describe it in a file and name it: &x-config=/path/of/token.toml",
    )


def _gost(item: Any, rows: list[How]) -> bytes:
    attribute = library().Attribute
    value, parameters = bytes(item[attribute.VALUE]), bytes(item[attribute.GOSTR3410_PARAMS])
    for how in rows:
        size = suites.get(how.suite).max_signature_size
        if len(value) - size in (0, 2, 3):  # bare, or in an OCTET STRING
            return table.gost_spki(how.suite, value, parameters)
    raise MalformedInput("a GOST point of a wrong length")


def _flag(item: Any, name: str) -> bool:
    """Return a boolean attribute; False where the token does not know it."""
    pkcs11 = library()
    try:
        return bool(item[getattr(pkcs11.Attribute, name)])
    except (pkcs11.AttributeTypeInvalid, pkcs11.AttributeSensitive):
        return False
