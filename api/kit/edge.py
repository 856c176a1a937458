"""The edge of a request: one unit of work, one transaction, one answer.

    router = Router(prefix="/v1/contracts")

    @router.post("", status_code=201, response_model=ContractOut)
    def create(unit: Annotated[Unit, writes("contracts:write")], body: ContractIn) -> Reply:
        contract = service.create(unit, body)          # uses unit.session
        return Reply(ContractOut.of(contract), etag=...)

An endpoint is an ordinary function that runs in one worker thread from first query to commit: nobody waits for a free
thread while holding the database's write lock. `unit.session` begins the writing transaction when it is first used;
it is committed after the answer has been rendered, together with the answer to be replayed for this Idempotency-Key.
On any exception nothing of it remains. `unit.read()` gives short reading transactions for what comes before heavy work.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Header, Request
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile
from starlette.responses import Response

from api.auth.service import Principal, check_token, note_use
from api.context import Context
from api.errors import MalformedRequest, PreconditionFailed, PreconditionRequired, RateLimited, Unauthenticated
from api.kit import idempotency, waiting
from api.kit.conditional import unmodified
from api.kit.secrets import without_secrets

FORMS = ("multipart/", "application/x-www-form-urlencoded")

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="APIKey",
    description="An API key, `srk_<id>_<secret>` (sealroad api-key create), or an access token of `/oauth/token`",
)


@dataclass
class Reply:
    """What an endpoint answers; `body` None means no content."""

    body: BaseModel | None
    status: int | None = None
    etag: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    kept: BaseModel | None = None
    """What is kept for a repetition with the same Idempotency-Key, where `body` has a secret in it."""
    settled: bool | None = None
    """Whether that for which one may wait has come; None: whatever If-None-Match does not name."""


@dataclass(frozen=True)
class Source:
    """From where a request came."""

    address: str
    user_agent: str
    request_id: str
    at: datetime | None = None
    """When it came, where its work is done later."""
    more: Mapping[str, str] = field(default_factory=dict)
    """What else the trail says of it."""

    @classmethod
    def of(cls, request: Request) -> Source:
        """Return where a request came from."""
        return cls(address_of(request), request.headers.get("user-agent", "")[:300], request.state.request_id)


class Unit:
    """One request's work for one tenant; or one of many pieces of it, each with a transaction of its own.

    with Unit(context, principal, source) as unit:       # committed at the end of the block
        service.hand_in(unit, ...)
    """

    def __init__(
        self, context: Context, principal: Principal, source: Source, claim: idempotency.Claim | None = None
    ) -> None:
        self.context = context
        self.principal = principal
        self.source = source
        self.address, self.user_agent, self.request_id = source.address, source.user_agent, source.request_id
        self._claim = claim
        self._open: AbstractContextManager[Session] | None = None
        self._session: Session | None = None

    @property
    def tenant_id(self) -> str:
        """Whose request this is."""
        return self.principal.tenant_id

    @property
    def repetition(self) -> str | None:
        """What every sending of this request has in common, where it came with an Idempotency-Key; else None.

        Work that cannot be undone puts it on record, so that a repetition finds what a process that died has done.
        """
        claim = self._claim
        if claim is None:
            return None
        return hashlib.sha256(f"{claim.tenant_id}/{claim.fingerprint}/{claim.key}".encode()).hexdigest()

    @property
    def session(self) -> Session:
        """The writing transaction of this request; it begins here."""
        if self._session is None:
            self._open = self.context.database.write()
            self._session = self._open.__enter__()
        return self._session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a short reading transaction, or the writing one if it has begun."""
        if self._session is not None:
            yield self._session
        else:
            with self.context.database.read() as session:
                yield session

    def run(self, endpoint: Callable[[], Reply | Response], default_status: int) -> Response:
        """Run the endpoint, render its answer, commit. Everything is undone when it raises."""
        claim = self._claim
        if claim is not None:
            replay = idempotency.begin(self.context, claim)
            if replay is not None:
                return replay
        try:
            reply = endpoint()
            response = _render(reply, default_status)
            if claim is not None:
                repeated = response
                if isinstance(reply, Reply) and reply.kept is not None:
                    repeated = _render(replace(reply, body=reply.kept), default_status)
                idempotency.finish(self.session, self.context, claim, repeated)
            self._close(None)
        except BaseException as error:
            self._close(error)
            if claim is not None:
                idempotency.forget(self.context, claim)
            raise
        return response

    def __enter__(self) -> Self:
        """Begin a piece of work outside of `run`."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Commit, or undo everything where the block raised."""
        self._close(error)

    def _close(self, error: BaseException | None) -> None:
        opened, self._open, self._session = self._open, None, None
        if opened is None:
            return
        try:
            opened.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
        except BaseException as raised:
            if raised is not error:
                raise


def _render(reply: Reply | Response, default_status: int) -> Response:
    if isinstance(reply, Response):
        return reply
    headers = dict(reply.headers)
    if reply.etag is not None:
        headers["etag"] = reply.etag
    if reply.body is None:
        return Response(status_code=reply.status or 204, headers=headers)
    content, status = reply.body.model_dump_json(by_alias=True), reply.status or default_status
    return waiting.Answer(content, status, headers, media_type="application/json", settled=reply.settled)


class EdgeRoute(APIRoute):
    """A route whose endpoint runs inside its `Unit`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        status = options.get("status_code") or 200
        if isinstance(options.get("response_model"), DefaultPlaceholder):
            options["response_model"] = None  # an endpoint returns a Reply, which says nothing about its body

        @functools.wraps(endpoint)
        def in_one_transaction(*args: Any, **kwargs: Any) -> Response:
            unit = next(value for value in kwargs.values() if isinstance(value, Unit))
            return unit.run(lambda: endpoint(*args, **kwargs), status)

        super().__init__(path, in_one_transaction, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request; a client that has the answer to a GET already is told so, or waits."""
        answer = super().get_route_handler()

        async def conditional(request: Request) -> Response:
            return unmodified(request, await answer(request))

        async def patient(request: Request) -> Response:
            return await waiting.answered(request, conditional, context_of(request).database.bell)

        return patient if self.openapi_extra is waiting.WAITS else conditional


class Router(APIRouter):
    """A router of `EdgeRoute`s."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=EdgeRoute, **options)


def context_of(request: Request) -> Context:
    """Return the context of the application that serves this request."""
    context: Context = request.app.state.context
    return context


def principal(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)] = None
) -> Principal:
    """Return whose key came with the request. Raises Unauthenticated."""
    if credentials is None:
        raise Unauthenticated("no credential was sent")
    return identified(request, credentials.credentials)


def identified(request: Request, token: str) -> Principal:
    """Return whose key or access token this is, and note that it was used. Raises Unauthenticated, RateLimited."""
    context = context_of(request)
    now = context.now()
    with context.database.read() as session:
        found = check_token(session, token, now, address_of(request))
    if not hasattr(request.state, "fields"):  # a request that waits is looked at again, and counts once
        standing = request.app.state.limits.take({"key": found.key_id, "tenant": found.tenant_id})
        request.state.fields = standing.headers
        if standing.wait:
            raise RateLimited("there were too many requests in the last minute", retry_after=standing.wait)
    if found.unnoted(now):
        with context.database.write() as session:
            note_use(session, found, now)
    return found


def address_of(request: Request) -> str:
    """Return the address of the peer. What a proxy says in a header is not believed: anybody can write one."""
    return request.client.host if request.client else ""


def reads(scope: str) -> Any:
    """Depend on a unit for a GET that needs `scope`."""

    async def unit(request: Request, who: Annotated[Principal, Depends(principal)]) -> Unit:
        who.require(scope)
        return Unit(context_of(request), who, Source.of(request))

    return Depends(unit)


changes = reads
"""Depend on a unit for PUT, PATCH or DELETE, which are repeatable by their nature."""


def writes(scope: str) -> Any:
    """Depend on a unit for a POST that needs `scope`; honours Idempotency-Key."""

    async def unit(
        request: Request,
        who: Annotated[Principal, Depends(principal)],
        idempotency_key: Annotated[
            str | None,
            Header(
                description="Repeat a request safely: the same key and body give the same answer for 48 hours.",
                json_schema_extra={"pattern": "^[ -~]{1,200}$"},
            ),
        ] = None,
    ) -> Unit:
        who.require(scope)
        claim = None
        if idempotency_key is not None:
            if not idempotency.KEY.fullmatch(idempotency_key):
                raise MalformedRequest("an Idempotency-Key has 1 to 200 printable ASCII characters")
            claim = idempotency.Claim(who.tenant_id, idempotency_key, await _fingerprint(request))
        return Unit(context_of(request), who, Source.of(request), claim)

    return Depends(unit)


async def _fingerprint(request: Request) -> str:
    """Return what makes two requests the same: method, path, preconditions, content.

    A form is compared by its parts: every sending of a multipart one uses another boundary, and a form that was read
    as one has no body left. A password in it, or a passphrase or code in JSON, is left out: the digest is stored, and
    could be used to guess it.
    """
    digest = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)

    add(request.method.encode(), request.url.path.encode(), request.url.query.encode())
    add(request.headers.get("if-match", "").encode())
    if request.headers.get("content-type", "").lower().startswith(FORMS):
        form = await request.form()
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                content = hashlib.sha256()
                while chunk := await value.read(1 << 20):
                    content.update(chunk)
                await value.seek(0)
                add(name.encode(), (value.filename or "").encode(), content.digest())
            elif name != "password":
                add(name.encode(), value.encode())
    else:
        add(without_secrets(await request.body()))
    return digest.hexdigest()


def etag(version: int) -> str:
    """Return the strong ETag of a version."""
    return f'"v{version}"'


_VERSION: dict[str, Any] = {"pattern": r'^"v[0-9]{1,12}"$'}
NEEDED = "x-needed"
"""Marks, in the schema of a header, that a request without it is refused, although not as FastAPI would."""


def require_version(
    if_match: Annotated[
        str | None,
        Header(
            description='The ETag of the version to change, e.g. `"v3"`.', json_schema_extra={**_VERSION, NEEDED: True}
        ),
    ] = None,
) -> int:
    """Return the version that If-Match names. Raises PreconditionRequired or PreconditionFailed."""
    if if_match is None:
        raise PreconditionRequired("this change needs If-Match")
    value = if_match.strip()
    if value.startswith('"v') and value.endswith('"') and value[2:-1].isdecimal() and len(value) < 15:
        return int(value[2:-1])
    raise PreconditionFailed("If-Match does not name a version of this object")


def optional_version(
    if_match: Annotated[
        str | None,
        Header(description='The ETag of the version to change, e.g. `"v3"`.', json_schema_extra=_VERSION),
    ] = None,
) -> int | None:
    """Return the version that If-Match names, or None where the header is absent."""
    return None if if_match is None else require_version(if_match)


def check_match(if_match: str | None, current: str) -> None:
    """Raise PreconditionFailed where If-Match is there and names other versions only (RFC 9110 13.1.1)."""
    if if_match is None or if_match.strip() == "*":
        return
    if current not in (tag.strip() for tag in if_match.split(",")):
        raise PreconditionFailed("If-Match names another state of this object")


IfMatch = Annotated[str | None, Header(description="The ETag of the state to change; any state if left out.")]
Version = Annotated[int, Depends(require_version)]
OptionalVersion = Annotated[int | None, Depends(optional_version)]
