"""Working on cases: every move takes the revision that was seen and answers with the case after it; 409 says who was faster."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from routing.cases.api import LEAD, MOVE, WORK, Given, by_of, teams_of
from routing.cases.queue.api import Key
from routing.cases.queue.shown import CaseShown, shown
from routing.cases.work import handle
from routing.cases.work.handle import Seen
from routing.cases.work.model import Call, not_before_start
from shared.runtime.access import Permission, Principal, allow
from shared.schemas import PlatformRef

router = APIRouter(prefix="/v1/cases/{key}", tags=["cases"])
Worker = Annotated[Principal, Depends(allow(WORK))]
Mover = Annotated[Principal, Depends(allow(MOVE))]
Leader = Annotated[Principal, Depends(allow(LEAD))]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AtRevision(_Body):
    """The revision that was seen."""

    revision: Annotated[int, Field(ge=1)]


class Assignment(AtRevision):
    owner: Annotated[str, Field(min_length=1, max_length=200)]


class Resolution(AtRevision):
    root_cause: Annotated[str | None, Field(max_length=64, pattern=r"^[a-z0-9_.-]+$")] = None


class CallMade(Resolution):
    """A call; `attempt_id` is the caller's own, so that sending it twice does no harm."""

    attempt_id: Annotated[str, Field(min_length=1, max_length=200)]
    outcome: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    started_at: AwareDatetime | None = None
    ended_at: Annotated[AwareDatetime | None, AfterValidator(not_before_start)] = None
    next_at: AwareDatetime | None = None
    resolved: bool | None = None
    note: Annotated[str | None, Field(max_length=5_000)] = None
    platform_ref: PlatformRef | None = None

    def call(self) -> Call:
        return Call(**{name: getattr(self, name) for name in Call.__dataclass_fields__})


class Number(BaseModel):
    """What to dial and whom to ask for."""

    number: str
    name: str | None
    shown_at: datetime


def seen(person: Principal, permission: Permission, *, key: Key, revision: int | None) -> Seen:
    return Seen(key=key, revision=revision, by=by_of(person), teams=teams_of(person, permission))


@router.post("/claim")
async def claim(person: Worker, deps: Given, key: Key, body: AtRevision) -> CaseShown:
    """Take the case; 409 names who has it."""
    async with deps.database.transaction() as unit:
        return shown(await handle.claim(unit, deps, seen(person, WORK, key=key, revision=body.revision)))


@router.post("/assign")
async def assign(person: Leader, deps: Given, key: Key, body: Assignment) -> CaseShown:
    """Give the case to somebody of its team."""
    async with deps.database.transaction() as unit:
        return shown(await handle.assign(unit, deps, seen(person, LEAD, key=key, revision=body.revision), body.owner))


@router.post("/release")
async def release(person: Mover, deps: Given, key: Key, body: AtRevision) -> CaseShown:
    """Give the case back; somebody else's only as a supervisor or admin."""
    async with deps.database.transaction() as unit:
        asked = seen(person, MOVE, key=key, revision=body.revision)
        return shown(await handle.release(unit, deps, asked, for_others=person.may(LEAD)))


@router.post("/attempts")
async def attempts(person: Worker, deps: Given, key: Key, body: CallMade) -> CaseShown:
    """Log a call. Reached and solved in one writes two revisions."""
    async with deps.database.transaction() as unit:
        return shown(await handle.log_call(unit, deps, seen(person, WORK, key=key, revision=body.revision), body.call()))


@router.post("/resolve")
async def resolve(person: Mover, deps: Given, key: Key, body: Resolution) -> CaseShown:
    """Solved: after the customer was reached, or after a case that may not be called was reviewed."""
    async with deps.database.transaction() as unit:
        return shown(await handle.resolve(unit, deps, seen(person, MOVE, key=key, revision=body.revision), body.root_cause))


@router.post("/close")
async def close(person: Leader, deps: Given, key: Key, body: AtRevision) -> CaseShown:
    async with deps.database.transaction() as unit:
        return shown(await handle.close(unit, deps, seen(person, LEAD, key=key, revision=body.revision)))


@router.post("/reopen")
async def reopen(person: Mover, deps: Given, key: Key, body: AtRevision) -> CaseShown:
    """Open again; refused, naming it, while another case of the customer is open."""
    async with deps.database.transaction() as unit:
        return shown(await handle.reopen(unit, deps, seen(person, MOVE, key=key, revision=body.revision)))


@router.post("/reveal")
async def reveal(person: Worker, deps: Given, key: Key) -> Number:
    """Number and name, for whoever has claimed the case; every look is in the audit log."""
    async with deps.database.transaction() as unit:
        found = await handle.reveal(unit, deps, seen(person, WORK, key=key, revision=None))
        return Number(number=found.number, name=found.name, shown_at=unit.now)
