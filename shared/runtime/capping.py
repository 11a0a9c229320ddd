"""A topic with too many dead letters is stopped by a row, for every replica and over restarts, until the row is taken away."""

import logging
from collections.abc import Callable, Collection, Container, Iterable
from itertools import groupby

from shared.runtime.broker import Record
from shared.runtime.cap import Cap, Limits
from shared.runtime.database import Database, rows, run
from shared.runtime.measures import Measures

log = logging.getLogger("aftercall.consumer")


class Capping:
    """`stopped` are this reader's topics that must not be read now."""

    def __init__(self, topics: Collection[str], database: Database, *, measures: Measures, limits: Limits) -> None:
        self._database, self._measures, self._limits = database, measures, limits
        self._caps = {topic: Cap(limits) for topic in topics}
        self.stopped: set[str] = set()

    def saw(self, topic: str, *, dead: bool, times: int = 1) -> None:
        self._caps[topic].saw(dead=dead, times=times)

    def took(self, records: Iterable[Record], dead: Container[tuple[str, int, int]]) -> None:
        """These records were stored, those at the places in `dead` as dead letters."""
        for (topic, faulty), those in groupby(records, lambda record: (record.topic, record.at in dead)):
            self.saw(topic, dead=faulty, times=len(list(those)))

    async def trip(self) -> set[str]:
        """Stop what went over its limits; the answer is what was stopped just now."""
        over = {topic: reason for topic, cap in self._caps.items() if topic not in self.stopped and (reason := cap.reason())}
        for topic, reason in over.items():
            async with self._database.transaction() as unit:
                await run(
                    unit.tx,
                    "insert into topic_cap (topic, reason) values (:topic, :reason) on conflict do nothing",
                    topic=topic,
                    reason=reason,
                )
            told = {"service": self._database.schema, "topic": topic, "reason": reason}
            log.error("too many dead letters: topic stopped until `python -m <service> dead-letters resume <topic>`", extra=told)
        self._mark(over.keys(), value=1)
        self.stopped |= over.keys()
        return set(over)

    async def look(self, *, stop: Callable[[set[str]], None], resume: Callable[[set[str]], None]) -> None:
        """Follow the rows: another replica may have stopped a topic, somebody may have resumed one."""
        async with self._database.transaction() as unit:
            tripped = {each["topic"] for each in await rows(unit.tx, "select topic from topic_cap")} & self._caps.keys()
        fresh, gone = tripped - self.stopped, self.stopped - tripped
        self.stopped = tripped
        self._caps.update({topic: Cap(self._limits) for topic in gone})
        self._mark(fresh, value=1)
        self._mark(gone, value=0)
        if fresh:
            stop(fresh)
        if gone:
            resume(gone)

    def _mark(self, topics: Collection[str], *, value: int) -> None:
        for topic in topics:
            self._measures.capped.labels(topic).set(value)
