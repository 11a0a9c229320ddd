"""Apache Kafka by aiokafka, with the settings our guarantees need (its defaults are others).

`python -m shared.runtime.kafka create-topics` creates what is missing on `AFTERCALL_KAFKA_BOOTSTRAP`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.runtime.broker import Listener, Outgoing, Reader, Record, TopicMissing
from shared.runtime.kafka_reader import FETCH_WAIT_MS, KafkaReader, Rebalance, answering, as_records
from shared.runtime.kafka_writer import BATCH_BYTES, LARGEST_DEAD, hand_in
from shared.runtime.settings import ServiceSettings
from shared.topics import DEAD, DEAD_TOPICS, TOPICS, Topic

_REBALANCE_MS = 60_000
_PUBLISH_SECONDS = 30.0


def _refused(codes: Mapping[str, int]) -> None:
    for topic, code in codes.items():
        if code not in (0, TopicAlreadyExistsError.errno):
            raise for_code(code)(f"The broker did not create {topic}")


class KafkaBroker:
    """One producer, any number of readers. `prefix` goes before every topic's name on the broker and is not seen inside.

    After `session_s` seconds without a sign of life a reader's partitions go to the others.
    """

    def __init__(self, bootstrap: str, *, prefix: str = "", client: str = "aftercall", session_s: float = 30.0) -> None:
        self._bootstrap, self._prefix, self._client, self._session_s = bootstrap, prefix, client, session_s
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connecting is done when first needed: an unreachable broker is waited for, not died of."""

    async def stop(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await producer.stop()

    async def partitions(self, topics: Collection[str]) -> Mapping[str, int]:
        with answering():
            async with self._admin() as admin:
                described = await admin.describe_topics()
        there = {self._own(found["topic"]): len(found["partitions"]) for found in described}
        return {topic: there[topic] for topic in topics if topic in there}

    async def create(self, topics: Collection[Topic]) -> None:
        with answering():
            async with self._admin() as admin:
                existing = set(await admin.list_topics())
                copies = min(3, len((await admin.describe_cluster())["brokers"]))
                missing = [self._new(topic, copies) for topic in topics if self._prefix + topic.name not in existing]
                if missing:
                    answer = (await admin.create_topics(missing)).to_object()
                    _refused({each["topic"]: each["error_code"] for each in answer["topic_errors"]})

    def _new(self, topic: Topic, copies: int) -> NewTopic:
        settings = {"cleanup.policy": "compact" if topic.compacted else "delete"}
        if not topic.compacted:
            settings["retention.ms"] = str(int(topic.retention.total_seconds() * 1000))
        if topic.raw:
            settings["message.timestamp.type"] = "LogAppendTime"
        if topic.name.endswith(DEAD):
            settings["max.message.bytes"] = str(LARGEST_DEAD)
        return NewTopic(self._prefix + topic.name, topic.partitions, copies, topic_configs=settings)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, client_id=self._client, request_timeout_ms=10_000)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()

    def _own(self, name: str) -> str:
        return name.removeprefix(self._prefix)

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        with answering():
            producer = await self._connected()
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await asyncio.gather(*[ack async for ack in hand_in(producer, messages, prefix=self._prefix)])

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                client_id=self._client,
                acks="all",
                enable_idempotence=True,
                max_batch_size=BATCH_BYTES,
                request_timeout_ms=int(_PUBLISH_SECONDS * 1000),
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    @asynccontextmanager
    async def reader(self, topics: Collection[str], *, group: str, listener: Listener) -> AsyncIterator[Reader]:
        names = [self._prefix + topic for topic in topics]
        if missing := set(topics) - (await self.partitions(topics)).keys():
            raise TopicMissing(missing)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client,
            group_id=self._prefix + group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(self._session_s * 1000),
            heartbeat_interval_ms=int(self._session_s * 100),
            rebalance_timeout_ms=_REBALANCE_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            metadata_max_age_ms=60_000,
        )
        reader = KafkaReader(consumer, self._prefix, listener)
        consumer.subscribe(names, listener=Rebalance(reader, listener))
        try:
            with answering():
                await consumer.start()
            yield reader
        finally:
            await reader.close()

    async def tail(self, topic: str) -> AsyncIterator[Record]:
        consumer = AIOKafkaConsumer(
            self._prefix + topic,
            bootstrap_servers=self._bootstrap,
            client_id=self._client,
            auto_offset_reset="latest",
            enable_auto_commit=False,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )
        try:
            with answering():
                await consumer.start()
                await consumer.seek_to_end()
                async for found in consumer:
                    for record in as_records([found], (topic, found.partition)):
                        yield record
        finally:
            await consumer.stop()


async def _create_topics() -> None:
    settings = ServiceSettings()
    await KafkaBroker(settings.kafka_bootstrap, prefix=settings.topic_prefix).create([*TOPICS.values(), *DEAD_TOPICS.values()])


if __name__ == "__main__":
    if sys.argv[1:] != ["create-topics"]:
        sys.exit("Usage: python -m shared.runtime.kafka create-topics")
    asyncio.run(_create_topics())
