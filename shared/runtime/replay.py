"""Dead letters for an admin, on the internal port: list, look (masked), replay (also mended), discard, resume a stopped topic."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field, StringConstraints

from shared.runtime import causes, clearing, dead_letters
from shared.runtime.access import allow
from shared.runtime.causes import Cause
from shared.runtime.clearing import Action, Progress, Replays
from shared.runtime.problems import Problem, not_found
from shared.runtime.resolving import Look, discard_one, look_at, replay_one, resume_topic
from shared.runtime.rights import Permission, Principal

ADMIN = Permission("dead-letters", roles=frozenset({"admin"}))
router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])
Admin = Annotated[Principal, Depends(allow(ADMIN))]


Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class Waiting(BaseModel):
    """A message nobody has replayed or discarded yet; never its body."""

    id: UUID
    topic: str
    partition: int | None
    offset: int | None
    reason: str
    path: str | None
    count: int
    first_at: str
    last_at: str


class Page(BaseModel):
    items: list[Waiting]
    next: UUID | None


class CauseSeen(BaseModel):
    """`path` is null where the reason names no field; `letters` are distinct messages, `messages` counts repeats too."""

    topic: str
    reason: str
    path: str | None
    letters: int
    messages: int
    first_at: datetime
    last_at: datetime


class Causes(BaseModel):
    causes: list[CauseSeen]


class Order(BaseModel):
    """All waiting letters of a cause, or the `letters` among them; a discard says why in `note`."""

    action: Action
    topic: str = Field(max_length=200)
    reason: str = Field(max_length=200)
    path: str | None = Field(None, max_length=500)
    letters: list[UUID] = Field(default=[], max_length=500)
    note: Why | None = None


class RunSeen(BaseModel):
    """`taken` of `total` took effect or were discarded, `left_waiting` are still at fault; over when `finished` is set."""

    id: UUID
    action: str
    topic: str
    reason: str
    path: str | None
    total: int
    taken: int
    left_waiting: int
    started: datetime
    finished: datetime | None


class Replay(BaseModel):
    """`body`: the mended message, whose identity is then the message's; without it the bytes as they came."""

    body: str | None = None


class Replayed(BaseModel):
    """`taken`: it took effect, or had before; otherwise `reason` says what is still wrong and it keeps waiting."""

    taken: bool
    reason: str | None = None


class Discard(BaseModel):
    reason: Why


class Resume(BaseModel):
    topic: str


def _replays(request: Request) -> Replays:
    replays: Replays = request.app.state.replays
    return replays


def _ordered(given: Order) -> clearing.Order:
    if given.action == "discard" and not given.note:
        raise Problem(422, "missing", "Say in `note` why they are discarded", errors=[{"path": "note", "reason": "missing"}])
    return clearing.Order(given.action, Cause(given.topic, given.reason, given.path or ""), given.letters, given.note)


def _run_seen(seen: Progress) -> RunSeen:
    cause = {"topic": seen.cause.topic, "reason": seen.cause.reason, "path": seen.cause.path or None}
    return RunSeen(**{**asdict(seen), **cause})


@router.get("")
async def waiting(
    request: Request, _: Admin, topic: str | None = None, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Page:
    async with _replays(request).database.transaction() as unit:
        found = await dead_letters.waiting(unit.tx, topic=topic, after=after, limit=limit)
    items = [Waiting(**{**each, "first_at": each["first_at"].isoformat(), "last_at": each["last_at"].isoformat()}) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@router.get("/causes")
async def by_cause(request: Request, _: Admin) -> Causes:
    """What waits, summed up: the largest cause first."""
    async with _replays(request).database.transaction() as unit:
        found = await causes.summed(unit.tx)
    return Causes(causes=[CauseSeen(**{**asdict(each), **asdict(each.cause), "path": each.cause.path or None}) for each in found])


@router.post("/runs", status_code=202)
async def start(request: Request, given: Order, who: Admin) -> RunSeen:
    """Replay or discard many; it goes on in the service, over restarts too. The same order while it is under way shows the first run."""
    async with _replays(request).database.transaction() as unit:
        begun = await clearing.begin(unit, _ordered(given), who=who)
        seen = await clearing.progress(unit.tx, begun)
    assert seen is not None
    return _run_seen(seen)


@router.get("/runs/{run_id}")
async def run_of(request: Request, run_id: UUID, _: Admin) -> RunSeen:
    async with _replays(request).database.transaction() as unit:
        seen = await clearing.progress(unit.tx, run_id)
    if seen is None:
        raise not_found()
    return _run_seen(seen)


@router.get("/{letter}")
async def look(request: Request, letter: UUID, who: Admin) -> Look:
    """Masked, and still written to the audit log."""
    replays = _replays(request)
    async with replays.database.transaction() as unit:
        seen = await look_at(unit, letter, replays.sealer, who=who)
    if seen is None:
        raise not_found()
    return seen


@router.post("/{letter}/replay")
async def replay(request: Request, letter: UUID, given: Replay, who: Admin) -> Replayed:
    """Hand the message in again. Doing it twice has no second effect."""
    outcome = await replay_one(_replays(request), letter, given.body, who=who)
    if outcome is None:
        raise not_found()
    return Replayed(**asdict(outcome))


@router.post("/{letter}/discard")
async def discard(request: Request, letter: UUID, given: Discard, who: Admin) -> Replayed:
    async with _replays(request).database.transaction() as unit:
        state = await discard_one(unit, letter, reason=given.reason, who=who)
    if state is None:
        raise not_found()
    return Replayed(taken=state == "replayed", reason=state)


@router.post("/resume")
async def resume(request: Request, given: Resume, who: Admin) -> Replayed:
    """Let a topic that the cap has stopped go on; nothing is skipped."""
    async with _replays(request).database.transaction() as unit:
        stopped = await resume_topic(unit, given.topic, who=who)
    if not stopped:
        raise Problem(409, "not_stopped", "This topic is not stopped.")
    return Replayed(taken=True)
