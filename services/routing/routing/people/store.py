"""Customers and consents in the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.consent import merge as merge_consents
from shared.runtime.database import as_json, rows, run
from shared.schemas import Consent, Customer

_IDS = "(select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)))"

_BECAME = f"""
with recursive became as (
  select id as asked, id, merged_into from customer where id in {_IDS}
  union all select b.asked, c.id, c.merged_into from became b join customer c on c.id = b.merged_into)
select asked, id from became where merged_into is null"""

_ADD = f"insert into customer (id) select id from {_IDS} as new(id) order by id on conflict do nothing"

_SAVE_CUSTOMERS = """
insert into customer as known (id, version, snapshot)
select id, version, snapshot from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, version integer, snapshot jsonb) order by id
on conflict (id) do update set version = excluded.version, snapshot = excluded.snapshot
where known.version < excluded.version and known.erased_at is null"""

_SAVE_CONSENTS = """
insert into consent as known (subject, channel, purpose, state, at, source, customer_id, address_ref)
select subject, channel, purpose, state, at, source, customer_id, address_ref
from jsonb_to_recordset(cast(:rows as jsonb))
  as r(subject text, channel text, purpose text, state text, at timestamptz, source text, customer_id uuid, address_ref text)
order by subject, channel, purpose
on conflict (subject, channel, purpose) do update set state = excluded.state, at = excluded.at, source = excluded.source
where (excluded.at, excluded.state = 'refused', excluded.source) > (known.at, known.state = 'refused', known.source)"""
_ALIASES = f"""
with recursive alias as (
  select id from customer where id in {_IDS}
  union select c.id from alias a join customer c on c.merged_into = a.id)
select id from alias"""


async def lock(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Lock these customers and those they became, sorted, making rows for new ones; returns who each of them is now."""
    asked = set(ids)
    now = await _became(tx, asked)
    await _lock(tx, asked | set(now.values()))
    again = await _became(tx, asked)
    if set(again.values()) - set(now.values()) - asked:
        await _lock(tx, set(again.values()))
    return {each: again.get(each, each) for each in asked}


async def _lock(tx: AsyncConnection, ids: set[UUID]) -> None:
    if not ids:
        return
    parameter = as_json(sorted(ids))
    await run(tx, _ADD, ids=parameter)
    await rows(tx, f"select id from customer where id in {_IDS} order by id for update", ids=parameter)


async def _became(tx: AsyncConnection, ids: set[UUID]) -> dict[UUID, UUID]:
    found = await rows(tx, _BECAME, ids=as_json(sorted(ids))) if ids else []
    return {each["asked"]: each["id"] for each in found}


async def aliases(tx: AsyncConnection, ids: Iterable[UUID]) -> set[UUID]:
    """These customers, and everybody who became one of them."""
    return {*ids, *(each["id"] for each in await rows(tx, _ALIASES, ids=as_json(sorted(set(ids)))))}


async def customers(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Customer]:
    """The newest snapshot of each customer we were told of."""
    found = await rows(tx, f"select id, snapshot from customer where id in {_IDS} and snapshot is not null", ids=as_json(sorted(set(ids))))
    return {each["id"]: Customer.model_validate(each["snapshot"]) for each in found}


async def erased(tx: AsyncConnection, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these customers who were erased: nothing may bring them back."""
    found = await rows(tx, f"select id from customer where id in {_IDS} and erased_at is not null", ids=as_json(sorted(set(ids))))
    return {each["id"] for each in found}


async def erase(tx: AsyncConnection, ids: Iterable[UUID], *, at: datetime) -> int:
    """Forget these customers and what they consented to as persons; an address's own refusal outlives them. The rows stay as tombstones."""
    given = as_json(sorted(set(ids)))
    await run(tx, f"delete from consent where customer_id in {_IDS}", ids=given)
    return await run(tx, f"update customer set snapshot = null, erased_at = :at where id in {_IDS} and erased_at is null", ids=given, at=at)


async def save_customers(tx: AsyncConnection, snapshots: Iterable[Customer]) -> None:
    """Keep the highest version of each."""
    newest: dict[UUID, Customer] = {}
    for each in snapshots:
        if each.customer_id not in newest or newest[each.customer_id].version < each.version:
            newest[each.customer_id] = each
    if newest:
        await run(
            tx,
            _SAVE_CUSTOMERS,
            rows=as_json([{"id": each.customer_id, "version": each.version, "snapshot": each} for each in newest.values()]),
        )


async def merge(tx: AsyncConnection, became: Mapping[UUID, UUID]) -> None:
    """Remember that these ids are now another's, who takes over what they consented to."""
    sql = """update customer c set merged_into = r.new from jsonb_to_recordset(cast(:rows as jsonb)) as r(old uuid, new uuid)
      where c.id = r.old and r.old <> r.new"""
    if not became:
        return
    await run(tx, sql, rows=as_json([{"old": old, "new": new} for old, new in became.items()]))
    now_is = await _became(tx, set(became))
    said = await consents(tx, customers=became, refs=())
    await save_consents(tx, [about_now(each, now_is) for each in said])
    await run(tx, f"delete from consent where customer_id in {_IDS}", ids=as_json(sorted(set(became) - set(now_is.values()))))


def about_now(consent: Consent, now_is: Mapping[UUID, UUID]) -> Consent:
    """A fact about a merged customer is the remaining one's."""
    return (
        consent.model_copy(update={"customer_id": now_is.get(consent.customer_id, consent.customer_id)}) if consent.customer_id else consent
    )


async def consents(tx: AsyncConnection, *, customers: Iterable[UUID], refs: Iterable[str]) -> list[Consent]:
    """What these customers, or the holders of these addresses, granted and refused."""
    subjects = sorted({str(each) for each in customers} | set(refs))
    sql = """select * from consent where subject in (select value from jsonb_array_elements_text(cast(:subjects as jsonb)))
      order by subject, channel, purpose"""
    return [Consent.model_validate(dict(each)) for each in await rows(tx, sql, subjects=as_json(subjects))]


async def save_consents(tx: AsyncConnection, facts: Sequence[Consent]) -> None:
    """Merge these facts in: the latest wins, a refusal wins ties."""
    if facts:
        await run(tx, _SAVE_CONSENTS, rows=as_json([_row(each) for each in merge_consents(facts)]))


def subject(consent: Consent) -> str:
    """The key of whom a consent binds: a person's id or an address ref."""
    return str(consent.customer_id or consent.address_ref)


def _row(consent: Consent) -> dict[str, Any]:
    return {"subject": subject(consent), **consent.model_dump(mode="json")}
