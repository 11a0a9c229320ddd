"""Two batches are stored side by side, never two of one partition, and what is not stored yet counts as unread."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from shared.runtime.applying import Applied
from shared.runtime.broker import Partition, Progress, Record
from shared.runtime.consumer import Consumer
from shared.runtime.database import rows
from shared.runtime.memory import MemoryBroker
from shared.runtime.reading import Reading
from shared.topics import DEAD_TOPICS, TOPICS
from tests.support.toy import INPUT, Toy, answer, create_tables

KEYS = ("a", "b", "c", "d")


@dataclass
class Slow:
    """Stores nothing; a batch ends when `may_end` says so of its partitions."""

    may_end: Callable[["Slow", set[Partition]], bool]
    going_on: list[set[Partition]] = field(default_factory=list)
    most: int = 0
    mixed: bool = False
    seen: list[Record] = field(default_factory=list)
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, records: Sequence[Record], progress: Progress | None, *, again: bool = False) -> Applied:
        places = {record.place for record in records}
        self.mixed = self.mixed or any(places & others for others in self.going_on)
        async with self.moved:
            self.going_on.append(places)
            self.most = max(self.most, len(self.going_on))
            self.moved.notify_all()
            await self.moved.wait_for(lambda: self.may_end(self, places))
            self.going_on.remove(places)
            self.seen += records
            self.moved.notify_all()
        return Applied(frozenset(places))

    async def until(self, there: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self.moved:
            await self.moved.wait_for(there)


@pytest.fixture
async def toy(database_url: str) -> AsyncIterator[Toy]:
    await create_tables(database_url)
    broker = MemoryBroker()
    await broker.create([*TOPICS.values(), *DEAD_TOPICS.values()])
    made = Toy(database_url, broker)
    yield made
    await made.database.close()


@asynccontextmanager
async def reading(toy: Toy, slow: Slow, settings: Reading) -> AsyncIterator[None]:
    consumer = Consumer(
        group="slow", topics=[INPUT], apply=slow, reading=settings, broker=toy.broker, database=toy.database, sealer=toy.sealer,
        measures=toy.measures,
    )  # fmt: skip
    stop = asyncio.Event()
    running = asyncio.create_task(consumer.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def test_batches_of_different_partitions_are_stored_at_the_same_time_and_each_partition_in_order(toy: Toy) -> None:
    await toy.broker.publish([answer(n, key=key) for n in range(40) for key in KEYS])
    slow = Slow(lambda self, _: self.most > 1)
    async with reading(toy, slow, Reading(batch=7)):
        await slow.until(lambda: len(slow.seen) == 40 * len(KEYS))

    assert (slow.most, slow.mixed) == (2, False)
    for place in {record.place for record in slow.seen}:
        offsets = [record.offset for record in slow.seen if record.place == place]
        assert offsets == list(range(len(offsets)))


async def test_a_partition_whose_last_batch_is_not_stored_yet_is_not_marked_as_read(toy: Toy) -> None:
    await toy.broker.publish([answer(1, key="a"), answer(2, key="b")])
    held, stuck = asyncio.Event(), set[Partition]()

    def may_end(slow: Slow, places: set[Partition]) -> bool:
        stuck.update(places if not stuck else ())
        return held.is_set() or not places & stuck

    slow = Slow(may_end)
    async with reading(toy, slow, Reading(batch=1, commit_every=0.001, watermark=True)):
        await slow.until(lambda: len(slow.seen) == 1)
        await toy.until("select least(1, count(*)) as count from consumer_offset where read_to > '-infinity'", 1)
        async with toy.database.autocommit() as tx:
            marked = {(each["topic"], each["partition"]) for each in await rows(tx, MARKED)}
        held.set()
        async with slow.moved:
            slow.moved.notify_all()
        await slow.until(lambda: len(slow.seen) == 2)

    assert marked
    assert not marked & stuck


MARKED = "select topic, partition from consumer_offset where read_to > '-infinity'"
