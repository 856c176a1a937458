"""Key-encryption keys behind a program: what it may do, and what it may not make us do."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from certs.circle_keys import lasting
from certs.errors import KeyNotFound, KeyStoreError, MalformedInput, SealroadError
from certs.keys import kek_command, open_key, sealed_files
from certs.keys.envelope import Label, parse, seal, unseal
from certs.keys.kek import KeyProvider, Provider, open_provider
from certs.keys.kek_command import MAX_MADE, CommandProvider, Commands, read_config
from tests.conftest import keys_of

DATA_KEY = bytes(range(32))
TURN = "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(bytes(255 - octet for octet in data))"
TEXT = (
    "import base64, sys; word = sys.stdin.read().strip()\n"
    "print('vault:v1:' + word[::-1] if sys.argv[1] == 'wrap' else word.removeprefix('vault:v1:')[::-1])"
)


def python(code: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", code, *words)


def commands(code: str, **more: object) -> Commands:
    return dataclasses.replace(Commands("kms.toml", b"k1", python(code, "wrap"), python(code, "unwrap")), **more)


def config(path: Path, wrap: tuple[str, ...], unwrap: tuple[str, ...], more: str = "") -> str:
    lists = (f"[{', '.join(repr(word) for word in words)}]" for words in (wrap, unwrap))
    path.write_text('schema = "sealroad.kek/1"\nid = "k1"\nwrap = {}\nunwrap = {}\n{}'.format(*lists, more))
    path.chmod(0o600)
    return f"command:{path}"


@pytest.mark.parametrize(("code", "form"), [(TURN, "octets"), (TEXT, "base64")])
def test_a_program_wraps_a_key(code: str, form: str, tmp_path: Path, signing_suite: str) -> None:
    uri = config(tmp_path / "kms.toml", python(code, "wrap"), python(code, "unwrap"), f'form = "{form}"\n')
    assert isinstance(open_provider(uri), Provider)
    sealed_files.save(tmp_path / "k.sealed", keys_of(signing_suite)[0], open_provider(uri), Label("k"))
    sealed = sealed_files.read(tmp_path / "k.sealed")
    assert (sealed.provider, sealed.kek) == ("command", b"k1")
    key = open_key(f"sealed:{tmp_path}/k.sealed?kek={uri}")
    key.public_key.verify(key.sign(b"x"), b"x")
    other = CommandProvider(commands(code, id=b"k2"))
    with pytest.raises(KeyStoreError, match="another key-encryption key"):
        unseal(sealed, other)


def test_what_a_program_wrapped_is_bound_to_its_place() -> None:
    provider = CommandProvider(commands(TURN))
    blob = provider.wrap(DATA_KEY, b"this key")
    assert provider.unwrap(blob, b"this key") == DATA_KEY
    with pytest.raises(KeyStoreError, match="belongs to something else"):
        provider.unwrap(blob, b"another")
    for position in range(0, len(blob), 3):
        changed = bytearray(blob)
        changed[position] ^= 1
        with pytest.raises(SealroadError):
            provider.unwrap(bytes(changed), b"this key")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit(3)", "failed with code 3"),
        ("import os; os.abort()", "failed with code -6"),
        ("pass", "gave back nothing"),
        ("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())", "the key itself"),
        ("import base64, sys; print(base64.b64encode(sys.stdin.buffer.read()).decode())", "the key itself"),
        (f"import sys; sys.stdout.buffer.write(bytes({MAX_MADE + 1}))", f"more than {MAX_MADE}"),
        ("import sys\nwhile True: sys.stdout.buffer.write(bytes(4096))", f"more than {MAX_MADE}"),
    ],
)
def test_a_program_that_fails_while_wrapping(code: str, words: str) -> None:
    with pytest.raises(KeyStoreError, match=words):
        CommandProvider(commands(code)).wrap(DATA_KEY, b"")


@pytest.mark.parametrize("form", ["octets", "base64"])
@pytest.mark.parametrize("size", [0, 1, 16, 31, 33, 64])
def test_a_key_of_a_wrong_length_is_no_key(size: int, form: str) -> None:
    blob = CommandProvider(commands(TURN)).wrap(DATA_KEY, b"")
    code = f"import base64, sys; data = bytes({size}); sys.stdout.buffer.write({{}})"
    code = code.format("data" if form == "octets" else "base64.b64encode(data) + b'\\n'")
    with pytest.raises(KeyStoreError, match="gave back no key"):
        CommandProvider(commands(code, form=form)).unwrap(blob, b"")
    with pytest.raises(KeyStoreError, match="no base64"):
        CommandProvider(commands("print('%%%')", form="base64")).unwrap(blob, b"")


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import os, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\ntime.sleep(60)"
    )
    began = time.monotonic()
    with pytest.raises(KeyStoreError, match="did not end within 1 seconds"):
        CommandProvider(commands(code, timeout=1)).wrap(DATA_KEY, b"")
    assert time.monotonic() - began < 50
    child = Path("/proc") / note.read_text()
    limit = time.monotonic() + 5
    while child.exists() and "State:\tZ" not in (child / "status").read_text():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_a_program_that_closes_its_output_and_stays_is_ended() -> None:
    with pytest.raises(KeyStoreError, match="did not end"):
        CommandProvider(commands("import os, time; os.close(1); time.sleep(60)", timeout=0.5)).wrap(DATA_KEY, b"")


def test_a_program_that_never_reads_is_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = kek_command._exchange

    def late(process: subprocess.Popen[bytes], data: bytes, deadline: float) -> bytearray:
        process.wait()  # so that nobody is there to read
        return exchange(process, data, deadline)

    monkeypatch.setattr(kek_command, "_exchange", late)
    provider = CommandProvider(commands("import os; os.close(0); print('made without a look', flush=True)"))
    assert provider.wrap(DATA_KEY, b"")


def test_nothing_secret_is_among_arguments_variables_or_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    note = tmp_path / "seen"
    code = (
        "import os, sys\ndata = sys.stdin.buffer.read()\n"
        f"open({str(note)!r}, 'w').write(repr((sys.argv, dict(os.environ))))\n"
        "sys.stderr.write('the key is ' + data.hex())\nsys.exit(1)"
    )
    monkeypatch.setenv("SEALROAD_KEK", "5EC12E7" * 8)
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    seen: list[bytes] = []
    monkeypatch.setattr(
        "certs.keys.kek_command.random.token_bytes", lambda size: seen.append(b"\x5e" * size) or seen[-1]
    )
    with pytest.raises(KeyStoreError) as caught:
        CommandProvider(commands(code, environment=("VAULT_ADDR", "NOT_SET"))).wrap(DATA_KEY, b"")
    out, err = capfd.readouterr()
    said = str(caught.value) + caught.value.hint + repr(caught.value.facts) + out + err
    assert "5e5e" not in said
    assert "the key is" not in said
    told = note.read_text()
    assert "VAULT_ADDR" in told
    assert "SEALROAD_KEK" not in told
    assert "5e5e" not in told


def test_a_configuration_that_others_can_write_or_that_says_nonsense_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kms.toml"
    good = config(path, ("/bin/cat",), ("/bin/cat",), "timeout = 5\nenvironment = ['HOME']\n")
    found = read_config(path)
    assert (found.id, found.timeout, found.environment) == (b"k1", 5.0, ("HOME",))
    text = path.read_text()
    for mode in (0o620, 0o602):
        path.chmod(mode)
        with pytest.raises(KeyStoreError, match="written by others"):
            open_provider(good)
    path.chmod(0o600)
    for old, new in (
        ("sealroad.kek/1", "sealroad.kek/2"),
        ('id = "k1"', 'id = ""'),
        ('id = "k1"', f'id = "{"x" * 65}"'),
        ("wrap = ['/bin/cat']", "wrap = 'cat'"),
        ("wrap = ['/bin/cat']", "wrap = []"),
        ("wrap = ['/bin/cat']", "wrap = ['cat']"),
        ("wrap = ['/bin/cat']", "wrap = ['/bin/cat', 1]"),
        ("wrap = ['/bin/cat']", 'wrap = ["/bin/cat", "\\u0000"]'),
        ("timeout = 5", "timeout = 0"),
        ("timeout = 5", "timeout = true"),
        ("timeout = 5", "timeout = 1e9"),
        ("timeout = 5", "timeout = nan"),
        ("timeout = 5", "form = 'hex'"),
        ("timeout = 5", "shell = true"),
        ("environment = ['HOME']", "environment = 'HOME'"),
        ("schema", "= schema"),
    ):
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(MalformedInput):
            open_provider(good)
    path.write_bytes(b"\xff")
    with pytest.raises(MalformedInput):
        open_provider(good)
    for name in (tmp_path / "none.toml", "", "a\0b"):
        with pytest.raises(KeyNotFound):
            open_provider(f"command:{name}")
    with pytest.raises(KeyNotFound, match="cannot be run"):
        CommandProvider(Commands("kms.toml", b"k", ("/none",), ("/none",))).wrap(DATA_KEY, b"")


def test_a_circle_remembers_the_configuration_wherever_it_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert lasting("sealed:?kek=command:kms.toml") == f"sealed:?kek=command:{tmp_path}/kms.toml"


def test_keys_move_to_a_program_and_back(tmp_path: Path) -> None:
    path, plain, program = tmp_path / "k", KeyProvider(DATA_KEY), CommandProvider(commands(TURN))
    sealed_files.save(path, keys_of("ed25519")[0], plain, Label("k"))
    assert sealed_files.rewrap(path, plain, program)
    assert not sealed_files.rewrap(path, plain, program)
    assert sealed_files.rewrap(path, program, plain)
    unseal(sealed_files.read(path), plain)


# Programs of others ------------------------------------------------------------------------------------------------
def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is missing")
        pytest.skip(f"{name} is missing")
    return found


@pytest.mark.interop
def test_openssl_wraps(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("5EC12E7\n")
    words = (_tool("openssl"), "enc", "-aes-256-cbc", "-pbkdf2", "-pass", f"file:{tmp_path}/word")
    provider = open_provider(config(tmp_path / "kms.toml", words, (*words, "-d")))
    sealed = parse(seal(keys_of("sm2")[0], provider, Label("k")))
    unseal(sealed, provider)
    (tmp_path / "word").write_text("other\n")
    with pytest.raises(KeyStoreError):
        unseal(sealed, provider)


@pytest.mark.interop
def test_gpg_wraps(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    gpg = (_tool("gpg"), "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback")
    try:
        key = (*gpg, "--passphrase", "", "--quick-generate-key", "ops@example.org", "future-default")
        subprocess.run(key, check=True, capture_output=True)
        wrap = (*gpg, "--encrypt", "--recipient", "ops@example.org")
        provider = open_provider(config(home / "kms.toml", wrap, (*gpg, "--decrypt")))
        unseal(parse(seal(keys_of("gost2012-256")[0], provider, Label("k"))), provider)
    finally:
        subprocess.run(("gpgconf", "--homedir", str(home), "--kill", "all"), check=False, capture_output=True)
