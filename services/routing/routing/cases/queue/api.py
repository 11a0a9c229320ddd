"""Reading cases: the views of the queue, and one case with its whole story."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query

from routing.cases.api import READ, Given, teams_of
from routing.cases.queue import store
from routing.cases.queue.handle import Story, Told, Tried, story
from routing.cases.queue.model import View
from routing.cases.queue.shown import AnswerShown, AttemptShown, Page, StoryShown, cursor, place, shown, steps_shown
from routing.cases.queue.store import Viewer
from routing.errors import NoSuchCase
from shared.runtime.access import Principal, allow

router = APIRouter(prefix="/v1/cases", tags=["cases"])
Reader = Annotated[Principal, Depends(allow(READ))]

SOON = timedelta(hours=1)
"""A window that opens within this is worth showing among those to call."""


def case_key(key: str) -> int | UUID:
    """A case by its number or its id; anything else is no case."""
    if key.isascii() and key.isdecimal() and len(key) < 16:
        return int(key)
    try:
        return UUID(key)
    except ValueError:
        raise NoSuchCase from None


Key = Annotated[int | UUID, Depends(case_key)]


def viewer(person: Principal, now: datetime, *, zone: str) -> Viewer:
    """How a person looks at the queue: own teams, own cases, the day of the company's zone."""
    day = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return Viewer(teams=teams_of(person, READ), me=person.ref, now=now, soon=now + SOON, day=day)


@router.get("")
async def cases(
    person: Reader,
    deps: Given,
    *,
    view: View = View.TO_CALL,
    after: Annotated[str | None, Query(alias="cursor", max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page:
    """One view of the queue, by due time, then priority."""
    async with deps.database.transaction() as unit:
        looking = viewer(person, unit.now, zone=deps.settings.company_zone)
        found = await store.queue(unit.tx, looking, view=view, limit=limit + 1, after=place(after) if after else None)
    page = found[:limit]
    return Page(cases=tuple(map(shown, page)), next=cursor(page[-1]) if len(found) > limit else None)


@router.get("/{key}")
async def case(person: Reader, deps: Given, key: Key) -> StoryShown:
    """The case, its answers with the customer's words, every revision and every call."""
    async with deps.database.transaction() as unit:
        told = await story(unit, deps, key, teams=teams_of(person, READ))
    if told is None:
        raise NoSuchCase
    return _story(told)


def _story(told: Story) -> StoryShown:
    return StoryShown(
        case=shown(told.case),
        answers=tuple(_answer(each) for each in told.answers),
        history=steps_shown(told.history),
        attempts=tuple(_attempt(each) for each in told.attempts),
        merged_into=told.merged_into,
    )


def _answer(told: Told) -> AnswerShown:
    said = told.answer.feedback
    if said is None:
        return _erased(told)
    return AnswerShown(
        survey_id=said.survey_id,
        kind=said.kind,
        score=said.score,
        counted=said.counted,
        answered_at=said.answered_at,
        answered_by=said.answered_by,
        resolved=said.resolved,
        callback=said.callback,
        comment=told.comment,
        contact=said.contact.model_dump(mode="json", exclude={"reason_code", "point_ref"}) if said.contact else None,
        decision=said.decision.model_dump(mode="json") if said.decision else None,
    )


def _erased(told: Told) -> AnswerShown:
    """What is left of an answer after the person was erased: the score."""
    kept = told.answer
    return AnswerShown(
        survey_id=kept.survey_id,
        kind=kept.kind,
        score=kept.score,
        counted=kept.counted,
        answered_at=kept.answered_at,
        answered_by="erased",
        resolved="unanswered",
        callback="unanswered",
        comment=None,
        contact=None,
        decision=None,
    )


def _attempt(tried: Tried) -> AttemptShown:
    made = tried.attempt
    names = [name for name in AttemptShown.model_fields if name != "note"]
    return AttemptShown(**{name: getattr(made, name) for name in names}, note=tried.note)
