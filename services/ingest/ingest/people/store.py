"""Every query about people. Locks are taken in one order, handles before customers and each sorted, so that two writers never wait for each other."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.people.model import Handle, Strength
from shared.runtime.database import as_json, rows, run
from shared.schemas import Consent, Sealed

_HANDLES = "jsonb_to_recordset(cast(:handles as jsonb)) as h(kind text, scope text, ref text)"
_IDS = "select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb))"


@dataclass(frozen=True, slots=True)
class Row:
    """A customer's row, locked until the end of the transaction."""

    id: UUID
    number: int
    version: int
    known: bool
    merged_into: UUID | None
    profile: Sealed | None
    snapshot: Mapping[str, Any] | None


async def lock_handles(tx: AsyncConnection, handles: Collection[Handle]) -> None:
    """Make the handles' rows and lock them: whoever resolves one of them meanwhile waits for us."""
    given = _written(handles)
    await run(tx, f"insert into handle (kind, scope, ref) select kind, scope, ref from {_HANDLES} order by 1, 2, 3 on conflict do nothing", handles=given)
    await run(tx, f"select 1 from handle join {_HANDLES} using (kind, scope, ref) order by kind, scope, ref for no key update of handle", handles=given)


async def holders(tx: AsyncConnection, handles: Collection[Handle]) -> dict[Handle, set[UUID]]:
    found = await rows(tx, f"select kind, scope, ref, customer_id from holding join {_HANDLES} using (kind, scope, ref)", handles=_written(handles))
    table: dict[Handle, set[UUID]] = {}
    for each in found:
        table.setdefault(_handle(each), set()).add(each["customer_id"])
    return table


async def own_handles(tx: AsyncConnection, customers: Collection[UUID]) -> dict[UUID, frozenset[Handle]]:
    """The member and platform contact ids of each customer."""
    found = await rows(
        tx, f"select kind, scope, ref, customer_id from holding where customer_id in ({_IDS}) and kind in ('member', 'contact')", ids=as_json(list(customers))
    )
    owned: dict[UUID, set[Handle]] = {}
    for each in found:
        owned.setdefault(each["customer_id"], set()).add(_handle(each))
    return {customer: frozenset(handles) for customer, handles in owned.items()}


async def lock_customers(tx: AsyncConnection, customers: Collection[UUID]) -> dict[UUID, Row]:
    if not customers:
        return {}
    found = await rows(
        tx,
        f"select id, number, version, known, merged_into, profile, snapshot from customer where id in ({_IDS}) order by id for no key update",
        ids=as_json(list(customers)),
    )
    return {each["id"]: Row(**{**each, "profile": Sealed(**each["profile"]) if each["profile"] else None}) for each in found}


async def insert(tx: AsyncConnection, customers: Sequence[UUID]) -> dict[UUID, Row]:
    """New customers, numbered in the order given."""
    found = await rows(
        tx,
        "insert into customer (id) select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)) with ordinality as c(value, place) "
        "order by place returning id, number",
        ids=as_json(list(customers)),
    )
    return {each["id"]: Row(each["id"], each["number"], 0, known=False, merged_into=None, profile=None, snapshot=None) for each in found}


async def attach(tx: AsyncConnection, attached: Iterable[tuple[Handle, UUID, bool]]) -> None:
    held = [{**_plain(handle), "customer_id": customer, "directory": directory} for handle, customer, directory in attached]
    await run(
        tx,
        "insert into holding as o (kind, scope, ref, customer_id, directory) "
        "select kind, scope, ref, customer_id, bool_or(directory) from jsonb_to_recordset(cast(:held as jsonb)) "
        "as h(kind text, scope text, ref text, customer_id uuid, directory boolean) group by 1, 2, 3, 4 order by 1, 2, 3, 4 "
        "on conflict (kind, scope, ref, customer_id) do update set directory = true where excluded.directory and not o.directory",
        held=as_json(held),
    )


async def forget_addresses(tx: AsyncConnection, kept: Mapping[UUID, Collection[str]]) -> None:
    """Addresses the directory once listed for a customer and no longer lists, unless they are among `kept`."""
    await run(
        tx,
        "delete from holding o using jsonb_to_recordset(cast(:kept as jsonb)) as k(customer_id uuid, refs jsonb) "
        "where o.customer_id = k.customer_id and o.directory and o.kind in ('email', 'phone') and not k.refs ? o.ref",
        kept=as_json([{"customer_id": customer, "refs": sorted(refs)} for customer, refs in kept.items()]),
    )


async def merge(tx: AsyncConnection, merged: Mapping[UUID, UUID]) -> None:
    """Hand everything of the first over to the second of each pair; the row stays and points at its heir."""
    pairs = "jsonb_to_recordset(cast(:pairs as jsonb)) as p(gone uuid, heir uuid)"
    given = as_json([{"gone": gone, "heir": heir} for gone, heir in merged.items()])
    await run(
        tx,
        f"with g as (delete from holding o using {pairs} where o.customer_id = p.gone returning o.kind, o.scope, o.ref, p.heir, o.directory) "
        "insert into holding as h (kind, scope, ref, customer_id, directory) select kind, scope, ref, heir, bool_or(directory) from g group by 1, 2, 3, 4 "
        "on conflict (kind, scope, ref, customer_id) do update set directory = h.directory or excluded.directory",
        pairs=given,
    )
    await run(tx, f"update customer c set merged_into = p.heir, changed = now() from {pairs} where p.gone in (c.id, c.merged_into)", pairs=given)


async def save(tx: AsyncConnection, changed: Sequence[Row]) -> None:
    written = [
        {"id": each.id, "version": each.version, "known": each.known, "profile": each.profile, "snapshot": each.snapshot}
        for each in sorted(changed, key=lambda each: each.id)
    ]
    await run(
        tx,
        "update customer c set version = v.version, known = v.known, profile = v.profile, snapshot = v.snapshot, changed = now() "
        "from jsonb_to_recordset(cast(:changed as jsonb)) as v(id uuid, version int, known boolean, profile jsonb, snapshot jsonb) where c.id = v.id",
        changed=as_json(written),
    )


async def at_addresses(tx: AsyncConnection, refs: Collection[str]) -> set[UUID]:
    """Whoever holds one of these addresses."""
    found = await rows(tx, "select distinct customer_id from holding where ref in (select jsonb_array_elements_text(cast(:refs as jsonb)))", refs=as_json(sorted(refs)))
    return {each["customer_id"] for each in found}


async def heirs(tx: AsyncConnection, customers: Collection[UUID]) -> dict[UUID, UUID]:
    """The customer each of these ids is now, itself or the one it was merged into; an id that was never ours is missing."""
    found = await rows(tx, f"select id, coalesce(merged_into, id) as heir from customer where id in ({_IDS})", ids=as_json(list(customers)))
    return {each["id"]: each["heir"] for each in found}


def _written(handles: Collection[Handle]) -> str:
    return as_json([_plain(handle) for handle in handles])


def _plain(handle: Handle) -> dict[str, str]:
    return {"kind": handle.kind.name, "scope": handle.scope, "ref": handle.ref}


def _handle(row: RowMapping) -> Handle:
    return Handle(Strength[row["kind"]], row["scope"], row["ref"])


def subject(consent: Consent) -> str:
    return str(consent.customer_id) if consent.customer_id else f"address:{consent.address_ref}"


async def take_consents(tx: AsyncConnection, consents: Sequence[Consent]) -> list[Consent]:
    """Keep each unless a later one of the same subject, channel and purpose is known (a refusal wins ties); returns those that changed something."""
    given = [{"subject": subject(each), **each.model_dump(mode="json")} for each in consents]
    found = await rows(
        tx,
        "insert into consent as k (subject, channel, purpose, customer_id, address_ref, state, at, source) "
        "select distinct on (subject, channel, purpose) subject, channel, purpose, customer_id, address_ref, state, at, source "
        "from jsonb_to_recordset(cast(:consents as jsonb)) as c(subject text, channel text, purpose text, customer_id uuid, address_ref text, "
        "state text, at timestamptz, source text) order by subject, channel, purpose, at desc, state = 'refused' desc, source desc "
        "on conflict (subject, channel, purpose) do update set state = excluded.state, at = excluded.at, source = excluded.source "
        "where (excluded.at, excluded.state = 'refused', excluded.source) > (k.at, k.state = 'refused', k.source) "
        "returning channel, purpose, state, at, source, customer_id, address_ref",
        consents=as_json(given),
    )
    return [Consent(**each) for each in found]


async def consents(tx: AsyncConnection, customers: Collection[UUID], refs: Collection[str]) -> list[Consent]:
    """What these customers and these addresses agreed to or refused."""
    subjects = [*map(str, customers), *(f"address:{ref}" for ref in refs)]
    found = await rows(
        tx,
        "select channel, purpose, state, at, source, customer_id, address_ref from consent "
        "where subject in (select jsonb_array_elements_text(cast(:subjects as jsonb)))",
        subjects=as_json(subjects),
    )
    return [Consent(**each) for each in found]


async def forget_consents(tx: AsyncConnection, customers: Collection[UUID]) -> None:
    """Of customers that were merged; their heirs have taken them."""
    await run(tx, f"delete from consent where customer_id in ({_IDS})", ids=as_json(list(customers)))
