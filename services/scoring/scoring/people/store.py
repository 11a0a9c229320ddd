"""Every query on customers and consents. Locks are taken in the order of ids, so that two batches cannot block each other."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.people.model import People, Person
from shared.runtime.database import as_json, rows, run
from shared.runtime.pipeline import Row, Statement, Transaction, ask, owe, together
from shared.schemas import Consent, Customer

_IDS = "select cast(jsonb_array_elements_text(cast(:ids as jsonb)) as uuid)"
_FACT = ("customer_id", "address_ref", "channel", "purpose", "state", "at", "source")


async def customer(tx: AsyncConnection, customer_id: UUID) -> Customer | None:
    """As scoring knows the person now, with what they and their addresses allow; an id merged into another's is the other's."""
    people = (await ask(tx, known_as([customer_id], {}))).by_id
    known = people[customer_id].customer if customer_id in people else None
    if known is None:
        return None
    facts = await ask(tx, consents_of(customer_ids=[known.customer_id], address_refs=[point.ref for point in known.points]))
    return known.model_copy(update={"consents": tuple(facts)})


def known_as(customer_ids: Iterable[UUID], told: Mapping[UUID, Customer]) -> Statement[People]:
    """These people as they are known now, by the id asked for, which may be one that was merged into theirs. What was `told` of an id is
    taken where nothing newer is stored; a snapshot that is stored already is not read again."""
    asked = [{"id": each, "version": told[each].version if each in told else 0} for each in customer_ids]
    return Statement(
        """select c.id, coalesce(k.id, c.id), c.version, c.erased_at is not null,
          case when k.id is null then c.erased_at else k.erased_at end is not null,
          case when k.id is not null then k.snapshot when c.version > r.version then c.snapshot end
        from jsonb_to_recordset(cast(:asked as jsonb)) as r(id uuid, version int) join customer c on c.id = r.id
        left join customer k on k.id = c.merged_into""",
        lambda found: _people(found, told),
        asked=as_json(asked),
    )


def _people(found: Sequence[Row], told: Mapping[UUID, Customer]) -> People:
    people = People({}, {})
    for asked_id, now_id, version, is_erased, person_erased, snapshot in found:
        said = told.get(asked_id)
        if said is not None and said.version > version and not is_erased:
            people.news[asked_id] = said
        if snapshot is not None:
            customer: Customer | None = Customer.model_validate({**snapshot, "customer_id": now_id, "consents": ()})
        else:
            customer = said if now_id == asked_id and not person_erased else None
        people.by_id[asked_id] = Person(now_id, customer, person_erased)
    return people


def locks(customer_ids: Iterable[UUID]) -> tuple[Statement[None], Statement[dict[UUID, UUID]]]:
    """Locks these customers (first seen ones included) until the end of the transaction; what id each has now. Who was merged is locked
    under the remaining id too, by the caller, afterwards.

    Reading what others wrote about them is a statement after these: in the same it would see the time before the wait.
    """
    ids = as_json(sorted(set(customer_ids)))
    return (
        Statement(
            """insert into customer (id) select cast(id as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)) as r(id) order by id
            on conflict (id) do nothing""",
            _nothing,
            ids=ids,
        ),
        Statement(
            f"select id, coalesce(merged_into, id) from customer where id in ({_IDS}) order by id for no key update",  # ours
            dict,
            ids=ids,
        ),
    )


async def lock(tx: AsyncConnection, customer_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Lock these customers (first seen ones included) until the end of the transaction; what id each has now."""
    ids = set(customer_ids)
    if not ids:
        return {}
    first_seen, locked = locks(ids)
    await together(tx, first_seen, locked)
    if kept := set(locked.result.values()) - ids:
        await together(tx, *locks(kept))
    return locked.result


async def learn(tx: Transaction, snapshots: Iterable[Customer], *, now_known: Mapping[UUID, UUID]) -> None:
    """Keep each snapshot that is newer than what is known, and merge its consents. The customers are locked: `now_known` is what `lock`
    gave. Who was erased stays forgotten."""
    told = highest_versions(snapshots)
    keep(tx, (await ask(tx, known_as(told, told))).news, now_known=now_known)


def keep(tx: Transaction, news: Mapping[UUID, Customer], *, now_known: Mapping[UUID, UUID]) -> None:
    """The same for snapshots that `known_as` has found to be news."""
    if not news:
        return
    owe(
        tx,
        """update customer c set version = r.version, snapshot = r.snapshot
        from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, version int, snapshot jsonb)
        where c.id = r.id and c.version < r.version and c.erased_at is null""",
        rows=as_json([_row(each) for each in news.values()]),
    )
    merge_consents(tx, facts_of(news.values(), now_known))


def facts_of(snapshots: Iterable[Customer], now_known: Mapping[UUID, UUID]) -> list[Consent]:
    """What they say people agreed to and refused, under the ids these have now."""
    return [about_the_same(fact, now_known) for each in snapshots for fact in each.consents]


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


async def merge_into(tx: Transaction, kept: UUID, superseded: Iterable[UUID]) -> tuple[UUID, list[UUID]]:
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
    facts = await ask(tx, consents_of(customer_ids=ids, address_refs=()))
    merge_consents(tx, [fact.model_copy(update={"customer_id": now_kept}) for fact in facts])
    return now_kept, ids


def consents_of(*, customer_ids: Collection[UUID], address_refs: Collection[str]) -> Statement[list[Consent]]:
    """Everything these people and addresses allow or refuse."""
    return Statement(
        f"""select customer_id, address_ref, channel, purpose, state, at, source from consent where customer_id in ({_IDS})
        union all select customer_id, address_ref, channel, purpose, state, at, source from consent
        where address_ref in (select jsonb_array_elements_text(cast(:refs as jsonb)))""",  # ours
        lambda found: [Consent.model_construct(**dict(zip(_FACT, each, strict=True))) for each in found],
        ids=as_json(list(customer_ids)),
        refs=as_json(list(address_refs)),
    )


def merge_consents(tx: Transaction, facts: Sequence[Consent]) -> None:
    """Commutative: the latest wins, refusal wins ties, whatever the order and however often. Of somebody erased nothing is kept."""
    if not facts:
        return
    owe(
        tx,
        """insert into consent as known (customer_id, address_ref, channel, purpose, state, at, source)
        select distinct on (customer_id, address_ref, channel, purpose) customer_id, address_ref, channel, purpose, state, at, source
        from jsonb_to_recordset(cast(:rows as jsonb))
          as r(customer_id uuid, address_ref text, channel text, purpose text, state text, at timestamptz, source text)
        where not exists (select from customer c where c.id = r.customer_id and c.erased_at is not null)
        order by customer_id, address_ref, channel, purpose, at desc, state desc, source desc
        on conflict on constraint consent_one_fact do update set state = excluded.state, at = excluded.at, source = excluded.source
        where (excluded.at, excluded.state, excluded.source) > (known.at, known.state, known.source)""",
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


def _nothing(_: object) -> None:
    return None
