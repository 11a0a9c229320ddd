"""One reader of a service's topics: poll, store, and never move past what is not stored.

The database says where to read on and who may store; the broker's offsets follow it on a timer.
"""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from shared.runtime import offsets, waiting
from shared.runtime.applying import Applied, Apply
from shared.runtime.broker import Broker, BrokerAway, NotOurs, Partition, Progress, Reader, Record
from shared.runtime.burying import buried
from shared.runtime.capping import Capping
from shared.runtime.database import Database, cause_of
from shared.runtime.errors import Unprocessable
from shared.runtime.failpoints import failpoint
from shared.runtime.handling import Dispatch
from shared.runtime.holding import Held, among, progress_of
from shared.runtime.in_hand import InHand
from shared.runtime.measures import Measures
from shared.runtime.patience import Patience, Stopped
from shared.runtime.reading import Reading
from shared.runtime.sealing import Sealer
from shared.runtime.watchdog import Watchdog

log = logging.getLogger("aftercall.consumer")


class Consumer:
    """Runs until stopped. An unreachable broker or database is waited for; a topic missing on a broker that answers rises."""

    def __init__(  # noqa: PLR0913  # the composition root names each part once
        self,
        *,
        group: str,
        topics: Sequence[str],
        apply: Apply,
        broker: Broker,
        database: Database,
        sealer: Sealer,
        measures: Measures,
        reading: Reading | None = None,
    ) -> None:
        self.group, self.topics = group, tuple(topics)
        self._apply, self._broker, self._database, self._sealer, self._measures = apply, broker, database, sealer, measures
        self._reading = reading or Reading()
        self._capping = Capping(self.topics, database, measures=measures, limits=self._reading.limits)
        self._watchdog = Watchdog(self.topics, measures, after=self._reading.stuck_after)
        self._owner, self._held = uuid4(), Held()
        self._in_hand = InHand()
        self._buried = partial(buried, database, sealer=sealer, measures=measures)
        self._reader: Reader | None = None
        self._next_look = self._next_commit = self.turned_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        patience, tries = Patience(stop), 0
        with contextlib.suppress(Stopped):
            while not stop.is_set():
                try:
                    async with self._broker.reader(self.topics, group=self.group, listener=self) as reader:
                        tries = 0
                        await self._serve(reader, patience, stop)
                except BrokerAway as away:
                    log.warning("broker away", extra={"cause": str(away)})
                    await patience.pause(tries := tries + 1)

    async def _serve(self, reader: Reader, patience: Patience, stop: asyncio.Event) -> None:
        self._reader = reader
        try:
            if self._reading.watermark:
                await patience.insist(self._know_partitions)
            while not stop.is_set():
                await self._turn(reader, patience)
        finally:
            with contextlib.suppress(NotOurs, BrokerAway, TimeoutError):
                await self._finish(reader)
            with contextlib.suppress(Stopped):
                self._in_hand.forget_ended()
            self._reader = None
            self._held = Held()

    async def _turn(self, reader: Reader, patience: Patience) -> None:
        """Read of partitions that are not being stored, and store it beside what is; with nothing to read, wait for that."""
        if self._held.arriving:
            await self._in_hand.stored()
            await patience.insist(partial(self._take_over, reader))
        seconds = 0.0 if self._in_hand else self._reading.poll
        records = await reader.poll(limit=self._reading.batch, seconds=seconds, without=self._in_hand.places)
        polled = asyncio.get_running_loop().time()
        if records:
            self._in_hand.take(records, self._store(records, patience))
        if not records or self._in_hand.is_full:
            await self._in_hand.stored(asyncio.FIRST_COMPLETED)
        self.turned_at = asyncio.get_running_loop().time()
        self._held.waited(since=polled, now=self.turned_at)
        await self._tick(reader, patience)

    def assigned(self, partitions: Collection[Partition]) -> None:
        self._held.turn += 1
        self._held.arriving.update(partitions)

    def out_of_range(self, partition: Partition, *, wanted: int, found: int) -> None:
        self._measures.out_of_range.labels(partition[0]).inc()
        told = {"topic": partition[0], "partition": partition[1], "offset": wanted, "count": found - wanted}
        log.error("offset out of range: reading on from the earliest record there is", extra=told)

    async def revoked(self, partitions: Collection[Partition]) -> None:
        """Finish the batches in hand, tell the broker how far we are, let go."""
        with contextlib.suppress(TimeoutError, NotOurs, BrokerAway):
            if self._reader:
                await self._finish(self._reader)
        self._held.turn += 1
        self._held.lose(partitions)

    async def _finish(self, reader: Reader) -> None:
        """The batches in hand, whatever becomes of them, and tell the broker how far we are."""
        async with asyncio.timeout(self._reading.drain):
            await self._in_hand.ended()
            await self._commit(reader)

    async def _know_partitions(self) -> None:
        counts = await self._broker.partitions(self.topics)
        async with self._database.transaction() as unit:
            await offsets.know(unit.tx, sorted((topic, number) for topic, count in counts.items() for number in range(count)))

    async def _take_over(self, reader: Reader) -> None:
        """Become the owner in the database, then read on from the lower of its offset and the group's."""
        arriving, turn = sorted(self._held.arriving), self._held.turn
        group = {place: await reader.committed(place) for place in arriving}
        async with self._database.transaction() as unit:
            ours = await offsets.own(unit.tx, arriving, self._owner)
            behind = {place: offset for place, offset in group.items() if offset is not None and offset < ours[place]}
            await offsets.lower(unit.tx, behind, self._owner)
        if turn != self._held.turn:
            return  # the group has spoken meanwhile: what is still arriving is taken over in the next turn
        for place in arriving:
            self._held.mine.add(place)
            self._held.moved[place] = asyncio.get_running_loop().time()
            reader.start_at(place, behind.get(place, ours[place]) or None)
        self._held.arriving.difference_update(arriving)
        await self._follow_caps(reader)
        reader.pause(self._held.of(self._capping.stopped))

    async def _follow_caps(self, reader: Reader) -> None:
        await self._capping.look(
            stop=lambda topics: reader.pause(self._held.of(topics)),
            resume=lambda topics: self._held.arriving.update(self._held.of(topics)),
        )

    async def _store(self, records: Sequence[Record], patience: Patience) -> None:
        with self._measures.batch.time():
            try:
                await self._through(records, patience)
            except Stopped:
                raise
            except Exception as fault:  # noqa: BLE001  # whatever it was, the records one by one show whose fault
                log.warning("batch failed, going record by record", extra={"cause": type(fault).__name__})
                await self._one_by_one(records, patience)
        if (tripped := await patience.insist(self._capping.trip)) and self._reader:
            self._reader.pause(self._held.of(tripped))

    async def _one_by_one(self, records: Sequence[Record], patience: Patience) -> None:
        for record in records:
            try:
                await self._through([record], patience)
            except Stopped:
                raise
            except Exception as fault:  # whatever it was, it is told and kept as a dead letter
                bug = None if isinstance(fault, Unprocessable) else fault
                at = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
                log.warning("record becomes a dead letter", extra=at, exc_info=bug)
                await self._through([record], patience, fault=fault)

    async def _through(self, records: Sequence[Record], patience: Patience, *, fault: Exception | None = None) -> None:
        """Store what is still ours, as often as the world needs; with a `fault`, as dead letters."""

        async def once() -> tuple[Sequence[Record], Progress, Applied]:
            live = among(records, self._held.mine)
            progress = progress_of(live, self._owner)
            if not live:
                return live, progress, Applied(frozenset())
            return live, progress, await (self._buried(live, progress, fault=fault) if fault else self._apply(live, progress))

        self._account(*await patience.insist(once, tried=lambda fault: self._measures.retries.labels(cause_of(fault)).inc()))

    def _account(self, records: Sequence[Record], progress: Progress, applied: Applied) -> None:
        lost = progress.next.keys() - applied.owned
        self._measures.lost.inc(len(lost))
        self._held.lose(lost)
        self._held.arriving.update(lost)  # if the group still means us, we read on from the database; if not, it will say so
        self._held.store(progress.next, applied.owned, now=asyncio.get_running_loop().time())
        owned = among(records, applied.owned)
        self._measures.aged(owned, datetime.now(UTC))
        self._capping.took(owned, applied.dead)

    async def _tick(self, reader: Reader, patience: Patience) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._next_commit:
            self._next_commit = now + self._reading.commit_every
            await patience.attempt(partial(self._commit_if_ours, reader))
            if self._reading.watermark:
                await patience.attempt(partial(self._mark_idle, reader))
        if now >= self._next_look:
            self._next_look = now + self._reading.look_every
            await patience.attempt(partial(self._follow_caps, reader))
            if isinstance(self._apply, Dispatch):
                await patience.attempt(partial(waiting.hand_in_again, self._database, self._apply, self._sealer))
            await patience.attempt(partial(self._watchdog.watch, reader, self._held, stopped=self._capping.stopped))

    async def _commit_if_ours(self, reader: Reader) -> None:
        try:
            await self._commit(reader)
        except NotOurs:
            log.info("commit refused after a rebalance: the new owner reads on")

    async def _commit(self, reader: Reader) -> None:
        ahead = {place: offset for place, offset in self._held.stored.items() if self._held.committed.get(place) != offset}
        if ahead:
            failpoint("consumer.before_offset_commit")
            await reader.commit(ahead)
            self._held.committed.update(ahead)

    async def _mark_idle(self, reader: Reader) -> None:
        unread = self._in_hand.places
        there = await reader.standing()
        unread |= self._in_hand.places
        ends = {place: each.seen for place, each in there.items() if not each.behind and place in self._held.mine - unread}
        if ends:
            async with self._database.transaction() as unit:
                await offsets.idle(unit.tx, ends, clock=datetime.now(UTC), owner=self._owner)
