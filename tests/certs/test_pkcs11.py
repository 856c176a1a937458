"""Keys in tokens: URIs, SoftHSM2, and vendors' mechanisms over a stand-in."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import der, oids, suites
from certs.errors import (
    BackendFault,
    KeyNotFound,
    KeyStoreError,
    MalformedInput,
    SealroadError,
    UnsupportedAlgorithm,
    WrongPassword,
)
from certs.keys import KeyHandle, open_key, pkcs11, pkcs11_mechanisms, pkcs11_token, pkcs11_uri
from tests.certs.tokens import PIN, TOKEN_SUITES, ask_pin, fake_module, new_token, with_object
from tests.conftest import needs_gost

pytest.importorskip("pkcs11", reason="the extra 'pkcs11' is not installed")
interop = pytest.mark.interop


# URIs ----------------------------------------------------------------------------------------------------------------
def test_a_uri_is_read_and_written() -> None:
    text = (
        "pkcs11:token=%E5%8F%B8%20%26;object=a%3Bb;id=%00%FF?module-path=/a%20b.so&pin-source=file:/p&x-suite=rsa-pss"
    )
    uri = pkcs11_uri.parse(text)
    assert (uri.token, uri.object, uri.id) == ("司 &", "a;b", b"\x00\xff")
    assert (uri.module_path, uri.pin_file, uri.suite) == ("/a b.so", "/p", "rsa-pss")
    assert pkcs11_uri.parse(str(uri)) == uri


@pytest.mark.parametrize("name", ["pin-value", "PIN-VALUE", "pin%2Dvalue", "%70in-value"])
def test_a_pin_in_a_uri_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(KeyStoreError) as caught:
        open_key(f"pkcs11:token=x;object=y?module-path=/m.so&{name}=736251")
    assert "736251" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        *("token", "token=a;token=b", "token=%FF", "token=a;colour=red", "token=a%0", "slot-id=x", "token=%00"),
        *("token=a?pin-source=|cat%20/pin", "token=a?pin-source=relative", "token=a?module-name=p11", "type=cert"),
        *("token=a?other=1", "token=\n", "a" * 5000),
    ],
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        pkcs11_uri.parse("pkcs11:" + text)


@given(st.text(max_size=80))
def test_no_uri_raises_anything_builtin(text: str) -> None:
    try:
        assert pkcs11_uri.parse(str(pkcs11_uri.parse(text))) == pkcs11_uri.parse(text)
    except SealroadError:
        pass


def test_a_module_that_is_not_there_or_not_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(pkcs11_uri.MODULE_VARIABLE, raising=False)
    with pytest.raises(KeyNotFound, match="names no PKCS#11 module"):
        open_key("pkcs11:token=a;object=b")
    with pytest.raises(KeyNotFound, match="there is no PKCS#11 module"):
        open_key(f"pkcs11:token=a;object=b?module-path={tmp_path}/none.so")
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(KeyStoreError, match="cannot be used"):
        open_key(f"pkcs11:token=a;object=b?module-path={tmp_path}/text.so")


# SoftHSM2 ------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def token() -> str:
    return new_token()


@interop
@pytest.mark.parametrize("name", TOKEN_SUITES)
def test_a_key_is_made_in_a_token_signs_and_is_destroyed(name: str, token: str) -> None:
    parameter = "2048" if name.startswith("rsa") else None
    uri = with_object(token, f"key-{name}", "&x-suite=rsa-pss" if name == "rsa-pss" else "")
    made = pkcs11.generate(uri, name, ask_pin, parameter=parameter)
    assert isinstance(made, KeyHandle)
    opened = open_key(uri, ask_pin)
    assert opened.suite.name == name
    assert opened.public_key.spki == made.public_key.spki
    for message in (b"", b"contract", bytes(100_000)):
        suites.load_public(made.public_key.spki).verify(opened.sign(message), message)
    with pytest.raises(KeyStoreError, match="already"):
        pkcs11.generate(uri, name, ask_pin, parameter=parameter)
    public, count = pkcs11.destroy(uri, ask_pin)
    assert public is not None
    assert count == 2
    with pytest.raises(KeyNotFound):
        open_key(uri, ask_pin)
    with pytest.raises(KeyNotFound):
        opened.sign(b"after the end")


@interop
def test_two_keys_of_one_identifier_are_told_apart_by_name() -> None:
    place = new_token()
    made = [
        pkcs11.generate(with_object(place, f"{name};id=%01"), name, ask_pin) for name in ("ecdsa-p256", "ecdsa-p384")
    ]
    for key, name in zip(made, ("ecdsa-p256", "ecdsa-p384"), strict=True):
        opened = open_key(with_object(place, name), ask_pin)
        assert (opened.suite.name, opened.public_key.spki) == (name, key.public_key.spki)
        opened.public_key.verify(opened.sign(b"x"), b"x")
    with pytest.raises(KeyStoreError, match="several"):
        open_key(place.replace("?", ";id=%01?"), ask_pin)
    pkcs11.destroy(with_object(place, "ecdsa-p256"), ask_pin)
    assert open_key(with_object(place, "ecdsa-p384"), ask_pin).public_key.spki == made[1].public_key.spki


@interop
def test_a_private_key_never_leaves_the_token(token: str) -> None:
    import pkcs11 as library

    key = pkcs11.generate(with_object(token, "kept"), "ecdsa-p256", ask_pin)
    attribute = library.Attribute

    def look(session) -> None:
        item = next(
            iter(session.get_objects({attribute.CLASS: library.ObjectClass.PRIVATE_KEY, attribute.LABEL: "kept"}))
        )
        assert item[attribute.SENSITIVE]
        assert item[attribute.NEVER_EXTRACTABLE]
        with pytest.raises(library.AttributeSensitive):
            _ = item[attribute.VALUE]

    key._connection.run(look)
    assert "pin" not in repr(key).lower()


@interop
def test_a_wrong_pin_and_a_wrong_name_are_said(tmp_path: Path) -> None:
    token = new_token()
    uri = with_object(token, "k")
    with pytest.raises(WrongPassword, match="PIN") as caught:
        pkcs11.generate(uri, "ed25519", lambda _name: b"739182")
    assert "739182" not in str(caught.value)
    with pytest.raises(WrongPassword):
        pkcs11.generate(uri, "ed25519", lambda _name: b"")
    with pytest.raises(UnsupportedAlgorithm):
        pkcs11.generate(uri, "ml-dsa-65", ask_pin)
    with pytest.raises(KeyNotFound, match="has no key"):
        open_key(uri, ask_pin)
    with pytest.raises(KeyNotFound, match="is not there"):
        open_key(uri.replace("token=", "token=x"), ask_pin)
    (tmp_path / "pin").write_bytes(PIN + b"\n")
    pkcs11.generate(uri, "ed25519", ask_pin)
    opened = open_key(f"{uri}&pin-source=file:{tmp_path}/pin")
    opened.public_key.verify(opened.sign(b"x"), b"x")


@interop
def test_threads_share_one_session(token: str) -> None:
    keys = [pkcs11.generate(with_object(token, f"thread-{n}"), "ecdsa-p256", ask_pin) for n in range(2)]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for count in range(40):
                message = f"{number} {count}".encode()
                key = keys[number % 2]
                key.public_key.verify(key.sign(message), message)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


@interop
def test_a_lost_session_and_a_restarted_module_are_survived(token: str) -> None:
    key = pkcs11.generate(with_object(token, "lost"), "ed25519", ask_pin)
    key._connection._session.close()
    key.public_key.verify(key.sign(b"again"), b"again")
    pkcs11_token._modules[key.uri.module].library.finalize()
    key.public_key.verify(key.sign(b"and again"), b"and again")


@interop
def test_a_child_process_has_its_own_session(token: str) -> None:
    key = pkcs11.generate(with_object(token, "forked"), "ecdsa-p384", ask_pin)
    reader, writer = os.pipe()
    lock = pkcs11_token._modules[key.uri.module].lock
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            go.wait(30)

    thread = threading.Thread(target=hold)  # another thread is inside the module when the process forks
    thread.start()
    held.wait(30)
    child = os.fork()
    if child == 0:
        try:
            value = key.sign(b"child")
        except BaseException as error:
            value = repr(error).encode()
        os.write(writer, value)
        os._exit(0)
    go.set()
    thread.join()
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        value = stream.read()
    os.waitpid(child, 0)
    key.public_key.verify(value, b"child")
    key.public_key.verify(key.sign(b"parent"), b"parent")


@interop
def test_the_pin_is_in_no_process_list(token: str, tmp_path: Path) -> None:
    uri = with_object(token, "listed")
    pkcs11.generate(uri, "ed25519", ask_pin)
    (tmp_path / "pin").write_bytes(PIN)
    (tmp_path / "doc").write_bytes(b"x")
    script = (
        "import sys\nfrom certs.keys import open_key\n"
        f"key = open_key({uri!r} + '&pin-source=file:{tmp_path}/pin')\n"
        "print(key.sign(b'x').hex(), flush=True)\nprint(open('/proc/self/cmdline').read().split('\\0')[2:], flush=True)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[1] == "['']" or "5678" not in done.stdout.splitlines()[1]
    assert not done.stderr


# Vendors' mechanisms over a stand-in ---------------------------------------------------------------------------------
def _split(name: str, value: bytes, form: str) -> bytes:
    if name == "sm2":
        r, s = der.decode_integer_pair(value)
        size = 32
    else:
        size = len(value) // 2
        s, r = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
    first, second = (r, s) if form == "rs" else (s, r)
    return first.to_bytes(size, "big") + second.to_bytes(size, "big")


VENDOR = {
    "sm2": ("ecdsa", 0x80000110, 0x80000111, "ec", None),
    "gost2012-256": ("gost", 0x1200, 0x1201, "gost", "TC26-256-A"),
    "gost2012-512": ("gost", 0xD4321005, 0xD4321006, "gost", "TC26-512-A"),
}
KEY_TYPES = {"sm2": 0x80000101, "gost2012-256": 0x30, "gost2012-512": 0xD4321003}


def _config(tmp_path: Path, name: str, output: str, **more: object) -> str:
    _, generate, sign, public, _ = VENDOR[name]
    lines = ['schema = "sealroad.pkcs11/1"', f"[suites.{name}]"]
    values = {"key_type": KEY_TYPES[name], "generate": generate, "sign": sign, "takes": "message"}
    for key, value in (values | {"output": output, "public": public} | more).items():
        lines.append(f"{key} = {str(value).lower() if isinstance(value, bool | int) else repr(value)}")
    (tmp_path / "token.toml").write_text("\n".join(lines))
    return str(tmp_path / "token.toml")


@pytest.mark.parametrize("form", ["rs", "sr"])
@pytest.mark.parametrize("name", sorted(VENDOR))
def test_national_suites_sign_by_a_vendors_mechanism(
    name: str, form: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parameter = VENDOR[name][4]
    if parameter:
        needs_gost(parameter)
    token, uri = fake_module(
        monkeypatch, tmp_path, name, lambda key, data: _split(name, key.sign(data), form), parameter
    )
    uri += f"&x-config={_config(tmp_path, name, form)}"
    made = pkcs11.generate(uri, name, ask_pin, parameter=parameter)
    assert token.generated is not None
    assert token.generated[0] == VENDOR[name][1]
    opened = open_key(uri, ask_pin)
    assert opened.suite.name == name
    assert opened.public_key.spki == made.public_key.spki
    value = opened.sign("договор 合同".encode())
    suites.load_public(opened.public_key.spki).verify(value, "договор 合同".encode())
    assert token.asked[-1][:2] == (VENDOR[name][2], "договор 合同".encode())


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", ["gost2012-256", "gost2012-512"])
def test_a_gost_token_may_take_the_digest(
    name: str, reverse: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parameter = VENDOR[name][4]
    needs_gost(parameter)

    def signer(key, data: bytes) -> bytes:
        return _split(name, key._backend.sign(key._handle, data[::-1] if reverse else data), "rs")

    _, uri = fake_module(monkeypatch, tmp_path, name, signer, parameter)
    uri += f"&x-config={_config(tmp_path, name, 'rs', takes='digest', reversed=reverse)}"
    key = pkcs11.generate(uri, name, ask_pin, parameter=parameter)
    key.public_key.verify(key.sign(b"contract"), b"contract")


def test_the_digest_an_sm2_token_takes_covers_the_identifier(tmp_path: Path) -> None:
    how = pkcs11_mechanisms.read_config(_config(tmp_path, "sm2", "der", takes="digest"))["sm2"]
    key = suites.get("sm2").generate()
    e = int.from_bytes(how.prepare(key.public_key, b"contract"), "big")
    # GB/T 32918.2 7.1: with R = (e + x1) mod n, where (x1, y1) = s·G + (r + s)·P, the signature is good iff R = r
    r, s = der.decode_integer_pair(key.sign(b"contract"))
    _, point = der.split_spki(key.public_key.spki)
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    curve = pkcs11_mechanisms._SM2_CURVE
    p = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
    a, _, gx, gy = (int.from_bytes(curve[i : i + 32], "big") for i in (0, 32, 64, 96))
    n = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

    def add(left, right):
        if left is None or right is None:
            return left or right
        if left[0] == right[0] and (left[1] + right[1]) % p == 0:
            return None
        if left == right:
            slope = (3 * left[0] ** 2 + a) * pow(2 * left[1], -1, p)
        else:
            slope = (right[1] - left[1]) * pow(right[0] - left[0], -1, p)
        third = (slope * slope - left[0] - right[0]) % p
        return third, (slope * (left[0] - third) - left[1]) % p

    def times(number, base):
        total = None
        while number:
            if number & 1:
                total = add(total, base)
            base, number = add(base, base), number >> 1
        return total

    x1 = add(times(s, (gx, gy)), times((r + s) % n, (x, y)))[0]
    assert (e + x1) % n == r


def test_a_token_that_signs_something_else_is_caught(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: _split("sm2", key.sign(data), "rs"))
    uri += f"&x-config={_config(tmp_path, 'sm2', 'rs')}"
    key = pkcs11.generate(uri, "sm2", ask_pin)
    for answer in (bytes(64), b"", b"\xff" * 64, b"\1" * 63, key.sign(b"another message")):
        token.signer = lambda _key, _data, answer=answer: answer
        with pytest.raises(BackendFault):
            key.sign(b"contract")


def test_a_wrong_configuration_leaves_no_key_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: _split("sm2", key.sign(data), "rs"))
    with pytest.raises(BackendFault, match="does not verify"):
        pkcs11.generate(f"{uri}&x-config={_config(tmp_path, 'sm2', 'sr')}", "sm2", ask_pin)
    assert not token.objects


@pytest.mark.parametrize("name", ["DeviceRemoved", "SessionHandleInvalid", "KeyHandleInvalid", "GeneralError"])
def test_a_token_pulled_and_put_back_signs_again(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: _split("sm2", key.sign(data), "rs"))
    key = pkcs11.generate(f"{uri}&x-config={_config(tmp_path, 'sm2', 'rs')}", "sm2", ask_pin)
    before = len(token.pins)
    token.failures = [name]
    key.public_key.verify(key.sign(b"x"), b"x")
    assert len(token.pins) == before + 1
    modules = token.module.tokens
    token.module.tokens = []
    token.failures = ["DeviceRemoved"]
    with pytest.raises(KeyNotFound, match="is not there"):
        key.sign(b"x")
    token.module.tokens = modules
    key.public_key.verify(key.sign(b"back"), b"back")


def test_a_key_is_not_made_twice_where_the_answer_was_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: key.sign(data))
    token.failures = ["FunctionFailed"]
    with pytest.raises(BackendFault):
        pkcs11.generate(f"{uri}&x-config={_config(tmp_path, 'sm2', 'der')}", "sm2", ask_pin)
    assert not token.objects


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("PinIncorrect", WrongPassword),
        ("PinLocked", KeyStoreError),
        ("PinExpired", KeyStoreError),
        ("TokenNotPresent", KeyNotFound),
        ("MechanismInvalid", UnsupportedAlgorithm),
        ("FunctionFailed", BackendFault),
        ("HostMemory", BackendFault),
    ],
)
def test_errors_of_the_module_become_ours(
    error: str, expected: type[SealroadError], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: key.sign(data))
    token.failures = [error]
    with pytest.raises(expected) as caught:
        open_key(uri, ask_pin)
    assert type(caught.value) is expected
    assert "PIN" not in str(caught.value) or expected in (WrongPassword, KeyStoreError)


def test_a_key_of_a_vendors_type_asks_for_its_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: key.sign(data))
    pkcs11.generate(f"{uri}&x-config={_config(tmp_path, 'sm2', 'der')}", "sm2", ask_pin)
    with pytest.raises(UnsupportedAlgorithm) as caught:
        open_key(uri, ask_pin)
    assert "x-config" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        *("", "schema = 'other'", "schema = 'sealroad.pkcs11/1'", "\xff", "schema = 'sealroad.pkcs11/1'\nsuites = 1"),
        "schema = 'sealroad.pkcs11/1'\n[suites.none]\nsign = 1",
        "schema = 'sealroad.pkcs11/1'\n[suites.sm2]\nsign = 1",
        "schema = 'sealroad.pkcs11/1'\n[suites.sm2]\nkey_type=1\nsign=true\ntakes='digest'\noutput='rs'\npublic='ec'",
        "schema = 'sealroad.pkcs11/1'\n[suites.sm2]\nkey_type=1\nsign=-1\ntakes='digest'\noutput='rs'\npublic='ec'",
        "schema = 'sealroad.pkcs11/1'\n[suites.sm2]\nkey_type=1\nsign=1\ntakes='hash'\noutput='rs'\npublic='ec'",
        "schema = 'sealroad.pkcs11/1'\n[suites.sm2]\nkey_type=1\nsign=1\ntakes=['x']\noutput='rs'\npublic='ec'",
        "schema = 'sealroad.pkcs11/1'\n[suites.sm2]\nkey_type=1\nsign=1\ntakes='digest'\noutput='rs'\npublic='ec'\nx=1",
    ],
)
def test_a_configuration_that_is_wrong_in_any_line_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(MalformedInput):
        pkcs11_mechanisms.read_config(str(tmp_path / "t.toml"))


def test_bare_and_wrapped_points_are_told_apart_by_length() -> None:
    for name in ("ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ecdsa-bp512"):
        algorithm, point = der.split_spki(suites.get(name).generate().public_key.spki)
        for form in (point, der.octet_string(point)):
            assert pkcs11_mechanisms.ec_spki(algorithm.parameters or b"", form) == der.subject_public_key_info(
                algorithm, point
            )
    tricky = b"\x04\x3f" + bytes(63)  # a bare point that looks like an OCTET STRING
    assert pkcs11_mechanisms.unwrap_point(tricky, (65,)) == tricky
    assert pkcs11_mechanisms.edwards_suite(der.oid(oids.ED448)) == "ed448"


def test_a_token_gone_mid_issuance_leaves_no_certificate_and_no_second_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from certs import circle as circles
    from certs.certificate import Subject
    from certs.errors import CertsError
    from tests.conftest import CLOCK, keys_of

    token, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: key.sign(data))
    store = uri.replace(";object=key", "") + f"&x-config={_config(tmp_path, 'sm2', 'der')}"
    circles.create(
        tmp_path / "ca", "sm2", organisation="N", country="CN", secrets=ask_pin, clock=CLOCK, keys=store, tsa=False
    )
    circle = circles.load(tmp_path / "ca", ask_pin, CLOCK)
    spki = keys_of("sm2")[0].public_key.spki
    circle.issue("person", Subject("王", country="CN"), spki)
    modules, token.module.tokens = token.module.tokens, []
    token.failures = ["DeviceRemoved"]
    from certs import profiles

    plan = circle.issuing.prepare(profiles.load("person"), Subject("李", country="CN"), spki)
    with pytest.raises(KeyNotFound, match="is not there"):
        circle.issuing.issue(plan)
    states = [entry.state for entry in circle.issuing.entries()]
    assert (states[0], states[-1] == "issued") == ("issued", False)
    token.module.tokens = modules
    with pytest.raises(CertsError):
        circle.issuing.issue(plan)  # a plan is used once, whatever became of it
    again = circle.issue("person", Subject("李", country="CN"), spki)
    again.verify_signed_by(circle.issuing.certificate)
    people = [entry for entry in circle.issuing.entries() if entry.profile == "person"]
    assert len([entry for entry in people if entry.state == "issued"]) == 2


def test_a_key_that_wants_its_pin_each_time_gets_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import pkcs11 as library

    token, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: key.sign(data))
    uri += f"&x-config={_config(tmp_path, 'sm2', 'der')}"
    pkcs11.generate(uri, "sm2", ask_pin)
    token.objects[-1].values[int(library.Attribute.ALWAYS_AUTHENTICATE)] = True
    key = open_key(uri, ask_pin)
    for _ in range(2):
        key.sign(b"x")
        assert token.asked[-1][2] == PIN.decode()


def test_a_token_with_keys_of_its_own_for_the_pin_asks_by_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import pkcs11 as library

    token, uri = fake_module(monkeypatch, tmp_path, "sm2", lambda key, data: key.sign(data))
    token.flags = int(library.TokenFlag.PROTECTED_AUTHENTICATION_PATH)

    def never(name: str) -> bytes:
        raise AssertionError(name)

    key = pkcs11.generate(f"{uri}&x-config={_config(tmp_path, 'sm2', 'der')}", "sm2", never)
    key.public_key.verify(key.sign(b"x"), b"x")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "m.so").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    monkeypatch.setitem(sys.modules, "shamir_mnemonic", None)
    with pytest.raises(SealroadError) as caught:
        open_key(f"pkcs11:token=a;object=b?module-path={tmp_path}/m.so", ask_pin)
    assert "'.[pkcs11]'" in caught.value.hint
    from certs.keys import shares

    with pytest.raises(SealroadError) as caught:
        shares.split(bytes(32), threshold=2, count=3)
    assert "'.[ceremony]'" in caught.value.hint
