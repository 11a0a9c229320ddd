"""Two processes of a service beside each other on one topic, against one alone."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.goals import Figure, Goal
from tests.bench.load import Shape
from tests.bench.plan import Plan
from tests.bench.rounds import seeded
from tests.bench.servers import Servers
from tests.bench.stage import ASKING, Meter, Stretch, put, stage, used

GOAL = Goal(1.8)
_STOP = "insert into {service}.topic_cap (topic, reason) values ('{topic}', 'bench')"
_GO = "delete from {service}.topic_cap where topic = '{topic}'"


@dataclass(frozen=True, slots=True)
class Pace:
    """`cores` were busy with it: the service's processes, PostgreSQL and Apache Kafka together."""

    per_second: float
    cores: float


def two_against_one(servers: Servers, plan: Plan, said: Callable[[str], None]) -> list[Figure]:
    return [_compared(servers, shape, events=plan.shared_events, said=said) for shape in plan.shapes]


def _compared(servers: Servers, shape: Shape, *, events: int, said: Callable[[str], None]) -> Figure:
    seed = seeded(servers, shape.service, events=events)
    paces = {}
    for replicas in (1, 2):
        paces[replicas] = asyncio.run(_pace(servers, shape, servers.databases.copy(seed), replicas=replicas, events=events))
        said(f"{shape.name} by {replicas}: {paces[replicas].per_second:,.0f}/s, {paces[replicas].cores:.2f} cores")
    one, two = paces[1], paces[2]
    there = os.cpu_count() or 1
    facts = {
        "one": round(one.per_second), "two": round(two.per_second), "events": events, "cores": there,
        "cores_used_by_one": round(one.cores, 2), "most_these_cores_allow": round(there / one.cores, 2) if one.cores else None,
    }  # fmt: skip
    meaning = f"one uses {one.cores:.1f} of {there} cores, so these allow {there / one.cores:.2f} x at most" if one.cores else ""
    return Figure(f"{shape.name} two replicas of one", two.per_second / one.per_second, "x", GOAL, meaning, facts)


async def _pace(servers: Servers, shape: Shape, url: str, *, replicas: int, events: int) -> Pace:
    """All are there and hold their partitions before any may read."""
    async with stage(servers, url, shape.service, settings=ASKING) as fleet:
        meter, names = Meter(fleet, shape.service, shape.topic), {"service": shape.service, "topic": shape.topic}
        await fleet.run(_STOP.format(**names))
        for _ in range(replicas):
            await fleet.start(shape.service)
        broker = fleet.broker()
        await put(broker, shape.records(events))
        await broker.stop()
        await meter.shared_by(replicas)
        await fleet.run(_GO.format(**names))
        moving = await meter.moving(after=0, replicas=replicas)
        before, began = used(servers, fleet), time.perf_counter()
        ended = await meter.until(events * 9 // 10)
        spent = used(servers, fleet).since(before)
    busy = (spent.python + spent.postgres + spent.java) / (time.perf_counter() - began)
    return Pace(Stretch(moving, ended).per_second, busy)
