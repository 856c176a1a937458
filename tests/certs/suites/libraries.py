"""The libraries behind the national suites, for tests that need one of them or a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from certs.errors import BackendUnavailable
from certs.suites import backends

SM2, GOST = ("libcrypto_sm2", "gmssl"), ("gost_engine", "gnutls", "gostcrypto")


def installed(module: str) -> Any:
    """Return a working library.

    A test that needs one that is not on this machine is skipped, and fails in CI; one that is here and fails its
    self-test fails the test.
    """
    backend = backends._load(module)
    if isinstance(backend, BackendUnavailable):
        if os.environ.get("CI") == "true" or "failed" in str(backend) or "wrong" in str(backend):
            pytest.fail(f"{module}: {backend}")
        pytest.skip(f"{module}: {backend}")
    return backend


def in_a_process(code: str, **environment: str) -> str:
    """Run Python there and return what it prints; a crash fails the test."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
