"""Bouncy Castle reads our seals from the ASN.1 alone and computes their SM2 values; we read those that it makes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from certs import oids, suites
from certs.certificate import Certificate
from signer.seals import SealExtension, SealVersion, read_seal, read_seal_signature
from signer.seals.check import verify_value
from signer.seals.make import make_seal
from signer.seals.sign import sign_with_seal
from tests.conftest import NOW, circle_of
from tests.interop.programs import BOUNCY_CASTLE, Opinion, jars, java_program
from tests.signer.seals.making import PROPERTY, raster, spec_of

pytestmark = pytest.mark.interop

VERSIONS = tuple(SealVersion)
HASH = suites.digest("sm3", b"Signature.xml")
MOMENT = "20261121100000GMT+00:00"
EXTENSION = SealExtension("1.2.3.4", critical=True, value=b"\x05\x00")


def ours(version: SealVersion, *, digests: bool, stamped: bool) -> tuple[bytes, bytes]:
    """Return a seal and a signature with it, with everything that the version has a place for."""
    circle = circle_of("sm2")
    early = version == SealVersion.V1
    spec = spec_of("sm2", version, digests=digests, extensions=(EXTENSION,))
    stamper = circle.timestamper if stamped else None
    seal = make_seal(spec, circle.person.key, circle.person.certificate, stamper if version == SealVersion.V5 else None)
    signed = sign_with_seal(
        seal,
        circle.organisation.key,
        circle.organisation.certificate,
        data_hash=HASH,
        property_info=PROPERTY,
        time=NOW,
        extensions=() if early else (EXTENSION,),
        timestamper=None if early else stamper,
    )
    return seal.der, signed.der


@pytest.fixture(scope="module")
def opinions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Opinion]:
    """What Bouncy Castle says of all our seals, by label."""
    desk = tmp_path_factory.mktemp("seals")
    files: dict[str, tuple[str, bytes]] = {}
    for version in VERSIONS:
        seal, signed = ours(version, digests=False, stamped=False)
        files |= {f"seal {version}": ("seal", seal), f"signature {version}": ("signature", signed)}
        files[f"altered seal {version}"] = ("seal", seal.replace(b"31010000000042", b"31010000000043"))
        files[f"altered signature {version}"] = ("signature", signed.replace(HASH, bytes(32)))
        if version != SealVersion.V1:
            seal, signed = ours(version, digests=True, stamped=True)
            files |= {f"full seal {version}": ("seal", seal), f"full signature {version}": ("signature", signed)}
    lines = []
    for number, (label, (kind, data)) in enumerate(files.items()):
        (desk / f"{number}.der").write_bytes(data)
        lines.append(f"{label}\t{kind}\t{desk / f'{number}.der'}\n")
    (desk / "jobs.tsv").write_text("".join(lines))
    outcome = java_program("Seals", jars(BOUNCY_CASTLE)).run("judge", desk / "jobs.tsv")
    found = {}
    for line in outcome.output.decode().splitlines():
        head, _, detail = line.partition("\t")
        word, _, label = head.partition(" ")
        found[label] = Opinion(word == "ok", detail)
    assert found.keys() == files.keys(), outcome
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("what", ["seal", "signature"])
def test_it_reads_and_verifies_what_we_make(what: str, version: SealVersion, opinions: dict[str, Opinion]) -> None:
    opinion = opinions[f"{what} {int(version)}"]
    assert opinion.good, opinion
    said = opinion.detail
    for part in (
        *(f"version={int(version)}", "vendor=SEALROAD", "number=31010000000042", "type=4", "listed=1 1"),
        *("name=江海贸易有限公司 合同专用章 𠮷", "picture=PNG", f"picture octets={len(raster())}", "size=40x40"),
        f"seal extensions=1.2.3.4 critical 0500;{oids.SEAL_FILING_NUMBER} 0c",
    ):
        assert part in said, part
    assert f"created={MOMENT}" in said
    if what == "signature":
        assert f"hash={HASH.hex()}" in said
        assert f"property={PROPERTY}" in said
        assert f"time={MOMENT}" in said
        assert ("extensions=1.2.3.4 critical 0500;," in said) == (version != SealVersion.V1)


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_it_reads_digests_and_time_stamps(version: SealVersion, opinions: dict[str, Opinion]) -> None:
    seal, signed = opinions[f"full seal {int(version)}"], opinions[f"full signature {int(version)}"]
    assert seal.good, seal
    assert signed.good, signed
    assert f"digest type={oids.SM3}" in seal.detail
    assert "listed=2 1" in seal.detail
    assert (f"seal stamp={MOMENT}" in seal.detail) == (version == SealVersion.V5)
    assert f", stamp={MOMENT}" in signed.detail


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("what", ["seal", "signature"])
def test_it_sees_what_was_altered(what: str, version: SealVersion, opinions: dict[str, Opinion]) -> None:
    opinion = opinions[f"altered {what} {int(version)}"]
    assert not opinion.good
    assert "the value does not verify" in opinion.detail


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with seals and signatures that Bouncy Castle made with our keys."""
    desk, circle = tmp_path_factory.mktemp("foreign"), circle_of("sm2")
    files = {
        "maker.p8": circle.person.key.pkcs8(),
        "maker.cer": circle.person.certificate.der,
        "owner.p8": circle.organisation.key.pkcs8(),
        "owner.cer": circle.organisation.certificate.der,
        "seal.png": raster(),
    }
    for name, data in files.items():
        (desk / name).write_bytes(data)
    java_program("Seals", jars(BOUNCY_CASTLE)).run("make", desk, *(desk / name for name in files)).check()
    return desk


@pytest.mark.parametrize("version", VERSIONS)
def test_we_read_and_verify_what_it_makes(version: SealVersion, foreign: Path) -> None:
    circle = circle_of("sm2")
    seal = read_seal((foreign / f"seal-{int(version)}.der").read_bytes())
    assert (seal.version, seal.vendor, seal.seal_id, seal.name, seal.variants) == (
        *(version, "BC", "4711", "合同专用章"),
        (),
    )
    assert (seal.created, seal.valid_to) == (NOW, datetime(2027, 11, 21, tzinfo=UTC))
    assert (seal.picture.data, seal.picture.width) == (raster(), 42)
    assert seal.extensions == (SealExtension("1.2.3.4", critical=True, value=b"\x01\x02"),)
    verify_value(circle.person.certificate, seal.signature_algorithm, seal.signature, seal.tbs)
    signed = read_seal_signature((foreign / f"signature-{int(version)}.der").read_bytes())
    assert (signed.seal, signed.time, signed.data_hash, signed.variants) == (seal, NOW, HASH, ())
    assert seal.lists(signed.certificate) == "certificate"
    verify_value(Certificate(signed.certificate), signed.signature_algorithm, signed.signature, signed.tbs)
