"""Certificates and lists of real authorities: read, shown, verified, kept to the octet. Nothing of it is trusted."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.certificate import Certificate, load_certificate, load_certificates
from certs.crl import load_crls
from certs.errors import BadSignature, CertsError, MalformedInput, UnsupportedAlgorithm
from certs.path import validate_path
from certs.trust import TrustStore
from tests.conftest import needs_gost

pytestmark = pytest.mark.corpus

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


def look_at(certificate: Certificate) -> None:
    """Touch everything that could raise."""
    _ = certificate.subject, certificate.issuer, certificate.identifiers, certificate.problems, certificate.policies
    _ = certificate.not_before, certificate.not_after, certificate.key_usage, certificate.extended_key_usage
    _ = certificate.crl_urls, certificate.ski, certificate.aki, certificate.suite_name, certificate.serial_hex


# China ---------------------------------------------------------------------------------------------------------------
def chinese(corpus: Path) -> list[Certificate]:
    return [load_certificate(path.read_bytes()) for path in sorted((corpus / "china-ca").glob("*.crt"))]


def test_86_chinese_authorities_are_read_as_expected(corpus: Path) -> None:
    certificates = {certificate.fingerprint(): certificate for certificate in chinese(corpus)}
    with (corpus / "china-ca" / "expected.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(certificates) == 86
    seen = 0
    for row in rows:
        certificate = certificates.get(row["sha256"].lower())
        if certificate is None:
            continue
        seen += 1
        look_at(certificate)
        assert not certificate.problems
        assert certificate.suite_name == "sm2"
        assert certificate.is_ca
        assert certificate.key_usage == {"key_cert_sign", "crl_sign"}
        assert len(certificate.distribution_points) == 3
    assert seen == 86


def test_72_chinese_authorities_have_a_path_to_the_national_root_and_14_lack_their_issuer(corpus: Path) -> None:
    store = TrustStore.load([corpus / "china-ca" / "anchors" / "NRCAC-ROOTCA.crt"])
    (root,) = store.anchors
    assert root.verify_signed_by(root) == "sm2"
    words: dict[str | None, int] = {}
    for certificate in chinese(corpus):
        result = validate_path(certificate, (), store, AT, revocation="if-present")
        if result.sub_indication != "NO_CERTIFICATE_CHAIN_FOUND":
            # an authority is no signer of documents: the chain holds, its purpose does not
            assert certificate.verify_signed_by(root) == "sm2"
            assert result.chain == (certificate, root)
        words[result.sub_indication] = words.get(result.sub_indication, 0) + 1
    assert words == {"CHAIN_CONSTRAINTS_FAILURE": 72, "NO_CERTIFICATE_CHAIN_FOUND": 14}


def test_one_flipped_bit_in_each_chinese_certificate_is_caught(corpus: Path) -> None:
    (root,) = TrustStore.load([corpus / "china-ca" / "anchors" / "NRCAC-ROOTCA.crt"]).anchors
    for number, certificate in enumerate(chinese(corpus)):
        mutated = bytearray(certificate.der)
        mutated[40 + 7 * number] ^= 1 << number % 8
        with pytest.raises(CertsError):
            Certificate(bytes(mutated)).verify_signed_by(root)


def test_a_placeholder_is_no_certificate(corpus: Path) -> None:
    with pytest.raises(MalformedInput):
        load_certificates((corpus / "china-ca" / "malformed" / "ca-sm2-root.crt").read_bytes())


def test_sheca(corpus: Path) -> None:
    certificate = load_certificate((corpus / "china" / "gmsm" / "SHECA_SM2.der").read_bytes())
    assert certificate.subject == "C=CN, O=UniTrust, CN=SHECA SM2"
    assert certificate.serial == 60654601462655836713311538714090524714


def test_tongsuo_chains(corpus: Path) -> None:
    folder = corpus / "china" / "tongsuo"
    store = TrustStore.load([folder / "chain-ca.crt"])
    assert store.anchors
    for party in ("client", "server"):
        signer = load_certificate((folder / f"{party}_sign.crt").read_bytes())
        assert validate_path(signer, (), store, AT, revocation="if-present").passed
        encrypter = load_certificate((folder / f"{party}_enc.crt").read_bytes())
        refused = validate_path(encrypter, (), store, AT, revocation="if-present")
        assert refused.sub_indication == "CHAIN_CONSTRAINTS_FAILURE"
    expired = load_certificate((folder / "client_sign_expire.crt").read_bytes())
    assert validate_path(expired, (), store, AT, revocation="if-present").sub_indication == "OUT_OF_BOUNDS_NO_POE"


def test_a_key_that_names_sm2_as_its_algorithm_is_read(corpus: Path) -> None:
    folder = corpus / "china" / "tongsuo"
    root = load_certificate((folder / "sm2-root-cert.pem").read_bytes())
    for name in ("sm2-cert.pem", "sm2-first-crt.pem"):
        assert load_certificate((folder / name).read_bytes()).verify_signed_by(root) == "sm2"


@pytest.mark.parametrize("name", ["tongsuo/sm2-noza-root-cert.pem", "gmsm/openssl3_empty_id_root.pem"])
def test_signatures_without_z_or_with_an_empty_id_are_refused(corpus: Path, name: str) -> None:
    certificate = load_certificate((corpus / "china" / name).read_bytes())
    with pytest.raises(BadSignature):
        certificate.verify_signed_by(certificate)


def test_ofdrw_signers_pass_inside_their_time_and_not_after(corpus: Path) -> None:
    folder = corpus / "china" / "ofdrw"
    store = TrustStore.load([folder / "root_cert.pem"])
    user = load_certificate((folder / "user_cert.pem").read_bytes())
    inside = datetime(2021, 6, 1, tzinfo=UTC)
    assert validate_path(user, (), store, inside, revocation="if-present").passed
    after = validate_path(user, (), store, AT, revocation="if-present")
    assert after.sub_indication == "OUT_OF_BOUNDS_NO_POE"


# Russia --------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def russian(corpus: Path) -> list[tuple[dict[str, str], Certificate]]:
    with zipfile.ZipFile(corpus / "russia-ca" / "russia-ca.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("index.csv").decode("utf-8"))))
        return [(row, Certificate(archive.read("certs/" + Path(row["file"]).name))) for row in rows]


def test_2403_russian_authorities_are_read(russian: list[tuple[dict[str, str], Certificate]]) -> None:
    assert len(russian) == 2403
    schemes: dict[str, int] = {}
    for row, certificate in russian:
        look_at(certificate)
        assert certificate.fingerprint() == row["sha256"].lower()
        assert certificate.is_ca
        for identifier in certificate.identifiers:
            schemes[identifier.scheme] = schemes.get(identifier.scheme, 0) + 1
    assert schemes["RU-OGRN"] > 2000
    assert schemes["RU-INN"] > 2000
    wrong = {
        identifier
        for _, certificate in russian
        for identifier in certificate.identifiers
        if identifier.checksum_ok is False
    }
    assert len(wrong) < 25


def test_russian_gost_2012_signatures_verify(russian: list[tuple[dict[str, str], Certificate]]) -> None:
    by_key: dict[bytes | None, list[Certificate]] = {}
    for _, certificate in russian:
        by_key.setdefault(certificate.ski, []).append(certificate)
    new = [certificate for row, certificate in russian if row["signature"] == "gost2012_256_sign"]
    assert len(new) == 1134
    for certificate in new[::4]:
        issuers = by_key[certificate.aki] if certificate.aki else [certificate]
        assert {certificate.verify_signed_by(issuer) for issuer in issuers} == {"gost2012-256"}
        mutated = bytearray(certificate.der)
        mutated[len(mutated) // 3] ^= 1
        with pytest.raises(CertsError):
            Certificate(bytes(mutated)).verify_signed_by(issuers[0])


def test_russian_authorities_have_paths_to_the_five_roots(russian: list[tuple[dict[str, str], Certificate]]) -> None:
    new = [certificate for row, certificate in russian if row["signature"] == "gost2012_256_sign"]
    roots = [
        certificate for certificate in new if certificate.self_issued and certificate.aki in (None, certificate.ski)
    ]
    assert len(roots) == 5
    store = TrustStore(anchors=tuple(roots))
    for certificate in [item for item in new if item not in roots][::9]:
        moment = certificate.not_before + timedelta(days=1)
        result = validate_path(certificate, new[:50], store, moment, revocation="if-present")
        assert result.chain[-1] in roots, result.detail
        assert result.sub_indication in (None, "CHAIN_CONSTRAINTS_FAILURE"), result.detail


def test_russian_roots_of_the_folder_verify_under_their_issuers(corpus: Path) -> None:
    roots = [Certificate(path.read_bytes()) for path in sorted((corpus / "russia" / "roots").glob("*.cer"))]
    suites: dict[str, int] = {}
    for certificate in roots:
        candidates = [other for other in roots if other.ski == certificate.aki] if certificate.aki else [certificate]
        try:
            suite = certificate.verify_signed_by(candidates[0])
        except UnsupportedAlgorithm:
            suite = "unsupported"
        suites[suite] = suites.get(suite, 0) + 1
    assert suites["gost2012-256"] == 9
    assert suites["gost2012-512"] == 2
    assert suites["rsa"] == 1


def test_rfc_9215_example_and_a_list_of_cryptopro(corpus: Path) -> None:
    needs_gost("TC26-256-A")
    folder = corpus / "russia"
    pairs = [
        (folder / "rfc9215" / "d2-256-a-crt.pem", folder / "rfc9215" / "d2-256-a-crl.pem"),
        (folder / "cryptopro" / "pycades-root.cer", folder / "cryptopro" / "pycades-root.crl"),
    ]
    for certificate_path, crl_path in pairs:
        certificate = load_certificate(certificate_path.read_bytes())
        certificate.verify_signed_by(certificate)
        (crl,) = load_crls(crl_path.read_bytes())
        crl.check_signed_by(certificate)
        assert crl.unusable is None


def test_test_curves_are_not_accepted(corpus: Path) -> None:
    for name in ("d1-256-test", "d3-512-test"):
        certificate = load_certificate((corpus / "russia" / "rfc9215" / f"{name}-crt.pem").read_bytes())
        look_at(certificate)
        with pytest.raises(CertsError):
            certificate.verify_signed_by(certificate)
