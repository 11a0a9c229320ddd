"""Every query about erasing people. The caller locks contacts, then handles and customers in the order of `people.store`."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.erasure.model import Report, Root, Sweep
from ingest.people.model import Handle, Strength
from shared.runtime.database import as_json, row, rows, run
from shared.schemas import ErasureReported, Sealed

_IDS = "select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb))"

_BY_MEMBER = """
select h.erasure, o.customer_id from handle h left join holding o using (kind, scope, ref)
where kind = 'member' and scope = '' and ref = :ref"""
_PEOPLE = """
select c.id, c.erasure, c.profile, c.id = asked.id as counts
from customer c join (select coalesce(merged_into, id) as id from customer where id = :id) asked
  on c.id = asked.id or c.merged_into = asked.id
order by counts desc, c.number"""
_HELD = f"select kind, scope, ref from holding where customer_id in ({_IDS})"
_ROOTS = f"select distinct platform, account, root from interaction where customer_id in ({_IDS})"
_LOCK_CONTACTS = """
select root from contact join jsonb_to_recordset(cast(:roots as jsonb)) as r(platform text, account text, root text)
using (platform, account, root) order by platform, account, root for no key update of contact"""
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
_NEW = """
insert into erasure (id, customer_ids, basis, requested_at, due, refs, traces, counts)
values (:id, cast(:ids as jsonb), :basis, now(), now(), cast(:refs as jsonb), cast(:traces as jsonb), cast(:counts as jsonb))"""
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


async def begin_again(tx: AsyncConnection) -> None:
    """Locks taken from here on can be given back."""
    await run(tx, "savepoint before_locks")


async def let_go(tx: AsyncConnection) -> None:
    """Give back what was locked: adding to it out of order could wait in a ring."""
    await run(tx, "rollback to savepoint before_locks")


async def held(tx: AsyncConnection, ids: Collection[UUID]) -> frozenset[Handle]:
    return frozenset(Handle(Strength[each["kind"]], each["scope"], each["ref"]) for each in await rows(tx, _HELD, ids=as_json(list(ids))))


async def roots(tx: AsyncConnection, ids: Collection[UUID]) -> frozenset[Root]:
    """The contacts that were told of as these customers'."""
    return frozenset(root_of(each) for each in await rows(tx, _ROOTS, ids=as_json(list(ids))))


async def lock_contacts(tx: AsyncConnection, contacts: Iterable[Root]) -> None:
    """Before any handle, as whoever judges a contact does: a contact that is looked at twice is held by two for a moment."""
    await run(tx, _LOCK_CONTACTS, roots=named_roots(contacts))


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
    await run(tx, _FORGET_DIGESTS, roots=named_roots(contacts))


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


def root_of(found: RowMapping) -> Root:
    return found["platform"], found["account"], found["root"]


def named_roots(contacts: Iterable[Root]) -> str:
    return as_json([dict(zip(("platform", "account", "root"), root, strict=True)) for root in sorted(contacts)])


def _plain(handle: Handle) -> dict[str, str]:
    return {"kind": handle.kind.name, "scope": handle.scope, "ref": handle.ref}
