"""What leaves a process that holds keys: no core, no swap where limits allow, nothing in the process list."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from certs.hardening import wipe

ROOT = Path(__file__).resolve().parents[2]
MARK = "5EC12E7" * 8


def _run(code: str, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    def allow_cores() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        preexec_fn=allow_cores,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_hardened_process_says_what_it_did(tmp_path: Path) -> None:
    code = (
        "import ctypes, os, resource\nfrom certs.hardening import harden\nprint(harden().to_json())\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"
        "open('f', 'w').close()\nprint(oct(os.stat('f').st_mode & 0o777))\nassert harden() is harden()"
    )
    done = _run(code, tmp_path)
    said, limits, mode = done.stdout.splitlines()
    assert "'core_dumps': 'off'" in said
    assert limits == "(0, 0) 0"
    assert mode == "0o600"


@pytest.mark.parametrize("end", ["SIGSEGV", "SIGABRT", "SIGQUIT"])
def test_a_process_that_faults_leaves_no_core(end: str, tmp_path: Path) -> None:
    code = (
        f"import os, signal, sys\nfrom certs.hardening import harden\nharden()\nsecret = {MARK!r}.encode() * 100\n"
        f"os.kill(os.getpid(), signal.{end})"
    )
    done = _run(code, tmp_path)
    assert done.returncode == -getattr(signal, end)
    assert not list(tmp_path.iterdir())
    assert MARK not in done.stdout + done.stderr


def test_the_test_above_would_notice_a_core(tmp_path: Path) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern")
    if not pattern.is_file() or pattern.read_text().strip() != "core":
        pytest.skip("cores of this machine go elsewhere")
    done = _run(f"import os, signal\nsecret = {MARK!r}.encode()\nos.kill(os.getpid(), signal.SIGABRT)", tmp_path)
    assert done.returncode == -signal.SIGABRT
    cores = list(tmp_path.iterdir())
    assert cores
    assert MARK.encode() in cores[0].read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ("key", "generate", "k.pem", "--suite", "ed25519", "--password-file", "pw"),
        ("ca", "list", "none", "--password-file", "pw"),
        ("tsa", "none", "none.tsq", "--password-file", "pw"),
        ("sign", "a.pdf", "b.pdf", "--key", "none.pem"),
        ("worker", "--data", "d"),
        ("serve", "--data", "d", "--port", "0"),
    ],
)
def test_every_command_that_holds_keys_is_hardened(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("x\n")
    code = (
        "import sys\nimport certs.hardening as module\n"
        "def seen():\n    print('hardened', flush=True)\n    raise SystemExit(0)\n"
        "module.harden = seen\nfrom api.cli import main\nmain(sys.argv[1:])"
    )
    assert _run(code, tmp_path, *words).stdout == "hardened\n"


LOCKED = "def locked():\n    return int(open('/proc/self/status').read().split('VmLck:')[1].split()[0])\n"
BECOME_NOBODY = "import os\nif os.geteuid() == 0:\n    os.setgroups([]), os.setgid(65534), os.setuid(65534)\n"
"""After all imports: nobody may read the files of root. Root has CAP_IPC_LOCK, and may read every process."""


def test_memory_is_locked_where_that_is_allowed(tmp_path: Path) -> None:
    code = LOCKED + (
        "import mmap, resource\nfrom certs import hardening\n"
        "try:\n    resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2)\n"
        "except (ValueError, OSError):\n    pass\n"
        "print(hardening.harden().memory)\nbefore = locked()\n"
        "later = mmap.mmap(-1, 1 << 26)\nlater[:] = bytes(1 << 26)\nprint(before, locked())"
    )
    done = _run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    said, numbers = done.stdout.splitlines()
    if "limit of locked memory" in said:
        pytest.skip("this user may not raise the limit of locked memory")
    assert said == "locked: never swapped out"
    before, after = map(int, numbers.split())
    assert before > 1000
    assert after - before >= 1 << 16, "what was mapped later is locked too"


def test_memory_is_not_locked_where_later_allocations_would_fail(tmp_path: Path) -> None:
    code = (
        f"import resource\nfrom certs import hardening\n{LOCKED}{BECOME_NOBODY}"
        "resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 22, 1 << 22))\n"
        "print(hardening.harden().memory, locked())\nheld = bytearray(1 << 26)"
    )
    done = _run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "may be swapped out: the limit of locked memory is 4096 KiB (raise it: LimitMEMLOCK=infinity) 0\n"
    )


def test_a_key_encryption_key_is_locked_even_then(tmp_path: Path) -> None:
    code = (
        "import resource\nfrom certs.hardening import lock\nfrom certs.keys.kek import KeyProvider\n"
        f"{LOCKED}{BECOME_NOBODY}resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 20, 1 << 20))\n"
        "before = locked()\nkept = KeyProvider(bytes(range(32)))\nprint(before, locked())\n"
        "print(lock(bytearray()), lock(bytearray(1 << 21)))"
    )
    done = _run(code, tmp_path)
    numbers, others = done.stdout.splitlines()
    before, after = map(int, numbers.split())
    assert before == 0
    assert after >= 4
    assert others == "False False", "more than the limit is not locked, and that is said"


@pytest.mark.parametrize("hardened", [True, False])
def test_other_processes_of_the_user_cannot_read_the_memory(hardened: bool, tmp_path: Path) -> None:
    code = (
        f"import ctypes, os, sys, time\nfrom certs.hardening import harden\n{BECOME_NOBODY}"
        "reader, writer = os.pipe()\nchild = os.fork()\n"
        f"if child == 0:\n    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)\n    {'harden()' if hardened else 'pass'}\n"
        "    os.write(writer, b'x')\n    time.sleep(60)\n    os._exit(0)\n"
        "os.close(writer), os.read(reader, 1)\n"
        "try:\n    open(f'/proc/{child}/mem', 'rb').close()\n    print('read')\n"
        "except PermissionError:\n    print('refused')\n"
        "finally:\n    os.kill(child, 9), os.waitpid(child, 0)"
    )
    done = _run(code, tmp_path)
    if not hardened and done.stdout == "refused\n":
        pytest.skip("this system refuses it anyway")
    assert done.stdout == ("refused\n" if hardened else "read\n"), done.stderr


def test_a_buffer_is_wiped_in_place() -> None:
    secret = bytearray(b"secret")
    view = memoryview(secret)
    wipe(secret)
    assert bytes(view) == bytes(6)
    wipe(bytearray())


def test_doctor_says_it() -> None:
    done = _run("from api.cli import main\nmain(['doctor', '--no-measure'])", ROOT)
    assert "core dumps: off" in done.stdout
    assert "memory: " in done.stdout
    assert "pkcs11: python-pkcs11" in done.stdout
