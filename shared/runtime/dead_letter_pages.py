"""`/dead-letters` on the internal port: is something broken now, or is it one odd message? Every page works as plain forms and links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from shared.runtime import causes, clearing, web
from shared.runtime.access import Principal, allow
from shared.runtime.causes import HOURS, Cause, Summary
from shared.runtime.clearing import Action, Order, Replays
from shared.runtime.problems import Problem, not_found
from shared.runtime.replay import ADMIN
from shared.runtime.resolving import discard_one, look_at, replay_one, resume_topic, stopped_topics

HOME = "/dead-letters"
AT_ONCE = 50
router = APIRouter(prefix=HOME, include_in_schema=False)
Admin = Annotated[Principal, Depends(allow(ADMIN))]
WHY = "Say in a few words why: three letters or more."


class Chosen(BaseModel):
    """A cause in a page's address."""

    topic: str = Field("", max_length=200)
    reason: str = Field("", max_length=200)
    path: str = Field("", max_length=500)
    after: UUID | None = None

    def cause(self) -> Cause | None:
        return Cause(self.topic, self.reason, self.path) if self.topic and self.reason else None


class Given(BaseModel):
    """What a form orders."""

    action: Action
    topic: str = Field(max_length=200)
    reason: str = Field(max_length=200)
    path: str = Field("", max_length=500)
    letter: list[UUID] = Field(default=[], max_length=500)
    note: str = Field("", max_length=500)

    def order(self) -> Order:
        return Order(self.action, Cause(self.topic, self.reason, self.path), self.letter, self.note.strip() or None)

    def explained(self) -> bool:
        """A discard says why."""
        return self.action == "replay" or len(self.note.strip()) >= 3


@dataclass(frozen=True, slots=True)
class Desk:
    """What a page is made with; `zone` is the company's."""

    request: Request
    replays: Replays
    zone: ZoneInfo

    def show(self, template: str, who: Principal, values: Mapping[str, Any], *, status: int = 200) -> Response:
        service = self.replays.database.schema
        frame = {"links": [(HOME, "Dead letters")], "me": ("/sign-in", who.name), "service": service, "clock": self.clock}
        return web.page(self.request.app.state.templates, f"dead_letters/{template}", status=status, **frame, **values)

    def clock(self, at: datetime) -> str:
        return at.astimezone(self.zone).strftime("%a %d %b %H:%M")


def desk(request: Request) -> Desk:
    return Desk(request, request.app.state.replays, ZoneInfo(request.app.state.edges.settings.company_zone))


AtDesk = Annotated[Desk, Depends(desk)]


@router.get("")
async def overview(who: Admin, desk: AtDesk, chosen: Annotated[Chosen, Query()]) -> Response:
    """What waits by cause; of a chosen cause its messages."""
    cause = chosen.cause()
    async with desk.replays.database.transaction() as unit:
        found = await causes.summed(unit.tx)
        letters = await causes.of_cause(unit.tx, cause, after=chosen.after, limit=AT_ONCE) if cause else []
        values = {
            "last": await causes.last_seen(unit.tx),
            "stopped": await stopped_topics(unit),
            "runs": await clearing.latest(unit.tx),
        }
    more = letters[-1]["id"] if len(letters) == AT_ONCE else None
    total, main = told(found)
    return desk.show(
        "all.html",
        who,
        {**values, "found": found, "total": total, "main": main, "hours": HOURS, "cause": cause, "letters": letters, "more": more},
    )


@router.post("/ask")
async def ask(who: Admin, desk: AtDesk, given: Annotated[Given, Form()]) -> Response:
    """Says what will happen, and asks once."""
    return await _asked(desk, who, given)


@router.post("/runs")
async def start(who: Admin, desk: AtDesk, given: Annotated[Given, Form()]) -> Response:
    """Begin it; a second press shows the first run."""
    if not given.explained():
        return await _asked(desk, who, given, fault=WHY)
    async with desk.replays.database.transaction() as unit:
        begun = await clearing.begin(unit, given.order(), who=who)
    return RedirectResponse(f"{HOME}/runs/{begun}", 303)


@router.get("/runs/{run_id}")
async def run_of(who: Admin, desk: AtDesk, run_id: UUID) -> Response:
    async with desk.replays.database.transaction() as unit:
        seen = await clearing.progress(unit.tx, run_id)
    if seen is None:
        raise not_found()
    return desk.show("run.html", who, {"run": seen})


@router.post("/resume")
async def resume(who: Admin, desk: AtDesk, topic: Annotated[str, Form(max_length=200)]) -> Response:
    """Let a stopped topic go on; one that goes on already does."""
    async with desk.replays.database.transaction() as unit:
        await resume_topic(unit, topic, who=who)
    return RedirectResponse(HOME, 303)


@router.get("/{letter}")
async def one(who: Admin, desk: AtDesk, letter: UUID) -> Response:
    return await _one(desk, who, letter)


@router.post("/{letter}/replay")
async def replay(who: Admin, desk: AtDesk, letter: UUID, body: Annotated[str, Form(max_length=1_000_000)] = "") -> Response:
    """As it came, or with the body given instead."""
    outcome = await replay_one(desk.replays, letter, body if body.strip() else None, who=who)
    if outcome is None:
        raise not_found()
    return await _one(desk, who, letter, outcome=outcome, body=body)


@router.post("/{letter}/discard")
async def discard(who: Admin, desk: AtDesk, letter: UUID, note: Annotated[str, Form(max_length=500)] = "") -> Response:
    if len(note.strip()) < 3:
        return await _one(desk, who, letter, fault=WHY, status=422)
    async with desk.replays.database.transaction() as unit:
        if await discard_one(unit, letter, reason=note.strip(), who=who) is None:
            raise not_found()
    return RedirectResponse(f"{HOME}/{letter}", 303)


async def _one(desk: Desk, who: Principal, letter: UUID, *, status: int = 200, **values: object) -> Response:
    async with desk.replays.database.transaction() as unit:
        seen = await look_at(unit, letter, desk.replays.sealer, who=who)
    if seen is None:
        raise not_found()
    given = {"outcome": None, "body": "", "fault": None, **values}
    return desk.show("one.html", who, {"letter": letter, "seen": seen, **given}, status=status)


async def _asked(desk: Desk, who: Principal, given: Given, *, fault: str | None = None) -> Response:
    async with desk.replays.database.transaction() as unit:
        found = next((each for each in await causes.summed(unit.tx) if each.cause == given.order().cause), None)
    if found is None:
        raise Problem(404, "not_found", "Nothing of this cause is waiting any more")
    values = {"given": given, "count": len(given.letter) or found.letters, "fault": fault}
    return desk.show("ask.html", who, values, status=422 if fault else 200)


def told(found: Sequence[Summary]) -> tuple[int, Summary | None]:
    """How many wait, and the cause that most of them have, if one has."""
    total = sum(each.letters for each in found)
    largest = max(found, key=lambda each: each.letters, default=None)
    return total, largest if largest and 2 * largest.letters > total else None
