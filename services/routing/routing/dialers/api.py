"""Dialers' API: claim the next due case, claim this one, tell the outcome. For API keys with the scope `dialer`."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from routing.cases.api import Given
from routing.cases.model import By
from routing.cases.queue.shown import CaseShown, shown
from routing.cases.work.handle import Seen
from routing.cases.work.model import not_before_start
from routing.dialers import handle
from routing.dialers.model import Held, Said, Wants
from shared.runtime.access import Permission, Principal, allow
from shared.schemas import By as SaidBy
from shared.schemas import CallbackAttempted, PlatformRef
from shared.schemas.fields import When

DIAL: Final = Permission("cases.dial", scopes=frozenset({"dialer"}))

router = APIRouter(prefix="/v1/dialer", tags=["dialers"])
Dialer = Annotated[Principal, Depends(allow(DIAL))]
_Code = Annotated[str, Field(min_length=1, max_length=64)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(_Body):
    """Only cases of this team, skill and language; what is left out does not matter."""

    team: _Code | None = None
    skill: _Code | None = None
    language: _Code | None = None


class Outcome(_Body):
    """A call that was made; `attempt_id` is the dialer's own, so that telling it twice does no harm. Without `started_at`: now."""

    attempt_id: Annotated[str, Field(min_length=1, max_length=200)]
    outcome: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    started_at: When | None = None
    ended_at: Annotated[When | None, AfterValidator(not_before_start)] = None
    next_at: When | None = None
    resolved: bool | None = None
    root_cause: Annotated[str | None, Field(max_length=64, pattern=r"^[a-z0-9_.-]+$")] = None
    note: Annotated[str | None, Field(max_length=5_000)] = None
    platform_ref: PlatformRef | None = None


class SaidShown(BaseModel):
    """What the customer answered, in their words."""

    survey_id: UUID
    score: int
    answered_at: datetime
    comment: str | None


class HeldShown(BaseModel):
    """The case is this dialer's until `until`; the outcome of the call gives it back before."""

    case: CaseShown
    number: str
    name: str | None
    said: list[SaidShown]
    until: datetime


_NOTHING: dict[int | str, dict[str, Any]] = {204: {"description": "No call is due now"}}


@router.post("/next", response_model=HeldShown, responses=_NOTHING)
async def claim_next(key: Dialer, deps: Given, body: Asked | None = None) -> HeldShown | Response:
    """The most urgent case that may be called at this moment, critical ones first."""
    wants = Wants(**body.model_dump()) if body else Wants()
    async with deps.database.transaction() as unit:
        held = await handle.claim_next(unit, deps, dialer(key), wants)
    return _shown(held) if held else Response(status_code=204)


@router.post("/cases/{case_id}/claim")
async def claim(key: Dialer, deps: Given, case_id: UUID) -> HeldShown:
    """The path that `callbacks.requested` names. 409 says who has the case, or why no call may be made now."""
    by = dialer(key)
    async with deps.database.transaction() as unit:
        return _shown(await handle.claim(unit, deps, by, Seen(case_id, None, by, teams=None)))


@router.post("/cases/{case_id}/attempts")
async def attempts(key: Dialer, deps: Given, case_id: UUID, body: Outcome) -> CaseShown:
    """What came of a call, as on `callbacks.outcomes`; the case after it, which is no longer this dialer's."""
    async with deps.database.transaction() as unit:
        said = body.model_dump(exclude={"platform_ref"}) | {"started_at": body.started_at or unit.now}
        outcome = CallbackAttempted(**said, platform_ref=body.platform_ref, case_id=case_id, by=SaidBy(kind="dialer", ref=key.ref))
        return shown(await handle.tell(unit, deps, outcome))


def dialer(key: Principal) -> By:
    """How the history and the console name a dialer: by its key."""
    return By("dialer", key.ref, key.name)


def _shown(held: Held) -> HeldShown:
    said = [_said(each) for each in held.said]
    return HeldShown(case=shown(held.case), number=held.whom.number, name=held.whom.name, said=said, until=held.until)


def _said(each: Said) -> SaidShown:
    answer = each.answer
    return SaidShown(survey_id=answer.survey_id, score=answer.score, answered_at=answer.answered_at, comment=each.comment)
