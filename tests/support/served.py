"""A service as a process: `python -m tests.support.served run`, with the toy's routes and whatever tasks a test adds."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import StreamingResponse

from shared.runtime import commands, http, metrics
from shared.runtime.access import open_to_all
from shared.runtime.broker import Broker
from shared.runtime.database import Database
from shared.runtime.handling import Handler
from shared.runtime.process import Runs, Service
from shared.schemas import SurveyAnswered
from tests.support import toy
from tests.support.edges import ToySettings
from tests.support.edges import router as toy_router

Asked = Callable[[], Awaitable[bool]]
slow = APIRouter(dependencies=[Depends(open_to_all)])


@slow.get("/slow")
async def answer_slowly(request: Request) -> dict[str, bool]:
    """Answers once the service is stopping."""
    app: FastAPI = request.app
    await app.state.stopping.wait()
    return {"done": True}


@slow.get("/live")
async def live(request: Request) -> StreamingResponse:
    """A stream that ends when the service stops."""
    app: FastAPI = request.app

    async def lines() -> AsyncIterator[str]:
        yield "begun\n"
        await app.state.stopping.wait()
        yield "ended\n"

    return StreamingResponse(lines(), media_type="text/plain")


def build(settings: ToySettings, *, broker: Broker, tasks: Mapping[str, Runs] | None = None, at_head: Asked | None = None) -> Service:
    database = Database(settings.database_url, schema="public", pool_size=4, pool_wait=settings.pool_wait_s)
    edges = http.edges(settings, database, registry=metrics.registry("toy"), package=None)
    return Service(
        name="toy",
        settings=settings,
        database=database,
        broker=broker,
        public=http.create_app(edges, [toy_router, slow]),
        internal=http.create_internal(edges, at_head=at_head or _at_head),
        handlers={toy.INPUT: Handler(SurveyAnswered, toy.answered, inbox=True, identity=lambda answer: answer.answer_id)},
        timers={},
        deps=toy.Deps(),
        tasks=tasks or {},
    )


async def _at_head() -> bool:
    return True


if __name__ == "__main__":
    sys.exit(commands.main(ToySettings, build))
