"""Every query on decisions."""

# nothing but our own column lists is put into a statement

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.decide.brief import in_full
from scoring.decide.first import VERSIONS
from scoring.decide.tables import decision
from shared.runtime.database import as_json, row, rows, run
from shared.runtime.pipeline import Transaction, owe
from shared.schemas import DecisionStory

_COLUMNS = [column.name for column in decision.columns]
_CHANGING = [name for name in _COLUMNS if name not in ("id", "kind", "anchor")]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A deferred decision whose time to look again has come. `contact` is the contact as JSON."""

    kind: str
    anchor: UUID
    customer_id: UUID | None
    contact: Mapping[str, Any]
    aged_from: datetime


def save(tx: Transaction, decisions: Sequence[Mapping[str, object]]) -> None:
    """Write decisions; what stood before becomes a row of its history. The rows' keys are the table's columns."""
    if not decisions:
        return
    if judged_again := [each["id"] for each in decisions if each["revision"] != 1]:
        owe(
            tx,
            """insert into decision_revision (decision_id, revision, said) select id, revision, to_jsonb(decision) - 'contact' from decision
            where id in (select cast(jsonb_array_elements_text(cast(:ids as jsonb)) as uuid))""",
            ids=as_json(judged_again),
        )
    owe(
        tx,
        f"""insert into decision ({", ".join(_COLUMNS)}) select {", ".join(_COLUMNS)}
        from jsonb_populate_recordset(cast(null as decision), cast(:rows as jsonb)) order by kind, anchor
        on conflict (kind, anchor) do update set {", ".join(f"{name} = excluded.{name}" for name in _CHANGING)}""",
        rows=as_json(decisions),
    )


def look_again(tx: Transaction, retries: Mapping[UUID, datetime]) -> None:
    """Nothing new was found: only the next time to look changes."""
    if retries:
        owe(
            tx,
            """update decision set retry_at = r.retry_at from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, retry_at timestamptz)
            where decision.id = r.id""",
            rows=as_json([{"id": key, "retry_at": at} for key, at in retries.items()]),
        )


async def look_again_at(tx: AsyncConnection, customer_ids: Collection[UUID], *, now: datetime) -> None:
    """Something about these people has changed: what was deferred is judged at once."""
    await run(
        tx,
        "update decision set retry_at = :now where customer_id = any(:ids) and retry_at > :now",
        ids=list(customer_ids),
        now=now,
    )


async def retries_due(tx: AsyncConnection, *, now: datetime, limit: int) -> list[tuple[UUID, UUID | None]]:
    """Decision and customer of what is to be judged again; not yet claimed: lock the customers, then claim."""
    found = await rows(
        tx, "select id, customer_id from decision where retry_at <= :now order by retry_at limit :limit", now=now, limit=limit
    )
    return [(each["id"], each["customer_id"]) for each in found]


async def claim_retries(tx: AsyncConnection, decision_ids: Collection[UUID], *, now: datetime, again: datetime) -> list[Waiting]:
    """Those that are still due and nobody else has taken; unless judging says otherwise they are due `again`."""
    found = await rows(
        tx,
        """with mine as (select id from decision where id = any(:ids) and retry_at <= :now order by id for update skip locked)
        update decision set retry_at = :again from mine where decision.id = mine.id
        returning kind, anchor, customer_id, contact, aged_from""",
        ids=list(decision_ids),
        now=now,
        again=again,
    )
    return [Waiting(**each) for each in found]


async def follow_merge(tx: AsyncConnection, kept: UUID, superseded: Collection[UUID]) -> None:
    """Decisions about a merged customer are the remaining customer's."""
    await run(tx, "update decision set customer_id = :kept where customer_id = any(:old)", kept=kept, old=list(superseded))


async def erase(tx: AsyncConnection, customer_ids: Collection[UUID]) -> int:
    """What the rules said stays, what they saw goes; nothing is looked at again. How many decisions that were."""
    ids = list(customer_ids)
    await run(
        tx,
        """update decision_revision r set said = r.said || '{"facts": {}}' from decision d
        where d.id = r.decision_id and d.customer_id = any(:ids)""",
        ids=ids,
    )
    return await run(tx, "update decision set facts = '{}', contact = null, retry_at = null where customer_id = any(:ids)", ids=ids)


async def decision_story(tx: AsyncConnection, decision_id: UUID) -> DecisionStory | None:
    """Why this customer was asked, with every rule's name."""
    found = await row(
        tx,
        """select outcome, reason, draw, rate, verdicts, document -> 'rules' as rules
        from decision join policy on policy.version = decision.policy_version where decision.id = :id""",
        id=decision_id,
    )
    if found is None:
        return None
    verdicts = [(rule, *verdict) for rule, verdict in zip(found["rules"], in_full(found["verdicts"]), strict=True)]
    return DecisionStory(outcome=found["outcome"], reason=found["reason"], draw=found["draw"], rate=found["rate"], verdicts=verdicts)


async def told_about_interaction(tx: AsyncConnection, interaction_id: UUID) -> list[RowMapping]:
    """Every revision of every decision about that contact; `team` as it stands."""
    by_itself_or_not = "kind = any(:kinds) and anchor = :interaction or interaction_id = :interaction and anchor <> interaction_id"
    return await _told(tx, by_itself_or_not, interaction=interaction_id, kinds=list(VERSIONS))


async def told_about_contact(tx: AsyncConnection, *, platform: str, account: str, ref: str) -> list[RowMapping]:
    """The same by the platform's own reference, over all its episodes."""
    return await _told(tx, "ref = :ref and account = :account and platform = :platform", platform=platform, account=account, ref=ref)


async def interactions_with_ref(tx: AsyncConnection, ref: str) -> list[RowMapping]:
    """Contacts that some platform calls so, the latest first."""
    found = await rows(
        tx,
        "select interaction_id, platform, account, team from decision where ref = :ref and interaction_id is not null order by id desc",
        ref=ref,
    )
    return list(found)


async def _told(tx: AsyncConnection, condition: str, **parameters: object) -> list[RowMapping]:
    found = await rows(
        tx,
        f"""with mine as (select * from decision where {condition})
        select team, platform, account, to_jsonb(mine) - 'contact' as said from mine
        union all select team, platform, account, said from mine join decision_revision r on r.decision_id = mine.id""",
        **parameters,
    )
    return list(found)
