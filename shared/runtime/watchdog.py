"""Tells how far behind a reader is, and when it has stopped moving although there is something to read and somebody who answers."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from shared.runtime.broker import BrokerAway, Partition, Standing
from shared.runtime.holding import Held
from shared.runtime.measures import Measures

COUNTS_S = 5.0
"""What of the time between two looks counts at most: looks are a second apart unless a commit waits for an absent broker."""


class Asked(Protocol):
    """What of a reader is asked here."""

    async def standing(self) -> Mapping[Partition, Standing]: ...
    async def unread(self, partitions: Collection[Partition]) -> Mapping[Partition, int]: ...


class Stuck(Exception):
    """A partition has records and made no progress although the broker answers: end the process, a fresh one may do better."""

    def __init__(self, topic: str, seconds: float) -> None:
        super().__init__(f"A partition of {topic} with records waiting made no progress for {seconds:.0f} s while the broker answered.")


class Watchdog:
    """`after` seconds without progress, in which the broker answered, are too many. `clock` is the event loop's."""

    def __init__(self, topics: tuple[str, ...], measures: Measures, *, after: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._topics, self._measures, self._after, self._clock = topics, measures, after, clock
        self._watched = clock()

    async def watch(self, reader: Asked, held: Held, *, stopped: Collection[str]) -> None:
        """Look, having asked the broker about what stands still or is of a topic that is `stopped`. Raises BrokerAway, and then the time
        since the last look was no time of ours; nor was more than a few seconds of it, in which the reader waited for somebody else."""
        standing, now = await reader.standing(), self._clock()
        held.waited(since=min(now, self._watched + COUNTS_S), now=now)
        still = [place for place, there in standing.items() if there.behind and now - held.moved.get(place, now) > self._after / 10]
        try:
            unread = await reader.unread([*held.of(stopped), *still])
        except BrokerAway:
            held.waited(since=self._watched, now=self._clock())
            raise
        finally:
            self._watched = self._clock()
        self.look(standing, held, stopped={place: count for place, count in unread.items() if place[0] in stopped}, now=self._watched)

    def look(self, standing: Mapping[Partition, Standing], held: Held, *, stopped: Mapping[Partition, int], now: float) -> None:
        """Publish the lag, also of what is `stopped` on purpose; raises Stuck for a partition of ours that does not move."""
        behind: dict[str, int] = defaultdict(int, dict.fromkeys(self._topics, 0))
        for place, there in standing.items():
            behind[place[0]] += there.behind
            if not there.behind or place not in held.mine:
                held.moved[place] = now
            elif now - held.moved.get(place, now) > self._after:
                raise Stuck(place[0], self._after)
        for place, unread in stopped.items():
            behind[place[0]] += unread
        for topic, count in behind.items():
            self._measures.lag.labels(topic).set(count)
