"""Cases in the database: locked, loaded and saved by the set."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from routing.cases.model import Attempt, Case, Moved, Step
from shared.runtime.database import as_json, row, rows, run
from shared.schemas import Customer

_CASE = TypeAdapter(Case)
_STEP = TypeAdapter(Step)
_ATTEMPT = TypeAdapter(Attempt)

_CHANGING = ", ".join(f"{field.name} = excluded.{field.name}" for field in fields(Case) if field.name not in ("id", "number"))

_SAVE_CASES = f"""
insert into cases select * from jsonb_populate_recordset(cast(null as cases), cast(:rows as jsonb))
on conflict (id) do update set {_CHANGING}"""

_SAVE_STEPS = "insert into case_history select * from jsonb_populate_recordset(cast(null as case_history), cast(:rows as jsonb))"

_SAVE_ATTEMPTS = """
insert into attempt select * from jsonb_populate_recordset(cast(null as attempt), cast(:rows as jsonb))
on conflict (case_id, attempt_id) do nothing"""

_IDS = "(select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb)))"
_OPEN = "state in ('open', 'assigned', 'attempting', 'reached', 'resolved')"


def case_of(found: RowMapping) -> Case:
    return _CASE.validate_python(dict(found))


def written(value: Case | Step | Attempt) -> dict[str, Any]:
    """A value as its row takes it."""
    match value:
        case Case():
            return _CASE.dump_python(value, mode="json", by_alias=True)  # type: ignore[no-any-return]
        case Step():
            return _STEP.dump_python(value, mode="json", by_alias=True)  # type: ignore[no-any-return]
        case Attempt():
            return _ATTEMPT.dump_python(value, mode="json", by_alias=True)  # type: ignore[no-any-return]


async def numbers(tx: AsyncConnection, count: int) -> list[int]:
    """As many new case numbers, ascending."""
    found = await rows(tx, "select nextval('case_number') as number from generate_series(1, :count)", count=count)
    return [each["number"] for each in found]


async def customers_of(tx: AsyncConnection, ids: Iterable[UUID]) -> set[UUID]:
    """Whose cases these are, unlocked: what to lock before the cases."""
    sql = f"select distinct customer_id from cases where customer_id is not null and id in {_IDS}"
    return {each["customer_id"] for each in await rows(tx, sql, ids=as_json(sorted(set(ids))))}


async def holders(tx: AsyncConnection, refs: Iterable[str]) -> set[UUID]:
    """Customers with a case still to call who have one of these addresses, unlocked."""
    sql = """select distinct customer_id from cases where customer_id is not null and state in ('open', 'assigned', 'attempting', 'reached')
      and exists (select from jsonb_to_recordset(customer -> 'points') as p(ref text) where cast(:refs as jsonb) ? p.ref)"""
    given = sorted(set(refs))
    return {each["customer_id"] for each in await rows(tx, sql, refs=as_json(given))} if given else set()


async def locked(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Case]:
    """These cases, locked in the order of their ids."""
    sql = f"select * from cases where id in {_IDS} order by id for update"
    found = await rows(tx, sql, ids=as_json(sorted(set(ids))))
    return {each["id"]: case_of(each) for each in found}


async def open_of_customers(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Case]:
    """The open case of each of these customers, locked; the caller holds the customers' rows."""
    sql = f"select * from cases where {_OPEN} and customer_id in {_IDS} order by id for update"
    found = await rows(tx, sql, ids=as_json(sorted(set(ids))))
    return {each["customer_id"]: case_of(each) for each in found}


async def of_customers(tx: AsyncConnection, ids: Iterable[UUID]) -> list[Case]:
    """Every case of these customers, open or not, locked in the order of their ids."""
    sql = f"select * from cases where customer_id in {_IDS} order by id for update"
    return [case_of(each) for each in await rows(tx, sql, ids=as_json(sorted(set(ids))))]


async def callable_by(tx: AsyncConnection, *, customers: Iterable[UUID], refs: Iterable[str]) -> list[Case]:
    """Cases still to call of these customers, or of customers with one of these addresses; locked in the order of their ids."""
    sql = """select * from cases where state in ('open', 'assigned', 'attempting', 'reached') and route = 'call' and (
        customer_id in (select cast(value as uuid) from jsonb_array_elements_text(cast(:customers as jsonb)))
        or exists (select from jsonb_to_recordset(customer -> 'points') as p(ref text) where cast(:refs as jsonb) ? p.ref)
      ) order by id for update"""
    found = await rows(tx, sql, customers=as_json(sorted(set(customers))), refs=as_json(sorted(set(refs))))
    return [case_of(each) for each in found]


async def save(tx: AsyncConnection, moved: Sequence[Moved]) -> None:
    """Write each case as it is after its moves, with every revision."""
    stepped = [each for each in moved if each.steps]
    if not stepped:
        return
    last = {each.case.id: each.case for each in stepped}
    await run(tx, _SAVE_CASES, rows=as_json([written(case) for case in last.values()]))
    await run(tx, _SAVE_STEPS, rows=as_json([written(step) for each in stepped for _, step in each.steps]))


async def attempted(tx: AsyncConnection, tries: Iterable[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Those of these tries (case, attempt id) that are kept already."""
    sql = """select case_id, attempt_id from attempt
      join jsonb_to_recordset(cast(:tries as jsonb)) as t(case_id uuid, attempt_id text) using (case_id, attempt_id)"""
    found = await rows(tx, sql, tries=as_json([{"case_id": case, "attempt_id": attempt} for case, attempt in tries]))
    return {(each["case_id"], each["attempt_id"]) for each in found}


async def save_attempts(tx: AsyncConnection, made: Sequence[Attempt]) -> None:
    """Keep these tries; the same one again changes nothing."""
    if made:
        await run(tx, _SAVE_ATTEMPTS, rows=as_json([written(each) for each in made]))


async def fallen_due(tx: AsyncConnection, column: str, *, now: datetime, limit: int) -> list[Case]:
    """Cases whose due column has come, locked; those another replica has are left out."""
    sql = f"select * from cases where {column} <= :now order by {column} limit :limit for update skip locked"
    return [case_of(each) for each in await rows(tx, sql, now=now, limit=limit)]


async def by_state(tx: AsyncConnection) -> dict[str, int]:
    return {each["state"]: each["count"] for each in await rows(tx, "select state, count(*) as count from cases group by state")}


async def overdue(tx: AsyncConnection) -> int:
    """Cases past their due time that still wait for a call."""
    found = await row(tx, "select count(*) as count from cases where overdue and state in ('open', 'assigned', 'attempting')")
    return int(found["count"]) if found else 0


async def update_customer(tx: AsyncConnection, snapshots: Iterable[Customer]) -> None:
    """Their open cases show the newest snapshot; no revision, since nothing of the case changed."""
    sql = f"""update cases c set customer = r.snapshot from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, snapshot jsonb)
      where c.customer_id = r.id and c.{_OPEN}"""
    given = [{"id": each.customer_id, "snapshot": each} for each in snapshots]
    if given:
        await run(tx, sql, rows=as_json(given))


async def rename_customer(tx: AsyncConnection, *, old: UUID, new: UUID) -> None:
    """The ended cases of an id that became another's."""
    await run(tx, f"update cases set customer_id = :new where customer_id = :old and not ({_OPEN})", old=old, new=new)


async def erase_notes(tx: AsyncConnection, ids: Iterable[UUID]) -> int:
    """What callers noted about these cases, and the platform's names of the calls."""
    sql = f"update attempt set note = null, platform_ref = null where case_id in {_IDS}"
    return await run(tx, sql, ids=as_json(sorted(set(ids))))


async def policy(tx: AsyncConnection, now: datetime) -> RowMapping | None:
    """The policy in force: the one activated last."""
    sql = "select version, body from policy_version where active_from <= :now order by active_from desc, version desc limit 1"
    return await row(tx, sql, now=now)


async def put_in_force(tx: AsyncConnection, body: dict[str, Any], *, by: str, at: datetime) -> int:
    """Keep a policy as the next version, in force from now on; 1 is the one the service ships."""
    await run(tx, "lock table policy_version in share row exclusive mode")
    sql = """insert into policy_version (version, body, created_by, active_from)
      select greatest(coalesce(max(version), 1), 1) + 1, cast(:body as jsonb), :by, :at from policy_version returning version"""
    made = await row(tx, sql, body=as_json(body), by=by, at=at)
    assert made is not None
    return int(made["version"])
