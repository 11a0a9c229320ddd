"""Batches that are being stored, two at a time, of different partitions: one is read and judged while the database works on the other."""

import asyncio
from collections.abc import Collection, Coroutine, Sequence

from shared.runtime.broker import Partition, Record

AT_ONCE = 2


class InHand:
    def __init__(self) -> None:
        self._batches: dict[asyncio.Task[None], frozenset[Partition]] = {}

    def __bool__(self) -> bool:
        return bool(self._batches)

    @property
    def is_full(self) -> bool:
        return len(self._batches) >= AT_ONCE

    @property
    def places(self) -> frozenset[Partition]:
        return frozenset().union(*self._batches.values())

    def take(self, records: Sequence[Record], storing: Coroutine[None, None, None]) -> None:
        self._batches[asyncio.create_task(storing)] = frozenset(record.place for record in records)

    async def ended(self) -> None:
        """All of them have ended, whatever became of them."""
        if self._batches:
            await asyncio.wait(self._batches)

    async def stored(self, how_many: str = asyncio.ALL_COMPLETED) -> None:
        """All of them, or one at least, are stored. Raises what went wrong with one."""
        if self._batches:
            done, _ = await asyncio.wait(self._batches, return_when=how_many)
            self._forget(done)

    def forget_ended(self) -> None:
        """Raises what went wrong with one."""
        self._forget([task for task in self._batches if task.done()])

    def _forget(self, done: Collection[asyncio.Task[None]]) -> None:
        for task in done:
            self._batches.pop(task, None)
        for task in done:
            task.result()
