"""`POST /v1/verifications`: the report of the command line, in every format, for whoever may read the document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from api.auth.models import Tenant
from api.auth.service import SCOPES, create_key
from api.cli import main
from certs.signed_data import build_signed_data
from signer.errors import VerifierBusy
from signer.text import LANGUAGES, strings
from signer.workers import Workers
from tests.api.conftest import User, circle_today, held, make_pdf
from tests.signer.conftest import check
from tests.signer.locked import USER, by_qpdf
from tests.signer.test_layers import agreement, policy

URL = "/v1/verifications"


@pytest.fixture(scope="module")
def owner(service: Any) -> User:
    return service.user("owner")


@pytest.fixture(scope="module")
def contract(owner: User) -> dict[str, Any]:
    """A completed contract of two documents, signed by a key of the service."""
    documents = [owner.upload(name=name)["id"] for name in ("a.pdf", "b.pdf")]
    made = owner.sent(held("ecdsa-p256"), documents=documents)
    owner.sign(made, made["parties"][0])
    return owner.wait_for_state(made, "completed")


@pytest.fixture(scope="module")
def signed(owner: User, contract: dict[str, Any]) -> bytes:
    return owner.content(contract)


def trust_of(owner: User, directory: Path) -> Path:
    """Write what the service trusts into a directory."""
    store = owner.context.circles.trust_store()
    directory.mkdir()
    for index, item in enumerate((*store.anchors, *store.certificates)):
        (directory / f"{index}.pem").write_text(item.pem)
    for index, crl in enumerate(store.crls):
        (directory / f"{index}.crl").write_bytes(crl.der)
    return directory


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("layered", [False, True])
def test_the_same_report_as_the_command_line(
    owner: User, signed: bytes, tmp_path: Path, lang: str, layered: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.pdf").write_bytes(signed)
    trust = trust_of(owner, tmp_path / "trust")
    (tmp_path / "agreement").write_bytes(agreement(party={"name": "Muster GmbH", "suites": ["ecdsa-p256"]}))
    (tmp_path / "policy").write_bytes(policy({"level": "B-LTA"}))
    files: dict[str, Any] = {"file": ("a.pdf", signed, "application/pdf")}
    options = []
    if layered:
        files |= {name: (name, (tmp_path / name).read_bytes()) for name in ("agreement", "policy")}
        options = ["--agreement", str(tmp_path / "agreement"), "--policy", str(tmp_path / "policy")]
    response = owner.post(URL, files=files, data={"lang": lang})
    assert response.status_code == 200, response.text
    ours = response.json()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert main(["verify", "a.pdf", "--trust", str(trust), "--format", "json", "--lang", lang, *options]) == 0
    theirs = json.loads(capsys.readouterr().out)
    for body in (ours, theirs):
        body.pop("checked_at")
        for signature in body["signatures"]:
            for one in signature["checks"]:
                if one["id"] in ("validity", "x509-validation", "revocation"):
                    one["detail"] = ""  # they name the moment too
    assert ours == theirs
    assert ours["verdict"] == "TOTAL-PASSED"
    assert ours["signatures"][0]["layers"]["agreed"]["result"] == ("passed" if layered else "not-checked")


def test_a_contract_or_document_by_its_id(owner: User, contract: dict[str, Any], signed: bytes) -> None:
    both = owner.post(URL, data={"contract": contract["id"]}).json()
    assert [(one["file"], one["verdict"]) for one in both] == [("a.pdf", "TOTAL-PASSED"), ("b.pdf", "TOTAL-PASSED")]
    first = contract["documents"][0]["id"]
    one = owner.post(URL, data={"contract": contract["id"], "document": first}).json()
    assert one["sha256"] == both[0]["sha256"]
    assert one["signatures"]
    upload = owner.post(URL, data={"document": first}).json()
    assert upload["verdict"] == "NO-SIGNATURE"
    for body in (*both, one, upload):
        check(body)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_format(owner: User, contract: dict[str, Any], lang: str) -> None:
    asked = {"contract": contract["id"], "lang": lang}

    def get(accept: str) -> Any:
        response = owner.post(URL, data=asked, headers={"accept": accept})
        assert response.status_code == 200, response.text
        return response

    assert get("application/json").headers["content-type"] == "application/json"
    assert isinstance(get("*/*").json(), list)
    page = get("text/html")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert page.headers["vary"] == "accept"
    assert page.text.count(strings(lang)["question.who"]) == 2
    assert "data:image/png;base64," in page.text
    assert get("application/pdf").content.startswith(b"%PDF-")
    root = ET.fromstring(get("application/xml").content)
    assert len(root.findall("{http://uri.etsi.org/19102/v1.4.1#}SignatureValidationReport")) == 2
    assert strings(lang)["verdict.TOTAL-PASSED"] in get("text/plain").text


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("application/pdf;q=0.5, text/html", "text/html"),
        ("text/html;q=0.2, application/xml;q=0.3", "application/xml"),
        ("text/*", "text/html"),
        ("application/json;q=0, */*", "text/html"),
        ("image/png, */*;q=0.1", "application/json"),
        ("", "application/json"),
        ("text/html;q=x, application/pdf", "application/pdf"),
    ],
)
def test_what_accept_means(owner: User, contract: dict[str, Any], accept: str, media: str) -> None:
    first = contract["documents"][0]["id"]
    response = owner.post(URL, data={"document": first}, headers={"accept": accept})
    assert response.headers["content-type"].partition(";")[0] == media


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "text/html;q=nan, image/*"])
def test_no_such_format(owner: User, contract: dict[str, Any], accept: str) -> None:
    response = owner.post(URL, data={"contract": contract["id"]}, headers={"accept": accept})
    assert (response.status_code, response.json()["code"]) == (406, "not-acceptable")


def test_another_tenant_learns_nothing(owner: User, stranger: User, contract: dict[str, Any]) -> None:
    first = contract["documents"][0]["id"]
    own = stranger.upload()["id"]
    for data in (
        {"contract": contract["id"]},
        {"document": first},
        {"contract": contract["id"], "document": first},
        {"contract": contract["id"], "document": own},
        {"contract": "ctr_" + "0" * 32},
        {"document": "doc_" + "0" * 32},
    ):
        response = stranger.post(URL, data=data)
        assert (response.status_code, response.json()["code"]) == (404, "not-found")
    assert owner.post(URL, data={"contract": contract["id"], "document": own}).status_code == 404


def test_the_scope_to_read_is_needed_too(owner: User, contract: dict[str, Any]) -> None:
    first = contract["documents"][0]["id"]
    for missing, data in (("contracts:read", {"contract": contract["id"]}), ("documents:read", {"document": first})):
        with owner.context.database.write() as session:
            tenant = session.get_one(Tenant, owner.tenant_id)
            scopes = tuple(scope for scope in SCOPES if scope != missing)
            token = create_key(session, tenant, name="x", now=owner.context.now(), scopes=scopes)
        limited = User(owner.http, token, owner.context, owner.tenant_id)
        assert limited.post(URL, data=data).status_code == 403
        assert limited.post(URL, files={"file": ("x.pdf", make_pdf())}).status_code == 200


@pytest.mark.parametrize(
    ("data", "files", "code"),
    [
        ({}, {}, "validation-failed"),
        ({"contract": "x"}, {"file": ("x.pdf", b"%PDF-")}, "validation-failed"),
        ({"lang": "fr"}, {"file": ("x.pdf", b"%PDF-")}, "validation-failed"),
        ({"at": "soon"}, {"file": ("x.pdf", b"%PDF-")}, "validation-failed"),
        ({}, {"file": ("x.pdf", make_pdf()), "agreement": ("a", b"nonsense =")}, "basis-error"),
        ({}, {"file": ("x.pdf", make_pdf()), "policy": ("a", policy({"lvl": 1}))}, "basis-error"),
        ({}, {"file": ("x.pdf", make_pdf()), "agreement": ("a", b" " * (5 << 20))}, "payload-too-large"),
    ],
)
def test_wrong_requests(owner: User, data: dict[str, str], files: dict[str, Any], code: str) -> None:
    response = owner.post(URL, data=data, files=files)
    assert response.json()["code"] == code


def test_judged_as_of_another_moment(owner: User, signed: bytes) -> None:
    body = owner.post(URL, files={"file": ("a.pdf", signed)}, data={"at": "2020-01-01T00:00:00"}).json()
    assert body["validation_time"] == "2020-01-01T00:00:00Z"
    assert body["verdict"] == "INDETERMINATE"


def test_what_is_sent_along_is_trusted_for_this_request_only(owner: User) -> None:
    from certs.clock import SystemClock
    from signer.pades.options import SignOptions
    from signer.pades.sign import sign_bytes

    circle = circle_today("ecdsa-p256")
    data = sign_bytes(make_pdf(), circle.key, circle.certificate, circle.ca.chain, SignOptions(), SystemClock())
    files = [("file", ("x.pdf", data))]
    trust = [("trust", ("root.pem", circle.ca.root.pem.encode()))]
    trust += [("trust", ("crl", crl)) for crl in (circle.ca.crl(), circle.ca.root_crl())]
    assert owner.post(URL, files=files).json()["verdict"] == "INDETERMINATE"
    body = owner.post(URL, files=files + trust).json()
    assert body["verdict"] == "TOTAL-PASSED"
    assert circle.ca.root.fingerprint() in [one["sha256"] for one in body["trust"]["anchors"]]
    assert owner.post(URL, files=files).json()["verdict"] == "INDETERMINATE"


def test_a_signed_agreement(owner: User, signed: bytes) -> None:
    circle = circle_today("ecdsa-p256")
    data = agreement(party={"name": "Muster GmbH"})
    cms = build_signed_data(data, circle.key, circle.certificate, chain=circle.ca.chain, detached=True)
    files = [("file", ("a.pdf", signed)), ("agreement_signature", ("s.p7s", cms))]
    assert owner.post(URL, files=files).json()["code"] == "validation-failed"
    files += [("agreement", ("a.json", data))]
    body = owner.post(URL, files=files).json()
    # its signer is trusted by nobody here
    assert body["bases"][0]["verdict"] == "INDETERMINATE"
    assert body["signatures"][0]["layers"]["agreed"]["result"] == "not-checked"
    files += [("trust", ("t", item)) for item in (circle.ca.root.pem.encode(), circle.ca.crl(), circle.ca.root_crl())]
    body = owner.post(URL, files=files).json()
    assert body["bases"][0]["verdict"] == "TOTAL-PASSED"
    assert body["signatures"][0]["layers"]["agreed"]["result"] == "passed"


def test_an_agreement_is_verified_once_for_all_documents(
    owner: User, contract: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = circle_today("ecdsa-p256")
    data = agreement(party={"name": "Muster GmbH"})
    cms = build_signed_data(data, circle.key, circle.certificate, chain=circle.ca.chain, detached=True)
    names: list[str] = []
    verify = Workers.verify

    def noted(workers: Workers, data: bytes, **options: Any) -> Any:
        names.append(options["name"])
        return verify(workers, data, **options)

    monkeypatch.setattr(Workers, "verify", noted)
    files = [("agreement_signature", ("s.p7s", cms)), ("agreement", ("a.json", data))]
    both = owner.post(URL, data={"contract": contract["id"]}, files=files).json()
    assert [one["bases"][0]["verdict"] for one in both] == ["INDETERMINATE"] * 2
    assert len(names) == 3
    assert names.count("agreement") == 1


def test_a_repeated_request_gives_the_same_paper(owner: User, contract: dict[str, Any]) -> None:
    headers = {"accept": "application/pdf", "idempotency-key": "paper-1"}
    asked = {"contract": contract["id"]}
    first, second = (owner.post(URL, data=asked, headers=headers) for _ in range(2))
    assert second.headers["idempotency-replayed"] == "true"
    assert first.content == second.content
    assert second.headers["content-type"] == "application/pdf"


def test_a_file_that_is_too_much_has_a_report_and_the_service_lives_on(owner: User, signed: bytes) -> None:
    dictionary = b"\n%d 0 obj\n<< /ByteRange [0 1 2 3] /Contents <00> >>\nendobj\n"
    bomb = signed + b"".join(dictionary % number for number in range(5000, 5300))
    answer = owner.post(URL, files={"file": ("bomb.pdf", bomb, "application/pdf")})
    assert (answer.status_code, answer.json()["verdict"]) == (200, "INDETERMINATE")
    assert [one["code"] for one in answer.json()["signatures"]] == ["limits"]
    answer = owner.post(URL, files={"file": ("good.pdf", signed, "application/pdf")})
    assert answer.json()["verdict"] == "TOTAL-PASSED"


def test_no_file_is_verified_in_the_process_of_the_service(
    owner: User, signed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(*_: Any, **__: Any) -> None:
        raise AssertionError("in this process")

    monkeypatch.setattr("signer.verify.verify_bytes", here)
    answer = owner.post(URL, files={"file": ("good.pdf", signed, "application/pdf")})
    assert answer.json()["verdict"] == "TOTAL-PASSED"


def test_a_service_that_is_busy_says_so(owner: User, signed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any, **__: Any) -> None:
        raise VerifierBusy("other files are being verified")

    monkeypatch.setattr("signer.workers.Workers.verify", busy)
    answer = owner.post(URL, files={"file": ("good.pdf", signed, "application/pdf")})
    assert (answer.status_code, answer.json()["code"]) == (503, "verifier-busy")
    assert answer.headers["Retry-After"]


def test_an_encrypted_file(owner: User, caplog: pytest.LogCaptureFixture) -> None:
    """Opened with the password of the form, which is in no log, no table and no answer."""
    caplog.set_level("DEBUG")
    files = {"file": ("locked.pdf", by_qpdf(6), "application/pdf")}
    for data in ({}, {"password": "not it"}):
        answer = owner.post(URL, data=data, files=files)
        assert (answer.status_code, answer.json()["code"]) == (422, "encrypted-pdf")
        assert "not it" not in answer.text
    headers = {"idempotency-key": "locked-1"}
    answer = owner.post(URL, data={"password": USER}, files=files, headers=headers)
    assert answer.json()["verdict"] == "NO-SIGNATURE"
    assert USER not in answer.text + caplog.text
    again = owner.post(URL, data={"password": "not it"}, files=files, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"  # the digest that is kept knows no password
    long = owner.post(URL, data={"password": "tell nobody " * 100}, files=files)
    assert long.json()["code"] == "validation-failed"
    assert "tell nobody" not in long.text + caplog.text
