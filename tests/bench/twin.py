"""The twin: the usual program with the same guarantees, one record at a time, on FastStream and SQLAlchemy.

Every record is one transaction of inbox, row and outbox; its message is published and acknowledged, its outbox row deleted, its
offset committed, and only then the next one is read. It has none of a service's rules, which is in its favour.
"""

import asyncio
import json
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.bench.clock import Clock, Drained
from tests.bench.servers import Servers

OUT = "bench.twin"
TABLES = (
    "create table inbox (id text primary key)",
    "create table fact (id text primary key, received timestamptz not null default now(), body jsonb not null)",
    "create table outbox (id uuid primary key default uuidv7(), key text, payload text not null)",
)
_TAKE = text("insert into inbox (id) values (:id) on conflict do nothing returning id")
_KEEP = text("insert into fact (id, body) values (:id, cast(:body as jsonb))")
_OWE = text("insert into outbox (key, payload) values (:key, :payload) returning id")
_GONE = text("delete from outbox where id = :id")


async def drain(servers: Servers, prefix: str, topic: str, *, events: int) -> Drained:
    """The first `events` records of `topic`."""
    engine = create_async_engine(servers.databases.fresh())
    async with engine.begin() as connection:
        for table in TABLES:
            await connection.execute(text(table))
    clock, enough = Clock(servers), asyncio.Event()
    broker = KafkaBroker(servers.bootstrap, acks="all", enable_idempotence=True, logger=None)
    done = 0

    @broker.subscriber(prefix + topic, group_id=f"{prefix}twin", auto_offset_reset="earliest", ack_policy=AckPolicy.NACK_ON_ERROR)
    async def take(body: dict[str, Any], message: KafkaMessage) -> None:
        nonlocal done
        if enough.is_set():
            return
        clock.begins()
        await _one(engine, broker, body, message, to=prefix + OUT)
        clock.acked()
        done += 1
        if done >= events:
            enough.set()

    async with broker:
        await broker.start()
        await enough.wait()
        drained = clock.drained(done)
    await engine.dispose()
    return drained


async def _one(engine: AsyncEngine, broker: KafkaBroker, body: dict[str, Any], message: KafkaMessage, *, to: str) -> None:
    record, payload = message.raw_message, json.dumps(body)
    assert not isinstance(record, tuple)  # one record, not a batch
    name, key = f"{record.partition}-{record.offset}", (record.key or b"").decode()
    async with engine.begin() as connection:
        fresh = (await connection.execute(_TAKE, {"id": name})).scalar_one_or_none()
        if fresh is None:
            return
        await connection.execute(_KEEP, {"id": name, "body": payload})
        owed = (await connection.execute(_OWE, {"key": key, "payload": payload})).scalar_one()
    await broker.publish(payload, topic=to, key=key.encode(), headers={"ce_id": name, "ce_type": "bench.twin"})
    async with engine.begin() as connection:
        await connection.execute(_GONE, {"id": owed})
