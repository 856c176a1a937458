"""What holds for every route of the OpenAPI, new ones included: repetitions, versions, pages, methods, limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.config import Settings
from api.kit import edge, idempotency
from api.kit.limits import MOST, Limits
from tests.api.agreements.desk import words
from tests.api.conftest import User, held, serving
from tests.api.foreign import Objects, Schema, address_of, options_of
from tests.api.registry import made, organisation, person
from tests.api.test_isolation import BODIES, PREFIXES

NOWHERE = {name: f"{prefix}_{'0' * 32}" for name, prefix in PREFIXES.items()}
WITHOUT_VERSION = {
    *("delete_document", "hand_in_signature", "hand_in_agreement_signature", "hand_in_batch"),
    *("withdraw_handover", "return_value"),
}
"""What they change is written once and has no versions: an upload, the answer to one request, a one-time address."""


@pytest.fixture
def schema(user: User) -> Schema:
    return Schema(user.http.get("/openapi.json").json())


def ids(path: str, known: dict[str, str]) -> dict[str, str]:
    names = re.findall(r"\{(\w+)\}", path)
    return {name: known.get(name) or NOWHERE.get(name) or f"{name[:3]}_{'0' * 32}" for name in names}


def header(operation: dict[str, Any], name: str) -> dict[str, Any]:
    return next((each for each in operation.get("parameters", []) if each["name"] == name), {})


def called(user: User, schema: Schema, verb: str, path: str, operation: dict[str, Any], **headers: str) -> Any:
    options = options_of(schema, operation, BODIES, Objects(NOWHERE).by_prefix)
    return user.request(verb, address_of(path, ids(path, {})), headers=headers, **options)


def posts(schema: Schema) -> Iterator[tuple[str, str, dict[str, Any]]]:
    return (each for each in schema.operations if each[0] == "POST")


# repetitions ---------------------------------------------------------------------------------------------------


def test_every_post_is_done_once_for_a_key(user: User, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request with the key is still running, or has ended: which answer, and no work."""
    same = "f" * 64

    async def fingerprint(_request: Any) -> str:
        return same

    monkeypatch.setattr(edge, "_fingerprint", fingerprint)
    for verb, path, operation in posts(schema):
        key = operation["operationId"]
        sent = {"idempotency-key": key, "if-match": '"v1"'}
        claim = idempotency.Claim(user.tenant_id, key, same)
        assert idempotency.begin(user.context, claim) is None
        running = called(user, schema, verb, path, operation, **sent)
        assert (running.status_code, running.json()["code"]) == (409, "idempotency-in-progress"), path
        assert running.headers["retry-after"] == "1"
        with user.context.database.write() as session:
            row = session.get_one(idempotency.IdempotencyRecord, (user.tenant_id, key))
            row.status, row.headers, row.body = 201, {"etag": '"v7"'}, b"the answer"
        replayed = called(user, schema, verb, path, operation, **sent)
        assert (replayed.status_code, replayed.content) == (201, b"the answer"), path
        assert (replayed.headers["idempotency-replayed"], replayed.headers["etag"]) == ("true", '"v7"')
    same = "e" * 64
    other = called(user, schema, verb, path, operation, **sent)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "ключ".encode()])
def test_a_key_is_short_printable_ascii(user: User, key: Any) -> None:
    body = {"name": "x", "roles": ["auditor"]}
    assert user.post("/v1/users", json=body, headers={"idempotency-key": key}).status_code == 400


# versions ------------------------------------------------------------------------------------------------------


@pytest.fixture
def objects(user: User) -> dict[str, str]:
    """One of everything that has a version and is quickly made."""
    return {
        "contract_id": user.draft([held("ed25519")])["id"],
        "agreement_id": made(user, "/v1/agreements", {"agreement": words({"name": "x"})})["id"],
        "organisation_id": organisation(user)["id"],
        "person_id": person(user, identifiers=[])["id"],
        "user_id": made(user, "/v1/users", {"name": "x", "roles": ["auditor"]})["id"],
        "key_id": made(user, "/v1/api-keys", {"name": "x", "scopes": ["contracts:read"]})["id"],
    }


def test_every_change_of_something_that_has_a_version_needs_it(
    user: User, schema: Schema, objects: dict[str, str]
) -> None:
    changes = [each for each in schema.operations if each[0] in {"PATCH", "PUT", "DELETE"}]
    acts = [each for each in posts(schema) if header(each[2], "if-match").get("required")]
    assert {operation["operationId"] for *_, operation in acts} >= {
        "send_contract",
        "extend_contract",
        "offer_agreement",
    }
    seen = set()
    for verb, path, operation in changes + acts:
        name = operation["operationId"]
        if name in WITHOUT_VERSION:
            continue
        assert header(operation, "if-match").get("required"), f"{verb} {path} takes no If-Match"
        at = address_of(path, ids(path, objects))
        options = options_of(schema, operation, BODIES, {})
        missing = user.request(verb, at, **options)
        assert (missing.status_code, missing.json()["code"]) == (428, "precondition-required"), (verb, path)
        if all(each in objects for each in ids(path, {})):
            stale = user.request(verb, at, headers={"if-match": '"v99"'}, **options)
            assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed"), (verb, path)
            seen.add(verb)
    assert seen == {"PATCH", "PUT", "DELETE", "POST"}
    for path, verbs in schema.document["paths"].items():
        if (
            "get" in verbs
            and all(name in objects for name in ids(path, {}))
            and path.count("{") == 1
            and path[-1] == "}"
        ):
            assert user.get(address_of(path, objects)).json()["version"] == 1  # nothing has changed


def test_every_act_on_something_that_has_a_version_may_name_it(schema: Schema) -> None:
    lacking = {
        operation["operationId"]
        for verb, path, operation in posts(schema)
        for answer in operation["responses"].values()
        if "ETag" in answer.get("headers", {}) and "{" in path and not header(operation, "if-match")
    }
    # a signature names what it signs by its hash; a contract of a template says of which version it is
    assert lacking == {"add_agreement_signature", "create_contract_from_template"}


def test_what_a_client_has_already_is_not_sent_again(user: User, schema: Schema, objects: dict[str, str]) -> None:
    tagged = set()
    for verb, path, operation in schema.operations:
        if verb != "GET" or not all(name in objects for name in ids(path, {})):
            continue
        at = address_of(path, objects)
        first = user.get(at)
        assert first.headers["cache-control"] == "no-store", path
        assert ("304" in operation["responses"]) == ("etag" in first.headers), path
        if "etag" not in first.headers:
            continue
        tagged.add(operation["operationId"])
        tag = first.headers["etag"]
        assert re.fullmatch(r'"[!#-~]+"', tag)  # strong
        for same in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            again = user.get(at, headers={"if-none-match": same})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), (path, same)
        assert user.get(at, headers={"if-none-match": '"other"'}).content == first.content
    assert {f"get_{name.removesuffix('_id')}" for name in objects} - {"get_key"} | {"get_api_key"} <= tagged


# pages ---------------------------------------------------------------------------------------------------------


def test_every_list_has_a_page_of_at_most_200(user: User, schema: Schema) -> None:
    lists = [each for each in schema.operations if each[0] == "GET" and header(each[2], "limit")]
    assert len(lists) > 15
    for _, path, operation in lists:
        assert header(operation, "limit")["schema"]["maximum"] == 200, path
        at = address_of(path, ids(path, {}))
        assert user.get(at, params={"limit": 201}).status_code == 422, path
        if header(operation, "cursor"):
            forged = user.get(at, params={"cursor": "AAAA"})
            assert forged.status_code == (404 if "{" in path else 422), path


def test_a_cursor_is_of_one_list_of_one_tenant(user: User, stranger: User) -> None:
    def first(who: User) -> str:
        for name in ("x", "y"):
            made(who, "/v1/users", {"name": name, "roles": ["auditor"]})
        return str(who.get("/v1/users", params={"limit": 1}).json()["next_cursor"])

    own, theirs = first(user), first(stranger)
    assert len(user.get("/v1/users", params={"cursor": own}).json()["data"]) == 1
    for path, cursor in (("/v1/users", theirs), ("/v1/jobs", own), ("/v1/users", own[:-2] + "AA"), ("/v1/users", "я")):
        refused = user.get(path, params={"cursor": cursor})
        assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")


def test_contracts_are_found_by_state_party_number_and_time(user: User) -> None:
    document = [user.upload()["id"]]
    party = {"name": "Лю Вэй", "email": "Liu@example.com", "role": "viewer"}
    for index in range(3):
        user.draft([party], document, external_id=f"n{index}")
    other = user.draft([held("ed25519")], document)

    def listed(**query: Any) -> list[str]:
        """Return the external numbers, page by page, by Link."""
        found, path = [], "/v1/contracts"
        answer = user.get(path, params={**query, "limit": 1})
        while True:
            assert answer.status_code == 200, answer.text
            found += [row["external_id"] for row in answer.json()["data"]]
            link = re.fullmatch(r'<(/[^>]+)>; rel="next"', answer.headers.get("link", ""))
            assert (link is None) == (answer.json()["next_cursor"] is None)
            if link is None:
                return found
            answer = user.get(link[1])

    assert listed(party_email="liu@EXAMPLE.com") == ["n2", "n1", "n0"]
    assert listed(party_email="nobody@example.com") == listed(state="sent", party_email="liu@example.com") == []
    assert listed(party_email="liu@example.com", state="draft", external_id="n1") == ["n1"]
    second = user.get("/v1/contracts", params={"external_id": "n1"}).json()["data"][0]["created_at"]
    assert listed(created_after=second) == [None, "n2"]
    assert listed(created_after=other["created_at"].replace("Z", "+00:00")) == []
    for wrong in ("yesterday", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00"):
        assert user.get("/v1/contracts", params={"created_after": wrong}).status_code == 422


# methods, names, octets ----------------------------------------------------------------------------------------


def test_a_resource_says_which_methods_it_knows(user: User, schema: Schema) -> None:
    for path, verbs in schema.document["paths"].items():
        at = address_of(path.replace("{encoded}", "AA"), ids(path, {}))
        refused = user.http.options(at)
        assert refused.status_code == 405, path
        known = {each.upper() for each in verbs} | ({"HEAD"} if "get" in verbs else set())
        assert set(refused.headers["allow"].split(", ")) == known, path


def test_a_form_field_in_place_of_a_file_is_called_that(user: User) -> None:
    for path in ("/v1/documents", "/v1/verifications"):
        refused = user.post(path, files={"file": (None, "text")}).json()
        assert (refused["code"], refused["errors"][0]["pointer"]) == ("validation-failed", "/file")
        assert refused["errors"][0]["detail"] == "a part with a file name is expected"


def test_no_octet_of_an_address_is_a_defect(user: User) -> None:
    for path, status in (("/v1/contracts/%00", 404), ("/%00", 404), ("/v1/jobs?kind=x%00", 400)):
        assert user.get(path).status_code == status, path


# limits --------------------------------------------------------------------------------------------------------


def test_a_bucket_fills_all_the_time() -> None:
    now = [0.0]
    limits = Limits({"key": 60, "tenant": 120, "off": 0}, clock=lambda: now[0])
    names = {"key": "a", "tenant": "t"}
    first = limits.take(names)
    assert first.headers == {
        "ratelimit-policy": '"key";q=60;w=60, "tenant";q=120;w=60',
        "ratelimit": '"key";r=59;t=1, "tenant";r=119;t=1',
    }
    assert [limits.take(names).wait for _ in range(60)] == [0] * 59 + [1]
    assert limits.take({**names, "key": "b"}).wait == 0  # another key of the tenant
    now[0] += 0.5
    assert limits.take(names).wait == 1
    now[0] += 0.5
    assert limits.take(names).wait == 0
    assert [limits.take({**names, "key": "b"}).wait for _ in range(59)] == [0] * 59
    assert limits.take({**names, "key": "c"}).headers["ratelimit"].endswith('"tenant";r=0;t=60')
    assert limits.take({**names, "key": "c"}).wait == 1  # the tenant's is empty
    now[0] += 3600
    assert limits.take(names).headers["ratelimit"].startswith('"key";r=59')
    for number in range(MOST + 10):
        limits.take({"key": str(number), "tenant": "t2"})
    assert len(limits._buckets) <= MOST + 2
    assert Limits({"key": 0}).take(names).headers == {}


def test_too_many_requests_are_told_to_wait(user: User, stranger: User, settings: Settings) -> None:
    with serving(replace(settings, worker=False, rate_limit=2, rate_limit_tenant=3)) as service:
        there, other = (replace(who, http=service.http) for who in (user, stranger))
        answers = [there.get("/v1/users") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0].headers["ratelimit"].startswith('"key";r=1;t=30')
        body = answers[2].json()
        assert (body["code"], str(body["retry_after"])) == ("rate-limited", answers[2].headers["retry-after"])
        assert 1 <= body["retry_after"] <= 30
        assert answers[2].headers["ratelimit-policy"] == '"key";q=2;w=60, "tenant";q=3;w=60'
        assert other.get("/v1/users").status_code == 200
        assert there.http.get("/healthz").status_code == 200
