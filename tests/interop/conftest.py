"""Fixtures of the tests judged by outside programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop import papers, programs
from tests.interop.papers import Papers
from tests.interop.programs import Program


@pytest.fixture(scope="session")
def openssl() -> Program:
    """The openssl command as installed."""
    return Program.find("openssl")


@pytest.fixture(scope="session")
def gost_openssl(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The openssl command with the gost engine."""
    return programs.gost_openssl(tmp_path_factory.mktemp("openssl"))


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory below which papers are written."""
    return tmp_path_factory.mktemp("papers")


@pytest.fixture
def paper(suite_name: str, desk: Path) -> Papers:
    """Everything we make in the suite under test, as files."""
    return papers.of(suite_name, desk)
