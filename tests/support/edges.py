"""A small service at the edges of the runtime: a database with the runtime's tables, one public and one internal application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, ClassVar

import httpx
from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel
from sqlalchemy import MetaData
from starlette.responses import Response

from shared.runtime import http, metrics
from shared.runtime.access import ALL_TEAMS, COOKIE, Access, Permission, Principal, Teams, allow, open_to_all
from shared.runtime.database import Database, row
from shared.runtime.errors import Unprocessable
from shared.runtime.settings import ServiceSettings
from shared.runtime.tables import runtime_tables

READ = Permission("read_cases", roles=frozenset({"guide", "supervisor"}))
SEND = Permission("send_events", scopes=frozenset({"platform"}))
CANARY = "+15550109999"


class ToySettings(ServiceSettings):
    SERVICE: ClassVar[str] = "toy"


class Answer(BaseModel):
    score: int
    phone: str = ""


router = APIRouter(prefix="/v1")


@router.get("/cases/{number}")
async def case(number: int, principal: Annotated[Principal, Depends(allow(READ))]) -> dict[str, object]:
    return {"number": number, "by": principal.ref, "elm": principal.has_team("elm")}


@router.post("/cases", dependencies=[Depends(allow(READ))])
async def change(request: Request) -> dict[str, int]:
    return {"bytes": len(await request.body())}


@router.post("/events")
async def events(request: Request, principal: Annotated[Principal, Depends(allow(SEND))]) -> dict[str, object]:
    return {"key": principal.ref, "bytes": len(await request.body()), "own": principal.may_send_for("amazon", "1")}


@router.post("/answers/{token}", dependencies=[Depends(open_to_all)])
async def answer(token: str, answer: Answer) -> Answer:
    return answer


@router.get("/broken/{token}", dependencies=[Depends(open_to_all)])
async def broken(token: str) -> None:
    raise KeyError(token)


@router.get("/odd", dependencies=[Depends(open_to_all)])
async def odd() -> None:
    raise Unprocessable("time_missing", "legs.0.from")


@router.get("/found/{name}", dependencies=[Depends(open_to_all)])
async def found(request: Request, name: str) -> dict[str, bool]:
    async with request.app.state.edges.database.transaction() as unit:
        return {"there": await row(unit.tx, "select 1 where cast(:name as text) = 'oak'", name=name) is not None}


@router.get("/stored", dependencies=[Depends(open_to_all)])
async def stored(request: Request) -> dict[str, bool]:
    async with request.app.state.edges.database.transaction() as unit:
        return {"there": await row(unit.tx, "select 1") is not None}


pages = APIRouter(prefix="/console")


@pages.get("/cases/{number}")
async def case_page(number: int, principal: Annotated[Principal, Depends(allow(READ))]) -> Response:
    return Response(f"<p>{number} {principal.name}</p>", media_type="text/html")


@dataclass
class Edged:
    """The toy, and clients for both of its ports."""

    settings: ToySettings
    database: Database
    access: Access
    public: FastAPI
    internal: FastAPI
    client: httpx.AsyncClient
    inside: httpx.AsyncClient

    def cookie(self, *roles: str, teams: Teams = ALL_TEAMS, name: str = "Maria Lopez") -> dict[str, str]:
        """The header of a signed-in person."""
        return {"cookie": f"{COOKIE}={self.access.session(Principal('person', 'p-1', name, frozenset(roles), teams))}"}

    def sample(self, name: str, **labels: str) -> float | None:
        registry = self.public.state.edges.registry
        value: float | None = registry.get_sample_value(name, labels)
        return value


@asynccontextmanager
async def edged(url: str, *, tables: bool = True, **given: object) -> AsyncIterator[Edged]:
    """The toy over `url`; `given` are settings."""
    settings = ToySettings.model_validate({"database_url": url, "pool_wait_s": 0.2, **given})
    database = Database(url, schema="public", pool_size=settings.pool_size, pool_wait=settings.pool_wait_s)
    if tables:
        await _create_tables(database)
    edges = http.edges(settings, database, registry=metrics.registry("toy"), package=None)
    public, internal = http.create_app(edges, [router, pages]), http.create_internal(edges, at_head=_at_head)
    async with _client(public) as client, _client(internal) as inside:
        yield Edged(settings, database, edges.access, public, internal, client, inside)
    await database.close()


def _client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://toy.example.com")


async def _create_tables(database: Database) -> None:
    metadata = MetaData()
    runtime_tables(metadata)
    async with database.transaction() as unit:
        await unit.tx.run_sync(metadata.create_all)


async def _at_head() -> bool:
    return True
