"""Every query of the search for what is left of erased people."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.erasure.model import Root, Sweep
from ingest.erasure.store import named_roots, root_of
from shared.runtime.database import as_json, row, rows, run
from shared.runtime.sealing import Sealer
from shared.schemas import Sealed
from shared.traces import Traces

_REFS = "array(select jsonb_array_elements_text(cast(:refs as jsonb)))"

_FORGET_POINTS = f"""
update interaction i set payload = payload - 'point_ref', digest = ''
from jsonb_to_recordset(cast(:roots as jsonb)) as r(platform text, account text, root text)
where (i.root, i.account, i.platform) = (r.root, r.account, r.platform) and i.payload ->> 'point_ref' = any({_REFS})"""
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
_MOVE = """
update erasure set letters_to = coalesce(cast(:letters_to as uuid), letters_to), counts = cast(:counts as jsonb) where id = :id"""
_WIDEN = """
update erasure set refs = cast(:refs as jsonb), traces = cast(:traces as jsonb), events_to = '-infinity' where id = :id"""
_DONE = "update erasure set due = null, refs = '[]', traces = null where id = :id"


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
    return {root_of(each) for each in found if each["root"] is not None}


async def keep_handles(tx: AsyncConnection, kept: Iterable[Mapping[str, Any]]) -> int:
    """What events still say of somebody: id, handles and refs of each."""
    return await run(tx, _KEEP_HANDLES, kept=as_json(list(kept)))


async def forget_points(tx: AsyncConnection, contacts: Iterable[Root], refs: Iterable[str]) -> None:
    """Of contacts that named nobody but used one of these addresses."""
    await run(tx, _FORGET_POINTS, roots=named_roots(contacts), refs=as_json(sorted(refs)))


async def move(tx: AsyncConnection, sweep: Sweep, *, letters_to: UUID | None = None) -> None:
    await run(tx, _MOVE, id=sweep.request_id, letters_to=letters_to, counts=as_json(sweep.counts))


async def widen(tx: AsyncConnection, sweep: Sweep, *, traces: Sealed) -> None:
    """More is to be looked for than was known: from the beginning."""
    await run(tx, _WIDEN, id=sweep.request_id, refs=as_json(sorted(sweep.refs)), traces=as_json(traces))


async def searched(tx: AsyncConnection, request: UUID) -> None:
    """Nothing is left to look for, and what was looked for is forgotten."""
    await run(tx, _DONE, id=request)
