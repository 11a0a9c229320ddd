"""Every query on callbacks."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.people.model import OPEN, Call, Callback, opening_survey
from shared.runtime.database import as_json, rows, run
from shared.runtime.pipeline import Statement
from shared.schemas import CallbackChanged


async def keep_callbacks(tx: AsyncConnection, newest: Mapping[UUID, CallbackChanged]) -> list[Callback]:
    """Keep each case's state where its revision is news. Returns the cases never heard of before."""
    if not newest:
        return []
    found = await rows(
        tx,
        """insert into callback as known (case_id, revision, state, is_open, customer_id, opening_survey, answered_at)
        select case_id, revision, state, is_open, customer_id, opening_survey, answered_at from jsonb_to_recordset(cast(:rows as jsonb))
          as r(case_id uuid, revision int, state text, is_open boolean, customer_id uuid, opening_survey uuid, answered_at timestamptz)
        order by case_id
        on conflict (case_id) do update set revision = excluded.revision, state = excluded.state, is_open = excluded.is_open,
          customer_id = excluded.customer_id,
          recovery_due = case when excluded.state in ('merged', 'erased') then null else known.recovery_due end
        where known.revision < excluded.revision
        returning old.case_id is null as is_new, new.case_id, new.customer_id, new.opening_survey, new.answered_at, new.state""",
        rows=as_json([_callback_row(each) for each in newest.values()]),
    )
    return [_callback(each) for each in found if each["is_new"] and each["state"] not in ("merged", "erased")]


async def schedule_recoveries(tx: AsyncConnection, due: Mapping[UUID, datetime]) -> None:
    await run(
        tx,
        """update callback set recovery_due = r.due from jsonb_to_recordset(cast(:rows as jsonb)) as r(case_id uuid, due timestamptz)
        where callback.case_id = r.case_id""",
        rows=as_json([{"case_id": case_id, "due": at} for case_id, at in due.items()]),
    )


async def recoveries_due(tx: AsyncConnection, *, now: datetime, limit: int) -> list[Callback]:
    """Cases to decide about, not yet claimed: lock their customers, then claim."""
    found = await rows(
        tx,
        """select case_id, customer_id, opening_survey, answered_at, recovery_due from callback
        where recovery_due <= :now order by recovery_due limit :limit""",
        now=now,
        limit=limit,
    )
    return [_callback(each) for each in found]


async def claim_recoveries(tx: AsyncConnection, case_ids: Collection[UUID]) -> list[Callback]:
    """Those nobody else has taken; they are not due any more."""
    found = await rows(
        tx,
        """with mine as (select case_id, recovery_due from callback where case_id = any(:ids) and recovery_due is not null
          order by case_id for update skip locked)
        update callback set recovery_due = null from mine where callback.case_id = mine.case_id
        returning callback.case_id, customer_id, opening_survey, answered_at, mine.recovery_due""",
        ids=list(case_ids),
    )
    return [_callback(each) for each in found]


def with_open_callback(customer_ids: Collection[UUID]) -> Statement[frozenset[UUID]]:
    """Which of these have an open case; cases opened under an id that was merged count."""
    return Statement(
        """with r as (select cast(jsonb_array_elements_text(cast(:ids as jsonb)) as uuid) as id)
        select coalesce(customer.merged_into, customer.id) as id from callback join customer on customer.id = callback.customer_id
        where callback.is_open and (customer.id in (select id from r) or customer.merged_into in (select id from r))""",
        lambda found: frozenset(person for (person,) in found),
        ids=as_json(list(customer_ids)),
    )


async def keep_own_calls(tx: AsyncConnection, calls: Mapping[Call, UUID]) -> None:
    """Calls a case made; a contact of that reference is never surveyed."""
    if not calls:
        return
    await run(
        tx,
        """insert into own_call (platform, account, ref, case_id)
        select platform, account, ref, case_id from jsonb_to_recordset(cast(:rows as jsonb))
          as r(platform text, account text, ref text, case_id uuid)
        order by platform, account, ref on conflict do nothing""",
        rows=as_json([{"platform": key[0], "account": key[1], "ref": key[2], "case_id": case_id} for key, case_id in calls.items()]),
    )


def own_calls(calls: Collection[Call]) -> Statement[frozenset[Call]]:
    """Which of these contacts were our own calls."""
    return Statement(
        """select platform, account, ref from own_call join jsonb_to_recordset(cast(:rows as jsonb))
          as r(platform text, account text, ref text) using (platform, account, ref)""",
        frozenset,
        rows=as_json([{"platform": each[0], "account": each[1], "ref": each[2]} for each in calls]),
    )


async def erase(tx: AsyncConnection, customer_ids: Collection[UUID]) -> None:
    """Nobody will call these people or ask them about it."""
    await run(tx, "update callback set is_open = false, recovery_due = null where customer_id = any(:ids)", ids=list(customer_ids))


def _callback_row(message: CallbackChanged) -> dict[str, object]:
    return {
        "case_id": message.case_id,
        "revision": message.revision,
        "state": message.state,
        "is_open": message.state in OPEN,
        "customer_id": message.customer_id,
        "opening_survey": opening_survey(message),
        "answered_at": message.first_answered_at,
    }


def _callback(found: RowMapping) -> Callback:
    return Callback(found["case_id"], found["customer_id"], found["opening_survey"], found["answered_at"], found.get("recovery_due"))
