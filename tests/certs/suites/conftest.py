"""What the tests of suites share: the vectors of the package cryptography-vectors."""

from __future__ import annotations

import os

import pytest

from certs.suites.gost_parameters import BY_NAME, ParameterSet
from tests.certs.suites.known_answers import Vectors
from tests.conftest import needs_gost


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


@pytest.fixture(autouse=True)
def gost_parameter_sets(request: pytest.FixtureRequest) -> None:
    """Skip a test over a GOST parameter set that no library here computes; see `needs_gost`."""
    callspec = getattr(request.node, "callspec", None)
    for value in callspec.params.values() if callspec else ():
        for item in value if isinstance(value, tuple) else (value,):
            name = item.name if isinstance(item, ParameterSet) else item
            if isinstance(name, str) and name in BY_NAME:
                needs_gost(name)
