"""Every query about people. Locks are taken in one order, handles before customers and each sorted: two writers never wait in a ring."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.people.model import Handle, Strength
from shared.runtime.database import as_json, rows, run, tuples
from shared.runtime.pipeline import Transaction, owe
from shared.schemas import Consent, Customer, Sealed

_HANDLES = "jsonb_to_recordset(cast(:handles as jsonb)) as h(kind text, scope text, ref text)"
_PAIRS = "jsonb_to_recordset(cast(:pairs as jsonb)) as p(gone uuid, heir uuid)"
_NAMES = {strength: strength.name for strength in Strength}
_IDS = "select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb))"

_NEW_HANDLES = f"insert into handle (kind, scope, ref) select kind, scope, ref from {_HANDLES} order by 1, 2, 3 on conflict do nothing"
_LOCK_HANDLES = f"""
with locked as materialized (select kind, scope, ref, erasure
  from handle join {_HANDLES} using (kind, scope, ref) order by kind, scope, ref for no key update of handle)
select kind, scope, ref from locked where erasure is not null"""
_HOLDERS = f"select kind, scope, ref, customer_id from holding join {_HANDLES} using (kind, scope, ref)"
_OWN = f"select kind, scope, ref, customer_id from holding where customer_id in ({_IDS}) and kind in ('member', 'contact')"
_LOCK_CUSTOMERS = f"""
select id, number, version, known, merged_into, erasure is not null as erased, profile, snapshot
from customer where id in ({_IDS}) order by id for no key update"""
_NEW_CUSTOMERS = """
insert into customer (id)
select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)) with ordinality as c(value, place) order by place
returning id, number"""
_ATTACH = """
insert into holding as o (kind, scope, ref, customer_id, directory)
select kind, scope, ref, customer_id, directory
from jsonb_to_recordset(cast(:held as jsonb)) as h(kind text, scope text, ref text, customer_id uuid, directory boolean)
order by 1, 2, 3, 4
on conflict (kind, scope, ref, customer_id) do update set directory = true where excluded.directory and not o.directory"""
_FORGET_ADDRESSES = """
delete from holding o using jsonb_to_recordset(cast(:kept as jsonb)) as k(customer_id uuid, refs jsonb)
where o.customer_id = k.customer_id and o.directory and o.kind in ('email', 'phone') and not k.refs ? o.ref"""
_HAND_OVER = f"""
with given as (delete from holding o using {_PAIRS} where o.customer_id = p.gone returning o.kind, o.scope, o.ref, p.heir, o.directory)
insert into holding as h (kind, scope, ref, customer_id, directory)
select kind, scope, ref, heir, bool_or(directory) from given group by 1, 2, 3, 4
on conflict (kind, scope, ref, customer_id) do update set directory = h.directory or excluded.directory"""
_POINT_AT_HEIRS = f"update customer c set merged_into = p.heir, changed = now() from {_PAIRS} where p.gone in (c.id, c.merged_into)"
_SAVE = """
update customer c set version = v.version, known = v.known, profile = v.profile,
  snapshot = coalesce(v.snapshot, c.snapshot), changed = now()
from jsonb_to_recordset(cast(:saved as jsonb)) as v(id uuid, version int, known boolean, profile jsonb, snapshot jsonb)
where c.id = v.id"""
_AT_ADDRESSES = "select distinct customer_id from holding where ref in (select jsonb_array_elements_text(cast(:refs as jsonb)))"
_HEIRS = f"select id, coalesce(merged_into, id) as heir from customer where id in ({_IDS}) and erasure is null"
_ERASED = f"select id from customer where id in ({_IDS}) and erasure is not null"
_TAKE_CONSENTS = """
insert into consent as k (subject, channel, purpose, customer_id, address_ref, state, at, source)
select distinct on (subject, channel, purpose) subject, channel, purpose, customer_id, address_ref, state, at, source
from jsonb_to_recordset(cast(:consents as jsonb)) as c(subject text, channel text, purpose text, customer_id uuid, address_ref text,
  state text, at timestamptz, source text)
order by subject, channel, purpose, at desc, state = 'refused' desc, source desc
on conflict (subject, channel, purpose) do update set state = excluded.state, at = excluded.at, source = excluded.source
where (excluded.at, excluded.state = 'refused', excluded.source) > (k.at, k.state = 'refused', k.source)
returning channel, purpose, state, at, source, customer_id, address_ref"""
_CONSENTS = """
select channel, purpose, state, at, source, customer_id, address_ref from consent
where subject in (select jsonb_array_elements_text(cast(:subjects as jsonb)))"""


class Row(NamedTuple):
    """A customer's row, locked until the end of the transaction."""

    id: UUID
    number: int
    version: int
    known: bool
    merged_into: UUID | None
    erased: bool
    profile: Sealed | None
    snapshot: Customer | Mapping[str, Any] | None


async def lock_handles(tx: Transaction, handles: Collection[Handle]) -> frozenset[Handle]:
    """Make the handles' rows and lock them: whoever resolves one of them meanwhile waits for us. Returns those of erased people."""
    written = _written(handles)
    owe(tx, _NEW_HANDLES, handles=written)
    gone = await tuples(tx, _LOCK_HANDLES, handles=written)
    return frozenset(Handle(Strength[kind], scope, ref) for kind, scope, ref in gone)


async def holders(tx: AsyncConnection, handles: Collection[Handle]) -> dict[Handle, set[UUID]]:
    table: dict[Handle, set[UUID]] = {}
    for kind, scope, ref, customer in await tuples(tx, _HOLDERS, handles=_written(handles)):
        table.setdefault(Handle(Strength[kind], scope, ref), set()).add(customer)
    return table


async def own_handles(tx: AsyncConnection, customers: Collection[UUID]) -> dict[UUID, frozenset[Handle]]:
    """The member and platform contact ids of each customer."""
    owned: dict[UUID, set[Handle]] = {}
    for kind, scope, ref, customer in await tuples(tx, _OWN, ids=as_json(list(customers))):
        owned.setdefault(customer, set()).add(Handle(Strength[kind], scope, ref))
    return {customer: frozenset(handles) for customer, handles in owned.items()}


async def lock_customers(tx: AsyncConnection, customers: Collection[UUID]) -> dict[UUID, Row]:
    if not customers:
        return {}
    found = await tuples(tx, _LOCK_CUSTOMERS, ids=as_json(list(customers)))
    return {plain[0]: Row._make((*plain, Sealed(**profile) if profile else None, snapshot)) for *plain, profile, snapshot in found}


async def insert(tx: AsyncConnection, customers: Sequence[UUID]) -> dict[UUID, Row]:
    """New customers, numbered in the order given."""
    found = await tuples(tx, _NEW_CUSTOMERS, ids=as_json(list(customers)))
    return {name: Row(name, number, 0, known=False, merged_into=None, erased=False, profile=None, snapshot=None) for name, number in found}


def attach(tx: Transaction, held: Mapping[tuple[Handle, UUID], bool]) -> None:
    """Handle and holder, and whether the directory says so."""
    rows_of = [{**_plain(handle), "customer_id": customer, "directory": directory} for (handle, customer), directory in held.items()]
    owe(tx, _ATTACH, held=as_json(rows_of))


async def forget_addresses(tx: AsyncConnection, kept: Mapping[UUID, Collection[str]]) -> None:
    """Addresses the directory once listed for a customer and no longer lists, unless they are among `kept`."""
    await run(tx, _FORGET_ADDRESSES, kept=as_json([{"customer_id": customer, "refs": sorted(refs)} for customer, refs in kept.items()]))


async def merge(tx: AsyncConnection, merged: Mapping[UUID, UUID]) -> None:
    """Hand everything of the first over to the second of each pair; the row stays and points at its heir."""
    pairs = as_json([{"gone": gone, "heir": heir} for gone, heir in merged.items()])
    await run(tx, _HAND_OVER, pairs=pairs)
    await run(tx, _POINT_AT_HEIRS, pairs=pairs)


def save(tx: Transaction, changed: Iterable[Row]) -> None:
    """A snapshot that is None leaves the one before."""
    saved = [{"id": r.id, "version": r.version, "known": r.known, "profile": r.profile, "snapshot": r.snapshot} for r in changed]
    owe(tx, _SAVE, saved=as_json(saved))


async def at_addresses(tx: AsyncConnection, refs: Collection[str]) -> set[UUID]:
    """Whoever holds one of these addresses."""
    return {each["customer_id"] for each in await rows(tx, _AT_ADDRESSES, refs=as_json(sorted(refs)))}


async def heirs(tx: AsyncConnection, customers: Collection[UUID]) -> dict[UUID, UUID]:
    """The customer each of these ids is now, itself or the one it was merged into; an id that was never ours, or is erased, is missing."""
    return {each["id"]: each["heir"] for each in await rows(tx, _HEIRS, ids=as_json(list(customers)))}


async def erased(tx: AsyncConnection, customers: Collection[UUID]) -> set[UUID]:
    """Those of these ids whose person was erased."""
    return {each["id"] for each in await rows(tx, _ERASED, ids=as_json(list(customers)))}


async def take_consents(tx: AsyncConnection, consents: Iterable[Consent]) -> list[Consent]:
    """Keep each unless a later one of its subject is known (a refusal wins ties); returns those that changed something."""
    given = [{"subject": _subject(each), **each.model_dump(mode="json")} for each in consents]
    return [Consent(**each) for each in await rows(tx, _TAKE_CONSENTS, consents=as_json(given))]


async def consents(tx: AsyncConnection, customers: Iterable[UUID], refs: Iterable[str]) -> list[Consent]:
    """What these customers and these addresses agreed to or refused."""
    subjects = [*map(str, customers), *(f"address:{ref}" for ref in refs)]
    return [Consent(**each) for each in await rows(tx, _CONSENTS, subjects=as_json(subjects))]


async def forget_consents(tx: AsyncConnection, customers: Collection[UUID]) -> None:
    """Of customers that were merged; their heirs have taken them."""
    await run(tx, f"delete from consent where customer_id in ({_IDS})", ids=as_json(list(customers)))


def _written(handles: Collection[Handle]) -> str:
    return as_json([_plain(handle) for handle in handles])


def _plain(handle: Handle) -> dict[str, str]:
    return {"kind": _NAMES[handle.kind], "scope": handle.scope, "ref": handle.ref}


def _subject(consent: Consent) -> str:
    return str(consent.customer_id) if consent.customer_id else f"address:{consent.address_ref}"
