"""Where each partition was read to, kept in the same transaction as what was read; the row's owner is the fence."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.broker import Partition, Progress
from shared.runtime.database import as_json, rows, run
from shared.runtime.pipeline import Statement, ask

ADVANCE = """
progress as (
  select * from jsonb_to_recordset(cast(:progress as jsonb)) as p(topic text, partition int, next bigint, read_to timestamptz)),
mine as (
  update consumer_offset o
  set next = p.next, read_to = greatest(o.read_to, least(p.read_to, clock_timestamp())), read_at = clock_timestamp()
  from progress p where o.topic = p.topic and o.partition = p.partition and o.owner = :owner
  returning o.topic, o.partition)"""
"""Common table expressions that move the offsets in `:progress` still owned by `:owner`; rows missing from `mine` are another reader's."""

_ADVANCE = f"with {ADVANCE} select topic, partition from mine"  # noqa: S608  # no value is in it

_OWN = """
insert into consumer_offset as o (topic, partition, owner)
select topic, partition, :owner
from jsonb_to_recordset(cast(:partitions as jsonb)) as p(topic text, partition int) order by topic, partition
on conflict (topic, partition) do update set owner = excluded.owner, read_to = '-infinity'
returning topic, partition, next"""

_LOWER = """
update consumer_offset o set next = p.next
from jsonb_to_recordset(cast(:partitions as jsonb)) as p(topic text, partition int, next bigint)
where o.topic = p.topic and o.partition = p.partition and o.owner = :owner and p.next < o.next"""

_KNOWN = """
insert into consumer_offset (topic, partition)
select topic, partition from jsonb_to_recordset(cast(:partitions as jsonb)) as p(topic text, partition int) order by topic, partition
on conflict do nothing"""

_IDLE = """
update consumer_offset o set read_to = greatest(o.read_to, clock_timestamp() - make_interval(secs => p.age)), read_at = clock_timestamp()
from jsonb_to_recordset(cast(:partitions as jsonb)) as p(topic text, partition int, age float8)
where o.topic = p.topic and o.partition = p.partition and o.owner = :owner"""


def parameter(progress: Progress) -> str:
    """The `:progress` of ADVANCE."""
    moved = [
        {"topic": topic, "partition": partition, "next": offset, "read_to": progress.read_to.get((topic, partition))}
        for (topic, partition), offset in progress.next.items()
    ]
    return as_json(moved)


def advancing(progress: Progress | None) -> Statement[frozenset[Partition]]:
    """Move the offsets; the answer is what is still ours."""
    return Statement(_ADVANCE, frozenset, progress=parameter(progress) if progress else "[]", owner=progress.owner if progress else None)


async def advance(tx: AsyncConnection, progress: Progress) -> frozenset[Partition]:
    """The same, alone."""
    return await ask(tx, advancing(progress))


async def own(tx: AsyncConnection, partitions: Collection[Partition], owner: UUID) -> dict[Partition, int]:
    """Become the owner; the answer is where our database would read on (0 where it has read nothing)."""
    found = await rows(tx, _OWN, partitions=_named(partitions), owner=owner)
    return {(each["topic"], each["partition"]): each["next"] for each in found}


async def lower(tx: AsyncConnection, nexts: Mapping[Partition, int], owner: UUID) -> None:
    """The broker's group is behind our database: read on from there."""
    await run(tx, _LOWER, partitions=as_json([{"topic": t, "partition": p, "next": n} for (t, p), n in nexts.items()]), owner=owner)


async def know(tx: AsyncConnection, partitions: Collection[Partition]) -> None:
    """A row for every partition, so that the watermark waits for those nobody has read yet."""
    await run(tx, _KNOWN, partitions=_named(partitions))


async def idle(tx: AsyncConnection, seen: Mapping[Partition, datetime], *, clock: datetime, owner: UUID) -> None:
    """Partitions at their end were read as of the fetch that said so; only its age travels, because `clock` is this process's."""
    ages = [{"topic": t, "partition": p, "age": max(0.0, (clock - at).total_seconds())} for (t, p), at in sorted(seen.items())]
    await run(tx, _IDLE, partitions=as_json(ages), owner=owner)


def _named(partitions: Collection[Partition]) -> str:
    return as_json([{"topic": topic, "partition": partition} for topic, partition in partitions])
