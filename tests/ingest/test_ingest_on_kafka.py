"""Ingest over a real Apache Kafka: legs of one contact in several topics and partitions, and a reader that starts in a backlog."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.runtime.broker import Outgoing
from shared.runtime.kafka import KafkaBroker
from shared.topics import DEAD_TOPICS, LIVE
from tests.support.ingest import PHONE, Json, call
from tests.support.running import running

pytestmark = pytest.mark.kafka
START = datetime.now(UTC) - timedelta(hours=2)


async def test_a_backlog_over_topics_and_partitions_ends_in_one_whole_interaction_each(ingest_database: str, kafka_servers: str) -> None:
    """Everything is in the log before anybody reads: no contact may be told of before its later legs are read."""
    broker = KafkaBroker(kafka_servers, prefix=f"t{uuid4().hex[:8]}-")
    await broker.start()
    await broker.create([*LIVE, *DEAD_TOPICS.values()])
    contacts = [call(f"c-{n}", start=START, customer={"phone": PHONE}, agents=("a-1", "a-2", "a-3")) for n in range(40)]
    topics = ("interactions.phone", "interactions.web", "interactions.chat")
    for n, event in enumerate(event for events in contacts for event in events):
        await broker.publish([Outgoing(topics[n % 3], str(n).encode(), json.dumps(event).encode(), ())])

    async with asyncio.timeout(60), running(ingest_database, broker) as read:
        told: list[Json] = []
        while len(told) < len(contacts):
            told = await read("select payload from interaction order by created")
            await asyncio.sleep(0.2)

    assert {each["payload"]["ref"] for each in told} == {f"c-{n}" for n in range(40)}
    assert {(each["payload"]["revision"], each["payload"]["agent"], each["payload"]["transfers"]) for each in told} == {(1, "a-3", 2)}
