"""`/pki`: revocation lists, OCSP answers, certificates and time-stamps for anybody, in the formats of the standards."""

from __future__ import annotations

import base64
import binascii
import hashlib
from email.utils import format_datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.errors import NotFound, UnsupportedMedia
from api.kit.conditional import has
from api.kit.edge import context_of

router = APIRouter(prefix="/pki", tags=["pki"])

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
OCSP_REQUEST, OCSP_RESPONSE = "application/ocsp-request", "application/ocsp-response"
OCSP_MAX_AGE = 300
"""Seconds for which a proxy may keep an answer it got by GET, at most."""
BY_DIGEST = {"sm3": "sm2", "streebog256": "gost2012-256", "streebog512": "gost2012-512"}
DEFAULT_SUITE = "ecdsa-p256"
GM_UNIT = "sm2-gm"
"""The SM2 unit with tokens in the outer form of GM/T 0033."""
CACHE = {"cache-control": "public, max-age=600"}


def _binary(media_type: str, meaning: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": meaning, "content": {media_type: {}}}}


@router.get(
    "/crl/{issuer}.crl", response_class=Response, responses=_binary("application/pkix-crl", "A CRL, DER (RFC 5280).")
)
def get_crl(
    request: Request,
    issuer: Annotated[
        str,
        Path(
            description="Key identifier of the issuer, hexadecimal; then -N for partition N, then -delta for its delta."
        ),
    ],
) -> Response:
    """Download a revocation list: complete, one partition, or a delta. It knows every revocation so far."""
    encoded = context_of(request).circles.crl(issuer)
    headers = {"cache-control": "public, no-cache", "etag": f'"{hashlib.sha256(encoded).hexdigest()[:32]}"'}
    if has(request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    return Response(encoded, media_type="application/pkix-crl", headers=headers)


@router.get(
    "/certs/{certificate}.cer",
    response_class=Response,
    responses=_binary("application/pkix-cert", "A certificate, DER (RFC 5280)."),
)
def get_certificate(
    request: Request,
    certificate: Annotated[str, Path(description="SHA-256 of the certificate, or key identifier of an authority.")],
) -> Response:
    """Download a certificate of the service's closed circles."""
    found = context_of(request).circles.certificate(certificate)
    return Response(found.der, media_type="application/pkix-cert", headers=CACHE)


@router.post(
    "/ocsp",
    response_class=Response,
    responses=_binary(
        OCSP_RESPONSE, "An OCSPResponse, DER (RFC 6960); a request that cannot be served is answered so."
    ),
    openapi_extra={"requestBody": {"required": True, "content": {OCSP_REQUEST: {}}}},
)
async def ocsp(request: Request) -> Response:
    """Ask whether certificates of one of the service's authorities are revoked."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != OCSP_REQUEST:
        raise UnsupportedMedia(f"an OCSP request has the type {OCSP_REQUEST}")
    body = await request.body()
    reply = await run_in_threadpool(context_of(request).circles.ocsp, body)
    return Response(reply, media_type=OCSP_RESPONSE, headers={"cache-control": "no-store"})


@router.get(
    "/ocsp/{encoded:path}",
    response_class=Response,
    responses=_binary(OCSP_RESPONSE, "An OCSPResponse, DER, which may be cached (RFC 5019 6)."),
)
def ocsp_by_get(
    request: Request, encoded: Annotated[str, Path(description="The OCSPRequest, base64 and URL-encoded.")]
) -> Response:
    """Ask the same by GET (RFC 6960 A.1)."""
    try:
        body = base64.b64decode(encoded.replace(" ", "+").strip("\r\n"), validate=True)
    except (binascii.Error, ValueError):
        body = b""  # which is answered as malformed
    reply = context_of(request).circles.ocsp(body)
    return Response(reply, media_type=OCSP_RESPONSE, headers=_caching(reply))


def _caching(reply: bytes) -> dict[str, str]:
    """Return the headers of RFC 5019 6.2; an answer with a nonce, or that is only an error, is not kept."""
    from certs.ocsp import OCSPResponse

    response = OCSPResponse(reply)
    if response.status != "successful" or response.nonce is not None:
        return {"cache-control": "no-store"}
    single = response.responses[0]
    end = single.next_update or single.this_update
    seconds = min(OCSP_MAX_AGE, int((end - response.produced_at).total_seconds()))
    return {
        "cache-control": f"public, max-age={seconds}, no-transform, must-revalidate",
        "last-modified": format_datetime(response.produced_at, usegmt=True),
        "expires": format_datetime(end, usegmt=True),
        "etag": f'"{hashlib.sha256(reply).hexdigest()}"',
    }


@router.post(
    "/tsa",
    response_class=Response,
    responses=_binary(REPLY, "A TimeStampResp, DER (RFC 3161); a request that cannot be served is answered inside it."),
    openapi_extra={"requestBody": {"required": True, "content": {QUERY: {}}}},
)
async def time_stamp(request: Request) -> Response:
    """Get a time-stamp. The suite follows the digest: SM3 → SM2, Streebog → GOST, any other → ECDSA."""
    return await _stamp(request, None)


@router.post(
    "/tsa/{suite}",
    response_class=Response,
    responses=_binary(REPLY, "A TimeStampResp, DER (RFC 3161)."),
    openapi_extra={"requestBody": {"required": True, "content": {QUERY: {}}}},
)
async def time_stamp_in_suite(request: Request, suite: str) -> Response:
    """Get a time-stamp in a named suite; sm2-gm is SM2 with the outer identifier of GB/T 35275 (GM/T 0033)."""
    return await _stamp(request, suite)


async def _stamp(request: Request, suite: str | None) -> Response:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != QUERY:
        raise UnsupportedMedia(f"a time-stamp request has the type {QUERY}")
    body = await request.body()
    return await run_in_threadpool(_respond, request, body, suite)


def _respond(request: Request, body: bytes, suite: str | None) -> Response:
    from certs import suites

    name = suite or _suite_for(body)
    circles = context_of(request).circles
    if name == GM_UNIT:
        return Response(circles.get("sm2").gm_tsa.respond(body), media_type=REPLY)
    if name not in suites.ALL_NAMES:
        raise NotFound("there is no such suite")
    reply = circles.get(name).tsa.respond(body)
    return Response(reply, media_type=REPLY)


def _suite_for(body: bytes) -> str:
    """Return the suite whose digest the request uses."""
    from certs.errors import CertsError
    from certs.timestamp import read_request, supported_digest

    try:
        return BY_DIGEST.get(supported_digest(read_request(body).digest.oid), DEFAULT_SUITE)
    except CertsError:
        return DEFAULT_SUITE  # which will say in RFC 3161 words what is wrong with the request
