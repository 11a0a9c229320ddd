"""The demo's own page: a phone with a message, one contact's way through the product, buttons that make something happen."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from prometheus_client import CollectorRegistry
from starlette.responses import RedirectResponse, Response

from deploy.demo import center
from deploy.demo.journey import Counts, Journey
from deploy.demo.mailbox import Bubble, Mailbox
from deploy.demo.settings import Ports
from deploy.demo.stage import Stage
from shared.runtime.access import ALL_TEAMS, COOKIE, Access, Permission, Principal, allow
from shared.runtime.database import Database
from shared.runtime.http import create_app, edges, page
from shared.runtime.settings import ServiceSettings

LOOK = Permission("demo.look", roles=frozenset({"supervisor", "admin"}))
VISITOR = Principal("person", "ana", "Ana", roles=frozenset({"supervisor", "admin"}), teams=ALL_TEAMS)
"""Whom the printed link signs in: Ana of the demo's rota, who may do what a supervisor and an admin may."""
MAKES: Mapping[str, tuple[str, Callable[[Stage], Awaitable[object]]]] = {
    "unhappy_call": ("Unhappy call", lambda stage: stage.play(center.transferred_call)),
    "happy_chat": ("Happy chat", lambda stage: stage.play(center.chat)),
    "abandoned": ("Abandoned", lambda stage: stage.play(center.abandoned_call)),
    "duplicates": ("100 duplicates", lambda stage: stage.play(center.transferred_call, times=100)),
    "storm": ("Storm of 200", lambda stage: stage.storm(200)),
    "broken": ("Broken event", lambda stage: stage.broken()),
}
RUNS_IN = {"memory": "In memory, one process, nothing kept.", "kafka": "On Apache Kafka, one process per service."}


@dataclass(frozen=True, slots=True)
class Home:
    stage: Stage
    ports: Ports
    broker: str
    mailbox: Mailbox


def build(settings: ServiceSettings, database: Database, *, home: Home) -> FastAPI:
    made = edges(settings, database, registry=CollectorRegistry(), package="deploy.demo")
    app = create_app(made, [router], title="Aftercall, demo")
    app.state.home = home
    home.mailbox.client.cookies.set(COOKIE, made.access.session(VISITOR))
    return app


def login_link(app: FastAPI) -> str:
    access: Access = app.state.access
    return access.login_link(VISITOR)


router = APIRouter(dependencies=[Depends(allow(LOOK))], include_in_schema=False)


@router.get("/")
async def show(request: Request) -> Response:
    home: Home = request.app.state.home
    journey = home.stage.journey
    assert journey is not None
    return page(request.app.state.templates, "demo/home.html", **_frame(home, journey), messages=await _messages(home, journey))


@router.post("/make")
async def make(request: Request, make: Annotated[str, Form(max_length=20)]) -> Response:
    home: Home = request.app.state.home
    if make in MAKES:
        await MAKES[make][1](home.stage)
    return RedirectResponse("/", 303)


@router.post("/next")
async def next_customer(request: Request) -> Response:
    home: Home = request.app.state.home
    await home.stage.play(center.transferred_call)
    return RedirectResponse("/", 303)


@router.post("/reply")
async def reply(request: Request, reply: Annotated[str, Form(max_length=300)]) -> Response:
    home: Home = request.app.state.home
    await home.stage.reply(reply)
    return RedirectResponse("/", 303)


def _frame(home: Home, journey: Journey) -> dict[str, Any]:
    scoring, routing, ingest = (home.ports.url(name) for name in ("scoring", "routing", "ingest"))
    counts: Counts = home.stage.counts
    why = f"{scoring}/v1/decisions?platform={journey.contact.platform}&account={journey.contact.account}&ref={journey.contact.ref}"
    places = [
        (f"{routing}/console", "Queue", "cases of all teams"),
        (f"{scoring}/inbox", "Inbox", "every message sent"),
        (why, "Decision", "why this customer was asked"),
        (f"{scoring}/v1/tnps?by=channel", "Numbers", "tNPS with its interval"),
        (f"{routing}/v1/recovery", "Recovery", "asked again, and better"),
        (f"{ingest}/openapi.json", "API", "OpenAPI of ingest"),
        *((f"{home.ports.internal_url(name)}/metrics", f"Metrics of {name}", "Prometheus") for name in home.ports.internal),
    ]
    return {
        "links": [(f"{routing}/console", "Queue"), (f"{scoring}/inbox", "Inbox")],
        "runs_in": RUNS_IN[home.broker],
        "counts": counts.shown(),
        "makes": {value: words for value, (words, _) in MAKES.items()},
        "places": places,
        "person": journey.person,
        "clock": datetime.now().astimezone().strftime("%H:%M"),
        "steps": journey.steps(),
        "over": journey.over,
        "why": why,
        "replies": home.stage.replies,
    }


async def _messages(home: Home, journey: Journey) -> list[Bubble]:
    """What the person on the phone was sent, oldest first."""
    messages = await home.mailbox.to(journey.person.phone, journey.person.email)
    if messages:
        journey.mark("sent", f"By {messages[0].channel}, into the development inbox", at=messages[0].at)
    return messages
