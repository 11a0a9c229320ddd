"""What a timer does when the world does not let it."""

import asyncio
from collections.abc import Iterator
from typing import Literal

import pytest
from prometheus_client import CollectorRegistry

from shared.runtime.database import Database, Unit
from shared.runtime.measures import Measures
from shared.runtime.timers import Leased, Timer, Timers


class Gateway:
    """Takes one message; its outcome cannot be written down at first."""

    def __init__(self) -> None:
        self.called, self.recorded = list[str](), asyncio.Event()
        self._refusals: Iterator[bool] = iter([True, True])

    async def claim(self, unit: Unit, deps: None) -> list[str]:
        return [] if self.called else ["message"]

    async def call(self, each: str, deps: None) -> str:
        self.called.append(each)
        return "sent"

    async def record(self, unit: Unit, each: str, outcome: str, deps: None) -> None:
        if next(self._refusals, False):
            raise TimeoutError
        assert (each, outcome) == ("message", "sent")
        self.recorded.set()


async def test_an_outcome_that_is_known_is_recorded_later_and_the_call_is_not_made_again(database_url: str) -> None:
    gateway, stop, registry = Gateway(), asyncio.Event(), CollectorRegistry()
    database = Database(database_url, schema="public", pool_size=2)
    timer: Leased[None] = Leased(gateway.claim, gateway.call, gateway.record)
    timers = Timers({"sending": timer}, database, None, measures=Measures(registry), interval=0.01)
    running = asyncio.create_task(timers.run(stop))
    await asyncio.wait_for(gateway.recorded.wait(), 20)
    stop.set()
    await running
    await database.close()

    assert gateway.called == ["message"]
    assert registry.get_sample_value("aftercall_timer_retries_total", {"timer": "sending"}) == 2


class Stop(asyncio.Event):
    """Tells when somebody pauses until it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_for = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.waited_for.set()
        return await super().wait()


@pytest.mark.parametrize(("full", "rounds"), [(None, [3, 3, 1, 0]), (3, [3, 3, 1]), (4, [3])])
async def test_after_a_round_that_was_not_full_the_next_waits_for_more(database_url: str, full: int | None, rounds: list[int]) -> None:
    due, done, stop = iter([3, 3, 1]), list[int](), Stop()

    async def some(unit: Unit, deps: None) -> int:
        done.append(next(due, 0))
        return done[-1]

    database = Database(database_url, schema="public", pool_size=2)
    timer: Timer[None] = Timer(some, full=None if full is None else lambda _: full)
    timers = Timers({"some": timer}, database, None, measures=Measures(CollectorRegistry()), interval=3600)
    running = asyncio.create_task(timers.run(stop))
    await asyncio.wait_for(stop.waited_for.wait(), 20)
    stop.set()
    await running
    await database.close()

    assert done == rounds
