"""One logged-in session per token, shared by threads, re-made after a token was pulled or the process forked.

    connection = connect(uri, secrets)                    # the PIN is asked for here, if nobody in this process gave it
    value = connection.run(lambda session: …)             # alone in the module; CertsError is all that comes out

The library initialises a module with C_Initialize(NULL), by which a process promises not to call it from two threads at
once (PKCS#11 v3.1, 5.4): all calls of one module go through one lock. PKCS#11 logs in a process, not a session: once a
PIN was right, other keys of the token open without it. No PIN is kept; after a reconnect it is asked for again.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from certs.errors import (
    BackendFault,
    BackendUnavailable,
    CertsError,
    KeyNotFound,
    KeyStoreError,
    UnsupportedAlgorithm,
    WrongPassword,
)
from certs.keys.base import Secrets
from certs.keys.pkcs11_uri import TokenURI

T = TypeVar("T")
MAX_PIN = 255

_GONE = frozenset(
    ("DeviceRemoved", "TokenNotPresent", "SessionClosed", "SessionHandleInvalid", "UserNotLoggedIn", "DeviceError")
) | frozenset(("KeyHandleInvalid", "ObjectHandleInvalid", "GeneralError"))
"""After these a new session may help: the token was pulled, reset, or its module started anew."""
_WRONG_PIN = frozenset(("PinIncorrect", "PinInvalid", "PinLenRange"))
_NO_LOGIN = {
    "PinLocked": ("the PIN is locked", "the token's officer (SO PIN) can unlock it"),
    "PinExpired": ("the PIN has expired", "set a new one with the vendor's tool"),
    "UserPinNotInitialized": ("no PIN was ever set", "initialise the token: pkcs11-tool --init-pin"),
}
_NOT_THERE = frozenset(("NoSuchToken", "TokenNotPresent", "TokenNotRecognised", "DeviceRemoved", "SlotIDInvalid"))
_NOT_ABLE = frozenset(
    ("MechanismInvalid", "MechanismParamInvalid", "FunctionNotSupported", "DomainParamsInvalid", "KeySizeRange")
) | frozenset(("KeyTypeInconsistent", "CurveNotSupported"))
_ANY_REASON = frozenset(("GeneralError", "DeviceError"))
"""Of those above, what modules also say of octets that do not decrypt."""
_NOT_PERMITTED = 0x68
_SEVERAL = frozenset(("MultipleTokensReturned", "MultipleObjectsReturned"))


def library() -> Any:
    """Return the package python-pkcs11. Raises BackendUnavailable where it is not installed."""
    try:
        import_module("pkcs11.attributes")  # which the package imports only together with its compiled part
        return import_module("pkcs11")
    except ImportError as error:
        raise BackendUnavailable(
            "keys in tokens need the package python-pkcs11",
            hint="in the checkout of Sealroad: .venv/bin/pip install -e '.[pkcs11]'",
        ) from error


def load_module(path: str) -> Any:
    """Load a PKCS#11 module and initialise it; the tests put a stand-in here."""
    return library().lib(path)


def mechanism(number: int) -> Any:
    """Return a mechanism by number; the library's own table ends where vendors' numbers begin."""
    return _member(library().Mechanism, number)


def key_type(number: int) -> Any:
    """Return a key type by number, like `mechanism`."""
    return _member(library().KeyType, number)


def _member(table: Any, number: int) -> Any:
    try:
        return table(number)
    except ValueError:
        made = int.__new__(table, number)
        made._name_, made._value_ = f"VENDOR_{number:08X}", number
        return made


def mapped(error: Exception, uri: TokenURI) -> CertsError:
    """Return what an error of the library means. Its own text is left out: it may quote what was looked for."""
    name = type(error).__name__
    if name in _WRONG_PIN:
        return WrongPassword(
            f"the PIN does not open the {uri.place}", hint="the token counts wrong PINs and locks itself after a few"
        )
    if name in _NO_LOGIN:
        words, hint = _NO_LOGIN[name]
        return KeyStoreError(f"{words} of the {uri.place}", hint=hint)
    if name in _NOT_THERE:
        return KeyNotFound(f"the {uri.place} is not there", hint="plug it in, or check token= and module-path=")
    if name in _SEVERAL:
        return KeyStoreError(f"several tokens answer to the {uri.place}", hint="add serial= or slot-id= to the URI")
    if name in _NOT_ABLE:
        return UnsupportedAlgorithm(
            f"the {uri.place} cannot do this ({name})", hint="list what it can: pkcs11-tool --module … -M"
        )
    if name == "TokenWriteProtected":
        return KeyStoreError(f"the {uri.place} is write-protected")
    return BackendFault(f"the {uri.place} failed ({name})", hint="look into the log of its module")


def says_nothing_of_octets(error: Exception) -> bool:
    """Tell whether an error of decrypting is of the token, the session or the PIN, and cannot be of the octets."""
    name = type(error).__name__
    of_token = (_GONE - _ANY_REASON) | _NOT_THERE | _WRONG_PIN | _NO_LOGIN.keys()
    return isinstance(error, CertsError) or name in of_token or _is_uninitialised(error)


def is_forbidden(error: BaseException | None) -> bool:
    """Tell whether an error is CKR_KEY_FUNCTION_NOT_PERMITTED, for which the library has no class of its own."""
    return type(error).__name__ == "PKCS11Error" and str(error).endswith(f" {_NOT_PERMITTED:#x}")


@dataclass
class _Module:
    """One loaded library of this process."""

    library: Any
    lock: threading.RLock
    process: int
    epoch: int = 0
    """Counted up whenever every session is lost."""


_modules: dict[str, _Module] = {}
_connections: weakref.WeakSet[Connection] = weakref.WeakSet()
_table_lock = threading.RLock()


def _after_fork() -> None:
    """Give the child locks of its own: another thread of the parent may have held these."""
    global _table_lock  # noqa: PLW0603
    _table_lock = threading.RLock()
    for module in _modules.values():
        module.lock = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)


def _module(path: str) -> _Module:
    with _table_lock:
        found = _modules.get(path)
        if found is not None:
            return found
        if not Path(path).is_file():
            raise KeyNotFound(f"there is no PKCS#11 module {path}", hint="check module-path= of the URI")
        try:
            loaded = load_module(path)
        except CertsError:
            raise
        except Exception as error:
            raise KeyStoreError(f"{path} cannot be used as a PKCS#11 module ({type(error).__name__})") from error
        _modules[path] = _Module(loaded, threading.RLock(), os.getpid())
        return _modules[path]


def _others() -> list[Connection]:
    with _table_lock:
        return list(_connections)


class Connection:
    """A logged-in session with one token. Use `connect`."""

    def __init__(self, uri: TokenURI, secrets: Secrets) -> None:
        self.uri, self._secrets = uri, secrets
        self._path = uri.module
        self._session: Any = None
        self._epoch = -1
        self.opened = 0
        """How many sessions there have been; handles of objects belong to one."""

    def __repr__(self) -> str:
        return f"<Connection {self.uri.place}>"

    def run(self, action: Callable[[Any], T], *, again: bool = True) -> T:
        """Return `action(session)`, with a new session and a second try where the first was lost.

        `again` is false for what must not happen twice (making a key). Raises WrongPassword, KeyNotFound,
        KeyStoreError, UnsupportedAlgorithm, BackendFault.
        """
        with self._alone() as module:
            fresh = self._session is None or self._epoch != module.epoch
            try:
                return action(self._open(module))
            except CertsError:
                raise
            except Exception as error:
                if not _is_loss(error) or fresh or not again:
                    self._forget_if_lost(error)
                    raise mapped(error, self.uri) from error
            self._drop()
            try:
                return action(self._open(module))
            except CertsError:
                raise
            except Exception as error:
                self._forget_if_lost(error)
                raise mapped(error, self.uri) from error

    def _forget_if_lost(self, error: Exception) -> None:
        if _is_loss(error):
            self._drop()

    @contextmanager
    def _alone(self) -> Iterator[_Module]:
        module = _module(self._path)
        with module.lock:
            if module.process != os.getpid():
                _restart(module)  # PKCS#11 v3.1, 5.4: a child initialises the module anew, sessions are the parent's
            yield module

    def _open(self, module: _Module) -> Any:
        if self._session is not None and self._epoch == module.epoch:
            return self._session
        try:
            token = self._find(module)
        except Exception as error:
            # some modules look for tokens only when they start: one that was set up since is seen by starting anew
            unseen = isinstance(error, KeyNotFound) and not any(other.is_open(module) for other in _others())
            if not unseen and not _is_uninitialised(error):
                raise
            _restart(module)
            token = self._find(module)
        self._session = self._log_in(module, token)
        self._epoch = module.epoch
        self.opened += 1
        return self._session

    def _find(self, module: _Module) -> Any:
        uri = self.uri
        wanted = {"token_label": uri.token, "token_serial": uri.serial.encode() if uri.serial else None}
        found = [
            token
            for token in module.library.get_tokens(**{name: value for name, value in wanted.items() if value})
            if (uri.manufacturer in (None, token.manufacturer_id))
            and uri.model in (None, token.model)
            and uri.slot_id in (None, token.slot.slot_id)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise KeyStoreError(f"several tokens answer to the {uri.place}", hint="add serial= or slot-id= to the URI")
        raise KeyNotFound(f"the {uri.place} is not there", hint="plug it in, or check token= and module-path=")

    def _log_in(self, module: _Module, token: Any) -> Any:
        pkcs11 = library()
        mapper = pkcs11.attributes.AttributeMapper()
        pack, _ = mapper.attribute_types[pkcs11.Attribute.KEY_TYPE]
        mapper.register_handler(
            pkcs11.Attribute.KEY_TYPE, pack, lambda octets: key_type(int.from_bytes(octets, sys.byteorder))
        )
        options = {"rw": True, "attribute_mapper": mapper}
        if token.flags & pkcs11.TokenFlag.WRITE_PROTECTED:
            options["rw"] = False
        for other in _others():
            if other is not self and other.is_open_on(module, token):
                return token.open(**options)  # this process is logged in
        if token.flags & pkcs11.TokenFlag.PROTECTED_AUTHENTICATION_PATH:
            return token.open(user_pin=pkcs11.PROTECTED_AUTH, **options)  # the token has keys of its own for the PIN
        pin = self.pin()
        try:
            return token.open(user_pin=pin, **options)
        except pkcs11.UserAlreadyLoggedIn:
            return token.open(**options)

    def is_open(self, module: _Module) -> bool:
        """Tell whether this has a session in `module`."""
        return _modules.get(self._path) is module and self._session is not None and self._epoch == module.epoch

    def is_open_on(self, module: _Module, token: Any) -> bool:
        """Tell whether this has a session with `token`."""
        return self.is_open(module) and self._session.token == token

    def pin(self) -> str:
        """Ask for the PIN: the file of the URI, else the callback. Raises WrongPassword, KeyNotFound."""
        if self.uri.pin_file is not None:
            try:
                with Path(self.uri.pin_file).open("rb") as stream:
                    octets = stream.read(MAX_PIN + 2).split(b"\n", 1)[0].rstrip(b"\r")
            except OSError as error:
                raise KeyNotFound(f"the PIN file {self.uri.pin_file} cannot be read: {error.strerror}") from error
        else:
            octets = self._secrets(f"PIN for {self.uri.place}")
        if not octets or len(octets) > MAX_PIN:
            raise WrongPassword("the PIN is empty or too long")
        try:
            return octets.decode()
        except UnicodeDecodeError:
            raise WrongPassword("the PIN is not UTF-8") from None

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(Exception):  # it is gone already, which is why we are here
                session.close()

    def mechanisms(self) -> frozenset[int]:
        """Return the mechanisms of the token by number."""
        return self.run(lambda session: frozenset(int(item) for item in session.token.slot.get_mechanisms()))


def connect(uri: TokenURI, secrets: Secrets) -> Connection:
    """Return a connection, with the token found and logged in. Raises what `Connection.run` raises."""
    connection = Connection(uri, secrets)
    with _table_lock:
        _connections.add(connection)
    connection.run(lambda _session: None)
    return connection


def _is_loss(error: Exception) -> bool:
    return type(error).__name__ in _GONE or _is_uninitialised(error)


def _is_uninitialised(error: Exception) -> bool:
    return type(error).__name__ == "PKCS11Error" and "not initialized" in str(error)


def _restart(module: _Module) -> None:
    with suppress(Exception):  # in a child there may be nothing to finalise; what counts is the next line
        module.library.finalize()
    module.library.initialize()
    module.process = os.getpid()
    module.epoch += 1
