"""The demo's own page: a phone with a message, one contact's way through the product, buttons that make something happen."""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from prometheus_client import CollectorRegistry
from starlette.responses import RedirectResponse, Response

from deploy.demo import center
from deploy.demo.journey import Journey
from deploy.demo.mailbox import Bubble, Mailbox
from deploy.demo.settings import SERVICES, Place, Ports
from deploy.demo.stage import Alert, Stage
from shared.runtime.access import ALL_TEAMS, COOKIE, Access, Permission, Principal, allow, open_to_all
from shared.runtime.database import Database
from shared.runtime.http import Problem, create_app, edges, page
from shared.runtime.settings import ServiceSettings
from shared.runtime.webhooks import signed

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
    place: Place
    mailbox: Mailbox

    @property
    def ports(self) -> Ports:
        return self.place.ports


def build(settings: ServiceSettings, database: Database, *, home: Home) -> FastAPI:
    made = edges(settings, database, registry=CollectorRegistry(), package="deploy.demo")
    app = create_app(made, [router, receiving], title="Aftercall, demo")
    app.state.home = home
    home.mailbox.client.cookies.set(COOKIE, made.access.session(VISITOR))
    return app


def login_link(app: FastAPI) -> str:
    access: Access = app.state.access
    return access.login_link(VISITOR)


router = APIRouter(dependencies=[Depends(allow(LOOK))], include_in_schema=False)
receiving = APIRouter(dependencies=[Depends(open_to_all)], include_in_schema=False)


@receiving.post("/alerts", status_code=204)
async def alerts(request: Request) -> None:
    """What a supervisor's own system would receive: alerts by signed webhook."""
    home: Home = request.app.state.home
    body = await request.body()
    if not _is_signed(request, body, home.place.alert_secret):
        raise Problem(401, "signature", "The signature does not fit")
    told = json.loads(body)["data"]
    noun = "unhappy answer" if told["count"] == 1 else "unhappy answers"
    home.stage.alerts[told["alert"]] = Alert(f"{told['team'].title()}, {told['channel']}: {told['count']} {noun}", told["link"])


def _is_signed(request: Request, body: bytes, secret: str) -> bool:
    stamp, message, given = (request.headers.get(f"webhook-{name}", "") for name in ("timestamp", "id", "signature"))
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        return False
    expected = signed(secret, message, at=datetime.fromtimestamp(int(stamp), UTC), body=body)["webhook-signature"]
    return hmac.compare_digest(given.encode(), expected.encode())


@router.get("/")
async def show(request: Request) -> Response:
    home: Home = request.app.state.home
    journey = home.stage.journey
    assert journey is not None
    messages = await _messages(home, journey)
    return page(request.app.state.templates, "demo/home.html", **_frame(home, journey), messages=messages)


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
    scoring, routing = home.ports.url("scoring"), home.ports.url("routing")
    why = f"{scoring}/decisions?q={journey.contact.ref}"
    return {
        "links": [(f"{routing}/console", "Queue"), (f"{scoring}/decisions", "Decisions"), (f"{scoring}/inbox", "Inbox")],
        "runs_in": RUNS_IN[home.place.broker],
        "counts": home.stage.counts.shown(),
        "makes": {value: words for value, (words, _) in MAKES.items()},
        "places": _places(home, why),
        "person": journey.person,
        "clock": datetime.now().astimezone().strftime("%H:%M"),
        "steps": journey.steps(),
        "over": journey.over,
        "why": why,
        "replies": home.stage.replies,
        "alerts": list(home.stage.alerts.values())[-3:],
    }


def _places(home: Home, why: str) -> list[tuple[str, str, str]]:
    ports = home.ports
    scoring, routing = ports.url("scoring"), ports.url("routing")
    return [
        (f"{routing}/console", "Queue", "cases of all teams"),
        (f"{scoring}/inbox", "Inbox", "every message sent"),
        (why, "Decision", "why this customer was asked, or not"),
        (f"{scoring}/v1/tnps?by=channel", "Numbers", "tNPS with its interval"),
        (f"{routing}/v1/recovery", "Recovery", "asked again, and better"),
        (f"{ports.url('ingest')}/explain", "Explain", "what a payload means, and what would come of it"),
        (f"{ports.internal_url('ingest')}/dead-letters", "Dead letters", "what could not be read"),
        *((f"{ports.url(name)}/openapi.json", f"API of {name}", "OpenAPI") for name in SERVICES),
        *((f"{ports.internal_url(name)}/metrics", f"Metrics of {name}", "Prometheus") for name in SERVICES),
    ]


async def _messages(home: Home, journey: Journey) -> list[Bubble]:
    """What the person on the phone was sent, oldest first."""
    messages = await home.mailbox.to(journey.person.phone, journey.person.email)
    if messages:
        journey.mark("sent", f"By {messages[0].channel}, into the development inbox", at=messages[0].at)
    return messages
