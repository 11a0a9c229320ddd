"""Why messages could not be taken, summed up: one cause is a topic, a reason and the field it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.database import row, rows

HOURS = 24

_SUMMED = """
with waiting as (
  select topic, reason, coalesce(path, '') as path, count, first_at, last_at,
    cast(floor(extract(epoch from now() - first_at) / 3600) as int) as hours_ago
  from dead_letter where state = 'waiting'),
hourly as (
  select topic, reason, path, hours_ago, count(*) as letters from waiting where hours_ago < :hours group by topic, reason, path, hours_ago),
drawn as (select topic, reason, path, jsonb_object_agg(hours_ago, letters) as hours from hourly group by topic, reason, path)
select topic, reason, path, count(*) as letters, sum(count) as messages, min(first_at) as first_at, max(last_at) as last_at,
  coalesce((select hours from drawn d where (d.topic, d.reason, d.path) = (w.topic, w.reason, w.path)), '{}') as hours
from waiting w group by topic, reason, path order by letters desc, topic, reason, path limit 200"""

_OF_CAUSE = """
select id, topic, partition, "offset", reason, path, count, octet_length(body) as sealed_bytes, first_at, last_at
from dead_letter
where state = 'waiting' and topic = :topic and reason = :reason and coalesce(path, '') = :path
  and (cast(:after as uuid) is null or id > :after)
order by id limit :limit"""


@dataclass(frozen=True, slots=True)
class Cause:
    """`path` is empty where the reason names no field."""

    topic: str
    reason: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """`letters` are distinct messages, `messages` counts repeats too.

    `hours` holds the letters first seen in each of the last 24 hours, oldest first.
    """

    cause: Cause
    letters: int
    messages: int
    first_at: datetime
    last_at: datetime
    hours: tuple[int, ...]


async def summed(tx: AsyncConnection) -> list[Summary]:
    """What waits, by cause, the largest first."""
    return [_summary(each) for each in await rows(tx, _SUMMED, hours=HOURS)]


async def of_cause(tx: AsyncConnection, cause: Cause, *, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Its waiting letters, oldest first; never the bodies."""
    return await rows(tx, _OF_CAUSE, topic=cause.topic, reason=cause.reason, path=cause.path, after=after, limit=limit)


async def last_seen(tx: AsyncConnection) -> datetime | None:
    """When the newest letter came, whatever became of it."""
    found = await row(tx, "select max(last_at) as at from dead_letter")
    return found["at"] if found else None


def _summary(found: RowMapping) -> Summary:
    cause = Cause(found["topic"], found["reason"], found["path"])
    return Summary(cause, found["letters"], int(found["messages"]), found["first_at"], found["last_at"], _drawn(found["hours"]))


def _drawn(hours: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(hours.get(str(ago), 0) for ago in reversed(range(HOURS)))
