"""What the tests of suites share: the vectors of the package cryptography-vectors."""

from __future__ import annotations

import os

import pytest

from tests.certs.suites.known_answers import Vectors


@pytest.fixture(scope="session")
def vectors() -> Vectors:
    """Reads a file of cryptography-vectors; skipped where the package is not, and a failure in CI."""
    try:
        import cryptography_vectors
    except ImportError:
        reason = "the package cryptography-vectors is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    def read(name: str) -> str:
        with cryptography_vectors.open_vector_file(name, "r") as stream:
            return str(stream.read())

    return read
