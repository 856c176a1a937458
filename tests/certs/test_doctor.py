"""`sealroad doctor`: what computes each suite, said as it is."""

from __future__ import annotations

import json

import pytest

from api.cli import main
from certs import doctor, suites
from certs.errors import BackendUnavailable
from certs.suites import backends
from tests.conftest import ALL_SUITES


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SECONDS", 0.001)


def test_every_suite_has_a_library_a_self_test_and_rates() -> None:
    report = doctor.report()
    assert tuple(item.suite for item in report.suites) == (*ALL_SUITES, *suites.ENCRYPTION_NAMES)
    assert report.healthy
    for item in report.suites:
        assert item.library is not None
        assert item.library.self_test
        if item.suite in suites.ENCRYPTION_NAMES:
            assert (item.encryption, item.signs_per_second, item.verifies_per_second) == (item.library, None, None)
            continue
        assert item.signs_per_second is not None
        assert item.verifies_per_second is not None
        assert min(item.signs_per_second, item.verifies_per_second) > 0
        assert item.parameter in item.parameters


def test_the_text_names_every_suite_and_library() -> None:
    report = doctor.report(measure=False)
    lines = report.to_text().splitlines()
    for item in report.suites:
        assert item.library is not None
        (line,) = [line for line in lines if line.split()[:1] == [item.suite]]
        assert item.library.name in line
        assert "passed" in line
    assert max(map(len, lines)) < 120


def test_the_json_has_a_schema_and_the_same_facts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", "--no-measure"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "sealroad.doctor/1"
    assert found["healthy"] is True
    assert [item["suite"] for item in found["suites"]] == [*suites.ALL_NAMES, *suites.ENCRYPTION_NAMES]
    assert set(found["libraries"]) == {"libcrypto_sm2", "gmssl", "gost_engine", "gnutls", "gostcrypto"}


def test_a_suite_without_a_library_is_named_and_the_exit_code_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing() -> None:
        raise BackendUnavailable("no library on this machine computes SM2")

    monkeypatch.setattr(backends, "sm2", nothing)
    assert main(["doctor", "--no-measure"]) == 1
    text = capsys.readouterr().out
    (line,) = [line for line in text.splitlines() if line.startswith("sm2 ")]
    assert "no library on this machine computes SM2" in line
    assert "sm2" not in suites.names()
    assert "gost2012-256" in suites.names()


def test_progress_is_told_each_name() -> None:
    names: list[str] = []
    doctor.report(measure=False, progress=names.append)
    assert tuple(names) == (*ALL_SUITES, *suites.ENCRYPTION_NAMES)
