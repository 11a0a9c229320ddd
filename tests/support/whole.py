"""A whole topic, from the first record to the last there is now."""

from collections.abc import Collection
from uuid import uuid4

from shared.runtime.broker import Broker, Partition, Record


class _Nobody:
    def __init__(self) -> None:
        self.arriving: set[Partition] = set()

    def assigned(self, partitions: Collection[Partition]) -> None:
        self.arriving.update(partitions)

    async def revoked(self, partitions: Collection[Partition]) -> None:
        self.arriving.difference_update(partitions)

    def out_of_range(self, partition: Partition, *, wanted: int, found: int) -> None:
        raise AssertionError(f"{partition} has nothing at {wanted}")


async def read_all(broker: Broker, topic: str) -> list[Record]:
    listener, found = _Nobody(), []
    async with broker.reader([topic], group=f"whole-{uuid4().hex}", listener=listener) as reader:
        count = (await broker.partitions([topic]))[topic]
        while True:
            for place in list(listener.arriving):
                listener.arriving.discard(place)
                reader.start_at(place, None)
            found += await reader.poll(limit=5000, seconds=0.2)
            standing = await reader.standing()
            if len(standing) == count and not any(each.behind for each in standing.values()):
                return found
