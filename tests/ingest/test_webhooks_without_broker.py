"""The broker away: webhooks are stored as fast as ever, and told once it is back."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx

from ingest.app import build
from ingest.settings import Settings
from shared.runtime.broker import BrokerAway, Listener, Outgoing, Reader
from shared.runtime.memory import MemoryBroker
from shared.runtime.process import serve
from tests.support.ingest import PHONE, call
from tests.support.running import QUICK
from tests.support.signing import STANDARD_SECRET, a_source, standard

CONTACTS = 25
NATIVE = a_source("native", check="standard", secrets=[STANDARD_SECRET])


class Leaving(MemoryBroker):
    """Answers nobody while it is `away`."""

    away = True

    async def partitions(self, topics: Collection[str]) -> Mapping[str, int]:
        self._answer()
        return await super().partitions(topics)

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        self._answer()
        await super().publish(messages)

    @asynccontextmanager
    async def reader(self, topics: Collection[str], *, group: str, listener: Listener) -> AsyncIterator[Reader]:
        self._answer()
        async with super().reader(topics, group=group, listener=listener) as reader:
            yield reader

    def _answer(self) -> None:
        if self.away:
            raise BrokerAway


async def test_without_the_broker_webhooks_are_stored_at_once_and_told_when_it_is_back(ingest_database: str) -> None:
    broker, stop = Leaving(), asyncio.Event()
    sources = [NATIVE.model_dump(exclude_defaults=True)]
    service = build(Settings(database_url=ingest_database, webhook_sources=sources, **QUICK), broker=broker)
    served = asyncio.create_task(serve([service], stop=stop))
    transport = httpx.ASGITransport(service.public)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://x", timeout=5) as client, asyncio.timeout(60):
            away = [await posted(client, n) for n in range(CONTACTS)]
            told = asyncio.create_task(until_told(broker, {f"c-{n}" for n in range(CONTACTS)}))
            broker.away = False
            there = [await posted(client, n) for n in range(CONTACTS, 2 * CONTACTS)]
            await told
    finally:
        stop.set()
        assert await served == 0

    median_ms = {"broker_away": 1e3 * statistics.median(away), "there": 1e3 * statistics.median(there)}
    print(json.dumps({"median_ms": {when: round(each, 1) for when, each in median_ms.items()}}))
    assert max(away) < 5


async def posted(client: httpx.AsyncClient, number: int) -> float:
    """The three events of a contact in one request: how long until they were stored, in seconds."""
    events = call(f"c-{number}", start=datetime.now(UTC) - timedelta(minutes=9), customer={"phone": PHONE})
    sent = standard(NATIVE, body=json.dumps(events).encode(), at=datetime.now(UTC))
    began = time.perf_counter()
    answer = await client.post(sent.path, content=sent.body, headers=sent.headers)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 3), answer.text
    return time.perf_counter() - began


async def until_told(broker: MemoryBroker, refs: set[str]) -> None:
    """Until an interaction of each of these contacts has left."""
    waited_for = set(refs)
    async for record in broker.tail("interactions.completed"):
        waited_for.discard(json.loads(record.value or b"")["ref"])
        if not waited_for:
            return
