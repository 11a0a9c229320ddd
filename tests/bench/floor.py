"""The bare floor: poll, decode, one insert of many rows, commit, one message per event, wait for the acknowledgements, commit offsets.

One batch after the other, no logic, no guarantee but at-least-once. What a service adds is seen against it.
"""

import asyncio
import json
from collections.abc import Sequence
from uuid import uuid4

import jiter
import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from tests.bench.clock import Clock, Drained
from tests.bench.servers import Servers

BATCH = 500
OUT = "bench.floor"
TABLE = "create table floor (id uuid primary key, kind text, received timestamptz not null default now(), body jsonb not null)"
_INSERT = """
insert into floor (id, kind, body) select id, kind, body from jsonb_to_recordset(cast(%s as jsonb)) as f(id uuid, kind text, body jsonb)"""


async def drain(servers: Servers, prefix: str, topic: str, *, events: int) -> Drained:
    """All of `topic` into a table of its own, and as many messages onto `bench.floor`."""
    url = servers.databases.fresh().replace("+psycopg", "")
    clock = Clock(servers)
    consumer = AIOKafkaConsumer(
        prefix + topic,
        bootstrap_servers=servers.bootstrap,
        group_id=f"{prefix}floor",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=servers.bootstrap, acks="all", enable_idempotence=True)
    async with consumer, producer, await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(TABLE)
        await connection.commit()
        done = 0
        while done < events:
            fetched = await consumer.getmany(timeout_ms=100, max_records=BATCH)
            records = [record for chunk in fetched.values() for record in chunk]
            if records:
                clock.begins()
                await _store(connection, records)
                acks = [await producer.send(prefix + OUT, record.value, key=record.key) for record in records]
                await asyncio.gather(*acks)
                clock.acked()
                await consumer.commit()
                done += len(records)
        return clock.drained(done)


async def _store(connection: psycopg.AsyncConnection, records: Sequence[ConsumerRecord]) -> None:
    rows = [f'{{"id":"{uuid4()}","kind":{json.dumps(_kind(record.value))},"body":{record.value.decode()}}}' for record in records]
    await connection.execute(_INSERT, (f"[{','.join(rows)}]",))
    await connection.commit()


def _kind(value: bytes) -> str:
    return str(jiter.from_json(value).get("channel"))
