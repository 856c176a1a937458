"""Certificates for keys of a tenant's own: by JSON and by EST, in every suite; whose they are and how they end."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from api.auth.service import USUAL_SCOPES
from certs import der, oids, suites
from certs.alt_names import AltNames, read_alt_names
from certs.certificate import load_certificates
from certs.clock import SystemClock
from certs.crl import CRL
from certs.identifiers import Identifier
from certs.path import validate_path
from certs.pem import armor
from certs.request import make_request
from certs.subject import Subject
from certs.suites.base import PrivateKey, Use
from tests.api.conftest import PROOF, Service, User
from tests.api.registry import known
from tests.conftest import keys_of

PERSON = Subject("Jörg Müller", country="DE", given_name="Jörg", surname="Müller")
COMPANY = Subject(
    "ООО «Волга»", organisation="ООО «Волга»", country="RU", identifiers=(Identifier("RU-INN", "7707083893"),)
)


def pkcs10(key: PrivateKey, subject: Subject = PERSON, *, signer: PrivateKey | None = None) -> bytes:
    """Return a PKCS#10 request, DER, made without the code under test."""
    info = der.sequence(der.integer(0), subject.name(), key.public_key.spki, b"\xa0\x00")
    algorithm = key.suite.signature_algorithm(Use.X509).der()
    return der.sequence(info, algorithm, der.bit_string((signer or key).sign(info)))


def asked(key: PrivateKey, **more: Any) -> dict[str, Any]:
    request = armor("CERTIFICATE REQUEST", pkcs10(key))
    return {"request": request, "name": "Jörg Müller", "country": "DE", "identity_proof": PROOF, **more}


def issued(user: User, suite: str, **more: Any) -> dict[str, Any]:
    response = user.post("/v1/certificates", json=asked(keys_of(suite)[0], **more))
    assert response.status_code == 201, response.text
    return response.json()


def verdict(user: User, pem: str) -> str | None:
    """Return what a path validator says that trusts the service's circles and asks for revocation lists."""
    certificate, *chain = load_certificates(pem.encode())
    store = user.context.circles.trust_store()
    return validate_path(certificate, chain, store, SystemClock().now()).sub_indication


def test_a_key_of_ones_own_is_certified_in_its_own_suite(user: User, signing_suite: str) -> None:
    found = issued(user, signing_suite)
    certificate = load_certificates(found["chain"].encode())[0]
    assert found["suite"] == certificate.suite_name == signing_suite
    assert certificate.spki == keys_of(signing_suite)[0].public_key.spki
    assert certificate.common_name == "Jörg Müller"
    assert verdict(user, found["chain"]) is None
    assert user.get(f"/v1/certificates/{found['id']}").json() == found
    assert [row["id"] for row in user.get("/v1/certificates").json()["data"]] == [found["id"]]


def test_an_organisation_needs_its_identifier(user: User) -> None:
    body = asked(keys_of("gost2012-256")[0], profile="organisation", organisation="ООО «Волга»")
    assert user.post("/v1/certificates", json=body).json()["code"] == "profile-error"
    body["identifiers"] = [{"scheme": "RU-INN", "value": "7707083894"}]
    assert user.post("/v1/certificates", json=body).json()["code"] == "bad-identifier"
    body["identifiers"] = [{"scheme": "RU-INN", "value": "7707083893"}]
    response = user.post("/v1/certificates", json=body)
    assert response.status_code == 201, response.text
    assert load_certificates(response.json()["chain"].encode())[0].identifiers == COMPANY.identifiers


def test_without_proof_of_possession_nothing_is_issued(user: User, signing_suite: str) -> None:
    mine, other = keys_of(signing_suite)[:2]
    stolen = armor("CERTIFICATE REQUEST", pkcs10(mine, signer=other))
    response = user.post("/v1/certificates", json={**asked(mine), "request": stolen})
    assert (response.status_code, response.json()["code"]) == (422, "bad-signature")
    assert user.get("/v1/certificates").json()["data"] == []


@pytest.mark.parametrize(
    "request_text", ["", "x", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"]
)
def test_what_is_no_request_is_refused(user: User, request_text: str) -> None:
    response = user.post("/v1/certificates", json={**asked(keys_of("ed25519")[0]), "request": request_text})
    assert response.status_code == 422, response.text
    assert response.json()["code"] == "malformed-input"


def test_a_revoked_certificate_is_on_the_list_at_once_and_stays_so(user: User, signing_suite: str) -> None:
    found = issued(user, signing_suite)
    assert verdict(user, found["chain"]) is None
    path = f"/v1/certificates/{found['id']}/revoke"
    revoked = user.post(path, json={"reason": "keyCompromise"}).json()
    assert (revoked["state"], revoked["reason"]) == ("revoked", "keyCompromise")
    issuer = load_certificates(found["chain"].encode())[1]
    assert issuer.ski is not None
    served = CRL(user.http.get(f"/pki/crl/{issuer.ski.hex()}.crl").content)
    entry = served.status(int(found["certificate"]["serial"], 16))
    assert entry is not None
    assert entry.reason == "keyCompromise"
    assert verdict(user, found["chain"]) == "REVOKED_NO_POE"
    again = user.post(path)
    assert (again.status_code, again.json()["code"], again.json()["state"]) == (409, "already-revoked", "revoked")
    same = user.post(path, json={"reason": "keyCompromise"})
    assert (same.status_code, same.json()) == (200, revoked)


def test_what_was_revoked_beside_the_service_cannot_be_renewed(user: User) -> None:
    found = issued(user, "ecdsa-p256")
    circle = user.context.circles.get("ecdsa-p256")
    circle.revoke(int(found["certificate"]["serial"], 16), "superseded")
    request = pkcs10(keys_of("ecdsa-p256")[0])
    assert est(user, "ecdsa-p256", "simplereenroll", request).status_code == 404
    path = f"/v1/certificates/{found['id']}"
    refused = user.post(f"{path}/renew", json={"request": armor("CERTIFICATE REQUEST", request)}).json()
    assert (refused["code"], refused["state"], refused["allowed"]) == ("state-conflict", "revoked", ["issued"])
    assert user.post(f"{path}/revoke", json={"reason": "keyCompromise"}).json()["code"] == "already-revoked"


def test_alternative_names_are_taken_where_the_profile_has_them_and_never_dropped(user: User) -> None:
    def request(names: AltNames) -> str:
        return armor("CERTIFICATE REQUEST", make_request(keys_of("ed25519")[0], PERSON, names))

    body = asked(keys_of("ed25519")[0]) | {"request": request(AltNames(emails=("joerg@example.com",)))}
    response = user.post("/v1/certificates", json=body)
    assert response.status_code == 201, response.text
    names = load_certificates(response.json()["chain"].encode())[0].extension(oids.SUBJECT_ALT_NAME)
    assert names is not None
    assert read_alt_names(names.value).emails == ("joerg@example.com",)
    body["request"] = request(AltNames(dns=("example.com",)))
    refused = user.post("/v1/certificates", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")


def test_a_repeated_request_gives_one_certificate(user: User) -> None:
    body, headers = asked(keys_of("sm2")[0]), {"idempotency-key": "once"}
    first, second = (user.post("/v1/certificates", json=body, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert len(user.get("/v1/certificates").json()["data"]) == 1


def test_scopes(service: Service) -> None:
    reader = service.user(scopes=("certificates:read",))
    assert reader.get("/v1/certificates").status_code == 200
    assert reader.post("/v1/certificates", json=asked(keys_of("ed25519")[0])).status_code == 403
    assert service.user(scopes=("documents:read",)).get("/v1/certificates").status_code == 403
    usual = service.user(scopes=USUAL_SCOPES)
    assert usual.get("/v1/certificates").status_code == 200
    assert usual.post("/v1/certificates", json=asked(keys_of("ed25519")[0])).status_code == 403


# EST -----------------------------------------------------------------------------------------------------------------
def est(user: User, suite: str, action: str, request: bytes, **headers: str) -> Any:
    password = base64.b64encode(f"robot:{user.token}".encode()).decode()
    sent = {"authorization": f"Basic {password}", "content-type": "application/pkcs10", **headers}
    return user.http.post(f"/.well-known/est/{suite}/{action}", content=base64.encodebytes(request), headers=sent)


def bundle(response: Any) -> tuple[Any, ...]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/pkcs7-mime; smime-type=certs-only"
    assert response.headers["content-transfer-encoding"] == "base64"
    return load_certificates(base64.b64decode(response.content))


def test_est_gives_the_circle_enrols_and_renews(user: User, signing_suite: str) -> None:
    first, second = keys_of(signing_suite)[:2]
    authorities = bundle(user.http.get(f"/.well-known/est/{signing_suite}/cacerts"))
    assert set(authorities) == set(user.context.circles.get(signing_suite).chain)
    subject = PERSON if signing_suite != "gost2012-256" else COMPANY
    early = est(user, signing_suite, "simplereenroll", pkcs10(first, subject))
    assert early.status_code == 404
    unknown = est(user, signing_suite, "simpleenroll", pkcs10(first, subject))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "identity-not-proven")
    known(user, subject)
    (certificate,) = bundle(est(user, signing_suite, "simpleenroll", pkcs10(first, subject)))
    assert certificate.spki == first.public_key.spki
    assert certificate.subject_name.der == subject.name()
    (renewed,) = bundle(est(user, signing_suite, "simplereenroll", pkcs10(second, subject)))
    assert (renewed.spki, renewed.subject) == (second.public_key.spki, certificate.subject)
    assert len(user.get("/v1/certificates").json()["data"]) == 2
    assert user.http.get(f"/.well-known/est/{signing_suite}/csrattrs").status_code == 204


def test_est_renews_a_subject_however_the_request_writes_it(user: User) -> None:
    key = keys_of("ecdsa-p256")[0]
    known(user, Subject("robot", country="DE"))
    common, country = (
        der.tlv(0x31, der.sequence(der.oid(oid), der.tlv(tag, text)))
        for oid, tag, text in (("2.5.4.3", 0x0C, b"robot"), ("2.5.4.6", 0x0C, b"DE"))
    )
    for action, name in (("simpleenroll", (common, country)), ("simplereenroll", (country, common))):
        info = der.sequence(der.integer(0), der.sequence(*name), key.public_key.spki, b"\xa0\x00")
        algorithm = key.suite.signature_algorithm(Use.X509).der()
        request = der.sequence(info, algorithm, der.bit_string(key.sign(info)))
        (certificate,) = bundle(est(user, "ecdsa-p256", action, request))
        assert certificate.subject_name.der == Subject("robot", country="DE").name()


def test_est_renews_nobody_elses_certificate(user: User, stranger: User) -> None:
    key = keys_of("ecdsa-p256")[0]
    known(user, PERSON)
    bundle(est(user, "ecdsa-p256", "simpleenroll", pkcs10(key)))
    assert est(stranger, "ecdsa-p256", "simplereenroll", pkcs10(key)).status_code == 404


def test_est_refuses_what_does_not_fit(user: User) -> None:
    key = keys_of("ecdsa-p256")[0]
    request = pkcs10(key)
    assert est(user, "sm2", "simpleenroll", request).status_code == 422
    for name in ("dsa", "x25519"):
        assert est(user, name, "simpleenroll", request).status_code == 404
    unknown = est(user, "ecdsa-p256", "simpleenroll", request, authorization="Basic !")
    assert unknown.status_code == 401
    assert unknown.headers["www-authenticate"].startswith("Basic ")
    assert est(user, "ecdsa-p256", "simpleenroll", request, **{"content-type": "text/plain"}).status_code == 415
    stolen = pkcs10(key, signer=keys_of("ecdsa-p256")[1])
    assert est(user, "ecdsa-p256", "simpleenroll", stolen).json()["code"] == "bad-signature"
    odd = der.sequence(der.tlv(0x31, der.sequence(der.oid("2.5.4.20"), der.tlv(0x13, b"12345"))))
    info = der.sequence(der.integer(0), odd, key.public_key.spki, b"\xa0\x00")
    algorithm = suites.get("ecdsa-p256").signature_algorithm(Use.X509).der()
    refused = est(user, "ecdsa-p256", "simpleenroll", der.sequence(info, algorithm, der.bit_string(key.sign(info))))
    assert (refused.status_code, refused.json()["code"]) == (422, "malformed-input")


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["ecdsa-p256", "sm2", "rsa"])
def test_curl_and_openssl_are_a_complete_client(user: User, suite: str, tmp_path: Path) -> None:
    from tests.interop.programs import Program

    openssl, curl = Program.find("openssl"), Program.find("curl")
    known(user, Subject("王伟", country="CN"))
    (tmp_path / "key.p8").write_bytes(keys_of(suite)[0].pkcs8())
    openssl.run("pkey", "-inform", "DER", "-in", tmp_path / "key.p8", "-out", tmp_path / "key.pem").check()
    identifier = ("-sm3", "-sigopt", "distid:1234567812345678") if suite == "sm2" else ()
    subject = ("-utf8", "-subj", "/C=CN/CN=王伟")
    openssl.run(
        "req", "-new", "-key", tmp_path / "key.pem", *identifier, *subject, "-outform", "DER", "-out", tmp_path / "csr"
    ).check()
    (tmp_path / "csr.b64").write_bytes(base64.encodebytes((tmp_path / "csr").read_bytes()))
    address = f"{user.http.base_url}/.well-known/est/{suite}/simpleenroll"
    header = ("-H", "Content-Type: application/pkcs10", "--data-binary", f"@{tmp_path / 'csr.b64'}")
    curl.run("-sSf", "-u", f"robot:{user.token}", *header, address, "-o", tmp_path / "p7.b64").check()
    (tmp_path / "p7.der").write_bytes(base64.b64decode((tmp_path / "p7.b64").read_bytes()))
    openssl.run(
        "pkcs7", "-inform", "DER", "-in", tmp_path / "p7.der", "-print_certs", "-out", tmp_path / "certificate.pem"
    ).check()
    shown = ("-noout", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8")
    openssl.run("x509", "-in", tmp_path / "certificate.pem", *shown).check("CN=王伟,C=CN")
