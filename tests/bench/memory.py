"""How a process of each service grows while events pass through it."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from statistics import median

import psutil

from shared.runtime.broker import Outgoing
from tests.bench.goals import Figure, Goal
from tests.bench.load import STEPS, Shape, chunks
from tests.bench.plan import Plan
from tests.bench.rounds import seeded
from tests.bench.servers import Servers
from tests.bench.stage import ASKING, LOOK_S, Meter, stage

GOAL = Goal(5, at_most=True)
WARM = 0.3
"""Of all events; a process fills its caches and pools with them."""
AHEAD = 20_000
"""So many events may lie in the topic unread: the generator does not run away."""
KNOWN = 30_000
"""Events' worth of customers are known beforehand, however many events pass."""


def growth(servers: Servers, plan: Plan, said: Callable[[str], None]) -> list[Figure]:
    events = plan.memory_events - plan.memory_events % len(STEPS)
    return [_grown(servers, shape, events=events, said=said) for shape in plan.shapes]


def _grown(servers: Servers, shape: Shape, *, events: int, said: Callable[[str], None]) -> Figure:
    sizes = asyncio.run(_sizes(servers, shape, seeded(servers, shape.service, events=KNOWN), events=events))
    before, after = _level(sizes, WARM), _level(sizes, 0.9)
    said(f"{shape.name} memory: {before / 1e6:.1f} MB after {WARM:.0%} of {events:,} events, {after / 1e6:.1f} MB at the end")
    facts = {"events": events, "warm_mb": round(before / 1e6, 1), "end_mb": round(after / 1e6, 1)}
    meaning = f"resident memory of one process, over the last 70 % of {events:,} events"
    return Figure(f"{shape.name} memory growth", 100 * (after / before - 1), "%", GOAL, meaning, facts)


Sizes = list[tuple[float, int]]
"""Part of the events taken, and resident bytes then."""


def _level(sizes: Sizes, since: float) -> float:
    """The middle of what it was over a tenth of the events; the nearest there is where a tenth went by between two looks."""
    there = [size for part, size in sizes if since <= part <= since + 0.1]
    return median(there or [min(sizes, key=lambda each: abs(each[0] - since))[1]])


async def _sizes(servers: Servers, shape: Shape, url: str, *, events: int) -> Sizes:
    async with stage(servers, url, shape.service, settings=ASKING) as fleet:
        meter, broker, sizes = Meter(fleet, shape.service, shape.topic), fleet.broker(), Sizes()
        process = psutil.Process((await fleet.start(shape.service)).process.pid)
        await meter.shared_by(1)
        sent, owed = 0, _records(shape, events)
        while (taken := (await meter.standing()).taken) < events:
            sizes.append((taken / events, process.memory_info().rss))
            if sent - taken < AHEAD and (chunk := next(owed, [])):
                await broker.publish(chunk)
                sent += len(chunk)
            else:
                await asyncio.sleep(LOOK_S)
        sizes.append((1.0, process.memory_info().rss))
        await broker.stop()
    return sizes


def _records(shape: Shape, events: int) -> Iterator[list[Outgoing]]:
    return chunks(
        itertools.chain.from_iterable(shape.records(min(KNOWN, events - first), first=first) for first in range(0, events, KNOWN))
    )
