"""Every query on the surveys themselves: looking them up, the history of asking, reserving a place and giving it back."""

# nothing but our own column lists is put into a statement

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.ask.known import Anchor, Decided
from scoring.ask.model import State, Survey
from scoring.ask.tables import survey
from scoring.decide.brief import in_full
from scoring.decide.model import Asked, Standing
from shared.runtime.database import as_json, row, rows, run
from shared.runtime.pipeline import Row, Statement, Transaction, owe

COLUMNS = ", ".join(f"survey.{field.name}" for field in fields(Survey))
"""What `read` needs."""

_PLANNED = [column.name for column in survey.columns]
_REPLANNED = [name for name in _PLANNED if name not in ("id", "kind", "anchor", "token", "token_hash", "attempts")]


async def survey_by_id(tx: AsyncConnection, survey_id: UUID) -> Survey | None:
    return _one(await row(tx, f"select {COLUMNS} from survey where id = :id", id=survey_id))


async def survey_by_token_hash(tx: AsyncConnection, token_hash: bytes) -> Survey | None:
    """By SHA-256 of the token. Also an expired survey: the caller answers 410."""
    return _one(await row(tx, f"select {COLUMNS} from survey where token_hash = :token_hash", token_hash=token_hash))


async def surveys_to_address(tx: AsyncConnection, address_ref: str, *, limit: int = 20) -> list[Survey]:
    """What may have reached that address, the one last sent there first."""
    found = await rows(
        tx,
        f"""select {COLUMNS} from survey where address_ref = :ref and state in ('sending', 'sent', 'unknown')
        order by coalesce(sent_at, asked_at) desc, id desc limit :limit""",
        ref=address_ref,
        limit=limit,
    )
    return [read(each) for each in found]


async def latest_survey_to_address(tx: AsyncConnection, address_ref: str) -> Survey | None:
    """The one last sent there, open or not."""
    found = await surveys_to_address(tx, address_ref, limit=1)
    return found[0] if found else None


async def survey_of_contact(tx: AsyncConnection, *, platform: str, account: str, ref: str) -> Survey | None:
    """The tNPS survey about that contact of the platform; of several episodes the latest asked."""
    found = await rows(
        tx,
        f"""select {COLUMNS} from survey join decision on decision.survey_id = survey.id
        where decision.ref = :ref and decision.account = :account and decision.platform = :platform and survey.kind = 'tnps'
        order by survey.asked_at desc limit 1""",
        ref=ref,
        account=account,
        platform=platform,
    )
    return read(found[0]) if found else None


async def surveys_of(tx: AsyncConnection, survey_ids: Sequence[UUID]) -> dict[UUID, Survey]:
    found = await rows(tx, f"select {COLUMNS} from survey where id = any(:ids)", ids=list(survey_ids))
    return {each["id"]: read(each) for each in found}


async def mark_delivered(tx: AsyncConnection, survey_id: UUID, *, at: datetime) -> bool:
    """Keep the first time a receipt said it was delivered; False when it was known already."""
    found = await row(tx, "update survey set delivered_at = :at where id = :id and delivered_at is null returning id", id=survey_id, at=at)
    return found is not None


def lock_addresses(address_refs: Collection[str]) -> Statement[int]:
    """Until the end of the transaction nobody else decides about these addresses; taken after the customers' locks, in one order."""
    return Statement(
        """select pg_advisory_xact_lock(key) from (select distinct hashtextextended(ref, 0) as key
        from jsonb_array_elements_text(cast(:refs as jsonb)) as r(ref) order by key) as keys""",
        len,
        refs=as_json(list(address_refs)),
    )


def asked(*, customer_ids: Collection[UUID], address_refs: Collection[str]) -> Statement[list[Asked]]:
    """What counts as asked, of these customers or to these addresses: reserved, sent, perhaps sent. As far back as any policy looks."""
    return Statement(
        """with since as (select now() - interval '1 day' * greatest(30, max(cast(document #>> '{quarantine,any_days}' as float8)),
          max(cast(document #>> '{quarantine,kind_days}' as float8))) as at from policy where active_from is not null)
        select kind, anchor, customer_id, address_ref, asked_at from survey
        where customer_id in (select cast(jsonb_array_elements_text(cast(:ids as jsonb)) as uuid))
          and asked_at > (select at from since) and state <> 'unsent'
        union select kind, anchor, customer_id, address_ref, asked_at from survey
        where address_ref in (select jsonb_array_elements_text(cast(:refs as jsonb)))
          and asked_at > (select at from since) and state <> 'unsent'""",
        lambda found: [Asked(*each) for each in found],
        ids=as_json(list(customer_ids)),
        refs=as_json(list(address_refs)),
    )


def decided(anchors: Collection[Anchor]) -> Statement[Decided]:
    """The decisions about these as they stand, and what has become of their surveys."""
    return Statement(
        """select d.kind, d.anchor, d.verdicts, s.id, s.state, d.id, d.revision, d.interaction_revision, d.outcome, d.reason,
          d.policy_version, d.give_up_at, d.survey_id
        from jsonb_to_recordset(cast(:rows as jsonb)) as r(kind text, anchor uuid) join decision d using (kind, anchor)
        left join survey s using (kind, anchor)""",
        _decided,
        rows=as_json([{"kind": kind, "anchor": anchor} for kind, anchor in anchors]),
    )


def _decided(found: Sequence[Row]) -> Decided:
    decided = Decided({}, {})
    for kind, anchor, verdicts, survey_id, state, *stood in found:
        decided.stood[kind, anchor] = Standing(in_full(verdicts), *stood)
        if survey_id is not None:
            decided.surveys[kind, anchor] = (survey_id, State(state))
    return decided


def plan(tx: Transaction, planned: Sequence[Mapping[str, object]]) -> None:
    """Reserve a place for each, again where its survey has not left. The rows' keys are the table's columns."""
    if planned:
        owe(
            tx,
            f"""insert into survey ({", ".join(_PLANNED)}) select {", ".join(_PLANNED)}
            from jsonb_populate_recordset(cast(null as survey), cast(:rows as jsonb)) order by kind, anchor
            on conflict (kind, anchor) do update set {", ".join(f"{name} = excluded.{name}" for name in _REPLANNED)}
            where survey.state in ('planned', 'unsent')""",
            rows=as_json(planned),
        )


def drop(tx: Transaction, reasons: Mapping[UUID, str]) -> None:
    """These end unsent: the place they reserved is free again."""
    if reasons:
        owe(
            tx,
            """update survey set state = 'unsent', reason = r.reason, due = null, lease_until = null, token = null, token_hash = null
            from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, reason text) where survey.id = r.id and state = 'planned'""",
            rows=as_json([{"id": key, "reason": why} for key, why in reasons.items()]),
        )


async def follow_merge(tx: AsyncConnection, kept: UUID, superseded: Collection[UUID]) -> None:
    """Surveys of a merged customer are the remaining customer's: histories are united."""
    await run(tx, "update survey set customer_id = :kept where customer_id = any(:old)", kept=kept, old=list(superseded))


async def erase(tx: AsyncConnection, customer_ids: Collection[UUID]) -> list[UUID]:
    """What is planned ends unsent, addresses and their hashes go, the contact keeps what is nobody's. The surveys' ids.

    Customers stay named by an id that means nobody any more.
    """
    found = await rows(
        tx,
        """update survey set address = '{}', address_ref = 'erased', token = null, token_hash = null, due = null, language = null,
          contact = (contact - 'point_ref' - 'language') || '{"traits": {}}',
          reason = case when state in ('planned', 'unsent') then coalesce(reason, 'erased') end,
          state = case when state = 'planned' then 'unsent' else state end
        where customer_id = any(:ids) returning id""",
        ids=list(customer_ids),
    )
    return [each["id"] for each in found]


def _one(found: RowMapping | None) -> Survey | None:
    return None if found is None else read(found)


def read(found: RowMapping) -> Survey:
    """A row of `COLUMNS`."""
    return Survey(**{**found, "state": State(found["state"])})
