"""Publishes the outbox: rows leave in order per key, and are deleted once the broker has acknowledged them.

One relay at a time per shard, by a session's advisory lock; a process that dies frees its shards with its connection. There is no cursor,
so a transaction that commits late is never skipped. A crash between acknowledgement and deletion repeats a batch on the wire.
"""

import asyncio
import contextlib
import logging
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime import dead_letters
from shared.runtime.broker import Broker, Outgoing
from shared.runtime.database import SHARDS, Database, row, run, tuples
from shared.runtime.failpoints import failpoint
from shared.runtime.measures import Measures
from shared.runtime.patience import Patience, Stopped
from shared.runtime.sealing import Sealer

log = logging.getLogger("aftercall.relay")

_NEXT = """
select seq, topic, key, cast(id as text), type, to_char(created, 'YYYY-MM-DD"T"HH24\\:MI\\:SS.MS"Z"'), correlation, traceparent, payload,
  dead_letter
from outbox where shard = any(cast(:shards as smallint[])) order by seq limit :limit"""
_GONE = "delete from outbox where seq = any(cast(:seqs as bigint[]))"
_DEPTH = "select count(*) as depth, coalesce(extract(epoch from clock_timestamp() - min(created)), 0) as age from outbox"


class Owed(NamedTuple):
    """A row of the outbox, as `_NEXT` reads it: what goes into headers is text already. A dead letter's has no message of its own."""

    seq: int
    topic: str
    key: str
    id: str
    type: str
    time: str
    correlation: str | None
    traceparent: str | None
    payload: str
    dead_letter: UUID | None


class Relay:
    """`poll` seconds is the fallback for rows committed by other processes; those of this one wake it at once."""

    def __init__(
        self,
        *,
        database: Database,
        broker: Broker,
        sealer: Sealer,
        measures: Measures,
        limit: int = 1000,
        poll: float = 0.25,
        claim_every: float = 3.0,
    ) -> None:
        self._database, self._broker, self._sealer, self._measures = database, broker, sealer, measures
        self._limit, self._poll, self._claim_every = limit, poll, claim_every
        self._source = f"/aftercall/{database.schema}"
        self._space = zlib.crc32(self._source.encode()) - 2**31
        self.shards: set[int] = set()
        self.turned_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        patience = Patience(stop)
        with contextlib.suppress(Stopped):
            while not stop.is_set():
                await patience.insist(partial(self._session, stop))

    async def _session(self, stop: asyncio.Event) -> None:
        """One connection, which holds the shards' locks for as long as it lives: back in the pool it would hold them against ourselves."""
        async with self._database.autocommit() as connection:
            try:
                await self._publish_until(stop, connection)
            finally:
                self.shards.clear()
                await connection.invalidate()

    async def _publish_until(self, stop: asyncio.Event, connection: AsyncConnection) -> None:
        next_claim = 0.0
        while not stop.is_set():
            now = asyncio.get_running_loop().time()
            if now >= next_claim:
                next_claim = now + self._claim_every
                await self._claim(connection)
            sent = await self.publish_once(connection)
            self.turned_at = asyncio.get_running_loop().time()
            if sent < self._limit:
                await self._database.wake.wait(self._poll)
        await self.publish_once(connection)

    async def _claim(self, connection: AsyncConnection) -> None:
        for shard in sorted(set(range(SHARDS)) - self.shards):
            got = await row(connection, "select pg_try_advisory_lock(:space, :shard) as got", space=self._space, shard=shard)
            if got and got["got"]:
                self.shards.add(shard)
        depth = await row(connection, _DEPTH)
        if depth:
            self._measures.outbox_depth.set(depth["depth"])
            self._measures.outbox_age.set(float(depth["age"]))

    async def publish_once(self, connection: AsyncConnection) -> int:
        """Publish up to `limit` rows of our shards; how many left."""
        if not self.shards:
            return 0
        owed = [Owed._make(each) for each in await tuples(connection, _NEXT, shards=_array(sorted(self.shards)), limit=self._limit)]
        if not owed:
            return 0
        messages = await self._messages(connection, owed)
        failpoint(f"{self._database.schema}.relay.before_publish")
        await self._broker.publish(messages)
        failpoint(f"{self._database.schema}.relay.after_ack")
        await run(connection, _GONE, seqs=_array([each.seq for each in owed]))
        for topic, count in Counter(each.topic for each in owed).items():
            self._measures.published.labels(topic).inc(count)
        return len(owed)

    async def _messages(self, connection: AsyncConnection, owed: Sequence[Owed]) -> list[Outgoing]:
        buried = [each.dead_letter for each in owed if each.dead_letter]
        copies = await dead_letters.copies(connection, buried, self._sealer) if buried else {}
        return [copies[each.dead_letter] if each.dead_letter else _message(each, self._source) for each in owed]


def _message(owed: Owed, source: str) -> Outgoing:
    key = owed.key.encode()
    headers = (*_constant(source, owed.type), ("ce_id", owed.id.encode()), ("ce_time", owed.time.encode()), ("ce_subject", key))
    if owed.correlation is not None:
        headers = (*headers, ("ce_correlationid", owed.correlation.encode()))
    if owed.traceparent is not None:
        headers = (*headers, ("traceparent", owed.traceparent.encode()))
    return Outgoing(owed.topic, key, owed.payload.encode() or None, headers)


@lru_cache(maxsize=256)
def _constant(source: str, type_: str) -> tuple[tuple[str, bytes], ...]:
    """The headers that all messages of a type share."""
    said = {"ce_specversion": "1.0", "ce_source": source, "ce_type": type_, "content-type": "application/json"}
    return tuple((name, value.encode()) for name, value in said.items())


def _array(numbers: Sequence[int]) -> str:
    """As PostgreSQL writes an array: one parameter, and nothing to quote in it."""
    return f"{{{','.join(map(str, numbers))}}}"
