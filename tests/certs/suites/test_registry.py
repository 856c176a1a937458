"""What asn1crypto learns of our algorithms, and that it is taught once, in the version this was written for."""

from __future__ import annotations

import asn1crypto
import pytest
from asn1crypto import algos, keys, x509

from certs import der, oids, suites
from certs.errors import BackendFault
from certs.suites import registry
from certs.suites.base import AlgorithmID, Use
from tests.conftest import circle_of, keys_of

TAUGHT = {
    "sm2": ("sm2", "sm3"),
    "gost2012-256": ("gost2012_256", "streebog256"),
    "gost2012-512": ("gost2012_512", "streebog512"),
    "ml-dsa-44": ("ml_dsa_44", "sha512"),
    "ml-dsa-65": ("ml_dsa_65", "sha512"),
    "ml-dsa-87": ("ml_dsa_87", "sha512"),
}
"""Key algorithm and digest, as asn1crypto names them."""
KNOWN_BEFORE = {
    "rsa": ("rsassa_pkcs1v15", "sha256"),
    "rsa-pss": ("rsassa_pss", "sha256"),
    "ecdsa-p256": ("ecdsa", "sha256"),
    "ed25519": ("ed25519", "sha512"),
}


@pytest.fixture(autouse=True)
def _installed() -> None:
    registry.install()


@pytest.mark.parametrize("name", TAUGHT)
def test_our_certificates_are_read_whole(name: str) -> None:
    parsed = circle_of(name).person.certificate.asn1
    key = circle_of(name).person.key.public_key
    assert isinstance(parsed, x509.Certificate)
    assert parsed.native["signature_algorithm"]["algorithm"]
    assert (parsed["signature_algorithm"].signature_algo, parsed["signature_algorithm"].hash_algo) == TAUGHT[name]
    assert parsed["tbs_certificate"]["subject_public_key_info"].dump() == key.spki
    assert parsed.public_key["public_key"].dump()
    if name != "sm2":  # an EC key there: point and named curve
        assert bytes(parsed.public_key["public_key"].native) == der.split_spki(key.spki)[1]
    assert parsed.dump(force=True) == circle_of(name).person.certificate.der


def test_an_sm2_key_is_an_ec_key_on_a_named_curve() -> None:
    info = keys.PublicKeyInfo.load(keys_of("sm2")[0].public_key.spki)
    assert info["algorithm"]["algorithm"].native == "ec"
    assert info["algorithm"]["parameters"].native == "sm2p256v1"
    assert info.native["public_key"][:1] == b"\x04"


@pytest.mark.parametrize("use", list(Use))
@pytest.mark.parametrize("name", [*TAUGHT, *KNOWN_BEFORE])
def test_signature_algorithms_say_key_and_digest(name: str, use: Use) -> None:
    signed = algos.SignedDigestAlgorithm.load(suites.get(name).signature_algorithm(use).der())
    assert (signed.signature_algo, signed.hash_algo) == (TAUGHT | KNOWN_BEFORE)[name]


@pytest.mark.parametrize("name", ["sm3", "streebog256", "streebog512", "gost94"])
def test_digests_go_both_ways(name: str) -> None:
    assert algos.DigestAlgorithmId(name).dotted == suites.digest_oid(name)
    assert algos.DigestAlgorithm.load(AlgorithmID(suites.digest_oid(name)).der()).native["algorithm"] == name


@pytest.mark.parametrize("name", TAUGHT)
def test_our_private_keys_are_read(name: str) -> None:
    key = keys_of(name)[0]
    info = keys.PrivateKeyInfo.load(key.pkcs8())
    assert info["private_key_algorithm"]["algorithm"].native
    assert info.native["private_key"]
    # written anew, an EC key whose number begins with zeros comes out shorter than RFC 5915 3 has it
    assert keys.PrivateKeyInfo.load(info.dump(force=True)).native == info.native
    assert info.dump() == key.pkcs8()


def test_the_keys_asn1crypto_knew_are_still_what_they_were() -> None:
    rsa = keys.PublicKeyInfo.load(keys_of("rsa")[0].public_key.spki)
    assert rsa.native["public_key"]["public_exponent"] == 65537
    curve = keys.PublicKeyInfo.load(keys_of("ecdsa-p384")[0].public_key.spki)
    assert curve.native["algorithm"] == {"algorithm": "ec", "parameters": "secp384r1"}
    private = keys.PrivateKeyInfo.load(keys_of("rsa")[0].pkcs8())
    assert private.native["private_key"]["modulus"] == rsa.native["public_key"]["modulus"]


def test_a_key_of_an_unknown_kind_stays_opaque() -> None:
    spki = der.subject_public_key_info(AlgorithmID("1.2.3.4.5", der.NULL_DER), b"\x01\x02")
    info = keys.PublicKeyInfo.load(spki)
    assert bytes(info["public_key"].native) == b"\x01\x02"
    assert info.dump(force=True) == spki
    pkcs8 = der.private_key_info(AlgorithmID("1.2.3.4.5"), b"\x01\x02")
    assert keys.PrivateKeyInfo.load(pkcs8)["private_key"].contents == b"\x01\x02"


@pytest.mark.parametrize("dotted", [oids.INN, oids.INNLE, oids.OGRN, oids.OGRNIP, oids.SNILS])
def test_russian_identifiers_are_numeric_strings(dotted: str) -> None:
    """Order of the FSB no. 795: NumericString."""
    pair = der.sequence(der.oid(dotted), der.tlv(0x12, b"7707083893"))
    attribute = x509.NameTypeAndValue.load(pair)
    assert attribute["type"].native == oids.name(dotted)
    assert attribute["value"].native == "7707083893"
    assert attribute.dump(force=True) == pair


def test_installing_again_changes_nothing() -> None:
    before = (
        algos.SignedDigestAlgorithm.signature_algo,
        algos.SignedDigestAlgorithm.hash_algo,
        keys.PublicKeyInfo._spec_callbacks,
        dict(algos.SignedDigestAlgorithmId._map),
        list(x509.NameType.preferred_order),
    )
    registry.install()
    after = (
        algos.SignedDigestAlgorithm.signature_algo,
        algos.SignedDigestAlgorithm.hash_algo,
        keys.PublicKeyInfo._spec_callbacks,
        dict(algos.SignedDigestAlgorithmId._map),
        list(x509.NameType.preferred_order),
    )
    assert before == after
    assert before[0] is after[0]
    assert len(set(x509.NameType.preferred_order)) == len(x509.NameType.preferred_order)


def test_it_is_taught_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(registry, "_installed", False)
    monkeypatch.setattr(registry, "_teach", lambda: calls.append("teach"))
    monkeypatch.setattr(registry, "_self_test", lambda: calls.append("test"))
    for _ in range(3):
        registry.install()
    assert calls == ["teach", "test"]


@pytest.mark.parametrize("version", ["1.4.0", "1.6.0", "2.0", "1.50"])
def test_another_version_is_refused_before_anything_is_changed(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(registry, "_installed", False)
    monkeypatch.setattr(asn1crypto, "__version__", version)
    monkeypatch.setattr(registry, "_teach", lambda: pytest.fail("taught"))
    with pytest.raises(BackendFault, match=version):
        registry.install()
    assert not registry._installed


def test_what_was_not_learnt_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_installed", False)
    monkeypatch.setattr(registry, "_teach", lambda: None)
    monkeypatch.delitem(algos.SignedDigestAlgorithmId._map, oids.SM2_WITH_SM3)
    with pytest.raises(BackendFault):
        registry.install()
    assert not registry._installed
