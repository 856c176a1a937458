"""SoftHSM2 tokens for tests, and a stand-in for modules that we have not (SM2 and GOST by vendors' mechanisms)."""

from __future__ import annotations

import os
import secrets
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from certs import der, suites
from certs.errors import DecryptionFailed
from certs.keys import pkcs11_token
from tests.conftest import own_directory

SOFTHSM = next(
    (
        path
        for path in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
        if Path(path).is_file()
    ),
    "/usr/lib/softhsm/libsofthsm2.so",
)
PIN = b"5678"
TOKEN_SUITES = (
    *("rsa", "rsa-pss", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ecdsa-bp256", "ecdsa-bp384", "ecdsa-bp512"),
    *("ed25519", "ed448"),
)
"""What SoftHSM2 2.6.1 of Debian signs in."""


def ask_pin(_name: str) -> bytes:
    return PIN


@cache
def softhsm() -> str:
    """Make a place for tokens of this process; return the module. Skips where SoftHSM2 is missing, fails in CI."""
    if not Path(SOFTHSM).is_file():
        reason = "SoftHSM2 is missing; apt install softhsm2"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    place = own_directory("sealroad-softhsm-")
    (place / "tokens").mkdir()
    configuration = place / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {place}/tokens\nobjectstore.backend = file\n"
        "log.level = ERROR\nslots.removable = false\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    for _ in range(40):  # one per test that may run here; before the module is loaded, which then sees no new ones
        name = f"t{secrets.token_hex(6)}"
        command = (
            "softhsm2-util",
            "--init-token",
            "--free",
            "--label",
            name,
            "--so-pin",
            "1234",
            "--pin",
            PIN.decode(),
        )
        subprocess.run(command, check=True, capture_output=True)
        _POOL.append(name)
    return SOFTHSM


_POOL: list[str] = []


def new_token() -> str:
    """Return the URI of an empty token, without a key and without a PIN."""
    module = softhsm()
    return f"pkcs11:token={_POOL.pop()}?module-path={module}"


def with_object(uri: str, label: str, more: str = "") -> str:
    path, _, query = uri.partition("?")
    return f"{path};object={label}?{query}{more}"


# A module of Python ------------------------------------------------------------------------------------------------
@dataclass(eq=False)
class FakeObject:
    """One object in the stand-in; its private key is one of ours."""

    session: FakeSession
    values: dict[int, Any]
    key: Any = None

    def __getitem__(self, name: int) -> Any:
        if int(name) not in self.values:
            raise self.session.token.module.error("AttributeTypeInvalid")
        return self.values[int(name)]

    def destroy(self) -> None:
        self.session.token.objects.remove(self)

    def sign(self, data: bytes, *, mechanism: int, mechanism_param: object = None, pin: str | None = None) -> bytes:
        token = self.session.token
        token.before_call()
        token.asked.append((int(mechanism), data, pin))
        return token.signer(self.key, data)

    def decrypt(self, data: bytes, *, mechanism: int, pin: str | None = None) -> bytes:
        token = self.session.token
        token.before_call()
        token.asked.append((int(mechanism), data, pin))
        try:
            return token.decrypter(self.key, data)
        except DecryptionFailed:
            raise token.module.error("GeneralError") from None

    def unwrap_key(self, object_class, key_type, data: bytes, *, mechanism, template, store) -> FakeObject:
        import pkcs11

        assert object_class is pkcs11.ObjectClass.SECRET_KEY
        assert store is False
        assert template[pkcs11.Attribute.EXTRACTABLE]
        made = FakeObject(self.session, {int(pkcs11.Attribute.VALUE): self.decrypt(data, mechanism=mechanism)})
        self.session.token.objects.append(made)
        return made


@dataclass(eq=False)
class FakeDomain:
    session: FakeSession
    key_type: int
    attributes: dict[Any, Any]

    def generate_keypair(self, *, mechanism: int, label: str, public_template, private_template, **options):
        import pkcs11

        attribute = pkcs11.Attribute
        token = self.session.token
        token.before_call()
        suite = suites.get(token.suite)
        key = suite.generate(token.parameter)
        _, point = der.split_spki(key.public_key.spki)
        common = {
            int(attribute.LABEL): label,
            int(attribute.ID): options["id"],
            int(attribute.KEY_TYPE): int(self.key_type),
        }
        common |= {int(name): value for name, value in self.attributes.items()}
        public = common | {int(attribute.CLASS): int(pkcs11.ObjectClass.PUBLIC_KEY)}
        if token.suite == "sm2":
            public[int(attribute.EC_POINT)] = der.octet_string(point)
        else:
            public[int(attribute.VALUE)] = der.Reader(point).value(der.OCTET_STRING)
        private = common | {int(attribute.CLASS): int(pkcs11.ObjectClass.PRIVATE_KEY)}
        token.generated = (int(mechanism), {int(name): value for name, value in private_template.items()})
        token.objects += [FakeObject(self.session, public), FakeObject(self.session, private, key)]


@dataclass(eq=False)
class FakeSession:
    token: FakeToken

    def get_objects(self, wanted: dict[Any, Any]):
        self.token.before_call()
        for item in self.token.objects:
            if all(item.values.get(int(name)) == value for name, value in wanted.items()):
                yield item

    def create_domain_parameters(self, key_type: int, attributes: dict[Any, Any], *, local: bool) -> FakeDomain:
        assert local
        return FakeDomain(self, int(key_type), attributes)

    def close(self) -> None:
        self.token.closed += 1


@dataclass(eq=False)
class FakeToken:
    module: FakeModule
    suite: str
    parameter: str | None
    signer: Any
    decrypter: Any = None
    label: str = "national"
    objects: list[FakeObject] = field(default_factory=list)
    asked: list[tuple[int, bytes, str | None]] = field(default_factory=list)
    generated: tuple[int, dict[int, Any]] | None = None
    failures: list[str] = field(default_factory=list)
    """Errors that the next calls raise, in order."""
    pins: list[str | None] = field(default_factory=list)
    flags: int = 0
    closed: int = 0
    manufacturer_id: str = "stand-in"
    model: str = "python"

    @property
    def slot(self) -> FakeToken:
        return self

    slot_id = 1

    def get_mechanisms(self) -> set[int]:
        return set()

    def before_call(self) -> None:
        if self.failures:
            raise self.module.error(self.failures.pop(0))

    def open(self, *, user_pin: Any = None, rw: bool = False, attribute_mapper: object = None) -> FakeSession:
        self.before_call()
        self.pins.append(user_pin)
        import pkcs11

        if user_pin not in (None, PIN.decode()) and not (self.flags and user_pin is pkcs11.PROTECTED_AUTH):
            raise self.module.error("PinIncorrect")
        return FakeSession(self)


@dataclass(eq=False)
class FakeModule:
    """What `pkcs11.lib` returns."""

    tokens: list[FakeToken] = field(default_factory=list)
    started: int = 1

    def get_tokens(self, token_label: str | None = None, token_serial: bytes | None = None):
        return [item for item in self.tokens if token_label in (None, item.label)]

    def initialize(self) -> None:
        self.started += 1

    def finalize(self) -> None:
        return

    @staticmethod
    def error(name: str) -> Exception:
        import pkcs11

        kind = getattr(pkcs11, name)
        assert issubclass(kind, Exception)
        return kind()


def fake_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, suite: str, signer: Any, parameter: str | None = None
) -> tuple[FakeToken, str]:
    """Put a stand-in for a vendor's module in place; return its token and a URI without x-config."""
    path = tmp_path / "module.so"
    path.write_bytes(b"")
    module = FakeModule()
    token = FakeToken(module, suite, parameter, signer)
    module.tokens.append(token)
    monkeypatch.setattr(pkcs11_token, "load_module", lambda _path: module)
    return token, f"pkcs11:token=national;object=key?module-path={path}"
