"""Fixtures shared by every room.

`suite_name`   every suite of the product, one test run each
`SIGNING`      the suites for heavier tests
`circle`       a closed circle of the suite, made once per process: root, issuing, person, organisation, TSA
`clock`        stands still at 2026-11-21T10:00:00Z
`corpus`       the directory of third-party files that SEALROAD_CORPUS names
`sample_pdf`   a small valid PDF of one page
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from certs.clock import FixedClock

if TYPE_CHECKING:  # tests that need no certificate must not pay for these
    from collections.abc import Iterator

    from certs.ca import ClosedCircle
    from certs.certificate import Certificate, Subject
    from certs.crl import CRL
    from certs.suites.base import PrivateKey
    from certs.trust import TrustStore
    from certs.tsa import TimeStampAuthority

hypothesis.settings.register_profile("sealroad", deadline=None)  # timing decides no test
hypothesis.settings.load_profile("sealroad")

ALL_SUITES: tuple[str, ...] = (
    *("rsa", "rsa-pss"),
    *("ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ecdsa-bp256", "ecdsa-bp384", "ecdsa-bp512"),
    *("ed25519", "ed448"),
    *("ml-dsa-44", "ml-dsa-65", "ml-dsa-87"),
    *("sm2", "gost2012-256", "gost2012-512"),
)
"""`certs.suites.ALL_NAMES`, as a test checks."""
SIGNING: tuple[str, ...] = ("rsa", "ecdsa-p256", "ed25519", "ml-dsa-65", "sm2", "gost2012-256", "gost2012-512")

NOW = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)
CLOCK = FixedClock(NOW)
CRL_URL = "http://pki.example/pki/crl/{issuer}.crl"


def own_directory(prefix: str) -> Path:
    """Make a directory that is there as long as this process, whose children may have it too."""
    made, owner = Path(tempfile.mkdtemp(prefix=prefix)), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(made, ignore_errors=True)

    atexit.register(remove)
    return made


@dataclass(frozen=True)
class Holder:
    """Somebody with a key and a certificate."""

    key: PrivateKey
    certificate: Certificate


@dataclass(frozen=True)
class Circle:
    """Everything a test needs of one suite.

    Shared by all tests: do not revoke in it, make your own with `make_circle`.
    """

    suite_name: str
    ca: ClosedCircle
    person: Holder
    organisation: Holder
    tsa: Holder
    timestamper: TimeStampAuthority
    crls: tuple[CRL, ...]

    @property
    def root(self) -> Certificate:
        return self.ca.root

    @property
    def issuing(self) -> Certificate:
        return self.ca.issuing.certificate

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """Issuing and root certificate."""
        return self.ca.chain

    @property
    def trust(self) -> TrustStore:
        """The root as anchor, and current lists of root and issuing authority."""
        from certs.trust import TrustStore

        return TrustStore().with_((self.root,), self.crls)


@cache
def keys_of(suite_name: str) -> tuple[PrivateKey, ...]:
    """Return five keys of a suite, made once: RSA takes long."""
    from certs import suites

    suite = suites.get(suite_name)
    parameter = "2048" if suite_name.startswith("rsa") else None
    return tuple(suite.generate(parameter) for _ in range(5))


def subjects_of(suite_name: str) -> tuple[Subject, Subject]:
    """Return a person and an organisation of the suite's country, in its script and with its identifiers."""
    from certs import suites
    from certs.certificate import Subject
    from certs.identifiers import Identifier

    family = suites.get(suite_name).family
    if family == "china":
        return (
            Subject("王𠮷", organisation="江海贸易有限公司", country="CN"),
            Subject(
                "江海贸易有限公司 合同专用章",
                organisation="江海贸易有限公司",
                country="CN",
                locality="上海",
                identifiers=(Identifier("CN-USCC", "91310000MA1FL5RX2W"),),
            ),
        )
    if family == "russia":
        return (
            Subject(
                "Ёлкин Пётр Ильич",
                country="RU",
                surname="Ёлкин",
                given_name="Пётр Ильич",
                identifiers=(Identifier("RU-INN", "500100732259"), Identifier("RU-SNILS", "11223344595")),
            ),
            Subject(
                "ООО «Северный путь»",
                organisation="ООО «Северный путь»",
                country="RU",
                identifiers=(Identifier("RU-INN", "7707083893"), Identifier("RU-OGRN", "1027700132195")),
            ),
        )
    return (
        Subject("Jörg Müller", country="DE", given_name="Jörg", surname="Müller"),
        Subject(
            "Hansa Fracht GmbH",
            organisation="Hansa Fracht GmbH",
            country="DE",
            identifiers=(Identifier("VAT-DE", "136695976"), Identifier("LEI", "529900T8BM49AURSDO55")),
        ),
    )


def make_circle(suite_name: str) -> Circle:
    """Return a new circle over the suite's cached keys, for tests that change something in it."""

    from certs.ca import ClosedCircle
    from certs.certificate import Subject
    from certs.crl import CRL
    from certs.ledger import MemoryLedger
    from certs.tsa import TimeStampAuthority

    root_key, issuing_key, person_key, organisation_key, tsa_key = keys_of(suite_name)
    ca = ClosedCircle.create(
        suite_name,
        organisation="Sealroad Test",
        country="CN" if suite_name == "sm2" else "RU" if suite_name.startswith("gost") else "DE",
        clock=CLOCK,
        ledger=MemoryLedger(),
        crl_url=CRL_URL,
        root_key=root_key,
        issuing_key=issuing_key,
    )
    person, organisation = subjects_of(suite_name)
    tsa_certificate = ca.issue(
        "tsa", Subject("Time-stamping", organisation="Sealroad Test", country="DE"), tsa_key.public_key.spki
    )
    return Circle(
        suite_name=suite_name,
        ca=ca,
        person=Holder(person_key, ca.issue("person", person, person_key.public_key.spki)),
        organisation=Holder(organisation_key, ca.issue("organisation", organisation, organisation_key.public_key.spki)),
        tsa=Holder(tsa_key, tsa_certificate),
        timestamper=TimeStampAuthority(tsa_key, tsa_certificate, (ca.issuing.certificate,), CLOCK),
        crls=(CRL(ca.crl()), CRL(ca.root_crl())),
    )


@cache
def circle_of(suite_name: str) -> Circle:
    """Return the shared circle of a suite."""
    return make_circle(suite_name)


@pytest.fixture(params=ALL_SUITES)
def suite_name(request: pytest.FixtureRequest) -> str:
    """Every suite of the product."""
    return str(request.param)


@pytest.fixture(params=SIGNING)
def signing_suite(request: pytest.FixtureRequest) -> str:
    """The suites for heavier tests."""
    return str(request.param)


KINDS = ("rsa", "ml-dsa-65", "sm2", "gost2012-256")
"""One suite of each kind. ECDSA is what most tests use anyway."""


@pytest.fixture(params=[name if name in KINDS else pytest.param(name, marks=pytest.mark.long) for name in ALL_SUITES])
def kind_suite(request: pytest.FixtureRequest) -> str:
    """Every suite, for tables of hundreds of cases: one of each kind in CI, all in `make test-long`."""
    return str(request.param)


@pytest.fixture
def signing_suites() -> tuple[str, ...]:
    """The names in SIGNING."""
    return SIGNING


@pytest.fixture
def circle(suite_name: str) -> Circle:
    """The shared circle of the suite under test."""
    return circle_of(suite_name)


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands still."""
    return CLOCK


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The directory of third-party files; a test that needs it is skipped where it is not, and fails in CI."""
    root = Path(__file__).resolve().parent.parent
    path = Path(os.environ.get("SEALROAD_CORPUS") or root.parent / "shared" / "corpus")
    if not path.is_dir():
        reason = f"no third-party files at {path}; set SEALROAD_CORPUS"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def needs_gost(parameter: str) -> None:
    """Skip a test for which no library here makes keys of a GOST parameter set; in CI it fails.

    Debian without gost-engine has GnuTLS, which knows four of the twelve.
    """
    from certs.errors import BackendUnavailable
    from certs.suites import backends

    try:
        backends.gost(parameter, sign=True)
    except BackendUnavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(f"{error}; install gost-engine")


def make_pdf(text: str = "Sealroad") -> bytes:
    """Return a valid PDF 1.7 of one A4 page with a line of text, cross-reference table included."""
    stream = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources 6 0 R >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Font << /F1 4 0 R >> >>",
    ]
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    identifier = b"<5365616c726f61642074657374206964>"
    out += b"trailer\n<< /Size %d /Root 1 0 R /ID [%s %s] >>\n" % (len(objects) + 1, identifier, identifier)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


@pytest.fixture(scope="session")
def sample_pdf() -> bytes:
    """A small valid PDF."""
    return make_pdf()


@pytest.fixture(autouse=True)
def _not_hardened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that hold keys change limits and umask of their process for good, which here is that of all tests.

    `tests/certs/test_hardening.py` looks at processes of their own.
    """
    from certs import hardening

    monkeypatch.setattr(hardening, "harden", lambda: None)


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Make encrypting a key cheap: its cost is not what tests are about, but services and circles have many keys.

    `tests/certs/test_keys.py` looks at what it costs otherwise.
    """
    from certs.keys import kek_passphrase, pbes2

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kek_passphrase, "SCRYPT", {"n": 2, "r": 1, "p": 1})
        patch.setattr(kek_passphrase, "ARGON2ID", {"n": 1, "r": 8, "p": 1})
        patch.setattr(pbes2, "SCRYPT_N", 2**4)
        patch.setattr(pbes2, "PBKDF2_ROUNDS", 10)
        yield
