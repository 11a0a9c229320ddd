"""The two HTTP applications of a service, every guard on: the public one, and the internal one with metrics, health and dead letters."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from shared import asyncapi
from shared.runtime import dead_letter_pages, migrations, replay, sign_in
from shared.runtime.access import COOKIE, Access, open_to_all
from shared.runtime.database import Database, row, worlds_fault
from shared.runtime.errors import Unprocessable
from shared.runtime.guard import Guard, Limits
from shared.runtime.metrics import HttpMetrics
from shared.runtime.openapi import described
from shared.runtime.problems import DESCRIBED, Problem, answer, not_found, of_http, of_message, of_validation, wants_page
from shared.runtime.settings import ServiceSettings
from shared.runtime.web import page, static_router, templates

__all__ = [
    "Edges",
    "Health",
    "Problem",
    "create_app",
    "create_internal",
    "edges",
    "not_found",
    "page",
    "templates",
    "unready",
    "wants_page",
]

BODY_S = 15.0
READY_S = 2.0


@dataclass(slots=True)
class Health:
    """What the process tells its health pages. `stuck` names what makes no progress; `details` are shown, never the verdict."""

    stopping: bool = False
    stuck: Callable[[], Sequence[str]] = tuple
    details: dict[str, Callable[[], object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edges:
    """What both applications of a service are made of."""

    settings: ServiceSettings
    database: Database
    registry: CollectorRegistry
    access: Access
    metrics: HttpMetrics
    environment: Environment


def edges(settings: ServiceSettings, database: Database, *, registry: CollectorRegistry, package: str | None) -> Edges:
    """`package` (`"scoring"`) is where the service's `templates` and `static` folders are."""
    return Edges(settings, database, registry, Access(settings, database), HttpMetrics(registry), templates(package))


def create_app(edges: Edges, routers: Sequence[APIRouter] = (), *, title: str = "Aftercall", port: str = "public") -> FastAPI:
    """An application where every error is a problem and every answer carries the guard's headers. More routers may be included later."""
    described: dict[str, Any] = {
        "title": title,
        "version": "1",
        "docs_url": None,
        "redoc_url": None,
        "openapi_url": None,
        "responses": DESCRIBED,
    }
    app = FastAPI(strict_content_type=False, redirect_slashes=False, **described)
    app.state.stopping = asyncio.Event()
    app.state.edges, app.state.access, app.state.templates = edges, edges.access, edges.environment
    limits = Limits(edges.settings.body_limit, BODY_S)
    app.add_middleware(Guard, port=port, limits=limits, metrics=edges.metrics, cookie=COOKIE, secure=edges.settings.production)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(Unprocessable, _on_message)
    for router in (sign_in.router, static_router(edges.environment), _description, *routers):
        app.include_router(router)
    return app


def create_internal(
    edges: Edges, routers: Sequence[APIRouter] = (), *, at_head: Callable[[], Awaitable[bool]] | None = None, health: Health | None = None
) -> FastAPI:
    """`/metrics`, `/livez`, `/readyz`, the dead letters and what is given; `app.state.health` and `.replays` are the process's to fill."""
    app = create_app(edges, [*routers, replay.router, dead_letter_pages.router, _health], title="Aftercall, internal", port="internal")
    app.state.health = health or Health()
    app.state.at_head = at_head or (lambda: migrations.at_head(edges.database))
    return app


_health = APIRouter(dependencies=[Depends(open_to_all)])


@_health.get("/metrics")
async def metrics(request: Request) -> Response:
    return Response(generate_latest(request.app.state.edges.registry), media_type=CONTENT_TYPE_LATEST)


@_health.get("/livez")
async def livez(request: Request) -> Response:
    """Does the process make progress? 503 names what is stuck."""
    stuck = list(request.app.state.health.stuck())
    return JSONResponse({"alive": not stuck, "stuck": stuck}, 503 if stuck else 200)


@_health.get("/readyz")
async def readyz(request: Request) -> Response:
    """Can HTTP be served? The database answers and has our migrations; broker, partitions and lag are only told."""
    health: Health = request.app.state.health
    why = "stopping" if health.stopping else await unready(request.app)
    details = {name: tell() for name, tell in health.details.items()}
    return JSONResponse({"ready": why is None, "why": why, **details}, 503 if why else 200)


async def unready(internal: FastAPI) -> str | None:
    """Why the database of this service cannot be used, or None."""
    try:
        async with asyncio.timeout(READY_S):
            async with internal.state.edges.database.transaction() as unit:
                await row(unit.tx, "select 1")
            return None if await internal.state.at_head() else "migrations are not at head: run migrate"
    except Exception as error:
        if not worlds_fault(error):
            raise
        return f"the database does not answer ({type(error).__name__})"


_description = APIRouter(dependencies=[Depends(open_to_all)], include_in_schema=False)


@_description.get("/openapi.json")
async def openapi(request: Request) -> Response:
    return JSONResponse(described(request.app))


@_description.get("/asyncapi.json")
async def topics(request: Request) -> Response:
    return JSONResponse(asyncapi.document(prefix=request.app.state.edges.settings.topic_prefix))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer(request, of_http(error))


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(request, of_validation(error))


async def _on_message(request: Request, error: Exception) -> Response:
    assert isinstance(error, Unprocessable)
    return answer(request, of_message(error))
