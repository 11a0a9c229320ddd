"""Tells how far behind a reader is, and when it has stopped moving although there is something to read and somebody who answers."""

from collections import defaultdict
from collections.abc import Mapping

from shared.runtime.broker import Partition, Standing
from shared.runtime.holding import Held
from shared.runtime.measures import Measures


class Stuck(Exception):
    """A partition has records and made no progress although the broker answers: end the process, a fresh one may do better."""

    def __init__(self, topic: str, seconds: float) -> None:
        super().__init__(f"A partition of {topic} with records waiting made no progress for {seconds:.0f} s while the broker answered.")


class Watchdog:
    """`after` seconds without progress are too many."""

    def __init__(self, topics: tuple[str, ...], measures: Measures, *, after: float) -> None:
        self._topics, self._measures, self._after = topics, measures, after

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
