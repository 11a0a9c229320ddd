"""Recovery answers beside the cases they are about."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from routing.recovery.model import Asked
from shared.runtime.database import as_json, rows

_ASKED = """
select c.arm, c.reached, count(*) as answered, count(*) filter (where a.band <> 'detractor') as kept
from answer a join cases c on c.id = a.anchor
where a.kind = 'recovery' and a.counted and a.answered_at >= :since
  and (cast(:teams as jsonb) is null or cast(:teams as jsonb) ? c.team)
group by c.arm, c.reached order by c.arm, c.reached"""


async def asked(tx: AsyncConnection, *, teams: frozenset[str] | None, since: datetime) -> list[Asked]:
    """By arm and by whether the customer was reached. An answer is found by its case, which is the survey's anchor."""
    found = await rows(tx, _ASKED, teams=as_json(teams) if teams is not None else None, since=since)
    return [Asked(**each) for each in found]
