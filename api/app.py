"""The application: every domain's router, put together.

    app = create_app(Settings(data=Path("/var/lib/sealroad")))      # any ASGI server can run it

The context (database, documents, keys) opens when the application starts and closes when it stops; so does the job
worker, unless `Settings.worker` says that other processes do the jobs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api import docs, openapi, ops, version
from api.agreements import endpoints as agreements
from api.auth import endpoints as auth
from api.auth import oauth_endpoints as oauth
from api.batches import endpoints as batches
from api.bulk import endpoints as bulk
from api.certificates import endpoints as certificates
from api.certificates import est
from api.config import Settings
from api.context import Context, open_context
from api.contracts import endpoints as contracts
from api.documents import endpoints as documents
from api.envelopes import endpoints as envelopes
from api.factors import endpoints as factors
from api.handover import endpoints as handover
from api.identity import endpoints as identity
from api.jobs import endpoints as jobs
from api.jobs.table import Timers, handlers
from api.jobs.worker import Worker
from api.kit import problems
from api.kit.http import Envelope, Metrics
from api.kit.limits import Limits
from api.mandates import endpoints as mandates
from api.migrations import check_or_upgrade
from api.people import endpoints as people
from api.pki import endpoints as pki
from api.seals import endpoints as seals
from api.signing import endpoints as signing
from api.templates import endpoints as templates
from api.verification import endpoints as verification

DESCRIPTION = """Contracts that cross a border: every party signs one PDF with its own certificate in its own national
cryptography. Errors are RFC 9457 problem documents with a stable `code`; every POST honours `Idempotency-Key`; changes
need `If-Match`."""

ROUTERS = (
    documents, contracts, signing, handover, batches, jobs, verification, certificates, seals, envelopes, est,
    agreements, mandates, people, identity, factors, auth, oauth, templates, bulk,
)  # fmt: skip


def create_app(settings: Settings) -> FastAPI:
    """Return the ASGI application."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        context = await run_in_threadpool(_open, settings)
        app.state.context, app.state.worker = context, None
        try:
            if settings.worker:
                worker = Worker(context, handlers(), Timers())
                app.state.worker = worker
                await run_in_threadpool(worker.start)
            yield
        finally:
            if app.state.worker is not None:
                await run_in_threadpool(app.state.worker.stop)
            context.close()

    app = FastAPI(
        title="Sealroad",
        version=version(),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    app.state.metrics, app.state.stopping, app.state.waiting = Metrics(), False, 0
    app.state.limits = Limits({"key": settings.rate_limit, "tenant": settings.rate_limit_tenant})
    for domain in ROUTERS:
        app.include_router(domain.router)
    app.include_router(est.public)
    app.include_router(handover.public)
    app.include_router(pki.router)
    app.include_router(ops.router)
    openapi.install(app)
    docs.install(app)
    problems.install(app)
    app.add_middleware(Envelope, settings=settings, metrics=app.state.metrics)
    return app


def _open(settings: Settings) -> Context:
    context = open_context(settings)
    try:
        check_or_upgrade(context.database)
        if not settings.worker:  # else the worker sees to it
            from api.jobs import engine

            engine.prepare(context.database, migrate=context.database.embedded)
    except BaseException:
        context.close()
        raise
    return context


def _operation_id(route: APIRoute) -> str:
    return route.name
