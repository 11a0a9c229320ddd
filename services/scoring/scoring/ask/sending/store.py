"""Every query on sending: what is due, leases, what became of them, and pauses."""

# nothing but our own column lists and conditions is put into a statement

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.ask.model import Scope, Settled, Survey
from scoring.ask.store import COLUMNS, read
from shared.runtime.database import as_json, row, rows, run

_BEGUN = (
    "lease_until",
    "channel",
    "address_ref",
    "address",
    "gateway",
    "token",
    "token_hash",
    "expires_at",
    "policy_version",
    "cell",
    "draw",
    "rate",
    "send_at",
)
_NOT_PAUSED = """not exists (select 1 from sending_pause p where p.scope = 'all'
  or (p.scope = 'channel' and p.value = survey.channel) or (p.scope = 'policy' and p.value = cast(survey.policy_version as text)))"""


async def lapse_leases(tx: AsyncConnection, *, now: datetime, again_by: Collection[str], attempts: int) -> list[str]:
    """What a lease that ran out means: planned again where no gateway was called, else `unknown`. What is unknown is due again only
    through a gateway that keeps idempotency keys (`again_by`), until all `attempts` are used. Returns the channels of the unknown."""
    found = await rows(
        tx,
        """with mine as (select id from survey where lease_until <= :now and state = 'sending' order by id for update skip locked)
        update survey set state = case when called then 'unknown' else 'planned' end, lease_until = null,
          due = case when not called or (attempts < :attempts and gateway = any(:again_by)) then cast(:now as timestamptz) end
        from mine where survey.id = mine.id returning channel, state""",
        now=now,
        again_by=list(again_by),
        attempts=attempts,
    )
    return [each["channel"] for each in found if each["state"] == "unknown"]


async def sendable(tx: AsyncConnection, *, now: datetime, limit: int) -> list[tuple[UUID, UUID | None]]:
    """Survey and customer of what is due and not paused; not yet claimed: lock the customers, then claim."""
    found = await rows(
        tx,
        f"""select id, customer_id from survey where due <= :now and state in ('planned', 'unknown') and {_NOT_PAUSED}
        order by due limit :limit""",
        now=now,
        limit=limit,
    )
    return [(each["id"], each["customer_id"]) for each in found]


async def claim(tx: AsyncConnection, survey_ids: Collection[UUID], *, now: datetime) -> list[Survey]:
    """Those still due, not paused, and taken by nobody else; locked."""
    found = await rows(
        tx,
        f"""select {COLUMNS} from survey where id = any(:ids) and due <= :now and state in ('planned', 'unknown') and {_NOT_PAUSED}
        order by id for update skip locked""",
        ids=list(survey_ids),
        now=now,
    )
    return [read(each) for each in found]


async def begin(tx: AsyncConnection, sendings: Sequence[Mapping[str, object]]) -> None:
    """Take a lease on each. The rows' keys are the columns named here; the lease ends by `settle`, or runs out."""
    if sendings:
        await run(
            tx,
            f"""update survey set state = 'sending', due = null, attempts = survey.attempts + 1,
              {", ".join(f"{name} = r.{name}" for name in _BEGUN)}
            from jsonb_populate_recordset(cast(null as survey), cast(:rows as jsonb)) as r where survey.id = r.id""",
            rows=as_json(sendings),
        )


async def move(tx: AsyncConnection, survey_id: UUID, *, to: datetime) -> None:
    """It leaves later."""
    await run(tx, "update survey set send_at = :to, due = :to where id = :id", id=survey_id, to=to)


async def give_up_unknown(tx: AsyncConnection, survey_id: UUID) -> None:
    """It may have left and must not be sent again."""
    await run(tx, "update survey set due = null, token = null where id = :id and state = 'unknown'", id=survey_id)


async def settle(tx: AsyncConnection, survey_id: UUID, settled: Settled, *, attempt: int) -> bool:
    """What became of the attempt; the lease ends. False when another attempt has settled it or is under way; only an acceptance counts
    whichever attempt it answers."""
    changed = await run(
        tx,
        """update survey set state = :state, reason = :reason, due = :due, lease_until = null, gateway_ref = coalesce(:ref, gateway_ref),
          sent_at = coalesce(sent_at, :sent_at), asked_at = coalesce(:sent_at, asked_at), expires_at = coalesce(:expires_at, expires_at),
          token = case when cast(:due as timestamptz) is null then null else token end,
          token_hash = case when :state = 'unsent' then null else token_hash end,
          attempts = attempts - :untried, called = called and :state in ('sent', 'unknown')
        where id = :id and state in ('sending', 'unknown') and (attempts = :attempt or :state = 'sent')""",
        id=survey_id,
        attempt=attempt,
        untried=0 if settled.was_tried else 1,
        state=settled.state.value,
        reason=settled.reason,
        due=settled.due,
        ref=settled.gateway_ref,
        sent_at=settled.sent_at,
        expires_at=settled.expires_at,
    )
    return bool(changed)


async def mark_called(tx: AsyncConnection, survey_id: UUID, *, attempt: int) -> bool:
    """Put down that a gateway is about to be called; False when sending was paused, or the lease lost, since the claim."""
    return bool(
        await run(
            tx,
            f"update survey set called = true where id = :id and state = 'sending' and attempts = :attempt and {_NOT_PAUSED}",
            id=survey_id,
            attempt=attempt,
        )
    )


async def pause(tx: AsyncConnection, scope: Scope, *, by: str, now: datetime) -> bool:
    """From now on nothing of the scope is claimed for sending; False when it was paused already."""
    return bool(
        await run(
            tx,
            "insert into sending_pause (scope, value, paused_at, paused_by) values (:scope, :value, :now, :by) on conflict do nothing",
            scope=scope.scope,
            value=scope.value,
            by=by,
            now=now,
        )
    )


async def resume(tx: AsyncConnection, scope: Scope) -> bool:
    """False when it was not paused. A wider pause still holds."""
    return bool(await run(tx, "delete from sending_pause where scope = :scope and value = :value", scope=scope.scope, value=scope.value))


async def pauses(tx: AsyncConnection) -> list[RowMapping]:
    return list(await rows(tx, "select scope, value, paused_at, paused_by from sending_pause order by scope, value"))


async def overdue_seconds(tx: AsyncConnection, *, now: datetime) -> float:
    """How long the longest waiting survey that is due has waited, seconds; 0 when none is due."""
    found = await row(
        tx,
        """select coalesce(extract(epoch from cast(:now as timestamptz) - min(due)), 0) as seconds
        from survey where due <= :now and state in ('planned', 'unknown')""",
        now=now,
    )
    return float(found["seconds"]) if found else 0.0
