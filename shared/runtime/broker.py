"""The small interface both brokers keep: Apache Kafka (`kafka`) and the in-memory one of the demo and the tests (`memory`)."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from shared.runtime.errors import AftercallError
from shared.topics import Topic

Partition = tuple[str, int]


class Record(NamedTuple):
    """One record as the log holds it. `logged` is the log's time (aware, UTC). A tuple, because it is made for every one of them."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    logged: datetime

    @property
    def place(self) -> Partition:
        return self[:2]

    @property
    def at(self) -> tuple[str, int, int]:
        return self[:3]


class Outgoing(NamedTuple):
    """One message on its way to a topic; `headers` are UTF-8 text."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """What storing a batch moves: per partition the next offset and how far the log was read, if the reader is still the owner."""

    owner: UUID
    next: Mapping[Partition, int]
    read_to: Mapping[Partition, datetime]


@dataclass(frozen=True, slots=True)
class Standing:
    """`behind` records were not handed out yet, as the fetch reply at `seen` said (this process's clock)."""

    behind: int
    seen: datetime


class NotOurs(Exception):
    """The group gave these partitions to another reader, so the offsets were not committed. Its owner will read on from its own."""


class BrokerAway(AftercallError):
    """The broker did not answer. The world's fault: wait and try again."""


class TopicMissing(AftercallError):
    """A topic does not exist on a broker that answers."""

    def __init__(self, topics: Collection[str]) -> None:
        names = ", ".join(sorted(topics))
        super().__init__(f"The broker has no topic {names}. Create them with `python -m shared.runtime.kafka create-topics`.")


class Listener(Protocol):
    """Told when the group moves partitions. `assigned` must not wait; `revoked` may, within the rebalance timeout."""

    def assigned(self, partitions: Collection[Partition]) -> None: ...

    async def revoked(self, partitions: Collection[Partition]) -> None: ...

    def out_of_range(self, partition: Partition, *, wanted: int, found: int) -> None:
        """The log has nothing at `wanted`: reading goes on at `found`, the earliest there is."""


class Reader(Protocol):
    """A member of a consumer group. A newly assigned partition stays paused until `start_at` says where to read."""

    async def poll(self, *, limit: int, seconds: float, without: Collection[Partition] = ()) -> list[Record]:
        """Up to `limit` records, in offset order per partition, none of them of those `without`; an empty list after `seconds`."""

    def start_at(self, partition: Partition, offset: int | None) -> None:
        """Read on from `offset` (None: from the earliest record there is) and lift the pause."""

    def pause(self, partitions: Collection[Partition]) -> None: ...

    async def committed(self, partition: Partition) -> int | None: ...

    async def commit(self, nexts: Mapping[Partition, int]) -> None:
        """Raises NotOurs where the group has moved on, BrokerAway where nobody answers."""

    async def standing(self) -> Mapping[Partition, "Standing"]:
        """Of each partition being read, how far behind it is; what is not known yet is not in the answer."""

    async def unread(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Of these, paused or not, how many records lie ahead, as the broker itself says. Raises BrokerAway."""

    async def close(self) -> None: ...


class Broker(Protocol):
    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def partitions(self, topics: Collection[str]) -> Mapping[str, int]:
        """How many partitions each topic has; a missing one is not in the answer. Raises BrokerAway."""

    async def create(self, topics: Collection[Topic]) -> None:
        """Create what is missing; what exists is left as it is."""

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Return when every message is acknowledged, in order per key; raises BrokerAway, and then any of them may be in the log."""

    def reader(self, topics: Collection[str], *, group: str, listener: Listener) -> AbstractAsyncContextManager[Reader]: ...

    def tail(self, topic: str) -> AsyncIterator[Record]:
        """What is appended to a topic from now on, outside any group."""
