"""The benchmark runs: a tiny round of everything, on the servers the tests have anyway. Nothing is said of speeds."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.bench.__main__ import MEASURED
from tests.bench.figures import FLOOR, OURS, TWIN
from tests.bench.goals import Figure, of_line
from tests.bench.load import INGEST, SCORING, Made, Shape
from tests.bench.ours import Refused
from tests.bench.plan import PARTS, SHAPES, Plan
from tests.bench.rounds import run
from tests.bench.servers import Servers
from tests.support.postgres import Databases

TINY = Plan(
    shapes=[SCORING], shared_events=400, per_second=100, seconds=1, answers_per_second=20, answer_seconds=1, behind=300, memory_events=400,
    profiles=200,
)  # fmt: skip


@pytest.mark.kafka
def test_a_tiny_round_drains_every_shape_with_every_contender(databases: Databases, kafka_servers: str) -> None:
    said: list[str] = []

    lines = run(Servers(databases, kafka_servers), Plan(rounds=1, events=120, twin_events=5), said.append)

    assert [json.loads(line.as_json())["name"] for line in lines] == [shape.name for shape in SHAPES]
    assert [{name: drained.events for name, drained in line.rounds[0].items()} for line in lines] == [{OURS: 120, FLOOR: 120, TWIN: 5}] * 3
    assert all(figure.value > 0 for line in lines for figure in of_line(line))
    assert len(said) == 9


@pytest.mark.kafka
def test_a_drain_that_refuses_a_record_measures_nothing(databases: Databases, kafka_servers: str) -> None:
    def told(contacts: range) -> Iterator[Made]:
        yield "call-0", b"{}", ()
        yield from INGEST.told(contacts)

    with pytest.raises(Refused, match="ingest has 1 dead letter"):
        run(Servers(databases, kafka_servers), Plan(shapes=[replace(INGEST, told=told)], rounds=1, events=4, twin_events=1), print)


@pytest.mark.kafka
def test_every_other_part_measures_something_of_real_processes(databases: Databases, kafka_servers: str) -> None:
    """Three at a time, because they wait most of it: for processes to start and for groups to form."""
    servers, said = Servers(databases, kafka_servers), list[str]()
    for tables in (["scoring"], ["scoring", "routing"], ["ingest"]):  # made once, before several want them
        databases.drop(databases.fresh(*tables))

    def measured(part: str) -> list[Figure]:
        return MEASURED[part](servers, TINY, said.append)

    with ThreadPoolExecutor(3) as side_by_side:
        found = dict(zip(MEASURED, side_by_side.map(measured, MEASURED), strict=True))

    assert ["drain", *found] == list(PARTS)
    assert {each.name for part, figures in found.items() if part != "dialects" for each in figures} == {
        "scoring two replicas of one", "over to decision p99", "answer to console p99", "catch-up of live", "scoring memory growth",
        "import processor", "import memory",
    }  # fmt: skip
    assert {f"reading {platform}" for platform in ("native", "twilio", "genesys-cloud")} <= {each.name for each in found["dialects"]}
    assert all(figure.goal is not None for figures in found.values() for figure in figures)
    assert all(figure.value > 0 for part, figures in found.items() if part not in {"memory", "import"} for figure in figures)
    assert found["import"][0].facts["profiles"] == TINY.profiles
    assert len(said) >= len(MEASURED)


def test_an_event_of_the_platform_has_the_size_of_a_real_one() -> None:
    sizes = [len(record.value or b"") for record in INGEST.records(400)]

    assert 900 < sum(sizes) / len(sizes) < 990


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_records_from_further_on_are_others(shape: Shape) -> None:
    one, other = ({record.value for record in shape.records(40, first=first)} for first in (0, 40))

    assert len(one) == len(other) == 40
    assert not one & other
