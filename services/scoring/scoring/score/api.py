"""`GET /v1/tnps`: scores by channel, segment, moment or team."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from scoring.score import store
from scoring.score.model import Tally
from scoring.score.readings import Reading, ReadingRefused, Window, dimensions, kind, readings, window
from scoring.score.tally import day_of
from shared.runtime.access import ALL, Permission, Principal, allow
from shared.runtime.database import Database
from shared.runtime.problems import Problem
from shared.runtime.settings import ServiceSettings

READ_NUMBERS = Permission("numbers.read", roles=frozenset({"analyst", "supervisor", "admin"}))

router = APIRouter()


class Numbers(Protocol):
    """What this API needs of the service's dependencies, found as `app.state.deps`."""

    @property
    def database(self) -> Database: ...

    @property
    def settings(self) -> ServiceSettings: ...


class TnpsQuery(BaseModel):
    """By which of channel, segment, moment, team (one or two), over how many whole days, of which kind of survey."""

    by: str = Field("channel", max_length=60, examples=["channel,segment"])
    window: str = Field("30d", max_length=8, examples=["30d"])
    kind: str = Field("tnps", max_length=20)


class TnpsCell(BaseModel):
    """One cell: the values of `by`, counts, score and its 95 % interval in points. A hidden cell carries its names and the reason only."""

    channel: str | None = None
    segment: str | None = None
    moment: str | None = None
    team: str | None = None
    n: int | None = None
    promoters: int | None = None
    passives: int | None = None
    detractors: int | None = None
    score: float | None = Field(None, description="-100 to 100")
    low: float | None = None
    high: float | None = None
    hidden: str | None = Field(None, description="few: ten answers or fewer; complement: it would give such a cell away")


class Tnps(BaseModel):
    """Whole days of the answer in the company's zone, both ends in the window."""

    kind: str
    by: list[str]
    first: date
    last: date
    cells: list[TnpsCell]


@router.get("/v1/tnps", response_model_exclude_none=True)
async def tnps(
    request: Request,
    principal: Annotated[Principal, Depends(allow(READ_NUMBERS))],
    asked: Annotated[TnpsQuery, Query()],
) -> Tnps:
    """Analysts see every team, but no cell of ten answers or fewer; supervisors their own teams whole; admins everything."""
    deps: Numbers = request.app.state.deps
    async with deps.database.transaction() as unit:
        try:
            parts, days, kept = dimensions(asked.by), window(asked.window, day_of(unit.now, deps.settings.company_zone)), kind(asked.kind)
            own = _own_teams(principal, parts)
        except ReadingRefused as refused:
            raise Problem(422, "reading_refused", str(refused), errors=[{"path": refused.path, "reason": refused.reason}]) from None
        cells = await store.counts_by(unit.tx, parts, kind=kept, window=days, teams=own)
    return _answer(parts, cells, days=days, kept=kept, principal=principal)


def _own_teams(principal: Principal, by: tuple[str, ...]) -> frozenset[str] | None:
    """None: answers of every team. A supervisor who is nothing more reads the own teams, which are counted by channel only."""
    if principal.roles & {"admin", "analyst"} or ALL in principal.teams:
        return None
    if not set(by) <= {"channel", "team"}:
        raise ReadingRefused("by", "own_teams", "A supervisor reads the own teams by channel and team")
    return frozenset(principal.teams)


def _answer(by: tuple[str, ...], cells: Mapping[tuple[str, ...], Tally], *, days: Window, kept: str, principal: Principal) -> Tnps:
    shown = readings(by, cells, whole=_whole(by, cells, principal))
    return Tnps(kind=kept, by=list(by), first=days.first, last=days.last, cells=[_cell(each) for each in shown])


def _whole(by: tuple[str, ...], cells: Mapping[tuple[str, ...], Tally], principal: Principal) -> frozenset[tuple[str, ...]] | None:
    """The cells this person sees however small they are; None: all of them."""
    if "admin" in principal.roles or "analyst" not in principal.roles:
        return None
    if "supervisor" not in principal.roles or "team" not in by:
        return frozenset()
    place = by.index("team")
    return frozenset(cell for cell in cells if principal.has_team(cell[place]))


def _cell(reading: Reading) -> TnpsCell:
    if reading.tally is None:
        return TnpsCell(**reading.by, hidden=reading.hidden)
    tally = reading.tally
    return TnpsCell(
        **reading.by,
        n=tally.n,
        promoters=tally.promoters,
        passives=tally.passives,
        detractors=tally.detractors,
        score=reading.score,
        low=reading.low,
        high=reading.high,
    )
