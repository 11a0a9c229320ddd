"""After an outage: how fast a service takes what has piled up, while as much as ever goes on coming in."""

import asyncio
import itertools
from collections.abc import Callable

from tests.bench.goals import Figure, Goal
from tests.bench.load import SCORING
from tests.bench.plan import Plan
from tests.bench.rounds import seeded
from tests.bench.servers import Servers
from tests.bench.stage import ASKING, Meter, Stretch, offer, put, stage

GOAL = Goal(5)
LIVE_S = 2
GOING_ON_S = 30


def after_an_outage(servers: Servers, plan: Plan, said: Callable[[str], None]) -> list[Figure]:
    url = seeded(servers, "scoring", events=plan.behind)
    rate = asyncio.run(_caught_up(servers, url, plan))
    said(f"catch-up: {rate:,.0f}/s while {plan.per_second:,}/s came in")
    facts = {"per_second": round(rate), "live_per_second": plan.per_second, "behind": plan.behind}
    meaning = f"records a second after a stop, {plan.behind:,} behind, against the {plan.per_second:,} a second that go on coming"
    return [Figure("catch-up of live", rate / plan.per_second, "x", GOAL, meaning, facts)]


async def _caught_up(servers: Servers, url: str, plan: Plan) -> float:
    live = plan.per_second * LIVE_S
    records = SCORING.records(live + plan.behind + plan.per_second * GOING_ON_S)
    async with stage(servers, url, "scoring", settings=ASKING) as fleet:
        meter, broker = Meter(fleet, "scoring", SCORING.topic), fleet.broker()
        first = await fleet.start("scoring")
        await meter.shared_by(1)
        await offer(broker, list(itertools.islice(records, live)), per_second=plan.per_second)
        await meter.until(live)
        assert await first.stop() == 0
        await put(broker, itertools.islice(records, plan.behind))
        more = list(itertools.islice(records, plan.per_second * GOING_ON_S))
        going_on = asyncio.create_task(offer(broker, more, per_second=plan.per_second))
        await fleet.start("scoring")
        moving = await meter.moving(after=live)
        catching_up = Stretch(moving, await meter.until(live + plan.behind))
        going_on.cancel()
        await asyncio.wait([going_on])
        await broker.stop()
    return catching_up.per_second
