"""Every query about contacts."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.database import as_json, row, rows, run, tuples
from shared.runtime.pipeline import Transaction, owe

Root = tuple[str, str, str]
"""Platform, account and the platform's own id of the whole contact."""

_WATERMARK = """
watermark as (
  select coalesce(min(case when read_at < clock_timestamp() - cast(:unread_for as interval) then 'infinity' else read_to end), 'infinity')
    as at
  from consumer_offset where topic in (select jsonb_array_elements_text(cast(:topics as jsonb))))"""
"""How far every raw partition was read. One that nobody has read for `:unread_for` counts as passed."""

_CLAIM = f"""
with {_WATERMARK}, horizon as (select least(clock_timestamp(), at) as at from watermark)
select platform, account, root, episode, episode_started, digest is not null as published, (select at from horizon) as as_of
from contact where due <= (select at from horizon) order by due limit :limit for update skip locked"""
_CLAIM_ONE = """
select platform, account, root, episode, episode_started, digest is not null as published, now() as as_of
from contact where platform = :platform and account = :account and root = :root for update"""
_LAG = f"""
with {_WATERMARK}
select case at when 'infinity' then 0 when '-infinity' then extract(epoch from cast(:unread_for as interval))
  else greatest(0, extract(epoch from clock_timestamp() - at)) end as lag
from watermark"""
_EVENTS = """
select platform, account, root, e.id, leg, kind, at, received, facts, handles
from event e join jsonb_to_recordset(cast(:roots as jsonb)) as r(platform text, account text, root text) using (platform, account, root)"""
_LATEST = """
select distinct on (id) id, revision, digest, customer_id, standing from interaction
where id in (select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb))) order by id, revision desc"""
_OF_CUSTOMERS = """
with asked as (select cast(value as uuid) as id from jsonb_array_elements_text(cast(:customers as jsonb)))
select coalesce(c.merged_into, c.id) as customer, i.id, i.ended_at
from interaction i join customer c on c.id = i.customer_id
where i.customer_id = any(array(select id from asked union all select m.id from customer m join asked on m.merged_into = asked.id))
  and i.purpose = 'service' and i.ended_at > :since
order by i.revision"""
_SAVE_REVISIONS = """
insert into interaction (id, revision, platform, account, root, episode, customer_id, purpose, standing, ended_at, digest, payload)
select id, revision, platform, account, root, episode, customer_id, purpose, standing, ended_at, digest, payload
from jsonb_to_recordset(cast(:revisions as jsonb)) as v(id uuid, revision int, platform text, account text, root text, episode int,
  customer_id uuid, purpose text, standing text, ended_at timestamptz, digest bytea, payload jsonb)"""
_SAVE_JUDGED = """
update contact c set due = v.due, waits_for = v.waits_for, episode = v.episode, episode_started = v.episode_started,
  digest = coalesce(v.digest, c.digest)
from jsonb_to_recordset(cast(:judged as jsonb)) as v(platform text, account text, root text, due timestamptz, waits_for text,
  episode int, episode_started timestamptz, digest bytea)
where (c.platform, c.account, c.root) = (v.platform, v.account, v.root)"""
_FORGET = """
delete from event
where ctid = any(array(
  select ctid from event where received < now() - cast(:older_than as interval) order by received limit :limit))"""
_FORGET_HANDLES = """
update event e set handles = null, refs = null
from jsonb_to_recordset(cast(:roots as jsonb)) as r(platform text, account text, root text)
where (e.root, e.account, e.platform) = (r.root, r.account, r.platform) and (e.handles is not null or e.refs is not null)"""
_BY_REF = """
select platform, account, root from event where root = :ref and platform = :platform and account = coalesce(:account, account)
union
select platform, account, root from interaction where root = :ref and platform = :platform and account = coalesce(:account, account)
order by 1, 2, 3 limit 20"""
_REVISIONS = """
select id, revision, episode, payload, created from interaction
where platform = :platform and account = :account and root = :root order by episode, revision"""


@dataclass(frozen=True, slots=True)
class Due:
    """A contact to judge, locked; `as_of` is the time up to which every partition was read, the clock's at most."""

    root: Root
    episode: int
    episode_started: datetime | None
    published: bool
    as_of: datetime


class EventRow(NamedTuple):
    """What is stored of one event; `handles` are sealed."""

    id: UUID
    leg: str
    kind: str
    at: datetime | None
    received: datetime
    facts: Any
    handles: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest revision of an interaction."""

    revision: int
    digest: bytes
    customer_id: UUID | None
    standing: str


async def claim_due(tx: AsyncConnection, topics: Collection[str], *, unread_for: timedelta, limit: int) -> list[Due]:
    """Lock the contacts that are due by the slowest partition's clock. Read their events in a later statement, never in this one."""
    found = await rows(tx, _CLAIM, topics=as_json(sorted(topics)), unread_for=unread_for, limit=limit)
    return [Due(_root(each), each["episode"], each["episode_started"], published=each["published"], as_of=each["as_of"]) for each in found]


async def claim(tx: AsyncConnection, root: Root) -> list[Due]:
    """Lock this one, whether it is due or not, as of now."""
    found = await rows(tx, _CLAIM_ONE, **_named(root))
    return [Due(_root(each), each["episode"], each["episode_started"], published=each["published"], as_of=each["as_of"]) for each in found]


async def watermark_lag(tx: AsyncConnection, topics: Collection[str], *, unread_for: timedelta) -> float:
    """Seconds between the clock and what every partition was read to; 0 where nothing is read."""
    found = await row(tx, _LAG, topics=as_json(sorted(topics)), unread_for=unread_for)
    return float(found["lag"]) if found else 0.0


async def events(tx: AsyncConnection, roots: Iterable[Root]) -> Mapping[Root, Sequence[EventRow]]:
    asked = [{"platform": platform, "account": account, "root": root} for platform, account, root in roots]
    grouped: dict[Root, list[EventRow]] = defaultdict(list)
    for platform, account, root, *told in await tuples(tx, _EVENTS, roots=as_json(asked)):
        grouped[platform, account, root].append(EventRow._make(told))
    return grouped


async def latest(tx: AsyncConnection, interactions: Iterable[UUID]) -> dict[UUID, Latest]:
    found = await rows(tx, _LATEST, ids=as_json(list(interactions)))
    return {each["id"]: Latest(each["revision"], bytes(each["digest"]), each["customer_id"], each["standing"]) for each in found}


async def service_contacts(tx: AsyncConnection, customers: Iterable[UUID], *, since: datetime) -> dict[UUID, dict[UUID, datetime]]:
    """Per customer, with all who became that customer, the service contacts that ended after `since`, and when they ended."""
    contacts: dict[UUID, dict[UUID, datetime]] = defaultdict(dict)
    for each in await rows(tx, _OF_CUSTOMERS, customers=as_json(list(customers)), since=since):
        contacts[each["customer"]][each["id"]] = each["ended_at"]
    return contacts


def save_revisions(tx: Transaction, revisions: Sequence[Mapping[str, Any]]) -> None:
    owe(tx, _SAVE_REVISIONS, revisions=as_json(list(revisions)))


def save_judged(tx: Transaction, judged: Sequence[Mapping[str, Any]]) -> None:
    """When to look again at each contact, and what it waits for; a digest that is null leaves the old one."""
    owe(tx, _SAVE_JUDGED, judged=as_json(list(judged)))


async def forget_events(tx: AsyncConnection, *, older_than: timedelta, limit: int) -> int:
    """Delete facts received that long ago; returns how many."""
    return await run(tx, _FORGET, older_than=older_than, limit=limit)


async def forget_handles(tx: AsyncConnection, roots: Iterable[Root]) -> int:
    """What named the customer goes from every event of these contacts; returns of how many. What happened in them stays."""
    return await run(tx, _FORGET_HANDLES, roots=as_json([_named(root) for root in sorted(roots)]))


async def found_by_ref(tx: AsyncConnection, platform: str, account: str | None, *, ref: str) -> Sequence[Root]:
    """The contacts a platform's own id names, in one account or, without one, in any."""
    return [_root(each) for each in await rows(tx, _BY_REF, platform=platform, account=account, ref=ref)]


async def root_of(tx: AsyncConnection, interaction: UUID) -> Root | None:
    found = await row(tx, "select platform, account, root from interaction where id = :id limit 1", id=interaction)
    return _root(found) if found else None


async def contact(tx: AsyncConnection, root: Root) -> RowMapping | None:
    asked = "select due, waits_for from contact where platform = :platform and account = :account and root = :root"
    return await row(tx, asked, **_named(root))


async def revisions(tx: AsyncConnection, root: Root) -> Sequence[RowMapping]:
    return await rows(tx, _REVISIONS, **_named(root))


def _root(row: RowMapping) -> Root:
    return row["platform"], row["account"], row["root"]


def _named(root: Root) -> dict[str, str]:
    return dict(zip(("platform", "account", "root"), root, strict=True))
