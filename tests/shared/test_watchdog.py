"""A reader that should move and does not is told from one that has nothing to do."""

import contextlib
from collections.abc import Collection
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from shared.runtime.broker import BrokerAway, Partition, Standing
from shared.runtime.holding import Held
from shared.runtime.measures import Measures
from shared.runtime.watchdog import Stuck, Watchdog

PLACE = ("things", 3)
SEEN = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def dog() -> Watchdog:
    return Watchdog(("things",), Measures(CollectorRegistry()), after=120)


def held(*, mine: bool = True) -> Held:
    return Held(mine={PLACE} if mine else set(), moved={PLACE: 0.0})


def test_a_partition_with_records_that_stands_still_too_long_ends_the_process(dog: Watchdog) -> None:
    holding = held()
    dog.look({PLACE: Standing(5, SEEN)}, holding, stopped={}, now=119)
    with pytest.raises(Stuck, match="things"):
        dog.look({PLACE: Standing(5, SEEN)}, holding, stopped={}, now=121)


class Away:
    """A reader that is behind by five records and looked at every five seconds; its broker is gone from look `leaves` to `comes`, and
    `lost_s` are lost before look 2."""

    def __init__(self, *, leaves: int = 99, comes: int = 99, lost_s: float = 0.0) -> None:
        self.look, self._leaves, self._comes, self._lost_s = 0, leaves, comes, lost_s

    def clock(self) -> float:
        return 5.0 * self.look + (self._lost_s if self.look >= 2 else 0.0)

    async def standing(self) -> dict[Partition, Standing]:
        return {PLACE: Standing(5, SEEN)}

    async def unread(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        if self._leaves <= self.look < self._comes:
            raise BrokerAway("gone")
        return dict.fromkeys(partitions, 5)


async def _looks_until_stuck(reader: Away) -> int:
    dog = Watchdog(("things",), Measures(CollectorRegistry()), after=120, clock=reader.clock)
    holding = held()
    while True:
        reader.look += 1
        with contextlib.suppress(BrokerAway):
            try:
                await dog.watch(reader, holding, stopped=())
            except Stuck:
                return reader.look


async def test_only_time_in_which_the_broker_answers_counts() -> None:
    assert await _looks_until_stuck(Away()) == 25
    assert await _looks_until_stuck(Away(leaves=2, comes=32)) == 55


async def test_time_in_which_the_reader_waited_for_somebody_else_does_not_count() -> None:
    assert await _looks_until_stuck(Away(lost_s=600)) == 25


def test_a_partition_that_had_no_turn_while_others_were_stored_does_not_stand_still(dog: Watchdog) -> None:
    holding = held()
    holding.waited(since=100, now=400)
    dog.look({PLACE: Standing(5, SEEN)}, holding, stopped={}, now=419)
    with pytest.raises(Stuck, match="things"):
        dog.look({PLACE: Standing(5, SEEN)}, holding, stopped={}, now=421)


def test_an_empty_partition_may_stand_still_for_ever(dog: Watchdog) -> None:
    holding = held()
    dog.look({PLACE: Standing(0, SEEN)}, holding, stopped={}, now=1000)
    dog.look({PLACE: Standing(5, SEEN)}, holding, stopped={}, now=1100)


def test_what_is_stopped_on_purpose_lies_behind_and_ends_nothing() -> None:
    registry = CollectorRegistry()
    dog = Watchdog(("things",), Measures(registry), after=120)
    dog.look({}, held(), stopped={PLACE: 40}, now=1000)
    dog.look({("things", 4): Standing(2, SEEN)}, held(), stopped={PLACE: 40}, now=2000)
    assert registry.get_sample_value("aftercall_consumer_lag_records", {"topic": "things"}) == 42


def test_somebody_elses_partition_is_not_our_matter(dog: Watchdog) -> None:
    dog.look({PLACE: Standing(5, SEEN)}, held(mine=False), stopped={}, now=1000)
