"""The statement that stores a batch: events, contacts to look at again, dead letters and offsets, in one round trip and one flush."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.errors import DivisionByZero
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime import dead_letters, offsets
from shared.runtime.broker import Partition, Progress
from shared.runtime.database import rows
from shared.runtime.dead_letters import BURY, Letter
from shared.runtime.offsets import ADVANCE
from shared.runtime.sealing import Sealer

_DUE = """case when contact.digest is null then least(excluded.due, contact.due)
    else least(contact.due, clock_timestamp() + interval '1 second') end"""
"""By the clock that `received` is of, from which hold-off and stale limit run: looked at earlier, a contact would only be looked at twice.
Where it stays as it is the row is locked all the same, so whoever judges it meanwhile is waited for, but not written again."""
_EVENTS = """
given as (
  select distinct on (id) * from jsonb_to_recordset(cast(:events as jsonb)) as e(id uuid, hash bytea, topic text, partition int,
    platform text, account text, root text, leg text, kind text, at timestamptz, facts jsonb, handles jsonb,
    refs jsonb, hold float8) order by id),
fresh as (
  insert into event as v (id, hash, platform, account, root, leg, kind, at, facts, handles, refs)
  select id, hash, platform, account, root, leg, kind, at, facts, handles, refs from given {fence} order by id
  on conflict (id) do update set hash = v.hash where v.hash is distinct from excluded.hash
  returning new.id, new.platform, new.account, new.root, old.id is not null as clash),
touched as (
  insert into contact (platform, account, root, due)
  select platform, account, root, clock_timestamp() + make_interval(secs => min(g.hold))
  from fresh f join given g using (id, platform, account, root) where not clash group by 1, 2, 3 order by 1, 2, 3
  on conflict (platform, account, root) do update set due = {due} where contact.due is distinct from {due})"""

_ANSWER = """
select (select jsonb_agg(id) from fresh where not clash) as stored, (select jsonb_agg(id) from fresh where clash) as clashes,
  {owned} as owned, 1 / (case when :alone and exists (select from fresh where clash) then 0 else 1 end) as went_well"""

FROM_TOPICS = f"with {ADVANCE}, {BURY}, {_EVENTS.format(fence='join mine using (topic, partition)', due=_DUE)}" + _ANSWER.format(
    owned="(select jsonb_agg(jsonb_build_array(topic, partition)) from mine)"
)
FROM_HTTP = f"with {_EVENTS.format(fence='', due=_DUE)}" + _ANSWER.format(owned="null")


class Clash(Exception):
    """An event's id is known with another body, and nothing of the statement was kept: store it again beside its dead letter."""

    def __init__(self) -> None:
        super().__init__("An event arrived under the id of another one")


@dataclass(frozen=True, slots=True)
class Stored:
    """`owned`: the partitions still ours. `fresh`: ids that were new. `clashes`: ids known with another body."""

    owned: frozenset[Partition]
    fresh: frozenset[str]
    clashes: frozenset[str]


async def store_records(
    tx: AsyncConnection, events: str, letters: Sequence[Letter], *, progress: Progress, sealer: Sealer, alone: bool
) -> Stored:
    """`events` is a JSON array of rows. `alone`: the statement is its own transaction, and a clash raises Clash and undoes it."""
    return await _run(
        tx,
        FROM_TOPICS,
        alone=alone,
        events=events,
        letters=dead_letters.parameter(letters, sealer),
        progress=offsets.parameter(progress),
        owner=progress.owner,
    )


async def store_request(tx: AsyncConnection, events: str) -> Stored:
    """The same without a fence. Clashes are answered, not kept."""
    return await _run(tx, FROM_HTTP, alone=False, events=events)


async def _run(tx: AsyncConnection, statement: str, *, alone: bool, events: str, **parameters: object) -> Stored:
    try:
        found = await rows(tx, statement, alone=alone, events=events, **parameters)
    except DBAPIError as error:
        if isinstance(error.orig, DivisionByZero):
            raise Clash from None
        raise
    answer = found[0]
    owned = frozenset((topic, partition) for topic, partition in answer["owned"] or ())
    return Stored(owned, frozenset(answer["stored"] or ()), frozenset(answer["clashes"] or ()))
