"""The gauges of cases: counted every so often, through what the world does, not through a bug."""

import asyncio
import logging

import pytest
from prometheus_client import Gauge

from routing.app import build
from routing.cases.timers import Counting
from routing.deps import Deps
from routing.settings import Settings
from shared.runtime.memory import MemoryBroker

NOBODY_LISTENS = "postgresql+psycopg://routing@127.0.0.1:1/aftercall"


class After(asyncio.Event):
    """Set after so many rounds."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self._left = rounds

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


def _deps(url: str) -> Deps:
    deps: Deps = build(Settings(database_url=url, gauges_s=0.001, pool_wait_s=0.5), broker=MemoryBroker()).deps
    return deps


def _gauge(deps: Deps, state: str) -> float:
    [metric] = deps.metrics.cases.collect()
    return next(each.value for each in metric.samples if each.labels == {"state": state})


async def test_cases_are_counted_by_state(routing_database: str) -> None:
    deps = _deps(routing_database)
    deps.metrics.cases.labels("open").set(7)

    await Counting(deps).run(After(1))

    assert _gauge(deps, "open") == 0
    await deps.database.close()


async def test_a_round_is_left_out_while_the_database_is_away(caplog: pytest.LogCaptureFixture) -> None:
    deps = _deps(NOBODY_LISTENS)

    with caplog.at_level(logging.WARNING):
        await Counting(deps).run(After(2))

    assert caplog.messages == ["a round is left out"] * 2


async def test_a_bug_rises(routing_database: str) -> None:
    deps = _deps(routing_database)
    deps.metrics.cases = Gauge("cases_by_nothing", "It has no label for the state", registry=None)

    with pytest.raises(ValueError, match="No label names"):
        await Counting(deps).run(After(1))

    await deps.database.close()
