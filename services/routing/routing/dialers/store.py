"""Which case a dialer gets next."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from routing.cases.model import Case
from routing.cases.store import case_of
from routing.dialers.model import Wants
from shared.runtime.database import as_json, row

_NEXT = """
select c.* from cases c join customer p on p.id = c.customer_id
where c.state in ('open', 'attempting') and c.route = 'call' and c.owner is null and (c.next_at is null or c.next_at <= :now)
  and exists (select from jsonb_to_recordset(c.windows) as w("from" timestamptz, "to" timestamptz) where w."from" <= :now and w."to" > :now)
  and (cast(:team as text) is null or c.team = :team) and (cast(:skill as text) is null or c.skill = :skill)
  and (cast(:language as text) is null or c.language = :language)
  and not cast(:passed as jsonb) ? cast(c.id as text)
order by c.level <> 'critical', c.due_at, -c.priority, c.number limit 1 for update of p skip locked"""


async def next_due(tx: AsyncConnection, wants: Wants, *, now: datetime, passed: Iterable[UUID]) -> Case | None:
    """The most urgent case that may be called now, critical ones first, its customer locked; one that somebody is at is left out.

    Customers are locked before cases everywhere; so here too, and the case itself may have moved on: claim it at this revision.
    """
    asked = {"team": wants.team, "skill": wants.skill, "language": wants.language}
    found = await row(tx, _NEXT, now=now, passed=as_json([str(each) for each in passed]), **asked)
    return case_of(found) if found else None
