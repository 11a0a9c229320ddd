"""What falls due: a `due` column on the row it is about, judged by the database's clock, safe with many replicas.

A `Timer` touches only our database and runs in the claiming transaction. A `Leased` one calls outside: claim, commit, call, record.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from shared.runtime.database import Database, Unit
from shared.runtime.measures import Measures
from shared.runtime.patience import Patience, Stopped

log = logging.getLogger("aftercall.timers")

D = TypeVar("D")
T = TypeVar("T")


class Insists(Protocol):
    """How work is done that the world may not allow: `once` in a test, `Patience.insist` in a service."""

    async def __call__(self, work: Callable[[], Awaitable[T]], /) -> T: ...


async def once(work: Callable[[], Awaitable[T]], /) -> T:
    return await work()


@dataclass(frozen=True, slots=True)
class Timer(Generic[D]):
    """`run` claims due rows with `for update skip locked`, does them, and says how many; it is called again at once while there were any.

    `full` says how many it takes in one round, where many cost hardly more than one: after fewer the next round waits for more.
    """

    run: Callable[[Unit, D], Awaitable[int]]
    full: Callable[[D], int] | None = None

    async def round(self, database: Database, deps: D, *, insist: Insists = once) -> int:
        return await insist(partial(self._round, database, deps))

    async def _round(self, database: Database, deps: D) -> int:
        async with database.transaction() as unit:
            return await self.run(unit, deps)


@dataclass(frozen=True, slots=True)
class Leased(Generic[D]):
    """`claim` marks due rows with a lease and hands them out; `call` reaches outside, in no transaction; `record` writes what came of it.

    `call` answers with a value for every outcome and raises only for a bug. It is made once, and its outcome recorded as soon as the world
    allows it. After an expired lease nobody knows whether it was made.
    """

    claim: Callable[[Unit, D], Awaitable[list[Any]]]
    call: Callable[[Any, D], Awaitable[Any]]
    record: Callable[[Unit, Any, Any, D], Awaitable[None]]

    async def round(self, database: Database, deps: D, *, insist: Insists = once) -> int:
        claimed = await insist(partial(self._claim, database, deps))
        await asyncio.gather(*(self._one(database, each, deps, insist=insist) for each in claimed))
        return len(claimed)

    async def _claim(self, database: Database, deps: D) -> list[Any]:
        async with database.transaction() as unit:
            return await self.claim(unit, deps)

    async def _one(self, database: Database, each: Any, deps: D, *, insist: Insists) -> None:  # what claim handed out
        outcome = await self.call(each, deps)
        await insist(partial(self._record, database, each, outcome=outcome, deps=deps))

    async def _record(self, database: Database, each: Any, *, outcome: Any, deps: D) -> None:
        async with database.transaction() as unit:
            await self.record(unit, each, outcome, deps)


class Timers(Generic[D]):
    """Runs a service's timers side by side until stopped; `interval` seconds between looks with little or nothing due."""

    def __init__(
        self, timers: Mapping[str, Timer[D] | Leased[D]], database: Database, deps: D, *, measures: Measures, interval: float = 0.5
    ) -> None:
        self._timers, self._database, self._deps, self._measures, self._interval = timers, database, deps, measures, interval

    async def run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            for name, timer in self._timers.items():
                group.create_task(self._run(name, timer, stop), name=f"timer {name}")

    async def _run(self, name: str, timer: Timer[D] | Leased[D], stop: asyncio.Event) -> None:
        retried = self._measures.timer_retries.labels(name)
        insist: Insists = partial(Patience(stop).insist, tried=lambda _: retried.inc())
        full = timer.full(self._deps) if isinstance(timer, Timer) and timer.full else 1
        with contextlib.suppress(Stopped):
            while not stop.is_set():
                done = await timer.round(self._database, self._deps, insist=insist)
                self._measures.timed.labels(name).inc(done)
                if done < full:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), self._interval)
