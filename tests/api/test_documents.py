"""Uploads: what is taken, what is refused, what comes back."""

from __future__ import annotations

import hashlib
import io
import socket

import pikepdf
import pytest

from certs import suites
from tests.api.conftest import User, held, make_pdf


def refused(user: User, content: bytes, name: str = "x.pdf") -> dict[str, object]:
    before = user.get("/v1/documents").json()["data"]
    response = user.post("/v1/documents", files={"file": (name, content, "application/pdf")})
    assert response.headers["content-type"] == "application/problem+json"
    assert user.get("/v1/documents").json()["data"] == before
    return response.json()


def encrypted(user_password: str) -> bytes:
    pdf, out = pikepdf.open(io.BytesIO(make_pdf())), io.BytesIO()
    pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user=user_password))
    return out.getvalue()


def test_an_upload_is_hashed_in_three_cryptographies(user: User) -> None:
    pdf = make_pdf(3)
    body = user.upload(pdf, "合同.pdf")
    assert body["id"].startswith("doc_")
    assert (body["size"], body["pages"], body["name"]) == (len(pdf), 3, "合同.pdf")
    assert body["sha256"] == hashlib.sha256(pdf).hexdigest()
    assert body["sm3"] == suites.digest("sm3", pdf).hex()
    assert body["streebog256"] == suites.digest("streebog256", pdf).hex()
    assert user.get(f"/v1/documents/{body['id']}").json() == body


def test_the_content_comes_back_with_its_hash_as_etag(user: User) -> None:
    pdf = make_pdf()
    path = f"/v1/documents/{user.upload(pdf)['id']}/content"
    response = user.get(path)
    assert response.content == pdf
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["etag"] == f'"{hashlib.sha256(pdf).hexdigest()}"'
    assert response.headers["cache-control"] == "no-store"
    again = user.get(path, headers={"if-none-match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=5-", 5, None), ("bytes=-7", -7, None), ("bytes=0-99999999", 0, None)],
)
def test_ranges(user: User, header: str, start: int, end: int | None) -> None:
    pdf = make_pdf()
    response = user.get(f"/v1/documents/{user.upload(pdf)['id']}/content", headers={"range": header})
    assert response.status_code == 206
    assert response.content == pdf[start:end]
    assert response.headers["content-range"].endswith(f"/{len(pdf)}")


@pytest.mark.parametrize("header", ["bytes=99999999-", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(user: User, header: str) -> None:
    response = user.get(f"/v1/documents/{user.upload()['id']}/content", headers={"range": header})
    assert (response.status_code, response.json()["code"]) == (416, "range-not-satisfiable")


@pytest.mark.parametrize("header", ["bytes=0-1,3-4", "lines=1-2", "bytes=x-y", "bytes=5-2", "bytes", "bytes=²-"])
def test_a_range_nobody_understands_gives_the_whole_file(user: User, header: str) -> None:
    response = user.get(f"/v1/documents/{user.upload()['id']}/content", headers={"range": header.encode()})
    assert response.status_code == 200


def test_hostile_uploads_are_refused_and_leave_nothing(user: User) -> None:
    cut = make_pdf()[:-200]
    cases = {
        b"": "document-refused",
        b"\x00" * 5000: "document-refused",
        b"<html><script>alert(1)</script></html>": "document-refused",
        b"PK\x03\x04" + b"x" * 2000: "document-refused",
        b"%PDF-1.7\n%%EOF\n": "unreadable-pdf",
        b"%PDF-1.7\n" + b"\xff" * 20000: "unreadable-pdf",
        cut: "unreadable-pdf",
        encrypted("secret"): "encrypted-pdf",
    }
    for content, code in cases.items():
        body = refused(user, content)
        assert body["code"] == code, content[:40]
        assert body["status"] == 422
    incoming = user.context.settings.data / "objects" / "incoming"
    assert list(incoming.iterdir()) == []


def test_a_pdf_without_pages_is_refused(user: User) -> None:
    out = io.BytesIO()
    pikepdf.new().save(out)
    assert refused(user, out.getvalue())["code"] == "document-refused"


def test_a_file_over_the_limit_is_refused_by_its_size(user: User) -> None:
    assert refused(user, make_pdf() + b"\n" * (3 * 2**20))["code"] == "payload-too-large"


def test_a_body_over_the_limit_is_refused_before_it_is_read(user: User) -> None:
    address = user.http.base_url
    with socket.create_connection((address.host, address.port), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            b"Content-Length: 12000000\r\n\r\n--x"
        )
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"payload-too-large"' in answer


def test_a_body_that_lies_about_its_length_is_cut_off(user: User) -> None:
    def pieces():  # type: ignore[no-untyped-def]
        yield b'{"title": "'
        for _ in range(40):
            yield b"x" * 2**16
        yield b'"}'

    response = user.post("/v1/contracts", content=pieces(), headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (413, "payload-too-large")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\договор.pdf", "договор.pdf"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("x" * 400, "x" * 255),
    ],
)
def test_file_names_are_only_names(user: User, given: str, kept: str) -> None:
    assert user.upload(name=given)["name"] == kept


def test_a_document_is_deleted_only_while_nothing_holds_it(user: User) -> None:
    document = user.upload()
    contract = user.draft([held("ecdsa-p256")], [document["id"]])
    path = f"/v1/documents/{document['id']}"
    response = user.request("DELETE", path)
    assert (response.status_code, response.json()["code"]) == (409, "conflict")
    assert user.request("DELETE", f"/v1/contracts/{contract['id']}", headers={"if-match": '"v1"'}).status_code == 204
    assert user.request("DELETE", path).status_code == 204
    assert user.get(path).status_code == 404
    assert user.request("DELETE", path).status_code == 404


def test_lists_are_paged_newest_first(user: User) -> None:
    ids = [user.upload()["id"] for _ in range(5)]
    found, path = [], "/v1/documents?limit=2"
    for _ in range(3):
        response = user.get(path)
        found += [row["id"] for row in response.json()["data"]]
        cursor = response.json()["next_cursor"]
        assert (cursor is None) == ("link" not in response.headers)
        path = f"/v1/documents?limit=2&cursor={cursor}"
    assert found == ids[::-1]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%00", "é", "0" * 200])
def test_a_made_up_cursor_is_refused(user: User, cursor: str) -> None:
    response = user.get("/v1/documents", params={"cursor": cursor})
    assert (response.status_code, response.json()["code"]) == (422, "validation-failed")


def test_a_cursor_of_another_list_is_refused(user: User) -> None:
    for _ in range(2):
        user.upload()
    cursor = user.get("/v1/documents?limit=1").json()["next_cursor"]
    assert user.get("/v1/contracts", params={"cursor": cursor}).status_code == 422


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x"])
def test_a_limit_out_of_range_is_refused(user: User, limit: str) -> None:
    assert user.get(f"/v1/documents?limit={limit}").status_code == 422
