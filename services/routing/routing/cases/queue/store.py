"""Questions people ask about cases. `teams` is a set of codes, or None for somebody who may see all teams."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from routing.cases.model import Attempt, Case, Step
from routing.cases.queue.model import Place, Tally, Urgency, View
from routing.cases.store import case_of
from shared.runtime.database import as_json, row, rows

_OF_TEAMS = "(cast(:teams as jsonb) is null or cast(:teams as jsonb) ? team)"

_CALLABLE_SOON = """(next_at is null or next_at <= :soon)
  and exists (select from jsonb_to_recordset(windows) as w("from" timestamptz, "to" timestamptz)
    where w."from" <= :soon and w."to" > :now)"""

_TO_WORK = "state in ('open', 'assigned', 'attempting', 'reached')"

_VIEWS = {
    View.TO_CALL: f"{_TO_WORK} and route = 'call' and {_CALLABLE_SOON}",
    View.WAITING: f"{_TO_WORK} and route = 'call' and not ({_CALLABLE_SOON})",
    View.MINE: f"{_TO_WORK} and route <> 'hold_out' and owner = :me",
    View.REVIEW: f"{_TO_WORK} and route = 'review'",
    View.DONE: "state in ('resolved', 'closed', 'unreachable', 'declined') and route <> 'hold_out' and changed_at >= :day",
}

_AFTER = (
    "and (due_at, -priority, number) > (cast(:after_due as timestamptz), -cast(:after_priority as integer), cast(:after_number as bigint))"
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, about which teams, at which moment.

    `day` began at midnight of the company's zone; `soon` is how far "to call" looks ahead.
    """

    teams: frozenset[str] | None
    me: str
    now: datetime
    soon: datetime
    day: datetime

    def parameters(self) -> dict[str, object]:
        teams = as_json(self.teams) if self.teams is not None else None
        return {"teams": teams, "me": self.me, "now": self.now, "soon": self.soon, "day": self.day}


async def queue(tx: AsyncConnection, viewer: Viewer, *, view: View, limit: int = 100, after: Place | None = None) -> list[Case]:
    """A page of one view, by due time, then priority. Critical cases are not moved: the page groups them."""
    going_on = _AFTER if after else ""
    sql = f"select * from cases where {_OF_TEAMS} and {_VIEWS[view]} {going_on} order by due_at, -priority, number limit :limit"
    place = {"after_due": after.due_at, "after_priority": after.priority, "after_number": after.number} if after else {}
    used = {name: value for name, value in viewer.parameters().items() if f":{name}" in sql}
    return [case_of(each) for each in await rows(tx, sql, **used, **place, limit=limit)]


async def waiting(tx: AsyncConnection, viewer: Viewer, *, limit: int = 20) -> list[Case]:
    """Whom to call next: nobody has them and they can be called now, critical ones first."""
    sql = f"""select * from cases where {_OF_TEAMS} and {_VIEWS[View.TO_CALL]} and owner is null
      order by level <> 'critical', due_at, -priority, number limit :limit"""
    used = {name: value for name, value in viewer.parameters().items() if f":{name}" in sql}
    return [case_of(each) for each in await rows(tx, sql, **used, limit=limit)]


async def critical(tx: AsyncConnection, viewer: Viewer, *, view: View, limit: int = 100) -> list[Case]:
    """The critical cases of a view, by due time: shown first, however many others are due before them."""
    sql = f"select * from cases where level = 'critical' and {_OF_TEAMS} and {_VIEWS[view]} order by due_at, -priority, number limit :limit"
    used = {name: value for name, value in viewer.parameters().items() if f":{name}" in sql}
    return [case_of(each) for each in await rows(tx, sql, **used, limit=limit)]


async def urgency(tx: AsyncConnection, viewer: Viewer) -> Urgency:
    sql = f"""select count(*) filter (where level = 'critical') as critical,
        count(*) filter (where level <> 'critical' and due_at <= :now) as late,
        count(*) filter (where level <> 'critical' and due_at > :now and due_at < :soon) as soon
      from cases where {_OF_TEAMS} and {_VIEWS[View.TO_CALL]}"""
    used = {name: value for name, value in viewer.parameters().items() if f":{name}" in sql}
    found = await row(tx, sql, **used)
    assert found is not None
    return Urgency(**found)


async def counts(tx: AsyncConnection, viewer: Viewer) -> dict[View, int]:
    """How many cases each view holds."""
    sums = ", ".join(f"count(*) filter (where {where}) as {view}" for view, where in _VIEWS.items())
    sql = f"select {sums} from cases where {_OF_TEAMS} and ({_TO_WORK} or changed_at >= :day)"
    found = await row(tx, sql, **viewer.parameters())
    assert found is not None
    return {view: found[view.value] for view in View}


async def case(tx: AsyncConnection, key: int | UUID, *, teams: frozenset[str] | None) -> Case | None:
    """A case by its number or id; None as well when it is of another team."""
    column = "id" if isinstance(key, UUID) else "number"
    sql = f"select * from cases where {column} = :key and {_OF_TEAMS}"
    found = await row(tx, sql, key=key, teams=as_json(teams) if teams is not None else None)
    return case_of(found) if found else None


async def cases(tx: AsyncConnection, ids: Iterable[UUID], *, teams: frozenset[str] | None) -> list[Case]:
    """Those of these cases that are of the teams, in the queue's order."""
    sql = f"""select * from cases where id in (select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)))
      and {_OF_TEAMS} order by due_at, -priority, number"""
    return [case_of(each) for each in await rows(tx, sql, ids=as_json(list(ids)), teams=as_json(teams) if teams is not None else None)]


async def find(tx: AsyncConnection, number: int, *, teams: frozenset[str] | None) -> list[Case]:
    """Cases with this number, or of the customer with this number, newest first, at most 20."""
    sql = f"""select * from cases where (number = :number or (customer ->> 'number') = cast(:number as text)) and {_OF_TEAMS}
      order by opened_at desc limit 20"""
    found = await rows(tx, sql, number=number, teams=as_json(teams) if teams is not None else None)
    return [case_of(each) for each in found]


_HISTORY = TypeAdapter(list[Step])
_ATTEMPTS = TypeAdapter(list[Attempt])


async def history(tx: AsyncConnection, case_id: UUID) -> list[Step]:
    """Every revision of a case, oldest first."""
    found = await rows(tx, "select * from case_history where case_id = :id order by revision", id=case_id)
    return _HISTORY.validate_python([dict(each) for each in found])


async def last_step(tx: AsyncConnection, case_id: UUID) -> Step | None:
    """The newest revision: who changed the case last, and when."""
    found = await row(tx, "select * from case_history where case_id = :id order by revision desc limit 1", id=case_id)
    return _HISTORY.validate_python([dict(found)])[0] if found else None


async def attempts(tx: AsyncConnection, case_id: UUID) -> list[Attempt]:
    """Every try to call, oldest first."""
    found = await rows(tx, "select * from attempt where case_id = :id order by started_at, attempt_id", id=case_id)
    return _ATTEMPTS.validate_python([dict(each) for each in found])


_TALLIES = """
with asked as (select distinct value as team from jsonb_array_elements_text(cast(:teams as jsonb))),
 scores as (select team, count(*) filter (where band = 'detractor') as detractors, count(*) filter (where band = 'passive') as passives,
     count(*) filter (where band = 'promoter') as promoters
   from answer where kind = 'tnps' and counted and answered_at >= :since group by team),
 calls as (select team, count(*) filter (where due_at <= :now or first_attempt_at is not null) as called_due,
     count(*) filter (where first_attempt_at <= due_at) as called_in_time
   from cases where route = 'call' and state not in ('merged', 'erased') and opened_at >= :since group by team),
 waiting as (select team, count(*) as open_cases, min(due_at) as oldest_due_at from cases
   where state in ('open', 'assigned', 'attempting', 'reached') and route <> 'hold_out' group by team),
 recovered as (select c.team, count(*) as recovery_answered, count(*) filter (where a.band <> 'detractor') as recovered
   from answer a join cases c on c.id = a.anchor where a.kind = 'recovery' and a.counted and a.answered_at >= :since group by c.team)
select team, coalesce(detractors, 0) as detractors, coalesce(passives, 0) as passives, coalesce(promoters, 0) as promoters,
  coalesce(called_due, 0) as called_due, coalesce(called_in_time, 0) as called_in_time, coalesce(recovery_answered, 0) as recovery_answered,
  coalesce(recovered, 0) as recovered, coalesce(open_cases, 0) as open_cases, oldest_due_at
from asked left join scores using (team) left join calls using (team) left join waiting using (team) left join recovered using (team)
order by team"""


async def tallies(tx: AsyncConnection, teams: Sequence[str], *, since: datetime, now: datetime) -> list[Tally]:
    """The counts of each of these teams since a moment, A to Z. An answer counts for the team of its contact, a recovery for the case's."""
    found = await rows(tx, _TALLIES, teams=as_json(list(teams)), since=since, now=now)
    return [Tally(**each) for each in found]
