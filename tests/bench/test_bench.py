"""The benchmark runs: a tiny round of everything, on the servers the tests have anyway. Nothing is said of speeds."""

import json

import pytest

from tests.bench.clock import Drained
from tests.bench.figures import FLOOR, OURS, TWIN, Line, table
from tests.bench.load import INGEST
from tests.bench.rounds import SHAPES, Plan, run
from tests.bench.servers import Cpu, Servers
from tests.support.postgres import Databases


@pytest.mark.kafka
def test_a_tiny_round_drains_every_shape_with_every_contender(databases: Databases, kafka_servers: str) -> None:
    said: list[str] = []

    lines = run(Servers(databases, kafka_servers), Plan(rounds=1, events=120, twin_events=5), said.append)

    assert [json.loads(line.as_json())["name"] for line in lines] == [shape.name for shape in SHAPES]
    assert [{name: drained.events for name, drained in line.rounds[0].items()} for line in lines] == [{OURS: 120, FLOOR: 120, TWIN: 5}] * 2
    assert len(said) == 6


def test_an_event_of_the_platform_has_the_size_of_a_real_one() -> None:
    sizes = [len(record.value or b"") for record in INGEST.records(400)]

    assert 900 < sum(sizes) / len(sizes) < 990


def test_a_ratio_compares_neighbours_of_one_round_and_the_median_is_taken_over_rounds() -> None:
    def made(ours: float, floor: float) -> dict[str, Drained]:
        return {name: Drained(1_000, 1_000 / speed, Cpu(0.01, 0.02, 0.03)) for name, speed in ((OURS, ours), (FLOOR, floor), (TWIN, 100))}

    said = json.loads(Line("ingest", [made(1_000, 500), made(2_000, 4_000), made(900, 300)]).as_json())

    assert (said["events_per_second"], said["floor"], said["twin"]) == (1_000, 500, 100)
    assert (said["ratio_floor"], said["ratio_twin"]) == (2.0, 10.0)
    assert said["cpu_us"] == {"python": 10.0, "postgres": 20.0, "java": 30.0}


def test_the_table_has_a_row_for_each_contender() -> None:
    drained = Drained(1_000, 0.5, Cpu(0.01, 0.02, 0.03))

    shown = table([Line("scoring", [{OURS: drained, FLOOR: drained, TWIN: drained}])]).splitlines()

    assert [row.split()[1] for row in shown[1:]] == [OURS, FLOOR, TWIN]
    assert len({len(row) for row in shown}) == 1
