"""What a timer does when the world does not let it."""

import asyncio
from collections.abc import Iterator

from prometheus_client import CollectorRegistry

from shared.runtime.database import Database, Unit
from shared.runtime.measures import Measures
from shared.runtime.timers import Leased, Timers


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
