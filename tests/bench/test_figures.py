"""What is made of measurements, and what a run is asked for."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.clock import Batch, Drained
from tests.bench.figures import FLOOR, OURS, TWIN, Line, table
from tests.bench.goals import Figure, Goal, alarms, costs, of_line, percentile, table_of
from tests.bench.plan import PARTS, SHAPES, NotOneOf, Plan, plan
from tests.bench.servers import Cpu
from tests.bench.stage import Standing, Stretch

CPU = Cpu(0.01, 0.02, 0.03)
BATCHES = [Batch(500, 0.02)] * 98 + [Batch(500, 0.08)] * 2 + [Batch(3, 9.0)]


def made(ours: float, floor: float, *, twin: float = 100, cpu: Cpu = CPU) -> Mapping[str, Drained]:
    """A round in which each drained a thousand events at that speed."""
    return {
        OURS: Drained(1_000, 1_000 / ours, cpu, 1_200_000, BATCHES),
        FLOOR: Drained(1_000, 1_000 / floor, CPU, 900_000),
        TWIN: Drained(1_000, 1_000 / twin, CPU, 4_000_000),
    }


def test_a_ratio_compares_neighbours_of_one_round_and_the_median_is_taken_over_rounds() -> None:
    said = json.loads(Line("ingest", [made(1_000, 500), made(2_000, 4_000), made(900, 300)]).as_json())

    assert (said["events_per_second"], said["floor"], said["twin"]) == (1_000, 500, 100)
    assert (said["ratio_floor"], said["ratio_twin"]) == (2.0, 10.0)
    assert said["cpu_us"] == {"python": 10.0, "postgres": 20.0, "java": 30.0}
    assert said["wal_bytes"] == 1_200


def test_the_table_has_a_row_for_each_contender() -> None:
    shown = table([Line("scoring", [made(2_000, 2_000)])]).splitlines()

    assert [row.split()[1] for row in shown[1:]] == [OURS, FLOOR, TWIN]
    assert len({len(row) for row in shown}) == 1


def test_draining_is_held_against_every_goal_and_small_batches_do_not_count_as_batches() -> None:
    figures = {figure.name: figure for figure in of_line(Line("ingest", [made(1_400, 1_000)]))}

    assert {name: (figure.value, figure.met) for name, figure in figures.items()} == {
        "ingest of floor": (1.4, True),
        "ingest of twin": (14.0, False),
        "ingest batch p50": (20.0, True),
        "ingest batch p99": (80.0, True),
        "ingest processor": (pytest.approx(60), True),
        "ingest write-ahead log": (1_200, True),
    }


def test_being_less_than_fifty_times_the_twin_is_alarming() -> None:
    slow, fast = Line("scoring", [made(4_900, 1_000)]), Line("ingest", [made(5_100, 1_000)])

    assert [words.split()[:2] for words in alarms([slow, fast])] == [["ALARM", "scoring"]]


def test_a_missed_ratio_names_the_part_that_costs_more_than_the_floor_pays() -> None:
    dear = Line("scoring", [made(900, 1_000, cpu=Cpu(0.05, 0.03, 0.03))])

    assert costs(Line("scoring", [made(1_100, 1_000)])) is None
    assert costs(dear) == (
        "scoring is under its goal: most of it is python. Processor us per event: python 50 (floor 10), postgres 30 (floor 20), "
        "java 30 (floor 30); 0.1 cores were busy."
    )


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_that_part_of_them_does_not_exceed_it(values: list[float], part: float) -> None:
    found = percentile(values, part)

    assert found in values
    assert sum(value <= found for value in values) >= part * len(values) - 1e-9
    assert sum(value < found for value in values) < part * len(values) + 1e-9


def test_a_hundred_values_have_the_usual_percentiles() -> None:
    assert [percentile(range(1, 101), part) for part in (0.5, 0.99, 1)] == [50, 99, 100]


MOST, LEAST = Goal(2, at_most=True), Goal(5)


@pytest.mark.parametrize(("goal", "value", "met"), [(MOST, 2.0, True), (MOST, 2.1, False), (LEAST, 5.0, True), (LEAST, 4.9, False)])
def test_a_goal_is_met_at_its_bound(goal: Goal, value: float, *, met: bool) -> None:
    said = json.loads(Figure("x", value, "s", goal, facts={"events": 3}).as_json())

    assert said == {"name": "x", "value": value, "unit": "s", "goal": str(goal), "met": met, "events": 3}
    assert ("MISSED" in table_of([Figure("x", value, "s", goal)])) is not met


def test_a_figure_keeps_three_digits_and_an_integer_all_of_them() -> None:
    shown = [json.loads(Figure("x", value, "s").as_json())["value"] for value in (0.012345, 12.345, 12_345.6, 0)]

    assert shown == [0.0123, 12.3, 12_346, 0]


def test_the_rate_of_a_stretch_is_what_was_taken_over_its_time() -> None:
    assert Stretch(Standing(10.0, 500, [500]), Standing(12.0, 2_500, [1_000, 1_500])).per_second == 1_000


def test_a_run_measures_everything_unless_told_otherwise() -> None:
    assert plan({}) == Plan(parts=list(PARTS), shapes=list(SHAPES))
    chosen = plan({"BENCH_PARTS": "memory drain", "BENCH_SHAPES": "scoring", "BENCH_MEMORY": "1000000", "BENCH_EVENTS": ""})
    assert (chosen.parts, chosen.shapes, chosen.memory_events, chosen.events) == (["drain", "memory"], [SHAPES[1]], 1_000_000, 60_000)


@pytest.mark.parametrize("setting", ["BENCH_PARTS", "BENCH_SHAPES"])
def test_a_part_or_a_shape_that_is_none_is_refused_with_those_there_are(setting: str) -> None:
    with pytest.raises(NotOneOf, match=rf"{setting} names speed: choose among .*(latency|scoring)"):
        plan({setting: "speed"})
