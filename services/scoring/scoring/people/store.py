"""Every query on customers and consents. Locks are taken in the order of ids, so that two batches cannot block each other."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.people.model import Person
from shared.runtime.database import as_json, rows, run
from shared.schemas import Consent, Customer


async def customer(tx: AsyncConnection, customer_id: UUID) -> Customer | None:
    """As scoring knows the person now, with what they and their addresses allow; an id merged into another's is the other's."""
    people = await people_by_id(tx, [customer_id])
    known = people[customer_id].customer if customer_id in people else None
    if known is None:
        return None
    facts = await consents_of(tx, customer_ids=[known.customer_id], address_refs=[point.ref for point in known.points])
    return known.model_copy(update={"consents": tuple(facts)})


async def people_by_id(tx: AsyncConnection, customer_ids: Collection[UUID]) -> dict[UUID, Person]:
    """Keyed by the id asked for, which may be one that was merged into the person's."""
    found = await rows(
        tx,
        """select asked.id as asked_id, now_known.id, now_known.snapshot, now_known.erased_at
        from customer asked join customer now_known on now_known.id = coalesce(asked.merged_into, asked.id)
        where asked.id = any(:ids)""",
        ids=list(customer_ids),
    )
    return {each["asked_id"]: _person(each) for each in found}


async def lock(tx: AsyncConnection, customer_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Lock these customers (first seen ones included) until the end of the transaction; what id each has now.

    Reading what others wrote about them is a statement after this one: in the same it would see the time before the wait.
    """
    ids = sorted(set(customer_ids))
    if not ids:
        return {}
    await run(
        tx,
        """insert into customer (id) select id from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid) order by id
        on conflict (id) do nothing""",
        rows=as_json([{"id": each} for each in ids]),
    )
    canonical = await _lock_rows(tx, ids)
    await _lock_rows(tx, sorted(set(canonical.values()) - set(ids)))
    return canonical


async def _lock_rows(tx: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    if not ids:
        return {}
    found = await rows(
        tx,
        "select id, coalesce(merged_into, id) as now_id from customer where id = any(:ids) order by id for no key update",
        ids=list(ids),
    )
    return {each["id"]: each["now_id"] for each in found}


async def learn(tx: AsyncConnection, snapshots: Iterable[Customer], *, now_known: Mapping[UUID, UUID]) -> None:
    """Keep each snapshot that is newer than what is known, and merge its consents. The customers are locked: `now_known` is what `lock`
    gave. Who was erased stays forgotten."""
    news = await _news(tx, highest_versions(snapshots))
    if not news:
        return
    learned = await rows(
        tx,
        """update customer c set version = r.version, snapshot = r.snapshot
        from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, version int, snapshot jsonb)
        where c.id = r.id and c.version < r.version and c.erased_at is null returning c.id""",
        rows=as_json([_row(each) for each in news.values()]),
    )
    facts = [fact for each in learned for fact in news[each["id"]].consents]
    await merge_consents(tx, [about_the_same(fact, now_known) for fact in facts])


async def _news(tx: AsyncConnection, snapshots: Mapping[UUID, Customer]) -> dict[UUID, Customer]:
    """Those that are newer than what is known: asked first, because most contacts are of customers who read as before."""
    if not snapshots:
        return {}
    behind = await rows(
        tx,
        """select c.id from customer c
        join jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, version int) on r.id = c.id and r.version > c.version
        where c.erased_at is null""",
        rows=as_json([{"id": key, "version": each.version} for key, each in snapshots.items()]),
    )
    return {each["id"]: snapshots[each["id"]] for each in behind}


def about_the_same(fact: Consent, now_known: Mapping[UUID, UUID]) -> Consent:
    """A fact about a merged customer is the remaining customer's."""
    known = fact.customer_id and now_known.get(fact.customer_id)
    return fact.model_copy(update={"customer_id": known}) if known else fact


def highest_versions(snapshots: Iterable[Customer]) -> dict[UUID, Customer]:
    """Of several snapshots of one customer, the newest."""
    newest: dict[UUID, Customer] = {}
    for each in snapshots:
        known = newest.get(each.customer_id)
        if known is None or known.version < each.version:
            newest[each.customer_id] = each
    return newest


async def merge_into(tx: AsyncConnection, kept: UUID, superseded: Iterable[UUID]) -> tuple[UUID, list[UUID]]:
    """From now on the superseded ids mean `kept`, or what that has become itself. Returns that id, and the ids for which this is news;
    all are locked by the caller. Chains are never longer than one step.
    """
    moved = await rows(
        tx,
        """update customer set merged_into = target.id
        from (select coalesce(merged_into, id) as id from customer where id = :kept) as target
        where (customer.id = any(:old) or customer.merged_into = any(:old)) and customer.id <> target.id
          and customer.merged_into is distinct from target.id
        returning customer.id, target.id as kept""",
        kept=kept,
        old=list(superseded),
    )
    if not moved:
        return kept, []
    ids, now_kept = [each["id"] for each in moved], moved[0]["kept"]
    facts = await consents_of(tx, customer_ids=ids, address_refs=())
    await merge_consents(tx, [fact.model_copy(update={"customer_id": now_kept}) for fact in facts])
    return now_kept, ids


async def consents_of(tx: AsyncConnection, *, customer_ids: Collection[UUID], address_refs: Collection[str]) -> list[Consent]:
    """Everything these people and addresses allow or refuse."""
    found = await rows(
        tx,
        """select customer_id, address_ref, channel, purpose, state, at, source from consent where customer_id = any(:ids)
        union all select customer_id, address_ref, channel, purpose, state, at, source from consent where address_ref = any(:refs)""",
        ids=list(customer_ids),
        refs=list(address_refs),
    )
    return [Consent.model_validate(dict(each)) for each in found]


async def merge_consents(tx: AsyncConnection, facts: Sequence[Consent]) -> None:
    """Commutative: the latest wins, refusal wins ties, whatever the order and however often."""
    if not facts:
        return
    await run(
        tx,
        """insert into consent as known (customer_id, address_ref, channel, purpose, state, at, source)
        select distinct on (customer_id, address_ref, channel, purpose) customer_id, address_ref, channel, purpose, state, at, source
        from jsonb_to_recordset(cast(:rows as jsonb))
          as r(customer_id uuid, address_ref text, channel text, purpose text, state text, at timestamptz, source text)
        order by customer_id, address_ref, channel, purpose, at desc, state desc, source
        on conflict on constraint consent_one_fact do update set state = excluded.state, at = excluded.at, source = excluded.source
        where (excluded.at, excluded.state) > (known.at, known.state)""",
        rows=as_json([fact.model_dump(mode="json") for fact in facts]),
    )


async def erase(tx: AsyncConnection, customer_ids: Collection[UUID], *, at: datetime) -> dict[str, int]:
    """Forget these people; how many customers and consents that were. What binds an address, whoever holds it, stays: it is no person's."""
    ids = list(customer_ids)
    consents = await run(tx, "delete from consent where customer_id = any(:ids)", ids=ids)
    customers = await run(
        tx, "update customer set snapshot = null, erased_at = :at where id = any(:ids) and erased_at is null", ids=ids, at=at
    )
    return {"customers": customers, "consents": consents}


async def ids_of(tx: AsyncConnection, customer_ids: Collection[UUID]) -> set[UUID]:
    """These and every id that was merged into one of them."""
    found = await rows(tx, "select id from customer where id = any(:ids) or merged_into = any(:ids)", ids=list(customer_ids))
    return {*customer_ids, *(each["id"] for each in found)}


def _row(snapshot: Customer) -> dict[str, object]:
    return {
        "id": snapshot.customer_id,
        "version": snapshot.version,
        "snapshot": snapshot.model_dump(mode="json", by_alias=True, exclude={"consents"}, exclude_none=True),
    }


def _person(found: RowMapping) -> Person:
    snapshot, erased = found["snapshot"], found["erased_at"] is not None
    if snapshot is None:
        return Person(found["id"], None, erased)
    return Person(found["id"], Customer.model_validate({**snapshot, "customer_id": found["id"], "consents": ()}), erased)
