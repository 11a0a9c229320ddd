"""Dead letters for an admin, on the internal port: list, look (masked), replay (also mended), discard, resume a stopped topic."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from shared.runtime import dead_letters
from shared.runtime.access import allow
from shared.runtime.applying import Apply
from shared.runtime.audit import Actor, audit
from shared.runtime.database import Database, Unit, rows, run
from shared.runtime.errors import Unprocessable
from shared.runtime.patience import passing
from shared.runtime.problems import Problem, not_found
from shared.runtime.rights import Permission, Principal
from shared.runtime.sealing import Sealer

ADMIN = Permission("dead-letters", roles=frozenset({"admin"}))
log = logging.getLogger("aftercall.replay")
router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])
Admin = Annotated[Principal, Depends(allow(ADMIN))]
_MASK = "•••"
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Replays:
    """`applies`: what stores the records of each topic; the process fills it in."""

    database: Database
    sealer: Sealer
    applies: Mapping[str, Apply]


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


class Look(BaseModel):
    """Keys and types of the body, values masked; `size` in bytes."""

    reason: str
    path: str | None
    headers: list[str]
    size: int
    body: Any


class Replay(BaseModel):
    """`body`: the mended message, whose identity is then the message's; without it the bytes as they came."""

    body: str | None = None


class Replayed(BaseModel):
    """`taken`: it took effect, or had before; otherwise `reason` says what is still wrong and it keeps waiting."""

    taken: bool
    reason: str | None = None


class Discard(BaseModel):
    reason: str = Field(min_length=3, max_length=500)


class Resume(BaseModel):
    topic: str


def _replays(request: Request) -> Replays:
    replays: Replays = request.app.state.replays
    return replays


@router.get("")
async def waiting(
    request: Request, _: Admin, topic: str | None = None, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Page:
    async with _replays(request).database.transaction() as unit:
        found = await dead_letters.waiting(unit.tx, topic=topic, after=after, limit=limit)
    items = [Waiting(**{**each, "first_at": each["first_at"].isoformat(), "last_at": each["last_at"].isoformat()}) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


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
    replays = _replays(request)
    async with replays.database.transaction() as unit:
        kept, body = await _kept(unit, letter, replays)
        await audit(unit.tx, who, "dead-letter.replay", subject=letter, detail={"mended": given.body is not None})
    if kept["state"] != "waiting":
        return Replayed(taken=kept["state"] == "replayed", reason=kept["state"])
    record = dead_letters.record(kept, given.body.encode() if given.body is not None else body)
    try:
        applied = await replays.applies[kept["topic"]]([record], None, again=True)
    except Unprocessable as fault:
        return Replayed(taken=False, reason=fault.code)
    except Exception as fault:
        if passing(fault):
            raise
        log.exception("a replayed record failed", extra={"topic": record.topic})
        return Replayed(taken=False, reason=f"failed:{type(fault).__name__}")
    if applied.dead:
        return Replayed(taken=False, reason="still_at_fault")
    async with replays.database.transaction() as unit:
        await dead_letters.settle(unit.tx, letter, state="replayed")
    return Replayed(taken=True)


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


async def look_at(unit: Unit, letter: UUID, sealer: Sealer, *, who: Actor) -> Look | None:
    """Masked, and still written to the audit log."""
    found = await dead_letters.body(unit.tx, letter, sealer)
    if found is None:
        return None
    await audit(unit.tx, who, "dead-letter.look", subject=letter)
    kept, body = found
    names = [name for name, _ in kept["headers"]]
    return Look(reason=kept["reason"], path=kept["path"], headers=names, size=len(body), body=_masked_body(body))


async def discard_one(unit: Unit, letter: UUID, *, reason: str, who: Actor) -> str | None:
    """Its state: discarded, or replayed where that came first."""
    state = await dead_letters.state(unit.tx, letter)
    if state != "waiting":
        return state
    await dead_letters.settle(unit.tx, letter, state="discarded")
    await audit(unit.tx, who, "dead-letter.discard", subject=letter, detail={"reason": reason})
    return "discarded"


async def resume_topic(unit: Unit, topic: str, *, who: Actor) -> bool:
    """Was it stopped?"""
    if not await run(unit.tx, "delete from topic_cap where topic = :topic", topic=topic):
        return False
    await audit(unit.tx, who, "dead-letters.resume", subject=topic)
    return True


async def stopped_topics(unit: Unit) -> list[str]:
    return [each["topic"] for each in await rows(unit.tx, "select topic from topic_cap order by topic")]


async def _kept(unit: Unit, letter: UUID, replays: Replays) -> tuple[RowMapping, bytes]:
    found = await dead_letters.body(unit.tx, letter, replays.sealer)
    if found is None:
        raise not_found()
    return found


def _masked_body(body: bytes) -> Any:
    try:
        return masked(json.loads(body))
    except (ValueError, RecursionError):
        return f"{len(body)} bytes that are not JSON"


def masked(value: Any, depth: int = 0) -> Any:
    """The tree of a JSON value: keys stay, values become their type."""
    if depth > _DEEPEST:
        return _MASK
    if isinstance(value, dict):
        return {key: masked(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each, depth + 1) for each in value]
    return None if value is None else f"{_MASK} ({type(value).__name__})"
