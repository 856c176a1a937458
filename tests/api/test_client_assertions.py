"""private_key_jwt: a client signs who it is (RFC 7523), for us, for minutes, once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from api.auth import jose, oauth
from api.auth.assertions import TYPE
from api.context import Context
from api.errors import TokenRefused
from tests.api.conftest import User
from tests.api.registry import made

ISSUER = "https://contracts.example"
ADDRESS = "192.0.2.7"


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8))


@dataclass(frozen=True)
class Signer:
    """A key as a client has it."""

    jwk: dict[str, str]
    sign: Callable[[bytes], bytes]


@cache
def signer(algorithm: str) -> Signer:
    if algorithm == "ES256":
        key = ec.generate_private_key(ec.SECP256R1())
        point = key.public_key().public_numbers()

        def sign(data: bytes) -> bytes:
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
            return r.to_bytes(32) + s.to_bytes(32)

        jwk = {"kty": "EC", "crv": "P-256", "x": b64(point.x.to_bytes(32)), "y": b64(point.y.to_bytes(32))}
        return Signer(jwk, sign)
    if algorithm == "EdDSA":
        own = ed25519.Ed25519PrivateKey.generate()
        return Signer({"kty": "OKP", "crv": "Ed25519", "x": b64(own.public_key().public_bytes_raw())}, own.sign)
    pair = rsa.generate_private_key(65537, 2048)
    public = pair.public_key().public_numbers()
    pads = {"RS256": padding.PKCS1v15(), "PS256": padding.PSS(padding.MGF1(SHA256()), 32)}
    return Signer(
        {"kty": "RSA", "n": number(public.n), "e": number(public.e)},
        lambda data: pair.sign(data, pads[algorithm], SHA256()),
    )


def token(algorithm: str, claims: dict[str, Any], **header: Any) -> str:
    head = {"alg": algorithm, "typ": "JWT", **header}
    signed = ".".join(b64(json.dumps(part).encode()) for part in (head, claims))
    return f"{signed}.{b64(signer(algorithm).sign(signed.encode()))}"


@pytest.fixture
def context(user: User) -> Context:
    return replace(user.context, settings=replace(user.context.settings, public_url=f"{ISSUER}/"))


def client(user: User, *algorithms: str) -> str:
    keys = [signer(name).jwk for name in algorithms]
    return str(made(user, "/v1/api-keys", {"name": "x", "scopes": ["contracts:read"], "jwks": {"keys": keys}})["id"])


def claims(context: Context, name: str, **other: Any) -> dict[str, Any]:
    ends = int((context.now() + timedelta(minutes=2)).timestamp())
    usual = {"iss": name, "sub": name, "aud": ISSUER, "exp": ends, "jti": base64.b64encode(b"x" * 9).decode()}
    return {key: value for key, value in (usual | other).items() if value is not None}


def ask(context: Context, assertion: str, **more: str) -> dict[str, Any]:
    form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": assertion, **more}
    return oauth.grant(context, ADDRESS, "", {name: [value] for name, value in form.items()})


def refused(context: Context, assertion: str, error: str = "invalid_client", **more: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        ask(context, assertion, **more)
    assert caught.value.facts["error"] == error


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
def test_a_client_that_signs_gets_a_token_once(user: User, context: Context, algorithm: str) -> None:
    name = client(user, "ES256" if algorithm != "ES256" else "EdDSA", algorithm)
    assertion = token(algorithm, claims(context, name))
    answer = ask(context, assertion, client_id=name)
    assert answer["scope"] == "contracts:read"
    bearer = User(user.http, answer["access_token"], user.context, user.tenant_id)
    assert bearer.get("/v1/contracts").status_code == 200
    refused(context, assertion)
    refused(context, token(algorithm, claims(context, name, exp=claims(context, name)["exp"] + 1)))  # the same jti
    ask(context, token(algorithm, claims(context, name, jti="another", aud=[f"{ISSUER}/oauth/token"])))


def test_an_assertion_that_is_not_ours_now_and_the_clients_is_refused(
    user: User, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "MOST", 1000)
    name, other = client(user, "ES256"), client(user, "EdDSA")
    moment = int(context.now().timestamp())
    for wrong in (
        {"aud": None}, {"aud": "https://elsewhere.example"}, {"aud": [ISSUER, "https://elsewhere.example"]},
        {"aud": f"{ISSUER}/"}, {"aud": 1}, {"exp": None}, {"exp": moment - 60}, {"exp": moment + 3600}, {"exp": "1"},
        {"exp": True}, {"exp": -1}, {"exp": 2**52}, {"nbf": moment + 600}, {"iat": moment + 600}, {"jti": None},
        {"jti": ""}, {"jti": "x" * 201}, {"jti": 1}, {"iss": other}, {"sub": other}, {"iss": None}, {"sub": None},
    ):  # fmt: skip
        refused(context, token("ES256", claims(context, name, **wrong)))
    good = claims(context, name)
    refused(context, token("EdDSA", good))  # a key of another client
    refused(context, token("ES256", claims(context, other)))
    refused(context, token("ES256", good, alg="EdDSA"))
    refused(context, token("ES256", good, crit=["exp"]))
    refused(context, token("ES256", good, kid="another"))
    head, body, signature = token("ES256", good).split(".")
    none = b64(json.dumps({"alg": "none"}).encode())
    twice = b64(b'{"alg":"ES256","alg":"none"}')
    for broken in (
        f"{none}.{body}.", f"{none}.{body}.{signature}", f"{twice}.{body}.{signature}", f"{head}.{body}",
        f"{head}.{body}.{signature}=", f"{head}.{body}.{signature[:-4]}", f"{head}.{body}.{signature}.x", "..", "x",
        f"{head}.{b64(b'[' * 3000)}.{signature}", f"{head}.{b64(b'[]')}.{signature}", "é.é.é",
    ):  # fmt: skip
        refused(context, broken)
    refused(user.context, token("ES256", good))  # a service that does not know its own address takes none
    ask(context, token("ES256", good))  # nothing of all this has used it up


def test_an_assertion_comes_alone_and_whole(user: User, context: Context) -> None:
    name = client(user, "EdDSA")
    assertion = token("EdDSA", claims(context, name))
    refused(context, assertion, "invalid_request", client_assertion_type="x")
    refused(context, assertion, "invalid_request", client_id="key_" + "0" * 32)
    form = {"grant_type": ["client_credentials"], "client_assertion": [assertion], "client_assertion_type": [TYPE]}
    with pytest.raises(TokenRefused):
        oauth.grant(context, ADDRESS, "Basic eDp5", form)
    ask(context, assertion)


def test_what_ends_the_key_ends_its_assertions(user: User, context: Context) -> None:
    name = client(user, "EdDSA")
    ask(context, token("EdDSA", claims(context, name)))
    path = f"/v1/api-keys/{name}"
    keys = {"keys": [signer("ES256").jwk]}
    assert user.request("PATCH", path, json={"jwks": keys}, headers={"if-match": '"v1"'}).status_code == 200
    refused(context, token("EdDSA", claims(context, name, jti="b")))
    ask(context, token("ES256", claims(context, name, jti="c")))
    assert user.post(f"{path}/revoke").status_code == 200
    refused(context, token("ES256", claims(context, name, jti="d")))


def test_a_key_has_an_unambiguous_name_and_no_secret(user: User) -> None:
    shown = user.get(f"/v1/api-keys/{client(user, 'EdDSA', 'RS256')}").json()["jwks"]["keys"]
    assert [set(key) for key in shown] == [{"kty", "crv", "x", "kid"}, {"kty", "n", "e", "kid"}]
    # the example of RFC 8037 A.3
    known = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert jose.read_key(known)["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    good = signer("ES256").jwk
    for bad in (
        {}, {"kty": "oct", "k": "AAAA"}, {**good, "d": "AAAA"}, {**good, "use": "enc"}, {**good, "alg": "ES384"},
        {**good, "crv": "P-384"}, {**good, "y": good["x"]}, {**good, "x": good["x"] + "="}, {**good, "kid": ""},
        {"kty": "RSA", "n": number(2**1023 + 1), "e": "AQAB"}, {**signer("RS256").jwk, "e": "AQ"}, {"kty": 1},
    ):  # fmt: skip
        with pytest.raises(ValueError):
            jose.read_key(bad)
        body = {"name": "x", "scopes": ["contracts:read"], "jwks": {"keys": [bad]}}
        answer = user.post("/v1/api-keys", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/jwks/keys/0"), bad
    twice = {"name": "x", "scopes": ["contracts:read"], "jwks": {"keys": [good, good]}}
    assert user.post("/v1/api-keys", json=twice).json()["errors"][0]["code"] == "kid"


def test_the_metadata_say_what_this_service_takes(user: User) -> None:
    plain = user.http.get("/.well-known/oauth-authorization-server").json()
    assert plain["token_endpoint_auth_methods_supported"] == ["client_secret_basic"]  # it has no public_url
    full = oauth.metadata(ISSUER, ("contracts:read",), assertions=True)
    assert full["issuer"] == ISSUER
    assert full["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "private_key_jwt"]
    assert {"ES256", "RS256", "PS256", "EdDSA"} <= set(full["token_endpoint_auth_signing_alg_values_supported"])
