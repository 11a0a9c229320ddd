"""The whole service, as the process runs it, over PostgreSQL and the in-memory broker."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from shared.runtime.broker import Broker, Outgoing
from shared.runtime.memory import MemoryBroker
from shared.topics import DEAD_TOPICS, LIVE
from tests.support.ingest import PHONE, Json, call
from tests.support.running import running


async def test_a_call_on_the_topic_comes_out_as_an_interaction_of_a_known_customer(ingest_database: str) -> None:
    broker, start = MemoryBroker(), datetime.now(UTC) - timedelta(minutes=10)
    await broker.create([*LIVE, *DEAD_TOPICS.values()])
    async with asyncio.timeout(20), running(ingest_database, broker):
        told = asyncio.create_task(_first(broker, "interactions.completed"))
        changed = asyncio.create_task(_first(broker, "customers.changed"))
        await asyncio.sleep(0)
        profile = {"profile_id": "1", "member_id": "M-1", "at": "2026-11-01T10:00:00Z", "addresses": [{"kind": "phone", "value": PHONE}]}
        await broker.publish([_record("customers.profiles", profile)])
        customer = (await changed)["customer"]
        await broker.publish([_record("interactions.phone", each) for each in call("c-1", start=start, customer={"phone": PHONE})])

        assert (await told)["customer"]["customer_id"] == customer["customer_id"]


async def test_a_bad_record_leaves_by_the_dead_letter_topic_and_the_others_go_on(ingest_database: str) -> None:
    broker, start = MemoryBroker(), datetime.now(UTC) - timedelta(minutes=10)
    await broker.create([*LIVE, *DEAD_TOPICS.values()])
    async with asyncio.timeout(20), running(ingest_database, broker):
        dead = asyncio.create_task(_raw(broker, "interactions.phone.dead"))
        told = asyncio.create_task(_first(broker, "interactions.completed"))
        await asyncio.sleep(0)
        good = call("c-1", start=start, customer={"phone": PHONE})
        await broker.publish(
            [_record("interactions.phone", {**good[0], "contact": None}), *(_record("interactions.phone", each) for each in good)]
        )

        assert json.loads(await dead)["contact"] is None
        assert (await told)["ref"] == "c-1"


async def _first(broker: Broker, topic: str) -> Json:
    found: Json = json.loads(await _raw(broker, topic))
    return found


async def _raw(broker: Broker, topic: str) -> bytes:
    async for record in broker.tail(topic):
        return record.value or b""
    raise AssertionError(f"{topic} ended")


def _record(topic: str, body: object) -> Outgoing:
    return Outgoing(topic, b"k", json.dumps(body).encode(), ())
