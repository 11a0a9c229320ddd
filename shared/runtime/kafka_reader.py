"""A member of a Kafka consumer group, and what of Kafka's errors passes by itself."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, KafkaTimeoutError, KafkaUnavailableError
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata

from shared.runtime.broker import BrokerAway, Listener, NotOurs, Partition, Record, Standing

log = logging.getLogger("aftercall.kafka")

FETCH_WAIT_MS = 200
_ASK_S = 5.0


@contextmanager
def answering() -> Iterator[None]:
    """What passes by itself becomes BrokerAway; what somebody has to mend (rights, configuration) rises as it is."""
    try:
        yield
    except (KafkaTimeoutError, KafkaUnavailableError, OSError, TimeoutError) as error:
        raise BrokerAway(type(error).__name__) from error
    except KafkaError as error:
        if not error.retriable:
            raise
        raise BrokerAway(type(error).__name__) from error


class KafkaReader:
    def __init__(self, consumer: AIOKafkaConsumer, prefix: str, listener: Listener) -> None:
        self._consumer, self._prefix, self._listener = consumer, prefix, listener
        self._expected: dict[TopicPartition, int] = {}

    def _there(self, partition: Partition) -> TopicPartition:
        return TopicPartition(self._prefix + partition[0], partition[1])

    def here(self, partition: TopicPartition) -> Partition:
        return partition.topic.removeprefix(self._prefix), partition.partition

    def _mine(self, partitions: Collection[Partition]) -> list[TopicPartition]:
        assigned = self._consumer.assignment()
        return [there for partition in partitions if (there := self._there(partition)) in assigned]

    async def poll(self, *, limit: int, seconds: float, without: Collection[Partition] = ()) -> list[Record]:
        wanted = self._consumer.assignment() - {self._there(partition) for partition in without} if without else ()
        if without and not wanted:
            return []
        with answering():
            fetched = await self._consumer.getmany(*wanted, timeout_ms=int(seconds * 1000), max_records=limit)
            await self._look_for_gaps(fetched)
        return [record for there, chunk in fetched.items() for record in as_records(chunk, self.here(there))]

    async def _look_for_gaps(self, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        """aiokafka goes on at the earliest record, without a word, where the log has nothing at the offset we asked for. A gap alone is
        no proof: compaction and transactions leave some."""
        for there, records in fetched.items():
            wanted, found = self._expected.get(there), records[0].offset
            self._expected[there] = records[-1].offset + 1
            if wanted is None or found == wanted:
                continue
            if found < wanted or (await self._consumer.beginning_offsets([there]))[there] > wanted:
                self._listener.out_of_range(self.here(there), wanted=wanted, found=found)

    def start_at(self, partition: Partition, offset: int | None) -> None:
        for there in self._mine([partition]):
            self._expected.pop(there, None)
            if offset is not None:
                self._expected[there] = offset
            self._consumer.seek(there, offset or 0)
            self._consumer.resume(there)

    def pause(self, partitions: Collection[Partition]) -> None:
        if mine := self._mine(partitions):
            self._consumer.pause(*mine)

    async def committed(self, partition: Partition) -> int | None:
        with answering():
            found: int | None = await self._consumer.committed(self._there(partition))
        return found

    async def commit(self, nexts: Mapping[Partition, int]) -> None:
        try:
            with answering():
                await self._consumer.commit({self._there(place): OffsetAndMetadata(offset, "") for place, offset in nexts.items()})
        except (CommitFailedError, IllegalStateError) as error:
            raise NotOurs from error

    async def standing(self) -> Mapping[Partition, Standing]:
        found = {}
        for there in self._consumer.assignment() - self._consumer.paused():
            standing = await self._standing(there)
            if standing is not None:
                found[self.here(there)] = standing
        return found

    async def unread(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        if not (mine := self._mine(partitions)):
            return {}
        try:
            with answering():
                async with asyncio.timeout(_ASK_S):
                    ends = await self._consumer.end_offsets(mine)
                    return {self.here(there): max(0, ends[there] - await self._consumer.position(there)) for there in mine}
        except IllegalStateError:
            return {}  # the group took some of them away meanwhile

    async def _standing(self, there: TopicPartition) -> Standing | None:
        try:
            async with asyncio.timeout(0.05):
                position = await self._consumer.position(there)
            high, stamp = self._consumer.highwater(there), self._consumer.last_poll_timestamp(there)
        except (TimeoutError, IllegalStateError, AssertionError):
            return None
        if high is None or stamp is None:
            return None
        return Standing(max(0, high - position), datetime.fromtimestamp(stamp / 1000, UTC) - timedelta(milliseconds=FETCH_WAIT_MS))

    async def close(self) -> None:
        await self._consumer.stop()


class Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    """aiokafka swallows what these raise, so they only pause and pass on."""

    def __init__(self, reader: KafkaReader, listener: Listener) -> None:
        self._reader, self._listener = reader, listener

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        try:
            await self._listener.revoked([self._reader.here(there) for there in revoked])
        except Exception:
            log.exception("giving up partitions failed; the fence in the database keeps them safe")

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        partitions = [self._reader.here(there) for there in assigned]
        self._reader.pause(partitions)
        self._listener.assigned(partitions)


def as_records(chunk: Iterable[ConsumerRecord], place: Partition) -> Iterator[Record]:
    for found in chunk:
        yield Record(
            *place, found.offset, found.key, found.value, tuple(found.headers), datetime.fromtimestamp(found.timestamp / 1000, UTC)
        )
