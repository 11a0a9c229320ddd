"""One behaviour, two brokers: what the in-memory one promises is what Apache Kafka does."""

import asyncio
from collections.abc import AsyncIterator, Collection
from uuid import uuid4

import pytest

from shared.runtime.broker import Broker, NotOurs, Outgoing, Partition, Reader, Record, TopicMissing
from shared.runtime.kafka import KafkaBroker
from shared.runtime.kafka_writer import LARGEST, TooLarge, partition_of
from shared.runtime.memory import MemoryBroker
from shared.topics import Topic

TOPIC = Topic("tests.things", "any", (), ("tests",), ("tests",), partitions=4, raw=True)


class Watching:
    """A listener that takes every partition from where the group stands."""

    def __init__(self) -> None:
        self.reader: Reader | None = None
        self.held: set[Partition] = set()
        self.arriving: set[Partition] = set()
        self.out: list[tuple[Partition, int, int]] = []

    def assigned(self, partitions: Collection[Partition]) -> None:
        self.arriving.update(partitions)

    async def revoked(self, partitions: Collection[Partition]) -> None:
        self.held.difference_update(partitions)

    def out_of_range(self, partition: Partition, *, wanted: int, found: int) -> None:
        self.out.append((partition, wanted, found))

    async def settle(self, reader: Reader) -> None:
        arriving, self.arriving = self.arriving, set()
        for place in arriving:
            reader.start_at(place, await reader.committed(place))
            self.held.add(place)

    async def read(self, reader: Reader, wanted: int, *, seconds: float = 20) -> list[Record]:
        found: list[Record] = []
        async with asyncio.timeout(seconds):
            while len(found) < wanted:
                await self.settle(reader)
                found += await reader.poll(limit=100, seconds=0.1)
        return found


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    made: Broker = (
        MemoryBroker() if request.param == "memory" else KafkaBroker(request.getfixturevalue("kafka_servers"), prefix=f"t{uuid4().hex}.")
    )
    await made.start()
    yield made
    await made.stop()


def thing(key: str, value: str) -> Outgoing:
    return Outgoing(TOPIC.name, key.encode(), value.encode(), (("n", value.encode()),))


async def test_a_topic_created_twice_is_there_once_and_a_missing_one_is_not_in_the_answer(broker: Broker) -> None:
    await broker.create([TOPIC])
    await broker.create([TOPIC])
    assert await broker.partitions([TOPIC.name, "tests.nowhere"]) == {TOPIC.name: 4}


async def test_reading_a_missing_topic_is_refused_with_the_command_that_mends_it(broker: Broker) -> None:
    with pytest.raises(TopicMissing, match="create-topics"):
        async with broker.reader(["tests.nowhere"], group="g", listener=Watching()):
            raise AssertionError("a reader of nothing")


async def test_records_of_a_key_come_back_in_order_with_key_value_headers_and_the_logs_time(broker: Broker) -> None:
    await broker.create([TOPIC])
    await broker.publish([thing(f"k{n % 7}", str(n)) for n in range(100)])
    watching = Watching()
    async with broker.reader([TOPIC.name], group="g", listener=watching) as reader:
        found = await watching.read(reader, 100)
    by_key: dict[bytes | None, list[int]] = {}
    for record in found:
        by_key.setdefault(record.key, []).append(int(record.value or b""))
        assert record.headers == (("n", record.value),)
        assert record.logged.tzinfo is not None
    assert sorted(n for numbers in by_key.values() for n in numbers) == list(range(100))
    assert all(numbers == sorted(numbers) for numbers in by_key.values())


async def test_a_group_reads_on_from_what_it_committed(broker: Broker) -> None:
    await broker.create([TOPIC])
    await broker.publish([thing("one", str(n)) for n in range(6)])
    watching = Watching()
    async with broker.reader([TOPIC.name], group="g", listener=watching) as reader:
        found = await watching.read(reader, 6)
        await reader.commit({found[0].place: found[0].offset + 4})
    again = Watching()
    async with broker.reader([TOPIC.name], group="g", listener=again) as reader:
        assert [record.value for record in await again.read(reader, 2)] == [b"4", b"5"]


async def test_a_paused_partition_gives_nothing_until_it_is_started_again(broker: Broker) -> None:
    await broker.create([TOPIC])
    watching = Watching()
    async with broker.reader([TOPIC.name], group="g", listener=watching) as reader:
        await broker.publish([thing("one", "0")])
        first = (await watching.read(reader, 1))[0]
        reader.pause([first.place])
        await broker.publish([thing("one", "1")])
        assert await reader.poll(limit=10, seconds=0.5) == []
        assert await reader.unread([first.place]) == {first.place: 1}
        reader.start_at(first.place, first.offset + 1)
        assert [record.value for record in await watching.read(reader, 1)] == [b"1"]


async def test_an_offset_beyond_the_log_starts_from_the_earliest_and_says_so(broker: Broker) -> None:
    await broker.create([TOPIC])
    await broker.publish([thing("one", str(n)) for n in range(3)])
    watching = Watching()
    async with broker.reader([TOPIC.name], group="g", listener=watching) as reader:
        place = (await watching.read(reader, 3))[0].place
        reader.start_at(place, 10_000)
        assert [record.value for record in await watching.read(reader, 3)] == [b"0", b"1", b"2"]
        assert watching.out == [(place, 10_000, 0)]


async def test_a_second_reader_takes_a_share_and_the_first_may_not_commit_it_any_more(broker: Broker) -> None:
    await broker.create([TOPIC])
    await broker.publish([thing(f"k{n}", str(n)) for n in range(20)])
    first, second = Watching(), Watching()
    async with broker.reader([TOPIC.name], group="g", listener=first) as one:
        found = await first.read(one, 20)
        async with broker.reader([TOPIC.name], group="g", listener=second) as two:
            async with asyncio.timeout(20):
                while len(first.held) != 2 or len(second.held) != 2:
                    await one.poll(limit=10, seconds=0.1)
                    await two.poll(limit=10, seconds=0.1)
                    await first.settle(one)
                    await second.settle(two)
            assert not first.held & second.held
            gone = next(record for record in found if record.place in second.held)
            with pytest.raises(NotOurs):
                await one.commit({gone.place: gone.offset + 1})


async def test_a_reader_at_the_end_knows_it(broker: Broker) -> None:
    await broker.create([TOPIC])
    await broker.publish([thing("one", "0")])
    watching = Watching()
    async with broker.reader([TOPIC.name], group="g", listener=watching) as reader:
        await watching.read(reader, 1)
        async with asyncio.timeout(20):
            while len(standing := await reader.standing()) < TOPIC.partitions or any(each.behind for each in standing.values()):
                await reader.poll(limit=10, seconds=0.1)


async def test_a_tail_sees_only_what_comes_after_it(broker: Broker) -> None:
    await broker.create([TOPIC])
    await broker.publish([thing("one", "before")])
    tail = broker.tail(TOPIC.name)
    first = asyncio.ensure_future(anext(tail))
    async with asyncio.timeout(20):
        while not first.done():
            await asyncio.sleep(0.3)
            await broker.publish([thing("one", "after")])
    assert first.result().value == b"after"
    await tail.aclose()  # type: ignore[attr-defined]  # both brokers' tails are async generators


@pytest.mark.kafka
async def test_a_message_too_large_for_its_topic_is_refused_and_the_next_ones_pass(kafka_servers: str) -> None:
    broker = KafkaBroker(kafka_servers, prefix=f"t{uuid4().hex}.")
    await broker.create([TOPIC, TOPIC.dead()])
    large = bytes(LARGEST)
    with pytest.raises(TooLarge, match=r"tests\.things"):
        await broker.publish([Outgoing(TOPIC.name, b"one", large, ())])
    await broker.publish([Outgoing(f"{TOPIC.name}.dead", b"one", large, ()), Outgoing(TOPIC.name, b"one", bytes(LARGEST // 2), ())])
    await broker.publish([thing("one", str(n)) for n in range(3)])
    async with broker.reader([TOPIC.name], group="g", listener=(watching := Watching())) as reader:
        found = await watching.read(reader, 4)
    assert [len(record.value or b"") for record in found] == [LARGEST // 2, 1, 1, 1]
    await broker.stop()


def test_equal_keys_share_a_partition_and_many_keys_use_them_all() -> None:
    places = [partition_of(f"k{n}".encode(), 12) for n in range(1_000)]

    assert places == [partition_of(f"k{n}".encode(), 12) for n in range(1_000)]
    assert set(places) == {partition_of(None, 12) for _ in range(1_000)} == set(range(12))
