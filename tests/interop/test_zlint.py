"""zlint's opinion of every profile in every suite, and of revocation lists: RFC 5280 and its neighbours, ETSI.

`tools/conformance_data.py` builds zlint. It reads no SM2 and no brainpool curve, and no arc of an OID of 128 bits:
such a certificate is judged by its twin, the same to-be-signed content with a P-256 key and signature, or with another
purpose in the place of that one. Findings from NOTICE upwards fail, unless `EXPECTED` says which clause forces them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs import ber, der, extensions, profiles
from certs.certificate import Certificate
from certs.pem import armor
from certs.suites.base import Use
from tests.certs.test_profiles import everything
from tests.conftest import circle_of, keys_of
from tests.interop.programs import WORK, Program

pytestmark = pytest.mark.interop

SOURCES = "RFC3279,RFC5280,RFC5480,RFC5891,RFC8813,Community,ETSI_ESI"
"""What is left out are the rules of browsers and of servers of the web."""
UNREAD = ("ecdsa-bp256", "ecdsa-bp384", "ecdsa-bp512", "sm2")
"""Suites whose keys zlint cannot read."""
UNVERIFIED = ("rsa-pss", "ed448", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87", "gost2012-256", "gost2012-512")
"""Suites whose signatures zlint cannot compute, so that it does not see that a root has signed itself."""


@dataclass(frozen=True)
class Expected:
    """A finding that is no fault."""

    name: str
    reason: str
    applies: Callable[[str, str], bool]
    """Told suite and profile."""


EXPECTED = (
    Expected(
        "e_ext_authority_key_identifier_no_key_identifier",
        "RFC 5280 4.2.1.1: a self-signed certificate may leave it out",
        lambda suite, profile: profile == "root" and suite in UNVERIFIED,
    ),
    Expected(
        "e_key_usage_and_extended_key_usage_inconsistent",
        "GM/T 0015, RFC 9215 3: an encryption certificate has both encipherments and keyAgreement; RFC 5280 4.2.1.12 "
        "has one of them beside emailProtection",
        lambda suite, profile: profile == "encryption" and suite in ("sm2", "gost2012-256", "gost2012-512"),
    ),
    Expected(
        "e_ecdsa_allowed_ku",
        "the twin of an SM2 encryption certificate has an ECDSA key",
        lambda suite, profile: profile == "encryption" and suite == "sm2",
    ),
)


@pytest.fixture(scope="module")
def zlint() -> Program:
    path = WORK / "conformance" / "zlint"
    if not path.exists():
        pytest.skip("no zlint: python tools/conformance_data.py builds it, with Go")
    return Program(str(path))


def twin(certificate: Certificate, *, key: bool, purpose: str | None) -> Certificate:
    """Return the same content with a P-256 key and signature, and without a purpose that cannot be read."""
    signer = keys_of("ecdsa-p256")[0]
    algorithm = signer.suite.signature_algorithm(Use.X509).der()
    members = [item.raw() for item in ber.load(certificate.tbs).expect(ber.SEQUENCE)]
    members[2] = algorithm
    if key:
        members[6] = signer.public_key.spki
    tbs = der.sequence(*members)
    if purpose:
        short = der.oid("1.3.6.1.5.5.7.3.99")
        long = der.oid(purpose)
        value = next(item.value for item in certificate.extensions if item.oid == "2.5.29.37")
        items = [item.raw() for item in ber.load(value).expect(ber.SEQUENCE)]
        changed = der.sequence(*(short if item == long else item for item in items))
        fields = [
            extensions.encode(item if item.oid != "2.5.29.37" else type(item)(item.oid, item.critical, changed))
            for item in certificate.extensions
        ]
        members[7] = der.tlv(0xA3, der.sequence(*fields))
        tbs = der.sequence(*members)
    return Certificate(extensions.signed(tbs, algorithm, signer.sign(tbs)))


def to_judge(suite: str, profile: str) -> Iterator[Certificate]:
    circle = circle_of(suite)
    made = [circle.root] if profile == "root" else [one for _, one in everything(circle, profile)]
    unread = next((item for item in profiles.load(profile).extended_key_usage if item.startswith("2.25.")), None)
    for certificate in made:
        if suite in UNREAD or unread:
            yield twin(certificate, key=suite in UNREAD, purpose=unread)
        else:
            yield certificate


def findings(zlint: Program, *files: Path) -> Iterator[tuple[str, str]]:
    """Yield what zlint says, name and severity, of every file."""
    answers = zlint.run("-includeSources", SOURCES, *files).check().output.decode().splitlines()
    assert len(answers) == len(files)
    for answer in answers:
        results = json.loads(answer)
        assert len(results) > 10
        for name, found in results.items():
            if found["result"] in ("notice", "warn", "error", "fatal"):
                yield name, f"{found['result']} {found.get('details', '')}"


@pytest.mark.parametrize("profile", profiles.names())
def test_every_profile_in_every_suite(profile: str, kind_suite: str, zlint: Program, tmp_path: Path) -> None:
    if (allowed := profiles.load(profile).suites) and kind_suite not in allowed:
        return
    files = []
    for number, certificate in enumerate(to_judge(kind_suite, profile)):
        files.append(tmp_path / f"{number}.pem")
        files[-1].write_text(certificate.pem)
    assert files
    forced = {item.name for item in EXPECTED if item.applies(kind_suite, profile)}
    assert {item for item in findings(zlint, *files) if item[0] not in forced} == set()


def test_revocation_lists(suite_name: str, zlint: Program, tmp_path: Path) -> None:
    files = []
    for number, crl in enumerate(circle_of(suite_name).crls):
        files.append(tmp_path / f"{number}.pem")
        files[-1].write_text(armor("X509 CRL", crl.der))
    assert set(findings(zlint, *files)) == set()


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda item: item.name)
def test_every_expected_finding_occurs(expected: Expected, zlint: Program, tmp_path: Path) -> None:
    suite, profile = ("rsa-pss", "root") if expected.applies("rsa-pss", "root") else ("sm2", "encryption")
    path = tmp_path / "one.pem"
    path.write_text(next(to_judge(suite, profile)).pem)
    assert expected.name in dict(findings(zlint, path))
