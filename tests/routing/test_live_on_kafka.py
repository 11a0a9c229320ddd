"""The live console's tail on a real Apache Kafka: from the end, and over as soon as it is told."""

import asyncio
import contextlib
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from routing.console.live import TOPIC, Client, Live, Told
from shared.runtime.broker import Outgoing
from shared.runtime.kafka import KafkaBroker
from shared.schemas import By, CallbackChanged
from shared.topics import TOPICS

pytestmark = pytest.mark.kafka


def changed() -> CallbackChanged:
    now = datetime.now(UTC)
    return CallbackChanged(
        case_id=uuid4(),
        revision=1,
        change="opened",
        at=now,
        by=By(kind="system", ref="routing"),
        state="open",
        route="call",
        consent_basis="implied",
        arm="call",
        arm_rate=1.0,
        opened_at=now,
        first_answered_at=now,
        due_at=now,
        overdue=False,
        team="birch",
        priority=40,
        level="normal",
        attempts=0,
        policy_version=1,
    )


async def test_what_is_published_is_told_and_the_task_ends_when_told(kafka_servers: str) -> None:
    broker = KafkaBroker(kafka_servers, prefix=f"t{uuid4().hex}.")
    await broker.create([TOPICS[TOPIC]])
    before, after, stop = changed(), changed(), asyncio.Event()
    await broker.publish([_outgoing(before)])
    live = Live(broker, clients=9)
    running = asyncio.create_task(live.run(stop))

    with live.connected(None, last_id=live._id()) as client:
        async with asyncio.timeout(30):
            told = await _first(client, broker, after)
    stop.set()
    async with asyncio.timeout(10):
        await running
    await broker.stop()

    assert told.change is not None
    assert told.change.case_id == after.case_id


async def _first(client: Client, broker: KafkaBroker, message: CallbackChanged) -> Told:
    """What the client is told first, however long the tail takes to stand at the end."""
    while True:
        await broker.publish([_outgoing(message)])
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(client.waiting.get(), 0.5)


def _outgoing(message: CallbackChanged) -> Outgoing:
    return Outgoing(TOPIC, str(message.case_id).encode(), message.encode(), ())
