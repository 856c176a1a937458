"""Who may use the service: users and their roles, keys that are limited, tokens that are soon over."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth import networks, oauth
from api.auth.models import AccessToken, APIKey, Tenant
from api.auth.scopes import NAMED_SCOPES, ROLES, SCOPES, USUAL_SCOPES, scopes_of
from api.cli import main
from api.errors import ValidationFailed
from api.kit.idempotency import IdempotencyRecord
from tests.api.conftest import Service, User
from tests.api.registry import made
from tests.api.seals.office import application, good, key_id
from tests.test_readme import ROOT

FORM = {"content-type": "application/x-www-form-urlencoded"}


def key_for(user: User, scopes: tuple[str, ...] = ("documents:read",), /, **more: Any) -> User:
    """Make an API key over HTTP; return who has it."""
    found = made(user, "/v1/api-keys", {"name": "k", "scopes": list(scopes), **more})
    return User(user.http, found["key"], user.context, user.tenant_id)


def somebody(user: User, *roles: str, **more: Any) -> dict[str, Any]:
    return made(user, "/v1/users", {"name": "李敏", "roles": list(roles), **more})


def status(user: User, path: str = "/v1/documents") -> int:
    return int(user.get(path).status_code)


def detail(response: Any, code: int) -> str:
    assert response.status_code == code, response.text
    return str(response.json()["detail"])


# roles and users -----------------------------------------------------------------------------------------------------


def test_roles_are_lists_of_scopes_and_documented() -> None:
    page = (ROOT / "docs" / "people.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| ((?:`|all|every).*) \|$", page, re.MULTILINE))
    assert [name for name in rows if name in ROLES] == list(ROLES)
    for role, scopes in ROLES.items():
        assert set(scopes) <= set(SCOPES)
        named = set(re.findall(r"`([a-z-]+:[a-z]+)`", rows[role]))
        if rows[role].startswith("all"):
            assert set(scopes) == set(SCOPES) - named
        elif role == "auditor":
            assert set(scopes) == {scope for scope in SCOPES if scope.endswith(":read")} | named
        else:
            assert set(scopes) == named
    assert scopes_of(["seal-keeper"]).isdisjoint({"seals:approve"})
    assert set(USUAL_SCOPES) | NAMED_SCOPES == set(SCOPES)


def test_a_user_has_what_the_roles_give_from_the_next_request_on(user: User) -> None:
    found = somebody(user, "auditor", email="li@example.com", locale="zh")
    own = key_for(user, ("documents:read", "contracts:read"), user=found["id"])
    assert (status(own), status(own, "/v1/contracts"), status(own, "/v1/users")) == (200, 200, 403)
    path = f"/v1/users/{found['id']}"
    changed = user.request("PATCH", path, json={"roles": ["identity-officer"]}, headers={"if-match": '"v1"'})
    assert (changed.json()["roles"], changed.json()["version"]) == (["identity-officer"], 2)
    assert (status(own), status(own, "/v1/people")) == (403, 403)  # of the key's scopes none is in the role
    user.request("PATCH", path, json={"roles": ["signer"]}, headers={"if-match": '"v2"'})
    assert status(own) == 200
    assert [row["id"] for row in user.get(f"/v1/api-keys?user={found['id']}").json()["data"]] == [key_id(own)]


def test_a_user_who_is_deactivated_is_out_at_once_with_every_key_and_token(user: User) -> None:
    found = somebody(user, "auditor")
    own = key_for(user, user=found["id"])
    bearer = token_of(own)
    assert (status(own), status(bearer)) == (200, 200)
    path = f"/v1/users/{found['id']}"
    assert good(user.post(f"{path}/deactivate", headers={"if-match": '"v1"'}))["state"] == "deactivated"
    assert (status(own), status(bearer)) == (401, 401)
    assert asked(own).status_code == 401
    assert user.post(f"{path}/deactivate").json()["code"] == "state-conflict"
    refused = user.post("/v1/api-keys", json={"name": "x", "scopes": ["documents:read"], "user": found["id"]})
    assert detail(refused, 422) == "user is deactivated"
    assert good(user.post(f"{path}/activate"))["state"] == "active"
    assert status(own) == 200
    assert user.post(f"{path}/activate").status_code == 409


def test_nobody_gives_a_role_that_may_more(service: Service) -> None:
    admin = service.user()
    chief = somebody(admin, "admin")
    clerk = key_for(admin, ("users:write", "users:read", *ROLES["auditor"]))
    assert "documents:write" in detail(clerk.post("/v1/users", json={"name": "x", "roles": ["manager"]}), 403)
    other = made(clerk, "/v1/users", {"name": "x", "roles": ["auditor"]})
    path = f"/v1/users/{other['id']}"
    refused = clerk.request("PATCH", path, json={"roles": ["admin"]}, headers={"if-match": '"v1"'})
    assert "admin" not in admin.get(path).json()["roles"]
    assert "more than the credential has" in detail(refused, 403)
    assert clerk.post(f"/v1/users/{chief['id']}/deactivate").status_code == 403
    assert admin.get(f"/v1/users/{chief['id']}").json()["state"] == "active"


def test_an_email_is_one_users(user: User, stranger: User) -> None:
    somebody(user, "auditor", email="li@example.com")
    other = somebody(user, "auditor")
    assert (
        user.post("/v1/users", json={"name": "x", "roles": ["auditor"], "email": "li@example.com"}).status_code == 409
    )
    path, match = f"/v1/users/{other['id']}", {"if-match": '"v1"'}
    assert user.request("PATCH", path, json={"email": "li@example.com"}, headers=match).status_code == 409
    assert user.request("PATCH", path, json={"name": None}, headers=match).status_code == 422
    somebody(stranger, "auditor", email="li@example.com")


def test_two_keys_of_one_user_are_one_person(user: User) -> None:
    keeper = somebody(user, "seal-keeper", "seal-approver")
    first, second = (key_for(user, ("seals:write", "seals:approve", "seals:read"), user=keeper["id"]) for _ in "ab")
    seal = good(first.post("/v1/seals", json=application("ecdsa-p256", owner={"organisation": "x"})), 201)
    assert seal["applicant"] == keeper["id"]
    refused = second.post(f"/v1/seals/{seal['id']}/approve")
    assert (refused.status_code, refused.json()["reason"]) == (422, "needs-approval")
    assert good(user.post(f"/v1/seals/{seal['id']}/approve"))["approvals"][0]["by"] == key_id(user)
    for grantee in (key_id(second), keeper["id"]):  # a key of a user stands for the user
        grant = good(user.post(f"/v1/seals/{seal['id']}/grants", json={"grantee": grantee}), 201)
        assert grant["grantee"] == keeper["id"]


# API keys ------------------------------------------------------------------------------------------------------------


def test_a_key_gives_nothing_that_it_lacks(user: User) -> None:
    limited = key_for(
        user,
        ("api-keys:read", "api-keys:write", "documents:read"),
        expires_at="2098-01-01T00:00:00Z",
        networks=["127.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"],
    )

    def ask(**more: Any) -> Any:
        return limited.post("/v1/api-keys", json={"name": "x", "scopes": ["documents:read"], **more})

    child = good(ask(), 201)
    assert (child["expires_at"], child["networks"]) == (
        "2098-01-01T00:00:00Z",
        ["127.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"],
    )
    assert good(ask(networks=["192.0.2.128/25"], expires_at="2097-01-01T00:00:00Z"), 201)
    assert "lacks contracts:read" in detail(ask(scopes=["documents:read", "contracts:read"]), 403)
    assert "expires" in detail(ask(expires_at="2098-01-01T00:00:01Z"), 403)
    assert "networks" in detail(ask(networks=["192.0.2.0/23"]), 403)
    assert "networks" in detail(ask(networks=["2001:db8::/31"]), 403)
    assert ask(scopes=["everything"]).json()["errors"][0]["pointer"] == "/scopes"
    assert ask(networks=["192.0.2.1/24"]).json()["errors"][0]["pointer"] == "/networks"

    mighty = f"/v1/api-keys/{key_id(user)}"
    for response in (
        limited.post(f"{mighty}/rotate"),
        limited.request("PATCH", mighty, json={"name": "mine"}, headers={"if-match": '"v1"'}),
    ):
        assert response.status_code == 403
    assert status(user) == 200
    path, match = f"/v1/api-keys/{child['id']}", {"if-match": '"v1"'}
    for more in ({"networks": None}, {"expires_at": None}, {"scopes": ["users:write"]}):
        assert limited.request("PATCH", path, json=more, headers=match).status_code == 403
    assert limited.get(path).json()["version"] == 1


def test_a_key_of_a_user_has_at_most_the_roles(user: User) -> None:
    found = somebody(user, "signer")
    body = {"name": "x", "scopes": ["documents:write"], "user": found["id"]}
    response = user.post("/v1/api-keys", json=body)
    assert response.json()["errors"][0]["code"] == "beyond-roles"


def test_a_secret_is_shown_once_and_kept_nowhere(user: User) -> None:
    body, headers = {"name": "x", "scopes": ["documents:read"]}, {"idempotency-key": "k"}
    first, again = (user.post("/v1/api-keys", json=body, headers=headers) for _ in range(2))
    token = first.json()["key"]
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json() | {"key": None}
    secret = token.split("_", 2)[2]
    with user.context.database.read() as session:
        record = session.get_one(IdempotencyRecord, (user.tenant_id, "k"))
        assert record.body is not None
        assert secret.encode() not in record.body
    for path in (user.context.settings.data).rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes()
    for where in (f"/v1/api-keys/{first.json()['id']}", "/v1/api-keys"):
        assert secret not in user.get(where).text


def test_a_key_is_rotated_with_or_without_an_overlap(user: User) -> None:
    before = key_for(user)
    bearer, path = token_of(before), f"/v1/api-keys/{key_id(before)}"
    turned = good(user.post(f"{path}/rotate", json={"overlap_minutes": 60}, headers={"if-match": '"v1"'}))
    now = User(user.http, turned["key"], user.context, user.tenant_id)
    assert key_id(now) == key_id(before)
    assert (status(before), status(now), status(bearer)) == (200, 200, 200)
    with user.context.database.write() as session:
        session.get_one(APIKey, key_id(now)).previous_until = user.context.now()
    assert (status(before), status(now)) == (401, 200)
    final = good(user.post(f"{path}/rotate"))
    assert (status(before), status(now), status(bearer)) == (401, 401, 401)
    last = User(user.http, final["key"], user.context, user.tenant_id)
    assert status(last) == 200
    revoked = good(user.post(f"{path}/revoke"))
    assert (revoked["state"], status(last)) == ("revoked", 401)
    assert good(user.post(f"{path}/revoke")) == revoked
    assert user.post(f"{path}/rotate").json()["state"] == "revoked"


def test_a_key_says_when_it_was_used_last(user: User) -> None:
    other = key_for(user)
    path = f"/v1/api-keys/{key_id(other)}"
    assert user.get(path).json()["last_used_at"] is None
    began = user.context.now()
    status(other)
    assert user.get(path).json()["last_used_at"] >= began.isoformat()[:19]
    long_ago = began - timedelta(days=3)
    for moment, noted in ((long_ago, True), (began - timedelta(seconds=30), False)):
        with user.context.database.write() as session:
            session.get_one(APIKey, key_id(other)).last_used_at = moment
        status(other)
        with user.context.database.read() as session:
            assert (session.get_one(APIKey, key_id(other)).last_used_at != moment) is noted


def test_a_key_is_for_some_addresses(user: User) -> None:
    here, elsewhere = key_for(user, networks=["127.0.0.1/32"]), key_for(user, networks=["192.0.2.0/24", "::1/128"])
    assert (status(here), status(elsewhere)) == (200, 401)
    claimed = {"x-forwarded-for": "192.0.2.1", "forwarded": "for=192.0.2.1", "x-real-ip": "192.0.2.1"}
    assert elsewhere.get("/v1/documents", headers=claimed).status_code == 401
    assert asked(elsewhere).status_code == 401
    bearer = token_of(here)
    with user.context.database.write() as session:
        session.get_one(APIKey, key_id(here)).networks = ["192.0.2.0/24"]
    assert status(bearer) == 401
    basic = base64.b64encode(f"x:{elsewhere.token}".encode()).decode()
    headers = {"authorization": f"Basic {basic}", "content-type": "application/pkcs10"}
    assert user.http.post("/.well-known/est/sm2/simpleenroll", content=b"", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("address", "places", "inside"),
    [
        ("192.0.2.7", ["192.0.2.0/24"], True),
        ("192.0.3.7", ["192.0.2.0/24"], False),
        ("::ffff:192.0.2.7", ["192.0.2.0/24"], True),
        ("192.0.2.7", ["::ffff:192.0.2.0/120"], True),
        ("192.0.2.7", ["::/0"], False),
        ("2001:db8::1", ["2001:db8::/32"], True),
        ("2001:db9::1", ["2001:db8::/32"], False),
        ("fe80::1%eth0", ["fe80::/10"], True),
        ("::1", ["127.0.0.0/8"], False),
        ("", ["0.0.0.0/0", "::/0"], False),
        ("testclient", ["0.0.0.0/0"], False),
        ("", None, True),
        ("192.0.2.7", [], False),
    ],
)
def test_an_address_is_in_a_network(address: str, places: list[str] | None, inside: bool) -> None:
    found = networks.parse(places) if places is not None else None
    assert networks.allowed(found, address) is inside


@pytest.mark.parametrize("wrong", ["", "x", "192.0.2.0/33", "192.0.2.1/24", "192.0.2.0/24/24", "2001:db8::1/32", "1"])
def test_what_is_no_network_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationFailed):
        networks.parse([wrong])


@given(st.ip_addresses(network="10.0.0.0/8"), st.integers(8, 32), st.integers(0, 32))
def test_a_network_within_another_has_no_address_outside(address: Any, narrow: int, wide: int) -> None:
    inner, outer = (networks.parse([f"{masked(address, bits)}/{bits}"]) for bits in (narrow, wide))
    assert networks.within(inner, outer) is (wide <= narrow)
    assert networks.allowed(inner, str(address))
    assert networks.allowed(outer, str(address))
    assert networks.within(inner, None)
    assert not networks.within(None, outer)


def masked(address: Any, bits: int) -> str:
    return str(type(address)(int(address) >> (32 - bits) << (32 - bits)))


# access tokens -------------------------------------------------------------------------------------------------------


def basic(user: User) -> dict[str, str]:
    """Return what a client shows (RFC 6749 2.3.1)."""
    name, secret = key_id(user), user.token.split("_", 2)[2]
    pair = base64.b64encode(f"{quote(name, safe='')}:{quote(secret, safe='')}".encode()).decode()
    return {"authorization": f"Basic {pair}"}


def asked(user: User, path: str = "/oauth/token", **form: str) -> Any:
    body = {"grant_type": "client_credentials", **form} if path == "/oauth/token" else form
    return user.http.post(path, data=body, headers=basic(user))


def token_of(user: User, **form: str) -> User:
    answer = good(asked(user, **form))
    return User(user.http, answer["access_token"], user.context, user.tenant_id)


def test_a_key_is_exchanged_for_a_token(user: User) -> None:
    key = key_for(user, ("documents:read", "contracts:read"))
    response = asked(key)
    answer = response.json()
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 600)
    assert answer["scope"] == "contracts:read documents:read"
    bearer = User(user.http, answer["access_token"], user.context, user.tenant_id)
    assert (status(bearer), status(bearer, "/v1/contracts"), status(bearer, "/v1/seals")) == (200, 200, 403)
    less = token_of(key, scope="documents:read")
    assert (status(less), status(less, "/v1/contracts")) == (200, 403)
    assert user.get(f"/v1/api-keys/{key_id(key)}").json()["last_used_at"] is not None
    with user.context.database.write() as session:
        name = "tok_" + less.token.split("_")[1]
        session.get_one(AccessToken, name).expires_at = user.context.now()
    assert status(less) == 401
    token_of(key)
    with user.context.database.read() as session:
        assert session.get(AccessToken, name) is None  # what is over is swept


def test_a_token_is_never_better_than_its_key(user: User) -> None:
    key = key_for(user, ("documents:read", "contracts:read"))
    bearer, path = token_of(key), f"/v1/api-keys/{key_id(key)}"
    user.request("PATCH", path, json={"scopes": ["contracts:read"]}, headers={"if-match": '"v1"'})
    assert (status(bearer), status(bearer, "/v1/contracts")) == (403, 200)
    user.post(f"{path}/revoke")
    assert status(bearer, "/v1/contracts") == 401


def test_a_token_is_revoked_by_its_client_only(user: User) -> None:
    key, other = key_for(user), key_for(user)
    first, second = token_of(key), token_of(key)
    assert asked(other, "/oauth/revoke", token=first.token).status_code == 200
    assert (status(first), status(second)) == (200, 200)
    assert asked(key, "/oauth/revoke", token=first.token, token_type_hint="access_token").status_code == 200
    assert (status(first), status(second)) == (401, 200)
    assert asked(key, "/oauth/revoke", token="nonsense").status_code == 200
    assert asked(key, "/oauth/revoke").json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        (b"", "invalid_request", 400),
        (b"grant_type=", "invalid_request", 400),
        (b"grant_type=password", "unsupported_grant_type", 400),
        (b"grant_type=client_credentials&grant_type=client_credentials", "invalid_request", 400),
        (b"grant_type=client_credentials&scope=everything", "invalid_scope", 400),
        (b"grant_type=client_credentials&scope=contracts:read", "invalid_scope", 400),
        (b"grant_type=client_credentials&scope=%20", "invalid_scope", 400),
        (b"\xff\xfe", "invalid_request", 400),
        (b"a=b&" * 30, "invalid_request", 400),
        (b"grant_type=" + b"x" * 20_000, "invalid_request", 400),
    ],
)
def test_errors_are_those_of_rfc_6749(user: User, body: bytes, error: str, code: int) -> None:
    response = user.http.post("/oauth/token", content=body, headers={**basic(key_for(user)), **FORM})
    assert (response.status_code, response.json()["error"]) == (code, error)
    assert set(response.json()) == {"error", "error_description"}
    assert response.headers["content-type"] == "application/json"
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")


def test_a_body_of_another_type_is_an_invalid_request(user: User) -> None:
    json = user.http.post("/oauth/token", json={"grant_type": "client_credentials"}, headers=basic(user))
    assert (json.status_code, json.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("shown", ["", "Basic", "Basic !", "Basic eDp5", "Basic eA==", "Bearer x", "Basic /w=="])
def test_who_is_not_known_is_told_so(user: User, shown: str) -> None:
    response = user.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers={"authorization": shown}
    )
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic ")


def test_failures_are_limited_by_client_and_address(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    key, other = key_for(user), key_for(user)
    wrong = User(user.http, key.token[:-1] + ("A" if key.token[-1] != "A" else "B"), user.context, user.tenant_id)
    monkeypatch.setattr(oauth, "MOST", 3)
    answers = [asked(wrong) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert (answers[3].json()["error"], answers[3].headers["retry-after"]) == ("invalid_client", "60")
    assert asked(key).status_code == 429  # nothing is looked at any more, for a while
    assert asked(other).status_code == 200  # somebody else at the same address
    monkeypatch.setattr(oauth, "WINDOW", timedelta(0))
    assert asked(key).status_code == 200


def test_failures_of_ipv6_are_counted_by_network() -> None:
    assert networks.bucket("2001:db8::1") == networks.bucket("2001:db8::ffff:1") == "2001:db8::/64"
    assert networks.bucket("::ffff:192.0.2.1") == networks.bucket("192.0.2.1") == "192.0.2.1"
    assert len(networks.bucket("x" * 500)) < 50


@pytest.mark.parametrize(
    "token",
    ["srt_", "srt__", "srt_" + "0" * 32 + "_x", "srt_\ud800", "srt_" + "0" * 12 + "7" + "0" * 3 + "8" + "0" * 15],
)
def test_a_made_up_token_is_refused(user: User, token: str) -> None:
    headers = {"authorization": b"Bearer " + token.encode("utf-8", "surrogatepass")}
    assert user.http.get("/v1/documents", headers=headers).status_code == 401


def test_the_secret_of_a_key_is_no_token_and_the_other_way_round(user: User) -> None:
    key = key_for(user)
    bearer = token_of(key)
    for token in (key.token.replace("srk_", "srt_"), bearer.token.replace("srt_", "srk_")):
        assert status(User(user.http, token, user.context, user.tenant_id)) == 401


def test_programs_find_the_endpoints(user: User) -> None:
    found = user.http.get("/.well-known/oauth-authorization-server").json()
    assert found["issuer"] == str(user.http.base_url).rstrip("/")
    assert found["token_endpoint"] == f"{found['issuer']}/oauth/token"
    assert found["scopes_supported"] == list(SCOPES)
    response = user.http.post(found["token_endpoint"], data={"grant_type": "client_credentials"}, headers=basic(user))
    assert response.status_code == 200


# from the command line -----------------------------------------------------------------------------------------------


@pytest.fixture
def run(user: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Run `sealroad api-key` on the data of the service; return what it says, an error first."""
    monkeypatch.setenv("SEALROAD_DATA", str(user.context.settings.data))

    def run(*words: str, code: int = 0) -> list[str]:
        assert main(["api-key", *words]) == code
        shown = capsys.readouterr()
        return [*shown.err.splitlines(), *shown.out.splitlines()]

    return run


def test_keys_are_made_with_limits_and_listed(user: User, run: Callable[..., list[str]]) -> None:
    tenant = tenant_of(user)
    limits = ("--cidr", "127.0.0.0/8", "--cidr", "2001:db8::/32", "--expires", "2098-01-01T00:00:00+03:00")
    (token,) = run("create", tenant, "--name", "ERP", "--role", "auditor", *limits)
    made_here = User(user.http, token, user.context, user.tenant_id)
    found = user.get(f"/v1/api-keys/{key_id(made_here)}").json()
    assert (found["scopes"], found["expires_at"]) == (sorted(ROLES["auditor"]), "2097-12-31T21:00:00Z")
    assert found["networks"] == ["127.0.0.0/8", "2001:db8::/32"]
    assert status(made_here) == 200
    (line,) = [line for line in run("list", tenant) if key_id(made_here) in line]
    assert all(word in line for word in ("active", "ERP", "2097-12-31", "2001:db8::/32", "contracts:read"))
    assert token.split("_", 2)[2] not in line
    assert run("revoke", key_id(made_here)) == [f"sealroad: revoked {key_id(made_here)}"]
    assert status(made_here) == 401
    (line,) = [line for line in run("list", tenant) if key_id(made_here) in line]
    assert "revoked" in line


def test_a_key_of_a_user_is_made_within_the_roles(user: User, run: Callable[..., list[str]]) -> None:
    tenant, clerk = tenant_of(user), somebody(user, "signer")["id"]
    (token,) = run("create", tenant, "--user", clerk, "--scope", "documents:read")
    assert status(User(user.http, token, user.context, user.tenant_id)) == 200
    refused = run("create", tenant, "--user", clerk, "--scope", "users:write", code=2)
    assert refused == ["sealroad: the roles of 李敏 do not give users:write"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--expires", "tomorrow"), "no moment"),
        (("--expires", "2020-01-01"), "expired already"),
        (("--days", "0"), "expired already"),
        (("--days", "99999999999"), "no moment"),
        (("--days", "1", "--expires", "2098-01-01"), "once"),
        (("--cidr", "192.0.2.1/24"), "no network"),
        (("--role", "signer", "--scope", "documents:read"), "either a role or single scopes"),
        (("--user", "usr_" + "0" * 32), "no such user"),
    ],
)
def test_limits_that_make_no_sense_are_refused(
    user: User, run: Callable[..., list[str]], words: tuple[str, ...], said: str
) -> None:
    refused = run("create", tenant_of(user), *words, code=2)
    assert refused[0].startswith("sealroad: ")
    assert said in refused[0]


def tenant_of(user: User) -> str:
    with user.context.database.read() as session:
        return session.get_one(Tenant, user.tenant_id).name
