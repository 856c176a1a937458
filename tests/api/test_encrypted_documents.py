"""Encrypted PDFs: uploaded with their password, signed and sealed as they are, verified, never in the clear again."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pyhanko.pdf_utils.crypt import StandardSecurityHandler
from sqlalchemy import select

from api.documents.models import Document
from api.documents.opening import credentials_of, password_of
from api.errors import VaultError
from api.rotation import TABLES
from signer.encryption.pdf import encrypt_pdf
from tests.api.conftest import Circle, Service, User, at_home, circle_today, held, make_pdf
from tests.api.envelopes.post import from_first_party, open_as
from tests.api.envelopes.post import sealed as in_envelope
from tests.api.seals.office import Office
from tests.api.seals.test_applying import sealed
from tests.certs.post import mailbox
from tests.conftest import SIGNING
from tests.signer.locked import OWNER, USER, by_pyhanko

QUICK = ("ecdsa-p256", "sm2", "gost2012-256")
SUITES = [suite if suite in QUICK else pytest.param(suite, marks=pytest.mark.slow) for suite in SIGNING]
NOTHING = pikepdf.Permissions(
    modify_annotation=False, modify_form=False, modify_other=False, modify_assembly=False, extract=False
)


def locked(user: str = USER, owner: str = OWNER, allow: pikepdf.Permissions | None = None, revision: int = 6) -> bytes:
    pdf, out = pikepdf.open(io.BytesIO(make_pdf(2))), io.BytesIO()
    scheme = pikepdf.Encryption(owner=owner, user=user, R=revision, allow=allow or pikepdf.Permissions())
    pdf.save(out, encryption=scheme)
    return out.getvalue()


def upload(user: User, content: bytes, password: str | None = None, **headers: str) -> Any:
    form = {} if password is None else {"password": password}
    files = {"file": ("合同.pdf", content, "application/pdf")}
    return user.post("/v1/documents", files=files, data=form, headers=headers)


def uploaded(user: User, content: bytes | None = None, password: str = USER) -> dict[str, Any]:
    response = upload(user, content or locked(), password)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def everything(user: User) -> bytes:
    """Return all octets that the service keeps."""
    place: Path = user.context.settings.data
    return b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file() and path.suffix != ".key")


def opens(data: bytes, password: str = USER) -> bool:
    try:
        with pikepdf.open(io.BytesIO(data), password=password) as pdf:
            return pdf.is_encrypted
    except pikepdf.PasswordError:
        return False


# Uploading -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("password", [USER, OWNER])
@pytest.mark.parametrize("revision", [4, 6])
def test_an_encrypted_pdf_is_taken_with_its_password_and_stays_as_it_is(
    user: User, password: str, revision: int
) -> None:
    data = locked(revision=revision)
    found = uploaded(user, data, password)
    assert (found["pages"], found["encryption"]) == (2, "AES-256" if revision == 6 else "AES-128")
    assert user.get(f"/v1/documents/{found['id']}").json() == found
    assert user.get(f"/v1/documents/{found['id']}/content").content == data
    assert user.upload(make_pdf())["encryption"] is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\nsecond line"])
def test_the_password_may_come_out_of_a_file(user: User, end: str) -> None:
    found = upload(user, locked(), USER + end).json()
    for form in ({"document": found["id"]}, {"document": found["id"], "password": USER + end}):
        assert user.post("/v1/verifications", data=form).json()["verdict"] == "NO-SIGNATURE"


def test_what_opens_without_asking_needs_no_password(user: User) -> None:
    found = upload(user, locked(user=""))
    assert (found.status_code, found.json()["encryption"]) == (201, "AES-256")


def test_what_does_not_open_is_refused_with_a_way_out(user: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    certified = encrypt_pdf(make_pdf(), [mailbox("sm2").certificate])
    cases: list[tuple[bytes, str | None, str, str]] = [
        (locked(), None, "encrypted-pdf", "form field 'password'"),
        (locked(), "", "encrypted-pdf", "form field 'password'"),
        (locked(), "not it 𠮷", "encrypted-pdf", "form field 'password'"),
        (locked()[:-200], USER, "unreadable-pdf", ""),
        (locked(allow=NOTHING), USER, "signing-refused", "owner password"),
        (certified, None, "encrypted-pdf", "by password only"),
        (certified, USER, "encrypted-pdf", "by password only"),
    ]
    for content, password, code, hint in cases:
        refused = upload(user, content, password)
        assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
        assert hint in refused.json().get("hint", "")
        assert "--" not in refused.json().get("hint", "") or "sealroad" in refused.json()["hint"]
        assert "not it" not in refused.text + caplog.text
    assert upload(user, locked(), "x" * 1025).json()["code"] == "validation-failed"
    assert user.get("/v1/documents").json()["data"] == []
    assert upload(user, locked(allow=NOTHING), OWNER).status_code == 201


def test_a_damaged_encryption_dictionary_is_a_refusal(user: User) -> None:
    data = locked()
    changes = ((b"/R 6", b"/R 9"), (b"/V 5", b"/V 0"), (b"/Filter /Standard", b"/Filter /Sundards"), (b"/O <", b"/O ["))
    for old, new in changes:
        if old in data:
            refused = upload(user, data.replace(old, new), USER)
            assert refused.status_code == 422
            assert refused.json()["code"] in ("encrypted-pdf", "unreadable-pdf")


def test_the_password_is_nowhere_but_in_the_vault(user: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    secret = "Пароль 密码 𠮷 7f3a"
    data = locked(user=secret)
    answer = upload(user, data, secret, **{"idempotency-key": "one"})
    assert answer.status_code == 201, answer.text
    again = upload(user, data, "another", **{"idempotency-key": "one"})
    assert again.headers["idempotency-replayed"] == "true"  # the digest that is kept knows no password
    kept = everything(user)
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert secret.encode(encoding) not in kept
    assert json.dumps(secret)[1:-1].encode() not in kept
    assert secret not in caplog.text + answer.text
    with user.context.database.read() as session:
        row = session.scalars(select(Document).where(Document.id == answer.json()["id"])).one()
    assert row.sealed_key is not None
    assert password_of(user.context, row) == secret
    assert secret not in repr(credentials_of(user.context, row))
    row.id = "doc_of_somebody_else"
    with pytest.raises(VaultError):
        password_of(user.context, row)
    assert Document in TABLES  # another master key moves it too


def test_with_the_document_the_password_is_gone(user: User) -> None:
    found = uploaded(user)
    assert user.request("DELETE", f"/v1/documents/{found['id']}").status_code == 204
    with user.context.database.read() as session:
        assert session.get(Document, found["id"]) is None


# Signing -------------------------------------------------------------------------------------------------------------
def authorities(circle: Circle) -> tuple[Any, ...]:
    return circle.ca.root_authority, circle.ca.issuing


AREA = {"page": 1, "box": [60, 80, 260, 160]}


@pytest.mark.parametrize("suite", SUITES)
def test_a_contract_is_signed_encrypted_and_stays_so_to_the_end(user: User, suite: str) -> None:
    """One party by a key that the service holds, with a picture; one by its own key, in two steps."""
    document = uploaded(user)["id"]
    elsewhere = circle_today(suite)
    parties = [held(suite, name="王𠮷", locale="zh", signature_area=AREA), at_home(elsewhere, locale="ru")]
    contract = user.sent(*parties, documents=[document])
    first, second = contract["parties"]
    assert user.sign(contract, first)["state"] == "succeeded"
    assert USER not in json.dumps(user.ask(contract, second))
    user.sign_at_home(contract, second, elsewhere.key)
    contract = user.wait_for_state(contract, "completed")
    content = user.content(contract)
    root = ("root.pem", elsewhere.ca.chain[-1].pem.encode(), "application/x-pem-file")
    assert opens(content)
    assert not opens(content, "")
    crls = [
        ("trust", ("x.crl", crl, "application/pkix-crl")) for crl in (each.crl() for each in authorities(elsewhere))
    ]
    file = ("file", ("x.pdf", content, "application/pdf"))
    for answer in (
        user.post("/v1/verifications", data={"contract": contract["id"]}, files=[("trust", root), *crls]),
        user.post("/v1/verifications", data={"password": USER}, files=[file, ("trust", root), *crls]),
    ):
        report = answer.json()
        assert report["verdict"] == "TOTAL-PASSED", answer.text
        assert [signature["suite"] for signature in report["signatures"]] == [suite, suite]
    evidence = user.get(f"/v1/contracts/{contract['id']}/evidence")
    own, _theirs = evidence.json()["reports"][0]["report"]["signatures"]
    assert own["verdict"] == "TOTAL-PASSED"
    assert USER not in evidence.text
    assert USER.encode() not in everything(user)
    page = user.post("/v1/verifications", data={"contract": contract["id"]}, headers={"accept": "text/html"})
    assert "data:image/png" in page.text


def test_what_the_permissions_forbid_is_not_signed(user: User) -> None:
    """Whoever uploads with the user password has what the user password gives."""
    data = locked(allow=pikepdf.Permissions(modify_annotation=False, modify_form=True, modify_other=False))
    refused = upload(user, data, USER)
    assert (refused.status_code, refused.json()["code"]) == (422, "signing-refused")
    document = uploaded(user, data, OWNER)["id"]
    contract = user.sent(held("ecdsa-p256"), documents=[document])
    assert user.sign(contract, contract["parties"][0])["state"] == "succeeded"


def test_a_file_with_a_mac_is_kept_and_verified_and_refused_when_its_contract_is_sent(user: User) -> None:
    """A signature would need the file's key once more, when its value is there."""
    handler = StandardSecurityHandler.build_from_pw(OWNER, USER, use_gcm=True, pdf_mac=True)
    document = uploaded(user, by_pyhanko(handler))
    assert document["encryption"] == "AES-256-GCM"
    report = user.post("/v1/verifications", data={"document": document["id"]})
    assert report.json()["verdict"] == "NO-SIGNATURE", report.text
    draft = user.draft([held("sm2")], documents=[document["id"]])
    refused = user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": f'"v{draft["version"]}"'})
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")
    assert refused.json()["errors"][0]["code"] == "signing-refused"


def test_a_stranger_has_nothing_of_it(user: User, stranger: User) -> None:
    document = uploaded(user)["id"]
    assert stranger.get(f"/v1/documents/{document}").status_code == 404
    assert stranger.post("/v1/verifications", data={"document": document}).status_code == 404
    parties = [held("sm2")]
    draft = stranger.post("/v1/contracts", json={"title": "x", "documents": [document], "parties": parties})
    assert draft.status_code in (404, 422)


def test_an_upload_is_verified_with_the_password_it_came_with(user: User) -> None:
    document = uploaded(user)["id"]
    answer = user.post("/v1/verifications", data={"document": document})
    assert (answer.status_code, answer.json()["verdict"]) == (200, "NO-SIGNATURE")


# Sealing -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite", ["ecdsa-p256", "sm2", "gost2012-256"])
@pytest.mark.parametrize("placement", [{"at": "point", "page": 1, "x": 300, "y": 300}, {"at": "edges"}])
def test_an_encrypted_document_is_sealed_and_what_comes_of_it_opens_with_the_same_password(
    service: Service, suite: str, placement: dict[str, Any]
) -> None:
    office = Office.of(service)
    seal = office.granted(suite)
    document = uploaded(office.dan)
    job = sealed(office, seal, document["id"], placement=placement)
    assert job["state"] == "succeeded", job
    made = office.dan.get(f"/v1/documents/{job['result']['document']}").json()
    assert made["encryption"] == document["encryption"]
    assert opens(office.dan.get(f"/v1/documents/{made['id']}/content").content)
    report = office.dan.post("/v1/verifications", data={"document": made["id"]}).json()
    assert report["verdict"] != "TOTAL-FAILED"
    assert report["signatures"][0]["seal"]["name"] == seal["name"]
    again = sealed(office, seal, made["id"])
    assert again["state"] == "succeeded", again


@pytest.mark.parametrize("suite", ["sm2"])
def test_what_an_envelope_gives_back_opens_with_the_same_password(user: User, suite: str) -> None:
    data = locked()
    contract = user.sent(held(suite), documents=[uploaded(user, data)["id"]])
    envelope = in_envelope(user, from_first_party(contract))
    job = open_as(user, envelope, envelope["recipients"][0])
    assert job["state"] == "succeeded", job
    found = user.get(f"/v1/documents/{job['result']['document']}").json()
    assert found["encryption"] == "AES-256"
    assert user.get(f"/v1/documents/{found['id']}/content").content == data
    assert user.post("/v1/verifications", data={"document": found["id"]}).json()["verdict"] == "NO-SIGNATURE"
