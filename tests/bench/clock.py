"""When a contender got its first record and when the last message it owed was acknowledged; the same clock for all of them."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.runtime.broker import Listener, Outgoing, Partition, Reader, Record, Standing
from shared.runtime.kafka import KafkaBroker
from tests.bench.servers import Cpu, Servers


class Batch(NamedTuple):
    """`seconds` from when a reader was handed these records until they were stored, and it asked for more."""

    records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Drained:
    """`seconds` from the first record to the last acknowledgement of a message owed; `cpu` and bytes of `wal` over the same time."""

    events: int
    seconds: float
    cpu: Cpu
    wal: int = 0
    batches: Sequence[Batch] = ()

    @property
    def per_second(self) -> float:
        return self.events / self.seconds


@dataclass(slots=True)
class Clock:
    servers: Servers
    _started: float | None = None
    _cpu: Cpu | None = None
    _wal: int = 0
    _acked: float = 0.0
    batches: list[Batch] = field(default_factory=list)

    def begins(self) -> None:
        """A first record is there; later ones say nothing new."""
        if self._started is None:
            self._wal, self._cpu = self.servers.wal(), self.servers.cpu()
            self._started = time.perf_counter()

    def acked(self) -> None:
        self._acked = time.perf_counter()

    def drained(self, events: int) -> Drained:
        assert self._started is not None
        assert self._cpu is not None
        cpu = self.servers.cpu().since(self._cpu)
        return Drained(events, self._acked - self._started, cpu, self.servers.wal() - self._wal, self.batches)


@dataclass(slots=True)
class Watched:
    """A reader as it is, but for the note of its first record and of how long its batches take."""

    reader: Reader
    clock: Clock
    _handed_out: list[tuple[frozenset[Partition], int, float]] = field(default_factory=list)

    async def poll(self, *, limit: int, seconds: float, without: Collection[Partition] = ()) -> list[Record]:
        self._note_stored(frozenset(without))
        records = await self.reader.poll(limit=limit, seconds=seconds, without=without)
        if records:
            self.clock.begins()
            self._handed_out.append((frozenset(record.place for record in records), len(records), time.perf_counter()))
        return records

    def _note_stored(self, being_stored: frozenset[Partition]) -> None:
        now = time.perf_counter()
        stored = [each for each in self._handed_out if not each[0] & being_stored]
        self.clock.batches += [Batch(count, now - at) for _, count, at in stored]
        self._handed_out = [each for each in self._handed_out if each not in stored]

    def start_at(self, partition: Partition, offset: int | None) -> None:
        self.reader.start_at(partition, offset)

    def pause(self, partitions: Collection[Partition]) -> None:
        self.reader.pause(partitions)

    async def committed(self, partition: Partition) -> int | None:
        return await self.reader.committed(partition)

    async def commit(self, nexts: Mapping[Partition, int]) -> None:
        await self.reader.commit(nexts)

    async def standing(self) -> Mapping[Partition, Standing]:
        return await self.reader.standing()

    async def unread(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        return await self.reader.unread(partitions)

    async def close(self) -> None:
        await self.reader.close()


@dataclass
class Owed:
    """So many messages on that topic, and then it is done."""

    topic: str
    messages: int
    published: Counter[str] = field(default_factory=Counter)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, messages: Sequence[Outgoing]) -> None:
        self.published.update(message.topic for message in messages)
        if self.published[self.topic] >= self.messages:
            self.done.set()


class ClockedKafka(KafkaBroker):
    """The broker that services run with, under the clock."""

    def __init__(self, servers: Servers, *, prefix: str, owed: Owed) -> None:
        super().__init__(servers.bootstrap, prefix=prefix)
        self.clock, self._owed = Clock(servers), owed

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        await super().publish(messages)
        self.clock.acked()
        self._owed.count(messages)

    @asynccontextmanager
    async def reader(self, topics: Collection[str], *, group: str, listener: Listener) -> AsyncIterator[Reader]:
        async with super().reader(topics, group=group, listener=listener) as reader:
            yield Watched(reader, self.clock)
