"""Enrolment over Secure Transport (RFC 7030) at `/.well-known/est/{suite}`: certificates for machines.

    cacerts · simpleenroll · simplereenroll · csrattrs

The label is the suite, because a closed circle has one. A client shows its API key by HTTP Basic (any user name, the
key as password) or as a bearer token; TLS ends in front of the service. Bodies are base64 of DER, as the RFC wants
them. Why EST and not ACME: docs/decisions/0015.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth.service import Principal
from api.certificates import service
from api.errors import MalformedRequest, NotFound, PayloadTooLarge, Unauthenticated, UnsupportedMedia
from api.kit.edge import Router, Source, Unit, context_of, identified

router = Router(prefix="/.well-known/est/{suite}", tags=["est"])
public = APIRouter(prefix="/.well-known/est/{suite}", tags=["est"])
"""What needs no credential (RFC 7030 4.1.1)."""

MAX_BODY = 100_000
PKCS7, PKCS10 = "application/pkcs7-mime", "application/pkcs10"
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "Certificates only, PKCS#7, base64 (RFC 7030).", "content": {PKCS7: {}}},
}
_BODY = {"requestBody": {"required": True, "content": {PKCS10: {}}}}


def _token(request: Request) -> str:
    """Return the API key in the Authorization header. Raises Unauthenticated."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("ascii").partition(":")[2]
        except ValueError:  # not base64, or not ASCII
            pass
    raise Unauthenticated("no credential was sent")


def _principal(request: Request) -> Principal:
    return identified(request, _token(request))


async def _unit(request: Request) -> Unit:
    who = await run_in_threadpool(_principal, request)
    who.require("certificates:write")
    return Unit(context_of(request), who, Source.of(request))


async def _pkcs10(request: Request) -> bytes:
    """Return the DER in the body: base64, with or without line breaks (RFC 7030 4.2.1, RFC 8951)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != PKCS10:
        raise UnsupportedMedia(f"a request for a certificate has the type {PKCS10}")
    body = await request.body()
    if len(body) > MAX_BODY:
        raise PayloadTooLarge(f"a request for a certificate has at most {MAX_BODY} octets")
    if body.startswith(b"-----BEGIN"):  # many clients send PEM, and mean it well
        return body
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as error:
        raise MalformedRequest("the body is not base64 of a PKCS#10 request") from error


def _known(suite: str) -> None:
    from certs import suites

    if suite not in suites.ALL_NAMES:
        raise NotFound("there is no such suite")


@public.get("/cacerts", response_class=Response, responses=_ANSWER)
def est_cacerts(request: Request, suite: str) -> Response:
    """Get the certificates of the circle: issuing authority and root.

    After a rollover also the links between the roots, and what is still valid of earlier generations (RFC 7030 4.1.3).
    """
    from certs.signed_data import certificate_bundle

    _known(suite)
    return _certificates(certificate_bundle(context_of(request).circles.get(suite).published))


@public.get("/csrattrs", response_class=Response, status_code=204)
def est_csrattrs(suite: str) -> Response:
    """Say what a request should hold: nothing in particular (RFC 7030 4.5)."""
    _known(suite)
    return Response(status_code=204)


@router.post("/simpleenroll", response_class=Response, responses=_ANSWER, openapi_extra=_BODY)
def est_simpleenroll(
    unit: Annotated[Unit, Depends(_unit)], suite: str, pkcs10: Annotated[bytes, Depends(_pkcs10)]
) -> Response:
    """Get a certificate for the key and subject of a PKCS#10 request."""
    return _enrolled(unit, suite, pkcs10, renew=False)


@router.post("/simplereenroll", response_class=Response, responses=_ANSWER, openapi_extra=_BODY)
def est_simplereenroll(
    unit: Annotated[Unit, Depends(_unit)], suite: str, pkcs10: Annotated[bytes, Depends(_pkcs10)]
) -> Response:
    """Renew a certificate, or replace its key: the subject must be the one of a good certificate of yours."""
    return _enrolled(unit, suite, pkcs10, renew=True)


def _enrolled(unit: Unit, suite: str, pkcs10: bytes, *, renew: bool) -> Response:
    from certs.certificate import load_certificates
    from certs.signed_data import certificate_bundle

    _known(suite)
    row = service.enrol(unit, suite, pkcs10, renew=renew)
    return _certificates(certificate_bundle(load_certificates(row.pem.encode())[:1]))


def _certificates(bundle: bytes) -> Response:
    """Return certs-only PKCS#7 as RFC 7030 4.1.3 sends it."""
    content = base64.encodebytes(bundle)
    headers = {"content-transfer-encoding": "base64"}
    return Response(content, media_type=f"{PKCS7}; smime-type=certs-only", headers=headers)
