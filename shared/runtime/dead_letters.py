"""Messages that are at fault themselves: a sealed row in the batch's transaction, and a copy of the bytes in `<topic>.dead` by the relay.

A row is one fault of one message: unique on (topic, reason, hash of the bytes), with a count.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.broker import Outgoing, Record
from shared.runtime.database import as_json, row, rows, run, shard_of
from shared.runtime.sealing import Sealer, SealingKeyMissing

CONFLICT = "conflict"

BURY = """
letter as (
  select * from jsonb_to_recordset(cast(:letters as jsonb)) as l(topic text, partition int, "offset" bigint, key bytea, headers jsonb,
    body bytea, hash bytea, reason text, path text, shard smallint)),
buried as (
  insert into dead_letter as d (topic, partition, "offset", key, headers, body, hash, reason, path, count)
  select distinct on (topic, reason, hash) topic, partition, "offset", key, headers, body, hash, reason, path,
    count(*) over (partition by topic, reason, hash) from letter
  order by topic, reason, hash
  on conflict (topic, reason, hash) do update set count = d.count + excluded.count, last_at = clock_timestamp()
  returning new.id, new.topic, new.reason, new.hash, old.id is null as fresh),
copied as (
  insert into outbox (shard, topic, dead_letter)
  select distinct on (b.id) l.shard, b.topic || '.dead', b.id from buried b join letter l using (topic, reason, hash) where b.fresh)"""
"""Common table expressions that bury `:letters` (from `parameter`) inside any statement."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A record and why it could not be taken; `reason` is a code, `path` the field at fault."""

    record: Record
    reason: str
    path: str | None = None


def parameter(letters: Iterable[Letter], sealer: Sealer) -> str:
    """The `:letters` of BURY."""
    return as_json([_row(letter, sealer) for letter in letters])


def kept(record: Record, sealer: Sealer) -> dict[str, object]:
    """A record as a row keeps it: the body sealed, header values in hex, because neither need be text."""
    return {
        "topic": record.topic,
        "key": record.key,
        "headers": [[name, (value or b"").hex()] for name, value in record.headers],
        "body": sealer.seal_bytes(record.value or b""),
        "hash": hashlib.sha256(record.value or b"").digest(),
    }


def _row(letter: Letter, sealer: Sealer) -> dict[str, object]:
    record = letter.record
    shard = shard_of(f"{record.topic}/{record.partition}")
    place = {"partition": record.partition, "offset": record.offset}
    return {**kept(record, sealer), **place, "reason": letter.reason, "path": letter.path, "shard": shard}


async def bury(tx: AsyncConnection, letters: Sequence[Letter], sealer: Sealer) -> None:
    if letters:
        await run(tx, f"with {BURY} select 1", letters=parameter(letters, sealer))


async def copies(tx: AsyncConnection, ids: Sequence[UUID], sealer: Sealer) -> dict[UUID, Outgoing]:
    """The messages for the `.dead` topics, by the id of their row."""
    found = await rows(
        tx,
        'select id, topic, partition, "offset", key, headers, body, reason, path, count, first_at from dead_letter '
        "where id in (select cast(jsonb_array_elements_text(cast(:ids as jsonb)) as uuid))",
        ids=as_json(list(ids)),
    )
    return {each["id"]: _copy(each, sealer) for each in found}


def _copy(letter: RowMapping, sealer: Sealer) -> Outgoing:
    about = {
        "dlq-topic": letter["topic"],
        "dlq-partition": letter["partition"],
        "dlq-offset": letter["offset"],
        "dlq-reason": letter["reason"],
        "dlq-path": letter["path"],
        "dlq-count": letter["count"],
        "dlq-first-at": letter["first_at"].isoformat(),
    }
    said = tuple((name, str(value).encode()) for name, value in about.items() if value is not None)
    return Outgoing(f"{letter['topic']}.dead", letter["key"], sealer.unseal_bytes(letter["body"]), _headers(letter) + said)


def _headers(letter: RowMapping) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, bytes.fromhex(value)) for name, value in letter["headers"])


async def waiting(tx: AsyncConnection, *, topic: str | None, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Rows nobody has replayed or discarded, oldest first; never the body."""
    return await rows(
        tx,
        "select id, topic, partition, \"offset\", reason, path, count, first_at, last_at from dead_letter where state = 'waiting' "
        "and (cast(:topic as text) is null or topic = :topic) and (cast(:after as uuid) is null or id > :after) order by id limit :limit",
        topic=topic,
        after=after,
        limit=limit,
    )


async def body(tx: AsyncConnection, letter: UUID, sealer: Sealer) -> tuple[RowMapping, bytes | None] | None:
    """One row, locked, with the bytes as they came; None for those where the key they were sealed with is not here."""
    found = await row(tx, "select * from dead_letter where id = :id for update", id=letter)
    return (found, opened(found, sealer)) if found else None


def opened(letter: RowMapping, sealer: Sealer) -> bytes | None:
    """A letter may wait for longer than its key is kept: that one is at fault, and stops no other."""
    try:
        return sealer.unseal_bytes(letter["body"])
    except SealingKeyMissing:
        return None


async def state(tx: AsyncConnection, letter: UUID) -> str | None:
    """Of one row, locked: waiting, replayed or discarded."""
    found = await row(tx, "select state from dead_letter where id = :id for update", id=letter)
    return found["state"] if found else None


def record(letter: RowMapping, value: bytes) -> Record:
    """The record again, for a replay: out of any partition, with the body given."""
    return Record(letter["topic"], -1, -1, letter["key"], value, _headers(letter), datetime.now(UTC))


async def settle(tx: AsyncConnection, letter: UUID, *, state: str) -> None:
    """What somebody else has settled meanwhile stays as it is."""
    await run(tx, "update dead_letter set state = :state where id = :id and state = 'waiting'", id=letter, state=state)
