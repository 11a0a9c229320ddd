"""The in-memory broker of the demo and the tests: one process, nothing durable.

It keeps the promises of `shared.runtime.broker` (order per partition, groups, rebalancing, commits refused after losing a partition).
"""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.runtime.broker import Listener, NotOurs, Outgoing, Partition, Reader, Record, Standing, TopicMissing
from shared.topics import Topic


def _clock() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Group:
    topics: frozenset[str]
    committed: dict[Partition, int] = field(default_factory=dict)
    members: list["MemoryReader"] = field(default_factory=list)


class MemoryBroker:
    """`clock` gives the log's append time; tests hand in their own."""

    def __init__(self, clock: Callable[[], datetime] = _clock) -> None:
        self.clock = clock
        self.logs: dict[Partition, list[Record]] = {}
        self._groups: dict[str, _Group] = {}
        self._tails: dict[str, list[asyncio.Queue[Record]]] = defaultdict(list)
        self.appended = asyncio.Condition()

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        """Readers close themselves; the log goes with the process."""

    async def partitions(self, topics: Collection[str]) -> Mapping[str, int]:
        counts: dict[str, int] = defaultdict(int)
        for topic, _ in self.logs:
            counts[topic] += topic in topics
        return {topic: count for topic, count in counts.items() if count}

    async def create(self, topics: Collection[Topic]) -> None:
        for topic in topics:
            for partition in range(topic.partitions):
                self.logs.setdefault((topic.name, partition), [])

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        counts = await self.partitions({m.topic for m in messages})
        if missing := {m.topic for m in messages} - counts.keys():
            raise TopicMissing(missing)
        async with self.appended:
            for message in messages:
                self._append(message, zlib.crc32(message.key or b"") % counts[message.topic])
            self.appended.notify_all()

    def _append(self, message: Outgoing, partition: int) -> None:
        log = self.logs[message.topic, partition]
        record = Record(message.topic, partition, len(log), message.key, message.value, message.headers, self.clock())
        log.append(record)
        for tail in self._tails[message.topic]:
            tail.put_nowait(record)

    @asynccontextmanager
    async def reader(self, topics: Collection[str], *, group: str, listener: Listener) -> AsyncIterator[Reader]:
        if missing := set(topics) - (await self.partitions(topics)).keys():
            raise TopicMissing(missing)
        joined = self._groups.setdefault(group, _Group(frozenset(topics)))
        reader = MemoryReader(self, joined, listener)
        await self._rebalance(joined, [*joined.members, reader])
        try:
            yield reader
        finally:
            await reader.close()

    async def leave(self, group: _Group, reader: "MemoryReader") -> None:
        if reader in group.members:
            await self._rebalance(group, [member for member in group.members if member is not reader])

    async def _rebalance(self, group: _Group, members: list["MemoryReader"]) -> None:
        """Eager, as Kafka's classic protocol: everybody gives up everything, then gets a share."""
        for member in group.members:
            await member.give_up()
        group.members = members
        places = sorted(place for place in self.logs if place[0] in group.topics)
        for at, member in enumerate(members):
            member.take(places[at :: len(members)])

    async def tail(self, topic: str) -> AsyncIterator[Record]:
        queue: asyncio.Queue[Record] = asyncio.Queue()
        self._tails[topic].append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._tails[topic].remove(queue)


class MemoryReader:
    def __init__(self, broker: MemoryBroker, group: _Group, listener: Listener) -> None:
        self._broker, self._group, self._listener = broker, group, listener
        self._position: dict[Partition, int] = {}
        self._paused: set[Partition] = set()

    async def give_up(self) -> None:
        if self._position:
            await self._listener.revoked(list(self._position))
        self._position.clear()
        self._paused.clear()

    def take(self, places: Collection[Partition]) -> None:
        self._position = dict.fromkeys(places, 0)
        self._paused = set(places)
        self._listener.assigned(places)

    async def poll(self, *, limit: int, seconds: float, without: Collection[Partition] = ()) -> list[Record]:
        try:
            async with asyncio.timeout(seconds), self._broker.appended:
                while not (found := self._fetch(limit, without)):
                    await self._broker.appended.wait()
                return found
        except TimeoutError:
            return []

    def _fetch(self, limit: int, without: Collection[Partition]) -> list[Record]:
        found: list[Record] = []
        for place, position in self._position.items():
            if place not in self._paused and place not in without and len(found) < limit:
                chunk = self._broker.logs[place][position : position + limit - len(found)]
                self._position[place] += len(chunk)
                found += chunk
        return found

    def start_at(self, partition: Partition, offset: int | None) -> None:
        if partition in self._position:
            wanted = offset or 0
            if wanted > len(self._broker.logs[partition]):
                self._listener.out_of_range(partition, wanted=wanted, found=0)
                wanted = 0
            self._position[partition] = wanted
            self._paused.discard(partition)

    def pause(self, partitions: Collection[Partition]) -> None:
        self._paused.update(p for p in partitions if p in self._position)

    async def committed(self, partition: Partition) -> int | None:
        return self._group.committed.get(partition)

    async def commit(self, nexts: Mapping[Partition, int]) -> None:
        if not nexts.keys() <= self._position.keys():
            raise NotOurs
        self._group.committed.update(nexts)

    async def standing(self) -> Mapping[Partition, Standing]:
        now = self._broker.clock()
        reading = {place: position for place, position in self._position.items() if place not in self._paused}
        return {place: Standing(len(self._broker.logs[place]) - position, now) for place, position in reading.items()}

    async def unread(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        return {place: len(self._broker.logs[place]) - self._position[place] for place in partitions if place in self._position}

    async def close(self) -> None:
        await self._broker.leave(self._group, self)
        self._position.clear()
