"""A reader that should move and does not is told from one that has nothing to do."""

from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from shared.runtime.broker import Standing
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
