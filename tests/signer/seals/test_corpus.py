"""Seals that another program made: read whole, and each value verifies over the octets as received."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from certs.certificate import Certificate
from certs.errors import BadSignature, MalformedInput
from signer.seals import Seal, SealVersion, read_seal, read_seal_signature
from signer.seals.check import digest_beside, verify_value
from tests.signer.seals import corpus as files

pytestmark = pytest.mark.corpus


def check_seal(seal: Seal) -> None:
    checked = verify_value(Certificate(seal.maker), seal.signature_algorithm, seal.signature, seal.tbs)
    assert (checked.suite, checked.variants) == ("sm2", ())


@pytest.mark.parametrize(
    ("name", "version", "kind"),
    [("UserV1.esl", 1, 1), ("UserV4.esl", 4, 3), ("UserV5.esl", 5, 3), ("UserV5_ts.esl", 5, 3)],
)
def test_a_seal_of_every_version_is_read_and_its_value_verifies(
    corpus: Path, name: str, version: int, kind: int
) -> None:
    data = (files.folder(corpus) / name).read_bytes()
    seal = read_seal(data)
    assert (seal.der, seal.version, seal.header_version, seal.type) == (data, version, version, kind)
    assert (seal.header_id, seal.variants, seal.extensions, seal.foreign_entries) == ("ES", (), (), ())
    assert (seal.picture.type, seal.picture.width, seal.picture.height) == ("PNG", 40, 40)
    assert seal.picture.data.startswith(b"\x89PNG")
    assert seal.time_stamp == (b"\x01\x02\x03" if name == "UserV5_ts.esl" else None)
    assert Certificate(seal.certificates[0]).serial == 1587479948128
    assert Certificate(seal.maker).serial == 1587479978013
    check_seal(seal)


def test_dates_and_names_of_a_seal(corpus: Path) -> None:
    seal = read_seal((files.folder(corpus) / "UserV1.esl").read_bytes())
    assert seal.version.standard == "GM/T 0031-2014"
    assert (seal.vendor, seal.seal_id) == ("OFDR&WTest", "40C8CDD24DEF43388B86E62CCE1D6832")
    assert seal.name == "OFDRW测试用印章"
    assert seal.created == seal.valid_from == datetime(2020, 4, 22, 2, 18, 7, tzinfo=UTC)
    assert seal.valid_to == datetime(2022, 4, 22, 2, 18, 7, tzinfo=UTC)


def test_every_seal_signature_is_read_and_both_values_verify(corpus: Path) -> None:
    found = files.signatures(corpus)
    assert len(found) == len(files.SIGNATURES) + sum(files.PACKAGES.values())
    for name, data in found.items():
        signed = read_seal_signature(data)
        assert signed.der == data, name
        assert signed.variants == signed.seal.variants == (), name
        assert signed.version == (SealVersion.V5 if name == "SignedValueV5.dat" else SealVersion.V4)
        assert signed.property_info.endswith("/Signature.xml")
        assert signed.seal.lists(signed.certificate) == "certificate", name
        signer = Certificate(signed.certificate)
        assert digest_beside(signed.signature_algorithm, signer) == "sm3"
        assert len(signed.data_hash) == 32
        assert verify_value(signer, signed.signature_algorithm, signed.signature, signed.tbs).suite == "sm2"
        check_seal(signed.seal)
        with pytest.raises(BadSignature):
            verify_value(signer, signed.signature_algorithm, signed.signature, signed.tbs + b"\x00")


def test_the_time_of_a_signature_is_what_timeinfo_says(corpus: Path) -> None:
    signed = read_seal_signature((files.folder(corpus) / "SignedValueV4.dat").read_bytes())
    assert signed.time == datetime(2020, 10, 12, 11, 14, 3, tzinfo=UTC)
    assert (signed.time_info, signed.time_token, signed.time_stamp) == (b"20201012111403Z", None, None)
    assert signed.data_hash == bytes(32)


def test_a_bare_signature_value_is_no_seal_signature(corpus: Path) -> None:
    import zipfile

    with zipfile.ZipFile(files.folder(corpus) / "DigitalSign.ofd") as package:
        value = package.read("Doc_0/Signs/Sign_0/SignedValue.dat")
    for reader in (read_seal, read_seal_signature):
        with pytest.raises(MalformedInput):
            reader(value)
