"""What only the console asks. `teams` is a set of codes, or None for somebody who may see all teams."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from routing.alerts.model import Alert
from routing.alerts.store import alert_of
from routing.cases.model import Case
from routing.cases.store import case_of
from shared.runtime.database import as_json, rows

_OF_TEAMS = "(cast(:teams as jsonb) is null or cast(:teams as jsonb) ? team)"


async def find(tx: AsyncConnection, number: int, *, teams: frozenset[str] | None) -> Case | None:
    """The case of this number, else the newest case of the customer of this number."""
    sql = f"""select * from cases where (number = :number or customer ->> 'number' = :text) and route <> 'hold_out' and {_OF_TEAMS}
      order by number = :number desc, opened_at desc limit 1"""
    found = await rows(tx, sql, number=number, text=str(number), teams=as_json(teams) if teams is not None else None)
    return case_of(found[0]) if found else None


async def by_numbers(tx: AsyncConnection, numbers: frozenset[int], *, teams: frozenset[str] | None) -> list[Case]:
    """These cases as they are now, in the queue's order."""
    sql = f"""select * from cases where number in (select cast(value as bigint) from jsonb_array_elements_text(cast(:numbers as jsonb)))
      and {_OF_TEAMS} order by due_at, -priority, number"""
    found = await rows(tx, sql, numbers=as_json(sorted(numbers)), teams=as_json(teams) if teams is not None else None)
    return [case_of(each) for each in found]


async def teams_with_cases(tx: AsyncConnection) -> frozenset[str]:
    """For somebody who sees all teams: those that have cases, also where the rota does not know them."""
    return frozenset(each["team"] for each in await rows(tx, "select distinct team from cases"))


async def alerts_of(tx: AsyncConnection, case_id: UUID) -> list[Alert]:
    sql = "select a.* from alert a join alert_case l on l.alert_id = a.id where l.case_id = :id order by a.opened_at, a.id"
    return [alert_of(each) for each in await rows(tx, sql, id=case_id)]
