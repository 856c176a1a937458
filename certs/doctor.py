"""What computes each suite on this machine, whether it passed its self-test, and how fast it is.

    report = doctor.report(measure=True)
    print(report.to_text())            # or report.to_json()

Rates are of one thread over a short message, measured for a tenth of a second each: for comparing libraries, not for
promises.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

from certs import hardening, suites
from certs.errors import BackendUnavailable, UnsupportedAlgorithm
from certs.suites import backends
from certs.suites.base import Library, Suite

SECONDS = 0.1
"""How long each rate is measured."""
_MESSAGE = b"rate of the suite"
_FAST_PARAMETER = {"rsa": "2048", "rsa-pss": "2048"}
"""Measured at this size, because making a larger key takes longer than everything else here."""


@dataclass(frozen=True)
class SuiteReport:
    """One suite on this machine."""

    suite: str
    family: str
    parameter: str
    """The size or parameter set the rates are for."""
    parameters: tuple[str, ...]
    digest: str
    library: Library | None
    """None where no library computes the suite; then `problem` says why."""
    problem: str | None = None
    encryption: Library | None = None
    """What encrypts to keys of the suite; None where nothing does, or where they only sign."""
    signs_per_second: int | None = None
    """None where it was not measured, or where keys of the suite only encrypt."""
    verifies_per_second: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Report:
    """Everything `sealroad doctor` says."""

    python: str
    machine: str
    suites: tuple[SuiteReport, ...]
    libraries: dict[str, str]
    """Libraries for national suites that were tried, and what came of it."""
    process: dict[str, str]
    """What keeps keys inside the process (`certs.hardening`); empty in one that was not hardened."""
    stores: dict[str, str]
    """Places for keys, and the package each needs."""

    @property
    def healthy(self) -> bool:
        """Whether every suite has a library."""
        return all(item.library is not None for item in self.suites)

    def to_json(self) -> dict[str, Any]:
        """Return plain data under the schema sealroad.doctor/1."""
        return {
            "schema": "sealroad.doctor/1",
            "healthy": self.healthy,
            "python": self.python,
            "machine": self.machine,
            "suites": [item.to_json() for item in self.suites],
            "libraries": self.libraries,
            "process": self.process,
            "stores": self.stores,
        }

    def to_text(self) -> str:
        """Return a table for a terminal, and a line for every warning."""
        rows = [
            ("suite", "parameter", "library", "self-test", "encrypts", "sign/s", "verify/s"),
            *map(_row, self.suites),
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = [f"Python {self.python}, {self.machine}", ""]
        for row in rows:
            left = "  ".join(cell.ljust(width) for cell, width in zip(row[:5], widths[:5], strict=True))
            right = "  ".join(cell.rjust(width) for cell, width in zip(row[5:], widths[5:], strict=True))
            lines.append(f"{left}  {right}".rstrip())
        lines += ["", "Libraries in use:"]
        libraries = (library for item in self.suites for library in (item.library, item.encryption))
        used = dict.fromkeys(library for library in libraries if library)
        for name, version in dict.fromkeys((library.name, library.version) for library in used):
            tests = dict.fromkeys(item.self_test for item in used if item.name == name)
            lines.append(f"  {name} {version}")
            lines += [f"    {words}" for words in tests]
        lines += ["", "Tried for the national suites, best first:"]
        lines += [f"  {name}: {words}" for name, words in self.libraries.items()]
        lines += ["", "Places for keys:", *(f"  {name}: {words}" for name, words in self.stores.items())]
        lines += ["", "Keys inside the process:"] if self.process else []
        lines += [f"  {name.replace('_', ' ')}: {words}" for name, words in self.process.items()]
        warnings = dict.fromkeys(library.warning for library in used if library.warning)
        lines += [f"warning: {words}" for words in warnings]
        return "\n".join(lines)


def _row(item: SuiteReport) -> tuple[str, ...]:
    if item.library is None:
        return (item.suite, item.parameter, "none", item.problem or "", "", "", "")
    rates = (item.signs_per_second, item.verifies_per_second)
    encrypts = "" if item.encryption is None else item.encryption.name
    return (
        item.suite,
        item.parameter,
        item.library.name,
        "passed",
        encrypts,
        *("" if x is None else f"{x:,}" for x in rates),
    )


def report(*, measure: bool = True, progress: Callable[[str], None] | None = None) -> Report:
    """Look at every suite; `progress` is told the name of each first. Never raises for a suite that does not work."""
    found = []
    for name in (*suites.ALL_NAMES, *suites.ENCRYPTION_NAMES):
        if progress is not None:
            progress(name)
        found.append(_look(name, measure=measure))
    return Report(
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
        suites=tuple(found),
        libraries=backends.tried(),
        process=hardening.status(),
        stores=_stores(),
    )


def _stores() -> dict[str, str]:
    found = {"file": "here", "sealed": "here"}
    for name, package in (("pkcs11", "python-pkcs11"), ("shares", "shamir-mnemonic")):
        try:
            found[name] = f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            found[name] = f"not here: {package} is not installed"
    return found


def _look(name: str, *, measure: bool) -> SuiteReport:
    suite = suites.get(name)
    parameter = _FAST_PARAMETER.get(name, suite.parameters[0])
    facts: dict[str, Any] = {
        "suite": name,
        "family": suite.family.value,
        "parameter": parameter,
        "parameters": suite.parameters,
        "digest": suite.digest_name,
    }
    try:
        library = suite.library()
        if not measure:
            return SuiteReport(**facts, library=library, encryption=_encryption(suite))
        if suite.encrypts_only:
            return SuiteReport(**facts, library=library, encryption=_encryption(suite))
        key = suite.generate(parameter)
        value, public = key.sign(_MESSAGE), key.public_key
        return SuiteReport(
            **facts,
            library=library,
            encryption=_encryption(suite),
            signs_per_second=_rate(lambda: key.sign(_MESSAGE)),
            verifies_per_second=_rate(lambda: public.verify(value, _MESSAGE)),
        )
    except BackendUnavailable as error:
        return SuiteReport(**facts, library=None, problem=str(error))


def _encryption(suite: Suite) -> Library | None:
    try:
        return suite.encryption_library()
    except (BackendUnavailable, UnsupportedAlgorithm):
        return None


def _rate(action: Callable[[], object]) -> int:
    """Return how often `action` runs in a second."""
    action()
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < SECONDS:
        action()
        count += 1
    return round(count / elapsed)
