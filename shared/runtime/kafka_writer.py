"""From messages to Kafka's own batches: one per partition and publication costs a third of what the producer's `send` does per message."""

import secrets
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.runtime.broker import Outgoing, Partition
from shared.runtime.errors import AftercallError
from shared.topics import DEAD

BATCH_BYTES = 256 * 1024
LARGEST = 1_048_588
"""Bytes of a batch, and so of a message, that a topic takes: Kafka's own default."""
LARGEST_DEAD = 2 * LARGEST
"""A dead letter's copy is its original and what we say of it."""


class TooLarge(AftercallError):
    """Refused before the broker sees it: what the broker itself refuses breaks the producer's numbering for good."""

    def __init__(self, topic: str, size: int) -> None:
        super().__init__(f"A message for {topic} takes {size:,} bytes, and the topic takes {largest(topic):,}.")


def largest(topic: str) -> int:
    return LARGEST_DEAD if topic.endswith(DEAD) else LARGEST


def partition_of(key: bytes | None, count: int) -> int:
    """By CRC-32, as librdkafka's `consistent` partitioner does; what has no key has no order to keep, and goes anywhere."""
    return zlib.crc32(key) % count if key is not None else secrets.randbelow(count)


async def hand_in(producer: AIOKafkaProducer, messages: Sequence[Outgoing], *, prefix: str) -> AsyncIterator[Awaitable[object]]:
    """In order per partition; each batch's acknowledgement can be awaited."""
    counts = {topic: len(await producer.partitions_for(prefix + topic)) for topic in {message.topic for message in messages}}
    for (topic, partition), mine in _by_partition(messages, counts).items():
        for batch in _batches(producer, mine):
            if batch.size() > largest(topic):
                raise TooLarge(topic, batch.size())
            yield await producer.send_batch(batch, prefix + topic, partition=partition)


def _by_partition(messages: Iterable[Outgoing], counts: Mapping[str, int]) -> Mapping[Partition, list[Outgoing]]:
    found: dict[Partition, list[Outgoing]] = defaultdict(list)
    for message in messages:
        found[message.topic, partition_of(message.key, counts[message.topic])].append(message)
    return found


def _batches(producer: AIOKafkaProducer, messages: Iterable[Outgoing]) -> Iterator[BatchBuilder]:
    """Full ones and a last one, closed, so that nothing waits for more; a message larger than a batch has one for itself."""
    batch = producer.create_batch()
    for message in messages:
        if not _fits(batch, message):
            yield batch
            batch = producer.create_batch()
            _fits(batch, message)
    batch.close()
    yield batch


def _fits(batch: BatchBuilder, message: Outgoing) -> bool:
    """An empty batch takes any message; one that does not fit closes it."""
    return batch.append(timestamp=None, key=message.key, value=message.value, headers=list(message.headers)) is not None
