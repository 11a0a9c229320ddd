"""One run: for every round and shape a fresh topic, drained by each contender in turn, each into a fresh database."""

import asyncio
import gc
import random
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

from shared.runtime.kafka import KafkaBroker
from shared.topics import DEAD_TOPICS, LIVE, Topic
from tests.bench import floor, ours, twin
from tests.bench.clock import Drained
from tests.bench.figures import FLOOR, OURS, TWIN, Line, Round
from tests.bench.load import Shape, chunks
from tests.bench.plan import Plan
from tests.bench.seeds import seed
from tests.bench.servers import Servers


def run(servers: Servers, plan: Plan, said: Callable[[str], None]) -> list[Line]:
    """`said` hears of every contender as it ends."""
    seeds = {service: seeded(servers, service, events=plan.events) for service in dict.fromkeys(shape.service for shape in plan.shapes)}
    rounds: dict[str, list[Round]] = {shape.name: [] for shape in plan.shapes}
    for _ in range(plan.rounds):
        for shape in plan.shapes:
            rounds[shape.name].append(_round(servers, plan, shape, seed=seeds[shape.service], said=said))
    return [Line(shape.name, rounds[shape.name]) for shape in plan.shapes]


def seeded(servers: Servers, service: str, *, events: int) -> str:
    """A database in which the service knows whom it must before that many events."""
    url = servers.databases.fresh(service)
    asyncio.run(seed(service, url, events=events))
    return url


def _round(servers: Servers, plan: Plan, shape: Shape, *, seed: str, said: Callable[[str], None]) -> Round:
    prefix = f"b{uuid4().hex[:8]}-"
    asyncio.run(_fill(servers, prefix, shape, events=plan.events))
    drains: dict[str, Callable[[], Coroutine[Any, Any, Drained]]] = {
        FLOOR: lambda: floor.drain(servers, prefix, shape.topic, events=plan.events),
        OURS: lambda: ours.drain(servers, prefix, shape, seed=seed, events=plan.events),
        TWIN: lambda: twin.drain(servers, prefix, shape.topic, events=min(plan.events, plan.twin_events)),
    }
    found = {}
    for name in random.sample(list(drains), len(drains)):
        gc.collect()
        found[name] = asyncio.run(drains[name]())
        said(f"{shape.name} {name}: {found[name].events:,} in {found[name].seconds:.2f} s, {found[name].per_second:,.0f}/s")
    return found


async def _fill(servers: Servers, prefix: str, shape: Shape, *, events: int) -> None:
    broker = KafkaBroker(servers.bootstrap, prefix=prefix)
    mine = [topic for topic in (*LIVE, *DEAD_TOPICS.values()) if shape.service in (*topic.readers, *topic.writers)]
    outputs = [Topic(name, "any", (), (), ()) for name in (floor.OUT, twin.OUT)]
    await broker.create([*mine, *outputs])
    for chunk in chunks(shape.records(events)):
        await broker.publish(chunk)
    await broker.stop()
