"""Every query about erasing people. Handles and customers are locked by the caller, in the order of `people.store`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.erasure.model import Report, Root, Sweep
from ingest.erasure.traces import Traces
from ingest.people.model import Handle, Strength
from shared.runtime.database import as_json, row, rows, run
from shared.runtime.sealing import Sealer
from shared.schemas import ErasureReported, Sealed

_IDS = "select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb))"
_REFS = "array(select jsonb_array_elements_text(cast(:refs as jsonb)))"

_BY_MEMBER = """
select h.erasure, o.customer_id from handle h left join holding o using (kind, scope, ref)
where kind = 'member' and scope = '' and ref = :ref"""
_PEOPLE = """
select c.id, c.erasure, c.profile, c.id = asked.id as counts
from customer c join (select coalesce(merged_into, id) as id from customer where id = :id) asked on asked.id in (c.id, c.merged_into)
order by counts desc, c.number"""
_HELD = f"select kind, scope, ref from holding where customer_id in ({_IDS})"
_ROOTS = f"select distinct platform, account, root from interaction where customer_id in ({_IDS})"
_TOMBSTONE = "insert into customer (id) values (:id)"
_FORGET_PEOPLE = f"""
update customer set profile = null, snapshot = null, erasure = :erasure, changed = now() where id in ({_IDS})"""
_MARK = """
update handle h set erasure = :erasure, due = now() + cast(:keep as interval)
from jsonb_to_recordset(cast(:handles as jsonb)) as g(kind text, scope text, ref text)
where (h.kind, h.scope, h.ref) = (g.kind, g.scope, g.ref)"""
_FORGET_CUSTOMER = f"""
update interaction set customer_id = null, digest = '', payload = payload - 'customer' - 'point_ref' || '{{"no_customer": "none"}}'
where customer_id in ({_IDS})"""
_FORGET_DIGESTS = """
update contact c set digest = '' from jsonb_to_recordset(cast(:roots as jsonb)) as r(platform text, account text, root text)
where (c.platform, c.account, c.root) = (r.platform, r.account, r.root) and c.digest is not null"""
_FORGET_POINTS = f"""
update interaction i set payload = payload - 'point_ref', digest = ''
from jsonb_to_recordset(cast(:roots as jsonb)) as r(platform text, account text, root text)
where (i.root, i.account, i.platform) = (r.root, r.account, r.platform) and i.payload ->> 'point_ref' = any({_REFS})"""
_NEW = """
insert into erasure (id, customer_ids, basis, requested_at, due, refs, traces, counts)
values (:id, cast(:ids as jsonb), :basis, now(), now(), cast(:refs as jsonb), cast(:traces as jsonb), cast(:counts as jsonb))"""
_CLAIM = """
select id, customer_ids, refs, traces, letters_to, counts from erasure where due <= now() order by due limit 1 for update skip locked"""
_PAGE = f"""
with page as (
  select received from event where received > (select events_to from erasure where id = :id) order by received limit :limit),
up_to as (select max(received) as at from page),
moved as (update erasure e set events_to = u.at from up_to u where e.id = :id and u.at is not null)
select distinct v.platform, v.account, v.root, u.at from up_to u
left join event v on v.received > (select events_to from erasure where id = :id) and v.received <= u.at and v.refs ?| {_REFS}"""
_KEEP_HANDLES = """
update event e set handles = k.handles, refs = k.refs
from jsonb_to_recordset(cast(:kept as jsonb)) as k(id uuid, handles jsonb, refs jsonb) where e.id = k.id"""
_LETTERS = "select id, key, headers, body from dead_letter where id > :after order by id limit :limit"
_EMPTY_LETTERS = f"""
with emptied as (
  update dead_letter set key = null, headers = '[]', body = :nothing, state = 'discarded' where id in ({_IDS}) returning id)
delete from outbox where dead_letter in (select id from emptied)"""
_WAITING = "select id, key, headers, body from waiting order by id"
_MOVE = """
update erasure set letters_to = coalesce(cast(:letters_to as uuid), letters_to), counts = cast(:counts as jsonb) where id = :id"""
_DONE = "update erasure set due = null, refs = '[]', traces = null where id = :id"
_REPORT = """
insert into erasure_report as r (request_id, service, counts, clean_by, done)
values (:id, :service, cast(:counts as jsonb), :clean_by, :done)
on conflict (request_id, service) do update set counts = excluded.counts, clean_by = excluded.clean_by, done = excluded.done,
  reported_at = now() where not r.done"""
_FINISH = """
update erasure e set finished = now() where id = :id and finished is null
  and (select count(*) from erasure_report r where r.request_id = e.id and r.done) = :services"""
_UNREPORTED = """
select s.service, count(e.id) as waiting from jsonb_array_elements_text(cast(:services as jsonb)) as s(service)
left join erasure e on e.finished is null and e.requested_at < now() - cast(:late as interval)
  and not exists (select from erasure_report r where r.request_id = e.id and r.service = s.service and r.done)
group by s.service"""
_FORGET_MARKS = """
with over as (
  select kind, scope, ref, exists (select from holding o where (o.kind, o.scope, o.ref) = (h.kind, h.scope, h.ref)) as held
  from handle h where due <= now() order by due limit :limit for update skip locked),
kept as (
  update handle h set erasure = null, due = null from over o where (h.kind, h.scope, h.ref) = (o.kind, o.scope, o.ref) and o.held),
gone as (delete from handle h using over o where (h.kind, h.scope, h.ref) = (o.kind, o.scope, o.ref) and not o.held)
select count(*) as many from over"""


async def by_member(tx: AsyncConnection, ref: str) -> tuple[UUID | None, UUID | None]:
    """The erasure this member id was erased by, and the customer who holds it."""
    found = await row(tx, _BY_MEMBER, ref=ref)
    return (found["erasure"], found["customer_id"]) if found else (None, None)


async def people(tx: AsyncConnection, customer: UUID) -> Sequence[RowMapping]:
    """The customer this id is now, first, and every one that was merged into it; nothing for an id that was never ours."""
    return await rows(tx, _PEOPLE, id=customer)


async def held(tx: AsyncConnection, ids: Collection[UUID]) -> frozenset[Handle]:
    return frozenset(Handle(Strength[each["kind"]], each["scope"], each["ref"]) for each in await rows(tx, _HELD, ids=as_json(list(ids))))


async def roots(tx: AsyncConnection, ids: Collection[UUID]) -> frozenset[Root]:
    """The contacts that were told of as these customers'."""
    return frozenset(_root(each) for each in await rows(tx, _ROOTS, ids=as_json(list(ids))))


async def add_tombstone(tx: AsyncConnection, customer: UUID) -> None:
    """For somebody we never had as a customer: the id under which they are forgotten."""
    await run(tx, _TOMBSTONE, id=customer)


async def forget_people(tx: AsyncConnection, ids: Collection[UUID], *, erasure: UUID) -> int:
    """Profile, snapshot and holdings go; the rows stay, so that the ids mean nobody for good."""
    given = as_json(list(ids))
    await run(tx, f"delete from holding where customer_id in ({_IDS})", ids=given)
    return await run(tx, _FORGET_PEOPLE, ids=given, erasure=erasure)


async def mark(tx: AsyncConnection, handles: Iterable[Handle], *, erasure: UUID, keep: timedelta) -> int:
    """Remember for that long that these handles were an erased person's."""
    return await run(tx, _MARK, handles=as_json([_plain(each) for each in handles]), erasure=erasure, keep=keep)


async def forget_marks(tx: AsyncConnection, *, limit: int) -> int:
    found = await rows(tx, _FORGET_MARKS, limit=limit)
    many: int = found[0]["many"]
    return many


async def forget_customer(tx: AsyncConnection, ids: Collection[UUID]) -> int:
    """Every revision that named one of them names nobody; what happened in the contact stays."""
    return await run(tx, _FORGET_CUSTOMER, ids=as_json(list(ids)))


async def forget_digests(tx: AsyncConnection, contacts: Iterable[Root]) -> None:
    await run(tx, _FORGET_DIGESTS, roots=_named(contacts))


async def forget_points(tx: AsyncConnection, contacts: Iterable[Root], refs: Iterable[str]) -> None:
    """Of contacts that named nobody but used one of these addresses."""
    await run(tx, _FORGET_POINTS, roots=_named(contacts), refs=as_json(sorted(refs)))


async def add(tx: AsyncConnection, sweep: Sweep, *, basis: str, traces: Sealed) -> None:
    await run(
        tx,
        _NEW,
        id=sweep.request_id,
        ids=as_json(list(sweep.customer_ids)),
        basis=basis,
        refs=as_json(sorted(sweep.refs)),
        traces=as_json(traces),
        counts=as_json(sweep.counts),
    )


async def claim(tx: AsyncConnection, sealer: Sealer) -> Sweep | None:
    """The erasure whose search is due, locked."""
    found = await row(tx, _CLAIM)
    if found is None:
        return None
    traces: Traces = frozenset((kind, value) for kind, value in sealer.unseal(Sealed(**found["traces"])))
    ids = tuple(map(UUID, found["customer_ids"]))
    return Sweep(found["id"], ids, frozenset(found["refs"]), traces, letters_to=found["letters_to"], counts=found["counts"])


async def next_events(tx: AsyncConnection, sweep: Sweep, *, limit: int) -> set[Root] | None:
    """The contacts of the next events that carry one of the refs; None when all were looked at."""
    found = await rows(tx, _PAGE, id=sweep.request_id, limit=limit, refs=as_json(sorted(sweep.refs)))
    if found[0]["at"] is None:
        return None
    return {_root(each) for each in found if each["root"] is not None}


async def keep_handles(tx: AsyncConnection, kept: Iterable[Mapping[str, Any]]) -> int:
    """What events still say of somebody: id, handles and refs of each."""
    return await run(tx, _KEEP_HANDLES, kept=as_json(list(kept)))


async def letters(tx: AsyncConnection, *, after: UUID, limit: int) -> Sequence[RowMapping]:
    """Dead letters with their sealed bodies, in the order in which they were buried."""
    return await rows(tx, _LETTERS, after=after, limit=limit)


async def empty_letters(tx: AsyncConnection, ids: Collection[UUID], *, nothing: bytes) -> None:
    """Their fault and the hash of their bytes stay, so that the same bytes read again are not kept again; a copy that waits goes."""
    await run(tx, _EMPTY_LETTERS, ids=as_json(list(ids)), nothing=nothing)


async def waiting(tx: AsyncConnection) -> Sequence[RowMapping]:
    return await rows(tx, _WAITING)


async def forget_waiting(tx: AsyncConnection, ids: Collection[UUID]) -> None:
    await run(tx, f"delete from waiting where id in ({_IDS})", ids=as_json(list(ids)))


async def move(tx: AsyncConnection, sweep: Sweep, *, letters_to: UUID | None = None) -> None:
    await run(tx, _MOVE, id=sweep.request_id, letters_to=letters_to, counts=as_json(sweep.counts))


async def searched(tx: AsyncConnection, request: UUID) -> None:
    """Nothing is left to look for, and what was looked for is forgotten."""
    await run(tx, _DONE, id=request)


async def keep_report(tx: AsyncConnection, said: ErasureReported, *, services: int) -> None:
    """A report that says `done` stays; the request is finished when so many services have said so."""
    await run(
        tx, _REPORT, id=said.request_id, service=said.service, counts=as_json(dict(said.counts)), clean_by=said.clean_by, done=said.done
    )
    await run(tx, _FINISH, id=said.request_id, services=services)


async def known(tx: AsyncConnection, requests: Collection[UUID]) -> set[UUID]:
    return {each["id"] for each in await rows(tx, f"select id from erasure where id in ({_IDS})", ids=as_json(list(requests)))}


async def request(tx: AsyncConnection, request: UUID) -> RowMapping | None:
    return await row(tx, "select id, customer_ids, basis, requested_at, due, finished from erasure where id = :id", id=request)


async def reports(tx: AsyncConnection, request: UUID) -> dict[str, Report]:
    said = "select service, counts, clean_by, done, reported_at from erasure_report where request_id = :id"
    return {each["service"]: Report(**each) for each in await rows(tx, said, id=request)}


async def unreported(tx: AsyncConnection, services: Collection[str], *, late: timedelta) -> dict[str, int]:
    """By service, how many requests older than that it has not reported done."""
    return {each["service"]: each["waiting"] for each in await rows(tx, _UNREPORTED, services=as_json(sorted(services)), late=late)}


def _root(found: RowMapping) -> Root:
    return found["platform"], found["account"], found["root"]


def _named(contacts: Iterable[Root]) -> str:
    return as_json([dict(zip(("platform", "account", "root"), root, strict=True)) for root in sorted(contacts)])


def _plain(handle: Handle) -> dict[str, str]:
    return {"kind": handle.kind.name, "scope": handle.scope, "ref": handle.ref}
