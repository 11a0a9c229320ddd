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

_CASE = TypeAdapter(Case)
_STEP = TypeAdapter(Step)
_ATTEMPT = TypeAdapter(Attempt)

_CHANGING = ", ".join(f"{field.name} = excluded.{field.name}" for field in fields(Case) if field.name not in ("id", "number"))

_SAVE_CASES = f"""
insert into cases select * from jsonb_populate_recordset(cast(null as cases), cast(:rows as jsonb))
on conflict (id) do update set {_CHANGING}"""

_SAVE_STEPS = "insert into case_history select * from jsonb_populate_recordset(cast(null as case_history), cast(:rows as jsonb))"

_SAVE_ATTEMPT = """
insert into attempt select * from jsonb_populate_recordset(cast(null as attempt), cast(:rows as jsonb))
on conflict (case_id, attempt_id) do nothing"""

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


async def customer_of(tx: AsyncConnection, case_id: UUID) -> UUID | None:
    """Whose case it is, unlocked: what to lock before the case."""
    found = await row(tx, "select customer_id from cases where id = :id", id=case_id)
    return found["customer_id"] if found else None


async def locked(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Case]:
    """These cases, locked in the order of their ids."""
    sql = "select * from cases where id in (select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb))) order by id for update"
    found = await rows(tx, sql, ids=as_json(sorted(set(ids))))
    return {each["id"]: case_of(each) for each in found}


async def open_of_customers(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Case]:
    """The open case of each of these customers, locked; the caller holds the customers' rows."""
    sql = f"""select * from cases where {_OPEN}
      and customer_id in (select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb))) order by id for update"""
    found = await rows(tx, sql, ids=as_json(sorted(set(ids))))
    return {each["customer_id"]: case_of(each) for each in found}


async def of_customers(tx: AsyncConnection, ids: Iterable[UUID]) -> list[Case]:
    """Every case of these customers, open or not, locked in the order of their ids."""
    sql = "select * from cases where customer_id in (select cast(value as uuid) from jsonb_array_elements_text(cast(:ids as jsonb))) order by id for update"
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


async def attempt(tx: AsyncConnection, case_id: UUID, attempt_id: str) -> Attempt | None:
    found = await row(tx, "select * from attempt where case_id = :case and attempt_id = :attempt", case=case_id, attempt=attempt_id)
    return _ATTEMPT.validate_python(dict(found)) if found else None


async def save_attempt(tx: AsyncConnection, made: Attempt) -> None:
    """Keep a try; the same one again changes nothing."""
    await run(tx, _SAVE_ATTEMPT, rows=as_json([written(made)]))


async def policy(tx: AsyncConnection, now: datetime) -> RowMapping | None:
    """The policy in force: the one activated last."""
    sql = "select version, body from policy_version where active_from <= :now order by active_from desc, version desc limit 1"
    return await row(tx, sql, now=now)
