"""The recovery rate, for supervisors of their own teams and for admins of all."""

from datetime import date, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from routing.cases.api import Given, teams_of
from routing.recovery import store
from routing.recovery.model import Cell, Rate, by_arm, cells, whole
from shared.runtime.access import Permission, Principal, allow

SEE: Final = Permission("recovery.read", roles=frozenset({"supervisor", "admin"}))

router = APIRouter(prefix="/v1/recovery", tags=["recovery"])


class Recovery(BaseModel):
    """From the first of `days` whole days of the company's zone, today included."""

    since: date
    days: int
    all: Rate
    arms: dict[str, Rate]
    cells: list[Cell]


@router.get("")
async def recovery(
    person: Annotated[Principal, Depends(allow(SEE))],
    deps: Given,
    window: Annotated[str, Query(pattern=r"^[1-9]\d{0,2}d$", description="days, such as 30d")] = "30d",
) -> Recovery:
    """Non-detractors among the answers to recovery surveys, with a Wilson interval, by arm and by whether the customer was reached."""
    days = int(window[:-1])
    async with deps.database.transaction() as unit:
        today = unit.now.astimezone(ZoneInfo(deps.settings.company_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        since = today - timedelta(days=days - 1)
        asked = await store.asked(unit.tx, teams=teams_of(person, SEE), since=since)
    return Recovery(since=since.date(), days=days, all=whole(asked), arms=by_arm(asked), cells=cells(asked))
